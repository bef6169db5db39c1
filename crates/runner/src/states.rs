//! What corpus stages have learned, as files: for the next run of an interrupted plan, and for other machines.
//!
//! A file is one line of JSON that says whose state it is, and the bytes of the stage.

use std::fs::File;
use std::io::{BufRead, BufReader, BufWriter, Read, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use tamis_config::{Plan, StagePlan};
use tamis_stage::Workspace;
use tamis_stage::handle::{CorpusHandle, OpenStage};

use crate::RunError;
use crate::engine::threads;
use crate::fingerprint::plan_hash;
use crate::part::{create_folder, temporary};
use crate::segment::StateName;

/// What part of the memory bound of a run the corpus stages share.
const SHARE: u64 = 4;
/// The first line of a state is short; a file that has no line this short is none.
const MAX_LABEL: u64 = 4096;

/// Whose state it is.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Label {
    tamis_state: u32,
    stage: String,
    pass: u32,
    /// The hash of the plan, in which options and plugins are.
    plan: String,
}

impl Label {
    fn new(plan: &Plan, name: &StateName) -> Result<Self, RunError> {
        Ok(Self { tamis_state: 1, stage: name.stage.clone(), pass: name.pass, plan: plan_hash(plan)? })
    }
}

/// The corpus stage of a state.
pub(crate) fn corpus<'p>(
    plan: &'p Plan,
    name: &StateName,
) -> Result<(&'p StagePlan, &'p dyn CorpusHandle), RunError> {
    let stage = plan.stages.iter().find(|stage| stage.id == name.stage);
    match stage.map(|stage| (stage, &stage.handle)) {
        Some((stage, OpenStage::Corpus(handle))) => Ok((stage, handle.as_ref())),
        _ => Err(RunError::Internal { message: format!("`{}` is no corpus stage", name.stage) }),
    }
}

/// The folders and the memory of a corpus stage; its scratch folder is made, and empty.
pub(crate) fn workspace(
    plan: &Plan,
    stage: &StagePlan,
    scratch: &Path,
    keep: &Path,
) -> Result<Workspace, RunError> {
    let is_corpus = |stage: &&StagePlan| matches!(stage.handle, OpenStage::Corpus(_));
    let n_stages = plan.stages.iter().filter(is_corpus).count().max(1) as u64;
    let scratch = scratch.join(&stage.id);
    if let Err(error) = std::fs::remove_dir_all(&scratch)
        && error.kind() != std::io::ErrorKind::NotFound
    {
        return Err(RunError::write(&scratch)(error));
    }
    create_folder(&scratch)?;
    Ok(Workspace {
        scratch,
        keep: keep.join(&stage.id),
        memory: plan.run.memory / SHARE / n_stages,
        threads: threads(plan),
    })
}

/// Saves the merged state of a pass, whole or not at all.
pub(crate) fn save(plan: &Plan, name: &StateName, path: &Path) -> Result<(), RunError> {
    let (stage, handle) = corpus(plan, name)?;
    let unfinished = temporary(path);
    let file = File::create(&unfinished).map_err(RunError::write(path))?;
    let mut out = BufWriter::new(file);
    let label = serde_json::to_string(&Label::new(plan, name)?)
        .map_err(|error| RunError::Internal { message: error.to_string() })?;
    writeln!(out, "{label}").map_err(RunError::write(path))?;
    handle.save(name.pass, &mut out).map_err(|failure| RunError::stage(&stage.id, &failure))?;
    let synced =
        out.into_inner().map_err(std::io::IntoInnerError::into_error).and_then(|file| file.sync_all());
    synced.and_then(|()| std::fs::rename(&unfinished, path)).map_err(RunError::write(path))
}

/// Whose state a file holds, and the file behind its first line.
fn open(plan: &Plan, path: &Path) -> Result<(StateName, BufReader<File>), RunError> {
    let bad = |message: String| RunError::State { path: path.to_owned(), message };
    let mut file = BufReader::new(File::open(path).map_err(|error| bad(error.to_string()))?);
    let mut line = Vec::new();
    let read = (&mut file).take(MAX_LABEL).read_until(b'\n', &mut line);
    read.map_err(|error| bad(error.to_string()))?;
    let label: Label =
        serde_json::from_slice(&line).map_err(|_| bad("it is no state that tamis has saved".to_owned()))?;
    let name = StateName { stage: label.stage.clone(), pass: label.pass };
    if Label::new(plan, &name)? != label {
        return Err(bad("it was saved by another pipeline, other options or another version".to_owned()));
    }
    Ok((name, file))
}

/// Whose state each of some files holds.
pub(crate) fn names(plan: &Plan, paths: &[PathBuf]) -> Result<Vec<(StateName, PathBuf)>, RunError> {
    paths.iter().map(|path| Ok((open(plan, path)?.0, path.clone()))).collect()
}

/// Merges a saved state into its stage.
pub(crate) fn load(plan: &Plan, path: &Path) -> Result<StateName, RunError> {
    let (name, mut file) = open(plan, path)?;
    let (_, handle) = corpus(plan, &name)?;
    let loaded = handle.load(name.pass, &mut file);
    loaded.map_err(|failure| RunError::State { path: path.to_owned(), message: failure.to_string() })?;
    Ok(name)
}

/// Merges saved states of one pass of one corpus stage, as the shards of a segment leave them, into one.
///
/// `scratch` is a folder for what does not fit in memory.
///
/// # Errors
///
/// When the files are not states of the same stage and pass of this plan, or cannot be read or written.
pub fn merge_states(plan: &Plan, states: &[PathBuf], output: &Path) -> Result<StateName, RunError> {
    let named = names(plan, states)?;
    let Some((name, first)) = named.first() else {
        return Err(RunError::Internal { message: "there are no states to merge".to_owned() });
    };
    if let Some((other, path)) = named.iter().find(|(other, _)| other != name) {
        let message = format!(
            "it is the state of pass {} of `{}`, and `{}` that of pass {} of `{}`",
            other.pass,
            other.stage,
            first.display(),
            name.pass,
            name.stage
        );
        return Err(RunError::State { path: path.clone(), message });
    }
    let (stage, handle) = corpus(plan, name)?;
    let scratch = output.with_extension("scratch");
    let workspace = workspace(plan, stage, &scratch, &scratch)?;
    let merged = (|| {
        handle.prepare(&workspace).map_err(|failure| RunError::stage(&stage.id, &failure))?;
        for (_, path) in &named {
            load(plan, path)?;
        }
        save(plan, name, output)
    })();
    // Nothing in it is needed any more, whatever came of it.
    let _ = std::fs::remove_dir_all(&scratch);
    merged.map(|()| name.clone())
}
