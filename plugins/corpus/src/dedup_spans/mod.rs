//! `dedup-spans`: of passages that several documents have, one document keeps each.
//!
//! [`options`] holds the page of the stage. A text becomes `sentences`, and from each of them on a span. The first
//! round folds the spans of all documents: how many have it, and the least of priority and position together. In
//! the second, every document knows what it keeps for others and what others keep for it, and says so, for the ids.

mod options;
mod sentences;
#[cfg(test)]
mod tests;

use std::path::PathBuf;

use tamis_plugin::keyed::{
    Column, Columns, Fold, Index, Known, POSITION_BYTES, Reduce, Round, Rounds, Row, Rows,
};
use tamis_plugin::{Draft, Failure, Forms, KeyedStage, Layout, SetupError, Verdict, View};
use xxhash_rust::xxh3::{Xxh3, xxh3_128};

use self::sentences::sentences;
use crate::dedup_near::shingles::tokens;
use crate::priority::Priority;

pub use options::DedupSpansOptions;

/// Cuts passages that other documents keep; see [`DedupSpansOptions`].
#[derive(Debug)]
pub struct DedupSpans {
    options: DedupSpansOptions,
    priority: Priority,
}

/// Which spans there are, in how many documents, and who keeps each.
const SPANS: u32 = 0;
/// The documents that keep something which others have, for their ids.
const KEEPERS: u32 = 1;
/// What later runs must know: the spans that a document still has.
const KEPT: u32 = 2;

/// Before priority and position of whoever has a span: a document of an earlier run, which keeps what it has.
const EARLIER: u8 = 0;
/// One of this run.
const NOW: u8 = 1;

/// Bytes of a hash.
const KEY_BYTES: usize = 16;

/// Working space of a worker.
#[derive(Debug, Default)]
pub struct Local {
    tokens: Vec<u64>,
    bytes: Vec<u8>,
    priority: Row,
    row: Row,
    spans: Vec<Span>,
    keepers: Vec<u128>,
}

/// A run of sentences.
#[derive(Debug, Clone, Copy)]
struct Span {
    key: [u8; KEY_BYTES],
    /// Its first sentence, and the one behind its last.
    from: usize,
    to: usize,
}

