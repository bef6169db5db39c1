//! From the paths of a source to its files, in a fixed order.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fmt::Write;
use std::fs::FileType;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tamis_config::{ExportPlan, InputPattern, Plan, SourcePlan};
use walkdir::WalkDir;

use crate::{Progress, RunError, earlier};

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
    /// Why it cannot be read, if that is known already: it becomes a dead letter.
    pub(crate) trouble: Option<String>,
}

impl InputFile {
    /// Whether opening and reading it costs no more than the system calls.
    pub(crate) fn is_local(&self) -> bool {
        true
    }

    /// Whether size and time of change are still those of the listing.
    pub(crate) fn is_as_listed(&self) -> bool {
        let is_same = |it: &std::fs::Metadata| (it.len(), modified(it)) == (self.size, self.modified);
        self.path.metadata().is_ok_and(|metadata| is_same(&metadata))
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

/// Lists the inputs of a plan.
///
/// What exports write is left out, or a second run would read the output of the first.
pub(crate) fn list(plan: &Plan, progress: &Progress) -> Result<Inputs, RunError> {
    let mut inputs = Inputs::default();
    for (index, source) in plan.sources.iter().enumerate() {
        let mut seen = BTreeSet::new();
        for input in &source.inputs {
            Lister { plan, progress, index, source, input, inputs: &mut inputs }.list(&mut seen)?;
        }
    }
    if inputs.files.is_empty() {
        let patterns = plan.sources.iter().flat_map(|source| &source.inputs);
        return Err(RunError::NoInputs {
            patterns: patterns.map(|input| format!("`{}`", input.written)).collect(),
        });
    }
    Ok(inputs)
}

/// Lists one input.
struct Lister<'a> {
    plan: &'a Plan,
    progress: &'a Progress,
    index: usize,
    source: &'a SourcePlan,
    input: &'a InputPattern,
    inputs: &'a mut Inputs,
}

impl Lister<'_> {
    /// Adds the files of the input that are not in `seen`.
    fn list(&mut self, seen: &mut BTreeSet<PathBuf>) -> Result<(), RunError> {
        let mut walk = WalkDir::new(&self.input.path).follow_links(true).sort_by_file_name().into_iter();
        while let Some(entry) = walk.next() {
            if self.progress.is_stopped() {
                return Err(RunError::Interrupted);
            }
            let (path, kind) = match &entry {
                Ok(entry) => (entry.path(), Some(entry.file_type())),
                Err(error) => (error.path().unwrap_or(&self.input.path), None),
            };
            let relative = path.strip_prefix(&self.input.path).unwrap_or(path);
            if !relative.as_os_str().is_empty() && self.is_excluded(path, relative) {
                if kind.is_some_and(|kind| kind.is_dir()) {
                    walk.skip_current_dir();
                }
                continue;
            }
            let trouble = match (&entry, kind) {
                (Ok(_), Some(kind)) if kind.is_dir() => continue,
                (Ok(_), Some(kind)) => not_a_file(kind),
                (Err(error), _) => Some(trouble(error)),
                (Ok(_), None) => None,
            };
            // A folder that cannot be listed may hold files of the input, whatever its own name.
            let is_folder = trouble.is_some() && std::fs::symlink_metadata(path).is_ok_and(|it| it.is_dir());
            if !self.input.takes(relative) && !is_folder {
                continue;
            }
            if relative.as_os_str().is_empty() {
                // Named by the user, and nothing has run yet.
                self.check_named(path, trouble.as_deref())?;
            }
            if seen.insert(path.to_owned()) {
                let metadata = entry.as_ref().ok().and_then(|entry| entry.metadata().ok());
                self.push(path, metadata.as_ref(), trouble);
            }
        }
        Ok(())
    }

    /// A file that the user named, and did not only let be found, must be there to be read.
    fn check_named(&self, path: &Path, trouble: Option<&str>) -> Result<(), RunError> {
        let is_output = |export: &ExportPlan| {
            let is_direct = path.parent() == Some(&export.path);
            is_direct && path.file_name().is_some_and(|name| earlier::is_ours(&name.to_string_lossy()))
        };
        if let Some(trouble) = trouble {
            let message = format!("`{}`: {trouble}", self.input.written);
            return Err(RunError::Inputs { source_id: self.source.id.clone(), message });
        }
        if self.plan.exports.iter().any(is_output) {
            return Err(RunError::InputIsOutput { path: path.to_owned() });
        }
        Ok(())
    }

