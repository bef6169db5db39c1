//! What the fields of a record mean: the mapping that all structured readers share.

use std::borrow::Cow;
use std::fmt::Write;

use base64::Engine;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tamis_plugin::{Emit, NewDocument, SetupError, ValueRef};

use crate::jsonl::read_object;
use crate::row::{Fault, Field, Row};

/// The names of the fields that hold the identifier, the text and the bytes as scraped.
///
/// An empty name says that no field holds it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct FieldNames {
    /// The field that holds the identifier: a string or a whole number.
    ///
    /// A record without it, or with an empty one, gets the id `<file>#<ordinal>`.
    pub id: String,
    /// The field that holds the text: a string.
    ///
    /// A record without it fails, unless it has raw content: then its text is empty, for an extractor to
    /// fill.
    pub text: String,
    /// The field that holds the page as scraped, such as HTML: a string.
    ///
    /// Bytes that are not UTF-8 are read from the field of this name with `_base64` behind it, which is
    /// where the `jsonl` exporter writes them.
    pub raw: String,
}

impl Default for FieldNames {
    fn default() -> Self {
        Self { id: "id".to_owned(), text: "text".to_owned(), raw: "raw".to_owned() }
    }
}

/// The mapping, checked.
#[derive(Debug)]
pub(crate) struct Mapping {
    names: FieldNames,
    raw_base64: String,
    /// The metadata fields to take, sorted; all of them if `None`.
    metadata: Option<Vec<String>>,
    spread: String,
}

/// What a field of the record is to the document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Role {
    Id,
    Text,
    Raw,
    RawBase64,
    /// Its members are metadata fields.
    Spread,
    Metadata,
    Unwanted,
}

/// Where a record stands.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Place {
    pub(crate) ordinal: u64,
    pub(crate) offset: u64,
    pub(crate) length: u64,
}

impl Mapping {
    /// Checks the options.
    ///
    /// # Errors
    ///
    /// When two roles name the same field, or no field can hold text.
    pub(crate) fn new(
        names: FieldNames,
        metadata: Option<Vec<String>>,
        spread: String,
    ) -> Result<Self, SetupError> {
        if names.text.is_empty() && names.raw.is_empty() {
            return Err(SetupError::in_option(
                "fields",
                "both `text` and `raw` are empty: name the field that holds the text",
            ));
        }
        let roles = [("id", &names.id), ("text", &names.text), ("raw", &names.raw), ("spread", &spread)];
        for (index, (role, name)) in roles.iter().enumerate() {
            let taken = roles[..index].iter().find(|(_, earlier)| earlier == name);
            if let Some((earlier, _)) = taken.filter(|_| !name.is_empty()) {
                let option = if *role == "spread" { "spread" } else { "fields" };
                let message = format_args!("`{earlier}` and `{role}` both name the field `{name}`");
                return Err(SetupError::in_option(option, message));
            }
        }
        let raw_base64 = if names.raw.is_empty() { String::new() } else { format!("{}_base64", names.raw) };
        let metadata = metadata.map(|mut wanted| {
            wanted.sort_unstable();
            wanted
        });
        Ok(Self { names, raw_base64, metadata, spread })
    }

    /// Whether a field of the record is worth decoding.
    pub(crate) fn wants(&self, name: &str) -> bool {
        self.role(name) != Role::Unwanted
    }

    /// Whether a field holds the text.
    pub(crate) fn is_text(&self, name: &str) -> bool {
        self.role(name) == Role::Text
    }

    /// Whether the members of a field are metadata fields.
    pub(crate) fn is_spread(&self, name: &str) -> bool {
        self.role(name) == Role::Spread
    }

    fn role(&self, name: &str) -> Role {
        let is = |field: &String| !field.is_empty() && field == name;
        if is(&self.names.id) {
            Role::Id
        } else if is(&self.names.text) {
            Role::Text
        } else if is(&self.names.raw) {
            Role::Raw
        } else if is(&self.raw_base64) {
            Role::RawBase64
        } else if is(&self.spread) {
            Role::Spread
        } else if self.is_metadata(name) {
            Role::Metadata
        } else {
            Role::Unwanted
        }
    }

    fn is_metadata(&self, name: &str) -> bool {
        match &self.metadata {
            None => true,
            Some(wanted) => wanted.binary_search_by(|candidate| candidate.as_str().cmp(name)).is_ok(),
        }
    }

