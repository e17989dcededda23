//! Reads populations with existing SQL engines and reduces them to what planning needs.
//!
//! [`candidates`] gives the signature classes of one population for a report as it is; [`worlds`] gives the reports
//! that might have been, [`candidates_and_worlds`] both; [`check`] finds what can be found wrong without reading all of the table. CSV files and
//! typed rows are evaluated by an embedded `SQLite`, `PostgreSQL` tables by their own server (feature `postgres`, on by
//! default), Parquet files by Apache `DataFusion` (feature `datafusion`). The expressions' language is described in
//! `docs/formats/predicates.md`; it means the same on all of them, and so do the classes, which come in an order
//! that depends neither on the engine nor on the number of threads.

mod chunk;
mod csv_file;
mod domain;
mod error;
mod job;
#[cfg(any(feature = "postgres", feature = "datafusion"))]
mod listed;
#[cfg(feature = "datafusion")]
mod parquet;
#[cfg(feature = "postgres")]
mod postgres;
mod program;
mod reduce;
mod reduce_worlds;
mod sql;
mod sqlite;
mod tally;
mod values;

use std::path::Path;
use std::sync::atomic::AtomicBool;

use tearline_model::candidates::Candidates;
use tearline_model::report::{Population, Report, Table};
use tearline_model::worlds::Worlds;

use self::error::Fault;
pub use self::error::{Error, Kind};
use self::job::Job;
use self::program::{Aim, Program};
use self::reduce::Tuples;

/// How to read.
pub struct Options<'a> {
    /// The folder that the report file lies in: paths in the report are relative to it.
    pub base: &'a Path,
    /// Told now and then how far it is, on the calling thread.
    pub progress: &'a dyn Fn(Progress),
    /// Set it to stop early; the answer is then an error of the kind [`Kind::Cancelled`].
    pub cancel: &'a AtomicBool,
    /// Threads that evaluate, besides the calling one, which reads; at least 1.
    pub threads: usize,
}

/// How far the reading is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Progress {
    /// Rows handed to the engine so far.
    pub rows: u64,
    /// Share of the table read so far, 0 to 1, if it can be told.
    pub fraction: Option<f64>,
}

/// The candidates of one population (an index into the report's), as signature classes in ascending order.
pub fn candidates(report: &Report, population: usize, options: &Options<'_>) -> Result<Candidates, Error> {
    let (names, levels) = details(report);
    let job = Job { report, population, options, aim: Aim::Candidates };
    run(&job, |program, tuples| reduce::candidates(program, tuples, &names, &levels))
}

/// What each candidate of one population (an index into the report's) could have reported.
pub fn worlds(report: &Report, population: usize, options: &Options<'_>) -> Result<Worlds, Error> {
    let (names, levels) = details(report);
    let job = Job { report, population, options, aim: Aim::Worlds };
    run(&job, |program, tuples| reduce_worlds::worlds(program, tuples, &names, &levels))
}

/// Both of one population, from one reading of its table.
pub fn candidates_and_worlds(
    report: &Report,
    population: usize,
    options: &Options<'_>,
) -> Result<(Candidates, Worlds), Error> {
    let (names, levels) = details(report);
    let job = Job { report, population, options, aim: Aim::Both };
    run(&job, |program, tuples| {
        let candidates = reduce::candidates(program, tuples, &names, &levels)?;
        Ok((candidates, reduce_worlds::worlds(program, tuples, &names, &levels)?))
    })
}

/// Whether the table is there, has the columns that are named, and its engine accepts all expressions.
pub fn check(report: &Report, population: usize, options: &Options<'_>) -> Result<(), Error> {
    let job = Job { report, population, options, aim: Aim::Candidates };
    let checked = match &job.table().table {
        Table::Csv(_) | Table::Rows(..) => sqlite::check(&job),
        #[cfg(feature = "datafusion")]
        Table::Parquet(path) => parquet::check(&job, &options.base.join(path)),
        #[cfg(not(feature = "datafusion"))]
        Table::Parquet(_) => Err(no_datafusion()),
        #[cfg(feature = "postgres")]
        Table::Postgres { url, relation } => postgres::check(&job, url, relation),
        #[cfg(not(feature = "postgres"))]
        Table::Postgres { .. } => Err(no_postgres()),
    };
    checked.map_err(|fault| locate(fault, job.table()))
}

fn run<T>(job: &Job<'_>, reduce: impl FnOnce(&Program, &dyn Tuples) -> Result<T, Fault>) -> Result<T, Error> {
    let answer = match &job.table().table {
        Table::Csv(_) | Table::Rows(..) => sqlite::run(job),
        #[cfg(feature = "datafusion")]
        Table::Parquet(path) => parquet::run(job, &job.options.base.join(path)),
        #[cfg(not(feature = "datafusion"))]
        Table::Parquet(_) => Err(no_datafusion()),
        #[cfg(feature = "postgres")]
        Table::Postgres { url, relation } => postgres::run(job, url, relation),
        #[cfg(not(feature = "postgres"))]
        Table::Postgres { .. } => Err(no_postgres()),
    };
    answer
        .and_then(|(program, tuples)| reduce(&program, &*tuples))
        .map_err(|fault| locate(fault, job.table()))
}

#[cfg(not(feature = "datafusion"))]
fn no_datafusion() -> Fault {
    Fault::new(
        Kind::NotBuilt,
        "this program was built without Apache DataFusion, which reads Parquet files",
        "Build it with it (cargo build --release -p tearline --features datafusion), or convert the table to CSV.",
    )
}

#[cfg(not(feature = "postgres"))]
fn no_postgres() -> Fault {
    Fault::new(
        Kind::NotBuilt,
        "this program was built without PostgreSQL",
        "Build it with --features postgres, or export the table as CSV.",
    )
}

/// The details' names and their numbers of levels.
fn details(report: &Report) -> (Vec<String>, Vec<usize>) {
    report.details.iter().map(|detail| (detail.id.clone(), detail.levels.len())).unzip()
}

fn locate(fault: Fault, population: &Population) -> Error {
    let table = match &population.table {
        Table::Rows(..) => "typed rows",
        Table::Csv(path) | Table::Parquet(path) => path,
        // The URL is not shown: it may hold credentials in ways that nobody thought of.
        Table::Postgres { relation, .. } => relation,
    };
    fault.of(&population.id, table)
}
