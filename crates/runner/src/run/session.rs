//! One run of a plan: its segments, one after the other.

use std::collections::BTreeSet;
use std::ops::Range;
use std::path::PathBuf;
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use tamis_config::{Opened, Plan};

use crate::clock::{Chore, Stopwatch};
use crate::disk::manifest;
use crate::disk::manifest::Manifest;
use crate::disk::spill::{SpillReader, SpillWriter};
use crate::disk::states;
use crate::disk::work_folder::WorkFolder;
use crate::error::RunError;
use crate::fates::FateWriter;
use crate::observer::{Event, Events};
use crate::read::feeder::{Feeder, InputFeed};
use crate::read::inputs::Inputs;
use crate::read::stream::Opener;
use crate::read::unpack::Unpacker;
use crate::remote::Mirror;
use crate::segment::{Reads, Segment, Shard, StateName, Writes};
use crate::settings::Settings;
use crate::tally::Tally;
use crate::work::chain::Chain;
use crate::work::scheduler::Scheduler;
use crate::work::task::Position;
use crate::work::worker::Workers;
use crate::write::checkpoint::Checkpoint;
use crate::write::export::ExportWriter;
use crate::write::writer::Writer;

/// What part of the memory bound of a run exporters share that hold open parts in memory.
const PARTS_SHARE: u64 = 8;

/// One run of a plan.
pub(crate) struct Session<'a> {
    pub(crate) opened: &'a Opened,
    pub(crate) settings: &'a Settings,
    pub(crate) events: Events<'a>,
    pub(crate) files: &'a Inputs,
    /// The files that this run reads.
    pub(crate) range: Range<usize>,
    /// Where each export goes.
    pub(crate) places: &'a [PathBuf],
    pub(crate) work_folder: WorkFolder,
    /// The object store that it writes to, if it does.
    pub(crate) mirror: Option<&'a Mirror>,
    pub(crate) pool: &'a rayon::ThreadPool,
    /// Whether the inputs can be read again.
    pub(crate) is_resumable: bool,
    pub(crate) segments: Vec<Segment>,
}

/// What was run to its end.
pub(crate) enum End {
    /// The plan.
    Plan,
    /// A segment, which others follow.
    Segment,
}

impl<'a> Session<'a> {
    /// Runs the segments that are left.
    pub(crate) fn run(
        &self,
        manifest: Manifest,
        checkpoint: Option<Checkpoint>,
    ) -> Result<(Manifest, Tally, End), RunError> {
        let needs_work = self.segments.len() > 1 || self.settings.task.is_some();
        if needs_work || !self.settings.is_dry() {
            self.work_folder.create()?;
        }
        let mut writer = self.writer(manifest, checkpoint)?;
        let ran = self.run_segments(&mut writer);
        match ran {
            Ok(End::Plan) => {
                if let Err(error) = writer.complete() {
                    // The parts are whole, but nothing says so: the next run must be able to find them.
                    writer.abandon(false);
                    return Err(error);
                }
                self.work_folder.clear()?;
                Ok((writer.manifest, writer.tally, End::Plan))
            }
            Ok(End::Segment) => {
                writer.abandon(false);
                Ok((writer.manifest, writer.tally, End::Segment))
            }
            Err(error) => {
                writer.abandon(matches!(error, RunError::Interrupted));
                if self.settings.is_dry() || !writer.has_checkpoint {
                    // The run has broken for a reason of its own.
                    let _ = self.work_folder.clear();
                }
                Err(error)
            }
        }
    }

