//! A registry of stages that do nothing but have realistic options.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tamis_document::{Form, Record};
use tamis_stage::handle::{CorpusHandle, Effects, ExporterHandle, OpenStage, ReaderHandle, TransformHandle};
use tamis_stage::{
    Block, Cut, Failure, Forms, Kind, Layout, MeasureInfo, NoOptions, Options, Output, PluginInfo,
    PluginOrigin, Registry, RunContext, SetupError, StageFactory, StageFlags, StageInfo,
};

type Open = dyn Fn(&Value) -> Result<OpenStage, SetupError> + Send + Sync;

/// A stage of the test registry.
struct Fake {
    info: StageInfo,
    open: Box<Open>,
}

impl StageFactory for Fake {
    fn info(&self) -> &StageInfo {
        &self.info
    }

    fn open_in(&self, _: &RunContext, options: &Value) -> Result<OpenStage, SetupError> {
        (self.open)(options)
    }
}

struct Nothing(Forms);

impl ReaderHandle for Nothing {
    fn forms(&self) -> Forms {
        self.0
    }
    fn sniff(&self, _: &[u8], _: bool, _: &str) -> u8 {
        0
    }
    fn cut(&self, _: &Block<'_>, _: bool) -> Result<Cut, Failure> {
        Ok(Cut::More)
    }
    fn decode(&self, _: &Block<'_>, _: &mut Vec<Record>, _: &mut Effects) -> Result<(), Failure> {
        Ok(())
    }
}

impl TransformHandle for Nothing {
    fn forms(&self) -> Forms {
        self.0
    }
    fn process(&self, _: &mut [Record], _: &mut Effects) {}
}

impl CorpusHandle for Nothing {
    fn forms(&self) -> Forms {
        self.0
    }
    fn observing_passes(&self) -> u32 {
        1
    }
    fn observe(&self, _: u32, _: &mut [Record], _: &mut Effects) {}
    fn end_pass(&self, _: u32) -> Result<(), Failure> {
        Ok(())
    }
    fn apply(&self, _: &mut [Record], _: &mut Effects) {}
    fn merge(&self, _: u32) -> Result<(), Failure> {
        Ok(())
    }
    fn save(&self, _: u32, _: &mut dyn std::io::Write) -> Result<(), Failure> {
        Ok(())
    }
    fn load(&self, _: u32, _: &mut dyn std::io::Read) -> Result<(), Failure> {
        Ok(())
    }
}

impl ExporterHandle for Nothing {
    fn extension(&self) -> String {
        "txt".into()
    }
    fn head(&self) -> Result<Vec<u8>, Failure> {
        Ok(Vec::new())
    }
    fn tail(&self) -> Result<Vec<u8>, Failure> {
        Ok(Vec::new())
    }
    fn encode(&self, _: &[Record], _: &mut Output) -> Vec<(usize, Failure)> {
        Vec::new()
    }
}

/// Records as they were dumped.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
struct RecordsOptions {
    /// Which fields hold what.
    fields: FieldMap,
    /// Metadata to take over; by default everything else.
    #[schemars(extend("x-field" = "write"))]
    metadata: Option<Vec<String>>,
    /// What encloses values; without, the first one found does.
    quote: String,
    /// The longest value in quotes, whatever they are.
    max_quoted_bytes: u64,
    /// The encoding of the files.
    encoding: Encoding,
}

#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
struct FieldMap {
    /// The field that holds the id.
    id: Option<String>,
    /// The field that holds the text.
    text: Option<String>,
}

#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
enum Encoding {
    /// Looks at the bytes.
    #[default]
    Detect,
    /// UTF-8.
    Utf8,
    /// GB 18030.
    Gb18030,
}

/// One document a line.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
struct LinesOptions {
    /// Whether blank lines are left out.
    skip_blank: bool,
    /// The encoding of the files.
    encoding: Encoding,
    /// What encloses lines that have line ends in them.
    quote: String,
    /// The longest line in quotes.
    #[schemars(extend("x-unit" = "bytes", "x-needs" = {"quote": "some"}, "x-at-most" = "max_record_bytes"))]
    max_quoted_bytes: u64,
    /// Whether the BOM is kept.
    #[schemars(extend("x-needs" = [{"encoding": ["utf8"]}, {"skip_blank": [false], "quote": "none"}]))]
    keep_mark: bool,
}

