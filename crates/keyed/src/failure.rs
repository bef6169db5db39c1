//! Failures of the disk, as stages tell them.

use tamis_sort::SortError;
use tamis_stage::Failure;

/// What goes wrong with the disk is no document's fault: the run ends and can be resumed.
pub(crate) fn failed(error: SortError) -> Failure {
    Failure::new(error)
}
