//! A row of the table, and what stands around the rows in the file.

use tamis_document::{Fate, Measure};

/// Begins the file; the number is the version of the form.
pub(crate) const MAGIC: &[u8] = b"tamis fates 1\n";
/// Ends it.
pub(crate) const END: &[u8; 8] = b"fates 1\n";
/// Bytes of an entry of the index, and of the tail.
pub(crate) const ENTRY: usize = 32;
pub(crate) const TAIL: usize = 40;

/// What became of a record.
#[derive(Debug, Clone, PartialEq)]
pub struct FateRow {
    /// The id that it had in the end.
    pub id: String,
    /// Where it stands in the corpus; see [`crate::RecordPlace`]. What was split off a record follows it, some of it
    /// maybe with the same position.
    pub position: u128,
    /// What became of it, with the reason.
    pub fate: Fate,
    /// The source, stage or export that dropped or failed it; none if it was kept.
    pub stage: Option<String>,
    /// What was measured on it, as far as few bytes allow.
    pub measures: Vec<Measure>,
}
