//! Values of columns and expressions: types, and one text for each value on every engine.

use tearline_model::report::{Cell, ColumnType};

/// The type of a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ColumnKind {
    Integer,
    Real,
    Text,
    Boolean,
    /// A type of the database's own; nothing is done for it.
    #[cfg_attr(
        not(any(feature = "postgres", feature = "datafusion")),
        expect(dead_code, reason = "files only")
    )]
    Other,
}

impl ColumnKind {
    pub(crate) fn noun(self) -> &'static str {
        match self {
            Self::Integer => "a whole number",
            Self::Real => "a number",
            Self::Text | Self::Other => "text",
            Self::Boolean => "true or false",
        }
    }
}

impl From<ColumnType> for ColumnKind {
    fn from(declared: ColumnType) -> Self {
        match declared {
            ColumnType::Integer => Self::Integer,
            ColumnType::Real => Self::Real,
            ColumnType::Text => Self::Text,
            ColumnType::Boolean => Self::Boolean,
        }
    }
}

/// A cell read as its column's type.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Datum<'a> {
    Null,
    Integer(i64),
    Real(f64),
    Text(&'a str),
}

/// Reads a CSV field as its column's type; empty is null. `None` if it is of another type.
pub(crate) fn read(field: &str, kind: ColumnKind) -> Option<Datum<'_>> {
    if field.is_empty() {
        return Some(Datum::Null);
    }
    match kind {
        ColumnKind::Integer => integer(field).map(Datum::Integer),
        ColumnKind::Real => real(field).map(Datum::Real),
        ColumnKind::Text | ColumnKind::Other => Some(Datum::Text(field)),
        ColumnKind::Boolean => boolean(field).map(|value| Datum::Integer(i64::from(value))),
    }
}

/// Digits with an optional minus. (Rust's own reader also takes a plus.)
pub(crate) fn integer(field: &str) -> Option<i64> {
    if field.starts_with('+') { None } else { field.parse().ok() }
}

fn real(field: &str) -> Option<f64> {
    let plain = field.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'-' | b'+' | b'.' | b'e' | b'E'));
    if !plain || field.starts_with('+') {
        return None;
    }
    field.parse().ok().filter(|number: &f64| number.is_finite())
}

fn boolean(field: &str) -> Option<bool> {
    match field.to_ascii_lowercase().as_str() {
        "true" | "t" | "yes" | "y" | "1" => Some(true),
        "false" | "f" | "no" | "n" | "0" => Some(false),
        _ => None,
    }
}

/// Guesses a column's type from some of its fields: the narrowest of integer, real and text that holds them all.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Guess {
    kind: ColumnKind,
    seen: bool,
}

impl Guess {
    pub(crate) fn new() -> Self {
        Self { kind: ColumnKind::Integer, seen: false }
    }

    pub(crate) fn see(&mut self, field: &str) {
        if field.is_empty() || self.kind == ColumnKind::Text {
            return;
        }
        self.seen = true;
        let digits = field.strip_prefix('-').unwrap_or(field);
        // 007 is a code, not a number.
        let padded = digits.len() > 1 && digits.starts_with('0') && !digits.starts_with("0.");
        if padded || real(field).is_none() {
            self.kind = ColumnKind::Text;
        } else if integer(field).is_none() {
            self.kind = ColumnKind::Real;
        }
    }

    /// A column without any value is text.
    pub(crate) fn kind(self) -> ColumnKind {
        if self.seen { self.kind } else { ColumnKind::Text }
    }
}

/// The text that stands for a number: whole numbers without a point, others as short as they can be read back.
pub(crate) fn number_text(number: f64) -> String {
    // Adding zero makes -0 a 0.
    (number + 0.0).to_string()
}

/// The text that stands for a key of the report when it is compared with a column's values. True is 1, false 0.
pub(crate) fn key_text(cell: &Cell) -> Option<String> {
    match cell {
        Cell::Null => None,
        Cell::Integer(number) => Some(number.to_string()),
        Cell::Real(number) => Some(number_text(*number)),
        Cell::Text(text) => Some(text.clone()),
        Cell::Boolean(value) => Some(i32::from(*value).to_string()),
    }
}

/// A probability in thousandths; `None` if it is none.
pub(crate) fn permille(probability: f64) -> Option<u32> {
    let thousandths = (probability * 1000.0 + 0.5).floor();
    // A sum of tenths may miss 1 by the last bit.
    if !(-1e-9..=1.0 + 1e-9).contains(&probability) {
        return None;
    }
    Some(small(thousandths))
}

/// The most a weight may be, in units.
pub(crate) const WEIGHT_MAX: f64 = 1e6;

/// A weight in thousandths; `None` unless it is from one thousandth to a million.
pub(crate) fn weight(units: f64) -> Option<u32> {
    if !(0.001..=WEIGHT_MAX).contains(&units) {
        return None;
    }
    Some(small((units * 1000.0 + 0.5).floor()))
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "callers checked: 0 to 10^9")]
fn small(number: f64) -> u32 {
    number.max(0.0) as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    fn guess(fields: &[&str]) -> ColumnKind {
        let mut guess = Guess::new();
        for field in fields {
            guess.see(field);
        }
        guess.kind()
    }

    #[test]
    fn the_narrowest_type_that_holds_all_fields_is_taken() {
        assert_eq!(guess(&["1", "", "-20", "0"]), ColumnKind::Integer);
        assert_eq!(guess(&["1", "0.5", "1e3"]), ColumnKind::Real);
        assert_eq!(guess(&["1", "007"]), ColumnKind::Text);
        assert_eq!(guess(&["+49"]), ColumnKind::Text);
        assert_eq!(guess(&["nan"]), ColumnKind::Text);
        assert_eq!(guess(&["99999999999999999999"]), ColumnKind::Real);
        assert_eq!(guess(&["", ""]), ColumnKind::Text);
    }

    #[test]
    fn equal_numbers_have_equal_texts() {
        assert_eq!(number_text(5.0), "5");
        assert_eq!(number_text(-0.0), "0");
        assert_eq!(number_text(0.1), "0.1");
    }

    #[test]
    fn probabilities_are_rounded_to_thousandths() {
        assert_eq!(permille(0.0004), Some(0));
        assert_eq!(permille(0.0005), Some(1));
        assert_eq!(permille(0.1 + 0.2 + 0.7), Some(1000));
        assert_eq!([permille(1.01), permille(-0.1), permille(f64::NAN)], [None; 3]);
    }
}
