//! What stages ask of a text: which script a character belongs to, where lines and sentences end, what a
//! numbered heading looks like.
//!
//! Every function is pure, knows no settings and never panics; all but [`encoding`], [`kind`], [`literal`] and [`markup`] take `&str` or `char`.
//! What to do about the answers is for the stages in `plugins/` to decide.
//!
//! - [`chars`]: classes of characters, display width.
//! - [`class`]: the classes of a character that readers of pages ask for, in one look.
//! - [`domain`]: names of hosts.
//! - [`encoding`]: bytes to text, whatever encoding they are in.
//! - [`hash`]: a number for some bytes, the same on every machine.
//! - [`hosts`]: the host of an address.
//! - [`json`]: special bytes of JSON strings, and a layout for texts that are known as one.
//! - [`kind`]: files that are no text.
//! - [`likeness`]: whether two texts say the same.
//! - [`lines`]: lines with their byte ranges, white space made plain.
//! - [`markup`]: whether a text is the source of a page.
//! - [`maths`]: exponential function and logarithm, the same on every machine.
//! - [`needles`]: many strings, looked for in one pass.
//! - [`repeats`]: how much of a text says what it has said before.
//! - [`runs`]: the stretch of a sequence that is worth the most.
//! - [`scan`]: where the lines of a text end, as an attachment for all stages.
//! - [`scripts`]: how many letters of each script a text has.
//! - [`sentences`]: where sentences end, and whether a piece of text ends, or contains, one.
//! - [`literal`]: Python and JSON literals, as scrapers dump them.
//! - [`numbering`]: `一、`, `（一）`, `1、`, `1.`, `第一，` at the start of a heading or list item.
//! - [`windows`]: places that few bytes tell.
//! - [`words`]: words of alphabets, characters of Chinese and Japanese.

pub mod chars;
pub mod class;
pub mod domain;
pub mod encoding;
pub mod hash;
pub mod hosts;
pub mod json;
pub mod kind;
pub mod likeness;
pub mod lines;
pub mod literal;
pub mod markup;
pub mod maths;
pub mod needles;
pub mod numbering;
pub mod repeats;
pub mod runs;
pub mod scan;
pub mod scripts;
pub mod sentences;
pub mod windows;
pub mod words;
