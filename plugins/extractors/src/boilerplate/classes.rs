//! All that the reading of a page asks of a character, in one look.
//!
//! Asking the tables of Unicode takes longer than everything that is done with the answer, so the answers for
//! the Basic Multilingual Plane are worked out once.

use std::sync::LazyLock;

use tamis_text::chars::{is_blank, is_cjk, is_closing, is_latin, is_line_end};

/// The classes of a character; it may belong to several.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Classes(u16);

impl Classes {
    /// Letters of scripts without blanks between words.
    pub(super) const CJK: Self = Self(1);
    /// Latin letters.
    pub(super) const LATIN: Self = Self(1 << 1);
    /// Letters of other scripts, with the marks that belong to them.
    pub(super) const OTHER: Self = Self(1 << 2);
    /// Capital letters.
    pub(super) const UPPER: Self = Self(1 << 3);
    /// Small letters.
    pub(super) const LOWER: Self = Self(1 << 4);
    /// Digits, narrow and wide.
    pub(super) const DIGIT: Self = Self(1 << 5);
    /// Commas of any script.
    pub(super) const COMMA: Self = Self(1 << 6);
    /// Characters that separate the entries of menus.
    pub(super) const SEPARATOR: Self = Self(1 << 7);
    /// Characters that code is full of and prose is not.
    pub(super) const CODE: Self = Self(1 << 8);
    /// Opening quotation marks.
    pub(super) const QUOTE: Self = Self(1 << 9);
    /// Apostrophes and hyphens: a word goes on behind them.
    pub(super) const JOINER: Self = Self(1 << 10);
    /// Marks that end a sentence.
    pub(super) const END: Self = Self(1 << 11);
    /// Those of them that need no blank behind them.
    pub(super) const CJK_END: Self = Self(1 << 12);
    /// What may follow the end of a sentence and still belongs to it.
    pub(super) const CLOSING: Self = Self(1 << 13);
    /// White space, and characters that take no room.
    pub(super) const SPACE: Self = Self(1 << 14);
    /// Letters of scripts with blanks between words.
    pub(super) const WORD: Self = Self::LATIN.or(Self::OTHER);

    /// These classes and those.
    pub(super) const fn or(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether the character belongs to `any` of these classes.
    pub(super) fn has(self, any: Self) -> bool {
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
            (Self::END, is_cjk_end(c) || matches!(c, '.' | '!' | '?' | '।' | '؟')),
            (Self::CJK_END, is_cjk_end(c)),
            (Self::CLOSING, is_closing(c) || c == '…'),
            (Self::SPACE, is_blank(c) || is_line_end(c) || is_invisible(c)),
        ];
        Self(classes.into_iter().filter(|(_, belongs)| *belongs).fold(0, |bits, (class, _)| bits | class.0))
    }
}

/// The classes of every character.
pub(super) struct Table(Box<[Classes]>);

static TABLE: LazyLock<Table> = LazyLock::new(|| {
    // Surrogates are no characters; nobody asks for them.
    Table((0..=0xFFFF).map(|code| char::from_u32(code).map_or(Classes(0), Classes::work_out)).collect())
});

impl Table {
    pub(super) fn get() -> &'static Self {
        &TABLE
    }

    pub(super) fn of(&self, c: char) -> Classes {
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

fn is_cjk_end(c: char) -> bool {
    matches!(c, '。' | '！' | '？' | '｡' | '．')
}

/// Characters that take no room: zero-width blanks, joiners and marks of direction or byte order.
pub(super) fn is_invisible(c: char) -> bool {
    matches!(c, '\u{200B}'..='\u{200F}' | '\u{2060}' | '\u{FEFF}' | '\u{AD}')
}

/// Accents that stand alone, and the marks of Indic scripts that Unicode does not call alphabetic: words go
/// on behind them.
fn is_mark(c: char) -> bool {
    let indic = ('\u{900}'..='\u{D7F}').contains(&c) && matches!(c as u32 & 0x7F, 0x3C | 0x4D | 0x70..=0x71);
    indic || ('\u{300}'..='\u{36F}').contains(&c)
}
