//! What the fields of a record mean: the mapping that all structured readers share.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt::Write;

use base64::Engine;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tamis_plugin::{Emit, Flat, Form, Forms, Json, NewDocument, SetupError, ValueRef, nested};
use tamis_text::json::{MIN_ATTACHED, STRING_LAYOUT};

use crate::jsonl::object::read_object;
use crate::row::{Fault, Field, Row, Slot, Str};

/// The names of the fields that hold the identifier, the text and the bytes as scraped.
///
/// An empty name says that no field holds it. A name with dots reaches into objects: `content.body` is the member
/// `body` of the field `content`, unless a field is called `content.body`; what else is in `content` stays metadata.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct FieldNames {
    /// The field that holds the identifier: a string or a whole number.
    ///
    /// A record without it, or with an empty one, gets the id `<file>#<offset>`, the byte at which it begins, or `<file>#<row>`.
    pub id: String,
    /// The field that holds the text: a string.
    ///
    /// A record without it fails, unless it has raw content: then its text is empty, for an extractor to
    /// fill.
    pub text: String,
    /// The field that holds the page as scraped, such as HTML: a string.
    ///
    /// Bytes that are not UTF-8 are read from the field of this name with `_base64` behind it, which is
    /// where the `jsonl` exporter writes them. With `text = "raw"` the text is read from there, and no field holds the
    /// page as scraped.
    pub raw: String,
}

impl FieldNames {
    /// A name that is given wins over one that is only the default: `{ text = "raw" }` reads the text from `raw`, and
    /// then no field holds the page as scraped.
    pub fn give_way(&mut self) {
        let default = Self::default().raw;
        if self.raw == default && [&self.text, &self.id].contains(&&default) {
            self.raw.clear();
        }
    }
}

impl Default for FieldNames {
    fn default() -> Self {
        Self { id: "id".to_owned(), text: "text".to_owned(), raw: "raw".to_owned() }
    }
}

/// What the text of records is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum TextForm {
    /// The source of pages: HTML.
    Markup,
    /// Pages that were made text, with menus and buttons.
    Flattened,
    /// What pages say, alone.
    Clean,
}

impl TextForm {
    /// The same, as documents have it.
    pub fn form(self) -> Form {
        match self {
            Self::Markup => Form::Markup,
            Self::Flattened => Form::Flattened,
            Self::Clean => Form::Clean,
        }
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
    /// New names of metadata fields, by their names in the record.
    rename: BTreeMap<String, String>,
    /// Names with dots that stand for something; mostly none.
    paths: Vec<Path>,
    /// What the text is, if the user says so.
    form: Option<Form>,
    /// Whether the user names the field of the id, and one to spread, so that records without are counted.
    names_id: bool,
    names_spread: bool,
}

/// A name with dots.
#[derive(Debug)]
struct Path {
    name: String,
    role: Role,
}

impl Path {
    /// The field in which it begins.
    fn root(&self) -> &str {
        self.name.split('.').next().unwrap_or_default()
    }

