//! Line ends, blanks, blank lines, control and invisible characters, in one pass.

use std::ops::Range;

use tamis_text::chars::{is_blank, is_invisible, is_line_end};
use tamis_text::lines::fences;

use super::RepairTextOptions;

/// What was repaired.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) struct Spacing {
    line_ends: u64,
    blank_runs: u64,
    blank_lines: u64,
    removed: u64,
    windows_1252: u64,
}

impl Spacing {
    pub(super) fn counts(self) -> [(&'static str, u64); 5] {
        [
            ("line_ends_repaired", self.line_ends),
            ("white_space_repaired", self.blank_runs),
            ("blank_lines_removed", self.blank_lines),
            ("control_characters_removed", self.removed),
            ("windows_1252_repaired", self.windows_1252),
        ]
    }
}

/// The repaired text and what was repaired, or `None` if there is nothing to repair.
pub(super) fn repair(text: &str, options: &RepairTextOptions) -> Option<(String, Spacing)> {
    let mut scan =
        Scan { text, options, copied: 0, out: String::new(), repaired: Spacing::default(), rtl: None };
    let code = fences(text);
    let mut code = code.iter().peekable();
    let mut at = 0;
    while let Some(start) = next_special(text.as_bytes(), at) {
        while code.next_if(|block| block.end <= start).is_some() {}
        at = match code.peek() {
            Some(block) if block.contains(&start) => block.end,
            _ => scan.run(start),
        };
    }
    if scan.copied == 0 {
        return None;
    }
    scan.out.push_str(text.get(scan.copied..)?);
    Some((scan.out, scan.repaired))
}

/// What a character is to this repair.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Class {
    Plain,
    Blank,
    LineEnd,
    Removed,
    /// A byte of windows-1252 that was read as Latin-1.
    Windows1252(char),
}

/// White space and invisible characters in a row.
#[derive(Default)]
struct Run {
    end: usize,
    n_line_ends: u64,
    /// Line ends other than LF.
    n_foreign: u64,
    n_removed: u64,
    n_blanks: u64,
    first_blank: Option<char>,
}

struct Scan<'a> {
    text: &'a str,
    options: &'a RepairTextOptions,
    /// The bytes of `text` that are in `out`, as they were or repaired.
    copied: usize,
    out: String,
    repaired: Spacing,
    /// Whether the text has letters that are written from right to left, once it was asked.
    rtl: Option<bool>,
}

impl Scan<'_> {
    /// Repairs the run of white space and invisible characters at `start`, if there is one; returns where to
    /// go on.
    fn run(&mut self, start: usize) -> usize {
        let before = self.last_before(start);
        let run = self.gather(start, before);
        if run.end == start {
            return self.pass(start);
        }
        let (at_start, at_end) = (before.is_none(), run.end == self.text.len());
        let n_kept = match run.n_line_ends {
            n if !self.options.remove_blank_lines => n,
            _ if at_start || at_end => 0,
            n => n.min(1),
        };
        let one_blank = run.n_line_ends == 0 && run.n_blanks > 0 && !at_start && !at_end;
        let blanks_fine =
            if one_blank { run.n_blanks == 1 && run.first_blank == Some(' ') } else { run.n_blanks == 0 };
        let n_dropped = run.n_line_ends - n_kept;
        if run.n_foreign + run.n_removed + n_dropped > 0 || !blanks_fine {
            self.repaired.line_ends += run.n_foreign;
            self.repaired.removed += run.n_removed;
            // The line end of the last line ends no blank line.
            let ends_last_line = at_end && !at_start && n_dropped > 0;
            self.repaired.blank_lines += n_dropped - u64::from(ends_last_line);
            self.repaired.blank_runs += u64::from(!blanks_fine);
            self.replace(start, run.end, if one_blank { " " } else { "" });
            self.out.extend(std::iter::repeat_n('\n', n_kept as usize));
        }
        run.end
    }

    /// The white space and invisible characters from `start` on; `before` is what stands before them.
    fn gather(&mut self, start: usize, before: Option<char>) -> Run {
        let (_, from_start) = self.text.split_at(start);
        let mut run = Run { end: self.text.len(), ..Run::default() };
        let mut after_cr = false;
        for (offset, c) in from_start.char_indices() {
            let in_white_space = run.n_line_ends + run.n_blanks > 0;
            match self.class(c, if in_white_space { None } else { before }) {
                Class::Blank => {
                    run.first_blank = run.first_blank.or(Some(c));
                    run.n_blanks += 1;
                }
                Class::LineEnd => {
                    // The LF of a CR LF was counted with its CR.
                    run.n_line_ends += u64::from(!(after_cr && c == '\n'));
                    run.n_foreign += u64::from(c != '\n');
                }
                Class::Removed => run.n_removed += 1,
                Class::Windows1252(_) | Class::Plain => {
                    run.end = start + offset;
                    break;
                }
            }
            after_cr = c == '\r';
        }
        run
    }

    /// Passes the character at `start`, which stays or is read as windows-1252; returns where it ends.
    fn pass(&mut self, start: usize) -> usize {
        let (_, from_start) = self.text.split_at(start);
        let Some(c) = from_start.chars().next() else { return self.text.len() };
        let end = start + c.len_utf8();
        if let Class::Windows1252(meant) = self.class(c, None) {
            self.replace(start, end, meant.encode_utf8(&mut [0; 4]));
            self.repaired.windows_1252 += 1;
        }
        end
    }

    /// Puts `replacement` in place of the bytes from `start` to `end`.
    fn replace(&mut self, start: usize, end: usize, replacement: &str) {
        if self.out.capacity() == 0 {
            self.out.reserve(self.text.len());
        }
        self.out.push_str(self.text.get(self.copied..start).expect("runs begin and end at characters"));
        self.out.push_str(replacement);
        self.copied = end;
    }

    /// The last character before `start` that stays, repaired.
    fn last_before(&self, start: usize) -> Option<char> {
        let untouched = self.text.get(self.copied..start).and_then(|text| text.chars().next_back());
        untouched.or_else(|| self.out.chars().next_back())
    }

    fn class(&mut self, c: char, before: Option<char>) -> Class {
        let options = self.options;
        match c {
            '\n' => Class::LineEnd,
            _ if options.line_ends && is_line_end(c) => Class::LineEnd,
            _ if options.white_space && is_blank(c) => Class::Blank,
            _ if !options.control_characters || is_line_end(c) || is_blank(c) => Class::Plain,
            '\u{80}'..='\u{9F}' => windows_1252(c).map_or(Class::Removed, Class::Windows1252),
            '\u{200C}' | '\u{200D}' if before.is_some_and(needs_joiners) => Class::Plain,
            // The separator of vowels in Mongolian, which changes the letters on both of its sides.
            '\u{180E}' if before.is_some_and(|c| matches!(c, '\u{1820}'..='\u{18AA}')) => Class::Plain,
            '\u{61C}' | '\u{200E}' | '\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}'
                if self.has_rtl() =>
            {
                Class::Plain
            }
            _ if is_removed(c) => Class::Removed,
            _ => Class::Plain,
        }
    }

    fn has_rtl(&mut self) -> bool {
        let text = self.text;
        *self.rtl.get_or_insert_with(|| {
            text.chars().any(|c| {
                matches!(c, '\u{590}'..='\u{61B}' | '\u{61D}'..='\u{8FF}' | '\u{FB1D}'..='\u{FDFF}' | '\u{FE70}'..='\u{FEFC}' | '\u{10800}'..='\u{10FFF}' | '\u{1E800}'..='\u{1EFFF}')
            })
        })
    }
}

