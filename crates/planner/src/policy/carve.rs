//! Cuts many rows into nodes small enough to search: one value against the rest, again and again.
//!
//! The cut with the most worth per bit comes first, so a node holds rows that would have shared that value anyway.
//! Counts of the larger side of a cut are differences, so the work is that of the smaller sides.

use super::judge::Judge;
use super::log2::log2;
use super::rows::{NONE, Rows};

/// Levels with more values than this are left to the search inside the nodes.
const WIDEST: usize = 1 << 14;

/// One test of a guard tree; indices are into the same vector.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Guard {
    /// Rows whose node at the column's level is `node` go on at `yes`, the others at `no`.
    Test { column: usize, level: u8, node: u32, yes: usize, no: usize },
    /// Leaf: number of the node's row list.
    Leaf(usize),
}

/// Cuts `rows` (ascending) into lists of at most about `most` rows.
pub(crate) fn carve(
    rows: &Rows<'_>,
    judge: &Judge<'_>,
    of: Vec<u32>,
    floor: &[u8],
    most: usize,
) -> (Vec<Guard>, Vec<Vec<u32>>) {
    let mut carver = Carver { rows, judge, most, slots: Vec::new(), guards: Vec::new(), lists: Vec::new() };
    let mut at = 0;
    for column in 0..rows.valued.len() {
        for level in 1..=rows.valued[column].top() {
            let width = rows.valued[column].names[level - 1].len();
            if width <= WIDEST {
                carver.slots.push((column, u8::try_from(level).expect("levels fit 8 bits"), at, width));
                at += width;
            }
        }
    }
    let counts = if of.len() > most { carver.count(&of, at) } else { Vec::new() };
    carver.cut(of, floor, counts);
    (carver.guards, carver.lists)
}

struct Carver<'a> {
    rows: &'a Rows<'a>,
    judge: &'a Judge<'a>,
    most: usize,
    /// (column, level, offset of its counts, number of values).
    slots: Vec<(usize, u8, usize, usize)>,
    guards: Vec<Guard>,
    lists: Vec<Vec<u32>>,
}

impl Carver<'_> {
    fn count(&self, of: &[u32], width: usize) -> Vec<u64> {
        let mut counts = vec![0; width];
        for &(column, level, at, _) in &self.slots {
            let nodes = &self.rows.valued[column].node[usize::from(level) - 1];
            for &row in of {
                let node = nodes[row as usize];
                if node != NONE {
                    counts[at + node as usize] += self.judge.capped(row);
                }
            }
        }
        counts
    }

    /// Emits the guards of one list of rows and returns the index of their root.
    fn cut(&mut self, mut of: Vec<u32>, floor: &[u8], mut counts: Vec<u64>) -> usize {
        let root = self.guards.len();
        loop {
            let total: u64 = of.iter().map(|&row| self.judge.capped(row)).sum();
            let found = if of.len() > self.most { self.best(floor, &counts, total) } else { None };
            let Some((column, level, node)) = found else {
                self.guards.push(Guard::Leaf(self.lists.len()));
                self.lists.push(of);
                return root;
            };
            let nodes = &self.rows.valued[column].node[usize::from(level) - 1];
            let (inside, outside): (Vec<u32>, Vec<u32>) =
                of.iter().partition(|&&row| nodes[row as usize] == node);
            let (larger_in, smaller) =
                if inside.len() > outside.len() { (true, &outside) } else { (false, &inside) };
            let fewer = self.count(smaller, counts.len());
            counts.iter_mut().zip(&fewer).for_each(|(all, part)| *all -= part);
            let (in_counts, out_counts) = if larger_in { (counts, fewer) } else { (fewer, counts) };
            let mut raised = floor.to_vec();
            raised[column] = level;
            let test = self.guards.len();
            self.guards.push(Guard::Leaf(0));
            let yes = self.cut(inside, &raised, in_counts);
            self.guards[test] = Guard::Test { column, level, node, yes, no: self.guards.len() };
            of = outside;
            counts = out_counts;
        }
    }

    /// The value with the most worth per (square root of a) bit that leaves enough on both sides.
    #[expect(clippy::cast_precision_loss, reason = "a ranking; counts stay below 2^53")]
    fn best(&self, floor: &[u8], counts: &[u64], total: u64) -> Option<(usize, u8, u32)> {
        let least = self.judge.least();
        let mut best = None;
        let mut top = 0.0;
        for &(column, level, at, width) in self.slots.iter().filter(|s| s.1 > floor[s.0]) {
            let gain = self.rows.gain(column, floor[column], level);
            for (node, &count) in counts[at..at + width].iter().enumerate() {
                if count < least || total - count < least {
                    continue;
                }
                let bits = (log2(total) - log2(count)).max(1) as f64 / 65536.0;
                let score = gain / bits.sqrt();
                if score > top {
                    top = score;
                    best = Some((column, level, u32::try_from(node).expect("nodes fit 32 bits")));
                }
            }
        }
        best
    }
}
