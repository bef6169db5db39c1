//! Counting the documents that hold a line.

use std::cmp::Ordering;

use tamis_text::scan::Scan;
use xxhash_rust::xxh3::{xxh3_64, xxh3_128};

use super::line::{Key, Lines, Unit};
use crate::spill::{Entry, Tallied, decode_measured, encode_measured, take};

/// Stands in the place of a line for the group itself, so that its entry comes before those of its lines.
pub(super) const WHOLE_GROUP: u128 = 0;

/// So many of the documents that hold a line are remembered: enough to see whether those of a rare line are of
/// one template.
pub(super) const N_HOLDERS: usize = 4;

/// No document.
const NOBODY: u64 = u64::MAX;

/// More of a line is not kept as text; its hash stands for the rest.
const MOST_TEXT: usize = 240;

/// How many records the cache finds again. It fits into the second level of a processor's cache.
const N_CACHED: usize = 1 << 14;

/// What a record takes beside its text: itself, its place in the order and what becomes of it when it is drained.
const RECORD_BYTES: usize = size_of::<Record>() + size_of::<Tally>() + 24 + 16;

/// The documents with the lowest hashes of all that hold a line, in order.
///
/// Which these are does not depend on who is seen first, and two lines of one template are held by the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Holders([u64; N_HOLDERS]);

impl Holders {
    pub(super) fn of(document: u64) -> Self {
        let mut holders = Self([NOBODY; N_HOLDERS]);
        holders.add(document);
        holders
    }

    fn add(&mut self, document: u64) {
        let Some(at) = self.0.iter().position(|&holder| holder >= document) else { return };
        if self.0[at] != document {
            self.0[at..].rotate_right(1);
            self.0[at] = document;
        }
    }

    fn merge(&mut self, other: &Self) {
        other.iter().for_each(|document| self.add(document));
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = u64> + '_ {
        self.0.iter().copied().take_while(|&holder| holder != NOBODY)
    }

    /// All pairs, the lower hash first.
    pub(super) fn pairs(&self) -> impl Iterator<Item = (u64, u64)> + '_ {
        self.iter().enumerate().flat_map(|(n, one)| self.iter().skip(n + 1).map(move |other| (one, other)))
    }

    pub(super) fn encode(&self, out: &mut Vec<u8>) {
        self.0.iter().for_each(|holder| out.extend_from_slice(&holder.to_be_bytes()));
    }

    pub(super) fn decode(input: &mut &[u8]) -> Option<Self> {
        let mut holders = [NOBODY; N_HOLDERS];
        for holder in &mut holders {
            *holder = u64::from_be_bytes(take(input)?);
        }
        Some(Self(holders))
    }
}

/// A document in 64 bits: a hash of its text, how many lines it has, and how much prose.
///
/// The same text is the same document, so that a page that was crawled twice proves nothing.
pub(super) fn document_of(text: &str, n_lines: usize, prose: u64) -> u64 {
    let sizes = (n_lines as u64).min(0xFFE) << 12 | shortened(prose);
    (xxh3_64(text.as_bytes()) << 24) | sizes
}

/// The lines of a document, and the bytes of its prose to the nearest hundredth.
pub(super) fn sizes_of(document: u64) -> (u64, u64) {
    let (exponent, mantissa) = (document >> 7 & 0x1F, document & 0x7F);
    (document >> 12 & 0xFFF, if exponent == 0 { mantissa } else { (mantissa | 0x80) << (exponent - 1) })
}

/// A number in 12 bits: an exponent and seven bits behind the first.
fn shortened(n: u64) -> u64 {
    let exponent = (64 - u64::from((n >> 7).leading_zeros())).min(31);
    exponent << 7 | (n >> exponent.saturating_sub(1) & 0x7F)
}

/// How many documents of a group hold a line; for the group itself, how many there are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Tally {
    /// The hash of the group's name.
    pub(super) group: u128,
    /// The key of the line, or [`WHOLE_GROUP`].
    pub(super) line: u128,
    pub(super) documents: u64,
    /// The bytes of the line if it is prose, else 0.
    pub(super) prose: u32,
    pub(super) holders: Holders,
    /// The start of the line as it is compared, or the name of the group.
    pub(super) text: Box<str>,
}

impl Entry for Tally {
    fn order(&self, other: &Self) -> Ordering {
        (self.group, self.line).cmp(&(other.group, other.line))
    }

