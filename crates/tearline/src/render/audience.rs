//! What one audience gets, why not more, and how well the sources stay hidden.

use super::leaves::{Names, broken, paragraphs, quoted};
use super::text::{Page, Style, count, counted, percent, plain, units};
use tearline_planner::plan::{
    AudiencePlan, Counted, DetailPlan, Margin, Mode, NoSafePlan, Outcome, Release, Rule, SelectionAware,
    SetStanding,
};
use unicode_width::UnicodeWidthStr;

/// Widest column of names of details.
const NAMES: usize = 18;
/// Sets that are listed for one step; the rest are counted.
const SETS: usize = 3;

/// One audience of a plan; `earlier` are those above it on the page.
pub(super) fn audience(
    page: &mut Page,
    names: &Names<'_>,
    mode: Mode,
    of: &AudiencePlan,
    earlier: &[AudiencePlan],
) {
    let aside = match &of.outcome {
        Outcome::Release(release) if release.optimal => {
            (Style::Good, format!("worth {}, the most that is safe", units(release.utility)))
        }
        Outcome::Release(release) => {
            (Style::Warn, format!("worth {} of at most {}", units(release.utility), units(release.bound)))
        }
        Outcome::NoSafePlan(_) => (Style::Bad, "no safe release".to_owned()),
    };
    page.rule(&of.name, &aside);
    if !of.view.is_empty() {
        let view = names.list(of.view.iter().map(String::as_str));
        page.text(0, &[(Style::Dim, format!("Counts as knowing what these get too: {view}."))]);
    }
    match &of.outcome {
        Outcome::Release(release) => {
            let indent = column(release);
            say(page, release, indent);
            if let Some(same) = earlier.iter().find(|other| as_little(other, release)) {
                page.gap();
                page.heading("Why not more");
                page.text(2, &[plain(format!("As for {}, above.", same.name))]);
            } else {
                why_not_more(page, names, mode, of, release, indent);
                pairs(page, names, of, release);
            }
            sets(page, names, release);
            sure(page, names, release);
        }
        Outcome::NoSafePlan(none) => no_safe_plan(page, names, none),
    }
}

/// Whether another audience gets the same, and nothing more for the same reasons.
fn as_little(other: &AudiencePlan, release: &Release) -> bool {
    let Outcome::Release(other) = &other.outcome else { return false };
    let reasons = |release: &'_ Release| -> Vec<_> {
        release.details.iter().map(|detail| (detail.level, detail.next.clone())).collect()
    };
    reasons(other) == reasons(release)
        && other.dangerous_together == release.dangerous_together
        && other.optimal == release.optimal
}

/// Where the text begins beside the names of details.
fn column(release: &Release) -> usize {
    release.details.iter().map(|detail| detail.id.width()).max().unwrap_or(0).min(NAMES) + 5
}

fn say(page: &mut Page, release: &Release, indent: usize) {
    page.gap();
    page.heading("What to say");
    for detail in &release.details {
        let mut text = match &detail.words {
            Some(words) => vec![(Style::Strong, words.clone())],
            None => vec![(Style::Dim, "nothing".to_owned())],
        };
        if let Some(note) = known(detail) {
            text.push((Style::Dim, format!(" ({note})")));
        }
        let worth = if detail.level == 0 { "–".to_owned() } else { units(detail.utility) };
        let right = format!("level {} of {}   worth {worth:>5}", detail.level, detail.levels);
        page.item_with(indent, &plain(format!("  {}", detail.id)), &text, &right);
    }
    if let Some(policy) = &release.policy {
        page.text(
            2,
            &[(Style::Dim, format!("Read off output {} of policy {}", policy.output, policy.sha256))],
        );
    }
}

/// What the audience knows of a detail without this release.
fn known(detail: &DetailPlan) -> Option<String> {
    if detail.known > detail.level {
        Some(format!("it comes to know level {} through others", detail.known))
    } else if detail.told > 0 && detail.told == detail.level {
        Some("told before".to_owned())
    } else if detail.told > 0 {
        Some(format!("level {} told before", detail.told))
    } else {
        None
    }
}

