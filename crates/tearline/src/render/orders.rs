//! What the two orders of planning give to each audience.

use super::text::{Look, Page, Style, plain, units};
use tearline_planner::plan::{AudiencePlan, Outcome, Plan};

/// Compares plans of the same report: those seen first, and by priority alone.
pub(crate) fn orders(seen_first: &Plan, by_priority: &Plan, title: &str, look: Look) -> String {
    let mut page = Page::new(look);
    page.heading(title);
    let orders = [("Those who are seen by others first", seen_first), ("By priority alone", by_priority)];
    for (name, plan) in orders {
        page.gap();
        let total: f64 = plan.audiences.iter().map(worth).sum();
        page.rule(name, &(Style::Strong, format!("worth {} in all", units(total))));
        for audience in &plan.audiences {
            page.item(4, &plain("  •"), &[plain(format!("{}: ", audience.name)), plain(outcome(audience))]);
        }
    }
    page.gap();
    page.rule("What differs", &plain(""));
    let mut same = true;
    for first in &seen_first.audiences {
        let Some(second) = by_priority.audiences.iter().find(|other| other.id == first.id) else { continue };
        let (Outcome::Release(a), Outcome::Release(b)) = (&first.outcome, &second.outcome) else {
            same &=
                matches!((&first.outcome, &second.outcome), (Outcome::NoSafePlan(_), Outcome::NoSafePlan(_)));
            continue;
        };
        for (a, b) in a.details.iter().zip(&b.details).filter(|(a, b)| a.level != b.level) {
            same = false;
            let words = |words: &Option<String>| {
                words.as_ref().map_or("nothing".into(), |words| format!("“{words}”"))
            };
            let text = format!("{}, {}: {} or {}", first.name, a.id, words(&a.words), words(&b.words));
            page.item(4, &plain("  •"), &[plain(text)]);
        }
    }
    if same {
        page.text(2, &[plain("Nothing: both orders say the same to everybody.")]);
    }
    page.finish()
}

fn worth(audience: &AudiencePlan) -> f64 {
    match &audience.outcome {
        Outcome::Release(release) => release.utility,
        Outcome::NoSafePlan(_) => 0.0,
    }
}

fn outcome(audience: &AudiencePlan) -> String {
    match &audience.outcome {
        Outcome::Release(release) if release.optimal => format!("worth {}", units(release.utility)),
        Outcome::Release(release) => {
            format!("worth {}, at most {} (not proven)", units(release.utility), units(release.bound))
        }
        Outcome::NoSafePlan(none) if none.proven => "no safe release".to_owned(),
        Outcome::NoSafePlan(_) => "no safe release found".to_owned(),
    }
}
