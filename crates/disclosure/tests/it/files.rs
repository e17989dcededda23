//! Releases and evidence bundles from fixed keys: golden vectors, and what becomes of every changed byte.

#![expect(clippy::disallowed_macros, clippy::disallowed_methods, reason = "reads and writes vectors")]

use ed25519_dalek::SigningKey;
use std::path::PathBuf;
use tearline_disclosure::bytes::{Bytes, Digest};
use tearline_disclosure::entry::{Kind, Opening, padding};
use tearline_disclosure::files::{
    AnswerFile, CaseFile, CaseRelease, File, Logged, Recipient, ReleaseFile, VERSION,
};
use tearline_disclosure::identity::PublicKeys;
use tearline_disclosure::statement::{
    Acknowledged, Act, Finding, Receipt, Release, Signed, Text, Verdict, recipient,
};
use tearline_disclosure::token::{self, Committed};
use tearline_disclosure::verify::{self, Trust};
use tearline_log::checkpoint::Checkpoint;
use tearline_log::hash::Hash;
use tearline_log::merkle::{self, NoProof, Node};
use tearline_log::note::{KeyKind, Signer, VerifierKey};
use tearline_log::proof::EntryProof;
use tearline_model::value::Value;

const TIME: u64 = 1_709_800_000;

fn key(number: u8) -> SigningKey {
    SigningKey::from_bytes(&[number; 32])
}

fn public(name: &str, number: u8) -> PublicKeys {
    let verifier = |role: &str, kind, number| {
        let key = VerifierKey::new(&format!("{name}/{role}"), kind, key(number).verifying_key());
        key.expect("a name of a key").to_string()
    };
    PublicKeys {
        version: 1,
        name: name.to_owned(),
        sign: Bytes(key(number).verifying_key().to_bytes()),
        next_sha256: Digest::of(b"another"),
        seal: "age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p".into(),
        log: verifier("log", KeyKind::Log, number + 1),
        witness: verifier("witness", KeyKind::Witness, number + 2),
    }
}

/// The root and a node of the tree over entries, the slow way.
fn tree(entries: &[Vec<u8>]) -> Hash {
    match entries {
        [] => Hash::of_empty_tree(),
        [entry] => Hash::of_leaf(entry),
        _ => {
            let split = entries.len().next_power_of_two() / 2;
            Hash::of_node(&tree(&entries[..split]), &tree(&entries[split..]))
        }
    }
}

/// A log with these openings and their payloads among padding.
struct Book {
    entries: Vec<Vec<u8>>,
    placed: Vec<(Opening, usize)>,
}

impl Book {
    fn new(acts: &[(Kind, &str)]) -> Self {
        let mut book = Self { entries: Vec::new(), placed: Vec::new() };
        for (number, (kind, payload)) in acts.iter().enumerate() {
            let byte = u8::try_from(number).expect("few");
            let opening =
                Opening { kind: *kind, blind: Bytes([100 + byte; 32]), time: TIME + 10 * u64::from(byte) };
            for at in 0..8_u8 {
                let entry = if usize::from(at) == (number * 3) % 8 {
                    opening.entry(payload.as_bytes())
                } else {
                    padding(&[byte * 8 + at; 32])
                };
                book.entries.push(entry.to_vec());
            }
            book.placed.push((opening, number * 8 + (number * 3) % 8));
        }
        book
    }

    fn logged(&self, act: usize) -> Logged {
        let (opening, index) = &self.placed[act];
        let (index, size) = (*index as u64, self.entries.len() as u64);
        let node = |node: Node| -> Result<Hash, NoProof> {
            let from = usize::try_from(node.index << node.height).expect("small");
            Ok(tree(&self.entries[from..from + (1 << node.height)]))
        };
        let path = merkle::inclusion(index, size, node).expect("within the log");
        let signer = Signer::new("desk.example/log", KeyKind::Log, key(2)).expect("a name of a key");
        let checkpoint = Checkpoint {
            origin: "desk.example/log".into(),
            size,
            root: tree(&self.entries),
            extensions: Vec::new(),
        };
        let proof =
            EntryProof { extra: None, index, path, checkpoint: checkpoint.sign(&signer).note().clone() };
        Logged { entry: opening.clone(), proof: proof.to_string() }
    }
}

