//! The open parts of an export, one a folder.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use tamis_config::OpenedExport;
use tamis_stage::Failure;
use tamis_stage::handle::PartHandle;

use crate::disk::file::FileEntry;
use crate::disk::file::{sync_files, sync_folders};
use crate::disk::journal::{self, Journal};
use crate::error::RunError;
use crate::remote::Outbox;
use crate::work::compress;
use crate::work::task::PartChunk;
use crate::write::part::{self, Growing, Lent, Part, PartState, Size, Whole};
use crate::write::partition::fold;

/// How many files are open at once; a system may allow a process no more than 256.
const MAX_OPEN_FILES: usize = 128;
/// How many parts are open at once, some two kilobytes each; the one that was left alone longest is finished
/// for one more.
const MAX_OPEN_PARTS: usize = 32_768;
/// The same for exporters that write their files themselves, and so keep them open.
const MAX_OWN_FILES: usize = 64;
/// What a chunk is reckoned to take in the memory of its exporter beside its bytes: what it knows of its columns.
const CHUNK_OVERHEAD: u64 = 4096;

/// The open parts of an export, one a folder.
///
/// A part that is a run of bytes can be left and resumed at any byte. One that only its exporter can finish,
/// such as a Parquet file, cannot; it may also hold in memory what it likes. So of these as many are open as the
/// memory bound allows, the one that holds most is finished when there is too much, and a run that goes on later
/// begins where none was open.
pub(crate) struct Parts<'a> {
    export: &'a OpenedExport,
    path: PathBuf,
    open: BTreeMap<Arc<str>, Open<'a>>,
    /// The folders with an open part by when it was last written to: only the last of them have an open file.
    recent: BTreeMap<u64, Arc<str>>,
    clock: u64,
    /// The number of the next part by folded folder: where cases are not told apart, `EN` and `en` are one
    /// folder, so no two of their parts may have one name.
    numbers: BTreeMap<String, u64>,
    journal: Option<Journal>,
    outbox: Option<Outbox<'a>>,
    /// How many bytes of memory exporters may hold for all open parts together, and how many they do.
    budget: u64,
    held: u64,
    /// Bytes of documents that came since no part was open.
    since_none: u64,
}

struct Open<'a> {
    file: OpenFile<'a>,
    name: String,
    size: Size,
    used: u64,
    /// What its exporter is reckoned to hold in memory: the chunks since it last put something out.
    held: u64,
}

/// The file of an open part, by who can go on with it. Exporters are dropped before the files that they may have open.
enum OpenFile<'a> {
    /// Records one after the other: any run can.
    Stream(Part<Growing>),
    /// What its exporter puts out: that alone can.
    Chunks(Box<dyn PartHandle + 'a>, Part<Growing>),
    /// A file that its exporter writes itself.
    Own(Box<dyn PartHandle + 'a>, Part<Lent>),
}

/// Where the parts of an export stand.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct PartsState {
    /// Open parts and their folders; the one that was left alone longest comes first.
    open: Vec<(String, PartState)>,
    numbers: BTreeMap<String, u64>,
    /// Length of the journal, in bytes.
    journal: u64,
}

impl PartsState {
    /// The open parts.
    pub(crate) fn open(&self) -> impl Iterator<Item = &PartState> {
        self.open.iter().map(|(_, part)| part)
    }
}

impl<'a> Parts<'a> {
    pub(crate) fn new(export: &'a OpenedExport, path: &Path, budget: u64) -> Self {
        Self {
            export,
            path: path.to_owned(),
            open: BTreeMap::new(),
            recent: BTreeMap::new(),
            clock: 0,
            numbers: BTreeMap::new(),
            journal: None,
            outbox: None,
            budget,
            held: 0,
            since_none: 0,
        }
    }

    /// Hands over parts that are whole.
    pub(crate) fn set_outbox(&mut self, outbox: Option<Outbox<'a>>) {
        self.outbox = outbox;
    }

