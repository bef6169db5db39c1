//! What a schema says, before any value is held against it.

use serde_json::{Map, Value};

use super::MAX_DEPTH;
use crate::node::{Data, Node};

/// The keywords of a schema, those of what it refers to if it only refers; `root` is what references are into.
pub(super) fn keywords<'a>(root: &'a Value, schema: &'a Value) -> Option<&'a Map<String, Value>> {
    let mut keywords = schema.as_object()?;
    for _ in 0..MAX_DEPTH {
        match keywords.get("$ref").filter(|_| !keywords.contains_key("properties")) {
            Some(reference) => keywords = referred(root, reference)?.as_object()?,
            None => return Some(keywords),
        }
    }
    None
}

pub(super) fn referred<'a>(root: &'a Value, reference: &Value) -> Option<&'a Value> {
    root.pointer(reference.as_str()?.strip_prefix('#')?)
}

/// The options of a stage that must be given.
pub(crate) fn needs(schema: &Value) -> Vec<&str> {
    keywords(schema, schema).map(|keywords| needed(schema, keywords)).unwrap_or_default()
}

/// Keys that must be given: those that are `required`, and those whose default would be refused if it were
/// written, a list that may not be empty and is. In this way asks for an option a stage that opens without it
/// but would do nothing.
pub(super) fn needed<'a>(root: &'a Value, object: &'a Map<String, Value>) -> Vec<&'a str> {
    let mut needed: Vec<&str> = parts(object, "required").filter_map(Value::as_str).collect();
    let properties = object.get("properties").and_then(Value::as_object).into_iter().flatten();
    for (key, _) in properties.filter(|(_, schema)| is_unset(root, schema)) {
        if !needed.contains(&key.as_str()) {
            needed.push(key);
        }
    }
    needed
}

fn is_unset<'a>(root: &'a Value, schema: &'a Value) -> bool {
    let default = schema.get("default").and_then(Value::as_array);
    let wants_some = |keywords: &Map<String, Value>| {
        keywords.get("minItems").and_then(Value::as_u64).is_some_and(|min| min > 0)
    };
    default.is_some_and(Vec::is_empty) && keywords(root, schema).is_some_and(wants_some)
}

pub(super) fn parts<'a>(keywords: &'a Map<String, Value>, key: &str) -> impl Iterator<Item = &'a Value> {
    keywords.get(key).and_then(Value::as_array).into_iter().flatten()
}

pub(super) fn is_composed(keywords: &Map<String, Value>) -> bool {
    ["allOf", "anyOf", "oneOf", "$ref", "unevaluatedProperties"].iter().any(|key| keywords.contains_key(*key))
}

pub(super) fn is_null(schema: &Value) -> bool {
    schema.get("type").and_then(Value::as_str) == Some("null") || schema.get("const") == Some(&Value::Null)
}

/// The types that a schema allows, without `null`, which TOML does not have.
pub(super) fn types(keywords: &Map<String, Value>) -> Vec<&str> {
    let names: Vec<&str> = match keywords.get("type") {
        Some(Value::String(name)) => vec![name],
        Some(Value::Array(names)) => names.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    };
    names.into_iter().filter(|name| *name != "null").collect()
}

pub(super) fn has_type(node: &Node, name: &str) -> bool {
    match name {
        "string" => matches!(node.data, Data::String(_) | Data::Datetime(_)),
        "integer" => matches!(node.data, Data::Integer(_)),
        "number" => matches!(node.data, Data::Integer(_) | Data::Float(_)),
        "boolean" => matches!(node.data, Data::Bool(_)),
        "array" => matches!(node.data, Data::Array(_)),
        "object" => matches!(node.data, Data::Table(_)),
        _ => true,
    }
}
