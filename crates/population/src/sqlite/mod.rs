//! CSV files and typed rows, evaluated by the embedded `SQLite`.
//!
//! The calling thread reads rows in chunks and hands them to workers. Each worker has a connection of its own,
//! evaluates expressions over rows in memory, and keeps only counts of different results: memory does not grow with
//! the table, but with the number of different results.

mod engine;
mod units;
mod worker;

use std::collections::HashMap;
use std::hash::BuildHasher;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, sync_channel};
use std::sync::{Arc, Mutex};

use hashbrown::DefaultHashBuilder;
use tearline_model::report::{Cell, Population, Table};

use self::worker::{Found, Shared, Worker};
use crate::chunk::{Chunk, Encoding, encode};
use crate::csv_file::CsvFile;
use crate::error::{Fault, Kind};
use crate::job::{Answer, Compiled, Job};
use crate::program::Program;
use crate::reduce::{Take, Tuples};
use crate::sql::{Column, Dialect};
use crate::values::ColumnKind;
use crate::{Options, Progress};

/// Rows that a worker evaluates at a time: enough to make a statement worthwhile, few enough for the cache.
const CHUNK: usize = 16_384;

/// Chunks that are looked at before the expressions are grouped.
const SAMPLE: usize = 4;

/// A table that this engine reads.
pub(crate) struct Source<'r> {
    rows: Rows<'r>,
    pub(crate) columns: Vec<Column>,
}

enum Rows<'r> {
    Csv(Box<CsvFile>),
    Typed { rows: &'r [Vec<Cell>], next: usize },
}

impl<'r> Source<'r> {
    pub(crate) fn open(population: &'r Population, base: &Path) -> Result<Self, Fault> {
        match &population.table {
            Table::Csv(path) => {
                let file = CsvFile::open(&base.join(path), &population.column_types)?;
                Ok(Self { columns: file.columns.clone(), rows: Rows::Csv(Box::new(file)) })
            }
            Table::Rows(names, rows) => {
                let kind = |column: usize| typed_kind(rows.iter().map(|row| &row[column]));
                let columns =
                    names.iter().enumerate().map(|(c, name)| Column { name: name.clone(), kind: kind(c) });
                Ok(Self { columns: columns.collect(), rows: Rows::Typed { rows, next: 0 } })
            }
            Table::Parquet(_) | Table::Postgres { .. } => {
                Err(Fault::new(Kind::NotBuilt, "not a table for SQLite", "This is a defect of this program."))
            }
        }
    }

    fn encoding(&self) -> Encoding {
        if matches!(self.rows, Rows::Csv(_)) { Encoding::Csv } else { Encoding::Typed }
    }

    /// The next rows; an empty chunk at the end.
    fn next(&mut self, wanted: &[usize]) -> Result<Chunk, Fault> {
        let mut chunk = Chunk::new(wanted.len());
        match &mut self.rows {
            Rows::Csv(file) => {
                file.fill(&mut chunk, wanted, CHUNK)?;
            }
            Rows::Typed { rows, next } => {
                for row in rows.iter().skip(*next).take(CHUNK) {
                    *next += 1;
                    let fields: Vec<Vec<u8>> = wanted.iter().map(|&column| encode(&row[column])).collect();
                    chunk.push(*next as u64, fields.iter().map(Vec::as_slice));
                }
            }
        }
        Ok(chunk)
    }

    fn fraction(&self) -> f64 {
        #[expect(clippy::cast_precision_loss, reason = "for display")]
        let share = |part: u64, whole: u64| part as f64 / whole.max(1) as f64;
        match &self.rows {
            Rows::Csv(file) => share(file.progress().0, file.progress().1).min(1.0),
            Rows::Typed { rows, next } => share(*next as u64, rows.len() as u64),
        }
    }

    fn check_unchanged(&self) -> Result<(), Fault> {
        match &self.rows {
            Rows::Csv(file) => file.check_unchanged(),
            Rows::Typed { .. } => Ok(()),
        }
    }
}

fn typed_kind<'c>(cells: impl Iterator<Item = &'c Cell>) -> ColumnKind {
    let mut kind = None;
    for cell in cells {
        kind = match (cell, kind) {
            (Cell::Null, kind) => kind,
            (Cell::Integer(_), None | Some(ColumnKind::Integer)) => Some(ColumnKind::Integer),
            (Cell::Integer(_) | Cell::Real(_), None | Some(ColumnKind::Integer | ColumnKind::Real)) => {
                Some(ColumnKind::Real)
            }
            (Cell::Boolean(_), None | Some(ColumnKind::Boolean)) => Some(ColumnKind::Boolean),
            _ => return ColumnKind::Text,
        };
    }
    kind.unwrap_or(ColumnKind::Text)
}

