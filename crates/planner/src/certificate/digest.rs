//! Digests of tables as they were read, the same in whatever order an engine returned the classes and however it
//! numbered group values. The encoding is normative in `docs/formats/certificate.md`.

use sha2::{Digest, Sha256};
use std::fmt::Write;
use tearline_model::candidates::{Candidates, Groups, Odds};
use tearline_model::worlds::{WorldDetail, Worlds};

type Leaf = [u8; 32];

/// SHA-256 of bytes, in lower-case hexadecimal.
pub fn bytes(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

/// Digest of the candidates of one population, in lower-case hexadecimal.
///
/// # Panics
///
/// If the vectors of `candidates` do not have the lengths that their documentation states.
pub fn candidates(candidates: &Candidates) -> String {
    let odds = telling_odds(candidates);
    let mut head = Sha256::new();
    head.update(b"tearline candidates 1\n");
    number(&mut head, candidates.sure.len());
    number(&mut head, odds.len());
    for odds in &odds {
        number(&mut head, odds.detail);
        head.update([odds.level]);
    }
    number(&mut head, candidates.linked.len());
    head.update(candidates.cleared.to_be_bytes());
    let mut record = Vec::new();
    let leaves = (0..candidates.classes()).map(|class| {
        record.clear();
        for detail in 0..candidates.sure.len() {
            record.push(sure(candidates, detail, class));
            record.push(possible(candidates, detail, class));
        }
        for odds in &odds {
            record.extend(odds.permille[class].to_be_bytes());
        }
        for known in &candidates.linked {
            record.push(known.get(class).map_or(u8::MAX, |&known| u8::from(known)));
        }
        record.extend(candidates.weight[class].to_be_bytes());
        Sha256::digest(&record).into()
    });
    finish(head, &leaves.collect::<Vec<_>>(), &candidates.count, &candidates.groups)
}

/// Digest of the worlds of one population, in lower-case hexadecimal. What the report itself says in them is left
/// out, so that the digest can be published before there is a report.
///
/// # Panics
///
/// If the vectors of `worlds` do not have the lengths that their documentation states.
pub fn worlds(worlds: &Worlds) -> String {
    let mut head = Sha256::new();
    head.update(b"tearline worlds 1\n");
    number(&mut head, worlds.details.len());
    // Per detail with a domain, the ranks of its exact values in the order of their texts, coarse to exact.
    let mut ranks: Vec<Vec<usize>> = Vec::new();
    for detail in &worlds.details {
        let mut rank = Vec::new();
        match detail {
            WorldDetail::Fixed(_) => head.update([0]),
            WorldDetail::Valued { codes, .. } => {
                head.update([1]);
                number(&mut head, codes.len());
            }
            WorldDetail::Many { ancestors, values, .. } => {
                head.update([2]);
                number(&mut head, values.len());
                number(&mut head, ancestors.len());
                let path = |exact: &usize| -> Vec<&str> {
                    let of = ancestors[*exact].iter().zip(values);
                    of.map(|(&code, texts)| texts[code as usize].as_str()).collect()
                };
                let mut order: Vec<usize> = (0..ancestors.len()).collect();
                order.sort_by_key(path);
                rank = vec![0; order.len()];
                for (place, exact) in order.iter().enumerate() {
                    rank[*exact] = place;
                    for part in path(exact) {
                        text(&mut head, part);
                    }
                }
            }
        }
        ranks.push(rank);
    }
    let leaves = (0..worlds.count.len()).map(|class| {
        let mut record = Sha256::new();
        for (detail, rank) in worlds.details.iter().zip(&ranks) {
            match detail {
                WorldDetail::Fixed(levels) => record.update([levels[class]]),
                WorldDetail::Valued { codes, values, .. } => {
                    for (codes, texts) in codes.iter().zip(values) {
                        match texts.get(codes[class] as usize) {
                            Some(value) => text(&mut record, value),
                            None => record.update([0xff; 8]),
                        }
                    }
                }
                WorldDetail::Many { known, .. } => {
                    let known = &known[class];
                    let mut bits = vec![0_u8; rank.len().div_ceil(8)];
                    for (exact, &place) in rank.iter().enumerate() {
                        if known[exact / 64] >> (exact % 64) & 1 == 1 {
                            bits[place / 8] |= 1 << (place % 8);
                        }
                    }
                    record.update(&bits);
                }
            }
        }
        record.update(worlds.weight[class].to_be_bytes());
        record.finalize().into()
    });
    finish(head, &leaves.collect::<Vec<_>>(), &worlds.count, &worlds.groups)
}

/// Ends a digest with the classes: those alike are one, in ascending order of their leaves; then, per group column,
/// which classes each value has.
fn finish(mut head: Sha256, leaves: &[Leaf], count: &[u64], groups: &[Groups]) -> String {
    let mut order: Vec<usize> = (0..leaves.len()).collect();
    order.sort_unstable_by_key(|&class| leaves[class]);
    classes(&mut head, order.iter().map(|&class| (leaves[class], count[class])));
    let mut columns: Vec<&Groups> = groups.iter().collect();
    columns.sort_by_key(|groups| &groups.column);
    number(&mut head, columns.len());
    for groups in columns {
        text(&mut head, &groups.column);
        // Stable, so within one value the leaves stay in order.
        let mut by_value: Vec<usize> =
            order.iter().copied().filter(|&class| groups.of[class] != u32::MAX).collect();
        by_value.sort_by_key(|&class| groups.of[class]);
        let mut values: Vec<Leaf> = by_value
            .chunk_by(|&a, &b| groups.of[a] == groups.of[b])
            .map(|same| {
                let mut value = Sha256::new();
                classes(&mut value, same.iter().map(|&class| (leaves[class], count[class])));
                value.finalize().into()
            })
            .collect();
        values.sort_unstable();
        number(&mut head, values.len());
        for value in &values {
            head.update(value);
        }
    }
    hex(&head.finalize())
}

/// Leaves in ascending order, equal ones with their counts added.
fn classes(into: &mut Sha256, leaves: impl Iterator<Item = (Leaf, u64)>) {
    let mut last: Option<(Leaf, u64)> = None;
    let mut put = |(leaf, count): (Leaf, u64)| {
        into.update(leaf);
        into.update(count.to_be_bytes());
    };
    for (leaf, count) in leaves {
        match &mut last {
            Some((same, sum)) if *same == leaf => *sum = sum.saturating_add(count),
            _ => {
                last.replace((leaf, count)).into_iter().for_each(&mut put);
            }
        }
    }
    last.into_iter().for_each(&mut put);
}

/// The odds that say more than the levels do, in order of detail and level.
fn telling_odds(candidates: &Candidates) -> Vec<&Odds> {
    let says_more = |odds: &&Odds| {
        odds.permille.iter().enumerate().any(|(class, &permille)| {
            permille != if possible(candidates, odds.detail, class) >= odds.level { 1000 } else { 0 }
        })
    };
    let mut odds: Vec<&Odds> = candidates.odds.iter().filter(says_more).collect();
    odds.sort_by_key(|odds| (odds.detail, odds.level));
    odds
}

/// A detail that no source in the population reported has no levels there.
fn sure(candidates: &Candidates, detail: usize, class: usize) -> u8 {
    candidates.sure[detail].get(class).copied().unwrap_or(u8::MAX)
}

fn possible(candidates: &Candidates, detail: usize, class: usize) -> u8 {
    let levels = candidates.possible.get(detail).and_then(|levels| levels.get(class).copied());
    levels.unwrap_or_else(|| sure(candidates, detail, class))
}

fn number(into: &mut Sha256, number: usize) {
    into.update((number as u64).to_be_bytes());
}

fn text(into: &mut Sha256, text: &str) {
    number(into, text.len());
    into.update(text.as_bytes());
}

fn hex(digest: &[u8]) -> String {
    let mut text = String::with_capacity(digest.len() * 2);
    for byte in digest {
        write!(text, "{byte:02x}").expect("writing to a string");
    }
    text
}
