//! What whole-program tests share.

pub mod gold;
pub mod lottery;
pub mod pack;
pub mod program;
pub mod world;
