//! `tearline log`: what was recorded, and that nobody rewrote it.

use super::book::{Shelf, opening, signer};
use super::files;
use super::keys::public_of;
use crate::args::LogCommand;
use crate::failure::Ending;
use crate::output;
use crate::render::text::count;
use anyhow::{Context, Result, bail};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::Path;
use tearline_disclosure::bytes::{Bytes, Digest};
use tearline_disclosure::files::{CosignatureFile, File, VERSION};
use tearline_log::checkpoint::SignedCheckpoint;
use tearline_log::hash::Hash;
use tearline_log::note::{KeyKind, Signer, VerifierKey};
use tearline_log::proof::EntryProof;
use tearline_log::{cose, cosignature, witness};
use tearline_store::log_folder::fsck::fsck;
use tearline_store::log_folder::reader::Reader;

/// Runs the subcommand.
pub(crate) fn run(command: &LogCommand) -> Result<Ending> {
    match command {
        LogCommand::List { desk, report, json } => list(&desk.desk, report.as_deref(), *json),
        LogCommand::Prove { index, desk, cose, key, passphrase } => {
            let shelf = Shelf::open(&desk.desk)?;
            let (_, proof) = shelf.reader.entry_proof(&shelf.checkpoint, *index)?;
            if let (Some(path), Some(key)) = (cose, key) {
                let keys = files::secret(key, passphrase)?;
                let signer = signer(&keys)?;
                let (size, root) = (shelf.checkpoint.size(), shelf.checkpoint.root());
                output::to_file(path, &cose::receipt(&signer, *index, size, &proof.path, root))?;
            }
            output::to_stdout(&proof.to_string())?;
            Ok(Ending::Done)
        }
        LogCommand::Verify { folder, keys, releases, json } => check_copy(folder, keys, releases, *json),
        LogCommand::Fsck { desk, json } => check_desk(&desk.desk, *json),
        LogCommand::Witness { folder, of, key, state, output } => {
            let keys = files::secret(&key.key, &key.passphrase)?;
            cosign(folder, of, &keys, state, output)
        }
    }
}

#[derive(Serialize)]
struct Listed {
    entry: u64,
    time: u64,
    kind: String,
    report: String,
    audience: String,
    digest: String,
}

fn list(desk: &Path, report: Option<&str>, json: bool) -> Result<Ending> {
    let shelf = Shelf::open(desk)?;
    let records = shelf.desk.records(report.unwrap_or_default())?;
    let listed: Vec<Listed> = records
        .into_iter()
        .map(|record| Listed {
            entry: record.place.unwrap_or_default(),
            time: record.time,
            kind: record.kind,
            report: record.report,
            audience: record.audience,
            digest: record.digest,
        })
        .collect();
    let text = if json {
        output::json(&listed)
    } else {
        let line = |entry: &str, time: &str, kind: &str, report: &str, audience: &str| {
            format!("{entry:>8}  {time:23}  {kind:13}  {report:16}  {audience}\n")
        };
        let mut lines = vec![line("entry", "time", "kind", "report", "audience")];
        lines.extend(listed.iter().map(|of| {
            line(&of.entry.to_string(), &files::time(of.time), &of.kind, &of.report, &of.audience)
        }));
        lines.concat()
    };
    output::to_stdout(&text)?;
    Ok(Ending::Done)
}

#[derive(Serialize)]
struct Sound {
    passed: bool,
    entries: u64,
    problems: Vec<String>,
}

fn say(sound: &Sound, json: bool) -> Result<Ending> {
    let text = if json {
        output::json(sound)
    } else if sound.passed {
        format!(
            "Sound: {} entries, and everything derived from them is as it was signed.\n",
            count(sound.entries)
        )
    } else {
        sound.problems.iter().map(|problem| format!("✗ {problem}\n")).collect::<Vec<_>>().concat()
    };
    output::to_stdout(&text)?;
    Ok(if sound.passed { Ending::Done } else { Ending::No })
}

