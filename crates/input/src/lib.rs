//! Finds and opens inputs: files, archives, compressed streams, standard input, object stores.
//!
//! A [`Pattern`] is what a user named, a [`Listing`] finds and keeps its files, [`open()`] opens one of them: a stream of
//! bytes, decompressed as often as it is compressed, or the members of an archive. [`random_access`] is for
//! formats that are read from their end.
//!
//! What a file is, is told from its first bytes and not from its name, because scraped names lie.
//! Lengths that a file claims are never trusted: no more is allocated for them than the bytes that are there can
//! become, everything is a stream, and whoever reads bounds what it holds. A file that breaks off gives what came before and then an error.
//!
//! The crate knows nothing of plans, records or formats of documents: that is for `tamis-runner` and the readers.

mod ahead;
mod archive;
mod count;
mod decode;
mod error;
mod file;
mod helpers;
mod list;
mod names;
mod open;
mod pattern;
mod peel;
mod plainly;
mod random;
mod read_ahead;
#[cfg(feature = "remote")]
mod remote;

pub use archive::{Kind, Member, Members};
pub use decode::broken_at;
pub use error::InputError;
pub use file::{InputFile, Location};
pub use helpers::Helpers;
pub use list::{Candidate, ListOptions, Listing};
pub use names::plain_name;
pub use open::{Content, Input, OpenOptions, RequestBytes, open};
pub use pattern::Pattern;
pub use random::{RandomAccess, random_access};
pub use read_ahead::ReadAhead;
#[cfg(feature = "remote")]
pub use remote::set_hub;
