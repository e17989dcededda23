//! What `tearline verify` prints: what was said, how specific, to whom, when, and every check by name.

use super::text::{Look, Page, Style, counted, instant, plain};
use crate::desk::verify::{Findings, Found};
use jiff::{SpanRound, Timestamp, Unit};
use serde::Serialize;
use tearline_disclosure::bytes::Digest;
use tearline_disclosure::statement::{Act, Text, Verdict};
use tearline_disclosure::token::{ShownDetail, Step};
use tearline_disclosure::verify::{AnswerView, CaseView, Checks, Outcome, PUBLIC, Relation, ReleaseView};
use tearline_model::value::Value;

/// What a release says, where its checks hold.
#[derive(Serialize)]
pub(crate) struct Said {
    release: Digest,
    act: Act,
    issuer: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    recipient: Option<String>,
    signed: u64,
    logged: u64,
    entry: u64,
    log_size: u64,
    details: Vec<DetailSaid>,
    texts: Vec<Text>,
    #[serde(skip_serializing_if = "Option::is_none")]
    expires: Option<u64>,
    replaces: Vec<Digest>,
    cosigned: Vec<(String, u64)>,
}

#[derive(Serialize)]
struct DetailSaid {
    detail: String,
    words: String,
    specific: String,
    steps: usize,
    checked: usize,
    asserted: usize,
}

impl Said {
    pub(crate) fn of(view: &ReleaseView) -> Option<Self> {
        let statement = view.statement.as_ref().filter(|_| view.checks.none_failed())?;
        let place = view.place.as_ref()?;
        let content = &statement.content;
        let shown = view.shown.as_ref().map(|shown| shown.details.as_slice()).unwrap_or_default();
        Some(Self {
            release: statement.digest(),
            act: content.act,
            issuer: content.iss.clone(),
            recipient: view.recipient.clone(),
            signed: content.iat,
            logged: place.time,
            entry: place.index,
            log_size: place.checkpoint.size(),
            details: shown.iter().map(DetailSaid::of).collect(),
            texts: content.texts.clone(),
            expires: content.expires,
            replaces: content.replaces.clone(),
            cosigned: view.cosigned.clone(),
        })
    }
}

impl DetailSaid {
    fn of(detail: &ShownDetail) -> Self {
        let last = detail.levels.last();
        let steps = |step| detail.levels.iter().filter(|level| level.step == step).count();
        Self {
            detail: detail.name.clone(),
            words: last.map(|level| level.text.clone()).unwrap_or_default(),
            specific: last.map(|level| specific(&level.value)).unwrap_or_default(),
            steps: detail.levels.len(),
            checked: steps(Step::Checked),
            asserted: steps(Step::Asserted),
        }
    }
}

/// How narrow a value is.
fn specific(value: &Value) -> String {
    match value {
        Value::Text(_) => "in words".to_owned(),
        Value::Place(chain) => {
            format!("{}, {}", chain.join(" / "), counted(chain.len() as u64, "name") + " deep")
        }
        Value::Time(from, to) => format!("{}, from {from} to {to}", duration(*from, *to)),
        Value::Number(from, to) if from.total_cmp(to).is_eq() => format!("exactly {from}"),
        Value::Number(from, to) => format!("from {from} to {to}"),
        Value::Network(prefix) => format!("{prefix}"),
        Value::Domain(name) => format!("{name} and what is below it"),
    }
}

fn duration(from: Timestamp, to: Timestamp) -> String {
    let hours = to.since(from).ok().and_then(|span| span.round(SpanRound::new().largest(Unit::Hour)).ok());
    match hours.map(|span| i64::from(span.get_hours())) {
        Some(hours) if hours >= 48 && hours % 24 == 0 => counted(hours.unsigned_abs() / 24, "day"),
        Some(hours) if hours > 0 => counted(hours.unsigned_abs(), "hour"),
        _ => "less than an hour".to_owned(),
    }
}

/// What a finding says.
#[derive(Serialize)]
pub(crate) struct FindingSaid {
    from: String,
    signed: u64,
    detail: String,
    level: u8,
    verdict: Verdict,
    #[serde(skip_serializing_if = "Option::is_none")]
    value: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<String>,
}

