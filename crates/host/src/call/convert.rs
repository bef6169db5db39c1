//! Between our types and those of the boundary.

use std::borrow::Cow;
use std::sync::Arc;

use tamis_document::{
    Attachments, Document, Json, Limit, Measure, Metadata, Origin, Record, Value, ValueRef,
};
use tamis_plugin::abi::{self, Str};

use tamis_stage::MeasureInfo;

pub(crate) fn str(text: &str) -> Str {
    Str::new(text.as_bytes())
}

/// A document as the plugin sees it, with its form if it `knows_forms`; valid as long as `record` is borrowed.
pub(crate) fn document_view(record: &Record, knows_forms: bool) -> abi::Document {
    let document = &record.document;
    let form = if knows_forms { abi::form_bits(document.form) } else { 0 };
    abi::Document {
        id: str(&document.id),
        text: str(&document.text),
        raw: document.raw.as_deref().map_or(Str::EMPTY, Str::new),
        flags: form | if document.raw.is_some() { abi::HAS_RAW } else { 0 },
        ordinal: document.origin.ordinal,
        position: [(record.position >> 64) as u64, record.position as u64],
    }
}

/// Bytes that a plugin passed, or what is wrong with them: "that is …".
///
/// # Safety
///
/// `bytes` must be valid during the callback.
pub(crate) unsafe fn bytes<'a>(bytes: Str) -> Result<&'a [u8], String> {
    check(bytes)?;
    // SAFETY: the caller vouches for the rest.
    Ok(unsafe { bytes.bytes() })
}

fn check(memory: Str) -> Result<(), String> {
    if memory.len > 0 && memory.ptr.is_null() {
        return Err(format!("that is {} bytes long and at NULL", memory.len));
    }
    if isize::try_from(memory.len).is_err() {
        return Err(format!("that is {} bytes long, which cannot be", memory.len));
    }
    Ok(())
}

/// Memory of a plugin that the host is to fill, or what is wrong with it: "that is …".
///
/// # Safety
///
/// `length` bytes at `buffer` must be there during the callback, the plugin's own and free to be written; if
/// `trusted`, they must have been written before.
pub(super) unsafe fn buffer<'a>(
    buffer: *mut u8,
    length: usize,
    trusted: bool,
) -> Result<&'a mut [u8], String> {
    if length == 0 {
        return Ok(&mut []);
    }
    check(Str { ptr: buffer, len: length })?;
    if !trusted {
        // What a plugin in C has allocated need not have been written, and Rust must not see that.
        // SAFETY: the caller vouches for it.
        unsafe { buffer.write_bytes(0, length) };
    }
    // SAFETY: not NULL, and the caller vouches for the rest.
    Ok(unsafe { std::slice::from_raw_parts_mut(buffer, length) })
}

/// Text that a plugin passed, or what is wrong with it: "that is …".
///
/// # Safety
///
/// `text` must be valid during the callback; if `trusted`, it must be UTF-8.
pub(super) unsafe fn text<'a>(text: Str, trusted: bool) -> Result<&'a str, String> {
    if trusted {
        // SAFETY: the plugin was built with an SDK that hands over `&str` (flag TAMIS_UTF8_TRUSTED).
        return Ok(unsafe { std::str::from_utf8_unchecked(text.bytes()) });
    }
    // SAFETY: the caller vouches for it.
    let bytes = unsafe { bytes(text)? };
    simdutf8::compat::from_utf8(bytes).map_err(not_utf8)
}

/// A name, path or id that a plugin passed: always checked, because names are few and short.
///
/// # Safety
///
/// As for [`bytes`].
pub(super) unsafe fn name<'a>(name: Str) -> Result<&'a str, String> {
    // SAFETY: the caller vouches for it.
    unsafe { text(name, false) }
}

pub(super) fn not_utf8(error: simdutf8::compat::Utf8Error) -> String {
    format!("that is not UTF-8 at byte {}", error.valid_up_to())
}

