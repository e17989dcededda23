//! The planner from outside, one test binary.

mod chance;
mod search;
