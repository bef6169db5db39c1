//! Output in an object store.
//!
//! A run works in folders of this machine as ever, with journal, checkpoints, spills and states; what differs is that a
//! part which is whole does not stay there. It is sent to the store (`uploads.rs`) and then taken away, so a part that
//! lies under its own name in such a folder is one that has yet to be sent: nothing else keeps account of it, and a run
//! that is killed goes on by looking.
//!
//! The store sees a claim first (`claim.rs`), whole parts, and the manifest last; then the claim goes. All objects say in
//! their metadata which run has made them, so that a run takes away what runs before it have left and nothing else.

mod claim;
mod uploads;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tamis_address::Address;
use tamis_config::{ExportPlan, Plan};
use tamis_stage::RunContext;
use tamis_store::{Condition, Marks, Outlet, Placed};

use crate::disk::file::{FileEntry, create_folder, entries_of, remove, remove_empty, write_file};
use crate::disk::manifest::{ExportManifest, Manifest};
use crate::disk::names::{
    CLAIM, FATES, INPUTS, LOCK, LOCK_MARK, MANIFEST, STORE, TEMPORARY, WORK, is_ours, temporary,
};
use crate::error::RunError;
use crate::settings::{Settings, StoreSettings};
use claim::{Claim, Held};
use uploads::Uploads;

/// In [`STORE`]: which run this is, for as long as it holds its claims.
const RUN: &str = "run";
/// In [`STORE`]: uploads in pieces that the store has begun.
const UPLOADS: &str = "uploads";
/// How many objects are asked about in one go.
const CHUNK: usize = 1_000;

/// The folder of this machine where an export to an object store is prepared.
pub(crate) fn folder(plan: &Plan, export: &ExportPlan, settings: &Settings) -> Result<PathBuf, RunError> {
    let store = settings.store.as_ref().ok_or_else(|| RunError::Internal {
        message: format!("nobody has said where to prepare what goes to `{}`", export.path.display()),
    })?;
    let own = own_folder(plan, store);
    let below = plan.exports.first().and_then(|first| export.path.strip_prefix(&first.path).ok());
    Ok(match below {
        Some(below) if below.as_os_str().is_empty() => own.join("out"),
        Some(below) => own.join("out").join(below),
        None => own.join("exports").join(&export.id),
    })
}

/// The folder for all that is prepared for an output, named after where that begins.
fn own_folder(plan: &Plan, store: &StoreSettings) -> PathBuf {
    let address = plan.exports.first().and_then(ExportPlan::address).unwrap_or_default();
    let hash = blake3::hash(address.as_bytes()).to_hex();
    store.work.join(format!("tamis-store-{}", hash.chars().take(16).collect::<String>()))
}

/// The object store that a run writes to, and the folders where it prepares that.
pub(crate) struct Mirror {
    /// In plan order; the manifest lies in the first.
    places: Vec<Place>,
    run: String,
    /// Runs whose objects go when this one begins anew: those before it here.
    earlier: BTreeSet<String>,
    /// Whether the claims are this run's since before this process.
    is_resumed: bool,
    /// Whether there were none.
    is_new: bool,
    uploads: Uploads,
}

/// An export.
struct Place {
    folder: PathBuf,
    outlet: Arc<dyn Outlet>,
}

/// Where an export hands over what is whole.
#[derive(Clone, Copy)]
pub(crate) struct Outbox<'a> {
    mirror: &'a Mirror,
    place: usize,
}

impl Mirror {
    /// Claims the places of a plan in an object store and looks at what is there; `None` for a plan that writes to this
    /// machine. `folders` are those of the exports, `below` what comes below them.
    pub(crate) fn open(
        plan: &Plan,
        settings: &Settings,
        folders: &[PathBuf],
        below: Option<&str>,
        context: &RunContext,
    ) -> Result<Option<Self>, RunError> {
        let Some(store) = settings.store.as_ref().filter(|_| plan.exports.iter().all(is_remote)) else {
            return Ok(None);
        };
        let Some(base) = folders.first() else { return Ok(None) };
        let own = base.join(WORK).join(STORE);
        let run = run_id(&own)?;
        let outlets = plan.exports.iter().map(|export| {
            let address = export.address().unwrap_or_default();
            let below = below.map_or_else(String::new, |below| format!("/{below}"));
            tamis_store::open(&Address::new(format!("{address}{below}"))).map_err(RunError::no_store)
        });
        let outlets = outlets.collect::<Result<Vec<_>, _>>()?;
        let claim = Claim::new(&run, &store.holder, &own_folder(plan, store));
        let held = claim_all(&outlets, &claim, store.take_over)?;
        let places = folders.iter().cloned().zip(outlets);
        let places: Vec<_> = places.map(|(folder, outlet)| Place { folder, outlet }).collect();
        let fence = places.iter().map(|place| Arc::clone(&place.outlet)).next();
        let displaced = held.iter().filter_map(|held| held.displaced.clone());
        let earlier = displaced.chain([run.clone()]).collect();
        let mut mirror = Self {
            uploads: Uploads::start(&run, &earlier, own.join(UPLOADS), fence, context)?,
            earlier,
            is_resumed: held.iter().all(|held| held.is_before),
            is_new: held.iter().all(Held::is_new),
            places,
            run,
        };
        match mirror.look() {
            Ok(()) => Ok(Some(mirror)),
            Err(error) => {
                mirror.withdraw();
                Err(error)
            }
        }
    }

