//! `tearline what-if`: what a choice would leave, and what repairs it.

use crate::args::WhatIfArgs;
use crate::failure::{Ending, Usage};
use crate::render::{text::Look, what_if};
use crate::watch::Watch;
use crate::{load, names, output};
use anyhow::{Context, Result};
use serde::Serialize;
use std::path::Path;
use tearline_model::report::Report;
use tearline_planner::plan::{Outcome, Plan, ProtectedSet};
use tearline_planner::planning::{Answer, Views, WhatIf};

/// The answer, as `--json` prints it.
#[derive(Serialize)]
struct WhatIfJson<'a> {
    #[serde(rename = "tearline-what-if")]
    version: u32,
    report: &'a str,
    audience: &'a str,
    /// The levels asked about, in the order of the report's details.
    asked: Vec<Asked<'a>>,
    /// To which the answer refers by place.
    protected: &'a [ProtectedSet],
    #[serde(flatten)]
    answer: &'a Answer,
}

#[derive(Serialize)]
struct Asked<'a> {
    detail: &'a str,
    level: u8,
}

/// Runs the subcommand.
pub(crate) fn run(args: &WhatIfArgs, look: Look) -> Result<Ending> {
    let report = load::report(&args.report)?.report;
    let audience = names::audience(&report, &args.audience)?;
    let mut releases = match &args.plan {
        Some(path) => releases(&report, path)?,
        None => vec![vec![0; report.details.len()]; report.audiences.len()],
    };
    for setting in &args.set {
        let (detail, level) = names::setting(&report, setting)?;
        releases[audience][detail] = level;
    }
    let tables = load::tables(&report, &args.report, &mut Watch::start()?)?;
    let levels = &releases[audience];
    let answer = WhatIf::new(&report, &tables, &releases, audience).ask(audience, levels);
    let sets = Views::listed(&report);
    let text = if args.json {
        let asked = report.details.iter().zip(levels);
        output::json(&WhatIfJson {
            version: 1,
            report: &report.id,
            audience: &report.audiences[audience].id,
            asked: asked.map(|(detail, &level)| Asked { detail: &detail.id, level }).collect(),
            protected: &sets,
            answer: &answer,
        })
    } else {
        what_if::what_if(&report, audience, levels, &sets, &answer, look)
    };
    output::to_stdout(&text)?;
    Ok(if answer.safe { Ending::Done } else { Ending::No })
}

/// The levels that a plan of the same report gives to each audience.
fn releases(report: &Report, path: &Path) -> Result<Vec<Vec<u8>>> {
    let text = std::fs::read(path).with_context(|| format!("the plan {} cannot be read", path.display()))?;
    let plan: Plan = serde_json::from_slice(&text)
        .with_context(|| format!("{} is not a plan as `tearline plan --json` prints it", path.display()))?;
    let of_another = || {
        Usage(format!(
            "{} is a plan of another report or of an earlier version of it. Plan again, and use the new one.",
            path.display()
        ))
    };
    if plan.report != report.id || plan.audiences.len() != report.audiences.len() {
        return Err(of_another().into());
    }
    let mut releases = vec![vec![0; report.details.len()]; report.audiences.len()];
    for of in &plan.audiences {
        let audience = names::audience(report, &of.id).map_err(|_| of_another())?;
        let Outcome::Release(release) = &of.outcome else { continue };
        let same = release.details.iter().map(|detail| (&detail.id, usize::from(detail.levels)));
        if !same.eq(report.details.iter().map(|detail| (&detail.id, detail.levels.len()))) {
            return Err(of_another().into());
        }
        releases[audience] = release.details.iter().map(|detail| detail.level).collect();
    }
    Ok(releases)
}
