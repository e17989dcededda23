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

    /// A set in full: “source 1 among staff”.
    pub(super) fn set(&self, set: usize) -> String {
        let ProtectedSet { source, population } = &self.sets[set];
        let source = if self.several_sources { format!("source {source}") } else { "the source".to_owned() };
        format!("{source} among {population}")
    }

    /// A set, as short as it can be told from the others.
    fn short(&self, set: usize) -> String {
        let of = &self.sets[set];
        if self.sets.iter().all(|other| other.population == of.population) {
            format!("source {}", of.source)
        } else if self.several_sources {
            self.set(set)
        } else {
            format!("among {}", of.population)
        }
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

/// What a step leaves, one paragraph for each set with the audiences that find the same. Those that would break come
/// first, among them the reader's own, then the smallest.
pub(super) fn paragraphs<'a>(
    names: &Names<'a>,
    reader: &str,
    leaves: &'a [Leaves],
) -> Vec<(bool, Vec<Span>)> {
    let mut groups: Vec<(&Leaves, Vec<&'a str>)> = Vec::new();
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
    groups.sort_by_key(|(leaves, audiences)| {
        (leaves.broken.is_empty(), !audiences.contains(&reader), leaves.left)
    });
    groups.into_iter().map(|(leaves, audiences)| paragraph(names, reader, leaves, &audiences)).collect()
}

fn paragraph<'a>(
    names: &Names<'a>,
    reader: &str,
    leaves: &Leaves,
    audiences: &[&'a str],
) -> (bool, Vec<Span>) {
    let safe = leaves.broken.is_empty();
    let (left, now) = (count(leaves.left), counted(leaves.now, "candidate"));
    let mut text = if safe || leaves.broken.contains(&Rule::Candidates) {
        let style = if safe { Style::Plain } else { Style::Bad };
        vec![(style, format!("{left} of {now} left, {} needed", count(leaves.needed)))]
    } else {
        let allowed = names.allowed_share(&leaves.audience, leaves.set);
        let wrong: Vec<String> =
            leaves.broken.iter().map(|rule| broken(rule, leaves.largest_share, allowed)).collect();
        vec![plain(format!("{left} of {now} left, but ")), (Style::Bad, wrong.join("; "))]
    };
    let mut of = Vec::new();
    if names.sets.len() > 1 {
        of.push(names.short(leaves.set));
    }
    if audiences != [reader] {
        of.push(format!("against {}", names.list(audiences.iter().copied())));
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

/// Words of a level, quoted.
pub(super) fn quoted(words: &str) -> Span {
    plain(format!("“{words}”"))
}
