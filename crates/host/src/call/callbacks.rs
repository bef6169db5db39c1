//! The functions that the host offers to plugins.
//!
//! None of them panics: a panic could not leave an `extern "C"` function and would end the process.
//! Wrong arguments are noted as a breach of the contract and end the call, not the run.

use std::ffi::c_void;

use tamis_document::{Document, Fate, Record, Value};
use tamis_plugin::abi::{self, Str};

use super::{Call, Target, convert};
use crate::signals;

/// The table for one call; `ctx` points to its [`Call`].
pub(super) fn table(ctx: *mut c_void) -> abi::Host {
    abi::Host {
        struct_size: size_of::<abi::Host>() as u32,
        abi_minor: abi::MINOR,
        ctx,
        error,
        log,
        count,
        cancelled,
        extension,
        field,
        field_at,
        verdict,
        measure,
        reserve_text,
        commit_text,
        set_field,
        split,
        emit,
        emit_failed,
        fate,
        measure_at,
        put,
        put_file,
    }
}

/// The call behind a context.
///
/// # Safety
///
/// `ctx` must be the context of a table that is still in use, and the plugin must not call two host functions
/// of one call at the same time.
unsafe fn call<'a>(ctx: *mut c_void) -> &'a mut Call<'a> {
    // SAFETY: from the caller; `ctx` was made from `&mut Call` by `Call::run`, which waits for the plugin.
    unsafe { &mut *ctx.cast::<Call<'a>>() }
}

/// Text for people: what is not UTF-8 is replaced rather than refused.
unsafe fn lossy(text: Str) -> String {
    // SAFETY: valid during the callback.
    String::from_utf8_lossy(unsafe { text.bytes() }).into_owned()
}

unsafe extern "C" fn error(ctx: *mut c_void, place: Str, message: Str) {
    // SAFETY: called by the plugin as the header says, here and in all functions below.
    let (call, place, message) = unsafe { (call(ctx), lossy(place), lossy(message)) };
    // The first error is the cause, later ones follow from it.
    if call.error.is_none() {
        call.error = Some((place, message));
    }
}

unsafe extern "C" fn log(_ctx: *mut c_void, level: u32, message: Str) {
    // SAFETY: see `error`.
    signals::log(level, &unsafe { lossy(message) });
}

unsafe extern "C" fn count(ctx: *mut c_void, name: Str, add: u64) {
    // SAFETY: see `error`.
    let (call, name) = unsafe { (call(ctx), lossy(name)) };
    let counter = call.counts.entry(name).or_default();
    *counter = counter.saturating_add(add);
}

unsafe extern "C" fn cancelled(_ctx: *mut c_void) -> i32 {
    signals::cancelled().into()
}

unsafe extern "C" fn extension(_ctx: *mut c_void, _name: Str) -> *const c_void {
    // ABI 1.0 has no optional tables yet; a plugin must be able to do without any.
    std::ptr::null()
}

unsafe extern "C" fn field(ctx: *mut c_void, doc: u32, name: Str, out: *mut abi::Value) -> i32 {
    // SAFETY: see `error`.
    let call = unsafe { call(ctx) };
    // SAFETY: see `error`. A name that is not UTF-8 cannot be the name of a field.
    let Ok(name) = (unsafe { convert::text(name, call.trusted) }) else { return 0 };
    let Some(value) = find(call, doc, name) else { return 0 };
    let value = abi::Value::new(value.as_ref());
    // SAFETY: the plugin's place for the result.
    unsafe { out.write(value) };
    1
}

/// The value of a field, as changed so far.
fn find<'c>(call: &'c mut Call<'_>, doc: u32, name: &str) -> Option<&'c Value> {
    document(call, doc)?;
    let call = &*call;
    let edited = call.states[doc as usize].fields.iter().rfind(|(edited, _)| edited == name);
    match edited {
        Some((_, value)) => value.as_ref(),
        None => call.records()[doc as usize].document.metadata.get(name),
    }
}

unsafe extern "C" fn field_at(ctx: *mut c_void, doc: u32, index: u32, out: *mut abi::Field) -> i32 {
    // SAFETY: see `error`.
    let call = unsafe { call(ctx) };
    if document(call, doc).is_none() {
        return 0;
    }
    // What the call has changed so far is not listed: an index must mean the same until the call returns.
    let Some((name, value)) = call.records()[doc as usize].document.metadata.at(index as usize) else {
        return 0;
    };
    // SAFETY: the plugin's place for the result.
    unsafe { out.write(convert::field(name, value)) };
    1
}

