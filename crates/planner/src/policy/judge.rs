//! Whether a set of rows meets its rules; counts alone are the fast path.

use std::collections::HashMap;

use super::rows::Rows;
use crate::rules::{Member, Rules, Standing, assess};

/// The rules of one protected set, applied to sets of its rows.
pub(crate) struct Judge<'a> {
    rows: &'a Rows<'a>,
    capped: Vec<u32>,
    least: u64,
    /// Per rule on different values, per row: the value, or `u32::MAX`; empty where there are too many of them.
    bits: Vec<Vec<u32>>,
}

/// Rules on different values that are looked at fast, at most.
const COLUMNS: usize = 4;
/// Words of 64 values each, at most.
const WORDS: usize = 64;

impl<'a> Judge<'a> {
    pub(crate) fn new(rows: &'a Rows<'a>) -> Self {
        let least = rows.rules.k.saturating_add(rows.rules.robust).max(1);
        let capped = rows
            .worlds
            .count
            .iter()
            .map(|&count| u32::try_from(count.min(least)).unwrap_or(u32::MAX))
            .collect();
        let diversity = &rows.rules.diversity;
        let few = |column: usize| {
            let groups = &rows.worlds.groups[column];
            let fits = groups.of.iter().all(|&value| value == u32::MAX || (value as usize) < WORDS * 64);
            if fits && diversity.len() <= COLUMNS { groups.of.clone() } else { Vec::new() }
        };
        let bits = diversity.iter().map(|&(column, _)| few(column)).collect();
        Self { rows, capped, least, bits }
    }

    /// The least number of candidates: k + Γ, and 1.
    pub(crate) fn least(&self) -> u64 {
        self.least
    }

    /// A row's count, capped at [`Judge::least`]: sums reach the least exactly when the true sums do.
    pub(crate) fn capped(&self, row: u32) -> u64 {
        u64::from(self.capped[row as usize])
    }

    /// Whether there are rules beside the count.
    pub(crate) fn more_than_count(&self) -> bool {
        self.shares() || !self.rows.rules.diversity.is_empty()
    }

    /// Whether posterior shares are limited: the one rule that a larger set may break.
    pub(crate) fn shares(&self) -> bool {
        self.rows.rules.share_ppm.is_some()
    }

    pub(crate) fn set_meets(&self, set: impl Iterator<Item = u32>) -> bool {
        if !self.more_than_count() {
            return set.map(|row| self.capped(row)).sum::<u64>() >= self.least;
        }
        if self.rows.rules.robust > 0 || self.bits.iter().any(Vec::is_empty) {
            return self.standing(set).holds;
        }
        self.meets_as_it_is(set)
    }

    /// The same where no candidate may be excluded and values are few: values met so far are bits.
    fn meets_as_it_is(&self, set: impl Iterator<Item = u32>) -> bool {
        let Rules { share_ppm, diversity, .. } = self.rows.rules;
        let weights = &self.rows.worlds.weight;
        let counts = &self.rows.worlds.count;
        let mut seen = [0_u64; COLUMNS * WORDS];
        let (mut count, mut heaviest, mut total) = (0_u64, 0_u64, 0_u128);
        let mut missing: [u32; COLUMNS] = [0; COLUMNS];
        for (missing, &(_, least)) in missing.iter_mut().zip(diversity) {
            *missing = least;
        }
        let mut left: u32 = missing.iter().sum();
        for row in set {
            count = count.saturating_add(self.capped(row));
            if left > 0 {
                for (rule, bits) in self.bits.iter().enumerate() {
                    let value = bits[row as usize];
                    if missing[rule] == 0 || value == u32::MAX {
                        continue;
                    }
                    let word = &mut seen[rule * WORDS + value as usize / 64];
                    let bit = 1 << (value % 64);
                    if *word & bit == 0 {
                        *word |= bit;
                        missing[rule] -= 1;
                        left -= 1;
                    }
                }
            }
            match share_ppm {
                // Sets only grow, and more candidates break neither of these rules.
                None if left == 0 && count >= self.least => return true,
                None => {}
                Some(_) => {
                    let row = row as usize;
                    heaviest = heaviest.max(weights[row]);
                    total += u128::from(weights[row]) * u128::from(counts[row]);
                }
            }
        }
        let within = |ppm: u32| u128::from(heaviest) * 1_000_000 <= total * u128::from(ppm) && total > 0;
        left == 0 && count >= self.least && share_ppm.is_none_or(within)
    }

    /// Candidates in a set.
    pub(crate) fn count(&self, set: impl Iterator<Item = u32>) -> u64 {
        set.map(|row| self.rows.worlds.count[row as usize]).sum()
    }

    /// How a set stands. Rows alike in weight and groups are counted together.
    pub(crate) fn standing(&self, set: impl Iterator<Item = u32>) -> Standing {
        let worlds = self.rows.worlds;
        let mut kinds: HashMap<(u64, &[u32]), usize> = HashMap::new();
        let mut members: Vec<Member<'_>> = Vec::new();
        for row in set {
            let row = row as usize;
            let groups = self.rows.groups_of(row);
            let kind = *kinds.entry((worlds.weight[row], groups)).or_insert_with(|| {
                members.push(Member { count: 0, suspects: 0, mass: mass(worlds.weight[row]), groups });
                members.len() - 1
            });
            members[kind].count += worlds.count[row];
            members[kind].suspects += worlds.count[row];
        }
        assess(self.rows.rules, &members)
    }
}

#[expect(clippy::cast_precision_loss, reason = "weights stay below 2^53")]
fn mass(weight: u64) -> f64 {
    weight as f64
}
