//! What an option needs beside it to have an effect: the mark `x-needs` in a schema.
//!
//! A setting that does nothing is a mistake of whoever wrote it, who thinks that it does something.
//! Each option says what it needs in words that a check, a page of help and an editor can all use.

use serde_json::{Map, Value, json};

use crate::option_info::toml;

/// The key of a schema that holds what an option needs.
const MARK: &str = "x-needs";

/// Keys of the pipeline file that an option may need beside options of its own stage: an exporter may do
/// something of its own for records that failed.
pub const KEYS_BESIDE: [&str; 1] = ["from"];

/// Keys of `[run]` that may bound an option (`x-at-most`).
pub const BOUNDS: [&str; 1] = ["max_record_bytes"];

/// What an option needs to have an effect: one of several lists of conditions that hold together.
///
/// ```
/// use serde_json::{Value, json};
/// use tamis_stage::Needs;
///
/// let schema = json!({ "type": "boolean", "x-needs": { "columns": "some" } });
/// let needs = Needs::of(&schema).unwrap().unwrap();
/// assert_eq!(needs.to_string(), "with `columns`");
/// assert!(!needs.is_met(|_| Value::Null));
/// assert!(needs.is_met(|_| json!({ "url": "string" })));
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Needs(Vec<Vec<Need>>);

/// One condition: an option and how it must be.
#[derive(Debug, Clone, PartialEq)]
pub struct Need {
    /// The name of the other option.
    pub option: String,
    /// How it must be.
    pub state: NeededState,
}

/// How an option must be so that another one has an effect. An option that is not given has its default; one
/// without default is `null`.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum NeededState {
    /// Given, and no empty string, list or table: `"some"`.
    Some,
    /// Not given, or empty: `"none"`.
    None,
    /// One of these values: a list of them.
    Is(Vec<Value>),
    /// None of these values: `{ "not": […] }`.
    Not(Vec<Value>),
    /// A list that has one of these values: `{ "has": […] }`.
    Has(Vec<Value>),
}

impl Needs {
    /// What the schema of an option says that it needs; `None` if it says nothing.
    ///
    /// # Errors
    ///
    /// When the mark is not of a form that is known.
    pub fn of(schema: &Value) -> Result<Option<Self>, String> {
        let alternatives: Vec<&Value> = match schema.get(MARK) {
            None => return Ok(None),
            Some(Value::Array(alternatives)) => alternatives.iter().collect(),
            Some(one) => vec![one],
        };
        let all = alternatives.into_iter().map(|one| {
            let conditions = one.as_object().filter(|conditions| !conditions.is_empty());
            let conditions = conditions.ok_or_else(|| format!("`{one}` names no option"))?;
            conditions.iter().map(|(option, state)| Need::new(option, state)).collect()
        });
        let all: Vec<Vec<Need>> = all.collect::<Result<_, String>>()?;
        if all.is_empty() { Err("an empty list is never met".to_owned()) } else { Ok(Some(Self(all))) }
    }

    /// Whether it has what it needs; `value` gives the value of an option, or its default.
    pub fn is_met(&self, value: impl Fn(&str) -> Value) -> bool {
        self.0.iter().any(|all| all.iter().all(|need| need.state.is_met(&value(&need.option))))
    }

    /// All conditions, whichever belong together.
    pub fn iter(&self) -> impl Iterator<Item = &Need> {
        self.0.iter().flatten()
    }

    /// The same as a JSON Schema of the table in which the options stand; `default` gives the default of an option.
    pub fn schema(&self, default: impl Fn(&str) -> Value) -> Value {
        let mut alternatives: Vec<Value> = self
            .0
            .iter()
            .map(|all| {
                let properties = all.iter().map(|need| (need.option.clone(), need.state.schema()));
                let unmet = all.iter().filter(|need| !need.state.is_met(&default(&need.option)));
                let required: Vec<&str> = unmet.map(|need| need.option.as_str()).collect();
                let mut schema = json!({ "properties": properties.collect::<Map<_, _>>() });
                if !required.is_empty() {
                    schema["required"] = Value::from(required);
                }
                schema
            })
            .collect();
        if alternatives.len() == 1 { alternatives.swap_remove(0) } else { json!({ "anyOf": alternatives }) }
    }
}

/// In words that go on after "only": ``with `columns` ``.
impl std::fmt::Display for Needs {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let together = |all: &Vec<Need>| all.iter().map(Need::to_string).collect::<Vec<_>>().join(" and ");
        out.write_str(&self.0.iter().map(together).collect::<Vec<_>>().join(", or "))
    }
}

impl std::fmt::Display for Need {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { option, state } = self;
        let set = |value: &Value| format!("`{option} = {}`", toml(value).unwrap_or_default());
        let any = |values: &[Value]| values.iter().map(set).collect::<Vec<_>>().join(" or ");
        let bare = |values: &[Value]| {
            values
                .iter()
                .map(|value| format!("`{}`", toml(value).unwrap_or_default()))
                .collect::<Vec<_>>()
                .join(" or ")
        };
        match state {
            NeededState::Some => write!(out, "with `{option}`"),
            NeededState::None => write!(out, "without `{option}`"),
            NeededState::Is(values) => write!(out, "with {}", any(values)),
            NeededState::Not(values) => write!(out, "without {}", any(values)),
            NeededState::Has(values) => write!(out, "with {} in `{option}`", bare(values)),
        }
    }
}

