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
use self::program::{Aim, Builder, Program};
use self::reduce::Tuples;
use self::sql::{Column, Dialect};

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
    run(report, population, options, Aim::Candidates, |program, tuples| {
        reduce::candidates(program, tuples, &names, &levels)
    })
}

/// What each candidate of one population (an index into the report's) could have reported.
pub fn worlds(report: &Report, population: usize, options: &Options<'_>) -> Result<Worlds, Error> {
    let (names, levels) = details(report);
    run(report, population, options, Aim::Worlds, |program, tuples| {
        reduce_worlds::worlds(program, tuples, &names, &levels)
    })
}

/// Both of one population, from one reading of its table.
pub fn candidates_and_worlds(
    report: &Report,
    population: usize,
    options: &Options<'_>,
) -> Result<(Candidates, Worlds), Error> {
    let (names, levels) = details(report);
    run(report, population, options, Aim::Both, |program, tuples| {
        let candidates = reduce::candidates(program, tuples, &names, &levels)?;
        Ok((candidates, reduce_worlds::worlds(program, tuples, &names, &levels)?))
    })
}

/// Whether the table is there, has the columns that are named, and its engine accepts all expressions.
pub fn check(report: &Report, population: usize, options: &Options<'_>) -> Result<(), Error> {
    let table = &report.populations[population];
    let checked = match &table.table {
        Table::Csv(_) | Table::Rows(..) => sqlite::Source::open(table, options.base).and_then(|source| {
            let program =
                compile(report, population, options, &source.columns, Dialect::Sqlite, Aim::Candidates)?;
            sqlite::check(&program, table, &source)
        }),
        #[cfg(feature = "datafusion")]
        Table::Parquet(path) => {
            let compile = |columns: &[Column]| {
                compile(report, population, options, columns, Dialect::DataFusion, Aim::Candidates)
            };
            parquet::check(&parquet_table(table, &options.base.join(path)), &compile, options)
        }
        #[cfg(not(feature = "datafusion"))]
        Table::Parquet(_) => Err(no_datafusion()),
        #[cfg(feature = "postgres")]
        Table::Postgres { url, relation } => {
            let compile = |columns: &[Column]| {
                compile(report, population, options, columns, Dialect::Postgres, Aim::Candidates)
            };
            postgres::check(&postgres_table(table, url, relation), &compile, options)
        }
        #[cfg(not(feature = "postgres"))]
        Table::Postgres { .. } => Err(no_postgres()),
    };
    checked.map_err(|fault| locate(fault, table))
}

fn run<T>(
    report: &Report,
    population: usize,
    options: &Options<'_>,
    aim: Aim,
    reduce: impl FnOnce(&Program, &dyn Tuples) -> Result<T, Fault>,
) -> Result<T, Error> {
    let table = &report.populations[population];
    let result = match &table.table {
        Table::Csv(_) | Table::Rows(..) => sqlite::Source::open(table, options.base).and_then(|source| {
            let program = compile(report, population, options, &source.columns, Dialect::Sqlite, aim)?;
            let tuples = sqlite::run(&program, table, source, options)?;
            reduce(&program, &tuples)
        }),
        #[cfg(feature = "datafusion")]
        Table::Parquet(path) => {
            let compile =
                |columns: &[Column]| compile(report, population, options, columns, Dialect::DataFusion, aim);
            parquet::run(&parquet_table(table, &options.base.join(path)), &compile, options)
                .and_then(|(program, tuples)| reduce(&program, &tuples))
        }
        #[cfg(not(feature = "datafusion"))]
        Table::Parquet(_) => Err(no_datafusion()),
        #[cfg(feature = "postgres")]
        Table::Postgres { url, relation } => {
            let compile =
                |columns: &[Column]| compile(report, population, options, columns, Dialect::Postgres, aim);
            postgres::run(&postgres_table(table, url, relation), &compile, options)
                .and_then(|(program, tuples)| reduce(&program, &tuples))
        }
        #[cfg(not(feature = "postgres"))]
        Table::Postgres { .. } => Err(no_postgres()),
    };
    result.map_err(|fault| locate(fault, table))
}

fn compile(
    report: &Report,
    population: usize,
    options: &Options<'_>,
    columns: &[Column],
    dialect: Dialect,
    aim: Aim,
) -> Result<Program, Fault> {
    Builder { report, population, base: options.base, columns, dialect, aim }.build()
}

#[cfg(feature = "datafusion")]
fn parquet_table<'r>(population: &'r Population, path: &'r Path) -> parquet::Table<'r> {
    parquet::Table {
        population: &population.id,
        path,
        count: population.count_column.as_deref(),
        id: population.id_column.as_deref(),
    }
}

#[cfg(not(feature = "datafusion"))]
fn no_datafusion() -> Fault {
    Fault::new(
        Kind::NotBuilt,
        "this program was built without Apache DataFusion, which reads Parquet files",
        "Build it with --features datafusion, or convert the table to CSV.",
    )
}

#[cfg(feature = "postgres")]
fn postgres_table<'r>(population: &'r Population, url: &'r str, relation: &'r str) -> postgres::Table<'r> {
    postgres::Table {
        population: &population.id,
        url,
        relation,
        count: population.count_column.as_deref(),
        id: population.id_column.as_deref(),
    }
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
