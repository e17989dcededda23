//! Parquet files, evaluated by Apache `DataFusion`.
//!
//! One query evaluates all expressions, batch by batch, on several threads; results are counted as they come (see
//! `count`), so memory grows with the number of different results and not with the table.

mod count;
mod file;
mod meaning;
mod plan;

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use datafusion::arrow::array::AsArray;
use datafusion::arrow::datatypes::{DataType, Int64Type};
use datafusion::arrow::error::ArrowError;
use datafusion::config::ConfigNonZeroUsize;
use datafusion::error::DataFusionError;
use datafusion::execution::SessionStateBuilder;
use datafusion::physical_plan::execute_stream_partitioned;
use datafusion::prelude::{ParquetReadOptions, SessionConfig, SessionContext};
use futures_util::TryStreamExt as _;
use hashbrown::DefaultHashBuilder;

use self::count::Count;
use self::file::Files;
use self::plan::{Plan, plan};
use crate::Progress;
use crate::error::{Fault, Kind};
use crate::job::{Answer, Compiled, GLANCE, Job, watched};
use crate::listed::{Listed, Listing};
use crate::program::Yields;
use crate::reduce::Tuples;
use crate::sql::{Column, Dialect, quote};
use crate::values::ColumnKind;

/// The stack of threads that work on expressions: the engine descends into them, and a sum of a thousand terms is a
/// thousand levels deep. Only what is used of it takes memory.
const STACK: usize = 256 << 20;

/// How deep parentheses may be nested.
const NESTED: usize = 256;

/// Lets the engine compile every expression.
pub(crate) fn check(job: &Job<'_>, path: &Path) -> Result<(), Fault> {
    let files = Files::find(path)?;
    let runtime = runtime(job)?;
    prepare(job, &files, &runtime).map(drop)
}

/// Evaluates all items for all rows.
pub(crate) fn run(job: &Job<'_>, path: &Path) -> Result<Answer, Fault> {
    let files = Files::find(path)?;
    let runtime = runtime(job)?;
    let prepared = Arc::new(prepare(job, &files, &runtime)?);
    let listed = match runtime.block_on(read(job, &prepared)) {
        Ok(listed) => listed,
        Err(Failure::Fault(fault)) => return Err(fault),
        Err(Failure::Engine(error)) => {
            // A file that is being written is first of all that.
            files.check_unchanged()?;
            return Err(runtime.block_on(blame(job, &prepared, &error)));
        }
    };
    files.check_unchanged()?;
    let prepared = Arc::into_inner(prepared).ok_or_else(Fault::cancelled)?;
    Ok((prepared.compiled.program, Box::new(listed) as Box<dyn Tuples>))
}

fn runtime(job: &Job<'_>) -> Result<tokio::runtime::Runtime, Fault> {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(job.options.threads.max(1))
        .thread_stack_size(STACK)
        .enable_all()
        .build()
        .map_err(|error| Fault::new(Kind::Unreadable, format!("cannot start: {error}"), "Try again."))
}

/// What is ready to run.
struct Prepared {
    context: SessionContext,
    columns: Vec<Column>,
    compiled: Compiled,
    plan: Plan,
}

fn prepare(job: &Job<'_>, files: &Files, runtime: &tokio::runtime::Runtime) -> Result<Prepared, Fault> {
    let context = session(job.options.threads.max(1));
    let columns = runtime.block_on(watched(job.options, open(&context, files)))??;
    let compiled = job.compile(&columns, Dialect::DataFusion)?;
    job.check_count(&columns, compiled.count)?;
    let plan = std::thread::scope(|scope| {
        let work = || runtime.block_on(plan(&context, &compiled, &columns));
        let planner = std::thread::Builder::new().stack_size(STACK).spawn_scoped(scope, work);
        match planner.map(std::thread::ScopedJoinHandle::join) {
            Ok(Ok(plan)) => plan,
            Ok(Err(panic)) => std::panic::resume_unwind(panic),
            Err(error) => Err(Fault::new(Kind::Unreadable, format!("cannot start: {error}"), "Try again.")),
        }
    })?;
    Ok(Prepared { context, columns, compiled, plan })
}

fn session(threads: usize) -> SessionContext {
    let mut config = SessionConfig::new().with_target_partitions(threads);
    let options = config.options_mut();
    // Deep enough for anything that people write, and shallow enough for the stack.
    options.sql_parser.recursion_limit = ConfigNonZeroUsize::try_new(NESTED).expect("it is not zero");
    let state = SessionStateBuilder::new().with_config(config).with_default_features();
    SessionContext::new_with_state(meaning::with_rules(state).build())
}

/// Registers the table; its columns.
async fn open(context: &SessionContext, files: &Files) -> Result<Vec<Column>, Fault> {
    let options = ParquetReadOptions { file_extension: files.extension(), ..ParquetReadOptions::default() };
    context.register_parquet("population", files.url()?, options).await.map_err(|error| damaged(&error))?;
    let frame = context.table("population").await.map_err(|error| damaged(&error))?;
    let fields = frame.schema().fields();
    if fields.is_empty() {
        return Err(Fault::new(
            Kind::Unreadable,
            "the file is empty",
            "It may be incomplete: write it again.",
        ));
    }
    let fields = fields.iter();
    Ok(fields.map(|field| Column { name: field.name().clone(), kind: kind(field.data_type()) }).collect())
}

fn kind(data_type: &DataType) -> ColumnKind {
    match data_type {
        DataType::Boolean => ColumnKind::Boolean,
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => ColumnKind::Text,
        DataType::Dictionary(_, values) => kind(values),
        other if other.is_integer() => ColumnKind::Integer,
        other if other.is_numeric() => ColumnKind::Real,
        _ => ColumnKind::Other,
    }
}

