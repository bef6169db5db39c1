//! Sorted tables that are asked for single keys: in memory as long as they fit, in pages of a file beyond.
//!
//! A page is a number of entries and a checksum of them and the number of the page; only the last has fewer. The
//! first key of each is held in memory, which is one part in a hundred of the table.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::marker::PhantomData;
use std::path::PathBuf;

use tamis_plugin::Failure;
use xxhash_rust::xxh3::xxh3_64_with_seed;

use super::{Scratch, read_exact_at, take, unwritable};

/// About as much as a disk reads at once.
const PAGE_BYTES: usize = 4096;
const CHECKSUM_BYTES: usize = 8;

/// What takes the same number of bytes, whatever its value.
pub(crate) trait Fixed: Copy {
    const BYTES: usize;

    fn encode(self, out: &mut Vec<u8>);

    fn decode(input: &mut &[u8]) -> Option<Self>;
}

macro_rules! fixed_number {
    ($($number:ty),*) => {$(
        impl Fixed for $number {
            const BYTES: usize = size_of::<$number>();

            fn encode(self, out: &mut Vec<u8>) {
                out.extend_from_slice(&self.to_be_bytes());
            }

            fn decode(input: &mut &[u8]) -> Option<Self> {
                take(input).map(<$number>::from_be_bytes)
            }
        }
    )*};
}

fixed_number!(u8, u32, u64, u128);

impl Fixed for () {
    const BYTES: usize = 0;

    fn encode(self, _out: &mut Vec<u8>) {}

    fn decode(_input: &mut &[u8]) -> Option<Self> {
        Some(())
    }
}

impl<A: Fixed, B: Fixed> Fixed for (A, B) {
    const BYTES: usize = A::BYTES + B::BYTES;

    fn encode(self, out: &mut Vec<u8>) {
        self.0.encode(out);
        self.1.encode(out);
    }

    fn decode(input: &mut &[u8]) -> Option<Self> {
        Some((A::decode(input)?, B::decode(input)?))
    }
}

/// A table, in the order of its keys.
#[derive(Debug)]
pub(crate) enum Lookup<K, V> {
    Resident(Vec<(K, V)>),
    OnDisk { file: File, path: PathBuf, first_of_page: Vec<K>, n_entries: u64 },
}

impl<K, V> Default for Lookup<K, V> {
    fn default() -> Self {
        Self::Resident(Vec::new())
    }
}

impl<K: Fixed + Ord, V: Fixed> Lookup<K, V> {
    const ENTRIES_OF_PAGE: usize = (PAGE_BYTES - CHECKSUM_BYTES) / (K::BYTES + V::BYTES);

    /// For questions that come in the order of their keys, so that a page is read once.
    pub(crate) fn cursor(&self) -> Cursor<'_, K, V> {
        Cursor { table: self, page: None, entries: Vec::new() }
    }

    /// The value of a key.
    ///
    /// # Errors
    ///
    /// When the table cannot be read, or its bytes were damaged.
    pub(crate) fn get(&self, key: K) -> Result<Option<V>, Failure> {
        self.cursor().get(key)
    }
}

/// A table that is being asked.
pub(crate) struct Cursor<'t, K, V> {
    table: &'t Lookup<K, V>,
    /// Which page the entries are of.
    page: Option<usize>,
    entries: Vec<(K, V)>,
}

