//! Some rows of a table, as the bytes of their wanted fields.

use tearline_model::report::Cell;

use crate::values::{ColumnKind, Datum, read};

/// How the fields of a chunk are to be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Encoding {
    /// As they stand in a CSV file: empty is null.
    Csv,
    /// A typed cell behind a letter for its type (see [`encode`]).
    Typed,
}

/// Rows with the line each begins at.
#[derive(Debug, Default)]
pub(crate) struct Chunk {
    lines: Vec<u64>,
    bytes: Vec<u8>,
    /// Where each field ends, row by row.
    ends: Vec<usize>,
    width: usize,
}

impl Chunk {
    pub(crate) fn new(width: usize) -> Self {
        Self { width, ..Self::default() }
    }

    pub(crate) fn rows(&self) -> usize {
        self.lines.len()
    }

    pub(crate) fn line(&self, row: usize) -> u64 {
        self.lines[row]
    }

    pub(crate) fn push<'f>(&mut self, line: u64, fields: impl Iterator<Item = &'f [u8]>) {
        self.lines.push(line);
        for field in fields {
            self.bytes.extend_from_slice(field);
            self.ends.push(self.bytes.len());
        }
    }

    /// A field by row and by position among the wanted columns.
    pub(crate) fn field(&self, row: usize, position: usize) -> &[u8] {
        let at = row * self.width + position;
        let start = if at == 0 { 0 } else { self.ends[at - 1] };
        &self.bytes[start..self.ends[at]]
    }
}

/// A typed cell as a field.
pub(crate) fn encode(cell: &Cell) -> Vec<u8> {
    match cell {
        Cell::Null => Vec::new(),
        Cell::Integer(number) => format!("I{number}").into_bytes(),
        Cell::Real(number) => format!("R{number:?}").into_bytes(),
        Cell::Text(text) => format!("T{text}").into_bytes(),
        Cell::Boolean(value) => format!("I{}", i32::from(*value)).into_bytes(),
    }
}

/// Reads a field; `None` if it is not of its column's type.
pub(crate) fn decode(field: &[u8], encoding: Encoding, kind: ColumnKind) -> Option<Datum<'_>> {
    let text = std::str::from_utf8(field).ok()?;
    match encoding {
        Encoding::Csv => read(text, kind),
        Encoding::Typed => match text.split_at_checked(1) {
            None => Some(Datum::Null),
            Some(("I", number)) => number.parse().ok().map(Datum::Integer),
            Some(("R", number)) => number.parse().ok().map(Datum::Real),
            Some((_, text)) => Some(Datum::Text(text)),
        },
    }
}
