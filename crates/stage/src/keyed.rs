//! The keyed form of corpus stages: what they declare, and what passes between them and whoever runs the rounds.
//!
//! A stage that must see the whole collection says a few fixed bytes about each document and leaves the rest to
//! the machinery. A **round** is one sweep over the documents: the stage *observes* each and emits **rows**, a
//! row being a key and some columns of fixed width; what is made of the rows of a key is one of a **closed set**
//! ([`Reduce`]); what comes out is known in the rounds that follow and when documents are *applied*.
//!
//! Rows are declared as data ([`Rounds`]) and reduced without any code of the stage, so the runner sorts them in
//! bounded memory and on disk, shards merge by merging sorted rows, and an engine for tables can do the same
//! with its own `GROUP BY` and `JOIN`: no library code runs inside it, and no text is shuffled.
//!
//! # On paper, before it was frozen
//!
//! **Exact duplicates.** One round; key: the hash of the text, no columns, [`Reduce::First`]. The documents of a
//! key stand in the order of their positions; all but the first get a fact, which names the first.
//! `SELECT position, first_value(position) OVER (PARTITION BY key ORDER BY position)`.
//!
//! **Line frequencies.** One round; a row for every different line of a document; key: the group of the document
//! and the hash of the line; columns: 1, the place in the document; [`Reduce::Fold`] with sum and minimum.
//! `SELECT key, sum(n), min(place) GROUP BY key`. Apply asks for the rows of its group, or of one line: a table by
//! group is a table whose key begins with the group. So is a *site template*: host, element path, hash of the
//! text; how many texts a path has is how many rows begin with it.
//!
//! **Near duplicates.** First round: a row for each of 14 bands; key: the hash of the band; column: the priority of
//! the document; [`Reduce::Groups`]: each row of a key is tied to the first few of them, never to all, and ties
//! are followed to groups. Second round: a document in a group emits its group as the key, its priority, and its
//! shingles behind the row; [`Reduce::Visit`] shows the stage the rows of a group in order, and it says which are
//! dropped, and for whom. Candidates are found by the machinery, the judgement is code, and memory is what the
//! stage holds of one group.
//!
//! # Bytes
//!
//! A row is its columns one behind the other, written so that rows in the order of their bytes are in the order
//! of their values: integers with the most significant byte first, the sign of `i64` and `f64` flipped ([`Row`]).
//! Whoever runs the rounds appends the position of the document where a reducer needs it.
//!
//! What is not in the set (`distinct`, medians, the best k) was needed by none of these; [`Reduce`] can grow, and a
//! program that does not know a reducer refuses the stage by the reducer's name.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::Failure;

/// Bytes of a position in a row.
pub const POSITION_BYTES: usize = 16;
/// The bit of positions that documents of earlier runs have, which come from an [`Index`]; none of this run has it.
pub const EARLIER: u128 = 1 << 127;
/// Most bytes of a row, without what may follow it in a round of visits.
const MOST_ROW_BYTES: usize = 1024;
/// Most rounds of a stage: each reads the collection once.
const MOST_ROUNDS: usize = 16;

/// What a keyed stage declares when it has been opened.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rounds {
    /// The rounds in order. None: the stage is applied like an extractor.
    pub rounds: Vec<Round>,
    /// The options that decide what is observed, as text: rows of other options are not mixed with these.
    #[serde(default)]
    pub observes: String,
    /// Most bytes of memory for rows and outcomes; else a share of the memory of the run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_state_bytes: Option<u64>,
}

