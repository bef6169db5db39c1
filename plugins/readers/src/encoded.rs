//! Bytes to text, for the readers that take any encoding: the options they share, and what they say of it.

use tamis_plugin::{Failure, SetupError, ValueRef};
use tamis_text::encoding::{self, Decoded, Encoding, Hints, Source};

/// The value of the option `encoding` that asks for detection.
pub(crate) const AUTO: &str = "auto";

/// Bytes that stand for nothing make a record a dead letter if they are more than this part of all of its bytes.
pub(crate) const DEFAULT_MAX_UNDECODABLE_RATIO: f64 = 0.1;

/// How bytes become text.
#[derive(Debug)]
pub(crate) struct Decoder {
    chosen: Option<Encoding>,
    fallback: Option<Encoding>,
    max_undecodable_ratio: f64,
}

/// What is known of some bytes beside the options.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Known<'a> {
    /// The encoding that was declared outside.
    pub(crate) label: Option<&'a str>,
    /// Whether they are HTML or XML.
    pub(crate) markup: bool,
    /// Where they come from.
    pub(crate) url: Option<&'a str>,
}

impl Decoder {
    /// Checks the options.
    ///
    /// # Errors
    ///
    /// When a label stands for no encoding.
    pub(crate) fn new(label: &str, fallback: &str, max_undecodable_ratio: f64) -> Result<Self, SetupError> {
        let (chosen, fallback) = chosen(label, fallback)?;
        Ok(Self { chosen, fallback, max_undecodable_ratio })
    }

    /// Decodes bytes.
    ///
    /// # Errors
    ///
    /// When too many of them stand for nothing, or they are not text at all.
    pub(crate) fn decode<'a>(&self, bytes: &'a [u8], known: Known<'_>) -> Result<Decoded<'a>, Failure> {
        let hints = Hints {
            chosen: self.chosen,
            fallback: self.fallback,
            label: known.label,
            markup: known.markup,
            top_level_domain: known.url.and_then(encoding::top_level_domain),
        };
        let decoded = encoding::decode(bytes, &hints);
        let name = decoded.encoding.name();
        // Latin-1 decodes any file; what is guessed to be in it must at least look like text.
        if decoded.source == Source::Guess && decoded.text.contains('\0') {
            let at = bytes.iter().position(|byte| *byte == 0).unwrap_or_default();
            return Err(Failure::new(format_args!(
                "byte {at} is zero, and the bytes are in no encoding that has such: this is no text"
            )));
        }
        if !decoded.is_plausible {
            return Err(Failure::new(format_args!(
                "the bytes are in no encoding that is known here: `{name}` comes nearest and gives no text: name the \
                 encoding with `encoding = \"…\"`, or convert the file to UTF-8"
            )));
        }
        if decoded.n_undecodable as f64 > bytes.len() as f64 * self.max_undecodable_ratio {
            return Err(Failure::new(format_args!(
                "{} of {} bytes stand for nothing in {name}, more than `max_undecodable_ratio` = {} allows: \
                 name the encoding with `encoding = \"…\"`, or allow more",
                decoded.n_undecodable,
                bytes.len(),
                self.max_undecodable_ratio,
            )));
        }
        Ok(decoded)
    }
}

/// Appends what a reader says of the encoding: its name unless it is UTF-8, and how many bytes were lost.
pub(crate) fn push_metadata(decoded: &Decoded<'_>, metadata: &mut Vec<(&str, ValueRef<'_>)>) {
    if decoded.encoding != Encoding::UTF_8 {
        metadata.push(("encoding", ValueRef::String(decoded.encoding.name())));
    }
    if decoded.n_undecodable > 0 {
        metadata.push(("undecodable_bytes", ValueRef::Integer(decoded.n_undecodable as i64)));
    }
}

/// The encodings that the user has chosen for all files, and for those that say nothing of theirs, where they are not to
/// be found.
///
/// # Errors
///
/// When a label stands for no encoding, or the second could not count.
pub(crate) fn chosen(
    label: &str,
    fallback: &str,
) -> Result<(Option<Encoding>, Option<Encoding>), SetupError> {
    let chosen = (of_label("encoding", label)?, of_label("fallback_encoding", fallback)?);
    match chosen {
        (Some(_), Some(_)) => {
            let message = "`encoding` is that of all files, so no other one is asked for: remove one of them";
            Err(SetupError::in_option("fallback_encoding", message))
        }
        chosen => Ok(chosen),
    }
}

/// A label of what bytes that are not UTF-8 look most like: too few to believe it, but a better example than any other.
pub(crate) fn likely(bytes: &[u8]) -> String {
    let likely = encoding::decode(bytes, &Hints::default()).encoding;
    let likely = if likely == Encoding::UTF_8 { "gb18030" } else { likely.name() };
    likely.to_ascii_lowercase()
}

fn of_label(option: &'static str, label: &str) -> Result<Option<Encoding>, SetupError> {
    if label == AUTO {
        return Ok(None);
    }
    Encoding::for_label(label).map(Some).ok_or_else(|| {
        let lower = label.trim().to_ascii_lowercase();
        let distance = |known: &&str| strsim::damerau_levenshtein(&lower, known);
        // Told from lengths first: what is compared costs the product of both.
        let is_near = |known: &&str| known.len().abs_diff(lower.len()) <= 3 && distance(known) <= 3;
        let nearest = LABELS.into_iter().filter(is_near).min_by_key(distance);
        let advice = match nearest {
            Some(known) => format!("did you mean `{known}`?"),
            None => {
                "it takes `auto` or a label of the WHATWG Encoding Standard, such as `gb18030`".to_owned()
            }
        };
        SetupError::in_option(option, format_args!("unknown encoding `{label}`: {advice}"))
    })
}

/// Labels to suggest; others are understood as well.
const LABELS: [&str; 41] = [
    "auto",
    "utf-8",
    "utf-16le",
    "utf-16be",
    "gb18030",
    "gbk",
    "gb2312",
    "big5",
    "big5-hkscs",
    "shift_jis",
    "euc-jp",
    "iso-2022-jp",
    "euc-kr",
    "koi8-r",
    "koi8-u",
    "latin1",
    "iso-8859-1",
    "iso-8859-2",
    "iso-8859-5",
    "iso-8859-15",
    "windows-874",
    "windows-1250",
    "windows-1251",
    "windows-1252",
    "windows-1253",
    "windows-1254",
    "windows-1255",
    "windows-1256",
    "windows-1257",
    "windows-1258",
    "macintosh",
    "x-mac-cyrillic",
    "ibm866",
    "ibm437",
    "ibm850",
    "ibm852",
    "ibm855",
    "utf-32le",
    "utf-32be",
    "iso-2022-kr",
    "hz-gb-2312",
];
