//! The embedded `SQLite`: connections that can do nothing but evaluate expressions over rows in memory.

use rusqlite::config::DbConfig;
use rusqlite::hooks::{AuthAction, AuthContext, Authorization};
use rusqlite::limits::Limit;
use rusqlite::types::ValueRef;
use rusqlite::{Connection, OpenFlags};

use crate::error::{Fault, Kind};
use crate::program::{Item, Program, Yields, useless};
use crate::reduce::NULL;
use crate::sql::{Column, quote};
use crate::tally::Dictionary;
use crate::values::{ColumnKind, number_text, permille, weight};

/// Longest text that an expression may build, so that nested `replace` cannot fill the memory.
const LONGEST: i32 = 16 << 20;

/// The functions behind the subset; `like` is the operator.
const FUNCTIONS: &[&str] = &[
    "abs", "coalesce", "nullif", "length", "lower", "upper", "substr", "trim", "ltrim", "rtrim", "replace",
    "like",
];

/// An error of the engine that no report can cause.
pub(super) fn internal(error: &rusqlite::Error) -> Fault {
    Fault::new(
        Kind::Sql,
        format!("SQLite: {}", message(error)),
        "This is a defect of this program: report it.",
    )
}

fn message(error: &rusqlite::Error) -> String {
    match error {
        rusqlite::Error::SqliteFailure(_, Some(message)) => message.clone(),
        rusqlite::Error::SqlInputError { msg, .. } => msg.clone(),
        other => other.to_string(),
    }
}

pub(super) fn connect() -> Result<Connection, Fault> {
    let flags =
        OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let open = || {
        let connection = Connection::open_in_memory_with_flags(flags)?;
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false)?;
        connection.set_limit(Limit::SQLITE_LIMIT_LENGTH, LONGEST)?;
        connection.execute_batch(
            "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA case_sensitive_like = ON;",
        )?;
        connection.set_prepared_statement_cache_capacity(4096);
        Ok(connection)
    };
    open().map_err(|error: rusqlite::Error| internal(&error))
}

/// Makes an empty table with the given columns of the population.
pub(super) fn create(
    connection: &Connection,
    table: &str,
    columns: &[Column],
    used: &[usize],
) -> Result<(), Fault> {
    let mut list: Vec<String> = used
        .iter()
        .map(|&column| {
            let kind = match columns[column].kind {
                ColumnKind::Integer | ColumnKind::Boolean => "INTEGER",
                ColumnKind::Real => "REAL",
                ColumnKind::Text | ColumnKind::Other => "TEXT",
            };
            format!("{} {kind}", quote(&columns[column].name))
        })
        .collect();
    if list.is_empty() {
        // Expressions without any column still need their row.
        list.push("\"\" INTEGER".to_owned());
    }
    connection
        .execute_batch(&format!("CREATE TABLE {table} ({})", list.join(", ")))
        .map_err(|error| internal(&error))
}

/// Prepares every expression alone, against an empty table, with everything but reading its columns forbidden.
pub(super) fn check(program: &Program, columns: &[Column]) -> Result<(), Fault> {
    let mut connection = connect()?;
    let mut used: Vec<usize> = program.items.iter().flat_map(|item| item.columns.iter().copied()).collect();
    used.sort_unstable();
    used.dedup();
    create(&connection, "population", columns, &used)?;
    connection.authorizer(Some(authorize)).map_err(|error| internal(&error))?;
    for item in &program.items {
        for (level, sql) in item.sql.iter().enumerate() {
            let prepared = connection.prepare(&format!("SELECT (\n{sql}\n) FROM population"));
            let parameters = usize::from(item.expressions[level].takes_value && sql.contains(":value"));
            match prepared {
                Ok(statement)
                    if statement.column_count() == 1 && statement.parameter_count() <= parameters => {}
                Ok(_) => {
                    return Err(Fault::new(
                        Kind::Refused,
                        "more than one value",
                        "Write a single expression.",
                    )
                    .field(&item.fields[level]));
                }
                Err(error) => return Err(rejected(item, level, &error)),
            }
        }
    }
    Ok(())
}

fn rejected(item: &Item, level: usize, error: &rusqlite::Error) -> Fault {
    Fault::new(
        Kind::Sql,
        format!("SQLite rejects the expression: {}", message(error)),
        "Correct it; see docs/formats/predicates.md.",
    )
    .field(&item.fields[level])
}

fn authorize(context: AuthContext<'_>) -> Authorization {
    match context.action {
        AuthAction::Select | AuthAction::Read { table_name: "population", .. } => Authorization::Allow,
        AuthAction::Function { function_name } if FUNCTIONS.contains(&function_name) => Authorization::Allow,
        _ => Authorization::Deny,
    }
}

/// A failure while a row was evaluated.
pub(super) fn failed(item: &Item, level: usize, error: &rusqlite::Error) -> Fault {
    Fault::new(
        Kind::Sql,
        format!("SQLite cannot evaluate the expression: {}", message(error)),
        "Guard it with CASE where it cannot be evaluated.",
    )
    .field(&item.fields[level])
}

/// The number for one value of an item.
pub(super) fn code(
    item: &Item,
    level: usize,
    value: ValueRef<'_>,
    dictionary: &std::sync::Mutex<Dictionary>,
) -> Result<u32, Fault> {
    match item.yields {
        Yields::Probability | Yields::Known(_) => {
            let probability = match value {
                ValueRef::Null | ValueRef::Integer(0) => return Ok(0),
                ValueRef::Integer(1) => return Ok(1000),
                ValueRef::Integer(_) => None,
                ValueRef::Real(number) => permille(number),
                ValueRef::Text(_) | ValueRef::Blob(_) => {
                    return Err(useless(item, level, Kind::NotProbability, "the expression gives text"));
                }
            };
            probability.ok_or_else(|| {
                useless(
                    item,
                    level,
                    Kind::NotProbability,
                    "the expression gives a number that is no probability",
                )
            })
        }
        Yields::Weight => {
            let number = match value {
                ValueRef::Integer(number) => weight(wide(number)),
                ValueRef::Real(number) => weight(number),
                ValueRef::Null => return Err(useless(item, level, Kind::Weight, "the weight is null")),
                ValueRef::Text(_) | ValueRef::Blob(_) => {
                    return Err(useless(item, level, Kind::Weight, "the weight is text"));
                }
            };
            number.ok_or_else(|| useless(item, level, Kind::Weight, "the weight is out of range"))
        }
        Yields::Text => {
            let text: String;
            let bytes = match value {
                ValueRef::Null => return Ok(NULL),
                ValueRef::Text(bytes) | ValueRef::Blob(bytes) => bytes,
                ValueRef::Integer(number) => {
                    text = number.to_string();
                    text.as_bytes()
                }
                ValueRef::Real(number) => {
                    text = number_text(number);
                    text.as_bytes()
                }
            };
            intern(dictionary, bytes)
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "weights above 2^53 are out of range anyway")]
fn wide(number: i64) -> f64 {
    number as f64
}

pub(super) fn intern(dictionary: &std::sync::Mutex<Dictionary>, bytes: &[u8]) -> Result<u32, Fault> {
    let mut dictionary = dictionary.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    dictionary.number(bytes).ok_or_else(crate::reduce::overflow)
}
