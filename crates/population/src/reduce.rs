//! From tuples of numbers, one per item, to signature classes. The same for all engines.

use tearline_model::candidates::{Candidates, Groups, Odds};

use crate::error::{Fault, Kind};
use crate::program::{DetailPlan, Program};
use crate::tally::Tally;

/// The number that stands for null.
pub(crate) const NULL: u32 = u32::MAX;

/// What takes one tuple.
pub(crate) type Take<'f> = dyn FnMut(&[u32], u64) -> Result<(), Fault> + 'f;

/// What an engine hands over: different tuples of the items' numbers, with how many candidates have them.
pub(crate) trait Tuples {
    /// Calls `f` for each tuple. A tuple may come more than once.
    fn each(&self, f: &mut Take<'_>) -> Result<(), Fault>;

    /// The byte strings of an item's numbers.
    fn strings(&self, item: usize) -> &[Box<[u8]>];

    /// For each item that yields probabilities, whether any of them is neither 0 nor 1 (000 thousandths).
    fn fractional(&self, program: &Program) -> Result<Vec<bool>, Fault> {
        let mut fractional = vec![false; program.items.len()];
        self.each(&mut |codes, _| {
            for (flag, &code) in fractional.iter_mut().zip(codes) {
                *flag |= code != 0 && code != 1000;
            }
            Ok(())
        })?;
        Ok(fractional)
    }
}

pub(crate) fn overflow() -> Fault {
    Fault::new(Kind::Count, "the counts add up to more than 2^64", "Correct the column that holds them.")
}

/// Strings renumbered in ascending order: `new[old]`, and the strings.
pub(crate) fn ranked(strings: &[Box<[u8]>]) -> (Vec<u32>, Vec<&[u8]>) {
    let mut order: Vec<usize> = (0..strings.len()).collect();
    order.sort_unstable_by(|&a, &b| strings[a].cmp(&strings[b]));
    let mut new = vec![0; strings.len()];
    for (rank, &old) in (0..).zip(&order) {
        new[old] = rank;
    }
    (new, order.into_iter().map(|old| &*strings[old]).collect())
}

/// Keeps those who are presumed cleared apart, and counts where knowledge grows with precision.
pub(crate) struct Screen<'p> {
    program: &'p Program,
    plans: &'p [DetailPlan],
    pub(crate) cleared: u64,
    kept: u64,
    /// Per detail, per level: candidates for whom it is more probable than the coarser one.
    widened: Vec<Vec<u64>>,
    /// Per detail: the highest level that somebody could have known.
    reached: Vec<usize>,
}

impl<'p> Screen<'p> {
    pub(crate) fn new(program: &'p Program, plans: &'p [DetailPlan]) -> Self {
        let widened = plans
            .iter()
            .map(|plan| if let DetailPlan::Levels(items) = plan { vec![0; items.len()] } else { Vec::new() })
            .collect();
        Self { program, plans, cleared: 0, kept: 0, widened, reached: vec![0; plans.len()] }
    }

    /// Whether the tuple's candidates are to be counted.
    pub(crate) fn keeps(&mut self, codes: &[u32], count: u64) -> Result<bool, Fault> {
        if self.program.cleared.is_some_and(|item| codes[item] > 0) {
            self.cleared = self.cleared.checked_add(count).ok_or_else(overflow)?;
            return Ok(false);
        }
        self.kept = self.kept.checked_add(count).ok_or_else(overflow)?;
        for (plan, widened) in self.plans.iter().zip(&mut self.widened) {
            if let DetailPlan::Levels(items) = plan {
                for (level, pair) in items.windows(2).enumerate() {
                    if codes[pair[1]] > codes[pair[0]] {
                        widened[level + 1] += count;
                    }
                }
            }
        }
        Ok(true)
    }

    pub(crate) fn reached(&mut self, detail: usize, level: usize) {
        self.reached[detail] = self.reached[detail].max(level);
    }

