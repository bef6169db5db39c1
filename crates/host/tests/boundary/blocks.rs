//! Heads of files, and positions of records.

use tamis_document::{Document, Fate, Record};
use tamis_plugin::{
    Block, Cut, Draft, Emit, ExportView, Exporter, Extractor, Failure, Filter, NewDocument, NoOptions, Notes,
    Output, Reader, SetupError, Verdict, View,
};
use tamis_stage::handle::{Effects, OpenStage, ReaderHandle};

use crate::{breach, open};

/// Cells, one a line, under a header line.
pub(crate) struct Table;

impl Reader for Table {
    const NAME: &'static str = "table";
    type Options = NoOptions;

    fn open(_: NoOptions) -> Result<Self, SetupError> {
        Ok(Self)
    }

    fn head(&self, bytes: &[u8], end: bool) -> Option<usize> {
        assert!(!bytes.starts_with(b"panic"), "no header for me");
        if bytes.starts_with(b"long") {
            return Some(bytes.len() + 1);
        }
        let line = bytes.iter().position(|byte| *byte == b'\n').map(|end| end + 1);
        line.or((end && !bytes.is_empty()).then_some(bytes.len()))
    }

    fn decode(&self, block: &Block<'_>, emit: &mut dyn Emit) -> Result<(), Failure> {
        let head = std::str::from_utf8(block.head).map_err(Failure::new)?;
        let cells = std::str::from_utf8(block.bytes).map_err(Failure::new)?;
        let text = format!("{head}: {cells}");
        let (ordinal, offset) = (block.first_ordinal, block.offset);
        emit.document(&NewDocument { text: &text, ordinal, offset, ..NewDocument::default() });
        Ok(())
    }
}

/// Drops what stands behind the first 2^64 positions.
pub(crate) struct Late;

impl Filter for Late {
    const NAME: &'static str = "late";
    type Options = NoOptions;

    fn open(_: NoOptions) -> Result<Self, SetupError> {
        Ok(Self)
    }

    fn filter(&self, document: &View<'_>, _: &mut Notes) -> Result<Verdict, Failure> {
        Ok(if document.position() > u128::from(u64::MAX) {
            Verdict::Drop("late".into())
        } else {
            Verdict::Keep
        })
    }
}

/// Writes the position down.
pub(crate) struct Place;

impl Extractor for Place {
    const NAME: &'static str = "place";
    type Options = NoOptions;

    fn open(_: NoOptions) -> Result<Self, SetupError> {
        Ok(Self)
    }

    fn extract(&self, draft: &mut Draft<'_>) -> Result<Verdict, Failure> {
        let position = draft.original().position().to_string();
        draft.set_text(position);
        Ok(Verdict::Keep)
    }
}

/// Writes the position out.
pub(crate) struct Places;

impl Exporter for Places {
    const NAME: &'static str = "places";
    type Options = NoOptions;

    fn open(_: NoOptions) -> Result<Self, SetupError> {
        Ok(Self)
    }

    fn extension(&self) -> &'static str {
        "txt"
    }

    fn encode(&self, record: &ExportView<'_>, out: &mut Output) -> Result<(), Failure> {
        out.bytes.extend(record.document.position().to_string().into_bytes());
        out.bytes.push(b'\n');
        Ok(())
    }
}

fn table() -> Box<dyn ReaderHandle> {
    let OpenStage::Reader(reader) = open("table") else { panic!("it is a reader") };
    reader
}

fn block(bytes: &[u8]) -> Block<'_> {
    Block { file: "file", head: &[], bytes, offset: 0, first_ordinal: 0 }
}

#[test]
fn a_head_is_found_and_goes_with_every_block() {
    let table = table();
    let head = |bytes: &[u8], end| table.head(&block(bytes), end).map_err(|failure| failure.to_string());
    assert_eq!(head(b"a,b", false), Ok(None));
    assert_eq!(head(b"a,b\n1,2\n", false), Ok(Some(4)));
    assert_eq!(head(b"a,b", true), Ok(Some(3)));
    assert_eq!(head(b"", true), Ok(None));
    assert_eq!(
        head(b"longer", false),
        Err(breach("table", "it found a head of 7 bytes in the first 6 of a file"))
    );
    assert!(head(b"panic", false).unwrap_err().contains("the stage panicked: no header for me ("));

    let mut records = Vec::new();
    let block = Block { head: b"a,b", offset: 7, first_ordinal: 3, ..block(b"1,2") };
    table.decode(&block, &mut records, &mut Effects::default()).unwrap();
    assert_eq!(records[0].document.text, "a,b: 1,2");
    assert_eq!(table.cut(&block, true).unwrap(), Cut::At { bytes: 3, records: 1 });
}

fn records() -> Vec<Record> {
    let position = |position| Record { position, ..Record::from(Document::new("id", "text")) };
    [0, 7, u128::from(u64::MAX), u128::from(u64::MAX) + 1, u128::MAX - 1].map(position).into()
}

#[test]
fn stages_see_where_a_record_stands_in_the_corpus() {
    let mut filtered = records();
    let OpenStage::Transform(filter) = open("late") else { panic!("it is a filter") };
    filter.process(&mut filtered, &mut Effects::default());
    let dropped: Vec<bool> = filtered.iter().map(|record| record.fate != Fate::Kept).collect();
    assert_eq!(dropped, [false, false, false, true, true]);

    let mut extracted = records();
    let OpenStage::Transform(extractor) = open("place") else { panic!("it is an extractor") };
    extractor.process(&mut extracted, &mut Effects::default());
    for record in &extracted {
        assert_eq!(record.document.text, record.position.to_string());
    }

    let mut out = Output::default();
    let OpenStage::Exporter(exporter) = open("places") else { panic!("it is an exporter") };
    assert_eq!(exporter.encode(&records(), &mut out), []);
    let written: String = records().iter().map(|record| record.position.to_string() + "\n").collect();
    assert_eq!(String::from_utf8(out.bytes).unwrap(), written);
}
