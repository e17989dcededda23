//! What a witness checks before it cosigns (C2SP tlog-witness v1.1.0): a pure function of what it remembers and what it
//! is sent, with the standard's answers.
//!
//! Whoever uses it must store the new checkpoint durably before the cosignature leaves, and must not check two requests
//! for one log at the same time.

use crate::checkpoint::{BadCheckpoint, Checkpoint, SignedCheckpoint, size_from};
use crate::hash::Hash;
use crate::merkle::{self, BadProof};
use crate::note::{BadNote, Note, VerifierKey};
use std::fmt;
use thiserror::Error;

/// The most hashes that a consistency proof may have.
pub const MAX_PROOF: usize = 63;

/// What a log, or whoever speaks for it, sends to a witness.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// The size of the checkpoint that the witness cosigned last, as the sender believes; 0 if none.
    pub old: u64,
    /// The consistency proof from there to the checkpoint.
    pub proof: Vec<Hash>,
    /// The checkpoint, with at least the log's signature, as its note.
    pub checkpoint: Note,
}

/// What a witness remembers of a log: the checkpoint that it cosigned last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seen {
    /// Its size.
    pub size: u64,
    /// Its root.
    pub root: Hash,
}

impl From<&Checkpoint> for Seen {
    fn from(checkpoint: &Checkpoint) -> Self {
        Self { size: checkpoint.size, root: checkpoint.root }
    }
}

/// Why a witness does not cosign. Each has its HTTP status in the standard.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Refusal {
    /// The request is malformed, or its old size is above that of its checkpoint (400).
    #[error("the request is malformed: {0}")]
    BadRequest(&'static str),
    /// A log that this witness does not follow (404).
    #[error("this witness does not follow a log called {0:?}")]
    UnknownLog(String),
    /// The checkpoint is not signed by the log (403).
    #[error(transparent)]
    NotSigned(BadNote),
    /// The old size is not that of the checkpoint cosigned last (409). The answer's body is that size.
    #[error(
        "the request continues a checkpoint of another size than the one cosigned last, which has {size} entries"
    )]
    OtherSize {
        /// The size of the checkpoint cosigned last.
        size: u64,
    },
    /// The same size with another root: the log shows different histories to different readers (422; version 1.0 of the
    /// standard had 409).
    #[error(
        "a fork: this checkpoint of {size} entries has another root than the one that was cosigned. Keep both \
         checkpoints, together they prove that the log showed two histories"
    )]
    Fork {
        /// The size of both checkpoints.
        size: u64,
    },
    /// The proof does not lead from the one to the other (422).
    #[error(transparent)]
    Inconsistent(BadProof),
}

impl Refusal {
    /// The HTTP status that the standard has for it.
    pub fn status(&self) -> u16 {
        match self {
            Self::BadRequest(_) => 400,
            Self::NotSigned(_) => 403,
            Self::UnknownLog(_) => 404,
            Self::OtherSize { .. } => 409,
            Self::Fork { .. } | Self::Inconsistent(_) => 422,
        }
    }
}

impl Request {
    /// Reads the body of an `add-checkpoint` request.
    ///
    /// # Errors
    /// [`Refusal::BadRequest`] if it is not of the form.
    pub fn read(bytes: &[u8]) -> Result<Self, Refusal> {
        let bad = Refusal::BadRequest;
        let text = str::from_utf8(bytes).map_err(|_| bad("it is not text"))?;
        let (head, note) =
            text.split_once("\n\n").ok_or(bad("expected an empty line before the checkpoint"))?;
        let mut lines = head.split('\n');
        let old = lines.next().and_then(|line| size_from(line.strip_prefix("old ")?));
        let old = old.ok_or(bad("its first line must be \"old\" and a size"))?;
        let mut proof = Vec::new();
        for line in lines {
            if proof.len() == MAX_PROOF {
                return Err(bad("the proof has more than 63 hashes"));
            }
            proof.push(Hash::from_base64(line).ok_or(bad("a line of the proof is not a hash in Base 64"))?);
        }
        let checkpoint =
            Note::read(note.as_bytes()).map_err(|_| bad("the checkpoint is not a signed note"))?;
        Ok(Self { old, proof, checkpoint })
    }

    /// The log of which it speaks, before anything is verified: to find its key and what is remembered of it.
    pub fn origin(&self) -> &str {
        self.checkpoint.text().split('\n').next().unwrap_or_default()
    }
}

impl fmt::Display for Request {
    /// The body of an `add-checkpoint` request.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "old {}", self.old)?;
        self.proof.iter().try_for_each(|hash| writeln!(f, "{hash}"))?;
        write!(f, "\n{}", self.checkpoint)
    }
}

/// Decides whether a witness may cosign. `seen` is what it remembers of the log, `log` the log's key, `None` if it does
/// not follow the log that the request names.
///
/// # Errors
/// Why not; the first reason in the order of the standard.
pub fn check(
    request: &Request,
    seen: Option<Seen>,
    log: Option<&VerifierKey>,
) -> Result<SignedCheckpoint, Refusal> {
    let unknown = || Refusal::UnknownLog(request.origin().to_owned());
    let log = log.filter(|log| log.name() == request.origin()).ok_or_else(unknown)?;
    let note = request.checkpoint.to_string();
    let signed = SignedCheckpoint::open(note.as_bytes(), log).map_err(|error| match error {
        BadCheckpoint::Note(error) => Refusal::NotSigned(error),
        BadCheckpoint::Text(what) => Refusal::BadRequest(what),
        BadCheckpoint::Origin { .. } => unknown(),
    })?;
    if request.old > signed.size() {
        return Err(Refusal::BadRequest("the old size is above that of the checkpoint"));
    }
    let seen = seen.unwrap_or(Seen { size: 0, root: Hash::of_empty_tree() });
    if request.old != seen.size {
        return Err(Refusal::OtherSize { size: seen.size });
    }
    if seen.size == signed.size() && seen.root != signed.root() {
        return Err(Refusal::Fork { size: seen.size });
    }
    merkle::verify_consistency(seen.size, seen.root, signed.size(), signed.root(), &request.proof)
        .map_err(Refusal::Inconsistent)?;
    Ok(signed)
}
