//! Decides what a run has to do: begin, go on where an earlier one stopped, or nothing.

use std::ops::Range;
use std::path::{Path, PathBuf};
use std::time::Instant;

use tamis_config::{Opened, Plan};

use crate::clock::{Chore, Stopwatch};
use crate::disk::fingerprint::{Resolved, fingerprint, folder_from};
use crate::disk::folder::{self, Locks};
use crate::disk::journal;
use crate::disk::manifest::Manifest;
use crate::disk::names::MANIFEST;
use crate::disk::previous;
use crate::disk::shards;
use crate::disk::work_folder::WorkFolder;
use crate::error::RunError;
use crate::observer::{Event, Events, Observer};
use crate::read::inputs::{self, Inputs};
use crate::remote::Mirror;
use crate::report::{Finish, Report};
use crate::segment::{Shard, segments};
use crate::settings::Settings;
use crate::tally::Tally;
use crate::write::checkpoint::Checkpoint;
use crate::write::export::ExportWriter;
use addition::Addition;
use session::{End, Session};

mod addition;
mod difference;
mod session;

/// What a run begins with.
struct Setup<'a> {
    opened: &'a Opened,
    settings: &'a Settings,
    inputs: Inputs,
    /// The files that this run reads.
    range: Range<usize>,
    /// Where each export goes; the manifest lies in the first.
    places: Vec<PathBuf>,
    manifest: Manifest,
    work_folder: WorkFolder,
    /// The run that is added to, and its folder.
    added_to: Option<(PathBuf, Manifest)>,
}

/// What an earlier run has left to do.
enum Start {
    Done(Box<Manifest>),
    Resume(Box<Checkpoint>),
    Begin { restarted: bool },
}

/// Runs a plan whose stages are open.
///
/// # Errors
///
/// When nothing can be read, the output folder holds something else, a file cannot be written, or the
/// records do not add up, or the run was cancelled. A record that fails is no error: it becomes a dead letter.
#[expect(clippy::needless_pass_by_value, reason = "what was opened is for one run, which uses it up")]
pub fn run(opened: Opened, settings: &Settings, observer: &dyn Observer) -> Result<Report, RunError> {
    let events = Events::new(observer);
    events.tell(&Event::RunBegun { plan: &opened.plan });
    let result = run_observed(&opened, settings, events);
    events.tell(&Event::RunEnded { result: result.as_ref() });
    result
}

fn run_observed(opened: &Opened, settings: &Settings, events: Events<'_>) -> Result<Report, RunError> {
    let start = Instant::now();
    let plan = &opened.plan;
    check_shard(plan, settings)?;
    check_store(plan, settings)?;
    let watch = Stopwatch::start();
    let base = folder::of_exports(plan, None, settings)?;
    // What is added to must not be replaced meanwhile.
    let is_there = base.first().is_some_and(|folder| folder.join(MANIFEST).exists());
    let is_locked = settings.add && is_there && !settings.is_dry();
    let _base_locks = if is_locked { Some(Locks::take(plan, &base)?) } else { None };
    let setup = Setup::new(opened, settings, &base)?;
    let listing = watch.spent();
    let pool = &*settings.pool(plan)?;
    if let (Some(_), Some(name)) = (&settings.task, setup.inputs.unrepeatable()) {
        let message =
            format!("{name} cannot be read again by the segments to come: write it to a file first");
        return Err(RunError::Task { message });
    }
    let report = |finish, mut tally: Tally, manifest| {
        tally.spend(Chore::Listing, listing);
        Report {
            finish,
            tally,
            manifest,
            folder: setup.work_folder.folder.clone(),
            place: setup.work_folder.folder.clone(),
            elapsed: start.elapsed(),
            threads: pool.current_num_threads(),
            restarted: false,
            resumed: false,
        }
    };
    if let Some((folder, base)) = setup.nothing_to_add() {
        let report = report(Finish::AlreadyDone, base.tally.clone(), base.clone());
        return Ok(Report { folder: folder.clone(), place: folder.clone(), ..report });
    }
    if settings.is_dry() {
        let scratch = Scratch::new(settings)?;
        let work_folder = WorkFolder::new(plan, scratch.path());
        let session = setup.session(events, pool, work_folder, None);
        let (manifest, tally, _) = session.run(setup.manifest.clone(), None)?;
        return Ok(report(Finish::Dry, tally, manifest));
    }
    let address = plan.exports.first().and_then(|export| export.address());
    let locks = Locks::take(plan, &setup.places);
    let _locks = locks.map_err(|error| error.moved(|_| address.map(PathBuf::from)))?;
    let mirror = setup.mirror()?;
    let mirror = mirror.as_ref();
    // Who reads a report wants to know where the output is, and not where it was prepared.
    let report = |finish, tally, manifest: Manifest| match mirror {
        None => report(finish, tally, manifest),
        Some(mirror) => {
            Report { place: mirror.address(), ..report(finish, tally, mirror.outward(&manifest)) }
        }
    };
    let named = |error| match mirror {
        Some(mirror) => mirror.named(error),
        None => error,
    };
    let start = setup.start(mirror).inspect_err(|_| mirror.into_iter().for_each(Mirror::withdraw));
    let (checkpoint, restarted) = match start.map_err(named)? {
        Start::Done(manifest) => {
            mirror.map_or(Ok(()), |mirror| mirror.settle(&manifest))?;
            return Ok(report(Finish::AlreadyDone, manifest.tally.clone(), *manifest));
        }
        Start::Resume(checkpoint) => (Some(*checkpoint), false),
        Start::Begin { restarted } => (None, restarted),
    };
    let resumed = checkpoint.is_some();
    let session = setup.session(events, pool, setup.work_folder.clone(), mirror);
    let ran = session.run(setup.manifest.clone(), checkpoint);
    let (manifest, tally, end) = ran.map_err(|error| setup.for_good(error)).map_err(named)?;
    let finish = match end {
        End::Plan => Finish::Done,
        End::Segment => Finish::Segment,
    };
    Ok(Report { restarted, resumed, ..report(finish, tally, manifest) })
}

