//! The files that people send each other: JSON in UTF-8, each of which says in its first member what it is.
//!
//! The forms are in `docs/formats/release.md`. What is signed stands in them as the JWS that was signed; everything
//! beside it only helps to check it.

use crate::bytes::{Digest, Salt};
use crate::entry::Opening;
use crate::identity::PublicKeys;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// Files above this size are refused unread.
pub const MOST_BYTES: usize = 32 << 20;

/// The version of all files.
pub const VERSION: u32 = 1;

/// How something stands in the log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Logged {
    /// What opens the entry.
    pub entry: Opening,
    /// Where it stands, and that it stands there: C2SP tlog-proof, with the checkpoint.
    pub proof: String,
}

/// A change of a signing key, with how it stands in the log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeyChange {
    /// The statement.
    pub statement: String,
    /// The new key's signature on it; absent where the new key signed the statement itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub countersignature: Option<String>,
    /// How it stands in the log.
    pub logged: Logged,
}

/// The opening of the commitment to a recipient.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Recipient {
    /// The recipient's name.
    pub name: String,
    /// The salt.
    pub salt: Salt,
}

/// That the log of a checkpoint seen before is a beginning of the log now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Consistency {
    /// Size of the tree seen before.
    pub from: u64,
    /// The consistency proof (RFC 6962, section 2.1.2).
    pub proof: Vec<Digest>,
}

/// A release, as it goes to one recipient.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReleaseFile {
    /// Version of this form.
    #[serde(rename = "tearline-release")]
    pub version: u32,
    /// The originator's public keys. They prove nothing by standing here; readers use those that they were handed.
    pub issuer: PublicKeys,
    /// The release statement.
    pub statement: String,
    /// What is shown of the token: SD-JWT; absent when it cancels.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token: Option<String>,
    /// How the token stands in the log: from then on everything in it was committed to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token_logged: Option<Logged>,
    /// To whom it goes; absent where whoever passes it on does not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recipient: Option<Recipient>,
    /// How it stands in the log.
    pub logged: Logged,
    /// From the newest checkpoint that the recipient is known to have seen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub consistency: Option<Consistency>,
    /// Changes of the originator's key, oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub keys: Vec<KeyChange>,
}

/// What a recipient signed: a receipt or a finding.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AnswerFile {
    /// Version of this form.
    #[serde(rename = "tearline-answer")]
    pub version: u32,
    /// The recipient's public keys.
    pub signer: PublicKeys,
    /// The receipt or finding.
    pub statement: String,
    /// How it stands in the originator's log; absent on its way there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub logged: Option<Logged>,
}

/// A locked delivery: it can be acknowledged before it can be read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DeliveryFile {
    /// Version of this form.
    #[serde(rename = "tearline-delivery")]
    pub version: u32,
    /// The originator's public keys.
    pub issuer: PublicKeys,
    /// The delivery statement.
    pub statement: String,
    /// To whom it goes.
    pub recipient: Recipient,
    /// The release, sealed to a key that the originator keeps: an age file in base64.
    pub locked: String,
}

/// The key to a locked delivery, given for a receipt.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UnlockFile {
    /// Version of this form.
    #[serde(rename = "tearline-unlock")]
    pub version: u32,
    /// Digest of the delivery statement.
    pub delivery: Digest,
    /// The key, sealed to the recipient: an age file in base64.
    pub key: String,
}

/// A cosignature by a witness: a signed note over a checkpoint.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CosignatureFile {
    /// Version of this form.
    #[serde(rename = "tearline-cosignature")]
    pub version: u32,
    /// The witness's public keys.
    pub witness: PublicKeys,
    /// The checkpoint with the cosignature.
    pub checkpoint: String,
}

/// A determination, as drafted or approved.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DeterminationFile {
    /// Version of this form.
    #[serde(rename = "tearline-determination")]
    pub version: u32,
    /// Public keys of who drafted it.
    pub drafter: PublicKeys,
    /// The determination.
    pub statement: String,
    /// Public keys of who approved it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approver: Option<PublicKeys>,
    /// The approval.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approval: Option<String>,
    /// How both stand in the log.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub logged: Option<Logged>,
}

/// One release within an evidence bundle.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CaseRelease {
    /// The release statement.
    pub statement: String,
    /// What is shown of the token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token: Option<String>,
    /// How the token stands in the log.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token_logged: Option<Logged>,
    /// To whom it went, where the holder reveals it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recipient: Option<Recipient>,
    /// How it stands in the log.
    pub logged: Logged,
}

/// An evidence bundle: with it a third party checks, offline, what was said, when, and if the holder reveals it, to
/// whom and who acknowledged it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CaseFile {
    /// Version of this form.
    #[serde(rename = "tearline-evidence")]
    pub version: u32,
    /// The originator's public keys.
    pub issuer: PublicKeys,
    /// The releases, oldest first.
    pub releases: Vec<CaseRelease>,
    /// Receipts, where the holder reveals the recipient.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub receipts: Vec<AnswerFile>,
    /// Findings, where the holder reveals the recipient.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub findings: Vec<AnswerFile>,
    /// Determinations, where the holder reveals them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub determinations: Vec<DeterminationFile>,
    /// Public keys of witnesses who cosigned.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub witnesses: Vec<PublicKeys>,
    /// Changes of the originator's key, oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub keys: Vec<KeyChange>,
}

