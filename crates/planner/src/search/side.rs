//! The candidates of one face within a subtree, and the bounds that they give.

use super::bits::{self, Sizes};
use super::core::Core;
use super::node::{Alive, Node};

/// Ranges of the heaviest mass that a bound tells apart.
const SHARE_RANGES: usize = 12;
/// One face in a field.
pub(super) struct Side<'a> {
    pub(super) core: &'a Core<'a>,
    pub(super) rows: Vec<u32>,
    pub(super) counts: Vec<u64>,
    /// Levels, detail by detail.
    pub(super) columns: Vec<u8>,
    /// Per diversity rule: each row's group, numbered from 0 within this side (`u32::MAX`: none), and how many.
    pub(super) groups: Vec<(Vec<u32>, usize)>,
    pub(super) words: usize,
    /// Per item: the rows that know it.
    pub(super) known: Vec<u64>,
    pub(super) sizes: Sizes,
}

impl<'a> Side<'a> {
    /// The given rows of a core. `item(d, l)` numbers the steps of the box from `low` to `high`; there are `items`.
    pub(super) fn new(
        core: &'a Core<'a>,
        rows: &[u32],
        (low, high): (&[u8], &[u8]),
        items: usize,
        item: impl Fn(usize, u8) -> usize,
    ) -> Self {
        let words = bits::words(rows.len());
        let mut known = vec![0_u64; items * words];
        for (at, &row) in rows.iter().enumerate() {
            let (word, bit) = (at / 64, 1_u64 << (at % 64));
            for (detail, &level) in core.row(row as usize).iter().enumerate() {
                for level in low[detail] + 1..=level.min(high[detail]) {
                    known[item(detail, level) * words + word] |= bit;
                }
            }
        }
        let counts: Vec<u64> = rows.iter().map(|&row| core.count[row as usize]).collect();
        let columns = (0..core.details)
            .flat_map(|detail| rows.iter().map(move |&row| core.levels[row as usize * core.details + detail]))
            .collect();
        let groups =
            core.face.rules.diversity.iter().map(|&(column, _)| dense_groups(core, rows, column)).collect();
        let sizes = Sizes::new(&counts);
        Self { core, rows: rows.to_vec(), counts, columns, groups, words, known, sizes }
    }

    /// Whether the masses of this side depend on the level of a detail.
    pub(super) fn weighs(&self, detail: usize) -> bool {
        self.core.face.possible && self.core.face.candidates().odds.iter().any(|odds| odds.detail == detail)
    }

    pub(super) fn knowing(&self, item: usize) -> &[u64] {
        &self.known[item * self.words..(item + 1) * self.words]
    }

    pub(super) fn column(&self, detail: usize) -> &[u8] {
        &self.columns[detail * self.rows.len()..][..self.rows.len()]
    }

    /// The greatest price that enough rows can support; `None` if the rules cannot be met at all.
    pub(super) fn bound(&self, rows: &[(u32, u64)], node: &Node) -> Option<u64> {
        let face = &self.core.face;
        let mut worth: Vec<(u64, u64)> =
            rows.iter().map(|&(row, worth)| (worth, self.counts[row as usize])).collect();
        let mut bound = kth_largest(&mut worth, face.least, self.sizes.unit())?;
        for (&(_, least), (groups, values)) in face.rules.diversity.iter().zip(&self.groups) {
            let mut best = vec![(0, 1); *values];
            for &(row, worth) in rows {
                if let Some((best, _)) = best.get_mut(groups[row as usize] as usize) {
                    *best = worth.max(*best);
                }
            }
            bound = bound.min(kth_largest(&mut best, u64::from(least), true).filter(|&worth| worth > 0)?);
        }
        match face.rules.share_ppm {
            Some(ppm) => self.share_bound(ppm, rows, node).map(|by_share| bound.min(by_share)),
            None => Some(bound),
        }
    }