/// What an output in an object store cannot be made by.
fn check_store(plan: &Plan, settings: &Settings) -> Result<(), RunError> {
    let Some(address) = plan.exports.first().and_then(|export| export.address()) else { return Ok(()) };
    if settings.add {
        let why = "additions lie beside what is there, which a run must read, and it does not read it from a store: write \
                   to a folder, or make all of it anew with `--fresh`";
        return Err(RunError::Addition { folder: address.into(), why: why.to_owned() });
    }
    if settings.task.is_some() {
        let message = format!(
            "what a segment leaves for the next lies beside the output, and `{address}` is in an object store: write to a \
             folder that all machines see, or run all segments in one go"
        );
        return Err(RunError::Task { message });
    }
    Ok(())
}

/// Where a dry run puts what it must put aside: nothing of the output may change, its work folder included.
enum Scratch<'a> {
    Given(&'a Path),
    Own(tempfile::TempDir),
}

impl<'a> Scratch<'a> {
    fn new(settings: &'a Settings) -> Result<Self, RunError> {
        match &settings.scratch {
            Some(folder) => Ok(Self::Given(folder)),
            None => tempfile::tempdir().map(Self::Own).map_err(RunError::write(&std::env::temp_dir())),
        }
    }

    fn path(&self) -> &Path {
        match self {
            Self::Given(folder) => folder,
            Self::Own(folder) => folder.path(),
        }
    }
}

/// A shard alone must not teach a stage that has to see all of them.
fn check_shard(plan: &Plan, settings: &Settings) -> Result<(), RunError> {
    let is_one_of_many = settings.shard.is_some_and(|shard| shard.count > 1);
    let observing = segments(plan).into_iter().find_map(|segment| segment.observes);
    match observing {
        Some(name) if is_one_of_many && settings.task.is_none() => Err(RunError::Task {
            message: format!(
                "`{}` must see the documents of all shards: run one segment after the other with `--segment`, \
                 as `tamis plan` tells",
                name.stage
            ),
        }),
        _ => Ok(()),
    }
}

