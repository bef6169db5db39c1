//! What a keyed stage may ask for and hand over, as the table `tamis.keyed.1`.

use std::ffi::c_void;

use tamis_plugin::abi::{self, Str};
use tamis_stage::Failure;
use tamis_stage::keyed::{Emitted, Group, Known};

use super::callbacks::{call, is_document, refuse};
use super::{Call, convert};

static TABLE: abi::KeyedHost =
    abi::KeyedHost { struct_size: size_of::<abi::KeyedHost>() as u32, reserved: 0, row, known, id, next };

/// The keyed part of a call.
pub(crate) struct KeyedCall<'a> {
    known: &'a dyn Known,
    takes: Takes,
    /// The rows that are visited.
    group: Option<&'a mut dyn Group>,
    emitted: Emitted,
    /// The document of the last row.
    last: u32,
    /// What the plugin was given, which stays until the call returns.
    given: Vec<Box<[u8]>>,
}

/// What may be emitted in a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Takes {
    /// Nothing: the stage is applied.
    Nothing,
    /// Rows about documents, of so many bytes, and more where anything may stand behind.
    Rows { width: usize, is_visited: bool },
    /// Facts of so many bytes.
    Facts { width: usize },
    /// Rows about a document of an index.
    Recalled { width: usize, is_visited: bool },
}

impl<'a> KeyedCall<'a> {
    pub(crate) fn new(known: &'a dyn Known, takes: Takes) -> Self {
        Self { known, takes, group: None, emitted: Emitted::default(), last: 0, given: Vec::new() }
    }

    pub(crate) fn visiting(self, group: &'a mut dyn Group) -> Self {
        Self { group: Some(group), ..self }
    }
}

impl<'a> Call<'a> {
    /// Offers what a keyed stage may ask for.
    pub(crate) fn offer(&mut self, keyed: KeyedCall<'a>) {
        self.keyed = Some(keyed);
        self.extension = Some((abi::KEYED_EXTENSION, (&raw const TABLE).cast()));
    }

    /// What was emitted.
    pub(crate) fn emitted(&mut self) -> Emitted {
        self.keyed.take().map(|keyed| keyed.emitted).unwrap_or_default()
    }
}

/// The keyed part of the call; the table is given out in calls that have one.
fn part<'c, 'a>(call: &'c mut Call<'a>) -> Option<&'c mut KeyedCall<'a>> {
    call.keyed.as_mut()
}

unsafe extern "C" fn row(ctx: *mut c_void, doc: u32, row: Str) -> i32 {
    // SAFETY: called by the plugin as the header says, here and in all functions below.
    let (call, row) = unsafe { (call(ctx), convert::bytes(row)) };
    let Some(takes) = part(call).map(|part| part.takes) else { return abi::UNSUPPORTED };
    let (width, is_open) = match takes {
        Takes::Nothing => return abi::UNSUPPORTED,
        Takes::Facts { width } => (width, false),
        Takes::Recalled { width, is_visited } => (width, is_visited),
        Takes::Rows { width, is_visited } => {
            if !is_document(call, doc) {
                return abi::ERROR;
            }
            (width, is_visited)
        }
    };
    let row = match row {
        Ok(row) if row.len() == width || (is_open && row.len() > width) => row,
        Ok(row) => {
            let (n, least) = (row.len(), if is_open { " or more" } else { "" });
            return refuse(call, doc, || {
                format!("it emitted a row of {n} bytes, and declares {width}{least}")
            });
        }
        Err(why) => return refuse(call, doc, || format!("it emitted a row {why}")),
    };
    let Some(part) = part(call) else { return abi::UNSUPPORTED };
    let last = part.last;
    if doc < last {
        return refuse(call, doc, || format!("it emitted a row of document {doc} after one of {last}"));
    }
    part.last = doc;
    part.emitted.push(doc, row);
    abi::OK
}

unsafe extern "C" fn known(ctx: *mut c_void, round: u32, front: Str, out: *mut Str) -> i32 {
    // SAFETY: see `row`.
    let (call, front) = unsafe { (call(ctx), convert::bytes(front)) };
    let Some(known) = part(call).map(|part| part.known) else { return -1 };
    let Ok(front) = front else { return mistake(call, "it asked for entries at NULL") };
    let mut found = Vec::new();
    let asked = known.entries(round, front, &mut |entry| {
        found.extend_from_slice(entry);
        true
    });
    let found = asked.map(|()| (!found.is_empty()).then_some(found));
    // SAFETY: see `row`.
    unsafe { give(call, found, out) }
}

unsafe extern "C" fn id(ctx: *mut c_void, round: u32, high: u64, low: u64, out: *mut Str) -> i32 {
    // SAFETY: see `row`.
    let call = unsafe { call(ctx) };
    let Some(known) = part(call).map(|part| part.known) else { return -1 };
    let found = known.id(round, u128::from(high) << 64 | u128::from(low));
    // SAFETY: see `row`.
    unsafe { give(call, found.map(|id| id.map(String::into_bytes)), out) }
}

unsafe extern "C" fn next(ctx: *mut c_void, out: *mut Str) -> i32 {
    // SAFETY: see `row`.
    let call = unsafe { call(ctx) };
    if out.is_null() || !out.is_aligned() {
        return mistake(call, "it asked for a row at an address where nothing can be");
    }
    let Some(group) = part(call).and_then(|part| part.group.as_mut()) else { return -1 };
    let row = match group.advance() {
        Ok(None) => return 0,
        Ok(Some(row)) => Str::new(row),
        Err(failure) => return trouble(call, &failure),
    };
    // SAFETY: the plugin's place for the result.
    unsafe { out.write(row) };
    1
}

/// Gives the plugin bytes that stay until the call returns.
///
/// # Safety
///
/// `out` must come from the plugin.
unsafe fn give(call: &mut Call<'_>, found: Result<Option<Vec<u8>>, Failure>, out: *mut Str) -> i32 {
    if out.is_null() || !out.is_aligned() {
        return mistake(call, "it asked for entries at an address where nothing can be");
    }
    let found = match found {
        Ok(Some(found)) => found.into_boxed_slice(),
        Ok(None) => return 0,
        Err(failure) => return trouble(call, &failure),
    };
    // SAFETY: the plugin's place for the result. A box stays where it is when the list of boxes grows.
    unsafe { out.write(Str::new(&found)) };
    if let Some(part) = part(call) {
        part.given.push(found);
    }
    1
}

fn mistake(call: &mut Call<'_>, breach: &str) -> i32 {
    call.break_contract(|| breach.to_owned());
    -1
}

/// The call fails with what the host could not do, whatever the plugin makes of it.
fn trouble(call: &mut Call<'_>, failure: &Failure) -> i32 {
    call.trouble.get_or_insert_with(|| failure.to_string());
    -1
}
