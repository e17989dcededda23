//! What a level is worth to a reader, as an exact integer.
//!
//! Plans are compared, proven optimal and re-checked by other programs, so sums must not depend on the order of
//! addition: a utility is a count of thousandths.

/// Utility in thousandths of the report's own unit; 0 to [`Utility::MAX`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Utility(pub u64);

impl Utility {
    /// One million units: the most that one level may be worth, so that sums over 200 details fit 40 bits.
    pub const MAX: Self = Self(1_000_000_000);

    /// Reads a decimal number of units, rounding to the nearest thousandth; `None` when it is negative, not a
    /// number, or above [`Utility::MAX`].
    pub fn from_units(units: f64) -> Option<Self> {
        let thousandths = (units * 1000.0).round();
        if !(0.0..=1e9).contains(&thousandths) {
            return None;
        }
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "checked to be 0..=1e9 above"
        )]
        Some(Self(thousandths as u64))
    }

    /// The number of units, for display.
    #[expect(clippy::cast_precision_loss, reason = "display only; sums stay below 2^53")]
    pub fn units(self) -> f64 {
        self.0 as f64 / 1000.0
    }
}
