//! Which call into a plugin each thread is in, so that one that does not come back can be named.
//!
//! A thread that calls plugins has a slot. When a call begins and when it ends the slot is locked, which nobody
//! else does but the watchdog and whoever ends the process, so that a lock is two atomic operations.
//! How far the call is among its documents is one number, written without a lock: that is all that a document
//! costs.

use std::cell::Cell;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tamis_document::Record;
use tamis_stage::{MeasureInfo, RunContext};

/// The call has said nothing yet about where it is.
const NOWHERE: u64 = (1 << 62) - 1;
/// A bit of the number: the plugin has said that it begins with this document. Without it the document is only
/// the last about which it has asked or told something.
const BEGUN: u64 = 1 << 62;

static SLOTS: Mutex<Vec<&'static Slot>> = Mutex::new(Vec::new());

thread_local! {
    /// Has no destructor, so that it is still there when a plugin calls `exit`, which ends the thread-locals
    /// of the calling thread before it asks anybody else.
    static MINE: Cell<Option<&'static Slot>> = const { Cell::new(None) };
    static GIVE_BACK: GiveBack = const { GiveBack };
}

/// Whose call it is.
#[derive(Debug, Clone)]
pub(crate) struct Who {
    pub(crate) stage: String,
    pub(crate) plugin: String,
    /// Tells the library from all others: the address of its descriptor, which stays where it is.
    pub(crate) library: usize,
    /// What the stage says that it measures.
    pub(crate) measures: &'static [MeasureInfo],
    /// For which run it was opened.
    pub(crate) run: RunContext,
}

impl Who {
    /// A message in the name of the stage, as a dead letter carries it.
    pub(crate) fn says(&self, message: &str) -> String {
        format!("stage `{}` of plugin `{}`: {message}", self.stage, self.plugin)
    }
}

/// What a thread does in plugins. Never freed, and handed on when its thread ends.
pub(crate) struct Slot {
    current: Mutex<Option<Current>>,
    at: AtomicU64,
    is_taken: AtomicBool,
}

/// A call that is going on.
#[derive(Clone, Copy)]
struct Current {
    since: Instant,
    who: *const Who,
    subject: Pointer,
}

// SAFETY: what the pointers lead to is only read, and is there as long as the call stands in its slot.
unsafe impl Send for Current {}

/// What a call is about.
#[derive(Clone, Copy)]
pub(crate) enum Subject<'a> {
    /// Nothing that has a name.
    Nothing,
    /// Documents; the number of the slot is an index.
    Documents(&'a [Record]),
    /// A file; the number of the slot is the ordinal of the record that is read next.
    File(&'a str),
}

#[derive(Clone, Copy)]
enum Pointer {
    Nothing,
    Documents(*const [Record]),
    File(*const str),
}

/// A call stands in the slot of its thread until this is dropped; then the one around it does again, if any.
pub(crate) struct Entered {
    slot: &'static Slot,
    outer: Option<Current>,
    outer_at: u64,
}

/// The slot of this thread.
pub(crate) fn mine() -> &'static Slot {
    MINE.get().unwrap_or_else(|| {
        let slot = free_slot();
        MINE.set(Some(slot));
        // Fails while the thread ends; then the slot is not used again.
        let _ = GIVE_BACK.try_with(|_| ());
        slot
    })
}

fn free_slot() -> &'static Slot {
    let mut slots = lock(&SLOTS);
    if let Some(slot) = slots.iter().find(|slot| !slot.is_taken.swap(true, Ordering::Acquire)) {
        return slot;
    }
    let slot: &'static Slot = Box::leak(Box::new(Slot {
        current: Mutex::new(None),
        at: AtomicU64::new(NOWHERE),
        is_taken: AtomicBool::new(true),
    }));
    slots.push(slot);
    slot
}

/// Hands the slot of a thread on when the thread ends.
struct GiveBack;

impl Drop for GiveBack {
    fn drop(&mut self) {
        // One that ends in the middle of a call is ending the process, and will be asked where it was.
        if let Some(slot) = MINE.get()
            && lock(&slot.current).is_none()
        {
            MINE.set(None);
            slot.is_taken.store(false, Ordering::Release);
        }
    }
}

