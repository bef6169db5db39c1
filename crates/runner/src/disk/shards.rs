//! The outputs of the shards of a run, as one.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tamis_address::Address;
use tamis_store::{Condition, Marks, Outlet};

use crate::disk::file::{FileEntry, create_folder, remove, write_file};
use crate::disk::known_inputs::KnownInputs;
use crate::disk::manifest::{ExportManifest, Learned, Manifest};
use crate::disk::names::{INPUTS, MANIFEST, WORK};
use crate::error::RunError;
use crate::segment::Shard;

/// What the shards of a run have left in a folder.
#[derive(Debug)]
pub struct Shards {
    /// Where their manifests are: those of an object store are copied.
    folder: PathBuf,
    there: Option<Copied>,
    count: u32,
    /// By number; none for one that has no finished output.
    manifests: Vec<Option<Manifest>>,
}

impl Shards {
    /// Looks at the folders of shards below that of the first export.
    ///
    /// # Errors
    ///
    /// When there are none, of two runs, or one whose manifest cannot be read.
    pub fn read(folder: &Path) -> Result<Self, RunError> {
        match folder.to_str().filter(|it| tamis_address::scheme(it).is_some()) {
            Some(address) => {
                let there = Copied::of(address)?;
                let copy = there.folder.path().to_owned();
                Self::read_in(&copy, Some(there)).map_err(|error| error.moved(|_| Some(folder.to_owned())))
            }
            None => Self::read_in(folder, None),
        }
    }

    fn read_in(folder: &Path, there: Option<Copied>) -> Result<Self, RunError> {
        let wrong = |message: String| RunError::Shards { folder: folder.to_owned(), message };
        let mut counts: Vec<u32> = Vec::new();
        let entries =
            std::fs::read_dir(folder).map_err(|error| wrong(format!("it cannot be read: {error}")))?;
        for entry in entries {
            let entry = entry.map_err(|error| wrong(format!("it cannot be read: {error}")))?;
            counts.extend(entry.file_name().to_str().and_then(Shard::of_folder).map(|shard| shard.count));
        }
        counts.sort_unstable();
        counts.dedup();
        let count = match *counts.as_slice() {
            [count] => count,
            [] => {
                let message = "it holds no folder of a shard, such as `shard-00000-of-00008`: name the folder that \
                               was given to `--shard` with `-o`";
                return Err(wrong(message.to_owned()));
            }
            [one, another, ..] => {
                let message = format!(
                    "some are of {one}, some of {another} shards: take away those of the run that is not meant"
                );
                return Err(wrong(message));
            }
        };
        let mut manifests = Vec::new();
        for index in 0..count {
            let manifest = Manifest::read(&folder.join(Shard { index, count }.folder()))?;
            manifests.push(manifest.filter(|manifest| manifest.complete));
        }
        let shards = Self { folder: folder.to_owned(), there, count, manifests };
        shards.check_same_run()?;
        Ok(shards)
    }

    /// How many shards the run has.
    pub fn count(&self) -> u32 {
        self.count
    }

    /// Those that have not come to their end, in order: they are to be run again.
    pub fn missing(&self) -> Vec<u32> {
        (0..)
            .zip(&self.manifests)
            .filter(|(_, manifest)| manifest.is_none())
            .map(|(index, _)| index)
            .collect()
    }

    /// Finished shards of which a file is gone or was cut off: the number of each, and what is wrong with it. They are to
    /// be run again, too, with `--fresh`, because what a run has finished is not taken away without being asked for.
    ///
    /// # Errors
    ///
    /// When an object store does not answer.
    pub fn damaged(&self) -> Result<Vec<(u32, String)>, RunError> {
        let home = self.home()?;
        let mut damaged = Vec::new();
        for (index, manifest) in (0..).zip(&self.manifests) {
            let Some(manifest) = manifest else { continue };
            let shard = Shard { index, count: self.count }.folder();
            damaged.extend(self.check_files(&home, &shard, manifest)?.map(|why| (index, why)));
        }
        Ok(damaged)
    }

