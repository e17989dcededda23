//! What stands in the log: commitments of a fixed size that say nothing.
//!
//! An entry is 33 bytes: a version byte and a SHA-256 over a random blind, the kind, the time and the payload. Without
//! the blind nothing about it can be told, not even its kind; with it, that this payload was logged at that place.
//! The form is in `docs/formats/release.md`.

use crate::bytes::{Bytes, Digest};
use serde::{Deserialize, Serialize};

/// Length of an entry in bytes.
pub const LENGTH: usize = 33;

/// What an entry commits to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// A release statement.
    Release,
    /// A recipient's receipt.
    Receipt,
    /// A recipient's finding.
    Finding,
    /// A determination, with its approval.
    Determination,
    /// A rotation or revocation of a key.
    Key,
    /// Free text released although the check had flagged it.
    Override,
    /// A recorded exception from the No Double Standard rule.
    Exception,
    /// The key to a delivery was given out.
    Unlock,
    /// The signature of a token of disclosures, before anything of it is shown.
    Token,
}

impl Kind {
    fn number(self) -> u8 {
        match self {
            Self::Release => 1,
            Self::Receipt => 2,
            Self::Finding => 3,
            Self::Determination => 4,
            Self::Key => 5,
            Self::Override => 6,
            Self::Exception => 7,
            Self::Unlock => 8,
            Self::Token => 9,
        }
    }
}

/// What opens an entry, together with its payload. Given out only with what it opens.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Opening {
    /// What it is.
    pub kind: Kind,
    /// 32 random bytes.
    pub blind: Bytes<32>,
    /// When it was logged by the desk's clock, in seconds since 1970.
    pub time: u64,
}

impl Opening {
    /// The entry that commits to this payload.
    pub fn entry(&self, payload: &[u8]) -> [u8; LENGTH] {
        let parts: [&[u8]; 4] = [&self.blind.0, &[self.kind.number()], &self.time.to_be_bytes(), payload];
        let digest = Digest::tagged("tearline entry v1", &parts);
        let mut entry = [0; LENGTH];
        entry[0] = 1;
        entry[1..].copy_from_slice(&digest.0);
        entry
    }
}

/// An entry that commits to nothing and looks like any other, so that the number of acts does not show.
pub fn padding(random: &[u8; 32]) -> [u8; LENGTH] {
    let mut entry = [0; LENGTH];
    entry[0] = 1;
    entry[1..].copy_from_slice(random);
    entry
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_is_opened_by_its_blind_kind_time_and_payload_alone() {
        let opening = Opening { kind: Kind::Release, blind: Bytes([3; 32]), time: 1_709_800_000 };
        let entry = opening.entry(b"payload");
        assert_eq!(entry.len(), LENGTH);
        let others = [
            (Opening { kind: Kind::Receipt, ..opening.clone() }, &b"payload"[..]),
            (Opening { blind: Bytes([4; 32]), ..opening.clone() }, b"payload"),
            (Opening { time: 1_709_800_001, ..opening.clone() }, b"payload"),
            (opening.clone(), b"payloae"),
        ];
        for (other, payload) in others {
            assert_ne!(other.entry(payload), entry, "{other:?}");
        }
    }
}
