//! One thread's share of the rows: a connection, its caches, and the classes found so far.

use std::hash::BuildHasher;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use hashbrown::DefaultHashBuilder;
use rusqlite::Connection;
use rusqlite::types::{ToSqlOutput, ValueRef};

use super::engine;
use super::units::Unit;
use crate::chunk::{Chunk, Encoding, decode};
use crate::error::{Fault, Kind};
use crate::program::{Program, Yields};
use crate::reduce::overflow;
use crate::sql::{Column, Dialect, cell, quote};
use crate::tally::{Dictionary, Tally};
use crate::values::{Datum, integer};

/// Most different values of a column, and tuples of a unit, that a worker remembers. Beyond it evaluates again.
const REMEMBERED: usize = 1 << 20;

/// Most a count may be: sums of them stay exact.
const COUNT_MAX: i64 = 1 << 40;

/// What all workers share.
pub(super) struct Shared<'p> {
    pub(super) program: &'p Program,
    pub(super) columns: &'p [Column],
    /// Columns that chunks hold, by position.
    pub(super) wanted: Vec<usize>,
    pub(super) encoding: Encoding,
    pub(super) units: Vec<Unit>,
    /// Per item: numbers of its texts or bit sets.
    pub(super) dictionaries: Vec<Mutex<Dictionary>>,
    pub(super) count: Option<usize>,
    pub(super) id: Option<usize>,
    pub(super) hasher: DefaultHashBuilder,
    /// The line behind which work is in vain: that of a fault, or 0 when all of it is.
    pub(super) stop: AtomicU64,
}

impl Shared<'_> {
    /// Rows before the one that is at fault are evaluated all the same: there may be a fault among them too, and the
    /// first is told.
    pub(super) fn in_vain(&self, line: u64) -> bool {
        line > self.stop.load(Ordering::Relaxed)
    }
}

/// What one worker remembers of one unit.
struct Memory {
    table: String,
    insert: String,
    /// Columns by position in the chunk.
    positions: Vec<usize>,
    /// Different tuples of the columns' numbers; their results, by number of the tuple.
    tuples: Tally<u32>,
    results: Vec<u32>,
    /// Different vectors of the items' numbers.
    vectors: Tally<u32>,
    /// Statements over plain items: which, and the SQL.
    batches: Vec<(Vec<usize>, String)>,
}

pub(super) struct Worker<'s, 'p> {
    shared: &'s Shared<'p>,
    connection: Connection,
    memories: Vec<Memory>,
    /// Per position in the chunk: numbers of its fields, where a cached unit reads them.
    fields: Vec<Option<Dictionary>>,
    classes: Tally<u32>,
    ids: Vec<u64>,
}

/// What a worker found.
pub(super) struct Found {
    /// Different tuples of the units' vectors.
    pub(super) classes: Tally<u32>,
    pub(super) vectors: Vec<Tally<u32>>,
    pub(super) ids: Vec<u64>,
}

impl<'s, 'p> Worker<'s, 'p> {
    pub(super) fn new(shared: &'s Shared<'p>) -> Result<Self, Fault> {
        let connection = engine::connect()?;
        let mut fields: Vec<Option<Dictionary>> = shared.wanted.iter().map(|_| None).collect();
        let mut memories = Vec::new();
        for (index, unit) in shared.units.iter().enumerate() {
            let table = format!("u{index}");
            engine::create(&connection, &table, shared.columns, &unit.columns)?;
            let positions: Vec<usize> = unit
                .columns
                .iter()
                .filter_map(|column| shared.wanted.iter().position(|wanted| wanted == column))
                .collect();
            if unit.cached {
                for &position in &positions {
                    fields[position].get_or_insert_default();
                }
            }
            let insert = if unit.columns.is_empty() {
                format!("INSERT INTO {table} VALUES (NULL)")
            } else {
                format!("INSERT INTO {table} VALUES ({})", vec!["?"; unit.columns.len()].join(", "))
            };
            memories.push(Memory {
                insert,
                tuples: Tally::new(positions.len()),
                results: Vec::new(),
                vectors: Tally::new(unit.items.len()),
                batches: batches(shared.program, unit, &table),
                positions,
                table,
            });
        }
        let classes = Tally::new(shared.units.len());
        Ok(Self { shared, connection, memories, fields, classes, ids: Vec::new() })
    }

    pub(super) fn finish(self) -> Found {
        let vectors = self.memories.into_iter().map(|memory| memory.vectors).collect();
        Found { classes: self.classes, vectors, ids: self.ids }
    }

