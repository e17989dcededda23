//! The life of a log: made, appended to by one and by many, read, cosigned, checked, guarded.

use super::{assert_begins, check_whole, entries, signer};
use ed25519_dalek::SigningKey;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tearline_log::note::{KeyKind, Signer};
use tearline_log::witness::{self, Seen};
use tearline_log::{cosignature, merkle};
use tearline_store::log_folder::fsck::{Problem, fsck};
use tearline_store::log_folder::reader::Reader;
use tearline_store::log_folder::sequencer::{Pace, Sequencer};
use tearline_store::log_folder::storage::Disk;
use tearline_store::log_folder::{Error, LogFolder, Options, private_dir};

fn no_wait() -> Options {
    Options { wait: Duration::ZERO, ..Options::default() }
}

fn disk() -> Arc<Disk> {
    Arc::new(Disk::default())
}

#[test]
fn what_is_appended_is_public_provable_and_there_after_opening_again() {
    let place = tempfile::tempdir().expect("a place for files");
    let dir = place.path().join("log");
    let mut folder = LogFolder::create(&dir, signer()).expect("an empty place");
    let mut all = Vec::new();
    for count in [1, 8, 300, 256, 0, 7] {
        let batch = entries(all.len() as u64, count);
        let appended = folder.append(&batch).expect("the disk works");
        assert_eq!(appended.first, all.len() as u64);
        all.extend(batch);
        assert_eq!(appended.checkpoint.size(), all.len() as u64);
        assert_eq!(check_whole(&disk(), &dir, "after an append"), all);
    }
    let before = folder.checkpoint().clone();
    drop(folder);
    let mut folder = LogFolder::open(&dir, signer()).expect("it opens again");
    assert_eq!(folder.checkpoint(), &before);
    folder.append(&entries(0, 1)).expect("the disk works");
    let reader = folder.reader();
    let newest = reader.checkpoint().expect("it verifies");
    for old in [0, 1, 255, 256, 300, newest.size()] {
        let (root, proof) = reader.consistency(old, &newest).expect("it is whole");
        merkle::verify_consistency(old, root, newest.size(), newest.root(), &proof).expect("a good proof");
    }
    let (entry, proof) = reader.entry_proof(&newest, 290).expect("it is whole");
    assert_eq!(entry, all[290]);
    proof.verify(&entry, signer().verifier()).expect("a good proof");
    assert!(proof.verify(b"another entry", signer().verifier()).is_err());
}

#[test]
fn entries_of_many_threads_stay_together_and_are_all_there() {
    let place = tempfile::tempdir().expect("a place for files");
    let dir = place.path().join("log");
    let folder = LogFolder::create(&dir, signer()).expect("an empty place");
    let sequencer = Sequencer::start(folder, Pace::default());
    let mut placed: Vec<(u64, Vec<Vec<u8>>)> = std::thread::scope(|scope| {
        let writer = |writer: u64| {
            let sequencer = &sequencer;
            scope.spawn(move || {
                (0..10_u64)
                    .map(|round| {
                        let batch = entries(writer * 1000 + round * 10, 1 + round % 3);
                        let appended = sequencer.append(batch.clone()).expect("the disk works");
                        assert!(appended.checkpoint.size() >= appended.first + batch.len() as u64);
                        (appended.first, batch)
                    })
                    .collect::<Vec<_>>()
            })
        };
        let writers: Vec<_> = (0..16).map(writer).collect();
        writers.into_iter().flat_map(|writer| writer.join().expect("no writer fails")).collect()
    });
    placed.sort();
    let last = placed.last().expect("something was appended");
    let size = last.0 + last.1.len() as u64;
    sequencer.wait_published(size).expect("the disk works");
    assert!(sequencer.reader().checkpoint().expect("it verifies").size() >= size);
    let folder = sequencer.close().expect("the disk works");
    drop(folder);
    let expected: Vec<Vec<u8>> = placed.iter().flat_map(|(_, batch)| batch.clone()).collect();
    assert_eq!(check_whole(&disk(), &dir, "after many threads"), expected);
    for (first, batch) in placed {
        let at = usize::try_from(first).expect("small");
        assert_eq!(&expected[at..at + batch.len()], &batch[..], "each lies where its writer was told");
    }
}

#[test]
fn a_second_writer_is_refused_while_the_first_writes() {
    let place = tempfile::tempdir().expect("a place for files");
    let dir = place.path().join("log");
    let mut first = LogFolder::create(&dir, signer()).expect("an empty place");
    let second = LogFolder::open_on(&disk(), &dir, signer(), no_wait());
    assert!(matches!(second, Err(Error::Busy(_))));
    first.append(&entries(0, 1)).expect("the first goes on");
    drop(first);
    LogFolder::open_on(&disk(), &dir, signer(), no_wait()).expect("the lock went with the first");
}

