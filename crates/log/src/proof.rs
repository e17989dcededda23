//! The proof for one entry in one text: index, path and checkpoint (C2SP tlog-proof, `c2sp.org/tlog-proof@v1`).

use crate::checkpoint::{BadCheckpoint, SignedCheckpoint, size_from};
use crate::hash::Hash;
use crate::merkle::{self, BadProof};
use crate::note::{BadNote, Note, VerifierKey};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use std::fmt;
use thiserror::Error;

/// The first line.
const HEADER: &str = "c2sp.org/tlog-proof@v1";

/// The longest path: a tree of 2^62 entries needs no more.
pub const MAX_PATH: usize = 63;

/// A proof that an entry is in a log. Shown, it is the text of the standard.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EntryProof {
    /// Further data that a program may put along. Nothing vouches for it. We write none.
    pub extra: Option<Vec<u8>>,
    /// The entry's number, from 0.
    pub index: u64,
    /// The inclusion proof.
    pub path: Vec<Hash>,
    /// The checkpoint, with its cosignatures.
    pub checkpoint: Note,
}

/// Why a proof is refused.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum BadEntryProof {
    /// Not of the form.
    #[error("not a proof for an entry of a log: {0}")]
    Form(&'static str),
    /// The checkpoint is bad or not signed by the log.
    #[error(transparent)]
    Checkpoint(#[from] BadCheckpoint),
    /// The path does not lead from the entry to the checkpoint.
    #[error(transparent)]
    Path(#[from] BadProof),
}

impl From<BadNote> for BadEntryProof {
    fn from(error: BadNote) -> Self {
        Self::Checkpoint(error.into())
    }
}

impl EntryProof {
    /// Reads a proof. Nothing is verified.
    ///
    /// # Errors
    /// If it is not of the form.
    pub fn read(bytes: &[u8]) -> Result<Self, BadEntryProof> {
        use BadEntryProof::Form;
        let text = str::from_utf8(bytes).map_err(|_| Form("it is not text"))?;
        let (head, note) =
            text.split_once("\n\n").ok_or(Form("expected an empty line before the checkpoint"))?;
        let mut lines = head.split('\n').peekable();
        if lines.next() != Some(HEADER) {
            return Err(Form("expected c2sp.org/tlog-proof@v1 in its first line"));
        }
        let extra = match lines.peek().and_then(|line| line.strip_prefix("extra ")) {
            Some(extra) => {
                lines.next();
                Some(STANDARD.decode(extra).map_err(|_| Form("the extra data are not Base 64"))?)
            }
            None => None,
        };
        let index = lines.next().and_then(|line| size_from(line.strip_prefix("index ")?));
        let index = index.ok_or(Form("expected a line of \"index\" and a number"))?;
        let mut path = Vec::new();
        for line in lines {
            if path.len() == MAX_PATH {
                return Err(Form("the path has more than 63 hashes"));
            }
            path.push(Hash::from_base64(line).ok_or(Form("a line of the path is not a hash in Base 64"))?);
        }
        Ok(Self { extra, index, path, checkpoint: Note::read(note.as_bytes())? })
    }

    /// Verifies that the entry is in the log, by the log's key. Gives the checkpoint; its cosignatures are for
    /// [`crate::cosignature::verify`].
    ///
    /// # Errors
    /// What is wrong.
    pub fn verify(&self, entry: &[u8], log: &VerifierKey) -> Result<SignedCheckpoint, BadEntryProof> {
        let signed = SignedCheckpoint::open(self.checkpoint.to_string().as_bytes(), log)?;
        let leaf = Hash::of_leaf(entry);
        merkle::verify_inclusion(leaf, self.index, signed.size(), &self.path, signed.root())?;
        Ok(signed)
    }
}

impl fmt::Display for EntryProof {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{HEADER}")?;
        if let Some(extra) = &self.extra {
            writeln!(f, "extra {}", STANDARD.encode(extra))?;
        }
        writeln!(f, "index {}", self.index)?;
        self.path.iter().try_for_each(|hash| writeln!(f, "{hash}"))?;
        write!(f, "\n{}", self.checkpoint)
    }
}
