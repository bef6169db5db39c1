//! Files that others test their readers with: which must be read, with how many rows, and which must be refused.
//!
//! The suites are not part of this repository: `TAMIS_SUITES` names a folder that has `parquet-testing` and
//! `arrow-testing` in it, as their authors publish them, as folders or as archives (`.tar.gz`); by default it is one beside the
//! checkout. Without it the tests say that they were skipped.
//!
//! A line of a table: the file, the column to take for the text, and the number of rows, or `refused` and what the
//! message must say. Numbers are those of `PyArrow`, where it reads the file. A row whose column holds no text fails
//! alone, with its number: it was read all the same.
//!
//! `large_string_map.brotli.parquet` is left out: one row of it takes 2 GiB.

use std::path::{Path, PathBuf};

use tamis_plugin::FileReader;

use crate::testing::{Collected, InMemory};
use crate::{Arrow, Parquet};

/// Where the suites are by default, from the folder of this package.
const BESIDE: &str = "../../../shared/eval/suites";

/// The folder of a suite, unpacked if it is an archive; none, loudly, where it is not.
fn suite(name: &str) -> Option<(PathBuf, tempfile::TempDir)> {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join(BESIDE);
    let suites = std::env::var_os("TAMIS_SUITES").map_or(beside, PathBuf::from);
    let unpacked = tempfile::tempdir().expect("a folder");
    if suites.join(name).is_dir() {
        return Some((suites.join(name), unpacked));
    }
    let Ok(archive) = std::fs::File::open(suites.join(format!("{name}.tar.gz"))) else {
        eprintln!("SKIPPED: neither `{name}` nor `{name}.tar.gz` in {}", suites.display());
        return None;
    };
    let mut archive = tar::Archive::new(flate2::read::GzDecoder::new(archive));
    archive.unpack(unpacked.path()).expect("a sound archive");
    Some((unpacked.path().join(name), unpacked))
}

/// How many rows a file has, or why it is refused.
fn rows<R: FileReader>(file: &Path, column: &str) -> Result<usize, String> {
    let options = serde_json::json!({ "fields": { "id": "", "text": column, "raw": "" } });
    let reader = R::open(serde_json::from_value(options).expect("valid options")).expect("options agree");
    let bytes = InMemory(std::fs::read(file).map_err(|error| error.to_string())?);
    let (index, splits) = reader.index(&bytes, 1 << 20).map_err(|failure| failure.to_string())?;
    let mut collected = Collected::default();
    for split in &splits {
        reader.decode(&index, &bytes, split, &mut collected).map_err(|failure| failure.to_string())?;
    }
    let n_rows = collected.documents.len() + collected.failed.len();
    assert_eq!(n_rows as u64, splits.iter().map(|split| split.records).sum::<u64>(), "{}", file.display());
    Ok(n_rows)
}

/// Reads every file of a table; whatever comes out otherwise than the table says.
fn differences<R: FileReader>(folder: &Path, table: &str) -> Vec<String> {
    let mut differences = Vec::new();
    for line in table.lines() {
        let mut cells = line.split('\t');
        let mut next = || cells.next().unwrap_or_default();
        let (file, column, expected, message) = (next(), next(), next(), next());
        let found = rows::<R>(&folder.join(file), column);
        let is_right = match (&found, expected) {
            (Err(why), "refused") => !message.is_empty() && why.contains(message),
            (Ok(n_rows), expected) => n_rows.to_string() == expected,
            (Err(_), _) => false,
        };
        if !is_right {
            differences.push(format!("{file}\t{column}\t{found:?} and not {expected} {message}"));
        }
    }
    differences
}

#[test]
fn parquet_files_of_others_are_read() {
    let Some((folder, _unpacked)) = suite("parquet-testing") else { return };
    let found = differences::<Parquet>(&folder, include_str!("suites/parquet.tsv"));
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn arrow_files_of_others_are_read() {
    let Some((folder, _unpacked)) = suite("arrow-testing") else { return };
    let folder = folder.join("data/arrow-ipc-stream/integration");
    let found = differences::<Arrow>(&folder, include_str!("suites/arrow.tsv"));
    assert!(found.is_empty(), "{}", found.join("\n"));
}

/// What fuzzing found, in files that are damaged in as many ways: each is refused, or all of its rows are accounted for,
/// of which there are some; none passes as a file without rows.
#[test]
fn damaged_arrow_files_of_others_do_not_pass_in_silence() {
    let Some((folder, _unpacked)) = suite("arrow-testing") else { return };
    let folder = folder.join("data/arrow-ipc-stream");
    let mut n_files = 0;
    let mut silent = Vec::new();
    for entry in folder.read_dir().expect("the folder can be read") {
        let path = entry.expect("an entry").path();
        let name = path.file_name().expect("a name").to_string_lossy().into_owned();
        if !name.starts_with("clusterfuzz") {
            continue;
        }
        n_files += 1;
        if rows::<Arrow>(&path, "text") == Ok(0) {
            silent.push(name);
        }
    }
    assert!(n_files > 50, "{n_files}");
    assert!(silent.is_empty(), "{silent:?}");
}
