//! From what the sources name to tasks: which files there are, what is in them, where they are cut.

mod choose;
pub(crate) mod cutter;
pub(crate) mod feeder;
pub(crate) mod find;
pub(crate) mod glance;
pub(crate) mod hidden;
pub(crate) mod inputs;
pub(crate) mod only;
pub(crate) mod sample;
mod seam;
pub(crate) mod shard;
pub(crate) mod stream;
pub(crate) mod unpack;
