//! The checked pipeline: what the runner runs.
//!
//! A plan is data. It can be cloned, compared and printed, and holds nothing that is open: whoever runs it opens its
//! stages ([`Opened`](crate::Opened)), as often as he likes and several at once.
//!
//! What it serialises to is for people and programs that look at a plan; addresses are in it as messages show them,
//! without their secrets, so it is no way to hand a plan on.

use std::path::{Path, PathBuf};

use globset::GlobMatcher;
use ignore::gitignore::Gitignore;
use serde::{Serialize, Serializer};
use tamis_address::Address;
use tamis_document::{Document, Metadata};
use tamis_stage::{PluginOrigin, StageInfo};

use crate::Diagnostics;

/// A checked pipeline.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Plan {
    /// The name of the pipeline; by default that of its file, without ending.
    pub name: String,
    /// The pipeline file, as an absolute path.
    pub file: PathBuf,
    /// Where documents come from, in order; at least one.
    pub sources: Vec<SourcePlan>,
    /// What happens to them, in order.
    pub stages: Vec<StagePlan>,
    /// Where they go; at least one, and at least one that takes failed records.
    pub exports: Vec<ExportPlan>,
    /// How to run.
    pub run: RunSettings,
    /// The tests that the pipeline file brings along.
    pub tests: Vec<PipelineTest>,
    /// What is allowed but probably not meant.
    pub warnings: Diagnostics,
    /// Everything in the pipeline that decides what comes out, with sorted keys: after `extends`, overrides
    /// and command line. Two plans with the same value (and the same [`Plan::files`]) give the same output
    /// for the same input. Left out is what does not decide: threads, memory (but for the longest
    /// record, which follows from it where it is not given), failure limit and tests.
    /// Paths below the folder of the pipeline file are relative to it, so that a project may move.
    pub canonical: serde_json::Value,
    /// Files and folders that options name (`x-path`), absolute, sorted, each once. Their content decides
    /// what comes out, too: a fingerprint of a run hashes it beside [`Plan::canonical`].
    pub files: Vec<PathBuf>,
}

/// A field that the pipeline names, and of which nothing before a run tells whether any document has it: a reader
/// takes whatever fields there are.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct NamedField {
    /// The field.
    pub name: String,
    /// What names it, to go before the name of the stage: ``option `field` of ``, `the path of `.
    pub by: String,
}

/// A `[[source]]`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SourcePlan {
    /// Its name in reports, unique among sources.
    pub id: String,
    /// The reader; for `use = "auto"` every reader that can take part, of which each file gets the one that
    /// is surest that the file is its own.
    pub readers: Vec<ReaderPlan>,
    /// What to read, in order; at least one.
    pub inputs: Vec<InputPattern>,
    /// What to leave out.
    pub exclude: Excluded,
    /// What it names and a run must find out; see [`NamedField`].
    #[serde(skip)]
    pub named_fields: Vec<NamedField>,
}

/// A reader of a source.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ReaderPlan {
    /// What is known about it.
    #[serde(rename = "use", serialize_with = "short")]
    pub info: StageInfo,
    /// Its options as given, paths made absolute.
    pub options: serde_json::Value,
}

/// One entry of `paths`: a file, a folder of which every file is taken, a glob, standard input or a URL.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct InputPattern {
    /// As the user wrote it, for messages: of an [`InputKind::Url`] without its secrets.
    pub written: String,
    /// Where it is; `path`, `root` and `takes` are about local inputs.
    pub kind: InputKind,
    /// The address of an [`InputKind::Url`], secrets and all.
    #[serde(skip)]
    pub address: Option<Address>,
    /// The file or folder, or the deepest folder that a glob names without wildcards. Absolute; existed when
    /// the pipeline was checked.
    pub path: PathBuf,
    /// The folder that document ids are relative to: the deepest one that holds every input of the source,
    /// so that two files of a source never share an id. `path` is this folder or lies in it.
    pub root: PathBuf,
    /// What a file below `path` must look like, relative to `path`.
    pub(crate) glob: Option<Glob>,
}

/// A glob, ready to be asked; it is what it was written as.
#[derive(Debug, Clone)]
pub(crate) struct Glob(pub(crate) GlobMatcher);

impl PartialEq for Glob {
    fn eq(&self, other: &Self) -> bool {
        self.0.glob() == other.0.glob()
    }
}

impl Serialize for Glob {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.0.glob().glob())
    }
}

/// Where an input is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum InputKind {
    /// In the file system.
    Local,
    /// It is standard input: `-`.
    Stdin,
    /// In an object store or on a web server, under a URL.
    Url,
}

impl InputPattern {
    /// What files below `path` must look like, relative to it.
    pub fn glob(&self) -> Option<&GlobMatcher> {
        self.glob.as_ref().map(|glob| &glob.0)
    }

    /// Whether the entry is a glob, so that `path` is only where the walk begins.
    pub fn is_glob(&self) -> bool {
        self.glob.is_some()
    }

