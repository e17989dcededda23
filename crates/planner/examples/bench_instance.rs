//! Plans one benchmark instance and prints one JSON line: our side of `bench/planner`.
//!
//! `bench_instance FILE --k 20 [--share 0.05] [--diversity 5] [--audiences 3] --limit 60 --threads 1|2`
//!
//! The file's format is documented in `bench/planner/instance.py`. Several audiences are planned one after the
//! other: each sees what the ones before it were told, so its plan extends theirs; an earlier audience keeps twice
//! the candidates of the next one, and the last keeps k.

#![expect(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "a command beside the pure crate: it reads a file and the clock"
)]

use std::error::Error;
use std::fs::{self, File};
use std::io::{self, BufReader, Read, Write};
use std::time::{Duration, Instant};

use serde::Serialize;
use tearline_model::candidates::{Candidates, Groups};
use tearline_planner::rules::Rules;
use tearline_planner::search::{self, Crowd, Limits, Problem};

// ---------------------------------------------------------------------------------------------------------------
// The solver call. Everything else in this file is reading, merging and printing.

/// Plans for one audience within `step.limit`, on `step.threads` threads.
fn solve(candidates: &Candidates, step: &Step) -> Answer {
    let details = step.worth.len();
    let rules = Rules {
        k: step.k,
        robust: 0,
        share_ppm: step.share_ppm,
        diversity: if step.diversity > 1 { vec![(0, step.diversity)] } else { Vec::new() },
    };
    let crowd = Crowd {
        candidates,
        details: vec![true; details],
        base: step.floor.clone(),
        linked: Vec::new(),
        rules,
    };
    let problem = Problem {
        utility: step.worth.clone(),
        floor: step.floor.clone(),
        ceiling: step
            .worth
            .iter()
            .map(|worth| u8::try_from(worth.len() - 1).expect("the reader checked"))
            .collect(),
        crowds: vec![crowd],
    };
    let limits = Limits { nodes: u64::MAX, threads: step.threads };
    let deadline = Instant::now() + step.limit;
    let solution = search::solve(&problem, limits, &mut |_| Instant::now() < deadline);
    Answer { plan: solution.levels, bound: solution.bound, optimal: solution.optimal, nodes: solution.nodes }
}

// ---------------------------------------------------------------------------------------------------------------

/// One audience's problem: the plan of greatest worth under the rules, not below the floor.
#[derive(Debug)]
struct Step {
    /// At least this many candidates must be left.
    k: u64,
    /// No candidate's share of the prior weight left above so many millionths.
    share_ppm: Option<u32>,
    /// Least number of different values of the first group column left; 0 or 1 for no rule.
    diversity: u32,
    /// Worth of telling a detail at level 0, 1, … L: cumulative, the first always 0. For several audiences in
    /// thousandths of the file's unit.
    worth: Vec<Vec<u64>>,
    /// What the audiences before this one were told, per detail.
    floor: Vec<u8>,
    /// Search no longer than this.
    limit: Duration,
    /// Worker threads.
    threads: usize,
}

/// What the search found.
#[derive(Debug)]
struct Answer {
    /// Level per detail; `None` when no plan that keeps the rules was found.
    plan: Option<Vec<u8>>,
    /// No plan is worth more than this.
    bound: u64,
    /// The plan is proven best, or it is proven that none exists.
    optimal: bool,
    /// Nodes searched.
    nodes: u64,
}

