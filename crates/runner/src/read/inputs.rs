//! From the paths of the sources to their files, in a fixed order.

use std::cell::Cell;
use std::ops::{Deref, Range};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tamis_config::{InputKind, InputPattern, Plan, SourcePlan};
use tamis_input::{Candidate, InputError, ListOptions, Listing, Location, Pattern};
use tamis_stage::RunContext;

use crate::disk::known_inputs::{self, KnownInputs};
use crate::disk::{folder, names};
use crate::error::RunError;
use crate::read::hidden::{self, Hidden};
use crate::read::only::Only;
use crate::read::seam::{Seam, Stretch};
use crate::work::place::MAX_FILES;

/// One file to read.
#[derive(Debug, Clone)]
pub(crate) struct InputFile {
    /// Index of the source in the plan.
    pub(crate) source: usize,
    file: tamis_input::InputFile,
}

impl Deref for InputFile {
    type Target = tamis_input::InputFile;

    fn deref(&self) -> &Self::Target {
        &self.file
    }
}

impl InputFile {
    /// Whether it is a file of this machine.
    pub(crate) fn is_local(&self) -> bool {
        matches!(self.location, Location::Path(_))
    }

    /// What is known of it, without its source.
    pub(crate) fn listed(self) -> tamis_input::InputFile {
        self.file
    }

    /// What a later run must know of it.
    fn known(&self) -> [u8; 24] {
        known_inputs::entry(self.source, &self.name, self.size, self.modified, &self.version)
    }

    /// Whether a later run can know that it is the same, and read it again.
    fn is_repeatable(&self) -> bool {
        match self.location {
            Location::Path(_) => true,
            Location::Stdin => false,
            // A server need not tell anything of what it sends.
            Location::Url(_) => !self.version.is_empty() || (self.size > 0 && self.modified > 0),
        }
    }

    /// Whether size and time of change are still those of the listing.
    pub(crate) fn is_as_listed(&self) -> bool {
        let Some(path) = self.location.path() else { return true };
        let now = tamis_input::InputFile::look(path);
        now.is_ok_and(|(size, modified)| (size, modified) == (self.size, self.modified))
    }
}

/// What there is to read.
#[derive(Debug, Default)]
pub(crate) struct Inputs {
    /// All files of all sources: sources in plan order, their inputs in the order written, files by name.
    listing: Listing,
    /// Behind the last file of each source, by its index in the plan.
    ends: Vec<usize>,
    /// What stands before the names of the files of each source, where there are several: each has names of its own,
    /// and two of them may read files of one name, or even one file in two ways.
    prefixes: Vec<String>,
    /// Of which records there is something to do, if not of all.
    pub(crate) only: Option<Arc<Only>>,
    /// Where those stand in the listing that are to be read, if not all of them are.
    chosen: Option<Vec<usize>>,
    /// How many hidden files and folders were passed over.
    hidden: u64,
    /// Where the share of a shard begins and ends.
    share: Option<Range<Seam>>,
}

impl Inputs {
    /// How many files and folders were passed over because they are hidden, a folder with all it holds as one.
    pub(crate) fn hidden(&self) -> u64 {
        self.hidden
    }

    /// The number of files.
    pub(crate) fn len(&self) -> usize {
        self.chosen.as_ref().map_or(self.listing.len(), Vec::len)
    }

    /// Where a file stands in the listing.
    fn place(&self, index: usize) -> usize {
        self.chosen.as_ref().map_or(index, |chosen| chosen.get(index).copied().unwrap_or(usize::MAX))
    }

    /// Only those that are wanted, in the same order.
    pub(crate) fn choosing(mut self, mut is_wanted: impl FnMut(&InputFile, &[u8; 24]) -> bool) -> Self {
        let wanted = (0..self.len()).filter(|index| {
            let file = self.get(*index);
            is_wanted(&file, &file.known())
        });
        let chosen: Vec<usize> = wanted.map(|index| self.place(index)).collect();
        self.chosen = Some(chosen);
        self
    }

    /// What a later run must know of all of them.
    pub(crate) fn known(&self) -> KnownInputs {
        KnownInputs::of(self.iter().map(|file| file.known()))
    }

    /// The file at an index, put together from what the listing holds of it.
    ///
    /// # Panics
    ///
    /// Beyond the last file.
    pub(crate) fn get(&self, index: usize) -> InputFile {
        let index = self.place(index);
        let mut file = self.listing.get(index).expect("the index is one of a listed file");
        let source = self.ends.partition_point(|end| *end <= index);
        if let Some(prefix) = self.prefixes.get(source) {
            file.name = format!("{prefix}{}", file.name).into();
        }
        InputFile { source, file }
    }

