//! How the process ends.

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

impl Exit {
    /// The code.
    pub fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Failed => 1,
            Self::Setup => 2,
            Self::Broken => 3,
            Self::Interrupted => 130,
        }
    }
}
