//! Whatever a user writes, there is an answer.

#![expect(clippy::unwrap_used, reason = "a test whose set-up fails has failed")]

mod common;

use std::path::Path;

use proptest::prelude::*;
use tamis_config::{Overrides, Pipeline, Setting, SettingOrigin, parse_size};

/// Reads, plans and shows; what comes of it does not matter.
fn try_out(content: &str, overrides: &Overrides) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/wrong");
    let diagnostics = match Pipeline::from_text("p.toml", content, &folder, overrides) {
        Ok(pipeline) => match pipeline.plan(&common::registry(), vec![(0, "no".into()), (7, "no".into())]) {
            Ok(_) => return,
            Err(diagnostics) => diagnostics,
        },
        Err(diagnostics) => diagnostics,
    };
    assert!(!diagnostics.render(true).is_empty());
    assert!(!diagnostics.render(false).contains('\u{1b}'));
    assert_eq!(diagnostics.to_json().as_array().unwrap().len(), diagnostics.len());
}

/// Pieces that pipelines are made of, and some that they are not.
fn piece() -> impl Strategy<Value = String> {
    prop_oneof![
        Just("[[source]]\n".to_owned()),
        Just("[[stage]]\n".to_owned()),
        Just("[[export]]\n".to_owned()),
        Just("[[test]]\n".to_owned()),
        Just("[[plugin]]\n".to_owned()),
        Just("[run]\n".to_owned()),
        Just("[stage.keep]\n".to_owned()),
        (
            "use|id|paths|path|from|keep|min_chars|rule|words|limit|fields|memory|name|extends|input|exclude|work|block_bytes",
            value()
        )
            .prop_map(|(key, value)| format!("{key} = {value}\n")),
        "\\PC{0,12}",
        "[\\[\\]{}=\".,#\n\r\t '\u{feff}é字]{0,8}",
    ]
}

/// A table of a pipeline that extends another one.
fn extending_table() -> impl Strategy<Value = String> {
    let value = "true|1|\\[\\]|\"(language|short|near-duplicate|line-length|c-filter|other)\"";
    let keys = prop::collection::btree_map("id|use|before|after|remove|min_chars", value, 0..4);
    ("stage|plugin|source|stage|test", keys).prop_map(|(list, keys)| {
        let lines: Vec<String> = keys.into_iter().map(|(key, value)| format!("{key} = {value}\n")).collect();
        format!("[[{list}]]\n{}", lines.concat())
    })
}

fn value() -> impl Strategy<Value = String> {
    let scalar = prop_oneof![
        Just("\"records\"".to_owned()),
        Just("\"auto\"".to_owned()),
        Just("\"c-filter\"".to_owned()),
        Just("\"line-template\"".to_owned()),
        Just("\"jsonl\"".to_owned()),
        Just("\"data/*.txt\"".to_owned()),
        Just("\"../wrong/[\"".to_owned()),
        Just("\"p.toml\"".to_owned()),
        Just("\"-\"".to_owned()),
        "\"(s3|htp|file)://?[a*/]{0,5}\"",
        "\"[a/.{}:%Y字!#]{0,12}\"",
        Just("\"\"".to_owned()),
        Just("nan".to_owned()),
        Just("true".to_owned()),
        Just("2024-01-01".to_owned()),
        any::<i64>().prop_map(|n| n.to_string()),
        "\"[^\"\\\\\\p{C}]{0,9}\"",
        "'''\n[a字\n]{0,9}'''",
    ];
    scalar.prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(|items| format!("[{}]", items.join(", "))),
            ("id|name|also|text", inner).prop_map(|(key, value)| format!("{{ {key} = {value} }}")),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn any_text_is_answered(content in "\\PC*|(.|\n)*") {
        try_out(&content, &Overrides::default());
    }

    #[test]
    fn any_pipeline_is_answered(pieces in prop::collection::vec(piece(), 0..14)) {
        try_out(&pieces.concat(), &Overrides::default());
    }

    #[test]
    fn any_extension_is_answered(tables in prop::collection::vec(extending_table(), 0..6)) {
        try_out(&format!("extends = \"base/stages.toml\"\n{}", tables.concat()), &Overrides::default());
    }

    #[test]
    fn any_override_is_answered(
        key in "(source|stage|export|run|name)(\\.(records|line-length|0|memory|keep|\\PC{0,4})){0,4}",
        value in "\\PC{0,16}",
        from_environment in any::<bool>(),
        inputs in prop::collection::vec("\\PC{0,8}", 0..3),
        streams in any::<bool>(),
    ) {
        let origin = if from_environment {
            SettingOrigin::Environment("TAMIS__变量".into())
        } else {
            SettingOrigin::Flag
        };
        let overrides = Overrides {
            set: vec![Setting { key, value, origin }],
            inputs: inputs.into_iter().map(Into::into).collect(),
            output: Some("输出".into()),
            streams,
        };
        let content = "[[source]]\nuse = \"records\"\npaths = \"data\"\n[[stage]]\nuse = \"line-length\"\n\
                       [[export]]\nuse = \"jsonl\"\npath = \"out\"\n";
        try_out(content, &overrides);
    }

    #[test]
    fn any_size_is_answered(text in "[0-9._ ]{0,24}[a-zA-Z ]{0,4}|\\PC*") {
        parse_size(&text);
    }
}

