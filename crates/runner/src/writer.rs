//! The writer thread: takes results in any order and writes them in corpus order.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::atomic::Ordering;

use crossbeam_channel::{Receiver, Sender};
use tamis_config::{From, Plan};

use crate::encode::Chunk;
use crate::output::ExportWriter;
use crate::{Manifest, Progress, RunError, Tally};

/// What the writer is told.
pub(crate) enum Message {
    /// A block is ready to be written.
    Done(Done),
    /// The run cannot go on.
    Broken(RunError),
    /// Everything was read, into so many blocks.
    End(u64),
}

/// What became of a block.
pub(crate) struct Done {
    pub(crate) sequence: u64,
    pub(crate) bytes: u64,
    /// The credit to give back.
    pub(crate) weight: u64,
    /// One a export, in plan order.
    pub(crate) chunks: Vec<Chunk>,
    pub(crate) tally: Tally,
    /// Records by fate, counted after the last stage: kept, dropped, failed.
    pub(crate) fates: [u64; 3],
}

/// Writes results in order and keeps the manifest.
pub(crate) struct Writer<'a> {
    plan: &'a Plan,
    progress: &'a Progress,
    /// The folder of the manifest.
    base: PathBuf,
    manifest: Manifest,
    exports: Vec<ExportWriter<'a>>,
    tally: Tally,
}

impl<'a> Writer<'a> {
    pub(crate) fn new(plan: &'a Plan, progress: &'a Progress, base: PathBuf, manifest: Manifest) -> Self {
        let exports = plan.exports.iter().map(|export| ExportWriter::new(export, &export.path, &base)).collect();
        Self { plan, progress, base, manifest, exports, tally: Tally::default() }
    }

    /// Writes all results; gives a credit back for each, and returns the finished manifest.
    pub(crate) fn run(
        mut self,
        messages: &Receiver<Message>,
        credits: &Sender<u64>,
    ) -> Result<(Manifest, Tally), RunError> {
        let written = self.write_all(messages, credits).and_then(|()| self.finish());
        if written.is_err() {
            self.abandon();
        }
        written.map(|()| (self.manifest, self.tally))
    }

    fn write_all(&mut self, messages: &Receiver<Message>, credits: &Sender<u64>) -> Result<(), RunError> {
        let mut waiting = BTreeMap::new();
        let mut next = 0;
        let mut end = None;
        for message in messages {
            // Stages that were asked to stop may give up documents that they would otherwise have kept, so
            // nothing that comes now is written.
            if self.progress.is_stopped() {
                return Err(RunError::Interrupted);
            }
            match message {
                Message::Done(done) => waiting.insert(done.sequence, done),
                Message::Broken(error) => return Err(error),
                Message::End(blocks) => {
                    end = Some(blocks);
                    continue;
                }
            };
            while let Some(done) = waiting.remove(&next) {
                let weight = done.weight;
                self.write(done)?;
                next += 1;
                // The feeder may have read everything; then nobody waits for credits.
                let _ = credits.send(weight);
            }
        }
        // Without its word the feeder has not read everything, whatever the counts say.
        if end == Some(next) && waiting.is_empty() {
            return Ok(());
        }
        let read = end.map_or_else(|| "an unknown number".to_owned(), |blocks| blocks.to_string());
        Err(RunError::Internal { message: format!("{next} blocks of {read} were written") })
    }

    fn write(&mut self, done: Done) -> Result<(), RunError> {
        let mut finished = false;
        for (export, chunk) in self.exports.iter_mut().zip(done.chunks) {
            finished |= export.write(chunk)?;
        }
        let [kept, dropped, failed] = done.fates;
        self.tally.add(done.tally);
        self.tally.kept += kept;
        self.tally.dropped += dropped;
        self.tally.failed += failed;
        let counters = [&self.progress.kept, &self.progress.dropped, &self.progress.failed];
        for (counter, n) in counters.into_iter().zip(done.fates) {
            counter.fetch_add(n, Ordering::Relaxed);
        }
        self.progress.bytes.fetch_add(done.bytes, Ordering::Relaxed);
        if finished { self.write_manifest() } else { Ok(()) }
    }

    fn finish(&mut self) -> Result<(), RunError> {
        for export in &mut self.exports {
            export.finish()?;
        }
        // Listed before anything is checked, so that the next run can take the files away.
        self.write_manifest()?;
        if let Some(message) = self.imbalance() {
            return Err(RunError::Unbalanced { message });
        }
        self.manifest.complete = true;
        self.manifest.tally.clone_from(&self.tally);
        self.write_manifest()
    }

    /// Takes away what is not finished and lists the rest, so that the next run finds it.
    fn abandon(&mut self) {
        for export in &mut self.exports {
            export.abandon();
        }
        self.manifest.complete = false;
        self.manifest.tally = Tally::default();
        // The run has broken for a reason of its own; the next one can do without this list.
        let _ = self.write_manifest();
    }

    fn write_manifest(&mut self) -> Result<(), RunError> {
        self.manifest.exports = self.exports.iter().map(|export| export.manifest().clone()).collect();
        self.manifest.write(&self.base)
    }

    /// The tally must add up, and every export must have written each record of its kind once.
    fn imbalance(&self) -> Option<String> {
        let exports = self.plan.exports.iter().zip(&self.exports);
        let lost = exports.filter_map(|(export, writer)| {
            let expected = match export.from {
                From::Kept => self.tally.kept,
                From::Dropped => self.tally.dropped,
                From::Failed => self.tally.failed,
            };
            let written = writer.manifest().records;
            (written != expected).then(|| {
                format!(
                    "export `{}` wrote {written} of {expected} {} records",
                    export.id,
                    export.from.as_str()
                )
            })
        });
        self.tally.imbalance().into_iter().chain(lost).next()
    }
}
