//! Pipelines that are right, and what becomes of them.

#![expect(clippy::unwrap_used, reason = "a test whose set-up fails has failed")]

#[path = "../common/mod.rs"]
mod common;
mod editors;
mod exports;
mod inputs;
mod merging;

use std::path::Path;
use std::sync::Arc;

use serde_json::{Value, json};
use tamis_config::{
    Compression, From, Opened, Overrides, Pipeline, Plan, PluginLocator, RunSettings, Setting, SettingOrigin,
};
use tamis_document::Document;
use tamis_stage::RunContext;
use tempfile::TempDir;

/// A folder with some inputs and rules.
fn project() -> TempDir {
    let folder = TempDir::new().unwrap();
    for name in ["dump/a.txt", "dump/2024/b.txt", "more/c.txt", "rules/news.toml", "dump/odd [1].txt"] {
        write(&folder, name, "");
    }
    folder
}

fn write(folder: &TempDir, name: &str, content: &str) {
    let path = folder.path().join(name);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, content).unwrap();
}

fn flag(key: &str, value: &str) -> Setting {
    Setting { key: key.into(), value: value.into(), origin: SettingOrigin::Flag }
}

fn planned(folder: &Path, content: &str, overrides: &Overrides) -> Plan {
    let pipeline =
        Pipeline::from_text("news.toml", content, folder, overrides).unwrap_or_else(|e| panic!("{e}"));
    pipeline.plan(&common::registry(), Vec::new()).unwrap_or_else(|e| panic!("{e}"))
}

fn plan(content: &str) -> (TempDir, Plan) {
    let folder = project();
    let plan = planned(folder.path(), content, &Overrides::default());
    (folder, plan)
}

const SMALL: &str = r#"
[[source]]
use = "records"
paths = ["dump/**/*.txt"]

[[stage]]
use = "line-length"

[[export]]
use = "jsonl"
path = "out"
"#;

const FULL: &str = r#"
name = "news"

[[plugin]]
path = "plugins/libmine.so"

[[plugin]]
name = "mine"
blake3 = "00112233445566778899AABBCCDDEEFF00112233445566778899aabbccddeeff"

[[source]]
id = "new"
use = "records"
paths = ["dump/**/*.txt", "more"]
exclude = [".git", "2023/**"]
metadata = ["account"]
fields = { text = "body" }

[[source]]
use = "auto"
paths = "more/c.txt"
skip_blank = true

[[stage]]
use = "site-rules"
rules = ["rules/news.toml"]
folder = "rules"

[[stage]]
id = "templates"
use = "line-template"
group_by = "account"
min_documents = 3

[[stage]]
use = "c-filter"
since = 2024-05-01
weights = { "新闻" = 1, other = 0.5 }

[[stage]]
use = "near-duplicate"

[[export]]
use = "jsonl"
path = "out"
compression = "zstd"
compression_level = 9
max_part_bytes = "64 MiB"

[[export]]
id = "dropped"
use = "parquet"
path = "out/dropped"
from = "dropped"
compression = "zstd"

[run]
threads = 4
memory = "512 MiB"
max_failed_ratio = 0
block_bytes = 65536
max_record_bytes = "64 MiB"
work = "scratch"
fates = false

[[test]]
name = "keeps the article"
input = [{ id = "a", text = "正文", metadata = { account = "x", n = 1, tags = ["a"] } }]
expect = [{ id = "a", text = "正文" }, { id = "b", metadata = { n = 1 }, all_metadata = {} }]
dropped = [{ id = "c", stage = "length", reason = "too-short" }]
"#;

