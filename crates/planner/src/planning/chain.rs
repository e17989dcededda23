//! The policies of all audiences, made before and without the report.
//!
//! They form one chain, in planning order: each refines the one before, so that whoever pools any of the releases
//! knows no more than the last of them. Every policy keeps the rules of all audiences that come to know its release
//! and of all that come after it in the chain.

use super::mode::depends_on_value;
use super::nominal::{ceilings, utilities};
use super::views::{Views, order, rules, strictest};
use crate::policy::{self, Effort, Form, NoPolicy, NotPossible, Policy, PolicyInput, ProtectedSet};
use std::sync::atomic::AtomicBool;
use tearline_model::report::{Knowledge, Report, ToldWhat};
use tearline_model::worlds::Worlds;

/// The policies of a report's audiences.
#[derive(Clone, Debug)]
pub struct Chain {
    /// Index of an audience and its policy, in planning order, each refining the one before.
    pub policies: Vec<(usize, Policy)>,
    /// Why the audiences that come after these have none, in a sentence, if there are any.
    pub ended: Option<String>,
}

/// Why no selection-safe plan can be made.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Failure {
    /// For one audience no policy was made.
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
    /// Policies that were given cannot be those of this report.
    #[error("{0}; build the policies again with `tearline policy`, and publish their hashes before use")]
    NotThese(String),
}

/// Builds the policies of all audiences, in planning order, those who are seen before those who see them. Reads
/// nothing of the report's values. `progress` gets the audience, and the number of worlds placed and of all.
///
/// Where even silence would break a rule the chain ends before that audience.
pub fn policies(
    report: &Report,
    worlds: &[Worlds],
    threads: usize,
    cancel: &AtomicBool,
    progress: &mut dyn FnMut(usize, usize, usize),
) -> Result<Chain, Failure> {
    if report.told.iter().any(|told| matches!(told.what, ToldWhat::Linked { .. })) {
        return Err(Failure::Unsupported(
            "facts of linked reports cannot be part of a policy yet; plan with mode = \"nominal\" and read its warning",
        ));
    }
    let told = |knowledge: &Knowledge| matches!(knowledge, Knowledge::Column(_) | Knowledge::Domain { .. });
    if report.details.iter().any(|detail| {
        let mut kinds = detail.knowledge.iter().flatten().map(told);
        let first = kinds.next();
        kinds.any(|kind| Some(kind) != first)
    }) {
        return Err(Failure::Unsupported(
            "a detail has values (value_of, or a domain) in one population and none in another, and policies cannot \
             treat it as both yet; describe it alike in all populations, or plan with mode = \"nominal\"",
        ));
    }
    let views = Views::new(report);
    let order = order(report, false);
    let everything = protected(report, &views, &order, 0);
    let mut chain = Chain { policies: Vec::new(), ended: None };
    for (place, &audience) in order.iter().enumerate() {
        let protected = protected(report, &views, &order, place);
        let each = protected.iter().map(|&(_, source, population)| {
            let worlds = &worlds[population];
            let each = knowers(report, &views, &order, place).into_iter().filter_map(|knower| {
                let (mut rules, headroom) = rules(report, knower, source, population, &worlds.groups)?;
                rules.k = rules.k.saturating_add(headroom);
                Some(rules)
            });
            let rules = each.reduce(|a, b| strictest(&a, &b))?;
            let details = report.details.iter().map(|detail| detail.sources.contains(&source)).collect();
            Some(ProtectedSet { worlds, details, rules })
        });
        let sets: Vec<ProtectedSet<'_>> = each.flatten().collect();
        let (mut ceilings, mut held) = fixed_by_policy(report);
        // What was told above the level that policy fixes is known to whoever comes after in the chain.
        for told in order[..=place].iter().map(|&other| &views.told[other]) {
            ceilings.iter_mut().zip(told).for_each(|(ceiling, &told)| *ceiling = told.max(*ceiling));
        }
        let told = views.told[audience].iter().enumerate();
        held.extend(told.filter(|(_, level)| **level > 0).map(|(detail, &level)| (detail, level)));
        let rows = sets.iter().map(|set| set.worlds.count.len()).max().unwrap_or(0);
        let input = PolicyInput {
            // What refines this policy may protect more sets than it does, and then must be able to replay it.
            plain_tree: everything.len() != 1,
            sets,
            // How it narrows what this policy would say cannot be part of it, so it says nothing new.
            silent: told_more(&views, &order, place),
            utility: utilities(report, audience),
            ceilings,
            held,
            refine: chain.policies.iter().map(|(_, policy)| policy).collect(),
            effort: Effort::for_rows(rows, threads),
        };
        let built = policy::build(&input, cancel, &mut |done, all| progress(audience, done, all));
        let name = || report.audiences[audience].id.clone();
        match built {
            Ok(policy) => chain.policies.push((audience, policy)),
            Err(cause @ NoPolicy::Violated { .. }) => {
                chain.ended = Some(format!("For audience {:?} {cause}.", name()));
                break;
            }
            Err(cause) => return Err(Failure::NoPolicy { audience: name(), cause }),
        }
    }
    Ok(chain)
}

