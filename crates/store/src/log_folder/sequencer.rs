//! Many threads append to one log: their entries go to the disk together, by one sync for all that wait.

use super::error::Error;
use super::reader::Reader;
use super::storage::{Disk, Storage};
use super::{Appended, LogFolder};
use std::sync::atomic::Ordering;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use tearline_log::checkpoint::SignedCheckpoint;
use tearline_log::cosignature::Cosignature;
use tearline_log::merkle::NoProof;
use tearline_log::note::{Note, VerifierKey};

/// How a sequencer works.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    /// The shortest time between two publications while nobody waits for one. Publishing takes several syncs, which
    /// those of the journal would have to wait for.
    pub publish: Duration,
    /// The longest time for which a batch waits for writers that were just served and may come back, as a share of the
    /// time of the last sync: 1/n. 0 to wait for none.
    pub gather: u32,
}

impl Default for Pace {
    fn default() -> Self {
        Self { publish: Duration::from_millis(100), gather: 4 }
    }
}

/// Takes appends from many threads. Entries of one append stay together and in order.
pub struct Sequencer<S: Storage = Disk> {
    shared: Arc<Shared>,
    committer: Option<JoinHandle<super::Committer<S>>>,
    publisher: Option<JoinHandle<super::Publisher<S>>>,
    rest: Option<Rest<S>>,
}

/// What a folder has beside what the threads took.
struct Rest<S> {
    reader: Reader<S>,
    dir: std::path::PathBuf,
    lock: Box<dyn std::any::Any + Send + Sync>,
}

/// The result of a batch, for all who wait for it: the number of its first entry, and its checkpoint.
type Outcome = Result<Appended, Error>;

/// A batch that fills, is written, and has an outcome. Those who wait for it take no lock when they wake: hundreds may.
#[derive(Default)]
struct Batch(OnceLock<Outcome>);

impl Batch {
    fn complete(&self, outcome: Outcome) {
        self.0.set(outcome).expect("a batch is written once");
    }

    fn wait(&self) -> Outcome {
        self.0.wait().clone()
    }
}

#[derive(Default)]
struct Shared {
    queue: Mutex<Queue>,
    /// Something was queued, or the end was called.
    queued: Condvar,
    public: Mutex<Public>,
    /// Something is to be published, somebody waits for it, or the end was called.
    unpublished: Condvar,
    /// Something was published, or cannot be any more.
    published: Condvar,
}

#[derive(Default)]
struct Queue {
    entries: Vec<Vec<u8>>,
    /// How many appends wait in the batch that is being filled.
    waiting: usize,
    /// How many the committer would like to see before it goes on.
    wanted: usize,
    batch: Arc<Batch>,
    closed: bool,
    failed: bool,
}

#[derive(Default)]
struct Public {
    entries: Vec<Vec<u8>>,
    target: Option<Arc<SignedCheckpoint>>,
    /// The size up to which everything is published.
    size: u64,
    /// The size up to which everything is durable.
    durable: u64,
    /// The size that somebody waits for.
    wanted: u64,
    cosign: Vec<CosignJob>,
    closed: bool,
    failed: Option<Error>,
}

