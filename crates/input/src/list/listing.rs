//! A list of files that takes little room, whatever their number.

use std::collections::BTreeMap;
#[cfg(feature = "remote")]
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tamis_address::Address;

use crate::{InputFile, Location, names};

/// The files that were listed, in order.
///
/// A file takes some forty bytes beside its own name: folders are kept once, and an [`InputFile`] is put together
/// when it is asked for.
#[derive(Debug, Default)]
pub struct Listing {
    /// What folders hang on.
    roots: Vec<Root>,
    folders: Vec<Folder>,
    /// Names of folders.
    folder_names: String,
    entries: Vec<Entry>,
    /// Names and versions of files, one behind the other.
    names: String,
    /// Files that do not fit the form of an entry, by their index: with a trouble, or a name that is not UTF-8.
    apart: BTreeMap<usize, InputFile>,
}

/// The folder that others lie in, as far as names are concerned.
#[derive(Debug)]
struct Root {
    place: Base,
    /// What its files are called by, without `/` at the end; empty if they have their own names.
    name: Box<str>,
}

/// Where a root is.
#[derive(Debug)]
enum Base {
    Path(PathBuf),
    /// With `/` at its end.
    #[cfg_attr(not(feature = "remote"), expect(dead_code, reason = "there are no stores then"))]
    Url(Address),
}

/// A folder, as a part of another.
#[derive(Debug)]
struct Folder {
    within: Within,
    /// Where its name ends among all; it begins where that of the one before ends.
    end: u64,
}

/// What a file or folder lies in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Within {
    Root(u32),
    Folder(u32),
}

#[derive(Debug)]
struct Entry {
    size: u64,
    /// Nanoseconds since 1970.
    modified: u64,
    /// Where its version ends among all names; its name begins where the version of the one before ends.
    end: u64,
    within: Within,
    /// How long the version is, in bytes.
    version: u16,
    is_local: bool,
    is_apart: bool,
}

/// What an entry holds of a file.
pub(crate) struct Packed<'a> {
    pub(crate) within: Within,
    pub(crate) name: &'a str,
    pub(crate) version: &'a str,
    pub(crate) size: u64,
    pub(crate) modified: u64,
}

impl Listing {
    /// The number of files.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The file at an index; `None` beyond the last.
    pub fn get(&self, index: usize) -> Option<InputFile> {
        let entry = self.entries.get(index)?;
        if entry.is_apart {
            return self.apart.get(&index).cloned();
        }
        let begin = index.checked_sub(1).and_then(|before| self.entries.get(before)).map_or(0, |it| it.end);
        let text = between(&self.names, begin, entry.end);
        let (name, version) = text.split_at_checked(text.len() - usize::from(entry.version))?;
        let (root, mut parts) = self.parts(entry.within)?;
        parts.push(name);
        let (location, name) = match &root.place {
            Base::Path(path) => {
                let mut path = path.clone();
                path.extend(&parts);
                let relative = parts.iter().map(|part| names::escaped(part.as_ref())).collect::<Vec<_>>();
                (Location::Path(path), names::beside_stdin(joined(&root.name, &relative.join("/"))))
            }
            Base::Url(base) => {
                let key = parts.join("/");
                let address = Address::new(format!("{}{key}", base.secret()));
                (Location::Url(address), joined(&root.name, &names::escape(key.as_bytes())))
            }
        };
        Some(InputFile {
            location,
            name: Arc::from(name),
            size: entry.size,
            modified: u128::from(entry.modified),
            version: version.to_owned(),
            trouble: None,
        })
    }

