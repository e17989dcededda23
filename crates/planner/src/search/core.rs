//! The few candidates that can still matter: those who know enough to support something better than the best.

use super::prices::Prices;
use super::scan::Face;
use crate::rules::{Member, Rules, assess};
use std::collections::HashMap;

/// A row's level for a detail that does not narrow its crowd: dominates everything.
pub(super) const ANY: u8 = u8::MAX;

/// What makes rows alike: levels, weight, groups, odds.
type Likeness<'r> = (&'r [u8], u64, Vec<u32>, Vec<u16>);

/// Rows of one face, equal ones merged, row-major.
pub(super) struct Core<'a> {
    pub(super) face: Face<'a>,
    pub(super) details: usize,
    /// `levels[row * details + detail]`, clipped to the ceiling, or [`ANY`].
    pub(super) levels: Vec<u8>,
    /// Candidates per row.
    pub(super) count: Vec<u64>,
    /// A class whose mass and groups are those of the row.
    pub(super) class: Vec<usize>,
    /// Prior mass per candidate of the row.
    pub(super) weight: Vec<f64>,
    /// Group values, row-major.
    pub(super) groups: Vec<u32>,
}

impl<'a> Core<'a> {
    /// Gathers the given classes, clips them to the ceiling and merges equal ones.
    pub(super) fn gather(face: &Face<'a>, classes: &[usize], ceiling: &[u8]) -> Self {
        let details = ceiling.len();
        let rules = &face.rules;
        let mut core = Self {
            face: face.clone(),
            details,
            levels: vec![ANY; classes.len() * details],
            count: Vec::new(),
            class: Vec::new(),
            weight: Vec::new(),
            groups: Vec::new(),
        };
        for (detail, &ceiling) in ceiling.iter().enumerate() {
            if let Some(column) = face.column(detail) {
                for (row, &class) in classes.iter().enumerate() {
                    core.levels[row * details + detail] = column[class].min(ceiling);
                }
            }
        }
        let merged = core.merge(classes, rules);
        let mut levels = Vec::with_capacity(merged.len() * details);
        for &(row, count) in &merged {
            levels.extend_from_slice(core.row(row));
            core.count.push(count);
            let class = classes[row];
            core.class.push(class);
            #[expect(clippy::cast_precision_loss, reason = "weights are at most 10^9")]
            core.weight.push(face.candidates().weight[class] as f64);
            core.groups.extend(face.groups(class));
        }
        core.levels = levels;
        core
    }

    /// First of each set of equal rows with the set's count, in order of first appearance. Rows that differ in what
    /// only unused rules look at are equal.
    fn merge(&self, classes: &[usize], rules: &Rules) -> Vec<(usize, u64)> {
        let candidates = self.face.candidates();
        let mut seen: HashMap<Likeness<'_>, usize> = HashMap::with_capacity(classes.len());
        let mut merged: Vec<(usize, u64)> = Vec::new();
        for (row, &class) in classes.iter().enumerate() {
            let shares = rules.share_ppm.is_some();
            let weight = if shares { candidates.weight[class] } else { 0 };
            let odds = if shares {
                candidates.odds.iter().map(|odds| odds.permille[class]).collect()
            } else {
                Vec::new()
            };
            let groups =
                rules.diversity.iter().map(|&(column, _)| candidates.groups[column].of[class]).collect();
            let place = *seen.entry((self.row(row), weight, groups, odds)).or_insert_with(|| {
                merged.push((row, 0));
                merged.len() - 1
            });
            merged[place].1 += candidates.count[class];
        }
        merged
    }

    pub(super) fn rows(&self) -> usize {
        self.count.len()
    }

    pub(super) fn row(&self, row: usize) -> &[u8] {
        &self.levels[row * self.details..(row + 1) * self.details]
    }

    /// Price of the meet of a row with `ceiling`.
    pub(super) fn worth(&self, row: usize, ceiling: &[u8], prices: &Prices) -> u64 {
        prices.meet(self.row(row), ceiling)
    }

    /// Whether a row dominates `levels`.
    pub(super) fn dominates(&self, row: usize, levels: &[u8]) -> bool {
        self.row(row).iter().zip(levels).all(|(have, want)| have >= want)
    }

    /// Whether the number of candidates is all that the rules look at.
    pub(super) fn counts_only(&self) -> bool {
        self.face.rules.share_ppm.is_none() && self.face.rules.diversity.is_empty()
    }

    /// Whether the rules hold for the rows that dominate `levels`.
    pub(super) fn safe(&self, levels: &[u8]) -> bool {
        let inside = (0..self.rows()).filter(|&row| self.dominates(row, levels));
        self.holds(&inside.collect::<Vec<_>>(), levels)
    }

    /// Whether the rules hold for a set of rows under `levels`.
    pub(super) fn holds(&self, inside: &[usize], levels: &[u8]) -> bool {
        if inside.iter().map(|&row| self.count[row]).sum::<u64>() < self.face.least {
            return false;
        }
        if self.counts_only() {
            return true;
        }
        let rules = &self.face.rules;
        let columns = self.face.candidates().groups.len();
        let members: Vec<Member<'_>> = inside
            .iter()
            .map(|&row| Member {
                count: self.count[row],
                suspects: self.count[row],
                mass: self.face.mass(self.class[row], levels),
                groups: &self.groups[row * columns..(row + 1) * columns],
            })
            .collect();
        assess(rules, &members).holds
    }

    /// Group value of a row in a group column.
    pub(super) fn group(&self, row: usize, column: usize) -> u32 {
        self.groups[row * self.face.candidates().groups.len() + column]
    }

    /// Keeps the rows for which `keep` holds.
    pub(super) fn retain(&mut self, keep: impl Fn(&Self, usize) -> bool) {
        let kept: Vec<usize> = (0..self.rows()).filter(|&row| keep(self, row)).collect();
        if kept.len() == self.rows() {
            return;
        }
        let columns = self.face.candidates().groups.len();
        self.levels = kept.iter().flat_map(|&row| self.row(row).to_vec()).collect();
        self.groups =
            kept.iter().flat_map(|&row| self.groups[row * columns..(row + 1) * columns].to_vec()).collect();
        self.count = kept.iter().map(|&row| self.count[row]).collect();
        self.class = kept.iter().map(|&row| self.class[row]).collect();
        self.weight = kept.iter().map(|&row| self.weight[row]).collect();
    }
}
