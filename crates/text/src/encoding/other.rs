//! Encodings that browsers do not decode, and that files of other days are in.
//!
//! Sources: the Unicode Standard, section 3.10 (UTF-32); RFC 1557 (ISO-2022-KR); RFC 1843 (HZ); the tables of code pages
//! that the Unicode Consortium publishes.

use encoding_rs::{EUC_KR, GBK};

use super::Encoding;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Other {
    Utf32Le,
    Utf32Be,
    Iso2022Kr,
    Hz,
    Ibm437,
    Ibm850,
    Ibm852,
    Ibm855,
}

/// Names, and other labels in lower case.
const LABELS: [(Other, &str, &[&str]); 8] = [
    (Other::Utf32Le, "UTF-32LE", &["utf-32le", "utf-32", "utf32", "ucs-4", "ucs-4le"]),
    (Other::Utf32Be, "UTF-32BE", &["utf-32be", "ucs-4be"]),
    (Other::Iso2022Kr, "ISO-2022-KR", &["iso-2022-kr", "csiso2022kr"]),
    (Other::Hz, "HZ-GB-2312", &["hz-gb-2312", "hz"]),
    (Other::Ibm437, "IBM437", &["ibm437", "cp437", "437"]),
    (Other::Ibm850, "IBM850", &["ibm850", "cp850", "850"]),
    (Other::Ibm852, "IBM852", &["ibm852", "cp852", "852"]),
    (Other::Ibm855, "IBM855", &["ibm855", "cp855", "855"]),
];

/// The characters of the bytes from 0x80 on.
const IBM437: &str = "ÇüéâäàåçêëèïîìÄÅÉæÆôöòûùÿÖÜ¢£¥₧ƒáíóúñÑªº¿⌐¬½¼¡«»░▒▓│┤╡╢╖╕╣║╗╝╜╛┐└┴┬├─┼╞╟╚╔╩╦╠═╬╧╨╤╥╙╘╒╓╫╪┘┌█▄▌▐▀αßΓπΣσµτΦΘΩδ∞φε∩≡±≥≤⌠⌡÷≈°∙·√ⁿ²■\u{A0}";
/// The characters of the bytes from 0x80 on.
const IBM850: &str = "ÇüéâäàåçêëèïîìÄÅÉæÆôöòûùÿÖÜø£Ø×ƒáíóúñÑªº¿®¬½¼¡«»░▒▓│┤ÁÂÀ©╣║╗╝¢¥┐└┴┬├─┼ãÃ╚╔╩╦╠═╬¤ðÐÊËÈıÍÎÏ┘┌█▄¦Ì▀ÓßÔÒõÕµþÞÚÛÙýÝ¯´\u{AD}±‗¾¶§÷¸°¨·¹³²■\u{A0}";
/// The characters of the bytes from 0x80 on.
const IBM852: &str = "ÇüéâäůćçłëŐőîŹÄĆÉĹĺôöĽľŚśÖÜŤťŁ×čáíóúĄąŽžĘę¬źČş«»░▒▓│┤ÁÂĚŞ╣║╗╝Żż┐└┴┬├─┼Ăă╚╔╩╦╠═╬¤đĐĎËďŇÍÎě┘┌█▄ŢŮ▀ÓßÔŃńňŠšŔÚŕŰýÝţ´\u{AD}˝˛ˇ˘§÷¸°¨˙űŘř■\u{A0}";
/// The characters of the bytes from 0x80 on.
const IBM855: &str = "ђЂѓЃёЁєЄѕЅіІїЇјЈљЉњЊћЋќЌўЎџЏюЮъЪаАбБцЦдДеЕфФгГ«»░▒▓│┤хХиИ╣║╗╝йЙ┐└┴┬├─┼кК╚╔╩╦╠═╬¤лЛмМнНоОп┘┌█▄Пя▀ЯрРсСтТуУжЖвВьЬ№\u{AD}ыЫзЗшШэЭщЩчЧ§■\u{A0}";

impl Other {
    pub(super) fn for_label(label: &str) -> Option<Self> {
        let label = label.trim().to_ascii_lowercase();
        let found = LABELS.iter().find(|(_, _, labels)| labels.contains(&label.as_str()));
        found.map(|(other, _, _)| *other)
    }