/// What a keyed stage does with documents of other runs.
///
/// A stage with one round, of [`Reduce::First`] with ids, needs no more than to ask for it: an index is the state of
/// that round, and the machinery puts its rows before all others. Any other stage says in a round of [`Reduce::Kept`]
/// what later runs must know of a document; when one of these ends a round, the stage is shown each such row
/// ([`KeyedStage::recall`](crate::KeyedStage::recall)) and emits rows about that document as if it were one of this
/// run. Its position is then greater than all of this run ([`EARLIER`]).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Index {
    /// States of earlier runs, absolute paths: their documents come before all others of a key.
    pub against: Vec<PathBuf>,
    /// Whether what was collected stays as a file beside what stages learn, `index.state`, for later runs.
    pub is_kept: bool,
    /// What an index holds, where it is no state of the only round: a round of [`Reduce::Kept`], which is the last of
    /// the stage where [`Index::is_kept`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub round: Option<Round>,
}

impl Index {
    /// Says what is wrong with it.
    ///
    /// # Errors
    ///
    /// When the rounds allow no index: a message for the author of the stage.
    pub fn check(&self, rounds: &Rounds) -> Result<(), String> {
        let kept = rounds.rounds.iter().position(|round| round.reduce == Reduce::Kept);
        let Some(round) = &self.round else {
            let allowed =
                matches!(rounds.rounds.as_slice(), [round] if round.reduce == Reduce::First && round.ids);
            return match kept {
                Some(_) => Err("rows that are kept are for an index, and it declares none".to_owned()),
                None if *self == Self::default() || allowed => Ok(()),
                None => {
                    Err("an index is for stages with one round, which reduces to the first and has ids, or \
                             with a round of its own"
                        .to_owned())
                }
            };
        };
        let is_index = round.reduce == Reduce::Kept && round.ids && round.key == [Column::Position];
        if !is_index || !round.columns.is_empty() {
            return Err("the rows of an index have a position as their key, no columns, and ids".to_owned());
        }
        let groups = |round: &Round| matches!(round.reduce, Reduce::Groups { .. });
        if rounds.rounds.iter().any(|round| groups(round) && !round.columns.is_empty()) {
            return Err("with an index, rows of groups have no columns".to_owned());
        }
        match (kept, self.is_kept) {
            (None, false) => Ok(()),
            (Some(at), true) if at + 1 == rounds.rounds.len() && rounds.rounds.get(at) == Some(round) => {
                Ok(())
            }
            _ => Err("an index that is kept is the last round, and one that is not is none".to_owned()),
        }
    }
}

/// An option that a stage has chosen by a sample of the documents.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Choice {
    /// The name of the option.
    pub option: String,
    /// Its value, a string.
    pub value: String,
    /// What was chosen and why, a sentence for the user on one line.
    pub note: String,
}

/// One sweep over the documents.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Round {
    /// Its name, in kebab case, no other round's of the stage.
    pub name: String,
    /// The columns of the key.
    pub key: Vec<Column>,
    /// The columns behind the key.
    #[serde(default)]
    pub columns: Vec<Column>,
    /// What becomes of the rows of a key.
    pub reduce: Reduce,
    /// Whether the ids of documents that facts name will be asked for.
    #[serde(default)]
    pub ids: bool,
}

/// The type of a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Column {
    /// 4 bytes.
    U32,
    /// 8 bytes; hashes, too.
    U64,
    /// 8 bytes, signed.
    I64,
    /// 8 bytes, in the total order of IEEE 754.
    F64,
    /// The position of a document, 16 bytes.
    Position,
    /// So many bytes, such as a hash of 128 bits.
    Bytes(u16),
}

/// What becomes of the rows of a key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reduce {
    /// The rows of a key are put in the order of their columns, then of their positions. Outcome: a fact
    /// ([`First`]) for every document of a key that more than one document has. Of several rows of a document with
    /// one key only the first counts.
    First,
    /// One row a key, each column combined in its way. Outcome: these rows.
    Fold(Vec<Fold>),
    /// In the order of [`Reduce::First`], each row of a key is tied to the first so many; documents that are tied,
    /// also over others, are a group. Outcome: a fact ([`First`]) for every document of a group, where first is
    /// the one with the least position.
    Groups {
        /// To how many of a key every row is tied, at least 1. One is enough for the groups; a program that makes no
        /// groups of the edges, and compares their ends, wants some.
        edges: u32,
    },
    /// The stage is shown the rows of each key in the order of [`Reduce::First`], whatever bytes follow them, and
    /// emits facts: the position of a document and these columns. Outcome: these facts.
    Visit {
        /// The columns of a fact.
        gives: Vec<Column>,
    },
    /// The rows are not reduced: they are what an [`Index`] holds of each document, whatever bytes follow them.
    /// Outcome: nothing.
    Kept,
}

