//! Checks values against a JSON Schema, and complains where they are written.
//!
//! Covers what `schemars` writes and what a careful author writes by hand: `type`, `enum`, `const`, ranges,
//! lengths, `pattern`, `items`, `properties`, `required`, `additionalProperties`, `anyOf`, `oneOf`, `allOf`,
//! `not`, `$ref` into the same schema. Other keywords are taken as satisfied: the stage itself still looks
//! at its options when it opens.

mod idle;
mod words;

use serde_json::{Map, Value};

use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::envelope::ENVELOPE;
use crate::node::{Data, Entry, Node, Table};
use crate::size::{BYTES, format_size, parse_size};
use crate::suggest::{choice, closest, containing, did_you_mean_beside};
use crate::text::Place;
pub(crate) use idle::Idle;
use words::{first_sentence, quantity, shown, shown_bare, type_label, type_name, with_unit};

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
    /// A field that the stage writes (`x-field`).
    Write,
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
        if keywords.get("x-unit").and_then(Value::as_str) == Some(BYTES) {
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
        self.one_of(node, &choices, at);
    }

    fn one_of(&mut self, node: &Node, choices: &[&Value], at: &At) {
        let value = node.to_json();
        if choices.contains(&&value) {
            return;
        }
        let words: Vec<&str> = choices.iter().filter_map(|choice| choice.as_str()).collect();
        let likely = node.as_str().and_then(|word| closest(word, words.iter().copied()));
        let label = match likely {
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
                self.one_of(node, &choices, at);
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
            let branch_types = keywords.map(self::types).unwrap_or_default();
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

    fn number(&mut self, node: &Node, keywords: &Map<String, Value>, at: &At) {
        if let Some(smallest) = keywords.get("x-size").and_then(Value::as_u64) {
            return self.size(node, smallest, at);
        }
        let Some(number) = node.as_f64() else { return };
        let unit = keywords.get("x-unit").and_then(Value::as_str).unwrap_or_default();
        let limit = |key: &str| keywords.get(key).and_then(Value::as_f64);
        let (format_min, format_max) = match node.data {
            Data::Integer(_) => integer_range(keywords.get("format").and_then(Value::as_str)),
            _ => (f64::NEG_INFINITY, f64::INFINITY),
        };
        let problem = if let Some(min) = limit("minimum").filter(|min| number < *min) {
            format!("at least {}", quantity(min, unit))
        } else if let Some(min) = limit("exclusiveMinimum").filter(|min| number <= *min) {
            format!("more than {}", quantity(min, unit))
        } else if let Some(max) = limit("maximum").filter(|max| number > *max) {
            format!("at most {}", quantity(max, unit))
        } else if let Some(max) = limit("exclusiveMaximum").filter(|max| number >= *max) {
            format!("less than {}", quantity(max, unit))
        } else if number < format_min {
            format!("at least {}", quantity(format_min, unit))
        } else if number > format_max {
            format!("at most {}", quantity(format_max, unit))
        } else if let Some(step) = limit("multipleOf").filter(|step| *step > 0.0 && number % step != 0.0) {
            format!("a multiple of {}", quantity(step, unit))
        } else {
            return;
        };
        self.error(
            &node.place,
            format!("{} is {}, out of range", at.subject, with_unit(node.written(), unit)),
            format!("must be {problem}"),
        );
    }

    /// A size in bytes (`x-size` holds the smallest allowed).
    fn size(&mut self, node: &Node, smallest: u64, at: &At) {
        match size_of(node) {
            None => self.error(&node.place, format!("{} is no size", at.subject), HOW_TO_WRITE_SIZES),
            Some(bytes) if bytes < smallest => self.error(
                &node.place,
                format!("{} is {}, too small", at.subject, format_size(bytes)),
                format!("must be at least {}", format_size(smallest)),
            ),
            Some(_) => {}
        }
    }

    fn string(&mut self, node: &Node, text: &str, keywords: &Map<String, Value>, at: &At) {
        if let Some(smallest) = keywords.get("x-size").and_then(Value::as_u64) {
            return self.size(node, smallest, at);
        }
        let count = text.chars().count() as u64;
        let limit = |key: &str| keywords.get(key).and_then(Value::as_u64);
        if let Some(min) = limit("minLength").filter(|min| count < *min) {
            if count == 0 {
                return self.error(&node.place, format!("{} is empty", at.subject), "");
            }
            return self.length(node, at, count, "at least", min, "character");
        }
        if let Some(max) = limit("maxLength").filter(|max| count > *max) {
            return self.length(node, at, count, "at most", max, "character");
        }
        let Some(pattern) = keywords.get("pattern").and_then(Value::as_str) else { return };
        // A pattern in a dialect that we do not have is left to the stage.
        if regex::Regex::new(pattern).is_ok_and(|regex| !regex.is_match(text)) {
            let label = match keywords.get("x-expects").and_then(Value::as_str) {
                Some(expects) => format!("must be {expects}"),
                None => format!("must match `{pattern}`"),
            };
            self.error(&node.place, format!("{} cannot be {}", at.subject, shown(node)), label);
        }
    }

    fn length(&mut self, node: &Node, at: &At, count: u64, bound: &str, limit: u64, unit: &str) {
        let plural = |count: u64| if count == 1 { "" } else { "s" };
        self.error(
            &node.place,
            format!("{} has {count} {unit}{}, out of range", at.subject, plural(count)),
            format!("must have {bound} {limit} {unit}{}", plural(limit)),
        );
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

    /// Checks the entries of a table; `top` is the table of options itself, `place` where to complain about
    /// what is missing.
    fn object(&mut self, table: &Table, place: &Place, keywords: &'a Map<String, Value>, at: &At, top: bool) {
        let properties = keywords.get("properties").and_then(Value::as_object);
        let others = keywords.get("additionalProperties");
        // By the letter of JSON Schema, an author who does not forbid other keys allows them. A mistyped
        // option that is silently ignored is worse than having to say `additionalProperties: true`.
        let closed = match others {
            Some(others) => others == &Value::Bool(false),
            None => top && properties.is_some() && !is_composed(keywords),
        };
        if let Some(min) = keywords.get("minProperties").and_then(Value::as_u64) {
            self.at_least(min, table, place, properties, at, top);
        }
        if let Some(word) = keywords.get("x-field-keys").and_then(Value::as_str) {
            self.mark_keys(table, word, at);
        }
        let mut meant = Vec::new();
        let mut wrong = Vec::new();
        for entry in &table.entries {
            let before = self.diagnostics.len();
            if before >= MOST_MISTAKES {
                break;
            }
            let at = at.key(&entry.key);
            let others = others.filter(|others| others.is_object());
            if let Some(schema) = properties.and_then(|properties| properties.get(&entry.key)) {
                self.value(&entry.value, schema, &at);
            } else if closed && !keywords.contains_key("patternProperties") {
                meant.extend(self.unknown_key(entry, properties, &at, top));
            } else if let Some(schema) = others {
                self.value(&entry.value, schema, &at);
            }
            if self.diagnostics.len() > before {
                wrong.push(entry.key.as_str());
            }
        }
        wrong.extend(&meant);
        if let Some(properties) = properties {
            self.idle(table, properties, &wrong, at, top);
        }
        for key in needed(self.schema, keywords) {
            // A mistyped key is one mistake, not two.
            if table.get(key).is_some() || meant.contains(&key) {
                continue;
            }
            let owner = if top { self.owner.clone() } else { at.subject.clone() };
            let description =
                properties.and_then(|properties| properties.get(key)?.get("description")?.as_str());
            let label = match description {
                Some(description) => format!("add `{key}`: {}", first_sentence(description)),
                None => format!("add `{key}`"),
            };
            self.error(place, format!("{owner} needs `{key}`"), label);
        }
    }

    /// Complains about a table with fewer entries than it must have: a stage without any option that it works by.
    fn at_least(
        &mut self,
        min: u64,
        table: &Table,
        place: &Place,
        properties: Option<&Map<String, Value>>,
        at: &At,
        top: bool,
    ) {
        if table.entries.len() as u64 >= min {
            return;
        }
        // What only works beside another option is no beginning.
        let stands_alone = |(_, schema): &(&String, &Value)| schema.get("x-needs").is_none();
        let known: Vec<&str> =
            properties.into_iter().flatten().filter(stands_alone).map(|(key, _)| key.as_str()).collect();
        let label =
            if known.is_empty() { String::new() } else { format!("give at least one of {}", choice(&known)) };
        let message = if top {
            format!("{} has nothing to do", self.owner)
        } else {
            format!("{} is empty", at.subject)
        };
        self.error(place, message, label);
    }

    /// Notes the keys of a table that name fields.
    fn mark_keys(&mut self, table: &Table, word: &str, at: &At) {
        let mark = |entry: &Entry| Mark {
            meaning: Meaning::of_field(word),
            pointer: at.key(&entry.key).pointer,
            option: at.option.clone(),
            value: entry.key.clone(),
            place: entry.key_place.clone(),
        };
        self.marks.extend(table.entries.iter().map(mark));
    }

    /// Complains about a key that nobody knows; returns the one that was probably meant.
    fn unknown_key(
        &mut self,
        entry: &Entry,
        properties: Option<&'a Map<String, Value>>,
        at: &At,
        top: bool,
    ) -> Option<&'a str> {
        let owner = if top { self.owner.clone() } else { format!("`{}` of {}", at.option, self.owner) };
        let noun = if top { self.noun } else { "key" };
        let known = properties.into_iter().flat_map(Map::keys).map(String::as_str);
        let own: &[&'a str] = if top { &self.own_keys } else { &[] };
        let all = || known.clone().chain(own.iter().copied());
        let instead = self.schema.get("x-instead").and_then(|words| words.get(&entry.key)?.as_str());
        if let Some(instead) = instead.filter(|_| top) {
            self.error(&entry.key_place, format!("unknown {noun} `{}` in {owner}", entry.key), instead);
            return None;
        }
        let meant = closest(&entry.key, all()).or_else(|| containing(&entry.key, all()));
        let above = || above_all_tables(entry, &self.owner).filter(|_| top);
        let label = match meant {
            Some(key) if is_list_of_tables(properties, key) => format!("did you mean `[[{key}]]`?"),
            Some(key) => format!("did you mean `{key}`?"),
            None => above().unwrap_or_else(|| {
                did_you_mean_beside(&entry.key, known, &format!("{noun}s"), (own, &self.own))
            }),
        };
        self.error(&entry.key_place, format!("unknown {noun} `{}` in {owner}", entry.key), label);
        meant
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

/// What to say about a key of the pipeline file that stands below a table, and so belongs to `owner`.
///
/// The value tells it from an option that somebody tries: a list is no `extends`.
pub(crate) fn above_all_tables(entry: &Entry, owner: &str) -> Option<String> {
    let schema = ENVELOPE.root.get("properties")?.get(&entry.key)?;
    let fits = match &entry.value.data {
        Data::Array(_) => schema.get("x-tables").is_some(),
        Data::Table(_) => schema["type"] == "object",
        Data::String(_) => entry.key == "extends",
        _ => false,
    };
    fits.then(|| format!("write it above all tables: here it belongs to {owner}"))
}

fn is_list_of_tables(properties: Option<&Map<String, Value>>, key: &str) -> bool {
    properties.and_then(|properties| properties.get(key)?.get("x-tables")).is_some()
}

/// The keywords of a schema, those of what it refers to if it only refers; `root` is what references are into.
fn keywords<'a>(root: &'a Value, schema: &'a Value) -> Option<&'a Map<String, Value>> {
    let mut keywords = schema.as_object()?;
    for _ in 0..MAX_DEPTH {
        match keywords.get("$ref").filter(|_| !keywords.contains_key("properties")) {
            Some(reference) => keywords = referred(root, reference)?.as_object()?,
            None => return Some(keywords),
        }
    }
    None
}

fn referred<'a>(root: &'a Value, reference: &Value) -> Option<&'a Value> {
    root.pointer(reference.as_str()?.strip_prefix('#')?)
}

/// The options of a stage that must be given.
pub(crate) fn needs(schema: &Value) -> Vec<&str> {
    keywords(schema, schema).map(|keywords| needed(schema, keywords)).unwrap_or_default()
}

/// Keys that must be given: those that are `required`, and those whose default would be refused if it were
/// written, a list that may not be empty and is. In this way asks for an option a stage that opens without it
/// but would do nothing.
fn needed<'a>(root: &'a Value, object: &'a Map<String, Value>) -> Vec<&'a str> {
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

/// The size that a value stands for, in bytes.
pub(crate) fn size_of(node: &Node) -> Option<u64> {
    match &node.data {
        Data::Integer(bytes) => u64::try_from(*bytes).ok(),
        Data::String(text) => parse_size(text),
        _ => None,
    }
}

fn parts<'a>(keywords: &'a Map<String, Value>, key: &str) -> impl Iterator<Item = &'a Value> {
    keywords.get(key).and_then(Value::as_array).into_iter().flatten()
}

fn is_composed(keywords: &Map<String, Value>) -> bool {
    ["allOf", "anyOf", "oneOf", "$ref", "unevaluatedProperties"].iter().any(|key| keywords.contains_key(*key))
}

fn is_null(schema: &Value) -> bool {
    schema.get("type").and_then(Value::as_str) == Some("null") || schema.get("const") == Some(&Value::Null)
}

/// The types that a schema allows, without `null`, which TOML does not have.
fn types(keywords: &Map<String, Value>) -> Vec<&str> {
    let names: Vec<&str> = match keywords.get("type") {
        Some(Value::String(name)) => vec![name],
        Some(Value::Array(names)) => names.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    };
    names.into_iter().filter(|name| *name != "null").collect()
}

fn has_type(node: &Node, name: &str) -> bool {
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

/// The range of the integer types that `schemars` names in `format`.
fn integer_range(format: Option<&str>) -> (f64, f64) {
    match format {
        Some("int8") => (f64::from(i8::MIN), f64::from(i8::MAX)),
        Some("int16") => (f64::from(i16::MIN), f64::from(i16::MAX)),
        Some("int32") => (f64::from(i32::MIN), f64::from(i32::MAX)),
        Some("uint8") => (0.0, f64::from(u8::MAX)),
        Some("uint16") => (0.0, f64::from(u16::MAX)),
        Some("uint32") => (0.0, f64::from(u32::MAX)),
        // One below, so that the float comparison cannot let the first number that is too large through.
        Some("uint64" | "uint") => (0.0, 18_446_744_073_709_549_568.0),
        _ => (-9_223_372_036_854_775_808.0, 9_223_372_036_854_774_784.0),
    }
}
