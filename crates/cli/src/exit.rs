//! How the process ends.

use std::process::ExitCode;

/// The exit codes; scripts may rely on them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// 0: done.
    Done,
    /// 1: done, but more records failed, or more bytes could not be read, than `max_failed_ratio` allows, or a test of the pipeline failed.
    Failed,
    /// 2: the setup is wrong; nothing ran.
    Setup,
    /// 3: the run broke.
    Broken,
    /// 130: interrupted.
    Interrupted,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(match exit {
            Exit::Done => 0,
            Exit::Failed => 1,
            Exit::Setup => 2,
            Exit::Broken => 3,
            Exit::Interrupted => 130,
        })
    }
}
