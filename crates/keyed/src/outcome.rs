//! The outcome of a round in a file: reduced once, and asked by many where it lies.
//!
//! ```text
//! the length of the header, u32, little endian; the header as text: `tamis outcome 1 VERSION`, and what states have;
//! its checksum, u64
//! the table of entries, that of ids in a round that has them: those of `tamis_sort::Table::save`
//! ```
//!
//! A state ([`crate::state`]) is what shards have seen, and each that is given it sorts and reduces all of it: with a
//! hundred shards that is done a hundred times. An outcome is what that comes to, and a shard reads the pages of it
//! that its own documents are on.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::Path;

use tamis_sort::{Shape, SortError, Table};
use tamis_stage::Failure;
use tamis_stage::keyed::{POSITION_BYTES, Round};
use xxhash_rust::xxh3::xxh3_64;

use crate::failure::failed;
use crate::known::Outcome;
use crate::state::{Header, MOST_HEADER_BYTES, unwritten};

/// What the header begins with.
const KIND: &str = "outcome";

/// Writes the outcome of a round.
pub(crate) fn save(outcome: &Outcome, header: &Header<'_>, out: &mut dyn Write) -> Result<(), Failure> {
    let text = header.text(KIND)?;
    let length = (text.len() as u32).to_le_bytes();
    let head = [&length, text.as_bytes(), &xxh3_64(text.as_bytes()).to_le_bytes()].concat();
    out.write_all(&head).map_err(unwritten)?;
    for table in [Some(&outcome.entries), outcome.ids.as_ref()].into_iter().flatten() {
        table.save(out).map_err(|error| match error {
            SortError::Stream(error) => unwritten(error),
            other => failed(other),
        })?;
    }
    Ok(())
}

/// Opens the outcome of a round that begins at `at` in a file.
pub(crate) fn open(header: &Header<'_>, path: &Path, mut at: u64) -> Result<Outcome, Failure> {
    let text = head(path, at).map_err(|_| header.is_none())?;
    header.compare(KIND, &text)?;
    at += (size_of::<u32>() + text.len() + size_of::<u64>()) as u64;
    let (entries, ids) = shapes(header.round);
    let entries = Table::open(path, &mut at, entries).map_err(failed)?;
    let ids = ids.map(|shape| Table::open(path, &mut at, shape)).transpose().map_err(failed)?;
    if path.metadata().is_ok_and(|file| file.len() != at) {
        return Err(Failure::new(format!("more bytes follow the outcome of `{}`", header.stage)));
    }
    Ok(Outcome { entries, key_width: header.round.outcome().1, ids })
}

/// What the tables of an outcome look like.
fn shapes(round: &Round) -> (Shape, Option<Shape>) {
    let (width, key_width) = round.outcome();
    (Shape::fixed(key_width, width), round.ids.then(|| Shape::varied(POSITION_BYTES)))
}

fn head(path: &Path, at: u64) -> io::Result<String> {
    let mut file = File::open(path)?;
    file.seek(SeekFrom::Start(at))?;
    let mut length = [0; size_of::<u32>()];
    file.read_exact(&mut length)?;
    let mut text = vec![0; u32::from_le_bytes(length).min(MOST_HEADER_BYTES) as usize];
    file.read_exact(&mut text)?;
    let mut sum = [0; size_of::<u64>()];
    file.read_exact(&mut sum)?;
    if u64::from_le_bytes(sum) != xxh3_64(&text) {
        return Err(io::ErrorKind::InvalidData.into());
    }
    String::from_utf8(text).map_err(|_| io::ErrorKind::InvalidData.into())
}
