//! CSV files as streams of chunks: header, types of columns, lines, and whether the file stood still.

use std::cell::Cell as Counter;
use std::fs::{File, Metadata};
use std::io::Read;
use std::path::Path;
use std::rc::Rc;

use tearline_model::report::ColumnType;

use crate::chunk::Chunk;
use crate::error::{Fault, Kind};
use crate::sql::{Column, find, unknown};
use crate::values::{ColumnKind, Guess};

/// Rows from which the types of undeclared columns are inferred.
const SAMPLE: usize = 10_000;

pub(crate) struct CsvFile {
    reader: csv::Reader<Counting>,
    before: Metadata,
    path: std::path::PathBuf,
    read: Rc<Counter<u64>>,
    pub(crate) columns: Vec<Column>,
    /// Rows read ahead for the types.
    sample: Vec<(u64, csv::ByteRecord)>,
    taken: usize,
    /// A fault met while reading ahead; it is due when its row is.
    fault: Option<Fault>,
}

/// Counts the bytes that were read.
struct Counting {
    file: File,
    read: Rc<Counter<u64>>,
}

impl Read for Counting {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let count = self.file.read(buffer)?;
        self.read.set(self.read.get() + count as u64);
        Ok(count)
    }
}

fn unreadable(error: &std::io::Error) -> Fault {
    let kind = if error.kind() == std::io::ErrorKind::NotFound { Kind::Missing } else { Kind::Unreadable };
    Fault::new(kind, format!("cannot be read: {error}"), "Paths are relative to the report file.")
}

impl CsvFile {
    pub(crate) fn open(path: &Path, declared: &[(String, ColumnType)]) -> Result<Self, Fault> {
        let file = File::open(path).map_err(|error| unreadable(&error))?;
        let before = file.metadata().map_err(|error| unreadable(&error))?;
        if before.is_dir() {
            return Err(Fault::new(Kind::Unreadable, "is a directory", "Name the CSV file in it."));
        }
        let read = Rc::new(Counter::new(0));
        let mut reader = csv::ReaderBuilder::new()
            .flexible(true)
            .buffer_capacity(1 << 18)
            .from_reader(Counting { file, read: Rc::clone(&read) });
        let header = reader.byte_headers().map_err(|error| broken(&error))?.clone();
        let names = header_names(&header)?;
        let columns = names.into_iter().map(|name| Column { name, kind: ColumnKind::Text }).collect();
        let path = path.to_owned();
        let mut file =
            Self { reader, before, path, read, columns, sample: Vec::new(), taken: 0, fault: None };
        file.infer();
        for (name, kind) in declared {
            let column = find(&file.columns, name)
                .ok_or_else(|| unknown(name, &file.columns).field("population.columns"))?;
            file.columns[column].kind = (*kind).into();
        }
        Ok(file)
    }

    fn infer(&mut self) {
        let mut guesses = vec![Guess::new(); self.columns.len()];
        while self.sample.len() < SAMPLE {
            let mut record = csv::ByteRecord::new();
            match self.read_record(&mut record) {
                Ok(None) => break,
                Ok(Some(line)) => {
                    for (guess, field) in guesses.iter_mut().zip(&record) {
                        guess.see(std::str::from_utf8(field).unwrap_or_default());
                    }
                    self.sample.push((line, record));
                }
                Err(fault) => {
                    self.fault = Some(fault);
                    break;
                }
            }
        }
        for (column, guess) in self.columns.iter_mut().zip(guesses) {
            column.kind = guess.kind();
        }
    }

    /// The next row and its line.
    fn read_record(&mut self, record: &mut csv::ByteRecord) -> Result<Option<u64>, Fault> {
        if !self.reader.read_byte_record(record).map_err(|error| broken(&error))? {
            return Ok(None);
        }
        let line = record.position().map_or(0, csv::Position::line);
        if record.len() != self.columns.len() {
            return Err(Fault::new(
                Kind::Ragged,
                format!("{} fields where the header has {}", record.len(), self.columns.len()),
                "Put fields that hold commas, quotes or line ends into double quotes, and double the quotes in them.",
            )
            .at(line));
        }
        if !record.as_slice().is_ascii() {
            for (field, column) in record.iter().zip(&self.columns) {
                if std::str::from_utf8(field).is_err() {
                    return Err(Fault::new(
                        Kind::NotUtf8,
                        format!("bytes that are not UTF-8 in the column \"{}\"", column.name),
                        "Save the file as UTF-8.",
                    )
                    .at(line));
                }
            }
        }
        Ok(Some(line))
    }

    /// Fills a chunk with at most `rows` rows of the wanted columns; false at the end of the file.
    pub(crate) fn fill(&mut self, chunk: &mut Chunk, wanted: &[usize], rows: usize) -> Result<bool, Fault> {
        let mut record = csv::ByteRecord::new();
        while chunk.rows() < rows {
            if self.taken < self.sample.len() {
                let (line, record) = std::mem::take(&mut self.sample[self.taken]);
                self.taken += 1;
                chunk.push(line, wanted.iter().map(|&column| &record[column]));
                continue;
            }
            if let Some(fault) = self.fault.take() {
                return Err(fault);
            }
            match self.read_record(&mut record)? {
                Some(line) => chunk.push(line, wanted.iter().map(|&column| &record[column])),
                None => return Ok(false),
            }
        }
        Ok(true)
    }

    /// Bytes read so far, and in all.
    pub(crate) fn progress(&self) -> (u64, u64) {
        (self.reader.position().byte(), self.before.len())
    }

    /// To be called at the end: whether the file is as it was at the start.
    pub(crate) fn check_unchanged(&self) -> Result<(), Fault> {
        let after = std::fs::metadata(&self.path).map_err(|error| unreadable(&error))?;
        let same_time = match (self.before.modified(), after.modified()) {
            (Ok(before), Ok(after)) => before == after,
            _ => true,
        };
        if !same_time || after.len() != self.before.len() || self.read.get() != self.before.len() {
            return Err(Fault::new(
                Kind::Changed,
                "the file changed while it was read",
                "Wait until it is written, or read a copy.",
            ));
        }
        Ok(())
    }
}

fn broken(error: &csv::Error) -> Fault {
    match error.kind() {
        csv::ErrorKind::Io(error) => unreadable(error),
        _ => Fault::new(Kind::Unreadable, format!("not CSV: {error}"), "Save it as CSV (RFC 4180) in UTF-8."),
    }
}

fn header_names(header: &csv::ByteRecord) -> Result<Vec<String>, Fault> {
    let wrong = |what: String, remedy: &str| Err(Fault::new(Kind::Header, what, remedy).at(1));
    if header.is_empty() {
        return Err(Fault::new(
            Kind::Empty,
            "the file is empty",
            "Write the columns' names into the first line, then a row for each candidate.",
        ));
    }
    let mut names = Vec::<String>::new();
    for (index, name) in header.iter().enumerate() {
        let Ok(name) = std::str::from_utf8(name) else {
            return Err(Fault::new(
                Kind::NotUtf8,
                format!("the name of column {} is not UTF-8", index + 1),
                "Save the file as UTF-8.",
            )
            .at(1));
        };
        if name.trim().is_empty() || name.contains('\0') {
            return wrong(
                format!("column {} has no name", index + 1),
                "Name every column in the first line.",
            );
        }
        if names.iter().any(|other| other.to_lowercase() == name.to_lowercase()) {
            return wrong(
                format!("two columns are called \"{name}\""),
                "Give them names that differ in more than capitals.",
            );
        }
        names.push(name.to_owned());
    }
    Ok(names)
}
