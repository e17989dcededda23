//! The journal: the private files in which entries become durable, together with the checkpoint that covers them, by
//! one sync.
//!
//! `docs/formats/log.md` has the form. A segment is a file of fixed size, full of zeros at first, so that a sync writes
//! no more than the record. Records are appended; each is checked by length and CRC, starts at a multiple of 64 bytes,
//! and continues the one before. A record that was torn was never acknowledged, and everything from it on is nothing.

use super::storage::Storage;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tearline_log::hash::Hash;
use tearline_log::tile;

/// How the names of segments end.
pub const EXTENSION: &str = "segment";

/// Records start at multiples of this, in bytes.
pub const ALIGN: usize = 64;

/// What a segment begins with.
const MAGIC: &[u8; 20] = b"tearline journal v1\n";
/// What a record begins with.
const RECORD: [u8; 4] = *b"TLJR";
/// Magic, length, CRC.
const RECORD_HEAD: usize = 12;

/// A record: a batch of entries, and the checkpoint that covers them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// The number of its first entry.
    pub first: u64,
    /// Its entries.
    pub entries: Vec<Vec<u8>>,
    /// The signed checkpoint of the log that ends with these entries, as a note.
    pub note: Vec<u8>,
}

impl Record {
    /// The size of the log that ends with it.
    pub fn end(&self) -> u64 {
        self.first + self.entries.len() as u64
    }

    /// The bytes of the record, padded to [`ALIGN`].
    pub fn bytes(&self) -> Vec<u8> {
        encode(self.first, &self.entries, &self.note)
    }
}

/// The bytes of a record of these entries, padded to [`ALIGN`].
fn encode(first: u64, entries: &[Vec<u8>], note: &[u8]) -> Vec<u8> {
    let room: usize = entries.iter().map(|entry| entry.len() + 2).sum();
    let mut bytes = Vec::with_capacity(room + note.len() + 2 * ALIGN);
    bytes.extend_from_slice(&RECORD);
    bytes.extend_from_slice(&[0; 8]);
    bytes.extend_from_slice(&first.to_be_bytes());
    bytes.extend_from_slice(&length(entries.len()).to_be_bytes());
    for entry in entries {
        tile::push_entry(&mut bytes, entry).expect("lengths were checked before");
    }
    bytes.extend_from_slice(note);
    let body = length(bytes.len() - RECORD_HEAD).to_be_bytes();
    bytes[4..8].copy_from_slice(&body);
    let crc = crc(&bytes);
    bytes[8..12].copy_from_slice(&crc);
    bytes.resize(bytes.len().next_multiple_of(ALIGN), 0);
    bytes
}

fn length(length: usize) -> u32 {
    u32::try_from(length).expect("batches are far below 4 GiB")
}

/// The CRC of a record without its padding: over its length and its body.
fn crc(record: &[u8]) -> [u8; 4] {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(&record[4..8]);
    hasher.update(&record[RECORD_HEAD..]);
    hasher.finalize().to_be_bytes()
}

/// Reads the record at the start of `bytes`, and how many bytes it takes with its padding.
fn decode(bytes: &[u8]) -> Option<(Record, usize)> {
    let (head, rest) = bytes.split_first_chunk::<RECORD_HEAD>()?;
    if head[..4] != RECORD {
        return None;
    }
    let body_length = u32::from_be_bytes([head[4], head[5], head[6], head[7]]) as usize;
    let body = rest.get(..body_length)?;
    if crc(&bytes[..RECORD_HEAD + body_length]) != head[8..] {
        return None;
    }
    let (first, body) = body.split_first_chunk::<8>()?;
    let (count, mut body) = body.split_first_chunk::<4>()?;
    let first = u64::from_be_bytes(*first);
    let mut entries = Vec::new();
    for _ in 0..u32::from_be_bytes(*count) {
        let (length, rest) = body.split_first_chunk::<2>()?;
        let (entry, rest) = rest.split_at_checked(usize::from(u16::from_be_bytes(*length)))?;
        entries.push(entry.to_vec());
        body = rest;
    }
    first.checked_add(entries.len() as u64)?;
    let record = Record { first, entries, note: body.to_vec() };
    Some((record, (RECORD_HEAD + body_length).next_multiple_of(ALIGN)))
}

/// What a segment holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Segment {
    /// The size of the log when the segment was begun, and its root; `None` if the head is not whole.
    pub base: Option<(u64, Hash)>,
    /// The records, each continuing the one before.
    pub records: Vec<Record>,
    /// Records that are whole but stand behind a place where there is none. Nothing that a crash does makes such.
    pub stray: Vec<Record>,
}

