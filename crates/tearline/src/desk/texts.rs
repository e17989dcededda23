//! Free texts: read from a file or asked for, and checked against what may be said.

use super::files;
use crate::args::ReleaseArgs;
use anyhow::{Context, Result, bail};
use serde::Deserialize;
use std::io::{BufRead, IsTerminal, Write};
use tearline_disclosure::statement::{OverriddenFlag, Text};
use tearline_disclosure::text_check::{self, Flag};
use tearline_model::report::Report;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Texts {
    #[serde(default)]
    text: Vec<Text>,
}

/// The texts of a release.
pub(super) fn read(args: &ReleaseArgs) -> Result<Vec<Text>> {
    if args.no_text || args.cancel {
        return Ok(Vec::new());
    }
    let Some(path) = &args.texts else {
        return ask();
    };
    let bytes = files::bytes(path)?;
    let text = String::from_utf8(bytes).with_context(|| format!("{} is not UTF-8", path.display()))?;
    let texts: Texts = toml::from_str(&text).with_context(|| format!("{} cannot be used", path.display()))?;
    for (number, text) in texts.text.iter().enumerate() {
        let tag = &text.lang;
        let plain = |c: char| c.is_ascii_alphanumeric() || c == '-';
        if tag.len() < 2 || tag.len() > 35 || !tag.chars().all(plain) {
            bail!(
                "{}: text {}: lang is {tag:?}; expected a language tag like \"en\" or \"pt-BR\"",
                path.display(),
                number + 1
            );
        }
        if texts.text[..number].iter().any(|other| other.lang.eq_ignore_ascii_case(tag)) {
            bail!("{}: text {}: there is a text in {tag:?} already", path.display(), number + 1);
        }
    }
    Ok(texts.text)
}

/// Asks for one text on the terminal.
fn ask() -> Result<Vec<Text>> {
    if !std::io::stdin().is_terminal() {
        bail!("there is no text. Give a file with --texts, or release the details alone with --no-text");
    }
    let mut lines = std::io::stdin().lock().lines();
    let mut line = |prompt: &str| -> Result<Option<String>> {
        let mut out = std::io::stderr().lock();
        write!(out, "{prompt}: ").and_then(|()| out.flush()).context("nothing can be asked here")?;
        let line = lines.next().transpose().context("the answer cannot be read")?.unwrap_or_default();
        Ok(Some(line.trim().to_owned()).filter(|line| !line.is_empty()))
    };
    let lang = line("Language [en]")?.unwrap_or_else(|| "en".to_owned());
    let text = Text {
        lang,
        headline: line("Headline")?,
        description: line("Description")?,
        instruction: line("What to do")?,
        contact: line("Whom to ask")?,
    };
    let empty = [&text.headline, &text.description, &text.instruction, &text.contact]
        .into_iter()
        .all(Option::is_none);
    Ok(if empty { Vec::new() } else { vec![text] })
}

/// What the check finds in the texts, and in what else the recipient reads.
pub(super) fn check(texts: &[Text], report: &Report, levels: &[u8]) -> Vec<Flag> {
    let fields = texts.iter().flat_map(|text| {
        let fields = [
            ("headline", &text.headline),
            ("description", &text.description),
            ("instruction", &text.instruction),
            ("contact", &text.contact),
        ];
        fields.into_iter().filter_map(|(field, content)| {
            Some(text_check::Text { field, language: &text.lang, text: content.as_deref()? })
        })
    });
    text_check::check(&fields.collect::<Vec<_>>(), report, levels)
}

/// A flag as the log records it.
pub(super) fn overridden(flag: &Flag) -> OverriddenFlag {
    OverriddenFlag {
        lang: flag.language.clone(),
        field: flag.field.clone(),
        at: flag.position,
        matched: flag.matched.clone(),
        detail: flag.detail.clone(),
        level: flag.level,
    }
}
