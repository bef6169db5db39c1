//! The functions that the host offers to plugins.
//!
//! None of them panics: a panic could not leave an `extern "C"` function and would end the process.
//! Wrong arguments are noted as a breach of the contract: it costs the document that they concern, or the
//! call if that cannot be told, and never the run.

use std::ffi::c_void;

use tamis_document::{Value, member};
use tamis_plugin::abi::{self, Str};
use tamis_stage::{Forms, LogLevel, RunContext};

use super::{Call, Context, Target, convert};

/// The call behind a context.
///
/// # Safety
///
/// `ctx` must be the context of a table that is still in use, and the plugin must not call two host functions
/// of one call at the same time.
pub(super) unsafe fn call<'a>(ctx: *mut c_void) -> &'a mut Call<'a> {
    // SAFETY: from the caller; `Call::run` made the context from `&mut Call`, and waits for the plugin.
    unsafe { &mut *(*ctx.cast::<Context<'a>>()).call }
}

/// The run that the call is made for; any thread may ask.
///
/// # Safety
///
/// As for [`call`].
unsafe fn run<'a>(ctx: *mut c_void) -> &'a RunContext {
    // SAFETY: from the caller; only a member that any thread may share is borrowed.
    unsafe { (*ctx.cast::<Context<'a>>()).run }
}

/// The longest message, in bytes: it stands in every dead letter of a call.
pub(super) const MAX_MESSAGE: usize = 4096;

/// The longest reason of a drop and name of a counter, in bytes: reports count by them.
pub(super) const MAX_NAME: usize = 128;

/// The most names that one call may count under.
pub(super) const MAX_COUNTERS: usize = 1024;

/// Text for people: what is not UTF-8 is replaced rather than refused.
pub(super) unsafe fn lossy(text: Str, max: usize) -> String {
    // SAFETY: valid during the callback.
    let bytes = unsafe { convert::bytes(text) };
    shortened(bytes.unwrap_or_default(), max)
}

pub(super) fn shortened(bytes: &[u8], max: usize) -> String {
    match bytes.get(..max) {
        Some(head) if head.len() < bytes.len() => String::from_utf8_lossy(head).into_owned() + "…",
        _ => String::from_utf8_lossy(bytes).into_owned(),
    }
}

pub(super) unsafe extern "C" fn error(ctx: *mut c_void, place: Str, message: Str) {
    // SAFETY: called by the plugin as the header says, here and in all functions below.
    let (call, place, message) = unsafe { (call(ctx), lossy(place, MAX_NAME), lossy(message, MAX_MESSAGE)) };
    // The first error is the cause, later ones follow from it.
    if call.error.is_none() {
        call.error = Some((place, message));
    }
}

pub(super) unsafe extern "C" fn log(ctx: *mut c_void, level: u32, message: Str) {
    // SAFETY: see `error`.
    let (run, message) = unsafe { (run(ctx), lossy(message, MAX_MESSAGE)) };
    let level = match level {
        1 => LogLevel::Error,
        2 => LogLevel::Warning,
        3 => LogLevel::Info,
        _ => LogLevel::Debug,
    };
    run.log(level, &message);
}

pub(super) unsafe extern "C" fn count(ctx: *mut c_void, name: Str, add: u64) {
    // SAFETY: see `error`.
    let (call, bytes) = unsafe { (call(ctx), convert::bytes(name).unwrap_or_default()) };
    // Nearly always a name that has been counted before in this call: no new string for it.
    if let Ok(name) = simdutf8::basic::from_utf8(bytes)
        && let Some(counter) = call.counts.get_mut(name)
    {
        *counter = counter.saturating_add(add);
        return;
    }
    // Names that come from the data would grow with it.
    let name = if call.counts.len() < MAX_COUNTERS { shortened(bytes, MAX_NAME) } else { "other".to_owned() };
    let counter = call.counts.entry(name).or_default();
    *counter = counter.saturating_add(add);
}

pub(super) unsafe extern "C" fn cancelled(ctx: *mut c_void) -> i32 {
    // SAFETY: see `error`.
    unsafe { run(ctx) }.is_cancelled().into()
}

pub(super) unsafe extern "C" fn extension(ctx: *mut c_void, name: Str) -> *const c_void {
    // SAFETY: see `error`.
    let (call, name) = unsafe { (call(ctx), convert::bytes(name).unwrap_or_default()) };
    let offered = call.extension.filter(|(offered, _)| offered.as_bytes() == name);
    // A plugin must be able to do without any other.
    offered.map_or(std::ptr::null(), |(_, table)| table)
}

pub(super) unsafe extern "C" fn field(ctx: *mut c_void, doc: u32, name: Str, out: *mut abi::Value) -> i32 {
    // SAFETY: see `error`.
    let call = unsafe { call(ctx) };
    if !is_document(call, doc) || !is_place(call, doc, out) {
        return 0;
    }
    // SAFETY: see `error`. A name that is not UTF-8 cannot be the name of a field.
    let Ok(name) = (unsafe { convert::name(name) }) else { return 0 };
    let value = if let Some(value) = find(call, doc, name) {
        abi::Value::new(value.as_ref())
    } else {
        let Some(member) = member(name, |field| find(call, doc, field)) else { return 0 };
        let member = Box::new(member);
        let value = abi::Value::new((*member).as_ref());
        // The plugin may look at it until it returns.
        call.members.push(member);
        value
    };
    // SAFETY: the plugin's place for the result.
    unsafe { out.write(value) };
    1
}

/// The value of a field, as changed so far.
fn find<'c>(call: &'c Call<'_>, doc: u32, name: &str) -> Option<&'c Value> {
    match call.states.get(doc).and_then(|state| state.fields.get(name)) {
        Some(value) => value.as_ref(),
        None => call.target.records()[doc as usize].document.metadata.get(name),
    }
}

pub(super) unsafe extern "C" fn field_at(
    ctx: *mut c_void,
    doc: u32,
    index: u32,
    out: *mut abi::Field,
) -> i32 {
    // SAFETY: see `error`.
    let call = unsafe { call(ctx) };
    if !is_document(call, doc) || !is_place(call, doc, out) {
        return 0;
    }
    // What the call has changed so far is not listed: an index must mean the same until the call returns.
    let metadata = &call.target.records()[doc as usize].document.metadata;
    let Some((name, value)) = metadata.at(index as usize) else { return 0 };
    // SAFETY: the plugin's place for the result.
    unsafe { out.write(convert::field(name, value)) };
    1
}

pub(super) unsafe extern "C" fn forms(ctx: *mut c_void, forms: *const abi::Forms) -> i32 {
    // SAFETY: see `error`.
    let call = unsafe { call(ctx) };
    if !matches!(call.target, Target::Nothing) {
        return abi::UNSUPPORTED;
    }
    if forms.is_null() || !forms.is_aligned() {
        call.break_contract(|| format!("it said what it takes and gives at the address {forms:p}"));
        return abi::ERROR;
    }
    // SAFETY: not NULL and aligned; the size is the first member.
    let size = unsafe { (*forms).struct_size };
    if (size as usize) < abi::Forms::SIZE_1_3 {
        call.break_contract(|| format!("struct_size of its tamis_forms is {size} bytes"));
        return abi::ERROR;
    }
    // SAFETY: as many bytes are there as its size says, and this version knows no more members.
    let &abi::Forms { cleans, takes, gives, needs, destroys, makes, .. } = unsafe { &*forms };
    call.forms = Forms::from_bits([takes, gives, needs, destroys, makes, cleans.into()]);
    abi::OK
}

pub(super) unsafe extern "C" fn origin(ctx: *mut c_void, doc: u32, out: *mut abi::Origin) -> i32 {
    // SAFETY: see `error`.
    let call = unsafe { call(ctx) };
    if call.target.records().is_empty() {
        return abi::UNSUPPORTED;
    }
    if !is_document(call, doc) || !is_place(call, doc, out) {
        return abi::ERROR;
    }
    let origin = &call.target.records()[doc as usize].document.origin;
    let view = abi::Origin {
        file: convert::str(&origin.file),
        offset: origin.offset,
        length: origin.length,
        reserved: [std::ptr::null(); 2],
    };
    // SAFETY: the plugin's place for the result.
    unsafe { out.write(view) };
    abi::OK
}

pub(super) unsafe extern "C" fn measure_at(
    ctx: *mut c_void,
    doc: u32,
    index: u32,
    out: *mut abi::Measure,
) -> i32 {
    // SAFETY: see `error`.
    let call = unsafe { call(ctx) };
    let records = call.target.records();
    if records.is_empty() {
        return abi::UNSUPPORTED;
    }
    if !is_document(call, doc) || !is_place(call, doc, out) {
        return abi::ERROR;
    }
    // What the call measures itself is not listed: an index must mean the same until the call returns.
    let Some(measure) = records[doc as usize].measures.get(index as usize) else { return abi::ERROR };
    // SAFETY: the plugin's place for the result.
    unsafe { out.write(convert::measure_view(measure)) };
    abi::OK
}

pub(super) unsafe extern "C" fn begin(ctx: *mut c_void, doc: u32) {
    // SAFETY: see `error`.
    let call = unsafe { call(ctx) };
    // Only for whoever asks where the call is: a number that is no document names none, and breaks nothing.
    call.slot.begin(doc);
}

/// Checks a document index.
pub(super) fn is_document(call: &mut Call<'_>, doc: u32) -> bool {
    let n = call.states.len();
    if (doc as usize) < n {
        // An exporter may ask about all documents before it begins with the first.
        if !matches!(call.target, Target::Export(_)) {
            call.slot.touch(doc);
        }
        return true;
    }
    call.break_contract(|| format!("it named document {doc} in a call with {n} documents"));
    false
}

/// Checks an address that the plugin passed.
pub(super) fn is_place<T>(call: &mut Call<'_>, doc: u32, place: *mut T) -> bool {
    if !place.is_null() && place.is_aligned() {
        return true;
    }
    call.spoil(doc, || format!("it passed the address {place:p}, where nothing can be"));
    take_back(call, doc);
    false
}

/// Notes a breach that costs one document.
pub(super) fn refuse(call: &mut Call<'_>, doc: u32, breach: impl FnOnce() -> String) -> i32 {
    call.spoil(doc, breach);
    take_back(call, doc);
    abi::ERROR
}

/// Takes back what a failing document has put out.
pub(super) fn take_back(call: &mut Call<'_>, doc: u32) {
    if let Some((last, bytes, files)) = call.last_put
        && last == doc
    {
        call.output.bytes.truncate(bytes);
        call.output.files.truncate(files);
    }
}
