//! Corpus stages.

use std::io::{Read, Write};
use std::path::PathBuf;

use tamis_document::Verdict;

use crate::{Draft, Failure, Forms, MeasureInfo, Options, SetupError, View};

/// Judges or changes a document by what it has seen of all others.
///
/// Every pass shows each document once to some [`CorpusStage::Local`]; at the end of a pass all locals are
/// merged in any order, so merging must be commutative.
/// Then [`CorpusStage::apply`] sees each document once more.
pub trait CorpusStage: Sized + Send + Sync + 'static {
    /// The name in pipelines, in kebab case.
    const NAME: &'static str;
    /// Fields that it needs.
    const READS: &'static [&'static str] = &["text"];
    /// Fields that it may write.
    const WRITES: &'static [&'static str] = &[];
    /// What it measures; see [`MeasureInfo`].
    const MEASURES: &'static [MeasureInfo] = &[];
    /// How often the corpus is observed before it is applied.
    const OBSERVING_PASSES: u32 = 1;
    /// The options.
    type Options: Options;
    /// The state of one worker during one pass.
    type Local: Default + Send + 'static;

    /// Opens the stage.
    ///
    /// # Errors
    ///
    /// When the options contradict each other or name a file that cannot be read.
    fn open(options: Self::Options) -> Result<Self, SetupError>;

    /// How often this instance observes the corpus: [`CorpusStage::OBSERVING_PASSES`], or less when the options
    /// bring what there is to learn. With 0 the stage is applied like any extractor.
    fn passes(&self) -> u32 {
        Self::OBSERVING_PASSES
    }

    /// See [`Extractor::forms`](crate::Extractor::forms).
    fn forms(&self) -> Forms {
        Forms::new()
    }

    /// Gives the stage its place on the disk, before anything is observed or loaded.
    ///
    /// # Errors
    ///
    /// When the stage cannot work there; the run ends.
    fn prepare(&self, _workspace: &Workspace) -> Result<(), Failure> {
        Ok(())
    }

    /// Sees one document.
    ///
    /// # Errors
    ///
    /// When the document cannot be observed: it becomes a dead letter.
    fn observe(&self, pass: u32, local: &mut Self::Local, document: &View<'_>) -> Result<(), Failure>;

    /// Takes in what one worker has seen.
    fn merge(&self, pass: u32, local: Self::Local);

    /// Ends a pass: every local has been merged.
    ///
    /// # Errors
    ///
    /// When the stage cannot go on; the run ends.
    fn end_pass(&self, _pass: u32) -> Result<(), Failure> {
        Ok(())
    }

    /// Judges or changes one document.
    ///
    /// # Errors
    ///
    /// When the document cannot be processed: it becomes a dead letter, unchanged.
    fn apply(&self, draft: &mut Draft<'_>) -> Result<Verdict, Failure>;

    /// Writes the merged state of a pass, the same bytes for the same state; asked for before the pass ends.
    ///
    /// The bytes are the stage's own. Where it keeps entries with counts, and one that a single document of the whole
    /// collection has decides nothing, they may be a **tallied** state, which engines can thin out before shards are
    /// merged: blocks, each a length (4 bytes), a payload and its XXH3 of 64 bits, seeded by the number of the block from
    /// 0; a block of length 0 ends them. The first has the text `tamis tallied 1 VERSION`, the name of the stage, how many
    /// bytes a key has, and lines of the stage's own. All others have entries: the length of what follows (4 bytes), the
    /// key, the count (8 bytes), and bytes that nobody else reads. Numbers are little endian.
    ///
    /// # Errors
    ///
    /// When the state cannot be written.
    fn save(&self, pass: u32, out: &mut dyn Write) -> Result<(), Failure>;

    /// Merges a saved state of a pass in; several may come, one from each part of a corpus.
    ///
    /// # Errors
    ///
    /// When the bytes are not a state of this stage and options.
    fn load(&self, pass: u32, state: &mut dyn Read) -> Result<(), Failure>;
}

/// Where a corpus stage may put what it cannot or need not hold in memory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Workspace {
    /// A folder of its own, there and empty when the stage gets it; gone when the run has ended.
    pub scratch: PathBuf,
    /// A folder for what a user may want to look at afterwards, such as a learned table. Made when the stage
    /// makes it; what lies there at the end of the run is part of the output.
    pub keep: PathBuf,
    /// How many bytes of memory the stage may hold, over all its locals.
    pub memory: u64,
    /// How many locals there may be at once.
    pub threads: usize,
}
