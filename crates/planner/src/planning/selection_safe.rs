//! Planning by policies made before and without the report: the mode whose choice gives nothing away.
//!
//! The audiences form one chain, in planning order: each one's policy refines those before it, so that whoever pools
//! any of their releases knows no more than the last of them. Every policy keeps the rules of all audiences that
//! come to know its release and of all that come after it in the chain.

use super::Stage;
use super::nominal::{Options, Planned, assemble, best_for, ceilings, utilities};
use super::views::{Views, order, rules, strictest};
use crate::plan::{Counted, Mode, SelectionAware};
use crate::policy::{
    self, Effort, NoPolicy, NotPossible, Placed, Policy, PolicyInput, ProtectedSet, Query, Reader,
};
use crate::search::{self, Limits, Progress, Solution};
use std::sync::atomic::AtomicBool;
use tearline_model::candidates::Candidates;
use tearline_model::report::{Knowledge, Report, ToldWhat};
use tearline_model::worlds::Worlds;

/// Nodes spent on the bound that a plan is compared with.
const BOUND_NODES: u64 = 4000;

/// A plan read off policies.
#[derive(Clone, Debug)]
pub struct SafePlanned {
    /// The plan.
    pub planned: Planned,
    /// Per audience of the report: its policy, and where the report falls in it if it has a release there.
    pub policies: Vec<(Policy, Option<Placed>)>,
}

