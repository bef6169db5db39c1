//! A program without any stage of its own, which loads the bundled plugins as libraries, writes the same bytes.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use tamis_host::library_file_name;
use tamis_tests::program::{built, root, tamis};
use tamis_tests::world::TIMES;

use crate::support::{Run, folder};

const PLUGINS: [&str; 10] = [
    "readers",
    "filters",
    "judges",
    "extractors",
    "exporters",
    "corpus",
    "columnar",
    "pages",
    "sqlite",
    "tokens",
];

/// Builds the plugins as libraries and copies them to a folder; they are built beside the programs.
fn install(folder: &Path) {
    let packages = PLUGINS.iter().flat_map(|plugin| ["--package".to_owned(), format!("tamis-{plugin}")]);
    let status = Command::new(env!("CARGO"))
        .args(["build", "--quiet"])
        .args(packages)
        .current_dir(root())
        .status()
        .unwrap();
    assert!(status.success(), "the plugins cannot be built");
    for plugin in PLUGINS {
        let library = library_file_name(&format!("tamis-{plugin}"));
        let built = built("tamis").with_file_name(&library);
        std::fs::copy(&built, folder.join(&library))
            .unwrap_or_else(|error| panic!("{}: {error}", built.display()));
    }
}

/// All files below a folder by their path, with what differs between two runs taken out of the manifest.
fn written(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut files = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(inner) = folders.pop() {
        for entry in std::fs::read_dir(inner).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            if path.ends_with(TIMES) {
                continue;
            }
            let mut bytes = std::fs::read(&path).unwrap();
            let name = path.strip_prefix(folder).unwrap().to_owned();
            if name.ends_with(".tamis/manifest.json") {
                let mut manifest: serde_json::Value = serde_json::from_slice(&bytes).unwrap();
                // The fingerprint covers the plugins, and these are other files; the resolved plan names them.
                for key in ["fingerprint", "resolved"] {
                    manifest.as_object_mut().unwrap().remove(key).unwrap();
                }
                bytes = serde_json::to_vec_pretty(&manifest).unwrap();
            }
            files.insert(name, bytes);
        }
    }
    files
}

/// Runs the ready pipeline in a folder of its own, with plugins before it; what it wrote.
fn clean(program: &Path, folder: &Path, head: &str, plugins: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    std::fs::create_dir(folder).unwrap();
    let pipeline = folder.join("pipeline.toml");
    let text = format!(
        "extends = '{}'\n{head}\n[[export]]\nuse = \"jsonl\"\npath = \"out\"\n\
         [[export]]\nid = \"dropped\"\nuse = \"jsonl\"\nfrom = \"dropped\"\npath = \"out/dropped\"\n\
         [[export]]\nuse = \"markdown\"\npath = \"out/pages\"\n\
         [[export]]\nuse = \"parquet\"\npath = \"out/parquet\"\n\
         [[export]]\nuse = \"sqlite\"\npath = \"out/sqlite\"\n",
        root().join("config/flattened.toml").display()
    );
    std::fs::write(&pipeline, text).unwrap();
    let run: Run = Command::new(program)
        .args(["run".as_ref(), pipeline.as_os_str(), root().join("examples/flattened/documents").as_os_str()])
        // So long that one of the documents is dropped.
        .args(["--set", "stage.length.min_chars=200"])
        .env("TAMIS_PLUGIN_PATH", plugins)
        .output()
        .unwrap()
        .into();
    run.exits(0);
    // What was written is read again, by a reader that needs its files anywhere, into stages that must see all.
    let again = folder.join("again.toml");
    let text = format!(
        "{head}\n[[source]]\nuse = \"parquet\"\npaths = [\"out/parquet\", \"out/parquet/part-00000.parquet\"]\n\
         [[stage]]\nuse = \"dedup-exact\"\n[[stage]]\nuse = \"line-template\"\nmin_documents = 2\n\
         [[export]]\nuse = \"jsonl\"\npath = \"out/again\"\n"
    );
    std::fs::write(&again, text).unwrap();
    let run: Run = Command::new(program)
        .args(["run".as_ref(), again.as_os_str()])
        .env("TAMIS_PLUGIN_PATH", plugins)
        .output()
        .unwrap()
        .into();
    run.exits(0);
    written(&folder.join("out"))
}

#[test]
fn libraries_write_the_same_bytes_as_bundled_stages() {
    let folder = folder();
    let plugins = folder.path().join("plugins");
    std::fs::create_dir(&plugins).unwrap();
    install(&plugins);
    let names = PLUGINS.map(|plugin| format!("{{ name = \"tamis_{plugin}\" }}")).join(", ");
    let bundled = clean(tamis(), &folder.path().join("bundled"), "", &plugins);
    let bare = Path::new(env!("CARGO_BIN_EXE_tamis-bare"));
    let bare = clean(bare, &folder.path().join("bare"), &format!("plugin = [{names}]"), &plugins);
    let names =
        |files: &BTreeMap<PathBuf, Vec<u8>>| files.keys().map(|name| name.display().to_string()).collect();
    let names: [Vec<String>; 2] = [names(&bundled), names(&bare)];
    assert_eq!(names[0], names[1]);
    for part in [
        ".tamis/manifest.json",
        "part-00000.jsonl",
        "dropped/part-00000.jsonl",
        "pages/.tamis/files.b3",
        "parquet/part-00000.parquet",
        "sqlite/part-00000.sqlite",
        "again/part-00000.jsonl",
    ] {
        assert!(names[0].iter().any(|name| name == part), "{part}: {names:?}");
    }
    for (name, bytes) in &bundled {
        // What a run has read is known again by the time of change, and each program has read what it wrote itself.
        if name.ends_with("again/.tamis/inputs") {
            assert_eq!(bytes.len(), bare[name].len());
            continue;
        }
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        assert_eq!(text(bytes), text(&bare[name]), "{}", name.display());
    }
}

#[test]
fn without_them_it_knows_no_stage() {
    let check: Run = Command::new(env!("CARGO_BIN_EXE_tamis-bare"))
        .arg("check")
        .arg(root().join("config/flattened.toml"))
        .output()
        .unwrap()
        .into();
    let check = check.exits(2);
    assert!(check.stderr.contains("`length`"), "{}", check.stderr);
}
