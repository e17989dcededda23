//! How fast a log takes durable appends, against what the disk and the processor allow: `bench/log/run.sh`.
//!
//! `bench_log FOLDER [SECONDS]` works in a new folder below FOLDER, on whose disk everything depends, and prints the
//! tables of `bench/log/RESULTS.md`.

use ed25519_dalek::{Signer as _, SigningKey, Verifier as _};
use std::error::Error;
use std::fs::OpenOptions;
use std::hint::black_box;
use std::io::Write;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use tearline_log::hash::Hash;
use tearline_log::note::{KeyKind, Signer};
use tearline_store::log_folder::LogFolder;
use tearline_store::log_folder::fsck::fsck;
use tearline_store::log_folder::sequencer::{Pace, Sequencer};

/// How often syncs and appends take turns.
const ROUNDS: u32 = 5;

/// The length of our entries, in bytes.
const ENTRY: usize = 33;

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args_os().skip(1);
    let place = PathBuf::from(arguments.next().ok_or("usage: bench_log FOLDER [SECONDS]")?);
    let seconds = arguments.next().map_or(Ok(5), |text| text.to_string_lossy().parse())?;
    let place = tempfile::tempdir_in(place)?;
    let mut out = std::io::stdout().lock();
    let processor = Processor::measure();
    processor.print(&mut out)?;
    appends(place.path(), Duration::from_secs(seconds), &processor, &mut out)?;
    whole_log(place.path(), &mut out)?;
    Ok(())
}

/// Rates of one core, per second.
struct Processor {
    leaf: f64,
    node: f64,
    sign: f64,
    verify: f64,
}

impl Processor {
    fn measure() -> Self {
        let key = SigningKey::from_bytes(&[7; 32]);
        let message = [5; 120];
        let signature = key.sign(&message);
        let (left, right) = (Hash::of_leaf(b"left"), Hash::of_leaf(b"right"));
        Self {
            leaf: rate(|| Hash::of_leaf(black_box(&[1; ENTRY]))),
            node: rate(|| Hash::of_node(black_box(&left), black_box(&right))),
            sign: rate(|| key.sign(black_box(&message))),
            verify: rate(|| key.verifying_key().verify(black_box(&message), &signature)),
        }
    }

    fn print(&self, out: &mut impl Write) -> std::io::Result<()> {
        writeln!(out, "| one core, the same libraries | per second |\n|---|---:|")?;
        writeln!(out, "| SHA-256 of an entry of {ENTRY} bytes | {:.0} |", self.leaf)?;
        writeln!(out, "| SHA-256 of an inner node | {:.0} |", self.node)?;
        writeln!(out, "| Ed25519 signature of a checkpoint | {:.0} |", self.sign)?;
        writeln!(out, "| Ed25519 verification | {:.0} |\n", self.verify)
    }
}

/// How often something can be done in a second.
fn rate<T>(mut work: impl FnMut() -> T) -> f64 {
    let began = Instant::now();
    let mut done = 0_u32;
    while began.elapsed() < Duration::from_millis(500) {
        for _ in 0..100 {
            black_box(work());
        }
        done += 100;
    }
    f64::from(done) / began.elapsed().as_secs_f64()
}

/// The times of syncs of this disk: write of `bytes` within a file that is allocated, and fdatasync.
fn syncs(place: &Path, bytes: usize, time: Duration) -> std::io::Result<Vec<Duration>> {
    let file = OpenOptions::new().create(true).truncate(true).write(true).open(place.join("syncs"))?;
    file.write_all_at(&vec![0; 8 << 20], 0)?;
    file.sync_all()?;
    let record = vec![1; bytes];
    let mut times = Vec::new();
    let began = Instant::now();
    while began.elapsed() < time {
        let at = (times.len() * bytes.next_multiple_of(64)) % (7 << 20);
        let each = Instant::now();
        file.write_all_at(&record, at as u64)?;
        file.sync_data()?;
        times.push(each.elapsed());
    }
    Ok(times)
}

fn percentile(times: &mut [Duration], percent: usize) -> f64 {
    times.sort_unstable();
    times.get(times.len() * percent / 100).map_or(f64::NAN, |time| time.as_secs_f64() * 1e3)
}

fn signer() -> Result<Signer, Box<dyn Error>> {
    Ok(Signer::new("bench.example/log", KeyKind::Log, SigningKey::from_bytes(&[7; 32]))?)
}

