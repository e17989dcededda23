//! Utilities with a canonical tie-break.
//!
//! Two plans of equal utility must not be chosen between by accident of the search: the choice would depend on
//! what the search pruned, and so on the report's hidden precision. So every (detail, level) gets a small extra
//! price, a fixed hash of its place, below anything that a true utility can outweigh. More is then also always
//! better than less of the same utility.

/// Bits below the utility proper, unless utilities are so large that fewer are left.
const TIE_BITS: u32 = 24;

/// Cumulative prices per detail and level: the utility shifted left, plus the tie-break.
#[derive(Clone, Debug)]
pub(super) struct Prices {
    flat: Vec<u64>,
    stride: usize,
    tie_bits: u32,
}

impl Prices {
    pub(super) fn new(utility: &[Vec<u64>]) -> Self {
        let levels: u64 = utility.iter().map(|levels| levels.len() as u64).sum();
        let total: u64 = utility.iter().filter_map(|levels| levels.last()).sum();
        // The sum of all prices must stay below 2^63.
        let tie_bits = TIE_BITS.min(total.leading_zeros().saturating_sub(2));
        let most = ((1_u64 << tie_bits) / levels.max(1)).max(2);
        let stride = utility.iter().map(Vec::len).max().unwrap_or(1);
        let mut flat = vec![0; stride * utility.len()];
        for (detail, levels) in utility.iter().enumerate() {
            // Silence too has a price, so that no safe levels are worth nothing.
            let mut ties = u64::from(detail == 0);
            for (level, &worth) in levels.iter().enumerate() {
                if level > 0 {
                    ties += 1 + mix((detail as u64) << 8 | level as u64) % (most - 1);
                }
                flat[detail * stride + level] = (worth << tie_bits) + ties;
            }
        }
        Self { flat, stride, tie_bits }
    }

    /// Price of a detail at a level.
    pub(super) fn at(&self, detail: usize, level: u8) -> u64 {
        self.flat[detail * self.stride + usize::from(level)]
    }

    /// What the last step up to `level` adds.
    pub(super) fn step(&self, detail: usize, level: u8) -> u64 {
        self.at(detail, level) - self.at(detail, level - 1)
    }

    /// Price of levels.
    pub(super) fn total(&self, levels: &[u8]) -> u64 {
        levels.iter().enumerate().map(|(detail, &level)| self.at(detail, level)).sum()
    }

    /// Price of the meet of a row with `ceiling`.
    pub(super) fn meet(&self, row: &[u8], ceiling: &[u8]) -> u64 {
        let mut sum = 0;
        for ((of, &level), &ceiling) in self.flat.chunks_exact(self.stride).zip(row).zip(ceiling) {
            sum += of[usize::from(level.min(ceiling))];
        }
        sum
    }

    /// The utility in a price, rounded down.
    pub(super) fn utility(&self, price: u64) -> u64 {
        price >> self.tie_bits
    }
}

/// `SplitMix64`'s finaliser (Steele, Lea, Flood 2014).
fn mix(seed: u64) -> u64 {
    let mut z = seed.wrapping_add(0x9E37_79B9_7F4A_7C15);
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}
