//! Report files as their writers see them: what a good one means, and what is said of a bad one.

#[path = "../../../../fuzz/src/lib.rs"]
#[expect(unreachable_pub, reason = "public for the fuzz targets, which are another package")]
mod bodies;
mod good;
mod mutations;
mod problems;

/// A report with every field, as printed in `docs/formats/report.md`.
const COMPLETE: &str = include_str!("../../../../testdata/reports/complete.toml");