    fn push(&mut self, path: &Path, metadata: Option<&std::fs::Metadata>, trouble: Option<String>) {
        self.inputs.files.push(InputFile {
            source: self.index,
            name: name(path.strip_prefix(&self.input.root).unwrap_or(path)),
            path: path.to_owned(),
            size: metadata.filter(|_| trouble.is_none()).map_or(0, std::fs::Metadata::len),
            modified: metadata.map_or(0, modified),
            trouble,
        });
    }

    fn is_excluded(&self, path: &Path, relative: &Path) -> bool {
        self.source.exclude.contains(relative)
            || self.plan.exports.iter().any(|export| path.starts_with(&export.path))
    }
}

/// Why something that is no folder cannot be read as a file, if so.
fn not_a_file(kind: FileType) -> Option<String> {
    (!kind.is_file()).then(|| format!("{} is not a file to read", special(kind)))
}

#[cfg(unix)]
fn special(kind: FileType) -> &'static str {
    use std::os::unix::fs::FileTypeExt;
    if kind.is_fifo() {
        "a named pipe"
    } else if kind.is_socket() {
        "a socket"
    } else if kind.is_block_device() || kind.is_char_device() {
        "a device"
    } else {
        "this"
    }
}

#[cfg(not(unix))]
fn special(_kind: FileType) -> &'static str {
    "this"
}

/// What keeps a walk from going on at a path.
fn trouble(error: &walkdir::Error) -> String {
    match (error.loop_ancestor(), error.io_error(), error.path()) {
        (Some(ancestor), ..) => {
            format!("the link leads back to `{}`, whose files are read already", ancestor.display())
        }
        (_, Some(io), Some(path)) if path.is_symlink() => match std::fs::read_link(path) {
            Ok(target) => format!("the link to `{}` cannot be followed: {io}", target.display()),
            Err(_) => io.to_string(),
        },
        (_, Some(io), _) => format!("cannot read it: {io}"),
        _ => error.to_string(),
    }
}

/// The path with `/` between its parts on every platform.
fn name(relative: &Path) -> Arc<str> {
    let parts: Vec<_> = relative.iter().map(escaped).collect();
    Arc::from(parts.join("/"))
}

/// A part of a path as text: bytes that are not UTF-8 are written `\xFF`, and where a name has such an escape
/// itself its backslash is, so that two names never become one.
fn escaped(part: &OsStr) -> Cow<'_, str> {
    if let Some(text) = part.to_str()
        && !text.contains("\\x")
    {
        return Cow::Borrowed(text);
    }
    let mut name = String::new();
    for chunk in part.as_encoded_bytes().utf8_chunks() {
        name += &chunk.valid().replace("\\x", "\\x5Cx");
        for byte in chunk.invalid() {
            // Writing to a string never fails.
            let _ = write!(name, "\\x{byte:02X}");
        }
    }
    Cow::Owned(name)
}

fn modified(metadata: &std::fs::Metadata) -> u128 {
    let since = metadata.modified().ok().and_then(|time| time.duration_since(std::time::UNIX_EPOCH).ok());
    since.map_or(0, |since| since.as_nanos())
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::ffi::OsStrExt;

    use super::*;

    #[test]
    fn no_two_names_become_one() {
        for (bytes, expected) in [
            (&b"dump/\xE5\xAD\x97 \xF0\x9F\x98\x80.txt"[..], "dump/字 😀.txt"),
            (b"a\xFFb", "a\\xFFb"),
            (b"a\xFEb\xFF", "a\\xFEb\\xFF"),
            (b"a\\xFFb", "a\\x5CxFFb"),
            (b"a\\x5CxFFb", "a\\x5Cx5CxFFb"),
            (b"a\\b\nc", "a\\b\nc"),
        ] {
            assert_eq!(&*name(Path::new(OsStr::from_bytes(bytes))), expected);
        }
    }
}
