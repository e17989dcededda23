//! Counting rows that are alike in all expressions.
//!
//! A row becomes a key of 32-bit words: answers of yes and no packed into the first ones, then one word for each
//! expression of another kind. Each thread counts keys of its own; in the end they are unpacked into one list.

use std::collections::BTreeMap;
use std::hash::BuildHasher as _;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use datafusion::arrow::array::{Array, AsArray, BooleanArray, RecordBatch};
use datafusion::arrow::datatypes::{DataType, Float64Type, Int64Type};
use datafusion::execution::SendableRecordBatchStream;
use futures_util::StreamExt as _;

use super::plan::Part;
use super::{Failure, Prepared, Shared};
use crate::domain::DomainValues;
use crate::error::Fault;
use crate::job::Job;
use crate::listed::Listing;
use crate::program::{Program, Yields, out_of_range};
use crate::reduce::{NULL, Tuples as _, overflow};
use crate::tally::Tally;
use crate::values::{number_text, permille, weight};

/// The number that stands for a value that is no probability or no weight.
const BAD: u32 = NULL - 1;

/// What one thread found.
pub(super) struct Count {
    tally: Tally<u32>,
    /// The numbers of texts and of sets.
    listing: Listing,
    /// Where a value is none of those wanted: for how many candidates, by item and level.
    bad: BTreeMap<(usize, usize), u64>,
    /// Rows that do not say for how many candidates they stand.
    uncounted: u64,
    /// Hashes of the identifiers.
    ids: Vec<u64>,
    /// Rows without one.
    nameless: u64,
}

pub(super) async fn run(
    prepared: Arc<Prepared>,
    mut stream: SendableRecordBatchStream,
    shared: Arc<Shared>,
) -> Result<Count, Failure> {
    let program = &prepared.compiled.program;
    let parts = &prepared.plan.parts;
    let mut count = Count {
        tally: Tally::new(bit_words(parts) + word_items(parts).len()),
        listing: Listing::new(program.items.len()),
        bad: BTreeMap::new(),
        uncounted: 0,
        ids: Vec::new(),
        nameless: 0,
    };
    let mut keys = Vec::new();
    while let Some(batch) = stream.next().await {
        if shared.stop.load(Ordering::Relaxed) {
            return Err(Fault::cancelled().into());
        }
        let batch = batch.map_err(Failure::Engine)?;
        shared.rows.fetch_add(batch.num_rows() as u64, Ordering::Relaxed);
        count.add(program, parts, &batch, &mut keys, &shared)?;
    }
    Ok(count)
}

/// Words that hold the answers of yes and no.
fn bit_words(parts: &[Part]) -> usize {
    parts.iter().filter(|part| matches!(part, Part::Bit(_))).count().div_ceil(32)
}

/// Items of a key that take a word, in the order of the words.
fn word_items(parts: &[Part]) -> Vec<usize> {
    let items = parts.iter().filter_map(|part| match part {
        Part::Code(item) | Part::Key { item, .. } => Some(*item),
        Part::Bit(_) | Part::Count | Part::Id => None,
    });
    let mut items: Vec<usize> = items.collect();
    items.dedup();
    items
}

