//! Exporters.

use std::ffi::c_void;

use tamis_document::{Fate, Measure};
use tamis_stage::{ExportView, Exporter, Output};

use super::host::{HostLookup, HostRef, documents, text, view};
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
        part_begin: None,
        part_add: None,
        part_end: None,
        part_free: None,
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
        let (mut out, begin) = (Output::default(), host.begin());
        for (index, document) in (0u32..).zip(docs) {
            begin.document(index);
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
    let Some(told) = Told::new(host, index) else { return host.fail(index, NOTHING_TOLD) };
    // SAFETY: from the host, valid until this call returns.
    let record = unsafe { told.view(document) };
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

pub(super) const NOTHING_TOLD: &str = "the host did not tell what became of the record";

/// What the host tells of a record beside its document.
pub(super) struct Told<'a> {
    fate: Fate,
    stage: &'a str,
    measures: Vec<Measure>,
    file: &'a str,
    span: (u64, u64),
    fields: HostLookup<'a>,
}

impl<'a> Told<'a> {
    pub(super) fn new(host: HostRef<'a>, index: u32) -> Option<Self> {
        let (fate, measures) = host.fate(index)?;
        // SAFETY: all from the host, valid until this call returns.
        let (stage, reason, file) = unsafe { (text(fate.stage), text(fate.reason), text(fate.file)) };
        let span = (fate.offset, fate.length);
        let fate = match fate.verdict {
            abi::DROP => Fate::Dropped(reason.to_owned().into()),
            abi::FAIL => Fate::Failed(reason.to_owned().into()),
            _ => Fate::Kept,
        };
        Some(Self { fate, stage, measures, file, span, fields: HostLookup::new(host, index) })
    }

    /// The record.
    ///
    /// # Safety
    ///
    /// `document` must come from the host and be valid for `'v`.
    pub(super) unsafe fn view<'v>(&'v self, document: &abi::Document) -> ExportView<'v> {
        ExportView {
            // SAFETY: the caller vouches for it.
            document: unsafe { view(document, &self.fields) },
            fate: &self.fate,
            stage: (!self.stage.is_empty()).then_some(self.stage),
            measures: &self.measures,
            file: self.file,
            span: self.span,
        }
    }
}
