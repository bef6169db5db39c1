//! Files that want a source of their own, because their records call their text otherwise.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use tamis_document::{Document, Fate};
use tamis_runner::{Found, Sample};

use super::endings::{self, ending};
use super::mapping::Mapping;
use super::pipeline::{pipeline, plan};
use crate::context::{Context, logged_run};

/// So many files are looked into to see what their fields are; the others of the same shape are like them.
const MOST_FILES: usize = 20;

/// A source for files that cannot be read as the others are.
#[derive(Debug)]
pub(super) struct Apart {
    pub(super) reader: String,
    pub(super) mapping: Mapping,
    /// What to read.
    pub(super) paths: Vec<PathBuf>,
    /// What the source for all other files must leave out.
    pub(super) exclude: Vec<String>,
    /// How many of its files are in the sample.
    pub(super) n_files: usize,
}

/// Files that one reader takes, whose records have fields of the same names.
struct Shape {
    reader: String,
    names: Vec<String>,
    /// The files, as their records name them.
    files: Vec<String>,
}

/// Finds the files of a sample of which no record has a text where its reader looks for it, and how they can be read;
/// their records in the sample are replaced by some that were read so. Also whether there are other files.
pub(super) fn find(
    context: &Context,
    inputs: &[PathBuf],
    sample: &mut Sample,
    wanted: usize,
) -> anyhow::Result<(Vec<Apart>, bool)> {
    let mut found: BTreeMap<(String, Mapping), (Vec<String>, Vec<Found>)> = BTreeMap::new();
    for shape in shapes(&sample.records) {
        let paths: Vec<PathBuf> = shape.files.iter().filter_map(|file| path(inputs, file)).collect();
        // A member of an archive, or an object in a store, is named by nothing that a source could read alone.
        if paths.len() < shape.files.len() {
            continue;
        }
        let first = &paths[..paths.len().min(MOST_FILES)];
        if let Some((mapping, records)) = read(context, &shape, first, wanted)? {
            let entry = found.entry((shape.reader, mapping)).or_default();
            entry.0.extend(shape.files);
            entry.1.extend(records);
        }
    }
    let all: BTreeSet<String> =
        sample.records.iter().map(|found| found.record.document.origin.file.to_string()).collect();
    let n_apart: usize = found.values().map(|(files, _)| files.len()).sum();
    let has_others = n_apart < all.len();
    let mut apart = Vec::new();
    for ((reader, mapping), (files, records)) in found {
        let files: BTreeSet<&str> = files.iter().map(String::as_str).collect();
        let others: Vec<&str> = all.iter().map(String::as_str).filter(|it| !files.contains(it)).collect();
        let n_files = files.len();
        let is_of = |found: &Found| files.contains(&*found.record.document.origin.file);
        sample.records.retain(|found| !is_of(found));
        sample.records.extend(records);
        let files: Vec<&str> = files.into_iter().collect();
        let (paths, exclude) = named(inputs, &files, &others);
        apart.push(Apart { reader, mapping, paths, exclude, n_files });
    }
    Ok((apart, has_others))
}

/// The files most of whose records have no text where their reader looks for it, by what their fields are called.
fn shapes(records: &[Found]) -> Vec<Shape> {
    // By file: how many records it has, how many of them without a text, and what those have.
    type Without<'r> = (usize, usize, Option<(&'r str, Vec<String>)>);
    let mut files: BTreeMap<&str, Without<'_>> = BTreeMap::new();
    for found in records {
        let (n, n_without, shape) = files.entry(&found.record.document.origin.file).or_default();
        *n += 1;
        let Fate::Failed(why) = &found.record.fate else { continue };
        let names = names(why.as_ref());
        if let (Some(reader), false) = (&found.reader, names.is_empty()) {
            *n_without += 1;
            shape.get_or_insert((reader, names));
        }
    }
    let mut shapes: BTreeMap<(&str, Vec<String>), Vec<String>> = BTreeMap::new();
    for (file, (n, n_without, shape)) in files {
        if let Some(shape) = shape.filter(|_| n_without * 2 > n) {
            shapes.entry(shape).or_default().push(file.to_owned());
        }
    }
    let shape = |((reader, names), files): ((&str, _), _)| Shape { reader: reader.to_owned(), names, files };
    shapes.into_iter().map(shape).collect()
}

/// The names of fields in the message of a reader that has not found the one with the text:
/// ``no field `text`; fields are `a`, `b`: name the one …``.
fn names(why: &str) -> Vec<String> {
    let Some((before, rest)) = why.split_once("; ") else { return Vec::new() };
    let is_one = ["no field `", "no column `"].iter().any(|begin| before.contains(begin));
    let listed = rest.split(": name the one").next().unwrap_or_default();
    if is_one { listed.split('`').skip(1).step_by(2).map(str::to_owned).collect() } else { Vec::new() }
}

/// Reads files with one field after the other for the text, until records come out, which have all others in their
/// metadata; then as these say.
fn read(
    context: &Context,
    shape: &Shape,
    paths: &[PathBuf],
    wanted: usize,
) -> anyhow::Result<Option<(Mapping, Vec<Found>)>> {
    let sample = |mapping: &Mapping| -> anyhow::Result<Vec<Found>> {
        let source = format!("use = \"{}\"\n{}", shape.reader, mapping.to_toml());
        // Whatever is wrong with it, it is no way to read them.
        let Ok(planned) = plan(context, &pipeline(&source, ""), paths) else { return Ok(Vec::new()) };
        Ok(tamis_runner::sample(&planned.open(&logged_run())?, wanted)?.records)
    };
    for name in &shape.names {
        let records = sample(&Mapping::of_text(name))?;
        let kept = records.iter().map(|found| &found.record).filter(|record| record.is_kept());
        let documents: Vec<&Document> = kept.map(|record| &record.document).collect();
        if documents.len() * 2 <= records.len() {
            continue;
        }
        let Some(mapping) = Mapping::guess(&documents, name) else { continue };
        let records = sample(&mapping)?;
        return Ok(Some((mapping, records)).filter(|(_, records)| !records.is_empty()));
    }
    Ok(None)
}

