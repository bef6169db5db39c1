//! Words, in any script.

use std::ops::Range;

use tamis_text::chars::{is_hangul, is_kana};

use crate::python::{is_alpha, is_mark, is_space};
use crate::signs::is_symbol;

/// A word of a text, or a run of one sign between words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Word {
    /// The byte at which it begins.
    pub start: u32,
    /// The byte behind its last.
    pub end: u32,
    /// How many characters it has.
    pub n_chars: u32,
    /// Whether one of them is a letter.
    pub has_letter: bool,
    /// Whether all of them are punctuation.
    pub is_symbol: bool,
}

impl Word {
    /// Its bytes in the text.
    pub fn range(&self) -> Range<usize> {
        self.start as usize..self.end as usize
    }
}

/// Writes the words of `text` to `words`.
///
/// - Letters, digits and their marks in a row are a word, with an apostrophe between letters and a point or comma
///   between digits: `don't`, `3.14`.
/// - Every other sign is a word of its own, and so is a run of one: `—`, `...`.
/// - Chinese and Japanese, which have no spaces, are cut: characters that are words by themselves (的, 了, の) stand alone, those
///   between them are taken in pairs, and katakana in a row are one. The result has the length and the repetitions of
///   true words without a dictionary; on Chinese articles the mean length is 1.6, with jieba 1.7.
/// - Thai, Lao, Khmer and Burmese are cut into pieces of four letters.
pub fn words(text: &str, words: &mut Vec<Word>) {
    words.clear();
    let bytes = text.as_bytes();
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        at = match CLASSES[usize::from(byte)] {
            SPACE => at + 1,
            SIGN => sign(text, at, char::from(byte), words),
            WORD => ascii_word(text, at, words),
            _ => other(text, at, words),
        };
    }
}

const SPACE: u8 = 0;
const SIGN: u8 = 1;
const WORD: u8 = 2;
const OTHER: u8 = 3;

/// What begins with a byte.
const CLASSES: [u8; 256] = {
    let mut classes = [OTHER; 256];
    let mut byte = 0;
    while byte < 128 {
        let c = byte as u8;
        classes[byte] = if c.is_ascii_alphanumeric() {
            WORD
        } else if matches!(c, b' ' | b'\t'..=b'\r' | 0x1C..=0x1F) {
            SPACE
        } else {
            SIGN
        };
        byte += 1;
    }
    classes
};

/// A word that begins with a letter or a digit of ASCII; most of them end with one.
fn ascii_word(text: &str, start: usize, words: &mut Vec<Word>) -> usize {
    let bytes = text.as_bytes();
    let mut end = start;
    let mut letters = 0u8;
    while let Some(&byte) = bytes.get(end).filter(|byte| CLASSES[usize::from(**byte)] == WORD) {
        // Letters are the alphanumeric bytes with this bit.
        letters |= byte & 0x40;
        end += 1;
    }
    let last = bytes.get(end - 1).copied().unwrap_or(b' ');
    let next = bytes.get(end + 1).copied().unwrap_or(b' ');
    let goes_on = match bytes.get(end) {
        Some(b'\'') => last.is_ascii_alphabetic() && (next.is_ascii_alphabetic() || next >= 0x80),
        Some(b'.' | b',') => last.is_ascii_digit() && next.is_ascii_digit(),
        // The blank that does not break, by far the most frequent of these signs in pages.
        Some(0xC2) => next != 0xA0,
        Some(byte) => *byte >= 0x80,
        None => false,
    };
    if goes_on {
        return general_word(text, start, words);
    }
    let n_chars = (end - start) as u32;
    let has_letter = letters != 0;
    words.push(Word { start: start as u32, end: end as u32, n_chars, has_letter, is_symbol: false });
    end
}

/// A word of whatever letters, marks and digits.
fn general_word(text: &str, start: usize, words: &mut Vec<Word>) -> usize {
    let rest = text.get(start..).unwrap_or_default();
    let mut chars = rest.char_indices().peekable();
    let (mut end, mut n_chars, mut has_letter, mut is_symbol_only) = (0, 0, false, true);
    let mut last = ' ';
    while let Some((at, c)) = chars.next() {
        let next = chars.peek().map_or(' ', |(_, next)| *next);
        let joins = match c {
            '\'' | '’' => is_alpha(last) && is_alpha(next),
            '.' | ',' => last.is_ascii_digit() && next.is_ascii_digit(),
            _ => false,
        };
        if !joins && (is_cut(c) || !is_of_word(c)) {
            break;
        }
        n_chars += 1;
        has_letter = has_letter || is_alpha(c);
        is_symbol_only = is_symbol_only && is_symbol(c);
        end = at + c.len_utf8();
        last = c;
    }
    words.push(Word {
        start: start as u32,
        end: (start + end) as u32,
        n_chars,
        has_letter,
        is_symbol: is_symbol_only,
    });
    start + end
}

