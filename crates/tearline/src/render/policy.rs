//! Policies that were built, with what is to be published.

use super::text::{Look, Page, Style, count, counted, plain, units};
use crate::policy::Built;

/// What `tearline policy` wrote.
pub(crate) fn built(built: &Built, look: Look) -> String {
    let mut page = Page::new(look);
    for (place, policy) in built.policies.iter().enumerate() {
        if place > 0 {
            page.gap();
        }
        let worth = format!("worth {} in the mean", units(policy.mean_worth));
        page.rule(&policy.name, &(Style::Strong, worth));
        page.item(10, &plain("  SHA-256"), &[(Style::Strong, policy.sha256.clone())]);
        page.item(10, &plain("  File"), &[plain(policy.file.display().to_string())]);
        let mut text = counted(u64::try_from(policy.outputs).unwrap_or(u64::MAX), "possible answer");
        if let Some(fewest) = policy.fewest {
            text = format!("{text}, each shared by {} candidates or more", count(fewest));
        }
        page.item(10, &plain("  Holds"), &[plain(text)]);
    }
    if let Some(ended) = &built.ended {
        page.text(2, &[(Style::Bad, ended.clone())]);
    }
    if !built.policies.is_empty() {
        page.gap();
        page.text(0, &[plain(
            "Publish the hashes before there is a report, the last one at least: it fixes all those before it. \
             Then plan with --policy.",
        )]);
    }
    page.finish()
}

/// What to say of policies that were built while a plan was made.
pub(crate) fn built_for_this(look: Look) -> String {
    let mut page = Page::new(look);
    let text = "The policies were built for this plan, and not kept. For others to rely on them write them with \
                `tearline policy`, publish their hashes before a report comes in, and plan with --policy.";
    page.item(4, &plain("  •"), &[plain(text)]);
    page.finish()
}