#[test]
fn deep_nesting_is_refused_and_not_followed() {
    // The TOML parser follows up to 80 levels of values with 80 parts of keys each. That is too much for the
    // stack of a test in a debug build, but not for that of a program.
    let program = std::thread::Builder::new().stack_size(8 << 20).spawn(deep_nesting).unwrap();
    program.join().unwrap();
}

fn deep_nesting() {
    let lists = format!("[[stage]]\nuse = \"c-filter\"\nwords = {}1{}\n", "[".repeat(70), "]".repeat(70));
    let dotted = vec!["also"; 79].join(".");
    let keys = format!("[[stage]]\nuse = \"c-filter\"\nrule.{dotted}.name = \"x\"\n");
    let inline = (0..78).fold("1".to_owned(), |inner, _| format!("{{ {dotted} = {inner} }}"));
    let many = format!("[[stage]]\nuse = \"c-filter\"\nrule = {inline}\n");
    let endless = format!("[[stage]]\nwords = {}", "[".repeat(100_000));
    let endless_key = format!("{}x = 1", "a.".repeat(100_000));
    for content in [lists, keys, many, endless, endless_key] {
        try_out(&content, &Overrides::default());
    }
    let set = vec![Setting {
        key: vec!["stage"; 50_000].join("."),
        value: "1".into(),
        origin: SettingOrigin::Flag,
    }];
    try_out("[[stage]]\nuse = \"c-filter\"\nid = \"stage\"\n", &Overrides { set, ..Overrides::default() });
}

fn said(content: &str) -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/wrong");
    match Pipeline::from_text("p.toml", content, &folder, &Overrides::default()) {
        Ok(pipeline) => pipeline.plan(&common::registry(), Vec::new()).unwrap_err().render(false),
        Err(diagnostics) => diagnostics.render(false),
    }
}

#[test]
fn nobody_means_thousands_of_tables() {
    for list in ["stage", "source", "export", "plugin"] {
        let said = said(&format!("[[{list}]]\nuse = \"x\"\n").repeat(3_000));
        let message = format!("error: the pipeline has 3000 `[[{list}]]`, more than 1000\n");
        assert!(said.starts_with(&message) && said.contains("p.toml:2001:1\n"), "{said}");
    }
}

#[test]
fn of_many_mistakes_the_first_are_shown() {
    let keys: String = (0..3_000).map(|n| ["key", &n.to_string(), " = 1\n"].concat()).collect();
    let said_of_keys = said(&keys);
    assert_eq!(said_of_keys.matches("error: unknown key").count(), 1_000);
    assert!(
        said_of_keys.contains("error: there are more mistakes; the first 1000 are shown\n"),
        "{said_of_keys}"
    );
    let paths: Vec<String> = (0..300).map(|n| format!("\"no/such{n}.txt\"")).collect();
    let said_of_a_line = said(&format!("[[source]]\nuse = \"records\"\npaths = [{}]\n", paths.join(", ")));
    assert_eq!(said_of_a_line.matches("error: no file or folder").count(), 20, "{said_of_a_line}");
    assert!(said_of_a_line.contains("error: there are more mistakes in this line; the first 20 are shown"));
    let said_of_syntax = said(&"key = = 1\n".repeat(3_000));
    assert_eq!(said_of_syntax.matches("error: ").count(), 101);
    assert!(said_of_syntax.contains("error: there are more mistakes; the first 100 are shown"));
}