    /// Whether there is something to do in a file.
    pub(crate) fn takes(&self, index: usize) -> bool {
        self.only.as_ref().is_none_or(|only| only.takes_file(&self.get(index).name))
    }

    /// The files in order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = InputFile> + '_ {
        (0..self.len()).map(|index| self.get(index))
    }

    /// The paths of those that lie on this machine.
    pub(crate) fn paths(&self) -> impl Iterator<Item = PathBuf> + '_ {
        self.iter().filter_map(|file| file.location.path().map(Path::to_owned))
    }

    /// The size of a file in bytes; of one that is shared, of what a shard has of it.
    pub(crate) fn size(&self, index: usize) -> u64 {
        let size = self.listing.size(self.place(index));
        self.stretch(index).map_or(size, |it| it.bytes.end - it.bytes.start)
    }

    /// What there is to read of a file, where that is not all of it.
    pub(crate) fn stretch(&self, index: usize) -> Option<Stretch> {
        let share = self.share.as_ref()?;
        let begins = (share.start.file == index).then_some(share.start);
        let ends = (share.end.file == index).then_some(share.end);
        if begins.or(ends)?.offset == 0 && ends.is_none() {
            return None;
        }
        let size = self.listing.size(self.place(index));
        Some(Stretch {
            bytes: begins.map_or(0, |it| it.offset)..ends.map_or(size, |it| it.offset),
            parts: begins.map_or(0, |it| it.part)..ends.map_or(usize::MAX, |it| it.part),
        })
    }

    /// Whether a file begins in this share, so that it counts here as a file.
    pub(crate) fn begins(&self, index: usize) -> bool {
        self.stretch(index).is_none_or(|it| it.bytes.start == 0)
    }

    /// Leaves what lies between two seams; the files of which that is something.
    pub(crate) fn leave(&mut self, share: Range<Seam>) -> Range<usize> {
        let Range { start, end } = share;
        self.share = Some(share);
        if start == end { start.file..start.file } else { start.file..end.file + usize::from(end.offset > 0) }
    }

    /// How many bytes some files have in all.
    pub(crate) fn size_of(&self, files: Range<usize>) -> u64 {
        files.map(|index| self.size(index)).sum()
    }

    /// The hash of what is known of all files: two runs with one hash read the same.
    pub(crate) fn hash(&self) -> String {
        let mut hasher = blake3::Hasher::new();
        for file in self.iter() {
            hasher.update(&(file.source as u64).to_le_bytes());
            hasher.update(&(file.name.len() as u64).to_le_bytes());
            hasher.update(file.name.as_bytes());
            hasher.update(&file.size.to_le_bytes());
            hasher.update(&file.modified.to_le_bytes());
            hasher.update(file.version.as_bytes());
        }
        let hash = hasher.finalize().to_hex().to_string();
        self.only.as_ref().map_or(hash.clone(), |only| only.hash(&hash))
    }

    /// Whether opening and reading a file costs no more than the system calls, and nothing speaks against it yet.
    pub(crate) fn is_local(&self, index: usize) -> bool {
        let index = self.place(index);
        self.listing.is_local(index) && !self.listing.has_trouble(index)
    }
}

impl Inputs {
    /// What messages call the first input that cannot be known again: a run of it can neither be resumed nor
    /// be found done.
    pub(crate) fn unrepeatable(&self) -> Option<String> {
        let away = (0..self.len()).filter(|index| !self.listing.is_local(self.place(*index)));
        let file = away.map(|index| self.get(index)).find(|file| !file.is_repeatable())?;
        Some(match &file.location {
            Location::Stdin => "standard input".to_owned(),
            location => format!("`{location}`, of which the server tells no version,"),
        })
    }
}

/// Lists the inputs of a plan.
///
/// What exports write is left out, or a second run would read the output of the first.
pub(crate) fn list(plan: &Plan, run: &RunContext) -> Result<Inputs, RunError> {
    let folders = plan.exports.iter().map(|export| &export.path).chain(&plan.run.work);
    let outputs: Vec<_> = folders.map(|path| folder::resolve(path)).collect();
    list_beside(plan, run, &outputs)
}

