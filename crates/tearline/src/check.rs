//! `tearline check`: is the report in order, and are its tables?

use crate::args::CheckArgs;
use crate::failure::Ending;
use crate::render::{check, text::Look};
use crate::watch::Watch;
use crate::{load, output};
use anyhow::Result;
use serde::Serialize;
use tearline_model::candidates::Candidates;
use tearline_model::report::Report;
use tearline_planner::plan::Mode;
use tearline_planner::planning::choose_mode;

/// What was understood.
#[derive(Debug, Serialize)]
pub(crate) struct Summary {
    #[serde(rename = "tearline-check")]
    version: u32,
    pub(crate) report: String,
    pub(crate) title: String,
    pub(crate) details: Vec<DetailSummary>,
    pub(crate) populations: Vec<PopulationSummary>,
    pub(crate) audiences: Vec<String>,
    pub(crate) protections: usize,
    pub(crate) mode: Mode,
    pub(crate) mode_reason: String,
}

#[derive(Debug, Serialize)]
pub(crate) struct DetailSummary {
    pub(crate) name: String,
    pub(crate) levels: usize,
}

#[derive(Debug, Serialize)]
pub(crate) struct PopulationSummary {
    pub(crate) name: String,
    pub(crate) candidates: u64,
    pub(crate) classes: usize,
    pub(crate) cleared: u64,
}

/// Runs the subcommand.
pub(crate) fn run(args: &CheckArgs, look: Look) -> Result<Ending> {
    let report = load::report(&args.report)?.report;
    let tables = load::tables(&report, &args.report, &mut Watch::start()?)?;
    let summary = summary(&report, &tables);
    let text = if args.json { output::json(&summary) } else { check::check(&summary, look) };
    output::to_stdout(&text)?;
    Ok(Ending::Done)
}

fn summary(report: &Report, tables: &[Candidates]) -> Summary {
    let choice = choose_mode(report);
    let details = report.details.iter();
    let populations = report.populations.iter().zip(tables);
    Summary {
        version: 1,
        report: report.id.clone(),
        title: report.title.clone(),
        details: details
            .map(|detail| DetailSummary { name: detail.id.clone(), levels: detail.levels.len() })
            .collect(),
        populations: populations
            .map(|(population, candidates)| PopulationSummary {
                name: population.id.clone(),
                candidates: candidates.count.iter().sum(),
                classes: candidates.classes(),
                cleared: candidates.cleared,
            })
            .collect(),
        audiences: report.audiences.iter().map(|audience| audience.name.clone()).collect(),
        protections: report.protections.len(),
        mode: choice.mode.into(),
        mode_reason: choice.reason,
    }
}
