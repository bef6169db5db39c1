//! Tables: which keys they may have, must have, and what is said of one that nobody knows.

use serde_json::{Map, Value};

use super::schema::{is_composed, needed};
use super::words::first_sentence;
use super::{At, Checker, MOST_MISTAKES, Mark, Meaning};
use crate::envelope::{ENVELOPE, declares};
use crate::node::{Data, Entry, Node, Table};
use crate::suggest::{choice, closest, containing, did_you_mean_beside};
use crate::text::Place;

impl<'a> Checker<'a> {
    /// Checks the entries of a table; `top` is the table of options itself, `place` where to complain about
    /// what is missing.
    pub(super) fn object(
        &mut self,
        table: &Table,
        place: &Place,
        keywords: &'a Map<String, Value>,
        at: &At,
        top: bool,
    ) {
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
        if top && let Some(properties) = properties {
            self.mark_tables(table, properties);
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
            if table.get(key).is_some() || meant.contains(&key) || self.excused.contains(&key) {
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
        let mut known: Vec<&str> =
            properties.into_iter().flatten().filter(stands_alone).map(|(key, _)| key.as_str()).collect();
        if let Some(main) = self.schema.get("x-main").and_then(Value::as_array).filter(|_| top) {
            known = main.iter().filter_map(Value::as_str).collect();
        }
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

    /// Notes the fields by which tables in options are chosen (`x-tables-by`).
    fn mark_tables(&mut self, table: &Table, properties: &Map<String, Value>) {
        for (option, schema) in properties {
            let by = schema.get("x-tables-by").and_then(Value::as_str);
            let tables = table.get(option).and_then(Node::as_table);
            let Some((by, tables)) = by.zip(tables) else { continue };
            let Some(first) = tables.entries.iter().find(|entry| entry.value.as_table().is_some()) else {
                continue;
            };
            let default = || properties.get(by)?.get("default")?.as_str();
            let field = table.get(by).map_or_else(default, Node::as_str);
            self.marks.extend(field.map(|field| Mark {
                meaning: Meaning::Read,
                pointer: format!("/{option}"),
                option: option.clone(),
                value: field.to_owned(),
                place: first.key_place.clone(),
            }));
        }
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
        let mut schemas = std::iter::once(self.schema).chain(self.whole.map(|(_, schema)| schema));
        let instead = schemas.find_map(|schema| schema.get("x-instead")?.get(&entry.key)?.as_str());
        if let Some(instead) = instead.filter(|_| top) {
            self.error(&entry.key_place, format!("unknown {noun} `{}` in {owner}", entry.key), instead);
            return None;
        }
        if top && declares(&ENVELOPE.run, &entry.key) {
            let label = "write it in `[run]`: it is for the whole run";
            self.error(&entry.key_place, format!("unknown {noun} `{}` in {owner}", entry.key), label);
            return None;
        }
        let meant = closest(&entry.key, all()).or_else(|| containing(&entry.key, all()));
        let above = || above_all_tables(entry, &self.owner).filter(|_| top);
        let label = match meant {
            Some(key) if is_list_of_tables(properties, key) => format!("did you mean `[[{key}]]`?"),
            Some(key) => format!("did you mean `{key}`?"),
            None if !top
                && entry.value.as_str().is_some_and(|value| known.clone().any(|key| key == value)) =>
            {
                format!("write `{} = \"{}\"`", entry.value.as_str().unwrap_or_default(), entry.key)
            }
            None => above().unwrap_or_else(|| {
                did_you_mean_beside(&entry.key, known, &format!("{noun}s"), (own, &self.own))
            }),
        };
        self.error(&entry.key_place, format!("unknown {noun} `{}` in {owner}", entry.key), label);
        meant
    }
}

/// What to say about a key of the pipeline file that stands below a table, and so belongs to `owner`.
///
/// The value tells it from an option that somebody tries: a list is no `extends`, and what has a `{field}` in it is the
/// `name` of files, which another exporter has, and not that of a pipeline.
pub(crate) fn above_all_tables(entry: &Entry, owner: &str) -> Option<String> {
    let schema = ENVELOPE.root.get("properties")?.get(&entry.key)?;
    let fits = match &entry.value.data {
        Data::Array(_) => schema.get("x-tables").is_some(),
        Data::Table(_) => schema["type"] == "object",
        Data::String(text) => match entry.key.as_str() {
            "name" => !text.contains('{'),
            key => key == "extends",
        },
        _ => false,
    };
    fits.then(|| format!("write it above all tables: here it belongs to {owner}"))
}

fn is_list_of_tables(properties: Option<&Map<String, Value>>, key: &str) -> bool {
    properties.and_then(|properties| properties.get(key)?.get("x-tables")).is_some()
}
