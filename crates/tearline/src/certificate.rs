//! Certificates of plans: drawn up beside a plan, and checked without planning.

use crate::load::Tables;
use anyhow::{Context, Result};
use serde::Serialize;
use std::fs::File;
use std::io::Read;
use std::path::Path;
use tearline_model::report::Report;
use tearline_planner::certificate::claim::{certify, choices};
use tearline_planner::certificate::{Certificate, MOST_BYTES};
use tearline_planner::checker::{Evidence, Verdict, check};
use tearline_planner::plan::Mode;
use tearline_planner::planning::Planned;

/// What was found of a certificate, as `--json` prints it.
#[derive(Serialize)]
pub(crate) struct Checked<'a> {
    passed: bool,
    #[serde(flatten)]
    verdict: &'a Verdict,
}

impl<'a> Checked<'a> {
    pub(crate) fn new(verdict: &'a Verdict) -> Self {
        Self { passed: verdict.passed(), verdict }
    }
}

/// The certificate of a plan. `worlds` are those that it was made from, in the modes that need them.
pub(crate) fn of(file: &[u8], report: &Report, tables: &Tables, planned: &Planned) -> Certificate {
    let choices = choices(report, planned);
    let worlds = (planned.plan.mode == Mode::SelectionSafe).then_some(tables.worlds.as_slice());
    certify(file, report, &tables.candidates, worlds, planned.plan.mode, &choices)
}

/// Reads a certificate.
pub(crate) fn read(path: &Path) -> Result<Certificate> {
    let failed = || format!("the certificate {} cannot be read", path.display());
    let mut bytes = Vec::new();
    let most = u64::try_from(MOST_BYTES).unwrap_or(u64::MAX).saturating_add(1);
    File::open(path).with_context(failed)?.take(most).read_to_end(&mut bytes).with_context(failed)?;
    Certificate::read(&bytes).with_context(failed)
}

/// Whether a certificate refers to worlds, which must then be read.
pub(crate) fn needs_worlds(certificate: &Certificate) -> bool {
    certificate.mode == Mode::SelectionSafe
        || certificate.tables.iter().any(|table| table.worlds_sha256.is_some())
}

/// Checks a certificate against the report file, its tables and the policies.
pub(crate) fn verdict(
    file: &[u8],
    report: &Report,
    tables: &Tables,
    policies: &[Vec<u8>],
    certificate: &Certificate,
) -> Verdict {
    let policies: Vec<&[u8]> = policies.iter().map(Vec::as_slice).collect();
    let worlds = needs_worlds(certificate).then_some(tables.worlds.as_slice());
    let evidence =
        Evidence { report_file: file, report, candidates: &tables.candidates, worlds, policies: &policies };
    check(&evidence, certificate)
}
