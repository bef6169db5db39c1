//! A temporary folder to run the program in.

#![expect(
    clippy::unwrap_used,
    clippy::missing_panics_doc,
    clippy::return_self_not_must_use,
    reason = "helpers of tests, which fail by panicking"
)]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value as Json;

use crate::program::tamis;

/// Reads `in`, drops what is shorter than ten characters, writes `out`, `out/dropped` and `out/__failed`.
pub const PIPELINE: &str = "\
[[source]]
use = \"auto\"
paths = [\"in\"]

[[stage]]
use = \"length\"
min_chars = 10

[[export]]
id = \"kept\"
use = \"jsonl\"
path = \"out\"

[[export]]
id = \"dropped\"
use = \"jsonl\"
from = \"dropped\"
path = \"out/dropped\"

[run]
max_failed_ratio = 1
";

/// What a run has spent where, which is different each time.
pub const TIMES: &str = ".tamis/times.json";

/// A temporary folder with a pipeline `p.toml`, in which the program runs.
#[derive(Debug)]
pub struct World {
    folder: tempfile::TempDir,
}

/// What the program did.
#[derive(Debug)]
pub struct Ran {
    /// The exit code; none if a signal ended the program.
    pub code: Option<i32>,
    /// What it printed.
    pub stdout: String,
    /// What it complained about.
    pub stderr: String,
}

impl Default for World {
    fn default() -> Self {
        Self::new()
    }
}

impl World {
    /// A folder with [`PIPELINE`].
    pub fn new() -> Self {
        let world = Self { folder: tempfile::tempdir().unwrap() };
        world.write("p.toml", PIPELINE);
        std::fs::create_dir(world.path("in")).unwrap();
        world
    }

    /// A folder with another pipeline.
    pub fn with(pipeline: &str) -> Self {
        let world = Self::new();
        world.write("p.toml", pipeline);
        world
    }

    /// A path in the folder.
    pub fn path(&self, path: impl AsRef<Path>) -> PathBuf {
        self.folder.path().join(path)
    }

    /// Writes a file, and makes the folders that it lies in.
    pub fn write(&self, path: impl AsRef<Path>, content: impl AsRef<[u8]>) {
        let path = self.path(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, content).unwrap();
    }

    /// The content of a text file.
    pub fn read(&self, path: impl AsRef<Path>) -> String {
        String::from_utf8(std::fs::read(self.path(path)).unwrap()).unwrap()
    }

    /// The program with the environment of a fresh shell.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(tamis());
        command.args(arguments).current_dir(self.folder.path()).env_clear().stdin(Stdio::null());
        command
    }

    /// Runs the program to its end.
    pub fn tamis(&self, arguments: &[&str]) -> Ran {
        ran(&mut self.command(arguments))
    }

    /// `tamis run p.toml` with further arguments.
    pub fn run(&self, arguments: &[&str]) -> Ran {
        self.tamis(&[&["run", "p.toml"], arguments].concat())
    }

    /// Every file below a folder with its content, by name, but for what a run notes of how long it takes.
    pub fn files(&self, folder: &str) -> BTreeMap<String, Vec<u8>> {
        let mut files = BTreeMap::new();
        let mut folders = vec![self.path(folder)];
        while let Some(folder_) = folders.pop() {
            for entry in std::fs::read_dir(&folder_).into_iter().flatten() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                } else if !path.ends_with(TIMES) {
                    let name = path.strip_prefix(self.path(folder)).unwrap().to_string_lossy().into_owned();
                    files.insert(name, std::fs::read(path).unwrap());
                }
            }
        }
        files
    }

    /// The records in the parts of an export.
    pub fn records(&self, folder: &str) -> Vec<Json> {
        let mut records = Vec::new();
        let mut n = 0;
        while let Ok(part) = std::fs::read_to_string(self.path(folder).join(format!("part-{n:05}.jsonl"))) {
            records.extend(part.lines().map(|line| serde_json::from_str::<Json>(line).unwrap()));
            n += 1;
        }
        records
    }

    /// The ids of the records in the parts of an export.
    pub fn ids(&self, folder: &str) -> Vec<String> {
        self.records(folder).iter().map(|record| record["id"].as_str().unwrap().to_owned()).collect()
    }

    /// The manifest in `out`.
    pub fn manifest(&self) -> Json {
        serde_json::from_str(&self.read("out/.tamis/manifest.json")).unwrap()
    }

    /// The tally of the manifest as (read, kept, dropped, failed); makes sure that it adds up.
    #[track_caller]
    pub fn tally(&self) -> (u64, u64, u64, u64) {
        let manifest = self.manifest();
        assert_eq!(manifest["complete"], true);
        let count = |name: &str| manifest["tally"][name].as_u64().unwrap();
        let tally = (count("read"), count("kept"), count("dropped"), count("failed"));
        assert_eq!(tally.0, tally.1 + tally.2 + tally.3, "{manifest:#}");
        tally
    }
}

