//! Statements: what one party signs, each a JWS of its own type.
//!
//! A statement names its issuer, its time and a random number of its own; what else it holds is in the modules below.
//! The forms are in `docs/formats/release.md`. Unknown members are refused: what a reader does not understand it must
//! not have agreed to.

mod conduct;
mod delivery;
mod key_event;
mod receipt;
mod release;

pub use conduct::{
    Approval, Decision, Determination, Exception, Inconsistent, OverriddenFlag, Override, Threat,
    WaiverReason,
};
pub use delivery::{Delivery, Unlock};
pub use key_event::{Action, Countersignature, KeyEvent};
pub use receipt::{Acknowledged, Finding, Receipt, Verdict};
pub use release::{Act, Release, Text, Withdrawn, recipient};

use crate::bytes::Digest;
use crate::sdjwt::{Check, Place, Rejected, jws};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ed25519_dalek::{SigningKey, VerifyingKey};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// The version of all statements.
pub const VERSION: u32 = 1;

/// What can be signed.
pub trait Statement: Serialize + DeserializeOwned {
    /// The `typ` of its JWS.
    const TYPE: &'static str;

    /// Its version, the name of who says so, and when, in seconds since 1970.
    fn head(&self) -> (u32, &str, u64);
}

/// A statement with the JWS that holds it: made here, or verified.
#[derive(Clone, Debug)]
pub struct Signed<S> {
    /// What is stated.
    pub content: S,
    /// The JWS, byte for byte.
    pub jws: String,
}

impl<S: Statement> Signed<S> {
    /// Signs a statement.
    pub fn sign(content: S, key: &SigningKey) -> Self {
        let payload = serde_json::to_vec(&content).expect("plain data");
        let jws = jws::sign(key, S::TYPE, &payload);
        Self { content, jws }
    }

    /// Verifies a JWS by a key.
    ///
    /// # Errors
    /// If the form, the type, the signature or the version is not as it must be.
    pub fn verify(jws: &str, key: &VerifyingKey) -> Result<Self, Rejected> {
        let signed = jws::verify_named(jws, key, S::TYPE)?;
        Ok(Self { content: content(&signed.payload)?, jws: jws.to_owned() })
    }

    /// The digest by which other statements refer to this one: SHA-256 of the JWS.
    pub fn digest(&self) -> Digest {
        Digest::of(self.jws.as_bytes())
    }
}

/// What a JWS says, before anything is verified: to find the key by. Nothing in it may be believed.
///
/// # Errors
/// If it is not of the form.
pub fn unverified<S: Statement>(jws: &str) -> Result<S, Rejected> {
    let form = || Rejected::new(Check::Form, Place::Payload);
    if jws::hint(jws).typ.as_deref() != Some(S::TYPE) {
        return Err(Rejected::new(Check::Type, Place::Header));
    }
    let payload =
        jws.split('.').nth(1).and_then(|payload| URL_SAFE_NO_PAD.decode(payload).ok()).ok_or_else(form)?;
    content(&payload)
}

fn content<S: Statement>(payload: &[u8]) -> Result<S, Rejected> {
    let form = || Rejected::new(Check::Form, Place::Payload);
    let content: S = serde_json::from_slice(payload).map_err(|_| form())?;
    if content.head().0 == VERSION { Ok(content) } else { Err(form()) }
}

macro_rules! statements {
    ($($of:ty: $typ:literal;)*) => {$(
        impl Statement for $of {
            const TYPE: &'static str = $typ;

            fn head(&self) -> (u32, &str, u64) {
                (self.v, &self.iss, self.iat)
            }
        }
    )*};
}
statements! {
    Approval: "tearline-approval+jwt";
    Countersignature: "tearline-countersignature+jwt";
    Delivery: "tearline-delivery+jwt";
    Determination: "tearline-determination+jwt";
    Exception: "tearline-exception+jwt";
    Finding: "tearline-finding+jwt";
    KeyEvent: "tearline-key+jwt";
    Override: "tearline-override+jwt";
    Receipt: "tearline-receipt+jwt";
    Release: "tearline-release+jwt";
    Unlock: "tearline-unlock+jwt";
}
