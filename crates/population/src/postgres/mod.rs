//! Tables in `PostgreSQL`: the server itself groups the candidates, and only groups travel.
//!
//! Everything runs in one read-only transaction with one snapshot. What the expressions may do is decided before
//! they get here (see `sql`); that they cannot write is also seen to by the transaction.

mod query;

use std::str::FromStr;

use futures_util::TryStreamExt as _;
use sqlx::postgres::{PgConnectOptions, PgConnection, PgRow};
use sqlx::{
    AssertSqlSafe, Column as _, Connection as _, Executor as _, Row as _, SqlSafeStr as _, Statement as _,
    TypeInfo as _,
};

use self::query::{Gives, Query};
use crate::error::{Fault, Kind};
use crate::job::{Answer, Compiled, Job, watched};
use crate::listed::{Listed, Listing};
use crate::program::{Program, Yields, out_of_range};
use crate::reduce::Tuples;
use crate::sql::{Column, Dialect, quote};
use crate::values::{ColumnKind, number_text};
use crate::{Options, Progress};

/// Longest that one statement may take, in seconds.
const STATEMENT_SECONDS: u32 = 1800;

/// Lets the server compile every expression.
pub(crate) fn check(job: &Job<'_>, url: &str, relation: &str) -> Result<(), Fault> {
    in_runtime(url, job.options, async |connection| prepare(connection, job, relation).await.map(drop))
}

/// Evaluates all items for all rows.
pub(crate) fn run(job: &Job<'_>, url: &str, relation: &str) -> Result<Answer, Fault> {
    in_runtime(url, job.options, async |connection| {
        let prepared = prepare(connection, job, relation).await?;
        identifiers(connection, job, &prepared).await?;
        let listed = match read(connection, job, &prepared).await {
            Ok(listed) => listed,
            Err(Failure::Fault(fault)) => return Err(fault),
            Err(Failure::Sql(error)) => return Err(blame(connection, &prepared, error).await),
        };
        Ok((prepared.program, Box::new(listed) as Box<dyn Tuples>))
    })
}

/// Runs a job in a transaction on a connection of its own, and stops the server when the cancel flag is set.
fn in_runtime<T>(
    url: &str,
    options: &Options<'_>,
    job: impl AsyncFnOnce(&mut PgConnection) -> Result<T, Fault>,
) -> Result<T, Fault> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(|error| {
        Fault::new(Kind::Connection, format!("cannot start: {error}"), "Close other programs and try again.")
    })?;
    runtime.block_on(async {
        let target = PgConnectOptions::from_str(url)
            .map_err(|_| {
                Fault::new(
                    Kind::Connection,
                    "the URL cannot be read",
                    "Write it like postgres://user@host/database, without a password.",
                )
            })?
            .application_name("tearline")
            .statement_cache_capacity(0);
        let mut connection = watched(options, PgConnection::connect_with(&target)).await?.map_err(|e| refused(&e))?;
        let process: i32 = sqlx::query_scalar("SELECT pg_backend_pid()")
            .fetch_one(&mut connection)
            .await
            .map_err(|error| refused(&error))?;
        let work = async {
            let begin = format!(
                "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SET LOCAL statement_timeout = '{STATEMENT_SECONDS}s'; \
                 SET LOCAL standard_conforming_strings = on; SET LOCAL extra_float_digits = 1"
            );
            connection.execute(AssertSqlSafe(begin)).await.map_err(|error| refused(&error))?;
            job(&mut connection).await
        };
        let result = watched(options, work).await;
        if matches!(&result, Err(fault) if fault.kind == Kind::Cancelled) {
            // The server goes on until it is told: a closed connection it only notices when it answers.
            if let Ok(mut other) = PgConnection::connect_with(&target).await {
                let told = sqlx::query("SELECT pg_cancel_backend($1)").bind(process).execute(&mut other).await;
                drop(told);
            }
        }
        result?
    })
}

/// Connection errors, without the URL.
fn refused(error: &sqlx::Error) -> Fault {
    let what = match error {
        sqlx::Error::Database(error) => error.message().to_owned(),
        sqlx::Error::Io(error) => error.to_string(),
        sqlx::Error::Tls(error) => error.to_string(),
        _ => "the connection failed".to_owned(),
    };
    Fault::new(
        Kind::Connection,
        format!("PostgreSQL cannot be asked: {what}"),
        "Check host, port, user and database; give a password in PGPASSWORD or a password file (PGPASSFILE).",
    )
}

