//! What a run keeps on the disk beside its output: names, folders, the journal of parts.

pub(crate) mod appended;
pub(crate) mod file;
pub(crate) mod file_list;
pub(crate) mod fingerprint;
pub(crate) mod folder;
pub(crate) mod journal;
pub(crate) mod known_inputs;
pub(crate) mod manifest;
pub(crate) mod names;
pub(crate) mod previous;
pub(crate) mod shards;
pub(crate) mod spill;
pub(crate) mod states;
pub(crate) mod work_folder;
