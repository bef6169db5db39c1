//! States whose entries are counted, of stages that are not keyed: what can be told of them without the stage.
//!
//! Where a corpus stage keeps more of a thing than rows of fixed width, such as how a line begins, its state is read by
//! the stage alone. But an entry that a single document of the whole collection has may decide nothing, and most entries
//! of most collections are such. A stage of which that is true writes a **tallied** state:
//!
//! ```text
//! blocks:   the header as text: `tamis tallied 1 VERSION`, the stage, how many bytes a key has, and lines of the stage's own
//!           entries: the length of what follows (u32), the key, the count (u64), and bytes that only the stage can read;
//!           numbers are little endian
//! ```
//!
//! Blocks are those of [`tamis_sort::BlockWriter`]; entries do not cross them. Whoever has the states of all shards adds up
//! the counts of each key, and leaves those entries out whose sum is 1: what comes of the states is the same. [`rows`] hands
//! out what is needed for that, and no text: keys are told by their hash. [`keep`] leaves entries out.

use std::io::{BufReader, Read, Write};

use tamis_sort::{BlockReader, BlockWriter, SortError};
use tamis_stage::Failure;
use tamis_stage::keyed::{Column, Fold, Reduce, Round};
use xxhash_rust::xxh3::xxh3_128;

use crate::state::{MOST_HEADER_BYTES, unwritten};

/// What the header begins with.
const KIND: &[u8] = b"tamis tallied ";
/// The version of this layout; another one is refused.
const FORMAT: &str = "1";
/// Bytes of the length of a block and of an entry.
const LENGTH: usize = 4;
/// Bytes of a count.
const COUNT: usize = 8;
/// Bytes of a row: the hash of a key, and a count.
pub const ROW_BYTES: usize = 16 + COUNT;

/// The rows of tallied states, as a round that sums them: what an engine has to know.
pub fn round() -> Round {
    Round {
        name: "entries".to_owned(),
        key: vec![Column::Bytes(16)],
        columns: vec![Column::U64],
        reduce: Reduce::Fold(vec![Fold::Sum]),
        ids: false,
    }
}

/// Writes a row for each entry of a saved state, in their order: the hash of the key, and the count, the most significant byte
/// first. Whether the state is a tallied one; of any other nothing is written.
///
/// # Errors
///
/// When the state is damaged, or another stage's, or the rows cannot be written.
pub fn rows(stage: &str, saved: &mut dyn Read, out: &mut dyn Write) -> Result<bool, Failure> {
    let mut head = Vec::new();
    let Some(mut entries) = open(stage, saved, &mut head)? else { return Ok(false) };
    while let Some(entry) = entries.advance()? {
        let (key, count) = entry.counted;
        out.write_all(&xxh3_128(key).to_be_bytes()).map_err(unwritten)?;
        out.write_all(&count.to_be_bytes()).map_err(unwritten)?;
    }
    Ok(true)
}

/// Writes a saved state without some of its entries. Of each there is a mark, in their order: a byte that is 1 where it stays,
/// and 0 where it goes. How many have stayed.
///
/// # Errors
///
/// When the state is damaged, another stage's or no tallied one, when there are more or fewer marks than entries, or others, or
/// it cannot be written.
pub fn keep(
    stage: &str,
    saved: &mut dyn Read,
    marks: &mut dyn Read,
    out: &mut dyn Write,
) -> Result<u64, Failure> {
    let mut head = Vec::new();
    let Some(mut entries) = open(stage, saved, &mut head)? else {
        return Err(Failure::new("its entries have no counts, so all of them stay: merge it as it is"));
    };
    let mut blocks = BlockWriter::new(out);
    blocks.block(entries.header.as_bytes()).map_err(unwritten)?;
    let mut marks = BufReader::new(marks).bytes();
    let mut mark = || {
        let read = marks.next().transpose();
        read.map_err(|error| Failure::new(format!("the marks cannot be read: {error}")))
    };
    let of_another = "they are of another state";
    let mut n_kept = 0;
    while let Some(entry) = entries.advance()? {
        match mark()? {
            Some(0) => {}
            Some(1) => {
                blocks.append(|payload| payload.extend_from_slice(entry.whole)).map_err(unwritten)?;
                n_kept += 1;
            }
            Some(other) => return Err(Failure::new(format!("a mark is {other}, but must be 0 or 1"))),
            None => return Err(Failure::new(format!("there are fewer marks than entries: {of_another}"))),
        }
    }
    if mark()?.is_some() {
        return Err(Failure::new(format!("there are more marks than entries: {of_another}")));
    }
    blocks.finish().map_err(unwritten)?;
    Ok(n_kept)
}