    /// Evaluates a chunk. Of several faults the one with the least line is reported.
    pub(super) fn process(&mut self, chunk: &Chunk) -> Result<(), Fault> {
        let mut first: Option<Fault> = None;
        let mut note = |fault: Fault| {
            if first.as_ref().is_none_or(|known| fault.line < known.line) {
                first = Some(fault);
            }
        };
        let counts = self.counts(chunk).unwrap_or_else(|fault| {
            note(fault);
            Vec::new()
        });
        self.note_ids(chunk).unwrap_or_else(&mut note);
        let numbers = self.number_fields(chunk);
        let mut results = Vec::with_capacity(self.memories.len());
        for unit in 0..self.memories.len() {
            match self.evaluate_unit(unit, chunk, &numbers) {
                Ok(vectors) => results.push(vectors),
                Err(fault) => note(fault),
            }
        }
        if let Some(fault) = first {
            return Err(fault);
        }
        let mut key = vec![0; results.len()];
        for (row, &count) in counts.iter().enumerate() {
            if count > 0 {
                key.iter_mut().zip(&results).for_each(|(key, vectors)| *key = vectors[row]);
                self.classes.add(&key, count).ok_or_else(overflow)?;
            }
        }
        Ok(())
    }

    fn counts(&self, chunk: &Chunk) -> Result<Vec<u64>, Fault> {
        let Some(position) = self.shared.count else { return Ok(vec![1; chunk.rows()]) };
        let count = |row: usize| {
            let field = std::str::from_utf8(chunk.field(row, position)).unwrap_or_default();
            let digits = match self.shared.encoding {
                Encoding::Csv => field,
                Encoding::Typed => field.strip_prefix('I').unwrap_or_default(),
            };
            let number = integer(digits).filter(|number| (0..=COUNT_MAX).contains(number));
            number.and_then(|number| u64::try_from(number).ok()).ok_or_else(|| {
                Fault::new(
                    Kind::Count,
                    "the row does not say how many candidates it stands for",
                    format!(
                        "Write a whole number from 0 to {COUNT_MAX} into the column that \"count\" names."
                    ),
                )
                .at(chunk.line(row))
            })
        };
        (0..chunk.rows()).map(count).collect()
    }

    fn note_ids(&mut self, chunk: &Chunk) -> Result<(), Fault> {
        let Some(position) = self.shared.id else { return Ok(()) };
        for row in 0..chunk.rows() {
            let field = chunk.field(row, position);
            if field.is_empty() {
                return Err(Fault::new(
                    Kind::Id,
                    "the row has no identifier",
                    "Fill the column that \"id\" names, or remove \"id\" from the population.",
                )
                .at(chunk.line(row)));
            }
            self.ids.push(self.shared.hasher.hash_one(field));
        }
        Ok(())
    }

    /// Per position: a number for each row's field; `u32::MAX` for those that are not remembered.
    fn number_fields(&mut self, chunk: &Chunk) -> Vec<Vec<u32>> {
        let rows = chunk.rows();
        let number = |(position, dictionary): (usize, &mut Option<Dictionary>)| {
            let Some(dictionary) = dictionary else { return Vec::new() };
            let number = |row| {
                let field = chunk.field(row, position);
                let known = if dictionary.len() < REMEMBERED {
                    dictionary.number(field)
                } else {
                    dictionary.get(field)
                };
                known.unwrap_or(u32::MAX)
            };
            (0..rows).map(number).collect()
        };
        self.fields.iter_mut().enumerate().map(number).collect()
    }

    /// Per row, the number of its vector of results.
    fn evaluate_unit(&mut self, unit: usize, chunk: &Chunk, numbers: &[Vec<u32>]) -> Result<Vec<u32>, Fault> {
        let rows = chunk.rows();
        if !self.shared.units[unit].cached {
            let all: Vec<usize> = (0..rows).collect();
            return self.evaluate(unit, chunk, &all);
        }
        let memory = &mut self.memories[unit];
        let mut pending = Vec::new();
        // Tuples that are new and remembered; rows that are evaluated for themselves alone.
        let mut fresh = Vec::new();
        let mut alone = Vec::new();
        let mut tuple = vec![0; memory.positions.len()];
        let mut of_row = Vec::with_capacity(rows);
        #[expect(clippy::needless_range_loop, reason = "rows index several columns")]
        for row in 0..rows {
            tuple.iter_mut().zip(&memory.positions).for_each(|(t, &position)| *t = numbers[position][row]);
            let full = memory.tuples.len() >= REMEMBERED;
            let known = if tuple.contains(&u32::MAX) {
                None
            } else if full {
                memory.tuples.find(&tuple)
            } else {
                memory.tuples.add(&tuple, 0)
            };
            match known {
                Some(number) if (number as usize) < memory.results.len() => {}
                Some(number) => {
                    memory.results.push(0);
                    fresh.push((number, pending.len()));
                    pending.push(row);
                }
                None => {
                    alone.push((row, pending.len()));
                    pending.push(row);
                }
            }
            of_row.push(known.unwrap_or(0));
        }
        if pending.is_empty() {
            return Ok(of_row.into_iter().map(|number| memory.results[number as usize]).collect());
        }
        let results = self.evaluate(unit, chunk, &pending)?;
        let memory = &mut self.memories[unit];
        for (number, at) in fresh {
            memory.results[number as usize] = results[at];
        }
        let mut of_row: Vec<u32> = of_row
            .into_iter()
            .map(|number| memory.results.get(number as usize).copied().unwrap_or(0))
            .collect();
        for (row, at) in alone {
            of_row[row] = results[at];
        }
        Ok(of_row)
    }

