//! What a worker does: decode, stages, encode; and who does what.

pub(crate) mod chain;
pub(crate) mod compress;
pub(crate) mod decode;
pub(crate) mod encode;
pub(crate) mod grace;
pub(crate) mod place;
pub(crate) mod scheduler;
pub(crate) mod task;
pub(crate) mod worker;