/// The entries of a state; nothing if it is no tallied one. `head` is for what is read to see that.
fn open<'s>(
    stage: &'s str,
    saved: &'s mut dyn Read,
    head: &'s mut Vec<u8>,
) -> Result<Option<Entries<'s>>, Failure> {
    let none = |error: std::io::Error| Failure::new(format!("the state cannot be read: {error}"));
    (&mut *saved).take((LENGTH + KIND.len()) as u64).read_to_end(head).map_err(none)?;
    if head.get(LENGTH..) != Some(KIND) {
        return Ok(None);
    }
    let whole: Box<dyn Read + 's> = Box::new(head.as_slice().chain(saved));
    let mut blocks = BlockReader::new(whole);
    let refused = |error: &dyn std::fmt::Display| is_broken(stage, error);
    blocks.advance(MOST_HEADER_BYTES).map_err(|error| refused(&error))?;
    let header = str::from_utf8(blocks.payload()).map_err(|error| refused(&error))?.to_owned();
    let mut lines = header.split('\n');
    let mut line = || lines.next().unwrap_or_default();
    let first = line().as_bytes().strip_prefix(KIND).and_then(|rest| str::from_utf8(rest).ok());
    let (format, program) = first.and_then(|rest| rest.split_once(' ')).unwrap_or_default();
    if format != FORMAT {
        return Err(Failure::new(format!(
            "the state of `{stage}` was saved by tamis {program} in form {format}, and this program reads form \
             {FORMAT}: run the segment that saved it again with this program"
        )));
    }
    let of = line();
    if of != stage {
        return Err(Failure::new(format!("the state was saved by `{of}`, not by `{stage}`")));
    }
    let key_bytes = line().parse().map_err(|_| refused(&"its header does not say how long keys are"))?;
    Ok(Some(Entries { stage, blocks, header, key_bytes, at: usize::MAX }))
}

fn is_broken(stage: &str, error: &dyn std::fmt::Display) -> Failure {
    Failure::new(format!("these bytes are no whole saved state of `{stage}`: {error}"))
}

/// The entries of a state that is being read.
struct Entries<'s> {
    stage: &'s str,
    blocks: BlockReader<Box<dyn Read + 's>>,
    header: String,
    key_bytes: usize,
    /// Where the next one begins in the block at hand.
    at: usize,
}

/// An entry as it lies in its block.
struct Entry<'e> {
    /// With its length.
    whole: &'e [u8],
    counted: (&'e [u8], u64),
}

impl Entries<'_> {
    /// The next entry; at the end, behind which nothing may follow, nothing.
    fn advance(&mut self) -> Result<Option<Entry<'_>>, Failure> {
        let stage = self.stage;
        if self.at >= self.blocks.payload().len() {
            self.at = 0;
            let read = self.blocks.advance(u32::MAX);
            if !read.map_err(|error: SortError| is_broken(stage, &error))? {
                return self.end().map(|()| None);
            }
        }
        let rest = self.blocks.payload().get(self.at..).unwrap_or_default();
        let entry = parsed(rest, self.key_bytes)
            .ok_or_else(|| is_broken(stage, &"a block holds what is no entry with a count"))?;
        self.at += entry.whole.len();
        Ok(Some(entry))
    }

    fn end(&mut self) -> Result<(), Failure> {
        match self.blocks.get_mut().read(&mut [0]) {
            Ok(0) => Ok(()),
            Ok(_) => Err(is_broken(self.stage, &"more bytes follow its end")),
            Err(error) => Err(is_broken(self.stage, &error)),
        }
    }
}