/// A release to a partner, and the bundle with its receipt and finding.
fn files() -> (ReleaseFile, CaseFile) {
    let place = |chain: &[&str]| Value::Place(chain.iter().map(ToString::to_string).collect());
    let (russia, moscow, hall) =
        (place(&["RU"]), place(&["RU", "Moscow"]), place(&["RU", "Moscow", "A hall"]));
    let words = Value::Text(String::new());
    let details = [
        Committed {
            name: "where",
            levels: vec![("in Russia", &russia), ("in Moscow", &moscow), ("in a hall", &hall)],
        },
        Committed { name: "who", levels: vec![("extremists", &words), ("a group, by name", &words)] },
        Committed { name: "how", levels: vec![("with firearms", &words)] },
    ];
    let issued =
        token::issue(&key(1), "desk.example", "desk.example/log", TIME, &details, &[9; 32]).expect("issued");
    let presented = token::present(&issued, &[2, 1, 0]).expect("shown");
    let to = Recipient { name: "partner.example".into(), salt: Bytes([5; 16]) };
    let release = Release {
        v: 1,
        iss: "desk.example".into(),
        iat: TIME,
        jti: Bytes([6; 16]),
        log: "desk.example/log".into(),
        act: Act::First,
        to: recipient(&to.salt, &to.name),
        sd_hash: Some(Digest::of(presented.as_bytes())),
        nonce: Bytes([7; 16]),
        texts: vec![Text {
            lang: "en".into(),
            headline: Some("Avoid large gatherings".into()),
            ..Text::default()
        }],
        replaces: Vec::new(),
        withdrawn: Vec::new(),
        reason: None,
        expires: Some(TIME + 172_800),
    };
    let release = Signed::sign(release, &key(1));
    let receipt = Receipt {
        v: 1,
        iss: "partner.example".into(),
        iat: TIME + 20,
        jti: Bytes([8; 16]),
        aud: "desk.example".into(),
        log: "desk.example/log".into(),
        of: Acknowledged::Release { release: release.digest(), sd_hash: release.content.sd_hash },
        nonce: release.content.nonce,
        checkpoint: None,
    };
    let receipt = Signed::sign(receipt, &key(11));
    let finding = Finding {
        v: 1,
        iss: "partner.example".into(),
        iat: TIME + 30,
        jti: Bytes([9; 16]),
        aud: "desk.example".into(),
        log: "desk.example/log".into(),
        release: release.digest(),
        detail: "where".into(),
        level: 2,
        verdict: Verdict::Conflicting,
        value: Some("another city".into()),
        text: None,
    };
    let finding = Signed::sign(finding, &key(11));
    let book = Book::new(&[
        (Kind::Token, issued.jwt()),
        (Kind::Release, &release.jws),
        (Kind::Receipt, &receipt.jws),
        (Kind::Finding, &finding.jws),
    ]);
    let answer = |statement: &str, act| AnswerFile {
        version: VERSION,
        signer: public("partner.example", 11),
        statement: statement.to_owned(),
        logged: Some(book.logged(act)),
    };
    let file = ReleaseFile {
        version: VERSION,
        issuer: public("desk.example", 1),
        statement: release.jws.clone(),
        token: Some(presented.clone()),
        token_logged: Some(book.logged(0)),
        recipient: Some(to.clone()),
        logged: book.logged(1),
        consistency: None,
        keys: Vec::new(),
    };
    let case = CaseFile {
        version: VERSION,
        issuer: public("desk.example", 1),
        releases: vec![CaseRelease {
            statement: release.jws.clone(),
            token: Some(presented),
            token_logged: Some(book.logged(0)),
            recipient: Some(to),
            logged: book.logged(1),
        }],
        receipts: vec![answer(&receipt.jws, 2)],
        findings: vec![answer(&finding.jws, 3)],
        determinations: Vec::new(),
        witnesses: Vec::new(),
        keys: Vec::new(),
    };
    (file, case)
}

