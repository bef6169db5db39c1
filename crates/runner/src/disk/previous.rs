//! What earlier runs left in the folders of the exports: recognising it, and taking it away.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use crate::disk::file::{entries_of, left_in, remove, remove_empty};
use crate::disk::file_list::listed_name;
use crate::disk::folder;
use crate::disk::journal;
use crate::disk::manifest::{ExportManifest, Learned, Manifest};
use crate::disk::names::{
    FATES, FILE_LIST, INPUTS, LEARNED, MANIFEST, OLD_FILE_LIST, OLD_MANIFEST, TEMPORARY, TIMES, WORK,
    is_file_list, is_inside, is_ours, part_number, temporary,
};
use crate::error::RunError;
use crate::remote::Mirror;

/// The finished output must still be there: whoever asks for it again wants to use it.
pub(crate) fn check_finished(
    folder: &Path,
    earlier: &Manifest,
    mirror: Option<&Mirror>,
) -> Result<(), RunError> {
    if let Some(mirror) = mirror {
        let changed = mirror.first_changed(&earlier.exports)?;
        return changed.map_or(Ok(()), |(path, why)| {
            Err(RunError::other(folder, &format!("of `{}`, {why}", path.display())))
        });
    }
    for export in &earlier.exports {
        for entry in &export.files {
            let path = folder.join(&export.folder).join(&entry.name);
            let why = match path.metadata() {
                Ok(metadata) if metadata.len() == entry.bytes => continue,
                Ok(metadata) => format!("has {} bytes instead of {}", metadata.len(), entry.bytes),
                Err(error) => format!("cannot be read: {error}"),
            };
            let why = format!("`{}` {why}", export.folder.join(&entry.name).display());
            return Err(RunError::other(folder, &why));
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
        let named = if known.is_empty() { BTreeSet::new() } else { named_files(place)? };
        for name in names(place)? {
            let is_listed = |(export, complete): &(&ExportManifest, bool)| {
                lists(export, &name) || (!complete && may_follow(export, &name))
            };
            let is_known = named.contains(&name) || known.iter().any(is_listed);
            let is_passing = name.ends_with(TEMPORARY) || name == WORK;
            if is_ours(&name) && !is_passing && !is_known {
                return Err(RunError::Occupied { folder: place.clone(), name });
            }
        }
        if let Some(name) = foreign(place, place == base, known.is_empty()) {
            return Err(RunError::Occupied { folder: place.clone(), name: name.to_owned() });
        }
    }
    Ok(())
}

/// What says that a run of which we know nothing wrote to a folder.
fn foreign(place: &Path, is_base: bool, is_unknown: bool) -> Option<&'static str> {
    let is_there = |name: &str| place.join(name).symlink_metadata().is_ok();
    let strange = [(MANIFEST, !is_base), (FILE_LIST, is_unknown)];
    strange.into_iter().find(|(name, is_strange)| *is_strange && is_there(name)).map(|(name, _)| name)
}

fn lists(export: &ExportManifest, name: &str) -> bool {
    export.files.iter().any(|entry| entry.name == name)
}

/// Whether a file is the one that a run was about to list when it was killed.
fn may_follow(export: &ExportManifest, name: &str) -> bool {
    let n_parts = export.files.iter().filter(|entry| part_number(&entry.name).is_some()).count();
    is_file_list(name) || part_number(name) == Some(n_parts)
}

