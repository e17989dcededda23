//! How the tree lies in files: tiles of 256 hashes and bundles of 256 entries (C2SP tlog-tiles v0.1.0).

use crate::hash::{Hash, of_complete};
use crate::merkle::Node;
use std::fmt;
use thiserror::Error;

/// How many hashes a full tile has, and how many entries a full bundle.
pub const FULL: u16 = 256;

/// The longest entry, in bytes: its length is written in two.
pub const MAX_ENTRY: usize = 65_535;

/// What a file of the public folder holds, beside the checkpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// A bundle of entries.
    Entries,
    /// A tile of hashes. The level is at most 7: that is enough for 2^62 entries.
    Hashes {
        /// Level 0 holds leaf hashes; each hash above is the root of a full tile below.
        level: u8,
    },
}

/// One file of the public folder: a tile or a bundle, full or partial.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Resource {
    /// What it holds.
    pub kind: Kind,
    /// The how-manieth of its kind, from 0.
    pub index: u64,
    /// How many hashes or entries it holds: 1 to 256. Below 256 it is partial.
    pub width: u16,
}

/// Highest level of tiles that a log can have here.
pub const MAX_LEVEL: u8 = 7;

impl Resource {
    /// Whether it is not full yet.
    pub fn is_partial(&self) -> bool {
        self.width < FULL
    }

    /// The path below the public folder, such as `tile/0/x001/234.p/17` or `tile/entries/000`.
    pub fn path(&self) -> String {
        self.to_string()
    }

    /// Reads a path below the public folder; `None` if no resource has it.
    pub fn from_path(path: &str) -> Option<Self> {
        let (kind, rest) = path.strip_prefix("tile/")?.split_once('/')?;
        let kind = match kind {
            "entries" => Kind::Entries,
            level => Kind::Hashes { level: decimal(level, u64::from(MAX_LEVEL))?.try_into().ok()? },
        };
        let (index, width) = match rest.split_once(".p/") {
            Some((index, width)) => {
                (index, u16::try_from(decimal(width, 255)?).ok().filter(|&width| width > 0)?)
            }
            None => (rest, FULL),
        };
        let resource = Self { kind, index: from_groups(index)?, width };
        (resource.path() == path).then_some(resource)
    }

    /// The resources of a kind that a log of `size` entries consists of, in order: all full ones and, if there is one,
    /// the partial one at the end.
    pub fn all(kind: Kind, size: u64) -> impl Iterator<Item = Self> {
        let count = count(kind, size);
        let (full, rest) = (count >> 8, count & 0xff);
        let width = u16::try_from(rest).expect("below 256");
        (0..full).map(move |index| Self { kind, index, width: FULL }).chain((rest > 0).then_some(Self {
            kind,
            index: full,
            width,
        }))
    }

    /// The partial resource of a kind at the end of a log of `size` entries, if there is one.
    pub fn partial(kind: Kind, size: u64) -> Option<Self> {
        let count = count(kind, size);
        let width = u16::try_from(count & 0xff).expect("below 256");
        (width > 0).then_some(Self { kind, index: count >> 8, width })
    }

    /// The resource of a kind that holds number `position`, in a log of `size` entries; `None` if none does.
    pub fn holding(kind: Kind, position: u64, size: u64) -> Option<Self> {
        let count = count(kind, size);
        let index = position >> 8;
        if position >= count {
            return None;
        }
        let width = (count - (index << 8)).min(u64::from(FULL));
        Some(Self { kind, index, width: u16::try_from(width).expect("at most 256") })
    }
}

/// How many entries, or hashes of a level, a log of `size` entries has.
fn count(kind: Kind, size: u64) -> u64 {
    match kind {
        Kind::Entries => size,
        Kind::Hashes { level } => size.checked_shr(8 * u32::from(level)).unwrap_or(0),
    }
}

/// Every kind of file of a log of `size` entries, bundles first, then tiles from the leaves up.
pub fn kinds(size: u64) -> impl Iterator<Item = Kind> {
    let levels = (0..=MAX_LEVEL).map(|level| Kind::Hashes { level });
    std::iter::once(Kind::Entries).chain(levels).filter(move |&kind| count(kind, size) > 0)
}

/// A decimal number without needless zeros.
fn decimal(text: &str, max: u64) -> Option<u64> {
    let plain = text.bytes().all(|byte| byte.is_ascii_digit()) && (text == "0" || !text.starts_with('0'));
    if !plain {
        return None;
    }
    text.parse().ok().filter(|&number| number <= max)
}

