//! One file as a queue of chunks that jobs fill and one reader empties.

use std::collections::VecDeque;
use std::io::{self, Read};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use super::{ReadAhead, WAITING};
use crate::peel::{Facts, Peeked, peel};
use crate::{InputFile, Location};

/// The part of a chunk that whoever reads little by little inflates at once: 128 KiB.
const BITS: usize = 8;

/// A file, and what was inflated of it.
pub(crate) struct Stream {
    state: Mutex<State>,
    /// Somebody has put the source back.
    changed: Condvar,
    used: Arc<AtomicU64>,
}

struct State {
    source: Source,
    /// What is known since it was opened.
    facts: Option<Facts>,
    /// Whether a job has been handed out that has not begun.
    has_job: bool,
    turn: Turn,
    pace: Pace,
    chunks: VecDeque<Vec<u8>>,
    /// What happened behind the chunks.
    error: Option<io::Error>,
    at_end: bool,
    /// How much memory it has reserved, in bytes.
    reserved: u64,
}

/// Whether its turn has come.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Turn {
    Later,
    /// It waits for its turn unopened.
    Refused,
    Now,
}

/// How it is inflated.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Pace {
    Unknown,
    /// Not at all: it is not compressed.
    Plain,
    /// By one core at a time.
    Serial,
    /// By helpers of its own.
    Shared,
}

impl Pace {
    fn of(reader: &Peeked) -> Self {
        if reader.is_serial() { Self::Serial } else { Self::Shared }
    }
}

/// Where more bytes come from.
enum Source {
    Unopened(Box<InputFile>),
    Open(Box<Peeked>),
    Failed(io::Error),
    /// Somebody reads from it now.
    Busy,
    /// Whoever read from it has panicked.
    Lost,
}

/// A file whose turn has come.
pub(crate) enum Taken {
    /// One that is not compressed.
    Plain(Peeked, Facts),
    Inflated(Queue, Facts),
}

impl Stream {
    pub(super) fn new(file: InputFile, used: &Arc<AtomicU64>) -> Arc<Self> {
        let is_refused = file.location == Location::Stdin || file.trouble.is_some();
        let state = State {
            source: Source::Unopened(Box::new(file)),
            facts: None,
            has_job: false,
            turn: if is_refused { Turn::Refused } else { Turn::Later },
            pace: Pace::Unknown,
            chunks: VecDeque::new(),
            error: None,
            at_end: false,
            reserved: 0,
        };
        Arc::new(Self { state: Mutex::new(state), changed: Condvar::new(), used: Arc::clone(used) })
    }

    /// Whether a job has something to do; then one is to be handed out.
    pub(super) fn begin(&self) -> bool {
        let mut state = self.lock();
        let is_wanted = match &state.source {
            Source::Unopened(_) => state.turn != Turn::Refused,
            Source::Open(_) => {
                let has_room = state.turn != Turn::Now || state.chunks.len() < WAITING;
                state.pace == Pace::Serial && !state.at_end && state.error.is_none() && has_room
            }
            Source::Failed(_) | Source::Busy | Source::Lost => false,
        };
        let begins = is_wanted && !state.has_job;
        state.has_job |= begins;
        begins
    }

    /// Opens the file if that was not done, and inflates one chunk.
    pub(super) fn work(self: &Arc<Self>, ahead: &ReadAhead) {
        let mut state = self.lock();
        state.has_job = false;
        // What its turn has come of is inflated whatever the bound: somebody waits for it.
        if state.at_end || state.error.is_some() || !(state.turn == Turn::Now || ahead.has_room()) {
            return;
        }
        let mut taken = match std::mem::replace(&mut state.source, Source::Busy) {
            source @ (Source::Open(_) | Source::Unopened(_)) => Held { stream: self, source: Some(source) },
            other => {
                state.source = other;
                return;
            }
        };
        drop(state);
        let opened = match taken.source.take() {
            Some(Source::Unopened(file)) => Some(self.open(*file, ahead)),
            other => other,
        };
        let Some(Source::Open(mut reader)) = opened else {
            taken.source = opened;
            return;
        };
        if self.lock().pace == Pace::Plain {
            taken.source = Some(Source::Open(reader));
            return;
        }
        let mut chunk = ahead.memory();
        let result = reader.append(&mut chunk, ahead.chunk);
        let mut state = self.lock();
        state.pace = Pace::of(&reader);
        match result {
            Ok(n) => state.at_end = n < ahead.chunk,
            Err(error) => state.error = Some(error),
        }
        if chunk.is_empty() {
            ahead.give_back(chunk);
        } else {
            state.chunks.push_back(chunk);
            self.reserve(&mut state, ahead.chunk as u64);
        }
        drop(state);
        taken.source = Some(Source::Open(reader));
    }

