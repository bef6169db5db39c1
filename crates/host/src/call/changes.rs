//! What a stage does to documents: verdicts, measures, texts, fields, ids, documents that it splits off.

use std::ffi::c_void;
use std::sync::Arc;

use tamis_document::{Document, Fate};
use tamis_plugin::abi::{self, Str};
use tamis_stage::SplitOff;

use super::callbacks::{MAX_MESSAGE, MAX_NAME, call, is_document, is_place, lossy, refuse, take_back};
use super::{Target, convert};

/// The longest identifier, in bytes: it stands in reports and names of files.
const MAX_ID: usize = 4096;

pub(super) unsafe extern "C" fn verdict(ctx: *mut c_void, doc: u32, verdict: u32, reason: Str) -> i32 {
    // SAFETY: see `error`.
    let call = unsafe { call(ctx) };
    if call.target.records().is_empty() {
        return abi::UNSUPPORTED;
    }
    if !is_document(call, doc) {
        return abi::ERROR;
    }
    if call.states.get(doc).is_some_and(|state| state.verdict.is_some()) {
        return refuse(call, doc, || "it judged the document twice".to_owned());
    }
    // SAFETY: see `error`.
    let reason = |max, default: &'static str| match unsafe { lossy(reason, max) } {
        empty if empty.is_empty() => default.into(),
        reason => reason.into(),
    };
    let fate = match verdict {
        abi::KEEP => Fate::Kept,
        abi::DROP if matches!(call.target, Target::Export(_)) => {
            return refuse(call, doc, || "it dropped a document, which an exporter may only fail".to_owned());
        }
        abi::DROP => Fate::Dropped(reason(MAX_NAME, "no-reason")),
        abi::FAIL => Fate::Failed(reason(MAX_MESSAGE, "the stage did not say why")),
        other => {
            return refuse(call, doc, || format!("it gave the verdict {other}, which is none of 0, 1, 2"));
        }
    };
    if matches!(fate, Fate::Failed(_)) {
        take_back(call, doc);
    }
    call.states.at(doc).verdict = Some(fate);
    abi::OK
}

pub(super) unsafe extern "C" fn measure(ctx: *mut c_void, doc: u32, measure: *const abi::Measure) -> i32 {
    // SAFETY: see `error`.
    let call = unsafe { call(ctx) };
    if !matches!(call.target, Target::Judge(_) | Target::Change(_)) {
        return abi::UNSUPPORTED;
    }
    if !is_document(call, doc) || !is_place(call, doc, measure.cast_mut()) {
        return abi::ERROR;
    }
    // SAFETY: not NULL, aligned, and see `error`.
    match unsafe { convert::measure(&*measure, call.who.measures) } {
        Ok(measure) => call.states.at(doc).measures.push(measure),
        Err(breach) => return refuse(call, doc, || format!("it passed {breach}")),
    }
    abi::OK
}

pub(super) unsafe extern "C" fn reserve_text(ctx: *mut c_void, doc: u32, capacity: usize) -> *mut u8 {
    // SAFETY: see `error`.
    let call = unsafe { call(ctx) };
    if !matches!(call.target, Target::Change(_)) || !is_document(call, doc) {
        return std::ptr::null_mut();
    }
    let Some(memory) = allocate(capacity.max(1), call.trusted) else { return std::ptr::null_mut() };
    let (_, memory) = call.states.at(doc).reserved.insert((capacity, memory));
    memory.as_mut_ptr()
}

/// Memory for a text, or none when there is not so much.
fn allocate(capacity: usize, trusted: bool) -> Option<Vec<u8>> {
    if trusted {
        let mut memory = Vec::new();
        return memory.try_reserve_exact(capacity).is_ok().then_some(memory);
    }
    // Whoever commits more than was written shall get zeros, not what lay in memory before. Asked for as
    // zeroed memory, which costs nothing until it is touched.
    let layout = std::alloc::Layout::array::<u8>(capacity).ok()?;
    // SAFETY: the capacity is not 0.
    let pointer = unsafe { std::alloc::alloc_zeroed(layout) };
    // SAFETY: allocated by the global allocator with the layout of a vector of this capacity.
    (!pointer.is_null()).then(|| unsafe { Vec::from_raw_parts(pointer, 0, capacity) })
}

