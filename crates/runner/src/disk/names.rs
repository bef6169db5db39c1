//! The names that a run gives to files of its own, all of them, and which names nobody else may use.
//!
//! Whoever asks whether a file is ours asks here: what is listed, taken away or refused must never differ.
//!
//! What reads a folder as a data set (`PyArrow`, Spark, Hugging Face) passes over hidden files, so all that is not
//! output lies in [`WORK`]. Records that are not part of the result have folders below that of the result whose names
//! begin with `__`, for the same reason: dead letters without an export are in [`tamis_config::DEAD_LETTERS`].

use std::path::{Component, Path, PathBuf};

/// The folder in that of an export for all that is not output.
pub(crate) const WORK: &str = ".tamis";
/// The manifest, in the folder of the first export.
pub(crate) const MANIFEST: &str = ".tamis/manifest.json";
/// The list of named files of an export, in the form that `b3sum --check` reads in the folder of the export.
pub(crate) const FILE_LIST: &str = ".tamis/files.b3";
/// Where versions before [`WORK`] held it all wrote the manifest.
pub(crate) const OLD_MANIFEST: &str = "manifest.json";
/// Where they wrote the list of named files.
pub(crate) const OLD_FILE_LIST: &str = "files.b3";
/// In [`WORK`]: what corpus stages leave for the user, a folder for each stage.
pub(crate) const LEARNED: &str = "learned";
/// In [`WORK`]: what became of every record.
pub(crate) const FATES: &str = "fates";
/// In [`WORK`]: which files the run has read.
pub(crate) const INPUTS: &str = "inputs";
/// In [`WORK`]: what the run has spent where, which no two runs do alike; written by whoever watches it.
pub(crate) const TIMES: &str = "times.json";
/// In [`WORK`]: held while a run uses the folder.
pub(crate) const LOCK: &str = "lock";
/// In [`WORK`]: the same where the file system has no locks.
pub(crate) const LOCK_MARK: &str = "lock.held";
/// In [`WORK`] of this machine: what a run that writes to an object store must know until it is complete there.
pub(crate) const STORE: &str = "store";
/// In an object store: whose place it is.
pub(crate) const CLAIM: &str = ".tamis/claim";
/// In [`WORK`]: how far the run is.
pub(crate) const CHECKPOINT: &str = "checkpoint.json";
/// The journal of the parts that a run has begun and finished; only ever there under its temporary name.
pub(crate) const JOURNAL: &str = "parts";
/// Ends the names of files that no run has finished.
pub(crate) const TEMPORARY: &str = ".tamis-tmp";
/// Begins the names of folders that are gone when the command that made them ends.
pub(crate) const SCRATCH: &str = ".tamis-scratch-";

/// Most file systems take 255 bytes; a temporary name is longer by some, a number behind a name by others.
const MAX_NAME_BYTES: usize = 220;

/// Whether a file directly in the folder of an export may be one that a run wrote.
pub(crate) fn is_ours(name: &str) -> bool {
    name == WORK || name.ends_with(TEMPORARY) || part_number(name).is_some()
}

/// Whether a file that a manifest names is a list of named files; in that of merged shards the folder of the shard
/// stands before it.
pub(crate) fn is_file_list(name: &str) -> bool {
    name == OLD_FILE_LIST
        || name.strip_suffix(FILE_LIST).is_some_and(|before| before.is_empty() || before.ends_with('/'))
}

/// Whether an entry of [`WORK`] is to stay when a run is over.
pub(crate) fn outlasts_a_run(name: &std::ffi::OsStr) -> bool {
    let lasting = [MANIFEST, FILE_LIST].map(|path| path.rsplit('/').next().unwrap_or(path));
    // A list that a run could not finish names files that are there, and the next run takes them away by it.
    if temporary(Path::new(FILE_LIST)).file_name() == Some(name) {
        return true;
    }
    lasting.iter().chain(&[FATES, INPUTS, LEARNED, TIMES, LOCK, LOCK_MARK, STORE]).any(|kept| name == *kept)
}

/// The number in the name of a part: `part-00012.jsonl`.
pub(crate) fn part_number(name: &str) -> Option<usize> {
    let (number, _) = name.strip_prefix("part-")?.split_once('.')?;
    if number.len() < 5 { None } else { number.parse().ok() }
}

/// The name under which a file is written.
pub(crate) fn temporary(path: &Path) -> PathBuf {
    let mut name = std::ffi::OsString::from(".");
    name.push(path.file_name().unwrap_or_default());
    name.push(TEMPORARY);
    path.with_file_name(name)
}

/// Whether a relative path stays where it begins.
pub(crate) fn is_inside(path: &Path) -> bool {
    path.components().all(|part| matches!(part, Component::Normal(_)))
}

/// Why an exporter may not name a file so.
pub(crate) fn refusal(name: &str) -> Option<&'static str> {
    if !is_inside(Path::new(name)) || name.is_empty() || name.ends_with('/') {
        return Some(OUTSIDE);
    }
    if name.contains('\0') {
        return Some("holds a NUL character");
    }
    // Systems that do not tell cases apart would write into our folder, too.
    if name.split('/').any(|part| part.eq_ignore_ascii_case(WORK)) {
        return Some("is where tamis keeps files of its own");
    }
    name.split('/').any(|part| part.len() > MAX_NAME_BYTES).then_some("is too long")
}

/// What [`refusal`] says of a name that leads out of the folder.
pub(crate) const OUTSIDE: &str = "is not inside the folder of the export";

#[cfg(test)]
mod tests {
    use super::*;

    /// Taken away, its files would stay, and be written again beside themselves.
    #[test]
    fn a_list_that_was_not_finished_outlasts_a_run() {
        for name in [".files.b3.tamis-tmp", "files.b3", "manifest.json", "times.json", "lock"] {
            assert!(outlasts_a_run(name.as_ref()), "{name}");
        }
        for name in ["checkpoint.json", ".checkpoint.json.tamis-tmp", "segment.spill"] {
            assert!(!outlasts_a_run(name.as_ref()), "{name}");
        }
    }

    #[test]
    fn names_that_no_file_may_have() {
        for name in ["", "../a", "/a", "a/../b", ".", "a\0b", &"x".repeat(221), ".tamis/lock", "a/.Tamis/b"] {
            assert!(refusal(name).is_some(), "{name}");
        }
        for name in ["a", "a/b.md", "…/字", ".tamisx", &"x".repeat(220)] {
            assert_eq!(refusal(name), None, "{name}");
        }
    }
}
