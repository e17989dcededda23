//! The command line of releases and proof: keys, the desk, releases, receipts, the log, evidence.

use clap::{Args, Subcommand, ValueEnum};
use std::path::PathBuf;
use tearline_disclosure::statement::{Decision, Threat, Verdict, WaiverReason};

/// Which desk, and whose key: what every command of the originator needs.
#[derive(Debug, Args)]
pub(crate) struct DeskArgs {
    /// The desk's folder
    #[arg(long, value_name = "DIR", env = "TEARLINE_DESK", default_value = "desk")]
    pub(crate) desk: PathBuf,
}

/// A key file and how to open it.
#[derive(Debug, Args)]
pub(crate) struct KeyArgs {
    /// The key file
    #[arg(long, value_name = "FILE.key", env = "TEARLINE_KEY")]
    pub(crate) key: PathBuf,

    #[command(flatten)]
    pub(crate) passphrase: PassphraseArgs,
}

/// Where the passphrase comes from. Never from the command line itself, which others on the machine can read.
#[derive(Debug, Args)]
pub(crate) struct PassphraseArgs {
    /// Read the passphrase from the first line of this file instead of asking for it
    #[arg(long, value_name = "FILE", env = "TEARLINE_PASSPHRASE_FILE")]
    pub(crate) passphrase_file: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum KeyCommand {
    /// Make keys for a party: FILE.key to keep, FILE.next.key to keep elsewhere, FILE.pub to hand out
    New {
        /// The party's name, like a host name: desk.example
        name: String,
        /// Where to write the files, without their endings [default: the name]
        #[arg(long, short, value_name = "FILE")]
        output: Option<PathBuf>,
        /// Cost of opening the files: each step doubles it; 18 is about a second
        #[arg(long, value_name = "N", default_value_t = tearline_store::keys::WORK_FACTOR,
            value_parser = clap::value_parser!(u8).range(10..=22))]
        work_factor: u8,
        #[command(flatten)]
        passphrase: PassphraseArgs,
    },
    /// Show whose public keys a file holds, and the fingerprint to compare by telephone
    Show {
        /// The file that was handed out
        public: PathBuf,
        /// Print as JSON
        #[arg(long)]
        json: bool,
    },
    /// Put the next key in the place of the present one, and record that in the desk's log
    Rotate {
        #[command(flatten)]
        key: KeyArgs,
        /// The file of the next key
        #[arg(long, value_name = "FILE.next.key")]
        next: PathBuf,
        #[command(flatten)]
        desk: DeskArgs,
        /// The present key is not to be trusted any more: what it signs from now on does not count
        #[arg(long)]
        revoke: bool,
        /// Why, for the record
        #[arg(long)]
        reason: Option<String>,
        /// Cost of opening the new files
        #[arg(long, value_name = "N", default_value_t = tearline_store::keys::WORK_FACTOR,
            value_parser = clap::value_parser!(u8).range(10..=22))]
        work_factor: u8,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum DeskCommand {
    /// Make a desk: a folder with its log and its private records
    New {
        #[command(flatten)]
        desk: DeskArgs,
        #[command(flatten)]
        key: KeyArgs,
    },
    /// Remember a party's public keys: recipients, witnesses, colleagues
    Know {
        /// The file that was handed over
        public: PathBuf,
        #[command(flatten)]
        desk: DeskArgs,
        /// May approve waivers and grant exceptions
        #[arg(long)]
        senior: bool,
    },
    /// List whom the desk knows
    List {
        #[command(flatten)]
        desk: DeskArgs,
        /// Print as JSON
        #[arg(long)]
        json: bool,
    },
}

#[derive(Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "they are flags of the command line")]
pub(crate) struct ReleaseArgs {
    /// The report file (TOML)
    pub(crate) report: PathBuf,

    /// For whom, as named in the report
    #[arg(long)]
    pub(crate) audience: String,

    #[command(flatten)]
    pub(crate) desk: DeskArgs,

    #[command(flatten)]
    pub(crate) key: KeyArgs,

    /// The recipient's name, as in its public keys [default: the audience's name]
    #[arg(long, value_name = "NAME")]
    pub(crate) to: Option<String>,

    /// The free texts: a TOML file of tables `[[text]]` with lang, headline, description, instruction and contact
    #[arg(long, value_name = "TEXTS.toml", conflicts_with = "no_text")]
    pub(crate) texts: Option<PathBuf>,

    /// Release the details alone, without free text
    #[arg(long)]
    pub(crate) no_text: bool,

    /// Release the text although the check flagged it, for this reason; the log records it
    #[arg(long = "override", value_name = "REASON")]
    pub(crate) override_reason: Option<String>,

