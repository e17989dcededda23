//! The reports that might have been: for every candidate, what the details would have said had it been the source.
//!
//! This is what a reader who knows the planner simulates, and what a selection-safe policy is built from: it is
//! made from the population and the *form* of the report (which details, which levels), never from its values.

/// The possible worlds of one population. Candidates alike in all of this are merged.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Worlds {
    /// Per detail of the report.
    pub details: Vec<WorldDetail>,
    /// How many candidates each class stands for.
    pub count: Vec<u64>,
    /// Prior suspicion of each single candidate, in thousandths.
    pub weight: Vec<u64>,
    /// Group columns that diversity protections name.
    pub groups: Vec<crate::candidates::Groups>,
}

/// One detail in all worlds.
#[derive(Clone, Debug, PartialEq)]
pub enum WorldDetail {
    /// The value plays no part: per class the highest level that it counts as knowing. The precision of the report
    /// may be anything up to that.
    Fixed(Vec<u8>),
    /// Each class implies one value.
    Valued {
        /// Per level (coarse to exact), then per class: code of the value, an index into `values[level]`, or
        /// `u32::MAX` where the class can never be the source of this detail at that level (a null).
        codes: Vec<Vec<u32>>,
        /// Per level, per code: the value as text, ascending byte by byte, each once: codes do not depend on the
        /// order of the table's rows.
        values: Vec<Vec<String>>,
        /// The report's own value at each level, as a code; `None` where no candidate has it. Only looking up the
        /// report's place in a finished policy may read this.
        report: Vec<Option<u32>>,
    },
    /// Each class could have reported any of several values.
    Many {
        /// Per exact value: its code at each level, coarse to exact.
        ancestors: Vec<Vec<u32>>,
        /// Per level, per code: the value as text, ascending byte by byte, each once.
        values: Vec<Vec<String>>,
        /// Per class: the exact values it could have known, as a bit set in words of 64.
        known: Vec<Vec<u64>>,
        /// As in [`WorldDetail::Valued`].
        report: Vec<Option<u32>>,
    },
}
