//! Planning for this report: every audience in turn, by the exact search.

use super::explain::{Explain, no_safe_plan};
use super::mode::depends_on_value;
use super::views::{Views, order};
use crate::certificate::PolicyClaim;
use crate::plan::{self, AudiencePlan, Counted, Outcome, SelectionAware};
use crate::rules::assess;
use crate::search::{self, Crowd, Limits, Problem, Progress, Solution};
use tearline_model::candidates::Candidates;
use tearline_model::report::Report;

/// How to plan.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// Nodes and threads of each search.
    pub limits: Limits,
    /// Share of the counted candidates, 0 to 1, that the sensitivity report assumes wrongly counted.
    pub margin: f64,
    /// Plan by priority alone, so that an audience may limit those whom it sees.
    pub by_priority: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self { limits: Limits { nodes: u64::MAX, threads: 2 }, margin: 0.1, by_priority: false }
    }
}

/// What the planner is working on.
#[derive(Clone, Copy, Debug)]
pub struct Stage {
    /// Index of the audience.
    pub audience: usize,
    /// How its search stands.
    pub progress: Progress,
}

/// A plan with the levels as they are, for whoever acts on it.
#[derive(Clone, Debug)]
pub struct Planned {
    /// The plan as it is printed.
    pub plan: plan::Plan,
    /// Per audience of the report: the levels of its release. Where there is no safe plan: what it was told before.
    pub levels: Vec<Vec<u8>>,
    /// Per audience of the report: what the search found.
    pub solutions: Vec<Solution>,
    /// Per audience of the report: the policy that its levels were read from, if any.
    pub policies: Vec<Option<PolicyClaim>>,
}

/// Plans for this report alone. `tables` are the candidates of each population of the report. `control` is told of
/// the progress; returning `false` ends the search of the audience at hand, and of those after it, with the best so
/// far.
pub fn plan_nominal(
    report: &Report,
    tables: &[Candidates],
    options: &Options,
    control: &mut dyn FnMut(&Stage) -> bool,
) -> Planned {
    let views = Views::new(report);
    let order = order(report, options.by_priority);
    let (releases, solutions) =
        choose(report, &views, &order, tables, &ceilings(report), options.limits, control);
    let depends = report.details.iter().flat_map(|detail| &detail.knowledge).flatten().any(depends_on_value);
    let constant = !depends && solutions.iter().all(|solution| solution.optimal);
    let mut plan =
        assemble(report, &views, &order, tables, &releases, &solutions, options.margin, &|_, _| {
            constant.then_some(SelectionAware { candidates: u64::MAX, how: Counted::Constant })
        });
    if solutions.iter().any(|solution| !solution.optimal) {
        plan.assumptions.push("A search ended before its proof: the levels are safe, but where it ended may depend on the report's hidden precision. Plan again with a larger budget before you rely on the selection-aware count.".into());
    }
    let policies = vec![None; report.audiences.len()];
    Planned { plan, levels: releases, solutions, policies }
}

/// Puts a plan together and explains it. `aware` gives the selection-aware count of a set against an audience;
/// `u64::MAX` stands for the set itself.
#[expect(clippy::too_many_arguments, reason = "everything that a plan shows")]
pub(super) fn assemble(
    report: &Report,
    views: &Views<'_>,
    order: &[usize],
    tables: &[Candidates],
    releases: &[Vec<u8>],
    solutions: &[Solution],
    margin: f64,
    aware: &dyn Fn(usize, usize) -> Option<SelectionAware>,
) -> plan::Plan {
    let explain = Explain { report, views, tables, releases, margin, aware };
    let audiences = order
        .iter()
        .map(|&audience| {
            let solution = &solutions[audience];
            let outcome = if solution.levels.is_some() {
                Outcome::Release(explain.release(audience, solution))
            } else {
                Outcome::NoSafePlan(no_safe_plan(&explain, audience, solution.optimal))
            };
            let of = &report.audiences[audience];
            let view = views.of[audience].iter().filter(|&&other| other != audience);
            AudiencePlan {
                id: of.id.clone(),
                name: of.name.clone(),
                view: view.map(|&other| report.audiences[other].id.clone()).collect(),
                outcome,
            }
        })
        .collect();
    let choice = super::choose_mode(report);
    plan::Plan {
        version: plan::VERSION,
        report: report.id.clone(),
        mode: plan::Mode::Nominal,
        mode_reason: choice.reason,
        assumptions: assumptions(report),
        sets: Views::listed(report),
        audiences,
    }
}

