//! What machines are told: places, files, the schema of editors.

use std::path::Path;

use serde_json::{Value, json};
use tamis_config::{Overrides, Pipeline, schema};

use crate::{FULL, SMALL, common, planned, project, write};

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