    /// The writer, as far as an earlier run has come.
    fn writer(&self, manifest: Manifest, checkpoint: Option<Checkpoint>) -> Result<Writer<'a>, RunError> {
        let has_checkpoint = checkpoint.is_some();
        // A run that is resumed makes a table of fates if it has begun to.
        let notes_fates = self.opened.plan.run.fates && !self.settings.is_dry();
        let mut now = checkpoint.unwrap_or_else(|| Checkpoint {
            fates: notes_fates.then(|| vec![0]),
            fingerprint: manifest.fingerprint.clone(),
            next: Position { file: self.range.start, ..Position::default() },
            ..Checkpoint::default()
        });
        let base = &self.work_folder.folder;
        let budget = budget(&self.opened.plan);
        let mut saved = std::mem::take(&mut now.exports).into_iter();
        let mut stream = self.settings.stream.clone();
        let exports = self.opened.exports.iter().zip(self.places).enumerate();
        let exports = exports.map(|(index, (export, place))| {
            let outbox = self.mirror.map(|mirror| mirror.outbox(index));
            match saved.next() {
                _ if self.settings.is_dry() => {
                    ExportWriter::dry(export, place, base).streaming(stream.take())
                }
                Some(state) => ExportWriter::restore(export, place, base, budget, state, outbox),
                None => ExportWriter::new(export, place, base, budget).to(outbox),
            }
        });
        let exports = exports.collect::<Result<Vec<_>, _>>()?;
        Ok(Writer {
            opened: self.opened,
            events: self.events,
            work_folder: (!self.settings.is_dry()).then(|| self.work_folder.clone()),
            mirror: self.mirror,
            told: exports.iter().map(|export| export.manifest().files.len()).collect(),
            exports,
            manifest,
            listed: self.settings.limit.is_none().then(|| self.listed()),
            spill: None,
            fates: None,
            tally: std::mem::take(&mut now.tally),
            now,
            interval: Duration::try_from_secs_f64(self.opened.plan.run.checkpoint_secs)
                .unwrap_or(Duration::MAX),
            checkpointed: Instant::now(),
            is_resumable: self.is_resumable,
            has_checkpoint,
            is_between_tasks: true,
        })
    }

    /// How many files this run reads, and their bytes.
    fn listed(&self) -> (u64, u64) {
        let files = self.range.clone().filter(|file| self.files.begins(*file)).count();
        (files as u64, self.files.size_of(self.range.clone()))
    }

    fn run_segments(&self, writer: &mut Writer<'a>) -> Result<End, RunError> {
        let first = writer.now.segment;
        let mut prepared = BTreeSet::new();
        if let Some(segment) = self.segments.get(first) {
            self.load_states(segment, &mut prepared, &mut writer.tally)?;
        }
        for segment in &self.segments[first..] {
            if let Some(name) = &segment.observes {
                self.prepare(name, &mut prepared)?;
            }
            self.run_segment(segment, writer)?;
            self.events.tell(&Event::SegmentEnded { segment });
            let Some(name) = &segment.observes else { break };
            self.save_state(name, segment, writer)?;
            if self.settings.task.is_some() {
                return Ok(End::Segment);
            }
            let (stage, handle) = states::corpus(self.opened, name)?;
            let watch = Stopwatch::start();
            handle.end_pass(name.pass).map_err(|failure| RunError::stage(&stage.id, &failure))?;
            writer.tally.stage("stage", &stage.id).time += watch.spent();
        }
        let watch = Stopwatch::start();
        if !self.settings.is_dry() {
            writer.manifest.learned = self.learned()?;
        }
        writer.finish()?;
        writer.tally.spend(Chore::Writing, watch.spent());
        Ok(End::Plan)
    }

    /// Gives a corpus stage its place on the disk, once.
    fn prepare(&self, name: &StateName, prepared: &mut BTreeSet<String>) -> Result<(), RunError> {
        if !prepared.insert(name.stage.clone()) {
            return Ok(());
        }
        let (stage, handle) = states::corpus(self.opened, name)?;
        let scratch = self.work_folder.scratch();
        let keep = if self.settings.is_dry() { scratch.clone() } else { self.work_folder.learned() };
        let workspace = states::workspace(&self.opened.plan, stage, &scratch, &keep)?;
        handle.prepare(&workspace).map_err(|failure| RunError::stage(&stage.id, &failure))
    }

    /// Gives corpus stages back what they have learned in segments that were run before.
    fn load_states(
        &self,
        segment: &Segment,
        prepared: &mut BTreeSet<String>,
        tally: &mut Tally,
    ) -> Result<(), RunError> {
        let given = self.settings.task.as_ref().map_or(&[][..], |task| &task.states);
        let given = states::read(&self.opened.plan, given)?;
        let count = self.settings.shard.map_or(1, |shard| shard.count);
        for saved in &given {
            saved.check_whole(count)?;
        }
        if let Some(other) = given.iter().find(|saved| !segment.needs.contains(&saved.name)) {
            let message = format!(
                "it is the state of pass {} of `{}`, which segment {} does not need",
                other.name.pass, other.name.stage, segment.index
            );
            return Err(RunError::State { path: other.path.clone(), message });
        }
        for name in &segment.needs {
            self.prepare(name, prepared)?;
            let given = given.iter().find(|saved| saved.name == *name).map(|saved| saved.path.clone());
            self.check_merged(name, given.is_some())?;
            let watch = Stopwatch::start();
            states::end_pass(self.opened, &given.unwrap_or_else(|| self.work_folder.state(name)))?;
            tally.stage("stage", &name.stage).time += watch.spent();
        }
        Ok(())
    }

    /// What this shard has seen alone is not what all of them have seen.
    fn check_merged(&self, name: &StateName, is_given: bool) -> Result<(), RunError> {
        let is_one_of_many = self.settings.shard.is_some_and(|shard| shard.count > 1);
        if is_given || !is_one_of_many || self.settings.task.is_none() {
            return Ok(());
        }
        let message = format!(
            "it needs the state of pass {} of `{}`, merged from all shards: give it with `--state`",
            name.pass, name.stage
        );
        Err(RunError::Task { message })
    }

    /// Saves what a corpus stage has seen, and notes that the segment is over.
    fn save_state(
        &self,
        name: &StateName,
        segment: &Segment,
        writer: &mut Writer<'a>,
    ) -> Result<(), RunError> {
        let (stage, handle) = states::corpus(self.opened, name)?;
        let watch = Stopwatch::start();
        handle.merge(name.pass).map_err(|failure| RunError::stage(&stage.id, &failure))?;
        if !self.settings.is_dry() {
            let shard = self.settings.shard.unwrap_or(Shard { index: 0, count: 1 });
            let shards = BTreeSet::from([shard.index]);
            states::save(self.opened, name, &self.work_folder.state(name), shards, shard.count)?;
        }
        writer.tally.stage("stage", &stage.id).time += watch.spent();
        writer.end_segment()?;
        // Nobody needs it any more; what is left of it goes with the rest at the end.
        if segment.reads == Reads::Spill {
            let _ = std::fs::remove_file(self.work_folder.spill(segment.index - 1));
        }
        Ok(())
    }

    fn run_segment(&self, segment: &Segment, writer: &mut Writer<'a>) -> Result<(), RunError> {
        let now = writer.now.clone();
        let spills = segment.writes == Writes::Spill;
        let spill = self.work_folder.spill(segment.index);
        writer.spill = if spills { Some(SpillWriter::open(spill.clone(), now.spill_bytes)?) } else { None };
        let fates = now.fates.as_ref().and_then(|lengths| lengths.last());
        let fates = fates.map(|length| FateWriter::open(self.work_folder.fates_of(segment.index), *length));
        writer.fates = fates.transpose()?;
        let seen = (spills && now.frames > 0).then(|| SpillReader::open(&spill, now.spill_bytes));
        let scheduler = Scheduler::new(self.opened.plan.run.memory, self.pool.current_num_threads());
        let helpers: Arc<dyn tamis_input::Helpers> = Arc::<Scheduler>::clone(&scheduler);
        let unpacker = Unpacker::new(self.work_folder.unpacked());
        let opener = Opener::new(helpers, unpacker, self.opened.plan.run.memory);
        let (stages, observes) = segment.of(self.opened);
        self.begin(segment, &now);
        let feeder = self.feeder(segment, &now, writer.tally.read, &opener, seen.transpose()?)?;
        let workers = Workers {
            chain: Chain {
                opened: self.opened,
                events: self.events,
                stages,
                observes,
                only: self.files.only.as_deref(),
            },
            files: self.files,
            opener: &opener,
            spills,
            spilled: AtomicU64::new(now.spill_bytes),
            notes_fates: writer.fates.is_some(),
            scheduler,
            chores: Mutex::default(),
            feeder: Mutex::new(feeder),
            writer: Mutex::new(writer),
        };
        workers.work(self.pool, self.settings.grace.as_ref())?;
        let now = &writer.now;
        if segment.reads == Reads::Spill && now.unspilled != now.source_records {
            let (read, put) = (now.unspilled, now.source_records);
            return Err(RunError::Unbalanced {
                message: format!(
                    "{put} records were put aside for segment {}, and {read} came back",
                    segment.index
                ),
            });
        }
        Ok(())
    }

    fn feeder<'s>(
        &'s self,
        segment: &Segment,
        now: &Checkpoint,
        read: u64,
        opener: &'s Opener,
        seen: Option<SpillReader>,
    ) -> Result<Feeder<'s>, RunError> {
        if segment.reads == Reads::Spill {
            let spill = SpillReader::open(&self.work_folder.spill(segment.index - 1), now.source_bytes)?;
            return Feeder::spill(spill, now.next.file, seen);
        }
        let wanted = self.settings.limit.map(|limit| limit.saturating_sub(read));
        let range = self.range.clone();
        let mut feed = InputFeed::new(self.opened, self.events, opener, self.files, range, wanted);
        feed.resume(now.next)?;
        Ok(Feeder::inputs(feed, seen))
    }

    fn begin(&self, segment: &Segment, now: &Checkpoint) {
        let size = |range: Range<usize>| self.files.size_of(range);
        let (total_bytes, bytes) = match segment.reads {
            Reads::Spill => (now.source_bytes, 0),
            Reads::Sources => (size(self.range.clone()), size(self.range.start..now.next.file)),
        };
        let segments = self.segments.len();
        self.events.tell(&Event::SegmentBegun { segment, segments, total_bytes, bytes });
    }

    /// The files that corpus stages have left for the user.
    fn learned(&self) -> Result<Vec<manifest::Learned>, RunError> {
        let stages = self.segments.iter().filter_map(|segment| segment.observes.as_ref());
        let stages: BTreeSet<&String> = stages.map(|name| &name.stage).collect();
        let learned = stages.into_iter().map(|stage| manifest::Learned::of(&self.work_folder.folder, stage));
        Ok(learned.collect::<Result<Vec<_>, _>>()?.into_iter().flatten().collect())
    }
}

/// What exporters may hold in memory for parts that only they can finish, in bytes, one export.
fn budget(plan: &Plan) -> u64 {
    let n_exports = plan.exports.iter().filter(|export| export.info.flags.parts).count().max(1);
    plan.run.memory / PARTS_SHARE / n_exports as u64
}