    /// Lets `SQLite` evaluate a unit's items for some rows of the chunk.
    fn evaluate(&mut self, unit: usize, chunk: &Chunk, rows: &[usize]) -> Result<Vec<u32>, Fault> {
        let items = &self.shared.units[unit].items;
        self.insert(unit, chunk, rows)?;
        let mut vectors = vec![0u32; rows.len() * items.len()];
        let mut first: Option<Fault> = None;
        let mut note = |fault: Fault| {
            if first.as_ref().is_none_or(|known| fault.line < known.line) {
                first = Some(fault);
            }
        };
        for (batch, sql) in &self.memories[unit].batches {
            self.run_batch(unit, chunk, rows, batch, sql, &mut vectors).unwrap_or_else(&mut note);
        }
        for (at, &item) in items.iter().enumerate() {
            if let Yields::Known(domain) = self.shared.program.items[item].yields {
                match self.run_known(unit, chunk, rows, item, domain) {
                    Ok(numbers) => {
                        numbers
                            .into_iter()
                            .enumerate()
                            .for_each(|(r, number)| vectors[r * items.len() + at] = number);
                    }
                    Err(fault) => note(fault),
                }
            }
        }
        if let Some(fault) = first {
            return Err(fault);
        }
        let known = &mut self.memories[unit].vectors;
        if items.is_empty() {
            return Ok(vec![0; rows.len()]);
        }
        vectors.chunks(items.len()).map(|vector| known.add(vector, 0).ok_or_else(overflow)).collect()
    }

    fn insert(&self, unit: usize, chunk: &Chunk, rows: &[usize]) -> Result<(), Fault> {
        let memory = &self.memories[unit];
        let engine = |error: rusqlite::Error| engine::internal(&error);
        self.connection.execute_batch(&format!("DELETE FROM {}; BEGIN", memory.table)).map_err(engine)?;
        let mut statement = self.connection.prepare_cached(&memory.insert).map_err(engine)?;
        for &row in rows {
            for (parameter, &position) in memory.positions.iter().enumerate() {
                let column = &self.shared.columns[self.shared.wanted[position]];
                let Some(datum) = decode(chunk.field(row, position), self.shared.encoding, column.kind)
                else {
                    return Err(Fault::new(
                        Kind::WrongType,
                        format!("the column \"{}\" does not hold {} here", column.name, column.kind.noun()),
                        format!(
                            "Correct the field, or declare the column: columns = {{ {} = \"text\" }}.",
                            quote(&column.name)
                        ),
                    )
                    .at(chunk.line(row)));
                };
                statement.raw_bind_parameter(parameter + 1, Bound(datum)).map_err(engine)?;
            }
            statement.raw_execute().map_err(engine)?;
        }
        self.connection.execute_batch("COMMIT").map_err(engine)
    }

    fn run_batch(
        &self,
        unit: usize,
        chunk: &Chunk,
        rows: &[usize],
        batch: &[usize],
        sql: &str,
        vectors: &mut [u32],
    ) -> Result<(), Fault> {
        let items = &self.shared.units[unit].items;
        let program = self.shared.program;
        let mut statement = self.connection.prepare_cached(sql).map_err(|error| engine::internal(&error))?;
        let mut answer = statement.raw_query();
        for (index, &row) in rows.iter().enumerate() {
            if index % 1024 == 0 && self.shared.in_vain(chunk.line(row)) {
                return Err(Fault::cancelled().at(u64::MAX));
            }
            let line = chunk.line(row);
            let values = match answer.next() {
                Ok(Some(values)) => values,
                Ok(None) => break,
                // Which of several expressions it was, the engine does not say.
                Err(error) => return Err(self.blame(batch, items, &error).at(line)),
            };
            for (column, &at) in batch.iter().enumerate() {
                let item = &program.items[items[at]];
                let value = values.get_ref(column).map_err(|error| engine::internal(&error))?;
                vectors[index * items.len() + at] =
                    engine::code(item, 0, value, &self.shared.dictionaries[items[at]])
                        .map_err(|f| f.at(line))?;
            }
        }
        Ok(())
    }