/// A metadata value that a plugin passed.
///
/// # Safety
///
/// As for [`text`].
pub(super) unsafe fn value(value: &abi::Value, trusted: bool) -> Result<Value, String> {
    if value.reserved != 0 {
        return Err("a value whose reserved member is not 0".to_owned());
    }
    let content = |what: &str| {
        // SAFETY: the caller vouches for it.
        unsafe { text(value.text, trusted) }.map_err(|why| format!("{what} {why}"))
    };
    Ok(match value.kind {
        abi::NULL => Value::Null,
        abi::BOOL => Value::Bool(value.bits != 0),
        abi::INTEGER => Value::Integer(value.bits.cast_signed()),
        abi::FLOAT => {
            let float = f64::from_bits(value.bits);
            if !float.is_finite() {
                return Err(format!("the number {float}, which has no JSON form"));
            }
            Value::Float(float)
        }
        abi::STRING => Value::from(content("a string")?),
        // A trusted plugin took the text from a value that was checked when it was made.
        abi::JSON if trusted => ValueRef::Json(content("JSON")?).to_value(),
        abi::JSON => {
            let json = content("JSON")?;
            Json::parse(json).map_err(|error| format!("invalid JSON: {error}"))?;
            // A scalar in JSON is that scalar, whoever wrote it.
            ValueRef::Json(json).to_value()
        }
        other => return Err(format!("a value of unknown type {other}")),
    })
}

/// A value as the plugin sees it.
pub(super) fn field(name: &str, value: ValueRef<'_>) -> abi::Field {
    abi::Field { name: str(name), value: abi::Value::new(value) }
}

/// A measure that a plugin passed.
///
/// # Safety
///
/// As for [`text`].
pub(super) unsafe fn measure(
    measure: &abi::Measure,
    declared: &'static [MeasureInfo],
) -> Result<Measure, String> {
    // SAFETY: the caller vouches for it.
    let bytes = unsafe { bytes(measure.name) }.unwrap_or_default();
    // Nearly always one that was declared: no new string for its name, nor a check of it.
    let known = declared.iter().find(|info| info.name.as_bytes() == bytes);
    let name: Cow<'static, str> = match known {
        Some(info) => Cow::Borrowed(&*info.name),
        // SAFETY: the caller vouches for it.
        None => match unsafe { name(measure.name) } {
            Ok(name) => Cow::Owned(name.to_owned()),
            Err(why) => return Err(format!("a measure with a name {why}")),
        },
    };
    if measure.reserved != 0 {
        return Err("a measure whose reserved member is not 0".to_owned());
    }
    let limit = match measure.limit_kind {
        abi::NO_LIMIT => Limit::None,
        abi::MIN => Limit::Min(shortest(measure.limit)),
        abi::MAX => Limit::Max(shortest(measure.limit)),
        other => return Err(format!("a measure with unknown limit kind {other}")),
    };
    Ok(Measure { name, value: shortest(measure.value), limit })
}

/// A number of 32 bits with as few digits as tell it from all others of these: as one of 64 bits, 0.2 is
/// 0.20000000298023224, and nobody has measured that.
///
/// One of 64 bits that could be one of 32 by chance is a whole number or a simple fraction, which stays as it is.
fn shortest(value: f64) -> f64 {
    #[expect(clippy::cast_possible_truncation, reason = "what does not fit is seen in the next line")]
    let narrow = value as f32;
    if value.fract() == 0.0 || f64::from(narrow).total_cmp(&value).is_ne() {
        return value;
    }
    narrow.to_string().parse().unwrap_or(value)
}

/// A measure as the plugin sees it.
pub(super) fn measure_view(measure: &Measure) -> abi::Measure {
    let (limit_kind, limit) = match measure.limit {
        Limit::None => (abi::NO_LIMIT, 0.0),
        Limit::Min(limit) => (abi::MIN, limit),
        Limit::Max(limit) => (abi::MAX, limit),
    };
    abi::Measure { name: str(&measure.name), value: measure.value, limit, limit_kind, reserved: 0 }
}

/// What the attachments of one document may take in memory beyond a multiple of its text and raw bytes.
///
/// The bound of all is that of the documents times this: they live as long as the records of a block are with the
/// worker that has the block, and are gone when these have been encoded or put aside.
const FREE_BYTES: usize = 64 << 10;
/// A tree of a page takes two to four times its text, tokens with their places up to seven.
const MOST_TIMES: usize = 8;

/// Whether a document can take `bytes` more, beside what it has.
pub(super) fn has_room(document: &Document, has: &Attachments, bytes: usize) -> bool {
    let of_document = document.text.len() + document.raw.as_ref().map_or(0, Vec::len);
    let most = of_document.saturating_mul(MOST_TIMES).saturating_add(FREE_BYTES);
    has.bytes().saturating_add(bytes) <= most
}

/// More than anybody attaches to one document; a larger number is garbage read as a number.
const MAX_ATTACHMENTS: usize = 256;

