//! The planner from outside, one test binary.

mod attack;
mod chance;
mod search;
