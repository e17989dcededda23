//! Receipt before key: a delivery that can be acknowledged before it can be read, against "read, but refuse to sign".

use crate::bytes::{Digest, Salt};
use serde::{Deserialize, Serialize};

/// The originator's statement of what locked bytes it delivers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Delivery {
    /// Version of statements.
    pub v: u32,
    /// Name of the originator.
    pub iss: String,
    /// When it was signed, in seconds since 1970.
    pub iat: u64,
    /// A random number of its own.
    pub jti: Salt,
    /// The log in which the release is: its origin.
    pub log: String,
    /// Commitment to the recipient's name.
    pub to: Digest,
    /// SHA-256 of the locked bytes.
    pub locked: Digest,
    /// Digest of the release statement within.
    pub release: Digest,
    /// To be repeated in the receipt.
    pub nonce: Salt,
}

/// The originator's record that it gave out the key to a delivery.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Unlock {
    /// Version of statements.
    pub v: u32,
    /// Name of the originator.
    pub iss: String,
    /// When it was signed, in seconds since 1970.
    pub iat: u64,
    /// A random number of its own.
    pub jti: Salt,
    /// Digest of the delivery statement.
    pub delivery: Digest,
    /// Digest of the receipt for which the key is given.
    pub receipt: Digest,
}
