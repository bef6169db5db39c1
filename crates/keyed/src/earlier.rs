//! What earlier runs have collected: documents that are there already, of which later ones are duplicates.
//!
//! An **index** is the state of a round in a file: left by a run that was asked to keep one, or merged from the
//! states of shards. Its rows take part when the rows of a key are put in order, before all others, and nothing is
//! said about its documents but that they were first.
//!
//! Positions of other runs mean other documents here, so those of an index are replaced by a hash that no position
//! of this run can be: the upper bit is the file's, of which there are fewer than 2^31.

use std::fs::File;
use std::io::{BufRead, BufReader, BufWriter, Read, Write};
use std::path::{Path, PathBuf};

use tamis_sort::{Batch, Merge, Place, SortError};
use tamis_stage::Failure;
use tamis_stage::keyed::{POSITION_BYTES, Round};
use xxhash_rust::xxh3::xxh3_128_with_seed;

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
        read(path, &one, header).map_err(|failure| {
            Failure::new(format!("the index `{}` cannot be used: {failure}", path.display()))
        })?;
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

fn read(path: &Path, into: &Collected, header: &Header<'_>) -> Result<(), Failure> {
    let file = File::open(path).map_err(Failure::new)?;
    let mut file = BufReader::new(file);
    if file.fill_buf().map_err(Failure::new)?.starts_with(LABEL) {
        let mut label = Vec::new();
        (&mut file).take(MOST_LABEL_BYTES).read_until(b'\n', &mut label).map_err(Failure::new)?;
    }
    state::load(into, header, &mut file)
}

/// Hands entries on with other positions, which stand at `at`.
fn renamed(mut entries: Merge, index: u64, at: usize, mut each: impl FnMut(&[u8])) -> Result<(), SortError> {
    let mut renamed = Vec::new();
    while let Some(entry) = entries.advance()? {
        renamed.clear();
        renamed.extend_from_slice(entry);
        if let Some(position) = renamed.get_mut(at..at + POSITION_BYTES) {
            let other = xxh3_128_with_seed(position, index) | 1 << 127;
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