/// A cosigned checkpoint to add, and where to say what became of it.
struct CosignJob {
    note: Note,
    witnesses: Vec<VerifierKey>,
    answer: std::sync::mpsc::Sender<Result<Vec<Cosignature>, Error>>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl<S: Storage> Sequencer<S> {
    /// Takes over a folder.
    pub fn start(folder: LogFolder<S>, pace: Pace) -> Self {
        let reader = folder.reader();
        let LogFolder { mut committer, mut publisher, dir, _lock: held } = folder;
        let shared = Arc::new(Shared::default());
        let size = publisher.newest().size();
        *lock(&shared.public) = Public { size, durable: size, ..Public::default() };
        let published = Arc::clone(&committer.published);
        let for_committer = Arc::clone(&shared);
        let committing = move || {
            for_committer.commit_all(&mut committer, pace);
            committer
        };
        let for_publisher = Arc::clone(&shared);
        let publishing = move || {
            for_publisher.publish_all(&mut publisher, &published, pace);
            publisher
        };
        Self {
            shared,
            committer: Some(thread("log-commit", committing)),
            publisher: Some(thread("log-publish", publishing)),
            rest: Some(Rest { reader, dir, lock: held }),
        }
    }

    /// Appends entries. When it returns, they are durable and in a durable signed checkpoint; they become public soon
    /// after, at the latest when the sequencer is closed: see [`wait_published`](Self::wait_published).
    ///
    /// # Errors
    /// If an entry is too long, or the disk refused this or an earlier append.
    pub fn append(&self, entries: Vec<Vec<u8>>) -> Result<Appended, Error> {
        if let Some(entry) = entries.iter().find(|entry| entry.len() > tearline_log::tile::MAX_ENTRY) {
            return Err(tearline_log::tile::TooLong(entry.len()).into());
        }
        let mut queue = lock(&self.shared.queue);
        if queue.failed || queue.closed {
            return Err(Error::Stopped);
        }
        let offset = queue.entries.len() as u64;
        queue.entries.extend(entries);
        queue.waiting += 1;
        let batch = Arc::clone(&queue.batch);
        let wake = queue.waiting == 1 || queue.waiting == queue.wanted;
        drop(queue);
        if wake {
            self.shared.queued.notify_one();
        }
        let mut appended = batch.wait()?;
        appended.first += offset;
        Ok(appended)
    }

    /// Waits until the log is public up to `size` entries, which have been appended.
    ///
    /// # Errors
    /// If they have not, or publishing failed. What was appended is durable all the same, and is published when the log is opened again.
    pub fn wait_published(&self, size: u64) -> Result<(), Error> {
        let mut public = lock(&self.shared.public);
        if size > public.durable {
            return Err(NoProof::NoEntry { index: size - 1, size: public.durable }.into());
        }
        while public.size < size {
            if let Some(error) = &public.failed {
                return Err(error.clone());
            }
            if public.wanted < size {
                public.wanted = size;
                self.shared.unpublished.notify_one();
            }
            public = self.shared.published.wait(public).unwrap_or_else(PoisonError::into_inner);
        }
        Ok(())
    }

    /// Adds cosignatures to the public checkpoint: see [`LogFolder::cosign`].
    ///
    /// # Errors
    /// As there.
    pub fn cosign(&self, cosigned: Note, witnesses: Vec<VerifierKey>) -> Result<Vec<Cosignature>, Error> {
        let (answer, answered) = std::sync::mpsc::channel();
        {
            let mut public = lock(&self.shared.public);
            if let Some(error) = &public.failed {
                return Err(error.clone());
            }
            public.cosign.push(CosignJob { note: cosigned, witnesses, answer });
        }
        self.shared.unpublished.notify_one();
        answered.recv().unwrap_or(Err(Error::Stopped))
    }

    /// Reads what is public.
    pub fn reader(&self) -> &Reader<S> {
        &self.rest.as_ref().expect("taken only by `close`").reader
    }

    /// Ends: waits for all appends, publishes everything, and gives the folder back.
    ///
    /// # Errors
    /// If publishing failed.
    pub fn close(mut self) -> Result<LogFolder<S>, Error> {
        let (committer, publisher) = self.end().expect("the threads run until here");
        let rest = self.rest.take().expect("taken only here");
        if let Some(error) = lock(&self.shared.public).failed.clone() {
            return Err(error);
        }
        Ok(LogFolder { committer, publisher, dir: rest.dir, _lock: rest.lock })
    }

    fn end(&mut self) -> Option<(super::Committer<S>, super::Publisher<S>)> {
        let (committer, publisher) = (self.committer.take()?, self.publisher.take()?);
        lock(&self.shared.queue).closed = true;
        self.shared.queued.notify_one();
        let committer = committer.join().expect("the committing thread does not panic");
        lock(&self.shared.public).closed = true;
        self.shared.unpublished.notify_one();
        let publisher = publisher.join().expect("the publishing thread does not panic");
        Some((committer, publisher))
    }
}

impl<S: Storage> Drop for Sequencer<S> {
    fn drop(&mut self) {
        drop(self.end());
    }
}

fn thread<T: Send + 'static>(name: &str, work: impl FnOnce() -> T + Send + 'static) -> JoinHandle<T> {
    let builder = std::thread::Builder::new().name(name.to_owned());
    builder.spawn(work).expect("a machine that runs this can start two threads")
}

