//! Tables become signature classes.

use tearline_model::candidates::{Candidates, Groups, Odds};

use crate::support::{Case, candidates, detail, report, with};

const STAFF: &str = "\
person,desk,grade,travelled,agency,left
p1,russia,5,true,A,0
p2,russia,3,true,B,0
p3,russia,3,false,,0
p4,africa,5,true,A,0
p5,africa,,false,C,1
";

#[test]
fn candidates_alike_in_everything_become_one_class() {
    let details = detail("where", &["desk = 'russia'", "desk = 'russia' AND grade >= 4"])
        + &detail("who", &["travelled"]);
    let case = Case::new(STAFF, "id = \"person\"\ncolumns = { travelled = \"boolean\" }", &details);
    let classes = case.candidates().expect("a good table");
    assert_eq!(
        classes,
        Candidates {
            // nobody: p5; travelled: p4; russia: p3; both: p2; all: p1.
            sure: vec![vec![0, 0, 1, 1, 2], vec![0, 1, 0, 1, 1]],
            count: vec![1; 5],
            weight: vec![1000; 5],
            ..Candidates::default()
        }
    );
    assert_eq!(case.check(), Ok(()));
}

#[test]
fn rows_stand_for_as_many_as_they_say_and_the_cleared_for_none() {
    let text =
        "[population.people]\ncount = \"n\"\nweight = \"CASE WHEN kind = 'gateway' THEN 2 ELSE 1 END\"\n\
        cleared = \"checked\"\nrows = [\n\
        { kind = \"antenna\", n = 40, checked = false },\n\
        { kind = \"antenna\", n = 25, checked = true },\n\
        { kind = \"gateway\", n = 10, checked = false },\n\
        { kind = \"gateway\", n = 0 },\n\
        { kind = \"relay\", n = 7 },\n]\n"
            .to_owned()
            + &detail("what", &["kind <> 'relay'", "kind = 'gateway'"]);
    let classes = candidates(&report(&text), std::path::Path::new(".")).expect("good rows");
    assert_eq!(classes.sure, [[0, 1, 2]]);
    assert_eq!(classes.count, [7, 40, 10]);
    assert_eq!(classes.weight, [1000, 1000, 2000]);
    assert_eq!(classes.cleared, 25);
}

#[test]
fn uncertain_knowledge_keeps_its_probabilities() {
    let details = detail("when", &["CASE WHEN desk = 'russia' THEN 1 ELSE 0.3 END", "(grade - 3) / 2.0"]);
    let case = Case::new("desk,grade\nrussia,5\nrussia,4\nafrica,3\nafrica,\n", "certain = 0.5", &details);
    let classes = case.candidates().expect("a good table");
    assert_eq!(classes.sure, [[0, 2, 2]]);
    assert_eq!(classes.possible, [[1, 2, 2]]);
    assert_eq!(
        classes.odds,
        [
            Odds { detail: 0, level: 1, permille: vec![300, 1000, 1000] },
            Odds { detail: 0, level: 2, permille: vec![0, 500, 1000] },
        ]
    );
    assert_eq!(classes.count, [2, 1, 1]);
}

#[test]
fn the_row_itself_may_say_what_the_value_would_have_been() {
    let csv = "country,city,year\nRU,Moscow,2024\nRU,Kazan,2024\nTR,Moscow,2023\nRU,,\n";
    let details = "[detail.where]\nvalue_of = [\"country\", \"city\"]\ntype = \"place\"\n\
        [[detail.where.level]]\ntext = \"in Russia\"\nvalue = [\"RU\"]\n\
        [[detail.where.level]]\ntext = \"in Moscow\"\nvalue = [\"RU\", \"Moscow\"]\n\
        [detail.when]\ntype = \"time\"\nvalue_of = \"year\"\n\
        [[detail.when.level]]\ntext = \"2024\"\nvalue = \"2024\"\n";
    let classes = Case::new(csv, "", details).candidates().expect("a good table");
    // A Moscow elsewhere is not the place; the year is compared as text with a column of numbers.
    assert_eq!(classes.sure, [[0, 1, 1, 2], [0, 0, 1, 1]]);
}