/// The entry at the beginning of some bytes.
fn parsed(bytes: &[u8], key_bytes: usize) -> Option<Entry<'_>> {
    let length = u32::from_le_bytes(*bytes.first_chunk::<LENGTH>()?) as usize;
    let whole = bytes.get(..LENGTH.checked_add(length)?)?;
    let (key, rest) = whole.get(LENGTH..)?.split_at_checked(key_bytes)?;
    Some(Entry { whole, counted: (key, u64::from_le_bytes(*rest.first_chunk()?)) })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    type Counted = (u16, u64, String);

    const HEADER: &str = "tamis tallied 1 0.0.0\nwords\n2\nformat 3\nnone";

    fn state(header: &str, entries: &[Counted]) -> Vec<u8> {
        let mut blocks = BlockWriter::new(Vec::new());
        blocks.block(header.as_bytes()).unwrap();
        for (key, count, text) in entries {
            let body = [&key.to_be_bytes()[..], &count.to_le_bytes(), text.as_bytes()].concat();
            let length = (body.len() as u32).to_le_bytes();
            blocks.append(|payload| payload.extend_from_slice(&[&length, &body[..]].concat())).unwrap();
        }
        blocks.finish().unwrap()
    }

    fn word(key: u16, count: u64) -> Counted {
        (key, count, format!("text of {key}"))
    }

    fn rows_of(state: &[u8]) -> Result<Option<Vec<(u128, u64)>>, String> {
        let mut out = Vec::new();
        let is_tallied = rows("words", &mut &*state, &mut out).map_err(|failure| failure.to_string())?;
        let row = |row: &[u8]| {
            let (key, count) = row.split_at(16);
            (u128::from_be_bytes(key.try_into().unwrap()), u64::from_be_bytes(count.try_into().unwrap()))
        };
        assert_eq!(out.len() % ROW_BYTES, 0);
        Ok(is_tallied.then(|| out.chunks(ROW_BYTES).map(row).collect()))
    }

    fn kept(state: &[u8], marks: &[u8]) -> Result<(u64, Vec<u8>), String> {
        let mut out = Vec::new();
        let n = keep("words", &mut &*state, &mut &*marks, &mut out).map_err(|failure| failure.to_string())?;
        Ok((n, out))
    }

    #[test]
    fn rows_are_those_of_a_round_that_sums() {
        let round = round();
        assert_eq!((round.key_width(), round.collected_width()), (16, ROW_BYTES));
        tamis_stage::keyed::Rounds { rounds: vec![round], ..Default::default() }.check().unwrap();
    }

    #[test]
    fn what_is_no_tallied_state_has_no_rows_and_loses_none() {
        for other in [&b""[..], b"any bytes of a stage", &state("tamis keyed 1 0.0.0\nwords\n\n", &[])] {
            assert_eq!(rows_of(other), Ok(None));
            let said = kept(other, &[]).unwrap_err();
            assert_eq!(said, "its entries have no counts, so all of them stay: merge it as it is");
        }
    }

    #[test]
    fn a_state_that_cannot_be_read_says_why() {
        let whole = state(HEADER, &[word(1, 1), word(2, 5)]);
        let mut damaged = whole.clone();
        let last = whole.len() - 20;
        damaged[last] ^= 1;
        let broken = "these bytes are no whole saved state of `words`: ";
        for (bytes, said) in [
            (damaged, format!("{broken}block 2 has a wrong checksum: its bytes were damaged")),
            (whole[..whole.len() - 1].to_vec(), format!("{broken}the bytes end within block 3")),
            ([&whole[..], b"x"].concat(), format!("{broken}more bytes follow its end")),
            (
                state(&HEADER.replace("words", "others"), &[]),
                "the state was saved by `others`, not by `words`".to_owned(),
            ),
            (
                state(&HEADER.replace("tallied 1", "tallied 2"), &[]),
                "the state of `words` was saved by tamis 0.0.0 in form 2, and this program reads form 1: run \
                 the segment that saved it again with this program"
                    .to_owned(),
            ),
            (
                state("tamis tallied 1 0.0.0\nwords", &[]),
                format!("{broken}its header does not say how long keys are"),
            ),
            (
                state(&HEADER.replace("\n2\n", "\n2000\n"), &[word(1, 1)]),
                format!("{broken}a block holds what is no entry with a count"),
            ),
        ] {
            assert_eq!(rows_of(&bytes).unwrap_err(), said);
            assert_eq!(kept(&bytes, &[1, 1]).unwrap_err(), said);
        }
    }

    #[test]
    fn marks_of_another_state_are_refused() {
        let whole = state(HEADER, &[word(1, 1), word(2, 5)]);
        for (marks, said) in [
            (&[1][..], "there are fewer marks than entries: they are of another state"),
            (&[1, 0, 0], "there are more marks than entries: they are of another state"),
            (&[1, 7], "a mark is 7, but must be 0 or 1"),
        ] {
            assert_eq!(kept(&whole, marks).unwrap_err(), said);
        }
    }

    proptest! {
        #[test]
        fn what_stays_is_what_would_have_been_saved(
            entries in prop::collection::vec((any::<u16>(), any::<u64>(), "\\PC{0,9}", any::<bool>()), 0..200),
        ) {
            let all: Vec<Counted> = entries.iter().map(|(key, count, text, _)| (*key, *count, text.clone())).collect();
            let marks: Vec<u8> = entries.iter().map(|entry| entry.3.into()).collect();
            let left: Vec<Counted> = all.iter().zip(&marks).filter(|(_, mark)| **mark == 1).map(|(entry, _)| entry.clone()).collect();
            let whole = state(HEADER, &all);
            let expected: Vec<_> = all.iter().map(|(key, count, _)| (xxh3_128(&key.to_be_bytes()), *count)).collect();
            prop_assert_eq!(rows_of(&whole).unwrap().unwrap(), expected);
            prop_assert_eq!(kept(&whole, &marks).unwrap(), (left.len() as u64, state(HEADER, &left)));
            prop_assert_eq!(kept(&whole, &vec![1; all.len()]).unwrap().1, whole);
        }

        #[test]
        fn a_changed_state_is_refused_or_no_tallied_one(
            keys in prop::collection::vec(any::<u16>(), 0..20), at in any::<prop::sample::Index>(), bit in 0_u8..8, cut in any::<bool>(),
        ) {
            let mut bytes = state(HEADER, &keys.iter().map(|key| word(*key, 1)).collect::<Vec<_>>());
            let at = at.index(bytes.len());
            if cut { bytes.truncate(at) } else { bytes[at] ^= 1_u8 << bit }
            // Where it is told by its first bytes, those of the stage are refused by the stage.
            let is_head = (LENGTH..LENGTH + KIND.len()).contains(&at) || (cut && at < LENGTH);
            prop_assert!(rows_of(&bytes).map_or(!is_head, |rows| rows.is_none() && is_head));
        }
    }
}
