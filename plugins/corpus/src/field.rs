//! Fields of documents, as rows hold them.

use tamis_plugin::{ValueRef, View};
use xxhash_rust::xxh3::xxh3_64_with_seed;

/// A hash of a field; of one that is missing 0.
pub(crate) fn hash(document: &View<'_>, field: &str) -> u64 {
    match document.metadata(field) {
        None | Some(ValueRef::Null) => 0,
        Some(ValueRef::String(value)) => xxh3_64_with_seed(value.as_bytes(), 1),
        Some(other) => serde_json::to_vec(&other).map_or(0, |json| xxh3_64_with_seed(&json, 2)),
    }
}

/// A value as a number, if it is one.
pub(crate) fn number(value: ValueRef<'_>) -> Option<f64> {
    serde_json::to_value(value).ok()?.as_f64()
}
