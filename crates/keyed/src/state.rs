//! What a round has collected, as bytes: for the next run, for other shards, and for engines.
//!
//! ```text
//! blocks:   the header as text: `tamis keyed 1 VERSION`, the stage, the round as JSON, what it observes
//!           entries of fixed width one behind the other, or each with its length before it (u32, little endian)
//! blocks:   ids, in a round that has them: the length, a position, the id
//! ```
//!
//! Blocks are those of [`tamis_sort::BlockWriter`]: length, payload, checksum. Entries are in the order of their
//! bytes: the key, the columns, the position of the document unless the round folds, and what follows the row
//! where groups are visited. Two states are merged by merging them, and an engine may read them as a table.
//!
//! Of ids only those are saved that can be asked for: where the first of a key is wanted, those of the first of each
//! key in this state.

use std::io::{Read, Write};

use tamis_sort::{Batch, BlockReader, BlockWriter, Combine, Merge, Place, Shape, SortError, Sorter};
use tamis_stage::Failure;
use tamis_stage::keyed::{POSITION_BYTES, Reduce, Round};

use crate::collect::Collected;
use crate::failure::failed;
use crate::wanted::only_wanted;

/// What the header begins with.
const KIND: &str = "keyed";
/// The version of this form; another one is refused.
const FORMAT: u32 = 1;
const PROGRAM: &str = env!("CARGO_PKG_VERSION");
/// A header is some hundred bytes; what claims more is none.
pub(crate) const MOST_HEADER_BYTES: u32 = 64 * 1024;

/// What a state says of itself.
pub(crate) struct Header<'a> {
    pub(crate) stage: &'a str,
    pub(crate) round: &'a Round,
    pub(crate) observes: &'a str,
}

impl Header<'_> {
    fn round(&self) -> Result<String, Failure> {
        serde_json::to_string(self.round).map_err(Failure::new)
    }

    /// The header of a file of this kind.
    pub(crate) fn text(&self, kind: &str) -> Result<String, Failure> {
        let (stage, observes) = (self.stage, self.observes);
        Ok(format!("tamis {kind} {FORMAT} {PROGRAM}\n{stage}\n{}\n{observes}", self.round()?))
    }

    fn is_broken(&self, error: &SortError) -> Failure {
        Failure::new(format!("these bytes are no whole saved state of `{}`: {error}", self.stage))
    }

    pub(crate) fn is_none(&self) -> Failure {
        Failure::new(format!("these bytes are no saved state of `{}`", self.stage))
    }

    /// Reads a header and compares it with this one.
    fn check<R: Read>(&self, blocks: &mut BlockReader<R>) -> Result<(), Failure> {
        blocks.advance(MOST_HEADER_BYTES).map_err(|_| self.is_none())?;
        let text = std::str::from_utf8(blocks.payload()).map_err(|_| self.is_none())?;
        self.compare(KIND, text)
    }

    /// Compares the header of a file with this one.
    pub(crate) fn compare(&self, kind: &str, text: &str) -> Result<(), Failure> {
        let stage = self.stage;
        let mut lines = text.splitn(4, '\n');
        let mut line = || lines.next().unwrap_or_default();
        let first = line().strip_prefix("tamis ").and_then(|line| line.strip_prefix(kind));
        let (format, program) =
            first.and_then(|line| line.trim_start().split_once(' ')).ok_or_else(|| self.is_none())?;
        let (of, round, observes) = (line(), line(), line());
        if format != FORMAT.to_string() {
            return Err(Failure::new(format!(
                "the state of `{stage}` was saved by tamis {program} with format {format}, and tamis {PROGRAM} \
                 reads format {FORMAT}: run the segment that saved it again with this program"
            )));
        }
        if of != stage {
            return Err(Failure::new(format!("the state was saved by `{of}`, not by `{stage}`")));
        }
        if round != self.round()? {
            return Err(Failure::new(format!("the state of `{stage}` is of another round: {round}")));
        }
        if observes != self.observes {
            return Err(Failure::new(format!(
                "the state of `{stage}` was saved with other options: {observes} there, {} here",
                self.observes
            )));
        }
        Ok(())
    }
}

/// A state that cannot be written, with what to do about it.
#[expect(clippy::needless_pass_by_value, reason = "errors are mapped by it")]
pub(crate) fn unwritten(error: std::io::Error) -> Failure {
    let way_out = tamis_sort::way_out(&error, "make room there");
    Failure::new(format!("the state cannot be written: {error}: {way_out}"))
}

