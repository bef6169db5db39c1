//! The open parts of an export, one a folder.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use tamis_config::ExportPlan;
use tamis_stage::Failure;
use tamis_stage::handle::PartHandle;

use crate::begun::Begun;
use crate::encode::{PartChunk, compress};
use crate::manifest::FileEntry;
use crate::named::sync_files;
use crate::part::{Part, PartState};
use crate::partition::fold;
use crate::{RunError, compress};

/// How many files are open at once; a system may allow a process no more than 256.
const MAX_OPEN_FILES: usize = 128;
/// How many parts are open at once, some two kilobytes each; the one that was left alone longest is finished
/// for one more.
const MAX_OPEN_PARTS: usize = 32_768;
/// The same for exporters that keep what they like for each.
const MAX_OPEN_HANDLES: usize = 64;
/// Fewer files are synced one by one.
const MIN_SYNCED_TOGETHER: usize = 4;

/// The open parts of an export, one a folder.
pub(crate) struct Parts<'a> {
    export: &'a ExportPlan,
    path: PathBuf,
    open: BTreeMap<Arc<str>, Open<'a>>,
    /// The folders with an open part by when it was last written to: only the last of them have an open file.
    recent: BTreeMap<u64, Arc<str>>,
    clock: u64,
    /// The number of the next part by folded folder: where cases are not told apart, `EN` and `en` are one
    /// folder, so no two of their parts may have one name.
    numbers: BTreeMap<String, u64>,
    begun: Option<Begun>,
}

struct Open<'a> {
    /// Dropped before the part, whose file it may have open.
    handle: Option<Box<dyn PartHandle + 'a>>,
    part: Part,
    name: String,
    used: u64,
}

/// Where the parts of an export stand.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct PartsState {
    /// Open parts and their folders; the one that was left alone longest comes first.
    open: Vec<(String, PartState)>,
    numbers: BTreeMap<String, u64>,
    /// Length of the list of parts, in bytes.
    begun: u64,
}

impl<'a> Parts<'a> {
    pub(crate) fn new(export: &'a ExportPlan, path: &Path) -> Self {
        Self {
            export,
            path: path.to_owned(),
            open: BTreeMap::new(),
            recent: BTreeMap::new(),
            clock: 0,
            numbers: BTreeMap::new(),
            begun: None,
        }
    }

    /// Goes on where others have left off, and takes away what came after; `finished` are the files that stay.
    pub(crate) fn restore(
        export: &'a ExportPlan,
        path: &Path,
        state: PartsState,
        finished: &[FileEntry],
    ) -> Result<Self, RunError> {
        let finished = finished.iter().map(|entry| entry.name.as_str());
        let open = state.open.iter().map(|(_, part)| part.name.as_str());
        let known: BTreeSet<&str> = finished.chain(open).collect();
        let mut parts = Self::new(export, path);
        parts.begun = Begun::restore(path, state.begun, |name| known.contains(name))?;
        parts.numbers = state.numbers;
        for (folder, state) in state.open {
            let part = Part::restore(path, &state)?;
            parts.insert(Arc::from(folder), Open { handle: None, part, name: state.name, used: 0 });
        }
        Ok(parts)
    }

    /// Where the parts stand, all of it on the disk.
    pub(crate) fn save(&mut self) -> Result<PartsState, RunError> {
        let begun = self.begun.as_mut().map_or(Ok(0), Begun::save)?;
        let mut dirty: Vec<_> = self.open.values_mut().filter(|open| !open.part.is_synced()).collect();
        if dirty.len() >= MIN_SYNCED_TOGETHER {
            sync_files(dirty.iter_mut().map(|open| Ok(open.part.temporary())))?;
            for open in dirty {
                open.part.set_synced();
            }
        }
        let mut states = Vec::with_capacity(self.open.len());
        for folder in self.recent.values() {
            if let Some(open) = self.open.get_mut(folder) {
                states.push((folder.to_string(), open.part.save(&open.name)?));
            }
        }
        Ok(PartsState { open: states, numbers: self.numbers.clone(), begun })
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.open.is_empty()
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
        match &mut open.handle {
            None => open.part.write(&chunk.bytes)?,
            Some(handle) => {
                let mut out = Vec::new();
                let added = handle.add(chunk.bytes, &mut out);
                put(self.export, &mut open.part, added, &out)?;
            }
        }
        open.part.records += chunk.records;
        open.part.plain_bytes += chunk.plain_bytes;
        if open.part.plain_bytes >= self.export.max_part_bytes {
            finished.push(self.end(open)?);
            return Ok(());
        }
        self.insert(folder, open);
        self.close_oldest_file();
        Ok(())
    }

