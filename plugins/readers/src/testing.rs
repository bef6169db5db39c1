//! What a reader emitted, owned, and a way to read a file in blocks as the runner does.

use std::collections::BTreeMap;

use tamis_plugin::{Block, Cut, Emit, Failure, NewDocument, Reader};

/// One emitted record.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Read {
    Document(Document),
    Failed(Failed),
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Document {
    pub(crate) id: Option<String>,
    pub(crate) text: String,
    pub(crate) raw: Option<Vec<u8>>,
    pub(crate) metadata: tamis_plugin::Metadata,
    pub(crate) ordinal: u64,
    pub(crate) offset: u64,
    pub(crate) length: u64,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Failed {
    pub(crate) ordinal: u64,
    pub(crate) offset: u64,
    pub(crate) raw: Vec<u8>,
    pub(crate) message: String,
}

/// The records in order, and the counts.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Collected(pub(crate) Vec<Read>, pub(crate) BTreeMap<String, u64>);

impl Collected {
    pub(crate) fn documents(&self) -> impl Iterator<Item = &Document> {
        self.0.iter().filter_map(|read| match read {
            Read::Document(document) => Some(document),
            Read::Failed(_) => None,
        })
    }

    pub(crate) fn failures(&self) -> impl Iterator<Item = &Failed> {
        self.0.iter().filter_map(|read| match read {
            Read::Document(_) => None,
            Read::Failed(failed) => Some(failed),
        })
    }

    pub(crate) fn texts(&self) -> Vec<&str> {
        self.documents().map(|document| document.text.as_str()).collect()
    }

    pub(crate) fn messages(&self) -> Vec<&str> {
        self.failures().map(|failed| failed.message.as_str()).collect()
    }

    /// The metadata of the only document, as JSON.
    pub(crate) fn metadata(&self) -> String {
        let [Read::Document(document)] = self.0.as_slice() else { panic!("not one document: {self:?}") };
        serde_json::to_string(&document.metadata).expect("metadata can be written")
    }
}

impl Emit for Collected {
    fn document(&mut self, document: &NewDocument<'_>) {
        self.0.push(Read::Document(Document {
            id: document.id.map(str::to_owned),
            text: document.text.to_owned(),
            raw: document.raw.map(<[u8]>::to_vec),
            metadata: document.metadata.iter().map(|(name, value)| (*name, value.to_value())).collect(),
            ordinal: document.ordinal,
            offset: document.offset,
            length: document.length,
        }));
    }

    fn failed(&mut self, ordinal: u64, offset: u64, raw: &[u8], failure: &Failure) {
        self.0.push(Read::Failed(Failed {
            ordinal,
            offset,
            raw: raw.to_vec(),
            message: failure.to_string(),
        }));
    }

    fn count(&mut self, name: &str, n: u64) {
        *self.1.entry(name.to_owned()).or_default() += n;
    }
}

/// Reads a whole file as one block.
pub(crate) fn decode(reader: &impl Reader, bytes: &[u8]) -> Collected {
    let mut collected = Collected::default();
    let block = Block { file: "a", head: &[], bytes, offset: 0, first_ordinal: 0 };
    reader.decode(&block, &mut collected).expect("a block is readable");
    collected
}

/// Reads a file in blocks, with `step` more bytes in the buffer before each attempt to cut.
pub(crate) fn decode_in_blocks(reader: &impl Reader, bytes: &[u8], step: usize) -> Collected {
    let mut collected = Collected::default();
    let (mut start, mut filled, mut first_ordinal) = (0, 0, 0);
    while start < bytes.len() {
        filled = (filled + step.max(1)).min(bytes.len());
        let end = filled == bytes.len();
        match reader.cut(&bytes[start..filled], end) {
            Cut::More => assert!(!end, "the reader wants more than there is"),
            Cut::At { bytes: length, records } => {
                assert!(length > 0 && length <= filled - start, "cut at {length}");
                assert!(!end || length == filled - start, "the end was left over");
                let bytes = &bytes[start..start + length];
                let block = Block { file: "a", head: &[], bytes, offset: start as u64, first_ordinal };
                reader.decode(&block, &mut collected).expect("a block is readable");
                start += length;
                first_ordinal += records;
            }
        }
    }
    collected
}

/// The character as one `\uXXXX`, or as two that are a surrogate pair.
pub(crate) fn utf16_escapes(character: char) -> String {
    let mut units = [0; 2];
    let units = character.encode_utf16(&mut units);
    units.iter().fold(String::new(), |escapes, unit| escapes + &format!("\\u{unit:04X}"))
}
