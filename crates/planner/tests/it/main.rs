//! The planner from outside, one test binary.

mod attack;
mod certificate;
mod chance;
mod damaged;
mod plan_format;
mod policies;
mod reports;
mod search;

/// The bodies of the fuzz targets, on a stable compiler.
#[path = "../../../../fuzz/src/planner.rs"]
#[expect(unreachable_pub, reason = "public for the fuzz targets, which are another package")]
mod fuzz_bodies;
