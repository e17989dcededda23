//! Public keys by name and as JSON: the key identifier of our headers, and Ed25519 keys as JWKs (RFC 8037).

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ed25519_dalek::VerifyingKey;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

/// The identifier of a key: the first 16 bytes of the SHA-256 of its 32 bytes (RFC 8032, 5.1.5), base64url without
/// padding; 22 characters. It helps to find a key, and proves nothing.
pub fn kid(key: &VerifyingKey) -> String {
    let hash = Sha256::digest(key.as_bytes());
    URL_SAFE_NO_PAD.encode(&hash[..16])
}

/// The key as a JWK (RFC 8037, 2): `{"kty":"OKP","crv":"Ed25519","x":…}`.
pub fn to_jwk(key: &VerifyingKey) -> Value {
    json!({ "kty": "OKP", "crv": "Ed25519", "x": URL_SAFE_NO_PAD.encode(key.as_bytes()) })
}

/// The Ed25519 key of a JWK. `None` if it is of another kind, holds a private part, or is no point of the curve.
/// Members beyond the three are ignored (RFC 7517, 4).
pub fn from_jwk(jwk: &Value) -> Option<VerifyingKey> {
    let is = |name: &str, expected: &str| jwk.get(name).and_then(Value::as_str) == Some(expected);
    if !is("kty", "OKP") || !is("crv", "Ed25519") || jwk.get("d").is_some() {
        return None;
    }
    let bytes = URL_SAFE_NO_PAD.decode(jwk.get("x")?.as_str()?).ok()?;
    VerifyingKey::from_bytes(&bytes.try_into().ok()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 8037, appendix A.1 and A.2.
    const X: &str = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";

    #[test]
    fn a_key_goes_through_a_jwk() {
        let key = from_jwk(&json!({ "kty": "OKP", "crv": "Ed25519", "x": X })).expect("the key of RFC 8037");
        assert_eq!(to_jwk(&key)["x"], X);
        assert_eq!(from_jwk(&to_jwk(&key)), Some(key));
        assert_eq!(kid(&key).len(), 22);
    }

    #[test]
    fn other_keys_are_none() {
        for jwk in [
            json!({ "kty": "EC", "crv": "P-256", "x": X }),
            json!({ "kty": "OKP", "crv": "X25519", "x": X }),
            json!({ "kty": "OKP", "crv": "Ed25519", "x": format!("{X}=") }),
            json!({ "kty": "OKP", "crv": "Ed25519", "x": &X[1..] }),
            json!({ "kty": "OKP", "crv": "Ed25519", "x": X, "d": X }),
            json!(null),
        ] {
            assert_eq!(from_jwk(&jwk), None, "{jwk}");
        }
    }
}