impl FindingSaid {
    pub(crate) fn of(view: &AnswerView) -> Option<Self> {
        let content = &view.finding.as_ref().filter(|_| view.checks.none_failed())?.content;
        Some(Self {
            from: content.iss.clone(),
            signed: content.iat,
            detail: content.detail.clone(),
            level: content.level,
            verdict: content.verdict,
            value: content.value.clone(),
            text: content.text.clone(),
        })
    }
}

/// Everything.
pub(crate) fn findings(findings: &Findings, look: Look) -> String {
    let mut page = Page::new(look);
    let mut number = 0;
    for (at, (path, found)) in findings.files.iter().enumerate() {
        if at > 0 {
            page.gap();
        }
        let title = path
            .file_name()
            .map_or_else(|| path.display().to_string(), |name| name.to_string_lossy().into_owned());
        match found {
            Found::Release(_, view) => {
                page.rule(&title, &verdict(view.checks.none_failed()));
                release(&mut page, view, findings.standing.get(number).copied().unwrap_or(true));
                checks(&mut page, &view.checks);
                number += 1;
            }
            Found::Answer(view) => {
                page.rule(&title, &verdict(view.checks.none_failed()));
                answer(&mut page, view);
                checks(&mut page, &view.checks);
            }
            Found::Case(case) => {
                page.rule(&title, &verdict(case.none_failed()));
                whole_case(&mut page, case);
            }
        }
    }
    if !findings.together.0.is_empty() || !findings.relations.is_empty() {
        page.gap();
        page.heading("Together");
        relations(&mut page, &findings.relations, &findings.names);
        checks(&mut page, &findings.together);
    }
    page.finish()
}

fn verdict(passed: bool) -> (Style, String) {
    if passed { (Style::Good, "holds".into()) } else { (Style::Bad, "does not hold".into()) }
}

fn checks(page: &mut Page, checks: &Checks) {
    for check in &checks.0 {
        let text = [(Style::Strong, check.name.to_owned()), plain(format!(": {}", check.what))];
        match check.outcome {
            Outcome::Holds => page.verdict(2, true, &text),
            Outcome::Fails => page.verdict(2, false, &text),
            Outcome::Open => page.item(4, &(Style::Warn, "  ?".into()), &text),
        }
    }
}

fn release(page: &mut Page, view: &ReleaseView, stands: bool) {
    let Some(said) = Said::of(view) else {
        page.text(2, &[(Style::Bad, "Nothing in it can be relied on, so nothing of it is shown.".into())]);
        return;
    };
    let act = match said.act {
        Act::First => "First release",
        Act::Extend => "Extends the release before",
        Act::Update => "Takes the place of the release before",
        Act::Cancel => "Cancels the release before",
    };
    let to = match said.recipient.as_deref() {
        Some(PUBLIC) => " to everybody".to_owned(),
        Some(name) => format!(" to {name}"),
        None => String::new(),
    };
    let (signed, logged) = (time(said.signed), time(said.logged));
    let mut line =
        format!("{act}, by {}{to}. Signed {signed}; logged {logged} as entry {}.", said.issuer, said.entry);
    if !stands {
        line.push_str(" It no longer stands: a later one here has taken its place.");
    }
    page.text(2, &[plain(line)]);
    for detail in &said.details {
        let how = if detail.steps == 1 {
            String::new()
        } else {
            format!(
                "; {} to get there: {} recomputed, {} asserted",
                counted(detail.steps as u64 - 1, "step"),
                detail.checked,
                detail.asserted
            )
        };
        let text =
            [(Style::Strong, detail.words.clone()), (Style::Dim, format!("  ({}{how})", detail.specific))];
        page.item(16, &plain(format!("  {}", detail.detail)), &text);
    }
    let statement = view.statement.as_ref().map(|statement| &statement.content);
    for withdrawn in statement.map(|statement| statement.withdrawn.as_slice()).unwrap_or_default() {
        page.item(
            16,
            &plain(format!("  {}", withdrawn.detail)),
            &[(Style::Warn, format!("taken back: {}", withdrawn.reason))],
        );
    }
    if let Some(reason) = statement.and_then(|statement| statement.reason.as_ref()) {
        page.item(16, &plain("  reason"), &[plain(reason)]);
    }
    if let Some(expires) = said.expires {
        page.item(16, &plain("  until"), &[plain(time(expires))]);
    }
    for text in &said.texts {
        let parts = [&text.headline, &text.description, &text.instruction, &text.contact];
        for (number, part) in parts.into_iter().flatten().enumerate() {
            let label = if number == 0 { format!("  [{}]", text.lang) } else { "  ".to_owned() };
            page.item(16, &(Style::Dim, label), &[plain(part)]);
        }
    }
}

