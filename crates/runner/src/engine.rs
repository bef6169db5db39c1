//! Puts feeder, workers and writer together.

use std::any::Any;
use std::num::NonZeroUsize;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, Sender, bounded};
use tamis_config::Plan;

use crate::block::Block;
use crate::credits::Credits;
use crate::earlier::{self, Lock};
use crate::feeder::{Fed, Feeder};
use crate::fingerprint::fingerprint;
use crate::inputs::{self, Inputs};
use crate::writer::{Done, Message, Writer};
use crate::{Manifest, Progress, RunError, Shard, Tally, Task, chain, encode, manifest, part};

/// How a plan is run, beside what the plan says itself.
#[derive(Debug, Clone, Default)]
pub struct Settings {
    /// Replace the output of an earlier run.
    pub fresh: bool,
    /// Do everything but write: nothing on the disk changes.
    pub dry_run: bool,
    /// Read this many records only: the first of the corpus.
    pub limit: Option<u64>,
    /// Read one of several equal parts of the inputs. Its output lies below the folder of each export, in
    /// `shard-00002-of-00008`.
    pub shard: Option<Shard>,
    /// Run one segment of the plan only; all of them if `None`.
    pub task: Option<Task>,
}

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Finish {
    /// Everything was read, worked through and written.
    Done,
    /// The same plan had already run to its end over the same inputs; nothing was done.
    AlreadyDone,
}

/// What a run did.
#[derive(Debug)]
pub struct Report {
    /// How it ended.
    pub finish: Finish,
    /// Where the records went, with the time spent in each stage.
    pub tally: Tally,
    /// What was written.
    pub manifest: Manifest,
    /// The folder of the manifest: that of the first export.
    pub folder: PathBuf,
    /// How long it took.
    pub elapsed: Duration,
    /// How many threads worked.
    pub threads: usize,
    /// Whether an earlier run had not finished and was begun again.
    pub restarted: bool,
}

/// Runs a plan.
///
/// # Errors
///
/// When nothing can be read, the output folder holds something else, a file cannot be written, or the
/// records do not add up. A record that fails is no error: it becomes a dead letter.
pub fn run(plan: &Plan, settings: &Settings, progress: &Progress) -> Result<Report, RunError> {
    let start = Instant::now();
    let folder = plan
        .exports
        .first()
        .map(|export| export.path.clone())
        .ok_or_else(|| RunError::Internal { message: "a plan without exports".to_owned() })?;
    let inputs = inputs::list(plan, progress)?;
    let threads = threads(plan);
    let manifest = begin(plan, &inputs)?;
    part::create_folder(&folder)?;
    let _lock = Lock::take(&folder)?;
    let earlier = if settings.fresh { Manifest::read_listing(&folder)? } else { Manifest::read(&folder)? };
    let report = |finish, tally, manifest, restarted| Report {
        finish,
        tally,
        manifest,
        folder: folder.clone(),
        elapsed: start.elapsed(),
        threads,
        restarted,
    };
    let restarted = earlier.is_some() && !settings.fresh;
    if let Some(earlier) = &earlier
        && !settings.fresh
    {
        compare(&folder, earlier, &manifest)?;
        if earlier.complete {
            earlier::check_finished(&folder, earlier)?;
            return Ok(report(Finish::AlreadyDone, earlier.tally.clone(), earlier.clone(), false));
        }
    }
    prepare(plan, &folder, earlier.as_ref(), &inputs)?;
    manifest.write(&folder)?;
    let writer = Writer::new(plan, progress, folder.clone(), manifest);
    let (manifest, tally) = execute(plan, &inputs, threads, progress, writer)?;
    Ok(report(Finish::Done, tally, manifest, restarted))
}

/// Makes room for the output; looks before it takes anything away.
fn prepare(plan: &Plan, folder: &Path, earlier: Option<&Manifest>, inputs: &Inputs) -> Result<(), RunError> {
    earlier::check_free(plan, folder, earlier)?;
    earlier::check_inputs(folder, earlier, inputs)?;
    // A folder that cannot be made should be known now, not when its first record comes. The one for failed
    // records that nobody asked for lies in the first, and is best not seen when it stays empty.
    for export in plan.exports.iter().filter(|export| !export.implicit) {
        part::create_folder(&export.path)?;
    }
    earlier::clear(plan, folder, earlier)
}

fn threads(plan: &Plan) -> usize {
    match plan.run.threads {
        0 => std::thread::available_parallelism().map_or(1, NonZeroUsize::get),
        threads => threads,
    }
}

