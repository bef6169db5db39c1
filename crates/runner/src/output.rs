//! One export while it is written.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use tamis_config::{Compression, ExportPlan};

use crate::encode::{Chunk, compress};
use crate::named::{NamedFiles, refusal};
use crate::part::Part;
use crate::{ExportManifest, RunError};

/// One export while it is written.
pub(crate) struct ExportWriter<'a> {
    export: &'a ExportPlan,
    manifest: ExportManifest,
    path: PathBuf,
    is_dry: bool,
    part: Option<Part>,
    named: Option<NamedFiles>,
}

/// Where an export stands, for a run that goes on later.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct ExportState {
    records: u64,
}

impl<'a> ExportWriter<'a> {
    /// `path` is where this run writes the export, `base` the folder of the manifest.
    pub(crate) fn new(export: &'a ExportPlan, path: &Path, base: &Path) -> Self {
        let folder = path.strip_prefix(base).unwrap_or(path).to_owned();
        let manifest = ExportManifest {
            id: export.id.clone(),
            folder,
            from: export.from.as_str().to_owned(),
            records: 0,
            files: Vec::new(),
        };
        Self { export, manifest, path: path.to_owned(), is_dry: false, part: None, named: None }
    }

    /// One that only counts records.
    pub(crate) fn dry(export: &'a ExportPlan, path: &Path, base: &Path) -> Self {
        Self { is_dry: true, ..Self::new(export, path, base) }
    }

    /// One that goes on where another has left off.
    pub(crate) fn restore(
        export: &'a ExportPlan,
        path: &Path,
        base: &Path,
        _state: ExportState,
    ) -> Result<Self, RunError> {
        Ok(Self::new(export, path, base))
    }

    pub(crate) fn manifest(&self) -> &ExportManifest {
        &self.manifest
    }

    /// Whether the exporter writes files that are more than their records one after the other.
    pub(crate) fn has_parts(&self) -> bool {
        self.export.info.flags.parts
    }

    /// Writes what a block adds; says whether a part was finished.
    pub(crate) fn write(&mut self, chunk: Chunk) -> Result<bool, RunError> {
        self.manifest.records += chunk.records;
        if self.is_dry {
            return Ok(false);
        }
        self.write_named(&chunk.files)?;
        let mut finished = false;
        for chunk in chunk.parts {
            if self.part.is_none() {
                self.part = Some(self.open_part()?);
            }
            let Some(part) = &mut self.part else { continue };
            part.write(&chunk.bytes)?;
            part.records += chunk.records;
            part.plain_bytes += chunk.plain_bytes;
            if part.plain_bytes >= self.export.max_part_bytes {
                self.close_parts()?;
                finished = true;
            }
        }
        Ok(finished)
    }

    /// What [`ExportWriter::restore`] needs to go on from here, all of it on the disk; nothing while a part is
    /// open that only its exporter knows.
    pub(crate) fn save(&mut self) -> Result<Option<ExportState>, RunError> {
        Ok(Some(ExportState { records: self.manifest.records }))
    }

    fn write_named(&mut self, files: &[(String, Vec<u8>)]) -> Result<(), RunError> {
        if let Some((name, why)) = files.iter().find_map(|(name, _)| Some((name, refusal(name)?))) {
            return Err(self.broken(format!("it named a file `{}`, which {why}", name.escape_debug())));
        }
        if files.is_empty() {
            return Ok(());
        }
        if self.named.is_none() {
            self.named = Some(NamedFiles::create(&self.path)?);
        }
        self.named.as_mut().map_or(Ok(()), |named| named.write(files))
    }

    /// Finishes what is open.
    pub(crate) fn finish(&mut self) -> Result<(), RunError> {
        self.close_parts()?;
        if let Some(named) = self.named.take() {
            self.manifest.files.push(named.finish()?);
        }
        Ok(())
    }

    /// Takes the open part away and finishes the list of named files, which are whole.
    pub(crate) fn abandon(&mut self) {
        self.part = None;
        // If the list cannot be finished, the next run reads it under its temporary name.
        if let Some(Ok(list)) = self.named.take().map(NamedFiles::abandon) {
            self.manifest.files.push(list);
        }
    }

    /// Leaves open files under their temporary names.
    pub(crate) fn suspend(&mut self) {
        self.part = self.part.take().map(Part::staying);
    }

    fn open_part(&self) -> Result<Part, RunError> {
        let ending = match self.export.compression {
            Compression::None => "",
            Compression::Gzip { .. } => ".gz",
            Compression::Zstd { .. } => ".zst",
        };
        let number = self.manifest.files.len();
        let name = format!("part-{number:05}.{}{ending}", self.export.handle.extension());
        let mut part = Part::create(&self.path, name)?;
        part.write(&compress(self.export, self.edge(self.export.handle.head())?)?)?;
        Ok(part)
    }

    /// Finishes open parts.
    pub(crate) fn close_parts(&mut self) -> Result<(), RunError> {
        let Some(mut part) = self.part.take() else { return Ok(()) };
        part.write(&compress(self.export, self.edge(self.export.handle.tail())?)?)?;
        self.manifest.files.push(part.finish()?);
        Ok(())
    }

    fn edge(&self, bytes: Result<Vec<u8>, tamis_stage::Failure>) -> Result<Vec<u8>, RunError> {
        bytes.map_err(|failure| self.broken(failure.to_string()))
    }

    fn broken(&self, message: String) -> RunError {
        RunError::Exporter { export: self.export.id.clone(), message }
    }
}
