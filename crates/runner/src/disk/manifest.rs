//! What a run wrote: the file that readers of the output trust.

use std::fs::File;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use walkdir::WalkDir;

use crate::disk::file::{FileEntry, sync_folder, write_file};
use crate::disk::fingerprint::{Fingerprint, Resolved};
use crate::disk::names::{LEARNED, MANIFEST, OLD_MANIFEST, WORK, is_file_list};
use crate::error::RunError;
use crate::tally::Tally;

/// What a run wrote.
///
/// Written when the run starts (not complete) and at the end; what happens meanwhile stands in the journals of the
/// exports.
/// The same plan over the same inputs gives the same manifest.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    /// The version of tamis that wrote it.
    pub tamis: String,
    /// The name of the pipeline.
    pub pipeline: String,
    /// What decided the output.
    pub fingerprint: Fingerprint,
    /// The same of the pipeline, to read.
    #[serde(default)]
    pub resolved: Resolved,
    /// Whether the run came to its end; if not, the parts are some of the output.
    pub complete: bool,
    /// Number of input files.
    pub input_files: u64,
    /// Their bytes.
    pub input_bytes: u64,
    /// Hidden files and folders that were passed over, a folder with all it holds as one.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub input_hidden: u64,
    /// Where the records went; of a run that is not complete, all zero.
    pub tally: Tally,
    /// Of a run that has added to the output of an earlier one (`--add`): what there is beside it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub added: Option<Added>,
    /// The exports in plan order.
    pub exports: Vec<ExportManifest>,
    /// What corpus stages have left for the user, such as learned tables.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub learned: Vec<Learned>,
    /// The table of what became of every record (see [`crate::fates`]), relative to the folder of the manifest; none
    /// if the run was not to write one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fates: Option<FileEntry>,
}

/// A run that has read new files alone, whose output belongs to that of earlier runs.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Added {
    /// Which addition it is, from 1.
    pub number: u32,
    /// The folders of the runs before, from the folder of this one: that of the output as it was first, then those of
    /// the additions in order.
    pub beside: Vec<PathBuf>,
    /// Whether a fresh run over all files would have brought the same documents. Not if stages judge a document by
    /// others: those that were there stay, whatever has come.
    pub equals_fresh_run: bool,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_zero(n: &u64) -> bool {
    *n == 0
}

/// What a corpus stage has left for the user.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Learned {
    /// The id of the stage.
    pub stage: String,
    /// The folder, relative to that of the manifest.
    #[serde(default)]
    pub folder: PathBuf,
    /// The files, by name.
    pub files: Vec<FileEntry>,
}

/// What one export wrote.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExportManifest {
    /// The id of the export.
    pub id: String,
    /// Its folder, relative to the folder of the manifest where it lies below it, else absolute.
    pub folder: PathBuf,
    /// `kept`, `dropped` or `failed`.
    pub from: String,
    /// Records written.
    pub records: u64,
    /// The files, in order; an exporter of named files lists them in `.tamis/files.b3` instead.
    pub files: Vec<FileEntry>,
}

impl ExportManifest {
    /// How many files there are, those in a list of named files among them and the list not.
    pub fn n_files(&self) -> u64 {
        self.files.iter().map(|entry| if is_file_list(&entry.name) { entry.records } else { 1 }).sum()
    }
}

impl Learned {
    /// What lies in the folder of a stage; nothing if there is none.
    pub(crate) fn of(base: &Path, stage: &str) -> Result<Option<Self>, RunError> {
        let own = Path::new(WORK).join(LEARNED).join(stage);
        let folder = base.join(&own);
        let mut files = Vec::new();
        for entry in WalkDir::new(&folder).min_depth(1).sort_by_file_name().into_iter().flatten() {
            if !entry.file_type().is_file() {
                continue;
            }
            let mut hasher = blake3::Hasher::new();
            let read = File::open(entry.path()).and_then(|file| hasher.update_reader(file).map(drop));
            read.map_err(RunError::write(entry.path()))?;
            let bytes = hasher.count();
            let name = entry.path().strip_prefix(&folder).unwrap_or(entry.path());
            let name = name.to_string_lossy().replace('\\', "/");
            let blake3 = hasher.finalize().to_hex().to_string();
            files.push(FileEntry { name, bytes, records: 0, blake3 });
        }
        Ok((!files.is_empty()).then(|| Self { stage: stage.to_owned(), folder: own, files }))
    }
}

