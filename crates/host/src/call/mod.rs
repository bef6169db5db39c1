//! One call into a plugin: what it may see, and what it did.
//!
//! While the plugin runs, the records are only read: everything it changes is collected here and applied by
//! the adapter afterwards.
//! So the views that the plugin holds stay valid during the whole call, and a document that fails is
//! exactly what it was.

mod callbacks;
mod convert;

use std::sync::Arc;

use tamis_document::{Document, Fate, Measure, Record, Value};
use tamis_plugin::abi;
use tamis_stage::Output;
use tamis_stage::handle::Counts;

pub(crate) use convert::{document_view, str};

/// What a call works on.
pub(crate) enum Target<'a> {
    /// No documents: opening, cutting, heads and tails.
    Nothing,
    /// Documents that a stage judges and changes.
    Transform(&'a [Record]),
    /// A block that a reader decodes.
    Decode(Decode<'a>),
    /// Documents that an exporter encodes.
    Export(&'a [Record]),
}

/// Where decoded records go.
pub(crate) struct Decode<'a> {
    /// The file, shared by the origin of all its documents.
    pub(crate) file: Arc<str>,
    /// The records, in order.
    pub(crate) records: &'a mut Vec<Record>,
}

/// One call into a plugin.
pub(crate) struct Call<'a> {
    pub(crate) target: Target<'a>,
    /// Whether text of this plugin is UTF-8 by construction.
    pub(crate) trusted: bool,
    /// What happened to each document of the call.
    pub(crate) states: Vec<State>,
    /// Counts by name.
    pub(crate) counts: Counts,
    /// Split-off documents with the index of their parent.
    pub(crate) split: Vec<(usize, Document)>,
    /// Bytes and files of an exporter, and the bytes of heads, tails and saved states.
    pub(crate) output: Output,
    /// The document whose output was put last: its index, and where its bytes and files begin.
    pub(crate) last_put: Option<(u32, usize, usize)>,
    /// What the plugin said of its failure: a place (an option), and a message.
    pub(crate) error: Option<(String, String)>,
    /// The first breach of the contract.
    pub(crate) breach: Option<String>,
}

/// What happened to one document of a call.
#[derive(Default)]
pub(crate) struct State {
    /// The verdict, if the plugin gave one.
    pub(crate) verdict: Option<Fate>,
    /// The new text.
    pub(crate) text: Option<String>,
    /// Memory reserved for a new text: the capacity that was asked for, and the memory.
    pub(crate) reserved: Option<(usize, Vec<u8>)>,
    /// Metadata set or removed, in order; a later entry of a name overrides an earlier one, which stays in
    /// place because the plugin may hold a pointer into it.
    pub(crate) fields: Vec<(String, Option<Value>)>,
    /// Measures.
    pub(crate) measures: Vec<Measure>,
}

impl<'a> Call<'a> {
    pub(crate) fn new(target: Target<'a>, trusted: bool) -> Self {
        let documents = match &target {
            Target::Transform(records) | Target::Export(records) => records.len(),
            Target::Nothing | Target::Decode(_) => 0,
        };
        Self {
            target,
            trusted,
            states: std::iter::repeat_with(State::default).take(documents).collect(),
            counts: Counts::new(),
            split: Vec::new(),
            output: Output::default(),
            last_put: None,
            error: None,
            breach: None,
        }
    }

    /// Runs `function` with the table of host functions for this call, and says what went wrong with the
    /// call as a whole.
    pub(crate) fn run(&mut self, function: impl FnOnce(*const abi::Host) -> i32) -> Result<(), CallError> {
        let table = callbacks::table(std::ptr::from_mut(self).cast());
        let code = function(&raw const table);
        if let Some(breach) = self.breach.take() {
            return Err(CallError {
                place: String::new(),
                message: format!("it broke the plugin contract: {breach}"),
            });
        }
        if code == abi::OK {
            return Ok(());
        }
        let (place, message) = self.error.take().unwrap_or_else(|| (String::new(), code_text(code)));
        Err(CallError { place, message })
    }

    fn break_contract(&mut self, breach: impl FnOnce() -> String) {
        if self.breach.is_none() {
            self.breach = Some(breach());
        }
    }

    /// The records of the call; none while decoding.
    fn records(&self) -> &[Record] {
        match &self.target {
            Target::Transform(records) | Target::Export(records) => records,
            Target::Nothing | Target::Decode(_) => &[],
        }
    }
}

/// A call that failed as a whole.
#[derive(Debug)]
pub(crate) struct CallError {
    /// The option at fault, or empty.
    pub(crate) place: String,
    pub(crate) message: String,
}

fn code_text(code: i32) -> String {
    match code {
        abi::ERROR => "it failed without saying why".to_owned(),
        abi::PANIC => "it panicked without a message".to_owned(),
        abi::UNSUPPORTED => "it does not support this call".to_owned(),
        abi::CANCELLED => "it stopped because the run was cancelled".to_owned(),
        other => format!("it returned {other}, which is no result code of the plugin header"),
    }
}
