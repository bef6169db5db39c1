//! Python and JSON literals, read without executing anything.
//!
//! One grammar, two products: [`Tree`] keeps the values, [`Skim`] only finds where a literal ends, which is
//! what cutting a file needs and costs little more than a search for the closing quote.

use memchr::{memchr2, memchr3, memmem};

/// How deep lists and dicts may nest: far beyond any scraped record, far from the end of the stack.
const MAX_DEPTH: u32 = 128;

/// A value as written.
#[derive(Debug, Clone, PartialEq)]
pub enum Literal {
    /// Neither text nor a collection.
    Scalar(Scalar),
    /// The bytes of a string, decoded; UTF-8 if the input was.
    String(Vec<u8>),
    /// A list or a tuple.
    List(Vec<Literal>),
    /// A dict or an object, in the order in which it is written.
    Dict(Vec<(Literal, Literal)>),
}

/// A literal that is neither text nor a collection.
#[derive(Debug, Clone, PartialEq)]
pub enum Scalar {
    /// `None` or `null`.
    Null,
    /// `True`, `False`, `true` or `false`.
    Bool(bool),
    /// A whole number.
    Integer(i64),
    /// The decimal digits of a whole number beyond `i64`.
    BigInteger(String),
    /// A number with a fraction or an exponent.
    Float(f64),
}

/// What the grammar makes of a literal.
pub trait Build {
    /// A string while it is read.
    type Text: Default;
    /// A value that was read.
    type Value;

    /// Takes in more bytes of a string, decoded.
    fn push(text: &mut Self::Text, bytes: &[u8]);
    /// A whole string.
    fn string(text: Self::Text) -> Self::Value;
    /// A number, a truth value or nothing.
    fn scalar(scalar: Scalar) -> Self::Value;
    /// A list or a tuple.
    fn list(items: Vec<Self::Value>) -> Self::Value;
    /// A dict or an object.
    fn dict(entries: Vec<(Self::Value, Self::Value)>) -> Self::Value;
    /// What stands for `nan`, `inf` or another number that is not finite; without it they are no literals.
    fn not_finite() -> Option<Self::Value> {
        None
    }
    /// Takes in half of a surrogate pair; if it says that it did not, the string is broken.
    fn half_pair(_text: &mut Self::Text) -> bool {
        false
    }
}

/// Keeps the values.
#[derive(Debug)]
pub struct Tree;

impl Build for Tree {
    type Text = Vec<u8>;
    type Value = Literal;

    fn push(text: &mut Vec<u8>, bytes: &[u8]) {
        text.extend_from_slice(bytes);
    }

    fn string(text: Vec<u8>) -> Literal {
        Literal::String(text)
    }

    fn scalar(scalar: Scalar) -> Literal {
        Literal::Scalar(scalar)
    }

    fn list(items: Vec<Literal>) -> Literal {
        Literal::List(items)
    }

    fn dict(entries: Vec<(Literal, Literal)>) -> Literal {
        Literal::Dict(entries)
    }
}

/// Keeps nothing.
#[derive(Debug)]
pub struct Skim;

impl Build for Skim {
    type Text = ();
    type Value = ();

    fn push((): &mut (), _bytes: &[u8]) {}
    fn string((): ()) {}
    fn scalar(_scalar: Scalar) {}
    fn list(_items: Vec<()>) {}
    fn dict(_entries: Vec<((), ())>) {}
}

/// Why a literal could not be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trouble {
    /// The byte at which it showed.
    pub at: usize,
    /// The bytes ended before the literal did: with more of them it may be whole.
    pub unfinished: bool,
    /// What is wrong.
    pub message: String,
}

/// A place in the bytes, and the grammar from there on.
#[derive(Debug, Clone)]
pub struct Cursor<'a> {
    /// All bytes.
    pub bytes: &'a [u8],
    /// The next byte.
    pub at: usize,
}

