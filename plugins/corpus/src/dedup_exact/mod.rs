//! `dedup-exact`: of documents with the same text, or paragraphs, or lines, one is kept.
//!
//! [`options`] holds the page of the stage; `key` the hash that is compared. What is left to do is the machinery's:
//! a row for each document, its key the hash, and of the documents of a key the first in the order that was asked
//! for. Of paragraphs and lines (`parts`) a document has many, and must know which of them to cut, so their rows
//! are folded: of each key the least of priority and position together.

mod address;
mod key;
mod options;
mod parts;
#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::path::PathBuf;

use tamis_plugin::keyed::{
    Column, Columns, Fold, Index, Known, POSITION_BYTES, Reduce, Round, Rounds, Row, Rows,
};
use tamis_plugin::{Draft, Failure, Forms, KeyedStage, Layout, SetupError, ValueRef, Verdict, View};

use crate::priority::Priority;

pub use options::{DedupExactOptions, Normalize, Unit};

/// Drops documents that have occurred before; see [`DedupExactOptions`].
#[derive(Debug)]
pub struct DedupExact {
    options: DedupExactOptions,
    priority: Priority,
    min_chars: u64,
}

/// Texts, or parts of them.
const TEXTS: u32 = 0;
/// The parts that documents keep, for later runs; with an index of parts.
const KEPT: u32 = 1;

/// Before the priority of whoever has a part: a document of an earlier run, which keeps what it has.
const EARLIER: u8 = 0;
/// One of this run.
const NOW: u8 = 1;

/// Bytes of a hash.
const KEY_BYTES: usize = 16;

/// Working space of a worker.
#[derive(Debug, Default)]
pub struct Local {
    /// For normalised text.
    buffer: Vec<u8>,
    priority: Row,
    row: Row,
}

impl KeyedStage for DedupExact {
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
        if options.normalize == Normalize::Address && options.field == "text" {
            return Err(SetupError::in_option(
                "normalize",
                "`address` is for a field that holds addresses: name it, as `field = \"url\"`",
            ));
        }
        let min_chars = options.min_chars.unwrap_or(if options.unit == Unit::Documents { 1 } else { 40 });
        if min_chars == 0 {
            return Err(SetupError::in_option("min_chars", "`min_chars` is 0, but must be at least 1"));
        }
        if options.unit != Unit::Documents && options.field != "text" {
            return Err(SetupError::in_option(
                "unit",
                "only the text has paragraphs and lines: leave out `field`, or `unit`",
            ));
        }
        let priority = Priority::new(options.keep, &options.keep_by)?;
        Ok(Self { options, priority, min_chars })
    }

    fn forms(&self) -> Forms {
        if self.options.unit == Unit::Documents {
            Forms::new().deduplicating()
        } else {
            Forms::new().needing([Layout::Lines])
        }
    }

    fn rounds(&self) -> Rounds {
        let DedupExactOptions { normalize, field, unit, keep, keep_by, max_state_bytes, index, .. } =
            &self.options;
        let key = vec![Column::Bytes(KEY_BYTES as u16)];
        let texts = if *unit == Unit::Documents {
            let columns = self.priority.columns();
            Round { name: "texts".to_owned(), key, columns, reduce: Reduce::First, ids: true }
        } else {
            // One column, because the position counts only where priorities are equal.
            let columns = vec![Column::Bytes((1 + self.priority.width() + POSITION_BYTES) as u16)];
            Round {
                name: "parts".to_owned(),
                key,
                columns,
                reduce: Reduce::Fold(vec![Fold::Min]),
                ids: false,
            }
        };
        let min_chars = self.min_chars;
        let mut rounds = vec![texts];
        rounds.extend((*index && *unit != Unit::Documents).then(kept));
        Rounds {
            rounds,
            observes: format!(
                "normalize = {normalize:?}, field = {field:?}, min_chars = {min_chars}, unit = {unit:?}, \
                 keep = {keep:?}, keep_by = {keep_by:?}"
            ),
            max_state_bytes: Some(*max_state_bytes),
        }
    }

    fn index(&self) -> Index {
        let DedupExactOptions { against, index, .. } = &self.options;
        let round = (self.options.unit != Unit::Documents && (*index || !against.is_empty())).then(kept);
        Index { against: against.iter().map(PathBuf::from).collect(), is_kept: *index, round }
    }

    fn observe(
        &self,
        round: u32,
        local: &mut Local,
        document: &View<'_>,
        known: &dyn Known,
        rows: &mut dyn Rows,
    ) -> Result<(), Failure> {
        let Some(text) = self.compared(document) else { return Ok(()) };
        if self.options.unit == Unit::Documents {
            self.priority.write(document, local.priority.begin());
            if let Some(key) = self.key(&text, &mut local.buffer) {
                rows.emit(local.row.begin().bytes(&key).bytes(local.priority.as_bytes()).as_bytes());
            }
            return Ok(());
        }
        if round == KEPT {
            return self.keep(local, document, &text, known, rows);
        }
        local.priority.begin().bytes(&[NOW]);
        self.priority.write(document, &mut local.priority);
        local.priority.position(document.position());
        for part in parts::parts(&text, self.options.unit) {
            if let Some(key) = self.key(part, &mut local.buffer) {
                rows.emit(local.row.begin().bytes(&key).bytes(local.priority.as_bytes()).as_bytes());
            }
        }
        Ok(())
    }

    fn recall(
        &self,
        _round: u32,
        local: &mut Local,
        entry: &[u8],
        _known: &dyn Known,
        rows: &mut dyn Rows,
    ) -> Result<(), Failure> {
        let mut columns = Columns::of(entry);
        let (Some(position), Some(_)) = (columns.position(), columns.position()) else {
            return Err(Failure::new("a row of the index is not what was written"));
        };
        local.priority.begin().bytes(&[EARLIER]).bytes(&vec![0; self.priority.width()]).position(position);
        let (keys, _) = columns.rest().as_chunks::<KEY_BYTES>();
        for key in keys {
            rows.emit(local.row.begin().bytes(key).bytes(local.priority.as_bytes()).as_bytes());
        }
        Ok(())
    }

    fn apply(&self, local: &mut Local, draft: &mut Draft<'_>, known: &dyn Known) -> Result<Verdict, Failure> {
        if self.options.unit != Unit::Documents {
            return self.cut(local, draft, known);
        }
        if self.options.field != "text" && self.compared(&draft.original()).is_none() {
            draft.notes().count("no_field", 1);
        }
        let position = draft.original().position();
        let Some(fact) = known.first(TEXTS, position)?.filter(|fact| fact.first != position) else {
            return Ok(Verdict::Keep);
        };
        let twin = known.id(TEXTS, fact.first)?;
        draft.set_metadata("duplicate_of", twin.ok_or_else(|| Failure::new("the kept document has no id"))?);
        Ok(Verdict::Drop("duplicate".into()))
    }
}

