//! From worlds, rules and utilities to a policy.

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicBool, Ordering};

use tearline_model::worlds::{WorldDetail, Worlds};

use super::carve::Guard as Cut;
use super::judge::Judge;
use super::recode::{Effort, recode};
use super::rows::{NONE, Rows};
use super::{Block, Condition, Form, Guard, Output, Policy, Section, ValueNode, product};
use crate::rules::{Rules, Standing};

/// One source's anonymity set.
#[derive(Clone, Debug)]
pub struct ProtectedSet<'a> {
    /// Who there is, and what each would have reported.
    pub worlds: &'a Worlds,
    /// Per detail: whether it comes from this source and so tells something about it.
    pub details: Vec<bool>,
    /// What must hold behind every output.
    pub rules: Rules,
}

/// What a policy is built from. Nothing in it depends on the report's values.
#[derive(Clone, Debug)]
pub struct PolicyInput<'a> {
    /// All that must stay hidden, one or more. All populations have the same details.
    pub sets: Vec<ProtectedSet<'a>>,
    /// Per detail, then per level from 0: worth to the audience, cumulative, in thousandths.
    pub utility: Vec<Vec<u64>>,
    /// Per detail: the highest level allowed. A detail whose level policy fixes beforehand has it here and in `held`.
    pub ceilings: Vec<u8>,
    /// (detail, level) that the audience knows already, whatever the policy does.
    pub held: Vec<(usize, u8)>,
    /// Policies whose outputs the audience sees, each refining the one before.
    pub refine: Vec<&'a Policy>,
    /// Use a plain tree even where decision lists are possible: a policy for several sets can refine only that.
    pub plain_tree: bool,
    /// Say nothing beyond what is known already.
    pub silent: bool,
    /// How much work to do.
    pub effort: Effort,
}

/// Why there is no policy.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum NoPolicy {
    /// Even saying nothing more leaves a set that breaks its rules.
    #[error(
        "no safe policy exists: with nothing more said, protected set {set} has {candidates} candidates and does not \
         meet its rules; lower them, or withhold what the audience sees already", candidates = standing.candidates
    )]
    Violated {
        /// Index of the protected set.
        set: usize,
        /// How it stands.
        standing: Standing,
    },
    /// Ended by the cancel flag.
    #[error("the policy was not finished; nothing was decided")]
    Cancelled,
    /// Not built for this combination.
    #[error("{0}")]
    Unsupported(&'static str),
}

/// Builds a policy. `progress` gets the number of worlds placed so far and of all.
///
/// The result depends on the input alone: not on the number of threads, not on time.
///
/// # Panics
/// When the input's vectors do not fit each other: as many details everywhere, utilities up to every ceiling.
pub fn build(
    input: &PolicyInput<'_>,
    cancel: &AtomicBool,
    progress: &mut dyn FnMut(usize, usize),
) -> Result<Policy, NoPolicy> {
    if input.sets.is_empty() {
        return Ok(everything(input));
    }
    let many = input.sets.iter().any(|set| {
        let owned = set.worlds.details.iter().zip(&set.details).filter(|(_, owned)| **owned);
        owned.into_iter().any(|(detail, _)| matches!(detail, WorldDetail::Many { .. }))
    });
    if input.sets.len() != 1 || many || input.plain_tree {
        return product::build(input, cancel, progress);
    }
    let set = &input.sets[0];
    let rows = Rows::new(set.worlds, &set.rules, &set.details, &input.utility, &input.ceilings);
    let judge = Judge::new(&rows);
    let mut writer = Writer::new(input, &rows);
    let groups = groups(input, &rows);
    let total: usize = groups.iter().flatten().map(|g| g.rows.len()).sum();
    let mut placed = 0;
    let mut sections = Vec::new();
    for group in groups {
        let mut section = Section::default();
        if let Some(group) = group {
            if !judge.set_meets(group.rows.iter().copied()) || !judge.set_meets(group.all.iter().copied()) {
                let violating =
                    if judge.set_meets(group.rows.iter().copied()) { &group.all } else { &group.rows };
                let standing = judge.standing(violating.iter().copied());
                return Err(NoPolicy::Violated { set: 0, standing });
            }
            let cells = held_cells(input, &rows, &group);
            let mut any_safe = false;
            for (floor, conditions, of) in &cells {
                if cancel.load(Ordering::Relaxed) {
                    return Err(NoPolicy::Cancelled);
                }
                let safe = judge.set_meets(of.iter().copied());
                any_safe |= safe;
                let (blocks, rest) = if safe && !input.silent {
                    recode(&rows, &judge, of, floor, input.effort, cancel, &mut |done| {
                        progress(placed + done, total);
                    })
                } else {
                    (Vec::new(), of.clone())
                };
                writer.blocks(&mut section, conditions, &blocks, &rest, floor, safe, &judge);
                placed += of.len();
                progress(placed, total);
            }
            if !any_safe {
                let standing = cells.iter().map(|(.., of)| judge.standing(of.iter().copied()));
                let standing =
                    standing.max_by_key(|s| s.candidates).unwrap_or_else(|| judge.standing([].into_iter()));
                return Err(NoPolicy::Violated { set: 0, standing });
            }
        }
        sections.push(section);
    }
    if cancel.load(Ordering::Relaxed) {
        return Err(NoPolicy::Cancelled);
    }
    Ok(writer.finish(input, sections))
}

