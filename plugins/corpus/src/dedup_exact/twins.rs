//! Who is a duplicate of whom: from the place of a dropped document to the id of the kept one.

use std::cmp::Ordering;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::PathBuf;

use tamis_plugin::Failure;

use super::Sighting;
use crate::spill::{Entry, Runs, Scratch, take, unwritable};

/// Bytes of an entry on the disk: 16 of the position, 8 of the offset.
const ENTRY_BYTES: usize = 24;

/// Entries of a page; the first position of every page is held in memory.
const PAGE: usize = 170;

/// Bytes that an entry takes in memory.
const RESIDENT_BYTES: usize = size_of::<Twin>();

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
        RESIDENT_BYTES
    }

    fn encode(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.position.to_le_bytes());
        out.extend_from_slice(&self.offset.to_le_bytes());
    }

    fn decode(input: &mut &[u8]) -> Option<Self> {
        let position = u128::from_le_bytes(take(input)?);
        Some(Self { position, offset: u64::from_le_bytes(take(input)?) })
    }
}

/// The duplicates of a corpus, sorted by position.
#[derive(Debug)]
pub(super) struct Twins {
    positions: Positions,
    ids: Bytes,
}

#[derive(Debug)]
enum Positions {
    Resident(Vec<Twin>),
    OnDisk { file: Bytes, first_of_page: Vec<u128>, n_entries: u64 },
}

impl Twins {
    /// Finds the duplicates among what was seen.
    ///
    /// # Errors
    ///
    /// When what was seen, or the table, cannot be read or written.
    pub(super) fn among(seen: &Runs<Sighting>) -> Result<Self, Failure> {
        let scratch = seen.scratch();
        let found = Runs::<Twin>::new("twins");
        if let Some(scratch) = scratch {
            found.place(scratch.clone());
        }
        let mut collector = Collector {
            found: &found,
            most: (found.local_bytes() / RESIDENT_BYTES).max(1),
            batch: Vec::new(),
            ids: Growing::new(scratch, "ids.table"),
            first: None,
        };
        seen.drain(|sighting| collector.see(sighting))?;
        found.add(std::mem::take(&mut collector.batch));
        let ids = collector.ids.finish()?;
        Ok(Self { positions: Positions::sorted(&found)?, ids })
    }

    /// The id of the kept twin of the document at `position`, if that is a duplicate.
    ///
    /// # Errors
    ///
    /// When the table cannot be read.
    pub(super) fn of(&self, position: u128) -> Result<Option<String>, Failure> {
        let Some(offset) = self.positions.offset(position)? else { return Ok(None) };
        let mut length = [0; 4];
        self.ids.read(offset, &mut length)?;
        let mut id = vec![0; u32::from_le_bytes(length) as usize];
        self.ids.read(offset + 4, &mut id)?;
        Ok(Some(String::from_utf8_lossy(&id).into_owned()))
    }
}

/// Takes what was seen, sorted by key and position, and finds the entries behind the first of each key.
struct Collector<'a> {
    found: &'a Runs<Twin>,
    /// Entries of a batch.
    most: usize,
    batch: Vec<Twin>,
    ids: Growing,
    /// The first sighting of the key, and the offset of its id once that is written.
    first: Option<(Sighting, Option<u64>)>,
}

impl Collector<'_> {
    fn see(&mut self, sighting: Sighting) -> Result<(), Failure> {
        let Some((first, offset)) = self.first.as_mut().filter(|(first, _)| first.key == sighting.key) else {
            self.first = Some((sighting, None));
            return Ok(());
        };
        let offset = match offset {
            Some(offset) => *offset,
            None => *offset.insert(self.ids.append_id(&first.id)?),
        };
        self.batch.push(Twin { position: sighting.position, offset });
        if self.batch.len() >= self.most {
            self.found.add(std::mem::take(&mut self.batch));
        }
        Ok(())
    }
}