/// How a column of rows with one key is combined; none of these minds the order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Fold {
    /// The sum of `u64` or `i64`, modulo 2^64. To count is to sum ones.
    Sum,
    /// The least.
    Min,
    /// The greatest.
    Max,
}

impl Column {
    /// How many bytes it takes.
    pub fn width(self) -> usize {
        match self {
            Self::U32 => 4,
            Self::U64 | Self::I64 | Self::F64 => 8,
            Self::Position => POSITION_BYTES,
            Self::Bytes(n) => n.into(),
        }
    }
}

fn width(columns: &[Column]) -> usize {
    columns.iter().map(|column| column.width()).sum()
}

impl Round {
    /// Bytes of the key.
    pub fn key_width(&self) -> usize {
        width(&self.key)
    }

    /// Bytes of a row as the stage emits it.
    pub fn row_width(&self) -> usize {
        self.key_width() + width(&self.columns)
    }

    /// Bytes of a row as it is collected: with the position of the document, unless it is folded.
    pub fn collected_width(&self) -> usize {
        self.row_width() + if matches!(self.reduce, Reduce::Fold(_)) { 0 } else { POSITION_BYTES }
    }

    /// Bytes of an entry of the outcome, and how many of these it is asked for by.
    pub fn outcome(&self) -> (usize, usize) {
        match &self.reduce {
            Reduce::First | Reduce::Groups { .. } => (POSITION_BYTES + First::WIDTH, POSITION_BYTES),
            Reduce::Fold(_) => (self.row_width(), self.key_width()),
            Reduce::Visit { gives } => (POSITION_BYTES + width(gives), POSITION_BYTES),
            Reduce::Kept => (POSITION_BYTES, POSITION_BYTES),
        }
    }

    /// Whether bytes of any number may follow a row.
    pub fn is_visited(&self) -> bool {
        matches!(self.reduce, Reduce::Visit { .. } | Reduce::Kept)
    }

    fn check(&self) -> Result<(), String> {
        let is_word = |word: &str| {
            !word.is_empty() && word.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
        };
        if self.name.len() > 64 || !self.name.split('-').all(is_word) {
            return Err("its name is not in kebab case, or longer than 64 bytes".to_owned());
        }
        if self.key_width() == 0 || self.row_width().max(self.outcome().0) > MOST_ROW_BYTES {
            return Err(format!("a row has a key, and at most {MOST_ROW_BYTES} bytes"));
        }
        match &self.reduce {
            Reduce::Fold(folds) if folds.len() != self.columns.len() => {
                let (folds, columns) = (folds.len(), self.columns.len());
                Err(format!("it folds {folds} columns, and a row has {columns}"))
            }
            Reduce::Fold(folds) => {
                let mut both = folds.iter().zip(&self.columns);
                match both.find(|(fold, column)| **fold == Fold::Sum && !column.is_summed()) {
                    Some((_, column)) => Err(format!("it sums {column:?}, and only u64 and i64 are summed")),
                    None if self.ids => Err("folded rows name no documents, so there are no ids".to_owned()),
                    None => Ok(()),
                }
            }
            Reduce::Groups { edges: 0 } => Err("every row is tied to at least 1 other".to_owned()),
            Reduce::First | Reduce::Groups { .. } | Reduce::Visit { .. } | Reduce::Kept => Ok(()),
        }
    }
}

impl Column {
    fn is_summed(self) -> bool {
        matches!(self, Self::U64 | Self::I64)
    }
}

