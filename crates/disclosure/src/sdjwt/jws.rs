//! Signatures: JWS in compact form (RFC 7515), always `EdDSA` with Ed25519 (RFC 8037), always typed (RFC 8725, 3.11).

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ed25519_dalek::{Signature, Signer as _, SigningKey, VerifyingKey};
use serde_json::Value;

use super::json;
use super::limits;
use super::rejected::{Check, Place, Rejected};
use crate::keys::kid;

/// Signs a payload. The header is `{"alg":"EdDSA","kid":…,"typ":…}` with [`kid`] and no spaces.
pub fn sign(key: &SigningKey, typ: &str, payload: &[u8]) -> String {
    let header = format!(
        r#"{{"alg":"EdDSA","kid":"{}","typ":{}}}"#,
        kid(&key.verifying_key()),
        Value::from(typ) // written as JSON, with what must be escaped
    );
    let mut text = String::with_capacity((header.len() + payload.len()) * 4 / 3 + 96);
    URL_SAFE_NO_PAD.encode_string(header, &mut text);
    text.push('.');
    URL_SAFE_NO_PAD.encode_string(payload, &mut text);
    let signature = key.sign(text.as_bytes());
    text.push('.');
    URL_SAFE_NO_PAD.encode_string(signature.to_bytes(), &mut text);
    text
}

/// A payload whose signature fits.
#[derive(Clone, Debug, PartialEq)]
pub struct Signed {
    /// The `kid` of the header, if it has one. A hint by the signer; what was checked is the key.
    pub kid: Option<String>,
    /// The bytes signed.
    pub payload: Vec<u8>,
}

/// What the header says of itself, before anything is checked: to find the key to check it with, and for messages.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Hint {
    /// The `kid`.
    pub kid: Option<String>,
    /// The `typ`.
    pub typ: Option<String>,
}

/// Reads the header of a compact JWS, or of a token that begins with one, without checking anything.
pub fn hint(text: &str) -> Hint {
    let header = text.split('.').next().filter(|header| header.len() <= limits::HEADER_BYTES);
    let header = header.and_then(|header| json::parse(&decode(header, Place::Header).ok()?).ok());
    let text = |name: &str| header.as_ref()?.get(name)?.as_str().map(str::to_owned);
    Hint { kid: text("kid"), typ: text("typ") }
}

/// Checks a compact JWS against one key, one type and `EdDSA`: none of them is taken from the text. The signature is
/// checked strictly: no key and no point of small order, which no honest signer makes (RFC 8032, 5.1.7 allows it).
pub fn verify(text: &str, key: &VerifyingKey, typ: &str) -> Result<Signed, Rejected> {
    check(text, key, typ, None)
}

/// Like [`verify`], and the header names the key by its [`kid`], as all that [`sign`] makes does. A text signed by
/// another key then fails [`Check::Key`], and only a false one [`Check::Signature`].
pub fn verify_named(text: &str, key: &VerifyingKey, typ: &str) -> Result<Signed, Rejected> {
    check(text, key, typ, Some(&kid(key)))
}

fn check(text: &str, key: &VerifyingKey, typ: &str, named: Option<&str>) -> Result<Signed, Rejected> {
    let reject = |check| Rejected::new(check, Place::Header);
    if text.len() > limits::JWT_BYTES {
        return Err(Rejected::new(Check::Size, Place::Payload));
    }
    let mut parts = text.split('.');
    let (Some(header), Some(payload), Some(signature), None) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return Err(reject(Check::Form));
    };
    if header.len() > limits::HEADER_BYTES {
        return Err(reject(Check::Size));
    }
    let kid = check_header(&decode(header, Place::Header)?, typ)?;
    if named.is_some() && kid.as_deref() != named {
        return Err(reject(Check::Key));
    }
    let signature = decode(signature, Place::Payload)?;
    let signature =
        Signature::from_slice(&signature).map_err(|_| Rejected::new(Check::Signature, Place::Payload))?;
    let signed = &text[..header.len() + 1 + payload.len()];
    key.verify_strict(signed.as_bytes(), &signature)
        .map_err(|_| Rejected::new(Check::Signature, Place::Payload))?;
    Ok(Signed { kid, payload: decode(payload, Place::Payload)? })
}

/// Base64url without padding, one way to write it.
pub(crate) fn decode(text: &str, place: Place) -> Result<Vec<u8>, Rejected> {
    URL_SAFE_NO_PAD.decode(text).map_err(|_| Rejected::new(Check::Base64, place))
}

fn check_header(header: &[u8], typ: &str) -> Result<Option<String>, Rejected> {
    let reject = |check| Rejected::new(check, Place::Header);
    let header = json::parse(header).map_err(reject)?;
    if !header.is_object() {
        return Err(reject(Check::Json));
    }
    if header.get("alg").and_then(Value::as_str) != Some("EdDSA") {
        return Err(reject(Check::Algorithm));
    }
    if header.get("typ").and_then(Value::as_str) != Some(typ) {
        return Err(reject(Check::Type));
    }
    // Nothing here is understood beyond the two (RFC 7515, 4.1.11); `b64` (RFC 7797) would need `crit`.
    if header.get("crit").is_some() || header.get("b64").is_some() {
        return Err(reject(Check::Critical));
    }
    match header.get("kid") {
        None => Ok(None),
        Some(Value::String(kid)) => Ok(Some(kid.clone())),
        Some(_) => Err(reject(Check::Json)),
    }
}
