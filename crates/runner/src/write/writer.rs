//! Writes results in corpus order: to the exports, to the spill, to the counts.

use std::time::{Duration, Instant};

use tamis_config::{From, Opened};

use crate::disk::manifest::Manifest;
use crate::disk::names::{FATES, WORK};
use crate::disk::spill::SpillWriter;
use crate::disk::work_folder::WorkFolder;
use crate::error::RunError;
use crate::fates::{self, FateWriter};
use crate::observer::{Event, Events, Interest};
use crate::remote::Mirror;
use crate::tally::Tally;
use crate::work::task::{Chunk, Done};
use crate::write::checkpoint::Checkpoint;
use crate::write::export::ExportWriter;

/// How many full parts may be written before parts that cannot be resumed are all finished, so that a run that
/// is interrupted begins again there: fewer make more small files, more make more work to do again.
const MAX_PARTS_UNTIL_NOTED: u64 = 8;

/// Writes results, in order.
pub(crate) struct Writer<'a> {
    pub(crate) opened: &'a Opened,
    pub(crate) events: Events<'a>,
    /// Where manifest and checkpoint are; nowhere in a dry run.
    pub(crate) work_folder: Option<WorkFolder>,
    /// The object store that is written to, if one is.
    pub(crate) mirror: Option<&'a Mirror>,
    pub(crate) manifest: Manifest,
    pub(crate) exports: Vec<ExportWriter<'a>>,
    /// How many files of each export observers have been told of.
    pub(crate) told: Vec<usize>,
    pub(crate) spill: Option<SpillWriter>,
    /// What became of the records that leave the run in this segment.
    pub(crate) fates: Option<FateWriter>,
    /// How many files were listed, and their bytes; nothing where only some records are wanted.
    pub(crate) listed: Option<(u64, u64)>,
    /// How far the run is, as of the last result that was written.
    pub(crate) now: Checkpoint,
    pub(crate) tally: Tally,
    /// How often to note how far the run is.
    pub(crate) interval: Duration,
    pub(crate) checkpointed: Instant,
    /// Whether the run could go on later: not if an input cannot be read again.
    pub(crate) is_resumable: bool,
    /// Whether the run can go on later from what was checkpointed.
    pub(crate) has_checkpoint: bool,
    /// Whether all of the last task was written.
    pub(crate) is_between_tasks: bool,
}

