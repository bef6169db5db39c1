//! Filters and extractors.

use std::ffi::c_void;

use tamis_document::Verdict;
use tamis_stage::{Draft, Extractor, Filter, Notes};

use super::host::{HostLookup, HostRef, documents, view};
use super::{boundary, stage};
use crate::abi;
use crate::guard;

pub(super) fn filter_table<T: Filter>() -> abi::Transform {
    table(filter::<T>)
}

pub(super) fn extractor_table<T: Extractor>() -> abi::Transform {
    table(extract::<T>)
}

fn table(process: abi::ProcessFn) -> abi::Transform {
    abi::Transform {
        struct_size: size_of::<abi::Transform>() as u32,
        reserved: 0,
        local_new: None,
        local_free: None,
        process: Some(process),
    }
}

unsafe extern "C-unwind" fn filter<T: Filter>(
    instance: *mut c_void,
    _local: *mut c_void,
    docs: *const abi::Document,
    n: usize,
    host: *const abi::Host,
) -> i32 {
    // SAFETY: the host calls with what the header promises.
    let (host, stage, docs) = unsafe { (HostRef::new(host), stage::<T>(instance), documents(docs, n)) };
    boundary(host, || {
        let (mut notes, begin) = (Notes::default(), host.begin());
        for (index, document) in (0u32..).zip(docs) {
            begin.document(index);
            let fields = HostLookup::new(host, index);
            // SAFETY: valid until this call returns.
            let view = unsafe { view(document, &fields) };
            notes.clear();
            judge(host, index, guard::catch_inside(|| stage.filter(&view, &mut notes)));
            host.notes(index, &notes);
        }
        Ok(())
    })
}

unsafe extern "C-unwind" fn extract<T: Extractor>(
    instance: *mut c_void,
    _local: *mut c_void,
    docs: *const abi::Document,
    n: usize,
    host: *const abi::Host,
) -> i32 {
    // SAFETY: the host calls with what the header promises.
    let (host, stage, docs) = unsafe { (HostRef::new(host), stage::<T>(instance), documents(docs, n)) };
    boundary(host, || {
        extract_all(host, docs, |draft| stage.extract(draft));
        Ok(())
    })
}

/// Runs `extract` over drafts of all documents and hands each outcome to the host.
pub(super) fn extract_all(
    host: HostRef<'_>,
    docs: &[abi::Document],
    extract: impl Fn(&mut Draft<'_>) -> Result<Verdict, tamis_stage::Failure>,
) {
    let begin = host.begin();
    for (index, document) in (0u32..).zip(docs) {
        begin.document(index);
        let fields = HostLookup::new(host, index);
        // SAFETY: valid until this call returns.
        let mut draft = Draft::new(unsafe { view(document, &fields) });
        let outcome = guard::catch_inside(|| extract(&mut draft));
        let (edits, notes) = draft.finish();
        let refused = if matches!(outcome, Ok(Ok(_))) { host.edits(index, &edits).err() } else { None };
        match refused {
            Some(message) => host.fail(index, &message),
            None => judge(host, index, outcome),
        }
        host.notes(index, &notes);
    }
}

/// Tells the host about a document that is not simply kept.
fn judge(host: HostRef<'_>, doc: u32, outcome: Result<Result<Verdict, tamis_stage::Failure>, String>) {
    match outcome {
        Ok(Ok(Verdict::Keep)) => {}
        Ok(Ok(Verdict::Drop(reason))) => host.verdict(doc, abi::DROP, &reason),
        Ok(Err(failure)) => host.fail(doc, &failure.to_string()),
        Err(panic) => host.fail(doc, &panic),
    }
}
