//! Measures selection-safe policies: the experiment of the minimality attack, and the same generator at scale.
//!
//! `policy_experiment small [SEEDS]` compares with the nominal optimum found by enumeration, and attacks that;
//! `policy_experiment large CANDIDATES DETAILS K SAMPLES [NODE_ROWS BLOCKS SEED_STEP BOTH]` compares with the exact
//! search's optimum on sampled reports. `bench/policy/RESULTS.md` has the results.

#![expect(
    clippy::disallowed_macros,
    clippy::disallowed_methods,
    clippy::disallowed_types,
    clippy::print_stdout,
    reason = "a measuring program beside the pure crate: it reads the clock and prints its table"
)]

use std::collections::HashMap;
use std::sync::atomic::AtomicBool;
use std::time::Instant;

use tearline_model::candidates::Candidates;
use tearline_model::worlds::{WorldDetail, Worlds};
use tearline_planner::policy::{Effort, PolicyInput, ProtectedSet, Query, Reader, build};
use tearline_planner::rules::Rules;
use tearline_planner::search::{Crowd, Limits, Problem, solve};

const LEVELS: usize = 3;

/// splitmix64.
struct Dice(u64);

#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "draws"
)]
impl Dice {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    fn unit(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }

    fn below(&mut self, n: usize) -> usize {
        (self.unit() * n as f64) as usize
    }

    fn worth(&mut self) -> u64 {
        (1000.0 * (1.0 + 9.0 * self.unit())) as u64
    }
}

/// Zipf's law with exponent 1.1 over a random order of the values.
struct Zipf {
    cumulative: Vec<f64>,
    order: Vec<usize>,
}

impl Zipf {
    #[expect(clippy::cast_precision_loss, reason = "few values")]
    fn new(dice: &mut Dice, values: usize) -> Self {
        let weights: Vec<f64> = (1..=values).map(|i| 1.0 / (i as f64).powf(1.1)).collect();
        let total: f64 = weights.iter().sum();
        let cumulative = weights.iter().scan(0.0, |sum, w| {
            *sum += w / total;
            Some(*sum)
        });
        let cumulative = cumulative.collect();
        let mut order: Vec<usize> = (0..values).collect();
        for i in (1..values).rev() {
            order.swap(i, dice.below(i + 1));
        }
        Self { cumulative, order }
    }

    fn draw(&self, dice: &mut Dice) -> usize {
        let u = dice.unit();
        self.order[self.cumulative.partition_point(|&c| c < u).min(self.order.len() - 1)]
    }
}

struct Instance {
    /// Exact values, 0 to 63, row by row; ancestors by dropping two bits per level.
    values: Vec<u8>,
    utility: Vec<Vec<u64>>,
    details: usize,
}

/// Details correlated through 40 units, as PLANNING section 3 describes.
fn generate(candidates: usize, details: usize, seed: u64) -> Instance {
    let mut dice = Dice(seed * 7919 + 13);
    let units = Zipf::new(&mut dice, 40);
    let unit: Vec<usize> = (0..candidates).map(|_| units.draw(&mut dice)).collect();
    let mut values = vec![0; candidates * details];
    for detail in 0..details {
        let typical: Vec<usize> = (0..40).map(|_| dice.below(64)).collect();
        let own = Zipf::new(&mut dice, 64);
        for (row, &unit) in unit.iter().enumerate() {
            let own = own.draw(&mut dice);
            let value = if dice.unit() < 0.6 { typical[unit] } else { own };
            values[row * details + detail] = u8::try_from(value).expect("below 64");
        }
    }
    let utility = (0..details)
        .map(|_| {
            let mut worth = vec![0; LEVELS + 1];
            for level in 1..=LEVELS {
                worth[level] = worth[level - 1] + dice.worth();
            }
            worth
        })
        .collect();
    Instance { values, utility, details }
}

fn ancestor(value: u8, level: usize) -> u8 {
    if level == 0 { 0 } else { value >> (2 * (LEVELS - level)) }
}

/// Candidates with equal values are one class.
fn worlds(instance: &Instance) -> (Worlds, Vec<&[u8]>) {
    let mut classes: HashMap<&[u8], usize> = HashMap::new();
    let (mut distinct, mut count): (Vec<&[u8]>, Vec<u64>) = (Vec::new(), Vec::new());
    for row in instance.values.chunks(instance.details) {
        let class = *classes.entry(row).or_insert_with(|| {
            distinct.push(row);
            count.push(0);
            count.len() - 1
        });
        count[class] += 1;
    }
    let detail = |d: usize| WorldDetail::Valued {
        codes: (1..=LEVELS)
            .map(|level| distinct.iter().map(|row| u32::from(ancestor(row[d], level))).collect())
            .collect(),
        values: (1..=LEVELS)
            .map(|level| (0..1 << (2 * level)).map(|code: u32| code.to_string()).collect())
            .collect(),
        report: vec![None; LEVELS],
    };
    let details = (0..instance.details).map(detail).collect();
    (Worlds { details, weight: vec![1000; count.len()], count, groups: Vec::new() }, distinct)
}

