//! The files below a folder of this machine.
//!
//! A folder is read whole and sorted, and its names are held packed: a crawl may have a million pages in one folder.

use std::ffi::{OsStr, OsString};
use std::fs::{self, FileType, Metadata};
use std::io;
use std::path::{Path, PathBuf};

use super::listing::{Packed, Within};
use super::{Candidate, ListOptions, Listing, Seen, modified};
use crate::{InputError, InputFile, Location, Pattern, names};

/// What the name of a file in a folder said of it, without looking.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    File,
    Folder,
    /// A link, or what has to be looked at for another reason.
    Other,
}

/// A folder while its files are listed.
struct Frame {
    path: PathBuf,
    /// Where it is in the listing, once a file of it is.
    within: Option<Within>,
    names: Names,
    next: usize,
}

/// The names in a folder, sorted.
#[derive(Default)]
struct Names {
    text: String,
    /// Where each begins and ends in `text`, or which of `odd` it is.
    places: Vec<(NamePlace, Kind)>,
    /// Names that are not UTF-8.
    odd: Vec<OsString>,
}

#[derive(Debug, Clone, Copy)]
enum NamePlace {
    Text { begin: u32, length: u16 },
    Odd(u32),
}

/// A file that was found.
struct Found<'a> {
    path: &'a Path,
    metadata: Option<Metadata>,
    trouble: Option<String>,
}

struct Walk<'a> {
    pattern: &'a Pattern,
    base: &'a Path,
    root: &'a Path,
    options: &'a ListOptions<'a>,
    seen: &'a mut Seen,
    listing: &'a mut Listing,
    frames: Vec<Frame>,
}

/// Adds the files at and below `base` that a pattern takes; their names begin at `root`.
pub(super) fn walk(
    pattern: &Pattern,
    base: &Path,
    root: &Path,
    options: &ListOptions<'_>,
    seen: &mut Seen,
    listing: &mut Listing,
) -> Result<(), InputError> {
    let mut walk = Walk { pattern, base, root, options, seen, listing, frames: Vec::new() };
    walk.begin()?;
    while let Some(frame) = walk.frames.last_mut() {
        let Some((name, kind)) = frame.names.get(frame.next) else {
            walk.frames.pop();
            continue;
        };
        let path = frame.path.join(name);
        frame.next += 1;
        if (options.is_stopped)() {
            return Err(InputError::Stopped);
        }
        walk.visit(&path, kind)?;
    }
    Ok(())
}