impl<'a> Cursor<'a> {
    /// The bytes from here on.
    pub fn rest(&self) -> &'a [u8] {
        self.bytes.get(self.at..).unwrap_or_default()
    }

    /// The next byte, if there is one.
    pub fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    /// Steps over `byte` if it is next.
    pub fn take(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        self.at += usize::from(found);
        found
    }

    /// Steps over the longest run of bytes that `belongs` accepts, and returns it.
    pub fn take_while(&mut self, belongs: impl Fn(u8) -> bool) -> &'a [u8] {
        let rest = self.rest();
        let length = rest.iter().position(|byte| !belongs(*byte)).unwrap_or(rest.len());
        self.at += length;
        &rest[..length]
    }

    /// Steps over the blanks before the first thing in a line, and over byte order marks: files that were
    /// strung together have them anywhere.
    pub fn take_indent(&mut self) {
        self.take_while(|byte| matches!(byte, b' ' | b'\t'));
        while self.rest().starts_with(b"\xEF\xBB\xBF") {
            self.at += 3;
            self.take_while(|byte| matches!(byte, b' ' | b'\t'));
        }
    }

    /// Steps over spaces and tabs, and over line ends that a backslash takes back.
    pub fn take_blanks(&mut self) {
        loop {
            self.take_while(|byte| matches!(byte, b' ' | b'\t'));
            match self.rest() {
                [b'\\', b'\n', ..] => self.at += 2,
                [b'\\', b'\r', b'\n', ..] => self.at += 3,
                _ => return,
            }
        }
    }

    /// Trouble at this place.
    ///
    /// # Errors
    ///
    /// Always.
    pub fn trouble<T>(&self, message: impl Into<String>) -> Result<T, Trouble> {
        Err(Trouble { at: self.at, unfinished: self.at >= self.bytes.len(), message: message.into() })
    }

    /// Reads the literal that begins here; adjacent strings are one.
    ///
    /// # Errors
    ///
    /// When there is none, or it is broken; the cursor then stands anywhere.
    pub fn literal<B: Build>(&mut self) -> Result<B::Value, Trouble> {
        self.value::<B>(0)
    }

    fn value<B: Build>(&mut self, depth: u32) -> Result<B::Value, Trouble> {
        if self.string_start().is_some() {
            return self.strings::<B>(depth);
        }
        match self.peek() {
            None => self.trouble("a value is missing"),
            Some(b'[' | b'(' | b'{') if depth >= MAX_DEPTH => {
                self.trouble(format!("nested more than {MAX_DEPTH} deep"))
            }
            Some(b'[') => self.list::<B>(b']', depth),
            Some(b'(') => self.list::<B>(b')', depth),
            Some(b'{') => self.dict::<B>(depth),
            Some(b'0'..=b'9' | b'.' | b'-' | b'+') => self.number::<B>(),
            Some(byte) if is_word(byte) => self.word::<B>(),
            Some(_) => self.trouble("expected a string, a number, a list, a dict, True, False or None"),
        }
    }

    /// Steps over blanks between two parts of a literal: inside brackets, line ends and comments too.
    fn take_gap(&mut self, depth: u32) {
        loop {
            self.take_blanks();
            match self.peek() {
                Some(b'\n' | b'\r') if depth > 0 => self.at += 1,
                Some(b'#') if depth > 0 => {
                    self.take_while(|byte| byte != b'\n');
                }
                _ => return,
            }
        }
    }

    fn list<B: Build>(&mut self, close: u8, depth: u32) -> Result<B::Value, Trouble> {
        self.at += 1;
        let mut items = Vec::new();
        let mut commas = 0;
        loop {
            self.take_gap(depth + 1);
            if self.take(close) {
                // `('a')` is its content, `('a',)` is a tuple.
                if close == b')' && commas == 0 && items.len() == 1 {
                    return Ok(items.remove(0));
                }
                return Ok(B::list(items));
            }
            if commas < items.len() {
                let close = char::from(close);
                return self.trouble(format!("expected `,` or `{close}` behind the value"));
            }
            items.push(self.value::<B>(depth + 1)?);
            self.take_gap(depth + 1);
            commas += usize::from(self.take(b','));
        }
    }

    fn dict<B: Build>(&mut self, depth: u32) -> Result<B::Value, Trouble> {
        self.at += 1;
        let mut entries = Vec::new();
        let mut comma = true;
        loop {
            self.take_gap(depth + 1);
            if self.take(b'}') {
                return Ok(B::dict(entries));
            }
            if !comma {
                return self.trouble("expected `,` or `}` behind the value");
            }
            if matches!(self.peek(), Some(b'[' | b'{' | b'(')) {
                return self.trouble("the key of a dict must be a string, a number, True, False or None");
            }
            let key = self.value::<B>(depth + 1)?;
            self.take_gap(depth + 1);
            if !self.take(b':') {
                return self.trouble("expected `:` behind the key; a set has no JSON form");
            }
            self.take_gap(depth + 1);
            let value = self.value::<B>(depth + 1)?;
            entries.push((key, value));
            self.take_gap(depth + 1);
            comma = self.take(b',');
        }
    }

    fn word<B: Build>(&mut self) -> Result<B::Value, Trouble> {
        let start = self.at;
        let word = self.take_while(|byte| is_word(byte) || byte == b'.');
        let scalar = match word {
            b"None" | b"null" => Some(Scalar::Null),
            b"True" | b"true" => Some(Scalar::Bool(true)),
            b"False" | b"false" => Some(Scalar::Bool(false)),
            _ => None,
        };
        if let Some(scalar) = scalar {
            return Ok(B::scalar(scalar));
        }
        if let Some(value) = B::not_finite().filter(|_| is_not_finite(word)) {
            return Ok(value);
        }
        let (word, after) = (String::from_utf8_lossy(word), self.peek());
        let message = match after {
            Some(b'(') => format!("`{word}(…)` is a call, not a literal; write the value as a string"),
            Some(b'\'' | b'"') => format!("`{word}` before a string is not supported"),
            _ => format!("`{word}` is not a literal; put a string in quotes"),
        };
        // At the end of the bytes the word may go on.
        Err(Trouble { at: start, unfinished: after.is_none(), message })
    }

    fn number<B: Build>(&mut self) -> Result<B::Value, Trouble> {
        let start = self.at;
        // Everything that can stand in a number, so that a bad one is named whole.
        let (mut previous, mut is_hex) = (b'e', false);
        let rest = self.rest();
        let end = rest.iter().position(|byte| {
            is_hex |= matches!(byte, b'x' | b'X');
            let is_sign = matches!(byte, b'+' | b'-') && matches!(previous, b'e' | b'E') && !is_hex;
            previous = *byte;
            !(is_sign || *byte == b'.' || is_word(*byte))
        });
        let written = &rest[..end.unwrap_or(rest.len())];
        self.at += written.len();
        if let Some(scalar) = std::str::from_utf8(written).ok().and_then(parse_number) {
            return Ok(B::scalar(scalar));
        }
        if let Some(value) = B::not_finite().filter(|_| written.get(1..).is_some_and(is_not_finite)) {
            return Ok(value);
        }
        let message = format!("`{}` is not a number that can be read", String::from_utf8_lossy(written));
        Err(Trouble { at: start, unfinished: self.peek().is_none(), message })
    }

    /// Whether a string begins here.
    pub fn string_follows(&self) -> bool {
        self.string_start().is_some()
    }

    /// The prefix of the string that begins here and its opening quotes.
    fn string_start(&self) -> Option<Start> {
        let rest = self.rest();
        let quote_at = rest.iter().take(3).position(|byte| matches!(byte, b'\'' | b'"'))?;
        let (prefix, quotes) = rest.split_at(quote_at);
        let mut start =
            Start { prefix: prefix.len(), quote: quotes[0], triple: false, raw: false, bytes: false };
        for letter in prefix {
            match letter.to_ascii_lowercase() {
                b'u' if prefix.len() == 1 => {}
                b'r' if !start.raw => start.raw = true,
                b'b' if !start.bytes => start.bytes = true,
                _ => return None,
            }
        }
        start.triple = quotes.starts_with(&[start.quote; 3]);
        Some(start)
    }

    fn strings<B: Build>(&mut self, depth: u32) -> Result<B::Value, Trouble> {
        let mut text = B::Text::default();
        while let Some(start) = self.string_start() {
            self.at += start.prefix + if start.triple { 3 } else { 1 };
            self.string_content::<B>(&start, &mut text)?;
            self.take_gap(depth);
        }
        Ok(B::string(text))
    }

    /// Reads up to and over the closing quotes.
    fn string_content<B: Build>(&mut self, start: &Start, text: &mut B::Text) -> Result<(), Trouble> {
        let closing = [start.quote; 3];
        loop {
            let rest = self.rest();
            let found = if start.triple {
                memchr2(start.quote, b'\\', rest)
            } else {
                memchr3(start.quote, b'\\', b'\n', rest)
            };
            let Some(length) = found else {
                self.at = self.bytes.len();
                return self.trouble("the string is not closed");
            };
            B::push(text, &rest[..length]);
            self.at += length;
            match rest[length] {
                b'\\' if start.raw => {
                    // The escaped character stays, backslash included, and closes nothing.
                    let Some(pair) = rest.get(length..length + 2) else {
                        self.at = self.bytes.len();
                        return self.trouble("the string is not closed");
                    };
                    B::push(text, pair);
                    self.at += 2;
                }
                b'\\' => self.escape::<B>(start, text)?,
                b'\n' => return self.trouble("the line ends inside a string; write `\\n` or triple quotes"),
                _ if !start.triple => {
                    self.at += 1;
                    return Ok(());
                }
                _ if rest[length..].starts_with(&closing) => {
                    self.at += 3;
                    return Ok(());
                }
                _ => {
                    B::push(text, &[start.quote]);
                    self.at += 1;
                }
            }
        }
    }

    /// Reads the escape that begins here.
    fn escape<B: Build>(&mut self, start: &Start, text: &mut B::Text) -> Result<(), Trouble> {
        let escape = self.rest();
        let Some(letter) = escape.get(1).copied() else {
            self.at = self.bytes.len();
            return self.trouble("the string is not closed");
        };
        let plain: &[u8] = match letter {
            b'n' => b"\n",
            b't' => b"\t",
            b'r' => b"\r",
            b'a' => b"\x07",
            b'b' => b"\x08",
            b'f' => b"\x0c",
            b'v' => b"\x0b",
            b'\\' | b'\'' | b'"' | b'/' => &escape[1..2],
            b'\n' => b"",
            b'\r' if escape.get(2) == Some(&b'\n') => {
                self.at += 3;
                return Ok(());
            }
            b'x' => return self.hex_escape::<B>(2, start, text),
            b'u' if !start.bytes => return self.hex_escape::<B>(4, start, text),
            b'U' if !start.bytes => return self.hex_escape::<B>(8, start, text),
            b'0'..=b'7' => {
                let digits = escape[1..].iter().take(3).take_while(|byte| matches!(byte, b'0'..=b'7'));
                let (code, length) = digits
                    .fold((0, 1), |(code, length), digit| (code * 8 + u32::from(digit - b'0'), length + 1));
                self.at += length;
                return self.push_code::<B>(code, start, text);
            }
            b'N' if !start.bytes => {
                return self.trouble("`\\N{…}` names a character and is not supported; write it itself");
            }
            // Python keeps an escape that it does not know. The letter is pushed by the caller, because it
            // may be the first byte of a longer character.
            _ => {
                B::push(text, b"\\");
                self.at += 1;
                return Ok(());
            }
        };
        B::push(text, plain);
        self.at += 2;
        Ok(())
    }

    fn hex_escape<B: Build>(
        &mut self,
        digits: usize,
        start: &Start,
        text: &mut B::Text,
    ) -> Result<(), Trouble> {
        let Some(code) = hex_digits(self.rest(), digits) else {
            let shown = String::from_utf8_lossy(self.rest().get(..2).unwrap_or_default());
            let unfinished = self.rest().len() < digits + 2;
            let message = format!("`{shown}` needs {digits} hexadecimal digits behind it");
            return Err(Trouble { at: self.at, unfinished, message });
        };
        if !(0xD800..0xE000).contains(&code) || start.bytes {
            self.push_code::<B>(code, start, text)?;
            self.at += digits + 2;
            return Ok(());
        }
        // Half a surrogate pair: the other half must follow at once.
        let following = self.rest().get(digits + 2..).unwrap_or_default();
        let low = match following {
            [b'\\', b'u', ..] => hex_digits(following, 4),
            _ => None,
        };
        match low {
            Some(low @ 0xDC00..0xE000) if code < 0xDC00 => {
                let joined = 0x1_0000 + ((code - 0xD800) << 10) + (low - 0xDC00);
                self.push_code::<B>(joined, start, text)?;
                self.at += digits + 2 + 6;
                Ok(())
            }
            _ if B::half_pair(text) => {
                self.at += digits + 2;
                Ok(())
            }
            _ => {
                let message = format!("`\\u{code:04x}` is half a surrogate pair and stands for no character");
                Err(Trouble { at: self.at, unfinished: following.len() < 6, message })
            }
        }
    }

    /// Pushes a character, or in a bytes literal a byte.
    fn push_code<B: Build>(&mut self, code: u32, start: &Start, text: &mut B::Text) -> Result<(), Trouble> {
        if start.bytes {
            // Octal escapes beyond a byte wrap, as they do in Python.
            B::push(text, &[(code & 0xFF) as u8]);
            return Ok(());
        }
        match char::from_u32(code) {
            Some(character) => B::push(text, character.encode_utf8(&mut [0; 4]).as_bytes()),
            None => return self.trouble(format!("there is no character U+{code:04X}")),
        }
        Ok(())
    }
}

