//! `tearline release`: from a plan to a signed release, recorded before it is given out.

use super::book::Book;
use super::keys::public_of;
use super::planned::{self, Levels};
use super::standing::{About, Released, live, releases};
use super::{files, texts};
use crate::args::ReleaseArgs;
use crate::failure::{Ending, Usage};
use crate::render::text::{Look, count};
use crate::{load, names, output};
use anyhow::{Context, Result, bail};
use serde::Serialize;
use std::collections::BTreeMap;
use std::path::PathBuf;
use tearline_disclosure::bytes::{Bytes, Digest};
use tearline_disclosure::entry::Kind;
use tearline_disclosure::files::{Consistency, Logged, Recipient, ReleaseFile, VERSION};
use tearline_disclosure::statement::{Act, Override, Release, Signed, Text, Withdrawn, recipient};
use tearline_disclosure::text_check::Flag;
use tearline_disclosure::token::{self, Committed, Issued};
use tearline_disclosure::verify::PUBLIC;
use tearline_model::report::Report;
use tearline_store::desk::Desk;
use tearline_store::keys::{SecretKeys, random};

/// Runs the subcommand.
pub(crate) fn run(args: &ReleaseArgs, _look: Look) -> Result<Ending> {
    let load::Loaded { mut report, file } = load::report(&args.report)?;
    if let Some(mode) = args.mode {
        report.mode = Some(mode.into());
    }
    let audience = names::audience(&report, &args.audience)?;
    let of = report.audiences[audience].clone();
    let to = args.to.clone().unwrap_or_else(|| if of.public { PUBLIC.to_owned() } else { of.id.clone() });
    let keys = files::secret(&args.key.key, &args.key.passphrase)?;
    let mut book = Book::open(&args.desk.desk, &keys)?;
    let before = releases(&book.desk, &report.id)?;
    let standing: Vec<Released> = live(&before, &of.id, &to).into_iter().cloned().collect();
    let act = act(args, &standing, &of.name)?;
    let ledger = book.desk.ledger(&report.id)?;
    planned::with_ledger(&mut report, &ledger);
    let texts = texts::read(args)?;
    let chosen =
        if act == Act::Cancel { None } else { Some(planned::levels(args, &report, &file, audience)?) };
    let mut levels =
        chosen.as_ref().map_or_else(|| vec![0; report.details.len()], |chosen| chosen.levels.clone());
    not_dropped(args, &report, &standing, &mut levels)?;
    if of.own_people && act != Act::Cancel {
        no_double_standard(&book.desk, &before, &report, &of.id, &levels)?;
    }
    let mut read = texts.clone();
    read.extend(spoken(args));
    let flags = texts::check(&read, &report, &levels);
    if !flags.is_empty() && args.override_reason.is_none() {
        return Ok(refused(&flags));
    }
    let shown: BTreeMap<String, u8> = report
        .details
        .iter()
        .zip(&levels)
        .filter(|&(_, &level)| level > 0)
        .map(|(detail, &level)| (detail.id.clone(), level))
        .collect();
    if act == Act::Extend && standing.iter().all(|released| released.about.levels == shown) {
        bail!("there is nothing to extend: the plan for {} shows what the release before shows", of.name);
    }
    let iat = book.time()?;
    let own = public_of(&keys)?;
    let (presented, token_logged) = if act == Act::Cancel {
        (None, None)
    } else {
        let (presented, logged) = presented(
            args,
            &report,
            &mut book,
            &keys,
            &own.name,
            own.log_origin(),
            iat,
            act,
            &standing,
            &levels,
        )?;
        (Some(presented), Some(logged))
    };
    let salt = Bytes(random()?);
    let statement = Release {
        v: 1,
        iss: own.name.clone(),
        iat,
        jti: Bytes(random()?),
        log: own.log_origin().to_owned(),
        act,
        to: recipient(&salt, &to),
        sd_hash: presented.as_ref().map(|presented| Digest::of(presented.as_bytes())),
        nonce: Bytes(random()?),
        texts,
        replaces: standing.iter().map(Released::digest).collect(),
        withdrawn: args
            .withdraw
            .iter()
            .map(|(detail, reason)| Withdrawn { detail: detail.clone(), reason: reason.clone() })
            .collect(),
        reason: args.reason.clone(),
        expires: args.expires.and_then(|time| u64::try_from(time.as_second()).ok()),
    };
    let signed = Signed::sign(statement, &keys.sign());
    if let (Some(reason), false) = (&args.override_reason, flags.is_empty()) {
        let overridden = Override {
            v: 1,
            iss: own.name.clone(),
            iat,
            jti: Bytes(random()?),
            report: report.id.clone(),
            audience: of.id.clone(),
            flags: flags.iter().map(texts::overridden).collect(),
            reason: reason.clone(),
        };
        let overridden = Signed::sign(overridden, &keys.sign());
        let about = serde_json::json!({});
        book.record(Kind::Override, &report.id, &of.id, &overridden.jws, overridden.digest(), &about, &[])?;
    }
    let recipient = Recipient { name: to.clone(), salt };
    let about = About {
        act,
        recipient: recipient.clone(),
        token: presented.clone(),
        levels: shown.clone(),
        replaces: signed.content.replaces.clone(),
        certificate_sha256: chosen.map(|Levels { certificate, .. }| certificate),
    };
    let told: Vec<(String, u8)> = shown.iter().map(|(detail, level)| (detail.clone(), *level)).collect();
    let about = serde_json::to_value(&about)?;
    let logged =
        book.record(Kind::Release, &report.id, &of.id, &signed.jws, signed.digest(), &about, &told)?;
    let release = ReleaseFile {
        version: VERSION,
        issuer: own,
        statement: signed.jws.clone(),
        token: presented,
        token_logged,
        recipient: Some(recipient),
        logged,
        consistency: consistency(&book, &to)?,
        keys: book.key_changes()?,
    };
    let path = output_path(args, &report, &of.id, before.len())?;
    files::write(&path, &release)?;
    let done = Done {
        release: signed.digest(),
        act,
        to: &to,
        file: path.display().to_string(),
        levels: &shown,
        log_size: book.checkpoint().size(),
        overridden: flags.len(),
    };
    let text = if args.json { output::json(&done) } else { told_text(&done, &report, &levels) };
    output::to_stdout(&text)?;
    Ok(Ending::Done)
}

