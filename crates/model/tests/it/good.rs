//! What good reports mean.

use tearline_model::parse::parse;
use tearline_model::report::{Cell, Domain, Knowledge, Mode, Report, Table, ToldWhat};

use super::COMPLETE;

fn read(text: &str) -> Report {
    match parse(text.as_bytes(), "report.toml") {
        Ok(report) => report,
        Err(problems) => panic!("{problems}"),
    }
}

#[test]
fn the_complete_example_means_what_its_comments_say() {
    let report = read(COMPLETE);
    assert_eq!(report.mode, Some(Mode::SelectionSafe));
    assert_eq!(
        report.details.iter().map(|d| d.id.as_str()).collect::<Vec<_>>(),
        ["where", "when", "traffic", "meeting"]
    );
}
