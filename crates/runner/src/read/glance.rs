//! A glance at the first files of a source, before anything runs: which of its readers they are for.

use std::io::{self, Read};
use std::path::{Path, PathBuf};

use tamis_config::{InputKind, InputPattern, OpenedSource, Seen};
use tamis_input::{Content, InputFile, Location, OpenOptions};

use crate::read::choose::{SNIFF_BYTES, choose};

/// So many files of a source are opened, whatever they are called.
const FIRST_FILES: usize = 5;
/// So many in all: beyond the first, one of each folder and ending. A dump of several kinds has each in a folder of its
/// own, or tells them by their names.
const MOST_FILES: usize = 12;
/// So many entries of folders are looked at to find them.
const MOST_ENTRIES: usize = 2000;

/// Looks at the first files of every source that chooses among readers: a dozen at most, 64 KiB of each, on this machine
/// only. Of a source of which nothing can be said there is nothing.
///
/// A file that cannot be read, or that no reader takes, is passed over: a run says what is wrong with it. What can be read
/// once only (pipes, standard input) is left alone.
pub fn glance(sources: &[OpenedSource]) -> Seen {
    let sources = sources.iter().filter(|source| source.readers.len() > 1);
    sources.filter_map(|source| Some((source.plan.id.clone(), of_source(source)?))).collect()
}

/// The readers that would take the files of a source, each with the name of the first of them.
fn of_source(source: &OpenedSource) -> Option<Vec<(String, String)>> {
    let mut files = Vec::new();
    let mut n_left = MOST_ENTRIES;
    for input in source.plan.inputs.iter().filter(|input| input.kind == InputKind::Local) {
        find(source, input, &input.path, &mut files, &mut n_left);
    }
    let mut readers: Vec<(String, String)> = Vec::new();
    for path in some_of(files) {
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let Ok(Some(reader)) = reader_of(source, path, &name) else { continue };
        let reader = &source.readers[reader].info.name;
        if !readers.iter().any(|(known, _)| known == reader) {
            readers.push((reader.clone(), name));
        }
    }
    (!readers.is_empty()).then_some(readers)
}

/// The first files, and of the others as many as may be opened, from all over: what comes first may be the examples that lie
/// beside the pages of a manual.
fn some_of(files: Vec<PathBuf>) -> impl Iterator<Item = PathBuf> {
    let n_others = files.len().saturating_sub(FIRST_FILES);
    let step = n_others.div_ceil(MOST_FILES - FIRST_FILES).max(1);
    let is_one = move |at: usize| at < FIRST_FILES || (at - FIRST_FILES).is_multiple_of(step);
    files.into_iter().enumerate().filter(move |(at, _)| is_one(*at)).map(|(_, path)| path)
}

/// Appends the first files at or below `path` that the input takes, by name.
fn find(
    source: &OpenedSource,
    input: &InputPattern,
    path: &Path,
    files: &mut Vec<PathBuf>,
    n_left: &mut usize,
) {
    let relative = path.strip_prefix(&input.path).unwrap_or(path);
    if *n_left == 0 {
        return;
    }
    *n_left -= 1;
    if path.is_file() {
        let is_new = || !files.iter().any(|known| is_like(known, path));
        if input.takes(relative)
            && !source.plan.exclude.contains(relative)
            && (files.len() < FIRST_FILES || is_new())
        {
            files.push(path.to_owned());
        }
        return;
    }
    if source.plan.exclude.contains_dir(relative) {
        return;
    }
    let Ok(entries) = path.read_dir() else { return };
    let mut entries: Vec<PathBuf> =
        entries.take(MOST_ENTRIES).filter_map(|entry| Some(entry.ok()?.path())).collect();
    entries.sort();
    let is_hidden =
        |path: &Path| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.'));
    for entry in entries.iter().filter(|entry| !is_hidden(entry)) {
        find(source, input, entry, files, n_left);
    }
}

/// Whether two files lie in one folder and end alike.
fn is_like(one: &Path, other: &Path) -> bool {
    (one.parent(), one.extension()) == (other.parent(), other.extension())
}

fn reader_of(source: &OpenedSource, path: PathBuf, name: &str) -> io::Result<Option<usize>> {
    let file = InputFile { name: name.into(), ..InputFile::at(Location::Path(path)) };
    let mut head = Vec::new();
    let name = match tamis_input::open(&file, &OpenOptions::default())? {
        Content::Stream(input) => {
            input.take(SNIFF_BYTES as u64 + 1).read_to_end(&mut head)?;
            name.to_owned()
        }
        Content::Archive(mut members) => loop {
            let Some(member) = members.next()? else { return Ok(None) };
            if member.kind != tamis_input::Kind::Folder {
                let name = member.plain.to_string();
                (&mut members).take(SNIFF_BYTES as u64 + 1).read_to_end(&mut head)?;
                break name;
            }
        },
    };
    let complete = head.len() <= SNIFF_BYTES;
    Ok(choose(source, &head, complete, tamis_input::plain_name(&name)))
}