impl Slot {
    /// Notes a call, which must be the one that this thread makes next.
    pub(crate) fn enter(&'static self, who: &Who, subject: Subject<'_>) -> Entered {
        let subject = match subject {
            Subject::Nothing => Pointer::Nothing,
            Subject::Documents(records) => Pointer::Documents(records),
            Subject::File(name) => Pointer::File(name),
        };
        let current = Current { since: Instant::now(), who, subject };
        let mut place = lock(&self.current);
        let outer = place.replace(current);
        Entered { slot: self, outer, outer_at: self.at.swap(NOWHERE, Ordering::Relaxed) }
    }

    /// The plugin begins with a document.
    pub(crate) fn begin(&self, doc: u32) {
        self.at.store(BEGUN | u64::from(doc), Ordering::Relaxed);
    }

    /// The plugin has said or asked something about a document.
    pub(crate) fn touch(&self, doc: u32) {
        if self.at.load(Ordering::Relaxed) & BEGUN == 0 {
            self.at.store(u64::from(doc), Ordering::Relaxed);
        }
    }

    /// The reader goes on to the record with this ordinal.
    pub(crate) fn read_next(&self, ordinal: u64) {
        self.at.store(ordinal.min(NOWHERE - 1), Ordering::Relaxed);
    }

    /// The call that is going on, of `run` if one is named, when it began, and the number of where it is.
    fn look(&self, run: Option<&RunContext>) -> Option<(OpenCall, Instant, u64)> {
        let current = lock(&self.current);
        let Current { since, who, subject } = (*current)?;
        let at = self.at.load(Ordering::Relaxed);
        // SAFETY: the call stands in its slot while the slot is locked, so what it borrows is there.
        let who = unsafe { &*who };
        if run.is_some_and(|run| !who.run.is(run)) {
            return None;
        }
        // SAFETY: as above.
        let (subject, document) = unsafe { subject.name(at) };
        let (stage, plugin) = (who.stage.clone(), who.plugin.clone());
        Some((OpenCall { stage, plugin, subject, document, lasts: since.elapsed() }, since, at))
    }
}

impl Drop for Entered {
    fn drop(&mut self) {
        *lock(&self.slot.current) = self.outer;
        self.slot.at.store(self.outer_at, Ordering::Relaxed);
    }
}

impl Pointer {
    /// What the call is at, for people, and the id of the document.
    ///
    /// # Safety
    ///
    /// What it points to must be there.
    unsafe fn name(self, at: u64) -> (String, Option<String>) {
        match self {
            Self::Nothing => (String::new(), None),
            Self::File(name) => {
                // SAFETY: the caller vouches for it.
                let name = shown(unsafe { &*name });
                match at {
                    NOWHERE => (format!("file `{name}`"), None),
                    ordinal => (format!("file `{name}`, from record {ordinal} on"), None),
                }
            }
            Self::Documents(records) => {
                // SAFETY: the caller vouches for it.
                let records = unsafe { &*records };
                let id = |index: usize| records.get(index).map(|record| shown(&record.document.id));
                match (id((at & !BEGUN) as usize), id(0)) {
                    (Some(id), _) if at & BEGUN != 0 || records.len() == 1 => {
                        (format!("document `{id}`"), Some(id))
                    }
                    (Some(id), _) => (format!("document `{id}` or one behind it"), Some(id)),
                    (None, Some(first)) => {
                        (format!("{} documents from `{first}` on", records.len()), Some(first))
                    }
                    (None, None) => (String::new(), None),
                }
            }
        }
    }
}

/// So much of an id is shown, in characters.
const MAX_SHOWN: usize = 200;

/// An id for a terminal: not without end, and without the codes that would write over the rest of it.
fn shown(id: &str) -> String {
    id.chars().take(MAX_SHOWN).map(|c| if c.is_control() { char::REPLACEMENT_CHARACTER } else { c }).collect()
}

/// A call into a plugin that is going on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenCall {
    /// The stage that was called.
    pub stage: String,
    /// Its plugin.
    pub plugin: String,
    /// What it works on, in words: a document, some documents or a file; empty if it is none of these.
    pub subject: String,
    /// The id of the document that it works on, or of the last that is known to be behind it; control
    /// characters are replaced and what is beyond 200 characters is left out.
    pub document: Option<String>,
    /// How long it has lasted.
    pub lasts: Duration,
}

impl std::fmt::Display for OpenCall {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "stage `{}` of plugin `{}`", self.stage, self.plugin)?;
        if !self.subject.is_empty() {
            write!(out, " at {}", self.subject)?;
        }
        Ok(())
    }
}

