//! Best-first search with plunging, in batches whose outcome does not depend on the number of threads.

use super::core::Core;
use super::heuristic::{Heuristic, Rich};
use super::members::Members;
use super::node::{Field, Node, Outcome, Packed};
use super::prices::Prices;
use super::scan::Face;
use super::{Limits, Problem, Progress, Solution};
use crate::rules::assess;
use std::collections::BinaryHeap;

/// Richest rows that the heuristics look at, per face.
const HEURISTIC_ROWS: usize = 20_000;
/// Subtrees worked on side by side. Fixed, so that one thread and many give the same answer.
const BATCH: usize = 2;
/// Nodes that a subtree may spend before it hands back what is open.
const PLUNGE: u64 = 48;

pub(super) fn solve(
    problem: &Problem<'_>,
    limits: Limits,
    control: &mut dyn FnMut(&Progress) -> bool,
) -> Solution {
    let prices = Prices::new(&problem.utility);
    let faces: Vec<Face<'_>> = problem.crowds.iter().flat_map(Face::of).collect();
    let views: Vec<Vec<bool>> = faces.iter().map(|face| face.in_view(&problem.floor)).collect();
    let mut ceiling = problem.ceiling.clone();
    for (face, inside) in faces.iter().zip(&views) {
        face.lower_ceiling(inside, &mut ceiling);
    }
    let enough = faces.iter().zip(&views).all(|(face, inside)| {
        let counts = face.candidates().count.iter().zip(inside);
        counts.map(|(&count, &inside)| if inside { count } else { 0 }).sum::<u64>() >= face.least
    });
    if !enough || ceiling.iter().zip(&problem.floor).any(|(ceiling, floor)| ceiling < floor) {
        return Solution { levels: None, utility: 0, bound: 0, optimal: true, nodes: 0 };
    }
    let worth: Vec<Vec<u64>> =
        faces.iter().zip(&views).map(|(face, inside)| face.worth(inside, &ceiling, &prices)).collect();

    let safe = |levels: &[u8]| {
        problem.crowds.iter().all(|crowd| assess(&crowd.rules, &Members::of(crowd, levels).list()).holds)
    };
    let mut rich: Vec<Rich<'_>> = faces
        .iter()
        .zip(&worth)
        .map(|(face, worth)| {
            let (classes, complete_from) = richest(worth, HEURISTIC_ROWS);
            Rich { core: Core::gather(face, &classes, &ceiling), complete_from }
        })
        .collect();
    let mut heuristic = Heuristic {
        rich: &mut rich,
        prices: &prices,
        floor: &problem.floor,
        ceiling: &ceiling,
        safe: &safe,
        monotone: problem.crowds.iter().all(|crowd| crowd.rules.share_ppm.is_none()),
        full_checks: 0,
        best: None,
    };
    heuristic.run();
    let best = heuristic.best.take();
    drop(rich);

    let threshold = best.as_ref().map_or(1, |(price, _)| *price);
    let cores: Vec<Core<'_>> = faces
        .iter()
        .zip(&worth)
        .map(|(face, worth)| {
            let classes: Vec<usize> = (0..worth.len()).filter(|&class| worth[class] >= threshold).collect();
            Core::gather(face, &classes, &ceiling)
        })
        .collect();
    drop(worth);
    drop(views);
    let mut search =
        Search { prices: &prices, cores: &cores, open: BinaryHeap::new(), best: Best(best), nodes: 0 };
    search.run(&problem.floor, &ceiling, limits, control)
}

/// The classes worth most, at most `most` of them, in index order; and the price from which on none is missing.
fn richest(worth: &[u64], most: usize) -> (Vec<usize>, u64) {
    let mut classes: Vec<usize> = (0..worth.len()).filter(|&class| worth[class] > 0).collect();
    if classes.len() <= most {
        return (classes, 0);
    }
    let cut = *classes.select_nth_unstable_by_key(most, |&class| (std::cmp::Reverse(worth[class]), class)).1;
    classes.truncate(most);
    classes.sort_unstable();
    (classes, worth[cut] + 1)
}

struct Search<'a> {
    prices: &'a Prices,
    cores: &'a [Core<'a>],
    open: BinaryHeap<Queued>,
    best: Best,
    nodes: u64,
}

/// The best levels so far with their price.
#[derive(Clone, Default)]
struct Best(Option<(u64, Vec<u8>)>);

impl Best {
    /// The price that must be reached.
    fn threshold(&self) -> u64 {
        self.0.as_ref().map_or(0, |(price, _)| *price)
    }

    /// Keeps the better; among equals the lexicographically greater, whatever the order of discovery.
    fn offer(&mut self, found: Option<(u64, Vec<u8>)>) {
        if found > self.0 {
            self.0 = found;
        }
    }
}