/// What is released where nobody is to be hidden: all that the ceilings allow, whatever the values.
fn everything(input: &PolicyInput<'_>) -> Policy {
    let outputs: Vec<bool> = match input.refine.last() {
        None => vec![true],
        Some(refined) => refined.outputs.iter().map(|output| output.safe).collect(),
    };
    let mut policy = Policy {
        details: input.ceilings.iter().map(|&level| Form::Free { level }).collect(),
        refines: input.refine.last().map(|refined| refined.hash()),
        sections: Vec::new(),
        outputs: Vec::new(),
        worth: input.ceilings.iter().zip(&input.utility).map(|(&level, of)| of[usize::from(level)]).sum(),
        worlds: 1,
    };
    for safe in outputs {
        let mut section = Section::default();
        if safe {
            let list = Guard::List { first: index32(policy.outputs.len()), count: 1 };
            section.blocks.push(Block { guards: vec![list] });
            policy.outputs.push(Output { safe, ..Output::default() });
        }
        policy.sections.push(section);
    }
    policy
}

/// The rows that reach one output of the refined policies.
struct Group {
    /// Those who know enough of the fixed details for its levels.
    rows: Vec<u32>,
    /// All.
    all: Vec<u32>,
    /// Levels known, per column.
    floor: Vec<u8>,
}

/// What the audience sees before this policy: one group per output of the last refined policy, or one of all.
fn groups(input: &PolicyInput<'_>, rows: &Rows<'_>) -> Vec<Option<Group>> {
    let everybody: Vec<u32> = (0..u32::try_from(rows.len()).expect("rows fit 32 bits")).collect();
    let none = vec![0; rows.columns()];
    let mut groups = vec![Some(Group { rows: everybody.clone(), all: everybody, floor: none })];
    for policy in &input.refine {
        let paths = Paths::new(policy, rows);
        let mut next: Vec<Option<Group>> = policy.outputs.iter().map(|_| None).collect();
        for (section, group) in groups.iter().enumerate() {
            let Some(group) = group else { continue };
            for &row in &group.rows {
                let Some(output) = policy.find(section, |c| paths.holds(c, row)) else { continue };
                let found = &policy.outputs[output];
                if !found.safe {
                    continue;
                }
                let slot = next[output].get_or_insert_with(|| Group {
                    rows: Vec::new(),
                    all: Vec::new(),
                    floor: paths.levels(policy, output, &group.floor, rows),
                });
                slot.all.push(row);
                let knows = (rows.valued.len()..rows.columns())
                    .all(|c| slot.floor[c] == 0 || rows.holds(c, slot.floor[c], row));
                if knows {
                    slot.rows.push(row);
                }
            }
        }
        groups = next;
    }
    groups
}

