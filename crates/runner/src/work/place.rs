//! Where a record stands in the corpus: its position, and the id that it gets when its reader has none for it.
//!
//! Both are unique by construction, and neither needs to know what stands before: a shard that begins in the
//! middle of a file gives its records the same positions and ids as a run that reads all of it.
//! Nothing that a plugin says can make two records one. What a reader tells of offsets is used as far as it can
//! be true; else a record is counted within its block, whose bytes no other block has.
//!
//! ```text
//! position:  file 32 bits │ member of an archive 27 │ place 44 │ letter 1 │ split 24
//! ```
//!
//! The place is the offset in the decompressed file or member, or the row where a file has an index.
//! A dead letter for what could not be cut into records stands behind whatever begins at the same place.

use tamis_document::Record;

/// Bits for the place among the documents that were split off one record.
pub(crate) const SPLIT_BITS: u32 = 24;
const LETTER_BITS: u32 = 1;
const PLACE_BITS: u32 = 44;
const MEMBER_BITS: u32 = 27;

/// So many input files can be told apart, four billion.
pub(crate) const MAX_FILES: u64 = 1 << 32;
/// So many members of one archive can be told apart, 134 million.
pub(crate) const MAX_MEMBERS: u64 = 1 << MEMBER_BITS;
/// How long a file may be when it is decompressed, in bytes: 16 TiB. Rows are bounded alike.
pub(crate) const MAX_PLACE: u64 = 1 << PLACE_BITS;
/// So many documents can be split off one record, sixteen million.
pub(crate) const MAX_SPLITS: u128 = 1 << SPLIT_BITS;

/// The file, or the member of an archive, in which records stand.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Container {
    /// Index of the file among all inputs.
    pub(crate) file: u64,
    /// Number of the member; 0 where the file is no archive.
    pub(crate) member: u64,
}

/// Where a record stands, taken out of its position (see [`Record::position`]).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RecordPlace {
    /// Index of the file among all inputs of the plan, in the order in which they are listed.
    pub file: u64,
    /// Number of the member; 0 where the file is no archive.
    pub member: u64,
    /// Byte offset in the decompressed file or member, or the row where a file has an index.
    pub place: u64,
    /// Whether it is a dead letter for what begins there and could not be cut into records.
    pub is_letter: bool,
    /// Which of the documents that were split off one record, once they were told apart.
    pub split: u64,
}

impl RecordPlace {
    /// The place that a position stands for.
    pub fn of(position: u128) -> Self {
        let bits = |shift: u32, n: u32| (position >> shift) as u64 & ((1 << n) - 1);
        let (letter, place) = (SPLIT_BITS, SPLIT_BITS + LETTER_BITS);
        let member = place + PLACE_BITS;
        Self {
            file: bits(member + MEMBER_BITS, 32),
            member: bits(member, MEMBER_BITS),
            place: bits(place, PLACE_BITS),
            is_letter: bits(letter, LETTER_BITS) == 1,
            split: bits(0, SPLIT_BITS),
        }
    }
}

/// Which part of a container some records were read from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Span {
    /// The whole of it, so many bytes, by a reader that never cuts a file.
    Whole(u64),
    /// Bytes of it.
    Bytes { offset: u64, length: u64 },
    /// Rows of a file with an index.
    Rows { first: u64 },
}

impl Container {
    /// The position of a record at a place.
    pub(crate) fn position(self, place: u64) -> u128 {
        self.at(place) << SPLIT_BITS
    }

    /// The position of a dead letter for what begins at a place and could not be cut into records.
    pub(crate) fn letter(self, place: u64) -> u128 {
        (self.at(place) | 1) << SPLIT_BITS
    }

    fn at(self, place: u64) -> u128 {
        debug_assert!(self.file < MAX_FILES && self.member < MAX_MEMBERS && place < MAX_PLACE, "checked");
        let container = u128::from(self.file) << MEMBER_BITS | u128::from(self.member);
        (container << PLACE_BITS | u128::from(place)) << LETTER_BITS
    }

    /// Gives the records of a span their positions, and those an id that have none.
    pub(crate) fn settle(self, name: &str, span: Span, records: &mut [Record]) {
        let offsets = span.tells_offsets(records);
        let is_file = matches!(span, Span::Whole(_)) && records.len() == 1;
        for (index, record) in (0..).zip(records) {
            let document = &mut record.document;
            let place = if offsets { document.origin.offset } else { span.start() + index };
            record.position = self.position(place);
            if document.id.is_empty() {
                document.id = if is_file { name.to_owned() } else { id(name, place) };
            }
        }
    }
}

