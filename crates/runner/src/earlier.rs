//! What earlier runs left in the folders of the exports: recognising it, and taking it away.

use std::collections::BTreeSet;
use std::fs::{File, TryLockError};
use std::io::ErrorKind;
use std::path::{Component, Path, PathBuf};

use crate::inputs::Inputs;
use crate::manifest::{ExportManifest, Learned, MANIFEST, Manifest};
use crate::named::{FILE_LIST, listed_name};
use crate::part::{TEMPORARY, temporary};
use crate::{RunError, begun, manifest};

/// Held while a run uses an output folder.
///
/// The lock is on the folder itself, so it leaves nothing behind and ends with the process, however that
/// ends. A system or file system without such locks has none.
pub(crate) struct Lock {
    _folder: Option<File>,
}

impl Lock {
    pub(crate) fn take(folder: &Path) -> Result<Self, RunError> {
        let Ok(file) = File::open(folder) else { return Ok(Self { _folder: None }) };
        match file.try_lock() {
            Ok(()) => Ok(Self { _folder: Some(file) }),
            Err(TryLockError::WouldBlock) => Err(RunError::Busy { folder: folder.to_owned() }),
            Err(TryLockError::Error(_)) => Ok(Self { _folder: None }),
        }
    }
}

/// Whether a file directly in the folder of an export may be one that a run wrote.
pub(crate) fn is_ours(name: &str) -> bool {
    name == MANIFEST || name == FILE_LIST || name.ends_with(TEMPORARY) || part_number(name).is_some()
}

/// The number in the name of a part: `part-00012.jsonl`.
fn part_number(name: &str) -> Option<usize> {
    let (number, _) = name.strip_prefix("part-")?.split_once('.')?;
    if number.len() < 5 { None } else { number.parse().ok() }
}

/// The finished output must still be there: whoever asks for it again wants to use it.
pub(crate) fn check_finished(folder: &Path, earlier: &Manifest) -> Result<(), RunError> {
    for export in &earlier.exports {
        for entry in &export.files {
            let path = folder.join(&export.folder).join(&entry.name);
            let why = match path.metadata() {
                Ok(metadata) if metadata.len() == entry.bytes => continue,
                Ok(metadata) => format!("has {} bytes instead of {}", metadata.len(), entry.bytes),
                Err(error) => format!("cannot be read: {error}"),
            };
            let why = format!("`{}` {why}", export.folder.join(&entry.name).display());
            return Err(manifest::other(folder, &why));
        }
    }
    Ok(())
}

/// Makes sure that the folders of the exports hold no output but that of the earlier run, which goes.
///
/// `places` are the folders of the exports, `base` is that of the manifest.
pub(crate) fn check_free(
    places: &[PathBuf],
    base: &Path,
    earlier: Option<&Manifest>,
) -> Result<(), RunError> {
    for place in places {
        let known = earlier.into_iter().flat_map(|earlier| {
            let exports = earlier.exports.iter().filter(|known| base.join(&known.folder) == *place);
            exports.map(|known| (known, earlier.complete))
        });
        let known: Vec<_> = known.collect();
        let named = if known.is_empty() { BTreeSet::new() } else { named_files(place) };
        for name in names(place) {
            let is_manifest = name == MANIFEST && place == base;
            let is_listed = |(export, complete): &(&ExportManifest, bool)| {
                lists(export, &name) || (!complete && may_follow(export, &name))
            };
            let is_known = named.contains(&name) || known.iter().any(is_listed);
            if is_ours(&name) && !name.ends_with(TEMPORARY) && !is_manifest && !is_known {
                return Err(RunError::Occupied { folder: place.clone(), name });
            }
        }
    }
    Ok(())
}

fn lists(export: &ExportManifest, name: &str) -> bool {
    export.files.iter().any(|entry| entry.name == name)
}

/// Whether a file is the one that a run was about to list when it was killed.
fn may_follow(export: &ExportManifest, name: &str) -> bool {
    let n_parts = export.files.iter().filter(|entry| part_number(&entry.name).is_some()).count();
    name == FILE_LIST || part_number(name) == Some(n_parts)
}

/// An input that an earlier run wrote here must not be taken away before it is read.
///
/// What the exports of the plan write is no input anyway; this is about exports that the pipeline had before.
pub(crate) fn check_inputs(base: &Path, earlier: Option<&Manifest>, inputs: &Inputs) -> Result<(), RunError> {
    let mut parts = BTreeSet::new();
    let mut folders = Vec::new();
    for export in earlier.into_iter().flat_map(|earlier| &earlier.exports) {
        let folder = base.join(&export.folder);
        parts.extend(export.files.iter().map(|entry| folder.join(&entry.name)));
        if lists(export, FILE_LIST) {
            folders.push(folder);
        }
    }
    if parts.is_empty() && folders.is_empty() {
        return Ok(());
    }
    let is_output =
        |path: &Path| parts.contains(path) || folders.iter().any(|folder| path.starts_with(folder));
    let mut paths = inputs.iter().filter_map(|file| file.location.path().map(Path::to_owned));
    match paths.find(|path| is_output(path)) {
        Some(path) => Err(RunError::InputIsOutput { path }),
        None => Ok(()),
    }
}

