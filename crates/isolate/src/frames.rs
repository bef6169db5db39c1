//! What crosses between the processes: a setup and a welcome as JSON, then records in binary.
//!
//! Both sides are the same file, so there is no version to agree on. A frame is bytes behind their number, as in
//! [`Framing::Sized`](tamis_child::Framing).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use tamis_document::{Document, Fate, Record};
use tamis_packed::{Unpacker, pack, put, put_measures, put_word};
use tamis_stage::handle::{Counts, Effects};
use tamis_stage::{Kind, PluginOrigin, Sketch};

/// Which stage a child is to open.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Setup {
    /// The library that it is in.
    pub origin: PluginOrigin,
    /// The table of the pipeline file that it belongs in.
    pub table: String,
    /// Its name there.
    pub name: String,
    /// Its options, paths made absolute.
    pub options: serde_json::Value,
    /// How long it may be at one document, in seconds; any time if it is not given.
    pub limit_secs: Option<f64>,
}

/// What a child says of the stage that it was to open.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Welcome {
    /// It is open: what it says of forms, as bits, and the counters that it has declared.
    Open { forms: [u64; 6], counters: Vec<String> },
    /// It has refused an option, or all of them.
    Refused { message: String, option: Option<String> },
}

/// What the stage did beside changing its records.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Beside {
    counts: Counts,
    measures: BTreeMap<String, Sketch>,
}

/// Bytes behind their number.
pub(crate) fn frame(bytes: &[u8]) -> Vec<u8> {
    let mut frame = Vec::with_capacity(bytes.len() + 8);
    put(bytes, &mut frame);
    frame
}

/// A message as JSON. Nothing in one can fail: its keys are strings.
pub(crate) fn json(message: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(message).unwrap_or_default()
}

/// The records that a stage is to process.
pub(crate) fn request(records: &[Record]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(records.iter().map(|record| record.document.size() + 128).sum());
    for record in records {
        pack(record, &mut bytes);
    }
    bytes
}

/// The same back; none if the bytes hold no records.
pub(crate) fn requested(bytes: &[u8]) -> Option<Vec<Record>> {
    let mut rest = Unpacker::new(bytes);
    let mut records = Vec::new();
    while !rest.is_empty() {
        records.push(rest.record()?);
    }
    Some(records)
}

/// What became of records. A filter changes no document, so none comes back.
pub(crate) fn answer(kind: Kind, records: &[Record], effects: Effects) -> Vec<u8> {
    let measures = effects.measures.into_iter().map(|(name, sketch)| (name.into_owned(), sketch)).collect();
    let mut bytes = Vec::new();
    put(&json(&Beside { counts: effects.counts, measures }), &mut bytes);
    for record in records {
        match &record.fate {
            Fate::Kept => bytes.push(0),
            Fate::Dropped(reason) | Fate::Failed(reason) => {
                bytes.push(1 + u8::from(matches!(record.fate, Fate::Failed(_))));
                put(reason.as_bytes(), &mut bytes);
            }
        }
        if kind == Kind::Filter {
            put_measures(&record.measures, &mut bytes);
        } else {
            pack(record, &mut bytes);
        }
    }
    for (parent, document) in effects.split {
        put_word(parent as u64, &mut bytes);
        pack(&Record::from(document), &mut bytes);
    }
    bytes
}

/// Does to records what an answer says; none if the bytes are no answer about them, and then nothing was done.
pub(crate) fn apply(kind: Kind, bytes: &[u8], records: &mut [Record], effects: &mut Effects) -> Option<()> {
    let mut rest = Unpacker::new(bytes);
    let beside: Beside = serde_json::from_slice(rest.sized()?).ok()?;
    let mut answered = Vec::with_capacity(records.len());
    for _ in &*records {
        let fate = match rest.byte()? {
            0 => Fate::Kept,
            1 => Fate::Dropped(rest.text()?.to_owned().into()),
            _ => Fate::Failed(rest.text()?.to_owned().into()),
        };
        answered.push(if kind == Kind::Filter {
            (fate, rest.measures()?, None)
        } else {
            let Record { document, measures, .. } = rest.record()?;
            (fate, measures, Some(document))
        });
    }
    let mut split = Vec::new();
    while !rest.is_empty() {
        let parent = usize::try_from(rest.word()?).ok().filter(|parent| *parent < records.len())?;
        split.push((parent, rest.record()?.document));
    }
    for (record, (fate, measures, document)) in records.iter_mut().zip(answered) {
        record.fate = fate;
        record.measures = measures;
        if let Some(document) = document {
            replace(record, document);
        }
    }
    effects.split.extend(split);
    for (name, n) in beside.counts {
        *effects.counts.entry(name).or_default() += n;
    }
    for (name, sketch) in beside.measures {
        effects.measures.entry(name.into()).or_default().add(sketch);
    }
    Some(())
}

/// What was made of a text goes with it.
fn replace(record: &mut Record, document: Document) {
    if record.document.text != document.text {
        record.attachments = tamis_document::Attachments::default();
    }
    record.document = document;
}