#[test]
fn a_small_pipeline_takes_defaults() {
    let (folder, plan) = plan(SMALL);
    assert_eq!(plan.name, "news");
    assert_eq!(plan.file, folder.path().join("news.toml"));
    assert_eq!(plan.run, RunSettings::default());
    assert_eq!(plan.sources.len(), 1);
    assert_eq!(plan.sources[0].readers.len(), 1);
    assert_eq!(plan.stages[0].id, "line-length");
    assert_eq!(plan.stages[0].options, json!({}));
    assert!(plan.warnings.is_empty());
    assert!(plan.tests.is_empty() && plan.files.is_empty());

    let [kept, failed] = plan.exports.as_slice() else { panic!("{:?}", plan.exports) };
    assert_eq!((kept.from, kept.implicit, kept.compression), (From::Kept, false, Compression::None));
    assert_eq!(kept.path, folder.path().join("out"));
    assert_eq!((failed.from, failed.implicit, failed.id.as_str()), (From::Failed, true, "failed"));
    assert_eq!(failed.path, folder.path().join("out/__failed"));
}

#[test]
fn a_full_pipeline_keeps_every_word() {
    let (folder, plan) = plan(FULL);
    let base = folder.path();
    assert_eq!(plan.name, "news");
    let run = RunSettings {
        threads: 4,
        memory: 512 << 20,
        max_failed_ratio: 0.0,
        block_bytes: 65536,
        max_record_bytes: 64 << 20,
        checkpoint_secs: 10.0,
        stage_timeout_secs: 60.0,
        fates: false,
        report: false,
        work: Some(base.join("scratch")),
    };
    assert_eq!(plan.run, run);

    let ids: Vec<&str> = plan.sources.iter().map(|source| source.id.as_str()).collect();
    assert_eq!(ids, ["new", "auto"]);
    assert_eq!(
        plan.sources[0].readers[0].options,
        json!({ "metadata": ["account"], "fields": { "text": "body" } })
    );
    let auto: Vec<(&str, &Value)> =
        plan.sources[1].readers.iter().map(|reader| (reader.info.name.as_str(), &reader.options)).collect();
    assert_eq!(
        auto,
        [("html", &json!({})), ("lines", &json!({ "skip_blank": true })), ("records", &json!({}))]
    );

    let rules = base.join("rules");
    assert_eq!(plan.stages[0].options, json!({ "rules": [rules.join("news.toml")], "folder": rules }));
    assert_eq!(plan.files, [rules.clone(), rules.join("news.toml")]);
    assert_eq!(plan.stages[1].id, "templates");
    assert_eq!(plan.stages[2].options["since"], "2024-05-01");
    assert_eq!(plan.stages[2].options["weights"], json!({ "新闻": 1, "other": 0.5 }));

    assert_eq!(plan.exports[0].compression, Compression::Zstd { level: 9 });
    assert_eq!(plan.exports[0].max_part_bytes, 64 << 20);
    // A Parquet file compresses its pages itself: the option is its own.
    assert_eq!(plan.exports[1].compression, Compression::None);
    assert_eq!(plan.exports[1].options, json!({ "compression": "zstd" }));
    assert_eq!(plan.exports[2].compression, Compression::Zstd { level: 9 });

    let test = &plan.tests[0];
    assert_eq!(test.name, "keeps the article");
    assert_eq!((test.position.line, test.position.column), (66, 1));
    let metadata = [("account", json!("x")), ("n", json!(1)), ("tags", json!(["a"]))].into_iter().collect();
    assert_eq!(test.input, [Document { metadata, ..Document::new("a", "正文") }]);
    assert_eq!(test.expect[0].text.as_deref(), Some("正文"));
    assert!(test.expect[0].metadata.is_empty() && test.expect[0].all_metadata.is_none());
    assert!(test.expect[1].text.is_none() && test.expect[1].all_metadata.as_ref().unwrap().is_empty());
    assert_eq!(serde_json::to_value(&test.expect[1].metadata).unwrap(), json!({ "n": 1 }));
    let dropped = &test.dropped[0];
    assert_eq!([&dropped.id, &dropped.stage, &dropped.reason], ["c", "length", "too-short"]);
}

#[test]
fn plugins_are_named_before_stages_are_known() {
    let folder = project();
    let pipeline = Pipeline::from_text("p.toml", FULL, folder.path(), &Overrides::default()).unwrap();
    let [first, second] = pipeline.plugins() else { panic!("{:?}", pipeline.plugins()) };
    assert_eq!(first.locator, PluginLocator::Path(folder.path().join("plugins/libmine.so")));
    assert_eq!(first.position.to_string(), "p.toml:5:8");
    assert_eq!(second.locator, PluginLocator::Name("mine".into()));
    let lower = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";
    assert_eq!(second.blake3.as_deref(), Some(lower));
}