fn main() -> Result<(), Box<dyn Error>> {
    let job = Job::parse(std::env::args().skip(1))?;
    let started = Instant::now();
    let instance = Instance::read(&job.file)?;
    let read_s = started.elapsed().as_secs_f64();
    let started = Instant::now();
    let worths = instance.worths(job.audiences)?;
    let candidates = instance.merge(job.share_ppm.is_some(), job.diversity > 0)?;
    let classes_s = started.elapsed().as_secs_f64();

    let mut floor = vec![0; candidates.sure.len()];
    let mut steps: Vec<StepLine> = Vec::new();
    for (number, worth) in worths.into_iter().enumerate() {
        let step = Step {
            k: job.k << (job.audiences - 1 - number),
            share_ppm: job.share_ppm,
            diversity: job.diversity,
            worth,
            floor,
            limit: job.limit,
            threads: job.threads,
        };
        let started = Instant::now();
        let answer = solve(&candidates, &step);
        steps.push(StepLine::new(&step, &answer, started.elapsed()));
        match answer.plan {
            Some(plan) => floor = plan,
            None => break, // what extends an unsafe plan is unsafe
        }
    }
    let last = steps.last().ok_or("there is no audience to plan for")?;
    let line = Line {
        read_s,
        classes_s,
        solve_s: steps.iter().map(|step| step.solve_s).sum(),
        obj: last.obj,
        bound: last.bound,
        optimal: steps.iter().all(|step| step.optimal),
        nodes: steps.iter().map(|step| step.nodes).sum(),
        peak_rss_kib: peak_rss_kib(),
        x: last.x.clone(),
        classes: candidates.classes(),
        steps,
    };
    let mut out = io::stdout().lock();
    serde_json::to_writer(&mut out, &line)?;
    writeln!(out)?;
    Ok(())
}

/// The command line.
#[derive(Debug)]
struct Job {
    file: String,
    k: u64,
    share_ppm: Option<u32>,
    diversity: u32,
    audiences: usize,
    limit: Duration,
    threads: usize,
}

impl Job {
    fn parse(mut args: impl Iterator<Item = String>) -> Result<Self, Box<dyn Error>> {
        let mut job = Self {
            file: args.next().ok_or("usage: bench_instance FILE --k 20 [--share 0.05] [--diversity 5] [--audiences 3] --limit 60 --threads 1")?,
            k: 20,
            share_ppm: None,
            diversity: 0,
            audiences: 1,
            limit: Duration::from_mins(1),
            threads: 1,
        };
        while let Some(option) = args.next() {
            let value = args.next().ok_or_else(|| format!("{option} needs a value"))?;
            let wrong = |error: &dyn Error| format!("{option} {value}: {error}");
            match option.as_str() {
                "--k" => job.k = value.parse().map_err(|e| wrong(&e))?,
                "--share" => job.share_ppm = Some(share_ppm(value.parse().map_err(|e| wrong(&e))?)?),
                "--diversity" => job.diversity = value.parse().map_err(|e| wrong(&e))?,
                "--audiences" => job.audiences = value.parse().map_err(|e| wrong(&e))?,
                "--limit" => {
                    job.limit = Duration::try_from_secs_f64(value.parse().map_err(|e| wrong(&e))?)
                        .map_err(|e| wrong(&e))?;
                }
                "--threads" => job.threads = value.parse().map_err(|e| wrong(&e))?,
                _ => return Err(format!("unknown option {option}").into()),
            }
        }
        if !(1..=16).contains(&job.audiences) {
            return Err(format!("--audiences {}: 1 to 16", job.audiences).into());
        }
        Ok(job)
    }
}

/// A share between 0 and 1 in millionths.
fn share_ppm(share: f64) -> Result<u32, Box<dyn Error>> {
    if !(share > 0.0 && share <= 1.0) {
        return Err(format!("--share {share}: above 0 and at most 1").into());
    }
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 0 and 1,000,000")]
    Ok((share * 1e6).round() as u32)
}

/// An instance file as it is on disk.
#[derive(Debug)]
struct Instance {
    /// Per detail, the marginal utility of each level.
    marginal: Vec<Vec<u64>>,
    /// Per audience, the importance of each detail in thousandths.
    importance: Vec<Vec<u32>>,
    /// Per detail, then per candidate: the highest level known.
    columns: Vec<Vec<u8>>,
    weight: Option<Vec<u32>>,
    groups: Vec<Vec<u32>>,
}

impl Instance {
    const MAGIC: &[u8; 8] = b"TLBENCH1";

    fn read(path: &str) -> Result<Self, Box<dyn Error>> {
        let file = File::open(path).map_err(|e| format!("{path}: {e}"))?;
        Self::read_from(&mut BufReader::with_capacity(1 << 20, file))
            .map_err(|e| format!("{path}: {e}").into())
    }

