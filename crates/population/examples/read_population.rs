//! Reads the first population of a report and prints how long it took, for `bench/population`. The digest is the same
//! for all engines if the answer is.
//!
//! `read_population REPORT [THREADS] [candidates|worlds]`
#![expect(clippy::print_stdout, reason = "a benchmark's output")]

use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::Path;
use std::sync::atomic::AtomicBool;
use std::time::Instant;

use tearline_population::{Options, candidates, worlds};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let path =
        Path::new(arguments.first().ok_or("usage: read_population REPORT [THREADS] [candidates|worlds]")?);
    let threads = arguments.get(1).map_or(Ok(2), |threads| threads.parse())?;
    let report = tearline_model::parse::parse(&std::fs::read(path)?, "report")?;
    let options = Options {
        base: path.parent().unwrap_or(Path::new(".")),
        progress: &|_| {},
        cancel: &AtomicBool::new(false),
        threads,
    };
    let start = Instant::now();
    let (classes, total, all) = if arguments.get(2).is_some_and(|what| what == "worlds") {
        let worlds = worlds(&report, 0, &options)?;
        (worlds.count.len(), worlds.count.iter().sum(), format!("{worlds:?}"))
    } else {
        let candidates = candidates(&report, 0, &options)?;
        (candidates.classes(), candidates.total(), format!("{candidates:?}"))
    };
    let seconds = start.elapsed().as_secs_f64();
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap_or("unknown").trim();
    let mut digest = DefaultHasher::new();
    all.hash(&mut digest);
    let digest = digest.finish();
    println!("{seconds:.1} s, peak {peak}, {total} candidates in {classes} classes, digest {digest:016x}");
    Ok(())
}
