//! The protected sets, recomputed candidate class by candidate class, and their rules.

use super::inputs::same_for_any_value;
use super::releases::{View, index, name, ordinal, view};
use super::{Evidence, Name, Verdict};
use crate::certificate::{AudienceClaim, Certificate, SetClaim};
use crate::plan::Mode;
use std::collections::BTreeMap;
use tearline_model::candidates::Candidates;
use tearline_model::report::{Report, ToldWhat};

/// The strictest of the protections that cover one set against one audience.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Demands {
    pub(super) k: u64,
    pub(super) robust: u64,
    pub(super) share_ppm: Option<u32>,
    pub(super) diversity: BTreeMap<String, u32>,
}

/// One set as it is.
struct Found {
    candidates: u128,
    share: Share,
    /// Per column demanded: values left in the worst case; `None` where the table has no such column.
    values: BTreeMap<String, Option<usize>>,
}

/// The largest posterior share of one candidate.
enum Share {
    /// Numerator and denominator, where knowledge is certain.
    Exact(u128, u128),
    /// Where it is not, from 0 to 1.
    Rounded(f64),
    /// The numbers are too large to compute with.
    Unknown,
}

impl Share {
    /// In thousand-millionths, as far as it is known, down and up.
    fn ppb(&self) -> Option<(u64, u64)> {
        match *self {
            Self::Exact(part, whole) => {
                let scaled = part.checked_mul(1_000_000_000)?;
                let down = u64::try_from(scaled / whole).ok()?;
                Some((down, down + u64::from(scaled % whole > 0)))
            }
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "from 0 to 1, so 0 to 10^9"
            )]
            Self::Rounded(share) => {
                let near = (share * 1e9).round() as u64;
                Some((near.saturating_sub(1), near + 1))
            }
            Self::Unknown => None,
        }
    }

    /// Whether it is at most so many millionths. Where knowledge is uncertain, one part in 10^9 is allowed for
    /// rounding.
    fn within(&self, ppm: u32) -> bool {
        match *self {
            Self::Exact(part, whole) => {
                let least = part.checked_mul(1_000_000);
                let most = whole.checked_mul(u128::from(ppm));
                least.zip(most).is_some_and(|(least, most)| least <= most)
            }
            Self::Rounded(share) => share <= f64::from(ppm) / 1e6 * (1.0 + 1e-9),
            Self::Unknown => false,
        }
    }
}

/// What each check has found against the certificate.
#[derive(Default)]
struct Against {
    sets: Vec<String>,
    rules: Vec<String>,
    counts: Vec<String>,
    shares: Vec<String>,
    diversity: Vec<String>,
    protections: Vec<String>,
    selection: Vec<String>,
    /// Audiences without a release whose protections what was told before has already broken.
    broken_before: usize,
    sets_held: usize,
}

pub(super) fn check(evidence: &Evidence<'_>, certificate: &Certificate, verdict: &mut Verdict) {
    let mut against = Against::default();
    for claim in &certificate.audiences {
        audience(evidence, certificate, claim, &mut against);
    }
    verdict.enter(Name::Sets, &against.sets, "The protected sets are those of the report.");
    verdict.enter(Name::Rules, &against.rules, "The rules are the strictest of the report's protections.");
    verdict.enter(Name::Counts, &against.counts, "The sizes of the sets are as counted.");
    verdict.enter(Name::Shares, &against.shares, "The largest shares are as computed.");
    verdict.enter(Name::Diversity, &against.diversity, "The numbers of different values are as counted.");
    let mut good = format!("{} protected sets hold.", against.sets_held);
    if against.broken_before > 0 {
        let more = against.broken_before;
        good = format!("{good} {more} were broken by what was told before, and nothing is added.");
    }
    verdict.enter(Name::Protections, &against.protections, good);
    verdict.enter(Name::SelectionAware, &against.selection, "The selection-aware counts suit the mode.");
}

