//! Readers.

use std::ffi::c_void;

use tamis_stage::{Block, Cut, Reader};

use super::host::{HostEmit, HostRef, text};
use super::{boundary, stage};
use crate::abi;
use crate::guard;

pub(super) fn table<T: Reader>() -> abi::Reader {
    abi::Reader {
        struct_size: size_of::<abi::Reader>() as u32,
        reserved: 0,
        sniff: Some(sniff::<T>),
        cut: if T::WHOLE_FILE { None } else { Some(cut::<T>) },
        decode: Some(decode::<T>),
        head: if T::WHOLE_FILE { None } else { Some(head::<T>) },
        file_open: None,
        file_decode: None,
        file_close: None,
    }
}

unsafe extern "C-unwind" fn sniff<T: Reader>(
    instance: *mut c_void,
    head: *const abi::Block,
    complete: u32,
    host: *const abi::Host,
) -> u32 {
    // SAFETY: the host calls with what the header promises.
    let (host, stage, head) = unsafe { (HostRef::new(host), stage::<T>(instance), block(head)) };
    score(host, || stage.sniff(head.bytes, complete != 0, head.file))
}

/// How sure a reader is; one that panics on a file does not get it, and somebody should know why.
pub(super) fn score(host: HostRef<'_>, sniff: impl FnOnce() -> u8) -> u32 {
    guard::catch(sniff).map_or_else(
        |panic| {
            host.error("", &panic);
            0
        },
        u32::from,
    )
}

unsafe extern "C-unwind" fn head<T: Reader>(
    instance: *mut c_void,
    start: *const abi::Block,
    end: u32,
    out: *mut u64,
    host: *const abi::Host,
) -> i32 {
    // SAFETY: the host calls with what the header promises.
    let (host, stage, start) = unsafe { (HostRef::new(host), stage::<T>(instance), block(start)) };
    boundary(host, || {
        let length = stage.head(start.bytes, end != 0).map_or(abi::MORE, |length| length as u64);
        // SAFETY: `out` is the host's place for the result.
        unsafe { out.write(length) };
        Ok(())
    })
}

unsafe extern "C-unwind" fn cut<T: Reader>(
    instance: *mut c_void,
    bytes: *const abi::Block,
    end: u32,
    out: *mut abi::Cut,
    host: *const abi::Host,
) -> i32 {
    // SAFETY: the host calls with what the header promises.
    let (host, stage, bytes) = unsafe { (HostRef::new(host), stage::<T>(instance), block(bytes)) };
    boundary(host, || {
        let (bytes, records) = match stage.cut_behind(bytes.head, bytes.bytes, end != 0) {
            Cut::More => (0, 0),
            Cut::At { bytes, records } => (bytes as u64, records),
        };
        let cut = abi::Cut { bytes, records, reserved: [std::ptr::null(); 2] };
        // SAFETY: `out` is the host's place for the result.
        unsafe { out.write(cut) };
        Ok(())
    })
}

unsafe extern "C-unwind" fn decode<T: Reader>(
    instance: *mut c_void,
    bytes: *const abi::Block,
    host: *const abi::Host,
) -> i32 {
    // SAFETY: the host calls with what the header promises.
    let (host, stage, block) = unsafe { (HostRef::new(host), stage::<T>(instance), block(bytes)) };
    boundary(host, || stage.decode(&block, &mut HostEmit(host)).map_err(|failure| failure.to_string()))
}

/// A block of the host.
///
/// # Safety
///
/// `block` must come from the host and be valid for `'a`.
pub(super) unsafe fn block<'a>(block: *const abi::Block) -> Block<'a> {
    // SAFETY: the caller vouches for it.
    unsafe {
        let block = &*block;
        Block {
            file: text(block.file),
            head: block.head.bytes(),
            bytes: block.bytes.bytes(),
            offset: block.offset,
            first_ordinal: block.first_ordinal,
        }
    }
}
