//! A plain tree: for several protected sets, and for details of which a candidate could have reported several values.
//!
//! Every node is a product of conditions on single details, so whether a candidate has a world in it can be told
//! detail by detail, and a step is taken only if both sides meet the rules of every set.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};

use tearline_model::worlds::{WorldDetail, Worlds};

use super::build::{NoPolicy, PolicyInput, index16, index32};
use super::judge::Judge;
use super::log2::log2;
use super::rows::{NONE, Rows};
use super::{Block, Condition, Form, Guard, Output, Policy, Section, ValueNode};

/// One set's knowledge of one detail, in nodes of the policy's value trees.
enum Column {
    /// Not from this source: says nothing about it.
    Foreign,
    Fixed(Vec<u8>),
    /// Per level from 1, per row.
    Valued(Vec<Vec<u32>>),
    /// Per exact value: nodes by level; per row: bit set of exact values.
    Many {
        nodes: Vec<Vec<u32>>,
        known: Vec<Vec<u64>>,
    },
}

struct Set<'a> {
    judge: Judge<'a>,
    columns: Vec<Column>,
}

/// One set's rows in a node.
#[derive(Clone)]
struct Crowd {
    /// Those whose values fit.
    all: Vec<u32>,
    /// Those of them who know enough of the fixed details raised so far.
    kept: Vec<u32>,
    /// Per detail of kind `Many`: the exact values that fit (empty: all).
    fits: HashMap<usize, Vec<u64>>,
}

#[derive(Clone)]
struct State {
    crowds: Vec<Crowd>,
    /// Per detail.
    levels: Vec<u8>,
    conditions: Vec<Condition>,
    raised: Vec<(u16, u8)>,
    /// Share of the worlds.
    share: f64,
}

struct Tree<'a> {
    input: &'a PolicyInput<'a>,
    sets: Vec<Set<'a>>,
    values: Vec<Vec<ValueNode>>,
    outputs: Vec<Output>,
    worth: f64,
    placed: f64,
}

enum Step {
    Test { detail: usize, node: u32 },
    Raise { detail: usize, level: u8 },
}

pub(crate) fn build(
    input: &PolicyInput<'_>,
    cancel: &AtomicBool,
    progress: &mut dyn FnMut(usize, usize),
) -> Result<Policy, NoPolicy> {
    let details = input.utility.len();
    let rows: Vec<Rows<'_>> = input
        .sets
        .iter()
        .map(|set| Rows::new(set.worlds, &set.rules, &vec![false; details], &input.utility, &input.ceilings))
        .collect();
    let mut values = Names::new(details);
    let sets: Vec<Set<'_>> = input
        .sets
        .iter()
        .zip(&rows)
        .map(|(set, rows)| Set {
            judge: Judge::new(rows),
            columns: (0..details)
                .map(|d| {
                    if set.details[d] {
                        values.column(set.worlds, d, input.ceilings[d])
                    } else {
                        Column::Foreign
                    }
                })
                .collect(),
        })
        .collect();
    let everybody = |worlds: &Worlds| -> Vec<u32> { (0..index32(worlds.count.len())).collect() };
    let root = State {
        crowds: input
            .sets
            .iter()
            .map(|s| Crowd { all: everybody(s.worlds), kept: everybody(s.worlds), fits: HashMap::new() })
            .collect(),
        levels: vec![0; details],
        conditions: Vec::new(),
        raised: Vec::new(),
        share: 1.0,
    };
    let mut tree = Tree { input, sets, values: values.nodes, outputs: Vec::new(), worth: 0.0, placed: 0.0 };
    let mut starts = vec![Some(root)];
    for policy in &input.refine {
        starts = tree.replay(policy, &starts)?;
    }
    let mut sections = Vec::new();
    for start in starts {
        let mut section = Section::default();
        if let Some(mut start) = start {
            start.raised.clear();
            if let Some(violated) = tree.violated(&start) {
                return Err(violated);
            }
            let mut guards = Vec::new();
            tree.hold(start, 0, &mut guards, cancel, progress)?;
            section.blocks.push(Block { guards });
        }
        sections.push(section);
    }
    if tree.outputs.iter().all(|o| !o.safe) {
        let standing = tree.sets[0].judge.standing([].into_iter());
        return Err(NoPolicy::Violated { set: 0, standing });
    }
    Ok(tree.finish(sections))
}

