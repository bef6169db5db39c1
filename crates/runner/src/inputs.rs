//! From the paths of the sources to their files, in a fixed order.

use std::ops::{Deref, Range};
use std::path::Path;

use tamis_config::{InputKind, InputPattern, Plan, SourcePlan};
use tamis_input::{Candidate, InputError, ListOptions, Listing, Location, Pattern};

use crate::{Progress, RunError, earlier};

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
}

impl Inputs {
    /// The number of files.
    pub(crate) fn len(&self) -> usize {
        self.listing.len()
    }

    /// The file at an index, put together from what the listing holds of it.
    ///
    /// # Panics
    ///
    /// Beyond the last file.
    pub(crate) fn get(&self, index: usize) -> InputFile {
        let file = self.listing.get(index).expect("the index is one of a listed file");
        InputFile { source: self.ends.partition_point(|end| *end <= index), file }
    }

    /// The files in order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = InputFile> + '_ {
        (0..self.len()).map(|index| self.get(index))
    }

    /// The size of a file in bytes.
    pub(crate) fn size(&self, index: usize) -> u64 {
        self.listing.size(index)
    }

    /// How many bytes some files have in all.
    pub(crate) fn size_of(&self, files: Range<usize>) -> u64 {
        files.map(|index| self.listing.size(index)).sum()
    }

    /// Whether opening and reading a file costs no more than the system calls, and nothing speaks against it yet.
    pub(crate) fn is_local(&self, index: usize) -> bool {
        self.listing.is_local(index) && !self.listing.has_trouble(index)
    }
}

/// Lists the inputs of a plan.
///
/// What exports write is left out, or a second run would read the output of the first.
pub(crate) fn list(plan: &Plan, progress: &Progress) -> Result<Inputs, RunError> {
    let mut inputs = Inputs::default();
    for source in &plan.sources {
        list_source(plan, progress, source, &mut inputs)?;
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
    plan: &Plan,
    progress: &Progress,
    source: &SourcePlan,
    inputs: &mut Inputs,
) -> Result<(), RunError> {
    let failed = |error: InputError| match error {
        InputError::Stopped => RunError::Interrupted,
        error => RunError::Inputs { source_id: source.id.clone(), message: error.to_string() },
    };
    let patterns: Result<Vec<_>, _> = source.inputs.iter().map(pattern).collect();
    let mut patterns = patterns.map_err(failed)?;
    Pattern::share_root(&mut patterns);
    let folders = plan.exports.iter().map(|export| &export.path).chain(&plan.run.work);
    let folders: Vec<_> = folders.collect();
    let is_output = |path: &Path| folders.iter().any(|folder| path.starts_with(folder));
    let is_excluded = |it: Candidate<'_>| {
        let left_out = if it.is_folder {
            source.exclude.contains_dir(it.relative)
        } else {
            source.exclude.contains(it.relative)
        };
        left_out || is_output(it.path)
    };
    let options = ListOptions { is_excluded: &is_excluded, is_stopped: &|| progress.is_stopped() };
    inputs.listing.add(&patterns, &options).map_err(failed)?;
    inputs.ends.push(inputs.listing.len());
    source.inputs.iter().try_for_each(|input| check_named(plan, input))
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
fn check_named(plan: &Plan, input: &InputPattern) -> Result<(), RunError> {
    let path = &input.path;
    let is_ours = || path.file_name().is_some_and(|name| earlier::is_ours(&name.to_string_lossy()));
    let is_direct = || plan.exports.iter().any(|export| path.parent() == Some(export.path.as_path()));
    if input.kind == InputKind::Local && path.is_file() && is_direct() && is_ours() {
        return Err(RunError::InputIsOutput { path: path.clone() });
    }
    Ok(())
}
