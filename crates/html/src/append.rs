//! Source text to plain text.

use crate::entities::reference;

/// Appends `source` to `out`: character references resolved unless it is `literal`, white space folded to one blank
/// unless `pre`, none at the start of the block, which begins at `start`.
pub(crate) fn append(out: &mut String, start: usize, source: &str, pre: bool, literal: bool) {
    let bytes = source.as_bytes();
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        match byte {
            b'&' if !literal => at += push_reference(out, source, at),
            b'\r' if pre && bytes.get(at + 1) == Some(&b'\n') => at += 1,
            b'\r' if pre => {
                out.push('\n');
                at += 1;
            }
            // The line end behind `<pre>` is not part of its text.
            b'\n' if pre && out.len() == start => at += 1,
            b' ' | b'\n' | b'\t' | b'\r' | b'\x0C' if !pre => {
                if out.len() > start && !out.ends_with(' ') {
                    out.push(' ');
                }
                at += 1;
            }
            // Text of a page holds no NUL; the HTML standard drops it.
            0 => at += 1,
            _ => {
                let rest = bytes.get(at..).unwrap_or_default();
                let length = run(rest, pre).max(1);
                out.push_str(source.get(at..at + length).unwrap_or_default());
                at += length;
            }
        }
    }
}

/// So many bytes are looked at at once.
pub(crate) const STEP: usize = size_of::<u64>();

/// Bytes at the beginning of `rest` that are copied as they are: up to a reference, a control character, or, unless
/// white space stays as it is, a second blank.
///
/// The blank that parts two words is one of them: a run that ended there would be copied word by word.
fn run(rest: &[u8], pre: bool) -> usize {
    let (steps, _) = rest.as_chunks::<STEP>();
    let folds = if pre { 0 } else { u64::MAX };
    let mut blank_before = 0;
    for (at, step) in steps.iter().enumerate() {
        let bytes = u64::from_le_bytes(*step);
        let blanks = equal(bytes, b' ') & folds;
        let ends = below(bytes, b' ') | equal(bytes, b'&') | blanks & (blanks << 8 | blank_before);
        if ends != 0 {
            return at * STEP + ends.trailing_zeros() as usize / 8;
        }
        blank_before = blanks >> 56;
    }
    let mut at = steps.len() * STEP;
    let mut after_blank = blank_before != 0;
    while let Some(&byte) = rest.get(at) {
        let is_blank = byte == b' ' && !pre;
        if byte < b' ' || byte == b'&' || is_blank && after_blank {
            break;
        }
        after_blank = is_blank;
        at += 1;
    }
    at
}

/// All bytes the same.
const fn all(byte: u8) -> u64 {
    u64::from_le_bytes([byte; STEP])
}

/// The highest bit of each byte that is `byte`.
pub(crate) fn equal(bytes: u64, byte: u8) -> u64 {
    let other = bytes ^ all(byte);
    !(((other & all(0x7F)) + all(0x7F)) | other) & all(0x80)
}

/// The highest bit of each byte that is less than `limit`, which is no more than 128.
fn below(bytes: u64, limit: u8) -> u64 {
    !(((bytes & all(0x7F)) + all(0x80 - limit)) | bytes) & all(0x80)
}

/// Resolves the reference at `at`, and says how many bytes it takes.
fn push_reference(out: &mut String, source: &str, at: usize) -> usize {
    let after = source.get(at + 1..).unwrap_or_default();
    if let Some((length, referent)) = reference(after) {
        referent.push_to(out);
        length + 1
    } else {
        out.push('&');
        1
    }
}

/// Appends a blank if `out` and `next` would otherwise make one word.
///
/// Chinese has no blanks, and its editors cut sentences into elements anywhere.
pub(crate) fn part_words(out: &mut String, next: &str) {
    let is_word = |c: char| c.is_alphanumeric() && !tamis_text::chars::is_cjk(c);
    if out.chars().next_back().is_some_and(is_word) && next.chars().next().is_some_and(is_word) {
        out.push(' ');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What [`run`] says, a byte at a time.
    fn run_by_bytes(rest: &[u8], pre: bool) -> usize {
        let ends = |at: usize| {
            let is_blank = |at: usize| rest[at] == b' ' && !pre;
            rest[at] < b' ' || rest[at] == b'&' || is_blank(at) && at > 0 && is_blank(at - 1)
        };
        (0..rest.len()).find(|at| ends(*at)).unwrap_or(rest.len())
    }

    #[test]
    fn runs_end_where_more_than_copying_is_needed() {
        let pieces = ["word", " ", "  ", "!", "\n", "&", "字", "\u{7f}", "\0", "é ", "a b c d e f g h i j"];
        for first in pieces {
            for second in pieces {
                for third in pieces {
                    for length in 0..10 {
                        let text = format!("{}{first}{second}{third}", "x".repeat(length));
                        for pre in [false, true] {
                            let rest = text.as_bytes();
                            assert_eq!(run(rest, pre), run_by_bytes(rest, pre), "{text:?} {pre}");
                        }
                    }
                }
            }
        }
    }

    #[test]
    fn white_space_is_folded_and_references_are_resolved() {
        for (source, pre, expected) in [
            ("  one  two \n three ", false, "one two three "),
            ("a &amp; b  &lt;c&gt; &unknown;", false, "a & b <c> &unknown;"),
            ("\n  one\r\n  two\r", true, "  one\n  two\n"),
            ("long enough for  a step  of eight bytes", false, "long enough for a step of eight bytes"),
        ] {
            let mut out = String::new();
            append(&mut out, 0, source, pre, false);
            assert_eq!(out, expected, "{source:?}");
        }
    }
}
