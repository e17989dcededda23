//! The check of a whole log folder: everything is derived again from the entries.

use super::error::Error;
use super::reader::Reader;
use super::storage::Storage;
use std::fmt;
use tearline_log::checkpoint::SignedCheckpoint;
use tearline_log::edge::Edge;
use tearline_log::hash::Hash;
use tearline_log::tile::{self, Kind, Resource};

/// One thing that is wrong with a log folder. Its name is the word before the colon when shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Problem {
    /// The checkpoint is missing, malformed, or not signed by the log.
    BadCheckpoint(String),
    /// A file that the checkpoint needs is not there.
    Missing(Resource),
    /// A file is malformed.
    Malformed(Resource, String),
    /// A hash of level 0 is not that of its entry: the entry or the tile is altered.
    WrongEntry {
        /// The tile.
        tile: Resource,
        /// The number of the first such entry in it.
        index: u64,
    },
    /// A hash of a tile is not that of the full tile below it.
    WrongHash {
        /// The tile.
        tile: Resource,
        /// The place of the first such hash in it.
        at: usize,
    },
    /// The entries do not lead to the root of the checkpoint.
    WrongRoot {
        /// The root of the checkpoint.
        signed: Hash,
        /// The root of the entries.
        derived: Hash,
    },
    /// Entries could not be read, so that the root could not be derived.
    NoRoot,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BadCheckpoint(what) => write!(f, "bad-checkpoint: {what}"),
            Self::Missing(file) => write!(f, "missing: {file} is not there"),
            Self::Malformed(file, what) => write!(f, "malformed: {file}: {what}"),
            Self::WrongEntry { tile, index } => {
                write!(
                    f,
                    "wrong-entry: entry {index} does not fit its hash in {tile}; one of the two is altered"
                )
            }
            Self::WrongHash { tile, at } => {
                write!(f, "wrong-hash: hash {at} of {tile} is not that of the tile below it")
            }
            Self::WrongRoot { signed, derived } => {
                write!(
                    f,
                    "wrong-root: the checkpoint has the root {signed}, and the entries lead to {derived}"
                )
            }
            Self::NoRoot => f.write_str("no-root: entries are missing, so the root could not be derived"),
        }
    }
}

/// What a check found.
#[derive(Clone, Debug)]
pub struct Report {
    /// The checkpoint that was checked, if it verifies.
    pub checkpoint: Option<SignedCheckpoint>,
    /// How many entries were read.
    pub entries: u64,
    /// How many tiles and bundles were read.
    pub files: u64,
    /// What is wrong, in the order found; at most [`MAX_PROBLEMS`].
    pub problems: Vec<Problem>,
}

/// The most problems that are listed.
pub const MAX_PROBLEMS: usize = 100;

impl Report {
    /// Whether nothing is wrong.
    pub fn is_sound(&self) -> bool {
        self.problems.is_empty()
    }
}

/// Checks everything that the checkpoint of a log folder covers. The private folder is not needed.
///
/// # Errors
/// If the disk refuses to be read. What is wrong with the log is in the report.
pub fn fsck<S: Storage>(reader: &Reader<S>) -> Result<Report, Error> {
    let mut check =
        Check { reader, report: Report { checkpoint: None, entries: 0, files: 0, problems: Vec::new() } };
    match reader.checkpoint() {
        Ok(checkpoint) => check.all(checkpoint)?,
        Err(error @ (Error::NoLog(_) | Error::Checkpoint { .. })) => {
            check.problem(Problem::BadCheckpoint(error.to_string()));
        }
        Err(error) => return Err(error),
    }
    Ok(check.report)
}

struct Check<'r, S> {
    reader: &'r Reader<S>,
    report: Report,
}

