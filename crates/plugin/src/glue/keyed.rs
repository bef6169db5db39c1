//! Corpus stages in the keyed form.

use std::ffi::c_void;
use std::marker::PhantomData;

use serde::Serialize;
use tamis_stage::keyed::{Group, Index, Known, Rounds, Rows};
use tamis_stage::{Failure, Forms, KeyedStage, SetupError};

use super::host::{HostLookup, HostRef, documents, view};
use super::transform::extract_each;
use super::{Kind, boundary, stage};
use crate::abi::{self, Str};
use crate::guard;

/// A stage with what it has declared.
pub(super) struct Declared<T> {
    stage: T,
    rounds: Rounds,
    notes: Vec<String>,
    index: Index,
    resolves: bool,
}

/// What `rounds` puts: the declaration, and what is to be known of it.
#[derive(Serialize)]
struct Told<'a> {
    #[serde(flatten)]
    rounds: &'a Rounds,
    /// An older host knows of none and refuses them, so they are left out where there are none.
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    notes: &'a [String],
    /// A host that knows no index refuses it, and the run with it.
    #[serde(skip_serializing_if = "Option::is_none")]
    index: Option<&'a Index>,
    /// The same of a host that chooses nothing by a sample.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    resolves: bool,
}

pub(super) struct AsKeyed<T>(PhantomData<T>);

impl<T: KeyedStage> Kind for AsKeyed<T> {
    type Stage = Declared<T>;
    type Options = T::Options;

    fn open(options: T::Options) -> Result<Declared<T>, SetupError> {
        let stage = T::open(options)?;
        let (rounds, notes, index) = (stage.rounds(), stage.notes(), stage.index());
        let resolves = stage.resolves();
        Ok(Declared { stage, rounds, notes, index, resolves })
    }

    fn forms(declared: &Declared<T>) -> Forms {
        declared.stage.forms()
    }
}

pub(super) fn table<T: KeyedStage>() -> abi::Keyed {
    abi::Keyed {
        struct_size: size_of::<abi::Keyed>() as u32,
        reserved: 0,
        rounds: Some(rounds::<T>),
        local_new: Some(local_new::<T>),
        local_free: Some(local_free::<T>),
        observe: Some(observe::<T>),
        visit: Some(visit::<T>),
        apply: Some(apply::<T>),
    }
}

unsafe extern "C-unwind" fn rounds<T: KeyedStage>(instance: *mut c_void, host: *const abi::Host) -> i32 {
    // SAFETY: the host calls with what the header promises.
    let (host, stage) = unsafe { (HostRef::new(host), stage::<Declared<T>>(instance)) };
    boundary(host, || {
        // A host before 1.3 would refuse what it does not know.
        let notes = if host.abi_minor() >= 3 { stage.notes.as_slice() } else { &[] };
        let index = Some(&stage.index).filter(|index| **index != Index::default());
        let resolves = host.abi_minor() >= 3 && stage.resolves;
        let told = Told { rounds: &stage.rounds, notes, index, resolves };
        let text = serde_json::to_string(&told).map_err(|error| error.to_string())?;
        host.put(0, text.as_bytes());
        Ok(())
    })
}

unsafe extern "C-unwind" fn local_new<T: KeyedStage>(
    _instance: *mut c_void,
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

unsafe extern "C-unwind" fn local_free<T: KeyedStage>(_instance: *mut c_void, local: *mut c_void) {
    // SAFETY: made by `local_new::<T>`, and not freed before.
    let local = unsafe { Box::from_raw(local.cast::<T::Local>()) };
    // A panicking `drop` has nobody left to tell.
    drop(guard::catch(|| drop(local)));
}

unsafe extern "C-unwind" fn observe<T: KeyedStage>(
    instance: *mut c_void,
    local: *mut c_void,
    round: u32,
    docs: *const abi::Document,
    n: usize,
    host: *const abi::Host,
) -> i32 {
    // SAFETY: the host calls with what the header promises; a local belongs to one call at a time.
    let (host, stage, docs, local) = unsafe {
        let stage = stage::<Declared<T>>(instance);
        (HostRef::new(host), stage, documents(docs, n), &mut *local.cast::<T::Local>())
    };
    boundary(host, || {
        let begin = host.begin();
        let keyed = HostKeyed::of(host, &stage.rounds)?;
        for (index, document) in (0u32..).zip(docs) {
            begin.document(index);
            let fields = HostLookup::new(host, index);
            // SAFETY: valid until this call returns.
            let view = unsafe { view(document, &fields) };
            let mut rows = HostRows { keyed: &keyed, doc: index };
            match guard::catch_inside(|| stage.stage.observe(round, local, &view, &keyed, &mut rows)) {
                Ok(Ok(())) => {}
                Ok(Err(failure)) => host.fail(index, &failure.to_string()),
                Err(panic) => {
                    // What a panic leaves of working space may trip over itself.
                    *local = T::Local::default();
                    host.fail(index, &panic);
                }
            }
        }
        Ok(())
    })
}

unsafe extern "C-unwind" fn visit<T: KeyedStage>(
    instance: *mut c_void,
    local: *mut c_void,
    round: u32,
    host: *const abi::Host,
) -> i32 {
    // SAFETY: as in `observe`.
    let (host, stage, local) =
        unsafe { (HostRef::new(host), stage::<Declared<T>>(instance), &mut *local.cast::<T::Local>()) };
    boundary(host, || {
        let keyed = HostKeyed::of(host, &stage.rounds)?;
        let (mut group, mut facts) = (HostGroup(&keyed), HostRows { keyed: &keyed, doc: 0 });
        // Behind the last round stand the same rounds again, for what comes from an index, and then a sample.
        let n_rounds = stage.rounds.rounds.len() as u32;
        let told = |failure: Failure| failure.to_string();
        if round == 2 * n_rounds {
            return resolved(&stage.stage, &mut group, &mut facts).map_err(told);
        }
        if let Some(round) = round.checked_sub(n_rounds) {
            let Some(entry) = group.advance().map_err(told)?.map(<[u8]>::to_vec) else { return Ok(()) };
            return stage.stage.recall(round, local, &entry, &keyed, &mut facts).map_err(told);
        }
        let visited = stage.stage.visit(round, local, &mut group, &keyed, &mut facts);
        visited.map_err(|failure| failure.to_string())
    })
}

/// Hands a sample to the stage, a row of which is the number of documents and each other one a text, and emits what it
/// has chosen, as JSON.
fn resolved<T: KeyedStage>(stage: &T, sample: &mut dyn Group, out: &mut dyn Rows) -> Result<(), Failure> {
    let first = sample.advance()?.and_then(|row| row.first_chunk().copied());
    let n_documents = u64::from_be_bytes(first.ok_or_else(|| Failure::new("the sample has no number"))?);
    let mut texts = Vec::new();
    while let Some(row) = sample.advance()? {
        texts.push(String::from_utf8_lossy(row).into_owned());
    }
    for choice in stage.resolve(&texts, n_documents)? {
        out.emit(&serde_json::to_vec(&choice).map_err(Failure::new)?);
    }
    Ok(())
}

unsafe extern "C-unwind" fn apply<T: KeyedStage>(
    instance: *mut c_void,
    local: *mut c_void,
    docs: *const abi::Document,
    n: usize,
    host: *const abi::Host,
) -> i32 {
    // SAFETY: as in `observe`.
    let (host, stage, docs, local) = unsafe {
        let stage = stage::<Declared<T>>(instance);
        (HostRef::new(host), stage, documents(docs, n), &mut *local.cast::<T::Local>())
    };
    boundary(host, || {
        let keyed = HostKeyed::of(host, &stage.rounds)?;
        extract_each(host, host.begin(), docs, 0, local, |local, draft| {
            stage.stage.apply(local, draft, &keyed)
        });
        Ok(())
    })
}

/// What the host offers to keyed stages during one call.
struct HostKeyed<'a> {
    host: HostRef<'a>,
    table: &'a abi::KeyedHost,
    rounds: &'a Rounds,
}

