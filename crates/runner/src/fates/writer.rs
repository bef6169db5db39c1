//! Writes the rows of each sweep as they come, and the table when all is over.

use std::fs::File;
use std::io::{BufWriter, Seek, Write};
use std::path::{Path, PathBuf};

use xxhash_rust::xxh3::Xxh3;

use super::block::{Block, Builder};
use super::reader::Blocks;
use super::row::{END, FateRow, MAGIC};
use crate::disk::appended::Appended;
use crate::disk::file::{FileEntry, rename};
use crate::disk::names::temporary;
use crate::error::RunError;

/// Rows of a block where those of several sweeps are merged.
const MERGED_ROWS: u32 = 4096;

/// Appends what became of records in one sweep, as the run writes its results.
pub(crate) struct FateWriter(Appended);

impl FateWriter {
    /// Goes on with a file of which `length` bytes hold, or begins one.
    pub(crate) fn open(path: PathBuf, length: u64) -> Result<Self, RunError> {
        Appended::open(path, length).map(Self)
    }

    pub(crate) fn write(&mut self, block: &Block) -> Result<(), RunError> {
        self.0.write(&block.header.to_bytes(), &block.bytes)
    }

    /// What was written so far is on the disk when this returns; how much that is.
    pub(crate) fn save(&mut self) -> Result<u64, RunError> {
        self.0.save()
    }

    /// How much was written so far.
    pub(crate) fn length(&self) -> u64 {
        self.0.length()
    }
}

/// Makes the table of the rows of all sweeps, of which each file holds so many bytes; what is there stays, so that a
/// run that is killed now can do it again.
///
/// What one sweep alone has made is in order and copied block by block. Those of several are merged: each record has
/// left in one of them.
pub(crate) fn finish(sweeps: &[(PathBuf, u64)], path: &Path, name: &str) -> Result<FileEntry, RunError> {
    let mut table = Table::create(path)?;
    let mut blocks = Vec::new();
    for (sweep, length) in sweeps {
        blocks.push(Blocks::open(sweep, *length)?);
    }
    if let [only] = blocks.as_mut_slice() {
        while let Some(block) = only.next()? {
            table.push(&block)?;
        }
    } else {
        merge(blocks, &mut table)?;
    }
    table.finish(name)
}

/// Merges rows by position; of those with one position the ones from earlier sweeps come first.
fn merge(blocks: Vec<Blocks>, table: &mut Table) -> Result<(), RunError> {
    let mut sweeps = Vec::with_capacity(blocks.len());
    for blocks in blocks {
        sweeps.extend(Sweep::new(blocks)?);
    }
    let mut builder = Builder::default();
    // There are as many as a plan has passes: a heap would not be worth its lines.
    while let Some(next) = sweeps.iter_mut().min_by_key(|sweep| sweep.next.position) {
        let row = &next.next;
        builder.push(&row.id, row.position, &row.fate, row.stage.as_deref(), &row.measures);
        if !next.step()? {
            sweeps.retain(|sweep| !sweep.is_over);
        }
        if builder.rows == MERGED_ROWS {
            table.push_all(std::mem::take(&mut builder))?;
        }
    }
    table.push_all(builder)
}

/// One of the files that are merged.
struct Sweep {
    blocks: Blocks,
    rows: std::vec::IntoIter<FateRow>,
    next: FateRow,
    is_over: bool,
}

impl Sweep {
    fn new(mut blocks: Blocks) -> Result<Option<Self>, RunError> {
        let Some(mut rows) = blocks.next_rows()?.map(IntoIterator::into_iter) else { return Ok(None) };
        Ok(rows.next().map(|next| Self { blocks, rows, next, is_over: false }))
    }

    /// Goes on to the next row; false if there is none.
    fn step(&mut self) -> Result<bool, RunError> {
        loop {
            if let Some(row) = self.rows.next() {
                self.next = row;
                return Ok(true);
            }
            let Some(rows) = self.blocks.next_rows()? else {
                self.is_over = true;
                return Ok(false);
            };
            self.rows = rows.into_iter();
        }
    }
}

/// The table while it is written, under its temporary name.
struct Table {
    path: PathBuf,
    out: BufWriter<File>,
    hash: blake3::Hasher,
    /// The entries, in a file: there is one for each task of the run.
    index: BufWriter<File>,
    blocks: u64,
    rows: u64,
}

impl Table {
    fn create(path: &Path) -> Result<Self, RunError> {
        let write = RunError::write(path);
        let out = BufWriter::new(File::create(temporary(path)).map_err(write)?);
        let index =
            tempfile::tempfile_in(path.parent().unwrap_or(Path::new("."))).map_err(RunError::write(path))?;
        let hash = blake3::Hasher::new();
        let mut table =
            Self { path: path.to_owned(), out, hash, index: BufWriter::new(index), blocks: 0, rows: 0 };
        table.put(MAGIC)?;
        Ok(table)
    }

    fn put(&mut self, bytes: &[u8]) -> Result<(), RunError> {
        self.hash.update(bytes);
        self.out.write_all(bytes).map_err(RunError::write(&self.path))
    }

    fn push(&mut self, block: &Block) -> Result<(), RunError> {
        let mut entry = self.hash.count().to_le_bytes().to_vec();
        entry.extend_from_slice(&self.rows.to_le_bytes());
        entry.extend_from_slice(&block.header.first.to_le_bytes());
        self.index.write_all(&entry).map_err(RunError::write(&self.path))?;
        self.blocks += 1;
        self.rows += u64::from(block.header.rows);
        self.put(&block.header.to_bytes())?;
        self.put(&block.bytes)
    }

    fn push_all(&mut self, rows: Builder) -> Result<(), RunError> {
        rows.finish()?.map_or(Ok(()), |block| self.push(&block))
    }

    fn finish(mut self, name: &str) -> Result<FileEntry, RunError> {
        let index_at = self.hash.count();
        let mut index = self.rewound().map_err(RunError::write(&self.path))?;
        let mut sum = Xxh3::new();
        let mut bytes = [0; 1 << 13];
        loop {
            let n = std::io::Read::read(&mut index, &mut bytes).map_err(RunError::write(&self.path))?;
            let Some(some) = bytes.get(..n).filter(|some| !some.is_empty()) else { break };
            sum.update(some);
            self.put(some)?;
        }
        for number in [index_at, self.blocks, self.rows, sum.digest()] {
            self.put(&number.to_le_bytes())?;
        }
        self.put(END)?;
        let synced = self.out.flush().and_then(|()| self.out.get_ref().sync_all());
        synced.map_err(RunError::write(&self.path))?;
        rename(&self.path)?;
        let blake3 = self.hash.finalize().to_hex().to_string();
        Ok(FileEntry { name: name.to_owned(), bytes: self.hash.count(), records: self.rows, blake3 })
    }

    /// The entries from their beginning.
    fn rewound(&mut self) -> std::io::Result<File> {
        self.index.flush()?;
        let mut index = self.index.get_ref().try_clone()?;
        index.rewind()?;
        Ok(index)
    }
}
