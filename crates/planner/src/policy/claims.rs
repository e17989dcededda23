//! Decision lists by descending worth: the richest cell that still meets the rules is claimed first.
//!
//! A claim takes every unclaimed world of its cell. Whoever is claimed gives up nothing it could still have had,
//! because no unclaimed cell was worth more when the claim was made (as far as the search for cells can tell).
//! Cells are found from a *seed* row by raising one detail at a time, the one with the most worth per bit of
//! anonymity first. Sets of rows are bitsets over the rows of one node.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};
use std::sync::atomic::{AtomicBool, Ordering};

use super::judge::Judge;
use super::log2::log2;
use super::recode::Effort;
use super::rows::{NONE, Rows};

/// A cell that becomes an output: its levels in column order (valued columns, then fixed ones), read at `seed`.
#[derive(Clone, Debug)]
pub(crate) struct Claim {
    /// A row that lies in the cell (its nodes name the cell's values).
    pub(crate) seed: u32,
    /// Per column.
    pub(crate) levels: Vec<u8>,
    /// Worth of the levels.
    pub(crate) worth: u64,
    /// The rows claimed, ascending.
    pub(crate) rows: Vec<u32>,
}

/// Exponents tried on the bits that a step costs.
#[derive(Clone, Copy)]
enum Slope {
    Root,
    Straight,
}

/// One node's rows with all the sets that steps intersect with.
struct Node<'a> {
    rows: &'a Rows<'a>,
    judge: &'a Judge<'a>,
    of: &'a [u32],
    both_slopes: bool,
    words: usize,
    /// Bits of the counts (each capped at what the rules ask for), lowest first.
    planes: Vec<Vec<u64>>,
    sets: Vec<u64>,
    /// Capped count of the unclaimed rows of each set.
    left: Vec<u64>,
    /// (column, level) of each action, columns in order and levels ascending.
    actions: Vec<(usize, u8)>,
    /// Per row and action: its set, or `NONE` where the set cannot meet the rules.
    set_of: Vec<u32>,
    /// Per column and row: its rank in the column's order, in which every set is a run (see [`Node::rank`]).
    rank: Vec<u32>,
    /// Per set: first rank and number of ranks.
    run: Vec<(u32, u32)>,
    alive: Vec<u64>,
    alive_count: u64,
}

/// What a seed's search works in.
struct Grown {
    levels: Vec<u8>,
    /// Words that are not empty, with their index.
    set: Vec<(u32, u64)>,
    count: u64,
    worth: u64,
}

/// Claims cells worth at least `least` among the rows `of` (ascending), all of which share the levels `floor`.
pub(crate) fn claim(
    rows: &Rows<'_>,
    judge: &Judge<'_>,
    of: &[u32],
    floor: &[u8],
    least: u64,
    effort: Effort,
    cancel: &AtomicBool,
) -> Vec<Claim> {
    let mut node = Node::new(rows, judge, of, floor, effort.both_slopes);
    let mut queue: BinaryHeap<(u64, Reverse<u32>)> = BinaryHeap::new();
    let mut known: Vec<u8> = vec![0; of.len() * floor.len()];
    let mut claims = Vec::new();
    let mut grown = Grown { levels: Vec::new(), set: Vec::new(), count: 0, worth: 0 };
    let mut spare = Grown { levels: Vec::new(), set: Vec::new(), count: 0, worth: 0 };
    let base = rows.worth(floor);
    // Passes over the seeds: one in `step`, then those half way between, and so on; claimed rows are skipped.
    let mut step = effort.seed_step.max(1).next_power_of_two();
    let mut pass: Vec<usize> = (0..of.len()).step_by(step).collect();
    loop {
        for a in pass.drain(..) {
            if node.alive[a / 64] >> (a % 64) & 1 == 1 && node.best(a, floor, &mut grown, &mut spare) {
                known[a * floor.len()..][..floor.len()].copy_from_slice(&grown.levels);
                queue.push((grown.worth, Reverse(index(a))));
            }
        }
        let (key, seed) = queue.pop().map_or((0, 0), |(key, Reverse(seed))| (key, seed));
        let a = seed as usize;
        if cancel.load(Ordering::Relaxed) {
            break;
        }
        if key < least.max(base + 1) {
            if step == 1 {
                break;
            }
            pass = (step / 2..of.len()).step_by(step).collect();
            step /= 2;
            continue;
        }
        if node.alive[a / 64] >> (a % 64) & 1 == 0 {
            continue;
        }
        // The cell found earlier may still do; otherwise search again, and wait for its turn.
        let levels = &known[a * floor.len()..][..floor.len()];
        node.intersect(a, levels, true, &mut grown);
        if !node.meets(&grown) {
            if node.best(a, floor, &mut grown, &mut spare) {
                let (levels, worth) = (grown.levels.clone(), grown.worth);
                node.intersect(a, &levels, true, &mut grown);
                // A seed comes back only with a cell that stands as things are, so the queue runs dry.
                if node.meets(&grown) {
                    known[a * floor.len()..][..floor.len()].copy_from_slice(&levels);
                    queue.push((worth, Reverse(seed)));
                }
            }
            continue;
        }
        let levels = levels.to_vec();
        node.intersect(a, &levels, false, &mut spare);
        if node.judge.shares() && !node.meets(&spare) {
            continue;
        }
        claims.push(node.take(a, levels, key, &spare));
    }
    claims
}

