//! Text that was encoded twice: UTF-8 that somebody took for windows-1252 and wrote as UTF-8 again (`donâ€™t`, `cafÃ©`).
//!
//! Databases moved from one server to another are full of it, and it is valid UTF-8, so no decoder sees anything wrong.

use tamis_text::windows::places;

/// Fewest characters that were encoded twice; one or two may stand in a text about just that.
const MIN_PAIRS: usize = 3;
/// The first byte of U+00C0 to U+00FF.
const FIRST_OF_LATIN: u8 = 0xC3;

/// Puts a text right; returns it and the number of characters, or `None` if there is nothing to put right.
///
/// All of a text has gone through the same hands. So where more than a third of its characters beyond ASCII are
/// what they should be, the others are meant as well: an article on this kind of damage shows it beside sound text.
pub(super) fn repair(text: &str) -> Option<(String, u64)> {
    // All that UTF-8 begins a character with is a letter from Â to ô for windows-1252, and those begin with this byte.
    memchr::memchr_iter(FIRST_OF_LATIN, text.as_bytes()).nth(MIN_PAIRS - 1)?;
    // French and German have many, but hardly any with another letter or sign beyond ASCII behind it.
    places(text.as_bytes(), may_begin).nth(MIN_PAIRS - 1)?;
    let (repaired, count) = reread(text)?;
    if count.n_repaired < MIN_PAIRS || count.n_sound * 2 > count.n_repaired {
        return None;
    }
    // Some was encoded three times. Every turn takes a third of what is left beyond ASCII at least.
    let n_repaired = count.n_repaired as u64;
    Some(repair(&repaired).map_or((repaired, n_repaired), |(again, n)| (again, n_repaired + n)))
}

/// 1 if a character that was encoded twice may begin with the first of these bytes, else 0: with a letter from Â to ô, behind
/// which something beyond ASCII stands, or the blank of which [`damaged`] knows.
fn may_begin(first: u8, second: u8, third: u8) -> u8 {
    let is = |byte: u8, other: u8| u8::from(byte == other);
    let is_damaged = is(third, b' ') & (is(second, 0x82) | is(second, 0x83));
    is(first, FIRST_OF_LATIN) & (third >> 7 | is_damaged)
}

/// Puts a line right that belongs to a text which had to be, such as its title: too short to prove anything itself.
pub(super) fn repair_line(line: &str) -> Option<String> {
    let (repaired, count) = reread(line)?;
    (count.n_repaired > 0 && count.n_sound == 0).then_some(repaired)
}

#[derive(Debug, Default)]
struct Count {
    n_repaired: usize,
    /// Other characters beyond ASCII.
    n_sound: usize,
}

/// The text with all that can be read as UTF-8 read so; `None` when nothing begins like that.
fn reread(text: &str) -> Option<(String, Count)> {
    // Of all that UTF-8 begins a character with, what nearly every text has that was encoded twice.
    if !text.contains(['Ã', 'Â', 'â', 'Ð', 'Ñ', 'Î', 'Ï', 'Ä', 'Å', 'ã', 'ä', 'å', 'æ', 'ç', 'è', 'é'])
    {
        return None;
    }
    let mut out = String::with_capacity(text.len());
    let mut count = Count::default();
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        if c.is_ascii() {
            let length = rest.bytes().position(|byte| !byte.is_ascii()).unwrap_or(rest.len());
            out.push_str(rest.get(..length).unwrap_or_default());
            rest = rest.get(length..).unwrap_or_default();
            continue;
        }
        if let Some((meant, length)) = whole(rest).or_else(|| damaged(rest)) {
            out.extend(meant);
            count.n_repaired += 1;
            rest = rest.get(length..).unwrap_or_default();
        } else {
            out.push(c);
            count.n_sound += 1;
            rest = rest.get(c.len_utf8()..).unwrap_or_default();
        }
    }
    (count.n_repaired > 0).then_some((out, count))
}

/// The character at the start of `text` that was encoded twice, and how many bytes of it that takes now.
fn whole(text: &str) -> Option<(Option<char>, usize)> {
    let mut bytes = [0; 4];
    let mut length = 0;
    let mut n_bytes = 4;
    for (at, c) in text.chars().enumerate().take(4) {
        let byte = byte_of(c)?;
        if at == 0 {
            n_bytes = match byte {
                0xC2..=0xDF => 2,
                0xE0..=0xEF => 3,
                0xF0..=0xF4 => 4,
                _ => return None,
            };
        }
        bytes[at] = byte;
        length += c.len_utf8();
        if at + 1 == n_bytes {
            break;
        }
    }
    let meant = std::str::from_utf8(bytes.get(..n_bytes)?).ok()?.chars().next()?;
    // Nobody writes these; so they are no sign of anything.
    (!meant.is_control()).then_some((Some(meant), length))
}