impl Rounds {
    /// Says what is wrong with the declaration.
    ///
    /// # Errors
    ///
    /// When something is: a message for the author of the stage.
    pub fn check(&self) -> Result<(), String> {
        if self.rounds.len() > MOST_ROUNDS {
            return Err(format!("it has {} rounds; at most {MOST_ROUNDS} are allowed", self.rounds.len()));
        }
        for (index, round) in self.rounds.iter().enumerate() {
            if self.rounds[..index].iter().any(|other| other.name == round.name) {
                return Err(format!("two rounds are called `{}`", round.name));
            }
            round.check().map_err(|why| format!("round `{}`: {why}", round.name))?;
        }
        Ok(())
    }
}

/// A fact that [`Reduce::First`] and [`Reduce::Groups`] make about a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct First {
    /// The position of the first document; its own if it is the first.
    pub first: u128,
    /// How many documents there are, for the first of them; 0 for the others.
    pub size: u64,
}

impl First {
    /// Bytes of the columns: a position and a `u64`.
    pub const WIDTH: usize = POSITION_BYTES + 8;
}

/// What the rounds before have brought.
pub trait Known {
    /// Hands on the entries of the outcome of a round that begin with `front`, in order, as long as `each` wants
    /// more. `front` is at most as long as a position, or for [`Reduce::Fold`] as a key.
    ///
    /// # Errors
    ///
    /// When the round has not ended, or its outcome cannot be read: the run cannot go on.
    fn entries(&self, round: u32, front: &[u8], each: &mut dyn FnMut(&[u8]) -> bool) -> Result<(), Failure>;

    /// The id of a document that a fact names, of a round with [`Round::ids`].
    ///
    /// # Errors
    ///
    /// When ids cannot be read: the run cannot go on.
    fn id(&self, round: u32, position: u128) -> Result<Option<String>, Failure>;
}

impl dyn Known + '_ {
    /// What [`Reduce::First`] or [`Reduce::Groups`] says about the document at a position.
    ///
    /// # Errors
    ///
    /// As [`Known::entries`].
    pub fn first(&self, round: u32, position: u128) -> Result<Option<First>, Failure> {
        let mut found = None;
        self.entries(round, &position.to_be_bytes(), &mut |entry| {
            let mut columns = Columns::of(entry);
            found = match (columns.position(), columns.position(), columns.u64()) {
                (Some(_), Some(first), Some(size)) => Some(First { first, size }),
                _ => None,
            };
            false
        })?;
        Ok(found)
    }
}

/// Takes rows.
pub trait Rows {
    /// Emits a row about the document at hand: its key and columns; in a round of visits, any bytes behind.
    fn emit(&mut self, row: &[u8]);
}

/// The rows of one key, in order.
pub trait Group {
    /// The next row: key, columns, the position of its document, and the bytes that were emitted behind.
    /// `None` at the end.
    ///
    /// # Errors
    ///
    /// When rows cannot be read.
    fn advance(&mut self) -> Result<Option<&[u8]>, Failure>;
}

/// Writes the columns of a row; used again and again, so that rows cost no allocation.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Row(Vec<u8>);

impl Row {
    /// Begins a new row.
    pub fn begin(&mut self) -> &mut Self {
        self.0.clear();
        self
    }

    /// A number of 32 bits.
    pub fn u32(&mut self, value: u32) -> &mut Self {
        self.bytes(&value.to_be_bytes())
    }

    /// A number of 64 bits.
    pub fn u64(&mut self, value: u64) -> &mut Self {
        self.bytes(&value.to_be_bytes())
    }

    /// A signed number.
    pub fn i64(&mut self, value: i64) -> &mut Self {
        self.u64(value.cast_unsigned() ^ SIGN)
    }

    /// A floating point number.
    pub fn f64(&mut self, value: f64) -> &mut Self {
        let bits = value.to_bits();
        self.u64(if bits & SIGN == 0 { bits | SIGN } else { !bits })
    }

