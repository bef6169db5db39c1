//! Takes entries from any thread, and gives them back in order.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::batch::Batch;
use crate::error::SortError;
use crate::merge::Merge;
use crate::place::Place;
use crate::run::{NewRun, RunFile, Source};
use crate::shape::{Combine, Shape};

/// Sorts entries; see the [page of the crate](crate).
#[derive(Debug)]
pub struct Sorter {
    /// What its files are called.
    name: String,
    shape: Shape,
    combine: Combine,
    place: Option<Place>,
    runs: Mutex<Runs>,
    /// Held by whoever writes: if several did, each would hold as much as fits into memory.
    writing: Mutex<()>,
    n_files: AtomicU64,
    /// The first mistake that nobody could be told of when it happened.
    broken: Mutex<Option<String>>,
}

#[derive(Debug, Default)]
struct Runs {
    resident: Vec<Arc<Vec<u8>>>,
    files: Vec<Arc<RunFile>>,
}

impl Sorter {
    /// No entries yet; without a place on the disk everything stays in memory. `name` begins the names of its
    /// files, so it is its own in the folder of the place.
    pub fn new(name: impl Into<String>, shape: Shape, combine: Combine, place: Option<&Place>) -> Self {
        Self {
            name: name.into(),
            shape,
            combine,
            place: place.cloned(),
            runs: Mutex::default(),
            writing: Mutex::new(()),
            n_files: AtomicU64::new(0),
            broken: Mutex::new(None),
        }
    }

    /// The shape of its entries.
    pub fn shape(&self) -> Shape {
        self.shape
    }

    /// Puts an entry into the batch of a worker, and takes the batch when that is full. What goes wrong then is
    /// told by [`Sorter::merged`].
    ///
    /// # Panics
    ///
    /// In a debug build, when the entry has not the shape of this sorter.
    pub fn push(&self, batch: &mut Batch, entry: &[u8]) {
        debug_assert!(self.shape.takes(entry), "an entry of {} bytes for {:?}", entry.len(), self.shape);
        self.shape.append(entry, &mut batch.bytes);
        batch.n_entries += 1;
        let most = self.place.as_ref().map_or(usize::MAX, Place::batch_bytes);
        if batch.size() > most || batch.is_full() {
            self.add(batch);
        }
    }

    /// Takes what is in a batch, and leaves it empty.
    pub fn add(&self, batch: &mut Batch) {
        if batch.n_entries == 0 || self.broken().is_some() {
            *batch = Batch::default();
            return;
        }
        let sorted = batch.sorted(self.shape, &self.combine);
        if let Err(error) = self.add_sorted(sorted) {
            self.broken().get_or_insert(error.to_string());
        }
    }

    /// Takes entries that are in order: all of them, or none when it fails.
    ///
    /// # Errors
    ///
    /// When `next` fails, entries are not in order or of another shape, or cannot be stored.
    pub fn add_run<E: From<SortError>>(
        &self,
        mut next: impl FnMut(&mut Vec<u8>) -> Result<bool, E>,
    ) -> Result<(), E> {
        let most = self.place.as_ref().map_or(usize::MAX, Place::resident_bytes);
        let (mut bytes, mut previous, mut entry) = (Vec::new(), None::<Vec<u8>>, Vec::new());
        let mut file: Option<NewRun> = None;
        loop {
            entry.clear();
            if !next(&mut entry)? {
                break;
            }
            if !self.shape.takes(&entry) || previous.as_ref().is_some_and(|previous| *previous > entry) {
                return Err(SortError::damaged("its entries are not in order").into());
            }
            previous.get_or_insert_default().clone_from(&entry);
            match &mut file {
                Some(file) => file.push(&entry)?,
                None => self.shape.append(&entry, &mut bytes),
            }
            // Too much to hold: what has come and what follows is one sorted sequence, so one run.
            if bytes.len() > most && file.is_none() {
                let mut new = NewRun::create(self.path()?, self.shape)?;
                let held = Arc::new(std::mem::take(&mut bytes));
                let mut held = self.merge(Source::memory(held, self.shape)?);
                while let Some(entry) = held.advance()? {
                    new.push(entry)?;
                }
                file = Some(new);
            }
        }
        match file {
            Some(file) => {
                let file = Arc::new(file.finish()?);
                self.runs().files.push(file);
            }
            None => self.add_sorted(bytes)?,
        }
        Ok(())
    }