    /// Takes over what the store says of an earlier run, which is the last word on it.
    fn look(&mut self) -> Result<(), RunError> {
        if !self.is_resumed && !self.is_new {
            // What this machine knows is of another run than the one that was replaced.
            self.forget()?;
        }
        self.uploads.abort_old(|place| self.places.get(place).map(|place| &*place.outlet))?;
        let Some(base) = self.places.first() else { return Ok(()) };
        let local = base.folder.join(MANIFEST);
        match base.outlet.read(MANIFEST).map_err(RunError::no_store)? {
            Some((content, head)) => {
                self.earlier.insert(head.marks.run);
                create_folder(&base.folder.join(WORK))?;
                write_file(&local, &content)
            }
            // Somebody has taken the output away, and its claim was not there: nothing is left to go on from.
            None if !self.is_resumed && Manifest::read(&base.folder)?.is_some_and(|it| it.complete) => {
                self.forget()
            }
            None => Ok(()),
        }
    }

    /// Takes away what this machine has of the output; nobody but runs writes to these folders.
    fn forget(&self) -> Result<(), RunError> {
        for place in &self.places {
            let entries = entries_of(&place.folder)?.into_iter().chain(entries_of(&place.folder.join(WORK))?);
            for entry in entries {
                let (name, path) = (entry.file_name(), entry.path());
                if [WORK, LOCK, LOCK_MARK, STORE].iter().any(|kept| name == *kept) {
                    continue;
                }
                let is_folder = entry.file_type().is_ok_and(|kind| kind.is_dir());
                if is_folder {
                    std::fs::remove_dir_all(&path).map_err(RunError::write(&path))?;
                } else {
                    remove(&path)?;
                }
            }
        }
        Ok(())
    }

    /// Gives back claims that this process has made and not needed, such as where another run's output lies already.
    pub(crate) fn withdraw(&self) {
        // Those that were there before, or were another's, say that something unfinished is there.
        if self.is_new {
            let _ = self.release();
        }
    }

    /// Makes room for a run that begins anew; looks before it takes anything away.
    pub(crate) fn make_room(&self) -> Result<(), RunError> {
        let mut all = Vec::new();
        for place in self.outermost() {
            let mut ours = BTreeSet::new();
            let names = place.outlet.names().map_err(RunError::no_store)?;
            for names in names.chunks(CHUNK) {
                let heads = place.outlet.heads(names).map_err(RunError::no_store)?;
                let of_earlier = names.iter().zip(heads).filter(|(_, head)| {
                    head.as_ref().is_some_and(|head| self.earlier.contains(&head.marks.run))
                });
                ours.extend(of_earlier.map(|(name, _)| name.clone()));
            }
            let is_strange = |name: &&String| {
                let looks_like_ours = is_ours(name) && !name.ends_with(TEMPORARY);
                (looks_like_ours || *name == MANIFEST) && !ours.contains(*name)
            };
            if let Some(name) = names.iter().find(is_strange) {
                let folder = PathBuf::from(place.outlet.address(""));
                return Err(RunError::Occupied { folder, name: name.clone() });
            }
            ours.retain(|name| !name.ends_with(CLAIM));
            all.push((place, ours));
        }
        for (place, mut names) in all {
            // While it is there somebody may take it at its word.
            let manifest = names.take(MANIFEST).into_iter().collect::<Vec<_>>();
            let names: Vec<_> = names.into_iter().collect();
            for names in [manifest, names] {
                place.outlet.remove(&names).map_err(RunError::no_store)?;
            }
        }
        Ok(())
    }

    /// The places that do not lie below another one.
    fn outermost(&self) -> impl Iterator<Item = &Place> {
        let is_below = |place: &Place, other: &Place| {
            place.folder != other.folder && place.folder.starts_with(&other.folder)
        };
        self.places.iter().filter(move |place| !self.places.iter().any(|other| is_below(place, other)))
    }

