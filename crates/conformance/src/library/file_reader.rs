//! Readers of files that are read anywhere.

use std::io;
use std::sync::Arc;

use tamis_document::Record;
use tamis_stage::handle::{Effects, IndexedFile, ReaderHandle};
use tamis_stage::{Failure, RandomAccess};

use super::reader::{for_each, looks_at};
use super::{Results, is_mistake, on_threads};

/// About the bytes of a part: so few that a file with records has several.
const TARGET_BYTES: u64 = 64;

pub(super) fn check(handle: &dyn ReaderHandle, results: &mut Results) {
    results.run("takes any bytes", || for_each(|bytes| parts(handle, bytes).map(drop)));
    results.run("looks at any bytes", || for_each(|bytes| looks_at(handle, bytes)));
    results.run("reads a file the same twice", || for_each(|bytes| twice(handle, bytes)));
    results.run("reads the parts of a file the same in any order", || {
        for_each(|bytes| backwards(handle, bytes))
    });
    results.run("reads a file the same on many threads", || {
        for_each(|bytes| at_once(handle, bytes))?;
        on_threads(|| for_each(|bytes| twice(handle, bytes)))
    });
}

/// A file in memory.
struct Memory(Vec<u8>);

impl RandomAccess for Memory {
    fn size(&self) -> u64 {
        self.0.len() as u64
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<()> {
        let rest = usize::try_from(offset).ok().and_then(|offset| self.0.get(offset..));
        let bytes = rest.and_then(|rest| rest.get(..buffer.len())).ok_or(io::ErrorKind::UnexpectedEof)?;
        buffer.copy_from_slice(bytes);
        Ok(())
    }
}

/// The records of a part, or why it was given up, which is fine unless it is a mistake.
type Part = Result<Vec<Record>, String>;

fn forgiven<T>(result: Result<T, Failure>) -> Result<Result<T, String>, String> {
    match result {
        Ok(value) => Ok(Ok(value)),
        Err(failure) if is_mistake(&failure.to_string()) => Err(failure.to_string()),
        Err(failure) => Ok(Err(failure.to_string())),
    }
}

fn index(handle: &dyn ReaderHandle, bytes: &[u8]) -> Result<Option<Box<dyn IndexedFile>>, String> {
    let indexed = handle.index("file", Arc::new(Memory(bytes.to_vec())), TARGET_BYTES);
    forgiven(indexed).map(Result::ok)
}

fn decode(file: &dyn IndexedFile, split: usize) -> Result<Part, String> {
    let mut records = Vec::new();
    forgiven(file.decode(split, &mut records, &mut Effects::default()).map(|()| records))
}

/// Every part of a file, one after the other; none of a file that is refused.
fn parts(handle: &dyn ReaderHandle, bytes: &[u8]) -> Result<Vec<Part>, String> {
    let Some(file) = index(handle, bytes)? else { return Ok(Vec::new()) };
    (0..file.splits().len()).map(|split| decode(&*file, split)).collect()
}

fn same(expected: &[Part], actual: &[Part]) -> Result<(), String> {
    if expected == actual { Ok(()) } else { Err("other records came out".to_owned()) }
}

fn twice(handle: &dyn ReaderHandle, bytes: &[u8]) -> Result<(), String> {
    same(&parts(handle, bytes)?, &parts(handle, bytes)?)
}

fn backwards(handle: &dyn ReaderHandle, bytes: &[u8]) -> Result<(), String> {
    let expected = parts(handle, bytes)?;
    let Some(file) = index(handle, bytes)? else { return Ok(()) };
    let mut actual: Vec<_> =
        (0..file.splits().len()).rev().map(|split| decode(&*file, split)).collect::<Result<_, _>>()?;
    actual.reverse();
    same(&expected, &actual)
}

/// All threads read all parts of one file.
fn at_once(handle: &dyn ReaderHandle, bytes: &[u8]) -> Result<(), String> {
    let expected = parts(handle, bytes)?;
    let Some(file) = index(handle, bytes)? else { return Ok(()) };
    on_threads(|| {
        let actual: Vec<_> =
            (0..file.splits().len()).map(|split| decode(&*file, split)).collect::<Result<_, _>>()?;
        same(&expected, &actual)
    })
}
