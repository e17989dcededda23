//! Parquet files, evaluated by Apache `DataFusion`.
//!
//! The engine evaluates all expressions batch by batch, on several threads; results are counted as they come.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use datafusion::arrow::array::{Array, AsArray, RecordBatch};
use datafusion::arrow::datatypes::{DataType, Float64Type, Int64Type};
use datafusion::error::DataFusionError;
use datafusion::execution::SendableRecordBatchStream;
use datafusion::prelude::{ParquetReadOptions, SessionConfig, SessionContext};
use futures_util::StreamExt as _;

use crate::error::{Fault, Kind};
use crate::listed::{Listed, Listing};
use crate::program::{Item, Program, Yields, useless};
use crate::reduce::overflow;
use crate::sql::{Column, Dialect, cell, quote, unknown};
use crate::tally::Tally;
use crate::values::{ColumnKind, number_text, permille, weight};
use crate::{Options, Progress};

/// How often progress is told and the cancel flag looked at.
const GLANCE: Duration = Duration::from_millis(50);

/// Most values of a domain here: each is a column of the query.
const MOST_VALUES: usize = 2000;

/// What is to be read, and by what names.
pub(crate) struct Table<'r> {
    pub(crate) population: &'r str,
    pub(crate) path: &'r Path,
    pub(crate) count: Option<&'r str>,
    pub(crate) id: Option<&'r str>,
}

/// Compiles a program once the columns are known.
pub(crate) type Compile<'c> = dyn Fn(&[Column]) -> Result<Program, Fault> + 'c;

/// Lets the engine compile every expression.
pub(crate) fn check(table: &Table<'_>, compile: &Compile<'_>, options: &Options<'_>) -> Result<(), Fault> {
    in_runtime(options, async { prepare(table, compile, options).await.map(drop) })
}

/// Evaluates all items for all rows.
pub(crate) fn run(
    table: &Table<'_>,
    compile: &Compile<'_>,
    options: &Options<'_>,
) -> Result<(Program, Listed), Fault> {
    let before = std::fs::metadata(table.path).map_err(|error| missing(&error))?;
    let result = in_runtime(options, async {
        let prepared = prepare(table, compile, options).await?;
        identifiers(&prepared.context, table).await?;
        let prepared = Arc::new(prepared);
        let listed = read(&prepared, options).await?;
        let prepared = Arc::into_inner(prepared).ok_or_else(Fault::cancelled)?;
        Ok((prepared.program, listed))
    })?;
    let after = std::fs::metadata(table.path).map_err(|error| missing(&error))?;
    let same_time = before.modified().ok() == after.modified().ok();
    if !same_time || before.len() != after.len() {
        return Err(Fault::new(
            Kind::Changed,
            "the file changed while it was read",
            "Wait until it is written, or read a copy.",
        ));
    }
    Ok(result)
}

fn missing(error: &std::io::Error) -> Fault {
    let kind = if error.kind() == std::io::ErrorKind::NotFound { Kind::Missing } else { Kind::Unreadable };
    Fault::new(kind, format!("cannot be read: {error}"), "Paths are relative to the report file.")
}

fn in_runtime<T>(options: &Options<'_>, job: impl Future<Output = Result<T, Fault>>) -> Result<T, Fault> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(options.threads.max(1))
        .enable_all()
        .build()
        .map_err(|error| Fault::new(Kind::Unreadable, format!("cannot start: {error}"), "Try again."))?;
    runtime.block_on(job)
}

fn failed(error: &DataFusionError) -> Fault {
    let text = error.strip_backtrace();
    // Messages about a value quote it; a row's contents stay hidden.
    let text = if text.contains("Cannot cast") { "a value cannot be cast".to_owned() } else { text };
    Fault::new(
        Kind::Sql,
        format!("DataFusion: {text}"),
        "Correct the expression or the file; see docs/formats/predicates.md.",
    )
}

