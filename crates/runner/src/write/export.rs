//! One export while it is written.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use tamis_config::OpenedExport;
use tamis_stage::Failure;

use crate::disk::fingerprint::folder_from;
use crate::disk::manifest::ExportManifest;
use crate::disk::names::refusal;
use crate::error::RunError;
use crate::remote::Outbox;
use crate::settings::Stream;
use crate::work::task::Chunk;
use crate::write::named::NamedFiles;
use crate::write::part::PartState;
use crate::write::parts::{Parts, PartsState};

/// One export while it is written.
///
/// When it is dropped after it was finished nothing is left that [`ExportWriter::restore`] could go on from:
/// by then the manifest must be whole.
pub(crate) struct ExportWriter<'a> {
    export: &'a OpenedExport,
    manifest: ExportManifest,
    path: PathBuf,
    parts: Parts<'a>,
    named: Option<NamedFiles>,
    /// Where what is whole is handed over that goes to an object store.
    outbox: Option<Outbox<'a>>,
    is_dry: bool,
    /// Where the bytes of a dry run go that hands them on.
    stream: Option<Stream>,
    is_finished: bool,
}

/// Where an export stands, for a run that goes on later.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ExportState {
    records: u64,
    parts: PartsState,
    /// The list of named files and how many are in it.
    named: Option<(PartState, u64)>,
}

impl<'a> ExportWriter<'a> {
    /// `path` is where this run writes the export, `base` the folder of the manifest.
    /// Parts that only their exporter can finish may hold `budget` bytes of memory together.
    pub(crate) fn new(export: &'a OpenedExport, path: &Path, base: &Path, budget: u64) -> Self {
        let folder = folder_from(path, base);
        let manifest = ExportManifest {
            id: export.id.clone(),
            folder,
            from: export.from.as_str().to_owned(),
            records: 0,
            files: Vec::new(),
        };
        let parts = Parts::new(export, path, budget);
        let path = path.to_owned();
        Self {
            export,
            manifest,
            path,
            parts,
            named: None,
            outbox: None,
            is_dry: false,
            stream: None,
            is_finished: false,
        }
    }

    /// The same, which hands over what is whole, and what a run before has not; that must have the rest.
    pub(crate) fn to(mut self, outbox: Option<Outbox<'a>>) -> Result<Self, RunError> {
        self.outbox = outbox;
        self.parts.set_outbox(outbox);
        if let Some(outbox) = outbox {
            outbox.send_rest(&self.manifest.files)?;
            self.named.as_ref().map_or(Ok(()), |named| named.send_rest(outbox))?;
        }
        Ok(self)
    }

    /// One that counts the records and touches nothing.
    pub(crate) fn dry(export: &'a OpenedExport, path: &Path, base: &Path) -> Self {
        let mut writer = Self::new(export, path, base, u64::MAX);
        writer.is_dry = true;
        writer
    }

    /// The same, which hands on the bytes, if there is somebody who wants them.
    pub(crate) fn streaming(mut self, stream: Option<Stream>) -> Result<Self, RunError> {
        self.stream = stream;
        self.edge(|export| export.handle.head())?;
        Ok(self)
    }

    /// Hands on what stands before the first record, or behind the last.
    fn edge(&self, edge: impl Fn(&OpenedExport) -> Result<Vec<u8>, Failure>) -> Result<(), RunError> {
        let Some(stream) = &self.stream else { return Ok(()) };
        let failed = |failure: Failure| RunError::Exporter {
            export: self.export.id.clone(),
            message: failure.to_string(),
        };
        stream.write(&edge(self.export).map_err(failed)?)
    }

    /// One that goes on where another has left off, whether that was suspended or killed: what it wrote after
    /// `state` was saved goes.
    pub(crate) fn restore(
        export: &'a OpenedExport,
        path: &Path,
        base: &Path,
        budget: u64,
        state: ExportState,
        outbox: Option<Outbox<'a>>,
    ) -> Result<Self, RunError> {
        let mut writer = Self::new(export, path, base, budget);
        if let Some(outbox) = outbox {
            let list = state.named.as_ref().map(|(list, _)| list);
            state.parts.open().chain(list).try_for_each(|part| outbox.bring_back(&part.name))?;
        }
        (writer.parts, writer.manifest.files) = Parts::restore(export, path, budget, state.parts)?;
        writer.named = match state.named {
            Some((list, n_files)) => Some(NamedFiles::restore(path, &list, n_files)?),
            None if export.info.flags.named_files => {
                NamedFiles::clear(path)?;
                None
            }
            None => None,
        };
        writer.manifest.records = state.records;
        writer.to(outbox)
    }

