//! Which files a run has read, so that a later one can tell what is new: `.tamis/inputs`.
//!
//! Names and versions are hashed: 24 bytes a file, whatever its name, and nobody learns names from it. The file is a
//! line, the entries in order, and a hash of all of it.

use std::path::Path;

use crate::disk::file::write_file;
use crate::disk::names::{INPUTS, WORK};
use crate::error::RunError;

const MAGIC: &[u8] = b"tamis inputs 1\n";
const NAME_BYTES: usize = 16;
const VERSION_BYTES: usize = 8;
const ENTRY_BYTES: usize = NAME_BYTES + VERSION_BYTES;

/// Files by name, each with what its size, time of change and version come to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct KnownInputs(Vec<[u8; ENTRY_BYTES]>);

/// What is known of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Standing {
    /// No run has read one of this name.
    New,
    /// It was read as it is.
    Read,
    /// It was read, and has another size or time of change now.
    Changed,
}

/// A file in the form that is kept.
pub(crate) fn entry(
    source: usize,
    name: &str,
    size: u64,
    modified: u128,
    version: &str,
) -> [u8; ENTRY_BYTES] {
    let mut name_hasher = blake3::Hasher::new();
    name_hasher.update(&(source as u64).to_le_bytes()).update(name.as_bytes());
    let mut version_hasher = blake3::Hasher::new();
    version_hasher.update(&size.to_le_bytes()).update(&modified.to_le_bytes()).update(version.as_bytes());
    let mut entry = [0; ENTRY_BYTES];
    name_hasher.finalize_xof().fill(&mut entry[..NAME_BYTES]);
    version_hasher.finalize_xof().fill(&mut entry[NAME_BYTES..]);
    entry
}

impl KnownInputs {
    pub(crate) fn of(entries: impl Iterator<Item = [u8; ENTRY_BYTES]>) -> Self {
        let mut entries: Vec<_> = entries.collect();
        entries.sort_unstable();
        Self(entries)
    }

    /// Takes in what another run has read.
    pub(crate) fn extend(&mut self, other: Self) {
        self.0.extend(other.0);
        self.0.sort_unstable();
        self.0.dedup();
    }

    /// These and those of another run.
    pub(crate) fn and(mut self, other: Self) -> Self {
        self.extend(other);
        self
    }

    /// How a file stands to those.
    pub(crate) fn standing(&self, entry: &[u8; ENTRY_BYTES]) -> Standing {
        let name = |entry: &[u8; ENTRY_BYTES]| entry.first_chunk::<NAME_BYTES>().copied();
        let at = self.0.partition_point(|known| name(known) < name(entry));
        let mut standing = Standing::New;
        for known in self.0.iter().skip(at).take_while(|known| name(known) == name(entry)) {
            if known == entry {
                return Standing::Read;
            }
            standing = Standing::Changed;
        }
        standing
    }

    /// Writes the list of a run whose manifest lies in `folder`.
    pub(crate) fn write(&self, folder: &Path) -> Result<(), RunError> {
        let mut bytes = MAGIC.to_vec();
        bytes.extend_from_slice(self.0.as_flattened());
        bytes.extend_from_slice(blake3::hash(&bytes).as_bytes());
        write_file(&folder.join(WORK).join(INPUTS), &bytes)
    }

    /// Reads it; what is wrong with it otherwise.
    pub(crate) fn read(folder: &Path) -> Result<Self, String> {
        let path = folder.join(WORK).join(INPUTS);
        let told = |why: &str| format!("its list of inputs, `{}`, {why}", path.display());
        let bytes = std::fs::read(&path).map_err(|error| told(&format!("cannot be read: {error}")))?;
        let whole = bytes.split_last_chunk::<{ blake3::OUT_LEN }>();
        let whole = whole.filter(|(content, hash)| blake3::hash(content) == **hash);
        let entries = whole.and_then(|(content, _)| content.strip_prefix(MAGIC)).map(<[u8]>::as_chunks);
        match entries {
            Some((entries, [])) => Ok(Self(entries.to_vec())),
            _ => Err(told("is damaged")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_known_by_name_and_version() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join(WORK)).unwrap();
        let known = KnownInputs::of([entry(0, "b", 5, 7, ""), entry(0, "a", 5, 7, "v")].into_iter());
        known.write(folder.path()).unwrap();
        let mut read = KnownInputs::read(folder.path()).unwrap();
        assert_eq!(read, known);
        let standing =
            |read: &KnownInputs, source, name, size| read.standing(&entry(source, name, size, 7, ""));
        assert_eq!(standing(&read, 0, "b", 5), Standing::Read);
        assert_eq!(standing(&read, 0, "b", 6), Standing::Changed);
        assert_eq!(standing(&read, 0, "a", 5), Standing::Changed);
        assert_eq!((standing(&read, 1, "b", 5), standing(&read, 0, "c", 5)), (Standing::New, Standing::New));
        read.extend(KnownInputs::of([entry(0, "b", 6, 7, "")].into_iter()));
        assert_eq!(
            (standing(&read, 0, "b", 5), standing(&read, 0, "b", 6)),
            (Standing::Read, Standing::Read)
        );
    }

    #[test]
    fn a_damaged_list_is_no_list() {
        let folder = tempfile::tempdir().unwrap();
        assert!(KnownInputs::read(folder.path()).unwrap_err().contains("cannot be read"));
        std::fs::create_dir(folder.path().join(WORK)).unwrap();
        KnownInputs::of([entry(0, "b", 5, 7, "")].into_iter()).write(folder.path()).unwrap();
        let path = folder.path().join(WORK).join(INPUTS);
        let bytes = std::fs::read(&path).unwrap();
        for at in [0, MAGIC.len() + 3, bytes.len() - 1] {
            let mut damaged = bytes.clone();
            damaged[at] ^= 1;
            std::fs::write(&path, damaged).unwrap();
            assert!(KnownInputs::read(folder.path()).unwrap_err().contains("is damaged"), "{at}");
        }
        std::fs::write(&path, &bytes[..bytes.len() - 9]).unwrap();
        assert!(KnownInputs::read(folder.path()).is_err());
    }
}