    fn combine(&mut self, other: &Self) {
        self.documents = self.documents.saturating_add(other.documents);
        self.holders.merge(&other.holders);
        // Lines that are compared alike may differ in white space, and so in length.
        self.prose = self.prose.max(other.prose);
    }

    fn size(&self) -> usize {
        size_of::<Self>() + self.text.len() + 16
    }

    fn encode(&self, out: &mut Vec<u8>) {
        encode_measured(out, |out| {
            out.extend_from_slice(&self.group.to_be_bytes());
            out.extend_from_slice(&self.line.to_be_bytes());
            out.extend_from_slice(&self.documents.to_le_bytes());
            out.extend_from_slice(&self.prose.to_le_bytes());
            self.holders.encode(out);
            out.extend_from_slice(self.text.as_bytes());
        });
    }

    fn decode(input: &mut &[u8]) -> Option<Self> {
        let mut input = decode_measured(input)?;
        Some(Self {
            group: u128::from_be_bytes(take(&mut input)?),
            line: u128::from_be_bytes(take(&mut input)?),
            documents: u64::from_le_bytes(take(&mut input)?),
            prose: u32::from_le_bytes(take(&mut input)?),
            holders: Holders::decode(&mut input)?,
            text: std::str::from_utf8(input).ok()?.into(),
        })
    }
}

/// The key is the group and the line. An entry of a single document decides nothing, in whichever pass: no group and no
/// line of fewer than two documents is learned, and one holder makes no pair. A group has the documents of all of its
/// lines, so its own entry is there wherever one of theirs is.
impl Tallied for Tally {
    const KEY_BYTES: usize = 32;
}

/// What one worker has seen: a log of records, most lines in it once.
///
/// A line is looked up among those seen lately only. A map of all lines would find every one again, but each
/// look-up would miss the processor's cache, which costs more than to sort the few that are there twice.
#[derive(Default)]
pub struct Local {
    records: Vec<Record>,
    texts: Vec<u8>,
    /// The number of a record, from 1, by some bits of its key; 0 for none.
    cache: Vec<u32>,
    page: Page,
}

/// The lines of the document that is being looked at.
#[derive(Default)]
pub(super) struct Page {
    lines: Vec<Seen>,
    texts: Vec<u8>,
    /// Working space for lines.
    plain: Vec<u8>,
}

struct Seen {
    key: Key,
    start: usize,
    end: usize,
}

struct Record {
    group: u128,
    line: u128,
    documents: u64,
    prose: u32,
    text_bytes: u32,
    text_start: usize,
    holders: Holders,
}

impl Page {
    /// Finds the lines of a text, each once, in the order of their keys.
    pub(super) fn read(&mut self, text: &str, lines: Lines) {
        let Self { lines: seen, texts, plain } = self;
        seen.clear();
        texts.clear();
        lines.each_unit(&Scan::of(text), plain, |unit: Unit, compared| {
            let Some(key) = unit.key else { return };
            let start = texts.len();
            texts.extend_from_slice(beginning(compared));
            seen.push(Seen { key, start, end: texts.len() });
        });
        seen.sort_unstable_by_key(|seen| (seen.key.hash, seen.start));
        seen.dedup_by_key(|seen| seen.key.hash);
    }

    pub(super) fn keys(&self) -> impl Iterator<Item = u128> + '_ {
        self.lines.iter().map(|seen| seen.key.hash)
    }
}

/// So much of a line as is kept; a character may be cut.
fn beginning(line: &[u8]) -> &[u8] {
    line.get(..MOST_TEXT).unwrap_or(line)
}

impl Local {
    /// Looks at the lines of a text.
    pub(super) fn read(&mut self, text: &str, lines: Lines) -> &Page {
        self.page.read(text, lines);
        &self.page
    }

    /// Counts the lines that were looked at last, those of `text`, for a group.
    pub(super) fn count(&mut self, name: &str, text: &str) {
        let mut page = std::mem::take(&mut self.page);
        let n_lines = page.lines.iter().filter(|seen| seen.key.prose == 0).count();
        let prose = page.lines.iter().map(|seen| u64::from(seen.key.prose)).sum();
        let document = document_of(text, n_lines, prose);
        let group = xxh3_128(name.as_bytes());
        let whole = Key { hash: WHOLE_GROUP, prose: 0 };
        self.add(group, whole, document, name.as_bytes());
        for seen in &page.lines {
            let text = page.texts.get(seen.start..seen.end).unwrap_or_default();
            self.add(group, seen.key, document, text);
        }
        // A huge page must not keep its memory.
        page.texts.shrink_to(1 << 20);
        self.page = page;
    }