impl<'a> HostKeyed<'a> {
    fn of(host: HostRef<'a>, rounds: &'a Rounds) -> Result<Self, String> {
        let table = host.extension(abi::KEYED_EXTENSION).cast::<abi::KeyedHost>();
        // SAFETY: the host returns NULL or the table of this name, which lives as long as the call.
        let table = unsafe { table.as_ref() }.ok_or("the host does not know keyed stages: update tamis")?;
        Ok(Self { host, table, rounds })
    }
}

/// What the host reports itself; the message is for the case that nobody does.
fn unreadable() -> Failure {
    Failure::new("the host could not read what a round has brought")
}

impl Known for HostKeyed<'_> {
    fn entries(&self, round: u32, front: &[u8], each: &mut dyn FnMut(&[u8]) -> bool) -> Result<(), Failure> {
        let mut found = Str::EMPTY;
        // SAFETY: the context belongs to the host of the call, which fills `found` when it returns 1.
        match unsafe { (self.table.known)(self.host.ctx(), round, Str::new(front), &raw mut found) } {
            0 => return Ok(()),
            1 => {}
            _ => return Err(unreadable()),
        }
        let width = self.rounds.rounds.get(round as usize).map_or(1, |round| round.outcome().0);
        // SAFETY: from the host, good until the call returns.
        let entries = unsafe { found.bytes() };
        let _ = entries.chunks_exact(width).all(each);
        Ok(())
    }

    fn id(&self, round: u32, position: u128) -> Result<Option<String>, Failure> {
        let mut found = Str::EMPTY;
        let (high, low) = ((position >> 64) as u64, position as u64);
        // SAFETY: as in `entries`.
        match unsafe { (self.table.id)(self.host.ctx(), round, high, low, &raw mut found) } {
            0 => Ok(None),
            // SAFETY: as in `entries`.
            1 => Ok(Some(String::from_utf8_lossy(unsafe { found.bytes() }).into_owned())),
            _ => Err(unreadable()),
        }
    }
}

/// Takes rows about one document.
struct HostRows<'a> {
    keyed: &'a HostKeyed<'a>,
    doc: u32,
}

impl Rows for HostRows<'_> {
    fn emit(&mut self, row: &[u8]) {
        let HostKeyed { host, table, .. } = self.keyed;
        // SAFETY: the context belongs to the host of the call; the row lives until the function returns. The host notes
        // what is wrong with it.
        let _ = unsafe { (table.row)(host.ctx(), self.doc, Str::new(row)) };
    }
}

struct HostGroup<'a>(&'a HostKeyed<'a>);

impl Group for HostGroup<'_> {
    fn advance(&mut self) -> Result<Option<&[u8]>, Failure> {
        let HostKeyed { host, table, .. } = self.0;
        let mut row = Str::EMPTY;
        // SAFETY: the context belongs to the host of the call, which fills `row` when it returns 1.
        match unsafe { (table.next)(host.ctx(), &raw mut row) } {
            0 => Ok(None),
            // SAFETY: from the host, good until it is asked again, for which this borrow must have ended.
            1 => Ok(Some(unsafe { row.bytes() })),
            _ => Err(unreadable()),
        }
    }
}
