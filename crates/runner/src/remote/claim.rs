//! The claim of a run on its place in a store: an object that is there from before the first part until after the
//! manifest, so that two runs cannot write to one place.
//!
//! It is made on condition that there is none, and replaced on condition that it is still the one that was read. A lock
//! of a machine goes with its process; nobody knows that of a process elsewhere, so a claim stays when its run is killed,
//! says whose it is, and goes when the run has been gone on with or somebody says that it is to be taken over.

use std::path::Path;

use serde::{Deserialize, Serialize};
use tamis_store::{Condition, Marks, Outlet, Placed};

use crate::disk::names::CLAIM;
use crate::error::RunError;

/// How often it is looked again, where others come and go.
const ATTEMPTS: u32 = 5;

/// Whose a place is.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Claim {
    run: String,
    by: String,
    since: String,
    work: String,
}

/// A claim that was made.
pub(super) struct Held {
    /// Whether it was made by a process before this one, which this one goes on for.
    pub(super) is_before: bool,
    /// The run that it was taken from.
    pub(super) displaced: Option<String>,
}

impl Held {
    /// Whether nobody had the place.
    pub(super) fn is_new(&self) -> bool {
        !self.is_before && self.displaced.is_none()
    }
}

impl Claim {
    pub(super) fn new(run: &str, by: &str, work: &Path) -> Self {
        Self {
            run: run.to_owned(),
            by: by.to_owned(),
            since: format!("{:.0}", jiff::Timestamp::now()),
            work: work.display().to_string(),
        }
    }

    /// Claims a place, or says who has it.
    pub(super) fn take(&self, outlet: &dyn Outlet, take_over: bool) -> Result<Held, RunError> {
        for _ in 0..ATTEMPTS {
            if let Placed::Done(_) = self.put(outlet, &Condition::New)? {
                self.check_conditions(outlet)?;
                return Ok(Held { is_before: false, displaced: None });
            }
            let Some((content, head)) = outlet.read(CLAIM).map_err(RunError::no_store)? else { continue };
            let other: Self = serde_json::from_slice(&content).map_err(|_| RunError::Occupied {
                folder: outlet.address("").into(),
                name: CLAIM.to_owned(),
            })?;
            if other.run == self.run {
                return Ok(Held { is_before: true, displaced: None });
            }
            if !take_over {
                return Err(other.refusal(outlet));
            }
            if let Placed::Done(_) = self.put(outlet, &Condition::Replaces(head.version))? {
                return Ok(Held { is_before: false, displaced: Some(other.run) });
            }
        }
        Err(RunError::Displaced { place: outlet.address("") })
    }

    fn put(&self, outlet: &dyn Outlet, condition: &Condition) -> Result<Placed, RunError> {
        let content = serde_json::to_vec_pretty(self)
            .map_err(|error| RunError::Internal { message: error.to_string() })?;
        let marks = Marks { run: self.run.clone(), blake3: blake3::hash(&content).to_hex().to_string() };
        outlet.put(CLAIM, content, &marks, condition).map_err(RunError::no_store)
    }

    /// A server that does not know conditions passes over them, and would let two runs write to one place.
    fn check_conditions(&self, outlet: &dyn Outlet) -> Result<(), RunError> {
        let again = Self { since: format!("{} ", self.since), ..self.clone() };
        match again.put(outlet, &Condition::New)? {
            Placed::Refused(_) => Ok(()),
            Placed::Done(_) => {
                let _ = outlet.remove(&[CLAIM.to_owned()]);
                let message = format!(
                    "the server of `{}` takes no notice of `If-None-Match`, so nothing would keep two runs apart: write to \
                     a folder, and copy it when the run has ended",
                    outlet.address("")
                );
                Err(RunError::no_store(std::io::Error::new(std::io::ErrorKind::Unsupported, message)))
            }
        }
    }

    fn refusal(self, outlet: &dyn Outlet) -> RunError {
        RunError::Claimed { place: outlet.address(""), by: self.by, since: self.since, work: self.work }
    }
}
