//! What RFC 9901 says must be rejected, case by case, and every byte of a good token changed.

use ed25519_dalek::SigningKey;
use serde_json::{Value, json};
use tearline_disclosure::keys::to_jwk;
use tearline_disclosure::sdjwt::issue::{assemble, decoy, digest, element, member};
use tearline_disclosure::sdjwt::{
    self, Challenge, Check, Expected, Place, Rejected, bind, jws, limits, verify,
};
use tearline_disclosure::token;

use crate::support::{encode, key, token as issued, warning};

const TYP: &str = "example+sd-jwt";
const AT: i64 = 1_700_000_000;

fn expected(key: &ed25519_dalek::VerifyingKey) -> Expected<'_> {
    Expected { key, typ: TYP, at: AT, audience: None, key_binding: None }
}

fn read(text: &str) -> Result<Value, Rejected> {
    verify(text, &expected(&key(1).verifying_key())).map(|verified| Value::Object(verified.claims))
}

fn sign(payload: &Value, disclosures: &[&str]) -> String {
    assemble(&key(1), TYP, payload, disclosures.iter().copied())
}

fn check(payload: &Value, disclosures: &[&str], check: Check) {
    let found = read(&sign(payload, disclosures)).map_err(|rejected| rejected.check);
    assert_eq!(found, Err(check), "{payload} {disclosures:?}");
}

/// Whatever the reader of our tokens accepts, the general reader accepts, and finds the same.
pub(crate) fn agrees(text: &str) {
    let reader = key(1).verifying_key();
    let Ok(shown) = token::verify(text, &reader) else { return };
    let all = verify(text, &Expected { typ: token::TYP, ..expected(&reader) }).expect("both accept it");
    assert_eq!(all.claims["iss"], shown.claims.issuer);
    assert_eq!(all.claims["details"].as_object().map_or(0, serde_json::Map::len), shown.details.len());
    for detail in &shown.details {
        let mut level = &all.claims["details"][&detail.name];
        for (index, shown) in detail.levels.iter().enumerate() {
            assert_eq!(level["v"]["text"], shown.text, "{} {index}", detail.name);
            level = &level["finer"];
        }
        assert!(level.is_null());
    }
}

#[test]
fn disclosures_go_where_their_digests_stand() {
    let inner = element(&[1; 16], &json!("DE"));
    let hidden = element(&[2; 16], &json!("FR"));
    let outer = member(
        &[3; 16],
        "nationalities",
        &json!([{ "...": digest(&inner) }, { "...": digest(&hidden) }, "UK"]),
    )
    .expect("a free name");
    let flat = member(&[4; 16], "given_name", &json!("Möbius")).expect("a free name");
    let payload = json!({
        "iss": "them",
        "_sd_alg": "sha-256",
        "_sd": [digest(&outer), decoy(&[0; 32])],
        "address": { "_sd": [digest(&flat)], "country": "DE" },
    });
    assert_eq!(
        read(&sign(&payload, &[&flat, &outer, &inner])),
        Ok(json!({
            "iss": "them",
            "nationalities": ["DE", "UK"],
            "address": { "country": "DE", "given_name": "Möbius" },
        }))
    );
    assert_eq!(read(&sign(&payload, &[])), Ok(json!({ "iss": "them", "address": { "country": "DE" } })));
    // The example of section 4.2.3.
    let example = "WyJfMjZiYzRMVC1hYzZxMktJNmNCVzVlcyIsICJmYW1pbHlfbmFtZSIsICJNw7ZiaXVzIl0";
    assert_eq!(digest(example), "X9yH0Ajrdm1Oij4tWso9UzzKJvPoDxwmuEcO3XAdRC0");
    assert_eq!(
        read(&sign(&json!({ "_sd": [digest(example)] }), &[example])),
        Ok(json!({ "family_name": "Möbius" }))
    );
}

