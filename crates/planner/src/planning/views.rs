//! Who comes to know what, and which protections that calls up.

use crate::plan::ProtectedSet;
use crate::rules::Rules;
use crate::search::Crowd;
use tearline_model::candidates::{Candidates, Groups};
use tearline_model::report::{Report, ToldWhat};

/// For every audience, whose releases count as known to it.
#[derive(Clone, Debug)]
pub struct Views<'a> {
    report: &'a Report,
    /// Per audience: the audiences whose releases it knows, itself included, ascending.
    pub of: Vec<Vec<usize>>,
    /// Per audience, then per detail: the highest level it was told before.
    pub told: Vec<Vec<u8>>,
    /// Per audience: linked facts it was told, as indices into `Candidates::linked`.
    linked: Vec<Vec<usize>>,
}

/// One protected set as somebody comes to know it, with what must then hold.
#[derive(Clone, Debug)]
pub struct Knower<'a> {
    /// Place of the protected set in [`Views::sets`].
    pub set: usize,
    /// The audiences against whom this holds; more than one where they know the same.
    pub audiences: Vec<usize>,
    /// The set and its rules, without headroom.
    pub crowd: Crowd<'a>,
    /// Candidates to be kept free for later releases.
    pub headroom: u64,
}

impl<'a> Views<'a> {
    /// Works out the views of a report.
    pub fn new(report: &'a Report) -> Self {
        let audiences = report.audiences.len();
        let of = (0..audiences)
            .map(|reader| {
                let audience = &report.audiences[reader];
                let direct = [reader].into_iter().chain(audience.sees.iter().copied());
                let mut known: Vec<usize> = direct.chain(audience.colludes_with.iter().copied()).collect();
                let seen: Vec<usize> =
                    known.iter().flat_map(|&other| report.audiences[other].sees.iter().copied()).collect();
                known.extend(seen);
                known.sort_unstable();
                known.dedup();
                known
            })
            .collect();
        let mut told = vec![vec![0; report.details.len()]; audiences];
        let mut linked = vec![Vec::new(); audiences];
        let mut facts = 0;
        for entry in &report.told {
            match &entry.what {
                ToldWhat::Level { detail, level } => {
                    let known = &mut told[entry.audience][*detail];
                    *known = (*known).max(*level);
                }
                ToldWhat::Linked { .. } => {
                    linked[entry.audience].push(facts);
                    facts += 1;
                }
            }
        }
        Self { report, of, told, linked }
    }

    /// The protected sets of the report: (source, population), by source and then population.
    pub fn sets(report: &Report) -> Vec<(usize, usize)> {
        let sources = report.sources.iter().enumerate();
        sources
            .flat_map(|(source, s)| s.populations.iter().map(move |&population| (source, population)))
            .collect()
    }

    /// The protected sets as a plan lists them.
    pub fn listed(report: &Report) -> Vec<ProtectedSet> {
        let listed = |(source, population): (usize, usize)| ProtectedSet {
            source: u32::try_from(source + 1).unwrap_or(u32::MAX),
            population: report.populations[population].id.clone(),
        };
        Self::sets(report).into_iter().map(listed).collect()
    }

    /// What `reader` knows when everybody has been released `releases`, the release of `without` left out.
    pub fn known(&self, reader: usize, releases: &[Vec<u8>], without: Option<usize>) -> Vec<u8> {
        let mut known = vec![0; self.report.details.len()];
        for &other in &self.of[reader] {
            let released = (Some(other) != without).then_some(&releases[other]);
            for levels in released.into_iter().chain([&self.told[other]]) {
                known.iter_mut().zip(levels).for_each(|(known, &level)| *known = (*known).max(level));
            }
        }
        known
    }

    /// The least that a release to `reader` contains: what it was told, and what it sees of others.
    pub fn floor(&self, reader: usize, releases: &[Vec<u8>]) -> Vec<u8> {
        let mut floor = self.told[reader].clone();
        for &other in &self.report.audiences[reader].sees {
            for levels in [&releases[other], &self.told[other]] {
                floor.iter_mut().zip(levels).for_each(|(floor, &level)| *floor = (*floor).max(level));
            }
        }
        floor
    }

    /// The linked facts that `reader` knows, ascending; with a source, those that came from it.
    pub fn linked(&self, reader: usize, source: Option<usize>) -> Vec<usize> {
        let members = self.of[reader].iter();
        let mut linked: Vec<usize> =
            members.flat_map(|&member| self.linked[member].iter().copied()).collect();
        linked.retain(|&fact| source.is_none_or(|source| self.narrows(fact, source)));
        linked.sort_unstable();
        linked.dedup();
        linked
    }

