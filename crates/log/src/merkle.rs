//! The tree of RFC 6962: roots, proofs that an entry is in it, proofs that one tree is the beginning of another.
//!
//! Making a root or a proof needs some inner nodes; whoever asks passes a function that reads them, from tiles
//! ([`crate::tile::read_node`]) or from wherever they are. Verifying needs nothing but the proof. The two share no
//! code: proofs are made along the recursive definitions of RFC 6962, section 2.1, and verified with the bitwise
//! algorithms of RFC 9162, sections 2.1.3.2 and 2.1.4.2.

use crate::hash::Hash;
use thiserror::Error;

/// The largest number of entries that a log here may have: 2^62, so that no sum of positions overflows.
pub const MAX_SIZE: u64 = 1 << 62;

/// A complete subtree: the `index`-th group of 2^`height` entries.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Node {
    /// Height above the leaves: 0 is a leaf. At most 62.
    pub height: u8,
    /// The how-manieth of its height, from 0. Its first entry is `index << height`.
    pub index: u64,
}

/// Why a proof was not made: it was asked for something that is not there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum NoProof {
    /// The entry is not in the tree.
    #[error("there is no entry {index} in a log of {size} entries")]
    NoEntry {
        /// The entry asked for.
        index: u64,
        /// The size of the tree.
        size: u64,
    },
    /// The older tree is larger than the newer.
    #[error("a log of {new} entries cannot continue one of {old}")]
    Backwards {
        /// The size of the older tree.
        old: u64,
        /// The size of the newer tree.
        new: u64,
    },
}

/// Why a proof is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum BadProof {
    /// The entry's index is not below the size of the tree.
    #[error("the proof speaks of entry {index}, but the checkpoint has only {size} entries")]
    NoEntry {
        /// The index claimed.
        index: u64,
        /// The size of the tree.
        size: u64,
    },
    /// The older tree is larger than the newer.
    #[error("a log of {new} entries cannot continue one of {old}: entries have been taken back")]
    Backwards {
        /// The size of the older tree.
        old: u64,
        /// The size of the newer tree.
        new: u64,
    },
    /// The proof does not have the number of hashes that these sizes need.
    #[error("the proof has {found} hashes, and not as many as it must for these sizes")]
    Length {
        /// The number of hashes found.
        found: usize,
    },
    /// The hashes do not lead to the root of the checkpoint.
    #[error(
        "the hashes of the proof do not lead to the root of the checkpoint: the entry or the proof is altered"
    )]
    Root,
    /// The hashes do not lead to the root of the older tree.
    #[error(
        "the log does not continue what it was: the proof does not lead to the root of the older checkpoint. Keep \
         both checkpoints, they are evidence of a rewritten log"
    )]
    OldRoot,
}

/// The largest power of two below `size`, which is at least 2: where RFC 6962 splits a tree.
fn split(size: u64) -> u64 {
    debug_assert!(size >= 2);
    1 << (size - 1).ilog2()
}

/// The root of the entries from `start`, `size` of them. `start` is a multiple of the power of two that holds `size`.
fn subtree<E>(start: u64, size: u64, read: &mut impl FnMut(Node) -> Result<Hash, E>) -> Result<Hash, E> {
    if size.is_power_of_two() {
        let height = size.trailing_zeros();
        let height_byte = u8::try_from(height).expect("a height is below 64");
        return read(Node { height: height_byte, index: start >> height });
    }
    let left = split(size);
    let left_hash = subtree(start, left, read)?;
    let right_hash = subtree(start + left, size - left, read)?;
    Ok(Hash::of_node(&left_hash, &right_hash))
}

/// The root of the tree of the first `size` entries: MTH of RFC 6962, section 2.1.
///
/// # Errors
/// Those of `read`.
pub fn root<E>(size: u64, mut read: impl FnMut(Node) -> Result<Hash, E>) -> Result<Hash, E> {
    if size == 0 { Ok(Hash::of_empty_tree()) } else { subtree(0, size, &mut read) }
}

/// The proof that entry `index` is in the tree of the first `size` entries: PATH of RFC 6962, section 2.1.1, from the
/// leaf's sibling upwards.
///
/// # Errors
/// If there is no such entry, and those of `read`.
pub fn inclusion<E: From<NoProof>>(
    index: u64,
    size: u64,
    mut read: impl FnMut(Node) -> Result<Hash, E>,
) -> Result<Vec<Hash>, E> {
    if index >= size {
        return Err(NoProof::NoEntry { index, size }.into());
    }
    let mut path = Vec::new();
    let (mut start, mut width) = (0, size);
    while width > 1 {
        let left = split(width);
        if index < start + left {
            path.push(subtree(start + left, width - left, &mut read)?);
            width = left;
        } else {
            path.push(subtree(start, left, &mut read)?);
            start += left;
            width -= left;
        }
    }
    path.reverse();
    Ok(path)
}

/// The proof that the tree of the first `old` entries is the beginning of that of the first `new`: PROOF of RFC 6962,
/// section 2.1.2. Empty if `old` is 0 or equals `new`.
///
/// # Errors
/// If the new tree is the smaller one, and those of `read`.
pub fn consistency<E: From<NoProof>>(
    old: u64,
    new: u64,
    mut read: impl FnMut(Node) -> Result<Hash, E>,
) -> Result<Vec<Hash>, E> {
    if old > new {
        return Err(NoProof::Backwards { old, new }.into());
    }
    let mut proof = Vec::new();
    if old == 0 || old == new {
        return Ok(proof);
    }
    // SUBPROOF(m, D[start:start + width], b): `whole` is b.
    let (mut start, mut width, mut m, mut whole) = (0, new, old, true);
    while m != width {
        let left = split(width);
        if m <= left {
            proof.push(subtree(start + left, width - left, &mut read)?);
            width = left;
        } else {
            proof.push(subtree(start, left, &mut read)?);
            start += left;
            width -= left;
            m -= left;
            whole = false;
        }
    }
    if !whole {
        proof.push(subtree(start, width, &mut read)?);
    }
    proof.reverse();
    Ok(proof)
}

