//! What can go wrong with a log on a disk, in words for the person who keeps it.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tearline_log::checkpoint::BadCheckpoint;
use tearline_log::cosignature::BadCosignature;
use tearline_log::merkle::{BadProof, NoProof};
use tearline_log::tile::TooLong;
use thiserror::Error;

/// Why something could not be done with a log folder.
#[derive(Clone, Debug, Error)]
pub enum Error {
    /// The disk refused.
    #[error("{doing} {} failed", path.display())]
    Io {
        /// What was being done: "reading", "writing" …
        doing: &'static str,
        /// To which file.
        path: PathBuf,
        /// What the system said.
        source: Arc<io::Error>,
    },
    /// There is no log.
    #[error("there is no log in {}: it has no file `checkpoint`", .0.display())]
    NoLog(PathBuf),
    /// There is a log already, or parts of one.
    #[error(
        "{} is not empty, so no log is made there. If a log was lost, restore it from a copy; a new log under an old \
         name would look like a forged one", .0.display()
    )]
    Exists(PathBuf),
    /// Another process writes to the log.
    #[error("another program is writing to this log (it holds {}). Wait until it has ended", .0.display())]
    Busy(PathBuf),
    /// The checkpoint is bad, or not signed by our key.
    #[error("the checkpoint in {}: {source}", path.display())]
    Checkpoint {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        source: BadCheckpoint,
    },
    /// A file of the log is missing, malformed, or does not fit the checkpoint.
    #[error("the log is damaged at {}: {what}. Restore that file from a copy of the log", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        what: String,
    },
    /// The journal does not fit the public folder.
    #[error(
        "the journal in {} does not fit the log: {what}. The log was not opened, so that nothing is signed twice. \
         Restore the public and the private folder from the same time", path.display()
    )]
    Journal {
        /// The segment, or the folder.
        path: PathBuf,
        /// What does not fit.
        what: String,
    },
    /// The checkpoint on the disk is not the one that was written last.
    #[error(
        "the checkpoint in {} is not the one that this program wrote last: somebody else writes to this log. \
         Nothing more was written", .0.display()
    )]
    Interfered(PathBuf),
    /// An earlier call failed, so that it is not known what is on the disk.
    #[error("an earlier write failed, and it is not known what of it is on the disk. Open the log again")]
    Stopped,
    /// The entry is too long.
    #[error(transparent)]
    TooLong(#[from] TooLong),
    /// No such entry or proof.
    #[error(transparent)]
    NoProof(#[from] NoProof),
    /// A proof made from the tiles does not verify: the tiles do not fit the checkpoint.
    #[error("the tiles do not fit the checkpoint: {0}. Run the check of the whole log")]
    BadProof(#[from] BadProof),
    /// The cosigned checkpoint is not the log's newest.
    #[error(
        "the cosigned checkpoint is not the newest one of this log, which has {size} entries. Cosign that one"
    )]
    OtherCheckpoint {
        /// The size of the newest checkpoint.
        size: u64,
    },
    /// A cosignature is bad.
    #[error(transparent)]
    Cosignature(#[from] BadCosignature),
}

impl Error {
    /// Puts what was being done beside what the system said.
    pub(super) fn io(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Io { doing, path, source: Arc::new(source) }
    }
}
