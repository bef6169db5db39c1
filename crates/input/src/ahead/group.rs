//! One piece of work for a helper.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use crate::Helpers;
use crate::decode::{Codec, Format, Plain, Whole};

/// How much room there is at least for what comes out, in bytes.
const MIN_ROOM: usize = 16 * 1024;

/// Some members of a file, or so it is hoped.
pub(super) struct Group {
    pub(super) bytes: Vec<u8>,
    /// Where they begin in the file.
    pub(super) offset: u64,
    /// Whether the last of them may end where the bytes do.
    pub(super) ends_well: bool,
    /// For what comes out, used again.
    memory: Mutex<Vec<u8>>,
    state: Mutex<State>,
    changed: Condvar,
}

/// What became of the work.
enum State {
    /// Nobody does it.
    Left,
    Submitted,
    Begun,
    Done(Done),
}

/// What a helper made: whole members only.
#[derive(Default)]
pub(super) struct Done {
    pub(super) plain: Plain,
    /// Of how many bytes.
    pub(super) consumed: usize,
}

impl Group {
    pub(super) fn new(bytes: Vec<u8>, offset: u64, ends_well: bool, memory: Vec<u8>) -> Self {
        let (memory, state) = (Mutex::new(memory), Mutex::new(State::Left));
        Self { bytes, offset, ends_well, memory, state, changed: Condvar::new() }
    }

    /// Has it inflated by a helper.
    pub(super) fn submit(self: &Arc<Self>, helpers: &dyn Helpers, format: Format, max_plain: usize) {
        *self.lock() = State::Submitted;
        let group = Arc::clone(self);
        helpers.submit(Box::new(move || group.work(format, max_plain)));
    }

    /// What a helper made of it; `None` when none has begun.
    pub(super) fn wait(&self, helpers: &dyn Helpers) -> Option<Done> {
        loop {
            let done = self.cancel();
            if done.is_some() || !self.is_begun() {
                return done;
            }
            if helpers.help() {
                continue;
            }
            let state = self.lock();
            // Woken by the helper that has begun, at the latest when it gives up.
            let waited = self.changed.wait_while(state, |state| matches!(state, State::Begun));
            drop(waited.unwrap_or_else(PoisonError::into_inner));
        }
    }

    /// Nobody need begin with it any more; what has been made of it.
    pub(super) fn cancel(&self) -> Option<Done> {
        let mut state = self.lock();
        if matches!(*state, State::Begun) {
            return None;
        }
        match std::mem::replace(&mut *state, State::Left) {
            State::Done(done) => Some(done),
            _ => None,
        }
    }

    /// Whether a helper has it, or has made something of it.
    pub(super) fn is_for_helpers(&self) -> bool {
        !matches!(*self.lock(), State::Left)
    }

    fn is_begun(&self) -> bool {
        matches!(*self.lock(), State::Begun)
    }

    fn work(&self, format: Format, max_plain: usize) {
        let mut state = self.lock();
        if !matches!(*state, State::Submitted) {
            return;
        }
        *state = State::Begun;
        drop(state);
        // Even a decompressor that panics must not leave the reader waiting.
        let end = End(self);
        let done = self.inflate(format, max_plain);
        *self.lock() = State::Done(done);
        drop(end);
    }

    /// Inflates members until something is wrong, there is too much of it, or all is done.
    pub(super) fn inflate(&self, format: Format, max_plain: usize) -> Done {
        let memory = std::mem::take(&mut *self.memory.lock().unwrap_or_else(PoisonError::into_inner));
        let bytes = self.bytes.as_slice();
        // Text shrinks to about a third.
        let least = (bytes.len() * 3).clamp(MIN_ROOM, max_plain.max(MIN_ROOM));
        let mut done = Done { plain: Plain::new(memory, least), consumed: 0 };
        let mut whole = Whole::of(format);
        let mut codec = None;
        while done.plain.len() <= max_plain
            && let Some(rest @ [_, ..]) = bytes.get(done.consumed..)
        {
            let left = max_plain - done.plain.len();
            let mut taken = whole.as_mut().and_then(|whole| whole.inflate(rest, &mut done.plain, left));
            if taken.is_none() {
                if codec.is_none() {
                    codec = format.hasty_codec(self.offset + done.consumed as u64).ok().flatten();
                }
                taken = codec.as_mut().and_then(|codec| member(codec, rest, &mut done.plain, max_plain));
            }
            let Some(taken) = taken else { break };
            done.consumed += taken;
        }
        done
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The end of the work, well or not.
struct End<'a>(&'a Group);

impl Drop for End<'_> {
    fn drop(&mut self) {
        let mut state = self.0.lock();
        if matches!(*state, State::Begun) {
            *state = State::Left;
        }
        self.0.changed.notify_all();
    }
}

/// Inflates one member, or takes what may lie between two; how many bytes that took, if nothing is wrong.
fn member(codec: &mut Codec, bytes: &[u8], plain: &mut Plain, max_plain: usize) -> Option<usize> {
    let (before, mut at) = (plain.len(), 0);
    while plain.len() <= max_plain {
        let Ok(ran) = codec.run(bytes.get(at..)?, plain.room(MIN_ROOM)) else { break };
        plain.add(ran.produced);
        at += ran.consumed;
        if codec.is_between() && at > 0 {
            return Some(at);
        }
        if ran.consumed == 0 && ran.produced == 0 {
            break;
        }
    }
    plain.truncate(before);
    None
}
