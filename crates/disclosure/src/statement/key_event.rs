//! Rotation and revocation of a party's signing key.

use crate::bytes::{Digest, Salt};
use crate::identity::PublicKeys;
use serde::{Deserialize, Serialize};

/// What happens to the present key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Action {
    /// Another takes its place; what it signed until then stands. Signed by the present key.
    Rotate,
    /// It is not to be trusted from this entry on. Signed by the next key, to which the present one was committed.
    Revoke,
}

/// A change of a party's signing key. The new key is the one to which the old public keys were committed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeyEvent {
    /// Version of statements.
    pub v: u32,
    /// Name of the party.
    pub iss: String,
    /// When it was signed, in seconds since 1970.
    pub iat: u64,
    /// A random number of its own.
    pub jti: Salt,
    /// What happens.
    pub action: Action,
    /// The present public keys.
    pub old: PublicKeys,
    /// The public keys from now on.
    pub new: PublicKeys,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// The new key's signature on a change, so that who trusts the new key can trust what the old one signed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Countersignature {
    /// Version of statements.
    pub v: u32,
    /// Name of the party.
    pub iss: String,
    /// When it was signed, in seconds since 1970.
    pub iat: u64,
    /// Digest of the change's statement.
    pub event: Digest,
}

impl KeyEvent {
    /// The public keys whose signing key signs this change.
    pub fn signer(&self) -> &PublicKeys {
        match self.action {
            Action::Rotate => &self.old,
            Action::Revoke => &self.new,
        }
    }

    /// Whether old and new belong together: one party, one log, and the new key the one that was promised.
    pub fn follows(&self) -> bool {
        self.old.name == self.new.name
            && self.iss == self.new.name
            && self.old.log == self.new.log
            && self.old.next_sha256 == Digest::of(&self.new.sign.0)
    }
}
