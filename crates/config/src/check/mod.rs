//! Checks values against a JSON Schema, and complains where they are written.
//!
//! Covers what `schemars` writes and what a careful author writes by hand: `type`, `enum`, `const`, ranges,
//! lengths, `pattern`, `items`, `properties`, `required`, `additionalProperties`, `anyOf`, `oneOf`, `allOf`,
//! `not`, `$ref` into the same schema. Other keywords are taken as satisfied: the stage itself still looks
//! at its options when it opens.

mod idle;
mod object;
mod scalar;
mod schema;
mod words;

use serde_json::{Map, Value};

use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::node::{Data, Node, Table};
use crate::size::BYTES;
use crate::suggest::{choice, closest};
use crate::text::Place;
pub(crate) use idle::Idle;
pub(crate) use object::above_all_tables;
pub(crate) use scalar::size_of;
pub(crate) use schema::needs;
use schema::{has_type, is_null, keywords, parts, referred, types};
use words::{first_sentence, shown, shown_bare, type_label, type_name};

/// A schema that refers to itself without end is the mistake of its author; the check just stops.
const MAX_DEPTH: usize = 128;

/// A table with more mistakes than this is something else than what it is taken for.
const MOST_MISTAKES: usize = 1_000;

const HOW_TO_WRITE_SIZES: &str = "write it as `\"64 MiB\"`, `\"1 GiB\"` or a number of bytes";

/// A value with a meaning beyond its type.
#[derive(Debug, Clone)]
pub(crate) struct Mark {
    pub(crate) meaning: Meaning,
    /// JSON pointer from the options to the value.
    pub(crate) pointer: String,
    /// The option that the value belongs to.
    pub(crate) option: String,
    pub(crate) value: String,
    pub(crate) place: Place,
}

/// What a value stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Meaning {
    /// A file that exists (`x-path`).
    File,
    /// A folder that exists (`x-path`).
    Directory,
    /// A field that the stage reads (`x-field`).
    Read,
    /// A field that the stage writes (`x-field`); those that are named are all that it writes.
    Write,
    /// A field that it writes beside others.
    Add,
    /// A field that it would write but for the new name that it gets.
    Renamed,
    /// A field that the stage takes away; it must be there before.
    Remove,
    /// A field of those that are all that the stage leaves.
    Keep,
    /// A condition over fields and measures (`x-expression`).
    Condition,
}

impl Meaning {
    fn of(schema: &Map<String, Value>) -> impl Iterator<Item = Self> {
        let word = |key: &str| schema.get(key).and_then(Value::as_str);
        let path = match word("x-path") {
            Some("directory") => Some(Self::Directory),
            Some(_) => Some(Self::File),
            None => None,
        };
        let condition = word("x-expression").map(|_| Self::Condition);
        path.into_iter().chain(word("x-field").map(Self::of_field)).chain(condition)
    }

    /// What a value, or a key (`x-field-keys`), stands for that names a field.
    fn of_field(word: &str) -> Self {
        match word {
            "write" => Self::Write,
            "add" => Self::Add,
            "renamed" => Self::Renamed,
            "remove" => Self::Remove,
            "keep" => Self::Keep,
            _ => Self::Read,
        }
    }
}

/// A check of one table against one schema.
pub(crate) struct Checker<'a> {
    schema: &'a Value,
    /// `option` in a stage, `key` elsewhere.
    noun: &'static str,
    /// Whose values they are: ``stage `length` ``, `` `[run]` ``.
    owner: String,
    /// Where to complain about what is missing.
    anchor: Place,
    /// Keys of the same table that belong to the pipeline file.
    own_keys: Vec<&'a str>,
    /// What these keys are called.
    own: String,
    /// Keys that are missing under their own name, and stand there under another.
    excused: Vec<&'a str>,
    /// The whole table, where options may need keys of the pipeline file, and their schema.
    whole: Option<(&'a Table, &'a Value)>,
    diagnostics: Diagnostics,
    marks: Vec<Mark>,
    idle: Vec<Idle>,
    depth: usize,
}

