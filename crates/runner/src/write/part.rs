//! Files of an export: written under a temporary name, synced, renamed.

use std::fs::File;
use std::io::{ErrorKind, Read, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::disk::file::sync_folder;
use crate::disk::file::{FileEntry, create_folder, rename};
use crate::disk::names::temporary;
use crate::error::RunError;

/// A file that is being written.
///
/// Its temporary file stays when this is dropped, whatever happens: a checkpoint may count on it, and after a full
/// disk the run goes on from that. Who knows that nobody does takes it away by the journal.
pub(crate) struct Part {
    /// Closed while other parts need the system's few open files, and while an exporter writes it itself.
    file: Option<File>,
    hasher: blake3::Hasher,
    path: PathBuf,
    bytes: u64,
    /// Bytes before compression.
    pub(crate) plain_bytes: u64,
    pub(crate) records: u64,
    /// The hash of what was written when it was last asked for; none if more was written since.
    saved: Option<String>,
    is_synced: bool,
    /// Whether the folder knows the temporary file for sure.
    is_entered: bool,
}

/// Where a part stands, for a run that goes on later.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct PartState {
    /// Its name in the folder of the export, with `/`.
    pub(crate) name: String,
    bytes: u64,
    plain_bytes: u64,
    records: u64,
    /// BLAKE3 of the first `bytes` bytes, in hexadecimal.
    blake3: String,
}

impl Part {
    /// Begins a part in a folder that is made if need be.
    pub(crate) fn create(folder: &Path, name: &str) -> Result<Self, RunError> {
        let mut part = Self::begin(folder, name)?;
        let path = temporary(&part.path);
        part.file = Some(File::create(&path).map_err(RunError::write(&path))?);
        Ok(part)
    }

    /// Makes sure that there is no file of the name of a part yet.
    pub(crate) fn check_free(folder: &Path, name: &str) -> Result<(), RunError> {
        let path = folder.join(name);
        if path.symlink_metadata().is_err() {
            return Ok(());
        }
        let error = std::io::Error::new(
            ErrorKind::AlreadyExists,
            "it is there already, and not of this run: move it away, or write to another folder with `-o`",
        );
        Err(RunError::write(&path)(error))
    }

    /// Begins a part whose temporary file is somebody else's to make.
    pub(crate) fn begin(folder: &Path, name: &str) -> Result<Self, RunError> {
        Self::check_free(folder, name)?;
        let path = folder.join(name);
        if let Some(folder) = path.parent() {
            create_folder(folder)?;
        }
        Ok(Self {
            file: None,
            hasher: blake3::Hasher::new(),
            path,
            bytes: 0,
            plain_bytes: 0,
            records: 0,
            saved: None,
            is_synced: false,
            is_entered: false,
        })
    }

    /// Goes on with a part that was open when its state was saved, whatever was written to it since.
    pub(crate) fn restore(folder: &Path, state: &PartState) -> Result<Self, RunError> {
        Self::restore_with(folder, state, |_| Ok(()))
    }

    /// Shows what was written since before that is cut off: the whole of it, so for lists only.
    pub(crate) fn restore_list(
        folder: &Path,
        state: &PartState,
        see: impl FnOnce(&[u8]) -> Result<(), RunError>,
    ) -> Result<Self, RunError> {
        Self::restore_with(folder, state, |mut file| {
            let mut later = Vec::new();
            let path = folder.join(&state.name);
            file.read_to_end(&mut later).map_err(RunError::write(&path))?;
            see(&later)
        })
    }

