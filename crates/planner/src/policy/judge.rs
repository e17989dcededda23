//! Whether a set of rows meets its rules; counts alone are the fast path.

use std::collections::HashMap;

use super::rows::Rows;
use crate::rules::{Member, Standing, assess};

/// The rules of one protected set, applied to sets of its rows.
pub(crate) struct Judge<'a> {
    rows: &'a Rows<'a>,
    capped: Vec<u32>,
    least: u64,
}

impl<'a> Judge<'a> {
    pub(crate) fn new(rows: &'a Rows<'a>) -> Self {
        let least = rows.rules.k.saturating_add(rows.rules.robust).max(1);
        let capped = rows
            .worlds
            .count
            .iter()
            .map(|&count| u32::try_from(count.min(least)).unwrap_or(u32::MAX))
            .collect();
        Self { rows, capped, least }
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
        if self.more_than_count() {
            self.standing(set).holds
        } else {
            set.map(|row| self.capped(row)).sum::<u64>() >= self.least
        }
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
