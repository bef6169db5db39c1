//! Whether what was decoded looks like text that people have written, and in which encoding it does.

use std::ops::RangeInclusive;

use encoding_rs::{
    BIG5, EUC_JP, EUC_KR, GB18030, GBK, IBM866, KOI8_U, MACINTOSH, SHIFT_JIS, WINDOWS_874, WINDOWS_1251,
    WINDOWS_1252, WINDOWS_1253, WINDOWS_1255, WINDOWS_1256, X_MAC_CYRILLIC,
};

use super::{Decoded, Encoding, GUESS_BYTES, Other, Scheme, Source};

/// Characters beyond ASCII, and places that are odd, below which nothing is said.
const MIN_HIGH: usize = 12;
const MIN_ODD: usize = 3;

/// Chinese, Japanese or Korean characters below which nothing is said.
const MIN_WIDE: usize = 40;

/// Encodings of single bytes that the detector does not know, and those with which it confuses them: each with the share
/// of odd places, one in so many, from which on it is tried. A Cyrillic text differs in few letters from one to the other;
/// a Latin one that is right has some odd words.
const ALTERNATIVES: [(Encoding, usize); 9] = [
    (Encoding::web(X_MAC_CYRILLIC), 50),
    (Encoding(Scheme::Other(Other::Ibm855)), 50),
    (Encoding::web(IBM866), 50),
    (Encoding::web(WINDOWS_1251), 50),
    (Encoding::web(KOI8_U), 50),
    (Encoding::web(MACINTOSH), 5),
    (Encoding(Scheme::Other(Other::Ibm850)), 5),
    (Encoding(Scheme::Other(Other::Ibm852)), 5),
    (Encoding(Scheme::Other(Other::Ibm437)), 5),
];

/// Looks again at text whose encoding was guessed.
pub(super) fn checked<'a>(guessed: Decoded<'a>, bytes: &'a [u8]) -> Decoded<'a> {
    let head = bytes.get(..GUESS_BYTES).unwrap_or(bytes);
    if !guessed.encoding.is_single_byte() {
        if let Some(encoding) = few_letters(guessed.encoding, head) {
            return super::decode_as(encoding, Source::Guess, bytes);
        }
        let is_plausible = is_wide_text(guessed.encoding, head);
        return Decoded { is_plausible, ..guessed };
    }
    if guessed.encoding != Encoding::web(WINDOWS_1252) && holds_signs_only(head) {
        return super::decode_as(Encoding::web(WINDOWS_1252), Source::Guess, bytes);
    }
    let of = |encoding: Encoding| Oddness::of(&encoding.decode(head).0);
    let own = of(guessed.encoding);
    if own.n_high < MIN_HIGH || own.n_odd < MIN_ODD {
        return guessed;
    }
    let is_tried = |(_, one_in): &(Encoding, usize)| own.n_odd * one_in >= own.n_high;
    let tried = ALTERNATIVES.into_iter().filter(is_tried).map(|(encoding, _)| (encoding, of(encoding)));
    let best = tried.min_by_key(|(_, odd)| odd.n_odd);
    match best {
        Some((encoding, odd)) if odd.n_odd * 4 <= own.n_odd => {
            super::decode_as(encoding, Source::Guess, bytes)
        }
        _ => {
            let is_plausible = own.n_odd * 8 <= own.n_high || holds_utf8(head, own.n_high);
            Decoded { is_plausible, ..guessed }
        }
    }
}

/// Encodings of scripts without Latin letters, each with the letters that are more than half of most texts in it: of
/// Russian and its neighbours, Greek, Hebrew, Arabic and Persian, Thai.
const LETTERS: [(Encoding, RangeInclusive<char>, &str); 6] = [
    (Encoding::web(KOI8_U), '\u{400}'..='\u{4FF}', "оеаинтсрвл"),
    (Encoding::web(WINDOWS_1251), '\u{400}'..='\u{4FF}', "оеаинтсрвл"),
    (Encoding::web(WINDOWS_1253), '\u{370}'..='\u{3FF}', "αοιετσνηυρςόίά"),
    (Encoding::web(WINDOWS_1255), '\u{591}'..='\u{5F4}', "יוהלאתרמבש"),
    (Encoding::web(WINDOWS_1256), '\u{600}'..='\u{6FF}', "الينموتره"),
    (Encoding::web(WINDOWS_874), '\u{E00}'..='\u{E7F}', "านรอกเงมยลดสตวทคหี่้ัิ"),
];
/// Letters of such a text below which nothing is said, and its bytes beyond ASCII, above which the detector is believed.
const LEAST_LETTERS: usize = 8;
const MOST_HIGH: usize = 400;