/// Takes away what an earlier run wrote: the files that its manifest lists, what it had no time to list, and
/// temporary files.
///
/// Files that no run has written stay, whatever their name.
pub(crate) fn clear(places: &[PathBuf], base: &Path, earlier: Option<&Manifest>) -> Result<(), RunError> {
    for export in earlier.into_iter().flat_map(|earlier| &earlier.exports) {
        // A manifest is a file like any other: it must not make a run delete what lies elsewhere.
        let folder = base.join(&export.folder);
        if !is_inside(&export.folder) && !places.contains(&folder) {
            continue;
        }
        let is_complete = earlier.is_some_and(|earlier| earlier.complete);
        let unlisted = names(&folder).into_iter().filter(|name| !is_complete && may_follow(export, name));
        let listed = export.files.iter().map(|entry| entry.name.clone());
        for name in listed.chain(unlisted).filter(|name| is_inside(Path::new(name))) {
            let path = folder.join(&name);
            if name == FILE_LIST {
                clear_listed(&folder, &path)?;
            }
            remove(&path)?;
            // A partition is a folder of ours.
            begun::remove_empty(&folder, &name);
        }
        clear_temporary(&folder)?;
    }
    for learned in earlier.into_iter().flat_map(|earlier| &earlier.learned) {
        clear_learned(base, learned)?;
    }
    for place in places {
        clear_temporary(place)?;
    }
    remove(&base.join(MANIFEST))
}

/// Takes away what a corpus stage has left for the user.
fn clear_learned(base: &Path, learned: &Learned) -> Result<(), RunError> {
    let names = learned.files.iter().map(|entry| &entry.name);
    let folder = base.join(&learned.stage);
    for name in names.filter(|name| is_inside(Path::new(name)) && is_inside(Path::new(&learned.stage))) {
        remove(&folder.join(name))?;
    }
    // One that holds something else is not empty and stays.
    let _ = std::fs::remove_dir(folder);
    Ok(())
}

fn is_inside(path: &Path) -> bool {
    path.components().all(|part| matches!(part, Component::Normal(_)))
}

/// The names of what lies directly in a folder, sorted.
fn names(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let mut names: Vec<String> = entries.filter_map(|entry| entry.file_name().into_string().ok()).collect();
    names.sort_unstable();
    names
}

/// The files directly in a folder that a list there names and that look like parts: those of a run that was
/// killed, and named files, because an id may be `part-00000`.
fn named_files(folder: &Path) -> BTreeSet<String> {
    let list = folder.join(FILE_LIST);
    let names = listed_names(&temporary(&list)).into_iter().chain(listed_names(&list));
    names.chain(begun::listed(folder)).filter(|name| is_ours(name)).collect()
}

fn listed_names(list: &Path) -> Vec<String> {
    let text = std::fs::read(list).unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    // A run that was killed may have left half a line, which names another file, if any.
    let lines = text.split_inclusive('\n').filter_map(|line| line.strip_suffix('\n'));
    lines.filter_map(listed_name).collect()
}

/// Takes away the files in a list, and the folders that are empty then.
fn clear_listed(folder: &Path, list: &Path) -> Result<(), RunError> {
    for name in listed_names(list) {
        let path = folder.join(&name);
        remove(&path)?;
        remove(&temporary(&path))?;
        let between = Path::new(&name).ancestors().skip(1).filter(|path| !path.as_os_str().is_empty());
        for parent in between {
            // One that holds something else is not empty and stays.
            let _ = std::fs::remove_dir(folder.join(parent));
        }
    }
    Ok(())
}

fn clear_temporary(folder: &Path) -> Result<(), RunError> {
    begun::clear(folder)?;
    let list = temporary(&folder.join(FILE_LIST));
    clear_listed(folder, &list)?;
    for name in names(folder).iter().filter(|name| name.ends_with(TEMPORARY)) {
        remove(&folder.join(name))?;
    }
    Ok(())
}

fn remove(path: &Path) -> Result<(), RunError> {
    match std::fs::remove_file(path) {
        Err(error) if !matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
            Err(RunError::write(path)(error))
        }
        _ => Ok(()),
    }
}