    /// Goes on where others have left off, and takes away what came after; the files that were finished by then.
    pub(crate) fn restore(
        export: &'a OpenedExport,
        path: &Path,
        budget: u64,
        state: PartsState,
    ) -> Result<(Self, Vec<FileEntry>), RunError> {
        let open: BTreeSet<&str> = state.open.iter().map(|(_, part)| part.name.as_str()).collect();
        let mut parts = Self::new(export, path, budget);
        let (journal, finished) = Journal::restore(path, state.journal, |name| open.contains(name))?;
        parts.journal = journal;
        parts.numbers = state.numbers;
        for (folder, state) in state.open {
            let file = OpenFile::Stream(Part::restore(path, &state)?);
            let PartState { name, size, .. } = state;
            parts.insert(Arc::from(folder), Open { file, name, size, used: 0, held: 0 });
        }
        Ok((parts, finished))
    }

    /// Where the parts stand, all of it on the disk. Those that only their exporter can finish must be finished.
    pub(crate) fn save(&mut self) -> Result<PartsState, RunError> {
        let journal = self.journal.as_mut().map_or(Ok(0), Journal::save)?;
        sync(self.open.values_mut().filter_map(|open| open.file.stream()))?;
        let mut states = Vec::with_capacity(self.open.len());
        for folder in self.recent.values() {
            let Some(open) = self.open.get_mut(folder) else { continue };
            if let Some(part) = open.file.stream() {
                states.push((folder.to_string(), part.save(&open.name, open.size)?));
            }
        }
        Ok(PartsState { open: states, numbers: self.numbers.clone(), journal })
    }

    /// How many parts are open, and the bytes of documents that came since none was.
    pub(crate) fn open_and_bytes(&self) -> (usize, u64) {
        (self.open.len(), self.since_none)
    }

    /// Adds what a block has for a folder; parts that are full then go to `finished`.
    pub(crate) fn add(&mut self, chunk: PartChunk, finished: &mut Vec<FileEntry>) -> Result<(), RunError> {
        let folder: Arc<str> = Arc::from(chunk.folder);
        let mut open = if let Some(open) = self.take(&folder) {
            open
        } else {
            self.make_room(finished)?;
            self.begin(&folder)?
        };
        let length = chunk.bytes.len() as u64;
        let holds = open.file.add(self.export, chunk.bytes)?;
        open.held = if holds { open.held + length + CHUNK_OVERHEAD } else { 0 };
        open.size.records += chunk.records;
        open.size.plain_bytes += chunk.plain_bytes;
        self.since_none += chunk.plain_bytes;
        if open.size.plain_bytes >= self.export.max_part_bytes {
            return self.end([open], finished);
        }
        self.insert(folder, open);
        self.close_oldest_file();
        self.finish_largest(finished)
    }

    /// Finishes all open parts, in the order of their folders.
    pub(crate) fn finish(&mut self, finished: &mut Vec<FileEntry>) -> Result<(), RunError> {
        self.recent.clear();
        self.held = 0;
        let open = std::mem::take(&mut self.open);
        self.end(open.into_values(), finished)
    }

    /// Takes away what is open: nobody will go on from here.
    pub(crate) fn abandon(&mut self) {
        self.suspend();
        if self.journal.is_some() {
            // Already on the way out with an error of its own; the next run takes away what is left.
            let _ = journal::clear_unfinished(&self.path);
        }
    }

    /// Leaves what is open for a run that goes on.
    pub(crate) fn suspend(&mut self) {
        self.recent.clear();
        self.open.clear();
    }

    /// Takes the journal away: nobody will go on from here.
    pub(crate) fn forget(&mut self) {
        self.journal.take().into_iter().for_each(Journal::remove);
    }

    fn insert(&mut self, folder: Arc<str>, mut open: Open<'a>) {
        self.clock += 1;
        open.used = self.clock;
        self.held += open.held;
        self.recent.insert(self.clock, Arc::clone(&folder));
        self.open.insert(folder, open);
    }

