//! What stages make of a text and leave with it, within a library and across two of them; and what a stage learns
//! and says of where a document came from.

use std::cell::Cell;
use std::convert::Infallible;
use std::sync::Arc;

use serde_json::json;
use tamis_document::{Document, Fate, Origin, Record};
use tamis_plugin::{
    Attachment, Block, Draft, Emit, ExportView, Exporter, Extractor, Failure, Filter, Flat, Limit,
    NewDocument, NoOptions, Notes, Output, PluginBuilder, PluginTable, Reader, SetupError, ValueRef, Verdict,
    View,
};
use tamis_stage::handle::{Effects, OpenStage};

thread_local! {
    /// How many values were made and dropped; a test stays on its thread, and so do all its calls.
    static MADE: Cell<usize> = const { Cell::new(0) };
    static DROPPED: Cell<usize> = const { Cell::new(0) };
}

/// The words of a text, as they are counted.
struct Words(usize);

impl Attachment for Words {
    fn bytes(&self) -> usize {
        self.0
    }
}

impl Drop for Words {
    fn drop(&mut self) {
        DROPPED.set(DROPPED.get() + 1);
        assert!(self.0 != 13, "no luck");
    }
}

fn words(document: &View<'_>) -> Arc<Words> {
    let words = document.attachment(|text| {
        MADE.set(MADE.get() + 1);
        Ok::<_, Infallible>(Words(text.split_whitespace().count()))
    });
    let Ok(words) = words;
    words
}

const LAYOUT: &str = "boundary.length";

/// Measures words, and the attached length where there is one; attaches the length.
struct Measure;

impl Filter for Measure {
    const NAME: &'static str = "measure";
    type Options = NoOptions;

    fn open(_: NoOptions) -> Result<Self, SetupError> {
        Ok(Self)
    }

    fn filter(&self, document: &View<'_>, notes: &mut Notes) -> Result<Verdict, Failure> {
        notes.measure("words", words(document).0 as f64, Limit::None);
        if let Some(bytes) = document.flat(LAYOUT, 1) {
            let length = bytes.try_into().map(u64::from_le_bytes).map_err(Failure::new)?;
            notes.measure("length", length as f64, Limit::None);
        }
        assert_eq!(document.flat(LAYOUT, 2), None, "another version is another layout");
        document.attach(LAYOUT, 1, &(document.text().len() as u64).to_le_bytes());
        if document.text().contains("fail") { Err(Failure::new("it says so")) } else { Ok(Verdict::Keep) }
    }
}

/// Does what a text says, and says where it was.
struct Obey;

impl Extractor for Obey {
    const NAME: &'static str = "obey";
    const WRITES: &'static [&'static str] = &["text", "place"];
    type Options = NoOptions;

    fn open(_: NoOptions) -> Result<Self, SetupError> {
        Ok(Self)
    }

    fn extract(&self, draft: &mut Draft<'_>) -> Result<Verdict, Failure> {
        let (before, first) = (draft.original().flat(LAYOUT, 1), words(&draft.original()));
        if draft.text().starts_with("change") {
            draft.attach(LAYOUT, 1, b"is of the text before".as_slice());
            draft.set_text("a new text");
            draft.attach(LAYOUT, 1, (10_u64).to_le_bytes());
        }
        if draft.text().starts_with("rename") {
            let id =
                format!("{}:{}", draft.metadata("site").and_then(ValueRef::as_str).unwrap_or(""), draft.id());
            draft.set_id(id);
        }
        if draft.text().starts_with("part") {
            draft.set_metadata("site", "another");
            let mut part = Document::new("", "a part");
            part.metadata.insert("title", "of its own");
            draft.split_off(part.clone());
            draft.split_off_alone(part);
        }
        if draft.text().starts_with("nameless") {
            draft.set_id("");
        }
        // What was there when the call began is there until it ends.
        assert_eq!(before, draft.original().flat(LAYOUT, 1));
        assert_eq!(first.0, words(&draft.original()).0);
        let place = draft.origin().ok_or_else(|| Failure::new("nobody knows"))?;
        draft.set_metadata("place", format!("{}@{}+{}", place.file, place.offset, place.length));
        Ok(Verdict::Keep)
    }
}