impl Span {
    fn start(self) -> u64 {
        match self {
            Self::Whole(_) => 0,
            Self::Bytes { offset, .. } => offset,
            Self::Rows { first } => first,
        }
    }

    /// How many records there can be: every one takes a byte, but for the one that an empty file may be.
    pub(crate) fn most_records(self) -> u64 {
        match self {
            Self::Whole(length) | Self::Bytes { length, .. } => length.max(1),
            // The host has counted them.
            Self::Rows { .. } => u64::MAX,
        }
    }

    /// Whether the offsets that a reader tells can be those of records one behind the other in this span.
    fn tells_offsets(self, records: &[Record]) -> bool {
        let (start, end) = match self {
            Self::Whole(length) => (0, length.max(1)),
            Self::Bytes { offset, length } => (offset, offset + length.max(1)),
            Self::Rows { .. } => return false,
        };
        let offsets = || records.iter().map(|record| record.document.origin.offset);
        offsets().all(|offset| (start..end).contains(&offset)) && offsets().is_sorted_by(|a, b| a < b)
    }
}

/// The id of a record of a file that holds several.
pub(crate) fn id(name: &str, place: u64) -> String {
    format!("{name}#{place}")
}

#[cfg(test)]
mod tests {
    use tamis_document::Document;

    use super::*;

    fn records(offsets: &[u64]) -> Vec<Record> {
        let record = |offset: &u64| {
            let mut document = Document::default();
            document.origin.offset = *offset;
            Record::from(document)
        };
        offsets.iter().map(record).collect()
    }

    fn ids(span: Span, offsets: &[u64]) -> Vec<String> {
        let mut records = records(offsets);
        Container { file: 3, member: 0 }.settle("a", span, &mut records);
        assert!(records.is_sorted_by(|a, b| a.position < b.position), "{records:?}");
        records.into_iter().map(|record| record.document.id).collect()
    }

    #[test]
    fn ids_are_where_records_begin() {
        let bytes = Span::Bytes { offset: 100, length: 50 };
        assert_eq!(ids(bytes, &[100, 117, 149]), ["a#100", "a#117", "a#149"]);
        assert_eq!(ids(Span::Rows { first: 7 }, &[0, 0]), ["a#7", "a#8"]);
        assert_eq!(ids(Span::Whole(10), &[0]), ["a"]);
        assert_eq!(ids(Span::Whole(0), &[0]), ["a"]);
        assert_eq!(ids(Span::Whole(10), &[0, 5]), ["a#0", "a#5"]);
    }

    #[test]
    fn what_cannot_be_true_is_counted_instead() {
        let bytes = Span::Bytes { offset: 100, length: 50 };
        for told in [[0, 0, 0], [100, 100, 101], [100, 149, 150], [99, 100, 101], [102, 101, 100]] {
            assert_eq!(ids(bytes, &told), ["a#100", "a#101", "a#102"], "{told:?}");
        }
    }

    #[test]
    fn a_position_is_taken_apart_as_it_was_put_together() {
        let (file, member, place) = (MAX_FILES - 1, 77, MAX_PLACE - 2);
        let at = RecordPlace { file, member, place, is_letter: false, split: 0 };
        let here = Container { file, member };
        assert_eq!(RecordPlace::of(here.position(place)), at);
        assert_eq!(RecordPlace::of(here.position(place) + 5), RecordPlace { split: 5, ..at });
        assert_eq!(RecordPlace::of(here.letter(place)), RecordPlace { is_letter: true, ..at });
    }

    #[test]
    fn no_two_positions_are_one() {
        let here = Container { file: 1, member: 2 };
        let ordered = [
            Container { file: 0, member: MAX_MEMBERS - 1 }.letter(MAX_PLACE - 1),
            Container { file: 1, member: 1 }.letter(MAX_PLACE - 1),
            here.position(0),
            here.position(0) + (MAX_SPLITS - 1),
            here.letter(0),
            here.position(1),
            Container { file: MAX_FILES - 1, member: MAX_MEMBERS - 1 }.letter(MAX_PLACE - 1),
        ];
        assert!(ordered.is_sorted_by(|a, b| a < b), "{ordered:?}");
    }
}