/// Which nodes of a refined policy each node of the rows' value trees is.
struct Paths<'a> {
    /// Per column and level from 1: per node, the policy's node or 0.
    of: Vec<Vec<Vec<u32>>>,
    rows: &'a Rows<'a>,
    column_of: HashMap<usize, usize>,
    policy: &'a Policy,
}

impl<'a> Paths<'a> {
    fn new(policy: &'a Policy, rows: &'a Rows<'a>) -> Self {
        let of = rows.valued.iter().map(|valued| {
            let Form::Valued { values } = &policy.details[valued.detail] else { return Vec::new() };
            let children: HashMap<(u32, &str), u32> =
                values.iter().zip(1..).map(|(v, node)| ((v.parent, v.text.as_str()), node)).collect();
            let mut levels: Vec<Vec<u32>> = Vec::new();
            for names in &valued.names {
                let node = |(parent, text): &(u32, String)| {
                    let parent = levels.last().map_or(0, |above| above[*parent as usize]);
                    let missing = parent == 0 && !levels.is_empty();
                    if missing { 0 } else { children.get(&(parent, text.as_str())).copied().unwrap_or(0) }
                };
                let nodes = names.iter().map(node).collect();
                levels.push(nodes);
            }
            levels
        });
        let column_of = (0..rows.columns()).map(|c| (rows.detail(c), c)).collect();
        Self { of: of.collect(), rows, column_of, policy }
    }

    fn holds(&self, condition: Condition, row: u32) -> bool {
        let detail = usize::from(condition.detail);
        let (Some(&column), Form::Valued { values }) =
            (self.column_of.get(&detail), &self.policy.details[detail])
        else {
            return false;
        };
        let level = usize::from(values[condition.node as usize - 1].level);
        match self.rows.valued[column].node.get(level - 1).map(|nodes| nodes[row as usize]) {
            None | Some(NONE) => false,
            Some(node) => self.of[column][level - 1][node as usize] == condition.node,
        }
    }

    fn levels(&self, policy: &Policy, output: usize, floor: &[u8], rows: &Rows<'_>) -> Vec<u8> {
        let mut levels = floor.to_vec();
        let output = &policy.outputs[output];
        for condition in &output.conditions {
            let detail = usize::from(condition.detail);
            if let (Form::Valued { values }, Some(&column)) =
                (&policy.details[detail], self.column_of.get(&detail))
            {
                levels[column] = levels[column].max(values[condition.node as usize - 1].level);
            }
        }
        for &(detail, level) in &output.fixed {
            if let Some(&column) = self.column_of.get(&usize::from(detail)) {
                levels[column] = levels[column].max(level);
            }
        }
        for (column, level) in levels.iter_mut().enumerate().skip(rows.valued.len()) {
            if let Form::Fixed { floor } = policy.details[rows.detail(column)] {
                *level = (*level).max(floor);
            }
        }
        levels
    }
}

/// The parts of a group that what is held already tells apart: floor, conditions (column, level, a row), rows.
type Cell = (Vec<u8>, Vec<(usize, u8, u32)>, Vec<u32>);

fn held_cells(input: &PolicyInput<'_>, rows: &Rows<'_>, group: &Group) -> Vec<Cell> {
    let mut floor = group.floor.clone();
    for (column, floor) in floor.iter_mut().enumerate() {
        for &(_, level) in input.held.iter().filter(|(d, _)| *d == rows.detail(column)) {
            *floor = (*floor).max(level);
        }
        *floor = (*floor).min(u8::try_from(rows.top(column)).expect("levels fit 8 bits"));
    }
    let split: Vec<usize> = (0..rows.valued.len()).filter(|&c| floor[c] > group.floor[c]).collect();
    let mut cells: BTreeMap<Vec<u32>, Vec<u32>> = BTreeMap::new();
    for &row in &group.rows {
        let consistent = (0..rows.columns()).all(|c| floor[c] == 0 || rows.holds(c, floor[c], row));
        if consistent {
            let key = split.iter().map(|&c| rows.value(c, floor[c], row)).collect();
            cells.entry(key).or_default().push(row);
        }
    }
    let cell = |of: Vec<u32>| (floor.clone(), split.iter().map(|&c| (c, floor[c], of[0])).collect(), of);
    cells.into_values().map(cell).collect()
}

