//! Bytes anywhere in a file.

use std::fs::File;
use std::io;
use std::sync::Arc;

use crate::{InputFile, Location};

/// Bytes anywhere in a file, for formats that are read from their end.
pub trait RandomAccess: Send + Sync {
    /// The length of the file when it was opened, in bytes.
    fn size(&self) -> u64;

    /// Fills the buffer with what is at `offset`.
    ///
    /// # Errors
    ///
    /// When it cannot be read; `UnexpectedEof` when the file has fewer bytes.
    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<()>;
}

/// Opens a file for reading anywhere in it, as it is: nothing is decompressed.
///
/// # Errors
///
/// When it cannot be opened, or is standard input.
pub fn random_access(file: &InputFile) -> io::Result<Arc<dyn RandomAccess>> {
    match &file.location {
        Location::Path(path) => {
            let file = File::open(path)?;
            let size = file.metadata()?.len();
            Ok(Arc::new(Local { file, size }))
        }
        Location::Stdin => Err(io::Error::new(
            io::ErrorKind::Unsupported,
            "this format is read from its end, which standard input does not allow: name the file instead",
        )),
        #[cfg(feature = "remote")]
        Location::Url(url) => crate::remote::random_access(url, &file.version),
        #[cfg(not(feature = "remote"))]
        Location::Url(_) => Err(crate::peel::no_remote()),
    }
}

struct Local {
    file: File,
    size: u64,
}

impl RandomAccess for Local {
    fn size(&self) -> u64 {
        self.size
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<()> {
        read_exact_at(&self.file, buffer, offset)
    }
}

#[cfg(unix)]
fn read_exact_at(file: &File, buffer: &mut [u8], offset: u64) -> io::Result<()> {
    std::os::unix::fs::FileExt::read_exact_at(file, buffer, offset)
}

#[cfg(windows)]
fn read_exact_at(file: &File, mut buffer: &mut [u8], mut offset: u64) -> io::Result<()> {
    use std::os::windows::fs::FileExt;
    while !buffer.is_empty() {
        let read = file.seek_read(buffer, offset)?;
        if read == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        buffer = &mut buffer[read..];
        offset += read as u64;
    }
    Ok(())
}
