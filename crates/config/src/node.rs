//! The tree of a pipeline: TOML values that know where they were written.

use std::sync::Arc;

use serde_json::{Map, Value};
use toml::de::{DeTable, DeValue};

use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::suggest::fold;
use crate::syntax;
use crate::text::{Place, Text};

/// Deeper nesting than any pipeline needs; it keeps recursion over the tree away from the end of the stack.
const MAX_DEPTH: usize = 64;

/// A value and its place.
#[derive(Debug, Clone)]
pub(crate) struct Node {
    pub(crate) data: Data,
    pub(crate) place: Place,
}

/// A value.
#[derive(Debug, Clone)]
pub(crate) enum Data {
    String(String),
    Integer(i128),
    Float(f64),
    Bool(bool),
    /// A date or time in the form of RFC 3339, a string for whoever reads the options.
    Datetime(String),
    Array(Vec<Node>),
    Table(Table),
}

/// The entries of a table, in the order of the file.
#[derive(Debug, Clone, Default)]
pub(crate) struct Table {
    pub(crate) entries: Vec<Entry>,
}

/// A key and its value.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    pub(crate) key: String,
    pub(crate) key_place: Place,
    pub(crate) value: Node,
}

impl Table {
    pub(crate) fn entry(&self, key: &str) -> Option<&Entry> {
        self.entries.iter().find(|entry| entry.key == key)
    }

    pub(crate) fn get(&self, key: &str) -> Option<&Node> {
        self.entry(key).map(|entry| &entry.value)
    }

    pub(crate) fn get_mut(&mut self, key: &str) -> Option<&mut Node> {
        self.entries.iter_mut().find(|entry| entry.key == key).map(|entry| &mut entry.value)
    }

    /// Sets a key, wherever it stands, to a value from elsewhere.
    pub(crate) fn set(&mut self, entry: Entry) {
        match self.entries.iter_mut().find(|old| old.key == entry.key) {
            Some(old) => *old = entry,
            None => self.entries.push(entry),
        }
    }

    /// The key of this table that an environment variable can mean by `key`.
    pub(crate) fn folded_key(&self, key: &str) -> Option<&str> {
        let folded = fold(key);
        self.entries.iter().map(|entry| entry.key.as_str()).find(|known| fold(known) == folded)
    }
}

impl Node {
    pub(crate) fn as_str(&self) -> Option<&str> {
        match &self.data {
            Data::String(text) => Some(text),
            _ => None,
        }
    }

    pub(crate) fn as_table(&self) -> Option<&Table> {
        match &self.data {
            Data::Table(table) => Some(table),
            _ => None,
        }
    }

    pub(crate) fn as_array(&self) -> Option<&[Self]> {
        match &self.data {
            Data::Array(items) => Some(items),
            _ => None,
        }
    }

    /// A number, whole or not.
    pub(crate) fn as_f64(&self) -> Option<f64> {
        match self.data {
            Data::Integer(whole) => Some(whole as f64),
            Data::Float(float) => Some(float),
            _ => None,
        }
    }

    /// The strings of a list of strings, or one string; empty for anything else.
    pub(crate) fn strings(&self) -> Vec<(&str, &Place)> {
        match &self.data {
            Data::String(text) => vec![(text, &self.place)],
            Data::Array(items) => {
                items.iter().filter_map(|item| Some((item.as_str()?, &item.place))).collect()
            }
            _ => Vec::new(),
        }
    }

    /// The value as it is written.
    pub(crate) fn written(&self) -> &str {
        self.place.text.content.get(self.place.start..self.place.end).unwrap_or_default()
    }

    /// The type, with its article, as messages name it.
    pub(crate) fn type_name(&self) -> &'static str {
        match self.data {
            Data::String(_) => "a string",
            Data::Integer(_) => "an integer",
            Data::Float(_) => "a float",
            Data::Bool(_) => "a boolean",
            Data::Datetime(_) => "a datetime",
            Data::Array(_) => "a list",
            Data::Table(_) => "a table",
        }
    }

    /// The value as JSON; numbers that JSON does not have become `null` (and are refused by the check).
    pub(crate) fn to_json(&self) -> Value {
        match &self.data {
            Data::String(text) | Data::Datetime(text) => Value::String(text.clone()),
            Data::Integer(whole) => i64::try_from(*whole)
                .map(Value::from)
                .or_else(|_| u64::try_from(*whole).map(Value::from))
                .unwrap_or(Value::Null),
            Data::Float(float) => Value::from(*float),
            Data::Bool(value) => Value::Bool(*value),
            Data::Array(items) => items.iter().map(Self::to_json).collect(),
            Data::Table(table) => table.to_json(|_| true),
        }
    }
}

