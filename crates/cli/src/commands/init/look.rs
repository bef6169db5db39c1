//! What the inputs are: a sample of them, read as a run would read it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use serde_json::Value as Json;
use tamis_config::Diagnostics;
use tamis_document::{Document, Fate, Form, Metadata, Record, Value};
use tamis_runner::{Event, Found, Interest, Observer, Sample};
use tamis_text::markup::is_page;

use crate::args::PlaceArgs;
use crate::context::{Context, Planned, logged_run};

/// What was found.
pub(super) struct Look {
    pub(super) sample: Sample,
    /// The readers that took the files, with the number of records of each in the sample.
    pub(super) readers: BTreeMap<String, usize>,
    /// Where the text of a record stands, if not in `text`.
    pub(super) mapping: Option<Mapping>,
    /// How many records are the source of a page.
    pub(super) n_pages: usize,
    /// How many could not be read, and why the first of them could not.
    pub(super) failed: Option<(usize, String)>,
    /// Files of which a reader can read no record of the sample, with what they need: a source of their own.
    pub(super) apart: Vec<Apart>,
    /// The endings of files that no reader takes.
    pub(super) unread: BTreeSet<String>,
    /// A field of the records that holds addresses.
    pub(super) url: Option<String>,
}

/// A file that cannot be read as the others are.
#[derive(Debug)]
pub(super) struct Apart {
    pub(super) file: String,
    pub(super) reader: String,
    /// Why the first of its records cannot be read.
    pub(super) why: String,
}

/// The fields of records that call their text and id otherwise.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Mapping {
    pub(super) text: String,
    pub(super) id: Option<String>,
}

impl Mapping {
    pub(super) fn to_toml(&self) -> String {
        let id = self.id.as_ref().map(|id| format!("id = {}, ", quoted(id))).unwrap_or_default();
        format!("fields = {{ {id}text = {} }}", quoted(&self.text))
    }
}

/// A string as TOML has it; JSON writes the same.
pub(super) fn quoted(text: &str) -> String {
    Json::from(text).to_string()
}

/// A pipeline that reads the inputs and does nothing with them; `source` is what stands in its `[[source]]`.
pub(super) fn pipeline(source: &str, stages: &str) -> String {
    format!(
        "name = \"init\"\n[[source]]\n{source}\npaths = [\".\"]\n{stages}\n[[export]]\nuse = \"jsonl\"\npath = \"-init\"\n"
    )
}

/// Plans a pipeline over the inputs.
pub(super) fn plan(context: &Context, pipeline: &str, inputs: &[PathBuf]) -> Result<Planned, Diagnostics> {
    context.plan_of(pipeline, &[], &PlaceArgs { inputs: inputs.to_vec(), output: None })
}

/// Looks at the inputs; twice if the records call their text otherwise.
pub(super) fn look(
    context: &Context,
    inputs: &[PathBuf],
    wanted: usize,
) -> anyhow::Result<Result<Look, Diagnostics>> {
    let read = |source: &str| -> anyhow::Result<Result<Sample, Diagnostics>> {
        let planned = match plan(context, &pipeline(source, ""), inputs) {
            Ok(planned) => planned,
            Err(diagnostics) => return Ok(Err(diagnostics)),
        };
        Ok(Ok(tamis_runner::sample(&planned.open(&logged_run())?, wanted)?))
    };
    let mut sample = match read("use = \"auto\"")? {
        Ok(sample) => sample,
        Err(diagnostics) => return Ok(Err(diagnostics)),
    };
    let mapping = mapping(&sample.records);
    if let Some((reader, mapping)) = &mapping {
        sample = match read(&format!("use = \"{reader}\"\n{}", mapping.to_toml()))? {
            Ok(sample) => sample,
            Err(diagnostics) => return Ok(Err(diagnostics)),
        };
    }
    Ok(Ok(Look::of(sample, mapping.map(|(_, mapping)| mapping))))
}

