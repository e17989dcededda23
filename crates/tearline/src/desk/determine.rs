//! `tearline determine`: the duty-to-warn determination (ICD 191) by two people, and recorded exceptions.

use super::book::{Book, party};
use super::files;
use super::keys::public_of;
use crate::args::DetermineCommand;
use crate::failure::{Ending, Usage};
use crate::{load, names, output};
use anyhow::{Context, Result, bail};
use tearline_disclosure::bytes::{Bytes, Digest};
use tearline_disclosure::entry::Kind;
use tearline_disclosure::files::{DeterminationFile, File, VERSION};
use tearline_disclosure::statement::{Approval, Decision, Determination, Exception, Signed};
use tearline_disclosure::verify::determination_payload;
use tearline_store::keys::random;

/// Runs the subcommand.
pub(crate) fn run(command: &DetermineCommand) -> Result<Ending> {
    match command {
        DetermineCommand::Draft {
            report,
            key,
            threat,
            credible,
            specific,
            impending,
            decision,
            waiver,
            basis,
            output,
        } => {
            let loaded = load::report(report)?;
            let keys = files::secret(&key.key, &key.passphrase)?;
            let determination = Determination {
                v: 1,
                iss: keys.name().to_owned(),
                iat: files::now(),
                jti: Bytes(random()?),
                report: loaded.report.id.clone(),
                report_sha256: Digest::of(&loaded.file),
                threat: (*threat).into(),
                credible: *credible,
                specific: *specific,
                impending: *impending,
                decision: (*decision).into(),
                waiver: waiver.map(Into::into),
                basis: basis.clone(),
            };
            determination.check().map_err(|what| Usage(what.to_string()))?;
            let signed = Signed::sign(determination, &keys.sign());
            let file = DeterminationFile {
                version: VERSION,
                drafter: public_of(&keys)?,
                statement: signed.jws,
                approver: None,
                approval: None,
                logged: None,
            };
            files::write(output, &file)?;
            output::to_stdout(&format!("{}   a draft; another person approves it\n", output.display()))?;
        }
        DetermineCommand::Approve { draft, key, desk_key, desk, output } => {
            let File::Determination(mut file) = files::file(draft)? else {
                bail!("{} is not a determination", draft.display());
            };
            let keys = files::secret(&key.key, &key.passphrase)?;
            let desk_keys = files::secret(desk_key, &key.passphrase)?;
            let mut book = Book::open(&desk.desk, &desk_keys)?;
            let drafter = party(&book.desk, &file.drafter.name)?.0;
            let (approver, senior) = party(&book.desk, keys.name())?;
            if approver.sign != public_of(&keys)?.sign {
                bail!("the key of {} is not the one that the desk knows", approver.name);
            }
            let drafted = Signed::<Determination>::verify(&file.statement, &drafter.signer())
                .context("the draft does not hold")?;
            if drafter.name == approver.name || drafter.sign == approver.sign {
                bail!("a determination is approved by another person than the one who drafted it");
            }
            drafted.content.check()?;
            if drafted.content.decision == Decision::Waive && !senior {
                bail!(
                    "a waiver of the duty to warn is approved by a senior; {} is not known as one to the desk",
                    approver.name
                );
            }
            let approval = Approval {
                v: 1,
                iss: approver.name.clone(),
                iat: book.time()?,
                jti: Bytes(random()?),
                determination: drafted.digest(),
            };
            let approval = Signed::sign(approval, &keys.sign());
            file.approver = Some(approver);
            file.approval = Some(approval.jws.clone());
            let payload = String::from_utf8(determination_payload(&file.statement, &approval.jws))
                .expect("two JWS are text");
            let about = serde_json::to_value(&file)?;
            let report = &drafted.content.report;
            file.logged = Some(book.record(
                Kind::Determination,
                report,
                "",
                &payload,
                drafted.digest(),
                &about,
                &[],
            )?);
            files::write(output, &file)?;
            output::to_stdout(&format!("{}   approved and recorded\n", output.display()))?;
        }
        DetermineCommand::Exception { report, audience, reason, key, desk_key, desk } => {
            let report = load::report(report)?.report;
            let audience = names::audience(&report, audience)?;
            if reason.trim().len() < 10 {
                return Err(Usage("an exception says why, in at least a few words".into()).into());
            }
            let keys = files::secret(&key.key, &key.passphrase)?;
            let desk_keys = files::secret(desk_key, &key.passphrase)?;
            let mut book = Book::open(&desk.desk, &desk_keys)?;
            let (known, senior) = party(&book.desk, keys.name())?;
            if !senior || known.sign != public_of(&keys)?.sign {
                bail!("an exception is granted by a senior; {} is not known as one to the desk", keys.name());
            }
            let exception = Exception {
                v: 1,
                iss: keys.name().to_owned(),
                iat: book.time()?,
                jti: Bytes(random()?),
                report: report.id.clone(),
                audience: report.audiences[audience].id.clone(),
                reason: reason.clone(),
            };
            let of = exception.audience.clone();
            let signed = Signed::sign(exception, &keys.sign());
            book.record(
                Kind::Exception,
                &report.id,
                &of,
                &signed.jws,
                signed.digest(),
                &serde_json::json!({}),
                &[],
            )?;
            output::to_stdout(&format!(
                "The exception for {} is recorded.\n",
                report.audiences[audience].name
            ))?;
        }
    }
    Ok(Ending::Done)
}
