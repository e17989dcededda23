//! How large a report file, and each thing in it, may be. Also stated in `docs/formats/report.md`.
//!
//! The limits keep the work on a hostile or mistaken file bounded. They lie far above what a desk writes by hand.

/// Bytes of the whole file.
pub const FILE_BYTES: usize = 16 << 20;
/// Entries of `[source]`.
pub const SOURCES: usize = 100;
/// Entries of `[population]`.
pub const POPULATIONS: usize = 16;
/// Entries of `[detail]`.
pub const DETAILS: usize = 1000;
/// Levels of one detail: level numbers fit a byte, and one number is left over for "not even silence".
pub const LEVELS: usize = 254;
/// Entries of `[audience]`.
pub const AUDIENCES: usize = 200;
/// Entries of `[[protection]]`.
pub const PROTECTIONS: usize = 1000;
/// Entries of `[[told]]`.
pub const TOLD: usize = 10_000;
/// Aliases of one detail, alternatives of one `minimum`, requirements of one `diversity`.
pub const LIST: usize = 1000;
/// Rows of one hand-typed table, and of one listed domain.
pub const ROWS: usize = 100_000;
/// Columns of one hand-typed table.
pub const COLUMNS: usize = 1000;
/// Characters of a name.
pub const NAME_CHARS: usize = 100;
/// Characters of a text for a reader.
pub const TEXT_CHARS: usize = 4000;
/// Characters of an SQL expression.
pub const SQL_CHARS: usize = 10_000;
/// Largest count, `k`, `robust` and `headroom`: sums of them stay exact.
pub const COUNT: i64 = 1 << 40;