/// The encoding of a few words that the detector takes for Chinese, if they are words of another script.
///
/// Of a short text the detector knows little, and pairs of letters of any script are characters of Chinese: rare ones,
/// and where a word has an odd number of letters none at all.
fn few_letters(guessed: Encoding, head: &[u8]) -> Option<Encoding> {
    let is_big5 = guessed == Encoding::web(BIG5);
    let n_high = head.iter().filter(|byte| **byte >= 0x80).count();
    if n_high > MOST_HIGH || !is_big5 && guessed != Encoding::web(GBK) && guessed != Encoding::web(GB18030) {
        return None;
    }
    let (text, n_undecodable) = guessed.decode(head);
    let n_han = text.chars().filter(|character| is_han(*character)).count();
    let n_common = text.chars().filter(|character| COMMON.contains(*character)).count();
    if n_undecodable == 0 && (n_common * 8 >= n_han || frequent_pairs(head, is_big5) * 10 >= n_han * 9) {
        return None;
    }
    let share = |(encoding, script, letters): &(Encoding, RangeInclusive<char>, &str)| {
        let (text, n_undecodable) = encoding.decode(head);
        let (mut n_letters, mut n_others, mut n_frequent) = (0, 0, 0);
        for character in text.chars().filter(|character| !character.is_ascii()) {
            let is_letter = script.contains(&character);
            n_letters += usize::from(is_letter);
            n_others += usize::from(!is_letter && !JOINS.contains(character));
            n_frequent += usize::from(letters.contains(character));
        }
        // Capitals within a word, which tell one Cyrillic encoding from another; marks over letters are no signs.
        let odd = match *script.start() {
            ..'\u{530}' => Oddness::of(&text).n_odd,
            '\u{E00}'.. => n_odd_in_thai(&text),
            _ => 0,
        };
        let is_of_script =
            n_letters >= LEAST_LETTERS && (n_others + odd) * 20 <= n_letters && n_undecodable == 0;
        (is_of_script && n_frequent * 5 >= n_letters * 2).then(|| (n_frequent * 1000 / n_letters, *encoding))
    };
    LETTERS.iter().filter_map(share).max_by_key(|(share, _)| *share).map(|(_, encoding)| encoding)
}

/// Vowels and marks of Thai where no consonant is that they belong to. Nearly all bytes beyond ASCII are characters of Thai,
/// so that this alone tells whether they are words.
fn n_odd_in_thai(text: &str) -> usize {
    let is_consonant = |c: char| matches!(c, '\u{E01}'..='\u{E2E}');
    let is_mark = |c: char| matches!(c, '\u{E31}' | '\u{E34}'..='\u{E3A}' | '\u{E47}'..='\u{E4E}');
    let mut before = ' ';
    let mut n_odd = 0;
    for c in text.chars() {
        let is_odd_mark = is_mark(c) && !is_consonant(before) && !is_mark(before);
        let is_odd_vowel = matches!(before, '\u{E40}'..='\u{E44}') && !is_consonant(c);
        n_odd += usize::from(is_odd_mark || is_odd_vowel || matches!(c, '\u{E4F}'..));
        before = c;
    }
    n_odd
}

/// Whether a quarter of the characters beyond ASCII, which are so many, are pieces of UTF-8: somebody has put together
/// what was in two encodings, and half of it can be read.
fn holds_utf8(head: &[u8], n_high: usize) -> bool {
    let valid = head.utf8_chunks().map(|chunk| chunk.valid().bytes().filter(|byte| *byte >= 0x80).count());
    valid.sum::<usize>() * 4 >= n_high
}