/// What is left of a character that lost a byte on its way.
///
/// A no-break space has become a blank or is gone, and of five bytes that windows-1252 does not have, one ends the
/// closing quotation mark.
fn damaged(text: &str) -> Option<(Option<char>, usize)> {
    let behind = |start: &str| text.strip_prefix(start);
    let ends = |rest: &str| rest.chars().next().is_none_or(|c| byte_of(c).is_none());
    if behind("â€").is_some_and(ends) {
        return Some((Some('”'), "â€".len()));
    }
    // The blank itself stays: it stood in the text, or stands for one.
    if behind("Ã").is_some_and(|rest| rest.starts_with(' ')) {
        return Some((Some('à'), "Ã".len()));
    }
    behind("Â").filter(|rest| rest.starts_with(' ')).map(|_| (None, "Â".len()))
}

/// The byte that windows-1252 has for a character beyond ASCII.
fn byte_of(c: char) -> Option<u8> {
    /// The characters at 0x80 to 0x9F; five bytes stand for nothing and are kept as controls.
    const UPPER: [char; 32] = [
        '€', '\u{81}', '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', '\u{8D}', 'Ž', '\u{8F}',
        '\u{90}', '‘', '’', '“', '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ', '\u{9D}', 'ž', 'Ÿ',
    ];
    match u32::from(c) {
        code @ 0x80..=0xFF => u8::try_from(code).ok(),
        0..0x80 => None,
        _ => UPPER.iter().position(|upper| *upper == c).map(|at| 0x80 + at as u8),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// What becomes of a text whose bytes are taken for windows-1252.
    fn misread(text: &str) -> String {
        let of = |byte: u8| ('\0'..='\u{2122}').find(|c| byte_of(*c) == Some(byte)).expect("each has one");
        text.bytes().map(|byte| if byte.is_ascii() { char::from(byte) } else { of(byte) }).collect()
    }

    #[test]
    fn what_was_encoded_twice_is_read_again() {
        for text in
            ["“Don’t”, said Müller — at 3 °C …", "чай и хлеб", "茶馆四块钱一碗。", "Ça va, l’été à Orléans ?"]
        {
            let (repaired, _) = repair(&misread(text)).expect(text);
            assert_eq!(repaired, text);
        }
    }

    #[test]
    fn what_lost_a_byte_is_put_right_among_others() {
        let text = "â€œTheyâ€™re soldâ€ by nine, Ã la carte,Â here; â€œnaÃ¯veâ€.";
        let expected = "“They’re sold” by nine, à la carte, here; “naïve”.";
        assert_eq!(repair(text).map(|it| it.0).as_deref(), Some(expected));
    }

    #[test]
    fn sound_text_stays() {
        for text in [
            "Ângela não está; São Tomé, Ã e Â são letras, é à tarde.",
            "VÕ VĂN, HÀ NỘI Â Ă Ê Ô Ơ Ư",
            "’Tis “sound”: café, naïve, façade, and â€™ is not. Nor is Ã© or â€œ.",
            "The bytes of é read as two characters give Ã© instead.",
            "茶馆里四块钱一碗，â€™ 是乱码，â€œ 也是，Ã© 也是。",
        ] {
            assert_eq!(repair(text), None, "{text}");
        }
    }

    #[test]
    fn a_title_is_put_right_on_less() {
        assert_eq!(repair_line("The bakerâ€™s cafÃ©").as_deref(), Some("The baker’s café"));
        assert_eq!(repair_line("The baker’s cafÃ©"), None);
        assert_eq!(repair_line("The baker"), None);
    }

    proptest! {
        #[test]
        fn what_is_read_again_begins_where_it_may(text in "([a-zé]{0,3}|[ÂÃâãÄÐÑô][ \u{80}-\u{BF}€™éя]{0,2}){0,12}") {
            let n_read = reread(&text).map_or(0, |(_, count)| count.n_repaired);
            prop_assert!(n_read <= places(text.as_bytes(), may_begin).count());
        }

        #[test]
        fn any_text_that_is_misread_comes_back(text in "[a-z ]{0,9}[à-þ中文“”—]{3,9}[a-z. ]{0,9}") {
            prop_assert_eq!(repair(&misread(&text)).map(|it| it.0), Some(text));
        }

        #[test]
        fn once_is_enough(text in "(Ã|Â|â|€|™|œ|©| |é|\\PC){0,30}") {
            if let Some((repaired, _)) = repair(&text) {
                prop_assert!(repaired.len() < text.len());
            }
        }
    }
}
