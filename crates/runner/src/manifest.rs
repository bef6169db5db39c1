//! What a run wrote: the file that readers of the output trust.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::fingerprint::Fingerprint;
use crate::{RunError, Tally};

/// The name of the manifest, in the folder of the first export.
pub(crate) const MANIFEST: &str = "manifest.json";

/// What a run wrote.
///
/// Written when the run starts (not complete), after every part, and at the end.
/// The same plan over the same inputs gives the same manifest.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    /// The version of tamis that wrote it.
    pub tamis: String,
    /// The name of the pipeline.
    pub pipeline: String,
    /// What decided the output.
    pub fingerprint: Fingerprint,
    /// Whether the run came to its end; if not, the parts are some of the output.
    pub complete: bool,
    /// Number of input files.
    pub input_files: u64,
    /// Their bytes.
    pub input_bytes: u64,
    /// Where the records went; of a run that is not complete, all zero.
    pub tally: Tally,
    /// The exports in plan order.
    pub exports: Vec<ExportManifest>,
}

/// What one export wrote.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExportManifest {
    /// The id of the export.
    pub id: String,
    /// Its folder, relative to the folder of the manifest where it lies below it, else absolute.
    pub folder: PathBuf,
    /// `kept`, `dropped` or `failed`.
    pub from: String,
    /// Records written.
    pub records: u64,
    /// The files, in order; an exporter of named files lists them in `files.b3` instead.
    pub files: Vec<FileEntry>,
}

/// A file that a run wrote.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
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

impl Manifest {
    /// Reads the manifest in `folder`, if there is one.
    ///
    /// # Errors
    ///
    /// When there is one that cannot be read.
    pub fn read(folder: &Path) -> Result<Option<Self>, RunError> {
        let path = folder.join(MANIFEST);
        let text = match std::fs::read(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(other(folder, &format!("its manifest cannot be read: {error}"))),
        };
        serde_json::from_slice(&text)
            .map(Some)
            .map_err(|error| other(folder, &format!("its manifest is not one of this version: {error}")))
    }

    /// Writes the manifest, whole or not at all.
    pub(crate) fn write(&self, folder: &Path) -> Result<(), RunError> {
        let path = folder.join(MANIFEST);
        let temporary = folder.join(".manifest.json.tmp");
        let mut text = serde_json::to_vec_pretty(self)
            .map_err(|error| RunError::Internal { message: error.to_string() })?;
        text.push(b'\n');
        crate::output::write_file(&temporary, &text)?;
        std::fs::rename(&temporary, &path).map_err(RunError::write(&path))
    }
}

pub(crate) fn other(folder: &Path, why: &str) -> RunError {
    RunError::OtherRun { folder: folder.to_owned(), why: why.to_owned() }
}