/// Reads lines, and attaches what they are in capitals.
struct Lines;

impl Reader for Lines {
    const NAME: &'static str = "lines-in-capitals";
    type Options = NoOptions;

    fn open(_: NoOptions) -> Result<Self, SetupError> {
        Ok(Self)
    }

    fn decode(&self, block: &Block<'_>, emit: &mut dyn Emit) -> Result<(), Failure> {
        let text = std::str::from_utf8(block.bytes).map_err(Failure::new)?;
        for (ordinal, text) in (0..).zip(text.lines()) {
            let capitals = text.to_uppercase();
            // More than there is room for is forgotten.
            let much = vec![0; 1 << 20];
            let flat = |name, bytes| Flat { name, version: 7, bytes };
            let attachments = [flat("much", &much[..]), flat("capitals", capitals.as_bytes())];
            emit.document(&NewDocument {
                text,
                ordinal,
                attachments: &attachments,
                ..NewDocument::default()
            });
        }
        Ok(())
    }
}

/// Writes what it finds, and else the text.
struct Capitals;

impl Exporter for Capitals {
    const NAME: &'static str = "capitals";
    type Options = NoOptions;

    fn open(_: NoOptions) -> Result<Self, SetupError> {
        Ok(Self)
    }

    fn extension(&self) -> &'static str {
        "txt"
    }

    fn encode(&self, record: &ExportView<'_>, out: &mut Output) -> Result<(), Failure> {
        assert_eq!(record.document.flat("much", 7), None);
        // An exporter cannot attach, and need not know.
        record.document.attach("capitals", 7, b"another");
        let text = record.document.text().as_bytes();
        out.bytes.extend_from_slice(record.document.flat("capitals", 7).unwrap_or(text));
        out.bytes.push(b'\n');
        Ok(())
    }
}