/// A column of the query.
#[derive(Clone, Copy, Debug)]
enum Part {
    /// An item that answers yes or no.
    Bit(usize),
    /// Any other item.
    Code(usize),
    /// Whether an item holds for one key of one level of a domain.
    Key { item: usize, level: usize, key: usize },
}

struct Prepared {
    context: SessionContext,
    program: Program,
    sql: String,
    parts: Vec<Part>,
    counted: bool,
}

async fn prepare(table: &Table<'_>, compile: &Compile<'_>, options: &Options<'_>) -> Result<Prepared, Fault> {
    std::fs::metadata(table.path).map_err(|error| missing(&error))?;
    let mut config = SessionConfig::new().with_target_partitions(options.threads.max(1));
    config.options_mut().execution.parquet.schema_force_view_types = false;
    let context = SessionContext::new_with_config(config);
    let path = table.path.to_str().ok_or_else(|| {
        Fault::new(Kind::Unreadable, "the path is not UTF-8", "Rename the file or its folder.")
    })?;
    context.register_parquet("population", path, ParquetReadOptions::default()).await.map_err(|error| {
        Fault::new(Kind::Unreadable, format!("not Parquet: {}", error.strip_backtrace()), "Write it again.")
    })?;
    let frame = context.table("population").await.map_err(|error| failed(&error))?;
    let columns: Vec<Column> = frame
        .schema()
        .fields()
        .iter()
        .map(|field| Column { name: field.name().clone(), kind: kind(field.data_type()) })
        .collect();
    for (name, field) in [(table.count, "count"), (table.id, "id")] {
        if let Some(name) = name
            && columns.iter().all(|column| column.name != name)
        {
            return Err(unknown(name, &columns).field(&format!("population.{}.{field}", table.population)));
        }
    }
    let program = compile(&columns)?;
    let mut select = Vec::new();
    let mut parts = Vec::new();
    for (index, item) in program.items.iter().enumerate() {
        if let Yields::Known(domain) = item.yields {
            for (level, keys) in program.domains[domain].keys.iter().enumerate() {
                if keys.len() > MOST_VALUES {
                    return Err(Fault::new(
                        Kind::Domain,
                        format!("more than {MOST_VALUES} values, too many for a Parquet file"),
                        "Convert the table to CSV, or make the exact level coarser.",
                    )
                    .field(&item.fields[level]));
                }
                for (key, value) in keys.iter().enumerate() {
                    let value = cell(Dialect::DataFusion, value);
                    let sql = item.expressions[level].write(Dialect::DataFusion, &columns, &value);
                    select.push(typed(&context, item, level, &sql).await?.0);
                    parts.push(Part::Key { item: index, level, key });
                }
            }
            continue;
        }
        let (sql, bit) = typed(&context, item, 0, &item.sql[0]).await?;
        select.push(sql);
        parts.push(if bit { Part::Bit(index) } else { Part::Code(index) });
    }
    if let Some(name) = table.count {
        let name = quote(name);
        select.push(format!("CASE WHEN {name} = floor({name}) THEN CAST({name} AS BIGINT) END"));
    }
    if select.is_empty() {
        select.push("1".to_owned());
    }
    let named: Vec<String> = select.iter().enumerate().map(|(n, sql)| format!("{sql} AS c{n}")).collect();
    let sql = format!("SELECT {} FROM population", named.join(", "));
    context.sql(&sql).await.map_err(|error| failed(&error))?;
    Ok(Prepared { context, program, sql, parts, counted: table.count.is_some() })
}

fn kind(data_type: &DataType) -> ColumnKind {
    match data_type {
        DataType::Boolean => ColumnKind::Boolean,
        DataType::Float16 | DataType::Float32 | DataType::Float64 | DataType::Decimal128(..) => {
            ColumnKind::Real
        }
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => ColumnKind::Text,
        DataType::Dictionary(_, values) => kind(values),
        other if other.is_integer() => ColumnKind::Integer,
        _ => ColumnKind::Other,
    }
}

