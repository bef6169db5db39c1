//! Some records of the inputs, by where they stand: those that failed in an earlier run.

use std::collections::BTreeMap;

use tamis_document::{Origin, Record};

/// Which records of the inputs a run takes in; it passes over all others, and over files without any.
///
/// A dead letter says where what failed stands ([`Origin`]): a record, or all that lies behind a place in a file. So a
/// letter for half a file, once it can be read, is as many records as there are.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Only {
    files: BTreeMap<String, Vec<Spot>>,
}

/// A piece of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Spot {
    offset: u64,
    /// 0 where the format has no byte range, or nobody knows it.
    length: u64,
    ordinal: u64,
}

impl Only {
    /// Adds what stands there.
    pub fn add(&mut self, origin: &Origin) {
        let Origin { offset, length, ordinal, .. } = *origin;
        let spots = self.files.entry(origin.file.to_string()).or_default();
        spots.push(Spot { offset, length, ordinal });
    }

    /// How many places were added.
    pub fn len(&self) -> usize {
        self.files.values().map(Vec::len).sum()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.files.is_empty()
    }

    /// Whether something of a file is wanted, or of a member of an archive.
    pub(crate) fn takes_file(&self, name: &str) -> bool {
        let below = format!("{name}/");
        let first = self.files.range(name.to_owned()..).next().map(|(first, _)| first.as_str());
        let behind = self.files.range(below.clone()..).next().map(|(first, _)| first.as_str());
        first == Some(name) || behind.is_some_and(|file| file.starts_with(&below))
    }

    pub(crate) fn takes(&self, record: &Record) -> bool {
        let origin = &record.document.origin;
        self.files.get(&*origin.file).is_some_and(|spots| spots.iter().any(|spot| spot.holds(origin)))
    }

    /// What tells two of them apart.
    pub(crate) fn hash(&self, inputs: &str) -> String {
        let mut hasher = blake3::Hasher::new();
        hasher.update(inputs.as_bytes());
        for (file, spots) in &self.files {
            hasher.update(&(file.len() as u64).to_le_bytes()).update(file.as_bytes());
            for number in spots.iter().flat_map(|spot| [spot.offset, spot.length, spot.ordinal]) {
                hasher.update(&number.to_le_bytes());
            }
        }
        hasher.finalize().to_hex().to_string()
    }
}

impl Spot {
    fn holds(&self, origin: &Origin) -> bool {
        // A file that could not be opened, and one whose reader tells no offsets, are known from their first record on.
        let is_whole_file = (self.offset, self.ordinal) == (0, 0);
        match self.length {
            0 => origin.ordinal == self.ordinal || is_whole_file,
            length => {
                (self.offset..self.offset.saturating_add(length)).contains(&origin.offset)
                    && (is_whole_file || origin.ordinal >= self.ordinal)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use tamis_document::Document;

    use super::*;

    fn origin(file: &str, offset: u64, length: u64, ordinal: u64) -> Origin {
        Origin { file: file.into(), offset, length, ordinal }
    }

    fn record(origin: Origin) -> Record {
        Record::from(Document { origin, ..Document::default() })
    }

    #[test]
    fn a_letter_stands_for_what_lies_there() {
        let mut only = Only::default();
        only.add(&origin("a.jsonl", 100, 20, 3));
        only.add(&origin("pack.zip/b.csv", 500, 1000, 9));
        only.add(&origin("table.parquet", 0, 0, 7));
        only.add(&origin("gone.html", 0, 0, 0));
        let takes = |file, offset, ordinal| only.takes(&record(origin(file, offset, 5, ordinal)));
        assert!(takes("a.jsonl", 100, 3) && !takes("a.jsonl", 120, 4) && !takes("a.jsonl", 80, 2));
        assert!(takes("pack.zip/b.csv", 1499, 30) && !takes("pack.zip/b.csv", 499, 8));
        assert!(takes("table.parquet", 0, 7) && !takes("table.parquet", 0, 6));
        assert!(takes("gone.html", 0, 0) && !takes("other.html", 0, 0));
        for (file, expected) in
            [("a.jsonl", true), ("a.json", false), ("pack.zip", true), ("pack", false), ("z", false)]
        {
            assert_eq!(only.takes_file(file), expected, "{file}");
        }
        assert_eq!((only.len(), only.is_empty()), (4, false));
        assert_ne!(only.hash("x"), Only::default().hash("x"));
    }
}