    fn take(&mut self, folder: &Arc<str>) -> Option<Open<'a>> {
        let open = self.open.remove(folder)?;
        self.held -= open.held;
        self.recent.remove(&open.used);
        Some(open)
    }

    /// Finishes the part that was left alone longest when there are too many for one more.
    fn make_room(&mut self, finished: &mut Vec<FileEntry>) -> Result<(), RunError> {
        let limit = if self.export.info.flags.own_file { MAX_OWN_FILES } else { MAX_OPEN_PARTS };
        if self.open.len() < limit {
            return Ok(());
        }
        let oldest = self.recent.values().next().cloned();
        let oldest = oldest.and_then(|folder| self.take(&folder));
        self.end(oldest, finished)
    }

    /// Finishes the parts that hold most while all together hold too much.
    fn finish_largest(&mut self, finished: &mut Vec<FileEntry>) -> Result<(), RunError> {
        while self.held > self.budget {
            let largest = self.open.iter().max_by_key(|(_, open)| open.held);
            let Some(folder) = largest.map(|(folder, _)| Arc::clone(folder)) else { break };
            let open = self.take(&folder);
            self.end(open, finished)?;
        }
        Ok(())
    }

    /// Of the parts before the last ones, at most the very last has an open file.
    fn close_oldest_file(&mut self) {
        let Some(folder) = self.recent.values().rev().nth(MAX_OPEN_FILES) else { return };
        if let Some(open) = self.open.get_mut(folder) {
            open.file.close();
        }
    }

    fn begin(&mut self, folder: &Arc<str>) -> Result<Open<'a>, RunError> {
        let next = self.numbers.entry(fold(folder)).or_default();
        let number = *next;
        *next += 1;
        let ending =
            if self.export.info.flags.parts { "" } else { compress::ending(self.export.compression) };
        let slash = if folder.is_empty() { "" } else { "/" };
        let name = format!("{folder}{slash}part-{number:05}.{}{ending}", self.export.handle.extension());
        // Before the name is in the journal: what is there already is not ours to take away.
        part::check_free(&self.path, &name)?;
        if self.journal.is_none() {
            self.journal = Some(Journal::create(&self.path)?);
        }
        self.journal.as_mut().map_or(Ok(()), |journal| journal.begin(&name))?;
        let file = OpenFile::begin(self.export, &self.path, &name)?;
        Ok(Open { file, name, size: Size::default(), used: 0, held: 0 })
    }

    /// Finishes parts, and enters them in the journal.
    ///
    /// Several at a time: to wait for the disk part by part takes some ten milliseconds each, and a run may end with
    /// thousands. The journal is on the disk before a part has its name, or a power failure could leave one that
    /// nobody knows.
    fn end(
        &mut self,
        open: impl IntoIterator<Item = Open<'a>>,
        finished: &mut Vec<FileEntry>,
    ) -> Result<(), RunError> {
        let open = open.into_iter();
        let whole = open.map(|open| Ok((open.name, open.size.records, open.file.end(self.export)?)));
        let mut whole = whole.collect::<Result<Vec<_>, RunError>>()?;
        if whole.is_empty() {
            return Ok(());
        }
        sync(whole.iter_mut().map(|(_, _, part)| part))?;
        self.journal.as_mut().map_or(Ok(0), Journal::save)?;
        let mut folders = BTreeSet::new();
        let n_before = finished.len();
        for (name, records, part) in whole {
            folders.extend(part.folder());
            let entry = part.finish(&name, records)?;
            self.journal.as_mut().map_or(Ok(()), |journal| journal.finish(&entry))?;
            finished.push(entry);
        }
        sync_folders(folders);
        if self.open.is_empty() {
            self.since_none = 0;
        }
        let mut whole = finished.iter().skip(n_before);
        whole.try_for_each(|entry| self.outbox.map_or(Ok(()), |it| it.send(&entry.name, &entry.blake3)))
    }
}

