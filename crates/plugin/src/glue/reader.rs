//! Readers.

use std::ffi::c_void;

use tamis_stage::{Block, Cut, Emit, Failure, NewDocument, Reader};

use super::host::{HostRef, text};
use super::{boundary, stage};
use crate::abi::{self, Str};
use crate::guard;

pub(super) fn table<T: Reader>() -> abi::Reader {
    abi::Reader {
        struct_size: size_of::<abi::Reader>() as u32,
        reserved: 0,
        sniff: Some(sniff::<T>),
        cut: if T::WHOLE_FILE { None } else { Some(cut::<T>) },
        decode: Some(decode::<T>),
    }
}

unsafe extern "C" fn sniff<T: Reader>(instance: *mut c_void, head: Str, complete: u32, name: Str) -> u32 {
    // SAFETY: the host calls with what the header promises.
    let (stage, head, name) = unsafe { (stage::<T>(instance), head.bytes(), text(name)) };
    // A reader that panics on a file does not want it.
    guard::catch(|| stage.sniff(head, complete != 0, name)).unwrap_or(0).into()
}

unsafe extern "C" fn cut<T: Reader>(
    instance: *mut c_void,
    bytes: Str,
    end: u32,
    out: *mut abi::Cut,
    host: *const abi::Host,
) -> i32 {
    // SAFETY: the host calls with what the header promises.
    let (host, stage, bytes) = unsafe { (HostRef::new(host), stage::<T>(instance), bytes.bytes()) };
    boundary(host, || {
        let cut = match stage.cut(bytes, end != 0) {
            Cut::More => abi::Cut::default(),
            Cut::At { bytes, records } => abi::Cut { bytes: bytes as u64, records },
        };
        // SAFETY: `out` is the host's place for the result.
        unsafe { out.write(cut) };
        Ok(())
    })
}

unsafe extern "C" fn decode<T: Reader>(
    instance: *mut c_void,
    block: *const abi::Block,
    host: *const abi::Host,
) -> i32 {
    // SAFETY: the host calls with what the header promises.
    let (host, stage, block) = unsafe { (HostRef::new(host), stage::<T>(instance), &*block) };
    // SAFETY: as above.
    let (file, bytes) = unsafe { (text(block.file), block.bytes.bytes()) };
    let block = Block { file, bytes, offset: block.offset, first_ordinal: block.first_ordinal };
    boundary(host, || stage.decode(&block, &mut HostEmit(host)).map_err(|failure| failure.to_string()))
}

struct HostEmit<'a>(HostRef<'a>);

impl Emit for HostEmit<'_> {
    fn document(&mut self, document: &NewDocument<'_>) {
        self.0.emit(document);
    }

    fn failed(&mut self, ordinal: u64, offset: u64, raw: &[u8], failure: &Failure) {
        self.0.emit_failed(ordinal, offset, raw, failure);
    }
}