/// An expression with its type made known, and whether it answers yes or no.
async fn typed(
    context: &SessionContext,
    item: &Item,
    level: usize,
    sql: &str,
) -> Result<(String, bool), Fault> {
    let alone = context
        .sql(&format!("SELECT ({sql}) AS c FROM population WHERE ({sql}) IS NOT NULL"))
        .await
        .map_err(|error| failed(&error).field(&item.fields[level]))?;
    let gives = alone.schema().field(0).data_type().clone();
    let number = gives.is_numeric();
    match item.yields {
        Yields::Probability | Yields::Known(_) => match gives {
            DataType::Boolean => Ok((format!("({sql})"), true)),
            _ if number || gives == DataType::Null => Ok((format!("CAST(({sql}) AS DOUBLE)"), false)),
            _ => Err(useless(item, level, Kind::NotProbability, "the expression gives text")),
        },
        Yields::Weight if number => Ok((format!("CAST(({sql}) AS DOUBLE)"), false)),
        Yields::Weight => Err(useless(item, level, Kind::Weight, "the weight is no number")),
        Yields::Text => Ok(match gives {
            DataType::Boolean => (format!("CAST(CAST(({sql}) AS BIGINT) AS VARCHAR)"), false),
            _ if gives.is_floating() => (format!("CAST(({sql}) AS DOUBLE)"), false),
            _ => (format!("CAST(({sql}) AS VARCHAR)"), false),
        }),
    }
}

async fn identifiers(context: &SessionContext, table: &Table<'_>) -> Result<(), Fault> {
    let Some(id) = table.id else { return Ok(()) };
    let id = quote(id);
    let sql = format!(
        "SELECT count(*) - count({id}) AS a, count({id}) - count(DISTINCT {id}) AS b FROM population"
    );
    let frame = context.sql(&sql).await.map_err(|error| failed(&error))?;
    let batches = frame.collect().await.map_err(|error| failed(&error))?;
    let number = |column: usize| -> i64 {
        batches
            .iter()
            .filter(|b| b.num_rows() > 0)
            .map(|b| b.column(column).as_primitive::<Int64Type>().value(0))
            .sum()
    };
    let (without, repeated) = (number(0), number(1));
    if without > 0 || repeated > 0 {
        return Err(Fault::new(
            Kind::Id,
            format!("{without} rows have no identifier, {repeated} have that of another row"),
            "Correct the table, or remove \"id\" if rows are not single candidates.",
        ));
    }
    Ok(())
}

/// What one thread found: packed keys, and the numbers of its texts.
struct Found {
    tally: Tally<u32>,
    listing: Listing,
}

async fn read(prepared: &Arc<Prepared>, options: &Options<'_>) -> Result<Listed, Fault> {
    let frame = prepared.context.sql(&prepared.sql).await.map_err(|error| failed(&error))?;
    let streams = frame.execute_stream_partitioned().await.map_err(|error| failed(&error))?;
    let shared = Arc::new((AtomicU64::new(0), AtomicBool::new(false)));
    // A task for each stream, so that they run on different threads.
    let tasks =
        streams.into_iter().map(|s| tokio::spawn(count(Arc::clone(prepared), s, Arc::clone(&shared))));
    let mut work = futures_util::future::join_all(tasks);
    let found = loop {
        if let Ok(found) = tokio::time::timeout(GLANCE, &mut work).await {
            break found;
        }
        let (rows, stop) = &*shared;
        stop.fetch_or(options.cancel.load(Ordering::Relaxed), Ordering::Relaxed);
        (options.progress)(Progress { rows: rows.load(Ordering::Relaxed), fraction: None });
    };
    if options.cancel.load(Ordering::Relaxed) {
        return Err(Fault::cancelled());
    }
    let mut listing = Listing::new(prepared.program.items.len());
    for found in found {
        let found = match found {
            Ok(found) => found?,
            Err(error) => std::panic::resume_unwind(error.into_panic()),
        };
        let strings = found.listing.finish();
        merge(prepared, &found.tally, &strings, &mut listing)?;
    }
    Ok(listing.finish())
}