/// Writes what was collected and merged; it stays.
pub(crate) fn save(
    collected: &Collected,
    header: &Header<'_>,
    place: Option<&Place>,
    out: &mut dyn Write,
) -> Result<(), Failure> {
    let mut blocks = BlockWriter::new(&mut *out);
    blocks.block(header.text(KIND)?.as_bytes()).map_err(unwritten)?;
    let shape = collected.rows.shape();
    let mut firsts = Firsts::new(collected, place);
    let mut rows = collected.rows.merged().map_err(failed)?;
    while let Some(entry) = rows.advance().map_err(failed)? {
        firsts.see(entry);
        blocks.append(|payload| append(entry, shape, payload)).map_err(unwritten)?;
    }
    blocks.finish().map_err(unwritten)?;
    let Some(ids) = &collected.ids else { return Ok(()) };
    let mut blocks = BlockWriter::new(out);
    let mut write = |entry: &[u8]| -> Result<(), SortError> {
        Ok(blocks.append(|payload| append(entry, ids.shape(), payload))?)
    };
    let mut all = ids.merged().map_err(failed)?;
    if collected.round.reduce == Reduce::First {
        only_wanted(all, firsts.finish().map_err(failed)?, &mut write).map_err(failed)?;
    } else {
        while let Some(entry) = all.advance().map_err(failed)? {
            write(entry).map_err(failed)?;
        }
    }
    blocks.finish().map_err(unwritten)?;
    Ok(())
}

fn append(entry: &[u8], shape: Shape, payload: &mut Vec<u8>) {
    if shape.width.is_none() {
        payload.extend_from_slice(&(entry.len() as u32).to_le_bytes());
    }
    payload.extend_from_slice(entry);
}

/// The positions of the first document of each key, if their ids are wanted: found while rows are written, because
/// to merge the runs once more would take as long again.
struct Firsts<'c> {
    round: &'c Round,
    sorter: Sorter,
    batch: Batch,
    key: Option<Vec<u8>>,
    is_wanted: bool,
}

impl<'c> Firsts<'c> {
    fn new(collected: &'c Collected, place: Option<&Place>) -> Self {
        let (round, shape) = (&collected.round, Shape::fixed(POSITION_BYTES, POSITION_BYTES));
        let name = format!("{}.saved", round.name);
        let sorter = Sorter::new(name, shape, Combine::Unique, place.map(Place::part).as_ref());
        let is_wanted = round.reduce == Reduce::First && collected.ids.is_some();
        Self { round, sorter, batch: Batch::default(), key: None, is_wanted }
    }

    fn see(&mut self, entry: &[u8]) {
        let key = entry.get(..self.round.key_width()).unwrap_or_default();
        if self.is_wanted && self.key.as_deref() != Some(key) {
            let last = self.key.get_or_insert_default();
            last.clear();
            last.extend_from_slice(key);
            self.sorter.push(&mut self.batch, entry.get(self.round.row_width()..).unwrap_or_default());
        }
    }

    fn finish(mut self) -> Result<Merge, SortError> {
        self.sorter.add(&mut self.batch);
        self.sorter.drain()
    }
}

/// Merges a saved state in.
pub(crate) fn load(collected: &Collected, header: &Header<'_>, state: &mut dyn Read) -> Result<(), Failure> {
    let refused = |error: SortError| header.is_broken(&error);
    let mut blocks = BlockReader::new(state);
    header.check(&mut blocks)?;
    let mut state = entries(blocks, &collected.rows).map_err(refused)?;
    if let Some(ids) = &collected.ids {
        state = entries(BlockReader::new(state), ids).map_err(refused)?;
    }
    match state.read(&mut [0]) {
        Ok(0) => Ok(()),
        Ok(_) => Err(refused(damaged("more bytes follow its end"))),
        Err(error) => Err(refused(error.into())),
    }
}

/// Writes the rows of a saved state, one behind the other.
pub(crate) fn rows(
    header: &Header<'_>,
    shape: Shape,
    state: &mut dyn Read,
    out: &mut dyn Write,
) -> Result<(), Failure> {
    let mut blocks = BlockReader::new(state);
    header.check(&mut blocks)?;
    let mut entries = Entries::new(blocks, shape);
    let mut entry = Vec::new();
    while entries.read(&mut entry).map_err(|error| header.is_broken(&error))? {
        out.write_all(&entry).map_err(unwritten)?;
        entry.clear();
    }
    Ok(())
}

