//! The functions that the host offers to plugins.
//!
//! None of them panics: a panic could not leave an `extern "C"` function and would end the process.
//! Wrong arguments are noted as a breach of the contract: it costs the document that they concern, or the
//! call if that cannot be told, and never the run.

use std::ffi::c_void;
use std::path::{Component, Path};
use std::sync::{Arc, PoisonError};

use tamis_document::{Document, Fate, Origin, Record, Value, member};
use tamis_plugin::abi::{self, Str};
use tamis_stage::{Forms, LogLevel, RandomAccess, RunContext, Split, SplitOff};

use super::{Call, Context, State, Target, convert};

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
const MAX_MESSAGE: usize = 4096;
/// The longest reason of a drop and name of a counter, in bytes: reports count by them.
const MAX_NAME: usize = 128;
/// The most names that one call may count under.
const MAX_COUNTERS: usize = 1024;

/// Text for people: what is not UTF-8 is replaced rather than refused.
unsafe fn lossy(text: Str, max: usize) -> String {
    // SAFETY: valid during the callback.
    let bytes = unsafe { convert::bytes(text) };
    shortened(bytes.unwrap_or_default(), max)
}

fn shortened(bytes: &[u8], max: usize) -> String {
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
    let value = match find(call, doc, name) {
        Some(value) => abi::Value::new(value.as_ref()),
        None => {
            let Some(member) = member(name, |field| find(call, doc, field)) else { return 0 };
            let member = Box::new(member);
            let value = abi::Value::new((*member).as_ref());
            // The plugin may look at it until it returns.
            call.members.push(member);
            value
        }
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

/// Takes back what a failing document has put out.
fn take_back(call: &mut Call<'_>, doc: u32) {
    if let Some((last, bytes, files)) = call.last_put
        && last == doc
    {
        call.output.bytes.truncate(bytes);
        call.output.files.truncate(files);
    }
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

/// The longest identifier, in bytes: it stands in reports and names of files.
const MAX_ID: usize = 4096;

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

pub(super) unsafe extern "C" fn emit(ctx: *mut c_void, new: *const abi::NewDocument) -> i32 {
    // SAFETY: see `error`.
    let call = unsafe { call(ctx) };
    let Some(new) = emitted(call, new) else { return abi::ERROR };
    let Target::Decode(decode) = &mut call.target else { return abi::UNSUPPORTED };
    // SAFETY: valid during the callback.
    let record = match unsafe { convert::new_document(new, Arc::clone(&decode.file), call.trusted, 0) } {
        // Without an id it stays nameless: only the runner knows where the block stands.
        Ok((document, attachments)) => Record { attachments, ..Record::from(document) },
        Err(breach) => {
            let reason = call.who.says(&super::broken(&format!("it emitted {breach}")));
            // SAFETY: as above.
            unsafe { dead_letter(&decode.file, new, reason) }
        }
    };
    push(call, record)
}

pub(super) unsafe extern "C" fn emit_failed(
    ctx: *mut c_void,
    new: *const abi::NewDocument,
    message: Str,
) -> i32 {
    // SAFETY: see `error`.
    let (call, message) = unsafe { (call(ctx), lossy(message, MAX_MESSAGE)) };
    let Some(new) = emitted(call, new) else { return abi::ERROR };
    let Target::Decode(decode) = &mut call.target else { return abi::UNSUPPORTED };
    // SAFETY: valid during the callback.
    let record = unsafe { dead_letter(&decode.file, new, message) };
    push(call, record)
}

/// A document that a reader emits, if there can be one at this address.
fn emitted<'a>(call: &mut Call<'_>, new: *const abi::NewDocument) -> Option<&'a abi::NewDocument> {
    if new.is_null() || !new.is_aligned() {
        call.break_contract(|| format!("it emitted a document at the address {new:p}"));
        return None;
    }
    // SAFETY: not NULL, aligned, and valid during the callback.
    Some(unsafe { &*new })
}

/// Adds a record, if it follows the one before and belongs to the block.
fn push(call: &mut Call<'_>, record: Record) -> i32 {
    let Target::Decode(decode) = &mut call.target else { return abi::UNSUPPORTED };
    let ordinal = record.document.origin.ordinal;
    if ordinal < decode.next_ordinal {
        let expected = decode.next_ordinal;
        call.break_contract(|| {
            format!(
                "it emitted a document with ordinal {ordinal}, where the least that can follow is {expected}"
            )
        });
        return abi::ERROR;
    }
    if ordinal >= decode.end_ordinal {
        let end = decode.end_ordinal;
        call.break_contract(|| {
            format!("it emitted a document with ordinal {ordinal} in a part that ends before {end}")
        });
        return abi::ERROR;
    }
    decode.next_ordinal = ordinal.saturating_add(1);
    call.slot.read_next(decode.next_ordinal);
    decode.records.push(record);
    abi::OK
}

/// A record that could not be read: what was scraped, with its place and id as far as the reader told them.
///
/// # Safety
///
/// What `new` points to must be valid during the callback.
unsafe fn dead_letter(file: &Arc<str>, new: &abi::NewDocument, reason: String) -> Record {
    let raw = if new.flags & abi::HAS_RAW == 0 { new.text } else { new.raw };
    // SAFETY: the caller vouches for it.
    let (id, raw) =
        unsafe { (convert::name(new.id).unwrap_or_default(), convert::bytes(raw).unwrap_or_default()) };
    let mut document = Document::new(id, "");
    document.raw = Some(raw.to_vec());
    document.origin =
        Origin { file: Arc::clone(file), offset: new.offset, length: new.length, ordinal: new.ordinal };
    Record { fate: Fate::Failed(reason.into()), ..Record::from(document) }
}

pub(super) unsafe extern "C" fn fate(ctx: *mut c_void, doc: u32, out: *mut abi::Fate) -> i32 {
    // SAFETY: see `error`.
    let call = unsafe { call(ctx) };
    let Target::Export(records) = call.target else { return abi::UNSUPPORTED };
    if !is_document(call, doc) || !is_place(call, doc, out) {
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

pub(super) unsafe extern "C" fn put(ctx: *mut c_void, doc: u32, bytes: Str) -> i32 {
    // SAFETY: see `error`.
    let (call, bytes) = unsafe { (call(ctx), convert::bytes(bytes)) };
    if matches!(call.target, Target::Save(_)) {
        return save(call, bytes);
    }
    if !matches!(call.target, Target::Export(_) | Target::Nothing) {
        return abi::UNSUPPORTED;
    }
    if matches!(call.target, Target::Export(_)) {
        if call.named_files {
            return refuse(call, doc, || {
                "it put bytes into a stream, and says that it writes named files".to_owned()
            });
        }
        if !begin_put(call, doc) {
            return abi::ERROR;
        }
    }
    match bytes {
        Ok(bytes) => call.output.bytes.extend_from_slice(bytes),
        Err(why) => return refuse(call, doc, || format!("it put out something {why}")),
    }
    abi::OK
}

/// Writes a piece of a saved state; nothing after a piece that could not be written.
fn save(call: &mut Call<'_>, bytes: Result<&[u8], String>) -> i32 {
    let Target::Save(out) = &mut call.target else { return abi::UNSUPPORTED };
    let bytes = match bytes {
        Ok(bytes) => bytes,
        Err(why) => return refuse(call, 0, || format!("it put out something {why}")),
    };
    if call.trouble.is_some() {
        return abi::ERROR;
    }
    if let Err(error) = out.write_all(bytes) {
        call.trouble = Some(format!("its state could not be written: {error}"));
        return abi::ERROR;
    }
    abi::OK
}

pub(super) unsafe extern "C" fn read(ctx: *mut c_void, buffer: *mut u8, length: usize) -> i64 {
    // SAFETY: see `error`.
    let call = unsafe { call(ctx) };
    let trusted = call.trusted;
    let Target::Load(from) = &mut call.target else { return -1 };
    // SAFETY: the plugin's place for the bytes.
    let buffer = match unsafe { convert::buffer(buffer, length, trusted) } {
        Ok(buffer) => buffer,
        Err(why) => {
            call.break_contract(|| format!("it wants to read into memory {why}"));
            return -1;
        }
    };
    loop {
        match from.read(buffer) {
            Ok(n) => return n.min(length) as i64,
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(error) => {
                call.trouble.get_or_insert_with(|| format!("its saved state could not be read: {error}"));
                return -1;
            }
        }
    }
}

/// The most parts of a file: more would be garbage, and fill the memory.
const MAX_SPLITS: usize = 1 << 24;

pub(super) unsafe extern "C" fn push_split(ctx: *mut c_void, split: *const abi::Split) -> i32 {
    // SAFETY: see `error`.
    let call = unsafe { call(ctx) };
    let Target::Index(splits) = &mut call.target else { return abi::UNSUPPORTED };
    let pushed = if split.is_null() || !split.is_aligned() {
        Err(format!("it passed a part at the address {split:p}"))
    } else {
        // SAFETY: not NULL, aligned, and valid during the callback.
        next_split(splits, unsafe { &*split })
    };
    match pushed {
        Ok(split) => splits.push(split),
        Err(breach) => {
            call.break_contract(|| breach);
            return abi::ERROR;
        }
    }
    abi::OK
}

/// A part, if it follows those before it.
fn next_split(splits: &[Split], split: &abi::Split) -> Result<Split, String> {
    let index = splits.len();
    let expected = splits.last().map_or(0, |last| last.first_ordinal + last.records);
    let &abi::Split { first_ordinal, records, weight, bytes, token, reserved } = split;
    if first_ordinal != expected {
        return Err(format!("its part {index} begins with ordinal {first_ordinal}, and {expected} is next"));
    }
    if records == 0 || first_ordinal.checked_add(records).is_none() {
        return Err(format!("its part {index} has {records} records from ordinal {first_ordinal} on"));
    }
    if index >= MAX_SPLITS {
        return Err(format!("it cuts a file into more than {MAX_SPLITS} parts"));
    }
    if reserved.iter().any(|reserved| !reserved.is_null()) {
        return Err(format!("the reserved members of its part {index} are not 0"));
    }
    Ok(Split { first_ordinal, records, weight, bytes, token })
}

pub(super) unsafe extern "C" fn file_size(ctx: *mut c_void) -> u64 {
    // SAFETY: called with the context of a call that is going on; by any thread, which may share what is beside
    // the call.
    let file = unsafe { (*ctx.cast::<Context<'_>>()).file };
    file.map_or(0, RandomAccess::size)
}

pub(super) unsafe extern "C" fn read_at(
    ctx: *mut c_void,
    offset: u64,
    buffer: *mut u8,
    length: usize,
) -> i32 {
    // SAFETY: as in `file_size`; only members that any thread may share are borrowed.
    let (file, trusted, noted) = unsafe {
        let context = ctx.cast::<Context<'_>>();
        ((*context).file, (*context).trusted, &(*context).file_error)
    };
    let Some(file) = file else { return abi::UNSUPPORTED };
    let read = in_file(file, offset, length).and_then(|()| {
        // SAFETY: the plugin's place for the bytes.
        let buffer = unsafe { convert::buffer(buffer, length, trusted) };
        let buffer = buffer.map_err(|why| format!("it wanted to read into memory {why}"))?;
        let read = file.read_at(offset, buffer);
        read.map_err(|error| {
            format!("{length} bytes at byte {offset} of the file could not be read: {error}")
        })
    });
    let Err(error) = read else { return abi::OK };
    noted.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(error);
    abi::ERROR
}

pub(super) unsafe extern "C" fn begin(ctx: *mut c_void, doc: u32) {
    // SAFETY: see `error`.
    let call = unsafe { call(ctx) };
    // Only for whoever asks where the call is: a number that is no document names none, and breaks nothing.
    call.slot.begin(doc);
}

fn in_file(file: &dyn RandomAccess, offset: u64, length: usize) -> Result<(), String> {
    let size = file.size();
    if offset.checked_add(length as u64).is_some_and(|end| end <= size) {
        return Ok(());
    }
    Err(format!("it asked for {length} bytes at byte {offset} of a file of {size}"))
}

pub(super) unsafe extern "C" fn put_file(ctx: *mut c_void, doc: u32, path: Str, bytes: Str) -> i32 {
    // SAFETY: see `error`.
    let call = unsafe { call(ctx) };
    if !matches!(call.target, Target::Export(_)) {
        return abi::UNSUPPORTED;
    }
    if !call.named_files {
        return refuse(call, doc, || "it put out a named file without the flag TAMIS_NAMED_FILES".to_owned());
    }
    if !begin_put(call, doc) {
        return abi::ERROR;
    }
    // SAFETY: see `error`.
    let (path, bytes) = unsafe { (convert::name(path), convert::bytes(bytes)) };
    let (path, bytes) = match (path, bytes) {
        (Ok(path), Ok(bytes)) => (path, bytes),
        (Err(why), _) => return refuse(call, doc, || format!("it named a file with a path {why}")),
        (_, Err(why)) => return refuse(call, doc, || format!("it put out a file {why}")),
    };
    if !stays_inside(path) {
        return refuse(call, doc, || {
            format!("it named a file `{path}`, which is not inside the folder of the export")
        });
    }
    call.output.files.push((path.to_owned(), bytes.to_vec()));
    abi::OK
}

/// Whether a path stays in the folder that it is joined to.
fn stays_inside(path: &str) -> bool {
    let mut parts = Path::new(path).components().peekable();
    parts.peek().is_some() && parts.all(|part| matches!(part, Component::Normal(_))) && !path.contains('\0')
}

/// Notes where the output of a document begins, so that it can be taken back; false if it has failed already.
fn begin_put(call: &mut Call<'_>, doc: u32) -> bool {
    if !is_document(call, doc) {
        return false;
    }
    let failed = |state: &State| state.breach.is_some() || matches!(state.verdict, Some(Fate::Failed(_)));
    if call.states.get(doc).is_some_and(failed) {
        return false;
    }
    match call.last_put {
        Some((last, ..)) if last == doc => {}
        Some((last, ..)) if last > doc => {
            call.break_contract(|| {
                format!("it put out document {doc} after document {last}: the order must be kept")
            });
            return false;
        }
        _ => call.last_put = Some((doc, call.output.bytes.len(), call.output.files.len())),
    }
    call.put[doc as usize] = true;
    call.slot.touch(doc);
    true
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
