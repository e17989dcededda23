//! `tearline key` and `tearline desk`: who one is, and whom one knows.

use super::book::{Book, records};
use super::files;
use crate::args::{DeskCommand, KeyCommand};
use crate::failure::{Ending, Usage};
use crate::output;
use anyhow::{Context, Result, bail};
use serde::Serialize;
use std::path::{Path, PathBuf};
use tearline_disclosure::bytes::{Bytes, Digest};
use tearline_disclosure::entry::Kind;
use tearline_disclosure::identity::{self, PublicKeys, check_name};
use tearline_disclosure::statement::{Action, Countersignature, KeyEvent, Signed};
use tearline_log::note::{KeyKind, VerifierKey};
use tearline_store::desk::Party;
use tearline_store::keys::{NextKey, SecretKeys, random};

/// The public keys that belong to secret ones.
pub(super) fn public_of(keys: &SecretKeys) -> Result<PublicKeys> {
    let name = keys.name();
    let verifier = |role: &str, kind, key: ed25519_dalek::SigningKey| {
        VerifierKey::new(&format!("{name}/{role}"), kind, key.verifying_key()).map(|key| key.to_string())
    };
    let public = PublicKeys {
        version: identity::VERSION,
        name: name.to_owned(),
        sign: Bytes(keys.sign().verifying_key().to_bytes()),
        next_sha256: Digest::read(keys.next_sha256()).context("the key file does not name the next key")?,
        seal: keys.recipient(),
        log: verifier("log", KeyKind::Log, keys.log())?,
        witness: verifier("witness", KeyKind::Witness, keys.witness())?,
    };
    public.check()?;
    Ok(public)
}

/// Runs `tearline key`.
pub(crate) fn key(command: &KeyCommand) -> Result<Ending> {
    match command {
        KeyCommand::New { name, output, work_factor, passphrase } => {
            check_name(name).map_err(|what| Usage(format!("{name:?} cannot be a name: {what}")))?;
            let stem = output.clone().unwrap_or_else(|| PathBuf::from(name));
            let (key, next, public) = (ending(&stem, "key"), ending(&stem, "next.key"), ending(&stem, "pub"));
            if let Some(there) = [&key, &next, &public].into_iter().find(|path| path.exists()) {
                bail!(
                    "{} is there already; keys are never overwritten. Choose another name with --output",
                    there.display()
                );
            }
            let phrase = files::passphrase(passphrase, "New passphrase")?;
            if passphrase.passphrase_file.is_none() && files::passphrase(passphrase, "Once more")? != phrase {
                bail!("the two passphrases differ");
            }
            let following = NextKey::generate(name)?;
            let keys = SecretKeys::generate(name, next_digest(&following))?;
            let handed = public_of(&keys)?;
            files::write_secret(&key, &keys.seal_by(&phrase, *work_factor)?)?;
            files::write_secret(&next, &following.seal_by(&phrase, *work_factor)?)?;
            files::write(&public, &handed)?;
            output::to_stdout(&format!(
                "{}   keep it: it signs as {name}\n{}   keep it elsewhere: it takes over when the other is lost\n{}   \
                 hand it out\n\nFingerprint: {}\n",
                key.display(),
                next.display(),
                public.display(),
                handed.fingerprint()
            ))?;
        }
        KeyCommand::Show { public, json } => {
            let keys = files::public(public)?;
            let text = if *json {
                output::json(&Shown { keys: &keys, kid: keys.kid(), fingerprint: keys.fingerprint() })
            } else {
                format!(
                    "Name:        {}\nFingerprint: {}\nSigns as:    {}\nSealed to:   {}\nLog:         {}\nCosigns as:  {}\n",
                    keys.name,
                    keys.fingerprint(),
                    keys.kid(),
                    keys.seal,
                    keys.log,
                    keys.witness
                )
            };
            output::to_stdout(&text)?;
        }
        KeyCommand::Rotate { key, next, desk, revoke, reason, work_factor } => {
            let phrase = files::passphrase(&key.passphrase, &format!("Passphrase of {}", key.key.display()))?;
            let keys = SecretKeys::open(&files::bytes(&key.key)?, &phrase)
                .with_context(|| format!("{} cannot be opened", key.key.display()))?;
            let following = NextKey::open(&files::bytes(next)?, &phrase)
                .with_context(|| format!("{} cannot be opened", next.display()))?;
            let after = NextKey::generate(keys.name())?;
            let rotated = keys.rotated(&following, next_digest(&after));
            let (old, new) = (public_of(&keys)?, public_of(&rotated)?);
            if old.next_sha256 != Digest::of(&new.sign.0) {
                bail!("{} is not the next key that {} was made with", next.display(), key.key.display());
            }
            let mut book = Book::open(&desk.desk, &keys)?;
            let iat = book.time()?;
            let action = if *revoke { Action::Revoke } else { Action::Rotate };
            let event = KeyEvent {
                v: 1,
                iss: old.name.clone(),
                iat,
                jti: Bytes(random()?),
                action,
                old,
                new: new.clone(),
                reason: reason.clone(),
            };
            let signer = if *revoke { rotated.sign() } else { keys.sign() };
            let signed = Signed::sign(event, &signer);
            let counter = Countersignature { v: 1, iss: new.name.clone(), iat, event: signed.digest() };
            let counter = Signed::sign(counter, &rotated.sign());
            // The new files are there before the log says so: a crash in between leaves both, and nothing lost.
            let (new_key, new_next) = (
                ending(&key.key.with_extension(""), "new.key"),
                ending(&next.with_extension("").with_extension(""), "new.next.key"),
            );
            files::write_secret(&new_key, &rotated.seal_by(&phrase, *work_factor)?)?;
            files::write_secret(&new_next, &after.seal_by(&phrase, *work_factor)?)?;
            book.record(
                Kind::Key,
                "",
                "",
                &signed.jws,
                signed.digest(),
                &serde_json::json!({"countersignature": counter.jws}),
                &[],
            )?;
            book.desk.set_keys(&serde_json::to_string(&new)?)?;
            let public = ending(&key.key.with_extension(""), "pub");
            files::write(&public, &new)?;
            std::fs::rename(&new_key, &key.key)
                .with_context(|| format!("{} cannot be put in its place", new_key.display()))?;
            std::fs::rename(&new_next, next)
                .with_context(|| format!("{} cannot be put in its place", new_next.display()))?;
            output::to_stdout(&format!(
                "The key of {} was {}. Hand out {}; its fingerprint is {}\n",
                new.name,
                if *revoke { "revoked, and another took its place" } else { "rotated" },
                public.display(),
                new.fingerprint()
            ))?;
        }
    }
    Ok(Ending::Done)
}

