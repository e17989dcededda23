//! Who signs: a party's public keys, as a file to hand out, and the keys that a reader trusts.

use crate::bytes::Digest;
use crate::keys;
use ed25519_dalek::VerifyingKey;
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// The version of the form of public keys.
pub const VERSION: u32 = 1;

/// The public keys of one party. Handed out as a file; see `docs/formats/keys.md`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PublicKeys {
    /// Version of this form: [`VERSION`].
    #[serde(rename = "tearline-public-key")]
    pub version: u32,
    /// The party's name, like a host name: `desk.example`.
    pub name: String,
    /// The Ed25519 key that signs its statements (RFC 8032, 32 bytes).
    pub sign: crate::bytes::Bytes<32>,
    /// SHA-256 of the signing key that will follow, so that a thief of the present one cannot name the next.
    pub next_sha256: Digest,
    /// The age recipient to whom things are sealed for it: `age1…`.
    pub seal: String,
    /// The key of its log, as a signed-note verifier key.
    pub log: String,
    /// The key with which it cosigns others' checkpoints, as a signed-note verifier key.
    pub witness: String,
}

/// Why public keys are refused.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum BadKeys {
    /// Not the JSON form.
    #[error(
        "not a file of public keys: {0}. Expected what `tearline key new` writes beside the key, ending in .pub"
    )]
    Form(String),
    /// Of a version that this program does not know.
    #[error("public keys of version {0}, and this program knows version 1. Use a newer program")]
    Version(u32),
    /// A field is not what it must be.
    #[error("public keys with a field {0:?} that is not as it must be. Ask for the file again")]
    Field(&'static str),
}

impl PublicKeys {
    /// Reads public keys from their JSON form.
    ///
    /// # Errors
    /// If they are not of the form, or a field is not what it must be.
    pub fn read(bytes: &[u8]) -> Result<Self, BadKeys> {
        let keys: Self = serde_json::from_slice(bytes).map_err(|error| BadKeys::Form(error.to_string()))?;
        keys.check()?;
        Ok(keys)
    }

    /// Whether every field is what it must be.
    ///
    /// # Errors
    /// The first one that is not.
    pub fn check(&self) -> Result<(), BadKeys> {
        if self.version != VERSION {
            return Err(BadKeys::Version(self.version));
        }
        check_name(&self.name).map_err(|_| BadKeys::Field("name"))?;
        let signer = VerifyingKey::from_bytes(&self.sign.0).map_err(|_| BadKeys::Field("sign"))?;
        if signer.is_weak() {
            return Err(BadKeys::Field("sign"));
        }
        if self.log_origin() != format!("{}/log", self.name) {
            return Err(BadKeys::Field("log"));
        }
        if !self.witness.starts_with(&format!("{}/witness+", self.name)) {
            return Err(BadKeys::Field("witness"));
        }
        if !self.seal.starts_with("age1") {
            return Err(BadKeys::Field("seal"));
        }
        Ok(())
    }

    /// The key that signs.
    pub fn signer(&self) -> VerifyingKey {
        VerifyingKey::from_bytes(&self.sign.0).expect("`check` has seen that it is a key")
    }

    /// The short name of the key that signs.
    pub fn kid(&self) -> String {
        keys::kid(&self.signer())
    }

    /// The name of its log.
    pub fn log_origin(&self) -> &str {
        self.log.split('+').next().unwrap_or_default()
    }

    /// A short form to compare by telephone: SHA-256 of the JSON form, the first 32 hexadecimal digits in groups.
    pub fn fingerprint(&self) -> String {
        let json = serde_json::to_vec(self).expect("plain data");
        let hex: Vec<String> = Digest::of(&json).0[..16]
            .chunks(2)
            .map(|pair| format!("{:02x}{:02x}", pair[0], pair[1]))
            .collect();
        hex.join(" ")
    }
}

/// Whether a party may be called so: 1 to 128 of `a-z`, `0-9`, `.`, `-` and `_`, like a host name.
///
/// # Errors
/// A sentence that says what is expected.
pub fn check_name(name: &str) -> Result<(), &'static str> {
    let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '.' | '-' | '_');
    if name.is_empty() || name.len() > 128 || !name.chars().all(allowed) {
        return Err("a name is like a host name: 1 to 128 of a-z, 0-9, '.', '-' and '_'");
    }
    Ok(())
}
