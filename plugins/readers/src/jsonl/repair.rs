//! JSON text without what programs write into it that is not JSON: `NaN`, infinities, half of a surrogate pair.
//!
//! Python writes the former unless it is told not to, JavaScript the latter when it cuts a string within an emoji.

use super::value::unicode_escape;
use crate::invalid::Repairs;

/// The text with null for numbers that are not finite and U+FFFD for halves of surrogate pairs; none if there is
/// nothing to repair.
///
/// Whether the text is JSON otherwise is not looked at.
pub(crate) fn repaired(text: &str) -> Option<(String, Repairs)> {
    let mut repairs = Repairs::default();
    let mut out = String::with_capacity(text.len());
    let (mut rest, mut in_string) = (text, false);
    while let Some(at) = rest.find(if in_string { IN_STRING } else { BETWEEN }) {
        let (before, found) = rest.split_at(at);
        out.push_str(before);
        let (length, written) = match found.as_bytes() {
            [b'"', ..] => {
                in_string = !in_string;
                (1, None)
            }
            [b'\\', b'u', ..] => {
                if let Ok((_, length)) = unicode_escape(found.as_bytes()) {
                    (length, None)
                } else {
                    repairs.surrogates += 1;
                    (6, Some(r"\ufffd"))
                }
            }
            [b'\\', ..] => (2, None),
            _ => match WORDS.into_iter().find(|word| is_word(found, word)) {
                Some(word) => {
                    repairs.numbers += 1;
                    (word.len(), Some("null"))
                }
                None => (1, None),
            },
        };
        // An escape that is cut off, or stands before a longer character, stays what it is.
        let length =
            (length..found.len()).find(|length| found.is_char_boundary(*length)).unwrap_or(found.len());
        let (found, after) = found.split_at(length);
        out.push_str(written.unwrap_or(found));
        rest = after;
    }
    out.push_str(rest);
    (repairs != Repairs::default()).then_some((out, repairs))
}

const IN_STRING: &[char] = &['"', '\\'];
const BETWEEN: &[char] = &['"', 'N', 'I', '-'];
const WORDS: [&str; 3] = ["NaN", "Infinity", "-Infinity"];

/// Whether `text` begins with a word that does not go on.
fn is_word(text: &str, word: &str) -> bool {
    let after = text.strip_prefix(word).map(|rest| rest.chars().next());
    after.is_some_and(|next| !next.is_some_and(|next| next.is_alphanumeric() || next == '_'))
}
