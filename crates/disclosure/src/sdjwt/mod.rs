//! RFC 9901 (SD-JWT), in the compact form: parse, verify, expand, present with a key binding, and the parts of issuing.
//!
//! General: any SD-JWT signed with `EdDSA` and hashed with sha-256 goes through, whoever made it. What the standard says
//! must be rejected is rejected, and so is what it says an issuer must not do where a reader can see it. Key, algorithm
//! and type are fixed by the caller; nothing in the token chooses them.
//!
//! The JSON serialisation (section 8) is not read.

mod expand;
pub mod issue;
pub mod json;
pub mod jws;
mod key_binding;
mod rejected;

use ed25519_dalek::VerifyingKey;
use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};

pub(crate) use self::expand::expand;
pub use self::key_binding::{Challenge, bind};
pub use self::rejected::{Check, Place, Rejected};

/// How large a token, and each thing in it, may be.
pub mod limits {
    /// Bytes of a whole token.
    pub const TOKEN_BYTES: usize = 32 << 20;
    /// Bytes of a compact JWS: the signed part without its disclosures, or a statement.
    pub const JWT_BYTES: usize = 4 << 20;
    /// Bytes of a header, as it is written.
    pub const HEADER_BYTES: usize = 64 << 10;
    /// Bytes of one disclosure, as it is written.
    pub const DISCLOSURE_BYTES: usize = 2 << 20;
    /// Disclosures of one token.
    pub const DISCLOSURES: usize = 100_000;
    /// Arrays and objects within one another: in a JSON text, and in the claims with the disclosures put in.
    pub const DEPTH: usize = 32;
    /// Like [`DEPTH`], for the claims with the disclosures put in: room for as many disclosures within one another
    /// as a detail has levels.
    pub const EXPANDED_DEPTH: usize = 600;
}

/// A token taken apart, nothing checked but its form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parts<'a> {
    /// The signed JWT.
    pub jwt: &'a str,
    /// The disclosures, in the order of the token.
    pub disclosures: Vec<&'a str>,
    /// The key binding JWT, if there is one.
    pub key_binding: Option<&'a str>,
    /// All but the key binding, with the last `~`: what `sd_hash` is taken over.
    pub presented: &'a str,
}

/// Takes a token apart (section 4).
pub fn parse(text: &str) -> Result<Parts<'_>, Rejected> {
    if text.len() > limits::TOKEN_BYTES {
        return Err(Rejected::new(Check::Size, Place::Whole));
    }
    let (presented, last) = match text.rfind('~') {
        Some(end) => text.split_at(end + 1),
        None => return Err(Rejected::new(Check::Form, Place::Whole)),
    };
    let mut parts = presented[..presented.len() - 1].split('~');
    let jwt = parts.next().unwrap_or_default();
    let mut disclosures = Vec::new();
    for (index, part) in parts.enumerate() {
        let place = Place::Disclosure(index + 1);
        if part.is_empty() {
            return Err(Rejected::new(Check::Form, place));
        }
        if part.len() > limits::DISCLOSURE_BYTES || index >= limits::DISCLOSURES {
            return Err(Rejected::new(Check::Size, place));
        }
        disclosures.push(part);
    }
    Ok(Parts { jwt, disclosures, key_binding: (!last.is_empty()).then_some(last), presented })
}

/// What a reader demands of a token.
#[derive(Clone, Copy, Debug)]
pub struct Expected<'a> {
    /// The issuer's key.
    pub key: &'a VerifyingKey,
    /// The `typ` of the header, exactly.
    pub typ: &'a str,
    /// The time of reading, in seconds since 1970 UTC: `nbf` is not after it, `exp` is.
    pub at: i64,
    /// By what name `aud` must know the reader. With `None` a token that has an `aud` is refused.
    pub audience: Option<&'a str>,
    /// The challenge that the holder's key binding answers. With `None` a token with a key binding is refused.
    pub key_binding: Option<Challenge<'a>>,
}

/// The claims of a token that passed every check, disclosures put in, digests taken out.
#[derive(Clone, Debug, PartialEq)]
pub struct Verified {
    /// The processed payload (section 7.1).
    pub claims: Map<String, Value>,
}

/// Verifies a token as sections 7.1 and 7.3 say.
pub fn verify(text: &str, expected: &Expected<'_>) -> Result<Verified, Rejected> {
    let parts = parse(text)?;
    if parts.key_binding.is_some() != expected.key_binding.is_some() {
        return Err(Rejected::new(Check::KeyBindingPresence, Place::Whole));
    }
    let signed = jws::verify(parts.jwt, expected.key, expected.typ)?;
    let claims = expand(&signed.payload, &parts.disclosures)?;
    check_validity(&claims, expected)?;
    if let (Some(text), Some(challenge)) = (parts.key_binding, &expected.key_binding) {
        key_binding::check(text, parts.presented, &claims, challenge)?;
    }
    Ok(Verified { claims })
}

/// The digest of a disclosure (section 4.2.3): SHA-256 over its characters.
pub(crate) fn digest(disclosure: &str) -> [u8; 32] {
    Sha256::digest(disclosure.as_bytes()).into()
}

fn check_validity(claims: &Map<String, Value>, expected: &Expected<'_>) -> Result<(), Rejected> {
    let rejected = |check| Rejected::new(check, Place::Payload);
    // NumericDate (RFC 7519, 2) may have a fraction; a claim that is no number cannot be met.
    let at = seconds(&Value::from(expected.at));
    let time = |name: &str| claims.get(name).map(seconds);
    if let Some(end) = time("exp")
        && !matches!((at, end), (Some(at), Some(end)) if at < end)
    {
        return Err(rejected(Check::Validity));
    }
    if let Some(start) = time("nbf")
        && !matches!((at, start), (Some(at), Some(start)) if start <= at)
    {
        return Err(rejected(Check::Validity));
    }
    if time("iat") == Some(None) {
        return Err(rejected(Check::Validity));
    }
    let is_us = |value: &Value| value.as_str().is_some_and(|name| Some(name) == expected.audience);
    match claims.get("aud") {
        None => Ok(()),
        Some(Value::Array(names)) if names.iter().any(is_us) => Ok(()),
        Some(name) if is_us(name) => Ok(()),
        Some(_) => Err(rejected(Check::Audience)),
    }
}

fn seconds(value: &Value) -> Option<f64> {
    value.as_f64()
}