fn query(row: &[u8]) -> Query {
    let values = |&value: &u8| (1..=LEVELS).map(|level| ancestor(value, level).to_string()).collect();
    Query { values: row.iter().map(values).collect(), precision: vec![u8::MAX; row.len()] }
}

/// A class of values at some levels, as one number.
fn cell(row: &[u8], levels: &[usize]) -> u64 {
    row.iter().zip(levels).fold(0, |key, (&value, &level)| key * 64 + u64::from(ancestor(value, level)))
}

/// Per class the worth of the nominal optimum, and the share of candidates whose selection-aware set is below k.
#[expect(clippy::cast_precision_loss, reason = "shares for display")]
fn enumerate(instance: &Instance, distinct: &[&[u8]], count: &[u64], k: u64) -> (Vec<u64>, f64) {
    let vectors = (LEVELS + 1).pow(u32::try_from(instance.details).expect("few"));
    let mut best: Vec<Option<(u64, usize, u64)>> = vec![None; distinct.len()];
    for number in 0..vectors {
        let levels: Vec<usize> = (0..instance.details)
            .map(|d| number / (LEVELS + 1).pow(u32::try_from(d).expect("few")) % 4)
            .collect();
        let worth: u64 = levels.iter().zip(&instance.utility).map(|(&l, u)| u[l]).sum();
        let mut sizes: HashMap<u64, u64> = HashMap::new();
        for (row, count) in distinct.iter().zip(count) {
            *sizes.entry(cell(row, &levels)).or_default() += count;
        }
        for (row, best) in distinct.iter().zip(&mut best) {
            let key = cell(row, &levels);
            if sizes[&key] >= k && best.is_none_or(|(w, _, _)| worth > w) {
                *best = Some((worth, number, key));
            }
        }
    }
    let best: Vec<(u64, usize, u64)> = best.into_iter().map(|b| b.expect("silence is safe")).collect();
    let mut aware: HashMap<(usize, u64), u64> = HashMap::new();
    for (&(_, number, key), count) in best.iter().zip(count) {
        *aware.entry((number, key)).or_default() += count;
    }
    let below: u64 = best
        .iter()
        .zip(count)
        .filter(|((_, n, key), _)| aware[&(*n, *key)] < k)
        .map(|(_, &count)| count)
        .sum();
    let total: u64 = count.iter().sum();
    (best.into_iter().map(|(worth, _, _)| worth).collect(), below as f64 / total as f64)
}

fn input<'a>(worlds: &'a Worlds, instance: &Instance, k: u64, effort: Effort) -> PolicyInput<'a> {
    let details = vec![true; instance.details];
    PolicyInput {
        sets: vec![ProtectedSet { worlds, details, rules: Rules { k, ..Rules::default() } }],
        utility: instance.utility.clone(),
        ceilings: vec![3; instance.details],
        held: Vec::new(),
        refine: Vec::new(),
        plain_tree: false,
        silent: false,
        effort,
    }
}

#[expect(clippy::cast_precision_loss, reason = "shares for display")]
fn small(seeds: u64) {
    println!(
        "| N, details, k | nominal, of full | attacked below k | policy, of full | of nominal | fewest | s |"
    );
    println!("|---|---|---|---|---|---|---|");
    let settings =
        [(1000, 3, 5), (1000, 4, 5), (10_000, 4, 5), (10_000, 4, 20), (10_000, 5, 20), (10_000, 5, 100)];
    for (candidates, details, k) in settings {
        let mut sums = [0.0; 4];
        let mut fewest = u64::MAX;
        for seed in 0..seeds {
            let instance = generate(candidates, details, seed);
            let (worlds, distinct) = worlds(&instance);
            let (best, below) = enumerate(&instance, &distinct, &worlds.count, k);
            let full: u64 = instance.utility.iter().map(|u| u[LEVELS]).sum();
            let scale = candidates as f64 * full as f64;
            let nominal: u64 = best.iter().zip(&worlds.count).map(|(worth, count)| worth * count).sum();
            let start = Instant::now();
            let effort = Effort::for_rows(distinct.len(), 2);
            let policy =
                build(&input(&worlds, &instance, k, effort), &AtomicBool::new(false), &mut |_, _| {})
                    .expect("silence is safe");
            let took = start.elapsed().as_secs_f64();
            fewest = fewest.min(policy.smallest_group().unwrap_or(0));
            for (sum, value) in
                sums.iter_mut().zip([nominal as f64 / scale, below, policy.worth as f64 / scale, took])
            {
                *sum += value / seeds as f64;
            }
        }
        println!(
            "| {candidates}, {details}, {k} | {:.3} | {:.0} % | {:.3} | {:.1} % | {fewest} | {:.2} |",
            sums[0],
            sums[1] * 100.0,
            sums[2],
            sums[2] / sums[0] * 100.0,
            sums[3]
        );
    }
}