/// Reads `x001/x234/067` as 1234067.
fn from_groups(text: &str) -> Option<u64> {
    text.split('/').try_fold(0_u64, |number, group| {
        let digits = group.strip_prefix('x').unwrap_or(group);
        if digits.len() != 3 || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        number.checked_mul(1000)?.checked_add(digits.parse().ok()?)
    })
}

impl fmt::Display for Resource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.kind {
            Kind::Entries => f.write_str("tile/entries/")?,
            Kind::Hashes { level } => write!(f, "tile/{level}/")?,
        }
        let mut groups = format!("{:03}", self.index % 1000);
        let mut rest = self.index / 1000;
        while rest > 0 {
            groups.insert_str(0, &format!("x{:03}/", rest % 1000));
            rest /= 1000;
        }
        f.write_str(&groups)?;
        if self.is_partial() { write!(f, ".p/{}", self.width) } else { Ok(()) }
    }
}

/// Why the bytes of a tile or a bundle are refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum BadTile {
    /// The file is not as long as its width needs.
    #[error("{found} bytes, and not the {expected} of a tile of this width")]
    Length {
        /// Bytes expected.
        expected: usize,
        /// Bytes found.
        found: usize,
    },
    /// A bundle ends within an entry, or before its last one.
    #[error("the bundle ends within entry {entry} of its {width}")]
    Short {
        /// The entry that is not whole, from 0.
        entry: u16,
        /// How many entries it must have.
        width: u16,
    },
    /// A bundle goes on after its last entry.
    #[error("{extra} bytes follow the last entry of the bundle")]
    Long {
        /// How many.
        extra: usize,
    },
}

/// The hashes of a tile's file.
///
/// # Errors
/// If it is not exactly as long as `width` needs.
pub fn hashes(bytes: &[u8], width: u16) -> Result<Vec<Hash>, BadTile> {
    let expected = usize::from(width) * 32;
    let (chunks, rest) = bytes.as_chunks::<32>();
    if !rest.is_empty() || bytes.len() != expected {
        return Err(BadTile::Length { expected, found: bytes.len() });
    }
    Ok(chunks.iter().copied().map(Hash).collect())
}

/// The entries of a bundle's file.
///
/// # Errors
/// If it does not hold exactly `width` entries.
pub fn entries(bytes: &[u8], width: u16) -> Result<Vec<&[u8]>, BadTile> {
    let mut found = Vec::with_capacity(usize::from(width));
    let mut rest = bytes;
    for entry in 0..width {
        let short = BadTile::Short { entry, width };
        let (length, after) = rest.split_first_chunk::<2>().ok_or(short)?;
        let (bytes, after) = after.split_at_checked(usize::from(u16::from_be_bytes(*length))).ok_or(short)?;
        found.push(bytes);
        rest = after;
    }
    if rest.is_empty() { Ok(found) } else { Err(BadTile::Long { extra: rest.len() }) }
}

/// An entry is too long for a bundle.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("an entry of {0} bytes, and the longest that a log takes has {MAX_ENTRY}")]
pub struct TooLong(pub usize);

/// Adds an entry to the end of a bundle.
///
/// # Errors
/// If it is longer than [`MAX_ENTRY`].
pub fn push_entry(bundle: &mut Vec<u8>, entry: &[u8]) -> Result<(), TooLong> {
    let length = u16::try_from(entry.len()).map_err(|_| TooLong(entry.len()))?;
    bundle.extend_from_slice(&length.to_be_bytes());
    bundle.extend_from_slice(entry);
    Ok(())
}

/// Reads an inner node of a log of `size` entries from its tiles. `fetch` gives the bytes of one tile.
///
/// # Errors
/// Those of `fetch`, and whatever `E` makes of a tile that is malformed.
///
/// # Panics
/// If the node is not in the tree: the functions of [`crate::merkle`] ask for no such node.
pub fn read_node<E>(
    node: Node,
    size: u64,
    mut fetch: impl FnMut(Resource) -> Result<Vec<u8>, E>,
    bad: impl FnOnce(Resource, BadTile) -> E,
) -> Result<Hash, E> {
    let (level, within) = (node.height / 8, u32::from(node.height % 8));
    let start = node.index << within;
    let tile = Resource::holding(Kind::Hashes { level }, start, size).expect("the node is in the tree");
    let bytes = fetch(tile)?;
    let hashes = hashes(&bytes, tile.width).map_err(|error| bad(tile, error))?;
    let offset = usize::try_from(start & 0xff).expect("below 256");
    Ok(of_complete(hashes[offset..offset + (1 << within)].to_vec()))
}

/// The bytes of a tile of these hashes.
pub fn tile_bytes(hashes: &[Hash]) -> Vec<u8> {
    hashes.iter().flat_map(|hash| hash.0).collect()
}
