//! The keys of one party over time: from those that the reader trusts, through its logged changes.

use super::{Checks, Trust};
use crate::entry::Kind;
use crate::files::{KeyChange, Logged};
use crate::identity::PublicKeys;
use crate::keys::kid;
use crate::sdjwt::jws;
use crate::statement::{self, Action, Countersignature, KeyEvent, Signed, Statement};
use ed25519_dalek::VerifyingKey;
use tearline_log::checkpoint::SignedCheckpoint;
use tearline_log::note::VerifierKey;
use tearline_log::proof::EntryProof;

/// One signing key and the entries for which it counts.
#[derive(Clone, Debug)]
struct Key {
    kid: String,
    verifies: VerifyingKey,
    /// It counts for entries from this place on.
    from: u64,
    /// And below this one.
    until: Option<u64>,
}

/// The signing keys of one party, as far as the reader's trust reaches.
#[derive(Clone, Debug)]
pub struct Ring {
    name: String,
    keys: Vec<Key>,
    log: Option<VerifierKey>,
    origin: String,
}

/// A place in the log that was checked.
#[derive(Clone, Debug)]
pub struct Place {
    /// Number of the entry, from 0.
    pub index: u64,
    /// When the desk's clock says it was logged, in seconds since 1970.
    pub time: u64,
    /// The checkpoint under which it stands.
    pub checkpoint: SignedCheckpoint,
}

impl Ring {
    /// Starts from the keys that the reader was handed for this party, or else from those in the file itself.
    pub(super) fn of(issuer: &PublicKeys, changes: &[KeyChange], trust: &Trust, checks: &mut Checks) -> Self {
        let handed = trust.of(&issuer.name);
        let base = handed.unwrap_or(issuer);
        if handed.is_some() {
            checks.holds("issuer", format!("checked against the public keys of {} that you gave", base.name));
        } else {
            checks.open(
                "issuer",
                format!(
                    "nobody vouches here that these are the keys of {}: give its public keys with --key. Their \
                     fingerprint is {}",
                    base.name,
                    base.fingerprint()
                ),
            );
        }
        let mut ring = Self {
            name: base.name.clone(),
            keys: vec![Key { kid: base.kid(), verifies: base.signer(), from: 0, until: None }],
            log: base.log.parse().ok(),
            origin: base.log_origin().to_owned(),
        };
        ring.follow(changes, checks);
        ring
    }

    /// Name of the party.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Origin of its log.
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// Takes in changes, from a key that is trusted to the one before or after it, until no more follows.
    fn follow(&mut self, changes: &[KeyChange], checks: &mut Checks) {
        let mut taken = 0;
        let mut left: Vec<&KeyChange> = changes.iter().collect();
        loop {
            let before = left.len();
            let mut refused = None;
            left.retain(|change| match self.take(change) {
                Ok(true) => {
                    taken += 1;
                    false
                }
                Ok(false) => true,
                Err(why) => {
                    refused = Some(why);
                    true
                }
            });
            if let Some(why) = refused {
                checks.fails("keys", why);
                return;
            }
            if left.len() == before {
                break;
            }
        }
        match (taken, left.len()) {
            (0, 0) => {}
            (_, 0) => {
                checks
                    .holds("keys", format!("{taken} logged change(s) of the key of {} followed", self.name));
            }
            (_, left) => checks.fails(
                "keys",
                format!(
                    "{left} change(s) of the key of {} do not follow from the keys that you trust",
                    self.name
                ),
            ),
        }
    }

    /// Takes in one change. `false` if neither of its keys is trusted yet.
    fn take(&mut self, change: &KeyChange) -> Result<bool, String> {
        let event = statement::unverified::<KeyEvent>(&change.statement)
            .map_err(|why| format!("a change of key: {why}"))?;
        let known =
            |ring: &Self, keys: &PublicKeys| ring.keys.iter().position(|key| key.verifies == keys.signer());
        if event.old.check().is_err() || event.new.check().is_err() {
            return Err("a change of key holds keys that are none".into());
        }
        let (old, new) = (known(self, &event.old), known(self, &event.new));
        if old.is_none() && new.is_none() {
            return Ok(false);
        }
        let signed = Signed::<KeyEvent>::verify(&change.statement, &event.signer().signer())
            .map_err(|why| format!("a change of key: {why}"))?;
        if !signed.content.follows() || signed.content.iss != self.name {
            return Err("a change of key to one that the key before it had not promised".into());
        }
        // From the new key back to the old one only by the new key's own word.
        if old.is_none() && event.action == Action::Rotate {
            let counter = change
                .countersignature
                .as_deref()
                .ok_or("a change of key without the new key's signature")?;
            let counter = Signed::<Countersignature>::verify(counter, &event.new.signer())
                .map_err(|why| format!("the new key's signature on a change: {why}"))?;
            if counter.content.event != signed.digest() {
                return Err("the new key's signature is on another change".into());
            }
        }
        let place = self.place(Kind::Key, change.statement.as_bytes(), &change.logged)?;
        let until = Some(place.index);
        match old {
            Some(old) => {
                self.keys[old].until =
                    Some(self.keys[old].until.map_or(place.index, |until| until.min(place.index)));
            }
            None => {
                self.keys.push(Key {
                    kid: kid(&event.old.signer()),
                    verifies: event.old.signer(),
                    from: 0,
                    until,
                });
            }
        }
        match new {
            Some(new) => self.keys[new].from = self.keys[new].from.max(place.index),
            None => {
                self.keys.push(Key {
                    kid: kid(&event.new.signer()),
                    verifies: event.new.signer(),
                    from: place.index,
                    until: None,
                });
            }
        }
        Ok(true)
    }

    /// Verifies a statement of this party that stands at a place of its log.
    pub(super) fn verify<S: Statement>(&self, jws: &str, index: u64) -> Result<Signed<S>, String> {
        let named = jws::hint(jws).kid.unwrap_or_default();
        let signed = Signed::<S>::verify(jws, &self.key(&named, index)?).map_err(|why| why.to_string())?;
        let issuer = signed.content.head().1;
        if issuer == self.name {
            Ok(signed)
        } else {
            Err(format!("it is signed in the name of {issuer}, and not of {}", self.name))
        }
    }

    /// The key with a short name, if it counts at a place of the log.
    pub(super) fn key(&self, named: &str, index: u64) -> Result<VerifyingKey, String> {
        let key = self.keys.iter().find(|key| key.kid == named).ok_or_else(|| {
            format!(
                "it is signed by a key {named:?} that is not one of {} as far as your trust reaches",
                self.name
            )
        })?;
        if key.until.is_some_and(|until| index >= until) {
            return Err(format!(
                "its key was replaced or revoked before it was logged, at entry {}",
                key.until.unwrap_or(0)
            ));
        }
        if index < key.from {
            return Err("its key was not yet in use when it was logged".into());
        }
        Ok(key.verifies)
    }

    /// Checks that a payload stands in the log.
    pub(super) fn place(&self, kind: Kind, payload: &[u8], logged: &Logged) -> Result<Place, String> {
        if logged.entry.kind != kind {
            return Err("the log's entry is of another kind".into());
        }
        let log: &VerifierKey = self.log.as_ref().ok_or("the key of the log is none")?;
        let proof =
            EntryProof::read(logged.proof.as_bytes()).map_err(|why| format!("the inclusion proof: {why}"))?;
        let checkpoint = proof
            .verify(&logged.entry.entry(payload), log)
            .map_err(|why| format!("the log does not hold it: {why}"))?;
        Ok(Place { index: proof.index, time: logged.entry.time, checkpoint })
    }
}