/// Compiles all expressions, without reading the table any further.
pub(crate) fn check(job: &Job<'_>) -> Result<(), Fault> {
    prepare(job).map(drop)
}

fn prepare<'r>(job: &Job<'r>) -> Result<(Source<'r>, Compiled), Fault> {
    let source = Source::open(job.table(), job.options.base)?;
    let compiled = job.compile(&source.columns, Dialect::Sqlite)?;
    engine::check(&compiled.program, &source.columns)?;
    Ok((source, compiled))
}

/// Evaluates all items for all rows.
pub(crate) fn run(job: &Job<'_>) -> Result<Answer, Fault> {
    let (source, Compiled { program, count, id }) = prepare(job)?;
    let evaluated = evaluate(job, &program, source, count, id)?;
    Ok((program, Box::new(evaluated)))
}

fn evaluate(
    job: &Job<'_>,
    program: &Program,
    mut source: Source<'_>,
    count: Option<usize>,
    id: Option<usize>,
) -> Result<Evaluated, Fault> {
    let options = job.options;
    let columns = source.columns.clone();
    let mut wanted: Vec<usize> = program.items.iter().flat_map(|item| item.columns.iter().copied()).collect();
    wanted.extend(count.iter().chain(&id));
    wanted.sort_unstable();
    wanted.dedup();
    let position = |column: Option<usize>| column.and_then(|c| wanted.iter().position(|w| *w == c));

    // A fault in these rows is due only after their predecessors have been evaluated.
    let mut ahead = Vec::new();
    let mut due = None;
    while ahead.len() < SAMPLE && due.is_none() {
        match source.next(&wanted) {
            Ok(chunk) if chunk.rows() == 0 => break,
            Ok(chunk) => ahead.push(chunk),
            Err(fault) => due = Some(fault),
        }
    }
    let shared = Shared {
        program,
        columns: &columns,
        encoding: source.encoding(),
        units: units::plan(program, &wanted, &ahead),
        dictionaries: program.items.iter().map(|_| Mutex::default()).collect(),
        count: position(count),
        id: position(id),
        hasher: DefaultHashBuilder::default(),
        stop: AtomicU64::new(u64::MAX),
        wanted,
    };
    let workers = (0..options.threads.max(1)).map(|_| Worker::new(&shared)).collect::<Result<Vec<_>, _>>()?;
    let mut outcome = Outcome { found: Vec::new(), faults: due.clone().into_iter().collect() };
    std::thread::scope(|scope| {
        let (sender, receiver) = sync_channel(2 * workers.len());
        let receiver = Arc::new(Mutex::new(receiver));
        let handles: Vec<_> = workers
            .into_iter()
            .map(|worker| {
                let receiver = Arc::clone(&receiver);
                let shared = &shared;
                scope.spawn(move || work(worker, &receiver, shared))
            })
            .collect();
        drop(receiver);
        let mut rows = 0;
        let mut ahead = ahead.into_iter();
        loop {
            if options.cancel.load(Ordering::Relaxed) {
                shared.stop.store(0, Ordering::Relaxed);
                outcome.faults.push(Fault::cancelled());
            }
            if shared.stop.load(Ordering::Relaxed) < u64::MAX {
                break;
            }
            let chunk = match ahead.next() {
                Some(chunk) => chunk,
                None if due.is_some() => break,
                None => match source.next(&shared.wanted) {
                    Ok(chunk) => chunk,
                    Err(fault) => {
                        outcome.faults.push(fault);
                        break;
                    }
                },
            };
            if chunk.rows() == 0 {
                break;
            }
            rows += chunk.rows() as u64;
            if sender.send(chunk).is_err() {
                break;
            }
            (options.progress)(Progress { rows, fraction: Some(source.fraction()) });
        }
        drop(sender);
        for handle in handles {
            match handle.join() {
                Ok(Ok(found)) => outcome.found.push(found),
                Ok(Err(fault)) => outcome.faults.push(fault),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
    });
    if let Some(fault) = outcome.first() {
        return Err(fault);
    }
    source.check_unchanged()?;
    if shared.id.is_some() {
        unique(&mut outcome.found, job.table(), &shared, id, options)?;
    }
    let strings = shared.dictionaries.into_iter().map(|dictionary| {
        dictionary.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner).into_list()
    });
    Ok(Evaluated {
        strings: strings.collect(),
        units: shared.units.into_iter().map(|unit| unit.items).collect(),
        found: outcome.found,
        items: program.items.len(),
    })
}

struct Outcome {
    found: Vec<Found>,
    faults: Vec<Fault>,
}

impl Outcome {
    /// Which fault is told: a cancellation; else the first in the table, whatever thread met it.
    fn first(&mut self) -> Option<Fault> {
        let rank = |fault: &Fault| (fault.kind != Kind::Cancelled || fault.line.is_some(), fault.line);
        self.faults.drain(..).min_by_key(rank)
    }
}

/// Takes chunks until there are none. After a fault the rest is only drained, so that the reader does not wait.
fn work(
    mut worker: Worker<'_, '_>,
    receiver: &Mutex<Receiver<Chunk>>,
    shared: &Shared<'_>,
) -> Result<Found, Fault> {
    let mut fault = None;
    loop {
        let next = receiver.lock().unwrap_or_else(std::sync::PoisonError::into_inner).recv();
        let Ok(chunk) = next else { break };
        if shared.in_vain(chunk.line(0)) {
            continue;
        }
        if let Err(met) = worker.process(&chunk) {
            shared.stop.fetch_min(met.line.unwrap_or(0), Ordering::Relaxed);
            // Chunks come in order, so the first fault that a worker meets is the first of its own.
            fault.get_or_insert(met);
        }
    }
    fault.map_or_else(|| Ok(worker.finish()), Err)
}

/// No identifier may come twice. Hashes tell which might; only those are then compared, in a second reading.
fn unique(
    found: &mut [Found],
    population: &Population,
    shared: &Shared<'_>,
    id: Option<usize>,
    options: &Options<'_>,
) -> Result<(), Fault> {
    let mut hashes: Vec<u64> = found.iter_mut().flat_map(|found| std::mem::take(&mut found.ids)).collect();
    hashes.sort_unstable();
    let mut twice: Vec<u64> =
        hashes.windows(2).filter(|pair| pair[0] == pair[1]).map(|pair| pair[0]).collect();
    drop(hashes);
    twice.dedup();
    let Some(id) = id.filter(|_| !twice.is_empty()) else { return Ok(()) };
    let mut source = Source::open(population, options.base)?;
    let mut lines = HashMap::<Vec<u8>, u64>::new();
    loop {
        let chunk = source.next(&[id])?;
        if chunk.rows() == 0 {
            return source.check_unchanged();
        }
        for row in 0..chunk.rows() {
            let field = chunk.field(row, 0);
            if twice.binary_search(&shared.hasher.hash_one(field)).is_ok()
                && let Some(before) = lines.insert(field.to_vec(), chunk.line(row))
            {
                return Err(Fault::new(
                    Kind::Id,
                    format!("the row has the same identifier as that of line {before}"),
                    "Merge the rows, or remove \"id\" if rows are not single candidates.",
                )
                .at(chunk.line(row)));
            }
        }
    }
}

/// The results of all workers.
pub(crate) struct Evaluated {
    strings: Vec<Vec<Box<[u8]>>>,
    units: Vec<Vec<usize>>,
    found: Vec<Found>,
    items: usize,
}

impl Tuples for Evaluated {
    fn each(&self, f: &mut Take<'_>) -> Result<(), Fault> {
        let mut codes = vec![0; self.items];
        for found in &self.found {
            for class in 0..found.classes.len() {
                let vectors = found.classes.key(class).iter().zip(&found.vectors);
                for ((&vector, tally), items) in vectors.zip(&self.units) {
                    for (&item, &code) in items.iter().zip(tally.key(vector as usize)) {
                        codes[item] = code;
                    }
                }
                f(&codes, found.classes.counts[class])?;
            }
        }
        Ok(())
    }

    fn strings(&self, item: usize) -> &[Box<[u8]>] {
        &self.strings[item]
    }

    fn fractional(&self, program: &Program) -> Result<Vec<bool>, Fault> {
        let mut fractional = vec![false; program.items.len()];
        for found in &self.found {
            for (items, tally) in self.units.iter().zip(&found.vectors) {
                for vector in 0..tally.len() {
                    for (&item, &code) in items.iter().zip(tally.key(vector)) {
                        fractional[item] |= code != 0 && code != 1000;
                    }
                }
            }
        }
        Ok(fractional)
    }
}
