//! The keys that every source, stage and export has, described for help pages.

use std::sync::Arc;

use serde_json::Value;
use tamis_document::Form;
use tamis_stage::{Kind, Layout, OptionInfo, StageFactory, StageFlags, StageInfo};

use crate::envelope::{ENVELOPE, keys};
use crate::size::format_size;

/// The page of `use = "auto"` in Markdown, written as the pages of stages are; [`AUTO_SUMMARY`] is its first
/// sentence.
pub const AUTO_DOCS: &str = "\
Takes for each file the reader that is surest that the file is its own.

Use it when a folder holds files of several kinds, or to read a collection without a look at it first.
When all files are of one kind, name its reader: then a file of another kind is an error, and not read as
something else.

```toml
[[source]]
use = \"auto\"
paths = [\"dump/**/*\"]
exclude = [\"*.tmp\"]
fields = { text = \"body\" }
```

How it decides: every reader, those of plugins included, looks at the name and the first bytes of the file
and says how sure it is.
The surest one reads the whole file; of several that are equally sure, the first by name.
A file that no reader takes for its own fails as a whole, and is listed with the dead letters; a PDF, a picture or a
program is never read as text, and neither are XML that is no page (RSS, dumps), RTF and PostScript, unless
`any_format = true` says so. The message says what the file is.
A table without a name that says so, as on standard input, is told by its header and its rows.
`tamis check` looks at the first five files of this machine, and at the first of each other folder and ending, twelve at
most, to know which form of text comes to the stages.

Every option that a reader knows may be given; it goes to all readers that know it.
`encoding` is for those files only that are not UTF-8 and say nothing of their encoding: a collection of several kinds
is rarely in one.
A reader that cannot do without an option takes part only when the option is given.

Limits: a file is judged by its beginning, so one that changes its kind in the middle is read as what it
begins with.
";

/// One sentence about `use = "auto"`, for lists of readers.
pub const AUTO_SUMMARY: &str = "Takes for each file the reader that is surest that the file is its own.";

/// The order in which keys are listed: what says which stage it is, where it works, then how.
const ORDER: [&str; 36] = [
    "name",
    "extends",
    "plugin",
    "source",
    "stage",
    "export",
    "run",
    "test",
    "use",
    "id",
    "before",
    "after",
    "any_order",
    "isolate",
    "remove",
    "paths",
    "path",
    "exclude",
    "from",
    "compression",
    "compression_level",
    "max_part_bytes",
    "blake3",
    "input",
    "expect",
    "dropped",
    "threads",
    "memory",
    "max_failed_ratio",
    "block_bytes",
    "max_record_bytes",
    "checkpoint_secs",
    "stage_timeout_secs",
    "fates",
    "report",
    "work",
];

/// The keys of a table of the pipeline file that do not depend on the stage in it.
///
/// `table` is `source`, `stage`, `export`, `plugin`, `run` or `test`, or `pipeline` for the top level of the
/// file; for any other word the list is empty. The keys come in an order to be read in.
///
/// ```
/// let keys = tamis_config::common_keys("stage");
/// let names: Vec<&str> = keys.iter().map(|key| key.name.as_str()).collect();
/// assert_eq!(names, ["use", "id", "before", "after", "any_order", "isolate", "remove"]);
/// assert!(keys[0].required);
/// ```
pub fn common_keys(table: &str) -> Vec<OptionInfo> {
    let Some(schema) = declaration(table) else { return Vec::new() };
    // Described by the same words as options of stages.
    let info = StageInfo {
        name: table.to_owned(),
        kind: Kind::Filter,
        summary: String::new(),
        docs: String::new(),
        schema: schema.clone(),
        reads: Vec::new(),
        writes: Vec::new(),
        measures: Vec::new(),
        flags: StageFlags::default(),
        plugin: Arc::default(),
    };
    let mut described = info.options();
    for key in &mut described {
        if let Some(kind) = schema.pointer(&format!("/properties/{}", key.name)).and_then(kind) {
            key.kind = kind;
        }
    }
    described.sort_by_key(|key| rank(&key.name));
    described
}

/// The names of [`common_keys`].
pub(crate) fn in_order(schema: &Value) -> Vec<&str> {
    let mut names: Vec<&str> = keys(schema).collect();
    names.sort_by_key(|name| rank(name));
    names
}