impl Need {
    fn new(option: &str, state: &Value) -> Result<Self, String> {
        let unknown = || format!("`{state}` says nothing about `{option}`");
        let values = |key: &str| state.get(key).and_then(Value::as_array).filter(|values| !values.is_empty());
        let state = match state {
            Value::String(word) if word == "some" => NeededState::Some,
            Value::String(word) if word == "none" => NeededState::None,
            Value::Array(values) if !values.is_empty() => NeededState::Is(values.clone()),
            Value::Object(_) => match (values("not"), values("has")) {
                (Some(values), None) => NeededState::Not(values.clone()),
                (None, Some(values)) => NeededState::Has(values.clone()),
                _ => return Err(unknown()),
            },
            _ => return Err(unknown()),
        };
        Ok(Self { option: option.to_owned(), state })
    }
}

impl NeededState {
    /// Whether a value is of this state.
    pub fn is_met(&self, value: &Value) -> bool {
        let is_in = |values: &[Value], value: &Value| values.iter().any(|other| same(other, value));
        match self {
            Self::Some => is_filled(value),
            Self::None => !is_filled(value),
            Self::Is(values) => is_in(values, value),
            Self::Not(values) => !is_in(values, value),
            Self::Has(values) => {
                value.as_array().is_some_and(|list| list.iter().any(|item| is_in(values, item)))
            }
        }
    }

    /// The values that it names.
    pub fn values(&self) -> &[Value] {
        match self {
            Self::Some | Self::None => &[],
            Self::Is(values) | Self::Not(values) | Self::Has(values) => values,
        }
    }

    fn schema(&self) -> Value {
        match self {
            Self::Some => json!({ "minLength": 1, "minItems": 1, "minProperties": 1 }),
            Self::None => json!({ "maxLength": 0, "maxItems": 0, "maxProperties": 0 }),
            Self::Is(values) => json!({ "enum": values }),
            Self::Not(values) => json!({ "not": { "enum": values } }),
            Self::Has(values) => json!({ "contains": { "enum": values } }),
        }
    }
}

fn is_filled(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::String(text) => !text.is_empty(),
        Value::Array(items) => !items.is_empty(),
        Value::Object(entries) => !entries.is_empty(),
        Value::Bool(_) | Value::Number(_) => true,
    }
}

/// Whether two values are the same; a number is, however it is written.
fn same(one: &Value, other: &Value) -> bool {
    match (one.as_f64(), other.as_f64()) {
        (Some(one), Some(other)) => one.total_cmp(&other).is_eq(),
        _ => one == other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn needs(mark: &Value) -> Result<Option<Needs>, String> {
        Needs::of(&json!({ "x-needs": mark }))
    }

    #[test]
    fn marks_read_as_words() {
        for (mark, words) in [
            (json!({ "columns": "some" }), "with `columns`"),
            (json!({ "table": "none" }), "without `table`"),
            (json!({ "output": ["markdown"] }), "with `output = \"markdown\"`"),
            (
                json!({ "compression": ["gzip", "zstd"] }),
                "with `compression = \"gzip\"` or `compression = \"zstd\"`",
            ),
            (json!({ "types": { "has": ["response"] } }), "with `\"response\"` in `types`"),
            (
                json!([{ "metadata": { "not": [[]] } }, { "rename": "some" }]),
                "without `metadata = []`, or with `rename`",
            ),
            (json!({ "a": "some", "b": [true] }), "with `a` and with `b = true`"),
        ] {
            assert_eq!(needs(&mark).unwrap().unwrap().to_string(), words);
        }
        assert_eq!(Needs::of(&json!({ "type": "string" })), Ok(None));
    }

    #[test]
    fn a_mark_that_says_nothing_is_a_mistake() {
        for mark in [
            json!([]),
            json!({}),
            json!("columns"),
            json!({ "a": "many" }),
            json!({ "a": [] }),
            json!({ "a": { "is": [1] } }),
        ] {
            assert!(needs(&mark).is_err(), "{mark}");
        }
    }

    #[test]
    fn conditions_hold_or_not_and_so_do_their_schemas() {
        let cases = [
            (json!("some"), json!(null), false),
            (json!("some"), json!(""), false),
            (json!("some"), json!([]), false),
            (json!("some"), json!({}), false),
            (json!("some"), json!("\""), true),
            (json!("some"), json!(0), true),
            (json!("none"), json!({}), true),
            (json!("none"), json!(["a"]), false),
            (json!([true]), json!(true), true),
            (json!([true]), json!(false), false),
            (json!([0]), json!(0.0), true),
            (json!({ "not": [[]] }), json!(null), true),
            (json!({ "not": [[]] }), json!([]), false),
            (json!({ "has": ["a"] }), json!(["b", "a"]), true),
            (json!({ "has": ["a"] }), json!(["b"]), false),
            (json!({ "has": ["a"] }), json!(null), false),
        ];
        for (state, value, met) in cases {
            let needs = needs(&json!({ "other": state })).unwrap().unwrap();
            assert_eq!(needs.is_met(|_| value.clone()), met, "{state} of {value}");
            // A default that does not do must be given.
            assert_eq!(needs.schema(|_| value.clone()).get("required").is_none(), met, "{state} of {value}");
        }
    }

    #[test]
    fn alternatives_hold_if_one_does() {
        let needs = needs(&json!([{ "a": "some", "b": "some" }, { "c": "some" }])).unwrap().unwrap();
        let with = |given: &'static [&'static str]| {
            move |name: &str| if given.contains(&name) { json!("x") } else { Value::Null }
        };
        assert!(needs.is_met(with(&["a", "b"])));
        assert!(needs.is_met(with(&["c"])));
        assert!(!needs.is_met(with(&["a"])));
        assert_eq!(needs.schema(with(&["c"]))["anyOf"][0]["required"], json!(["a", "b"]));
    }
}
