//! The journal of an export: the parts that a run has begun and those that it has finished, kept beside them until
//! the run is over.
//!
//! A part is in the journal before it has a file, and the journal on the disk before the part has its name. So a run
//! that goes on after a kill finds all that came after the state it goes on from, in whatever folder, and takes away
//! nothing else.
//! It is only ever added to: a row a part is all that the ten-thousandth partition costs, where a list that is
//! written anew would cost ten thousand.
//!
//! ```text
//! tamis journal 1
//! + zh/part-00000.parquet
//! = {"name":"zh/part-00000.parquet","bytes":…,"records":…,"blake3":"…"}
//! ```

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{ErrorKind, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use super::file::{FileEntry, create_folder, left_in, remove, remove_empty, remove_temporary, sync_folder};
use super::names::{self, JOURNAL, temporary};
use crate::error::RunError;

/// The first line; the number is the version of the form.
const HEAD: &str = "tamis journal 1\n";

/// A journal while a run adds to it.
pub(crate) struct Journal {
    file: File,
    path: PathBuf,
    bytes: u64,
    is_synced: bool,
}

/// One row.
enum Row {
    /// The part of this name has been begun.
    Begun(String),
    /// It is whole.
    Finished(FileEntry),
}

impl Journal {
    /// Begins a journal in the folder of an export.
    pub(crate) fn create(folder: &Path) -> Result<Self, RunError> {
        create_folder(folder)?;
        let path = temporary(&folder.join(JOURNAL));
        let file = File::create(&path).map_err(RunError::write(&path))?;
        let mut journal = Self { file, path, bytes: 0, is_synced: false };
        journal.push(HEAD)?;
        // Its name must last as long as those of the parts that it names.
        sync_folder(folder);
        Ok(journal)
    }

    /// Goes on with a journal, and takes away the parts that came after its first `bytes` bytes; the parts that were
    /// finished by then.
    ///
    /// `stays` tells which files are not to be taken away.
    pub(crate) fn restore(
        folder: &Path,
        bytes: u64,
        stays: impl Fn(&str) -> bool,
    ) -> Result<(Option<Self>, Vec<FileEntry>), RunError> {
        let path = temporary(&folder.join(JOURNAL));
        let file = File::options().read(true).write(true).open(&path);
        let mut file = match file {
            Err(error) if error.kind() == ErrorKind::NotFound && bytes == 0 => return Ok((None, Vec::new())),
            Err(error) if error.kind() == ErrorKind::NotFound => return Err(RunError::Gone { path }),
            file => file.map_err(|error| RunError::other(folder, &cannot_read(&path, &error)))?,
        };
        let mut text = Vec::new();
        file.read_to_end(&mut text).map_err(|error| RunError::other(folder, &cannot_read(&path, &error)))?;
        if bytes > 0 && !text.starts_with(HEAD.as_bytes()) {
            let why = format!("another version of tamis has written `{}`", path.display());
            return Err(RunError::other(folder, &why));
        }
        let Some((before, later)) =
            usize::try_from(bytes).ok().and_then(|bytes| text.split_at_checked(bytes))
        else {
            let why = format!("`{}` has {} bytes instead of {bytes} or more", path.display(), text.len());
            return Err(RunError::other(folder, &why));
        };
        let finished: Vec<FileEntry> = rows(before).filter_map(Row::finished).collect();
        let names: BTreeSet<&str> = finished.iter().map(|entry| entry.name.as_str()).collect();
        let known = |name: &str| stays(name) || names.contains(name);
        // Parts that were finished later were begun later, or are among those that stay.
        for name in rows(later).filter_map(Row::begun).filter(|name| !known(name)) {
            remove_part(folder, &name)?;
        }
        file.set_len(bytes).map_err(RunError::write(&path))?;
        file.seek(SeekFrom::End(0)).map_err(RunError::write(&path))?;
        let mut journal = Self { file, path, bytes, is_synced: false };
        if bytes == 0 {
            journal.push(HEAD)?;
        }
        Ok((Some(journal), finished))
    }

    /// Adds a part that is about to be begun.
    pub(crate) fn begin(&mut self, name: &str) -> Result<(), RunError> {
        // Names are made of escaped values and hold no line break.
        self.push(&format!("+ {name}\n"))
    }

    /// Adds a part that is whole.
    pub(crate) fn finish(&mut self, entry: &FileEntry) -> Result<(), RunError> {
        let entry = serde_json::to_string(entry)
            .map_err(|error| RunError::Internal { message: error.to_string() })?;
        self.push(&format!("= {entry}\n"))
    }

    fn push(&mut self, row: &str) -> Result<(), RunError> {
        self.file.write_all(row.as_bytes()).map_err(RunError::write(&self.path))?;
        self.bytes += row.len() as u64;
        self.is_synced = false;
        Ok(())
    }

    /// The journal is on the disk when this returns; its length in bytes.
    pub(crate) fn save(&mut self) -> Result<u64, RunError> {
        if !self.is_synced {
            self.file.sync_data().map_err(RunError::write(&self.path))?;
            self.is_synced = true;
        }
        Ok(self.bytes)
    }

    /// Takes the journal away: the manifest says it all.
    pub(crate) fn remove(self) {
        drop(self.file);
        // The next run takes it away if this fails.
        let _ = std::fs::remove_file(&self.path);
    }
}

impl Row {
    fn begun(self) -> Option<String> {
        match self {
            Self::Begun(name) => Some(name),
            Self::Finished(_) => None,
        }
    }

    fn finished(self) -> Option<FileEntry> {
        match self {
            Self::Begun(_) => None,
            Self::Finished(entry) => Some(entry),
        }
    }
}

/// Takes away every part that a journal in this folder names, and the journal: what a killed run has left.
pub(crate) fn clear(folder: &Path) -> Result<(), RunError> {
    for name in listed(folder)? {
        remove_part(folder, &name)?;
    }
    forget(folder)
}

/// Takes away the parts that the journal in a folder names and that are not whole.
pub(crate) fn clear_unfinished(folder: &Path) -> Result<(), RunError> {
    let text = left_in(&temporary(&folder.join(JOURNAL)))?;
    let finished: BTreeSet<_> = rows(&text).filter_map(Row::finished).map(|entry| entry.name).collect();
    for name in rows(&text).filter_map(Row::begun).filter(|name| !finished.contains(name)) {
        remove_part(folder, &name)?;
    }
    Ok(())
}

/// Takes the journal in a folder away, and no part: the run that it is from has come to its end.
pub(crate) fn forget(folder: &Path) -> Result<(), RunError> {
    remove(&temporary(&folder.join(JOURNAL)))
}

/// The parts that the journal in a folder names: finished ones under that name, others under their temporary one.
pub(crate) fn listed(folder: &Path) -> Result<Vec<String>, RunError> {
    let text = left_in(&temporary(&folder.join(JOURNAL)))?;
    Ok(rows(&text).filter_map(Row::begun).collect())
}

/// The rows of a journal; a run that was killed may have left half of one, of which there is no file yet.
///
/// A journal is a file like any other: it must not make a run delete what lies elsewhere.
fn rows(text: &[u8]) -> impl Iterator<Item = Row> {
    let lines = text.split_inclusive(|byte| *byte == b'\n').filter_map(|line| line.strip_suffix(b"\n"));
    let row = |line: &[u8]| {
        let row = match line.split_at_checked(2)? {
            (b"+ ", name) => Row::Begun(String::from_utf8(name.to_vec()).ok()?),
            (b"= ", entry) => Row::Finished(serde_json::from_slice(entry).ok()?),
            _ => return None,
        };
        let name = match &row {
            Row::Begun(name) => name,
            Row::Finished(entry) => &entry.name,
        };
        let file = name.rsplit('/').next().unwrap_or_default();
        (names::refusal(name).is_none() && file.starts_with("part-")).then_some(row)
    };
    lines.filter_map(row)
}

/// Takes a part away, under both of its names, and the folders that are empty then.
fn remove_part(folder: &Path, name: &str) -> Result<(), RunError> {
    let path = folder.join(name);
    // A part that is whole has left nothing under its temporary name.
    if path.symlink_metadata().is_ok() {
        remove(&path)?;
    } else {
        remove_temporary(&path)?;
    }
    remove_empty(folder, name);
    Ok(())
}

fn cannot_read(path: &Path, error: &std::io::Error) -> String {
    format!("`{}` cannot be read: {error}", path.display())
}