/// How a string begins.
#[derive(Debug, Clone, Copy)]
struct Start {
    /// Length of the prefix in bytes.
    prefix: usize,
    quote: u8,
    triple: bool,
    raw: bool,
    bytes: bool,
}

/// Whether a byte can stand in a name or a word; letters beyond ASCII can.
pub fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte >= 0x80
}

/// Whether a word is how Python or JSON libraries write a number that is not finite, without its sign.
fn is_not_finite(word: &[u8]) -> bool {
    matches!(word, b"nan" | b"NaN" | b"inf" | b"Infinity")
}

/// The number in the `digits` hexadecimal digits behind the two bytes of an escape.
fn hex_digits(escape: &[u8], digits: usize) -> Option<u32> {
    let digits = escape.get(2..2 + digits)?;
    if !digits.iter().all(u8::is_ascii_hexdigit) {
        return None;
    }
    std::str::from_utf8(digits).ok().and_then(|digits| u32::from_str_radix(digits, 16).ok())
}

/// A number as Python and JSON write it.
fn parse_number(written: &str) -> Option<Scalar> {
    let (negative, digits) = match written.as_bytes().first()? {
        b'-' => (true, written.get(1..)?),
        b'+' => (false, written.get(1..)?),
        _ => (false, written),
    };
    // Underscores group digits: one at a time, neither first nor last.
    let bytes = digits.as_bytes();
    if bytes.first() == Some(&b'_') || bytes.last() == Some(&b'_') || memmem::find(bytes, b"__").is_some() {
        return None;
    }
    let digits = digits.replace('_', "");
    let base = match digits.as_bytes() {
        [b'0', b'x' | b'X', ..] => 16,
        [b'0', b'o' | b'O', ..] => 8,
        [b'0', b'b' | b'B', ..] => 2,
        _ => 10,
    };
    if base != 10 {
        let value = i128::from_str_radix(digits.get(2..)?, base).ok()?;
        return Some(whole(if negative { -value } else { value }));
    }
    let leading_zero = digits.len() > 1 && digits.starts_with('0');
    if digits.bytes().all(|byte| byte.is_ascii_digit()) && !digits.is_empty() {
        if leading_zero && digits.bytes().any(|byte| byte != b'0') {
            return None;
        }
        let sign = if negative { "-" } else { "" };
        return Some(match format!("{sign}{digits}").parse() {
            Ok(value) => Scalar::Integer(value),
            Err(_) => Scalar::BigInteger(format!("{sign}{digits}")),
        });
    }
    // Rust reads `inf` and `nan`, too, which are names in Python.
    if !digits.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'.' | b'e' | b'E' | b'+' | b'-'))
        || !digits.starts_with(|first: char| first.is_ascii_digit() || first == '.')
    {
        return None;
    }
    let value: f64 = digits.parse().ok().filter(|value: &f64| value.is_finite())?;
    Some(Scalar::Float(if negative { -value } else { value }))
}

fn whole(value: i128) -> Scalar {
    match i64::try_from(value) {
        Ok(value) => Scalar::Integer(value),
        Err(_) => Scalar::BigInteger(value.to_string()),
    }
}
