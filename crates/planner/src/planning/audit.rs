//! Who could have led to this same release? The audited mode's count.
//!
//! For a candidate who is still in the set, imagine the report that would have been filed had that candidate been
//! the source: its own values of the value-dependent details, and no more of the others than was released. Run the
//! same planner. Only those for whom the same release comes out are still in the set of a reader who knows the
//! planner.

use super::mode::depends_on_value;
use super::nominal::{Options, Planned, Stage, ceilings, choose, plan_nominal};
use super::views::{Views, order};
use crate::plan::{Counted, Mode, Outcome, SelectionAware};
use crate::search::Limits;
use tearline_model::candidates::Candidates;
use tearline_model::report::{Knowledge, Report};
use tearline_model::worlds::{WorldDetail, Worlds};

/// A count of candidates who lead to the same releases.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Audit {
    /// Candidates who do.
    pub same: u64,
    /// Candidates who were tried.
    pub tried: u64,
    /// Whether everybody in the set was tried; otherwise `same` is a lower bound.
    pub complete: bool,
}

/// How the candidates of a population would look if `class` had been the source: per detail, how far everybody
/// else's knowledge agrees with that candidate's values. Where a candidate may have reported any of several values,
/// `value` says which.
pub fn candidates_of(worlds: &Worlds, class: usize, value: impl Fn(usize) -> Option<usize>) -> Candidates {
    let sure = worlds.details.iter().enumerate().map(|(at, detail)| match detail {
        WorldDetail::Fixed(levels) => levels.clone(),
        WorldDetail::Valued { codes, .. } => {
            let mut levels = vec![0_u8; worlds.count.len()];
            for (level, codes) in (1..).zip(codes) {
                let own = codes[class];
                for (reached, &code) in levels.iter_mut().zip(codes) {
                    *reached += u8::from(*reached + 1 == level && code == own && code != u32::MAX);
                }
            }
            levels
        }
        WorldDetail::Many { ancestors, known, .. } => {
            let Some(own) = value(at) else { return vec![0; worlds.count.len()] };
            let depth = ancestors[own].len();
            // Per level, the exact values that agree with the candidate's down to it.
            let alike: Vec<Vec<u64>> = (0..depth)
                .map(|level| {
                    let mut bits = vec![0_u64; known.first().map_or(0, Vec::len)];
                    for (other, chain) in ancestors.iter().enumerate() {
                        if chain[..=level] == ancestors[own][..=level] {
                            bits[other / 64] |= 1 << (other % 64);
                        }
                    }
                    bits
                })
                .collect();
            let reached = |known: &Vec<u64>| {
                let shares = |alike: &&Vec<u64>| alike.iter().zip(known).any(|(a, b)| a & b != 0);
                u8::try_from(alike.iter().take_while(shares).count()).expect("at most 254 levels")
            };
            known.iter().map(reached).collect()
        }
    });
    Candidates {
        sure: sure.collect(),
        count: worlds.count.clone(),
        weight: worlds.weight.clone(),
        groups: worlds.groups.clone(),
        ..Candidates::default()
    }
}

/// Trials that an audited plan may take: each runs the planner once more.
const TRIALS: u64 = 400;

/// Plans for this report, and counts who would have led to the same releases. `None` where these are too few for
/// the protections, or cannot be counted: then only a selection-safe plan will do.
pub fn plan_audited(
    report: &Report,
    tables: &[Candidates],
    worlds: &[Worlds],
    options: &Options,
    control: &mut dyn FnMut(&Stage) -> bool,
) -> Option<Planned> {
    let mut planned = plan_nominal(report, tables, options, control);
    if planned.solutions.iter().any(|solution| !solution.optimal || solution.levels.is_none()) {
        return None;
    }
    let needed = report.protections.iter().map(|p| p.k.saturating_add(p.robust)).max()?;
    // Shares and diversity hold of the set itself; that they hold of those who are left is not counted here.
    if report.protections.iter().any(|p| p.share_ppm.is_some() || !p.diversity.is_empty()) {
        return None;
    }
    let audit = audit(report, worlds, &planned.levels, options, needed, TRIALS)?;
    if audit.same < needed {
        return None;
    }
    let how = if audit.complete { Counted::Simulated } else { Counted::Sampled };
    planned.plan.mode = Mode::Audited;
    for audience in &mut planned.plan.audiences {
        if let Outcome::Release(release) = &mut audience.outcome {
            for set in &mut release.sets {
                let candidates = audit.same.min(set.candidates);
                set.selection_aware = Some(SelectionAware { candidates, how });
            }
        }
    }
    Some(planned)
}