impl Tree<'_> {
    /// The first set that a node does not keep safe.
    fn violated(&self, state: &State) -> Option<NoPolicy> {
        self.sets.iter().zip(&state.crowds).enumerate().find_map(|(i, (set, crowd))| {
            [&crowd.kept, &crowd.all]
                .into_iter()
                .find(|rows| !set.judge.set_meets(rows.iter().copied()))
                .map(|rows| NoPolicy::Violated { set: i, standing: set.judge.standing(rows.iter().copied()) })
        })
    }

    fn safe(&self, state: &State) -> bool {
        self.violated(state).is_none()
    }

    /// Whether any world is in the node.
    fn possible(state: &State) -> bool {
        state.crowds.iter().all(|crowd| !crowd.all.is_empty())
    }

    /// The two sides of a test.
    fn split(&self, state: &State, detail: usize, node: u32) -> (State, State) {
        let mut sides = (state.clone(), state.clone());
        for ((set, inside), outside) in self.sets.iter().zip(&mut sides.0.crowds).zip(&mut sides.1.crowds) {
            set.restrict(inside, detail, |under| under == node, self.level(detail, node));
            set.restrict(outside, detail, |under| under != node, self.level(detail, node));
            // Where a value plays no part for a set, its release still says that the source knew that level.
            set.reach(inside, detail, self.level(detail, node));
        }
        let share = self.share(state, &sides.0, detail);
        sides.0.share *= share;
        sides.1.share *= 1.0 - share;
        sides.0.levels[detail] = self.level(detail, node);
        sides.0.conditions.retain(|c| usize::from(c.detail) != detail);
        sides.0.conditions.push(Condition { detail: index16(detail), node });
        sides.0.conditions.sort_unstable();
        sides
    }

    fn level(&self, detail: usize, node: u32) -> u8 {
        self.values[detail][node as usize - 1].level
    }

    /// Which part of a node's worlds is on the inner side, by the first set that the detail belongs to.
    fn share(&self, before: &State, inside: &State, detail: usize) -> f64 {
        let owner = self.input.sets.iter().position(|set| set.details[detail]).unwrap_or(0);
        let weigh = |crowd: &Crowd, within: &Crowd| -> f64 {
            crowd.all.iter().map(|&row| self.sets[owner].part(row, detail, before, within, owner)).sum()
        };
        let total: f64 =
            before.crowds[owner].all.iter().map(|&row| self.sets[owner].count(row)).sum::<f64>().max(1.0);
        weigh(&inside.crowds[owner], &inside.crowds[owner]) / total
    }

    fn raise(&self, state: &State, detail: usize, level: u8) -> State {
        let mut raised = state.clone();
        for (set, crowd) in self.sets.iter().zip(&mut raised.crowds) {
            if let Column::Fixed(known) = &set.columns[detail] {
                crowd.kept.retain(|&row| known[row as usize] >= level);
            }
        }
        raised.levels[detail] = level;
        raised.raised.retain(|(d, _)| usize::from(*d) != detail);
        raised.raised.push((index16(detail), level));
        raised.raised.sort_unstable();
        raised
    }

    /// Tells apart what the audience knows already, detail by detail, then grows the tree.
    fn hold(
        &mut self,
        mut state: State,
        from: usize,
        guards: &mut Vec<Guard>,
        cancel: &AtomicBool,
        progress: &mut dyn FnMut(usize, usize),
    ) -> Result<(), NoPolicy> {
        for i in from..self.input.held.len() {
            let (detail, level) = self.input.held[i];
            let level = level.min(self.input.ceilings[detail]);
            if state.levels[detail] >= level {
                continue;
            }
            if self.values[detail].is_empty() {
                state = self.raise(&state, detail, level);
                state.raised.retain(|(d, _)| usize::from(*d) != detail);
                for crowd in &mut state.crowds {
                    crowd.all.clone_from(&crowd.kept);
                }
                if !Self::possible(&state) {
                    guards.push(Guard::List { first: 0, count: 0 });
                    return Ok(());
                }
                continue;
            }
            let nodes: Vec<u32> = (1..=index32(self.values[detail].len()))
                .filter(|&n| self.level(detail, n) == level)
                .collect();
            for node in nodes {
                let (inside, outside) = self.split(&state, detail, node);
                if Self::possible(&inside) {
                    let at = guards.len();
                    guards.push(Guard::List { first: 0, count: 0 });
                    self.hold(inside, i + 1, guards, cancel, progress)?;
                    let condition = Condition { detail: index16(detail), node };
                    guards[at] = Guard::Test { condition, yes: index32(at + 1), no: index32(guards.len()) };
                }
                state = outside;
            }
            // Worlds without a value at that level cannot have led to what was told.
            guards.push(Guard::List { first: 0, count: 0 });
            return Ok(());
        }
        self.grow(state, guards, cancel, progress)
    }

    /// Emits the guards of a node and all below it.
    fn grow(
        &mut self,
        mut state: State,
        guards: &mut Vec<Guard>,
        cancel: &AtomicBool,
        progress: &mut dyn FnMut(usize, usize),
    ) -> Result<(), NoPolicy> {
        let mut banned: Vec<(usize, u32)> = Vec::new();
        let safe = self.safe(&state);
        if safe && !self.input.silent {
            loop {
                if cancel.load(Ordering::Relaxed) {
                    return Err(NoPolicy::Cancelled);
                }
                let mut taken = false;
                for step in self.steps(&state, &banned) {
                    match step {
                        Step::Raise { detail, level } => {
                            let raised = self.raise(&state, detail, level);
                            if self.safe(&raised) {
                                state = raised;
                                taken = true;
                            } else {
                                banned.push((detail, u32::from(level)));
                            }
                        }
                        Step::Test { detail, node } => {
                            let (inside, outside) = self.split(&state, detail, node);
                            let rest = Self::possible(&outside);
                            if !self.safe(&inside) || (rest && !self.safe(&outside)) {
                                banned.push((detail, node));
                                continue;
                            }
                            let at = guards.len();
                            guards.push(Guard::List { first: 0, count: 0 });
                            self.grow(inside, guards, cancel, progress)?;
                            let condition = Condition { detail: index16(detail), node };
                            guards[at] =
                                Guard::Test { condition, yes: index32(at + 1), no: index32(guards.len()) };
                            if !rest {
                                guards.push(Guard::List { first: 0, count: 0 });
                                return Ok(());
                            }
                            state = outside;
                            taken = true;
                        }
                    }
                    if taken {
                        break;
                    }
                }
                if !taken {
                    break;
                }
            }
        }
        self.leaf(&state, safe, guards, progress);
        Ok(())
    }

    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "progress for display; utilities below 2^40"
    )]
    fn leaf(
        &mut self,
        state: &State,
        safe: bool,
        guards: &mut Vec<Guard>,
        progress: &mut dyn FnMut(usize, usize),
    ) {
        guards.push(Guard::List { first: index32(self.outputs.len()), count: 1 });
        let candidates =
            self.sets.iter().zip(&state.crowds).map(|(s, c)| s.judge.count(c.kept.iter().copied())).collect();
        let (conditions, fixed) = (state.conditions.clone(), state.raised.clone());
        self.outputs.push(Output { conditions, fixed, candidates, safe });
        if safe {
            let worth: u64 =
                state.levels.iter().zip(&self.input.utility).map(|(&l, worth)| worth[usize::from(l)]).sum();
            self.worth += worth as f64 * state.share;
        }
        self.placed += state.share;
        let total = self.input.sets[0].worlds.count.len();
        progress((self.placed * total as f64) as usize, total);
    }

    /// Steps that the counts allow, the most worth per (square root of a) bit first.
    #[expect(clippy::cast_precision_loss, reason = "a ranking; counts stay below 2^53")]
    fn steps(&self, state: &State, banned: &[(usize, u32)]) -> Vec<Step> {
        let mut steps: Vec<(f64, Step)> = Vec::new();
        for detail in 0..self.input.utility.len() {
            let counts: Vec<Counts> = self
                .sets
                .iter()
                .zip(&state.crowds)
                .filter_map(|(set, crowd)| set.counts(crowd, detail, self.values[detail].len()))
                .collect();
            if counts.is_empty() {
                continue;
            }
            let level = state.levels[detail];
            let bits = |of: &dyn Fn(&Counts) -> u64| -> Option<f64> {
                let mut most = 0.0_f64;
                for counts in &counts {
                    let count = of(counts);
                    if count < counts.least {
                        return None;
                    }
                    most =
                        most.max((log2(counts.total) - log2(count).min(log2(counts.total))) as f64 / 65536.0);
                }
                Some(most.max(1e-6))
            };
            let gain = |to: u8| {
                let worth = &self.input.utility[detail];
                (worth[usize::from(to)] - worth[usize::from(level)]) as f64
            };
            if self.values[detail].is_empty() {
                for to in level + 1..=self.input.ceilings[detail] {
                    let known = |c: &Counts| c.of.get(usize::from(to)).copied().unwrap_or(0);
                    if let Some(bits) = bits(&known)
                        && !banned.contains(&(detail, u32::from(to)))
                    {
                        steps.push((gain(to) / bits.sqrt(), Step::Raise { detail, level: to }));
                    }
                }
            } else {
                for (value, node) in self.values[detail].iter().zip(1_u32..) {
                    if value.level <= level || banned.contains(&(detail, node)) {
                        continue;
                    }
                    let kept = |c: &Counts| c.of[if c.by_level { value.level.into() } else { node as usize }];
                    if let Some(bits) = bits(&kept) {
                        steps.push((gain(value.level) / bits.sqrt(), Step::Test { detail, node }));
                    }
                }
            }
        }
        steps.sort_by(|a, b| b.0.total_cmp(&a.0));
        steps.into_iter().map(|(_, step)| step).collect()
    }

    /// The nodes in which a refined policy's worlds end, one per output.
    fn replay(&mut self, policy: &Policy, starts: &[Option<State>]) -> Result<Vec<Option<State>>, NoPolicy> {
        const DECISION_LISTS: &str = "a policy for several sets, or with details of several values per candidate, can \
                                      refine only a plain tree: build the refined policy with `plain_tree`";
        let mut ends: Vec<Option<State>> = policy.outputs.iter().map(|_| None).collect();
        for (start, section) in starts.iter().zip(&policy.sections) {
            let (Some(start), [block]) = (start, section.blocks.as_slice()) else {
                // Nobody of our sets enters it, or it leads nowhere.
                if start.is_none() || section.blocks.is_empty() {
                    continue;
                }
                return Err(NoPolicy::Unsupported(DECISION_LISTS));
            };
            let mut open = vec![(0_usize, start.clone())];
            while let Some((at, state)) = open.pop() {
                match block.guards[at] {
                    Guard::Test { condition, yes, no } => {
                        let detail = usize::from(condition.detail);
                        let node = self.node_of(policy, condition);
                        if self.values[detail].is_empty() {
                            // Our sets say nothing of the value: it may be either, for all we know of them.
                            let level = level_in(policy, condition);
                            let mut inside = state.clone();
                            for (set, crowd) in self.sets.iter().zip(&mut inside.crowds) {
                                set.reach(crowd, detail, level);
                            }
                            open.push((yes as usize, inside));
                            open.push((no as usize, state));
                        } else if let Some(node) = node {
                            let (inside, outside) = self.split(&state, detail, node);
                            open.push((yes as usize, inside));
                            open.push((no as usize, outside));
                        } else {
                            open.push((no as usize, state));
                        }
                    }
                    Guard::List { count: 0, .. } => {}
                    Guard::List { first, count: 1 } => {
                        let output = &policy.outputs[first as usize];
                        if !output.safe || !Self::possible(&state) {
                            continue;
                        }
                        let mut end = state;
                        for (detail, form) in policy.details.iter().enumerate() {
                            if let Form::Fixed { floor } = form
                                && *floor > end.levels[detail]
                            {
                                end = self.raise(&end, detail, *floor);
                                for crowd in &mut end.crowds {
                                    crowd.all.clone_from(&crowd.kept);
                                }
                            }
                        }
                        if let Some(violated) = self.violated(&end) {
                            return Err(violated);
                        }
                        for &(detail, level) in &output.fixed {
                            end = self.raise(&end, usize::from(detail), level);
                        }
                        for crowd in &mut end.crowds {
                            crowd.all.clone_from(&crowd.kept);
                        }
                        ends[first as usize] = Some(end);
                    }
                    Guard::List { .. } => return Err(NoPolicy::Unsupported(DECISION_LISTS)),
                }
            }
        }
        Ok(ends)
    }

    /// A refined policy's value among ours.
    fn node_of(&self, policy: &Policy, condition: Condition) -> Option<u32> {
        let detail = usize::from(condition.detail);
        let Form::Valued { values } = &policy.details[detail] else { return None };
        let value = &values[condition.node as usize - 1];
        let parent = match value.parent {
            0 => 0,
            node => self.node_of(policy, Condition { node, ..condition })?,
        };
        let ours = &self.values[detail];
        ours.iter().position(|v| v.parent == parent && v.text == value.text).map(|i| index32(i + 1))
    }

    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a mean times a count, both below 2^53"
    )]
    fn finish(mut self, sections: Vec<Section>) -> Policy {
        let worlds: u64 = self.input.sets[0].worlds.count.iter().sum();
        let mut details: Vec<Form> = Vec::new();
        for detail in 0..self.input.utility.len() {
            let column = |set: &Set<'_>| !matches!(set.columns[detail], Column::Foreign);
            let held =
                self.input.held.iter().filter(|(d, _)| *d == detail).map(|&(_, l)| l).max().unwrap_or(0);
            let inherited = match self.input.refine.last().map(|p| &p.details[detail]) {
                Some(Form::Fixed { floor }) => *floor,
                _ => 0,
            };
            details.push(if !self.sets.iter().any(column) {
                Form::Free { level: self.input.ceilings[detail] }
            } else if self.values[detail].is_empty() {
                Form::Fixed { floor: held.max(inherited) }
            } else {
                Form::Valued { values: std::mem::take(&mut self.values[detail]) }
            });
        }
        let refines = self.input.refine.last().map(|policy| policy.hash());
        let worth = (self.worth * worlds as f64) as u64;
        Policy { details, refines, sections, outputs: self.outputs, worth, worlds }
    }
}

