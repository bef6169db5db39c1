//! Object stores and the web.
//!
//! Connections, credentials and the threads that requests run on are those of `tamis-store`.

mod fetch;
mod hub;
mod list;

use std::collections::BTreeMap;
use std::future::Future;
use std::io::{self, Read};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};

use futures_util::{StreamExt, stream};
use object_store::http::HttpBuilder;
use object_store::list::PaginatedListStore;
use object_store::path::Path as Key;
use object_store::{ClientOptions, ObjectMeta, ObjectStore, ObjectStoreExt};
use tokio::sync::Semaphore;
use tokio::task::AbortHandle;

use tamis_address::Address;
use tamis_store::connect::{bucket, choose_cryptography, retry, runtime, wait};

use crate::{RandomAccess, RequestBytes};
use hub::Hub;
pub use hub::set_hub;
pub(crate) use list::{list, one};

/// How many requests run at once.
const IN_FLIGHT: usize = 4;

/// How many parts wait to be read, at most.
const WAITING: u64 = 2;

/// An object, and how to get at it.
#[derive(Clone)]
struct Object {
    store: Arc<dyn ObjectStore>,
    /// The same store, where it lists keys page by page and goes on behind any of them.
    pages: Option<Arc<dyn PaginatedListStore>>,
    key: Key,
    /// Messages show it without its secrets.
    url: Address,
    part: u64,
}

/// A store, for all objects of a bucket.
#[derive(Clone)]
struct Store {
    objects: Arc<dyn ObjectStore>,
    pages: Option<Arc<dyn PaginatedListStore>>,
}

/// Opens an object as a stream, of which one request asks for `part` bytes; and how many bytes it has, if that is known.
pub(crate) fn read(
    url: &Address,
    version: &str,
    part: RequestBytes,
) -> io::Result<(Box<dyn Read + Send>, Option<u64>)> {
    Object::at(url, part)?.read(version)
}

/// Opens an object for reading anywhere in it.
pub(crate) fn random_access(url: &Address, version: &str) -> io::Result<Arc<dyn RandomAccess>> {
    // What is asked for is as much as whoever reads has memory for.
    Object::at(url, RequestBytes::default())?.random_access(version)
}

impl Object {
    fn at(url: &Address, part: RequestBytes) -> io::Result<Self> {
        let (Store { objects, pages }, key) = store(url).map_err(|error| fetch::explain(url, error))?;
        Ok(Self { store: objects, pages, key, url: url.clone(), part: part.0 })
    }

    fn read(self, version: &str) -> io::Result<(Box<dyn Read + Send>, Option<u64>)> {
        let meta = match self.head(version) {
            // Some servers of the web only know `GET`.
            Err(error) if self.url.is_web() && error.kind() == io::ErrorKind::Other => None,
            meta => Some(meta?),
        };
        let size = meta.as_ref().map(|meta| meta.size);
        if size == Some(0) {
            return Ok((Box::new(io::empty()), size));
        }
        let parts = match meta {
            Some(meta) if !self.is_of_servers() || self.knows_ranges(&meta)? => self.parts(meta),
            _ => self.whole(),
        }?;
        Ok((Box::new(parts), size))
    }

    /// Whether it comes from a server of the web, which may know ranges or not: also that of the hub of Hugging Face.
    fn is_of_servers(&self) -> bool {
        self.url.is_web() || self.url.is_of_hub()
    }

    /// What the store says of it, which must be what it said when it was listed.
    fn head(&self, version: &str) -> io::Result<ObjectMeta> {
        let object = self.clone();
        let head = async move { object.store.head(&object.key).await };
        let meta = wait(head)?.map_err(|error| fetch::explain(&self.url, error))?;
        if version.is_empty() || meta.e_tag.as_deref().is_none_or(|tag| tag == version) {
            Ok(meta)
        } else {
            Err(fetch::has_changed(&self.url))
        }
    }

    /// Whether a server sends pieces of a file.
    fn knows_ranges(&self, meta: &ObjectMeta) -> io::Result<bool> {
        match wait(fetch::range(self.clone(), 0..1, meta.e_tag.clone()))? {
            Err(error) if error.kind() == io::ErrorKind::Unsupported => Ok(false),
            result => result.map(|_| true),
        }
    }

    /// Reads it part by part, some at once.
    fn parts(self, meta: ObjectMeta) -> io::Result<Parts> {
        let step = usize::try_from(self.part).unwrap_or(usize::MAX);
        Parts::spawn(self.part, move |sender, room| async move {
            let fetches = stream::iter((0..meta.size).step_by(step)).map(|start| {
                let range = start..meta.size.min(start.saturating_add(self.part));
                fetch::range(self.clone(), range, meta.e_tag.clone())
            });
            let mut fetches = std::pin::pin!(fetches.buffered(IN_FLIGHT));
            while let Some(part) = fetches.next().await {
                if !room.hand_over(part, &sender).await {
                    return;
                }
            }
        })
    }

    /// Reads it in one go: if the connection is cut, that was that.
    fn whole(self) -> io::Result<Parts> {
        // Pieces as they come: some KiB each, or hundreds.
        Parts::spawn(self.part, move |sender, room| async move {
            let mut pieces = match self.store.get(&self.key).await {
                Ok(found) => found.into_stream(),
                Err(error) => {
                    let _ = sender.send(Err(fetch::explain(&self.url, error)));
                    return;
                }
            };
            let mut at = 0;
            while let Some(piece) = pieces.next().await {
                let piece = piece.map(|bytes| bytes.to_vec()).map_err(|_| fetch::is_cut(&self.url, at));
                at += piece.as_ref().map_or(0, |bytes| bytes.len() as u64);
                if !room.hand_over(piece, &sender).await {
                    return;
                }
            }
        })
    }