/// What went wrong while rows were evaluated.
fn failed(error: &sqlx::Error) -> Fault {
    let sqlx::Error::Database(error) = error else { return refused(error) };
    match error.code().as_deref() {
        Some("57014") => Fault::new(
            Kind::Timeout,
            format!("the query took longer than {STATEMENT_SECONDS} seconds, or was cancelled on the server"),
            "Let the relation be a table with fewer rows, or simplify the predicates.",
        ),
        Some("42501") => Fault::new(
            Kind::Connection,
            format!("PostgreSQL: {}", error.message()),
            "Grant SELECT on the relation to the user.",
        ),
        _ => Fault::new(
            Kind::Sql,
            format!("PostgreSQL: {}", hidden(error.message())),
            "Correct the expression; see docs/formats/predicates.md.",
        ),
    }
}

/// Messages about a value quote it: `invalid input syntax for type integer: "…"`. A row's contents stay hidden.
fn hidden(message: &str) -> String {
    match message.split_once(": \"") {
        Some((start, _)) if start.contains("invalid") || start.contains("out of range") => start.to_owned(),
        _ => message.to_owned(),
    }
}

/// What is ready to run.
struct Prepared {
    program: Program,
    query: Query,
    /// The relation's name, as the server writes it.
    relation: String,
    /// The column that tells rows apart, quoted.
    id: Option<String>,
}

/// Resolves the relation and its columns, compiles, and has every expression prepared alone.
async fn prepare(connection: &mut PgConnection, job: &Job<'_>, name: &str) -> Result<Prepared, Fault> {
    let missing = || {
        Fault::new(Kind::Missing, "there is no such table or view", "Write its name as SCHEMA.TABLE.")
            .field(&job.field("relation"))
    };
    let relation: Option<String> = sqlx::query_scalar("SELECT CAST(to_regclass($1) AS text)")
        .bind(name)
        .fetch_one(&mut *connection)
        .await
        .map_err(|_| missing())?;
    let relation = relation.ok_or_else(missing)?;
    let columns: Vec<Column> = sqlx::query(
        "SELECT a.attname::text, t.typname::text FROM pg_catalog.pg_attribute a \
         JOIN pg_catalog.pg_type t ON t.oid = CASE WHEN a.atttypid = 0 THEN 25 ELSE a.atttypid END \
         WHERE a.attrelid = to_regclass($1) AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum",
    )
    .bind(name)
    .try_map(|row: PgRow| Ok(Column { name: row.try_get(0)?, kind: kind(row.try_get::<&str, _>(1)?) }))
    .fetch_all(&mut *connection)
    .await
    .map_err(|error| refused(&error))?;
    let Compiled { program, count, id } = job.compile(&columns, Dialect::Postgres)?;
    job.check_count(&columns, count)?;
    let mut gives = Vec::with_capacity(program.items.len());
    for item in &program.items {
        let mut of_item = Vec::new();
        for (level, sql) in item.sql.iter().enumerate() {
            let sql = match item.yields {
                Yields::Known(domain) => {
                    let keys: Vec<_> = program.domains[domain].keys[level].iter().collect();
                    let value = format!("CAST(NULL AS {})", query::key_type(&keys));
                    item.expressions[level].write(Dialect::Postgres, &columns, &value)
                }
                _ => sql.clone(),
            };
            // A WHERE clause admits no aggregates, windows or set-returning functions.
            let alone = format!("SELECT ({sql}) FROM {relation} WHERE ({sql}) IS NOT NULL");
            let statement = connection
                .prepare(AssertSqlSafe(alone).into_sql_str())
                .await
                .map_err(|error| failed(&error).field(&item.fields[level]))?;
            let type_name = statement.columns().first().map(|column| column.type_info().name().to_owned());
            of_item.push(Gives::of(type_name.as_deref().unwrap_or_default()));
        }
        gives.push(of_item);
    }
    let count = count.map(|column| columns[column].name.as_str());
    let query = query::write(&program, &gives, &columns, &relation, count)?;
    let id = id.map(|column| quote(&columns[column].name));
    Ok(Prepared { program, query, relation, id })
}

