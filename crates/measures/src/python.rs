//! Characters as Python's strings class them, because the published rules were written and tuned in Python.

/// Whether `str.isspace` holds: white space of Unicode, and the separators of ASCII that are none there.
pub(crate) fn is_space(c: char) -> bool {
    matches!(c, ' ' | '\t'..='\r' | '\x1c'..='\x1f') || (!c.is_ascii() && c.is_whitespace())
}

/// Whether `str.isalpha` holds: letters, without marks and without letters that are numbers or signs.
pub(crate) fn is_alpha(c: char) -> bool {
    if c.is_ascii() {
        return c.is_ascii_alphabetic();
    }
    let is_number =
        matches!(c, '\u{2160}'..='\u{2188}' | '\u{24B6}'..='\u{24E9}' | '〇' | '\u{3021}'..='\u{3029}');
    c.is_alphabetic() && !is_number && !is_mark(c)
}

/// Whether `c` is a mark that belongs to the letter before it, in the scripts that have many.
pub(crate) fn is_mark(c: char) -> bool {
    let code = u32::from(c);
    matches!(code, 0x300..=0x36F | 0x483..=0x489 | 0x591..=0x5BD | 0x610..=0x61A | 0x64B..=0x65F | 0x670 | 0x6D6..=0x6DC
        | 0x93A..=0x93C | 0x93E..=0x94F | 0x962..=0x963 | 0xE31 | 0xE34..=0xE3A | 0xE47..=0xE4E | 0x1AB0..=0x1AFF
        | 0x20D0..=0x20FF | 0xFE00..=0xFE0F)
        || (matches!(code, 0x900..=0xDFF) && is_indic_mark(code))
}

/// Signs of vowels and the like: in these blocks, all laid out alike, the first four places, the one before the last of the
/// letters and some twenty behind them.
fn is_indic_mark(code: u32) -> bool {
    matches!(code & 0x7F, 0x00..=0x03 | 0x3C | 0x3E..=0x4D | 0x55..=0x57 | 0x62 | 0x63)
}

/// Whether a line ends behind `c` by `str.splitlines`.
pub(crate) fn is_line_end(c: char) -> bool {
    matches!(c, '\n'..='\r' | '\x1c'..='\x1e' | '\u{85}' | '\u{2028}' | '\u{2029}')
}

/// The lines by `str.splitlines`: CR LF is one end, and there is no empty line behind the last.
pub(crate) fn lines(text: &str) -> impl Iterator<Item = &str> {
    let only_feeds = !has_other_ends(text);
    let mut rest = text;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let end = if only_feeds {
            memchr::memchr(b'\n', rest.as_bytes()).map(|at| (at, 1))
        } else {
            line_end(rest)
        };
        let (line, end) = match end {
            Some((at, length)) => (rest.get(..at), at + length),
            None => (Some(rest), rest.len()),
        };
        rest = rest.get(end..).unwrap_or_default();
        line
    })
}

/// Whether a text may have line ends that are no LF. Few have, and to look for all of them in each line takes longer than all
/// else that is done with lines.
fn has_other_ends(text: &str) -> bool {
    let bytes = text.as_bytes();
    memchr::memchr3(b'\r', 0x0B, 0x0C, bytes).is_some()
        || memchr::memchr3(0x1C, 0x1D, 0x1E, bytes).is_some()
        || memchr::memmem::find(bytes, "\u{85}".as_bytes()).is_some()
        || memchr::memmem::find(bytes, "\u{2028}".as_bytes()).is_some()
        || memchr::memmem::find(bytes, "\u{2029}".as_bytes()).is_some()
}

/// Where the first line ends, and how long its end is.
fn line_end(text: &str) -> Option<(usize, usize)> {
    let (at, c) = text.char_indices().find(|(_, c)| is_line_end(*c))?;
    let is_pair = c == '\r' && text.as_bytes().get(at + 1) == Some(&b'\n');
    Some((at, c.len_utf8() + usize::from(is_pair)))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn lines_end_where_python_says() {
        let all: Vec<&str> = lines("a\r\nb\x0bc\u{2028}d\u{85}\n–e\x1cf\r").collect();
        assert_eq!(all, ["a", "b", "c", "d", "", "–e", "f"]);
        assert_eq!(lines("").count(), 0);
        assert_eq!(lines("\n").collect::<Vec<_>>(), [""]);
    }

    proptest! {
        #[test]
        fn nothing_but_line_ends_is_lost(text in "[ab–\u{2028}\r\n\u{85}\x1c]{0,30}") {
            let kept: String = lines(&text).collect();
            let expected: String = text.chars().filter(|c| !is_line_end(*c)).collect();
            prop_assert_eq!(kept, expected);
        }
    }
}