impl<K: Fixed + Ord, V: Fixed> Cursor<'_, K, V> {
    /// The value of a key.
    ///
    /// # Errors
    ///
    /// When the table cannot be read, or its bytes were damaged.
    pub(crate) fn get(&mut self, key: K) -> Result<Option<V>, Failure> {
        let mut found = None;
        self.each_from(key, |at, value| {
            found = (at == key).then_some(value);
            false
        })?;
        Ok(found)
    }

    /// Hands on all entries from a key on, in order, as long as `each` wants more.
    ///
    /// # Errors
    ///
    /// When the table cannot be read, or its bytes were damaged.
    pub(crate) fn each_from(&mut self, key: K, mut each: impl FnMut(K, V) -> bool) -> Result<(), Failure> {
        let (first_of_page, mut page) = match self.table {
            Lookup::Resident(entries) => {
                let at = entries.partition_point(|(at, _)| *at < key);
                let _ = entries.iter().skip(at).all(|(key, value)| each(*key, *value));
                return Ok(());
            }
            Lookup::OnDisk { first_of_page, .. } => {
                (first_of_page, first_of_page.partition_point(|first| *first <= key).saturating_sub(1))
            }
        };
        while page < first_of_page.len() {
            self.read(page)?;
            let at = self.entries.partition_point(|(at, _)| *at < key);
            if !self.entries.iter().skip(at).all(|(key, value)| each(*key, *value)) {
                break;
            }
            page += 1;
        }
        Ok(())
    }

    /// Reads a page, unless it is there.
    fn read(&mut self, page: usize) -> Result<(), Failure> {
        let Lookup::OnDisk { file, path, n_entries, .. } = self.table else { return Ok(()) };
        if self.page == Some(page) {
            return Ok(());
        }
        let of_page = Lookup::<K, V>::ENTRIES_OF_PAGE as u64;
        let n_here = n_entries.saturating_sub(page as u64 * of_page).min(of_page) as usize;
        let n_bytes = n_here * (K::BYTES + V::BYTES);
        let mut buffer = [0; PAGE_BYTES];
        let bytes = buffer.get_mut(..n_bytes + CHECKSUM_BYTES).unwrap_or_default();
        let offset = page as u64 * page_bytes::<K, V>() as u64;
        read_exact_at(file, bytes, offset).map_err(|error| {
            Failure::new(format!("the work file `{}` cannot be read: {error}", path.display()))
        })?;
        let damaged = || {
            let path = path.display();
            Failure::new(format!("page {} of the work file `{path}` was damaged: run again", page + 1))
        };
        let (mut entries, mut claimed) = bytes.split_at(n_bytes);
        if take(&mut claimed).map(u64::from_be_bytes) != Some(xxh3_64_with_seed(entries, page as u64)) {
            return Err(damaged());
        }
        self.page = None;
        self.entries.clear();
        for _ in 0..n_here {
            let entry = <(K, V)>::decode(&mut entries).ok_or_else(damaged)?;
            self.entries.push(entry);
        }
        self.page = Some(page);
        Ok(())
    }
}

/// Bytes of a whole page.
const fn page_bytes<K: Fixed + Ord, V: Fixed>() -> usize {
    Lookup::<K, V>::ENTRIES_OF_PAGE * (K::BYTES + V::BYTES) + CHECKSUM_BYTES
}

/// Writes a table.
pub(crate) struct LookupWriter<K, V> {
    name: &'static str,
    scratch: Option<Scratch>,
    /// Bytes that it may hold.
    most: usize,
    resident: Vec<(K, V)>,
    on_disk: Option<OnDisk<K, V>>,
}

impl<K: Fixed + Ord, V: Fixed> LookupWriter<K, V> {
    /// A table of at most so many bytes in memory, and of any size where there is a place on the disk.
    pub(crate) fn new(name: &'static str, scratch: Option<&Scratch>, most: usize) -> Self {
        Self { name, scratch: scratch.cloned(), most, resident: Vec::new(), on_disk: None }
    }

    /// Adds an entry; its key is greater than all before.
    ///
    /// # Errors
    ///
    /// When the table cannot be written.
    pub(crate) fn push(&mut self, key: K, value: V) -> Result<(), Failure> {
        if let Some(on_disk) = &mut self.on_disk {
            return on_disk.push(key, value);
        }
        self.resident.push((key, value));
        let Some(scratch) = &self.scratch else { return Ok(()) };
        if self.resident.len() * size_of::<(K, V)>() > self.most {
            let mut on_disk = OnDisk::create(scratch.path(self.name))?;
            for (key, value) in std::mem::take(&mut self.resident) {
                on_disk.push(key, value)?;
            }
            self.on_disk = Some(on_disk);
        }
        Ok(())
    }

    /// The table.
    ///
    /// # Errors
    ///
    /// When it cannot be written.
    pub(crate) fn finish(self) -> Result<Lookup<K, V>, Failure> {
        match self.on_disk {
            Some(on_disk) => on_disk.finish(),
            None => Ok(Lookup::Resident(self.resident)),
        }
    }
}

/// A table on the disk that is being written.
struct OnDisk<K, V> {
    out: BufWriter<File>,
    path: PathBuf,
    page: Vec<u8>,
    first_of_page: Vec<K>,
    n_entries: u64,
    values: PhantomData<V>,
}

