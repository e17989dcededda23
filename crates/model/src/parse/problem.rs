//! What is wrong with a report file, where, and what to do about it.

use std::fmt;

/// One thing that is wrong. Everything in it may be shown to the one who wrote the file; it never holds a row of
/// a population.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The file, as named by the caller.
    pub file: String,
    /// Line, counted from 1.
    pub line: usize,
    /// Column in characters, counted from 1.
    pub column: usize,
    /// The field, as a dotted path whose list positions count from 1: `detail.where.level[2].known_to`. Empty
    /// when the file could not be read as TOML at all.
    pub field: String,
    /// What was found, and what was expected; a sentence without its full stop.
    pub what: String,
    /// What to do; one or two sentences.
    pub remedy: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}:{}: ", self.file, self.line)?;
        if !self.field.is_empty() {
            write!(out, "{}: ", self.field)?;
        }
        write!(out, "{}. {}", self.what, self.remedy)
    }
}

/// Everything that is wrong with a report file, in the order of the file; never empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problems {
    list: Vec<Problem>,
    omitted: usize,
}

impl Problems {
    /// Most problems that are kept; the rest are only counted.
    pub const MOST: usize = 100;

    /// Sorts the list; `more` were found beyond it.
    pub(super) fn new(mut list: Vec<Problem>, more: usize) -> Self {
        list.sort_by_key(|problem| (problem.line, problem.column));
        list.dedup();
        let omitted = list.len().saturating_sub(Self::MOST) + more;
        list.truncate(Self::MOST);
        Self { list, omitted }
    }

    /// The problems that were kept.
    pub fn iter(&self) -> std::slice::Iter<'_, Problem> {
        self.list.iter()
    }

    /// How many were found beyond [`Problems::MOST`].
    pub fn omitted(&self) -> usize {
        self.omitted
    }
}

impl<'a> IntoIterator for &'a Problems {
    type Item = &'a Problem;
    type IntoIter = std::slice::Iter<'a, Problem>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl fmt::Display for Problems {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, problem) in self.list.iter().enumerate() {
            if index > 0 {
                out.write_str("\n\n")?;
            }
            write!(out, "{problem}")?;
        }
        if self.omitted > 0 {
            write!(out, "\n\nand {} more", self.omitted)?;
        }
        Ok(())
    }
}

impl std::error::Error for Problems {}