impl<'a> Setup<'a> {
    /// `base` are the folders of the exports.
    fn new(opened: &'a Opened, settings: &'a Settings, base: &[PathBuf]) -> Result<Self, RunError> {
        let plan = &opened.plan;
        let mut inputs = inputs::list(plan, &opened.run)?;
        inputs.only.clone_from(&settings.only);
        let mut below = settings.shard.map(Shard::folder);
        // Of a shard, too, as those of the whole: its own folders lie apart, and say which shard it is.
        let mut manifest = begin(plan, settings, &inputs, base)?;
        let mut added_to = None;
        if settings.add {
            let addition = Addition::find(opened, base, &manifest, inputs, settings.fresh)?;
            (inputs, below) = (addition.inputs, Some(addition.folder));
            manifest = Manifest { added: Some(addition.added), ..begin(plan, settings, &inputs, base)? };
            added_to = Some(addition.base);
        }
        // Behind all that is said of the inputs of the whole.
        let range = match settings.shard {
            Some(shard) => {
                let between = shard.share(opened, &inputs)?;
                inputs.leave(between)
            }
            None => 0..inputs.len(),
        };
        let places = folder::of_exports(plan, below.as_deref(), settings)?;
        let folder = places
            .first()
            .ok_or_else(|| RunError::Internal { message: "a plan without exports".to_owned() })?;
        let work_folder = WorkFolder::new(plan, folder);
        Ok(Self { opened, settings, inputs, range, places, manifest, work_folder, added_to })
    }

    /// The object store that it writes to, if it does.
    fn mirror(&self) -> Result<Option<Mirror>, RunError> {
        let below = self.settings.shard.map(Shard::folder);
        Mirror::open(&self.opened.plan, self.settings, &self.places, below.as_deref(), &self.opened.run)
    }

    /// The run that is added to, if there is nothing to add.
    fn nothing_to_add(&self) -> Option<&(PathBuf, Manifest)> {
        self.added_to.as_ref().filter(|_| self.inputs.len() == 0)
    }

    /// Whoever interrupts a run of inputs that cannot be read again should not be told to go on.
    fn for_good(&self, error: RunError) -> RunError {
        match (error, self.inputs.unrepeatable()) {
            (RunError::Interrupted, Some(name)) => RunError::InterruptedForGood { name },
            (error, _) => error,
        }
    }

