//! What is known about a stage before it is opened.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::MeasureInfo;

/// The kinds of stages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// Turns bytes into documents.
    Reader,
    /// Judges a document and does not change it.
    Filter,
    /// Changes a document, or splits it.
    Extractor,
    /// Judges or changes a document by what it has seen of all others, in several passes.
    Corpus,
    /// Turns documents into bytes.
    Exporter,
}

impl Kind {
    /// The table of the pipeline file in which a stage of this kind belongs.
    pub fn table(self) -> &'static str {
        match self {
            Self::Reader => "source",
            Self::Filter | Self::Extractor | Self::Corpus => "stage",
            Self::Exporter => "export",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::Reader => "reader",
            Self::Filter => "filter",
            Self::Extractor => "extractor",
            Self::Corpus => "corpus stage",
            Self::Exporter => "exporter",
        })
    }
}

/// Properties of a stage that the host and the runner must know; see the plugin header for the bits.
#[expect(
    clippy::struct_excessive_bools,
    reason = "independent properties, one bit each in the plugin header"
)]
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct StageFlags {
    /// The result depends on the options and the document alone.
    pub pure: bool,
    /// An exporter whose output is one stream of bytes, so that the runner may compress it.
    pub byte_stream: bool,
    /// An exporter that writes one file a document, by name.
    pub named_files: bool,
    /// An exporter that writes all of a failed record, its raw bytes included.
    pub replayable: bool,
    /// A reader that takes a file as a whole: no block boundary inside.
    pub whole_file: bool,
    /// A reader whose records end wherever a line does, so that several shards may share a file.
    #[serde(default)]
    pub by_line: bool,
    /// A reader that needs its files at hand to read them anywhere, and takes no blocks.
    pub random_access: bool,
    /// An exporter whose files are more than their records one after the other.
    pub parts: bool,
    /// An exporter with parts that writes their files itself.
    pub own_file: bool,
}

/// What is known about a stage before it is opened.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StageInfo {
    /// The name that pipelines use, in kebab case.
    pub name: String,
    /// What kind of stage it is.
    pub kind: Kind,
    /// One sentence.
    pub summary: String,
    /// The page of the stage, in Markdown.
    pub docs: String,
    /// The JSON Schema of the options, an object schema.
    pub schema: serde_json::Value,
    /// Fields that the stage needs: `text`, `raw`, or names of metadata.
    pub reads: Vec<String>,
    /// Fields that the stage writes; `*` stands for names known only from the data.
    pub writes: Vec<String>,
    /// What the stage measures; empty for a library that does not say.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub measures: Vec<MeasureInfo>,
    /// Properties.
    pub flags: StageFlags,
    /// The plugin that brought it; told once for all its stages, so not part of the serialised form.
    #[serde(skip)]
    pub plugin: Arc<PluginInfo>,
}

/// The plugin that brought a stage.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PluginInfo {
    /// The name of the plugin: the name of its crate.
    pub name: String,
    /// Its version.
    pub version: String,
    /// Its licence, as an SPDX expression; empty if not told.
    pub license: String,
    /// The minor version of the boundary that it was built for: what it can have said of its stages.
    #[serde(default)]
    pub abi_minor: u32,
    /// Where it came from.
    pub origin: PluginOrigin,
}

/// Where a plugin came from.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PluginOrigin {
    /// Linked into this program.
    #[default]
    Bundled,
    /// A dynamic library.
    Library {
        /// The file, as an absolute path.
        path: PathBuf,
        /// The BLAKE3 hash of its content, in hexadecimal.
        blake3: String,
    },
}