fn answer(page: &mut Page, view: &AnswerView) {
    if let Some(receipt) = view.receipt.as_ref().filter(|_| view.checks.none_failed()) {
        let content = &receipt.content;
        page.text(
            2,
            &[plain(format!("{} acknowledged it to {} on {}.", content.iss, content.aud, time(content.iat)))],
        );
    }
    if let Some(said) = FindingSaid::of(view) {
        let verdict = match said.verdict {
            Verdict::Confirmed => "it holds",
            Verdict::Refuted => "it does not hold",
            Verdict::Conflicting => "something else",
            Verdict::ActedOn => "acted on",
        };
        let value = said.value.map(|value| format!(": {value}")).unwrap_or_default();
        let text = said.text.map(|text| format!(" ({text})")).unwrap_or_default();
        let line = format!(
            "{} on {:?}: {verdict}{value}{text}. Signed {}.",
            said.from,
            said.detail,
            time(said.signed)
        );
        page.text(2, &[plain(line)]);
    }
}

fn whole_case(page: &mut Page, case: &CaseView) {
    for (number, view) in case.releases.iter().enumerate() {
        page.heading(&format!("Release {}", number + 1));
        release(page, view, case.standing.get(number).copied().unwrap_or(true));
        for (answered, of) in case.receipts.iter().chain(&case.findings) {
            if *of == Some(number) {
                answer(page, answered);
            }
        }
        checks(page, &view.checks);
    }
    for (title, answers) in [("Receipts", &case.receipts), ("Findings", &case.findings)] {
        if !answers.is_empty() {
            page.heading(title);
            for (view, of) in answers {
                let of = of.map_or("on nothing here".to_owned(), |of| format!("on release {}", of + 1));
                page.text(2, &[plain(of)]);
                checks(page, &view.checks);
            }
        }
    }
    if case.receipts.is_empty() {
        page.text(
            0,
            &[(
                Style::Warn,
                "No receipt is shown: whether and by whom it was acknowledged cannot be told from this file."
                    .into(),
            )],
        );
    }
    for (drafted, approved, place) in &case.determinations {
        let content = &drafted.content;
        let decision =
            serde_json::to_value(content.decision).ok().and_then(|value| value.as_str().map(str::to_owned));
        page.heading("Determination");
        page.text(
            2,
            &[plain(format!(
                "{}: drafted by {} on {}, approved by {} on {}; logged as entry {}. {}",
                decision.unwrap_or_default(),
                content.iss,
                time(content.iat),
                approved.content.iss,
                time(approved.content.iat),
                place.index,
                content.basis
            ))],
        );
    }
    if !case.checks.0.is_empty() {
        page.heading("The bundle as a whole");
        checks(page, &case.checks);
    }
}

fn relations(page: &mut Page, relations: &[Relation], names: &[String]) {
    let name = |at: usize| names.get(at).cloned().unwrap_or_default();
    for relation in relations {
        let line = match relation {
            Relation::Replaces { newer, older } => {
                format!("{} takes the place of {}.", name(*newer), name(*older))
            }
            Relation::SameToken { first, second, first_more, second_more } => {
                let more = |at: usize, details: &[String]| {
                    if details.is_empty() {
                        String::new()
                    } else {
                        format!(" {} shows more of: {}.", name(at), details.join(", "))
                    }
                };
                let same =
                    if first_more.is_empty() && second_more.is_empty() { " Both show the same." } else { "" };
                format!(
                    "{} and {} show the same token: what both say was committed to together, before either was released.{}{}{same}",
                    name(*first),
                    name(*second),
                    more(*first, first_more),
                    more(*second, second_more)
                )
            }
        };
        page.text(2, &[plain(line)]);
    }
}

fn time(seconds: u64) -> String {
    instant(seconds, "%Y-%m-%d %H:%M UTC")
}
