//! An explanation as a page.

use serde::Serialize;
use tamis_document::{Fate, Limit};

use super::{Change, Explanation, Field, Journey, Kind, Line, Measured, Size, Step, lines};
use crate::ReportError;
use crate::numbers::{count, value_beside};

/// So many lines that stayed are shown around what changed.
const CONTEXT: usize = 2;

/// A document, as the page shows it.
#[derive(Serialize)]
struct Shown<'a> {
    id: &'a str,
    file: &'a str,
    size: String,
    fields: &'a [Field],
    steps: Vec<ShownStep<'a>>,
    fate: &'static str,
    decided: String,
    text: &'a str,
}

#[derive(Serialize)]
struct ShownStep<'a> {
    id: &'a str,
    name: &'a str,
    summary: &'a str,
    time: String,
    is_quiet: bool,
    change: Option<ShownChange<'a>>,
    fields: &'a [Field],
    new_id: Option<&'a str>,
    measures: Vec<ShownMeasure<'a>>,
    n_split: usize,
    remarks: &'a [String],
    condition: Option<&'a (String, Vec<(String, String)>)>,
    fate: &'static str,
    reason: &'a str,
}

#[derive(Serialize)]
struct ShownChange<'a> {
    sizes: String,
    is_page: bool,
    lines: Vec<ShownLine<'a>>,
}

/// A line: its pieces, or how many are left out.
#[derive(Serialize)]
struct ShownLine<'a> {
    gap: usize,
    pieces: Vec<(Kind, &'a str)>,
}

#[derive(Serialize)]
struct ShownMeasure<'a> {
    name: &'a str,
    value: String,
    unit: &'a str,
    limit: String,
    holds: bool,
    summary: &'a str,
}

/// The page: one file without script or network.
///
/// # Errors
///
/// When it cannot be filled in, which is a mistake in this crate.
pub fn page(explanation: &Explanation) -> Result<String, ReportError> {
    // What is shown of a line borrows from it.
    let all: Vec<Vec<Option<Vec<Line>>>> = explanation
        .documents
        .iter()
        .map(|document| document.steps.iter().map(|step| step.change.as_ref().map(of_change)).collect())
        .collect();
    let documents: Vec<Shown<'_>> =
        explanation.documents.iter().zip(&all).map(|(document, lines)| shown(document, lines)).collect();
    let content = minijinja::context! {
        pipeline => explanation.pipeline, notes => explanation.notes, documents => documents,
        tamis => env!("CARGO_PKG_VERSION"),
    };
    crate::fill("explain.html", include_str!("../../templates/explain.html"), content)
}

/// All of a page, to see what was kept of it; else what changed.
fn of_change(change: &Change) -> Vec<Line> {
    let context = if change.is_page { usize::MAX / 4 } else { CONTEXT };
    lines(&change.pieces, context, usize::MAX / 4)
}

fn shown<'a>(document: &'a Journey, lines: &'a [Option<Vec<Line>>]) -> Shown<'a> {
    let decided = match (&document.fate, &document.decided_by) {
        (Fate::Kept, _) => String::new(),
        (Fate::Dropped(reason) | Fate::Failed(reason), Some(by)) => format!("by {by}: {reason}"),
        (Fate::Dropped(reason) | Fate::Failed(reason), None) => reason.to_string(),
    };
    Shown {
        id: &document.id,
        file: &document.file,
        size: size(document.size),
        fields: &document.fields,
        steps: document
            .steps
            .iter()
            .zip(lines)
            .map(|(step, lines)| of_step(step, lines.as_deref()))
            .collect(),
        fate: fate(&document.fate),
        decided,
        text: &document.text,
    }
}