    fn read_from(input: &mut impl Read) -> Result<Self, Box<dyn Error>> {
        let mut magic = [0; 8];
        input.read_exact(&mut magic)?;
        if &magic != Self::MAGIC {
            return Err("not an instance file: make one with bench/planner/generate.py".into());
        }
        let header = numbers(input, 6)?;
        let [candidates, details, levels, weighted, groups, audiences] = header[..] else {
            return Err("the header ends early".into());
        };
        if details == 0 || !(1..=254).contains(&levels) {
            return Err(format!("{details} details of {levels} levels: 1 or more, and 1 to 254").into());
        }
        let (candidates, details) = (usize::try_from(candidates)?, usize::try_from(details)?);
        let mut marginal = Vec::with_capacity(details);
        for _ in 0..details {
            let mut row = Vec::new();
            for _ in 0..levels {
                let mut bytes = [0; 8];
                input.read_exact(&mut bytes)?;
                row.push(
                    u64::try_from(i64::from_le_bytes(bytes)).map_err(|_| "a marginal utility is negative")?,
                );
            }
            marginal.push(row);
        }
        let importance = (0..audiences).map(|_| numbers(input, details)).collect::<Result<_, _>>()?;
        let columns = columns(input, candidates, details)?;
        let weight = if weighted == 0 { None } else { Some(numbers(input, candidates)?) };
        let groups = (0..groups).map(|_| numbers(input, candidates)).collect::<Result<_, _>>()?;
        if input.read(&mut [0])? != 0 {
            return Err("it goes on after what its header calls for".into());
        }
        Ok(Self { marginal, importance, columns, weight, groups })
    }

    /// Merges candidates that are alike in everything the rules look at.
    fn merge(self, by_weight: bool, by_group: bool) -> Result<Candidates, Box<dyn Error>> {
        let weight = if by_weight { self.weight.as_deref() } else { None };
        let group = match (by_group, self.groups.first()) {
            (true, None) => {
                return Err("--diversity: the file has no group column; generate it with --extras".into());
            }
            (true, Some(column)) => Some(column.as_slice()),
            (false, _) => None,
        };
        let (first, count) = self.classes(weight, group);
        let weight = first.iter().map(|&c| weight.map_or(1, |w| u64::from(w[c]))).collect();
        let groups = group.map(|column| Groups {
            column: "group".to_owned(),
            of: first.iter().map(|&c| column[c]).collect(),
            values: column.iter().max().map_or(0, |most| most + 1),
        });
        // One column after the other, so that the file's and the merged ones are never all in memory.
        let of_classes = |column: Vec<u8>| {
            if column.len() == first.len() { column } else { first.iter().map(|&c| column[c]).collect() }
        };
        let sure = self.columns.into_iter().map(of_classes).collect();
        Ok(Candidates { sure, weight, groups: groups.into_iter().collect(), count, ..Candidates::default() })
    }

    /// The first candidate of each class, in ascending order, and how many there are of it.
    fn classes(&self, weight: Option<&[u32]>, group: Option<&[u32]>) -> (Vec<usize>, Vec<u64>) {
        let total = self.columns.first().map_or(0, Vec::len);
        let other = |c: usize| (weight.map_or(1, |w| w[c]), group.map_or(0, |g| g[c]));
        let mut by_hash: Vec<(u64, usize)> = (0..total)
            .map(|c| {
                let (weight, group) = other(c);
                (mixed(u64::from(weight) << 32 | u64::from(group), 0), c)
            })
            .collect();
        // A block of candidates at a time, so that its hashes stay in the nearest cache.
        for (block, hashes) in by_hash.chunks_mut(BLOCK).enumerate() {
            for column in &self.columns {
                for ((hash, _), &level) in hashes.iter_mut().zip(&column[block * BLOCK..]) {
                    *hash = mixed(*hash, u64::from(level));
                }
            }
        }
        by_hash.sort_unstable();
        // Per candidate, the first one of its hash.
        let mut like: Vec<usize> = vec![0; total];
        for run in by_hash.chunk_by(|a, b| a.0 == b.0) {
            for &(_, candidate) in run {
                like[candidate] = run[0].1;
            }
        }
        drop(by_hash);
        let alike = (0..total).all(|c| other(c) == other(like[c]))
            && self
                .columns
                .iter()
                .all(|column| column.iter().zip(&like).all(|(level, &first)| *level == column[first]));
        if !alike {
            // Two different candidates of equal hash: not merging at all is right too, if slow.
            return ((0..total).collect(), vec![1; total]);
        }
        let mut count = vec![0; total];
        for &first in &like {
            count[first] += 1;
        }
        (0..total).filter(|&c| count[c] > 0).map(|c| (c, count[c])).unzip()
    }

