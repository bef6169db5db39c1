//! Readers of files that are read anywhere.

use std::ffi::c_void;

use tamis_stage::{FileReader, Split};

use super::host::{HostEmit, HostRef, text};
use super::{boundary, reader, stage};
use crate::abi::{self, Str};
use crate::guard;

pub(super) fn table<T: FileReader>() -> abi::Reader {
    abi::Reader {
        struct_size: size_of::<abi::Reader>() as u32,
        reserved: 0,
        sniff: Some(sniff::<T>),
        cut: None,
        decode: None,
        head: None,
        file_open: Some(file_open::<T>),
        file_decode: Some(file_decode::<T>),
        file_close: Some(file_close::<T>),
    }
}

unsafe extern "C-unwind" fn sniff<T: FileReader>(
    instance: *mut c_void,
    head: *const abi::Block,
    complete: u32,
    host: *const abi::Host,
) -> u32 {
    // SAFETY: the host calls with what the header promises.
    let (host, stage, head) = unsafe { (HostRef::new(host), stage::<T>(instance), reader::block(head)) };
    reader::score(host, || stage.sniff(head.bytes, complete != 0, head.file))
}

unsafe extern "C-unwind" fn file_open<T: FileReader>(
    instance: *mut c_void,
    name: Str,
    target_bytes: u64,
    host: *const abi::Host,
    out: *mut *mut c_void,
) -> i32 {
    // SAFETY: the host calls with what the header promises.
    let (host, stage, name) = unsafe { (HostRef::new(host), stage::<T>(instance), text(name)) };
    boundary(host, || {
        let bytes = host.file().ok_or("the host has no file to read")?;
        let (file, splits) = stage.index(&bytes, target_bytes).map_err(|failure| failure.to_string())?;
        for split in &splits {
            host.push_split(split).map_err(|()| format!("the host refused the parts of `{name}`"))?;
        }
        // SAFETY: `out` is the host's place for the result; the last that can go wrong is behind us.
        unsafe { out.write(Box::into_raw(Box::new(file)).cast()) };
        Ok(())
    })
}

unsafe extern "C-unwind" fn file_decode<T: FileReader>(
    instance: *mut c_void,
    file: *mut c_void,
    split: *const abi::Split,
    host: *const abi::Host,
) -> i32 {
    // SAFETY: the host calls with what the header promises; workers share the file.
    let (host, stage, file, split) =
        unsafe { (HostRef::new(host), stage::<T>(instance), &*file.cast::<T::File>(), &*split) };
    boundary(host, || {
        let bytes = host.file().ok_or("the host has no file to read")?;
        let split = Split {
            first_ordinal: split.first_ordinal,
            records: split.records,
            weight: split.weight,
            bytes: split.bytes,
            token: split.token,
        };
        let decoded = stage.decode(file, &bytes, &split, &mut HostEmit(host));
        decoded.map_err(|failure| failure.to_string())
    })
}

unsafe extern "C-unwind" fn file_close<T: FileReader>(_instance: *mut c_void, file: *mut c_void) {
    // SAFETY: made by `file_open::<T>`; the host closes it once, after every other call with it has returned.
    let file = unsafe { Box::from_raw(file.cast::<T::File>()) };
    // A panicking `drop` has nobody left to tell.
    drop(guard::catch(|| drop(file)));
}
