//! What the inputs are: a sample of them, read as a run would read it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use tamis_config::Diagnostics;
use tamis_document::{Document, Fate, Form, Metadata, Record, Value};
use tamis_runner::{Found, Sample};
use tamis_text::markup::is_page;

use super::apart::{self, Apart};
use super::endings::{self, PACKED};
use super::mapping;
use super::pipeline::{pipeline, plan};
use crate::context::{Context, logged_run};

/// The endings of files that pages are made with and that read as text.
const ASSETS: [&str; 4] = ["css", "js", "map", "mjs"];

/// Readers of records whose fields have names of their own.
const STRUCTURED: [&str; 7] = ["arrow", "csv", "json", "jsonl", "parquet", "records", "tsv"];

/// What was found.
pub(super) struct Look {
    pub(super) sample: Sample,
    /// The readers that took the files, with the number of records of each in the sample.
    pub(super) readers: BTreeMap<String, usize>,
    /// Those of them that took what is in no source of its own.
    pub(super) others: BTreeSet<String>,
    /// New names of fields in these, as an option.
    pub(super) rename: String,
    /// Whether there is a file that is in no source of its own.
    pub(super) has_others: bool,
    /// Sources for files whose records call their text otherwise.
    pub(super) apart: Vec<Apart>,
    /// The ids of the records that are the source of a page.
    pub(super) pages: BTreeSet<String>,
    /// How many could not be read, and why the first of them could not.
    pub(super) failed: Option<(usize, String)>,
    /// Files of which a reader can read no record of the sample.
    pub(super) unreadable: Vec<Unreadable>,
    /// The endings of files that no reader takes.
    pub(super) unread: BTreeSet<String>,
    /// Those of files that are read as text and lie beside pages as what these are made with.
    pub(super) assets: BTreeSet<String>,
    /// A field of the records that holds addresses.
    pub(super) url: Option<String>,
}

/// A file of which no record can be read, and nobody knows how.
#[derive(Debug)]
pub(super) struct Unreadable {
    pub(super) file: String,
    /// Why the first of its records cannot be read.
    pub(super) why: String,
}

/// Looks at the inputs, and once more at files whose records call their text otherwise.
pub(super) fn look(
    context: &Context,
    inputs: &[PathBuf],
    wanted: usize,
) -> anyhow::Result<Result<Look, Diagnostics>> {
    let planned = match plan(context, &pipeline("use = \"auto\"", ""), inputs) {
        Ok(planned) => planned,
        Err(diagnostics) => return Ok(Err(diagnostics)),
    };
    let mut sample = tamis_runner::sample(&planned.open(&logged_run())?, wanted)?;
    let others = || sample.records.iter().filter(|found| found.record.is_kept());
    let by_ending = |found: &Found| Some((found.reader.clone()?, ending(found).map(str::to_owned)));
    let readers: BTreeSet<(String, Option<String>)> = others().filter_map(by_ending).collect();
    // Of files that name their own fields: what other readers write has its name.
    let is_structured = |found: &&Found| found.reader.as_deref().is_some_and(|it| STRUCTURED.contains(&it));
    let structured: Vec<&Document> =
        others().filter(is_structured).map(|found| &found.record.document).collect();
    let rename = mapping::renamed(&structured);
    let (apart, has_others) = apart::find(context, inputs, &mut sample, wanted)?;
    let look = Look::of(sample, apart);
    let is_read = |ending: &Option<String>| !ending.as_ref().is_some_and(|it| look.assets.contains(it));
    let readers =
        readers.into_iter().filter(|(_, ending)| is_read(ending)).map(|(reader, _)| reader).collect();
    let url = if rename.contains("= \"url\"") { Some("url".to_owned()) } else { look.url };
    Ok(Ok(Look { has_others, others: readers, rename, url, ..look }))
}

impl Look {
    fn of(sample: Sample, apart: Vec<Apart>) -> Self {
        let mut readers = BTreeMap::new();
        let unread = unread(&sample);
        let is_empty = !sample.records.iter().any(|found| found.record.is_kept());
        let failed = sample.records.iter().filter_map(|found| match &found.record.fate {
            // What is left out is no failure, unless nothing else is there.
            Fate::Failed(_) if !is_empty && ending(found).is_some_and(|it| unread.contains(it)) => None,
            Fate::Failed(reason) => Some(reason.to_string()),
            _ => None,
        });
        let failed: Vec<String> = failed.collect();
        for found in &sample.records {
            if let (Some(reader), true) = (&found.reader, found.record.is_kept()) {
                *readers.entry(reader.clone()).or_default() += 1;
            }
        }
        let kept = || sample.records.iter().map(|found| &found.record).filter(|record| record.is_kept());
        let pages = kept().map(|record| &record.document).filter(|document| is_source(document));
        let pages: BTreeSet<String> = pages.map(|document| document.id.clone()).collect();
        let url = url(kept().map(|record| &record.document.metadata));
        let assets = if pages.is_empty() { BTreeSet::new() } else { assets(&sample) };
        let failed = failed.first().map(|first| (failed.len(), first.clone()));
        let unreadable = unreadable(&sample.records);
        let (others, has_others, rename) = (BTreeSet::new(), true, String::new());
        Self {
            sample,
            readers,
            others,
            rename,
            has_others,
            apart,
            pages,
            failed,
            unreadable,
            unread,
            assets,
            url,
        }
    }

