//! Object stores: connections for code that is not asynchronous, and writing to them.
//!
//! [`open`] gives the [`Outlet`] of an address: all objects whose keys begin with it. What is written there is whole or
//! not there, as stores have it; what this adds is that nobody writes over what another has written ([`Condition`]), that
//! objects say which run has made them ([`Marks`]), and that a connection which breaks costs a repetition.
//!
//! [`connect`] is what lies below, also for whoever reads (`tamis-input`): one connection for each bucket, and threads of
//! their own for requests.

#[cfg(feature = "remote")]
pub mod connect;
#[cfg(feature = "remote")]
mod multipart;
#[cfg(feature = "remote")]
mod objects;
#[cfg(feature = "remote")]
mod outlet;
#[cfg(all(test, feature = "remote"))]
mod tests;

use std::fmt;
use std::io;
use std::path::Path;
use std::sync::Arc;

use tamis_address::Address;

/// The kind of an error that may be gone another time.
const PASSING: io::ErrorKind = io::ErrorKind::NotConnected;

/// Whether an error of an [`Outlet`] may be gone another time: the store did not answer, or not with sense, however often
/// it was asked right away.
pub fn is_passing(error: &io::Error) -> bool {
    error.kind() == PASSING
}

/// What an object says of itself, in its metadata.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Marks {
    /// The run that has made it.
    pub run: String,
    /// BLAKE3 of its content, in hexadecimal.
    pub blake3: String,
}

/// Which of the objects that had a key one after the other.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Version {
    /// Its entity tag.
    pub tag: Option<String>,
    /// What some stores count instead.
    pub number: Option<String>,
}

/// What a store says of an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    /// Its size in bytes.
    pub bytes: u64,
    /// Which one it is.
    pub version: Version,
    /// What it says of itself; empty if it is not ours.
    pub marks: Marks,
}

/// When an object is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Condition {
    /// If there is none of its name.
    New,
    /// If the one of its name is still this.
    Replaces(Version),
    /// In any case.
    Any,
}

/// What came of writing an object on a [`Condition`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Placed {
    /// It is there.
    Done(Version),
    /// The condition does not hold: this is there, or nothing.
    Refused(Option<Head>),
}

/// Who waits for a large file to be sent.
pub trait Sending: Sync {
    /// Whether it is to be given up.
    fn is_stopped(&self) -> bool;

    /// Whether an object of this run may be replaced: what one has left that is no longer there.
    fn may_replace(&self, run: &str) -> bool;

    /// Asked when all pieces are there, before anybody sees them as one object.
    ///
    /// # Errors
    ///
    /// When that must not be any more.
    fn check(&self) -> io::Result<()>;

    /// The store has begun an upload in pieces. Whoever notes that can [abort](Outlet::abort) it when the process has
    /// been killed: the store keeps the pieces, and bills them, until somebody does.
    ///
    /// # Errors
    ///
    /// When it cannot be noted; then nothing is sent.
    fn begun(&self, name: &str, upload: &str) -> io::Result<()>;

    /// It is whole or was aborted.
    fn ended(&self, name: &str);
}

/// A place in an object store that is written to: the objects whose keys begin with that of its address.
///
/// Names are relative to it, with `/`. Requests that fail are repeated for a while; an error is what is left then, with
/// the address and what to do.
pub trait Outlet: fmt::Debug + Send + Sync {
    /// The address of an object, fit to be shown.
    fn address(&self, name: &str) -> String;

    /// An object, and what the store says of it; `None` if there is none.
    ///
    /// # Errors
    ///
    /// When the store does not say.
    fn read(&self, name: &str) -> io::Result<Option<(Vec<u8>, Head)>>;

    /// Writes an object into a file, piece by piece; whether there is one.
    ///
    /// # Errors
    ///
    /// When the store does not send it, or the file cannot be written.
    fn fetch(&self, name: &str, file: &Path) -> io::Result<bool>;

    /// What the store says of objects, many asked for at once; `None` for those that are not there.
    ///
    /// # Errors
    ///
    /// When the store does not say.
    fn heads(&self, names: &[String]) -> io::Result<Vec<Option<Head>>>;

    /// The names of all objects here, sorted.
    ///
    /// # Errors
    ///
    /// When the store does not say.
    fn names(&self) -> io::Result<Vec<String>>;

    /// Writes an object.
    ///
    /// # Errors
    ///
    /// When it cannot be written for another reason than the condition.
    fn put(&self, name: &str, content: Vec<u8>, marks: &Marks, condition: &Condition) -> io::Result<Placed>;

    /// Writes an object from a file, in pieces if it is large. What runs have written there that [`Sending`] names it
    /// replaces; what somebody else has written stays.
    ///
    /// # Errors
    ///
    /// When it cannot be written; of the kind `AlreadyExists` where there is one of somebody else, of the kind
    /// `Interrupted` where it was stopped. Pieces that were sent are taken away.
    fn put_file(&self, name: &str, file: &Path, marks: &Marks, sending: &dyn Sending) -> io::Result<()>;

    /// Takes away the pieces of an upload that a process has begun and not ended; none is no error.
    ///
    /// # Errors
    ///
    /// When they cannot be taken away.
    fn abort(&self, name: &str, upload: &str) -> io::Result<()>;

    /// Takes objects away; one that is not there is no error.
    ///
    /// # Errors
    ///
    /// When one stays.
    fn remove(&self, names: &[String]) -> io::Result<()>;
}

/// The objects whose keys begin with that of an address.
///
/// # Errors
///
/// When nobody can write there, or this program was built without object stores. Nothing is asked of the store.
#[cfg(feature = "remote")]
pub fn open(address: &Address) -> io::Result<Arc<dyn Outlet>> {
    Ok(Arc::new(objects::Objects::open(address)?))
}

/// The same in a program that was built without them.
///
/// # Errors
///
/// Always.
#[cfg(not(feature = "remote"))]
pub fn open(address: &Address) -> io::Result<Arc<dyn Outlet>> {
    let message = format!(
        "`{address}` cannot be written: this program was built without object stores, `cargo build --release` builds all of tamis"
    );
    Err(io::Error::new(io::ErrorKind::Unsupported, message))
}