/// What a manifest of any version says about files.
#[derive(Deserialize)]
struct Listing {
    tamis: String,
    exports: Vec<ListedExport>,
}

#[derive(Deserialize)]
struct ListedExport {
    folder: PathBuf,
    files: Vec<ListedFile>,
}

#[derive(Deserialize)]
struct ListedFile {
    name: String,
}

impl Listing {
    fn read(path: &Path) -> Option<Self> {
        serde_json::from_slice(&std::fs::read(path).ok()?).ok()
    }

    /// That of a version which wrote its manifest beside the parts. A file of the same name may be anybody's.
    fn older(folder: &Path) -> Option<Self> {
        Self::read(&folder.join(OLD_MANIFEST))
    }

    fn told(&self) -> String {
        format!(
            "written by an older version: its manifest is `{OLD_MANIFEST}`, by tamis {}, where this one writes \
             `{MANIFEST}`",
            self.tamis
        )
    }
}

impl Manifest {
    /// Reads the manifest in `folder`, if there is one.
    ///
    /// # Errors
    ///
    /// When there is one that cannot be read.
    pub fn read(folder: &Path) -> Result<Option<Self>, RunError> {
        let text = match std::fs::read(folder.join(MANIFEST)) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return match Listing::older(folder) {
                    Some(older) => Err(RunError::other(folder, &older.told())),
                    None => Ok(None),
                };
            }
            Err(error) => {
                return Err(RunError::other(folder, &format!("its manifest cannot be read: {error}")));
            }
        };
        match serde_json::from_slice(&text) {
            Ok(manifest) => Ok(Some(manifest)),
            Err(_) if serde_json::from_slice::<Listing>(&text).is_err() => {
                Err(RunError::Occupied { folder: folder.to_owned(), name: MANIFEST.to_owned() })
            }
            Err(error) => {
                Err(RunError::other(folder, &format!("its manifest is not one of this version: {error}")))
            }
        }
    }

    /// Reads of the manifest in `folder` what it takes to replace the output: which files there are.
    ///
    /// # Errors
    ///
    /// When there is one that no version of tamis has written.
    pub(crate) fn read_listing(folder: &Path) -> Result<Option<Self>, RunError> {
        let read = Self::read(folder);
        let Err(RunError::OtherRun { .. }) = &read else { return read };
        match Listing::read(&folder.join(MANIFEST)).or_else(|| Listing::older(folder)) {
            Some(listing) => Ok(Some(Self::from(listing))),
            None => read,
        }
    }

    /// The manifest as it is written.
    pub(crate) fn to_json(&self) -> Result<Vec<u8>, RunError> {
        let mut text = serde_json::to_vec_pretty(self)
            .map_err(|error| RunError::Internal { message: error.to_string() })?;
        text.push(b'\n');
        Ok(text)
    }

    /// Writes the manifest, whole or not at all.
    pub(crate) fn write(&self, folder: &Path) -> Result<(), RunError> {
        write_file(&folder.join(MANIFEST), &self.to_json()?)?;
        sync_folder(&folder.join(WORK));
        sync_folder(folder);
        Ok(())
    }
}

impl From<Listing> for Manifest {
    fn from(listing: Listing) -> Self {
        let entry = |file: ListedFile| FileEntry { name: file.name, ..FileEntry::default() };
        let export = |export: ListedExport| ExportManifest {
            folder: export.folder,
            files: export.files.into_iter().map(entry).collect(),
            ..ExportManifest::default()
        };
        let exports = listing.exports.into_iter().map(export).collect();
        Self { tamis: listing.tamis, exports, ..Self::default() }
    }
}
