//! From characters to tokens.

use std::ops::Range;

use crate::mistake::Mistake;

/// A token and where it stands.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Token {
    pub(crate) kind: TokenKind,
    pub(crate) span: Range<usize>,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum TokenKind {
    Word(String),
    Text(String),
    Integer(i64),
    Float(f64),
    /// One of [`SYMBOLS`].
    Symbol(&'static str),
    End,
}

/// Longer ones first.
const SYMBOLS: [&str; 22] = [
    "&&", "||", "==", "!=", "<=", ">=", "<", ">", "!", "+", "-", "*", "/", "%", "?", ":", ".", ",", "(", ")",
    "[", "]",
];

/// What people write who come from other languages, and what is meant.
const OTHERWISE: [(&str, &str); 13] = [
    ("===", "write `==`"),
    ("<>", "write `!=`"),
    ("=~", "write `field.matches(\"…\")`"),
    ("=", "write `==`"),
    ("&", "write `&&`"),
    ("|", "write `||`"),
    ("{", "there are no maps: write a list as `[\"a\", \"b\"]`"),
    ("“", "write `\"`"),
    ("”", "write `\"`"),
    ("‘", "write `'`"),
    ("，", "write `,`"),
    ("（", "write `(`"),
    ("）", "write `)`"),
];

pub(crate) fn tokens(source: &str) -> Result<Vec<Token>, Mistake> {
    let mut lexer = Lexer { source, at: 0 };
    let mut tokens = Vec::new();
    loop {
        let token = lexer.next()?;
        let is_end = token.kind == TokenKind::End;
        tokens.push(token);
        if is_end {
            return Ok(tokens);
        }
    }
}

struct Lexer<'a> {
    source: &'a str,
    at: usize,
}

impl Lexer<'_> {
    fn rest(&self) -> &str {
        self.source.get(self.at..).unwrap_or_default()
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    /// Goes on while the characters are wanted.
    fn skip(&mut self, wanted: impl Fn(char) -> bool) {
        let rest = self.rest();
        self.at += rest.find(|c| !wanted(c)).unwrap_or(rest.len());
    }

    fn next(&mut self) -> Result<Token, Mistake> {
        self.skip_blanks();
        let start = self.at;
        let Some(first) = self.peek() else {
            return Ok(Token { kind: TokenKind::End, span: self.last_char() });
        };
        let kind = match first {
            '"' | '\'' => self.text(false)?,
            'r' | 'R' if self.rest().chars().nth(1).is_some_and(|c| matches!(c, '"' | '\'')) => {
                self.at += 1;
                self.text(true)?
            }
            '0'..='9' => self.number()?,
            c if is_word_start(c) => {
                self.skip(is_word);
                TokenKind::Word(self.source.get(start..self.at).unwrap_or_default().to_owned())
            }
            _ => self.symbol(first)?,
        };
        Ok(Token { kind, span: start..self.at })
    }

    /// Blanks, and comments to the end of the line.
    fn skip_blanks(&mut self) {
        loop {
            self.skip(char::is_whitespace);
            if !self.rest().starts_with("//") {
                return;
            }
            self.skip(|c| c != '\n');
        }
    }

    /// Where something is missing at the end: the last character, so that there is something to point at.
    fn last_char(&self) -> Range<usize> {
        let written = self.source.trim_end();
        let last = written.chars().next_back().map_or(0, char::len_utf8);
        written.len() - last..written.len()
    }

    fn symbol(&mut self, first: char) -> Result<TokenKind, Mistake> {
        // What is no symbol but begins as one: `===`, `<>`.
        let rest = self.rest();
        let otherwise = OTHERWISE.iter().find(|(written, _)| rest.starts_with(written));
        let known = SYMBOLS.iter().find(|symbol| rest.starts_with(**symbol));
        match (known, otherwise) {
            (Some(known), Some((written, _))) if known.len() >= written.len() => {
                self.at += known.len();
                Ok(TokenKind::Symbol(known))
            }
            (_, Some((written, help))) => {
                let span = self.at..self.at + written.len();
                Err(Mistake::new(&span, format!("`{written}` is no operator"), *help))
            }
            (Some(known), None) => {
                self.at += known.len();
                Ok(TokenKind::Symbol(known))
            }
            (None, None) => {
                let span = self.at..self.at + first.len_utf8();
                Err(Mistake::new(&span, format!("`{first}` means nothing here"), ""))
            }
        }
    }

    fn number(&mut self) -> Result<TokenKind, Mistake> {
        let start = self.at;
        let digits = |c: char| c.is_ascii_digit() || c == '_';
        self.skip(digits);
        let mut is_float = false;
        let mut ahead = self.rest().chars();
        if ahead.next() == Some('.') && ahead.next().is_some_and(|c| c.is_ascii_digit()) {
            is_float = true;
            self.at += 1;
            self.skip(digits);
        }
        if matches!(self.peek(), Some('e' | 'E')) {
            is_float = true;
            self.at += 1;
            if matches!(self.peek(), Some('+' | '-')) {
                self.at += 1;
            }
            self.skip(digits);
        }
        if self.peek().is_some_and(is_word_start) {
            self.skip(is_word);
            let span = start..self.at;
            let written = self.source.get(span.clone()).unwrap_or_default();
            return Err(Mistake::new(
                &span,
                format!("`{written}` is no number"),
                "write it with digits alone",
            ));
        }
        let span = start..self.at;
        let written = self.source.get(span.clone()).unwrap_or_default();
        let digits = written.replace('_', "");
        let integer = (!is_float).then(|| digits.parse().ok().map(TokenKind::Integer)).flatten();
        let float = || digits.parse().ok().filter(|float: &f64| float.is_finite()).map(TokenKind::Float);
        integer.or_else(float).ok_or_else(|| Mistake::new(&span, format!("`{written}` is no number"), ""))
    }

    /// A string; `raw` ones have no escapes, so that a pattern can be written as it is.
    fn text(&mut self, raw: bool) -> Result<TokenKind, Mistake> {
        let start = self.at;
        let mut chars = self.rest().char_indices();
        let quote = chars.next().map_or('"', |(_, quote)| quote);
        let mut text = String::new();
        while let Some((index, c)) = chars.next() {
            let at = start + index;
            match c {
                c if c == quote => {
                    self.at = at + c.len_utf8();
                    return Ok(TokenKind::Text(text));
                }
                '\\' if !raw => text.push(escape(&mut chars, at)?),
                c => text.push(c),
            }
        }
        let message = format!("the string is not closed: `{quote}` is missing");
        Err(Mistake::new(&(start..self.source.len()), message, ""))
    }
}

