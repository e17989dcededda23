//! What is signed: tokens with selective disclosure, statements, evidence, and the check of free text.
//!
//! Pure: no I/O, no clock, no randomness; keys, times and random bytes come as arguments. The modules from the ground
//! up: [`keys`] names and writes public keys; [`sdjwt`] is RFC 9901 as it stands; [`token`] is what Tearline puts
//! into it (`docs/formats/token.md`); [`statement`] is what parties sign, [`entry`] what of it stands in the log;
//! [`files`] is what they send each other, and [`verify`] checks it (`docs/formats/release.md`); [`text_check`] holds an
//! analyst's free text against what may be said.

pub mod bytes;
pub mod entry;
pub mod files;
pub mod identity;
pub mod keys;
pub mod sdjwt;
pub mod statement;
pub mod text_check;
pub mod token;
pub mod verify;
