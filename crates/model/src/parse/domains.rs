//! `domain`: the values that a detail could have had, listed, ranged or in a file.

use std::collections::{HashMap, HashSet};

use jiff::ToSpan;
use jiff::civil::{Date, DateTime};

use super::details::Rung;
use super::limits;
use super::reader::{Item, Section, quoted};
use super::values::cell;
use crate::report::{Cell, Domain};

pub(super) fn read(item: &Item<'_>, rungs: &[Rung<'_>]) -> Option<Domain> {
    if item.is_text() {
        let path = item.text()?;
        if path.to_ascii_lowercase().ends_with(".csv") {
            return Some(Domain::Csv(path));
        }
        item.expected("a list of values, or a path that ends in .csv", "Write one row per value.");
        return None;
    }
    let rows = if item.is_table() { range(item, rungs.len())? } else { listed(item, rungs.len())? };
    check(item, rungs, &rows).then_some(Domain::Listed(rows))
}

fn listed(item: &Item<'_>, levels: usize) -> Option<Vec<Vec<Cell>>> {
    let mut rows = Vec::new();
    for row in item.list(limits::ROWS, "a list of values: [[coarse, …, exact], …]")? {
        // A detail of one level may list its values without inner brackets.
        let cells = row.list_or_one(limits::LEVELS)?;
        if levels > 0 && cells.len() != levels {
            row.problem(
                format!("the detail has {levels} levels, this row {} keys", cells.len()),
                "Give one key per level, from coarse to exact.",
            );
            return None;
        }
        let cells: Vec<Option<Cell>> = cells.iter().map(cell).collect();
        rows.push(cells.into_iter().collect::<Option<Vec<Cell>>>()?);
    }
    if rows.is_empty() {
        item.problem("the domain is empty", "List at least the report's own value.");
        return None;
    }
    Some(rows)
}

/// No exact value twice, the same ancestors wherever a key appears, and the report's own keys among the rows.
fn check(item: &Item<'_>, rungs: &[Rung<'_>], rows: &[Vec<Cell>]) -> bool {
    let identity = |cell: &Cell| format!("{cell:?}");
    let mut exact = HashSet::new();
    let mut parents = HashMap::<(usize, String), String>::new();
    for (row, cells) in rows.iter().enumerate() {
        let keys: Vec<String> = cells.iter().map(identity).collect();
        for (level, pair) in keys.windows(2).enumerate() {
            let parent = parents.entry((level + 1, pair[1].clone())).or_insert_with(|| pair[0].clone());
            if *parent != pair[0] {
                item.problem(
                    format!(
                        "in row {}, the key of level {} has another parent than before",
                        row + 1,
                        level + 2
                    ),
                    "A value belongs to one coarser value only: make the key unambiguous (\"Paris, Texas\").",
                );
                return false;
            }
        }
        if !keys.last().is_some_and(|key| exact.insert(key.clone())) {
            item.problem(format!("row {} repeats a value", row + 1), "Remove it.");
            return false;
        }
    }
    let own: Option<Vec<String>> = rungs.iter().map(|rung| rung.key().map(identity)).collect();
    // Without all keys there is a problem already.
    let Some(own) = own.filter(|own| !own.is_empty()) else { return true };
    if !rows.iter().any(|cells| cells.iter().map(identity).eq(own.iter().cloned())) {
        item.problem(
            format!("the report's own value, {}, is not among the values", shown(rungs)),
            "Add it, or give the levels the keys that the domain has for it (key = …).",
        );
        return false;
    }
    true
}

fn shown(rungs: &[Rung<'_>]) -> String {
    let keys = rungs.iter().filter_map(Rung::key).map(|key| match key {
        Cell::Null => "nothing".to_owned(),
        Cell::Integer(number) => number.to_string(),
        Cell::Real(number) => number.to_string(),
        Cell::Text(text) => quoted(text),
        Cell::Boolean(value) => value.to_string(),
    });
    keys.collect::<Vec<_>>().join(" / ")
}

/// `{from, to, units}` for times, `{from, to, steps}` for numbers.
fn range(item: &Item<'_>, levels: usize) -> Option<Vec<Vec<Cell>>> {
    let section = item.section("a range of values")?;
    let from = section.need("from", "Say where the values begin.");
    let to = section.need("to", "Say where the values end; this end is included.");
    let rows = match (section.get("units"), section.get("steps")) {
        (Some(units), None) => times(&from?, &to?, &units, levels),
        (None, Some(steps)) => numbers(&from?, &to?, &steps, levels),
        _ => {
            either(&section);
            None
        }
    };
    section.close();
    rows
}

fn either(section: &Section<'_>) {
    section.problem(
        "units",
        "a range needs either units or steps",
        "For times write units = [\"month\", \"day\"], for numbers steps = [100, 10], one for each level.",
    );
}

fn one_per_level<'a>(item: &Item<'a>, levels: usize) -> Option<Vec<Item<'a>>> {
    let items = item.list_or_one(limits::LEVELS)?;
    if items.is_empty() || levels > 0 && items.len() != levels {
        item.problem(
            format!("the detail has {levels} levels, this list {} entries", items.len()),
            "Give one per level, coarse to exact.",
        );
        return None;
    }
    Some(items)
}

