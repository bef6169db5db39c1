//! Exporters that write one named file a document: names, and the list of them.

use std::collections::HashMap;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};

use crate::disk::file::{
    FileEntry, create_folder, left_in, remove, remove_empty, sync_files, sync_folder, write_unsynced,
};
use crate::disk::file_list::{lines, listed_name, push_line};
use crate::disk::names::{FILE_LIST, temporary};
use crate::error::RunError;
use crate::remote::Outbox;
use crate::write::part::{Growing, Part, PartState, Size};

/// The named files of an export while they are written.
///
/// A file is in the list, and the list on the disk, before the file has its name: so the next run finds all
/// files of one that was killed, under the temporary name of the list.
/// The files themselves are synced together at the end, before the manifest says that the run is complete:
/// one by one costs three milliseconds each on a fast disk, together a tenth of that.
pub(crate) struct NamedFiles {
    folder: PathBuf,
    list: Part<Growing>,
    names: Names,
    /// How many files of the list are on the disk for sure.
    n_synced: u64,
    n_listed: u64,
}

impl NamedFiles {
    pub(crate) fn create(folder: &Path) -> Result<Self, RunError> {
        let list = Part::create(folder, FILE_LIST)?;
        Ok(Self { folder: folder.to_owned(), list, names: Names::default(), n_synced: 0, n_listed: 0 })
    }

    /// Goes on where another has left off, and takes away the files that came after.
    pub(crate) fn restore(folder: &Path, state: &PartState, n_files: u64) -> Result<Self, RunError> {
        let list = Part::restore_list(folder, state, |later| remove_listed(folder, later))?;
        let mut names = Names::default();
        let path = list.temporary();
        let file = File::open(&path).map_err(RunError::write(&path))?;
        for line in BufReader::new(file).lines() {
            if let Some(name) = listed_name(&line.map_err(RunError::write(&path))?) {
                names.take(&name);
            }
        }
        Ok(Self { folder: folder.to_owned(), list, names, n_synced: n_files, n_listed: n_files })
    }

    /// Takes away what the list in a folder names that a run had just begun when it was killed.
    pub(crate) fn clear(folder: &Path) -> Result<(), RunError> {
        let list = folder.join(FILE_LIST);
        for path in [temporary(&list), list] {
            remove_listed(folder, &left_in(&path)?)?;
            remove(&path)?;
        }
        Ok(())
    }

    /// Where the list stands, and how many files are in it; all of them are on the disk when this returns, or, where they
    /// are sent, in the store.
    pub(crate) fn save(&mut self, are_sent: bool) -> Result<(PartState, u64), RunError> {
        self.sync(are_sent)?;
        let size = Size { records: self.n_listed, ..Size::default() };
        Ok((self.list.save(FILE_LIST, size)?, self.n_listed))
    }

    /// Writes the files of a block, and hands them over.
    pub(crate) fn write(
        &mut self,
        files: &[(String, Vec<u8>)],
        outbox: Option<Outbox<'_>>,
    ) -> Result<(), RunError> {
        let mut names = Vec::with_capacity(files.len());
        let mut lines = String::new();
        for (name, content) in files {
            let name = self.names.free(name, |name| self.folder.join(name).symlink_metadata().is_ok());
            push_line(&name, content, &mut lines);
            names.push(name);
        }
        self.n_listed += files.len() as u64;
        self.list.write(lines.as_bytes())?;
        self.list.sync()?;
        for (name, (_, content)) in names.iter().zip(files) {
            let path = self.folder.join(name);
            if let Some(folder) = path.parent() {
                create_folder(folder)?;
            }
            write_unsynced(&path, content)?;
            if let Some(outbox) = outbox {
                outbox.send(name, blake3::hash(content).to_hex().as_str())?;
            }
        }
        Ok(())
    }

    /// Hands over what a run before has listed and not sent.
    pub(crate) fn send_rest(&self, outbox: Outbox<'_>) -> Result<(), RunError> {
        let path = self.list.temporary();
        let list = File::open(&path).map_err(RunError::write(&path))?;
        for line in BufReader::new(list).lines() {
            let line = line.map_err(RunError::write(&path))?;
            let Some(name) = listed_name(&line).filter(|name| self.folder.join(name).exists()) else {
                continue;
            };
            let content = self.folder.join(&name);
            let content = std::fs::read(&content).map_err(RunError::write(&content))?;
            outbox.send(&name, blake3::hash(&content).to_hex().as_str())?;
        }
        Ok(())
    }

    /// All files, and the list, are on the disk when this returns.
    pub(crate) fn settle(&mut self, are_sent: bool) -> Result<(), RunError> {
        self.sync(are_sent)?;
        self.list.sync()
    }

