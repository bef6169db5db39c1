//! One call into a plugin: what it may see, and what it did.
//!
//! While the plugin runs, the records are only read: everything it changes is collected here and applied by
//! the adapter afterwards.
//! So the views that the plugin holds stay valid during the whole call, and a document that fails is
//! exactly what it was.

mod attach;
mod callbacks;
mod changes;
mod convert;
mod export;
mod keyed;
mod reading;
mod table;

use std::collections::HashMap;
use std::ffi::c_void;
use std::io::{Read, Write};
use std::sync::{Arc, Mutex, PoisonError};

use tamis_document::{Attachments, Fate, Measure, Record, Value};
use tamis_plugin::abi;
use tamis_stage::handle::Counts;
use tamis_stage::{Forms, LogLevel, Output, RandomAccess, RunContext, Split, SplitOff};

use crate::calls::{self, Slot, Subject, Who};

pub(crate) use convert::{document_view, str};
pub(crate) use keyed::{KeyedCall, Takes};

/// What a call works on.
pub(crate) enum Target<'a> {
    /// No documents: opening, cutting, heads and tails.
    Nothing,
    /// Documents that a stage judges: filters, and corpus stages that observe.
    Judge(&'a [Record]),
    /// Documents that a stage judges and changes.
    Change(&'a [Record]),
    /// A block that a reader decodes, or a part of a file.
    Decode(Decode<'a>),
    /// The parts of a file that a reader opens.
    Index(&'a mut Vec<Split>),
    /// Documents that an exporter encodes.
    Export(&'a [Record]),
    /// Where a corpus stage saves its state.
    Save(&'a mut dyn Write),
    /// Where a corpus stage finds a saved state.
    Load(&'a mut dyn Read),
}

/// Where decoded records go.
pub(crate) struct Decode<'a> {
    /// The file, shared by the origin of all its documents.
    pub(crate) file: Arc<str>,
    /// The records, in order.
    pub(crate) records: &'a mut Vec<Record>,
    /// The least ordinal that the next record may have.
    pub(crate) next_ordinal: u64,
    /// The ordinal that no record may reach any more.
    pub(crate) end_ordinal: u64,
}

/// One call into a plugin.
pub(crate) struct Call<'a> {
    who: &'a Arc<Who>,
    pub(crate) target: Target<'a>,
    /// The name of the file that the call is about, if it is about one and the target does not say so.
    pub(crate) about: Option<&'a str>,
    /// Where it is noted how far the call is; of the thread that makes the call.
    slot: &'static Slot,
    /// The file that the plugin may read anywhere.
    pub(crate) file: Option<&'a dyn RandomAccess>,
    /// What a keyed stage may ask for and hand over.
    keyed: Option<KeyedCall<'a>>,
    /// The optional table that is offered, by name.
    extension: Option<(&'static str, *const c_void)>,
    /// Whether text of this plugin is UTF-8 by construction.
    pub(crate) trusted: bool,
    /// Whether this is an exporter of named files.
    pub(crate) named_files: bool,
    /// What happened to each document of the call.
    pub(crate) states: States,
    /// Whether an exporter has put something out for each document; empty for other stages.
    pub(crate) put: Vec<bool>,
    /// Counts by name.
    pub(crate) counts: Counts,
    /// Split-off documents with the index of their parent.
    pub(crate) split: Vec<(usize, SplitOff)>,
    /// Bytes and files of an exporter, and the bytes of heads and tails.
    pub(crate) output: Output,
    /// The document whose output was put last: its index, and where its bytes and files begin.
    pub(crate) last_put: Option<(u32, usize, usize)>,
    /// Members of nested objects that the plugin has asked for, which no record holds by themselves.
    #[expect(clippy::vec_box, reason = "the plugin holds pointers to them while the vector grows")]
    members: Vec<Box<Value>>,
    /// What an instance that is being opened says of forms.
    pub(crate) forms: Forms,
    /// What the plugin said of its failure: a place (an option), and a message.
    pub(crate) error: Option<(String, String)>,
    /// The first breach of the contract that cannot be laid to one document.
    breach: Option<String>,
    /// What the host could not do for the plugin, such as writing to a full disk.
    trouble: Option<String>,
}

/// What the context of a host table points to.
///
/// The call belongs to the thread that the plugin is on; what is beside it is for any thread.
struct Context<'a> {
    call: *mut Call<'a>,
    run: &'a RunContext,
    file: Option<&'a dyn RandomAccess>,
    trusted: bool,
    /// The first that went wrong with reading the file.
    file_error: Mutex<Option<String>>,
}

/// What happened to one document of a call.
#[derive(Default)]
pub(crate) struct State {
    /// The verdict, if the plugin gave one.
    pub(crate) verdict: Option<Fate>,
    /// The first breach of the contract with this document; it fails, whatever the verdict.
    pub(crate) breach: Option<String>,
    /// The new text.
    pub(crate) text: Option<String>,
    /// Memory reserved for a new text: the capacity that was asked for, and the memory.
    pub(crate) reserved: Option<(usize, Vec<u8>)>,
    /// The new identifier.
    pub(crate) id: Option<String>,
    /// Metadata set or removed.
    pub(crate) fields: Changes,
    /// What was made of the text as it stands.
    pub(crate) attached: Attachments,
    /// What was made of texts that the call has replaced since: it may still be looked at.
    replaced: Vec<Attachments>,
    /// Measures.
    pub(crate) measures: Vec<Measure>,
}

/// Metadata fields set or removed, in order; a later entry of a name overrides an earlier one, which stays in
/// place because the plugin may hold a pointer into it.
#[derive(Default)]
pub(crate) struct Changes {
    changes: Vec<(String, Option<Value>)>,
    /// The last change of each name, once there are many of them.
    by_name: HashMap<String, usize>,
}

impl Changes {
    /// So many changes are looked through faster than hashed.
    const FEW: usize = 32;

    pub(crate) fn push(&mut self, name: String, value: Option<Value>) {
        self.changes.push((name, value));
        let n_changes = self.changes.len();
        if n_changes > Self::FEW {
            let n_known = if self.by_name.is_empty() { 0 } else { n_changes - 1 };
            for (index, (name, _)) in self.changes.iter().enumerate().skip(n_known) {
                self.by_name.insert(name.clone(), index);
            }
        }
    }

    /// What `name` was changed to last, if it was.
    pub(crate) fn get(&self, name: &str) -> Option<&Option<Value>> {
        let change = if self.by_name.is_empty() {
            self.changes.iter().rfind(|(changed, _)| changed == name)
        } else {
            self.by_name.get(name).map(|index| &self.changes[*index])
        };
        change.map(|(_, value)| value)
    }

    pub(crate) fn into_changes(self) -> Vec<(String, Option<Value>)> {
        self.changes
    }
}

/// What happened to the documents of a call, for those to which anything did.
///
/// Most calls of most stages leave most documents alone; a null pointer is what such a document costs.
pub(crate) struct States(Vec<Option<Box<State>>>);

impl States {
    fn new(documents: usize) -> Self {
        Self(std::iter::repeat_with(|| None).take(documents).collect())
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// The state of a document, if anything has happened to it; `doc` must be below the length.
    pub(crate) fn get(&self, doc: u32) -> Option<&State> {
        self.0[doc as usize].as_deref()
    }

    /// The state of a document to which something happens; `doc` must be below the length.
    pub(crate) fn at(&mut self, doc: u32) -> &mut State {
        self.0[doc as usize].get_or_insert_default()
    }

    /// The states in the order of the documents.
    pub(crate) fn into_iter(self) -> impl ExactSizeIterator<Item = Option<Box<State>>> {
        self.0.into_iter()
    }
}

impl<'a> Call<'a> {
    pub(crate) fn new(who: &'a Arc<Who>, target: Target<'a>, trusted: bool) -> Self {
        let documents = target.records().len();
        let put = if matches!(target, Target::Export(_)) { vec![false; documents] } else { Vec::new() };
        Self {
            who,
            target,
            about: None,
            slot: calls::mine(),
            file: None,
            keyed: None,
            extension: None,
            trusted,
            named_files: false,
            states: States::new(documents),
            put,
            counts: Counts::new(),
            split: Vec::new(),
            output: Output::default(),
            last_put: None,
            members: Vec::new(),
            forms: Forms::new(),
            error: None,
            breach: None,
            trouble: None,
        }
    }

    /// Runs `function` with the table of host functions for this call, and says what went wrong with the
    /// call as a whole.
    pub(crate) fn run(&mut self, function: impl FnOnce(*const abi::Host) -> i32) -> Result<(), CallError> {
        // Until the plugin is back, and longer than what it is about is borrowed.
        let entered = self.slot.enter(self.who, self.subject());
        let context = Context {
            run: &self.who.run,
            file: self.file,
            trusted: self.trusted,
            file_error: Mutex::new(None),
            call: std::ptr::from_mut(self),
        };
        let table = table::table((&raw const context).cast_mut().cast());
        let code = function(&raw const table);
        drop(entered);
        let file_error = context.file_error.into_inner().unwrap_or_else(PoisonError::into_inner);
        if let Some(breach) = self.breach.take() {
            return Err(CallError { place: String::new(), message: broken(&breach) });
        }
        if let Some(message) = self.trouble.take() {
            // Whatever the plugin makes of it: it came of this.
            return Err(CallError { place: String::new(), message });
        }
        if code == abi::OK {
            if let Some((_, message)) = self.error.take() {
                // An error that the plugin thought could be passed over; nobody else would hear of it.
                self.who.run.log(LogLevel::Warning, &self.who.says(&message));
            }
            return Ok(());
        }
        let (place, mut message) = self.error.take().unwrap_or_else(|| (String::new(), code_text(code)));
        if let Some(error) = file_error {
            message = format!("{message}; {error}");
        }
        Err(CallError { place, message })
    }

    /// What the call is about, for whoever asks what the plugin does all the time.
    fn subject(&self) -> Subject<'_> {
        match (&self.target, self.about) {
            (Target::Decode(decode), _) => Subject::File(&decode.file),
            (_, Some(name)) => Subject::File(name),
            (target, None) if target.records().is_empty() => Subject::Nothing,
            (target, None) => Subject::Documents(target.records()),
        }
    }

    fn break_contract(&mut self, breach: impl FnOnce() -> String) {
        if self.breach.is_none() {
            self.breach = Some(breach());
        }
    }

    /// Notes a breach that costs one document and no other; or the call, when it has no documents.
    fn spoil(&mut self, doc: u32, breach: impl FnOnce() -> String) {
        if doc as usize >= self.states.len() {
            return self.break_contract(breach);
        }
        let state = self.states.at(doc);
        if state.breach.is_none() {
            state.breach = Some(self.who.says(&broken(&breach())));
        }
    }
}

impl<'a> Target<'a> {
    /// The documents of the call, if it has any.
    fn records(&self) -> &'a [Record] {
        match self {
            Target::Judge(records) | Target::Change(records) | Target::Export(records) => records,
            Target::Nothing | Target::Decode(_) | Target::Index(_) | Target::Save(_) | Target::Load(_) => &[],
        }
    }
}

/// How a breach of the contract reads: whoever runs the pipeline cannot mend it.
pub(crate) fn broken(breach: &str) -> String {
    format!("it broke the plugin contract: {breach}; tell the author of the plugin")
}

/// What is left of a call once its borrow of the records has ended.
pub(crate) struct Finished {
    pub(crate) states: States,
    pub(crate) counts: Counts,
    /// Whether it could change its documents, and not only judge them.
    pub(crate) changes: bool,
    /// In the order of the parents.
    pub(crate) split: Vec<(usize, SplitOff)>,
}

impl From<Call<'_>> for Finished {
    fn from(mut call: Call<'_>) -> Self {
        // Plugins may split off in any order of parents; a stable sort keeps the order of siblings.
        call.split.sort_by_key(|(parent, _)| *parent);
        let changes = matches!(call.target, Target::Change(_));
        Self { states: call.states, counts: call.counts, changes, split: call.split }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_change_of_a_name_is_found_among_few_and_among_many() {
        for n_names in [1, Changes::FEW - 1, Changes::FEW, Changes::FEW + 1, 100_000] {
            let mut changes = Changes::default();
            for number in (0..n_names).rev() {
                let name = format!("k{number}");
                assert_eq!(changes.get(&name), None);
                changes.push(name.clone(), Some(Value::from(number as i64)));
                changes.push(name.clone(), (number % 2 == 0).then_some(Value::Null));
                assert_eq!(changes.get(&name), Some(&(number % 2 == 0).then_some(Value::Null)));
            }
            assert_eq!(changes.get("k0"), Some(&Some(Value::Null)));
            assert_eq!(changes.into_changes().len(), 2 * n_names);
        }
    }
}