fn trust() -> Trust {
    Trust {
        keys: vec![public("desk.example", 1), public("partner.example", 11)],
        own: Some("partner.example".into()),
    }
}

/// The vectors are made anew and must come out byte for byte; `UPDATE_VECTORS=1` writes them.
#[test]
fn the_files_come_out_as_they_were_published() {
    let (release, case) = files();
    let json = |value: &serde_json::Value| serde_json::to_string_pretty(value).expect("plain data") + "\n";
    let made = [
        ("release.json", json(&serde_json::to_value(&release).expect("plain data"))),
        ("case.tearline", json(&serde_json::to_value(&case).expect("plain data"))),
    ];
    for (name, made) in made {
        let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../testdata/releases").join(name);
        if std::env::var_os("UPDATE_VECTORS").is_some() {
            std::fs::write(&path, &made).expect("written");
        }
        assert_eq!(std::fs::read_to_string(&path).expect("there"), made, "{name}");
    }
    let view = verify::release(&release, &trust());
    assert!(view.checks.none_failed(), "{:#?}", view.checks);
    assert_eq!(view.recipient.as_deref(), Some("partner.example"));
    let shown = view.shown.expect("shown");
    assert_eq!((shown.level("where"), shown.level("who"), shown.level("how")), (2, 1, 0));
    let view = verify::case(&case, &trust());
    assert!(view.none_failed(), "{:#?}", view.checks);
    assert_eq!((view.receipts[0].1, view.findings[0].1), (Some(0), Some(0)));
}

/// Whatever byte is changed: the file is refused, a check fails, or nothing that it says has changed.
#[test]
fn no_changed_byte_of_a_file_goes_unnoticed() {
    let (release, case) = files();
    let same_release = |bytes: &[u8]| match File::read(bytes) {
        Ok(File::Release(mut file)) => {
            let passed = verify::release(&file, &trust()).checks.none_failed();
            // The file's own copy of the keys is not used by who was handed them.
            file.issuer = release.issuer.clone();
            (passed, file == release)
        }
        _ => (false, false),
    };
    let same_case = |bytes: &[u8]| match File::read(bytes) {
        Ok(File::Case(mut file)) => {
            let passed = verify::case(&file, &trust()).none_failed();
            file.issuer = case.issuer.clone();
            for answer in file.receipts.iter_mut().chain(&mut file.findings) {
                answer.signer = case.receipts[0].signer.clone();
            }
            (passed, file == case)
        }
        _ => (false, false),
    };
    let release_bytes = serde_json::to_vec(&release).expect("plain data");
    let case_bytes = serde_json::to_vec(&case).expect("plain data");
    assert_eq!((same_release(&release_bytes), same_case(&case_bytes)), ((true, true), (true, true)));
    let mut missed = Vec::new();
    let mut all = |bytes: &[u8], look: &dyn Fn(&[u8]) -> (bool, bool), name: &str| {
        for at in 0..bytes.len() {
            let mut changed = bytes.to_vec();
            changed[at] = if changed[at] == b'A' { b'B' } else { b'A' };
            let (passed, same) = look(&changed);
            if passed && !same {
                missed.push(format!(
                    "{name} {at}: {}",
                    String::from_utf8_lossy(&bytes[at.saturating_sub(30)..(at + 10).min(bytes.len())])
                ));
            }
            assert!(!look(&bytes[..at]).0, "cut at {at}");
        }
    };
    all(&release_bytes, &same_release, "release");
    all(&case_bytes, &same_case, "case");
    assert!(missed.is_empty(), "{missed:#?}");
}

/// To whom a release went can be left out, and then nothing in the bundle tells it.
#[test]
fn a_bundle_without_the_recipient_says_the_same_of_everything_else() {
    let (_, mut case) = files();
    case.releases[0].recipient = None;
    case.receipts.clear();
    case.findings.clear();
    let text = serde_json::to_string(&case).expect("plain data");
    assert!(!text.contains("partner"));
    let view = verify::case(&case, &trust());
    assert!(view.none_failed() && view.releases[0].recipient.is_none());
}
