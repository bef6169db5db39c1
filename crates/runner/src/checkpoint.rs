//! How far a run is, so that the next one goes on there.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use tamis_config::Plan;

use crate::block::Position;
use crate::disk::names::{CHECKPOINT, LEARNED, LOCK, LOCK_MARK, WORK};
use crate::fingerprint::Fingerprint;
use crate::output::ExportState;
use crate::part::{create_folder, sync_folder, write_file};
use crate::segment::StateName;
use crate::{RunError, Tally};

/// How far a run is: all results before some task are written, and none behind it counts.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Checkpoint {
    /// Of what run.
    pub(crate) fingerprint: Fingerprint,
    /// The segment that is going on.
    pub(crate) segment: usize,
    /// Where reading goes on in it.
    pub(crate) next: Position,
    /// What the segment has put aside: frames, their bytes, and the records in them.
    pub(crate) frames: usize,
    pub(crate) spill_bytes: u64,
    pub(crate) spilled: u64,
    /// What the segment before has put aside: bytes and records, and how many of these have come out again.
    pub(crate) source_bytes: u64,
    pub(crate) source_records: u64,
    pub(crate) unspilled: u64,
    /// The counts so far.
    pub(crate) tally: Tally,
    /// The exports in plan order.
    pub(crate) exports: Vec<ExportState>,
}

/// Where a run keeps what it needs until it is complete.
#[derive(Debug, Clone)]
pub(crate) struct Home {
    /// The folder of the manifest.
    pub(crate) folder: PathBuf,
    /// The folder of spills, scratch files and saved states.
    work: PathBuf,
}

impl Home {
    /// The home of a run whose manifest lies in `folder`; `work` from the settings holds many of them.
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

    /// The spill that a segment writes.
    pub(crate) fn spill(&self, segment: usize) -> PathBuf {
        self.work.join(format!("spill-{segment}"))
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

    /// What the last run has noted, if it was a run like this one and left all that it noted.
    pub(crate) fn read_checkpoint(&self, fingerprint: &Fingerprint) -> Option<Checkpoint> {
        let bytes = std::fs::read(self.folder.join(WORK).join(CHECKPOINT)).ok()?;
        let checkpoint: Checkpoint = serde_json::from_slice(&bytes).ok()?;
        (checkpoint.fingerprint == *fingerprint).then_some(checkpoint)
    }

    /// Notes how far the run is, whole or not at all.
    pub(crate) fn write_checkpoint(&self, checkpoint: &Checkpoint) -> Result<(), RunError> {
        let text = serde_json::to_vec(checkpoint)
            .map_err(|error| RunError::Internal { message: error.to_string() })?;
        let folder = self.folder.join(WORK);
        write_file(&folder.join(CHECKPOINT), &text)?;
        sync_folder(&folder);
        Ok(())
    }

    /// Takes all of it away, but for what outlasts a run.
    pub(crate) fn clear(&self) -> Result<(), RunError> {
        let own = self.folder.join(WORK);
        if self.work != own {
            absent(std::fs::remove_dir_all(&self.work)).map_err(RunError::write(&self.work))?;
        }
        for entry in std::fs::read_dir(&own).into_iter().flatten().flatten() {
            let (name, path) = (entry.file_name(), entry.path());
            if [LEARNED, LOCK, LOCK_MARK].iter().any(|kept| name == *kept) {
                continue;
            }
            let is_folder = entry.file_type().is_ok_and(|kind| kind.is_dir());
            let gone = if is_folder { std::fs::remove_dir_all(&path) } else { std::fs::remove_file(&path) };
            absent(gone).map_err(RunError::write(&path))?;
        }
        Ok(())
    }
}

/// What is not there need not be taken away.
fn absent(gone: std::io::Result<()>) -> std::io::Result<()> {
    match gone {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}
