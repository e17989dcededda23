//! Good levels fast: greedy ascents, then row swaps.
//!
//! The best levels are the meet of their own supporting candidates, so the search over *rows* (which candidate to
//! give up, which to take in instead) finds in milliseconds what a search over details takes seconds for.

use super::core::Core;
use super::prices::Prices;

/// Work that swaps may cost, in cells looked at: a count, so that the outcome does not depend on the machine.
const SWAP_CELLS: usize = 150_000_000;
/// Turns after which rows that have become too poor are dropped.
const ROUND: usize = 100;
/// Rounds without an improvement after which a start is given up.
const PATIENCE: usize = 4;
/// Looks at all classes that the heuristics may take.
const FULL_CHECKS: u32 = 16;
/// Iterations for which a dropped row may not come back.
const TABU: usize = 12;

/// Levels that some face's rows say are safe, best first. The caller checks them against the rules in full.
pub(super) struct Heuristic<'a, 'c> {
    pub(super) rich: &'a mut [Rich<'c>],
    pub(super) prices: &'a Prices,
    pub(super) floor: &'a [u8],
    pub(super) ceiling: &'a [u8],
    /// Checks levels against all rules and all classes.
    pub(super) safe: &'a dyn Fn(&[u8]) -> bool,
    /// Whether a safe set stays safe when candidates are added: then the rows at hand are proof enough.
    pub(super) monotone: bool,
    /// How often all classes were looked at.
    pub(super) full_checks: u32,
    pub(super) best: Option<(u64, Vec<u8>)>,
}

/// The richest rows of a face.
pub(super) struct Rich<'c> {
    pub(super) core: Core<'c>,
    /// No class worth this much or more is missing.
    pub(super) complete_from: u64,
}

impl Heuristic<'_, '_> {
    /// Runs everything; `best` holds the outcome.
    pub(super) fn run(&mut self) {
        self.offer(self.floor);
        let starts: Vec<Vec<u8>> = [0.5, 1.0, 1.5].iter().map(|&greed| self.ascend(greed)).collect();
        self.prune();
        for start in starts {
            let (mut levels, mut cells, mut idle) = (start, SWAP_CELLS / 3, 0);
            while cells > 0 && idle < PATIENCE {
                let before = self.best.as_ref().map(|(price, _)| *price);
                let Some(after) = self.swap(levels, &mut cells) else { break };
                levels = after;
                idle = if self.best.as_ref().map(|(price, _)| *price) > before { 0 } else { idle + 1 };
                self.prune();
            }
        }
    }

    /// Remembers levels if they are better than the best and safe.
    fn offer(&mut self, levels: &[u8]) {
        let price = self.prices.total(levels);
        if self.best.as_ref().is_some_and(|(best, _)| price <= *best) {
            return;
        }
        let by_rows = self.rich.iter().all(|rich| rich.core.safe(levels));
        // Whoever supports these levels is worth at least their price, so where none such is missing the rows decide.
        let safe = if self.monotone && by_rows || self.rich.iter().all(|rich| price >= rich.complete_from) {
            by_rows
        } else if self.full_checks < FULL_CHECKS {
            self.full_checks += 1;
            (self.safe)(levels)
        } else {
            false
        };
        if safe {
            self.best = Some((price, levels.to_vec()));
        }
    }

    /// Drops rows that cannot support anything better than the best.
    fn prune(&mut self) {
        let Some((best, _)) = &self.best else { return };
        for Rich { core, complete_from } in &mut *self.rich {
            core.retain(|core, row| core.worth(row, self.ceiling, self.prices) >= *best);
            *complete_from = (*complete_from).max(*best);
        }
    }

    /// Raises one level at a time: the one with most utility for the share of the set that it costs.
    fn ascend(&mut self, greed: f64) -> Vec<u8> {
        let mut levels = self.floor.to_vec();
        let mut climbers: Vec<Climber> =
            self.rich.iter().map(|rich| Climber::new(&rich.core, &levels)).collect();
        let mut safe =
            self.rich.iter().zip(&climbers).all(|(rich, climber)| climber.safe(&rich.core, &levels));
        loop {
            let mut choices: Vec<(f64, usize, u8)> = Vec::new();
            for (detail, &from) in levels.iter().enumerate() {
                for level in from + 1..=self.ceiling[detail] {
                    let pairs = self.rich.iter().zip(&climbers);
                    let cost: f64 =
                        pairs.map(|(rich, climber)| climber.cost(&rich.core, detail, level)).sum();
                    #[expect(clippy::cast_precision_loss, reason = "a heuristic score")]
                    let gain = (self.prices.at(detail, level) - self.prices.at(detail, from)) as f64;
                    if cost.is_finite() {
                        let score = if cost <= 0.0 { f64::INFINITY } else { gain / cost.powf(greed) };
                        choices.push((score, detail, level));
                    }
                }
            }
            choices.sort_by(|a, b| b.0.total_cmp(&a.0));
            // Once the rules hold, no step may break them.
            let taken = choices.into_iter().find(|&(_, detail, level)| {
                let mut raised = levels.clone();
                raised[detail] = level;
                let pairs = || self.rich.iter().zip(&climbers);
                !safe || pairs().all(|(rich, climber)| climber.safe(&rich.core, &raised))
            });
            let Some((_, detail, level)) = taken else { break };
            levels[detail] = level;
            for (rich, climber) in self.rich.iter().zip(&mut climbers) {
                climber.raise(&rich.core, detail, level);
            }
            safe = safe
                || self.rich.iter().zip(&climbers).all(|(rich, climber)| climber.safe(&rich.core, &levels));
        }
        self.offer(&levels);
        levels
    }

