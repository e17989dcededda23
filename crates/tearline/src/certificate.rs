//! Certificates of plans: drawn up beside a plan, and checked without planning.

use anyhow::{Context, Result};
use serde::Serialize;
use std::fs::File;
use std::io::Read;
use std::path::Path;
use tearline_model::candidates::Candidates;
use tearline_model::report::Report;
use tearline_planner::certificate::claim::{Choice, certify};
use tearline_planner::certificate::{Certificate, MOST_BYTES};
use tearline_planner::checker::{Evidence, Verdict, check};
use tearline_planner::plan::Outcome;
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

/// The certificate of a plan.
pub(crate) fn of(file: &[u8], report: &Report, tables: &[Candidates], planned: &Planned) -> Certificate {
    let choice = |(audience, levels): (usize, &Vec<u8>)| {
        let id = &report.audiences[audience].id;
        let mut choice = Choice { audience, ..Choice::default() };
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
    let choices: Vec<Choice> = planned.levels.iter().enumerate().map(choice).collect();
    certify(file, report, tables, None, planned.plan.mode, &choices)
}

/// Reads a certificate.
pub(crate) fn read(path: &Path) -> Result<Certificate> {
    let failed = || format!("the certificate {} cannot be read", path.display());
    let mut bytes = Vec::new();
    let most = u64::try_from(MOST_BYTES).unwrap_or(u64::MAX).saturating_add(1);
    File::open(path).with_context(failed)?.take(most).read_to_end(&mut bytes).with_context(failed)?;
    Certificate::read(&bytes).with_context(failed)
}

/// Checks a certificate against the report file and its tables.
pub(crate) fn verdict(
    file: &[u8],
    report: &Report,
    tables: &[Candidates],
    certificate: &Certificate,
) -> Verdict {
    let evidence = Evidence { report_file: file, report, candidates: tables, worlds: None, policies: &[] };
    check(&evidence, certificate)
}
