//! Typed access to a TOML document that knows, for every value, its line and its dotted path.
//!
//! Reading never stops at the first mistake: an accessor that cannot give what was asked notes a [`Problem`] and
//! returns `None`. A field that may be left out and is wrong then looks as if it were left out: the report is refused
//! anyway, because a problem has been noted.

use std::borrow::Cow;
use std::cell::{Cell, RefCell};

use toml::Spanned;
use toml::de::{DeArray, DeTable, DeValue};

use super::limits;
use super::problem::{Problem, Problems};

/// The file's text, and the problems found so far.
pub(super) struct Reader<'a> {
    file: &'a str,
    text: &'a str,
    line_starts: Vec<usize>,
    problems: RefCell<Vec<Problem>>,
    /// Problems beyond [`ENOUGH`]: a file of a million mistakes is not worth a million messages.
    beyond: Cell<usize>,
}

/// Problems that are kept, of which the first by line are reported.
const ENOUGH: usize = 10_000;

impl<'a> Reader<'a> {
    pub(super) fn new(file: &'a str, text: &'a str) -> Self {
        let line_starts = std::iter::once(0)
            .chain(text.bytes().enumerate().filter(|b| b.1 == b'\n').map(|b| b.0 + 1))
            .collect();
        Self { file, text, line_starts, problems: RefCell::default(), beyond: Cell::new(0) }
    }

    /// Notes a problem at a byte offset.
    pub(super) fn problem(&self, at: usize, field: &str, what: impl Into<String>, remedy: impl Into<String>) {
        if self.is_full() {
            self.beyond.set(self.beyond.get() + 1);
            return;
        }
        let mut at = at.min(self.text.len());
        while !self.text.is_char_boundary(at) {
            at -= 1;
        }
        let line = self.line(at);
        let start = self.line_starts[line - 1];
        // A line of many megabytes would make counting its characters for every problem quadratic.
        let column = if at - start < 10_000 { self.text[start..at].chars().count() } else { at - start };
        self.problems.borrow_mut().push(Problem {
            file: self.file.to_owned(),
            line,
            column: column + 1,
            field: field.to_owned(),
            what: what.into(),
            remedy: remedy.into(),
        });
    }

    /// The line of a byte offset, from 1.
    pub(super) fn line(&self, at: usize) -> usize {
        self.line_starts.partition_point(|&start| start <= at)
    }

    pub(super) fn is_clean(&self) -> bool {
        self.problems.borrow().is_empty()
    }

    /// Whether there are so many problems that more of them are only counted.
    fn is_full(&self) -> bool {
        self.problems.borrow().len() >= ENOUGH
    }

    /// What was found, in the order of the file.
    pub(super) fn into_problems(self) -> Problems {
        Problems::new(self.problems.into_inner(), self.beyond.get())
    }
}

/// One value of the document.
#[derive(Clone)]
pub(super) struct Item<'a> {
    pub(super) reader: &'a Reader<'a>,
    /// Dotted path.
    pub(super) path: String,
    /// Byte offset to point at.
    pub(super) at: usize,
    value: &'a DeValue<'a>,
}

impl<'a> Item<'a> {
    /// Notes a problem with this value.
    pub(super) fn problem(&self, what: impl Into<String>, remedy: impl Into<String>) {
        self.reader.problem(self.at, &self.path, what, remedy);
    }

    /// Notes that something else was expected.
    pub(super) fn expected(&self, what: &str, remedy: impl Into<String>) {
        self.problem(format!("expected {what}, found {}", self.found()), remedy);
    }

    pub(super) fn value(&self) -> &'a DeValue<'a> {
        self.value
    }

    /// What the value is, for a message: short values as they are, others by their kind.
    fn found(&self) -> String {
        match self.value {
            DeValue::String(text) => quoted(text),
            DeValue::Integer(number) => format!("the number {}", abridged(&number.to_string())),
            DeValue::Float(number) => format!("the number {}", abridged(number.as_str())),
            DeValue::Boolean(value) => format!("{value}"),
            DeValue::Datetime(value) => format!("the date or time {value}"),
            DeValue::Array(items) => format!("a list of {}", items.len()),
            DeValue::Table(_) => "a table".to_owned(),
        }
    }

    /// Text for a reader: not empty, no control characters but line ends and tabs, of limited length.
    pub(super) fn text(&self) -> Option<String> {
        let text = self.string("text in quotes")?;
        self.check_text(text, limits::TEXT_CHARS).then(|| text.to_owned())
    }