/// Reads a segment. Any bytes are answered.
pub fn scan(bytes: &[u8]) -> Segment {
    let mut segment = Segment { base: read_head(bytes), ..Segment::default() };
    let mut at = ALIGN;
    let mut next = segment.base.map(|(size, _)| size);
    while let Some((record, length)) = bytes.get(at..).and_then(decode) {
        if next.is_some_and(|next| record.first != next) || segment.base.is_none() {
            break;
        }
        next = Some(record.end());
        at += length;
        segment.records.push(record);
    }
    while let Some(rest) = bytes.get(at..) {
        match decode(rest) {
            Some((record, length)) => {
                segment.stray.push(record);
                at += length;
            }
            None => at += ALIGN,
        }
    }
    segment
}

/// The first 64 bytes of a segment.
fn head(size: u64, root: Hash) -> [u8; ALIGN] {
    let mut head = [0; ALIGN];
    head[..20].copy_from_slice(MAGIC);
    head[20..28].copy_from_slice(&size.to_be_bytes());
    head[28..60].copy_from_slice(&root.0);
    let crc = crc32fast::hash(&head[..60]);
    head[60..].copy_from_slice(&crc.to_be_bytes());
    head
}

fn read_head(bytes: &[u8]) -> Option<(u64, Hash)> {
    let found = bytes.get(..ALIGN)?;
    let size = u64::from_be_bytes(found[20..28].try_into().ok()?);
    let root = Hash(found[28..60].try_into().ok()?);
    (found == head(size, root)).then_some((size, root))
}

/// The journal being written.
pub(super) struct Journal<S> {
    storage: Arc<S>,
    /// Where the segments are.
    dir: PathBuf,
    /// The size of a segment, in bytes.
    capacity: usize,
    /// The segment being written.
    file: PathBuf,
    /// Where its next record goes, and where it ends.
    at: usize,
    end: usize,
    /// Older segments, with the size of the log at their end. They go when all of it is published.
    older: Vec<(PathBuf, u64)>,
}

impl<S: Storage> Journal<S> {
    /// Begins a segment at this size of the log. Everything up to there is published, so what else lies in the
    /// directory is removed.
    pub(super) fn begin(
        storage: Arc<S>,
        dir: &Path,
        capacity: usize,
        size: u64,
        root: Hash,
    ) -> io::Result<Self> {
        let mut journal = Self {
            storage,
            dir: dir.to_owned(),
            capacity,
            file: PathBuf::new(),
            at: 0,
            end: 0,
            older: Vec::new(),
        };
        journal.new_segment(size, root, 0)?;
        for name in journal.storage.list(dir)? {
            if dir.join(&name) != journal.file {
                journal.storage.remove(&dir.join(name))?;
            }
        }
        Ok(journal)
    }

    /// Where the segments are.
    pub(super) fn dir(&self) -> &Path {
        &self.dir
    }

    /// Appends a record and makes it durable. `published` is the size up to which everything is published.
    ///
    /// After an error the journal must not be used any more.
    pub(super) fn append(
        &mut self,
        first: u64,
        root_before: Hash,
        entries: &[Vec<u8>],
        note: &[u8],
        published: u64,
    ) -> io::Result<()> {
        let record = encode(first, entries, note);
        if self.at + record.len() > self.end {
            let full = std::mem::take(&mut self.file);
            self.older.push((full, first));
            self.new_segment(first, root_before, record.len())?;
            for (file, _) in self.older.extract_if(.., |(_, end)| *end <= published) {
                self.storage.remove(&file)?;
            }
        }
        self.storage.write_at(&self.file, self.at as u64, &record)?;
        self.storage.sync(&self.file)?;
        self.at += record.len();
        Ok(())
    }

    /// Makes a segment durable under its name, with room for a record of `needed` bytes.
    fn new_segment(&mut self, size: u64, root: Hash, needed: usize) -> io::Result<()> {
        self.end = self.capacity.max(ALIGN + needed).next_multiple_of(ALIGN);
        let mut bytes = head(size, root).to_vec();
        bytes.resize(self.end, 0);
        let new = self.dir.join(format!("{size:020}.new"));
        self.file = self.dir.join(format!("{size:020}.{EXTENSION}"));
        self.storage.write(&new, &bytes)?;
        self.storage.sync(&new)?;
        self.storage.rename(&new, &self.file)?;
        self.storage.sync_dir(&self.dir)?;
        self.at = ALIGN;
        Ok(())
    }
}

/// The segments of a journal, oldest first, with their paths.
pub(super) fn segments(storage: &impl Storage, dir: &Path) -> io::Result<Vec<(PathBuf, Segment)>> {
    let mut segments = Vec::new();
    for name in storage.list(dir)? {
        let path = dir.join(name);
        if path.extension().is_some_and(|extension| extension == EXTENSION) {
            let bytes = storage.read(&path)?.unwrap_or_default();
            segments.push((path, scan(&bytes)));
        }
    }
    Ok(segments)
}