/// The level of a condition of a refined policy.
fn level_in(policy: &Policy, condition: Condition) -> u8 {
    match &policy.details[usize::from(condition.detail)] {
        Form::Valued { values } => values[condition.node as usize - 1].level,
        Form::Free { .. } | Form::Fixed { .. } => 0,
    }
}

/// How many candidates of one set each step would keep.
struct Counts {
    least: u64,
    total: u64,
    /// Whether by level, as the value plays no part for this set, and not by node.
    by_level: bool,
    /// Per node (from 1), or per level: capped counts.
    of: Vec<u64>,
}

impl Set<'_> {
    #[expect(clippy::cast_precision_loss, reason = "counts stay below 2^53")]
    fn count(&self, row: u32) -> f64 {
        self.judge.count(std::iter::once(row)) as f64
    }

    /// A row's count times the part of its values of the detail that are still possible inside.
    fn part(&self, row: u32, detail: usize, before: &State, within: &Crowd, owner: usize) -> f64 {
        let part = match &self.columns[detail] {
            Column::Many { known, .. } => {
                let known = &known[row as usize];
                let fitting = |fits: Option<&Vec<u64>>| -> u32 {
                    let word = |w: usize| fits.map_or(u64::MAX, |fits| fits[w]);
                    known.iter().enumerate().map(|(w, bits)| (bits & word(w)).count_ones()).sum()
                };
                let inside = fitting(within.fits.get(&detail));
                f64::from(inside) / f64::from(fitting(before.crowds[owner].fits.get(&detail)).max(1))
            }
            _ => 1.0,
        };
        self.count(row) * part
    }

    /// Keeps the rows that have a fitting value whose node at `level` passes.
    fn restrict(&self, crowd: &mut Crowd, detail: usize, pass: impl Fn(u32) -> bool, level: u8) {
        let level = usize::from(level) - 1;
        match &self.columns[detail] {
            Column::Foreign | Column::Fixed(_) => {}
            Column::Valued(nodes) => {
                crowd.all.retain(|&row| pass(nodes[level][row as usize]));
                crowd.kept.retain(|&row| pass(nodes[level][row as usize]));
            }
            Column::Many { nodes, known } => {
                let words = nodes.len().div_ceil(64);
                let fits = crowd.fits.entry(detail).or_insert_with(|| vec![u64::MAX; words]);
                for (value, path) in nodes.iter().enumerate() {
                    if !pass(path[level]) {
                        fits[value / 64] &= !(1 << (value % 64));
                    }
                }
                let meets = |&row: &u32| known[row as usize].iter().zip(fits.iter()).any(|(a, b)| a & b != 0);
                crowd.all.retain(meets);
                crowd.kept.retain(meets);
            }
        }
    }

    /// Keeps the rows that know a level, where the value plays no part.
    fn reach(&self, crowd: &mut Crowd, detail: usize, level: u8) {
        if let Column::Fixed(known) = &self.columns[detail] {
            for rows in [&mut crowd.all, &mut crowd.kept] {
                rows.retain(|&row| known[row as usize] >= level);
            }
        }
    }

    fn counts(&self, crowd: &Crowd, detail: usize, nodes: usize) -> Option<Counts> {
        let mut of = vec![0; nodes + 1];
        match &self.columns[detail] {
            Column::Foreign => return None,
            Column::Fixed(known) => {
                of.resize(256, 0);
                for &row in &crowd.kept {
                    of[usize::from(known[row as usize])] += self.judge.capped(row);
                }
                for level in (0..255).rev() {
                    of[level] += of[level + 1];
                }
            }
            Column::Valued(levels) => {
                for nodes in levels {
                    for &row in &crowd.kept {
                        let node = nodes[row as usize];
                        if node != NONE {
                            of[node as usize] += self.judge.capped(row);
                        }
                    }
                }
            }
            Column::Many { nodes, known } => {
                let mut seen = vec![u32::MAX; of.len()];
                let fits = crowd.fits.get(&detail);
                for &row in &crowd.kept {
                    for (value, path) in nodes.iter().enumerate() {
                        let fit = fits.is_none_or(|f| f[value / 64] >> (value % 64) & 1 == 1);
                        if !fit || known[row as usize][value / 64] >> (value % 64) & 1 == 0 {
                            continue;
                        }
                        for &node in path {
                            if seen[node as usize] != row {
                                seen[node as usize] = row;
                                of[node as usize] += self.judge.capped(row);
                            }
                        }
                    }
                }
            }
        }
        let total = crowd.kept.iter().map(|&row| self.judge.capped(row)).sum();
        let by_level = matches!(self.columns[detail], Column::Fixed(_));
        Some(Counts { least: self.judge.least(), total, by_level, of })
    }
}

