//! Corpus stages.

use std::ops::Deref;

use tamis_document::Record;
use tamis_stage::handle::{CorpusHandle, Effects, OpenStage};
use tamis_stage::keyed::Rounds;
use tamis_stage::{StageFactory, Workspace};
use tempfile::TempDir;

use super::documents::{long_records, odd_records};
use super::transform::{Processed, declared, declared_measures, refused, same, stumbled, valid};
use super::{Results, open};

/// What a stage keeps across documents is never shared between two checks: each opens stages of its own.
pub(super) fn check(factory: &dyn StageFactory, results: &mut Results) {
    let corpus = || long_records().into_iter().chain(odd_records(factory.info())).collect::<Vec<_>>();
    let Some(expected) = results.run("observes and applies", || whole(factory, corpus())) else { return };
    results.run("says which options decide what it observes", || says_options(factory));
    results.run("takes any text", || refused(&expected.applied.records[..long_records().len()]));
    results.run("takes any metadata", || stumbled(&expected.applied.records));
    results.run("writes only the fields that it declares", || {
        declared(factory.info(), &corpus(), &expected.applied.records)
    });
    results.run("measures only what it declares", || {
        declared_measures(factory.info(), expected.applied.records.iter())
    });
    results.run("returns what is valid", || expected.applied.records.iter().try_for_each(valid));
    results.run("gives the same result twice", || whole(factory, corpus())?.is(&expected));
    results.run("merges what several workers have seen", || workers(factory, corpus())?.is(&expected));
    results.run("goes on from saved states", || shards(factory, corpus())?.is(&expected));
    results.run("refuses a state that is none", || broken_state(factory));
}

/// Rows that were collected with other options must not be mixed with these, and of a stage in the keyed form only it
/// knows which options those are. One with a state of its own says so in the state.
fn says_options(factory: &dyn StageFactory) -> Result<(), String> {
    let stage = open_corpus(factory)?;
    let is_silent = |rounds: &Rounds| !rounds.rounds.is_empty() && rounds.observes.is_empty();
    if stage.rounds().is_some_and(is_silent) && !factory.info().options().is_empty() {
        return Err("it has options, and `observes` of its rounds does not name those that decide what it observes, so \
                    states of other options would be taken for its own"
            .to_owned());
    }
    Ok(())
}

/// What came of a corpus.
struct Outcome {
    /// The state of each pass, before it ended.
    states: Vec<Vec<u8>>,
    applied: Processed,
}

impl Outcome {
    fn is(&self, expected: &Self) -> Result<(), String> {
        if let Some(pass) =
            (0..expected.states.len()).find(|pass| self.states[*pass] != expected.states[*pass])
        {
            return Err(format!("the saved state of pass {pass} has other bytes"));
        }
        same(&expected.applied, &self.applied)
    }
}

/// A stage and its place on the disk, which is gone after it.
struct Placed {
    handle: Box<dyn CorpusHandle>,
    _place: TempDir,
}

impl Deref for Placed {
    type Target = dyn CorpusHandle;

    fn deref(&self) -> &Self::Target {
        &*self.handle
    }
}

/// How much memory a stage may take: so little that one that knows how uses its disk.
const MEMORY: u64 = 16 << 20;

fn open_corpus(factory: &dyn StageFactory) -> Result<Placed, String> {
    let OpenStage::Corpus(handle) = open(factory)? else {
        return Err("it opened as a stage of another kind".to_owned());
    };
    let no_place = |error| format!("there is no temporary folder: {error}");
    let place = tempfile::tempdir().map_err(no_place)?;
    let (scratch, keep) = (place.path().join("scratch"), place.path().join("keep"));
    std::fs::create_dir(&scratch).map_err(no_place)?;
    let workspace = Workspace { scratch, keep, memory: MEMORY, threads: super::THREADS };
    handle.prepare(&workspace).map_err(|failure| failure.to_string())?;
    Ok(Placed { handle, _place: place })
}

