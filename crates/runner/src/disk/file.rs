//! Files as a run makes them: under a passing name until they are whole, many of them synced at once.

use std::ffi::OsStr;
use std::fs::{DirEntry, File};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use serde::{Deserialize, Serialize};

use super::names::temporary;
use crate::error::RunError;

/// How many files are synced at once; four times as many took no less time.
const SYNCING_THREADS: usize = 16;

/// A file that a run wrote.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileEntry {
    /// Its name in the folder of the export, with `/`.
    pub name: String,
    /// Its size in bytes.
    pub bytes: u64,
    /// Records in it.
    pub records: u64,
    /// BLAKE3 of its content, in hexadecimal.
    pub blake3: String,
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

/// Gives a file that is whole its name.
pub(crate) fn rename(path: &Path) -> Result<(), RunError> {
    std::fs::rename(temporary(path), path).map_err(RunError::write(path))
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

/// The same for several folders, many at once.
pub(crate) fn sync_folders(folders: impl IntoIterator<Item = PathBuf>) {
    let folders: Vec<_> = folders.into_iter().collect();
    if let [only] = folders.as_slice() {
        return sync_folder(only);
    }
    let folders = Mutex::new(folders.into_iter());
    let next = || folders.lock().unwrap_or_else(PoisonError::into_inner).next();
    std::thread::scope(|scope| {
        for _ in 0..SYNCING_THREADS {
            scope.spawn(|| {
                while let Some(folder) = next() {
                    sync_folder(&folder);
                }
            });
        }
    });
}

/// Syncs files, many at once; with `may_be_gone` one that is not there is no error.
pub(crate) fn sync_files(
    paths: impl Iterator<Item = Result<PathBuf, RunError>> + Send,
    may_be_gone: bool,
) -> Result<(), RunError> {
    let paths = Mutex::new(paths);
    let next = || paths.lock().unwrap_or_else(PoisonError::into_inner).next();
    let sync_some = || {
        while let Some(path) = next() {
            let path = path?;
            // Windows syncs only what may be written.
            match File::options().write(true).open(&path) {
                Err(error) if may_be_gone && is_absent(&error) => {}
                file => file.and_then(|file| file.sync_all()).map_err(RunError::write(&path))?,
            }
        }
        Ok(())
    };
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..SYNCING_THREADS).map(|_| scope.spawn(sync_some)).collect();
        let results = threads.into_iter().map(|thread| {
            let panicked = |_| RunError::Internal { message: "a syncing thread panicked".to_owned() };
            thread.join().map_err(panicked).flatten()
        });
        // The scope waits for all of them; the first error is told.
        results.collect()
    })
}

/// What is in a file that a run may have left; nothing if there is none.
///
/// Any other error is told: a list that cannot be opened because no descriptor is left is no empty one. Taken for one,
/// the files that it names would stay, and the next run would write theirs beside them under other names.
pub(crate) fn left_in(path: &Path) -> Result<Vec<u8>, RunError> {
    match std::fs::read(path) {
        Err(error) if is_absent(&error) => Ok(Vec::new()),
        read => read.map_err(RunError::write(path)),
    }
}

/// What lies directly in a folder; nothing if there is none. Any other error is told, as by [`left_in`].
pub(crate) fn entries_of(folder: &Path) -> Result<Vec<DirEntry>, RunError> {
    match std::fs::read_dir(folder) {
        Err(error) if is_absent(&error) => Ok(Vec::new()),
        read => read.and_then(Iterator::collect).map_err(RunError::write(folder)),
    }
}

fn is_absent(error: &std::io::Error) -> bool {
    matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory)
}

/// Takes away the temporary file of a part, and what its exporter has put beside it, such as a journal.
pub(crate) fn remove_temporary(path: &Path) -> Result<(), RunError> {
    let temporary = temporary(path);
    let Some(start) = temporary.file_name().map(OsStr::as_encoded_bytes) else { return Ok(()) };
    let Some(folder) = temporary.parent() else { return Ok(()) };
    for entry in entries_of(folder)? {
        if entry.file_name().as_encoded_bytes().starts_with(start) {
            remove(&entry.path())?;
        }
    }
    Ok(())
}

/// Takes away the folders between `folder` and the file `name` that are empty.
pub(crate) fn remove_empty(folder: &Path, name: &str) {
    for parent in Path::new(name).ancestors().skip(1).filter(|path| !path.as_os_str().is_empty()) {
        // One that holds something else is not empty and stays.
        let _ = std::fs::remove_dir(folder.join(parent));
    }
}

pub(crate) fn remove(path: &Path) -> Result<(), RunError> {
    match std::fs::remove_file(path) {
        Err(error) if !is_absent(&error) => Err(RunError::write(path)(error)),
        _ => Ok(()),
    }
}
