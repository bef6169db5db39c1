//! Bytes of unknown origin as text: which encoding they are in, and what they say.
//!
//! [`decode`] asks, in this order: the byte order mark; the encoding that the user has chosen; what was
//! declared outside (the `charset` of an HTTP header); what the page declares itself (`<meta>`, XML
//! declaration); whether the bytes are UTF-8; and at last [`chardetng`], on the beginning.
//!
//! Pages lie, so a declaration is believed only as far as the bytes bear it out; [`Decoded::source`] says what
//! decided. The rules, and why:
//!
//! - **A declared encoding, but the bytes are valid UTF-8.** Text in a single-byte encoding is UTF-8 by
//!   accident only if each accented letter is followed by the right kind of symbol, which no word has: UTF-8
//!   wins. Two bytes of a Chinese, Japanese or Korean encoding may look like UTF-8 (`一些` in GBK does), a few
//!   in a row hardly: UTF-8 wins if the declared encoding cannot decode the bytes, or if there are at least
//!   [`MIN_SEQUENCES`] sequences.
//! - **UTF-8 with damage** stays UTF-8: at most a fifth of the bytes beyond ASCII are wrong. In GBK read as
//!   UTF-8 four in five are, in Latin-1 nearly all.
//! - **A declared encoding that fails** for more than a fifth of the bytes beyond ASCII is not the encoding, if
//!   the guess decodes more of them.
//! - **Nothing is declared, and a character is damaged.** The detector rules out most encodings in which a byte is
//!   wrong, and Latin-1 knows no wrong bytes; so what it takes for an encoding of single bytes, or for one in which
//!   bytes are wrong, is looked at again piece by piece.
//!
//! - **A guess whose text is none.** Every byte is a character of an encoding of single bytes, so the detector, which
//!   knows those of the web, takes other ones for them. What reads like no language is tried in the encodings of DOS and
//!   of old Macs; if none makes it better, [`Decoded::is_plausible`] says so, and whoever reads it can refuse it.
//!
//! Names and labels are those of the WHATWG Encoding Standard: `gb2312` and `gbk` are both `GBK`, `latin1` is
//! `windows-1252`, `big5` includes the Hong Kong characters.

mod declared;
mod other;
mod plausible;
mod short;
#[cfg(test)]
mod tests;

use std::borrow::Cow;

use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use encoding_rs::{DecoderResult, ISO_2022_JP, REPLACEMENT, UTF_8, UTF_16BE, UTF_16LE};
use memchr::memchr_iter;

pub use self::declared::{charset_in, declared_in_markup};
use self::other::Other;
pub use self::short::short_chinese;

/// An encoding of the WHATWG Encoding Standard, or one that was in use before and beside it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Encoding(Scheme);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Scheme {
    /// What browsers decode.
    Web(&'static encoding_rs::Encoding),
    /// What they do not.
    Other(Other),
}

impl Encoding {
    /// UTF-8.
    pub const UTF_8: Self = Self::web(UTF_8);

    /// The encoding that a label such as `gb2312` or `Latin1` stands for; blanks around it and case do not
    /// matter.
    ///
    /// Beside those of the standard these are known: UTF-32, ISO-2022-KR, HZ, and the code pages 437, 850, 852 and 855
    /// of DOS.
    pub fn for_label(label: &str) -> Option<Self> {
        match encoding_rs::Encoding::for_label_no_replacement(label.as_bytes()) {
            Some(found) => Some(Self::web(found)),
            None => Other::for_label(label).map(|other| Self(Scheme::Other(other))),
        }
    }

    const fn web(encoding: &'static encoding_rs::Encoding) -> Self {
        Self(Scheme::Web(encoding))
    }

