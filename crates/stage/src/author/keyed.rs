//! Keyed corpus stages.

use tamis_document::Verdict;

use crate::keyed::{Choice, Group, Index, Known, Rounds, Rows};
use crate::{Draft, Failure, Forms, MeasureInfo, Options, SetupError, View};

/// Judges or changes a document by what all documents together have said in a few bytes each.
///
/// The stage declares its rounds ([`KeyedStage::rounds`]); in each, every document is observed once, in any order
/// and on any machine, and what was emitted is sorted and reduced by the machinery. See [`crate::keyed`] for how
/// duplicates, line frequencies and near duplicates are said in this form.
pub trait KeyedStage: Sized + Send + Sync + 'static {
    /// The name in pipelines, in kebab case.
    const NAME: &'static str;
    /// Fields that it needs.
    const READS: &'static [&'static str] = &["text"];
    /// Fields that it may write.
    const WRITES: &'static [&'static str] = &[];
    /// What it measures; see [`MeasureInfo`].
    const MEASURES: &'static [MeasureInfo] = &[];
    /// The options.
    type Options: Options;
    /// Working space of one worker, such as buffers. What it holds must not matter.
    type Local: Default + Send + 'static;

    /// Opens the stage.
    ///
    /// # Errors
    ///
    /// When the options contradict each other or name a file that cannot be read.
    fn open(options: Self::Options) -> Result<Self, SetupError>;

    /// See [`Extractor::forms`](crate::Extractor::forms).
    fn forms(&self) -> Forms {
        Forms::new()
    }

    /// The rounds, which may depend on the options. Asked for once.
    fn rounds(&self) -> Rounds;

    /// What it does with documents of other runs. Asked for once.
    fn index(&self) -> Index {
        Index::default()
    }

    /// What it has worked out from its options that a user should know before a run, in sentences: `tamis plan`
    /// shows them.
    fn notes(&self) -> Vec<String> {
        Vec::new()
    }

    /// Whether an option is left to [`KeyedStage::resolve`]. Asked for once.
    fn resolves(&self) -> bool {
        false
    }

    /// Chooses options by a sample of the texts that come to it in a run, and by how many documents there will be,
    /// about. `tamis plan --resolve` writes the values into the pipeline, so that all shards have the same; a run of a
    /// pipeline in which nothing was chosen does without.
    ///
    /// # Errors
    ///
    /// When nothing can be chosen.
    fn resolve(&self, _texts: &[String], _n_documents: u64) -> Result<Vec<Choice>, Failure> {
        Ok(Vec::new())
    }

    /// Sees one document and emits rows about it.
    ///
    /// # Errors
    ///
    /// When the document cannot be observed: it becomes a dead letter, and its rows are forgotten.
    fn observe(
        &self,
        round: u32,
        local: &mut Self::Local,
        document: &View<'_>,
        known: &dyn Known,
        rows: &mut dyn Rows,
    ) -> Result<(), Failure>;

    /// Sees the rows of a key, in a round with [`Reduce::Visit`](crate::keyed::Reduce::Visit), and emits facts: a
    /// position and the columns that the round gives.
    ///
    /// # Errors
    ///
    /// When the stage cannot go on; the run ends.
    fn visit(
        &self,
        round: u32,
        _local: &mut Self::Local,
        _group: &mut dyn Group,
        _known: &dyn Known,
        _facts: &mut dyn Rows,
    ) -> Result<(), Failure> {
        Err(Failure::new(format!("round {round} is to be visited, and the stage has no `visit`")))
    }

    /// Sees what an index has of a document of an earlier run, a row of its [`Index::round`] with the position that
    /// the document has in this run, and emits the rows that it has in a round, as [`KeyedStage::observe`] does for
    /// documents of this run.
    ///
    /// # Errors
    ///
    /// When the stage cannot go on; the run ends.
    fn recall(
        &self,
        round: u32,
        _local: &mut Self::Local,
        _entry: &[u8],
        _known: &dyn Known,
        _rows: &mut dyn Rows,
    ) -> Result<(), Failure> {
        Err(Failure::new(format!("round {round} is to be given an index, and the stage has no `recall`")))
    }

    /// Judges or changes one document.
    ///
    /// # Errors
    ///
    /// When the document cannot be processed: it becomes a dead letter, unchanged.
    fn apply(
        &self,
        local: &mut Self::Local,
        draft: &mut Draft<'_>,
        known: &dyn Known,
    ) -> Result<Verdict, Failure>;
}
