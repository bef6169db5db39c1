//! One document on its way through the stages: what each has changed, measured and decided.
//!
//! [`Explainer`] is an observer, so what it shows is what happens in a run. What comes of it, [`Explanation`], is data:
//! the command line prints it, [`page()`] makes HTML of it.

mod difference;
mod page;
#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use serde::Serialize;
use tamis_document::{Document, Fate, Form, Limit, Measure, Metadata, Record};
use tamis_runner::{Event, Interest, Observer, RecordPlace};
use tamis_stage::StageInfo;
use tamis_text::encoding::{Hints, decode};
use tamis_text::markup::is_page;

pub use difference::{Kind, Line, Piece, difference, lines};
pub use page::page;

/// What is known of a document when it has passed.
#[derive(Debug, Default)]
pub struct Explanation {
    /// The name of the pipeline.
    pub pipeline: String,
    /// What should be known before the rest is read, in sentences.
    pub notes: Vec<String>,
    /// The document, and those that were split off it.
    pub documents: Vec<Journey>,
}

/// The way of one document.
#[derive(Debug, Clone)]
pub struct Journey {
    /// The id with which it came in.
    pub id: String,
    /// The file in which it stands.
    pub file: String,
    /// Its metadata when it came in.
    pub fields: Vec<Field>,
    /// The size of its text when it came in, or of what was scraped where there is no text.
    pub size: Size,
    /// Its stages, in order.
    pub steps: Vec<Step>,
    /// What became of it.
    pub fate: Fate,
    /// Who decided that: a stage, a source or an export; none if it was kept.
    pub decided_by: Option<String>,
    /// Its text when it came in; of the source of a page, what that shows.
    pub before: String,
    /// Its text in the end.
    pub text: String,
    /// Its metadata in the end.
    pub metadata: Metadata,
    /// The id that it has now.
    now: String,
    n_measures: usize,
}

/// How long something is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Size {
    /// A text, in characters.
    Chars(usize),
    /// Bytes as they were scraped.
    Bytes(usize),
}

/// What a stage did with a document.
#[derive(Debug, Clone)]
pub struct Step {
    /// The id of the stage.
    pub id: String,
    /// The stage.
    pub name: String,
    /// What it does, in a sentence.
    pub summary: String,
    /// What it took, on the clock.
    pub time: Duration,
    /// What it changed in the text; none if that stayed.
    pub change: Option<Change>,
    /// Metadata that it has added, changed or taken away.
    pub fields: Vec<Field>,
    /// The new id, if it gave one.
    pub new_id: Option<String>,
    /// What it measured.
    pub measures: Vec<Measured>,
    /// How many documents it has split off.
    pub n_split: usize,
    /// What else is known of how it came to that, in sentences.
    pub remarks: Vec<String>,
    /// The condition by which it dropped the document, with the values of what that names.
    pub condition: Option<(String, Vec<(String, String)>)>,
    /// What it decided.
    pub fate: Fate,
}

/// How a text was changed.
#[derive(Debug, Clone)]
pub struct Change {
    /// How long it was.
    pub before: Size,
    /// How long it is, in characters.
    pub after: usize,
    /// Whether it was the source of a page: then `pieces` are what the page shows, not its markup.
    pub is_page: bool,
    /// The text, in pieces that stayed, went or came.
    pub pieces: Vec<Piece>,
}

/// A field of metadata that was changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Field {
    /// Its name.
    pub name: String,
    /// Its value before, as JSON or, of a string, as it is.
    pub before: Option<String>,
    /// Its value now.
    pub after: Option<String>,
}

/// A value that was measured, beside its limit.
#[derive(Debug, Clone)]
pub struct Measured {
    /// The measure.
    pub measure: Measure,
    /// Its unit; empty if it has none, or nobody says.
    pub unit: Cow<'static, str>,
    /// What it is, in a sentence.
    pub summary: Cow<'static, str>,
    /// The option that is the limit; empty if it is none.
    pub option: Cow<'static, str>,
}