    /// The name in the standard: `UTF-8`, `GBK`, `gb18030`, `Big5`, `windows-1252`.
    pub fn name(self) -> &'static str {
        match self.0 {
            Scheme::Web(encoding) => encoding.name(),
            Scheme::Other(other) => other.name(),
        }
    }

    /// Whether every byte below 0x80 always is the ASCII character, or part of one that begins with a higher
    /// byte: not so for UTF-16 and ISO-2022-JP.
    pub fn is_ascii_compatible(self) -> bool {
        match self.0 {
            Scheme::Web(encoding) => encoding.is_ascii_compatible(),
            Scheme::Other(other) => other.is_single_byte(),
        }
    }

    /// Whether a character is one byte.
    pub fn is_single_byte(self) -> bool {
        match self.0 {
            Scheme::Web(encoding) => encoding.is_single_byte(),
            Scheme::Other(other) => other.is_single_byte(),
        }
    }

    /// Decodes all of `bytes` in this encoding, whatever they look like; a byte order mark is a character.
    ///
    /// Borrows if the bytes are UTF-8 and are to be. The number is that of the bytes that stand for nothing:
    /// each run of them has become U+FFFD.
    pub fn decode(self, bytes: &[u8]) -> (Cow<'_, str>, u64) {
        let encoding = match self.0 {
            Scheme::Web(encoding) => encoding,
            Scheme::Other(other) => {
                let (text, n_undecodable) = other.decode(bytes);
                return (Cow::Owned(text), n_undecodable);
            }
        };
        if encoding == UTF_8 {
            return match simdutf8::basic::from_utf8(bytes) {
                Ok(text) => (Cow::Borrowed(text), 0),
                Err(_) => damaged_utf8(bytes),
            };
        }
        let mut decoder = encoding.new_decoder_without_bom_handling();
        // Two bytes of a Chinese character become three, so the buffer rarely grows.
        let mut text = String::with_capacity(bytes.len() + bytes.len() / 2 + 16);
        let mut n_undecodable = 0;
        let mut rest = bytes;
        loop {
            let (result, read) = decoder.decode_to_string_without_replacement(rest, &mut text, true);
            rest = rest.get(read..).unwrap_or_default();
            match result {
                DecoderResult::InputEmpty => return (Cow::Owned(text), n_undecodable),
                DecoderResult::OutputFull => text.reserve(rest.len() + rest.len() / 2 + 16),
                DecoderResult::Malformed(length, _) => {
                    n_undecodable += u64::from(length);
                    text.push(char::REPLACEMENT_CHARACTER);
                }
            }
        }
    }
}

/// What is known about bytes before they are looked at.
#[derive(Debug, Clone, Copy, Default)]
pub struct Hints<'a> {
    /// The encoding that the user has chosen; only a byte order mark outranks it.
    pub chosen: Option<Encoding>,
    /// The encoding that the user names for bytes that say nothing of theirs and are not UTF-8, in place of a guess.
    pub fallback: Option<Encoding>,
    /// The label that was declared outside, such as the `charset` of an HTTP header; unknown ones do not
    /// count.
    pub label: Option<&'a str>,
    /// Whether the bytes are HTML or XML, which may declare its own encoding.
    pub markup: bool,
    /// The last label of the host that the bytes come from, such as `cn`: a guess may lean on it.
    pub top_level_domain: Option<&'a str>,
}

/// What decided which encoding bytes are in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// The byte order mark.
    ByteOrderMark,
    /// The user.
    Chosen,
    /// The label from outside.
    Label,
    /// The page itself.
    Markup,
    /// The bytes are UTF-8, but for damage.
    Utf8,
    /// A guess from what the bytes look like.
    Guess,
}

/// Bytes as text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decoded<'a> {
    /// The text, without the byte order mark; borrowed if the bytes are UTF-8.
    pub text: Cow<'a, str>,
    /// The encoding.
    pub encoding: Encoding,
    /// What decided.
    pub source: Source,
    /// Bytes that stand for nothing in this encoding; each run of them is one U+FFFD in the text.
    pub n_undecodable: u64,
    /// Whether the text looks like one. It may not where the encoding was guessed and is one that is not known here:
    /// EUC-TW and Johab have the bytes of other encodings.
    pub is_plausible: bool,
}

/// So many sequences of UTF-8 beyond ASCII are no accident in a Chinese, Japanese or Korean encoding: fewer than
/// one in five characters looks like one.
pub const MIN_SEQUENCES: usize = 6;

/// An encoding in which more of the bytes beyond ASCII are wrong is not theirs: one in this many.
const MAX_WRONG: u64 = 5;

/// Bytes that a guess looks at: enough for any script, and the guess is slow.
const GUESS_BYTES: usize = 64 * 1024;

/// Pieces that are looked at apart where the whole does not seem to be in an encoding of several bytes a character.
const N_PIECES: usize = 12;