#[test]
fn a_parameter_stands_for_the_key_of_its_level() {
    let details = "[detail.where]\ndomain = [[\"RU\", \"Moscow\"], [\"RU\", \"Kazan\"], [\"TR\", \"O'Hara\"]]\n\
        [[detail.where.level]]\ntext = \"a\"\nkey = \"TR\"\nknown_to = \"country = :value\"\n\
        [[detail.where.level]]\ntext = \"b\"\nkey = \"O'Hara\"\nknown_to = \"country = 'TR' AND city = :value\"\n";
    let classes = Case::new("country,city\nTR,O'Hara\nRU,Kazan\nTR,:value\n", "", details)
        .candidates()
        .expect("a good table");
    assert_eq!(classes.sure, [[0, 1, 2]]);
}

#[test]
fn groups_and_linked_facts_split_classes() {
    let details = detail("who", &["travelled"])
        + "[[protection]]\nk = 2\ndiversity = [{ column = \"agency\", at_least = 2 }]\n\
           [[protection]]\nk = 3\ndiversity = [{ column = \"agency\", at_least = 1 }, { column = \"desk\", at_least = 1 }]\n\
           [[told]]\naudience = \"public\"\nlinked = \"x\"\nknown_to = \"grade = 5\"\n";
    let classes =
        Case::new(STAFF, "cleared = \"agency = 'B'\"\ncolumns = { travelled = \"boolean\" }", &details)
            .candidates()
            .expect("a good table");
    assert_eq!(classes.sure, [[0, 0, 1, 1]]);
    assert_eq!(classes.linked, [[false, false, true, true]]);
    let groups =
        |column: &str, of: &[u32], values| Groups { column: column.to_owned(), of: of.to_owned(), values };
    // C is 1: B is cleared, so it has no number.
    let agency = groups("agency", &[1, u32::MAX, 0, 0], 2);
    assert_eq!(classes.groups, [agency, groups("desk", &[0, 1, 0, 1], 2)]);
    assert_eq!(classes.cleared, 1);
}

#[test]
fn quoted_fields_bom_and_other_line_ends_are_read() {
    let csv = "\u{feff}\"the desk\",note\r\n\"ru, ssia\",\"says \"\"hi\"\"\nand more\"\r\nафрика,x\r\n";
    let details = detail("a", &["\"the desk\" = 'ru, ssia'"])
        + &detail("b", &["\"The Desk\" LIKE '_фрик%'"])
        + &detail("c", &["note = 'says \"hi\"\nand more'"]);
    let classes = Case::new(csv, "", &details).candidates().expect("a good table");
    assert_eq!(classes.sure, [[0, 1], [1, 0], [0, 1]]);
}

#[test]
fn the_answer_does_not_depend_on_threads_or_chunks() {
    // Many rows, so that some columns are evaluated by tuple and others row by row.
    let mut csv = String::from("n,half,kind,score\n");
    for n in 0..70_000u64 {
        let half = if n % 2 == 0 { "true" } else { "false" };
        csv += &format!("{n},{half},k{},0.{:05}\n", n % 7, n * 7919 % 100_000);
    }
    let details =
        detail("a", &["n >= 100", "n >= 100 AND score < 0.5", "score < 0.5 AND n >= 100 AND kind = 'k3'"])
            + &detail("b", &["half", "half AND kind IN ('k1', 'k3')"])
            + &detail("c", &["score"]);
    let case = Case::new(csv, "id = \"n\"\ncertain = 0.9\ncolumns = { half = \"boolean\" }", &details);
    let one = with(case.folder.path(), 1, |o| tearline_population::candidates(&case.report, 0, o));
    let three = with(case.folder.path(), 3, |o| tearline_population::candidates(&case.report, 0, o));
    assert_eq!(one, three);
    let classes = one.expect("a good table");
    assert_eq!(classes.total(), 70_000);
    let knowing = |detail: usize, level: u8| -> u64 {
        classes.sure[detail].iter().zip(&classes.count).filter(|(l, _)| **l >= level).map(|(_, c)| c).sum()
    };
    assert_eq!([knowing(0, 1), knowing(1, 1), knowing(1, 2)], [69_900, 35_000, 10_000]);
    let scored = (100..70_000u64).filter(|n| n * 7919 % 100_000 < 50_000).count();
    assert_eq!(knowing(0, 2), scored as u64);
}