fn audience(
    evidence: &Evidence<'_>,
    certificate: &Certificate,
    claim: &AudienceClaim,
    against: &mut Against,
) {
    let report = evidence.report;
    let who = name(report, claim);
    let view = view(report, &certificate.audiences, index(claim));
    let demands = demands(report, index(claim));
    let expected: Vec<(u32, u32)> = demands.keys().map(|&(s, p)| (ordinal(s), ordinal(p))).collect();
    let claimed: Vec<(u32, u32)> = claim.sets.iter().map(|set| (set.source, set.population)).collect();
    if claimed != expected {
        against.sets.push(format!(
            "Audience {who}: the sets must be {expected:?}, as (source, population) by their places."
        ));
    }
    for (&(source, population), demands) in &demands {
        let table = &evidence.candidates[population];
        let found = recompute(report, table, source, &view.knowledge, &view.linked, demands);
        let place =
            format!("Audience {who}, source {} among {:?}:", source + 1, report.populations[population].id);
        let broken = broken(&found, demands);
        if broken.is_empty() {
            against.sets_held += 1;
        } else if claim.released.is_none() && past_saving(report, table, source, &view, demands) {
            against.broken_before += 1;
        } else {
            against.protections.extend(broken.iter().map(|what| format!("{place} {what}")));
        }
        let of_set = |set: &&SetClaim| (set.source, set.population) == (ordinal(source), ordinal(population));
        for set in claim.sets.iter().filter(of_set) {
            compare(&place, set, &found, demands, against);
            if claim.released.is_some() {
                selection_aware(report, certificate.mode, &place, set, demands, against);
            }
        }
    }
}

/// The protected sets of an audience and what must hold of each.
pub(super) fn demands(report: &Report, audience: usize) -> BTreeMap<(usize, usize), Demands> {
    let mut all = BTreeMap::<(usize, usize), Demands>::new();
    for (source, of) in report.sources.iter().enumerate() {
        for &population in &of.populations {
            for protection in &report.protections {
                let covers = protection.population == population
                    && protection.sources.contains(&source)
                    && protection.audiences.contains(&audience);
                if !covers {
                    continue;
                }
                let demands = all.entry((source, population)).or_default();
                demands.k = demands.k.max(protection.k);
                demands.robust = demands.robust.max(protection.robust);
                if let Some(ppm) = protection.share_ppm {
                    demands.share_ppm = Some(demands.share_ppm.unwrap_or(u32::MAX).min(ppm));
                }
                for rule in &protection.diversity {
                    let least = demands.diversity.entry(rule.column.0.clone()).or_insert(rule.at_least);
                    *least = rule.at_least.max(*least);
                }
            }
        }
    }
    all
}

/// Goes through all classes and keeps those consistent with what is known.
fn recompute(
    report: &Report,
    table: &Candidates,
    source: usize,
    knowledge: &[u8],
    linked: &[usize],
    demands: &Demands,
) -> Found {
    let mut facts = Vec::new();
    for told in &report.told {
        if let ToldWhat::Linked { sources, .. } = &told.what {
            facts.push(sources.contains(&source));
        }
    }
    let tells = |detail: usize| knowledge[detail] > 0 && report.details[detail].sources.contains(&source);
    let certain = table.possible.is_empty()
        && !table.odds.iter().any(|odds| tells(odds.detail) && knowledge[odds.detail] == odds.level);
    let possible = if table.possible.is_empty() { &table.sure } else { &table.possible };
    let mut candidates = 0_u128;
    let mut weights: Vec<(u128, u128)> = Vec::new();
    let mut masses: Vec<(f64, u64)> = Vec::new();
    let mut sizes: BTreeMap<&str, BTreeMap<u32, u128>> = BTreeMap::new();
    for class in 0..table.count.len() {
        if linked.iter().any(|&fact| facts[fact] && !table.linked[fact][class]) {
            continue;
        }
        let knows = |levels: &[Vec<u8>]| {
            (0..knowledge.len()).all(|detail| !tells(detail) || levels[detail][class] >= knowledge[detail])
        };
        if knows(&table.sure) {
            candidates += u128::from(table.count[class]);
            for groups in &table.groups {
                if demands.diversity.contains_key(&groups.column) && groups.of[class] != u32::MAX {
                    let values = sizes.entry(&groups.column).or_default();
                    *values.entry(groups.of[class]).or_default() += u128::from(table.count[class]);
                }
            }
        }
        if knows(possible) {
            if certain {
                weights.push((u128::from(table.weight[class]), u128::from(table.count[class])));
            } else {
                masses.push((mass(table, class, knowledge, &tells), table.count[class]));
            }
        }
    }
    let values = demands.diversity.keys().map(|column| {
        let exists = table.groups.iter().any(|groups| groups.column == *column);
        let sizes = sizes.remove(column.as_str()).unwrap_or_default();
        (column.clone(), exists.then(|| survivors(sizes.into_values().collect(), demands.robust)))
    });
    Found {
        candidates,
        values: values.collect(),
        share: if certain {
            exact_share(weights, demands.robust)
                .map_or(Share::Unknown, |(part, whole)| Share::Exact(part, whole))
        } else {
            Share::Rounded(rounded_share(masses, demands.robust))
        },
    }
}