fn kind(type_name: &str) -> ColumnKind {
    match type_name {
        "int2" | "int4" | "int8" => ColumnKind::Integer,
        "float4" | "float8" | "numeric" => ColumnKind::Real,
        "text" | "varchar" | "bpchar" => ColumnKind::Text,
        "bool" => ColumnKind::Boolean,
        _ => ColumnKind::Other,
    }
}

async fn identifiers(connection: &mut PgConnection, job: &Job<'_>, prepared: &Prepared) -> Result<(), Fault> {
    let Prepared { relation, id: Some(id), .. } = prepared else { return Ok(()) };
    let sql = format!("SELECT count(*) - count({id}), count({id}) - count(DISTINCT {id}) FROM {relation}");
    let (without, repeated): (i64, i64) = sqlx::query_as(AssertSqlSafe(sql))
        .fetch_one(&mut *connection)
        .await
        .map_err(|error| failed(&error))?;
    job.check_identifiers(without, repeated)
}

enum Failure {
    Fault(Fault),
    Sql(sqlx::Error),
}

async fn read(
    connection: &mut PgConnection,
    job: &Job<'_>,
    Prepared { program, query, .. }: &Prepared,
) -> Result<Listed, Failure> {
    let mut listing = Listing::new(program.items.len());
    let mut codes = vec![0; program.items.len()];
    let mut rows = sqlx::query(AssertSqlSafe(query.sql.clone())).fetch(connection);
    let mut candidates = 0u64;
    while let Some(row) = rows.try_next().await.map_err(Failure::Sql)? {
        let numbers: Vec<i32> = row.try_get(0).map_err(Failure::Sql)?;
        let texts: Vec<Option<String>> = row.try_get(1).map_err(Failure::Sql)?;
        let count: String = row.try_get(2).map_err(Failure::Sql)?;
        let count: u64 = count.parse().map_err(|_| Failure::Fault(crate::reduce::overflow()))?;
        if numbers.last() != Some(&0) {
            return Err(Failure::Fault(job.bad_count(count)));
        }
        for (&item, &number) in query.numbers.iter().zip(&numbers) {
            codes[item] = u32::try_from(number)
                .map_err(|_| Failure::Fault(out_of_range(&program.items[item], 0, count)))?;
        }
        for (&(item, number), text) in query.texts.iter().zip(&texts) {
            let bytes = text.as_ref().map(|text| match program.items[item].yields {
                Yields::Known(_) => bits(text),
                _ if number => text.parse().map_or_else(|_| text.clone(), number_text).into_bytes(),
                _ => text.clone().into_bytes(),
            });
            codes[item] = listing.number(item, bytes.as_deref()).map_err(Failure::Fault)?;
        }
        listing.push(&codes, count);
        candidates = candidates.saturating_add(count);
        (job.options.progress)(Progress { rows: candidates, fraction: None });
    }
    Ok(listing.finish())
}

/// Ones and zeros as the bytes of words of 64 bits, the least significant first.
fn bits(text: &str) -> Vec<u8> {
    let mut bytes = vec![0; text.len().div_ceil(64) * 8];
    for (at, digit) in text.bytes().enumerate() {
        bytes[at / 8] |= u8::from(digit == b'1') << (at % 8);
    }
    bytes
}

/// Finds the expression at which the server failed, by asking it for each alone.
async fn blame(connection: &mut PgConnection, prepared: &Prepared, error: sqlx::Error) -> Fault {
    let fault = failed(&error);
    if fault.kind != Kind::Sql || connection.execute("ROLLBACK").await.is_err() {
        return fault;
    }
    let Prepared { program, relation, .. } = prepared;
    let plain = program.items.iter().filter(|item| !matches!(item.yields, Yields::Known(_)));
    for item in plain {
        let sql = format!("SELECT count({}) FROM {relation}", item.sql[0]);
        let begin = format!("BEGIN READ ONLY; SET LOCAL statement_timeout = '{STATEMENT_SECONDS}s'");
        if connection.execute(AssertSqlSafe(begin)).await.is_err() {
            break;
        }
        if connection.execute(AssertSqlSafe(sql)).await.is_err() {
            return fault.field(&item.fields[0]);
        }
        if connection.execute("ROLLBACK").await.is_err() {
            break;
        }
    }
    fault
}