impl<K: Fixed + Ord, V: Fixed> OnDisk<K, V> {
    fn create(path: PathBuf) -> Result<Self, Failure> {
        let file = File::options().read(true).write(true).create(true).truncate(true).open(&path);
        let out = BufWriter::new(file.map_err(|error| unwritable(&path, &error))?);
        let page = Vec::with_capacity(PAGE_BYTES);
        Ok(Self { out, path, page, first_of_page: Vec::new(), n_entries: 0, values: PhantomData })
    }

    fn push(&mut self, key: K, value: V) -> Result<(), Failure> {
        if self.page.is_empty() {
            self.first_of_page.push(key);
        }
        (key, value).encode(&mut self.page);
        self.n_entries += 1;
        let is_full = self.n_entries.is_multiple_of(Lookup::<K, V>::ENTRIES_OF_PAGE as u64);
        if is_full { self.end_page() } else { Ok(()) }
    }

    fn end_page(&mut self) -> Result<(), Failure> {
        if self.page.is_empty() {
            return Ok(());
        }
        let number = self.first_of_page.len() as u64 - 1;
        xxh3_64_with_seed(&self.page, number).encode(&mut self.page);
        self.out.write_all(&self.page).map_err(|error| unwritable(&self.path, &error))?;
        self.page.clear();
        Ok(())
    }

    fn finish(mut self) -> Result<Lookup<K, V>, Failure> {
        self.end_page()?;
        let Self { out, path, first_of_page, n_entries, .. } = self;
        let file = out.into_inner().map_err(|error| unwritable(&path, error.error()))?;
        Ok(Lookup::OnDisk { file, path, first_of_page, n_entries })
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;
    use crate::spill::tests::workspace;

    fn table(
        entries: &BTreeMap<(u8, u64), u32>,
        folder: &std::path::Path,
        most: usize,
    ) -> Lookup<(u8, u64), u32> {
        let scratch = Scratch::new(&workspace(folder, 1), 0);
        let mut writer = LookupWriter::new("table", Some(&scratch), most);
        for (key, value) in entries {
            writer.push(*key, *value).unwrap();
        }
        writer.finish().unwrap()
    }

    #[test]
    fn a_flipped_bit_is_an_error_and_no_other_value() {
        let folder = tempfile::tempdir().unwrap();
        let entries = (0..2000).map(|n| ((7, n * 3), n as u32)).collect();
        let lookup = table(&entries, folder.path(), 0);
        let path = folder.path().join("scratch").join("table");
        let whole = std::fs::read(&path).unwrap();
        assert!(whole.len() > 3 * PAGE_BYTES, "{}", whole.len());
        for at in (0..whole.len()).step_by(997).chain([whole.len() - 1]) {
            let mut damaged = whole.clone();
            damaged[at] ^= 0x10;
            std::fs::write(&path, &damaged).unwrap();
            let page = at / page_bytes::<(u8, u64), u32>();
            let of_page = Lookup::<(u8, u64), u32>::ENTRIES_OF_PAGE as u64;
            for key in (0..2000).step_by(50) {
                let found = lookup.get((7, key * 3));
                if key / of_page == page as u64 {
                    let message = found.unwrap_err().to_string();
                    let expected = format!("page {} of the work file", page + 1);
                    assert!(message.starts_with(&expected) && message.contains("damaged"), "{message}");
                } else {
                    assert_eq!(found.unwrap(), Some(key as u32));
                }
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]

        #[test]
        fn a_table_is_a_map_in_memory_and_on_the_disk(
            entries in prop::collection::btree_map((0_u8..4, 0_u64..5000), any::<u32>(), 0..1500),
            keys in prop::collection::vec((0_u8..5, 0_u64..5100), 0..50),
            most in prop::sample::select(vec![0_usize, 4096, 1 << 20]),
        ) {
            let folder = tempfile::tempdir().unwrap();
            let lookup = table(&entries, folder.path(), most);
            let mut cursor = lookup.cursor();
            for key in keys {
                prop_assert_eq!(cursor.get(key).unwrap(), entries.get(&key).copied());
                let mut found = Vec::new();
                let mut wanted = 300;
                cursor.each_from(key, |key, value| {
                    found.push((key, value));
                    wanted -= 1;
                    wanted > 0
                }).unwrap();
                let expected: Vec<_> = entries.range(key..).take(300).map(|(key, value)| (*key, *value)).collect();
                prop_assert_eq!(found, expected);
            }
        }
    }
}
