//! Plugins in Rust, built outside of this workspace as an author builds them.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use tamis_host::{Request, library_file_name};
use tamis_plugin::{Output, RandomAccess};
use tamis_stage::Registry;
use tamis_stage::handle::{Effects, OpenStage};
use tamis_tests::program::root;

use crate::support::{Records, Run, cargo_target, folder, lines, loader, pipeline, run};

/// What `tamis plugin new` makes; its dependencies are those of the workspace, which are downloaded already.
fn new_plugin(folder: &Path, name: &str) -> (PathBuf, Run) {
    let made =
        run(&["plugin".as_ref(), "new".as_ref(), name.as_ref(), "--path".as_ref(), folder.as_os_str()]);
    let made = made.exits(0);
    let plugin = folder.join(name);
    std::fs::copy(root().join("Cargo.lock"), plugin.join("Cargo.lock")).unwrap();
    (plugin, made)
}

#[test]
fn a_plugin_of_every_kind_passes_its_tests_and_keeps_the_contract() {
    let folder = folder();
    for (kind, table) in [
        ("filter", "filter in [[stage]]"),
        ("reader", "reader in [[source]]"),
        ("exporter", "exporter in [[export]]"),
        ("corpus", "corpus stage in [[stage]]"),
    ] {
        let name = format!("new-{kind}");
        let made = ["plugin", "new", &name, "--kind", kind, "--path", folder.path().to_str().unwrap()];
        run(&made).exits(0);
        let plugin = folder.path().join(&name);
        std::fs::copy(root().join("Cargo.lock"), plugin.join("Cargo.lock")).unwrap();
        let tests = cargo(&plugin, "test").exits(0);
        assert_eq!(tests.stderr, "", "{kind} builds without a warning");
        cargo(&plugin, "build").exits(0);
        let library = built(&name);
        let inspect = run(&["plugin".as_ref(), "inspect".as_ref(), library.as_os_str()]).exits(0);
        assert!(inspect.stdout.contains(&format!("{name} · {table}")), "{}", inspect.stdout);
        run(&["plugin".as_ref(), "check".as_ref(), library.as_os_str()]).exits(0);
    }
}

/// Nothing in a new plugin names the machine that the program was built on.
#[test]
fn a_new_plugin_holds_all_that_it_is_built_from() {
    let folder = folder();
    let (plugin, _) = new_plugin(folder.path(), "elsewhere");
    let mut folders = vec![plugin.clone()];
    let mut n_files = 0;
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            n_files += 1;
            let content = std::fs::read_to_string(&path).unwrap();
            assert!(!content.contains(root().to_str().unwrap()), "{}", path.display());
        }
    }
    assert!(n_files > 30, "{n_files} files");
}

/// Runs cargo in the folder of a plugin.
pub(crate) fn cargo(plugin: &Path, command: &str) -> Run {
    let output = Command::new(env!("CARGO"))
        .args([command, "--offline", "--quiet"])
        .current_dir(plugin)
        .env("CARGO_TARGET_DIR", cargo_target())
        // A file in the folder of the test is no business of the plugin.
        .env_remove("CARGO_MANIFEST_DIR")
        .output();
    output.unwrap().into()
}

pub(crate) fn built(name: &str) -> PathBuf {
    cargo_target().join("debug").join(library_file_name(name))
}

#[test]
fn a_new_plugin_builds_passes_its_tests_and_runs_as_it_was_told() {
    let folder = folder();
    let (plugin, made) = new_plugin(folder.path(), "my-site");
    let tests = cargo(&plugin, "test").exits(0);
    assert!(tests.stdout.contains("4 passed") || tests.stdout.contains("...."), "{}", tests.stdout);
    let build = cargo(&plugin, "build").exits(0);
    assert_eq!(build.stderr, "", "it builds without a warning");

    let library = plugin.join("target/release").join(library_file_name("my-site"));
    std::fs::create_dir_all(library.parent().unwrap()).unwrap();
    std::fs::copy(built("my-site"), &library).unwrap();
    let check = run(&["plugin".as_ref(), "check".as_ref(), library.as_os_str()]).exits(0);
    assert!(!check.stdout.contains("skip"), "{}", check.stdout);
    let inspect = run(&["plugin".as_ref(), "inspect".as_ref(), library.as_os_str()]).exits(0);
    assert!(inspect.stdout.contains("my-site · extractor in [[stage]]"), "{}", inspect.stdout);

    let (_, told) = made.stdout.split_once("use it").unwrap();
    let told: Vec<&str> = told.lines().skip(1).map(str::trim).collect();
    let [head, stage @ ..] = told.as_slice() else { panic!("{told:?}") };
    let documents = [("a", "One.\nRead more: two.\n"), ("b", "Read more:"), ("c", "Three.")];
    let stages = format!("{}\nphrases = [\"Read more:\"]\n", stage.join("\n"));
    let records = pipeline(folder.path(), head, &stages, &documents);
    assert_eq!(Records::ids(&records.kept), ["a", "c"]);
    assert_eq!(records.kept[0]["text"], "One.");
    assert_eq!(records.dropped[0]["reason"], "nothing-left");
}