#[test]
fn disclosures_that_the_signature_does_not_cover() {
    let good = member(&[1; 16], "a", &json!(1)).expect("a free name");
    let orphan = member(&[2; 16], "b", &json!(1)).expect("a free name");
    let payload = json!({ "_sd": [digest(&good)] });
    check(&payload, &[&good, &orphan], Check::UnreferencedDisclosure);
    check(&payload, &[&orphan], Check::UnreferencedDisclosure);
    check(&payload, &[&good, &good], Check::RepeatedDisclosure);
    // Tampered: the same salt and name, another value.
    let tampered = member(&[1; 16], "a", &json!(2)).expect("a free name");
    check(&payload, &[&tampered], Check::UnreferencedDisclosure);
    // Referred to only by what is not shown.
    let outer = member(&[3; 16], "c", &json!({ "_sd": [digest(&good)] })).expect("a free name");
    check(&json!({ "_sd": [digest(&outer)] }), &[&good], Check::UnreferencedDisclosure);
    // A digest that stands elsewhere than in `_sd` or `...` refers to nothing.
    check(&json!({ "a": digest(&good) }), &[&good], Check::UnreferencedDisclosure);
    assert_eq!(
        read(&sign(&json!({ "_sd": [digest(&outer)] }), &[&outer, &good])),
        Ok(json!({ "c": { "a": 1 } }))
    );
}

#[test]
fn digests_that_stand_twice() {
    let good = member(&[1; 16], "a", &json!(1)).expect("a free name");
    let twice = digest(&good);
    let unknown = decoy(&[9; 32]);
    for digest in [&twice, &unknown] {
        for payload in [
            json!({ "_sd": [digest, digest] }),
            json!({ "_sd": [digest], "x": { "_sd": [digest] } }),
            json!({ "_sd": [digest], "x": [{ "...": digest }] }),
            json!({ "x": [{ "...": digest }, { "...": digest }] }),
        ] {
            check(&payload, &[], Check::RepeatedDigest);
        }
    }
    check(&json!({ "_sd": [twice, twice] }), &[&good], Check::RepeatedDigest);
    // One of the two in a disclosure.
    let outer = member(&[2; 16], "b", &json!({ "_sd": [unknown] })).expect("a free name");
    check(&json!({ "_sd": [digest(&outer), unknown] }), &[&outer], Check::RepeatedDigest);
    assert!(
        read(&sign(&json!({ "_sd": [digest(&outer), unknown] }), &[])).is_ok(),
        "nobody can see it there"
    );
    // A disclosure that holds its own digest cannot be made; two of one content have different digests.
}

