//! What goes to a program and comes back: the greeting, documents as lines, answers.

use std::borrow::Cow;
use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use tamis_plugin::{Document, Draft, Failure, Metadata, Value, ValueRef, Verdict, View};

use super::{ExecFormat, ExecOptions};

/// The protocol that this version speaks; a program answers with the one that it speaks.
const VERSION: u64 = 1;

#[derive(Serialize)]
struct Hello<'a> {
    tamis: u64,
    #[serde(skip_serializing_if = "ExecFormat::is_jsonl")]
    format: ExecFormat,
    options: &'a serde_json::Map<String, serde_json::Value>,
}

#[derive(Deserialize)]
struct Welcome {
    tamis: u64,
    #[serde(default)]
    format: ExecFormat,
    error: Option<String>,
}

/// The first line to a program.
pub(super) fn hello(options: &ExecOptions) -> Vec<u8> {
    line(&Hello { tamis: VERSION, format: options.format, options: &options.options })
}

/// Reads the first line back.
pub(super) fn welcome(line: &[u8], asked: ExecFormat) -> Result<(), String> {
    let welcome: Welcome = serde_json::from_slice(line).map_err(|error| {
        format!("the first line of the program is not {{\"tamis\":{VERSION}}}: {error}: {}", shown(line))
    })?;
    match welcome {
        Welcome { error: Some(why), .. } => Err(why),
        // What was written before there was a choice does not say it.
        Welcome { tamis: VERSION, format, .. } if format != asked => {
            Err("the program does not speak Arrow: it answers without `\"format\":\"arrow\"`".to_owned())
        }
        Welcome { tamis: VERSION, .. } => Ok(()),
        Welcome { tamis, .. } => {
            Err(format!("the program speaks version {tamis} of the protocol, not {VERSION}"))
        }
    }
}

#[derive(Serialize)]
struct Batch {
    batch: usize,
}

/// The lines of a batch: how many follow, and one for each document.
pub(super) fn request(documents: &[View<'_>], options: &ExecOptions) -> Vec<u8> {
    let mut lines = line(&Batch { batch: documents.len() });
    for document in documents {
        lines.extend(document_line(document, options));
    }
    lines
}

#[derive(Serialize)]
struct Request<'a> {
    id: &'a str,
    text: &'a str,
    metadata: BTreeMap<&'a str, ValueRef<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    raw: Option<String>,
}

fn document_line(document: &View<'_>, options: &ExecOptions) -> Vec<u8> {
    let raw = if options.raw { document.raw().map(|raw| STANDARD.encode(raw)) } else { None };
    let metadata = metadata(document, options);
    line(&Request { id: document.id(), text: document.text(), metadata, raw })
}

/// The fields that the program gets.
fn metadata<'a>(document: &'a View<'_>, options: &'a ExecOptions) -> BTreeMap<&'a str, ValueRef<'a>> {
    match &options.fields {
        None => document.fields().collect(),
        Some(names) => {
            names.iter().filter_map(|name| Some((name.as_str(), document.metadata(name)?))).collect()
        }
    }
}

/// The fields that the program gets, as a JSON object.
#[cfg(feature = "arrow")]
pub(super) fn metadata_json(document: &View<'_>, options: &ExecOptions) -> String {
    // As in a line: nothing can fail.
    serde_json::to_string(&metadata(document, options)).unwrap_or_default()
}

fn line(message: &impl Serialize) -> Vec<u8> {
    // Nothing in a message can fail: keys are strings and numbers are finite.
    let mut line = serde_json::to_vec(message).unwrap_or_default();
    line.push(b'\n');
    line
}

/// What a program says of a document.
#[derive(Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Answer {
    /// Without it nobody would notice that a program has printed a line too many, and every document behind that has
    /// the answer of another.
    pub(super) id: String,
    pub(super) drop: Option<String>,
    pub(super) fail: Option<String>,
    pub(super) text: Option<String>,
    #[serde(default)]
    pub(super) metadata: BTreeMap<String, Value>,
    #[serde(default)]
    pub(super) split: Vec<Part>,
    #[serde(default)]
    pub(super) counts: BTreeMap<String, u64>,
}

/// A document that a program splits off.
#[derive(Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Part {
    text: String,
    #[serde(default)]
    metadata: BTreeMap<String, Value>,
}

impl Answer {
    /// Reads an answer to the document `id`.
    pub(super) fn read(line: &[u8], id: &str) -> Result<Self, String> {
        let answer: Self = serde_json::from_slice(line)
            .map_err(|error| format!("an answer of the program cannot be read: {error}: {}", shown(line)))?;
        is_about(&answer.id, id)?;
        answer.checked()
    }

    /// The answer, if it does not contradict itself.
    pub(super) fn checked(self) -> Result<Self, String> {
        if self.drop.is_some() && self.fail.is_some() {
            return Err("the program answers with `drop` and `fail`, which exclude each other".to_owned());
        }
        Ok(self)
    }

    /// Does to a document what the answer says.
    pub(super) fn apply(self, draft: &mut Draft<'_>) -> Result<Verdict, Failure> {
        for (name, n) in self.counts {
            draft.notes().count(name, n);
        }
        if let Some(message) = self.fail {
            return Err(Failure::new(message));
        }
        if let Some(text) = self.text
            && text != draft.text()
        {
            draft.set_text(text);
        }
        for (name, value) in self.metadata {
            match value {
                Value::Null => draft.remove_metadata(name),
                value => draft.set_metadata(name, value),
            }
        }
        for part in self.split {
            let mut document = Document::new("", part.text);
            document.metadata = part.metadata.into_iter().collect::<Metadata>();
            draft.split_off(document);
        }
        Ok(self.drop.map_or(Verdict::Keep, |reason| Verdict::Drop(reason.into())))
    }
}

/// Whether an answer that names a document is the one to the document `id`.
pub(super) fn is_about(named: &str, id: &str) -> Result<(), String> {
    if named == id {
        return Ok(());
    }
    Err(format!("the program answers to `{named}`, but was asked about `{id}`"))
}

/// The beginning of a line, for a message.
pub(super) fn shown(line: &[u8]) -> Cow<'_, str> {
    const MOST: usize = 120;
    let text = String::from_utf8_lossy(&line[..line.len().min(MOST)]);
    if line.len() > MOST { Cow::Owned(format!("{text}…")) } else { text }
}
