//! Threads that help.

/// Threads that inflate ahead of whoever reads: the workers of a run.
pub trait Helpers: Send + Sync {
    /// Takes a job, to be run soon on any thread.
    fn submit(&self, job: Box<dyn FnOnce() + Send>);

    /// Runs one waiting job on this thread, if there is one and this thread may; whether it did.
    fn help(&self) -> bool;

    /// How many threads help; none of them when it is 0.
    fn threads(&self) -> usize;
}
