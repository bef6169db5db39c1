//! What a run keeps on the disk beside its output: names, folders, the journal of parts.

pub(crate) mod folder;
pub(crate) mod journal;
pub(crate) mod names;