    pub(super) fn name(self) -> &'static str {
        LABELS.iter().find(|(other, _, _)| *other == self).map_or("", |(_, name, _)| name)
    }

    pub(super) fn is_single_byte(self) -> bool {
        self.table().is_some()
    }

    fn table(self) -> Option<&'static str> {
        match self {
            Self::Ibm437 => Some(IBM437),
            Self::Ibm850 => Some(IBM850),
            Self::Ibm852 => Some(IBM852),
            Self::Ibm855 => Some(IBM855),
            Self::Utf32Le | Self::Utf32Be | Self::Iso2022Kr | Self::Hz => None,
        }
    }

    /// The text, and how many bytes stand for nothing.
    pub(super) fn decode(self, bytes: &[u8]) -> (String, u64) {
        match self {
            Self::Utf32Le => utf_32(bytes, u32::from_le_bytes),
            Self::Utf32Be => utf_32(bytes, u32::from_be_bytes),
            Self::Iso2022Kr => iso_2022_kr(bytes),
            Self::Hz => hz(bytes),
            Self::Ibm437 | Self::Ibm850 | Self::Ibm852 | Self::Ibm855 => {
                let high: Vec<char> = self.table().unwrap_or_default().chars().collect();
                let decoded = bytes.iter().map(|byte| match byte.checked_sub(0x80) {
                    None => char::from(*byte),
                    Some(at) => high.get(usize::from(at)).copied().unwrap_or(char::REPLACEMENT_CHARACTER),
                });
                (decoded.collect(), 0)
            }
        }
    }
}

fn utf_32(bytes: &[u8], number: fn([u8; 4]) -> u32) -> (String, u64) {
    let (units, rest) = bytes.as_chunks::<4>();
    let (mut text, mut n_undecodable) = (String::with_capacity(bytes.len() / 2), rest.len() as u64);
    for unit in units {
        let character = char::from_u32(number(*unit));
        n_undecodable += if character.is_some() { 0 } else { 4 };
        text.push(character.unwrap_or(char::REPLACEMENT_CHARACTER));
    }
    if !rest.is_empty() {
        text.push(char::REPLACEMENT_CHARACTER);
    }
    (text, n_undecodable)
}

/// A byte that stands for nothing, in whichever encoding: those of seven bits have no higher ones.
const NOTHING: u8 = 0xFF;

/// Korean between shifts, as EUC-KR without its high bits.
fn iso_2022_kr(bytes: &[u8]) -> (String, u64) {
    const SHIFT_OUT: u8 = 0x0E;
    const SHIFT_IN: u8 = 0x0F;
    let mut plain = Vec::with_capacity(bytes.len());
    let (mut rest, mut is_korean) = (bytes, false);
    while let Some((first, after)) = rest.split_first() {
        rest = after;
        match (*first, after) {
            // The escape that announces the characters.
            (0x1B, [b'$', b')', b'C', behind @ ..]) => rest = behind,
            (SHIFT_OUT, _) => is_korean = true,
            (SHIFT_IN, _) => is_korean = false,
            // A line begins in ASCII.
            (b'\n', _) => {
                is_korean = false;
                plain.push(b'\n');
            }
            (byte @ 0x21..=0x7E, _) if is_korean => plain.push(byte | 0x80),
            (0x80.., _) => plain.push(NOTHING),
            (byte, _) => plain.push(byte),
        }
    }
    let (text, n_undecodable) = Encoding::web(EUC_KR).decode(&plain);
    (text.into_owned(), n_undecodable)
}

/// Chinese between `~{` and `~}`, as GB 2312 without its high bits.
fn hz(bytes: &[u8]) -> (String, u64) {
    let mut plain = Vec::with_capacity(bytes.len());
    let (mut rest, mut is_chinese) = (bytes, false);
    while let Some((first, after)) = rest.split_first() {
        rest = after;
        match (*first, after) {
            (b'~', [b'{', behind @ ..]) => (rest, is_chinese) = (behind, true),
            (b'~', [b'}', behind @ ..]) => (rest, is_chinese) = (behind, false),
            (b'~', [b'~', behind @ ..]) if !is_chinese => {
                rest = behind;
                plain.push(b'~');
            }
            // A line that goes on.
            (b'~', [b'\n', behind @ ..]) => rest = behind,
            (b'\n', _) => {
                is_chinese = false;
                plain.push(b'\n');
            }
            (byte @ 0x21..=0x7E, _) if is_chinese => plain.push(byte | 0x80),
            (0x80.., _) => plain.push(NOTHING),
            (byte, _) => plain.push(byte),
        }
    }
    let (text, n_undecodable) = Encoding::web(GBK).decode(&plain);
    (text.into_owned(), n_undecodable)
}
