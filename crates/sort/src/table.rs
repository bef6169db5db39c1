//! Entries in order that are asked for by the front of their bytes.
//!
//! A table is cut into pages of some kilobytes, on the disk with a checksum each. What the index in memory holds
//! is the first key of a page and where the page begins: one part in two hundred of the table.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::PathBuf;

use xxhash_rust::xxh3::xxh3_64_with_seed;

use crate::error::SortError;
use crate::place::Place;
use crate::shape::Shape;

/// About as much as a disk reads at once.
const PAGE_BYTES: usize = 4096;
pub(crate) const CHECKSUM_BYTES: usize = 8;

/// A table in the order of its entries.
#[derive(Debug)]
pub struct Table {
    pub(crate) shape: Shape,
    pub(crate) store: Store,
    /// The key of the first entry of every page, one behind the other.
    pub(crate) first_keys: Vec<u8>,
    /// Where pages begin, and where the last one ends.
    pub(crate) offsets: Vec<u64>,
}

#[derive(Debug)]
pub(crate) enum Store {
    Resident(Vec<u8>),
    OnDisk { file: File, path: PathBuf },
}

impl Table {
    /// For questions that come in the order of keys, so that a page is read once.
    pub fn cursor(&self) -> Cursor<'_> {
        Cursor { table: self, page: None, bytes: Vec::new() }
    }

    pub(crate) fn n_pages(&self) -> usize {
        self.offsets.len().saturating_sub(1)
    }

    /// Bytes of the entries of a page.
    pub(crate) fn page_bytes(&self, page: usize) -> usize {
        let stored = (self.offsets[page + 1] - self.offsets[page]) as usize;
        match self.store {
            Store::Resident(_) => stored,
            Store::OnDisk { .. } => stored - CHECKSUM_BYTES,
        }
    }

    fn first_key(&self, page: usize) -> &[u8] {
        self.first_keys.get(page * self.shape.key..(page + 1) * self.shape.key).unwrap_or_default()
    }

    /// The first page that may hold an entry that begins with `front`: the last that begins before it.
    fn page_of(&self, front: &[u8]) -> usize {
        let (mut low, mut high) = (0, self.n_pages());
        while low < high {
            let middle = usize::midpoint(low, high);
            if self.first_key(middle) < front { low = middle + 1 } else { high = middle }
        }
        low.saturating_sub(1)
    }
}

/// A table that is being asked.
#[derive(Debug)]
pub struct Cursor<'t> {
    table: &'t Table,
    /// Which page `bytes` are of.
    page: Option<usize>,
    bytes: Vec<u8>,
}

impl Cursor<'_> {
    /// Hands on the entries that begin with `front`, in order, as long as `each` wants more. `front` is at most as
    /// long as a key.
    ///
    /// # Errors
    ///
    /// When the table cannot be read, or its bytes were damaged.
    pub fn each(&mut self, front: &[u8], mut each: impl FnMut(&[u8]) -> bool) -> Result<(), SortError> {
        let table = self.table;
        for page in table.page_of(front)..table.n_pages() {
            let bytes = self.read(page)?;
            let mut at = table.shape.width.map_or(0, |width| before(bytes, width, front));
            while let Some((start, end)) = table.shape.entry(bytes, at).filter(|_| at < bytes.len()) {
                at = end;
                let entry = bytes.get(start..end).unwrap_or_default();
                match entry.get(..front.len()).unwrap_or(entry).cmp(front) {
                    std::cmp::Ordering::Less => {}
                    std::cmp::Ordering::Equal if each(entry) => {}
                    _ => return Ok(()),
                }
            }
        }
        Ok(())
    }

    /// The first entry that begins with `front`.
    ///
    /// # Errors
    ///
    /// When the table cannot be read, or its bytes were damaged.
    pub fn first(&mut self, front: &[u8]) -> Result<Option<Vec<u8>>, SortError> {
        let mut found = None;
        self.each(front, |entry| {
            found = Some(entry.to_vec());
            false
        })?;
        Ok(found)
    }

    /// The entries of a page.
    pub(crate) fn read(&mut self, page: usize) -> Result<&[u8], SortError> {
        let (start, end) = (self.table.offsets[page], self.table.offsets[page + 1]);
        let (file, path) = match &self.table.store {
            Store::Resident(bytes) => return Ok(bytes.get(start as usize..end as usize).unwrap_or_default()),
            Store::OnDisk { file, path } => (file, path),
        };
        let n_bytes = self.table.page_bytes(page);
        if self.page != Some(page) {
            self.page = None;
            self.bytes.resize(n_bytes + CHECKSUM_BYTES, 0);
            let read = read_exact_at(file, &mut self.bytes, start);
            read.map_err(|error| SortError::from(error).unreadable(path))?;
            let (entries, claimed) = self.bytes.split_at(n_bytes);
            if claimed != checksum(entries, page) {
                let (path, page) = (path.display(), page + 1);
                return Err(SortError::damaged(format!(
                    "page {page} of the work file `{path}` was damaged: run again"
                )));
            }
            self.page = Some(page);
        }
        Ok(self.bytes.get(..n_bytes).unwrap_or_default())
    }
}

