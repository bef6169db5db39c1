//! The objects below an address, one by one: what the store says of them, and writing one in one request.

use std::io::{self, ErrorKind};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use object_store::path::Path as Key;
use object_store::{
    Attribute, Attributes, Error, GetOptions, GetResult, ObjectStore, PutMode, PutOptions, PutPayload,
    UpdateVersion,
};
use tamis_address::{Address, Parts};

use crate::connect::{Bucket, bucket, innermost, wait};
use crate::{Condition, Head, Marks, PASSING, Placed, Sending, Version};

/// Metadata of an object: Azure takes no hyphen in such a name, and some proxies no underscore.
const RUN: &str = "tamisrun";
const BLAKE3: &str = "tamisblake3";

/// How often a request is repeated whose connection broke: the library does not repeat those with a condition, since it
/// cannot know whether it was its own first attempt that makes the second one fail.
pub(crate) const ATTEMPTS: u32 = 6;
/// How long is waited before the first repetition; twice as long before each further one.
pub(crate) const PAUSE: Duration = Duration::from_millis(100);

/// The objects whose keys begin with that of an address.
pub(crate) struct Objects {
    pub(crate) bucket: Bucket,
    pub(crate) prefix: Key,
    pub(crate) url: Address,
}

impl std::fmt::Debug for Objects {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_tuple("Objects").field(&self.url).finish()
    }
}

impl Objects {
    pub(crate) fn open(url: &Address) -> io::Result<Self> {
        let refused = |message: String| io::Error::new(ErrorKind::InvalidInput, message);
        let written = url.secret();
        let parts = Parts::of(written).ok_or_else(|| refused(format!("`{url}` is no address")))?;
        let base = written.get(..parts.scheme.len() + 3 + parts.host.len()).unwrap_or(written);
        let bucket = bucket(base).map_err(|error| explain(url, &error))?;
        let prefix = Key::parse(parts.path.trim_matches('/'))
            .map_err(|error| refused(format!("`{url}` cannot be written to: {error}")))?;
        Ok(Self::over(bucket, prefix, url.clone()))
    }

    pub(crate) fn over(bucket: Bucket, prefix: Key, url: Address) -> Self {
        Self { bucket, prefix, url }
    }

    /// The key of a name, whose parts may hold any letters.
    pub(crate) fn key(&self, name: &str) -> Key {
        name.split('/').fold(self.prefix.clone(), Key::join)
    }

    pub(crate) fn shown(&self, name: &str) -> Address {
        Address::new(format!("{}/{name}", self.url.secret().trim_end_matches('/')))
    }

    pub(crate) fn store(&self) -> Arc<dyn ObjectStore> {
        Arc::clone(&self.bucket.objects)
    }

    pub(crate) fn head(&self, name: &str) -> io::Result<Option<Head>> {
        let found = wait(asked(self.store(), self.key(name)))?;
        found.map_err(|error| explain(&self.shown(name), &error))
    }

    /// Writes an object in one request, again if the connection breaks; what arrived without our hearing of it is known
    /// by its marks.
    pub(crate) fn place(
        &self,
        name: &str,
        content: &Bytes,
        marks: &Marks,
        condition: &Condition,
    ) -> io::Result<Placed> {
        let mut attempt = 0;
        loop {
            let options =
                PutOptions { mode: mode(condition), attributes: attributes(marks), ..PutOptions::default() };
            let (store, key, payload) =
                (self.store(), self.key(name), PutPayload::from_bytes(content.clone()));
            let put = wait(async move { store.put_opts(&key, payload, options).await })?;
            let error = match put {
                Ok(put) => return Ok(Placed::Done(Version { tag: put.e_tag, number: put.version })),
                Err(error) => error,
            };
            attempt += 1;
            let is_refused = matches!(
                error,
                Error::AlreadyExists { .. } | Error::Precondition { .. } | Error::NotModified { .. }
            );
            match self.head(name) {
                Ok(Some(head)) if head.marks == *marks => return Ok(Placed::Done(head.version)),
                Ok(head) if is_refused => return Ok(Placed::Refused(head)),
                Err(error) if is_refused => return Err(error),
                _ if attempt == ATTEMPTS || is_lasting(&error) => {
                    return Err(explain(&self.shown(name), &error));
                }
                _ => std::thread::sleep(PAUSE * (1 << attempt)),
            }
        }
    }

    /// On what condition an object may be written where `head` is.
    pub(crate) fn condition_beside(
        &self,
        name: &str,
        head: Option<&Head>,
        sending: &dyn Sending,
    ) -> io::Result<Condition> {
        match head {
            None => Ok(Condition::New),
            Some(head) if sending.may_replace(&head.marks.run) => {
                Ok(Condition::Replaces(head.version.clone()))
            }
            Some(_) => {
                let message = format!(
                    "`{}` is there already, and not of this run: move it away, or write to another place with `-o`",
                    self.shown(name)
                );
                Err(io::Error::new(ErrorKind::AlreadyExists, message))
            }
        }
    }
}

/// What a store says of an object.
pub(crate) async fn asked(store: Arc<dyn ObjectStore>, key: Key) -> object_store::Result<Option<Head>> {
    match store.get_opts(&key, GetOptions { head: true, ..GetOptions::default() }).await {
        Ok(found) => Ok(Some(head_of(&found))),
        Err(Error::NotFound { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}

pub(crate) fn head_of(found: &GetResult) -> Head {
    let mark = |name: &'static str| {
        let value = found.attributes.get(&Attribute::Metadata(name.into()));
        value.map(|value| value.to_string()).unwrap_or_default()
    };
    Head {
        bytes: found.meta.size,
        version: Version { tag: found.meta.e_tag.clone(), number: found.meta.version.clone() },
        marks: Marks { run: mark(RUN), blake3: mark(BLAKE3) },
    }
}

pub(crate) fn attributes(marks: &Marks) -> Attributes {
    let mut attributes = Attributes::new();
    for (name, value) in [(RUN, &marks.run), (BLAKE3, &marks.blake3)] {
        attributes.insert(Attribute::Metadata(name.into()), value.clone().into());
    }
    attributes
}

fn mode(condition: &Condition) -> PutMode {
    match condition {
        Condition::New => PutMode::Create,
        Condition::Replaces(Version { tag, number }) => {
            PutMode::Update(UpdateVersion { e_tag: tag.clone(), version: number.clone() })
        }
        Condition::Any => PutMode::Overwrite,
    }
}

/// Whether an error stays, however often one asks.
pub(crate) fn is_lasting(error: &Error) -> bool {
    !matches!(error, Error::Generic { .. } | Error::JoinError { .. })
}

/// What an error of a store that is written to means.
pub(crate) fn explain(url: &Address, error: &Error) -> io::Error {
    let (kind, why) = match error {
        Error::NotFound { .. } => {
            (ErrorKind::NotFound, "the store does not have it, or there is no such bucket".to_owned())
        }
        Error::PermissionDenied { .. } | Error::Unauthenticated { .. } => (
            ErrorKind::PermissionDenied,
            "these credentials do not allow it: check the environment variables of the store".to_owned(),
        ),
        Error::NotImplemented { .. } | Error::NotSupported { .. } => {
            (ErrorKind::Unsupported, format!("the server cannot do that: {}", url.hide(&innermost(error))))
        }
        error if !is_lasting(error) => (PASSING, url.hide(&innermost(error))),
        error => (ErrorKind::Other, url.hide(&innermost(error))),
    };
    io::Error::new(kind, format!("`{url}` cannot be written to: {why}"))
}