fn rank(name: &str) -> usize {
    ORDER.iter().position(|known| *known == name).unwrap_or(ORDER.len())
}

fn declaration(table: &str) -> Option<&'static Value> {
    Some(match table {
        "pipeline" => &ENVELOPE.root,
        "source" => &ENVELOPE.source,
        "stage" => &ENVELOPE.stage,
        "export" => &ENVELOPE.export,
        "plugin" => &ENVELOPE.plugin,
        "run" => &ENVELOPE.run,
        "test" => &ENVELOPE.test,
        _ => return None,
    })
}

/// What a key holds, where the keywords of this crate say more than its JSON type.
fn kind(schema: &Value) -> Option<String> {
    if schema.get("x-tables").is_some() {
        return Some("list of tables".to_owned());
    }
    if let Some(smallest) = schema.get("x-size").and_then(Value::as_u64) {
        let least =
            if smallest > 1 { format!(", at least {}", format_size(smallest)) } else { String::new() };
        return Some(format!("size{least}"));
    }
    if let Some(expects) = schema.get("x-expects").and_then(Value::as_str) {
        return Some(format!("string of {expects}"));
    }
    let holds_tables = schema.pointer("/items/type").and_then(Value::as_str) == Some("object");
    holds_tables.then(|| "list of tables".to_owned())
}

/// What a stage says of the forms of text with the options that it has by default, for help pages: a verb and what it
/// is about. Nothing for a stage that cannot be opened without options.
pub fn forms(factory: &dyn StageFactory) -> Vec<(&'static str, String)> {
    let Ok(opened) = factory.open(&serde_json::json!({})) else { return Vec::new() };
    let forms = opened.forms();
    let texts = |forms: Vec<Form>| forms.into_iter().map(Form::as_str).collect::<Vec<_>>().join(" or ");
    let layouts =
        |layouts: Vec<Layout>| layouts.into_iter().map(Layout::as_str).collect::<Vec<_>>().join(", ");
    let said = [
        ("works on", texts(forms.taken()), " text"),
        ("gives", texts(forms.given()), " text"),
        ("looks at", layouts(forms.needed()), " as they came"),
        ("changes", layouts(forms.destroyed()), ""),
        ("makes", layouts(forms.made()), ""),
    ];
    let said = said.into_iter().filter(|(_, what, _)| !what.is_empty());
    said.map(|(verb, what, behind)| (verb, what + behind)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLES: [&str; 7] = ["pipeline", "source", "stage", "export", "plugin", "run", "test"];

    #[test]
    fn every_key_has_its_place_and_its_help() {
        for table in TABLES {
            let described = common_keys(table);
            assert!(!described.is_empty(), "{table}");
            for key in described {
                assert!(rank(&key.name) < ORDER.len(), "{table}: {}", key.name);
                assert!(key.help.ends_with('.'), "{table}: {}: {}", key.name, key.help);
                assert_ne!(key.kind, "any value", "{table}: {}", key.name);
            }
        }
        assert!(common_keys("filter").is_empty());
    }

    #[test]
    fn keys_are_described_in_words() {
        let line = |table: &str| -> Vec<String> {
            let described = common_keys(table).into_iter();
            described.map(|key| format!("{} {} = {:?}", key.name, key.kind, key.default)).collect()
        };
        assert_eq!(
            line("export"),
            [
                "use string = None",
                "id string of letters, digits, `-` and `_` = None",
                "path string = None",
                "from \"kept\" or \"dropped\" or \"failed\" = Some(\"\\\"kept\\\"\")",
                "compression \"none\" or \"gzip\" or \"zstd\" = Some(\"\\\"none\\\"\")",
                "compression_level integer, 1 to 22 = None",
                "max_part_bytes size = Some(\"\\\"256 MiB\\\"\")",
            ]
        );
        assert_eq!(line("source").get(2).map(String::as_str), Some("paths string or list of strings = None"));
        assert_eq!(
            line("run").get(1).map(String::as_str),
            Some("memory size, at least 16 MiB = Some(\"\\\"1 GiB\\\"\")")
        );
        assert_eq!(line("pipeline").get(4).map(String::as_str), Some("stage list of tables = None"));
    }

    #[test]
    fn the_page_of_auto_begins_with_its_summary() {
        assert!(AUTO_DOCS.starts_with(AUTO_SUMMARY));
    }
}