#[test]
fn corpus_stages_are_stages() {
    let stages = "[[stage]]\nuse = \"near-duplicate\"\n[[stage]]\nid = \"again\"\nuse = \"near-duplicate\"\n";
    let (_folder, plan) = plan(&SMALL.replace("[[export]]", &format!("{stages}[[export]]")));
    let ids: Vec<&str> = plan.stages.iter().map(|stage| stage.id.as_str()).collect();
    assert_eq!(ids, ["line-length", "near-duplicate", "again"]);
    assert!(plan.warnings.is_empty(), "{}", plan.warnings);
}

#[test]
fn the_canonical_form_depends_on_what_decides_the_output_alone() {
    let (folder, first) = plan(FULL);
    let keys: Vec<&String> = first.canonical.as_object().unwrap().keys().collect();
    assert!(keys.is_sorted(), "{keys:?}");
    // Another place on disk, another order of keys, comments, threads, tests: the same output.
    let moved = FULL
        .replace("threads = 4", "# as many as there are\nthreads = 0")
        .replace("\"512 MiB\"", "\"1 GiB\"")
        .replace("max_failed_ratio = 0", "")
        .replace("work = \"scratch\"", "")
        .replace("keeps the article", "keeps it")
        .replace("group_by = \"account\"\nmin_documents = 3", "min_documents = 3\ngroup_by = 'account'")
        .replace("\"64 MiB\"", "67_108_864");
    let (other_folder, same) = plan(&moved);
    assert_ne!(folder.path(), other_folder.path());
    assert_eq!(first.canonical.to_string(), same.canonical.to_string());
    assert!(!first.canonical.to_string().contains(folder.path().to_str().unwrap()));

    for (from, to) in [
        ("min_documents = 3", "min_documents = 4"),
        ("id = \"templates\"", "id = \"template\""),
        ("from = \"dropped\"", "from = \"failed\""),
        ("compression_level = 9", "compression_level = 8"),
        ("2023/**", "2022/**"),
        ("block_bytes = 65536", "block_bytes = 65537"),
        ("max_record_bytes = \"64 MiB\"", "max_record_bytes = \"63 MiB\""),
        ("\"more\"]", "\"more/c.txt\"]"),
    ] {
        let (_folder, other) = plan(&FULL.replace(from, to));
        assert_ne!(first.canonical, other.canonical, "{from}");
    }
}

/// A pipeline that reads lines, with more in its source and more tables.
fn lines(source: &str, more: &str) -> String {
    SMALL.replace("use = \"records\"", &format!("use = \"lines\"\n{source}")) + more
}

#[test]
fn the_longest_record_follows_from_the_memory_and_counts() {
    let run = |keys: &str| plan(&lines("", &format!("[run]\n{keys}\n"))).1;
    let first = run("");
    for (keys, bytes) in [
        ("", 128 << 20),
        ("memory = \"4 GiB\"", 128 << 20),
        ("memory = \"512 MiB\"", 64 << 20),
        ("memory = \"512 MiB\"\nmax_record_bytes = \"1 MiB\"", 1 << 20),
        ("memory = \"4 GiB\"\nmax_record_bytes = \"512 MiB\"", 512 << 20),
        // A block holds whole records.
        ("memory = \"64 MiB\"\nblock_bytes = \"9 MiB\"", 9 << 20),
    ] {
        let plan = run(keys);
        assert_eq!(plan.run.max_record_bytes, bytes, "{keys}");
        assert_eq!(plan.canonical["max_record_bytes"], bytes, "{keys}");
        // The memory itself does not decide what comes out.
        let keys_without_block = !keys.contains("block_bytes");
        assert_eq!(plan.canonical == first.canonical, bytes == 128 << 20 && keys_without_block, "{keys}");
    }
}

