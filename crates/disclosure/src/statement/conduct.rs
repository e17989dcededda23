//! How the originator did its duty: determinations under ICD 191, their approval, exceptions, and overrides of the
//! check of free text. All private; the log holds commitments.

use crate::bytes::{Digest, Salt};
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// Of what harm there is a threat: ICD 191 (2015), D.1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Threat {
    /// Intentional killing.
    Killing,
    /// Serious bodily injury.
    SeriousInjury,
    /// Kidnapping.
    Kidnapping,
    /// None of these.
    Other,
}

/// What is to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Decision {
    /// There is a duty to warn, and it will be done.
    Warn,
    /// There is a duty to warn, and it is waived.
    Waive,
    /// There is no duty to warn: the information does not meet the threshold.
    NoDuty,
}

/// The closed list of reasons for which the duty to warn can be waived: ICD 191 (2015), E.2.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum WaiverReason {
    /// The intended victim, or those responsible for its protection, are already aware of the specific threat.
    AlreadyAware,
    /// The intended victim is at risk only as a result of taking part in an insurgency, insurrection or other armed
    /// conflict.
    ArmedConflict,
    /// There is a reasonable basis for believing that the intended victim is a terrorist, a direct supporter of
    /// terrorists, an assassin, a drug trafficker, or involved in violent crimes.
    ViolentActor,
    /// Any attempt to warn would unduly endanger personnel, sources, methods, or operations.
    EndangersOwn,
    /// The information came from a foreign government with which there are formal agreements or liaison, and any
    /// attempt to warn would unduly endanger its personnel, sources, methods, or operations.
    EndangersLiaison,
    /// There is no reasonable way to warn.
    NoReasonableWay,
}

/// A duty-to-warn determination, as drafted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Determination {
    /// Version of statements.
    pub v: u32,
    /// Name of who drafted it.
    pub iss: String,
    /// When it was signed, in seconds since 1970.
    pub iat: u64,
    /// A random number of its own.
    pub jti: Salt,
    /// The originator's reference for the report.
    pub report: String,
    /// SHA-256 of the report file.
    pub report_sha256: Digest,
    /// What is threatened.
    pub threat: Threat,
    /// Whether the information is credible.
    pub credible: bool,
    /// Whether it is specific.
    pub specific: bool,
    /// Whether the threat is impending.
    pub impending: bool,
    /// What is to be done.
    pub decision: Decision,
    /// Why the duty is waived; present exactly when it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waiver: Option<WaiverReason>,
    /// On what this rests.
    pub basis: String,
}

/// Why a determination cannot be as it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum Inconsistent {
    /// The threshold is met, and the decision says there is no duty.
    #[error(
        "the threshold of ICD 191 is met (killing, serious injury or kidnapping; credible, specific, impending), so \
         there is a duty: decide to warn, or to waive with a reason"
    )]
    Duty,
    /// The threshold is not met, and the decision waives a duty.
    #[error(
        "the threshold of ICD 191 is not met, so there is no duty to waive: decide no-duty, or to warn anyway"
    )]
    NoDuty,
    /// A waiver without a reason from the list, or a reason without a waiver.
    #[error("a waiver needs one reason from the closed list, and nothing else has one")]
    Reason,
    /// Nothing says on what it rests.
    #[error("a determination says on what it rests, in at least a few words")]
    Basis,
}

impl Determination {
    /// Whether the information meets the threshold of ICD 191, D.1: credible and specific, of an impending threat of
    /// intentional killing, serious bodily injury or kidnapping.
    pub fn duty(&self) -> bool {
        self.threat != Threat::Other && self.credible && self.specific && self.impending
    }

    /// Whether findings, decision and reason fit together.
    ///
    /// # Errors
    /// The first thing that does not.
    pub fn check(&self) -> Result<(), Inconsistent> {
        if self.waiver.is_some() != (self.decision == Decision::Waive) {
            return Err(Inconsistent::Reason);
        }
        if self.basis.trim().len() < 10 {
            return Err(Inconsistent::Basis);
        }
        match (self.duty(), self.decision) {
            (true, Decision::NoDuty) => Err(Inconsistent::Duty),
            (false, Decision::Waive) => Err(Inconsistent::NoDuty),
            _ => Ok(()),
        }
    }
}

/// A second person's approval of a determination.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Approval {
    /// Version of statements.
    pub v: u32,
    /// Name of who approves.
    pub iss: String,
    /// When it was signed, in seconds since 1970.
    pub iat: u64,
    /// A random number of its own.
    pub jti: Salt,
    /// Digest of the determination's statement.
    pub determination: Digest,
}

/// A recorded exception from the No Double Standard rule (7 FAM 052): one's own people are told what the public is
/// not.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Exception {
    /// Version of statements.
    pub v: u32,
    /// Name of the senior who grants it.
    pub iss: String,
    /// When it was signed, in seconds since 1970.
    pub iat: u64,
    /// A random number of its own.
    pub jti: Salt,
    /// The originator's reference for the report.
    pub report: String,
    /// The audience that is told more than the public.
    pub audience: String,
    /// Why.
    pub reason: String,
}

/// The record that free text was released although the check had flagged it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Override {
    /// Version of statements.
    pub v: u32,
    /// Name of who overrode it.
    pub iss: String,
    /// When it was signed, in seconds since 1970.
    pub iat: u64,
    /// A random number of its own.
    pub jti: Salt,
    /// The originator's reference for the report.
    pub report: String,
    /// To whom the text goes.
    pub audience: String,
    /// What was flagged.
    pub flags: Vec<OverriddenFlag>,
    /// Why it is released all the same.
    pub reason: String,
}

/// One flagged place in a free text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OverriddenFlag {
    /// Language of the text.
    pub lang: String,
    /// `headline`, `description`, `instruction` or `contact`.
    pub field: String,
    /// Where it begins, in characters from 0.
    pub at: usize,
    /// The words.
    pub matched: String,
    /// The detail that they seem to give away.
    pub detail: String,
    /// The level.
    pub level: u8,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bytes::Bytes;

    fn determination() -> Determination {
        Determination {
            v: 1,
            iss: "analyst".into(),
            iat: 0,
            jti: Bytes([0; 16]),
            report: "r".into(),
            report_sha256: Digest::of(b""),
            threat: Threat::Killing,
            credible: true,
            specific: true,
            impending: true,
            decision: Decision::Warn,
            waiver: None,
            basis: "two independent sources".into(),
        }
    }

    #[test]
    fn a_duty_is_met_or_waived_for_a_listed_reason_and_never_denied() {
        assert_eq!(determination().check(), Ok(()));
        let denied = Determination { decision: Decision::NoDuty, ..determination() };
        assert_eq!(denied.check(), Err(Inconsistent::Duty));
        let waived = Determination { decision: Decision::Waive, ..determination() };
        assert_eq!(waived.check(), Err(Inconsistent::Reason));
        let waived = Determination { waiver: Some(WaiverReason::AlreadyAware), ..waived };
        assert_eq!(waived.check(), Ok(()));
        let vague = Determination { specific: false, ..waived };
        assert_eq!(vague.check(), Err(Inconsistent::NoDuty));
        let none = Determination { decision: Decision::NoDuty, waiver: None, ..vague };
        assert_eq!(none.check(), Ok(()));
        assert_eq!(Determination { basis: " ".into(), ..none }.check(), Err(Inconsistent::Basis));
    }
}
