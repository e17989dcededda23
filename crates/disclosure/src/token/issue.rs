//! Issuing: every level of every detail is committed to, coarse first; then showing some of it.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ed25519_dalek::SigningKey;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use tearline_model::report::Detail;
use tearline_model::value::Value;
use thiserror::Error;

use super::values::{is_writable, string, write};
use super::{BUCKETS, FINER, TYP};
use crate::sdjwt::issue::join;
use crate::sdjwt::{digest, jws, limits};

/// Most levels of one detail.
const LEVELS: usize = 254;

/// A detail to be committed to: its name, and the words and value of its levels, coarse to exact.
#[derive(Clone, Debug)]
pub struct Committed<'a> {
    /// The name under which a reader gets it.
    pub name: &'a str,
    /// Level 1 and on.
    pub levels: Vec<(&'a str, &'a Value)>,
}

impl<'a> From<&'a Detail> for Committed<'a> {
    fn from(detail: &'a Detail) -> Self {
        let levels = detail.levels.iter().map(|level| (level.text.as_str(), &level.value)).collect();
        Self { name: &detail.id, levels }
    }
}

/// Why a token cannot be issued. Details are counted from 1, as are levels; no content is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum IssueError {
    /// More details than the largest of [`BUCKETS`].
    #[error("{0} details, more than the {most} that a token holds: split the report", most = BUCKETS[2])]
    TooManyDetails(usize),
    /// A name that is empty, that SD-JWT reserves, or that another detail has.
    #[error("the name of detail {0} is empty, reserved (_sd, _sd_alg, ...) or taken: rename it")]
    Name(usize),
    /// No level, or more than 254.
    #[error("detail {0} has no level, or more than {LEVELS}")]
    Levels(usize),
    /// An empty text, or a value that no reader would take.
    #[error("level {level} of detail {detail} has no text, or a value that cannot be written")]
    Value {
        /// The detail.
        detail: usize,
        /// The level.
        level: usize,
    },
    /// A level that does not contain the next one: a reader would find it false.
    #[error("level {level} of detail {detail} does not contain the next more exact one")]
    NotContained {
        /// The detail.
        detail: usize,
        /// The coarser of the two.
        level: usize,
    },
    /// A level too long to be read back.
    #[error("level {level} of detail {detail} is too long")]
    TooLong {
        /// The detail.
        detail: usize,
        /// The level.
        level: usize,
    },
}

/// A token with everything that it commits to. The originator's secret: whoever has it can show any level. Kept by the
/// desk in its private store (it serialises for that), never handed out; `Debug` shows nothing of it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Issued {
    jwt: String,
    details: Vec<IssuedDetail>,
}

/// The disclosures of one detail, coarse to exact.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct IssuedDetail {
    name: String,
    disclosures: Vec<String>,
}

impl fmt::Debug for Issued {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Issued").finish_non_exhaustive()
    }
}

impl Issued {
    /// The signed part, the same for all who are shown anything of it.
    pub fn jwt(&self) -> &str {
        &self.jwt
    }

    /// The names of the details and how many levels each has, in the order in which they were committed to.
    pub fn details(&self) -> impl ExactSizeIterator<Item = (&str, usize)> {
        self.details.iter().map(|detail| (detail.name.as_str(), detail.disclosures.len()))
    }
}

