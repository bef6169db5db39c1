//! What earlier runs have collected: documents that are there already, of which later ones are duplicates.
//!
//! An **index** is the state of a round in a file: left by a run that was asked to keep one, or merged from the
//! states of shards. Its rows take part when the rows of a key are put in order, before all others, and nothing is
//! said about its documents but that they were first.
//!
//! A stage with more rounds than that has an index of its own form, a round that is kept as it is: its rows are
//! shown to the stage at the end of each round ([`recall`]), which emits rows about them as if they were documents of
//! this run.
//!
//! Positions of other runs mean other documents here, so those of an index are replaced by some that no position
//! of this run can be: the upper bit is that of the number of its file, of which there are fewer than 2^31. Behind it
//! stands the number of the index, so that of two that have a text the one that was named first keeps it: what the
//! other one has seen may have been dropped for it.

use std::fs::File;
use std::io::{BufRead, BufReader, BufWriter, Read, Write};
use std::path::{Path, PathBuf};

use tamis_sort::{Batch, Merge, Place, SortError};
use tamis_stage::Failure;
use tamis_stage::keyed::{EARLIER, POSITION_BYTES, Round};
use xxhash_rust::xxh3::xxh3_128;

use crate::collect::Collected;
use crate::failure::failed;
use crate::state::{self, Header};

/// The name of an index in the folder of what a stage has learned.
const NAME: &str = "index.state";
/// What `tamis` writes before a state that it saves: one line, which begins like this.
const LABEL: &[u8] = b"{\"tamis_state\"";
const MOST_LABEL_BYTES: u64 = 4096;

/// Reads indexes, as if one run had collected all of them.
pub(crate) fn load(
    round: &Round,
    header: &Header<'_>,
    files: &[PathBuf],
    place: Option<&Place>,
) -> Result<Option<Collected>, Failure> {
    if files.is_empty() {
        return Ok(None);
    }
    let part = place.map(Place::part);
    let collected = |name: &str| {
        let name = format!("{}.{name}", round.name);
        Collected::new(&Round { name, ..round.clone() }, part.as_ref())
    };
    let all = collected("earlier");
    for (number, path) in (0_u64..).zip(files) {
        let one = collected("index");
        open(path).and_then(|mut file| state::load(&one, header, &mut file)).map_err(unusable(path))?;
        let mut batch = Batch::default();
        let rows = one.rows.drain().map_err(failed)?;
        // Of a key the first row alone: only of that document a state has the id, and other positions are another
        // order.
        let mut key = Vec::new();
        let first_of_key = |entry: &[u8]| {
            let this = entry.get(..round.key_width()).unwrap_or(entry);
            if key != this {
                key.clear();
                key.extend_from_slice(this);
                all.rows.push(&mut batch, entry);
            }
        };
        renamed(rows, number, round.row_width(), first_of_key).map_err(failed)?;
        all.rows.add(&mut batch);
        if let (Some(from), Some(to)) = (&one.ids, &all.ids) {
            let ids = from.drain().map_err(failed)?;
            renamed(ids, number, 0, |entry| to.push(&mut batch, entry)).map_err(failed)?;
            to.add(&mut batch);
        }
    }
    Ok(Some(all))
}

/// Is shown a row of an index, and the position that its document has in this run.
pub(crate) type Recalled<'r> = dyn FnMut(u128, &[u8]) -> Result<(), Failure> + 'r;

/// Shows what an index has of each document: a row with the position that it has in this run, and that with its id.
///
/// Rows and ids of an index are in one order, that of the positions, and each document has one of both, so counting is
/// enough to tell which belong together.
pub(crate) fn recall(
    path: &Path,
    number: usize,
    header: &Header<'_>,
    row: &mut Recalled<'_>,
    id: &mut dyn FnMut(u128, &[u8]),
) -> Result<(), Failure> {
    let (mut n_rows, mut n_ids) = (0, 0);
    let next = |n: &mut u128| {
        let position = EARLIER | (number as u128 & MOST_INDEXES) << ORDINAL_BITS | *n;
        *n += 1;
        position
    };
    let mut entry = Vec::new();
    let at = header.round.row_width();
    let mut each_row = |stored: &[u8]| {
        let position = next(&mut n_rows);
        entry.clear();
        entry.extend_from_slice(stored);
        for at in [0, at] {
            if let Some(own) = entry.get_mut(at..at + POSITION_BYTES) {
                own.copy_from_slice(&position.to_be_bytes());
            }
        }
        row(position, &entry)
    };
    let mut each_id = |stored: &[u8]| {
        id(next(&mut n_ids), stored.get(POSITION_BYTES..).unwrap_or_default());
        Ok(())
    };
    let shown = open(path).and_then(|mut file| state::show(header, &mut file, &mut each_row, &mut each_id));
    shown
        .and_then(|()| {
            let differs = || Failure::new(format!("it has {n_rows} documents and {n_ids} ids"));
            if n_rows == n_ids { Ok(()) } else { Err(differs()) }
        })
        .map_err(unusable(path))
}

