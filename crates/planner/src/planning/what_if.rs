//! What a choice of levels would leave, fast enough for a slider.

use super::explain::columns;
use super::margin::broken;
use super::views::{Knower, Views};
use crate::plan::Rule;
use crate::rules::assess;
use crate::search::Members;
use serde::Serialize;
use tearline_model::candidates::Candidates;
use tearline_model::report::Report;

/// Ready to answer for one audience, given what everybody else has been released.
#[derive(Clone, Debug)]
pub struct WhatIf<'a> {
    report: &'a Report,
    floor: Vec<u8>,
    knowers: Vec<Knower<'a>>,
}

/// What a choice would leave.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Answer {
    /// Whether every protection holds.
    pub safe: bool,
    /// Details whose level was raised because the audience knows that much anyway: (detail, level).
    pub raised: Vec<(String, u8)>,
    /// Every protected set against everybody who would know.
    pub sets: Vec<Stand>,
    /// Single steps down that make the choice safe, the cheapest in utility first. Empty when it is safe, or when no
    /// single step is enough.
    pub repairs: Vec<Repair>,
}

/// How one set would stand.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Stand {
    /// Place of the set in [`Views::sets`].
    pub set: usize,
    /// Against whom.
    pub audiences: Vec<String>,
    /// Candidates left.
    pub candidates: u64,
    /// Candidates needed: k, Γ and headroom.
    pub needed: u64,
    /// Largest posterior share of one candidate.
    pub largest_share: f64,
    /// What would be broken.
    pub broken: Vec<Rule>,
}

/// One step down.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Repair {
    /// The detail.
    pub detail: String,
    /// The level to go down to.
    pub level: u8,
    /// Utility that it costs, in the report's units.
    pub costs: f64,
}

impl<'a> WhatIf<'a> {
    /// Prepares for one audience. `releases` are the levels of everybody's release; the audience's own are ignored.
    pub fn new(report: &'a Report, tables: &'a [Candidates], releases: &[Vec<u8>], audience: usize) -> Self {
        let views = Views::new(report);
        let floor = views.floor(audience, releases);
        Self { report, floor, knowers: views.knowers(audience, releases, tables) }
    }

    /// Answers for one choice: a level per detail.
    pub fn ask(&self, audience: usize, levels: &[u8]) -> Answer {
        let wanted: Vec<u8> =
            levels.iter().zip(&self.floor).map(|(&level, &floor)| level.max(floor)).collect();
        let raised = (0..levels.len()).filter(|&detail| wanted[detail] > levels[detail]);
        let raised = raised.map(|detail| (self.report.details[detail].id.clone(), wanted[detail])).collect();
        let near: Vec<Members> =
            self.knowers.iter().map(|knower| Members::near(&knower.crowd, &wanted)).collect();
        let mut sets = Vec::new();
        for (knower, near) in self.knowers.iter().zip(&near) {
            let members = near.list();
            let rules = knower.aim();
            let standing = assess(&rules, &members);
            sets.push(Stand {
                set: knower.set,
                audiences: knower
                    .audiences
                    .iter()
                    .map(|&other| self.report.audiences[other].id.clone())
                    .collect(),
                candidates: standing.candidates,
                needed: rules.k.saturating_add(rules.robust),
                largest_share: standing.largest_share,
                broken: broken(&rules, &members, &columns(&knower.crowd)),
            });
        }
        let safe = sets.iter().all(|stand| stand.broken.is_empty());
        let repairs = if safe { Vec::new() } else { self.repairs(audience, &wanted, &near) };
        Answer { safe, raised, sets, repairs }
    }

    fn repairs(&self, audience: usize, levels: &[u8], near: &[Members]) -> Vec<Repair> {
        let utility = super::nominal::utilities(self.report, audience);
        let mut repairs: Vec<(u64, Repair)> = Vec::new();
        for detail in (0..levels.len()).filter(|&detail| levels[detail] > self.floor[detail]) {
            let mut lower = levels.to_vec();
            lower[detail] -= 1;
            let repaired = self.knowers.iter().zip(near).all(|(knower, near)| {
                // Where others' releases say as much anyway, going down changes nothing.
                let anyway = knower.crowd.base[detail] >= levels[detail];
                let list =
                    if anyway { near.list() } else { near.list_without(&knower.crowd, detail, &lower) };
                assess(&knower.aim(), &list).holds
            });
            if repaired {
                let level = lower[detail];
                let costs = utility[detail][usize::from(level) + 1] - utility[detail][usize::from(level)];
                let id = self.report.details[detail].id.clone();
                repairs.push((costs, Repair { detail: id, level, costs: crate::plan::units(costs) }));
            }
        }
        repairs.sort_by_key(|(costs, _)| *costs);
        repairs.into_iter().map(|(_, repair)| repair).collect()
    }
}
