//! The log on a disk: what it holds, what it survives, what it refuses.

mod faults;
mod journal;
mod life;
mod memory;
mod power;
mod verifiers;

use ed25519_dalek::SigningKey;
use std::io::Write as _;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tearline_log::merkle;
use tearline_log::note::{KeyKind, Signer};
use tearline_store::log_folder::fsck::fsck;
use tearline_store::log_folder::reader::Reader;
use tearline_store::log_folder::storage::Storage;
use tearline_store::log_folder::{LogFolder, Options};

/// Says that something is not tested here. Written past the test harness, which keeps what passing tests print.
fn skipped(what: &str) {
    writeln!(std::io::stderr(), "SKIPPED: {what}").expect("somebody reads this");
}

/// The key of the log of these tests.
fn signer() -> Signer {
    Signer::new("desk.example/log", KeyKind::Log, SigningKey::from_bytes(&[7; 32])).expect("a good name")
}

/// Small segments, so that a few appends fill several; nobody to wait for.
const SMALL: Options = Options { segment: 1024, wait: Duration::ZERO, without_journal: false };

/// Entries that can be told apart: number `first` onwards, of different lengths.
fn entries(first: u64, count: u64) -> Vec<Vec<u8>> {
    (first..first + count)
        .map(|number| format!("entry {number} {}", "x".repeat((number % 5) as usize)).into_bytes())
        .collect()
}

/// Holds a log to everything that must be true of it, and gives its entries.
fn check_whole<S: Storage>(storage: &Arc<S>, dir: &Path, story: &str) -> Vec<Vec<u8>> {
    let reader = Reader::on(Arc::clone(storage), dir, signer().verifier().clone());
    let report = fsck(&reader).expect("the disk can be read");
    assert!(report.is_sound(), "{story}: {:?}", report.problems);
    let checkpoint = report.checkpoint.expect("a sound log has a checkpoint");
    let size = checkpoint.size();
    let found = reader.entries(&checkpoint, 0, size).unwrap_or_else(|error| panic!("{story}: {error}"));
    for index in [0, size / 2, size.saturating_sub(1)].into_iter().filter(|&index| index < size) {
        reader.entry_proof(&checkpoint, index).unwrap_or_else(|error| panic!("{story}: {error}"));
    }
    found
}

/// That `found` begins with `expected`.
fn assert_begins(found: &[Vec<u8>], expected: &[Vec<u8>], story: &str) {
    assert!(
        found.len() >= expected.len(),
        "{story}: {} entries, {} were promised",
        found.len(),
        expected.len()
    );
    assert_eq!(&found[..expected.len()], expected, "{story}: promised entries have changed");
}

/// That a newer checkpoint continues an older one.
fn assert_continues<S: Storage>(
    folder: &LogFolder<S>,
    old: &tearline_log::checkpoint::SignedCheckpoint,
    story: &str,
) {
    let new = folder.checkpoint();
    let (_, proof) = folder.reader().consistency(old.size(), new).unwrap_or_else(|e| panic!("{story}: {e}"));
    merkle::verify_consistency(old.size(), old.root(), new.size(), new.root(), &proof)
        .unwrap_or_else(|error| panic!("{story}: {error}"));
}
