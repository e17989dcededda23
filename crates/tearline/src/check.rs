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
    #[serde(flatten)]
    pub(crate) counted: Option<Counted>,
}

/// What only reading all rows tells.
#[derive(Debug, Serialize)]
pub(crate) struct Counted {
    pub(crate) candidates: u64,
    pub(crate) classes: usize,
    pub(crate) cleared: u64,
}

/// Runs the subcommand.
pub(crate) fn run(args: &CheckArgs, look: Look) -> Result<Ending> {
    let report = load::report(&args.report)?.report;
    let watch = &mut Watch::start()?;
    let counted = if args.count {
        load::tables(&report, &args.report, watch)?.iter().map(|table| Some(counted(table))).collect()
    } else {
        load::check(&report, &args.report, watch)?;
        report.populations.iter().map(|_| None).collect()
    };
    let summary = summary(&report, counted);
    let text = if args.json { output::json(&summary) } else { check::check(&summary, look) };
    output::to_stdout(&text)?;
    Ok(Ending::Done)
}

fn counted(table: &Candidates) -> Counted {
    Counted { candidates: table.total(), classes: table.classes(), cleared: table.cleared }
}

fn summary(report: &Report, counted: Vec<Option<Counted>>) -> Summary {
    let choice = choose_mode(report);
    let details = report.details.iter();
    let populations = report.populations.iter().zip(counted);
    Summary {
        version: 1,
        report: report.id.clone(),
        title: report.title.clone(),
        details: details
            .map(|detail| DetailSummary { name: detail.id.clone(), levels: detail.levels.len() })
            .collect(),
        populations: populations
            .map(|(population, counted)| PopulationSummary { name: population.id.clone(), counted })
            .collect(),
        audiences: report.audiences.iter().map(|audience| audience.name.clone()).collect(),
        protections: report.protections.len(),
        mode: choice.mode.into(),
        mode_reason: choice.reason,
    }
}