unsafe extern "C" fn verdict(ctx: *mut c_void, doc: u32, verdict: u32, reason: Str) -> i32 {
    // SAFETY: see `error`.
    let (call, reason) = unsafe { (call(ctx), lossy(reason)) };
    if document(call, doc).is_none() {
        return abi::ERROR;
    }
    let fate = match verdict {
        abi::KEEP => Fate::Kept,
        abi::DROP => Fate::Dropped(reason.into()),
        abi::FAIL => Fate::Failed(reason.into()),
        other => return refuse(call, || format!("verdict {other} is none of 0, 1, 2")),
    };
    if matches!(call.target, Target::Export(_)) {
        if matches!(fate, Fate::Dropped(_)) {
            return refuse(call, || "an exporter may fail a document but not drop it".to_owned());
        }
        take_back(call, doc);
    }
    let state = &mut call.states[doc as usize];
    if state.verdict.is_some() {
        return refuse(call, || format!("document {doc} of the call was judged twice"));
    }
    state.verdict = Some(fate);
    abi::OK
}

/// Takes back what a failing document has put out.
fn take_back(call: &mut Call<'_>, doc: u32) {
    if let Some((last, bytes, files)) = call.last_put
        && last == doc
    {
        call.output.bytes.truncate(bytes);
        call.output.files.truncate(files);
    }
}

unsafe extern "C" fn measure(ctx: *mut c_void, doc: u32, measure: *const abi::Measure) -> i32 {
    // SAFETY: see `error`.
    let call = unsafe { call(ctx) };
    if document(call, doc).is_none() {
        return abi::ERROR;
    }
    if measure.is_null() {
        return refuse(call, || "a measure at NULL".to_owned());
    }
    // SAFETY: not NULL, and see `error`.
    match unsafe { convert::measure(&*measure, call.trusted) } {
        Ok(measure) => call.states[doc as usize].measures.push(measure),
        Err(breach) => return refuse(call, || breach),
    }
    abi::OK
}

unsafe extern "C" fn reserve_text(ctx: *mut c_void, doc: u32, capacity: usize) -> *mut u8 {
    // SAFETY: see `error`.
    let call = unsafe { call(ctx) };
    if !matches!(call.target, Target::Transform(_)) || document(call, doc).is_none() {
        return std::ptr::null_mut();
    }
    let trusted = call.trusted;
    let state = &mut call.states[doc as usize];
    let mut memory = Vec::new();
    if memory.try_reserve_exact(capacity.max(1)).is_err() {
        return std::ptr::null_mut();
    }
    if !trusted {
        // Whoever commits more than was written shall get zeros, not what lay in memory before.
        memory.resize(capacity.max(1), 0);
    }
    let (_, memory) = state.reserved.insert((capacity, memory));
    memory.as_mut_ptr()
}

unsafe extern "C" fn commit_text(ctx: *mut c_void, doc: u32, length: usize) -> i32 {
    // SAFETY: see `error`.
    let call = unsafe { call(ctx) };
    if document(call, doc).is_none() {
        return abi::ERROR;
    }
    let trusted = call.trusted;
    let state = &mut call.states[doc as usize];
    let Some((capacity, mut memory)) = state.reserved.take() else {
        return refuse(call, || format!("text of document {doc} was committed before memory was reserved"));
    };
    if length > capacity {
        return refuse(call, || {
            format!("{length} bytes of text were committed into {capacity} reserved bytes")
        });
    }
    // SAFETY: `length` is within the capacity; the memory is zeroed, or a trusted plugin has written it.
    unsafe { memory.set_len(length) };
    if !trusted && let Err(error) = simdutf8::compat::from_utf8(&memory) {
        let at = error.valid_up_to();
        let reason = format!("the stage returned text that is not UTF-8 at byte {at}");
        call.states[doc as usize].verdict.get_or_insert(Fate::Failed(reason.into()));
        return abi::ERROR;
    }
    // SAFETY: checked above, or written by an SDK that starts from `&str` (flag TAMIS_UTF8_TRUSTED).
    let text = unsafe { String::from_utf8_unchecked(memory) };
    call.states[doc as usize].text = Some(text);
    abi::OK
}

