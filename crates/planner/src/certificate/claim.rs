//! Drawing up a certificate from what the planner chose, with the planner's own arithmetic. The checker has another.

use super::{
    AudienceClaim, Certificate, DiversityClaim, PolicyClaim, SetClaim, TableDigest, VERSION, digest,
};
use crate::plan::{Mode, Outcome};
use crate::planning::{Planned, Views, rules, utilities};
use crate::rules::assess;
use crate::search::{Crowd, Members};
use tearline_model::candidates::Candidates;
use tearline_model::report::Report;
use tearline_model::worlds::Worlds;

/// What the planner chose for one audience.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Choice {
    /// Index of the audience.
    pub audience: usize,
    /// Level of each detail, what it was told and sees included; `None` where no plan is safe.
    pub released: Option<Vec<u8>>,
    /// What the search proved that no plan can exceed, in thousandths; at least the utility of `released`.
    pub bound: u64,
    /// Whether the search proved that nothing safe is better.
    pub optimal: bool,
    /// The policy that the levels were read from, if any.
    pub policy: Option<PolicyClaim>,
    /// Per protected set of this audience, by source, then population: the selection-aware count. Empty where none
    /// was counted.
    pub selection_aware: Vec<Option<u64>>,
}

/// What a plan chose, for every audience of the report.
pub fn choices(report: &Report, planned: &Planned) -> Vec<Choice> {
    let choice = |(audience, levels): (usize, &Vec<u8>)| {
        let id = &report.audiences[audience].id;
        let policy = planned.policies[audience].clone();
        let mut choice = Choice { audience, policy, ..Choice::default() };
        match planned.plan.audiences.iter().find(|of| of.id == *id).map(|of| &of.outcome) {
            Some(Outcome::Release(release)) => {
                choice.released = Some(levels.clone());
                choice.bound = planned.solutions[audience].bound;
                choice.optimal = release.optimal;
                let counts = release.sets.iter().map(|set| set.selection_aware.as_ref());
                choice.selection_aware = counts.map(|aware| aware.map(|aware| aware.candidates)).collect();
            }
            Some(Outcome::NoSafePlan(none)) => choice.optimal = none.proven,
            None => {}
        }
        choice
    };
    planned.levels.iter().enumerate().map(choice).collect()
}

/// Draws up the certificate. `report_file` are the bytes that `report` was parsed from; `candidates` and `worlds`
/// are per population; `choices` has every audience once, in any order.
///
/// # Panics
///
/// If the vectors do not have the lengths that their documentation states.
pub fn certify(
    report_file: &[u8],
    report: &Report,
    candidates: &[Candidates],
    worlds: Option<&[Worlds]>,
    mode: Mode,
    choices: &[Choice],
) -> Certificate {
    let tables = candidates.iter().enumerate().map(|(population, candidates)| TableDigest {
        candidates_sha256: digest::candidates(candidates),
        worlds_sha256: worlds.map(|worlds| digest::worlds(&worlds[population])),
    });
    let mut order: Vec<&Choice> = choices.iter().collect();
    order.sort_by_key(|choice| choice.audience);
    let silence = vec![0; report.details.len()];
    let releases: Vec<Vec<u8>> =
        order.iter().map(|choice| choice.released.clone().unwrap_or_else(|| silence.clone())).collect();
    let views = Views::new(report);
    Certificate {
        version: VERSION,
        report_sha256: digest::bytes(report_file),
        tables: tables.collect(),
        mode,
        audiences: order
            .iter()
            .map(|choice| audience(report, candidates, &views, &releases, choice))
            .collect(),
    }
}

fn audience(
    report: &Report,
    candidates: &[Candidates],
    views: &Views<'_>,
    releases: &[Vec<u8>],
    choice: &Choice,
) -> AudienceClaim {
    let audience = choice.audience;
    let knowledge = views.known(audience, releases, None);
    let mut sets: Vec<SetClaim> = Vec::new();
    for (source, population) in Views::sets(report) {
        let candidates = &candidates[population];
        let Some((rules, _)) = rules(report, audience, source, population, &candidates.groups) else {
            continue;
        };
        let crowd = Crowd {
            candidates,
            details: report.details.iter().map(|detail| detail.sources.contains(&source)).collect(),
            base: knowledge.clone(),
            linked: views.linked(audience, Some(source)),
            rules,
        };
        let selection_aware = choice.selection_aware.get(sets.len()).copied().flatten();
        sets.push(standing(&crowd, (source, population), selection_aware));
    }
    let utility = utilities(report, audience);
    let levels = choice.released.iter().flatten().enumerate();
    AudienceClaim {
        audience: ordinal(audience),
        released: choice.released.clone(),
        linked: views.linked(audience, None).into_iter().map(ordinal).collect(),
        utility: levels.map(|(detail, &level)| utility[detail][usize::from(level)]).sum(),
        bound: choice.bound,
        optimal: choice.optimal,
        policy: choice.policy.clone(),
        sets,
        coalition: views.of[audience].iter().copied().map(ordinal).collect(),
        knowledge,
    }
}

/// What is claimed of a set under what its view holds.
fn standing(
    crowd: &Crowd<'_>,
    (source, population): (usize, usize),
    selection_aware: Option<u64>,
) -> SetClaim {
    let rules = &crowd.rules;
    let silence = vec![0; crowd.base.len()];
    let standing = assess(rules, &Members::of(crowd, &silence).list());
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a share is from 0 to 1")]
    let largest_share_ppb = (standing.largest_share * 1e9).round() as u64;
    let values = rules.diversity.iter().zip(&standing.diversity);
    let mut diversity: Vec<DiversityClaim> = values
        .map(|(&(column, at_least), &values)| DiversityClaim {
            column: crowd.candidates.groups[column].column.clone(),
            at_least,
            values,
        })
        .collect();
    diversity.sort_by(|a, b| a.column.cmp(&b.column));
    SetClaim {
        source: ordinal(source),
        population: ordinal(population),
        k: rules.k,
        robust: rules.robust,
        share_ppm: rules.share_ppm,
        candidates: standing.candidates,
        largest_share_ppb,
        diversity,
        selection_aware,
    }
}

/// Place from 1.
fn ordinal(index: usize) -> u32 {
    u32::try_from(index + 1).expect("reports hold fewer parts")
}