    /// The files in order, each put together when it is asked for.
    pub fn iter(&self) -> impl Iterator<Item = InputFile> + '_ {
        (0..self.len()).filter_map(|index| self.get(index))
    }

    /// The size of a file in bytes, as [`InputFile::size`]; 0 beyond the last.
    pub fn size(&self, index: usize) -> u64 {
        self.entries.get(index).map_or(0, |entry| entry.size)
    }

    /// Whether a file is one of this machine.
    pub fn is_local(&self, index: usize) -> bool {
        self.entries.get(index).is_some_and(|entry| entry.is_local)
    }

    /// Whether it is known already that a file cannot be read.
    pub fn has_trouble(&self, index: usize) -> bool {
        self.apart.get(&index).is_some_and(|file| file.trouble.is_some())
    }

    /// Adds a file that stands for itself.
    pub fn push(&mut self, file: InputFile) {
        self.entries.push(Entry {
            size: file.size,
            modified: 0,
            end: self.names.len() as u64,
            within: Within::Root(0),
            version: 0,
            is_local: file.location.path().is_some(),
            is_apart: true,
        });
        self.apart.insert(self.entries.len() - 1, file);
    }

    /// Adds a file of a folder; false when it does not fit.
    pub(crate) fn pack(&mut self, file: &Packed<'_>) -> bool {
        let root = match file.within {
            Within::Root(root) => Some(root),
            Within::Folder(_) => self.root_of(file.within),
        };
        let base = root.and_then(|root| self.roots.get(root as usize)).map(|root| &root.place);
        let (Some(base), Ok(version)) = (base, u16::try_from(file.version.len())) else { return false };
        let is_local = matches!(base, Base::Path(_));
        self.names.push_str(file.name);
        self.names.push_str(file.version);
        self.entries.push(Entry {
            size: file.size,
            modified: file.modified,
            end: self.names.len() as u64,
            within: file.within,
            version,
            is_local,
            is_apart: false,
        });
        true
    }

    /// Adds a folder of this machine that others are to hang on, whose files are called by `name`.
    pub(crate) fn root(&mut self, path: &Path, name: &str) -> Within {
        self.add_root(Base::Path(path.to_owned()), name)
    }

    /// Adds what the addresses of many objects begin with.
    #[cfg(feature = "remote")]
    pub(crate) fn remote_root(&mut self, base: &str, name: &str) -> Within {
        self.add_root(Base::Url(Address::new(base)), name)
    }

    fn add_root(&mut self, place: Base, name: &str) -> Within {
        self.roots.push(Root { place, name: name.into() });
        Within::Root(u32::try_from(self.roots.len() - 1).unwrap_or(u32::MAX))
    }

    /// Adds a folder of another; `None` when there are more than can be told apart.
    pub(crate) fn folder(&mut self, within: Within, name: &str) -> Option<Within> {
        let number = u32::try_from(self.folders.len()).ok()?;
        self.folder_names.push_str(name);
        self.folders.push(Folder { within, end: self.folder_names.len() as u64 });
        Some(Within::Folder(number))
    }

    /// How much memory the list takes, without what stands apart.
    #[cfg(test)]
    pub(crate) fn bytes(&self) -> usize {
        self.folders.capacity() * size_of::<Folder>()
            + self.folder_names.capacity()
            + self.entries.capacity() * size_of::<Entry>()
            + self.names.capacity()
    }

    /// Gives back the room that was kept for more.
    pub(crate) fn shrink(&mut self) {
        self.folders.shrink_to_fit();
        self.folder_names.shrink_to_fit();
        self.entries.shrink_to_fit();
        self.names.shrink_to_fit();
    }

    fn root_of(&self, mut within: Within) -> Option<u32> {
        loop {
            match within {
                Within::Root(root) => return Some(root),
                Within::Folder(folder) => within = self.folders.get(folder as usize)?.within,
            }
        }
    }

    /// The names of the folders between a root and what lies in `within`.
    fn parts(&self, mut within: Within) -> Option<(&Root, Vec<&str>)> {
        let mut parts = Vec::new();
        loop {
            match within {
                Within::Root(root) => {
                    parts.reverse();
                    return Some((self.roots.get(root as usize)?, parts));
                }
                Within::Folder(number) => {
                    let folder = self.folders.get(number as usize)?;
                    let before = number.checked_sub(1).and_then(|before| self.folders.get(before as usize));
                    parts.push(between(&self.folder_names, before.map_or(0, |it| it.end), folder.end));
                    within = folder.within;
                }
            }
        }
    }
}

fn between(text: &str, begin: u64, end: u64) -> &str {
    let range = usize::try_from(begin).unwrap_or(usize::MAX)..usize::try_from(end).unwrap_or(usize::MAX);
    text.get(range).unwrap_or_default()
}

fn joined(root: &str, rest: &str) -> String {
    if root.is_empty() { rest.to_owned() } else { format!("{root}/{rest}") }
}

/// The folders of objects, which come as whole keys.
#[cfg(feature = "remote")]
#[derive(Debug, Default)]
pub(crate) struct Folders(HashMap<(Within, Box<str>), Within>);

#[cfg(feature = "remote")]
impl Folders {
    /// What the object at a key lies in, and its own name.
    pub(crate) fn of<'k>(
        &mut self,
        root: Within,
        key: &'k str,
        listing: &mut Listing,
    ) -> Option<(Within, &'k str)> {
        let mut within = root;
        let mut rest = key;
        while let Some((part, more)) = rest.split_once('/') {
            let place = (within, part.into());
            within = if let Some(known) = self.0.get(&place) {
                *known
            } else {
                let new = listing.folder(within, part)?;
                self.0.insert(place, new);
                new
            };
            rest = more;
        }
        Some((within, rest))
    }
}