/// Where in the options a value is.
struct At {
    /// How messages name it.
    subject: String,
    pointer: String,
    option: String,
}

impl At {
    fn root() -> Self {
        Self { subject: String::new(), pointer: String::new(), option: String::new() }
    }

    fn key(&self, key: &str) -> Self {
        let pointer = format!("{}/{}", self.pointer, key.replace('~', "~0").replace('/', "~1"));
        let (subject, option) = if self.option.is_empty() {
            (format!("`{key}`"), key.to_owned())
        } else {
            (format!("`{key}` in {}", self.subject), self.option.clone())
        };
        Self { subject, pointer, option }
    }

    fn item(&self, index: usize) -> Self {
        Self {
            subject: format!("entry {} of {}", index + 1, self.subject),
            pointer: format!("{}/{index}", self.pointer),
            option: self.option.clone(),
        }
    }
}

impl<'a> Checker<'a> {
    /// A check of the options of a stage.
    pub(crate) fn for_options(schema: &'a Value, owner: impl Into<String>, anchor: &Place) -> Self {
        Self::new(schema, "option", owner.into(), anchor)
    }

    /// A check of keys that belong to the pipeline file itself.
    pub(crate) fn for_keys(schema: &'a Value, owner: impl Into<String>, anchor: &Place) -> Self {
        Self::new(schema, "key", owner.into(), anchor)
    }

    /// Names keys of the same table that belong to the pipeline file: an unknown option may be one of them,
    /// mistyped. `own` is what they are called.
    pub(crate) fn beside(self, own_keys: impl IntoIterator<Item = &'a str>, own: String) -> Self {
        Self { own_keys: own_keys.into_iter().collect(), own, ..self }
    }

    /// Says which keys stand there under another name: of that is complained elsewhere.
    pub(crate) fn excusing(self, keys: Vec<&'a str>) -> Self {
        Self { excused: keys, ..self }
    }

    /// Gives the table that the options are a part of, and the schema of its other keys: options may need those to
    /// have an effect.
    pub(crate) fn part_of(self, table: &'a Table, schema: &'a Value) -> Self {
        Self { whole: Some((table, schema)), ..self }
    }

    fn new(schema: &'a Value, noun: &'static str, owner: String, anchor: &Place) -> Self {
        Self {
            schema,
            noun,
            owner,
            anchor: anchor.clone(),
            own_keys: Vec::new(),
            excused: Vec::new(),
            own: String::new(),
            whole: None,
            diagnostics: Diagnostics::default(),
            marks: Vec::new(),
            idle: Vec::new(),
            depth: 0,
        }
    }

    /// Checks the table as a whole.
    pub(crate) fn table(&mut self, table: &Table) {
        let schema = self.schema;
        let anchor = self.anchor.clone();
        if let Some(keywords) = self.keywords(schema) {
            self.object(table, &anchor, keywords, &At::root(), true);
            for part in parts(keywords, "allOf") {
                if let Some(keywords) = self.keywords(part) {
                    self.object(table, &anchor, keywords, &At::root(), true);
                }
            }
            if ["anyOf", "oneOf"].iter().any(|key| keywords.contains_key(*key)) {
                let whole = Node { data: Data::Table(table.clone()), place: self.anchor.clone() };
                self.alternatives(&whole, keywords, &At::root());
            }
        }
    }

    /// What was found: complaints, and values with a meaning.
    pub(crate) fn finish(mut self) -> (Diagnostics, Vec<Mark>) {
        self.diagnostics.extend(self.idle.into_iter().map(|idle| idle.complaint));
        (self.diagnostics, self.marks)
    }

    /// Settings without effect, to be judged by whoever asks; otherwise they are complaints as all others.
    pub(crate) fn take_idle(&mut self) -> Vec<Idle> {
        std::mem::take(&mut self.idle)
    }