/// Checks that the manifest in a folder lists every file of the exports, and each as it is.
#[track_caller]
pub fn manifest_is_true(world: &World, folder: &str) {
    let mut files = world.files(folder);
    let manifest: Json = serde_json::from_slice(&files.remove(".tamis/manifest.json").unwrap()).unwrap();
    assert_eq!(manifest["complete"], true);
    let tally = &manifest["tally"];
    assert!(files.remove(".tamis/inputs").is_some(), "nobody could tell what is new");
    let fates = &manifest["fates"];
    let content = files.remove(fates["name"].as_str().unwrap()).unwrap();
    assert_eq!(fates["blake3"], blake3::hash(&content).to_hex().as_str());
    let count = |fate: &str| tally[fate].as_u64().unwrap();
    assert_eq!(fates["records"], count("kept") + count("dropped") + count("failed"));
    for export in manifest["exports"].as_array().unwrap() {
        let below = export["folder"].as_str().unwrap();
        let place = |name: &str| if below.is_empty() { name.to_owned() } else { format!("{below}/{name}") };
        let mut n_records = 0;
        for entry in export["files"].as_array().unwrap() {
            let name = place(entry["name"].as_str().unwrap());
            let content = files.remove(&name).unwrap_or_else(|| panic!("there is no {name}"));
            assert_eq!(entry["blake3"], blake3::hash(&content).to_hex().as_str(), "{name}");
            assert_eq!(entry["bytes"], content.len(), "{name}");
            n_records += entry["records"].as_u64().unwrap();
            if Path::new(&name).extension().is_some_and(|ending| ending == "jsonl") {
                let n_lines = content.split_inclusive(|byte| *byte == b'\n').count();
                assert_eq!(entry["records"], n_lines, "{name}");
            }
            if name.ends_with(".tamis/files.b3") {
                for line in String::from_utf8(content).unwrap().lines() {
                    let (hash, name) = line.split_once("  ").unwrap();
                    let content = files.remove(&place(name)).unwrap_or_else(|| panic!("there is no {name}"));
                    assert_eq!(hash, blake3::hash(&content).to_hex().as_str(), "{name}");
                }
            }
        }
        assert_eq!(export["records"], n_records, "{export:#}");
        assert_eq!(export["records"], tally[export["from"].as_str().unwrap()], "{export:#}");
    }
    for learned in manifest["learned"].as_array().into_iter().flatten() {
        for entry in learned["files"].as_array().unwrap() {
            let name = format!("{}/{}", learned["folder"].as_str().unwrap(), entry["name"].as_str().unwrap());
            let content = files.remove(&name).unwrap_or_else(|| panic!("there is no {name}"));
            assert_eq!(entry["blake3"], blake3::hash(&content).to_hex().as_str(), "{name}");
        }
    }
    assert!(files.is_empty(), "not in the manifest: {:?}", files.keys());
}

/// Runs a command to its end.
pub fn ran(command: &mut Command) -> Ran {
    let output = command.output().unwrap();
    Ran {
        code: output.status.code(),
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

impl Ran {
    /// Checks the exit code, with everything printed in the message.
    #[track_caller]
    pub fn exits(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "{self:#?}");
        assert!(!self.stderr.contains("panicked"), "{self:#?}");
        self
    }

    /// Checks that standard error holds each of some texts.
    #[track_caller]
    pub fn says(self, texts: &[&str]) -> Self {
        for text in texts {
            assert!(self.stderr.contains(text), "no `{text}` in {self:#?}");
        }
        self
    }
}

/// A JSON line with a text of `n_chars` characters that depends on `seed`.
pub fn line(seed: usize, n_chars: usize) -> String {
    let text: String = "The river rose and the bridge was closed; 河水上涨，桥梁封闭。 "
        .chars()
        .cycle()
        .skip(seed % 50)
        .take(n_chars)
        .collect();
    format!("{{\"text\":\"{text}\",\"n\":{seed}}}\n")
}