    /// What is not as the manifest of a shard says.
    fn check_files(&self, home: &Path, shard: &str, manifest: &Manifest) -> Result<Option<String>, RunError> {
        match &self.there {
            Some(there) => there.check_files(shard, manifest),
            None => Ok(check_files(home, &placed(manifest.clone(), home, shard))),
        }
    }

    /// The folder, as the manifests of shards name what lies beside their own.
    fn home(&self) -> Result<PathBuf, RunError> {
        match &self.there {
            Some(_) => Ok(self.place()),
            None => self.folder.canonicalize().map_err(RunError::write(&self.folder)),
        }
    }

    /// The finished shards: the number of each, its folder and its manifest.
    pub fn finished(&self) -> impl Iterator<Item = (u32, PathBuf, &Manifest)> {
        let count = self.count;
        let folder = move |index| self.folder.join(Shard { index, count }.folder());
        (0..).zip(&self.manifests).filter_map(move |(index, it)| Some((index, folder(index), it.as_ref()?)))
    }

    /// Writes a manifest of all shards to the folder above theirs, where readers of the output look for it.
    ///
    /// # Errors
    ///
    /// When shards are missing, a file is not as its manifest says, or the manifest cannot be written.
    pub fn merge(self) -> Result<Manifest, RunError> {
        let place = self.place();
        let wrong = |message: String| RunError::Shards { folder: place.clone(), message };
        let missing = self.missing();
        if !missing.is_empty() {
            let list: Vec<String> = missing.iter().map(u32::to_string).collect();
            let (n, count) = (missing.len(), self.count);
            let list = list.join(",");
            return Err(wrong(format!("{n} of {count} are not finished, run them again: {list}")));
        }
        let home = self.home()?;
        if let Some((index, why)) = self.damaged()?.into_iter().next() {
            return Err(wrong(format!("of shard {index}, {why}: run it again with `--fresh`")));
        }
        let mut merged: Option<Manifest> = None;
        // What all have read, for whoever adds to it; shards of an older program have no lists.
        let mut known = Some(KnownInputs::default());
        for (index, manifest) in (0..).zip(self.manifests.into_iter().flatten()) {
            let shard = Shard { index, count: self.count }.folder();
            known = known
                .zip(KnownInputs::read(&self.folder.join(&shard)).ok())
                .map(|(known, read)| known.and(read));
            let manifest = placed(manifest, &home, &shard);
            match &mut merged {
                None => merged = Some(manifest),
                Some(merged) => add(merged, manifest, index).map_err(&wrong)?,
            }
        }
        let merged = merged.ok_or_else(|| wrong("there are none".to_owned()))?;
        // Each shard says of the inputs what a run of all would say, and must have read its share of them.
        if let Some(message) = merged.tally.input.imbalance(merged.input_files, merged.input_bytes) {
            return Err(wrong(format!(
                "they do not make up the whole: {message}: run them again with `--fresh`"
            )));
        }
        std::fs::create_dir_all(self.folder.join(WORK)).map_err(RunError::write(&self.folder))?;
        known.map_or(Ok(()), |known| known.write(&self.folder))?;
        merged.write(&self.folder)?;
        self.there.map_or(Ok(()), |there| there.send())?;
        Ok(merged)
    }

    /// Where the shards are, to show.
    fn place(&self) -> PathBuf {
        self.there.as_ref().map_or_else(|| self.folder.clone(), |there| there.outlet.address("").into())
    }

    /// All of them must have the plan and the inputs of the first: which shard is which, the folders tell.
    fn check_same_run(&self) -> Result<(), RunError> {
        let mut finished = (0..).zip(&self.manifests).filter_map(|(index, it)| Some((index, it.as_ref()?)));
        let Some((first, of)) = finished.next() else { return Ok(()) };
        let another = finished.find(|(_, manifest)| manifest.fingerprint != of.fingerprint);
        let Some((index, manifest)): Option<(u32, _)> = another else { return Ok(()) };
        let what = if manifest.fingerprint.plan == of.fingerprint.plan { "inputs" } else { "pipeline" };
        let message = format!(
            "shard {index} was made with another {what} than shard {first}: run one of them again with `--fresh`"
        );
        Err(RunError::Shards { folder: self.place(), message })
    }
}

