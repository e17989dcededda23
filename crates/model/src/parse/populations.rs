//! `[population.NAME]`: the tables of candidates, and `[source.NAME]`: who hides among them.

use std::collections::HashMap;

use super::limits;
use super::names::Names;
use super::reader::{Item, Section, nearest, quoted};
use super::values::cell;
use crate::report::{Cell, ColumnType, Population, Reliability, Source, Table};

const COLUMN_TYPES: &[(&str, ColumnType)] = &[
    ("integer", ColumnType::Integer),
    ("real", ColumnType::Real),
    ("text", ColumnType::Text),
    ("boolean", ColumnType::Boolean),
];

const RELIABILITIES: &[(&str, Reliability)] = &[
    ("A", Reliability::A),
    ("B", Reliability::B),
    ("C", Reliability::C),
    ("D", Reliability::D),
    ("E", Reliability::E),
    ("F", Reliability::F),
];

/// One of a closed list of words, in whatever capitals.
pub(super) fn word<T: Copy>(item: &Item<'_>, expected: &str, words: &[(&str, T)]) -> Option<T> {
    let text = item.string(expected)?;
    let found = words.iter().find(|(word, _)| word.eq_ignore_ascii_case(text.trim()));
    if found.is_none() {
        let remedy = match nearest(text, words.iter().map(|w| w.0)) {
            Some(like) => format!("Did you mean \"{like}\"?"),
            None => format!("Write one of: {}.", words.iter().map(|w| w.0).collect::<Vec<_>>().join(", ")),
        };
        item.expected(expected, remedy);
    }
    found.map(|&(_, value)| value)
}

pub(super) fn source(name: &str, item: &Item<'_>, populations: &Names) -> Option<Source> {
    let section = item.section("a table [source.NAME]")?;
    let hides = populations.many_or_all(section.get("populations").as_ref());
    let reliability =
        section.get("reliability").and_then(|item| word(&item, "a letter from A to F", RELIABILITIES));
    section.close();
    Some(Source { id: name.to_owned(), populations: hides?, reliability })
}

pub(super) fn population(name: &str, item: &Item<'_>) -> Option<Population> {
    let section = item.section("a table [population.NAME]")?;
    let (table, typed) = table(&section);
    let id_column = section.get("id").and_then(|item| column(&item, typed.as_ref()));
    let count_item = section.get("count");
    let count_column = count_item.as_ref().and_then(|item| column(item, typed.as_ref()));
    if let (Some(item), Some(column), Some(Table::Rows(columns, rows))) = (&count_item, &count_column, &table)
    {
        check_counts(item, column, columns, rows);
    }
    let weight = section.get("weight").and_then(|item| item.sql());
    let cleared = section.get("cleared").and_then(|item| item.sql());
    let certain = section.get("certain").map_or(Some(1000), |item| permille(&item));
    let column_types =
        section.get("columns").map_or(Some(Vec::new()), |item| column_types(&item, table.as_ref()));
    section.close();
    Some(Population {
        id: name.to_owned(),
        table: table?,
        id_column,
        count_column,
        weight,
        cleared,
        certain_permille: certain?,
        column_types: column_types?,
    })
}

/// A probability above 0, at most 1, in thousandths.
fn permille(item: &Item<'_>) -> Option<u16> {
    let number = item.number(0.001, 1.0)?;
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 1 and 1000")]
    Some((number * 1000.0).round() as u16)
}

/// Where the rows are; with hand-typed rows come their column names.
fn table(section: &Section<'_>) -> (Option<Table>, Option<Vec<String>>) {
    let relation = section.get("relation");
    match (section.get("table"), section.get("rows")) {
        (Some(_), Some(rows)) => {
            rows.problem("both a table and rows", "Keep one of \"table\" and \"rows\".");
            (None, None)
        }
        (None, None) => {
            section.problem(
                "table",
                "nothing says where the candidates are",
                "Add table = \"FILE.csv\", or rows = [{…}, …] typed here.",
            );
            (None, None)
        }
        (Some(table), None) => (location(&table, relation.as_ref()), None),
        (None, Some(rows)) => {
            if let Some(relation) = relation {
                relation
                    .problem("a relation beside typed rows", "Remove it: it belongs to a postgres:// table.");
            }
            match typed_rows(&rows) {
                Some((columns, rows)) => (Some(Table::Rows(columns.clone(), rows)), Some(columns)),
                None => (None, None),
            }
        }
    }
}

fn location(item: &Item<'_>, relation: Option<&Item<'_>>) -> Option<Table> {
    let path = item.text()?;
    let lower = path.to_ascii_lowercase();
    if lower.starts_with("postgres://") || lower.starts_with("postgresql://") {
        if has_password(&path) {
            item.problem(
                "the URL holds a password",
                "Remove it and give it in the environment (PGPASSWORD) or a password file (PGPASSFILE).",
            );
            return None;
        }
        let Some(relation) = relation else {
            item.problem(
                "a PostgreSQL URL without the name of a table",
                "Add relation = \"SCHEMA.TABLE\" below it.",
            );
            return None;
        };
        return Some(Table::Postgres { url: path, relation: relation.text()? });
    }
    if let Some(relation) = relation {
        relation.problem("a relation beside a file", "Remove it: it belongs to a postgres:// table.");
    }
    if lower.contains("://") {
        item.problem("this kind of URL is not known", "Write a file's path or a postgres:// URL.");
        return None;
    }
    match lower.rsplit_once('.').map(|(_, extension)| extension) {
        Some("csv") => Some(Table::Csv(path)),
        Some("parquet") => Some(Table::Parquet(path)),
        _ => {
            item.expected(
                "a path that ends in .csv or .parquet, or a postgres:// URL",
                "Convert the table to CSV, or rename it if it is CSV.",
            );
            None
        }
    }
}

