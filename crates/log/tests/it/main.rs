//! The log's mathematics, tested from outside: against a naive tree, golden vectors, and bad input.

#[path = "../../../../fuzz/src/log.rs"]
#[expect(unreachable_pub, reason = "public for the fuzz targets, which are another package")]
mod bodies;
mod cosigning;
mod golden;
mod mutations;
mod notes;
mod tiles;
mod tree;

use ed25519_dalek::SigningKey;
use tearline_log::checkpoint::{Checkpoint, SignedCheckpoint};
use tearline_log::hash::Hash;
use tearline_log::merkle::{self, NoProof, Node};
use tearline_log::note::{KeyKind, Signer};

/// The log of these tests.
fn log() -> Signer {
    Signer::new("desk.example/log", KeyKind::Log, SigningKey::from_bytes(&[7; 32])).expect("a good name")
}

/// A witness.
fn witness() -> Signer {
    let key = SigningKey::from_bytes(&[9; 32]);
    Signer::new("partner.example/witness", KeyKind::Witness, key).expect("a good name")
}

/// Entry number `index`.
fn entry(index: u64) -> Vec<u8> {
    format!("entry {index}").into_bytes()
}

/// The leaf hashes of the first entries.
fn leaves(count: u64) -> Vec<Hash> {
    (0..count).map(|index| Hash::of_leaf(&entry(index))).collect()
}

/// MTH of RFC 6962, section 2.1, word by word.
fn naive_root(leaves: &[Hash]) -> Hash {
    match leaves {
        [] => Hash::of_empty_tree(),
        [leaf] => *leaf,
        _ => {
            let k = leaves.len().next_power_of_two() / 2;
            Hash::of_node(&naive_root(&leaves[..k]), &naive_root(&leaves[k..]))
        }
    }
}

/// Reads nodes of a tree whose leaves are at hand.
fn reader(leaves: &[Hash]) -> impl FnMut(Node) -> Result<Hash, NoProof> {
    move |node| {
        let start = usize::try_from(node.index << node.height).expect("small");
        Ok(naive_root(&leaves[start..start + (1 << node.height)]))
    }
}

/// The signed checkpoint of the log of the first entries.
fn checkpoint(count: u64) -> SignedCheckpoint {
    let root = merkle::root(count, reader(&leaves(count))).expect("all leaves are there");
    let origin = "desk.example/log".to_owned();
    Checkpoint { origin, size: count, root, extensions: Vec::new() }.sign(&log())
}