/// Finds out the encoding of `bytes` and decodes them; see the module for the order and the rules.
///
/// Any bytes have a text. UTF-8 takes one fast pass and is not copied.
pub fn decode<'a>(bytes: &'a [u8], hints: &Hints<'_>) -> Decoded<'a> {
    if let Some((encoding, length)) = marked(bytes) {
        return decode_as(encoding, Source::ByteOrderMark, bytes.get(length..).unwrap_or_default());
    }
    if let Some(encoding) = hints.chosen {
        return decode_as(encoding, Source::Chosen, bytes);
    }
    let declared = declared(bytes, hints);
    let Ok(text) = simdutf8::basic::from_utf8(bytes) else { return not_utf8(bytes, declared, hints) };
    let decoded = || Decoded {
        text: Cow::Borrowed(text),
        encoding: Encoding::UTF_8,
        source: Source::Utf8,
        n_undecodable: 0,
        is_plausible: true,
    };
    match declared {
        Some((encoding, source)) if encoding == Encoding::UTF_8 => Decoded { source, ..decoded() },
        Some((encoding, source)) => valid_utf8(text, encoding, source).unwrap_or_else(decoded),
        None => iso_2022_jp(bytes)
            .or_else(|| iso_2022_kr(bytes))
            .or_else(|| hz(bytes))
            .or_else(|| decode_wide(bytes))
            .unwrap_or_else(decoded),
    }
}

/// The encoding that a byte order mark names, and the length of the mark.
fn marked(bytes: &[u8]) -> Option<(Encoding, usize)> {
    // That of UTF-32 begins as that of UTF-16 does.
    let utf_32 = [(Other::Utf32Le, b"\xFF\xFE\0\0"), (Other::Utf32Be, b"\0\0\xFE\xFF")];
    match utf_32.into_iter().find(|(_, mark)| bytes.starts_with(*mark)) {
        Some((encoding, mark)) => Some((Encoding(Scheme::Other(encoding)), mark.len())),
        None => encoding_rs::Encoding::for_bom(bytes).map(|(found, length)| (Encoding::web(found), length)),
    }
}

/// Whether the beginning of a file is text in UTF-16 or UTF-32, with a mark or without: bytes that are zero are part
/// of its characters.
pub fn is_wide(head: &[u8]) -> bool {
    match marked(head) {
        Some((encoding, _)) => encoding != Encoding::UTF_8,
        None => wide_without_mark(head).is_some(),
    }
}

/// The last label of the host of a URL, if it can say something about the language.
pub fn top_level_domain(url: &str) -> Option<&str> {
    let (_, rest) = url.split_once("://")?;
    let host = rest.split(['/', '?', '#']).next()?;
    let host = host.rsplit('@').next()?.split(':').next()?.trim_end_matches('.');
    let (_, last) = host.rsplit_once('.')?;
    (!last.is_empty() && last.bytes().all(|byte| byte.is_ascii_alphabetic() || byte == b'-')).then_some(last)
}

fn decode_as(encoding: Encoding, source: Source, bytes: &[u8]) -> Decoded<'_> {
    let (text, n_undecodable) = encoding.decode(bytes);
    Decoded { text, encoding, source, n_undecodable, is_plausible: true }
}

/// The encoding that somebody declared.
fn declared(bytes: &[u8], hints: &Hints<'_>) -> Option<(Encoding, Source)> {
    if let Some(encoding) = hints.label.and_then(Encoding::for_label) {
        return Some((encoding, Source::Label));
    }
    let encoding = if hints.markup { declared_in_markup(bytes) } else { None };
    encoding.map(|encoding| (encoding, Source::Markup))
}

/// Decodes bytes that are UTF-8 as the encoding that was declared, unless UTF-8 is likelier.
fn valid_utf8(text: &str, encoding: Encoding, source: Source) -> Option<Decoded<'_>> {
    let bytes = text.as_bytes();
    if !encoding.is_ascii_compatible() {
        let is_plain = memchr::memchr2(0x1B, 0, bytes).is_none();
        return if is_plain { None } else { Some(decode_as(encoding, source, bytes)) };
    }
    let starts = bytes.iter().filter(|byte| **byte >= 0xC0);
    if encoding.is_single_byte() || starts.take(MIN_SEQUENCES).count() == MIN_SEQUENCES || text.is_ascii() {
        return None;
    }
    let decoded = decode_as(encoding, source, bytes);
    (decoded.n_undecodable == 0).then_some(decoded)
}

/// Text in ISO-2022-JP is ASCII with escapes.
fn iso_2022_jp(bytes: &[u8]) -> Option<Decoded<'_>> {
    let is_escape = |at: usize| {
        let rest = bytes.get(at + 1..).unwrap_or_default();
        rest.starts_with(b"$B") || rest.starts_with(b"$@")
    };
    memchr_iter(0x1B, bytes)
        .any(is_escape)
        .then(|| decode_as(Encoding::web(ISO_2022_JP), Source::Guess, bytes))
}

