//! `tearline evidence`: one file with which a third party checks what was said.

use super::book::Shelf;
use super::files;
use super::standing::{Released, releases};
use crate::args::EvidenceArgs;
use crate::failure::Ending;
use crate::output;
use anyhow::{Context, Result, bail};
use std::collections::BTreeSet;
use tearline_disclosure::bytes::Digest;
use tearline_disclosure::files::{
    AnswerFile, CaseFile, CaseRelease, DeterminationFile, File, Logged, VERSION,
};
use tearline_disclosure::identity::PublicKeys;
use tearline_disclosure::statement::{Acknowledged, Finding, Receipt, unverified};
use tearline_disclosure::token;
use tearline_store::desk::Record;

/// Runs the subcommand.
pub(crate) fn run(args: &EvidenceArgs) -> Result<Ending> {
    let File::Release(file) = files::file(&args.release)? else {
        bail!("{} is not a release", args.release.display());
    };
    let mut shelf = Shelf::open(&args.desk.desk)?;
    let digest = Digest::of(file.statement.as_bytes());
    let record = shelf.desk.by_digest(&digest.to_string())?.filter(|record| record.kind == "release");
    let record = record.context("this desk did not make that release")?;
    let all = releases(&shelf.desk, &record.report)?;
    // With it goes what it replaces and what replaced it: one line, so that nothing is out of its context.
    let mut line: BTreeSet<Digest> = BTreeSet::from([digest]);
    loop {
        let before = line.len();
        for released in &all {
            let joined = released.about.replaces.iter().any(|replaced| line.contains(replaced));
            if line.contains(&released.digest()) {
                line.extend(&released.about.replaces);
            } else if joined {
                line.insert(released.digest());
            }
        }
        if line.len() == before {
            break;
        }
    }
    let within: Vec<&Released> = all.iter().filter(|released| line.contains(&released.digest())).collect();
    // A cosigned checkpoint serves if it covers all that the bundle needs.
    let audiences: BTreeSet<&str> = within.iter().map(|released| released.record.audience.as_str()).collect();
    let needed = |other: &Record| match other.kind.as_str() {
        "key" => true,
        "release" => within.iter().any(|released| released.record.id == other.id),
        "receipt" | "finding" => args.reveal_recipient && audiences.contains(other.audience.as_str()),
        "determination" => args.with_determinations && other.report == record.report,
        _ => false,
    };
    let newest =
        shelf.desk.records("")?.iter().filter(|other| needed(other)).filter_map(|other| other.place).max();
    let newest = newest.unwrap_or(0);
    shelf.prefer_cosigned(newest)?;
    let case_releases = within
        .iter()
        .map(|released| {
            Ok(CaseRelease {
                statement: released.statement(),
                token: released.about.token.clone(),
                token_logged: token_logged(&shelf, released)?,
                recipient: args.reveal_recipient.then(|| released.about.recipient.clone()),
                logged: shelf.logged(&released.record)?,
            })
        })
        .collect::<Result<Vec<_>>>()?;
    let records = shelf.desk.records(&record.report)?;
    let (mut receipts, mut findings, mut determinations) = (Vec::new(), Vec::new(), Vec::new());
    if args.reveal_recipient {
        for record in &records {
            let text = String::from_utf8_lossy(&record.payload);
            match record.kind.as_str() {
                "receipt" => {
                    let receipt: Receipt = unverified(&text)?;
                    if matches!(receipt.of, Acknowledged::Release { release, .. } if line.contains(&release))
                    {
                        receipts.push(answer(&shelf, record)?);
                    }
                }
                "finding" => {
                    let finding: Finding = unverified(&text)?;
                    if line.contains(&finding.release) {
                        findings.push(answer(&shelf, record)?);
                    }
                }
                _ => {}
            }
        }
    }
    if args.with_determinations {
        for record in records.iter().filter(|record| record.kind == "determination") {
            let mut file: DeterminationFile = serde_json::from_str(&record.about)?;
            file.logged = Some(shelf.logged(record)?);
            determinations.push(file);
        }
    }
    let witnesses = witnesses(&shelf)?;
    let case = CaseFile {
        version: VERSION,
        issuer: shelf.own.clone(),
        releases: case_releases,
        receipts,
        findings,
        determinations,
        witnesses,
        keys: shelf.key_changes()?,
    };
    files::write(&args.output, &case)?;
    output::to_stdout(&format!(
        "{}   {} release(s), {} receipt(s), {} finding(s), {} determination(s). Check it with `tearline verify`\n",
        args.output.display(),
        case.releases.len(),
        case.receipts.len(),
        case.findings.len(),
        case.determinations.len()
    ))?;
    Ok(Ending::Done)
}

/// How the token of a release stands in the log.
fn token_logged(shelf: &Shelf, released: &Released) -> Result<Option<Logged>> {
    let Some(token) = &released.about.token else { return Ok(None) };
    let jwt = token::signed_part(token);
    let record = shelf.desk.by_digest(&Digest::of(jwt.as_bytes()).to_string())?;
    record.map(|record| shelf.logged(&record)).transpose()
}

fn answer(shelf: &Shelf, record: &Record) -> Result<AnswerFile> {
    let about: serde_json::Value = serde_json::from_str(&record.about)?;
    Ok(AnswerFile {
        version: VERSION,
        signer: serde_json::from_value(about["signer"].clone())?,
        statement: String::from_utf8(record.payload.clone())?,
        logged: Some(shelf.logged(record)?),
    })
}

/// Those who cosigned the newest checkpoint.
fn witnesses(shelf: &Shelf) -> Result<Vec<PublicKeys>> {
    let note = shelf.checkpoint.to_string();
    let mut witnesses = Vec::new();
    for party in shelf.desk.parties()? {
        let keys = PublicKeys::read(party.keys.as_bytes())?;
        if note.contains(&format!("\u{2014} {}/witness ", keys.name)) {
            witnesses.push(keys);
        }
    }
    Ok(witnesses)
}