    /// Opens the file. Where its decompressor takes more memory than there is it stays as it was until its turn.
    fn open(&self, file: InputFile, ahead: &ReadAhead) -> Source {
        let opened = peel(&file, Some(&ahead.helpers), ahead.request_bytes);
        let mut state = self.lock();
        let (reader, facts) = match opened {
            Ok(opened) => opened,
            Err(error) if state.turn == Turn::Now => return Source::Failed(error),
            // It may be for want of what others hold now, or pass: what counts is what happens when it is its turn.
            Err(_) => {
                state.turn = Turn::Refused;
                return Source::Unopened(Box::new(file));
            }
        };
        if ahead.reserve(facts.weight) {
            state.reserved += facts.weight;
        } else if state.turn != Turn::Now {
            state.turn = Turn::Refused;
            return Source::Unopened(Box::new(file));
        }
        if facts.layers == 0 {
            state.pace = Pace::Plain;
        }
        state.facts = Some(facts);
        Source::Open(Box::new(reader))
    }

    /// Takes the file, whose turn has come.
    pub(super) fn take(self: Arc<Self>, ahead: &Arc<ReadAhead>) -> io::Result<Taken> {
        let mut state = self.lock();
        state.turn = Turn::Now;
        let source = loop {
            match std::mem::replace(&mut state.source, Source::Busy) {
                Source::Busy => state = self.wait(state, ahead, false),
                source => break source,
            }
        };
        drop(state);
        let source = match source {
            Source::Unopened(file) => self.open(*file, ahead),
            source => source,
        };
        let reader = match source {
            Source::Open(reader) => reader,
            Source::Failed(error) => return Err(error),
            Source::Unopened(_) | Source::Busy | Source::Lost => return Err(lost()),
        };
        let mut state = self.lock();
        let Some(facts) = state.facts.take() else { return Err(lost()) };
        if state.pace == Pace::Plain {
            return Ok(Taken::Plain(*reader, facts));
        }
        state.source = Source::Open(reader);
        drop(state);
        let ahead = Arc::clone(ahead);
        let mut queue = Queue { stream: self, ahead, front: Vec::new(), at: 0, has_starved: true };
        queue.go_on();
        Ok(Taken::Inflated(queue, facts))
    }

    /// Waits until nobody reads from the source, or there is a chunk if one is wanted; helps meanwhile.
    fn wait<'s>(
        &'s self,
        state: MutexGuard<'s, State>,
        ahead: &ReadAhead,
        for_chunk: bool,
    ) -> MutexGuard<'s, State> {
        drop(state);
        let has_helped = ahead.helpers.help();
        let state = self.lock();
        if has_helped {
            return state;
        }
        let is_busy = |state: &mut State| {
            matches!(state.source, Source::Busy) && (!for_chunk || state.chunks.is_empty())
        };
        self.changed.wait_while(state, is_busy).unwrap_or_else(PoisonError::into_inner)
    }

    fn reserve(&self, state: &mut State, bytes: u64) {
        state.reserved += bytes;
        self.used.fetch_add(bytes, Ordering::Relaxed);
    }

    fn release(&self, state: &mut State, bytes: u64) {
        state.reserved = state.reserved.saturating_sub(bytes);
        self.used.fetch_sub(bytes, Ordering::Relaxed);
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
impl Stream {
    pub(super) fn is_unopened(&self) -> bool {
        matches!(self.lock().source, Source::Unopened(_))
    }

    /// Makes whoever reads from it next panic.
    pub(super) fn break_next(&self) {
        struct Broken;
        impl Read for Broken {
            fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
                panic!("a decompressor that is broken")
            }
        }
        let mut state = self.lock();
        let reader = Peeked::broken(Box::new(Broken));
        state.source = Source::Open(Box::new(reader));
        state.pace = Pace::Serial;
        state.facts =
            Some(Facts { head: Vec::new(), layers: 1, length: None, read: Arc::default(), weight: 0 });
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        let reserved = self.lock().reserved;
        self.used.fetch_sub(reserved, Ordering::Relaxed);
    }
}

/// The source while a job reads from it: put back whatever happens.
struct Held<'a> {
    stream: &'a Stream,
    source: Option<Source>,
}

