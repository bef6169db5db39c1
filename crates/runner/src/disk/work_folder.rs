//! Where a run keeps what it needs until it is complete.

use std::path::{Path, PathBuf};

use tamis_config::Plan;

use super::file::{create_folder, entries_of};
use super::names::{CHECKPOINT, FATES, LEARNED, TIMES, WORK, outlasts_a_run};
use crate::error::RunError;
use crate::segment::StateName;

/// Where a run keeps what it needs until it is complete.
#[derive(Debug, Clone)]
pub(crate) struct WorkFolder {
    /// The folder of the manifest.
    pub(crate) folder: PathBuf,
    /// The folder of spills, scratch files and saved states.
    work: PathBuf,
}

impl WorkFolder {
    /// That of a run whose manifest lies in `folder`; `work` from the settings holds many of them.
    pub(crate) fn new(plan: &Plan, folder: &Path) -> Self {
        let work = match &plan.run.work {
            // Other runs may share it, so each has a folder named after that of its output.
            Some(work) => {
                let hash = blake3::hash(folder.as_os_str().as_encoded_bytes()).to_hex();
                let short: String = hash.chars().take(16).collect();
                work.join(format!("tamis-{short}"))
            }
            None => folder.join(WORK),
        };
        Self { folder: folder.to_owned(), work }
    }

    pub(crate) fn create(&self) -> Result<(), RunError> {
        create_folder(&self.work)?;
        create_folder(&self.folder.join(WORK))
    }

    /// How far the run is.
    pub(crate) fn checkpoint(&self) -> PathBuf {
        self.folder.join(WORK).join(CHECKPOINT)
    }

    /// The spill that a segment writes.
    pub(crate) fn spill(&self, segment: usize) -> PathBuf {
        self.work.join(format!("spill-{segment}"))
    }

    /// What became of every record, when the run is over.
    pub(crate) fn fates(&self) -> PathBuf {
        self.folder.join(WORK).join(FATES)
    }

    /// What became of the records that leave the run in a segment.
    pub(crate) fn fates_of(&self, segment: usize) -> PathBuf {
        self.folder.join(WORK).join(format!("{FATES}-{segment}"))
    }

    /// Where corpus stages may leave something for the user.
    pub(crate) fn learned(&self) -> PathBuf {
        self.folder.join(WORK).join(LEARNED)
    }

    /// The saved state of a corpus stage, as this run makes it.
    pub(crate) fn state(&self, name: &StateName) -> PathBuf {
        self.folder.join(WORK).join(name.file())
    }

    /// Where files are put that must be read anywhere and are packed in something else.
    pub(crate) fn unpacked(&self) -> PathBuf {
        self.work.join("unpacked")
    }

    /// Where a corpus stage may put what it does not hold in memory.
    pub(crate) fn scratch(&self) -> PathBuf {
        self.work.join("scratch")
    }

    /// Takes all of it away, but for what outlasts a run.
    pub(crate) fn clear(&self) -> Result<(), RunError> {
        let own = self.folder.join(WORK);
        if self.work != own {
            absent(std::fs::remove_dir_all(&self.work)).map_err(RunError::write(&self.work))?;
        }
        for entry in entries_of(&own)? {
            let (name, path) = (entry.file_name(), entry.path());
            if outlasts_a_run(&name) {
                continue;
            }
            let is_folder = entry.file_type().is_ok_and(|kind| kind.is_dir());
            let gone = if is_folder { std::fs::remove_dir_all(&path) } else { std::fs::remove_file(&path) };
            absent(gone).map_err(RunError::write(&path))?;
        }
        Ok(())
    }
}

/// Where whoever watches a run may note what it has spent, for the page of the run: beside the manifest in the folder of
/// the first export. A run that begins anew takes the file away, one that is resumed finds what was noted before.
pub fn times_file(folder: &Path) -> PathBuf {
    folder.join(WORK).join(TIMES)
}

/// What is not there need not be taken away.
fn absent(gone: std::io::Result<()>) -> std::io::Result<()> {
    match gone {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}