/// Bits of a position that tell documents of one index apart.
const ORDINAL_BITS: u32 = 96;
/// So many indexes are told apart; more than can be open are never named.
const MOST_INDEXES: u128 = 0x7FFF_FFFF;

fn unusable(path: &Path) -> impl Fn(Failure) -> Failure + '_ {
    move |failure| Failure::new(format!("the index `{}` cannot be used: {failure}", path.display()))
}

/// Opens an index, behind the line that `tamis` writes before a state that it saves.
fn open(path: &Path) -> Result<BufReader<File>, Failure> {
    let file = File::open(path).map_err(Failure::new)?;
    let mut file = BufReader::new(file);
    if file.fill_buf().map_err(Failure::new)?.starts_with(LABEL) {
        let mut label = Vec::new();
        (&mut file).take(MOST_LABEL_BYTES).read_until(b'\n', &mut label).map_err(Failure::new)?;
    }
    Ok(file)
}

/// Hands entries on with other positions, which stand at `at`.
fn renamed(mut entries: Merge, index: u64, at: usize, mut each: impl FnMut(&[u8])) -> Result<(), SortError> {
    let mut renamed = Vec::new();
    while let Some(entry) = entries.advance()? {
        renamed.clear();
        renamed.extend_from_slice(entry);
        if let Some(position) = renamed.get_mut(at..at + POSITION_BYTES) {
            let hash = xxh3_128(position) & ((1 << ORDINAL_BITS) - 1);
            let other = EARLIER | (u128::from(index) & MOST_INDEXES) << ORDINAL_BITS | hash;
            position.copy_from_slice(&other.to_be_bytes());
        }
        each(&renamed);
    }
    Ok(())
}

/// Leaves what was collected as an index in a folder, whole or not at all.
pub(crate) fn keep(
    collected: &Collected,
    header: &Header<'_>,
    place: Option<&Place>,
    folder: &Path,
) -> Result<(), Failure> {
    let path = folder.join(NAME);
    let written = |error: std::io::Error| {
        let way_out = tamis_sort::way_out(&error, "make room there");
        Failure::new(format!("the index `{}` cannot be written: {error}: {way_out}", path.display()))
    };
    std::fs::create_dir_all(folder).map_err(written)?;
    let unfinished = folder.join(format!(".{NAME}"));
    let mut out = BufWriter::new(File::create(&unfinished).map_err(written)?);
    state::save(collected, header, place, &mut out)?;
    out.flush().and_then(|()| out.get_ref().sync_all()).map_err(written)?;
    std::fs::rename(&unfinished, &path).map_err(written)
}

/// The rows of an index, beside rows in the same order.
pub(crate) struct Beside {
    rows: Merge,
    key_width: usize,
    ahead: Option<Vec<u8>>,
    is_begun: bool,
}

impl Beside {
    pub(crate) fn new(rows: Merge, key_width: usize) -> Self {
        Self { rows, key_width, ahead: None, is_begun: false }
    }

    /// The first row with a key, which is not before the last one asked for.
    pub(crate) fn of(&mut self, key: &[u8]) -> Result<Option<&[u8]>, SortError> {
        loop {
            let ahead =
                self.ahead.as_ref().map(|ahead| ahead.get(..self.key_width).unwrap_or(ahead).cmp(key));
            match ahead {
                Some(std::cmp::Ordering::Less) => {}
                None if !self.is_begun => {}
                Some(std::cmp::Ordering::Equal) => return Ok(self.ahead.as_deref()),
                Some(std::cmp::Ordering::Greater) | None => return Ok(None),
            }
            self.is_begun = true;
            self.ahead = self.rows.advance()?.map(<[u8]>::to_vec);
        }
    }
}
