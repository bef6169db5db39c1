//! Runs of one kind of entry.

use std::fmt;
use std::fs::File;
use std::io::{BufReader, BufWriter, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use tamis_plugin::Failure;

use super::merge::{Source, sort};
use super::{BlockReader, BlockWriter, Entry, Header, Merged, Scratch, Tallied, unwritable};

/// Sorted runs; see [`super`].
pub(crate) struct Runs<E> {
    /// What its files are called.
    name: &'static str,
    scratch: OnceLock<Scratch>,
    inner: Mutex<Inner<E>>,
    /// Held by whoever writes: if several did, each would hold as much as fits into memory.
    writing: Mutex<()>,
    n_files: AtomicU64,
    /// The first mistake that nobody could be told of when it happened.
    broken: Mutex<Option<Failure>>,
}

struct Inner<E> {
    /// Sorted, each with the bytes that it holds; every run is more than twice as large as the one behind it.
    resident: Vec<(Vec<E>, usize)>,
    files: Vec<RunFile>,
}

/// A run on the disk, gone when dropped.
struct RunFile {
    path: PathBuf,
}

impl Drop for RunFile {
    fn drop(&mut self) {
        // The folder is removed after the run; a file more in it costs space only.
        let _ = std::fs::remove_file(&self.path);
    }
}

impl<E: Entry + 'static> Runs<E> {
    /// No runs; without [`Runs::place`] everything stays in memory.
    pub(crate) fn new(name: &'static str) -> Self {
        Self {
            name,
            scratch: OnceLock::new(),
            inner: Mutex::new(Inner { resident: Vec::new(), files: Vec::new() }),
            writing: Mutex::new(()),
            n_files: AtomicU64::new(0),
            broken: Mutex::new(None),
        }
    }

    /// Sets where entries go when memory is full. Only the first call counts.
    pub(crate) fn place(&self, scratch: Scratch) {
        self.scratch.get_or_init(|| scratch);
    }

    /// The place on the disk, if there is one.
    pub(crate) fn scratch(&self) -> Option<&Scratch> {
        self.scratch.get()
    }

    /// How many bytes one local may hold before it is to be added.
    pub(crate) fn local_bytes(&self) -> usize {
        self.scratch.get().map_or(usize::MAX, Scratch::local_bytes)
    }

    /// For tests: how many runs there are in memory.
    #[cfg(test)]
    pub(crate) fn n_resident(&self) -> usize {
        self.inner().resident.len()
    }

    /// Adds entries in any order. A mistake is remembered: [`Runs::save`] and [`Runs::drain`] return it.
    pub(crate) fn add(&self, mut entries: Vec<E>) {
        if entries.is_empty() || self.broken().is_some() {
            return;
        }
        sort(&mut entries);
        let size = entries.iter().map(Entry::size).sum();
        if let Err(failure) = self.add_sorted(entries, size) {
            self.broken().get_or_insert(failure);
        }
    }

    /// Hands all entries to `each`, in order, and forgets them.
    ///
    /// # Errors
    ///
    /// When a run fails, now or in an earlier [`Runs::add`], or `each` does.
    pub(crate) fn drain(&self, mut each: impl FnMut(E) -> Result<(), Failure>) -> Result<(), Failure> {
        self.sorted()?.try_for_each(|entry| each(entry?))
    }

    /// Takes all entries out, in order.
    ///
    /// # Errors
    ///
    /// When a run fails, now or in an earlier [`Runs::add`].
    pub(crate) fn sorted(&self) -> Result<Sorted<E>, Failure> {
        self.check()?;
        let mut inner = self.inner();
        self.reduce(&mut inner)?;
        let resident = std::mem::take(&mut inner.resident);
        let files = std::mem::take(&mut inner.files);
        drop(inner);
        let mut sources = file_sources(&files)?;
        sources.extend(memory_sources(resident));
        Ok(Sorted(Order::Merged { entries: Merged::new(sources)?, _files: files }))
    }

    /// Adds a sorted run: to those in memory, or with all of them to the disk when they are too many.
    fn add_sorted(&self, entries: Vec<E>, size: usize) -> Result<(), Failure> {
        if entries.is_empty() {
            return Ok(());
        }
        let most = self.scratch.get().map_or(usize::MAX, Scratch::resident_bytes);
        let fits = |inner: &Inner<E>| {
            let held: usize = inner.resident.iter().map(|(_, size)| *size).sum();
            held.saturating_add(size) <= most
        };
        let mut inner = self.inner();
        if fits(&inner) {
            inner.resident.push((entries, size));
            drop(inner);
            return self.compact();
        }
        drop(inner);
        let writing = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        // Whoever wrote before has made room, perhaps.
        let mut inner = self.inner();
        let has_room = fits(&inner);
        inner.resident.push((entries, size));
        if has_room {
            drop((inner, writing));
            return self.compact();
        }
        let runs = std::mem::take(&mut inner.resident);
        drop(inner);
        let file = self.write(memory_sources(runs))?;
        self.inner().files.push(file);
        Ok(())
    }

    /// Merges runs in memory that are of about the same size, so that an entry is moved a few times only
    /// however many runs there are. The lock is free while two of them are merged.
    fn compact(&self) -> Result<(), Failure> {
        loop {
            let mut inner = self.inner();
            let runs = match inner.resident.as_slice() {
                [.., (larger, _), (smaller, _)] if larger.len() <= 2 * smaller.len() => {
                    let at = inner.resident.len() - 2;
                    inner.resident.split_off(at)
                }
                _ => return Ok(()),
            };
            drop(inner);
            let merged: Vec<E> = Merged::new(memory_sources(runs))?.collect::<Result<_, _>>()?;
            let size = merged.iter().map(Entry::size).sum();
            self.inner().resident.push((merged, size));
        }
    }

    /// Merges files until they can be read at once.
    fn reduce(&self, inner: &mut Inner<E>) -> Result<(), Failure> {
        let fan_in = self.scratch.get().map_or(usize::MAX, Scratch::fan_in);
        while inner.files.len() > fan_in {
            // The oldest first and the result last: files that were merged as often are merged together.
            let oldest: Vec<RunFile> = inner.files.drain(..fan_in).collect();
            let file = self.write(file_sources(&oldest)?)?;
            inner.files.push(file);
        }
        Ok(())
    }

    fn write(&self, sources: Vec<Source<'_, E>>) -> Result<RunFile, Failure> {
        let mut file = self.create()?;
        for entry in Merged::new(sources)? {
            file.entry(&entry?)?;
        }
        file.finish()
    }

    fn create(&self) -> Result<NewRun, Failure> {
        let scratch = self.scratch.get().ok_or_else(|| Failure::new("there is no folder to write to"))?;
        let number = self.n_files.fetch_add(1, Ordering::Relaxed);
        NewRun::create(scratch.path(&format!("{}-{number:06}.run", self.name)))
    }

    fn check(&self) -> Result<(), Failure> {
        self.broken().clone().map_or(Ok(()), Err)
    }

    fn inner(&self) -> MutexGuard<'_, Inner<E>> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn broken(&self) -> MutexGuard<'_, Option<Failure>> {
        self.broken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<E: Tallied + 'static> Runs<E> {
    /// Writes the entries of all runs as a saved state.
    ///
    /// # Errors
    ///
    /// When `out` or a run fails, now or in an earlier [`Runs::add`].
    pub(crate) fn save(&self, header: &Header<'_>, out: &mut dyn Write) -> Result<(), Failure> {
        self.check()?;
        let mut inner = self.inner();
        self.reduce(&mut inner)?;
        let written = |error: std::io::Error| Failure::new(format!("the state cannot be written: {error}"));
        let mut blocks = BlockWriter::new(out);
        blocks.block(&header.encoded(E::KEY_BYTES)).map_err(written)?;
        for entry in Merged::new(sources(&inner)?)? {
            blocks.entry(&entry?).map_err(written)?;
        }
        blocks.finish().map_err(written)?;
        Ok(())
    }

    /// Adds the entries of a saved state: all of them, or none when it fails.
    ///
    /// # Errors
    ///
    /// When the bytes are not a state with this header, or cannot be stored.
    pub(crate) fn load(&self, header: &Header<'_>, state: &mut dyn Read) -> Result<(), Failure> {
        let refused = |failure: Failure| {
            Failure::new(format!("these bytes are no whole saved state of `{}`: {failure}", header.stage))
        };
        let mut blocks = BlockReader::new(state);
        header.check(E::KEY_BYTES, &mut blocks)?;
        let most = self.scratch.get().map_or(usize::MAX, Scratch::resident_bytes);
        let (mut entries, mut size) = (Vec::new(), 0);
        let mut loaded = Loaded::<_, E> { blocks, previous: None };
        while size <= most {
            let Some(entry) = loaded.entry().map_err(refused)? else {
                loaded.finish().map_err(refused)?;
                return self.add_sorted(entries, size);
            };
            size += entry.size();
            entries.push(entry);
        }
        // Too much to hold: what has been read and what follows is one sorted sequence, so one run.
        let mut file = self.create()?;
        for entry in entries {
            file.entry(&entry)?;
        }
        while let Some(entry) = loaded.entry().map_err(refused)? {
            file.entry(&entry)?;
        }
        loaded.finish().map_err(refused)?;
        let file = file.finish()?;
        self.inner().files.push(file);
        Ok(())
    }
}

/// Entries on their way out, in order.
pub(crate) struct Sorted<E: Entry + 'static>(Order<E>);

enum Order<E: Entry + 'static> {
    /// They were sorted in memory.
    Resident(std::vec::IntoIter<E>),
    /// The files are removed when all was read.
    Merged { entries: Merged<'static, E>, _files: Vec<RunFile> },
}

impl<E: Entry> Sorted<E> {
    /// Entries that are sorted already.
    pub(super) fn resident(entries: Vec<E>) -> Self {
        Self(Order::Resident(entries.into_iter()))
    }
}

impl<E: Entry> Iterator for Sorted<E> {
    type Item = Result<E, Failure>;

    fn next(&mut self) -> Option<Self::Item> {
        match &mut self.0 {
            Order::Resident(entries) => entries.next().map(Ok),
            Order::Merged { entries, .. } => entries.next(),
        }
    }
}

impl<E> fmt::Debug for Runs<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Runs").field("name", &self.name).finish_non_exhaustive()
    }
}

