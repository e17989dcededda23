//! Signed statements: JWS compact serialisation (RFC 7515, section 3.1) with EdDSA over Ed25519 (RFC 8037).
//!
//! The header has three members and nothing else. Algorithm and type are fixed by the reader; `kid` only says which
//! of the keys that the reader trusts to try.

use crate::bytes::Digest;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ed25519_dalek::{Signature, Signer, SigningKey, VerifyingKey};
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// Statements above this size are refused unread.
pub const MOST_BYTES: usize = 4 << 20;

/// Why a JWS is refused.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Refused {
    /// It is not of the form.
    #[error("not a signed statement: {0}")]
    Form(&'static str),
    /// It is a statement of another kind.
    #[error("a statement of the type {found:?}, and {expected:?} was expected")]
    Type {
        /// The type that was expected.
        expected: &'static str,
        /// The type it has.
        found: String,
    },
    /// The signature is not by the key, or the statement was changed after it was signed.
    #[error(
        "the signature does not hold: the statement was changed after it was signed, or another key signed it"
    )]
    Signature,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Header {
    alg: String,
    kid: String,
    typ: String,
}

/// A JWS that was taken apart and not yet verified.
#[derive(Clone, Debug)]
pub struct Unverified<'a> {
    /// The key that is said to have signed: see [`kid`].
    pub kid: String,
    signed: &'a str,
    signature: Signature,
    payload: Vec<u8>,
}

/// The name of a key: the first half of the SHA-256 of its 32 bytes, base64url.
pub fn kid(key: &VerifyingKey) -> String {
    URL_SAFE_NO_PAD.encode(&Digest::of(key.as_bytes()).0[..16])
}

/// Signs a payload.
pub fn sign(typ: &str, payload: &[u8], key: &SigningKey) -> String {
    let header = Header { alg: "EdDSA".into(), kid: kid(&key.verifying_key()), typ: typ.into() };
    let header = serde_json::to_vec(&header).expect("three strings");
    let mut jws = URL_SAFE_NO_PAD.encode(header);
    jws.push('.');
    URL_SAFE_NO_PAD.encode_string(payload, &mut jws);
    let signature = key.sign(jws.as_bytes());
    jws.push('.');
    URL_SAFE_NO_PAD.encode_string(signature.to_bytes(), &mut jws);
    jws
}

/// Takes a JWS of the given type apart.
///
/// # Errors
/// If it is not of the form, of another type, or of another algorithm than EdDSA.
pub fn parse<'a>(jws: &'a str, typ: &'static str) -> Result<Unverified<'a>, Refused> {
    if jws.len() > MOST_BYTES {
        return Err(Refused::Form("it is too large"));
    }
    let (signed, signature) =
        jws.rsplit_once('.').ok_or(Refused::Form("expected three parts with dots between"))?;
    let (header, payload) =
        signed.split_once('.').ok_or(Refused::Form("expected three parts with dots between"))?;
    let decode = |part| URL_SAFE_NO_PAD.decode(part).map_err(|_| Refused::Form("a part is not base64url"));
    let header: Header = serde_json::from_slice(&decode(header)?)
        .map_err(|_| Refused::Form("the header must hold alg, kid and typ, and nothing else"))?;
    if header.alg != "EdDSA" {
        return Err(Refused::Form("the algorithm must be EdDSA"));
    }
    if header.typ != typ {
        return Err(Refused::Type { expected: typ, found: header.typ });
    }
    let signature =
        Signature::from_slice(&decode(signature)?).map_err(|_| Refused::Form("a signature has 64 bytes"))?;
    Ok(Unverified { kid: header.kid, signed, signature, payload: decode(payload)? })
}

impl Unverified<'_> {
    /// The payload, once the signature is found to be by this key.
    ///
    /// # Errors
    /// [`Refused::Signature`].
    pub fn verify(self, key: &VerifyingKey) -> Result<Vec<u8>, Refused> {
        match key.verify_strict(self.signed.as_bytes(), &self.signature) {
            Ok(()) => Ok(self.payload),
            Err(_) => Err(Refused::Signature),
        }
    }

    /// The payload as it stands, for choosing the key by what it says. Nothing in it may be believed.
    pub fn unverified_payload(&self) -> &[u8] {
        &self.payload
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TYPE: &str = "tearline-test+jwt";

    #[test]
    fn a_statement_holds_by_its_key_and_falls_with_any_changed_character() {
        let key = SigningKey::from_bytes(&[7; 32]);
        let jws = sign(TYPE, b"{\"a\":1}", &key);
        let parsed = parse(&jws, TYPE).expect("of the form");
        assert_eq!(parsed.kid, kid(&key.verifying_key()));
        assert_eq!(parsed.verify(&key.verifying_key()).expect("signed"), b"{\"a\":1}");
        let other = SigningKey::from_bytes(&[8; 32]).verifying_key();
        assert_eq!(parse(&jws, TYPE).expect("of the form").verify(&other), Err(Refused::Signature));
        for at in 0..jws.len() {
            let mut changed = jws.clone().into_bytes();
            changed[at] = if changed[at] == b'A' { b'B' } else { b'A' };
            let changed = String::from_utf8(changed).expect("ASCII");
            let held = parse(&changed, TYPE).and_then(|parsed| {
                // `kid` is a hint: a changed one still changes what was signed.
                parsed.verify(&key.verifying_key())
            });
            assert!(held.is_err(), "changed at {at}");
        }
    }

    #[test]
    fn the_algorithm_is_not_taken_from_the_statement() {
        for header in [
            r#"{"alg":"none","kid":"x","typ":"tearline-test+jwt"}"#,
            r#"{"alg":"HS256","kid":"x","typ":"tearline-test+jwt"}"#,
            r#"{"alg":"EdDSA","kid":"x","typ":"tearline-test+jwt","crit":["b64"],"b64":false}"#,
            r#"{"alg":"EdDSA","alg":"none","kid":"x","typ":"tearline-test+jwt"}"#,
            r#"{"alg":"EdDSA","typ":"tearline-test+jwt"}"#,
        ] {
            let jws = format!("{}.e30.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode([0; 64]));
            assert!(matches!(parse(&jws, TYPE), Err(Refused::Form(_))), "{header}");
        }
        let jws = sign("tearline-other+jwt", b"{}", &SigningKey::from_bytes(&[7; 32]));
        assert!(matches!(parse(&jws, TYPE), Err(Refused::Type { .. })));
    }
}
