//! Reading a token: what is shown, and how far each step from one level to the next can be checked.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ed25519_dalek::VerifyingKey;
use serde::Deserialize;
use tearline_model::value::Value;
use thiserror::Error;

use super::values::Written;
use super::{BUCKETS, FINER, TYP};
use crate::bytes::{Bytes, Digest};
use crate::sdjwt::{self, Check, Place, Rejected, digest, expand, jws};

/// What a token says of itself, openly.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claims {
    /// The desk's name.
    pub issuer: String,
    /// The origin of the desk's log.
    pub log: String,
    /// When it was issued, in seconds since 1970 UTC, by the issuer's clock.
    pub issued_at: u64,
    /// The token's own id: 16 random bytes, base64url.
    pub id: String,
    /// Which of [`BUCKETS`]: at most this many details are committed to.
    pub bucket: usize,
}

/// What a token shows.
#[derive(Clone, Debug, PartialEq)]
pub struct Shown {
    /// What it says of itself.
    pub claims: Claims,
    /// The details shown, by name.
    pub details: Vec<ShownDetail>,
}

/// A detail that is shown.
#[derive(Clone, Debug, PartialEq)]
pub struct ShownDetail {
    /// Its name.
    pub name: String,
    /// Level 1 and on, as far as it is shown; never empty.
    pub levels: Vec<ShownLevel>,
}

/// A level that is shown.
#[derive(Clone, Debug, PartialEq)]
pub struct ShownLevel {
    /// The words; always the issuer's assertion.
    pub text: String,
    /// The typed value; for plain text the words again.
    pub value: Value,
    /// How it stands to the level before.
    pub step: Step,
}

/// How a level stands to the coarser one before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// There is none before: the first level.
    First,
    /// Recomputed: the coarser value contains this one.
    Checked,
    /// The types of the values cannot tell: the issuer says so.
    Asserted,
    /// Recomputed and false: the coarser value does not contain this one. The issuer contradicts itself.
    Failed,
}

impl Shown {
    /// The steps that failed, as detail name and level (from 2). Empty for every honest issuer.
    pub fn contradictions(&self) -> impl Iterator<Item = (&str, usize)> {
        self.details.iter().flat_map(|detail| {
            let failed = detail.levels.iter().enumerate().filter(|(_, level)| level.step == Step::Failed);
            failed.map(|(index, _)| (detail.name.as_str(), index + 1))
        })
    }

    /// The level up to which a detail is shown; 0 if nothing is.
    pub fn level(&self, name: &str) -> usize {
        let found = self.details.binary_search_by(|detail| detail.name.as_str().cmp(name));
        found.map_or(0, |index| self.details[index].levels.len())
    }
}