/// Words that hold the yes/no items of a key.
fn bit_words(parts: &[Part]) -> usize {
    parts.iter().filter(|part| matches!(part, Part::Bit(_))).count().div_ceil(32)
}

/// Items of a key that take a word, in the order of the words.
fn word_items(parts: &[Part]) -> Vec<usize> {
    let mut items: Vec<usize> = parts
        .iter()
        .filter_map(|part| match part {
            Part::Bit(_) => None,
            Part::Code(item) | Part::Key { item, .. } => Some(*item),
        })
        .collect();
    items.dedup();
    items
}

async fn count(
    prepared: Arc<Prepared>,
    mut stream: SendableRecordBatchStream,
    shared: Arc<(AtomicU64, AtomicBool)>,
) -> Result<Found, Fault> {
    let words = bit_words(&prepared.parts);
    let width = words + word_items(&prepared.parts).len();
    let mut found = Found { tally: Tally::new(width), listing: Listing::new(prepared.program.items.len()) };
    while let Some(batch) = stream.next().await {
        if shared.1.load(Ordering::Relaxed) {
            return Err(Fault::cancelled());
        }
        let batch = batch.map_err(|error| failed(&error))?;
        shared.0.fetch_add(batch.num_rows() as u64, Ordering::Relaxed);
        count_batch(&prepared, &batch, words, width, &mut found)?;
    }
    Ok(found)
}

fn count_batch(
    prepared: &Prepared,
    batch: &RecordBatch,
    words: usize,
    width: usize,
    found: &mut Found,
) -> Result<(), Fault> {
    let rows = batch.num_rows();
    let mut keys = vec![0u32; rows * width];
    let (mut bit, mut word) = (0, words);
    let mut sets = Sets { item: usize::MAX, words: 0, sets: Vec::new() };
    for (part, column) in prepared.parts.iter().zip(batch.columns()) {
        if !matches!(part, Part::Key { item, .. } if *item == sets.item) && sets.item != usize::MAX {
            sets.flush(&mut keys, width, word, &mut found.listing)?;
            word += 1;
        }
        match *part {
            Part::Bit(_) => {
                let column = column.as_boolean();
                for row in 0..rows {
                    let yes = column.is_valid(row) && column.value(row);
                    keys[row * width + bit / 32] |= u32::from(yes) << (bit % 32);
                }
                bit += 1;
            }
            Part::Code(index) => {
                let item = &prepared.program.items[index];
                for row in 0..rows {
                    keys[row * width + word] = code(item, index, column, row, &mut found.listing)?;
                }
                word += 1;
            }
            Part::Key { item, level, key } => {
                let Yields::Known(domain) = prepared.program.items[item].yields else { continue };
                let values = &prepared.program.domains[domain];
                if sets.item != item {
                    sets = Sets::new(item, values.ancestors.len(), rows);
                }
                for row in 0..rows {
                    let p = probability(&prepared.program.items[item], level, column, row)?;
                    if p < prepared.program.certain {
                        let under =
                            values.ancestors.iter().enumerate().filter(|(_, a)| a[level] as usize == key);
                        under.for_each(|(value, _)| sets.clear(row, value));
                    }
                }
            }
        }
    }
    if sets.item != usize::MAX {
        sets.flush(&mut keys, width, word, &mut found.listing)?;
    }
    let counts = prepared.counted.then(|| batch.column(prepared.parts.len()).as_primitive::<Int64Type>());
    for row in 0..rows {
        let count = match counts {
            None => 1,
            Some(counts) if counts.is_null(row) || !(0..=1 << 40).contains(&counts.value(row)) => {
                return Err(Fault::new(
                    Kind::Count,
                    "a row does not say how many candidates it stands for",
                    "Write a whole number from 0 to 1099511627776 into the column that \"count\" names.",
                ));
            }
            Some(counts) => counts.value(row).unsigned_abs(),
        };
        if count > 0 {
            found.tally.add(&keys[row * width..(row + 1) * width], count).ok_or_else(overflow)?;
        }
    }
    Ok(())
}

