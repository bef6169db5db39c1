//! Classes of characters.
//!
//! The ranges are blocks of Unicode 16, not properties of single characters: blocks do not change when a new
//! version assigns more of them, and a comparison is all they cost.

/// Whether `c` is a Chinese character (a Han ideograph, 々 and 〇 included).
#[inline]
pub fn is_han(c: char) -> bool {
    matches!(c,
        '\u{4E00}'..='\u{9FFF}'
        | '\u{3400}'..='\u{4DBF}'
        | '\u{F900}'..='\u{FAFF}'
        | '\u{20000}'..='\u{3FFFD}'
        | '々' | '〇')
}

/// Whether `c` is a Japanese kana letter; marks that combine with one are not letters.
#[inline]
pub fn is_kana(c: char) -> bool {
    matches!(c, 'ぁ'..='ゖ' | 'ゝ'..='ゟ' | 'ァ'..='ヺ' | 'ー'..='ヿ' | '\u{31F0}'..='\u{31FF}' | 'ｦ'..='ﾝ')
}

/// Whether `c` is a Korean syllable; single jamo are not.
#[inline]
pub fn is_hangul(c: char) -> bool {
    matches!(c, '가'..='힣')
}

/// Whether `c` is a letter of a script that is written without blanks between words, Korean included, where
/// a line may break at any character.
#[inline]
pub fn is_cjk(c: char) -> bool {
    // Nearly every character of a Latin text is told apart by this one comparison.
    c >= '\u{3005}' && (is_han(c) || is_kana(c) || is_hangul(c))
}

/// Whether `c` is a letter of the Latin script, with or without marks.
#[inline]
pub fn is_latin(c: char) -> bool {
    c.is_ascii_alphabetic()
        || matches!(c, '\u{C0}'..='\u{24F}' | '\u{1E00}'..='\u{1EFF}') && !matches!(c, '×' | '÷')
}

/// Whether `c` is punctuation as wide as a Chinese character: 、。，（）《》「」 and the like.
#[inline]
pub fn is_wide_punctuation(c: char) -> bool {
    matches!(c,
        '\u{3001}'..='\u{3003}'
        | '\u{3008}'..='\u{3020}'
        | '\u{30FB}'
        | '\u{FE30}'..='\u{FE4F}'
        | '！'..='／' | '：'..='＠' | '［'..='｀' | '｛'..='｠')
}

/// Whether `c` is white space that does not end a line: blank, tab, U+00A0, U+3000 and the other spaces.
#[inline]
pub fn is_blank(c: char) -> bool {
    matches!(
        c,
        ' ' | '\t' | '\u{A0}' | '\u{1680}' | '\u{2000}'..='\u{200A}' | '\u{202F}' | '\u{205F}' | '\u{3000}'
    )
}

/// Whether `c` ends a line: LF, VT, FF, CR, NEL, U+2028, U+2029.
#[inline]
pub fn is_line_end(c: char) -> bool {
    matches!(c, '\n'..='\r' | '\u{85}' | '\u{2028}' | '\u{2029}')
}

/// Whether `c` takes no room and is no white space: zero-width blanks, joiners, marks of direction or byte order, soft
/// hyphens, operators that mathematics does not show. Control characters are not among them.
#[inline]
pub fn is_invisible(c: char) -> bool {
    // Nearly every character of any text is told apart by the first two comparisons.
    c >= '\u{AD}'
        && (c <= '\u{206F}' || c == '\u{FEFF}')
        && matches!(c, '\u{AD}' | '\u{61C}' | '\u{180E}' | '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}'
            | '\u{2060}'..='\u{206F}' | '\u{FEFF}')
}

/// Whether `c` ends a sentence of Chinese or Japanese whatever follows: 。！？．｡.
///
/// `…` and `；` are not among them: they end a clause as often as a sentence.
#[inline]
pub fn is_wide_end(c: char) -> bool {
    matches!(c, '。' | '！' | '？' | '｡' | '．')
}

/// Whether `c` ends a sentence of any script, if what follows allows it: those of [`is_wide_end`], `.`, `!`, `?`, and those
/// of Arabic and Hindi.
#[inline]
pub fn is_end(c: char) -> bool {
    is_wide_end(c) || matches!(c, '.' | '!' | '?' | '।' | '؟')
}

/// Whether `c` closes a quotation or a bracket, so that it still belongs to the sentence before it.
///
/// `"` and `'` count: they close as often as they open, and before a sentence end nothing opens.
#[inline]
pub fn is_closing(c: char) -> bool {
    matches!(
        c,
        '”' | '’'
            | '"'
            | '\''
            | '»'
            | '›'
            | ')'
            | ']'
            | '}'
            | '）'
            | '」'
            | '』'
            | '》'
            | '〉'
            | '】'
            | '〕'
            | '〗'
            | '〙'
            | '〛'
            | '］'
            | '｝'
            | '＂'
            | '＇'
            | '｣'
    )
}

