//! The values that a detail could have had, with their ancestors: listed in the report or in a CSV file.

use std::collections::{BTreeSet, HashMap};
use std::path::Path;

use tearline_model::report::{Cell, Domain};

use crate::error::{Fault, Kind};
use crate::values::{integer, key_text};

/// Most values of a domain for which worlds are built: each class holds one bit for each.
pub(crate) const MOST_VALUES: usize = 65_536;

/// A domain, numbered. Codes are in ascending order of the values' texts.
#[derive(Clone, Debug)]
pub(crate) struct DomainValues {
    /// Per exact value, then per level: its code.
    pub(crate) ancestors: Vec<Vec<u32>>,
    /// Per level, per code: the key.
    pub(crate) keys: Vec<Vec<Cell>>,
    /// Per level, per code: the key's text.
    pub(crate) texts: Vec<Vec<String>>,
    /// Per level: the code of the report's own key.
    pub(crate) report: Vec<Option<u32>>,
}

/// Reads and checks a domain against the report's own keys.
pub(crate) fn load(domain: &Domain, own: &[&Cell], base: &Path, detail: &str) -> Result<DomainValues, Fault> {
    let field = format!("detail.{detail}.domain");
    let rows = match domain {
        Domain::Listed(rows) => rows.clone(),
        Domain::Csv(path) => read(&base.join(path), path, own).map_err(|fault| fault.field(&field))?,
    };
    number(&rows, own).map_err(|fault| fault.field(&field))
}

fn wrong(what: impl Into<String>, remedy: impl Into<String>) -> Fault {
    Fault::new(Kind::Domain, what, remedy)
}

fn read(path: &Path, shown: &str, own: &[&Cell]) -> Result<Vec<Vec<Cell>>, Fault> {
    let file = std::fs::File::open(path).map_err(|error| {
        Fault::new(
            Kind::Missing,
            format!("cannot open {shown}: {error}"),
            "Paths are relative to the report.",
        )
    })?;
    let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(file);
    let mut rows = Vec::new();
    for record in reader.records() {
        let record =
            record.map_err(|error| wrong(format!("{shown}: {error}"), "Save it as CSV in UTF-8."))?;
        let line = record.position().map_or(0, csv::Position::line);
        if record.len() != own.len() {
            let found = record.len();
            return Err(wrong(
                format!("{shown}:{line}: {found} fields, but the detail has {} levels", own.len()),
                "Give one column per level, from coarse to exact.",
            ));
        }
        if rows.len() == MOST_VALUES {
            return Err(too_many());
        }
        // A field is a number where the report's own key of that level is one.
        rows.push(record.iter().zip(own).map(|(text, own)| typed(text, own)).collect());
    }
    Ok(rows)
}

fn typed(text: &str, own: &Cell) -> Cell {
    match own {
        Cell::Integer(_) => integer(text).map(Cell::Integer),
        Cell::Real(_) => text.parse().ok().filter(|n: &f64| n.is_finite()).map(Cell::Real),
        Cell::Boolean(_) => text.parse().ok().map(Cell::Boolean),
        Cell::Null | Cell::Text(_) => None,
    }
    .unwrap_or_else(|| Cell::Text(text.to_owned()))
}

fn too_many() -> Fault {
    wrong(format!("more than {MOST_VALUES} values"), "Make the exact level coarser.")
}

fn number(rows: &[Vec<Cell>], own: &[&Cell]) -> Result<DomainValues, Fault> {
    if rows.is_empty() {
        return Err(wrong("the domain is empty", "List at least the report's own value."));
    }
    if rows.len() > MOST_VALUES {
        return Err(too_many());
    }
    let levels = own.len();
    let mut by_text: Vec<HashMap<String, Cell>> = vec![HashMap::new(); levels];
    let mut texts = Vec::with_capacity(rows.len());
    for (row, cells) in rows.iter().enumerate() {
        let row_texts: Option<Vec<String>> = cells.iter().map(key_text).collect();
        let Some(row_texts) =
            row_texts.filter(|texts| texts.len() == levels && texts.iter().all(|t| !t.is_empty()))
        else {
            return Err(wrong(format!("row {} has an empty key", row + 1), "Give one key per level."));
        };
        for (level, (text, cell)) in row_texts.iter().zip(cells).enumerate() {
            by_text[level].entry(text.clone()).or_insert_with(|| cell.clone());
        }
        texts.push(row_texts);
    }
    let names: Vec<Vec<String>> = by_text
        .iter()
        .map(|level| level.keys().collect::<BTreeSet<_>>().into_iter().cloned().collect())
        .collect();
    let code = |level: usize, text: &str| {
        names[level].binary_search_by(|name| name.as_str().cmp(text)).ok().and_then(|c| u32::try_from(c).ok())
    };
    let ancestors: Vec<Vec<u32>> = texts
        .iter()
        .map(|row| row.iter().enumerate().filter_map(|(level, text)| code(level, text)).collect())
        .collect();
    check(&ancestors, levels)?;
    let report: Vec<Option<u32>> =
        own.iter().enumerate().map(|(level, key)| code(level, &key_text(key)?)).collect();
    let own_codes: Option<Vec<u32>> = report.iter().copied().collect();
    if !own_codes.is_some_and(|own| ancestors.contains(&own)) {
        return Err(wrong(
            "the report's own value is not among the values",
            "Add it, or give the levels the keys that the domain has for it (key = …).",
        ));
    }
    let keys =
        names.iter().zip(&by_text).map(|(names, cells)| names.iter().map(|n| cells[n].clone()).collect());
    Ok(DomainValues { keys: keys.collect(), ancestors, report, texts: names })
}

/// No exact value twice, and the same ancestors wherever a key appears.
fn check(ancestors: &[Vec<u32>], levels: usize) -> Result<(), Fault> {
    let mut parents = HashMap::new();
    let mut exact = std::collections::HashSet::new();
    for (row, codes) in ancestors.iter().enumerate() {
        if !exact.insert(codes[levels - 1]) {
            return Err(wrong(format!("row {} repeats a value", row + 1), "Remove it."));
        }
        for level in 1..levels {
            if *parents.entry((level, codes[level])).or_insert(codes[level - 1]) != codes[level - 1] {
                return Err(wrong(
                    format!(
                        "in row {}, the key of level {} has another parent than before",
                        row + 1,
                        level + 1
                    ),
                    "A value belongs to one coarser value only: make the key unambiguous (\"Paris, Texas\").",
                ));
            }
        }
    }
    Ok(())
}
