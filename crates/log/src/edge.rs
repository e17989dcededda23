//! The right edge of a log: what must be in hand to add entries, and which files a new size needs.

use crate::hash::{Hash, of_complete};
use crate::tile::{self, BadTile, FULL, Kind, MAX_LEVEL, Resource, TooLong};

/// One file to write: what it is, and its bytes.
pub type NewFile = (Resource, Vec<u8>);

/// The partial tiles and the partial bundle at the end of a log.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Edge {
    size: u64,
    /// By level: the hashes of the tile that is not full.
    levels: Vec<Vec<Hash>>,
    /// The entries of the bundle that is not full, as they are written.
    bundle: Vec<u8>,
}

impl Edge {
    /// Reads the edge of a log of `size` entries from its files.
    ///
    /// # Errors
    /// Those of `fetch`, and what `bad` makes of a file that is malformed.
    pub fn read<E>(
        size: u64,
        mut fetch: impl FnMut(Resource) -> Result<Vec<u8>, E>,
        bad: impl Fn(Resource, BadTile) -> E,
    ) -> Result<Self, E> {
        let mut edge = Self { size, ..Self::default() };
        if let Some(resource) = Resource::partial(Kind::Entries, size) {
            edge.bundle = fetch(resource)?;
            tile::entries(&edge.bundle, resource.width).map_err(|error| bad(resource, error))?;
        }
        for level in 0..=MAX_LEVEL {
            let hashes = match Resource::partial(Kind::Hashes { level }, size) {
                Some(resource) => {
                    tile::hashes(&fetch(resource)?, resource.width).map_err(|error| bad(resource, error))?
                }
                None => Vec::new(),
            };
            edge.levels.push(hashes);
        }
        Ok(edge)
    }

    /// The number of entries.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// The root of the tree.
    pub fn root(&self) -> Hash {
        let mut root: Option<Hash> = None;
        for hashes in &self.levels {
            // The complete subtrees within the tile, smallest (and last) first.
            let mut end = hashes.len();
            while end > 0 {
                let width = 1 << end.trailing_zeros();
                let peak = of_complete(hashes[end - width..end].to_vec());
                root = Some(root.map_or(peak, |right| Hash::of_node(&peak, &right)));
                end -= width;
            }
        }
        root.unwrap_or_else(Hash::of_empty_tree)
    }

    /// Adds an entry with its leaf hash. Tiles and bundles that become full are added to `full`.
    ///
    /// # Errors
    /// If the entry is too long; then nothing has changed.
    pub fn push(&mut self, entry: &[u8], leaf: Hash, full: &mut Vec<NewFile>) -> Result<(), TooLong> {
        tile::push_entry(&mut self.bundle, entry)?;
        if self.size & 0xff == 0xff {
            let resource = Resource { kind: Kind::Entries, index: self.size >> 8, width: FULL };
            full.push((resource, std::mem::take(&mut self.bundle)));
        }
        let mut hash = leaf;
        for level in 0..=MAX_LEVEL {
            if self.levels.len() <= usize::from(level) {
                self.levels.push(Vec::new());
            }
            let hashes = &mut self.levels[usize::from(level)];
            hashes.push(hash);
            if hashes.len() < usize::from(FULL) {
                break;
            }
            let index = self.size >> (8 * (u32::from(level) + 1));
            let resource = Resource { kind: Kind::Hashes { level }, index, width: FULL };
            full.push((resource, tile::tile_bytes(hashes)));
            hash = of_complete(std::mem::take(hashes));
        }
        self.size += 1;
        Ok(())
    }

    /// The partial tiles and the partial bundle of this size.
    pub fn partials(&self) -> Vec<NewFile> {
        let mut files = Vec::new();
        if let Some(resource) = Resource::partial(Kind::Entries, self.size) {
            files.push((resource, self.bundle.clone()));
        }
        for level in 0..=MAX_LEVEL {
            if let Some(resource) = Resource::partial(Kind::Hashes { level }, self.size) {
                files.push((resource, tile::tile_bytes(&self.levels[usize::from(level)])));
            }
        }
        files
    }
}
