//! The golden vectors in `testdata/tokens/vectors.json`: tokens with what they say, and tokens to be refused with the
//! check that refuses them. Made by this test from fixed keys; they never change unless the format does.

use serde_json::{Value, json};
use tearline_disclosure::keys::to_jwk;
use tearline_disclosure::sdjwt::issue::{assemble, decoy, digest, element, member};
use tearline_disclosure::sdjwt::{Challenge, Expected, bind, verify};
use tearline_disclosure::token::{self, present};

use crate::support::{encode, key, token as issued, warning};

pub(crate) const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../testdata/tokens/vectors.json");
const TYP: &str = "example+sd-jwt";
const AT: i64 = 1_709_805_600;

fn vectors() -> Value {
    json!({
        "about": "Tokens signed with the key below, whose 32 secret bytes are all 1. See docs/formats/token.md.",
        "issuer": { "name": "Example desk", "jwk": to_jwk(&key(1).verifying_key()) },
        "releases": releases(),
        "general": general(),
        "refused": refused(),
    })
}

/// Releases: the claims are what any reader of RFC 9901 finds.
fn releases() -> Vec<Value> {
    let issued = issued(&warning(), 7);
    [("nothing", [0; 5]), ("public", [1, 2, 2, 2, 0]), ("partner", [2, 2, 2, 2, 0]), ("all", [2, 3, 2, 3, 2])]
        .map(|(name, levels)| {
            let text = present(&issued, &levels).expect("levels");
            let reader = key(1).verifying_key();
            let expected =
                Expected { key: &reader, typ: token::TYP, at: AT, audience: None, key_binding: None };
            let claims = verify(&text, &expected).expect("a good token").claims;
            json!({ "name": name, "typ": token::TYP, "token": text, "claims": claims })
        })
        .to_vec()
}

/// Tokens that use the rest of RFC 9901: array elements, disclosures within others, a key binding.
fn general() -> Vec<Value> {
    let german = element(&[1; 16], &json!("DE"));
    let french = element(&[2; 16], &json!("FR"));
    let list =
        json!([{ "...": digest(&german) }, { "...": digest(&french) }, { "...": decoy(&[3; 32]) }, "UK"]);
    let nationalities = member(&[4; 16], "nationalities", &list).expect("a free name");
    let name = member(&[5; 16], "given_name", &json!("Möbius")).expect("a free name");
    let payload = json!({
        "iss": "Example desk",
        "_sd_alg": "sha-256",
        "_sd": [digest(&nationalities)],
        "address": { "country": "DE", "_sd": [digest(&name)] },
        "cnf": { "jwk": to_jwk(&key(3).verifying_key()) },
    });
    let text = assemble(&key(1), TYP, &payload, [nationalities.as_str(), &german, &name]);
    let claims = json!({
        "iss": "Example desk",
        "nationalities": ["DE", "UK"],
        "address": { "country": "DE", "given_name": "Möbius" },
        "cnf": { "jwk": to_jwk(&key(3).verifying_key()) },
    });
    let bound = bind(&text, &key(3), "the reader", "n-1", AT);
    vec![
        json!({ "name": "nested", "typ": TYP, "token": text, "claims": claims }),
        json!({
            "name": "key-binding", "typ": TYP, "token": bound, "claims": claims,
            "aud": "the reader", "nonce": "n-1", "iat": AT,
        }),
    ]
}