/// The character that an escape stands for, of which the backslash at `at` has been taken.
fn escape(chars: &mut std::str::CharIndices<'_>, at: usize) -> Result<char, Mistake> {
    let Some((_, letter)) = chars.next() else {
        return Err(Mistake::new(&(at..at + 1), "the string is not closed: it ends in a backslash", ""));
    };
    let unknown = |written: &str, help: &str| {
        let span = at..at + 1 + written.len();
        Mistake::new(&span, format!("`\\{written}` is no escape"), help)
    };
    Ok(match letter {
        'n' => '\n',
        't' => '\t',
        'r' => '\r',
        '\\' | '"' | '\'' | '`' => letter,
        'u' | 'U' => {
            let n_digits = if letter == 'u' { 4 } else { 8 };
            let mut ahead = chars.clone();
            let digits: String = ahead.by_ref().take(n_digits).map(|(_, c)| c).collect();
            let code = u32::from_str_radix(&digits, 16)
                .ok()
                .filter(|_| digits.chars().all(|c| c.is_ascii_hexdigit()));
            let help = "it takes four hexadecimal digits, as in `\\u00a0`";
            let c = code.filter(|_| digits.len() == n_digits).and_then(char::from_u32);
            let c = c.ok_or_else(|| unknown(letter.encode_utf8(&mut [0; 4]), help))?;
            *chars = ahead;
            c
        }
        other => {
            let help = "write `\\\\` for a backslash, or the string as `r\"…\"`";
            return Err(unknown(other.encode_utf8(&mut [0; 4]), help));
        }
    })
}

pub(crate) fn is_word_start(c: char) -> bool {
    c.is_alphabetic() || c == '_'
}

pub(crate) fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kinds(source: &str) -> Vec<TokenKind> {
        tokens(source).expect("tokens").into_iter().map(|token| token.kind).collect()
    }

    #[test]
    fn tokens_have_kinds_and_places() {
        use TokenKind::{End, Float, Integer, Symbol, Text, Word};
        assert_eq!(
            kinds("标题 >= 1_000 // why\n && a.b"),
            [
                Word("标题".into()),
                Symbol(">="),
                Integer(1000),
                Symbol("&&"),
                Word("a".into()),
                Symbol("."),
                Word("b".into()),
                End
            ]
        );
        assert_eq!(kinds("1.5 2e3 99999999999999999999"), [Float(1.5), Float(2000.0), Float(1e20), End]);
        assert_eq!(
            kinds(r#"'a"\n\u00a0' r"\d+" "\\""#),
            [Text("a\"\n\u{a0}".into()), Text("\\d+".into()), Text("\\".into()), End]
        );
        let token = &tokens("  标题 == 1").expect("tokens")[0];
        assert_eq!(token.span, 2..8);
    }

    #[test]
    fn what_means_nothing_is_said_with_its_place() {
        for (source, span, message) in [
            ("a = 1", 2..3, "`=` is no operator: write `==`"),
            ("a & b", 2..3, "`&` is no operator: write `&&`"),
            ("a === b", 2..5, "`===` is no operator: write `==`"),
            ("a <> b", 2..4, "`<>` is no operator: write `!=`"),
            ("a # b", 2..3, "`#` means nothing here"),
            ("'abc", 0..4, "the string is not closed: `'` is missing"),
            (r"'\d'", 1..3, "`\\d` is no escape: write `\\\\` for a backslash, or the string as `r\"…\"`"),
            ("'\\", 1..2, "the string is not closed: it ends in a backslash"),
            (r"'\u12'", 1..3, "`\\u` is no escape: it takes four hexadecimal digits, as in `\\u00a0`"),
            ("12kb", 0..4, "`12kb` is no number: write it with digits alone"),
            ("title == “a”", 9..12, "`“` is no operator: write `\"`"),
        ] {
            let mistake = tokens(source).expect_err(source);
            assert_eq!((mistake.span.clone(), mistake.to_string().as_str()), (span, message), "{source}");
        }
    }
}
