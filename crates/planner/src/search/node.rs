//! One node of the search tree: a box of levels `low..=high`, and the rows that can still support something in it.

use super::bits;
use super::blocks::{self, Block, Open};
use super::core::Core;
use super::prices::Prices;
use super::side::{Side, ratio};

/// A node at rest: rows by number.
pub(super) struct Packed {
    pub(super) low: Vec<u8>,
    pub(super) high: Vec<u8>,
    pub(super) rows: Vec<Vec<u32>>,
    pub(super) bound: u64,
}

/// The part of the cores that one subtree works on, turned into bit sets.
pub(super) struct Field<'a> {
    prices: &'a Prices,
    /// `first[d]`: number of the item (d, low + 1); items of a detail are consecutive.
    first: Vec<usize>,
    low: Vec<u8>,
    sides: Vec<Side<'a>>,
    /// Open details, in the order in which blocks take them.
    order: Vec<usize>,
}

/// What rows support when looked at block by block.
struct Net {
    blocks: Vec<Block>,
    sides: Vec<NetSide>,
}

struct NetSide {
    /// Rows in the box, each with the price that it supports.
    supports: Vec<(u32, u64)>,
    /// Per block, then per row of the side (not only those in `rows`): its point.
    points: Vec<u16>,
}

/// A node at work.
pub(super) struct Node {
    pub(super) low: Vec<u8>,
    pub(super) high: Vec<u8>,
    alive: Vec<Alive>,
    pub(super) bound: u64,
    /// From the last tightening, for the split.
    net: Option<Net>,
}

/// Rows of one side that are in the box and worth enough.
#[derive(Clone)]
pub(super) struct Alive {
    pub(super) bits: Vec<u64>,
    /// Per row of the field: price of its meet with `high`.
    worth: Vec<u64>,
    size: u64,
}

/// What became of a node after tightening.
pub(super) enum Outcome {
    /// Nothing in the box can be better than the threshold.
    Dead,
    /// The best of the box, found and safe.
    Solved(Vec<u8>),
    /// Still open.
    Open,
}

impl Node {
    fn child(&self) -> Self {
        let Self { low, high, alive, bound, net: _ } = self;
        Self { low: low.clone(), high: high.clone(), alive: alive.clone(), bound: *bound, net: None }
    }
}

