//! `tearline accept`: what comes back from recipients and witnesses, checked and recorded.

use super::book::{Book, party};
use super::files;
use crate::args::AcceptArgs;
use crate::failure::{Ending, Usage};
use crate::output;
use anyhow::{Context, Result, bail};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Serialize;
use tearline_disclosure::bytes::{Bytes, Digest};
use tearline_disclosure::entry::Kind;
use tearline_disclosure::files::{AnswerFile, CosignatureFile, File, UnlockFile, VERSION};
use tearline_disclosure::identity::PublicKeys;
use tearline_disclosure::statement::{Acknowledged, Finding, Receipt, Signed, Unlock};
use tearline_disclosure::verify::{self, PUBLIC, Trust};
use tearline_log::checkpoint::SignedCheckpoint;
use tearline_store::desk::Record;
use tearline_store::keys::{SecretKeys, random};
use tearline_store::seal;

/// What was accepted, as `--json` prints it.
#[derive(Serialize)]
#[serde(tag = "accepted", rename_all = "kebab-case")]
enum Accepted {
    Receipt { from: String, release: Option<Digest> },
    Finding { from: String, detail: String, verdict: String },
    Cosignature { witness: String, time: u64 },
}

/// Runs the subcommand.
pub(crate) fn run(args: &AcceptArgs) -> Result<Ending> {
    let file = files::file(&args.answer)?;
    let keys = files::secret(&args.key.key, &args.key.passphrase)?;
    let mut book = Book::open(&args.desk.desk, &keys)?;
    let (accepted, text) = match file {
        File::Answer(file) => answer(args, &file, &keys, &mut book)?,
        File::Cosignature(file) => cosignature(&file, &mut book)?,
        other => bail!(
            "{} is {}; receipts, findings and cosignatures are accepted",
            args.answer.display(),
            other.kind()
        ),
    };
    output::to_stdout(&if args.json { output::json(&accepted) } else { text })?;
    Ok(Ending::Done)
}

fn answer(
    args: &AcceptArgs,
    file: &AnswerFile,
    keys: &SecretKeys,
    book: &mut Book,
) -> Result<(Accepted, String)> {
    let (signer, _) = party(&book.desk, &file.signer.name)?;
    let trust = Trust { keys: vec![signer.clone()], own: None };
    let view = verify::answer(file, None, &trust);
    if let Some(failed) = view.checks.failed() {
        bail!("it does not hold: {}: {}", failed.name, failed.what);
    }
    match (view.receipt, view.finding) {
        (Some(receipt), _) => accept_receipt(args, &signer, &receipt, keys, book),
        (_, Some(finding)) => accept_finding(&signer, &finding, book),
        (None, None) => bail!("it is neither a receipt nor a finding"),
    }
}

/// The release that an answer is on: one of this desk's, to this recipient.
fn released(book: &Book, digest: Digest, from: &str) -> Result<(Record, super::standing::About)> {
    let record = book.desk.by_digest(&digest.to_string())?.filter(|record| record.kind == "release");
    let record = record.context("it answers a release that this desk did not make")?;
    let about: super::standing::About = serde_json::from_str(&record.about)?;
    if about.recipient.name != from && about.recipient.name != PUBLIC {
        bail!(
            "{from} answers a release that went to somebody else: it was passed on. Keep the file; it is evidence of that"
        );
    }
    Ok((record, about))
}

