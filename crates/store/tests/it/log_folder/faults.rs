//! Whatever fails, wherever: after it the log verifies, what was acknowledged is there, what was public is whole, and
//! the next append works.

use super::memory::{Broken, Fault, Loss, Memory};
use super::{SMALL, assert_begins, assert_continues, check_whole, entries, signer};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tearline_log::checkpoint::SignedCheckpoint;
use tearline_store::log_folder::sequencer::{Pace, Sequencer};
use tearline_store::log_folder::storage::Storage as _;
use tearline_store::log_folder::{LogFolder, Options, journal, private_dir};

/// Where the log lies on the disk in memory.
const DIR: &str = "/disk/log";

/// The batches of the work: they cross the ends of tiles, and fill several segments of the journal.
const BATCHES: [u64; 6] = [1, 3, 250, 5, 1, 40];

/// What has been promised to those who appended.
#[derive(Clone, Default)]
struct Promised {
    entries: Vec<Vec<u8>>,
    checkpoints: Vec<SignedCheckpoint>,
}

/// Makes a log and appends the batches until something fails.
fn work(disk: &Arc<Memory>) -> Promised {
    let mut promised = Promised::default();
    let Ok(mut folder) = LogFolder::create_on(disk, Path::new(DIR), signer(), SMALL) else { return promised };
    promised.checkpoints.push(folder.checkpoint().clone());
    for count in BATCHES {
        let batch = entries(promised.entries.len() as u64, count);
        let Ok(appended) = folder.append(&batch) else { return promised };
        assert_eq!(appended.first, promised.entries.len() as u64, "entries are numbered as they come");
        promised.entries.extend(batch);
        promised.checkpoints.push(SignedCheckpoint::clone(&appended.checkpoint));
    }
    promised
}

/// Opens the log again, or makes it if nothing was promised yet, and holds it to what was promised.
fn recover(disk: &Arc<Memory>, promised: &Promised, story: &str) -> Promised {
    let mut kept = promised.clone();
    let dir = Path::new(DIR);
    let opened = LogFolder::open_on(disk, dir, signer(), SMALL);
    let mut folder = match opened {
        Err(_) if promised.checkpoints.is_empty() => LogFolder::create_on(disk, dir, signer(), SMALL),
        other => other,
    }
    .unwrap_or_else(|error| panic!("{story}: it does not open again: {error}"));
    let found = check_whole(disk, dir, story);
    assert_begins(&found, &promised.entries, story);
    for checkpoint in &promised.checkpoints {
        assert_continues(&folder, checkpoint, story);
    }
    let more = entries(10_000, 7);
    let appended = folder.append(&more).unwrap_or_else(|error| panic!("{story}: the next append: {error}"));
    assert_eq!(appended.first, found.len() as u64, "{story}");
    kept.entries = found;
    kept.entries.extend(more);
    kept.checkpoints.push(SignedCheckpoint::clone(&appended.checkpoint));
    assert_begins(&check_whole(disk, dir, story), &kept.entries, story);
    kept
}

/// Everything that a power failure may leave.
fn losses() -> impl Iterator<Item = Loss> {
    [Loss::All, Loss::None].into_iter().chain((1..=4).map(Loss::Some))
}

fn disk() -> Arc<Memory> {
    Arc::new(Memory::with_dir(Path::new("/disk")))
}

/// How many steps the whole work takes.
fn steps_of_work() -> u64 {
    let disk = disk();
    let promised = work(&disk);
    assert_eq!(promised.entries.len() as u64, BATCHES.iter().sum::<u64>(), "nothing fails without faults");
    disk.steps()
}

#[test]
fn after_a_power_failure_at_any_step_nothing_promised_is_missing() {
    for step in 0..steps_of_work() {
        let crashed = disk();
        crashed.fail_at(step, Fault::Crash);
        let promised = work(&crashed);
        for loss in losses() {
            let story = format!("power failure at step {step}, {loss:?}");
            let found = Arc::new(crashed.after_power_failure(loss));
            let kept = recover(&found, &promised, &story);
            // The recovery itself is cut off from power once it has promised something.
            let found = Arc::new(found.after_power_failure(Loss::All));
            recover(&found, &kept, &format!("{story}, and again after the recovery"));
        }
    }
}

#[test]
fn after_a_power_failure_during_recovery_nothing_promised_is_missing() {
    let all = steps_of_work();
    for step in (0..all).step_by(7) {
        let crashed = disk();
        crashed.fail_at(step, Fault::Crash);
        let promised = work(&crashed);
        for during in 0..40 {
            let found = Arc::new(crashed.after_power_failure(Loss::Some(step + 1)));
            found.fail_at(found.steps() + during, Fault::Crash);
            drop(LogFolder::open_on(&found, Path::new(DIR), signer(), SMALL));
            for loss in [Loss::All, Loss::None, Loss::Some(during + 1)] {
                let story =
                    format!("power failure at step {step}, then at step {during} of recovery, {loss:?}");
                recover(&Arc::new(found.after_power_failure(loss)), &promised, &story);
            }
        }
    }
}

