//! Where inputs lie, and which are taken.

use std::path::Path;

use serde_json::json;
use tamis_config::{InputKind, Overrides, Pipeline};

use crate::{FULL, SMALL, common, plan, planned, project, write};

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
fn inputs_may_be_elsewhere() {
    let paths = "[\"dump/*.txt\", \"-\", \"s3://bucket/dump/**/*.jsonl\", \"https://u:sesame@[::1]:8/a?b=1\", \"./-\"]";
    let folder = project();
    write(&folder, "-", "");
    let content = SMALL.replace("[\"dump/**/*.txt\"]", paths);
    let plan = planned(folder.path(), &content, &Overrides::default());
    let kinds: Vec<InputKind> = plan.sources[0].inputs.iter().map(|input| input.kind).collect();
    assert_eq!(kinds, [InputKind::Local, InputKind::Stdin, InputKind::Url, InputKind::Url, InputKind::Local]);
    assert_eq!(plan.sources[0].inputs[2].written, "s3://bucket/dump/**/*.jsonl");
    assert_eq!(plan.sources[0].inputs[0].root, folder.path());
    let web = &plan.sources[0].inputs[3];
    assert_eq!(web.address.as_ref().unwrap().secret(), "https://u:sesame@[::1]:8/a?b=1");
    // Whoever is shown the plan, or finds it beside the output, gets no secrets.
    let shown = &*tamis_address::shown("https://u:sesame@[::1]:8/a?b=1");
    assert!(web.written == shown && !format!("{:?}", plan.sources[0]).contains("sesame"));
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
fn a_relative_override_is_relative_to_the_working_folder() {
    let folder = project();
    let overrides = Overrides { output: Some("out/../here".into()), ..Overrides::default() };
    let plan = planned(folder.path(), SMALL, &overrides);
    assert_eq!(plan.exports[0].path, std::env::current_dir().unwrap().join("here"));
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
fn large_folders_are_not_searched_to_the_end() {
    let folder = project();
    for index in 0..2_100 {
        write(&folder, &format!("large/{index}.txt"), "");
    }
    let content = SMALL.replace("dump/**/*.txt", "large/*.html");
    let plan = planned(folder.path(), &content, &Overrides::default());
    assert!(plan.warnings.is_empty(), "{}", plan.warnings);
}