/// How much of a report each class could have known.
fn candidates(worlds: &Worlds, distinct: &[&[u8]], report: &[u8]) -> Candidates {
    let agree = |a: u8, b: u8| match a ^ b {
        0 => 3,
        1..4 => 2,
        4..16 => 1,
        _ => 0,
    };
    Candidates {
        sure: (0..report.len())
            .map(|d| distinct.iter().map(|row| agree(row[d], report[d])).collect())
            .collect(),
        count: worlds.count.clone(),
        weight: worlds.weight.clone(),
        ..Candidates::default()
    }
}

#[expect(clippy::cast_precision_loss, reason = "shares for display")]
fn large(total: usize, details: usize, k: u64, samples: usize, effort: Option<Effort>) {
    let instance = generate(total, details, 0);
    let (worlds, distinct) = worlds(&instance);
    let effort = effort.unwrap_or_else(|| Effort::for_rows(distinct.len(), 2));
    let start = Instant::now();
    let policy = build(&input(&worlds, &instance, k, effort), &AtomicBool::new(false), &mut |_, _| {})
        .expect("silence is safe");
    let took = start.elapsed().as_secs_f64();
    let full: u64 = instance.utility.iter().map(|u| u[LEVELS]).sum();
    println!(
        "{total} candidates, {details} details, k {k}, {effort:?}: built in {took:.1} s, {} outputs, {} bytes, fewest {:?}, \
         mean worth {:.4} of full",
        policy.outputs.len(),
        policy.to_text().len(),
        policy.smallest_group(),
        policy.expected_worth() / full as f64
    );
    // The attack: walk every world, count who falls where.
    let reader = Reader::new(&policy);
    let mut suspects: Vec<u64> = vec![0; policy.outputs.len()];
    let mut spent = 0.0;
    for (row, count) in distinct.iter().zip(&worlds.count) {
        let query = query(row);
        let start = Instant::now();
        let placed = reader.place(&query, None).expect("every world has its release");
        spent += start.elapsed().as_secs_f64();
        suspects[placed.output] += count;
    }
    let fewest = suspects.iter().filter(|&&n| n > 0).min();
    println!("attacked: fewest {fewest:?}; look-up {:.1} µs", spent * 1e6 / distinct.len() as f64);
    let mut dice = Dice(99);
    let (mut shares, mut nominal, mut open) = (Vec::new(), 0, 0);
    let (mut ours, start) = (0, Instant::now());
    for _ in 0..samples {
        let report = &instance.values[dice.below(total) * details..][..details];
        let candidates = candidates(&worlds, &distinct, report);
        let crowd = Crowd {
            candidates: &candidates,
            details: vec![true; details],
            base: vec![0; details],
            linked: Vec::new(),
            rules: Rules { k, ..Rules::default() },
        };
        let problem = Problem {
            utility: instance.utility.clone(),
            floor: vec![0; details],
            ceiling: vec![3; details],
            crowds: vec![crowd],
        };
        let best = solve(&problem, Limits { nodes: 20_000, threads: 2 }, &mut |_| true);
        open += usize::from(!best.optimal);
        let placed = reader.place(&query(report), None).expect("every world has its release");
        let worth: u64 =
            placed.levels.iter().zip(&instance.utility).map(|(&l, worth)| worth[usize::from(l)]).sum();
        shares.push(worth as f64 / best.utility as f64);
        (nominal, ours) = (nominal + best.utility, ours + worth);
    }
    shares.sort_by(f64::total_cmp);
    if samples > 0 {
        println!(
            "{samples} reports ({open} optima not proven, {:.0} s): nominal {:.4} of full, policy {:.1} % of nominal in \
             sum, {:.1} % mean share, {:.1} % tenth percentile, {:.1} % median",
            start.elapsed().as_secs_f64(),
            nominal as f64 / samples as f64 / full as f64,
            ours as f64 / nominal as f64 * 100.0,
            shares.iter().sum::<f64>() / samples as f64 * 100.0,
            shares[samples / 10] * 100.0,
            shares[samples / 2] * 100.0
        );
    }
}

#[expect(clippy::disallowed_methods, reason = "a program has arguments; the library has none")]
fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let number =
        |i: usize, otherwise: usize| arguments.get(i).and_then(|a| a.parse().ok()).unwrap_or(otherwise);
    if arguments.get(1).is_some_and(|mode| mode == "large") {
        let effort = (arguments.len() > 6).then(|| Effort {
            node_rows: number(6, 16_384),
            blocks: number(7, 1),
            seed_step: number(8, 8),
            both_slopes: number(9, 0) > 0,
            threads: 2,
        });
        large(number(2, 1_000_000), number(3, 20), number(4, 20) as u64, number(5, 1000), effort);
    } else {
        small(number(2, 3) as u64);
    }
}