/// Where the next character stands that may be white space or invisible; single blanks and line feeds
/// between plain bytes are passed over here, because nearly all are.
fn next_special(bytes: &[u8], from: usize) -> Option<usize> {
    // Where one stands the next is near, as often as not.
    let mut at = bytes.len().min(from + NEAR);
    if let Some(found) = special_within(bytes, from..at) {
        return Some(found);
    }
    while let Some(window) = bytes.get(at..).and_then(<[u8]>::first_chunk::<{ LANE + 2 }>) {
        // Of what is all ASCII much less need be asked.
        let is_ascii = window.is_ascii();
        if (is_ascii && may_have_special_ascii(window) || !is_ascii && may_have_special(window))
            && let Some(found) = special_within(bytes, at..at + LANE)
        {
            return Some(found);
        }
        at += LANE;
    }
    special_within(bytes, at..bytes.len())
}

/// The first place within a range at which such a character may begin. Most bytes begin none whatever follows.
fn special_within(bytes: &[u8], within: Range<usize>) -> Option<usize> {
    let start = within.start;
    let part = bytes.get(within).unwrap_or_default().iter().enumerate();
    let begins = part.filter(|(_, byte)| MAY_BEGIN[usize::from(**byte)]);
    begins.map(|(at, _)| start + at).find(|at| is_special(bytes, *at))
}

/// The bytes for which [`is_special`] looks at those behind them.
const MAY_BEGIN: [bool; 256] = {
    let mut may = [false; 256];
    let mut byte = 0;
    while byte < 256 {
        may[byte] = matches!(byte, 0..=0x20 | 0x7F | 0xC2 | 0xD8 | 0xE1..=0xE3 | 0xEF);
        byte += 1;
    }
    may
};

/// Bytes that are looked at one by one before the search goes on in windows.
const NEAR: usize = 16;
/// Bytes in a window, so that the compiler compares a register full of them at a time.
const LANE: usize = 64;

