//! Against implementations that are not ours: they read our tokens, we read theirs, and we refuse what they should.
//!
//! `testdata/verifiers/README.md` says how to install them. Where one is missing its test prints SKIPPED.

#![expect(clippy::disallowed_types, clippy::disallowed_methods, reason = "runs other programs")]

use std::io::Write as _;
use std::path::Path;
use std::process::Command;

use serde_json::Value;
use tearline_disclosure::keys::from_jwk;
use tearline_disclosure::sdjwt::{Challenge, Expected, verify};

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");

/// Runs a script. `None`, said aloud, if what it needs is not installed: `probe` finds that out.
fn run(name: &str, program: &Path, probe: &[&str], script: &str, arguments: &[&str]) -> Option<String> {
    let root = Path::new(ROOT);
    let run = |arguments: &[&str]| Command::new(program).args(arguments).current_dir(root).output();
    match run(probe) {
        Ok(output) if output.status.success() => {}
        _ => {
            // Past the test harness, which shows nothing of a test that passes.
            let said = "which is not installed; see testdata/verifiers/README.md";
            writeln!(std::io::stderr(), "SKIPPED: a check by {name}, {said}").expect("stderr is open");
            return None;
        }
    }
    let output = run(&[&[script], arguments].concat()).expect("it ran a moment ago");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{name}: {text}{}", String::from_utf8_lossy(&output.stderr));
    Some(text)
}

fn reference(arguments: &[&str]) -> Option<String> {
    let folder = std::env::var_os("TEARLINE_TEST_VERIFIERS")
        .map_or_else(|| Path::new(ROOT).join("target/verifiers"), Into::into);
    let python = std::path::absolute(folder.join("bin/python")).expect("a path");
    let script = "testdata/verifiers/python/sd_jwt_reference.py";
    run("sd-jwt (PyPI)", &python, &["-c", "import sd_jwt"], script, arguments)
}

fn javascript(arguments: &[&str]) -> Option<String> {
    let probe = "require('./target/verifiers/node/node_modules/@sd-jwt/core')";
    run(
        "@sd-jwt/core (npm)",
        Path::new("node"),
        &["-e", probe],
        "testdata/verifiers/node/sd_jwt.mjs",
        arguments,
    )
}

/// Reads tokens that another implementation issued, with the claims that it finds in them.
fn read_theirs(file: &str) {
    let text = std::fs::read_to_string(file).expect("it was just written");
    let all: Value = serde_json::from_str(&text).expect("JSON");
    let key = from_jwk(&all["jwk"]).expect("an Ed25519 key");
    let cases = all["cases"].as_array().expect("a list");
    assert!(cases.len() >= 15, "{} cases", cases.len());
    for case in cases {
        let text = |name: &str| case[name].as_str().expect("text");
        let challenge = case["nonce"].as_str().map(|nonce| Challenge {
            audience: text("aud"),
            nonce,
            earliest: 0,
            latest: i64::from(u32::MAX),
        });
        let expected = Expected {
            key: &key,
            typ: text("typ"),
            at: 1_700_000_000,
            audience: None,
            key_binding: challenge,
        };
        let found = verify(text("token"), &expected).map(|verified| Value::from(verified.claims));
        assert_eq!(found, Ok(case["claims"].clone()), "{}", case["name"]);
    }
}

#[test]
fn the_reference_implementation_reads_our_tokens_and_we_read_its() {
    let out = concat!(env!("CARGO_TARGET_TMPDIR"), "/sd_jwt_reference.json");
    if reference(&["read", "testdata/tokens/vectors.json"]).is_some() && reference(&["issue", out]).is_some()
    {
        read_theirs(out);
    }
}

#[test]
fn an_implementation_in_javascript_reads_our_tokens_and_we_read_its() {
    let out = concat!(env!("CARGO_TARGET_TMPDIR"), "/sd_jwt_js.json");
    if javascript(&["read", "testdata/tokens/vectors.json"]).is_some()
        && javascript(&["issue", out]).is_some()
    {
        read_theirs(out);
    }
}
