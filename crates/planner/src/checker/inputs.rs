//! Whether the certificate, the report, the tables and the policies belong together.

use super::Evidence;
use crate::certificate::{Certificate, VERSION, digest};
use crate::plan::Mode;
use tearline_model::candidates::Candidates;
use tearline_model::report::{Knowledge, Report, ToldWhat};
use tearline_model::worlds::{WorldDetail, Worlds};

/// Lengths of vectors, and places that exist.
pub(super) fn form(report: &Report, certificate: &Certificate) -> Vec<String> {
    let mut against = Vec::new();
    if certificate.version != VERSION {
        against.push(format!("It is of version {}; this program knows {VERSION}.", certificate.version));
    }
    if certificate.tables.len() != report.populations.len() {
        against.push(format!(
            "It has digests of {} tables; the report has {} populations.",
            certificate.tables.len(),
            report.populations.len()
        ));
    }
    let details = report.details.len();
    for (place, claim) in certificate.audiences.iter().enumerate() {
        let lengths = claim.released.iter().chain([&claim.knowledge]).map(Vec::len);
        if lengths.into_iter().any(|length| length != details) {
            against.push(format!("Entry {} of its audiences has not {details} details.", place + 1));
        }
        if claim.audience == 0 || claim.audience as usize > report.audiences.len() {
            against.push(format!("Entry {} of its audiences is none of the report's.", place + 1));
        }
    }
    against
}

/// Lengths of the vectors in the tables, so that nothing below can miss a class.
pub(super) fn tables(evidence: &Evidence<'_>) -> Vec<String> {
    let report = evidence.report;
    if evidence.candidates.len() != report.populations.len() {
        return vec![format!(
            "There are {} tables; the report has {} populations.",
            evidence.candidates.len(),
            report.populations.len()
        )];
    }
    let mut against = Vec::new();
    for (population, candidates) in evidence.candidates.iter().enumerate() {
        if let Some(what) = wrong_shape(report, population, candidates) {
            against.push(format!("Population {}: {what}.", population + 1));
        }
    }
    if let Some(worlds) = evidence.worlds {
        if worlds.len() != report.populations.len() {
            against.push(format!("There are worlds of {} populations.", worlds.len()));
        }
        for (population, worlds) in worlds.iter().enumerate() {
            if !right_shape(report, worlds) {
                against.push(format!("The worlds of population {} have missing parts.", population + 1));
            }
        }
    }
    against
}

/// Whether the vectors of worlds have the lengths that they must have.
fn right_shape(report: &Report, worlds: &Worlds) -> bool {
    let classes = worlds.count.len();
    worlds.details.len() == report.details.len()
        && worlds.weight.len() == classes
        && worlds.groups.iter().all(|groups| groups.of.len() == classes)
        && worlds.details.iter().all(|detail| match detail {
            WorldDetail::Fixed(levels) => levels.len() == classes,
            WorldDetail::Valued { codes, values, .. } => {
                let known = |codes: &Vec<u32>, texts: &Vec<String>| {
                    codes.iter().all(|&code| code == u32::MAX || (code as usize) < texts.len())
                };
                codes.len() == values.len()
                    && codes
                        .iter()
                        .zip(values)
                        .all(|(codes, texts)| codes.len() == classes && known(codes, texts))
            }
            WorldDetail::Many { ancestors, values, known, .. } => {
                let path = |of: &Vec<u32>| {
                    of.len() == values.len()
                        && of.iter().zip(values).all(|(&code, texts)| (code as usize) < texts.len())
                };
                let words = ancestors.len().div_ceil(64);
                ancestors.iter().all(path)
                    && known.len() == classes
                    && known.iter().all(|bits| bits.len() >= words)
            }
        })
}