impl Count {
    fn add(
        &mut self,
        program: &Program,
        parts: &[Part],
        batch: &RecordBatch,
        keys: &mut Vec<u32>,
        shared: &Shared,
    ) -> Result<(), Fault> {
        let rows = batch.num_rows();
        let words = bit_words(parts);
        let width = words + word_items(parts).len();
        keys.clear();
        keys.resize(rows * width, 0);
        let (mut bit, mut word) = (0, words);
        let mut counts = None;
        let mut sets: Option<Sets> = None;
        let mut bad = Vec::new();
        for (part, column) in parts.iter().zip(batch.columns()) {
            if let Some(full) =
                sets.take_if(|sets| !matches!(part, Part::Key { item, .. } if *item == sets.item))
            {
                full.flush(keys.iter_mut().skip(word).step_by(width), &mut self.listing, &mut bad)?;
                word += 1;
            }
            match *part {
                Part::Bit(_) => {
                    let (at, flag) = (bit / 32, 1 << (bit % 32));
                    each_yes(column.as_boolean(), |row| keys[row * width + at] |= flag);
                    bit += 1;
                }
                Part::Code(item) => {
                    let places = keys.iter_mut().skip(word).step_by(width);
                    codes(program, item, column, places, &mut self.listing)?;
                    word += 1;
                }
                Part::Key { item, level, key } => {
                    let Yields::Known(domain) = program.items[item].yields else { continue };
                    let values = &program.domains[domain];
                    let sets = sets.get_or_insert_with(|| Sets::new(item, values.ancestors.len(), rows));
                    sets.narrow(values, level, key, column, program.certain);
                }
                Part::Count => counts = Some(column.as_primitive::<Int64Type>()),
                Part::Id => self.identify(column, shared),
            }
        }
        if let Some(full) = sets {
            full.flush(keys.iter_mut().skip(word).step_by(width), &mut self.listing, &mut bad)?;
        }
        for (item, level, row) in bad {
            let count = counts.map_or(1, |counts| counts.value(row).max(0).unsigned_abs());
            *self.bad.entry((item, level)).or_default() += count;
        }
        for row in 0..rows {
            let count = match counts {
                None => 1,
                Some(counts) if counts.is_null(row) || counts.value(row) < 0 => {
                    self.uncounted += 1;
                    continue;
                }
                Some(counts) => counts.value(row).unsigned_abs(),
            };
            if count > 0 {
                self.tally.add(&keys[row * width..(row + 1) * width], count).ok_or_else(overflow)?;
            }
        }
        Ok(())
    }

    fn identify(&mut self, column: &dyn Array, shared: &Shared) {
        self.ids.extend(texts(column).flatten().map(|text| shared.hasher.hash_one(text)));
        self.nameless += column.null_count() as u64;
    }

    /// Faults that rows of all threads give together; how many rows have no identifier, and how many seem to have that
    /// of another row, if there are identifiers.
    pub(super) fn judge(
        counts: &mut [Self],
        job: &Job<'_>,
        program: &Program,
    ) -> Result<Option<(u64, u64)>, Fault> {
        let uncounted: u64 = counts.iter().map(|count| count.uncounted).sum();
        if uncounted > 0 {
            return Err(job.bad_count(uncounted));
        }
        let mut bad = BTreeMap::<(usize, usize), u64>::new();
        for count in &mut *counts {
            for (&place, &candidates) in &count.bad {
                *bad.entry(place).or_default() += candidates;
            }
        }
        if let Some((&(item, level), &candidates)) = bad.first_key_value() {
            return Err(out_of_range(&program.items[item], level, candidates));
        }
        if job.table().id_column.is_none() {
            return Ok(None);
        }
        let nameless = counts.iter().map(|count| count.nameless).sum();
        let mut ids: Vec<u64> = counts.iter_mut().flat_map(|count| std::mem::take(&mut count.ids)).collect();
        ids.sort_unstable();
        let repeated = ids.windows(2).filter(|pair| pair[0] == pair[1]).count();
        Ok(Some((nameless, repeated as u64)))
    }

    /// Unpacks the keys into the common list.
    pub(super) fn merge(self, program: &Program, parts: &[Part], into: &mut Listing) -> Result<(), Fault> {
        let bits: Vec<usize> = parts
            .iter()
            .filter_map(|part| if let Part::Bit(item) = part { Some(*item) } else { None })
            .collect();
        let words = bit_words(parts);
        let items = word_items(parts);
        let listed = self.listing.finish();
        let mut bad = BTreeMap::<usize, u64>::new();
        let mut codes = vec![0; program.items.len()];
        for class in 0..self.tally.len() {
            let key = self.tally.key(class);
            for (bit, &item) in bits.iter().enumerate() {
                codes[item] = if key[bit / 32] >> (bit % 32) & 1 == 1 { 1000 } else { 0 };
            }
            for (&item, &code) in items.iter().zip(&key[words..]) {
                codes[item] = match program.items[item].yields {
                    Yields::Text | Yields::Known(_) if code != NULL => {
                        into.number(item, Some(&listed.strings(item)[code as usize]))?
                    }
                    Yields::Probability | Yields::Weight if code == BAD => {
                        *bad.entry(item).or_default() += self.tally.counts[class];
                        0
                    }
                    _ => code,
                };
            }
            into.push(&codes, self.tally.counts[class]);
        }
        match bad.first_key_value() {
            Some((&item, &candidates)) => Err(out_of_range(&program.items[item], 0, candidates)),
            None => Ok(()),
        }
    }
}