/// Signs a token over all levels of all details.
///
/// `issuer` is the desk's name, `log` the origin of its log, `issued_at` seconds since 1970 UTC. `seed` is 32 random
/// bytes, for this token alone and then forgotten: salts, decoys and the token's id are derived from it, so that what is
/// drawn does not depend on what is kept back.
pub fn issue(
    key: &SigningKey,
    issuer: &str,
    log: &str,
    issued_at: u64,
    details: &[Committed<'_>],
    seed: &[u8; 32],
) -> Result<Issued, IssueError> {
    check(details)?;
    let bucket = BUCKETS.into_iter().find(|size| details.len() <= *size);
    let bucket = bucket.ok_or(IssueError::TooManyDetails(details.len()))?;
    let random = Random { seed };
    let mut scratch = Vec::new();
    let mut slots: Vec<[u8; 43]> = Vec::with_capacity(bucket);
    let mut issued = Vec::with_capacity(details.len());
    for (index, detail) in details.iter().enumerate() {
        let (disclosures, top) = commit(index, detail, &random, &mut scratch)?;
        slots.push(top);
        issued.push(IssuedDetail { name: detail.name.to_owned(), disclosures });
    }
    slots.extend((details.len()..bucket).map(|index| random.decoy(Purpose::Slot, index, 0)));
    slots.sort_unstable();

    scratch.clear();
    scratch.extend_from_slice(br#"{"iss":"#);
    string(&mut scratch, issuer);
    scratch.extend_from_slice(br#","log":"#);
    string(&mut scratch, log);
    scratch.extend_from_slice(format!(r#","iat":{issued_at},"jti":""#).as_bytes());
    scratch.extend_from_slice(&random.id());
    scratch.extend_from_slice(br#"","_sd_alg":"sha-256","details":{"_sd":["#);
    for (index, slot) in slots.iter().enumerate() {
        scratch.extend_from_slice(if index == 0 { b"\"" } else { b",\"" });
        scratch.extend_from_slice(slot);
        scratch.push(b'"');
    }
    scratch.extend_from_slice(b"]}}");
    Ok(Issued { jwt: jws::sign(key, TYP, &scratch), details: issued })
}

fn check(details: &[Committed<'_>]) -> Result<(), IssueError> {
    let mut names = std::collections::HashSet::new();
    for (index, detail) in details.iter().enumerate() {
        let number = index + 1;
        if matches!(detail.name, "" | "_sd" | "_sd_alg" | "...") || !names.insert(detail.name) {
            return Err(IssueError::Name(number));
        }
        if !(1..=LEVELS).contains(&detail.levels.len()) {
            return Err(IssueError::Levels(number));
        }
        for (level, (text, value)) in detail.levels.iter().enumerate() {
            if !is_writable(text, value) {
                return Err(IssueError::Value { detail: number, level: level + 1 });
            }
        }
        for (level, pair) in detail.levels.windows(2).enumerate() {
            if pair[0].1.contains(pair[1].1) == Some(false) {
                return Err(IssueError::NotContained { detail: number, level: level + 1 });
            }
        }
    }
    Ok(())
}

/// The disclosures of a detail, coarse to exact, and the digest of the coarsest.
fn commit(
    index: usize,
    detail: &Committed<'_>,
    random: &Random<'_>,
    scratch: &mut Vec<u8>,
) -> Result<(Vec<String>, [u8; 43]), IssueError> {
    let mut next = random.decoy(Purpose::LastLevel, index, 0);
    let mut disclosures = vec![String::new(); detail.levels.len()];
    for (level, (text, value)) in detail.levels.iter().enumerate().rev() {
        scratch.clear();
        scratch.extend_from_slice(b"[\"");
        scratch.extend_from_slice(&random.salt(index, level));
        scratch.extend_from_slice(b"\",");
        string(scratch, if level == 0 { detail.name } else { FINER });
        scratch.extend_from_slice(br#",{"v":"#);
        write(scratch, text, value);
        scratch.extend_from_slice(br#","_sd":[""#);
        scratch.extend_from_slice(&next);
        scratch.extend_from_slice(br#""]}]"#);
        let disclosure = URL_SAFE_NO_PAD.encode(&scratch);
        if disclosure.len() > limits::DISCLOSURE_BYTES {
            return Err(IssueError::TooLong { detail: index + 1, level: level + 1 });
        }
        next = written(&digest(&disclosure));
        disclosures[level] = disclosure;
    }
    Ok((disclosures, next))
}

/// Why the levels asked for cannot be shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum PresentError {
    /// One level is needed for each detail.
    #[error("{given} levels for {details} details")]
    Count {
        /// Levels given.
        given: usize,
        /// Details of the token.
        details: usize,
    },
    /// A level that the detail does not have. The detail is counted from 1.
    #[error("detail {detail} has no level {level}")]
    NoSuchLevel {
        /// The detail.
        detail: usize,
        /// The level asked for.
        level: u8,
    },
}

/// Shows every detail up to a level; 0 shows nothing of it. `levels` is in the order of the details.
///
/// The disclosures are ordered by the details' names, then by level: nothing but what is shown decides the order.
pub fn present(issued: &Issued, levels: &[u8]) -> Result<String, PresentError> {
    if levels.len() != issued.details.len() {
        return Err(PresentError::Count { given: levels.len(), details: issued.details.len() });
    }
    let mut shown = Vec::new();
    for (index, (detail, &level)) in issued.details.iter().zip(levels).enumerate() {
        let disclosures = detail
            .disclosures
            .get(..usize::from(level))
            .ok_or(PresentError::NoSuchLevel { detail: index + 1, level })?;
        shown.push((detail.name.as_str(), disclosures));
    }
    shown.sort_unstable_by_key(|(name, _)| *name);
    let length: usize = shown.iter().flat_map(|(_, texts)| texts.iter()).map(|text| text.len() + 1).sum();
    let mut token = String::with_capacity(issued.jwt.len() + 1 + length);
    token.push_str(&issued.jwt);
    Ok(join(token, shown.iter().flat_map(|(_, texts)| texts.iter()).map(String::as_str)))
}

/// What the seed is used for. Each use has its own input to the hash, always of the same length.
#[derive(Clone, Copy)]
enum Purpose {
    Salt = 1,
    LastLevel = 2,
    Slot = 3,
    Id = 4,
}

/// Pseudorandom bytes from a seed: SHA-256 over seed, purpose and position. The seed is as long as the hash and used
/// for one token only, and no output tells another.
struct Random<'a> {
    seed: &'a [u8; 32],
}

impl Random<'_> {
    fn bytes(&self, purpose: Purpose, index: usize, level: usize) -> [u8; 32] {
        let mut input = [0; 41];
        input[..32].copy_from_slice(self.seed);
        input[32] = purpose as u8;
        input[33..37].copy_from_slice(&u32::try_from(index).expect("at most 1024 details").to_be_bytes());
        input[37..].copy_from_slice(&u32::try_from(level).expect("at most 254 levels").to_be_bytes());
        Sha256::digest(input).into()
    }

    /// 16 bytes, written.
    fn short(&self, purpose: Purpose, index: usize, level: usize) -> [u8; 22] {
        let mut text = [0; 22];
        let bytes = self.bytes(purpose, index, level);
        URL_SAFE_NO_PAD.encode_slice(&bytes[..16], &mut text).expect("16 bytes are 22 characters");
        text
    }

    fn salt(&self, index: usize, level: usize) -> [u8; 22] {
        self.short(Purpose::Salt, index, level)
    }

    fn id(&self) -> [u8; 22] {
        self.short(Purpose::Id, 0, 0)
    }

    /// Hashed once more, as a disclosure is: nothing that is kept or shown equals its preimage.
    fn decoy(&self, purpose: Purpose, index: usize, level: usize) -> [u8; 43] {
        written(&Sha256::digest(self.bytes(purpose, index, level)).into())
    }
}

fn written(digest: &[u8; 32]) -> [u8; 43] {
    let mut text = [0; 43];
    URL_SAFE_NO_PAD.encode_slice(digest, &mut text).expect("32 bytes are 43 characters");
    text
}
