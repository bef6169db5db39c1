//! Conditions over documents: one small language for `where`, for rule files and for whoever shows them.
//!
//! ```text
//! language in ["zh", "en"] && size(text) >= 200 && !title.contains("404")
//! ```
//!
//! The syntax is that of [CEL](https://cel.dev), of which this is a subset: literals, `&& || !`, comparisons, `in`,
//! `+ - * / %`, `a ? b : c`, `.` and `[]` into nested fields, and [functions](Function) on strings.
//! There are no loops and no macros, so an expression takes time in proportion to its length and what it reads.
//!
//! | name | what it is |
//! | --- | --- |
//! | `id`, `text` | strings |
//! | `raw` | the bytes as scraped; only `size(raw)` and `has(raw)` |
//! | `origin.file`, `origin.offset`, `origin.length` | where the document was read |
//! | `measures.chars`, `measures["signs:news"]` | what a stage before has measured, the last of a name |
//! | `metadata.title`, `metadata["a b"]` | a field |
//! | `title` | the measure of that name if the document has it, or else the field |
//!
//! A field that is missing is null. Comparisons with null are false, `!=` included, and arithmetic with null is null,
//! so nothing is decided by what is not there; `has(title)` asks for it.
//! As a condition null is false.
//! Values of different types are never compared silently: where types are known that is a mistake before anything runs,
//! else the document fails with both values ([`Trouble`]).
//! There is one type of numbers; `/` gives fractions, and division by 0 gives null.
//!
//! **Why no crate.** `cel` (cel-rust) reads the whole language and runs it, but it finds out while it runs which names
//! there are and what type they have: a misspelt field would be an error of every document, or of none.
//! What is needed here is the opposite: few constructs, each with its place in the source, types and names checked
//! against a pipeline with near names for those that are unknown, null that decides nothing, and bounds on depth and
//! time. Those are about a thousand lines; the checker would have had to be written in any case.
//!
//! This crate knows no pipeline: whoever has one says which names there are ([`Names`]) and what they stand for
//! ([`Scope`]).

mod check;
mod evaluate;
mod expression;
mod function;
mod lexer;
mod mistake;
mod parser;
mod syntax;
mod types;
mod value;

pub use check::{AnyNames, Field, Names};
pub use evaluate::{Scope, Trouble};
pub use expression::Expression;
pub use function::Function;
pub use mistake::Mistake;
pub use syntax::Name;
pub use types::Type;