/// The plugin of `fixtures/panics.rs`, in `folder`.
fn panicking(folder: &Path) -> PathBuf {
    let (plugin, _) = new_plugin(folder, "panics");
    std::fs::remove_dir_all(plugin.join("src/panics")).unwrap();
    std::fs::write(plugin.join("src/lib.rs"), include_str!("fixtures/panics.rs")).unwrap();
    plugin
}

/// The same as a library beside the pipelines.
fn panicking_library(folder: &Path) {
    let plugin = panicking(folder);
    cargo(&plugin, "build").exits(0);
    std::fs::copy(built("panics"), folder.join(library_file_name("panics"))).unwrap();
}

const PANICS: &str = "plugin = [{ path = \"libpanics.so\" }]";

/// Texts that panic, and how the failure of their document begins.
const CASES: [(&str, &str); 4] = [
    ("panic", "the stage panicked: no luck with `panic` (src/lib.rs:"),
    ("bomb", "the stage panicked: no message (src/lib.rs:"),
    ("index", "the stage panicked: index out of bounds: the len is 0 but the index is 5 (src/lib.rs:"),
    ("nested", "the stage panicked: outside (src/lib.rs:"),
];

#[test]
fn a_panic_costs_its_document_and_no_other() {
    let folder = folder();
    panicking_library(folder.path());
    let documents: Vec<(&str, &str)> = CASES
        .iter()
        .flat_map(|(text, _)| [("good", "fine"), (*text, *text)])
        .chain([("last", "fine")])
        .collect();
    let stages = [
        "[[stage]]\nuse = \"shout\"\n",
        "[[stage]]\nuse = \"umpire\"\n",
        "[[export]]\nuse = \"panic-texts\"\npath = \"exported\"\n",
    ];
    for stage in stages {
        let records = pipeline(folder.path(), PANICS, stage, &documents);
        assert_eq!(Records::ids(&records.kept), ["good", "good", "good", "good", "last"], "{stage}");
        for (text, message) in CASES {
            let reason = records.failure(text);
            assert!(reason.starts_with(message), "{stage}: {reason}");
        }
        for record in &records.failed {
            assert_eq!(
                (&record["text"], &record["metadata"]),
                (&record["id"], &serde_json::json!({})),
                "{stage}"
            );
        }
    }
    let exported = std::fs::read_to_string(folder.path().join("exported/part-00000.txt")).unwrap();
    assert_eq!(exported, "fine\n".repeat(5));
    let shouted = pipeline(folder.path(), PANICS, stages[0], &documents);
    assert!(shouted.kept.iter().all(|record| record["text"] == "FINE"));
}

#[test]
fn a_reader_that_panics_costs_its_block() {
    let folder = folder();
    panicking_library(folder.path());
    std::fs::create_dir(folder.path().join("in")).unwrap();
    for (name, text) in [("a.txt", "one\ntwo"), ("b.txt", "three\npanic\n"), ("c.txt", "four")] {
        std::fs::write(folder.path().join("in").join(name), text).unwrap();
    }
    let file = folder.path().join("pipeline.toml");
    let text = format!(
        "{PANICS}\n[[source]]\nuse = \"panic-lines\"\npaths = [\"in\"]\n\
         [[export]]\nuse = \"jsonl\"\npath = \"out\"\n[run]\nmax_failed_ratio = 1\n"
    );
    std::fs::write(&file, text).unwrap();
    let run = run(&[Path::new("run"), &file]).exits(0);
    // Nothing of the panic itself, which would be written into the middle of a progress bar.
    assert!(!run.stderr.contains("panicked at"), "{}", run.stderr);
    let out = folder.path().join("out");
    assert_eq!(Records::ids(&lines(&out)), ["a.txt#0", "a.txt#4", "c.txt#0"]);
    let failed = lines(&out.join("__failed"));
    let [block] = failed.as_slice() else { panic!("{failed:?}") };
    assert_eq!(block["id"], "b.txt#0");
    let reason = block["reason"].as_str().unwrap();
    assert!(
        reason
            .starts_with("stage `panic-lines` of plugin `panics`: the stage panicked: no luck with `a line`"),
        "{reason}"
    );
}

