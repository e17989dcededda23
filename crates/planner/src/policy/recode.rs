//! The policy for one protected set whose details each have one value per candidate: blocks of decision lists.
//!
//! Each block cuts the worlds that are still unclaimed into nodes and claims, in every node, the cells worth at
//! least the block's threshold. Thresholds fall from block to block, so that the richest cells are claimed first
//! over all nodes, and what one node could not place meets the remains of the others in the next block.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use super::carve::{Guard, carve};
use super::claims::{Claim, claim};
use super::judge::Judge;
use super::rows::Rows;

/// One block: a guard tree and the claims of each of its leaves.
pub(crate) struct Block {
    pub(crate) guards: Vec<Guard>,
    pub(crate) lists: Vec<Vec<Claim>>,
}

/// How much work goes into a policy. Never time: anybody must be able to repeat it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Effort {
    /// Rows searched together at most; work and utility grow with it.
    pub node_rows: usize,
    /// Thresholds of worth, the last of them none; 1 or more.
    pub blocks: usize,
    /// One in so many rows is tried as a seed before the others; 1 or more.
    pub seed_step: usize,
    /// Whether every seed's search runs under two rankings instead of one.
    pub both_slopes: bool,
    /// Threads; the policy does not depend on it.
    pub threads: usize,
}

impl Effort {
    /// What suits so many rows: the best that is known for small tables, a minute's work for a million rows.
    pub fn for_rows(rows: usize, threads: usize) -> Self {
        let (node_rows, blocks, seed_step, both_slopes) = match rows {
            0..=20_000 => (20_000, 1, 1, true),
            20_001..=100_000 => (16_384, 4, 4, true),
            _ => (4096, 1, 16, false),
        };
        Self { node_rows, blocks, seed_step, both_slopes, threads }
    }
}

/// Claims cells for all of `of`; returns the blocks and the rows left over (which meet the rules, or are none, or
/// are all of `of`).
pub(crate) fn recode(
    rows: &Rows<'_>,
    judge: &Judge<'_>,
    of: &[u32],
    floor: &[u8],
    effort: Effort,
    cancel: &AtomicBool,
    done: &mut dyn FnMut(usize),
) -> (Vec<Block>, Vec<u32>) {
    let mut blocks: Vec<Block> = Vec::new();
    let mut rest = of.to_vec();
    let base = rows.worth(floor);
    let mut least =
        if rest.len() > effort.node_rows { first_threshold(rows, judge, &rest, floor, effort) } else { 0 };
    for number in 1..=effort.blocks.max(1) {
        if rest.is_empty() || cancel.load(Ordering::Relaxed) {
            break;
        }
        let (guards, nodes) = carve(rows, judge, rest.clone(), floor, effort.node_rows);
        if number == effort.blocks.max(1) || nodes.len() == 1 {
            least = 0;
        }
        let lists = claim_all(rows, judge, &nodes, floor, least, effort, cancel);
        let mut claimed = vec![false; rows.len()];
        for row in lists.iter().flatten().flat_map(|c| &c.rows) {
            claimed[*row as usize] = true;
        }
        rest.retain(|&row| !claimed[row as usize]);
        blocks.push(Block { guards, lists });
        done(of.len() - rest.len());
        if least == 0 {
            break;
        }
        least = base + (least - base) * 3 / 4;
    }
    // What is left must be able to hide among itself. Give back claims, the poorest of the last block first.
    while !rest.is_empty() && !judge.set_meets(rest.iter().copied()) {
        let Some(claim) = give_back(&mut blocks) else { break };
        rest.extend(claim.rows);
    }
    rest.sort_unstable();
    (blocks, rest)
}

/// Worth that about half of the rows can reach, from a sample of nodes.
fn first_threshold(rows: &Rows<'_>, judge: &Judge<'_>, of: &[u32], floor: &[u8], effort: Effort) -> u64 {
    let sample: Vec<u32> =
        of.iter().copied().step_by(of.len().div_ceil(effort.node_rows.min(8192))).collect();
    let claims = claim(rows, judge, &sample, floor, 0, effort, &AtomicBool::new(false));
    let mut left = sample.len() / 3;
    for claim in &claims {
        if claim.rows.len() >= left {
            return claim.worth;
        }
        left -= claim.rows.len();
    }
    0
}

fn give_back(blocks: &mut Vec<Block>) -> Option<Claim> {
    loop {
        let last = blocks.last_mut()?;
        let poorest =
            last.lists.iter_mut().filter(|l| !l.is_empty()).min_by_key(|l| l.last().map(|c| c.worth));
        if let Some(list) = poorest {
            return list.pop();
        }
        blocks.pop();
    }
}

fn claim_all(
    rows: &Rows<'_>,
    judge: &Judge<'_>,
    nodes: &[Vec<u32>],
    floor: &[u8],
    least: u64,
    effort: Effort,
    cancel: &AtomicBool,
) -> Vec<Vec<Claim>> {
    let next = AtomicUsize::new(0);
    let found: Mutex<Vec<Vec<Claim>>> = Mutex::new(vec![Vec::new(); nodes.len()]);
    let work = || {
        loop {
            let i = next.fetch_add(1, Ordering::Relaxed);
            let Some(of) = nodes.get(i) else { return };
            let claims = claim(rows, judge, of, floor, least, effort, cancel);
            found.lock().expect("no thread panics while it holds the lock")[i] = claims;
        }
    };
    std::thread::scope(|scope| {
        for _ in 1..effort.threads.clamp(1, nodes.len().max(1)) {
            scope.spawn(work);
        }
        work();
    });
    found.into_inner().expect("no thread panicked")
}