/// The releases that the search chooses, audience by audience, when no detail may go above `ceiling`.
pub(super) fn choose(
    report: &Report,
    views: &Views<'_>,
    order: &[usize],
    tables: &[Candidates],
    ceiling: &[u8],
    limits: Limits,
    control: &mut dyn FnMut(&Stage) -> bool,
) -> (Vec<Vec<u8>>, Vec<Solution>) {
    let mut releases = vec![vec![0; report.details.len()]; report.audiences.len()];
    let mut found: Vec<Option<Solution>> = vec![None; report.audiences.len()];
    for &audience in order {
        let mut search = |problem: &Problem<'_>| {
            search::solve(problem, limits, &mut |progress| control(&Stage { audience, progress: *progress }))
        };
        let solution = best_for(report, views, audience, &releases, tables, ceiling, &mut search);
        releases[audience] = match &solution.levels {
            Some(levels) => levels.clone(),
            None => views.told[audience].clone(),
        };
        found[audience] = Some(solution);
    }
    (releases, found.into_iter().flatten().collect())
}

/// The best release for one audience, over the alternatives of its minimum.
pub(super) fn best_for(
    report: &Report,
    views: &Views<'_>,
    audience: usize,
    releases: &[Vec<u8>],
    tables: &[Candidates],
    ceiling: &[u8],
    search: &mut dyn FnMut(&Problem<'_>) -> Solution,
) -> Solution {
    let knowers = views.knowers(audience, releases, tables);
    let mut crowds: Vec<Crowd<'_>> = Vec::new();
    for knower in &knowers {
        crowds.push(Crowd { rules: knower.aim(), ..knower.crowd.clone() });
    }
    let mut problem = Problem {
        utility: utilities(report, audience),
        floor: views.floor(audience, releases),
        ceiling: ceiling.to_vec(),
        crowds,
    };
    let alternatives = &report.audiences[audience].minimum;
    if alternatives.is_empty() {
        return search(&problem);
    }
    let floor = problem.floor.clone();
    let solutions = alternatives.iter().map(|alternative| {
        problem.floor.clone_from(&floor);
        for &(detail, level) in alternative {
            if level > ceiling[detail] {
                return Solution { levels: None, utility: 0, bound: 0, optimal: true, nodes: 0 };
            }
            problem.floor[detail] = problem.floor[detail].max(level);
        }
        search(&problem)
    });
    let better = |a: Solution, b: Solution| {
        let optimal = a.optimal && b.optimal;
        let bound = a.bound.max(b.bound);
        let nodes = a.nodes + b.nodes;
        let best = if (b.levels.is_some(), b.utility) > (a.levels.is_some(), a.utility) { b } else { a };
        Solution { bound, optimal, nodes, ..best }
    };
    solutions.reduce(better).expect("there is at least one alternative")
}

/// Utility of every level of every detail to one audience, in thousandths, from silence up.
pub(crate) fn utilities(report: &Report, audience: usize) -> Vec<Vec<u64>> {
    let importance = &report.audiences[audience].importance_permille;
    let details = report.details.iter().zip(importance);
    details
        .map(|(detail, &importance)| {
            let levels = detail.levels.iter().map(|level| level.utility.0 * u64::from(importance) / 1000);
            std::iter::once(0).chain(levels).collect()
        })
        .collect()
}

/// The exact level of every detail.
pub(super) fn ceilings(report: &Report) -> Vec<u8> {
    let count = |levels: usize| u8::try_from(levels).expect("the parser limits levels to 254");
    report.details.iter().map(|detail| count(detail.levels.len())).collect()
}

/// What the guarantee assumes beyond the tables.
fn assumptions(report: &Report) -> Vec<String> {
    let mut list = Vec::new();
    let others = report.audiences.len().saturating_sub(1);
    if others > 0 && report.audiences.iter().all(|audience| audience.colludes_with.len() == others) {
        list.push(
            "All audiences pool what they get, so every protection holds under all releases together.".into(),
        );
    }
    list.push("Every source is in the tables, and nobody whom a table counts as a knower can be ruled out by other means beyond Γ.".into());
    list.push("The list of what was told before is complete.".into());
    list
}

/// Whether a crowd's own rules hold under `levels`.
pub(super) fn holds(crowd: &Crowd<'_>, levels: &[u8]) -> bool {
    assess(&crowd.rules, &search::Members::of(crowd, levels).list()).holds
}
