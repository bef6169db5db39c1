//! What columns mean, and rows of columns as documents.

use std::borrow::Cow;
use std::collections::BTreeMap;

use arrow_array::cast::AsArray;
use arrow_array::{Array, RecordBatch};
use arrow_schema::{DataType, Fields};
use tamis_plugin::{
    Emit, Failure, Form, Forms, Metadata, NewDocument, SetupError, ValueRef, nested, push_json,
};
use tamis_readers::{FieldNames, SPREAD, TextForm, check_rename};

use crate::value::{Cell, cell};

/// The field mapping of the structured readers, resolved a column and not a record at a time.
#[derive(Debug)]
pub(crate) struct Columns {
    names: FieldNames,
    metadata: Option<Vec<String>>,
    /// New names of metadata fields, by their names in the file.
    rename: BTreeMap<String, String>,
    spread: String,
    form: Option<Form>,
}

/// What a column is to a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Role {
    Id,
    Text,
    Raw,
    /// Its members are metadata fields.
    Spread,
    Metadata,
    Unwanted,
}

impl Columns {
    /// Checks the options.
    ///
    /// # Errors
    ///
    /// When two roles name the same column, or no column can hold text.
    pub(crate) fn new(
        mut names: FieldNames,
        metadata: Option<Vec<String>>,
        rename: BTreeMap<String, String>,
        spread: String,
    ) -> Result<Self, SetupError> {
        if names.text.is_empty() && names.raw.is_empty() {
            let message = "both `text` and `raw` are empty: name the column that holds the text";
            return Err(SetupError::in_option("fields", message));
        }
        names.give_way();
        let roles = [("id", &names.id), ("text", &names.text), ("raw", &names.raw), ("spread", &spread)];
        for (index, (role, name)) in roles.iter().enumerate() {
            let taken = roles[..index].iter().find(|(_, earlier)| earlier == name && !name.is_empty());
            if let Some((earlier, _)) = taken {
                let option = if *role == "spread" { "spread" } else { "fields" };
                let message = format_args!("`{earlier}` and `{role}` both name the column `{name}`");
                return Err(SetupError::in_option(option, message));
            }
        }
        check_rename(&rename, &roles)?;
        Ok(Self { names, metadata, rename, spread, form: None })
    }

    /// The same for texts of a form.
    pub(crate) fn with_form(self, form: Option<TextForm>) -> Self {
        Self { form: form.map(TextForm::form), ..self }
    }

    /// What the reader says of forms.
    pub(crate) fn forms(&self) -> Forms {
        Forms::new().giving(self.form)
    }

    /// Whether a column is to be read.
    pub(crate) fn wants(&self, name: &str) -> bool {
        self.role(name) != Role::Unwanted || self.paths().any(|path| path.split('.').next() == Some(name))
    }

    /// The names with dots, which may reach into structs.
    fn paths(&self) -> impl Iterator<Item = &str> {
        let roles = [&self.names.id, &self.names.text, &self.names.raw, &self.spread];
        let names = roles.into_iter().chain(self.metadata.iter().flatten()).chain(self.rename.keys());
        names.map(String::as_str).filter(|name| name.contains('.'))
    }

    /// Checks that the columns of a file can make documents.
    ///
    /// # Errors
    ///
    /// When there is neither text nor raw content; names the columns that there are.
    pub(crate) fn check(&self, columns: &Fields) -> Result<(), Failure> {
        let is_content = |name: &str| matches!(self.role(name), Role::Text | Role::Raw);
        let names = columns.iter().map(|field| field.name().as_str());
        if names.clone().any(is_content) || self.paths().any(|path| is_content(path) && leads(columns, path))
        {
            return Ok(());
        }
        let wanted = if self.names.text.is_empty() { &self.names.raw } else { &self.names.text };
        let shown: Vec<_> = names.take(8).map(|name| format!("`{name}`")).collect();
        Err(Failure::new(format_args!(
            "no column `{wanted}`; columns are {}: name the one that holds it with `fields = {{ text = \"…\" }}`",
            shown.join(", ")
        )))
    }

    fn role(&self, name: &str) -> Role {
        let is = |field: &String| !field.is_empty() && field == name;
        if is(&self.names.id) {
            Role::Id
        } else if is(&self.names.text) {
            Role::Text
        } else if is(&self.names.raw) {
            Role::Raw
        } else if is(&self.spread) {
            Role::Spread
        } else if self.is_metadata(name) {
            Role::Metadata
        } else {
            Role::Unwanted
        }
    }

    fn is_metadata(&self, name: &str) -> bool {
        let is_listed = |wanted: &Vec<String>| wanted.iter().any(|candidate| candidate == name);
        self.metadata.as_ref().is_none_or(is_listed) || self.rename.contains_key(name)
    }

