//! What corpus stages have learned, as files: for the next run of an interrupted plan, and for other machines.
//!
//! A file is one line of JSON that says whose state it is, and the bytes of the stage: what some shards have seen, or,
//! where it was reduced, what all of them have seen comes to.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, BufRead, BufReader, BufWriter, Read, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use tamis_config::{Opened, OpenedStage, Plan, StagePlan};
use tamis_stage::handle::{CorpusHandle, OpenStage, StateRows};
use tamis_stage::{Kind, Workspace};

use crate::disk::file::create_folder;
use crate::disk::fingerprint::learning_hash;
use crate::disk::names::{SCRATCH, temporary};
use crate::error::RunError;
use crate::segment::StateName;
use crate::settings::threads;

/// What part of the memory bound of a run the corpus stages share.
const SHARE: u64 = 4;
/// The first line of a state is short; a file that has no line this short is none.
const MAX_LABEL: u64 = 4096;

const TAMIS: &str = env!("CARGO_PKG_VERSION");

/// Whose state it is.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Label {
    /// The version of the form.
    tamis_state: u32,
    /// The version of tamis that wrote it.
    #[serde(default)]
    tamis: String,
    stage: String,
    pass: u32,
    /// The hash of the plan, in which options and plugins are.
    plan: String,
    /// Of which shards it has seen the documents, and how many shards there are.
    shards: BTreeSet<u32>,
    of: u32,
    /// Whether it is what the pass has brought, and no longer what was seen.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    reduced: bool,
}

/// A saved state, as its label says.
pub(crate) struct Saved {
    pub(crate) name: StateName,
    pub(crate) path: PathBuf,
    shards: BTreeSet<u32>,
    of: u32,
    is_reduced: bool,
    /// Where the bytes of the stage begin.
    at: u64,
}

impl Saved {
    /// Whether it has seen all of as many shards as a run has.
    pub(crate) fn check_whole(&self, count: u32) -> Result<(), RunError> {
        let message = if self.of == count {
            lacks(&self.shards, count).map(|lacks| format!("it {lacks}"))
        } else {
            Some(format!("it is of {} shards, and this run is one of {count}", self.of))
        };
        message.map_or(Ok(()), |message| Err(RunError::State { path: self.path.clone(), message }))
    }
}

/// What is missing of `count` shards.
fn lacks(shards: &BTreeSet<u32>, count: u32) -> Option<String> {
    let missing: Vec<_> = (0..count).filter(|index| !shards.contains(index)).collect();
    let first = missing.first()?;
    let n = missing.len();
    Some(format!("lacks {n} of {count} shards, shard {first} the first of them: merge the states of all"))
}

