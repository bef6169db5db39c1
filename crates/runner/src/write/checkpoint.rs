//! How far a run is, so that the next one goes on there.

use std::io::ErrorKind;

use serde::{Deserialize, Serialize};

use crate::disk::file::{sync_folder, write_file};
use crate::disk::fingerprint::Fingerprint;
use crate::disk::work_folder::WorkFolder;
use crate::error::RunError;
use crate::tally::Tally;
use crate::work::task::Position;
use crate::write::export::ExportState;

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
    /// How many bytes of fates each segment has written so far, the one that is going on last; none if the run makes
    /// no table of them.
    #[serde(default)]
    pub(crate) fates: Option<Vec<u64>>,
    /// The counts so far.
    pub(crate) tally: Tally,
    /// The exports in plan order.
    pub(crate) exports: Vec<ExportState>,
}

impl Checkpoint {
    /// What the last run has saved, if it was a run like this one and left all that it saved.
    ///
    /// # Errors
    ///
    /// When the file is there and cannot be read: taken for none, it would cost all that the run has written.
    pub(crate) fn read(folder: &WorkFolder, fingerprint: &Fingerprint) -> Result<Option<Self>, RunError> {
        let path = folder.checkpoint();
        let bytes = match std::fs::read(&path) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            bytes => {
                bytes.map_err(|source| RunError::Machine { name: path.display().to_string(), source })?
            }
        };
        let checkpoint = serde_json::from_slice(&bytes).ok();
        Ok(checkpoint.filter(|checkpoint: &Self| checkpoint.fingerprint == *fingerprint))
    }

    /// Saves how far the run is, whole or not at all.
    pub(crate) fn write(&self, folder: &WorkFolder) -> Result<(), RunError> {
        let text =
            serde_json::to_vec(self).map_err(|error| RunError::Internal { message: error.to_string() })?;
        let path = folder.checkpoint();
        write_file(&path, &text)?;
        path.parent().into_iter().for_each(sync_folder);
        Ok(())
    }
}