    /// The records that could be read and will be.
    pub(super) fn records(&self) -> Vec<Record> {
        let is_asset = |found: &&Found| ending(found).is_some_and(|it| self.assets.contains(it));
        let documents = self.sample.records.iter().filter(|found| !is_asset(found));
        documents.map(|found| found.record.clone()).filter(Record::is_kept).collect()
    }

    /// Whether the sample is too small a part of the inputs to hold what comes twice in them.
    pub(super) fn is_small_part(&self) -> bool {
        let size = |document: &Document| document.text.len().max(document.raw.as_ref().map_or(0, Vec::len));
        let seen: usize = self.sample.records.iter().map(|found| size(&found.record.document)).sum();
        // Packed files hold more than they are long, so that of these less may be seen.
        self.sample.n_files > 2 * self.sample.files.len() as u64 || self.sample.n_bytes > 4 * seen as u64
    }

    /// The encodings of the records that their readers tell of, with the number of each.
    pub(super) fn encodings(&self) -> Vec<(String, usize)> {
        let kept = self.sample.records.iter().filter(|found| found.record.is_kept());
        most_frequent(kept.filter_map(|found| match found.record.document.metadata.get("encoding") {
            Some(Value::String(encoding)) => Some(encoding.clone()),
            _ => None,
        }))
    }

    /// How the files that were looked into are packed, as their names say, with the number of each.
    pub(super) fn packed(&self) -> Vec<(String, usize)> {
        most_frequent(self.sample.files.iter().filter_map(|name| {
            let ending = name.rsplit_once('.')?.1.to_lowercase();
            PACKED.contains(&ending.as_str()).then_some(ending)
        }))
    }

    /// The one reader that took all files, if there is one.
    pub(super) fn reader(&self) -> Option<&str> {
        only(self.readers.keys())
    }

    /// The same for the files that are in no source of their own.
    pub(super) fn other_reader(&self) -> Option<&str> {
        only(self.others.iter())
    }
}

fn only<'n>(mut names: impl Iterator<Item = &'n String>) -> Option<&'n str> {
    names.next().filter(|_| names.next().is_none()).map(String::as_str)
}

/// The files of which no record can be read, though a reader takes them.
fn unreadable(records: &[Found]) -> Vec<Unreadable> {
    let mut files: BTreeMap<&str, Option<Unreadable>> = BTreeMap::new();
    for found in records {
        let origin = &found.record.document.origin;
        let Fate::Failed(why) = &found.record.fate else {
            files.insert(&origin.file, None);
            continue;
        };
        let is_taken = found.reader.is_some();
        let unreadable = || Unreadable { file: origin.file.to_string(), why: why.to_string() };
        files.entry(&origin.file).or_insert_with(|| is_taken.then(unreadable));
    }
    files.into_values().flatten().collect()
}

/// Names by how often they come, the most frequent first.
pub(super) fn most_frequent(names: impl Iterator<Item = String>) -> Vec<(String, usize)> {
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for name in names {
        *counts.entry(name).or_default() += 1;
    }
    let mut counts: Vec<_> = counts.into_iter().collect();
    counts.sort_by_key(|(_, n)| std::cmp::Reverse(*n));
    counts
}

/// The endings of files that no reader takes, if none does of any such file; of packed ones what is in them says it.
fn unread(sample: &Sample) -> BTreeSet<String> {
    let endings = |is_read: bool| -> BTreeSet<&str> {
        let all = sample.records.iter().chain(&sample.rare);
        all.filter(|found| found.reader.is_some() == is_read).filter_map(ending).collect()
    };
    let is_known = |ending: &&&str| !PACKED.contains(&ending.to_lowercase().as_str());
    endings(false).difference(&endings(true)).filter(is_known).map(|it| (*it).to_owned()).collect()
}

/// The endings of style sheets and scripts, which would pass as text.
fn assets(sample: &Sample) -> BTreeSet<String> {
    let all = sample.records.iter().chain(&sample.rare).filter_map(ending);
    all.filter(|ending| ASSETS.contains(&ending.to_lowercase().as_str())).map(str::to_owned).collect()
}

/// The ending of the file of a record, as a pattern may name it.
fn ending(found: &Found) -> Option<&str> {
    endings::ending(&found.record.document.origin.file)
}

/// Whether a document is the source of a page.
fn is_source(document: &Document) -> bool {
    match document.form {
        Some(form) => form == Form::Markup,
        None if document.text.is_empty() => document.raw.as_deref().is_some_and(is_page),
        None => is_page(document.text.as_bytes()),
    }
}

/// The field that most documents have an address in.
fn url<'a>(all: impl Iterator<Item = &'a Metadata>) -> Option<String> {
    let (mut fields, mut n_documents): (BTreeMap<&str, usize>, usize) = (BTreeMap::new(), 0);
    for metadata in all {
        n_documents += 1;
        for (name, value) in metadata.iter() {
            if matches!(value, Value::String(text) if text.starts_with("http://") || text.starts_with("https://"))
            {
                *fields.entry(name).or_default() += 1;
            }
        }
    }
    // Of several the one that is called so: a page may name its picture as well.
    let often = fields.iter().filter(|(_, n)| **n * 2 > n_documents);
    often.max_by_key(|(name, n)| (**name == "url", **n)).map(|(name, _)| (*name).to_owned())
}