/// What a reader attaches to a document that it emits.
///
/// # Safety
///
/// As for [`text`], for everything that the attachments of `new` point to.
unsafe fn attachments(new: &abi::NewDocument, document: &Document) -> Result<Attachments, String> {
    let mut attachments = Attachments::default();
    let &abi::NewDocument { attachments: pointer, n_attachments: n, .. } = new;
    if n == 0 && pointer.is_null() {
        return Ok(attachments);
    }
    if n == 0 || n > MAX_ATTACHMENTS || pointer.is_null() || !pointer.is_aligned() {
        return Err(format!("a document with {n} attachments at the address {pointer:p}"));
    }
    // SAFETY: not NULL, aligned, and the caller vouches for the rest.
    for attachment in unsafe { std::slice::from_raw_parts(pointer, n) } {
        // SAFETY: the caller vouches for it.
        let (name, version, bytes) = unsafe { self::attachment(attachment)? };
        if has_room(document, &attachments, bytes.len()) {
            attachments.attach(name, version, bytes);
        }
    }
    Ok(attachments)
}

/// A flat attachment that a plugin passed.
///
/// # Safety
///
/// As for [`text`].
pub(super) unsafe fn attachment<'a>(
    attachment: &abi::Attachment,
) -> Result<(&'a str, u64, &'a [u8]), String> {
    // SAFETY: the caller vouches for it.
    let (name, bytes) = unsafe { (name(attachment.name), bytes(attachment.bytes)) };
    let name = name.map_err(|why| format!("an attachment with a name {why}"))?;
    if name.is_empty() || name.len() > MAX_LAYOUT_NAME {
        return Err(format!("an attachment with a name of {} bytes", name.len()));
    }
    let bytes = bytes.map_err(|why| format!("an attachment `{name}` {why}"))?;
    Ok((name, attachment.version, bytes))
}

/// The longest name of a layout, in bytes.
const MAX_LAYOUT_NAME: usize = 64;

/// More fields than any document has; a larger number is garbage read as a number.
const MAX_FIELDS: usize = 1 << 20;

/// A document that a plugin passed; `known` are the flags that have a meaning in this call beside the common one.
///
/// # Safety
///
/// As for [`text`], for everything that `new` points to.
pub(super) unsafe fn new_document(
    new: &abi::NewDocument,
    file: Arc<str>,
    trusted: bool,
    known: u64,
) -> Result<(Document, Attachments), String> {
    let bad = |what: &'static str| move |why: String| format!("a document with {what} {why}");
    // SAFETY: the caller vouches for it.
    let (id, content) =
        unsafe { (name(new.id).map_err(bad("an id"))?, text(new.text, trusted).map_err(bad("a text"))?) };
    if new.flags & !(abi::HAS_RAW | abi::FORM | known) != 0 {
        return Err("a document whose unknown flags are not 0".to_owned());
    }
    let fields = if new.n_fields == 0 {
        &[]
    } else if new.fields.is_null() || !new.fields.is_aligned() || new.n_fields > MAX_FIELDS {
        return Err(format!("a document with {} fields at the address {:p}", new.n_fields, new.fields));
    } else {
        // SAFETY: not NULL, and the caller vouches for the rest.
        unsafe { std::slice::from_raw_parts(new.fields, new.n_fields) }
    };
    let mut metadata = Vec::with_capacity(fields.len());
    for field in fields {
        // SAFETY: the caller vouches for it.
        let (name, field_value) = unsafe {
            let name = name(field.name).map_err(bad("a field with a name"))?;
            let value = value(&field.value, trusted);
            (name, value.map_err(|why| format!("a document with field `{name}` set to {why}"))?)
        };
        metadata.push((name.to_owned(), field_value));
    }
    let raw = if new.flags & abi::HAS_RAW == 0 {
        None
    } else {
        // SAFETY: the caller vouches for it.
        Some(unsafe { bytes(new.raw) }.map_err(bad("raw bytes"))?.to_vec())
    };
    let origin = Origin { file, offset: new.offset, length: new.length, ordinal: new.ordinal };
    let metadata = Metadata::from(metadata);
    let form = abi::form_of(new.flags);
    let document = Document { id: id.to_owned(), text: content.to_owned(), raw, metadata, origin, form };
    // SAFETY: the caller vouches for it.
    let attachments = unsafe { attachments(new, &document)? };
    Ok((document, attachments))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_as_many_digits_as_they_need() {
        for (value, expected) in [
            (f64::from(0.2_f32), 0.2),
            (f64::from(-1.1e-7_f32), -1.1e-7),
            (0.2, 0.2),
            (1.0 / 3.0, 1.0 / 3.0),
            (0.25, 0.25),
            (7.0, 7.0),
            (1e300, 1e300),
            (f64::INFINITY, f64::INFINITY),
        ] {
            assert_eq!(shortest(value).to_bits(), f64::to_bits(expected), "{value}");
        }
        assert!(shortest(f64::NAN).is_nan());
    }
}