    fn renamed<'n>(&'n self, name: &'n str) -> &'n str {
        self.rename.get(name).map_or(name, String::as_str)
    }

    /// Emits the rows of a batch, the first of which has the ordinal `first`.
    pub(crate) fn emit(&self, batch: &RecordBatch, first: u64, emit: &mut dyn Emit) {
        let schema = batch.schema();
        let mut columns: Vec<Column<'_>> = schema
            .fields()
            .iter()
            .zip(batch.columns())
            .map(|(field, values)| Column::new(self.role(field.name()), field.name(), values))
            .collect();
        for path in self.paths().filter(|path| schema.index_of(path).is_err()) {
            let Some(values) = follow(batch, path) else { continue };
            let role = self.role(path);
            if matches!(role, Role::Id | Role::Text | Role::Raw)
                && let Some((root, inner)) = path.split_once('.')
            {
                columns.iter_mut().filter(|column| column.name == root).for_each(|it| it.taken.push(inner));
            }
            columns.push(Column::new(role, path, values));
        }
        self.count_missing(&columns, batch.num_rows(), emit);
        for row in 0..batch.num_rows() {
            let ordinal = first + row as u64;
            if let Err(message) = self.emit_row(&columns, row, ordinal, emit) {
                let failure = Failure::new(format_args!("row {ordinal}: {message}"));
                emit.failed(ordinal, 0, row_as_json(&columns, row).as_bytes(), &failure);
            }
        }
    }

    /// Counts the rows of files without the columns that the user names and that are none of those without which a file
    /// is refused: a misspelt name must not go unnoticed.
    fn count_missing(&self, columns: &[Column<'_>], n_rows: usize, emit: &mut dyn Emit) {
        let id = Some(&self.names.id).filter(|id| **id != FieldNames::default().id);
        let spread = Some(&self.spread).filter(|spread| **spread != SPREAD);
        for (name, counter) in [(id, "no_id_field"), (spread, "no_spread_field")] {
            let is_missing =
                |name: &String| !name.is_empty() && !columns.iter().any(|column| column.name == *name);
            if name.is_some_and(is_missing) {
                emit.count(counter, n_rows as u64);
            }
        }
    }

    fn emit_row(
        &self,
        columns: &[Column<'_>],
        row: usize,
        ordinal: u64,
        emit: &mut dyn Emit,
    ) -> Result<(), String> {
        let (mut id, mut text, mut raw) = (Cell::Null, Cell::Null, Cell::Null);
        let mut cells = Vec::with_capacity(columns.len());
        let mut spread = Metadata::default();
        for column in columns.iter().filter(|column| column.role != Role::Unwanted) {
            let value = cell(column.values, row).map_err(|why| format!("column `{}`: {why}", column.name))?;
            let value = column.without_taken(value);
            match column.role {
                Role::Id => id = as_id(value, column.values),
                Role::Text => text = value,
                Role::Raw => raw = value,
                Role::Spread => match as_object(&value) {
                    Some(json) => {
                        spread = serde_json::from_str(json)
                            .map_err(|error| format!("column `{}` is not JSON: {error}", column.name))?;
                    }
                    None if self.is_metadata(column.name) => cells.push((column.name, value.without_bytes())),
                    None => {}
                },
                Role::Metadata => cells.push((column.name, value.without_bytes())),
                Role::Unwanted => {}
            }
        }
        let id = id_of(&id, &self.names.id)?;
        let text = text_of(&text, &self.names.text)?;
        let raw = raw_of(&raw, &self.names.raw)?;
        if text.is_none() && raw.is_none() {
            return Err("the text is null, and there is no other content".to_owned());
        }
        let mut metadata: Vec<(&str, ValueRef<'_>)> =
            cells.iter().map(|(name, cell)| (self.renamed(name), cell.as_value())).collect();
        // Behind the others: of two metadata fields of one name the last wins.
        let members = spread.iter().filter(|(name, _)| self.is_metadata(name));
        metadata.extend(members.map(|(name, value)| (self.renamed(name), value.as_ref())));
        let (text, id) = (text.unwrap_or_default(), id.as_deref());
        let metadata = &metadata;
        let form = self.form;
        emit.document(&NewDocument { id, text, raw, metadata, ordinal, form, ..NewDocument::default() });
        Ok(())
    }
}

/// Whether a name with dots is that of a member of a struct.
fn leads(columns: &Fields, path: &str) -> bool {
    match path.split_once('.') {
        None => columns.find(path).is_some(),
        Some((root, rest)) => match columns.find(root).map(|(_, field)| field.data_type()) {
            Some(DataType::Struct(members)) => leads(members, rest),
            _ => false,
        },
    }
}

/// The member of structs that a name with dots leads to.
fn follow<'b>(batch: &'b RecordBatch, path: &str) -> Option<&'b dyn Array> {
    let mut steps = path.split('.');
    let mut values = batch.column_by_name(steps.next()?)?;
    for step in steps {
        values = values.as_struct_opt()?.column_by_name(step)?;
    }
    Some(values.as_ref())
}

/// A column and what it is for.
struct Column<'a> {
    role: Role,
    name: &'a str,
    values: &'a dyn Array,
    /// The members of it that are the id, the text or the page of the document.
    taken: Vec<&'a str>,
}