/// A password in the user part or in the query of a connection URL.
fn has_password(url: &str) -> bool {
    let rest = url.split_once("://").map_or("", |(_, rest)| rest);
    let (place, query) = rest.split_once('?').unwrap_or((rest, ""));
    let in_user = place.rsplit_once('@').is_some_and(|(user, _)| user.contains(':'));
    in_user || query.to_ascii_lowercase().split('&').any(|part| part.starts_with("password="))
}

/// Column names in the order of their first appearance, and the rows filled up to them.
fn typed_rows(item: &Item<'_>) -> Option<(Vec<String>, Vec<Vec<Cell>>)> {
    let items = item.list(limits::ROWS, "a list of rows: [{unit = \"x\", count = 40}, …]")?;
    if items.is_empty() {
        item.problem("the population is empty", "Type at least one row.");
        return None;
    }
    let mut columns = Vec::<String>::new();
    let mut index = HashMap::<String, usize>::new();
    let mut rows = Vec::with_capacity(items.len());
    let mut good = true;
    for row in &items {
        let Some(entries) = row.named("a row: {unit = \"x\", count = 40}") else {
            good = false;
            continue;
        };
        let mut cells = vec![Cell::Null; columns.len()];
        for (name, value) in entries {
            let position = *index.entry(name.to_lowercase()).or_insert_with(|| {
                columns.push(name.clone());
                columns.len() - 1
            });
            if columns[position] != name {
                value.problem(
                    format!(
                        "the columns {} and {} differ only in capitals",
                        quoted(&columns[position]),
                        quoted(&name)
                    ),
                    "Write the name the same way in every row.",
                );
                good = false;
            }
            cells.resize(columns.len().max(cells.len()), Cell::Null);
            match cell(&value) {
                Some(cell) => cells[position] = cell,
                None => good = false,
            }
        }
        if columns.len() > limits::COLUMNS {
            row.problem(format!("more than {} columns", limits::COLUMNS), "Put the table into a CSV file.");
            return None;
        }
        rows.push(cells);
    }
    for row in &mut rows {
        row.resize(columns.len(), Cell::Null);
    }
    good &= one_kind_per_column(item, &columns, &rows);
    good.then_some((columns, rows))
}

fn one_kind_per_column(item: &Item<'_>, columns: &[String], rows: &[Vec<Cell>]) -> bool {
    let kind = |cell: &Cell| match cell {
        Cell::Null => None,
        Cell::Integer(_) | Cell::Real(_) => Some("numbers"),
        Cell::Text(_) => Some("text"),
        Cell::Boolean(_) => Some("true/false"),
    };
    let mut good = true;
    for (position, column) in columns.iter().enumerate() {
        let mut kinds = rows.iter().filter_map(|row| kind(&row[position]));
        let first = kinds.next();
        if let Some(other) = kinds.find(|&kind| Some(kind) != first) {
            item.problem(
                format!("the column {} mixes {} and {other}", quoted(column), first.unwrap_or_default()),
                "Use one kind of value in a column.",
            );
            good = false;
        }
    }
    good
}

fn check_counts(item: &Item<'_>, column: &str, columns: &[String], rows: &[Vec<Cell>]) {
    let Some(position) = columns.iter().position(|c| c == column) else { return };
    let bad = |cell: &Cell| !matches!(cell, Cell::Integer(0..=limits::COUNT));
    if let Some(row) = rows.iter().position(|row| bad(&row[position])) {
        item.problem(
            format!("row {} does not say how many candidates it stands for", row + 1),
            format!("Give every row a whole number from 0 to {} in that column.", limits::COUNT),
        );
    }
}

/// A column's name; checked when the rows are in the report.
fn column(item: &Item<'_>, typed: Option<&Vec<String>>) -> Option<String> {
    let name = item.text()?;
    match typed {
        Some(columns) if !columns.contains(&name) => {
            let remedy = match nearest(&name, columns.iter().map(String::as_str)) {
                Some(like) => format!("Did you mean {}?", quoted(like)),
                None => "Name a column that the rows have.".to_owned(),
            };
            item.problem(format!("the rows have no column {}", quoted(&name)), remedy);
            None
        }
        _ => Some(name),
    }
}

fn column_types(item: &Item<'_>, table: Option<&Table>) -> Option<Vec<(String, ColumnType)>> {
    if matches!(table, Some(Table::Rows(..) | Table::Parquet(_) | Table::Postgres { .. })) {
        item.problem(
            "column types beside a table that has types of its own",
            "Remove them: they are for CSV files.",
        );
        return None;
    }
    let entries = item.named("a table of column types: {person_id = \"text\"}")?;
    if entries.len() > limits::COLUMNS {
        item.problem(format!("more than {} columns", limits::COLUMNS), "Declare only those that need it.");
        return None;
    }
    let types = entries
        .into_iter()
        .map(|(name, item)| Some((name, word(&item, "a column type", COLUMN_TYPES)?)))
        .collect::<Vec<_>>();
    types.into_iter().collect()
}
