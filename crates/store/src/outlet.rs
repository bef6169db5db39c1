//! An outlet over the stores that `object_store` knows.

use std::fs::File;
use std::io::{self, Write};
use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::{StreamExt, TryStreamExt, stream};
use object_store::path::Path as Key;
use object_store::{Error, GetOptions, ObjectStore};

use crate::connect::wait;
use crate::objects::{ATTEMPTS, Objects, PAUSE, asked, explain, head_of, is_lasting};
use crate::{Condition, Head, Marks, Outlet, Placed, Sending, multipart};

/// How many requests are under way at once that only ask.
const ASKING: usize = 16;

impl Outlet for Objects {
    fn address(&self, name: &str) -> String {
        if name.is_empty() { self.url.to_string() } else { self.shown(name).to_string() }
    }

    fn read(&self, name: &str) -> io::Result<Option<(Vec<u8>, Head)>> {
        let (store, key) = (self.store(), self.key(name));
        let read = async move {
            let found = match store.get_opts(&key, GetOptions::default()).await {
                Err(Error::NotFound { .. }) => return Ok(None),
                found => found?,
            };
            let head = head_of(&found);
            Ok(Some((found.bytes().await?.to_vec(), head)))
        };
        wait(read)?.map_err(|error| explain(&self.shown(name), &error))
    }

    fn fetch(&self, name: &str, file: &Path) -> io::Result<bool> {
        let mut attempt = 0;
        loop {
            let (store, key, out) = (self.store(), self.key(name), File::create(file)?);
            let error = match wait(fetched(store, key, out))?? {
                Ok(()) => return Ok(true),
                Err(Error::NotFound { .. }) => return Ok(false),
                Err(error) => error,
            };
            attempt += 1;
            if attempt == ATTEMPTS || is_lasting(&error) {
                return Err(explain(&self.shown(name), &error));
            }
            std::thread::sleep(PAUSE * (1 << attempt));
        }
    }

    fn heads(&self, names: &[String]) -> io::Result<Vec<Option<Head>>> {
        let requests: Vec<_> = names.iter().map(|name| asked(self.store(), self.key(name))).collect();
        let all = async move { stream::iter(requests).buffered(ASKING).try_collect::<Vec<_>>().await };
        wait(all)?.map_err(|error| explain(&self.url, &error))
    }

    fn names(&self) -> io::Result<Vec<String>> {
        let (store, prefix) = (self.store(), self.prefix.clone());
        let list = async move {
            let all = store.list(Some(&prefix)).map_ok(|object| {
                let below = object.location.prefix_match(&prefix)?;
                Some(below.map(|part| part.as_ref().to_owned()).collect::<Vec<_>>().join("/"))
            });
            all.try_collect::<Vec<_>>().await
        };
        let listed = wait(list)?.map_err(|error| explain(&self.url, &error))?;
        let mut names: Vec<String> = listed.into_iter().flatten().filter(|name| !name.is_empty()).collect();
        names.sort_unstable();
        Ok(names)
    }

    fn put(&self, name: &str, content: Vec<u8>, marks: &Marks, condition: &Condition) -> io::Result<Placed> {
        self.place(name, &content.into(), marks, condition)
    }

    fn put_file(&self, name: &str, file: &Path, marks: &Marks, sending: &dyn Sending) -> io::Result<()> {
        if file.metadata()?.len() > multipart::MIN_BYTES {
            return multipart::send(self, name, file, marks, sending);
        }
        let content = Bytes::from(std::fs::read(file)?);
        let mut condition = Condition::New;
        for _ in 0..ATTEMPTS {
            match self.place(name, &content, marks, &condition)? {
                Placed::Done(_) => return Ok(()),
                Placed::Refused(head) => condition = self.condition_beside(name, head.as_ref(), sending)?,
            }
        }
        Err(io::Error::other(format!(
            "`{}` changes again and again: who else writes there?",
            self.shown(name)
        )))
    }

    fn abort(&self, name: &str, upload: &str) -> io::Result<()> {
        multipart::abort(self, name, upload)
    }

    fn remove(&self, names: &[String]) -> io::Result<()> {
        let (store, keys) = (self.store(), names.iter().map(|name| Ok(self.key(name))).collect::<Vec<_>>());
        let all = async move {
            let mut gone = store.delete_stream(stream::iter(keys).boxed());
            while let Some(gone) = gone.next().await {
                match gone {
                    Ok(_) | Err(Error::NotFound { .. }) => {}
                    Err(error) => return Err(error),
                }
            }
            Ok(())
        };
        wait(all)?.map_err(|error| explain(&self.url, &error))
    }
}

/// Writes an object into a file; the outer error is that of the file.
async fn fetched(
    store: Arc<dyn ObjectStore>,
    key: Key,
    mut out: File,
) -> io::Result<object_store::Result<()>> {
    let mut pieces = match store.get_opts(&key, GetOptions::default()).await {
        Ok(found) => found.into_stream(),
        Err(error) => return Ok(Err(error)),
    };
    while let Some(piece) = pieces.next().await {
        match piece {
            Ok(piece) => out.write_all(&piece)?,
            Err(error) => return Ok(Err(error)),
        }
    }
    out.sync_all()?;
    Ok(Ok(()))
}
