//! From the paths of a source to its files, in a fixed order.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tamis_config::{InputPattern, Plan, SourcePlan};
use walkdir::WalkDir;

use crate::RunError;

/// One file to read.
#[derive(Debug, Clone)]
pub(crate) struct InputFile {
    /// Index of the source in the plan.
    pub(crate) source: usize,
    /// Where it is.
    pub(crate) path: PathBuf,
    /// What documents and messages call it: relative to the root of the source, with `/`.
    pub(crate) name: Arc<str>,
    /// Its size in bytes.
    pub(crate) size: u64,
    /// When it was changed last, in nanoseconds since 1970; 0 if the system does not tell.
    pub(crate) modified: u128,
}

/// All files of all sources: sources in plan order, their inputs in the order written, files by name.
///
/// What lies in the folder of an export is left out, or a second run would read the output of the first.
pub(crate) fn list(plan: &Plan) -> Result<Vec<InputFile>, RunError> {
    let mut files = Vec::new();
    for (index, source) in plan.sources.iter().enumerate() {
        let mut seen = BTreeSet::new();
        for input in &source.inputs {
            list_input(plan, index, source, input, &mut seen, &mut files)
                .map_err(|message| RunError::Inputs { source_id: source.id.clone(), message })?;
        }
    }
    if files.is_empty() {
        let inputs = plan.sources.iter().flat_map(|source| &source.inputs);
        return Err(RunError::NoInputs {
            patterns: inputs.map(|input| format!("`{}`", input.written)).collect(),
        });
    }
    Ok(files)
}

fn list_input(
    plan: &Plan,
    index: usize,
    source: &SourcePlan,
    input: &InputPattern,
    seen: &mut BTreeSet<PathBuf>,
    files: &mut Vec<InputFile>,
) -> Result<(), String> {
    let is_output = |path: &Path| plan.exports.iter().any(|export| path.starts_with(&export.path));
    let excluded = |path: &Path| {
        let relative = path.strip_prefix(&input.path).unwrap_or(path);
        !relative.as_os_str().is_empty() && (source.exclude.contains(relative) || is_output(path))
    };
    let walk = WalkDir::new(&input.path).follow_links(true).sort_by_file_name();
    for entry in walk.into_iter().filter_entry(|entry| !excluded(entry.path())) {
        let entry = entry.map_err(|error| error.to_string())?;
        let path = entry.path();
        let relative = path.strip_prefix(&input.path).unwrap_or(path);
        if !entry.file_type().is_file() || !input.takes(relative) || !seen.insert(path.to_owned()) {
            continue;
        }
        let metadata = entry.metadata().map_err(|error| error.to_string())?;
        files.push(InputFile {
            source: index,
            name: name(path.strip_prefix(&input.root).unwrap_or(path)),
            path: path.to_owned(),
            size: metadata.len(),
            modified: modified(&metadata),
        });
    }
    Ok(())
}

/// The path with `/` between its parts on every platform; what is not Unicode is escaped, not lost.
fn name(relative: &Path) -> Arc<str> {
    let parts: Vec<_> = relative.iter().map(|part| part.to_string_lossy()).collect();
    Arc::from(parts.join("/"))
}

fn modified(metadata: &std::fs::Metadata) -> u128 {
    let since = metadata.modified().ok().and_then(|time| time.duration_since(std::time::UNIX_EPOCH).ok());
    since.map_or(0, |since| since.as_nanos())
}
