//! Errors as people and programs see them, and the exit codes.

use crate::output;
use serde::Serialize;
use std::fmt;
use tearline_model::parse::{Problem, Problems};

/// How a command that did its work ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    /// As asked.
    Done,
    /// The answer is no: nothing safe, or not safe.
    No,
}

/// Exit code of an error.
const ERROR: u8 = 1;
/// Exit code of a command line that is not as it must be; clap's too.
const USAGE: u8 = 2;
/// Exit code of a command that was ended by Ctrl-C before it had an answer: 128 and the signal's number.
pub(crate) const INTERRUPTED: u8 = 130;

/// A mistake on the command line that shows only once the report is read.
#[derive(Debug)]
pub(crate) struct Usage(pub(crate) String);

impl fmt::Display for Usage {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

impl std::error::Error for Usage {}

/// Ctrl-C, before there was anything to print.
#[derive(Debug)]
pub(crate) struct Interrupted;

impl fmt::Display for Interrupted {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("interrupted before anything was found: there is no plan yet")
    }
}

impl std::error::Error for Interrupted {}

/// An error as `--json` prints it.
#[derive(Serialize)]
struct ErrorJson<'a> {
    error: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    causes: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    problems: Vec<ProblemJson<'a>>,
    exit_code: u8,
}

#[derive(Serialize)]
struct ProblemJson<'a> {
    file: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    line: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    column: Option<usize>,
    field: &'a str,
    what: &'a str,
    remedy: &'a str,
}

/// Prints an error on standard error, and says with which code to exit.
pub(crate) fn report(error: &anyhow::Error, json: bool) -> u8 {
    let exit_code = match error {
        error if error.is::<Usage>() => USAGE,
        error if error.is::<Interrupted>() => INTERRUPTED,
        _ => ERROR,
    };
    let text = if json { as_json(error, exit_code) } else { as_text(error) };
    output::to_stderr(&text);
    exit_code
}

fn as_text(error: &anyhow::Error) -> String {
    if let Some(problems) = error.downcast_ref::<Problems>() {
        return format!("{problems}\n");
    }
    let mut text = format!("error: {error}\n");
    for cause in error.chain().skip(1) {
        text.push_str("  because: ");
        text.push_str(&cause.to_string());
        text.push('\n');
    }
    text
}

fn as_json(error: &anyhow::Error, exit_code: u8) -> String {
    let problems = error.downcast_ref::<Problems>();
    let table = error.downcast_ref::<tearline_population::Error>();
    let json = ErrorJson {
        error: problems.map_or_else(|| error.to_string(), count),
        causes: error.chain().skip(1).map(ToString::to_string).collect(),
        problems: problems.into_iter().flatten().map(of_report).chain(table.map(of_table)).collect(),
        exit_code,
    };
    output::json(&json)
}

fn of_report(problem: &Problem) -> ProblemJson<'_> {
    ProblemJson {
        file: &problem.file,
        line: u64::try_from(problem.line).ok(),
        column: Some(problem.column),
        field: &problem.field,
        what: &problem.what,
        remedy: &problem.remedy,
    }
}

fn of_table(error: &tearline_population::Error) -> ProblemJson<'_> {
    ProblemJson {
        file: &error.place,
        line: error.line,
        column: None,
        field: &error.field,
        what: &error.what,
        remedy: &error.remedy,
    }
}

fn count(problems: &Problems) -> String {
    match problems.iter().count() + problems.omitted() {
        1 => "1 problem in the report".to_owned(),
        many => format!("{many} problems in the report"),
    }
}
