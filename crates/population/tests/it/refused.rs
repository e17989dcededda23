//! Expressions outside of the common subset are refused before any engine sees them.

use tearline_population::Kind;

use crate::support::{Case, detail, says};

#[track_caller]
fn refused(predicate: &str, words: &[&str]) {
    let case = Case::new("desk,grade\nrussia,1\nafrica,2\n", "", &detail("a", &[predicate]));
    says(&case.fails(), Kind::Refused, &[&["detail.a.level[1].known_to"], words].concat());
}

#[test]
fn statements_and_subqueries() {
    refused("(SELECT 1)", &["SELECT", "subquery"]);
    refused("grade IN (VALUES (1))", &["VALUES"]);
    refused("EXISTS (SELECT 1)", &["EXISTS", "function"]);
    refused("grade IN desk", &["IN without a list"]);
    refused("1; DROP TABLE population", &["semicolon"]);
    refused("1) OR (1", &["parenthesis"]);
    refused("(grade", &["not closed"]);
    refused("grade = 1, true", &["comma"]);
    refused("-- nothing", &["empty"]);
    refused("population.desk = 'x'", &["dot"]);
}

#[test]
fn functions_that_do_more_than_compute() {
    for call in ["count(*)", "sum(grade)", "load_extension('x')", "random()", "readfile('/etc/passwd')"] {
        refused(call, &["is not available"]);
    }
    refused("rank() OVER (ORDER BY grade)", &["is not available"]);
    refused("pg_sleep(10)", &["is not available"]);
    refused("lengt(desk) = 1", &["Did you mean length?"]);
}

#[test]
fn what_engines_understand_differently() {
    refused("desk == 'x'", &["Write =."]);
    refused("grade::text = '1'", &["CAST"]);
    refused("desk LIKE '10\\%'", &["backslash"]);
    refused("desk GLOB 'a*'", &["GLOB"]);
    refused("desk = $1", &[":value"]);
    refused("desk = [x]", &["Quote names"]);
    refused("desk = 1_000", &["number"]);
}

#[test]
fn an_unknown_column_is_named_with_the_likely_one() {
    let case = Case::new("desk,grade\nrussia,1\n", "", &detail("a", &["dsek = 'russia'"]));
    let words =
        ["people.csv", "detail.a.level[1].known_to", "\"dsek\"", "Did you mean \"desk\"?", "desk, grade"];
    says(&case.fails(), Kind::UnknownColumn, &words);
    // Text in double quotes is the usual slip.
    let case = Case::new("desk,grade\nrussia,1\n", "", &detail("a", &["desk = \"russia\""]));
    says(&case.fails(), Kind::UnknownColumn, &["single quotes"]);
    assert!(case.check().is_err());
}

#[test]
fn what_the_engine_rejects_is_told_in_its_words() {
    let case = Case::new("desk,grade\nrussia,1\n", "", &detail("a", &["desk = AND 'x'"]));
    says(&case.fails(), Kind::Sql, &["detail.a.level[1].known_to", "near \"AND\""]);
    let case = Case::new("desk,grade\nrussia,1\n", "", &detail("a", &["abs(desk, grade) = 1"]));
    says(&case.fails(), Kind::Sql, &["wrong number of arguments"]);
}