/// Bit sets of one item, one for each row of a batch.
struct Sets {
    item: usize,
    words: usize,
    sets: Vec<u64>,
}

impl Sets {
    fn new(item: usize, values: usize, rows: usize) -> Self {
        let words = values.div_ceil(64);
        let mut sets = Self { item, words, sets: vec![u64::MAX; rows * words] };
        for row in 0..rows {
            (values..words * 64).for_each(|beyond| sets.clear(row, beyond));
        }
        sets
    }

    fn clear(&mut self, row: usize, value: usize) {
        self.sets[row * self.words + value / 64] &= !(1 << (value % 64));
    }

    fn flush(
        &mut self,
        keys: &mut [u32],
        width: usize,
        word: usize,
        listing: &mut Listing,
    ) -> Result<(), Fault> {
        for (row, set) in self.sets.chunks(self.words).enumerate() {
            let bytes: Vec<u8> = set.iter().flat_map(|word| word.to_le_bytes()).collect();
            keys[row * width + word] = listing.number(self.item, Some(&bytes))?;
        }
        self.item = usize::MAX;
        Ok(())
    }
}

fn probability(item: &Item, level: usize, column: &dyn Array, row: usize) -> Result<u32, Fault> {
    if column.is_null(row) {
        return Ok(0);
    }
    if let Some(column) = column.as_boolean_opt() {
        return Ok(if column.value(row) { 1000 } else { 0 });
    }
    permille(column.as_primitive::<Float64Type>().value(row)).ok_or_else(|| {
        useless(item, level, Kind::NotProbability, "the expression gives a number that is no probability")
    })
}

fn code(
    item: &Item,
    index: usize,
    column: &dyn Array,
    row: usize,
    listing: &mut Listing,
) -> Result<u32, Fault> {
    match item.yields {
        Yields::Probability | Yields::Known(_) => probability(item, 0, column, row),
        Yields::Weight if column.is_null(row) => Err(useless(item, 0, Kind::Weight, "the weight is null")),
        Yields::Weight => weight(column.as_primitive::<Float64Type>().value(row))
            .ok_or_else(|| useless(item, 0, Kind::Weight, "the weight is out of range")),
        Yields::Text if column.is_null(row) => listing.number(index, None),
        Yields::Text => match column.data_type() {
            DataType::Float64 => {
                let text = number_text(column.as_primitive::<Float64Type>().value(row));
                listing.number(index, Some(text.as_bytes()))
            }
            DataType::Utf8View => listing.number(index, Some(column.as_string_view().value(row).as_bytes())),
            DataType::LargeUtf8 => {
                listing.number(index, Some(column.as_string::<i64>().value(row).as_bytes()))
            }
            _ => listing.number(index, Some(column.as_string::<i32>().value(row).as_bytes())),
        },
    }
}

/// Unpacks one thread's keys into the common list.
fn merge(prepared: &Prepared, tally: &Tally<u32>, strings: &Listed, into: &mut Listing) -> Result<(), Fault> {
    use crate::reduce::{NULL, Tuples as _};
    let bits: Vec<usize> = prepared
        .parts
        .iter()
        .filter_map(|part| if let Part::Bit(item) = part { Some(*item) } else { None })
        .collect();
    let words = bit_words(&prepared.parts);
    let items = word_items(&prepared.parts);
    let mut codes = vec![0; prepared.program.items.len()];
    for class in 0..tally.len() {
        let key = tally.key(class);
        for (bit, &item) in bits.iter().enumerate() {
            codes[item] = if key[bit / 32] >> (bit % 32) & 1 == 1 { 1000 } else { 0 };
        }
        for (&item, &code) in items.iter().zip(&key[words..]) {
            let texts = strings.strings(item);
            codes[item] = match prepared.program.items[item].yields {
                Yields::Text | Yields::Known(_) if code != NULL => {
                    into.number(item, Some(&texts[code as usize]))?
                }
                _ => code,
            };
        }
        into.push(&codes, tally.counts[class]);
    }
    Ok(())
}
