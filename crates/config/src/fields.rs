//! Follows fields through the pipeline: who reads a field that nobody before it writes, and which filter
//! judges a text that is still to be cleaned.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use tamis_expression::{Field, Names, Type};
use tamis_stage::{Kind, Registry, StageInfo};

use crate::check::{Mark, Meaning};
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::expressions;
use crate::suggest::{closest, list};
use crate::text::Place;

/// What one stage does to fields.
#[derive(Debug, Clone)]
pub(crate) struct Step {
    name: String,
    kind: Option<Kind>,
    /// Where the pipeline names the stage.
    place: Place,
    reads: Vec<Need>,
    /// Conditions over what there is.
    conditions: Vec<Mark>,
    writes: BTreeSet<String>,
    /// Of those it writes, the ones that the user names: they may be of any type.
    named: BTreeSet<String>,
    /// Whether it may write fields whose names nobody knows yet.
    writes_any: bool,
    /// Fields that are gone behind it, unless it writes them.
    removes: Vec<Mark>,
    /// The only fields that are there behind it.
    keeps: Option<BTreeSet<String>>,
    /// What it measures.
    measures: Vec<String>,
}

#[derive(Debug, Clone)]
struct Need {
    field: String,
    place: Place,
    /// What of the stage names the field, to go before the name of the stage: ``option `field` of ``; empty when
    /// the stage always needs it.
    by: String,
}

impl Need {
    fn of_option(mark: &Mark) -> Self {
        let by = format!("option `{}` of ", mark.option);
        Self { field: mark.value.clone(), place: mark.place.clone(), by }
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
        let named =
            [Meaning::Read, Meaning::Remove, Meaning::Keep].into_iter().flat_map(of).map(Need::of_option);
        let in_conditions = of(Meaning::Condition).flat_map(|mark| {
            let parts = expressions::parts_read(&mark.value);
            parts.into_iter().map(|part| Need { field: part.to_owned(), ..Need::of_option(mark) })
        });
        let mut writes: BTreeSet<String> = info.writes.iter().cloned().collect();
        let any = writes.remove("*");
        let written: BTreeSet<String> = of(Meaning::Write).map(|mark| mark.value.clone()).collect();
        let defaults = default_writes(info, options);
        let narrowed = !written.is_empty() || !defaults.is_empty();
        writes.extend(written.iter().cloned());
        writes.extend(defaults);
        let keeps = is_given(info, options, "keep")
            .then(|| of(Meaning::Keep).map(|mark| mark.value.clone()).collect());
        Self {
            name: info.name.clone(),
            kind: Some(info.kind),
            place: place.clone(),
            reads: always.chain(named).chain(in_conditions).collect(),
            conditions: of(Meaning::Condition).cloned().collect(),
            writes,
            named: written,
            writes_any: any && !narrowed,
            removes: of(Meaning::Remove).cloned().collect(),
            keeps,
            measures: info.measures.iter().map(|measure| measure.name.clone().into_owned()).collect(),
        }
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
            kind: None,
            place: place.clone(),
            reads: Vec::new(),
            conditions: Vec::new(),
            writes: BTreeSet::new(),
            named: BTreeSet::new(),
            writes_any: true,
            removes: Vec::new(),
            keeps: None,
            measures: Vec::new(),
        }
    }
}

/// Whether a list of fields of this sort (`x-field`) is given; it may be empty.
fn is_given(info: &StageInfo, options: &Value, sort: &str) -> bool {
    let properties = info.schema.get("properties").and_then(Value::as_object).into_iter().flatten();
    let is_of_sort = |schema: &Value| schema.get("x-field").and_then(Value::as_str) == Some(sort);
    properties.into_iter().any(|(key, schema)| is_of_sort(schema) && options.get(key).is_some())
}