    /// All entries, in order; they stay here, too.
    ///
    /// # Errors
    ///
    /// When a run cannot be read or written, now or earlier.
    pub fn merged(&self) -> Result<Merge, SortError> {
        if let Some(message) = self.broken().clone() {
            return Err(SortError::Earlier { message });
        }
        self.reduce()?;
        let runs = self.runs();
        let mut sources = Vec::with_capacity(runs.files.len() + runs.resident.len());
        for file in &runs.files {
            sources.extend(Source::disk(Arc::clone(file), self.shape)?);
        }
        for bytes in &runs.resident {
            sources.extend(Source::memory(Arc::clone(bytes), self.shape)?);
        }
        Ok(self.merge(sources))
    }

    /// All entries, in order, and forgets them: their files are gone when the last was given out.
    ///
    /// # Errors
    ///
    /// When a run cannot be read or written, now or earlier.
    pub fn drain(&self) -> Result<Merge, SortError> {
        let merged = self.merged()?;
        *self.runs() = Runs::default();
        Ok(merged)
    }

    /// Takes a sorted run: to those in memory, or with all of them to the disk when they are too many.
    fn add_sorted(&self, bytes: Vec<u8>) -> Result<(), SortError> {
        if bytes.is_empty() {
            return Ok(());
        }
        let most = self.place.as_ref().map_or(usize::MAX, Place::resident_bytes);
        let fits = |runs: &Runs| {
            let held: usize = runs.resident.iter().map(|run| run.len()).sum();
            held.saturating_add(bytes.len()) <= most
        };
        let mut runs = self.runs();
        if fits(&runs) {
            runs.resident.push(Arc::new(bytes));
            return Ok(());
        }
        drop(runs);
        let writing = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        // Whoever wrote before has made room, perhaps.
        let mut runs = self.runs();
        let has_room = fits(&runs);
        runs.resident.push(Arc::new(bytes));
        if has_room {
            return Ok(());
        }
        let resident = std::mem::take(&mut runs.resident);
        drop(runs);
        let mut sources = Vec::new();
        for bytes in resident {
            sources.extend(Source::memory(bytes, self.shape)?);
        }
        let file = self.write(self.merge(sources))?;
        self.runs().files.push(Arc::new(file));
        drop(writing);
        Ok(())
    }

    /// Merges files until they can be read at once.
    fn reduce(&self) -> Result<(), SortError> {
        let fan_in = self.place.as_ref().map_or(usize::MAX, Place::fan_in);
        loop {
            let mut runs = self.runs();
            if runs.files.len() <= fan_in {
                return Ok(());
            }
            // The oldest first and the result last: files that were merged as often are merged together.
            let oldest: Vec<_> = runs.files.drain(..fan_in).collect();
            drop(runs);
            let mut sources = Vec::with_capacity(oldest.len());
            for file in oldest {
                sources.extend(Source::disk(file, self.shape)?);
            }
            let file = self.write(self.merge(sources))?;
            self.runs().files.push(Arc::new(file));
        }
    }

    /// Writes a run; gone again if it cannot be finished.
    fn write(&self, mut entries: Merge) -> Result<RunFile, SortError> {
        let mut new = NewRun::create(self.path()?, self.shape)?;
        while let Some(entry) = entries.advance()? {
            new.push(entry)?;
        }
        new.finish()
    }

    fn merge(&self, sources: impl IntoIterator<Item = Source>) -> Merge {
        Merge::new(sources.into_iter().collect(), self.shape, self.combine.clone())
    }

    /// A file that is not there yet.
    fn path(&self) -> Result<PathBuf, SortError> {
        let place = self
            .place
            .as_ref()
            .ok_or_else(|| SortError::Earlier { message: "there is no folder to write to".to_owned() })?;
        let number = self.n_files.fetch_add(1, Ordering::Relaxed);
        Ok(place.folder().join(format!("{}-{number:06}.run", self.name)))
    }

    fn runs(&self) -> MutexGuard<'_, Runs> {
        self.runs.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn broken(&self) -> MutexGuard<'_, Option<String>> {
        self.broken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
