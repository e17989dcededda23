//! Bodies of the fuzz targets for tokens and free text: what must hold for any bytes.

use std::sync::OnceLock;

use ed25519_dalek::SigningKey;
use tearline_disclosure::sdjwt::{self, Challenge, Expected, issue};
use tearline_disclosure::text_check::{Text, check};
use tearline_disclosure::token;
use tearline_model::parse::parse;
use tearline_model::report::Report;

/// The key of the golden vectors.
fn key() -> SigningKey {
    SigningKey::from_bytes(&[1; 32])
}

/// Takes the bytes for a token as it came, and for the payload and disclosures (a line each) of one that is well signed.
/// What the reader of our tokens accepts, the reader of any SD-JWT accepts too, and finds the same.
pub fn token(bytes: &[u8]) {
    let Ok(text) = str::from_utf8(bytes) else { return };
    read(text);
    let mut lines = text.lines();
    let payload = lines.next().unwrap_or_default();
    let mut signed = sdjwt::jws::sign(&key(), token::TYP, payload.as_bytes()) + "~";
    for line in lines {
        // Written out, so that the fuzzer sees JSON; its digest goes where `#1`, `#2` … stand.
        signed += &base64::Engine::encode(&base64::engine::general_purpose::URL_SAFE_NO_PAD, line);
        signed += "~";
    }
    read(&signed);
    read(&linked(text));
}

/// A well-signed token of a payload and disclosures, with `#1` to `#9` in them made the digests of the disclosures of
/// these numbers; a disclosure can only name later ones. `@` is the list of 64 digests that our tokens have, the first
/// disclosure's among them.
pub fn linked(text: &str) -> String {
    let mut lines: Vec<String> = text.lines().take(10).map(str::to_owned).collect();
    let mut disclosures = Vec::new();
    for number in (1..lines.len()).rev() {
        let line = lines.pop().unwrap_or_default();
        let disclosure = base64::Engine::encode(&base64::engine::general_purpose::URL_SAFE_NO_PAD, line);
        for before in &mut lines {
            *before = before.replace(&format!("#{number}"), &issue::digest(&disclosure));
        }
        disclosures.push(disclosure);
    }
    let mut slots: Vec<String> = (0..63).map(|number| issue::decoy(&[number; 32])).collect();
    slots.push(disclosures.last().map_or_else(|| issue::decoy(&[63; 32]), |first| issue::digest(first)));
    slots.sort();
    let payload = lines.pop().unwrap_or_default().replacen('@', &format!("\"{}\"", slots.join("\",\"")), 1);
    let signed = sdjwt::jws::sign(&key(), token::TYP, payload.as_bytes()) + "~";
    disclosures.iter().rev().fold(signed, |token, disclosure| token + disclosure + "~")
}

fn read(text: &str) {
    let reader = key().verifying_key();
    let expected = Expected { key: &reader, typ: token::TYP, at: 0, audience: None, key_binding: None };
    let all = sdjwt::verify(text, &expected);
    match token::verify(text, &reader) {
        Err(rejected) => assert!(rejected.to_string().len() < 1000),
        Ok(shown) => {
            let claims = all.expect("what is one of ours is an SD-JWT").claims;
            let details = claims["details"].as_object().expect("an object");
            assert_eq!(details.len(), shown.details.len());
            for detail in &shown.details {
                let mut level = &details[&detail.name];
                for shown in &detail.levels {
                    assert_eq!(level["v"]["text"], shown.text);
                    level = &level["finer"];
                }
                assert!(level.is_null());
            }
            assert_eq!(token::extends(text, text), Ok(0));
        }
    }
    let challenge = Challenge { audience: "us", nonce: "n", earliest: 0, latest: 1 };
    drop(sdjwt::verify(text, &Expected { key_binding: Some(challenge), ..expected }));
    drop(sdjwt::jws::hint(text));
}

/// A report with a detail of every type.
fn report() -> &'static Report {
    static REPORT: OnceLock<Report> = OnceLock::new();
    let text = include_bytes!("../../testdata/reports/text-check.toml");
    REPORT.get_or_init(|| parse(text, "text-check.toml").unwrap_or_else(|problems| panic!("{problems}")))
}

/// Checks a text against a report, nothing released, half released, and all. Flags lie in the text, in order, and say
/// what stands there; where all is released there are none.
pub fn text_check(bytes: &[u8]) {
    let Ok(text) = str::from_utf8(bytes) else { return };
    let report = report();
    let chars: Vec<char> = text.chars().collect();
    for released in [0, 1, u8::MAX] {
        let texts = [Text { field: "headline", language: "en", text }];
        let flags = check(&texts, report, &vec![released; report.details.len()]);
        assert!(released < u8::MAX || flags.is_empty(), "all is released: {flags:?}");
        let mut before = 0;
        for flag in flags {
            assert!(flag.length > 0 && flag.position >= before, "{flag:?}");
            before = flag.position;
            let there: String = chars[flag.position..flag.position + flag.length].iter().collect();
            assert_eq!(there, flag.matched);
            let detail = report
                .details
                .iter()
                .find(|detail| detail.id == flag.detail)
                .expect("a detail of the report");
            assert!(flag.level > released && usize::from(flag.level) <= detail.levels.len(), "{flag:?}");
        }
    }
}
