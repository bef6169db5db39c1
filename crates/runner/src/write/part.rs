//! Files of an export: written under a temporary name, synced, renamed.

use std::fs::File;
use std::io::{ErrorKind, Read, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::disk::file::sync_folder;
use crate::disk::file::{FileEntry, create_folder, rename};
use crate::disk::names::temporary;
use crate::error::RunError;

/// A file of an export, under its temporary name until it is whole.
///
/// What can be done with it follows from its state: to one that is [`Growing`] bytes are added, and a run that goes on
/// later may add more; one that is [`Lent`] is written by its exporter; both become [`Whole`], which can only be synced
/// and get its name: then it is a [`FileEntry`] of the manifest.
///
/// Its temporary file stays when this is dropped, whatever happens: a checkpoint may count on it, and after a full
/// disk the run goes on from that. Who knows that nobody does takes it away by the journal.
pub(crate) struct Part<State> {
    path: PathBuf,
    hasher: blake3::Hasher,
    bytes: u64,
    is_synced: bool,
    state: State,
}

/// Bytes are added to it.
pub(crate) struct Growing {
    /// Closed while other parts need the system's few open files.
    file: Option<File>,
    /// The hash of what was written when it was last asked for; none if more was written since.
    saved: Option<String>,
    /// Whether the folder knows the temporary file for sure.
    is_entered: bool,
}

/// Its exporter makes the file and writes it.
pub(crate) struct Lent;

/// Nothing more comes.
pub(crate) struct Whole;

/// What was written to a part, for its exporter and the manifest.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Size {
    /// Bytes before compression.
    pub(crate) plain_bytes: u64,
    pub(crate) records: u64,
}

/// Where a part stands, for a run that goes on later.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct PartState {
    /// Its name in the folder of the export, with `/`.
    pub(crate) name: String,
    bytes: u64,
    #[serde(flatten)]
    pub(crate) size: Size,
    /// BLAKE3 of the first `bytes` bytes, in hexadecimal.
    blake3: String,
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

impl<State> Part<State> {
    /// Begins a part in a folder that is made if need be.
    fn begin(folder: &Path, name: &str, state: State) -> Result<Self, RunError> {
        check_free(folder, name)?;
        let path = folder.join(name);
        if let Some(folder) = path.parent() {
            create_folder(folder)?;
        }
        Ok(Self { path, hasher: blake3::Hasher::new(), bytes: 0, is_synced: false, state })
    }

    /// The temporary file.
    pub(crate) fn temporary(&self) -> PathBuf {
        temporary(&self.path)
    }

    /// What was written so far is on the disk when this returns.
    pub(crate) fn sync(&mut self) -> Result<(), RunError> {
        if !self.is_synced {
            // By a handle of its own: the file may be closed, or be open in an exporter.
            let file = File::options().append(true).open(self.temporary());
            file.and_then(|file| file.sync_all()).map_err(RunError::write(&self.path))?;
            self.is_synced = true;
        }
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

    fn whole(self) -> Part<Whole> {
        let Self { path, hasher, bytes, is_synced, state: _ } = self;
        Part { path, hasher, bytes, is_synced, state: Whole }
    }
}

impl Part<Growing> {
    /// Begins a part, and makes its file.
    pub(crate) fn create(folder: &Path, name: &str) -> Result<Self, RunError> {
        let mut part = Self::begin(folder, name, Growing { file: None, saved: None, is_entered: false })?;
        let path = part.temporary();
        part.state.file = Some(File::create(&path).map_err(RunError::write(&path))?);
        Ok(part)
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
        // It is opened again for its next bytes. It was cut, and the cut is not yet on the disk.
        let growing = Growing { file: None, saved: None, is_entered: true };
        Ok(Self { path, hasher, bytes: state.bytes, is_synced: false, state: growing })
    }

    pub(crate) fn write(&mut self, bytes: &[u8]) -> Result<(), RunError> {
        if bytes.is_empty() {
            return Ok(());
        }
        self.state.saved = None;
        self.is_synced = false;
        self.open()?.write_all(bytes).map_err(RunError::write(&self.path))?;
        self.hasher.update(bytes);
        self.bytes += bytes.len() as u64;
        Ok(())
    }

    fn open(&mut self) -> Result<&mut File, RunError> {
        let file = if let Some(file) = self.state.file.take() {
            file
        } else {
            let path = self.temporary();
            File::options().append(true).open(&path).map_err(RunError::write(&path))?
        };
        Ok(self.state.file.insert(file))
    }

    /// Closes its file until more is written to it.
    pub(crate) fn close(&mut self) {
        self.state.file = None;
    }

    /// Where the part stands; all of it is on the disk when this returns.
    pub(crate) fn save(&mut self, name: &str, size: Size) -> Result<PartState, RunError> {
        self.sync()?;
        if !self.state.is_entered {
            self.path.parent().into_iter().for_each(sync_folder);
            self.state.is_entered = true;
        }
        let blake3 = match &self.state.saved {
            Some(hash) => hash.clone(),
            None => self.state.saved.insert(self.hasher.finalize().to_hex().to_string()).clone(),
        };
        Ok(PartState { name: name.to_owned(), bytes: self.bytes, size, blake3 })
    }

    /// Says that nothing more comes.
    pub(crate) fn end(self) -> Part<Whole> {
        self.whole()
    }
}

impl Part<Lent> {
    /// Begins a part whose temporary file is its exporter's to make.
    pub(crate) fn lend(folder: &Path, name: &str) -> Result<Self, RunError> {
        Self::begin(folder, name, Lent)
    }

    /// Takes up what its exporter has written.
    pub(crate) fn take_back(mut self) -> Result<Part<Whole>, RunError> {
        let path = self.temporary();
        let mut read = || {
            let mut file = File::open(&path)?;
            std::io::copy(&mut file, &mut self.hasher)
        };
        self.bytes = read().map_err(RunError::write(&path))?;
        Ok(self.whole())
    }
}

impl Part<Whole> {
    /// The folder that it lies in.
    pub(crate) fn folder(&self) -> Option<PathBuf> {
        self.path.parent().map(Path::to_owned)
    }

    /// Gives the part its name, when all of it is on the disk; `name` is for its entry in the manifest. The name
    /// lasts when the folder has been synced, too.
    pub(crate) fn finish(mut self, name: &str, records: u64) -> Result<FileEntry, RunError> {
        self.sync()?;
        rename(&self.path)?;
        let blake3 = self.hasher.finalize().to_hex().to_string();
        Ok(FileEntry { name: name.to_owned(), bytes: self.bytes, records, blake3 })
    }
}