fn wrong_shape(report: &Report, population: usize, candidates: &Candidates) -> Option<&'static str> {
    let classes = candidates.count.len();
    if candidates.weight.len() != classes || candidates.groups.iter().any(|groups| groups.of.len() != classes)
    {
        return Some("weights or groups are missing for some classes");
    }
    let details = report.details.len();
    let uncertain = !candidates.possible.is_empty();
    if candidates.sure.len() != details || uncertain && candidates.possible.len() != details {
        return Some("the details are not the report's");
    }
    for (detail, of) in report.details.iter().enumerate() {
        // A detail of which no source hides here may have no levels here.
        let may_be_absent = of.knowledge[population].is_none();
        let all = |levels: &[u8]| levels.len() == classes || levels.is_empty() && may_be_absent;
        if !all(&candidates.sure[detail]) || uncertain && !all(&candidates.possible[detail]) {
            return Some("levels are missing for some classes");
        }
        let mut pairs =
            candidates.sure[detail].iter().zip(candidates.possible.get(detail).into_iter().flatten());
        if pairs.any(|(sure, possible)| sure > possible) {
            return Some("a class surely knows what it cannot possibly know");
        }
    }
    let fits = |odds: &tearline_model::candidates::Odds| {
        odds.detail < details && odds.permille.len() == classes && odds.permille.iter().all(|&p| p <= 1000)
    };
    if !candidates.odds.iter().all(fits) {
        return Some("probabilities are missing or above 1");
    }
    let mut facts = 0;
    for told in &report.told {
        if let ToldWhat::Linked { known_to, .. } = &told.what {
            let known = candidates.linked.get(facts).map_or(0, Vec::len);
            if known != classes && !(known == 0 && known_to[population].is_none()) {
                return Some("linked facts are missing for some classes");
            }
            facts += 1;
        }
    }
    (candidates.linked.len() > facts).then_some("there are more linked facts than the report tells of")
}

pub(super) fn report_digest(evidence: &Evidence<'_>, certificate: &Certificate) -> Vec<String> {
    if certificate.report_sha256 == digest::bytes(evidence.report_file) {
        return Vec::new();
    }
    vec!["It was made for another report file, or the file has changed: plan again.".into()]
}

pub(super) fn table_digests(evidence: &Evidence<'_>, certificate: &Certificate) -> Vec<String> {
    let mut against = Vec::new();
    for (population, (claimed, candidates)) in certificate.tables.iter().zip(evidence.candidates).enumerate()
    {
        let name = &evidence.report.populations[population].id;
        if claimed.candidates_sha256 != digest::candidates(candidates) {
            against.push(format!("Population {name:?} has changed since it was planned on: plan again."));
        }
        match (&claimed.worlds_sha256, evidence.worlds) {
            (Some(claimed), Some(worlds)) if *claimed != digest::worlds(&worlds[population]) => {
                against.push(format!("The worlds of population {name:?} have changed: plan again."));
            }
            (Some(_), None) => {
                against.push(format!("The worlds of population {name:?} are needed and not given."));
            }
            (None, _) if certificate.mode == Mode::SelectionSafe => {
                against.push(format!(
                    "The mode is selection-safe, and the worlds of population {name:?} have no digest."
                ));
            }
            _ => {}
        }
    }
    against
}

/// What is against the mode, and what to say when nothing is. A mode stronger than demanded is fine.
pub(super) fn mode(report: &Report, mode: Mode) -> (Vec<String>, &'static str) {
    let mut kinds = report.details.iter().flat_map(|detail| &detail.knowledge).flatten();
    let constant = kinds.all(same_for_any_value);
    let (least, good) = match report.mode {
        Some(insists) => {
            (Mode::from(insists), "The mode is at least as strong as the one that the report insists on.")
        }
        None if constant => {
            (Mode::Nominal, "No predicate depends on a hidden value, so every mode suits this report.")
        }
        None => (Mode::SelectionSafe, "Predicates depend on hidden values, and the mode is selection-safe."),
    };
    if mode >= least {
        return (Vec::new(), good);
    }
    let why = if report.mode.is_some() {
        "The report insists on a stronger mode."
    } else {
        "Predicates depend on hidden values and the report does not insist on another mode, so the mode must be \
         selection-safe."
    };
    (vec![why.into()], good)
}

/// Whether the same candidates know a detail whatever its value: so declared, or known to all at every level.
pub(super) fn same_for_any_value(knowledge: &Knowledge) -> bool {
    match knowledge {
        Knowledge::Fixed(_) => true,
        Knowledge::Opaque { predicates, .. } => predicates.iter().all(|predicate| {
            let predicate = predicate.0.trim();
            predicate.eq_ignore_ascii_case("true") || predicate == "1"
        }),
        Knowledge::Column(_) | Knowledge::Domain { .. } => false,
    }
}
