//! The workers of one segment.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use tamis_document::Record;

use crate::clock::{Chore, Chores, Stopwatch};
use crate::disk::spill::Frame;
use crate::error::RunError;
use crate::fates::{Block as FateBlock, Builder};
use crate::observer::{Events, Interest};
use crate::read::cutter::Cutter;
use crate::read::feeder::Feeder;
use crate::read::inputs::Inputs;
use crate::read::stream::Opener;
use crate::settings::Grace;
use crate::tally::Tally;
use crate::work::chain::{Chain, Line};
use crate::work::encode;
use crate::work::scheduler::{Role, Scheduler};
use crate::work::task::{Block, Task, Work};
use crate::work::task::{Done, Results, Sorted, Written};
use crate::write::writer::Writer;

/// What all workers of a segment share.
pub(crate) struct Workers<'a, 'w> {
    pub(crate) chain: Chain<'a>,
    pub(crate) files: &'a Inputs,
    pub(crate) opener: &'a Opener,
    /// Whether what is kept goes to the next segment instead of the exports.
    pub(crate) spills: bool,
    /// Bytes that have been put aside, those of an earlier run included.
    pub(crate) spilled: AtomicU64,
    /// Whether it is noted what became of each record.
    pub(crate) notes_fates: bool,
    pub(crate) scheduler: Arc<Scheduler>,
    /// What workers have spent beside sources, stages and exports.
    pub(crate) chores: Mutex<Chores>,
    pub(crate) feeder: Mutex<Feeder<'a>>,
    pub(crate) writer: Mutex<&'a mut Writer<'w>>,
}

impl Workers<'_, '_> {
    /// Works until everything is written, or the run breaks.
    pub(crate) fn work(&self, pool: &rayon::ThreadPool, grace: Option<&Grace>) -> Result<(), RunError> {
        let serve = || {
            pool.scope(|scope| {
                for _ in 0..pool.current_num_threads() {
                    scope.spawn(|_| self.serve());
                }
            });
        };
        match grace {
            Some(grace) => {
                grace.over(&self.chain.opened.run, &self.writer, || self.scheduler.is_sound(), serve);
            }
            None => serve(),
        }
        self.scheduler.end()?;
        // Everybody has left.
        let chores = std::mem::take(&mut *self.chores.lock().unwrap_or_else(PoisonError::into_inner));
        let mut writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        for (chore, spent) in chores {
            writer.tally.spend(chore, spent);
        }
        Ok(())
    }

    /// Does a chore, and notes what it took.
    fn timed<T>(&self, chore: Chore, work: impl FnOnce() -> T) -> T {
        let watch = Stopwatch::start();
        let done = work();
        let mut chores = self.chores.lock().unwrap_or_else(PoisonError::into_inner);
        *chores.entry(chore).or_default() += watch.spent();
        done
    }

    /// One worker: takes roles until there are none.
    fn serve(&self) {
        loop {
            let role = self.scheduler.role();
            if matches!(role, Role::Leave) {
                return;
            }
            // Stages catch their own panics; one that comes here is a fault of the machinery, and others would
            // wait for ever for what this worker was about to do.
            match catch_unwind(AssertUnwindSafe(|| self.play(role))) {
                Ok(Ok(())) => {}
                Ok(Err(error)) => self.scheduler.fail(error),
                Err(panic) => self.scheduler.fail(panicked(panic.as_ref())),
            }
        }
    }

    fn play(&self, role: Role) -> Result<(), RunError> {
        match role {
            Role::Write(done) => self.write(*done),
            Role::Help(job) => {
                self.timed(Chore::Reading, job);
                Ok(())
            }
            Role::Feed => self.feed(),
            Role::Leave => Ok(()),
        }
    }

    fn write(&self, done: Done) -> Result<(), RunError> {
        let written = Written { sequence: done.sequence, weight: done.weight, is_last: done.is_last };
        self.timed(Chore::Writing, || {
            self.writer.lock().unwrap_or_else(PoisonError::into_inner).write(done)
        })?;
        self.scheduler.written(&written);
        Ok(())
    }

    fn feed(&self) -> Result<(), RunError> {
        let task =
            self.timed(Chore::Reading, || self.feeder.lock().unwrap_or_else(PoisonError::into_inner).next())?;
        self.scheduler.fed(task.as_ref().map(|task| task.weight));
        match task {
            Some(task) => self.process(task),
            None => Ok(()),
        }
    }