impl Walk<'_> {
    /// What the user named itself.
    fn begin(&mut self) -> Result<(), InputError> {
        if (self.options.is_stopped)() {
            return Err(InputError::Stopped);
        }
        let base = self.base;
        let (metadata, trouble) = match fs::metadata(base) {
            Ok(metadata) if metadata.is_dir() => match Frame::open(base) {
                Ok((frame, broken)) => {
                    self.frames.push(frame);
                    return broken.map_or(Ok(()), |error| self.unlisted(base, &error));
                }
                Err(error) => (None, Some(unreadable(&error))),
            },
            Ok(metadata) => {
                let trouble = not_a_file(metadata.file_type());
                (Some(metadata), trouble)
            }
            Err(error) => (None, Some(trouble(base, &error))),
        };
        if let Some(reason) = trouble {
            // Nothing has run yet.
            return Err(InputError::Unreadable { written: self.pattern.written.clone(), reason });
        }
        if self.pattern.takes(Path::new("")) {
            self.found(Found { path: base, metadata, trouble: None });
        }
        Ok(())
    }

    /// What was found in the last of the frames.
    fn visit(&mut self, path: &Path, kind: Kind) -> Result<(), InputError> {
        let looked = match kind {
            Kind::File | Kind::Folder => None,
            Kind::Other => Some(fs::metadata(path)),
        };
        let is_folder = match &looked {
            None => kind == Kind::Folder,
            Some(Ok(metadata)) => metadata.is_dir(),
            Some(Err(_)) => false,
        };
        let relative = path.strip_prefix(self.base).unwrap_or(path);
        if (self.options.is_excluded)(Candidate { path, relative, is_folder }) {
            return Ok(());
        }
        if is_folder {
            return self.enter(path, looked.is_some());
        }
        if !self.pattern.takes(relative) {
            return Ok(());
        }
        let (metadata, trouble) = match looked {
            None => (fs::metadata(path).ok(), None),
            Some(Ok(metadata)) => {
                let trouble = not_a_file(metadata.file_type());
                (Some(metadata), trouble)
            }
            Some(Err(error)) => (None, Some(trouble(path, &error))),
        };
        self.found(Found { path, metadata, trouble });
        Ok(())
    }

    /// Goes on in a folder. One that cannot be listed may hold files of the input, whatever its own name.
    fn enter(&mut self, path: &Path, is_link: bool) -> Result<(), InputError> {
        let ancestor = if is_link { self.leads_back(path) } else { None };
        if let Some(ancestor) = ancestor {
            let trouble =
                format!("the link leads back to `{}`, whose files are read already", ancestor.display());
            // The link itself is no folder: as a file it must be one that is wanted.
            let relative = path.strip_prefix(self.base).unwrap_or(path);
            if self.pattern.takes(relative) {
                self.found(Found { path, metadata: None, trouble: Some(trouble) });
            }
            return Ok(());
        }
        match Frame::open(path) {
            Ok((frame, broken)) => {
                self.frames.push(frame);
                broken.map_or(Ok(()), |error| self.unlisted(path, &error))
            }
            Err(error) => {
                self.found(Found { path, metadata: None, trouble: Some(unreadable(&error)) });
                Ok(())
            }
        }
    }

    /// A folder whose listing broke off is read as far as it is known, and a file with a trouble.
    fn unlisted(&mut self, path: &Path, error: &io::Error) -> Result<(), InputError> {
        let reason = unreadable(error);
        if path == self.base {
            return Err(InputError::Unreadable { written: self.pattern.written.clone(), reason });
        }
        self.found(Found { path, metadata: None, trouble: Some(reason) });
        Ok(())
    }

    /// The folder on the way that a link leads back to, if it does.
    fn leads_back(&self, link: &Path) -> Option<&Path> {
        let target = fs::canonicalize(link).ok()?;
        let is_target = |path: &Path| fs::canonicalize(path).is_ok_and(|path| path == target);
        self.frames.iter().map(|frame| frame.path.as_path()).find(|path| is_target(path))
    }

    fn found(&mut self, found: Found<'_>) {
        let Found { path, metadata, trouble } = found;
        if !self.seen.is_new(path.as_os_str().as_encoded_bytes()) {
            return;
        }
        let size = metadata.as_ref().filter(|_| trouble.is_none()).map_or(0, Metadata::len);
        let modified = metadata.as_ref().map_or(0, modified);
        if trouble.is_none()
            && let Ok(modified) = u64::try_from(modified)
            && let Some(name) = path.file_name().and_then(OsStr::to_str)
            && let Some(within) = self.within(path)
            && self.listing.pack(&Packed { within, name, version: "", size, modified })
        {
            return;
        }
        self.listing.push(InputFile {
            location: Location::Path(path.to_owned()),
            name: names::name(path.strip_prefix(self.root).unwrap_or(path)).into(),
            size,
            modified,
            version: String::new(),
            trouble,
        });
    }

    /// The folder of a file in the listing.
    fn within(&mut self, path: &Path) -> Option<Within> {
        let parent = path.parent()?;
        if self.frames.is_empty() {
            return Some(self.new_root(parent));
        }
        // Those on the way that hold no file themselves come into the listing now.
        let mut above: Option<Within> = None;
        for index in 0..self.frames.len() {
            let frame = self.frames.get(index)?;
            let within = match (frame.within, above, frame.path.file_name().and_then(OsStr::to_str)) {
                (Some(known), ..) => known,
                (None, Some(above), Some(name)) => self.listing.folder(above, name)?,
                _ => {
                    let path = frame.path.clone();
                    self.new_root(&path)
                }
            };
            self.frames.get_mut(index)?.within = Some(within);
            above = Some(within);
        }
        above
    }

    fn new_root(&mut self, path: &Path) -> Within {
        let relative = path.strip_prefix(self.root).unwrap_or(path);
        let parts: Vec<_> = relative.iter().map(names::escaped).collect();
        self.listing.root(path, &parts.join("/"))
    }
}

