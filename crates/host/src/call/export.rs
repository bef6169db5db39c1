//! What exporters, and stages that save states, put out: bytes and files; and what bytes they read again.

use std::ffi::c_void;
use std::path::{Component, Path};

use tamis_document::Fate;
use tamis_plugin::abi::{self, Str};

use super::callbacks::{call, is_document, is_place, refuse};
use super::{Call, State, Target, convert};

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
