//! `dedup-exact`: of documents with the same text, the first is kept.
//!
//! [`options`] holds the page of the stage; `key` the hash that is compared, `twins` the table of duplicates.

mod key;
mod options;
#[cfg(test)]
mod tests;
mod twins;

use std::borrow::Cow;
use std::cmp::Ordering;
use std::io::{Read, Write};
use std::sync::OnceLock;

use tamis_plugin::{CorpusStage, Draft, Failure, SetupError, ValueRef, Verdict, View, Workspace};

use crate::spill::{Entry, Header, Runs, Scratch, decode_str, encode_str, take};
use twins::Twins;

pub use options::{DedupExactOptions, Normalize};

/// The version of the format of saved states.
const STATE_FORMAT: u32 = 2;

/// Drops documents that have occurred before; see [`DedupExactOptions`].
#[derive(Debug)]
pub struct DedupExact {
    options: DedupExactOptions,
    /// The options that decide what is observed, for saved states.
    observing: String,
    seen: Runs<Sighting>,
    twins: OnceLock<Twins>,
}

impl CorpusStage for DedupExact {
    const NAME: &'static str = "dedup-exact";
    const WRITES: &'static [&'static str] = &["duplicate_of"];
    type Options = DedupExactOptions;
    type Local = Local;

    fn open(options: Self::Options) -> Result<Self, SetupError> {
        if options.field.is_empty() {
            return Err(SetupError::in_option(
                "field",
                "`field` is empty, but must be `text` or the name of a metadata field",
            ));
        }
        if options.min_chars == 0 {
            return Err(SetupError::in_option("min_chars", "`min_chars` is 0, but must be at least 1"));
        }
        let observing = format!(
            "normalize = {:?}, field = {:?}, min_chars = {}",
            options.normalize, options.field, options.min_chars
        );
        Ok(Self { options, observing, seen: Runs::new("seen"), twins: OnceLock::new() })
    }

    fn prepare(&self, workspace: &Workspace) -> Result<(), Failure> {
        self.seen.place(Scratch::new(workspace, self.options.max_state_bytes));
        Ok(())
    }

    fn observe(&self, _pass: u32, local: &mut Local, document: &View<'_>) -> Result<(), Failure> {
        let Some(text) = self.compared(document) else { return Ok(()) };
        let Local { sightings, n_bytes, buffer } = local;
        let Some(key) = key::key(&text, self.options.normalize, self.options.min_chars, buffer) else {
            return Ok(());
        };
        let sighting = Sighting { key, position: document.position(), id: document.id().into() };
        *n_bytes += sighting.size();
        sightings.push(sighting);
        if *n_bytes > self.seen.local_bytes() {
            *n_bytes = 0;
            self.seen.add(std::mem::take(sightings));
        }
        Ok(())
    }

    fn merge(&self, _pass: u32, local: Local) {
        self.seen.add(local.sightings);
    }

    fn end_pass(&self, _pass: u32) -> Result<(), Failure> {
        let twins = Twins::among(&self.seen)?;
        self.twins.set(twins).map_err(|_| Failure::new("the pass has ended before"))
    }

    fn apply(&self, draft: &mut Draft<'_>) -> Result<Verdict, Failure> {
        let twins = self.twins.get().ok_or_else(|| Failure::new("the corpus has not been observed yet"))?;
        let Some(twin) = twins.of(draft.original().position())? else { return Ok(Verdict::Keep) };
        draft.set_metadata("duplicate_of", twin);
        Ok(Verdict::Drop("duplicate".into()))
    }

    fn save(&self, _pass: u32, out: &mut dyn Write) -> Result<(), Failure> {
        self.seen.save(&self.header(), out)
    }

    fn load(&self, _pass: u32, state: &mut dyn Read) -> Result<(), Failure> {
        self.seen.load(&self.header(), state)
    }
}

impl DedupExact {
    /// What is compared of a document, if it has it.
    fn compared<'a>(&self, document: &View<'a>) -> Option<Cow<'a, str>> {
        if self.options.field == "text" {
            return Some(document.text().into());
        }
        match document.metadata(&self.options.field)? {
            ValueRef::Null => None,
            ValueRef::String(value) | ValueRef::Json(value) => Some(value.into()),
            scalar => serde_json::to_string(&scalar).ok().map(Cow::from),
        }
    }

    fn header(&self) -> Header<'_> {
        Header { stage: Self::NAME, format: STATE_FORMAT, options: &self.observing }
    }
}

/// What one worker has seen.
#[derive(Debug, Default)]
pub struct Local {
    sightings: Vec<Sighting>,
    /// What they hold.
    n_bytes: usize,
    /// Working space for normalised text.
    buffer: Vec<u8>,
}

/// A text with this key, at this place in the corpus.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Sighting {
    key: u128,
    position: u128,
    /// The id of the document; empty when an earlier one with this key is known, because nobody will ask.
    id: Box<str>,
}

impl Entry for Sighting {
    fn order(&self, other: &Self) -> Ordering {
        (self.key, self.position).cmp(&(other.key, other.position))
    }

    /// One position is one document: a shard that is loaded twice makes no duplicates.
    fn combine(&mut self, other: &Self) {
        if other.id > self.id {
            self.id.clone_from(&other.id);
        }
    }

    fn settle(&mut self, previous: &Self) {
        if previous.key == self.key {
            self.id = Box::default();
        }
    }

    fn size(&self) -> usize {
        // An allocation has at least 16 bytes beside what it holds.
        size_of::<Self>() + if self.id.is_empty() { 0 } else { self.id.len() + 16 }
    }

    fn encode(&self, out: &mut Vec<u8>) {
        // The most significant byte first, so that runs are sorted as bytes, too.
        out.extend_from_slice(&self.key.to_be_bytes());
        out.extend_from_slice(&self.position.to_be_bytes());
        encode_str(&self.id, out);
    }

    fn decode(input: &mut &[u8]) -> Option<Self> {
        let (key, position) = (u128::from_be_bytes(take(input)?), u128::from_be_bytes(take(input)?));
        Some(Self { key, position, id: decode_str(input)? })
    }
}