#[test]
fn disclosures_of_a_wrong_form() {
    for text in [
        "{}",
        "\"a\"",
        "[]",
        r#"["salt"]"#,
        r#"["salt","a"]"#,
        r#"["salt","a",1,2]"#,
        r#"[1,"a",1]"#,
        r#"["salt",1,1]"#,
        r#"["salt",null,1]"#,
    ] {
        let disclosure = encode(text);
        check(&json!({ "_sd": [digest(&disclosure)] }), &[&disclosure], Check::DisclosureForm);
    }
    for text in ["{}", r#"["salt"]"#, r#"["salt","a",1]"#, r#"[1,"a"]"#] {
        let disclosure = encode(text);
        check(&json!({ "x": [{ "...": digest(&disclosure) }] }), &[&disclosure], Check::DisclosureForm);
    }
    for (text, why) in [
        (r#"["salt","a",1"#, Check::Json),
        (r#"["salt","a",1]]"#, Check::Json),
        (r#"["salt","a",{"b":1,"b":2}]"#, Check::DuplicateName),
        (&format!(r#"["salt","a",{}{}]"#, "[".repeat(40), "]".repeat(40)), Check::Depth),
    ] {
        let disclosure = encode(text);
        check(&json!({ "_sd": [digest(&disclosure)] }), &[&disclosure], why);
    }
    for name in ["_sd", "...", "_sd_alg"] {
        assert_eq!(member(&[0; 16], name, &json!(1)), None);
        let disclosure = encode(&format!(r#"["salt","{name}",["x"]]"#));
        check(&json!({ "_sd": [digest(&disclosure)] }), &[&disclosure], Check::ReservedName);
        let inner = encode(&format!(r#"["salt","a",{{"b":{{"{name}":1}}}}]"#));
        let found = read(&sign(&json!({ "_sd": [digest(&inner)] }), &[&inner])).expect_err("a reserved name");
        assert!(matches!(found.check, Check::ReservedName | Check::DigestForm), "{found:?}");
    }
}

#[test]
fn names_that_are_there_already() {
    let one = member(&[1; 16], "a", &json!(1)).expect("a free name");
    let two = member(&[2; 16], "a", &json!(2)).expect("a free name");
    check(&json!({ "a": 0, "_sd": [digest(&one)] }), &[&one], Check::ExistingClaim);
    check(&json!({ "_sd": [digest(&one), digest(&two)] }), &[&one, &two], Check::ExistingClaim);
    assert!(read(&sign(&json!({ "_sd": [digest(&one), digest(&two)] }), &[&two])).is_ok());
    let issuer = member(&[3; 16], "iss", &json!("somebody else")).expect("a free name");
    check(&json!({ "iss": "me", "_sd": [digest(&issuer)] }), &[&issuer], Check::ExistingClaim);
}

#[test]
fn digests_of_a_wrong_form() {
    let digest = decoy(&[1; 32]);
    for payload in [
        json!({ "_sd": digest }),
        json!({ "_sd": null }),
        json!({ "_sd": { "0": digest } }),
        json!({ "_sd": [digest, 1] }),
        json!({ "_sd": [[digest]] }),
        json!({ "x": { "_sd": [null] } }),
        json!({ "x": [{ "...": 1 }] }),
        json!({ "x": [{ "...": digest, "more": 1 }] }),
        json!({ "...": digest }),
        json!({ "x": { "...": digest } }),
    ] {
        check(&payload, &[], Check::DigestForm);
    }
    assert_eq!(read(&sign(&json!({ "_sd": [], "x": [{ "...": digest }] }), &[])), Ok(json!({ "x": [] })));
}

#[test]
fn hash_algorithms_but_one() {
    for value in
        [json!("md5"), json!("sha-512"), json!("SHA-256"), json!("sha-256 "), json!(null), json!(["sha-256"])]
    {
        check(&json!({ "_sd_alg": value }), &[], Check::HashAlgorithm);
    }
    check(&json!({ "x": { "_sd_alg": "sha-256" } }), &[], Check::HashAlgorithm);
    check(&json!({ "x": [{ "y": { "_sd_alg": "sha-256" } }] }), &[], Check::HashAlgorithm);
}

/// A JWT with a header of one's own, signed by key 1.
fn forged(header: &str, payload: &str) -> String {
    use ed25519_dalek::Signer as _;
    let signed = format!("{}.{}", encode(header), encode(payload));
    let signature = key(1).sign(signed.as_bytes()).to_bytes();
    format!(
        "{signed}.{}~",
        base64::Engine::encode(&base64::engine::general_purpose::URL_SAFE_NO_PAD, signature)
    )
}

#[test]
fn headers_that_choose_for_the_reader() {
    assert!(read(&forged(r#"{"alg":"EdDSA","typ":"example+sd-jwt"}"#, "{}")).is_ok());
    for (header, check) in [
        (r#"{"alg":"none","typ":"example+sd-jwt"}"#, Check::Algorithm),
        (r#"{"alg":"None","typ":"example+sd-jwt"}"#, Check::Algorithm),
        (r#"{"alg":"HS256","typ":"example+sd-jwt"}"#, Check::Algorithm),
        (r#"{"alg":"ES256","typ":"example+sd-jwt"}"#, Check::Algorithm),
        (r#"{"alg":"eddsa","typ":"example+sd-jwt"}"#, Check::Algorithm),
        (r#"{"alg":["EdDSA"],"typ":"example+sd-jwt"}"#, Check::Algorithm),
        (r#"{"typ":"example+sd-jwt"}"#, Check::Algorithm),
        (r#"{"alg":"EdDSA"}"#, Check::Type),
        (r#"{"alg":"EdDSA","typ":"kb+jwt"}"#, Check::Type),
        (r#"{"alg":"EdDSA","typ":"example+sd-jwt","crit":["exp"],"exp":1}"#, Check::Critical),
        (r#"{"alg":"EdDSA","typ":"example+sd-jwt","crit":[]}"#, Check::Critical),
        (r#"{"alg":"EdDSA","typ":"example+sd-jwt","b64":false}"#, Check::Critical),
        (r#"{"alg":"EdDSA","alg":"EdDSA","typ":"example+sd-jwt"}"#, Check::DuplicateName),
        (r#"{"alg":"EdDSA","typ":"example+sd-jwt","kid":7}"#, Check::Json),
        (r#"["EdDSA"]"#, Check::Json),
    ] {
        assert_eq!(read(&forged(header, "{}")), Err(Rejected::new(check, Place::Header)), "{header}");
    }
    // A key that the token brings along is not looked at.
    let own = to_jwk(&key(2).verifying_key());
    let header = format!(r#"{{"alg":"EdDSA","typ":"{TYP}","jwk":{own}}}"#);
    let text = forged(&header, "{}");
    let reader = key(2).verifying_key();
    let found = verify(&text, &expected(&reader));
    assert_eq!(found, Err(Rejected::new(Check::Signature, Place::Payload)));
    // No signature at all.
    let unsigned = format!("{}.{}.~", encode(&format!(r#"{{"alg":"none","typ":"{TYP}"}}"#)), encode("{}"));
    assert_eq!(read(&unsigned), Err(Rejected::new(Check::Algorithm, Place::Header)));
    let unsigned = format!("{}.{}.~", encode(&format!(r#"{{"alg":"EdDSA","typ":"{TYP}"}}"#)), encode("{}"));
    assert_eq!(read(&unsigned), Err(Rejected::new(Check::Signature, Place::Payload)));
}

#[test]
fn payloads_that_are_no_claims() {
    let header = format!(r#"{{"alg":"EdDSA","typ":"{TYP}"}}"#);
    for (payload, check) in [
        ("[]", Check::Json),
        ("", Check::Json),
        ("{", Check::Json),
        (r#"{"a":1,"a":1}"#, Check::DuplicateName),
        (r#"{"_sd":[],"_sd":[]}"#, Check::DuplicateName),
        (&format!(r#"{{"a":{}{}}}"#, "[".repeat(limits::DEPTH), "]".repeat(limits::DEPTH)), Check::Depth),
    ] {
        assert_eq!(read(&forged(&header, payload)), Err(Rejected::new(check, Place::Payload)), "{payload}");
    }
}

#[test]
fn texts_that_are_no_token() {
    let a = member(&[1; 16], "a", &json!(1)).expect("a free name");
    let good = sign(&json!({ "_sd": [digest(&a)] }), &[&a]);
    assert!(read(&good).is_ok());
    let (jwt, rest) = good.split_once('~').expect("a token");
    let whole = |check| Rejected::new(check, Place::Whole);
    assert_eq!(read(""), Err(whole(Check::Form)));
    assert_eq!(read(jwt), Err(whole(Check::Form)), "a JWT alone is no SD-JWT");
    assert_eq!(
        read(good.trim_end_matches('~')),
        Err(whole(Check::KeyBindingPresence)),
        "the last part is cut off"
    );
    assert_eq!(read(&format!("{good}~")), Err(Rejected::new(Check::Form, Place::Disclosure(2))));
    assert_eq!(read(&format!("{jwt}~~{rest}")), Err(Rejected::new(Check::Form, Place::Disclosure(1))));
    assert_eq!(read(&format!("~{rest}")), Err(Rejected::new(Check::Form, Place::Header)));
    assert_eq!(read(&format!("a.{jwt}~")), Err(Rejected::new(Check::Form, Place::Header)));
    for padded in
        [format!("{a}="), format!("{a} "), format!("{a}\n"), a.replace('_', "/") + "/", format!("{a}%")]
    {
        check(&json!({ "_sd": [digest(&padded)] }), &[&padded], Check::Base64);
    }
    // Leftover bits: two ways to write the same bytes.
    let text = encode(r#"["salt","a",10]"#);
    assert_eq!(text.len() % 4, 0);
    let text = encode(r#"["salt","a",1]"#);
    let other = text[..text.len() - 1].to_owned() + "R";
    assert_ne!(text, other);
    check(&json!({ "_sd": [digest(&other)] }), &[&other], Check::Base64);
    let long = "A".repeat(limits::DISCLOSURE_BYTES + 1);
    assert_eq!(read(&format!("{jwt}~{long}~")), Err(Rejected::new(Check::Size, Place::Disclosure(1))));
    assert_eq!(read(&"~".repeat(limits::TOKEN_BYTES + 1)), Err(whole(Check::Size)));
    let many = format!("{jwt}~{}", "A~".repeat(limits::DISCLOSURES + 1));
    assert_eq!(read(&many), Err(Rejected::new(Check::Size, Place::Disclosure(limits::DISCLOSURES + 1))));
}

#[test]
fn times_and_readers_for_which_it_was_not_meant() {
    for (payload, good) in [
        (json!({ "exp": AT + 1 }), true),
        (json!({ "exp": AT }), false),
        (json!({ "exp": "never" }), false),
        (json!({ "nbf": AT }), true),
        (json!({ "nbf": AT + 1 }), false),
        (json!({ "nbf": null }), false),
        (json!({ "iat": AT + 1000 }), true),
        (json!({ "iat": "now" }), false),
    ] {
        let found = read(&sign(&payload, &[])).map_err(|rejected| rejected.check);
        assert_eq!(found, if good { Ok(payload.clone()) } else { Err(Check::Validity) }, "{payload}");
    }
    // A disclosed `exp` counts too.
    let expired = member(&[1; 16], "exp", &json!(AT - 1)).expect("a free name");
    check(&json!({ "_sd": [digest(&expired)] }), &[&expired], Check::Validity);
    let reader = key(1).verifying_key();
    for (aud, us, good) in [
        (json!("us"), Some("us"), true),
        (json!(["them", "us"]), Some("us"), true),
        (json!("them"), Some("us"), false),
        (json!([]), Some("us"), false),
        (json!("us"), None, false),
    ] {
        let text = sign(&json!({ "aud": aud }), &[]);
        let found = verify(&text, &Expected { audience: us, ..expected(&reader) });
        assert_eq!(
            found.map(|_| ()).map_err(|rejected| rejected.check),
            if good { Ok(()) } else { Err(Check::Audience) }
        );
    }
}

const CHALLENGE: Challenge<'_> =
    Challenge { audience: "us", nonce: "n-1", earliest: AT - 60, latest: AT + 60 };

fn read_bound(text: &str) -> Result<(), Rejected> {
    let reader = key(1).verifying_key();
    verify(text, &Expected { key_binding: Some(CHALLENGE), ..expected(&reader) }).map(|_| ())
}

/// A token for the holder of key 3, without a key binding.
fn held() -> String {
    let a = member(&[1; 16], "a", &json!(1)).expect("a free name");
    let holder = to_jwk(&key(3).verifying_key());
    sign(&json!({ "cnf": { "jwk": holder }, "_sd": [digest(&a)] }), &[&a])
}

#[test]
fn a_key_binding_must_answer_the_readers_challenge() {
    let (token, holder) = (held(), key(3));
    let bound = bind(&token, &holder, "us", "n-1", AT);
    assert_eq!(read_bound(&bound), Ok(()));
    let at = |check| Err(Rejected::new(check, Place::KeyBinding));
    assert_eq!(read_bound(&bind(&token, &holder, "them", "n-1", AT)), at(Check::Replay));
    assert_eq!(read_bound(&bind(&token, &holder, "us", "n-2", AT)), at(Check::Replay));
    assert_eq!(read_bound(&bind(&token, &holder, "us", "n-1", AT - 61)), at(Check::Freshness));
    assert_eq!(read_bound(&bind(&token, &holder, "us", "n-1", AT + 61)), at(Check::Freshness));
    assert_eq!(
        read_bound(&bind(&token, &key(1), "us", "n-1", AT)),
        at(Check::Signature),
        "the issuer is not the holder"
    );
    // Over more or less than what is presented.
    let (all, binding) = bound.rsplit_once('~').expect("a key binding");
    let less = all.split('~').next().expect("a JWT");
    assert_eq!(read_bound(&format!("{less}~{binding}")), at(Check::Binding));
    // There or not there: the reader's demand decides.
    let whole = Err(Rejected::new(Check::KeyBindingPresence, Place::Whole));
    assert_eq!(read_bound(&token), whole);
    assert_eq!(read(&bound).map(|_| ()), whole);
    // No key of a holder in the token.
    let nobody = sign(&json!({}), &[]);
    assert_eq!(read_bound(&bind(&nobody, &holder, "us", "n-1", AT)), at(Check::HolderKey));
    // Not a key binding by its type, or with parts missing.
    let hash = digest(&token);
    let made = |holder: &SigningKey, typ: &str, payload: &Value| {
        format!("{token}{}", jws::sign(holder, typ, payload.to_string().as_bytes()))
    };
    let full = json!({ "iat": AT, "aud": "us", "nonce": "n-1", "sd_hash": hash });
    assert_eq!(read_bound(&made(&holder, "kb+jwt", &full)), Ok(()));
    assert_eq!(read_bound(&made(&holder, TYP, &full)), at(Check::Type));
    for (name, check) in [
        ("iat", Check::Freshness),
        ("aud", Check::Replay),
        ("nonce", Check::Replay),
        ("sd_hash", Check::Binding),
    ] {
        let mut without = full.clone();
        without.as_object_mut().expect("claims").remove(name);
        assert_eq!(read_bound(&made(&holder, "kb+jwt", &without)), at(check), "without {name}");
    }
    for (name, value, check) in [
        ("aud", json!(["us"]), Check::Replay),
        ("exp", json!(AT), Check::Freshness),
        ("nbf", json!(AT + 100), Check::Freshness),
        ("iat", json!("now"), Check::Freshness),
    ] {
        let mut changed = full.clone();
        changed[name] = value;
        assert_eq!(read_bound(&made(&holder, "kb+jwt", &changed)), at(check), "{name}");
    }
}

#[test]
fn no_byte_of_a_token_can_be_changed() {
    let good = token::present(&issued(&warning(), 7), &[2, 3, 2, 3, 2]).expect("levels");
    let reader = key(1).verifying_key();
    assert!(token::verify(&good, &reader).is_ok());
    let mut changed = good.clone().into_bytes();
    for at in 0..changed.len() {
        let before = changed[at];
        for other in [b'~', b'.', before ^ 1] {
            if other == before || !other.is_ascii() {
                continue;
            }
            changed[at] = other;
            let text = std::str::from_utf8(&changed).expect("ASCII");
            assert!(token::verify(text, &reader).is_err(), "byte {at} as {other}");
        }
        changed[at] = before;
    }
    for end in 0..good.len() {
        // Cutting at a `~` leaves a smaller presentation of the same token; a chain may end anywhere.
        let cut = &good[..end];
        assert_eq!(token::verify(cut, &reader).is_ok(), cut.ends_with('~'), "cut at {end}");
        agrees(cut);
    }
}

#[test]
fn a_refusal_tells_the_reader_what_it_means_and_nothing_of_the_content() {
    let secret = member(&[1; 16], "_sd2", &json!("the hall")).expect("a free name");
    let text = sign(&json!({}), &[&secret]);
    let refusal = read(&text).expect_err("nothing refers to it").to_string();
    assert_eq!(
        refusal,
        "check \"unreferenced-disclosure\" failed on disclosure 1: expected only disclosures that the signature covers. \
         Somebody added to it or changed it after it was signed: trust none of it."
    );
    assert!(sdjwt::parse(&text).is_ok());
}