/// ISO-2022-KR is ASCII with an escape at its beginning, and with shifts.
fn iso_2022_kr(bytes: &[u8]) -> Option<Decoded<'_>> {
    let head = bytes.get(..GUESS_BYTES).unwrap_or(bytes);
    let is_announced = memchr::memmem::find(head, b"\x1B$)C").is_some() && head.contains(&0x0E);
    is_announced.then(|| decode_as(Encoding(Scheme::Other(Other::Iso2022Kr)), Source::Guess, bytes))
}

/// HZ is ASCII with `~{` and `~}` around Chinese, of which nothing else has several in a row.
fn hz(bytes: &[u8]) -> Option<Decoded<'_>> {
    const MIN_RUNS: usize = 3;
    let head = bytes.get(..GUESS_BYTES).unwrap_or(bytes);
    let is_chinese = |at: usize| {
        let run = head.get(at + 2..).unwrap_or_default();
        let run = run.get(..memchr::memmem::find(run, b"~}")?)?;
        let is_coded = run.len() % 2 == 0 && run.iter().all(|byte| (0x21..=0x7E).contains(byte));
        Some(is_coded && !run.is_empty())
    };
    // A run may be cut off where the head ends.
    let runs = memchr::memmem::find_iter(head, b"~{").filter_map(is_chinese);
    let (n_good, n_bad) =
        runs.fold((0, 0), |(good, bad), is| if is { (good + 1, bad) } else { (good, bad + 1) });
    let is_hz = n_good >= MIN_RUNS && n_bad == 0;
    is_hz.then(|| decode_as(Encoding(Scheme::Other(Other::Hz)), Source::Guess, bytes))
}

/// Text in UTF-16 or UTF-32 without a mark.
fn decode_wide(bytes: &[u8]) -> Option<Decoded<'_>> {
    let decoded = decode_as(wide_without_mark(bytes)?, Source::Guess, bytes);
    (decoded.n_undecodable == 0).then_some(decoded)
}

/// UTF-16 or UTF-32 as the beginning of a file shows it.
///
/// There is a zero somewhere in all but the shortest files: in each blank, line end or digit. Read in the right order
/// nearly all characters are those that people write; in the wrong one few are, for a Chinese character becomes one of
/// any script, and a blank one of none. Latin letters become Chinese characters, so they are told by their zeros.
fn wide_without_mark(bytes: &[u8]) -> Option<Encoding> {
    /// How many bytes are looked at.
    const LOOKED_AT: usize = 4096;
    /// How many characters there must be where zeros alone do not tell.
    const LEAST: usize = 12;
    let head = bytes.get(..LOOKED_AT).unwrap_or(bytes);
    if head.len() < 4 || memchr::memchr(0, head).is_none() {
        return None;
    }
    let utf_32 = [Other::Utf32Le, Other::Utf32Be].map(|other| Encoding(Scheme::Other(other)));
    let utf_16 = [UTF_16LE, UTF_16BE].map(Encoding::web);
    let zeros = |first: usize| head.iter().skip(first).step_by(2).filter(|byte| **byte == 0).count();
    match (zeros(0), zeros(1)) {
        (0, n) if n * 4 >= head.len() => return Some(Encoding::web(UTF_16LE)),
        (n, 0) if n * 4 >= head.len() => return Some(Encoding::web(UTF_16BE)),
        _ => {}
    }
    for (unit, pair) in [(4, utf_32), (2, utf_16)] {
        // The head may end inside a pair of surrogates. A few characters prove nothing: any two bytes may be a Chinese one.
        let whole = head.get(..head.len() / unit * unit).filter(|whole| whole.len() >= LEAST * unit)?;
        let [little, big] = pair.map(|encoding| {
            let text = encoding.decode(whole).0;
            let is_text = |c: char| !c.is_control() || matches!(c, '\t' | '\n' | '\r' | '\x0C');
            if text.chars().all(is_text) { plausible::share_of_usual(&text) } else { 0.0 }
        });
        // One wrong character in twenty: emoji and signs are not counted among the usual ones.
        if little.max(big) >= 0.95 && little.min(big) < 0.9 {
            return Some(if little > big { pair[0] } else { pair[1] });
        }
    }
    None
}