    /// Show more of the same token than the release before
    #[arg(long, group = "act")]
    pub(crate) extend: bool,

    /// Take the place of the release before: the report has changed
    #[arg(long, group = "act")]
    pub(crate) update: bool,

    /// What was released no longer stands
    #[arg(long, group = "act", conflicts_with_all = ["texts", "certificate", "expires"])]
    pub(crate) cancel: bool,

    /// Why it updates or cancels; the recipient reads it
    #[arg(long)]
    pub(crate) reason: Option<String>,

    /// Take back a detail that was shown, and say why: DETAIL=REASON; the recipient reads it
    #[arg(long, value_name = "DETAIL=REASON", value_parser = withdrawn, requires = "update")]
    pub(crate) withdraw: Vec<(String, String)>,

    /// Until when it is meant to stand: 2024-03-09T18:00:00Z
    #[arg(long, value_name = "TIME")]
    pub(crate) expires: Option<jiff::Timestamp>,

    /// Sign over this token alone, so that others' releases cannot be linked to this one
    #[arg(long)]
    pub(crate) own_token: bool,

    /// Release what this certificate says, instead of planning
    #[arg(long, value_name = "CERT.json")]
    pub(crate) certificate: Option<PathBuf>,

    /// How the choice is kept from being itself an observation [default: as the report asks, else the safe one]
    #[arg(long, value_enum)]
    pub(crate) mode: Option<super::ModeArg>,

    /// A policy that was made before the report, one per audience
    #[arg(long, value_name = "FILE")]
    pub(crate) policy: Vec<PathBuf>,

    /// Plan at most this long: 30s, 5m
    #[arg(long, value_name = "TIME", value_parser = super::budget)]
    pub(crate) budget: Option<std::time::Duration>,

    /// Where to write the release [default: REPORT-AUDIENCE-N.release.json]
    #[arg(long, short, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,

    /// Print what was released as JSON
    #[arg(long)]
    pub(crate) json: bool,
}

fn withdrawn(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((detail, reason)) if !detail.is_empty() && !reason.trim().is_empty() => {
            Ok((detail.into(), reason.into()))
        }
        _ => Err("expected DETAIL=REASON, like where=\"the source was mistaken\"".into()),
    }
}

#[derive(Debug, Args)]
pub(crate) struct VerifyArgs {
    /// Releases, receipts, findings or evidence bundles
    #[arg(required = true)]
    pub(crate) files: Vec<PathBuf>,

    /// Public keys that you were handed: of the originator, of recipients, of witnesses
    #[arg(long = "key", value_name = "FILE.pub")]
    pub(crate) keys: Vec<PathBuf>,

    /// Your own name: whether the release is addressed to you
    #[arg(long = "as", value_name = "NAME")]
    pub(crate) own: Option<String>,

    /// A folder with the releases that you have, to tell whether this one is the newest
    #[arg(long, value_name = "DIR")]
    pub(crate) inbox: Option<PathBuf>,

    /// Print every check as JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct SealArgs {
    /// The release
    pub(crate) release: PathBuf,

    /// The recipient's public keys
    #[arg(long, value_name = "FILE.pub")]
    pub(crate) to: PathBuf,

    /// Lock it: the recipient gets the key only for a receipt. Needs the desk and its key
    #[arg(long, requires = "key")]
    pub(crate) receipt_first: bool,

    #[command(flatten)]
    pub(crate) desk: DeskArgs,

    /// The desk's key file, with --receipt-first
    #[arg(long, value_name = "FILE.key")]
    pub(crate) key: Option<PathBuf>,

    #[command(flatten)]
    pub(crate) passphrase: PassphraseArgs,

    /// Where to write it [default: the release's name with .sealed]
    #[arg(long, short, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct OpenArgs {
    /// What was sealed to you
    pub(crate) sealed: PathBuf,

    #[command(flatten)]
    pub(crate) key: KeyArgs,

    /// The key to a locked delivery, which the originator gave for your receipt
    #[arg(long, value_name = "FILE")]
    pub(crate) unlock: Option<PathBuf>,

    /// Where to write the release
    #[arg(long, short, value_name = "FILE")]
    pub(crate) output: PathBuf,
}

#[derive(Debug, Args)]
pub(crate) struct ReceiptArgs {
    /// The release, or the locked delivery
    pub(crate) release: PathBuf,

    #[command(flatten)]
    pub(crate) key: KeyArgs,

    /// The originator's public keys that you were handed
    #[arg(long, value_name = "FILE.pub")]
    pub(crate) trust: Option<PathBuf>,

