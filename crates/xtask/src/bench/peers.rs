//! What Tamis is compared with: programs on the PATH, and the plainest loop in Rust.

use std::fs::File;
use std::io::{BufRead, BufReader, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::Context;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// Documents with fewer characters are dropped, by Tamis and by the loop.
pub(crate) const MIN_CHARS: usize = 500;
/// The hidden subcommand that is the plainest loop.
pub(crate) const JSONL_PEER: &str = "bench-jsonl-peer";

/// A script in Python and the module it needs.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Script {
    pub(crate) label: &'static str,
    module: &'static str,
    file: &'static str,
    source: &'static str,
}

/// A script of the folder `peers`, and what it needs.
macro_rules! script {
    ($label:literal, $module:literal, $file:literal) => {
        Script { label: $label, module: $module, file: $file, source: include_str!(concat!("peers/", $file)) }
    };
}

pub(crate) const PYARROW: Script = script!("pyarrow", "pyarrow.json", "parquet.py");
pub(crate) const WARCIO: Script = script!("warcio", "warcio.archiveiterator", "warcio_jsonl.py");
pub(crate) const DATATROVE: Script = script!("datatrove", "datatrove.pipeline.readers", "datatrove_jsonl.py");
pub(crate) const DATATROVE_JUDGE: Script =
    script!("datatrove with spacy", "datatrove.pipeline.filters, spacy", "datatrove_judge.py");
pub(crate) const DUCKDB: Script = script!("duckdb", "duckdb", "duckdb_distinct.py");
pub(crate) const RESILIPARSE: Script =
    script!("resiliparse", "resiliparse.extract.html2text", "resiliparse_text.py");
pub(crate) const TRAFILATURA: Script = script!("trafilatura", "trafilatura", "trafilatura_text.py");

impl Script {
    /// The interpreter, and the script as a file in `folder`; or why it cannot run.
    pub(crate) fn prepare(self, folder: &Path) -> anyhow::Result<Result<(String, PathBuf), String>> {
        let Some(python) = python() else { return Ok(Err("no python3 on the PATH".to_owned())) };
        if !runs(&python, &["-c", &format!("import {}", self.module)]) {
            return Ok(Err(format!("python3 has no {}", self.label)));
        }
        let path = folder.join(self.file);
        std::fs::write(&path, self.source).with_context(|| format!("cannot write {}", path.display()))?;
        Ok(Ok((python, path)))
    }
}

/// The interpreter itself: what is called `python3` may be a script that looks for it, at a price.
fn python() -> Option<String> {
    let output = Command::new("python3")
        .args(["-c", "import sys; print(sys.executable)"])
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .output()
        .ok()?;
    let path = String::from_utf8(output.stdout).ok()?.trim().to_owned();
    (output.status.success() && !path.is_empty()).then_some(path)
}

/// The first of `programs` that the PATH does not have.
pub(crate) fn missing(programs: &[&str]) -> Option<String> {
    let absent = programs.iter().find(|program| !runs("sh", &["-c", "command -v \"$1\"", "sh", program]));
    absent.map(|program| format!("no {program} on the PATH"))
}

fn runs(program: &str, arguments: &[&str]) -> bool {
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}

/// What the loop reads and writes: as typed as a program that knows its data would have it.
#[derive(Serialize, Deserialize)]
struct Record {
    id: String,
    url: String,
    text: String,
    metadata: Map<String, Value>,
}

/// Reads JSON lines, drops what is too short as the `length` filter would, writes the rest.
pub(crate) fn jsonl_peer(input: &Path, output: &Path) -> anyhow::Result<()> {
    let mut reader = BufReader::with_capacity(1 << 20, open(input)?);
    let file = File::create(output).with_context(|| format!("cannot create {}", output.display()))?;
    let mut writer = BufWriter::with_capacity(1 << 20, file);
    let mut line = Vec::new();
    while reader.read_until(b'\n', &mut line)? > 0 {
        let record: Record = serde_json::from_slice(&line)?;
        let n_chars = record.text.chars().filter(|character| !character.is_whitespace()).count();
        if n_chars >= MIN_CHARS {
            serde_json::to_writer(&mut writer, &record)?;
            writer.write_all(b"\n")?;
        }
        line.clear();
    }
    writer.flush()?;
    Ok(())
}

fn open(path: &Path) -> anyhow::Result<File> {
    File::open(path).with_context(|| format!("cannot open {}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loop_keeps_long_records() {
        let folder = tempfile::tempdir().unwrap();
        let (input, output) = (folder.path().join("in"), folder.path().join("out"));
        let line = |n: usize| {
            format!(
                "{{\"id\":\"{n}\",\"url\":\"u\",\"text\":\"{}\",\"metadata\":{{\"n\":1}}}}\n",
                "字 ".repeat(n)
            )
        };
        std::fs::write(&input, line(MIN_CHARS - 1) + &line(MIN_CHARS)).unwrap();
        jsonl_peer(&input, &output).unwrap();
        assert_eq!(std::fs::read_to_string(&output).unwrap(), line(MIN_CHARS));
    }

    #[test]
    fn absent_programs_are_named() {
        assert_eq!(missing(&["sh", "cat"]), None);
        let absent = missing(&["sh", "a-program-of-nobody"]);
        assert_eq!(absent.as_deref(), Some("no a-program-of-nobody on the PATH"));
    }
}