impl Policy {
    /// The output that a world of a section falls into.
    pub(crate) fn find(&self, section: usize, holds: impl Fn(Condition) -> bool) -> Option<usize> {
        for block in &self.sections.get(section)?.blocks {
            let mut at = 0;
            loop {
                match block.guards[at] {
                    Guard::Test { condition, yes, no } => {
                        at = if holds(condition) { yes } else { no } as usize;
                    }
                    Guard::List { first, count } => {
                        let mut list = first as usize..(first + count) as usize;
                        let found = list.find(|&o| self.outputs[o].conditions.iter().all(|&c| holds(c)));
                        match found {
                            Some(output) => return Some(output),
                            None => break,
                        }
                    }
                }
            }
        }
        None
    }
}

/// Collects outputs and the values that they name.
struct Writer<'a> {
    rows: &'a Rows<'a>,
    values: Vec<Vec<ValueNode>>,
    /// Per column: policy node of (level, row node).
    interned: Vec<HashMap<(u8, u32), u32>>,
    outputs: Vec<Output>,
    worth: u64,
    worlds: u64,
}

impl<'a> Writer<'a> {
    fn new(input: &PolicyInput<'_>, rows: &'a Rows<'a>) -> Self {
        let interned = vec![HashMap::new(); rows.columns()];
        let values = vec![Vec::new(); input.utility.len()];
        Self { rows, values, interned, outputs: Vec::new(), worth: 0, worlds: 0 }
    }

    /// The condition that a row's value at a level holds.
    fn condition(&mut self, column: usize, level: u8, row: u32) -> Condition {
        let node = self.rows.value(column, level, row);
        let node = self.intern(column, level, node);
        Condition { detail: index16(self.rows.detail(column)), node }
    }

    fn intern(&mut self, column: usize, level: u8, node: u32) -> u32 {
        if let Some(&known) = self.interned[column].get(&(level, node)) {
            return known;
        }
        let (parent, text) = self.rows.valued[column].names[usize::from(level) - 1][node as usize].clone();
        let parent = if level == 1 { 0 } else { self.intern(column, level - 1, parent) };
        let values = &mut self.values[self.rows.detail(column)];
        values.push(ValueNode { parent, level, text });
        let number = index32(values.len());
        self.interned[column].insert((level, node), number);
        number
    }

    fn output(&mut self, seed: u32, levels: &[u8], floor: &[u8], candidates: u64, safe: bool) {
        let mut conditions: Vec<Condition> = (0..self.rows.valued.len())
            .filter(|&column| levels[column] > 0)
            .map(|column| self.condition(column, levels[column], seed))
            .collect();
        conditions.sort_unstable();
        let mut fixed: Vec<(u16, u8)> = (self.rows.valued.len()..self.rows.columns())
            .filter(|&column| levels[column] > floor[column])
            .map(|column| (index16(self.rows.detail(column)), levels[column]))
            .collect();
        fixed.sort_unstable();
        self.outputs.push(Output { conditions, fixed, candidates: vec![candidates], safe });
    }

