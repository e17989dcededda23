//! The log on a disk: a public folder of tiles with one writer, whose entries are durable before it says so.
//!
//! A log is two folders beside each other. The **public** one, say `log`, has the layout of C2SP tlog-tiles and can be
//! copied or served as it is. The **private** one, `log.private`, holds the lock and the [`journal`]. Entries are
//! first written to the journal together with the signed checkpoint that covers them, and made durable by one sync;
//! from then on they cannot be lost and the log cannot continue otherwise. Then the tiles are written and synced, and
//! the checkpoint is replaced last, so that what is public is always whole. Opening a log publishes whatever the
//! journal has beyond the public checkpoint.
//!
//! [`LogFolder::append`] returns when both is done. A [`Sequencer`](sequencer::Sequencer) takes appends from many
//! threads, returns when they are durable, and publishes behind.
//!
//! The log reads no clock: a clock that is wrong or goes backwards changes nothing here.

mod error;
pub mod fsck;
pub mod journal;
mod publisher;
pub mod reader;
pub mod sequencer;
pub mod storage;

pub use error::Error;

use journal::{Journal, Record};
use publisher::{CHECKPOINT, CHECKPOINT_NEW, Publisher, replace_checkpoint};
use reader::Reader;
use std::any::Any;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use storage::{Disk, Storage};
use tearline_log::checkpoint::{Checkpoint, SignedCheckpoint};
use tearline_log::cosignature::Cosignature;
use tearline_log::hash::Hash;
use tearline_log::merkle::Frontier;
use tearline_log::note::{Note, Signer, VerifierKey};
use tearline_log::tile::{MAX_ENTRY, TooLong};

/// How a log is kept.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// The size of a segment of the journal, in bytes.
    pub segment: usize,
    /// How long to wait for another writer to end.
    pub wait: Duration,
    /// Whether to go on from the public folder alone when the journal is lost for good. Entries that were acknowledged
    /// and not yet public are lost with it.
    pub without_journal: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self { segment: 4 << 20, wait: Duration::from_secs(10), without_journal: false }
    }
}

/// What became of an append.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Appended {
    /// The number of the first entry. The others follow it.
    pub first: u64,
    /// A signed checkpoint that covers them, durable as they are.
    pub checkpoint: Arc<SignedCheckpoint>,
}

/// Where the private folder of a log is: beside the public one, with `.private` added to its name.
pub fn private_dir(public: &Path) -> PathBuf {
    let mut name = public.file_name().map_or_else(|| OsString::from("log"), ToOwned::to_owned);
    name.push(".private");
    public.with_file_name(name)
}

/// A log that this process, and no other, may write to.
pub struct LogFolder<S = Disk> {
    committer: Committer<S>,
    publisher: Publisher<S>,
    dir: PathBuf,
    /// Held until the folder is dropped.
    _lock: Box<dyn Any + Send + Sync>,
}

/// Makes entries durable, in the order in which they come.
struct Committer<S> {
    journal: Journal<S>,
    signer: Signer,
    frontier: Frontier,
    newest: Arc<SignedCheckpoint>,
    /// The size of the log up to which everything is published.
    published: Arc<AtomicU64>,
    stopped: bool,
}

impl<S: Storage> Committer<S> {
    /// Writes entries and the checkpoint that covers them to the journal.
    fn commit(&mut self, entries: &[Vec<u8>]) -> Result<Appended, Error> {
        if self.stopped {
            return Err(Error::Stopped);
        }
        let first = self.frontier.size();
        if let Some(entry) = entries.iter().find(|entry| entry.len() > MAX_ENTRY) {
            return Err(TooLong(entry.len()).into());
        }
        if entries.is_empty() {
            return Ok(Appended { first, checkpoint: Arc::clone(&self.newest) });
        }
        let mut frontier = self.frontier.clone();
        for entry in entries {
            frontier.push(Hash::of_leaf(entry));
        }
        let checkpoint = checkpoint(&self.signer, frontier.size(), frontier.root());
        let note = checkpoint.to_string();
        // Until the sync has come back nobody has seen the new checkpoint, so that nothing is promised by it.
        self.stopped = true;
        let published = self.published.load(Ordering::Acquire);
        self.journal
            .append(first, self.newest.root(), entries, note.as_bytes(), published)
            .map_err(Error::io("writing the journal in", self.journal_dir()))?;
        self.stopped = false;
        self.frontier = frontier;
        self.newest = Arc::new(checkpoint);
        Ok(Appended { first, checkpoint: Arc::clone(&self.newest) })
    }

    fn journal_dir(&self) -> &Path {
        self.journal.dir()
    }
}

/// Signs the checkpoint of a log. Ed25519 has no randomness: the same state always gives the same note.
fn checkpoint(signer: &Signer, size: u64, root: Hash) -> SignedCheckpoint {
    let origin = signer.verifier().name().to_owned();
    Checkpoint { origin, size, root, extensions: Vec::new() }.sign(signer)
}

