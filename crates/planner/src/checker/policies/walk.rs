//! Walks all worlds of all candidates through a chain of policies at once.
//!
//! Worlds that have gone the same way so far are a [`Part`]: per protected set the classes that have such a world,
//! and, where a candidate may have several values, which of them are still possible. A test splits a part in two; a
//! combination of conditions leaves what is outside as parts that do not overlap.

use super::file::{Condition, File, Form, Guard, Output};
use std::collections::BTreeMap;
use std::collections::HashMap;
use tearline_model::worlds::{WorldDetail, Worlds};

/// One protected set.
pub(super) struct Set<'a> {
    pub(super) worlds: &'a Worlds,
    /// Per detail, whether it comes from the set's source.
    pub(super) own: Vec<bool>,
}

/// One policy of a chain.
pub(super) struct Link<'a> {
    pub(super) policy: &'a File,
    /// Levels that its audience was told before or that are fixed whatever the value, per detail.
    pub(super) held: Vec<u8>,
    /// Whether the sets walked are all that it protects: only then is there a world wherever each of them has one.
    pub(super) complete: bool,
}

/// An end that worlds come to: the place of the policy in the chain, its output, and whether as a fallback.
pub(super) type End = (usize, usize, bool);

/// What was found.
#[derive(Default)]
pub(super) struct Ends {
    /// Per end, per set: the classes that have a world there, ascending.
    pub(super) of: BTreeMap<End, Vec<Vec<u32>>>,
    /// Per set: whether some policy says something of a detail whatever its value, though the value tells of the set.
    pub(super) exposed: Vec<bool>,
}

/// Classes and cells are looked at so often at most.
const MOST_STEPS: u64 = 1 << 37;

const STUCK: &str = "a world that is possible has no release.";

/// What a set's classes say of one detail, in the nodes of a policy.
enum Column<'a> {
    /// Nothing.
    Elsewhere,
    Levels(&'a [u8]),
    /// The deepest node, per class; 0 for none.
    One(Vec<u32>),
    /// The deepest node, per exact value.
    Several(Vec<u32>, &'a [Vec<u64>]),
}

/// One set's share of a part.
#[derive(Clone, Default)]
struct Share {
    classes: Vec<u32>,
    /// Per detail of several values that was tested: the exact values that are left.
    values: BTreeMap<usize, Vec<u64>>,
}

#[derive(Clone)]
struct Part {
    shares: Vec<Share>,
    /// Whether the policy at hand has told it apart from other worlds by more than what is held.
    beyond: bool,
}

/// A policy with the sets in its own terms.
struct Reading<'a> {
    policy: &'a File,
    held: &'a [u8],
    /// Per set, per detail.
    columns: Vec<Vec<Column<'a>>>,
    /// Per detail, per level from 1, per node from 0: its ancestor there, or 0.
    above: Vec<Vec<Vec<u32>>>,
}

/// Walks every world. The error is a sentence without its subject's name.
pub(super) fn walk(sets: &[Set<'_>], chain: &[Link<'_>]) -> Result<Ends, &'static str> {
    if sets.is_empty() {
        return Ok(Ends::default());
    }
    let everybody = |set: &Set<'_>| {
        let all = 0..u32::try_from(set.worlds.count.len()).unwrap_or(u32::MAX);
        Share { classes: all.collect(), values: BTreeMap::new() }
    };
    let start = Part { shares: sets.iter().map(everybody).collect(), beyond: false };
    let mut ends = Ends { exposed: vec![false; sets.len()], ..Ends::default() };
    let mut steps = 0;
    // Per section of the next policy, who enters it.
    let mut entering: Vec<Vec<Part>> = vec![vec![start]];
    for (place, link) in chain.iter().enumerate() {
        if link.policy.sections.len() != entering.len() {
            return Err("a policy has not as many sections as the one that it refines has outputs.");
        }
        let reading = Reading::new(sets, link);
        reading.expose(sets, &mut ends.exposed);
        let mut next: Vec<Vec<Part>> = link.policy.outputs.iter().map(|_| Vec::new()).collect();
        for (blocks, parts) in link.policy.sections.iter().zip(entering) {
            let parts = parts.into_iter().filter_map(|part| reading.enter(sets, part));
            let mut open = merged(parts.collect());
            for guards in blocks {
                let mut fallen = Vec::new();
                for part in open {
                    reading.block(guards, part, &mut fallen, &mut steps, &mut |output, part| {
                        reading.end(place, output, part, &mut ends, &mut next)
                    })?;
                }
                open = merged(fallen);
            }
            if !open.is_empty() && link.complete {
                return Err(STUCK);
            }
        }
        entering = next;
    }
    for shares in ends.of.values_mut() {
        for classes in shares {
            classes.sort_unstable();
            classes.dedup();
        }
    }
    Ok(ends)
}

