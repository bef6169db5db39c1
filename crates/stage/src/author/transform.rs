//! Filters and extractors.

use tamis_document::Verdict;

use crate::{Draft, Failure, Notes, Options, SetupError, View};

/// Judges a document and does not change it.
///
/// A function of its options and the document: no clock, no input or output, no randomness.
pub trait Filter: Sized + Send + Sync + 'static {
    /// The name in pipelines: the measure, in kebab case.
    const NAME: &'static str;
    /// Fields that it needs.
    const READS: &'static [&'static str] = &["text"];
    /// The options.
    type Options: Options;

    /// Opens the filter.
    ///
    /// # Errors
    ///
    /// When the options contradict each other or name a file that cannot be read.
    fn open(options: Self::Options) -> Result<Self, SetupError>;

    /// The counters that this instance may count under, as far as they are known before a document has come:
    /// those that stay at 0 are named at the end of a run. A rule that never matches is often a mistake.
    fn counters(&self) -> Vec<String> {
        Vec::new()
    }

    /// Judges one document.
    ///
    /// # Errors
    ///
    /// When the document cannot be judged: it becomes a dead letter.
    fn filter(&self, document: &View<'_>, notes: &mut Notes) -> Result<Verdict, Failure>;
}

/// Changes a document, or splits it; may also drop it.
///
/// A function of its options and the document: no clock, no input or output, no randomness.
pub trait Extractor: Sized + Send + Sync + 'static {
    /// The name in pipelines: a verb or what it extracts, in kebab case.
    const NAME: &'static str;
    /// Fields that it needs.
    const READS: &'static [&'static str] = &["text"];
    /// Fields that it may write.
    const WRITES: &'static [&'static str] = &["text"];
    /// The options.
    type Options: Options;

    /// Opens the extractor.
    ///
    /// # Errors
    ///
    /// When the options contradict each other or name a file that cannot be read.
    fn open(options: Self::Options) -> Result<Self, SetupError>;

    /// The counters that this instance may count under, as far as they are known before a document has come:
    /// those that stay at 0 are named at the end of a run. A rule that never matches is often a mistake.
    fn counters(&self) -> Vec<String> {
        Vec::new()
    }

    /// Changes one document.
    ///
    /// # Errors
    ///
    /// When the document cannot be processed: it becomes a dead letter, unchanged.
    fn extract(&self, draft: &mut Draft<'_>) -> Result<Verdict, Failure>;
}
