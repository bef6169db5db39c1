//! Files that are read anywhere.

use std::io;
use std::sync::Arc;

use tamis_document::{Fate, Record};
use tamis_plugin::{Emit, Failure, FileReader, NewDocument, NoOptions, RandomAccess, SetupError, Split};
use tamis_stage::Block;
use tamis_stage::handle::{Effects, IndexedFile, OpenStage, ReaderHandle};

use crate::{breach, open};

/// Records of 4 bytes, 3 in a part; the first 8 bytes of a file are a word that says what goes wrong.
pub(crate) struct Cells;

thread_local! {
    /// How many files are open that were opened on this thread.
    static OPEN: std::cell::Cell<i32> = const { std::cell::Cell::new(0) };
}

pub(crate) struct Cell {
    trouble: String,
}

impl Drop for Cell {
    fn drop(&mut self) {
        OPEN.set(OPEN.get() - 1);
        assert_ne!(self.trouble, "closing ", "closed");
    }
}

fn word(bytes: &dyn RandomAccess, offset: u64, length: usize) -> Result<String, Failure> {
    let mut word = vec![0; length];
    bytes.read_at(offset, &mut word).map_err(|error| Failure::new(format!("no word: {error}")))?;
    String::from_utf8(word).map_err(Failure::new)
}

impl FileReader for Cells {
    const NAME: &'static str = "cells";
    type Options = NoOptions;
    type File = Cell;

    fn open(_: NoOptions) -> Result<Self, SetupError> {
        Ok(Self)
    }

    fn sniff(&self, head: &[u8], _: bool, name: &str) -> u8 {
        assert!(!head.starts_with(b"panic"), "not looking");
        if name == "cells" { 200 } else { head.len() as u8 }
    }

    fn index(&self, bytes: &dyn RandomAccess, target: u64) -> Result<(Cell, Vec<Split>), Failure> {
        let trouble = word(bytes, 0, 8)?;
        assert_ne!(trouble, "panicky ", "no index");
        let records = (bytes.size() - 8) / 4;
        let mut splits: Vec<_> = (0..records)
            .step_by(target as usize)
            .map(|first_ordinal| {
                let records = target.min(records - first_ordinal);
                let (weight, bytes) = (records * 10, records * 4);
                Split { first_ordinal, records, weight, bytes, token: [8 + first_ordinal * 4, u64::MAX] }
            })
            .collect();
        match trouble.as_str() {
            "refused " => return Err(Failure::new("these are no cells")),
            "past end" => word(bytes, bytes.size() - 1, 2).map(drop)?,
            "far away" => word(bytes, u64::MAX, 2).map(drop)?,
            "unread  " => word(bytes, 0, 9).map(drop)?,
            "gap     " => splits[1].first_ordinal += 1,
            "overlap " => splits[1].first_ordinal -= 1,
            "late    " => splits[0].first_ordinal = 1,
            "no cells" => splits[0].records = 0,
            "too many" => splits[0].records = u64::MAX,
            "overflow" => {
                splits.truncate(1);
                splits.push(Split { first_ordinal: 3, records: u64::MAX, ..splits[0] });
            }
            "heavy   " => splits[0].weight = u64::MAX,
            _ => {}
        }
        OPEN.set(OPEN.get() + 1);
        Ok((Cell { trouble }, splits))
    }

