//! A sample of a collection before and after a pipeline, side by side, to be looked through.
//!
//! One page without network: all documents are in it, so without script they stand one below the other, and with it they
//! can be filtered, searched and gone through by keyboard.

use std::collections::BTreeMap;

use serde::Serialize;
use tamis_document::{Fate, Limit, Value};
use tamis_stage::Sketch;

use crate::ReportError;
use crate::explain::{Journey, Kind, Line, Measured, difference, lines};
use crate::flow::{self, Step};
use crate::histogram;
use crate::numbers::{count, share};

/// So much of a text is shown, in characters.
const MOST_CHARS: usize = 10_000;

/// A sample and what came of it.
#[derive(Debug)]
pub struct Preview<'a> {
    /// The name of the pipeline.
    pub pipeline: &'a str,
    /// What should be known before the rest is read, in sentences.
    pub notes: Vec<String>,
    /// How many files the inputs have.
    pub n_files: u64,
    /// The documents.
    pub documents: &'a [Journey],
    /// The ids of the stages, in order.
    pub stages: Vec<&'a str>,
    /// What can be turned, for a page that is served.
    pub dials: Option<Dials<'a>>,
}

/// The limits that can be turned while the page is looked at.
#[derive(Debug)]
pub struct Dials<'a> {
    /// The pipeline file that they are written to.
    pub file: String,
    /// The limits.
    pub dials: Vec<Dial<'a>>,
}

/// A limit that can be turned.
#[derive(Debug)]
pub struct Dial<'a> {
    /// The value of the pipeline that it is: `stage.length.min_chars`.
    pub key: String,
    /// The id of its stage.
    pub stage: &'a str,
    /// What is measured.
    pub measured: &'a Measured,
    /// The values of the sample, in order.
    pub values: Vec<f64>,
}

#[derive(Serialize)]
struct Shown<'a> {
    id: &'a str,
    fate: &'static str,
    /// `length: too-short`; empty if it was kept.
    cause: String,
    sizes: String,
    /// What to find it by, beside its texts.
    about: String,
    title: String,
    measures: Vec<String>,
    before: Vec<(usize, Vec<(Kind, String)>)>,
    after: String,
    is_cut: bool,
}

/// Why documents left, and how many of the sample did.
#[derive(Serialize)]
struct Cause {
    name: String,
    n: String,
    share: String,
}

/// A dial as the page shows it.
#[derive(Serialize)]
struct Turned<'a> {
    key: &'a str,
    stage: &'a str,
    name: &'a str,
    unit: &'a str,
    summary: &'a str,
    side: &'static str,
    limit: String,
    /// Where the slider is, among the values that it can take.
    at: usize,
    last: usize,
    /// As JSON.
    steps: String,
    histogram: String,
}

/// So many places has a slider.
const PLACES: usize = 100;

/// The page.
///
/// # Errors
///
/// When it cannot be filled in, which is a mistake in this crate.
pub fn page(preview: &Preview<'_>) -> Result<String, ReportError> {
    let documents: Vec<Shown<'_>> = preview.documents.iter().map(shown).collect();
    let n = documents.len() as u64;
    let mut causes: BTreeMap<&str, u64> = BTreeMap::new();
    for document in documents.iter().filter(|it| !it.cause.is_empty()) {
        *causes.entry(&document.cause).or_default() += 1;
    }
    let cause = |(name, n_of): (&&str, &u64)| Cause {
        name: (*name).to_owned(),
        n: count(*n_of),
        share: share(*n_of, n),
    };
    let of = |fate: &str| documents.iter().filter(|it| it.fate == fate).count() as u64;
    let totals: Vec<(&str, String, String)> =
        ["kept", "dropped", "failed"].map(|fate| (fate, count(of(fate)), share(of(fate), n))).to_vec();
    let content = minijinja::context! {
        tamis => env!("CARGO_PKG_VERSION"), pipeline => preview.pipeline, notes => preview.notes,
        files => if preview.n_files == 1 { "1 file".to_owned() } else { format!("{} files", count(preview.n_files)) },
        totals => totals, n => count(n),
        causes => causes.iter().map(cause).collect::<Vec<_>>(),
        documents => documents, script => include_str!("../templates/preview.js"),
        flow => flow(preview),
        file => preview.dials.as_ref().map(|it| &it.file),
        dials => preview.dials.iter().flat_map(|it| &it.dials).map(turned).collect::<Vec<_>>(),
        serve => preview.dials.is_some().then_some(include_str!("../templates/serve.js")),
    };
    crate::fill("preview.html", include_str!("../templates/preview.html"), content)
}