/// Appends by so many threads, each of one entry and each waiting until it is durable.
fn appends(
    place: &Path,
    time: Duration,
    processor: &Processor,
    out: &mut impl Write,
) -> Result<(), Box<dyn Error>> {
    writeln!(
        out,
        "| writers | fsync p50 ms | mean | p99 | limit/s | appends/s | of limit | p50 ms | p99 ms | p99 in mean fsyncs |"
    )?;
    writeln!(out, "|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|")?;
    for writers in [1_u32, 16, 256] {
        // What one batch of all writers takes in the journal.
        let bytes = writers as usize * (ENTRY + 2) + 250;
        let dir = place.join(format!("log-{writers}"));
        let sequencer = Sequencer::start(LogFolder::create(&dir, signer()?)?, Pace::default());
        // In turns, so that whatever else the machine does weighs on both alike.
        let (mut sync, mut latencies, mut elapsed) = (Vec::new(), Vec::new(), 0.0);
        for _ in 0..ROUNDS {
            sync.extend(syncs(place, bytes, time / (2 * ROUNDS))?);
            let began = Instant::now();
            latencies.extend(one_round(&sequencer, writers, time / ROUNDS));
            elapsed += began.elapsed().as_secs_f64();
        }
        drop(sequencer.close()?);
        let mean_sync = sync.iter().sum::<Duration>().as_secs_f64() / f64::from(u32::try_from(sync.len())?);
        // All that a batch cannot do without: one sync and one signature for all, two hashes for each.
        let all = f64::from(writers);
        let batch = mean_sync + 1.0 / processor.sign + all / processor.leaf + all / processor.node;
        let limit = all / batch;
        let done = f64::from(u32::try_from(latencies.len())?) / elapsed;
        let (sync_p50, sync_p99) = (percentile(&mut sync, 50), percentile(&mut sync, 99));
        let mean = mean_sync * 1e3;
        let (p50, p99) = (percentile(&mut latencies, 50), percentile(&mut latencies, 99));
        writeln!(
            out,
            "| {writers} | {sync_p50:.2} | {mean:.2} | {sync_p99:.2} | {limit:.0} | {done:.0} | {:.0} % | {p50:.2} | \
             {p99:.2} | {:.1} |",
            100.0 * done / limit,
            p99 / mean,
        )?;
    }
    writeln!(out)?;
    Ok(())
}

/// The times of the appends of so many threads.
fn one_round(sequencer: &Sequencer, writers: u32, time: Duration) -> Vec<Duration> {
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let writer = |number: u32| {
            let stop = &stop;
            scope.spawn(move || {
                let mut entry = vec![1; ENTRY];
                entry[1..5].copy_from_slice(&number.to_be_bytes());
                let mut times = Vec::new();
                while !stop.load(Ordering::Relaxed) {
                    let each = Instant::now();
                    if sequencer.append(vec![entry.clone()]).is_err() {
                        break;
                    }
                    times.push(each.elapsed());
                }
                times
            })
        };
        let threads: Vec<_> = (0..writers).map(writer).collect();
        std::thread::sleep(time);
        stop.store(true, Ordering::Relaxed);
        threads.into_iter().flat_map(|thread| thread.join().unwrap_or_default()).collect()
    })
}

/// A log of a million entries: written in batches, opened, checked.
fn whole_log(place: &Path, out: &mut impl Write) -> Result<(), Box<dyn Error>> {
    let dir = place.join("million");
    let mut folder = LogFolder::create(&dir, signer()?)?;
    let began = Instant::now();
    for batch in 0..100_u32 {
        let entry = |number: u32| {
            Hash::of_leaf(&(batch * 10_000 + number).to_be_bytes()).0.repeat(2)[..ENTRY].to_vec()
        };
        folder.append(&(0..10_000).map(entry).collect::<Vec<_>>())?;
    }
    let written = began.elapsed();
    drop(folder);
    let began = Instant::now();
    let folder = LogFolder::open(&dir, signer()?)?;
    let opened = began.elapsed();
    let reader = folder.reader();
    let began = Instant::now();
    let report = fsck(&reader)?;
    let checked = began.elapsed();
    if !report.is_sound() || report.entries != 1_000_000 {
        return Err(format!("the log is not sound: {:?}", report.problems).into());
    }
    let checkpoint = folder.checkpoint().clone();
    let mut proofs = 0_u64;
    let began = Instant::now();
    while began.elapsed() < Duration::from_secs(1) {
        reader.entry_proof(&checkpoint, (proofs * 7919) % 1_000_000)?;
        proofs += 1;
    }
    writeln!(out, "| a log of 1,000,000 entries | |\n|---|---:|")?;
    writeln!(out, "| written and published in 100 batches | {:.1} s |", written.as_secs_f64())?;
    writeln!(out, "| opened to write | {:.3} s |", opened.as_secs_f64())?;
    writeln!(out, "| `fsck`: {} files, all entries | {:.2} s |", report.files, checked.as_secs_f64())?;
    writeln!(out, "| entries with proof, read and verified | {proofs}/s |")?;
    Ok(())
}