/// Verifies a token against the issuer's key: the signature, everything that RFC 9901 asks for, and that the token has
/// the form of `docs/formats/token.md`, which lets it tell nothing of what it does not show.
///
/// A step that is [`Step::Failed`] is no refusal: the signature stands, and what was signed is false. Look at
/// [`Shown::contradictions`].
pub fn verify(text: &str, key: &VerifyingKey) -> Result<Shown, Rejected> {
    let parts = sdjwt::parse(text)?;
    if parts.key_binding.is_some() {
        return Err(Rejected::new(Check::KeyBindingPresence, Place::Whole));
    }
    let signed = jws::verify_named(parts.jwt, key, TYP)?;
    // What is not of our form is held against the standard as a whole: its verdict is the more precise.
    read(&signed.payload, &parts.disclosures)
        .map_err(|rejected| expand(&signed.payload, &parts.disclosures).err().unwrap_or(rejected))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Payload<'a> {
    #[serde(borrow)]
    iss: Cow<'a, str>,
    #[serde(borrow)]
    log: Cow<'a, str>,
    iat: u64,
    jti: &'a str,
    #[serde(rename = "_sd_alg")]
    hash: &'a str,
    #[serde(borrow)]
    details: Slots<'a>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Slots<'a> {
    #[serde(borrow, rename = "_sd")]
    digests: Vec<&'a str>,
}

/// Salt, name, content.
#[derive(Deserialize)]
struct Disclosure<'a>(&'a str, #[serde(borrow)] Cow<'a, str>, #[serde(borrow)] Content<'a>);

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Content<'a> {
    #[serde(borrow)]
    v: Written<'a>,
    #[serde(borrow, rename = "_sd")]
    next: [&'a str; 1],
}

/// Reads a token that is of our form; any other is refused, in words that only hold for one that keeps to RFC 9901.
/// That nothing passes here which [`expand`] refuses is tested.
fn read(payload: &[u8], disclosures: &[&str]) -> Result<Shown, Rejected> {
    let reject = |check| Rejected::new(check, Place::Payload);
    let payload: Payload<'_> = serde_json::from_slice(payload).map_err(|_| reject(Check::Claims))?;
    if payload.hash != "sha-256" || Bytes::<16>::read(payload.jti).is_none() {
        return Err(reject(Check::Claims));
    }
    let slots = &payload.details.digests;
    if !BUCKETS.contains(&slots.len()) || !slots.is_sorted_by(|a, b| a < b) {
        return Err(reject(Check::Shape));
    }
    let mut by_digest = HashMap::with_capacity(disclosures.len());
    for (index, text) in disclosures.iter().enumerate() {
        by_digest.insert(digest(text), index);
    }
    let mut seen = HashSet::with_capacity(slots.len() + disclosures.len());
    let mut find = |text: &str, place| {
        let digest = Digest::read(text).ok_or(Rejected::new(Check::Shape, place))?;
        if !seen.insert(digest) {
            return Err(Rejected::new(Check::RepeatedDigest, place));
        }
        Ok(by_digest.get(&digest.0).copied())
    };
    let mut used = 0;
    let mut details: Vec<ShownDetail> = Vec::new();
    let mut bytes = Vec::new();
    for slot in slots {
        let mut next = find(slot, Place::Payload)?;
        let mut detail: Option<ShownDetail> = None;
        while let Some(index) = next {
            used += 1;
            let place = Place::Disclosure(index + 1);
            bytes.clear();
            URL_SAFE_NO_PAD
                .decode_vec(disclosures[index], &mut bytes)
                .map_err(|_| Rejected::new(Check::Base64, place))?;
            let Disclosure(salt, name, content) =
                serde_json::from_slice(&bytes).map_err(|_| Rejected::new(Check::Value, place))?;
            if Bytes::<16>::read(salt).is_none() {
                return Err(Rejected::new(Check::Shape, place));
            }
            let value = content.v.value().ok_or(Rejected::new(Check::Value, place))?;
            let text = content.v.text.into_owned();
            match &mut detail {
                None if matches!(&*name, "" | "_sd" | "_sd_alg" | "...") => {
                    return Err(Rejected::new(Check::ReservedName, place));
                }
                None => {
                    let levels = vec![ShownLevel { text, value, step: Step::First }];
                    detail = Some(ShownDetail { name: name.into_owned(), levels });
                }
                Some(_) if name != FINER => return Err(Rejected::new(Check::Shape, place)),
                Some(detail) => {
                    let coarser = detail.levels.last().expect("a detail begins with its first level");
                    let step = match coarser.value.contains(&value) {
                        Some(true) => Step::Checked,
                        Some(false) => Step::Failed,
                        None => Step::Asserted,
                    };
                    detail.levels.push(ShownLevel { text, value, step });
                }
            }
            next = find(content.next[0], place)?;
        }
        details.extend(detail);
    }
    if used != disclosures.len() {
        return Err(Rejected::new(Check::UnreferencedDisclosure, Place::Whole));
    }
    details.sort_unstable_by(|a, b| a.name.cmp(&b.name));
    if details.windows(2).any(|pair| pair[0].name == pair[1].name) {
        return Err(Rejected::new(Check::ExistingClaim, Place::Whole));
    }
    let claims = Claims {
        issuer: payload.iss.into_owned(),
        log: payload.log.into_owned(),
        issued_at: payload.iat,
        id: payload.jti.to_owned(),
        bucket: slots.len(),
    };
    Ok(Shown { claims, details })
}

/// Why one presentation does not extend another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum NotAnExtension {
    /// One of them is no token at all.
    #[error(transparent)]
    Form(#[from] Rejected),
    /// They are of different tokens: what is new in the later one was not committed to when the earlier was signed.
    #[error("the two are of different tokens: the later one was signed anew")]
    OtherToken,
    /// So many disclosures of the earlier one are missing in the later.
    #[error("{0} of the earlier one's levels are not in the later one: something was taken back")]
    Missing(usize),
}

/// Holds a later presentation against an earlier one: the same token, with everything that the earlier one showed.
/// Returns how many levels were added. What was added was then committed to from the start, under what it makes more
/// exact.
///
/// Compares only; each of the two must be verified by itself.
pub fn extends(earlier: &str, later: &str) -> Result<usize, NotAnExtension> {
    let (earlier, later) = (sdjwt::parse(earlier)?, sdjwt::parse(later)?);
    if earlier.jwt != later.jwt {
        return Err(NotAnExtension::OtherToken);
    }
    let shown: HashSet<&str> = later.disclosures.iter().copied().collect();
    let before: HashSet<&str> = earlier.disclosures.iter().copied().collect();
    match before.difference(&shown).count() {
        0 => Ok(shown.len() - before.len()),
        missing => Err(NotAnExtension::Missing(missing)),
    }
}
