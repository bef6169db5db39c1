//! Options of a stage, read off its schema: for help pages and references.

use serde_json::Value;

use crate::{Needs, StageInfo};

/// One option of a stage.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OptionInfo {
    /// Its name.
    pub name: String,
    /// Its type with bounds, in words: `integer, at least 1`, `list of strings`, `"keep" or "drop"`.
    pub kind: String,
    /// Its unit, such as `characters`.
    pub unit: Option<String>,
    /// Its default as TOML; `None` when it has none or must be given.
    pub default: Option<String>,
    /// Whether it must be given.
    pub required: bool,
    /// Its help, in Markdown; what it needs to have an effect is its last paragraph.
    pub help: String,
}

impl StageInfo {
    /// The options in the order of the schema.
    pub fn options(&self) -> Vec<OptionInfo> {
        let Some(properties) = self.schema.get("properties").and_then(Value::as_object) else {
            return Vec::new();
        };
        let required: Vec<&str> = strings(self.schema.get("required"));
        let option = |(name, schema): (&String, &Value)| {
            let required = required.contains(&name.as_str()) || is_unset(schema);
            OptionInfo {
                name: name.clone(),
                kind: kind(schema),
                unit: text(schema, "x-unit"),
                default: schema.get("default").filter(|_| !required).and_then(toml),
                required,
                help: help(schema),
            }
        };
        properties.iter().map(option).collect()
    }
}

/// The help of an option, with what it needs to have an effect.
fn help(schema: &Value) -> String {
    let help = text(schema, "description").unwrap_or_default();
    if help.is_empty() {
        return help;
    }
    let needs = Needs::of(schema).ok().flatten().map(|needs| format!("\n\nOnly {needs}."));
    let bound = text(schema, "x-at-most").map(|key| format!("\n\nAt most `{key}` of `[run]`."));
    help + &needs.unwrap_or_default() + &bound.unwrap_or_default()
}

/// Whether the default is a list that must not be empty and is: written in a pipeline, it would be refused.
fn is_unset(schema: &Value) -> bool {
    let is_empty = schema.get("default").and_then(Value::as_array).is_some_and(Vec::is_empty);
    is_empty && schema.get("minItems").and_then(Value::as_u64).is_some_and(|min| min > 0)
}

fn text(schema: &Value, key: &str) -> Option<String> {
    schema.get(key).and_then(Value::as_str).map(str::to_owned)
}

fn strings(value: Option<&Value>) -> Vec<&str> {
    value.and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect()
}

/// A schema in words.
fn kind(schema: &Value) -> String {
    if let Some(choices) = choices(schema) {
        return choices.join(" or ");
    }
    let types = match schema.get("type") {
        Some(Value::String(name)) => vec![name.as_str()],
        other => strings(other),
    };
    let names: Vec<String> =
        types.iter().filter(|name| **name != "null").map(|name| named(name, schema)).collect();
    if names.is_empty() {
        return alternatives(schema).unwrap_or_else(|| "any value".to_owned());
    }
    names.join(" or ") + &bounds(schema)
}

fn named(name: &str, schema: &Value) -> String {
    match name {
        "array" => match schema.get("items").map(kind).as_deref() {
            Some("any value") | None => "list".to_owned(),
            Some("string") => "list of strings".to_owned(),
            Some(items) => format!("list of {items}"),
        },
        "object" => "table".to_owned(),
        "boolean" => "true or false".to_owned(),
        other => other.to_owned(),
    }
}

/// The values of an enumeration, however the schema writes it.
fn choices(schema: &Value) -> Option<Vec<String>> {
    if let Some(values) = schema.get("enum").and_then(Value::as_array) {
        return Some(values.iter().filter_map(toml).collect());
    }
    let variants = schema.get("oneOf").or_else(|| schema.get("anyOf"))?.as_array()?;
    let values: Vec<String> = variants.iter().filter_map(|variant| toml(variant.get("const")?)).collect();
    (values.len() == variants.len()).then_some(values)
}

fn alternatives(schema: &Value) -> Option<String> {
    let variants = schema.get("anyOf").or_else(|| schema.get("oneOf"))?.as_array()?;
    let is_null = |variant: &&Value| variant.get("type").and_then(Value::as_str) == Some("null");
    let kinds: Vec<String> = variants.iter().filter(|variant| !is_null(variant)).map(kind).collect();
    Some(kinds.join(" or "))
}

fn bounds(schema: &Value) -> String {
    let bound = |key: &str| schema.get(key).and_then(Value::as_f64);
    let (min, max) = (bound("minimum"), bound("maximum"));
    // Every unsigned integer begins at 0; saying so for each would be noise.
    match (min.filter(|min| *min != 0.0 || max.is_some()), max) {
        (Some(min), Some(max)) => format!(", {min} to {max}"),
        (Some(min), None) => format!(", at least {min}"),
        (None, Some(max)) => format!(", at most {max}"),
        (None, None) => String::new(),
    }
}

/// A JSON value as TOML; `None` for null, which TOML does not have.
pub(crate) fn toml(value: &Value) -> Option<String> {
    match value {
        Value::Null => None,
        Value::Array(items) => {
            Some(format!("[{}]", items.iter().filter_map(toml).collect::<Vec<_>>().join(", ")))
        }
        Value::Object(fields) if fields.is_empty() => Some("{}".to_owned()),
        Value::Object(fields) => {
            let fields = fields.iter().filter_map(|(name, value)| Some(format!("{name} = {}", toml(value)?)));
            Some(format!("{{ {} }}", fields.collect::<Vec<_>>().join(", ")))
        }
        // JSON strings, numbers and booleans are TOML as well.
        scalar => Some(scalar.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn schemas_read_as_words() {
        let cases = [
            (json!({ "type": "integer", "minimum": 1 }), "integer, at least 1"),
            (json!({ "type": "integer", "minimum": 0 }), "integer"),
            (json!({ "type": "number", "minimum": 0, "maximum": 1 }), "number, 0 to 1"),
            (json!({ "type": ["string", "null"] }), "string"),
            (json!({ "type": "array", "items": { "type": "string" } }), "list of strings"),
            (json!({ "enum": ["keep", "drop"] }), "\"keep\" or \"drop\""),
            (json!({ "oneOf": [{ "const": "a" }, { "const": "b" }] }), "\"a\" or \"b\""),
            (json!({ "anyOf": [{ "type": "integer" }, { "type": "null" }] }), "integer"),
        ];
        for (schema, words) in cases {
            assert_eq!(kind(&schema), words, "{schema}");
        }
    }

    #[test]
    fn a_list_that_must_not_stay_empty_must_be_given() {
        for (schema, required) in [
            (json!({ "type": "array", "minItems": 1, "default": [] }), true),
            (json!({ "type": "array", "minItems": 1, "default": ["a"] }), false),
            (json!({ "type": "array", "default": [] }), false),
        ] {
            assert_eq!(is_unset(&schema), required, "{schema}");
        }
    }

    #[test]
    fn help_says_beside_what_an_option_works() {
        let schema =
            json!({ "description": "Whether the rest is written.", "x-needs": { "columns": "some" } });
        assert_eq!(help(&schema), "Whether the rest is written.\n\nOnly with `columns`.");
        assert_eq!(help(&json!({ "description": "A mark." })), "A mark.");
    }

    #[test]
    fn defaults_read_as_toml() {
        let default = json!({ "a": [1, "x"], "b": null, "c": {} });
        assert_eq!(toml(&default).as_deref(), Some("{ a = [1, \"x\"], c = {} }"));
        assert_eq!(toml(&Value::Null), None);
    }
}