fn index(a: usize) -> u32 {
    u32::try_from(a).expect("rows fit 32 bits")
}

impl<'a> Node<'a> {
    fn new(rows: &'a Rows<'a>, judge: &'a Judge<'a>, of: &'a [u32], floor: &[u8], both_slopes: bool) -> Self {
        let words = of.len().div_ceil(64);
        let mut planes: Vec<Vec<u64>> = Vec::new();
        let mut alive = vec![0; words];
        for (a, &row) in of.iter().enumerate() {
            alive[a / 64] |= 1 << (a % 64);
            let count = judge.capped(row);
            for bit in 0..(64 - count.leading_zeros()) as usize {
                if bit >= planes.len() {
                    planes.push(vec![0; words]);
                }
                if count >> bit & 1 == 1 {
                    planes[bit][a / 64] |= 1 << (a % 64);
                }
            }
        }
        let mut actions = Vec::new();
        for (column, &floor) in floor.iter().enumerate() {
            for level in usize::from(floor) + 1..=rows.top(column) {
                actions.push((column, u8::try_from(level).expect("levels fit 8 bits")));
            }
        }
        let mut node = Self {
            rows,
            judge,
            of,
            both_slopes,
            words,
            planes,
            sets: Vec::new(),
            left: Vec::new(),
            set_of: vec![NONE; of.len() * actions.len()],
            actions,
            rank: vec![0; of.len() * floor.len()],
            run: Vec::new(),
            alive_count: of.iter().map(|&row| judge.capped(row)).sum(),
            alive,
        };
        for action in 0..node.actions.len() {
            node.make_sets(action);
        }
        for column in 0..floor.len() {
            node.rank(column);
        }
        node
    }

    /// Numbers the column's rows so that each of its sets is a run of numbers: sets of a column are nested or
    /// disjoint, so ordering rows by their sets from coarse to exact does it.
    fn rank(&mut self, column: usize) {
        let actions: Vec<usize> = (0..self.actions.len()).filter(|&i| self.actions[i].0 == column).collect();
        let all = self.actions.len();
        let key = |a: usize| -> Vec<u32> {
            let holds = |&i: &usize| self.rows.holds(column, self.actions[i].1, self.of[a]);
            actions.iter().map(|i| if holds(i) { self.set_of[a * all + i] } else { NONE }).collect()
        };
        let mut keys: Vec<Vec<u32>> = (0..self.of.len()).map(key).collect();
        let mut order: Vec<Vec<u32>> = keys.clone();
        order.sort_unstable();
        order.dedup();
        for (rank, key) in order.iter().enumerate() {
            for &set in key.iter().filter(|&&set| set != NONE) {
                let run = &mut self.run[set as usize];
                *run = if run.1 == 0 { (index(rank), 1) } else { (run.0, index(rank) - run.0 + 1) };
            }
        }
        for (a, key) in keys.drain(..).enumerate() {
            self.rank[column * self.of.len() + a] =
                index(order.binary_search(&key).expect("every key is in the order"));
        }
    }

    /// The sets of one (column, level): one per value that enough candidates share; one alone for a fixed detail.
    fn make_sets(&mut self, action: usize) {
        let (column, level) = self.actions[action];
        let mut counts: HashMap<u32, u64> = HashMap::new();
        for &row in self.of {
            *counts.entry(self.rows.value(column, level, row)).or_default() += self.judge.capped(row);
        }
        let mut set_of: HashMap<u32, u32> = HashMap::new();
        let fixed = column >= self.rows.valued.len();
        for (a, &row) in self.of.iter().enumerate() {
            let value = self.rows.value(column, level, row);
            if value == NONE || counts[&value] < self.judge.least() {
                continue;
            }
            let next = index(self.left.len());
            let set = *set_of.entry(value).or_insert(next);
            if set == next {
                self.left.push(counts[&value]);
                self.run.push((0, 0));
                self.sets.resize(self.sets.len() + self.words, 0);
            }
            self.sets[set as usize * self.words + a / 64] |= 1 << (a % 64);
            self.set_of[a * self.actions.len() + action] = set;
        }
        if fixed && let Some(&set) = set_of.get(&1) {
            // Whoever knows less may still be the seed: its value would also have been reported by those who know more.
            for a in 0..self.of.len() {
                self.set_of[a * self.actions.len() + action] = set;
            }
        }
    }

