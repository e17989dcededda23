//! The hashes of the tree: SHA-256 with a first byte that tells leaves from inner nodes (RFC 6962, section 2.1).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest as _, Sha256};
use std::fmt;

/// A SHA-256 hash: of an entry, of an inner node, or the root of a tree.
///
/// Shown as in checkpoints and proofs: standard Base 64, 44 characters.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Hash(pub [u8; 32]);

impl Hash {
    /// The root of the tree without entries: SHA-256 of nothing (RFC 6962, section 2.1).
    pub fn of_empty_tree() -> Self {
        Self(Sha256::digest([]).into())
    }

    /// The hash of an entry: SHA-256(0x00 || entry).
    pub fn of_leaf(entry: &[u8]) -> Self {
        Self(Sha256::new().chain_update([0]).chain_update(entry).finalize().into())
    }

    /// The hash of an inner node: SHA-256(0x01 || left || right).
    pub fn of_node(left: &Self, right: &Self) -> Self {
        Self(Sha256::new().chain_update([1]).chain_update(left.0).chain_update(right.0).finalize().into())
    }

    /// Reads standard Base 64 of exactly 32 bytes; `None` for anything else, such as bits that do not count.
    pub fn from_base64(text: &str) -> Option<Self> {
        if text.len() != 44 {
            return None;
        }
        STANDARD.decode(text).ok()?.try_into().ok().map(Self)
    }
}

impl fmt::Display for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&STANDARD.encode(self.0))
    }
}

impl fmt::Debug for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The hashes of one complete tree, two by two up to its root. The number of leaves is a power of two.
pub(crate) fn of_complete(mut hashes: Vec<Hash>) -> Hash {
    debug_assert!(hashes.len().is_power_of_two());
    while hashes.len() > 1 {
        for at in 0..hashes.len() / 2 {
            hashes[at] = Hash::of_node(&hashes[2 * at], &hashes[2 * at + 1]);
        }
        hashes.truncate(hashes.len() / 2);
    }
    hashes[0]
}
