//! Exporters.

use std::ffi::c_void;

use tamis_document::Fate;
use tamis_stage::{ExportView, Exporter, Output};

use super::host::{HostFields, HostRef, documents, text, view};
use super::{boundary, stage};
use crate::abi;
use crate::guard;

pub(super) fn table<T: Exporter>() -> abi::Exporter {
    abi::Exporter {
        struct_size: size_of::<abi::Exporter>() as u32,
        reserved: 0,
        extension: Some(extension::<T>),
        head: Some(head::<T>),
        tail: Some(tail::<T>),
        encode: Some(encode::<T>),
    }
}

unsafe extern "C-unwind" fn extension<T: Exporter>(instance: *mut c_void, host: *const abi::Host) -> i32 {
    // SAFETY: the host calls with what the header promises.
    let (host, stage) = unsafe { (HostRef::new(host), stage::<T>(instance)) };
    boundary(host, || {
        host.put(0, stage.extension().as_bytes());
        Ok(())
    })
}

unsafe extern "C-unwind" fn head<T: Exporter>(instance: *mut c_void, host: *const abi::Host) -> i32 {
    // SAFETY: the host calls with what the header promises.
    let (host, stage) = unsafe { (HostRef::new(host), stage::<T>(instance)) };
    boundary(host, || {
        host.put(0, &stage.head());
        Ok(())
    })
}

unsafe extern "C-unwind" fn tail<T: Exporter>(instance: *mut c_void, host: *const abi::Host) -> i32 {
    // SAFETY: the host calls with what the header promises.
    let (host, stage) = unsafe { (HostRef::new(host), stage::<T>(instance)) };
    boundary(host, || {
        host.put(0, &stage.tail());
        Ok(())
    })
}

unsafe extern "C-unwind" fn encode<T: Exporter>(
    instance: *mut c_void,
    docs: *const abi::Document,
    n: usize,
    host: *const abi::Host,
) -> i32 {
    // SAFETY: the host calls with what the header promises.
    let (host, stage, docs) = unsafe { (HostRef::new(host), stage::<T>(instance), documents(docs, n)) };
    boundary(host, || {
        let mut out = Output::default();
        for (index, document) in (0u32..).zip(docs) {
            out.bytes.clear();
            out.files.clear();
            encode_one(stage, host, index, document, &mut out);
        }
        Ok(())
    })
}

fn encode_one<T: Exporter>(
    stage: &T,
    host: HostRef<'_>,
    index: u32,
    document: &abi::Document,
    out: &mut Output,
) {
    let Some((fate, measures)) = host.fate(index) else {
        return host.fail(index, "the host did not tell what became of the record");
    };
    let fields = HostFields::new(host, index);
    // SAFETY: all from the host, valid until this call returns.
    let (view, name, reason, file) =
        unsafe { (view(document, &fields), text(fate.stage), text(fate.reason), text(fate.file)) };
    let record = ExportView {
        document: view,
        fate: &match fate.verdict {
            abi::DROP => Fate::Dropped(reason.to_owned().into()),
            abi::FAIL => Fate::Failed(reason.to_owned().into()),
            _ => Fate::Kept,
        },
        stage: (!name.is_empty()).then_some(name),
        measures: &measures,
        file,
        span: (fate.offset, fate.length),
    };
    match guard::catch_inside(|| stage.encode(&record, out)) {
        Ok(Ok(())) => {
            if out.bytes.is_empty() && out.files.is_empty() {
                // Said aloud, because a document for which nothing is put counts as forgotten.
                host.verdict(index, abi::KEEP, "");
            }
            if !out.bytes.is_empty() {
                host.put(index, &out.bytes);
            }
            for (path, content) in &out.files {
                host.put_file(index, path, content);
            }
        }
        Ok(Err(failure)) => host.fail(index, &failure.to_string()),
        Err(panic) => host.fail(index, &panic),
    }
}