/// The same stages as another library.
fn library(name: &'static str) -> &'static PluginTable {
    let builder = PluginBuilder::new(name, "1.0.0", "MIT").filter::<Measure>().extractor::<Obey>();
    Box::leak(Box::new(builder.reader::<Lines>().exporter::<Capitals>().finish()))
}

fn open(library: &'static PluginTable, name: &str) -> OpenStage {
    let stages = tamis_host::bundled(library).unwrap();
    stages.into_iter().find(|stage| stage.info().name == name).unwrap().open(&json!({})).unwrap()
}

fn transform(stage: &OpenStage, records: &mut [Record]) {
    let OpenStage::Transform(stage) = stage else { panic!("it is a filter or an extractor") };
    stage.process(records, &mut Effects::default());
}

fn measured(record: &mut Record) -> Vec<(String, f64)> {
    record.measures.drain(..).map(|measure| (measure.name.into_owned(), measure.value)).collect()
}

#[test]
fn what_was_made_of_a_text_is_found_until_it_changes() {
    let (one, other) = (library("one"), library("other"));
    let (measure, measure_too, obey) = (open(one, "measure"), open(one, "measure"), open(one, "obey"));
    let foreign = open(other, "measure");
    let text = |text: &str| Record::from(Document::new("id", text));
    let mut records = [text("stay as it is"), text("change it")];
    let made = || (MADE.get(), DROPPED.get());
    let value = |name: &str, value| (name.to_owned(), value);

    transform(&measure, &mut records);
    assert_eq!(made(), (2, 0));
    assert_eq!(records.each_mut().map(measured), [vec![value("words", 4.0)], vec![value("words", 2.0)]]);
    transform(&measure_too, &mut records);
    assert_eq!(made(), (2, 0), "another stage of the library finds what the first has made");
    let both = |words, length| vec![value("words", words), value("length", length)];
    assert_eq!(records.each_mut().map(measured), [both(4.0, 13.0), both(2.0, 9.0)]);
    transform(&foreign, &mut records);
    assert_eq!(made(), (4, 0), "another library finds bytes, and no values");
    assert_eq!(records.each_mut().map(measured), [both(4.0, 13.0), both(2.0, 9.0)]);

    transform(&obey, &mut records);
    assert_eq!(made(), (4, 2), "both values of the text that was replaced are gone");
    assert_eq!(records[1].document.text, "a new text");
    transform(&foreign, &mut records);
    assert_eq!(made(), (5, 2));
    assert_eq!(records.each_mut().map(measured), [both(4.0, 13.0), both(3.0, 10.0)]);

    let copy = records[0].clone();
    assert!(copy.attachments.is_empty() && !records[0].attachments.is_empty());
    drop(records);
    assert_eq!(made(), (5, 5));
    let mut failing = [text("fail"), text("")];
    transform(&measure, &mut failing);
    assert!(matches!(failing[0].fate, Fate::Failed(_)) && failing[0].attachments.is_empty());
    let mut unlucky = [text(&"w ".repeat(13))];
    transform(&measure, &mut unlucky);
    // A panic in a destructor has nobody left to tell, and ends nothing.
    drop(unlucky);
    drop(failing);
    assert_eq!(made(), (8, 8));
}

#[test]
fn a_reader_attaches_and_an_exporter_of_another_library_finds() {
    let (OpenStage::Reader(reader), OpenStage::Exporter(exporter)) =
        (open(library("reads"), "lines-in-capitals"), open(library("writes"), "capitals"))
    else {
        panic!("a reader and an exporter")
    };
    let block = Block { file: "file", head: &[], bytes: b"one\ntwo\n", offset: 0, first_ordinal: 0 };
    let mut records = Vec::new();
    reader.decode(&block, &mut records, &mut Effects::default()).unwrap();
    records[1].attachments.clear();
    let mut out = Output::default();
    assert_eq!(exporter.encode(&records, &mut out), []);
    assert_eq!(out.bytes, b"ONE\ntwo\n");
}

#[test]
fn a_stage_knows_where_a_document_was_and_gives_it_another_id() {
    let mut records = ["rename", "nameless", "stay"].map(|text| {
        let mut document = Document::new("a", text);
        document.metadata.insert("site", "s.example");
        document.origin = Origin { file: "in/file".into(), offset: 70, length: 7, ordinal: 1 };
        Record::from(document)
    });
    transform(&open(library("renames"), "obey"), &mut records);
    let place = records[0].document.metadata.get("place").cloned();
    assert_eq!(place, Some("in/file@70+7".into()));
    let ids = records.each_ref().map(|record| record.document.id.as_str());
    assert_eq!(ids, ["s.example:a", "a", "a"]);
    let Fate::Failed(reason) = &records[1].fate else { panic!("{:?}", records[1]) };
    assert!(reason.contains("it gave the document an empty id"), "{reason}");
}

#[test]
fn what_is_split_off_has_the_metadata_of_its_parent() {
    let fields = |document: &Document| -> Vec<String> {
        document
            .metadata
            .iter()
            .map(|(name, value)| format!("{name}={}", value.as_ref().as_str().unwrap_or_default()))
            .collect()
    };
    let mut parent = Document::new("a", "part it");
    parent.metadata = [("author", "someone"), ("site", "one"), ("title", "whole")].into_iter().collect();
    let mut record = [Record::from(parent)];
    let OpenStage::Transform(stage) = open(library("parts"), "obey") else { panic!("it is an extractor") };
    let mut effects = Effects::default();
    stage.process(&mut record, &mut effects);
    let [(0, inherits), (0, alone)] = effects.split.as_slice() else { panic!("{effects:?}") };
    // As the parent is when the stage has returned.
    assert_eq!(fields(inherits), ["author=someone", "place=@0+0", "site=another", "title=of its own"]);
    assert_eq!(fields(alone), ["title=of its own"]);
}
