//! The one query that evaluates all expressions, as the engine will run it.

use std::sync::Arc;

use datafusion::arrow::datatypes::DataType;
use datafusion::error::DataFusionError;
use datafusion::physical_plan::{ExecutionPlan, StatisticsArgs, StatisticsContext};
use datafusion::prelude::SessionContext;

use crate::error::{Fault, Kind};
use crate::job::Compiled;
use crate::program::{Item, Yields, useless};
use crate::sql::{Column, Dialect, cell, quote};

/// Most values of a domain here: each is a column of the query.
const MOST_VALUES: usize = 2000;

/// Most operations in one expression, as in `SQLite`: the engine's work grows with their square.
const MOST_OPERATIONS: usize = 1000;

/// A column of the query.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    /// An item that answers yes or no.
    Bit(usize),
    /// Any other item.
    Code(usize),
    /// Whether an item holds for one key of one level of a domain.
    Key { item: usize, level: usize, key: usize },
    /// For how many candidates the row stands; −1 where it does not say.
    Count,
    /// The row's identifier.
    Id,
}

/// The query.
pub(super) struct Plan {
    pub(super) physical: Arc<dyn ExecutionPlan>,
    /// What its columns are.
    pub(super) parts: Vec<Part>,
    /// How many rows there are, if the files say so.
    pub(super) rows: Option<u64>,
}

/// Has every expression compiled alone, so that a fault is told with its field, and then all of them together.
pub(super) async fn plan(
    context: &SessionContext,
    compiled: &Compiled,
    columns: &[Column],
) -> Result<Plan, Fault> {
    let mut select = Vec::new();
    let mut parts = Vec::new();
    let program = &compiled.program;
    for (index, item) in program.items.iter().enumerate() {
        if let Some(long) = item.expressions.iter().position(|one| one.operations() > MOST_OPERATIONS) {
            return Err(Fault::new(
                Kind::Sql,
                format!("more than {MOST_OPERATIONS} operations in one expression"),
                "Write IN for many values, or make it a column of the table.",
            )
            .field(&item.fields[long]));
        }
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
                    let sql = item.expressions[level].write(Dialect::DataFusion, columns, &value);
                    select.push(typed(context, item, level, &sql).await?.0);
                    parts.push(Part::Key { item: index, level, key });
                }
            }
            continue;
        }
        let (sql, bit) = typed(context, item, 0, &item.sql[0]).await?;
        select.push(sql);
        parts.push(if bit { Part::Bit(index) } else { Part::Code(index) });
    }
    if let Some(column) = compiled.count {
        let name = quote(&columns[column].name);
        select.push(format!(
            "CASE WHEN {name} >= 0 AND {name} <= 1099511627776 AND {name} = floor({name}) \
             THEN CAST({name} AS BIGINT) ELSE -1 END"
        ));
        parts.push(Part::Count);
    }
    if let Some(column) = compiled.id {
        select.push(format!("CAST({} AS VARCHAR)", quote(&columns[column].name)));
        parts.push(Part::Id);
    }
    if select.is_empty() {
        select.push("true".to_owned());
    }
    let named: Vec<String> = select.iter().enumerate().map(|(n, sql)| format!("{sql} AS c{n}")).collect();
    let sql = format!("SELECT {} FROM population", named.join(", "));
    let physical = async { context.sql(&sql).await?.create_physical_plan().await };
    let physical = physical.await.map_err(|error| rejected(&error))?;
    let statistics = StatisticsContext::new().compute(&*physical, &StatisticsArgs::new()).ok();
    let rows = statistics.and_then(|all| all.num_rows.get_value().copied()).map(|rows| rows as u64);
    Ok(Plan { physical, parts, rows })
}

/// An expression with its type made known, and whether it answers yes or no.
async fn typed(
    context: &SessionContext,
    item: &Item,
    level: usize,
    sql: &str,
) -> Result<(String, bool), Fault> {
    let alone = async {
        // A condition admits no aggregates or windows.
        let sql = format!("SELECT ({sql}) AS c FROM population WHERE ({sql}) IS NOT NULL");
        context.sql(&sql).await?.into_optimized_plan()
    };
    let alone = alone.await.map_err(|error| rejected(&error).field(&item.fields[level]))?;
    let gives = alone.schema().field(0).data_type().clone();
    let number = gives.is_numeric();
    match item.yields {
        Yields::Probability | Yields::Known(_) => match gives {
            DataType::Boolean => Ok((format!("({sql})"), true)),
            _ if number || gives == DataType::Null => Ok((format!("CAST(({sql}) AS DOUBLE)"), false)),
            _ => Err(useless(item, level, Kind::NotProbability, "the expression gives text")),
        },
        Yields::Weight if number || gives == DataType::Null => {
            Ok((format!("CAST(({sql}) AS DOUBLE)"), false))
        }
        Yields::Weight => Err(useless(item, level, Kind::Weight, "the weight is no number")),
        Yields::Text => Ok(match gives {
            DataType::Boolean => (format!("CAST(CAST(({sql}) AS BIGINT) AS VARCHAR)"), false),
            _ if gives.is_floating() => (format!("CAST(({sql}) AS DOUBLE)"), false),
            _ => (format!("CAST(({sql}) AS VARCHAR)"), false),
        }),
    }
}

fn rejected(error: &DataFusionError) -> Fault {
    Fault::new(
        Kind::Sql,
        format!("DataFusion rejects the expression: {}", error.find_root().strip_backtrace()),
        "Correct it; see docs/formats/predicates.md.",
    )
}