/// Whether `c` is a part of words.
fn is_of_word(c: char) -> bool {
    match c {
        '\u{C0}'..='\u{24F}' => !matches!(c, '×' | '÷'),
        'a'..='z'
        | 'A'..='Z'
        | '0'..='9'
        | '\u{400}'..='\u{481}'
        | '\u{48A}'..='\u{52F}'
        | '\u{620}'..='\u{64A}'
        | '가'..='힣' => true,
        // The punctuation of most texts, before tables are asked.
        '\u{2010}'..='\u{205E}'
        | '\u{3001}'..='\u{3003}'
        | '\u{3008}'..='\u{3011}'
        | '！'..='／'
        | '：'..='＠' => false,
        _ => !c.is_ascii() && (c.is_alphanumeric() || is_mark(c)),
    }
}

/// Whether `c` is of a script without spaces between words, Korean aside.
fn is_cut(c: char) -> bool {
    is_ideograph(c) || c >= '\u{E00}' && (is_piecewise(c) || (!is_hangul(c) && tamis_text::chars::is_cjk(c)))
}

/// A Chinese character of the block with nearly all: told first, because nothing else need be asked then.
fn is_ideograph(c: char) -> bool {
    matches!(c, '\u{4E00}'..='\u{9FFF}')
}

/// Thai, Lao, Burmese and Khmer.
fn is_piecewise(c: char) -> bool {
    matches!(c, '\u{E01}'..='\u{EFF}' | '\u{1000}'..='\u{109F}' | '\u{1780}'..='\u{17FF}')
}

/// What begins beyond ASCII.
fn other(text: &str, start: usize, words: &mut Vec<Word>) -> usize {
    let Some(c) = text.get(start..).and_then(|rest| rest.chars().next()) else { return text.len() };
    if is_space(c) {
        start + c.len_utf8()
    } else if is_piecewise(c) {
        piece(text, start, words, 4, is_piecewise)
    } else if is_cut(c) {
        east_asian(text, start, c, words)
    } else if is_of_word(c) {
        general_word(text, start, words)
    } else {
        sign(text, start, c, words)
    }
}

/// Characters that are mostly words by themselves in running Chinese and Japanese, by their share of both.
const ALONE: &[char] = &[
    '的', '了', '是', '在', '和', '有', '不', '也', '就', '都', '而', '及', '与', '與', '或', '被', '把',
    '从', '從', '对', '對', '为', '為', '以', '于', '於', '将', '將', '这', '這', '那', '他', '她', '它',
    '我', '你', '们', '們', '个', '個', '年', '月', '日', '到', '又', '很', '更', '最', '并', '但', '等',
    '之', '上', '中', '后', '後', '让', '向', '说', '着', '去', '来', '由', '其', 'の', 'に', 'を', 'は',
    'が', 'で', 'と', 'た', 'て', 'も', 'し', 'れ', 'さ', 'へ',
];

/// A bit for each character from [`FIRST`] on, set for those of [`ALONE`].
const ALONE_BITS: [u64; 448] = {
    let mut bits = [0; 448];
    let mut at = 0;
    while at < ALONE.len() {
        let place = ALONE[at] as usize - FIRST;
        bits[place / 64] |= 1 << (place % 64);
        at += 1;
    }
    bits
};
const FIRST: usize = 0x3000;

fn stands_alone(c: char) -> bool {
    let place = (c as usize).wrapping_sub(FIRST);
    ALONE_BITS.get(place / 64).is_some_and(|bits| bits >> (place % 64) & 1 == 1)
}

