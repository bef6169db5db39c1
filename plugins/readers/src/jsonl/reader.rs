//! One JSON object as a document, for every reader of JSON.

use std::borrow::Cow;

use tamis_plugin::{Emit, SetupError};
use tamis_text::encoding::Encoding;

use super::object::{read_any_object, read_object};
use super::repair::repaired;
use crate::InvalidValues;
use crate::encoded;
use crate::mapping::{Mapping, Place};
use crate::row::{Fault, Row};

/// Appends the wanted members of an object to a row.
type Parse = for<'a> fn(&'a str, &dyn Fn(&str) -> bool, &mut Row<'a>) -> Result<(), Fault>;

/// Reads objects: what their members mean, and what becomes of values that are no JSON.
#[derive(Debug)]
pub(crate) struct ObjectReader {
    pub(crate) mapping: Mapping,
    invalid_values: InvalidValues,
    /// The encoding of all objects, if the user has chosen one.
    chosen: Option<Encoding>,
    /// That of objects that are not UTF-8.
    fallback: Option<Encoding>,
}

impl ObjectReader {
    /// A reader of objects in UTF-8, or in the encodings of these labels, which stand apart from each other by signs of
    /// ASCII.
    ///
    /// # Errors
    ///
    /// When a label stands for no encoding, or for one in which such signs are something else.
    pub(crate) fn new(
        mapping: Mapping,
        invalid_values: InvalidValues,
        encoding: &str,
        fallback_encoding: &str,
    ) -> Result<Self, SetupError> {
        let (chosen, fallback) = encoded::chosen(encoding, fallback_encoding)?;
        for (option, encoding) in [("encoding", chosen), ("fallback_encoding", fallback)] {
            if let Some(encoding) = encoding.filter(|encoding| !encoding.is_ascii_compatible()) {
                let message =
                    format_args!("{} must be converted first, for example with `iconv`", encoding.name());
                return Err(SetupError::in_option(option, message));
            }
        }
        Ok(Self { mapping, invalid_values, chosen, fallback })
    }

    /// Whether a backslash behind these bytes, which begin where a character does, is the second half of their last
    /// character.
    pub(crate) fn ends_in_backslash(&self, bytes: &[u8]) -> bool {
        // All first halves are higher bytes.
        if bytes.last().is_none_or(u8::is_ascii) {
            return false;
        }
        let Some(encoding) = self.other().filter(|encoding| !encoding.is_single_byte()) else { return false };
        if self.takes_utf8() && simdutf8::basic::from_utf8(bytes).is_ok() {
            return false;
        }
        let bytes = [bytes, b"\\"].concat();
        !encoding.decode(&bytes).0.ends_with('\\')
    }

    /// Whether bytes may be UTF-8.
    pub(super) fn takes_utf8(&self) -> bool {
        self.chosen.is_none_or(|encoding| encoding == Encoding::UTF_8)
    }

    /// The encoding of what is not UTF-8.
    fn other(&self) -> Option<Encoding> {
        self.chosen.filter(|encoding| *encoding != Encoding::UTF_8).or(self.fallback)
    }

    /// Emits the document in an object; `row` is what was used for the one before.
    ///
    /// # Errors
    ///
    /// What is wrong with the object, and where, in bytes of [`Self::text`].
    pub(crate) fn read<'a>(
        &self,
        object: &'a [u8],
        place: Place,
        row: &mut Row<'a>,
        emit: &mut dyn Emit,
    ) -> Result<(), Fault> {
        self.read_by(read_object, object, place, row, emit)
    }

    /// The same where the quick way was tried in vain.
    pub(super) fn read_unusual<'a>(
        &self,
        object: &'a [u8],
        place: Place,
        row: &mut Row<'a>,
        emit: &mut dyn Emit,
    ) -> Result<(), Fault> {
        self.read_by(read_any_object, object, place, row, emit)
    }

    /// The text of an object.
    ///
    /// # Errors
    ///
    /// When its bytes stand for nothing.
    pub(crate) fn text<'a>(&self, object: &'a [u8]) -> Result<Cow<'a, str>, Fault> {
        if self.takes_utf8()
            && let Ok(text) = simdutf8::basic::from_utf8(object)
        {
            return Ok(Cow::Borrowed(text));
        }
        let Some(encoding) = self.other() else { return Err(not_utf8(object)) };
        let (text, n_undecodable) = encoding.decode(object);
        if n_undecodable > 0 {
            let message = format!("it holds bytes that stand for nothing in {}", encoding.name());
            return Err(Fault::new(0, message));
        }
        Ok(text)
    }

    fn read_by<'a>(
        &self,
        parse: Parse,
        object: &'a [u8],
        place: Place,
        row: &mut Row<'a>,
        emit: &mut dyn Emit,
    ) -> Result<(), Fault> {
        match self.text(object)? {
            Cow::Borrowed(text) => {
                row.clear();
                self.read_text(parse, text, place, row, emit)
            }
            Cow::Owned(text) => self.read_text(parse, &text, place, &mut Row::default(), emit),
        }
    }

    fn read_text<'a>(
        &self,
        parse: Parse,
        text: &'a str,
        place: Place,
        row: &mut Row<'a>,
        emit: &mut dyn Emit,
    ) -> Result<(), Fault> {
        let wants = |name: &str| self.mapping.wants(name);
        let Err(fault) = parse(text, &wants, row) else { return self.mapping.emit(row, place, emit) };
        // Few need a repair: they are looked through only when they cannot be read as they are.
        let repaired = match self.invalid_values {
            InvalidValues::Fail => None,
            InvalidValues::Repair => repaired(text),
        };
        let Some((text, repairs)) = repaired else { return Err(fault) };
        let mut row = Row::default();
        // Places in the repaired object are not those in the file.
        read_object(&text, &wants, &mut row).map_err(|_| fault)?;
        self.mapping.emit(&row, place, emit)?;
        repairs.count(emit);
        Ok(())
    }
}

/// What is wrong with an object that is not UTF-8 where no other encoding is named.
fn not_utf8(object: &[u8]) -> Fault {
    let at = std::str::from_utf8(object).map_or_else(|error| error.valid_up_to(), str::len);
    let byte = object.get(at).copied().unwrap_or_default();
    let before = std::str::from_utf8(object.get(..at).unwrap_or_default()).unwrap_or_default();
    // Letters of three bytes, Chinese ones among them, are no chance.
    if before.chars().any(|c| c.len_utf8() > 2) {
        let message =
            format!("byte 0x{byte:02X} is not UTF-8, and what stands before it is: the text was damaged");
        return Fault::new(at, message);
    }
    let likely = encoded::likely(object);
    let way_out = format!("name the encoding of the file, as `encoding = \"{likely}\"`");
    Fault::new(at, format!("byte 0x{byte:02X} is not UTF-8; {way_out}"))
}
