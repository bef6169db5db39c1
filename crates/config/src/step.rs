//! What each stage does to fields, as far as its schema and its options tell.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use tamis_stage::{Forms, Kind, StageInfo};

use crate::check::{Mark, Meaning};
use crate::expressions;
use crate::plan::NamedField;
use crate::text::Place;

/// What one stage does to fields.
#[derive(Debug, Clone)]
pub(crate) struct Step {
    pub(crate) name: String,
    /// Its name in reports.
    pub(crate) id: String,
    /// None of a stage that is unknown or whose options are wrong.
    pub(crate) kind: Option<Kind>,
    /// Where the pipeline names the stage.
    pub(crate) place: Place,
    /// What it takes, gives and leaves behind.
    pub(crate) forms: Forms,
    /// Of a reader among which a source chooses, a file that it would be given.
    pub(crate) example: Option<String>,
    /// Where it is said that it stands where it does on purpose.
    pub(crate) any_order: Option<Place>,
    pub(crate) reads: Vec<Need>,
    /// Conditions over what there is.
    pub(crate) conditions: Vec<Mark>,
    pub(crate) writes: BTreeSet<String>,
    /// Of those it writes, the ones that the user names: they may be of any type.
    pub(crate) named: BTreeSet<String>,
    /// The only values that fields have which it writes, where it says so.
    pub(crate) values: BTreeMap<String, Vec<String>>,
    /// Whether it may write fields whose names nobody knows yet.
    pub(crate) writes_any: bool,
    /// Fields that are gone behind it, unless it writes them.
    pub(crate) removes: Vec<Mark>,
    /// The only fields that are there behind it.
    pub(crate) keeps: Option<BTreeSet<String>>,
    /// An option by which documents go their ways one by one, by their id, and the field by whose values they should
    /// stay together where there are such.
    pub(crate) apart: Option<Apart>,
    /// Of a reader, the fields that its options say there are, and what says so.
    pub(crate) expects: Vec<NamedField>,
    /// What it measures.
    pub(crate) measures: Vec<String>,
}

/// An option that takes a field or the id, and takes the id.
#[derive(Debug, Clone)]
pub(crate) struct Apart {
    pub(crate) option: String,
    pub(crate) together: String,
}

impl Apart {
    fn of(info: &StageInfo, options: &Value) -> Option<Self> {
        let properties = info.schema.get("properties")?.as_object()?;
        properties.iter().find_map(|(option, schema)| {
            let together = schema.get("x-together")?.as_str()?.to_owned();
            let value = options.get(option).or_else(|| schema.get("default"));
            (value?.as_str() == Some("id")).then(|| Self { option: option.clone(), together })
        })
    }
}

#[derive(Debug, Clone)]
pub(crate) struct Need {
    pub(crate) field: String,
    pub(crate) place: Place,
    /// What of the stage names the field, to go before the name of the stage: ``option `field` of ``; empty when
    /// the stage always needs it.
    pub(crate) by: String,
}

/// Where fields are named, for messages.
pub(crate) fn by_option(mark: &Mark) -> String {
    format!("option `{}` of ", mark.option)
}

impl Need {
    fn of_option(mark: &Mark) -> Self {
        Self { field: mark.value.clone(), place: mark.place.clone(), by: by_option(mark) }
    }
}

impl Step {
    /// A stage that is known and whose options fit.
    pub(crate) fn new(info: &StageInfo, options: &Value, marks: &[Mark], place: &Place) -> Self {
        let of = |meaning: Meaning| marks.iter().filter(move |mark| mark.meaning == meaning);
        let always = info.reads.iter().map(|field| Need {
            field: field.clone(),
            place: place.clone(),
            by: String::new(),
        });
        let written: BTreeSet<String> = of(Meaning::Write).map(|mark| mark.value.clone()).collect();
        let added: BTreeSet<String> = of(Meaning::Add).map(|mark| mark.value.clone()).collect();
        // What one option of a stage writes another one may read, as `replace` does what `rename` has named.
        let is_own = |mark: &&Mark| {
            let writes = |other: &Mark| matches!(other.meaning, Meaning::Write | Meaning::Add);
            let is_other = |other: &Mark| other.value == mark.value && other.option != mark.option;
            mark.meaning != Meaning::Remove && marks.iter().any(|other| writes(other) && is_other(other))
        };
        let named: Vec<Need> = [Meaning::Read, Meaning::Remove, Meaning::Keep]
            .into_iter()
            .flat_map(of)
            .filter(|mark| !is_own(mark))
            .map(Need::of_option)
            .collect();
        let in_conditions = of(Meaning::Condition).flat_map(|mark| {
            let parts = expressions::parts_read(&mark.value);
            parts.into_iter().map(|part| Need { field: part.to_owned(), ..Need::of_option(mark) })
        });
        let mut writes: BTreeSet<String> = info.writes.iter().cloned().collect();
        let any = writes.remove("*");
        let defaults = default_writes(info, options);
        let narrowed = !written.is_empty() || !defaults.is_empty() || writes_none(info, options);
        writes.extend(written.iter().cloned());
        writes.extend(defaults);
        for mark in of(Meaning::Renamed) {
            writes.remove(&mark.value);
        }
        writes.extend(added.iter().cloned());
        let keeps = is_given(info, options, "keep")
            .then(|| of(Meaning::Keep).map(|mark| mark.value.clone()).collect());
        Self {
            name: info.name.clone(),
            id: info.name.clone(),
            kind: Some(info.kind),
            place: place.clone(),
            forms: Forms::new(),
            any_order: None,
            example: None,
            reads: always.chain(named).chain(in_conditions).collect(),
            conditions: of(Meaning::Condition).cloned().collect(),
            writes,
            named: written,
            values: values(info, options),
            writes_any: any && !narrowed,
            removes: of(Meaning::Remove).cloned().collect(),
            keeps,
            apart: Apart::of(info, options),
            expects: if info.kind == Kind::Reader { expected(marks) } else { Vec::new() },
            measures: info.measures.iter().map(|measure| measure.name.clone().into_owned()).collect(),
        }
    }

