//! A plugin that was written for the SDK of ABI 1.1, and built with it, works as it did.
//!
//! What it is built from lies in `abi-1.1/`, with the reason for keeping it.

use std::path::{Path, PathBuf};

use serde_json::json;
use tamis_host::library_file_name;
use tamis_tests::program::root;

use crate::in_rust::{built, cargo};
use crate::support::{Records, folder, lines, run};

/// Builds the frozen plugin with the SDK of its time and copies the library to `folder`.
fn frozen_library(folder: &Path) -> PathBuf {
    let kept = root().join("tests/plugins/abi-1.1");
    let plugin = folder.join("frozen");
    std::fs::create_dir_all(plugin.join("src")).unwrap();
    for file in ["Cargo.toml", "src/lib.rs"] {
        std::fs::copy(kept.join("plugin").join(file), plugin.join(file)).unwrap();
    }
    std::fs::copy(root().join("Cargo.lock"), plugin.join("Cargo.lock")).unwrap();
    let archive = zstd::decode_all(std::fs::File::open(kept.join("sdk.tar.zst")).unwrap()).unwrap();
    tar::Archive::new(archive.as_slice()).unpack(&plugin).unwrap();
    cargo(&plugin, "build").exits(0);
    let library = folder.join(library_file_name("frozen"));
    std::fs::copy(built("frozen"), &library).unwrap();
    library
}

const PIPELINE: &str = "plugin = [{ path = \"LIBRARY\" }]
[[source]]
use = \"frozen-lines\"
paths = [\"in.txt\"]
[[stage]]
use = \"frozen-few-words\"
[[stage]]
use = \"frozen-halve\"
[[stage]]
use = \"frozen-common\"
[[export]]
use = \"frozen-texts\"
path = \"out\"
[[export]]
id = \"kept\"
use = \"jsonl\"
path = \"kept\"
[[export]]
id = \"dropped\"
use = \"jsonl\"
from = \"dropped\"
path = \"dropped\"
[[export]]
id = \"failed\"
use = \"jsonl\"
from = \"failed\"
path = \"failed\"
[run]
max_failed_ratio = 1
block_bytes = 1024
";

#[test]
fn a_plugin_of_abi_1_1_works_as_it_did() {
    let folder = folder();
    let library = frozen_library(folder.path());
    let input = b"one two|three\nsmall\nit fails\nfour five\n\xff\nno panic\nfour five\n";
    std::fs::write(folder.path().join("in.txt"), input).unwrap();
    let file = folder.path().join("pipeline.toml");
    std::fs::write(&file, PIPELINE.replace("LIBRARY", &library_file_name("frozen"))).unwrap();
    run(&[Path::new("run"), &file]).exits(0);

    let texts = std::fs::read_to_string(folder.path().join("out/part-00000.txt")).unwrap();
    let expected = "in.txt#0 0+14 2 1 one two\nin.txt#0/1 0+14 0 1 three\n\
                    in.txt#29 29+10 2 2 four five\nin.txt#50 50+10 2 2 four five\n";
    assert_eq!(texts, expected);
    let kept = lines(&folder.path().join("kept"));
    assert_eq!(kept[0]["metadata"], json!({ "copies": 1, "half": 1, "line": 0 }));
    // A document that is split off has what its stage gives it, and no more: nobody had told the stage otherwise.
    assert_eq!(kept[1]["metadata"], json!({ "copies": 1, "half": 2 }));
    let dropped = lines(&folder.path().join("dropped"));
    assert_eq!(Records::ids(&dropped), ["in.txt#14"]);
    assert_eq!(dropped[0]["measures"], json!([{ "name": "words", "value": 1, "min": 2 }]));
    let failed = lines(&folder.path().join("failed"));
    assert_eq!(Records::ids(&failed), ["in.txt#20", "in.txt#39", "in.txt#41"]);
    assert!(failed[2]["reason"].as_str().unwrap().contains("the stage panicked: no luck"), "{failed:?}");
    let manifest = std::fs::read_to_string(folder.path().join("out/.tamis/manifest.json")).unwrap();
    let manifest: serde_json::Value = serde_json::from_str(&manifest).unwrap();
    let stage = &manifest["tally"]["stages"]["stage.frozen-few-words"];
    assert_eq!((&stage["counts"]["seen"], &stage["silent"]), (&json!(4), &json!(["never"])));

    let check = run(&["plugin".as_ref(), "check".as_ref(), library.as_os_str()]).exits(0);
    assert!(check.stdout.ends_with("ok: the library keeps the plugin contract\n"), "{}", check.stdout);
}