/// The file of a name that its records have: the path from the folder that is read, or that all inputs share.
fn path(inputs: &[PathBuf], name: &str) -> Option<PathBuf> {
    inputs
        .iter()
        .flat_map(|input| input.ancestors())
        .map(|folder| folder.join(name))
        .find(|path| path.is_file())
        .or_else(|| {
            let is_it =
                |input: &&PathBuf| input.is_file() && input.file_name().is_some_and(|own| own == name);
            inputs.iter().find(is_it).cloned()
        })
}

/// What names `files` and none of the `others`: paths for a source, and patterns for another to leave them out.
fn named(inputs: &[PathBuf], files: &[&str], others: &[&str]) -> (Vec<PathBuf>, Vec<String>) {
    let (mut paths, mut exclude) = (Vec::new(), Vec::new());
    let below = |folder: &Path, names: &[&str]| -> Vec<PathBuf> {
        let all = names.iter().filter_map(|name| path(inputs, name));
        all.filter(|path| path.starts_with(folder)).collect()
    };
    let relative = |folder: &Path, paths: &[PathBuf]| -> Vec<String> {
        let all = paths.iter().filter_map(|path| path.strip_prefix(folder).ok());
        all.map(|path| path.to_string_lossy().into_owned()).collect()
    };
    // A pattern leaves out what it fits below every input.
    let folders: Vec<PathBuf> = inputs.iter().map(|input| folder_of(input)).collect();
    let all_others: Vec<String> =
        folders.iter().flat_map(|folder| relative(folder, &below(folder, others))).collect();
    for (input, folder) in inputs.iter().zip(&folders) {
        let (own, foreign) = (below(folder, files), below(folder, others));
        if own.is_empty() {
            continue;
        }
        if foreign.is_empty() {
            paths.push(input.clone());
            continue;
        }
        let names = relative(folder, &own);
        if let Some(pattern) = pattern(&names, &all_others).filter(|_| input == folder) {
            let below = if pattern.contains('/') { pattern.clone() } else { format!("**/{pattern}") };
            paths.push(folder.join(below));
            exclude.push(pattern);
        } else {
            // Without a slash it would stand for files of that name in all folders.
            exclude.extend(names.iter().map(|name| format!("/{name}")));
            paths.extend(own);
        }
    }
    (paths, exclude)
}

/// An input, or of a glob the folder in which it looks.
fn folder_of(input: &Path) -> PathBuf {
    let is_plain = |folder: &&Path| folder.exists() || folder.as_os_str().is_empty();
    input.ancestors().find(is_plain).unwrap_or(input).to_owned()
}

/// A pattern that all `files` fit and none of the `others`: by their ending, or by their folder and their ending.
fn pattern(files: &[String], others: &[String]) -> Option<String> {
    let ending = ending(files.first()?)?;
    if !files.iter().all(|file| endings::ending(file) == Some(ending)) {
        return None;
    }
    let is_like = |other: &&String| endings::ending(other) == Some(ending);
    if !others.iter().any(|other| is_like(&other)) {
        return Some(format!("*.{ending}"));
    }
    let folder = common_folder(files)?;
    let is_below = |other: &String| Path::new(other).starts_with(folder);
    let is_free = !others.iter().filter(is_like).any(is_below);
    is_free.then(|| format!("{}/**/*.{ending}", folder.display()))
}

/// The innermost folder that holds all files, unless it is the outermost.
fn common_folder(files: &[String]) -> Option<&Path> {
    let folders = Path::new(files.first()?).ancestors().skip(1);
    let holds_all = |folder: &&Path| files.iter().all(|file| Path::new(file).starts_with(folder));
    folders.into_iter().find(holds_all).filter(|folder| !folder.as_os_str().is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_stand_in_the_messages_of_readers() {
        for (why, expected) in [
            (
                "line 1: column 1: no field `text`; fields are `标题`, `正文` and 3 more: name the one that holds it with \
                 `fields = { text = \"…\" }`",
                &["标题", "正文"][..],
            ),
            ("no field `text`; the only field is `body`: name the one that holds it", &["body"]),
            ("no column `text`; columns are `a`, `b`: name the one that holds it", &["a", "b"]),
            ("line 1: not JSON; it has `a`", &[]),
        ] {
            assert_eq!(names(why), expected);
        }
    }

    #[test]
    fn files_are_named_by_what_they_share_and_the_others_have_not() {
        for (files, others, expected) in [
            (&["a.csv", "b/c.csv"][..], &["d.html"][..], Some("*.csv")),
            (&["t/a.csv", "t/b/c.csv"], &["d.csv"], Some("t/**/*.csv")),
            (&["t/a.csv"], &["t/d.csv"], None),
            (&["a.csv"], &["d.csv"], None),
            (&["a.csv", "a.jsonl"], &["d.html"], None),
            (&["a.jsonl.gz"], &["b.jsonl", "c.csv.gz"], Some("*.jsonl.gz")),
        ] {
            let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
            assert_eq!(pattern(&owned(files), &owned(others)).as_deref(), expected, "{files:?}");
        }
    }
}
