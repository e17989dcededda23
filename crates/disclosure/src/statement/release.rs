//! Release statements: what one recipient is told, by whom, and what it replaces.

use crate::bytes::{Digest, Salt};
use serde::{Deserialize, Serialize};

/// What a release does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Act {
    /// The first to this recipient on this threat.
    First,
    /// The same token with more of it shown.
    Extend,
    /// A new token: details added or corrected.
    Update,
    /// What was said no longer stands.
    Cancel,
}

/// The signed heart of a release. It binds the shown part of the token, the free texts, the recipient and the log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Release {
    /// Version of statements.
    pub v: u32,
    /// Name of the originator.
    pub iss: String,
    /// When it was signed, in seconds since 1970.
    pub iat: u64,
    /// A random number of its own.
    pub jti: Salt,
    /// The log in which it is: its origin.
    pub log: String,
    /// What it does.
    pub act: Act,
    /// Commitment to the recipient's name: see [`recipient`].
    pub to: Digest,
    /// SHA-256 of the shown token with its disclosures, as in RFC 9901's `sd_hash`; absent when it cancels.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sd_hash: Option<Digest>,
    /// To be repeated in the receipt.
    pub nonce: Salt,
    /// Free texts, one per language.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub texts: Vec<Text>,
    /// Digests of all release statements to this recipient that stand until this one, oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub replaces: Vec<Digest>,
    /// Details that had been shown and that an update takes back, each with the reason.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub withdrawn: Vec<Withdrawn>,
    /// Why it updates or cancels.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Until when it is meant to stand, in seconds since 1970.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires: Option<u64>,
}

/// Free text in one language.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Text {
    /// BCP 47 tag: `en`, `ru`.
    pub lang: String,
    /// One line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub headline: Option<String>,
    /// What is known, in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// What to do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instruction: Option<String>,
    /// Whom to ask.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contact: Option<String>,
}

/// A detail that is taken back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Withdrawn {
    /// Its name.
    pub detail: String,
    /// Why.
    pub reason: String,
}

/// The commitment to a recipient's name that stands in a statement. Whoever holds the salt can show to whom it went;
/// nobody else can tell.
pub fn recipient(salt: &Salt, name: &str) -> Digest {
    Digest::tagged("tearline recipient v1", &[&salt.0, name.as_bytes()])
}