fn east_asian(text: &str, start: usize, first: char, words: &mut Vec<Word>) -> usize {
    if stands_alone(first) {
        return piece(text, start, words, 1, |_| true);
    }
    let is_katakana = |c: char| matches!(c, 'ァ'..='ヿ' | '\u{31F0}'..='\u{31FF}' | 'ｦ'..='ﾝ');
    if is_katakana(first) {
        return piece(text, start, words, u32::MAX, is_katakana);
    }
    // Kanji and what is written behind them are two words at least.
    let is_hiragana = is_kana(first);
    piece(text, start, words, 2, move |c| {
        !stands_alone(c) && is_cut(c) && !is_piecewise(c) && !is_katakana(c) && is_kana(c) == is_hiragana
    })
}

/// A word of at most `most` characters that go together with the first.
fn piece(
    text: &str,
    start: usize,
    words: &mut Vec<Word>,
    most: u32,
    goes_on: impl Fn(char) -> bool,
) -> usize {
    let (mut end, mut n_chars, mut has_letter) = (start, 0, false);
    for c in text.get(start..).unwrap_or_default().chars() {
        // Marks stay with their letter.
        let fits = n_chars == 0 || n_chars < most && goes_on(c) || is_mark(c);
        if !fits {
            break;
        }
        n_chars += 1;
        has_letter = has_letter || is_alpha(c);
        end += c.len_utf8();
    }
    words.push(Word { start: start as u32, end: end as u32, n_chars, has_letter, is_symbol: false });
    end
}

/// A sign, and those behind it that are the same.
fn sign(text: &str, start: usize, first: char, words: &mut Vec<Word>) -> usize {
    let rest = text.get(start..).unwrap_or_default();
    let n_chars = rest.chars().take_while(|c| *c == first).count();
    let end = start + n_chars * first.len_utf8();
    words.push(Word {
        start: start as u32,
        end: end as u32,
        n_chars: n_chars as u32,
        has_letter: false,
        is_symbol: is_symbol(first),
    });
    end
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn split(text: &str) -> Vec<&str> {
        let mut found = Vec::new();
        words(text, &mut found);
        found.iter().map(|word| text.get(word.range()).expect("whole characters")).collect()
    }

    #[test]
    fn words_of_many_scripts() {
        for (text, expected) in [
            ("Don't stop... it's 3.14, ok?", "Don't|stop|...|it's|3.14|,|ok|?"),
            ("state-of-the-art (v2)", "state|-|of|-|the|-|art|(|v2|)"),
            ("'quoted' 1,000.", "'|quoted|'|1,000|."),
            ("Die Mühle – am Fluß.", "Die|Mühle|–|am|Fluß|."),
            ("Мельница у реки", "Мельница|у|реки"),
            ("磨坊的水轮，转了。", "磨坊|的|水轮|，|转|了|。"),
            ("水車のコンピュータ", "水車|の|コンピュータ"),
            ("방앗간은 강가에", "방앗간은|강가에"),
            ("iPhone手机", "iPhone|手机"),
            ("चक्की नदी", "चक्की|नदी"),
        ] {
            assert_eq!(split(text).join("|"), expected);
        }
    }

    #[test]
    fn what_words_consist_of_is_told_alike() {
        for c in '\u{80}'..='\u{FFFF}' {
            let expected = (c.is_alphanumeric() || is_mark(c)) && !matches!(c, '×' | '÷');
            assert_eq!(is_of_word(c), expected, "{c:?}");
            let is_alone = ALONE.contains(&c);
            assert_eq!(stands_alone(c), is_alone, "{c:?}");
        }
    }

    #[test]
    fn letters_and_symbols_are_told() {
        let mut found = Vec::new();
        words("a1 22 ... € 字 é", &mut found);
        let told: Vec<_> = found.iter().map(|word| (word.has_letter, word.is_symbol)).collect();
        let (letter, number, symbol) = ((true, false), (false, false), (false, true));
        assert_eq!(told, [letter, number, symbol, number, letter, letter]);
    }

    proptest! {
        #[test]
        fn words_are_the_text_without_white_space(text in "(\\PC|[a-z ]|\\s|[的了磨坊水のか]){0,50}") {
            let kept: String = split(&text).concat();
            let expected: String = text.chars().filter(|c| !is_space(*c)).collect();
            prop_assert_eq!(kept, expected);
            let mut found = Vec::new();
            words(&text, &mut found);
            for word in found {
                let n_chars = text.get(word.range()).map(|word| word.chars().count());
                prop_assert_eq!(n_chars, Some(word.n_chars as usize));
                prop_assert!(word.n_chars > 0);
            }
        }
    }
}
