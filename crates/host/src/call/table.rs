//! The table of functions that a plugin gets for one call.

use std::ffi::c_void;

use tamis_plugin::abi;

use super::attach;
use super::callbacks::{
    begin, cancelled, commit_text, count, emit, emit_failed, error, extension, fate, field, field_at,
    file_size, forms, log, measure, measure_at, origin, push_split, put, put_file, read, read_at,
    reserve_text, set_field, set_id, split, verdict,
};

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