impl Shared {
    /// The committing thread: takes what is queued, makes it durable, says so, and again.
    fn commit_all<S: Storage>(&self, committer: &mut super::Committer<S>, pace: Pace) {
        let mut served = 0;
        let mut last_sync = Duration::ZERO;
        while let Some((entries, waiting, batch)) = self.next_batch(served, last_sync, pace) {
            let began = Instant::now();
            let outcome = committer.commit(&entries);
            last_sync = began.elapsed();
            served = waiting;
            let failed = outcome.is_err();
            if let Ok(appended) = &outcome {
                let mut public = lock(&self.public);
                public.entries.extend(entries);
                public.durable = appended.checkpoint.size();
                let idle = public.target.replace(Arc::clone(&appended.checkpoint)).is_none();
                drop(public);
                if idle {
                    self.unpublished.notify_one();
                }
            }
            batch.complete(outcome);
            if failed {
                let mut queue = lock(&self.queue);
                let left = std::mem::replace(&mut *queue, Queue { failed: true, ..Queue::default() });
                drop(queue);
                left.batch.complete(Err(Error::Stopped));
                return;
            }
        }
    }

    /// Waits for something to be queued and takes it; `None` at the end. Writers that were served by the last batch may
    /// be about to come back: they get a part of the time of a sync to do so, which saves them from waiting for a whole
    /// further one.
    fn next_batch(
        &self,
        served: usize,
        last_sync: Duration,
        pace: Pace,
    ) -> Option<(Vec<Vec<u8>>, usize, Arc<Batch>)> {
        let mut queue = lock(&self.queue);
        while queue.waiting == 0 {
            if queue.closed {
                return None;
            }
            queue = self.queued.wait(queue).unwrap_or_else(PoisonError::into_inner);
        }
        if served > 1 && pace.gather > 0 && !queue.closed {
            queue.wanted = served.max(queue.waiting) + if queue.waiting < served { queue.waiting } else { 0 };
            let until = Instant::now() + last_sync / pace.gather;
            while queue.waiting < queue.wanted && !queue.closed {
                let left = until.saturating_duration_since(Instant::now());
                if left.is_zero() {
                    break;
                }
                let waited = self.queued.wait_timeout(queue, left);
                queue = waited.unwrap_or_else(PoisonError::into_inner).0;
            }
            queue.wanted = 0;
        }
        let entries = std::mem::take(&mut queue.entries);
        let waiting = std::mem::take(&mut queue.waiting);
        Some((entries, waiting, std::mem::take(&mut queue.batch)))
    }

    /// The publishing thread: publishes what has become durable, not more often than the pace allows.
    fn publish_all<S: Storage>(
        &self,
        publisher: &mut super::Publisher<S>,
        done: &std::sync::atomic::AtomicU64,
        pace: Pace,
    ) {
        let mut not_before = Instant::now();
        loop {
            let mut public = lock(&self.public);
            loop {
                let left = not_before.saturating_duration_since(Instant::now());
                let hurry = public.wanted > public.size || public.closed || left.is_zero();
                if !public.cosign.is_empty() || (public.target.is_some() && hurry) {
                    break;
                }
                if public.closed {
                    return;
                }
                public = if public.target.is_some() {
                    self.unpublished.wait_timeout(public, left).unwrap_or_else(PoisonError::into_inner).0
                } else {
                    self.unpublished.wait(public).unwrap_or_else(PoisonError::into_inner)
                };
            }
            let jobs = std::mem::take(&mut public.cosign);
            let entries = std::mem::take(&mut public.entries);
            let target = public.target.take();
            drop(public);
            for job in jobs {
                let outcome = publisher.cosign(&job.note, &job.witnesses);
                // Whoever asked may have gone.
                drop(job.answer.send(outcome));
            }
            if let Some(target) = target {
                let size = target.size();
                let outcome = publisher.publish(entries.iter().map(Vec::as_slice), target);
                not_before = Instant::now() + pace.publish;
                let mut public = lock(&self.public);
                match outcome {
                    Ok(()) => {
                        public.size = size;
                        done.store(size, Ordering::Release);
                    }
                    Err(error) => public.failed = Some(error),
                }
                let failed = public.failed.is_some();
                if failed {
                    public.cosign.clear();
                }
                drop(public);
                self.published.notify_all();
                if failed {
                    lock(&self.queue).failed = true;
                    return;
                }
            }
        }
    }
}
