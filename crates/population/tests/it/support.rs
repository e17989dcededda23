//! Reports written as TOML, tables in a folder of the test's own.

use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

use tearline_model::candidates::Candidates;
use tearline_model::report::Report;
use tearline_model::worlds::Worlds;
use tearline_population::{Error, Kind, Options};

/// A report around some details: one population `people`, one audience, one protection unless given.
pub(crate) fn report(body: &str) -> Report {
    let mut text = String::from("tearline = 1\nid = \"t\"\ntitle = \"t\"\noriginator = \"t\"\n");
    text += body;
    if !body.contains("[[protection]]") {
        text += "\n[[protection]]\nk = 2\n";
    }
    text += "\n[audience.public]\npublic = true\n";
    tearline_model::parse::parse(text.as_bytes(), "report.toml")
        .unwrap_or_else(|problems| panic!("{problems}"))
}

/// A detail with one predicate per level.
pub(crate) fn detail(name: &str, predicates: &[&str]) -> String {
    let mut text = format!("[detail.{name}]\nsame_for_any_value = true\n");
    for (level, predicate) in predicates.iter().enumerate() {
        text +=
            &format!("[[detail.{name}.level]]\ntext = \"{name} {level}\"\nknown_to = '''{predicate}'''\n");
    }
    text
}

/// A population of which `lines` are the CSV file, and the details.
pub(crate) struct Case {
    pub(crate) folder: tempfile::TempDir,
    pub(crate) report: Report,
}

impl Case {
    pub(crate) fn new(csv: impl AsRef<[u8]>, population: &str, details: &str) -> Self {
        let folder = tempfile::tempdir().expect("a folder for the test");
        std::fs::write(folder.path().join("people.csv"), csv).expect("the folder can be written");
        let text = format!("[population.people]\ntable = \"people.csv\"\n{population}\n{details}");
        Self { folder, report: report(&text) }
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.folder.path().join("people.csv")
    }

    pub(crate) fn candidates(&self) -> Result<Candidates, Error> {
        candidates(&self.report, self.folder.path())
    }

    pub(crate) fn worlds(&self) -> Result<Worlds, Error> {
        with(self.folder.path(), 2, |options| tearline_population::worlds(&self.report, 0, options))
    }

    pub(crate) fn both(&self) -> Result<(Candidates, Worlds), Error> {
        with(self.folder.path(), 2, |options| {
            tearline_population::candidates_and_worlds(&self.report, 0, options)
        })
    }

    pub(crate) fn check(&self) -> Result<(), Error> {
        with(self.folder.path(), 2, |options| tearline_population::check(&self.report, 0, options))
    }

    /// The error's kind and its whole message.
    pub(crate) fn fails(&self) -> (Kind, String) {
        let error = self.candidates().expect_err("the case is made to fail");
        (error.kind, error.to_string())
    }
}

pub(crate) fn candidates(report: &Report, base: &Path) -> Result<Candidates, Error> {
    with(base, 2, |options| tearline_population::candidates(report, 0, options))
}

pub(crate) fn with<T>(base: &Path, threads: usize, run: impl FnOnce(&Options<'_>) -> T) -> T {
    run(&Options { base, progress: &|_| {}, cancel: &AtomicBool::new(false), threads })
}

/// Asserts that an error has a kind and that its message says all of these.
#[track_caller]
pub(crate) fn says(error: &(Kind, String), kind: Kind, words: &[&str]) {
    assert_eq!(error.0, kind, "{}", error.1);
    for word in words {
        assert!(error.1.contains(word), "{:?} is not in: {}", word, error.1);
    }
}
