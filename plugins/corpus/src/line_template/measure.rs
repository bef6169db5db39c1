//! What can be said of a line at the speed of memory: how wide it is, how many sentences end in it, and
//! whether it is as plain already as a line that is compared.
//!
//! Every loop here compares a register full of bytes at a time, because it has no branch and counts in bytes.

#![expect(
    clippy::needless_bitwise_bool,
    reason = "a branch keeps a loop from comparing many bytes at a time"
)]

/// Counts of so many bytes fit into one byte: a byte adds at most two.
const LANE: usize = 120;

/// What [`measure`] finds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Measured {
    /// Columns, two for every character from U+3000 on.
    pub(super) columns: usize,
    /// Ends of sentences: 。！？ anywhere, `.`, `!` and `?` before a blank, a quotation mark or the end.
    pub(super) n_ends: usize,
    /// Whether it has no digit, no white space but single blanks, and no other character that is not compared
    /// as it is.
    pub(super) is_plain: bool,
}

/// Measures a line that neither begins nor ends with white space.
pub(super) fn measure(line: &str) -> Measured {
    let bytes = line.as_bytes();
    let behind = |n: usize| bytes.get(n..).unwrap_or_default();
    let columns = bytes.chunks(LANE).map(|lane| {
        let columns = lane.iter().map(|&byte| u8::from(byte & 0xC0 != 0x80) + u8::from(byte >= 0xE3));
        usize::from(columns.fold(0, u8::wrapping_add))
    });
    let (mut n_ends, mut odd) = (0, 0);
    let n_triples = bytes.len().saturating_sub(2);
    let first = bytes.get(..n_triples).unwrap_or_default().chunks(LANE);
    for ((first, second), third) in first.zip(behind(1).chunks(LANE)).zip(behind(2).chunks(LANE)) {
        let (mut n_here, mut odd_here) = (0_u8, 0_u8);
        for ((&a, &b), &c) in first.iter().zip(second).zip(third) {
            n_here = n_here.wrapping_add(is_end(a, b, c));
            odd_here |= is_odd(a, b, c);
        }
        n_ends += usize::from(n_here);
        odd |= odd_here;
    }
    // The last two bytes begin no triple; a line end stands for what follows them.
    let (a, b) = (at(bytes, 2), at(bytes, 1));
    n_ends += usize::from(is_end(a, b, b'\n')) + usize::from(is_end(b, b'\n', b'\n'));
    odd |= is_odd(a, b, 0) | is_odd(b, 0, 0);
    Measured { columns: columns.sum(), n_ends, is_plain: odd == 0 }
}

/// The `n`th byte from the end, or 0.
fn at(bytes: &[u8], n: usize) -> u8 {
    bytes.len().checked_sub(n).and_then(|index| bytes.get(index)).copied().unwrap_or_default()
}

fn is_end(a: u8, b: u8, c: u8) -> u8 {
    let ascii = (a == b'.') | (a == b'!') | (a == b'?');
    let before = (b == b' ') | (b == b'\n') | (b == b'"') | (b == b'\'') | ((b == 0xE2) & (c == 0x80));
    let stop = (a == 0xE3) & (b == 0x80) & (c == 0x82);
    let mark = (a == 0xEF) & (b == 0xBC) & ((c == 0x81) | (c == 0x9F));
    u8::from((ascii & before) | stop | mark)
}

/// Whether a digit or white space that is no single blank begins here, in any width.
fn is_odd(a: u8, b: u8, c: u8) -> u8 {
    let ascii = a.wrapping_sub(b'0') < 10 || a.wrapping_sub(b'\t') < 5;
    let blanks = (a == b' ') & (b == b' ');
    let latin = (a == 0xC2) & ((b == 0x85) | (b == 0xA0));
    let ogham = (a == 0xE1) & (b == 0x9A) & (c == 0x80);
    let general = (c.wrapping_sub(0x80) < 11) | (c == 0xA8) | (c == 0xA9) | (c == 0xAF);
    let space = (a == 0xE2) & (((b == 0x80) & general) | ((b == 0x81) & (c == 0x9F)));
    let wide = (a == 0xE3) & (b == 0x80) & (c == 0x80);
    let digit = (a == 0xEF) & (b == 0xBC) & (c.wrapping_sub(0x90) < 10);
    u8::from(ascii | blanks | latin | ogham | space | wide | digit)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use tamis_text::chars::text_width;

    use super::*;
    use crate::squeeze::Squeezer;

    #[test]
    fn sentence_ends_are_counted_in_both_scripts() {
        for (line, n_ends) in [
            ("渡船开了。没有人看见！“真的？”", 3),
            ("It left. Nobody saw it! \"Really?\"", 3),
            ("version 1.2.3 of tamis.example.org", 0),
            ("He said “no.” Then he left.", 2),
            ("a.", 1),
            ("。", 1),
            ("", 0),
        ] {
            assert_eq!(measure(line).n_ends, n_ends, "{line}");
        }
    }

    proptest! {
        #[test]
        fn a_plain_line_is_its_own_masked_form(
            line in "([a-c .]|\\PC|[\\s0-9０-９\u{1680}\u{2000}-\u{2060}\u{ff10}-\u{ff20}]){0,60}|[a-c 一二。]{0,400}",
        ) {
            let line = line.trim();
            let mut masked = Vec::new();
            let mut squeezer = Squeezer::default();
            squeezer.push(line, true, &mut masked);
            let is_plain = masked == line.as_bytes() && !squeezer.saw_digit;
            prop_assert_eq!(measure(line).is_plain, is_plain);
        }

        #[test]
        fn columns_are_those_of_the_characters(line in "[a-zé一-十。，（）か가]{0,300}") {
            prop_assert_eq!(measure(&line).columns, text_width(&line));
        }
    }
}
