//! The one import of a plugin author.
//!
//! Implement one trait per stage, [`Reader`] or [`FileReader`], [`Filter`] or [`BatchFilter`], [`Extractor`] or
//! [`BatchExtractor`], [`CorpusStage`] or [`KeyedStage`], [`Exporter`] or [`PartExporter`], and list the stages in
//! [`export_plugin!`]; its example is a complete plugin.
//! `tamis plugin new NAME` writes such a crate, `tamis plugin check FILE` tests the library.
//!
//! What crosses between the program and a library is plain C, frozen in `include/tamis_plugin.h`
//! ([`abi`] mirrors it), so a plugin keeps working when the program or the compiler changes.
//! Panics are caught on this side, document by document.

#![expect(unsafe_code, reason = "this crate is one side of the C boundary")]

pub mod abi;
mod glue;
mod guard;
mod macros;

pub use glue::{PluginBuilder, PluginTable};
pub use tamis_document::nested;
pub use tamis_document::{
    Document, Fate, Form, Json, Limit, Measure, Metadata, Origin, Reason, Record, Value, ValueRef, Verdict,
};
pub use tamis_stage::keyed;
pub use tamis_stage::{
    Attachment, BatchExtractor, BatchFilter, Better, Block, CorpusStage, Cut, Draft, Edits, Emit, ExportView,
    Exporter, Extracted, Extractor, Failure, FileReader, Filter, Flat, Forms, Judged, KeyedStage, Layout,
    Lookup, MeasureInfo, NewDocument, NoOptions, Notes, Options, Output, PartExporter, Place, RandomAccess,
    ReadError, Reader, SetupError, Split, View, Workspace, json_object, open_file, push_json, read_text,
};

/// The C header, so that a tool can hand it to the author of a plugin in C.
pub const HEADER: &str = include_str!("../include/tamis_plugin.h");

/// `tamis_options.h`, which reads the options of a stage in C.
pub const OPTIONS_HEADER: &str = include_str!("../include/tamis_options.h");
