//! Key files: a party's secret keys, sealed by a passphrase (age with scrypt), and what goes with them.
//!
//! The form is in `docs/formats/keys.md`. The key that will follow lies in a file of its own, to be kept elsewhere: a
//! thief of the present key cannot name the next one.

use crate::seal;
use age::secrecy::SecretString;
use ed25519_dalek::SigningKey;
use serde::{Deserialize, Serialize};
use std::io::Write;
use thiserror::Error;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

/// Fewest characters of a passphrase.
pub const LEAST_PASSPHRASE: usize = 8;

/// The base-2 logarithm of the cost of scrypt that files are sealed with unless another is asked for: about a second.
pub const WORK_FACTOR: u8 = 18;

/// The largest such cost that is accepted from a file.
const MOST_WORK_FACTOR: u8 = 22;

/// A party's secret keys. Never printed.
#[derive(Serialize, Deserialize, Zeroize, ZeroizeOnDrop)]
#[serde(deny_unknown_fields)]
pub struct SecretKeys {
    /// Version of this form: 1.
    #[serde(rename = "tearline-secret-key")]
    version: u32,
    /// The party's name.
    name: String,
    /// Seed of the Ed25519 key that signs statements, base64.
    sign: String,
    /// Seed of the Ed25519 key that signs the log's checkpoints, base64.
    log: String,
    /// Seed of the Ed25519 key that cosigns others' checkpoints, base64.
    witness: String,
    /// The age identity.
    seal: String,
    /// SHA-256 of the signing key that will follow, base64url.
    next_sha256: String,
}

/// Why a key file cannot be read or made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum BadKey {
    /// The passphrase is too short.
    #[error("a passphrase has at least {LEAST_PASSPHRASE} characters")]
    Short,
    /// The cost is out of range.
    #[error("the work factor must be from 10 to {MOST_WORK_FACTOR}")]
    Work,
    /// Not a key file.
    #[error("not a key file that `tearline key new` wrote: expected an age file sealed by a passphrase")]
    Form,
    /// The passphrase is wrong, or the file was changed.
    #[error("the passphrase does not open the key file, or the file was changed")]
    Passphrase,
    /// The file asks for more work than any that is written here.
    #[error("the key file asks for more work than any that `tearline key new` writes")]
    Excessive,
    /// The system gives no random bytes.
    #[error("the system gives no random bytes")]
    Random,
}

/// Random bytes of the system.
///
/// # Errors
/// If the system gives none.
pub fn random<const N: usize>() -> Result<[u8; N], BadKey> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|_| BadKey::Random)?;
    Ok(bytes)
}

impl SecretKeys {
    /// New keys for a party. `next_sha256` is the digest, as base64url, of the signing key that will follow.
    ///
    /// # Errors
    /// If the system gives no random bytes.
    pub fn generate(name: &str, next_sha256: String) -> Result<Self, BadKey> {
        Ok(Self {
            version: 1,
            name: name.to_owned(),
            sign: seed()?,
            log: seed()?,
            witness: seed()?,
            seal: seal::generate().0.to_string(),
            next_sha256,
        })
    }

    /// The keys after a rotation: signing and sealing keys change, those of the log and of cosigning stay, because
    /// they are the names by which others know them.
    #[must_use]
    pub fn rotated(&self, next: &NextKey, next_sha256: String) -> Self {
        Self {
            version: 1,
            name: self.name.clone(),
            sign: next.sign.clone(),
            log: self.log.clone(),
            witness: self.witness.clone(),
            seal: seal::generate().0.to_string(),
            next_sha256,
        }
    }

    /// The party's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The key that signs statements.
    pub fn sign(&self) -> SigningKey {
        signing_key(&self.sign)
    }

    /// The key that signs the log's checkpoints.
    pub fn log(&self) -> SigningKey {
        signing_key(&self.log)
    }

    /// The key that cosigns others' checkpoints.
    pub fn witness(&self) -> SigningKey {
        signing_key(&self.witness)
    }

    /// The age identity, to open what is sealed to this party.
    pub fn seal(&self) -> &str {
        &self.seal
    }

    /// The age recipient that belongs to it.
    pub fn recipient(&self) -> String {
        let identity: age::x25519::Identity = self.seal.parse().expect("`open` has seen that it is one");
        identity.to_public().to_string()
    }

    /// SHA-256 of the signing key that will follow, base64url.
    pub fn next_sha256(&self) -> &str {
        &self.next_sha256
    }

    /// The sealed file.
    ///
    /// # Errors
    /// If the passphrase is too short or the cost out of range.
    pub fn seal_by(&self, passphrase: &str, work_factor: u8) -> Result<Vec<u8>, BadKey> {
        let json = Zeroizing::new(serde_json::to_vec(self).expect("plain data"));
        seal_bytes(&json, passphrase, work_factor)
    }

    /// Opens a sealed file.
    ///
    /// # Errors
    /// If it is not a key file, or the passphrase is wrong.
    pub fn open(file: &[u8], passphrase: &str) -> Result<Self, BadKey> {
        let json = open_bytes(file, passphrase)?;
        let keys: Self = serde_json::from_slice(&json).map_err(|_| BadKey::Form)?;
        let seeds = [&keys.sign, &keys.log, &keys.witness];
        let sound = keys.version == 1
            && seeds.iter().all(|seed| decoded(seed).is_some())
            && keys.seal.parse::<age::x25519::Identity>().is_ok();
        if sound { Ok(keys) } else { Err(BadKey::Form) }
    }
}

