//! `tearline plan`: the most that is safe, for every audience.

use crate::args::PlanArgs;
use crate::failure::Ending;
use crate::load::Loaded;
use crate::render::text::Look;
use crate::watch::Watch;
use crate::{certificate, load, output, render};
use anyhow::{Result, bail};
use serde::Serialize;
use tearline_model::candidates::Candidates;
use tearline_model::report::{Mode, Report};
use tearline_planner::plan::{self, Outcome, Plan};
use tearline_planner::planning::{
    Options, Planned, Stage, choose_mode, plan_audited, plan_nominal, plan_selection_safe,
};
use tearline_planner::search::Limits;

/// Both orders, as `--json` prints them.
#[derive(Serialize)]
struct Orders<'a> {
    seen_first: &'a Plan,
    by_priority: &'a Plan,
}

/// Runs the subcommand.
pub(crate) fn run(args: &PlanArgs, look: Look) -> Result<Ending> {
    let Loaded { mut report, file } = load::report(&args.report)?;
    if let Some(mode) = args.mode {
        report.mode = Some(mode.into());
    }
    let mut watch = Watch::start()?;
    // Before the work that it may make superfluous.
    let certificate = args.check.as_deref().map(certificate::read).transpose()?;
    let tables = load::tables(&report, &args.report, &mut watch)?;
    if let Some(certificate) = certificate {
        let verdict = certificate::verdict(&file, &report, &tables, &certificate);
        let text = if args.json {
            output::json(&certificate::Checked::new(&verdict))
        } else {
            render::certificate::verdict(&verdict, look)
        };
        output::to_stdout(&text)?;
        return Ok(ending(verdict.passed()));
    }
    let mut plan_by = |by_priority| made(args, &report, &tables, by_priority, &mut watch);
    let (text, safe) = if args.compare_orders {
        let (seen_first, by_priority) = (plan_by(false)?.plan, plan_by(true)?.plan);
        let text = if args.json {
            output::json(&Orders { seen_first: &seen_first, by_priority: &by_priority })
        } else {
            render::orders::orders(&seen_first, &by_priority, &report.title, look)
        };
        (text, is_safe(&seen_first) && is_safe(&by_priority))
    } else {
        let planned = plan_by(args.by_priority)?;
        if let Some(path) = &args.certificate {
            if planned.plan.mode == plan::Mode::SelectionSafe {
                bail!(
                    "plans read off a policy cannot be certified by this version, because its checker cannot \
                     verify policies yet. Plan without --certificate, or in another mode."
                );
            }
            output::to_file(path, certificate::of(&file, &report, &tables, &planned).write().as_bytes())?;
        }
        let plan = planned.plan;
        let text =
            if args.json { output::json(&plan) } else { render::plan::plan(&plan, &report.title, look) };
        (text, is_safe(&plan))
    };
    output::to_stdout(&text)?;
    Ok(ending(safe))
}

fn ending(yes: bool) -> Ending {
    if yes { Ending::Done } else { Ending::No }
}

/// Makes one plan, in the mode that the report calls for.
pub(crate) fn made(
    args: &PlanArgs,
    report: &Report,
    tables: &[Candidates],
    by_priority: bool,
    watch: &mut Watch,
) -> Result<Planned> {
    let mode = choose_mode(report).mode;
    let worlds = match mode {
        Mode::Nominal => Vec::new(),
        Mode::Audited | Mode::SelectionSafe => load::worlds(report, &args.report, watch)?,
    };
    let processors = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let threads = args.threads.map_or(processors, usize::from);
    let limits = Limits { nodes: args.nodes.unwrap_or(u64::MAX), threads };
    let options = Options { limits, margin: args.margin, by_priority };
    let names = report.audiences.iter().map(|audience| audience.name.clone()).collect();
    let cancel = watch.cancel();
    let mut planning = watch.planning(names, args.budget);
    let mut control = |stage: &Stage| planning.go_on(stage);
    let planned = match mode {
        Mode::Nominal => plan_nominal(report, tables, &options, &mut control),
        Mode::Audited => match plan_audited(report, tables, &worlds, &options, &mut control) {
            Some(planned) => planned,
            None => plan_selection_safe(report, tables, &worlds, &options, &cancel, &mut control)?.planned,
        },
        Mode::SelectionSafe => {
            plan_selection_safe(report, tables, &worlds, &options, &cancel, &mut control)?.planned
        }
    };
    let note = planning.note();
    watch.clear();
    if let Some(note) = note {
        output::to_stderr(note);
    }
    Ok(planned)
}

fn is_safe(plan: &Plan) -> bool {
    plan.audiences.iter().all(|audience| matches!(audience.outcome, Outcome::Release(_)))
}