/// Calls `f` with the rows that answer yes. Null is no.
fn each_yes(answers: &BooleanArray, mut f: impl FnMut(usize)) {
    match answers.nulls() {
        None => answers.values().set_indices().for_each(f),
        Some(nulls) => {
            let valid = nulls.inner();
            answers.values().set_indices().filter(|&row| valid.value(row)).for_each(&mut f);
        }
    }
}

/// The texts of a column, however they are laid out.
fn texts<'c>(column: &'c dyn Array) -> Box<dyn Iterator<Item = Option<&'c str>> + 'c> {
    match column.data_type() {
        DataType::Utf8View => Box::new(column.as_string_view().iter()),
        DataType::LargeUtf8 => Box::new(column.as_string::<i64>().iter()),
        _ => Box::new(column.as_string::<i32>().iter()),
    }
}

/// Writes an item's number for each row.
fn codes<'k>(
    program: &Program,
    item: usize,
    column: &dyn Array,
    places: impl Iterator<Item = &'k mut u32>,
    listing: &mut Listing,
) -> Result<(), Fault> {
    match program.items[item].yields {
        Yields::Probability | Yields::Known(_) => {
            for (place, row) in places.zip(column.as_primitive::<Float64Type>()) {
                *place = row.map_or(0, |number| permille(number).unwrap_or(BAD));
            }
        }
        Yields::Weight => {
            for (place, row) in places.zip(column.as_primitive::<Float64Type>()) {
                *place = row.and_then(weight).unwrap_or(BAD);
            }
        }
        Yields::Text if *column.data_type() == DataType::Float64 => {
            for (place, row) in places.zip(column.as_primitive::<Float64Type>()) {
                *place = listing.number(item, row.map(number_text).as_ref().map(String::as_bytes))?;
            }
        }
        Yields::Text => {
            for (place, row) in places.zip(texts(column)) {
                *place = listing.number(item, row.map(str::as_bytes))?;
            }
        }
    }
    Ok(())
}

/// The sets of values of one item, one for each row of a batch.
struct Sets {
    item: usize,
    words: usize,
    bits: Vec<u64>,
    /// Item, level and row where the value is no probability.
    bad: Vec<(usize, usize, usize)>,
}

impl Sets {
    /// Full sets.
    fn new(item: usize, values: usize, rows: usize) -> Self {
        let words = values.div_ceil(64);
        let mut full = vec![u64::MAX; words];
        if !values.is_multiple_of(64) {
            full[words - 1] = (1 << (values % 64)) - 1;
        }
        Self { item, words, bits: full.repeat(rows), bad: Vec::new() }
    }

    /// Takes the values under a key away from those who could not have known it.
    fn narrow(&mut self, values: &DomainValues, level: usize, key: usize, column: &dyn Array, certain: u32) {
        let mut under = vec![0u64; self.words];
        for (value, _) in
            values.ancestors.iter().enumerate().filter(|(_, codes)| codes[level] as usize == key)
        {
            under[value / 64] |= 1 << (value % 64);
        }
        let clear = |set: &mut [u64]| set.iter_mut().zip(&under).for_each(|(word, under)| *word &= !under);
        let rows = self.bits.chunks_mut(self.words);
        if let Some(answers) = column.as_boolean_opt() {
            rows.zip(answers).filter(|(_, answer)| *answer != Some(true)).for_each(|(set, _)| clear(set));
            return;
        }
        for ((row, set), number) in rows.enumerate().zip(column.as_primitive::<Float64Type>()) {
            let known = number.map_or(Some(0), permille);
            if known.is_none() {
                self.bad.push((self.item, level, row));
            }
            if known.is_none_or(|known| known < certain) {
                clear(set);
            }
        }
    }

    fn flush<'k>(
        self,
        places: impl Iterator<Item = &'k mut u32>,
        listing: &mut Listing,
        bad: &mut Vec<(usize, usize, usize)>,
    ) -> Result<(), Fault> {
        let before = bad.len();
        bad.extend(self.bad);
        // Another key of the same row and level counts once.
        bad[before..].sort_unstable();
        bad.dedup();
        for (place, set) in places.zip(self.bits.chunks(self.words)) {
            let bytes: Vec<u8> = set.iter().flat_map(|word| word.to_le_bytes()).collect();
            *place = listing.number(self.item, Some(&bytes))?;
        }
        Ok(())
    }
}
