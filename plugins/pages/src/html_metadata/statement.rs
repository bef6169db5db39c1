//! What a page says about itself, place by place, and what is believed of it.

use std::ops::Range;

use serde::Serialize;
use tamis_text::likeness;
use tamis_text::lines::squeeze;

use super::options::Field;

/// A value for a field, from one place of the page.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Statement {
    pub(super) field: Field,
    /// As the page has it, character references resolved, white space folded.
    pub(super) value: String,
    /// The kind of place.
    pub(super) rule: &'static str,
    /// Bytes of the page: of the value, or of the script that holds it.
    pub(super) span: Range<usize>,
    /// From 0 to 1.
    pub(super) confidence: f64,
}

/// So many statements about a field are listened to; a page that makes more is made to waste time.
const MOST_STATEMENTS: usize = 64;

/// What a page says, in the order in which it was found.
#[derive(Debug, Default)]
pub(super) struct Statements {
    said: Vec<Statement>,
    homes: Vec<String>,
}

impl Statements {
    /// Adds a statement, its white space folded, if it says anything.
    pub(super) fn add(
        &mut self,
        field: Field,
        value: &str,
        rule: &'static str,
        span: Range<usize>,
        confidence: f64,
    ) {
        let value = squeeze(value).into_owned();
        let n_before = self.about(field).count();
        if !value.is_empty() && n_before < MOST_STATEMENTS {
            self.said.push(Statement { field, value, rule, span, confidence });
        }
    }

    /// Adds the text of a link to the first page of the site, in letters: mostly that is the name of the site.
    pub(super) fn add_home(&mut self, home: &str) {
        self.homes.push(home.to_owned());
    }

    /// The letters of links to the first page of the site.
    pub(super) fn homes(&self) -> &[String] {
        &self.homes
    }

    /// Number of statements.
    pub(super) fn len(&self) -> usize {
        self.said.len()
    }

    /// Takes statements back, by their numbers.
    pub(super) fn remove(&mut self, statements: Range<usize>) {
        self.said.drain(statements);
    }

    /// What was said about a field.
    pub(super) fn about(&self, field: Field) -> impl Iterator<Item = &Statement> {
        self.said.iter().filter(move |said| said.field == field)
    }

    /// Whether a kind of place has said anything.
    pub(super) fn has(&self, rule: &str) -> bool {
        self.said.iter().any(|said| said.rule == rule)
    }
}

/// The form in which evidence is written to the metadata.
#[derive(Debug, Serialize)]
pub(super) struct Written {
    confidence: f64,
    rule: &'static str,
    span: [usize; 2],
}

impl From<&Statement> for Written {
    fn from(statement: &Statement) -> Self {
        let confidence = (statement.confidence * 100.0).round() / 100.0;
        Self { confidence, rule: statement.rule, span: [statement.span.start, statement.span.end] }
    }
}

/// The statement to believe: the surest, and surer still where others of another kind say the same. Of equally
/// sure ones the first in the page.
pub(super) fn believed(statements: &[Statement], same: impl Fn(&str, &str) -> bool) -> Option<Statement> {
    let mut best: Option<Statement> = None;
    for statement in statements {
        let agrees =
            |other: &&Statement| other.rule != statement.rule && same(&other.value, &statement.value);
        let doubt = statements
            .iter()
            .filter(agrees)
            .map(|other| 1.0 - other.confidence)
            .fold(1.0 - statement.confidence, |doubt, other| doubt * other.max(0.3));
        if best.as_ref().is_none_or(|best| 1.0 - doubt > best.confidence) {
            best = Some(Statement { confidence: 1.0 - doubt, ..statement.clone() });
        }
    }
    best
}

/// The letters and digits of a text in lower case, by which two texts are told to say the same.
pub(super) fn letters(text: &str) -> String {
    likeness::plain(text)
}
