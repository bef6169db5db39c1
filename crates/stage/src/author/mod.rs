//! The traits that authors implement, one a kind of stage.

mod corpus;
mod exporter;
mod reader;
mod transform;

pub use corpus::{CorpusStage, Workspace};
pub use exporter::{Exporter, Output, PartExporter};
pub use reader::{Block, Cut, Emit, FileReader, Flat, NewDocument, RandomAccess, Reader, Split};
pub use transform::{BatchExtractor, BatchFilter, Extracted, Extractor, Filter, Judged};
