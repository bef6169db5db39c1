//! Files of an export: written under a temporary name, synced, renamed.

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};

use crate::RunError;
use crate::manifest::FileEntry;

/// Ends the names of files that no run has finished.
pub(crate) const TEMPORARY: &str = ".tamis-tmp";

/// A file that is being written; gone when dropped before it is finished, unless it is to stay.
pub(crate) struct Part {
    file: File,
    hasher: blake3::Hasher,
    folder: PathBuf,
    name: String,
    bytes: u64,
    /// Bytes before compression.
    pub(crate) plain_bytes: u64,
    pub(crate) records: u64,
    stays: bool,
}

impl Part {
    pub(crate) fn create(folder: &Path, name: String) -> Result<Self, RunError> {
        create_folder(folder)?;
        let path = temporary(&folder.join(&name));
        let file = File::create(&path).map_err(RunError::write(&path))?;
        Ok(Self {
            file,
            hasher: blake3::Hasher::new(),
            folder: folder.to_owned(),
            name,
            bytes: 0,
            plain_bytes: 0,
            records: 0,
            stays: false,
        })
    }

    /// The temporary file stays when this is dropped, for the next run to read.
    pub(crate) fn staying(mut self) -> Self {
        self.stays = true;
        self
    }

    fn path(&self) -> PathBuf {
        self.folder.join(&self.name)
    }

    pub(crate) fn write(&mut self, bytes: &[u8]) -> Result<(), RunError> {
        self.file.write_all(bytes).map_err(RunError::write(self.path()))?;
        self.hasher.update(bytes);
        self.bytes += bytes.len() as u64;
        Ok(())
    }

    /// What was written so far is on the disk when this returns.
    pub(crate) fn sync(&self) -> Result<(), RunError> {
        self.file.sync_all().map_err(RunError::write(self.path()))
    }

    pub(crate) fn finish(mut self) -> Result<FileEntry, RunError> {
        self.sync()?;
        rename(&self.path())?;
        self.stays = true;
        sync_folder(&self.folder);
        Ok(FileEntry {
            name: self.name.clone(),
            bytes: self.bytes,
            records: self.records,
            blake3: self.hasher.finalize().to_hex().to_string(),
        })
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        if !self.stays {
            // Already on the way out with an error of its own; the next run takes it away if this fails.
            let _ = std::fs::remove_file(temporary(&self.path()));
        }
    }
}

/// The name under which a file is written.
pub(crate) fn temporary(path: &Path) -> PathBuf {
    let mut name = std::ffi::OsString::from(".");
    name.push(path.file_name().unwrap_or_default());
    name.push(TEMPORARY);
    path.with_file_name(name)
}

/// Gives a file that is whole its name.
fn rename(path: &Path) -> Result<(), RunError> {
    std::fs::rename(temporary(path), path).map_err(RunError::write(path))
}

/// Writes a whole file under its temporary name, syncs and renames it.
pub(crate) fn write_file(path: &Path, content: &[u8]) -> Result<(), RunError> {
    write_whole(path, content, File::sync_all)
}

/// Writes a whole file under its temporary name and renames it; it is not yet on the disk.
pub(crate) fn write_unsynced(path: &Path, content: &[u8]) -> Result<(), RunError> {
    write_whole(path, content, |_| Ok(()))
}

fn write_whole(
    path: &Path,
    content: &[u8],
    sync: impl Fn(&File) -> std::io::Result<()>,
) -> Result<(), RunError> {
    let unfinished = temporary(path);
    let write = || {
        let mut file = File::create(&unfinished)?;
        file.write_all(content)?;
        sync(&file)
    };
    let written = write().map_err(RunError::write(path)).and_then(|()| rename(path));
    if written.is_err() {
        // The error that led here is the one to tell.
        let _ = std::fs::remove_file(&unfinished);
    }
    written
}

pub(crate) fn create_folder(folder: &Path) -> Result<(), RunError> {
    std::fs::create_dir_all(folder).map_err(RunError::write(folder))
}

/// Makes new names in a folder last through a power failure, where the system can.
pub(crate) fn sync_folder(folder: &Path) {
    if let Ok(folder) = File::open(folder) {
        // Not every file system can; the files themselves are synced.
        let _ = folder.sync_all();
    }
}
