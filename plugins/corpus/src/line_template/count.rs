//! Counting the documents that hold a line.

use std::cmp::Ordering;
use std::collections::HashMap;
use std::collections::hash_map::Entry as Slot;

use xxhash_rust::xxh3::xxh3_128;

use super::line::{FoldedState, Lines};
use crate::spill::{Entry, decode_str, encode_str, take};

/// Stands in the place of a line for the group itself, so that its entry comes before those of its lines.
pub(super) const WHOLE_GROUP: u128 = 0;

/// Bytes that a line takes in a local beside its text, with the empty places of the table.
const SLOT_BYTES: usize = 144;

/// How many documents of a group hold a line; for the group itself, how many there are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Tally {
    /// The hash of the group's name.
    pub(super) group: u128,
    /// The key of the line, or [`WHOLE_GROUP`].
    pub(super) line: u128,
    pub(super) documents: u64,
    /// The line as it is compared, or the name of the group.
    pub(super) text: Box<str>,
}

impl Entry for Tally {
    fn order(&self, other: &Self) -> Ordering {
        (self.group, self.line).cmp(&(other.group, other.line))
    }

    fn combine(&mut self, other: &Self) {
        self.documents = self.documents.saturating_add(other.documents);
    }

    fn size(&self) -> usize {
        size_of::<Self>() + self.text.len() + 16
    }

    fn encode(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.group.to_be_bytes());
        out.extend_from_slice(&self.line.to_be_bytes());
        out.extend_from_slice(&self.documents.to_le_bytes());
        encode_str(&self.text, out);
    }

    fn decode(input: &mut &[u8]) -> Option<Self> {
        Some(Self {
            group: u128::from_be_bytes(take(input)?),
            line: u128::from_be_bytes(take(input)?),
            documents: u64::from_le_bytes(take(input)?),
            text: decode_str(input)?,
        })
    }
}

/// What one worker has seen.
#[derive(Default)]
pub struct Local {
    counts: HashMap<(u128, u128), Count, FoldedState>,
    /// What they hold.
    n_bytes: usize,
    /// The number of the document, from 1: a line counts once in each.
    document: u64,
    /// Working space for lines.
    plain: Vec<u8>,
}

struct Count {
    documents: u64,
    /// The last document that was counted.
    last: u64,
    text: Box<str>,
}

impl Local {
    /// Counts the lines of a document.
    pub(super) fn document(&mut self, group: &str, text: &str, lines: Lines) {
        self.document += 1;
        let hash = xxh3_128(group.as_bytes());
        self.count((hash, WHOLE_GROUP), || group.into());
        let mut plain = std::mem::take(&mut self.plain);
        for line in text.split('\n') {
            if let Some(key) = lines.key(line, &mut plain) {
                self.count((hash, key), || String::from_utf8_lossy(&plain).into());
            }
        }
        self.plain = plain;
    }

    /// Bytes that it holds.
    pub(super) fn size(&self) -> usize {
        self.n_bytes
    }

    /// Takes out what was counted, in any order.
    pub(super) fn drain(&mut self) -> Vec<Tally> {
        self.n_bytes = 0;
        let counts = std::mem::take(&mut self.counts);
        counts
            .into_iter()
            .map(|((group, line), count)| Tally { group, line, documents: count.documents, text: count.text })
            .collect()
    }

    fn count(&mut self, key: (u128, u128), text: impl FnOnce() -> Box<str>) {
        match self.counts.entry(key) {
            Slot::Occupied(mut slot) => {
                let count = slot.get_mut();
                count.documents += u64::from(count.last != self.document);
                count.last = self.document;
            }
            Slot::Vacant(slot) => {
                let text = text();
                self.n_bytes += SLOT_BYTES + text.len();
                slot.insert(Count { documents: 1, last: self.document, text });
            }
        }
    }
}
