//! A plugin in C: one file that includes the header.

use std::path::Path;

use serde_json::json;

use crate::support::{HEADERS, Records, c_library, c_library_against, folder, has_cc, pipeline, run};

#[test]
fn it_runs_in_a_pipeline() {
    if !has_cc() {
        return;
    }
    for header in HEADERS {
        let folder = folder();
        c_library_against(header, folder.path(), "comments.c", "comments", &[]);
        let records = pipeline(
            folder.path(),
            "plugin = [{ path = \"libcomments.so\" }]",
            "[[stage]]\nuse = \"strip-comments\"\nprefix = \"//\"\n\
         [[stage]]\nuse = \"comment-share\"\nmax_comments = 2\n",
            &[
                ("one", "// A title \nFirst.\n// Note.\nSecond.\n"),
                ("none", "# First.\n第二行。"),
                ("many", "//\n//\n//\nx"),
                ("no text", ""),
                ("unended", "x\n//"),
            ],
        );
        assert_eq!(Records::ids(&records.kept), ["one", "none", "no text", "unended"]);
        assert_eq!(records.kept[0]["text"], "First.\nSecond.\n");
        assert_eq!(records.kept[0]["metadata"], json!({ "comments": 2, "title": "A title " }));
        assert_eq!(records.kept[1]["text"], "# First.\n第二行。");
        assert_eq!(records.kept[1]["metadata"], json!({}));
        assert_eq!(records.kept[3]["metadata"], json!({ "comments": 1, "title": "" }));
        let [many] = records.dropped.as_slice() else { panic!("{records:?}") };
        assert_eq!((&many["stage"], &many["reason"]), (&json!("comment-share"), &json!("too-many-comments")));
        assert_eq!(many["measures"][0], json!({ "name": "comments", "value": 3, "max": 2 }));
        assert_eq!(records.failed.len(), 0);
        let manifest = std::fs::read_to_string(folder.path().join("out/manifest.json")).unwrap();
        assert!(manifest.contains("\"comments_stripped\": 6"), "{manifest}");
    }
}

#[test]
fn a_counter_that_it_declares_and_never_counts_is_named() {
    if !has_cc() {
        return;
    }
    let folder = folder();
    c_library(folder.path(), "comments.c", "comments", &[]);
    let plugin = "plugin = [{ path = \"libcomments.so\" }]";
    pipeline(folder.path(), plugin, "[[stage]]\nuse = \"strip-comments\"\n", &[("one", "No comment.")]);
    let manifest = std::fs::read_to_string(folder.path().join("out/manifest.json")).unwrap();
    let manifest: serde_json::Value = serde_json::from_str(&manifest).unwrap();
    assert_eq!(manifest["tally"]["stages"]["stage.strip-comments"]["silent"], json!(["comments_stripped"]));
}

#[test]
fn its_options_are_checked_against_its_schema() {
    if !has_cc() {
        return;
    }
    let folder = folder();
    c_library(folder.path(), "comments.c", "comments", &[]);
    let file = folder.path().join("pipeline.toml");
    let text = "plugin = [{ path = \"libcomments.so\" }]\n[[source]]\nuse = \"text\"\npaths = [\".\"]\n\
                [[stage]]\nuse = \"strip-comments\"\nprefix = \"%\"\n\
                [[stage]]\nuse = \"comment-share\"\nmax_comment = 3\n\
                [[export]]\nuse = \"jsonl\"\npath = \"out\"\n";
    std::fs::write(&file, text).unwrap();
    let check = run(&[Path::new("check"), &file]).exits(2);
    for part in
        ["pipeline.toml:7:10", "did you mean `#`?", "pipeline.toml:10:1", "did you mean `max_comments`?"]
    {
        assert!(check.stderr.contains(part), "{part}: {}", check.stderr);
    }
}

#[test]
fn it_can_be_inspected_and_checked() {
    if !has_cc() {
        return;
    }
    let folder = folder();
    let library = c_library(folder.path(), "comments.c", "comments", &[]);
    let inspect = run(&["plugin".as_ref(), "inspect".as_ref(), library.as_os_str()]).exits(0);
    for part in [
        "comments 1.2.3",
        "MIT OR Apache-2.0",
        "tamis_plugin.h (C)",
        "strip-comments · extractor in [[stage]]",
    ] {
        assert!(inspect.stdout.contains(part), "{part}: {}", inspect.stdout);
    }
    let check = run(&["plugin".as_ref(), "check".as_ref(), library.as_os_str()]).exits(0);
    assert!(!check.stdout.contains("skip"), "{}", check.stdout);
    assert!(check.stdout.ends_with("ok: the library keeps the plugin contract\n"), "{}", check.stdout);
}

