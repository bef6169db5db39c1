//! HTML to a tree in one array, and to blocks of text.
//!
//! [`parse`] makes a [`Tree`] of any text: nodes in document order, nothing copied from the source.
//! [`Blocks`] are what a reader sees as one piece (paragraphs, headings, items, cells), with the block elements
//! around them.
//! Which of them are the content of the page is for the stages in `plugins/` to decide.
//!
//! Pure functions without settings; bytes become text in `tamis_text::encoding`.

mod append;
mod blocks;
mod build;
mod entities;
mod formula;
mod hidden;
mod mathml;
mod tag;
#[cfg(test)]
mod tests;
mod tokens;
mod tree;

pub use blocks::{Block, Blocks, Container, Marks, is_left_out, is_never_shown};
pub use build::{TooLong, parse};
pub use entities::{decoded, decoded_attribute};
pub use formula::formula;
pub use hidden::{Hiding, hiding, is_hidden, is_hidden_in_line};
pub use tag::{Name, Tag};
pub use tree::{Names, NodeId, Shape, Tree};
