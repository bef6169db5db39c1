//! Reads the table: all of it, or what became of one record.

use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use super::block::{Block, HEADER, Header};
use super::row::{END, ENTRY, FateRow, MAGIC, TAIL};
use crate::error::RunError;

/// An open fate table.
///
/// Opening it reads nothing but its end, and looking something up holds one block in memory, so that a table of
/// billions of rows is as good as one of ten. Several may be open on one file, to scan blocks in parallel.
#[derive(Debug)]
pub struct Fates {
    file: BufReader<File>,
    path: PathBuf,
    index_at: u64,
    blocks: u64,
    rows: u64,
}

impl Fates {
    /// Opens the table at `path`: `.tamis/fates` below the folder of the first export.
    ///
    /// # Errors
    ///
    /// When it cannot be read, or is not whole.
    pub fn open(path: &Path) -> Result<Self, RunError> {
        let bad = |message: &str| RunError::Fates { path: path.to_owned(), message: message.to_owned() };
        let read = || -> io::Result<_> {
            let mut file = File::open(path)?;
            let mut magic = [0; MAGIC.len()];
            file.read_exact(&mut magic)?;
            file.seek(SeekFrom::End(-(TAIL as i64)))?;
            let mut tail = [0; TAIL];
            file.read_exact(&mut tail)?;
            Ok((file, magic, tail))
        };
        let (file, magic, tail) = read().map_err(|error| bad(&error.to_string()))?;
        if magic != MAGIC {
            return Err(bad("it is no fate table, or one of another version of tamis"));
        }
        if !tail.ends_with(END) {
            return Err(bad("it is not whole"));
        }
        let mut words = tail.chunks_exact(8).map(word);
        let mut next = || words.next().unwrap_or(0);
        let (index_at, blocks, rows) = (next(), next(), next());
        Ok(Self { file: BufReader::new(file), path: path.to_owned(), index_at, blocks, rows })
    }

    /// The number of rows: one a record.
    pub fn len(&self) -> u64 {
        self.rows
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.rows == 0
    }

    /// The number of blocks.
    pub fn n_blocks(&self) -> u64 {
        self.blocks
    }

    /// The rows of a block, by its number from 0.
    ///
    /// # Errors
    ///
    /// When it cannot be read, or is damaged.
    pub fn block(&mut self, number: u64) -> Result<Vec<FateRow>, RunError> {
        let (offset, _) = self.entry(number)?;
        let header = self.header(offset)?;
        let mut bytes = vec![0; header.length() as usize];
        self.read(offset + HEADER as u64, &mut bytes)?;
        Block { header, bytes }.unpack().ok_or_else(|| self.damaged())
    }

    /// All rows, in corpus order.
    pub fn rows(&mut self) -> impl Iterator<Item = Result<FateRow, RunError>> {
        let (mut number, mut rows) = (0, Vec::new().into_iter());
        std::iter::from_fn(move || {
            loop {
                if let Some(row) = rows.next() {
                    return Some(Ok(row));
                }
                if number == self.blocks {
                    return None;
                }
                match self.block(number) {
                    Ok(block) => rows = block.into_iter(),
                    Err(error) => {
                        number = self.blocks;
                        return Some(Err(error));
                    }
                }
                number += 1;
            }
        })
    }

    /// What became of the record with this id; several rows where ids of the user repeat.
    ///
    /// Reads the ids of all records, and nothing else of the others.
    ///
    /// # Errors
    ///
    /// As [`Fates::block`].
    pub fn find(&mut self, id: &str) -> Result<Vec<FateRow>, RunError> {
        let mut found = Vec::new();
        for number in 0..self.blocks {
            let (offset, _) = self.entry(number)?;
            let header = self.header(offset)?;
            let (before, stored) = header.ids();
            let mut ids = vec![0; stored];
            self.read(offset + HEADER as u64 + before, &mut ids)?;
            let rows = header.find(&ids, id).ok_or_else(|| self.damaged())?;
            if !rows.is_empty() {
                let block = self.block(number)?.into_iter().enumerate();
                found.extend(block.filter(|(row, _)| rows.contains(row)).map(|(_, row)| row));
            }
        }
        Ok(found)
    }

