//! The README's tutorial: what a stranger copies out of it is a report that works.

use std::fs;
use std::path::Path;
use tearline_model::parse::parse;

fn readme() -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../README.md");
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The fenced blocks of one language, one after the other.
fn blocks(text: &str, language: &str) -> String {
    let opening = format!("```{language}\n");
    text.split(&opening).skip(1).filter_map(|rest| rest.split("```").next()).collect()
}

#[test]
fn the_tutorial_adds_up_to_a_report_without_mistakes() {
    match parse(blocks(&readme(), "toml").as_bytes(), "README.md") {
        Ok(report) => {
            assert_eq!(report.details.len(), 3);
            assert_eq!(report.audiences.len(), 2);
        }
        Err(problems) => panic!("{problems}"),
    }
}

#[test]
fn the_tutorial_says_how_many_remain_possible() {
    let text = readme();
    let table = blocks(&text, "csv");
    let mut lines = table.lines().map(|line| line.split(',').collect::<Vec<_>>());
    let header = lines.next().expect("the table has a header");
    let rows: Vec<Vec<&str>> = lines.collect();
    let column =
        |name: &str| header.iter().position(|column| *column == name).expect("a column of the table");
    let people = column("people");
    let know = |columns: &[&str]| -> u64 {
        let inside = rows.iter().filter(|row| columns.iter().all(|name| row[column(name)] == "1"));
        inside.map(|row| row[people].parse::<u64>().expect("a number of people")).sum()
    };
    let said = know(&["knows_town", "knows_day"]);
    let more = know(&["knows_town", "knows_day", "knows_means"]);
    assert!(said >= 50 && (20..50).contains(&more), "the tutorial's protections: {said}, {more}");
    let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(words.contains(&format!("{said} people remain possible")), "{said}");
    assert!(words.contains(&format!("would leave {more}")), "{more}");
}
