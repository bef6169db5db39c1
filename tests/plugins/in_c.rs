//! A plugin in C: one file that includes the header.

use std::path::Path;

use serde_json::json;

use crate::support::{
    HEADERS, Records, c_library, c_library_against, compile, folder, has_cc, lines, pipeline, run,
};

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
        let manifest = std::fs::read_to_string(folder.path().join("out/.tamis/manifest.json")).unwrap();
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
    let manifest = std::fs::read_to_string(folder.path().join("out/.tamis/manifest.json")).unwrap();
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

/// Lines of GBK are what a reader in C meets first.
#[test]
fn the_template_of_a_reader_gives_up_lines_that_are_not_utf8() {
    if !has_cc() {
        return;
    }
    let folder = folder();
    let path = folder.path().to_str().unwrap();
    run(&["plugin", "new", "my-lines", "--kind", "reader", "--language", "c", "--path", path]).exits(0);
    let source = folder.path().join("my-lines/my_lines.c");
    let library = folder.path().join("libmy_lines.so");
    compile(source.parent().unwrap(), &source, &library, &[]);
    std::fs::write(
        folder.path().join("in.txt"),
        b"early\n\xd4\xe7\xb3\xbf\nlate \xe6\x97\xa9\n\xed\xa0\x80\n",
    )
    .unwrap();
    let file = folder.path().join("pipeline.toml");
    let toml = "plugin = [{ path = \"libmy_lines.so\" }]\n[[source]]\nuse = \"my-lines\"\npaths = [\"in.txt\"]\n\
                [[export]]\nuse = \"jsonl\"\npath = \"out\"\n[run]\nmax_failed_ratio = 1\n";
    std::fs::write(&file, toml).unwrap();
    run(&[Path::new("run"), &file]).exits(0);
    let out = folder.path().join("out");
    let (kept, failed) = (lines(&out), lines(&out.join("__failed")));
    let texts: Vec<_> = kept.iter().map(|record| record["text"].as_str().unwrap()).collect();
    assert_eq!(texts, ["early", "late 早"]);
    assert_eq!(Records::ids(&failed), ["in.txt#6", "in.txt#20"]);
    for record in &failed {
        assert_eq!(record["reason"], "the line is not UTF-8: convert the file first");
        assert!(record["raw"].is_string() || record["raw_base64"].is_string(), "{record}");
    }
    // Without the look at each line the library passes no check.
    let careless = std::fs::read_to_string(&source).unwrap().replace("tamis_is_utf8(document.text)", "1");
    std::fs::write(&source, careless).unwrap();
    compile(source.parent().unwrap(), &source, &library, &[]);
    let check = run(&["plugin".as_ref(), "check".as_ref(), library.as_os_str()]).exits(1);
    assert!(check.stdout.contains("file `not UTF-8`"), "{}", check.stdout);
}

/// What it says of forms comes to `tamis check` as what a bundled stage says.
#[test]
fn what_it_says_of_forms_is_held_against_the_order() {
    if !has_cc() {
        return;
    }
    let folder = folder();
    let library = c_library(folder.path(), "forms.c", "forms", &[]);
    std::fs::write(folder.path().join("a.html"), "<html><body><p>The mill was sold.</p></body></html>")
        .unwrap();
    let check = |stages: &str| {
        let file = folder.path().join("pipeline.toml");
        let toml = format!(
            "plugin = [{{ path = \"libforms.so\" }}]\n[[source]]\nuse = \"html\"\npaths = [\"a.html\"]\n{stages}\
             [[export]]\nuse = \"jsonl\"\npath = \"out\"\n"
        );
        std::fs::write(&file, toml).unwrap();
        run(&[Path::new("check"), &file]).exits(0).stderr
    };
    let [page, extract] = ["[[stage]]\nuse = \"c-page\"\n", "[[stage]]\nuse = \"html-extract\"\n"];
    assert_eq!(check(page), "");
    let behind = check(&format!("{extract}{page}"));
    assert!(
        behind.contains("extractor `c-page` works on markup text, and what comes to it is clean"),
        "{behind}"
    );
    assert!(behind.contains("move it before `html-extract`"), "{behind}");
    let layout = "[[stage]]\nuse = \"c-page\"\nlayout = true\n";
    let repaired = check(&format!("{extract}[[stage]]\nuse = \"repair-text\"\n{layout}"));
    assert!(repaired.contains("extractor `c-page` looks at white space as they came"), "{repaired}");
    let checked = run(&["plugin".as_ref(), "check".as_ref(), library.as_os_str()]).exits(0);
    assert!(checked.stdout.ends_with("ok: the library keeps the plugin contract\n"), "{}", checked.stdout);
}

/// Nobody could load it beside the bundled one.
#[test]
fn a_new_plugin_is_not_called_as_a_bundled_stage_is() {
    let folder = folder();
    let path = folder.path().to_str().unwrap();
    for (language, name, kind) in [("c", "length", "filter"), ("rust", "warc", "reader")] {
        let made =
            run(&["plugin", "new", name, "--kind", kind, "--language", language, "--path", path]).exits(2);
        let said = format!("`{name}` is the name of a bundled {kind}");
        assert!(
            made.stderr.contains(&said) && made.stderr.contains(&format!("`my-{name}`")),
            "{}",
            made.stderr
        );
        assert!(!folder.path().join(name).exists());
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