    /// Appends the member that it leads to; its index among the fields of `found`.
    fn follow<'j>(&self, object: &'j str, found: &mut Row<'j>) -> Result<Option<usize>, Fault> {
        let mut object = object;
        let mut members = self.name.split('.').skip(1).peekable();
        while let Some(name) = members.next() {
            if members.peek().is_none() {
                let first = found.fields.len();
                read_object(object, &|member| member == name, found)?;
                let is_member = |field: &Field<'_>| !matches!(field.value, Slot::Skipped);
                return Ok(found.fields[first..].iter().rposition(is_member).map(|index| first + index));
            }
            let mut level = Row::default();
            read_object(object, &|member| member == name, &mut level)?;
            let inner = level.fields.iter().rev().find_map(|field| match field.value {
                Slot::Json(Str::Input(json)) if json.starts_with('{') => Some(json),
                _ => None,
            });
            let Some(inner) = inner else { return Ok(None) };
            object = inner;
        }
        Ok(None)
    }
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
        mut names: FieldNames,
        metadata: Option<Vec<String>>,
        spread: String,
        rename: BTreeMap<String, String>,
    ) -> Result<Self, SetupError> {
        names.give_way();
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
        check_rename(&rename, &roles)?;
        let names_id = !names.id.is_empty() && names.id != FieldNames::default().id;
        let names_spread = !spread.is_empty() && spread != SPREAD;
        let (paths, form) = (Vec::new(), None);
        let mut mapping =
            Self { names, raw_base64, metadata, spread, rename, paths, form, names_id, names_spread };
        let names = [&mapping.names.id, &mapping.names.text, &mapping.names.raw, &mapping.raw_base64];
        let names = names.into_iter().chain(mapping.metadata.iter().flatten()).chain(mapping.rename.keys());
        let mut dotted: Vec<String> = names.filter(|name| name.contains('.')).cloned().collect();
        dotted.sort_unstable();
        dotted.dedup();
        mapping.paths = dotted.into_iter().map(|name| Path { role: mapping.role(&name), name }).collect();
        Ok(mapping)
    }

    /// The same for texts of a form.
    pub(crate) fn with_form(self, form: Option<TextForm>) -> Self {
        Self { form: form.map(TextForm::form), ..self }
    }

    /// What the reader says of forms.
    pub(crate) fn forms(&self) -> Forms {
        Forms::new().giving(self.form)
    }

    /// Whether a field of the record is worth decoding.
    pub(crate) fn wants(&self, name: &str) -> bool {
        self.role(name) != Role::Unwanted || self.paths.iter().any(|path| path.root() == name)
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
            Some(wanted) => {
                wanted.binary_search_by(|candidate| candidate.as_str().cmp(name)).is_ok()
                    || self.rename.contains_key(name)
            }
        }
    }

    /// What a metadata field is called in the document.
    fn renamed<'r>(&'r self, name: &'r str) -> &'r str {
        if self.rename.is_empty() { name } else { self.rename.get(name).map_or(name, String::as_str) }
    }

    /// Follows the names with dots that are not the name of a field; each with its index among the fields of
    /// `found`.
    fn follow_paths<'r>(
        &'r self,
        row: &'r Row<'_>,
        found: &mut Row<'r>,
    ) -> Result<Vec<(&'r Path, usize)>, Fault> {
        let mut followed = Vec::new();
        for path in &self.paths {
            if row.fields.iter().any(|field| row.str(&field.name) == path.name) {
                continue;
            }
            for field in row.fields.iter().filter(|field| row.str(&field.name) == path.root()) {
                let Some(ValueRef::Json(json)) = row.value(&field.value) else { continue };
                if json.starts_with('{') {
                    let first = found.fields.len();
                    let index =
                        path.follow(json, found).map_err(|fault| Fault::new(field.at, fault.message))?;
                    for member in &mut found.fields[first..] {
                        member.at = field.at;
                    }
                    followed.extend(index.map(|index| (path, index)));
                }
            }
        }
        Ok(followed)
    }

    /// Objects that are metadata without those members that are the id, the text or the page of the document, by the
    /// index of the field: a text does not stand there a second time, and not as it was before it was cleaned. An object of
    /// which nothing is left is none.
    fn without_taken(&self, row: &Row<'_>, followed: &[(&Path, usize)]) -> BTreeMap<usize, Option<Json>> {
        let mut left: BTreeMap<usize, Option<Json>> = BTreeMap::new();
        let taken = followed.iter().map(|(path, _)| *path).filter(|path| path.role != Role::Metadata);
        for path in taken {
            let is_metadata = |name: &str| matches!(self.role(name), Role::Metadata | Role::Spread);
            let fields = row.fields.iter().enumerate();
            let outer =
                fields.filter(|(_, field)| row.str(&field.name) == path.root() && is_metadata(path.root()));
            for (index, field) in outer {
                let Some(ValueRef::Json(whole)) = row.value(&field.value) else { continue };
                let json = match left.get(&index) {
                    Some(Some(rest)) => rest.as_str(),
                    Some(None) => continue,
                    None => whole,
                };
                let inner = path.name.get(path.root().len() + 1..).unwrap_or_default();
                if let Some(rest) = nested::without(json, inner) {
                    left.insert(index, (rest.as_str() != "{}").then_some(rest));
                }
            }
        }
        left
    }

    /// Makes a document of a record and emits it.
    ///
    /// # Errors
    ///
    /// When a field has a type that its role does not allow, occurs twice, or is missing; nothing has been
    /// emitted then.
    pub(crate) fn emit(&self, row: &Row<'_>, place: Place, emit: &mut dyn Emit) -> Result<(), Fault> {
        let (mut id, mut text, mut raw, mut encoded) = (None, None, None, None);
        let mut metadata = Vec::with_capacity(row.fields.len());
        let (mut spread, mut nested) = (Row::default(), Row::default());
        let followed = if self.paths.is_empty() { Vec::new() } else { self.follow_paths(row, &mut nested)? };
        let left = self.without_taken(row, &followed);
        for (index, field) in row.fields.iter().enumerate() {
            let Some(mut value) = row.value(&field.value) else { continue };
            let name = row.str(&field.name);
            match left.get(&index) {
                Some(None) => continue,
                Some(Some(rest)) => value = ValueRef::Json(rest.as_str()),
                None => {}
            }
            match self.role(name) {
                Role::Id => once(&mut id, name, field, value)?,
                Role::Text => {
                    once(&mut text, name, field, value)?;
                    encoded = field.encoded;
                }
                Role::Raw | Role::RawBase64 => once(&mut raw, name, field, value)?,
                Role::Metadata => metadata.push((self.renamed(name), value)),
                Role::Spread => match value {
                    ValueRef::Json(json) if json.starts_with('{') => {
                        read_object(json, &|name| self.is_metadata(name), &mut spread)
                            .map_err(|fault| Fault::new(field.at + fault.at, fault.message))?;
                    }
                    other if self.is_metadata(name) => metadata.push((self.renamed(name), other)),
                    _ => {}
                },
                Role::Unwanted => {}
            }
        }
        for (path, index) in followed {
            let field = &nested.fields[index];
            let Some(value) = nested.value(&field.value) else { continue };
            match path.role {
                Role::Id => once(&mut id, &path.name, field, value)?,
                Role::Text => once(&mut text, &path.name, field, value)?,
                Role::Raw | Role::RawBase64 => once(&mut raw, &path.name, field, value)?,
                _ => metadata.push((self.renamed(&path.name), value)),
            }
        }
        // Behind the others: of two metadata fields of one name the last wins.
        let members = spread.fields.iter();
        metadata.extend(members.filter_map(|member| {
            spread.value(&member.value).map(|value| (self.renamed(spread.str(&member.name)), value))
        }));

        let has_id = id.is_some();
        let id = id.map(id_of).transpose()?.flatten();
        let text = text.map(string_of).transpose()?.flatten();
        let raw = raw.map(|taken: Taken<'_>| self.raw_of(&taken)).transpose()?.flatten();
        if text.is_none() && raw.is_none() {
            return Err(self.no_text(row));
        }
        if self.names_id && !has_id {
            emit.count("no_id_field", 1);
        }
        if self.names_spread && !row.fields.iter().any(|field| row.str(&field.name) == self.spread) {
            emit.count("no_spread_field", 1);
        }
        let text = text.unwrap_or_default();
        let (name, version) = STRING_LAYOUT;
        let encoded = encoded.filter(|_| text.len() >= MIN_ATTACHED);
        let encoded = encoded.map(|bytes| Flat { name, version, bytes });
        emit.document(&NewDocument {
            id: id.as_deref(),
            text,
            raw: raw.as_deref(),
            metadata: &metadata,
            ordinal: place.ordinal,
            offset: place.offset,
            length: place.length,
            attachments: encoded.as_slice(),
            form: self.form,
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
        if let Some(members) = members(row, wanted) {
            message = format!("no field `{wanted}`; {members}");
        }
        if let Some(field) = row.fields.iter().find(|field| row.str(&field.name) == wanted.as_str()) {
            let raw = &self.names.raw;
            let page = if raw.is_empty() || raw == wanted {
                String::new()
            } else {
                format!(" and no page in `{raw}`")
            };
            let message = format!("field `{wanted}` is null: the record has no text{page}");
            return Fault::new(field.at, message);
        }
        message.push_str(": name the one that holds it with `fields = { text = \"…\" }`");
        Fault::new(0, message)
    }
}

/// What stands in the innermost object to which a name with dots leads: ``in `doc` there are `body`, `title` ``.
fn members(row: &Row<'_>, wanted: &str) -> Option<String> {
    let (mut at, rest) = wanted.split_once('.').map(|(root, rest)| (root.len(), rest))?;
    let is_root = |field: &&Field<'_>| Some(row.str(&field.name)) == wanted.get(..at);
    let Slot::Json(Str::Input(mut object)) = row.fields.iter().find(is_root)?.value else { return None };
    let mut names = rest.split('.');
    loop {
        let mut inner = Row::default();
        read_object(object, &|_| true, &mut inner).ok()?;
        let next = names.next()?;
        let member = inner.fields.iter().find(|field| inner.str(&field.name) == next);
        if let Some(Slot::Json(Str::Input(json))) = member.map(|field| &field.value)
            && json.starts_with('{')
        {
            object = json;
            at += 1 + next.len();
            continue;
        }
        let found: Vec<_> =
            inner.fields.iter().map(|field| format!("`{}`", inner.str(&field.name))).collect();
        let (shown, more) = found.split_at(found.len().min(MAX_NAMES_SHOWN));
        let more = if more.is_empty() { String::new() } else { format!(" and {} more", more.len()) };
        let are = if found.len() == 1 { "is" } else { "are" };
        let outer = wanted.get(..at)?;
        return (!found.is_empty()).then(|| format!("in `{outer}` there {are} {}{more}", shown.join(", ")));
    }
}

/// Checks the new names of metadata fields; `roles` are the fields that are none, by what they are.
///
/// # Errors
///
/// When a name is empty, that of two fields or the one that the field has, or when a field is no metadata.
pub fn check_rename(rename: &BTreeMap<String, String>, roles: &[(&str, &String)]) -> Result<(), SetupError> {
    for (index, (from, to)) in rename.iter().enumerate() {
        let error = |message: String| Err(SetupError::in_option("rename", message));
        if to.is_empty() {
            return error(format!("the new name of `{from}` is empty"));
        }
        if from == to {
            return error(format!("`{from}` keeps its name: leave it out, or give it another"));
        }
        if let Some((role, _)) = roles.iter().find(|(_, name)| *name == from) {
            return error(format!("`{from}` is no metadata field: it is the `{role}` of the record"));
        }
        if let Some((other, _)) = rename.iter().skip(index + 1).find(|(_, name)| *name == to) {
            return error(format!("`{from}` and `{other}` both become `{to}`"));
        }
    }
    Ok(())
}

/// The field that is spread where nothing is said, if there is one.
pub const SPREAD: &str = "metadata";

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
