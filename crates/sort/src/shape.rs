//! What entries look like, and what becomes of several with one key.

use std::fmt;
use std::sync::Arc;

/// What the entries of a sorter look like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shape {
    /// How many bytes at the front are the key. All entries are at least as long.
    pub key: usize,
    /// How many bytes an entry has; `None` where that differs from entry to entry.
    pub width: Option<usize>,
}

impl Shape {
    /// Entries that all have `width` bytes, the first `key` of which are their key.
    pub fn fixed(key: usize, width: usize) -> Self {
        Self { key, width: Some(width) }
    }

    /// Entries of any length, the first `key` bytes of which are their key.
    pub fn varied(key: usize) -> Self {
        Self { key, width: None }
    }

    /// Whether an entry may be one of these.
    pub(crate) fn takes(self, entry: &[u8]) -> bool {
        entry.len() >= self.key && self.width.is_none_or(|width| width == entry.len())
    }

    /// Appends an entry, with its length before it where lengths differ.
    pub(crate) fn append(self, entry: &[u8], out: &mut Vec<u8>) {
        if self.width.is_none() {
            out.extend_from_slice(&(entry.len() as u32).to_le_bytes());
        }
        out.extend_from_slice(entry);
    }

    /// Where the entry that is stored at `at` begins and ends; `None` when the bytes end before it does.
    pub(crate) fn entry(self, bytes: &[u8], at: usize) -> Option<(usize, usize)> {
        let (start, length) = match self.width {
            Some(width) => (at, width),
            None => (at + 4, u32::from_le_bytes(*bytes.get(at..)?.first_chunk()?) as usize),
        };
        let end = start.checked_add(length)?;
        (length >= self.key && end <= bytes.len()).then_some((start, end))
    }

    /// The key of an entry.
    pub(crate) fn key(self, entry: &[u8]) -> &[u8] {
        entry.get(..self.key).unwrap_or(entry)
    }
}

/// Takes an entry with the same key into the first one, in place.
pub type Fold = dyn Fn(&mut [u8], &[u8]) + Send + Sync;

/// What becomes of entries with one key.
#[derive(Clone)]
pub enum Combine {
    /// All are kept, also those that are the same.
    All,
    /// Those that are the same in every byte become one.
    Unique,
    /// All become one, by a function for which neither order nor grouping matters. It leaves the key alone.
    Fold(Arc<Fold>),
}

impl Combine {
    /// Takes `next` into `entry` if they are to be one; tells whether they are.
    pub(crate) fn take(&self, shape: Shape, entry: &mut [u8], next: &[u8]) -> bool {
        match self {
            Self::All => false,
            Self::Unique => entry == next,
            Self::Fold(fold) => {
                let is_same = shape.key(entry) == shape.key(next);
                if is_same {
                    fold(entry, next);
                }
                is_same
            }
        }
    }
}

impl fmt::Debug for Combine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::All => "All",
            Self::Unique => "Unique",
            Self::Fold(_) => "Fold",
        })
    }
}

/// The first bytes of an entry as a number, so that most comparisons look at no memory: 16 bytes where there are few
/// numbers, because positions of documents differ in the second eight only.
pub(crate) fn wide_prefix(entry: &[u8]) -> u128 {
    if let Some(head) = entry.first_chunk() {
        return u128::from_be_bytes(*head);
    }
    let mut head = [0; 16];
    head.iter_mut().zip(entry).for_each(|(to, from)| *to = *from);
    u128::from_be_bytes(head)
}

/// The first eight bytes, where there is a number for each entry.
pub(crate) fn prefix(entry: &[u8]) -> u64 {
    match entry.first_chunk() {
        Some(head) => u64::from_be_bytes(*head),
        None => (wide_prefix(entry) >> 64) as u64,
    }
}
