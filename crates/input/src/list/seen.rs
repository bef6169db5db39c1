//! Files that two patterns find.

use std::collections::HashSet;

/// The files of a source that were listed, where patterns may meet.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    /// Whether two patterns may meet at all: one that is alone finds no file twice, and what is seen costs memory.
    pub(super) is_wanted: bool,
    /// Hashes that no two files share, however many there are and whoever chose their names.
    hashes: HashSet<u128>,
}

impl Seen {
    /// Whether a path or address was not seen yet; now it is.
    pub(crate) fn is_new(&mut self, place: &[u8]) -> bool {
        if !self.is_wanted {
            return true;
        }
        let hash = blake3::hash(place);
        let half = hash.as_bytes().first_chunk().copied().unwrap_or_default();
        self.hashes.insert(u128::from_le_bytes(half))
    }
}