/// The checksum of the entries of a page.
pub(crate) fn checksum(entries: &[u8], page: usize) -> [u8; CHECKSUM_BYTES] {
    xxh3_64_with_seed(entries, page as u64).to_le_bytes()
}

/// Where the first entry begins that is not before `front`, of entries that all have so many bytes.
fn before(bytes: &[u8], width: usize, front: &[u8]) -> usize {
    let is_before = |at: usize| {
        let entry = bytes.get(at * width..).and_then(|rest| rest.get(..front.len()));
        entry.is_some_and(|entry| entry < front)
    };
    let (mut low, mut high) = (0, bytes.len() / width.max(1));
    while low < high {
        let middle = usize::midpoint(low, high);
        if is_before(middle) { low = middle + 1 } else { high = middle }
    }
    low * width
}

/// Writes a table.
#[derive(Debug)]
pub struct TableWriter {
    shape: Shape,
    name: String,
    place: Option<Place>,
    page: Vec<u8>,
    resident: Vec<u8>,
    file: Option<(BufWriter<File>, PathBuf)>,
    first_keys: Vec<u8>,
    offsets: Vec<u64>,
}

impl TableWriter {
    /// A table that is in memory as long as its share of that lasts, and on the disk beyond where there is a place.
    pub fn new(name: impl Into<String>, shape: Shape, place: Option<&Place>) -> Self {
        Self {
            shape,
            name: name.into(),
            place: place.cloned(),
            page: Vec::with_capacity(PAGE_BYTES),
            resident: Vec::new(),
            file: None,
            first_keys: Vec::new(),
            offsets: vec![0],
        }
    }

    /// Adds an entry, which is not before the last one.
    ///
    /// # Errors
    ///
    /// When the table cannot be written.
    pub fn push(&mut self, entry: &[u8]) -> Result<(), SortError> {
        if self.page.is_empty() {
            self.first_keys.extend_from_slice(self.shape.key(entry));
        }
        self.shape.append(entry, &mut self.page);
        if self.page.len() + self.shape.width.unwrap_or(0) > PAGE_BYTES { self.end_page() } else { Ok(()) }
    }

    /// The table.
    ///
    /// # Errors
    ///
    /// When it cannot be written.
    pub fn finish(mut self) -> Result<Table, SortError> {
        self.end_page()?;
        let store = match self.file {
            None => Store::Resident(self.resident),
            Some((out, path)) => {
                let file = out.into_inner().map_err(std::io::IntoInnerError::into_error);
                Store::OnDisk { file: file.map_err(SortError::unwritable(&path))?, path }
            }
        };
        Ok(Table { shape: self.shape, store, first_keys: self.first_keys, offsets: self.offsets })
    }

    fn end_page(&mut self) -> Result<(), SortError> {
        if self.page.is_empty() {
            return Ok(());
        }
        let page = std::mem::take(&mut self.page);
        if self.file.is_none() {
            self.resident.extend_from_slice(&page);
            self.offsets.push(self.resident.len() as u64);
            self.spread()?;
        } else {
            self.write_page(&page)?;
        }
        self.page = page;
        self.page.clear();
        Ok(())
    }

    /// Moves the pages to the disk, when there are more than may be held.
    fn spread(&mut self) -> Result<(), SortError> {
        let Some(place) = self.place.as_ref().filter(|place| self.resident.len() > place.table_bytes())
        else {
            return Ok(());
        };
        let path = place.folder().join(format!("{}.table", self.name));
        let file = File::options().read(true).write(true).create(true).truncate(true).open(&path);
        let file = file.map_err(SortError::unwritable(&path))?;
        self.file = Some((BufWriter::new(file), path));
        let (resident, offsets) =
            (std::mem::take(&mut self.resident), std::mem::replace(&mut self.offsets, vec![0]));
        for page in offsets.windows(2) {
            if let [start, end] = page {
                self.write_page(resident.get(*start as usize..*end as usize).unwrap_or_default())?;
            }
        }
        Ok(())
    }

    fn write_page(&mut self, page: &[u8]) -> Result<(), SortError> {
        let Some((out, path)) = &mut self.file else { return Ok(()) };
        let start = self.offsets.last().copied().unwrap_or(0);
        let sum = checksum(page, self.offsets.len() - 1);
        let written = out.write_all(page).and_then(|()| out.write_all(&sum));
        written.map_err(SortError::unwritable(path))?;
        self.offsets.push(start + (page.len() + CHECKSUM_BYTES) as u64);
        Ok(())
    }
}

#[cfg(unix)]
pub(crate) fn read_exact_at(file: &File, buffer: &mut [u8], offset: u64) -> std::io::Result<()> {
    std::os::unix::fs::FileExt::read_exact_at(file, buffer, offset)
}

#[cfg(windows)]
pub(crate) fn read_exact_at(file: &File, mut buffer: &mut [u8], mut offset: u64) -> std::io::Result<()> {
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