impl Search<'_> {
    fn run(
        &mut self,
        floor: &[u8],
        ceiling: &[u8],
        limits: Limits,
        control: &mut dyn FnMut(&Progress) -> bool,
    ) -> Solution {
        let rows = self
            .cores
            .iter()
            .map(|core| (0..u32::try_from(core.rows()).expect("at most 2^32 classes")).collect())
            .collect();
        let root =
            Packed { low: floor.to_vec(), high: ceiling.to_vec(), rows, bound: self.prices.total(ceiling) };
        let mut order = 0;
        self.open.push(Queued { node: root, order });
        let mut stopped = false;
        while let Some(top) = self.open.peek() {
            if top.node.bound < self.best.threshold() {
                self.open.clear();
                break;
            }
            let bound = top.node.bound;
            if self.nodes >= limits.nodes || !control(&self.progress(bound)) {
                stopped = true;
                break;
            }
            let batch: Vec<Packed> =
                (0..BATCH).filter_map(|_| self.open.pop()).map(|queued| queued.node).collect();
            for grown in self.grow(&batch, limits.threads) {
                self.nodes += grown.nodes;
                self.best.offer(grown.best.0);
                for node in grown.open {
                    order += 1;
                    self.open.push(Queued { node, order });
                }
            }
        }
        let price = self.best.threshold();
        let bound =
            if stopped { self.open.peek().map_or(price, |top| top.node.bound.max(price)) } else { price };
        Solution {
            utility: self.prices.utility(price),
            bound: self.prices.utility(bound),
            levels: self.best.0.take().map(|(_, levels)| levels),
            optimal: !stopped,
            nodes: self.nodes,
        }
    }

    fn progress(&self, bound: u64) -> Progress {
        Progress {
            best: self.best.0.as_ref().map(|(price, _)| self.prices.utility(*price)),
            bound: self.prices.utility(bound),
            nodes: self.nodes,
            open: self.open.len(),
        }
    }

    fn grow(&self, batch: &[Packed], threads: usize) -> Vec<Grown> {
        let one = |packed: &Packed| self.plunge(packed);
        if threads < 2 || batch.len() < 2 {
            return batch.iter().map(one).collect();
        }
        std::thread::scope(|scope| {
            let handles: Vec<_> = batch.iter().map(|packed| scope.spawn(move || one(packed))).collect();
            handles.into_iter().map(|handle| handle.join().expect("a plunge does not panic")).collect()
        })
    }

    /// Works on one subtree: always the best of what it has opened itself.
    fn plunge(&self, packed: &Packed) -> Grown {
        let (field, mut root) = Field::new(self.cores, self.prices, packed);
        let mut grown = Grown { nodes: 0, best: self.best.clone(), open: Vec::new() };
        let mut waiting: Vec<Node> = Vec::new();
        if grown.examine(&field, self.prices, &mut root) {
            waiting.push(root);
        }
        while grown.nodes < PLUNGE
            && let Some(node) = take_best(&mut waiting)
        {
            let (detail, level) = field.split(&node);
            for mut child in [field.lowered(&node, detail, level), field.raised(&node, detail, level)] {
                if grown.examine(&field, self.prices, &mut child) {
                    waiting.push(child);
                }
            }
        }
        let threshold = grown.best.threshold();
        grown.open = waiting
            .into_iter()
            .filter(|node| node.bound >= threshold)
            .map(|node| field.pack(&node))
            .collect();
        grown
    }
}

/// What a plunge brings back.
struct Grown {
    nodes: u64,
    best: Best,
    open: Vec<Packed>,
}

impl Grown {
    /// Tightens a node and takes what it proves; whether it is still open.
    fn examine(&mut self, field: &Field<'_>, prices: &Prices, node: &mut Node) -> bool {
        self.nodes += 1;
        match field.tighten(node, self.best.threshold()) {
            Outcome::Dead => false,
            Outcome::Solved(levels) => {
                self.best.offer(Some((prices.total(&levels), levels)));
                false
            }
            Outcome::Open => {
                if prices.total(&node.low) >= self.best.threshold() {
                    self.best.offer(field.floor_if_safe(node));
                }
                true
            }
        }
    }
}

/// Removes and returns the node of the greatest bound; the latest of equals.
fn take_best(waiting: &mut Vec<Node>) -> Option<Node> {
    let at = (0..waiting.len()).max_by_key(|&at| (waiting[at].bound, at))?;
    Some(waiting.remove(at))
}

/// A waiting node: greatest bound first, then the oldest.
struct Queued {
    node: Packed,
    order: u64,
}

impl Ord for Queued {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (self.node.bound, other.order).cmp(&(other.node.bound, self.order))
    }
}

impl PartialOrd for Queued {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Queued {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Queued {}
