//! Certificates.

#![no_main]

#[path = "../src/planner.rs"]
#[expect(dead_code, unreachable_pub, reason = "another target has the other body")]
mod planner;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| planner::certificate(bytes));