    fn session<'s>(
        &'s self,
        events: Events<'s>,
        pool: &'s rayon::ThreadPool,
        work_folder: WorkFolder,
        mirror: Option<&'s Mirror>,
    ) -> Session<'s> {
        Session {
            opened: self.opened,
            settings: self.settings,
            events,
            files: &self.inputs,
            range: self.range.clone(),
            places: &self.places,
            work_folder,
            mirror,
            pool,
            is_resumable: self.inputs.unrepeatable().is_none(),
            segments: segments(&self.opened.plan),
        }
    }

    /// Finds out what an earlier run has left to do, and makes room where this one begins.
    fn start(&self, mirror: Option<&Mirror>) -> Result<Start, RunError> {
        let folder = &self.work_folder.folder;
        let earlier =
            if self.settings.fresh { Manifest::read_listing(folder)? } else { Manifest::read(folder)? };
        let earlier = earlier.map(|earlier| self.placed(earlier));
        let is_first = self.settings.task.as_ref().is_none_or(|task| task.segment == 0);
        if let Some(earlier) = &earlier
            && !self.settings.fresh
        {
            compare(folder, earlier, &self.manifest, self.moved(earlier))?;
            if let Some(name) = self.inputs.unrepeatable() {
                let why =
                    format!("{name} cannot be read again, so nobody can tell whether it is the same input");
                return Err(RunError::other(folder, &why));
            }
            if earlier.complete {
                previous::check_finished(folder, earlier, mirror)?;
                self.tidy()?;
                return Ok(Start::Done(Box::new(earlier.clone())));
            }
            if let Some(checkpoint) = Checkpoint::read(&self.work_folder, &self.manifest.fingerprint)? {
                return self.resume_segment(earlier, checkpoint);
            }
        }
        if !is_first {
            let message = "the segments before it have not been run here: run them first, with the same \
                           output folder and the same shard";
            return Err(RunError::Task { message: message.to_owned() });
        }
        self.prepare(earlier.as_ref(), mirror)?;
        Ok(Start::Begin { restarted: earlier.is_some() && !self.settings.fresh })
    }

    /// The manifest of a run like this one with the folders of its exports where they are now: what does not lie below
    /// the folder of the manifest is named by its whole path, which another place has changed if all of it was moved.
    fn placed(&self, mut earlier: Manifest) -> Manifest {
        if earlier.fingerprint.plan == self.manifest.fingerprint.plan {
            for (export, place) in self.opened.plan.exports.iter().zip(&self.places) {
                if let Some(known) = earlier.exports.iter_mut().find(|known| known.id == export.id) {
                    known.folder = folder_from(place, &self.work_folder.folder);
                }
            }
        }
        earlier
    }

    /// What says that an export went elsewhere then, if one did.
    fn moved(&self, earlier: &Manifest) -> Option<String> {
        let mut exports = self.opened.exports.iter().zip(&self.places);
        exports.find_map(|(export, place)| {
            let now = folder_from(place, &self.work_folder.folder);
            let then = &earlier.exports.iter().find(|earlier| earlier.id == export.id)?.folder;
            let differs = || {
                let [then, now] = [then, &now].map(|folder| self.work_folder.folder.join(folder));
                format!(
                    "export `{}` went to `{}`, and now goes to `{}`",
                    export.id,
                    then.display(),
                    now.display()
                )
            };
            (*then != now).then(differs)
        })
    }

    /// Takes away what a run leaves that is killed when its manifest is written and before all else has gone.
    fn tidy(&self) -> Result<(), RunError> {
        for place in &self.places {
            journal::forget(place)?;
        }
        self.work_folder.clear()
    }

    /// Whether the segment that is asked for is the one that comes next.
    fn resume_segment(&self, earlier: &Manifest, checkpoint: Checkpoint) -> Result<Start, RunError> {
        match &self.settings.task {
            Some(task) if task.segment < checkpoint.segment => Ok(Start::Done(Box::new(earlier.clone()))),
            Some(task) if task.segment > checkpoint.segment => {
                let message = format!(
                    "segment {} comes next in `{}`, before segment {}",
                    checkpoint.segment,
                    self.work_folder.folder.display(),
                    task.segment
                );
                Err(RunError::Task { message })
            }
            _ => Ok(Start::Resume(Box::new(checkpoint))),
        }
    }

    /// Makes room for the output; looks before it takes anything away.
    fn prepare(&self, earlier: Option<&Manifest>, mirror: Option<&Mirror>) -> Result<(), RunError> {
        let folder = &self.work_folder.folder;
        previous::check_free(&self.places, folder, earlier)?;
        previous::check_inputs(folder, earlier, self.inputs.paths())?;
        mirror.map_or(Ok(()), Mirror::make_room)?;
        if self.settings.shard.is_some() {
            shards::withdraw(folder)?;
        }
        previous::clear(&self.places, folder, earlier)?;
        if self.added_to.is_none() {
            // They belonged to what is replaced.
            addition::clear(&self.opened.plan, &self.places, folder)?;
        }
        self.work_folder.clear()?;
        // Before the manifest, which says that there is a run.
        self.inputs.known().write(folder)?;
        // With the exports, or a run that is killed before it has listed a part leaves one that nobody knows.
        let exports = self.opened.exports.iter().zip(&self.places);
        let exports =
            exports.map(|(export, place)| ExportWriter::dry(export, place, folder).manifest().clone());
        Manifest { exports: exports.collect(), ..self.manifest.clone() }.write(folder)
    }
}

/// The manifest of a run that is about to begin.
fn begin(
    plan: &Plan,
    settings: &Settings,
    inputs: &Inputs,
    places: &[PathBuf],
) -> Result<Manifest, RunError> {
    Ok(Manifest {
        tamis: env!("CARGO_PKG_VERSION").to_owned(),
        pipeline: plan.name.clone(),
        fingerprint: fingerprint(plan, places, settings.limit, inputs.hash())?,
        resolved: Resolved::of(plan, places, settings.limit)?,
        input_files: inputs.len() as u64,
        input_bytes: inputs.size_of(0..inputs.len()),
        input_hidden: inputs.hidden(),
        ..Manifest::default()
    })
}

/// An earlier run in the same folder must have been the same run.
fn compare(folder: &Path, earlier: &Manifest, now: &Manifest, moved: Option<String>) -> Result<(), RunError> {
    if let Some(why) = difference::of_runs(earlier, now) {
        let moved = moved.filter(|_| earlier.tamis == now.tamis);
        return Err(RunError::other(folder, &moved.unwrap_or(why)));
    }
    if earlier.fingerprint.inputs != now.fingerprint.inputs {
        let why = format!("the inputs have changed since: {}", difference::of_inputs(earlier, now));
        if earlier.complete && now.added.is_none() && now.input_files > earlier.input_files {
            return Err(RunError::MoreInputs { folder: folder.to_owned(), why });
        }
        return Err(RunError::other(folder, &why));
    }
    Ok(())
}
