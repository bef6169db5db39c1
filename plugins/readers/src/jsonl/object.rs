//! One JSON object as a row of fields, without a tree in between.
//!
//! `serde_json` finds where each member ends and checks the grammar; strings without escapes are then
//! borrowed from the line, others are decoded into the buffer of the row.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer as _, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::scan;
use super::value::{decode, described};
use crate::row::{Fault, Field, Row, Slot, Str};

/// Appends the members of the JSON object `text` to `row`; members that are not `wanted` are checked for
/// grammar only.
///
/// # Errors
///
/// When `text` is not one JSON object, or a wanted string holds half a surrogate pair.
pub(crate) fn read_object<'a>(
    text: &'a str,
    wanted: &dyn Fn(&str) -> bool,
    row: &mut Row<'a>,
) -> Result<(), Fault> {
    let (first, n_decoded) = (row.fields.len(), row.scratch.len());
    if scan::object(text.as_bytes(), wanted, row) == Some(text.len()) {
        return Ok(());
    }
    row.fields.truncate(first);
    row.scratch.truncate(n_decoded);
    read_any_object(text, wanted, row)
}

/// The same of an object that may be unusual, or none.
pub(super) fn read_any_object<'a>(
    text: &'a str,
    wanted: &dyn Fn(&str) -> bool,
    row: &mut Row<'a>,
) -> Result<(), Fault> {
    let first = row.fields.len();
    let mut deserializer = serde_json::Deserializer::from_str(text);
    deserializer
        .deserialize_map(Members { text, wanted, row: &mut *row })
        .and_then(|()| deserializer.end())
        .map_err(|error| not_an_object(text, &error))?;
    let Row { fields, scratch } = row;
    for field in &mut fields[first..] {
        if let Slot::Json(Str::Input(raw)) = field.value {
            field.value = decode(raw, scratch).map_err(|message| Fault::new(field.at, message))?;
        }
    }
    Ok(())
}

/// Collects the members of an object, their values as raw JSON text.
struct Members<'r, 'a> {
    text: &'a str,
    wanted: &'r dyn Fn(&str) -> bool,
    row: &'r mut Row<'a>,
}

impl<'a> Visitor<'a> for Members<'_, 'a> {
    type Value = ();

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("a JSON object")
    }

    fn visit_map<A: MapAccess<'a>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(name) = map.next_key_seed(Name(&mut self.row.scratch))? {
            if !(self.wanted)(self.row.str(&name)) {
                map.next_value::<IgnoredAny>()?;
                self.row.fields.push(Field { name, value: Slot::Skipped, at: 0, encoded: None });
                continue;
            }
            let raw = map.next_value::<&'a RawValue>()?.get();
            let at = raw.as_ptr().addr() - self.text.as_ptr().addr();
            self.row.fields.push(Field { name, value: Slot::Json(Str::Input(raw)), at, encoded: None });
        }
        Ok(())
    }
}

/// The name of a member, decoded into the buffer only if it has escapes.
struct Name<'r>(&'r mut String);

impl<'a> DeserializeSeed<'a> for Name<'_> {
    type Value = Str<'a>;

    fn deserialize<D: serde::Deserializer<'a>>(self, deserializer: D) -> Result<Str<'a>, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<'a> Visitor<'a> for Name<'_> {
    type Value = Str<'a>;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("the name of a field")
    }

    fn visit_borrowed_str<E: serde::de::Error>(self, name: &'a str) -> Result<Str<'a>, E> {
        Ok(Str::Input(name))
    }

    fn visit_str<E: serde::de::Error>(self, name: &str) -> Result<Str<'a>, E> {
        let start = self.0.len();
        self.0.push_str(name);
        Ok(Str::Scratch(start..self.0.len()))
    }
}

/// Says why a line is no JSON object, with advice for what is often met instead.
fn not_an_object(text: &str, error: &serde_json::Error) -> Fault {
    let trimmed = text.trim_start();
    let start = text.len() - trimmed.len();
    let found = match trimmed.as_bytes() {
        [b'[', ..] => return Fault::new(start, format!("an array, not a JSON object: {READ_AS_JSON}")),
        [b'"', ..] => "a string",
        [b'0'..=b'9' | b'-', ..] => "a number",
        [b'n', b'u', b'l', b'l', ..] => "null",
        [b'{', b'\'', ..] => {
            return Fault::new(start + 1, "not JSON but a Python literal: use the reader `records`");
        }
        [b'{', ..] => return syntax_fault(text.as_bytes(), error),
        _ => return Fault::new(start, "not a JSON object, which begins with `{`"),
    };
    Fault::new(start, format!("{found}, not a JSON object"))
}

fn syntax_fault(text: &[u8], error: &serde_json::Error) -> Fault {
    // `serde_json` counts the bytes it has read, which depends on the error.
    let near = error.column().saturating_sub(1).min(text.len());
    let message = described(error);
    let at = match message.as_str() {
        _ if error.is_eof() => text.len(),
        control if control.starts_with("control character") => {
            near + text[near..].iter().position(|byte| *byte < b' ').unwrap_or_default()
        }
        _ => near,
    };
    let words: [&[u8]; 3] = [b"NaN", b"Infinity", b"-Infinity"];
    let is_number = words.iter().any(|word| text[at..].starts_with(word));
    let advice = if is_number {
        "; NaN and infinities have no JSON form: write null, or say `invalid_values = \"repair\"`".to_owned()
    } else if text[at..].trim_ascii() == b"," {
        // A line of an array that has an object in each.
        format!(": {READ_AS_JSON}")
    } else {
        String::new()
    };
    Fault::new(at, format!("not JSON: {message}{advice}"))
}

/// What to do with a file that is one array.
const READ_AS_JSON: &str = "a file that is one array is read with `use = \"json\"`";