    fn process(&self, task: Task) -> Result<(), RunError> {
        let Task { sequence, weight, work, end } = task;
        let done = |bytes, content| Done { sequence, place: 0, is_last: true, bytes, weight, end, content };
        match work {
            Work::Block(block) => {
                let bytes = block.bytes;
                let content = self.block(block)?;
                self.scheduler.done(done(bytes, Some(content)));
            }
            Work::Spilled(frame) => {
                let mut tally = Tally::default();
                let line = self.timed(Chore::Spilling, || Line::spilled(&frame, self.chain.events))?;
                let sorted = self.chain.finish(line, &mut tally);
                let content = self.content(sorted, tally)?;
                let content = Results { unspilled: frame.records, ..content };
                self.scheduler.done(done(frame.length(), Some(content)));
            }
            Work::Seen(frame) => {
                let line = self.timed(Chore::Spilling, || Line::spilled(&frame, Events::NONE))?;
                self.chain.seen(line);
                self.scheduler.done(done(0, None));
            }
            Work::Files(range) => {
                let cutter =
                    Cutter::new(self.chain.opened, self.chain.events, self.opener, self.files, range, None);
                self.files(cutter, &done(0, None))?;
            }
        }
        Ok(())
    }

    /// Reads small files. What is in them may be more than their sizes said; then it goes out in several
    /// results, each within the memory bound.
    fn files(&self, mut cutter: Cutter<'_>, last: &Done) -> Result<(), RunError> {
        let mut weight = last.weight;
        for place in 0.. {
            let mut block = Block::default();
            self.timed(Chore::Reading, || cutter.fill(&mut block))?;
            let (bytes, is_last) = (block.bytes, cutter.is_done());
            let content = Some(self.block(block)?);
            let sequence = last.sequence;
            self.scheduler.done(Done { sequence, place, is_last, bytes, weight, end: last.end, content });
            if is_last {
                return Ok(());
            }
            weight = self.chain.opened.plan.run.block_bytes;
            if !self.wait(sequence, weight)? {
                return Ok(());
            }
        }
        Ok(())
    }

    /// Waits for credit for more of a task; false when the run has broken.
    fn wait(&self, sequence: u64, weight: u64) -> Result<bool, RunError> {
        loop {
            match self.scheduler.more(sequence, weight) {
                Role::Write(done) => self.write(*done)?,
                Role::Leave => return Ok(false),
                Role::Help(_) | Role::Feed => return Ok(true),
            }
        }
    }

    fn block(&self, mut block: Block) -> Result<Results, RunError> {
        let mut tally =
            Tally { input: block.input, unread: std::mem::take(&mut block.unread), ..Tally::default() };
        let sorted = self.chain.block(block, &mut tally);
        self.content(sorted, tally)
    }

    /// Encodes what came out of the last stage.
    fn content(&self, mut sorted: Sorted, mut tally: Tally) -> Result<Results, RunError> {
        self.chain.check()?;
        let mut spill = None;
        let mut n_kept = 0;
        if self.spills {
            n_kept = sorted.kept.len() as u64;
            let before = self.spilled.load(Ordering::Relaxed);
            let packed = || Frame::pack(&sorted.kept, &sorted.numbered, before);
            let frame = self.timed(Chore::Spilling, packed)?;
            self.spilled.fetch_add(frame.length(), Ordering::Relaxed);
            spill = Some(frame);
            sorted.kept.clear();
        }
        let chunks = encode::run(self.chain.opened, &mut sorted, &mut tally)?;
        if self.chain.events.has(Interest::DOCUMENTS) {
            sorted.all().for_each(|record| self.chain.events.leave(record));
        }
        sorted.all().for_each(|record| {
            tally.note_language(record);
            tally.sites.note(record);
        });
        n_kept += sorted.kept.len() as u64;
        let counts = [n_kept, sorted.dropped.len() as u64, sorted.failed.len() as u64];
        let fates = if self.notes_fates { self.timed(Chore::Writing, || fates(&sorted))? } else { None };
        Ok(Results { chunks, spill, tally, counts, fates, unspilled: 0 })
    }
}

/// What became of the records of a block, in corpus order.
fn fates(sorted: &Sorted) -> Result<Option<FateBlock>, RunError> {
    let mut records: Vec<&Record> = sorted.all().collect();
    // Stable, and nothing to do where all are kept.
    records.sort_by_key(|record| record.position);
    let mut rows = Builder::default();
    for record in records {
        let (id, stage) = (&record.document.id, record.stage.as_deref());
        rows.push(id, record.position, &record.fate, stage, &record.measures);
    }
    rows.finish()
}

fn panicked(panic: &(dyn Any + Send)) -> RunError {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    let text = text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("no message");
    RunError::Internal { message: format!("a worker panicked: {text}") }
}
