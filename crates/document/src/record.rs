//! A document on its way: its fate so far, and the measures that led to it.

use std::borrow::Cow;
use std::sync::Arc;

use crate::{Attachments, Document};

/// Why a document was dropped or failed.
///
/// A drop reason is short, in kebab case and the same for every document that it applies to
/// (`too-short`), because reports count documents by it.
pub type Reason = Cow<'static, str>;

/// What a stage decides about a document that it could read; one that it could not is a failure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// The document goes on.
    Keep,
    /// The document leaves the pipeline, counted under this reason.
    Drop(Reason),
}

/// Where a record stands.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Fate {
    /// Still in the pipeline, or exported.
    #[default]
    Kept,
    /// A stage dropped it.
    Dropped(Reason),
    /// It could not be read or processed: a dead letter.
    Failed(Reason),
}

/// A value that a stage measured on a document, beside the limit it was held to.
#[derive(Debug, Clone, PartialEq)]
pub struct Measure {
    /// The name of the measure, such as `chars`.
    pub name: Cow<'static, str>,
    /// The measured value, in the unit of the option that limits it.
    pub value: f64,
    /// The limit.
    pub limit: Limit,
}

/// The limit of a [`Measure`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Limit {
    /// Measured for the report only.
    None,
    /// The value must be at least this.
    Min(f64),
    /// The value must be at most this.
    Max(f64),
}

impl Measure {
    /// Whether the value is within its limit.
    pub fn holds(&self) -> bool {
        match self.limit {
            Limit::None => true,
            Limit::Min(limit) => self.value >= limit,
            Limit::Max(limit) => self.value <= limit,
        }
    }
}

/// A document on its way through a pipeline.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Record {
    /// The document.
    pub document: Document,
    /// Where it stands.
    pub fate: Fate,
    /// The stage that dropped or failed it, by the id it has in the pipeline; `None` while it is kept.
    pub stage: Option<Arc<str>>,
    /// What the stages measured, in order.
    pub measures: Vec<Measure>,
    /// Where it stands in the corpus: greater than that of every record before it, the same in
    /// every pass over the corpus and however that is cut into shards. 0 outside a run.
    pub position: u128,
    /// What stages have made of its text; whoever changes the text clears them.
    pub attachments: Attachments,
}

impl Record {
    /// Whether the record is still in the pipeline.
    pub fn is_kept(&self) -> bool {
        self.fate == Fate::Kept
    }
}

impl From<Document> for Record {
    fn from(document: Document) -> Self {
        // Not from a default record: that has an origin, and an origin the name of a file on the heap.
        let attachments = Attachments::default();
        Self { document, fate: Fate::Kept, stage: None, measures: Vec::new(), position: 0, attachments }
    }
}
