//! Verification of one release.

use super::ring::{Place, Ring};
use super::{Checks, Trust};
use crate::bytes::Digest;
use crate::entry::Kind;
use crate::files::{CaseRelease, Logged, Recipient, ReleaseFile};
use crate::sdjwt::jws;
use crate::statement::{Act, Release, Signed, recipient};
use crate::token::{self, Shown, Step};
use tearline_log::cosignature::{self, MAX_TIME};
use tearline_log::hash::Hash;
use tearline_log::merkle;
use tearline_log::note::VerifierKey;

/// What a release says, as far as its checks let it be believed.
#[derive(Clone, Debug)]
pub struct ReleaseView {
    /// Every check.
    pub checks: Checks,
    /// The statement, once its signature holds.
    pub statement: Option<Signed<Release>>,
    /// The details shown, once the token holds.
    pub shown: Option<Shown>,
    /// The token itself, without what is shown of it: two releases with the same one were committed to together.
    pub token: Option<Digest>,
    /// To whom it goes, where that is said and holds.
    pub recipient: Option<String>,
    /// Where it stands in the log.
    pub place: Option<Place>,
    /// Where its token stands in the log: from then on all of it was committed to.
    pub committed: Option<Place>,
    /// Who cosigned the checkpoint, and when, in seconds since 1970.
    pub cosigned: Vec<(String, u64)>,
}

/// Verifies a release as it came.
pub fn release(file: &ReleaseFile, trust: &Trust) -> ReleaseView {
    let mut checks = Checks::default();
    let ring = Ring::of(&file.issuer, &file.keys, trust, &mut checks);
    let mut view = of_parts(
        &ring,
        &file.statement,
        (file.token.as_deref(), file.token_logged.as_ref()),
        file.recipient.as_ref(),
        &file.logged,
        trust,
        checks,
    );
    if let (Some(place), Some(consistency)) = (&view.place, &file.consistency) {
        // Without the older root nothing can be said yet; `together` holds it against the checkpoints of other files.
        if consistency.from > place.checkpoint.size() || consistency.proof.len() > 64 {
            view.checks
                .fails("consistency", "the consistency proof cannot be one: it starts beyond the checkpoint");
        }
    }
    view
}

/// Verifies a release within an evidence bundle. `checks` are those of the keys in `ring`.
pub(super) fn in_case(release: &CaseRelease, ring: &Ring, trust: &Trust, checks: Checks) -> ReleaseView {
    of_parts(
        ring,
        &release.statement,
        (release.token.as_deref(), release.token_logged.as_ref()),
        release.recipient.as_ref(),
        &release.logged,
        trust,
        checks,
    )
}

fn of_parts(
    ring: &Ring,
    statement: &str,
    (presented, token_logged): (Option<&str>, Option<&Logged>),
    to: Option<&Recipient>,
    logged: &Logged,
    trust: &Trust,
    checks: Checks,
) -> ReleaseView {
    let mut view = ReleaseView {
        checks,
        statement: None,
        shown: None,
        token: None,
        recipient: None,
        place: None,
        committed: None,
        cosigned: Vec::new(),
    };
    // The place first: which key may have signed depends on it.
    let place = match ring.place(Kind::Release, statement.as_bytes(), logged) {
        Ok(place) => {
            view.checks.holds(
                "log",
                format!(
                    "entry {} of the log {}, under a checkpoint of {} entries",
                    place.index,
                    ring.origin(),
                    place.checkpoint.size()
                ),
            );
            place
        }
        Err(why) => {
            view.checks.fails("log", format!("{why}. Nothing shows that the originator stands by it"));
            return view;
        }
    };
    let signed = match ring.verify::<Release>(statement, place.index) {
        Ok(signed) => signed,
        Err(why) => {
            view.checks.fails("signature", why);
            return view;
        }
    };
    view.checks.holds("signature", format!("signed by {}", ring.name()));
    if signed.content.log == ring.origin() {
        order(&mut view.checks, signed.content.iat, place.time);
    } else {
        view.checks.fails("origin", "it is signed for another log than the one that it stands in");
    }
    view.recipient = recipient_of(&signed.content, to, trust, &mut view.checks);
    cosignatures(&place, trust, &mut view);
    match (presented, &signed.content.sd_hash, signed.content.act) {
        (None, None, Act::Cancel) => {}
        (Some(presented), Some(sd_hash), act) if act != Act::Cancel => {
            if Digest::of(presented.as_bytes()) == *sd_hash {
                view.checks.holds("binding", "the details are those that the release was signed with");
                tokens(ring, presented, token_logged, &signed.content, place.index, &mut view);
            } else {
                view.checks.fails(
                    "binding",
                    "the details are not those that the release was signed with: some were added, left out or changed",
                );
            }
        }
        _ => view
            .checks
            .fails("binding", "details and statement do not belong together: one of them is missing"),
    }
    view.statement = Some(signed);
    view.place = Some(place);
    view
}