impl LogFolder {
    /// Makes a log without entries, whose origin is the signer's name. `dir` must not exist, or be empty; the
    /// directory above it must exist.
    ///
    /// # Errors
    /// If there is something already, or the disk refuses. May be repeated.
    pub fn create(dir: &Path, signer: Signer) -> Result<Self, Error> {
        Self::create_on(&Arc::new(Disk::default()), dir, signer, Options::default())
    }

    /// Opens a log to write to it, and publishes what a crash left unpublished.
    ///
    /// # Errors
    /// If there is no log, another process writes to it, the key is not its key, or it is damaged.
    pub fn open(dir: &Path, signer: Signer) -> Result<Self, Error> {
        Self::open_on(&Arc::new(Disk::default()), dir, signer, Options::default())
    }
}

impl<S: Storage> LogFolder<S> {
    /// As [`LogFolder::create`], on any storage.
    ///
    /// # Errors
    /// As there.
    pub fn create_on(storage: &Arc<S>, dir: &Path, signer: Signer, options: Options) -> Result<Self, Error> {
        let private = private_dir(dir);
        let lock = Self::lock(storage, &private, options)?;
        let journal = private.join("journal");
        let beginnings = [CHECKPOINT_NEW];
        let public = storage.list(dir).map_err(Error::io("reading", dir))?;
        if public.iter().any(|name| !beginnings.contains(&name.as_str())) {
            return Err(Error::Exists(dir.to_owned()));
        }
        let segments = journal::segments(&**storage, &journal).map_err(Error::io("reading", &journal))?;
        if segments.iter().any(|(_, segment)| !segment.records.is_empty() || !segment.stray.is_empty()) {
            return Err(Error::Exists(private));
        }
        for made in [dir, &journal] {
            storage.create_dir(made).map_err(Error::io("making", made))?;
        }
        for parent in [private.as_path(), above(dir)] {
            storage.sync_dir(parent).map_err(Error::io("syncing", parent))?;
        }
        replace_checkpoint(&**storage, dir, &checkpoint(&signer, 0, Hash::of_empty_tree()).to_string())?;
        Self::open_locked(storage, dir, signer, options, lock)
    }

    /// As [`LogFolder::open`], on any storage.
    ///
    /// # Errors
    /// As there.
    pub fn open_on(storage: &Arc<S>, dir: &Path, signer: Signer, options: Options) -> Result<Self, Error> {
        let path = dir.join(CHECKPOINT);
        if storage.read(&path).map_err(Error::io("reading", &path))?.is_none() {
            return Err(Error::NoLog(dir.to_owned()));
        }
        let lock = Self::lock(storage, &private_dir(dir), options)?;
        Self::open_locked(storage, dir, signer, options, lock)
    }

    fn lock(storage: &S, private: &Path, options: Options) -> Result<Box<dyn Any + Send + Sync>, Error> {
        storage.create_dir(private).map_err(Error::io("making", private))?;
        let file = private.join("lock");
        let lock = storage.lock(&file, options.wait).map_err(Error::io("locking", &file))?;
        lock.ok_or(Error::Busy(file))
    }

    fn open_locked(
        storage: &Arc<S>,
        dir: &Path,
        signer: Signer,
        options: Options,
        lock: Box<dyn Any + Send + Sync>,
    ) -> Result<Self, Error> {
        let reader = Reader::on(Arc::clone(storage), dir, signer.verifier().clone());
        let public = reader.checkpoint()?;
        let edge = reader.edge(&public)?;
        let journal_dir = private_dir(dir).join("journal");
        if public.size() > 0 && !options.without_journal {
            let found = storage.list(&journal_dir).map_err(Error::io("reading", &journal_dir))?;
            if !found.iter().any(|name| Path::new(name).extension().is_some_and(|e| e == journal::EXTENSION))
            {
                let what = "it is missing, and may have held entries that are not public yet".to_owned();
                return Err(Error::Journal { path: journal_dir, what });
            }
        }
        let lost = unpublished(&**storage, &journal_dir, &public, signer.verifier())?;
        let frontier = reader.frontier(&public)?;
        let mut publisher = Publisher::new(Arc::clone(storage), dir, edge, public);
        let frontier = replay(&lost, frontier, &signer, &journal_dir)?;
        if lost.is_empty() {
            publisher.rewrite()?;
        } else {
            let newest = Arc::new(checkpoint(&signer, frontier.size(), frontier.root()));
            let entries = lost.iter().flat_map(|record| &record.entries).map(Vec::as_slice);
            publisher.publish(entries, newest)?;
        }
        // Everything is public and durable, so a new journal can begin. Nothing depends on the old one any more: after
        // a failed sync its pages may be readable and yet never reach the disk.
        let (size, root) = (frontier.size(), frontier.root());
        storage.create_dir(&journal_dir).map_err(Error::io("making", &journal_dir))?;
        let private = private_dir(dir);
        for parent in [private.as_path(), above(dir)] {
            storage.sync_dir(parent).map_err(Error::io("syncing", parent))?;
        }
        let journal = Journal::begin(Arc::clone(storage), &journal_dir, options.segment, size, root)
            .map_err(Error::io("beginning a journal in", &journal_dir))?;
        let newest = Arc::clone(publisher.newest());
        let published = Arc::new(AtomicU64::new(size));
        let committer = Committer { journal, signer, frontier, newest, published, stopped: false };
        Ok(Self { committer, publisher, dir: dir.to_owned(), _lock: lock })
    }

