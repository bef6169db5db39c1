//! The fate table: what became of every record of a run, whatever is exported.
//!
//! It is for programs that explain or compare runs, so it is written by default, and lies in
//! `.tamis/fates` below the folder of the first export; the manifest names it, with its hash. It holds each record
//! once, in corpus order, and is the same bytes whatever the number of threads and after a kill and resume. With ids
//! as people have them a record takes some 10 to 40 bytes.
//!
//! # Reading it
//!
//! ```no_run
//! use tamis_runner::fates::Fates;
//!
//! let mut fates = Fates::open("out/.tamis/fates".as_ref())?;
//! for row in fates.find("https://example.org/")? {
//!     println!("{:?} by {:?}: {:?}", row.fate, row.stage, row.measures);
//! }
//! for row in fates.rows() {
//!     println!("{}", row?.id);
//! }
//! # Ok::<(), tamis_runner::RunError>(())
//! ```
//!
//! # The form
//!
//! All numbers are little-endian; *varint* stands for an unsigned LEB128, *text* for a varint length and UTF-8.
//!
//! ```text
//! file    "tamis fates 1\n", block …, entry …, tail
//! block   header of 64 bytes, then four columns
//! header  rows u32 │ 0 u32 │ sum u64 │ position of the first row u128 │ 4 × (stored u32, plain u32)
//! entry   one a block: offset in the file u64 │ rows before it u64 │ position of its first row u128
//! tail    offset of the first entry u64 │ blocks u64 │ rows u64 │ sum u64 │ "fates 1\n"
//! ```
//!
//! A column is a Zstandard frame, or as it is where `stored` equals `plain`; `sum` is XXH3-64: of the entries;
//! or of the four columns as they are stored, seeded with that of the header with a sum of 0. A block holds what one task of the run made (or 4,096 rows, where a plan with
//! corpus stages has several sweeps and their rows are merged), so workers pack it and the writer only appends it.
//! Columns are apart because who looks for an id needs no measures, and who counts reasons needs no ids.
//!
//! | column | content |
//! | --- | --- |
//! | fates | varint number of different fates, each: u8 (0 kept, 1 dropped, 2 failed), text of the stage, text of the reason; then a varint a row: which |
//! | positions | a varint a row: by how much the place is behind that of the row before, doubled, plus 1 if what follows is not 0; then a varint: letter and split |
//! | ids | a varint a row: how many bytes the id has in common with the one before; a varint a row: how many follow; then these bytes |
//! | measures | varint number of different measures, each: text of the name, u8 (0 no limit, 1 at least, 2 at most), limit f64; a varint a row: how many; a varint each: which; then three bytes each of the values, all first bytes before all second ones |
//!
//! Rows follow each other by position; the place is a position without its lowest 25 bits ([`RecordPlace`] tells them
//! apart), and the first is reckoned from the position in the header. A value is an f32 of which the upper 20 bits are
//! kept: whole numbers up to 4,096 are exact, others are off by .025 % at most, and on the right side of their limits. A row holds at most 8 measures: those
//! beyond their limits before others, later ones before earlier ones. A reason is cut at 200 bytes.
//!
//! [`RecordPlace`]: crate::RecordPlace

mod block;
mod reader;
mod row;
#[cfg(test)]
mod tests;
mod writer;

pub(crate) use block::{Block, Builder};
pub use reader::Fates;
pub use row::FateRow;
pub(crate) use writer::{FateWriter, finish};
