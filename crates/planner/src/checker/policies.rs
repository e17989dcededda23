//! Whether the policies named give what the certificate says.

use super::releases::name;
use super::{Evidence, Name, Verdict};
use crate::certificate::{AudienceClaim, Certificate, digest};
use crate::plan::Mode;

/// What a policy does, found by walking every world through its serialised form.
struct Walked {
    /// The levels of the report's output.
    levels: Vec<u8>,
    /// Per protected set of the audience, in the order of the certificate: the candidates, over all worlds, whose
    /// output is the report's.
    left: Vec<u64>,
}

/// Policies are demanded in the selection-safe mode and nowhere else.
pub(super) fn check(evidence: &Evidence<'_>, certificate: &Certificate, verdict: &mut Verdict) {
    let mut against = Vec::new();
    for claim in &certificate.audiences {
        let who = format!("Audience {}:", name(evidence.report, claim));
        match (&claim.policy, certificate.mode) {
            (None, Mode::SelectionSafe) if claim.released.is_some() => {
                against.push(format!("{who} the mode is selection-safe, and no policy is named."));
            }
            (Some(_), Mode::Nominal | Mode::Audited) => {
                against.push(format!("{who} a policy is named, and the mode uses none."));
            }
            (Some(policy), Mode::SelectionSafe) => {
                let given = evidence.policies.iter().find(|bytes| digest::bytes(bytes) == policy.sha256);
                match given.map(|bytes| walk(bytes, evidence, claim)) {
                    None => against.push(format!("{who} the policy named is not among those given.")),
                    Some(Err(why)) => against.push(format!("{who} {why}")),
                    Some(Ok(walked)) => {
                        against.extend(compare(&walked, claim).map(|what| format!("{who} {what}")));
                    }
                }
            }
            (None, _) => {}
        }
    }
    verdict.enter(
        Name::Policy,
        &against,
        "Policies are named and give these levels, where the mode uses them.",
    );
}

fn compare(walked: &Walked, claim: &AudienceClaim) -> impl Iterator<Item = &'static str> {
    let levels = claim.released.as_ref() != Some(&walked.levels);
    let left = !claim.sets.iter().map(|set| set.selection_aware).eq(walked.left.iter().map(|&n| Some(n)));
    [
        levels.then_some("the policy gives other levels."),
        left.then_some("the policy leaves other numbers of candidates."),
    ]
    .into_iter()
    .flatten()
}

/// Walks every world of the sets' populations through a policy. Until this version knows the form of policy files
/// it refuses them all: a policy that nobody has verified must not pass.
fn walk(_policy: &[u8], _evidence: &Evidence<'_>, _claim: &AudienceClaim) -> Result<Walked, &'static str> {
    Err("this version cannot verify policies yet, so nothing chosen by one passes.")
}
