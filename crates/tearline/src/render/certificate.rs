//! What was found of a certificate, check by check.

use super::text::{Look, Page, Style, plain};
use tearline_planner::checker::Verdict;

/// Every check by its name, and what nobody can check.
pub(crate) fn verdict(verdict: &Verdict, look: Look) -> String {
    let mut page = Page::new(look);
    let aside = match (verdict.passed(), verdict.failed().count()) {
        (true, _) => (Style::Good, "holds".to_owned()),
        (false, 1) => (Style::Bad, "does not hold: 1 check failed".to_owned()),
        (false, many) => (Style::Bad, format!("does not hold: {many} checks failed")),
    };
    page.rule("Certificate", &aside);
    for check in &verdict.checks {
        let name = (Style::Strong, format!("{}. ", check.name));
        page.verdict(2, check.passed, &[name, plain(check.says.as_str())]);
    }
    page.gap();
    page.heading("Not checked");
    for sentence in &verdict.unverified {
        page.item(4, &plain("  •"), &[plain(sentence.as_str())]);
    }
    page.finish()
}
