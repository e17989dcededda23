//! The planner from outside, one test binary.

mod certificate;
mod chance;
mod plan_format;
mod reports;
mod search;