    fn set(&self, set: u32) -> &[u64] {
        &self.sets[set as usize * self.words..][..self.words]
    }

    /// Capped count of the rows common to `with` and the set.
    fn common(&self, with: &[(u32, u64)], set: u32) -> u64 {
        let set = self.set(set);
        if self.planes.len() == 1 {
            return u64::from(
                with.iter().map(|&(w, bits)| (bits & set[w as usize]).count_ones()).sum::<u32>(),
            );
        }
        let mut sum = 0;
        for (bit, plane) in self.planes.iter().enumerate() {
            let ones: u32 =
                with.iter().map(|&(w, bits)| (bits & set[w as usize] & plane[w as usize]).count_ones()).sum();
            sum += u64::from(ones) << bit;
        }
        sum
    }

    /// The best cell found from a seed; false when none is worth more than the floor.
    fn best(&self, seed: usize, floor: &[u8], out: &mut Grown, spare: &mut Grown) -> bool {
        self.grow(seed, floor, Slope::Root, out);
        if self.both_slopes {
            self.grow(seed, floor, Slope::Straight, spare);
            if spare.worth > out.worth {
                std::mem::swap(out, spare);
            }
        }
        out.worth > self.rows.worth(floor)
    }

    /// Raises one detail after another, the most worth per bit first, while the rules are met.
    fn grow(&self, seed: usize, floor: &[u8], slope: Slope, out: &mut Grown) {
        out.levels.clear();
        out.levels.extend_from_slice(floor);
        out.worth = self.rows.worth(floor);
        out.count = self.alive_count;
        out.set.clear();
        let sets = &self.set_of[seed * self.actions.len()..][..self.actions.len()];
        let mut open: Vec<usize> = (0..sets.len()).filter(|&i| sets[i] != NONE).collect();
        let mut list: Option<Vec<u32>> = None;
        let mut counts = vec![0; sets.len()];
        let mut first = true;
        loop {
            match &list {
                _ if first => open.iter().for_each(|&i| counts[i] = self.left[sets[i] as usize]),
                Some(list) => self.count_list(list, sets, &open, &mut counts),
                None => open.iter().for_each(|&i| counts[i] = self.common(&out.set, sets[i])),
            }
            let mut best: Option<(f64, usize)> = None;
            open.retain(|&action| {
                let (column, level) = self.actions[action];
                let count = counts[action];
                if level <= out.levels[column] || count < self.judge.least() {
                    return false;
                }
                let gain = self.rows.gain(column, out.levels[column], level);
                let score = score(gain, out.count, count, slope);
                if best.is_none_or(|(s, _)| score > s) {
                    best = Some((score, action));
                }
                true
            });
            let Some((_, action)) = best else { break };
            let (column, level) = self.actions[action];
            if let Some(list) = &mut list {
                let (start, length) = self.run[sets[action] as usize];
                let inside =
                    |&a: &u32| self.rank[column * self.of.len() + a as usize].wrapping_sub(start) < length;
                if self.judge.more_than_count() {
                    let narrowed = list.iter().filter(|a| inside(a)).map(|&a| self.of[a as usize]);
                    if !self.judge.set_meets(narrowed) {
                        open.retain(|&other| other != action);
                        continue;
                    }
                }
                list.retain(inside);
            } else {
                let narrowed = self.narrow(first, &out.set, sets[action]);
                if self.judge.more_than_count() && !self.judge.set_meets(self.members(&narrowed)) {
                    open.retain(|&other| other != action);
                    continue;
                }
                out.set = narrowed;
                if out.set.iter().map(|&(_, bits)| bits.count_ones() as usize).sum::<usize>()
                    < 4 * out.set.len().max(64)
                {
                    list = Some(indices(&out.set).map(index).collect());
                }
                first = false;
            }
            out.worth += self.rows.gain_exact(column, out.levels[column], level);
            out.levels[column] = level;
            out.count = counts[action];
        }
    }

