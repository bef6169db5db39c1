//! What stages ask of a text: which script a character belongs to, where lines and sentences end, what a
//! numbered heading looks like.
//!
//! Every function is pure, knows no settings and never panics; all but [`encoding`], [`kind`], [`literal`] and [`markup`] take `&str` or `char`.
//! What to do about the answers is for the stages in `plugins/` to decide.
//!
//! - [`chars`]: classes of characters, display width.
//! - [`encoding`]: bytes to text, whatever encoding they are in.
//! - [`json`]: special bytes of JSON strings, and a layout for texts that are known as one.
//! - [`kind`]: files that are no text.
//! - [`lines`]: lines with their byte ranges, white space made plain.
//! - [`markup`]: whether a text is the source of a page.
//! - [`maths`]: exponential function and logarithm, the same on every machine.
//! - [`needles`]: many strings, looked for in one pass.
//! - [`runs`]: the stretch of a sequence that is worth the most.
//! - [`sentences`]: whether a piece of text ends, or contains, a sentence.
//! - [`literal`]: Python and JSON literals, as scrapers dump them.
//! - [`numbering`]: `一、`, `（一）`, `1、`, `1.`, `第一，` at the start of a heading or list item.

pub mod chars;
pub mod encoding;
pub mod json;
pub mod kind;
pub mod lines;
pub mod literal;
pub mod markup;
pub mod maths;
pub mod needles;
pub mod numbering;
pub mod runs;
pub mod sentences;
