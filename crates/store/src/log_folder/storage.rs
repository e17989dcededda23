//! What a log needs of a disk, in verbs small enough that each can be made to fail.

use std::any::Any;
use std::collections::HashMap;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Write as _};
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// What a log needs of a disk.
///
/// Nothing is durable before it is synced: the content of a file by [`sync`](Storage::sync), a name that was made,
/// changed or removed by [`sync_dir`](Storage::sync_dir) of its directory. After a failed call nothing is known: it may
/// or may not have happened, and a failed sync may never be made good by a later one. So a writer stops at the first
/// failure, and whoever opens the log next writes anew what was in doubt.
pub trait Storage: Send + Sync + 'static {
    /// The whole content of a file; `None` if there is none.
    fn read(&self, file: &Path) -> io::Result<Option<Vec<u8>>>;

    /// The names in a directory, in order; none if there is no directory.
    fn list(&self, dir: &Path) -> io::Result<Vec<String>>;

    /// Makes a directory in one that exists. It is no error if it exists already.
    fn create_dir(&self, dir: &Path) -> io::Result<()>;

    /// Makes a file of these bytes, or replaces its content.
    fn write(&self, file: &Path, bytes: &[u8]) -> io::Result<()>;

    /// Writes within a file that exists.
    fn write_at(&self, file: &Path, offset: u64, bytes: &[u8]) -> io::Result<()>;

    /// Makes the content of a file durable.
    fn sync(&self, file: &Path) -> io::Result<()>;

    /// Makes the names in a directory durable.
    fn sync_dir(&self, dir: &Path) -> io::Result<()>;

    /// Gives a file another name in the same directory. Whoever looks sees the old file or the new one.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;

    /// Removes a file.
    fn remove(&self, file: &Path) -> io::Result<()>;

    /// Locks a file against other writers, waiting for at most `wait`; `None` if another holds it still. The lock ends
    /// when what is returned is dropped, or its process ends, however it ends.
    fn lock(&self, file: &Path, wait: Duration) -> io::Result<Option<Box<dyn Any + Send + Sync>>>;
}

/// Files of this machine.
#[derive(Debug, Default)]
pub struct Disk {
    /// Files written and not yet synced, and the journal. Synced through the handle that wrote, so that an error of
    /// writing back reaches us.
    open: Mutex<HashMap<PathBuf, Arc<File>>>,
}

impl Disk {
    fn handles(&self) -> std::sync::MutexGuard<'_, HashMap<PathBuf, Arc<File>>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Forgets the handle of a file that is closed, renamed or removed.
    fn forget(&self, file: &Path) {
        drop(self.handles().remove(file));
    }

    fn opened(&self, file: &Path) -> io::Result<Arc<File>> {
        if let Some(open) = self.handles().get(file) {
            return Ok(Arc::clone(open));
        }
        let open = Arc::new(OpenOptions::new().read(true).write(true).open(file)?);
        self.handles().insert(file.to_owned(), Arc::clone(&open));
        Ok(open)
    }
}

/// How long a writer that waits for the lock sleeps before it asks again.
const ASK_AGAIN: Duration = Duration::from_millis(20);

impl Storage for Disk {
    fn read(&self, file: &Path) -> io::Result<Option<Vec<u8>>> {
        match std::fs::read(file) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn list(&self, dir: &Path) -> io::Result<Vec<String>> {
        let entries = match std::fs::read_dir(dir) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(error),
        };
        let names = entries.map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()));
        let mut names = names.collect::<io::Result<Vec<String>>>()?;
        names.sort();
        Ok(names)
    }

    fn create_dir(&self, dir: &Path) -> io::Result<()> {
        match std::fs::create_dir(dir) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists && dir.is_dir() => Ok(()),
            other => other,
        }
    }

    fn write(&self, file: &Path, bytes: &[u8]) -> io::Result<()> {
        let mut open = OpenOptions::new().write(true).create(true).truncate(true).open(file)?;
        open.write_all(bytes)?;
        drop(self.handles().insert(file.to_owned(), Arc::new(open)));
        Ok(())
    }

    fn write_at(&self, file: &Path, offset: u64, bytes: &[u8]) -> io::Result<()> {
        self.opened(file)?.write_all_at(bytes, offset)
    }

    fn sync(&self, file: &Path) -> io::Result<()> {
        let open = self.opened(file)?;
        open.sync_data()?;
        // The journal stays open: it is written at an offset, again and again. Other files are written once.
        if file.extension().is_none_or(|extension| extension != super::journal::EXTENSION) {
            self.forget(file);
        }
        Ok(())
    }

    fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        File::open(dir)?.sync_all()
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.forget(from);
        self.forget(to);
        std::fs::rename(from, to)
    }

    fn remove(&self, file: &Path) -> io::Result<()> {
        self.forget(file);
        std::fs::remove_file(file)
    }

    fn lock(&self, file: &Path, wait: Duration) -> io::Result<Option<Box<dyn Any + Send + Sync>>> {
        let lock = OpenOptions::new().write(true).create(true).truncate(false).open(file)?;
        let until = Instant::now() + wait;
        loop {
            match lock.try_lock() {
                Ok(()) => return Ok(Some(Box::new(lock))),
                Err(TryLockError::Error(error)) => return Err(error),
                Err(TryLockError::WouldBlock) if Instant::now() >= until => return Ok(None),
                Err(TryLockError::WouldBlock) => std::thread::sleep(ASK_AGAIN),
            }
        }
    }
}
