//! Makes durable entries public: tiles first, and the checkpoint last.

use super::error::Error;
use super::storage::Storage;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tearline_log::checkpoint::SignedCheckpoint;
use tearline_log::cosignature::{self, Cosignature};
use tearline_log::edge::{Edge, NewFile};
use tearline_log::hash::Hash;
use tearline_log::note::{Note, VerifierKey};

/// The name of the checkpoint in the public folder.
pub(super) const CHECKPOINT: &str = "checkpoint";
/// Under which it is written before it takes its name.
pub(super) const CHECKPOINT_NEW: &str = "checkpoint.new";

/// Writes the public folder.
pub(super) struct Publisher<S> {
    storage: Arc<S>,
    dir: PathBuf,
    edge: Edge,
    /// The checkpoint in the public folder.
    newest: Arc<SignedCheckpoint>,
    /// Directories whose names, up to the public folder, this process has synced.
    durable_dirs: BTreeSet<PathBuf>,
    /// A write has failed: it is not known what is on the disk.
    stopped: bool,
}

impl<S: Storage> Publisher<S> {
    /// Begins at a checkpoint that is in the public folder, with the edge of its tree.
    pub(super) fn new(storage: Arc<S>, dir: &Path, edge: Edge, newest: SignedCheckpoint) -> Self {
        Self {
            storage,
            dir: dir.to_owned(),
            edge,
            newest: Arc::new(newest),
            durable_dirs: BTreeSet::new(),
            stopped: false,
        }
    }

    /// Where the log lies.
    pub(super) fn storage(&self) -> &Arc<S> {
        &self.storage
    }

    /// The checkpoint in the public folder.
    pub(super) fn newest(&self) -> &Arc<SignedCheckpoint> {
        &self.newest
    }

    /// Publishes entries that follow the newest checkpoint, and then the checkpoint that covers them.
    pub(super) fn publish<'a>(
        &mut self,
        entries: impl Iterator<Item = &'a [u8]>,
        checkpoint: Arc<SignedCheckpoint>,
    ) -> Result<(), Error> {
        self.guard(|this| {
            let before: BTreeSet<_> =
                this.edge.partials().into_iter().map(|(resource, _)| resource).collect();
            let mut files: Vec<NewFile> = Vec::new();
            for entry in entries {
                this.edge.push(entry, Hash::of_leaf(entry), &mut files)?;
            }
            // A tile that did not change is public already, and what is public is never written again.
            files.extend(this.edge.partials().into_iter().filter(|(resource, _)| !before.contains(resource)));
            debug_assert_eq!((this.edge.size(), this.edge.root()), (checkpoint.size(), checkpoint.root()));
            this.write_tiles(&files)?;
            this.write_checkpoint(&checkpoint.to_string())?;
            this.newest = checkpoint;
            Ok(())
        })
    }

    /// Writes the checkpoint anew as it is: after a crash it may be visible and yet not durable.
    pub(super) fn rewrite(&mut self) -> Result<(), Error> {
        self.guard(|this| this.write_checkpoint(&this.newest.to_string()))
    }

    /// Adds the cosignatures of a note to the newest checkpoint, if they are of its text.
    pub(super) fn cosign(
        &mut self,
        cosigned: &Note,
        witnesses: &[VerifierKey],
    ) -> Result<Vec<Cosignature>, Error> {
        if cosigned.text() != self.newest.note().text() {
            return Err(Error::OtherCheckpoint { size: self.newest.size() });
        }
        let mut checkpoint = SignedCheckpoint::clone(&self.newest);
        let added = cosignature::add(&mut checkpoint, cosigned.signatures(), witnesses)?;
        if !added.is_empty() {
            self.guard(|this| this.write_checkpoint(&checkpoint.to_string()))?;
            self.newest = Arc::new(checkpoint);
        }
        Ok(added)
    }

    /// Refuses to write after a failure, and remembers one.
    fn guard<T>(&mut self, work: impl FnOnce(&mut Self) -> Result<T, Error>) -> Result<T, Error> {
        if self.stopped {
            return Err(Error::Stopped);
        }
        self.stopped = true;
        let done = work(self)?;
        self.stopped = false;
        Ok(done)
    }

    /// Writes tiles and bundles and makes them durable, with the names of all directories on the way.
    fn write_tiles(&mut self, files: &[NewFile]) -> Result<(), Error> {
        let mut changed = BTreeSet::new();
        for (resource, bytes) in files {
            let path = self.dir.join(resource.path());
            let parent = path.parent().expect("a tile lies in a directory");
            self.make_dirs(parent, &mut changed)?;
            self.storage.write(&path, bytes).map_err(Error::io("writing", &path))?;
            changed.insert(parent.to_owned());
        }
        for (resource, _) in files {
            let path = self.dir.join(resource.path());
            self.storage.sync(&path).map_err(Error::io("syncing", &path))?;
        }
        for dir in &changed {
            self.storage.sync_dir(dir).map_err(Error::io("syncing", dir))?;
        }
        self.durable_dirs.extend(changed);
        Ok(())
    }

    /// Makes a directory and those above it. One that exists may still not be durable: a process that made it may have
    /// ended before it synced the name. So each is counted as changed once in every process.
    fn make_dirs(&self, dir: &Path, changed: &mut BTreeSet<PathBuf>) -> Result<(), Error> {
        if dir == self.dir || self.durable_dirs.contains(dir) || changed.contains(dir) {
            return Ok(());
        }
        let parent = dir.parent().expect("the public folder is above");
        self.make_dirs(parent, changed)?;
        self.storage.create_dir(dir).map_err(Error::io("making", dir))?;
        changed.insert(parent.to_owned());
        changed.insert(dir.to_owned());
        Ok(())
    }

    /// Replaces the checkpoint, if it is still the one that we wrote.
    fn write_checkpoint(&self, note: &str) -> Result<(), Error> {
        let path = self.dir.join(CHECKPOINT);
        let found = self.storage.read(&path).map_err(Error::io("reading", &path))?;
        if found.as_deref() != Some(self.newest.to_string().as_bytes()) {
            return Err(Error::Interfered(path));
        }
        replace_checkpoint(&*self.storage, &self.dir, note)
    }
}

/// Gives the public folder a checkpoint: whoever looks, and whatever happens, there is the old one or the new one.
pub(super) fn replace_checkpoint(storage: &impl Storage, dir: &Path, note: &str) -> Result<(), Error> {
    let (new, path) = (dir.join(CHECKPOINT_NEW), dir.join(CHECKPOINT));
    storage.write(&new, note.as_bytes()).map_err(Error::io("writing", &new))?;
    storage.sync(&new).map_err(Error::io("syncing", &new))?;
    storage.rename(&new, &path).map_err(Error::io("renaming", &new))?;
    storage.sync_dir(dir).map_err(Error::io("syncing", dir))
}