/// The corpus stage of a state.
pub(crate) fn corpus<'o>(
    opened: &'o Opened,
    name: &StateName,
) -> Result<(&'o OpenedStage, &'o dyn CorpusHandle), RunError> {
    let stage = opened.stages.iter().find(|stage| stage.id == name.stage);
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
    let is_corpus = |stage: &&StagePlan| stage.info.kind == Kind::Corpus;
    let n_stages = plan.stages.iter().filter(is_corpus).count().max(1) as u64;
    let scratch = scratch.join(&stage.id);
    if let Err(error) = std::fs::remove_dir_all(&scratch)
        && error.kind() != io::ErrorKind::NotFound
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

/// Saves the merged state of a pass over some of `of` shards, whole or not at all.
pub(crate) fn save(
    opened: &Opened,
    name: &StateName,
    path: &Path,
    shards: BTreeSet<u32>,
    of: u32,
) -> Result<(), RunError> {
    write(opened, name, path, &Label::new(opened, name, shards, of, false)?)
}

impl Label {
    fn new(
        opened: &Opened,
        name: &StateName,
        shards: BTreeSet<u32>,
        of: u32,
        reduced: bool,
    ) -> Result<Self, RunError> {
        let (stage, tamis, plan) = (name.stage.clone(), TAMIS.to_owned(), learning_hash(&opened.plan)?);
        Ok(Self { tamis_state: 1, tamis, stage, pass: name.pass, plan, shards, of, reduced })
    }
}

/// Writes what a label is for, whole or not at all.
fn write(opened: &Opened, name: &StateName, path: &Path, label: &Label) -> Result<(), RunError> {
    let (stage, handle) = corpus(opened, name)?;
    write_whole(path, label, |out| {
        let written =
            if label.reduced { handle.save_outcome(name.pass, out) } else { handle.save(name.pass, out) };
        written.map_err(|failure| RunError::stage(&stage.id, &failure))
    })
}

/// Writes a label and what `write` writes behind it, whole or not at all.
fn write_whole<T>(
    path: &Path,
    label: &Label,
    write: impl FnOnce(&mut dyn Write) -> Result<T, RunError>,
) -> Result<T, RunError> {
    let unfinished = temporary(path);
    let file = File::create(&unfinished).map_err(RunError::write(path))?;
    let mut out = Remembering { out: BufWriter::new(file), error: None };
    let line =
        serde_json::to_string(label).map_err(|error| RunError::Internal { message: error.to_string() })?;
    writeln!(out, "{line}").map_err(RunError::write(path))?;
    let written = write(&mut out)
        .map_err(|error| out.error.take().map_or(error, |told| RunError::write(path)(told)))?;
    let synced =
        out.out.into_inner().map_err(io::IntoInnerError::into_error).and_then(|file| file.sync_all());
    synced.and_then(|()| std::fs::rename(&unfinished, path)).map_err(RunError::write(path))?;
    Ok(written)
}

/// A file that remembers why it could not be written, because a stage that hears of it hands on a text only, and
/// what to do about a full disk depends on the error.
struct Remembering {
    out: BufWriter<File>,
    error: Option<io::Error>,
}

impl Write for Remembering {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.out.write(bytes).map_err(|error| {
            let said = io::Error::new(error.kind(), error.to_string());
            self.error.get_or_insert(error);
            said
        })
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

/// Whose state a file holds, and the file behind its first line.
fn open(plan: &Plan, path: &Path) -> Result<(Saved, BufReader<File>), RunError> {
    let bad = |message: String| RunError::State { path: path.to_owned(), message };
    let mut file = BufReader::new(File::open(path).map_err(|error| bad(error.to_string()))?);
    let mut line = Vec::new();
    let read = (&mut file).take(MAX_LABEL).read_until(b'\n', &mut line);
    read.map_err(|error| bad(error.to_string()))?;
    let label: Label =
        serde_json::from_slice(&line).map_err(|_| bad("it is no state that tamis has saved".to_owned()))?;
    if label.tamis_state != 1 || label.tamis != TAMIS {
        let by = if label.tamis.is_empty() {
            "an earlier version".to_owned()
        } else {
            format!("version {}", label.tamis)
        };
        return Err(bad(format!(
            "{by} of tamis has saved it, and this is version {TAMIS}: run all segments with one version"
        )));
    }
    if learning_hash(plan)? != label.plan {
        return Err(bad("it was saved with other readers, stages, options or plugins".to_owned()));
    }
    let name = StateName { stage: label.stage, pass: label.pass };
    let (path, at, is_reduced) = (path.to_owned(), line.len() as u64, label.reduced);
    Ok((Saved { name, path, shards: label.shards, of: label.of, is_reduced, at }, file))
}

/// What some files hold.
pub(crate) fn read(plan: &Plan, paths: &[PathBuf]) -> Result<Vec<Saved>, RunError> {
    paths.iter().map(|path| Ok(open(plan, path)?.0)).collect()
}

/// Merges a saved state into its stage, or all of it but its rows.
fn load(opened: &Opened, path: &Path, has_rows: bool) -> Result<(), RunError> {
    let (saved, mut file) = open(&opened.plan, path)?;
    let (_, handle) = corpus(opened, &saved.name)?;
    let pass = saved.name.pass;
    let loaded =
        if has_rows { handle.load(pass, &mut file) } else { handle.load_beside_rows(pass, &mut file) };
    loaded.map_err(|failure| RunError::State { path: path.to_owned(), message: failure.to_string() })
}

/// Gives a stage what a pass has brought: what was seen is reduced now, unless that has been done before.
pub(crate) fn end_pass(opened: &Opened, path: &Path) -> Result<(), RunError> {
    let (saved, _) = open(&opened.plan, path)?;
    let (stage, handle) = corpus(opened, &saved.name)?;
    if saved.is_reduced {
        let taken = handle.open_outcome(saved.name.pass, path, saved.at);
        return taken
            .map_err(|failure| RunError::State { path: path.to_owned(), message: failure.to_string() });
    }
    load(opened, path, true)?;
    handle.end_pass(saved.name.pass).map_err(|failure| RunError::stage(&stage.id, &failure))
}

/// What becomes of states that are merged.
#[derive(Debug, Default)]
pub struct MergeSettings {
    /// Whether they are reduced, too, which all shards that need them would else do, each for itself. They must then be
    /// of all shards.
    pub reduce: bool,
    /// The rows that an engine has left of those of the states, in a file; see [`export_rows`].
    pub rows: Option<PathBuf>,
    /// What earlier passes have brought, for stages that ask for it when a pass ends.
    pub before: Vec<PathBuf>,
}

/// What has become of states that were merged.
#[derive(Debug)]
pub struct MergedStates {
    /// The pass and the stage.
    pub name: StateName,
    /// Whether they were reduced. Those of a stage of another form than the keyed one are not, nor those of one that
    /// leaves an index, which is made of what was seen.
    pub is_reduced: bool,
}

/// Merges saved states of one pass of one corpus stage, as the shards of a segment leave them, into one.
///
/// What does not fit in memory goes to a passing folder beside `output`.
///
/// # Errors
///
/// When the files are not states of the same stage and pass of this plan, or cannot be read or written.
#[expect(clippy::needless_pass_by_value, reason = "stages that have merged states are good for nothing else")]
pub fn merge_states(
    opened: Opened,
    states: &[PathBuf],
    output: &Path,
    settings: &MergeSettings,
) -> Result<MergedStates, RunError> {
    let (opened, plan) = (&opened, &opened.plan);
    let all = read(plan, states)?;
    let Some(first) = all.first() else {
        return Err(RunError::Internal { message: "there are no states to merge".to_owned() });
    };
    let mut shards = BTreeSet::new();
    for saved in &all {
        if let Some(message) = misfit(first, saved, &mut shards) {
            return Err(RunError::State { path: saved.path.clone(), message });
        }
    }
    let (name, of) = (first.name.clone(), first.of);
    if let Some(lacks) = lacks(&shards, of).filter(|_| settings.reduce) {
        let message = format!("with the others it {lacks} before they are reduced");
        return Err(RunError::State { path: first.path.clone(), message });
    }
    let (stage, handle) = corpus(opened, &name)?;
    // A fresh folder beside the output: that has room for what is merged, and nobody else's files lie in it.
    let beside = output.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let scratch =
        tempfile::Builder::new().prefix(SCRATCH).tempdir_in(beside).map_err(RunError::write(beside))?;
    let workspace = workspace(plan, stage, scratch.path(), scratch.path())?;
    handle.prepare(&workspace).map_err(|failure| RunError::stage(&stage.id, &failure))?;
    before(opened, &name, &settings.before)?;
    for saved in &all {
        load(opened, &saved.path, settings.rows.is_none())?;
    }
    if let Some(path) = &settings.rows {
        let bad = |message: String| RunError::State { path: path.clone(), message };
        let mut rows = BufReader::new(File::open(path).map_err(|error| bad(error.to_string()))?);
        handle.load_rows(name.pass, &mut rows).map_err(|failure| bad(failure.to_string()))?;
    }
    let is_reduced = settings.reduce && handle.has_outcomes();
    if is_reduced {
        handle.end_pass(name.pass).map_err(|failure| RunError::stage(&stage.id, &failure))?;
    }
    write(opened, &name, output, &Label::new(opened, &name, shards, of, is_reduced)?)?;
    Ok(MergedStates { name, is_reduced })
}

/// Writes the rows of a saved state to `output`, one behind the other, for an engine; what they are, and how many. Nothing
/// where only the machinery here can reduce them.
///
/// # Errors
///
/// When the file is no state of this plan, or cannot be read, or the rows cannot be written.
pub fn export_rows(
    opened: &Opened,
    state: &Path,
    output: &Path,
) -> Result<Option<(StateRows, u64)>, RunError> {
    let (saved, mut file) = open_unreduced(&opened.plan, state)?;
    let (_, handle) = corpus(opened, &saved.name)?;
    let mut out = BufWriter::new(File::create(output).map_err(RunError::write(output))?);
    let rows = handle.export_rows(saved.name.pass, &mut file, &mut out);
    let rows = rows.map_err(|failure| RunError::State { path: saved.path, message: failure.to_string() })?;
    let out = out.into_inner().map_err(io::IntoInnerError::into_error).map_err(RunError::write(output))?;
    let length = out.metadata().map_err(RunError::write(output))?.len();
    Ok(rows.map(|rows| {
        let width = rows.round.collected_width() as u64;
        (rows, length / width)
    }))
}

/// Writes a saved state without those of its entries that decide nothing, whole or not at all; how many have stayed. A file
/// says by a byte for each of its rows ([`export_rows`]) whether the entry stays (1) or goes (0).
///
/// # Errors
///
/// When the file is no state of this plan or has no entries that can be told apart, when the marks are not of its rows, or
/// something cannot be read or written.
pub fn keep_entries(opened: &Opened, state: &Path, marks: &Path, output: &Path) -> Result<u64, RunError> {
    let (saved, mut file) = open_unreduced(&opened.plan, state)?;
    let bad = |message: String| RunError::State { path: state.to_owned(), message };
    let unread = |error: io::Error| bad(format!("its marks `{}` cannot be read: {error}", marks.display()));
    let mut marks = File::open(marks).map_err(unread)?;
    let (_, handle) = corpus(opened, &saved.name)?;
    let label = Label::new(opened, &saved.name, saved.shards, saved.of, false)?;
    write_whole(output, &label, |out| {
        handle.keep_entries(&mut file, &mut marks, out).map_err(|failure| bad(failure.to_string()))
    })
}

/// A state, and the file behind its first line.
fn open_unreduced(plan: &Plan, path: &Path) -> Result<(Saved, BufReader<File>), RunError> {
    let (saved, file) = open(plan, path)?;
    if saved.is_reduced {
        let message = "it was reduced, and has no rows any more".to_owned();
        return Err(RunError::State { path: path.to_owned(), message });
    }
    Ok((saved, file))
}

/// Gives a stage what its earlier passes have brought.
fn before(opened: &Opened, name: &StateName, states: &[PathBuf]) -> Result<(), RunError> {
    let mut all = read(&opened.plan, states)?;
    all.sort_by_key(|saved| saved.name.pass);
    for saved in &all {
        if saved.name.stage != name.stage || saved.name.pass >= name.pass {
            let message = format!(
                "it is the state of pass {} of `{}`, which is none before pass {} of `{}`",
                saved.name.pass, saved.name.stage, name.pass, name.stage
            );
            return Err(RunError::State { path: saved.path.clone(), message });
        }
        saved.check_whole(saved.of)?;
        end_pass(opened, &saved.path)?;
    }
    Ok(())
}

/// Why a state cannot be merged with those before it, whose shards are in `shards`; else its shards are added.
fn misfit(first: &Saved, saved: &Saved, shards: &mut BTreeSet<u32>) -> Option<String> {
    let (name, other, path) = (&first.name, &saved.name, first.path.display());
    if other != name {
        return Some(format!(
            "it is the state of pass {} of `{}`, and `{path}` that of pass {} of `{}`",
            other.pass, other.stage, name.pass, name.stage
        ));
    }
    if saved.is_reduced {
        return Some(
            "it was reduced, and there is nothing left to merge: give it to `run` as it is".to_owned(),
        );
    }
    if saved.of != first.of {
        return Some(format!("it is of {} shards, and `{path}` of {}", saved.of, first.of));
    }
    let twice = saved.shards.iter().find(|index| shards.contains(index)).copied();
    shards.extend(&saved.shards);
    twice.map(|index| format!("it has seen shard {index}, which another of these states has seen, too"))
}
