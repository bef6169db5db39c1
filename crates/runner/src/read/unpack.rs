//! Files that are read from their end and are packed in something else: unpacked into memory where they are small,
//! else into a file of the work folder.

use std::fs::File;
use std::io::{self, Read, Write};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tamis_stage::RandomAccess;

use crate::error::RunError;

/// How much is copied at once, in bytes.
const PIECE: usize = 64 * 1024;

/// Unpacks into a folder of its own.
pub(crate) struct Unpacker {
    folder: PathBuf,
    n_unpacked: AtomicU64,
}

/// The bytes of a file, readable anywhere.
pub(crate) struct Unpacked {
    pub(crate) bytes: Arc<dyn RandomAccess>,
    /// How many bytes of memory it holds.
    pub(crate) held: u64,
    /// Whether it holds an open file.
    pub(crate) is_on_disk: bool,
}

impl Unpacked {
    /// What is in memory as a whole.
    pub(crate) fn held(bytes: Vec<u8>) -> Self {
        let held = bytes.len() as u64;
        Self { bytes: Arc::new(Held(bytes)), held, is_on_disk: false }
    }
}

impl Unpacker {
    pub(crate) fn new(folder: PathBuf) -> Self {
        Self { folder, n_unpacked: AtomicU64::new(0) }
    }

    /// Writes `start` and all that follows to the disk.
    ///
    /// The inner error is one of what is read, and costs that; the outer one concerns the run: with a full disk
    /// or without descriptors every further file would fail, too, and none of them is to blame.
    pub(crate) fn to_disk(
        &self,
        start: &[u8],
        rest: &mut impl Read,
    ) -> Result<io::Result<Unpacked>, RunError> {
        let path = self.folder.join(self.n_unpacked.fetch_add(1, Ordering::Relaxed).to_string());
        let copied = self.copy(&path, start, rest);
        // The open file stays readable, and is gone when it is closed, however the run ends. (Where a system does
        // not allow that, it goes with the folder.)
        let opened = match copied {
            Ok(Ok(())) => {
                let file = tamis_input::InputFile::at(tamis_input::Location::Path(path.clone()));
                tamis_input::random_access(&file).map_err(RunError::write(&path)).map(Ok)
            }
            Ok(Err(damage)) => Ok(Err(damage)),
            Err(error) => Err(error),
        };
        let _ = std::fs::remove_file(&path);
        Ok(opened?.map(|access| Unpacked { bytes: Arc::new(Anywhere(access)), held: 0, is_on_disk: true }))
    }

    fn copy(
        &self,
        path: &std::path::Path,
        start: &[u8],
        rest: &mut impl Read,
    ) -> Result<io::Result<()>, RunError> {
        std::fs::create_dir_all(&self.folder).map_err(RunError::write(&self.folder))?;
        let mut file = File::create(path).map_err(RunError::write(path))?;
        file.write_all(start).map_err(RunError::write(path))?;
        let mut piece = vec![0; PIECE];
        loop {
            let n = match rest.read(&mut piece) {
                Ok(0) => return Ok(Ok(())),
                Ok(n) => n,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(damage) => return Ok(Err(damage)),
            };
            file.write_all(piece.get(..n).unwrap_or_default()).map_err(RunError::write(path))?;
        }
    }
}

/// Bytes in memory.
struct Held(Vec<u8>);

impl RandomAccess for Held {
    fn size(&self) -> u64 {
        self.0.len() as u64
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<()> {
        let from = usize::try_from(offset).ok();
        let range = from.and_then(|from| Some(from..from.checked_add(buffer.len())?));
        let bytes = range.and_then(|range| self.0.get(range)).ok_or(io::ErrorKind::UnexpectedEof)?;
        buffer.copy_from_slice(bytes);
        Ok(())
    }
}

/// The same with another name: stages do not know where bytes come from.
pub(crate) struct Anywhere(pub(crate) Arc<dyn tamis_input::RandomAccess>);

impl RandomAccess for Anywhere {
    fn size(&self) -> u64 {
        self.0.size()
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<()> {
        self.0.read_at(offset, buffer)
    }
}