#[test]
fn a_keyed_stage_counts_over_the_collection() {
    if !has_cc() {
        return;
    }
    let folder = folder();
    let library = c_library(folder.path(), "common.c", "common", &[]);
    let records = pipeline(
        folder.path(),
        "plugin = [{ path = \"libcommon.so\" }]",
        "[[stage]]\nuse = \"common-first-line\"\n",
        &[
            ("a", "Shop\none"),
            ("b", "Shop\ntwo"),
            ("c", "News\nthree"),
            ("d", "Shop"),
            ("e", ""),
            ("f", "Shop\nfour"),
            ("g", "News"),
        ],
    );
    assert_eq!(Records::ids(&records.kept), ["c", "e", "g"]);
    assert_eq!(Records::ids(&records.dropped), ["a", "b", "d", "f"]);
    assert_eq!(records.kept[0]["metadata"], json!({ "documents_with_first_line": 2 }));
    assert_eq!(records.dropped[3]["metadata"], json!({ "documents_with_first_line": 4 }));
    let check = run(&["plugin".as_ref(), "check".as_ref(), library.as_os_str()]).exits(0);
    assert!(check.stdout.ends_with("ok: the library keeps the plugin contract\n"), "{}", check.stdout);
}

#[test]
fn a_new_plugin_of_every_kind_compiles_and_keeps_the_contract() {
    if !has_cc() {
        return;
    }
    let folder = folder();
    for kind in ["filter", "extractor", "reader", "exporter", "corpus"] {
        let (name, stem) = (format!("c-{kind}"), format!("c_{kind}"));
        let path = folder.path().to_str().unwrap();
        let made = ["plugin", "new", &name, "--kind", kind, "--language", "c", "--path", path];
        run(&made).exits(0);
        let plugin = folder.path().join(&name);
        let library = plugin.join(tamis_host::library_file_name(&name));
        let compiled = std::process::Command::new("cc")
            .args(["-std=c99", "-pedantic", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC", "-o"])
            .arg(&library)
            .arg(plugin.join(format!("{stem}.c")))
            .status();
        assert!(compiled.expect("a C compiler").success(), "{kind}");
        run(&["plugin".as_ref(), "check".as_ref(), library.as_os_str()]).exits(0);
    }
}

/// Options as JSON, read by the header that plugins in C include.
#[test]
fn options_are_read_in_c() {
    if !has_cc() {
        return;
    }
    let folder = folder();
    let source = r#"
#include <stdio.h>
#include "tamis_options.h"
int main(void) {
  static const char json[] = "{\"deep\": {\"n\": 1, \"s\": \"}\\\"\"}, \"list\":[1,[2]], \"n\" : -7, \"share\": 0.25,"
                             " \"on\":true, \"text\": \"a\\n\\u4e00\\ud83d\\ude00\\\"b\"}";
  tamis_str options = {(const uint8_t *)json, sizeof json - 1}, list = {NULL, 0};
  char *text = tamis_option_string(options, "text", ""), *none = tamis_option_string(options, "none", "fallback");
  int given = tamis_option(options, "list", &list);
  printf("%d %g %d %d %d %.*s %s %s", (int)tamis_option_integer(options, "n", 0), tamis_option_number(options, "share", 0),
         tamis_option_bool(options, "on", 0), (int)tamis_option_integer(options, "s", 3), given, (int)list.len,
         (const char *)list.ptr, text, none);
  free(text), free(none);
  return 0;
}
"#;
    let (file, program) = (folder.path().join("options.c"), folder.path().join("options"));
    std::fs::write(&file, source).unwrap();
    let compiled = std::process::Command::new("cc")
        .args(["-std=c99", "-pedantic", "-Wall", "-Wextra", "-Werror", "-I"])
        .arg(tamis_tests::program::root().join("crates/plugin/include"))
        .arg("-o")
        .args([&program, &file])
        .status();
    assert!(compiled.expect("a C compiler").success());
    let output = std::process::Command::new(program).output().unwrap();
    assert_eq!(String::from_utf8(output.stdout).unwrap(), "-7 0.25 1 3 1 [1,[2]] a\n一😀\"b fallback");
}
