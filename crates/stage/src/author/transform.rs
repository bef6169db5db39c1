//! Filters and extractors.

use tamis_document::Verdict;

use crate::{Draft, Failure, Forms, MeasureInfo, Notes, Options, SetupError, View};

/// Judges a document and does not change it.
///
/// A function of its options and the document: no clock, no input or output, no randomness.
/// One that needs scratch space of its worker, or several documents at once, is a [`BatchFilter`].
pub trait Filter: Sized + Send + Sync + 'static {
    /// The name in pipelines: the measure, in kebab case.
    const NAME: &'static str;
    /// Fields that it needs.
    const READS: &'static [&'static str] = &["text"];
    /// What it measures; see [`MeasureInfo`].
    const MEASURES: &'static [MeasureInfo] = &[];
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

    /// What forms of text this instance takes, gives, needs untouched and destroys, so that a wrong order of stages is
    /// found before anything runs; see [`Forms`].
    fn forms(&self) -> Forms {
        Forms::new()
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
/// One that needs scratch space of its worker, or several documents at once, is a [`BatchExtractor`].
pub trait Extractor: Sized + Send + Sync + 'static {
    /// The name in pipelines: a verb or what it extracts, in kebab case.
    const NAME: &'static str;
    /// Fields that it needs.
    const READS: &'static [&'static str] = &["text"];
    /// Fields that it may write.
    const WRITES: &'static [&'static str] = &["text"];
    /// What it measures; see [`MeasureInfo`].
    const MEASURES: &'static [MeasureInfo] = &[];
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

    /// What forms of text this instance takes, gives, needs untouched and destroys, so that a wrong order of stages is
    /// found before anything runs; see [`Forms`].
    fn forms(&self) -> Forms {
        Forms::new()
    }

    /// Changes one document.
    ///
    /// # Errors
    ///
    /// When the document cannot be processed: it becomes a dead letter, unchanged.
    fn extract(&self, draft: &mut Draft<'_>) -> Result<Verdict, Failure>;
}

/// A filter with state of its worker, or one that judges several documents at once.
///
/// [`Filter`] is enough for most: a function of the options and one document. This is for one that keeps scratch
/// space or remembers what it has computed ([`BatchFilter::Local`]), or has a model that is faster on many documents
/// than on one ([`BatchFilter::BATCH`]). Every [`Filter`] is one, so `export_plugin!` takes both under `filters`.
///
/// What comes out must not depend on the local state or on which documents come together: the same document has
/// the same verdict on any worker and beside any others.
pub trait BatchFilter: Sized + Send + Sync + 'static {
    /// See [`Filter::NAME`].
    const NAME: &'static str;
    /// See [`Filter::READS`].
    const READS: &'static [&'static str] = &["text"];
    /// See [`Filter::MEASURES`].
    const MEASURES: &'static [MeasureInfo] = &[];
    /// How many documents [`BatchFilter::filter_all`] is given at most; with 1 it is not called.
    const BATCH: usize = 1;
    /// The options.
    type Options: Options;
    /// The state of one worker: made when it is needed, used by one call at a time, and made anew after a panic.
    type Local: Default + Send + 'static;

    /// See [`Filter::open`].
    ///
    /// # Errors
    ///
    /// When the options contradict each other or name a file that cannot be read.
    fn open(options: Self::Options) -> Result<Self, SetupError>;

    /// See [`Filter::counters`].
    fn counters(&self) -> Vec<String> {
        Vec::new()
    }

    /// See [`Filter::forms`].
    fn forms(&self) -> Forms {
        Forms::new()
    }

    /// Judges one document.
    ///
    /// # Errors
    ///
    /// When the document cannot be judged: it becomes a dead letter.
    fn filter_one(
        &self,
        local: &mut Self::Local,
        document: &View<'_>,
        notes: &mut Notes,
    ) -> Result<Verdict, Failure>;

    /// Judges some documents, at least one and at most [`BatchFilter::BATCH`], as [`BatchFilter::filter_one`] would
    /// judge each of them.
    ///
    /// A panic costs one document here, too: after it they are given to `filter_one`, one by one.
    fn filter_all(&self, local: &mut Self::Local, documents: &mut [Judged<'_>]) {
        for it in documents {
            it.outcome = self.filter_one(local, &it.document, &mut it.notes);
        }
    }
}