impl<'a> Column<'a> {
    fn new(role: Role, name: &'a str, values: &'a dyn Array) -> Self {
        Self { role, name, values, taken: Vec::new() }
    }

    /// A value without what stands in another place of the document, null if nothing is left.
    fn without_taken<'c>(&self, value: Cell<'c>) -> Cell<'c> {
        let Cell::Json(mut json) = value else { return value };
        for inner in &self.taken {
            if let Some(rest) = nested::without(&json, inner) {
                rest.as_str().clone_into(&mut json);
            }
        }
        if !self.taken.is_empty() && json == "{}" { Cell::Null } else { Cell::Json(json) }
    }
}

/// The JSON text of an object, be it a struct or JSON in a string.
fn as_object<'c>(cell: &'c Cell<'_>) -> Option<&'c str> {
    let json = match cell {
        Cell::Json(json) => json.as_str(),
        Cell::Str(text) => text,
        _ => return None,
    };
    json.starts_with('{').then_some(json)
}

fn id_of<'c>(cell: &'c Cell<'_>, name: &str) -> Result<Option<Cow<'c, str>>, String> {
    match cell.as_value() {
        ValueRef::Null | ValueRef::String("") if !matches!(cell, Cell::Bytes(_)) => Ok(None),
        ValueRef::String(id) => Ok(Some(Cow::Borrowed(id))),
        ValueRef::Integer(id) => Ok(Some(Cow::Owned(id.to_string()))),
        ValueRef::Json(id) if id.bytes().all(|byte| byte.is_ascii_digit()) => Ok(Some(Cow::Borrowed(id))),
        _ => Err(format!("column `{name}` holds no string and no whole number, as an id must be")),
    }
}

/// Bytes as an id: text where they are text, as in files from before columns were marked as such; else, and where all
/// have one length, as UUIDs and hashes have, their hexadecimal digits.
fn as_id<'c>(cell: Cell<'c>, column: &dyn Array) -> Cell<'c> {
    let Cell::Bytes(bytes) = cell else { return cell };
    let is_fixed = matches!(column.data_type(), DataType::FixedSizeBinary(_));
    match std::str::from_utf8(bytes) {
        Ok(text) if !is_fixed => Cell::Str(text),
        _ => {
            let digits = bytes.iter().flat_map(|byte| [byte >> 4, byte & 0xF]);
            Cell::Owned(digits.filter_map(|digit| char::from_digit(digit.into(), 16)).collect())
        }
    }
}

fn text_of<'c>(cell: &'c Cell<'_>, name: &str) -> Result<Option<&'c str>, String> {
    match cell {
        Cell::Null => Ok(None),
        Cell::Str(text) => Ok(Some(text)),
        Cell::Bytes(bytes) => std::str::from_utf8(bytes).map(Some).map_err(|error| {
            let (at, byte) = (error.valid_up_to(), bytes.get(error.valid_up_to()).copied().unwrap_or(0));
            format!("column `{name}`: byte 0x{byte:02X} at {at} is not UTF-8")
        }),
        _ => Err(format!("column `{name}` holds no string")),
    }
}

fn raw_of<'c>(cell: &'c Cell<'_>, name: &str) -> Result<Option<&'c [u8]>, String> {
    match cell {
        Cell::Null => Ok(None),
        Cell::Str(text) => Ok(Some(text.as_bytes())),
        Cell::Bytes(bytes) => Ok(Some(bytes)),
        _ => Err(format!("column `{name}` holds neither bytes nor a string")),
    }
}

/// A row that makes no document, for its dead letter; a value without a JSON form is left out.
fn row_as_json(columns: &[Column<'_>], row: usize) -> String {
    let mut json = String::from("{");
    for column in columns {
        let Ok(value) = cell(column.values, row) else { continue };
        if json.len() > 1 {
            json.push(',');
        }
        push_json(ValueRef::String(column.name), &mut json);
        json.push(':');
        push_json(value.without_bytes().as_value(), &mut json);
    }
    json.push('}');
    json
}
