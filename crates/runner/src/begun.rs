//! The list of the parts that a run has begun, kept beside them until the run is over.
//!
//! A name is in the list before the part has a file. So a run that goes on after a kill finds all that came
//! after the state it goes on from, in whatever folder, and takes away nothing else.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{ErrorKind, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use crate::part::{create_folder, temporary};
use crate::{RunError, manifest};

/// The file is only ever there under its temporary name.
const LIST: &str = "parts";

/// The list while a run adds to it.
pub(crate) struct Begun {
    file: File,
    path: PathBuf,
    bytes: u64,
    is_synced: bool,
}

impl Begun {
    /// Begins a list in the folder of an export.
    pub(crate) fn create(folder: &Path) -> Result<Self, RunError> {
        create_folder(folder)?;
        let path = temporary(&folder.join(LIST));
        let file = File::create(&path).map_err(RunError::write(&path))?;
        Ok(Self { file, path, bytes: 0, is_synced: false })
    }

    /// Goes on with a list, and takes away the parts that came after its first `bytes` bytes.
    ///
    /// `stays` tells which files are not to be taken away.
    pub(crate) fn restore(
        folder: &Path,
        bytes: u64,
        stays: impl Fn(&str) -> bool,
    ) -> Result<Option<Self>, RunError> {
        let path = temporary(&folder.join(LIST));
        let file = File::options().read(true).write(true).open(&path);
        let mut file = match file {
            Err(error) if error.kind() == ErrorKind::NotFound && bytes == 0 => return Ok(None),
            file => file.map_err(|error| manifest::other(folder, &cannot_read(&path, &error)))?,
        };
        let mut list = Vec::new();
        file.read_to_end(&mut list).map_err(|error| manifest::other(folder, &cannot_read(&path, &error)))?;
        let Some(later) = usize::try_from(bytes).ok().and_then(|bytes| list.get(bytes..)) else {
            let why = format!("`{}` has {} bytes instead of {bytes} or more", path.display(), list.len());
            return Err(manifest::other(folder, &why));
        };
        for name in names(later).filter(|name| !stays(name)) {
            remove_part(folder, &name)?;
        }
        file.set_len(bytes).map_err(RunError::write(&path))?;
        file.seek(SeekFrom::End(0)).map_err(RunError::write(&path))?;
        Ok(Some(Self { file, path, bytes, is_synced: false }))
    }

    /// Adds a part.
    pub(crate) fn push(&mut self, name: &str) -> Result<(), RunError> {
        // Names are made of escaped values and hold no line break.
        let line = format!("{name}\n");
        self.file.write_all(line.as_bytes()).map_err(RunError::write(&self.path))?;
        self.bytes += line.len() as u64;
        self.is_synced = false;
        Ok(())
    }

    /// The list is on the disk when this returns; its length in bytes.
    pub(crate) fn save(&mut self) -> Result<u64, RunError> {
        if !self.is_synced {
            self.file.sync_data().map_err(RunError::write(&self.path))?;
            self.is_synced = true;
        }
        Ok(self.bytes)
    }

    /// Takes the list away: the manifest says it all.
    pub(crate) fn remove(self) {
        drop(self.file);
        // The next run takes it away if this fails.
        let _ = std::fs::remove_file(&self.path);
    }
}

/// Takes away every part that a list in this folder names, and the list: what a killed run has left.
pub(crate) fn clear(folder: &Path) -> Result<(), RunError> {
    let path = temporary(&folder.join(LIST));
    let Ok(list) = std::fs::read(&path) else { return Ok(()) };
    for name in names(&list) {
        remove_part(folder, &name)?;
    }
    remove(&path)
}

/// Takes the list in a folder away, and no part: the run that it is from has come to its end.
pub(crate) fn forget(folder: &Path) -> Result<(), RunError> {
    remove(&temporary(&folder.join(LIST)))
}

/// The parts that the list in a folder names: finished ones under that name, others under their temporary one.
pub(crate) fn listed(folder: &Path) -> Vec<String> {
    names(&std::fs::read(temporary(&folder.join(LIST))).unwrap_or_default()).collect()
}

/// The names in a list; a run that was killed may have left half a line, of which there is no file yet.
fn names(list: &[u8]) -> impl Iterator<Item = String> {
    let lines = list.split_inclusive(|byte| *byte == b'\n').filter_map(|line| line.strip_suffix(b"\n"));
    // The list is a file like any other: it must not make a run delete what lies elsewhere.
    lines.filter_map(|line| String::from_utf8(line.to_vec()).ok()).filter(|name| {
        let is_inside = crate::named::refusal(name).is_none();
        let file = name.rsplit('/').next().unwrap_or_default();
        is_inside && file.starts_with("part-")
    })
}

/// Takes a part away, under both of its names, and the folders that are empty then.
fn remove_part(folder: &Path, name: &str) -> Result<(), RunError> {
    let path = folder.join(name);
    remove(&path)?;
    remove_temporary(&path)?;
    remove_empty(folder, name);
    Ok(())
}

/// Takes away the temporary file of a part, and what its exporter has put beside it, such as a journal.
pub(crate) fn remove_temporary(path: &Path) -> Result<(), RunError> {
    let temporary = temporary(path);
    let Some(start) = temporary.file_name().map(OsStr::as_encoded_bytes) else { return Ok(()) };
    let entries = temporary.parent().into_iter().filter_map(|folder| std::fs::read_dir(folder).ok());
    for entry in entries.flatten().flatten() {
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
        Err(error) if !matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
            Err(RunError::write(path)(error))
        }
        _ => Ok(()),
    }
}

fn cannot_read(path: &Path, error: &std::io::Error) -> String {
    format!("`{}` cannot be read: {error}", path.display())
}
