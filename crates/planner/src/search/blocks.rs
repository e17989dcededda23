//! What a row can support once a few details at a time are looked at together.
//!
//! A row may know many details that others do not know *together*: each alone is safe, all of them are not. So the
//! open details are divided into blocks small enough to count, for every point of the block's little lattice, the
//! candidates that dominate it. A row then supports at most the dearest safe point below its own in each block.

/// Points of a block's lattice at most.
const POINTS: usize = 256;

/// An open detail: its number and its range.
#[derive(Clone, Copy)]
pub(super) struct Open {
    pub(super) detail: usize,
    pub(super) low: u8,
    pub(super) high: u8,
}

/// A few details looked at together. A point's index is the sum over the details of (level − low) × stride.
pub(super) struct Block {
    details: Vec<(Open, usize)>,
    points: usize,
    /// Per point: price, above the low levels, of the dearest safe point at or below it.
    best: Vec<u64>,
}

/// Divides open details, in the given order, into blocks.
pub(super) fn divide(open: impl Iterator<Item = Open>) -> Vec<Block> {
    let mut blocks: Vec<Block> = Vec::new();
    for detail in open {
        let range = usize::from(detail.high - detail.low) + 1;
        match blocks.last_mut() {
            Some(block) if block.points * range <= POINTS => {
                block.details.push((detail, block.points));
                block.points *= range;
            }
            _ => blocks.push(Block { details: vec![(detail, 1)], points: range, best: Vec::new() }),
        }
    }
    blocks
}

impl Block {
    /// Appends the points of all rows, given each open detail's column of levels.
    pub(super) fn points_of<'c>(
        &self,
        rows: usize,
        column: impl Fn(usize) -> &'c [u8],
        points: &mut Vec<u16>,
    ) {
        let from = points.len();
        points.resize(from + rows, 0);
        let points = &mut points[from..];
        for &(Open { detail, low, high }, stride) in &self.details {
            let stride = u16::try_from(stride).expect("a point is below POINTS");
            for (point, &level) in points.iter_mut().zip(column(detail)) {
                // Rows below the box are not looked at: any point does.
                *point =
                    point.wrapping_add(u16::from(level.min(high).saturating_sub(low)).wrapping_mul(stride));
            }
        }
    }

    /// Number of points.
    pub(super) fn points(&self) -> usize {
        self.points
    }

    /// From candidates exactly at each point to candidates at or above it.
    pub(super) fn accumulate(&self, counts: &mut [u64]) {
        for &(Open { low, high, .. }, stride) in &self.details {
            let span = stride * (usize::from(high - low) + 1);
            for chunk in counts.chunks_exact_mut(span) {
                for at in (0..span - stride).rev() {
                    chunk[at] += chunk[at + stride];
                }
            }
        }
    }

    /// Fills the table, given which points are safe and what a step up of a detail costs.
    pub(super) fn fill(&mut self, safe: &[bool], step: impl Fn(usize, u8) -> u64) {
        let mut best = vec![0_u64; self.points];
        for &(Open { detail, low, high }, stride) in &self.details {
            let span = stride * (usize::from(high - low) + 1);
            let mut above = 0;
            let rises: Vec<u64> = (low + 1..=high)
                .map(|level| {
                    above += step(detail, level);
                    above
                })
                .collect();
            for chunk in best.chunks_exact_mut(span) {
                for (row, rise) in chunk.chunks_exact_mut(stride).skip(1).zip(&rises) {
                    for price in row {
                        *price += rise;
                    }
                }
            }
        }
        for (price, &safe) in best.iter_mut().zip(safe) {
            *price = if safe { *price } else { 0 };
        }
        for &(Open { low, high, .. }, stride) in &self.details {
            let span = stride * (usize::from(high - low) + 1);
            for chunk in best.chunks_exact_mut(span) {
                for at in stride..span {
                    chunk[at] = chunk[at].max(chunk[at - stride]);
                }
            }
        }
        self.best = best;
    }

    /// What a row at `point` supports in this block.
    pub(super) fn at(&self, point: usize) -> u64 {
        self.best[point]
    }

    /// What a row at `point` supports if `detail` may only reach `level`; `None` if the block has not that detail.
    pub(super) fn below(&self, point: usize, detail: usize, level: u8) -> Option<u64> {
        let &(Open { low, high, .. }, stride) =
            self.details.iter().find(|(open, _)| open.detail == detail)?;
        let range = usize::from(high - low) + 1;
        let have = point / stride % range;
        let may = usize::from(level - low).min(have);
        Some(self.best[point - (have - may) * stride])
    }
}
