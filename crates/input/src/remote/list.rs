//! What a store holds.

use std::io;
use std::path::Path;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::Duration;

use futures_util::StreamExt;
use object_store::ObjectMeta;

use super::{Object, fetch, runtime};
use crate::pattern::is_web;
use crate::{Candidate, InputError, InputFile, ListOptions, Location, Pattern, names};

/// How often somebody who waits for a listing is asked whether to stop.
const STOP_CHECK: Duration = Duration::from_millis(100);

/// Lists one object, or all whose address begins with `url`.
pub(crate) fn list(
    pattern: &Pattern,
    url: &str,
    root: &str,
    is_prefix: bool,
    options: &ListOptions<'_>,
) -> Result<Vec<InputFile>, InputError> {
    let object = Object::at(url).map_err(|error| unreadable(pattern, &error))?;
    object.list(pattern, root, is_prefix, options)
}

impl Object {
    pub(super) fn list(
        &self,
        pattern: &Pattern,
        root: &str,
        is_prefix: bool,
        options: &ListOptions<'_>,
    ) -> Result<Vec<InputFile>, InputError> {
        if !is_prefix {
            return self.one(root).map(|file| vec![file]).map_err(|error| unreadable(pattern, &error));
        }
        let mut found = self.all(pattern, options)?;
        found.sort_unstable_by(|a, b| a.location.cmp(&b.location));
        let base = self
            .url
            .strip_suffix(self.key.as_ref())
            .or_else(|| self.url.trim_end_matches('/').strip_suffix(self.key.as_ref()));
        let base = base.unwrap_or(&self.url);
        let prefix = self.url.strip_prefix(base).unwrap_or_default();
        let mut files = Vec::new();
        for (index, meta) in found.iter().enumerate() {
            let key = meta.location.as_ref();
            let is_within = |later: &ObjectMeta| {
                later.location.as_ref().strip_prefix(key).is_some_and(|rest| rest.starts_with('/'))
            };
            // An empty object that stands for a folder.
            if meta.size == 0
                && found
                    .iter()
                    .skip(index + 1)
                    .take_while(|it| it.location.as_ref().starts_with(key))
                    .any(is_within)
            {
                continue;
            }
            let url = format!("{base}{key}");
            let Some(relative) = key.strip_prefix(prefix).map(|it| it.trim_start_matches('/')) else {
                continue;
            };
            if pattern.takes(Path::new(relative)) && !is_excluded(&url, relative, options) {
                files.push(file(url, root, meta));
            }
        }
        Ok(files)
    }

    fn one(&self, root: &str) -> io::Result<InputFile> {
        match self.head("") {
            Ok(meta) => Ok(file(self.url.to_string(), root, &meta)),
            // Some servers of the web only know `GET`.
            Err(error) if is_web(&self.url) && error.kind() == io::ErrorKind::Other => {
                let mut found = InputFile::at(Location::Url(self.url.to_string()));
                found.name = name(&self.url, root);
                Ok(found)
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound && !is_web(&self.url) => {
                let message = format!("{error}: end it in `/` to read all objects that begin so");
                Err(io::Error::new(error.kind(), message))
            }
            Err(error) => Err(error),
        }
    }

    /// All objects below the key.
    fn all(&self, pattern: &Pattern, options: &ListOptions<'_>) -> Result<Vec<ObjectMeta>, InputError> {
        let (sender, receiver) = channel();
        let object = self.clone();
        let task = runtime().map_err(|error| unreadable(pattern, &error))?.spawn(async move {
            let prefix = Some(&object.key).filter(|key| !key.as_ref().is_empty());
            let mut objects = object.store.list(prefix);
            while let Some(found) = objects.next().await {
                if sender.send(found).is_err() {
                    return;
                }
            }
        });
        let mut all = Vec::new();
        loop {
            match receiver.recv_timeout(STOP_CHECK) {
                Ok(Ok(meta)) => all.push(meta),
                Ok(Err(error)) => return Err(unreadable(pattern, &fetch::explain(&self.url, error))),
                Err(RecvTimeoutError::Disconnected) => return Ok(all),
                Err(RecvTimeoutError::Timeout) => {}
            }
            if (options.is_stopped)() {
                task.abort();
                return Err(InputError::Stopped);
            }
        }
    }
}

/// Whether an object or one of its folders is left out.
fn is_excluded(url: &str, relative: &str, options: &ListOptions<'_>) -> bool {
    let base = url.strip_suffix(relative).unwrap_or(url);
    let folders = relative.match_indices('/').filter_map(|(at, _)| relative.get(..at));
    folders.map(|folder| (folder, true)).chain([(relative, false)]).any(|(part, is_folder)| {
        let path = format!("{base}{part}");
        (options.is_excluded)(Candidate { path: Path::new(&path), relative: Path::new(part), is_folder })
    })
}

fn file(url: String, root: &str, meta: &ObjectMeta) -> InputFile {
    InputFile {
        name: name(&url, root),
        location: Location::Url(url),
        size: meta.size,
        modified: meta
            .last_modified
            .timestamp_nanos_opt()
            .and_then(|it| u128::try_from(it).ok())
            .unwrap_or(0),
        version: meta.e_tag.clone().unwrap_or_default(),
        trouble: None,
    }
}

/// What an object is called: its address from the root, without what is asked of a server.
fn name(url: &str, root: &str) -> std::sync::Arc<str> {
    let relative = url.strip_prefix(root).unwrap_or(url);
    if root.is_empty() { relative.into() } else { names::member_name(relative.as_bytes()) }
}

fn unreadable(pattern: &Pattern, error: &io::Error) -> InputError {
    InputError::Unreadable { written: pattern.written.clone(), reason: error.to_string() }
}