/// A document of a batch, and what a filter says of it.
pub struct Judged<'a> {
    /// The document.
    pub document: View<'a>,
    /// Measures and counts.
    pub notes: Notes,
    /// The verdict; it is kept if nothing is said.
    pub outcome: Result<Verdict, Failure>,
}

impl<'a> From<View<'a>> for Judged<'a> {
    fn from(document: View<'a>) -> Self {
        Self { document, notes: Notes::default(), outcome: Ok(Verdict::Keep) }
    }
}

impl<T: Filter> BatchFilter for T {
    const NAME: &'static str = T::NAME;
    const READS: &'static [&'static str] = T::READS;
    const MEASURES: &'static [MeasureInfo] = T::MEASURES;
    type Options = T::Options;
    type Local = ();

    fn open(options: Self::Options) -> Result<Self, SetupError> {
        T::open(options)
    }

    fn counters(&self) -> Vec<String> {
        T::counters(self)
    }

    fn forms(&self) -> Forms {
        T::forms(self)
    }

    fn filter_one(&self, (): &mut (), document: &View<'_>, notes: &mut Notes) -> Result<Verdict, Failure> {
        self.filter(document, notes)
    }
}

/// An extractor with state of its worker, or one that changes several documents at once: to [`Extractor`] what
/// [`BatchFilter`] is to [`Filter`].
pub trait BatchExtractor: Sized + Send + Sync + 'static {
    /// See [`Extractor::NAME`].
    const NAME: &'static str;
    /// See [`Extractor::READS`].
    const READS: &'static [&'static str] = &["text"];
    /// See [`Extractor::WRITES`].
    const WRITES: &'static [&'static str] = &["text"];
    /// See [`Filter::MEASURES`].
    const MEASURES: &'static [MeasureInfo] = &[];
    /// How many documents [`BatchExtractor::extract_all`] is given at most; with 1 it is not called.
    const BATCH: usize = 1;
    /// The options.
    type Options: Options;
    /// See [`BatchFilter::Local`].
    type Local: Default + Send + 'static;

    /// See [`Extractor::open`].
    ///
    /// # Errors
    ///
    /// When the options contradict each other or name a file that cannot be read.
    fn open(options: Self::Options) -> Result<Self, SetupError>;

    /// See [`Extractor::counters`].
    fn counters(&self) -> Vec<String> {
        Vec::new()
    }

    /// See [`Extractor::forms`].
    fn forms(&self) -> Forms {
        Forms::new()
    }

    /// Changes one document.
    ///
    /// # Errors
    ///
    /// When the document cannot be processed: it becomes a dead letter, unchanged.
    fn extract_one(&self, local: &mut Self::Local, draft: &mut Draft<'_>) -> Result<Verdict, Failure>;

    /// Changes some documents, at least one and at most [`BatchExtractor::BATCH`], as
    /// [`BatchExtractor::extract_one`] would change each of them.
    ///
    /// A panic costs one document here, too: after it they are given to `extract_one`, one by one. A stage that may be long
    /// at one of them says at which by [`View::begin`].
    fn extract_all(&self, local: &mut Self::Local, documents: &mut [Extracted<'_>]) {
        for it in documents {
            it.draft.original().begin();
            it.outcome = self.extract_one(local, &mut it.draft);
        }
    }
}

/// A document of a batch, and what an extractor makes of it.
pub struct Extracted<'a> {
    /// The document.
    pub draft: Draft<'a>,
    /// The verdict; it is kept if nothing is said.
    pub outcome: Result<Verdict, Failure>,
}

impl<'a> From<View<'a>> for Extracted<'a> {
    fn from(document: View<'a>) -> Self {
        Self { draft: Draft::new(document), outcome: Ok(Verdict::Keep) }
    }
}

impl<T: Extractor> BatchExtractor for T {
    const NAME: &'static str = T::NAME;
    const READS: &'static [&'static str] = T::READS;
    const MEASURES: &'static [MeasureInfo] = T::MEASURES;
    const WRITES: &'static [&'static str] = T::WRITES;
    type Options = T::Options;
    type Local = ();

    fn open(options: Self::Options) -> Result<Self, SetupError> {
        T::open(options)
    }

    fn counters(&self) -> Vec<String> {
        T::counters(self)
    }

    fn forms(&self) -> Forms {
        T::forms(self)
    }

    fn extract_one(&self, (): &mut (), draft: &mut Draft<'_>) -> Result<Verdict, Failure> {
        self.extract(draft)
    }
}
