//! Verification of receipts and findings.

use super::ring::{Place, Ring};
use super::{Checks, Trust};
use crate::entry::Kind;
use crate::files::AnswerFile;
use crate::sdjwt::jws;
use crate::statement::{Finding, Receipt, Signed, Statement};

/// What a recipient signed, as far as its checks let it be believed.
#[derive(Clone, Debug)]
pub struct AnswerView {
    /// Every check.
    pub checks: Checks,
    /// The receipt, once its signature holds.
    pub receipt: Option<Signed<Receipt>>,
    /// The finding, once its signature holds.
    pub finding: Option<Signed<Finding>>,
    /// Where it stands in the originator's log.
    pub place: Option<Place>,
}

/// Verifies a receipt or finding. `log` is the ring of the originator in whose log it may stand.
pub fn answer(file: &AnswerFile, log: Option<&Ring>, trust: &Trust) -> AnswerView {
    let mut checks = Checks::default();
    let signer = trust.of(&file.signer.name);
    match signer {
        Some(keys) => {
            checks.holds("issuer", format!("checked against the public keys of {} that you gave", keys.name));
        }
        None => checks.open(
            "issuer",
            format!(
                "nobody vouches here that these are the keys of {}: give its public keys with --key",
                file.signer.name
            ),
        ),
    }
    let keys = signer.unwrap_or(&file.signer);
    let mut view = AnswerView { checks, receipt: None, finding: None, place: None };
    let is_receipt = jws::hint(&file.statement).typ.as_deref() == Some(Receipt::TYPE);
    let verified = if is_receipt {
        Signed::<Receipt>::verify(&file.statement, &keys.signer()).map(|signed| {
            let iss = signed.content.iss.clone();
            view.receipt = Some(signed);
            iss
        })
    } else {
        Signed::<Finding>::verify(&file.statement, &keys.signer()).map(|signed| {
            let iss = signed.content.iss.clone();
            view.finding = Some(signed);
            iss
        })
    };
    match verified {
        Ok(iss) if iss == keys.name => view.checks.holds("signature", format!("signed by {iss}")),
        Ok(iss) => {
            view.checks
                .fails("signature", format!("signed in the name of {iss} by the key of {}", keys.name));
            view.receipt = None;
            view.finding = None;
        }
        Err(why) => view.checks.fails("signature", why.to_string()),
    }
    match (&file.logged, log) {
        (Some(logged), Some(ring)) => {
            let kind = if is_receipt { Kind::Receipt } else { Kind::Finding };
            match ring.place(kind, file.statement.as_bytes(), logged) {
                Ok(place) => {
                    view.checks.holds("log", format!("entry {} of the log {}", place.index, ring.origin()));
                    view.place = Some(place);
                }
                Err(why) => view.checks.fails("log", why),
            }
        }
        _ => view.checks.open("log", "not in the originator's log, as far as this file says"),
    }
    view
}