    /// The same stage with what its table says of it.
    pub(crate) fn in_table(self, id: &str, any_order: Option<&Place>) -> Self {
        Self { id: id.to_owned(), any_order: any_order.cloned(), ..self }
    }

    /// The same reader with a file that it would be given.
    pub(crate) fn with_example(&self, file: String) -> Self {
        Self { example: Some(file), ..self.clone() }
    }

    /// Forgets what it takes away, because it cannot be opened.
    pub(crate) fn takes_nothing_away(&mut self) {
        self.removes.clear();
        self.keeps = None;
    }

    /// What messages call it: ``extractor `boilerplate` ``.
    pub(crate) fn called(&self) -> String {
        let kind = self.kind.map_or_else(|| "stage".to_owned(), |kind| kind.to_string());
        format!("{kind} `{}`", self.id)
    }

    /// Whether it looks at the text of a document.
    pub(crate) fn reads_text(&self) -> bool {
        self.reads.iter().any(|need| need.field == "text")
    }

    /// The same stage, whose `path` names a field, too.
    pub(crate) fn with_path_field(mut self, field: &str, place: &Place) -> Self {
        let (field, by) = (field.to_owned(), "the path of ".to_owned());
        self.reads.push(Need { field, place: place.clone(), by });
        self
    }

    /// A stage that is unknown or whose options are wrong: it needs nothing and may write anything, so that
    /// one mistake does not look like several.
    pub(crate) fn unknown(name: &str, place: &Place) -> Self {
        Self {
            name: name.to_owned(),
            id: name.to_owned(),
            kind: None,
            place: place.clone(),
            forms: Forms::new(),
            any_order: None,
            example: None,
            reads: Vec::new(),
            conditions: Vec::new(),
            writes: BTreeSet::new(),
            named: BTreeSet::new(),
            values: BTreeMap::new(),
            writes_any: true,
            removes: Vec::new(),
            keeps: None,
            apart: None,
            expects: Vec::new(),
            measures: Vec::new(),
        }
    }
}

/// The fields that the options of a reader say there are, as documents have them.
fn expected(marks: &[Mark]) -> Vec<NamedField> {
    let is_renamed = |mark: &&Mark| {
        let same = |other: &Mark| other.meaning == Meaning::Renamed && other.value == mark.value;
        marks.iter().any(same)
    };
    let listed = marks.iter().filter(|mark| mark.meaning == Meaning::Write && !is_renamed(mark));
    let added = marks.iter().filter(|mark| mark.meaning == Meaning::Add);
    listed.chain(added).map(|mark| NamedField { name: mark.value.clone(), by: by_option(mark) }).collect()
}

/// The values that fields have behind a stage (`x-values`), by the name of the field.
fn values(info: &StageInfo, options: &Value) -> BTreeMap<String, Vec<String>> {
    let properties = info.schema.get("properties").and_then(Value::as_object).into_iter().flatten();
    let strings = |list: &Value| -> Vec<String> {
        list.as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
    };
    let of_option = |(option, schema): (&String, &Value)| {
        let told = schema.get("x-values")?;
        let is_given = |option: &String| options.get(option).is_some();
        if strings(told.get("unless")?).iter().any(is_given) {
            return None;
        }
        let field = options.get(option).or_else(|| schema.get("default"))?.as_str()?.to_owned();
        Some((field, strings(told.get("of")?)))
    };
    properties.filter_map(of_option).collect()
}

/// Whether a list of fields of this sort (`x-field`) is given; it may be empty.
fn is_given(info: &StageInfo, options: &Value, sort: &str) -> bool {
    let properties = info.schema.get("properties").and_then(Value::as_object).into_iter().flatten();
    let is_of_sort = |schema: &Value| schema.get("x-field").and_then(Value::as_str) == Some(sort);
    properties.into_iter().any(|(key, schema)| is_of_sort(schema) && options.get(key).is_some())
}

/// Whether the list of the fields that a stage writes is given and empty.
fn writes_none(info: &StageInfo, options: &Value) -> bool {
    let properties = info.schema.get("properties").and_then(Value::as_object).into_iter().flatten();
    let is_write = |schema: &Value| schema.get("x-field").and_then(Value::as_str) == Some("write");
    let is_empty = |value: &Value| value.as_array().is_some_and(Vec::is_empty);
    properties.into_iter().any(|(key, schema)| is_write(schema) && options.get(key).is_some_and(is_empty))
}

/// The fields that a stage writes because an option that names them has its default.
pub(crate) fn default_writes(info: &StageInfo, options: &Value) -> Vec<String> {
    let properties = info.schema.get("properties").and_then(Value::as_object);
    properties
        .into_iter()
        .flatten()
        .filter(|(key, schema)| {
            schema.get("x-field").and_then(Value::as_str) == Some("write") && options.get(key).is_none()
        })
        .filter_map(|(_, schema)| schema.get("default"))
        .flat_map(|default| match default {
            Value::String(field) => vec![field.clone()],
            Value::Array(fields) => fields.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
            _ => Vec::new(),
        })
        .filter(|field| !field.is_empty())
        .collect()
}
