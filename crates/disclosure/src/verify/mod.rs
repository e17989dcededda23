//! Verification: every check by name, with its result and what it means for the reader.
//!
//! Nothing here needs a network or any state: what the reader trusts comes in as public keys. A check that cannot be
//! made with what the reader gave says so and what is missing; it never counts as passed.

mod answer;
mod case;
mod release;
mod ring;
mod together;

pub use answer::{AnswerView, answer};
pub use case::{CaseView, case, determination_payload};
pub use release::{PUBLIC, ReleaseView, release};
pub use ring::{Place, Ring};
pub use together::{Relation, relations};

use crate::identity::PublicKeys;
use serde::Serialize;

/// How a check ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// It holds.
    Holds,
    /// It does not hold.
    Fails,
    /// It could not be made with what the reader gave.
    Open,
}

/// One check.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Check {
    /// Its name: one word, always the same.
    pub name: &'static str,
    /// How it ended.
    pub outcome: Outcome,
    /// What was found and what it means.
    pub what: String,
}

/// The checks of one file, in the order in which they were made.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Checks(pub Vec<Check>);

impl Checks {
    fn add(&mut self, name: &'static str, outcome: Outcome, what: impl Into<String>) {
        self.0.push(Check { name, outcome, what: what.into() });
    }

    fn holds(&mut self, name: &'static str, what: impl Into<String>) {
        self.add(name, Outcome::Holds, what);
    }

    fn fails(&mut self, name: &'static str, what: impl Into<String>) {
        self.add(name, Outcome::Fails, what);
    }

    fn open(&mut self, name: &'static str, what: impl Into<String>) {
        self.add(name, Outcome::Open, what);
    }

    /// The first check that failed.
    pub fn failed(&self) -> Option<&Check> {
        self.0.iter().find(|check| check.outcome == Outcome::Fails)
    }

    /// Whether no check failed.
    pub fn none_failed(&self) -> bool {
        self.failed().is_none()
    }

    /// The outcome of the check with a name, if it was made.
    pub fn outcome(&self, name: &str) -> Option<Outcome> {
        self.0.iter().find(|check| check.name == name).map(|check| check.outcome)
    }
}

/// What the reader trusts, and who the reader is.
#[derive(Clone, Debug, Default)]
pub struct Trust {
    /// Public keys that the reader was handed: of originators, recipients and witnesses.
    pub keys: Vec<PublicKeys>,
    /// The reader's own name, where a release should be addressed to it.
    pub own: Option<String>,
}

impl Trust {
    /// The public keys that were handed over for a name.
    pub fn of(&self, name: &str) -> Option<&PublicKeys> {
        self.keys.iter().find(|keys| keys.name == name)
    }
}
