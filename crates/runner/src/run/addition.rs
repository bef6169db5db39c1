//! Adding to the output of an earlier run: what is new is read alone, and what is there stays as it is.
//!
//! An addition is a run of its own in a folder of its own, `added-00001` and so on below that of each export, so all
//! that holds for a run holds for it: its parts are whole or not there, it is resumed where it was killed, and its
//! manifest says what it wrote. Which files are new is told by the lists of those that the runs before have read.
//! Corpus stages compare with the indexes that these have left.

use std::path::{Path, PathBuf};

use tamis_config::{Opened, Plan};
use tamis_stage::handle::OpenStage;

use super::difference;
use crate::disk::known_inputs::{KnownInputs, Standing};
use crate::disk::manifest::{Added, Manifest};
use crate::disk::names::WORK;
use crate::disk::previous;
use crate::disk::work_folder::WorkFolder;
use crate::error::RunError;
use crate::read::inputs::Inputs;

/// More than anybody makes.
const MOST: u32 = 99_999;

/// What is to be added.
pub(super) struct Addition {
    /// The folder below that of each export.
    pub(super) folder: String,
    /// What its manifest says of it.
    pub(super) added: Added,
    /// The files that are new.
    pub(super) inputs: Inputs,
    /// The run that is added to, and its folder.
    pub(super) base: (PathBuf, Manifest),
}

/// The name of the folder of an addition, from 1.
fn name(number: u32) -> String {
    format!("added-{number:05}")
}

/// The earlier runs of an output, as far as they matter here.
struct Earlier {
    known: KnownInputs,
    /// The folder of each, and what it wrote.
    runs: Vec<(PathBuf, Manifest)>,
    /// The number of the addition that comes next, and what it has begun to read, if it was interrupted.
    next: u32,
    begun: Option<KnownInputs>,
}

impl Addition {
    /// Looks for what a plan has to add to the output in `places`, of which `now` is what its manifest would be.
    pub(super) fn find(
        opened: &Opened,
        places: &[PathBuf],
        now: &Manifest,
        inputs: Inputs,
        is_fresh: bool,
    ) -> Result<Self, RunError> {
        let Some(base) = places.first() else {
            return Err(RunError::Internal { message: "a plan without exports".to_owned() });
        };
        let refused = |why: String| RunError::Addition { folder: base.clone(), why };
        if let Some(name) = inputs.unrepeatable() {
            return Err(refused(format!(
                "{name} cannot be known again, so nobody can tell whether it is new"
            )));
        }
        let earlier = Earlier::read(base, now, is_fresh)?;
        hand_over_indexes(opened, &earlier.runs).map_err(refused)?;
        let inputs = earlier.new_of(inputs).map_err(refused)?;
        let from = name(earlier.next);
        let beside = earlier.runs.iter().map(|(folder, _)| match folder.strip_prefix(base) {
            Ok(own) if own.as_os_str().is_empty() => PathBuf::from(".."),
            Ok(own) => Path::new("..").join(own),
            Err(_) => folder.clone(),
        });
        let added = Added {
            number: earlier.next,
            beside: beside.collect(),
            equals_fresh_run: !opened.stages.iter().any(|it| matches!(it.handle, OpenStage::Corpus(_))),
        };
        let base = earlier.runs.into_iter().next().unwrap_or_default();
        Ok(Self { folder: from, added, inputs, base })
    }
}

impl Earlier {
    fn read(base: &Path, now: &Manifest, is_fresh: bool) -> Result<Self, RunError> {
        let refused = |why: &str| RunError::Addition { folder: base.to_owned(), why: why.to_owned() };
        let Some(first) = Manifest::read(base)? else {
            return Err(refused("there is no output of a run in it yet: run without `--add` first"));
        };
        if !first.complete {
            return Err(refused("the run that wrote it has not finished: run without `--add` first"));
        }
        if let Some(why) = difference::of_runs(&first, now) {
            return Err(refused(&why));
        }
        previous::check_finished(base, &first, None)?;
        let list = |folder: &Path| KnownInputs::read(folder).map_err(|why| refused(&why));
        let known = list(base)?;
        let mut earlier = Self { known, runs: vec![(base.to_owned(), first)], next: 1, begun: None };
        while let Some(manifest) = Manifest::read(&base.join(name(earlier.next)))? {
            let folder = base.join(name(earlier.next));
            if !manifest.complete {
                earlier.begun = if is_fresh { None } else { Some(list(&folder)?) };
                break;
            }
            if earlier.next == MOST {
                return Err(refused("nothing can be added any more: make one output of it with `--fresh`"));
            }
            previous::check_finished(&folder, &manifest, None)?;
            earlier.known.extend(list(&folder)?);
            earlier.runs.push((folder, manifest));
            earlier.next += 1;
        }
        Ok(earlier)
    }

    /// The inputs that no run has read; of an addition that was interrupted, those that it had begun with.
    fn new_of(&self, inputs: Inputs) -> Result<Inputs, String> {
        let mut changed = None;
        let inputs = inputs.choosing(|file, entry| match self.known.standing(entry) {
            Standing::New => self.begun.as_ref().is_none_or(|begun| begun.standing(entry) != Standing::New),
            Standing::Read => false,
            Standing::Changed => {
                changed.get_or_insert_with(|| file.name.to_string());
                false
            }
        });
        match changed {
            None => Ok(inputs),
            Some(name) => Err(format!(
                "`{name}` was read before and has changed since, and what came of it is in the output: put new \
                 documents into new files, or pass `--fresh` without `--add` to make all of it again"
            )),
        }
    }
}

/// Gives the corpus stages what they have left in the runs before.
fn hand_over_indexes(opened: &Opened, runs: &[(PathBuf, Manifest)]) -> Result<(), String> {
    for stage in &opened.stages {
        let OpenStage::Corpus(handle) = &stage.handle else { continue };
        if handle.observing_passes() == 0 {
            continue;
        }
        if !handle.keeps_index() {
            return Err(format!(
                "stage `{}` judges a document by all others, and has kept no index of those that are there: give it \
                 `index = true` if it has that option and make the output again, or leave it out",
                stage.id
            ));
        }
        let mut indexes = Vec::new();
        for (folder, manifest) in runs {
            let learned = manifest.learned.iter().find(|learned| learned.stage == stage.id);
            let learned = learned
                .ok_or_else(|| format!("stage `{}` has left no index in `{}`", stage.id, folder.display()))?;
            let own = folder.join(&learned.folder);
            indexes.extend(learned.files.iter().map(|file| own.join(&file.name)));
        }
        handle.compare_with(indexes);
    }
    Ok(())
}

/// Takes away all additions to an output that is about to be made anew.
pub(super) fn clear(plan: &Plan, places: &[PathBuf], base: &Path) -> Result<(), RunError> {
    for number in 1..=MOST {
        let name = name(number);
        let folder = base.join(&name);
        let Some(earlier) = Manifest::read_listing(&folder)? else { return Ok(()) };
        let places: Vec<_> = places.iter().map(|place| place.join(&name)).collect();
        previous::clear(&places, &folder, Some(&earlier))?;
        WorkFolder::new(plan, &folder).clear()?;
        for place in &places {
            // What somebody else has put there stays, and its folder with it.
            let _ = std::fs::remove_dir(place.join(WORK));
            let _ = std::fs::remove_dir(place);
        }
    }
    Ok(())
}
