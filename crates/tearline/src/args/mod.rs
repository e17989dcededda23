//! The command line: what can be asked, in the words that `--help` and the manual pages show.

mod desk;

pub(crate) use desk::{
    AcceptArgs, DeskCommand, DetermineCommand, EvidenceArgs, FindingArgs, KeyCommand, LogCommand, OpenArgs,
    PassphraseArgs, ReceiptArgs, ReleaseArgs, SealArgs, VerifyArgs,
};

use clap::{Args, Parser, Subcommand, ValueEnum};
use std::path::PathBuf;
use std::time::Duration;
use tearline_model::report::Mode;

const EXIT_CODES: &str = "\
Exit codes:
  0  done
  1  an error: a report, a table or a file is not as it must be
  2  the command line is not as it must be
  3  the answer is no: no safe plan for at least one audience, a choice that is not safe, a certificate, a
     release or a log that does not hold, or a text that says too much
  130  ended by Ctrl-C before there was an answer

Errors go to standard error; with --json as one JSON object, except those of the command line.";

const EXAMPLES: &str = "\
Examples:
  tearline check report.toml
  tearline plan report.toml
  tearline what-if report.toml --audience partner --set when=2 --set who=3";

const PLAN_EXAMPLES: &str = "\
Examples:
  tearline plan report.toml
  tearline plan report.toml --budget 30s --json > plan.json
  tearline plan report.toml --compare-orders
  tearline plan report.toml --certificate plan.cert.json
  tearline plan report.toml --check plan.cert.json
  tearline plan report.toml --policy policies/ --certificate plan.cert.json
  tearline plan report.toml --check plan.cert.json --policy policies/

A run of more than two seconds shows on the terminal how far it is. Ctrl-C ends it with the best plan found so far; \
a second Ctrl-C ends it at once.

Exit code 3: there is no safe plan for at least one audience. That is an answer, printed like any other. \
With --check: the certificate does not hold.";

const POLICY_EXAMPLES: &str = "\
Examples:
  tearline policy form.toml --output policies/
  tearline plan report.toml --policy policies/

Publish the hashes before there is a report, the last one at least: it fixes all those before it. The policy depends \
on the tables and on the form of the report (details, levels, utilities, audiences, protections, what was told \
before), never on its texts and values: a form with other values gives the same policy.

Exit code 3: for at least one audience there is no policy, because even silence would break a protection.";

const WHAT_IF_EXAMPLES: &str = "\
Examples:
  tearline what-if report.toml --audience partner --set when=2 --set who=3
  tearline plan report.toml --json > plan.json
  tearline what-if report.toml --audience partner --set who=3 --plan plan.json

Exit code 3: the choice is not safe.";

const RELEASE_EXAMPLES: &str = "\
Examples:
  tearline release report.toml --audience public --key desk.key --texts public.toml
  tearline release report.toml --audience partner --to partner.example --key desk.key --no-text
  tearline release report.toml --audience partner --to partner.example --key desk.key --no-text --extend
  tearline release report.toml --audience public --key desk.key --cancel --reason \"The threat has passed.\"

Exit code 3: the text says more than the plan releases; nothing was signed.";

const VERIFY_EXAMPLES: &str = "\
Examples:
  tearline verify partner.release.json --key desk.pub --as partner.example
  tearline verify public.release.json partner.release.json --key desk.pub
  tearline verify case.tearline --key desk.pub --key witness.pub

Exit code 3: something does not hold.";