/// Counts the candidates who would have led to `releases`, until there are `enough` or `trials` have been made.
/// `None` where the imagined reports are out of reach: more than one population, uncertain knowledge, linked facts,
/// or a detail whose dependence on the value is not spelled out.
pub fn audit(
    report: &Report,
    worlds: &[Worlds],
    releases: &[Vec<u8>],
    options: &Options,
    enough: u64,
    trials: u64,
) -> Option<Audit> {
    let [worlds] = worlds else { return None };
    let opaque =
        |knowledge: &Knowledge| matches!(knowledge, Knowledge::Opaque { .. }) && depends_on_value(knowledge);
    let linked =
        report.told.iter().any(|told| matches!(told.what, tearline_model::report::ToldWhat::Linked { .. }));
    if linked || report.details.iter().flat_map(|detail| detail.knowledge.iter().flatten()).any(opaque) {
        return None;
    }
    let views = Views::new(report);
    let order = order(report, options.by_priority);
    let mut said = vec![0; report.details.len()];
    for levels in releases {
        said.iter_mut().zip(levels).for_each(|(said, &level)| *said = (*said).max(level));
    }
    let mut ceiling = ceilings(report);
    for ((ceiling, &said), detail) in ceiling.iter_mut().zip(&said).zip(&worlds.details) {
        if matches!(detail, WorldDetail::Fixed(_)) {
            *ceiling = said;
        }
    }
    let limits = Limits { nodes: options.limits.nodes.min(100_000), threads: options.limits.threads };
    let mut audit = Audit { same: 0, tried: 0, complete: true };
    let inside = (0..worlds.count.len()).filter(|&class| consistent(worlds, class, &said));
    for (runs, class) in (0..).zip(inside) {
        if audit.same >= enough || runs >= trials {
            audit.complete = false;
            break;
        }
        let table = candidates_of(worlds, class, |detail| {
            value_in_cell(&worlds.details[detail], class, said[detail])
        });
        let (imagined, _) =
            choose(report, &views, &order, std::slice::from_ref(&table), &ceiling, limits, &mut |_| true);
        audit.tried += worlds.count[class];
        if imagined == releases {
            audit.same += worlds.count[class];
        }
    }
    Some(audit)
}

/// Whether a candidate's own report could have read as released.
fn consistent(worlds: &Worlds, class: usize, said: &[u8]) -> bool {
    worlds.details.iter().zip(said).all(|(detail, &said)| match detail {
        WorldDetail::Fixed(levels) => levels[class] >= said,
        WorldDetail::Valued { codes, report, .. } => {
            (0..usize::from(said)).all(|level| report[level] == Some(codes[level][class]))
        }
        WorldDetail::Many { .. } => said == 0 || value_in_cell(detail, class, said).is_some(),
    })
}

/// A value that the candidate could have reported and that reads as released, if there is one.
fn value_in_cell(detail: &WorldDetail, class: usize, said: u8) -> Option<usize> {
    let WorldDetail::Many { ancestors, known, report, .. } = detail else { return None };
    (0..ancestors.len()).find(|&value| {
        known[class][value / 64] >> (value % 64) & 1 == 1
            && (0..usize::from(said)).all(|level| report[level] == Some(ancestors[value][level]))
    })
}
