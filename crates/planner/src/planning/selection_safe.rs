//! Planning by policies made before and without the report: the mode whose choice gives nothing away.

use super::Stage;
use super::chain::{Chain, Failure, protected, told_more};
use super::nominal::{Options, Planned, assemble, best_for, ceilings, utilities};
use super::views::{Views, order};
use crate::certificate::{PolicyClaim, digest};
use crate::plan::{Counted, Mode, Outcome, PolicyUse, SelectionAware};
use crate::policy::{NotPossible, Placed, Policy, Query, Reader};
use crate::search::{self, Limits, Solution};
use tearline_model::candidates::Candidates;
use tearline_model::report::Report;
use tearline_model::worlds::Worlds;

/// Nodes spent on the bound that a plan is compared with.
const BOUND_NODES: u64 = 4000;

/// Where the report ends in one audience's policy.
struct Read {
    claim: PolicyClaim,
    /// Levels, if the output has a release.
    levels: Option<Vec<u8>>,
    /// Per protected set of the report that the policy protects: candidates behind the output.
    candidates: Vec<(usize, u64)>,
}

/// Plans by the policies of a chain. `tables` and `worlds` are per population of the report.
pub fn plan_selection_safe(
    report: &Report,
    tables: &[Candidates],
    worlds: &[Worlds],
    chain: &Chain,
    options: &Options,
    control: &mut dyn FnMut(&Stage) -> bool,
) -> Result<Planned, Failure> {
    let views = Views::new(report);
    let read = read(report, &views, worlds, chain)?;
    let mut releases: Vec<Vec<u8>> = views.told.clone();
    for (audience, read) in read.iter().enumerate() {
        if let Some(levels) = read.as_ref().and_then(|read| read.levels.as_ref()) {
            releases[audience].clone_from(levels);
        }
    }
    let limits = Limits { nodes: options.limits.nodes.min(BOUND_NODES), threads: options.limits.threads };
    let solutions: Vec<Solution> = (0..report.audiences.len())
        .map(|audience| {
            let Some(levels) = read[audience].as_ref().and_then(|read| read.levels.clone()) else {
                // That the rules allow no more than silence is proven where it is the policy's answer.
                return Solution { levels: None, utility: 0, bound: 0, optimal: true, nodes: 0 };
            };
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
            Solution {
                utility,
                bound: nominal.bound.max(utility),
                levels: usable.then_some(levels),
                // Where the policy gives as much as any plan for this report could, nothing is better.
                optimal: nominal.bound <= utility,
                nodes: nominal.nodes,
            }
        })
        .collect();
    for (solution, (release, told)) in solutions.iter().zip(releases.iter_mut().zip(&views.told)) {
        if solution.levels.is_none() {
            release.clone_from(told);
        }
    }
    let order = order(report, false);
    // Whoever pools knows the last of the policies that its coalition reads.
    let aware = |audience: usize, set: usize| {
        let last =
            order.iter().rev().find(|other| views.of[audience].contains(other) && read[**other].is_some());
        let counts = &read[*last?].as_ref()?.candidates;
        let candidates = counts.iter().find(|(of, _)| *of == set)?.1;
        Some(SelectionAware { candidates, how: Counted::Policy })
    };
    let mut plan = assemble(report, &views, &order, tables, &releases, &solutions, options.margin, &aware);
    plan.mode = Mode::SelectionSafe;
    let policies: Vec<Option<PolicyClaim>> =
        read.into_iter().map(|read| read.map(|read| read.claim)).collect();
    for (&audience, of) in order.iter().zip(&mut plan.audiences) {
        match &mut of.outcome {
            Outcome::Release(release) => {
                let uses =
                    |claim: &PolicyClaim| PolicyUse { sha256: claim.sha256.clone(), output: claim.output };
                release.policy = policies[audience].as_ref().map(uses);
            }
            Outcome::NoSafePlan(none) => {
                if let (Some(ended), true) = (&chain.ended, none.candidates >= none.needed) {
                    none.why.clone_from(ended);
                }
            }
        }
    }
    for (_, &audience) in order.iter().enumerate().filter(|&(place, _)| told_more(&views, &order, place)) {
        let name = &report.audiences[audience].name;
        plan.assumptions.push(format!(
            "{name} gets nothing new by policy: somebody who comes to know it was told more before, and a policy \
             cannot count with that yet."
        ));
    }
    plan.assumptions.push("The policy is public, and was made from the tables and the form of the report alone; publish its hash before it is used.".into());
    plan.assumptions.push(
        "The bound is that of a plan for this report alone, which would give away what a policy does not."
            .into(),
    );
    Ok(Planned { plan, levels: releases, solutions, policies })
}

/// Reads the report's levels off the policies, per audience. Who comes after an output without a release has none.
fn read(
    report: &Report,
    views: &Views<'_>,
    worlds: &[Worlds],
    chain: &Chain,
) -> Result<Vec<Option<Read>>, Failure> {
    let owned: Vec<(&Worlds, Vec<bool>)> = Views::sets(report)
        .into_iter()
        .map(|(source, population)| {
            let owned = report.details.iter().map(|detail| detail.sources.contains(&source)).collect();
            (&worlds[population], owned)
        })
        .collect();
    let owned: Vec<(&Worlds, &[bool])> =
        owned.iter().map(|(worlds, owned)| (*worlds, owned.as_slice())).collect();
    let mut query = Query::of_report(&owned)?;
    query.precision = ceilings(report);
    let order = order(report, false);
    let mut read: Vec<Option<Read>> = (0..report.audiences.len()).map(|_| None).collect();
    let mut base: Option<Placed> = None;
    for (place, (audience, policy)) in chain.policies.iter().enumerate() {
        let sets = protected(report, views, &order, place);
        let here = match Reader::new(policy).place(&query, base.as_ref()) {
            Ok(here) => here,
            Err(NotPossible::AlreadyViolated { output, candidates }) => {
                read[*audience] = Some(ended(policy, output, None, &sets, &candidates)?);
                break;
            }
            Err(other) => return Err(other.into()),
        };
        read[*audience] =
            Some(ended(policy, here.output, Some(here.levels.clone()), &sets, &here.candidates)?);
        base = Some(here);
    }
    // Whoever pools with one who was told too much knows that too, and no policy has counted with it.
    let ended = |read: &Option<Read>| read.as_ref().is_none_or(|read| read.levels.is_none());
    loop {
        let next = (0..read.len()).find(|&audience| {
            !ended(&read[audience]) && views.of[audience].iter().any(|&other| ended(&read[other]))
        });
        match next {
            Some(audience) => read[audience] = None,
            None => return Ok(read),
        }
    }
}

fn ended(
    policy: &Policy,
    output: usize,
    levels: Option<Vec<u8>>,
    sets: &[(usize, usize, usize)],
    candidates: &[u64],
) -> Result<Read, Failure> {
    if candidates.len() != sets.len() {
        return Err(Failure::NotThese("a policy protects other sets than this report has".into()));
    }
    let output =
        u32::try_from(output).map_err(|_| Failure::NotThese("a policy has too many outputs".into()))?;
    let claim = PolicyClaim { sha256: digest::bytes(policy.to_text().as_bytes()), output };
    let candidates = sets.iter().zip(candidates).map(|(&(set, ..), &count)| (set, count)).collect();
    Ok(Read { claim, levels, candidates })
}
