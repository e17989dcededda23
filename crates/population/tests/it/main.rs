//! What a user meets: tables in, classes or an error that says what to do out.

#![expect(clippy::format_push_string, reason = "tests: clearer, and never slow")]

mod bad_input;
mod classes;
mod engines;
#[cfg(feature = "datafusion")]
mod parquet;
mod random;
mod refused;
mod support;
mod worlds;