    /// Per audience and detail: the cumulative worth of its levels, from silence on.
    fn worths(&self, audiences: usize) -> Result<Vec<Vec<Vec<u64>>>, Box<dyn Error>> {
        let worth = |importance: &dyn Fn(usize) -> u64| -> Vec<Vec<u64>> {
            let details = self.marginal.iter().enumerate();
            details.map(|(detail, marginal)| cumulative(marginal, importance(detail))).collect()
        };
        if audiences == 1 {
            return Ok(vec![worth(&|_| 1)]);
        }
        let importance = self.importance.get(..audiences).ok_or_else(|| {
            format!("--audiences {audiences}: the file has importances for {}", self.importance.len())
        })?;
        Ok(importance.iter().map(|of| worth(&|detail| u64::from(of[detail]))).collect())
    }
}

/// Candidates handled at a time where rows meet columns.
const BLOCK: usize = 4096;

/// Reads the level bytes, row-major by candidate, into one column per detail.
fn columns(input: &mut impl Read, candidates: usize, details: usize) -> io::Result<Vec<Vec<u8>>> {
    let mut columns = vec![Vec::with_capacity(candidates); details];
    let mut rows = vec![0; BLOCK * details];
    let mut left = candidates;
    while left > 0 {
        let rows = &mut rows[..left.min(BLOCK) * details];
        input.read_exact(rows)?;
        for (detail, column) in columns.iter_mut().enumerate() {
            column.extend(rows[detail..].iter().step_by(details));
        }
        left -= left.min(BLOCK);
    }
    Ok(columns)
}

/// One step of a multiplicative hash.
fn mixed(hash: u64, word: u64) -> u64 {
    (hash ^ word).wrapping_mul(0x9E37_79B9_7F4A_7C15).rotate_left(29)
}

/// Reads `count` little-endian 32-bit numbers.
fn numbers(input: &mut impl Read, count: usize) -> io::Result<Vec<u32>> {
    let mut bytes = vec![0; count * 4];
    input.read_exact(&mut bytes)?;
    let (words, _) = bytes.as_chunks::<4>();
    Ok(words.iter().map(|&word| u32::from_le_bytes(word)).collect())
}

/// Sums of the marginals up to each level, times a factor.
fn cumulative(marginal: &[u64], factor: u64) -> Vec<u64> {
    let mut total = 0;
    let sums = marginal.iter().map(|gain| {
        total += gain * factor;
        total
    });
    std::iter::once(0).chain(sums).collect()
}

/// The line printed. Times in seconds.
#[derive(Debug, Serialize)]
struct Line {
    read_s: f64,
    /// Merging candidates into classes.
    classes_s: f64,
    solve_s: f64,
    /// Utility of the last audience's plan; null when none was found.
    obj: Option<u64>,
    bound: Option<u64>,
    optimal: bool,
    nodes: u64,
    peak_rss_kib: Option<u64>,
    x: Option<Vec<u8>>,
    classes: usize,
    /// One per audience.
    steps: Vec<StepLine>,
}

/// One audience.
#[derive(Debug, Serialize)]
struct StepLine {
    k: u64,
    floor: Vec<u8>,
    solve_s: f64,
    obj: Option<u64>,
    bound: Option<u64>,
    optimal: bool,
    nodes: u64,
    x: Option<Vec<u8>>,
}

impl StepLine {
    fn new(step: &Step, answer: &Answer, took: Duration) -> Self {
        let value = |plan: &Vec<u8>| {
            plan.iter().zip(&step.worth).map(|(&level, worth)| worth[usize::from(level)]).sum()
        };
        Self {
            k: step.k,
            floor: step.floor.clone(),
            solve_s: took.as_secs_f64(),
            obj: answer.plan.as_ref().map(value),
            bound: (answer.plan.is_some() || !answer.optimal).then_some(answer.bound),
            optimal: answer.optimal,
            nodes: answer.nodes,
            x: answer.plan.clone(),
        }
    }
}

/// The most memory this process has had resident, where the system tells (Linux).
fn peak_rss_kib() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().strip_suffix("kB")?.trim().parse().ok()
}
