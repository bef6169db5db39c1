//! Complaints about a pipeline, and how they are shown.

use std::borrow::Cow;
use std::fmt;

use annotate_snippets::{AnnotationKind, Group, Level, Origin, Renderer, Snippet};
use serde::{Serialize, Serializer};
use serde_json::{Value, json};

use crate::Position;
use crate::text::{Place, TextKind};

/// More complaints than anybody reads.
const MOST_SHOWN: usize = 1_000;

/// A line with more mistakes than this is long, and each of them shows all of it.
const MOST_OF_A_LINE: usize = 20;

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// The pipeline cannot run.
    Error,
    /// The pipeline can run, but probably not as meant.
    Warning,
}

impl Severity {
    /// The word in front of the message.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
        }
    }
}

/// One complaint about a pipeline.
#[derive(Debug, Clone)]
pub struct Diagnostic {
    severity: Severity,
    message: Box<str>,
    subject: Subject,
    label: Box<str>,
    related: Vec<(Place, String)>,
    notes: Vec<String>,
}

/// What a complaint is about.
#[derive(Debug, Clone)]
enum Subject {
    Place(Place),
    /// A file as a whole.
    File(Box<str>),
}

impl Diagnostic {
    /// An error at a place.
    pub(crate) fn error(place: &Place, message: impl Into<String>) -> Self {
        Self::new(Severity::Error, &message.into(), Subject::Place(place.clone()))
    }

    /// A warning at a place.
    pub(crate) fn warning(place: &Place, message: impl Into<String>) -> Self {
        Self::new(Severity::Warning, &message.into(), Subject::Place(place.clone()))
    }

    /// An error in a file as a whole.
    pub(crate) fn in_file(file: &str, message: impl Into<String>) -> Self {
        Self::new(Severity::Error, &message.into(), Subject::File(file.into()))
    }

    fn new(severity: Severity, message: &str, subject: Subject) -> Self {
        Self {
            severity,
            message: one_line(&tamis_address::redact(message)).into(),
            subject,
            label: Box::default(),
            related: Vec::new(),
            notes: Vec::new(),
        }
    }

    /// Adds what stands beside the caret: what to do about it.
    pub(crate) fn label(mut self, label: impl Into<String>) -> Self {
        self.label = one_line(&label.into()).into();
        self
    }

    /// Adds another place that has to do with it.
    pub(crate) fn related(mut self, place: &Place, label: impl Into<String>) -> Self {
        self.related.push((place.clone(), one_line(&label.into())));
        self
    }

    /// Adds help that is too long to stand beside the caret; an empty text adds nothing.
    pub(crate) fn note(mut self, note: impl Into<String>) -> Self {
        let note = one_line(&note.into());
        if !note.is_empty() {
            self.notes.push(note);
        }
        self
    }

    /// How bad it is.
    pub fn severity(&self) -> Severity {
        self.severity
    }

    /// What is wrong: one line, lower case, no final stop.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// What to do about it; empty if the message says it all.
    pub fn help(&self) -> String {
        let label = std::iter::once(&*self.label).filter(|label| !label.is_empty());
        label.chain(self.notes.iter().map(String::as_str)).fold(String::new(), |mut help, part| {
            // A question ends itself.
            help += if help.is_empty() {
                ""
            } else if help.ends_with('?') {
                " "
            } else {
                "; "
            };
            help + part
        })
    }

    /// Where it is; `None` when it concerns a file as a whole.
    pub fn position(&self) -> Option<Position> {
        self.place().map(Place::position)
    }

    /// The file that it is in, as the user calls it.
    pub(crate) fn file(&self) -> &str {
        match &self.subject {
            Subject::Place(place) => &place.text.name,
            Subject::File(file) => file,
        }
    }

    fn place(&self) -> Option<&Place> {
        match &self.subject {
            Subject::Place(place) => Some(place),
            Subject::File(_) => None,
        }
    }

    /// The form for machines: `severity`, `message`, `help`, `file`, `line`, `column` and `end_column` (from
    /// 1, in Unicode scalar values; `null` when a file as a whole is concerned).
    pub fn to_json(&self) -> Value {
        let position = self.position();
        let end = self.place().map(|place| {
            let end = shown_end(place);
            place.text.at(end..end).position().column
        });
        json!({
            "severity": self.severity.as_str(),
            "message": self.message,
            "help": self.help(),
            "file": self.file(),
            "line": position.as_ref().map(|at| at.line),
            "column": position.as_ref().map(|at| at.column),
            "end_column": end,
        })
    }

