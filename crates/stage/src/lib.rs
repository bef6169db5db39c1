//! What a stage is: the traits that authors implement, and the handles that the runner drives.
//!
//! Authors see one trait per kind: [`Reader`], [`Filter`], [`Extractor`], [`CorpusStage`], [`Exporter`].
//! Each names its options ([`Options`]): a struct whose doc comments are the help text of the stage.
//! A stage works on borrowed documents ([`View`]) and proposes changes ([`Draft`]); the host applies them
//! only when the stage returns without error, so a stage that fails or panics leaves its document as it was.
//!
//! The runner and the configuration see [`StageInfo`] and [`StageFactory`] in a [`Registry`], and the opened
//! handles in [`handle`]; where a stage came from (bundled, a library, a child process) they do not know.
//!
//! Writing a plugin? Depend on `tamis-plugin` alone: it re-exports this crate.

mod author;
mod draft;
mod error;
mod files;
mod forms;
pub mod handle;
mod info;
mod json;
pub mod keyed;
mod measures;
mod needs;
mod option_info;
mod options;
mod registry;
mod run_context;
mod sketch;
mod view;

pub use author::{
    BatchExtractor, BatchFilter, Block, CorpusStage, Cut, Emit, Exporter, Extracted, Extractor, FileReader,
    Filter, Flat, Judged, KeyedStage, NewDocument, Output, PartExporter, RandomAccess, Reader, Split,
    Workspace,
};
pub use draft::{Draft, Edits, Notes, SplitOff};
pub use error::{Failure, SetupError};
pub use files::{ReadError, not_a_file, open_file, read_text, read_text_of_any};
pub use forms::{Forms, Layout};
pub use info::{Kind, PluginInfo, PluginOrigin, StageFlags, StageInfo};
pub use json::{json_object, push_json};
pub use measures::{Better, MeasureInfo};
pub use needs::{BOUNDS, KEYS_BESIDE, Need, NeededState, Needs};
pub use option_info::OptionInfo;
pub use options::{NoOptions, Options};
pub use registry::{DuplicateStage, Isolation, Registry, StageFactory};
pub use run_context::{LogLevel, RunContext};
pub use sketch::Sketch;
pub use view::{Attachment, ExportView, Lookup, Place, Shared, View};