impl<'a> Field<'a> {
    pub(super) fn new(cores: &'a [Core<'a>], prices: &'a Prices, packed: &Packed) -> (Self, Node) {
        let mut first = Vec::with_capacity(packed.low.len());
        let mut items = 0;
        for (&low, &high) in packed.low.iter().zip(&packed.high) {
            first.push(items);
            items += usize::from(high - low);
        }
        let mut field = Self { prices, first, low: packed.low.clone(), sides: Vec::new(), order: Vec::new() };
        let mut alive = Vec::new();
        for (core, rows) in cores.iter().zip(&packed.rows) {
            let side = Side::new(core, rows, (&packed.low, &packed.high), items, |detail, level| {
                field.item(detail, level)
            });
            let worth = rows.iter().map(|&row| core.worth(row as usize, &packed.high, prices)).collect();
            let bits = bits::full(rows.len());
            alive.push(Alive { size: side.sizes.of(&bits), bits, worth });
            field.sides.push(side);
        }
        let node = Node {
            low: packed.low.clone(),
            high: packed.high.clone(),
            alive,
            bound: packed.bound,
            net: None,
        };
        field.order(&node);
        (field, node)
    }

    /// Puts the details in the order in which blocks take them: what costs most candidates for most utility first,
    /// so that the blocks with most to lose are made of details that exclude each other.
    fn order(&mut self, node: &Node) {
        let mut weighed: Vec<(f64, usize)> = (0..node.low.len())
            .filter(|&detail| node.high[detail] > node.low[detail])
            .map(|detail| {
                let mut score = 0.0;
                for (side, alive) in self.sides.iter().zip(&node.alive) {
                    for level in node.low[detail] + 1..=node.high[detail] {
                        let item = self.item(detail, level);
                        let know = side.sizes.of_common(&alive.bits, side.knowing(item));
                        score += (1.0 - ratio(know, alive.size)) * ratio(self.prices.step(detail, level), 1);
                    }
                }
                (score, detail)
            })
            .collect();
        weighed.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
        self.order = weighed.into_iter().map(|(_, detail)| detail).collect();
    }

    /// What the rows of each side support, looking at the details of a block together.
    fn net(&self, node: &Node) -> Net {
        let open =
            self.order.iter().map(|&detail| Open { detail, low: node.low[detail], high: node.high[detail] });
        let mut net =
            Net { blocks: blocks::divide(open.filter(|open| open.high > open.low)), sides: Vec::new() };
        let floor = self.prices.total(&node.low);
        for alive in &node.alive {
            let mut supports =
                Vec::with_capacity(usize::try_from(alive.size).unwrap_or(0).min(alive.worth.len()));
            bits::for_each(&alive.bits, |row| {
                supports.push((u32::try_from(row).expect("rows are numbered by u32"), floor));
            });
            net.sides.push(NetSide { supports, points: Vec::new() });
        }
        let mut counts = Vec::new();
        for block in &mut net.blocks {
            let mut safe = vec![true; block.points()];
            for (side, net) in self.sides.iter().zip(&mut net.sides) {
                counts.clear();
                counts.resize(block.points(), 0);
                block.points_of(side.rows.len(), |detail| side.column(detail), &mut net.points);
                let points = &net.points[net.points.len() - side.rows.len()..];
                for &(row, _) in &net.supports {
                    counts[usize::from(points[row as usize])] += side.counts[row as usize];
                }
                block.accumulate(&mut counts);
                for (safe, &count) in safe.iter_mut().zip(&counts) {
                    *safe &= count >= side.core.face.least;
                }
            }
            block.fill(&safe, |detail, level| self.prices.step(detail, level));
            for (side, net) in self.sides.iter().zip(&mut net.sides) {
                let points = &net.points[net.points.len() - side.rows.len()..];
                for (row, worth) in &mut net.supports {
                    *worth += block.at(usize::from(points[*row as usize]));
                }
            }
        }
        net
    }

    pub(super) fn pack(&self, node: &Node) -> Packed {
        let rows = self
            .sides
            .iter()
            .zip(&node.alive)
            .map(|(side, alive)| {
                let mut rows = Vec::new();
                bits::for_each(&alive.bits, |at| rows.push(side.rows[at]));
                rows
            })
            .collect();
        Packed { low: node.low.clone(), high: node.high.clone(), rows, bound: node.bound }
    }

    fn item(&self, detail: usize, level: u8) -> usize {
        self.first[detail] + usize::from(level - self.low[detail] - 1)
    }

    /// Drops rows and levels that cannot matter until nothing changes; sets the bound. `threshold` is the price
    /// that must be reached.
    pub(super) fn tighten(&self, node: &mut Node, threshold: u64) -> Outcome {
        let mut bound;
        loop {
            loop {
                for (side, alive) in self.sides.iter().zip(&mut node.alive) {
                    drop_poor(&mut alive.bits, &alive.worth, threshold);
                    alive.size = side.sizes.of(&alive.bits);
                    if alive.size < side.core.face.least {
                        return Outcome::Dead;
                    }
                }
                if !self.tighten_levels(node) {
                    break;
                }
            }
            bound = self.prices.total(&node.high);
            let mut dropped = false;
            let net = self.net(node);
            for ((side, alive), net) in self.sides.iter().zip(&mut node.alive).zip(&net.sides) {
                let mut gone = 0;
                for (row, _) in net.supports.iter().filter(|(_, worth)| *worth < threshold) {
                    alive.bits[*row as usize / 64] &= !(1 << (row % 64));
                    gone += 1;
                }
                dropped |= gone * 64 > net.supports.len();
                alive.size = side.sizes.of(&alive.bits);
                if alive.size < side.core.face.least {
                    return Outcome::Dead;
                }
            }
            for (side, net) in self.sides.iter().zip(&net.sides) {
                let Some(side_bound) = side.bound(&net.supports, node) else { return Outcome::Dead };
                bound = bound.min(side_bound);
            }
            if !dropped {
                node.net = Some(net);
                break;
            }
        }
        node.bound = node.bound.min(bound);
        if node.bound < threshold {
            return Outcome::Dead;
        }
        // The top of the box is the best in it; if enough support it, the box is done.
        if node.bound == self.prices.total(&node.high) && self.safe(node, &node.high) {
            return Outcome::Solved(node.high.clone());
        }
        if node.low == node.high { Outcome::Dead } else { Outcome::Open }
    }

    /// Lowers `high` where too few know a level, raises `low` where everybody left does. Whether `high` moved.
    fn tighten_levels(&self, node: &mut Node) -> bool {
        let mut moved = false;
        for detail in 0..node.low.len() {
            while node.high[detail] > node.low[detail] {
                let item = self.item(detail, node.high[detail]);
                let enough = self.sides.iter().zip(&node.alive).all(|(side, alive)| {
                    side.sizes.of_common(&alive.bits, side.knowing(item)) >= side.core.face.least
                });
                if enough {
                    break;
                }
                self.lower(node, detail, node.high[detail] - 1);
                moved = true;
            }
            while node.low[detail] < node.high[detail] {
                let item = self.item(detail, node.low[detail] + 1);
                let free = self.sides.iter().zip(&node.alive).all(|(side, alive)| {
                    // Where the posterior looks at how likely each is to know a level, no level is free.
                    !side.weighs(detail)
                        && alive
                            .bits
                            .iter()
                            .zip(side.knowing(item))
                            .all(|(alive, knowing)| alive & !knowing == 0)
                });
                if !free {
                    break;
                }
                node.low[detail] += 1;
            }
        }
        moved
    }

    /// Sets `high[detail]` to `level`.
    fn lower(&self, node: &mut Node, detail: usize, level: u8) {
        for current in (level + 1..=node.high[detail]).rev() {
            let loss = self.prices.step(detail, current);
            let item = self.item(detail, current);
            for (side, alive) in self.sides.iter().zip(&mut node.alive) {
                let Alive { bits, worth, .. } = alive;
                bits::for_each_common(bits, side.knowing(item), |row| worth[row] -= loss);
            }
        }
        node.high[detail] = level;
    }

    /// The child in which `detail` is at least `level`.
    pub(super) fn raised(&self, node: &Node, detail: usize, level: u8) -> Node {
        let mut child = node.child();
        child.low[detail] = level;
        let item = self.item(detail, level);
        for (side, alive) in self.sides.iter().zip(&mut child.alive) {
            for (alive, knowing) in alive.bits.iter_mut().zip(side.knowing(item)) {
                *alive &= knowing;
            }
            alive.size = side.sizes.of(&alive.bits);
        }
        child
    }

    /// The child in which `detail` is below `level`.
    pub(super) fn lowered(&self, node: &Node, detail: usize, level: u8) -> Node {
        let mut child = node.child();
        self.lower(&mut child, detail, level - 1);
        child
    }

    /// Where to split: the (detail, level) whose two halves lose most of the bound.
    pub(super) fn split(&self, node: &Node) -> (usize, u8) {
        let mut screened: Vec<(f64, usize, u8)> = Vec::new();
        for detail in 0..node.low.len() {
            let steps = || node.low[detail] + 1..=node.high[detail];
            // Per side and step: the share of its candidates who know it, and the worth that is lost with it.
            let known: Vec<Vec<(f64, f64)>> = self
                .sides
                .iter()
                .zip(&node.alive)
                .map(|(side, alive)| {
                    let share = |level| {
                        let know = side.sizes.of_common(&alive.bits, side.knowing(self.item(detail, level)));
                        ratio(know, alive.size)
                    };
                    let step = |level| (share(level), ratio(self.prices.step(detail, level), 1));
                    steps().map(step).map(|(share, worth)| (share, share * worth)).collect()
                })
                .collect();
            for (at, level) in steps().enumerate() {
                let scores = known.iter().map(|known| {
                    let lost = known[at..].iter().fold(0.0, |lost, (_, worth)| lost + worth);
                    (1.0 - known[at].0) * lost
                });
                screened.push((scores.fold(0.0, f64::max), detail, level));
            }
        }
        screened.sort_by(|a, b| b.0.total_cmp(&a.0));
        screened.truncate(SCREENED);
        let net = node.net.as_ref().expect("a node is tightened before it is split");
        let mut scratch = Vec::new();
        let mut best = (f64::NEG_INFINITY, screened[0].1, screened[0].2);
        for &(_, detail, level) in &screened {
            let (up, down) = self.drops(node, net, detail, level, &mut scratch);
            let score = up.min(down) * up.min(down) * up.max(down) + up.max(down) * 1e-9;
            if score > best.0 {
                best = (score, detail, level);
            }
        }
        (best.1, best.2)
    }

    /// By how much the bound falls in the two halves.
    fn drops(
        &self,
        node: &Node,
        net: &Net,
        detail: usize,
        level: u8,
        scratch: &mut Vec<(u32, u64)>,
    ) -> (f64, f64) {
        let (mut up, mut down) = (node.bound, node.bound);
        let holder = net.blocks.iter().position(|block| block.below(0, detail, level - 1).is_some());
        for (side, net_side) in self.sides.iter().zip(&net.sides) {
            let knowing = side.knowing(self.item(detail, level));
            let rows = net_side.supports.iter().copied();
            scratch.clear();
            scratch
                .extend(rows.clone().filter(|&(row, _)| knowing[row as usize / 64] >> (row % 64) & 1 == 1));
            up = up.min(side.bound(scratch, node).unwrap_or(0));
            let Some(holder) = holder else { continue };
            let (block, points) = (&net.blocks[holder], &net_side.points[holder * side.rows.len()..]);
            scratch.clear();
            scratch.extend(rows.map(|(row, worth)| {
                let point = usize::from(points[row as usize]);
                (row, worth - (block.at(point) - block.below(point, detail, level - 1).unwrap_or(0)))
            }));
            down = down.min(side.bound(scratch, node).unwrap_or(0));
        }
        (ratio(node.bound - up, 1), ratio(node.bound - down, 1))
    }

    /// Whether the rules hold for the rows that dominate `levels`, given that none of the dropped rows does.
    pub(super) fn safe(&self, node: &Node, levels: &[u8]) -> bool {
        self.sides.iter().zip(&node.alive).all(|(side, alive)| side.safe(alive, levels))
    }

    /// The lowest levels of the box, which everybody left supports.
    pub(super) fn floor_if_safe(&self, node: &Node) -> Option<(u64, Vec<u8>)> {
        self.safe(node, &node.low).then(|| (self.prices.total(&node.low), node.low.clone()))
    }
}

/// Splits examined closely.
const SCREENED: usize = 4;

/// Drops rows worth less than the threshold.
fn drop_poor(bits: &mut [u64], worth: &[u64], threshold: u64) {
    for (index, word) in bits.iter_mut().enumerate() {
        let mut left = *word;
        while left != 0 {
            let bit = left & left.wrapping_neg();
            if worth[index * 64 + bit.trailing_zeros() as usize] < threshold {
                *word ^= bit;
            }
            left ^= bit;
        }
    }
}