    fn error(&mut self, place: &Place, message: impl Into<String>, label: impl Into<String>) {
        self.diagnostics.push(Diagnostic::error(place, message).label(label));
    }

    fn keywords(&self, schema: &'a Value) -> Option<&'a Map<String, Value>> {
        keywords(self.schema, schema)
    }

    fn referred(&self, reference: &Value) -> Option<&'a Value> {
        referred(self.schema, reference)
    }

    fn value(&mut self, node: &Node, schema: &'a Value, at: &At) {
        if self.depth > MAX_DEPTH {
            return;
        }
        self.depth += 1;
        match schema {
            Value::Bool(false) => self.error(&node.place, format!("{} is not allowed here", at.subject), ""),
            Value::Object(keywords) => self.keyword_checks(node, keywords, at),
            _ => {}
        }
        self.depth -= 1;
    }

    fn keyword_checks(&mut self, node: &Node, keywords: &'a Map<String, Value>, at: &At) {
        if let Some(schema) = keywords.get("$ref").and_then(|reference| self.referred(reference)) {
            self.value(node, schema, at);
        }
        if !self.type_fits(node, keywords, at) {
            return;
        }
        let before = self.diagnostics.len();
        self.choices(node, keywords, at);
        self.alternatives(node, keywords, at);
        for part in parts(keywords, "allOf") {
            self.value(node, part, at);
        }
        if let Some(forbidden) = keywords.get("not")
            && self.attempt(node, forbidden, at).diagnostics.is_empty()
        {
            self.error(&node.place, format!("{} must not be {}", at.subject, shown(node)), "");
        }
        match &node.data {
            Data::Integer(_) | Data::Float(_) => self.number(node, keywords, at),
            Data::String(text) | Data::Datetime(text) => self.string(node, text, keywords, at),
            Data::Array(items) => self.array(node, items, keywords, at),
            Data::Table(table) => self.object(table, &node.place, keywords, at, false),
            Data::Bool(_) => {}
        }
        if self.diagnostics.len() == before {
            self.mark(node, keywords, at);
        }
    }

    /// Checks `type`, and that a number is one that JSON has.
    fn type_fits(&mut self, node: &Node, keywords: &Map<String, Value>, at: &At) -> bool {
        if keywords.contains_key("x-tables") {
            return self.list_of_tables(node, keywords, at);
        }
        if let Data::Float(float) = node.data
            && !float.is_finite()
        {
            self.error(&node.place, format!("{} must be a finite number", at.subject), "");
            return false;
        }
        let types = types(keywords);
        if types.is_empty() || types.iter().any(|name| has_type(node, name)) {
            return true;
        }
        let names: Vec<&str> = types.iter().filter_map(|name| type_name(name)).collect();
        let message = format!("{} is {}, but must be {}", at.subject, node.type_name(), names.join(" or "));
        let mut label = type_label(node, &types);
        if self.noun == "key" && node.as_table().is_some() && types == ["array"] {
            label = format!("write `[[{}]]`", at.option);
        } else if keywords.get("x-words").is_some()
            && let Some(line) = node.as_str()
        {
            let words: Vec<String> = line.split_whitespace().map(|word| format!("\"{word}\"")).collect();
            label = format!("write `[{}]`", words.join(", "));
        } else if keywords.get("x-unit").and_then(Value::as_str) == Some(BYTES) {
            HOW_TO_WRITE_SIZES.clone_into(&mut label);
        } else if label.is_empty()
            && let Some(Value::String(description)) = keywords.get("description")
        {
            // How to write it cannot be told from what is there; what it means may say it.
            label = first_sentence(description);
        }
        self.error(&node.place, message, label);
        false
    }