    /// Where the export of this number hands over what is whole.
    pub(crate) fn outbox(&self, place: usize) -> Outbox<'_> {
        Outbox { mirror: self, place }
    }

    /// Waits until all that was handed over is in the store.
    pub(crate) fn drain(&self) -> Result<(), RunError> {
        self.uploads.drain()
    }

    /// The first file of an output that is not in the store as its manifest says, and what differs.
    pub(crate) fn first_changed(
        &self,
        exports: &[ExportManifest],
    ) -> Result<Option<(PathBuf, String)>, RunError> {
        for (place, export) in self.places.iter().zip(exports) {
            for files in export.files.chunks(CHUNK) {
                if let Some(changed) = place.first_changed(files)? {
                    return Ok(Some(changed));
                }
            }
        }
        Ok(None)
    }

    /// Gives the claims back of a run that was complete before; says so in the store, if there was no time for that.
    pub(crate) fn settle(&self, manifest: &Manifest) -> Result<(), RunError> {
        let Some(base) = self.places.first() else { return Ok(()) };
        let heads = base.outlet.heads(&[MANIFEST.to_owned()]).map_err(RunError::store)?;
        if heads.iter().any(Option::is_some) { self.release() } else { self.publish(manifest) }
    }

    /// Says in the store that a run is complete, and gives the claims back.
    pub(crate) fn publish(&self, manifest: &Manifest) -> Result<(), RunError> {
        let Some(base) = self.places.first() else { return Ok(()) };
        let failed = RunError::store;
        let mut beside = vec![(format!("{WORK}/{INPUTS}"), None)];
        beside.extend(manifest.fates.iter().map(|it| (format!("{WORK}/{FATES}"), Some(it.blake3.clone()))));
        for learned in &manifest.learned {
            let files = learned.files.iter();
            let named = files.map(|file| {
                let name = learned.folder.join(&file.name).to_string_lossy().replace('\\', "/");
                (name, Some(file.blake3.clone()))
            });
            beside.extend(named);
        }
        for (name, hash) in beside {
            let path = base.folder.join(&name);
            if path.exists() {
                let hash = hash.map_or_else(|| hash_of(&path), Ok)?;
                base.outlet
                    .put_file(&name, &path, &self.marks(hash), &self.uploads.sending(0))
                    .map_err(failed)?;
            }
        }
        // Whoever has lost its claim meanwhile must not say that the output is whole.
        self.uploads.check_claim()?;
        let content = self.outward(manifest).to_json()?;
        let marks = self.marks(blake3::hash(&content).to_hex().to_string());
        match base.outlet.put(MANIFEST, content, &marks, &Condition::New).map_err(failed)? {
            Placed::Done(_) => {
                self.tidy(manifest);
                self.release()
            }
            Placed::Refused(_) => Err(RunError::Displaced { place: base.outlet.address(MANIFEST) }),
        }
    }

    /// Takes away folders of this machine that are empty because all that was in them has been sent.
    fn tidy(&self, manifest: &Manifest) {
        for (place, export) in self.places.iter().zip(&manifest.exports) {
            export.files.iter().for_each(|file| remove_empty(&place.folder, &file.name));
        }
    }

    /// Gives the claims back, if they are still ours.
    fn release(&self) -> Result<(), RunError> {
        for place in &self.places {
            let name = [CLAIM.to_owned()];
            let heads = place.outlet.heads(&name).map_err(RunError::store)?;
            if heads.into_iter().flatten().any(|head| head.marks.run == self.run) {
                place.outlet.remove(&name).map_err(RunError::store)?;
            }
        }
        let Some(base) = self.places.first() else { return Ok(()) };
        let own = base.folder.join(WORK).join(STORE);
        std::fs::remove_dir_all(&own).map_err(RunError::write(&own))
    }

    /// A manifest as it stands in the store: folders of this machine are addresses there.
    pub(crate) fn outward(&self, manifest: &Manifest) -> Manifest {
        let mut manifest = manifest.clone();
        for (place, export) in self.places.iter().zip(&mut manifest.exports) {
            if export.folder.is_absolute() {
                export.folder = PathBuf::from(place.outlet.address(""));
            }
        }
        manifest
    }

    /// Where the output is.
    pub(crate) fn address(&self) -> PathBuf {
        self.places.first().map(|place| place.outlet.address("").into()).unwrap_or_default()
    }

    /// An error with the places in the store instead of the folders where they are prepared.
    pub(crate) fn named(&self, error: RunError) -> RunError {
        error.moved(|path| {
            let below = |place: &Place| {
                let below = path.strip_prefix(&place.folder).ok()?.to_string_lossy().replace('\\', "/");
                Some(PathBuf::from(place.outlet.address(&below)))
            };
            self.places.iter().find_map(below)
        })
    }

    fn marks(&self, blake3: String) -> Marks {
        Marks { run: self.run.clone(), blake3 }
    }
}