impl Default for LinesOptions {
    fn default() -> Self {
        Self {
            skip_blank: false,
            encoding: Encoding::default(),
            quote: "\"".into(),
            max_quoted_bytes: 16 << 20,
            keep_mark: false,
        }
    }
}

/// Drops documents whose lines are too short or too long.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
struct LineLengthOptions {
    /// The shortest mean length of a line.
    #[schemars(range(min = 1, max = 10_000), extend("x-unit" = "characters"))]
    min_chars: u32,
    /// The longest mean length of a line.
    #[schemars(extend("x-unit" = "characters"))]
    max_chars: u32,
    /// The share of lines that may be outside.
    #[schemars(range(min = 0.0, max = 1.0))]
    tolerated_ratio: f64,
}

impl Default for LineLengthOptions {
    fn default() -> Self {
        Self { min_chars: 8, max_chars: 2000, tolerated_ratio: 0.1 }
    }
}

/// Keeps documents in some languages.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
struct LanguageOptions {
    /// The languages to keep.
    #[schemars(length(min = 1))]
    keep: Vec<Language>,
    /// Whether documents too short to tell are kept.
    keep_unknown: bool,
}

impl Default for LanguageOptions {
    fn default() -> Self {
        Self { keep: vec![Language::Zh], keep_unknown: true }
    }
}

#[derive(Debug, Clone, Copy, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Language {
    /// Chinese.
    Zh,
    /// English.
    En,
}

/// Keeps documents with a field that matches.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct FieldMatchOptions {
    /// The field to look at.
    #[schemars(extend("x-field" = "read"))]
    field: String,
    /// What it must match.
    #[serde(default)]
    pattern: String,
}

/// Keeps documents for which a condition holds.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[schemars(extend("minProperties" = 1))]
struct ConditionOptions {
    /// The condition.
    #[schemars(extend("x-expression" = "condition"))]
    keep: Option<String>,
    /// Several of them.
    #[schemars(extend("x-expression" = "condition"))]
    all: Vec<String>,
}

/// Gives fields other names.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[schemars(extend("minProperties" = 1))]
struct RenameOptions {
    /// New names by old ones.
    #[schemars(extend("minProperties" = 1, "x-field-keys" = "remove", "additionalProperties" = {"type": "string", "x-field": "write"}))]
    names: BTreeMap<String, String>,
    /// Fields to change in place.
    #[schemars(extend("x-field" = "read"))]
    tidy: Vec<String>,
    /// The only fields to keep.
    #[schemars(extend("x-field" = "keep"))]
    keep: Option<Vec<String>>,
}

/// Removes lines that a site repeats.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
struct LineTemplateOptions {
    /// The field whose values tell sites apart.
    #[schemars(extend("x-field" = "read"))]
    group_by: Option<String>,
    /// In how many documents a line must stand.
    #[schemars(range(min = 2), extend("x-unit" = "documents"))]
    min_documents: u32,
}

/// Applies rules for sites.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
struct SiteRulesOptions {
    /// Files with rules.
    #[schemars(extend("x-path" = "file"))]
    rules: Vec<PathBuf>,
    /// A folder with more of them.
    #[schemars(extend("x-path" = "directory"))]
    folder: Option<PathBuf>,
}

/// Cuts what begins with given words.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
struct NeedyOptions {
    /// The words. There is nothing to do without.
    #[schemars(length(min = 1))]
    phrases: Vec<String>,
    /// How many lines are looked at.
    last_lines: u32,
}

/// Names the site of a document.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
struct SiteOptions {
    /// The field to write.
    #[schemars(extend("x-field" = "write"))]
    into: String,
}

impl Default for SiteOptions {
    fn default() -> Self {
        Self { into: "site".into() }
    }
}

