//! Tables in `PostgreSQL`: the server itself groups the candidates, and only groups travel.
//!
//! Everything runs in one read-only transaction with one snapshot. What the expressions may do is decided before
//! they get here (see `sql`); that they cannot write is also seen to by the transaction.

mod query;

use std::str::FromStr;
use std::sync::atomic::Ordering;
use std::time::Duration;

use futures_util::TryStreamExt as _;
use sqlx::postgres::{PgConnectOptions, PgConnection, PgRow};
use sqlx::{
    AssertSqlSafe, Column as _, Connection as _, Executor as _, Row as _, SqlSafeStr as _, Statement as _,
    TypeInfo as _,
};

use self::query::{Gives, Query};
use crate::error::{Fault, Kind};
use crate::listed::{Listed, Listing};
use crate::program::{Program, Yields, useless};
use crate::sql::{Column, find, quote, unknown};
use crate::values::{ColumnKind, number_text};
use crate::{Options, Progress};

/// Longest that one statement may take, in seconds.
const STATEMENT_SECONDS: u32 = 1800;

/// How often the cancel flag is looked at.
const GLANCE: Duration = Duration::from_millis(50);

/// What is to be read, and by what names.
pub(crate) struct Table<'r> {
    pub(crate) population: &'r str,
    pub(crate) url: &'r str,
    pub(crate) relation: &'r str,
    pub(crate) count: Option<&'r str>,
    pub(crate) id: Option<&'r str>,
}

/// Compiles a program once the columns are known.
pub(crate) type Compile<'c> = dyn Fn(&[Column]) -> Result<Program, Fault> + 'c;

/// Lets the server compile every expression.
pub(crate) fn check(table: &Table<'_>, compile: &Compile<'_>, options: &Options<'_>) -> Result<(), Fault> {
    in_runtime(table, options, async |connection| prepare(connection, table, compile).await.map(drop))
}

/// Evaluates all items for all rows.
pub(crate) fn run(
    table: &Table<'_>,
    compile: &Compile<'_>,
    options: &Options<'_>,
) -> Result<(Program, Listed), Fault> {
    in_runtime(table, options, async |connection| {
        let (program, query) = prepare(connection, table, compile).await?;
        identifiers(connection, table).await?;
        let listed = match read(connection, &program, &query, options).await {
            Ok(listed) => listed,
            Err(Failure::Fault(fault)) => return Err(fault),
            Err(Failure::Sql(error)) => return Err(blame(connection, &program, table, error).await),
        };
        Ok((program, listed))
    })
}