impl Place {
    fn first_changed(&self, files: &[FileEntry]) -> Result<Option<(PathBuf, String)>, RunError> {
        let names: Vec<_> = files.iter().map(|file| file.name.clone()).collect();
        let heads = self.outlet.heads(&names).map_err(RunError::store)?;
        let changed = files.iter().zip(heads).find_map(|(file, head)| {
            let why = match head {
                Some(head) if head.bytes == file.bytes => return None,
                Some(head) => format!("it has {} bytes instead of {}", head.bytes, file.bytes),
                None => "it is not there".to_owned(),
            };
            Some((PathBuf::from(self.outlet.address(&file.name)), why))
        });
        Ok(changed)
    }
}

impl Outbox<'_> {
    /// Sends a file that is whole, and then takes it away here.
    pub(crate) fn send(self, name: &str, blake3: &str) -> Result<(), RunError> {
        let Some(place) = self.mirror.places.get(self.place) else { return Ok(()) };
        self.mirror.uploads.push(self.place, &place.outlet, &place.folder, name, blake3)
    }

    /// Brings back a part that was open when a checkpoint was saved, and was finished and sent before the run was killed:
    /// the run goes on in the middle of it. It is sent again, which the store knows to be the same.
    pub(crate) fn bring_back(self, name: &str) -> Result<(), RunError> {
        let Some(place) = self.mirror.places.get(self.place) else { return Ok(()) };
        let path = place.folder.join(name);
        let unfinished = temporary(&path);
        if unfinished.exists() || path.exists() {
            return Ok(());
        }
        // Under a name of its own until it is whole, or a run that is killed meanwhile would take it for all there is.
        let passing = temporary(&unfinished);
        path.parent().map_or(Ok(()), create_folder)?;
        if place.outlet.fetch(name, &passing).map_err(RunError::store)? {
            return std::fs::rename(&passing, &unfinished).map_err(RunError::write(&unfinished));
        }
        remove(&passing)
    }

    /// Sends what a run before has finished and not sent; makes sure of what it has.
    pub(crate) fn send_rest(self, files: &[FileEntry]) -> Result<(), RunError> {
        let Some(place) = self.mirror.places.get(self.place) else { return Ok(()) };
        let (here, there): (Vec<_>, Vec<_>) =
            files.iter().cloned().partition(|file| place.folder.join(&file.name).exists());
        for file in here {
            self.send(&file.name, &file.blake3)?;
        }
        for files in there.chunks(CHUNK) {
            if let Some((path, _)) = place.first_changed(files)? {
                return Err(RunError::Gone { path });
            }
        }
        Ok(())
    }
}

fn is_remote(export: &ExportPlan) -> bool {
    export.address().is_some()
}

/// Claims all places, or none.
fn claim_all(outlets: &[Arc<dyn Outlet>], claim: &Claim, take_over: bool) -> Result<Vec<Held>, RunError> {
    let mut held: Vec<Held> = Vec::new();
    for outlet in outlets {
        match claim.take(&**outlet, take_over) {
            Ok(one) => held.push(one),
            Err(error) => {
                let new = outlets.iter().zip(&held).filter(|(_, held)| held.is_new());
                // The error that led here is the one to tell.
                new.for_each(|(outlet, _)| drop(outlet.remove(&[CLAIM.to_owned()])));
                return Err(error);
            }
        }
    }
    Ok(held)
}

/// Which run this is: the one that holds the claims already, or a new one. On the disk before there is a claim.
fn run_id(own: &Path) -> Result<String, RunError> {
    let path = own.join(RUN);
    if let Ok(run) = std::fs::read_to_string(&path) {
        return Ok(run);
    }
    let mut hasher = blake3::Hasher::new();
    // Its keys are random: that no two runs are one is all that this is for.
    for _ in 0..4 {
        let random = std::hash::BuildHasher::hash_one(&std::hash::RandomState::new(), std::process::id());
        hasher.update(&random.to_le_bytes());
    }
    let run: String = hasher.finalize().to_hex().chars().take(32).collect();
    create_folder(own)?;
    write_file(&path, run.as_bytes())?;
    Ok(run)
}

fn hash_of(path: &Path) -> Result<String, RunError> {
    let mut hasher = blake3::Hasher::new();
    let read = std::fs::File::open(path).and_then(|file| hasher.update_reader(file).map(drop));
    read.map_err(RunError::write(path))?;
    Ok(hasher.finalize().to_hex().to_string())
}
