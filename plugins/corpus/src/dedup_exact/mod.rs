//! `dedup-exact`: of documents with the same text, the first is kept.
//!
//! [`options`] holds the page of the stage; `key` the hash that is compared. What is left to do is the machinery's:
//! a row for each document, its key the hash, and of the documents of a key the first.

mod address;
mod key;
mod options;
#[cfg(test)]
mod tests;

use std::borrow::Cow;

use tamis_plugin::keyed::{Column, Known, Reduce, Round, Rounds, Rows};
use tamis_plugin::{Draft, Failure, KeyedStage, SetupError, ValueRef, Verdict, View};

pub use options::{DedupExactOptions, Normalize};

/// Drops documents that have occurred before; see [`DedupExactOptions`].
#[derive(Debug)]
pub struct DedupExact {
    options: DedupExactOptions,
}

/// Its only round.
const TEXTS: u32 = 0;

impl KeyedStage for DedupExact {
    const NAME: &'static str = "dedup-exact";
    const WRITES: &'static [&'static str] = &["duplicate_of"];
    type Options = DedupExactOptions;
    /// Working space for normalised text.
    type Local = Vec<u8>;

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
        if options.min_chars == 0 {
            return Err(SetupError::in_option("min_chars", "`min_chars` is 0, but must be at least 1"));
        }
        Ok(Self { options })
    }

    fn rounds(&self) -> Rounds {
        let DedupExactOptions { normalize, field, min_chars, max_state_bytes } = &self.options;
        let texts = Round {
            name: "texts".to_owned(),
            key: vec![Column::Bytes(16)],
            columns: Vec::new(),
            reduce: Reduce::First,
            ids: true,
        };
        Rounds {
            rounds: vec![texts],
            observes: format!("normalize = {normalize:?}, field = {field:?}, min_chars = {min_chars}"),
            max_state_bytes: Some(*max_state_bytes),
        }
    }

    fn observe(
        &self,
        _round: u32,
        buffer: &mut Vec<u8>,
        document: &View<'_>,
        _known: &dyn Known,
        rows: &mut dyn Rows,
    ) -> Result<(), Failure> {
        let Some(text) = self.compared(document) else { return Ok(()) };
        if let Some(key) = key::key(&text, self.options.normalize, self.options.min_chars, buffer) {
            rows.emit(&key.to_be_bytes());
        }
        Ok(())
    }

    fn apply(
        &self,
        _buffer: &mut Vec<u8>,
        draft: &mut Draft<'_>,
        known: &dyn Known,
    ) -> Result<Verdict, Failure> {
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
}
