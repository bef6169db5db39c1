//! From the paths of the sources to their files, in a fixed order.

use std::cell::Cell;
use std::ops::Deref;
use std::path::{Path, PathBuf};

use tamis_config::{InputKind, InputPattern, Plan, SourcePlan};
use tamis_input::{Candidate, InputError, ListOptions, Location, Pattern, Seen};

use crate::disk::{folder, names};
use crate::place::MAX_FILES;
use crate::{Progress, RunError};

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
    /// Whether opening and reading it costs no more than the system calls.
    pub(crate) fn is_local(&self) -> bool {
        matches!(self.location, Location::Path(_))
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
    pub(crate) files: Vec<InputFile>,
}

impl Inputs {
    pub(crate) fn size(&self) -> u64 {
        self.files.iter().map(|file| file.size).sum()
    }
}

impl Inputs {
    /// What messages call the first input that cannot be known again: a run of it can neither be gone on with nor
    /// be found done.
    pub(crate) fn unrepeatable(&self) -> Option<String> {
        let file = self.files.iter().find(|file| !file.is_repeatable())?;
        Some(match &file.location {
            Location::Stdin => "standard input".to_owned(),
            location => format!("`{location}`, of which the server tells no version,"),
        })
    }
}

/// Lists the inputs of a plan.
///
/// What exports write is left out, or a second run would read the output of the first.
pub(crate) fn list(plan: &Plan, progress: &Progress) -> Result<Inputs, RunError> {
    let mut inputs = Inputs::default();
    let folders = plan.exports.iter().map(|export| &export.path).chain(&plan.run.work);
    let outputs: Vec<_> = folders.map(|path| folder::resolve(path)).collect();
    for (index, source) in plan.sources.iter().enumerate() {
        list_source(plan, progress, index, source, &outputs, &mut inputs)?;
    }
    if inputs.files.len() as u64 > MAX_FILES {
        let message = format!("a run reads no more than {MAX_FILES} files: make several of it");
        return Err(RunError::Inputs { source_id: plan.name.clone(), message });
    }
    if inputs.files.is_empty() {
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
    index: usize,
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
    let input_is_local = Cell::new(true);
    let is_excluded = |it: Candidate<'_>| {
        let left_out = if it.is_folder {
            source.exclude.contains_dir(it.relative)
        } else {
            source.exclude.contains(it.relative)
        };
        left_out || (input_is_local.get() && (it.is_folder || it.path.is_symlink()) && is_output(it.path))
    };
    let options = ListOptions { is_excluded: &is_excluded, is_stopped: &|| progress.is_stopped() };
    let mut seen = Seen::default();
    for (pattern, input) in patterns.iter().zip(&source.inputs) {
        check_named(input, outputs)?;
        input_is_local.set(input.kind == InputKind::Local);
        if input_is_local.get() && !input.path.is_file() && is_output(&input.path) {
            continue;
        }
        let files = tamis_input::list(pattern, &options, &mut seen).map_err(failed)?;
        inputs.files.extend(files.into_iter().map(|file| named(plan, index, file)));
    }
    Ok(())
}

fn pattern(input: &InputPattern) -> Result<Pattern, InputError> {
    match input.kind {
        InputKind::Local => {
            let (path, root) = (input.path.clone(), input.root.clone());
            Ok(Pattern::local(&input.written, path, root, input.glob().cloned()))
        }
        InputKind::Stdin | InputKind::Url => Pattern::parse(&input.written, Path::new("")),
    }
}

/// A file of a source; where there are several sources the name of the source comes first, because each has names of
/// its own: two of them may read files of one name, or even one file in two ways.
fn named(plan: &Plan, source: usize, mut file: tamis_input::InputFile) -> InputFile {
    if let [_, _, ..] = plan.sources.as_slice() {
        file.name = format!("{}/{}", plan.sources[source].id, file.name).into();
    }
    InputFile { source, file }
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
