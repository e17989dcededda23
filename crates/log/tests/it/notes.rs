//! Notes, keys and checkpoints: what is accepted, what is refused and why.

use super::{checkpoint, log};
use ed25519_dalek::SigningKey;
use tearline_log::checkpoint::{BadCheckpoint, Checkpoint, SignedCheckpoint};
use tearline_log::hash::Hash;
use tearline_log::note::{BadKey, BadNote, KeyKind, MAX_SIGNATURES, Note, Signer, VerifierKey};

/// The example of Go's `sumdb/note`, whose form the standard took.
const VKEY: &str = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
const NOTE: &str = "If you think cryptography is the answer to your problem,\n\
    then you don't know what your problem is.\n\n\
    \u{2014} PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n";

#[test]
fn the_published_note_verifies_and_is_written_as_it_was() {
    let key: VerifierKey = VKEY.parse().expect("a good key");
    assert_eq!((key.name(), key.id(), key.kind()), ("PeterNeumann", 0xc74f_20a3, KeyKind::Log));
    assert_eq!(key.to_string(), VKEY);
    let note = Note::read(NOTE.as_bytes()).expect("a good note");
    note.verify(&key).expect("its signature");
    assert_eq!(note.to_string(), NOTE);
    for at in 0..NOTE.len() {
        let mut bytes = NOTE.as_bytes().to_vec();
        bytes[at] ^= 1;
        let verified = Note::read(&bytes).and_then(|note| note.verify(&key));
        assert!(verified.is_err(), "a bit of byte {at} is flipped");
    }
}

#[test]
fn altered_keys_are_refused_with_the_reason() {
    let refused = |text: &str| text.parse::<VerifierKey>().expect_err("it is altered");
    assert_eq!(refused("PeterNeumann"), BadKey::Form);
    assert_eq!(refused(&VKEY.replace("c74f20a3", "c74f20a4")), BadKey::Id);
    assert_eq!(refused(&VKEY.replace("Peter", "Petra")), BadKey::Id);
    assert_eq!(refused(&VKEY.replace("c74f20a3", "+74f20a3")), BadKey::Form);
    assert_eq!(refused(&VKEY.replace("+ARpc", "+AhpC")), BadKey::Kind(2));
    assert_eq!(refused(&format!("{VKEY}A")), BadKey::Form);
    assert_eq!(
        refused(&VKEY.replace("PeterNeumann", "Peter Neumann")),
        BadKey::Name("Peter Neumann".to_owned())
    );
    assert_eq!(refused(&VKEY.replace("PeterNeumann", "")), BadKey::Name(String::new()));
    // The neutral element of the curve "verifies" signatures of anything.
    let weak = "AQEAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
    assert_eq!(refused(&format!("weak+00000000+{weak}")), BadKey::Point);
}

#[test]
fn malformed_notes_are_refused_with_the_reason() {
    let refused = |text: &str| Note::read(text.as_bytes()).expect_err("it is malformed");
    let line = NOTE.lines().last().expect("the signature");
    assert_eq!(refused("text\n"), BadNote::Form);
    assert_eq!(refused(&format!("text\n\n{line}")), BadNote::Form);
    assert_eq!(refused("text\n\n"), BadNote::Form);
    assert_eq!(refused(&format!("text\n\n{line}\nmore\n")), BadNote::Line);
    assert_eq!(refused("text\n\n- name AAAAAAA=\n"), BadNote::Line);
    assert_eq!(refused("text\n\n\u{2014} na+me AAAAAAA=\n"), BadNote::Line);
    assert_eq!(refused("text\n\n\u{2014} name AAAA\n"), BadNote::Line);
    assert_eq!(refused("text\n\n\u{2014} name AAAAAAB=\n"), BadNote::Line);
    assert_eq!(refused(&format!("te\rxt\n\n{line}\n")), BadNote::NotText);
    assert!(matches!(Note::read(b"te\xffxt\n\n"), Err(BadNote::NotText)));
    assert_eq!(refused(&"x".repeat(1_000_001)), BadNote::TooLong(1_000_001));
    let many = |count| format!("text\n\n{}", format!("{line}\n").repeat(count));
    assert_eq!(
        Note::read(many(MAX_SIGNATURES).as_bytes()).expect("as many as may be").signatures().len(),
        100
    );
    assert_eq!(refused(&many(MAX_SIGNATURES + 1)), BadNote::TooMany);
    // Empty lines belong to the text: the last one divides.
    let note = Note::read(format!("\n\ntext\n\n{line}\n").as_bytes()).expect("empty lines are allowed");
    assert_eq!(note.text(), "\n\ntext\n");
}