/// Columns, compressed page by page.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
struct ColumnsOptions {
    /// How pages are compressed.
    compression: PageCompression,
    /// The field whose values name folders.
    #[schemars(extend("x-field" = "read"))]
    partition_by: Option<String>,
    /// Fields that get columns of their own.
    columns: Vec<String>,
    /// Whether the other fields are written, too.
    #[schemars(extend("x-needs" = {"columns": "some"}))]
    rest: bool,
    /// The level; the method that has none refuses it.
    #[schemars(extend("x-needs" = {"compression": ["zstd"]}))]
    level: Option<u8>,
    /// Whether the page as scraped is written; that of a failed record always is.
    #[schemars(extend("x-needs" = {"from": {"not": ["failed"]}}))]
    raw: bool,
}

#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum PageCompression {
    #[default]
    Snappy,
    Zstd,
}

/// Records behind a head, compressed in its own way.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
struct ArchiveOptions {
    /// How records are compressed.
    record_compression: PageCompression,
}

/// Pages of a book; cannot be compressed.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
struct FilesOptions {
    /// Whether files are named by title.
    by_title: bool,
}

/// A schema as the author of a plugin in C writes it by hand.
fn hand_written() -> Value {
    json!({
        "type": "object",
        "properties": {
            "threshold": { "type": "number", "exclusiveMinimum": 0, "maximum": 1 },
            "mode": { "enum": ["fast", "exact"] },
            "words": {
                "type": "array", "minItems": 1, "maxItems": 3, "uniqueItems": true,
                "items": { "type": "string", "minLength": 2, "maxLength": 5 }
            },
            "code": { "type": "string", "pattern": "^[a-z]{2}$" },
            "limit": { "oneOf": [{ "type": "integer", "minimum": 1 }, { "type": "string", "const": "none" }] },
            "since": { "type": "string" },
            "weights": { "type": "object", "additionalProperties": { "type": "number" } },
            "step": { "type": "integer", "multipleOf": 4, "not": { "const": 8 } },
            "rule": { "$ref": "#/$defs/rule" }
        },
        "$defs": {
            "rule": {
                "type": "object", "required": ["name"], "additionalProperties": false,
                "properties": { "name": { "type": "string" }, "also": { "$ref": "#/$defs/rule" } }
            }
        }
    })
}

fn info<O: Options>(name: &str, kind: Kind, reads: &[&str], writes: &[&str]) -> StageInfo {
    let schema = schemars::SchemaGenerator::default().into_root_schema_for::<O>().to_value();
    StageInfo {
        name: name.into(),
        kind,
        summary: schema.get("description").and_then(Value::as_str).unwrap_or_default().to_owned(),
        docs: String::new(),
        schema,
        reads: reads.iter().map(ToString::to_string).collect(),
        writes: writes.iter().map(ToString::to_string).collect(),
        measures: if name == "line-length" {
            vec![MeasureInfo::new("line_chars", "characters", "Mean length.")]
        } else {
            Vec::new()
        },
        flags: StageFlags {
            byte_stream: matches!(name, "jsonl" | "archive" | "book"),
            replayable: name == "jsonl",
            parts: matches!(name, "archive" | "book"),
            named_files: name == "files",
            ..StageFlags::default()
        },
        plugin: Arc::new(PluginInfo {
            name: "tamis-test".into(),
            version: "1.2.3".into(),
            license: String::new(),
            abi_minor: 0,
            origin: PluginOrigin::Bundled,
        }),
    }
}

fn parsed<O: Options>(options: &Value) -> Result<O, SetupError> {
    serde_json::from_value(options.clone()).map_err(SetupError::new)
}

/// What stages of some names say of forms.
fn forms(name: &str) -> Forms {
    let text = [Form::Flattened, Form::Clean];
    match name {
        "html" => Forms::new().giving([Form::Markup]),
        "lines" => Forms::new().giving([Form::Flattened]),
        "article" => {
            Forms::new().taking([Form::Markup]).giving([Form::Clean]).making([Layout::Markdown]).cleaning()
        }
        "line-template" => Forms::new().taking(text).needing([Layout::Lines, Layout::WhiteSpace]).cleaning(),
        "site-rules" => Forms::new().taking(text).needing([Layout::Lines]).cleaning(),
        "tidy" => {
            let all = [Layout::Lines, Layout::WhiteSpace, Layout::Markdown];
            Forms::new().taking(text).destroying(all).cleaning()
        }
        "labels" => Forms::new().taking([Form::Flattened]),
        _ => Forms::new(),
    }
}

