//! What recipients sign: that they got it, and what they found.

use crate::bytes::{Digest, Salt};
use serde::{Deserialize, Serialize};

/// A recipient's statement that it got something. It also carries the newest checkpoint of the originator's log that
/// the recipient has seen, so that the two hold each other to one history.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Receipt {
    /// Version of statements.
    pub v: u32,
    /// Name of the recipient.
    pub iss: String,
    /// When it was signed, in seconds since 1970.
    pub iat: u64,
    /// A random number of its own.
    pub jti: Salt,
    /// Name of the originator.
    pub aud: String,
    /// The originator's log: its origin.
    pub log: String,
    /// What it got.
    pub of: Acknowledged,
    /// The nonce of what it got.
    pub nonce: Salt,
    /// The newest checkpoint of that log that it has seen: a signed note.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub checkpoint: Option<String>,
}

/// What a receipt acknowledges.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "what", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Acknowledged {
    /// A release that it could read.
    Release {
        /// Digest of the release statement.
        release: Digest,
        /// `sd_hash` of what was shown.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        sd_hash: Option<Digest>,
    },
    /// A locked delivery, before it had the key.
    Delivery {
        /// Digest of the delivery statement.
        delivery: Digest,
        /// SHA-256 of the locked bytes.
        locked: Digest,
    },
}

/// A recipient's answer on one detail.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Finding {
    /// Version of statements.
    pub v: u32,
    /// Name of the recipient.
    pub iss: String,
    /// When it was signed, in seconds since 1970.
    pub iat: u64,
    /// A random number of its own.
    pub jti: Salt,
    /// Name of the originator.
    pub aud: String,
    /// The originator's log: its origin.
    pub log: String,
    /// Digest of the release statement that it answers.
    pub release: Digest,
    /// The detail.
    pub detail: String,
    /// How exact what was shown of it is: 1 is the coarsest step shown.
    pub level: u8,
    /// What was found.
    pub verdict: Verdict,
    /// What the recipient holds instead or in addition, in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
    /// On what it rests, as far as the recipient says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
}

/// What a recipient found of a detail.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// It holds.
    Confirmed,
    /// It does not hold.
    Refuted,
    /// The recipient holds something else: its own value.
    Conflicting,
    /// It acted on it.
    ActedOn,
}
