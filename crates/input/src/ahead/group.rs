//! One piece of work for a helper.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use crate::Helpers;
use crate::decode::Format;

/// How much room there is at least for what comes out, in bytes.
const MIN_ROOM: usize = 16 * 1024;

/// Some members of a file, or so it is hoped.
pub(super) struct Group {
    pub(super) bytes: Vec<u8>,
    /// Where they begin in the file.
    pub(super) offset: u64,
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
    pub(super) plain: Vec<u8>,
    /// Of how many bytes.
    pub(super) consumed: usize,
}

impl Group {
    pub(super) fn new(bytes: Vec<u8>, offset: u64) -> Self {
        Self { bytes, offset, state: Mutex::new(State::Left), changed: Condvar::new() }
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
        let done = inflate(format, &self.bytes, self.offset, max_plain);
        *self.lock() = State::Done(done);
        drop(end);
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

/// Inflates members until something is wrong, there is too much of it, or all is done.
fn inflate(format: Format, bytes: &[u8], offset: u64, max_plain: usize) -> Done {
    let Ok(Some(mut codec)) = format.hasty_codec(offset) else { return Done::default() };
    // Text shrinks to about a third.
    let mut plain = vec![0; (bytes.len() * 3).clamp(MIN_ROOM, max_plain.max(MIN_ROOM))];
    let (mut have, mut at) = (0, 0);
    // How much of it is of whole members, and of how many bytes.
    let (mut whole, mut consumed) = (0, 0);
    while have <= max_plain {
        if plain.len() - have < MIN_ROOM {
            plain.resize(plain.len() * 3 / 2 + MIN_ROOM, 0);
        }
        let (Some(input), Some(output)) = (bytes.get(at..), plain.get_mut(have..)) else { break };
        let Ok(ran) = codec.run(input, output) else { break };
        (have, at) = (have + ran.produced, at + ran.consumed);
        if codec.is_between() {
            (whole, consumed) = (have, at);
        }
        if ran.consumed == 0 && ran.produced == 0 {
            break;
        }
    }
    plain.truncate(whole);
    Done { plain, consumed }
}
