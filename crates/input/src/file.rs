//! One file to read.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tamis_address::Address;

/// Where an input is.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Location {
    /// A file of this machine.
    Path(PathBuf),
    /// The standard input of the program.
    Stdin,
    /// An object of a store or of the web: `s3://bucket/key`, `https://host/path`. It shows itself without secrets.
    Url(Address),
}

impl Location {
    /// The path of a file of this machine.
    pub fn path(&self) -> Option<&Path> {
        match self {
            Self::Path(path) => Some(path),
            Self::Stdin | Self::Url(_) => None,
        }
    }
}

/// As messages call it.
impl fmt::Display for Location {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Path(path) => path.display().fmt(out),
            Self::Stdin => out.write_str("standard input"),
            Self::Url(url) => url.fmt(out),
        }
    }
}

/// One file to read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InputFile {
    /// Where it is.
    pub location: Location,
    /// What documents and messages call it: relative to the root of the source, with `/`, without secrets.
    pub name: Arc<str>,
    /// Its size in bytes when it was listed; 0 if that is not known.
    pub size: u64,
    /// When it was changed last, in nanoseconds since 1970; 0 if that is not known.
    pub modified: u128,
    /// The version of an object (its `ETag`); empty if that is not known.
    pub version: String,
    /// Why it cannot be read, if that is known already: it becomes a dead letter.
    pub trouble: Option<String>,
}

impl InputFile {
    /// Size and time of change of a file of this machine as they are now, as in the members of those names.
    ///
    /// # Errors
    ///
    /// When there is no such file.
    pub fn look(path: &Path) -> std::io::Result<(u64, u128)> {
        let metadata = path.metadata()?;
        Ok((metadata.len(), crate::list::modified(&metadata)))
    }

    /// A file of which nothing is known but where it is; its name is its own, without folders.
    pub fn at(location: Location) -> Self {
        let name = match &location {
            Location::Path(path) => {
                path.file_name().map_or_else(String::new, |name| crate::names::name(Path::new(name)))
            }
            Location::Stdin => crate::names::STDIN.to_owned(),
            Location::Url(url) => url.to_string().rsplit('/').next().unwrap_or_default().to_owned(),
        };
        Self { location, name: name.into(), size: 0, modified: 0, version: String::new(), trouble: None }
    }
}