/// Warns of an attack without exposing who told: plans for each audience the most that can truthfully be said while every
/// source stays hidden, signs and records it, and proves afterwards what was said.
#[derive(Debug, Parser)]
#[command(name = "tearline", version, after_help = EXIT_CODES, after_long_help = format!("{EXAMPLES}\n\n{EXIT_CODES}"))]
pub(crate) struct Cli {
    /// When to use colour
    #[arg(
        long,
        global = true,
        value_name = "WHEN",
        default_value = "auto",
        long_help = "When to use colour. \
        \"auto\": on a terminal, unless NO_COLOR is set or TERM is \"dumb\""
    )]
    pub(crate) color: ColorWhen,

    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ColorWhen {
    Auto,
    Always,
    Never,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Say for each audience the most that is safe, and why not more
    ///
    /// Prints for each audience the level of every detail, what one level more would leave of the sets in which the
    /// sources hide, how large these sets stay, what the release is worth and whether anything better is possible.
    #[command(after_help = PLAN_EXAMPLES)]
    Plan(PlanArgs),

    /// Say what a choice of levels would leave, and which single step down repairs it
    ///
    /// Counts who is left under that choice, for a reader who does not ask why it was made. Where plans are read off
    /// a policy, a choice of your own is not one of the policy's, and how many are left for a reader who knows how
    /// plans are chosen is not said.
    #[command(after_help = WHAT_IF_EXAMPLES)]
    WhatIf(WhatIfArgs),

    /// Build the policies of a report's form, to be published before there is a report
    ///
    /// Builds from the tables, without the report's own values, what every report that is possible would be
    /// answered with: one policy per audience, each refining the one before. Prints their SHA-256.
    #[command(after_help = POLICY_EXAMPLES)]
    Policy(PolicyArgs),

    /// Check a report and its tables without planning
    ///
    /// Reads the report, opens its tables, and lets their engines compile every expression. Prints what was
    /// understood. With --count every row is read and evaluated too.
    #[command(after_help = "Examples:\n  tearline check report.toml\n  tearline check report.toml --count")]
    Check(CheckArgs),

    /// Make, show and rotate keys
    #[command(subcommand)]
    Key(KeyCommand),

    /// Make a desk, and tell it whom to know
    #[command(subcommand)]
    Desk(DeskCommand),

    /// Release to an audience what the plan allows: signed, and recorded in the log
    ///
    /// Plans (or takes a certificate), lets the checker verify it, checks the free text against it, signs, records the
    /// release in the log, and only then writes the file for the recipient.
    #[command(after_help = RELEASE_EXAMPLES)]
    Release(Box<ReleaseArgs>),

    /// Say what a release or an evidence bundle says, and check it; needs no network
    #[command(after_help = VERIFY_EXAMPLES)]
    Verify(VerifyArgs),

    /// Seal a release so that only its recipient can read it
    Seal(SealArgs),

    /// Open what was sealed to you
    Open(OpenArgs),

    /// Sign that you got a release, or a locked delivery
    Receipt(ReceiptArgs),

    /// Sign what you found of a detail: confirmed, refuted, conflicting, acted on
    #[command(
        after_help = "Example:\n  tearline finding partner.release.json --key partner.key --detail where \\\n      --verdict conflicting --value \"another city\" -o finding.json"
    )]
    Finding(FindingArgs),

    /// Check and record what came back: receipts, findings, cosignatures
    Accept(AcceptArgs),

    /// List, prove, check and cosign the log
    #[command(subcommand)]
    Log(LogCommand),

    /// Write one file with which a third party checks what was said, and when
    Evidence(EvidenceArgs),

    /// Draft and approve the duty-to-warn determination (ICD 191)
    #[command(subcommand)]
    Determine(DetermineCommand),

    /// Print a completion script for a shell
    #[command(
        after_help = "Example:\n  tearline completions bash > ~/.local/share/bash-completion/completions/tearline"
    )]
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },

    /// Print the manual page, or write all of them into a directory
    #[command(after_help = "Example:\n  tearline man ~/.local/share/man/man1")]
    Man {
        /// Where to write the pages of all subcommands; it must exist. Without it, the main page is printed
        dir: Option<PathBuf>,
    },
}

#[derive(Debug, Args)]
pub(crate) struct PlanArgs {
    /// The report file (TOML)
    pub(crate) report: PathBuf,

    /// Print the plan as JSON, for programs
    #[arg(long)]
    pub(crate) json: bool,

    /// Plan at most this long, then take the best plan found: 30s, 5m, 1h30m
    #[arg(long, value_name = "TIME", value_parser = budget, long_help = "Plan at most this long, then take the \
        best plan found: 30s, 5m, 1h30m. Reading the tables is not counted. A plan that ended by the clock depends on \
        the machine: prefer --nodes where others are to repeat it")]
    pub(crate) budget: Option<Duration>,

    /// Work on at most this many nodes per search, then take the best plan found
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..), long_help = "Work on at most \
        this many nodes per search, then take the best plan found. Gives the same plan on every machine")]
    pub(crate) nodes: Option<u64>,

    /// Threads that search; the plan does not depend on it [default: one per processor]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=256))]
    pub(crate) threads: Option<u16>,

    /// Share of the counted candidates that may be wrongly counted, for the margin that is reported
    #[arg(long, value_name = "SHARE", default_value = "10%", value_parser = share)]
    pub(crate) margin: f64,

    /// Plan by priority alone, so that an audience may limit what those whom it sees are told
    #[arg(long)]
    pub(crate) by_priority: bool,

    /// Plan in both orders, and show what each gives to each audience
    #[arg(long, conflicts_with_all = ["by_priority", "certificate"])]
    pub(crate) compare_orders: bool,

    /// How the choice is kept from being itself an observation [default: as the report asks, else the safe one]
    #[arg(long, value_enum)]
    pub(crate) mode: Option<ModeArg>,

    /// Also write the plan's certificate, from which others can check it
    #[arg(long, value_name = "OUT.json")]
    pub(crate) certificate: Option<PathBuf>,

    /// Do not plan: check this certificate against the report and its tables
    #[arg(long, value_name = "CERT.json", conflicts_with_all = ["certificate", "compare_orders", "by_priority",
        "budget", "nodes", "threads", "margin"])]
    pub(crate) check: Option<PathBuf>,

    /// Read the levels off exactly this policy, a file or a folder of `*.policy` files; may be repeated
    #[arg(long, value_name = "PATH", conflicts_with_all = ["compare_orders", "by_priority"], long_help = "Read the \
        levels off exactly this policy, as `tearline policy` wrote it: a file, or a folder with one *.policy file per \
        audience. May be repeated. With --check: the policies that the certificate names. Without it, a selection-safe \
        plan builds the policies anew")]
    pub(crate) policy: Vec<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct PolicyArgs {
    /// The report file (TOML); its own values play no part
    pub(crate) report: PathBuf,

    /// Where to write: a file where there is one audience, else a folder, which gets one file per audience
    #[arg(short, long, value_name = "PATH")]
    pub(crate) output: PathBuf,

    /// Threads that build; the policy does not depend on it [default: one per processor]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=256))]
    pub(crate) threads: Option<u16>,

    /// Print what was built as JSON, for programs
    #[arg(long)]
    pub(crate) json: bool,
}

