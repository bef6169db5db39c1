//! A worker's way through the stages.

use std::path::Path;
use std::sync::Arc;

use tamis_config::{Opened, OpenedStage};
use tamis_document::{Document, Fate, Form, Record};
use tamis_stage::Failure;
use tamis_stage::handle::{Counts, Effects, OpenStage};

use crate::clock::Stopwatch;
use crate::disk::spill::Frame;
use crate::disk::states;
use crate::error::RunError;
use crate::observer::{Event, Events, Interest, Observer};
use crate::read::only::Only;
use crate::tally::{Taken, Tally};
use crate::work::decode::decode;
use crate::work::place::{Container, MAX_SPLITS, SPLIT_BITS};
use crate::work::task::{Block, Piece};
use crate::work::task::{Decoded, Sorted};

/// What a segment does with records.
pub(crate) struct Chain<'a> {
    pub(crate) opened: &'a Opened,
    /// The stages that records pass, in order.
    pub(crate) stages: &'a [OpenedStage],
    pub(crate) events: Events<'a>,
    /// The corpus stage that sees what is kept, and the pass.
    pub(crate) observes: Option<(&'a OpenedStage, u32)>,
    /// The records that are taken in, if not all of them.
    pub(crate) only: Option<&'a Only>,
}

/// Puts documents through the stages of a plan, as `tamis test` does; returns them in order with their fate.
///
/// Corpus stages see all of the documents; `scratch` is a folder for what they do not want to hold in memory.
///
/// # Errors
///
/// When a corpus stage cannot go on.
pub fn process(
    opened: Opened,
    documents: Vec<Document>,
    scratch: &Path,
    observer: &dyn Observer,
) -> Result<Vec<Record>, RunError> {
    let record = |(ordinal, mut document): (u64, Document)| {
        document.origin.ordinal = ordinal;
        Record { position: Container::default().position(ordinal), ..Record::from(document) }
    };
    pass(opened, (0..).zip(documents).map(record).collect(), scratch, observer)
}

/// The same with records that have their positions, such as one that [`find`](crate::find) has found.
///
/// # Errors
///
/// When a corpus stage cannot go on.
pub fn pass(
    opened: Opened,
    records: Vec<Record>,
    scratch: &Path,
    observer: &dyn Observer,
) -> Result<Vec<Record>, RunError> {
    counted_pass(opened, records, scratch, observer).map(|(records, _)| records)
}

/// The same, with what the stages have counted meanwhile.
///
/// # Errors
///
/// When a corpus stage cannot go on.
#[expect(clippy::needless_pass_by_value, reason = "what was opened is for one run, which uses it up")]
pub fn counted_pass(
    opened: Opened,
    records: Vec<Record>,
    scratch: &Path,
    observer: &dyn Observer,
) -> Result<(Vec<Record>, Tally), RunError> {
    let events = Events::new(observer);
    let mut line = Line::default();
    for record in records {
        line.enter(record, events);
    }
    let mut tally = Tally::default();
    for (index, stage) in opened.stages.iter().enumerate() {
        if let OpenStage::Corpus(corpus) = &stage.handle {
            let workspace = states::workspace(&opened.plan, stage, scratch, scratch)?;
            let failed = |failure: Failure| RunError::stage(&stage.id, &failure);
            corpus.prepare(&workspace).map_err(failed)?;
            for pass in 0..corpus.observing_passes() {
                line.observe(stage, pass, &mut tally);
                corpus.merge(pass).and_then(|()| corpus.end_pass(pass)).map_err(failed)?;
            }
        }
        run_stages(&opened.stages[index..=index], &mut line, &mut tally, events);
    }
    Ok((line.in_order(), tally))
}

/// Puts documents through the stages of a plan that has no corpus stage; returns them in order with their fate.
///
/// What was opened can be used again and by several threads, so a program that is handed documents bit by bit opens its
/// stages once.
///
/// # Panics
///
/// When the plan has a corpus stage, which would have to see all documents first: that is [`process`].
pub fn transform(opened: &Opened, documents: Vec<Document>) -> Vec<Record> {
    let is_corpus = |stage: &OpenedStage| matches!(stage.handle, OpenStage::Corpus(_));
    assert!(!opened.stages.iter().any(is_corpus), "a corpus stage has not seen the documents");
    let events = Events::new(&());
    let mut line = Line::default();
    for (ordinal, document) in (0..).zip(documents) {
        let position = Container::default().position(ordinal);
        line.enter(Record { position, ..Record::from(document) }, events);
    }
    run_stages(&opened.stages, &mut line, &mut Tally::default(), events);
    line.in_order()
}

