//! Which inputs belong to a shard.

use std::ops::Range;

use crate::read::inputs::Inputs;
use crate::segment::Shard;

/// What a file counts beside its bytes, so that empty files and those of unknown size are shared out, too.
const FILE_BYTES: u128 = 256;

impl Shard {
    /// The files of the shard: a run of whole files with about its share of all bytes.
    ///
    /// A file belongs to the shard in whose share its middle lies, so every file belongs to exactly one.
    pub(crate) fn range(self, files: &Inputs) -> Range<usize> {
        let size = |file: usize| u128::from(files.size(file)) + FILE_BYTES;
        let total: u128 = (0..files.len()).map(size).sum();
        let end_of = |shard: u32| {
            let limit = total * u128::from(shard);
            let mut before = 0;
            (0..files.len())
                .position(|file| {
                    let middle = before * 2 + size(file);
                    before += size(file);
                    middle * u128::from(self.count) >= limit * 2
                })
                .unwrap_or(files.len())
        };
        end_of(self.index)..end_of(self.index + 1)
    }

    /// The shard whose folder has this name.
    pub(crate) fn of_folder(name: &str) -> Option<Self> {
        let (index, count) = name.strip_prefix("shard-")?.split_once("-of-")?;
        let shard = Self { index: index.parse().ok()?, count: count.parse().ok()? };
        (shard.folder() == name).then_some(shard)
    }

    /// The folder of its output below that of an export.
    pub(crate) fn folder(self) -> String {
        format!("shard-{:05}-of-{:05}", self.index, self.count)
    }
}
