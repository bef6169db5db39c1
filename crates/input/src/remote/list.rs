//! What a store holds.

use std::io;
use std::path::Path;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::time::Duration;

use futures_util::StreamExt;
use object_store::list::PaginatedListOptions;
use object_store::path::Error as PathError;
use object_store::{Error, ObjectMeta};
use tamis_address::{Address, shown};

use super::{Object, fetch, runtime};
use crate::list::listing::{Folders, Packed};
use crate::list::seen::Seen;
use crate::{Candidate, InputError, InputFile, ListOptions, Listing, Location, Pattern, RequestBytes, names};

/// How often somebody who waits for a listing is asked whether to stop.
const STOP_CHECK: Duration = Duration::from_millis(100);

/// How many keys a store sends in a page if it is not asked for fewer.
const PAGE: usize = 1_000;

/// Adds all objects whose address begins with `address`; their names begin at `root`.
pub(crate) fn list(
    pattern: &Pattern,
    address: &Address,
    root: &str,
    options: &ListOptions<'_>,
    seen: &mut Seen,
    listing: &mut Listing,
) -> Result<(), InputError> {
    let object = Object::at(address, RequestBytes::default()).map_err(|error| unreadable(pattern, &error))?;
    object.list(pattern, root, options, seen, listing)
}

/// One object, named itself; its name begins at `root`.
pub(crate) fn one(pattern: &Pattern, address: &Address, root: &str) -> Result<InputFile, InputError> {
    let object = Object::at(address, RequestBytes::default()).map_err(|error| unreadable(pattern, &error))?;
    object.one(root).map_err(|error| unreadable(pattern, &error))
}

/// What a store says of its objects.
enum Listed {
    Object(ObjectMeta),
    /// An object with a key that cannot be asked for.
    Unspeakable(String),
    /// That there are no more.
    End,
}

/// The objects of a store, held packed until they are sorted.
#[derive(Default)]
struct Found {
    /// Keys and tags, one behind the other.
    text: String,
    objects: Vec<FoundObject>,
}

struct FoundObject {
    begin: u64,
    size: u64,
    modified: u64,
    key: u16,
    tag: u16,
    is_unspeakable: bool,
}

impl Object {
    pub(super) fn list(
        &self,
        pattern: &Pattern,
        root: &str,
        options: &ListOptions<'_>,
        seen: &mut Seen,
        listing: &mut Listing,
    ) -> Result<(), InputError> {
        let mut found = self.all(pattern, options)?;
        found.sort();
        let url = self.url.secret();
        let key = self.key.as_ref();
        let base = url.strip_suffix(key).or_else(|| url.trim_end_matches('/').strip_suffix(key));
        let base = base.unwrap_or(url);
        let prefix = url.strip_prefix(base).unwrap_or_default();
        let shown_base = shown(base);
        // Names begin at the root, or are the whole address.
        let within_root = root.strip_prefix(&*shown_base).unwrap_or_default();
        let name = if root.is_empty() { shown_base.trim_end_matches('/') } else { "" };
        let within = listing.remote_root(&format!("{base}{within_root}"), name);
        let mut folders = Folders::default();
        for index in 0..found.objects.len() {
            let Some((key, tag, object)) = found.get(index) else { break };
            if object.size == 0 && found.is_folder(index) {
                continue;
            }
            let Some(relative) = key.strip_prefix(prefix).map(|it| it.trim_start_matches('/')) else {
                continue;
            };
            let path = format!("{shown_base}{key}");
            if !pattern.takes(Path::new(relative)) || is_excluded(&path, relative, options) {
                continue;
            }
            let address = format!("{base}{key}");
            if !seen.is_new(address.as_bytes()) {
                continue;
            }
            let place = key.strip_prefix(within_root).and_then(|key| folders.of(within, key, listing));
            if !object.is_unspeakable
                && let Some((within, name)) = place
                && listing.pack(&Packed {
                    within,
                    name,
                    version: tag,
                    size: object.size,
                    modified: object.modified,
                })
            {
                continue;
            }
            let name = if root.is_empty() {
                path
            } else {
                names::member_name(key.strip_prefix(within_root).unwrap_or(key).as_bytes()).to_string()
            };
            let trouble = object.is_unspeakable.then(|| {
                "a part of its key is empty, `.` or `..`, or has letters that no key should have, so no request \
                 can name it: copy it to another key"
                    .to_owned()
            });
            listing.push(InputFile {
                location: Location::Url(Address::new(address)),
                name: name.into(),
                size: object.size,
                modified: u128::from(object.modified),
                version: tag.to_owned(),
                trouble,
            });
        }
        Ok(())
    }