fn of_step<'a>(step: &'a Step, lines: Option<&'a [Line]>) -> ShownStep<'a> {
    let change = step.change.as_ref().zip(lines).map(|(change, lines)| ShownChange {
        sizes: change.sizes(),
        is_page: change.is_page,
        lines: lines.iter().map(of_line).collect(),
    });
    let reason = match &step.fate {
        Fate::Kept => "",
        Fate::Dropped(reason) | Fate::Failed(reason) => reason,
    };
    ShownStep {
        id: &step.id,
        name: if step.name == step.id { "" } else { &step.name },
        summary: &step.summary,
        time: time(step.time),
        is_quiet: step.is_quiet(),
        change,
        fields: &step.fields,
        new_id: step.new_id.as_deref(),
        measures: step.measures.iter().map(of_measure).collect(),
        n_split: step.n_split,
        remarks: &step.remarks,
        condition: step.condition.as_ref(),
        fate: fate(&step.fate),
        reason,
    }
}

fn of_line(line: &Line) -> ShownLine<'_> {
    match line {
        Line::Gap(_, n) => ShownLine { gap: *n, pieces: Vec::new() },
        Line::Text(pieces) => {
            let pieces = pieces.iter().map(|piece| (piece.kind, piece.text.as_str())).collect();
            ShownLine { gap: 0, pieces }
        }
    }
}

fn of_measure(measured: &Measured) -> ShownMeasure<'_> {
    ShownMeasure {
        name: &measured.measure.name,
        value: measured.value(),
        unit: &measured.unit,
        limit: measured.limit(),
        holds: measured.measure.holds(),
        summary: &measured.summary,
    }
}

impl Step {
    /// Whether it let the document pass as it was, and said nothing.
    pub fn is_quiet(&self) -> bool {
        self.change.is_none()
            && self.fields.is_empty()
            && self.new_id.is_none()
            && self.measures.is_empty()
            && self.n_split == 0
            && self.remarks.is_empty()
            && self.fate == Fate::Kept
    }
}

impl Measured {
    /// The limit in words: "at least 50 (`min_chars`)"; empty if there is none.
    pub fn limit(&self) -> String {
        let side = match self.measure.limit {
            Limit::None => return String::new(),
            Limit::Min(_) => "at least",
            Limit::Max(_) => "at most",
        };
        let option = if self.option.is_empty() { String::new() } else { format!(" ({})", self.option) };
        format!("{side} {}{option}", value_beside(self.bound(), self.measure.value))
    }

    /// The value, as people read it.
    pub fn value(&self) -> String {
        value_beside(self.measure.value, self.bound())
    }

    /// The limit as a number; none of a value is the value itself.
    fn bound(&self) -> f64 {
        match self.measure.limit {
            Limit::None => self.measure.value,
            Limit::Min(limit) | Limit::Max(limit) => limit,
        }
    }

    /// All of it in one line: `chars 12, at least 50 (min_chars)`.
    pub(crate) fn said(&self) -> String {
        let limit = self.limit();
        let comma = if limit.is_empty() { "" } else { ", " };
        format!("{} {}{comma}{limit}", self.measure.name, self.value())
    }
}

fn fate(fate: &Fate) -> &'static str {
    match fate {
        Fate::Kept => "kept",
        Fate::Dropped(_) => "dropped",
        Fate::Failed(_) => "failed",
    }
}

/// A size in words.
pub(super) fn size(size: Size) -> String {
    match size {
        Size::Chars(n) => format!("{} characters", count(n as u64)),
        Size::Bytes(n) => crate::numbers::size(n as u64),
    }
}

impl std::fmt::Display for Size {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str(&size(*self))
    }
}

/// How long something took: `0.4 ms`.
pub(super) fn time(time: std::time::Duration) -> String {
    let ms = time.as_secs_f64() * 1e3;
    match ms {
        ms if ms < 0.95 => format!("{:.0} µs", ms * 1e3),
        ms if ms < 9.95 => format!("{ms:.1} ms"),
        ms if ms < 950.0 => format!("{ms:.0} ms"),
        ms => format!("{:.1} s", ms / 1e3),
    }
}

impl Change {
    /// How long the text was and is, in words: "1,631 → 572 characters".
    pub fn sizes(&self) -> String {
        let after = count(self.after as u64);
        match self.before {
            Size::Chars(n) => format!("{} → {after} characters", count(n as u64)),
            before @ Size::Bytes(_) => format!("{before} → {after} characters"),
        }
    }
}

impl Step {
    /// What it took, in words.
    pub fn took(&self) -> String {
        time(self.time)
    }
}
