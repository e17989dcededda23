//! The worlds of one population, re-coded for building: each value becomes a node of its detail's *value tree*.
//!
//! Two values at a level are the same node only if their coarser levels agree too, so "has node v" says all that a
//! release of that level says.

use std::collections::HashMap;

use tearline_model::worlds::{WorldDetail, Worlds};

use crate::rules::Rules;

/// No node: the candidate can never be the source of the detail at that level.
pub(crate) const NONE: u32 = u32::MAX;

/// A detail whose value differs between candidates.
pub(crate) struct Valued {
    /// Index in the report.
    pub(crate) detail: usize,
    /// Per level from 1: per row, its node.
    pub(crate) node: Vec<Vec<u32>>,
    /// Per level from 1: per node, its parent at the coarser level (0 at level 1) and its value's text.
    pub(crate) names: Vec<Vec<(u32, String)>>,
    /// Per level from 1: the node of each (parent, code).
    lookup: Vec<HashMap<(u32, u32), u32>>,
    /// Worth of each level from 0, cumulative.
    pub(crate) worth: Vec<u64>,
}

/// A detail whose value plays no part.
pub(crate) struct Fixed {
    /// Index in the report.
    pub(crate) detail: usize,
    /// Highest level known, per row.
    pub(crate) known: Vec<u8>,
    /// Worth of each level from 0, cumulative, up to the ceiling.
    pub(crate) worth: Vec<u64>,
}

/// All rows (signature classes) of one population, in column order.
pub(crate) struct Rows<'a> {
    pub(crate) worlds: &'a Worlds,
    pub(crate) rules: &'a Rules,
    pub(crate) valued: Vec<Valued>,
    pub(crate) fixed: Vec<Fixed>,
    /// Group value numbers, row by row.
    pub(crate) groups: Vec<u32>,
}

impl<'a> Rows<'a> {
    /// Re-codes the details that are given; `levels` says up to which level each may be released.
    pub(crate) fn new(
        worlds: &'a Worlds,
        rules: &'a Rules,
        owned: &[bool],
        utility: &[Vec<u64>],
        ceilings: &[u8],
    ) -> Self {
        let (mut valued, mut fixed) = (Vec::new(), Vec::new());
        for (detail, world) in worlds.details.iter().enumerate().filter(|&(d, _)| owned[d]) {
            let worth = utility[detail][..=usize::from(ceilings[detail])].to_vec();
            match world {
                WorldDetail::Fixed(known) => fixed.push(Fixed { detail, known: known.clone(), worth }),
                WorldDetail::Valued { codes, values, .. } => {
                    valued.push(Valued::new(detail, &codes[..worth.len() - 1], values, worth));
                }
                WorldDetail::Many { .. } => {}
            }
        }
        let columns = worlds.groups.len();
        let mut groups = vec![0; columns * worlds.count.len()];
        for (c, column) in worlds.groups.iter().enumerate() {
            for (row, &value) in column.of.iter().enumerate() {
                groups[row * columns + c] = value;
            }
        }
        Self { worlds, rules, valued, fixed, groups }
    }

    pub(crate) fn len(&self) -> usize {
        self.worlds.count.len()
    }

    pub(crate) fn groups_of(&self, row: usize) -> &[u32] {
        let columns = self.worlds.groups.len();
        &self.groups[row * columns..(row + 1) * columns]
    }
}

impl Valued {
    fn new(detail: usize, codes: &[Vec<u32>], values: &[Vec<String>], worth: Vec<u64>) -> Self {
        let rows = codes.first().map_or(0, Vec::len);
        let mut out = Self { detail, node: Vec::new(), names: Vec::new(), lookup: Vec::new(), worth };
        let mut parents = vec![0; rows];
        for (codes, values) in codes.iter().zip(values) {
            let mut lookup = HashMap::new();
            let mut names = Vec::new();
            let mut nodes = vec![NONE; rows];
            for row in 0..rows {
                if parents[row] == NONE || codes[row] == NONE {
                    continue;
                }
                nodes[row] = *lookup.entry((parents[row], codes[row])).or_insert_with(|| {
                    names.push((parents[row], values[codes[row] as usize].clone()));
                    u32::try_from(names.len() - 1).expect("fewer nodes than rows, which fit 32 bits")
                });
            }
            out.node.push(nodes.clone());
            out.names.push(names);
            out.lookup.push(lookup);
            parents = nodes;
        }
        out
    }

    /// Highest level that may be released.
    pub(crate) fn top(&self) -> usize {
        self.node.len()
    }
}

/// Columns: the valued details, then the fixed ones.
impl Rows<'_> {
    pub(crate) fn columns(&self) -> usize {
        self.valued.len() + self.fixed.len()
    }

    /// Index of the column's detail in the report.
    pub(crate) fn detail(&self, column: usize) -> usize {
        self.valued.get(column).map_or_else(|| self.fixed[column - self.valued.len()].detail, |v| v.detail)
    }

    pub(crate) fn top(&self, column: usize) -> usize {
        self.worth_of(column).len() - 1
    }

    fn worth_of(&self, column: usize) -> &[u64] {
        self.valued.get(column).map_or_else(|| &self.fixed[column - self.valued.len()].worth, |v| &v.worth)
    }

    /// What a row says at a level: its node; for a fixed detail 1 if known, else [`NONE`].
    pub(crate) fn value(&self, column: usize, level: u8, row: u32) -> u32 {
        match self.valued.get(column) {
            Some(valued) => valued.node[usize::from(level) - 1][row as usize],
            None if self.fixed[column - self.valued.len()].known[row as usize] >= level => 1,
            None => NONE,
        }
    }

    pub(crate) fn holds(&self, column: usize, level: u8, row: u32) -> bool {
        self.value(column, level, row) != NONE
    }

    /// Worth of a vector of levels, in column order.
    pub(crate) fn worth(&self, levels: &[u8]) -> u64 {
        levels.iter().enumerate().map(|(c, &level)| self.worth_of(c)[usize::from(level)]).sum()
    }

    pub(crate) fn gain_exact(&self, column: usize, from: u8, to: u8) -> u64 {
        let worth = self.worth_of(column);
        worth[usize::from(to)] - worth[usize::from(from)]
    }

    /// As a number to rank by.
    #[expect(clippy::cast_precision_loss, reason = "utilities stay below 2^40")]
    pub(crate) fn gain(&self, column: usize, from: u8, to: u8) -> f64 {
        self.gain_exact(column, from, to) as f64
    }
}
