//! Walking one world through a policy.

use std::collections::HashMap;

use tearline_model::worlds::{WorldDetail, Worlds};

use super::{Form, Policy};

/// A report's place among the worlds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Query {
    /// Per detail: the texts of its value from level 1 on, as far as the report goes. Empty for fixed details.
    pub values: Vec<Vec<String>>,
    /// Per detail: the precision of the report, which only fixed details use.
    pub precision: Vec<u8>,
}

/// Where a report falls.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Placed {
    /// Level released per detail.
    pub levels: Vec<u8>,
    /// Index of the output.
    pub output: usize,
    /// Whether the report was less precise than the output's fixed levels and got the floor instead.
    pub fallback: bool,
    /// Per protected set: the least number of distinct candidates whose worlds lead here.
    pub candidates: Vec<u64>,
}

/// Why a report has no release.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotPossible {
    /// The population is incomplete, or the report is wrong.
    #[error(
        "no candidate could have produced this report: the population is incomplete or the report's values do not \
         match its columns; correct the table, build the policy again and publish its hash before use"
    )]
    NoCandidate,
    /// What was told before leaves too few.
    #[error(
        "what the audience has been told already violates the rules (candidates left per protected set: \
         {candidates:?}): nothing may be added"
    )]
    AlreadyViolated {
        /// Index of the output.
        output: usize,
        /// Per protected set.
        candidates: Vec<u64>,
    },
    /// The refined policy's place is missing or not one of its own.
    #[error("this policy refines another one: pass the report's place in that policy")]
    NeedsBase,
}

impl Query {
    /// The report's own place: the values that `worlds` carry for it, at full precision.
    ///
    /// # Errors
    /// [`NotPossible::NoCandidate`] unless in every population some candidate has all values of the report together.
    pub fn of_report(sets: &[(&Worlds, &[bool])]) -> Result<Self, NotPossible> {
        let details = sets.iter().map(|(w, _)| w.details.len()).max().unwrap_or(0);
        let mut query = Self { values: vec![Vec::new(); details], precision: vec![u8::MAX; details] };
        for (worlds, owned) in sets {
            let mut possible: Vec<bool> = vec![true; worlds.count.len()];
            for (detail, world) in worlds.details.iter().enumerate().filter(|&(d, _)| owned[d]) {
                let (WorldDetail::Valued { values, report, .. } | WorldDetail::Many { values, report, .. }) =
                    world
                else {
                    continue;
                };
                let codes: Vec<u32> = report.iter().map_while(|c| *c).collect();
                if codes.len() < report.len() {
                    return Err(NotPossible::NoCandidate);
                }
                query.values[detail] =
                    codes.iter().zip(values).map(|(&code, values)| values[code as usize].clone()).collect();
                for (row, possible) in possible.iter_mut().enumerate().filter(|(_, p)| **p) {
                    *possible = has(world, row, &codes);
                }
            }
            if !possible.contains(&true) {
                return Err(NotPossible::NoCandidate);
            }
        }
        Ok(query)
    }
}

/// Whether a class could have reported these codes, coarse to exact.
fn has(world: &WorldDetail, row: usize, report: &[u32]) -> bool {
    match world {
        WorldDetail::Fixed(_) => true,
        WorldDetail::Valued { codes, .. } => {
            codes.iter().zip(report).all(|(level, &code)| level[row] == code)
        }
        WorldDetail::Many { ancestors, known, .. } => ancestors
            .iter()
            .enumerate()
            .any(|(v, codes)| known[row][v / 64] >> (v % 64) & 1 == 1 && codes.as_slice() == report),
    }
}

/// A policy made ready for many look-ups.
#[derive(Debug)]
pub struct Reader<'a> {
    policy: &'a Policy,
    /// Per detail: node of each (parent, text).
    children: Vec<HashMap<(u32, &'a str), u32>>,
}

impl<'a> Reader<'a> {
    /// Indexes the policy's values.
    pub fn new(policy: &'a Policy) -> Self {
        let index = |form: &'a Form| match form {
            Form::Valued { values } => {
                values.iter().zip(1..).map(|(v, node)| ((v.parent, v.text.as_str()), node)).collect()
            }
            _ => HashMap::new(),
        };
        Self { policy, children: policy.details.iter().map(index).collect() }
    }

    /// Where a world falls. `base`: its place in the refined policy, for a policy that refines one.
    ///
    /// The populations decide what is possible; a query that did not come from [`Query::of_report`] and that no
    /// candidate could have produced may get a release here, which then names nothing that a group of possible
    /// worlds does not share.
    pub fn place(&self, query: &Query, base: Option<&Placed>) -> Result<Placed, NotPossible> {
        let section = match (self.policy.refines, base) {
            (None, _) => 0,
            (Some(_), Some(base)) if base.fallback => return Ok(self.unrefined(base)),
            (Some(_), Some(base)) => base.output,
            (Some(_), None) => return Err(NotPossible::NeedsBase),
        };
        if section >= self.policy.sections.len() {
            return Err(NotPossible::NeedsBase);
        }
        let paths: Vec<Vec<u32>> = (0..self.policy.details.len()).map(|d| self.path(d, query)).collect();
        let output = self.policy.find(section, |c| paths[usize::from(c.detail)].contains(&c.node));
        self.release(output.ok_or(NotPossible::NoCandidate)?, query, base)
    }

    /// The nodes of a detail's value, level by level, as far as the policy names them.
    fn path(&self, detail: usize, query: &Query) -> Vec<u32> {
        let mut parent = 0;
        let texts = query.values.get(detail).map_or(&[][..], Vec::as_slice);
        texts
            .iter()
            .map_while(|text| {
                parent = *self.children[detail].get(&(parent, text.as_str()))?;
                Some(parent)
            })
            .collect()
    }

    fn release(&self, index: usize, query: &Query, base: Option<&Placed>) -> Result<Placed, NotPossible> {
        let output = &self.policy.outputs[index];
        if !output.safe {
            return Err(NotPossible::AlreadyViolated {
                output: index,
                candidates: output.candidates.clone(),
            });
        }
        let mut levels: Vec<u8> = self.policy.details.iter().map(base_level).collect();
        if let Some(base) = base {
            levels.iter_mut().zip(&base.levels).for_each(|(level, &told)| *level = (*level).max(told));
        }
        for condition in &output.conditions {
            if let Form::Valued { values } = &self.policy.details[usize::from(condition.detail)] {
                levels[usize::from(condition.detail)] = values[condition.node as usize - 1].level;
            }
        }
        let precise = |&(detail, level): &(u16, u8)| {
            query.precision.get(usize::from(detail)).is_some_and(|&precision| precision >= level)
        };
        let fallback = !output.fixed.iter().all(precise);
        if !fallback {
            output.fixed.iter().for_each(|&(detail, level)| levels[usize::from(detail)] = level);
        }
        Ok(Placed { levels, output: index, fallback, candidates: output.candidates.clone() })
    }

    /// Whoever was not precise enough for the refined policy's output is told no more than there.
    fn unrefined(&self, base: &Placed) -> Placed {
        let mut placed = base.clone();
        for (level, form) in placed.levels.iter_mut().zip(&self.policy.details) {
            if let Form::Free { level: free } = form {
                *level = (*level).max(*free);
            }
        }
        placed
    }
}

fn base_level(form: &Form) -> u8 {
    match form {
        Form::Free { level } => *level,
        Form::Fixed { floor } => *floor,
        Form::Valued { .. } => 0,
    }
}
