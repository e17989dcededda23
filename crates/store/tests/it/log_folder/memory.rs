//! A disk in memory that knows what has been synced, can lose what has not, and fails where it is told to.
//!
//! Stricter than any file system that we know: a name is durable only when its directory was synced, whatever happened
//! to the file; names become durable in any order; a write that was not synced may survive in any of its sectors; and
//! a sync that failed may have dropped the data for good, though they can still be read.

use std::any::Any;
use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tearline_store::log_folder::storage::Storage;

/// The unit in which a disk keeps or loses data, in bytes.
const SECTOR: usize = 512;

/// What an operation does when its turn to fail has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// It fails, and nothing of it happened.
    NotPersisted,
    /// It fails, and yet all of it happened.
    Persisted,
    /// The process ends before it, and everything after it fails too.
    Crash,
}

/// What the disk keeps of that which was not synced, when the power fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Loss {
    /// Nothing.
    All,
    /// Everything.
    None,
    /// Anything: decided by this seed, sector by sector and name by name.
    Some(u64),
}

/// Which syncs do nothing, to see that the tests would notice.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of its own")]
pub(super) struct Broken {
    /// Those of the journal.
    pub(super) journal: bool,
    /// Those of tiles and bundles.
    pub(super) tiles: bool,
    /// Those of the checkpoint.
    pub(super) checkpoint: bool,
    /// Those of directories.
    pub(super) dirs: bool,
}

#[derive(Clone, Default)]
struct Inode {
    /// What a reader sees.
    current: Vec<u8>,
    /// What is on the disk for certain.
    durable: Vec<u8>,
    /// What was written since, and may be on the disk: where and what; the end of the file, if it was cut.
    pending: Vec<Pending>,
}

#[derive(Clone)]
enum Pending {
    Write(usize, Vec<u8>),
    Cut,
}

#[derive(Clone)]
enum NameChange {
    Link(PathBuf, usize),
    Unlink(PathBuf),
    Rename(PathBuf, PathBuf, usize),
    Directory(PathBuf),
}

impl NameChange {
    fn dir(&self) -> &Path {
        let path = match self {
            Self::Link(path, _) | Self::Unlink(path) | Self::Rename(path, ..) | Self::Directory(path) => path,
        };
        path.parent().expect("every path has a directory")
    }

    fn apply(&self, names: &mut Names) {
        match self {
            Self::Link(path, inode) => drop(names.files.insert(path.clone(), *inode)),
            Self::Unlink(path) => drop(names.files.remove(path)),
            Self::Rename(from, to, inode) => {
                names.files.remove(from);
                names.files.insert(to.clone(), *inode);
            }
            Self::Directory(path) => names.dirs.push(path.clone()),
        }
    }
}

#[derive(Clone, Default)]
struct Names {
    files: BTreeMap<PathBuf, usize>,
    dirs: Vec<PathBuf>,
}

#[derive(Clone, Default)]
struct State {
    inodes: Vec<Inode>,
    current: Names,
    durable: Names,
    pending: Vec<NameChange>,
    /// How many operations that change something there have been.
    steps: u64,
    fault: Option<(u64, Fault)>,
    ended: bool,
    broken: Broken,
    full_after: Option<u64>,
}

/// The disk.
#[derive(Default)]
pub(super) struct Memory {
    state: Mutex<State>,
}

impl Clone for Memory {
    fn clone(&self) -> Self {
        Self { state: Mutex::new(self.lock().clone()) }
    }
}

/// A small generator of reproducible choices (xorshift64*).
struct Choices(u64);

impl Choices {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 32
    }

    fn coin(&mut self) -> bool {
        self.next() & 1 == 1
    }
}

fn write_into(content: &mut Vec<u8>, at: usize, bytes: &[u8]) {
    let end = at + bytes.len();
    if content.len() < end {
        content.resize(end, 0);
    }
    content[at..end].copy_from_slice(bytes);
}

