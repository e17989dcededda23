//! `tearline policy`: builds policies to be published before there is a report; and reads them for a plan.

use crate::args::PolicyArgs;
use crate::failure::{Ending, Interrupted};
use crate::render::text::Look;
use crate::watch::Watch;
use crate::{load, output, plan, render};
use anyhow::{Context, Result, bail};
use serde::Serialize;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use tearline_model::report::Report;
use tearline_planner::certificate::digest;
use tearline_planner::checker::Verdict;
use tearline_planner::planning::{Chain, Failure, policies};
use tearline_planner::policy::{NoPolicy, Policy};

/// Policies above this size are refused: one for ten million candidates stays below it.
const MOST_BYTES: u64 = 1 << 30;

/// What was built, as `--json` prints it.
#[derive(Serialize)]
pub(crate) struct Built {
    #[serde(rename = "tearline-policies")]
    version: u32,
    pub(crate) policies: Vec<BuiltPolicy>,
    /// Why the audiences that come after these have none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) ended: Option<String>,
}

#[derive(Serialize)]
pub(crate) struct BuiltPolicy {
    /// The audience's name in the report file.
    pub(crate) audience: String,
    #[serde(skip)]
    pub(crate) name: String,
    pub(crate) file: PathBuf,
    pub(crate) sha256: String,
    pub(crate) outputs: usize,
    /// Fewest candidates behind an output; absent where nobody is to be hidden.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) fewest: Option<u64>,
    /// Mean utility of a release over the worlds, in units.
    pub(crate) mean_worth: f64,
}

/// Runs the subcommand.
pub(crate) fn run(args: &PolicyArgs, look: Look) -> Result<Ending> {
    let report = load::report(&args.report)?.report;
    let mut watch = Watch::start()?;
    let worlds = load::worlds(&report, &args.report, &mut watch)?;
    let cancel = watch.cancel();
    let names = report.audiences.iter().map(|audience| audience.name.clone()).collect();
    let mut planning = watch.planning(names, None);
    let progress = &mut |audience, done, all| planning.building(audience, done, all);
    let chain = policies(&report, &worlds, plan::threads(args.threads), &cancel, progress);
    watch.clear();
    let chain = built(chain)?;
    let folder = report.audiences.len() > 1 || args.output.is_dir();
    if folder && !chain.policies.is_empty() {
        let failed = || format!("the folder {} cannot be made", args.output.display());
        std::fs::create_dir_all(&args.output).with_context(failed)?;
    }
    let mut built = Built { version: 1, policies: Vec::new(), ended: chain.ended };
    for (place, (audience, policy)) in chain.policies.iter().enumerate() {
        let of = &report.audiences[*audience];
        let file = if folder { args.output.join(file_name(place, &of.id)) } else { args.output.clone() };
        let text = policy.to_text();
        output::to_file(&file, text.as_bytes())?;
        built.policies.push(BuiltPolicy {
            audience: of.id.clone(),
            name: of.name.clone(),
            file,
            sha256: digest::bytes(text.as_bytes()),
            outputs: policy.outputs.len(),
            fewest: policy.smallest_group(),
            mean_worth: policy.expected_worth() / 1000.0,
        });
    }
    let text = if args.json { output::json(&built) } else { render::policy::built(&built, look) };
    output::to_stdout(&text)?;
    Ok(if built.ended.is_none() { Ending::Done } else { Ending::No })
}

/// Policies, or why there are none.
pub(crate) fn built(chain: Result<Chain, Failure>) -> Result<Chain> {
    match chain {
        Err(Failure::NoPolicy { cause: NoPolicy::Cancelled, .. }) => Err(Interrupted.into()),
        chain => Ok(chain?),
    }
}

/// A name that every file system takes, in the order of the chain.
fn file_name(place: usize, audience: &str) -> String {
    let plain = |c: char| if c.is_alphanumeric() || matches!(c, '-' | '_') { c } else { '_' };
    let name: String = audience.chars().map(plain).take(40).collect();
    format!("{:02}-{name}.policy", place + 1)
}

/// The bytes of policy files; of a folder, those of all its `*.policy` files.
pub(crate) fn read(paths: &[PathBuf]) -> Result<Vec<Vec<u8>>> {
    let mut files = Vec::new();
    for path in paths {
        if path.is_dir() {
            let failed = || format!("the folder {} cannot be read", path.display());
            let mut inside = Vec::new();
            for entry in std::fs::read_dir(path).with_context(failed)? {
                let file = entry.with_context(failed)?.path();
                if file.extension().is_some_and(|extension| extension == "policy") {
                    inside.push(file);
                }
            }
            if inside.is_empty() {
                bail!(
                    "{} has no file that ends in .policy: write some with `tearline policy`",
                    path.display()
                );
            }
            inside.sort();
            files.append(&mut inside);
        } else {
            files.push(path.clone());
        }
    }
    files.iter().map(|file| bytes(file)).collect()
}

fn bytes(path: &Path) -> Result<Vec<u8>> {
    let failed = || format!("the policy {} cannot be read", path.display());
    let mut bytes = Vec::new();
    File::open(path)
        .with_context(failed)?
        .take(MOST_BYTES + 1)
        .read_to_end(&mut bytes)
        .with_context(failed)?;
    if u64::try_from(bytes.len()).unwrap_or(u64::MAX) > MOST_BYTES {
        bail!("the policy {} has more than {MOST_BYTES} bytes", path.display());
    }
    Ok(bytes)
}

/// The policies given, as those of a report.
pub(crate) fn chain(report: &Report, files: &[Vec<u8>]) -> Result<Chain> {
    let parsed = files.iter().map(|bytes| {
        let text = std::str::from_utf8(bytes).context("a policy given is not UTF-8")?;
        Ok(Policy::from_text(text)?)
    });
    Ok(Chain::given(report, parsed.collect::<Result<_>>()?)?)
}

/// Refuses a plan read off policies that do not hold for these tables and rules.
pub(crate) fn hold(verdict: &Verdict) -> Result<()> {
    let Some(failed) = verdict.failed().next() else { return Ok(()) };
    bail!(
        "the policies given do not hold for this report and its tables, so nothing is read off them ({}: {}). If \
         tables or rules have changed, build them again with `tearline policy`, and publish their hashes before use.",
        failed.name,
        failed.says
    )
}
