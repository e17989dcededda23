//! What we write, byte by byte: `testdata/log` holds it, and programs that are not ours read it (`testdata/verifiers`).

use super::{checkpoint, entry, leaves, log, reader, witness};
use tearline_log::merkle::{self, BadProof};
use tearline_log::proof::{BadEntryProof, EntryProof};
use tearline_log::{cose, cosignature};

/// The proof of entry 3 of 13, with a cosignature.
fn proof() -> EntryProof {
    let mut signed = checkpoint(13);
    let line = cosignature::cosign(&signed, &witness(), 1_709_800_000).expect("a witness's key");
    cosignature::add(&mut signed, &[line], &[witness().verifier().clone()]).expect("it verifies");
    let path = merkle::inclusion(3, 13, reader(&leaves(13))).expect("it is there");
    EntryProof { extra: None, index: 3, path, checkpoint: signed.note().clone() }
}

fn receipt() -> Vec<u8> {
    let path = merkle::inclusion(3, 13, reader(&leaves(13))).expect("it is there");
    cose::receipt(&log(), 3, 13, &path, checkpoint(13).root())
}

#[test]
fn keys_proof_and_receipt_are_the_golden_ones() {
    let keys = format!("{}\n{}\n", log().verifier(), witness().verifier());
    assert_eq!(keys, include_str!("../../../../testdata/log/keys.txt"));
    assert_eq!(proof().to_string(), include_str!("../../../../testdata/log/entry-3-of-13.tlog-proof"));
    assert_eq!(receipt(), include_bytes!("../../../../testdata/log/entry-3-of-13.cose"));
}

#[test]
fn a_proof_verifies_for_its_entry_and_no_other() {
    let (proof, key) = (proof(), log().verifier().clone());
    let read = EntryProof::read(proof.to_string().as_bytes()).expect("as it was written");
    assert_eq!(read, proof);
    let signed = read.verify(&entry(3), &key).expect("a good proof");
    assert_eq!(signed.size(), 13);
    assert_eq!(read.verify(&entry(4), &key), Err(BadEntryProof::Path(BadProof::Root)));
    let with_extra = EntryProof { extra: Some(b"any".to_vec()), ..proof.clone() };
    assert_eq!(EntryProof::read(with_extra.to_string().as_bytes()), Ok(with_extra));
    let text = proof.to_string();
    let bad = [
        text.replace("@v1", "@v2"),
        text.replace("index 3", "index 03"),
        text.replace("index 3\n", ""),
        text.replace("index 3", "extra ?\nindex 3"),
        text.replacen('=', "", 1),
        text.replacen("\n\n", "\n", 1),
    ];
    for text in bad {
        assert!(EntryProof::read(text.as_bytes()).is_err(), "{text}");
    }
    for at in 0..text.len() {
        let mut bytes = text.clone().into_bytes();
        bytes[at] ^= 1;
        let verified = EntryProof::read(&bytes).and_then(|proof| proof.verify(&entry(3), &key));
        // Cosignatures are verified by whoever asks for them; the rest stands or falls with the log's signature.
        let in_cosignature = at >= text.rfind('\u{2014}').expect("the last line");
        assert!(verified.is_err() || in_cosignature, "a bit of byte {at} is flipped: {verified:?}");
    }
}

#[test]
fn a_receipt_verifies_for_its_entry_and_no_other() {
    let (receipt, key) = (receipt(), log().verifier().clone());
    assert_eq!(cose::verify(&receipt, &entry(3), &key), Ok(3));
    assert!(cose::verify(&receipt, &entry(4), &key).is_err());
    assert!(cose::verify(&receipt, &entry(3), witness().verifier()).is_err());
    for at in 0..receipt.len() {
        let mut bytes = receipt.clone();
        bytes[at] ^= 1;
        let verified = cose::verify(&bytes, &entry(3), &key);
        // The size is not signed: 12 instead of 13 has the same path.
        let size = bytes[at] == 12 && receipt[at] == 13;
        assert!(verified.is_err() || (size && verified == Ok(3)), "a bit of byte {at} is flipped");
        assert!(cose::verify(&receipt[..at], &entry(3), &key).is_err(), "cut at byte {at}");
    }
    assert!(cose::verify(&[&receipt[..], &[0]].concat(), &entry(3), &key).is_err(), "a byte follows");
}