    /// Whether a file is taken; `relative` is its path from [`InputPattern::path`].
    /// A folder takes every file below it, a file itself (an empty `relative`).
    pub fn takes(&self, relative: &Path) -> bool {
        self.glob().is_none_or(|glob| glob.is_match(relative))
    }
}

/// The `exclude` patterns of a source, as in a `.gitignore` file.
///
/// A pattern without `/` is compared with the name of every file and folder (`*.tmp`, `.git`), one with `/`
/// with the path from [`InputPattern::path`] or the key of an object; one that ends in `/` is about folders.
/// `!` takes back in what an earlier pattern left out, but nothing in a folder that is left out as a whole.
#[derive(Debug, Clone)]
pub struct Excluded {
    pub(crate) patterns: Vec<String>,
    pub(crate) matcher: Gitignore,
}

impl PartialEq for Excluded {
    fn eq(&self, other: &Self) -> bool {
        self.patterns == other.patterns
    }
}

impl Serialize for Excluded {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.patterns.serialize(serializer)
    }
}

impl Default for Excluded {
    fn default() -> Self {
        Self { patterns: Vec::new(), matcher: Gitignore::empty() }
    }
}

impl Excluded {
    /// Whether a file is left out, itself or with a folder that it lies in; `relative` is its path from
    /// [`InputPattern::path`], or the key of an object.
    pub fn contains(&self, relative: &Path) -> bool {
        self.decides(relative, false)
    }

    /// Whether a folder is left out, with all it holds.
    pub fn contains_dir(&self, relative: &Path) -> bool {
        self.decides(relative, true)
    }

    /// The patterns in the order of the pipeline.
    pub fn patterns(&self) -> &[String] {
        &self.patterns
    }

    /// Looks from the outermost folder inwards, as a walk does: what is left out is not entered.
    fn decides(&self, relative: &Path, is_dir: bool) -> bool {
        if self.patterns.is_empty() {
            return false;
        }
        let mut folders: Vec<&Path> =
            relative.ancestors().skip(1).filter(|folder| !folder.as_os_str().is_empty()).collect();
        folders.reverse();
        folders.into_iter().any(|folder| self.matcher.matched(folder, true).is_ignore())
            || self.matcher.matched(relative, is_dir).is_ignore()
    }
}

/// A `[[stage]]`: a filter, an extractor or a corpus stage.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct StagePlan {
    /// Its name in reports, unique among stages.
    pub id: String,
    /// What is known about it.
    #[serde(rename = "use", serialize_with = "short")]
    pub info: StageInfo,
    /// Its options as given, paths made absolute.
    pub options: serde_json::Value,
    /// How often it must see all documents before it is applied to them: passes, of which each ends a segment.
    /// 0 of anything but a corpus stage that learns. It follows from the options, and only the open stage knows it.
    pub observing_passes: u32,
    /// Whether it runs in processes of its own. What comes out is the same as long as nothing crashes, so a run that
    /// did is gone on with when this is switched on.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub isolate: bool,
    /// What it has worked out from its options that a user should know before a run, in sentences.
    #[serde(skip)]
    pub notes: Vec<String>,
    /// What it names and a run must find out; see [`NamedField`].
    #[serde(skip)]
    pub named_fields: Vec<NamedField>,
}

/// An `[[export]]`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ExportPlan {
    /// Its name in reports, unique among exports.
    pub id: String,
    /// What is known about the exporter.
    #[serde(rename = "use", serialize_with = "short")]
    pub info: StageInfo,
    /// Its options as given, paths made absolute.
    pub options: serde_json::Value,
    /// The folder that its parts are written to, absolute, or a place in an object store (`s3://bucket/out`); of a
    /// partitioned export the folder that holds all its partitions.
    pub path: PathBuf,
    /// How records are shared out to folders below `path`, from the placeholders in the `path` of the
    /// pipeline; `None` if it has none.
    pub partition: Option<Partition>,
    /// Which records it takes.
    pub from: From,
    /// How its parts are compressed.
    pub compression: Compression,
    /// When a part is full, in bytes before compression.
    pub max_part_bytes: u64,
    /// Whether the pipeline does not name it: failed records always go somewhere, by default below the path
    /// of the first export.
    pub implicit: bool,
    /// What it names and a run must find out; see [`NamedField`].
    #[serde(skip)]
    pub named_fields: Vec<NamedField>,
}

impl ExportPlan {
    /// Where it writes, if that is in an object store.
    pub fn address(&self) -> Option<&str> {
        self.path.to_str().filter(|path| tamis_address::scheme(path).is_some())
    }
}

/// Below the folder of the first export: where failed records go if no export takes them.
///
/// What reads folders of files as data sets passes over names that begin so.
pub const DEAD_LETTERS: &str = "__failed";

/// Folders below that of an export, named by what is in a record: `{language}/{published:%Y-%m}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Partition {
    /// Text and fields, in order; `/` in a text parts folders.
    pub pieces: Vec<PartitionPiece>,
}