/// The call that this thread is in.
pub(crate) fn here() -> Option<OpenCall> {
    MINE.get()?.look(None).map(|(call, ..)| call)
}

/// All calls into plugins that a run is in and that have lasted for so long, the longest first; of all runs of the
/// process if none is named.
pub fn open_calls(run: Option<&RunContext>, at_least: Duration) -> Vec<OpenCall> {
    let slots = lock(&SLOTS).clone();
    let mut calls: Vec<_> = slots.iter().filter_map(|slot| slot.look(run)).map(|(call, ..)| call).collect();
    calls.retain(|call| call.lasts >= at_least);
    calls.sort_by_key(|call| std::cmp::Reverse(call.lasts));
    calls
}

/// Looks at all threads again and again, and tells what does not get on, or what took long.
pub(crate) struct Sweep {
    /// Whose calls are looked at.
    run: RunContext,
    /// One a slot.
    seen: Vec<Option<Seen>>,
}

/// What a thread was at when it was looked at last.
struct Seen {
    call: Instant,
    at: u64,
    since: Instant,
    is_told: bool,
}

/// Looks at all threads again and again, and tells how long documents took that took long.
pub(crate) struct Stays {
    /// Whose calls are looked at.
    run: RunContext,
    /// One a slot: when its call began, where it is, and the call with how long it has been there.
    seen: Vec<Option<(Instant, u64, Instant, OpenCall)>>,
}

impl Stays {
    pub(crate) fn new(run: RunContext) -> Self {
        Self { run, seen: Vec::new() }
    }

    /// Documents at which a stage was for `least` or longer, and is no longer; how long it was seen there stands for how
    /// long the call lasted. At the end, with `all`, also those at which one still is.
    pub(crate) fn over(&mut self, least: Duration, all: bool) -> Vec<OpenCall> {
        let slots = lock(&SLOTS).clone();
        self.seen.resize_with(slots.len(), || None);
        let mut over = Vec::new();
        for (slot, seen) in slots.iter().zip(&mut self.seen) {
            // Of several documents in one call it is only known where it is if the plugin says so.
            let now = slot.look(Some(&self.run)).filter(|(call, ..)| call.subject.starts_with("document `"));
            let now = now.filter(|(call, ..)| !call.subject.ends_with("behind it"));
            match (&mut *seen, now) {
                (Some((call, place, since, what)), Some((_, began, at)))
                    if *call == began && *place == at =>
                {
                    what.lasts = since.elapsed();
                }
                (_, now) => {
                    let next = now.map(|(mut what, began, at)| {
                        what.lasts = Duration::ZERO;
                        (began, at, Instant::now(), what)
                    });
                    over.extend(std::mem::replace(seen, next).map(|(.., what)| what));
                }
            }
            if all {
                over.extend(seen.take().map(|(.., what)| what));
            }
        }
        over.retain(|call| call.lasts >= least);
        over
    }
}

impl Sweep {
    pub(crate) fn new(run: RunContext) -> Self {
        Self { run, seen: Vec::new() }
    }

