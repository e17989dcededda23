//! Levels, ledgers, who knows what through whom, and what it is worth.

use super::{Name, Verdict};
use crate::certificate::{AudienceClaim, Certificate};
use std::collections::BTreeSet;
use tearline_model::report::{Report, ToldWhat};

/// What follows from the releases and the report, worked out anew.
pub(super) struct View {
    /// Audiences whose knowledge counts.
    pub(super) members: BTreeSet<usize>,
    /// Levels known.
    pub(super) knowledge: Vec<u8>,
    /// Levels known if nothing at all were released now.
    pub(super) before: Vec<u8>,
    /// Linked facts known, by place among the report's linked facts.
    pub(super) linked: Vec<usize>,
}

pub(super) fn check(report: &Report, certificate: &Certificate, verdict: &mut Verdict) {
    let claims = &certificate.audiences;
    verdict.enter(
        Name::Audiences,
        &complete(report, claims),
        format!("All {} audiences stand there.", report.audiences.len()),
    );
    verdict.enter(
        Name::Levels,
        &each(report, claims, |claim, out| levels(report, claim, out)),
        "Every released level is one of the report's.",
    );
    let (against, good) = truthfulness(report);
    verdict.enter(Name::Truthfulness, &against, good);
    verdict.enter(
        Name::Ledger,
        &each(report, claims, |claim, out| ledger(report, claim, out)),
        "Nothing that was told before is unsaid.",
    );
    verdict.enter(
        Name::Sees,
        &each(report, claims, |claim, out| sees(report, claims, claim, out)),
        "Every release extends those that its audience sees.",
    );
    let mut coalition = Vec::new();
    let mut knowledge = Vec::new();
    let mut linked = Vec::new();
    for claim in claims {
        let name = name(report, claim);
        let view = view(report, claims, index(claim));
        let members: Vec<u32> = view.members.iter().map(|&member| ordinal(member)).collect();
        if claim.coalition != members {
            coalition.push(format!("Audience {name}: what counts is what audiences {members:?} know."));
        }
        for (detail, (claimed, real)) in claim.knowledge.iter().zip(&view.knowledge).enumerate() {
            if claimed != real {
                let detail = &report.details[detail].id;
                knowledge
                    .push(format!("Audience {name}: {detail:?} is known to level {real}, not {claimed}."));
            }
        }
        let facts: Vec<u32> = view.linked.iter().map(|&fact| ordinal(fact)).collect();
        if claim.linked != facts {
            linked.push(format!("Audience {name}: the linked facts known are {facts:?}."));
        }
    }
    verdict.enter(Name::Coalition, &coalition, "All who see or pool are counted in.");
    verdict.enter(
        Name::Knowledge,
        &knowledge,
        "The levels known follow from releases, ledgers, sight and pooling.",
    );
    verdict.enter(Name::Linked, &linked, "The linked facts known follow from ledgers, sight and pooling.");
    verdict.enter(
        Name::Minimum,
        &each(report, claims, |claim, out| minimum(report, claim, out)),
        "Every release reaches a usable minimum of its audience.",
    );
    verdict.enter(
        Name::Utility,
        &each(report, claims, |claim, out| utility(report, claim, out)),
        "Utilities add up. (That the bound is one is not verified.)",
    );
}

/// What counts as known to an audience. Claims of audiences that occur twice all count.
pub(super) fn view(report: &Report, claims: &[AudienceClaim], audience: usize) -> View {
    let mut members = BTreeSet::from([audience]);
    members.extend(&report.audiences[audience].colludes_with);
    // Whatever a member sees counts, and what those see, until nothing is added.
    loop {
        let seen: Vec<usize> =
            members.iter().flat_map(|&member| report.audiences[member].sees.iter().copied()).collect();
        let before = members.len();
        members.extend(seen);
        if members.len() == before {
            break;
        }
    }
    let mut before = vec![0; report.details.len()];
    let mut linked = Vec::new();
    let mut fact = 0;
    for told in &report.told {
        match &told.what {
            ToldWhat::Level { detail, level } => {
                if members.contains(&told.audience) && before[*detail] < *level {
                    before[*detail] = *level;
                }
            }
            ToldWhat::Linked { .. } => {
                if members.contains(&told.audience) {
                    linked.push(fact);
                }
                fact += 1;
            }
        }
    }
    let mut knowledge = before.clone();
    for claim in claims.iter().filter(|claim| members.contains(&index(claim))) {
        for (detail, &level) in claim.released.iter().flatten().enumerate() {
            if knowledge[detail] < level {
                knowledge[detail] = level;
            }
        }
    }
    View { members, knowledge, before, linked }
}

/// The audience's name in the report, for messages.
pub(super) fn name<'a>(report: &'a Report, claim: &AudienceClaim) -> &'a str {
    &report.audiences[index(claim)].id
}

pub(super) fn index(claim: &AudienceClaim) -> usize {
    claim.audience as usize - 1
}

pub(super) fn ordinal(index: usize) -> u32 {
    u32::try_from(index + 1).unwrap_or(u32::MAX)
}

