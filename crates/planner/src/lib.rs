//! From a report and its candidates to the most informative safe plan, with a proof of optimality.
//!
//! Pure: the clock, threads' results and progress come and go as arguments.

pub mod certificate;
pub mod checker;
pub mod plan;
pub mod planning;
pub mod policy;
pub mod rules;
pub mod search;
