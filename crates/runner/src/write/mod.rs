//! From results, in corpus order, to files.

pub(crate) mod checkpoint;
pub(crate) mod export;
mod forms;
pub(crate) mod named;
pub(crate) mod part;
pub(crate) mod partition;
pub(crate) mod parts;
pub(crate) mod writer;