/// Why no selection-safe plan can be made.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Failure {
    /// For one audience there is no policy.
    #[error("audience {audience}: {cause}")]
    NoPolicy {
        /// Its name in the report file.
        audience: String,
        /// Why.
        #[source]
        cause: NoPolicy,
    },
    /// The report has no place among the worlds.
    #[error(transparent)]
    NotPossible(#[from] NotPossible),
    /// The report has something that policies do not cover.
    #[error("{0}")]
    Unsupported(&'static str),
}

/// Builds the policies of all audiences, in planning order. Reads nothing of the report's values.
pub fn policies(
    report: &Report,
    worlds: &[Worlds],
    options: &Options,
    cancel: &AtomicBool,
    progress: &mut dyn FnMut(usize, usize, usize),
) -> Result<Vec<(usize, Policy)>, Failure> {
    if report.told.iter().any(|told| matches!(told.what, ToldWhat::Linked { .. })) {
        return Err(Failure::Unsupported(
            "facts of linked reports cannot be part of a policy yet; plan with mode = \"nominal\" and read its warning",
        ));
    }
    let views = Views::new(report);
    let order = order(report, options.by_priority);
    let mut chain: Vec<(usize, Policy)> = Vec::new();
    for (place, &audience) in order.iter().enumerate() {
        let later = &order[place..];
        let knowers: Vec<usize> = (0..report.audiences.len())
            .filter(|&other| views.of[other].contains(&audience) || later.contains(&other))
            .collect();
        let sets: Vec<ProtectedSet<'_>> = Views::sets(report)
            .into_iter()
            .filter_map(|(source, population)| {
                let worlds = &worlds[population];
                let each = knowers.iter().filter_map(|&knower| {
                    let (mut rules, headroom) = rules(report, knower, source, population, &worlds.groups)?;
                    rules.k = rules.k.saturating_add(headroom);
                    Some(rules)
                });
                let rules = each.reduce(|a, b| strictest(&a, &b))?;
                let details = report.details.iter().map(|detail| detail.sources.contains(&source)).collect();
                Some(ProtectedSet { worlds, details, rules })
            })
            .collect();
        let (ceilings, mut held) = fixed_by_policy(report);
        let told = views.told[audience].iter().enumerate();
        held.extend(told.filter(|(_, level)| **level > 0).map(|(detail, &level)| (detail, level)));
        let rows = sets.iter().map(|set| set.worlds.count.len()).max().unwrap_or(0);
        let input = PolicyInput {
            plain_tree: sets.len() != 1,
            sets,
            utility: utilities(report, audience),
            ceilings,
            held,
            refine: chain.iter().map(|(_, policy)| policy).collect(),
            effort: Effort::for_rows(rows, options.limits.threads),
        };
        let policy = policy::build(&input, cancel, &mut |done, all| progress(audience, done, all))
            .map_err(|cause| Failure::NoPolicy { audience: report.audiences[audience].id.clone(), cause })?;
        chain.push((audience, policy));
    }
    Ok(chain)
}

/// Plans by policies. `tables` and `worlds` are per population of the report.
pub fn plan_selection_safe(
    report: &Report,
    tables: &[Candidates],
    worlds: &[Worlds],
    options: &Options,
    cancel: &AtomicBool,
    control: &mut dyn FnMut(&Stage) -> bool,
) -> Result<SafePlanned, Failure> {
    let chain = policies(report, worlds, options, cancel, &mut |audience, done, all| {
        let progress = Progress { best: None, bound: 0, nodes: done as u64, open: all - done.min(all) };
        control(&Stage { audience, progress });
    })?;
    let owned: Vec<(&Worlds, Vec<bool>)> = Views::sets(report)
        .into_iter()
        .map(|(source, population)| {
            (
                &worlds[population],
                report.details.iter().map(|detail| detail.sources.contains(&source)).collect(),
            )
        })
        .collect();
    let owned: Vec<(&Worlds, &[bool])> =
        owned.iter().map(|(worlds, owned)| (*worlds, owned.as_slice())).collect();
    let mut query = Query::of_report(&owned)?;
    query.precision = ceilings(report);

    let views = Views::new(report);
    let mut releases = vec![vec![0; report.details.len()]; report.audiences.len()];
    let mut placed: Vec<Option<Placed>> = vec![None; report.audiences.len()];
    let mut base: Option<Placed> = None;
    for (audience, policy) in &chain {
        let here = Reader::new(policy).place(&query, base.as_ref())?;
        releases[*audience].clone_from(&here.levels);
        placed[*audience] = Some(here.clone());
        base = Some(here);
    }
    let limits = Limits { nodes: options.limits.nodes.min(BOUND_NODES), threads: options.limits.threads };
    let solutions: Vec<Solution> = (0..report.audiences.len())
        .map(|audience| {
            let levels = releases[audience].clone();
            let worth = utilities(report, audience);
            let utility = worth.iter().zip(&levels).map(|(of, &level)| of[usize::from(level)]).sum();
            let top = ceilings(report);
            let nominal = best_for(report, &views, audience, &releases, tables, &top, &mut |problem| {
                search::solve(problem, limits, &mut |progress| {
                    control(&Stage { audience, progress: *progress })
                })
            });
            let minimum = &report.audiences[audience].minimum;
            let usable =
                |least: &Vec<(usize, u8)>| least.iter().all(|&(detail, level)| levels[detail] >= level);
            let usable = minimum.is_empty() || minimum.iter().any(usable);
            if !usable {
                releases[audience].clone_from(&views.told[audience]);
            }
            Solution {
                utility,
                bound: nominal.bound.max(utility),
                levels: usable.then_some(levels),
                optimal: false,
                nodes: nominal.nodes,
            }
        })
        .collect();
    let order: Vec<usize> = chain.iter().map(|(audience, _)| *audience).collect();
    let aware = |audience: usize, set: usize| {
        let candidates = placed[audience].as_ref()?.candidates.get(set).copied()?;
        Some(SelectionAware { candidates, how: Counted::Policy })
    };
    let mut plan = assemble(report, &views, &order, tables, &releases, &solutions, options.margin, &aware);
    plan.mode = Mode::SelectionSafe;
    plan.assumptions.push("The policy is public, and was made from the tables and the form of the report alone; publish its hash before it is used.".into());
    plan.assumptions.push(
        "The bound is that of a plan for this report alone, which would give away what a policy does not."
            .into(),
    );
    let mut policies: Vec<(usize, Policy)> = chain;
    policies.sort_by_key(|(audience, _)| *audience);
    let policies = policies.into_iter().zip(placed).map(|((_, policy), placed)| (policy, placed)).collect();
    Ok(SafePlanned { planned: Planned { plan, levels: releases, solutions }, policies })
}

/// Ceilings, and the levels of details that policy fixes whatever the value.
fn fixed_by_policy(report: &Report) -> (Vec<u8>, Vec<(usize, u8)>) {
    let mut ceilings = ceilings(report);
    let mut held = Vec::new();
    for (detail, ceiling) in ceilings.iter_mut().enumerate() {
        let opaque =
            report.details[detail].knowledge.iter().flatten().filter_map(|knowledge| match knowledge {
                Knowledge::Opaque { policy_level, .. } => Some(*policy_level),
                _ => None,
            });
        if let Some(level) = opaque.min() {
            *ceiling = level;
            held.push((detail, level));
        }
    }
    (ceilings, held)
}