/// What shards in an object store say of themselves, in a folder of this machine.
#[derive(Debug)]
struct Copied {
    outlet: Arc<dyn Outlet>,
    folder: tempfile::TempDir,
}

impl Copied {
    fn of(address: &str) -> Result<Self, RunError> {
        let outlet = tamis_store::open(&Address::new(address)).map_err(RunError::no_store)?;
        let folder = tempfile::tempdir().map_err(RunError::write(&std::env::temp_dir()))?;
        for name in outlet.names().map_err(RunError::no_store)? {
            let Some((shard, rest)) = name.split_once('/') else { continue };
            if Shard::of_folder(shard).is_none() {
                continue;
            }
            let copy = folder.path().join(&name);
            create_folder(&folder.path().join(shard).join(WORK))?;
            if (rest == MANIFEST || rest.strip_prefix(WORK) == Some(&format!("/{INPUTS}")))
                && let Some((content, _)) = outlet.read(&name).map_err(RunError::no_store)?
            {
                write_file(&copy, &content)?;
            }
        }
        Ok(Self { outlet, folder })
    }

    /// What is not as the manifest of a shard says.
    fn check_files(&self, shard: &str, manifest: &Manifest) -> Result<Option<String>, RunError> {
        let base = PathBuf::from(self.outlet.address(""));
        for export in &manifest.exports {
            let below = base.join(shard).join(&export.folder);
            // An export beside that of the manifest is named by its address, which is a path of its own.
            let own = if is_address(&export.folder) { &export.folder } else { &below };
            let Ok(own) = own.strip_prefix(&base) else {
                return Ok(Some(format!(
                    "export `{}` lies elsewhere, in `{}`: give its `path` below that of the first export",
                    export.id,
                    own.display()
                )));
            };
            let name = |file: &FileEntry| own.join(&file.name).to_string_lossy().replace('\\', "/");
            let names: Vec<_> = export.files.iter().map(name).collect();
            let heads = self.outlet.heads(&names).map_err(RunError::store)?;
            for ((file, name), head) in export.files.iter().zip(names).zip(heads) {
                let Some(head) = head else { return Ok(Some(format!("`{name}` cannot be found"))) };
                if head.bytes != file.bytes {
                    let (bytes, expected) = (head.bytes, file.bytes);
                    return Ok(Some(format!(
                        "`{name}` has {bytes} bytes, where its manifest says {expected}"
                    )));
                }
            }
        }
        Ok(None)
    }

    /// Sends what was merged; the manifest last.
    fn send(&self) -> Result<(), RunError> {
        let inputs = format!("{WORK}/{INPUTS}");
        for name in [inputs.as_str(), MANIFEST] {
            let path = self.folder.path().join(name);
            if !path.exists() {
                continue;
            }
            let content = std::fs::read(&path).map_err(RunError::write(&path))?;
            let marks =
                Marks { run: "merged".to_owned(), blake3: blake3::hash(&content).to_hex().to_string() };
            self.outlet.put(name, content, &marks, &Condition::Any).map_err(RunError::store)?;
        }
        Ok(())
    }
}

fn is_address(path: &Path) -> bool {
    path.to_str().is_some_and(|path| tamis_address::scheme(path).is_some())
}

/// A part that is gone, or was cut off, must not be found out by whoever reads the output next month.
fn check_files(home: &Path, placed: &Manifest) -> Option<String> {
    placed.exports.iter().flat_map(|export| export.files.iter().map(move |file| (export, file))).find_map(
        |(export, file)| {
            let path = home.join(&export.folder).join(&file.name);
            let shown = path.strip_prefix(home).unwrap_or(&path).display();
            match std::fs::metadata(&path).map(|it| it.len()) {
                Ok(bytes) if bytes == file.bytes => None,
                Ok(bytes) => {
                    Some(format!("`{shown}` has {bytes} bytes, where its manifest says {}", file.bytes))
                }
                Err(error) => Some(format!("`{shown}` cannot be found: {error}")),
            }
        },
    )
}