    /// Calls that have been at the same document for `limit` or longer and were not told yet; how long they are
    /// at it stands for how long they last.
    pub(crate) fn stuck(&mut self, limit: Duration) -> Vec<OpenCall> {
        let slots = lock(&SLOTS).clone();
        self.seen.resize_with(slots.len(), || None);
        let mut stuck = Vec::new();
        for (slot, seen) in slots.iter().zip(&mut self.seen) {
            let Some((mut call, since, at)) = slot.look(Some(&self.run)) else {
                *seen = None;
                continue;
            };
            match seen {
                Some(seen) if seen.call == since && seen.at == at => {
                    call.lasts = seen.since.elapsed();
                    if !seen.is_told && call.lasts >= limit {
                        seen.is_told = true;
                        stuck.push(call);
                    }
                }
                Some(Seen { call: same, .. }) if *same == since => {
                    *seen = Some(Seen { call: since, at, since: Instant::now(), is_told: false });
                }
                _ => *seen = Some(Seen { call: since, at, since, is_told: false }),
            }
        }
        stuck
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // What is locked is changed by assignments alone, which do not panic.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use tamis_document::Document;

    use super::*;

    fn who(stage: &str) -> Who {
        who_of(stage, &RunContext::default())
    }

    fn who_of(stage: &str, run: &RunContext) -> Who {
        let plugin = "demo".to_owned();
        Who { stage: stage.to_owned(), plugin, library: 0, measures: &[], run: run.clone() }
    }

    fn records() -> Vec<Record> {
        ["a", "b\u{1b}[2J", "c"].map(|id| Record::from(Document::new(id, ""))).into()
    }

    fn text() -> String {
        here().map_or("nothing".to_owned(), |call| call.to_string())
    }

    #[test]
    fn a_call_says_where_it_is() {
        let (who, records) = (who("judge"), records());
        assert_eq!(text(), "nothing");
        let entered = mine().enter(&who, Subject::Documents(&records));
        assert_eq!(text(), "stage `judge` of plugin `demo` at 3 documents from `a` on");
        mine().touch(1);
        assert_eq!(text(), "stage `judge` of plugin `demo` at document `b\u{fffd}[2J` or one behind it");
        mine().begin(2);
        // It looks back at another one.
        mine().touch(0);
        assert_eq!(text(), "stage `judge` of plugin `demo` at document `c`");
        drop(entered);
        assert_eq!(text(), "nothing");
    }

    #[test]
    fn a_call_inside_of_another_stands_for_it_as_long_as_it_lasts() {
        let (outer, inner, records) = (who("outer"), who("inner"), records());
        let entered = mine().enter(&outer, Subject::Documents(&records));
        mine().begin(0);
        let nested = mine().enter(&inner, Subject::File("x.csv"));
        assert_eq!(text(), "stage `inner` of plugin `demo` at file `x.csv`");
        mine().read_next(7);
        assert_eq!(text(), "stage `inner` of plugin `demo` at file `x.csv`, from record 7 on");
        drop(nested);
        assert_eq!(text(), "stage `outer` of plugin `demo` at document `a`");
        drop(entered);
    }

    #[test]
    fn what_does_not_get_on_is_told_once() {
        let run = RunContext::default();
        let (who, records) = (who_of("stuck", &run), records());
        let (mut sweep, mut other) = (Sweep::new(run), Sweep::new(RunContext::default()));
        let mut told = |limit| {
            assert!(other.stuck(Duration::ZERO).is_empty(), "it is no call of the other run");
            let calls = sweep.stuck(limit).into_iter();
            calls.map(|call| call.document.unwrap_or_default()).collect::<Vec<_>>()
        };
        let entered = mine().enter(&who, Subject::Documents(&records));
        mine().begin(0);
        assert!(told(Duration::ZERO).is_empty(), "nobody knows how long it has been there");
        assert!(told(Duration::MAX).is_empty());
        assert_eq!(told(Duration::ZERO), ["a"]);
        assert!(told(Duration::ZERO).is_empty());
        mine().begin(2);
        assert!(told(Duration::ZERO).is_empty(), "it has got on");
        assert_eq!(told(Duration::ZERO), ["c"]);
        drop(entered);
        assert!(told(Duration::ZERO).is_empty());
    }

    #[test]
    fn what_took_long_is_told_when_it_is_over() {
        let run = RunContext::default();
        let (who, records) = (who_of("slow", &run), records());
        let mut stays = Stays::new(run);
        let wait = Duration::from_millis(5);
        let entered = mine().enter(&who, Subject::Documents(&records));
        assert!(stays.over(Duration::ZERO, false).is_empty(), "nobody knows at which document it is");
        mine().begin(0);
        assert!(stays.over(wait, false).is_empty());
        std::thread::sleep(wait);
        assert!(stays.over(wait, false).is_empty(), "it is still there");
        mine().begin(1);
        let over = stays.over(wait, false);
        assert_eq!(over.len(), 1);
        assert_eq!(over[0].document.as_deref(), Some("a"));
        assert!(over[0].lasts >= wait);
        mine().begin(2);
        assert!(stays.over(wait, false).is_empty(), "that was quick");
        std::thread::sleep(wait);
        assert!(stays.over(wait, false).is_empty());
        assert_eq!(stays.over(wait, true).len(), 1, "the run is over");
        drop(entered);
        assert!(stays.over(Duration::ZERO, true).is_empty());
    }

    #[test]
    fn the_slot_of_a_thread_that_has_ended_is_used_again() {
        let slot = || std::thread::spawn(|| std::ptr::from_ref(mine()).addr()).join().expect("no panic");
        let first = slot();
        // Another test may be quicker and take it.
        assert!((0..100).any(|_| slot() == first));
    }
}