/// Value trees shared by all sets: values are the same when their texts are, level by level.
struct Names {
    nodes: Vec<Vec<ValueNode>>,
    known: Vec<HashMap<(u32, String), u32>>,
}

impl Names {
    fn new(details: usize) -> Self {
        Self { nodes: vec![Vec::new(); details], known: vec![HashMap::new(); details] }
    }

    fn node(&mut self, detail: usize, parent: u32, level: usize, text: &str) -> u32 {
        let nodes = &mut self.nodes[detail];
        *self.known[detail].entry((parent, text.to_owned())).or_insert_with(|| {
            let level = u8::try_from(level).expect("levels fit 8 bits");
            nodes.push(ValueNode { parent, level, text: text.to_owned() });
            index32(nodes.len())
        })
    }

    fn column(&mut self, worlds: &Worlds, detail: usize, ceiling: u8) -> Column {
        match &worlds.details[detail] {
            WorldDetail::Fixed(known) => Column::Fixed(known.clone()),
            WorldDetail::Valued { codes, values, .. } => {
                let mut levels: Vec<Vec<u32>> = Vec::new();
                let mut cache: HashMap<(u32, u32), u32> = HashMap::new();
                for level in 0..usize::from(ceiling) {
                    cache.clear();
                    let node = |row: usize| {
                        let parent = levels.last().map_or(0, |above| above[row]);
                        let code = codes[level][row];
                        if parent == NONE || code == NONE {
                            return NONE;
                        }
                        *cache.entry((parent, code)).or_insert_with(|| {
                            self.node(detail, parent, level + 1, &values[level][code as usize])
                        })
                    };
                    let nodes = (0..worlds.count.len()).map(node).collect();
                    levels.push(nodes);
                }
                Column::Valued(levels)
            }
            WorldDetail::Many { ancestors, values, known, .. } => {
                let path = |codes: &Vec<u32>| {
                    let mut path: Vec<u32> = Vec::new();
                    for (level, &code) in codes.iter().take(usize::from(ceiling)).enumerate() {
                        let parent = path.last().copied().unwrap_or(0);
                        path.push(self.node(detail, parent, level + 1, &values[level][code as usize]));
                    }
                    path
                };
                let nodes = ancestors.iter().map(path).collect();
                Column::Many { nodes, known: known.clone() }
            }
        }
    }
}