/// The end of one world: a path of texts per detail, and full precision. `None` where there is nothing to release.
pub(super) fn place(chain: &[Link<'_>], texts: &[Vec<&str>]) -> Result<(End, Option<Vec<u8>>), &'static str> {
    let mut known = vec![0; texts.len()];
    let mut section = 0;
    let mut end = ((0, 0, false), None);
    for (place, link) in chain.iter().enumerate() {
        let policy = link.policy;
        let mut deepest = vec![0; texts.len()];
        for (detail, form) in policy.forms.iter().enumerate() {
            if let Form::Valued(nodes) = form {
                let mut path = 0;
                for text in &texts[detail] {
                    let child = nodes.iter().position(|node| node.parent == path && node.text == **text);
                    let Some(child) = child else { break };
                    path = u32::try_from(child + 1).unwrap_or(0);
                }
                deepest[detail] = path;
            }
        }
        let holds = |condition: &Condition| {
            let Form::Valued(nodes) = &policy.forms[condition.detail] else { return false };
            let mut at = deepest[condition.detail];
            while at > condition.node {
                at = nodes[at as usize - 1].parent;
            }
            at == condition.node
        };
        let mut found = None;
        for guards in policy.sections.get(section).ok_or(STUCK)? {
            let mut at = 0;
            let list = loop {
                match &guards[at] {
                    Guard::Test { condition, yes, no } => at = if holds(condition) { *yes } else { *no },
                    Guard::List { first, count } => break *first..*first + *count,
                }
            };
            found = list.into_iter().find(|&output| policy.outputs[output].conditions.iter().all(holds));
            if found.is_some() {
                break;
            }
        }
        let output = found.ok_or("nobody could have made this report, so it has no release.")?;
        section = output;
        if !policy.outputs[output].safe {
            return Ok(((place, output, false), None));
        }
        for (detail, level) in released(policy, &policy.outputs[output]).into_iter().enumerate() {
            known[detail] = level.max(known[detail]);
        }
        end = ((place, output, false), Some(known.clone()));
    }
    Ok(end)
}

/// The levels of an output.
fn released(policy: &File, output: &Output) -> Vec<u8> {
    let mut levels: Vec<u8> = policy
        .forms
        .iter()
        .map(|form| match form {
            Form::Free(level) | Form::Fixed(level) => *level,
            Form::Valued(_) => 0,
        })
        .collect();
    for condition in &output.conditions {
        levels[condition.detail] = level(policy, *condition);
    }
    for &(detail, level) in &output.levels {
        levels[detail] = level;
    }
    levels
}

fn level(policy: &File, condition: Condition) -> u8 {
    match &policy.forms[condition.detail] {
        Form::Valued(nodes) => nodes[condition.node as usize - 1].level,
        Form::Free(_) | Form::Fixed(_) => 0,
    }
}

/// Parts of one set in which every value is still possible are one part.
fn merged(parts: Vec<Part>) -> Vec<Part> {
    let mut out: Vec<Part> = Vec::new();
    for mut part in parts {
        let plain = |part: &Part| part.shares.len() == 1 && part.shares[0].values.is_empty();
        let same = |other: &&mut Part| plain(&part) && plain(other) && part.beyond == other.beyond;
        match out.iter_mut().find(same) {
            Some(other) => other.shares[0].classes.append(&mut part.shares[0].classes),
            None => out.push(part),
        }
    }
    out
}

/// Whether conditions tell nothing apart in a column.
fn silent(column: &Column<'_>) -> bool {
    matches!(column, Column::Elsewhere | Column::Levels(_))
}

/// Nobody's world is in a part in which one of the sets has nobody.
fn inhabited(part: &Part) -> bool {
    part.shares.iter().all(|share| !share.classes.is_empty())
}

impl<'a> Reading<'a> {
    fn new(sets: &[Set<'a>], link: &'a Link<'a>) -> Self {
        let policy = link.policy;
        let above = policy.forms.iter().map(|form| {
            let Form::Valued(nodes) = form else { return Vec::new() };
            let depth = nodes.iter().map(|node| node.level).max().unwrap_or(0);
            let ancestor = |level: u8, mut at: u32| {
                while at > 0 && nodes[at as usize - 1].level > level {
                    at = nodes[at as usize - 1].parent;
                }
                if at > 0 && nodes[at as usize - 1].level == level { at } else { 0 }
            };
            let all = u32::try_from(nodes.len()).unwrap_or(u32::MAX);
            (1..=depth).map(|level| (0..=all).map(|at| ancestor(level, at)).collect()).collect()
        });
        let column = |set: &Set<'a>, detail: usize| -> Column<'a> {
            if !set.own[detail] {
                return Column::Elsewhere;
            }
            let worlds: &'a Worlds = set.worlds;
            let nodes = match &policy.forms[detail] {
                Form::Valued(nodes) => nodes.as_slice(),
                Form::Free(_) | Form::Fixed(_) => &[],
            };
            let children: HashMap<(u32, &str), u32> = nodes
                .iter()
                .zip(1..)
                .map(|(node, number)| ((node.parent, node.text.as_str()), number))
                .collect();
            match &worlds.details[detail] {
                WorldDetail::Fixed(levels) => Column::Levels(levels),
                WorldDetail::Valued { codes, values, .. } => {
                    let classes = worlds.count.len();
                    let mut deepest = vec![0; classes];
                    let mut going = vec![true; classes];
                    for (codes, values) in codes.iter().zip(values) {
                        for class in (0..classes).filter(|&class| codes[class] == u32::MAX) {
                            going[class] = false;
                        }
                        for class in 0..classes {
                            if !going[class] {
                                continue;
                            }
                            let text = values[codes[class] as usize].as_str();
                            match children.get(&(deepest[class], text)) {
                                Some(&child) => deepest[class] = child,
                                None => going[class] = false,
                            }
                        }
                    }
                    Column::One(deepest)
                }
                WorldDetail::Many { ancestors, values, known, .. } => {
                    let deepest = ancestors.iter().map(|codes| {
                        let mut at = 0;
                        for (&code, values) in codes.iter().zip(values) {
                            match children.get(&(at, values[code as usize].as_str())) {
                                Some(&child) => at = child,
                                None => break,
                            }
                        }
                        at
                    });
                    Column::Several(deepest.collect(), known)
                }
            }
        };
        let columns = |set: &Set<'a>| (0..policy.forms.len()).map(|detail| column(set, detail)).collect();
        Self { policy, held: &link.held, columns: sets.iter().map(columns).collect(), above: above.collect() }
    }

    /// Notes sets of which levels tell that do not depend on the policy's tests, though the value matters.
    fn expose(&self, sets: &[Set<'_>], exposed: &mut [bool]) {
        for (set, exposed) in sets.iter().zip(exposed) {
            for (detail, form) in self.policy.forms.iter().enumerate().filter(|&(detail, _)| set.own[detail])
            {
                let depends = !matches!(set.worlds.details[detail], WorldDetail::Fixed(_));
                let raised = self.policy.outputs.iter().flat_map(|output| &output.levels);
                *exposed |= match form {
                    Form::Free(level) => *level > 0,
                    Form::Fixed(level) => {
                        let most = raised.filter(|of| of.0 == detail).map(|of| of.1).max();
                        depends && most.unwrap_or(0).max(*level) > 0
                    }
                    Form::Valued(_) => false,
                };
            }
        }
    }

    /// Who has a world that agrees with what is held and was told.
    fn enter(&self, sets: &[Set<'_>], mut part: Part) -> Option<Part> {
        part.beyond = false;
        for (set, share) in sets.iter().zip(&mut part.shares) {
            for (detail, &held) in self.held.iter().enumerate().filter(|&(detail, _)| set.own[detail]) {
                let least = match &self.policy.forms[detail] {
                    Form::Fixed(level) => *level,
                    Form::Free(_) | Form::Valued(_) => 0,
                };
                match &set.worlds.details[detail] {
                    WorldDetail::Fixed(known) => {
                        share.classes.retain(|&class| known[class as usize] >= held.max(least));
                    }
                    WorldDetail::Valued { codes, .. } => {
                        for codes in &codes[..usize::from(held).min(codes.len())] {
                            share.classes.retain(|&class| codes[class as usize] != u32::MAX);
                        }
                    }
                    WorldDetail::Many { .. } => {}
                }
            }
        }
        inhabited(&part).then_some(part)
    }

    /// Takes a part through a block. What no output takes falls out of it.
    fn block(
        &self,
        guards: &[Guard],
        part: Part,
        fallen: &mut Vec<Part>,
        steps: &mut u64,
        take: &mut dyn FnMut(usize, Part) -> Result<(), &'static str>,
    ) -> Result<(), &'static str> {
        let mut open = vec![(0, part)];
        while let Some((at, part)) = open.pop() {
            match &guards[at] {
                Guard::Test { condition, yes, no } => {
                    let (inside, outside) = self.split(part, *condition, steps)?;
                    open.extend(inside.map(|part| (*yes, part)));
                    open.extend(outside.map(|part| (*no, part)));
                }
                Guard::List { first, count } => {
                    let mut left = vec![part];
                    for output in *first..*first + *count {
                        let mut rest = Vec::new();
                        for part in left {
                            let conditions = &self.policy.outputs[output].conditions;
                            if let Some(inside) = self.all_hold(part, conditions, &mut rest, steps)? {
                                take(output, inside)?;
                            }
                        }
                        left = rest;
                    }
                    fallen.append(&mut left);
                }
            }
        }
        Ok(())
    }

    /// Where all conditions hold; where they do not goes to `rest`.
    fn all_hold(
        &self,
        mut part: Part,
        conditions: &[Condition],
        rest: &mut Vec<Part>,
        steps: &mut u64,
    ) -> Result<Option<Part>, &'static str> {
        // Where only one set is told apart, and every class has one value, what is outside is one part.
        let single = |column: &Column<'_>| matches!(column, Column::One(_));
        let apart = |set: &Vec<Column<'_>>| conditions.iter().any(|c| !silent(&set[c.detail]));
        let mut concerned = (0..self.columns.len()).filter(|&set| apart(&self.columns[set]));
        if let (Some(set), None) = (concerned.next(), concerned.next()) {
            let columns = &self.columns[set];
            if conditions.iter().all(|c| single(&columns[c.detail]) || silent(&columns[c.detail])) {
                let tests: Vec<(&[u32], &[u32], u32)> = conditions
                    .iter()
                    .filter_map(|c| match &columns[c.detail] {
                        Column::One(deepest) => {
                            let above = &self.above[c.detail][usize::from(level(self.policy, *c)) - 1];
                            Some((deepest.as_slice(), above.as_slice(), c.node))
                        }
                        _ => None,
                    })
                    .collect();
                let all = std::mem::take(&mut part.shares[set].classes);
                count(steps, all.len())?;
                let (inside, outside): (Vec<u32>, Vec<u32>) = all.into_iter().partition(|&class| {
                    tests
                        .iter()
                        .all(|(deepest, above, node)| above[deepest[class as usize] as usize] == *node)
                });
                if inside.is_empty() {
                    part.shares[set].classes = outside;
                    rest.push(part);
                    return Ok(None);
                }
                if !outside.is_empty() {
                    self.note(&mut part, conditions);
                    let mut other = part.clone();
                    other.shares[set].classes = outside;
                    rest.push(other);
                }
                part.shares[set].classes = inside;
                return Ok(Some(part));
            }
        }
        let mut inside = Some(part);
        for condition in conditions {
            let Some(part) = inside else { break };
            let (holds, fails) = self.split(part, *condition, steps)?;
            rest.extend(fails);
            inside = holds;
        }
        Ok(inside)
    }

    /// What is told apart by conditions of which both sides have worlds.
    fn note(&self, part: &mut Part, conditions: &[Condition]) {
        for condition in conditions {
            part.beyond |= level(self.policy, *condition) > self.held[condition.detail];
        }
    }

    /// Where a condition holds and where it does not, as far as there are such worlds.
    fn split(
        &self,
        mut part: Part,
        condition: Condition,
        steps: &mut u64,
    ) -> Result<(Option<Part>, Option<Part>), &'static str> {
        let detail = condition.detail;
        let above = &self.above[detail][usize::from(level(self.policy, condition)) - 1];
        let holds = |node: u32| above[node as usize] == condition.node;
        let mut outside = Part { shares: Vec::new(), beyond: part.beyond };
        for (share, columns) in part.shares.iter_mut().zip(&self.columns) {
            count(steps, share.classes.len())?;
            match &columns[detail] {
                Column::Elsewhere => outside.shares.push(share.clone()),
                Column::Levels(known) => {
                    outside.shares.push(share.clone());
                    // A report with that value came from a source that knew its level.
                    let least = level(self.policy, condition);
                    share.classes.retain(|&class| known[class as usize] >= least);
                }
                Column::One(deepest) => {
                    let all = std::mem::take(&mut share.classes);
                    let (inside, rest) = all.into_iter().partition(|&class| holds(deepest[class as usize]));
                    share.classes = inside;
                    outside.shares.push(Share { classes: rest, values: share.values.clone() });
                }
                Column::Several(deepest, known) => {
                    let every = vec![u64::MAX; deepest.len().div_ceil(64)];
                    let left = share.values.get(&detail).unwrap_or(&every);
                    let mut sides = [left.clone(), left.clone()];
                    for (value, &node) in deepest.iter().enumerate() {
                        sides[usize::from(holds(node))][value / 64] &= !(1 << (value % 64));
                    }
                    let keep = |values: Vec<u64>| {
                        let has = |class: &&u32| {
                            known[**class as usize].iter().zip(&values).any(|(known, left)| known & left != 0)
                        };
                        let mut kept = Share { values: share.values.clone(), ..Share::default() };
                        kept.classes = share.classes.iter().filter(has).copied().collect();
                        kept.values.insert(detail, values);
                        kept
                    };
                    let [inside, rest] = sides.map(keep);
                    *share = inside;
                    outside.shares.push(rest);
                }
            }
        }
        if inhabited(&part) && inhabited(&outside) {
            self.note(&mut part, &[condition]);
            self.note(&mut outside, &[condition]);
        }
        Ok((Some(part).filter(inhabited), Some(outside).filter(inhabited)))
    }

    /// Who reaches an output, who its fallback, and who goes on to the section of the output.
    fn end(
        &self,
        place: usize,
        output: usize,
        part: Part,
        ends: &mut Ends,
        next: &mut [Vec<Part>],
    ) -> Result<(), &'static str> {
        let of = &self.policy.outputs[output];
        let mut enter = |fallback: bool, part: &Part| {
            let found = ends.of.entry((place, output, fallback)).or_default();
            found.resize_with(part.shares.len(), Vec::new);
            for (found, share) in found.iter_mut().zip(&part.shares) {
                found.extend(&share.classes);
            }
        };
        if !of.safe {
            if part.beyond || !of.levels.is_empty() {
                return Err("an output is called unsafe, and tells more apart than was told before.");
            }
            enter(false, &part);
            return Ok(());
        }
        // A level of a value that is released says that the source knew it, where any candidate may have known it.
        let mut said = part;
        for (share, columns) in said.shares.iter_mut().zip(&self.columns) {
            for condition in &of.conditions {
                if let Column::Levels(known) = columns[condition.detail] {
                    let least = level(self.policy, *condition);
                    share.classes.retain(|&class| known[class as usize] >= least);
                }
            }
        }
        let mut precise = said.clone();
        for (share, columns) in precise.shares.iter_mut().zip(&self.columns) {
            for &(detail, least) in &of.levels {
                if let Column::Levels(known) = columns[detail] {
                    share.classes.retain(|&class| known[class as usize] >= least);
                }
            }
        }
        let raised = |&(detail, level): &(usize, u8)| match self.policy.forms[detail] {
            Form::Fixed(held) => level > held,
            Form::Free(_) | Form::Valued(_) => false,
        };
        if of.levels.iter().any(raised) && inhabited(&said) {
            enter(true, &said);
        }
        if inhabited(&precise) {
            enter(false, &precise);
            next[output].push(precise);
        }
        Ok(())
    }
}

fn count(steps: &mut u64, classes: usize) -> Result<(), &'static str> {
    *steps += 1 + classes as u64;
    if *steps > MOST_STEPS { Err("the policy is too intricate to be verified.") } else { Ok(()) }
}
