//! Why a release says what it says and not more.

use super::margin::{broken, tolerance};
use super::nominal::{holds, utilities};
use super::views::{Knower, Views};
use crate::plan::{
    DangerousPair, DetailPlan, DiversityStanding, Leaves, Margin, Needed, NextLevel, NoSafePlan, Release,
    Rule, SelectionAware, SetStanding, Step, units,
};
use crate::rules::assess;
use crate::search::{Crowd, Members, Solution};
use tearline_model::candidates::Candidates;
use tearline_model::report::Report;

/// Pairs of steps that are listed at most: the ones that leave fewest.
const PAIRS: usize = 10;

/// Everything that explanations look at.
pub(super) struct Explain<'a> {
    pub(super) report: &'a Report,
    pub(super) views: &'a Views<'a>,
    pub(super) tables: &'a [Candidates],
    pub(super) releases: &'a [Vec<u8>],
    pub(super) margin: f64,
    /// Selection-aware count of a set against an audience; `u64::MAX` stands for the set itself.
    pub(super) aware: &'a dyn Fn(usize, usize) -> Option<SelectionAware>,
}

impl Explain<'_> {
    /// The release to one audience, explained.
    pub(super) fn release(&self, audience: usize, solution: &Solution) -> Release {
        let knowers = self.views.knowers(audience, self.releases, self.tables);
        let levels = &self.releases[audience];
        let inside: Vec<Members> = knowers.iter().map(|knower| Members::of(&knower.crowd, levels)).collect();
        let utility = utilities(self.report, audience);
        let known = self.views.known(audience, self.releases, None);
        let details = (0..levels.len())
            .map(|detail| {
                let of = &self.report.details[detail];
                let level = levels[detail];
                let next = of.levels.get(usize::from(level)).map(|next| {
                    let leaves = self.after(&knowers, &inside, levels, &[(detail, level + 1)]);
                    NextLevel {
                        level: level + 1,
                        words: next.text.clone(),
                        gain: units(
                            utility[detail][usize::from(level) + 1] - utility[detail][usize::from(level)],
                        ),
                        safe: leaves.iter().all(|leaves| leaves.broken.is_empty()),
                        leaves,
                    }
                });
                DetailPlan {
                    id: of.id.clone(),
                    level,
                    levels: u8::try_from(of.levels.len()).expect("the parser limits levels to 254"),
                    words: level.checked_sub(1).map(|at| of.levels[usize::from(at)].text.clone()),
                    utility: units(utility[detail][usize::from(level)]),
                    told: self.views.told[audience][detail],
                    known: known[detail],
                    next,
                }
            })
            .collect();
        #[expect(clippy::cast_precision_loss, reason = "a share for display")]
        let gap = (solution.bound - solution.utility) as f64 / (solution.bound.max(1)) as f64;
        Release {
            details,
            dangerous_together: self.dangerous_pairs(audience, &knowers),
            sets: self.standings(audience, &knowers, &inside),
            utility: units(solution.utility),
            bound: units(solution.bound),
            optimal: solution.optimal,
            gap,
            nodes: solution.nodes,
            margin: self.margin(&knowers, &inside),
            policy: None,
        }
    }

    /// What raising some details would leave of each set that they narrow. `inside` are the members now.
    fn after(
        &self,
        knowers: &[Knower<'_>],
        inside: &[Members],
        levels: &[u8],
        steps: &[(usize, u8)],
    ) -> Vec<Leaves> {
        let mut raised = levels.to_vec();
        for &(detail, level) in steps {
            raised[detail] = raised[detail].max(level);
        }
        let mut leaves = Vec::new();
        for (knower, inside) in knowers.iter().zip(inside) {
            if !steps.iter().any(|&(detail, _)| knower.crowd.details[detail]) {
                continue;
            }
            let left = inside.narrowed(&knower.crowd, steps, &raised);
            let members = left.list();
            let rules = knower.aim();
            let standing = assess(&rules, &members);
            for &other in &knower.audiences {
                leaves.push(Leaves {
                    set: knower.set,
                    audience: self.report.audiences[other].id.clone(),
                    now: inside.candidates(),
                    left: standing.candidates,
                    needed: rules.k.saturating_add(rules.robust),
                    largest_share: standing.largest_share,
                    broken: broken(&rules, &members, &columns(&knower.crowd)),
                });
            }
        }
        leaves
    }

    /// Pairs of steps, taken from what the audience knows anyway, of which each alone leaves enough candidates and
    /// both do not.
    fn dangerous_pairs(&self, audience: usize, knowers: &[Knower<'_>]) -> Vec<DangerousPair> {
        let levels = &self.releases[audience];
        let floor = self.views.floor(audience, self.releases);
        // What was chosen of each detail, and the step that was not taken.
        let mut steps = Vec::new();
        for (detail, &level) in levels.iter().enumerate() {
            if level > floor[detail] {
                steps.push((detail, level));
            }
            if usize::from(level) < self.report.details[detail].levels.len() {
                steps.push((detail, level + 1));
            }
        }
        let inside: Vec<Members> = knowers.iter().map(|knower| Members::of(&knower.crowd, &floor)).collect();
        let counts: Vec<_> = knowers
            .iter()
            .zip(&inside)
            .map(|(knower, inside)| {
                let rules = knower.aim();
                (rules.k.saturating_add(rules.robust), inside.count_pairs(&knower.crowd, &steps))
            })
            .collect();
        let alone: Vec<bool> = (0..steps.len())
            .map(|step| counts.iter().all(|(needed, counts)| counts.alone(step) >= *needed))
            .collect();
        let mut pairs = Vec::new();
        for first in 0..steps.len() {
            for second in first + 1..steps.len() {
                let untaken = [first, second].iter().any(|&step| steps[step].1 > levels[steps[step].0]);
                if steps[first].0 == steps[second].0 || !untaken || !alone[first] || !alone[second] {
                    continue;
                }
                let left = counts.iter().filter_map(|(needed, counts)| {
                    let both = counts.both(first, second);
                    (both < *needed).then_some(both)
                });
                if let Some(left) = left.min() {
                    pairs.push((left, steps[first], steps[second]));
                }
            }
        }
        pairs.sort_unstable();
        pairs.truncate(PAIRS);
        let step =
            |(detail, level): (usize, u8)| Step { detail: self.report.details[detail].id.clone(), level };
        pairs
            .into_iter()
            .map(|(_, first, second)| {
                let mut leaves = self.after(knowers, &inside, &floor, &[first, second]);
                leaves.retain(|leaves| !leaves.broken.is_empty());
                DangerousPair { first: step(first), second: step(second), leaves }
            })
            .collect()
    }

    /// How the sets that are protected against the audience itself stand.
    fn standings(&self, audience: usize, knowers: &[Knower<'_>], inside: &[Members]) -> Vec<SetStanding> {
        let own = knowers.iter().zip(inside).filter(|(knower, _)| knower.audiences.contains(&audience));
        own.map(|(knower, inside)| {
            let rules = &knower.crowd.rules;
            let standing = assess(rules, &inside.list());
            let columns = columns(&knower.crowd);
            SetStanding {
                set: knower.set,
                candidates: standing.candidates,
                largest_share: standing.largest_share,
                diversity: rules
                    .diversity
                    .iter()
                    .zip(&standing.diversity)
                    .map(|(&(column, needed), &values)| DiversityStanding {
                        column: columns[column].clone(),
                        values,
                        needed,
                    })
                    .collect(),
                needed: Needed {
                    candidates: rules.k,
                    robust: rules.robust,
                    headroom: knower.headroom,
                    share: rules.share_ppm.map(|ppm| f64::from(ppm) / 1e6),
                },
                holds: standing.holds,
                selection_aware: (self.aware)(audience, knower.set).map(|aware| SelectionAware {
                    candidates: aware.candidates.min(standing.candidates),
                    how: aware.how,
                }),
            }
        })
        .collect()
    }

    fn margin(&self, knowers: &[Knower<'_>], inside: &[Members]) -> Margin {
        let mut margin = Margin { withstands: 1.0, asked: self.margin, holds: true, first: None, rule: None };
        for (knower, inside) in knowers.iter().zip(inside) {
            let tolerance = tolerance(&knower.crowd.rules, &inside.list(), &columns(&knower.crowd));
            if margin.first.is_none() || tolerance.withstands < margin.withstands {
                margin.withstands = tolerance.withstands;
                margin.first = Some(knower.set);
                margin.rule = tolerance.falls;
            }
        }
        margin.holds = margin.withstands >= self.margin;
        margin
    }
}

/// Names of the group columns of a crowd.
pub(super) fn columns(crowd: &Crowd<'_>) -> Vec<String> {
    crowd.candidates.groups.iter().map(|groups| groups.column.clone()).collect()
}

/// Why an audience gets nothing: the set that the least release already breaks, or that none can be found for.
pub(super) fn no_safe_plan(explain: &Explain<'_>, audience: usize, proven: bool) -> NoSafePlan {
    let report = explain.report;
    let knowers = explain.views.knowers(audience, explain.releases, explain.tables);
    let floor = explain.views.floor(audience, explain.releases);
    let anyway = knowers.iter().find(|knower| !holds(&knower.crowd, &floor));
    let untold = anyway.is_some_and(|knower| floor.iter().chain(&knower.crowd.base).all(|&level| level == 0));
    let minimum = report.audiences[audience].minimum.first().filter(|_| anyway.is_none());
    let mut least = floor;
    for &(detail, level) in minimum.into_iter().flatten() {
        least[detail] = least[detail].max(level);
    }
    let failing = anyway.or_else(|| {
        knowers.iter().find(|knower| !holds(&Crowd { rules: knower.aim(), ..knower.crowd.clone() }, &least))
    });
    let Some(knower) = failing.or(knowers.first()) else {
        let why = "No protection covers this audience, and still nothing was found.".into();
        let protects_against = report.audiences[audience].id.clone();
        return NoSafePlan {
            proven,
            protects_against,
            set: 0,
            rule: Rule::Minimum,
            candidates: 0,
            needed: 0,
            why,
        };
    };
    let members = Members::of(&knower.crowd, &least);
    let rules = knower.aim();
    let rule = broken(&rules, &members.list(), &columns(&knower.crowd)).into_iter().next();
    let against = &report.audiences[knower.audiences[0]];
    let needed = rules.k.saturating_add(rules.robust);
    let candidates = members.candidates();
    let beginning = match (anyway.is_some(), minimum.is_some()) {
        (true, _) if untold => "Even silence leaves",
        (true, _) => "What is known already leaves",
        (false, true) => "The least that would make the release usable leaves",
        (false, false) => "The least release leaves",
    };
    let why = match &rule {
        Some(Rule::Share) => format!("{beginning} one candidate with too large a share of the suspicion."),
        Some(Rule::Diversity { column }) => format!("{beginning} too few different values of {column}."),
        _ => format!("{beginning} {candidates} candidates, {needed} needed."),
    };
    let rule = if minimum.is_some() { Rule::Minimum } else { rule.unwrap_or(Rule::Candidates) };
    NoSafePlan {
        proven,
        protects_against: against.id.clone(),
        set: knower.set,
        rule,
        candidates,
        needed,
        why,
    }
}
