//! From what a user named to files, in a fixed order.

use std::collections::HashSet;
use std::fs::FileType;
use std::path::Path;

use walkdir::WalkDir;

use crate::pattern::Place;
use crate::{InputError, InputFile, Location, Pattern, names};

/// A file or folder that was found.
#[derive(Debug, Clone, Copy)]
pub struct Candidate<'a> {
    /// Its whole path; for an object its address.
    pub path: &'a Path,
    /// Its path from where the pattern looks; never empty.
    pub relative: &'a Path,
    /// Whether it is a folder.
    pub is_folder: bool,
}

/// What the caller decides about a listing.
pub struct ListOptions<'a> {
    /// Whether a file or folder is left out, a folder with all it holds. What the user named itself is not asked
    /// about.
    pub is_excluded: &'a dyn Fn(Candidate<'_>) -> bool,
    /// Whether somebody asked to stop.
    pub is_stopped: &'a dyn Fn() -> bool,
}

/// The files that were listed already.
#[derive(Debug, Default)]
pub struct Seen(HashSet<Location>);

/// Lists the files of one pattern that are not in `seen`, by name, and adds them to `seen`.
///
/// Links are followed, wherever they lead.
///
/// # Errors
///
/// When what the user named itself cannot be read; what is found below it and cannot be read is a file with a
/// `trouble`.
pub fn list(
    pattern: &Pattern,
    options: &ListOptions<'_>,
    seen: &mut Seen,
) -> Result<Vec<InputFile>, InputError> {
    match &pattern.place {
        Place::Path { path, root } => walk(pattern, path, root, options, seen),
        Place::Stdin => {
            let file = InputFile::at(Location::Stdin);
            Ok(if seen.0.insert(Location::Stdin) { vec![file] } else { Vec::new() })
        }
        #[cfg(feature = "remote")]
        Place::Url { url, root, is_prefix } => {
            let files = crate::remote::list(pattern, url, root, *is_prefix, options)?;
            Ok(files.into_iter().filter(|file| seen.0.insert(file.location.clone())).collect())
        }
        #[cfg(not(feature = "remote"))]
        Place::Url { .. } => {
            let reason = crate::open::no_remote().to_string();
            Err(InputError::Unreadable { written: pattern.written.clone(), reason })
        }
    }
}

fn walk(
    pattern: &Pattern,
    base: &Path,
    root: &Path,
    options: &ListOptions<'_>,
    seen: &mut Seen,
) -> Result<Vec<InputFile>, InputError> {
    let mut files = Vec::new();
    let mut walk = WalkDir::new(base).follow_links(true).sort_by_file_name().into_iter();
    while let Some(entry) = walk.next() {
        if (options.is_stopped)() {
            return Err(InputError::Stopped);
        }
        let (path, kind) = match &entry {
            Ok(entry) => (entry.path(), Some(entry.file_type())),
            Err(error) => (error.path().unwrap_or(base), None),
        };
        let relative = path.strip_prefix(base).unwrap_or(path);
        let is_named = relative.as_os_str().is_empty();
        // A folder that cannot be listed may hold files of the input, whatever its own name; it is one for the
        // patterns that leave out folders, too.
        let is_folder = match kind {
            Some(kind) => kind.is_dir(),
            None => std::fs::symlink_metadata(path).is_ok_and(|it| it.is_dir()),
        };
        if !is_named && (options.is_excluded)(Candidate { path, relative, is_folder }) {
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
        if !pattern.takes(relative) && !is_folder {
            continue;
        }
        if let (true, Some(reason)) = (is_named, &trouble) {
            // Named by the user, and nothing has run yet.
            let (written, reason) = (pattern.written.clone(), reason.clone());
            return Err(InputError::Unreadable { written, reason });
        }
        let location = Location::Path(path.to_owned());
        if seen.0.insert(location.clone()) {
            let metadata = entry.as_ref().ok().and_then(|entry| entry.metadata().ok());
            files.push(InputFile {
                location,
                name: names::name(path.strip_prefix(root).unwrap_or(path)),
                size: metadata.as_ref().filter(|_| trouble.is_none()).map_or(0, std::fs::Metadata::len),
                modified: metadata.as_ref().map_or(0, modified),
                version: String::new(),
                trouble,
            });
        }
    }
    Ok(files)
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

pub(crate) fn modified(metadata: &std::fs::Metadata) -> u128 {
    let since = metadata.modified().ok().and_then(|time| time.duration_since(std::time::UNIX_EPOCH).ok());
    since.map_or(0, |since| since.as_nanos())
}

#[cfg(test)]
mod tests;
