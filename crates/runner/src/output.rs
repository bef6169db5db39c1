//! Files of an export: written under a temporary name, synced, renamed.

use std::fs::File;
use std::io::Write;
use std::path::{Component, Path, PathBuf};

use tamis_config::ExportPlan;

use crate::encode::{Chunk, compress};
use crate::manifest::FileEntry;
use crate::{ExportManifest, Manifest, RunError};

/// Marks files that no run has finished.
const TEMPORARY: &str = ".tamis-tmp";
/// The list of named files of an export, in the form that `b3sum --check` reads.
const FILE_LIST: &str = "files.b3";

/// One export while it is written.
pub(crate) struct ExportWriter<'a> {
    export: &'a ExportPlan,
    manifest: ExportManifest,
    part: Option<Part>,
    list: Option<Part>,
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
        Self { export, manifest, part: None, list: None }
    }

    pub(crate) fn manifest(&self) -> &ExportManifest {
        &self.manifest
    }

    /// Writes what a block adds; says whether a part was finished.
    pub(crate) fn write(&mut self, chunk: &Chunk) -> Result<bool, RunError> {
        self.manifest.records += chunk.records;
        for (name, content) in &chunk.files {
            self.named_file(name, content)?;
        }
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

    /// Finishes what is open.
    pub(crate) fn finish(&mut self) -> Result<(), RunError> {
        self.close_part()?;
        if let Some(list) = self.list.take() {
            let entry = list.finish()?;
            self.manifest.files.push(entry);
        }
        Ok(())
    }

    fn open_part(&self) -> Result<Part, RunError> {
        let ending = match self.export.compression {
            tamis_config::Compression::None => "",
            tamis_config::Compression::Zstd { .. } => ".zst",
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
        bytes.map_err(|failure| RunError::Exporter {
            export: self.export.id.clone(),
            message: failure.to_string(),
        })
    }

    fn named_file(&mut self, name: &str, content: &[u8]) -> Result<(), RunError> {
        let name = self.free_name(name)?;
        let path = self.export.path.join(&name);
        if let Some(folder) = path.parent() {
            create_folder(folder)?;
        }
        let temporary = temporary(&path);
        write_file(&temporary, content)?;
        std::fs::rename(&temporary, &path).map_err(RunError::write(&path))?;
        let line = format!("{}  {name}\n", blake3::hash(content).to_hex());
        if self.list.is_none() {
            self.list = Some(Part::create(&self.export.path, FILE_LIST.to_owned())?);
        }
        match &mut self.list {
            Some(list) => {
                list.records += 1;
                list.write(line.as_bytes())
            }
            None => Ok(()),
        }
    }

    /// A name inside the folder that no file has; a number is put behind one that is taken.
    fn free_name(&self, name: &str) -> Result<String, RunError> {
        let path = Path::new(name);
        let inside = path.components().all(|part| matches!(part, Component::Normal(_)));
        if !inside || name.is_empty() {
            let message = format!("it named a file `{name}`, which is not inside the folder of the export");
            return Err(RunError::Exporter { export: self.export.id.clone(), message });
        }
        let (stem, ending) = match name.rsplit_once('.') {
            Some((stem, ending)) if !ending.contains('/') => (stem, format!(".{ending}")),
            _ => (name, String::new()),
        };
        let numbered = (2..).map(|n: u64| format!("{stem}-{n}{ending}"));
        let mut names = std::iter::once(name.to_owned()).chain(numbered);
        let free = names.find(|name| !self.export.path.join(name).exists());
        Ok(free.unwrap_or_else(|| name.to_owned()))
    }
}

/// A file that is being written; gone when dropped before it is finished.
struct Part {
    file: File,
    hasher: blake3::Hasher,
    folder: PathBuf,
    name: String,
    bytes: u64,
    plain_bytes: u64,
    records: u64,
    finished: bool,
}

impl Part {
    fn create(folder: &Path, name: String) -> Result<Self, RunError> {
        create_folder(folder)?;
        let path = temporary(&folder.join(&name));
        let file = File::create(&path).map_err(RunError::write(&path))?;
        Ok(Self {
            file,
            hasher: blake3::Hasher::new(),
            folder: folder.to_owned(),
            name,
            bytes: 0,
            plain_bytes: 0,
            records: 0,
            finished: false,
        })
    }

    fn path(&self) -> PathBuf {
        self.folder.join(&self.name)
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), RunError> {
        self.file.write_all(bytes).map_err(RunError::write(self.path()))?;
        self.hasher.update(bytes);
        self.bytes += bytes.len() as u64;
        Ok(())
    }

    fn finish(mut self) -> Result<FileEntry, RunError> {
        let path = self.path();
        self.file.sync_all().map_err(RunError::write(&path))?;
        std::fs::rename(temporary(&path), &path).map_err(RunError::write(&path))?;
        self.finished = true;
        Ok(FileEntry {
            name: self.name.clone(),
            bytes: self.bytes,
            records: self.records,
            blake3: self.hasher.finalize().to_hex().to_string(),
        })
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        if !self.finished {
            // Already on the way out with an error of its own; the next run takes it away if this fails.
            let _ = std::fs::remove_file(temporary(&self.path()));
        }
    }
}

fn temporary(path: &Path) -> PathBuf {
    let mut name = std::ffi::OsString::from(".");
    name.push(path.file_name().unwrap_or_default());
    name.push(TEMPORARY);
    path.with_file_name(name)
}

/// Writes a whole file and syncs it.
pub(crate) fn write_file(path: &Path, content: &[u8]) -> Result<(), RunError> {
    let write = || {
        let mut file = File::create(path)?;
        file.write_all(content)?;
        file.sync_all()
    };
    write().map_err(RunError::write(path))
}

pub(crate) fn create_folder(folder: &Path) -> Result<(), RunError> {
    std::fs::create_dir_all(folder).map_err(RunError::write(folder))
}

/// Takes away what an earlier run wrote: the files that its manifest lists and temporary files.
///
/// Files that no run has listed stay, whatever their name.
pub(crate) fn clear(
    base: &Path,
    exports: &[ExportPlan],
    manifest: Option<&Manifest>,
) -> Result<(), RunError> {
    for export in manifest.iter().flat_map(|manifest| &manifest.exports) {
        let folder = base.join(&export.folder);
        for entry in &export.files {
            let path = folder.join(&entry.name);
            if entry.name == FILE_LIST {
                clear_listed(&folder, &path)?;
            }
            remove(&path)?;
        }
    }
    for export in exports {
        clear_temporary(&export.path)?;
    }
    remove(&base.join(crate::manifest::MANIFEST))
}

fn clear_listed(folder: &Path, list: &Path) -> Result<(), RunError> {
    let Ok(text) = std::fs::read_to_string(list) else { return Ok(()) };
    for line in text.lines() {
        let Some((_, name)) = line.split_once("  ") else { continue };
        if Path::new(name).components().all(|part| matches!(part, Component::Normal(_))) {
            remove(&folder.join(name))?;
        }
    }
    Ok(())
}

fn clear_temporary(folder: &Path) -> Result<(), RunError> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Ok(()) };
    for entry in entries.flatten() {
        if entry.file_name().to_string_lossy().ends_with(TEMPORARY) {
            remove(&entry.path())?;
        }
    }
    Ok(())
}

fn remove(path: &Path) -> Result<(), RunError> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(RunError::write(path)(error)),
        _ => Ok(()),
    }
}