impl Positions {
    fn sorted(found: &Runs<Twin>) -> Result<Self, Failure> {
        let most = found.scratch().map_or(usize::MAX, |scratch| scratch.table_bytes() / RESIDENT_BYTES);
        let mut resident = Vec::new();
        let mut on_disk: Option<(Growing, Vec<u128>, u64)> = None;
        found.drain(|twin| {
            if on_disk.is_none() {
                resident.push(twin);
                if resident.len() <= most {
                    return Ok(());
                }
                on_disk = Some((Growing::on_disk(found.scratch(), "positions.table")?, Vec::new(), 0));
            }
            let Some((file, first_of_page, n_entries)) = &mut on_disk else { return Ok(()) };
            // All that was held, when the table has just grown too large; this one alone ever after.
            let held = if resident.is_empty() { vec![twin] } else { std::mem::take(&mut resident) };
            let mut bytes = Vec::with_capacity(held.len() * ENTRY_BYTES);
            for twin in held {
                if n_entries.is_multiple_of(PAGE as u64) {
                    first_of_page.push(twin.position);
                }
                twin.encode(&mut bytes);
                *n_entries += 1;
            }
            file.append(&bytes).map(drop)
        })?;
        Ok(match on_disk {
            None => Self::Resident(resident),
            Some((file, first_of_page, n_entries)) => {
                Self::OnDisk { file: file.finish()?, first_of_page, n_entries }
            }
        })
    }

    fn offset(&self, position: u128) -> Result<Option<u64>, Failure> {
        match self {
            Self::Resident(twins) => {
                let at = twins.binary_search_by(|twin| twin.position.cmp(&position));
                Ok(at.ok().and_then(|index| twins.get(index)).map(|twin| twin.offset))
            }
            Self::OnDisk { file, first_of_page, n_entries } => {
                let Some(page) = first_of_page.partition_point(|first| *first <= position).checked_sub(1)
                else {
                    return Ok(None);
                };
                let before = (page * PAGE) as u64;
                let n_here = n_entries.saturating_sub(before).min(PAGE as u64) as usize;
                let mut buffer = [0; PAGE * ENTRY_BYTES];
                let bytes = buffer.get_mut(..n_here * ENTRY_BYTES).unwrap_or_default();
                file.read(before * ENTRY_BYTES as u64, bytes)?;
                let mut twins =
                    bytes.chunks_exact(ENTRY_BYTES).filter_map(|mut bytes| Twin::decode(&mut bytes));
                Ok(twins.find(|twin| twin.position == position).map(|twin| twin.offset))
            }
        }
    }
}

/// Bytes that are complete: in memory or in a file.
#[derive(Debug)]
enum Bytes {
    Resident(Vec<u8>),
    OnDisk { file: File, path: PathBuf },
}

impl Bytes {
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
        let mut bytes = Vec::with_capacity(4 + id.len());
        crate::spill::encode_str(id, &mut bytes);
        self.append(&bytes)
    }

    /// Appends bytes; returns where they begin.
    fn append(&mut self, more: &[u8]) -> Result<u64, Failure> {
        if let Self::Resident { bytes, scratch: Some(scratch), name } = self
            && bytes.len() + more.len() > scratch.table_bytes()
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

#[cfg(unix)]
fn read_exact_at(file: &File, buffer: &mut [u8], offset: u64) -> std::io::Result<()> {
    std::os::unix::fs::FileExt::read_exact_at(file, buffer, offset)
}

#[cfg(windows)]
fn read_exact_at(file: &File, mut buffer: &mut [u8], mut offset: u64) -> std::io::Result<()> {
    while !buffer.is_empty() {
        let n_read = std::os::windows::fs::FileExt::seek_read(file, buffer, offset)?;
        if n_read == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
        buffer = buffer.get_mut(n_read..).unwrap_or_default();
        offset += n_read as u64;
    }
    Ok(())
}
