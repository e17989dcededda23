//! What a choice of levels would leave.

use super::leaves::{Names, broken};
use super::text::{Look, Page, Style, count, counted, plain, units};
use tearline_model::report::{Mode, Report};
use tearline_planner::plan::{ProtectedSet, Rule};
use tearline_planner::planning::{Answer, choose_mode};

/// The answer for one audience of a report. `levels` are what was asked about.
pub(crate) fn what_if(
    report: &Report,
    audience: usize,
    levels: &[u8],
    sets: &[ProtectedSet],
    answer: &Answer,
    look: Look,
) -> String {
    let mut page = Page::new(look);
    let names = Names::of_sets(sets);
    let verdict =
        if answer.safe { (Style::Good, "safe".to_owned()) } else { (Style::Bad, "not safe".to_owned()) };
    page.rule(&report.audiences[audience].name, &verdict);
    page.gap();
    page.heading("If it were told");
    let raised = |id: &str| answer.raised.iter().find(|(raised, _)| raised == id).map(|(_, level)| *level);
    let mut silent = Vec::new();
    for (detail, &asked) in report.details.iter().zip(levels) {
        let level = raised(&detail.id).unwrap_or(asked);
        let Some(at) = level.checked_sub(1) else {
            silent.push(detail.id.as_str());
            continue;
        };
        let mut text = vec![(Style::Strong, detail.levels[usize::from(at)].text.clone())];
        if level > asked {
            text.push((Style::Dim, " (it knows that much anyway)".to_owned()));
        }
        let right = format!("level {level} of {}", detail.levels.len());
        page.item_with(16, &plain(format!("  {}", detail.id)), &text, &right);
    }
    if !silent.is_empty() {
        page.text(2, &[(Style::Dim, format!("Nothing of {}.", silent.join(", ")))]);
    }
    page.gap();
    page.heading("Who could still be the source");
    if answer.sets.is_empty() {
        page.text(2, &[plain("No protection covers anybody who would know.")]);
    }
    for stand in &answer.sets {
        let mut text = vec![
            plain(format!("{}: ", names.set(stand.set))),
            (Style::Strong, counted(stand.candidates, "candidate")),
            plain(format!(", {} needed", count(stand.needed))),
        ];
        for rule in stand.broken.iter().filter(|rule| **rule != Rule::Candidates) {
            text.push((Style::Bad, format!("; {}", broken(rule, stand.largest_share, None))));
        }
        let name =
            |id: &String| report.audiences.iter().find(|of| of.id == *id).map_or("?", |of| of.name.as_str());
        let against: Vec<&str> = stand.audiences.iter().map(name).collect();
        text.push((Style::Dim, format!(" (against {})", names.list(against))));
        page.verdict(2, stand.broken.is_empty(), &text);
    }
    if choose_mode(report).mode != Mode::Nominal {
        let text = "Counted for a reader who does not ask why this was chosen. A choice of your own is not one of a \
                    policy's: who knows how plans are chosen may be left with fewer.";
        page.text(2, &[(Style::Warn, text.into())]);
    }
    if !answer.safe {
        page.gap();
        page.heading("One step down that repairs it");
        if answer.repairs.is_empty() {
            page.text(2, &[plain("None: no single step is enough.")]);
        }
    }
    for repair in &answer.repairs {
        let detail = report.details.iter().find(|detail| detail.id == repair.detail);
        let at = usize::from(repair.level).checked_sub(1);
        let words =
            detail.zip(at).map_or("nothing".into(), |(detail, at)| format!("“{}”", detail.levels[at].text));
        let text =
            [plain(words), (Style::Dim, format!(" (level {}), costs {}", repair.level, units(repair.costs)))];
        page.item(16, &plain(format!("  {}", repair.detail)), &text);
    }
    page.finish()
}
