//! Pipelines that extend others, and what overrides what.

use std::path::PathBuf;

use serde_json::json;
use tamis_config::{
    Compression, Overrides, Pipeline, Plan, PluginLocator, RunSettings, Setting, SettingOrigin,
};

use crate::{FULL, SMALL, common, flag, lines, planned, project, write};

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
