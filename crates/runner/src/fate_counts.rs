//! How many records were kept, dropped and failed.

use serde::{Deserialize, Serialize};
use tamis_document::Fate;

/// What became of some records, such as those in a language.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FateCounts {
    /// Records that passed every stage and were exported.
    pub kept: u64,
    /// Records that a stage dropped.
    pub dropped: u64,
    /// Records that could not be processed or exported.
    pub failed: u64,
}

impl FateCounts {
    /// All of them.
    pub fn n(&self) -> u64 {
        self.kept + self.dropped + self.failed
    }

    pub(crate) fn note(&mut self, fate: &Fate) {
        match fate {
            Fate::Kept => self.kept += 1,
            Fate::Dropped(_) => self.dropped += 1,
            Fate::Failed(_) => self.failed += 1,
        }
    }

    pub(crate) fn add(&mut self, other: Self) {
        self.kept += other.kept;
        self.dropped += other.dropped;
        self.failed += other.failed;
    }
}