    fn decode(
        &self,
        file: &Cell,
        bytes: &dyn RandomAccess,
        split: &Split,
        emit: &mut dyn Emit,
    ) -> Result<(), Failure> {
        let second = split.first_ordinal == 3;
        for at in 0..split.records {
            let mut ordinal = split.first_ordinal + at;
            let offset = split.token[0] + at * 4;
            match file.trouble.as_str() {
                "forgets " if second && at == 1 => continue,
                "nothing " if second => continue,
                "inside  " if second => assert_eq!(at, 0, "no cell"),
                "strays  " if second && at == 2 => ordinal += 1,
                "returns " if second => ordinal -= 1,
                "bad part" if second && at == 1 => return Err(Failure::new("the part is torn")),
                "unread p" if second && at == 1 => drop(word(bytes, offset, 1000)?),
                "bad cell" if second && at == 1 => {
                    emit.failed(ordinal, offset, b"torn", &Failure::new("the cell is torn"));
                    continue;
                }
                _ => {}
            }
            // On another thread, beside whoever emits.
            let read = std::thread::scope(|scope| {
                let reads: Vec<_> = (0..2).map(|_| scope.spawn(|| word(bytes, offset, 4))).collect();
                reads.into_iter().map(|read| read.join().unwrap()).next_back().unwrap()
            });
            let document = NewDocument { text: &read?, ordinal, offset, length: 4, ..NewDocument::default() };
            emit.document(&document);
        }
        Ok(())
    }
}

/// A file in memory, whose byte 100 cannot be read.
struct Memory(Vec<u8>);

impl RandomAccess for Memory {
    fn size(&self) -> u64 {
        self.0.len() as u64
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<()> {
        if buffer.len() == 9 {
            return Err(io::Error::other("the disk is gone"));
        }
        let start = offset as usize;
        buffer.copy_from_slice(self.0.get(start..start + buffer.len()).ok_or(io::ErrorKind::UnexpectedEof)?);
        Ok(())
    }
}

fn cells() -> Box<dyn ReaderHandle> {
    let OpenStage::Reader(reader) = open("cells") else { panic!("it is a reader") };
    reader
}

/// Indexes a file of seven cells in parts of three.
fn index(trouble: &str) -> Result<Box<dyn IndexedFile>, String> {
    let bytes = format!("{trouble}aaaabbbbccccddddeeeeffffgggg").into_bytes();
    // The handle goes before the file that it has opened.
    cells().index("in/file", Arc::new(Memory(bytes)), 3).map_err(|failure| failure.to_string())
}

fn decode(file: &dyn IndexedFile, split: usize) -> Result<Vec<Record>, String> {
    let mut records = Vec::new();
    file.decode(split, &mut records, &mut Effects::default())
        .map(|()| records)
        .map_err(|failure| failure.to_string())
}

fn texts(records: &[Record]) -> Vec<&str> {
    records.iter().map(|record| record.document.text.as_str()).collect()
}

#[test]
fn a_file_is_indexed_and_its_parts_decoded_in_any_order() {
    let file = index("sound   ").unwrap();
    let parts: Vec<_> = file.splits().iter().map(|it| (it.first_ordinal, it.records, it.weight)).collect();
    assert_eq!(parts, [(0, 3, 30), (3, 3, 30), (6, 1, 10)]);
    assert_eq!(file.splits()[1].token, [20, u64::MAX]);
    let last = decode(&*file, 2).unwrap();
    assert_eq!(texts(&last), ["gggg"]);
    // Who has no id gets one from the runner, which knows where the part stands.
    assert_eq!((last[0].document.id.as_str(), last[0].document.origin.offset), ("", 32));
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| assert_eq!(texts(&decode(&*file, 1).unwrap()), ["dddd", "eeee", "ffff"]));
        }
    });
    assert_eq!(texts(&decode(&*file, 0).unwrap()), ["aaaa", "bbbb", "cccc"]);
    assert_eq!(decode(&*file, 3).unwrap_err(), "the file has 3 parts and no part 3");
}

