//! How releases stand to each other: what replaces what, what extends what, whether one history holds them.

use super::release::{ReleaseView, consistent};
use super::{Checks, Outcome};
use crate::bytes::Digest;
use crate::files::Consistency;
use crate::statement::Act;
use crate::token::Shown;
use serde::Serialize;
use std::collections::BTreeMap;
use tearline_log::hash::Hash;

/// How one release stands to another that the reader has.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "relation", rename_all = "kebab-case")]
pub enum Relation {
    /// Both show the same token: they were committed to together. `more` says which shows more.
    SameToken {
        /// The one with the lower number.
        first: usize,
        /// The other.
        second: usize,
        /// Details that the first shows further than the second.
        first_more: Vec<String>,
        /// Details that the second shows further than the first.
        second_more: Vec<String>,
    },
    /// One takes the place of another.
    Replaces {
        /// The newer.
        newer: usize,
        /// The older.
        older: usize,
    },
}

/// Holds releases against each other. Returns how they stand, whether each still stands, and checks of them all.
pub fn relations(
    views: &[&ReleaseView],
    consistencies: &[Option<&Consistency>],
) -> (Vec<Relation>, Vec<bool>, Checks) {
    let mut relations = Vec::new();
    let mut standing = vec![true; views.len()];
    let mut checks = Checks::default();
    let digests: BTreeMap<Digest, usize> = views
        .iter()
        .enumerate()
        .filter_map(|(at, view)| Some((view.statement.as_ref()?.digest(), at)))
        .collect();
    for (newer, view) in views.iter().enumerate() {
        let Some(statement) = &view.statement else { continue };
        for replaced in &statement.content.replaces {
            match digests.get(replaced) {
                Some(&older) => {
                    relations.push(Relation::Replaces { newer, older });
                    standing[older] = false;
                    not_dropped(view, views[older], &mut checks);
                }
                None => checks.open(
                    "replaces",
                    "it replaces a release that is not among these files: whether a detail was dropped cannot be told",
                ),
            }
        }
        if statement.content.act == Act::Cancel {
            standing[newer] = true;
        }
    }
    for second in 0..views.len() {
        for first in 0..second {
            if views[first].token.is_none() || views[first].token != views[second].token {
                continue;
            }
            let (Some(a), Some(b)) = (&views[first].shown, &views[second].shown) else { continue };
            relations.push(Relation::SameToken {
                first,
                second,
                first_more: further(a, b),
                second_more: further(b, a),
            });
        }
    }
    history(views, consistencies, &mut checks);
    (relations, standing, checks)
}

/// Details that one shows further than another.
fn further(one: &Shown, than: &Shown) -> Vec<String> {
    let depth = |shown: &Shown, name: &str| {
        shown.details.iter().find(|detail| detail.name == name).map_or(0, |detail| detail.levels.len())
    };
    let more = |name: &&String| depth(one, name) > depth(than, name);
    one.details.iter().map(|detail| &detail.name).filter(more).cloned().collect()
}

/// An extension shows all that was shown; an update names each detail that it takes back.
fn not_dropped(newer: &ReleaseView, older: &ReleaseView, checks: &mut Checks) {
    let (Some(statement), Some(before)) = (&newer.statement, &older.shown) else { return };
    let statement = &statement.content;
    let Some(now) = &newer.shown else { return };
    let withdrawn = |name: &str| statement.withdrawn.iter().any(|detail| detail.detail == name);
    let dropped = before.details.iter().find(|detail| {
        let kept = now.details.iter().find(|kept| kept.name == detail.name);
        !withdrawn(&detail.name) && kept.is_none_or(|kept| kept.levels.len() < detail.levels.len())
    });
    let name = match statement.act {
        Act::Extend => "extends",
        _ => "updates",
    };
    if let Some(dropped) = dropped {
        checks.fails(
            name,
            format!("the detail {:?} of the earlier release is gone without a word", dropped.name),
        );
    } else if statement.act == Act::Extend && newer.token != older.token {
        checks.fails(name, "it says that it extends the earlier release, and shows another token");
    } else {
        checks.holds(name, "everything that the earlier release showed is there, or is expressly taken back");
    }
}

/// Whether all checkpoints can be of one log.
fn history(views: &[&ReleaseView], consistencies: &[Option<&Consistency>], checks: &mut Checks) {
    let places: Vec<_> = views
        .iter()
        .zip(consistencies)
        .filter_map(|(view, proof)| Some((view.place.as_ref()?, *proof)))
        .collect();
    let mut proven = true;
    for (at, (new, proof)) in places.iter().enumerate() {
        for (old, _) in places[..at].iter().chain(&places[at + 1..]) {
            let (a, b) = (old.checkpoint.checkpoint(), new.checkpoint.checkpoint());
            if a.origin != b.origin || a.size > b.size {
                continue;
            }
            if a.size == b.size {
                if a.root != b.root {
                    checks.fails(
                        "history",
                        format!("two checkpoints of {} entries differ: the log was forked. Keep both files; they are the proof", a.size),
                    );
                    return;
                }
                continue;
            }
            let hashes: Option<Vec<Hash>> = proof
                .filter(|proof| proof.from == a.size)
                .map(|proof| proof.proof.iter().map(|hash| Hash(hash.0)).collect());
            match hashes {
                Some(hashes) if consistent((a.size, a.root), (b.size, b.root), &hashes) => {}
                Some(_) => {
                    checks.fails(
                        "history",
                        format!("the log of {} entries is not a continuation of the one of {}: it was rewritten. Keep both files; they are the proof", b.size, a.size),
                    );
                    return;
                }
                None => proven = false,
            }
        }
    }
    if places.len() > 1 && checks.outcome("history") != Some(Outcome::Fails) {
        if proven {
            checks.holds("history", "all checkpoints are of one log that only grew");
        } else {
            checks.open(
                "history",
                "whether all checkpoints are of one log needs `tearline log verify` on a copy of the log",
            );
        }
    }
}
