//! Folders that a run writes to: where they really are, and that nobody else writes there meanwhile.

use std::fs::{File, TryLockError};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

use tamis_config::Plan;

use super::names::{LOCK, LOCK_MARK, WORK};
use crate::disk::file::create_folder;
use crate::error::RunError;
use crate::remote;
use crate::settings::Settings;

/// Where a path really is, whether it exists already or not: links are followed, so that two names of one folder are
/// one path, and an output that an input leads to is seen.
pub(crate) fn resolve(path: &Path) -> PathBuf {
    let mut missing = Vec::new();
    let mut there = path;
    loop {
        if let Ok(mut resolved) = there.canonicalize() {
            resolved.extend(missing.iter().rev());
            return resolved;
        }
        match (there.parent(), there.file_name()) {
            (Some(parent), Some(name)) => {
                missing.push(name);
                there = parent;
            }
            _ => return path.to_owned(),
        }
    }
}

/// The folders of the exports in plan order, each where it really is; of those that go to an object store, where they
/// are prepared.
///
/// # Errors
///
/// When two exports write to one folder.
pub(crate) fn of_exports(
    plan: &Plan,
    below: Option<&str>,
    settings: &Settings,
) -> Result<Vec<PathBuf>, RunError> {
    let place = |path: &PathBuf| below.map_or_else(|| resolve(path), |below| resolve(&path.join(below)));
    let places = plan.exports.iter().map(|export| match export.address() {
        Some(_) => Ok(place(&remote::folder(plan, export, settings)?)),
        None => Ok(place(&export.path)),
    });
    let places = places.collect::<Result<Vec<_>, _>>()?;
    for (index, place) in places.iter().enumerate() {
        if let Some(other) = places.iter().take(index).position(|other| other == place) {
            let id = |index: usize| plan.exports.get(index).map_or_else(String::new, |it| it.id.clone());
            return Err(RunError::SameFolder { folder: place.clone(), exports: [id(other), id(index)] });
        }
    }
    Ok(places)
}

/// Held while a run writes to its folders; gone when the process ends, however it ends.
#[derive(Debug)]
pub(crate) struct Locks(#[expect(dead_code, reason = "held, and let go")] Vec<Lock>);

/// One of them.
#[derive(Debug)]
struct Lock {
    folder: PathBuf,
    file: Option<File>,
    /// Whether the folder is to go when nothing is in it.
    is_passing: bool,
}

impl Locks {
    /// Takes the locks of all exports, or none; makes their folders.
    ///
    /// In the order of their paths, whatever the plan says: two runs that share some folders meet at the same one.
    pub(crate) fn take(plan: &Plan, places: &[PathBuf]) -> Result<Self, RunError> {
        let mut all: Vec<_> = plan.exports.iter().map(|export| export.implicit).zip(places).collect();
        all.sort_by_key(|(_, place)| *place);
        let locks = all.into_iter().map(|(is_passing, place)| Lock::take(place, is_passing));
        locks.collect::<Result<_, _>>().map(Self)
    }
}

impl Lock {
    fn take(folder: &Path, is_passing: bool) -> Result<Self, RunError> {
        let path = folder.join(WORK).join(LOCK);
        loop {
            create_folder(&folder.join(WORK)).map_err(RunError::folder(folder))?;
            let open = File::options().create(true).truncate(false).write(true).open(&path);
            let file = match open {
                // A run that ends has taken the folder away between the two calls.
                Err(error) if error.kind() == ErrorKind::NotFound => continue,
                open => open.map_err(RunError::write(&path)).map_err(RunError::folder(folder))?,
            };
            match file.try_lock() {
                // The run before may have taken the file away between the two calls: then it is no longer the one
                // that the next run will find.
                Ok(()) if is_at(&file, &path) => {
                    return Ok(Self { folder: folder.to_owned(), file: Some(file), is_passing });
                }
                Ok(()) => {}
                Err(TryLockError::WouldBlock) => {
                    return Err(RunError::Busy { folder: folder.to_owned(), mark: None });
                }
                Err(TryLockError::Error(_)) => return Self::mark(folder, is_passing),
            }
        }
    }

    /// A mark instead of a lock, where the file system has none, such as some network file systems.
    ///
    /// It outlives a process that is killed, and nobody can tell whether its process still runs, perhaps on another
    /// machine; so the message says which file to take away.
    fn mark(folder: &Path, is_passing: bool) -> Result<Self, RunError> {
        let path = folder.join(WORK).join(LOCK_MARK);
        match File::options().create_new(true).write(true).open(&path) {
            Ok(mut file) => {
                // For whoever looks into it; the file itself is what counts.
                let _ = writeln!(file, "process {}", std::process::id());
                Ok(Self { folder: folder.to_owned(), file: None, is_passing })
            }
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                Err(RunError::Busy { folder: folder.to_owned(), mark: Some(path) })
            }
            Err(error) => Err(RunError::write(&path)(error)),
        }
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        let work = self.folder.join(WORK);
        // While the lock is held, so that nobody locks a file that is about to go. None of this matters to the
        // output; what stays is taken up by the next run.
        let file = if self.file.is_some() { LOCK } else { LOCK_MARK };
        let _ = std::fs::remove_file(work.join(file));
        let _ = std::fs::remove_dir(&work);
        if self.is_passing {
            let _ = std::fs::remove_dir(&self.folder);
        }
    }
}

/// Whether an open file is the one at a path.
#[cfg(unix)]
fn is_at(file: &File, path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    let place = |metadata: std::fs::Metadata| (metadata.dev(), metadata.ino());
    match (file.metadata(), path.symlink_metadata()) {
        (Ok(open), Ok(there)) => place(open) == place(there),
        _ => false,
    }
}

/// Elsewhere an open file cannot be taken away.
#[cfg(not(unix))]
fn is_at(_file: &File, path: &Path) -> bool {
    path.exists()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_resolved_as_far_as_they_exist() {
        let folder = tempfile::tempdir().unwrap();
        let base = folder.path().canonicalize().unwrap();
        std::fs::create_dir(base.join("real")).unwrap();
        assert_eq!(resolve(&base.join("real/../real/a/b")), base.join("real/a/b"));
        #[cfg(unix)]
        {
            std::os::unix::fs::symlink(base.join("real"), base.join("link")).unwrap();
            assert_eq!(resolve(&base.join("link/a")), base.join("real/a"));
        }
    }

    #[test]
    fn one_run_at_a_time() {
        let folder = tempfile::tempdir().unwrap();
        let first = Lock::take(folder.path(), false).unwrap();
        assert!(matches!(Lock::take(folder.path(), false), Err(RunError::Busy { mark: None, .. })));
        drop(first);
        assert!(!folder.path().join(WORK).exists());
        Lock::take(folder.path(), false).unwrap();
    }

    #[test]
    fn a_mark_stands_in_for_a_lock() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join(WORK)).unwrap();
        let first = Lock::mark(folder.path(), true).unwrap();
        let error = Lock::mark(folder.path(), true).unwrap_err().to_string();
        assert!(error.contains("lock.held") && error.contains("if no run is"), "{error}");
        drop(first);
        assert!(!folder.path().exists());
    }
}
