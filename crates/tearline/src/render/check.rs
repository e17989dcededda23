//! What was understood of a report that is in order.

use super::text::{Look, Page, Style, count, counted, plain};
use crate::check::Summary;

/// The summary of a checked report.
pub(crate) fn check(summary: &Summary, look: Look) -> String {
    let mut page = Page::new(look);
    page.rule(&summary.title, &(Style::Good, "in order".to_owned()));
    let line = |page: &mut Page, label: &str, text: &str| {
        page.item(14, &plain(format!("  {label}")), &[plain(text)]);
    };
    line(&mut page, "Report", &summary.report);
    let number = |list: usize| u64::try_from(list).unwrap_or(u64::MAX);
    let details: Vec<String> =
        summary.details.iter().map(|detail| format!("{} ({})", detail.name, detail.levels)).collect();
    line(&mut page, "Details", &format!("{} (levels): {}", details.len(), details.join(", ")));
    for population in &summary.populations {
        let Some(rows) = &population.counted else {
            let text = format!(
                "{}: its table has the columns, and its engine takes every expression",
                population.name
            );
            line(&mut page, "Population", &text);
            continue;
        };
        let mut parts = vec![
            format!("{}: {}", population.name, counted(rows.candidates, "candidate")),
            format!("{} different in what they know", count(number(rows.classes))),
        ];
        if rows.cleared > 0 {
            parts.push(format!("{} presumed cleared", count(rows.cleared)));
        }
        line(&mut page, "Population", &parts.join(", "));
    }
    line(&mut page, "Audiences", &summary.audiences.join(", "));
    line(&mut page, "Protections", &count(number(summary.protections)));
    line(&mut page, "Mode", &format!("{}. {}", super::plan::mode(summary.mode), summary.mode_reason));
    page.finish()
}