#[derive(Serialize)]
struct Done<'a> {
    release: Digest,
    act: Act,
    to: &'a str,
    file: String,
    levels: &'a BTreeMap<String, u8>,
    log_size: u64,
    overridden: usize,
}

fn told_text(done: &Done<'_>, report: &Report, levels: &[u8]) -> String {
    let said = report.details.iter().zip(levels).filter(|&(_, &level)| level > 0);
    let lines: Vec<String> = said
        .map(|(detail, &level)| {
            format!("  {:12} {}\n", detail.id, detail.levels[usize::from(level) - 1].text)
        })
        .collect();
    let text = lines.concat();
    let what = match done.act {
        Act::First => "Released",
        Act::Extend => "Extended",
        Act::Update => "Updated",
        Act::Cancel => "Cancelled",
    };
    format!(
        "{what}, signed and recorded; the log now has {} entries.\n{text}{} is for {}. Nothing else may leave the desk.\n",
        count(done.log_size),
        done.file,
        if done.to == PUBLIC { "everybody" } else { done.to }
    )
}

/// What the release does, from what was asked and what stands.
fn act(args: &ReleaseArgs, standing: &[Released], name: &str) -> Result<Act> {
    let asked = match (args.extend, args.update, args.cancel) {
        (true, ..) => Some(Act::Extend),
        (_, true, _) => Some(Act::Update),
        (.., true) => Some(Act::Cancel),
        _ => None,
    };
    match (asked, standing) {
        (None, []) => Ok(Act::First),
        (Some(act), [_, ..]) => Ok(act),
        (None, [_, ..]) => Err(Usage(format!(
            "a release of this report to {name} stands. Say what to do with it: --extend shows more of the same, \
             --update takes its place, --cancel takes it back"
        ))
        .into()),
        (Some(_), []) => Err(Usage(format!(
            "no release of this report to {name} stands, so there is nothing to extend, update or cancel"
        ))
        .into()),
    }
}

/// A detail that was shown stays as exact as it was, or is taken back with a reason.
fn not_dropped(args: &ReleaseArgs, report: &Report, standing: &[Released], levels: &mut [u8]) -> Result<()> {
    for (detail, _) in &args.withdraw {
        let shown = standing.iter().any(|released| released.about.levels.contains_key(detail));
        if !shown {
            return Err(Usage(format!("{detail:?} was not shown, so it cannot be taken back")).into());
        }
        if let Some(at) = report.details.iter().position(|of| of.id == *detail) {
            levels[at] = 0;
        }
    }
    if args.cancel {
        return Ok(());
    }
    for (detail, &level) in standing.iter().flat_map(|released| &released.about.levels) {
        let now = report.details.iter().position(|of| of.id == *detail).map_or(0, |at| levels[at]);
        if now < level && !args.withdraw.iter().any(|(name, _)| name == detail) {
            bail!(
                "the detail {detail:?} was shown at level {level}, and this release would drop it without a word. Take \
                 it back expressly with --update --withdraw {detail}=REASON, or put it back into the report"
            );
        }
    }
    Ok(())
}

