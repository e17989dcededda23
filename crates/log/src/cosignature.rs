//! Cosignatures: a witness's statement that, at a time, a checkpoint was the newest it knew of that log, and that the
//! log had only grown (C2SP tlog-cosignature v1.0.0, `cosignature/v1`, Ed25519).

use crate::checkpoint::SignedCheckpoint;
use crate::note::{BadNote, KeyKind, Signature, Signer, VerifierKey, verify_bytes};
use thiserror::Error;

/// The latest time that the standard allows: 2^63 − 1 seconds.
pub const MAX_TIME: u64 = (1 << 63) - 1;

/// A cosignature that has been verified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cosignature {
    /// The witness's name.
    pub witness: String,
    /// When it signed, in seconds since 1970 (POSIX time), by its own clock.
    pub time: u64,
}

/// Why a cosignature is refused.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum BadCosignature {
    /// The key is not a witness's.
    #[error("the key of {0} is not a witness's: it has another type than 0x04")]
    NotWitness(String),
    /// No cosignature by that witness, or one that does not verify.
    #[error(transparent)]
    Note(#[from] BadNote),
    /// The time is after the one until which cosignatures are accepted.
    #[error("the cosignature by {witness} is of the time {time}, which is still to come: a clock is wrong")]
    Future {
        /// The witness.
        witness: String,
        /// Its time, in seconds since 1970.
        time: u64,
    },
}

/// What a witness signs.
fn message(time: u64, text: &str) -> Vec<u8> {
    format!("cosignature/v1\ntime {time}\n{text}").into_bytes()
}

/// Cosigns a checkpoint. That the checkpoint may be cosigned, [`crate::witness::check`] has decided.
///
/// `time` is in seconds since 1970; a caller never passes an earlier time than it did before.
///
/// # Errors
/// If the key is not a witness's, or the time cannot be written.
pub fn cosign(
    checkpoint: &SignedCheckpoint,
    witness: &Signer,
    time: u64,
) -> Result<Signature, BadCosignature> {
    let name = witness.verifier().name();
    if witness.verifier().kind() != KeyKind::Witness {
        return Err(BadCosignature::NotWitness(name.to_owned()));
    }
    if time > MAX_TIME {
        return Err(BadCosignature::Future { witness: name.to_owned(), time });
    }
    let mut bytes = time.to_be_bytes().to_vec();
    bytes.extend_from_slice(&witness.sign_bytes(&message(time, checkpoint.note().text())));
    Ok(witness.line(bytes))
}

/// Verifies one signature line as a cosignature of a checkpoint's text.
fn verify_line(text: &str, signature: &Signature, witness: &VerifierKey) -> Result<u64, BadNote> {
    let bad = || BadNote::BadSignature(witness.name().to_owned());
    let (time, bytes) = signature.bytes.split_first_chunk::<8>().ok_or_else(bad)?;
    let time = u64::from_be_bytes(*time);
    if time > MAX_TIME {
        return Err(bad());
    }
    verify_bytes(witness, &message(time, text), bytes)?;
    Ok(time)
}

/// The cosignature of a checkpoint by a witness; of several by one witness, the latest.
///
/// `until` is the latest time that is believed, in seconds since 1970: the reader's clock and some tolerance, or
/// [`MAX_TIME`] for a reader without a clock.
///
/// # Errors
/// If there is none, or one that does not verify, or one from the future.
pub fn verify(
    checkpoint: &SignedCheckpoint,
    witness: &VerifierKey,
    until: u64,
) -> Result<Cosignature, BadCosignature> {
    if witness.kind() != KeyKind::Witness {
        return Err(BadCosignature::NotWitness(witness.name().to_owned()));
    }
    let mut latest = None;
    for signature in checkpoint.note().signatures().iter().filter(|signature| witness.is_of(signature)) {
        latest = latest.max(Some(verify_line(checkpoint.note().text(), signature, witness)?));
    }
    let name = witness.name().to_owned();
    match latest {
        None => Err(BadNote::NoSignature(name).into()),
        Some(time) if time > until => Err(BadCosignature::Future { witness: name, time }),
        Some(time) => Ok(Cosignature { witness: name, time }),
    }
}

/// Adds the cosignature lines that witnesses sent to a checkpoint, after verifying them. Lines of unknown keys are
/// ignored, as the standard asks. Gives those added; one of the same witness with an earlier time is replaced.
///
/// # Errors
/// If a line is malformed, or a known witness's does not verify; then nothing is added.
pub fn add(
    checkpoint: &mut SignedCheckpoint,
    lines: &[Signature],
    witnesses: &[VerifierKey],
) -> Result<Vec<Cosignature>, BadCosignature> {
    let mut added = Vec::new();
    for signature in lines {
        let known = witnesses.iter().find(|key| key.kind() == KeyKind::Witness && key.is_of(signature));
        let Some(witness) = known else { continue };
        let time = verify_line(checkpoint.note().text(), signature, witness)?;
        let present = verify(checkpoint, witness, MAX_TIME).ok();
        if present.is_none_or(|present| present.time < time) {
            added.push((signature, Cosignature { witness: witness.name().to_owned(), time }));
        }
    }
    for (signature, _) in &added {
        checkpoint.note_mut().add((*signature).clone());
    }
    Ok(added.into_iter().map(|(_, cosignature)| cosignature).collect())
}
