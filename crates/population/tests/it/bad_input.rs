//! Tables that cannot be trusted: each gets an error that names the place and the remedy.

use std::sync::atomic::AtomicBool;

use tearline_population::{Kind, Options};

use crate::support::{Case, detail, says};

#[track_caller]
fn fails(csv: impl AsRef<[u8]>, population: &str, details: &str, kind: Kind, words: &[&str]) {
    says(&Case::new(csv, population, details).fails(), kind, words);
}

fn knows() -> String {
    detail("a", &["grade >= 1"])
}

#[test]
fn files_that_are_not_there_or_hold_nobody() {
    let case = Case::new("grade\n1\n", "", &knows());
    std::fs::remove_file(case.path()).expect("the file was written");
    says(&case.fails(), Kind::Missing, &["population \"people\"", "people.csv", "relative to the report"]);
    fails("", "", &knows(), Kind::Empty, &["the file is empty"]);
    fails("grade\n", "", &knows(), Kind::Empty, &["no candidates"]);
    fails("grade,n\n1,0\n", "count = \"n\"", &knows(), Kind::Empty, &["no candidates"]);
    fails("grade\n1\n", "cleared = \"grade = 1\"", &knows(), Kind::Empty, &["presumed cleared"]);
}

#[test]
fn headers_that_cannot_be_meant() {
    fails("grade,Grade\n1,2\n", "", &knows(), Kind::Header, &["two columns are called \"Grade\""]);
    fails("grade,\n1,2\n", "", &knows(), Kind::Header, &["column 2 has no name"]);
    fails(
        "grade\n1\n",
        "id = \"garde\"",
        &knows(),
        Kind::UnknownColumn,
        &["population.people.id", "\"grade\"?"],
    );
    fails("grade\n1\n", "count = \"x\"", &knows(), Kind::UnknownColumn, &["population.people.count"]);
    fails("grade\n1\n", "columns = { x = \"text\" }", &knows(), Kind::UnknownColumn, &["\"x\""]);
}

#[test]
fn rows_that_do_not_fit_the_header_or_utf_8() {
    fails(
        "grade,desk\n1,a\n2\n",
        "",
        &knows(),
        Kind::Ragged,
        &["people.csv:3", "1 fields where the header has 2"],
    );
    fails("grade,desk\n1,a\n2,b,c\n", "", &knows(), Kind::Ragged, &["people.csv:3", "double quotes"]);
    fails(b"grade,desk\n1,\"x\ny\"\n1,\xff\n", "", &knows(), Kind::NotUtf8, &["people.csv:4", "\"desk\""]);
}

#[test]
fn a_cell_of_another_type_than_the_first_ten_thousand() {
    let mut csv = String::from("grade\n");
    for _ in 0..10_000 {
        csv += "3\n";
    }
    csv += "high\n";
    let words = ["people.csv:10002", "\"grade\"", "a whole number", "columns = { \"grade\" = \"text\" }"];
    fails(&csv, "", &knows(), Kind::WrongType, &words);
    // Within the sample the column is text, and then compared as text.
    let case = Case::new("grade\n3\nhigh\n", "", &detail("a", &["grade = 'high'"]));
    assert_eq!(case.candidates().map(|c| c.sure), Ok(vec![vec![0, 1]]));
    fails(
        "flag\nmaybe\n",
        "columns = { flag = \"boolean\" }",
        &detail("a", &["flag"]),
        Kind::WrongType,
        &[":2"],
    );
}

#[test]
fn values_that_are_no_probability() {
    let words = ["people.csv:3", "detail.a.level[1].known_to", "no probability", "0 to 1"];
    fails("grade\n1\n2\n", "", &detail("a", &["grade"]), Kind::NotProbability, &words);
    fails("grade\n1\n-1\n", "", &detail("a", &["grade / 2.0"]), Kind::NotProbability, &["people.csv:3"]);
    fails("desk\na\n", "", &detail("a", &["desk"]), Kind::NotProbability, &["gives text"]);
}