    /// A string as it stands.
    pub(super) fn string(&self, expected: &str) -> Option<&'a str> {
        let found = self.value.as_str();
        if found.is_none() {
            self.expected(expected, "Put it in double quotes.");
        }
        found
    }

    fn check_text(&self, text: &str, most: usize) -> bool {
        if text.trim().is_empty() {
            self.problem("the text is empty", "Write what it should say, or remove the line.");
        } else if text.chars().nth(most).is_some() {
            self.problem(format!("the text is longer than {most} characters"), "Shorten it.");
        } else if let Some(bad) = text.chars().find(|&c| is_unprintable(c) && c != '\n' && c != '\t') {
            self.problem(
                format!("the text holds the invisible character {}", bad.escape_unicode()),
                "Type it again without pasting.",
            );
        } else {
            return true;
        }
        false
    }

    /// An SQL expression: not empty, of limited length, without a zero byte.
    pub(super) fn sql(&self) -> Option<crate::report::Sql> {
        let text = self.string("an SQL expression in quotes")?;
        if text.trim().is_empty() {
            self.problem("the SQL expression is empty", "Write an expression over the population's columns.");
        } else if text.chars().nth(limits::SQL_CHARS).is_some() {
            self.problem(
                format!("the SQL expression is longer than {} characters", limits::SQL_CHARS),
                "Add a column to the table that holds its result, and name that column here.",
            );
        } else if text.contains('\0') {
            self.problem("the SQL expression holds a zero byte", "Remove it.");
        } else {
            return Some(crate::report::Sql(text.to_owned()));
        }
        None
    }

    pub(super) fn boolean(&self) -> Option<bool> {
        let found = self.value.as_bool();
        if found.is_none() {
            self.expected("true or false", "Write true or false, without quotes.");
        }
        found
    }

    /// A whole number within `least..=most`.
    pub(super) fn integer(&self, least: i64, most: i64) -> Option<i64> {
        let found = self.as_integer().filter(|number| (least..=most).contains(number));
        if found.is_none() {
            let range = if most == i64::MAX {
                format!("a whole number, {least} or more")
            } else {
                format!("a whole number from {least} to {most}")
            };
            self.expected(&range, "Write such a number, without quotes.");
        }
        found
    }

    /// [`Item::integer`] from 0 or more.
    pub(super) fn count(&self, least: u32, most: i64) -> Option<u64> {
        self.integer(i64::from(least), most).and_then(|number| u64::try_from(number).ok())
    }

    pub(super) fn as_integer(&self) -> Option<i64> {
        let DeValue::Integer(number) = self.value else { return None };
        i64::from_str_radix(number.as_str(), number.radix()).ok()
    }

    /// A finite number, whole or decimal.
    pub(super) fn as_number(&self) -> Option<f64> {
        let number = match self.value {
            #[expect(clippy::cast_precision_loss, reason = "callers bound the number below 2^53")]
            DeValue::Integer(_) => self.as_integer()? as f64,
            DeValue::Float(number) => number.as_str().parse().ok()?,
            _ => return None,
        };
        number.is_finite().then_some(number)
    }

    /// A finite number within `least..=most`.
    pub(super) fn number(&self, least: f64, most: f64) -> Option<f64> {
        let found = self.as_number().filter(|number| (least..=most).contains(number));
        if found.is_none() {
            self.expected(
                &format!("a number from {least} to {most}"),
                "Write such a number, without quotes.",
            );
        }
        found
    }

    /// A list of at most `most` entries.
    pub(super) fn list(&self, most: usize, expected: &str) -> Option<Vec<Self>> {
        let DeValue::Array(items) = self.value else {
            self.expected(expected, "Put it in square brackets.");
            return None;
        };
        self.entries(items, most)
    }

    /// A list, or a single value in place of a list of one.
    pub(super) fn list_or_one(&self, most: usize) -> Option<Vec<Self>> {
        match self.value {
            DeValue::Array(items) => self.entries(items, most),
            _ => Some(vec![self.clone()]),
        }
    }

    fn entries(&self, items: &'a DeArray<'a>, most: usize) -> Option<Vec<Self>> {
        if items.len() > most {
            self.problem(
                format!("{} entries where at most {most} are allowed", items.len()),
                "Shorten the list, or split the report.",
            );
            return None;
        }
        let entry = |(index, item): (usize, &'a Spanned<DeValue<'a>>)| Self {
            reader: self.reader,
            path: format!("{}[{}]", self.path, index + 1),
            at: item.span().start,
            value: item.get_ref(),
        };
        Some(items.iter().enumerate().map(entry).collect())
    }

    pub(super) fn section(&self, expected: &str) -> Option<Section<'a>> {
        let DeValue::Table(table) = self.value else {
            self.expected(expected, "See docs/formats/report.md for its form.");
            return None;
        };
        Some(Section {
            reader: self.reader,
            path: self.path.clone(),
            at: self.at,
            table,
            known: RefCell::default(),
        })
    }

    pub(super) fn is_text(&self) -> bool {
        matches!(self.value, DeValue::String(_))
    }

    pub(super) fn is_table(&self) -> bool {
        matches!(self.value, DeValue::Table(_))
    }

    /// A table whose keys are names chosen by the writer.
    pub(super) fn named(&self, expected: &str) -> Option<Vec<(String, Self)>> {
        Some(self.section(expected)?.named())
    }
}

