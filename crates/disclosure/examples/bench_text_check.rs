//! How fast free text is checked: megabytes a second of one core, by kind of text.
//!
//!     cargo run --release -p tearline-disclosure --example bench_text_check

#![expect(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    clippy::disallowed_macros,
    clippy::print_stdout,
    reason = "a benchmark: it reads a report and the clock, and prints"
)]

use std::time::Instant;

use tearline_disclosure::text_check::{Text, check};
use tearline_model::parse::parse;

fn main() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../testdata/reports/text-check.toml");
    let report = parse(&std::fs::read(path).expect("the report"), path).expect("a good report");
    let ordinary = "Avoid crowds, monitor local media for updates, and be aware of your surroundings. ";
    for (what, unit) in [
        ("ordinary text", ordinary),
        ("single letters", "a b c "),
        ("numbers", "1 000 9.3.24 "),
        ("Cyrillic", "Избегайте скопления людей. "),
        ("no spaces", "我们在莫斯科见面"),
        ("flags only", "ISIS-K 9 March "),
    ] {
        let text = unit.repeat(200_000 / unit.len());
        let start = Instant::now();
        let flags = check(&[Text { field: "text", language: "", text: &text }], &report, &[1, 1, 1, 1, 1, 1]);
        let took = start.elapsed().as_secs_f64();
        println!(
            "{what:15} {:6.2} MB/s, {} flags",
            f64::from(u32::try_from(text.len()).expect("small")) / 1e6 / took,
            flags.len()
        );
    }
}
