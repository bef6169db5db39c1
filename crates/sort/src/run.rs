//! A sorted run, in memory or on the disk, and a reader of one.

use std::fs::File;
use std::io::{BufReader, BufWriter};
use std::path::PathBuf;
use std::sync::Arc;

use crate::blocks::{BlockReader, BlockWriter};
use crate::error::SortError;
use crate::shape::Shape;

/// A run on the disk, gone when dropped.
#[derive(Debug)]
pub(crate) struct RunFile {
    path: PathBuf,
}

impl Drop for RunFile {
    fn drop(&mut self) {
        // The folder is removed after the run; a file more in it costs space only.
        let _ = std::fs::remove_file(&self.path);
    }
}

/// A run that is being written.
pub(crate) struct NewRun {
    file: RunFile,
    shape: Shape,
    blocks: BlockWriter<BufWriter<File>>,
}

impl NewRun {
    pub(crate) fn create(path: PathBuf, shape: Shape) -> Result<Self, SortError> {
        let file = File::create(&path).map_err(SortError::unwritable(&path))?;
        let blocks = BlockWriter::new(BufWriter::new(file));
        Ok(Self { file: RunFile { path }, shape, blocks })
    }

    pub(crate) fn push(&mut self, entry: &[u8]) -> Result<(), SortError> {
        let shape = self.shape;
        self.blocks
            .append(|out| shape.append(entry, out))
            .map_err(|error| SortError::unwritable(&self.file.path)(error))
    }

    pub(crate) fn finish(self) -> Result<RunFile, SortError> {
        self.blocks.finish().map_err(SortError::unwritable(&self.file.path))?;
        Ok(self.file)
    }
}

/// Entries of one run, one after the other.
pub(crate) struct Source {
    from: From,
    shape: Shape,
    /// Where the entry stands that comes next, in the bytes at hand.
    entry: (usize, usize),
}

enum From {
    Memory(Arc<Vec<u8>>),
    Disk { blocks: BlockReader<BufReader<File>>, file: Arc<RunFile> },
}

impl Source {
    /// The entries of a run in memory; `None` when there are none.
    pub(crate) fn memory(bytes: Arc<Vec<u8>>, shape: Shape) -> Result<Option<Self>, SortError> {
        Self { from: From::Memory(bytes), shape, entry: (0, 0) }.begun()
    }

    /// The entries of a file; `None` when there are none.
    pub(crate) fn disk(file: Arc<RunFile>, shape: Shape) -> Result<Option<Self>, SortError> {
        let opened = File::open(&file.path).map_err(|error| SortError::from(error).unreadable(&file.path))?;
        let blocks = BlockReader::new(BufReader::new(opened));
        Self { from: From::Disk { blocks, file }, shape, entry: (0, 0) }.begun()
    }

    fn begun(mut self) -> Result<Option<Self>, SortError> {
        Ok(self.advance()?.then_some(self))
    }

    /// The entry at hand.
    pub(crate) fn entry(&self) -> &[u8] {
        self.bytes().get(self.entry.0..self.entry.1).unwrap_or_default()
    }

    /// Goes on to the next entry; `false` at the end.
    pub(crate) fn advance(&mut self) -> Result<bool, SortError> {
        let mut at = self.entry.1;
        if at == self.bytes().len() {
            let From::Disk { blocks, file } = &mut self.from else { return Ok(false) };
            if !blocks.advance(u32::MAX).map_err(|error| error.unreadable(&file.path))? {
                return Ok(false);
            }
            at = 0;
        }
        self.entry = self
            .shape
            .entry(self.bytes(), at)
            .ok_or_else(|| SortError::damaged("a run holds what is no entry"))?;
        Ok(true)
    }

    fn bytes(&self) -> &[u8] {
        match &self.from {
            From::Memory(bytes) => bytes,
            From::Disk { blocks, .. } => blocks.payload(),
        }
    }
}