    /// The complaint with the line it is about and a caret below, as rustc shows them.
    pub fn render(&self, colour: bool) -> String {
        let level = match self.severity {
            Severity::Error => Level::ERROR,
            Severity::Warning => Level::WARNING,
        };
        let mut group = Group::with_title(level.primary_title(&*self.message));
        group = match &self.subject {
            Subject::Place(place) => self.point(group, place),
            // Where the message names the file, a line below that names it again says nothing.
            Subject::File(file) if self.message.contains(&format!("`{file}`")) => group,
            Subject::File(file) => group.element(Origin::path(tamis_address::shown(file))),
        };
        group = group.elements(self.notes.iter().map(|note| Level::HELP.message(note.as_str())));
        let renderer = if colour { Renderer::styled() } else { Renderer::plain() };
        indented(&renderer.render(&[group]))
    }

    /// Adds the line with its caret, and the places that have to do with it.
    fn point<'a>(&'a self, mut group: Group<'a>, place: &'a Place) -> Group<'a> {
        let mut snippet = Caret::new(place).snippet(AnnotationKind::Primary, &self.label);
        let (here, elsewhere): (Vec<_>, Vec<_>) = self
            .related
            .iter()
            .map(|(related, label)| (Caret::new(related), label))
            .partition(|(caret, _)| caret.same_line(place));
        for (caret, label) in &here {
            snippet =
                snippet.annotation(AnnotationKind::Context.span(caret.span.clone()).label(label.as_str()));
        }
        group = group.element(snippet);
        for (caret, label) in elsewhere {
            group = match caret.place.text.kind {
                TextKind::File => group.element(caret.snippet(AnnotationKind::Context, label)),
                // A flag has no place of its own to show.
                TextKind::CommandLine | TextKind::Environment => {
                    group.element(Level::HELP.message(format!("{label}: `{}`", caret.line)))
                }
            };
        }
        group
    }

    fn rank(&self) -> (usize, usize) {
        self.place().map_or((0, usize::MAX), Place::rank)
    }
}

/// One line of a text and the part of it to point at.
struct Caret<'a> {
    place: &'a Place,
    /// Secrets in it are hidden: what a terminal shows ends in logs.
    line: Cow<'a, str>,
    number: usize,
    /// Bytes of `line`.
    span: std::ops::Range<usize>,
}

impl<'a> Caret<'a> {
    fn new(place: &'a Place) -> Self {
        let (number, range) = place.text.line_at(place.start);
        let line = place.text.content.get(range.clone()).unwrap_or_default();
        // The renderer would give a byte order mark a column of its own.
        let mark = if line.starts_with('\u{feff}') { '\u{feff}'.len_utf8() } else { 0 };
        let line = line.get(mark..).unwrap_or_default();
        let offset = range.start + mark;
        let start = place.start.saturating_sub(offset).min(line.len());
        let end = shown_end(place).saturating_sub(offset).clamp(start, line.len());
        Self { place, line: tamis_address::mask(line), number, span: start..end }
    }

    fn same_line(&self, place: &Place) -> bool {
        std::sync::Arc::ptr_eq(&self.place.text, &place.text)
            && self.number == place.text.line_at(place.start).0
    }

    fn snippet(
        &self,
        kind: AnnotationKind,
        label: &'a str,
    ) -> Snippet<'a, annotate_snippets::Annotation<'a>> {
        let mut annotation = kind.span(self.span.clone());
        if !label.is_empty() {
            annotation = annotation.label(label);
        }
        let snippet = Snippet::source(self.line.clone()).annotation(annotation).line_start(self.number + 1);
        match self.place.text.kind {
            TextKind::File => snippet.path(tamis_address::shown(&self.place.text.name)),
            // A flag or a variable has no lines: the number would say nothing.
            TextKind::CommandLine | TextKind::Environment => snippet.line_numbering(false),
        }
    }
}

/// Where the carets end: with the value, or with the line when the value has several.
fn shown_end(place: &Place) -> usize {
    let (_, line) = place.text.line_at(place.start);
    place.end.min(line.end).max(place.start)
}

/// Moves everything but the title one column to the right: so messages of this workspace look.
fn indented(rendered: &str) -> String {
    let mut out = String::with_capacity(rendered.len() + 32);
    for (index, line) in rendered.lines().enumerate() {
        if index > 0 {
            out.push_str("\n ");
        }
        out.push_str(line);
    }
    out.push('\n');
    out
}

