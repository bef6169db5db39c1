//! Follows fields through the pipeline: who reads a field that nobody before it writes.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use tamis_expression::{Field, Names, Type};
use tamis_stage::{Forms, Kind, Registry, StageInfo};

use crate::check::{Mark, Meaning};
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::expressions;
use crate::order;
use crate::plan::NamedField;
use crate::suggest::{closest, list};
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
    any_order: Option<Place>,
    reads: Vec<Need>,
    /// Conditions over what there is.
    conditions: Vec<Mark>,
    pub(crate) writes: BTreeSet<String>,
    /// Of those it writes, the ones that the user names: they may be of any type.
    named: BTreeSet<String>,
    /// Whether it may write fields whose names nobody knows yet.
    writes_any: bool,
    /// Fields that are gone behind it, unless it writes them.
    removes: Vec<Mark>,
    /// The only fields that are there behind it.
    keeps: Option<BTreeSet<String>>,
    /// An option by which documents go their ways one by one, by their id, and the field by whose values they should
    /// stay together where there are such.
    apart: Option<Apart>,
    /// Of a reader, the fields that its options say there are, and what says so.
    expects: Vec<NamedField>,
    /// What it measures.
    measures: Vec<String>,
}

/// An option that takes a field or the id, and takes the id.
#[derive(Debug, Clone)]
struct Apart {
    option: String,
    together: String,
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
struct Need {
    field: String,
    place: Place,
    /// What of the stage names the field, to go before the name of the stage: ``option `field` of ``; empty when
    /// the stage always needs it.
    by: String,
}

/// Where fields are named, for messages.
fn by_option(mark: &Mark) -> String {
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
            // Members of objects among them, which are no fields by themselves.
            let there: Vec<String> = keeps.iter().filter(|field| self.has(field)).cloned().collect();
            self.known.retain(|field| keeps.contains(field) || is_part(field));
            self.known.extend(there);
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
        any || matches!(field, "id" | "*" | "") || self.known.contains(field) || self.has_outer(field)
    }

    /// Whether a field is there into which a name with dots reaches, or one of which a member is known to be there.
    fn has_outer(&self, field: &str) -> bool {
        let is_outer = |outer: &str| self.known.contains(outer);
        let is_in = |known: &String| known.strip_prefix(field).is_some_and(|inner| inner.starts_with('.'));
        field.match_indices('.').any(|(dot, _)| field.get(..dot).is_some_and(is_outer))
            || self.known.iter().any(is_in)
    }

    /// Those of the fields that a stage names of which nobody knows before a run whether there are such.
    fn uncertain(&self, step: &Step) -> Vec<NamedField> {
        let by_options = step.reads.iter().filter(|need| !need.by.is_empty()).map(|need| {
            let (name, by) = (need.field.clone(), need.by.clone());
            NamedField { name, by }
        });
        let is_measure = |name: &str| self.measures.iter().any(|measure| measure == name);
        let in_conditions = step.conditions.iter().flat_map(|mark| {
            let fields = expressions::fields_relied_on(&mark.value, &is_measure).into_iter();
            fields.map(|name| NamedField { name, by: by_option(mark) })
        });
        let mut named: Vec<NamedField> = by_options.chain(in_conditions).collect();
        named.retain(|field| {
            let is_metadata = !is_part(&field.name) && !matches!(field.name.as_str(), "id" | "*" | "");
            is_metadata && !self.known.contains(&field.name)
        });
        named.extend(step.expects.iter().cloned());
        named.sort();
        named.dedup_by(|one, other| one.name == other.name);
        named
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

/// What there is where a condition stands, and what there will be.
struct Here<'a> {
    fields: &'a Fields,
    /// The stages behind it.
    later: &'a [Step],
}

impl Here<'_> {
    fn later(&self, does: impl Fn(&Step) -> bool, what: &str) -> Option<String> {
        let step = self.later.iter().find(|step| does(step))?;
        Some(format!("`{}` further down {what} it: move this stage behind that", step.id))
    }
}

impl Names for Here<'_> {
    fn field(&self, name: &str) -> Field {
        let Self { fields, .. } = self;
        if !fields.has(name) {
            let gone = fields.gone.get(name).map(|(stage, _)| format!("`{stage}` takes it away"));
            let written = || self.later(|step| step.writes.contains(name), "writes");
            let measured = || Some(self.unmeasured(name)).filter(|help| !help.is_empty());
            let help = gone.or_else(written).or_else(measured);
            return Field::Unknown(help.unwrap_or_else(|| fields.suggestion(name)));
        }
        let is_string = !fields.any && STRINGS.contains(&name) && !fields.named.contains(name);
        Field::Known(if is_string { Type::String } else { Type::Any })
    }

    fn any_field(&self) -> bool {
        self.fields.any
    }

    fn unmeasured(&self, name: &str) -> String {
        self.later(|step| step.measures.iter().any(|measure| measure == name), "measures").unwrap_or_default()
    }

    fn measures(&self) -> Option<Vec<String>> {
        Some(self.fields.measures.clone())
    }
}