/// Decodes bytes that are not UTF-8 as they stand.
fn not_utf8<'a>(bytes: &'a [u8], declared: Option<(Encoding, Source)>, hints: &Hints<'_>) -> Decoded<'a> {
    let n_high = bytes.iter().filter(|byte| **byte >= 0x80).count() as u64;
    let is_borne_out = |decoded: &Decoded<'_>| decoded.n_undecodable.saturating_mul(MAX_WRONG) <= n_high;
    let as_declared = declared.map(|(encoding, source)| decode_as(encoding, source, bytes));
    let as_declared = match as_declared {
        Some(decoded) if is_borne_out(&decoded) => return decoded,
        other => other,
    };
    let as_utf8 = decode_as(Encoding::UTF_8, Source::Utf8, bytes);
    let is_cut_off = as_utf8.n_undecodable <= 3 && ends_inside_character(bytes);
    if is_borne_out(&as_utf8) || is_cut_off {
        return as_utf8;
    }
    if let Some(decoded) = decode_wide(bytes) {
        return decoded;
    }
    let guessed = match hints.fallback {
        Some(encoding) => decode_as(encoding, Source::Chosen, bytes),
        None => decode_as(guess(bytes, hints.top_level_domain), Source::Guess, bytes),
    };
    match as_declared {
        Some(declared) if declared.n_undecodable <= guessed.n_undecodable => declared,
        _ if guessed.source == Source::Chosen => guessed,
        _ => plausible::checked(guessed, bytes),
    }
}

fn ends_inside_character(bytes: &[u8]) -> bool {
    std::str::from_utf8(bytes).is_err_and(|error| error.error_len().is_none() && error.valid_up_to() > 0)
}

fn guess(bytes: &[u8], top_level_domain: Option<&str>) -> Encoding {
    let head = bytes.get(..GUESS_BYTES).unwrap_or(bytes);
    let domain = top_level_domain.map(str::to_ascii_lowercase);
    // The detector panics on anything else.
    let domain = domain.filter(|domain| {
        domain.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
    });
    let domain = domain.as_deref().map(str::as_bytes);
    let guessed = detect(head, domain);
    let is_doubtful = guessed.is_single_byte() || guessed.decode(head).1 > 0;
    if is_doubtful { detect_in_pieces(head, domain).unwrap_or(guessed) } else { guessed }
}

fn detect(bytes: &[u8], domain: Option<&[u8]>) -> Encoding {
    let mut detector = EncodingDetector::new(Iso2022JpDetection::Allow);
    // Told that this is the end, the detector rules out every encoding in which the last character is not whole;
    // but crawlers cut pages off anywhere.
    detector.feed(bytes, false);
    let guessed = detector.guess(domain, Utf8Detection::Deny);
    if guessed == REPLACEMENT { Encoding::UTF_8 } else { Encoding::web(guessed) }
}

/// The encoding with characters of several bytes that most of the bytes beyond ASCII seem to be in, piece by
/// piece.
///
/// One wrong byte rules such an encoding out for the detector, so a Chinese page with one damaged character is
/// taken for Latin-1. Damage is rare: most pieces have none.
fn detect_in_pieces(bytes: &[u8], domain: Option<&[u8]>) -> Option<Encoding> {
    let mut votes: Vec<(Encoding, usize)> = Vec::new();
    let mut rest = bytes;
    while !rest.is_empty() {
        // White space and `<` are no part of a character in any of these encodings.
        let behind = rest.get(bytes.len().div_ceil(N_PIECES)..).unwrap_or_default();
        let end = behind.iter().position(|byte| matches!(byte, b'\n' | b' ' | b'<'));
        let (piece, next) = rest.split_at(end.map_or(rest.len(), |end| rest.len() - behind.len() + end));
        let n_high = piece.iter().filter(|byte| **byte >= 0x80).count();
        let encoding = detect(piece, domain);
        match votes.iter_mut().find(|(known, _)| *known == encoding) {
            Some((_, n)) => *n += n_high,
            None => votes.push((encoding, n_high)),
        }
        rest = next;
    }
    let n_high: usize = votes.iter().map(|(_, n)| n).sum();
    let (encoding, n) = votes.into_iter().max_by_key(|(_, n)| *n)?;
    (!encoding.is_single_byte() && n * 2 > n_high).then_some(encoding)
}

fn damaged_utf8(bytes: &[u8]) -> (Cow<'_, str>, u64) {
    let mut text = String::with_capacity(bytes.len() + 16);
    let mut n_undecodable = 0;
    for chunk in bytes.utf8_chunks() {
        text.push_str(chunk.valid());
        if !chunk.invalid().is_empty() {
            n_undecodable += chunk.invalid().len() as u64;
            text.push(char::REPLACEMENT_CHARACTER);
        }
    }
    (Cow::Owned(text), n_undecodable)
}
