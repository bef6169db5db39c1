//! What the length of a chunk is measured in.

use crate::tokenizer::Tokenizer;

/// A unit of lengths.
#[derive(Debug)]
pub(super) enum Length {
    Characters,
    Tokens(Tokenizer),
}

/// Bytes of a token, before any text was looked at.
const BYTES_OF_A_TOKEN: usize = 4;
/// A part is long enough when this part of the most is left: it is cut back to the end of a sentence anyway.
const LEFT: usize = 64;

impl Length {
    /// How long a text is.
    pub(super) fn of(&self, text: &str) -> Result<usize, String> {
        match self {
            Self::Characters => Ok(text.chars().count()),
            Self::Tokens(tokenizer) => tokenizer.count(text),
        }
    }

    /// The beginning of a text that is at most `most` long, as much as may be.
    pub(super) fn front<'t>(&self, text: &'t str, most: usize) -> Result<&'t str, String> {
        let front = |n_bytes| text.get(..text.floor_char_boundary(n_bytes)).unwrap_or_default();
        match self {
            Self::Characters => Ok(front(text.char_indices().nth(most).map_or(text.len(), |(at, _)| at))),
            Self::Tokens(tokenizer) => fitting(tokenizer, text.len(), most, front),
        }
    }

    /// The same of its end.
    pub(super) fn back<'t>(&self, text: &'t str, most: usize) -> Result<&'t str, String> {
        let back = |n_bytes| text.get(text.ceil_char_boundary(text.len() - n_bytes)..).unwrap_or_default();
        match self {
            Self::Characters => {
                let start = most.checked_sub(1).and_then(|nth| text.char_indices().rev().nth(nth));
                Ok(back(if most == 0 { 0 } else { text.len() - start.map_or(0, |(at, _)| at) }))
            }
            Self::Tokens(tokenizer) => fitting(tokenizer, text.len(), most, back),
        }
    }
}

/// The longest part with at most `most` tokens, or one that is shorter by a word; `part` gives one of at most so many bytes, and the whole has `n_bytes`.
///
/// A tokenizer that normalises a text does not say where in it its tokens stood, so parts are counted. Each guess follows
/// from the bytes of a token in the one before, and every other halves what is left, so that odd texts end, too.
fn fitting<'t>(
    tokenizer: &Tokenizer,
    n_bytes: usize,
    most: usize,
    part: impl Fn(usize) -> &'t str,
) -> Result<&'t str, String> {
    let (mut fits, mut too_long) = (0, n_bytes + 1);
    let mut guess = most.saturating_mul(BYTES_OF_A_TOKEN).min(n_bytes);
    for round in 0.. {
        if most == 0 || too_long - fits <= 1 {
            break;
        }
        let n_tokens = tokenizer.count(part(guess))?;
        if n_tokens > most {
            too_long = guess;
        } else {
            fits = guess;
            if most - n_tokens <= most / LEFT {
                break;
            }
        }
        let even = (guess as f64 * most as f64 / n_tokens.max(1) as f64) as usize;
        let half = usize::midpoint(fits, too_long);
        guess = if round % 2 == 0 { even } else { half }.clamp(fits + 1, too_long.max(fits + 2) - 1);
    }
    Ok(part(fits))
}