fn too_many(item: &Item<'_>) {
    item.problem(
        format!("the range holds more than {} values", limits::ROWS),
        "Narrow it, or use larger steps.",
    );
}

fn numbers(from: &Item<'_>, to: &Item<'_>, steps: &Item<'_>, levels: usize) -> Option<Vec<Vec<Cell>>> {
    let bound = 1 << 53;
    let (first, last) = (from.integer(-bound, bound)?, to.integer(-bound, bound)?);
    if first > last {
        to.problem(format!("the range ends at {last}, before it begins at {first}"), "Exchange its ends.");
        return None;
    }
    let items = one_per_level(steps, levels)?;
    let sizes: Vec<Option<i64>> = items.iter().map(|item| item.integer(1, bound)).collect();
    let sizes: Vec<i64> = sizes.into_iter().collect::<Option<_>>()?;
    if let Some(wrong) = sizes.windows(2).position(|pair| pair[0] % pair[1] != 0) {
        items[wrong + 1].problem(
            format!("steps of {} do not fill a step of {}", sizes[wrong + 1], sizes[wrong]),
            "Each step must be a whole number of the next.",
        );
        return None;
    }
    let exact = *sizes.last()?;
    let count = usize::try_from((last - first) / exact + 1).unwrap_or(usize::MAX);
    if count > limits::ROWS {
        too_many(to);
        return None;
    }
    let key = |value: i64, size: i64| {
        let start = first + (value - first) / size * size;
        if size == 1 { Cell::Integer(start) } else { Cell::Text(format!("{start}..{}", start + size - 1)) }
    };
    let step = usize::try_from(exact).unwrap_or(usize::MAX);
    Some(
        (first..=last)
            .step_by(step)
            .map(|value| sizes.iter().map(|&size| key(value, size)).collect())
            .collect(),
    )
}

#[derive(Clone, Copy)]
enum Unit {
    Year,
    Month,
    Week,
    Day,
    Hour,
}

impl Unit {
    fn key(self, at: DateTime) -> String {
        match self {
            Self::Year => format!("{:04}", at.year()),
            Self::Month => format!("{:04}-{:02}", at.year(), at.month()),
            Self::Week => {
                let week = at.date().iso_week_date();
                format!("{:04}-W{:02}", week.year(), week.week())
            }
            Self::Day => at.date().to_string(),
            Self::Hour => format!("{}T{:02}", at.date(), at.hour()),
        }
    }
}

/// Every hour, or day, of the range, with what the keys of the coarser units are at its start; each key once.
fn times(from: &Item<'_>, to: &Item<'_>, units: &Item<'_>, levels: usize) -> Option<Vec<Vec<Cell>>> {
    let words = [
        ("year", Unit::Year),
        ("month", Unit::Month),
        ("week", Unit::Week),
        ("day", Unit::Day),
        ("hour", Unit::Hour),
    ];
    let (first, last) = (date(from)?, date(to)?);
    let items = one_per_level(units, levels)?;
    let units: Vec<Option<Unit>> =
        items.iter().map(|item| super::populations::word(item, "a unit of time", &words)).collect();
    let units: Vec<Unit> = units.into_iter().collect::<Option<_>>()?;
    let exact = *units.last()?;
    let step = if matches!(exact, Unit::Hour) { 1.hour() } else { 1.day() };
    // Coarser units are walked by days, so their range may be longer than the number of rows.
    let mut at = first.at(0, 0, 0, 0);
    let end = last.at(23, 0, 0, 0);
    let mut rows = Vec::<Vec<Cell>>::new();
    let mut before = String::new();
    while at <= end {
        let key = exact.key(at);
        if key != before {
            if rows.len() == limits::ROWS {
                too_many(to);
                return None;
            }
            rows.push(units.iter().map(|unit| Cell::Text(unit.key(at))).collect());
            before = key;
        }
        let Ok(next) = at.checked_add(step) else { break };
        at = next;
    }
    if rows.is_empty() {
        to.problem("the range ends before it begins", "Exchange its ends.");
        return None;
    }
    Some(rows)
}

fn date(item: &Item<'_>) -> Option<Date> {
    use toml::de::DeValue;
    let text = match item.value() {
        DeValue::Datetime(value) => value.to_string(),
        DeValue::String(text) => text.to_string(),
        _ => String::new(),
    };
    let date = (text.len() == 10).then(|| text.parse().ok()).flatten();
    if date.is_none() {
        item.expected("a date", "Write it like 2024-03-01.");
    }
    date
}
