//! What whole-program tests share.

pub mod gold;
pub mod program;