    pub(crate) fn finish(self, names: &[String], levels: &[usize]) -> Result<u64, Fault> {
        if self.kept == 0 {
            let (what, remedy) = if self.cleared > 0 {
                (
                    "every candidate is presumed cleared",
                    "Somebody must be left to hide among: correct \"cleared\".",
                )
            } else {
                ("there are no candidates", "Give the table rows with counts above zero.")
            };
            return Err(Fault::new(Kind::Empty, what, remedy));
        }
        for (detail, widened) in self.widened.iter().enumerate() {
            if let Some(level) = widened.iter().position(|&count| count > 0) {
                return Err(Fault::new(
                    Kind::Widens,
                    format!(
                        "{} of {} candidates could have known level {} more probably than level {level}",
                        widened[level],
                        self.kept,
                        level + 1
                    ),
                    "Whoever knows the finer level knows the coarser one: repeat its condition with AND.",
                )
                .field(&format!("detail.{}.level[{}].known_to", names[detail], level + 1)));
            }
        }
        for (detail, (&reached, &levels)) in self.reached.iter().zip(levels).enumerate() {
            if reached < levels {
                return Err(Fault::new(
                    Kind::NobodyKnows,
                    format!("nobody could have known level {} of {levels}", reached + 1),
                    "The true source must be in the table: correct the table, the key or the predicate.",
                )
                .field(&format!("detail.{}.level[{}]", names[detail], reached + 1)));
            }
        }
        Ok(self.cleared)
    }
}

/// How far a row of probabilities reaches.
pub(crate) fn highest(items: &[usize], codes: &[u32], least: u32) -> usize {
    items.iter().take_while(|&&item| codes[item] >= least).count()
}

/// The layout of a class's key: big-endian, so that bytes sort as the numbers do.
struct Layout {
    possible: bool,
    odds: Vec<(usize, usize, usize)>,
}

pub(crate) fn candidates(
    program: &Program,
    tuples: &dyn Tuples,
    names: &[String],
    levels: &[usize],
) -> Result<Candidates, Fault> {
    let fractional = tuples.fractional(program)?;
    let mut odds = Vec::new();
    for (detail, plan) in program.details.iter().enumerate() {
        if let DetailPlan::Levels(items) = plan {
            odds.extend(
                items.iter().enumerate().filter(|(_, item)| fractional[**item]).map(|(l, &i)| (detail, l, i)),
            );
        }
    }
    let layout = Layout { possible: !odds.is_empty(), odds };
    let keys = resolved_keys(program, tuples);
    let groups: Vec<(Vec<u32>, Vec<&[u8]>)> =
        program.groups.iter().map(|(_, item)| ranked(tuples.strings(*item))).collect();
    let details = program.details.len();
    let width = details * (1 + usize::from(layout.possible))
        + 2 * layout.odds.len()
        + program.linked.len()
        + 4 * groups.len()
        + 4;
    let mut tally = Tally::<u8>::new(width);
    let mut screen = Screen::new(program, &program.details);
    let mut key = Vec::with_capacity(width);
    tuples.each(&mut |codes, count| {
        if !screen.keeps(codes, count)? {
            return Ok(());
        }
        key.clear();
        let mut possible = Vec::new();
        for (detail, plan) in program.details.iter().enumerate() {
            let (sure, maybe) = match plan {
                DetailPlan::Elsewhere => (levels[detail], levels[detail]),
                DetailPlan::Levels(items) => {
                    (highest(items, codes, program.certain), highest(items, codes, 1))
                }
                DetailPlan::Values { items, .. } => {
                    let own = &keys[detail];
                    let equal = items.iter().zip(own).take_while(|(item, key)| Some(codes[**item]) == **key);
                    let level = equal.count();
                    (level, level)
                }
                DetailPlan::Known(_) => (0, 0),
            };
            screen.reached(detail, maybe);
            key.push(byte(sure));
            possible.push(byte(maybe));
        }
        if layout.possible {
            key.extend_from_slice(&possible);
        }
        for &(_, _, item) in &layout.odds {
            key.extend_from_slice(&u16::try_from(codes[item]).unwrap_or(u16::MAX).to_be_bytes());
        }
        for linked in &program.linked {
            key.push(u8::from(linked.is_none_or(|item| codes[item] >= program.certain)));
        }
        for ((_, item), (rank, _)) in program.groups.iter().zip(&groups) {
            let code = codes[*item];
            let code = if code == NULL { NULL } else { rank[code as usize] };
            key.extend_from_slice(&code.to_be_bytes());
        }
        key.extend_from_slice(&program.weight.map_or(1000, |item| codes[item]).to_be_bytes());
        tally.add(&key, count).ok_or_else(overflow).map(drop)
    })?;
    let cleared = screen.finish(names, levels)?;
    Ok(unpack(program, &layout, &tally, cleared))
}

