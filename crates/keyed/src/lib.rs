//! Runs the rounds of keyed corpus stages: collects rows, reduces them, answers what came of them.
//!
//! A keyed stage ([`tamis_stage::keyed`]) says what it wants as data. [`Keyed`] makes an ordinary corpus stage of
//! one, so whoever drives corpus stages (the runner with its segments, shards and saved states, `tamis test`, the
//! conformance suite) drives keyed ones without knowing. An engine for tables that reduces the rows itself needs
//! the [`state`] files and nothing else of this.
//!
//! Of stages that are not keyed, [`tallied`] reads the counts in a saved state without the stage, for engines, too.
//!
//! Memory: rows and ids are sorted on the disk beyond what the stage may hold, and outcomes are tables on the disk
//! likewise; groups are found by sorting edges again and again, so no part of this grows with the collection but
//! files.

mod collect;
mod driver;
mod earlier;
mod failure;
mod groups;
mod known;
mod outcome;
mod reduce;
pub mod state;
pub mod tallied;
mod wanted;

pub use driver::Keyed;

#[cfg(test)]
mod tests;