    /// What became of the record at this position and of what was split off it there.
    ///
    /// # Errors
    ///
    /// As [`Fates::block`].
    pub fn at(&mut self, position: u128) -> Result<Vec<FateRow>, RunError> {
        let (mut low, mut high) = (0, self.blocks);
        while low < high {
            let middle = low + (high - low) / 2;
            if self.entry(middle)?.1 < position { low = middle + 1 } else { high = middle }
        }
        // Behind the blocks that begin before it, of which the last may hold it.
        let mut found = Vec::new();
        for number in low.saturating_sub(1)..self.blocks {
            if self.entry(number)?.1 > position {
                break;
            }
            found.extend(self.block(number)?.into_iter().filter(|row| row.position == position));
        }
        Ok(found)
    }

    /// Where a block begins, and the position of its first row.
    fn entry(&mut self, number: u64) -> Result<(u64, u128), RunError> {
        if number >= self.blocks {
            let message = format!("it has {} blocks, and none with the number {number}", self.blocks);
            return Err(RunError::Fates { path: self.path.clone(), message });
        }
        let mut entry = [0; ENTRY];
        self.read(self.index_at + number * ENTRY as u64, &mut entry)?;
        let mut position = [0; 16];
        position.copy_from_slice(&entry[16..]);
        Ok((word(&entry[..8]), u128::from_le_bytes(position)))
    }

    fn header(&mut self, offset: u64) -> Result<Header, RunError> {
        let mut header = [0; HEADER];
        self.read(offset, &mut header)?;
        let header = Header::of(&header);
        let fits = offset.checked_add(header.length()).is_some_and(|end| end <= self.index_at);
        if fits { Ok(header) } else { Err(self.damaged()) }
    }

    fn read(&mut self, offset: u64, bytes: &mut [u8]) -> Result<(), RunError> {
        let read = self.file.seek(SeekFrom::Start(offset)).and_then(|_| self.file.read_exact(bytes));
        read.map_err(|error| RunError::Fates { path: self.path.clone(), message: error.to_string() })
    }

    fn damaged(&self) -> RunError {
        RunError::Fates { path: self.path.clone(), message: "it was changed since it was written".to_owned() }
    }
}

fn word(bytes: &[u8]) -> u64 {
    let mut word = [0; 8];
    word.copy_from_slice(bytes);
    u64::from_le_bytes(word)
}

/// The blocks that one sweep has written, in order.
pub(super) struct Blocks {
    file: BufReader<File>,
    path: PathBuf,
    /// Bytes that are still to be read.
    rest: u64,
}

impl Blocks {
    /// Reads the first `length` bytes.
    pub(super) fn open(path: &Path, length: u64) -> Result<Self, RunError> {
        let file = File::open(path)
            .map_err(|error| RunError::Fates { path: path.to_owned(), message: error.to_string() })?;
        Ok(Self { file: BufReader::with_capacity(1 << 16, file), path: path.to_owned(), rest: length })
    }

    pub(super) fn next(&mut self) -> Result<Option<Block>, RunError> {
        if self.rest == 0 {
            return Ok(None);
        }
        let mut header = [0; HEADER];
        self.read(&mut header)?;
        let header = Header::of(&header);
        if header.length() > self.rest {
            return Err(self.damaged());
        }
        let mut bytes = vec![0; header.length() as usize];
        self.read(&mut bytes)?;
        Ok(Some(Block { header, bytes }))
    }

    pub(super) fn next_rows(&mut self) -> Result<Option<Vec<FateRow>>, RunError> {
        let Some(block) = self.next()? else { return Ok(None) };
        block.unpack().map(Some).ok_or_else(|| self.damaged())
    }

    fn read(&mut self, bytes: &mut [u8]) -> Result<(), RunError> {
        self.file
            .read_exact(bytes)
            .map_err(|error| RunError::Fates { path: self.path.clone(), message: error.to_string() })?;
        self.rest = self.rest.saturating_sub(bytes.len() as u64);
        Ok(())
    }

    fn damaged(&self) -> RunError {
        RunError::Fates { path: self.path.clone(), message: "it was changed since it was written".to_owned() }
    }
}