/// Whether `c` opens a quotation or a bracket.
#[inline]
pub fn is_opening(c: char) -> bool {
    matches!(
        c,
        '“' | '‘'
            | '„'
            | '«'
            | '‹'
            | '('
            | '['
            | '{'
            | '（'
            | '「'
            | '『'
            | '《'
            | '〈'
            | '【'
            | '〔'
            | '〖'
            | '〘'
            | '〚'
            | '［'
            | '｛'
            | '｢'
    )
}

/// Columns that `c` takes on a terminal or in a typeset line: 2 for a wide character, 1 for any other.
///
/// Marks that take no column of their own are not looked up: a measure of line length does not miss them.
#[inline]
pub fn width(c: char) -> usize {
    if c < '\u{1100}' {
        return 1;
    }
    let wide = is_cjk(c)
        || is_wide_punctuation(c)
        || matches!(c, '\u{3000}' | '\u{1100}'..='\u{115F}' | '０'..='９' | 'Ａ'..='Ｚ' | 'ａ'..='ｚ'
            | '\u{3100}'..='\u{312F}' | '\u{1F300}'..='\u{1FAFF}');
    1 + usize::from(wide)
}

/// Columns that `text` takes; see [`width`].
pub fn text_width(text: &str) -> usize {
    let bytes = text.as_bytes();
    let (mut at, mut columns) = (0, 0);
    while let Some(first) = bytes.get(at) {
        let (n_bytes, width) = match first {
            0..0x80 => (1, 1),
            // Han characters, all of them.
            0xE5..=0xE9 => (3, 2),
            _ => match text.get(at..).and_then(|rest| rest.chars().next()) {
                Some(c) => (c.len_utf8(), width(c)),
                None => break,
            },
        };
        at += n_bytes;
        columns += width;
    }
    columns
}

/// Number of characters (Unicode scalar values) other than white space.
///
/// This is the length that is the same before and after any repair of white space.
pub fn count_visible(text: &str) -> usize {
    let mut rest = text.as_bytes();
    let mut n_visible = 0;
    // Two bytes more than are counted, so that a character that begins with the last of them can be told.
    while let Some(window) = rest.first_chunk::<{ LANE + 2 }>() {
        n_visible += usize::from(count_begun(&window[..LANE]));
        if may_begin_wide_space(window) {
            n_visible -= count_wide_spaces(window, LANE);
        }
        rest = rest.get(LANE..).unwrap_or_default();
    }
    // Nearly all lines are shorter than a lane: sixteen bytes at a time, and what is left among blanks.
    let (windows, left) = rest.as_chunks::<SHORT>();
    let mut last = [b' '; SHORT];
    last[..left.len()].copy_from_slice(left);
    let begun = windows.iter().chain([&last]).map(|bytes| usize::from(count_begun(bytes))).sum::<usize>();
    n_visible + begun - if rest.is_ascii() { 0 } else { count_wide_spaces_within(rest) }
}

/// How many white space characters of two or three bytes begin in some bytes, most of which begin none.
fn count_wide_spaces_within(bytes: &[u8]) -> usize {
    let may = |may: u8, byte: &u8| may | u8::from(*byte == 0xC2) | u8::from(byte.wrapping_sub(0xE1) <= 2);
    if bytes.iter().fold(0, may) == 0 { 0 } else { count_wide_spaces(bytes, bytes.len()) }
}

/// Whether a text may hold white space beyond ASCII: where it says no, there is none.
///
/// For texts in which hardly any line does, and of which each character would have to be looked at otherwise.
pub fn may_have_wide_space(text: &str) -> bool {
    let mut rest = text.as_bytes();
    while let Some(window) = rest.first_chunk::<{ LANE + 2 }>() {
        if may_begin_wide_space(window) {
            return true;
        }
        rest = rest.get(LANE..).unwrap_or_default();
    }
    count_wide_spaces(rest, rest.len()) > 0
}

/// Bytes that are counted in one byte before the count is carried over: so short that it cannot overflow, and
/// that the compiler compares a register full of bytes at a time. A loop that counts in `usize` is eight
/// times slower, because each comparison is widened to eight bytes.
const LANE: usize = 128;

/// The same for texts that are shorter.
const SHORT: usize = 16;

/// How many characters begin in at most [`LANE`] bytes that are not white space of ASCII.
///
/// A character begins at every byte that is not a continuation byte, which are the least as signed numbers. What is
/// true is a 1 here, because `&&` would become a jump for each byte.
fn count_begun(bytes: &[u8]) -> u8 {
    let is_counted = |byte: u8| {
        let is_other = u8::from(byte != b' ') & u8::from(byte.wrapping_sub(b'\t') > b'\r' - b'\t');
        u8::from(byte.cast_signed() >= -0x40) & is_other
    };
    bytes.iter().fold(0, |n_begun: u8, byte| n_begun.wrapping_add(is_counted(*byte)))
}

