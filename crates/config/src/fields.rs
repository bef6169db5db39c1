//! Follows fields through the pipeline: who reads a field that nobody before it writes, and which filter
//! judges a text that is still to be cleaned.

use std::collections::BTreeSet;

use serde_json::Value;
use tamis_stage::{Kind, Registry, StageInfo};

use crate::check::{Mark, Meaning};
use crate::diagnostic::{Diagnostic, Diagnostics};
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
    writes: BTreeSet<String>,
    /// Whether it may write fields whose names nobody knows yet.
    writes_any: bool,
}

#[derive(Debug, Clone)]
struct Need {
    field: String,
    place: Place,
    /// What of the stage names the field, to go before the name of the stage: ``option `field` of ``; empty when
    /// the stage always needs it.
    by: String,
}

impl Step {
    /// A stage that is known and whose options fit.
    pub(crate) fn new(info: &StageInfo, options: &Value, marks: &[Mark], place: &Place) -> Self {
        let always = info.reads.iter().map(|field| Need {
            field: field.clone(),
            place: place.clone(),
            by: String::new(),
        });
        let named = marks.iter().filter(|mark| mark.meaning == Meaning::Read).map(|mark| Need {
            field: mark.value.clone(),
            place: mark.place.clone(),
            by: format!("option `{}` of ", mark.option),
        });
        let mut writes: BTreeSet<String> = info.writes.iter().cloned().collect();
        let any = writes.remove("*");
        let written: Vec<&Mark> = marks.iter().filter(|mark| mark.meaning == Meaning::Write).collect();
        let defaults = default_writes(info, options);
        let narrowed = !written.is_empty() || !defaults.is_empty();
        writes.extend(written.iter().map(|mark| mark.value.clone()));
        writes.extend(defaults);
        Self {
            name: info.name.clone(),
            kind: Some(info.kind),
            place: place.clone(),
            reads: always.chain(named).collect(),
            writes,
            writes_any: any && !narrowed,
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
            writes: BTreeSet::new(),
            writes_any: true,
        }
    }
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
struct Fields {
    known: BTreeSet<String>,
    any: bool,
}

impl Fields {
    fn add(&mut self, step: &Step) {
        self.known.extend(step.writes.iter().cloned());
        self.any |= step.writes_any;
    }

    fn has(&self, field: &str) -> bool {
        // `text` and `raw` are no metadata: a reader of unknown metadata does not write them by chance.
        let any = self.any && !matches!(field, "text" | "raw");
        any || matches!(field, "id" | "*" | "") || self.known.contains(field)
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
    let mut fields = Fields { known: BTreeSet::new(), any: false };
    // With a reader missing or unknown there is nothing to say about what it writes.
    let mut certain = !sources.is_empty() && sources.iter().all(|step| step.kind.is_some());
    for step in sources {
        fields.add(step);
    }
    for step in stages.iter().chain(exports) {
        let needs = step.reads.iter().filter(|need| certain && !fields.has(&need.field));
        for need in needs {
            diagnostics.push(complaint(step, need, &fields, registry));
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
    let known: Vec<&str> = fields.known.iter().map(String::as_str).collect();
    let label = match closest(&need.field, known.iter().copied()) {
        Some(field) => format!("did you mean `{field}`?"),
        None if known.is_empty() => String::new(),
        None => format!("written before: {}", list(&known)),
    };
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
    Diagnostic::error(&need.place, message).label(label).note(note)
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