/// Complains about fields that are read before anybody writes them; what only a run can tell is returned.
///
/// `sources` are all readers that take part, `seen` those of them that the first files are for, as far as anybody has
/// looked, `exports` those that take kept records.
pub(crate) fn check(
    sources: &[Step],
    seen: &[Step],
    stages: &[Step],
    exports: &[Step],
    registry: &Registry,
    diagnostics: &mut Diagnostics,
) -> Uncertain {
    let mut fields = Fields::default();
    let mut uncertain = Uncertain::default();
    // With a reader missing or unknown there is nothing to say about what it writes.
    let mut certain = !sources.is_empty() && sources.iter().all(|step| step.kind.is_some());
    for step in sources {
        uncertain.note("source", step, fields.uncertain(step));
    }
    for step in sources {
        fields.add(step);
    }
    for (index, step) in stages.iter().chain(exports).enumerate() {
        let list = if index < stages.len() { "stage" } else { "export" };
        uncertain.note(list, step, fields.uncertain(step));
        if certain {
            let here = Here { fields: &fields, later: stages.get(index + 1..).unwrap_or_default() };
            for need in step.reads.iter().filter(|need| !fields.has(&need.field)) {
                diagnostics.push(complaint(step, need, &fields, registry));
            }
            for condition in &step.conditions {
                diagnostics.extend(expressions::check(condition, &here));
            }
        }
        certain &= step.kind.is_some();
        fields.add(step);
    }
    // Which readers a source chooses is known for sure when it runs, and what is said depends on that.
    certain &= sources.len() == seen.len() && !has_choice(sources);
    let mut found = order::check(seen, stages, registry);
    found.extend(parted(stages));
    diagnostics.extend(placed(found, stages, certain));
    uncertain
}

/// The fields of which only a run can tell whether any document has them, by the table and the id of who names them.
#[derive(Debug, Default)]
pub(crate) struct Uncertain(BTreeMap<(&'static str, String), Vec<NamedField>>);

impl Uncertain {
    fn note(&mut self, list: &'static str, step: &Step, named: Vec<NamedField>) {
        let all = self.0.entry((list, step.id.clone())).or_default();
        // Several readers of one source have the same options.
        let is_new = |field: &NamedField| !all.iter().any(|other| other.name == field.name);
        let new: Vec<NamedField> = named.into_iter().filter(is_new).collect();
        all.extend(new);
    }

    /// Those that a table names.
    pub(crate) fn take(&mut self, list: &'static str, id: &str) -> Vec<NamedField> {
        self.0.remove(&(list, id.to_owned())).unwrap_or_default()
    }
}

/// Warns about stages that part documents by their ids where a stage before has made several of one, which belong
/// together.
fn parted(stages: &[Step]) -> Vec<(&Step, Diagnostic)> {
    let warning = |(index, step): (usize, &'_ Step)| {
        let Apart { option, together } = step.apart.as_ref()?;
        let maker = stages.get(..index)?.iter().rev().find(|earlier| earlier.writes.contains(together))?;
        let message = format!(
            "{} goes by the id of each document, and `{}` before it makes several of one",
            step.called(),
            maker.id
        );
        let label = format!("write `{option} = \"{together}\"`, or put it before `{}`", maker.id);
        let warning = Diagnostic::warning(&step.place, message).label(label);
        Some((index, warning.related(&maker.place, format!("gives each the field `{together}`"))))
    };
    let found = stages.iter().enumerate().filter_map(warning).collect::<Vec<_>>();
    found.into_iter().filter_map(|(index, warning)| Some((stages.get(index)?, warning))).collect()
}

/// Whether a source chooses among several readers.
fn has_choice(sources: &[Step]) -> bool {
    sources.windows(2).any(|pair| pair[0].id == pair[1].id)
}

/// What is said about the order of stages, but for those that stand where they do on purpose; and which of these need
/// not have said so.
fn placed(found: Vec<(&Step, Diagnostic)>, stages: &[Step], certain: bool) -> Vec<Diagnostic> {
    let is_said_of = |step: &Step| found.iter().any(|(about, _)| std::ptr::eq(*about, step));
    let idle: Vec<Diagnostic> = stages
        .iter()
        .filter_map(|step| step.any_order.as_ref().filter(|_| certain && !is_said_of(step)))
        .map(|place| {
            let label = "nothing is wrong with where the stage stands: remove this";
            Diagnostic::error(place, "`any_order` of a stage has no effect").label(label)
        })
        .collect();
    let said = found.into_iter().filter(|(step, _)| step.any_order.is_none());
    said.map(|(_, warning)| warning).chain(idle).collect()
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
        .filter(|info| {
            let writes = || info.writes.contains(&need.field);
            // Unless told otherwise.
            let writes_by_default = || default_writes(info, &Value::Null).contains(&need.field);
            info.kind != Kind::Exporter && (writes() || writes_by_default())
        })
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