    fn list_of_tables(&mut self, node: &Node, keywords: &Map<String, Value>, at: &At) -> bool {
        let header = format!("[[{}]]", at.option);
        match &node.data {
            Data::Array(items) => {
                let first_key = keywords.get("x-tables").and_then(Value::as_str).unwrap_or_default();
                for item in items.iter().filter(|item| item.as_table().is_none()) {
                    let message = format!("{} holds {}, but must hold tables", at.subject, item.type_name());
                    let label = match &item.data {
                        Data::String(_) => {
                            format!(
                                "write `{{ {first_key} = {} }}`, or a table under `{header}`",
                                shown_bare(item)
                            )
                        }
                        _ => format!("write each as a table under `{header}`"),
                    };
                    self.error(&item.place, message, label);
                }
            }
            Data::Table(_) => {
                let message = format!("{} is a list of tables", at.subject);
                self.error(&node.place, message, format!("write `{header}`"));
            }
            _ => {
                let message = format!("{} is {}, but must be a list of tables", at.subject, node.type_name());
                self.error(&node.place, message, format!("write `{header}`"));
            }
        }
        true
    }

    /// Checks `enum` and `const`.
    fn choices(&mut self, node: &Node, keywords: &Map<String, Value>, at: &At) {
        let choices: Vec<&Value> = match (keywords.get("enum"), keywords.get("const")) {
            (Some(Value::Array(choices)), _) => choices.iter().filter(|choice| !choice.is_null()).collect(),
            (None, Some(choice)) => vec![choice],
            _ => return,
        };
        self.one_of(node, &choices, keywords, at);
    }

    /// Complains about a value that is none of the choices. What others call one of them, and what to write instead,
    /// may stand beside them (`x-instead`).
    fn one_of(&mut self, node: &Node, choices: &[&Value], keywords: &Map<String, Value>, at: &At) {
        let value = node.to_json();
        if choices.contains(&&value) {
            return;
        }
        let words: Vec<&str> = choices.iter().filter_map(|choice| choice.as_str()).collect();
        let likely = node.as_str().and_then(|word| closest(word, words.iter().copied()));
        let instead = keywords.get("x-instead").and_then(|others| others.get(node.as_str()?)?.as_str());
        let label = match likely {
            _ if instead.is_some() => instead.unwrap_or_default().to_owned(),
            Some(choice) => format!("did you mean `{choice}`?"),
            None if words.len() == choices.len() => format!("must be {}", choice(&words)),
            None => {
                let written: Vec<String> = choices.iter().map(ToString::to_string).collect();
                format!("must be {}", choice(&written))
            }
        };
        self.error(&node.place, format!("{} cannot be {}", at.subject, shown(node)), label);
    }

    /// Checks `anyOf` and `oneOf`; of several that fit, the first counts.
    fn alternatives(&mut self, node: &Node, keywords: &'a Map<String, Value>, at: &At) {
        for key in ["anyOf", "oneOf"] {
            let branches: Vec<&Value> = parts(keywords, key).filter(|branch| !is_null(branch)).collect();
            if branches.is_empty() {
                continue;
            }
            if let Some(choices) = self.constants(&branches) {
                self.one_of(node, &choices, keywords, at);
                continue;
            }
            self.any_branch(node, &branches, at);
        }
    }