#[test]
fn weights_counts_and_identifiers() {
    for weight in ["grade - 1", "-1", "NULL", "'x'", "grade * 1e9", "1e308 * 1e308 * (grade - 1)"] {
        let population = format!("weight = \"{weight}\"");
        fails(
            "grade\n1\n",
            &population,
            &knows(),
            Kind::Weight,
            &["people.csv:2", "population.people.weight"],
        );
    }
    for count in ["-1", "1.5", "", "many", "99999999999999"] {
        let csv = format!("grade,n\n1,1\n1,{count}\n");
        fails(&csv, "count = \"n\"", &knows(), Kind::Count, &["people.csv:3", "whole number"]);
    }
    fails("grade,p\n1,x\n1,y\n1,x\n", "id = \"p\"", &knows(), Kind::Id, &["people.csv:4", "line 2"]);
    fails("grade,p\n1,x\n1,\n", "id = \"p\"", &knows(), Kind::Id, &["people.csv:3", "no identifier"]);
}

#[test]
fn a_level_that_widens_the_set() {
    let details = detail("where", &["grade >= 3", "grade >= 2"]);
    let words = ["detail.where.level[2].known_to", "2 of 4 candidates", "level 2", "level 1", "AND"];
    fails("grade\n1\n2\n2\n3\n", "", &details, Kind::Widens, &words);
}

#[test]
fn a_level_that_nobody_could_have_known() {
    let details = detail("where", &["grade >= 1", "grade >= 9"]);
    fails("grade\n1\n2\n", "", &details, Kind::NobodyKnows, &["detail.where.level[2]", "level 2 of 2"]);
    let details = detail("where", &["grade >= 9"]);
    fails("grade\n1\n2\n", "", &details, Kind::NobodyKnows, &["level 1 of 1", "true source"]);
    let own = "[detail.where]\nvalue_of = \"grade\"\n[[detail.where.level]]\ntext = \"x\"\nkey = 7\n";
    fails("grade\n1\n2\n", "", own, Kind::NobodyKnows, &["detail.where.level[1]", "key"]);
}

#[test]
fn the_first_bad_line_is_told_whatever_thread_meets_it() {
    let mut csv = String::from("grade\n");
    for row in 0..200_000 {
        csv += if row >= 50_000 && row % 1000 == 0 { "2\n" } else { "1\n" };
    }
    let case = Case::new(&csv, "", &detail("a", &["grade"]));
    for _ in 0..5 {
        says(&case.fails(), Kind::NotProbability, &["people.csv:50002"]);
    }
}

#[test]
fn a_table_that_grows_while_it_is_read() {
    let case = Case::new("grade\n".to_owned() + &"1\n".repeat(100_000), "", &knows());
    let path = case.path();
    let grow = |_: tearline_population::Progress| {
        use std::io::Write as _;
        let mut file = std::fs::OpenOptions::new().append(true).open(&path).expect("the file is there");
        file.write_all(b"1\n").expect("the file can be written");
    };
    let options =
        Options { base: case.folder.path(), progress: &grow, cancel: &AtomicBool::new(false), threads: 1 };
    let error = tearline_population::candidates(&case.report, 0, &options).expect_err("it grew");
    says(&(error.kind, error.to_string()), Kind::Changed, &["changed while it was read"]);
}

#[test]
fn cancelling_ends_it() {
    let case = Case::new("grade\n".to_owned() + &"1\n".repeat(100_000), "", &knows());
    let cancel = AtomicBool::new(false);
    let progress = |progress: tearline_population::Progress| {
        assert!(progress.rows < 100_000, "it went on");
        cancel.store(true, std::sync::atomic::Ordering::Relaxed);
    };
    let options = Options { base: case.folder.path(), progress: &progress, cancel: &cancel, threads: 2 };
    let error = tearline_population::candidates(&case.report, 0, &options).expect_err("it was cancelled");
    assert_eq!(error.kind, Kind::Cancelled);
}

#[cfg(not(feature = "datafusion"))]
#[test]
fn parquet_without_the_feature_says_how_to_build_it() {
    let text = "[population.people]\ntable = \"people.parquet\"\n".to_owned() + &knows();
    let error = crate::support::candidates(&crate::support::report(&text), std::path::Path::new("."))
        .expect_err("not built");
    says(&(error.kind, error.to_string()), Kind::NotBuilt, &["people.parquet", "--features datafusion"]);
}

#[test]
fn the_largest_counts_add_up_exactly() {
    let row = format!("1,{}\n", 1u64 << 40);
    let case = Case::new("grade,n\n".to_owned() + &row.repeat(1000), "count = \"n\"", &knows());
    assert_eq!(case.candidates().map(|c| c.count), Ok(vec![1000 << 40]));
}