fn order(checks: &mut Checks, signed: u64, logged: u64) {
    if signed <= logged {
        checks.holds("time", "signed before it was logged, by the originator's clock");
    } else {
        checks.fails("time", "signed after it was logged, by the originator's own clock");
    }
}

fn recipient_of(
    statement: &Release,
    to: Option<&Recipient>,
    trust: &Trust,
    checks: &mut Checks,
) -> Option<String> {
    let Some(to) = to else {
        checks.open("recipient", "to whom it went is not revealed here");
        return None;
    };
    if recipient(&to.salt, &to.name) != statement.to {
        checks.fails("recipient", "the recipient named beside it is not the one that was signed");
        return None;
    }
    match &trust.own {
        Some(own) if *own != to.name && to.name != PUBLIC => checks.fails(
            "recipient",
            format!("it is addressed to {}, and not to you: somebody passed it on", to.name),
        ),
        _ => checks.holds("recipient", format!("addressed to {}", to.name)),
    }
    Some(to.name.clone())
}

/// The name that stands for everybody.
pub const PUBLIC: &str = "public";

fn cosignatures(place: &Place, trust: &Trust, view: &mut ReleaseView) {
    let known = trust.keys.iter().filter_map(|keys| keys.witness.parse::<VerifierKey>().ok());
    view.cosigned = known
        .filter_map(|witness| cosignature::verify(&place.checkpoint, &witness, MAX_TIME).ok())
        .map(|cosignature| (cosignature.witness, cosignature.time))
        .collect();
    if view.cosigned.is_empty() {
        view.checks.open(
            "cosignatures",
            "no witness whose key you gave has cosigned this checkpoint: that the originator shows everybody the same \
             log rests on comparing checkpoints",
        );
    } else {
        let names: Vec<&str> = view.cosigned.iter().map(|(name, _)| name.as_str()).collect();
        view.checks.holds("cosignatures", format!("cosigned by {}", names.join(", ")));
    }
}

fn tokens(
    ring: &Ring,
    presented: &str,
    logged: Option<&Logged>,
    statement: &Release,
    index: u64,
    view: &mut ReleaseView,
) {
    let jwt = token::signed_part(presented);
    // Which key may have signed the token depends on when it was logged, which may be long before this release.
    let committed = match logged.map(|logged| ring.place(Kind::Token, jwt.as_bytes(), logged)) {
        Some(Ok(place)) if place.index <= index => Some(place),
        None => None,
        Some(_) => {
            view.checks
                .fails("committed", "the token of details is not in the log where the release says it is");
            return;
        }
    };
    let named = jws::hint(presented).kid.unwrap_or_default();
    let verified = ring
        .key(&named, committed.as_ref().map_or(index, |place| place.index))
        .and_then(|key| token::verify(presented, &key).map_err(|why| why.to_string()));
    let shown = match verified {
        Ok(shown) => shown,
        Err(why) => {
            view.checks.fails("token", why);
            return;
        }
    };
    if shown.claims.issuer != ring.name()
        || shown.claims.log != ring.origin()
        || shown.claims.issued_at > statement.iat
    {
        view.checks
            .fails("token", "the token of details is of another originator, log or time than the release");
        return;
    }
    view.checks.holds("token", "every detail is one that was committed to when the token was signed");
    if let Some(place) = &committed {
        view.checks
            .holds("committed", format!("all of it was committed to by entry {} of the log", place.index));
    }
    view.committed = committed;
    let steps = || {
        shown.details.iter().flat_map(|detail| detail.levels.iter().map(move |level| (detail, level.step)))
    };
    if let Some((detail, _)) = steps().find(|(_, step)| *step == Step::Failed) {
        view.checks.fails(
            "truthfulness",
            format!("{}: a more exact value does not lie within the coarser one before it", detail.name),
        );
    } else {
        let checked = steps().filter(|(_, step)| *step == Step::Checked).count();
        let asserted = steps().filter(|(_, step)| *step == Step::Asserted).count();
        view.checks.holds(
            "truthfulness",
            format!(
                "{checked} step(s) to a more exact value recomputed, {asserted} in plain words and asserted by the \
                 originator alone"
            ),
        );
    }
    view.token = Some(Digest::of(jwt.as_bytes()));
    view.shown = Some(shown);
}

/// Holds the tree of an older checkpoint against a newer one by a consistency proof.
pub(super) fn consistent(old: (u64, Hash), new: (u64, Hash), proof: &[Hash]) -> bool {
    merkle::verify_consistency(old.0, old.1, new.0, new.1, proof).is_ok()
}
