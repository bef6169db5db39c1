//! Attachments: the host's functions for what stages make of a text and leave with it.
//!
//! None of this is ever an error of the document: an attachment is a help, and whoever asks for one can do without.

use std::ffi::c_void;
use std::sync::Arc;

use tamis_document::Attachments;
use tamis_plugin::abi::{self, Str};

use super::callbacks::{call, is_document, is_place, refuse};
use super::{Call, Target, Who, convert};
use crate::calls::{self, Subject};

/// The value of a library; dropped by the library that made it.
struct Foreign {
    value: *mut c_void,
    drop: abi::DropFn,
    who: Arc<Who>,
}

// SAFETY: the header demands that a value may be dropped on any thread; it is read by one call at a time.
unsafe impl Send for Foreign {}
// SAFETY: as above; the pointer itself is only copied.
unsafe impl Sync for Foreign {}

impl Drop for Foreign {
    fn drop(&mut self) {
        // Noted as a call, so that a library that hangs here is named.
        let _entered = calls::mine().enter(&self.who, Subject::Nothing);
        // SAFETY: taken from its library with this function, and given up once, here; libraries are not unloaded.
        unsafe { (self.drop)(self.value) };
    }
}

/// Whether a call can attach to its documents.
fn can_attach(call: &mut Call<'_>, doc: u32) -> bool {
    matches!(call.target, Target::Judge(_) | Target::Change(_)) && is_document(call, doc)
}

/// Attaches to the text of a document as it stands in the call, if there is room.
fn add(call: &mut Call<'_>, doc: u32, bytes: usize, attach: impl FnOnce(&mut Attachments)) -> i32 {
    let record = &call.target.records()[doc as usize];
    let state = call.states.at(doc);
    let before = if state.text.is_none() { record.attachments.bytes() } else { 0 };
    if !convert::has_room(&record.document, &state.attached, before.saturating_add(bytes)) {
        return abi::UNSUPPORTED;
    }
    attach(&mut state.attached);
    abi::OK
}

/// Looks among what is attached to the text of a document as it stands in the call.
fn find<'c, T>(call: &'c Call<'_>, doc: u32, look: impl Fn(&'c Attachments) -> Option<T>) -> Option<T> {
    let state = call.states.get(doc);
    let of_record = || {
        let is_replaced = state.is_some_and(|state| state.text.is_some());
        (!is_replaced).then(|| look(&call.target.records()[doc as usize].attachments)).flatten()
    };
    state.and_then(|state| look(&state.attached)).or_else(of_record)
}

pub(super) unsafe extern "C" fn attach(
    ctx: *mut c_void,
    doc: u32,
    attachment: *const abi::Attachment,
) -> i32 {
    // SAFETY: called by the plugin as the header says, here and in all functions below.
    let call = unsafe { call(ctx) };
    if !can_attach(call, doc) {
        return abi::UNSUPPORTED;
    }
    if !is_place(call, doc, attachment.cast_mut()) {
        return abi::ERROR;
    }
    // SAFETY: not NULL, aligned, and see above.
    match unsafe { convert::attachment(&*attachment) } {
        Ok((name, version, bytes)) => {
            add(call, doc, bytes.len(), |attachments| attachments.attach(name, version, bytes))
        }
        Err(breach) => refuse(call, doc, || format!("it passed {breach}")),
    }
}

pub(super) unsafe extern "C" fn attached(
    ctx: *mut c_void,
    doc: u32,
    name: Str,
    version: u64,
    out: *mut Str,
) -> i32 {
    // SAFETY: see `attach`.
    let call = unsafe { call(ctx) };
    if !is_document(call, doc) || !is_place(call, doc, out) {
        return 0;
    }
    // SAFETY: see `attach`. Under a name that is not UTF-8 nothing can be attached.
    let Ok(name) = (unsafe { convert::name(name) }) else { return 0 };
    let Some(bytes) = find(call, doc, |attachments| attachments.flat(name, version)) else { return 0 };
    // SAFETY: the plugin's place for the result.
    unsafe { out.write(Str::new(bytes)) };
    1
}

pub(super) unsafe extern "C" fn attach_value(
    ctx: *mut c_void,
    doc: u32,
    key: Str,
    value: *mut c_void,
    bytes: u64,
    drop: Option<abi::DropFn>,
) -> i32 {
    // SAFETY: see `attach`.
    let call = unsafe { call(ctx) };
    if !can_attach(call, doc) {
        return abi::UNSUPPORTED;
    }
    // SAFETY: see `attach`.
    let key = match unsafe { convert::name(key) } {
        Ok(key) => key,
        Err(why) => return refuse(call, doc, || format!("it attached a value under a key {why}")),
    };
    let Some(drop) = drop.filter(|_| !value.is_null()) else {
        return refuse(call, doc, || {
            "it attached a value without a place or a function to drop it".to_owned()
        });
    };
    let (library, who) = (call.who.library, Arc::clone(call.who));
    let bytes = usize::try_from(bytes).unwrap_or(usize::MAX);
    add(call, doc, bytes, |attachments| {
        attachments.attach_value(library, key, Box::new(Foreign { value, drop, who }), bytes);
    })
}

pub(super) unsafe extern "C" fn attached_value(ctx: *mut c_void, doc: u32, key: Str) -> *mut c_void {
    // SAFETY: see `attach`.
    let call = unsafe { call(ctx) };
    if !is_document(call, doc) {
        return std::ptr::null_mut();
    }
    // SAFETY: see `attach`.
    let Ok(key) = (unsafe { convert::name(key) }) else { return std::ptr::null_mut() };
    let library = call.who.library;
    let value = find(call, doc, |attachments| attachments.value(library, key)?.downcast_ref::<Foreign>());
    value.map_or(std::ptr::null_mut(), |foreign| foreign.value)
}