    fn blame(&self, batch: &[usize], items: &[usize], error: &rusqlite::Error) -> Fault {
        for &at in batch {
            let item = &self.shared.program.items[items[at]];
            let unit = self.shared.units.iter().position(|unit| unit.items == items).unwrap_or_default();
            let sql = format!("SELECT count({}) FROM {}", item.sql[0], self.memories[unit].table);
            if let Err(error) = self.connection.query_row(&sql, [], |_| Ok(())) {
                return engine::failed(item, 0, &error);
            }
        }
        engine::internal(error)
    }

    /// Which values of a domain each row could have known: all levels at least as probable as is certain.
    fn run_known(
        &self,
        unit: usize,
        chunk: &Chunk,
        rows: &[usize],
        item: usize,
        domain: usize,
    ) -> Result<Vec<u32>, Fault> {
        let program = self.shared.program;
        let (description, values) = (&program.items[item], &program.domains[domain]);
        let words = values.ancestors.len().div_ceil(64);
        let mut sets = vec![u64::MAX; rows.len() * words];
        for (level, expression) in description.expressions.iter().enumerate() {
            let mut below: Vec<Vec<usize>> = vec![Vec::new(); values.keys[level].len()];
            for (value, ancestors) in values.ancestors.iter().enumerate() {
                below[ancestors[level] as usize].push(value);
            }
            for (key, below) in values.keys[level].iter().zip(&below) {
                if self.shared.in_vain(chunk.line(0)) {
                    return Err(Fault::cancelled().at(u64::MAX));
                }
                let text = cell(Dialect::Sqlite, key);
                let text = expression.write(Dialect::Sqlite, self.shared.columns, &text);
                let sql = format!("SELECT ({text}) FROM {} ORDER BY rowid", self.memories[unit].table);
                let mut statement =
                    self.connection.prepare(&sql).map_err(|error| engine::internal(&error))?;
                let mut answer = statement.raw_query();
                for (index, &row) in rows.iter().enumerate() {
                    let value = match answer.next() {
                        Ok(Some(value)) => value.get_ref(0).map_err(|error| engine::internal(&error))?,
                        Ok(None) => break,
                        Err(error) => {
                            return Err(engine::failed(description, level, &error).at(chunk.line(row)));
                        }
                    };
                    let dictionary = &self.shared.dictionaries[item];
                    let permille = engine::code(description, level, value, dictionary)
                        .map_err(|fault| fault.at(chunk.line(row)))?;
                    if permille < program.certain {
                        for v in below {
                            sets[index * words + v / 64] &= !(1 << (v % 64));
                        }
                    }
                }
            }
        }
        // Bits beyond the last value are not set.
        let spare = words * 64 - values.ancestors.len();
        let last = u64::MAX.checked_shr(u32::try_from(spare).unwrap_or(64)).unwrap_or(0);
        sets.chunks_mut(words).for_each(|set| set[words - 1] &= last);
        sets.chunks(words)
            .map(|set| {
                let bytes: Vec<u8> = set.iter().flat_map(|word| word.to_le_bytes()).collect();
                engine::intern(&self.shared.dictionaries[item], &bytes)
            })
            .collect()
    }
}

/// Statements that fit `SQLite`'s limits on columns and length.
fn batches(program: &Program, unit: &Unit, table: &str) -> Vec<(Vec<usize>, String)> {
    let mut batches = Vec::<(Vec<usize>, Vec<&str>)>::new();
    let mut length = usize::MAX;
    for (at, &item) in unit.items.iter().enumerate() {
        let item = &program.items[item];
        if matches!(item.yields, Yields::Known(_)) {
            continue;
        }
        length = length.saturating_add(item.sql[0].len());
        if length > 200_000 || batches.last().is_none_or(|batch| batch.0.len() >= 500) {
            batches.push((Vec::new(), Vec::new()));
            length = item.sql[0].len();
        }
        if let Some((items, texts)) = batches.last_mut() {
            items.push(at);
            texts.push(&item.sql[0]);
        }
    }
    let sql = |texts: Vec<&str>| {
        let columns: Vec<String> = texts.iter().map(|text| format!("({text})")).collect();
        format!("SELECT {} FROM {table} ORDER BY rowid", columns.join(", "))
    };
    batches.into_iter().map(|(items, texts)| (items, sql(texts))).collect()
}

struct Bound<'a>(Datum<'a>);

impl rusqlite::ToSql for Bound<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self.0 {
            Datum::Null => ValueRef::Null,
            Datum::Integer(number) => ValueRef::Integer(number),
            Datum::Real(number) => ValueRef::Real(number),
            Datum::Text(text) => ValueRef::Text(text.as_bytes()),
        }))
    }
}
