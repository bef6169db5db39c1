//! Who is a duplicate of whom: from the place of a dropped document to the id of the kept one.

use std::cmp::Ordering;
use std::fmt;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::PathBuf;

use tamis_plugin::Failure;
use xxhash_rust::xxh3::xxh3_64_with_seed;

use super::Sighting;
use crate::spill::{Batch, Entry, Fixed, Lookup, LookupWriter, Runs, Scratch, read_exact_at, unwritable};

/// The place of a duplicate in the corpus, and where the id of its twin is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Twin {
    position: u128,
    offset: u64,
}

impl Entry for Twin {
    fn order(&self, other: &Self) -> Ordering {
        self.position.cmp(&other.position)
    }

    fn combine(&mut self, other: &Self) {
        self.offset = self.offset.min(other.offset);
    }

    fn size(&self) -> usize {
        size_of::<Self>()
    }

    fn encode(&self, out: &mut Vec<u8>) {
        (self.position, self.offset).encode(out);
    }

    fn decode(input: &mut &[u8]) -> Option<Self> {
        let (position, offset) = Fixed::decode(input)?;
        Some(Self { position, offset })
    }
}

/// The duplicates of a corpus.
#[derive(Debug)]
pub(super) struct Twins {
    /// For the position of each duplicate, where the id of its twin is written.
    offsets: Lookup<u128, u64>,
    ids: Bytes,
}

impl Twins {
    /// Finds the duplicates among what was seen.
    ///
    /// # Errors
    ///
    /// When what was seen, or the table, cannot be read or written.
    pub(super) fn among(seen: &Runs<Sighting>) -> Result<Self, Failure> {
        let scratch = seen.scratch();
        let mut collector = Collector {
            found: Batch::new("twins", scratch),
            ids: Growing::new(scratch, "ids.table"),
            first: None,
        };
        seen.drain(|sighting| collector.see(sighting))?;
        let Collector { mut found, ids, .. } = collector;
        let most = scratch.map_or(usize::MAX, |scratch| scratch.table_bytes() / 2);
        let mut offsets = LookupWriter::new("positions.table", scratch, most);
        for twin in found.sorted()? {
            let Twin { position, offset } = twin?;
            offsets.push(position, offset)?;
        }
        Ok(Self { offsets: offsets.finish()?, ids: ids.finish()? })
    }

    /// The id of the kept twin of the document at `position`, if that is a duplicate.
    ///
    /// # Errors
    ///
    /// When the table cannot be read, or its bytes were damaged.
    pub(super) fn of(&self, position: u128) -> Result<Option<String>, Failure> {
        self.offsets.get(position)?.map(|offset| self.ids.id(offset)).transpose()
    }
}

/// Takes what was seen, sorted by key and position, and finds the entries behind the first of each key.
struct Collector {
    found: Batch<Twin>,
    ids: Growing,
    /// The first sighting of the key, and the offset of its id once that is written.
    first: Option<(Sighting, Option<u64>)>,
}

impl Collector {
    fn see(&mut self, sighting: Sighting) -> Result<(), Failure> {
        let Some((first, offset)) = self.first.as_mut().filter(|(first, _)| first.key == sighting.key) else {
            self.first = Some((sighting, None));
            return Ok(());
        };
        let offset = match offset {
            Some(offset) => *offset,
            None => *offset.insert(self.ids.append_id(&first.id)?),
        };
        self.found.push(Twin { position: sighting.position, offset });
        Ok(())
    }
}

/// Bytes that are complete: in memory or in a file.
#[derive(Debug)]
enum Bytes {
    Resident(Vec<u8>),
    OnDisk { file: File, path: PathBuf },
}

impl Bytes {
    /// The id that was written at an offset.
    fn id(&self, offset: u64) -> Result<String, Failure> {
        let mut head = [0; HEAD_BYTES];
        self.read(offset, &mut head)?;
        let mut head = head.as_slice();
        let (n_bytes, checksum) = <(u32, u64)>::decode(&mut head).unwrap_or_default();
        // The length is checked before so much is read.
        let mut id = if n_bytes <= MOST_ID_BYTES { vec![0; n_bytes as usize] } else { Vec::new() };
        self.read(offset + HEAD_BYTES as u64, &mut id)?;
        if n_bytes > MOST_ID_BYTES || checksum_of(&id, offset) != checksum {
            return Err(Failure::new(format!("the id at byte {offset} of {self} was damaged: run again")));
        }
        Ok(String::from_utf8_lossy(&id).into_owned())
    }