    /// Appends entries, which stay together and in order. When it returns, they are durable, in a durable signed
    /// checkpoint, and public.
    ///
    /// # Errors
    /// If an entry is too long (then nothing has happened), or the disk refuses. After the latter the entries may or
    /// may not be in the log, and the folder takes no more: open it again, and look.
    pub fn append(&mut self, entries: &[Vec<u8>]) -> Result<Appended, Error> {
        let appended = self.committer.commit(entries)?;
        if !entries.is_empty() {
            let publish =
                self.publisher.publish(entries.iter().map(Vec::as_slice), Arc::clone(&appended.checkpoint));
            if let Err(error) = publish {
                self.committer.stopped = true;
                return Err(error);
            }
            self.committer.published.store(appended.checkpoint.size(), Ordering::Release);
        }
        Ok(appended)
    }

    /// The public checkpoint, with its cosignatures.
    pub fn checkpoint(&self) -> &SignedCheckpoint {
        self.publisher.newest()
    }

    /// Adds the cosignatures of a cosigned checkpoint to the public one. Gives those that were new.
    ///
    /// # Errors
    /// If it is not the newest checkpoint, a known witness's cosignature does not verify, or the disk refuses.
    pub fn cosign(&mut self, cosigned: &Note, witnesses: &[VerifierKey]) -> Result<Vec<Cosignature>, Error> {
        self.publisher.cosign(cosigned, witnesses)
    }

    /// Reads from the same folder.
    pub fn reader(&self) -> Reader<S> {
        let key = self.committer.signer.verifier().clone();
        Reader::on(Arc::clone(self.publisher.storage()), &self.dir, key)
    }
}

/// The directory in which a folder lies.
fn above(dir: &Path) -> &Path {
    match dir.parent() {
        Some(parent) if parent.as_os_str().is_empty() => Path::new("."),
        Some(parent) => parent,
        None => dir,
    }
}

/// The records of the journal that follow the public checkpoint.
fn unpublished(
    storage: &impl Storage,
    dir: &Path,
    public: &SignedCheckpoint,
    log: &VerifierKey,
) -> Result<Vec<Record>, Error> {
    let does_not_fit = |path: &Path, what: String| Error::Journal { path: path.to_owned(), what };
    let mut size = public.size();
    let mut lost: Vec<Record> = Vec::new();
    let mut stray = Vec::new();
    for (path, segment) in journal::segments(storage, dir).map_err(Error::io("reading", dir))? {
        for record in segment.records {
            let end = record.end();
            if end == public.size() || end > size {
                let covers = SignedCheckpoint::open(&record.note, log);
                let covers = covers.map_err(|error| does_not_fit(&path, error.to_string()))?;
                if covers.size() != end {
                    return Err(does_not_fit(&path, "a checkpoint does not cover its entries".to_owned()));
                }
                if end == public.size() && covers.root() != public.root() {
                    let what = format!("at {end} entries it has another root than the public checkpoint");
                    return Err(does_not_fit(&path, what));
                }
            }
            if end <= size {
                continue;
            }
            if record.first != size {
                let what = format!(
                    "it goes on at entry {}, and the log ends at {size}: the entries between are lost, or the \
                     public folder is older than the journal",
                    record.first
                );
                return Err(does_not_fit(&path, what));
            }
            size = end;
            lost.push(record);
        }
        stray.extend(segment.stray.into_iter().map(|record| (path.clone(), record)));
    }
    // A whole record behind a broken one was acknowledged once. Only our own key can have signed its checkpoint, so
    // that an entry that looks like a record does not count.
    for (path, record) in stray {
        let signed = SignedCheckpoint::open(&record.note, log).ok();
        if record.end() > size && signed.is_some_and(|signed| signed.size() == record.end()) {
            let what = format!("entries after {size} are lost, though later ones are there");
            return Err(does_not_fit(&path, what));
        }
    }
    Ok(lost)
}

/// The frontier after the records, if each leads to the root that its checkpoint has.
fn replay(lost: &[Record], mut frontier: Frontier, signer: &Signer, dir: &Path) -> Result<Frontier, Error> {
    for record in lost {
        for entry in &record.entries {
            frontier.push(Hash::of_leaf(entry));
        }
        let signed = SignedCheckpoint::open(&record.note, signer.verifier());
        if !signed.is_ok_and(|signed| (signed.size(), signed.root()) == (frontier.size(), frontier.root())) {
            let what = format!("the entries up to {} do not lead to their checkpoint", frontier.size());
            return Err(Error::Journal { path: dir.to_owned(), what });
        }
    }
    Ok(frontier)
}
