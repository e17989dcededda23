//! The parts of issuing (section 4.2): disclosures, digests, decoys, and the whole.
//!
//! What goes where is the caller's: it puts digests into `_sd` arrays and `{"...": digest}` elements of a payload of its
//! own. Salts are 128 random bits each, never used twice.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ed25519_dalek::SigningKey;
use serde_json::Value;

use super::{digest as hash, jws};

/// A disclosure for a member of an object. `None` if the name is one that the standard reserves.
pub fn member(salt: &[u8; 16], name: &str, value: &Value) -> Option<String> {
    if matches!(name, "_sd" | "..." | "_sd_alg") {
        return None;
    }
    Some(encode(&Value::from(vec![
        Value::from(URL_SAFE_NO_PAD.encode(salt)),
        Value::from(name),
        value.clone(),
    ])))
}

/// A disclosure for an element of an array.
pub fn element(salt: &[u8; 16], value: &Value) -> String {
    encode(&Value::from(vec![Value::from(URL_SAFE_NO_PAD.encode(salt)), value.clone()]))
}

/// The digest of a disclosure, as it stands in a payload.
pub fn digest(disclosure: &str) -> String {
    URL_SAFE_NO_PAD.encode(hash(disclosure))
}

/// A digest of nothing: the hash of random bytes that are then forgotten (section 4.2.5).
pub fn decoy(random: &[u8; 32]) -> String {
    digest(&URL_SAFE_NO_PAD.encode(random))
}

/// Signs a payload and joins it with the disclosures to show.
pub fn assemble<'a>(
    key: &SigningKey,
    typ: &str,
    payload: &Value,
    disclosures: impl IntoIterator<Item = &'a str>,
) -> String {
    join(jws::sign(key, typ, payload.to_string().as_bytes()), disclosures)
}

/// The compact form of a signed JWT with disclosures.
pub(crate) fn join<'a>(mut jwt: String, disclosures: impl IntoIterator<Item = &'a str>) -> String {
    jwt.push('~');
    for disclosure in disclosures {
        jwt.push_str(disclosure);
        jwt.push('~');
    }
    jwt
}

fn encode(array: &Value) -> String {
    URL_SAFE_NO_PAD.encode(array.to_string())
}
