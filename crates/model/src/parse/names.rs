//! Names that the writer of a report gives to its parts, and references to them.

use std::collections::HashMap;

use super::limits;
use super::reader::{Item, is_unprintable, nearest, quoted};

/// The names of one kind of part, in the order of the file.
pub(super) struct Names {
    /// What they name, singular: `source`.
    kind: &'static str,
    list: Vec<String>,
    index: HashMap<String, usize>,
}

impl Names {
    /// Takes the names, and reports those that cannot serve as one.
    pub(super) fn new(kind: &'static str, entries: &[(String, Item<'_>)]) -> Self {
        let mut index = HashMap::new();
        let mut folded = HashMap::<String, &str>::new();
        for (position, (name, item)) in entries.iter().enumerate() {
            index.insert(name.clone(), position);
            if name.trim().is_empty() || name.trim() != name || name.contains(is_unprintable) {
                item.problem(
                    format!(
                        "the name {} is empty, or has spaces at its ends or invisible characters",
                        quoted(name)
                    ),
                    "Choose a plain word.",
                );
            } else if name.chars().nth(limits::NAME_CHARS).is_some() {
                item.problem(
                    format!("the name is longer than {} characters", limits::NAME_CHARS),
                    "Shorten it.",
                );
            } else if let Some(other) = folded.insert(name.to_lowercase(), name) {
                item.problem(
                    format!("the {kind}s {} and {} differ only in capitals", quoted(other), quoted(name)),
                    "Rename one of them.",
                );
            }
        }
        Self { kind, list: entries.iter().map(|(name, _)| name.clone()).collect(), index }
    }

    /// Names that are not written in the file.
    pub(super) fn implicit(kind: &'static str, name: &str) -> Self {
        Self { kind, list: vec![name.to_owned()], index: HashMap::new() }
    }

    pub(super) fn len(&self) -> usize {
        self.list.len()
    }

    pub(super) fn name(&self, index: usize) -> &str {
        &self.list[index]
    }

    /// Looks a name up, and reports when there is no such part.
    pub(super) fn find(&self, name: &str, at: &Item<'_>) -> Option<usize> {
        let found = self.index.get(name).copied();
        if found.is_none() {
            let kind = self.kind;
            let remedy = match nearest(name, self.index.keys().map(String::as_str)) {
                Some(like) => format!("Did you mean {}?", quoted(like)),
                None if self.index.is_empty() => {
                    format!("This report declares no {kind}: add [{kind}.NAME].")
                }
                None => format!("Declare it under [{kind}.NAME], or use one of the declared {kind}s."),
            };
            at.problem(format!("there is no {kind} {}", quoted(name)), remedy);
        }
        found
    }

    /// A reference.
    pub(super) fn one(&self, item: &Item<'_>) -> Option<usize> {
        self.find(item.string(&format!("the name of one {} in quotes", self.kind))?, item)
    }

    /// A list of references (or a single one), in index order, without repetition.
    pub(super) fn many(&self, item: &Item<'_>) -> Option<Vec<usize>> {
        let items = item.list_or_one(self.len().max(1))?;
        let found: Vec<Option<usize>> = items.iter().map(|item| self.one(item)).collect();
        let mut found = found.into_iter().collect::<Option<Vec<usize>>>()?;
        found.sort_unstable();
        found.dedup();
        Some(found)
    }

    /// A list of at least one reference; all of them when there is no such field.
    pub(super) fn many_or_all(&self, item: Option<&Item<'_>>) -> Option<Vec<usize>> {
        let Some(item) = item else { return Some((0..self.len()).collect()) };
        let found = self.many(item)?;
        if found.is_empty() {
            item.problem(
                format!("the list names no {}", self.kind),
                format!("Name at least one {}, or remove the line: that means all of them.", self.kind),
            );
            return None;
        }
        Some(found)
    }
}