/// A manifest of a shard as one of the folder above: its files are named from there.
fn placed(manifest: Manifest, folder: &Path, shard: &str) -> Manifest {
    let exports = manifest.exports.into_iter().map(|export| {
        // An export that lies elsewhere has a folder for the shard there, too.
        let (base, below) = if export.folder.is_absolute() || is_address(&export.folder) {
            let name = export.folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
            (base_of(&export, folder, &name), name)
        } else {
            let own = export.folder.to_string_lossy().replace('\\', "/");
            (PathBuf::new(), if own.is_empty() { shard.to_owned() } else { format!("{shard}/{own}") })
        };
        let files = export.files.into_iter();
        let files = files.map(|file| FileEntry { name: format!("{below}/{}", file.name), ..file }).collect();
        ExportManifest { folder: base, files, ..export }
    });
    let exports = exports.collect();
    let learned = manifest.learned.into_iter();
    let learned = learned.map(|it| Learned { folder: Path::new(shard).join(&it.folder), ..it }).collect();
    // The tables of what became of records stay with the shards: nobody needs all of them in one file.
    Manifest { exports, learned, fates: None, ..manifest }
}

/// The folder in which an export beside that of the manifest has one for each shard, from the folder of all.
///
/// A shard names such a place by its whole path, and that is another one where the output was moved, or where the
/// machines of a cluster do not see it under the same name. So what lies below the folder of all, under the end of
/// that path and with the files in it, is meant, wherever it was then.
fn base_of(export: &ExportManifest, home: &Path, shard: &str) -> PathBuf {
    let above = export.folder.parent().unwrap_or(home);
    if is_address(&export.folder) {
        return above.strip_prefix(home).unwrap_or(above).to_owned();
    }
    if let Ok(below) = above.strip_prefix(home) {
        return below.to_owned();
    }
    let parts: Vec<_> = above.components().skip(1).collect();
    let ends = (0..parts.len()).filter_map(|from| Some(parts.get(from..)?.iter().collect::<PathBuf>()));
    let holds = |end: &PathBuf| match export.files.first() {
        Some(file) => home.join(end).join(shard).join(&file.name).exists(),
        None => home.join(end).is_dir(),
    };
    ends.into_iter().find(holds).unwrap_or_else(|| above.to_owned())
}

/// Adds what shard `index` has written to what those before it have.
fn add(merged: &mut Manifest, manifest: Manifest, index: u32) -> Result<(), String> {
    merged.tally.add(manifest.tally);
    let mut places: BTreeMap<String, usize> =
        merged.exports.iter().enumerate().map(|(at, export)| (export.id.clone(), at)).collect();
    for export in manifest.exports {
        match places.remove(&export.id) {
            Some(at) => {
                let known = &mut merged.exports[at];
                if known.files.is_empty() {
                    // Where nothing was written, nothing says where the folder is now.
                    known.folder.clone_from(&export.folder);
                } else if !export.files.is_empty() && known.folder != export.folder {
                    let [one, other] = [&known.folder, &export.folder].map(|folder| folder.display());
                    return Err(format!(
                        "export `{}` went to `{one}`, and that of shard {index} to `{other}`: bring them together, or \
                         run one of them again with `--fresh`",
                        export.id
                    ));
                }
                known.records += export.records;
                known.files.extend(export.files);
            }
            None => merged.exports.push(export),
        }
    }
    merged.learned.extend(manifest.learned);
    Ok(())
}

/// Takes the manifest away that a merge of shards has left in the folder above that of a shard: it says that all of
/// them are whole, and one begins anew.
///
/// That of a run which was no shard stays, whose files lie in that folder themselves.
pub(crate) fn withdraw(shard: &Path) -> Result<(), RunError> {
    let Some(above) = shard.parent() else { return Ok(()) };
    // What cannot be read is nobody's business here: it is no manifest that anybody could trust.
    let Ok(Some(merged)) = Manifest::read(above) else { return Ok(()) };
    let of_shard = |file: &FileEntry| {
        file.name.split_once('/').is_some_and(|(folder, _)| Shard::of_folder(folder).is_some())
    };
    let mut files = merged.exports.iter().flat_map(|export| &export.files).peekable();
    if files.peek().is_some() && files.all(of_shard) {
        remove(&above.join(MANIFEST))?;
    }
    Ok(())
}
