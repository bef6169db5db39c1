//! Marks that the published rules name.

/// Whether `c` ends a sentence in any script: the set that `FineWeb` looks for at the end of lines, which is the property
/// `Sentence_Terminal` of Unicode with a few marks less.
pub(crate) fn is_terminal(c: char) -> bool {
    if c.is_ascii() {
        return matches!(c, '.' | '?' | '!');
    }
    TERMINAL.binary_search_by(|(from, to)| compare(*from, *to, u32::from(c))).is_ok()
}

/// Whether a word of nothing but such characters is no word: the marks that Gopher's word counts leave out in
/// datatrove, terminal ones and control characters among them.
pub(crate) fn is_symbol(c: char) -> bool {
    if c.is_ascii() {
        return !c.is_ascii_alphanumeric() && !matches!(c, ' ' | '\t' | '\n');
    }
    matches!(c, '\u{80}'..='\u{9F}' | '«' | '´' | '»' | '–' | '—' | '’' | '“'..='„' | '…' | '∶' | '━' | '►' | '、' | '。'
        | '〈'..='」' | '【' | '】' | '！' | '％' | '（' | '）' | '，' | '．' | '１' | '：' | '；' | '？' | '～')
        || is_terminal(c)
}

fn compare(from: u32, to: u32, code: u32) -> std::cmp::Ordering {
    if to < code {
        std::cmp::Ordering::Less
    } else if from > code {
        std::cmp::Ordering::Greater
    } else {
        std::cmp::Ordering::Equal
    }
}

/// Beyond ASCII.
#[rustfmt::skip]
const TERMINAL: &[(u32, u32)] = &[
    (0x589, 0x589), (0x61D, 0x61F), (0x6D4, 0x6D4), (0x700, 0x702), (0x7F9, 0x7F9), (0x837, 0x837),
    (0x839, 0x839), (0x83D, 0x83E), (0x964, 0x965), (0x104A, 0x104B), (0x1362, 0x1362), (0x1367, 0x1368),
    (0x166E, 0x166E), (0x1735, 0x1736), (0x17D4, 0x17D6), (0x17D9, 0x17DA), (0x1803, 0x1803), (0x1809, 0x1809),
    (0x1944, 0x1945), (0x1AA8, 0x1AAB), (0x1B5A, 0x1B5B), (0x1B5E, 0x1B5F), (0x1B7D, 0x1B7E), (0x1C3B, 0x1C3C),
    (0x1C7E, 0x1C7F), (0x203C, 0x203D), (0x2047, 0x2049), (0x2E2E, 0x2E2E), (0x2E3C, 0x2E3C), (0x2E53, 0x2E54),
    (0x3002, 0x3002), (0xA4FF, 0xA4FF), (0xA60E, 0xA60F), (0xA6F3, 0xA6F3), (0xA6F7, 0xA6F7), (0xA876, 0xA877),
    (0xA8CE, 0xA8CF), (0xA92F, 0xA92F), (0xA9C8, 0xA9C9), (0xAA5D, 0xAA5F), (0xAAF0, 0xAAF1), (0xABEB, 0xABEB),
    (0xFE52, 0xFE52), (0xFE56, 0xFE57), (0xFF01, 0xFF01), (0xFF0E, 0xFF0E), (0xFF1F, 0xFF1F), (0xFF61, 0xFF61),
    (0x1_0A56, 0x1_0A57), (0x1_0F55, 0x1_0F59), (0x1_0F86, 0x1_0F89), (0x1_1047, 0x1_1048), (0x1_10BE, 0x1_10C1), (0x1_1141, 0x1_1143),
    (0x1_11C5, 0x1_11C6), (0x1_11CD, 0x1_11CD), (0x1_11DE, 0x1_11DF), (0x1_1238, 0x1_1239), (0x1_123B, 0x1_123C), (0x1_12A9, 0x1_12A9),
    (0x1_144B, 0x1_144C), (0x1_15C2, 0x1_15C3), (0x1_15C9, 0x1_15D7), (0x1_1641, 0x1_1642), (0x1_173C, 0x1_173E), (0x1_1944, 0x1_1944),
    (0x1_1946, 0x1_1946), (0x1_1A42, 0x1_1A43), (0x1_1A9B, 0x1_1A9C), (0x1_1C41, 0x1_1C42), (0x1_1EF7, 0x1_1EF8), (0x1_1F43, 0x1_1F44),
    (0x1_6A6E, 0x1_6A6F), (0x1_6AF5, 0x1_6AF5), (0x1_6B37, 0x1_6B38), (0x1_6B44, 0x1_6B44), (0x1_6E98, 0x1_6E98), (0x1_BC9F, 0x1_BC9F),
    (0x1_DA88, 0x1_DA88),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_of_any_script_end_a_sentence() {
        assert!(TERMINAL.is_sorted());
        for c in ['.', '?', '!', '。', '！', '？', '।', '۔', '؟', '։', '።', '៕', '𑁇'] {
            assert!(is_terminal(c) && is_symbol(c), "{c}");
        }
        for c in [',', ';', '…', '、', '；', 'a', '"', '”'] {
            assert!(!is_terminal(c), "{c}");
        }
        assert!(
            is_symbol('…') && is_symbol('\x07') && !is_symbol('a') && !is_symbol('字') && !is_symbol('€')
        );
    }
}
