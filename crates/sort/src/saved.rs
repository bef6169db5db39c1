//! A table in a file of somebody else's: written whole, and asked where it lies.
//!
//! ```text
//! pages: u64, little endian
//! for each page: the key of its first entry; then for each: where it ends, from the first page on, u64
//! checksum of all this
//! pages, each with its checksum
//! ```

use std::fs::File;
use std::io::Write;
use std::path::Path;

use xxhash_rust::xxh3::xxh3_64;

use crate::error::SortError;
use crate::shape::Shape;
use crate::table::{CHECKSUM_BYTES, Store, Table, checksum, read_exact_at};

const NUMBER_BYTES: usize = 8;

impl Table {
    /// Writes the table, so that it can be opened where it then lies.
    ///
    /// # Errors
    ///
    /// When it cannot be read, or `out` cannot be written.
    pub fn save(&self, out: &mut dyn Write) -> Result<(), SortError> {
        let mut head = (self.n_pages() as u64).to_le_bytes().to_vec();
        head.extend_from_slice(&self.first_keys);
        let mut end = 0;
        for page in 0..self.n_pages() {
            end += (self.page_bytes(page) + CHECKSUM_BYTES) as u64;
            head.extend_from_slice(&end.to_le_bytes());
        }
        out.write_all(&head)?;
        out.write_all(&xxh3_64(&head).to_le_bytes())?;
        let mut cursor = self.cursor();
        for page in 0..self.n_pages() {
            let bytes = cursor.read(page)?;
            out.write_all(bytes)?;
            out.write_all(&checksum(bytes, page))?;
        }
        Ok(())
    }

    /// Opens a table that begins at `at` in a file, and moves `at` behind it. What is held is what tells pages apart.
    ///
    /// # Errors
    ///
    /// When the file cannot be read, or what it holds there is no table of this shape.
    pub fn open(path: &Path, at: &mut u64, shape: Shape) -> Result<Self, SortError> {
        Self::open_at(path, at, shape).map_err(|error| error.unreadable(path))
    }

    fn open_at(path: &Path, at: &mut u64, shape: Shape) -> Result<Self, SortError> {
        let file = File::open(path)?;
        let left = file.metadata()?.len().saturating_sub(*at);
        let mut head = vec![0; NUMBER_BYTES];
        read_exact_at(&file, &mut head, *at)?;
        let n_pages = number(&head, 0);
        let n_bytes = n_pages.checked_mul((shape.key + NUMBER_BYTES) as u64).filter(|bytes| *bytes < left);
        let n_bytes = n_bytes.ok_or_else(|| SortError::damaged("it ends before its table does"))? as usize;
        head.resize(NUMBER_BYTES + n_bytes + CHECKSUM_BYTES, 0);
        read_exact_at(&file, &mut head, *at)?;
        let pages_at = *at + head.len() as u64;
        let (head, claimed) = head.split_at(NUMBER_BYTES + n_bytes);
        if claimed != xxh3_64(head).to_le_bytes() {
            return Err(SortError::damaged("the index of its table was damaged: make it again"));
        }
        let (first_keys, ends) = head[NUMBER_BYTES..].split_at(n_pages as usize * shape.key);
        let mut offsets = vec![pages_at];
        offsets.extend((0..n_pages as usize).map(|page| pages_at + number(ends, page * NUMBER_BYTES)));
        *at = offsets.last().copied().unwrap_or(pages_at);
        if *at - pages_at > left || offsets.windows(2).any(|page| page[1] < page[0] + CHECKSUM_BYTES as u64) {
            return Err(SortError::damaged("its pages end behind its end: make it again"));
        }
        let store = Store::OnDisk { file, path: path.to_owned() };
        Ok(Self { shape, store, first_keys: first_keys.to_vec(), offsets })
    }
}

fn number(bytes: &[u8], at: usize) -> u64 {
    let number = bytes.get(at..).and_then(|rest| rest.first_chunk());
    number.map_or(0, |number| u64::from_le_bytes(*number))
}