    /// A folder with the releases that you have: the receipt carries the newest checkpoint among them
    #[arg(long, value_name = "DIR")]
    pub(crate) inbox: Option<PathBuf>,

    /// Where to write it
    #[arg(long, short, value_name = "FILE")]
    pub(crate) output: PathBuf,
}

#[derive(Debug, Args)]
pub(crate) struct FindingArgs {
    /// The release
    pub(crate) release: PathBuf,

    #[command(flatten)]
    pub(crate) key: KeyArgs,

    /// The originator's public keys that you were handed
    #[arg(long, value_name = "FILE.pub")]
    pub(crate) trust: Option<PathBuf>,

    /// The detail, as named in the release
    #[arg(long)]
    pub(crate) detail: String,

    /// What you found
    #[arg(long, value_enum)]
    pub(crate) verdict: VerdictArg,

    /// What you hold instead; needed where it conflicts
    #[arg(long)]
    pub(crate) value: Option<String>,

    /// On what it rests
    #[arg(long)]
    pub(crate) text: Option<String>,

    /// Where to write it
    #[arg(long, short, value_name = "FILE")]
    pub(crate) output: PathBuf,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum VerdictArg {
    /// It holds
    Confirmed,
    /// It does not hold
    Refuted,
    /// You hold something else
    Conflicting,
    /// You acted on it
    ActedOn,
}

impl From<VerdictArg> for Verdict {
    fn from(verdict: VerdictArg) -> Self {
        match verdict {
            VerdictArg::Confirmed => Self::Confirmed,
            VerdictArg::Refuted => Self::Refuted,
            VerdictArg::Conflicting => Self::Conflicting,
            VerdictArg::ActedOn => Self::ActedOn,
        }
    }
}

#[derive(Debug, Args)]
pub(crate) struct AcceptArgs {
    /// A receipt, a finding or a cosignature that came back
    pub(crate) answer: PathBuf,

    #[command(flatten)]
    pub(crate) desk: DeskArgs,

    #[command(flatten)]
    pub(crate) key: KeyArgs,

    /// Where to write the key to a locked delivery, if the receipt is for one
    #[arg(long, value_name = "FILE")]
    pub(crate) unlock: Option<PathBuf>,

    /// Print as JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct EvidenceArgs {
    /// The release of which it is to give evidence
    pub(crate) release: PathBuf,

    #[command(flatten)]
    pub(crate) desk: DeskArgs,

    /// Where to write the bundle
    #[arg(long, short, value_name = "CASE.tearline")]
    pub(crate) output: PathBuf,

    /// Say to whom it went, with receipts and findings
    #[arg(long)]
    pub(crate) reveal_recipient: bool,