/// What an index of parts holds: of each document the hashes of those that it keeps.
fn kept() -> Round {
    let key = vec![Column::Position];
    Round { name: "kept".to_owned(), key, columns: Vec::new(), reduce: Reduce::Kept, ids: true }
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

    fn key(&self, text: &str, buffer: &mut Vec<u8>) -> Option<[u8; KEY_BYTES]> {
        key::key(text, self.options.normalize, self.min_chars, buffer).map(u128::to_be_bytes)
    }

    /// Emits the parts that a document keeps.
    fn keep(
        &self,
        local: &mut Local,
        document: &View<'_>,
        text: &str,
        known: &dyn Known,
        rows: &mut dyn Rows,
    ) -> Result<(), Failure> {
        let own = document.position().to_be_bytes();
        let mut keys = BTreeSet::new();
        for part in parts::parts(text, self.options.unit) {
            let Some(key) = self.key(part, &mut local.buffer) else { continue };
            known.entries(TEXTS, &key, &mut |entry| {
                if entry.ends_with(&own) {
                    keys.insert(key);
                }
                false
            })?;
        }
        if !keys.is_empty() {
            local.row.begin().position(document.position());
            for key in &keys {
                local.row.bytes(key);
            }
            rows.emit(local.row.as_bytes());
        }
        Ok(())
    }

    /// Cuts those parts that another document keeps.
    fn cut(&self, local: &mut Local, draft: &mut Draft<'_>, known: &dyn Known) -> Result<Verdict, Failure> {
        let document = draft.original();
        let own = document.position().to_be_bytes();
        let parts = parts::parts(document.text(), self.options.unit);
        let mut is_cut = vec![false; parts.len()];
        for (part, is_cut) in parts.iter().zip(&mut is_cut) {
            let Some(key) = self.key(part, &mut local.buffer) else { continue };
            known.entries(TEXTS, &key, &mut |entry| {
                *is_cut = !entry.ends_with(&own);
                false
            })?;
        }
        let n_cut = is_cut.iter().filter(|is_cut| **is_cut).count();
        if n_cut == 0 {
            return Ok(Verdict::Keep);
        }
        let text = parts::joined(&parts, &is_cut);
        if text.trim().is_empty() {
            return Ok(Verdict::Drop("nothing-left".into()));
        }
        let n_chars = document.text().chars().count() - text.chars().count();
        draft.notes().count("parts_cut", n_cut as u64);
        draft.notes().count("chars_cut", n_chars as u64);
        draft.notes().count("documents_changed", 1);
        draft.set_text(text);
        Ok(Verdict::Keep)
    }
}