#[test]
fn after_any_step_that_fails_whether_or_not_it_happened_nothing_promised_is_missing() {
    for fault in [Fault::NotPersisted, Fault::Persisted] {
        for step in 0..steps_of_work() {
            let story = format!("step {step} fails, {fault:?}");
            let failed = disk();
            failed.fail_at(step, fault);
            let promised = work(&failed);
            for loss in losses() {
                recover(
                    &Arc::new(failed.after_power_failure(loss)),
                    &promised,
                    &format!("{story}, {loss:?}"),
                );
            }
            // The machine runs on: what can be read may never have reached the disk.
            failed.restart();
            let kept = recover(&failed, &promised, &story);
            for loss in losses() {
                let found = Arc::new(failed.after_power_failure(loss));
                recover(&found, &kept, &format!("{story}, recovered, then power failure, {loss:?}"));
            }
        }
    }
}

/// Whether a test like those above fails, if syncs are left out.
fn is_noticed(broken: Broken) -> bool {
    let noticed = std::panic::catch_unwind(|| {
        for step in (0..steps_of_work()).step_by(3) {
            let crashed = disk();
            crashed.break_syncs(broken);
            crashed.fail_at(step, Fault::Crash);
            let promised = work(&crashed);
            for loss in losses() {
                recover(&Arc::new(crashed.after_power_failure(loss)), &promised, "syncs are left out");
            }
        }
    });
    noticed.is_err()
}

#[test]
fn a_sync_that_is_left_out_is_noticed() {
    let quiet = std::panic::take_hook();
    std::panic::set_hook(Box::new(|_| {}));
    let none = Broken::default();
    let found = [
        ("no sync at all", Broken { journal: true, tiles: true, checkpoint: true, dirs: true }),
        ("no sync of tiles", Broken { tiles: true, ..none }),
        ("no sync of the checkpoint", Broken { checkpoint: true, ..none }),
        ("no sync of directories", Broken { dirs: true, ..none }),
    ]
    .map(|(name, broken)| (name, is_noticed(broken)));
    let sound = is_noticed(none);
    std::panic::set_hook(quiet);
    assert_eq!(found.map(|(name, noticed)| (name, noticed, true)), found.map(|(name, _)| (name, true, true)));
    assert!(!sound, "and with every sync there is nothing to notice");
}

/// A disk on which the batches are durable in the journal and nothing of them is public, as when the power fails right
/// after the sync of the journal.
fn only_in_the_journal(journal_synced: bool) -> (Arc<Memory>, Promised) {
    let disk = disk();
    let wide = Options { segment: 4096, ..SMALL };
    let folder = LogFolder::create_on(&disk, Path::new(DIR), signer(), wide).expect("nothing fails");
    let mut promised = Promised::default();
    promised.checkpoints.push(folder.checkpoint().clone());
    disk.break_syncs(Broken { journal: !journal_synced, ..Broken::default() });
    let never = Pace { publish: Duration::from_hours(1), gather: 0 };
    let sequencer = Sequencer::start(folder, never);
    for count in [1, 2, 3, 4] {
        let batch = entries(promised.entries.len() as u64, count);
        let appended = sequencer.append(batch.clone()).expect("nothing fails");
        promised.entries.extend(batch);
        promised.checkpoints.push(SignedCheckpoint::clone(&appended.checkpoint));
    }
    let found = Arc::new(disk.after_power_failure(Loss::All));
    drop(sequencer);
    (found, promised)
}

#[test]
fn what_a_sequencer_acknowledged_before_it_was_public_survives_by_the_journal_alone() {
    let (found, promised) = only_in_the_journal(true);
    recover(&found, &promised, "only in the journal");
    let (found, promised) = only_in_the_journal(false);
    let folder = LogFolder::open_on(&found, Path::new(DIR), signer(), SMALL).expect("it opens");
    assert!(folder.checkpoint().size() < promised.entries.len() as u64, "without its sync it is lost");
}

#[test]
fn a_journal_cut_at_any_byte_keeps_every_batch_before_the_cut() {
    let (found, promised) = only_in_the_journal(true);
    let folder = private_dir(Path::new(DIR)).join("journal");
    let disk = Memory::clone(&found);
    let names = disk.list(&folder).expect("it is there");
    let segments: Vec<_> = names.iter().filter(|name| name.ends_with("segment")).collect();
    let [name] = segments[..] else { panic!("the batches fit into one segment: {names:?}") };
    let file = folder.join(name);
    let bytes = disk.read(&file).expect("readable").expect("there");
    let whole = journal::scan(&bytes);
    assert_eq!(whole.records.len(), 4, "one record for each batch");
    for cut in 0..bytes.len() {
        let story = format!("journal cut at byte {cut}");
        let disk = Arc::new(Memory::clone(&found));
        disk.cut(&file, cut);
        // A record is whole up to its last byte that is not padding.
        let mut end = journal::ALIGN;
        let mut size = 0;
        for record in &whole.records {
            let padded = record.bytes();
            let length = padded.len() - padded.iter().rev().take_while(|&&byte| byte == 0).count();
            if end + length > cut {
                break;
            }
            end += padded.len();
            size = record.end();
        }
        let before = Promised {
            entries: promised.entries[..usize::try_from(size).expect("small")].to_vec(),
            checkpoints: promised.checkpoints.iter().filter(|c| c.size() <= size).cloned().collect(),
        };
        recover(&disk, &before, &story);
    }
}