    /// Makes a document of a record and emits it.
    ///
    /// # Errors
    ///
    /// When a field has a type that its role does not allow, occurs twice, or is missing; nothing has been
    /// emitted then.
    pub(crate) fn emit(&self, row: &Row<'_>, place: Place, emit: &mut dyn Emit) -> Result<(), Fault> {
        let (mut id, mut text, mut raw) = (None, None, None);
        let mut metadata = Vec::with_capacity(row.fields.len());
        let mut spread = Row::default();
        for field in &row.fields {
            let Some(value) = row.value(&field.value) else { continue };
            let name = row.str(&field.name);
            match self.role(name) {
                Role::Id => once(&mut id, name, field, value)?,
                Role::Text => once(&mut text, name, field, value)?,
                Role::Raw | Role::RawBase64 => once(&mut raw, name, field, value)?,
                Role::Metadata => metadata.push((name, value)),
                Role::Spread => match value {
                    ValueRef::Json(json) if json.starts_with('{') => {
                        read_object(json, &|name| self.is_metadata(name), &mut spread)
                            .map_err(|fault| Fault::new(field.at + fault.at, fault.message))?;
                    }
                    other if self.is_metadata(name) => metadata.push((name, other)),
                    _ => {}
                },
                Role::Unwanted => {}
            }
        }
        // Behind the others: of two metadata fields of one name the last wins.
        let members = spread.fields.iter();
        metadata.extend(
            members.filter_map(|member| {
                spread.value(&member.value).map(|value| (spread.str(&member.name), value))
            }),
        );

        let id = id.map(id_of).transpose()?.flatten();
        let text = text.map(string_of).transpose()?.flatten();
        let raw = raw.map(|taken: Taken<'_>| self.raw_of(&taken)).transpose()?.flatten();
        if text.is_none() && raw.is_none() {
            return Err(self.no_text(row));
        }
        emit.document(&NewDocument {
            id: id.as_deref(),
            text: text.unwrap_or_default(),
            raw: raw.as_deref(),
            metadata: &metadata,
            ordinal: place.ordinal,
            offset: place.offset,
            length: place.length,
        });
        Ok(())
    }

    fn raw_of<'r>(&self, taken: &Taken<'r>) -> Result<Option<Cow<'r, [u8]>>, Fault> {
        let Some(text) = string_of(*taken)? else { return Ok(None) };
        if taken.name != self.raw_base64 {
            return Ok(Some(Cow::Borrowed(text.as_bytes())));
        }
        match base64::engine::general_purpose::STANDARD.decode(text) {
            Ok(bytes) => Ok(Some(Cow::Owned(bytes))),
            Err(error) => {
                let message = format!("field `{}` is not Base64: {error}", taken.name);
                Err(Fault::new(taken.at, message))
            }
        }
    }

    fn no_text(&self, row: &Row<'_>) -> Fault {
        let wanted = if self.names.text.is_empty() { &self.names.raw } else { &self.names.text };
        let mut message = format!("no field `{wanted}`");
        let names: Vec<_> = row.fields.iter().map(|field| row.str(&field.name)).collect();
        match names.as_slice() {
            [] => message.push_str(": the record is empty"),
            [name] => {
                let _ = write!(message, "; the only field is `{name}`");
            }
            _ => {
                let shown: Vec<_> =
                    names.iter().take(MAX_NAMES_SHOWN).map(|name| format!("`{name}`")).collect();
                let _ = write!(message, "; fields are {}", shown.join(", "));
                if names.len() > MAX_NAMES_SHOWN {
                    let _ = write!(message, " and {} more", names.len() - MAX_NAMES_SHOWN);
                }
            }
        }
        if names.contains(&wanted.as_str()) {
            return Fault::new(0, format!("field `{wanted}` is null, and there is no other content"));
        }
        message.push_str(": name the one that holds it with `fields = { text = \"…\" }`");
        Fault::new(0, message)
    }
}

/// Names listed in a message; more would hide the message.
const MAX_NAMES_SHOWN: usize = 8;

/// A field that has been given a role.
#[derive(Debug, Clone, Copy)]
struct Taken<'r> {
    name: &'r str,
    value: ValueRef<'r>,
    at: usize,
}

/// Takes a field for a role that only one field can have.
fn once<'r>(
    role: &mut Option<Taken<'r>>,
    name: &'r str,
    field: &Field<'_>,
    value: ValueRef<'r>,
) -> Result<(), Fault> {
    if let Some(earlier) = role {
        let message = if earlier.name == name {
            format!("field `{name}` occurs twice")
        } else {
            format!("fields `{}` and `{name}` both hold the raw content", earlier.name)
        };
        return Err(Fault::new(field.at, message));
    }
    *role = Some(Taken { name, value, at: field.at });
    Ok(())
}

fn string_of(taken: Taken<'_>) -> Result<Option<&str>, Fault> {
    match taken.value {
        ValueRef::String(text) => Ok(Some(text)),
        ValueRef::Null => Ok(None),
        other => {
            let message = format!("field `{}` is {}, not a string", taken.name, kind_of(other));
            Err(Fault::new(taken.at, message))
        }
    }
}

fn id_of(taken: Taken<'_>) -> Result<Option<Cow<'_, str>>, Fault> {
    match taken.value {
        ValueRef::String("") | ValueRef::Null => Ok(None),
        ValueRef::String(id) => Ok(Some(Cow::Borrowed(id))),
        ValueRef::Integer(id) => Ok(Some(Cow::Owned(id.to_string()))),
        // A whole number beyond `i64`.
        ValueRef::Json(id) if id.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-') => {
            Ok(Some(Cow::Borrowed(id)))
        }
        other => {
            let (name, kind) = (taken.name, kind_of(other));
            let message = format!("field `{name}` is {kind}; an id is a string or a whole number");
            Err(Fault::new(taken.at, message))
        }
    }
}

fn kind_of(value: ValueRef<'_>) -> &'static str {
    match value {
        ValueRef::Null => "null",
        ValueRef::Bool(_) => "a boolean",
        ValueRef::Integer(_) => "a number",
        ValueRef::Float(_) => "a number with a fraction",
        ValueRef::String(_) => "a string",
        ValueRef::Json(json) => match json.as_bytes().first() {
            Some(b'{') => "an object",
            Some(b'[') => "an array",
            _ => "a number",
        },
    }
}