/// An input that an earlier run wrote here must not be taken away before it is read.
///
/// What the exports of the plan write is no input anyway; this is about exports that the pipeline had before.
pub(crate) fn check_inputs(
    base: &Path,
    earlier: Option<&Manifest>,
    inputs: impl Iterator<Item = PathBuf>,
) -> Result<(), RunError> {
    let mut parts = BTreeSet::new();
    let mut folders = Vec::new();
    for export in earlier.into_iter().flat_map(|earlier| &earlier.exports) {
        let folder = base.join(&export.folder);
        parts.extend(export.files.iter().map(|entry| folder.join(&entry.name)));
        if export.files.iter().any(|entry| is_file_list(&entry.name)) {
            folders.push(folder);
        }
    }
    if parts.is_empty() && folders.is_empty() {
        return Ok(());
    }
    let names: BTreeSet<_> = parts.iter().filter_map(|part| part.file_name()).collect();
    let is_near = |path: &Path| parts.contains(path) || folders.iter().any(|folder| path.starts_with(folder));
    let is_output = |path: &Path| {
        // Following links takes time, and hardly a file is called like a part.
        let may_be = || path.file_name().is_some_and(|name| names.contains(name));
        is_near(path) || (may_be() && is_near(&folder::resolve(path)))
    };
    let mut inputs = inputs;
    match inputs.find(|path| is_output(path)) {
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
        let unlisted = names(&folder)?.into_iter().chain([FILE_LIST.to_owned()]);
        let unlisted = unlisted.filter(|name| !is_complete && may_follow(export, name));
        let listed = export.files.iter().map(|entry| entry.name.clone());
        for name in listed.chain(unlisted).filter(|name| is_inside(Path::new(name))) {
            let path = folder.join(&name);
            if is_file_list(&name) {
                clear_listed(&folder, &path)?;
            }
            remove(&path)?;
            // A partition is a folder of ours.
            remove_empty(&folder, &name);
        }
        clear_temporary(&folder)?;
    }
    for learned in earlier.into_iter().flat_map(|earlier| &earlier.learned) {
        clear_learned(base, learned)?;
    }
    for place in places {
        clear_temporary(place)?;
    }
    remove(&base.join(WORK).join(FATES))?;
    remove(&base.join(WORK).join(INPUTS))?;
    remove(&base.join(WORK).join(TIMES))?;
    // That of an older version is one only if it was read as one: another file may have that name.
    if earlier.is_some() && !base.join(MANIFEST).exists() {
        remove(&base.join(OLD_MANIFEST))?;
    }
    remove(&base.join(MANIFEST))
}

/// Takes away what a corpus stage has left for the user.
fn clear_learned(base: &Path, learned: &Learned) -> Result<(), RunError> {
    // Before there was a folder for it all, that of a stage lay beside the manifest.
    let own = if learned.folder.as_os_str().is_empty() { Path::new(&learned.stage) } else { &learned.folder };
    if !is_inside(own) {
        return Ok(());
    }
    let folder = base.join(own);
    for name in learned.files.iter().map(|entry| &entry.name).filter(|name| is_inside(Path::new(name))) {
        remove(&folder.join(name))?;
    }
    // One that holds something else is not empty and stays.
    let _ = std::fs::remove_dir(folder);
    let _ = std::fs::remove_dir(base.join(WORK).join(LEARNED));
    Ok(())
}

/// The names of what lies directly in a folder, sorted.
fn names(folder: &Path) -> Result<Vec<String>, RunError> {
    let entries = entries_of(folder)?.into_iter();
    let mut names: Vec<String> = entries.filter_map(|entry| entry.file_name().into_string().ok()).collect();
    names.sort_unstable();
    Ok(names)
}

/// The files directly in a folder that a list there names and that look like parts: those of a run that was
/// killed, and named files, because an id may be `part-00000`.
fn named_files(folder: &Path) -> Result<BTreeSet<String>, RunError> {
    let mut names = journal::listed(folder)?;
    for list in [FILE_LIST, OLD_FILE_LIST].map(|list| folder.join(list)) {
        names.extend(listed_names(&temporary(&list))?);
        names.extend(listed_names(&list)?);
    }
    Ok(names.into_iter().filter(|name| is_ours(name)).collect())
}

fn listed_names(list: &Path) -> Result<Vec<String>, RunError> {
    let text = left_in(list)?;
    let text = String::from_utf8_lossy(&text);
    // A run that was killed may have left half a line, which names another file, if any.
    let lines = text.split_inclusive('\n').filter_map(|line| line.strip_suffix('\n'));
    Ok(lines.filter_map(listed_name).collect())
}

/// Takes away the files in a list, and the folders that are empty then.
fn clear_listed(folder: &Path, list: &Path) -> Result<(), RunError> {
    for name in listed_names(list)? {
        let path = folder.join(&name);
        remove(&path)?;
        remove(&temporary(&path))?;
        remove_empty(folder, &name);
    }
    Ok(())
}

fn clear_temporary(folder: &Path) -> Result<(), RunError> {
    journal::clear(folder)?;
    for list in [FILE_LIST, OLD_FILE_LIST].map(|list| temporary(&folder.join(list))) {
        clear_listed(folder, &list)?;
        remove(&list)?;
    }
    for name in names(folder)?.iter().filter(|name| name.ends_with(TEMPORARY)) {
        remove(&folder.join(name))?;
    }
    Ok(())
}