impl<S: Storage> Check<'_, S> {
    fn problem(&mut self, problem: Problem) {
        if self.report.problems.len() < MAX_PROBLEMS {
            self.report.problems.push(problem);
        }
    }

    /// The bytes of a file, by its own name or as the beginning of the full one.
    fn file(&mut self, resource: Resource) -> Result<Option<Vec<u8>>, Error> {
        match self.reader.fetch(resource) {
            Ok(bytes) => {
                self.report.files += 1;
                Ok(Some(bytes))
            }
            Err(Error::Damaged { .. }) => {
                self.problem(Problem::Missing(resource));
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    fn hashes(&mut self, tile: Resource) -> Result<Option<Vec<Hash>>, Error> {
        let Some(bytes) = self.file(tile)? else { return Ok(None) };
        match tile::hashes(&bytes, tile.width) {
            Ok(hashes) => Ok(Some(hashes)),
            Err(error) => {
                self.problem(Problem::Malformed(tile, error.to_string()));
                Ok(None)
            }
        }
    }

    fn all(&mut self, checkpoint: SignedCheckpoint) -> Result<(), Error> {
        let size = checkpoint.size();
        let mut edge = Edge::default();
        let mut whole = true;
        for bundle in Resource::all(Kind::Entries, size) {
            let leaves = self.hashes(Resource { kind: Kind::Hashes { level: 0 }, ..bundle })?;
            let bytes = self.file(bundle)?;
            let entries = bytes.as_deref().map(|bytes| tile::entries(bytes, bundle.width));
            match entries {
                Some(Ok(entries)) => {
                    self.report.entries += entries.len() as u64;
                    let derived: Vec<Hash> = entries.iter().map(|entry| Hash::of_leaf(entry)).collect();
                    self.compare_leaves(bundle, &derived, leaves.as_deref());
                    if whole {
                        self.grow(&mut edge, &entries, &derived)?;
                    }
                }
                Some(Err(error)) => {
                    self.problem(Problem::Malformed(bundle, error.to_string()));
                    whole = false;
                }
                None => whole = false,
            }
        }
        if !whole {
            self.problem(Problem::NoRoot);
        } else if edge.root() != checkpoint.root() {
            self.problem(Problem::WrongRoot { signed: checkpoint.root(), derived: edge.root() });
        } else {
            for (tile, bytes) in edge.partials() {
                self.compare_tile(tile, &bytes)?;
            }
        }
        self.report.checkpoint = Some(checkpoint);
        Ok(())
    }

    fn compare_leaves(&mut self, bundle: Resource, derived: &[Hash], found: Option<&[Hash]>) {
        let different = found.and_then(|found| derived.iter().zip(found).position(|(a, b)| a != b));
        if let Some(at) = different {
            let tile = Resource { kind: Kind::Hashes { level: 0 }, ..bundle };
            self.problem(Problem::WrongEntry { tile, index: (bundle.index << 8) + at as u64 });
        }
    }

    /// Adds entries, and compares the tiles above level 0 that become full by it.
    fn grow(&mut self, edge: &mut Edge, entries: &[&[u8]], leaves: &[Hash]) -> Result<(), Error> {
        let mut full = Vec::new();
        for (entry, &leaf) in entries.iter().zip(leaves) {
            edge.push(entry, leaf, &mut full).expect("it came from a bundle, so it is not too long");
        }
        full.iter().try_for_each(|(tile, bytes)| self.compare_tile(*tile, bytes))
    }

    /// Compares a tile above level 0 with what was derived.
    fn compare_tile(&mut self, tile: Resource, derived: &[u8]) -> Result<(), Error> {
        if matches!(tile.kind, Kind::Entries | Kind::Hashes { level: 0 }) {
            return Ok(());
        }
        let Some(found) = self.hashes(tile)? else { return Ok(()) };
        let derived = tile::hashes(derived, tile.width).expect("we made it");
        if let Some(at) = derived.iter().zip(found).position(|(a, b)| *a != b) {
            self.problem(Problem::WrongHash { tile, at });
        }
        Ok(())
    }
}