    /// Add the determinations on the report
    #[arg(long)]
    pub(crate) with_determinations: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum LogCommand {
    /// List what the desk recorded: for the desk's own eyes
    List {
        #[command(flatten)]
        desk: DeskArgs,
        /// Only what concerns this report
        #[arg(long, value_name = "ID")]
        report: Option<String>,
        /// Print as JSON
        #[arg(long)]
        json: bool,
    },
    /// Print the proof that an entry stands in the log
    Prove {
        /// Number of the entry, from 0
        index: u64,
        #[command(flatten)]
        desk: DeskArgs,
        /// As a COSE receipt (RFC 9942), written to this file
        #[arg(long, value_name = "FILE", requires = "key")]
        cose: Option<PathBuf>,
        /// The desk's key file, with --cose
        #[arg(long, value_name = "FILE.key")]
        key: Option<PathBuf>,
        #[command(flatten)]
        passphrase: PassphraseArgs,
    },
    /// Check a copy of a log against the originator's key and the releases that you have
    Verify {
        /// The log's public folder
        folder: PathBuf,
        /// The originator's public keys
        #[arg(long = "key", value_name = "FILE.pub")]
        keys: Vec<PathBuf>,
        /// Releases whose checkpoints it must continue
        releases: Vec<PathBuf>,
        /// Print as JSON
        #[arg(long)]
        json: bool,
    },
    /// Derive the whole log anew from its entries, and the desk's records with it
    Fsck {
        #[command(flatten)]
        desk: DeskArgs,
        /// Print as JSON
        #[arg(long)]
        json: bool,
    },
    /// Cosign the newest checkpoint of somebody's log, if it continues what you cosigned before
    Witness {
        /// The log's public folder, or a copy of it
        folder: PathBuf,
        /// The originator's public keys
        #[arg(long, value_name = "FILE.pub")]
        of: PathBuf,
        #[command(flatten)]
        key: KeyArgs,
        /// Where you remember what you cosigned
        #[arg(long, value_name = "FILE", default_value = "witness.json")]
        state: PathBuf,
        /// Where to write the cosignature, to be sent to the originator
        #[arg(long, short, value_name = "FILE")]
        output: PathBuf,
    },
}

impl LogCommand {
    /// Whether the answer is asked for as JSON.
    pub(crate) fn json(&self) -> bool {
        matches!(
            self,
            Self::List { json: true, .. } | Self::Verify { json: true, .. } | Self::Fsck { json: true, .. }
        )
    }
}

#[derive(Debug, Subcommand)]
pub(crate) enum DetermineCommand {
    /// Draft the duty-to-warn determination (ICD 191) on a report
    Draft {
        /// The report file (TOML)
        report: PathBuf,
        #[command(flatten)]
        key: KeyArgs,
        /// What is threatened
        #[arg(long, value_enum)]
        threat: ThreatArg,
        /// The information is credible
        #[arg(long)]
        credible: bool,
        /// The information is specific
        #[arg(long)]
        specific: bool,
        /// The threat is impending
        #[arg(long)]
        impending: bool,
        /// What is to be done
        #[arg(long, value_enum)]
        decision: DecisionArg,
        /// Why the duty is waived
        #[arg(long, value_enum)]
        waiver: Option<WaiverArg>,
        /// On what this rests
        #[arg(long)]
        basis: String,
        /// Where to write it
        #[arg(long, short, value_name = "FILE")]
        output: PathBuf,
    },
    /// Approve another person's draft, and record both in the log
    Approve {
        /// The draft
        draft: PathBuf,
        #[command(flatten)]
        key: KeyArgs,
        /// The desk's own key file, with which the log is signed
        #[arg(long, value_name = "FILE.key")]
        desk_key: PathBuf,
        #[command(flatten)]
        desk: DeskArgs,
        /// Where to write the approved determination
        #[arg(long, short, value_name = "FILE")]
        output: PathBuf,
    },
    /// Record an exception from the No Double Standard rule, by a senior
    Exception {
        /// The report file (TOML)
        report: PathBuf,
        /// The audience that may be told more than the public
        #[arg(long)]
        audience: String,
        /// Why
        #[arg(long)]
        reason: String,
        #[command(flatten)]
        key: KeyArgs,
        /// The desk's own key file, with which the log is signed
        #[arg(long, value_name = "FILE.key")]
        desk_key: PathBuf,
        #[command(flatten)]
        desk: DeskArgs,
    },
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum ThreatArg {
    /// Intentional killing
    Killing,
    /// Serious bodily injury
    SeriousInjury,
    /// Kidnapping
    Kidnapping,
    /// None of these
    Other,
}

impl From<ThreatArg> for Threat {
    fn from(threat: ThreatArg) -> Self {
        match threat {
            ThreatArg::Killing => Self::Killing,
            ThreatArg::SeriousInjury => Self::SeriousInjury,
            ThreatArg::Kidnapping => Self::Kidnapping,
            ThreatArg::Other => Self::Other,
        }
    }
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum DecisionArg {
    /// There is a duty, and the warning is given
    Warn,
    /// There is a duty, and it is waived
    Waive,
    /// There is no duty
    NoDuty,
}

impl From<DecisionArg> for Decision {
    fn from(decision: DecisionArg) -> Self {
        match decision {
            DecisionArg::Warn => Self::Warn,
            DecisionArg::Waive => Self::Waive,
            DecisionArg::NoDuty => Self::NoDuty,
        }
    }
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum WaiverArg {
    /// Those in danger, or those who protect them, already know of this threat
    AlreadyAware,
    /// They are at risk only because they take part in an armed conflict
    ArmedConflict,
    /// They are terrorists or their supporters, assassins, drug traffickers or violent criminals
    ViolentActor,
    /// Any warning would unduly endanger one's own personnel, sources, methods or operations
    EndangersOwn,
    /// It came from a foreign government in liaison, and any warning would unduly endanger theirs
    EndangersLiaison,
    /// There is no reasonable way to warn
    NoReasonableWay,
}

impl From<WaiverArg> for WaiverReason {
    fn from(reason: WaiverArg) -> Self {
        match reason {
            WaiverArg::AlreadyAware => Self::AlreadyAware,
            WaiverArg::ArmedConflict => Self::ArmedConflict,
            WaiverArg::ViolentActor => Self::ViolentActor,
            WaiverArg::EndangersOwn => Self::EndangersOwn,
            WaiverArg::EndangersLiaison => Self::EndangersLiaison,
            WaiverArg::NoReasonableWay => Self::NoReasonableWay,
        }
    }
}