/// Where nobody says what the measure is.
impl From<Measure> for Measured {
    fn from(measure: Measure) -> Self {
        Self { measure, unit: Cow::default(), summary: Cow::default(), option: Cow::default() }
    }
}

/// Sees documents pass.
#[derive(Debug)]
pub struct Explainer {
    stages: Vec<(String, StageInfo)>,
    /// Of which record, where there are others.
    place: Option<RecordPlace>,
    /// Whether nobody wants to see what each stage changed, which takes the most time.
    is_brief: bool,
    seen: Mutex<Vec<Journey>>,
}

impl Explainer {
    /// For a plan with these stages, each with its id; `position` is that of the record, where the run has others.
    pub fn new(stages: Vec<(String, StageInfo)>, position: Option<u128>) -> Self {
        Self { stages, place: position.map(record_of), is_brief: false, seen: Mutex::default() }
    }

    /// For many documents: what stages changed is told by sizes alone ([`Change::pieces`] are empty).
    pub fn brief(stages: Vec<(String, StageInfo)>) -> Self {
        Self { is_brief: true, ..Self::new(stages, None) }
    }

    /// What was seen.
    pub fn finish(self) -> Vec<Journey> {
        self.seen.into_inner().unwrap_or_else(PoisonError::into_inner)
    }

    fn step(&self, journey: &mut Journey, (id, before): (&str, &Document), after: &Record) -> Step {
        let info = self.stages.iter().find(|(known, _)| known == id).map(|(_, info)| info);
        let measures = after.measures.get(journey.n_measures..).unwrap_or_default();
        journey.n_measures = after.measures.len();
        let document = &after.document;
        Step {
            id: id.to_owned(),
            name: info.map(|info| info.name.clone()).unwrap_or_default(),
            summary: info.map(|info| info.summary.clone()).unwrap_or_default(),
            time: Duration::ZERO,
            change: change(before, document, self.is_brief),
            fields: changed(&before.metadata, &document.metadata),
            new_id: (document.id != before.id).then(|| document.id.clone()),
            measures: measures.iter().map(|measure| measured(measure, info)).collect(),
            n_split: 0,
            remarks: Vec::new(),
            condition: None,
            fate: after.fate.clone(),
        }
    }

    /// Notes how a document leaves.
    fn leave(journey: &mut Journey, record: &Record) {
        journey.fate = record.fate.clone();
        journey.decided_by = record.stage.as_deref().map(str::to_owned);
    }
}

/// The place without what tells apart what was split off one record.
fn record_of(position: u128) -> RecordPlace {
    RecordPlace { split: 0, ..RecordPlace::of(position) }
}

impl Observer for Explainer {
    fn interest(&self) -> Interest {
        Interest::DOCUMENTS
    }

    fn wants(&self, record: &Record) -> bool {
        self.place.is_none_or(|place| record_of(record.position) == place)
    }

    fn event(&self, event: &Event<'_>) {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let find = |seen: &mut Vec<Journey>, id: &str| seen.iter().rposition(|journey| journey.now == id);
        match event {
            // What comes out of what was put aside has been seen coming in.
            Event::Entered { record } if find(&mut seen, &record.document.id).is_none() => {
                seen.push(Journey::begin(record));
            }
            Event::Stage { stage, before, after, split, time } => {
                let Some(at) = find(&mut seen, &before.id) else { return };
                let Some(journey) = seen.get_mut(at) else { return };
                let step = self.step(journey, (stage, before), after);
                if !after.is_kept() {
                    journey.fate = after.fate.clone();
                    journey.decided_by = Some((*stage).to_owned());
                }
                journey.now.clone_from(&after.document.id);
                journey.text.clone_from(&after.document.text);
                journey.metadata.clone_from(&after.document.metadata);
                journey.steps.push(Step { time: time.wall, n_split: *split, ..step });
            }
            Event::Left { record } => {
                let at = find(&mut seen, &record.document.id);
                if let Some(journey) = at.and_then(|at| seen.get_mut(at)) {
                    Self::leave(journey, record);
                }
            }
            _ => {}
        }
    }
}