impl Frame {
    /// Reads the names in a folder; and why not all of them, if so.
    fn open(path: &Path) -> io::Result<(Self, Option<io::Error>)> {
        let mut names = Names::default();
        let mut broken = None;
        for entry in fs::read_dir(path)? {
            match entry {
                Ok(entry) => {
                    let kind = match entry.file_type() {
                        Ok(kind) if kind.is_file() => Kind::File,
                        Ok(kind) if kind.is_dir() => Kind::Folder,
                        _ => Kind::Other,
                    };
                    names.add(entry.file_name(), kind);
                }
                Err(error) => {
                    broken = Some(error);
                    break;
                }
            }
        }
        names.sort();
        Ok((Self { path: path.to_owned(), within: None, names, next: 0 }, broken))
    }
}

impl Names {
    fn add(&mut self, name: OsString, kind: Kind) {
        let place = name.to_str().and_then(|text| {
            let begin = u32::try_from(self.text.len()).ok()?;
            let length = u16::try_from(text.len()).ok()?;
            self.text.push_str(text);
            Some(NamePlace::Text { begin, length })
        });
        let place = place.unwrap_or_else(|| {
            self.odd.push(name);
            NamePlace::Odd(u32::try_from(self.odd.len() - 1).unwrap_or(u32::MAX))
        });
        self.places.push((place, kind));
    }

    fn sort(&mut self) {
        let mut places = std::mem::take(&mut self.places);
        places.sort_unstable_by(|(a, _), (b, _)| self.at(*a).cmp(self.at(*b)));
        self.places = places;
    }

    fn at(&self, place: NamePlace) -> &OsStr {
        match place {
            NamePlace::Text { begin, length } => {
                let begin = begin as usize;
                OsStr::new(self.text.get(begin..begin + usize::from(length)).unwrap_or_default())
            }
            NamePlace::Odd(index) => self.odd.get(index as usize).map_or(OsStr::new(""), OsString::as_os_str),
        }
    }

    fn get(&self, index: usize) -> Option<(&OsStr, Kind)> {
        self.places.get(index).map(|(place, kind)| (self.at(*place), *kind))
    }
}

/// Why something that is no folder cannot be read as a file, if so.
fn not_a_file(kind: FileType) -> Option<String> {
    let way_out = match special(kind) {
        "a named pipe" => ": pass it on to standard input, the input `-`",
        _ => "",
    };
    (!kind.is_file()).then(|| format!("{} is not a file to read{way_out}", special(kind)))
}

#[cfg(unix)]
fn special(kind: FileType) -> &'static str {
    use std::os::unix::fs::FileTypeExt;
    if kind.is_fifo() {
        "a named pipe"
    } else if kind.is_socket() {
        "a socket"
    } else if kind.is_block_device() || kind.is_char_device() {
        "a device"
    } else {
        "this"
    }
}

#[cfg(not(unix))]
fn special(_kind: FileType) -> &'static str {
    "this"
}

/// What keeps a walk from going on at a path.
fn trouble(path: &Path, error: &io::Error) -> String {
    match fs::read_link(path) {
        Ok(target) => format!("the link to `{}` cannot be followed: {error}", target.display()),
        Err(_) => unreadable(error),
    }
}

fn unreadable(error: &io::Error) -> String {
    format!("cannot read it: {error}")
}
