//! The keys that a pipeline file has of its own, beside the options of stages.
//!
//! Declared once, as JSON Schema: the check of a pipeline and the schema for editors both read them here.

use std::sync::LazyLock;

use serde_json::{Value, json};

use crate::suggest::closest;

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

/// Whether somebody who writes `key` above all tables means `[[list]]`.
pub(crate) fn means_list(key: &str, list: &str) -> bool {
    if declares(&ENVELOPE.root, key) {
        return false;
    }
    let instead = ENVELOPE.root.get("x-instead").and_then(|words| words.get(key)?.as_str());
    instead.is_some_and(|instead| instead.contains(&format!("`[[{list}]]`")))
        || closest(key, keys(&ENVELOPE.root)) == Some(list)
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

/// Letters and digits of any script, `-` and `_`, told by what is left out: white space, control characters,
/// punctuation and symbols of ASCII, Latin 1 and East Asian text.
///
/// Editors and other programs read this in the schema: it has ranges only, because `\p{…}` is an error to the
/// regular expressions of Python, and means something else to those of JavaScript without the flag `u`.
const ID: &str = r"^[^\u0000-\u002C\u002E\u002F\u003A-\u0040\u005B-\u005E\u0060\u007B-\u00BF\u00D7\u00F7\u2000-\u206F\u2190-\u245F\u2500-\u27BF\u3000-\u3004\u3008-\u3020\u3030\uE000-\uF8FF\uFE10-\uFE1F\uFE30-\uFE6F\uFEFF-\uFF0F\uFF1A-\uFF20\uFF3B-\uFF3E\uFF40\uFF5B-\uFF65\uFFE0-\uFFFF]+$";

fn root() -> Value {
    json!({
        "type": "object",
        "additionalProperties": false,
        // Words that people try, and where what they mean stands.
        "x-instead": {
            "reader": "a reader goes in `[[source]]`, named by `use`",
            "readers": "a reader goes in `[[source]]`, named by `use`",
            "input": "inputs are the `paths` of a `[[source]]`",
            "inputs": "inputs are the `paths` of a `[[source]]`",
            "filter": "a filter goes in `[[stage]]`, named by `use`",
            "filters": "filters go in `[[stage]]`, each named by `use`",
            "extractor": "an extractor goes in `[[stage]]`, named by `use`",
            "extractors": "extractors go in `[[stage]]`, each named by `use`",
            "corpus": "a corpus stage goes in `[[stage]]`, named by `use`",
            "exporter": "an exporter goes in `[[export]]`, named by `use`",
            "exporters": "exporters go in `[[export]]`, each named by `use`",
            "output": "the output is the `path` of an `[[export]]`",
            "outputs": "outputs are the `path` of an `[[export]]` each",
            "sink": "a sink is an exporter: it goes in `[[export]]`, named by `use`",
            "threads": "this is a key of `[run]`",
            "memory": "this is a key of `[run]`"
        },
        "properties": {
            "name": { "type": "string", "minLength": 1, "description": "The name of the pipeline in reports; by default that of its file." },
            "extends": { "type": "string", "minLength": 1, "description": "Another pipeline file to take over, relative to this one. Its sources and its exports are replaced as a whole by those given here; a `[[stage]]` with the id of a stage there changes its options or takes it out, any other is added; keys of `[run]` replace keys there, `[[plugin]]` tables are added. Tests are not taken over: they test the stages as they stand there." },
            "plugin": { "x-tables": "path", "description": "Dynamic libraries with stages beyond the bundled ones." },
            "source": { "x-tables": "use", "description": "Where documents come from." },
            "stage": { "x-tables": "use", "description": "What happens to documents, in order." },
            "export": { "x-tables": "use", "description": "Where documents go." },
            "run": { "type": "object", "description": "How to run." },
            "test": { "x-tables": "name", "description": "Tests of the pipeline, run by `tamis test`." }
        }
    })
}

fn plugin() -> Value {
    json!({
        "type": "object",
        "additionalProperties": false,
        "properties": {
            "path": { "type": "string", "minLength": 1, "description": "The library file, relative to the pipeline file." },
            "name": { "type": "string", "minLength": 1, "description": "Instead of `path`, the name of the plugin, looked up in the plugin folders." },
            "blake3": { "type": "string", "pattern": "^[0-9a-fA-F]{64}$", "x-expects": "64 hexadecimal digits", "description": "The BLAKE3 hash that the file must have, in hexadecimal." }
        }
    })
}

fn id() -> Value {
    json!({
        "type": "string", "minLength": 1, "pattern": ID,
        "x-expects": "letters, digits, `-` and `_`",
        "description": "A name for reports and overrides; by default that of the stage."
    })
}

/// What to write instead of keys that people try.
fn instead(words: &[(&[&str], &str)]) -> Value {
    let each =
        words.iter().flat_map(|(keys, what)| keys.iter().map(|key| ((*key).to_owned(), Value::from(*what))));
    Value::Object(each.collect())
}

fn source() -> Value {
    let others = instead(&[
        (
            &["dir", "directory", "file", "files", "folder", "glob", "input", "inputs", "url", "urls"],
            "`paths` names what to read: files, folders, globs, addresses",
        ),
        (&["format", "kind", "reader", "type"], "`use` names the reader"),
    ]);
    json!({
        "type": "object",
        "x-instead": others,
        "required": ["use", "paths"],
        "properties": {
            "use": { "type": "string", "description": "The reader; `auto` takes for each file the one that is surest it is its own." },
            "id": id(),
            "paths": {
                "type": ["string", "array"], "items": { "type": "string", "minLength": 1 }, "minItems": 1, "minLength": 1,
                "description": "Files, folders and globs (`dump/**/*.txt`), relative to the pipeline file. Also `-` for standard input, and addresses such as `s3://bucket/dump/*.jsonl` or `hf://datasets/owner/name/**/*.parquet`. What is hidden in a folder (a name that begins with a dot), and what a run has put beside its result there (`__failed`), is passed over unless a path names it. Links are followed, wherever they lead: a folder to which two links lead is read twice, each file under both names, unless `exclude` names one of them."
            },
            "exclude": {
                "type": ["string", "array"], "items": { "type": "string", "minLength": 1 },
                "description": "What to leave out, as in a `.gitignore` file: a pattern without `/` is compared with the names of files and folders, one with `/` with the path below the input, one that ends in `/` with folders; `!` takes back in what an earlier one left out."
            }
        }
    })
}

fn place(word: &str) -> Value {
    let description = format!(
        "In a pipeline that `extends` another: the id of the stage {word} which this new one stands; without `before` \
         or `after` it stands last."
    );
    json!({ "type": "string", "minLength": 1, "description": description })
}

fn stage() -> Value {
    let others = instead(&[
        (
            &["disable", "disabled", "enable", "enabled", "skip"],
            "to leave a stage out put `#` before its lines, or in a pipeline that `extends` another write `remove = true`",
        ),
        (&["filter", "stage", "type"], "`use` names the stage"),
    ]);
    json!({
        "type": "object",
        "x-instead": others,
        "required": ["use"],
        "properties": {
            "use": { "type": "string", "description": "The filter, extractor or corpus stage." },
            "id": id(),
            "before": place("before"),
            "after": place("after"),
            "any_order": { "type": "boolean", "description": "`true` says that the stage stands where it does on purpose: what `tamis check` finds wrong with its place is not told." },
            "isolate": { "type": "boolean", "description": "`true` runs a filter or an extractor in processes of its own, one for each worker: a crash, an `abort` or a loop without end costs the document at which it happens, and the dead letter names it. A document at which it is for longer than `stage_timeout_secs` of `[run]` fails. Documents are copied to the process and back: of 100,000 with 1 KB each, `length` takes 1.7 µs a document more of the processor (0.2 in the process of the run), `repair-text`, which changes all of them, 3 µs more (2.1), `judge` with the rules of Gopher, which has many measures to send back, 9 µs more (14)." },
            "remove": { "type": "boolean", "description": "In a pipeline that `extends` another: `true` takes the stage of this id out." }
        }
    })
}

fn export() -> Value {
    let others = instead(&[
        (
            &["dir", "directory", "file", "filename", "folder", "output", "to"],
            "`path` names the folder to write to; the files in it are `part-00000` and so on",
        ),
        (&["exporter", "format", "type"], "`use` names the exporter"),
    ]);
    json!({
        "type": "object",
        "x-instead": others,
        "required": ["use", "path"],
        "properties": {
            "use": { "type": "string", "description": "The exporter." },
            "id": id(),
            "path": { "type": "string", "minLength": 1, "description": "The folder to write to, relative to the pipeline file, or a place in an object store (`s3://bucket/out`, `gs://…`, `az://…`). `out/{language}/{published:%Y-%m}` makes folders by fields of metadata, of a date in a `strftime` form; `{url:host}` takes the host of an address, `{language:primary}` the language of a tag without script and region, `{lang:tag}` writes a tag as BCP 47 does (`zh_cn` is `zh-CN`), as `{language}` does by itself. Where there is no value, the folder is `unknown`; a value that cannot name a folder is escaped (`a%2Fb`). Braces are doubled in names." },
            "from": { "type": "string", "enum": ["kept", "dropped", "failed"], "default": "kept", "description": "Which records to take." },
            "compression": { "type": "string", "enum": ["none", "gzip", "zstd"], "default": "none", "x-instead": { "gz": "write `gzip`", "zst": "write `zstd`", "zstandard": "write `zstd`" }, "description": "How to compress the parts." },
            "compression_level": { "type": "integer", "minimum": 1, "maximum": 22, "x-needs": { "compression": ["gzip", "zstd"] }, "description": "From 1 (fast) to 9 (small, `gzip`) or 22 (smallest, `zstd`); by default 6 for `gzip` and 3 for `zstd`." },
            "max_part_bytes": { "type": ["string", "integer"], "x-size": 1, "default": "256 MiB", "description": "When a part is full, before compression: `\"256 MiB\"` or a number of bytes." }
        }
    })
}

fn run() -> Value {
    let others = instead(&[
        (
            &[
                "concurrency",
                "cores",
                "cpus",
                "jobs",
                "n_workers",
                "num_workers",
                "parallelism",
                "processes",
                "workers",
            ],
            "`threads` says how many threads work",
        ),
        (
            &["max_errors", "max_failed", "max_failures"],
            "`max_failed_ratio` says which share of the records may fail",
        ),
        (&["batch_size", "chunk_size"], "`block_bytes` says how much is one piece of work"),
        (&["limit"], "`tamis run FILE --limit N` reads the first N records"),
    ]);
    json!({
        "type": "object",
        "x-instead": others,
        "additionalProperties": false,
        "properties": {
            "threads": { "type": "integer", "minimum": 0, "maximum": 1024, "default": 0, "x-unit": "threads", "description": "How many threads work; 0 stands for every core." },
            "memory": { "type": ["string", "integer"], "x-size": 16_777_216, "default": "1 GiB", "description": "Bound on the documents in flight: `\"1 GiB\"` or a number of bytes." },
            "max_failed_ratio": { "type": "number", "minimum": 0, "maximum": 1, "default": 0.01, "description": "The share of failed records, or of bytes that could not be read, above which a run counts as failed." },
            "block_bytes": { "type": ["string", "integer"], "x-size": 1024, "default": "1 MiB", "description": "How much of a file is one piece of work: `\"1 MiB\"` or a number of bytes." },
            "max_record_bytes": { "type": ["string", "integer"], "x-size": 1024, "description": "The longest record; a longer one fails. `\"64 MiB\"` or a number of bytes, from `block_bytes` to an eighth of `memory`; by default that eighth, and at most 128 MiB. The options of readers that bound a record cannot be more." },
            "checkpoint_secs": { "type": "number", "minimum": 0, "maximum": 86400, "default": 10, "x-unit": "s", "description": "How often to note how far the run is, so that the next one goes on there after an interruption." },
            "stage_timeout_secs": { "type": "number", "minimum": 0, "maximum": 86400, "default": 60, "x-unit": "s", "description": "How long a stage may be at one document before a warning names both; 0 stands for any time. The run goes on, and what it writes does not depend on this." },
            "fates": { "type": "boolean", "default": true, "description": "Whether a table of what became of every record is written to `.tamis/fates` below the first export, some 10 to 40 bytes a record." },
            "report": { "type": "boolean", "default": false, "description": "Whether a finished run leaves the page of `tamis report` in the folder of the first export, as `__report.html`, which readers of data sets pass over." },
            "work": { "type": "string", "minLength": 1, "description": "A folder for documents that are put aside while corpus stages learn, relative to the pipeline file; by default inside the output. Where exports go to an object store, their parts lie there until they have been sent; by default in the cache folder of the user." }
        }
    })
}

fn test() -> Value {
    let document = |required: &[&str], properties: Value| json!({ "type": "object", "additionalProperties": false, "required": required, "properties": properties });
    let id = json!({ "type": "string", "minLength": 1, "description": "The id of the document." });
    let text = json!({ "type": "string", "description": "Its text." });
    let input =
        json!({ "id": id, "text": text, "metadata": { "type": "object", "description": "Its metadata." } });
    let expected = json!({
        "id": id, "text": text,
        "metadata": { "type": "object", "minProperties": 1, "description": "Fields that it must have, with these values; others do not matter." },
        "all_metadata": { "type": "object", "description": "All of its fields: it must have these and no others." }
    });
    let dropped = json!({
        "id": id,
        "stage": { "type": "string", "minLength": 1, "description": "The id of the stage that drops it." },
        "reason": { "type": "string", "minLength": 1, "description": "The reason that the stage gives." }
    });
    json!({
        "type": "object",
        "additionalProperties": false,
        "required": ["name", "input", "expect"],
        "properties": {
            "name": { "type": "string", "minLength": 1, "description": "What the test shows." },
            "input": { "type": "array", "minItems": 1, "items": document(&["id", "text"], input), "description": "The documents that enter the first stage. Tables with `id`, `text` and, if wanted, `metadata`." },
            "expect": { "type": "array", "items": document(&["id"], expected), "description": "The documents that must come out, in order, and no others. Tables with `id` and, if they are to be compared, `text` and `metadata`: fields that a document must have, whatever else it has; `all_metadata` allows no others." },
            "dropped": { "type": "array", "minItems": 1, "items": document(&["id", "stage", "reason"], dropped), "description": "Documents that must be dropped, each by this stage and for this reason. Tables with `id`, `stage` and `reason`, as `{ id = \"a\", stage = \"length\", reason = \"too-short\" }`." }
        }
    })
}

#[cfg(test)]
mod tests {
    use super::ID;

    #[test]
    fn an_id_has_letters_digits_and_two_marks() {
        let id = regex::Regex::new(ID).expect("a constant");
        for good in ["line-length", "a_1", "新闻", "㐀𠀀", "Ünïcode", "кириллица", "ｆｕｌｌ＿１", "々"]
        {
            assert!(id.is_match(good), "{good}");
        }
        for bad in [
            "",
            "a b",
            "a.b",
            "a/b",
            "a:b",
            "[a]",
            "a`",
            "a\n",
            "a　b",
            "新闻。",
            "“a”",
            "a，b",
            "【a】",
            "a\u{a0}",
        ] {
            assert!(!id.is_match(bad), "{bad:?}");
        }
    }
}
