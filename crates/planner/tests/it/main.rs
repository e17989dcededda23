//! The planner from outside, one test binary.

mod attack;
mod certificate;
mod chance;
mod plan_format;
mod policies;
mod reports;
mod search;
