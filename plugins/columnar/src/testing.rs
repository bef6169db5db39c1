//! What tests share: files in memory, documents as they were read, parts as they are written.

use std::path::Path;

use tamis_plugin::{
    Document, Emit, ExportView, Failure, FileReader, NewDocument, PartExporter, RandomAccess, Record,
};

/// A file in memory.
pub(crate) struct InMemory(pub(crate) Vec<u8>);

impl RandomAccess for InMemory {
    fn size(&self) -> u64 {
        self.0.len() as u64
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> std::io::Result<()> {
        let start = usize::try_from(offset).map_err(std::io::Error::other)?;
        let end = start.checked_add(buffer.len());
        match end.and_then(|end| self.0.get(start..end)) {
            Some(bytes) => buffer.copy_from_slice(bytes),
            None => return Err(std::io::ErrorKind::UnexpectedEof.into()),
        }
        Ok(())
    }
}

#[derive(Debug, Default)]
pub(crate) struct Collected {
    pub(crate) documents: Vec<Document>,
    /// Ordinal, raw bytes and message of each.
    pub(crate) failed: Vec<(u64, Vec<u8>, String)>,
    /// What the reader counted.
    pub(crate) counts: std::collections::BTreeMap<String, u64>,
}

impl Emit for Collected {
    fn document(&mut self, document: &NewDocument<'_>) {
        let mut read = Document::new(document.id.unwrap_or_default(), document.text);
        read.raw = document.raw.map(<[u8]>::to_vec);
        read.metadata = document.metadata.iter().map(|(name, value)| (*name, value.to_value())).collect();
        read.origin.ordinal = document.ordinal;
        self.documents.push(read);
    }

    fn failed(&mut self, ordinal: u64, _offset: u64, raw: &[u8], failure: &Failure) {
        self.failed.push((ordinal, raw.to_vec(), failure.to_string()));
    }

    fn count(&mut self, name: &str, n: u64) {
        *self.counts.entry(name.to_owned()).or_default() += n;
    }
}

/// Reads a file, part by part; checks that parts follow each other.
pub(crate) fn read<R: FileReader>(
    reader: &R,
    file: Vec<u8>,
    target_bytes: u64,
) -> Result<(Collected, usize), Failure> {
    let file = InMemory(file);
    let (index, splits) = reader.index(&file, target_bytes)?;
    let mut collected = Collected::default();
    let mut next = 0;
    for split in &splits {
        assert_eq!(split.first_ordinal, next, "parts follow each other");
        assert!(split.records > 0, "no part is empty");
        next += split.records;
        // A damaged file may claim any number of parts that are not there.
        reader.decode(&index, &file, split, &mut collected)?;
    }
    Ok((collected, splits.len()))
}

/// Writes records as one part, with a chunk for each `block` of them.
pub(crate) fn write<E: PartExporter>(exporter: &E, records: &[Record], block: usize) -> Vec<u8> {
    let mut out = Vec::new();
    let mut part = exporter.begin(Path::new("unused"), &mut out).expect("a part begins");
    for records in records.chunks(block) {
        let views: Vec<_> = records.iter().map(ExportView::from).collect();
        let mut chunk = Vec::new();
        let failures = exporter.encode(&views, &mut chunk);
        assert_eq!(failures, [], "every record has a form");
        exporter.add(&mut part, chunk, &mut out).expect("a chunk is added");
    }
    exporter.end(part, &mut out).expect("a part ends");
    out
}

/// Reads a file, part by part; checks that each is about as large as was asked for, or one record, and weighs what it
/// is. Returns the documents and the number of parts.
pub(crate) fn read_weighed<R: FileReader>(
    reader: &R,
    file: Vec<u8>,
    target_bytes: u64,
) -> (Vec<Document>, usize) {
    let file = InMemory(file);
    let (index, splits) = reader.index(&file, target_bytes).expect("a sound file");
    let mut documents = Vec::new();
    for split in &splits {
        let mut collected = Collected::default();
        reader.decode(&index, &file, split, &mut collected).expect("a sound part");
        assert_eq!(collected.failed, []);
        assert_eq!(collected.documents.len() as u64, split.records);
        let size = |read: &Document| (read.text.len() + read.metadata.size()) as u64;
        let sum: u64 = collected.documents.iter().map(size).sum();
        assert!(
            sum <= 2 * target_bytes || split.records == 1,
            "{sum} bytes in a part of {target_bytes}: {split:?}"
        );
        assert!(split.weight >= sum, "{sum} bytes in {split:?}");
        documents.append(&mut collected.documents);
    }
    (documents, splits.len())
}