impl Writer<'_> {
    /// Writes one result.
    pub(crate) fn write(&mut self, done: Done) -> Result<(), RunError> {
        // Stages that were asked to stop may give up documents that they would otherwise have kept, so nothing
        // that comes now is written.
        if self.opened.run.is_cancelled() {
            return Err(RunError::Interrupted);
        }
        let Some(content) = done.content else { return Ok(()) };
        // Until all of it is written: what breaks on the way leaves half a task, which no checkpoint may count, even
        // if the run ends for another reason, such as that somebody has just asked it to stop.
        self.is_between_tasks = false;
        self.write_chunks(content.chunks)?;
        if let (Some(frame), Some(spill)) = (&content.spill, &mut self.spill) {
            spill.write(frame)?;
            self.now.frames += 1;
            self.now.spilled += frame.records;
        }
        if let (Some(block), Some(fates)) = (&content.fates, &mut self.fates) {
            fates.write(block)?;
        }
        self.now.unspilled += content.unspilled;
        self.count(content.tally, content.counts, done.bytes);
        self.is_between_tasks = done.is_last;
        if done.is_last {
            self.now.next = done.end;
            if self.checkpointed.elapsed() >= self.interval {
                self.save_checkpoint()?;
            }
        }
        Ok(())
    }

    fn write_chunks(&mut self, chunks: Vec<Chunk>) -> Result<(), RunError> {
        for (export, chunk) in self.exports.iter_mut().zip(chunks) {
            export.write(chunk)?;
        }
        // Decided by the bytes that were written and by nothing else: an interrupted run must make the same parts.
        let (n_open, bytes) = self
            .exports
            .iter()
            .map(ExportWriter::unresumable)
            .fold((0, 0), |sum, export| (sum.0 + export.0 as u64, sum.1 + export.1));
        let with_parts = self.opened.exports.iter().filter(|export| export.info.flags.parts);
        let part_bytes = with_parts.map(|export| export.max_part_bytes).max().unwrap_or(u64::MAX);
        if n_open > 0 && bytes >= part_bytes.saturating_mul(n_open.min(MAX_PARTS_UNTIL_NOTED)) {
            self.close_parts()?;
        }
        self.tell_parts();
        Ok(())
    }

    /// Finishes the parts that cannot be resumed.
    fn close_parts(&mut self) -> Result<(), RunError> {
        for export in self.exports.iter_mut().filter(|export| export.has_parts()) {
            export.close_parts()?;
        }
        Ok(())
    }

    fn count(&mut self, tally: Tally, [kept, dropped, failed]: [u64; 3], bytes: u64) {
        let records = kept + dropped + failed;
        let kept = if self.spill.is_some() { 0 } else { kept };
        self.events.tell(&Event::Block { bytes, tally: &tally, records, kept, dropped, failed });
        self.tally.add(tally);
        self.tally.kept += kept;
        self.tally.dropped += dropped;
        self.tally.failed += failed;
    }

    /// Notes how far the run is, if it could go on from here.
    pub(crate) fn save_checkpoint(&mut self) -> Result<(), RunError> {
        let Some(work_folder) = self.work_folder.clone().filter(|_| self.is_resumable) else { return Ok(()) };
        // Asked first: what the others must put on the disk takes time.
        if self.exports.iter().any(|export| export.unresumable().0 > 0) {
            return Ok(());
        }
        let mut states = Vec::with_capacity(self.exports.len());
        for export in &mut self.exports {
            states.push(export.save()?);
        }
        if let Some(spill) = &mut self.spill {
            self.now.spill_bytes = spill.save()?;
        }
        if let (Some(fates), Some(lengths)) = (&mut self.fates, &mut self.now.fates)
            && let Some(length) = lengths.last_mut()
        {
            *length = fates.save()?;
        }
        self.now.exports = states;
        self.now.tally.clone_from(&self.tally);
        self.now.write(&work_folder)?;
        self.checkpointed = Instant::now();
        self.has_checkpoint = true;
        self.events.tell(&Event::Checkpoint { tally: &self.now.tally, folder: &work_folder.folder });
        Ok(())
    }

    /// Tells of the parts that have been finished since it was last asked.
    fn tell_parts(&mut self) {
        if !self.events.has(Interest::PARTS) {
            return;
        }
        for (export, told) in self.exports.iter().zip(&mut self.told) {
            let manifest = export.manifest();
            for file in manifest.files.iter().skip(*told) {
                self.events.tell(&Event::Part { export: &manifest.id, file });
            }
            *told = manifest.files.len();
        }
    }

    /// Ends a segment that has put everything aside for the next.
    pub(crate) fn end_segment(&mut self) -> Result<(), RunError> {
        if let Some(mut spill) = self.spill.take() {
            self.now.source_bytes = spill.save()?;
        }
        let fates = self.end_fates()?;
        self.now = Checkpoint {
            fingerprint: std::mem::take(&mut self.now.fingerprint),
            segment: self.now.segment + 1,
            source_bytes: self.now.source_bytes,
            source_records: self.now.spilled,
            fates,
            ..Checkpoint::default()
        };
        self.close_parts()?;
        self.save_checkpoint()
    }

    /// How long the fates of the segments are up to this one, which ends, and those of the next, which has none yet.
    fn end_fates(&mut self) -> Result<Option<Vec<u64>>, RunError> {
        let Some(mut lengths) = self.now.fates.take() else { return Ok(None) };
        if let (Some(mut fates), Some(length)) = (self.fates.take(), lengths.last_mut()) {
            *length = fates.save()?;
        }
        lengths.push(0);
        Ok(Some(lengths))
    }

    /// Makes one table of what became of all records.
    fn finish_fates(&mut self) -> Result<(), RunError> {
        let (Some(work_folder), Some(fates)) = (&self.work_folder, &self.fates) else { return Ok(()) };
        let mut lengths = self.now.fates.clone().unwrap_or_default();
        if let Some(length) = lengths.last_mut() {
            *length = fates.length();
        }
        let segments = lengths.into_iter().enumerate();
        let segments: Vec<_> =
            segments.map(|(index, length)| (work_folder.fates_of(index), length)).collect();
        let name = format!("{WORK}/{FATES}");
        self.manifest.fates = Some(fates::finish(&segments, &work_folder.fates(), &name)?);
        Ok(())
    }

    /// Ends the exports and checks the counts; the manifest says so.
    pub(crate) fn finish(&mut self) -> Result<(), RunError> {
        for export in &mut self.exports {
            export.finish()?;
        }
        self.tell_parts();
        self.finish_fates()?;
        // Listed before anything is checked, so that the next run can take the files away.
        self.write_manifest()?;
        if let Some(message) = self.imbalance() {
            return Err(RunError::Unbalanced { message });
        }
        Ok(())
    }

    /// The last word: everything was written.
    pub(crate) fn complete(&mut self) -> Result<(), RunError> {
        self.check_written()?;
        self.manifest.complete = true;
        self.tally.note_silent(self.opened);
        self.manifest.tally.clone_from(&self.tally);
        self.write_manifest()?;
        // Last, so that whoever looks there finds all of it; and if this fails, the next run has only this to do.
        self.mirror.map_or(Ok(()), |mirror| mirror.publish(&self.manifest))
    }

    /// What was written must still be there: a run takes long, and somebody may have tidied up meanwhile.
    fn check_written(&self) -> Result<(), RunError> {
        let Some(folder) = &self.work_folder else { return Ok(()) };
        if let Some(mirror) = self.mirror {
            mirror.drain()?;
            let changed = mirror.first_changed(&self.manifest.exports)?;
            return changed.map_or(Ok(()), |(path, why)| Err(RunError::Taken { path, why }));
        }
        for export in &self.manifest.exports {
            for entry in &export.files {
                let path = folder.folder.join(&export.folder).join(&entry.name);
                let why = match path.metadata() {
                    Ok(metadata) if metadata.len() == entry.bytes => continue,
                    Ok(metadata) => format!("it has {} bytes instead of {}", metadata.len(), entry.bytes),
                    Err(error) => error.to_string(),
                };
                return Err(RunError::Taken { path, why });
            }
        }
        Ok(())
    }

    /// Leaves what is not finished for the next run to go on with, or, if it could not, takes it away.
    ///
    /// With `note` nothing is wrong with the disk, and the last word can be more than what was checkpointed last.
    pub(crate) fn abandon(&mut self, note: bool) {
        if note && self.is_between_tasks {
            // Else the run goes on from what was checkpointed before.
            let _ = self.save_checkpoint();
        }
        for export in &mut self.exports {
            if self.has_checkpoint {
                export.suspend();
            } else {
                export.abandon();
            }
        }
        self.manifest.complete = false;
        self.manifest.fates = None;
        self.manifest.tally = Tally::default();
        // The run has broken for a reason of its own, such as a full disk, which keeps the manifest from being
        // written as well; then the journals stay, which say the same.
        if self.write_manifest().is_ok() && !self.has_checkpoint {
            self.exports.iter_mut().for_each(ExportWriter::forget);
        }
    }

    pub(crate) fn write_manifest(&mut self) -> Result<(), RunError> {
        self.manifest.exports = self.exports.iter().map(|export| export.manifest().clone()).collect();
        match &self.work_folder {
            Some(work_folder) => self.manifest.write(&work_folder.folder),
            None => Ok(()),
        }
    }

    /// The tally must add up, every export must have written each record of its kind once, and each file and byte
    /// that was listed must have been read or written off.
    fn imbalance(&self) -> Option<String> {
        let exports = self.opened.exports.iter().zip(&self.exports);
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
        let input = self.listed.and_then(|(files, bytes)| self.tally.input.imbalance(files, bytes));
        let all = self.tally.kept + self.tally.dropped + self.tally.failed;
        let fates = self.manifest.fates.as_ref().filter(|fates| fates.records != all);
        let fates = fates.map(|it| format!("the fate table has {} rows for {all} records", it.records));
        self.tally.imbalance().into_iter().chain(lost).chain(input).chain(fates).next()
    }
}