/// Tokens to be refused, each with the name of the check.
fn refused() -> Vec<Value> {
    let a = member(&[1; 16], "a", &json!(1)).expect("a free name");
    let changed = member(&[1; 16], "a", &json!(2)).expect("a free name");
    let again = member(&[2; 16], "a", &json!(3)).expect("a free name");
    let orphan = member(&[3; 16], "b", &json!(1)).expect("a free name");
    let named_sd = encode(r#"["salt","_sd",["x"]]"#);
    let named_dots = encode(r#"["salt","...","x"]"#);
    let pair = encode(r#"["salt","a"]"#);
    let item = element(&[4; 16], &json!("x"));
    let four = encode(r#"["salt","a",1,2]"#);
    let object = encode(r#"{"salt":"a"}"#);
    let twice = encode(r#"["salt","a",{"b":1,"b":2}]"#);
    let padded = format!("{a}=");
    let hidden = decoy(&[9; 32]);
    let token = |payload: Value, shown: &[&String]| {
        let mut payload = payload;
        payload["iss"] = "Example desk".into();
        assemble(&key(1), TYP, &payload, shown.iter().map(|text| text.as_str()))
    };
    let good = token(json!({ "_sd": [digest(&a)] }), &[&a]);
    let (jwt, _) = good.split_once('~').expect("a token");
    let signature = jwt.rsplit_once('.').expect("a signature").0;
    let none = format!("{}.{}.~", encode(&format!(r#"{{"alg":"none","typ":"{TYP}"}}"#)), encode("{}"));
    let other = assemble(&key(2), TYP, &json!({ "iss": "Example desk" }), []);
    let typed = assemble(&key(1), "other+jwt", &json!({ "iss": "Example desk" }), []);
    [
        (
            "orphan disclosure",
            "unreferenced-disclosure",
            token(json!({ "_sd": [digest(&a)] }), &[&a, &orphan]),
        ),
        (
            "tampered disclosure",
            "unreferenced-disclosure",
            token(json!({ "_sd": [digest(&a)] }), &[&changed]),
        ),
        ("same disclosure twice", "repeated-disclosure", token(json!({ "_sd": [digest(&a)] }), &[&a, &a])),
        (
            "repeated digest, disclosed",
            "repeated-digest",
            token(json!({ "_sd": [digest(&a), digest(&a)] }), &[&a]),
        ),
        (
            "repeated digest, undisclosed",
            "repeated-digest",
            token(json!({ "_sd": [hidden], "x": [{ "...": hidden }] }), &[]),
        ),
        ("disclosure named _sd", "reserved-name", token(json!({ "_sd": [digest(&named_sd)] }), &[&named_sd])),
        (
            "disclosure named ...",
            "reserved-name",
            token(json!({ "_sd": [digest(&named_dots)] }), &[&named_dots]),
        ),
        (
            "claim that is there already",
            "existing-claim",
            token(json!({ "a": 0, "_sd": [digest(&a)] }), &[&a]),
        ),
        (
            "claim disclosed twice",
            "existing-claim",
            token(json!({ "_sd": [digest(&a), digest(&again)] }), &[&a, &again]),
        ),
        ("two parts in an object", "disclosure-form", token(json!({ "_sd": [digest(&pair)] }), &[&pair])),
        ("four parts in an object", "disclosure-form", token(json!({ "_sd": [digest(&four)] }), &[&four])),
        ("three parts in an array", "disclosure-form", token(json!({ "x": [{ "...": digest(&a) }] }), &[&a])),
        ("array element in an object", "disclosure-form", token(json!({ "_sd": [digest(&item)] }), &[&item])),
        (
            "disclosure that is no array",
            "disclosure-form",
            token(json!({ "_sd": [digest(&object)] }), &[&object]),
        ),
        (
            "name twice in a disclosure",
            "duplicate-name",
            token(json!({ "_sd": [digest(&twice)] }), &[&twice]),
        ),
        ("padded disclosure", "base64", token(json!({ "_sd": [digest(&padded)] }), &[&padded])),
        ("_sd that is no array", "digest-form", token(json!({ "_sd": hidden }), &[])),
        ("_sd with a number", "digest-form", token(json!({ "_sd": [hidden, 1] }), &[])),
        ("_sd_alg md5", "hash-algorithm", token(json!({ "_sd_alg": "md5" }), &[])),
        ("_sd_alg within", "hash-algorithm", token(json!({ "x": { "_sd_alg": "sha-256" } }), &[])),
        ("algorithm none", "algorithm", none),
        ("signature left out", "signature", format!("{signature}.~")),
        ("signed by another key", "signature", other),
        ("of another type", "type", typed),
        ("last ~ left out", "key-binding-presence", good.trim_end_matches('~').to_owned()),
        ("no ~ at all", "form", jwt.to_owned()),
        ("empty disclosure", "form", format!("{good}~")),
        ("expired", "validity", token(json!({ "exp": 1 }), &[])),
    ]
    .map(|(name, check, token)| json!({ "name": name, "check": check, "typ": TYP, "token": token }))
    .to_vec()
}

#[expect(clippy::disallowed_methods, reason = "a test reads its vectors")]
pub(crate) fn committed() -> Value {
    let text = std::fs::read_to_string(FILE).unwrap_or_default();
    serde_json::from_str(&text).unwrap_or_default()
}

#[test]
fn the_golden_vectors_are_what_this_program_makes() {
    let made = vectors();
    if committed() != made {
        let path = concat!(env!("CARGO_TARGET_TMPDIR"), "/vectors.json");
        let text = serde_json::to_string_pretty(&made).expect("JSON") + "\n";
        #[expect(
            clippy::disallowed_methods,
            reason = "a test leaves what it made for who changes the format"
        )]
        std::fs::write(path, text).expect("the folder is there");
        panic!("testdata/tokens/vectors.json is not what is made now; that is in {path}");
    }
}

#[test]
fn every_vector_is_read_or_refused_as_it_says() {
    fn text<'a>(vector: &'a Value, name: &str) -> &'a str {
        vector[name].as_str().expect("text")
    }
    let vectors = committed();
    let reader = key(1).verifying_key();
    let expected = |typ| Expected { key: &reader, typ, at: AT, audience: None, key_binding: None };
    for list in ["releases", "general"] {
        for vector in vectors[list].as_array().expect("a list") {
            let (typ, token) = (text(vector, "typ"), text(vector, "token"));
            let (aud, nonce) = (vector["aud"].as_str(), vector["nonce"].as_str());
            let key_binding = aud.zip(nonce).map(|(audience, nonce)| Challenge {
                audience,
                nonce,
                earliest: AT,
                latest: AT,
            });
            let found = verify(token, &Expected { key_binding, ..expected(typ) });
            assert_eq!(
                found.map(|verified| Value::from(verified.claims)),
                Ok(vector["claims"].clone()),
                "{}",
                vector["name"]
            );
            if list == "releases" {
                assert!(token::verify(token, &reader).is_ok());
            }
        }
    }
    for vector in vectors["refused"].as_array().expect("a list") {
        let found = verify(text(vector, "token"), &expected(text(vector, "typ")));
        let found = found.map_err(|rejected| rejected.check.name());
        assert_eq!(found.map(|_| ()), Err(text(vector, "check")), "{}", vector["name"]);
    }
}