    fn read(&self, offset: u64, buffer: &mut [u8]) -> Result<(), Failure> {
        match self {
            Self::Resident(bytes) => {
                let start = usize::try_from(offset).unwrap_or(usize::MAX);
                let found = bytes.get(start..).and_then(|rest| rest.get(..buffer.len()));
                buffer.copy_from_slice(found.ok_or_else(|| Failure::new("the table of ids is cut off"))?);
                Ok(())
            }
            Self::OnDisk { file, path } => read_exact_at(file, buffer, offset).map_err(|error| {
                Failure::new(format!("the work file `{}` cannot be read: {error}", path.display()))
            }),
        }
    }
}

impl fmt::Display for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Resident(_) => f.write_str("the table of ids"),
            Self::OnDisk { path, .. } => write!(f, "the work file `{}`", path.display()),
        }
    }
}

/// Bytes before an id: its length, and a checksum of it and of its place.
const HEAD_BYTES: usize = <(u32, u64)>::BYTES;

/// An id is shorter, or its length was damaged.
const MOST_ID_BYTES: u32 = 1 << 28;

fn checksum_of(id: &[u8], offset: u64) -> u64 {
    xxh3_64_with_seed(id, offset)
}

/// Bytes that grow: in memory until there are too many.
enum Growing {
    Resident { bytes: Vec<u8>, scratch: Option<Scratch>, name: &'static str },
    OnDisk { out: BufWriter<File>, path: PathBuf, n_bytes: u64 },
}

impl Growing {
    fn new(scratch: Option<&Scratch>, name: &'static str) -> Self {
        Self::Resident { bytes: Vec::new(), scratch: scratch.cloned(), name }
    }

    fn on_disk(scratch: Option<&Scratch>, name: &'static str) -> Result<Self, Failure> {
        let Some(scratch) = scratch else { return Ok(Self::new(None, name)) };
        let path = scratch.path(name);
        let file = File::options().read(true).write(true).create(true).truncate(true).open(&path);
        let file = file.map_err(|error| unwritable(&path, &error))?;
        Ok(Self::OnDisk { out: BufWriter::new(file), path, n_bytes: 0 })
    }

    fn append_id(&mut self, id: &str) -> Result<u64, Failure> {
        let offset = match self {
            Self::Resident { bytes, .. } => bytes.len() as u64,
            Self::OnDisk { n_bytes, .. } => *n_bytes,
        };
        let length = u32::try_from(id.len()).ok().filter(|length| *length <= MOST_ID_BYTES);
        let length = length.ok_or_else(|| Failure::new("an id is longer than 256 MiB"))?;
        let mut bytes = Vec::with_capacity(HEAD_BYTES + id.len());
        (length, checksum_of(id.as_bytes(), offset)).encode(&mut bytes);
        bytes.extend_from_slice(id.as_bytes());
        self.append(&bytes)
    }

    /// Appends bytes; returns where they begin.
    fn append(&mut self, more: &[u8]) -> Result<u64, Failure> {
        if let Self::Resident { bytes, scratch: Some(scratch), name } = self
            && bytes.len() + more.len() > scratch.table_bytes() / 2
        {
            let mut grown = Self::on_disk(Some(scratch), name)?;
            grown.append(bytes)?;
            *self = grown;
        }
        match self {
            Self::Resident { bytes, .. } => {
                bytes.extend_from_slice(more);
                Ok((bytes.len() - more.len()) as u64)
            }
            Self::OnDisk { out, path, n_bytes } => {
                out.write_all(more).map_err(|error| unwritable(path, &error))?;
                *n_bytes += more.len() as u64;
                Ok(*n_bytes - more.len() as u64)
            }
        }
    }

    fn finish(self) -> Result<Bytes, Failure> {
        match self {
            Self::Resident { bytes, .. } => Ok(Bytes::Resident(bytes)),
            Self::OnDisk { out, path, .. } => {
                let file = out.into_inner().map_err(|error| unwritable(&path, error.error()))?;
                Ok(Bytes::OnDisk { file, path })
            }
        }
    }
}
