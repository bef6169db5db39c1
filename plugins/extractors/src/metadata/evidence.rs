//! What was found, where, by which rule, and how sure that is.

use std::ops::Range;

use serde::Serialize;

use super::page::is_space;

/// A value and where it comes from.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Evidence {
    /// The value as it is written.
    pub(super) value: String,
    /// For a date: as the page shows it.
    pub(super) raw: Option<String>,
    /// Bytes of the text.
    pub(super) range: Range<usize>,
    /// The rule that found it.
    pub(super) rule: &'static str,
    /// From 0 to 1.
    pub(super) confidence: f64,
}

/// The form in which evidence is written to the metadata.
#[derive(Debug, Serialize)]
pub(super) struct Written {
    confidence: f64,
    rule: &'static str,
    span: [usize; 2],
}

impl From<&Evidence> for Written {
    fn from(evidence: &Evidence) -> Self {
        let confidence = (evidence.confidence * 100.0).round() / 100.0;
        Self { confidence, rule: evidence.rule, span: [evidence.range.start, evidence.range.end] }
    }
}

/// The confidence of a candidate whose score is `above` the even one and `margin` above that of the next
/// candidate with another value.
///
/// A logistic curve, because the scores are sums of weights as in a log-linear model; a rival within one unit
/// takes up to half of it away.
pub(super) fn confidence(above: f64, margin: f64) -> f64 {
    let alone = 1.0 / (1.0 + tamis_text::maths::exp(-above));
    alone * (0.5 + 0.5 * margin.clamp(0.0, 1.0))
}

/// A text of one line: runs of white space are one blank.
pub(super) fn spaced(text: &str) -> String {
    text.split(is_space).filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ")
}