    /// One round of tabu search over the rows of the first face: drop the row that holds most back, take in the row
    /// that costs least. `None` when there is nothing to swap.
    fn swap(&mut self, start: Vec<u8>, cells: &mut usize) -> Option<Vec<u8>> {
        let core = &self.rich.first()?.core;
        let (rows, least) = (core.rows(), core.face.least);
        let mut levels = start;
        let mut tabu_until = vec![0_usize; rows];
        for turn in 1..=ROUND {
            *cells = cells.checked_sub(2 * rows * self.rich[0].core.details.max(1)).unwrap_or_default();
            if *cells == 0 {
                break;
            }
            let core = &self.rich[0].core;
            let set: Vec<usize> = (0..rows).filter(|&row| core.dominates(row, &levels)).collect();
            let size: u64 = set.iter().map(|&row| core.count[row]).sum();
            let dropped = self.holds_back_most(&set, &tabu_until, turn)?;
            let mut kept = self.ceiling.to_vec();
            for &row in set.iter().filter(|&&row| row != dropped) {
                meet(&mut kept, core.row(row));
            }
            tabu_until[dropped] = turn + TABU + (dropped + turn) % TABU;
            let mut left = size - core.count[dropped];
            while left < least {
                let row = self.costs_least(&kept, &tabu_until, turn)?;
                meet(&mut kept, core.row(row));
                left = (0..rows).filter(|&row| core.dominates(row, &kept)).map(|row| core.count[row]).sum();
            }
            for (level, &floor) in kept.iter_mut().zip(self.floor) {
                *level = (*level).max(floor);
            }
            levels = kept;
            self.offer(&levels);
        }
        Some(levels)
    }

    /// The row of the set whose absence would raise the meet most; earlier rows win ties.
    fn holds_back_most(&self, set: &[usize], tabu_until: &[usize], turn: usize) -> Option<usize> {
        let core = &self.rich[0].core;
        let mut held = vec![0_u64; set.len()];
        for (detail, &ceiling) in self.ceiling.iter().enumerate() {
            let (mut lowest, mut second, mut place) = (ceiling, ceiling, None);
            for (at, &row) in set.iter().enumerate() {
                let level = core.levels[row * core.details + detail];
                if level < lowest {
                    (second, lowest, place) = (lowest, level, Some(at));
                } else {
                    second = second.min(level);
                }
            }
            if let Some(at) = place {
                held[at] += self.prices.at(detail, second.min(ceiling)) - self.prices.at(detail, lowest);
            }
        }
        (0..set.len())
            .filter(|&at| tabu_until[set[at]] < turn)
            .max_by_key(|&at| (held[at], std::cmp::Reverse(at)))
            .or_else(|| (0..set.len()).max_by_key(|&at| held[at]))
            .map(|at| set[at])
    }

    /// The row outside the set whose meet with `levels` is worth most.
    fn costs_least(&self, levels: &[u8], tabu_until: &[usize], turn: usize) -> Option<usize> {
        let core = &self.rich[0].core;
        (0..core.rows())
            .filter(|&row| {
                tabu_until[row] < turn && !core.dominates(row, levels) && core.dominates(row, self.floor)
            })
            .map(|row| (core.worth(row, levels, self.prices), std::cmp::Reverse(row)))
            .max()
            .map(|(_, row)| row.0)
    }
}

/// The rows of one face that dominate the levels reached so far, and how many know each level.
struct Climber {
    alive: Vec<usize>,
    /// `knowing[d * 256 + l]`: candidates among them whose level of *d* is exactly *l*.
    exactly: Vec<u64>,
    size: u64,
}

impl Climber {
    fn new(core: &Core<'_>, levels: &[u8]) -> Self {
        let alive: Vec<usize> = (0..core.rows()).filter(|&row| core.dominates(row, levels)).collect();
        let mut exactly = vec![0; levels.len() * 256];
        for &row in &alive {
            for (at, &level) in exactly.chunks_exact_mut(256).zip(core.row(row)) {
                at[usize::from(level)] += core.count[row];
            }
        }
        let size = alive.iter().map(|&row| core.count[row]).sum();
        Self { alive, exactly, size }
    }

    /// Logarithm of the factor by which the set shrinks; infinite when too few would be left.
    fn cost(&self, core: &Core<'_>, detail: usize, level: u8) -> f64 {
        let exactly = &self.exactly[detail * 256..][..256];
        let below: u64 = exactly[..usize::from(level)].iter().sum();
        let left = self.size - below;
        if left < core.face.least {
            return f64::INFINITY;
        }
        #[expect(clippy::cast_precision_loss, reason = "a heuristic score")]
        (self.size as f64 / left as f64).ln()
    }

    /// Whether the rules hold for the rows that dominate `levels`.
    fn safe(&self, core: &Core<'_>, levels: &[u8]) -> bool {
        if core.counts_only() {
            return true;
        }
        let inside = self.alive.iter().copied().filter(|&row| core.dominates(row, levels));
        core.holds(&inside.collect::<Vec<_>>(), levels)
    }

    fn raise(&mut self, core: &Core<'_>, detail: usize, level: u8) {
        let Self { alive, exactly, size } = self;
        alive.retain(|&row| {
            let stays = core.row(row)[detail] >= level;
            if !stays {
                *size -= core.count[row];
                for (at, &level) in exactly.chunks_exact_mut(256).zip(core.row(row)) {
                    at[usize::from(level)] -= core.count[row];
                }
            }
            stays
        });
    }
}

fn meet(levels: &mut [u8], row: &[u8]) {
    for (level, &other) in levels.iter_mut().zip(row) {
        *level = (*level).min(other);
    }
}