impl Table {
    /// The entries whose keys are `wanted`, as a JSON object.
    pub(crate) fn to_json(&self, wanted: impl Fn(&str) -> bool) -> Value {
        let entries = self.entries.iter().filter(|entry| wanted(&entry.key));
        Value::Object(entries.map(|entry| (entry.key.clone(), entry.value.to_json())).collect::<Map<_, _>>())
    }
}

/// Parses a text; on mistakes in the syntax, all of them.
pub(crate) fn parse(text: &Arc<Text>) -> Result<Table, Diagnostics> {
    let (root, errors) = DeTable::parse_recoverable(&text.content);
    if !errors.is_empty() {
        return Err(syntax::errors(text, root.get_ref(), &errors));
    }
    let mut diagnostics = Diagnostics::default();
    let table = table(text, root.get_ref(), 0, &mut diagnostics);
    if diagnostics.is_empty() { Ok(table) } else { Err(diagnostics) }
}

/// Parses the right side of an override as a TOML value; what is none is a bare string.
pub(crate) fn parse_value(text: &Arc<Text>, place: Place, source: &str) -> Node {
    let Ok(value) = DeValue::parse(source) else {
        return Node { data: Data::String(source.to_owned()), place };
    };
    let mut diagnostics = Diagnostics::default();
    let mut parsed = node(text, value.get_ref(), value.span(), 0, &mut diagnostics);
    // Positions inside count from the start of the value.
    shift(&mut parsed, place.start);
    Node { data: parsed.data, place }
}

fn shift(node: &mut Node, offset: usize) {
    let moved = |place: &Place| place.text.at(place.start + offset..place.end + offset);
    node.place = moved(&node.place);
    match &mut node.data {
        Data::Array(items) => items.iter_mut().for_each(|item| shift(item, offset)),
        Data::Table(table) => {
            for entry in &mut table.entries {
                entry.key_place = moved(&entry.key_place);
                shift(&mut entry.value, offset);
            }
        }
        _ => {}
    }
}

fn table(text: &Arc<Text>, table: &DeTable<'_>, depth: usize, diagnostics: &mut Diagnostics) -> Table {
    let mut entries: Vec<Entry> = table
        .iter()
        .map(|(key, value)| Entry {
            key: key.get_ref().to_string(),
            key_place: text.at(key.span()),
            value: node(text, value.get_ref(), value.span(), depth + 1, diagnostics),
        })
        .collect();
    entries.sort_by_key(|entry| entry.key_place.start);
    Table { entries }
}

fn node(
    text: &Arc<Text>,
    value: &DeValue<'_>,
    span: std::ops::Range<usize>,
    depth: usize,
    diagnostics: &mut Diagnostics,
) -> Node {
    let place = text.at(span);
    if depth > MAX_DEPTH {
        let message = format!("values are nested more than {MAX_DEPTH} levels deep");
        diagnostics.push(Diagnostic::error(&place, message));
        return Node { data: Data::Bool(false), place };
    }
    let data = match value {
        DeValue::String(string) => Data::String(string.to_string()),
        DeValue::Integer(integer) => match i128::from_str_radix(integer.as_str(), integer.radix()) {
            Ok(whole) => Data::Integer(whole),
            Err(_) => Data::Integer(if integer.as_str().starts_with('-') { i128::MIN } else { i128::MAX }),
        },
        DeValue::Float(float) => Data::Float(float.as_str().parse().unwrap_or(f64::NAN)),
        DeValue::Boolean(value) => Data::Bool(*value),
        DeValue::Datetime(datetime) => Data::Datetime(datetime.to_string()),
        DeValue::Array(items) => Data::Array(
            items
                .iter()
                .map(|item| node(text, item.get_ref(), item.span(), depth + 1, diagnostics))
                .collect(),
        ),
        DeValue::Table(entries) => Data::Table(table(text, entries, depth, diagnostics)),
    };
    Node { data, place }
}
