//! The command from outside, and the repository as a whole: one test binary.

mod edges;
mod readme;
