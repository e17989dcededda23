//! The planner from outside, one test binary.

mod certificate;
mod chance;
mod reports;
mod search;