/// A copy of somebody's log, and the checkpoints that were seen of it.
fn check_copy(
    folder: &Path,
    keys: &[std::path::PathBuf],
    releases: &[std::path::PathBuf],
    json: bool,
) -> Result<Ending> {
    let keys = keys.iter().map(|path| files::public(path)).collect::<Result<Vec<_>>>()?;
    let Some(of) = keys.first() else { bail!("give the originator's public keys with --key") };
    let reader = Reader::new(folder, of.log.parse()?);
    let report = fsck(&reader)?;
    let mut problems: Vec<String> = report.problems.iter().map(ToString::to_string).collect();
    if let Some(checkpoint) = &report.checkpoint {
        for path in releases {
            let File::Release(file) = files::file(path)? else {
                bail!("{} is not a release", path.display())
            };
            let proof = EntryProof::read(file.logged.proof.as_bytes())
                .with_context(|| format!("{} does not hold", path.display()))?;
            let seen = SignedCheckpoint::open(proof.checkpoint.to_string().as_bytes(), reader.key())
                .with_context(|| format!("the checkpoint in {} does not hold", path.display()))?;
            let same = seen.size() <= checkpoint.size()
                && problems.is_empty()
                && reader.consistency(seen.size(), checkpoint)?.0 == seen.root();
            if !same {
                problems.push(format!(
                    "the log does not continue the checkpoint of {} entries in {}: it was forked, rewritten or rolled back. \
                     Keep both; together they are the proof",
                    seen.size(),
                    path.display()
                ));
            }
        }
    }
    say(&Sound { passed: problems.is_empty(), entries: report.entries, problems }, json)
}

/// The desk's own log, and that its private records open the entries that they say they open.
fn check_desk(desk: &Path, json: bool) -> Result<Ending> {
    let shelf = Shelf::open(desk)?;
    let report = fsck(&shelf.reader)?;
    let mut problems: Vec<String> = report.problems.iter().map(ToString::to_string).collect();
    if problems.is_empty() {
        for record in shelf.desk.records("")? {
            let place = record.place.unwrap_or_default();
            let entry = if place < shelf.checkpoint.size() {
                Some(shelf.reader.entry(&shelf.checkpoint, place)?)
            } else {
                None
            };
            if entry.as_deref() != Some(&opening(&record)?.entry(&record.payload)[..]) {
                problems
                    .push(format!("record {} of the desk does not open entry {place} of the log", record.id));
            }
        }
    }
    say(&Sound { passed: problems.is_empty(), entries: report.entries, problems }, json)
}

/// What a witness remembers: by log, size and root.
#[derive(Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct State {
    #[serde(rename = "tearline-witness")]
    version: u32,
    logs: BTreeMap<String, Seen>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Seen {
    size: u64,
    root: Digest,
    time: u64,
}

fn cosign(
    folder: &Path,
    of: &Path,
    keys: &tearline_store::keys::SecretKeys,
    path: &Path,
    output: &Path,
) -> Result<Ending> {
    let of = files::public(of)?;
    let log: VerifierKey = of.log.parse()?;
    let mut state: State = if path.exists() {
        serde_json::from_slice(&files::bytes(path)?).with_context(|| {
            format!(
                "{} is not what a witness remembers. Without it nothing is cosigned; restore it",
                path.display()
            )
        })?
    } else {
        State { version: 1, ..State::default() }
    };
    let reader = Reader::new(folder, log.clone());
    let checkpoint = reader.checkpoint()?;
    let before = state.logs.get(of.log_origin());
    let seen = before.map(|seen| witness::Seen { size: seen.size, root: Hash(seen.root.0) });
    let old = seen.map_or(0, |seen| seen.size);
    if old > checkpoint.size() {
        output::to_stdout(&format!(
            "✗ Not cosigned: the log has {} entries, and had {old} when it was cosigned last: it was rolled back.\n",
            checkpoint.size()
        ))?;
        return Ok(Ending::No);
    }
    let request = reader.witness_request(old, &checkpoint)?;
    let checked = match witness::check(&request, seen, Some(&log)) {
        Ok(checked) => checked,
        Err(refused) => {
            output::to_stdout(&format!("✗ Not cosigned: {refused}.\n"))?;
            return Ok(Ending::No);
        }
    };
    let time = files::now().max(before.map_or(0, |seen| seen.time));
    let signer = Signer::new(&format!("{}/witness", keys.name()), KeyKind::Witness, keys.witness())?;
    let line = cosignature::cosign(&checked, &signer, time)?;
    let mut note = checked.note().clone();
    note.add(line);
    // Remembered before it is given out: a witness never forgets what it cosigned.
    let seen = Seen { size: checked.size(), root: Bytes(checked.root().0), time };
    state.logs.insert(of.log_origin().to_owned(), seen);
    files::write(path, &state)?;
    let file = CosignatureFile { version: VERSION, witness: public_of(keys)?, checkpoint: note.to_string() };
    files::write(output, &file)?;
    output::to_stdout(&format!(
        "Cosigned: {} entries of {}, a continuation of the {} seen before.\n{}   send it to the originator\n",
        count(checked.size()),
        of.log_origin(),
        count(old),
        output.display()
    ))?;
    Ok(Ending::Done)
}
