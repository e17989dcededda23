//! The exact, anytime search for one reader's best levels.
//!
//! A candidate *u* stays in the anonymity set of levels *x* exactly when *x* ≤ *m* in every detail (*m*: the
//! highest levels that *u* counts as knowing). So the search is for the lattice point of greatest utility whose
//! dominating candidates meet the rules. See `docs/planner.md` for the bounds and why the answer is exact.

mod bits;
mod blocks;
mod core;
mod heuristic;
mod members;
mod node;
mod prices;
mod scan;
mod side;
mod tree;

pub(crate) use members::Members;

use crate::rules::Rules;
use tearline_model::candidates::Candidates;

/// One optimisation problem.
#[derive(Clone, Debug)]
pub struct Problem<'a> {
    /// Per detail, then per level from 0 (silence): cumulative utility; never decreasing.
    pub utility: Vec<Vec<u64>>,
    /// Per detail: the least level allowed (already said, or demanded).
    pub floor: Vec<u8>,
    /// Per detail: the highest level allowed.
    pub ceiling: Vec<u8>,
    /// The anonymity sets that must stay protected.
    pub crowds: Vec<Crowd<'a>>,
}

/// One anonymity set to protect: a source among a population, under one view.
#[derive(Clone, Debug)]
pub struct Crowd<'a> {
    /// Who there is.
    pub candidates: &'a Candidates,
    /// Per detail: whether it came from this source and so narrows the set.
    pub details: Vec<bool>,
    /// Per detail: level that the view holds anyway, whatever the search chooses.
    pub base: Vec<u8>,
    /// Linked facts (indices into `Candidates::linked`) that the view holds.
    pub linked: Vec<usize>,
    /// What must hold.
    pub rules: Rules,
}

/// When to stop before the proof is complete.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// At most this many nodes. The outcome depends on this number, never on the machine.
    pub nodes: u64,
    /// Worker threads, 1 or more. The outcome does not depend on it.
    pub threads: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { nodes: u64::MAX, threads: 1 }
    }
}

/// How far the search has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// Utility of the best levels so far, if any are known to be safe.
    pub best: Option<u64>,
    /// No safe levels have more utility than this.
    pub bound: u64,
    /// Nodes done.
    pub nodes: u64,
    /// Nodes waiting.
    pub open: usize,
}

/// What the search found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Solution {
    /// The best levels found; `None` when none are safe (proven if `optimal`).
    pub levels: Option<Vec<u8>>,
    /// Their utility; 0 without levels.
    pub utility: u64,
    /// No safe levels have more utility than this.
    pub bound: u64,
    /// Whether the answer is proven: no safe levels are better, and among equally good ones these are the
    /// canonical choice (which the selection guarantee of the nominal mode needs).
    pub optimal: bool,
    /// Nodes of the search tree that were worked on.
    pub nodes: u64,
}

/// Finds the best safe levels. `control` is told of the progress between batches of nodes; returning `false` ends
/// the search with the best so far.
pub fn solve(problem: &Problem<'_>, limits: Limits, control: &mut dyn FnMut(&Progress) -> bool) -> Solution {
    tree::solve(problem, limits, control)
}