pub(super) unsafe extern "C" fn commit_text(ctx: *mut c_void, doc: u32, length: usize) -> i32 {
    // SAFETY: see `error`.
    let call = unsafe { call(ctx) };
    if !is_document(call, doc) {
        return abi::ERROR;
    }
    let trusted = call.trusted;
    let state = call.states.at(doc);
    let Some((capacity, mut memory)) = state.reserved.take() else {
        return refuse(call, doc, || "it committed text for which it had reserved no memory".to_owned());
    };
    if length > capacity {
        return refuse(call, doc, || {
            format!("it committed {length} bytes of text and had reserved {capacity}")
        });
    }
    // SAFETY: `length` is within the capacity; the memory is zeroed, or a trusted plugin has written it.
    unsafe { memory.set_len(length) };
    if !trusted && let Err(error) = simdutf8::compat::from_utf8(&memory) {
        let why = convert::not_utf8(error);
        return refuse(call, doc, || format!("it returned text {why}"));
    }
    // SAFETY: checked above, or written by an SDK that starts from `&str` (flag TAMIS_UTF8_TRUSTED).
    let text = unsafe { String::from_utf8_unchecked(memory) };
    let state = call.states.at(doc);
    state.text = Some(text);
    let replaced = std::mem::take(&mut state.attached);
    if !replaced.is_empty() {
        state.replaced.push(replaced);
    }
    abi::OK
}

pub(super) unsafe extern "C" fn set_id(ctx: *mut c_void, doc: u32, id: Str) -> i32 {
    // SAFETY: see `error`.
    let call = unsafe { call(ctx) };
    if !matches!(call.target, Target::Change(_)) {
        return abi::UNSUPPORTED;
    }
    if !is_document(call, doc) {
        return abi::ERROR;
    }
    // SAFETY: see `error`.
    match unsafe { convert::name(id) } {
        Ok("") => refuse(call, doc, || "it gave the document an empty id".to_owned()),
        Ok(id) if id.len() > MAX_ID => {
            refuse(call, doc, || format!("it gave the document an id of {} bytes", id.len()))
        }
        Ok(id) => {
            call.states.at(doc).id = Some(id.to_owned());
            abi::OK
        }
        Err(why) => refuse(call, doc, || format!("it gave the document an id {why}")),
    }
}

pub(super) unsafe extern "C" fn set_field(
    ctx: *mut c_void,
    doc: u32,
    name: Str,
    value: *const abi::Value,
) -> i32 {
    // SAFETY: see `error`.
    let call = unsafe { call(ctx) };
    if !matches!(call.target, Target::Change(_)) {
        return abi::UNSUPPORTED;
    }
    if !is_document(call, doc) {
        return abi::ERROR;
    }
    // SAFETY: see `error`.
    let name = match unsafe { convert::name(name) } {
        Ok(name) => name.to_owned(),
        Err(why) => return refuse(call, doc, || format!("it set a field with a name {why}")),
    };
    if value.is_null() {
        call.states.at(doc).fields.push(name, None);
        return abi::OK;
    }
    if !is_place(call, doc, value.cast_mut()) {
        return abi::ERROR;
    }
    // SAFETY: not NULL, aligned, and see `error`.
    match unsafe { convert::value(&*value, call.trusted) } {
        Ok(value) => call.states.at(doc).fields.push(name, Some(value)),
        Err(breach) => return refuse(call, doc, || format!("it set field `{name}` to {breach}")),
    }
    abi::OK
}

pub(super) unsafe extern "C" fn split(ctx: *mut c_void, doc: u32, new: *const abi::NewDocument) -> i32 {
    // SAFETY: see `error`.
    let call = unsafe { call(ctx) };
    let Target::Change(records) = call.target else { return abi::UNSUPPORTED };
    if !is_document(call, doc) || !is_place(call, doc, new.cast_mut()) {
        return abi::ERROR;
    }
    let parent: &Document = &records[doc as usize].document;
    // SAFETY: not NULL, aligned, and valid during the callback.
    let (new, document) = unsafe {
        let file = Arc::clone(&parent.origin.file);
        (&*new, convert::new_document(&*new, file, call.trusted, abi::INHERITS))
    };
    match document {
        Ok((mut document, _)) => {
            // A split-off document stands where its parent stands.
            document.origin = parent.origin.clone();
            let split = SplitOff { document, inherits: new.flags & abi::INHERITS != 0 };
            call.split.push((doc as usize, split));
            abi::OK
        }
        Err(breach) => refuse(call, doc, || format!("it split off {breach}")),
    }
}
