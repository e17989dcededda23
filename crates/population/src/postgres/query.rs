//! The one query that groups all candidates, written for `PostgreSQL`.

use tearline_model::report::Cell;

use crate::error::{Fault, Kind};
use crate::program::{Item, Program, Yields, useless};
use crate::sql::{Column, Dialect, literal, quote};
use crate::values::{WEIGHT_MAX, key_text};

/// What an expression gives, as far as it matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Gives {
    Boolean,
    Integer,
    Number,
    Other,
}

impl Gives {
    pub(super) fn of(type_name: &str) -> Self {
        match type_name {
            "BOOL" => Self::Boolean,
            "INT2" | "INT4" | "INT8" => Self::Integer,
            "FLOAT4" | "FLOAT8" | "NUMERIC" => Self::Number,
            _ => Self::Other,
        }
    }
}

/// The query's answer: whole numbers in the order of the items that yield them, texts likewise, count.
pub(super) struct Query {
    pub(super) sql: String,
    /// Items behind the array of numbers; one more number follows: 1 where the count is wrong.
    pub(super) numbers: Vec<usize>,
    /// Items behind the array of texts, and whether a text is a number to be written anew.
    pub(super) texts: Vec<(usize, bool)>,
}

/// Writes the query. `gives` holds, per item, what each of its expressions gives.
pub(super) fn write(
    program: &Program,
    gives: &[Vec<Gives>],
    columns: &[Column],
    relation: &str,
    count: Option<&str>,
) -> Result<Query, Fault> {
    let (mut numbers, mut texts) = (Vec::new(), Vec::new());
    let (mut number_sql, mut text_sql) = (Vec::new(), Vec::new());
    for (index, (item, gives)) in program.items.iter().zip(gives).enumerate() {
        match item.yields {
            Yields::Probability => {
                numbers.push(index);
                number_sql.push(probability(item, 0, &item.sql[0], gives[0])?);
            }
            Yields::Weight => {
                numbers.push(index);
                number_sql.push(weight(item, gives[0])?);
            }
            Yields::Text => {
                texts.push((index, gives[0] == Gives::Number));
                text_sql.push(text(&item.sql[0], gives[0]));
            }
            Yields::Known(domain) => {
                texts.push((index, false));
                let values = &program.domains[domain];
                let keys = values.ancestors.iter().map(|row| {
                    row.iter().enumerate().map(|(level, &code)| &values.keys[level][code as usize]).collect()
                });
                text_sql.push(known(item, gives, columns, &keys.collect::<Vec<_>>(), program.certain)?);
            }
        }
    }
    let (bad, count) = match count {
        None => ("0".to_owned(), "1".to_owned()),
        Some(name) => {
            let name = quote(name);
            let good = format!("{name} >= 0 AND {name} <= 1099511627776 AND {name} = floor({name})");
            (
                format!("CASE WHEN {good} THEN 0 ELSE 1 END"),
                format!("CASE WHEN {good} THEN CAST({name} AS int8) ELSE 1 END"),
            )
        }
    };
    number_sql.push(bad);
    let sql = format!(
        "SELECT n, t, CAST(sum(c) AS text) FROM (SELECT CAST(ARRAY[{}] AS int4[]) AS n, \
         CAST(ARRAY[{}] AS text[]) AS t, {count} AS c FROM {relation}) AS each GROUP BY n, t",
        number_sql.join(", "),
        text_sql.join(", ")
    );
    Ok(Query { sql, numbers, texts })
}

/// Thousandths; −1 for what is no probability.
fn probability(item: &Item, level: usize, sql: &str, gives: Gives) -> Result<String, Fault> {
    match gives {
        Gives::Boolean => Ok(format!("CASE WHEN ({sql}) THEN 1000 ELSE 0 END")),
        Gives::Integer | Gives::Number => {
            let p = format!("CAST(({sql}) AS float8)");
            Ok(format!(
                "CASE WHEN {p} IS NULL THEN 0 WHEN {p} >= -1e-9 AND {p} <= 1 + 1e-9 \
                 THEN CAST(floor({p} * 1000 + 0.5) AS int4) ELSE -1 END"
            ))
        }
        Gives::Other if sql == "NULL" => Ok("0".to_owned()),
        Gives::Other => Err(useless(item, level, Kind::NotProbability, "the expression gives text")),
    }
}

/// Thousandths; −1 for what is no weight.
fn weight(item: &Item, gives: Gives) -> Result<String, Fault> {
    if matches!(gives, Gives::Boolean | Gives::Other) {
        return Err(useless(item, 0, Kind::Weight, "the weight is no number"));
    }
    let w = format!("CAST(({}) AS float8)", item.sql[0]);
    Ok(format!(
        "CASE WHEN {w} >= 0.001 AND {w} <= {WEIGHT_MAX} THEN CAST(floor({w} * 1000 + 0.5) AS int4) ELSE -1 END"
    ))
}

fn text(sql: &str, gives: Gives) -> String {
    match gives {
        Gives::Boolean => format!("CASE WHEN ({sql}) THEN '1' WHEN NOT ({sql}) THEN '0' END"),
        Gives::Number => format!("CAST(CAST(({sql}) AS float8) AS text)"),
        Gives::Integer | Gives::Other => format!("CAST(({sql}) AS text)"),
    }
}

/// A text of ones and zeros, one for each value of the domain.
fn known(
    item: &Item,
    gives: &[Gives],
    columns: &[Column],
    rows: &[Vec<&Cell>],
    certain: u32,
) -> Result<String, Fault> {
    let (mut arrays, mut names, mut conditions) = (Vec::new(), Vec::new(), Vec::new());
    for (level, (expression, &gives)) in item.expressions.iter().zip(gives).enumerate() {
        let keys: Vec<&Cell> = rows.iter().map(|row| row[level]).collect();
        arrays.push(array(&keys));
        let name = quote(&format!("tearline value {level}"));
        let sql = expression.write(Dialect::Postgres, columns, &format!("values_of_domain.{name}"));
        conditions.push(format!("{} >= {certain}", probability(item, level, &sql, gives)?));
        names.push(name);
    }
    Ok(format!(
        "(SELECT string_agg(CASE WHEN {} THEN '1' ELSE '0' END, '' ORDER BY values_of_domain.\"tearline place\") \
         FROM unnest({}) WITH ORDINALITY AS values_of_domain({}, \"tearline place\"))",
        conditions.join(" AND "),
        arrays.join(", "),
        names.join(", ")
    ))
}

/// Keys as an array of the narrowest type that holds them all.
pub(super) fn array(keys: &[&Cell]) -> String {
    let kind = key_type(keys);
    let one = |key: &&Cell| match key {
        Cell::Integer(number) if kind != "text" => number.to_string(),
        Cell::Real(number) if kind != "text" => format!("{number:?}"),
        Cell::Boolean(value) if kind == "bool" => value.to_string(),
        key => key_text(key).map_or("NULL".to_owned(), |text| literal(&text)),
    };
    format!("CAST(ARRAY[{}] AS {kind}[])", keys.iter().map(one).collect::<Vec<_>>().join(", "))
}

pub(super) fn key_type(keys: &[&Cell]) -> &'static str {
    if keys.iter().all(|key| matches!(key, Cell::Integer(_))) {
        "int8"
    } else if keys.iter().all(|key| matches!(key, Cell::Integer(_) | Cell::Real(_))) {
        "float8"
    } else if keys.iter().all(|key| matches!(key, Cell::Boolean(_))) {
        "bool"
    } else {
        "text"
    }
}