impl Memory {
    /// A disk with one directory.
    pub(super) fn with_dir(dir: &Path) -> Self {
        let memory = Self::default();
        memory.lock().current.dirs.push(dir.to_owned());
        memory.lock().durable.dirs.push(dir.to_owned());
        memory
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many operations that change something there have been.
    pub(super) fn steps(&self) -> u64 {
        self.lock().steps
    }

    /// Makes operation number `step`, from 0, go wrong.
    pub(super) fn fail_at(&self, step: u64, fault: Fault) {
        self.lock().fault = Some((step, fault));
    }

    /// Leaves syncs out.
    pub(super) fn break_syncs(&self, broken: Broken) {
        self.lock().broken = broken;
    }

    /// Refuses further data once this many bytes are there; `None` for a disk without end.
    pub(super) fn full_after(&self, bytes: Option<u64>) {
        self.lock().full_after = bytes;
    }

    /// Ends the process without a power failure: what was written can be read by the next.
    pub(super) fn restart(&self) {
        let mut state = self.lock();
        state.ended = false;
        state.fault = None;
    }

    /// Cuts a file that is there, and makes that durable.
    pub(super) fn cut(&self, file: &Path, length: usize) {
        let mut state = self.lock();
        let inode = state.current.files[file];
        state.inodes[inode].current.truncate(length);
        let inode = &mut state.inodes[inode];
        inode.durable.clone_from(&inode.current);
        inode.pending.clear();
    }

    /// The disk as it is found after a power failure.
    pub(super) fn after_power_failure(&self, loss: Loss) -> Self {
        let mut state = self.lock().clone();
        let mut choices = Choices(match loss {
            Loss::Some(seed) => seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1,
            Loss::All | Loss::None => 1,
        });
        let survives = |choices: &mut Choices| match loss {
            Loss::All => false,
            Loss::None => true,
            Loss::Some(_) => choices.coin(),
        };
        for inode in &mut state.inodes {
            for pending in std::mem::take(&mut inode.pending) {
                match pending {
                    Pending::Cut if survives(&mut choices) => inode.durable.clear(),
                    Pending::Cut => {}
                    Pending::Write(at, bytes) => {
                        let mut from = 0;
                        while from < bytes.len() {
                            let sector_end = ((at + from) / SECTOR + 1) * SECTOR - at;
                            let to = sector_end.min(bytes.len());
                            if survives(&mut choices) {
                                write_into(&mut inode.durable, at + from, &bytes[from..to]);
                            }
                            from = to;
                        }
                    }
                }
            }
            inode.current.clone_from(&inode.durable);
        }
        for change in std::mem::take(&mut state.pending) {
            if survives(&mut choices) {
                change.apply(&mut state.durable);
            }
        }
        // What lies in a directory whose own name was lost is lost.
        let dirs = state.durable.dirs.clone();
        let reachable = |path: &Path| {
            path.ancestors().skip(1).all(|above| {
                dirs.iter().any(|dir| dir == above) || !dirs.iter().any(|dir| above.starts_with(dir))
            })
        };
        state.durable.files.retain(|path, _| reachable(path));
        state.durable.dirs.retain(|path| reachable(path));
        state.current = state.durable.clone();
        state.ended = false;
        state.fault = None;
        Self { state: Mutex::new(state) }
    }

    /// Counts a step and does it, unless it is to fail.
    fn step(&self, work: impl FnOnce(&mut State) -> io::Result<()>) -> io::Result<()> {
        let mut state = self.lock();
        let step = state.steps;
        state.steps += 1;
        let failed = || Err(io::Error::other("told to fail"));
        if state.ended {
            return failed();
        }
        match state.fault {
            Some((at, Fault::NotPersisted)) if at == step => failed(),
            Some((at, Fault::Persisted)) if at == step => {
                work(&mut state)?;
                failed()
            }
            Some((at, Fault::Crash)) if at == step => {
                state.ended = true;
                failed()
            }
            _ => work(&mut state),
        }
    }
}

impl State {
    fn inode(&self, file: &Path) -> io::Result<usize> {
        self.current.files.get(file).copied().ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    fn change(&mut self, change: NameChange) -> io::Result<()> {
        let dir = change.dir();
        if !self.current.dirs.iter().any(|known| known == dir) {
            return Err(io::ErrorKind::NotFound.into());
        }
        change.apply(&mut self.current);
        self.pending.push(change);
        Ok(())
    }

    fn check_room(&self, more: usize) -> io::Result<()> {
        let used: usize = self.current.files.values().map(|&inode| self.inodes[inode].current.len()).sum();
        match self.full_after {
            Some(room) if (used + more) as u64 > room => Err(io::ErrorKind::StorageFull.into()),
            _ => Ok(()),
        }
    }

    fn leaves_out(&self, file: &Path) -> bool {
        let name = file.to_string_lossy();
        (self.broken.journal && name.contains("/journal/"))
            || (self.broken.tiles && name.contains("/tile/"))
            || (self.broken.checkpoint && name.contains("/checkpoint"))
    }
}

impl Storage for Memory {
    fn read(&self, file: &Path) -> io::Result<Option<Vec<u8>>> {
        let state = self.lock();
        Ok(state.current.files.get(file).map(|&inode| state.inodes[inode].current.clone()))
    }