#[test]
fn a_writer_stops_when_somebody_else_changed_the_checkpoint() {
    let place = tempfile::tempdir().expect("a place for files");
    let dir = place.path().join("log");
    let mut folder = LogFolder::create(&dir, signer()).expect("an empty place");
    let old = std::fs::read(dir.join("checkpoint")).expect("it is there");
    folder.append(&entries(0, 3)).expect("the disk works");
    std::fs::write(dir.join("checkpoint"), &old).expect("anybody may write");
    assert!(matches!(folder.append(&entries(3, 1)), Err(Error::Interfered(_))));
    assert!(matches!(folder.append(&entries(3, 1)), Err(Error::Stopped)));
    assert_eq!(std::fs::read(dir.join("checkpoint")).expect("it is there"), old, "nothing more was written");
    // The journal still knows better than the checkpoint that was put back.
    drop(folder);
    let folder = LogFolder::open(&dir, signer()).expect("it opens");
    assert_begins(&check_whole(&disk(), &dir, "rolled back"), &entries(0, 4), "rolled back");
    assert_eq!(folder.checkpoint().size(), 4);
}

#[test]
fn a_log_is_made_once_and_opened_with_its_own_key_and_journal() {
    let place = tempfile::tempdir().expect("a place for files");
    let dir = place.path().join("log");
    assert!(matches!(LogFolder::open(&dir, signer()), Err(Error::NoLog(_))));
    LogFolder::create(&dir, signer()).expect("an empty place").append(&entries(0, 5)).expect("works");
    assert!(matches!(LogFolder::create(&dir, signer()), Err(Error::Exists(_))));
    let key = SigningKey::from_bytes(&[8; 32]);
    let other = Signer::new("desk.example/log", KeyKind::Log, key).expect("a good name");
    assert!(matches!(LogFolder::open(&dir, other), Err(Error::Checkpoint { .. })));
    // Without the private folder nobody can say whether something was acknowledged and not yet public.
    std::fs::remove_dir_all(private_dir(&dir)).expect("it is there");
    assert!(matches!(LogFolder::open(&dir, signer()), Err(Error::Journal { .. })));
    let accept = Options { without_journal: true, ..no_wait() };
    let mut folder = LogFolder::open_on(&disk(), &dir, signer(), accept).expect("it was said aloud");
    folder.append(&entries(5, 1)).expect("the disk works");
    // And a log that was lost does not begin again under a journal that knows of entries.
    drop(folder);
    std::fs::remove_dir_all(&dir).expect("it is there");
    assert!(matches!(LogFolder::create(&dir, signer()), Err(Error::Exists(_))));
}

#[test]
fn a_public_folder_older_than_the_journal_is_refused() {
    let place = tempfile::tempdir().expect("a place for files");
    let dir = place.path().join("log");
    let mut folder = LogFolder::create(&dir, signer()).expect("an empty place");
    folder.append(&entries(0, 3)).expect("the disk works");
    let old = std::fs::read(dir.join("checkpoint")).expect("it is there");
    drop(folder);
    // Opening begins a new journal at 3, which no longer reaches back to the beginning.
    let mut folder = LogFolder::open(&dir, signer()).expect("it opens");
    folder.append(&entries(3, 3)).expect("the disk works");
    drop(folder);
    let empty = LogFolder::create(&place.path().join("other"), signer()).expect("an empty place");
    std::fs::write(dir.join("checkpoint"), empty.checkpoint().to_string()).expect("anybody may write");
    let refused = LogFolder::open(&dir, signer()).err().expect("entries 0 to 2 are not in the journal");
    assert!(refused.to_string().contains("the public folder is older"), "{refused}");
    // The checkpoint at 3 is where this journal begins, so from there it can be made good.
    std::fs::write(dir.join("checkpoint"), old).expect("anybody may write");
    let folder = LogFolder::open(&dir, signer()).expect("the journal has what is missing");
    assert_eq!(folder.checkpoint().size(), 6);
}