unsafe extern "C" fn set_field(ctx: *mut c_void, doc: u32, name: Str, value: *const abi::Value) -> i32 {
    // SAFETY: see `error`.
    let call = unsafe { call(ctx) };
    if !matches!(call.target, Target::Transform(_)) {
        return abi::UNSUPPORTED;
    }
    if document(call, doc).is_none() {
        return abi::ERROR;
    }
    // SAFETY: see `error`.
    let name = match unsafe { convert::text(name, call.trusted) } {
        Ok(name) => name.to_owned(),
        Err(at) => return refuse(call, || format!("it set a field whose name is not UTF-8 at byte {at}")),
    };
    let value = if value.is_null() {
        None
    } else {
        // SAFETY: not NULL, and see `error`.
        match unsafe { convert::value(&*value, call.trusted) } {
            Ok(value) => Some(value),
            Err(breach) => return refuse(call, || format!("it set field `{name}` to {breach}")),
        }
    };
    call.states[doc as usize].fields.push((name, value));
    abi::OK
}

unsafe extern "C" fn split(ctx: *mut c_void, doc: u32, new: *const abi::NewDocument) -> i32 {
    // SAFETY: see `error`.
    let call = unsafe { call(ctx) };
    let Target::Transform(records) = call.target else { return abi::UNSUPPORTED };
    if document(call, doc).is_none() {
        return abi::ERROR;
    }
    let parent: &Document = &records[doc as usize].document;
    match document_from(call, new, &parent.origin.file) {
        Ok(mut new) => {
            // A split-off document stands where its parent stands.
            new.origin = parent.origin.clone();
            call.split.push((doc as usize, new));
            abi::OK
        }
        Err(breach) => refuse(call, || format!("it split off {breach}")),
    }
}

fn document_from(
    call: &Call<'_>,
    new: *const abi::NewDocument,
    file: &std::sync::Arc<str>,
) -> Result<Document, String> {
    if new.is_null() {
        return Err("a document at NULL".to_owned());
    }
    // SAFETY: not NULL, and valid during the callback.
    unsafe { convert::new_document(&*new, std::sync::Arc::clone(file), call.trusted) }
}

unsafe extern "C" fn emit(ctx: *mut c_void, new: *const abi::NewDocument) -> i32 {
    // SAFETY: see `error`.
    let call = unsafe { call(ctx) };
    let Target::Decode(decode) = &call.target else { return abi::UNSUPPORTED };
    let file = std::sync::Arc::clone(&decode.file);
    let record = match document_from(call, new, &file) {
        Ok(mut document) => {
            if document.id.is_empty() {
                document.id = format!("{file}#{}", document.origin.ordinal);
            }
            Record::from(document)
        }
        Err(breach) if new.is_null() => return refuse(call, || format!("it emitted {breach}")),
        // SAFETY: not NULL, and valid during the callback.
        Err(breach) => failed(&file, unsafe { &*new }, &format!("the reader returned {breach}")),
    };
    if let Target::Decode(decode) = &mut call.target {
        decode.records.push(record);
    }
    abi::OK
}

/// A dead letter made of a document that the reader could not hand over properly.
fn failed(file: &std::sync::Arc<str>, new: &abi::NewDocument, reason: &str) -> Record {
    let mut document = Document::new(format!("{file}#{}", new.ordinal), "");
    // SAFETY: valid during the callback.
    document.raw = Some(unsafe { new.text.bytes() }.to_vec());
    document.origin.file = std::sync::Arc::clone(file);
    document.origin.ordinal = new.ordinal;
    document.origin.offset = new.offset;
    document.origin.length = new.length;
    Record { fate: Fate::Failed(reason.to_owned().into()), ..Record::from(document) }
}

unsafe extern "C" fn emit_failed(ctx: *mut c_void, ordinal: u64, offset: u64, raw: Str, message: Str) -> i32 {
    // SAFETY: see `error`.
    let (call, message) = unsafe { (call(ctx), lossy(message)) };
    let Target::Decode(decode) = &mut call.target else { return abi::UNSUPPORTED };
    let mut document = Document::new(format!("{}#{ordinal}", decode.file), "");
    // SAFETY: valid during the callback.
    let raw = unsafe { raw.bytes() };
    document.origin.file = std::sync::Arc::clone(&decode.file);
    document.origin.ordinal = ordinal;
    document.origin.offset = offset;
    document.origin.length = raw.len() as u64;
    document.raw = Some(raw.to_vec());
    decode.records.push(Record { fate: Fate::Failed(message.into()), ..Record::from(document) });
    abi::OK
}