    pub(crate) fn manifest(&self) -> &ExportManifest {
        &self.manifest
    }

    /// Whether the exporter writes files that are more than their records one after the other.
    pub(crate) fn has_parts(&self) -> bool {
        self.export.info.flags.parts
    }

    /// Writes what a block adds.
    pub(crate) fn write(&mut self, chunk: Chunk) -> Result<(), RunError> {
        self.manifest.records += chunk.records;
        if let Some(stream) = &self.stream {
            return chunk.parts.iter().try_for_each(|part| stream.write(&part.bytes));
        }
        if self.is_dry {
            return Ok(());
        }
        self.write_named(&chunk.files)?;
        for part in chunk.parts {
            self.parts.add(part, &mut self.manifest.files)?;
        }
        Ok(())
    }

    /// How many parts are open that only their exporter can finish, and the bytes of documents that came to parts
    /// since none was; nothing of an exporter of other files.
    pub(crate) fn unresumable(&self) -> (usize, u64) {
        if self.has_parts() { self.parts.open_and_bytes() } else { (0, 0) }
    }

    fn write_named(&mut self, files: &[(String, Vec<u8>)]) -> Result<(), RunError> {
        if let Some((name, why)) = files.iter().find_map(|(name, _)| Some((name, refusal(name)?))) {
            let message = format!("it named a file `{}`, which {why}", name.escape_debug());
            return Err(RunError::Exporter { export: self.export.id.clone(), message });
        }
        if files.is_empty() {
            return Ok(());
        }
        if self.named.is_none() {
            self.named = Some(NamedFiles::create(&self.path)?);
        }
        self.named.as_mut().map_or(Ok(()), |named| named.write(files, self.outbox))
    }

    /// What [`ExportWriter::restore`] needs to go on from here, all of it on the disk. No part may be open that
    /// only its exporter knows.
    pub(crate) fn save(&mut self) -> Result<ExportState, RunError> {
        Ok(ExportState {
            records: self.manifest.records,
            parts: self.parts.save()?,
            named: self.named.as_mut().map(|named| named.save(self.outbox.is_some())).transpose()?,
        })
    }

    /// Finishes open parts.
    pub(crate) fn close_parts(&mut self) -> Result<(), RunError> {
        self.parts.finish(&mut self.manifest.files)
    }

    /// Finishes what is open.
    pub(crate) fn finish(&mut self) -> Result<(), RunError> {
        self.edge(|export| export.handle.tail())?;
        self.close_parts()?;
        // What can fail comes while the list is in its place, so that whoever abandons this finds it.
        if let Some(named) = &mut self.named {
            named.settle(self.outbox.is_some())?;
        }
        if let Some(named) = self.named.take() {
            let list = named.finish()?;
            self.outbox.map_or(Ok(()), |outbox| outbox.send(&list.name, &list.blake3))?;
            self.manifest.files.push(list);
        }
        self.is_finished = true;
        Ok(())
    }

    /// Takes the open parts away and finishes the list of named files, which are whole. The journal stays until
    /// [`ExportWriter::forget`].
    pub(crate) fn abandon(&mut self) {
        self.is_finished = false;
        self.parts.abandon();
        // If the list cannot be finished, the next run reads it under its temporary name.
        if let Some(Ok(list)) = self.named.take().map(NamedFiles::abandon) {
            self.manifest.files.push(list);
        }
    }

    /// Takes the journal away, when a manifest says which files there are.
    pub(crate) fn forget(&mut self) {
        self.parts.forget();
    }

    /// Leaves open files under their temporary names, for [`ExportWriter::restore`].
    pub(crate) fn suspend(&mut self) {
        self.is_finished = false;
        self.parts.suspend();
        // Its temporary file stays.
        self.named = None;
    }
}

impl Drop for ExportWriter<'_> {
    fn drop(&mut self) {
        if self.is_finished {
            self.parts.forget();
        }
    }
}

#[cfg(test)]
mod tests;