/// The root to which an inclusion proof leads (RFC 9162, section 2.1.3.2).
///
/// # Errors
/// If the proof does not have the length that index and size need.
pub fn root_of_inclusion(leaf: Hash, index: u64, size: u64, path: &[Hash]) -> Result<Hash, BadProof> {
    if index >= size {
        return Err(BadProof::NoEntry { index, size });
    }
    let wrong_length = BadProof::Length { found: path.len() };
    let (mut fn_, mut sn, mut hash) = (index, size - 1, leaf);
    for sibling in path {
        if sn == 0 {
            return Err(wrong_length);
        }
        if fn_ & 1 == 1 || fn_ == sn {
            hash = Hash::of_node(sibling, &hash);
            while fn_ & 1 == 0 && fn_ != 0 {
                fn_ >>= 1;
                sn >>= 1;
            }
        } else {
            hash = Hash::of_node(&hash, sibling);
        }
        fn_ >>= 1;
        sn >>= 1;
    }
    if sn == 0 { Ok(hash) } else { Err(wrong_length) }
}

/// Whether the entry with this leaf hash is number `index` of the tree with this size and root.
///
/// # Errors
/// What is wrong with the proof.
pub fn verify_inclusion(
    leaf: Hash,
    index: u64,
    size: u64,
    path: &[Hash],
    root: Hash,
) -> Result<(), BadProof> {
    if root_of_inclusion(leaf, index, size, path)? == root { Ok(()) } else { Err(BadProof::Root) }
}

/// Whether the tree (`new`, `new_root`) continues the tree (`old`, `old_root`) (RFC 9162, section 2.1.4.2).
///
/// Two trees of one size are consistent if their roots are the same. Every tree continues the empty one, whose root
/// must be that of no entries.
///
/// # Errors
/// What is wrong with the proof.
pub fn verify_consistency(
    old: u64,
    old_root: Hash,
    new: u64,
    new_root: Hash,
    proof: &[Hash],
) -> Result<(), BadProof> {
    if old > new {
        return Err(BadProof::Backwards { old, new });
    }
    let wrong_length = BadProof::Length { found: proof.len() };
    if old == 0 || old == new {
        if !proof.is_empty() {
            return Err(wrong_length);
        }
        let expected = if old == 0 { Hash::of_empty_tree() } else { new_root };
        if new == 0 && new_root != expected {
            return Err(BadProof::Root);
        }
        return if old_root == expected { Ok(()) } else { Err(BadProof::OldRoot) };
    }
    // A complete older tree is itself a node of the newer one, so the proof leaves it out.
    let (first, rest) = if old.is_power_of_two() {
        (old_root, proof)
    } else {
        let (first, rest) = proof.split_first().ok_or(wrong_length)?;
        (*first, rest)
    };
    let (mut fn_, mut sn) = (old - 1, new - 1);
    while fn_ & 1 == 1 {
        fn_ >>= 1;
        sn >>= 1;
    }
    let (mut older, mut newer) = (first, first);
    for hash in rest {
        if sn == 0 {
            return Err(wrong_length);
        }
        if fn_ & 1 == 1 || fn_ == sn {
            older = Hash::of_node(hash, &older);
            newer = Hash::of_node(hash, &newer);
            while fn_ & 1 == 0 && fn_ != 0 {
                fn_ >>= 1;
                sn >>= 1;
            }
        } else {
            newer = Hash::of_node(&newer, hash);
        }
        fn_ >>= 1;
        sn >>= 1;
    }
    if sn != 0 {
        return Err(wrong_length);
    }
    if older != old_root {
        return Err(BadProof::OldRoot);
    }
    if newer != new_root {
        return Err(BadProof::Root);
    }
    Ok(())
}

/// A tree that only grows and remembers only what its next root needs: one hash for each 1 bit of its size.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Frontier {
    size: u64,
    /// Roots of the complete subtrees of which the tree consists, largest first.
    peaks: Vec<Hash>,
}

impl Frontier {
    /// The frontier of the tree of the first `size` entries.
    ///
    /// # Errors
    /// Those of `read`.
    pub fn read<E>(size: u64, mut read: impl FnMut(Node) -> Result<Hash, E>) -> Result<Self, E> {
        let mut peaks = Vec::new();
        for height in (0..63_u8).rev().filter(|height| size >> height & 1 == 1) {
            peaks.push(read(Node { height, index: (size >> height) - 1 })?);
        }
        Ok(Self { size, peaks })
    }

    /// Adds the hash of the next entry.
    pub fn push(&mut self, leaf: Hash) {
        let mut hash = leaf;
        for _ in 0..self.size.trailing_ones() {
            let left = self.peaks.pop().expect("there is a peak for each 1 bit of the size");
            hash = Hash::of_node(&left, &hash);
        }
        self.peaks.push(hash);
        self.size += 1;
    }

    /// The number of entries.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// The root.
    pub fn root(&self) -> Hash {
        let mut peaks = self.peaks.iter().rev();
        let Some(last) = peaks.next() else { return Hash::of_empty_tree() };
        peaks.fold(*last, |right, left| Hash::of_node(left, &right))
    }
}
