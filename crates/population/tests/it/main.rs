//! What a user meets: tables in, classes or an error that says what to do out.

mod bad_input;
mod classes;
mod engines;
mod random;
mod refused;
mod support;
mod worlds;
