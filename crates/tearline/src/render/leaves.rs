//! What a step would leave of the sets: “3 of 412 candidates left, 20 needed”.

use super::text::{Span, Style, count, counted, percent, plain};
use tearline_planner::plan::{AudiencePlan, Leaves, Outcome, Plan, ProtectedSet, Rule};

/// Names of sets and audiences, as the reader of a plan knows them.
pub(super) struct Names<'a> {
    sets: &'a [ProtectedSet],
    audiences: &'a [AudiencePlan],
    several_sources: bool,
}

impl<'a> Names<'a> {
    pub(super) fn new(plan: &'a Plan) -> Self {
        Self { audiences: &plan.audiences, ..Self::of_sets(&plan.sets) }
    }

    /// Names of sets alone; audiences stand by their names in the report file.
    pub(super) fn of_sets(sets: &'a [ProtectedSet]) -> Self {
        let several_sources = sets.iter().any(|set| set.source != sets[0].source);
        Self { sets, audiences: &[], several_sources }
    }

    /// A set: “source 1 among staff”.
    pub(super) fn set(&self, set: usize) -> String {
        let ProtectedSet { source, population } = &self.sets[set];
        let source = if self.several_sources { format!("source {source}") } else { "the source".to_owned() };
        format!("{source} among {population}")
    }

    /// An audience's display name.
    pub(super) fn audience(&self, id: &'a str) -> &'a str {
        self.audiences.iter().find(|audience| audience.id == id).map_or(id, |audience| &audience.name)
    }

    /// Several audiences: “Public, Partner and 3 more”.
    pub(super) fn list(&self, ids: impl IntoIterator<Item = &'a str>) -> String {
        let names: Vec<&str> = ids.into_iter().map(|id| self.audience(id)).collect();
        match names.as_slice() {
            [first, second, third, rest @ ..] if rest.len() > 1 => {
                format!("{first}, {second}, {third} and {} more", rest.len())
            }
            [all @ .., last] if !all.is_empty() => format!("{} and {last}", all.join(", ")),
            _ => names.concat(),
        }
    }

    /// The largest share that a candidate of a set may have against an audience, where a rule says so.
    fn allowed_share(&self, audience: &str, set: usize) -> Option<f64> {
        let audience = self.audiences.iter().find(|other| other.id == audience)?;
        let Outcome::Release(release) = &audience.outcome else { return None };
        release.sets.iter().find(|standing| standing.set == set)?.needed.share
    }
}

/// What a step leaves, one paragraph for each set with audiences that find the same; those that would break come
/// first, the smallest sets before larger ones.
pub(super) fn paragraphs(names: &Names<'_>, reader: &str, leaves: &[Leaves]) -> Vec<(bool, Vec<Span>)> {
    let mut groups: Vec<(&Leaves, Vec<&str>)> = Vec::new();
    for one in leaves {
        let same = groups.iter_mut().find(|(other, _)| {
            (other.set, other.now, other.left, other.needed) == (one.set, one.now, one.left, one.needed)
                && other.broken == one.broken
        });
        match same {
            Some((_, audiences)) => audiences.push(&one.audience),
            None => groups.push((one, vec![&one.audience])),
        }
    }
    groups.sort_by_key(|(leaves, _)| (leaves.broken.is_empty(), leaves.left));
    groups.into_iter().map(|(leaves, audiences)| paragraph(names, reader, leaves, &audiences)).collect()
}

fn paragraph(names: &Names<'_>, reader: &str, leaves: &Leaves, audiences: &[&str]) -> (bool, Vec<Span>) {
    let safe = leaves.broken.is_empty();
    let tight = leaves.broken.contains(&Rule::Candidates);
    let numbers = match (safe || tight, leaves.left == leaves.now) {
        (true, _) => format!(
            "{} of {} left, {} needed",
            count(leaves.left),
            counted(leaves.now, "candidate"),
            count(leaves.needed)
        ),
        (false, true) => format!("all {} left", counted(leaves.now, "candidate")),
        (false, false) => format!("{} of {} left", count(leaves.left), counted(leaves.now, "candidate")),
    };
    let mut text = vec![(if tight { Style::Bad } else { Style::Plain }, numbers)];
    for rule in leaves.broken.iter().filter(|rule| **rule != Rule::Candidates) {
        let allowed = names.allowed_share(&leaves.audience, leaves.set);
        text.push((Style::Bad, format!("; {}", broken(rule, leaves.largest_share, allowed))));
    }
    let mut of = Vec::new();
    if names.sets.len() > 1 {
        of.push(names.set(leaves.set));
    }
    if audiences != [reader] {
        let list = names.list(audiences.iter().map(|id| {
            names.audiences.iter().find(|audience| audience.id == *id).map_or("?", |audience| &audience.id)
        }));
        of.push(format!("against {list}"));
    }
    if !of.is_empty() {
        text.push((Style::Dim, format!(" ({})", of.join(", "))));
    }
    (safe, text)
}

/// What is wrong when a rule is broken.
pub(super) fn broken(rule: &Rule, largest_share: f64, allowed: Option<f64>) -> String {
    match rule {
        Rule::Candidates => "too few candidates".to_owned(),
        Rule::Share => {
            let allowed =
                allowed.map(|allowed| format!(", {} allowed", percent(allowed))).unwrap_or_default();
            format!("one candidate would carry {} of the suspicion{allowed}", percent(largest_share))
        }
        Rule::Diversity { column } => format!("too few different values of {column}"),
        Rule::Minimum => "the least that makes a release usable is not reached".to_owned(),
    }
}

/// The sign before a statement that holds, or does not.
pub(super) fn sign(holds: bool) -> Span {
    if holds { (Style::Good, "✓ ".to_owned()) } else { (Style::Bad, "✗ ".to_owned()) }
}

/// Words of a level, quoted.
pub(super) fn quoted(words: &str) -> Span {
    plain(format!("“{words}”"))
}