#[test]
fn cosignatures_are_added_to_the_newest_checkpoint_only() {
    let place = tempfile::tempdir().expect("a place for files");
    let dir = place.path().join("log");
    let mut folder = LogFolder::create(&dir, signer()).expect("an empty place");
    folder.append(&entries(0, 3)).expect("the disk works");
    let key = SigningKey::from_bytes(&[9; 32]);
    let partner = Signer::new("partner.example/witness", KeyKind::Witness, key).expect("a good name");
    let witnesses = [partner.verifier().clone()];
    let request = folder.reader().witness_request(0, folder.checkpoint()).expect("it is whole");
    let seen = witness::check(&request, None, Some(signer().verifier())).expect("a good log");
    let mut cosigned = request.checkpoint.clone();
    cosigned.add(cosignature::cosign(&seen, &partner, 1_800_000_000).expect("a witness's key"));
    let added = folder.cosign(&cosigned, &witnesses).expect("it verifies");
    assert_eq!((added.len(), added[0].time), (1, 1_800_000_000));
    assert_eq!(folder.cosign(&cosigned, &witnesses).expect("it verifies"), [], "a second time adds nothing");
    let read = folder.reader().checkpoint().expect("it verifies");
    let found = cosignature::verify(&read, partner.verifier(), cosignature::MAX_TIME).expect("it is there");
    assert_eq!(found.time, 1_800_000_000);
    drop(folder);
    let mut folder = LogFolder::open(&dir, signer()).expect("it opens");
    assert_eq!(folder.checkpoint(), &read, "opening keeps them");
    folder.append(&entries(3, 1)).expect("the disk works");
    assert!(matches!(folder.cosign(&cosigned, &witnesses), Err(Error::OtherCheckpoint { size: 4 })));
    // What the witness remembers now refuses a rollback and asks for a proof of what follows.
    let remembered = Some(Seen::from(seen.checkpoint()));
    let again = folder.reader().witness_request(3, folder.checkpoint()).expect("it is whole");
    witness::check(&again, remembered, Some(signer().verifier())).expect("the log has only grown");
    let refused = witness::check(&request, remembered, Some(signer().verifier()));
    assert_eq!(refused.map_err(|refusal| refusal.status()), Err(409));
}

/// Flips one bit of a file.
fn flip(file: &Path, at: usize) {
    let mut bytes = std::fs::read(file).expect("it is there");
    bytes[at] ^= 1;
    std::fs::write(file, bytes).expect("it can be written");
}

#[test]
fn fsck_names_what_is_wrong() {
    let place = tempfile::tempdir().expect("a place for files");
    let dir = place.path().join("log");
    let mut folder = LogFolder::create(&dir, signer()).expect("an empty place");
    folder.append(&entries(0, 700)).expect("the disk works");
    let reader = Reader::new(&dir, signer().verifier().clone());
    let names = |damage: &str| -> Vec<String> {
        let report = fsck(&reader).expect("the disk can be read");
        assert!(!report.is_sound(), "{damage} goes unseen");
        report
            .problems
            .iter()
            .map(|problem| problem.to_string().split(':').next().unwrap_or("").to_owned())
            .collect()
    };
    assert!(fsck(&reader).expect("the disk can be read").is_sound());
    let cases: [(&str, usize, &[&str]); 5] = [
        ("tile/entries/001", 5, &["wrong-entry", "wrong-root"]),
        ("tile/entries/002.p/188", 5, &["wrong-entry", "wrong-root"]),
        ("tile/0/001", 700, &["wrong-entry"]),
        ("tile/1/000.p/2", 3, &["wrong-hash"]),
        ("tile/entries/000", 0, &["malformed", "no-root"]),
    ];
    for (file, at, expected) in cases {
        flip(&dir.join(file), at);
        assert_eq!(names(file), expected, "{file}");
        flip(&dir.join(file), at);
    }
    let entries = std::fs::read(dir.join("tile/entries/001")).expect("it is there");
    std::fs::remove_file(dir.join("tile/entries/001")).expect("it is there");
    assert_eq!(names("a bundle removed"), ["missing", "no-root"]);
    std::fs::write(dir.join("tile/entries/001"), entries).expect("it can be written");
    flip(&dir.join("checkpoint"), 3);
    assert_eq!(names("the checkpoint"), ["bad-checkpoint"]);
    flip(&dir.join("checkpoint"), 3);
    // A fork: the same key signed another history of the same size.
    let mut fork = LogFolder::create(&place.path().join("fork"), signer()).expect("an empty place");
    fork.append(&super::entries(1, 700)).expect("the disk works");
    std::fs::write(dir.join("checkpoint"), fork.checkpoint().to_string()).expect("it can be written");
    let report = fsck(&reader).expect("the disk can be read");
    assert!(matches!(report.problems[..], [Problem::WrongRoot { .. }]), "{:?}", report.problems);
}

#[test]
fn an_entry_that_is_too_long_changes_nothing() {
    let place = tempfile::tempdir().expect("a place for files");
    let mut folder = LogFolder::create(&place.path().join("log"), signer()).expect("an empty place");
    folder.append(&[vec![1; 65_535]]).expect("the longest that there may be");
    assert!(matches!(folder.append(&[vec![1; 65_536]]), Err(Error::TooLong(_))));
    assert_eq!(folder.append(&entries(0, 1)).expect("it goes on").first, 1);
}