fn sources<E: Entry + 'static>(inner: &Inner<E>) -> Result<Vec<Source<'_, E>>, Failure> {
    let mut sources = file_sources(&inner.files)?;
    for (run, _) in &inner.resident {
        sources.push(Box::new(run.iter().cloned().map(Ok)));
    }
    Ok(sources)
}

fn memory_sources<E: Entry + 'static>(runs: Vec<(Vec<E>, usize)>) -> Vec<Source<'static, E>> {
    runs.into_iter().map(|(run, _)| -> Source<'_, E> { Box::new(run.into_iter().map(Ok)) }).collect()
}

fn file_sources<'a, E: Entry + 'a>(files: &[RunFile]) -> Result<Vec<Source<'a, E>>, Failure> {
    files.iter().map(|file| read(&file.path)).collect()
}

/// The entries of a file.
fn read<'a, E: Entry + 'a>(path: &Path) -> Result<Source<'a, E>, Failure> {
    let path = path.to_owned();
    let unreadable = |path: &Path, why: &dyn fmt::Display| {
        Failure::new(format!("the work file `{}` cannot be read: {why}", path.display()))
    };
    let file = File::open(&path).map_err(|error| unreadable(&path, &error))?;
    let mut blocks = BlockReader::new(BufReader::new(file));
    Ok(Box::new(std::iter::from_fn(move || {
        blocks.entry().map_err(|failure| unreadable(&path, &failure)).transpose()
    })))
}

