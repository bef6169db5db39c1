//! Files that are inflated before it is their turn, and while they are read.
//!
//! Most compressed files are one stream, which one core inflates: with one file after the other, however many cores
//! there are, one of them sets the pace. So the files that come next are [announced](ReadAhead::announce), and while
//! the file that is read now gives its bytes one by one, jobs open those and inflate them into queues of chunks, up to
//! a bound for all of them together. Whoever reads takes the files in their order, and the chunks of each in theirs, so
//! the bytes, and the error if there is one, are those of reading without all this.
//!
//! A job inflates one chunk and returns. It waits for no other job, except that a file of many members may help with
//! its own (`ahead`). A file that no job has begun when its turn comes is read by whoever wants it, and so is the next
//! chunk of it: reading never depends on helpers.

mod queue;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use crate::{Helpers, InputFile, Location, RequestBytes};
use queue::Stream;
pub(crate) use queue::{Queue, Taken};

/// How much a job inflates, in bytes: some milliseconds of gzip, some ten of bzip2, so that a worker is soon free for
/// something else, and the cost of handing it out is nothing beside it.
const CHUNK: usize = 1 << 20;

/// How many chunks of the file that is read now wait at most. More are of no use: it is the pace of the one core that
/// inflates it that counts.
const WAITING: usize = 8;

/// Inflates files ahead, within a bound of memory.
pub struct ReadAhead {
    helpers: Arc<dyn Helpers>,
    threads: usize,
    /// How much a job inflates, in bytes.
    chunk: usize,
    /// The bound, and how much of it is taken, in bytes.
    max: u64,
    request_bytes: RequestBytes,
    used: Arc<AtomicU64>,
    inner: Mutex<Inner>,
    /// Memory of chunks that were read, to be used again.
    spare: Mutex<Vec<Vec<u8>>>,
}

#[derive(Default)]
struct Inner {
    slots: Vec<Slot>,
    /// The last file that was announced.
    announced: Option<usize>,
    /// Jobs for files whose turn has not come, that have been handed out and have not ended.
    jobs: usize,
    /// Whether whoever reads waits for the one core that inflates.
    is_starving: bool,
}

/// A file that is read soon.
struct Slot {
    index: usize,
    location: Location,
    stream: Arc<Stream>,
}

impl ReadAhead {
    /// Inflates ahead with these helpers, if there are two or more; what waits takes no more than `max` bytes.
    pub fn new(helpers: Arc<dyn Helpers>, max: u64, request_bytes: RequestBytes) -> Arc<Self> {
        let threads = helpers.threads();
        let (used, inner, spare) = (Arc::default(), Mutex::default(), Mutex::default());
        Arc::new(Self { helpers, threads, chunk: CHUNK, max, request_bytes, used, inner, spare })
    }

    /// Says which files are read next, each by a number that grows from file to file: the first is the one that is
    /// read now or about to be opened. What was announced before the first is forgotten; `file` is asked about those
    /// that are new.
    ///
    /// Only what was announced is read ahead, and only as many files as there are threads.
    pub fn announce(
        self: &Arc<Self>,
        upcoming: impl IntoIterator<Item = usize>,
        file: impl Fn(usize) -> InputFile,
    ) {
        if self.threads < 2 {
            return;
        }
        let mut upcoming = upcoming.into_iter().take(self.threads + 1).peekable();
        let mut inner = self.lock();
        let first = upcoming.peek().copied().unwrap_or(usize::MAX);
        let forgotten: Vec<_> = inner.slots.extract_if(.., |slot| slot.index < first).collect();
        for index in upcoming {
            if inner.announced.is_none_or(|last| last < index) {
                inner.announced = Some(index);
                let file = file(index);
                let (location, stream) = (file.location.clone(), Stream::new(file, &self.used));
                inner.slots.push(Slot { index, location, stream });
            }
        }
        drop(inner);
        drop(forgotten);
        self.schedule();
    }

    /// Takes a file whose turn has come; `None` when it was not announced.
    pub(crate) fn take(self: &Arc<Self>, file: &InputFile) -> Option<std::io::Result<Taken>> {
        let mut inner = self.lock();
        let at = inner.slots.iter().position(|slot| slot.location == file.location)?;
        inner.is_starving = false;
        let stream = inner.slots.remove(at).stream;
        drop(inner);
        Some(stream.take(self))
    }

    /// Hands out jobs for the files that come next, the nearest first, if whoever reads is kept waiting by one core.
    /// One thread is left for reading and working: what is inflated ahead must not hold up what is wanted now.
    fn schedule(self: &Arc<Self>) {
        let mut begun = Vec::new();
        let mut inner = self.lock();
        if inner.is_starving {
            let free = (self.threads - 1).saturating_sub(inner.jobs);
            let may_begin = |slot: &&Slot| self.has_room() && slot.stream.begin();
            begun.extend(
                inner.slots.iter().filter(may_begin).take(free).map(|slot| Arc::downgrade(&slot.stream)),
            );
            inner.jobs += begun.len();
        }
        drop(inner);
        for stream in begun {
            let ahead = Arc::downgrade(self);
            let job = Job(Weak::clone(&ahead));
            self.helpers.submit(Box::new(move || {
                // Either is gone when nobody wants the bytes any more.
                if let (Some(ahead), Some(stream)) = (ahead.upgrade(), stream.upgrade()) {
                    stream.work(&ahead);
                    drop(job);
                    ahead.schedule();
                }
            }));
        }
    }

    /// Has a chunk more of the file that is read now inflated.
    fn submit(self: &Arc<Self>, stream: &Arc<Stream>) {
        let (ahead, stream) = (Arc::downgrade(self), Arc::downgrade(stream));
        self.helpers.submit(Box::new(move || {
            if let (Some(ahead), Some(stream)) = (ahead.upgrade(), stream.upgrade()) {
                stream.work(&ahead);
                if stream.begin() {
                    ahead.submit(&stream);
                }
            }
        }));
    }

    /// Notes whether whoever reads waits for the one core that inflates.
    fn note(self: &Arc<Self>, is_starving: bool) {
        self.lock().is_starving = is_starving;
        self.schedule();
    }

    fn has_room(&self) -> bool {
        self.used.load(Ordering::Relaxed) + self.chunk as u64 <= self.max
    }

    /// Takes memory, if it is there.
    fn reserve(&self, bytes: u64) -> bool {
        let more = |used: u64| used.checked_add(bytes).filter(|used| *used <= self.max);
        self.used.fetch_update(Ordering::Relaxed, Ordering::Relaxed, more).is_ok()
    }

    fn memory(&self) -> Vec<u8> {
        let spare = self.spare.lock().unwrap_or_else(PoisonError::into_inner).pop();
        spare.unwrap_or_else(|| Vec::with_capacity(self.chunk))
    }

    fn give_back(&self, mut memory: Vec<u8>) {
        let mut spare = self.spare.lock().unwrap_or_else(PoisonError::into_inner);
        if memory.capacity() >= self.chunk && spare.len() < WAITING {
            memory.clear();
            spare.push(memory);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        // What it guards is changed by assignments alone.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A job for a file whose turn has not come, until it has ended or was thrown away.
struct Job(Weak<ReadAhead>);

impl Drop for Job {
    fn drop(&mut self) {
        if let Some(ahead) = self.0.upgrade() {
            let mut inner = ahead.lock();
            inner.jobs = inner.jobs.saturating_sub(1);
        }
    }
}

#[cfg(test)]
mod tests;