impl PlanArgs {
    /// What a release asks of a plan: everything at its default but the time.
    pub(crate) fn for_release(report: &std::path::Path, budget: Option<Duration>) -> Self {
        Self {
            report: report.to_owned(),
            json: false,
            budget,
            nodes: None,
            threads: None,
            margin: 0.1,
            by_priority: false,
            compare_orders: false,
            mode: None,
            certificate: None,
            check: None,
            policy: Vec::new(),
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ModeArg {
    /// Optimise for this report
    Nominal,
    /// Nominal, then count who else would have led to the same release
    Audited,
    /// Read the levels off a policy made without the report
    SelectionSafe,
}

impl From<ModeArg> for Mode {
    fn from(mode: ModeArg) -> Self {
        match mode {
            ModeArg::Nominal => Self::Nominal,
            ModeArg::Audited => Self::Audited,
            ModeArg::SelectionSafe => Self::SelectionSafe,
        }
    }
}

#[derive(Debug, Args)]
pub(crate) struct WhatIfArgs {
    /// The report file (TOML)
    pub(crate) report: PathBuf,

    /// To whom it would be said: the audience's name in the report file
    #[arg(long, value_name = "NAME")]
    pub(crate) audience: String,

    /// Say this detail at this level; 0 is silence. May be repeated
    #[arg(long, value_name = "DETAIL=LEVEL", value_parser = setting)]
    pub(crate) set: Vec<Setting>,

    /// Start from this plan (of `plan --json`) instead of from silence
    #[arg(
        long,
        value_name = "PLAN.json",
        long_help = "Start from this plan (of `plan --json`): every other audience \
        has what the plan gives it, and details that are not set stay at its level. Without it, nobody has more than \
        it was told before, and details that are not set stay silent"
    )]
    pub(crate) plan: Option<PathBuf>,

    /// Print the answer as JSON, for programs
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct CheckArgs {
    /// The report file (TOML)
    pub(crate) report: PathBuf,

    /// Also read every row of the tables, and count the candidates
    #[arg(long)]
    pub(crate) count: bool,

    /// Print what was understood, or what is wrong, as JSON
    #[arg(long)]
    pub(crate) json: bool,
}

/// A detail and the level to which it is said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Setting {
    pub(crate) detail: String,
    pub(crate) level: u8,
}

fn setting(text: &str) -> Result<Setting, String> {
    let (detail, level) = text.rsplit_once('=').ok_or("expected DETAIL=LEVEL, like when=2")?;
    let level =
        level.parse().map_err(|_| format!("{level:?} is not a level: expected a number from 0 to 254"))?;
    Ok(Setting { detail: detail.to_owned(), level })
}

pub(crate) fn budget(text: &str) -> Result<Duration, String> {
    let span = text.parse::<jiff::SignedDuration>().ok();
    let duration = span.and_then(|span| Duration::try_from(span).ok()).filter(|duration| !duration.is_zero());
    duration.ok_or_else(|| "expected a time with its unit, like 30s, 5m or 1h30m".to_owned())
}

fn share(text: &str) -> Result<f64, String> {
    let share = match text.strip_suffix('%') {
        Some(percent) => percent.trim_end().parse::<f64>().map(|percent| percent / 100.0),
        None => text.parse::<f64>(),
    };
    let share = share.ok().filter(|share| (0.0..=1.0).contains(share));
    share.ok_or_else(|| "expected a share from 0% to 100%, like 10% or 0.1".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn times_shares_and_settings_are_read_as_people_write_them() {
        assert_eq!(budget("1h30m"), Ok(Duration::from_mins(90)));
        assert!(["30", "0s", "-5s", "soon", ""].into_iter().all(|text| budget(text).is_err()));
        assert_eq!((share("10%"), share("0.1"), share("100 %")), (Ok(0.1), Ok(0.1), Ok(1.0)));
        assert!(["10", "-1%", "NaN", "101%", ""].into_iter().all(|text| share(text).is_err()));
        assert_eq!(setting("a=b=2"), Ok(Setting { detail: "a=b".into(), level: 2 }));
        assert!(["when", "when=", "when=-1", "when=255.0"].into_iter().all(|text| setting(text).is_err()));
    }
}
