//! Files to which a run appends as it goes, and with which the next one goes on where they hold.

use std::fs::File;
use std::io::{self, Seek, SeekFrom, Write};
use std::path::PathBuf;

use crate::error::RunError;

/// A file that grows by whole pieces.
pub(crate) struct Appended {
    file: File,
    path: PathBuf,
    length: u64,
}

impl Appended {
    /// Goes on with a file of which `length` bytes hold, or begins one.
    pub(crate) fn open(path: PathBuf, length: u64) -> Result<Self, RunError> {
        let open = || {
            let mut file = File::options().create(true).truncate(false).write(true).open(&path)?;
            check_length(&file, length)?;
            file.set_len(length)?;
            file.seek(SeekFrom::End(0))?;
            Ok(file)
        };
        let file = open().map_err(RunError::write(&path))?;
        Ok(Self { file, path, length })
    }

    /// Appends a header and what belongs to it.
    pub(crate) fn write(&mut self, header: &[u8], bytes: &[u8]) -> Result<(), RunError> {
        let mut write = || {
            self.file.write_all(header)?;
            self.file.write_all(bytes)
        };
        write().map_err(RunError::write(&self.path))?;
        self.length += (header.len() + bytes.len()) as u64;
        Ok(())
    }

    /// What was written so far is on the disk when this returns; how much that is.
    pub(crate) fn save(&mut self) -> Result<u64, RunError> {
        self.file.sync_data().map_err(RunError::write(&self.path))?;
        Ok(self.length)
    }

    /// How much was written so far, in bytes.
    pub(crate) fn length(&self) -> u64 {
        self.length
    }
}

/// Fails if a file has fewer bytes than were saved of it.
pub(crate) fn check_length(file: &File, saved: u64) -> io::Result<()> {
    if file.metadata()?.len() < saved {
        return Err(io::Error::other("it is shorter than it was"));
    }
    Ok(())
}