/// Whether a byte of a window, the last two left out, may be special: asked of the first bytes of characters, by which few
/// windows may.
fn may_have_special(window: &[u8; LANE + 2]) -> bool {
    let within = |byte: u8, from: u8, to: u8| u8::from(byte.wrapping_sub(from) <= to - from);
    let is = |byte: u8, other: u8| u8::from(byte == other);
    let mut may = 0;
    for index in 0..LANE {
        let (byte, next, third) = (window[index], window[index + 1], window[index + 2]);
        let blank = is(byte, b' ') | is(byte, b'\n');
        let plain = within(next, 0x21, 0x7E) | within(next, 0xC3, 0xD7) | within(next, 0xE4, 0xE9);
        may |= blank & (plain ^ 1) | within(byte, 0, 0x1F) & (blank ^ 1) | is(byte, 0x7F);
        may |= is(byte, 0xC2) & within(next, 0, 0xAD) | is(byte, 0xD8) & is(next, 0x9C);
        may |= is(byte, 0xE1) & (is(next, 0x9A) | is(next, 0xA0)) | is(byte, 0xE2) & is(next, 0x81);
        may |= is(byte, 0xEF) & (is(next, 0xBB) | is(next, 0xBF));
        // Of U+2000 to U+203F some are, of U+3000 to U+303F only the first.
        let plain = within(third, 0x90, 0xA7) | within(third, 0xB0, 0xFF);
        may |= is(next, 0x80) & (is(byte, 0xE2) & (plain ^ 1) | is(byte, 0xE3) & is(third, 0x80));
    }
    may != 0
}

/// The same of a window of ASCII.
fn may_have_special_ascii(window: &[u8; LANE + 2]) -> bool {
    let is_plain = |byte: u8| u8::from(byte.wrapping_sub(0x21) <= 0x7E - 0x21);
    let is = |byte: u8, other: u8| u8::from(byte == other);
    let mut may = 0;
    for index in 0..LANE {
        let (byte, next) = (window[index], window[index + 1]);
        let blank = is(byte, b' ') | is(byte, b'\n');
        may |= (is_plain(byte) ^ 1) & ((is_plain(next) & blank) ^ 1);
    }
    may != 0
}

/// Whether the character that begins with the byte at `at` may be white space or invisible, and is no single blank or
/// line feed between plain bytes.
fn is_special(bytes: &[u8], at: usize) -> bool {
    let behind = |n: usize| bytes.get(at + n).copied();
    match bytes[at] {
        b' ' | b'\n' => at == 0 || behind(1).is_none_or(|next| !is_plain(next)),
        0..=0x1F | 0x7F => true,
        0xC2 => behind(1).is_some_and(|second| second <= 0xAD),
        0xD8 => behind(1) == Some(0x9C),
        0xE1 => matches!(behind(1), Some(0x9A | 0xA0)),
        // U+2000 to U+207F and U+3000: of the punctuation there, only these must be looked at.
        0xE2 => match behind(1) {
            Some(0x80) => !behind(2).is_some_and(|third| matches!(third, 0x90..=0xA7 | 0xB0..)),
            Some(0x81) => true,
            _ => false,
        },
        0xE3 => (behind(1), behind(2)) == (Some(0x80), Some(0x80)),
        0xEF => matches!(behind(1), Some(0xBB | 0xBF)),
        _ => false,
    }
}

/// Whether no character that begins with `byte` is white space or invisible.
fn is_plain(byte: u8) -> bool {
    matches!(byte, 0x21..=0x7E | 0xC3..=0xD7 | 0xE4..=0xE9)
}

/// Control characters, those without width and those that stand for an object, except joiners, marks of direction and white
/// space where they were told apart before.
fn is_removed(c: char) -> bool {
    is_invisible(c) || matches!(c, '\0'..='\u{1F}' | '\u{7F}' | '\u{FFF9}'..='\u{FFFC}')
}

/// Whether a joiner behind `c` may change how text looks: scripts whose letters join, and emoji.
fn needs_joiners(c: char) -> bool {
    matches!(c,
        '\u{600}'..='\u{DFF}'
        | '\u{1000}'..='\u{109F}'
        | '\u{1780}'..='\u{18AF}'
        | '\u{A840}'..='\u{A87F}'
        | '\u{FB50}'..='\u{FDFF}'
        | '\u{FE70}'..='\u{FEFC}'
        | '\u{2600}'..='\u{27BF}'
        | '\u{FE0F}'
        | '\u{1F000}'..='\u{1FAFF}')
}

/// What windows-1252 means by a byte that was read as a control character of Latin-1 (WHATWG Encoding
/// Standard, index windows-1252); U+0085 is a line end before it comes here.
fn windows_1252(c: char) -> Option<char> {
    const MEANT: [char; 32] = [
        '€', '\0', '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', '\0', 'Ž', '\0', //
        '\0', '‘', '’', '“', '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ', '\0', 'ž', 'Ÿ',
    ];
    let index = (c as usize).checked_sub(0x80)?;
    MEANT.get(index).copied().filter(|meant| *meant != '\0')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_is_special_is_found_in_windows(
            pieces in proptest::collection::vec(prop_oneof!["[a-z]{1,90}", Just(" ".to_owned()), Just("\n".to_owned()), "\\PC", "[\\s\u{0}-\u{1F}\u{7F}\u{AD}\u{3000}]"], 0..12),
        ) {
            let text = pieces.concat();
            let one_by_one = (0..text.len()).find(|at| is_special(text.as_bytes(), *at));
            prop_assert_eq!(next_special(text.as_bytes(), 0), one_by_one);
        }
    }
}
