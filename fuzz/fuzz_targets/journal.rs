//! Segments of the journal.

#![no_main]

#[path = "../src/journal.rs"]
mod bodies;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| bodies::journal(bytes));
