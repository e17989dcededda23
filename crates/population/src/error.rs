//! What can go wrong with a population, where, and what to do about it.

use std::fmt;

/// What kind of thing went wrong: for programs and tests; people read the message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The cancel flag was set.
    Cancelled,
    /// The table or file does not exist.
    Missing,
    /// The table or file could not be read.
    Unreadable,
    /// The table changed while it was read.
    Changed,
    /// There are no candidates.
    Empty,
    /// A name is no column.
    UnknownColumn,
    /// Bad header: a name missing or twice.
    Header,
    /// A cell is not of its column's type.
    WrongType,
    /// A row has more or fewer fields than the header.
    Ragged,
    /// Bytes that are not UTF-8.
    NotUtf8,
    /// An expression uses something outside of the documented subset of SQL.
    Refused,
    /// The engine rejects an expression, or fails to evaluate it.
    Sql,
    /// An expression's value is neither yes/no nor a number from 0 to 1.
    NotProbability,
    /// A weight is not above zero, or too large.
    Weight,
    /// A count is not a whole number from 0 to 2^40, or their sum is too large.
    Count,
    /// An identifier is missing or comes twice.
    Id,
    /// A finer level is known with a greater probability than a coarser one.
    Widens,
    /// Nobody could have known a level.
    NobodyKnows,
    /// A domain's values contradict one another or the report.
    Domain,
    /// The engine is not part of this build.
    NotBuilt,
    /// A database cannot be reached, or refuses the user.
    Connection,
    /// A query took longer than allowed.
    Timeout,
}

/// One thing that is wrong with a population. Never holds the contents of a candidate's row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    /// What kind of thing.
    pub kind: Kind,
    /// The population's name, and its file or relation, or "typed rows"; no credentials.
    pub place: String,
    /// Line of the file or number of the typed row, counted from 1; a record's first line.
    pub line: Option<u64>,
    /// The field of the report that led here, such as `detail.where.level[2].known_to`; may be empty.
    pub field: String,
    /// What was found; a sentence without its full stop.
    pub what: String,
    /// What to do; one or two sentences.
    pub remedy: String,
}

impl fmt::Display for Error {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.kind == Kind::Cancelled {
            return out.write_str("cancelled");
        }
        out.write_str(&self.place)?;
        if let Some(line) = self.line {
            write!(out, ":{line}")?;
        }
        if !self.field.is_empty() {
            write!(out, ": {}", self.field)?;
        }
        write!(out, ": {}. {}", self.what, self.remedy)
    }
}

impl std::error::Error for Error {}

/// An error before it is known in which population it happened.
#[derive(Clone, Debug)]
pub(crate) struct Fault {
    pub(crate) kind: Kind,
    pub(crate) line: Option<u64>,
    pub(crate) field: String,
    pub(crate) what: String,
    pub(crate) remedy: String,
}

impl Fault {
    pub(crate) fn new(kind: Kind, what: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { kind, line: None, field: String::new(), what: what.into(), remedy: remedy.into() }
    }

    pub(crate) fn cancelled() -> Self {
        Self::new(Kind::Cancelled, "", "")
    }

    pub(crate) fn at(mut self, line: u64) -> Self {
        self.line = Some(line);
        self
    }

    pub(crate) fn field(mut self, field: &str) -> Self {
        field.clone_into(&mut self.field);
        self
    }

    pub(crate) fn of(self, population: &str, table: &str) -> Error {
        Error {
            kind: self.kind,
            place: format!("population \"{population}\": {table}"),
            line: self.line,
            field: self.field,
            what: self.what,
            remedy: self.remedy,
        }
    }
}

/// The name most like `name`, if one is near enough to be meant.
pub(crate) fn nearest<'a>(name: &str, names: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let name = name.to_lowercase();
    names
        .map(|candidate| (distance(&name, &candidate.to_lowercase()), candidate))
        .min_by_key(|(distance, _)| *distance)
        .filter(|(distance, _)| *distance <= 1 + name.chars().count() / 4)
        .map(|(_, candidate)| candidate)
}

/// Levenshtein's edit distance.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, ca) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, &cb) in b.iter().enumerate() {
            let replaced = diagonal + usize::from(ca != cb);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}
