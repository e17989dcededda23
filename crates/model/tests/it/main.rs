//! Report files as their writers see them: what a good one means, and what is said of a bad one.

mod good;
mod problems;

/// A report with every field, as printed in `docs/formats/report.md`.
const COMPLETE: &str = include_str!("../../../../testdata/reports/complete.toml");