#[test]
fn a_bad_index_costs_the_file() {
    let says = |message: &str| format!("stage `cells` of plugin `boundary`: {message}");
    let failures = [
        ("refused ", says("these are no cells")),
        (
            "past end",
            says("no word: unexpected end of file; it asked for 2 bytes at byte 35 of a file of 36"),
        ),
        (
            "far away",
            says(
                "no word: unexpected end of file; it asked for 2 bytes at byte 18446744073709551615 of a file \
                 of 36",
            ),
        ),
        (
            "unread  ",
            says(
                "no word: the file could not be read; 9 bytes at byte 0 of the file could not be read: the disk \
                 is gone",
            ),
        ),
        ("gap     ", breach("cells", "its part 1 begins with ordinal 4, and 3 is next")),
        ("overlap ", breach("cells", "its part 1 begins with ordinal 2, and 3 is next")),
        ("late    ", breach("cells", "its part 0 begins with ordinal 1, and 0 is next")),
        ("no cells", breach("cells", "its part 0 has 0 records from ordinal 0 on")),
        ("too many", breach("cells", "its part 1 begins with ordinal 3, and 18446744073709551615 is next")),
        ("overflow", breach("cells", "its part 1 has 18446744073709551615 records from ordinal 3 on")),
        ("heavy   ", breach("cells", "the weights of the parts of a file are more than there can be")),
    ];
    for (trouble, expected) in failures {
        assert_eq!(index(trouble).err(), Some(expected), "{trouble}");
    }
    let panicked = index("panicky ").err().unwrap();
    assert!(panicked.starts_with(&says("the stage panicked: assertion")), "{panicked}");
    assert!(index("sound   ").is_ok(), "the next file is read");
}

#[test]
fn a_bad_part_costs_that_part() {
    let says = |message: &str| format!("stage `cells` of plugin `boundary`: {message}");
    let lost = |read: u64| {
        let lost =
            format!("it read {read} of the 3 records of a part, and did not say that the others failed");
        breach("cells", &lost)
    };
    let failures = [
        ("forgets ", lost(2)),
        ("nothing ", lost(0)),
        ("inside  ", says("the stage panicked: assertion `left == right` failed: no cell")),
        ("strays  ", breach("cells", "it emitted a document with ordinal 6 in a part that ends before 6")),
        (
            "returns ",
            breach("cells", "it emitted a document with ordinal 2, where the least that can follow is 3"),
        ),
        ("bad part", says("the part is torn")),
        (
            "unread p",
            says("no word: unexpected end of file; it asked for 1000 bytes at byte 24 of a file of 36"),
        ),
    ];
    for (trouble, expected) in failures {
        let file = index(trouble).unwrap();
        let failure = decode(&*file, 1).unwrap_err();
        assert!(failure.starts_with(&expected), "{trouble}: {failure}");
        assert_eq!(texts(&decode(&*file, 2).unwrap()), ["gggg"], "{trouble}");
        assert_eq!(texts(&decode(&*file, 0).unwrap()), ["aaaa", "bbbb", "cccc"], "{trouble}");
    }
    let torn = decode(&*index("bad cell").unwrap(), 1).unwrap();
    assert_eq!((torn.len(), &torn[1].fate), (3, &Fate::Failed("the cell is torn".into())));
    assert_eq!(torn[1].document.raw.as_deref(), Some(&b"torn"[..]));
}

#[test]
fn a_file_is_closed_once_and_may_panic_then() {
    let file = index("sound   ").unwrap();
    assert_eq!(OPEN.get(), 1);
    drop(file);
    // One that is refused was opened all the same.
    for trouble in ["heavy   ", "closing "] {
        drop(index(trouble));
        assert_eq!(OPEN.get(), 0, "{trouble}");
    }
}

#[test]
fn a_reader_of_files_takes_no_blocks() {
    let reader = cells();
    let block = Block { file: "f", head: &[], bytes: b"x", offset: 0, first_ordinal: 0 };
    let expected = "the reader reads files anywhere and takes no blocks";
    assert_eq!(reader.cut(&block, true).unwrap_err().to_string(), expected);
    let decoded = reader.decode(&block, &mut Vec::new(), &mut Effects::default());
    assert_eq!(decoded.unwrap_err().to_string(), expected);
    assert_eq!(reader.sniff(b"abc", true, "x"), 3);
    assert_eq!((reader.sniff(b"", true, "cells"), reader.sniff(b"panic", true, "x")), (100, 0));
}