    /// Bytes that it holds when it is drained: then its texts are there twice.
    pub(super) fn size(&self) -> usize {
        self.records.len() * RECORD_BYTES + 2 * self.texts.len()
    }

    /// Takes out what was counted, in order of groups and lines, equal ones together.
    pub(super) fn drain(&mut self) -> Vec<Tally> {
        let (records, texts) = (std::mem::take(&mut self.records), std::mem::take(&mut self.texts));
        self.cache.clear();
        // The records themselves are moved once.
        let mut order: Vec<(u64, u64, u32)> = (0..)
            .zip(&records)
            .map(|(at, record)| ((record.group >> 64) as u64, (record.line >> 64) as u64, at))
            .collect();
        order.sort_unstable();
        let mut tallies: Vec<Tally> = Vec::with_capacity(order.len());
        for record in order.iter().filter_map(|(_, _, at)| records.get(*at as usize)) {
            if let Some(last) =
                tallies.last_mut().filter(|last| last.group == record.group && last.line == record.line)
            {
                last.documents += record.documents;
                last.holders.merge(&record.holders);
                last.prose = last.prose.max(record.prose);
            } else {
                let text =
                    texts.get(record.text_start..).and_then(|rest| rest.get(..record.text_bytes as usize));
                tallies.push(Tally {
                    group: record.group,
                    line: record.line,
                    documents: record.documents,
                    prose: record.prose,
                    holders: record.holders,
                    text: whole_chars(text.unwrap_or_default()).into(),
                });
            }
        }
        tallies
    }

    fn add(&mut self, group: u128, key: Key, document: u64, text: &[u8]) {
        if self.cache.is_empty() {
            self.cache.resize(N_CACHED, 0);
        }
        let place = ((key.hash ^ group) as usize) % N_CACHED;
        let cached = self.cache.get(place).and_then(|number| number.checked_sub(1));
        if let Some(record) = cached.and_then(|number| self.records.get_mut(number as usize))
            && record.line == key.hash
            && record.group == group
        {
            record.documents += 1;
            record.holders.add(document);
            record.prose = record.prose.max(key.prose);
            return;
        }
        self.records.push(Record {
            group,
            line: key.hash,
            documents: 1,
            prose: key.prose,
            text_bytes: text.len() as u32,
            text_start: self.texts.len(),
            holders: Holders::of(document),
        });
        self.texts.extend_from_slice(text);
        if let Some(cached) = self.cache.get_mut(place) {
            *cached = u32::try_from(self.records.len()).unwrap_or(0);
        }
    }
}

/// Bytes of a text that was cut, up to its last whole character.
fn whole_chars(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap_or_else(|error| {
        bytes.get(..error.valid_up_to()).and_then(|whole| std::str::from_utf8(whole).ok()).unwrap_or_default()
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn sizes_survive_in_a_document() {
        for (n_lines, prose) in [(0, 0), (1, 1), (7, 127), (100, 128), (4094, 1 << 20), (9999, 123_456)] {
            let document = document_of("a", n_lines, prose);
            let (lines, bytes) = sizes_of(document);
            assert_eq!(lines, (n_lines as u64).min(0xFFE));
            assert!(bytes <= prose && prose - bytes <= prose / 128, "{prose} {bytes}");
        }
    }

    proptest! {
        #[test]
        fn the_lowest_holders_stay_whoever_comes_first(documents in prop::collection::vec(0_u64..20, 1..20), cut in 0_usize..20) {
            let add = |documents: &[u64]| {
                let mut holders = Holders([NOBODY; N_HOLDERS]);
                for document in documents {
                    holders.add(*document);
                }
                holders
            };
            let mut lowest = documents.clone();
            lowest.sort_unstable();
            lowest.dedup();
            lowest.truncate(N_HOLDERS);
            let (one, other) = documents.split_at(cut.min(documents.len()));
            let mut merged = add(other);
            merged.merge(&add(one));
            prop_assert_eq!(merged.iter().collect::<Vec<_>>(), lowest);
            prop_assert_eq!(merged, add(&documents));
        }
    }
}
