//! Stands in for the population crate until it lands: comparisons of one column with one constant only.

use anyhow::{Context, Result, anyhow};
use std::path::Path;
use tearline_model::candidates::{Candidates, Groups};
use tearline_model::report::{Cell, Knowledge, Report, Sql, Table, ToldWhat};

pub(crate) fn candidates(report: &Report, index: usize, base: &Path) -> Result<Candidates> {
    let population = &report.populations[index];
    let (columns, rows) = match &population.table {
        Table::Rows(columns, rows) => (columns.clone(), rows.clone()),
        Table::Csv(name) => csv(&base.join(name))?,
        _ => return Err(anyhow!("not in the stand-in")),
    };
    let column = |name: &str| {
        let at = columns.iter().position(|column| column == name.trim().trim_matches('"'));
        at.ok_or_else(|| anyhow!("population {}: no column {name:?}", population.id))
    };
    let holds = |sql: &Sql, row: &[Cell]| -> Result<bool> {
        let text = sql.0.trim();
        if let Ok(constant) = text.parse::<bool>() {
            return Ok(constant);
        }
        for operator in [">=", "<=", "<>", "=", ">", "<"] {
            let Some((left, right)) = text.split_once(operator) else { continue };
            let left = &row[column(left)?];
            let order = compare(left, right.trim());
            return Ok(match operator {
                ">=" => order.is_ge(),
                "<=" => order.is_le(),
                "<>" => order.is_ne(),
                "=" => order.is_eq(),
                ">" => order.is_gt(),
                _ => order.is_lt(),
            });
        }
        Ok(matches!(row[column(text)?], Cell::Boolean(true) | Cell::Integer(1)))
    };
    let mut candidates = Candidates { sure: vec![Vec::new(); report.details.len()], ..Candidates::default() };
    for row in &rows {
        for (detail, of) in report.details.iter().enumerate() {
            let predicates = match &of.knowledge[index] {
                Some(Knowledge::Fixed(predicates) | Knowledge::Opaque { predicates, .. }) => {
                    predicates.as_slice()
                }
                _ => &[],
            };
            let mut level = 0;
            for sql in predicates {
                if !holds(sql, row)? {
                    break;
                }
                level += 1;
            }
            candidates.sure[detail].push(level);
        }
        candidates.count.push(match &population.count_column {
            Some(name) => match row[column(name)?] {
                Cell::Integer(count) => u64::try_from(count)?,
                _ => return Err(anyhow!("count")),
            },
            None => 1,
        });
        candidates.weight.push(1000);
    }
    for told in &report.told {
        if let ToldWhat::Linked { known_to, .. } = &told.what {
            let known =
                rows.iter().map(|row| known_to[index].as_ref().map_or(Ok(true), |sql| holds(sql, row)));
            candidates.linked.push(known.collect::<Result<_>>()?);
        }
    }
    for protection in report.protections.iter().filter(|protection| protection.population == index) {
        for diversity in &protection.diversity {
            let at = column(&diversity.column.0)?;
            let mut values: Vec<&Cell> = Vec::new();
            let of = rows.iter().map(|row| {
                let found = values.iter().position(|value| **value == row[at]);
                found.unwrap_or_else(|| {
                    values.push(&row[at]);
                    values.len() - 1
                })
            });
            let of = of.map(|value| u32::try_from(value).unwrap_or(u32::MAX)).collect();
            let groups =
                Groups { column: diversity.column.0.clone(), of, values: u32::try_from(values.len())? };
            candidates.groups.push(groups);
        }
    }
    Ok(candidates)
}

fn compare(cell: &Cell, text: &str) -> std::cmp::Ordering {
    match cell {
        Cell::Integer(number) => number.cmp(&text.parse().unwrap_or(i64::MAX)),
        Cell::Text(value) => value.as_str().cmp(text.trim_matches('\'')),
        _ => std::cmp::Ordering::Less,
    }
}

fn csv(path: &Path) -> Result<(Vec<String>, Vec<Vec<Cell>>)> {
    let text = std::fs::read_to_string(path).with_context(|| format!("{} cannot be read", path.display()))?;
    let mut lines = text.lines();
    let header = lines.next().unwrap_or_default().split(',').map(str::to_owned).collect();
    let cell = |text: &str| text.parse().map_or_else(|_| Cell::Text(text.to_owned()), Cell::Integer);
    Ok((header, lines.map(|line| line.split(',').map(cell).collect()).collect()))
}