    fn list(&self, dir: &Path) -> io::Result<Vec<String>> {
        let state = self.lock();
        let all = state.current.files.keys().chain(&state.current.dirs);
        let here = all.filter(|path| path.parent() == Some(dir));
        let mut names: Vec<String> = here
            .map(|path| path.file_name().expect("it has a name").to_string_lossy().into_owned())
            .collect();
        names.sort();
        Ok(names)
    }

    fn create_dir(&self, dir: &Path) -> io::Result<()> {
        self.step(|state| {
            if state.current.dirs.iter().any(|known| known == dir) {
                return Ok(());
            }
            state.change(NameChange::Directory(dir.to_owned()))
        })
    }

    fn write(&self, file: &Path, bytes: &[u8]) -> io::Result<()> {
        self.step(|state| {
            state.check_room(bytes.len())?;
            let inode = if let Ok(inode) = state.inode(file) {
                inode
            } else {
                state.inodes.push(Inode::default());
                let inode = state.inodes.len() - 1;
                state.change(NameChange::Link(file.to_owned(), inode))?;
                inode
            };
            let inode = &mut state.inodes[inode];
            inode.current = bytes.to_vec();
            inode.pending.push(Pending::Cut);
            inode.pending.push(Pending::Write(0, bytes.to_vec()));
            Ok(())
        })
    }

    fn write_at(&self, file: &Path, offset: u64, bytes: &[u8]) -> io::Result<()> {
        self.step(|state| {
            let inode = state.inode(file)?;
            let inode = &mut state.inodes[inode];
            let at = usize::try_from(offset).expect("small");
            write_into(&mut inode.current, at, bytes);
            inode.pending.push(Pending::Write(at, bytes.to_vec()));
            Ok(())
        })
    }

    fn sync(&self, file: &Path) -> io::Result<()> {
        let before = self.lock().clone();
        let synced = self.step(|state| {
            let inode = state.inode(file)?;
            if !state.leaves_out(file) {
                let inode = &mut state.inodes[inode];
                inode.durable.clone_from(&inode.current);
                inode.pending.clear();
            }
            Ok(())
        });
        // A sync that failed has marked the pages as clean: a later one will not write them.
        if let (Err(_), Some((step, Fault::NotPersisted))) = (&synced, before.fault)
            && step == before.steps
        {
            let mut state = self.lock();
            let inode = state.inode(file)?;
            state.inodes[inode].pending.clear();
        }
        synced
    }

    fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        self.step(|state| {
            if state.broken.dirs {
                return Ok(());
            }
            let (synced, rest) = std::mem::take(&mut state.pending).into_iter().partition(|c| c.dir() == dir);
            state.pending = rest;
            let synced: Vec<NameChange> = synced;
            for change in synced {
                change.apply(&mut state.durable);
            }
            Ok(())
        })
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.step(|state| {
            let inode = state.inode(from)?;
            state.change(NameChange::Rename(from.to_owned(), to.to_owned(), inode))
        })
    }

    fn remove(&self, file: &Path) -> io::Result<()> {
        self.step(|state| {
            state.inode(file)?;
            state.change(NameChange::Unlink(file.to_owned()))
        })
    }

    fn lock(&self, _: &Path, _: Duration) -> io::Result<Option<Box<dyn Any + Send + Sync>>> {
        Ok(Some(Box::new(())))
    }
}
