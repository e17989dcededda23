//! The command from outside, and the repository as a whole: one test binary.

mod edges;
mod examples;
mod readme;
mod story;

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

/// The cases under `tests/cmd`: what is typed, and what comes back.
#[test]
fn every_case_answers_as_written() {
    trycmd::TestCases::new().case("tests/cmd/*.trycmd");
}

#[test]
fn parquet_is_read_where_it_is_built_in_and_the_error_says_so_where_not() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/parquet");
    let read = |command: &str, report: &Path| {
        tearline().arg(command).arg(report).output().expect("the command runs")
    };
    let parquet = read("plan", &folder.join("report.toml"));
    if cfg!(feature = "datafusion") {
        assert_eq!(text(&parquet.stderr), "");
        let csv = read("plan", &reports().join("several.toml"));
        assert_eq!(text(&parquet.stdout), text(&csv.stdout), "the same table as CSV gives the same plan");
        assert_eq!(read("check", &folder.join("report.toml")).status.code(), Some(0));
    } else {
        assert_eq!((parquet.status.code(), text(&parquet.stdout).as_str()), (Some(1), ""));
        let says = text(&parquet.stderr);
        assert!(says.contains("staff.parquet") && says.contains("--features datafusion"), "{says}");
    }
}

#[test]
fn a_reader_that_has_seen_enough_is_no_error() {
    let (reader, writer) = std::io::pipe().expect("a pipe");
    drop(reader);
    let ran = tearline().args(["plan", "report.toml"]).stdout(writer).stderr(Stdio::piped()).output();
    let ran = ran.expect("the command runs");
    assert_eq!((ran.status.code(), text(&ran.stderr).as_str()), (Some(0), ""));
}

#[test]
fn an_answer_that_cannot_be_written_is_an_error() {
    let full = std::fs::OpenOptions::new().write(true).open("/dev/full");
    let Ok(full) = full else { return };
    let ran = tearline().args(["plan", "report.toml"]).stdout(full).stderr(Stdio::piped()).output();
    let ran = ran.expect("the command runs");
    assert_eq!(ran.status.code(), Some(1));
    assert!(text(&ran.stderr).starts_with("error: the answer cannot be written to standard output\n"));
}

#[test]
fn what_if_starts_from_a_plan_and_finds_it_safe() {
    let folder = tempfile::tempdir().expect("a temporary directory");
    let plan = folder.path().join("plan.json");
    std::fs::write(&plan, run(&["plan", "report.toml", "--json"]).stdout).expect("written");
    let plan = plan.to_str().expect("a plain path");
    for audience in ["sector", "response"] {
        let same = run(&["what-if", "report.toml", "--audience", audience, "--plan", plan]);
        assert_eq!(same.status.code(), Some(0), "{}", text(&same.stdout));
    }
    // One level more than the plan is what the plan calls too much.
    let more = run(&["what-if", "report.toml", "--audience", "sector", "--plan", plan, "--set", "size=1"]);
    assert_eq!(more.status.code(), Some(3), "{}", text(&more.stdout));
    let other = run(&["what-if", "told.toml", "--audience", "public", "--plan", plan]);
    assert_eq!(other.status.code(), Some(2));
    assert!(text(&other.stderr).contains("is a plan of another report"), "{}", text(&other.stderr));
}

#[test]
fn the_plan_does_not_depend_on_threads_or_on_how_it_is_shown() {
    let one = run(&["plan", "report.toml", "--json", "--threads", "1"]);
    let two = run(&["plan", "report.toml", "--json", "--threads", "2", "--color", "always"]);
    assert_eq!(text(&one.stdout), text(&two.stdout));
    let plain = run(&["plan", "report.toml"]);
    let coloured = run(&["plan", "report.toml", "--color", "always"]);
    assert!(!text(&plain.stdout).contains('\x1b'));
    assert!(text(&coloured.stdout).contains("\x1b[1m"));
    assert_eq!(without_colour(&text(&coloured.stdout)), text(&plain.stdout));
}

#[test]
fn the_manual_has_a_page_for_every_subcommand_and_scripts_complete_them() {
    let folder = tempfile::tempdir().expect("a temporary directory");
    let ran = run(&["man", folder.path().to_str().expect("a plain path")]);
    assert_eq!(ran.status.code(), Some(0), "{}", text(&ran.stderr));
    for subcommand in ["", "-plan", "-policy", "-what-if", "-check", "-completions", "-man"] {
        let page = std::fs::read_to_string(folder.path().join(format!("tearline{subcommand}.1")));
        assert!(page.expect("a page").contains(&format!("tearline{subcommand}").replace('-', "\\-")));
    }
    for shell in ["bash", "zsh", "fish"] {
        assert!(text(&run(&["completions", shell]).stdout).contains("what-if"));
    }
}

fn tearline() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tearline"));
    command.current_dir(reports());
    command
}

fn run(args: &[&str]) -> Output {
    tearline().args(args).output().expect("the command runs")
}

fn reports() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cmd/plan.in")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).expect("UTF-8")
}

fn without_colour(text: &str) -> String {
    let mut parts = text.split("\x1b[");
    let first = parts.next().unwrap_or_default();
    let rest = parts.filter_map(|part| part.split_once('m').map(|(_, text)| text));
    [first].into_iter().chain(rest).collect()
}