    pub(super) fn one(&self, root: &str) -> io::Result<InputFile> {
        let found = |name| InputFile { name, ..InputFile::at(Location::Url(self.url.clone())) };
        match self.head("") {
            Ok(meta) => Ok(InputFile {
                size: meta.size,
                modified: u128::from(modified(&meta)),
                version: meta.e_tag.unwrap_or_default(),
                ..found(name(&self.url, root))
            }),
            // Some servers of the web only know `GET`.
            Err(error) if self.url.is_web() && error.kind() == io::ErrorKind::Other => {
                Ok(found(name(&self.url, root)))
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound && !self.url.is_web() => {
                let message = format!("{error}: end it in `/` to read all objects that begin so");
                Err(io::Error::new(error.kind(), message))
            }
            Err(error) => Err(error),
        }
    }

    /// All objects below the key.
    fn all(&self, pattern: &Pattern, options: &ListOptions<'_>) -> Result<Found, InputError> {
        let (sender, receiver) = channel();
        let object = self.clone();
        let task = runtime().map_err(|error| unreadable(pattern, &error))?.spawn(async move {
            // Nobody listens any more when sending fails.
            if object.send_all(&sender).await.is_some() {
                let _ = sender.send(Ok(Listed::End));
            }
        });
        let mut all = Found::default();
        loop {
            match receiver.recv_timeout(STOP_CHECK) {
                Ok(Ok(Listed::End)) => return Ok(all),
                Ok(Ok(listed)) => all.add(&listed),
                Ok(Err(error)) => return Err(unreadable(pattern, &fetch::explain(&self.url, error))),
                // It has said neither that it is through nor why not.
                Err(RecvTimeoutError::Disconnected) => {
                    return Err(unreadable(pattern, &io::Error::other("the listing broke off")));
                }
                Err(RecvTimeoutError::Timeout) => {}
            }
            if (options.is_stopped)() {
                task.abort();
                return Err(InputError::Stopped);
            }
        }
    }

    /// Sends all objects below the key; `None` when nobody listens any more.
    async fn send_all(&self, sender: &Sender<Result<Listed, Error>>) -> Option<()> {
        let Some(pages) = &self.pages else {
            let prefix = Some(&self.key).filter(|key| !key.as_ref().is_empty());
            let mut objects = self.store.list(prefix);
            while let Some(found) = objects.next().await {
                sender.send(found.map(Listed::Object)).ok()?;
            }
            return Some(());
        };
        let key = self.key.as_ref();
        let prefix = (!key.is_empty()).then(|| format!("{key}/"));
        // One key that cannot be asked for costs its page. It is found by asking for fewer and fewer keys behind the
        // last that is known, until it is alone.
        let mut last: Option<String> = None;
        let (mut token, mut behind, mut most) = (None, None, None);
        loop {
            let asked = PaginatedListOptions {
                offset: behind.clone(),
                max_keys: most,
                page_token: token.take(),
                ..PaginatedListOptions::default()
            };
            match pages.list_paginated(prefix.as_deref(), asked).await {
                Ok(page) => {
                    for object in page.result.objects {
                        let key = object.location.as_ref();
                        if last.as_deref().is_none_or(|last| last < key) {
                            last = Some(key.to_owned());
                        }
                        sender.send(Ok(Listed::Object(object))).ok()?;
                    }
                    if page.page_token.is_none() {
                        return Some(());
                    }
                    token = page.page_token;
                    if let Some(n) = most {
                        most = Some(n * 2).filter(|n| *n < PAGE);
                        (token, behind) = (None, last.clone());
                    }
                }
                Err(error) => {
                    let Some(key) = unspeakable(&error) else { return sender.send(Err(error)).ok() };
                    let is_next = last.as_ref().is_none_or(|last| *last < key);
                    if most == Some(1) && is_next {
                        last = Some(key.clone());
                        sender.send(Ok(Listed::Unspeakable(key))).ok()?;
                        most = Some(2);
                    } else if most == Some(1) {
                        // The store does not go on behind the key that it was told.
                        return sender.send(Err(error)).ok();
                    } else {
                        most = Some(most.map_or(PAGE / 2, |n| n / 2).max(1));
                    }
                    behind.clone_from(&last);
                }
            }
        }
    }
}

/// The key that an error is about, if it is about one.
fn unspeakable(error: &Error) -> Option<String> {
    match error {
        Error::InvalidPath {
            source:
                PathError::EmptySegment { path }
                | PathError::BadSegment { path, .. }
                | PathError::NonUnicode { path, .. },
        } => Some(path.clone()),
        _ => None,
    }
}

impl Found {
    fn add(&mut self, listed: &Listed) {
        let begin = self.text.len() as u64;
        let (key, tag, size, modified, is_unspeakable) = match listed {
            Listed::Object(meta) => (
                meta.location.as_ref(),
                meta.e_tag.as_deref().unwrap_or_default(),
                meta.size,
                modified(meta),
                false,
            ),
            Listed::Unspeakable(key) => (key.as_str(), "", 0, 0, true),
            Listed::End => return,
        };
        self.text.push_str(key);
        self.text.push_str(tag);
        // Stores allow 1024 bytes for a key.
        let short = |text: &str| u16::try_from(text.len()).unwrap_or(u16::MAX);
        self.objects.push(FoundObject {
            begin,
            size,
            modified,
            key: short(key),
            tag: short(tag),
            is_unspeakable,
        });
    }

