//! `tearline receipt` and `tearline finding`: what a recipient signs.

use super::keys::public_of;
use super::{files, verify};
use crate::args::{FindingArgs, ReceiptArgs};
use crate::failure::{Ending, Usage};
use crate::output;
use anyhow::{Context, Result, bail};
use std::path::Path;
use tearline_disclosure::bytes::{Bytes, Digest};
use tearline_disclosure::files::{AnswerFile, DeliveryFile, File, VERSION};
use tearline_disclosure::statement::{Acknowledged, Delivery, Finding, Receipt, Signed, recipient};
use tearline_disclosure::verify::{PUBLIC, Trust};
use tearline_store::keys::{SecretKeys, random};

fn trust(path: Option<&Path>, own: &str) -> Result<Trust> {
    let keys = path.map(files::public).transpose()?.into_iter().collect();
    Ok(Trust { keys, own: Some(own.to_owned()) })
}

/// Runs `tearline receipt`.
pub(crate) fn receipt(args: &ReceiptArgs) -> Result<Ending> {
    let keys = files::secret(&args.key.key, &args.key.passphrase)?;
    let trust = trust(args.trust.as_deref(), keys.name())?;
    let (of, aud, log, nonce, mut newest) = match files::file(&args.release)? {
        File::Delivery(file) => {
            let signed = delivered(&file, &trust, keys.name())?;
            let locked = Digest::of(file.locked.as_bytes());
            let of = Acknowledged::Delivery { delivery: signed.digest(), locked };
            (of, signed.content.iss, signed.content.log, signed.content.nonce, None)
        }
        File::Release(_) => {
            let (_, view) = verify::sound(&args.release, &trust)?;
            let statement = view.statement.context("a sound release has a statement")?;
            let of =
                Acknowledged::Release { release: statement.digest(), sd_hash: statement.content.sd_hash };
            let place = view.place.context("a sound release has a place")?;
            let newest = (place.checkpoint.size(), place.checkpoint.to_string());
            (of, statement.content.iss, statement.content.log, statement.content.nonce, Some(newest))
        }
        other => bail!(
            "{} is {}; a receipt is for a release or a locked delivery",
            args.release.display(),
            other.kind()
        ),
    };
    for (_, file) in
        args.inbox.as_deref().map(|folder| verify::inbox(folder, &[])).transpose()?.unwrap_or_default()
    {
        let view = tearline_disclosure::verify::release(&file, &trust);
        let Some(place) = view.place.filter(|place| place.checkpoint.checkpoint().origin == log) else {
            continue;
        };
        if newest.as_ref().is_none_or(|(size, _)| *size < place.checkpoint.size()) {
            newest = Some((place.checkpoint.size(), place.checkpoint.to_string()));
        }
    }
    let receipt = Receipt {
        v: 1,
        iss: keys.name().to_owned(),
        iat: files::now(),
        jti: Bytes(random()?),
        aud,
        log,
        of,
        nonce,
        checkpoint: newest.map(|(_, note)| note),
    };
    answered(&keys, Signed::sign(receipt, &keys.sign()).jws, &args.output)
}

/// Runs `tearline finding`.
pub(crate) fn finding(args: &FindingArgs) -> Result<Ending> {
    let keys = files::secret(&args.key.key, &args.key.passphrase)?;
    let trust = trust(args.trust.as_deref(), keys.name())?;
    let (_, view) = verify::sound(&args.release, &trust)?;
    let statement = view.statement.context("a sound release has a statement")?;
    let verdict = args.verdict.into();
    if verdict == tearline_disclosure::statement::Verdict::Conflicting && args.value.is_none() {
        return Err(Usage("a conflicting finding says what you hold instead: --value".into()).into());
    }
    let shown = view.shown.as_ref().map(|shown| shown.details.as_slice()).unwrap_or_default();
    let Some(detail) = shown.iter().find(|detail| detail.name == args.detail) else {
        let names: Vec<&str> = shown.iter().map(|detail| detail.name.as_str()).collect();
        return Err(Usage(format!(
            "the release shows no detail {:?}; it shows {}",
            args.detail,
            names.join(", ")
        ))
        .into());
    };
    let finding = Finding {
        v: 1,
        iss: keys.name().to_owned(),
        iat: files::now(),
        jti: Bytes(random()?),
        aud: statement.content.iss.clone(),
        log: statement.content.log.clone(),
        release: statement.digest(),
        detail: detail.name.clone(),
        level: u8::try_from(detail.levels.len()).unwrap_or(u8::MAX),
        verdict,
        value: args.value.clone(),
        text: args.text.clone(),
    };
    answered(&keys, Signed::sign(finding, &keys.sign()).jws, &args.output)
}

fn answered(keys: &SecretKeys, statement: String, path: &Path) -> Result<Ending> {
    let file = AnswerFile { version: VERSION, signer: public_of(keys)?, statement, logged: None };
    files::write(path, &file)?;
    output::to_stdout(&format!("{}   send it to the originator\n", path.display()))?;
    Ok(Ending::Done)
}

/// A locked delivery whose statement holds and that is addressed to this party.
pub(super) fn delivered(file: &DeliveryFile, trust: &Trust, own: &str) -> Result<Signed<Delivery>> {
    let issuer = trust.of(&file.issuer.name).unwrap_or(&file.issuer);
    let signed = Signed::<Delivery>::verify(&file.statement, &issuer.signer())
        .context("the delivery does not hold")?;
    if signed.content.iss != issuer.name || signed.content.locked != Digest::of(file.locked.as_bytes()) {
        bail!("the delivery does not hold: what is locked is not what was signed");
    }
    let named = recipient(&file.recipient.salt, &file.recipient.name) == signed.content.to;
    if !named || (file.recipient.name != own && file.recipient.name != PUBLIC) {
        bail!(
            "the delivery is addressed to {}, and not to {own}: somebody passed it on",
            file.recipient.name
        );
    }
    Ok(signed)
}