/// Whether all bytes beyond ASCII are signs, as of money, in the commonest encoding, and stand beside no letter.
///
/// In others they are letters, which nobody writes alone.
fn holds_signs_only(head: &[u8]) -> bool {
    let text = Encoding::web(WINDOWS_1252).decode(head).0;
    let mut before = ' ';
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        let is_beside = before.is_alphabetic() || characters.peek().is_some_and(|next| next.is_alphabetic());
        if !character.is_ascii() && (character.is_alphanumeric() || character.is_control() || is_beside) {
            return false;
        }
        before = character;
    }
    true
}

/// How much of a text in single bytes is what no language has.
#[derive(Debug, Clone, Copy)]
struct Oddness {
    /// Characters beyond ASCII.
    n_high: usize,
    /// Those of them that make their word none.
    n_odd: usize,
}

impl Oddness {
    fn of(text: &str) -> Self {
        let mut odd = Self { n_high: 0, n_odd: 0 };
        // Old Macs have the small letters where Windows has them, and Serbian ones in the place of the capitals.
        let is_russian = text.contains(['ы', 'ь', 'й']);
        let (mut last, mut before) = (' ', ' ');
        let mut n_accented = 0;
        let mut characters = text.chars().peekable();
        while let Some(character) = characters.next() {
            n_accented = if is_accented(character) { n_accented + 1 } else { 0 };
            if !character.is_ascii() {
                odd.n_high += 1;
                let next = characters.peek().copied().unwrap_or(' ');
                let is_foreign = is_russian && SERBIAN.contains(character);
                odd.n_odd +=
                    usize::from(is_odd(last, before, character, next) || n_accented > 2 || is_foreign);
            }
            (last, before) = (before, character);
        }
        odd
    }
}

/// Whether a character beyond ASCII stands where none does: `before` and `last` are in front of it.
fn is_odd(last: char, before: char, character: char, next: char) -> bool {
    let is_sign = |other: char| !(other.is_alphabetic() || other.is_whitespace() || JOINS.contains(other));
    if !character.is_alphabetic() {
        let is_among_letters = before.is_alphabetic() && next.is_alphabetic();
        let is_beside_line = is_line(character) && (before.is_alphabetic() || next.is_alphabetic());
        let is_behind_sign = !before.is_ascii() && is_sign(before);
        let is_odd_sign = is_among_letters || is_beside_line || is_behind_sign;
        return character.is_control() || (is_sign(character) && is_odd_sign && !is_table(before, character));
    }
    let is_mixed = |other: char| other.is_alphabetic() && is_cyrillic(other) != is_cyrillic(character);
    // Behind two small letters, or one and in front of another: `McDonald` is a name.
    let is_capital =
        character.is_uppercase() && before.is_lowercase() && (last.is_lowercase() || next.is_lowercase());
    is_mixed(before) || is_mixed(next) || is_capital
}

/// Letters of languages that have none of those that Russian, Ukrainian and Bulgarian share.
const SERBIAN: &str = "ЂЃЉЊЋЏЅЈђѓљњћџѕј";

/// The lines and blocks of which tables and frames were made.
fn is_line(character: char) -> bool {
    matches!(character, '\u{2500}'..='\u{259F}')
}

fn is_table(before: char, character: char) -> bool {
    is_line(before) && is_line(character)
}

/// What stands between letters, in one language or another.
const JOINS: &str = "’‘ʼ´`·\u{AD}–—…“”„«»‹›•©®™°ºª¿¡";

fn is_accented(character: char) -> bool {
    matches!(character, '\u{C0}'..='\u{24F}') && character.is_alphabetic()
}

fn is_cyrillic(character: char) -> bool {
    matches!(character, '\u{400}'..='\u{52F}')
}

