//! Corpus stages.

use std::ffi::c_void;
use std::io::Write;

use tamis_stage::{CorpusStage, Failure, Workspace};

use super::host::{HostLookup, HostRef, documents, text, view};
use super::transform::extract_each;
use super::{boundary, stage};
use crate::abi::{self, Str};
use crate::guard;

pub(super) fn table<T: CorpusStage>() -> abi::Corpus {
    abi::Corpus {
        struct_size: size_of::<abi::Corpus>() as u32,
        observing_passes: T::OBSERVING_PASSES,
        local_new: Some(local_new::<T>),
        local_free: Some(local_free::<T>),
        observe: Some(observe::<T>),
        merge: Some(merge::<T>),
        end_pass: Some(end_pass::<T>),
        apply: Some(apply::<T>),
        state_save: Some(state_save::<T>),
        state_load: Some(state_load::<T>),
        passes: Some(passes::<T>),
        prepare: Some(prepare::<T>),
        state_load_stream: Some(state_load_stream::<T>),
    }
}

unsafe extern "C-unwind" fn local_new<T: CorpusStage>(
    _instance: *mut c_void,
    _pass: u32,
    host: *const abi::Host,
    local: *mut *mut c_void,
) -> i32 {
    // SAFETY: the host calls with what the header promises.
    let host = unsafe { HostRef::new(host) };
    boundary(host, || {
        let pointer = Box::into_raw(Box::<T::Local>::default()).cast();
        // SAFETY: `local` is the host's place for the result.
        unsafe { local.write(pointer) };
        Ok(())
    })
}

unsafe extern "C-unwind" fn local_free<T: CorpusStage>(_instance: *mut c_void, local: *mut c_void) {
    // SAFETY: made by `local_new::<T>`, and neither merged nor freed before.
    let local = unsafe { Box::from_raw(local.cast::<T::Local>()) };
    // A panicking `drop` has nobody left to tell.
    drop(guard::catch(|| drop(local)));
}

unsafe extern "C-unwind" fn observe<T: CorpusStage>(
    instance: *mut c_void,
    local: *mut c_void,
    pass: u32,
    docs: *const abi::Document,
    n: usize,
    host: *const abi::Host,
) -> i32 {
    // SAFETY: the host calls with what the header promises; a local belongs to one call at a time.
    let (host, stage, docs, local) = unsafe {
        (HostRef::new(host), stage::<T>(instance), documents(docs, n), &mut *local.cast::<T::Local>())
    };
    boundary(host, || {
        let begin = host.begin();
        for (index, document) in (0u32..).zip(docs) {
            begin.document(index);
            let fields = HostLookup::new(host, index);
            // SAFETY: valid until this call returns.
            let view = unsafe { view(document, &fields) };
            match guard::catch_inside(|| stage.observe(pass, local, &view)) {
                Ok(Ok(())) => {}
                Ok(Err(failure)) => host.fail(index, &failure.to_string()),
                // The local may be half-changed, and everything it has seen with it.
                Err(panic) => return Err(panic),
            }
        }
        Ok(())
    })
}

unsafe extern "C-unwind" fn merge<T: CorpusStage>(
    instance: *mut c_void,
    local: *mut c_void,
    pass: u32,
    host: *const abi::Host,
) -> i32 {
    // SAFETY: the host calls with what the header promises; merging consumes the local.
    let (host, stage, local) =
        unsafe { (HostRef::new(host), stage::<T>(instance), Box::from_raw(local.cast::<T::Local>())) };
    boundary(host, || {
        stage.merge(pass, *local);
        Ok(())
    })
}

unsafe extern "C-unwind" fn end_pass<T: CorpusStage>(
    instance: *mut c_void,
    pass: u32,
    host: *const abi::Host,
) -> i32 {
    // SAFETY: the host calls with what the header promises.
    let (host, stage) = unsafe { (HostRef::new(host), stage::<T>(instance)) };
    boundary(host, || stage.end_pass(pass).map_err(|failure| failure.to_string()))
}

unsafe extern "C-unwind" fn apply<T: CorpusStage>(
    instance: *mut c_void,
    _local: *mut c_void,
    docs: *const abi::Document,
    n: usize,
    host: *const abi::Host,
) -> i32 {
    // SAFETY: the host calls with what the header promises.
    let (host, stage, docs) = unsafe { (HostRef::new(host), stage::<T>(instance), documents(docs, n)) };
    boundary(host, || {
        extract_each(host, host.begin(), docs, 0, &mut (), |(), draft| stage.apply(draft));
        Ok(())
    })
}

unsafe extern "C-unwind" fn state_save<T: CorpusStage>(
    instance: *mut c_void,
    pass: u32,
    host: *const abi::Host,
) -> i32 {
    // SAFETY: the host calls with what the header promises.
    let (host, stage) = unsafe { (HostRef::new(host), stage::<T>(instance)) };
    boundary(host, || {
        let mut out = host.writer();
        let saved = stage.save(pass, &mut out).and_then(|()| out.flush().map_err(Failure::new));
        saved.map_err(|failure| failure.to_string())
    })
}

unsafe extern "C-unwind" fn state_load<T: CorpusStage>(
    instance: *mut c_void,
    pass: u32,
    bytes: Str,
    host: *const abi::Host,
) -> i32 {
    // SAFETY: the host calls with what the header promises.
    let (host, stage, mut bytes) = unsafe { (HostRef::new(host), stage::<T>(instance), bytes.bytes()) };
    boundary(host, || stage.load(pass, &mut bytes).map_err(|failure| failure.to_string()))
}

unsafe extern "C-unwind" fn state_load_stream<T: CorpusStage>(
    instance: *mut c_void,
    pass: u32,
    host: *const abi::Host,
) -> i32 {
    // SAFETY: the host calls with what the header promises.
    let (host, stage) = unsafe { (HostRef::new(host), stage::<T>(instance)) };
    boundary(host, || {
        let mut from = host.reader().ok_or("the host has no state to read")?;
        stage.load(pass, &mut from).map_err(|failure| failure.to_string())
    })
}

unsafe extern "C-unwind" fn passes<T: CorpusStage>(
    instance: *mut c_void,
    out: *mut u32,
    host: *const abi::Host,
) -> i32 {
    // SAFETY: the host calls with what the header promises.
    let (host, stage) = unsafe { (HostRef::new(host), stage::<T>(instance)) };
    boundary(host, || {
        let passes = stage.passes();
        // SAFETY: `out` is the host's place for the result.
        unsafe { out.write(passes) };
        Ok(())
    })
}

unsafe extern "C-unwind" fn prepare<T: CorpusStage>(
    instance: *mut c_void,
    workspace: *const abi::Workspace,
    host: *const abi::Host,
) -> i32 {
    // SAFETY: the host calls with what the header promises.
    let (host, stage, workspace) = unsafe { (HostRef::new(host), stage::<T>(instance), &*workspace) };
    boundary(host, || {
        // SAFETY: from the host, valid until this call returns.
        let (scratch, keep) = unsafe { (text(workspace.scratch), text(workspace.keep)) };
        let workspace = Workspace {
            scratch: scratch.into(),
            keep: keep.into(),
            memory: workspace.memory,
            threads: workspace.threads as usize,
        };
        stage.prepare(&workspace).map_err(|failure| failure.to_string())
    })
}
