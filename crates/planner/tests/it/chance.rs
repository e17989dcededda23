//! Random tables and rules that are the same every time.

use tearline_model::candidates::{Candidates, Groups, Odds};
use tearline_planner::rules::Rules;

/// A small deterministic generator (`SplitMix64`).
pub(crate) struct Chance(pub(crate) u64);

impl Chance {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// Uniform in `0..n`.
    pub(crate) fn below(&mut self, n: u64) -> u64 {
        self.next() % n
    }

    /// Below `n`, skewed towards 0.
    pub(crate) fn skewed(&mut self, n: u64) -> u64 {
        let n = self.below(n) + 1;
        self.below(n)
    }

    /// Uniform in `0..n`, as an index.
    pub(crate) fn index(&mut self, n: u64) -> usize {
        usize::try_from(self.below(n)).expect("small")
    }

    /// Uniform in `from..=to`.
    pub(crate) fn in_range(&mut self, from: u64, to: u64) -> u64 {
        from + self.below(to - from + 1)
    }

    /// True once in `n` times.
    pub(crate) fn once_in(&mut self, n: u64) -> bool {
        self.next().is_multiple_of(n)
    }

    /// A level vector below `tops`, more often high than not.
    pub(crate) fn levels(&mut self, tops: &[u8]) -> Vec<u8> {
        tops.iter()
            .map(|&top| {
                let a = self.in_range(0, u64::from(top));
                let b = self.in_range(0, u64::from(top));
                u8::try_from(a.max(b)).expect("a level")
            })
            .collect()
    }

    /// Candidates over details of the given exact levels; with prior weights, groups, and uncertain knowledge where
    /// asked for.
    pub(crate) fn candidates(
        &mut self,
        tops: &[u8],
        classes: usize,
        weighted: bool,
        uncertain: bool,
    ) -> Candidates {
        let rows: Vec<Vec<u8>> = (0..classes).map(|_| self.levels(tops)).collect();
        let column = |detail: usize| rows.iter().map(|row| row[detail]).collect::<Vec<u8>>();
        let mut candidates = Candidates {
            sure: (0..tops.len()).map(column).collect(),
            count: (0..classes).map(|_| if self.once_in(3) { self.in_range(2, 6) } else { 1 }).collect(),
            weight: (0..classes)
                .map(|_| if weighted && self.once_in(4) { self.in_range(2000, 30_000) } else { 1000 })
                .collect(),
            groups: vec![Groups {
                column: "agency".into(),
                of: (0..classes)
                    .map(|_| {
                        if self.once_in(9) {
                            u32::MAX
                        } else {
                            u32::try_from(self.in_range(0, 5)).expect("small")
                        }
                    })
                    .collect(),
                values: 6,
            }],
            linked: vec![(0..classes).map(|_| !self.once_in(4)).collect()],
            ..Candidates::default()
        };
        if uncertain {
            candidates.possible.clone_from(&candidates.sure);
            for (detail, &top) in tops.iter().enumerate() {
                if !self.once_in(2) {
                    continue;
                }
                // Level 1 is uncertain for everybody who does not surely know it; deeper levels follow suit.
                let mut permille = vec![vec![0_u16; classes]; usize::from(top)];
                for (class, &sure) in candidates.sure[detail].iter().enumerate() {
                    let mut above = 1000;
                    for level in 1..=top {
                        let odds = if level <= sure {
                            u64::from(above.min(if self.once_in(2) { 1000 } else { 700 }))
                        } else if self.once_in(2) {
                            self.in_range(0, u64::from(above.min(499)))
                        } else {
                            0
                        };
                        above = u16::try_from(odds).expect("at most 1000");
                        permille[usize::from(level) - 1][class] = above;
                        if above > 0 && level > sure {
                            candidates.possible[detail][class] = level;
                        }
                    }
                }
                for (level, permille) in (1..).zip(permille) {
                    candidates.odds.push(Odds { detail, level, permille });
                }
            }
        }
        candidates
    }

    /// Rules that are sometimes met.
    pub(crate) fn rules(&mut self, share: bool, diversity: bool) -> Rules {
        Rules {
            k: self.in_range(1, 9),
            robust: if self.once_in(3) { self.in_range(1, 3) } else { 0 },
            share_ppm: share.then(|| u32::try_from(self.in_range(80_000, 600_000)).expect("a share")),
            diversity: if diversity {
                vec![(0, u32::try_from(self.in_range(1, 4)).expect("small"))]
            } else {
                vec![]
            },
        }
    }
}
