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
    // What most texts beyond Latin consist of, so that no table is asked.
    if matches!(c, '\u{C0}'..='\u{D6}' | '\u{D8}'..='\u{F6}' | '\u{F8}'..='\u{24F}' | '\u{4E00}'..='\u{9FFF}' | '\u{3041}'..='\u{3096}' | '\u{30A1}'..='\u{30FA}' | '가'..='힣' | '\u{400}'..='\u{481}' | '\u{620}'..='\u{64A}')
    {
        return true;
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

/// `str.lstrip`.
pub(crate) fn trim_start(text: &str) -> &str {
    let n_blanks = text.bytes().take_while(|byte| is_ascii_space(*byte)).count();
    let rest = text.get(n_blanks..).unwrap_or_default();
    // Nearly always a byte decides, and characters beyond ASCII need not be looked up.
    if rest.as_bytes().first().is_some_and(|byte| !byte.is_ascii()) {
        rest.trim_start_matches(is_space)
    } else {
        rest
    }
}

/// `str.rstrip`.
pub(crate) fn trim_end(text: &str) -> &str {
    let n_blanks = text.bytes().rev().take_while(|byte| is_ascii_space(*byte)).count();
    let rest = text.get(..text.len() - n_blanks).unwrap_or_default();
    if rest.as_bytes().last().is_some_and(|byte| !byte.is_ascii()) {
        rest.trim_end_matches(is_space)
    } else {
        rest
    }
}

/// `str.strip`.
pub(crate) fn trim(text: &str) -> &str {
    trim_end(trim_start(text))
}

/// [`is_space`] for a byte of ASCII.
pub(crate) fn is_ascii_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t'..=b'\r' | 0x1C..=0x1F)
}

/// The lines by `str.splitlines`, each with the byte at which it begins: CR LF is one end, and there is no empty line behind the last. `only_feeds` says that
/// [`has_other_ends`] does not hold.
pub(crate) fn lines(text: &str, only_feeds: bool) -> impl Iterator<Item = (usize, &str)> {
    let mut feeds = memchr::memchr_iter(b'\n', text.as_bytes());
    let mut at = 0;
    std::iter::from_fn(move || {
        let rest = text.get(at..).unwrap_or_default();
        if rest.is_empty() {
            return None;
        }
        let end = if only_feeds { feeds.next().map(|feed| (feed - at, 1)) } else { line_end(rest) };
        let (length, end) = end.unwrap_or((rest.len(), 0));
        let start = at;
        at += length + end;
        Some((start, rest.get(..length)?))
    })
}

/// Whether a text may have line ends that are no LF. Few have, and to look for all of them in each line takes longer than all
/// else that is done with lines.
pub(crate) fn has_other_ends(text: &str) -> bool {
    let bytes = text.as_bytes();
    if memchr::memchr3(0x0B, 0x0C, b'\r', bytes)
        .or_else(|| memchr::memchr3(0x1C, 0x1D, 0x1E, bytes))
        .is_some()
    {
        return true;
    }
    !text.is_ascii()
        && ["\u{85}", "\u{2028}", "\u{2029}"]
            .iter()
            .any(|end| memchr::memmem::find(bytes, end.as_bytes()).is_some())
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

    fn split(text: &str) -> Vec<&str> {
        lines(text, !has_other_ends(text)).map(|(_, line)| line).collect()
    }

    #[test]
    fn lines_end_where_python_says() {
        let all: Vec<&str> = split("a\r\nb\x0bc\u{2028}d\u{85}\n–e\x1cf\r");
        assert_eq!(all, ["a", "b", "c", "d", "", "–e", "f"]);
        assert!(split("").is_empty());
        assert_eq!(split("\n"), [""]);
    }

    proptest! {
        #[test]
        fn nothing_but_line_ends_is_lost(text in "[ab–\u{2028}\r\n\u{85}\x1c]{0,30}") {
            let kept: String = split(&text).concat();
            let expected: String = text.chars().filter(|c| !is_line_end(*c)).collect();
            prop_assert_eq!(kept, expected);
        }

        #[test]
        fn what_is_trimmed_is_white_space(text in "[ab–\u{2028}\u{a0}\u{3000}\x1c\t ]{0,12}") {
            prop_assert_eq!(trim_start(&text), text.trim_start_matches(is_space));
            prop_assert_eq!(trim_end(&text), text.trim_end_matches(is_space));
            prop_assert_eq!(trim(&text), text.trim_matches(is_space));
        }

        #[test]
        fn only_feeds_are_told(text in "[ab–é\n\u{2027}]{0,300}[ab\r\x1c\u{85}\u{2029}\x1f\t]?") {
            let expected = text.chars().any(|c| is_line_end(c) && c != '\n');
            prop_assert_eq!(has_other_ends(&text), expected);
        }
    }

    #[test]
    fn letters_told_at_once_are_letters() {
        for c in '\0'..='\u{FFFF}' {
            let is_number = matches!(c, '\u{2160}'..='\u{2188}' | '\u{24B6}'..='\u{24E9}' | '〇' | '\u{3021}'..='\u{3029}');
            assert_eq!(is_alpha(c), c.is_alphabetic() && !is_number && !is_mark(c), "{c:?}");
        }
    }
}