/// Posterior mass of one candidate of a class: prior weight times the probability of each known level.
#[expect(clippy::cast_precision_loss, reason = "weights are far below 2^53")]
fn mass(table: &Candidates, class: usize, knowledge: &[u8], tells: &impl Fn(usize) -> bool) -> f64 {
    let mut mass = table.weight[class] as f64;
    for odds in &table.odds {
        if tells(odds.detail) && knowledge[odds.detail] == odds.level {
            mass *= f64::from(odds.permille[class]) / 1000.0;
        }
    }
    mass
}

/// The heaviest candidate's part of what is left when the `robust` next heaviest are excluded; the whole where
/// there is nobody. `None` when the numbers are too large.
pub(super) fn exact_share(mut weights: Vec<(u128, u128)>, robust: u64) -> Option<(u128, u128)> {
    weights.retain(|&(weight, count)| weight > 0 && count > 0);
    weights.sort_unstable_by(|one, other| other.cmp(one));
    let Some(first) = weights.first_mut() else { return Some((1, 1)) };
    let top = first.0;
    first.1 -= 1;
    let mut whole = top;
    let mut excluded = u128::from(robust);
    for (weight, count) in weights {
        let gone = count.min(excluded);
        excluded -= gone;
        whole = whole.checked_add(weight.checked_mul(count - gone)?)?;
    }
    Some((top, whole))
}

/// The same in floating point, adding up the rest with its rounding errors carried along (Neumaier 1974).
fn rounded_share(mut masses: Vec<(f64, u64)>, robust: u64) -> f64 {
    masses.retain(|&(mass, count)| mass > 0.0 && count > 0);
    masses.sort_unstable_by(|one, other| other.0.total_cmp(&one.0));
    let Some(first) = masses.first_mut() else { return 1.0 };
    let top = first.0;
    first.1 -= 1;
    let (mut sum, mut lost) = (top, 0.0);
    let mut excluded = robust;
    for (mass, count) in masses {
        let gone = count.min(excluded);
        excluded -= gone;
        #[expect(clippy::cast_precision_loss, reason = "counts are at most 2^40")]
        let part = mass * (count - gone) as f64;
        let next: f64 = sum + part;
        lost += if sum.abs() >= part.abs() { (sum - next) + part } else { (part - next) + sum };
        sum = next;
    }
    top / (sum + lost)
}

/// Values left when a reader excludes `robust` candidates so as to remove as many values as possible: the rarest.
pub(super) fn survivors(mut sizes: Vec<u128>, robust: u64) -> usize {
    sizes.sort_unstable();
    let mut excluded = u128::from(robust);
    let mut left = sizes.len();
    for size in sizes {
        if size > excluded {
            break;
        }
        excluded -= size;
        left -= 1;
    }
    left
}

