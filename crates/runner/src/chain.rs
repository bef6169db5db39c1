//! A worker's way through the stages.

use std::sync::Arc;
use std::time::Instant;

use tamis_config::{Plan, StagePlan};
use tamis_document::{Document, Fate, Record};
use tamis_stage::handle::{Effects, OpenStage};
use tamis_stage::{Block as ReaderBlock, Failure};

use crate::block::{Block, Content, Piece};
use crate::tally::Tally;

/// The records of a block after the last stage, each kind in corpus order.
#[derive(Debug, Default)]
pub(crate) struct Sorted {
    pub(crate) kept: Vec<Record>,
    pub(crate) dropped: Vec<Record>,
    pub(crate) failed: Vec<Record>,
}

/// Puts documents through the stages of a plan, as `tamis test` does; returns them in order with their fate.
pub fn process(stages: &[StagePlan], documents: Vec<Document>) -> Vec<Record> {
    let mut line = Line::default();
    for document in documents {
        line.enter(Record::from(document));
    }
    let mut tally = Tally::default();
    run_stages(stages, &mut line, &mut tally);
    line.in_order()
}

/// Decodes a block and puts its records through all stages.
pub(crate) fn run(plan: &Plan, block: Block, tally: &mut Tally) -> Sorted {
    let mut line = Line::default();
    for piece in block.pieces {
        read(plan, piece, &mut line, tally);
    }
    run_stages(&plan.stages, &mut line, tally);
    line.sort()
}

/// Records on their way, and those that have left it.
#[derive(Default)]
struct Line {
    /// One a record.
    places: Vec<Place>,
    records: Vec<Record>,
    left: Vec<(usize, Record)>,
    entered: usize,
}

/// What is known about a record beside itself.
#[derive(Clone, Copy)]
struct Place {
    /// When it came in; a document that was split off has the position of its parent and stands behind it.
    position: usize,
    /// How many documents without an id were split off it, by all stages: no two get the same number.
    n_numbered: u64,
}

impl Line {
    fn enter(&mut self, record: Record) {
        self.places.push(Place { position: self.entered, n_numbered: 0 });
        self.records.push(record);
        self.entered += 1;
    }

    /// Takes out the records that are no longer kept, in the name of a stage.
    fn take_out(&mut self, stage: &Arc<str>) {
        if self.records.iter().all(Record::is_kept) {
            return;
        }
        let records = std::mem::take(&mut self.records);
        let places = std::mem::take(&mut self.places);
        for (place, mut record) in places.into_iter().zip(records) {
            if record.is_kept() {
                self.places.push(place);
                self.records.push(record);
            } else {
                record.stage = Some(Arc::clone(stage));
                self.left.push((place.position, record));
            }
        }
    }

    /// Puts documents that were split off behind their parents.
    fn split(&mut self, split: Vec<(usize, Document)>) {
        if split.is_empty() {
            return;
        }
        let records = std::mem::take(&mut self.records);
        let places = std::mem::take(&mut self.places);
        let mut split = split.into_iter().peekable();
        for (index, (mut place, record)) in places.into_iter().zip(records).enumerate() {
            let mut children = Vec::new();
            while let Some((_, mut child)) = split.next_if(|(parent, _)| *parent == index) {
                if child.id.is_empty() {
                    place.n_numbered += 1;
                    child.id = format!("{}/{}", record.document.id, place.n_numbered);
                }
                children.push(Record::from(child));
            }
            self.places.push(place);
            self.records.push(record);
            for child in children {
                self.places.push(Place { n_numbered: 0, ..place });
                self.records.push(child);
            }
        }
    }

    fn sort(self) -> Sorted {
        let mut left = self.left;
        left.sort_by_key(|(position, _)| *position);
        let (dropped, failed): (Vec<_>, Vec<_>) = left
            .into_iter()
            .map(|(_, record)| record)
            .partition(|record| matches!(record.fate, Fate::Dropped(_)));
        Sorted { kept: self.records, dropped, failed }
    }

    fn in_order(self) -> Vec<Record> {
        let mut all = self.left;
        all.extend(self.places.into_iter().map(|place| place.position).zip(self.records));
        all.sort_by_key(|(position, _)| *position);
        all.into_iter().map(|(_, record)| record).collect()
    }
}

/// Decodes one piece.
fn read(plan: &Plan, piece: Piece, line: &mut Line, tally: &mut Tally) {
    let source = &plan.sources[piece.source];
    let start = Instant::now();
    let mut records = Vec::new();
    let mut effects = Effects::default();
    match piece.content {
        Content::Failed(record) => records.push(*record),
        Content::Records { reader, bytes, offset, first_ordinal } => {
            let block = ReaderBlock { file: &piece.file, head: &[], bytes: &bytes, offset, first_ordinal };
            if let Err(failure) = source.readers[reader].handle.decode(&block, &mut records, &mut effects) {
                records.clear();
                records.push(unreadable(&block, &failure));
            }
        }
    }
    let id: Arc<str> = Arc::from(source.id.as_str());
    let entry = tally.stage("source", &id);
    entry.time += start.elapsed();
    entry.seen += records.len() as u64;
    entry.failed += records.iter().filter(|record| !record.is_kept()).count() as u64;
    merge_counts(&mut entry.counts, effects.counts);
    tally.read += records.len() as u64;
    for record in records {
        line.enter(record);
    }
    line.take_out(&id);
}

/// One dead letter for a block that its reader gave up.
fn unreadable(block: &ReaderBlock<'_>, failure: &Failure) -> Record {
    let mut document = Document::new(format!("{}#{}", block.file, block.first_ordinal), "");
    document.raw = Some(block.bytes.to_vec());
    document.origin.file = Arc::from(block.file);
    document.origin.offset = block.offset;
    document.origin.length = block.bytes.len() as u64;
    document.origin.ordinal = block.first_ordinal;
    Record { fate: Fate::Failed(failure.to_string().into()), ..Record::from(document) }
}

fn run_stages(stages: &[StagePlan], line: &mut Line, tally: &mut Tally) {
    for stage in stages {
        let OpenStage::Transform(handle) = &stage.handle else { continue };
        let start = Instant::now();
        let seen = line.records.len();
        let mut effects = Effects::default();
        handle.process(&mut line.records, &mut effects);
        let entry = tally.stage("stage", &stage.id);
        entry.time += start.elapsed();
        entry.seen += seen as u64;
        entry.split += effects.split.len() as u64;
        for record in &line.records {
            match &record.fate {
                Fate::Kept => {}
                Fate::Dropped(reason) => *entry.dropped.entry(reason.clone().into_owned()).or_default() += 1,
                Fate::Failed(_) => entry.failed += 1,
            }
        }
        merge_counts(&mut entry.counts, effects.counts);
        tally.split += effects.split.len() as u64;
        // Children first: their parents are named by their place among all records of the call.
        line.split(effects.split);
        line.take_out(&Arc::from(stage.id.as_str()));
    }
}

fn merge_counts(into: &mut tamis_stage::handle::Counts, counts: tamis_stage::handle::Counts) {
    for (name, n) in counts {
        *into.entry(name).or_default() += n;
    }
}
