//! Which expressions are evaluated together.
//!
//! Most predicates look at a few columns with few values. They are evaluated once for each *different* tuple of
//! those values, so their cost hardly depends on the number of rows. Expressions over columns with nearly as many
//! values as rows are evaluated row by row, all in one statement.

use std::collections::{BTreeMap, HashSet};

use crate::chunk::Chunk;
use crate::program::Program;

/// Expressions evaluated together.
#[derive(Debug)]
pub(super) struct Unit {
    pub(super) items: Vec<usize>,
    /// Columns that they read, ascending.
    pub(super) columns: Vec<usize>,
    /// Whether results are kept for each different tuple of the columns' values.
    pub(super) cached: bool,
}

/// Below this many rows every expression is cached.
const FEW: usize = 8192;

/// Groups the items, judging by the first rows of the table.
pub(super) fn plan(program: &Program, wanted: &[usize], sample: &[Chunk]) -> Vec<Unit> {
    let mut sets = BTreeMap::<Vec<usize>, Vec<usize>>::new();
    for (item, description) in program.items.iter().enumerate() {
        sets.entry(description.columns.clone()).or_default().push(item);
    }
    let mut sets: Vec<(Vec<usize>, Vec<usize>)> = sets.into_iter().collect();
    sets.sort_by_key(|(columns, _)| std::cmp::Reverse(columns.len()));
    let mut units = Vec::<Unit>::new();
    let mut wide = Unit { items: Vec::new(), columns: Vec::new(), cached: false };
    for (columns, items) in sets {
        if is_wide(&columns, wanted, sample) {
            wide.items.extend(items);
            wide.columns.extend(columns);
            continue;
        }
        // A unit that reads these columns and more is as good.
        match units.iter_mut().find(|unit| columns.iter().all(|column| unit.columns.contains(column))) {
            Some(unit) => unit.items.extend(items),
            None => units.push(Unit { items, columns, cached: true }),
        }
    }
    if !wide.items.is_empty() {
        wide.columns.sort_unstable();
        wide.columns.dedup();
        units.push(wide);
    }
    for unit in &mut units {
        unit.items.sort_unstable();
    }
    units
}

/// Whether more than a quarter of the sample's rows have a tuple of their own.
fn is_wide(columns: &[usize], wanted: &[usize], sample: &[Chunk]) -> bool {
    let rows: usize = sample.iter().map(Chunk::rows).sum();
    if rows < FEW {
        return false;
    }
    let positions: Vec<usize> =
        columns.iter().filter_map(|column| wanted.iter().position(|w| w == column)).collect();
    let mut seen = HashSet::new();
    for chunk in sample {
        for row in 0..chunk.rows() {
            seen.insert(positions.iter().map(|&position| chunk.field(row, position)).collect::<Vec<_>>());
            if seen.len() * 4 > rows {
                return true;
            }
        }
    }
    false
}
