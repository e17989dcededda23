//! The certificate of a plan: what it claims, in numbers that a small checker of its own can verify.
//!
//! The form and the meaning of every field are in `docs/formats/certificate.md`. A certificate holds no row of any
//! table and no name of a source. Everything that the report file names stands by its place there, from 1.

pub mod claim;
pub mod digest;

use crate::plan::Mode;
use serde::{Deserialize, Serialize};

/// The version of the format.
pub const VERSION: u32 = 1;

/// Certificates above this size are refused unread: 200 audiences of 1,000 details and 1,000 sets stay below it.
pub const MOST_BYTES: usize = 64 << 20;

/// Messages about the form of a certificate are cut after so many characters.
const MESSAGE_CHARS: usize = 200;

/// What a plan claims.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Certificate {
    /// Version of the format: [`VERSION`].
    #[serde(rename = "tearline-certificate")]
    pub version: u32,
    /// SHA-256 of the bytes of the report file, in lower-case hexadecimal.
    pub report_sha256: String,
    /// The populations as they were read, in the order of the report.
    pub tables: Vec<TableDigest>,
    /// How the choice is kept from being itself an observation.
    pub mode: Mode,
    /// Every audience once, in the order of the report.
    pub audiences: Vec<AudienceClaim>,
}

/// One population as it was read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TableDigest {
    /// Canonical digest of its candidates, see [`digest::candidates`].
    pub candidates_sha256: String,
    /// Canonical digest of its worlds, see [`digest::worlds`]; only where the plan was made from them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub worlds_sha256: Option<String>,
}

/// What is claimed of one audience.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AudienceClaim {
    /// Place of the audience in the report, from 1.
    pub audience: u32,
    /// Level of each detail that it gets, what it was told and what it sees included; absent where nothing is
    /// released to it because no plan was safe.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub released: Option<Vec<u8>>,
    /// The audiences whose knowledge counts as its own, itself included, ascending.
    pub coalition: Vec<u32>,
    /// Level of each detail that the coalition knows.
    pub knowledge: Vec<u8>,
    /// Linked facts that the coalition knows, by their place among the report's linked facts, ascending.
    pub linked: Vec<u32>,
    /// Utility of what is released, in thousandths of a unit; 0 where nothing is.
    pub utility: u64,
    /// No safe levels have more utility than this, in thousandths. Not verifiable without the search.
    pub bound: u64,
    /// Whether the planner claims to have proven that nothing safe is better.
    pub optimal: bool,
    /// Where its levels were read from, in the selection-safe mode.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy: Option<PolicyClaim>,
    /// The sets that are protected against it, by source, then population.
    pub sets: Vec<SetClaim>,
}

/// The policy from which an audience's levels were read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PolicyClaim {
    /// SHA-256 of the bytes of the policy file.
    pub sha256: String,
    /// Number of the policy's output for this report.
    pub output: u32,
}

/// What is claimed of one protected set.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SetClaim {
    /// Place of the source in the report, from 1.
    pub source: u32,
    /// Place of the population in the report, from 1.
    pub population: u32,
    /// k: the rule applied.
    pub k: u64,
    /// Γ: candidates that a reader may exclude besides.
    pub robust: u64,
    /// Largest share allowed, in millionths.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub share_ppm: Option<u32>,
    /// Candidates in the set.
    pub candidates: u64,
    /// Largest posterior share of one candidate with the Γ heaviest others excluded, in thousand-millionths, to the
    /// nearest.
    pub largest_share_ppb: u64,
    /// Rules on diversity, and how they stand, by column in ascending order of its text.
    pub diversity: Vec<DiversityClaim>,
    /// Candidates left for a reader who knows how the plan was chosen, where that was counted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub selection_aware: Option<u64>,
}

/// What is claimed of the values of one column in one set.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DiversityClaim {
    /// The column (SQL expression) as written in the report.
    pub column: String,
    /// The rule applied: least number of different values.
    pub at_least: u32,
    /// Different values left when a reader excludes any Γ candidates.
    pub values: u32,
}

/// As much as every version has.
#[derive(Deserialize)]
struct Versioned {
    #[serde(rename = "tearline-certificate")]
    version: u64,
}

/// Why bytes are no certificate.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReadError {
    /// Above [`MOST_BYTES`].
    #[error("the certificate has {0} bytes; at most {MOST_BYTES} are read")]
    TooLarge(usize),
    /// Made by another version.
    #[error("the certificate is of version {0}; this program knows version {VERSION}")]
    OtherVersion(u64),
    /// Not of the form that `docs/formats/certificate.md` describes.
    #[error("not a certificate: {0}")]
    Malformed(String),
}

impl Certificate {
    /// Reads a certificate. Accepts any bytes.
    pub fn read(bytes: &[u8]) -> Result<Self, ReadError> {
        if bytes.len() > MOST_BYTES {
            return Err(ReadError::TooLarge(bytes.len()));
        }
        let malformed = |error: serde_json::Error| {
            // It may quote what it found, however long that is.
            let (message, place) = (error.to_string(), format!(", line {}", error.line()));
            let long = message.chars().count() > MESSAGE_CHARS;
            let cut: String = message.chars().take(MESSAGE_CHARS).collect();
            ReadError::Malformed(if long { format!("{cut}…{place}") } else { message })
        };
        // The version first: a later one may have other fields, and then their names would only mislead.
        let found: Versioned = serde_json::from_slice(bytes).map_err(malformed)?;
        if found.version != u64::from(VERSION) {
            return Err(ReadError::OtherVersion(found.version));
        }
        serde_json::from_slice(bytes).map_err(malformed)
    }

    /// The file: indented JSON with a final line end.
    ///
    /// # Panics
    ///
    /// Never: all of it is plain data with text keys.
    pub fn write(&self) -> String {
        let mut text = serde_json::to_string_pretty(self).expect("plain data with text keys");
        text.push('\n');
        text
    }
}