/// The signing key that will follow. Never printed.
#[derive(Serialize, Deserialize, Zeroize, ZeroizeOnDrop)]
#[serde(deny_unknown_fields)]
pub struct NextKey {
    /// Version of this form: 1.
    #[serde(rename = "tearline-next-key")]
    version: u32,
    /// The party's name.
    name: String,
    /// Seed of the Ed25519 key, base64.
    sign: String,
}

impl NextKey {
    /// A new one.
    ///
    /// # Errors
    /// If the system gives no random bytes.
    pub fn generate(name: &str) -> Result<Self, BadKey> {
        Ok(Self { version: 1, name: name.to_owned(), sign: seed()? })
    }

    /// The party's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The key.
    pub fn sign(&self) -> SigningKey {
        signing_key(&self.sign)
    }

    /// The sealed file.
    ///
    /// # Errors
    /// If the passphrase is too short or the cost out of range.
    pub fn seal_by(&self, passphrase: &str, work_factor: u8) -> Result<Vec<u8>, BadKey> {
        let json = Zeroizing::new(serde_json::to_vec(self).expect("plain data"));
        seal_bytes(&json, passphrase, work_factor)
    }

    /// Opens a sealed file.
    ///
    /// # Errors
    /// If it is not such a file, or the passphrase is wrong.
    pub fn open(file: &[u8], passphrase: &str) -> Result<Self, BadKey> {
        let json = open_bytes(file, passphrase)?;
        let key: Self = serde_json::from_slice(&json).map_err(|_| BadKey::Form)?;
        if key.version == 1 && decoded(&key.sign).is_some() { Ok(key) } else { Err(BadKey::Form) }
    }
}

impl std::fmt::Debug for SecretKeys {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("SecretKeys").field("name", &self.name).finish_non_exhaustive()
    }
}

impl std::fmt::Debug for NextKey {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("NextKey").field("name", &self.name).finish_non_exhaustive()
    }
}

fn seed() -> Result<String, BadKey> {
    let seed = Zeroizing::new(random::<32>()?);
    Ok(base64::Engine::encode(&base64::engine::general_purpose::STANDARD, *seed))
}

fn decoded(seed: &str) -> Option<Zeroizing<[u8; 32]>> {
    let bytes =
        base64::Engine::decode(&base64::engine::general_purpose::STANDARD, seed).ok().map(Zeroizing::new)?;
    bytes.as_slice().try_into().ok().map(Zeroizing::new)
}

fn signing_key(seed: &str) -> SigningKey {
    SigningKey::from_bytes(&decoded(seed).expect("whoever holds keys has seen that they are seeds"))
}

fn seal_bytes(bytes: &[u8], passphrase: &str, work_factor: u8) -> Result<Vec<u8>, BadKey> {
    if passphrase.chars().count() < LEAST_PASSPHRASE {
        return Err(BadKey::Short);
    }
    if !(10..=MOST_WORK_FACTOR).contains(&work_factor) {
        return Err(BadKey::Work);
    }
    let mut recipient = age::scrypt::Recipient::new(SecretString::from(passphrase.to_owned()));
    recipient.set_work_factor(work_factor);
    let recipients = std::iter::once(&recipient as &dyn age::Recipient);
    let encryptor = age::Encryptor::with_recipients(recipients).map_err(|_| BadKey::Form)?;
    let mut sealed = Vec::new();
    let mut writer = encryptor.wrap_output(&mut sealed).map_err(|_| BadKey::Random)?;
    writer.write_all(bytes).and_then(|()| writer.finish().map(drop)).map_err(|_| BadKey::Random)?;
    Ok(sealed)
}

fn open_bytes(file: &[u8], passphrase: &str) -> Result<Zeroizing<Vec<u8>>, BadKey> {
    let decryptor = age::Decryptor::new(file).map_err(|_| BadKey::Form)?;
    if !decryptor.is_scrypt() {
        return Err(BadKey::Form);
    }
    let mut identity = age::scrypt::Identity::new(SecretString::from(passphrase.to_owned()));
    identity.set_max_work_factor(MOST_WORK_FACTOR);
    let reader =
        decryptor.decrypt(std::iter::once(&identity as &dyn age::Identity)).map_err(|error| match error {
            age::DecryptError::ExcessiveWork { .. } => BadKey::Excessive,
            _ => BadKey::Passphrase,
        })?;
    seal::all(reader).map_err(|_| BadKey::Passphrase)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_file_opens_by_its_passphrase_alone_and_says_nothing_of_its_keys() {
        let keys = SecretKeys::generate("desk.example", "x".into()).expect("made");
        let file = keys.seal_by("correct horse", 10).expect("sealed");
        let opened = SecretKeys::open(&file, "correct horse").expect("opened");
        assert_eq!(opened.sign().to_bytes(), keys.sign().to_bytes());
        assert_eq!(SecretKeys::open(&file, "wrong horse!").expect_err("wrong"), BadKey::Passphrase);
        assert_eq!(keys.seal_by("short", 10).expect_err("short"), BadKey::Short);
        assert_eq!(SecretKeys::open(b"age", "correct horse").expect_err("not one"), BadKey::Form);
        let debug = format!("{keys:?}");
        assert!(!debug.contains(&keys.sign) && !debug.contains(&keys.seal), "{debug}");
        assert_eq!(NextKey::open(&file, "correct horse").expect_err("another kind"), BadKey::Form);
    }
}
