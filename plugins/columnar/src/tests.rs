//! Files that others test their readers with: which must be read, with how many rows, and which must be refused.
//!
//! The suites are not part of this repository: `TAMIS_SUITES` names a folder that has `parquet-testing` and
//! `arrow-testing` in it, as their authors publish them. Without it the tests say that they were skipped.
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

/// The folder of a suite; none, loudly, where it is not.
fn suite(name: &str) -> Option<PathBuf> {
    let folder = std::env::var_os("TAMIS_SUITES").map(|folder| PathBuf::from(folder).join(name));
    let found = folder.filter(|folder| folder.is_dir());
    if found.is_none() {
        eprintln!("SKIPPED: no folder `{name}` in the one that TAMIS_SUITES names");
    }
    found
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
    let Some(folder) = suite("parquet-testing") else { return };
    let found = differences::<Parquet>(&folder, include_str!("suites/parquet.tsv"));
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn arrow_files_of_others_are_read() {
    let Some(folder) = suite("arrow-testing/data/arrow-ipc-stream/integration") else { return };
    let found = differences::<Arrow>(&folder, include_str!("suites/arrow.tsv"));
    assert!(found.is_empty(), "{}", found.join("\n"));
}