/// Runs a job in a transaction on a connection of its own, and stops the server when the cancel flag is set.
fn in_runtime<T>(
    table: &Table<'_>,
    options: &Options<'_>,
    job: impl AsyncFnOnce(&mut PgConnection) -> Result<T, Fault>,
) -> Result<T, Fault> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(|error| {
        Fault::new(Kind::Connection, format!("cannot start: {error}"), "Close other programs and try again.")
    })?;
    runtime.block_on(async {
        let target = PgConnectOptions::from_str(table.url)
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

/// Waits for something, but not when the work is cancelled.
async fn watched<T>(options: &Options<'_>, future: impl Future<Output = T>) -> Result<T, Fault> {
    let mut future = std::pin::pin!(future);
    loop {
        if options.cancel.load(Ordering::Relaxed) {
            return Err(Fault::cancelled());
        }
        if let Ok(result) = tokio::time::timeout(GLANCE, &mut future).await {
            return Ok(result);
        }
    }
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

/// Resolves the relation and its columns, compiles, and has every expression prepared alone.
async fn prepare(
    connection: &mut PgConnection,
    table: &Table<'_>,
    compile: &Compile<'_>,
) -> Result<(Program, Query), Fault> {
    let missing = || {
        Fault::new(Kind::Missing, "there is no such table or view", "Write its name as SCHEMA.TABLE.")
            .field(&format!("population.{}.relation", table.population))
    };
    let relation: Option<String> = sqlx::query_scalar("SELECT CAST(to_regclass($1) AS text)")
        .bind(table.relation)
        .fetch_one(&mut *connection)
        .await
        .map_err(|_| missing())?;
    let relation = relation.ok_or_else(missing)?;
    let columns: Vec<Column> = sqlx::query(
        "SELECT a.attname::text, t.typname::text FROM pg_catalog.pg_attribute a \
         JOIN pg_catalog.pg_type t ON t.oid = CASE WHEN a.atttypid = 0 THEN 25 ELSE a.atttypid END \
         WHERE a.attrelid = to_regclass($1) AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum",
    )
    .bind(table.relation)
    .try_map(|row: PgRow| Ok(Column { name: row.try_get(0)?, kind: kind(row.try_get::<&str, _>(1)?) }))
    .fetch_all(&mut *connection)
    .await
    .map_err(|error| refused(&error))?;
    for (name, field) in [(table.count, "count"), (table.id, "id")] {
        if let Some(name) = name
            && columns.iter().all(|column| column.name != name)
        {
            return Err(unknown(name, &columns).field(&format!("population.{}.{field}", table.population)));
        }
    }
    if let Some(count) = table.count.and_then(|name| find(&columns, name))
        && !matches!(columns[count].kind, ColumnKind::Integer | ColumnKind::Real)
    {
        return Err(Fault::new(Kind::Count, "the column of counts holds no numbers", "Name another column.")
            .field(&format!("population.{}.count", table.population)));
    }
    let program = compile(&columns)?;
    let mut gives = Vec::with_capacity(program.items.len());
    for item in &program.items {
        let mut of_item = Vec::new();
        for (level, sql) in item.sql.iter().enumerate() {
            let sql = match item.yields {
                Yields::Known(domain) => {
                    let keys: Vec<_> = program.domains[domain].keys[level].iter().collect();
                    let value = format!("CAST(NULL AS {})", query::key_type(&keys));
                    item.expressions[level].write(crate::sql::Dialect::Postgres, &columns, &value)
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
    let query = query::write(&program, &gives, &columns, &relation, table.count)?;
    Ok((program, query))
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

async fn identifiers(connection: &mut PgConnection, table: &Table<'_>) -> Result<(), Fault> {
    let Some(id) = table.id else { return Ok(()) };
    let id = quote(id);
    let relation: String = sqlx::query_scalar("SELECT CAST(to_regclass($1) AS text)")
        .bind(table.relation)
        .fetch_one(&mut *connection)
        .await
        .map_err(|error| failed(&error))?;
    let sql = format!("SELECT count(*) - count({id}), count({id}) - count(DISTINCT {id}) FROM {relation}");
    let (without, repeated): (i64, i64) = sqlx::query_as(AssertSqlSafe(sql))
        .fetch_one(&mut *connection)
        .await
        .map_err(|error| failed(&error))?;
    if without > 0 || repeated > 0 {
        return Err(Fault::new(
            Kind::Id,
            format!("{without} rows have no identifier, {repeated} have that of another row"),
            "Correct the table, or remove \"id\" if rows are not single candidates.",
        ));
    }
    Ok(())
}

enum Failure {
    Fault(Fault),
    Sql(sqlx::Error),
}

async fn read(
    connection: &mut PgConnection,
    program: &Program,
    query: &Query,
    options: &Options<'_>,
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
            return Err(Failure::Fault(Fault::new(
                Kind::Count,
                format!("{count} rows do not say how many candidates they stand for"),
                "Write a whole number from 0 to 1099511627776 into the column that \"count\" names.",
            )));
        }
        for (&item, &number) in query.numbers.iter().zip(&numbers) {
            codes[item] =
                u32::try_from(number).map_err(|_| Failure::Fault(out_of_range(program, item, count)))?;
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
        (options.progress)(Progress { rows: candidates, fraction: None });
    }
    Ok(listing.finish())
}

fn out_of_range(program: &Program, item: usize, count: u64) -> Fault {
    let item = &program.items[item];
    let (kind, what) = match item.yields {
        Yields::Weight => (Kind::Weight, format!("the weight of {count} candidates is null or out of range")),
        _ => (Kind::NotProbability, format!("for {count} candidates the expression gives no probability")),
    };
    useless(item, 0, kind, &what)
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
async fn blame(
    connection: &mut PgConnection,
    program: &Program,
    table: &Table<'_>,
    error: sqlx::Error,
) -> Fault {
    let fault = failed(&error);
    if fault.kind != Kind::Sql || connection.execute("ROLLBACK").await.is_err() {
        return fault;
    }
    let relation: Result<Option<String>, _> = sqlx::query_scalar("SELECT CAST(to_regclass($1) AS text)")
        .bind(table.relation)
        .fetch_one(&mut *connection)
        .await;
    let Ok(Some(relation)) = relation else { return fault };
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
