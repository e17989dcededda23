//! The levels of a release: from a plan made now or a certificate made before, and in both cases only after the
//! checker has verified the certificate.

use crate::args::{PlanArgs, ReleaseArgs};
use crate::watch::Watch;
use crate::{certificate, load, plan};
use anyhow::{Result, bail};
use tearline_disclosure::bytes::Digest;
use tearline_model::report::{Report, Told, ToldWhat};

/// What an audience gets.
pub(super) struct Levels {
    /// Level of each detail of the report.
    pub(super) levels: Vec<u8>,
    /// SHA-256 of the certificate that was checked.
    pub(super) certificate: Digest,
}

/// Puts the desk's disclosure ledger beside what the report says was told. Nothing that was released can be unsaid.
pub(super) fn with_ledger(report: &mut Report, ledger: &[(String, String, u8)]) {
    for (audience, detail, level) in ledger {
        let audience = report.audiences.iter().position(|of| of.id == *audience);
        let found = report.details.iter().position(|of| of.id == *detail);
        if let (Some(audience), Some(detail)) = (audience, found) {
            let most = u8::try_from(report.details[detail].levels.len()).unwrap_or(u8::MAX);
            let what = ToldWhat::Level { detail, level: (*level).min(most) };
            report.told.push(Told { audience, what });
        }
    }
}

/// The levels for one audience.
pub(super) fn levels(args: &ReleaseArgs, report: &Report, file: &[u8], audience: usize) -> Result<Levels> {
    let mut watch = Watch::start()?;
    let plan_args = PlanArgs::for_release(&args.report, args.budget);
    let certificate = match &args.certificate {
        Some(path) => certificate::read(path)?,
        None => {
            let tables = load::tables(report, &args.report, &mut watch)?;
            let planned = plan::made(&plan_args, report, &tables, false, &mut watch)?;
            certificate::of(file, report, &tables, &planned)
        }
    };
    let tables = load::tables(report, &args.report, &mut watch)?;
    let verdict = certificate::verdict(file, report, &tables, &certificate);
    if !verdict.passed() {
        let failed: Vec<String> = verdict.failed().map(|check| check.name.to_string()).collect();
        bail!("the certificate does not hold, so nothing is released: {}", failed.join("; "));
    }
    let claim = certificate
        .audiences
        .iter()
        .find(|claim| usize::try_from(claim.audience).is_ok_and(|at| at == audience + 1));
    let Some(levels) = claim.and_then(|claim| claim.released.clone()) else {
        bail!(
            "there is no safe plan for {}, so nothing can be released to it. `tearline plan` says why; that is \
             evidence for a waiver",
            report.audiences[audience].name
        );
    };
    Ok(Levels { levels, certificate: Digest::of(certificate.write().as_bytes()) })
}