impl Look {
    fn of(sample: Sample, mapping: Option<Mapping>) -> Self {
        let mut readers = BTreeMap::new();
        let failed = sample.records.iter().filter_map(|found| match &found.record.fate {
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
        let n_pages = kept().filter(|record| is_source(&record.document)).count();
        let url = url(kept().map(|record| &record.document.metadata));
        let unread =
            sample.records.iter().filter(|found| found.reader.is_none()).filter_map(ending).collect();
        let failed = failed.first().map(|first| (failed.len(), first.clone()));
        let apart = apart(&sample.records);
        Self { sample, readers, mapping, n_pages, failed, apart, unread, url }
    }

    /// The records that could be read.
    pub(super) fn records(&self) -> Vec<Record> {
        self.sample.records.iter().map(|found| found.record.clone()).filter(Record::is_kept).collect()
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
        const PACKED: [&str; 9] = ["gz", "zst", "bz2", "xz", "lz4", "br", "zip", "tar", "tgz"];
        most_frequent(self.sample.files.iter().filter_map(|name| {
            let ending = name.rsplit_once('.')?.1.to_lowercase();
            PACKED.contains(&ending.as_str()).then_some(ending)
        }))
    }

    /// The one reader that took all files, if there is one.
    pub(super) fn reader(&self) -> Option<&str> {
        let mut names = self.readers.keys();
        names.next().filter(|_| names.next().is_none()).map(String::as_str)
    }
}

/// The files of which no record can be read, though a reader takes them.
fn apart(records: &[Found]) -> Vec<Apart> {
    let mut files: BTreeMap<&str, Option<Apart>> = BTreeMap::new();
    for found in records {
        let origin = &found.record.document.origin;
        let Fate::Failed(why) = &found.record.fate else {
            files.insert(&origin.file, None);
            continue;
        };
        let reader = found.reader.as_ref();
        files.entry(&origin.file).or_insert_with(|| {
            let (file, reader) = (origin.file.to_string(), reader?.clone());
            Some(Apart { file, reader, why: why.to_string() })
        });
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

/// The ending of the file of a record, as a pattern may name it.
fn ending(found: &Found) -> Option<String> {
    let (_, ending) = found.record.document.origin.file.rsplit_once('.')?;
    let is_plain = !ending.is_empty() && ending.chars().all(|c| c.is_ascii_alphanumeric());
    is_plain.then(|| ending.to_owned())
}

/// Whether a document is the source of a page.
fn is_source(document: &Document) -> bool {
    match document.form {
        Some(form) => form == Form::Markup,
        None if document.text.is_empty() => document.raw.as_deref().is_some_and(is_page),
        None => is_page(document.text.as_bytes()),
    }
}

/// Where the text of records stands that most of them do not have in `text`: in the field that holds the most, of which
/// no two are equal. The reader, and the fields.
fn mapping(records: &[Found]) -> Option<(String, Mapping)> {
    let failed = records.iter().filter(|found| !found.record.is_kept());
    let objects: Vec<(&str, serde_json::Map<String, Json>)> = failed
        .filter_map(|found| {
            let raw = found.record.document.raw.as_deref()?;
            let reader = found.reader.as_deref().filter(|reader| ["jsonl", "json"].contains(reader))?;
            let object = serde_json::from_slice::<Json>(raw).ok()?;
            Some((reader, object.as_object()?.clone()))
        })
        .filter(|(_, object)| !object.contains_key("text"))
        .collect();
    if objects.len() * 2 <= records.len() {
        return None;
    }
    let mut lengths: BTreeMap<&str, usize> = BTreeMap::new();
    let strings = |object: &'_ serde_json::Map<String, Json>| -> Vec<(String, usize)> {
        let string = |(name, value): (&String, &Json)| Some((name.clone(), value.as_str()?.len()));
        object.iter().filter_map(string).collect()
    };
    let all: Vec<Vec<(String, usize)>> = objects.iter().map(|(_, object)| strings(object)).collect();
    for (name, length) in all.iter().flatten() {
        *lengths.entry(name).or_default() += length;
    }
    let text = lengths.iter().max_by_key(|(_, length)| **length).map(|(name, _)| (*name).to_owned())?;
    let id = ID_NAMES.iter().find(|name| are_unique(&objects, name)).map(|name| (*name).to_owned());
    // `id` is where a reader looks for it anyway.
    Some((objects[0].0.to_owned(), Mapping { text, id: id.filter(|id| id != "id") }))
}

/// Names of fields that hold what tells records apart.
const ID_NAMES: [&str; 8] = ["id", "_id", "doc_id", "docid", "uuid", "guid", "url_hash", "url"];

fn are_unique(objects: &[(&str, serde_json::Map<String, Json>)], name: &str) -> bool {
    let mut values: Vec<String> =
        objects.iter().filter_map(|(_, object)| object.get(name)).map(Json::to_string).collect();
    let n_values = values.len();
    values.sort_unstable();
    values.dedup();
    n_values == objects.len() && values.len() == n_values
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

/// What stages do with the documents of a sample.
#[derive(Default)]
pub(super) struct Effects(Mutex<BTreeMap<String, Effect>>);

/// What a stage does.
#[derive(Debug, Clone, Default)]
pub(super) struct Effect {
    pub(super) n_seen: usize,
    /// Documents of which it changes the text, or splits off others.
    pub(super) n_changed: usize,
    pub(super) n_fields: usize,
    pub(super) dropped: BTreeMap<String, usize>,
    pub(super) n_failed: usize,
    /// Characters of the texts before and after.
    pub(super) chars: (usize, usize),
    /// Sites that it knows pages of, with their number.
    pub(super) sites: BTreeMap<String, usize>,
}

impl Effects {
    pub(super) fn finish(self) -> BTreeMap<String, Effect> {
        self.0.into_inner().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Observer for Effects {
    fn interest(&self) -> Interest {
        Interest::DOCUMENTS
    }

    fn event(&self, event: &Event<'_>) {
        let Event::Stage { stage, before, after, split, .. } = event else { return };
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let effect = all.entry((*stage).to_owned()).or_default();
        effect.n_seen += 1;
        effect.n_changed += usize::from(before.text != after.document.text || *split > 0);
        effect.n_fields += usize::from(before.metadata != after.document.metadata);
        effect.chars.0 += before.text.chars().count();
        effect.chars.1 += after.document.text.chars().count();
        match &after.fate {
            Fate::Kept => {}
            Fate::Dropped(reason) => *effect.dropped.entry(reason.to_string()).or_default() += 1,
            Fate::Failed(_) => effect.n_failed += 1,
        }
        for measure in after.measures.iter().filter(|measure| measure.holds()) {
            // Rule files of `site-rules` say so of every page that shows any sign of their site.
            if let Some(site) = measure.name.strip_prefix("signs:") {
                *effect.sites.entry(site.to_owned()).or_default() += 1;
            }
        }
    }
}
