//! Who is dropped for whom in a group of candidates.

use tamis_plugin::Failure;
use tamis_plugin::keyed::{Column, Columns, EARLIER, POSITION_BYTES, Row, Rows};
use xxhash_rust::xxh3::xxh3_128;

use super::components::Components;
use super::options::{Clusters, DedupNearOptions, Rule};
use super::set::Set;
use super::star::Star;

/// The columns of a verdict, behind the position of the document that it is about.
pub(super) fn gives() -> Vec<Column> {
    // Its twin, the first of the group, how alike they are, of a kept one how many it stands for, and its marks.
    vec![Column::Position, Column::Position, Column::F64, Column::U64, Column::U32]
}

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

    fn read(byte: u8) -> Option<Self> {
        let all = [Self::Earlier, Self::EarlierForm, Self::EarlierOfForm, Self::Now];
        all.get(usize::from(byte)).copied()
    }
}

/// What is to be known of a kept document beside its number.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Marks(u32);

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

/// What became of a document.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Judged {
    /// The one that is kept for it; itself if it is kept.
    pub(super) twin: u128,
    /// The first document of its group, where that is told.
    pub(super) group: Option<u128>,
    /// How alike it and its twin are, where they were compared.
    pub(super) similarity: Option<f64>,
    /// How many documents it stands for, if it is kept.
    pub(super) size: u64,
    pub(super) marks: Marks,
}

impl Judged {
    /// Reads a verdict.
    pub(super) fn read(fact: &[u8]) -> Option<Self> {
        let mut columns = Columns::of(fact.get(POSITION_BYTES..)?);
        let (twin, group) = (columns.position()?, columns.position()?);
        let (similarity, size, marks) = (columns.f64()?, columns.u64()?, Marks(columns.u32()?));
        Some(Self { twin, group: Some(group), similarity: Some(similarity), size, marks })
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
    fn read(&mut self, mut columns: Columns<'_>, n_fields: usize) -> Option<()> {
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
    rule: Rule,
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

/// Judges the texts of one group, which come in the order in which they are preferred.
pub(super) struct Judge {
    n_fields: usize,
    text: Text,
    /// The first document of the group.
    group: u128,
    fact: Row,
    way: Way,
}

enum Way {
    Star(Box<Star>),
    Components(Box<Components>),
}

impl Judge {
    pub(super) fn new(options: &DedupNearOptions) -> Self {
        let law = Law { rule: options.rule, least: options.least() };
        // The machinery has done with its batches by now, which are a quarter of the memory.
        let memory = usize::try_from(options.max_state_bytes / 4).unwrap_or(usize::MAX);
        // Of what is contained in a long text, many are.
        let max_variants = if options.rule == Rule::Jaccard { options.max_variants } else { 0 };
        let way = match options.clusters {
            Clusters::Star => Way::Star(Box::new(Star::new(law, max_variants, memory))),
            Clusters::Components => Way::Components(Box::new(Components::new(law, memory))),
        };
        Self { n_fields: options.differ_in.len(), text: Text::default(), group: 0, fact: Row::default(), way }
    }

    /// Takes the next text: a row, in which so many bytes say how much it is preferred.
    pub(super) fn take(
        &mut self,
        row: &[u8],
        priority_bytes: usize,
        facts: &mut dyn Rows,
    ) -> Result<(), Failure> {
        let mut columns = Columns::of(row);
        let read = columns.position().and_then(|group| {
            self.text.standing = Standing::read(*columns.bytes(1)?.first()?)?;
            columns.bytes(priority_bytes)?;
            self.text.read(columns, self.n_fields)?;
            Some(group)
        });
        self.group = read.ok_or_else(|| Failure::new("a row of the second round is not what was written"))?;
        let (fact, group) = (&mut self.fact, self.group);
        match &mut self.way {
            Way::Star(star) => star.take(&mut self.text, &mut teller(fact, group, facts)),
            Way::Components(components) => components.take(&mut self.text),
        }
        Ok(())
    }

    /// Emits what became of the documents of which there is something to say.
    pub(super) fn finish(mut self, facts: &mut dyn Rows) {
        let mut tell = teller(&mut self.fact, self.group, facts);
        match self.way {
            Way::Star(star) => star.finish(&mut tell),
            Way::Components(components) => components.finish(&mut tell),
        }
    }
}

/// Makes facts of what became of documents of a group.
fn teller<'t>(fact: &'t mut Row, group: u128, facts: &'t mut dyn Rows) -> impl FnMut(Fate) + 't {
    move |fate| {
        // Of documents of earlier runs nobody asks.
        if fate.position & EARLIER == 0 {
            fact.begin().position(fate.position).position(fate.twin).position(group);
            facts.emit(fact.f64(fate.similarity).u64(fate.size).u32(fate.marks.0).as_bytes());
        }
    }
}
