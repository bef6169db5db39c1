//! The table of functions that a plugin gets for one call.

use std::ffi::c_void;

use tamis_plugin::abi;

use super::attach;
use super::callbacks::{
    begin, cancelled, count, error, extension, field, field_at, forms, log, measure_at, origin,
};
use super::changes::{commit_text, measure, reserve_text, set_field, set_id, split, verdict};
use super::export::{fate, put, put_file, read};
use super::reading::{emit, emit_failed, file_size, push_split, read_at};

/// The table for one call; `ctx` points to its [`Context`](super::Context).
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
        read,
        push_split,
        file_size,
        read_at,
        begin,
        origin,
        attach: attach::attach,
        attached: attach::attached,
        attach_value: attach::attach_value,
        attached_value: attach::attached_value,
        set_id,
        forms,
    }
}