/// The fields that a stage writes because an option that names them has its default.
fn default_writes(info: &StageInfo, options: &Value) -> Vec<String> {
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

/// The fields that exist at one point of the pipeline.
#[derive(Default)]
struct Fields {
    known: BTreeSet<String>,
    any: bool,
    /// Those whose type is not what the name says.
    named: BTreeSet<String>,
    /// Those that were taken away: the stage that did so, and where it says so.
    gone: BTreeMap<String, (String, Place)>,
    /// What has been measured by then.
    measures: Vec<String>,
}

impl Fields {
    fn add(&mut self, step: &Step) {
        for mark in &step.removes {
            self.known.remove(&mark.value);
            self.gone.insert(mark.value.clone(), (step.name.clone(), mark.place.clone()));
        }
        if let Some(keeps) = &step.keeps {
            self.known.retain(|field| keeps.contains(field) || is_part(field));
            self.known.extend(keeps.iter().cloned());
            self.any = false;
        }
        self.known.extend(step.writes.iter().cloned());
        self.named.extend(step.named.iter().cloned());
        self.gone.retain(|field, _| !step.writes.contains(field));
        self.any |= step.writes_any;
        self.measures.extend(step.measures.iter().cloned());
    }

    fn has(&self, field: &str) -> bool {
        // `text` and `raw` are no metadata: a reader of unknown metadata does not write them by chance.
        let any = self.any && !is_part(field) && !self.gone.contains_key(field);
        any || matches!(field, "id" | "*" | "") || self.known.contains(field)
    }

    /// What to write instead of a field that is not there.
    fn suggestion(&self, field: &str) -> String {
        let known: Vec<&str> = self.known.iter().map(String::as_str).collect();
        match closest(field, known.iter().copied()) {
            Some(field) => format!("did you mean `{field}`?"),
            None if known.is_empty() => String::new(),
            None => format!("written before: {}", list(&known)),
        }
    }
}

/// What is no metadata.
fn is_part(field: &str) -> bool {
    matches!(field, "text" | "raw")
}

/// Fields whose values are strings, whoever writes them: what the output promises.
const STRINGS: [&str; 12] = [
    "account",
    "account_id",
    "author",
    "description",
    "language",
    "published",
    "published_raw",
    "publisher",
    "site",
    "source",
    "title",
    "url",
];

impl Names for Fields {
    fn field(&self, name: &str) -> Field {
        if !self.has(name) {
            return Field::Unknown(match self.gone.get(name) {
                Some((stage, _)) => format!("`{stage}` takes it away"),
                None => self.suggestion(name),
            });
        }
        let is_string = !self.any && STRINGS.contains(&name) && !self.named.contains(name);
        Field::Known(if is_string { Type::String } else { Type::Any })
    }

    fn any_field(&self) -> bool {
        self.any
    }

    fn measures(&self) -> Option<Vec<String>> {
        Some(self.measures.clone())
    }
}

/// Complains about fields that are read before anybody writes them.
///
/// `sources` are all readers that take part, `exports` those that take kept records.
pub(crate) fn check(
    sources: &[Step],
    stages: &[Step],
    exports: &[Step],
    registry: &Registry,
    diagnostics: &mut Diagnostics,
) {
    let mut fields = Fields::default();
    // With a reader missing or unknown there is nothing to say about what it writes.
    let mut certain = !sources.is_empty() && sources.iter().all(|step| step.kind.is_some());
    for step in sources {
        fields.add(step);
    }
    for step in stages.iter().chain(exports) {
        if certain {
            for need in step.reads.iter().filter(|need| !fields.has(&need.field)) {
                diagnostics.push(complaint(step, need, &fields, registry));
            }
            for condition in &step.conditions {
                diagnostics.extend(expressions::check(condition, &fields));
            }
        }
        certain &= step.kind.is_some();
        fields.add(step);
    }
    order(stages, diagnostics);
}

fn complaint(step: &Step, need: &Need, fields: &Fields, registry: &Registry) -> Diagnostic {
    let kind = step.kind.map_or_else(|| "stage".to_owned(), |kind| kind.to_string());
    let message = format!(
        "{}{kind} `{}` needs the field `{}`, which nothing before it writes",
        need.by, step.name, need.field
    );
    if let Some((stage, place)) = fields.gone.get(&need.field) {
        return Diagnostic::error(&need.place, message)
            .label(fields.suggestion(&need.field))
            .related(place, format!("`{stage}` takes it away"));
    }
    let writers: Vec<&str> = registry
        .iter()
        .map(|factory| factory.info())
        .filter(|info| info.kind != Kind::Exporter && info.writes.contains(&need.field))
        .map(|info| info.name.as_str())
        .take(6)
        .collect();
    let note = if writers.is_empty() {
        String::new()
    } else {
        format!("stages that write `{}`: {}", need.field, list(&writers))
    };
    Diagnostic::error(&need.place, message).label(fields.suggestion(&need.field)).note(note)
}

/// Warns about filters that judge a text which a later extractor still rewrites.
fn order(stages: &[Step], diagnostics: &mut Diagnostics) {
    let rewrites = |step: &Step| {
        matches!(step.kind, Some(Kind::Extractor | Kind::Corpus)) && step.writes.contains("text")
    };
    for (index, filter) in stages.iter().enumerate() {
        let judges_text = filter.reads.iter().any(|need| need.field == "text");
        if filter.kind != Some(Kind::Filter) || !judges_text {
            continue;
        }
        let (_, rest) = stages.split_at(index + 1);
        let Some(last) = rest.iter().rposition(rewrites) else { continue };
        // A cheap first look and a second one on the clean text is a plan, not a slip.
        if rest.iter().skip(last + 1).any(|step| step.name == filter.name) {
            continue;
        }
        let cleaner = &rest[last];
        diagnostics.push(
            Diagnostic::warning(
                &filter.place,
                format!("filter `{}` judges the text before `{}` rewrites it", filter.name, cleaner.name),
            )
            .label("move it down, unless the unfinished text is what it should judge")
            .related(&cleaner.place, "rewrites the text"),
        );
    }
}
