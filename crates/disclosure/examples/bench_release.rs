//! How many releases of 50 details a core issues, presents and verifies in a second.
//!
//!     cargo run --release -p tearline-disclosure --example bench_release
//!
//! Details have one to six levels of every type. Two releases are verified: one that shows about half of the levels,
//! one that shows all.

#![expect(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    clippy::disallowed_macros,
    reason = "a benchmark: it reads the clock and prints"
)]
#![expect(clippy::print_stdout, reason = "a benchmark prints")]

use std::hint::black_box;
use std::time::{Duration, Instant};

use ed25519_dalek::SigningKey;
use tearline_disclosure::token::{Committed, issue, present, verify};
use tearline_model::value::Value;

/// How long each is repeated.
const TIME: Duration = Duration::from_secs(2);

fn main() {
    let details: Vec<(String, Vec<(String, Value)>)> =
        (0..50).map(|index| (format!("detail {index}"), levels(index))).collect();
    let committed: Vec<Committed<'_>> = details
        .iter()
        .map(|(name, levels)| Committed {
            name,
            levels: levels.iter().map(|(text, value)| (text.as_str(), value)).collect(),
        })
        .collect();
    let count: usize = details.iter().map(|(_, levels)| levels.len()).sum();
    let key = SigningKey::from_bytes(&[1; 32]);
    let public = key.verifying_key();
    let mut seed = [0; 32];
    let issued = issue(&key, "Example desk", "desk.example/tearline", 1_709_805_600, &committed, &seed)
        .expect("details that can be issued");
    let all: Vec<u8> = details.iter().map(|(_, levels)| u8::try_from(levels.len()).expect("few")).collect();
    let half: Vec<u8> = all.iter().map(|levels| levels.div_ceil(2)).collect();
    let shown: usize = half.iter().map(|level| usize::from(*level)).sum();
    let tokens = [&half, &all].map(|levels| present(&issued, levels).expect("levels"));

    println!(
        "50 details, {count} levels, {shown} in the release of about half; {} and {} KB",
        tokens[0].len() / 1000,
        tokens[1].len() / 1000
    );
    report("issue", || {
        seed[0] = seed[0].wrapping_add(1);
        black_box(issue(&key, "Example desk", "desk.example/tearline", 1_709_805_600, &committed, &seed))
            .is_ok()
    });
    report("present half", || black_box(present(&issued, &half)).is_ok());
    report("verify half", || black_box(verify(&tokens[0], &public)).is_ok());
    report("verify all", || black_box(verify(&tokens[1], &public)).is_ok());
}

fn levels(index: usize) -> Vec<(String, Value)> {
    (0..=index % 6)
        .map(|level| {
            let value = match index % 5 {
                0 => Value::Text("text".to_owned()),
                1 => Value::Place((0..=level).map(|part| format!("place {part}")).collect()),
                2 => {
                    let end = format!("2024-03-{:02}T00:00:00Z", 20 - level);
                    Value::Time("2024-03-01T00:00:00Z".parse().expect("a time"), end.parse().expect("a time"))
                }
                3 => Value::Number(0.0, f64::from(100 - u8::try_from(level).expect("few"))),
                _ => Value::Network(format!("10.0.0.0/{}", 8 + level).parse().expect("a prefix")),
            };
            (format!("what is said of detail {index} at level {level}"), value)
        })
        .collect()
}

fn report(what: &str, mut once: impl FnMut() -> bool) {
    let (start, busy) = (Instant::now(), on_core());
    let mut times: u32 = 0;
    while start.elapsed() < TIME {
        for _ in 0..20 {
            assert!(once(), "{what} failed");
        }
        times += 20;
    }
    let took = match (busy, on_core()) {
        (Some(before), Some(after)) => after.saturating_sub(before),
        _ => start.elapsed(),
    };
    println!("{what:13} {:8.0} a second of one core", f64::from(times) / took.as_secs_f64());
}

/// How long this program has been on a core, on Linux: what others do on the machine does not count.
fn on_core() -> Option<Duration> {
    let text = std::fs::read_to_string("/proc/self/schedstat").ok()?;
    text.split(' ').next()?.parse().ok().map(Duration::from_nanos)
}