/// The way of the sample through the stages.
fn flow(preview: &Preview<'_>) -> String {
    let left = |id: &str, fate: fn(&Fate) -> bool| {
        let of = |it: &&Journey| fate(&it.fate) && it.decided_by.as_deref() == Some(id);
        preview.documents.iter().filter(of).count() as u64
    };
    let mut steps = Vec::new();
    for id in &preview.stages {
        let seen = preview.documents.iter().filter(|it| it.steps.iter().any(|step| step.id == *id));
        steps.push(Step {
            name: id,
            seen: seen.count() as u64,
            dropped: left(id, |fate| matches!(fate, Fate::Dropped(_))),
            failed: left(id, |fate| matches!(fate, Fate::Failed(_))),
        });
    }
    flow::draw(&steps, preview.documents.iter().filter(|it| it.fate == Fate::Kept).count() as u64)
}

fn turned<'a>(dial: &'a Dial<'a>) -> Turned<'a> {
    let Measured { measure, unit, summary, .. } = dial.measured;
    let (side, limit) = match measure.limit {
        Limit::Min(limit) => ("at least", limit),
        Limit::Max(limit) => ("at most", limit),
        Limit::None => ("", f64::NAN),
    };
    let mut sketch = Sketch::default();
    for value in &dial.values {
        sketch.note(*value);
    }
    let lines = [histogram::Line { option: side.to_owned(), at: limit }];
    // The slider moves over the values that there are, so that each place of it drops about as many more.
    let last = dial.values.len().saturating_sub(1);
    let places = (0..=PLACES).filter_map(|place| dial.values.get(place * last / PLACES).copied());
    let mut steps: Vec<f64> = places.chain([limit]).filter(|it| it.is_finite()).collect();
    steps.sort_by(f64::total_cmp);
    steps.dedup();
    Turned {
        key: &dial.key,
        stage: dial.stage,
        name: &measure.name,
        unit,
        summary,
        side,
        limit: limit.to_string(),
        last: steps.len().saturating_sub(1),
        at: steps.partition_point(|it| *it < limit),
        steps: format!("[{}]", steps.iter().map(f64::to_string).collect::<Vec<_>>().join(",")),
        histogram: histogram::draw(&measure.name, &sketch, &lines).unwrap_or_default(),
    }
}

fn shown(document: &Journey) -> Shown<'_> {
    let (fate, cause) = match (&document.fate, document.decided_by.as_deref().unwrap_or_default()) {
        (Fate::Kept, _) => ("kept", String::new()),
        (Fate::Dropped(reason), by) => ("dropped", format!("{by}: {reason}")),
        // Reasons of failures hold what differs from one to the next.
        (Fate::Failed(_), by) => ("failed", format!("{by}: failed")),
    };
    let reason = match &document.fate {
        Fate::Failed(reason) => reason.to_string(),
        _ => String::new(),
    };
    let (before, after) = (beginning(&document.before), beginning(&document.text));
    let is_cut = before.len() < document.before.len() || after.len() < document.text.len();
    // What was added stands on the other side.
    let pieces = difference(before, after).into_iter().filter(|piece| piece.kind != Kind::Added);
    let line = |line: Line| match line {
        Line::Gap(_, n) => (n, Vec::new()),
        Line::Text(pieces) => (0, pieces.into_iter().map(|piece| (piece.kind, piece.text)).collect()),
    };
    let before = lines(&pieces.collect::<Vec<_>>(), usize::MAX / 4, usize::MAX / 4);
    let field = |name: &str| match document.metadata.get(name) {
        Some(Value::String(text)) => text.clone(),
        _ => String::new(),
    };
    let about = [field("language"), field("site"), field("url")].join(" ").trim().to_owned();
    let beyond = document.steps.iter().flat_map(|step| &step.measures).filter(|it| !it.measure.holds());
    let measures = beyond.map(Measured::said);
    Shown {
        id: &document.id,
        fate,
        cause,
        sizes: format!("{} → {}", document.size, crate::explain::Size::Chars(document.text.chars().count())),
        about,
        title: if reason.is_empty() { field("title") } else { reason },
        measures: measures.collect(),
        before: before.into_iter().map(line).collect(),
        after: after.to_owned(),
        is_cut,
    }
}

fn beginning(text: &str) -> &str {
    let end = text.char_indices().nth(MOST_CHARS).map_or(text.len(), |(at, _)| at);
    text.get(..end).unwrap_or(text)
}
