//! A plan, from its title to what it assumes.

use super::audience;
use super::leaves::Names;
use super::text::{Look, Page, Style, plain};
use tearline_planner::plan::{Mode, Plan};

/// The whole plan.
pub(crate) fn plan(plan: &Plan, title: &str, look: Look) -> String {
    let mut page = Page::new(look);
    page.heading(title);
    page.text(0, &[(Style::Dim, format!("Report {}. For the originator’s eyes only.", plan.report))]);
    page.gap();
    page.item(
        6,
        &plain("Mode"),
        &[(Style::Strong, mode(plan.mode).to_owned()), plain(". "), plain(plan.mode_reason.as_str())],
    );
    let names = Names::new(plan);
    for (place, of) in plan.audiences.iter().enumerate() {
        page.gap();
        audience::audience(&mut page, &names, plan.mode, of, &plan.audiences[..place]);
    }
    page.gap();
    page.rule("Assumed", &plain(""));
    for assumption in &plan.assumptions {
        page.item(4, &plain("  •"), &[plain(assumption.as_str())]);
    }
    page.finish()
}

/// A mode's name.
pub(super) fn mode(mode: Mode) -> &'static str {
    match mode {
        Mode::Nominal => "nominal",
        Mode::Audited => "audited",
        Mode::SelectionSafe => "selection-safe",
    }
}
