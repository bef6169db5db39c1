//! Filters and extractors.
//!
//! Documents are given to a stage one by one, or by chunks to one that wants several at once. A panic is caught
//! around each: it costs one document and the local state, which may be half-changed and is made anew.

use std::ffi::c_void;

use tamis_document::Verdict;
use tamis_stage::{BatchExtractor, BatchFilter, Draft, Edits, Extracted, Failure, Judged, Notes};

use super::host::{Begin, HostLookup, HostRef, documents, view};
use super::{boundary, stage};
use crate::abi;
use crate::guard;

pub(super) fn filter_table<T: BatchFilter>() -> abi::Transform {
    table::<T::Local>(filter::<T>)
}

pub(super) fn extractor_table<T: BatchExtractor>() -> abi::Transform {
    table::<T::Local>(extract::<T>)
}

fn table<L: Default + Send + 'static>(process: abi::ProcessFn) -> abi::Transform {
    // Most stages have no state of a worker, and the host is spared the calls.
    let is_stateless = size_of::<L>() == 0;
    abi::Transform {
        struct_size: size_of::<abi::Transform>() as u32,
        reserved: 0,
        local_new: (!is_stateless).then_some(local_new::<L>),
        local_free: (!is_stateless).then_some(local_free::<L>),
        process: Some(process),
    }
}

unsafe extern "C-unwind" fn local_new<L: Default>(
    _instance: *mut c_void,
    host: *const abi::Host,
    local: *mut *mut c_void,
) -> i32 {
    // SAFETY: the host calls with what the header promises.
    let host = unsafe { HostRef::new(host) };
    boundary(host, || {
        let pointer = Box::into_raw(Box::<L>::default()).cast();
        // SAFETY: `local` is the host's place for the result.
        unsafe { local.write(pointer) };
        Ok(())
    })
}

unsafe extern "C-unwind" fn local_free<L>(_instance: *mut c_void, local: *mut c_void) {
    // SAFETY: made by `local_new::<L>`, and not freed before.
    let local = unsafe { Box::from_raw(local.cast::<L>()) };
    // A panicking `drop` has nobody left to tell.
    drop(guard::catch(|| drop(local)));
}

/// Runs a call with the local state of its worker.
///
/// # Safety
///
/// `local` must come from `local_new::<L>` and belong to this call, or `L` have no size.
unsafe fn with_local<L: Default>(local: *mut c_void, call: impl FnOnce(&mut L)) {
    if size_of::<L>() == 0 {
        call(&mut L::default());
    } else {
        // SAFETY: the caller vouches for it.
        call(unsafe { &mut *local.cast::<L>() });
    }
}

/// What came of one document, if the stage did not panic.
type Outcome = Result<Result<Verdict, Failure>, String>;

unsafe extern "C-unwind" fn filter<T: BatchFilter>(
    instance: *mut c_void,
    local: *mut c_void,
    docs: *const abi::Document,
    n: usize,
    host: *const abi::Host,
) -> i32 {
    // SAFETY: the host calls with what the header promises.
    let (host, stage, docs) = unsafe { (HostRef::new(host), stage::<T>(instance), documents(docs, n)) };
    boundary(host, || {
        // SAFETY: a local of this stage, which belongs to one call at a time.
        unsafe { with_local(local, |local| filter_chunks(stage, host, docs, local)) };
        Ok(())
    })
}

fn filter_chunks<T: BatchFilter>(stage: &T, host: HostRef<'_>, docs: &[abi::Document], local: &mut T::Local) {
    let begin = host.begin();
    if T::BATCH <= 1 {
        return filter_each(stage, host, begin, docs, 0, local);
    }
    for (chunk, docs) in docs.chunks(T::BATCH).enumerate() {
        let first = (chunk * T::BATCH) as u32;
        begin.document(first);
        let lookups: Vec<_> = (first..).zip(docs).map(|(index, _)| HostLookup::new(host, index)).collect();
        // SAFETY: valid until this call returns.
        let judged =
            docs.iter().zip(&lookups).map(|(doc, lookup)| Judged::from(unsafe { view(doc, lookup) }));
        let mut judged: Vec<_> = judged.collect();
        if let Err(panic) = guard::catch_inside(|| stage.filter_all(local, &mut judged)) {
            *local = T::Local::default();
            alone(host, docs.len(), &panic);
            filter_each(stage, host, begin, docs, first, local);
            continue;
        }
        for (index, it) in (first..).zip(judged) {
            judge(host, index, Ok(it.outcome));
            host.notes(index, &it.notes);
        }
    }
}