fn apply(handle: &dyn CorpusHandle, mut records: Vec<Record>) -> Processed {
    let mut effects = Effects::default();
    handle.apply(&mut records, &mut effects);
    Processed { records, effects }
}

/// Shows records to the stage; what became of them.
fn observe(handle: &dyn CorpusHandle, pass: u32, records: &[Record]) -> Vec<Record> {
    let mut records = records.to_vec();
    handle.observe(pass, &mut records, &mut Effects::default());
    records
}

/// The state of a pass, once all that was seen has been merged.
fn merged(handle: &dyn CorpusHandle, pass: u32) -> Result<Vec<u8>, String> {
    let mut state = Vec::new();
    let saved = handle.merge(pass).and_then(|()| handle.save(pass, &mut state));
    saved.map(|()| state).map_err(|failure| failure.to_string())
}

/// All documents in one call a pass.
fn whole(factory: &dyn StageFactory, corpus: Vec<Record>) -> Result<Outcome, String> {
    let stage = open_corpus(factory)?;
    let mut states = Vec::new();
    for pass in 0..stage.observing_passes() {
        stumbled(&observe(&*stage, pass, &corpus))?;
        states.push(merged(&*stage, pass)?);
        stage.end_pass(pass).map_err(|failure| failure.to_string())?;
    }
    Ok(Outcome { states, applied: apply(&*stage, corpus) })
}

/// Documents one by one, some of them on each of several workers.
fn workers(factory: &dyn StageFactory, corpus: Vec<Record>) -> Result<Outcome, String> {
    let stage = open_corpus(factory)?;
    let mut states = Vec::new();
    for pass in 0..stage.observing_passes() {
        std::thread::scope(|scope| {
            // The last documents first: which worker is the fastest is nothing that a stage may depend on.
            for part in corpus.rchunks(corpus.len().div_ceil(super::THREADS)) {
                scope.spawn(|| part.chunks(1).for_each(|document| drop(observe(&*stage, pass, document))));
            }
        });
        states.push(merged(&*stage, pass)?);
        stage.end_pass(pass).map_err(|failure| failure.to_string())?;
    }
    Ok(Outcome { states, applied: apply(&*stage, corpus) })
}

/// Each half on a machine of its own, and a third that has seen neither and applies.
fn shards(factory: &dyn StageFactory, corpus: Vec<Record>) -> Result<Outcome, String> {
    let (first, second, third) = (open_corpus(factory)?, open_corpus(factory)?, open_corpus(factory)?);
    let (one_half, other_half) = corpus.split_at(corpus.len() / 2);
    let mut states = Vec::new();
    for pass in 0..first.observing_passes() {
        observe(&*first, pass, one_half);
        observe(&*second, pass, other_half);
        let (one, other) = (merged(&*first, pass)?, merged(&*second, pass)?);
        for (stage, state) in [(&first, &other), (&second, &one), (&third, &other), (&third, &one)] {
            stage.load(pass, &mut state.as_slice()).map_err(|failure| failure.to_string())?;
        }
        states.push(merged(&*third, pass)?);
        for stage in [&first, &second, &third] {
            stage.end_pass(pass).map_err(|failure| failure.to_string())?;
        }
    }
    Ok(Outcome { states, applied: apply(&*third, corpus) })
}

fn broken_state(factory: &dyn StageFactory) -> Result<(), String> {
    let states = [&b"no state"[..], &[0xff; 64], &[0; 4096]];
    for state in states {
        let stage = open_corpus(factory)?;
        if stage.observing_passes() == 0 {
            // It has no state to load.
            return Ok(());
        }
        match stage.load(0, &mut &*state) {
            Ok(()) => return Err(format!("it took {} bytes of nonsense for a saved state", state.len())),
            Err(failure) if super::is_mistake(&failure.to_string()) => return Err(failure.to_string()),
            Err(_) => {}
        }
    }
    Ok(())
}
