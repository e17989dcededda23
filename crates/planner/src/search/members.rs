//! Who is in an anonymity set, in full: for the answers that are given out, not for the search.

use super::Crowd;
use super::bits::{Sizes, words};
use super::scan::mass;
use crate::rules::Member;

/// What a class lacks to be in a set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Lacks {
    Nothing,
    /// One level of this detail.
    Step(usize),
    More,
}

/// The classes in a set, or within one step of it.
#[derive(Clone, Debug)]
pub(crate) struct Members {
    rows: Vec<Row>,
    groups: Vec<u32>,
    columns: usize,
}

#[derive(Clone, Copy, Debug)]
struct Row {
    class: usize,
    /// What the class lacks to count as knowing.
    sure: Lacks,
    /// What it lacks to be a suspect at all.
    possible: Lacks,
    count: u64,
    mass: f64,
}

impl Members {
    /// The classes that know everything in `levels` and in the view.
    pub(crate) fn of(crowd: &Crowd<'_>, levels: &[u8]) -> Self {
        Self::within(crowd, levels, 0)
    }

    /// Those, and the ones that lack a single level of a single detail.
    pub(crate) fn near(crowd: &Crowd<'_>, levels: &[u8]) -> Self {
        Self::within(crowd, levels, 1)
    }

    fn within(crowd: &Crowd<'_>, levels: &[u8], slack: u8) -> Self {
        let candidates = crowd.candidates;
        let uncertain = !candidates.possible.is_empty();
        let sure = lacking(crowd, &candidates.sure, levels);
        let possible = if uncertain { lacking(crowd, &candidates.possible, levels) } else { Vec::new() };
        let decisive = if uncertain { &possible } else { &sure };
        let known = |class: usize| crowd.linked.iter().all(|&fact| candidates.linked[fact][class]);
        let mut members = Self { rows: Vec::new(), groups: Vec::new(), columns: candidates.groups.len() };
        for (class, _) in decisive.iter().enumerate().filter(|(_, lacks)| **lacks <= slack) {
            if !known(class) {
                continue;
            }
            let sure = what(crowd, &candidates.sure, levels, class, sure[class]);
            let possible = if uncertain {
                what(crowd, &candidates.possible, levels, class, possible[class])
            } else {
                sure
            };
            let mass = mass(crowd, class, levels);
            members.rows.push(Row { class, sure, possible, count: candidates.count[class], mass });
            members.groups.extend(candidates.groups.iter().map(|column| column.of[class]));
        }
        members
    }

    /// Candidates that count as knowing everything.
    pub(crate) fn candidates(&self) -> u64 {
        self.rows.iter().filter(|row| row.sure == Lacks::Nothing).map(|row| row.count).sum()
    }

    /// The set, as the rules want it.
    pub(crate) fn list(&self) -> Vec<Member<'_>> {
        self.list_where(|lacks| lacks == Lacks::Nothing, |row| row.mass)
    }

    /// The set when one level less of `detail` is said than the `levels` for which these are near; `lower` are the
    /// levels then.
    pub(crate) fn list_without(&self, crowd: &Crowd<'_>, detail: usize, lower: &[u8]) -> Vec<Member<'_>> {
        let in_set = |lacks| lacks == Lacks::Nothing || lacks == Lacks::Step(detail);
        self.list_where(in_set, |row| mass(crowd, row.class, lower))
    }

    fn list_where(&self, in_set: impl Fn(Lacks) -> bool, mass: impl Fn(&Row) -> f64) -> Vec<Member<'_>> {
        let rows = self.rows.iter().enumerate().filter(|(_, row)| in_set(row.possible));
        rows.map(|(at, row)| Member {
            count: if in_set(row.sure) { row.count } else { 0 },
            suspects: row.count,
            mass: mass(row),
            groups: &self.groups[at * self.columns..(at + 1) * self.columns],
        })
        .collect()
    }

    /// The part of the set that also knows the given steps; `levels` are the levels with the steps taken.
    pub(crate) fn narrowed(&self, crowd: &Crowd<'_>, steps: &[(usize, u8)], levels: &[u8]) -> Self {
        let candidates = crowd.candidates;
        let uncertain = !candidates.possible.is_empty();
        let knows = |columns: &[Vec<u8>], class: usize| {
            steps.iter().all(|&(detail, level)| !crowd.details[detail] || columns[detail][class] >= level)
        };
        let mut part = Self { rows: Vec::new(), groups: Vec::new(), columns: self.columns };
        for (at, row) in self.rows.iter().enumerate() {
            let mut row = *row;
            if !knows(&candidates.sure, row.class) {
                row.sure = Lacks::More;
            }
            row.possible = if !uncertain {
                row.sure
            } else if knows(&candidates.possible, row.class) {
                row.possible
            } else {
                Lacks::More
            };
            if row.possible == Lacks::Nothing {
                row.mass = mass(crowd, row.class, levels);
                part.rows.push(row);
                part.groups.extend_from_slice(&self.groups[at * self.columns..(at + 1) * self.columns]);
            }
        }
        part
    }

    /// Counts, for every two of the steps, the candidates of the set who know both; and for each alone.
    pub(crate) fn count_pairs(&self, crowd: &Crowd<'_>, steps: &[(usize, u8)]) -> PairCounts {
        let rows: Vec<&Row> = self.rows.iter().filter(|row| row.sure == Lacks::Nothing).collect();
        let knowing = steps
            .iter()
            .map(|&(detail, level)| {
                let mut bits = vec![0_u64; words(rows.len())];
                for (at, row) in rows.iter().enumerate() {
                    let knows = !crowd.details[detail] || crowd.candidates.sure[detail][row.class] >= level;
                    bits[at / 64] |= u64::from(knows) << (at % 64);
                }
                bits
            })
            .collect();
        PairCounts { sizes: Sizes::new(&rows.iter().map(|row| row.count).collect::<Vec<_>>()), knowing }
    }
}

/// See [`Members::count_pairs`].
pub(crate) struct PairCounts {
    sizes: Sizes,
    knowing: Vec<Vec<u64>>,
}

impl PairCounts {
    /// Candidates who know a step; steps by their place in the list given.
    pub(crate) fn alone(&self, step: usize) -> u64 {
        self.sizes.of(&self.knowing[step])
    }

    /// Candidates who know both.
    pub(crate) fn both(&self, first: usize, second: usize) -> u64 {
        self.sizes.of_common(&self.knowing[first], &self.knowing[second])
    }
}

/// Per class: levels that it lacks, all details together; 2 stands for anything more.
fn lacking(crowd: &Crowd<'_>, columns: &[Vec<u8>], levels: &[u8]) -> Vec<u8> {
    let mut lacking = vec![0_u8; crowd.candidates.classes()];
    for (detail, column) in columns.iter().enumerate() {
        let said = levels[detail].max(crowd.base[detail]);
        if crowd.details[detail] && said > 0 {
            for (lacking, &level) in lacking.iter_mut().zip(column) {
                *lacking = (*lacking + said.saturating_sub(level).min(2)).min(2);
            }
        }
    }
    lacking
}

/// Which detail a class lacks a level of, given how much it lacks.
fn what(crowd: &Crowd<'_>, columns: &[Vec<u8>], levels: &[u8], class: usize, lacks: u8) -> Lacks {
    match lacks {
        0 => Lacks::Nothing,
        1 => (0..levels.len())
            .find(|&detail| {
                crowd.details[detail] && columns[detail][class] < levels[detail].max(crowd.base[detail])
            })
            .map_or(Lacks::More, Lacks::Step),
        _ => Lacks::More,
    }
}
