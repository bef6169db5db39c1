//! What readers hand over and ask for: documents, parts of a file with an index, bytes anywhere in it.

use std::ffi::c_void;
use std::sync::{Arc, PoisonError};

use tamis_document::{Document, Fate, Origin, Record};
use tamis_plugin::abi::{self, Str};
use tamis_stage::{RandomAccess, Split};

use super::callbacks::{MAX_MESSAGE, call, lossy};
use super::{Call, Context, Target, convert};

/// The most parts of a file: more would be garbage, and fill the memory.
const MAX_SPLITS: usize = 1 << 24;

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

fn in_file(file: &dyn RandomAccess, offset: u64, length: usize) -> Result<(), String> {
    let size = file.size();
    if offset.checked_add(length as u64).is_some_and(|end| end <= size) {
        return Ok(());
    }
    Err(format!("it asked for {length} bytes at byte {offset} of a file of {size}"))
}
