//! Report files.

#![no_main]

libfuzzer_sys::fuzz_target!(|text: &[u8]| tearline_fuzz::report(text));
