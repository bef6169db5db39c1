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
                let length = rest.iter().position(|&byte| ends_run(byte)).unwrap_or(rest.len()).max(1);
                out.push_str(source.get(at..at + length).unwrap_or_default());
                at += length;
            }
        }
    }
}

/// Whether a byte may need more than to be copied.
fn ends_run(byte: u8) -> bool {
    byte <= b' ' || byte == b'&'
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