/// Takes rows of one width, one behind the other.
pub(crate) fn load_rows(collected: &Collected, rows: &mut dyn Read) -> Result<(), Failure> {
    let width = collected.rows.shape().width.unwrap_or_default();
    let (mut batch, mut entry) = (Batch::default(), Vec::new());
    loop {
        entry.clear();
        rows.take(width as u64).read_to_end(&mut entry).map_err(Failure::new)?;
        if entry.len() < width.max(1) {
            break;
        }
        collected.rows.push(&mut batch, &entry);
    }
    collected.rows.add(&mut batch);
    if entry.is_empty() { Ok(()) } else { Err(Failure::new("the rows end inside of one")) }
}

/// Merges in what a saved state has beside its rows, which are read and not kept.
pub(crate) fn load_beside_rows(
    collected: &Collected,
    header: &Header<'_>,
    state: &mut dyn Read,
) -> Result<(), Failure> {
    let Some(ids) = &collected.ids else { return Ok(()) };
    let mut blocks = BlockReader::new(state);
    header.check(&mut blocks)?;
    while blocks.advance(u32::MAX).map_err(|error| header.is_broken(&error))? {}
    let ids = entries(BlockReader::new(blocks.into_inner()), ids);
    ids.map(drop).map_err(|error| header.is_broken(&error))
}

fn damaged(message: &str) -> SortError {
    SortError::Damaged { message: message.to_owned() }
}

/// Reads the entries of a sequence of blocks into a sorter.
fn entries<R: Read>(blocks: BlockReader<R>, sorter: &Sorter) -> Result<R, SortError> {
    let mut entries = Entries::new(blocks, sorter.shape());
    sorter.add_run(|entry| entries.read(entry))?;
    Ok(entries.blocks.into_inner())
}

/// The entries of a sequence of blocks.
struct Entries<R> {
    blocks: BlockReader<R>,
    shape: Shape,
    /// Where the next one begins in the block at hand.
    at: usize,
}

impl<R: Read> Entries<R> {
    fn new(blocks: BlockReader<R>, shape: Shape) -> Self {
        Self { blocks, shape, at: usize::MAX }
    }

    /// Appends the next entry to `entry`; `false` at the end.
    fn read(&mut self, entry: &mut Vec<u8>) -> Result<bool, SortError> {
        if self.at >= self.blocks.payload().len() {
            self.at = 0;
            if !self.blocks.advance(u32::MAX)? {
                return Ok(false);
            }
        }
        let rest = self.blocks.payload().get(self.at..).unwrap_or_default();
        let (head, length) = match self.shape.width {
            Some(width) => (0, width),
            None => (4, rest.first_chunk().map_or(0, |bytes| u32::from_le_bytes(*bytes) as usize)),
        };
        let found = rest.get(head..).and_then(|rest| rest.get(..length));
        let found = found.filter(|found| found.len() >= self.shape.key);
        entry.extend_from_slice(found.ok_or_else(|| damaged("a block holds what is no entry"))?);
        self.at += head + length;
        Ok(true)
    }
}

/// Is shown entries.
pub(crate) type Each<'e> = dyn FnMut(&[u8]) -> Result<(), Failure> + 'e;

/// Shows the rows of a saved state in their order, and behind them its ids, without holding them. The round is one with
/// ids.
pub(crate) fn show<'s>(
    header: &Header<'_>,
    state: &mut dyn Read,
    row: &'s mut Each<'s>,
    id: &'s mut Each<'s>,
) -> Result<(), Failure> {
    let refused = |error: SortError| header.is_broken(&error);
    let mut blocks = BlockReader::new(state);
    header.check(&mut blocks)?;
    let of_rows = Shape::varied(header.round.row_width() + POSITION_BYTES);
    let mut entry = Vec::new();
    for (shape, each) in [(of_rows, row), (Shape::varied(POSITION_BYTES), id)] {
        let mut entries = Entries::new(blocks, shape);
        while entries.read(&mut entry).map_err(refused)? {
            each(&entry)?;
            entry.clear();
        }
        blocks = BlockReader::new(entries.blocks.into_inner());
    }
    match blocks.into_inner().read(&mut [0]) {
        Ok(0) => Ok(()),
        Ok(_) => Err(refused(damaged("more bytes follow its end"))),
        Err(error) => Err(refused(error.into())),
    }
}