    /// A position.
    pub fn position(&mut self, value: u128) -> &mut Self {
        self.bytes(&value.to_be_bytes())
    }

    /// Bytes of a column, or what follows a row.
    pub fn bytes(&mut self, bytes: &[u8]) -> &mut Self {
        self.0.extend_from_slice(bytes);
        self
    }

    /// The row.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

const SIGN: u64 = 1 << 63;

/// Reads the columns of a row; `None` where it ends.
#[derive(Debug, Clone, Copy)]
pub struct Columns<'r>(&'r [u8]);

impl<'r> Columns<'r> {
    /// The columns of a row.
    pub fn of(row: &'r [u8]) -> Self {
        Self(row)
    }

    /// A number of 32 bits.
    pub fn u32(&mut self) -> Option<u32> {
        self.array().map(u32::from_be_bytes)
    }

    /// A number of 64 bits.
    pub fn u64(&mut self) -> Option<u64> {
        self.array().map(u64::from_be_bytes)
    }

    /// A signed number.
    pub fn i64(&mut self) -> Option<i64> {
        self.u64().map(|bits| (bits ^ SIGN).cast_signed())
    }

    /// A floating point number.
    pub fn f64(&mut self) -> Option<f64> {
        self.u64().map(|bits| f64::from_bits(if bits & SIGN == 0 { !bits } else { bits ^ SIGN }))
    }

    /// A position.
    pub fn position(&mut self) -> Option<u128> {
        self.array().map(u128::from_be_bytes)
    }

    /// So many bytes.
    pub fn bytes(&mut self, n: usize) -> Option<&'r [u8]> {
        let (bytes, rest) = self.0.split_at_checked(n)?;
        self.0 = rest;
        Some(bytes)
    }

    /// What is left.
    pub fn rest(self) -> &'r [u8] {
        self.0
    }

    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (bytes, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(*bytes)
    }
}

/// Rows that a call has emitted, each with the index of its record.
#[derive(Debug, Default)]
pub struct Emitted {
    bytes: Vec<u8>,
    /// The record, and where the row ends.
    rows: Vec<(u32, usize)>,
}

impl Emitted {
    /// Adds a row.
    pub fn push(&mut self, record: u32, row: &[u8]) {
        self.bytes.extend_from_slice(row);
        self.rows.push((record, self.bytes.len()));
    }

    /// Forgets all rows.
    pub fn clear(&mut self) {
        self.bytes.clear();
        self.rows.clear();
    }

