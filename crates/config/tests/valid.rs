//! Pipelines that are right, and what becomes of them.

#![expect(clippy::unwrap_used, reason = "a test whose set-up fails has failed")]

mod common;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::{Value, json};
use tamis_config::{
    Compression, From, InputKind, Opened, Overrides, PartitionPiece, Pipeline, Plan, PluginLocator,
    RunSettings, Setting, SettingOrigin, schema,
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
expect = [{ id = "a", text = "正文" }, { id = "b", metadata = {} }]
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
    assert_eq!(test.expect[0].metadata, None);
    assert!(test.expect[1].text.is_none() && test.expect[1].metadata.as_ref().unwrap().is_empty());
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
fn inputs_know_what_they_take_and_what_ids_are_relative_to() {
    let (folder, plan) = plan(FULL);
    let source = &plan.sources[0];
    let [glob, more] = source.inputs.as_slice() else { panic!("{:?}", source.inputs) };
    assert!(glob.is_glob() && !more.is_glob());
    assert_eq!(glob.path, folder.path().join("dump"));
    assert_eq!(more.path, folder.path().join("more"));
    // Two inputs: ids begin where both lie.
    assert_eq!((glob.root.as_path(), more.root.as_path()), (folder.path(), folder.path()));
    assert!(glob.takes(Path::new("a.txt")) && glob.takes(Path::new("2024/b.txt")));
    assert!(!glob.takes(Path::new("a.json")));
    assert!(more.takes(Path::new("anything/at/all")));
    assert!(source.exclude.contains(Path::new("x/.git")));
    assert!(source.exclude.contains(Path::new("2023/x.txt")));
    assert!(!source.exclude.contains(Path::new("2024/b.txt")));
    // A file alone: ids begin in its folder.
    assert_eq!(plan.sources[1].inputs[0].root, folder.path().join("more"));
}

#[test]
fn a_file_whose_name_looks_like_a_glob_is_a_file() {
    let (folder, plan) = plan(&SMALL.replace("dump/**/*.txt", "dump/odd [1].txt"));
    let input = &plan.sources[0].inputs[0];
    assert!(!input.is_glob());
    assert_eq!(input.path, folder.path().join("dump/odd [1].txt"));
}

#[test]
fn extends_takes_over_what_is_not_named_here() {
    let folder = project();
    write(
        &folder,
        "base/common.toml",
        &FULL.replace("rules/news", "site/news").replace("\"rules\"", "\"site\""),
    );
    write(&folder, "base/site/news.toml", "");
    let content = "extends = \"base/common.toml\"\n[[source]]\nuse = \"records\"\npaths = [\"dump\"]\n\
                   [[plugin]]\nname = \"other\"\n[[plugin]]\npath = \"base/plugins/libmine.so\"\n\
                   [run]\nthreads = 2\nwork = \"here\"\n";
    let pipeline = Pipeline::from_text("news.toml", content, folder.path(), &Overrides::default()).unwrap();
    // Libraries are added, and one that is named again is loaded once.
    let libraries: Vec<String> = pipeline
        .plugins()
        .iter()
        .map(|plugin| match &plugin.locator {
            PluginLocator::Path(path) => path.strip_prefix(folder.path()).unwrap().display().to_string(),
            PluginLocator::Name(name) => format!("{name} in {}", plugin.position.file),
        })
        .collect();
    assert_eq!(libraries, ["mine in base/common.toml", "other in news.toml", "base/plugins/libmine.so"]);
    let plan = pipeline.plan(&common::registry(), Vec::new()).unwrap_or_else(|e| panic!("{e}"));
    assert_eq!(plan.sources.len(), 1);
    assert_eq!(plan.sources[0].inputs[0].path, folder.path().join("dump"));
    // Keys of `[run]` are merged, and each path lies beside the file that names it.
    assert_eq!((plan.run.threads, plan.run.memory), (2, 512 << 20));
    assert_eq!(plan.run.work, Some(folder.path().join("here")));
    assert_eq!(plan.stages[0].options["folder"], json!(folder.path().join("base/site")));
    assert_eq!(plan.exports[0].path, folder.path().join("base/out"));
    assert_eq!(plan.name, "news");
    // Its tests are for the stages as they stand there.
    assert!(plan.tests.is_empty());
}

/// The ids of the stages, with their options.
fn stages(plan: &Plan) -> Vec<String> {
    plan.stages.iter().map(|stage| format!("{} {}", stage.id, stage.options)).collect()
}

#[test]
fn stages_of_pipelines_that_extend_each_other_are_merged_by_id() {
    let folder = project();
    write(
        &folder,
        "base/first.toml",
        "[[stage]]\nuse = \"line-template\"\nmin_documents = 3\ngroup_by = \"id\"\n\
         [[stage]]\nid = \"short\"\nuse = \"line-length\"\nmin_chars = 5\nmax_chars = 90\n\
         [[stage]]\nuse = \"near-duplicate\"\n\
         [[export]]\nuse = \"jsonl\"\npath = \"out\"\n",
    );
    write(
        &folder,
        "second.toml",
        "extends = \"base/first.toml\"\n\
         [[stage]]\nid = \"line-template\"\nmin_documents = 4\n\
         [[stage]]\nuse = \"language\"\nbefore = \"near-duplicate\"\n\
         [[stage]]\nuse = \"site-rules\"\nrules = [\"rules/news.toml\"]\nbefore = \"line-template\"\n\
         [[stage]]\nid = \"last\"\nuse = \"c-filter\"\n",
    );
    let head = "extends = \"second.toml\"\n[[source]]\nuse = \"records\"\npaths = [\"dump\"]\n";
    let plan = |stages: &str| planned(folder.path(), &format!("{head}{stages}"), &Overrides::default());
    let rules = format!("site-rules {}", json!({ "rules": [folder.path().join("rules/news.toml")] }));
    assert_eq!(
        stages(&plan("")),
        [
            &rules,
            r#"line-template {"group_by":"id","min_documents":4}"#,
            r#"short {"max_chars":90,"min_chars":5}"#,
            "language {}",
            "near-duplicate {}",
            "last {}",
        ]
    );
    // Taken out, changed by its name, put behind one another, and put where another was.
    let changed = plan(
        "[[stage]]\nid = \"site-rules\"\nremove = true\n\
         [[stage]]\nuse = \"language\"\nkeep_unknown = false\n\
         [[stage]]\nid = \"a\"\nuse = \"c-filter\"\nafter = \"short\"\n\
         [[stage]]\nid = \"c\"\nuse = \"c-filter\"\nafter = \"a\"\n\
         [[stage]]\nid = \"b\"\nuse = \"c-filter\"\nafter = \"short\"\n\
         [[stage]]\nuse = \"near-duplicate\"\nremove = true\n\
         [[stage]]\nid = \"near-duplicate\"\nuse = \"c-filter\"\nbefore = \"b\"\n",
    );
    assert_eq!(
        stages(&changed),
        [
            r#"line-template {"group_by":"id","min_documents":4}"#,
            r#"short {"max_chars":90,"min_chars":5}"#,
            "a {}",
            "c {}",
            "near-duplicate {}",
            "b {}",
            r#"language {"keep_unknown":false}"#,
            "last {}",
        ]
    );
}

#[test]
fn what_is_merged_can_be_overridden_and_each_value_knows_its_file() {
    let folder = project();
    write(&folder, "base.toml", SMALL);
    let content = "extends = \"base.toml\"\n[[stage]]\nid = \"line-length\"\nmin_chars = 3\nmax_chars = 2\n";
    let set = vec![flag("stage.line-length.max_chars", "4")];
    let plan = planned(folder.path(), content, &Overrides { set, ..Overrides::default() });
    assert_eq!(stages(&plan), [r#"line-length {"max_chars":4,"min_chars":3}"#]);
    let pipeline = Pipeline::from_text("news.toml", content, folder.path(), &Overrides::default()).unwrap();
    let found = pipeline.plan(&common::registry(), Vec::new()).unwrap_err().to_json();
    assert_eq!((&found[0]["file"], &found[0]["line"]), (&json!("news.toml"), &json!(5)), "{found}");
}

#[test]
fn overrides_win_in_order() {
    let folder = project();
    let overrides = Overrides {
        set: vec![
            Setting {
                key: "stage.line_length.min_chars".into(),
                value: "3".into(),
                origin: SettingOrigin::Environment("TAMIS__STAGE__LINE_LENGTH__MIN_CHARS".into()),
            },
            Setting {
                key: "run.memory".into(),
                value: "2 GiB".into(),
                origin: SettingOrigin::Environment("TAMIS__RUN__MEMORY".into()),
            },
            flag("stage.0.max_chars", "9"),
            flag("stage.line-length.max_chars", "10"),
            flag("source.records.fields.text", "body"),
            flag("source.records.metadata", "[\"url\", 'site']"),
            flag("export.jsonl.compression", "zstd"),
            flag("run.threads", "3"),
            flag("name", "夜间"),
        ],
        inputs: vec![folder.path().join("more/c.txt"), folder.path().join("dump/*.txt")],
        output: Some(folder.path().join("elsewhere")),
        ..Overrides::default()
    };
    let plan = planned(folder.path(), SMALL, &overrides);
    assert_eq!(plan.name, "夜间");
    assert_eq!(plan.stages[0].options, json!({ "min_chars": 3, "max_chars": 10 }));
    let reader = &plan.sources[0].readers[0];
    assert_eq!(reader.options, json!({ "fields": { "text": "body" }, "metadata": ["url", "site"] }));
    assert_eq!(plan.exports[0].compression, Compression::Zstd { level: 3 });
    assert_eq!(plan.exports[0].path, folder.path().join("elsewhere"));
    assert_eq!(plan.run, RunSettings { threads: 3, memory: 2 << 30, ..RunSettings::default() });
    let inputs: Vec<&PathBuf> = plan.sources[0].inputs.iter().map(|input| &input.path).collect();
    assert_eq!(inputs, [&folder.path().join("more/c.txt"), &folder.path().join("dump")]);
}

#[test]
fn a_stage_name_means_the_table_that_has_no_other_id() {
    let folder = project();
    let more = "\n[[export]]\nid = \"dropped\"\nuse = \"jsonl\"\npath = \"dropped\"\nfrom = \"dropped\"\n";
    let overrides = Overrides { set: vec![flag("export.jsonl.compression", "zstd")], ..Overrides::default() };
    let plan = planned(folder.path(), &format!("{SMALL}{more}"), &overrides);
    let levels: Vec<Compression> = plan.exports.iter().map(|export| export.compression).collect();
    let zstd = Compression::Zstd { level: 3 };
    assert_eq!(levels, [zstd, Compression::None, zstd]);
}

#[test]
fn placeholders_part_an_export() {
    let path = "out/v1/lang={language}/{published:%Y-%m}/{{x}}";
    for path in [path.to_owned(), format!("{path}/")] {
        let (folder, plan) = plan(&SMALL.replace("\"out\"", &format!("\"{path}\"")));
        let export = &plan.exports[0];
        assert_eq!(export.path, folder.path().join("out/v1"));
        let partition = export.partition.as_ref().unwrap();
        let field = |name: &str, format: Option<&str>| PartitionPiece::Field {
            name: name.to_owned(),
            format: format.map(str::to_owned),
        };
        let text = |text: &str| PartitionPiece::Text(text.to_owned());
        assert_eq!(
            partition.pieces,
            [
                text("lang="),
                field("language", None),
                text("/"),
                field("published", Some("%Y-%m")),
                text("/{x}")
            ]
        );
        assert_eq!(partition.to_string(), "lang={language}/{published:%Y-%m}/{{x}}");
        // Dead letters are all together.
        assert_eq!(plan.exports[1].path, folder.path().join("out/v1/__failed"));
        assert_eq!(plan.exports[1].partition, None);
    }
}

#[test]
fn another_output_keeps_the_placeholders() {
    let folder = project();
    let content = format!(
        "{}\n[[export]]\nid = \"x\"\nuse = \"files\"\npath = \"out/by-site/{{site}}\"\nfrom = \"dropped\"\n",
        SMALL.replace("\"out\"", "\"out/{language}\"")
    );
    let new = folder.path().join("new {curly}");
    let overrides = Overrides { output: Some(new.clone()), ..Overrides::default() };
    let plan = planned(folder.path(), &content, &overrides);
    let shown: Vec<(PathBuf, Option<String>)> = plan
        .exports
        .iter()
        .map(|export| (export.path.clone(), export.partition.as_ref().map(ToString::to_string)))
        .collect();
    let expected = [
        (new.clone(), Some("{language}".to_owned())),
        (new.join("by-site"), Some("{site}".to_owned())),
        (new.join("__failed"), None),
    ];
    assert_eq!(shown, expected);
}

#[test]
fn a_plan_that_streams_has_one_export_that_can() {
    let folder = project();
    let more =
        "\n[[export]]\nid = \"more\"\nuse = \"jsonl\"\npath = \"more/{language}\"\ncompression = \"zstd\"\n";
    for (content, id) in [
        (SMALL.to_owned(), "jsonl"),
        (SMALL.replace("\"jsonl\"", "\"files\""), "output"),
        (SMALL.replace("\"jsonl\"", "\"files\"") + more, "more"),
    ] {
        let overrides = Overrides { streams: true, ..Overrides::default() };
        let plan = planned(folder.path(), &content, &overrides);
        let [export] = &plan.exports[..] else { panic!("{:?}", plan.exports) };
        assert_eq!((export.id.as_str(), export.info.name.as_str(), export.from), (id, "jsonl", From::Kept));
        assert_eq!((export.compression, &export.partition), (Compression::None, &None));
    }
}

#[test]
fn inputs_may_be_elsewhere() {
    let paths =
        "[\"dump/*.txt\", \"-\", \"s3://bucket/dump/**/*.jsonl\", \"https://u:pw@[::1]:8/a?b=1\", \"./-\"]";
    let folder = project();
    write(&folder, "-", "");
    let content = SMALL.replace("[\"dump/**/*.txt\"]", paths);
    let plan = planned(folder.path(), &content, &Overrides::default());
    let kinds: Vec<InputKind> = plan.sources[0].inputs.iter().map(|input| input.kind).collect();
    assert_eq!(kinds, [InputKind::Local, InputKind::Stdin, InputKind::Url, InputKind::Url, InputKind::Local]);
    assert_eq!(plan.sources[0].inputs[2].written, "s3://bucket/dump/**/*.jsonl");
    assert_eq!(plan.sources[0].inputs[0].root, folder.path());
    let web = &plan.sources[0].inputs[3];
    assert_eq!(web.address.as_ref().unwrap().secret(), "https://u:pw@[::1]:8/a?b=1");
    // Whoever is shown the plan, or finds it beside the output, gets no secrets.
    let shown = &*tamis_address::shown("https://u:pw@[::1]:8/a?b=1");
    assert!(web.written == shown && !format!("{:?}", plan.sources[0]).contains("pw"));
    assert_eq!(
        plan.canonical["sources"][0]["paths"],
        json!(["dump/*.txt", "-", "s3://bucket/dump/**/*.jsonl", shown, "./-"])
    );
}

#[test]
fn later_patterns_take_back_in() {
    let patterns =
        "[\"*.tmp\", \"!keep.tmp\", \"logs/\", \"!logs/keep.tmp\", \"/top.txt\", \"a/**/z\", \"2023/**\"]";
    let (_folder, plan) = plan(&SMALL.replace("[[stage]]", &format!("exclude = {patterns}\n[[stage]]")));
    let exclude = &plan.sources[0].exclude;
    assert_eq!(exclude.patterns().len(), 7);
    for (path, file, folder) in [
        ("x.tmp", true, true),
        ("deep/x.tmp", true, true),
        ("deep/keep.tmp", false, false),
        ("logs", false, true),
        ("logs/keep.tmp", true, true),
        ("deep/logs/x.txt", true, true),
        ("top.txt", true, true),
        ("deep/top.txt", false, false),
        ("a/z", true, true),
        ("a/b/c/z", true, true),
        ("2023", false, false),
        ("2023/x", true, true),
        ("字.txt", false, false),
        ("", false, false),
    ] {
        let path = Path::new(path);
        assert_eq!((exclude.contains(path), exclude.contains_dir(path)), (file, folder), "{path:?}");
    }
}

#[cfg(unix)]
#[test]
fn names_on_the_command_line_need_not_be_text() {
    use std::os::unix::ffi::OsStrExt;
    let folder = project();
    let odd = |name: &[u8]| folder.path().join(std::ffi::OsStr::from_bytes(name));
    std::fs::write(odd(b"a\xff.txt"), "").unwrap();
    let overrides =
        Overrides { inputs: vec![odd(b"a\xff.txt")], output: Some(odd(b"out\xfe")), ..Overrides::default() };
    let more = "\n[[export]]\nid = \"x\"\nuse = \"files\"\npath = \"out/x\"\nfrom = \"dropped\"\n";
    let plan = planned(folder.path(), &format!("{SMALL}{more}"), &overrides);
    assert_eq!(plan.sources[0].inputs[0].path, odd(b"a\xff.txt"));
    assert_eq!(plan.exports[0].path, odd(b"out\xfe"));
    assert_eq!(plan.exports[1].path, odd(b"out\xfe/x"));
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
fn a_relative_override_is_relative_to_the_working_folder() {
    let folder = project();
    let overrides = Overrides { output: Some("out/../here".into()), ..Overrides::default() };
    let plan = planned(folder.path(), SMALL, &overrides);
    assert_eq!(plan.exports[0].path, std::env::current_dir().unwrap().join("here"));
}

#[test]
fn exports_move_with_the_first_one() {
    let export = |id: &str, path: &str| {
        format!("\n[[export]]\nid = \"{id}\"\nuse = \"files\"\npath = \"{path}\"\nfrom = \"dropped\"\n")
    };
    let content = format!(
        "{SMALL}{}{}{}",
        export("below", "out/beside"),
        export("beside", "elsewhere"),
        export("above", ".")
    );
    let folder = project();
    let overrides = Overrides { output: Some(folder.path().join("new")), ..Overrides::default() };
    let plan = planned(folder.path(), &content, &overrides);
    let paths: Vec<&PathBuf> = plan.exports.iter().map(|export| &export.path).collect();
    let expected = ["new", "new/beside", "new/beside-2", "new/above", "new/__failed"]
        .map(|path| folder.path().join(path));
    assert_eq!(paths, expected.iter().collect::<Vec<_>>());
}

#[test]
fn what_needs_no_inputs_does_not_ask_for_them() {
    let folder = project();
    let content = SMALL.replace("dump/**/*.txt", "not/there/yet.txt");
    let pipeline = Pipeline::from_text("news.toml", &content, folder.path(), &Overrides::default()).unwrap();
    let plan = pipeline.without_inputs().plan(&common::registry(), Vec::new()).unwrap();
    assert!(plan.sources[0].inputs.is_empty());
    assert!(plan.warnings.is_empty());
}

#[test]
fn an_output_below_an_input_is_no_mistake() {
    for path in ["dump/out", "dump2"] {
        let (folder, plan) = plan(&SMALL.replace("\"out\"", &format!("\"{path}\"")));
        assert_eq!(plan.exports[0].path, folder.path().join(path));
    }
    // A file is named, and not found in a walk.
    plan(&SMALL.replace("dump/**/*.txt", "dump/a.txt").replace("\"out\"", "\"dump\""));
}

#[test]
fn large_folders_are_not_searched_to_the_end() {
    let folder = project();
    for index in 0..2_100 {
        write(&folder, &format!("large/{index}.txt"), "");
    }
    let content = SMALL.replace("dump/**/*.txt", "large/*.html");
    let plan = planned(folder.path(), &content, &Overrides::default());
    assert!(plan.warnings.is_empty(), "{}", plan.warnings);
}

#[test]
fn gzip_has_a_level_of_its_own() {
    for (keys, level) in [("", 6), ("compression_level = 1", 1), ("compression_level = 9", 9)] {
        let (_folder, plan) = plan(&format!("{SMALL}compression = \"gzip\"\n{keys}\n"));
        assert_eq!(plan.exports[0].compression, Compression::Gzip { level });
        assert_eq!(plan.canonical["exports"][0]["compression"], json!({ "gzip": level }));
        // What takes the dead letters is compressed alike.
        assert_eq!(plan.exports[1].compression, Compression::Gzip { level });
    }
}

#[test]
fn dead_letters_go_where_their_bytes_have_a_place() {
    let (_folder, plan) = plan(&SMALL.replace("use = \"jsonl\"", "use = \"files\""));
    let exporters: Vec<(&str, bool)> =
        plan.exports.iter().map(|export| (export.info.name.as_str(), export.implicit)).collect();
    assert_eq!(exporters, [("files", false), ("jsonl", true)]);
}

#[test]
fn an_explicit_export_of_failed_records_is_enough() {
    let content =
        format!("{SMALL}\n[[export]]\nid = \"bad\"\nuse = \"files\"\npath = \"bad\"\nfrom = \"failed\"\n");
    let (_folder, plan) = plan(&content);
    assert_eq!(plan.exports.len(), 2);
    assert!(plan.exports.iter().all(|export| !export.implicit));
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
fn what_is_tried_out_does_not_put_the_file_in_the_wrong() {
    let folder = project();
    let content = lines("max_quoted_bytes = 9", "compression = \"zstd\"\ncompression_level = 9\n");
    let none = || Overrides {
        set: vec![flag("export.jsonl.compression", "none"), flag("source.lines.quote", "")],
        ..Overrides::default()
    };
    planned(folder.path(), &content, &none());
    // What is set itself must do something.
    let mut overrides = none();
    overrides.set.push(flag("source.lines.max_quoted_bytes", "8"));
    let pipeline = Pipeline::from_text("p.toml", &content, folder.path(), &overrides).unwrap();
    let said = pipeline.plan(&common::registry(), Vec::new()).unwrap_err().render(false);
    assert!(said.starts_with("error: `max_quoted_bytes` of reader `lines` has no effect"), "{said}");
    // A variable, and what another file sets for all that extend it, may serve other pipelines.
    let variable = Setting {
        key: "run.work".into(),
        value: "/scratch".into(),
        origin: SettingOrigin::Environment("TAMIS__RUN__WORK".into()),
    };
    planned(folder.path(), SMALL, &Overrides { set: vec![variable], ..Overrides::default() });
    write(&folder, "base.toml", "[run]\nwork = \"scratch\"\n");
    planned(folder.path(), &format!("extends = \"base.toml\"\n{SMALL}"), &Overrides::default());
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
fn machines_get_line_and_column_in_characters() {
    let content = "# 注释\n[[stage]]\nuse = \"c-filter\"\nrule = { name = \"名称\", nam = \"乙\" }\n";
    let pipeline = Pipeline::from_text("p.toml", content, Path::new("."), &Overrides::default()).unwrap();
    let diagnostics = pipeline.plan(&common::registry(), Vec::new()).unwrap_err();
    let first = &diagnostics.to_json()[0];
    assert_eq!(
        first,
        &json!({
            "severity": "error",
            "message": "unknown key `nam` in `rule` of stage `c-filter`",
            "help": "did you mean `name`?",
            "file": "p.toml", "line": 4, "column": 23, "end_column": 26,
        })
    );
    let missing = &diagnostics.to_json()[1];
    assert_eq!((&missing["line"], missing["file"].as_str()), (&Value::Null, Some("p.toml")));
    assert!(diagnostics.render(true).contains("\u{1b}["));
}

#[test]
fn a_pipeline_file_that_cannot_be_read_is_named() {
    let folder = project();
    std::fs::write(folder.path().join("gbk.toml"), b"# ok\nname = \"\xd0\xc2\"\n").unwrap();
    for (name, message) in
        [("none.toml", "no such file"), ("dump", "it is a folder"), ("gbk.toml", "line 2 is not UTF-8")]
    {
        let error = Pipeline::read(&folder.path().join(name), &Overrides::default()).unwrap_err();
        let shown = error.to_string();
        assert!(shown.starts_with("error: cannot read the pipeline `") && shown.contains(message), "{shown}");
        assert_eq!(shown.matches(name).count(), 1, "{shown}");
    }
}

#[test]
fn a_file_is_read_from_disk_with_the_name_that_was_given() {
    let folder = project();
    write(
        &folder,
        "sub/deep.toml",
        &SMALL.replace("dump/", "../dump/").replace("line-length", "line-lenght"),
    );
    let path = folder.path().join("sub/deep.toml");
    let pipeline = Pipeline::read(&path, &Overrides::default()).unwrap();
    assert_eq!(pipeline.file(), path);
    let error = pipeline.plan(&common::registry(), Vec::new()).unwrap_err().to_string();
    assert!(error.contains(&format!("--> {}:7:7", path.display())), "{error}");
}

#[test]
fn a_check_takes_less_than_an_eye_blink() {
    let folder = project();
    let started = std::time::Instant::now();
    for _ in 0..10 {
        planned(folder.path(), FULL, &Overrides::default());
    }
    eprintln!("ten checks: {:?}", started.elapsed());
    // 25 ms each is promised for an optimised build; a debug build on a busy machine gets room.
    assert!(started.elapsed().as_millis() < 10 * 250, "{:?}", started.elapsed());
}

#[test]
fn the_editor_schema_knows_every_stage() {
    let schema = schema(&common::registry());
    insta::assert_snapshot!(format!("{:#}", schema["properties"]["export"]));
    // `\p{…}` is an error to the regular expressions of many languages.
    assert!(!schema.to_string().contains("\\\\p"), "{schema}");
    let rules = schema["properties"]["stage"]["items"]["allOf"].as_array().unwrap();
    let needy = rules.iter().find(|rule| rule["if"]["properties"]["use"]["const"] == "needy").unwrap();
    assert_eq!(needy["then"]["required"], json!(["phrases"]));
    // A table that changes a stage of another file names it by its id.
    let stage = &schema["properties"]["stage"]["items"];
    assert_eq!(stage["anyOf"], json!([{ "required": ["use"] }, { "required": ["id"] }]));
    assert!(stage.get("required").is_none());
    assert_eq!(stage["properties"]["remove"]["type"], "boolean");
    assert_eq!(needy["then"]["properties"]["before"], true);
    let sources = schema["properties"]["source"]["items"]["allOf"].as_array().unwrap();
    let lines = sources.iter().find(|rule| rule["if"]["properties"]["use"]["const"] == "lines").unwrap();
    insta::assert_snapshot!("effect_in_the_schema", format!("{:#}", lines["then"]["allOf"]));
    for (name, stage) in schema["$defs"].as_object().unwrap() {
        assert!(stage.get("$schema").is_none(), "{name}");
    }
    let mut references = Vec::new();
    collect(&schema, &mut references);
    assert!(references.len() > 20);
    for reference in references {
        assert!(schema.pointer(reference.strip_prefix('#').unwrap()).is_some(), "{reference}");
    }
}

fn collect(value: &Value, references: &mut Vec<String>) {
    match value {
        Value::Object(entries) => {
            for (key, value) in entries {
                match value {
                    Value::String(reference) if key == "$ref" => references.push(reference.clone()),
                    other => collect(other, references),
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| collect(item, references)),
        _ => {}
    }
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