/// The manifest of a run that is about to begin.
fn begin(plan: &Plan, inputs: &Inputs) -> Result<Manifest, RunError> {
    Ok(Manifest {
        tamis: env!("CARGO_PKG_VERSION").to_owned(),
        pipeline: plan.name.clone(),
        fingerprint: fingerprint(plan, &inputs.files)?,
        complete: false,
        input_files: inputs.files.len() as u64,
        input_bytes: inputs.size(),
        tally: Tally::default(),
        exports: Vec::new(),
    })
}

/// An earlier run in the same folder must have been the same run.
fn compare(folder: &Path, earlier: &Manifest, now: &Manifest) -> Result<(), RunError> {
    if earlier.fingerprint.plan != now.fingerprint.plan {
        return Err(manifest::other(
            folder,
            "the pipeline, a file that it names, a plugin or tamis has changed since",
        ));
    }
    if earlier.fingerprint.inputs != now.fingerprint.inputs {
        return Err(manifest::other(folder, "the inputs have changed since"));
    }
    Ok(())
}

/// Runs feeder, workers and writer until all have ended.
///
/// Each side ends when the channel to it closes, and closes its own: when the writer fails, workers and
/// feeder find nobody to send to; when a worker or the feeder breaks, the writer is told and fails. Nobody
/// waits for somebody who has gone.
fn execute(
    plan: &Plan,
    inputs: &Inputs,
    threads: usize,
    progress: &Progress,
    writer: Writer<'_>,
) -> Result<(Manifest, Tally), RunError> {
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(threads)
        .thread_name(|index| format!("tamis-worker-{index}"))
        .build()
        .map_err(|error| RunError::Internal { message: error.to_string() })?;
    let (credits, returned) = Credits::new(plan, threads);
    let (block_sender, blocks) = bounded(credits.max_blocks());
    let (results, messages) = bounded(credits.max_blocks());
    let feeder = Feeder::new(plan, progress, credits, block_sender);
    std::thread::scope(|scope| {
        let feeder_results = results.clone();
        scope.spawn(move || feed(feeder, inputs, &feeder_results));
        // The writer owns its ends of the channels: when it fails they close, and everybody stops.
        let writing = scope.spawn(move || writer.run(&messages, &returned));
        pool.scope(|workers| {
            for _ in 0..threads {
                let (blocks, results) = (blocks.clone(), results.clone());
                workers.spawn(move |_| work(plan, &blocks, &results));
            }
            // The channels close when the last worker and the feeder have dropped their ends.
            drop((blocks, results));
        });
        writing.join().unwrap_or_else(|panic| Err(panicked("the writing thread", panic.as_ref())))
    })
}

/// The reading thread.
fn feed(feeder: Feeder<'_>, inputs: &Inputs, results: &Sender<Message>) {
    let message = match catch_unwind(AssertUnwindSafe(|| feeder.run(inputs))) {
        Ok(Fed::All(blocks)) => Message::End(blocks),
        Ok(Fed::Stopped) => Message::Broken(RunError::Interrupted),
        Ok(Fed::Closed) => return,
        Err(panic) => Message::Broken(panicked("the reading thread", panic.as_ref())),
    };
    // A writer that has gone has an error of its own.
    let _ = results.send(message);
}

/// One worker: blocks in, results out, until there are no more or nobody wants them.
fn work(plan: &Plan, blocks: &Receiver<Block>, results: &Sender<Message>) {
    for block in blocks {
        // Stages catch their own panics; one that comes here is a fault of the machinery, and a block that
        // never arrives would keep the writer waiting for ever.
        let message = match catch_unwind(AssertUnwindSafe(|| work_on(plan, block))) {
            Ok(Ok(done)) => Message::Done(done),
            Ok(Err(error)) => Message::Broken(error),
            Err(panic) => Message::Broken(panicked("a worker", panic.as_ref())),
        };
        let is_broken = matches!(message, Message::Broken(_));
        if results.send(message).is_err() || is_broken {
            return;
        }
    }
}

fn work_on(plan: &Plan, block: Block) -> Result<Done, RunError> {
    let (sequence, bytes, weight) = (block.sequence, block.bytes, block.weight);
    let mut tally = Tally::default();
    let mut sorted = chain::run(plan, block, &mut tally);
    let chunks = encode::run(plan, &mut sorted, &mut tally)?;
    let fates = [&sorted.kept, &sorted.dropped, &sorted.failed].map(|records| records.len() as u64);
    Ok(Done { sequence, bytes, weight, chunks, tally, fates })
}

fn panicked(who: &str, panic: &(dyn Any + Send)) -> RunError {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    let text = text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("no message");
    RunError::Internal { message: format!("{who} panicked: {text}") }
}