/// Whether text in an encoding of several bytes is Chinese, Japanese or Korean. Other encodings of these languages
/// use the same bytes for other characters, most of which are rare.
fn is_wide_text(encoding: Encoding, head: &[u8]) -> bool {
    let is_one_of =
        |known: &[&'static encoding_rs::Encoding]| known.iter().any(|known| encoding == Encoding::web(known));
    let text = encoding.decode(head).0;
    let count = |is: fn(char) -> bool| text.chars().filter(|character| is(*character)).count();
    let n_han = count(is_han);
    if is_one_of(&[GBK, GB18030, BIG5]) {
        // Any prose has a quarter of the commonest characters, EUC-TW in the place of GBK one in forty. A list of names
        // may have few of them, but has hardly any of the second level either.
        let n_common = count(|character| COMMON.contains(character));
        let n_frequent = frequent_pairs(head, encoding == Encoding::web(BIG5));
        return n_han < MIN_WIDE || n_common * 16 >= n_han || n_frequent * 20 >= n_han * 17;
    }
    if is_one_of(&[EUC_JP, SHIFT_JIS]) {
        let n_kana = count(|character| matches!(character, '\u{3041}'..='\u{30FF}'));
        let n_half = count(|character| matches!(character, '\u{FF61}'..='\u{FF9F}'));
        return n_han + n_half < MIN_WIDE || (n_kana * 50 >= n_han && n_half < n_kana + n_han);
    }
    if is_one_of(&[EUC_KR]) {
        let n_hangul = count(|character| matches!(character, '\u{AC00}'..='\u{D7A3}'));
        return n_han < MIN_WIDE || n_hangul * 4 >= n_han;
    }
    true
}

/// How many characters are of the first of the two levels into which GB 2312 and Big5 sort them by how frequent they
/// are.
fn frequent_pairs(bytes: &[u8], is_big5: bool) -> usize {
    let (mut n, mut rest) = (0, bytes);
    while let Some((lead, after)) = rest.split_first() {
        rest = after;
        if *lead < 0x81 {
            continue;
        }
        let Some((trail, behind)) = after.split_first() else { break };
        rest = behind;
        let is_frequent = if is_big5 {
            (0xA4..=0xC6).contains(lead)
        } else {
            (0xB0..=0xD7).contains(lead) && *trail >= 0xA1
        };
        n += usize::from(is_frequent);
    }
    n
}

/// The commonest characters of Chinese, in both scripts: one in five of any text, and of a list of names still some.
const COMMON: &str = "的一是不了在有人我他這这中大來来上國国個个到說说們们為为子和你地出道也時时年得就那要下以生會会自著着去之過过家學学對对可\
    她里裡後后小么麼心多天而能好都然沒没日於于起還还發发成事只作當当想看文無无開开手十用主行方又如前所本見见經经頭头面公同三已老從从動动兩两長长知\
    民樣样現现分將将外但身些與与高意進进把法此實实回二理美點点月明其種种聲声全工己話话業业新市部门門區区電电北南东東西";

fn is_han(character: char) -> bool {
    matches!(character, '\u{3400}'..='\u{4DBF}' | '\u{4E00}'..='\u{9FFF}' | '\u{F900}'..='\u{FAFF}')
}

/// Which share of the characters are those of the scripts of the web, with their punctuation.
pub(super) fn share_of_usual(text: &str) -> f64 {
    let n_usual = text.chars().filter(|character| is_usual(*character)).count();
    n_usual as f64 / text.chars().count().max(1) as f64
}

fn is_usual(character: char) -> bool {
    let is_layout = matches!(character, '\t' | '\n' | '\r' | '\u{C}');
    let is_of_a_script = matches!(
        character,
        '\u{A0}'..='\u{17F}'
            | '\u{370}'..='\u{52F}'
            | '\u{5D0}'..='\u{6FF}'
            | '\u{900}'..='\u{97F}'
            | '\u{E00}'..='\u{E7F}'
            | '\u{2010}'..='\u{2027}'
            | '\u{3000}'..='\u{30FF}'
            | '\u{4E00}'..='\u{9FFF}'
            | '\u{AC00}'..='\u{D7A3}'
            | '\u{FF01}'..='\u{FF5E}'
    );
    is_layout || is_of_a_script || matches!(character, ' '..='~')
}
