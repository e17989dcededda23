//! Drawing up a certificate from what the planner chose, with the planner's own arithmetic. The checker has another.

use super::{
    AudienceClaim, Certificate, DiversityClaim, PolicyClaim, SetClaim, TableDigest, VERSION, digest,
};
use crate::plan::Mode;
use crate::rules::{Member, Rules, assess};
use tearline_model::candidates::Candidates;
use tearline_model::report::{Report, ToldWhat};
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
    Certificate {
        version: VERSION,
        report_sha256: digest::bytes(report_file),
        tables: tables.collect(),
        mode,
        audiences: order.iter().map(|choice| audience(report, candidates, choices, choice)).collect(),
    }
}

/// Worth of a level to an audience, in thousandths: the level's utility times the audience's importance, rounded
/// down. Level 0 is worth nothing.
pub fn worth(report: &Report, audience: usize, detail: usize, level: u8) -> u64 {
    let Some(index) = usize::from(level).checked_sub(1) else { return 0 };
    let importance = u64::from(report.audiences[audience].importance_permille[detail]);
    report.details[detail].levels[index].utility.0 * importance / 1000
}

/// The audiences whose knowledge counts as `audience`'s own, itself included, ascending.
pub fn coalition(report: &Report, audience: usize) -> Vec<usize> {
    let of = &report.audiences[audience];
    let mut members = vec![audience];
    members.extend(&of.sees);
    members.extend(&of.colludes_with);
    for &partner in &of.colludes_with {
        members.extend(&report.audiences[partner].sees);
    }
    members.sort_unstable();
    members.dedup();
    members
}

/// The sets protected against an audience, as (source, population) in ascending order, each with the strictest of
/// its rules, the columns of diversity in ascending order of their text.
pub fn protected(report: &Report, audience: usize) -> Vec<((usize, usize), SetRules)> {
    let mut sets = std::collections::BTreeMap::<(usize, usize), SetRules>::new();
    for protection in report.protections.iter().filter(|p| p.audiences.contains(&audience)) {
        for &source in &protection.sources {
            if !report.sources[source].populations.contains(&protection.population) {
                continue;
            }
            let rules = sets.entry((source, protection.population)).or_default();
            rules.k = rules.k.max(protection.k);
            rules.robust = rules.robust.max(protection.robust);
            rules.headroom = rules.headroom.max(protection.headroom);
            rules.share_ppm = match (rules.share_ppm, protection.share_ppm) {
                (Some(one), Some(other)) => Some(one.min(other)),
                (one, other) => one.or(other),
            };
            for rule in &protection.diversity {
                let least = rules.diversity.entry(rule.column.0.clone()).or_default();
                *least = (*least).max(rule.at_least);
            }
        }
    }
    sets.into_iter().collect()
}

/// The strictest of each rule over the protections of one set.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SetRules {
    /// At least this many candidates.
    pub k: u64,
    /// Γ.
    pub robust: u64,
    /// Candidates to keep free for later; not part of a certificate.
    pub headroom: u64,
    /// Largest share, in millionths.
    pub share_ppm: Option<u32>,
    /// Least number of values per column.
    pub diversity: std::collections::BTreeMap<String, u32>,
}

impl SetRules {
    /// As the search wants them, for these candidates; `None` when they lack a column.
    pub fn on(&self, candidates: &Candidates) -> Option<Rules> {
        let place = |column: &String| candidates.groups.iter().position(|groups| groups.column == *column);
        let diversity: Option<Vec<_>> =
            self.diversity.iter().map(|(column, &least)| Some((place(column)?, least))).collect();
        Some(Rules { k: self.k, robust: self.robust, share_ppm: self.share_ppm, diversity: diversity? })
    }
}