/// A table with fixed keys. Remembers which keys were asked for, so that the others can be reported.
pub(super) struct Section<'a> {
    pub(super) reader: &'a Reader<'a>,
    pub(super) path: String,
    pub(super) at: usize,
    table: &'a DeTable<'a>,
    known: RefCell<Vec<&'static str>>,
}

impl<'a> Section<'a> {
    pub(super) fn root(reader: &'a Reader<'a>, table: &'a DeTable<'a>) -> Self {
        Self { reader, path: String::new(), at: 0, table, known: RefCell::default() }
    }

    /// The value of an optional key.
    pub(super) fn get(&self, key: &'static str) -> Option<Item<'a>> {
        self.known.borrow_mut().push(key);
        let (found, value) = self.table.get_key_value(key)?;
        Some(self.item(key, found.span().start, value))
    }

    /// The value of a key that must be there.
    pub(super) fn need(&self, key: &'static str, remedy: &str) -> Option<Item<'a>> {
        let item = self.get(key);
        if item.is_none() {
            self.reader.problem(self.at, &self.join(key), "missing", remedy);
        }
        item
    }

    /// Notes a problem with a field of this table that is not there.
    pub(super) fn problem(&self, key: &str, what: impl Into<String>, remedy: impl Into<String>) {
        self.reader.problem(self.at, &self.join(key), what, remedy);
    }

    fn item(&self, key: &str, key_at: usize, value: &'a Spanned<DeValue<'a>>) -> Item<'a> {
        // A table's own span is that of its last header or brace; its key is where a reader looks.
        let at = if value.get_ref().is_table() { key_at } else { value.span().start };
        Item { reader: self.reader, path: self.join(key), at, value: value.get_ref() }
    }

    fn join(&self, key: &str) -> String {
        let plain =
            !key.is_empty() && key.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-');
        let key = if plain { abridged(key) } else { Cow::Owned(quoted(key)) };
        if self.path.is_empty() || key.is_empty() {
            format!("{}{key}", self.path)
        } else {
            format!("{}.{key}", self.path)
        }
    }

    /// All entries in the order of the file.
    fn named(&self) -> Vec<(String, Item<'a>)> {
        let mut entries: Vec<_> = self.table.iter().collect();
        entries.sort_by_key(|(key, _)| key.span().start);
        entries
            .into_iter()
            .map(|(key, value)| {
                (key.get_ref().to_string(), self.item(key.get_ref(), key.span().start, value))
            })
            .collect()
    }

    /// Reports the keys that nobody asked for.
    pub(super) fn close(self) {
        let known = self.known.borrow();
        for (key, item) in self.named() {
            if known.iter().any(|k| *k == key) {
                continue;
            }
            if self.reader.is_full() {
                self.reader.beyond.set(self.reader.beyond.get() + 1);
                continue;
            }
            let remedy = match nearest(&key, known.iter().copied()) {
                Some(like) => format!("Did you mean \"{like}\"?"),
                None => format!("Known here: {}.", known.join(", ")),
            };
            item.problem("unknown key", remedy);
        }
    }
}

/// The candidate that a mistyped word most likely stands for.
pub(super) fn nearest<'c>(word: &str, candidates: impl Iterator<Item = &'c str>) -> Option<&'c str> {
    if word.len() > 200 {
        return None;
    }
    let lower = word.to_lowercase().replace('-', "_");
    candidates
        .map(|candidate| (strsim::damerau_levenshtein(&lower, &candidate.to_lowercase()), candidate))
        .filter(|&(distance, candidate)| {
            distance <= (candidate.len() / 3).clamp(usize::from(candidate.len() > 1), 4)
        })
        .min_by_key(|&(distance, _)| distance)
        .map(|(_, candidate)| candidate)
}

/// A string in quotes, for a message: shortened, with invisible characters escaped.
pub(super) fn quoted(text: &str) -> String {
    let mut shown = String::from("\"");
    for c in abridged(text).chars() {
        if is_unprintable(c) {
            shown.extend(c.escape_unicode());
        } else {
            shown.push(c);
        }
    }
    shown.push('"');
    shown
}

fn abridged(text: &str) -> Cow<'_, str> {
    match text.char_indices().nth(60) {
        Some((end, _)) => Cow::Owned(format!("{}…", &text[..end])),
        None => Cow::Borrowed(text),
    }
}

/// Control characters and those that reorder a line of text (UAX #9): both can make a terminal or a reader see
/// something else than what is there.
pub(super) fn is_unprintable(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}' | '\u{2028}' | '\u{2029}')
}
