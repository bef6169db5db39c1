//! A record as a structured reader found it, before the field mapping gives its fields a meaning.

use std::ops::Range;

use tamis_plugin::{Block, ValueRef};

/// The fields of one record, in the order in which they stand.
///
/// Strings are borrowed from the input where they stand there as they are, and otherwise decoded into one
/// buffer; both are used again for the next record, so that reading a plain record allocates nothing here.
#[derive(Debug, Default)]
pub(crate) struct Row<'a> {
    pub(crate) fields: Vec<Field<'a>>,
    pub(crate) scratch: String,
}

/// One field of a [`Row`].
#[derive(Debug, Clone)]
pub(crate) struct Field<'a> {
    pub(crate) name: Str<'a>,
    pub(crate) value: Slot<'a>,
    /// Where the value begins, in bytes from the start of the record.
    pub(crate) at: usize,
    /// Of a string, what it is in [`tamis_text::json::STRING_LAYOUT`], if it stands like that in the record.
    pub(crate) encoded: Option<&'a [u8]>,
}

/// A string of a [`Row`].
#[derive(Debug, Clone)]
pub(crate) enum Str<'a> {
    /// It stands in the input as it is.
    Input(&'a str),
    /// It was decoded into [`Row::scratch`].
    Scratch(Range<usize>),
}

/// A value of a [`Row`].
#[derive(Debug, Clone)]
pub(crate) enum Slot<'a> {
    /// A field that the mapping does not want: only its name is known.
    Skipped,
    Null,
    Bool(bool),
    Integer(i64),
    Float(f64),
    String(Str<'a>),
    /// JSON text of an array, an object or a number that fits neither `i64` nor `f64`.
    Json(Str<'a>),
}

impl<'a> Row<'a> {
    pub(crate) fn clear(&mut self) {
        self.fields.clear();
        self.scratch.clear();
    }

    pub(crate) fn str<'r>(&'r self, text: &Str<'a>) -> &'r str {
        match text {
            Str::Input(text) => text,
            Str::Scratch(range) => {
                self.scratch.get(range.clone()).expect("the range was taken from this buffer")
            }
        }
    }

    /// The value, or nothing for a field that was skipped.
    pub(crate) fn value<'r>(&'r self, slot: &Slot<'a>) -> Option<ValueRef<'r>> {
        Some(match slot {
            Slot::Skipped => return None,
            Slot::Null => ValueRef::Null,
            Slot::Bool(value) => ValueRef::Bool(*value),
            Slot::Integer(value) => ValueRef::Integer(*value),
            Slot::Float(value) => ValueRef::Float(*value),
            Slot::String(text) => ValueRef::String(self.str(text)),
            Slot::Json(text) => ValueRef::Json(self.str(text)),
        })
    }
}

/// What is wrong with a record, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fault {
    /// Bytes from the start of the record.
    pub(crate) at: usize,
    /// Lower case, no final stop, without the position.
    pub(crate) message: String,
}

impl Fault {
    pub(crate) fn new(at: usize, message: impl Into<String>) -> Self {
        Self { at, message: message.into() }
    }
}

/// The bytes of a block without the byte order mark that a file may begin with.
pub(crate) fn without_bom<'a>(block: &Block<'a>) -> &'a [u8] {
    match block.bytes.strip_prefix(b"\xEF\xBB\xBF") {
        Some(rest) if block.offset == 0 => rest,
        _ => block.bytes,
    }
}

/// The line and the column of a byte, both from 1; columns count characters.
pub(crate) fn line_and_column(bytes: &[u8], at: usize) -> (usize, usize) {
    let before = bytes.get(..at).unwrap_or(bytes);
    let line_start = memchr::memrchr(b'\n', before).map_or(0, |newline| newline + 1);
    let is_start_of_character = |byte: &&u8| **byte & 0b1100_0000 != 0b1000_0000;
    (
        memchr::memchr_iter(b'\n', before).count() + 1,
        before[line_start..].iter().filter(is_start_of_character).count() + 1,
    )
}