/// A piece of a [`Partition`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum PartitionPiece {
    /// As it stands.
    Text(String),
    /// The value of a field of metadata; of a date or time in this `strftime` form, of others in this one of the forms
    /// `host`, `tag` and `primary`, if there is one.
    Field {
        /// The name.
        name: String,
        /// `%Y-%m`, `host`.
        format: Option<String>,
    },
}

/// Which records an export takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum From {
    /// Those that passed every stage.
    Kept,
    /// Those that a stage dropped.
    Dropped,
    /// Those that could not be read or processed: the dead letters.
    Failed,
}

impl From {
    /// The word in the pipeline file.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Kept => "kept",
            Self::Dropped => "dropped",
            Self::Failed => "failed",
        }
    }
}

/// How the parts of an export are compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Compression {
    /// Not at all.
    None,
    /// As gzip members.
    Gzip {
        /// From 1 (fast) to 9 (small).
        level: u32,
    },
    /// As Zstandard frames.
    Zstd {
        /// From 1 (fast) to 22 (small).
        level: i32,
    },
}

/// The `[run]` table.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RunSettings {
    /// How many threads work; 0 stands for every core.
    pub threads: usize,
    /// Bound on the documents in flight, in bytes.
    pub memory: u64,
    /// The share of failed records, from 0 to 1, above which a run counts as failed.
    pub max_failed_ratio: f64,
    /// How much of a file is one piece of work, in bytes.
    pub block_bytes: u64,
    /// The longest record, in bytes; a longer one fails. At most an eighth of `memory`, unless that is less than
    /// `block_bytes`: a record is held as bytes, as text and as output at once, and another thread may hold one
    /// as well.
    pub max_record_bytes: u64,
    /// How often to note how far the run is, in seconds.
    pub checkpoint_secs: f64,
    /// How long a stage may be at one document, or in a call without documents, before that is told, in seconds;
    /// 0 stands for any time. Never changes what is written.
    pub stage_timeout_secs: f64,
    /// Whether a table of what became of every record is written beside the output. Never changes the output itself.
    pub fates: bool,
    /// Whether whoever runs the plan leaves a page of what the run did beside the output. Never changes the output itself.
    pub report: bool,
    /// A folder for what is put aside between passes over the documents; `None` stands for one beside the
    /// output.
    pub work: Option<PathBuf>,
}

impl Default for RunSettings {
    fn default() -> Self {
        Self {
            threads: 0,
            memory: 1 << 30,
            max_failed_ratio: 0.01,
            block_bytes: 1 << 20,
            max_record_bytes: 128 << 20,
            checkpoint_secs: 10.0,
            stage_timeout_secs: 60.0,
            fates: true,
            report: false,
            work: None,
        }
    }
}

/// A `[[test]]` of a pipeline.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PipelineTest {
    /// What it shows.
    pub name: String,
    /// The documents that enter the first stage.
    #[serde(serialize_with = "inputs")]
    pub input: Vec<Document>,
    /// The documents that must come out, in order, and no others.
    pub expect: Vec<Expected>,
    /// Documents that must be dropped, and by what.
    pub dropped: Vec<ExpectedDrop>,
    /// Where it is written.
    pub position: crate::Position,
}

/// A document that must come out of a test.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Expected {
    /// Its id.
    pub id: String,
    /// Its text; `None` when any will do.
    pub text: Option<String>,
    /// Fields that it must have, whatever else it has.
    pub metadata: Metadata,
    /// All of its metadata; `None` when it may have more.
    pub all_metadata: Option<Metadata>,
}

/// A document that must be dropped in a test.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ExpectedDrop {
    /// Its id.
    pub id: String,
    /// The id of the stage that drops it.
    pub stage: String,
    /// The reason that the stage gives.
    pub reason: String,
}

/// A stage by what tells it from others; its help and its schema are the same in every plan.
fn short<S: Serializer>(info: &StageInfo, serializer: S) -> Result<S::Ok, S::Error> {
    identity(info).serialize(serializer)
}

/// What tells a stage from others: its name, and the plugin that brings it.
pub(crate) fn identity(info: &StageInfo) -> serde_json::Value {
    let mut stage = serde_json::json!({
        "use": info.name,
        "plugin": { "name": info.plugin.name, "version": info.plugin.version },
    });
    if let PluginOrigin::Library { blake3, .. } = &info.plugin.origin {
        stage["plugin"]["blake3"] = blake3.as_str().into();
    }
    stage
}

/// The documents of a test as they are written there.
fn inputs<S: Serializer>(documents: &[Document], serializer: S) -> Result<S::Ok, S::Error> {
    #[derive(Serialize)]
    struct Input<'a> {
        id: &'a str,
        text: &'a str,
        metadata: &'a Metadata,
    }
    serializer.collect_seq(documents.iter().map(|it| Input {
        id: &it.id,
        text: &it.text,
        metadata: &it.metadata,
    }))
}