/// 7 FAM 052: what one's own people are told, the public is told too, or an exception is on record.
fn no_double_standard(
    desk: &Desk,
    before: &[Released],
    report: &Report,
    own: &str,
    levels: &[u8],
) -> Result<()> {
    let public = report.audiences.iter().find(|audience| audience.public);
    let said = public.map(|public| live(before, &public.id, PUBLIC)).unwrap_or_default();
    let matched = report.details.iter().zip(levels).all(|(detail, &level)| {
        level == 0
            || said
                .iter()
                .any(|released| released.about.levels.get(&detail.id).is_some_and(|&public| public >= level))
    });
    if matched && !said.is_empty() {
        return Ok(());
    }
    let excepted =
        desk.records(&report.id)?.iter().any(|record| record.kind == "exception" && record.audience == own);
    if excepted {
        return Ok(());
    }
    bail!(
        "No Double Standard: this would tell one's own people what no release to the public says. Release to the public \
         first, or have a senior record an exception with `tearline determine exception`"
    )
}

/// Everything else that the recipient reads.
fn spoken(args: &ReleaseArgs) -> Vec<Text> {
    let mut all: Vec<&str> = args.withdraw.iter().map(|(_, reason)| reason.as_str()).collect();
    all.extend(args.reason.as_deref());
    let text =
        |words: &str| Text { lang: "und".into(), description: Some(words.to_owned()), ..Text::default() };
    all.into_iter().map(text).collect()
}

fn refused(flags: &[Flag]) -> Ending {
    let line = |flag: &Flag| {
        let (language, field, at) = (&flag.language, &flag.field, flag.position);
        let (matched, detail, level) = (&flag.matched, &flag.detail, flag.level);
        format!("  {language} {field} at {at}: {matched:?} gives away {detail} at level {level}\n")
    };
    let lines: Vec<String> = flags.iter().map(line).collect();
    let text = format!(
        "The text says more than the plan releases. Nothing was signed.\n{}Change the text; or, if it is meant so, say \
         why with --override REASON, which the log records.\n",
        lines.concat()
    );
    output::to_stderr(&text);
    Ending::No
}

/// The part of a token that this release shows: of the one that was signed for this version of the report, or of a new
/// one.
#[expect(
    clippy::too_many_arguments,
    reason = "a step of `run`, apart so that the token's life can be read in one place"
)]
fn presented(
    args: &ReleaseArgs,
    report: &Report,
    book: &mut Book,
    keys: &SecretKeys,
    name: &str,
    origin: &str,
    iat: u64,
    act: Act,
    standing: &[Released],
    levels: &[u8],
) -> Result<(String, Logged)> {
    let details: Vec<Committed<'_>> = report.details.iter().map(Committed::from).collect();
    let committed: Vec<String> = details.iter().map(|detail| format!("{detail:?}")).collect();
    let version =
        Digest::tagged("tearline token of", &[report.id.as_bytes(), committed.join("\n").as_bytes()]);
    let own = if args.own_token { format!("/{}", args.audience) } else { String::new() };
    let place = format!("token/{}/{version}{own}", report.id);
    let issued: Issued = match book.desk.kept(&place)? {
        Some(bytes) => serde_json::from_slice(&bytes).context("a token of the desk cannot be read")?,
        None if act == Act::Extend => bail!(
            "the details of the report are not those that the release before was signed over. Take its place with \
             --update"
        ),
        None => {
            let issued = token::issue(&keys.sign(), name, origin, iat, &details, &random()?)?;
            book.desk.keep(&place, &serde_json::to_vec(&issued)?)?;
            issued
        }
    };
    let presented = token::present(&issued, levels)?;
    if act == Act::Extend {
        for earlier in standing.iter().filter_map(|released| released.about.token.as_deref()) {
            token::extends(earlier, &presented)
                .context("this does not extend the release before. Take its place with --update")?;
        }
    }
    let digest = Digest::of(issued.jwt().as_bytes());
    // Logged before anything of it is shown: from then on all of it is committed to.
    let logged = match book.desk.by_digest(&digest.to_string())? {
        Some(record) => book.logged(&record)?,
        None => {
            book.record(Kind::Token, &report.id, "", issued.jwt(), digest, &serde_json::json!({}), &[])?
        }
    };
    Ok((presented, logged))
}

/// From the newest checkpoint that the recipient is known to have seen.
fn consistency(book: &Book, to: &str) -> Result<Option<Consistency>> {
    let Some(seen) = book.desk.kept(&format!("seen/{to}"))? else { return Ok(None) };
    let from: u64 = String::from_utf8(seen)?.parse()?;
    let (_, proof) = book.reader().consistency(from, book.checkpoint())?;
    Ok(Some(Consistency { from, proof: proof.into_iter().map(|hash| Bytes(hash.0)).collect() }))
}

fn output_path(args: &ReleaseArgs, report: &Report, audience: &str, before: usize) -> Result<PathBuf> {
    if let Some(path) = &args.output {
        return Ok(path.clone());
    }
    let plain = |name: &str| -> String {
        name.chars()
            .map(|c| if c.is_ascii_alphanumeric() || matches!(c, '-' | '_') { c } else { '-' })
            .collect()
    };
    let path =
        PathBuf::from(format!("{}-{}-{}.release.json", plain(&report.id), plain(audience), before + 1));
    if path.exists() {
        bail!("{} is there already. Say with --output where to write the release", path.display());
    }
    Ok(path)
}
