//! Reads a log folder, ours or a copy of somebody's, without changing it: checkpoint, entries, proofs.

use super::error::Error;
use super::publisher::CHECKPOINT;
use super::storage::{Disk, Storage};
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tearline_log::checkpoint::SignedCheckpoint;
use tearline_log::edge::Edge;
use tearline_log::hash::Hash;
use tearline_log::merkle::{self, Frontier, NoProof, Node};
use tearline_log::note::VerifierKey;
use tearline_log::proof::EntryProof;
use tearline_log::tile::{self, FULL, Kind, Resource};
use tearline_log::witness::Request;

/// A log folder to read from. Believes nothing that does not verify under the log's key.
#[derive(Clone)]
pub struct Reader<S = Disk> {
    storage: Arc<S>,
    dir: PathBuf,
    key: VerifierKey,
}

impl Reader {
    /// Reads the public folder of a log by the log's key. Nothing is opened yet.
    pub fn new(dir: &Path, key: VerifierKey) -> Self {
        Self::on(Arc::new(Disk::default()), dir, key)
    }
}

impl<S: Storage> Reader<S> {
    /// As [`Reader::new`], on any storage.
    pub fn on(storage: Arc<S>, dir: &Path, key: VerifierKey) -> Self {
        Self { storage, dir: dir.to_owned(), key }
    }

    /// The public folder.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// The log's key.
    pub fn key(&self) -> &VerifierKey {
        &self.key
    }

    /// The checkpoint as it is now, its log's signature verified.
    ///
    /// # Errors
    /// If there is none, or it does not verify.
    pub fn checkpoint(&self) -> Result<SignedCheckpoint, Error> {
        let path = self.dir.join(CHECKPOINT);
        let bytes = self.storage.read(&path).map_err(Error::io("reading", &path))?;
        let bytes = bytes.ok_or_else(|| Error::NoLog(self.dir.clone()))?;
        SignedCheckpoint::open(&bytes, &self.key).map_err(|source| Error::Checkpoint { path, source })
    }

    /// The entries from `first`, `count` of them, each verified against the checkpoint's tree as to its place in its
    /// tile. For a proof of one entry see [`entry_proof`](Self::entry_proof); for the whole log see [`super::fsck`].
    ///
    /// # Errors
    /// If there are not as many, or a file is damaged.
    pub fn entries(
        &self,
        checkpoint: &SignedCheckpoint,
        first: u64,
        count: u64,
    ) -> Result<Vec<Vec<u8>>, Error> {
        let size = checkpoint.size();
        let end = first.checked_add(count).filter(|&end| end <= size);
        let end =
            end.ok_or(NoProof::NoEntry { index: first.saturating_add(count).saturating_sub(1), size })?;
        let mut found = Vec::new();
        let mut next = first;
        while next < end {
            let bundle = Resource::holding(Kind::Entries, next, size).expect("the entry is in the log");
            let hashes = Resource { kind: Kind::Hashes { level: 0 }, ..bundle };
            let (bytes, leaves) = (self.fetch(bundle)?, self.fetch(hashes)?);
            let damaged = |resource, error| self.damaged(resource, error);
            let entries = tile::entries(&bytes, bundle.width).map_err(|error| damaged(bundle, error))?;
            let leaves = tile::hashes(&leaves, hashes.width).map_err(|error| damaged(hashes, error))?;
            let start = bundle.index << 8;
            let from = usize::try_from(next - start).expect("below 256");
            for (entry, leaf) in entries.iter().zip(leaves).skip(from) {
                if next == end {
                    break;
                }
                if Hash::of_leaf(entry) != leaf {
                    return Err(damaged_at(&self.dir, bundle, format!("entry {next} does not fit its hash")));
                }
                found.push(entry.to_vec());
                next += 1;
            }
        }
        Ok(found)
    }

    /// One entry; see [`entries`](Self::entries).
    ///
    /// # Errors
    /// As there.
    pub fn entry(&self, checkpoint: &SignedCheckpoint, index: u64) -> Result<Vec<u8>, Error> {
        Ok(self.entries(checkpoint, index, 1)?.remove(0))
    }

    /// The proof that an entry is in the log of this checkpoint. It has been verified.
    ///
    /// # Errors
    /// If there is no such entry, or the tiles do not fit the checkpoint.
    pub fn inclusion(&self, checkpoint: &SignedCheckpoint, index: u64) -> Result<Vec<Hash>, Error> {
        let size = checkpoint.size();
        let mut tiles = Tiles::of(self, size);
        let path = merkle::inclusion(index, size, |node| tiles.node(node))?;
        let leaf = tiles.node(Node { height: 0, index })?;
        merkle::verify_inclusion(leaf, index, size, &path, checkpoint.root())?;
        Ok(path)
    }

    /// The proof that the log of this checkpoint continues its own first `old` entries, and the root that it had then.
    /// It has been verified.
    ///
    /// # Errors
    /// If the log is smaller, or the tiles do not fit the checkpoint.
    pub fn consistency(&self, old: u64, checkpoint: &SignedCheckpoint) -> Result<(Hash, Vec<Hash>), Error> {
        let new = checkpoint.size();
        let mut tiles = Tiles::of(self, new);
        let proof = merkle::consistency(old, new, |node| tiles.node(node))?;
        let old_root = merkle::root(old, |node| tiles.node(node))?;
        merkle::verify_consistency(old, old_root, new, checkpoint.root(), &proof)?;
        Ok((old_root, proof))
    }