#[test]
fn signatures_of_others_are_ignored_and_a_bad_one_of_ours_is_not() {
    let mine = log();
    let stranger =
        Signer::new("desk.example/log", KeyKind::Log, SigningKey::from_bytes(&[1; 32])).expect("named");
    let mut note = Note::sign("text\n", &mine);
    note.add(Note::sign("text\n", &stranger).signatures()[0].clone());
    note.verify(mine.verifier()).expect("the same name with another ID is somebody else");
    let only = Note::sign("text\n", &stranger);
    assert_eq!(only.verify(mine.verifier()), Err(BadNote::NoSignature("desk.example/log".to_owned())));
    let mut forged = Note::sign("text\n", &mine);
    let mut signature = forged.signatures()[0].clone();
    signature.bytes[3] ^= 1;
    forged.add(signature);
    assert_eq!(forged.verify(mine.verifier()), Err(BadNote::BadSignature("desk.example/log".to_owned())));
}

#[test]
fn a_secret_key_does_not_show() {
    let shown = format!("{:?}", log());
    assert!(
        shown.contains("desk.example/log") && !shown.contains("07, 07") && !shown.contains("7, 7"),
        "{shown}"
    );
}

#[test]
fn checkpoints_are_refused_with_the_reason() {
    let key = log().verifier().clone();
    let good = checkpoint(5);
    let opened = SignedCheckpoint::open(good.to_string().as_bytes(), &key).expect("a good checkpoint");
    assert_eq!(opened, good);
    let root = Hash::of_leaf(b"any").to_string();
    let refused = |text: &str| {
        let note = Note::sign(text, &log()).to_string();
        SignedCheckpoint::open(note.as_bytes(), &key).expect_err("not a checkpoint")
    };
    for text in [
        "desk.example/log\n".to_owned(),
        "desk.example/log\n5\n".to_owned(),
        format!("desk.example/log\n05\n{root}\n"),
        format!("desk.example/log\n+5\n{root}\n"),
        format!("desk.example/log\n4611686018427387905\n{root}\n"),
        format!("desk.example/log\n5\n{}\n", &root[..40]),
        format!("desk.example/log\n5\n{root} \n"),
        format!("desk.example/log\n0\n{root}\n"),
        format!("desk.example/log\n5\n{root}\nmore\n\nand more\n"),
    ] {
        assert!(matches!(refused(&text), BadCheckpoint::Text(_)), "{text:?}");
    }
    assert!(matches!(refused(&format!("other.example\n5\n{root}\n")), BadCheckpoint::Origin { .. }));
    let witness = super::witness();
    let of_witness = SignedCheckpoint::open(good.to_string().as_bytes(), witness.verifier());
    assert!(matches!(of_witness, Err(BadCheckpoint::Origin { .. })));
    let extended = format!("desk.example/log\n5\n{root}\nsomething of another log\n");
    let note = Note::sign(&extended, &log()).to_string();
    let opened = SignedCheckpoint::open(note.as_bytes(), &key).expect("further lines are tolerated");
    assert_eq!(opened.checkpoint().text(), extended, "and kept, since signatures cover them");
    assert_eq!(Checkpoint::read(&extended).expect("readable").extensions, ["something of another log"]);
}
