//! What is known of the texts of a group, when two of them are one, and what may become of them.

use tamis_plugin::keyed::{Column, Columns};
use xxhash_rust::xxh3::xxh3_128;

use super::options::Rule;
use super::set::Set;

/// How a document stands to those of this run, as one byte of a row: rows of a group are in this order.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Standing {
    /// An earlier run has kept it, so it stays.
    Earlier,
    /// As before, and it is a form, of which others are made.
    EarlierForm,
    /// As before, and it is made of a form.
    EarlierOfForm,
    /// It is of this run.
    #[default]
    Now,
}

impl Standing {
    /// The column that holds it.
    pub(super) const COLUMN: Column = Column::Bytes(1);

    pub(super) fn byte(self) -> [u8; 1] {
        [self as u8]
    }

    pub(super) fn read(byte: u8) -> Option<Self> {
        let all = [Self::Earlier, Self::EarlierForm, Self::EarlierOfForm, Self::Now];
        all.get(usize::from(byte)).copied()
    }
}

/// What is to be known of a kept document beside its number.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Marks(pub(super) u32);

impl Marks {
    /// It is a form, of which others are made, that stay.
    pub(super) const FORM: Self = Self(1);
    /// It is made of a form.
    pub(super) const OF_FORM: Self = Self(2);
    /// It was not compared with all that it might be like.
    pub(super) const PARTLY_COMPARED: Self = Self(4);

    pub(super) fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    fn has(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    pub(super) fn is_partly_compared(self) -> bool {
        self.has(Self::PARTLY_COMPARED)
    }

    /// How the document will stand in a later run.
    pub(super) fn standing(self) -> Standing {
        match () {
            () if self.has(Self::FORM) => Standing::EarlierForm,
            () if self.has(Self::OF_FORM) => Standing::EarlierOfForm,
            () => Standing::Earlier,
        }
    }
}

/// A text as it comes from the second round.
#[derive(Debug, Default)]
pub(super) struct Text {
    pub(super) position: u128,
    pub(super) standing: Standing,
    /// Hashes of the fields that must differ.
    pub(super) fields: Vec<u64>,
    /// Its bands or passages.
    pub(super) keys: Vec<u64>,
    pub(super) set: Set,
    /// Two with the same have the same set.
    pub(super) fingerprint: u128,
}

impl Text {
    /// Reads the part of a row behind key and priority.
    pub(super) fn read(&mut self, mut columns: Columns<'_>, n_fields: usize) -> Option<()> {
        self.position = columns.position()?;
        let n_keys = columns.u32()? as usize;
        for (numbers, n) in [(&mut self.fields, n_fields), (&mut self.keys, n_keys)] {
            let (words, _) = columns.bytes(n.checked_mul(size_of::<u64>())?)?.as_chunks();
            numbers.clear();
            numbers.extend(words.iter().map(|word| u64::from_le_bytes(*word)));
        }
        self.fingerprint = xxh3_128(columns.rest());
        self.set.read(columns.rest())
    }
}

/// When two texts are one.
#[derive(Debug, Clone, Copy)]
pub(super) struct Law {
    pub(super) rule: Rule,
    pub(super) least: f64,
}

impl Law {
    /// How alike a text and another are, if that is enough to drop it for that one.
    pub(super) fn similarity(self, text: &Set, other: &Set) -> Option<f64> {
        if self.rule == Rule::Jaccard && text.is_far_from(other, self.least) {
            return None;
        }
        Some(self.measure(text, other)).filter(|similarity| *similarity >= self.least)
    }

    /// How alike a text and another are.
    pub(super) fn measure(self, text: &Set, other: &Set) -> f64 {
        match self.rule {
            Rule::Jaccard => text.jaccard(other),
            Rule::Contained => text.contained_in(other),
        }
    }
}

/// Whether two documents may be twins by the fields in which they must differ.
pub(super) fn differ(one: &[u64], other: &[u64]) -> bool {
    one.iter().zip(other).all(|(one, other)| one != other)
}

/// What became of a document.
#[derive(Debug, Clone, Copy)]
pub(super) struct Fate {
    pub(super) position: u128,
    /// The one that is kept for it, or itself.
    pub(super) twin: u128,
    pub(super) similarity: f64,
    /// How many it stands for, itself included; 0 of one that is dropped.
    pub(super) size: u64,
    pub(super) marks: Marks,
}

impl Fate {
    /// A document is dropped for another.
    pub(super) fn dropped(position: u128, twin: u128, similarity: f64) -> Self {
        Self { position, twin, similarity, size: 0, marks: Marks::default() }
    }

    /// A document is kept, and stands for so many.
    pub(super) fn kept(position: u128, size: u64, marks: Marks) -> Self {
        Self { position, twin: position, similarity: 1.0, size, marks }
    }
}

/// Takes what became of a document.
pub(super) type Tell<'t> = dyn FnMut(Fate) + 't;