    /// Finishes all open parts, in the order of their folders.
    pub(crate) fn finish(&mut self, finished: &mut Vec<FileEntry>) -> Result<(), RunError> {
        self.recent.clear();
        while let Some((_, open)) = self.open.pop_first() {
            finished.push(self.end(open)?);
        }
        Ok(())
    }

    /// Takes away what is open.
    pub(crate) fn abandon(&mut self) {
        self.recent.clear();
        for open in std::mem::take(&mut self.open).into_values() {
            let name = open.name.clone();
            drop(open);
            crate::begun::remove_empty(&self.path, &name);
        }
    }

    /// Leaves what is open for a run that goes on; what only its exporter knows goes.
    pub(crate) fn suspend(&mut self) {
        self.recent.clear();
        for open in std::mem::take(&mut self.open).into_values() {
            if open.handle.is_none() {
                let _ = open.part.staying();
            }
        }
    }

    /// Takes the list of parts away: nobody will go on from here.
    pub(crate) fn forget(&mut self) {
        self.begun.take().into_iter().for_each(Begun::remove);
    }

    fn insert(&mut self, folder: Arc<str>, mut open: Open<'a>) {
        self.clock += 1;
        open.used = self.clock;
        self.recent.insert(self.clock, Arc::clone(&folder));
        self.open.insert(folder, open);
    }

    fn take(&mut self, folder: &Arc<str>) -> Option<Open<'a>> {
        let open = self.open.remove(folder)?;
        self.recent.remove(&open.used);
        Some(open)
    }

    /// Finishes the part that was left alone longest when there are too many for one more.
    fn make_room(&mut self, finished: &mut Vec<FileEntry>) -> Result<(), RunError> {
        let limit = if self.export.info.flags.parts { MAX_OPEN_HANDLES } else { MAX_OPEN_PARTS };
        if self.open.len() < limit {
            return Ok(());
        }
        let oldest = self.recent.values().next().cloned();
        if let Some(open) = oldest.and_then(|folder| self.take(&folder)) {
            finished.push(self.end(open)?);
        }
        Ok(())
    }

    /// Of the parts before the last ones, at most the very last has an open file.
    fn close_oldest_file(&mut self) {
        let Some(folder) = self.recent.values().rev().nth(MAX_OPEN_FILES) else { return };
        if let Some(open) = self.open.get_mut(folder) {
            open.part.close();
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
        if self.begun.is_none() {
            self.begun = Some(Begun::create(&self.path)?);
        }
        self.begun.as_mut().map_or(Ok(()), |begun| begun.push(&name))?;
        let flags = self.export.info.flags;
        let mut part =
            if flags.own_file { Part::begin(&self.path, &name)? } else { Part::create(&self.path, &name)? };
        let mut handle = None;
        if flags.parts {
            let mut out = Vec::new();
            let begun = self.export.handle.begin(&part.temporary(), &mut out);
            let begun = begun.map(|begun| handle = Some(begun));
            put(self.export, &mut part, begun, &out)?;
        } else {
            self.edge(&mut part, self.export.handle.head())?;
        }
        Ok(Open { handle, part, name, used: 0 })
    }

    fn end(&self, mut open: Open<'a>) -> Result<FileEntry, RunError> {
        if let Some(handle) = open.handle.take() {
            let mut out = Vec::new();
            let ended = handle.end(&mut out);
            put(self.export, &mut open.part, ended, &out)?;
            if self.export.info.flags.own_file {
                open.part.read_back()?;
            }
        } else {
            self.edge(&mut open.part, self.export.handle.tail())?;
        }
        open.part.finish(&open.name)
    }

    /// Writes the start or the end of a part.
    fn edge(&self, part: &mut Part, bytes: Result<Vec<u8>, Failure>) -> Result<(), RunError> {
        let bytes = bytes.map_err(|failure| broken(self.export, &failure))?;
        part.write(&compress(self.export, bytes)?)
    }
}

/// Writes what an exporter has put out.
fn put(
    export: &ExportPlan,
    part: &mut Part,
    done: Result<(), Failure>,
    bytes: &[u8],
) -> Result<(), RunError> {
    done.map_err(|failure| broken(export, &failure))?;
    if export.info.flags.own_file && !bytes.is_empty() {
        let message = "it writes its files itself, but put out bytes, too".to_owned();
        return Err(RunError::Exporter { export: export.id.clone(), message });
    }
    part.write(bytes)
}

fn broken(export: &ExportPlan, failure: &Failure) -> RunError {
    RunError::Exporter { export: export.id.clone(), message: failure.to_string() }
}