/// Judges documents one by one, the first of which has the index `first` in the call.
fn filter_each<T: BatchFilter>(
    stage: &T,
    host: HostRef<'_>,
    begin: Begin<'_>,
    docs: &[abi::Document],
    first: u32,
    local: &mut T::Local,
) {
    let mut notes = Notes::default();
    for (index, document) in (first..).zip(docs) {
        begin.document(index);
        let lookup = HostLookup::new(host, index);
        // SAFETY: valid until this call returns.
        let view = unsafe { view(document, &lookup) };
        notes.clear();
        let outcome = guard::catch_inside(|| stage.filter_one(local, &view, &mut notes));
        if outcome.is_err() {
            *local = T::Local::default();
        }
        judge(host, index, outcome);
        host.notes(index, &notes);
    }
}

unsafe extern "C-unwind" fn extract<T: BatchExtractor>(
    instance: *mut c_void,
    local: *mut c_void,
    docs: *const abi::Document,
    n: usize,
    host: *const abi::Host,
) -> i32 {
    // SAFETY: the host calls with what the header promises.
    let (host, stage, docs) = unsafe { (HostRef::new(host), stage::<T>(instance), documents(docs, n)) };
    boundary(host, || {
        // SAFETY: a local of this stage, which belongs to one call at a time.
        unsafe { with_local(local, |local| extract_chunks(stage, host, docs, local)) };
        Ok(())
    })
}

fn extract_chunks<T: BatchExtractor>(
    stage: &T,
    host: HostRef<'_>,
    docs: &[abi::Document],
    local: &mut T::Local,
) {
    let begin = host.begin();
    let one = |local: &mut T::Local, draft: &mut Draft<'_>| stage.extract_one(local, draft);
    if T::BATCH <= 1 {
        return extract_each(host, begin, docs, 0, local, one);
    }
    for (chunk, docs) in docs.chunks(T::BATCH).enumerate() {
        let first = (chunk * T::BATCH) as u32;
        begin.document(first);
        let lookups: Vec<_> = (first..).zip(docs).map(|(index, _)| HostLookup::new(host, index)).collect();
        let drafts =
            // SAFETY: valid until this call returns.
            docs.iter().zip(&lookups).map(|(doc, lookup)| Extracted::from(unsafe { view(doc, lookup) }));
        let mut drafts: Vec<_> = drafts.collect();
        if let Err(panic) = guard::catch_inside(|| stage.extract_all(local, &mut drafts)) {
            *local = T::Local::default();
            alone(host, docs.len(), &panic);
            extract_each(host, begin, docs, first, local, one);
            continue;
        }
        for (index, it) in (first..).zip(drafts) {
            let (edits, notes) = it.draft.finish();
            hand_over(host, index, Ok(it.outcome), &edits, &notes);
        }
    }
}

/// Runs `extract` over drafts of documents one by one, the first of which has the index `first` in the call, and
/// hands each outcome to the host.
pub(super) fn extract_each<L: Default>(
    host: HostRef<'_>,
    begin: Begin<'_>,
    docs: &[abi::Document],
    first: u32,
    local: &mut L,
    extract: impl Fn(&mut L, &mut Draft<'_>) -> Result<Verdict, Failure>,
) {
    for (index, document) in (first..).zip(docs) {
        begin.document(index);
        let lookup = HostLookup::new(host, index);
        // SAFETY: valid until this call returns.
        let mut draft = Draft::new(unsafe { view(document, &lookup) });
        let outcome = guard::catch_inside(|| extract(local, &mut draft));
        if outcome.is_err() {
            *local = L::default();
        }
        let (edits, notes) = draft.finish();
        hand_over(host, index, outcome, &edits, &notes);
    }
}

/// Says that a batch is done one by one after it has panicked: if none of its documents panics alone, nobody would
/// hear of it.
fn alone(host: HostRef<'_>, n: usize, panic: &str) {
    host.warn(&format!("{panic}, with {n} documents at once; they are processed one by one"));
}

/// Tells the host what an extractor has made of a document.
fn hand_over(host: HostRef<'_>, doc: u32, outcome: Outcome, edits: &Edits, notes: &Notes) {
    let refused = if matches!(outcome, Ok(Ok(_))) { host.edits(doc, edits).err() } else { None };
    match refused {
        Some(message) => host.fail(doc, &message),
        None => judge(host, doc, outcome),
    }
    host.notes(doc, notes);
}

/// Tells the host about a document that is not simply kept.
fn judge(host: HostRef<'_>, doc: u32, outcome: Outcome) {
    match outcome {
        Ok(Ok(Verdict::Keep)) => {}
        Ok(Ok(Verdict::Drop(reason))) => host.verdict(doc, abi::DROP, &reason),
        Ok(Err(failure)) => host.fail(doc, &failure.to_string()),
        Err(panic) => host.fail(doc, &panic),
    }
}