impl Chain<'_> {
    /// Whether corpus stages still can read what they have put on the disk: if not, no verdict of theirs counts.
    pub(crate) fn check(&self) -> Result<(), RunError> {
        let observing = self.observes.iter().map(|(stage, _)| *stage);
        for stage in self.stages.iter().chain(observing) {
            if let OpenStage::Corpus(corpus) = &stage.handle
                && let Some(failure) = corpus.broken()
            {
                return Err(RunError::stage(&stage.id, &failure));
            }
        }
        Ok(())
    }

    /// Decodes a block and puts its records through the stages.
    pub(crate) fn block(&self, block: Block, tally: &mut Tally) -> Sorted {
        let mut line = Line::default();
        for piece in block.pieces {
            self.read(piece, &mut line, tally);
        }
        self.finish(line, tally)
    }

    /// Takes in the records of one piece.
    fn read(&self, piece: Piece, line: &mut Line, tally: &mut Tally) {
        let source = &self.opened.sources[piece.source];
        let id: Arc<str> = Arc::from(source.id.as_str());
        let Decoded { mut records, counts, time, is_unread } = decode(self.opened, piece);
        if let Some(only) = self.only {
            records.retain(|record| only.takes(record));
        }
        if is_unread {
            for record in &records {
                tally.unread.note(record);
            }
        }
        let entry = tally.stage("source", &id);
        entry.time += time;
        entry.seen += records.len() as u64;
        entry.find(&source.named_fields, &records);
        records.iter().filter(|record| !record.is_kept()).for_each(|record| entry.fail(record));
        merge_counts(&mut entry.counts, counts);
        tally.read += records.len() as u64;
        for record in records {
            line.enter(record, self.events);
        }
        line.take_out(&id);
    }

    /// Shows records that were set aside to the corpus stage that has seen them before.
    pub(crate) fn seen(&self, mut line: Line) {
        if let Some((stage, pass)) = self.observes {
            line.show(stage, pass);
        }
    }

    /// Puts records through the stages.
    pub(crate) fn finish(&self, mut line: Line, tally: &mut Tally) -> Sorted {
        run_stages(self.stages, &mut line, tally, self.events);
        if let Some((stage, pass)) = self.observes {
            line.observe(stage, pass, tally);
        }
        line.sort()
    }
}

/// Records on their way, and those that have left it.
#[derive(Default)]
pub(crate) struct Line {
    /// One a record.
    places: Vec<Place>,
    records: Vec<Record>,
    left: Vec<(usize, Record)>,
    entered: usize,
}

/// What is known about a record beside itself.
#[derive(Clone, Copy)]
struct Place {
    /// When it came in; a document that was split off came in with its parent and stands behind it.
    entered_as: usize,
    /// How many documents without an id were split off it, by all stages: no two get the same number.
    n_numbered: u64,
    /// Whether an observer wants to see what becomes of it.
    is_watched: bool,
}

impl Line {
    /// Records that were set aside; they have their positions.
    pub(crate) fn spilled(frame: &Frame, events: Events<'_>) -> Result<Self, RunError> {
        let (records, numbered) = frame.unpack()?;
        let place = |(entered_as, (n_numbered, record))| {
            let is_watched = events.enter(record);
            Place { entered_as, n_numbered, is_watched }
        };
        let places = numbered.into_iter().zip(&records).enumerate().map(place).collect();
        Ok(Self { places, entered: records.len(), records, left: Vec::new() })
    }

    /// Shows the records to a corpus stage, in the name of which those fail that it cannot take.
    fn observe(&mut self, stage: &OpenedStage, pass: u32, tally: &mut Tally) {
        let start = Stopwatch::start();
        let (id, n_left) = (Arc::from(stage.id.as_str()), self.left.len());
        self.number();
        // What has got no position is not shown.
        self.take_out(&id);
        self.show(stage, pass);
        self.take_out(&id);
        let entry = tally.stage("stage", &stage.id);
        entry.time += start.spent();
        self.left.iter().skip(n_left).for_each(|(_, record)| entry.fail(record));
    }

    fn show(&mut self, stage: &OpenedStage, pass: u32) {
        if let OpenStage::Corpus(corpus) = &stage.handle {
            corpus.observe(pass, &mut self.records, &mut Effects::default());
        }
    }

    /// Gives what was split off a record positions behind it.
    fn number(&mut self) {
        let mut last = None;
        for record in &mut self.records {
            let of_record = record.position >> SPLIT_BITS;
            let next = match last {
                Some((same, split)) if same == of_record => split + 1,
                _ => 0,
            };
            if next < MAX_SPLITS {
                record.position = of_record << SPLIT_BITS | next;
            } else {
                let message = format!("more than {MAX_SPLITS} documents were split off one record");
                record.fate = Fate::Failed(message.into());
            }
            last = Some((of_record, next));
        }
    }