    /// Finishes the list, after [`NamedFiles::settle`].
    pub(crate) fn finish(self) -> Result<FileEntry, RunError> {
        self.list.end().finish(FILE_LIST, self.n_listed).inspect(|_| sync_folder(&self.folder))
    }

    /// Finishes the list of a run that does not come to its end; the files need not outlast a power failure.
    pub(crate) fn abandon(self) -> Result<FileEntry, RunError> {
        self.list.end().finish(FILE_LIST, self.n_listed)
    }

    /// Syncs the files that were listed since the last time, many at once: a journal takes them up together. Those that
    /// are sent may be gone at any time, and are safe then.
    fn sync(&mut self, are_sent: bool) -> Result<(), RunError> {
        if self.n_synced == self.n_listed {
            return Ok(());
        }
        let path = self.list.temporary();
        let list = File::open(&path).map_err(RunError::write(&path))?;
        let lines = BufReader::new(list).lines().skip(usize::try_from(self.n_synced).unwrap_or(usize::MAX));
        let paths = lines.map(|line| {
            let line = line.map_err(RunError::write(&path))?;
            Ok(listed_name(&line).map(|name| self.folder.join(name)))
        });
        sync_files(paths.filter_map(Result::transpose), are_sent)?;
        self.n_synced = self.n_listed;
        Ok(())
    }
}

/// Takes away the files in a piece of a list, and the folders that are empty then.
fn remove_listed(folder: &Path, list: &[u8]) -> Result<(), RunError> {
    for name in lines(list).filter_map(listed_name) {
        let path = folder.join(&name);
        remove(&path)?;
        remove(&temporary(&path))?;
        remove_empty(folder, &name);
    }
    Ok(())
}

/// The names that are taken, as hashes: some 20 bytes a file, so that ten million files fit the memory of a
/// small machine. Two names with one hash cost the second a number that it would not need.
#[derive(Default)]
struct Names {
    /// The next number to put behind a name, by the hash of the name in lower case: a system that does not
    /// tell cases apart must be able to hold the files, too.
    next: HashMap<u64, u64>,
}

impl Names {
    /// Takes a name that is known to be free.
    fn take(&mut self, name: &str) {
        self.next.entry(hash(name)).or_insert(2);
    }

    /// The name, or the name with the first number behind it that makes it one that no file has.
    fn free(&mut self, name: &str, exists: impl Fn(&str) -> bool) -> String {
        let (stem, ending) = match name.rsplit_once('.') {
            Some((stem, ending)) if !ending.contains('/') && !stem.is_empty() && !stem.ends_with('/') => {
                (stem, format!(".{ending}"))
            }
            _ => (name, String::new()),
        };
        let key = hash(name);
        let mut number = self.next.get(&key).copied().unwrap_or(1);
        loop {
            let candidate = if number == 1 { name.to_owned() } else { format!("{stem}-{number}{ending}") };
            number += 1;
            let is_taken = number > 2 && self.next.contains_key(&hash(&candidate));
            if !is_taken && !exists(&candidate) {
                self.next.insert(hash(&candidate), 2);
                self.next.insert(key, number);
                return candidate;
            }
        }
    }
}

fn hash(name: &str) -> u64 {
    let hash = blake3::hash(name.to_lowercase().as_bytes());
    let (first, _) = hash.as_bytes().split_first_chunk().expect("a hash has 32 bytes");
    u64::from_le_bytes(*first)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_in_every_case() {
        let mut names = Names::default();
        let mut free = |name: &str| names.free(name, |name| name == "there.md");
        for (name, expected) in [
            ("a.md", "a.md"),
            ("A.md", "A-2.md"),
            ("a.md", "a-3.md"),
            ("a-2.md", "a-2-2.md"),
            ("there.md", "there-2.md"),
            ("x/.md", "x/.md"),
            ("x/.md", "x/.md-2"),
            ("plain", "plain"),
            ("PLAIN", "PLAIN-2"),
        ] {
            assert_eq!(free(name), expected);
        }
    }

    /// As when no descriptor is left: taken for an empty one, its files would stay and be written again beside.
    #[test]
    fn a_list_that_cannot_be_read_is_told() {
        let folder = tempfile::tempdir().unwrap();
        NamedFiles::clear(folder.path()).unwrap();
        std::fs::create_dir_all(folder.path().join(FILE_LIST)).unwrap();
        let error = NamedFiles::clear(folder.path()).unwrap_err();
        assert!(error.to_string().contains("files.b3"), "{error}");
    }

    #[test]
    fn a_name_that_is_taken_a_million_times_is_not_looked_for_again() {
        let mut names = Names::default();
        for _ in 0..20_000 {
            names.free("a.md", |_| false);
        }
        assert_eq!(names.free("a.md", |_| false), "a-20001.md");
    }
}
