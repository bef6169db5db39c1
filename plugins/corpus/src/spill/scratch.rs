//! Where a stage puts what does not fit into its memory, and how that memory is shared out.

use std::fs::File;
use std::path::{Path, PathBuf};

use tamis_plugin::{Failure, Workspace};

/// So many files are read at once where memory allows.
const MOST_FAN_IN: usize = 64;

/// What a file that is read takes: a block of entries and a buffer.
const READER_BYTES: usize = 80 * 1024;

/// A place on the disk, and the memory that may be held before it is used.
#[derive(Debug, Clone)]
pub(crate) struct Scratch {
    folder: PathBuf,
    /// Bytes that the stage may hold.
    most: usize,
    n_locals: usize,
    fan_in: usize,
}

impl Scratch {
    /// For a stage that may hold `most` bytes over all its workers.
    ///
    /// A quarter is for what workers hold. An eighth is for sorted runs: while these are merged in memory, or one
    /// eighth is being written and another fills, they take three. Files that are merged have an eighth for their
    /// buffers. The rest is for what is made of them when a pass ends ([`Scratch::part`], [`Scratch::table_bytes`]).
    pub(crate) fn new(workspace: &Workspace, most: u64) -> Self {
        let most = usize::try_from(most).unwrap_or(usize::MAX);
        Self::with(workspace.scratch.clone(), most, workspace.threads.max(1))
    }

    fn with(folder: PathBuf, most: usize, n_locals: usize) -> Self {
        Self { folder, most, n_locals, fan_in: (most / 8 / READER_BYTES).clamp(2, MOST_FAN_IN) }
    }

    /// For runs beside others, that one worker fills: an eighth of the memory.
    pub(crate) fn part(&self) -> Self {
        Self::with(self.folder.clone(), self.most / 8, 1)
    }

    /// For tests: reads fewer files at once, so that few entries make several levels of merging.
    #[cfg(test)]
    pub(crate) fn with_fan_in(self, fan_in: usize) -> Self {
        Self { fan_in, ..self }
    }

    /// A file in the folder.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// Bytes that one worker may hold before it adds them to its runs.
    pub(super) fn local_bytes(&self) -> usize {
        self.most / 4 / self.n_locals
    }

    /// Bytes of sorted runs.
    pub(super) fn resident_bytes(&self) -> usize {
        self.most / 8
    }

    /// Bytes that all tables together may hold that outlive a pass.
    pub(crate) fn table_bytes(&self) -> usize {
        self.most / 4
    }

    /// So many files are read at once.
    pub(super) fn fan_in(&self) -> usize {
        self.fan_in
    }
}

/// The failure of a file in the scratch folder.
pub(crate) fn unwritable(path: &Path, error: &std::io::Error) -> Failure {
    let way_out = way_out(error, "make room there or raise `max_state_bytes`");
    Failure::new(format!("the work file `{}` cannot be written: {error}: {way_out}", path.display()))
}

/// What to do about a file that cannot be written; `otherwise` where the error does not say what has run out.
pub(crate) fn way_out(error: &std::io::Error, otherwise: &str) -> String {
    // The standard library has no kind for these: too many open files in the process, and in the system.
    #[cfg(unix)]
    const TOO_MANY_OPEN: [i32; 2] = [23, 24];
    #[cfg(not(unix))]
    const TOO_MANY_OPEN: [i32; 1] = [4];
    let what = match error.kind() {
        std::io::ErrorKind::FileTooLarge => "raise the limit of file sizes (`ulimit -f`)",
        _ if error.raw_os_error().is_some_and(|code| TOO_MANY_OPEN.contains(&code)) => {
            "raise the limit of open files (`ulimit -n`)"
        }
        _ => otherwise,
    };
    format!("{what}, and run the same command again")
}

#[cfg(unix)]
pub(crate) fn read_exact_at(file: &File, buffer: &mut [u8], offset: u64) -> std::io::Result<()> {
    std::os::unix::fs::FileExt::read_exact_at(file, buffer, offset)
}

#[cfg(windows)]
pub(crate) fn read_exact_at(file: &File, mut buffer: &mut [u8], mut offset: u64) -> std::io::Result<()> {
    while !buffer.is_empty() {
        let n_read = std::os::windows::fs::FileExt::seek_read(file, buffer, offset)?;
        if n_read == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
        buffer = buffer.get_mut(n_read..).unwrap_or_default();
        offset += n_read as u64;
    }
    Ok(())
}