#[test]
fn a_stage_that_panics_when_it_is_opened_is_a_setup_error() {
    let folder = folder();
    panicking_library(folder.path());
    let file = folder.path().join("pipeline.toml");
    let text = format!(
        "{PANICS}\n[[source]]\nuse = \"text\"\npaths = [\"pipeline.toml\"]\n\
         [[stage]]\nuse = \"shout\"\npanic_at_open = true\n[[export]]\nuse = \"jsonl\"\npath = \"out\"\n"
    );
    std::fs::write(&file, text).unwrap();
    let check = run(&[Path::new("check"), &file]).exits(2);
    for part in ["the stage panicked: no luck at all (src/lib.rs:", "pipeline.toml:6:7"] {
        assert!(check.stderr.contains(part), "{part}: {}", check.stderr);
    }
    assert!(!check.stderr.contains("panicked at"), "{}", check.stderr);
}

#[test]
fn a_plugin_that_would_abort_on_a_panic_does_not_compile() {
    let folder = folder();
    let plugin = panicking(folder.path());
    let manifest = plugin.join("Cargo.toml");
    let text = std::fs::read_to_string(&manifest).unwrap();
    assert!(text.contains("[profile.dev]\n"), "{text}");
    let text = text.replace("[profile.dev]\n", "[profile.dev]\npanic = \"abort\"\n");
    std::fs::write(&manifest, text).unwrap();
    let check = cargo(&plugin, "check");
    assert_ne!(check.code, Some(0));
    assert!(check.stderr.contains("tamis plugins must be built with panic = \"unwind\""), "{}", check.stderr);
}

/// Words of five bytes in memory.
struct Memory(&'static [u8]);

impl RandomAccess for Memory {
    fn size(&self) -> u64 {
        self.0.len() as u64
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> std::io::Result<()> {
        buffer.copy_from_slice(&self.0[offset as usize..offset as usize + buffer.len()]);
        Ok(())
    }
}

#[test]
fn a_panic_costs_its_part_and_no_other() {
    let folder = folder();
    panicking_library(folder.path());
    let mut registry = Registry::new();
    let library = folder.path().join(library_file_name("panics"));
    loader().register(&Request::Path(library), None, &mut registry).unwrap();
    let open = |table, name| registry.get(table, name).unwrap().open(&serde_json::json!({})).unwrap();
    let says = |stage: &str, place: &str| {
        format!("stage `{stage}` of plugin `panics`: the stage panicked: no luck with `{place}` (src/lib.rs:")
    };
    let (reader, exporter) = (open("source", "panic-words"), open("export", "panic-joined"));
    let OpenStage::Reader(reader) = reader else { panic!("it is a reader") };
    let OpenStage::Exporter(exporter) = exporter else { panic!("it is an exporter") };

    let failure = reader.index("file", Arc::new(Memory(b"panic")), 1).err().unwrap().to_string();
    assert!(failure.starts_with(&says("panic-words", "the index")), "{failure}");
    let file = reader.index("file", Arc::new(Memory(b"firstpanicother")), 1).unwrap();
    drop(reader);
    let decode = |split| {
        let mut records = Vec::new();
        let decoded = file.decode(split, &mut records, &mut Effects::default());
        decoded.map(|()| records).map_err(|failure| failure.to_string())
    };
    let failure = decode(1).unwrap_err();
    assert!(failure.starts_with(&says("panic-words", "first")), "{failure}");
    let mut records = [decode(2).unwrap(), decode(0).unwrap()].concat();
    let texts: Vec<&str> = records.iter().map(|record| record.document.text.as_str()).collect();
    assert_eq!(texts, ["other", "first"]);

    let mut out = Output::default();
    assert_eq!(exporter.encode(&records, &mut out), []);
    let mut bytes = Vec::new();
    let failure = exporter.begin("panic".as_ref(), &mut bytes).err().unwrap().to_string();
    assert!(failure.starts_with(&says("panic-joined", "a part")), "{failure}");
    let mut part = exporter.begin("part".as_ref(), &mut bytes).unwrap();
    part.add(out.bytes, &mut bytes).unwrap();
    part.end(&mut bytes).unwrap();
    assert_eq!(bytes, b"<otherfirst>1");
    let mut part = exporter.begin("part".as_ref(), &mut bytes).unwrap();
    let failure = part.add(b"panic".to_vec(), &mut bytes).unwrap_err().to_string();
    assert!(failure.starts_with(&says("panic-joined", "a chunk")), "{failure}");
    records[0].document.text = "panic".to_owned();
    let failures = exporter.encode(&records, &mut Output::default());
    let [(0, failure)] = failures.as_slice() else { panic!("{failures:?}") };
    assert!(failure.to_string().contains("no luck with `a record`"), "{failure}");
}
