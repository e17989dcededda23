//! Verification of evidence bundles.

use super::answer::{AnswerView, answer};
use super::release::{ReleaseView, in_case};
use super::ring::{Place, Ring};
use super::together::{Relation, relations};
use super::{Checks, Trust};
use crate::entry::Kind;
use crate::files::{CaseFile, DeterminationFile};
use crate::identity::PublicKeys;
use crate::statement::{Acknowledged, Approval, Determination, Signed};

/// What an evidence bundle shows.
#[derive(Clone, Debug)]
pub struct CaseView {
    /// The releases, in the order of the bundle.
    pub releases: Vec<ReleaseView>,
    /// Whether each release still stands, as far as the bundle knows.
    pub standing: Vec<bool>,
    /// How they stand to each other.
    pub relations: Vec<Relation>,
    /// Receipts, each with the number of the release that it acknowledges.
    pub receipts: Vec<(AnswerView, Option<usize>)>,
    /// Findings, each with the number of the release that it answers.
    pub findings: Vec<(AnswerView, Option<usize>)>,
    /// Determinations with where they stand in the log.
    pub determinations: Vec<(Signed<Determination>, Signed<Approval>, Place)>,
    /// Checks of the bundle as a whole.
    pub checks: Checks,
}

impl CaseView {
    /// Whether no check of any part failed.
    pub fn none_failed(&self) -> bool {
        let answers = self.receipts.iter().chain(&self.findings).map(|(view, _)| &view.checks);
        self.releases
            .iter()
            .map(|view| &view.checks)
            .chain(answers)
            .chain([&self.checks])
            .all(Checks::none_failed)
    }
}

/// Verifies an evidence bundle.
pub fn case(file: &CaseFile, trust: &Trust) -> CaseView {
    let mut keys = Checks::default();
    let ring = Ring::of(&file.issuer, &file.keys, trust, &mut keys);
    // A witness within the bundle is not one that the reader knows; it is shown, and trusted only if handed over.
    let releases: Vec<ReleaseView> =
        file.releases.iter().map(|release| in_case(release, &ring, trust, keys.clone())).collect();
    let mut checks = Checks::default();
    if releases.is_empty() {
        checks.fails("content", "the bundle holds no release");
    }
    let views: Vec<&ReleaseView> = releases.iter().collect();
    let (relations, standing, among) = relations(&views, &vec![None; views.len()]);
    checks.0.extend(among.0);
    let answered = |digest| {
        releases
            .iter()
            .position(|view| view.statement.as_ref().is_some_and(|statement| statement.digest() == digest))
    };
    let mut receipts = Vec::new();
    for receipt in &file.receipts {
        let view = answer(receipt, Some(&ring), trust);
        let of = view.receipt.as_ref().and_then(|receipt| match receipt.content.of {
            Acknowledged::Release { release, .. } => answered(release),
            Acknowledged::Delivery { .. } => None,
        });
        receipts.push((view, of));
    }
    let mut findings = Vec::new();
    for finding in &file.findings {
        let view = answer(finding, Some(&ring), trust);
        let of = view.finding.as_ref().and_then(|finding| answered(finding.content.release));
        findings.push((view, of));
    }
    let mut determinations = Vec::new();
    for determination in &file.determinations {
        match determined(determination, &ring, trust) {
            Ok(found) => determinations.push(found),
            Err(why) => checks.fails("determination", why),
        }
    }
    CaseView { releases, standing, relations, receipts, findings, determinations, checks }
}

/// The payload of a determination's entry: both statements, one per line.
pub fn determination_payload(statement: &str, approval: &str) -> Vec<u8> {
    format!("{statement}\n{approval}").into_bytes()
}

fn determined(
    file: &DeterminationFile,
    ring: &Ring,
    trust: &Trust,
) -> Result<(Signed<Determination>, Signed<Approval>, Place), String> {
    let keys = |own: &PublicKeys| trust.of(&own.name).unwrap_or(own).signer();
    let (Some(approver), Some(approval), Some(logged)) = (&file.approver, &file.approval, &file.logged)
    else {
        return Err("a determination that was not approved and logged".into());
    };
    let drafted = Signed::<Determination>::verify(&file.statement, &keys(&file.drafter))
        .map_err(|why| format!("a determination: {why}"))?;
    let approved =
        Signed::<Approval>::verify(approval, &keys(approver)).map_err(|why| format!("an approval: {why}"))?;
    if approved.content.determination != drafted.digest() {
        return Err("an approval of another determination".into());
    }
    if file.drafter.name == approver.name || file.drafter.sign == approver.sign {
        return Err("a determination drafted and approved by the same person".into());
    }
    drafted.content.check().map_err(|why| why.to_string())?;
    let payload = determination_payload(&file.statement, approval);
    let place = ring.place(Kind::Determination, &payload, logged)?;
    Ok((drafted, approved, place))
}