impl Drop for Held<'_> {
    fn drop(&mut self) {
        // Even a decompressor that panics must not leave the reader waiting.
        self.stream.lock().source = self.source.take().unwrap_or(Source::Lost);
        self.stream.changed.notify_all();
    }
}

/// What comes next of a file.
enum Next {
    Chunk(Vec<u8>),
    /// Nothing is there and nobody makes it: the reader does it itself, and puts this back.
    Source(Box<Peeked>),
    End,
}

/// Reads a file whose turn has come.
pub(crate) struct Queue {
    stream: Arc<Stream>,
    ahead: Arc<ReadAhead>,
    /// The chunk that is read, and how much of it was.
    front: Vec<u8>,
    at: usize,
    /// Whether something that was wanted was not there.
    has_starved: bool,
}

impl Queue {
    /// Appends bytes to `buffer`, `most` of them or all that are left; how many. What was read before an error stays.
    pub(crate) fn append(&mut self, buffer: &mut Vec<u8>, most: usize) -> io::Result<usize> {
        let before = buffer.len();
        loop {
            let missing = most - (buffer.len() - before);
            let front = self.front.get(self.at..).unwrap_or_default();
            if let Some(bytes @ [_, ..]) = front.get(..missing.min(front.len())) {
                buffer.extend_from_slice(bytes);
                self.at += bytes.len();
                continue;
            }
            if missing == 0 {
                self.go_on();
                return Ok(most);
            }
            match self.next()? {
                Next::Chunk(chunk) => self.turn(chunk),
                Next::End => return Ok(buffer.len() - before),
                Next::Source(mut reader) => {
                    // Bit by bit where it takes long, so that somebody may take over.
                    let wanted = if reader.is_serial() { missing.min(self.ahead.chunk) } else { missing };
                    let result = reader.append(buffer, wanted);
                    self.put_back(reader, result.as_ref().is_ok_and(|n| *n < wanted));
                    result?;
                }
            }
        }
    }

    fn turn(&mut self, chunk: Vec<u8>) {
        self.at = 0;
        self.ahead.give_back(std::mem::replace(&mut self.front, chunk));
    }

    fn next(&mut self) -> io::Result<Next> {
        let mut state = self.stream.lock();
        loop {
            if let Some(chunk) = state.chunks.pop_front() {
                self.stream.release(&mut state, self.ahead.chunk as u64);
                return Ok(Next::Chunk(chunk));
            }
            if let Some(error) = state.error.take() {
                return Err(error);
            }
            if state.at_end {
                return Ok(Next::End);
            }
            self.has_starved = true;
            match std::mem::replace(&mut state.source, Source::Busy) {
                Source::Open(reader) => return Ok(Next::Source(reader)),
                Source::Busy => state = self.stream.wait(state, &self.ahead, true),
                other => {
                    state.source = other;
                    return Err(lost());
                }
            }
        }
    }

    fn put_back(&self, reader: Box<Peeked>, at_end: bool) {
        let mut state = self.stream.lock();
        state.pace = Pace::of(&reader);
        state.at_end = at_end;
        state.source = Source::Open(reader);
    }

    /// Has more of the file inflated while what there is of it is worked on; and of the files that come next, if that
    /// is too slow.
    fn go_on(&mut self) {
        if self.stream.begin() {
            self.ahead.submit(&self.stream);
        }
        let is_serial = self.stream.lock().pace == Pace::Serial;
        self.ahead.note(is_serial && std::mem::take(&mut self.has_starved));
    }
}

impl Read for Queue {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        loop {
            let mut front = self.front.get(self.at..).unwrap_or_default();
            if !front.is_empty() {
                let n = front.read(buffer)?;
                self.at += n;
                return Ok(n);
            }
            match self.next()? {
                Next::Chunk(chunk) => {
                    self.turn(chunk);
                    self.go_on();
                }
                Next::End => return Ok(0),
                Next::Source(mut reader) => {
                    let mut chunk = self.ahead.memory();
                    let wanted = self.ahead.chunk.div_ceil(BITS);
                    let result = reader.append(&mut chunk, wanted);
                    self.put_back(reader, result.as_ref().is_ok_and(|n| *n < wanted));
                    if let Err(error) = result {
                        if chunk.is_empty() {
                            return Err(error);
                        }
                        self.stream.lock().error = Some(error);
                    }
                    self.turn(chunk);
                    self.go_on();
                }
            }
        }
    }
}

/// What whoever reads is told when a decompressor has panicked: the panic itself ends the run.
fn lost() -> io::Error {
    io::Error::other("the decompressor of the file has failed")
}
