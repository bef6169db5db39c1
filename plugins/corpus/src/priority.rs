//! Which of several documents is kept: the first in an order that the user chooses.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tamis_plugin::keyed::{Column, Row};
use tamis_plugin::{SetupError, ValueRef, View};

use crate::field;

/// Which of several duplicates is kept.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(extend("x-instead" = {
    "newest": "write `keep = \"highest\"` and the field with the date, as `keep_by = \"published\"`",
    "latest": "write `keep = \"highest\"` and the field with the date, as `keep_by = \"published\"`",
    "oldest": "write `keep = \"lowest\"` and the field with the date, as `keep_by = \"published\"`",
    "first": "write `keep = \"earliest\"`: the first in the order of the inputs",
    "last": "the last in the order of the inputs cannot be kept: `earliest` keeps the first, `highest` the one with the \
        highest value of `keep_by`",
    "shortest": "the shortest cannot be kept: `longest` keeps the one with the most characters",
    "best": "write `keep = \"highest\"` and the field with the score, as `keep_by = \"score\"`",
}))]
pub enum Keep {
    /// The one with the most characters.
    #[default]
    Longest,
    /// The first in the order of the inputs.
    Earliest,
    /// The one with the highest value of `keep_by`: the newest by a date.
    Highest,
    /// The one with the lowest value of `keep_by`.
    Lowest,
}

/// Texts that name an order are compared by so many bytes; dates and times have less.
const WORD_BYTES: usize = 32;
/// A kind, then a number or the bytes of a word.
const VALUE_BYTES: usize = 1 + WORD_BYTES;

const NUMBER: u8 = 1;
const WORD: u8 = 2;
/// A document without a value comes behind all others.
const NONE: u8 = 3;

/// What an order is by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Priority {
    /// The place in the corpus.
    Earliest,
    /// The number of characters, most first.
    Longest,
    /// The value of a field.
    Field {
        name: String,
        /// Whether the greatest value comes first.
        is_highest: bool,
    },
}

impl Priority {
    /// The order that options ask for.
    ///
    /// # Errors
    ///
    /// When the field is missing.
    pub(crate) fn new(keep: Keep, by: &str) -> Result<Self, SetupError> {
        let is_highest = match keep {
            Keep::Longest => return Ok(Self::Longest),
            Keep::Earliest => return Ok(Self::Earliest),
            Keep::Highest => true,
            Keep::Lowest => false,
        };
        if by.is_empty() {
            return Err(SetupError::in_option(
                "keep_by",
                "`keep_by` is missing: name the field whose highest or lowest value is kept, such as `published`",
            ));
        }
        Ok(Self::Field { name: by.to_owned(), is_highest })
    }

    /// The columns of a row that put documents in this order; behind them counts the position.
    pub(crate) fn columns(&self) -> Vec<Column> {
        match self {
            Self::Earliest => Vec::new(),
            Self::Longest => vec![Column::U64],
            Self::Field { .. } => vec![Column::Bytes(VALUE_BYTES as u16)],
        }
    }

    /// Bytes of these columns.
    pub(crate) fn width(&self) -> usize {
        self.columns().iter().map(|column| column.width()).sum()
    }

    /// Writes the columns for a document.
    pub(crate) fn write(&self, document: &View<'_>, row: &mut Row) {
        match self {
            Self::Earliest => {}
            Self::Longest => {
                let n_chars = document.text().chars().count() as u64;
                row.u64(u64::MAX - n_chars);
            }
            Self::Field { name, is_highest } => {
                let mut value = value(document.metadata(name));
                if *is_highest && value[0] != NONE {
                    for byte in value.iter_mut().skip(1) {
                        *byte = !*byte;
                    }
                }
                row.bytes(&value);
            }
        }
    }
}

/// A value as bytes in its order: numbers, then words, then none.
fn value(value: Option<ValueRef<'_>>) -> [u8; VALUE_BYTES] {
    let mut bytes = [0; VALUE_BYTES];
    let mut put = |kind: u8, from: &[u8]| {
        bytes[0] = kind;
        bytes[1..].iter_mut().zip(from).for_each(|(to, from)| *to = *from);
    };
    match value {
        Some(ValueRef::String(word)) => put(WORD, word.as_bytes()),
        Some(other) => match field::number(other) {
            Some(number) => put(NUMBER, Row::default().f64(number).as_bytes()),
            None => put(NONE, &[]),
        },
        None => put(NONE, &[]),
    }
    bytes
}

#[cfg(test)]
mod tests {
    use tamis_plugin::Document;

    use super::*;

    /// The names of documents in an order.
    fn order(priority: &Priority, documents: &[Document]) -> String {
        let mut rows: Vec<(Vec<u8>, &str)> = documents
            .iter()
            .map(|document| {
                let mut row = Row::default();
                priority.write(&View::from(document), &mut row);
                assert_eq!(row.as_bytes().len(), priority.width());
                (row.as_bytes().to_vec(), document.id.as_str())
            })
            .collect();
        rows.sort();
        rows.into_iter().map(|(_, id)| id).collect()
    }

    #[test]
    fn documents_stand_in_the_order_that_was_asked_for() {
        let dates = [Some("2024-03-01"), None, Some("2023-12-31T08:00"), Some("2024-02")];
        let mut documents: Vec<Document> = ["a", "b", "c", "d"]
            .into_iter()
            .zip(["河岸", "shore", "sea", "a long text"])
            .map(|(id, text)| Document::new(id, text))
            .collect();
        for (document, date) in documents.iter_mut().zip(dates) {
            date.map(|date| document.metadata.insert("published", date));
        }
        let field = |name: &str, is_highest| Priority::Field { name: name.to_owned(), is_highest };
        assert_eq!(order(&Priority::Earliest, &documents), "abcd");
        assert_eq!(order(&Priority::Longest, &documents), "dbca");
        assert_eq!(order(&field("published", true), &documents), "adcb");
        assert_eq!(order(&field("published", false), &documents), "cdab");
        for (document, score) in documents.iter_mut().zip([3.5, -2.0, 10.0, 0.0]) {
            document.metadata.insert("score", score);
        }
        assert_eq!(order(&field("score", true), &documents), "cadb");
        assert_eq!(order(&field("score", false), &documents), "bdac");
    }
}
