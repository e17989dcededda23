//! The key binding JWT (sections 4.3 and 7.3): the holder's signature over what it presents, to whom, and when.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ed25519_dalek::SigningKey;
use serde_json::{Map, Value, json};

use super::rejected::{Check, Place, Rejected};
use super::{digest, json, jws};
use crate::keys::from_jwk;

const TYP: &str = "kb+jwt";

/// What a key binding must answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Challenge<'a> {
    /// The reader's name: `aud`.
    pub audience: &'a str,
    /// What the reader asked to be repeated: `nonce`.
    pub nonce: &'a str,
    /// The earliest time at which it may have been made, in seconds since 1970 UTC.
    pub earliest: i64,
    /// The latest such time.
    pub latest: i64,
}

/// Adds a key binding to an SD-JWT (which ends in `~`). `issued_at` is in seconds since 1970 UTC.
pub fn bind(presented: &str, holder: &SigningKey, audience: &str, nonce: &str, issued_at: i64) -> String {
    let payload = json!({
        "iat": issued_at,
        "aud": audience,
        "nonce": nonce,
        "sd_hash": URL_SAFE_NO_PAD.encode(digest(presented)),
    });
    format!("{presented}{}", jws::sign(holder, TYP, payload.to_string().as_bytes()))
}

/// Checks a key binding over `presented` by the key that the claims name.
pub(super) fn check(
    text: &str,
    presented: &str,
    claims: &Map<String, Value>,
    challenge: &Challenge<'_>,
) -> Result<(), Rejected> {
    let reject = |check| Rejected::new(check, Place::KeyBinding);
    let holder =
        claims.get("cnf").and_then(|cnf| from_jwk(cnf.get("jwk")?)).ok_or(reject(Check::HolderKey))?;
    let signed = jws::verify(text, &holder, TYP).map_err(|rejected| reject(rejected.check))?;
    let payload = json::parse(&signed.payload).map_err(reject)?;
    let is = |name: &str, expected: &str| payload.get(name).and_then(Value::as_str) == Some(expected);
    if !is("aud", challenge.audience) || !is("nonce", challenge.nonce) {
        return Err(reject(Check::Replay));
    }
    let bound = |time: i64| Value::from(time).as_f64();
    let made = payload.get("iat").and_then(Value::as_f64);
    if !matches!((bound(challenge.earliest), made, bound(challenge.latest)),
        (Some(earliest), Some(made), Some(latest)) if earliest <= made && made <= latest)
    {
        return Err(reject(Check::Freshness));
    }
    // A key binding may set itself limits (step 5.8); they hold at the latest time that is accepted.
    for (name, before) in [("exp", true), ("nbf", false)] {
        if let Some(limit) = payload.get(name) {
            let (Some(limit), Some(now)) = (limit.as_f64(), bound(challenge.latest)) else {
                return Err(reject(Check::Freshness));
            };
            if (before && now >= limit) || (!before && now < limit) {
                return Err(reject(Check::Freshness));
            }
        }
    }
    if is("sd_hash", &URL_SAFE_NO_PAD.encode(digest(presented))) {
        Ok(())
    } else {
        Err(reject(Check::Binding))
    }
}