    fn any_branch(&mut self, node: &Node, branches: &[&'a Value], at: &At) {
        let mut best: Option<Self> = None;
        let mut types = Vec::new();
        for branch in branches {
            let keywords = self.keywords(branch);
            let branch_types = keywords.map(schema::types).unwrap_or_default();
            if !branch_types.is_empty() && !branch_types.iter().any(|name| has_type(node, name)) {
                types.extend(branch_types);
                continue;
            }
            let attempt = self.attempt(node, branch, at);
            if attempt.diagnostics.is_empty() {
                self.marks.extend(attempt.marks);
                self.idle.extend(attempt.idle);
                return;
            }
            if best.as_ref().is_none_or(|best| attempt.diagnostics.len() < best.diagnostics.len()) {
                best = Some(attempt);
            }
        }
        if let Some(attempt) = best {
            self.diagnostics.append(attempt.diagnostics);
            return;
        }
        types.dedup();
        let names: Vec<&str> = types.iter().filter_map(|name| type_name(name)).collect();
        let message = format!("{} is {}, but must be {}", at.subject, node.type_name(), names.join(" or "));
        self.error(&node.place, message, type_label(node, &types));
    }

    /// The constants that the branches stand for, if that is all they are: an enum with documented variants.
    fn constants(&self, branches: &[&'a Value]) -> Option<Vec<&'a Value>> {
        let mut constants = Vec::new();
        for branch in branches {
            let keywords = self.keywords(branch)?;
            match (keywords.get("const"), keywords.get("enum")) {
                (Some(constant), _) => constants.push(constant),
                (None, Some(Value::Array(several))) => constants.extend(several),
                _ => return None,
            }
        }
        Some(constants)
    }

    /// The same check on the side, without what was found so far.
    fn attempt(&self, node: &Node, schema: &'a Value, at: &At) -> Self {
        let mut attempt = Self::new(self.schema, self.noun, self.owner.clone(), &self.anchor);
        attempt.depth = self.depth;
        attempt.value(node, schema, at);
        attempt
    }

    fn array(&mut self, node: &Node, items: &[Node], keywords: &'a Map<String, Value>, at: &At) {
        let count = items.len() as u64;
        let limit = |key: &str| keywords.get(key).and_then(Value::as_u64);
        if let Some(min) = limit("minItems").filter(|min| count < *min) {
            if count == 0 {
                return self.error(&node.place, format!("{} is empty", at.subject), "");
            }
            self.length(node, at, count, "at least", min, "value");
        }
        if let Some(max) = limit("maxItems").filter(|max| count > *max) {
            self.length(node, at, count, "at most", max, "value");
        }
        if keywords.get("uniqueItems") == Some(&Value::Bool(true)) {
            self.unique(items, at);
        }
        let first = keywords.get("prefixItems").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
        for (index, item) in items.iter().enumerate() {
            if let Some(schema) = first.get(index).or_else(|| keywords.get("items")) {
                self.value(item, schema, &at.item(index));
            }
        }
    }

    fn unique(&mut self, items: &[Node], at: &At) {
        let mut seen = std::collections::BTreeMap::new();
        for item in items {
            if let Some(first) = seen.insert(item.to_json().to_string(), &item.place) {
                self.diagnostics.push(
                    Diagnostic::error(&item.place, format!("{} has {} twice", at.subject, shown(item)))
                        .label("remove one of them")
                        .related(first, "the first is here"),
                );
            }
        }
    }

    fn mark(&mut self, node: &Node, keywords: &Map<String, Value>, at: &At) {
        for meaning in Meaning::of(keywords) {
            let whole = node.as_str().map(|value| (at.pointer.clone(), value, &node.place));
            let items = node
                .as_array()
                .unwrap_or_default()
                .iter()
                .enumerate()
                .filter_map(|(index, item)| Some((at.item(index).pointer, item.as_str()?, &item.place)));
            for (pointer, value, place) in whole.into_iter().chain(items) {
                let values = if keywords.get("x-field").and_then(Value::as_str) == Some("pattern") {
                    placeholders(value).collect()
                } else {
                    vec![value]
                };
                self.marks.extend(values.into_iter().map(|value| Mark {
                    meaning,
                    pointer: pointer.clone(),
                    option: at.option.clone(),
                    value: value.to_owned(),
                    place: place.clone(),
                }));
            }
        }
    }
}

/// The metadata fields that a pattern such as `{site}/{title}` names; whether it is a good one is for its stage to say.
fn placeholders(pattern: &str) -> impl Iterator<Item = &str> {
    let names = pattern.split('{').skip(1).filter_map(|rest| Some(rest.split_once('}')?.0));
    names.filter(|name| !name.is_empty() && *name != "id")
}
