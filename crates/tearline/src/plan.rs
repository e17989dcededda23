//! `tearline plan`: the most that is safe, for every audience.

use crate::args::PlanArgs;
use crate::failure::{Ending, Usage};
use crate::load::{Loaded, Tables};
use crate::render::text::Look;
use crate::watch::Watch;
use crate::{certificate, load, output, policy, render};
use anyhow::Result;
use serde::Serialize;
use tearline_model::report::{Mode, Report};
use tearline_planner::plan::{Outcome, Plan};
use tearline_planner::planning::{
    Chain, Options, Planned, Stage, choose_mode, plan_audited, plan_nominal, plan_selection_safe, policies,
};
use tearline_planner::search::Limits;

/// Why there is nothing to choose between.
const ONE_ORDER: &str = "where plans are read off policies, each refines the one before, and so there is one order: \
                         those who are seen come first.";

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
    let mode = choose_mode(&report).mode;
    if args.compare_orders && mode != Mode::Nominal {
        return Err(Usage(format!("--compare-orders: {ONE_ORDER} Compare with --mode nominal.")).into());
    }
    if args.by_priority && mode != Mode::Nominal {
        return Err(Usage(format!("--by-priority: {ONE_ORDER} Leave it out, or use --mode nominal.")).into());
    }
    // Before the work that they may make superfluous.
    let certificate = args.check.as_deref().map(certificate::read).transpose()?;
    let policies = policy::read(&args.policy)?;
    if let Some(certificate) = certificate {
        let worlds = certificate::needs_worlds(&certificate);
        let tables = load::both(&report, &args.report, worlds, &mut watch)?;
        let verdict = certificate::verdict(&file, &report, &tables, &policies, &certificate);
        let text = if args.json {
            output::json(&certificate::Checked::new(&verdict))
        } else {
            render::certificate::verdict(&verdict, look)
        };
        output::to_stdout(&text)?;
        return Ok(ending(verdict.passed()));
    }
    if !policies.is_empty() && mode != Mode::SelectionSafe {
        let say = "--policy: this report is not planned by a policy. Add --mode selection-safe.";
        return Err(Usage(say.to_owned()).into());
    }
    let chain = if policies.is_empty() { None } else { Some(policy::chain(&report, &policies)?) };
    let tables = load::both(&report, &args.report, mode != Mode::Nominal, &mut watch)?;
    let mut plan_by =
        |by_priority| made(args, mode, &report, &tables, chain.as_ref(), by_priority, &mut watch);
    let (text, safe) = if args.compare_orders {
        let (seen_first, by_priority) = (plan_by(false)?.0.plan, plan_by(true)?.0.plan);
        let text = if args.json {
            output::json(&Orders { seen_first: &seen_first, by_priority: &by_priority })
        } else {
            render::orders::orders(&seen_first, &by_priority, &report.title, look)
        };
        (text, is_safe(&seen_first) && is_safe(&by_priority))
    } else {
        let (planned, built) = plan_by(args.by_priority)?;
        if args.certificate.is_some() || chain.is_some() {
            let certificate = certificate::of(&file, &report, &tables, &planned);
            if chain.is_some() {
                // Who made it, and from which tables, is not known: nothing is read off it that does not hold.
                policy::hold(&certificate::verdict(&file, &report, &tables, &policies, &certificate))?;
            }
            if let Some(path) = &args.certificate {
                output::to_file(path, certificate.write().as_bytes())?;
            }
        }
        let plan = planned.plan;
        let mut text =
            if args.json { output::json(&plan) } else { render::plan::plan(&plan, &report.title, look) };
        if built && !args.json {
            text.push_str(&render::policy::built_for_this(look));
        }
        (text, is_safe(&plan))
    };
    output::to_stdout(&text)?;
    Ok(ending(safe))
}

fn ending(yes: bool) -> Ending {
    if yes { Ending::Done } else { Ending::No }
}

/// Makes one plan, in the mode that the report calls for; and whether policies were built for it.
pub(crate) fn made(
    args: &PlanArgs,
    mode: Mode,
    report: &Report,
    tables: &Tables,
    chain: Option<&Chain>,
    by_priority: bool,
    watch: &mut Watch,
) -> Result<(Planned, bool)> {
    let threads = threads(args.threads);
    let limits = Limits { nodes: args.nodes.unwrap_or(u64::MAX), threads };
    let options = Options { limits, margin: args.margin, by_priority };
    let names = report.audiences.iter().map(|audience| audience.name.clone()).collect();
    let Tables { candidates, worlds } = tables;
    let cancel = watch.cancel();
    let mut planning = watch.planning(names, args.budget);
    let planned = match mode {
        Mode::Nominal => {
            Some(plan_nominal(report, candidates, &options, &mut |stage: &Stage| planning.go_on(stage)))
        }
        Mode::Audited => {
            plan_audited(report, candidates, worlds, &options, &mut |stage: &Stage| planning.go_on(stage))
        }
        Mode::SelectionSafe => None,
    };
    let (planned, built) = if let Some(planned) = planned {
        (planned, false)
    } else {
        let mut built = None;
        let chain = if let Some(chain) = chain {
            chain
        } else {
            let progress = &mut |audience, done, all| planning.building(audience, done, all);
            built.insert(policy::built(policies(report, worlds, threads, &cancel, progress))?)
        };
        let control = &mut |stage: &Stage| planning.go_on(stage);
        let planned = plan_selection_safe(report, candidates, worlds, chain, &options, control)?;
        (planned, built.is_some())
    };
    let note = planning.note();
    watch.clear();
    if let Some(note) = note {
        output::to_stderr(note);
    }
    Ok((planned, built))
}

/// Threads to work with.
pub(crate) fn threads(asked: Option<u16>) -> usize {
    asked.map_or_else(|| std::thread::available_parallelism().map_or(1, std::num::NonZero::get), usize::from)
}

fn is_safe(plan: &Plan) -> bool {
    plan.audiences.iter().all(|audience| matches!(audience.outcome, Outcome::Release(_)))
}