fn why_not_more(
    page: &mut Page,
    names: &Names<'_>,
    mode: Mode,
    of: &AudiencePlan,
    release: &Release,
    indent: usize,
) {
    page.gap();
    page.heading("Why not more");
    let mut exact = Vec::new();
    for detail in &release.details {
        let Some(next) = &detail.next else {
            exact.push(detail.id.as_str());
            continue;
        };
        let gain = (Style::Dim, format!(" would add {}:", units(next.gain)));
        page.item(indent, &plain(format!("  {}", detail.id)), &[quoted(&next.words), gain]);
        let paragraphs = paragraphs(names, &of.id, &next.leaves);
        // Where something breaks, the sets that would hold say nothing.
        let telling: Vec<_> = paragraphs.iter().filter(|(safe, _)| next.safe || !safe).collect();
        for (safe, text) in telling.iter().take(SETS) {
            page.verdict(indent, *safe, text);
        }
        if telling.len() > SETS {
            let rest = u64::try_from(telling.len() - SETS).unwrap_or(u64::MAX);
            page.text(indent, &[plain(format!("  and of {}", counted(rest, "more set")))]);
        }
        if next.safe {
            page.text(indent, &[(Style::Dim, safe_but(mode, release.optimal, next.gain).to_owned())]);
        }
    }
    if !exact.is_empty() {
        let exact = format!("Said exactly: {}.", exact.join(", "));
        page.text(2, &[(Style::Dim, exact)]);
    }
}

/// Why a step is not taken that would break nothing.
fn safe_but(mode: Mode, optimal: bool, gain: f64) -> &'static str {
    match (mode, optimal) {
        (Mode::SelectionSafe, _) => {
            "Safe for this report, but to choose by this report would say something about it."
        }
        (_, true) if gain <= 0.0 => "Safe, but worth nothing to this audience.",
        (_, true) => "Safe by itself.",
        (_, false) => "Safe by itself; the search ended before it tried.",
    }
}

fn pairs(page: &mut Page, names: &Names<'_>, of: &AudiencePlan, release: &Release) {
    if release.dangerous_together.is_empty() {
        return;
    }
    page.gap();
    page.heading("Safe alone, not together");
    for pair in &release.dangerous_together {
        let (a, b) = (&pair.first, &pair.second);
        let what = format!("{} at level {} with {} at level {}: ", a.detail, a.level, b.detail, b.level);
        let mut text = vec![plain(what)];
        if let Some((_, worst)) = paragraphs(names, &of.id, &pair.leaves).into_iter().next() {
            text.extend(worst);
        }
        page.item(4, &plain("  •"), &text);
    }
}

fn sets(page: &mut Page, names: &Names<'_>, release: &Release) {
    page.gap();
    page.heading("Who could still be the source");
    if release.sets.is_empty() {
        page.text(2, &[plain("No protection covers this audience.")]);
    }
    for standing in &release.sets {
        let mut label = names.set(standing.set);
        if let Some(first) = label.get_mut(..1) {
            first.make_ascii_uppercase();
        }
        let text = [
            plain(format!("{label}: ")),
            (Style::Strong, counted(standing.candidates, "candidate")),
            plain(format!(", {}", needed(standing))),
        ];
        page.verdict(2, standing.holds, &text);
        for line in further(standing) {
            page.text(4, &[(Style::Dim, line)]);
        }
    }
}

/// How many candidates must be left, and what for.
fn needed(standing: &SetStanding) -> String {
    let needed = &standing.needed;
    let all = needed.candidates.saturating_add(needed.robust).saturating_add(needed.headroom);
    let mut parts = Vec::new();
    if needed.robust > 0 {
        parts.push(format!("{} that a reader may rule out", count(needed.robust)));
    }
    if needed.headroom > 0 {
        parts.push(format!("{} kept free for later", count(needed.headroom)));
    }
    if parts.is_empty() {
        return format!("{} needed", count(all));
    }
    format!("{} needed: {}, and {}", count(all), count(needed.candidates), parts.join(", and "))
}

