//! The candidates of one population for one report: each reduced to how much of every detail it could have known.
//!
//! Candidates that are alike in everything a plan can depend on are merged into one *signature class*. Columns,
//! not rows: every consumer scans one detail at a time.

/// Signature classes of one population. All vectors that are "per class" have the same length.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Candidates {
    /// Per detail of the report, then per class: the highest level that the class counts as knowing (its
    /// probability reaches the population's threshold at that level and at every coarser one).
    pub sure: Vec<Vec<u8>>,
    /// Per detail, then per class: the highest level known with any probability above zero. Empty when every
    /// predicate answered only yes or no (then it equals `sure`).
    pub possible: Vec<Vec<u8>>,
    /// Probabilities other than 0 and 1, for the levels that have any.
    pub odds: Vec<Odds>,
    /// Facts of linked reports already told: per entry of `Report::told` of that kind, in order, then per class,
    /// whether the class could have known it.
    pub linked: Vec<Vec<bool>>,
    /// How many candidates each class stands for; 1 or more.
    pub count: Vec<u64>,
    /// Prior suspicion of each single candidate of the class, in thousandths; 1 or more.
    pub weight: Vec<u64>,
    /// Group columns that diversity protections name.
    pub groups: Vec<Groups>,
    /// Candidates presumed cleared, left out of all of the above.
    pub cleared: u64,
}

/// The probability with which each class knows one (detail, level).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Odds {
    /// Index of the detail.
    pub detail: usize,
    /// Level, 1 or more.
    pub level: u8,
    /// Per class, in thousandths, 0 to 1000; never above the coarser level's.
    pub permille: Vec<u16>,
}

/// One group column.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Groups {
    /// The expression as written in the report.
    pub column: String,
    /// Per class: number of its value, or `u32::MAX` where it is null (counts for no value).
    pub of: Vec<u32>,
    /// How many different values there are.
    pub values: u32,
}

impl Candidates {
    /// Number of signature classes.
    pub fn classes(&self) -> usize {
        self.count.len()
    }

    /// Number of candidates, the cleared left out.
    pub fn total(&self) -> u64 {
        self.count.iter().sum()
    }
}