#[test]
fn a_bound_of_a_reader_is_lowered_with_the_longest_record_and_not_where_it_is_written() {
    let options = |source: &str, keys: &str| {
        plan(&lines(source, &format!("[run]\n{keys}\n"))).1.sources[0].readers[0].options.clone()
    };
    assert_eq!(options("", ""), json!({}));
    // The default of 16 MiB is too much for an eighth of this.
    assert_eq!(options("", "memory = \"64 MiB\""), json!({ "max_quoted_bytes": 8 << 20 }));
    let written = options("max_quoted_bytes = 1000", "memory = \"64 MiB\"");
    assert_eq!(written, json!({ "max_quoted_bytes": 1000 }));
}

#[test]
fn options_that_count_bytes_are_sizes_too() {
    for (written, bytes) in [("\"1 KiB\"", 1024), ("\"2 MB\"", 2_000_000), ("\"77\"", 77), ("78", 78)] {
        let content = lines(&format!("max_quoted_bytes = {written}"), "");
        let options = plan(&content).1.sources[0].readers[0].options.clone();
        assert_eq!(options, json!({ "max_quoted_bytes": bytes }), "{written}");
    }
}

#[test]
fn a_setting_that_one_of_several_readers_uses_has_an_effect() {
    let auto = |option: &str| SMALL.replace("use = \"records\"", &format!("use = \"auto\"\n{option}"));
    plan(&auto("quote = \"\"\nmax_quoted_bytes = 9"));
}

#[test]
fn a_filter_that_looks_twice_is_no_slip() {
    let (_folder, twice) = plan(&SMALL.replace(
        "[[export]]",
        "[[stage]]\nuse = \"line-template\"\n[[stage]]\nid = \"again\"\nuse = \"line-length\"\n[[export]]",
    ));
    assert!(twice.warnings.is_empty(), "{}", twice.warnings);
    let (_folder, once) =
        plan(&SMALL.replace("[[export]]", "[[stage]]\nuse = \"line-template\"\n[[export]]"));
    assert_eq!(once.warnings.len(), 1);
    assert!(!once.warnings.has_errors());
}

#[test]
fn a_plan_is_data_and_opens_as_often_as_one_likes() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("in")).unwrap();
    std::fs::write(folder.path().join("in/a.txt"), "a").unwrap();
    let text = "[[source]]\nuse = \"auto\"\npaths = [\"in/*.txt\"]\nexclude = [\"*.tmp\"]\n\
                [[export]]\nuse = \"jsonl\"\npath = \"out\"\n\
                [[test]]\nname = \"t\"\ninput = [{ id = \"a\", text = \"x\" }]\nexpect = []\n";
    let plan = || {
        let pipeline = Pipeline::from_text("p.toml", text, folder.path(), &Overrides::default()).unwrap();
        Arc::new(pipeline.plan(&common::registry(), Vec::new()).unwrap())
    };
    let (first, second) = (plan(), plan());
    assert_eq!(first, second);
    assert_eq!(*first, Plan::clone(&first));
    assert_ne!(*first, Plan { name: "other".to_owned(), ..Plan::clone(&first) });
    let json = serde_json::to_value(&*first).unwrap();
    assert_eq!(json["sources"][0]["inputs"][0]["glob"], "*.txt");
    assert_eq!(json["sources"][0]["exclude"], serde_json::json!(["*.tmp"]));
    assert_eq!(json["exports"][0]["use"]["use"], "jsonl");
    let registry = common::registry();
    let run = RunContext::default();
    let opened: Vec<_> = (0..2).map(|_| Opened::new(Arc::clone(&first), &registry, &run).unwrap()).collect();
    for opened in &opened {
        assert_eq!(opened.sources[0].readers.len(), first.sources[0].readers.len());
        assert_eq!(opened.exports.len(), first.exports.len());
    }
    let error = Opened::new(first, &tamis_stage::Registry::new(), &run).unwrap_err();
    assert!(error.to_string().ends_with("is not loaded"), "{error}");
}