/// What else is known of a set.
fn further(standing: &SetStanding) -> Vec<String> {
    let mut lines = Vec::new();
    if let Some(allowed) = standing.needed.share {
        let share = percent(standing.largest_share);
        lines.push(format!(
            "One candidate carries at most {share} of the suspicion, {} allowed.",
            percent(allowed)
        ));
    }
    for diversity in &standing.diversity {
        lines.push(format!(
            "{} of {}, {} needed.",
            counted(diversity.values.into(), "different value"),
            diversity.column,
            diversity.needed
        ));
    }
    lines.push(match &standing.selection_aware {
        Some(SelectionAware { candidates, how: Counted::Constant }) if *candidates == standing.candidates => {
            "A reader who knows how plans are chosen learns no more: the choice is the same for each of them."
                .to_owned()
        }
        Some(SelectionAware { candidates, how }) => {
            let how = match how {
                Counted::Constant => "the choice is the same for each of them",
                Counted::Simulated => "counted by planning every report that might have been",
                Counted::Sampled => "at least; counted by planning some of the reports that might have been",
                Counted::Policy => "all whose reports would have led to the same release",
            };
            let left = counted(*candidates, "candidate");
            format!("For a reader who knows how plans are chosen: {left} ({how}).")
        }
        None => "For a reader who knows how plans are chosen: not counted, may be fewer.".to_owned(),
    });
    lines
}

fn sure(page: &mut Page, names: &Names<'_>, release: &Release) {
    page.gap();
    page.heading("How sure");
    let nodes = counted(release.nodes, "node");
    let text = if release.optimal {
        format!(
            "Proven best: no safe release is worth more than {} ({nodes} searched).",
            units(release.bound)
        )
    } else {
        format!(
            "Not proven best: {nodes} searched, and no safe release is worth more than {}; this one may lack up to {} of that.",
            units(release.bound),
            percent(release.gap)
        )
    };
    page.verdict(2, release.optimal, &[plain(text)]);
    margin(page, names, &release.margin);
}

fn margin(page: &mut Page, names: &Names<'_>, margin: &Margin) {
    let Some(first) = margin.first else {
        page.verdict(
            2,
            true,
            &[plain("Margin: nothing to protect here can fall, however wrong the tables are.")],
        );
        return;
    };
    let text = format!(
        "Margin: every protection still holds when any {} of the candidates are wrongly counted; {} was asked for. What falls first: {}{}.",
        percent(margin.withstands),
        percent(margin.asked),
        names.set(first),
        margin.rule.as_ref().map(rule).unwrap_or_default()
    );
    page.verdict(2, margin.holds, &[plain(text)]);
}

fn rule(rule: &Rule) -> String {
    match rule {
        Rule::Share => " (one candidate too suspicious)".to_owned(),
        other => format!(" ({})", broken(other, 0.0, None)),
    }
}

fn no_safe_plan(page: &mut Page, names: &Names<'_>, none: &NoSafePlan) {
    page.gap();
    let head = if none.proven {
        (Style::Bad, "Nothing can be released to this audience safely. This is proven.".to_owned())
    } else {
        (Style::Warn, "No safe release was found before the search ended. There may be one.".to_owned())
    };
    page.text(2, &[head]);
    page.text(2, &[plain(none.why.as_str())]);
    let against = names.audience(&none.protects_against);
    let stands = match &none.rule {
        Rule::Candidates => format!("{} needed", counted(none.needed, "candidate")),
        other => broken(other, 1.0, None),
    };
    page.text(
        2,
        &[plain(format!(
            "In the way: the protection of {} against {against} ({stands}). The smallest set: {}.",
            names.set(none.set),
            counted(none.candidates, "candidate")
        ))],
    );
}