/// Any of the files.
#[derive(Clone, Debug)]
pub enum File {
    /// A release.
    Release(ReleaseFile),
    /// A receipt or finding.
    Answer(AnswerFile),
    /// A locked delivery.
    Delivery(DeliveryFile),
    /// The key to a delivery.
    Unlock(UnlockFile),
    /// A witness's cosignature.
    Cosignature(CosignatureFile),
    /// A determination.
    Determination(DeterminationFile),
    /// An evidence bundle.
    Case(CaseFile),
}

/// Why a file is refused.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum BadFile {
    /// Too large to be one.
    #[error("larger than {} MiB, and no such file is", MOST_BYTES >> 20)]
    Size,
    /// Not a file of ours.
    #[error(
        "not a file that Tearline writes: expected JSON whose first member says what it is, like \"tearline-release\""
    )]
    Unknown,
    /// Not of the form of its kind.
    #[error(
        "{kind} that is not of its form, at line {line}, column {column}. It was cut off or changed on its way; ask for it again"
    )]
    Form {
        /// What it says to be.
        kind: &'static str,
        /// Line, from 1.
        line: usize,
        /// Column, from 1.
        column: usize,
    },
    /// Of a version that this program does not know.
    #[error("{kind} of version {version}, and this program knows version 1. Use a newer program")]
    Version {
        /// What it is.
        kind: &'static str,
        /// Its version.
        version: u32,
    },
    /// With public keys that are not as they must be.
    #[error("{0}")]
    Keys(crate::identity::BadKeys),
}

impl std::fmt::Debug for UnlockFile {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("UnlockFile").field("delivery", &self.delivery).finish_non_exhaustive()
    }
}

impl File {
    /// Reads a file of whichever kind.
    ///
    /// # Errors
    /// If it is too large, of no kind, of another version, or not of the form of its kind.
    pub fn read(bytes: &[u8]) -> Result<Self, BadFile> {
        if bytes.len() > MOST_BYTES {
            return Err(BadFile::Size);
        }
        let file = match kind(bytes).ok_or(BadFile::Unknown)? {
            "tearline-release" => Self::Release(of_kind(bytes, "a release")?),
            "tearline-answer" => Self::Answer(of_kind(bytes, "a receipt or finding")?),
            "tearline-delivery" => Self::Delivery(of_kind(bytes, "a locked delivery")?),
            "tearline-unlock" => Self::Unlock(of_kind(bytes, "the key to a delivery")?),
            "tearline-cosignature" => Self::Cosignature(of_kind(bytes, "a cosignature")?),
            "tearline-determination" => Self::Determination(of_kind(bytes, "a determination")?),
            "tearline-evidence" => Self::Case(of_kind(bytes, "an evidence bundle")?),
            _ => return Err(BadFile::Unknown),
        };
        file.check()?;
        Ok(file)
    }

    /// What it is, in words.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Release(_) => "a release",
            Self::Answer(_) => "a receipt or finding",
            Self::Delivery(_) => "a locked delivery",
            Self::Unlock(_) => "the key to a delivery",
            Self::Cosignature(_) => "a cosignature",
            Self::Determination(_) => "a determination",
            Self::Case(_) => "an evidence bundle",
        }
    }

    fn check(&self) -> Result<(), BadFile> {
        let (version, keys): (u32, Vec<&PublicKeys>) = match self {
            Self::Release(file) => (file.version, vec![&file.issuer]),
            Self::Answer(file) => (file.version, vec![&file.signer]),
            Self::Delivery(file) => (file.version, vec![&file.issuer]),
            Self::Unlock(file) => (file.version, Vec::new()),
            Self::Cosignature(file) => (file.version, vec![&file.witness]),
            Self::Determination(file) => {
                (file.version, [Some(&file.drafter), file.approver.as_ref()].into_iter().flatten().collect())
            }
            Self::Case(file) => {
                let answers = file.receipts.iter().chain(&file.findings).map(|answer| &answer.signer);
                let people = file
                    .determinations
                    .iter()
                    .flat_map(|of| [Some(&of.drafter), of.approver.as_ref()])
                    .flatten();
                (
                    file.version,
                    [&file.issuer].into_iter().chain(answers).chain(people).chain(&file.witnesses).collect(),
                )
            }
        };
        if version != VERSION {
            return Err(BadFile::Version { kind: self.kind(), version });
        }
        keys.iter().try_for_each(|keys| keys.check()).map_err(BadFile::Keys)
    }
}

/// The first member of a JSON object, if the text begins like one.
fn kind(bytes: &[u8]) -> Option<&str> {
    let text = bytes.trim_ascii_start().strip_prefix(b"{")?.trim_ascii_start().strip_prefix(b"\"")?;
    let end = text.iter().position(|&byte| byte == b'"')?;
    str::from_utf8(&text[..end]).ok()
}

fn of_kind<T: DeserializeOwned>(bytes: &[u8], kind: &'static str) -> Result<T, BadFile> {
    // The words of the error may quote the file; its place is enough.
    serde_json::from_slice(bytes).map_err(|error| BadFile::Form {
        kind,
        line: error.line(),
        column: error.column(),
    })
}