/// A run that is being written; gone if it is not finished.
struct NewRun {
    file: RunFile,
    blocks: BlockWriter<BufWriter<File>>,
}

impl NewRun {
    fn create(path: PathBuf) -> Result<Self, Failure> {
        let file = File::create(&path).map_err(|error| unwritable(&path, &error))?;
        let blocks = BlockWriter::new(BufWriter::new(file));
        Ok(Self { file: RunFile { path }, blocks })
    }

    fn entry(&mut self, entry: &impl Entry) -> Result<(), Failure> {
        self.blocks.entry(entry).map_err(|error| unwritable(&self.file.path, &error))
    }

    fn finish(self) -> Result<RunFile, Failure> {
        self.blocks.finish().map_err(|error| unwritable(&self.file.path, &error))?;
        Ok(self.file)
    }
}

/// A saved state that is being read.
struct Loaded<R, E> {
    blocks: BlockReader<R>,
    previous: Option<E>,
}

impl<R: Read, E: Entry> Loaded<R, E> {
    fn entry(&mut self) -> Result<Option<E>, Failure> {
        let Some(entry) = self.blocks.entry::<E>()? else { return Ok(None) };
        if self.previous.as_ref().is_some_and(|previous| previous.order(&entry).is_ge()) {
            return Err(Failure::new("its entries are not in order"));
        }
        self.previous = Some(entry.clone());
        Ok(Some(entry))
    }

    /// Nothing may follow.
    fn finish(self) -> Result<(), Failure> {
        let mut input = self.blocks.into_inner();
        match input.read(&mut [0]) {
            Ok(0) => Ok(()),
            Ok(_) => Err(Failure::new("more bytes follow its end")),
            Err(error) => Err(Failure::new(error)),
        }
    }
}