#[derive(Serialize)]
struct Shown<'a> {
    #[serde(flatten)]
    keys: &'a PublicKeys,
    kid: String,
    fingerprint: String,
}

fn next_digest(next: &NextKey) -> String {
    Digest::of(&next.sign().verifying_key().to_bytes()).to_string()
}

/// A path with something added to its name.
fn ending(stem: &Path, with: &str) -> PathBuf {
    let mut name = stem.as_os_str().to_owned();
    name.push(".");
    name.push(with);
    PathBuf::from(name)
}

/// Runs `tearline desk`.
pub(crate) fn desk(command: &DeskCommand) -> Result<Ending> {
    match command {
        DeskCommand::New { desk, key } => {
            let keys = files::secret(&key.key, &key.passphrase)?;
            let public = public_of(&keys)?;
            Book::create(&desk.desk, &keys, &serde_json::to_string(&public)?)?;
            output::to_stdout(&format!(
                "{}   a desk of {}, with the log {}\nIts folder `log` can be copied and served to anybody; nothing \
                 else in it may leave the desk.\n",
                desk.desk.display(),
                public.name,
                public.log_origin()
            ))?;
        }
        DeskCommand::Know { public, desk, senior } => {
            let keys = files::public(public)?;
            let records = records(&desk.desk)?;
            let party =
                Party { name: keys.name.clone(), keys: serde_json::to_string(&keys)?, senior: *senior };
            records.know(&party)?;
            output::to_stdout(&format!("{}   {}\n", keys.name, keys.fingerprint()))?;
        }
        DeskCommand::List { desk, json } => {
            let records = records(&desk.desk)?;
            let mut known = Vec::new();
            for party in records.parties()? {
                let keys = PublicKeys::read(party.keys.as_bytes())?;
                known.push(Known { fingerprint: keys.fingerprint(), keys, senior: party.senior });
            }
            let text = if *json {
                output::json(&known)
            } else {
                let line = |known: &Known| {
                    let senior = if known.senior { "   senior" } else { "" };
                    format!("{}   {}{senior}\n", known.keys.name, known.fingerprint)
                };
                known.iter().map(line).collect()
            };
            output::to_stdout(&text)?;
        }
    }
    Ok(Ending::Done)
}

#[derive(Serialize)]
struct Known {
    #[serde(flatten)]
    keys: PublicKeys,
    fingerprint: String,
    senior: bool,
}
