//! How a plan is run, beside what it says itself.

use std::num::NonZeroUsize;
use std::path::PathBuf;

use tamis_config::Plan;

use crate::segment::{Shard, Task};

/// How a plan is run, beside what the plan says itself.
#[derive(Debug, Clone, Default)]
pub struct Settings {
    /// Replace the output of an earlier run.
    pub fresh: bool,
    /// Do everything but write: nothing of the output changes.
    pub dry_run: bool,
    /// Read this many records only: the first of the corpus.
    pub limit: Option<u64>,
    /// Read one of several equal parts of the inputs. Its output lies below the folder of each export, in
    /// `shard-00002-of-00008`.
    pub shard: Option<Shard>,
    /// Run one segment of the plan only; all of them if `None`.
    pub task: Option<Task>,
    /// A folder for what a dry run of a plan with corpus stages must put aside.
    pub scratch: Option<PathBuf>,
}

/// How many threads work.
pub(crate) fn threads(plan: &Plan) -> usize {
    match plan.run.threads {
        0 => std::thread::available_parallelism().map_or(1, NonZeroUsize::get),
        threads => threads,
    }
}