    #[expect(clippy::too_many_arguments, reason = "one call")]
    fn blocks(
        &mut self,
        section: &mut Section,
        held: &[(usize, u8, u32)],
        blocks: &[super::recode::Block],
        rest: &[u32],
        floor: &[u8],
        safe: bool,
        judge: &Judge<'_>,
    ) {
        let held: Vec<Condition> =
            held.iter().map(|&(column, level, row)| self.condition(column, level, row)).collect();
        let count = |rows: &mut dyn Iterator<Item = u32>| judge.count(rows);
        for block in blocks {
            if block.lists.iter().all(Vec::is_empty) {
                continue;
            }
            let mut lists = Vec::new();
            for list in &block.lists {
                lists.push((index32(self.outputs.len()), index32(list.len())));
                for claim in list {
                    let fixed = self.rows.valued.len()..self.rows.columns();
                    let supports = |row: &u32| {
                        fixed
                            .clone()
                            .all(|c| claim.levels[c] == 0 || self.rows.holds(c, claim.levels[c], *row))
                    };
                    let candidates = count(&mut claim.rows.iter().copied().filter(supports));
                    let worlds = count(&mut claim.rows.iter().copied());
                    self.worth += claim.worth * worlds;
                    self.worlds += worlds;
                    self.output(claim.seed, &claim.levels, floor, candidates, true);
                }
            }
            let mut guards = Vec::new();
            let offset = index32(held.len());
            for cut in &block.guards {
                guards.push(match *cut {
                    Cut::Test { column, level, node, yes, no } => {
                        let node = self.intern(column, level, node);
                        let condition = Condition { detail: index16(self.rows.detail(column)), node };
                        Guard::Test { condition, yes: offset + index32(yes), no: offset + index32(no) }
                    }
                    Cut::Leaf(list) => Guard::List { first: lists[list].0, count: lists[list].1 },
                });
            }
            section.blocks.push(Block { guards: guarded(&held, guards) });
        }
        if !rest.is_empty() {
            let first = index32(self.outputs.len());
            let candidates = count(&mut rest.iter().copied());
            self.output(rest[0], floor, floor, candidates, safe);
            self.worlds += candidates;
            if safe {
                self.worth += self.rows.worth(floor) * candidates;
            }
            section.blocks.push(Block { guards: guarded(&held, vec![Guard::List { first, count: 1 }]) });
        }
    }

    fn finish(mut self, input: &PolicyInput<'_>, sections: Vec<Section>) -> Policy {
        let held = |detail: usize| {
            let levels = input.held.iter().filter(|(d, _)| *d == detail).map(|&(_, level)| level);
            levels.max().unwrap_or(0)
        };
        let inherited = |detail: usize| match input.refine.last().map(|p| &p.details[detail]) {
            Some(Form::Fixed { floor }) => *floor,
            _ => 0,
        };
        let mut details: Vec<Form> = input.ceilings.iter().map(|&level| Form::Free { level }).collect();
        for column in 0..self.rows.columns() {
            let detail = self.rows.detail(column);
            details[detail] = if column < self.rows.valued.len() {
                Form::Valued { values: std::mem::take(&mut self.values[detail]) }
            } else {
                Form::Fixed { floor: held(detail).max(inherited(detail)) }
            };
        }
        let refines = input.refine.last().map(|policy| policy.hash());
        Policy { details, refines, sections, outputs: self.outputs, worth: self.worth, worlds: self.worlds }
    }
}

/// A guard tree that is entered only where all conditions hold. Its own indices are shifted already.
fn guarded(held: &[Condition], mut body: Vec<Guard>) -> Vec<Guard> {
    if held.is_empty() {
        return body;
    }
    let otherwise = index32(held.len() + body.len());
    let mut guards: Vec<Guard> =
        held.iter().zip(1..).map(|(&condition, yes)| Guard::Test { condition, yes, no: otherwise }).collect();
    guards.append(&mut body);
    guards.push(Guard::List { first: 0, count: 0 });
    guards
}

pub(crate) fn index16(i: usize) -> u16 {
    u16::try_from(i).expect("details fit 16 bits")
}

pub(crate) fn index32(i: usize) -> u32 {
    u32::try_from(i).expect("values and outputs fit 32 bits")
}