unsafe extern "C" fn fate(ctx: *mut c_void, doc: u32, out: *mut abi::Fate) -> i32 {
    // SAFETY: see `error`.
    let call = unsafe { call(ctx) };
    let Target::Export(records) = call.target else { return abi::UNSUPPORTED };
    if document(call, doc).is_none() {
        return abi::ERROR;
    }
    let record = &records[doc as usize];
    let (verdict, reason) = match &record.fate {
        Fate::Kept => (abi::KEEP, ""),
        Fate::Dropped(reason) => (abi::DROP, reason.as_ref()),
        Fate::Failed(reason) => (abi::FAIL, reason.as_ref()),
    };
    let origin = &record.document.origin;
    let fate = abi::Fate {
        verdict,
        n_measures: record.measures.len() as u32,
        stage: record.stage.as_deref().map_or(Str::EMPTY, convert::str),
        reason: convert::str(reason),
        file: convert::str(&origin.file),
        offset: origin.offset,
        length: origin.length,
        reserved: [std::ptr::null(); 2],
    };
    // SAFETY: the plugin's place for the result.
    unsafe { out.write(fate) };
    abi::OK
}

unsafe extern "C" fn measure_at(ctx: *mut c_void, doc: u32, index: u32, out: *mut abi::Measure) -> i32 {
    // SAFETY: see `error`.
    let call = unsafe { call(ctx) };
    let Target::Export(records) = call.target else { return abi::UNSUPPORTED };
    if document(call, doc).is_none() {
        return abi::ERROR;
    }
    let Some(measure) = records[doc as usize].measures.get(index as usize) else { return abi::ERROR };
    // SAFETY: the plugin's place for the result.
    unsafe { out.write(convert::measure_view(measure)) };
    abi::OK
}

unsafe extern "C" fn put(ctx: *mut c_void, doc: u32, bytes: Str) -> i32 {
    // SAFETY: see `error`.
    let (call, bytes) = unsafe { (call(ctx), bytes.bytes()) };
    if matches!(call.target, Target::Export(_)) && begin_put(call, doc).is_none() {
        return abi::ERROR;
    }
    if matches!(call.target, Target::Decode(_) | Target::Transform(_)) {
        return abi::UNSUPPORTED;
    }
    call.output.bytes.extend_from_slice(bytes);
    abi::OK
}

unsafe extern "C" fn put_file(ctx: *mut c_void, doc: u32, path: Str, bytes: Str) -> i32 {
    // SAFETY: see `error`.
    let (call, bytes) = unsafe { (call(ctx), bytes.bytes()) };
    if !matches!(call.target, Target::Export(_)) {
        return abi::UNSUPPORTED;
    }
    if begin_put(call, doc).is_none() {
        return abi::ERROR;
    }
    // SAFETY: see `error`.
    let path = match unsafe { convert::text(path, call.trusted) } {
        Ok(path) => path.to_owned(),
        Err(at) => {
            return refuse(call, || format!("it named a file with a path that is not UTF-8 at byte {at}"));
        }
    };
    call.output.files.push((path, bytes.to_vec()));
    abi::OK
}

/// Notes where the output of a document begins, so that it can be taken back.
fn begin_put(call: &mut Call<'_>, doc: u32) -> Option<()> {
    document(call, doc)?;
    match call.last_put {
        Some((last, ..)) if last == doc => {}
        Some((last, ..)) if last > doc => {
            refuse(call, || {
                format!("it put out document {doc} after document {last}: the order must be kept")
            });
            return None;
        }
        _ => call.last_put = Some((doc, call.output.bytes.len(), call.output.files.len())),
    }
    Some(())
}

/// Checks a document index.
fn document(call: &mut Call<'_>, doc: u32) -> Option<()> {
    let n = call.states.len();
    if (doc as usize) < n {
        return Some(());
    }
    call.break_contract(|| format!("document {doc} was named in a call with {n} documents"));
    None
}

fn refuse(call: &mut Call<'_>, breach: impl FnOnce() -> String) -> i32 {
    call.break_contract(breach);
    abi::ERROR
}