    /// The entry, and the proof for it in one text, with the checkpoint and its cosignatures.
    ///
    /// # Errors
    /// If there is no such entry, or something is damaged.
    pub fn entry_proof(
        &self,
        checkpoint: &SignedCheckpoint,
        index: u64,
    ) -> Result<(Vec<u8>, EntryProof), Error> {
        let entry = self.entry(checkpoint, index)?;
        let path = self.inclusion(checkpoint, index)?;
        let size = checkpoint.size();
        merkle::verify_inclusion(Hash::of_leaf(&entry), index, size, &path, checkpoint.root())?;
        Ok((entry, EntryProof { extra: None, index, path, checkpoint: checkpoint.note().clone() }))
    }

    /// An inner node of the tree of a checkpoint, for proofs between older trees that [`merkle`] makes. It is as the
    /// tiles say, and not verified.
    ///
    /// # Errors
    /// If a file is missing or malformed.
    ///
    /// # Panics
    /// If the node is not in the tree.
    pub fn node(&self, checkpoint: &SignedCheckpoint, node: Node) -> Result<Hash, Error> {
        Tiles::of(self, checkpoint.size()).node(node)
    }

    /// What a witness must be sent to cosign this checkpoint, if `old` is the size of the one that it cosigned last.
    ///
    /// # Errors
    /// If the log is smaller than that, or something is damaged.
    pub fn witness_request(&self, old: u64, checkpoint: &SignedCheckpoint) -> Result<Request, Error> {
        let (_, proof) = self.consistency(old, checkpoint)?;
        Ok(Request { old, proof, checkpoint: checkpoint.note().clone() })
    }

    /// The edge of the tree of a checkpoint, if it leads to the checkpoint's root.
    pub(super) fn edge(&self, checkpoint: &SignedCheckpoint) -> Result<Edge, Error> {
        let fetch = |resource| self.fetch(resource);
        let edge = Edge::read(checkpoint.size(), fetch, |resource, error| self.damaged(resource, error))?;
        if edge.root() != checkpoint.root() {
            let path = self.dir.join(CHECKPOINT);
            let what = "the last tiles do not lead to its root".to_owned();
            return Err(Error::Damaged { path, what });
        }
        Ok(edge)
    }

    /// The frontier of the tree of a checkpoint, if it leads to the checkpoint's root.
    pub(super) fn frontier(&self, checkpoint: &SignedCheckpoint) -> Result<Frontier, Error> {
        let mut tiles = Tiles::of(self, checkpoint.size());
        let frontier = Frontier::read(checkpoint.size(), |node| tiles.node(node))?;
        if frontier.root() != checkpoint.root() {
            let path = self.dir.join(CHECKPOINT);
            return Err(Error::Damaged { path, what: "the tiles do not lead to its root".to_owned() });
        }
        Ok(frontier)
    }

    /// The bytes of a tile or a bundle. For a partial one that is gone, the beginning of the full one serves.
    pub(super) fn fetch(&self, resource: Resource) -> Result<Vec<u8>, Error> {
        if let Some(bytes) = self.read(resource)? {
            return Ok(bytes);
        }
        let full = Resource { width: FULL, ..resource };
        let missing = || damaged_at(&self.dir, resource, "it is missing".to_owned());
        let mut bytes = self.read(full)?.ok_or_else(missing)?;
        let keep = match resource.kind {
            Kind::Hashes { .. } => usize::from(resource.width) * 32,
            Kind::Entries => {
                let entries = tile::entries(&bytes, FULL).map_err(|error| self.damaged(full, error))?;
                entries.iter().take(usize::from(resource.width)).map(|entry| entry.len() + 2).sum()
            }
        };
        bytes.truncate(keep);
        Ok(bytes)
    }

    /// The bytes of the file of a resource; `None` if there is none.
    pub(super) fn read(&self, resource: Resource) -> Result<Option<Vec<u8>>, Error> {
        let path = self.dir.join(resource.path());
        self.storage.read(&path).map_err(Error::io("reading", &path))
    }

    fn damaged(&self, resource: Resource, error: tile::BadTile) -> Error {
        damaged_at(&self.dir, resource, error.to_string())
    }
}

fn damaged_at(dir: &Path, resource: Resource, what: String) -> Error {
    Error::Damaged { path: dir.join(resource.path()), what }
}

/// The tiles of a log of one size, each read once.
struct Tiles<'r, S> {
    reader: &'r Reader<S>,
    size: u64,
    read: HashMap<Resource, Vec<u8>>,
}

impl<'r, S: Storage> Tiles<'r, S> {
    fn of(reader: &'r Reader<S>, size: u64) -> Self {
        Self { reader, size, read: HashMap::new() }
    }

    fn node(&mut self, node: Node) -> Result<Hash, Error> {
        let fetch = |resource| {
            if let Some(bytes) = self.read.get(&resource) {
                return Ok(bytes.clone());
            }
            let bytes = self.reader.fetch(resource)?;
            self.read.insert(resource, bytes.clone());
            Ok(bytes)
        };
        let dir = &self.reader.dir;
        tile::read_node(node, self.size, fetch, |resource, error| {
            damaged_at(dir, resource, error.to_string())
        })
    }
}