impl<'a> OpenFile<'a> {
    /// Begins a part of an export.
    fn begin(export: &'a OpenedExport, folder: &Path, name: &str) -> Result<Self, RunError> {
        let flags = export.info.flags;
        if flags.own_file {
            let part = Part::lend(folder, name)?;
            let (handle, bytes) = begin(export, &part.temporary())?;
            check_silent(export, &bytes)?;
            return Ok(Self::Own(handle, part));
        }
        let mut part = Part::create(folder, name)?;
        if flags.parts {
            let (handle, bytes) = begin(export, &part.temporary())?;
            part.write(&bytes)?;
            return Ok(Self::Chunks(handle, part));
        }
        part.write(&edge(export, export.handle.head())?)?;
        Ok(Self::Stream(part))
    }

    /// Adds what a block has for it; whether its exporter holds that in memory now.
    fn add(&mut self, export: &OpenedExport, chunk: Vec<u8>) -> Result<bool, RunError> {
        let handle = match self {
            Self::Stream(part) => return part.write(&chunk).map(|()| false),
            Self::Chunks(handle, _) | Self::Own(handle, _) => handle,
        };
        let mut out = Vec::new();
        handle.add(chunk, &mut out).map_err(|failure| broken(export, &failure))?;
        match self {
            Self::Stream(part) | Self::Chunks(_, part) => part.write(&out)?,
            Self::Own(..) => check_silent(export, &out)?,
        }
        Ok(out.is_empty())
    }

    /// Writes its end: then it is whole.
    fn end(self, export: &OpenedExport) -> Result<Part<Whole>, RunError> {
        let mut out = Vec::new();
        let mut finish = |handle: Box<dyn PartHandle + 'a>| {
            handle.end(&mut out).map_err(|failure| broken(export, &failure))
        };
        match self {
            Self::Stream(mut part) => {
                part.write(&edge(export, export.handle.tail())?)?;
                Ok(part.end())
            }
            Self::Chunks(handle, mut part) => {
                finish(handle)?;
                part.write(&out)?;
                Ok(part.end())
            }
            Self::Own(handle, part) => {
                finish(handle)?;
                check_silent(export, &out)?;
                part.take_back()
            }
        }
    }

    /// The part, if another run can go on with it.
    fn stream(&mut self) -> Option<&mut Part<Growing>> {
        match self {
            Self::Stream(part) => Some(part),
            Self::Chunks(..) | Self::Own(..) => None,
        }
    }

    /// Closes its file until more comes, if that is for us to do.
    fn close(&mut self) {
        match self {
            Self::Stream(part) | Self::Chunks(_, part) => part.close(),
            Self::Own(..) => {}
        }
    }
}

/// Lets an exporter begin a part; what it has put out.
fn begin<'a>(export: &'a OpenedExport, path: &Path) -> Result<(Box<dyn PartHandle + 'a>, Vec<u8>), RunError> {
    let mut out = Vec::new();
    let handle = export.handle.begin(path, &mut out).map_err(|failure| broken(export, &failure))?;
    Ok((handle, out))
}

/// The start or the end of a run of records, compressed as they are.
fn edge(export: &OpenedExport, bytes: Result<Vec<u8>, Failure>) -> Result<Vec<u8>, RunError> {
    compress::for_export(export, bytes.map_err(|failure| broken(export, &failure))?)
}

/// Syncs parts, many at once where there are many.
fn sync<'p, State: Sync + 'p>(parts: impl Iterator<Item = &'p mut Part<State>>) -> Result<(), RunError> {
    let mut dirty: Vec<_> = parts.filter(|part| !part.is_synced()).collect();
    match dirty.as_mut_slice() {
        [] => return Ok(()),
        [only] => return only.sync(),
        _ => {}
    }
    sync_files(dirty.iter().map(|part| Ok(part.temporary())), false)?;
    for part in dirty {
        part.set_synced();
    }
    Ok(())
}

/// Whoever writes the file itself has nothing to put out.
fn check_silent(export: &OpenedExport, bytes: &[u8]) -> Result<(), RunError> {
    if bytes.is_empty() {
        return Ok(());
    }
    let message = "it writes its files itself, but put out bytes, too".to_owned();
    Err(RunError::Exporter { export: export.id.clone(), message })
}

fn broken(export: &OpenedExport, failure: &Failure) -> RunError {
    RunError::Exporter { export: export.id.clone(), message: failure.to_string() }
}