    /// Capped count of the listed rows that lie in each open action's set.
    fn count_list(&self, list: &[u32], sets: &[u32], open: &[usize], counts: &mut [u64]) {
        let single = self.planes.len() == 1;
        for &action in open {
            let column = self.actions[action].0;
            let (start, length) = self.run[sets[action] as usize];
            let ranks = &self.rank[column * self.of.len()..][..self.of.len()];
            let inside = |a: u32| ranks[a as usize].wrapping_sub(start) < length;
            counts[action] = if single {
                list.iter().map(|&a| u64::from(inside(a))).sum()
            } else {
                list.iter().filter(|&&a| inside(a)).map(|&a| self.judge.capped(self.of[a as usize])).sum()
            };
        }
    }

    fn narrow(&self, first: bool, from: &[(u32, u64)], set: u32) -> Vec<(u32, u64)> {
        let set = self.set(set);
        let common = |w: u32, bits: u64| Some((w, bits & set[w as usize])).filter(|&(_, bits)| bits != 0);
        if first {
            (0..index(self.words)).filter_map(|w| common(w, self.alive[w as usize])).collect()
        } else {
            from.iter().filter_map(|&(w, bits)| common(w, bits)).collect()
        }
    }

    /// The unclaimed rows of a seed's cell: those that support its release, or (`supporters` false) all whose values
    /// lie in it, however much they know of the fixed details.
    fn intersect(&self, seed: usize, levels: &[u8], supporters: bool, out: &mut Grown) {
        out.set.clear();
        out.set.extend(
            self.alive.iter().enumerate().map(|(w, &bits)| (index(w), bits)).filter(|&(_, b)| b != 0),
        );
        let sets = &self.set_of[seed * self.actions.len()..][..self.actions.len()];
        for (action, &(column, level)) in self.actions.iter().enumerate() {
            if levels[column] == level && (supporters || column < self.rows.valued.len()) {
                let set = self.set(sets[action]);
                out.set.retain_mut(|(w, bits)| {
                    *bits &= set[*w as usize];
                    *bits != 0
                });
            }
        }
    }

    fn members<'s>(&'s self, set: &'s [(u32, u64)]) -> impl Iterator<Item = u32> + 's {
        indices(set).map(|a| self.of[a])
    }

    fn meets(&self, grown: &Grown) -> bool {
        if self.judge.more_than_count() {
            return self.judge.set_meets(self.members(&grown.set));
        }
        let mut sum = 0;
        for (bit, plane) in self.planes.iter().enumerate() {
            let ones: u32 = grown.set.iter().map(|&(w, bits)| (bits & plane[w as usize]).count_ones()).sum();
            sum += u64::from(ones) << bit;
        }
        sum >= self.judge.least()
    }

    fn take(&mut self, seed: usize, levels: Vec<u8>, worth: u64, cell: &Grown) -> Claim {
        let rows: Vec<u32> = self.members(&cell.set).collect();
        for &(w, bits) in &cell.set {
            self.alive[w as usize] &= !bits;
            let mut bits = bits;
            while bits != 0 {
                let a = w as usize * 64 + bits.trailing_zeros() as usize;
                bits &= bits - 1;
                let count = self.judge.capped(self.of[a]);
                self.alive_count -= count;
                for (action, &(column, level)) in self.actions.iter().enumerate() {
                    let set = self.set_of[a * self.actions.len() + action];
                    if set != NONE && self.rows.holds(column, level, self.of[a]) {
                        self.left[set as usize] -= count;
                    }
                }
            }
        }
        Claim { seed: self.of[seed], levels, worth, rows }
    }
}

/// Worth gained per bit of anonymity lost; what costs nothing comes first.
#[expect(clippy::cast_precision_loss, reason = "a ranking; counts stay below 2^53")]
fn score(gain: f64, before: u64, after: u64, slope: Slope) -> f64 {
    if after == before {
        return gain * 1e12;
    }
    let bits = (log2(before) - log2(after)).max(1) as f64 / 65536.0;
    match slope {
        Slope::Straight => gain / bits,
        Slope::Root => gain / bits.sqrt(),
    }
}

/// Numbers of the bits that are set.
fn indices(set: &[(u32, u64)]) -> impl Iterator<Item = usize> {
    set.iter().flat_map(|&(w, bits)| {
        let mut bits = bits;
        std::iter::from_fn(move || {
            let bit = bits.trailing_zeros();
            (bits != 0).then(|| {
                bits &= bits - 1;
                w as usize * 64 + bit as usize
            })
        })
    })
}