fn damaged(error: &DataFusionError) -> Fault {
    Fault::new(
        Kind::Unreadable,
        format!("cannot be read as Parquet: {}", error.find_root().strip_backtrace()),
        "The file may be incomplete or damaged: write it again.",
    )
}

/// An error while rows were evaluated. The engine's own words may quote what a row holds.
fn broke(error: &DataFusionError) -> Fault {
    let what = match error.find_root() {
        DataFusionError::ParquetError(_) | DataFusionError::IoError(_) | DataFusionError::ObjectStore(_) => {
            return damaged(error);
        }
        DataFusionError::ArrowError(error, _) => match &**error {
            ArrowError::ParquetError(_) | ArrowError::IoError(..) => {
                return Fault::new(Kind::Unreadable, "the file is damaged or incomplete", "Write it again.");
            }
            ArrowError::DivideByZero => "a whole number is divided by zero",
            ArrowError::CastError(_) | ArrowError::ParseError(_) => "a value cannot be cast",
            ArrowError::ArithmeticOverflow(_) => "a whole number leaves 64 bits",
            _ => "a row cannot be evaluated",
        },
        DataFusionError::ResourcesExhausted(_) => "the memory does not suffice",
        _ => "a row cannot be evaluated",
    };
    Fault::new(
        Kind::Sql,
        format!("DataFusion cannot evaluate the expression: {what}"),
        "Guard it with CASE where it cannot be evaluated; see docs/formats/predicates.md.",
    )
}

enum Failure {
    Fault(Fault),
    Engine(DataFusionError),
}

impl From<Fault> for Failure {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

/// What the tasks share with the thread that waits for them.
#[derive(Debug, Default)]
struct Shared {
    rows: AtomicU64,
    stop: AtomicBool,
    hasher: DefaultHashBuilder,
}

async fn read(job: &Job<'_>, prepared: &Arc<Prepared>) -> Result<Listed, Failure> {
    let Prepared { context, compiled, plan, .. } = &**prepared;
    let streams = execute_stream_partitioned(Arc::clone(&plan.physical), context.task_ctx())
        .map_err(Failure::Engine)?;
    let shared = Arc::new(Shared::default());
    (job.options.progress)(Progress { rows: 0, fraction: plan.rows.map(|_| 0.0) });
    // A task for each stream, so that they run on different threads.
    let tasks =
        streams.into_iter().map(|s| tokio::spawn(count::run(Arc::clone(prepared), s, Arc::clone(&shared))));
    let mut work = futures_util::future::join_all(tasks);
    let found = loop {
        if let Ok(found) = tokio::time::timeout(GLANCE, &mut work).await {
            break found;
        }
        shared.stop.fetch_or(job.options.cancel.load(Ordering::Relaxed), Ordering::Relaxed);
        let rows = shared.rows.load(Ordering::Relaxed);
        #[expect(clippy::cast_precision_loss, reason = "for display")]
        let fraction = plan.rows.map(|all| (rows as f64 / all.max(1) as f64).min(1.0));
        (job.options.progress)(Progress { rows, fraction });
    };
    if job.options.cancel.load(Ordering::Relaxed) {
        return Err(Fault::cancelled().into());
    }
    let mut counts = Vec::new();
    for found in found {
        counts.push(match found {
            Ok(found) => found?,
            Err(error) => std::panic::resume_unwind(error.into_panic()),
        });
    }
    let hashes = Count::judge(&mut counts, job, &compiled.program)?;
    if hashes.is_some_and(|(without, repeated)| without > 0 || repeated > 0) {
        // Equal hashes are a suspicion; the engine compares what they stand for.
        identifiers(job, prepared).await?;
    }
    let mut listing = Listing::new(compiled.program.items.len());
    for count in counts {
        count.merge(&compiled.program, &plan.parts, &mut listing)?;
    }
    Ok(listing.finish())
}

async fn identifiers(job: &Job<'_>, prepared: &Prepared) -> Result<(), Failure> {
    let Some(id) = prepared.compiled.id.map(|column| quote(&prepared.columns[column].name)) else {
        return Ok(());
    };
    let sql = format!(
        "SELECT count(*) - count({id}) AS a, count({id}) - count(DISTINCT {id}) AS b FROM population"
    );
    let ask = async { prepared.context.sql(&sql).await?.collect().await };
    let batches = watched(job.options, ask).await?.map_err(Failure::Engine)?;
    let number = |column: usize| -> i64 {
        let batches = batches.iter().filter(|batch| batch.num_rows() > 0);
        batches.map(|batch| batch.column(column).as_primitive::<Int64Type>().value(0)).sum()
    };
    Ok(job.check_identifiers(number(0), number(1))?)
}

/// Finds the expression at which the engine failed, by asking it for each alone.
async fn blame(job: &Job<'_>, prepared: &Prepared, error: &DataFusionError) -> Fault {
    let fault = broke(error);
    if fault.kind != Kind::Sql {
        return fault;
    }
    let plain = prepared.compiled.program.items.iter();
    for item in plain.filter(|item| !matches!(item.yields, Yields::Known(_))) {
        let sql = format!("SELECT ({}) AS c FROM population", item.sql[0]);
        let ask = async {
            let mut stream = prepared.context.sql(&sql).await?.execute_stream().await?;
            while stream.try_next().await?.is_some() {}
            Ok(())
        };
        match watched(job.options, ask).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => return broke(&error).field(&item.fields[0]),
            Err(cancelled) => return cancelled,
        }
    }
    fault
}
