//! One export while it is written.

use std::path::Path;

use tamis_config::{Compression, ExportPlan};

use crate::encode::{Chunk, compress};
use crate::named::{NamedFiles, refusal};
use crate::part::Part;
use crate::{ExportManifest, RunError};

/// One export while it is written.
pub(crate) struct ExportWriter<'a> {
    export: &'a ExportPlan,
    manifest: ExportManifest,
    part: Option<Part>,
    named: Option<NamedFiles>,
}

impl<'a> ExportWriter<'a> {
    /// `base` is the folder of the manifest.
    pub(crate) fn new(export: &'a ExportPlan, base: &Path) -> Self {
        let folder = export.path.strip_prefix(base).unwrap_or(&export.path).to_owned();
        let manifest = ExportManifest {
            id: export.id.clone(),
            folder,
            from: export.from.as_str().to_owned(),
            records: 0,
            files: Vec::new(),
        };
        Self { export, manifest, part: None, named: None }
    }

    pub(crate) fn manifest(&self) -> &ExportManifest {
        &self.manifest
    }

    /// Writes what a block adds; says whether a part was finished.
    pub(crate) fn write(&mut self, chunk: &Chunk) -> Result<bool, RunError> {
        self.manifest.records += chunk.records;
        self.write_named(&chunk.files)?;
        if chunk.bytes.is_empty() {
            return Ok(false);
        }
        if self.part.is_none() {
            self.part = Some(self.open_part()?);
        }
        let Some(part) = &mut self.part else { return Ok(false) };
        part.write(&chunk.bytes)?;
        part.records += chunk.records;
        part.plain_bytes += chunk.plain_bytes;
        if part.plain_bytes >= self.export.max_part_bytes {
            self.close_part()?;
            return Ok(true);
        }
        Ok(false)
    }

    fn write_named(&mut self, files: &[(String, Vec<u8>)]) -> Result<(), RunError> {
        if let Some((name, why)) = files.iter().find_map(|(name, _)| Some((name, refusal(name)?))) {
            return Err(self.broken(format!("it named a file `{}`, which {why}", name.escape_debug())));
        }
        if files.is_empty() {
            return Ok(());
        }
        if self.named.is_none() {
            self.named = Some(NamedFiles::create(&self.export.path)?);
        }
        self.named.as_mut().map_or(Ok(()), |named| named.write(files))
    }

    /// Finishes what is open.
    pub(crate) fn finish(&mut self) -> Result<(), RunError> {
        self.close_part()?;
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

    fn open_part(&self) -> Result<Part, RunError> {
        let ending = match self.export.compression {
            Compression::None => "",
            Compression::Gzip { .. } => ".gz",
            Compression::Zstd { .. } => ".zst",
        };
        let number = self.manifest.files.len();
        let name = format!("part-{number:05}.{}{ending}", self.export.handle.extension());
        let mut part = Part::create(&self.export.path, name)?;
        part.write(&compress(self.export, self.edge(self.export.handle.head())?)?)?;
        Ok(part)
    }

    fn close_part(&mut self) -> Result<(), RunError> {
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