/// Messages quote the user's words, and those may hold anything; a message stays one line, and has no secrets of
/// addresses in it.
fn one_line(text: &str) -> String {
    let text = tamis_address::redact(text);
    if !text.contains(char::is_control) {
        return text.into_owned();
    }
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

/// All complaints about a pipeline, in the order of the file.
#[derive(Debug, Clone, Default)]
pub struct Diagnostics {
    items: Vec<Diagnostic>,
}

/// Two lists are equal that say the same of the same places.
impl PartialEq for Diagnostics {
    fn eq(&self, other: &Self) -> bool {
        self.to_json() == other.to_json()
    }
}

impl Serialize for Diagnostics {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.to_json().serialize(serializer)
    }
}

impl Diagnostics {
    /// Whether there is nothing to complain about.
    pub fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    /// Number of complaints.
    pub fn len(&self) -> usize {
        self.items.len()
    }

    /// Whether one of them is an error.
    pub fn has_errors(&self) -> bool {
        self.items.iter().any(|item| item.severity == Severity::Error)
    }

    /// The complaints, in the order of the file.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &Diagnostic> {
        self.items.iter()
    }

    /// All complaints as text, a blank line between two; with ANSI colours if asked.
    pub fn render(&self, colour: bool) -> String {
        self.items.iter().map(|item| item.render(colour)).collect::<Vec<_>>().join("\n")
    }

    /// The form for machines: a list of [`Diagnostic::to_json`].
    pub fn to_json(&self) -> Value {
        self.items.iter().map(Diagnostic::to_json).collect()
    }

    pub(crate) fn push(&mut self, diagnostic: Diagnostic) {
        self.items.push(diagnostic);
    }

    pub(crate) fn extend(&mut self, diagnostics: impl IntoIterator<Item = Diagnostic>) {
        self.items.extend(diagnostics);
    }

    pub(crate) fn append(&mut self, mut other: Self) {
        self.items.append(&mut other.items);
    }

    /// Keeps the first complaint about each place.
    pub(crate) fn once_a_place(&mut self) {
        let mut seen = std::collections::BTreeSet::new();
        self.items.retain(|item| item.place().is_none() || seen.insert(item.rank()));
    }

    /// Sorts by file and place; the same complaint about the same place is kept once, and what is more
    /// than anybody reads goes.
    pub(crate) fn sort(&mut self) {
        self.items.sort_by_key(Diagnostic::rank);
        self.items.dedup_by(|second, first| {
            second.rank() == first.rank() && second.message == first.message && first.place().is_some()
        });
        self.thin_out_lines();
        if self.items.len() <= MOST_SHOWN {
            return;
        }
        // An error among the rest must not be lost: what is left would be a plan with warnings.
        let rest = self.items.split_off(MOST_SHOWN);
        let severity = rest.iter().map(|item| item.severity).min().unwrap_or(Severity::Warning);
        let file = self.items.last().map(Diagnostic::file).unwrap_or_default().to_owned();
        let message = format!("there are more mistakes; the first {MOST_SHOWN} are shown");
        self.items.push(Diagnostic::new(severity, &message, Subject::File(file.into())));
    }
}

impl Diagnostics {
    /// Keeps the first complaints about each line: each shows all of it.
    fn thin_out_lines(&mut self) {
        let (mut line, mut n_of_line) = (None, 0);
        let mut kept: Vec<Diagnostic> = Vec::with_capacity(self.items.len().min(MOST_SHOWN));
        for item in std::mem::take(&mut self.items) {
            let own = item.place().map(|place| (place.text.order, place.text.line_at(place.start).0));
            n_of_line = if own.is_some() && own == line { n_of_line + 1 } else { 1 };
            line = own;
            if n_of_line <= MOST_OF_A_LINE {
                kept.push(item);
            } else if n_of_line == MOST_OF_A_LINE + 1 {
                let message =
                    format!("there are more mistakes in this line; the first {MOST_OF_A_LINE} are shown");
                let (related, notes) = (Vec::new(), Vec::new());
                kept.push(Diagnostic {
                    message: message.into(),
                    label: Box::default(),
                    related,
                    notes,
                    ..item
                });
            } else if let Some(last) = kept.last_mut() {
                // An error must not pass for a warning.
                last.severity = last.severity.min(item.severity);
            }
        }
        self.items = kept;
    }
}

impl From<Diagnostic> for Diagnostics {
    fn from(diagnostic: Diagnostic) -> Self {
        Self { items: vec![diagnostic] }
    }
}

impl fmt::Display for Diagnostics {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.render(false))
    }
}

impl std::error::Error for Diagnostics {}