fn handle(name: &str, kind: Kind) -> OpenStage {
    let nothing = Box::new(Nothing(forms(name)));
    match kind {
        Kind::Reader => OpenStage::Reader(nothing),
        Kind::Filter | Kind::Extractor => OpenStage::Transform(nothing),
        Kind::Corpus => OpenStage::Corpus(nothing),
        Kind::Exporter => OpenStage::Exporter(nothing),
    }
}

fn add<O: Options>(registry: &mut Registry, name: &str, kind: Kind, reads: &[&str], writes: &[&str]) {
    let info = info::<O>(name, kind, reads, writes);
    let called = name.to_owned();
    let open = Box::new(move |options: &Value| parsed::<O>(options).map(|_| handle(&called, kind)));
    registry.add(Arc::new(Fake { info, open })).unwrap();
}

/// The stages.
pub(crate) fn registry() -> Registry {
    use Kind::{Corpus, Exporter, Extractor, Filter, Reader};
    let mut registry = Registry::new();
    let stages = &mut registry;
    add::<RecordsOptions>(stages, "records", Reader, &[], &["text", "*"]);
    add::<LinesOptions>(stages, "lines", Reader, &[], &["text"]);
    add::<NoOptions>(stages, "html", Reader, &[], &["text", "raw"]);
    add::<LanguageOptions>(stages, "language", Filter, &["text"], &[]);
    add::<FieldMatchOptions>(stages, "field-match", Filter, &[], &[]);
    add::<NoOptions>(stages, "article", Extractor, &["raw"], &["text", "title", "published"]);
    add::<LineTemplateOptions>(stages, "line-template", Extractor, &["text"], &["text"]);
    add::<SiteRulesOptions>(stages, "site-rules", Extractor, &["text"], &["text", "title"]);
    add::<NeedyOptions>(stages, "needy", Extractor, &["text"], &["text"]);
    add::<SiteOptions>(stages, "site", Extractor, &["text"], &[]);
    add::<NoOptions>(stages, "title-case", Extractor, &["title"], &["title"]);
    add::<NoOptions>(stages, "tidy", Extractor, &["text"], &["text"]);
    add::<NoOptions>(stages, "labels", Extractor, &["text"], &["title"]);
    add::<ConditionOptions>(stages, "condition", Filter, &["*"], &[]);
    add::<RenameOptions>(stages, "rename", Extractor, &["*"], &[]);
    add::<NoOptions>(stages, "near-duplicate", Corpus, &["text"], &[]);
    add::<NoOptions>(stages, "jsonl", Exporter, &[], &[]);
    let open = Box::new(|options: &Value| {
        let options = parsed::<ColumnsOptions>(options)?;
        if options.level.is_some() && matches!(options.compression, PageCompression::Snappy) {
            return Err(SetupError::in_option("level", "only `zstd` has levels"));
        }
        Ok(handle("parquet", Exporter))
    });
    let columns = info::<ColumnsOptions>("parquet", Exporter, &[], &[]);
    stages.add(Arc::new(Fake { info: columns, open })).unwrap();
    add::<FilesOptions>(stages, "files", Exporter, &[], &[]);
    add::<ArchiveOptions>(stages, "archive", Exporter, &[], &[]);
    add::<ColumnsOptions>(stages, "book", Exporter, &[], &[]);

    let by_hand = StageInfo { schema: hand_written(), ..info::<NoOptions>("c-filter", Filter, &[], &[]) };
    let open = Box::new(|_: &Value| Ok(handle("", Filter)));
    stages.add(Arc::new(Fake { info: by_hand, open })).unwrap();

    let open = Box::new(|options: &Value| {
        let options = parsed::<LineLengthOptions>(options)?;
        if options.max_chars < options.min_chars {
            let message = format!(
                "{} characters is below `min_chars`, {} characters",
                options.max_chars, options.min_chars
            );
            return Err(SetupError::in_option("max_chars", message));
        }
        Ok(handle("", Filter))
    });
    let info = info::<LineLengthOptions>("line-length", Filter, &["text"], &[]);
    stages.add(Arc::new(Fake { info, open })).unwrap();
    registry
}