fn accept_receipt(
    args: &AcceptArgs,
    signer: &PublicKeys,
    receipt: &Signed<Receipt>,
    keys: &SecretKeys,
    book: &mut Book,
) -> Result<(Accepted, String)> {
    let own = super::keys::public_of(keys)?;
    if receipt.content.aud != own.name || receipt.content.log != own.log_origin() {
        bail!(
            "the receipt is for {} and its log {}, and not for this desk",
            receipt.content.aud,
            receipt.content.log
        );
    }
    let seen =
        receipt.content.checkpoint.as_deref().map(|note| same_history(book, &own, note)).transpose()?;
    let (report, audience, release, locked) = match receipt.content.of {
        Acknowledged::Release { release, .. } => {
            let (record, _) = released(book, release, &signer.name)?;
            (record.report, record.audience, Some(release), None)
        }
        Acknowledged::Delivery { delivery, .. } => {
            let Some(secret) = book.desk.kept(&format!("unlock/{delivery}"))? else {
                bail!("the receipt is for a delivery that this desk did not make");
            };
            let Some(path) = &args.unlock else {
                return Err(Usage(
                    "the receipt is for a locked delivery: say with --unlock where to write its key".into(),
                )
                .into());
            };
            (String::new(), String::new(), None, Some((delivery, secret, path)))
        }
    };
    once(book, receipt.digest(), |book| {
        let digest = receipt.digest();
        book.record(Kind::Receipt, &report, &audience, &receipt.jws, digest, &about(signer), &[]).map(drop)
    })?;
    // The key is given only once the receipt for it is recorded.
    let mut note = String::new();
    if let Some((delivery, secret, path)) = locked {
        let unlock = Unlock {
            v: 1,
            iss: own.name.clone(),
            iat: book.time()?,
            jti: Bytes(random()?),
            delivery,
            receipt: receipt.digest(),
        };
        let unlock = Signed::sign(unlock, &keys.sign());
        book.record(Kind::Unlock, "", "", &unlock.jws, unlock.digest(), &serde_json::json!({}), &[])?;
        let key = STANDARD.encode(seal::seal(&signer.seal, &secret)?);
        files::write(path, &UnlockFile { version: VERSION, delivery, key })?;
        note = format!("{}   the key to the delivery, for {} alone\n", path.display(), signer.name);
    }
    if let Some(size) = seen {
        let place = format!("seen/{}", signer.name);
        let before =
            book.desk.kept(&place)?.and_then(|seen| String::from_utf8(seen).ok()?.parse::<u64>().ok());
        book.desk.keep(&place, size.max(before.unwrap_or(0)).to_string().as_bytes())?;
    }
    let text = format!("The receipt of {} is sound and recorded.\n{note}", signer.name);
    Ok((Accepted::Receipt { from: signer.name.clone(), release }, text))
}

fn about(signer: &PublicKeys) -> serde_json::Value {
    serde_json::json!({ "signer": signer })
}

/// Records what is not recorded yet; the same answer twice is one answer.
fn once(book: &mut Book, digest: Digest, record: impl FnOnce(&mut Book) -> Result<()>) -> Result<()> {
    if book.desk.by_digest(&digest.to_string())?.is_some() { Ok(()) } else { record(book) }
}

/// Whether a checkpoint that a recipient has seen is one of this log. Returns its size.
fn same_history(book: &Book, own: &PublicKeys, note: &str) -> Result<u64> {
    let seen = SignedCheckpoint::open(note.as_bytes(), &own.log.parse()?)
        .context("the checkpoint in the receipt is not one that this log signed")?;
    let rolled = || {
        format!(
            "the recipient has seen a checkpoint of {} entries that this log does not have. Either this log was rolled back \
             or put back from an old copy, or somebody else signs with its key. Nothing was recorded. Keep the receipt, stop \
             releasing, and run `tearline log fsck`",
            seen.size()
        )
    };
    if seen.size() > book.checkpoint().size() {
        bail!(rolled());
    }
    let (root, _) = book.reader().consistency(seen.size(), book.checkpoint())?;
    if root != seen.root() {
        bail!(rolled());
    }
    Ok(seen.size())
}

fn accept_finding(
    signer: &PublicKeys,
    finding: &Signed<Finding>,
    book: &mut Book,
) -> Result<(Accepted, String)> {
    let content = &finding.content;
    let (record, about_release) = released(book, content.release, &signer.name)?;
    if about_release.levels.get(&content.detail).is_none_or(|&level| level < content.level) {
        bail!("it is on a detail, or a level of it, that the release did not show");
    }
    once(book, finding.digest(), |book| {
        let (report, audience) = (&record.report, &record.audience);
        book.record(Kind::Finding, report, audience, &finding.jws, finding.digest(), &about(signer), &[])
            .map(drop)
    })?;
    let verdict = serde_json::to_value(content.verdict)?.as_str().unwrap_or_default().to_owned();
    let value = content.value.as_ref().map(|value| format!("; they hold {value:?}")).unwrap_or_default();
    let text = format!("{} on {:?}: {verdict}{value}. Recorded.\n", signer.name, content.detail);
    Ok((Accepted::Finding { from: signer.name.clone(), detail: content.detail.clone(), verdict }, text))
}

fn cosignature(file: &CosignatureFile, book: &mut Book) -> Result<(Accepted, String)> {
    let (witness, _) = party(&book.desk, &file.witness.name)?;
    let added = book.cosign(&file.checkpoint, &witness.witness.parse()?)?;
    let Some((name, time)) = added.into_iter().next() else {
        bail!("it holds no cosignature by {} on the newest checkpoint", witness.name);
    };
    let text = format!("{name} cosigned the newest checkpoint at {}.\n", files::time(time));
    Ok((Accepted::Cosignature { witness: name, time }, text))
}
