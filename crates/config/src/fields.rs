//! Follows fields through the pipeline: who reads a field that nobody before it writes.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use tamis_expression::{Field, Names, Type};
use tamis_stage::{Kind, Registry};

use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::expressions;
use crate::order;
use crate::plan::NamedField;
use crate::step::{Apart, Need, Step, by_option, default_writes};
use crate::suggest::{closest, list};
use crate::text::Place;

/// The fields that exist at one point of the pipeline.
#[derive(Default)]
struct Fields {
    known: BTreeSet<String>,
    any: bool,
    /// Those whose type is not what the name says.
    named: BTreeSet<String>,
    /// Those that were taken away: the stage that did so, and where it says so.
    gone: BTreeMap<String, (String, Place)>,
    /// The only values that some have.
    values: BTreeMap<String, Vec<String>>,
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
        if step.writes_any {
            self.values.clear();
        }
        self.values.retain(|field, _| !step.writes.contains(field));
        self.values.extend(step.values.iter().map(|(field, values)| (field.clone(), values.clone())));
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
                diagnostics.extend(expressions::check_values(condition, &fields.values));
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