fn audience(
    report: &Report,
    candidates: &[Candidates],
    choices: &[Choice],
    choice: &Choice,
) -> AudienceClaim {
    let coalition = coalition(report, choice.audience);
    let mut knowledge = vec![0_u8; report.details.len()];
    for member in choices.iter().filter(|other| coalition.contains(&other.audience)) {
        for (known, &level) in knowledge.iter_mut().zip(member.released.iter().flatten()) {
            *known = level.max(*known);
        }
    }
    let mut linked = Vec::new();
    let mut fact = 0;
    for told in &report.told {
        let counts = coalition.contains(&told.audience);
        match &told.what {
            ToldWhat::Level { detail, level } if counts => {
                knowledge[*detail] = knowledge[*detail].max(*level);
            }
            ToldWhat::Level { .. } => {}
            ToldWhat::Linked { .. } => {
                if counts {
                    linked.push(fact);
                }
                fact += 1;
            }
        }
    }
    let sets = protected(report, choice.audience).into_iter().enumerate().map(|(place, (set, rules))| {
        let selection_aware = choice.selection_aware.get(place).copied().flatten();
        standing(report, &candidates[set.1], set, &rules, &knowledge, &linked, selection_aware)
    });
    let levels = choice.released.iter().flatten().enumerate();
    AudienceClaim {
        audience: ordinal(choice.audience),
        released: choice.released.clone(),
        knowledge: knowledge.clone(),
        linked: linked.iter().map(|&fact| ordinal(fact)).collect(),
        utility: levels.map(|(detail, &level)| worth(report, choice.audience, detail, level)).sum(),
        bound: choice.bound,
        optimal: choice.optimal,
        policy: choice.policy.clone(),
        sets: sets.collect(),
        coalition: coalition.into_iter().map(ordinal).collect(),
    }
}

fn standing(
    report: &Report,
    candidates: &Candidates,
    (source, population): (usize, usize),
    rules: &SetRules,
    knowledge: &[u8],
    linked: &[usize],
    selection_aware: Option<u64>,
) -> SetClaim {
    let facts: Vec<&Vec<usize>> = report
        .told
        .iter()
        .filter_map(|told| match &told.what {
            ToldWhat::Linked { sources, .. } => Some(sources),
            ToldWhat::Level { .. } => None,
        })
        .collect();
    let narrowing: Vec<(usize, u8)> = knowledge
        .iter()
        .enumerate()
        .filter(|&(detail, &level)| level > 0 && report.details[detail].sources.contains(&source))
        .map(|(detail, &level)| (detail, level))
        .collect();
    let possible = if candidates.possible.is_empty() { &candidates.sure } else { &candidates.possible };
    let groups: Vec<Vec<u32>> = (0..candidates.classes())
        .map(|class| candidates.groups.iter().map(|groups| groups.of[class]).collect())
        .collect();
    let mut members = Vec::new();
    for class in 0..candidates.classes() {
        let told = |&&fact: &&usize| facts[fact].contains(&source);
        if !linked.iter().filter(told).all(|&fact| candidates.linked[fact][class]) {
            continue;
        }
        let within = |of: &[Vec<u8>]| narrowing.iter().all(|&(detail, level)| of[detail][class] >= level);
        let count = candidates.count[class];
        let odds = candidates.odds.iter().filter(|odds| narrowing.contains(&(odds.detail, odds.level)));
        let chance: f64 = odds.map(|odds| f64::from(odds.permille[class]) / 1000.0).product();
        #[expect(clippy::cast_precision_loss, reason = "weights are at most 10^9")]
        let mass = candidates.weight[class] as f64 * chance;
        members.push(Member {
            count: if within(&candidates.sure) { count } else { 0 },
            suspects: if within(possible) { count } else { 0 },
            mass,
            groups: &groups[class],
        });
    }
    let rules_on = rules.on(candidates).unwrap_or_default();
    let standing = assess(&rules_on, &members);
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a share is from 0 to 1")]
    let largest_share_ppb = (standing.largest_share * 1e9).round() as u64;
    let values = rules.diversity.iter().zip(&standing.diversity);
    SetClaim {
        source: ordinal(source),
        population: ordinal(population),
        k: rules.k,
        robust: rules.robust,
        share_ppm: rules.share_ppm,
        candidates: standing.candidates,
        largest_share_ppb,
        diversity: values
            .map(|((column, &at_least), &values)| DiversityClaim { column: column.clone(), at_least, values })
            .collect(),
        selection_aware,
    }
}

/// Place from 1.
fn ordinal(index: usize) -> u32 {
    u32::try_from(index + 1).expect("reports hold fewer parts")
}