    /// The greatest price at which the largest share can be kept down. Let *t* be the mass of the heaviest in a set.
    /// Then nobody in it is heavier at the top of the box, the masses are at most min(mass, t) each, and they sum to
    /// t/τ at least. *t* is no less than the mass of those who are in every set: the rows that know the whole box.
    /// So for each range of *t*: how far down must one go for enough mass? The most generous range counts.
    pub(super) fn share_bound(&self, ppm: u32, supports: &[(u32, u64)], node: &Node) -> Option<u64> {
        let face = &self.core.face;
        let uncertain = face.possible && !face.candidates().odds.is_empty();
        let mass = |row: usize, levels: &[u8]| {
            if uncertain { face.mass(self.core.class[row], levels) } else { self.core.weight[row] }
        };
        let mut least: f64 = 0.0;
        let mut rows: Vec<(u64, f64, f64, f64)> = Vec::with_capacity(supports.len());
        for &(at, worth) in supports {
            let row = self.rows[at as usize] as usize;
            let (most, fewest) = (mass(row, &node.low), mass(row, &node.high));
            if self.core.dominates(row, &node.high) {
                least = least.max(fewest);
            }
            rows.push((worth, ratio(self.counts[at as usize], 1), most, fewest));
        }
        rows.sort_unstable_by_key(|row| std::cmp::Reverse(row.0));
        let mut heaviest: Vec<f64> = rows.iter().map(|row| row.3).filter(|&mass| mass >= least).collect();
        heaviest.push(least);
        heaviest.sort_unstable_by(f64::total_cmp);
        heaviest.dedup();
        let stride = heaviest.len().div_ceil(SHARE_RANGES);
        let from = heaviest.iter().step_by(stride).copied();
        let to = heaviest.iter().skip(stride).step_by(stride).copied().chain([f64::INFINITY]);
        let within = |from: f64, to: f64| {
            if from == 0.0 {
                return rows.first().map(|row| row.0);
            }
            let needed = from / (f64::from(ppm) / 1e6 * (1.0 + 1e-6));
            let mut sum = 0.0;
            let enough = |row: &&(u64, f64, f64, f64)| {
                sum += row.1 * row.2.min(from);
                sum >= needed
            };
            rows.iter().filter(|row| row.3 < to).find(enough).map(|row| row.0)
        };
        from.zip(to).filter_map(|(from, to)| within(from, to)).max()
    }

    pub(super) fn safe(&self, alive: &Alive, levels: &[u8]) -> bool {
        let mut inside = Vec::new();
        bits::for_each(&alive.bits, |row| inside.push(self.rows[row] as usize));
        inside.retain(|&row| self.core.dominates(row, levels));
        self.core.holds(&inside, levels)
    }
}

/// Numbers the groups that occur among rows.
fn dense_groups(core: &Core<'_>, rows: &[u32], column: usize) -> (Vec<u32>, usize) {
    let mut numbers = std::collections::HashMap::<u32, u32>::new();
    let groups = rows
        .iter()
        .map(|&row| match core.group(row as usize, column) {
            u32::MAX => u32::MAX,
            group => {
                let next = u32::try_from(numbers.len()).expect("no more groups than rows");
                *numbers.entry(group).or_insert(next)
            }
        })
        .collect();
    (groups, numbers.len())
}

/// The greatest worth that at least `least` candidates reach.
fn kth_largest(worth: &mut [(u64, u64)], least: u64, unit: bool) -> Option<u64> {
    if unit {
        let place = usize::try_from(least.max(1) - 1).ok().filter(|&place| place < worth.len())?;
        return Some(worth.select_nth_unstable_by(place, |a, b| b.0.cmp(&a.0)).1.0);
    }
    worth.sort_unstable_by_key(|row| std::cmp::Reverse(row.0));
    let mut sum = 0;
    worth
        .iter()
        .find(|(_, count)| {
            sum += count;
            sum >= least
        })
        .map(|&(worth, _)| worth)
}

#[expect(clippy::cast_precision_loss, reason = "scores and slackened sums only")]
pub(super) fn ratio(a: u64, b: u64) -> f64 {
    a as f64 / b.max(1) as f64
}
