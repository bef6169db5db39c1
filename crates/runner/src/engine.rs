//! Puts feeder, workers and writer together.

use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, Sender, bounded};
use tamis_config::Plan;

use crate::block::Block;
use crate::feeder::Feeder;
use crate::fingerprint::fingerprint;
use crate::inputs::{self, InputFile};
use crate::writer::{Done, Writer};
use crate::{Manifest, Progress, RunError, Tally, chain, encode, manifest, output};

/// How a plan is run, beside what the plan says itself.
#[derive(Debug, Clone, Copy, Default)]
pub struct Settings {
    /// Replace the output of an earlier run.
    pub fresh: bool,
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
pub fn run(plan: &Plan, settings: Settings, progress: &Progress) -> Result<Report, RunError> {
    let start = Instant::now();
    let folder = plan
        .exports
        .first()
        .map(|export| export.path.clone())
        .ok_or_else(|| RunError::Internal { message: "a plan without exports".to_owned() })?;
    let files = inputs::list(plan)?;
    let threads = threads(plan);
    let manifest = begin(plan, &files)?;
    let earlier = Manifest::read(&folder);
    let earlier = if settings.fresh { earlier.unwrap_or_default() } else { earlier? };
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
            return Ok(report(Finish::AlreadyDone, earlier.tally.clone(), earlier.clone(), false));
        }
    }
    output::create_folder(&folder)?;
    output::clear(&folder, &plan.exports, earlier.as_ref())?;
    manifest.write(&folder)?;
    let (manifest, tally) =
        execute(plan, &files, threads, progress, Writer::new(plan, progress, folder.clone(), manifest))?;
    Ok(report(Finish::Done, tally, manifest, restarted))
}

fn threads(plan: &Plan) -> usize {
    match plan.run.threads {
        0 => std::thread::available_parallelism().map_or(1, NonZeroUsize::get),
        threads => threads,
    }
}

/// The manifest of a run that is about to begin.
fn begin(plan: &Plan, files: &[InputFile]) -> Result<Manifest, RunError> {
    Ok(Manifest {
        tamis: env!("CARGO_PKG_VERSION").to_owned(),
        pipeline: plan.name.clone(),
        fingerprint: fingerprint(plan, files)?,
        complete: false,
        input_files: files.len() as u64,
        input_bytes: files.iter().map(|file| file.size).sum(),
        tally: Tally::default(),
        exports: Vec::new(),
    })
}

/// An earlier run in the same folder must have been the same run.
fn compare(folder: &std::path::Path, earlier: &Manifest, now: &Manifest) -> Result<(), RunError> {
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

fn execute(
    plan: &Plan,
    files: &[InputFile],
    threads: usize,
    progress: &Progress,
    writer: Writer<'_>,
) -> Result<(Manifest, Tally), RunError> {
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(threads)
        .thread_name(|index| format!("tamis-worker-{index}"))
        .build()
        .map_err(|error| RunError::Internal { message: error.to_string() })?;
    let credits = credits(plan, threads);
    let (credit_sender, credit_receiver) = bounded(credits);
    for _ in 0..credits {
        // The channel holds as many.
        let _ = credit_sender.send(());
    }
    let (block_sender, blocks) = bounded(credits);
    let (results, done) = bounded(credits);
    let feeder = Feeder::new(plan, progress, credit_receiver, block_sender);
    std::thread::scope(|scope| {
        let feeding = scope.spawn(move || feeder.run(files));
        // The writer owns its ends of the channels: when it fails they close, and everybody stops.
        let writing = scope.spawn(move || writer.run(&done, &credit_sender));
        pool.scope(|workers| {
            for _ in 0..threads {
                let (blocks, results) = (blocks.clone(), results.clone());
                workers.spawn(move |_| work(plan, &blocks, &results));
            }
            // The channels close when the last worker and the feeder have dropped their ends.
            drop((blocks, results));
        });
        let fed = feeding.join();
        let written = writing.join();
        fed.map_err(|_| RunError::Internal { message: "the reading thread panicked".to_owned() })?;
        written.map_err(|_| RunError::Internal { message: "the writing thread panicked".to_owned() })?
    })
}

/// Blocks in flight: enough to keep the workers busy, few enough for the memory bound.
///
/// A block is held as input, as documents and as output, and text may grow on the way: eight times its size
/// is what a block of the block size is reckoned to take at most.
fn credits(plan: &Plan, threads: usize) -> usize {
    let by_memory = plan.run.memory / (plan.run.block_bytes.max(1) * 8);
    usize::try_from(by_memory).unwrap_or(usize::MAX).clamp(1, threads * 4)
}

/// One worker: blocks in, results out, until there are no more or nobody wants them.
fn work(plan: &Plan, blocks: &Receiver<Block>, results: &Sender<Result<Done, RunError>>) {
    for block in blocks {
        let result = work_on(plan, block);
        let broken = result.is_err();
        if results.send(result).is_err() || broken {
            return;
        }
    }
}

fn work_on(plan: &Plan, block: Block) -> Result<Done, RunError> {
    let (sequence, bytes) = (block.sequence, block.bytes);
    let mut tally = Tally::default();
    let mut sorted = chain::run(plan, block, &mut tally);
    let chunks = encode::run(plan, &mut sorted, &mut tally)?;
    let fates = [&sorted.kept, &sorted.dropped, &sorted.failed].map(|records| records.len() as u64);
    Ok(Done { sequence, bytes, chunks, tally, fates })
}
