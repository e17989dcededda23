//! The token of a release: an SD-JWT that commits to every level of every detail, and shows the levels that an audience
//! may have. The format is `docs/formats/token.md`.
//!
//! [`issue`] signs once per version of a report; [`present`] chooses what to show, as often as there are audiences, and
//! again when one is told more; [`verify`] gives a reader what is shown and how far it can be checked; [`extends`] holds
//! a later presentation against an earlier one.

mod issue;
mod values;
mod verify;

pub use self::issue::{Committed, IssueError, Issued, PresentError, issue, present};
pub use self::verify::{Claims, NotAnExtension, Shown, ShownDetail, ShownLevel, Step, extends, verify};

/// The `typ` of a token's header.
pub const TYP: &str = "tearline-token+sd-jwt";

/// How many digests a token has: the first number that is no smaller than the number of details. A reader learns which of
/// the three, and no more.
pub const BUCKETS: [usize; 3] = [64, 256, 1024];

/// The name under which a level holds the next more exact one.
const FINER: &str = "finer";

/// The signed part of a token, without what is shown of it: the same for all who are shown anything of it.
pub fn signed_part(presented: &str) -> &str {
    presented.split('~').next().unwrap_or_default()
}