    /// The rows as they came, each with the index of its record.
    pub fn iter(&self) -> impl Iterator<Item = (usize, &[u8])> {
        let mut start = 0;
        self.rows.iter().map(move |(record, end)| {
            let row = self.bytes.get(start..*end).unwrap_or_default();
            start = *end;
            (*record as usize, row)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn round(reduce: Reduce) -> Round {
        let name = "some-round".to_owned();
        Round { name, key: vec![Column::U64], columns: vec![Column::U32], reduce, ids: false }
    }

    #[test]
    fn rows_in_the_order_of_bytes_are_in_the_order_of_values() {
        let floats = [f64::NEG_INFINITY, -2.5, -0.0, 0.0, 1e-9, 7.0, f64::INFINITY];
        let row = |value: f64| Row::default().f64(value).clone();
        assert!(floats.map(row).is_sorted_by(|a, b| a.as_bytes() < b.as_bytes()));
        let row = |value: i64| Row::default().i64(value).clone();
        assert!([i64::MIN, -1, 0, 1, i64::MAX].map(row).is_sorted_by(|a, b| a.as_bytes() < b.as_bytes()));
    }

    #[test]
    fn columns_come_back_as_they_were_written() {
        let mut row = Row::default();
        row.begin().u32(7).u64(8).i64(-9).f64(-0.5).position(1 << 100).bytes(b"end");
        let mut columns = Columns::of(row.as_bytes());
        assert_eq!((columns.u32(), columns.u64(), columns.i64()), (Some(7), Some(8), Some(-9)));
        assert_eq!((columns.f64(), columns.position()), (Some(-0.5), Some(1 << 100)));
        assert_eq!((columns.bytes(4), columns.rest(), columns.u32()), (None, &b"end"[..], None));
    }

    #[test]
    fn a_declaration_is_data() {
        let text = r#"{"rounds":[{"name":"lines","key":["u64",{"bytes":16}],"columns":["u64"],"reduce":{"fold":["sum"]}}]}"#;
        let rounds: Rounds = serde_json::from_str(text).unwrap();
        rounds.check().unwrap();
        assert_eq!((rounds.rounds[0].key_width(), rounds.rounds[0].outcome()), (24, (32, 24)));
        let unknown = serde_json::from_str::<Rounds>(&text.replace("sum", "median")).unwrap_err().to_string();
        assert!(
            unknown.contains("unknown variant `median`, expected one of `sum`, `min`, `max`"),
            "{unknown}"
        );
    }

    #[test]
    fn an_index_is_the_first_of_a_key_or_a_round_of_its_own() {
        let kept = Round {
            key: vec![Column::Position],
            columns: Vec::new(),
            ids: true,
            name: "kept".to_owned(),
            ..round(Reduce::Kept)
        };
        let groups = Round { columns: Vec::new(), ..round(Reduce::Groups { edges: 1 }) };
        let check = |rounds: &[&Round], round: Option<&Round>, is_kept| {
            let rounds =
                Rounds { rounds: rounds.iter().map(|round| (*round).clone()).collect(), ..Rounds::default() };
            Index { is_kept, round: round.cloned(), ..Index::default() }.check(&rounds)
        };
        let first = Round { ids: true, ..round(Reduce::First) };
        assert_eq!(check(&[&first], None, true), Ok(()));
        assert_eq!(check(&[&groups, &kept], Some(&kept), true), Ok(()));
        assert_eq!(check(&[&groups], Some(&kept), false), Ok(()));
        let ordered = round(Reduce::Groups { edges: 1 });
        for (rounds, round, is_kept, why) in [
            (&[&groups][..], None, true, "or with a round of its own"),
            (&[&groups, &kept], None, false, "it declares none"),
            (&[&groups], Some(&groups), false, "a position as their key"),
            (&[&ordered, &kept], Some(&kept), true, "rows of groups have no columns"),
            (&[&kept, &groups], Some(&kept), true, "is the last round"),
            (&[&groups, &kept], Some(&kept), false, "one that is not is none"),
        ] {
            let said = check(rounds, round, is_kept).unwrap_err();
            assert!(said.contains(why), "{said}");
        }
    }

    #[test]
    fn what_makes_no_sense_is_named() {
        let good = || round(Reduce::First);
        for (round, why) in [
            (Round { name: "Some".to_owned(), ..good() }, "its name is not in kebab case"),
            (Round { key: Vec::new(), columns: Vec::new(), ..good() }, "a row has a key"),
            (Round { key: vec![Column::Bytes(2000)], ..good() }, "at most 1024 bytes"),
            (round(Reduce::Fold(Vec::new())), "it folds 0 columns, and a row has 1"),
            (round(Reduce::Fold(vec![Fold::Sum])), "it sums U32, and only u64 and i64 are summed"),
            (Round { ids: true, ..round(Reduce::Fold(vec![Fold::Min])) }, "there are no ids"),
            (round(Reduce::Groups { edges: 0 }), "at least 1 other"),
        ] {
            let said = Rounds { rounds: vec![round], ..Rounds::default() }.check().unwrap_err();
            assert!(said.contains(why), "{said}");
        }
        let twice = Rounds { rounds: vec![good(), good()], ..Rounds::default() };
        assert_eq!(twice.check().unwrap_err(), "two rounds are called `some-round`");
    }
}