impl Journey {
    fn begin(record: &Record) -> Self {
        let document = &record.document;
        Self {
            id: document.id.clone(),
            file: document.origin.file.to_string(),
            fields: changed(&Metadata::default(), &document.metadata),
            size: size(document),
            steps: Vec::new(),
            fate: record.fate.clone(),
            decided_by: record.stage.as_deref().map(str::to_owned),
            before: shown(document).unwrap_or_else(|| document.text.clone()),
            text: document.text.clone(),
            metadata: document.metadata.clone(),
            now: document.id.clone(),
            n_measures: record.measures.len(),
        }
    }
}

fn size(document: &Document) -> Size {
    match &document.raw {
        Some(raw) if document.text.is_empty() => Size::Bytes(raw.len()),
        _ => Size::Chars(document.text.chars().count()),
    }
}

/// What became of a text, if it was changed.
fn change(before: &Document, after: &Document, is_brief: bool) -> Option<Change> {
    if before.text == after.text {
        return None;
    }
    let shown = if after.form == Some(Form::Markup) || is_brief { None } else { shown(before) };
    let pieces = match &shown {
        _ if is_brief => Vec::new(),
        shown => difference(shown.as_deref().unwrap_or(&before.text), &after.text),
    };
    let after = after.text.chars().count();
    Some(Change { before: size(before), after, is_page: shown.is_some(), pieces })
}

/// The text that a document shows that is the source of a page, block by block.
fn shown(document: &Document) -> Option<String> {
    let source = match &document.raw {
        Some(raw) if document.text.is_empty() => {
            decode(raw, &Hints { markup: true, ..Hints::default() }).text
        }
        _ if is_source(document) => Cow::Borrowed(document.text.as_str()),
        _ => return None,
    };
    let tree = tamis_html::parse(&source).ok()?;
    let blocks = tamis_html::Blocks::of(&tree);
    let lines: Vec<&str> = blocks.blocks.iter().map(|block| blocks.text_of(block)).collect();
    Some(lines.join("\n"))
}

/// Readers say so; of lines of JSON nobody knows.
fn is_source(document: &Document) -> bool {
    match document.form {
        Some(form) => form == Form::Markup,
        None => is_page(document.text.as_bytes()),
    }
}

fn changed(before: &Metadata, after: &Metadata) -> Vec<Field> {
    let mut names: Vec<&str> = before.iter().chain(after.iter()).map(|(name, _)| name).collect();
    names.sort_unstable();
    names.dedup();
    let field = |name: &str| {
        let [before, after] = [before, after].map(|metadata| metadata.get(name));
        let is_same = before == after;
        let field = Field { name: name.to_owned(), before: before.map(written), after: after.map(written) };
        (!is_same).then_some(field)
    };
    names.into_iter().filter_map(field).collect()
}

/// A value as people read it: strings without quotes.
fn written(value: &tamis_document::Value) -> String {
    match value {
        tamis_document::Value::String(text) => text.clone(),
        value => serde_json::to_string(value).unwrap_or_default(),
    }
}

fn measured(measure: &Measure, info: Option<&StageInfo>) -> Measured {
    let declared = info.and_then(|info| info.measures.iter().find(|declared| declared.covers(&measure.name)));
    let said = declared.map(|it| {
        let option = match measure.limit {
            Limit::None => Cow::default(),
            Limit::Min(_) => it.min_option.clone(),
            Limit::Max(_) => it.max_option.clone(),
        };
        (it.unit.clone(), it.summary.clone(), option)
    });
    let (unit, summary, option) = said.unwrap_or_default();
    Measured { measure: measure.clone(), unit, summary, option }
}
