//! The keys that a pipeline file has of its own, beside the options of stages.
//!
//! Declared once, as JSON Schema: the check of a pipeline and the schema for editors both read them here.

use std::sync::LazyLock;

use serde_json::{Value, json};

/// The part of the pipeline file that does not depend on stages.
pub(crate) struct Envelope {
    /// Top-level keys; the tables inside are in the fields below.
    pub(crate) root: Value,
    /// `[[plugin]]`.
    pub(crate) plugin: Value,
    /// `[[source]]`, without options.
    pub(crate) source: Value,
    /// `[[stage]]`, without options.
    pub(crate) stage: Value,
    /// `[[export]]`, without options.
    pub(crate) export: Value,
    /// `[run]`.
    pub(crate) run: Value,
    /// `[[test]]`.
    pub(crate) test: Value,
}

impl Envelope {
    /// The schema of the tables in which stages stand.
    pub(crate) fn of(&self, table: &str) -> &Value {
        match table {
            "source" => &self.source,
            "export" => &self.export,
            _ => &self.stage,
        }
    }
}

/// Keys of `[[export]]` that give way to options of the same name, see `is_envelope`.
pub(crate) const COMPRESSION: [&str; 2] = ["compression", "compression_level"];

/// The keys of an object schema.
pub(crate) fn keys(schema: &Value) -> impl Iterator<Item = &str> + Clone {
    schema
        .get("properties")
        .and_then(Value::as_object)
        .into_iter()
        .flat_map(|keys| keys.keys())
        .map(String::as_str)
}

/// Whether an object schema declares a key.
pub(crate) fn declares(schema: &Value, key: &str) -> bool {
    schema.get("properties").and_then(|keys| keys.get(key)).is_some()
}

/// The declarations.
pub(crate) static ENVELOPE: LazyLock<Envelope> = LazyLock::new(|| Envelope {
    root: root(),
    plugin: plugin(),
    source: source(),
    stage: stage(),
    export: export(),
    run: run(),
    test: test(),
});

fn root() -> Value {
    json!({
        "type": "object",
        "additionalProperties": false,
        "properties": {
            "name": { "type": "string", "minLength": 1, "description": "The name of the pipeline in reports; by default that of its file." },
            "extends": { "type": "string", "minLength": 1, "description": "Another pipeline file to take over. A table named here replaces the table of the same name there." },
            "plugin": { "x-tables": true, "description": "Dynamic libraries with stages beyond the bundled ones." },
            "source": { "x-tables": true, "description": "Where documents come from." },
            "stage": { "x-tables": true, "description": "What happens to documents, in order." },
            "export": { "x-tables": true, "description": "Where documents go." },
            "run": { "type": "object", "description": "How to run." },
            "test": { "x-tables": true, "description": "Tests of the pipeline, run by `tamis test`." }
        }
    })
}

fn plugin() -> Value {
    json!({
        "type": "object",
        "additionalProperties": false,
        "properties": {
            "path": { "type": "string", "minLength": 1, "description": "The library file, relative to the pipeline file." },
            "name": { "type": "string", "minLength": 1, "description": "The name of the plugin, looked up in the plugin folders." },
            "blake3": { "type": "string", "pattern": "^[0-9a-fA-F]{64}$", "x-expects": "64 hexadecimal digits", "description": "The BLAKE3 hash that the file must have, in hexadecimal." }
        }
    })
}

fn id() -> Value {
    json!({
        "type": "string", "minLength": 1, "pattern": r"^[\p{Alphabetic}\p{N}_-]+$",
        "x-expects": "letters, digits, `-` and `_`",
        "description": "A name for reports and overrides; by default that of the stage."
    })
}

fn source() -> Value {
    json!({
        "type": "object",
        "required": ["use", "paths"],
        "properties": {
            "use": { "type": "string", "description": "The reader; `auto` takes for each file the one that is surest it is its own." },
            "id": id(),
            "paths": {
                "type": ["string", "array"], "items": { "type": "string", "minLength": 1 }, "minItems": 1, "minLength": 1,
                "description": "Files, folders and globs (`dump/**/*.txt`), relative to the pipeline file."
            },
            "exclude": {
                "type": ["string", "array"], "items": { "type": "string", "minLength": 1 },
                "description": "Globs of what to leave out: a pattern without `/` is compared with the names of files and folders, one with `/` with the path below the input."
            }
        }
    })
}

fn stage() -> Value {
    json!({
        "type": "object",
        "required": ["use"],
        "properties": {
            "use": { "type": "string", "description": "The filter, extractor or corpus stage." },
            "id": id()
        }
    })
}

fn export() -> Value {
    json!({
        "type": "object",
        "required": ["use", "path"],
        "properties": {
            "use": { "type": "string", "description": "The exporter." },
            "id": id(),
            "path": { "type": "string", "minLength": 1, "description": "The folder to write to, relative to the pipeline file." },
            "from": { "type": "string", "enum": ["kept", "dropped", "failed"], "default": "kept", "description": "Which records to take." },
            "compression": { "type": "string", "enum": ["none", "zstd"], "default": "none", "description": "How to compress the parts." },
            "compression_level": { "type": "integer", "minimum": 1, "maximum": 22, "default": 3, "description": "From 1 (fast) to 22 (small)." },
            "max_part_bytes": { "type": ["string", "integer"], "x-size": 1, "default": "256 MiB", "description": "When a part is full, before compression: `\"256 MiB\"` or a number of bytes." }
        }
    })
}

fn run() -> Value {
    json!({
        "type": "object",
        "additionalProperties": false,
        "properties": {
            "threads": { "type": "integer", "minimum": 0, "maximum": 65536, "default": 0, "x-unit": "threads", "description": "How many threads work; 0 stands for every core." },
            "memory": { "type": ["string", "integer"], "x-size": 16_777_216, "default": "1 GiB", "description": "Bound on the documents in flight: `\"1 GiB\"` or a number of bytes." },
            "max_failed_ratio": { "type": "number", "minimum": 0, "maximum": 1, "default": 0.01, "description": "The share of failed records above which a run counts as failed." },
            "block_bytes": { "type": ["string", "integer"], "x-size": 1024, "default": "1 MiB", "description": "How much of a file is one piece of work: `\"1 MiB\"` or a number of bytes." }
        }
    })
}

fn test() -> Value {
    let document = |required: &[&str]| {
        json!({
            "type": "object",
            "additionalProperties": false,
            "required": required,
            "properties": {
                "id": { "type": "string", "minLength": 1, "description": "The id of the document." },
                "text": { "type": "string", "description": "Its text." },
                "metadata": { "type": "object", "description": "Its metadata." }
            }
        })
    };
    json!({
        "type": "object",
        "additionalProperties": false,
        "required": ["name", "input", "expect"],
        "properties": {
            "name": { "type": "string", "minLength": 1, "description": "What the test shows." },
            "input": { "type": "array", "minItems": 1, "items": document(&["id", "text"]), "description": "The documents that enter the first stage." },
            "expect": { "type": "array", "items": document(&["id"]), "description": "The documents that must come out, in order, and no others." }
        }
    })
}
