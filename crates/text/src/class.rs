//! All that the reading of a text asks of a character, in one look.
//!
//! Asking the tables of Unicode takes longer than everything that is done with the answer, so the answers for
//! the Basic Multilingual Plane are worked out once.

use std::ops::RangeInclusive;
use std::sync::LazyLock;

use crate::chars::{is_blank, is_cjk, is_closing, is_end, is_invisible, is_latin, is_line_end, is_wide_end};

/// The classes of a character; it may belong to several.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Classes(u16);

impl Classes {
    /// Letters of scripts without blanks between words.
    pub const CJK: Self = Self(1);
    /// Latin letters.
    pub const LATIN: Self = Self(1 << 1);
    /// Letters of other scripts, with the marks that belong to them.
    pub const OTHER: Self = Self(1 << 2);
    /// Capital letters.
    pub const UPPER: Self = Self(1 << 3);
    /// Small letters.
    pub const LOWER: Self = Self(1 << 4);
    /// Digits, narrow and wide.
    pub const DIGIT: Self = Self(1 << 5);
    /// Commas of any script.
    pub const COMMA: Self = Self(1 << 6);
    /// Characters that separate the entries of menus.
    pub const SEPARATOR: Self = Self(1 << 7);
    /// Characters that code is full of and prose is not.
    pub const CODE: Self = Self(1 << 8);
    /// Opening quotation marks.
    pub const QUOTE: Self = Self(1 << 9);
    /// Apostrophes and hyphens: a word goes on behind them.
    pub const JOINER: Self = Self(1 << 10);
    /// Marks that end a sentence.
    pub const END: Self = Self(1 << 11);
    /// Those of them that need no blank behind them.
    pub const CJK_END: Self = Self(1 << 12);
    /// What may follow the end of a sentence and still belongs to it.
    pub const CLOSING: Self = Self(1 << 13);
    /// White space, and characters that take no room.
    pub const SPACE: Self = Self(1 << 14);
    /// Letters of scripts with blanks between words.
    pub const WORD: Self = Self::LATIN.or(Self::OTHER);

    /// These classes and those.
    #[must_use]
    pub const fn or(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether the character belongs to `any` of these classes.
    #[inline]
    pub fn has(self, any: Self) -> bool {
        self.0 & any.0 != 0
    }

    fn work_out(c: char) -> Self {
        let letter = c.is_alphabetic() || is_mark(c);
        let classes = [
            (Self::CJK, is_cjk(c)),
            (Self::LATIN, letter && is_latin(c)),
            (Self::OTHER, letter && !is_latin(c) && !is_cjk(c)),
            (Self::UPPER, c.is_uppercase()),
            (Self::LOWER, c.is_lowercase()),
            (Self::DIGIT, matches!(c, '0'..='9' | '０'..='９')),
            (Self::COMMA, matches!(c, ',' | '，' | '、' | '،')),
            (Self::SEPARATOR, is_separator(c)),
            (Self::CODE, is_code(c)),
            (Self::QUOTE, matches!(c, '"' | '“' | '「' | '『' | '«' | '„')),
            (Self::JOINER, matches!(c, '\'' | '’' | '-')),
            (Self::END, is_end(c)),
            (Self::CJK_END, is_wide_end(c)),
            (Self::CLOSING, is_closing(c) || c == '…'),
            (Self::SPACE, is_blank(c) || is_line_end(c) || is_invisible(c)),
        ];
        Self(classes.into_iter().filter(|(_, belongs)| *belongs).fold(0, |bits, (class, _)| bits | class.0))
    }
}

/// The classes of every character.
#[derive(Debug)]
pub struct Table(Box<[Classes]>);

/// Blocks of which all characters are of the same classes, Han ideographs and Korean syllables: more than half of
/// the table, which need not be worked out one by one when a program starts.
const LETTERS_OF_CJK: [RangeInclusive<usize>; 3] = [0x3400..=0x4DBF, 0x4E00..=0x9FFF, 0xAC00..=0xD7A3];
/// Surrogates, which are no characters and which nobody asks for, and characters for private use.
const OF_NO_CLASS: RangeInclusive<usize> = 0xD800..=0xF8FF;

static TABLE: LazyLock<Table> = LazyLock::new(|| {
    let mut table = vec![Classes(0); 0x1_0000];
    for block in LETTERS_OF_CJK {
        table[block].fill(Classes::CJK);
    }
    for (code, classes) in (0..).zip(&mut table) {
        let is_known = *classes == Classes::CJK || OF_NO_CLASS.contains(&(code as usize));
        if let (false, Some(c)) = (is_known, char::from_u32(code)) {
            *classes = Classes::work_out(c);
        }
    }
    Table(table.into())
});

impl Table {
    /// The one table of the process, worked out when it is first asked for.
    #[inline]
    pub fn get() -> &'static Self {
        &TABLE
    }

    /// The classes of a character.
    #[inline]
    pub fn of(&self, c: char) -> Classes {
        self.0.get(c as usize).copied().unwrap_or_else(|| Classes::work_out(c))
    }
}

fn is_separator(c: char) -> bool {
    matches!(c, '|' | '｜' | '·' | '•' | '»' | '>' | '›' | '/' | '●' | '■' | '★' | '▪' | '┊' | '│' | '¦')
}

fn is_code(c: char) -> bool {
    matches!(
        c,
        '{' | '}'
            | ';'
            | '='
            | '<'
            | '>'
            | '/'
            | '['
            | ']'
            | '('
            | ')'
            | '_'
            | '\\'
            | '&'
            | '%'
            | '$'
            | '#'
            | '@'
            | '+'
            | '*'
    )
}

/// Whether a character belongs to [`Classes::WORD`] as a mark: accents that stand alone, and the marks of Indic scripts that Unicode does not call alphabetic: words go
/// on behind them.
pub fn is_mark(c: char) -> bool {
    let indic = ('\u{900}'..='\u{D7F}').contains(&c) && matches!(c as u32 & 0x7F, 0x3C | 0x4D | 0x70..=0x71);
    indic || ('\u{300}'..='\u{36F}').contains(&c)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_character_has_the_classes_that_the_functions_say() {
        let table = Table::get();
        for c in ('\0'..='\u{FFFF}').chain(['😀', '𠀀', '\u{10FFFF}']) {
            assert_eq!(table.of(c), Classes::work_out(c), "U+{:04X}", c as u32);
        }
    }

    #[test]
    fn what_parts_words_is_no_letter() {
        let table = Table::get();
        let marks = Classes::CLOSING.or(Classes::QUOTE).or(Classes::SEPARATOR).or(Classes::CODE);
        let parts = Classes::SPACE.or(Classes::COMMA).or(Classes::END).or(marks);
        assert!(('\0'..='\u{FFFF}').all(|c| !table.of(c).has(parts) || !c.is_alphanumeric()));
    }

    #[test]
    fn a_character_may_belong_to_several_classes() {
        let table = Table::get();
        assert!(table.of('，').has(Classes::COMMA) && !table.of('，').has(Classes::WORD));
        assert!(table.of('>').has(Classes::SEPARATOR) && table.of('>').has(Classes::CODE));
        assert!(table.of('。').has(Classes::END) && table.of('。').has(Classes::CJK_END));
        assert!(table.of('É').has(Classes::UPPER) && table.of('É').has(Classes::LATIN));
        assert!(table.of('ж').has(Classes::OTHER.or(Classes::CJK)));
        assert_eq!(table.of('字'), Classes::CJK);
    }
}