    /// Every protected set against everybody who would know a release to `reader`; the release itself left out of
    /// what they know.
    pub fn knowers(&self, reader: usize, releases: &[Vec<u8>], tables: &'a [Candidates]) -> Vec<Knower<'a>> {
        let mut knowers: Vec<Knower<'a>> = Vec::new();
        for (set, (source, population)) in Self::sets(self.report).into_iter().enumerate() {
            for (other, view) in self.of.iter().enumerate() {
                if !view.contains(&reader) {
                    continue;
                }
                let Some((rules, headroom)) =
                    rules(self.report, other, source, population, &tables[population].groups)
                else {
                    continue;
                };
                let base = self.known(other, releases, Some(reader));
                let linked = self.linked(other, Some(source));
                let same = knowers.iter_mut().find(|knower| {
                    knower.set == set && knower.crowd.base == base && knower.crowd.linked == linked
                });
                if let Some(knower) = same {
                    knower.audiences.push(other);
                    knower.crowd.rules = strictest(&knower.crowd.rules, &rules);
                    knower.headroom = knower.headroom.max(headroom);
                    continue;
                }
                let details =
                    self.report.details.iter().map(|detail| detail.sources.contains(&source)).collect();
                let candidates = &tables[population];
                let crowd = Crowd { candidates, details, base, linked, rules };
                knowers.push(Knower { set, audiences: vec![other], crowd, headroom });
            }
        }
        knowers
    }

    /// Whether a linked fact came from `source`.
    fn narrows(&self, fact: usize, source: usize) -> bool {
        let facts = self.report.told.iter().filter_map(|entry| match &entry.what {
            ToldWhat::Linked { sources, .. } => Some(sources),
            ToldWhat::Level { .. } => None,
        });
        facts.into_iter().nth(fact).is_some_and(|sources| sources.contains(&source))
    }
}

impl Knower<'_> {
    /// The rules that a plan aims at: with headroom.
    pub fn aim(&self) -> Rules {
        Rules { k: self.crowd.rules.k.saturating_add(self.headroom), ..self.crowd.rules.clone() }
    }
}

/// The rules for one source in one population against one audience, and the headroom: the strictest of each of the
/// protections that cover all three. `None` where none does.
pub(crate) fn rules(
    report: &Report,
    audience: usize,
    source: usize,
    population: usize,
    groups: &[Groups],
) -> Option<(Rules, u64)> {
    let covering = report.protections.iter().filter(|protection| {
        protection.population == population
            && protection.sources.contains(&source)
            && protection.audiences.contains(&audience)
    });
    let each = covering.map(|protection| {
        let diversity = protection.diversity.iter().map(|diversity| {
            let column = groups.iter().position(|groups| groups.column == diversity.column.0);
            (column.expect("the population was read with every group column"), diversity.at_least)
        });
        let rules = Rules {
            k: protection.k,
            robust: protection.robust,
            share_ppm: protection.share_ppm,
            diversity: diversity.collect(),
        };
        (rules, protection.headroom)
    });
    each.reduce(|(a, room_a), (b, room_b)| (strictest(&a, &b), room_a.max(room_b)))
}

/// The strictest of each of two sets of rules.
pub(super) fn strictest(a: &Rules, b: &Rules) -> Rules {
    let mut diversity = a.diversity.clone();
    for &(column, least) in &b.diversity {
        match diversity.iter_mut().find(|(other, _)| *other == column) {
            Some((_, other)) => *other = (*other).max(least),
            None => diversity.push((column, least)),
        }
    }
    let share_ppm = [a.share_ppm, b.share_ppm].into_iter().flatten().min();
    Rules { k: a.k.max(b.k), robust: a.robust.max(b.robust), share_ppm, diversity }
}

/// The order in which audiences are planned: those seen before those who see them, then by priority, then as in
/// the file. With `by_priority` alone, who sees whom is left aside: then what the first gets limits what those whom
/// it sees may be told.
pub fn order(report: &Report, by_priority: bool) -> Vec<usize> {
    let mut left: Vec<usize> = (0..report.audiences.len()).collect();
    left.sort_by_key(|&audience| (report.audiences[audience].priority, audience));
    let mut order = Vec::new();
    while !left.is_empty() {
        let ready = left.iter().position(|&audience| {
            by_priority || report.audiences[audience].sees.iter().all(|seen| order.contains(seen))
        });
        order.push(left.remove(ready.expect("the parser refuses a cycle in `sees`")));
    }
    order
}