    fn sort(&mut self) {
        let mut objects = std::mem::take(&mut self.objects);
        objects.sort_unstable_by(|a, b| self.key(a).cmp(self.key(b)));
        self.objects = objects;
    }

    fn key(&self, object: &FoundObject) -> &str {
        let begin = usize::try_from(object.begin).unwrap_or(usize::MAX);
        self.text.get(begin..begin + usize::from(object.key)).unwrap_or_default()
    }

    /// The key and the tag of an object.
    fn get(&self, index: usize) -> Option<(&str, &str, &FoundObject)> {
        let object = self.objects.get(index)?;
        let begin = usize::try_from(object.begin).ok()? + usize::from(object.key);
        let tag = self.text.get(begin..begin + usize::from(object.tag)).unwrap_or_default();
        Some((self.key(object), tag, object))
    }

    /// Whether an object stands for a folder: others have its key and `/` in front of theirs.
    fn is_folder(&self, index: usize) -> bool {
        let Some((key, ..)) = self.get(index) else { return false };
        let later = self.objects.iter().skip(index + 1).map(|object| self.key(object));
        let mut begun = later.map_while(|later| later.strip_prefix(key));
        begun.any(|rest| rest.starts_with('/'))
    }
}

/// Whether an object or one of its folders is left out.
fn is_excluded(url: &str, relative: &str, options: &ListOptions<'_>) -> bool {
    let base = url.strip_suffix(relative).unwrap_or(url);
    let folders = relative.match_indices('/').filter_map(|(at, _)| relative.get(..at));
    folders.filter(|folder| !folder.is_empty()).map(|folder| (folder, true)).chain([(relative, false)]).any(
        |(part, is_folder)| {
            let path = format!("{base}{part}");
            (options.is_excluded)(Candidate { path: Path::new(&path), relative: Path::new(part), is_folder })
        },
    )
}

fn modified(meta: &ObjectMeta) -> u64 {
    meta.last_modified.timestamp_nanos_opt().and_then(|it| u64::try_from(it).ok()).unwrap_or(0)
}

/// What an object that the user named is called: its address from the root, without secrets.
fn name(url: &Address, root: &str) -> std::sync::Arc<str> {
    let url = url.to_string();
    let relative = url.strip_prefix(root).unwrap_or(&url);
    if root.is_empty() { relative.into() } else { names::member_name(relative.as_bytes()) }
}

fn unreadable(pattern: &Pattern, error: &io::Error) -> InputError {
    InputError::Unreadable { written: pattern.written.clone(), reason: error.to_string() }
}
