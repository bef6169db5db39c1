//! What is wrong with an expression.

use std::fmt;
use std::ops::Range;

/// A mistake in an expression, with its place.
///
/// The message is in lower case and without a final stop; names are in backticks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mistake {
    /// What is wrong.
    pub message: String,
    /// What to do; may be empty.
    pub help: String,
    /// Where, in bytes of the source; at character boundaries and not empty unless the source is.
    pub span: Range<usize>,
}

impl Mistake {
    pub(crate) fn new(span: &Range<usize>, message: impl Into<String>, help: impl Into<String>) -> Self {
        Self { message: message.into(), help: help.into(), span: span.clone() }
    }
}

/// In one line, for whoever cannot show the place.
impl fmt::Display for Mistake {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.message)?;
        if self.help.is_empty() { Ok(()) } else { write!(out, ": {}", self.help) }
    }
}

impl std::error::Error for Mistake {}

/// The candidate that `word` was probably meant to be: at most two slips away, and at most a third of it. Case and
/// `_` or `-` count as no slip.
pub(crate) fn closest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let fold = |name: &str| -> String {
        name.chars().filter(|c| !matches!(c, '_' | '-')).flat_map(char::to_lowercase).collect()
    };
    let folded = fold(word);
    let most = (folded.chars().count() / 3).clamp(1, 2);
    candidates
        .into_iter()
        // Told from lengths first: what is compared costs the product of both.
        .filter(|candidate| candidate.len().abs_diff(word.len()) <= 16)
        .map(|candidate| (strsim::damerau_levenshtein(&folded, &fold(candidate)), candidate))
        .filter(|(distance, _)| *distance <= most)
        .min()
        .map(|(_, candidate)| candidate)
}