impl KeyedStage for DedupSpans {
    const NAME: &'static str = "dedup-spans";
    const WRITES: &'static [&'static str] = &["text", "spans_kept_in"];
    type Options = DedupSpansOptions;
    type Local = Local;

    fn open(options: Self::Options) -> Result<Self, SetupError> {
        if options.min_chars < 20 {
            return Err(SetupError::in_option("min_chars", "`min_chars` must be at least 20"));
        }
        if options.min_documents < 2 {
            return Err(SetupError::in_option("min_documents", "`min_documents` must be at least 2"));
        }
        let priority = Priority::new(options.keep, &options.keep_by)?;
        Ok(Self { options, priority })
    }

    fn forms(&self) -> Forms {
        Forms::new().needing([Layout::Lines]).comparing()
    }

    fn rounds(&self) -> Rounds {
        let spans = Round {
            name: "spans".to_owned(),
            key: vec![Column::Bytes(KEY_BYTES as u16)],
            // Priority and position are one column, because the second counts only where the first is equal.
            columns: vec![Column::U64, Column::Bytes((1 + self.priority.width() + POSITION_BYTES) as u16)],
            reduce: Reduce::Fold(vec![Fold::Sum, Fold::Min]),
            ids: false,
        };
        let keepers = Round {
            name: "keepers".to_owned(),
            key: vec![Column::Position],
            // The keeper before those that it keeps something for, so that it is the first, which has an id.
            columns: vec![Column::U32],
            reduce: Reduce::First,
            ids: true,
        };
        let DedupSpansOptions { min_chars, min_documents, keep, keep_by, max_state_bytes, index, .. } =
            &self.options;
        let mut rounds = vec![spans, keepers];
        rounds.extend(index.then(kept));
        Rounds {
            rounds,
            observes: format!(
                "version 2, min_chars = {min_chars}, min_documents = {min_documents}, keep = {keep:?}, keep_by = {keep_by:?}"
            ),
            max_state_bytes: Some(*max_state_bytes),
        }
    }

    fn index(&self) -> Index {
        let DedupSpansOptions { against, index, .. } = &self.options;
        if against.is_empty() && !index {
            return Index::default();
        }
        let against = against.iter().map(PathBuf::from).collect();
        Index { against, is_kept: *index, round: Some(kept()) }
    }

    fn observe(
        &self,
        round: u32,
        local: &mut Local,
        document: &View<'_>,
        known: &dyn Known,
        rows: &mut dyn Rows,
    ) -> Result<(), Failure> {
        self.spans(&sentences(document.text()), local);
        let position = document.position();
        if round == KEPT {
            return self.keep(local, position, known, rows);
        }
        if round == SPANS {
            local.priority.begin().bytes(&[NOW]);
            self.priority.write(document, &mut local.priority);
            local.priority.position(position);
            // A document that says something twice counts once.
            local.spans.sort_unstable_by_key(|span| span.key);
            local.spans.dedup_by_key(|span| span.key);
            for span in &local.spans {
                let row = local.row.begin().bytes(&span.key).u64(1).bytes(local.priority.as_bytes());
                rows.emit(row.as_bytes());
            }
            return Ok(());
        }
        local.keepers.clear();
        for span in &local.spans {
            if let Some((keeper, _)) = self.keeper(&span.key, known)? {
                local.keepers.push(keeper);
            }
        }
        local.keepers.sort_unstable();
        local.keepers.dedup();
        for keeper in &local.keepers {
            let is_other = u32::from(*keeper != position);
            rows.emit(local.row.begin().position(*keeper).u32(is_other).as_bytes());
        }
        Ok(())
    }

    fn recall(
        &self,
        round: u32,
        local: &mut Local,
        entry: &[u8],
        known: &dyn Known,
        rows: &mut dyn Rows,
    ) -> Result<(), Failure> {
        let mut columns = Columns::of(entry);
        let (Some(position), Some(_)) = (columns.position(), columns.position()) else {
            return Err(Failure::new("a row of the index is not what was written"));
        };
        local.priority.begin().bytes(&[EARLIER]).bytes(&vec![0; self.priority.width()]).position(position);
        while let (Some(key), Some(n_documents)) = (columns.bytes(KEY_BYTES), columns.u64()) {
            if round == SPANS {
                let row = local.row.begin().bytes(key).u64(n_documents).bytes(local.priority.as_bytes());
                rows.emit(row.as_bytes());
            } else if self.keeper(key, known)?.is_some_and(|(keeper, _)| keeper == position) {
                // For its id, which is asked for if somebody else has one of its spans.
                rows.emit(local.row.begin().position(position).u32(0).as_bytes());
                return Ok(());
            }
        }
        Ok(())
    }

    fn apply(&self, local: &mut Local, draft: &mut Draft<'_>, known: &dyn Known) -> Result<Verdict, Failure> {
        let document = draft.original();
        // Most documents lose nothing: who keeps something for another, or has it kept, was said in the second round.
        let mut is_concerned = false;
        known.entries(KEEPERS, &document.position().to_be_bytes(), &mut |_| {
            is_concerned = true;
            false
        })?;
        if !is_concerned {
            return Ok(Verdict::Keep);
        }
        let sentences = sentences(document.text());
        self.spans(&sentences, local);
        let mut is_cut = vec![false; sentences.len()];
        local.keepers.clear();
        for span in &local.spans {
            let keeper = self.keeper(&span.key, known)?.map(|(keeper, _)| keeper);
            if let Some(keeper) = keeper.filter(|keeper| *keeper != document.position()) {
                is_cut.iter_mut().take(span.to).skip(span.from).for_each(|is_cut| *is_cut = true);
                if !local.keepers.contains(&keeper) {
                    local.keepers.push(keeper);
                }
            }
        }
        if local.keepers.is_empty() {
            return Ok(Verdict::Keep);
        }
        let mut ids = Vec::new();
        for keeper in &local.keepers {
            let id = known.id(KEEPERS, *keeper)?;
            ids.push(id.ok_or_else(|| Failure::new("a document that keeps a span has no id"))?);
        }
        draft.set_metadata("spans_kept_in", serde_json::json!(ids));
        let text = left(&sentences, &is_cut);
        if text.trim().is_empty() {
            return Ok(Verdict::Drop("nothing-left".into()));
        }
        let n_chars = document.text().chars().count() - text.chars().count();
        draft.notes().count("sentences_cut", is_cut.iter().filter(|is_cut| **is_cut).count() as u64);
        draft.notes().count("chars_cut", n_chars as u64);
        draft.notes().count("documents_changed", 1);
        draft.set_text(text);
        Ok(Verdict::Keep)
    }
}