    fn random_access(self, version: &str) -> io::Result<Arc<dyn RandomAccess>> {
        let meta = self.head(version)?;
        Ok(Arc::new(Anywhere { object: self, size: meta.size, tag: meta.e_tag }))
    }
}

/// The store of an address, and the key there.
fn store(address: &Address) -> object_store::Result<(Store, Key)> {
    let url = address.secret();
    let (scheme, rest) = url.split_once("://").unwrap_or_default();
    if address.is_web() {
        choose_cryptography();
        let options = ClientOptions::new().with_allow_http(scheme == "http");
        let builder = HttpBuilder::new().with_url(url).with_client_options(options);
        // The whole address is the base: so it is asked for as it is written, `?` and all.
        let objects = Arc::new(builder.with_retry(retry()).build()?);
        return Ok((Store { objects, pages: None }, Key::default()));
    }
    if address.is_of_hub() {
        let (base, key) = hub::parts(url);
        return Ok((hub(base)?, Key::parse(key)?));
    }
    let (name, key) = rest.split_once('/').unwrap_or((rest, ""));
    let key = Key::parse(key)?;
    let bucket = bucket(url.get(..scheme.len() + 3 + name.len()).unwrap_or(url))?;
    Ok((Store { objects: bucket.objects, pages: bucket.pages }, key))
}

/// A data set of the hub, asked once a process at which commit it is.
fn hub(base: &str) -> object_store::Result<Store> {
    static HUBS: Mutex<BTreeMap<String, Store>> = Mutex::new(BTreeMap::new());
    choose_cryptography();
    let mut hubs = HUBS.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(store) = hubs.get(base) {
        return Ok(store.clone());
    }
    let hub = wait(Hub::open(base.to_owned(), retry()))
        .map_err(|error| object_store::Error::Generic { store: "Hugging Face", source: error.into() })??;
    let store = Store { objects: Arc::new(hub), pages: None };
    hubs.insert(base.to_owned(), store.clone());
    Ok(store)
}

type Part = io::Result<Vec<u8>>;

/// What requests bring, in order.
struct Parts {
    receiver: Receiver<Part>,
    room: Room,
    task: AbortHandle,
    part: Vec<u8>,
    /// How much of the part was read.
    at: usize,
    /// What went wrong, told again and again.
    failed: Option<(io::ErrorKind, String)>,
}

impl Parts {
    fn spawn<F: Future<Output = ()> + Send + 'static>(
        part: u64,
        task: impl FnOnce(Sender<Part>, Room) -> F,
    ) -> io::Result<Self> {
        // The channel never blocks a request; the room bounds what is in it.
        let (sender, receiver) = channel();
        let room = Room::new(WAITING * part);
        let task = runtime()?.spawn(task(sender, room.clone())).abort_handle();
        Ok(Self { receiver, room, task, part: Vec::new(), at: 0, failed: None })
    }
}

/// How much may wait to be read: a permit for each KiB, since parts may be of any size.
#[derive(Clone)]
struct Room {
    permits: Arc<Semaphore>,
    /// How many permits there are in all: a part that is larger takes all of them.
    all: u32,
}

impl Room {
    fn new(bytes: u64) -> Self {
        let all = u32::try_from(bytes >> 10).unwrap_or(u32::MAX).clamp(1, 1 << 28);
        Self { permits: Arc::new(Semaphore::new(all as usize)), all }
    }

    fn weight(&self, part: &Part) -> u32 {
        let bytes = part.as_ref().map_or(0, Vec::len);
        u32::try_from(bytes.div_ceil(1 << 10)).unwrap_or(u32::MAX).clamp(1, self.all)
    }

    /// Waits for room and sends a part; whether more are wanted.
    async fn hand_over(&self, part: Part, sender: &Sender<Part>) -> bool {
        let has_failed = part.is_err();
        let Ok(permit) = self.permits.acquire_many(self.weight(&part)).await else { return false };
        permit.forget();
        sender.send(part).is_ok() && !has_failed
    }

    fn give_back(&self, part: &Part) {
        self.permits.add_permits(self.weight(part) as usize);
    }
}

impl Read for Parts {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if let Some((kind, message)) = &self.failed {
            return Err(io::Error::new(*kind, message.clone()));
        }
        while self.at == self.part.len() {
            let Ok(part) = self.receiver.recv() else { return Ok(0) };
            self.room.give_back(&part);
            self.part = part.inspect_err(|error| self.failed = Some((error.kind(), error.to_string())))?;
            self.at = 0;
        }
        let n = self.part.get(self.at..).unwrap_or_default().read(buffer)?;
        self.at += n;
        Ok(n)
    }
}

impl Drop for Parts {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// An object that is read anywhere.
struct Anywhere {
    object: Object,
    size: u64,
    tag: Option<String>,
}

impl RandomAccess for Anywhere {
    fn size(&self) -> u64 {
        self.size
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<()> {
        let end = offset.checked_add(buffer.len() as u64).filter(|end| *end <= self.size);
        let end = end.ok_or(io::ErrorKind::UnexpectedEof)?;
        let mut at = offset;
        for piece in buffer.chunks_mut(usize::try_from(self.object.part).unwrap_or(usize::MAX)) {
            let range = at..end.min(at + piece.len() as u64);
            let bytes = wait(fetch::range(self.object.clone(), range, self.tag.clone()))??;
            piece.copy_from_slice(&bytes);
            at += piece.len() as u64;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