fn unpack(program: &Program, layout: &Layout, tally: &Tally<u8>, cleared: u64) -> Candidates {
    let order = tally.sorted();
    let (details, classes) = (program.details.len(), order.len());
    let field = |class: usize, from: usize, width: usize| &tally.key(order[class])[from..from + width];
    let number =
        |class: usize, from: usize| field(class, from, 4).iter().fold(0, |n, &b| n << 8 | u32::from(b));
    let mut at = 0;
    let mut bytes = |columns: usize| -> Vec<Vec<u8>> {
        at += columns;
        (at - columns..at).map(|from| (0..classes).map(|class| field(class, from, 1)[0]).collect()).collect()
    };
    let sure = bytes(details);
    let possible = if layout.possible { bytes(details) } else { Vec::new() };
    let mut odds = Vec::new();
    for &(detail, level, _) in &layout.odds {
        let permille =
            (0..classes).map(|c| u16::from_be_bytes([field(c, at, 2)[0], field(c, at, 2)[1]])).collect();
        odds.push(Odds { detail, level: byte(level + 1), permille });
        at += 2;
    }
    let mut linked = Vec::new();
    for _ in &program.linked {
        linked.push((0..classes).map(|class| field(class, at, 1)[0] == 1).collect());
        at += 1;
    }
    let mut groups = Vec::new();
    for (name, _) in &program.groups {
        groups.push(dense(name, (0..classes).map(|class| number(class, at)).collect()));
        at += 4;
    }
    let weight = (0..classes).map(|class| u64::from(number(class, at))).collect();
    let count = order.iter().map(|&index| tally.counts[index]).collect();
    Candidates { sure, possible, odds, linked, count, weight, groups, cleared }
}

/// Numbers without gaps: values that only the cleared have are gone.
pub(crate) fn dense(name: &str, mut of: Vec<u32>) -> Groups {
    let mut used: Vec<u32> = of.iter().copied().filter(|&code| code != NULL).collect();
    used.sort_unstable();
    used.dedup();
    for code in of.iter_mut().filter(|code| **code != NULL) {
        *code = used.binary_search(code).ok().and_then(|rank| u32::try_from(rank).ok()).unwrap_or(NULL);
    }
    Groups { column: name.to_owned(), of, values: u32::try_from(used.len()).unwrap_or(u32::MAX) }
}

/// Per detail with values: the numbers of the report's keys in the items' dictionaries.
fn resolved_keys(program: &Program, tuples: &dyn Tuples) -> Vec<Vec<Option<u32>>> {
    let resolve = |plan: &DetailPlan| match plan {
        DetailPlan::Values { items, keys } => items
            .iter()
            .zip(keys)
            .map(|(&item, key)| {
                let key = key.as_ref()?;
                let found = tuples.strings(item).iter().position(|text| **text == *key.as_bytes())?;
                u32::try_from(found).ok()
            })
            .collect(),
        _ => Vec::new(),
    };
    program.details.iter().map(resolve).collect()
}

fn byte(level: usize) -> u8 {
    u8::try_from(level).unwrap_or(u8::MAX)
}
