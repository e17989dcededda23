//! Tokens.

#![no_main]

#[path = "../src/disclosure.rs"]
#[expect(dead_code, unreachable_pub, reason = "each target runs one of the bodies")]
mod bodies;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| bodies::token(bytes));