    fn enter(&mut self, record: Record, events: Events<'_>) {
        let is_watched = events.enter(&record);
        self.places.push(Place { entered_as: self.entered, n_numbered: 0, is_watched });
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
                self.left.push((place.entered_as, record));
            }
        }
    }

    /// Puts documents that were split off behind their parents.
    fn split(&mut self, split: Vec<(usize, Document)>, events: Events<'_>) {
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
                children.push(Record { position: record.position, ..Record::from(child) });
            }
            self.places.push(place);
            self.records.push(record);
            for child in children {
                let is_watched = events.enter(&child);
                self.places.push(Place { n_numbered: 0, is_watched, ..place });
                self.records.push(child);
            }
        }
    }

    fn sort(self) -> Sorted {
        let mut left = self.left;
        left.sort_by_key(|(entered_as, _)| *entered_as);
        let (dropped, failed): (Vec<_>, Vec<_>) = left
            .into_iter()
            .map(|(_, record)| record)
            .partition(|record| matches!(record.fate, Fate::Dropped(_)));
        let numbered = self.places.iter().map(|place| place.n_numbered).collect();
        Sorted { kept: self.records, numbered, dropped, failed }
    }

    fn in_order(self) -> Vec<Record> {
        let mut all = self.left;
        all.extend(self.places.into_iter().map(|place| place.entered_as).zip(self.records));
        all.sort_by_key(|(entered_as, _)| *entered_as);
        all.into_iter().map(|(_, record)| record).collect()
    }
}

fn run_stages(stages: &[OpenedStage], line: &mut Line, tally: &mut Tally, events: Events<'_>) {
    for stage in stages {
        let start = Stopwatch::start();
        let seen = line.records.len();
        tally.stage("stage", &stage.id).find(&stage.named_fields, &line.records);
        let before = TextBytes::before(stage, &line.records);
        let effects = line.pass(stage, events);
        let entry = tally.stage("stage", &stage.id);
        entry.time += start.spent();
        entry.seen += seen as u64;
        entry.split += effects.split.len() as u64;
        for record in &line.records {
            match &record.fate {
                Fate::Kept => {}
                Fate::Dropped(reason) => *entry.dropped.entry(reason.clone().into_owned()).or_default() += 1,
                Fate::Failed(_) => entry.fail(record),
            }
        }
        before.tell(&line.records, &mut entry.taken);
        merge_counts(&mut entry.counts, effects.counts);
        for (name, sketch) in effects.measures {
            entry.measures.entry(name.into_owned()).or_default().add(sketch);
        }
        tally.split += effects.split.len() as u64;
        // Children first: their parents are named by their place among all records of the call.
        line.split(effects.split, events);
        line.take_out(&Arc::from(stage.id.as_str()));
    }
}

/// The bytes of texts before a stage, to know what it takes of them; empty where that says nothing.
struct TextBytes(Vec<usize>);

impl TextBytes {
    /// Of what a stage for the source of pages leaves, most of what is gone is tags; what does not clean may write texts
    /// anew, in other characters.
    fn before(stage: &OpenedStage, records: &[Record]) -> Self {
        let forms = stage.handle.forms();
        let takes_markup = forms.taken().contains(&Form::Markup);
        let counts = forms.cleans() && !takes_markup;
        Self(records.iter().filter(|_| counts).map(|record| record.document.text.len()).collect())
    }

    fn tell(&self, records: &[Record], taken: &mut Taken) {
        for (before, record) in self.0.iter().zip(records).filter(|(_, record)| record.is_kept()) {
            taken.note(*before, record.document.text.len());
        }
    }
}

impl Line {
    /// Passes the records to a stage. Those that somebody watches go alone, so that what it takes for them is told of
    /// each; a stage is a function of its options and the document, so nothing else comes of it.
    fn pass(&mut self, stage: &OpenedStage, events: Events<'_>) -> Effects {
        let mut effects = Effects::default();
        if !events.has(Interest::DOCUMENTS) || !self.places.iter().any(|place| place.is_watched) {
            call(stage, &mut self.records, &mut effects);
            return effects;
        }
        let mut start = 0;
        for group in self.places.chunk_by(|a, b| !a.is_watched && !b.is_watched) {
            let records = &mut self.records[start..start + group.len()];
            let before = group[0].is_watched.then(|| records[0].document.clone());
            let watch = Stopwatch::start();
            let mut own = Effects::default();
            call(stage, records, &mut own);
            if let Some(before) = &before {
                let (stage, after, split, time) = (&stage.id, &records[0], own.split.len(), watch.spent());
                events.tell(&Event::Stage { stage, before, after, split, time });
            }
            effects.split.extend(own.split.into_iter().map(|(parent, child)| (start + parent, child)));
            merge_counts(&mut effects.counts, own.counts);
            start += group.len();
        }
        effects
    }
}

fn call(stage: &OpenedStage, records: &mut [Record], effects: &mut Effects) {
    match &stage.handle {
        OpenStage::Transform(handle) => handle.process(records, effects),
        OpenStage::Corpus(handle) => handle.apply(records, effects),
        // A plan has none of them here.
        OpenStage::Reader(_) | OpenStage::Exporter(_) => {}
    }
}

fn merge_counts(into: &mut Counts, counts: Counts) {
    for (name, n) in counts {
        *into.entry(name).or_default() += n;
    }
}