/// Whether a window may hold a white space character of two or three bytes: few windows may, and to count such
/// characters takes three times as long as all others.
///
/// Looks for the first bytes of those characters; that of U+3000 begins a quarter of all Chinese punctuation as well,
/// so there the two bytes behind it are looked for, which are the same.
fn may_begin_wide_space(window: &[u8; LANE + 2]) -> bool {
    let mut may = 0;
    for index in 0..LANE {
        let (first, second, third) = (window[index], window[index + 1], window[index + 2]);
        may |= u8::from(second == 0x80) & u8::from(third == 0x80);
        may |= u8::from(first == 0xC2) | u8::from(first.wrapping_sub(0xE1) <= 1);
    }
    may != 0
}

/// How many white space characters of two or three bytes begin in the first `length` bytes, at most [`LANE`] and two.
fn count_wide_spaces(bytes: &[u8], length: usize) -> usize {
    let first = bytes.get(..length).unwrap_or_default();
    let (second, third) = (bytes.get(1..).unwrap_or_default(), bytes.get(2..).unwrap_or_default());
    let pairs = first.iter().zip(second).map(|(&a, &b)| a == 0xC2 && (b == 0x85 || b == 0xA0));
    let triples = first.iter().zip(second).zip(third).map(|((&a, &b), &c)| is_wide_space(a, b, c));
    let count = |n: u8, hit: bool| n.wrapping_add(u8::from(hit));
    usize::from(pairs.fold(0, count)) + usize::from(triples.fold(0, count))
}

/// Whether three bytes of a valid text are a white space character: U+1680, U+2000 to U+200A, U+2028,
/// U+2029, U+202F, U+205F, U+3000.
fn is_wide_space(first: u8, second: u8, third: u8) -> bool {
    let general = matches!(third, 0x80..=0x8A | 0xA8 | 0xA9 | 0xAF);
    (first == 0xE2 && second == 0x80 && general)
        || (first == 0xE2 && second == 0x81 && third == 0x9F)
        || (first == 0xE3 && second == 0x80 && third == 0x80)
        || (first == 0xE1 && second == 0x9A && third == 0x80)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn scripts_are_told_apart() {
        for (c, han, kana, hangul, latin) in [
            ('字', true, false, false, false),
            ('〇', true, false, false, false),
            ('か', false, true, false, false),
            ('ー', false, true, false, false),
            ('한', false, false, true, false),
            ('é', false, false, false, true),
            ('×', false, false, false, false),
            ('，', false, false, false, false),
            ('\u{3099}', false, false, false, false),
        ] {
            assert_eq!((is_han(c), is_kana(c), is_hangul(c), is_latin(c)), (han, kana, hangul, latin), "{c}");
            assert_eq!(is_cjk(c), han || kana || hangul, "{c}");
        }
    }

    #[test]
    fn a_wide_character_takes_two_columns() {
        assert_eq!(text_width("ab，字 １"), 2 + 2 + 2 + 1 + 2);
    }

    #[test]
    fn visible_characters_leave_out_every_kind_of_white_space() {
        assert_eq!(count_visible(" 一\u{A0}二\u{3000}three\n\u{2028}é\t"), 8);
    }

    #[test]
    fn what_is_not_seen_takes_no_room() {
        for c in ['\u{AD}', '\u{200B}', '\u{200D}', '\u{202C}', '\u{2060}', '\u{2066}', '\u{61C}', '\u{FEFF}']
        {
            assert!(is_invisible(c) && !c.is_whitespace(), "{}", c.escape_unicode());
        }
        for c in ['a', ' ', '\u{A0}', '\u{1F}', '\u{2028}', '\u{3000}', '中', '\u{FFFD}'] {
            assert!(!is_invisible(c), "{}", c.escape_unicode());
        }
    }

    #[test]
    fn a_text_is_as_wide_as_its_characters() {
        for c in '\0'..=char::MAX {
            assert_eq!(text_width(c.encode_utf8(&mut [0; 4])), width(c), "U+{:04X}", c as u32);
        }
    }

    proptest! {
        #[test]
        fn white_space_is_blank_or_line_end(c in any::<char>()) {
            prop_assert_eq!(c.is_whitespace(), is_blank(c) || is_line_end(c));
        }

        #[test]
        fn visible_characters_are_those_that_are_not_white_space(
            text in "[\\s\\p{Han}\\u{80}-\\u{A1}\\u{1680}\\u{2000}-\\u{2060}\\u{3000}-\\u{3002}a-c]{0,60}",
        ) {
            prop_assert_eq!(count_visible(&text), text.chars().filter(|c| !c.is_whitespace()).count());
        }

        #[test]
        fn where_there_may_be_none_there_is_no_wide_space(
            text in "([a-z中，。“é]{0,150}[\\u{85}\\u{A0}\\u{2003}\\u{3000}]?){0,3}",
        ) {
            let has = text.chars().any(|c| !c.is_ascii() && c.is_whitespace());
            prop_assert!(may_have_wide_space(&text) || !has);
        }

        #[test]
        fn nothing_both_opens_and_closes(c in any::<char>()) {
            prop_assert!(!(is_opening(c) && is_closing(c)));
        }
    }
}
