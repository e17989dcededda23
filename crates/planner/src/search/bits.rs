//! Sets of rows as words of 64 bits.

/// Words that hold `rows` bits.
pub(super) fn words(rows: usize) -> usize {
    rows.div_ceil(64)
}

/// A set of the first `rows` bits.
pub(super) fn full(rows: usize) -> Vec<u64> {
    let mut bits = vec![u64::MAX; words(rows)];
    if !rows.is_multiple_of(64) {
        bits[rows / 64] = (1 << (rows % 64)) - 1;
    }
    bits
}

/// Calls `each` for every row in the set.
pub(super) fn for_each(bits: &[u64], mut each: impl FnMut(usize)) {
    for (index, &word) in bits.iter().enumerate() {
        let mut word = word;
        while word != 0 {
            each(index * 64 + word.trailing_zeros() as usize);
            word &= word - 1;
        }
    }
}

/// Calls `each` for every row in both sets.
pub(super) fn for_each_common(a: &[u64], b: &[u64], mut each: impl FnMut(usize)) {
    for (index, (&a, &b)) in a.iter().zip(b).enumerate() {
        let mut word = a & b;
        while word != 0 {
            each(index * 64 + word.trailing_zeros() as usize);
            word &= word - 1;
        }
    }
}

/// Sizes of sets of rows that stand for several candidates each: the counts in binary, one set per binary digit.
pub(super) struct Sizes {
    planes: Vec<Vec<u64>>,
}

impl Sizes {
    pub(super) fn new(counts: &[u64]) -> Self {
        if counts.iter().all(|&count| count == 1) {
            return Self { planes: Vec::new() };
        }
        let digits = 64 - counts.iter().max().copied().unwrap_or(0).leading_zeros();
        let planes = (0..digits)
            .map(|digit| {
                let mut plane = vec![0; words(counts.len())];
                for (row, count) in counts.iter().enumerate() {
                    plane[row / 64] |= (count >> digit & 1) << (row % 64);
                }
                plane
            })
            .collect();
        Self { planes }
    }

    /// Whether every row stands for one candidate.
    pub(super) fn unit(&self) -> bool {
        self.planes.is_empty()
    }

    /// Candidates in the set.
    pub(super) fn of(&self, bits: &[u64]) -> u64 {
        if self.unit() {
            return bits.iter().map(|word| u64::from(word.count_ones())).sum();
        }
        self.weigh(|plane| plane.iter().zip(bits).map(|(p, a)| u64::from((p & a).count_ones())).sum())
    }

    /// Candidates in both sets.
    pub(super) fn of_common(&self, a: &[u64], b: &[u64]) -> u64 {
        if self.unit() {
            return a.iter().zip(b).map(|(a, b)| u64::from((a & b).count_ones())).sum();
        }
        self.weigh(|plane| {
            plane.iter().zip(a).zip(b).map(|((p, a), b)| u64::from((p & a & b).count_ones())).sum()
        })
    }

    fn weigh(&self, size: impl Fn(&[u64]) -> u64) -> u64 {
        self.planes.iter().enumerate().map(|(digit, plane)| size(plane) << digit).sum()
    }
}
