//! Sorts and merges small entries within a memory bound, on disk beyond it.
//!
//! A keyed corpus stage says a few fixed bytes about every document of a collection that fits in no memory:
//! [`Sorter`] takes such entries from any number of threads and gives them back in order, and [`Table`] answers
//! questions about entries in order. An entry is a string of bytes and its order is that of its bytes, so
//! whoever makes entries writes numbers with the most significant byte first; this crate knows nothing else of
//! them.
//!
//! What comes out depends on what was put in alone: not on the order, the threads, the memory, or how often
//! runs were merged. That is so because entries are compared by *all* of their bytes: two that are equal in
//! order are the same, and it does not matter which of them comes first.
//!
//! Files are for one run and are checked: each block carries a checksum of its bytes and its number, because
//! what lies on a disk for hours must come back as it was, or as an error.
//! Runs are written as they are, uncompressed: see below.
//!
//! # Why runs are not compressed
//!
//! Most bytes of an entry are a hash, and hashes do not compress. `cargo bench -p tamis-sort` tells what zstd
//! would have to be faster than.

mod batch;
mod blocks;
mod error;
mod merge;
mod place;
mod run;
mod saved;
mod shape;
mod sorter;
mod table;

pub use batch::Batch;
pub use blocks::{BlockReader, BlockWriter};
pub use error::{SortError, way_out};
pub use merge::Merge;
pub use place::Place;
pub use shape::{Combine, Fold, Shape};
pub use sorter::Sorter;
pub use table::{Cursor, Table, TableWriter};

#[cfg(test)]
mod tests;
