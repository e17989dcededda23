//! Bodies of the fuzz targets for the log's parsers: what must hold for any bytes.

use tearline_log::checkpoint::Checkpoint;
use tearline_log::note::{Note, VerifierKey};
use tearline_log::proof::EntryProof;
use tearline_log::tile::{self, Resource};
use tearline_log::witness::Request;
use tearline_log::{cose, note};

/// The log's key of the golden vectors.
fn key() -> VerifierKey {
    let keys = include_str!("../../testdata/log/keys.txt");
    keys.lines().next().and_then(|line| line.parse().ok()).expect("the first line is the log's key")
}

/// Reads a note and a verifier key. What is accepted is written as it was.
pub fn note(bytes: &[u8]) {
    if let Ok(note) = Note::read(bytes) {
        assert_eq!(note.to_string().as_bytes(), bytes);
        assert!(note.text().ends_with('\n') && !note.signatures().is_empty());
        assert!(note.signatures().len() <= note::MAX_SIGNATURES);
        drop(note.verify(&key()));
    }
    let Some(Ok(key)) = str::from_utf8(bytes).ok().map(str::parse::<VerifierKey>) else { return };
    assert_eq!(key.to_string().parse(), Ok(key));
}

/// Reads the text of a checkpoint. What is accepted is written as it was.
pub fn checkpoint(bytes: &[u8]) {
    let Ok(text) = str::from_utf8(bytes) else { return };
    let Ok(checkpoint) = Checkpoint::read(text) else { return };
    assert_eq!(checkpoint.text(), text);
    assert!(!checkpoint.origin.is_empty());
}

/// Reads bytes as a path, a tile and a bundle of each width. What is accepted is written as it was.
pub fn tile(bytes: &[u8]) {
    if let Some(resource) = str::from_utf8(bytes).ok().and_then(Resource::from_path) {
        assert_eq!(resource.path().as_bytes(), bytes);
    }
    for width in 1..=tile::FULL {
        if let Ok(hashes) = tile::hashes(bytes, width) {
            assert_eq!(tile::tile_bytes(&hashes), bytes);
        }
        if let Ok(entries) = tile::entries(bytes, width) {
            let mut bundle = Vec::new();
            for entry in entries {
                tile::push_entry(&mut bundle, entry).expect("it came from a bundle");
            }
            assert_eq!(bundle, bytes);
        }
    }
}

/// Reads the proof for an entry. What is accepted is written as it was; nobody can make one for another entry.
pub fn entry_proof(bytes: &[u8]) {
    let Ok(proof) = EntryProof::read(bytes) else { return };
    assert_eq!(proof.to_string().as_bytes(), bytes);
    assert!(proof.verify(b"an entry that no log of ours has", &key()).is_err());
}

/// Reads a request to a witness. What is accepted is written as it was.
pub fn witness_request(bytes: &[u8]) {
    let Ok(request) = Request::read(bytes) else { return };
    assert_eq!(request.to_string().as_bytes(), bytes);
    drop(tearline_log::witness::check(&request, None, Some(&key())));
}

/// Reads a COSE receipt. Nobody can make one for another entry.
pub fn cose_receipt(bytes: &[u8]) {
    assert!(cose::verify(bytes, b"an entry that no log of ours has", &key()).is_err());
}
