//! Checkpoints: what a log signs, its size and its root (C2SP tlog-checkpoint v1.0.0).

use crate::hash::Hash;
use crate::merkle::MAX_SIZE;
use crate::note::{BadNote, KeyKind, Note, Signer, VerifierKey};
use std::fmt::{self, Write as _};
use thiserror::Error;

/// The state of a log at one time, as it is written into the text of a checkpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    /// The log's name.
    pub origin: String,
    /// The number of entries.
    pub size: u64,
    /// The root of the tree of these entries.
    pub root: Hash,
    /// Further lines. We write none; others' are kept, since signatures cover them.
    pub extensions: Vec<String>,
}

/// Why a checkpoint is refused.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum BadCheckpoint {
    /// It is no signed note, or not signed by the key.
    #[error(transparent)]
    Note(#[from] BadNote),
    /// The text is not that of a checkpoint.
    #[error("not a checkpoint: {0}")]
    Text(&'static str),
    /// The checkpoint of another log.
    #[error("a checkpoint of {found:?}, and {expected:?} was expected")]
    Origin {
        /// The log that the key belongs to.
        expected: String,
        /// The origin line.
        found: String,
    },
}

impl Checkpoint {
    /// Reads the text of a checkpoint. It is not trusted before its note is verified: see [`SignedCheckpoint::open`].
    ///
    /// # Errors
    /// What the text lacks.
    pub fn read(text: &str) -> Result<Self, BadCheckpoint> {
        use BadCheckpoint::Text;
        let lines = text.strip_suffix('\n').ok_or(Text("it must end in a newline"))?;
        let mut lines = lines.split('\n');
        let origin = lines.next().filter(|line| !line.is_empty());
        let origin = origin.ok_or(Text("its first line must name the log"))?.to_owned();
        let size = lines.next().and_then(size_from);
        let size = size.ok_or(Text("its second line must be the number of entries"))?;
        let root = lines.next().and_then(Hash::from_base64);
        let root = root.ok_or(Text("its third line must be the root, 32 bytes in Base 64"))?;
        let extensions: Vec<String> = lines.map(str::to_owned).collect();
        if extensions.iter().any(String::is_empty) {
            return Err(Text("it has an empty line"));
        }
        if size == 0 && root != Hash::of_empty_tree() {
            return Err(Text("it has no entries, and a root that is not that of no entries"));
        }
        Ok(Self { origin, size, root, extensions })
    }

    /// The text: what is signed and cosigned.
    pub fn text(&self) -> String {
        let mut text = format!("{}\n{}\n{}\n", self.origin, self.size, self.root);
        for line in &self.extensions {
            writeln!(text, "{line}").expect("writing to a string does not fail");
        }
        text
    }

    /// Signs it with the log's key.
    pub fn sign(self, signer: &Signer) -> SignedCheckpoint {
        let note = Note::sign(&self.text(), signer);
        SignedCheckpoint { checkpoint: self, note }
    }
}

/// Reads a size: decimal, no needless zeros, at most [`MAX_SIZE`].
pub(crate) fn size_from(line: &str) -> Option<u64> {
    let plain = !line.is_empty() && line.bytes().all(|byte| byte.is_ascii_digit());
    if !plain || (line.starts_with('0') && line != "0") {
        return None;
    }
    line.parse().ok().filter(|&size| size <= MAX_SIZE)
}

/// A checkpoint whose log's signature has been verified, with its note. Shown, it is the note.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedCheckpoint {
    checkpoint: Checkpoint,
    note: Note,
}

impl SignedCheckpoint {
    /// Reads a checkpoint and verifies that the log signed it. The key's name must be the origin.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn open(bytes: &[u8], log: &VerifierKey) -> Result<Self, BadCheckpoint> {
        let note = Note::read(bytes)?;
        let origin = note.text().split('\n').next().unwrap_or_default();
        if origin != log.name() {
            return Err(BadCheckpoint::Origin { expected: log.name().to_owned(), found: origin.to_owned() });
        }
        if log.kind() != KeyKind::Log {
            return Err(BadNote::NoSignature(log.name().to_owned()).into());
        }
        note.verify(log)?;
        let checkpoint = Checkpoint::read(note.text())?;
        Ok(Self { checkpoint, note })
    }

    /// What it says.
    pub fn checkpoint(&self) -> &Checkpoint {
        &self.checkpoint
    }

    /// The number of entries.
    pub fn size(&self) -> u64 {
        self.checkpoint.size
    }

    /// The root.
    pub fn root(&self) -> Hash {
        self.checkpoint.root
    }

    /// The note, with all signatures.
    pub fn note(&self) -> &Note {
        &self.note
    }

    /// The note, to add cosignatures.
    pub(crate) fn note_mut(&mut self) -> &mut Note {
        &mut self.note
    }
}

impl fmt::Display for SignedCheckpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.note.fmt(f)
    }
}
