//! Files that a pipeline names, read with care.
//!
//! Whoever writes `extends = "/dev/zero"`, or names a pipe into which nobody writes, has made a slip and wants to
//! hear of it: reading such a thing to its end fills the memory or waits for ever.

use std::fs::{File, Metadata};
use std::io::{self, Read};
use std::path::Path;

/// Why a file that a pipeline names cannot be read; says so without the path, which whoever shows it knows.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReadError {
    /// There is nothing of that name.
    #[error("no such file")]
    Missing,
    /// It is something else than a file.
    #[error("it is {what}")]
    NoFile {
        /// With its article: `a folder`, `a device`.
        what: &'static str,
    },
    /// It is longer than it may be.
    #[error("it is larger than {} MiB", max_bytes >> 20)]
    TooLarge {
        /// The longest that it may be, in bytes.
        max_bytes: u64,
    },
    /// It is no text.
    #[error("line {line} is not UTF-8; save the file in UTF-8")]
    NotUtf8 {
        /// The first line that is none, from 1.
        line: usize,
    },
    /// Opening or reading it failed.
    #[error(transparent)]
    Io(io::Error),
}

impl From<io::Error> for ReadError {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::NotFound => Self::Missing,
            io::ErrorKind::IsADirectory => Self::NoFile { what: "a folder" },
            _ => Self::Io(error),
        }
    }
}

/// What there is instead of a regular file, with its article: `a folder`, `a device`; `None` if it is one.
pub fn not_a_file(metadata: &Metadata) -> Option<&'static str> {
    let kind = metadata.file_type();
    if kind.is_file() {
        return None;
    }
    if kind.is_dir() {
        return Some("a folder");
    }
    #[cfg(unix)]
    {
        use std::os::unix::fs::FileTypeExt as _;
        if kind.is_fifo() {
            return Some("a named pipe");
        }
        if kind.is_socket() {
            return Some("a socket");
        }
    }
    Some("a device")
}

/// Opens a regular file for reading.
///
/// # Errors
///
/// When there is none, when it is no regular file (a pipe is not even opened: that may wait for ever), or when it
/// cannot be opened.
pub fn open_file(path: &Path) -> Result<File, ReadError> {
    match not_a_file(&std::fs::metadata(path)?) {
        None => Ok(File::open(path)?),
        Some(what) => Err(ReadError::NoFile { what }),
    }
}

/// Reads a regular file of at most `max_bytes` bytes as text.
///
/// # Errors
///
/// When there is none, when it is no regular file, too large or not UTF-8, or when it cannot be read.
pub fn read_text(path: &Path, max_bytes: u64) -> Result<String, ReadError> {
    let file = open_file(path)?;
    // What is far too long need not be read to know it.
    if file.metadata()?.len() > max_bytes {
        return Err(ReadError::TooLarge { max_bytes });
    }
    text_of(file, max_bytes)
}

/// Reads at most `max_bytes` bytes of text from whatever is there, a pipe or a terminal included: for the one file
/// that a user names on the command line, which may be `/dev/stdin` or the output of another program.
///
/// # Errors
///
/// When there is nothing, or a folder, when it is longer or not UTF-8, or when it cannot be read.
pub fn read_text_of_any(path: &Path, max_bytes: u64) -> Result<String, ReadError> {
    text_of(File::open(path)?, max_bytes)
}

fn text_of(file: File, max_bytes: u64) -> Result<String, ReadError> {
    let mut bytes = Vec::new();
    file.take(max_bytes.saturating_add(1)).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > max_bytes {
        return Err(ReadError::TooLarge { max_bytes });
    }
    String::from_utf8(bytes).map_err(|error| {
        let valid = error.utf8_error().valid_up_to();
        let line = error.as_bytes().iter().take(valid).filter(|byte| **byte == b'\n').count() + 1;
        ReadError::NotUtf8 { line }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(result: Result<String, ReadError>) -> String {
        result.map_or_else(|error| error.to_string(), |text| format!("read: {text}"))
    }

    #[test]
    fn only_short_text_in_regular_files_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let file = |name: &str, content: &[u8]| {
            let path = folder.path().join(name);
            std::fs::write(&path, content).unwrap();
            path
        };
        for (path, expected) in [
            (file("short", "行\n".as_bytes()), "read: 行\n"),
            (file("long", &vec![b'a'; (1 << 20) + 1]), "it is larger than 1 MiB"),
            (file("bytes", b"a\nb\n\xFF\n"), "line 3 is not UTF-8; save the file in UTF-8"),
            (folder.path().join("absent"), "no such file"),
            (folder.path().to_owned(), "it is a folder"),
        ] {
            assert_eq!(said(read_text(&path, 1 << 20)), expected);
            assert_eq!(said(read_text_of_any(&path, 1 << 20)), expected);
        }
    }

    #[cfg(unix)]
    #[test]
    fn devices_and_pipes_are_no_files() {
        let folder = tempfile::tempdir().unwrap();
        let socket = folder.path().join("socket");
        let _listener = std::os::unix::net::UnixListener::bind(&socket).unwrap();
        for (path, expected) in [(Path::new("/dev/zero"), "it is a device"), (&socket, "it is a socket")] {
            assert_eq!(said(read_text(path, 10)), expected);
        }
        // What has no end is not read to it.
        assert_eq!(said(read_text_of_any(Path::new("/dev/zero"), 1 << 20)), "it is larger than 1 MiB");
        assert_eq!(said(read_text_of_any(Path::new("/dev/null"), 10)), "read: ");
    }
}
