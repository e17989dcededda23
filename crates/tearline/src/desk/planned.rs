//! The levels of a release: from a plan made now or a certificate made before, and in both cases only after the
//! checker has verified the certificate.

use crate::args::{PlanArgs, ReleaseArgs};
use crate::failure::Usage;
use crate::watch::Watch;
use crate::{certificate, load, plan, policy};
use anyhow::{Result, bail};
use tearline_disclosure::bytes::Digest;
use tearline_model::report::{Mode, Report, Told, ToldWhat};
use tearline_planner::planning::choose_mode;

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
    let policies = policy::read(&args.policy)?;
    let mode = choose_mode(report).mode;
    let certificate = args.certificate.as_deref().map(certificate::read).transpose()?;
    let worlds = certificate.as_ref().map_or(mode != Mode::Nominal, certificate::needs_worlds);
    let tables = load::both(report, &args.report, worlds, &mut watch)?;
    let certificate = if let Some(certificate) = certificate {
        certificate
    } else {
        let chain = match (mode, policies.is_empty()) {
            (Mode::SelectionSafe, true) => {
                return Err(Usage(
                    "this report is planned by policies, which are made and published before it. Make them with \
                     `tearline policy`, and give them with --policy; or choose another mode with --mode"
                        .into(),
                )
                .into());
            }
            (Mode::SelectionSafe, false) => Some(policy::chain(report, &policies)?),
            _ => None,
        };
        let plan_args = PlanArgs::for_release(&args.report, args.budget);
        let (planned, built) =
            plan::made(&plan_args, mode, report, &tables, chain.as_ref(), false, &mut watch)?;
        if built {
            bail!(
                "no candidate could be hidden among those who would have led to the same release, so a policy is \
                 needed. Make policies with `tearline policy`, and give them with --policy --mode selection-safe"
            );
        }
        certificate::of(file, report, &tables, &planned)
    };
    let verdict = certificate::verdict(file, report, &tables, &policies, &certificate);
    if !verdict.passed() {
        let failed: Vec<String> = verdict.failed().map(|check| check.says.clone()).collect();
        bail!("the certificate does not hold, so nothing is released: {}", failed.join(" "));
    }
    let place = u32::try_from(audience + 1).unwrap_or(u32::MAX);
    let claim = certificate.audiences.iter().find(|claim| claim.audience == place);
    let Some(levels) = claim.and_then(|claim| claim.released.clone()) else {
        bail!(
            "there is no safe plan for {}, so nothing can be released to it. `tearline plan` says why; that is \
             evidence for a waiver",
            report.audiences[audience].name
        );
    };
    Ok(Levels { levels, certificate: Digest::of(certificate.write().as_bytes()) })
}
