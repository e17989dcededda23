//! From tuples of numbers, one per item, to the reports that might have been. The same for all engines.

use tearline_model::worlds::{WorldDetail, Worlds};

use crate::domain::DomainValues;
use crate::error::Fault;
use crate::program::{DetailPlan, Program};
use crate::reduce::{NULL, Screen, Tuples, dense, highest, overflow, ranked};
use crate::tally::Tally;

/// What one detail puts into a class's key: one number.
enum Part<'t> {
    /// The highest level known.
    Level,
    /// The values of all levels, as a path that is numbered once.
    Path { ranks: Vec<Vec<u32>>, texts: Vec<Vec<&'t [u8]>>, paths: Tally<u32> },
    /// A bit set.
    Set { rank: Vec<u32>, sets: Vec<&'t [u8]> },
}

pub(crate) fn worlds(
    program: &Program,
    tuples: &dyn Tuples,
    names: &[String],
    levels: &[usize],
) -> Result<Worlds, Fault> {
    let mut parts: Vec<Part<'_>> = program
        .imagined
        .iter()
        .map(|plan| match plan {
            DetailPlan::Elsewhere | DetailPlan::Levels(_) => Part::Level,
            DetailPlan::Values { items, .. } => {
                let (ranks, texts) = items.iter().map(|&item| ranked(tuples.strings(item))).unzip();
                Part::Path { ranks, texts, paths: Tally::new(items.len()) }
            }
            DetailPlan::Known(item) => {
                let (rank, sets) = ranked(tuples.strings(*item));
                Part::Set { rank, sets }
            }
        })
        .collect();
    let groups: Vec<(Vec<u32>, Vec<&[u8]>)> =
        program.groups.iter().map(|(_, item)| ranked(tuples.strings(*item))).collect();
    let width = program.imagined.len() + groups.len() + 1;
    let mut tally = Tally::<u32>::new(width);
    let mut screen = Screen::new(program, &program.imagined);
    let (mut key, mut path) = (Vec::with_capacity(width), Vec::new());
    tuples.each(&mut |codes, count| {
        if !screen.keeps(codes, count)? {
            return Ok(());
        }
        key.clear();
        for (detail, (plan, part)) in program.imagined.iter().zip(&mut parts).enumerate() {
            let mut reached = levels[detail];
            key.push(match (plan, part) {
                (DetailPlan::Levels(items), _) => {
                    reached = highest(items, codes, 1);
                    u32::try_from(highest(items, codes, program.certain)).unwrap_or(NULL)
                }
                (DetailPlan::Values { items, .. }, Part::Path { ranks, paths, .. }) => {
                    path.clear();
                    let mut null = false;
                    for (&item, rank) in items.iter().zip(ranks) {
                        // Whoever has no coarse value has no finer one.
                        null |= codes[item] == NULL;
                        path.push(if null { NULL } else { rank[codes[item] as usize] });
                    }
                    paths.add(&path, 0).ok_or_else(overflow)?
                }
                (DetailPlan::Known(item), Part::Set { rank, .. }) => rank[codes[*item] as usize],
                _ => u32::try_from(levels[detail]).unwrap_or(NULL),
            });
            screen.reached(detail, reached);
        }
        for ((_, item), (rank, _)) in program.groups.iter().zip(&groups) {
            key.push(if codes[*item] == NULL { NULL } else { rank[codes[*item] as usize] });
        }
        key.push(program.weight.map_or(1000, |item| codes[item]));
        tally.add(&key, count).ok_or_else(overflow).map(drop)
    })?;
    screen.finish(names, levels)?;
    Ok(unpack(program, &parts, &tally))
}

fn unpack(program: &Program, parts: &[Part<'_>], tally: &Tally<u32>) -> Worlds {
    // Paths were numbered as they came; classes are sorted by what the paths say.
    let renumbered: Vec<Vec<u32>> = parts
        .iter()
        .map(|part| match part {
            Part::Path { paths, .. } => {
                let mut new = vec![0; paths.len()];
                (0..).zip(paths.sorted()).for_each(|(rank, old)| new[old] = rank);
                new
            }
            _ => Vec::new(),
        })
        .collect();
    let rank = |class: usize| {
        let key = tally.key(class).iter().enumerate();
        key.map(|(at, &code)| {
            renumbered.get(at).and_then(|new| new.get(code as usize)).copied().unwrap_or(code)
        })
    };
    let mut order: Vec<usize> = (0..tally.len()).collect();
    order.sort_unstable_by(|&a, &b| rank(a).cmp(rank(b)));

    let at = |class: usize, column: usize| tally.key(order[class])[column];
    let column = |column: usize| (0..order.len()).map(move |class| at(class, column));
    let details =
        program.imagined.iter().zip(parts).enumerate().map(|(index, (plan, part))| match (plan, part) {
            (DetailPlan::Values { keys, .. }, Part::Path { texts, paths, .. }) => {
                let codes: Vec<Vec<u32>> = (0..texts.len())
                    .map(|level| column(index).map(|path| paths.key(path as usize)[level]).collect())
                    .collect();
                valued(codes, texts, keys)
            }
            (DetailPlan::Known(item), Part::Set { sets, .. }) => {
                let crate::program::Yields::Known(domain) = program.items[*item].yields else {
                    return WorldDetail::Fixed(Vec::new());
                };
                let DomainValues { ancestors, texts, report, .. } = &program.domains[domain];
                WorldDetail::Many {
                    ancestors: ancestors.clone(),
                    values: texts.clone(),
                    known: column(index).map(|code| words(sets[code as usize])).collect(),
                    report: report.clone(),
                }
            }
            _ => WorldDetail::Fixed(
                column(index).map(|level| u8::try_from(level).unwrap_or(u8::MAX)).collect(),
            ),
        });
    let details: Vec<WorldDetail> = details.collect();
    let groups = program
        .groups
        .iter()
        .enumerate()
        .map(|(index, (name, _))| dense(name, column(program.imagined.len() + index).collect()))
        .collect();
    let weight = column(program.imagined.len() + program.groups.len()).map(u64::from).collect();
    let count = order.iter().map(|&class| tally.counts[class]).collect();
    Worlds { details, count, weight, groups }
}

/// Only values that somebody who is not cleared has are kept, in ascending order of their texts.
fn valued(mut codes: Vec<Vec<u32>>, texts: &[Vec<&[u8]>], keys: &[Option<String>]) -> WorldDetail {
    let mut values = Vec::new();
    let mut report = Vec::new();
    for ((codes, texts), key) in codes.iter_mut().zip(texts).zip(keys) {
        let mut used: Vec<u32> = codes.iter().copied().filter(|&code| code != NULL).collect();
        used.sort_unstable();
        used.dedup();
        *codes = dense("", std::mem::take(codes)).of;
        let kept: Vec<String> =
            used.iter().map(|&code| String::from_utf8_lossy(texts[code as usize]).into_owned()).collect();
        let own = key.as_ref().and_then(|key| kept.binary_search(key).ok());
        report.push(own.and_then(|code| u32::try_from(code).ok()));
        values.push(kept);
    }
    WorldDetail::Valued { codes, values, report }
}

/// Words of 64 bits from their bytes.
fn words(set: &[u8]) -> Vec<u64> {
    set.chunks(8).map(|chunk| chunk.iter().rev().fold(0, |word, &byte| word << 8 | u64::from(byte))).collect()
}