#[test]
fn a_journal_damaged_in_the_middle_is_refused_and_not_shortened() {
    let (found, _) = only_in_the_journal(true);
    let folder = private_dir(Path::new(DIR)).join("journal");
    let name = found.list(&folder).expect("it is there").into_iter().find(|name| name.ends_with("segment"));
    let file = folder.join(name.expect("a segment"));
    let whole = found.read(&file).expect("readable").expect("there");
    let first = journal::scan(&whole).records[0].bytes().len();
    for (at, &byte) in whole.iter().enumerate().take(first).skip(journal::ALIGN) {
        let disk = Arc::new(Memory::clone(&found));
        disk.write_at(&file, at as u64, &[byte ^ 0x10]).expect("it can be written");
        match LogFolder::open_on(&disk, Path::new(DIR), signer(), SMALL) {
            Err(error) => assert!(error.to_string().contains("later ones are there"), "{error}"),
            // The padding of a record says nothing.
            Ok(folder) => assert_eq!((folder.checkpoint().size(), byte), (10, 0), "byte {at}"),
        }
    }
}

#[test]
fn a_full_disk_refuses_the_append_and_loses_nothing() {
    for room in (0..60_000).step_by(1000) {
        let disk = disk();
        let mut folder = LogFolder::create_on(&disk, Path::new(DIR), signer(), SMALL).expect("there is room");
        let mut promised = Promised::default();
        disk.full_after(Some(room));
        for count in BATCHES {
            let batch = entries(promised.entries.len() as u64, count);
            let Ok(appended) = folder.append(&batch) else {
                let again = folder.append(&entries(0, 1)).expect_err("a writer stops at the first failure");
                assert!(again.to_string().contains("Open the log again"), "{again}");
                break;
            };
            promised.entries.extend(batch);
            promised.checkpoints.push(SignedCheckpoint::clone(&appended.checkpoint));
        }
        let story = format!("full after {room} bytes");
        assert_begins(&check_whole(&disk, Path::new(DIR), &story), &promised.entries, &story);
        drop(folder);
        disk.full_after(None);
        recover(&disk, &promised, &story);
    }
}

#[test]
fn when_a_step_fails_under_many_threads_all_of_them_hear_of_it_and_nothing_promised_is_missing() {
    for fault in [Fault::NotPersisted, Fault::Persisted, Fault::Crash] {
        for step in (0..90).step_by(3) {
            let disk = disk();
            let folder =
                LogFolder::create_on(&disk, Path::new(DIR), signer(), SMALL).expect("nothing fails yet");
            disk.fail_at(disk.steps() + step, fault);
            let pace = Pace { publish: Duration::ZERO, ..Pace::default() };
            let sequencer = Sequencer::start(folder, pace);
            // Each ends when an append is refused: were one of them forgotten, this would not end.
            let promised: BTreeMap<u64, Vec<u8>> = std::thread::scope(|scope| {
                let writer = |writer: u64| {
                    let sequencer = &sequencer;
                    scope.spawn(move || {
                        let mut told = Vec::new();
                        for round in 0.. {
                            let batch = entries(writer * 1000 + round, 1 + round % 2);
                            let Ok(appended) = sequencer.append(batch.clone()) else { break };
                            told.extend((appended.first..).zip(batch));
                        }
                        told
                    })
                };
                let writers: Vec<_> = (0..4).map(writer).collect();
                writers.into_iter().flat_map(|writer| writer.join().expect("no writer panics")).collect()
            });
            // Whatever failed, this comes back; and what is not there is not waited for.
            let size = promised.last_key_value().map_or(0, |(&last, _)| last + 1);
            let public = sequencer.wait_published(size);
            let there = sequencer.reader().checkpoint().map_or(0, |checkpoint| checkpoint.size());
            assert!(public.is_err() || there >= size, "public up to {there}, and {size} was said");
            assert!(sequencer.wait_published(u64::MAX).is_err());
            drop(sequencer);
            for loss in [Loss::All, Loss::None, Loss::Some(step + 1)] {
                let story = format!("step {step} fails under many threads, {fault:?}, {loss:?}");
                let found = Arc::new(disk.after_power_failure(loss));
                drop(LogFolder::open_on(&found, Path::new(DIR), signer(), SMALL).expect("it opens again"));
                let all = check_whole(&found, Path::new(DIR), &story);
                for (&index, entry) in &promised {
                    let index = usize::try_from(index).expect("small");
                    assert_eq!(all.get(index), Some(entry), "{story}: entry {index}");
                }
            }
        }
    }
}