impl Chain {
    /// The policies given, in any order, as those of this report's audiences.
    pub fn given(report: &Report, mut given: Vec<Policy>) -> Result<Self, Failure> {
        let order = order(report, false);
        let audiences = order.len();
        if given.len() > audiences {
            let what = format!("there are {} policies for {audiences} audiences", given.len());
            return Err(Failure::NotThese(what));
        }
        let mut chain = Self { policies: Vec::new(), ended: None };
        let mut last = None;
        while !given.is_empty() {
            let Some(next) = given.iter().position(|policy| policy.refines == last) else {
                let what = "the policies do not refine one another in a chain, from one that refines none";
                return Err(Failure::NotThese(what.into()));
            };
            let policy = given.swap_remove(next);
            if !fits(report, &policy) {
                let what = "a policy is for other details or levels than this report has";
                return Err(Failure::NotThese(what.into()));
            }
            last = Some(policy.hash());
            chain.policies.push((order[chain.policies.len()], policy));
        }
        if chain.policies.len() < audiences {
            let found = chain.policies.len();
            chain.ended = Some(format!("There are {found} policies for {audiences} audiences."));
        }
        Ok(chain)
    }
}

/// Whether every level that a policy may release exists.
fn fits(report: &Report, policy: &Policy) -> bool {
    let top = ceilings(report);
    let forms = policy.details.iter().zip(&top).all(|(form, &top)| match form {
        Form::Free { level } | Form::Fixed { floor: level } => *level <= top,
        Form::Valued { values } => values.iter().all(|value| value.level <= top),
    });
    let mut fixed = policy.outputs.iter().flat_map(|output| &output.fixed);
    policy.details.len() == top.len()
        && forms
        && fixed.all(|&(detail, level)| level <= top[usize::from(detail)])
}

/// Audiences whose rules a policy must keep: those who know what is read from it, and those after it in the chain.
fn knowers(report: &Report, views: &Views<'_>, order: &[usize], place: usize) -> Vec<usize> {
    let later = &order[place..];
    (0..report.audiences.len())
        .filter(|&other| views.of[other].contains(&order[place]) || later.contains(&other))
        .collect()
}

/// Whether somebody who comes to know what is read from a policy was told more before than it and those that it
/// refines hold.
pub(super) fn told_more(views: &Views<'_>, order: &[usize], place: usize) -> bool {
    let mut knowers = (0..views.of.len()).filter(|&other| views.of[other].contains(&order[place]));
    knowers.any(|knower| {
        let told = views.of[knower].iter().map(|&member| &views.told[member]);
        told.flat_map(|told| told.iter().enumerate())
            .any(|(detail, &level)| order[..=place].iter().all(|&held| views.told[held][detail] < level))
    })
}

/// The sets that a policy protects: place among [`Views::sets`], source, population.
pub(super) fn protected(
    report: &Report,
    views: &Views<'_>,
    order: &[usize],
    place: usize,
) -> Vec<(usize, usize, usize)> {
    let knowers = knowers(report, views, order, place);
    let sets = Views::sets(report).into_iter().enumerate();
    sets.map(|(set, (source, population))| (set, source, population))
        .filter(|&(_, source, population)| {
            report.protections.iter().any(|protection| {
                protection.population == population
                    && protection.sources.contains(&source)
                    && protection.audiences.iter().any(|audience| knowers.contains(audience))
            })
        })
        .collect()
}

/// Ceilings, and the levels of details that policy fixes whatever the value.
fn fixed_by_policy(report: &Report) -> (Vec<u8>, Vec<(usize, u8)>) {
    let mut ceilings = ceilings(report);
    let mut held = Vec::new();
    for (detail, ceiling) in ceilings.iter_mut().enumerate() {
        let opaque =
            report.details[detail].knowledge.iter().flatten().filter_map(|knowledge| match knowledge {
                Knowledge::Opaque { policy_level, .. } if depends_on_value(knowledge) => Some(*policy_level),
                _ => None,
            });
        if let Some(level) = opaque.min() {
            *ceiling = level;
            held.push((detail, level));
        }
    }
    (ceilings, held)
}