impl DedupSpans {
    /// The spans of a text: from each sentence on, and up to each sentence, as many as it takes. Those from a sentence
    /// on alone would leave the end of a shared passage.
    fn spans(&self, sentences: &[&str], local: &mut Local) {
        let Local { spans, tokens: found, bytes, .. } = local;
        // Those without a letter belong to whatever is cut around them.
        let counted: Vec<(usize, usize, u128)> = sentences
            .iter()
            .enumerate()
            .filter_map(|(at, sentence)| {
                tokens(sentence, found);
                bytes.clear();
                bytes.extend(found.iter().flat_map(|token| token.to_le_bytes()));
                (!found.is_empty()).then(|| (at, n_chars(sentence), xxh3_128(bytes)))
            })
            .collect();
        // Characters before each sentence, and of all.
        let mut before = vec![0];
        before.extend(counted.iter().scan(0, |sum, (_, n_chars, _)| {
            *sum += n_chars;
            Some(*sum)
        }));
        let least = self.options.min_chars;
        let mut runs = Vec::new();
        for (at, sum) in before.iter().enumerate() {
            let to = before.partition_point(|other| *other < sum + least);
            let n_from = before.partition_point(|other| other + least <= *sum);
            runs.extend((to < before.len()).then_some((at, to)));
            runs.extend(n_from.checked_sub(1).map(|from| (from, at)));
        }
        runs.sort_unstable();
        runs.dedup();
        spans.clear();
        for (from, to) in runs {
            let run = counted.get(from..to).unwrap_or_default();
            let (Some((first, ..)), Some((end, ..))) = (run.first(), run.last()) else { continue };
            let mut hash = Xxh3::new();
            for (_, _, sentence) in run {
                hash.update(&sentence.to_le_bytes());
            }
            spans.push(Span { key: hash.digest128().to_be_bytes(), from: *first, to: end + 1 });
        }
    }

    /// The document that keeps a span, if several have it, and how many.
    fn keeper(&self, key: &[u8], known: &dyn Known) -> Result<Option<(u128, u64)>, Failure> {
        let mut keeper = None;
        known.entries(SPANS, key, &mut |entry| {
            let mut columns = Columns::of(entry.get(KEY_BYTES..).unwrap_or_default());
            let n_documents = columns.u64().unwrap_or(0);
            let is_shared = n_documents >= self.options.min_documents;
            if is_shared && columns.bytes(1 + self.priority.width()).is_some() {
                keeper = columns.position().map(|position| (position, n_documents));
            }
            false
        })?;
        Ok(keeper)
    }

    /// Emits the spans that a document still has when it was cut, each with the number of documents that had it: one
    /// speaks for all from which it was cut.
    fn keep(
        &self,
        local: &mut Local,
        position: u128,
        known: &dyn Known,
        rows: &mut dyn Rows,
    ) -> Result<(), Failure> {
        local.spans.sort_unstable_by_key(|span| span.key);
        local.spans.dedup_by_key(|span| span.key);
        local.row.begin().position(position);
        let mut has_spans = false;
        for span in &local.spans {
            let keeper = self.keeper(&span.key, known)?;
            if keeper.is_none_or(|(keeper, _)| keeper == position) {
                has_spans = true;
                local.row.bytes(&span.key).u64(keeper.map_or(1, |(_, n_documents)| n_documents));
            }
        }
        if has_spans {
            rows.emit(local.row.as_bytes());
        }
        Ok(())
    }
}

/// What an index holds of a document: its position, and behind it its spans.
fn kept() -> Round {
    let key = vec![Column::Position];
    Round { name: "kept".to_owned(), key, columns: Vec::new(), reduce: Reduce::Kept, ids: true }
}

/// How many characters there are, without white space and punctuation of ASCII.
fn n_chars(sentence: &str) -> usize {
    let counts = |byte: &u8| byte.is_ascii_alphanumeric() || *byte >= 0xC0;
    sentence.bytes().filter(counts).count()
}

/// What is left: where the end of a paragraph was cut with its last sentence, the paragraph still ends.
fn left(sentences: &[&str], is_cut: &[bool]) -> String {
    let mut text = String::new();
    for (sentence, is_cut) in sentences.iter().zip(is_cut) {
        if !is_cut {
            text.push_str(sentence);
            continue;
        }
        let (_, blanks) = sentence.split_at(sentence.trim_end().len());
        let stands = text.get(text.trim_end().len()..).unwrap_or_default();
        let n_ends = |blanks: &str| blanks.matches('\n').count();
        if n_ends(blanks) > n_ends(stands) && !text.is_empty() {
            text.truncate(text.trim_end().len());
            text.push_str(blanks);
        }
    }
    let end = sentences.last().map_or("", |last| last.split_at(last.trim_end().len()).1);
    if is_cut.last() == Some(&true) {
        text.truncate(text.trim_end().len());
        text.push_str(end);
    }
    text
}