/// The same for whoever only looks, and may look at output as well.
pub(crate) fn list_all(plan: &Plan, run: &RunContext) -> Result<Inputs, RunError> {
    list_beside(plan, run, &[])
}

fn list_beside(plan: &Plan, run: &RunContext, outputs: &[PathBuf]) -> Result<Inputs, RunError> {
    let mut inputs = Inputs::default();
    for source in &plan.sources {
        list_source(run, source, outputs, &mut inputs)?;
    }
    if let [_, _, ..] = plan.sources.as_slice() {
        inputs.prefixes = plan.sources.iter().map(|source| format!("{}/", source.id)).collect();
    }
    if inputs.len() as u64 > MAX_FILES {
        let message = format!("a run reads no more than {MAX_FILES} files: make several of it");
        return Err(RunError::Inputs { source_id: plan.name.clone(), message });
    }
    if inputs.listing.is_empty() {
        let patterns = plan.sources.iter().flat_map(|source| &source.inputs);
        return Err(RunError::NoInputs {
            patterns: patterns.map(|input| format!("`{}`", input.written)).collect(),
        });
    }
    Ok(inputs)
}

fn list_source(
    run: &RunContext,
    source: &SourcePlan,
    outputs: &[PathBuf],
    inputs: &mut Inputs,
) -> Result<(), RunError> {
    let failed = |error: InputError| match error {
        InputError::Stopped => RunError::Interrupted,
        error => RunError::Inputs { source_id: source.id.clone(), message: error.to_string() },
    };
    let patterns: Result<Vec<_>, _> = source.inputs.iter().map(pattern).collect();
    let mut patterns = patterns.map_err(failed)?;
    Pattern::share_root(&mut patterns);
    // A folder is looked at where it really is, and so is a link; a file lies where its folder does.
    let is_output = |path: &Path| {
        let path = folder::resolve(path);
        outputs.iter().any(|folder| path.starts_with(folder))
    };
    let (hidden, seeks_hidden) = (Cell::new(0), source.inputs.iter().any(hidden::is_sought));
    let is_excluded = |it: Candidate<'_>| {
        let left_out = if it.is_folder {
            source.exclude.contains_dir(it.relative)
        } else {
            source.exclude.contains(it.relative)
        };
        if left_out || ((it.is_folder || it.path.is_symlink()) && is_output(it.path)) {
            return true;
        }
        let kind = if seeks_hidden { Hidden::No } else { hidden::kind(it) };
        if kind == Hidden::Unknown && source.inputs.iter().any(|input| hidden::is_missed(input, it)) {
            hidden.set(hidden.get() + 1);
        }
        kind != Hidden::No
    };
    let options = ListOptions { is_excluded: &is_excluded, is_stopped: &|| run.is_cancelled() };
    source.inputs.iter().try_for_each(|input| check_named(input, outputs))?;
    // A folder of output that the user named: none of what is in it is input.
    let is_input = |input: &InputPattern| {
        input.kind != InputKind::Local || input.path.is_file() || !is_output(&input.path)
    };
    let patterns: Vec<_> = patterns
        .into_iter()
        .zip(&source.inputs)
        .filter_map(|(it, input)| is_input(input).then_some(it))
        .collect();
    inputs.listing.add(&patterns, &options).map_err(failed)?;
    inputs.hidden += hidden.get();
    inputs.ends.push(inputs.listing.len());
    Ok(())
}

fn pattern(input: &InputPattern) -> Result<Pattern, InputError> {
    match input.kind {
        InputKind::Local => {
            let (path, root) = (input.path.clone(), input.root.clone());
            Ok(Pattern::local(&input.written, path, root, input.glob().cloned()))
        }
        InputKind::Stdin => Ok(Pattern::stdin()),
        InputKind::Url => {
            Pattern::remote(input.address.as_ref().expect("an address belongs to an input that has one"))
        }
    }
}

/// A file that the user named, and did not only let be found, must not be one that this run replaces.
fn check_named(input: &InputPattern, outputs: &[PathBuf]) -> Result<(), RunError> {
    if input.kind != InputKind::Local || !input.path.is_file() {
        return Ok(());
    }
    let path = folder::resolve(&input.path);
    let is_ours = path.file_name().is_some_and(|name| names::is_ours(&name.to_string_lossy()));
    let is_direct = outputs.iter().any(|folder| path.parent() == Some(folder.as_path()));
    if is_direct && is_ours {
        return Err(RunError::InputIsOutput { path: input.path.clone() });
    }
    Ok(())
}