fn broken(found: &Found, demands: &Demands) -> Vec<String> {
    let mut broken = Vec::new();
    let needed = u128::from(demands.k) + u128::from(demands.robust);
    if found.candidates < needed {
        broken.push(format!("{} candidates are left, {needed} are needed.", found.candidates));
    }
    if let Some(ppm) = demands.share_ppm
        && !found.share.within(ppm)
    {
        broken.push(format!("one candidate's share is above {ppm} millionths."));
    }
    for (column, least) in &demands.diversity {
        match found.values[column] {
            Some(values) if values >= *least as usize => {}
            Some(values) => {
                broken.push(format!("{column} has {values} different values left, {least} are needed."));
            }
            None => broken.push(format!("the table has no column {column}.")),
        }
    }
    broken
}

/// Whether what was told before has broken the set already, and nothing that narrows it is added now.
fn past_saving(report: &Report, table: &Candidates, source: usize, view: &View, demands: &Demands) -> bool {
    let before = recompute(report, table, source, &view.before, &view.linked, demands);
    let narrows = |detail: usize| report.details[detail].sources.contains(&source);
    let mut added = (0..view.before.len()).filter(|&detail| view.knowledge[detail] > view.before[detail]);
    !broken(&before, demands).is_empty() && !added.any(narrows)
}

/// Holds the claimed rules and numbers against the demands and what was found.
fn compare(place: &str, set: &SetClaim, found: &Found, demands: &Demands, against: &mut Against) {
    let claimed: Vec<(&str, u32)> =
        set.diversity.iter().map(|claim| (claim.column.as_str(), claim.at_least)).collect();
    let demanded: Vec<(&str, u32)> =
        demands.diversity.iter().map(|(column, &least)| (column.as_str(), least)).collect();
    if (set.k, set.robust, set.share_ppm) != (demands.k, demands.robust, demands.share_ppm)
        || claimed != demanded
    {
        against.rules.push(format!("{place} the rules applied are not the report's."));
    }
    if u128::from(set.candidates) != found.candidates {
        against
            .counts
            .push(format!("{place} there are {} candidates, not {}.", found.candidates, set.candidates));
    }
    match found.share.ppb() {
        Some((down, up)) if (down..=up).contains(&set.largest_share_ppb) => {}
        Some((down, _)) => against.shares.push(format!(
            "{place} the largest share is {down} thousand-millionths, not {}.",
            set.largest_share_ppb
        )),
        None => against.shares.push(format!("{place} counts or weights are too large to compute shares.")),
    }
    for claim in &set.diversity {
        let values = found.values.get(&claim.column).copied().flatten();
        if values != Some(claim.values as usize) {
            let values = values.map_or("no count".into(), |values| values.to_string());
            against.diversity.push(format!("{place} {} has {values}, not {}.", claim.column, claim.values));
        }
    }
}

/// What can be said of a selection-aware count without simulating the planner.
fn selection_aware(
    report: &Report,
    mode: Mode,
    place: &str,
    set: &SetClaim,
    demands: &Demands,
    against: &mut Against,
) {
    let needed = demands.k.saturating_add(demands.robust);
    let constant =
        report.details.iter().flat_map(|detail| &detail.knowledge).flatten().all(same_for_any_value);
    match (mode, set.selection_aware) {
        (Mode::Nominal, Some(count)) if constant && count != set.candidates => {
            against.selection.push(format!(
                "{place} no predicate depends on a value, so {} are left for everybody, not {count}.",
                set.candidates
            ));
        }
        (_, Some(count)) if count > set.candidates => against.selection.push(format!(
            "{place} who knows how the plan was chosen cannot be left with more candidates ({count}) than who \
             does not ({}).",
            set.candidates
        )),
        (Mode::Audited | Mode::SelectionSafe, Some(count)) if count < needed => {
            against.selection.push(format!("{place} {count} are left by selection, {needed} are needed."));
        }
        (Mode::Audited | Mode::SelectionSafe, None) => {
            against.selection.push(format!("{place} the mode demands a selection-aware count."));
        }
        _ => {}
    }
}