    fn restore_with(
        folder: &Path,
        state: &PartState,
        see: impl FnOnce(&File) -> Result<(), RunError>,
    ) -> Result<Self, RunError> {
        let path = folder.join(&state.name);
        let changed = |why: String| RunError::other(folder, &format!("`{}` {why}", path.display()));
        let unfinished = temporary(&path);
        if !unfinished.exists() && path.exists() {
            std::fs::rename(&path, &unfinished).map_err(RunError::write(&path))?;
        }
        let file = File::options().read(true).write(true).open(&unfinished);
        let file = file.map_err(|error| changed(format!("cannot be read: {error}")))?;
        let mut hasher = blake3::Hasher::new();
        let read = std::io::copy(&mut (&file).take(state.bytes), &mut hasher);
        let read = read.map_err(|error| changed(format!("cannot be read: {error}")))?;
        if read < state.bytes {
            return Err(changed(format!("has {read} bytes instead of {} or more", state.bytes)));
        }
        if hasher.finalize().to_hex().as_str() != state.blake3 {
            return Err(changed("was changed since it was written".to_owned()));
        }
        see(&file)?;
        file.set_len(state.bytes).map_err(RunError::write(&path))?;
        Ok(Self {
            // Opened again for its next bytes.
            file: None,
            hasher,
            path,
            bytes: state.bytes,
            plain_bytes: state.plain_bytes,
            records: state.records,
            // It was cut, and the cut is not yet on the disk.
            saved: None,
            is_synced: false,
            is_entered: true,
        })
    }

    /// The temporary file.
    pub(crate) fn temporary(&self) -> PathBuf {
        temporary(&self.path)
    }

    pub(crate) fn write(&mut self, bytes: &[u8]) -> Result<(), RunError> {
        if bytes.is_empty() {
            return Ok(());
        }
        self.saved = None;
        self.is_synced = false;
        self.open()?.write_all(bytes).map_err(RunError::write(&self.path))?;
        self.hasher.update(bytes);
        self.bytes += bytes.len() as u64;
        Ok(())
    }

    fn open(&mut self) -> Result<&mut File, RunError> {
        let file = if let Some(file) = self.file.take() {
            file
        } else {
            let path = self.temporary();
            File::options().append(true).open(&path).map_err(RunError::write(&path))?
        };
        Ok(self.file.insert(file))
    }

    /// Closes its file until more is written to it.
    pub(crate) fn close(&mut self) {
        self.file = None;
    }

    /// What was written so far is on the disk when this returns.
    pub(crate) fn sync(&mut self) -> Result<(), RunError> {
        if self.is_synced {
            return Ok(());
        }
        let was_closed = self.file.is_none();
        let synced = self.open()?.sync_all();
        if was_closed {
            self.close();
        }
        synced.map_err(RunError::write(&self.path))?;
        self.is_synced = true;
        Ok(())
    }

    /// Whether all that was written is on the disk.
    pub(crate) fn is_synced(&self) -> bool {
        self.is_synced
    }

    /// Says that somebody else has synced the file.
    pub(crate) fn set_synced(&mut self) {
        self.is_synced = true;
    }

    /// Where the part stands; all of it is on the disk when this returns.
    pub(crate) fn save(&mut self, name: &str) -> Result<PartState, RunError> {
        self.sync()?;
        if !self.is_entered {
            self.path.parent().into_iter().for_each(sync_folder);
            self.is_entered = true;
        }
        let blake3 = match &self.saved {
            Some(hash) => hash.clone(),
            None => self.saved.insert(self.hasher.finalize().to_hex().to_string()).clone(),
        };
        let (plain_bytes, records) = (self.plain_bytes, self.records);
        Ok(PartState { name: name.to_owned(), bytes: self.bytes, plain_bytes, records, blake3 })
    }

    /// The folder that it lies in.
    pub(crate) fn folder(&self) -> Option<PathBuf> {
        self.path.parent().map(Path::to_owned)
    }

    /// Gives the part its name, when all of it is on the disk; `name` is for its entry in the manifest. The name
    /// lasts when the folder has been synced, too.
    pub(crate) fn finish(mut self, name: &str) -> Result<FileEntry, RunError> {
        self.sync()?;
        self.file = None;
        rename(&self.path)?;
        Ok(FileEntry {
            name: name.to_owned(),
            bytes: self.bytes,
            records: self.records,
            blake3: self.hasher.finalize().to_hex().to_string(),
        })
    }

    /// Takes up a file that an exporter has written itself.
    pub(crate) fn read_back(&mut self) -> Result<(), RunError> {
        let path = self.temporary();
        let mut read = || {
            let mut file = File::open(&path)?;
            std::io::copy(&mut file, &mut self.hasher)
        };
        self.bytes = read().map_err(RunError::write(&path))?;
        Ok(())
    }
}
