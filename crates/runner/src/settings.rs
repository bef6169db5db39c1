//! How a plan is run, beside what it says itself.

use std::convert::Infallible;
use std::fmt;
use std::io::{ErrorKind, Write};
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tamis_config::Plan;

use crate::error::RunError;
use crate::read::only::Only;
use crate::segment::{SegmentTask, Shard};

/// How a plan is run, beside what the plan says itself.
#[derive(Debug, Clone, Default)]
pub struct Settings {
    /// Replace the output of an earlier run.
    pub fresh: bool,
    /// Read the files alone that the runs which have written to these folders have not read, and leave what they wrote
    /// as it is: the output lies below the folder of each export, in `added-00001`, and is judged against what is there.
    /// With [`Settings::fresh`] an addition that was interrupted is begun anew.
    pub add: bool,
    /// Do everything but write: nothing of the output changes.
    pub dry_run: bool,
    /// Hand the bytes of the first export on as they come; implies `dry_run`, because nothing is written to a folder.
    pub stream: Option<Stream>,
    /// Read this many records only: the first of the corpus.
    pub limit: Option<u64>,
    /// Take in only records that stand at these places, and no others; a limit or shards go by all records, so there is
    /// neither.
    pub only: Option<Arc<Only>>,
    /// Read one of several equal parts of the inputs. Its output lies below the folder of each export, in
    /// `shard-00002-of-00008`.
    pub shard: Option<Shard>,
    /// Run one segment of the plan only; all of them if `None`.
    pub task: Option<SegmentTask>,
    /// A folder for what a dry run of a plan with corpus stages must put aside; a temporary one if `None`.
    pub scratch: Option<PathBuf>,
    /// How output is prepared that goes to an object store; needed by a plan that writes to one.
    pub store: Option<StoreSettings>,
    /// The threads that work; a pool of its own, of as many as the plan says, if `None`. Several runs may share one
    /// pool; then each gets what the others leave.
    pub pool: Option<Arc<rayon::ThreadPool>>,
    /// What to do when the run was asked to stop and a worker does not come back; if `None` the run waits for it.
    pub grace: Option<Grace>,
}

/// How output is prepared that goes to an object store.
#[derive(Debug, Clone)]
pub struct StoreSettings {
    /// The folder of this machine where it is prepared, each output in a folder of its own: the next run goes on from
    /// what is there.
    pub work: PathBuf,
    /// Who writes, for others who want to write there: `process 12 on this-machine`.
    pub holder: String,
    /// Replace what another run has claimed and not finished.
    pub take_over: bool,
}

/// Where the bytes of an export go that is not written to a folder, in corpus order.
#[derive(Clone)]
pub struct Stream(Arc<Mutex<dyn Write + Send>>);

impl Stream {
    /// Hands them to `out`; when that answers that the pipe is broken the run ends with [`RunError::Closed`].
    pub fn to(out: impl Write + Send + 'static) -> Self {
        Self(Arc::new(Mutex::new(out)))
    }

    pub(crate) fn write(&self, bytes: &[u8]) -> Result<(), RunError> {
        let mut out = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match out.write_all(bytes).and_then(|()| out.flush()) {
            Err(error) if error.kind() == ErrorKind::BrokenPipe => Err(RunError::Closed),
            written => written.map_err(|source| RunError::Stream { source }),
        }
    }
}

impl fmt::Debug for Stream {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Stream")
    }
}

/// How a run that was asked to stop ends although a worker has not come back: it notes how far it is and leaves the
/// output for the next run to go on with, and then the process must end, because no thread can be ended from outside.
#[derive(Clone)]
pub struct Grace {
    /// How long workers may take to come back.
    pub after: Duration,
    /// Ends the process.
    pub leave: Arc<dyn Fn() -> Infallible + Send + Sync>,
}

impl fmt::Debug for Grace {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Grace").field("after", &self.after).finish_non_exhaustive()
    }
}

impl Settings {
    /// Whether nothing of a folder of output changes.
    pub(crate) fn is_dry(&self) -> bool {
        self.dry_run || self.stream.is_some()
    }

    /// The threads that work for a run of this plan.
    pub(crate) fn pool(&self, plan: &Plan) -> Result<Arc<rayon::ThreadPool>, RunError> {
        if let Some(pool) = &self.pool {
            return Ok(Arc::clone(pool));
        }
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(threads(plan))
            .thread_name(|index| format!("tamis-worker-{index}"))
            .build();
        pool.map(Arc::new).map_err(|error| RunError::Internal { message: error.to_string() })
    }
}

/// How many threads work.
pub(crate) fn threads(plan: &Plan) -> usize {
    match plan.run.threads {
        0 => std::thread::available_parallelism().map_or(1, NonZeroUsize::get),
        threads => threads,
    }
}
