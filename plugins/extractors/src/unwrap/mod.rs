//! `unwrap`: takes a text out of the literal in which it was dumped.
//!
//! [`options`] holds the page of the stage; the grammar of literals is [`tamis_text::literal`].

mod options;
#[cfg(test)]
mod tests;

use tamis_plugin::{Draft, Extractor, Failure, SetupError, Verdict};
use tamis_text::literal::{Cursor, Literal, Tree, is_word};

pub use options::UnwrapOptions;

/// A name before the colon is no longer than this, bytes; what is longer is prose.
const MAX_NAME_BYTES: usize = 40;

/// Takes texts out of literals; see [`UnwrapOptions`].
#[derive(Debug)]
pub struct Unwrap;

impl Extractor for Unwrap {
    const NAME: &'static str = "unwrap";
    type Options = UnwrapOptions;

    fn open(UnwrapOptions {}: Self::Options) -> Result<Self, SetupError> {
        Ok(Self)
    }

    fn extract(&self, draft: &mut Draft<'_>) -> Result<Verdict, Failure> {
        let Some(outcome) = unwrapped(draft.original().text()) else { return Ok(Verdict::Keep) };
        match outcome {
            Ok(text) => {
                draft.set_text(text);
                draft.notes().count("unwrapped", 1);
            }
            // Cut off by a scraper, or prose that only looks like a dump: nobody knows, so it stays.
            Err(()) => draft.notes().count("broken", 1),
        }
        Ok(Verdict::Keep)
    }
}

/// The text of the literal that is all of `text`; `None` when it does not begin like one.
fn unwrapped(text: &str) -> Option<Result<String, ()>> {
    let mut cursor = Cursor { bytes: text.as_bytes(), at: 0 };
    cursor.take_indent();
    let name = cursor.take_while(is_word);
    cursor.take_blanks();
    // Without a name, quotation marks around a text are its own.
    if name.is_empty() || name.len() > MAX_NAME_BYTES || !(cursor.take(b':') || cursor.take(b'=')) {
        return None;
    }
    cursor.take_blanks();
    if !cursor.string_follows() {
        return None;
    }
    let literal = cursor.literal::<Tree>();
    let nothing_follows = cursor.rest().iter().all(|byte| byte.is_ascii_whitespace() || *byte == b',');
    match literal {
        // The check of the standard library takes ten times as long as one with vectors and a copy.
        Ok(Literal::String(bytes)) if nothing_follows => {
            Some(simdutf8::basic::from_utf8(&bytes).map(str::to_owned).map_err(|_| ()))
        }
        _ => Some(Err(())),
    }
}
