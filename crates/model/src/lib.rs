//! The domain of Tearline: reports, details, audiences, protections, and the candidates among whom a source hides.
//!
//! Pure: no I/O, no clock, no randomness, no logging. A [`report::Report`] is only ever built by the parser, so
//! holding one means that its cross-references resolve and that its levels contain one another wherever the
//! types of their values can tell.

pub mod candidates;
pub mod parse;
pub mod report;
pub mod utility;
pub mod value;
pub mod worlds;