/// Collects what a check has against the audiences, with the audience's name before it.
fn each(
    report: &Report,
    claims: &[AudienceClaim],
    check: impl Fn(&AudienceClaim, &mut Vec<String>),
) -> Vec<String> {
    let mut all = Vec::new();
    for claim in claims {
        let mut against = Vec::new();
        check(claim, &mut against);
        all.extend(against.iter().map(|what| format!("Audience {}: {what}", name(report, claim))));
    }
    all
}

fn complete(report: &Report, claims: &[AudienceClaim]) -> Vec<String> {
    if claims.iter().map(index).eq(0..report.audiences.len()) {
        return Vec::new();
    }
    vec![format!(
        "The {} audiences of the report must stand there in their order, each once.",
        report.audiences.len()
    )]
}

fn levels(report: &Report, claim: &AudienceClaim, against: &mut Vec<String>) {
    for (detail, &level) in claim.released.iter().flatten().enumerate() {
        let detail = &report.details[detail];
        if usize::from(level) > detail.levels.len() {
            against.push(format!(
                "level {level} of {:?} does not exist; there are {}.",
                detail.id,
                detail.levels.len()
            ));
        }
    }
}

/// Every level of every detail, released or not: what is not released today may be tomorrow.
fn truthfulness(report: &Report) -> (Vec<String>, String) {
    let mut against = Vec::new();
    let mut untold = 0;
    for detail in &report.details {
        for (coarse, pair) in detail.levels.windows(2).enumerate() {
            match pair[0].value.contains(&pair[1].value) {
                Some(true) => {}
                None => untold += 1,
                Some(false) => against.push(format!(
                    "{:?}: level {} does not contain level {}.",
                    detail.id,
                    coarse + 1,
                    coarse + 2
                )),
            }
        }
    }
    let good = match untold {
        0 => "Every level contains the next.".into(),
        n => format!(
            "Every level contains the next where the types can tell; for {n} pairs of text levels they cannot."
        ),
    };
    (against, good)
}

/// Levels that an audience was told before, itself.
fn told(report: &Report, audience: usize) -> impl Iterator<Item = (usize, u8)> {
    report.told.iter().filter(move |told| told.audience == audience).filter_map(|told| match told.what {
        ToldWhat::Level { detail, level } => Some((detail, level)),
        ToldWhat::Linked { .. } => None,
    })
}

fn ledger(report: &Report, claim: &AudienceClaim, against: &mut Vec<String>) {
    let Some(released) = &claim.released else { return };
    for (detail, level) in told(report, index(claim)) {
        if released[detail] < level {
            against.push(format!(
                "it was told {:?} to level {level}, and is to get level {}.",
                report.details[detail].id, released[detail]
            ));
        }
    }
}

fn sees(report: &Report, claims: &[AudienceClaim], claim: &AudienceClaim, against: &mut Vec<String>) {
    let Some(released) = &claim.released else { return };
    for &seen in &report.audiences[index(claim)].sees {
        let mut least = vec![0; released.len()];
        for (detail, level) in told(report, seen) {
            least[detail] = level;
        }
        for other in claims.iter().filter(|other| index(other) == seen) {
            if let Some(levels) = &other.released {
                least.clone_from(levels);
            }
        }
        for (detail, (&level, &least)) in released.iter().zip(&least).enumerate() {
            if level < least {
                against.push(format!(
                    "it sees {:?} to level {least} through audience {:?}, and is to get level {level}.",
                    report.details[detail].id, report.audiences[seen].id
                ));
            }
        }
    }
}

fn minimum(report: &Report, claim: &AudienceClaim, against: &mut Vec<String>) {
    let Some(released) = &claim.released else { return };
    let alternatives = &report.audiences[index(claim)].minimum;
    let reached =
        alternatives.iter().any(|least| least.iter().all(|&(detail, level)| released[detail] >= level));
    if !alternatives.is_empty() && !reached {
        against.push("none of the alternatives that make a release usable is reached.".into());
    }
}

fn utility(report: &Report, claim: &AudienceClaim, against: &mut Vec<String>) {
    let importance = &report.audiences[index(claim)].importance_permille;
    let mut sum: u128 = 0;
    for (detail, &level) in claim.released.iter().flatten().enumerate() {
        let Some(place) = usize::from(level).checked_sub(1) else { continue };
        // A level that does not exist is the business of another check.
        let Some(of) = report.details[detail].levels.get(place) else { continue };
        sum += u128::from(of.utility.0) * u128::from(importance[detail]) / 1000;
    }
    if sum != u128::from(claim.utility) {
        against.push(format!("the utility is {sum} thousandths, not {}.", claim.utility));
    }
    if claim.released.is_some()
        && (claim.bound < claim.utility || claim.optimal && claim.bound > claim.utility)
    {
        against.push(format!(
            "a utility of {} and a bound of {} cannot both be, {}proven optimal.",
            claim.utility,
            claim.bound,
            if claim.optimal { "" } else { "not " }
        ));
    }
}
