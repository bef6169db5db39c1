//! Who is dropped for whom in a group of candidates.

use tamis_plugin::Failure;
use tamis_plugin::keyed::{Column, Columns, EARLIER, POSITION_BYTES, Row, Rows};

use super::components::Components;
use super::law::{Fate, Law, Marks, Standing, Text};
use super::options::{Clusters, DedupNearOptions, Rule};
use super::star::Star;

/// The columns of a verdict, behind the position of the document that it is about.
pub(super) fn gives() -> Vec<Column> {
    // Its twin, the first of the group, how alike they are, of a kept one how many it stands for, and its marks.
    vec![Column::Position, Column::Position, Column::F64, Column::U64, Column::U32]
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
