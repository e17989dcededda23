//! Verifies a certificate from the report and the tables alone.
//!
//! It shares no code with the search or with the rules that the search uses: it goes through every candidate, does
//! its own arithmetic, in whole numbers wherever knowledge is certain, and lists each check by name. What it means
//! is in `docs/formats/certificate.md`. It trusts the parser of the report file, and whoever read the tables.

mod inputs;
mod policies;
mod releases;
mod sets;

use crate::certificate::Certificate;
use crate::plan::Mode;
use serde::Serialize;
use std::fmt;
use tearline_model::candidates::Candidates;
use tearline_model::report::Report;
use tearline_model::worlds::Worlds;

/// What a certificate is checked against.
#[derive(Clone, Copy, Debug)]
pub struct Evidence<'a> {
    /// The bytes of the report file.
    pub report_file: &'a [u8],
    /// The report parsed from them.
    pub report: &'a Report,
    /// Candidates per population of the report.
    pub candidates: &'a [Candidates],
    /// Worlds per population; needed where the certificate has digests of them.
    pub worlds: Option<&'a [Worlds]>,
    /// The bytes of the policy files that the certificate may refer to, in any order.
    pub policies: &'a [&'a [u8]],
}

/// The checks, in the order in which they are listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Name {
    /// The certificate has the shape that this report demands.
    Form,
    /// The tables have the shape that this report demands.
    Tables,
    /// The report file is the one that was planned for.
    ReportDigest,
    /// The tables are those that were planned on.
    TableDigests,
    /// The mode suits the report.
    Mode,
    /// Every audience stands there once, in the order of the report.
    Audiences,
    /// Released levels exist.
    Levels,
    /// Every level contains the next, where the types can tell.
    Truthfulness,
    /// Nothing is unsaid that was told before.
    Ledger,
    /// A release extends the releases that its audience sees.
    Sees,
    /// The audiences whose knowledge counts are those that the report implies.
    Coalition,
    /// The levels known are those that follow from releases, ledgers and coalition.
    Knowledge,
    /// The linked facts known are those that follow from ledgers and coalition.
    Linked,
    /// The usable minimum is reached.
    Minimum,
    /// Utilities add up, and the claims about the bound do not contradict themselves.
    Utility,
    /// The protected sets are those that the report implies.
    Sets,
    /// The rules applied are the strictest of the protections.
    Rules,
    /// The sizes of the sets are as counted.
    Counts,
    /// The largest shares are as computed.
    Shares,
    /// The numbers of different values are as counted.
    Diversity,
    /// Every protection holds.
    Protections,
    /// The selection-aware counts suit the mode.
    SelectionAware,
    /// The policy gives these levels.
    Policy,
}

/// One check.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Check {
    /// Which.
    pub name: Name,
    /// Whether it passed.
    pub passed: bool,
    /// What was found, a sentence or several. Holds no row of a table and no name of a source.
    pub says: String,
}

/// The outcome.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Verdict {
    /// The checks that were made, each name at most once. After a failure of form the checks that would need the
    /// form are not made.
    pub checks: Vec<Check>,
    /// What the certificate claims and nobody can verify this way, a sentence each.
    pub unverified: Vec<String>,
}

impl Verdict {
    /// Whether all checks were made and passed.
    pub fn passed(&self) -> bool {
        !self.checks.is_empty() && self.checks.iter().all(|check| check.passed)
    }

    /// The checks that failed.
    pub fn failed(&self) -> impl Iterator<Item = &Check> {
        self.checks.iter().filter(|check| !check.passed)
    }

    /// Enters a check: passed, with this sentence, when nothing was found against it.
    fn enter(&mut self, name: Name, against: &[String], good: impl Into<String>) {
        let passed = against.is_empty();
        let says = if passed { good.into() } else { against.join(" ") };
        self.checks.push(Check { name, passed, says });
    }
}

impl fmt::Display for Name {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.serialize(out)
    }
}

/// Checks a certificate.
pub fn check(evidence: &Evidence<'_>, certificate: &Certificate) -> Verdict {
    let mut verdict = Verdict::default();
    verdict.enter(
        Name::Form,
        &inputs::form(evidence.report, certificate),
        "The certificate has the shape that this report demands.",
    );
    verdict.enter(
        Name::Tables,
        &inputs::tables(evidence),
        "The tables have the shape that this report demands.",
    );
    verdict.enter(
        Name::ReportDigest,
        &inputs::report_digest(evidence, certificate),
        "It was made for this report file.",
    );
    if verdict.failed().any(|check| check.name != Name::ReportDigest) {
        verdict.unverified.push("The other checks were not made: they need the right shape.".into());
        return verdict;
    }
    verdict.enter(
        Name::TableDigests,
        &inputs::table_digests(evidence, certificate),
        "It was made on these tables.",
    );
    let (against, good) = inputs::mode(evidence.report, certificate.mode);
    verdict.enter(Name::Mode, &against, good);
    releases::check(evidence.report, certificate, &mut verdict);
    sets::check(evidence, certificate, &mut verdict);
    policies::check(evidence, certificate, &mut verdict);
    unverified(certificate, &mut verdict);
    verdict
}

fn unverified(certificate: &Certificate, verdict: &mut Verdict) {
    let proven = certificate.audiences.iter().filter(|claim| claim.optimal).count();
    verdict.unverified.push(format!(
        "That no safe levels have more utility than the bound, and so whether a plan is optimal, is not verified \
         here: that needs the search. The certificate claims it as proven for {proven} of {} audiences.",
        certificate.audiences.len()
    ));
    if certificate.audiences.iter().any(|claim| claim.released.is_none()) {
        verdict.unverified.push(
            "That no safe plan exists for the audiences without a release is not verified here.".into(),
        );
    }
    if certificate.mode == Mode::Audited {
        verdict.unverified.push(
            "The selection-aware counts of the audited mode come from simulating the planner and are not repeated \
             here."
                .into(),
        );
    }
    verdict.unverified.push(
        "That the tables and the predicates say the truth, and that the ledger is complete, nobody can verify from \
         them."
            .into(),
    );
}
