//! Signed notes and verifier keys.

#![no_main]

#[path = "../src/log.rs"]
#[expect(dead_code, reason = "each target uses one of the bodies")]
mod bodies;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| bodies::note(bytes));
