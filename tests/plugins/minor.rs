//! What ABI 1.1 added, with stages in C, built against today's header and that of 1.1; and a library of ABI 1.0,
//! which works as it did.

use std::io;
use std::path::Path;
use std::sync::Arc;

use serde_json::json;
use tamis_host::Request;
use tamis_plugin::{Block, Document, Fate, Output, RandomAccess, Record, Workspace};
use tamis_stage::handle::{CorpusHandle, Effects, ExporterHandle, OpenStage, ReaderHandle, TransformHandle};
use tamis_stage::{Failure, Registry};

use crate::support::{HEADERS, c_library, c_library_against, folder, has_cc, loader};

/// The stages of `minor.c`.
struct Stages {
    table: Box<dyn ReaderHandle>,
    first: Box<dyn TransformHandle>,
    corpus: Box<dyn CorpusHandle>,
    /// None in ABI 1.0.
    pairs: Option<Box<dyn ReaderHandle>>,
    parts: Option<Box<dyn ExporterHandle>>,
}

/// The stages of a library for each header that plugins are built against.
fn each_header(defines: &[&str], test: impl Fn(Stages)) {
    for header in HEADERS {
        let folder = folder();
        test(stages(header, folder.path(), defines));
    }
}

fn stages(header: &str, folder: &Path, defines: &[&str]) -> Stages {
    let library = c_library_against(header, folder, "minor.c", "minor", defines);
    let mut registry = Registry::new();
    loader().register(&Request::Path(library), None, &mut registry).unwrap();
    let open = |table, name| registry.get(table, name).map(|stage| stage.open(&json!({})).unwrap());
    let Some(OpenStage::Reader(table)) = open("source", "c-table") else { panic!("it is a reader") };
    let Some(OpenStage::Transform(first)) = open("stage", "c-first") else { panic!("it is a filter") };
    let Some(OpenStage::Corpus(corpus)) = open("stage", "c-count") else { panic!("it is a corpus stage") };
    let pairs = open("source", "c-pairs").map(|stage| match stage {
        OpenStage::Reader(reader) => reader,
        _ => panic!("it is a reader"),
    });
    let parts = open("export", "c-parts").map(|stage| match stage {
        OpenStage::Exporter(exporter) => exporter,
        _ => panic!("it is an exporter"),
    });
    Stages { table, first, corpus, pairs, parts }
}

fn says(stage: &str, message: &str) -> String {
    format!("stage `{stage}` of plugin `minor`: {message}")
}

fn breach(stage: &str, breach: &str) -> String {
    says(stage, &format!("it broke the plugin contract: {breach}; tell the author of the plugin"))
}

fn text<T>(result: Result<T, Failure>) -> Result<T, String> {
    result.map_err(|failure| failure.to_string())
}

fn block<'a>(head: &'a [u8], bytes: &'a [u8]) -> Block<'a> {
    Block { file: "file", head, bytes, offset: 0, first_ordinal: 0 }
}

fn decode(table: &dyn ReaderHandle) -> Vec<Record> {
    let mut records = Vec::new();
    table.decode(&block(b"a\n", b"1"), &mut records, &mut Effects::default()).unwrap();
    records
}

/// What is saved after three documents, twice.
fn counted(corpus: &dyn CorpusHandle) -> Vec<u8> {
    corpus.observe(0, &mut vec![Record::default(); 3], &mut Effects::default());
    corpus.merge(0).unwrap();
    let (mut state, mut twice) = (Vec::new(), Vec::new());
    corpus.save(0, &mut state).unwrap();
    corpus.load(0, &mut state.as_slice()).unwrap();
    corpus.save(0, &mut twice).unwrap();
    twice
}

fn workspace() -> Workspace {
    Workspace { scratch: "/scratch/1".into(), keep: "/keep/1".into(), memory: 7, threads: 2 }
}

#[test]
fn a_library_of_abi_1_0_works_as_it_did() {
    if !has_cc() {
        return;
    }
    each_header(&["OLD"], |old| {
        assert!(old.pairs.is_none() && old.parts.is_none());
        assert_eq!(text(old.table.head(&block(b"", b"a\n1"), true)), Ok(Some(0)));
        assert_eq!(decode(&*old.table)[0].document.text, "1");
        assert_eq!(old.corpus.observing_passes(), 2);
        old.corpus.prepare(&workspace()).unwrap();
        assert_eq!(counted(&*old.corpus), [6]);
        let refused = text(old.corpus.load(0, &mut &b"no state"[..]));
        assert_eq!(refused, Err(says("c-count", "as the file says")));
    });
}

#[test]
fn heads_positions_and_streamed_states_in_c() {
    if !has_cc() {
        return;
    }
    each_header(&[], |stages| {
        let head = |bytes: &[u8]| text(stages.table.head(&block(b"", bytes), true));
        assert_eq!(head(b"a,b\n1,2"), Ok(Some(4)));
        assert_eq!(head(b"a,b"), Ok(None));
        assert_eq!(head(b"error"), Err(says("c-table", "as the file says")));
        let too_long = breach("c-table", "it found a head of 9 bytes in the first 8 of a file");
        assert_eq!(head(b"too long"), Err(too_long));
        assert_eq!(decode(&*stages.table)[0].document.raw.as_deref(), Some(&b"a\n"[..]));

        let mut records: Vec<_> =
            [0, 1, 1 << 100].map(|position| Record { position, ..Record::default() }).into();
        stages.first.process(&mut records, &mut Effects::default());
        let dropped = || Fate::Dropped("not-first".into());
        let fates: Vec<_> = records.into_iter().map(|record| record.fate).collect();
        assert_eq!(fates, [Fate::Kept, dropped(), dropped()]);

        assert_eq!(stages.corpus.observing_passes(), 1);
        stages.corpus.prepare(&workspace()).unwrap();
        let other = Workspace { memory: 8, ..workspace() };
        assert_eq!(text(stages.corpus.prepare(&other)), Err(says("c-count", "as the file says")));
        assert_eq!(counted(&*stages.corpus), [6]);
        let load = |mut state: &[u8]| text(stages.corpus.load(0, &mut state));
        assert_eq!(load(b""), Err(says("c-count", "as the file says")));
        let at_null = "it wants to read into memory that is 1 bytes long and at NULL";
        assert_eq!(load(b"null"), Err(breach("c-count", at_null)));
    });
}

/// A file in memory, the end of which cannot be read.
struct Memory(&'static [u8]);

impl RandomAccess for Memory {
    fn size(&self) -> u64 {
        self.0.len() as u64
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<()> {
        let start = usize::try_from(offset).unwrap();
        let bytes = self.0.get(start..start + buffer.len()).unwrap();
        if bytes.contains(&b'!') {
            return Err(io::Error::other("the disk is gone"));
        }
        buffer.copy_from_slice(bytes);
        Ok(())
    }
}

#[test]
fn a_file_is_read_anywhere_in_c() {
    if !has_cc() {
        return;
    }
    each_header(&[], |stages| {
        let pairs = stages.pairs.unwrap();
        let index = |bytes| text(pairs.index("file", Arc::new(Memory(bytes)), 2));
        let decode = |bytes, split| {
            let mut records = Vec::new();
            text(index(bytes)?.decode(split, &mut records, &mut Effects::default()))?;
            Ok(records.into_iter().map(|record| record.document.text).collect::<Vec<_>>().join(" "))
        };
        assert_eq!(index(b"goodaabbcc").unwrap().splits().len(), 2);
        assert_eq!(decode(b"goodaabbcc", 1), Ok("cc".to_owned()));
        assert_eq!(decode(b"goodaabbcc", 0), Ok("aa bb".to_owned()));
        let says = |message: &str| says("c-pairs", message);
        let gone = "as the file says; 2 bytes at byte 6 of the file could not be read: the disk is gone";
        assert_eq!(decode(b"goodaab!cc", 0), Err(says(gone)));
        assert_eq!(decode(b"goodaab!cc", 1), Ok("cc".to_owned()));
        let lost = "it read 0 of the 2 records of a part, and did not say that the others failed";
        assert_eq!(decode(b"noneaabbcc", 0), Err(breach("c-pairs", lost)));
        let failures: [(&'static [u8], String); 8] = [
            (b"fail", says("as the file says")),
            (b"a", says("as the file says")),
            (b"nullaa", breach("c-pairs", "it passed a part at the address 0x0")),
            (
                b"awayaa",
                says("as the file says; it asked for 4 bytes at byte 18446744073709551615 of a file of 6"),
            ),
            (
                b"voidaa",
                says("as the file says; it wanted to read into memory that is 4 bytes long and at NULL"),
            ),
            (b"moreaa", breach("c-pairs", "the reserved members of its part 0 are not 0")),
            (b"skipaabbcc", breach("c-pairs", "its part 0 begins with ordinal 1, and 0 is next")),
            (b"wildaa", says("it returned 99, which is no result code of the plugin header")),
        ];
        for (bytes, expected) in failures {
            assert_eq!(index(bytes).err(), Some(expected), "{}", String::from_utf8_lossy(bytes));
        }
    });
}

#[test]
fn files_are_written_in_parts_in_c() {
    if !has_cc() {
        return;
    }
    each_header(&[], |stages| {
        let parts = stages.parts.unwrap();
        let encode = |texts: &[&str]| {
            let records: Vec<_> = texts.iter().map(|text| Record::from(Document::new("id", *text))).collect();
            let mut out = Output::default();
            let failures = parts.encode(&records, &mut out);
            let failures: Vec<_> =
                failures.into_iter().map(|(index, why)| (index, why.to_string())).collect();
            (String::from_utf8(out.bytes).unwrap(), failures)
        };
        assert_eq!(encode(&["a", "said", "b"]), ("ab".to_owned(), vec![]));
        assert_eq!(encode(&["a", "bad", "b"]), (String::new(), vec![(1, "as the file says".to_owned())]));
        let forgotten = breach("c-parts", "it put nothing out for the document and did not say so");
        assert_eq!(encode(&["a", "forgotten"]), (String::new(), vec![(1, forgotten)]));
        let no_chunk = breach("c-parts", "it put no chunk out, and did not say that a document failed");
        assert_eq!(encode(&["said", "said"]), (String::new(), vec![(0, no_chunk.clone()), (1, no_chunk)]));

        let mut out = Vec::new();
        let mut part = parts.begin("path:".as_ref(), &mut out).unwrap();
        part.add(b"a".to_vec(), &mut out).unwrap();
        part.add(b"b".to_vec(), &mut out).unwrap();
        part.end(&mut out).unwrap();
        assert_eq!(out, b"path:ab2");
        assert_eq!(
            text(parts.begin("bad".as_ref(), &mut out)).err(),
            Some(says("c-parts", "as the file says"))
        );
        for (chunk, expected) in [
            ("no", says("c-parts", "as the file says")),
            ("void", breach("c-parts", "it put out something that is 7 bytes long and at NULL")),
        ] {
            let mut part = parts.begin("path".as_ref(), &mut Vec::new()).unwrap();
            assert_eq!(text(part.add(chunk.into(), &mut out)), Err(expected));
            let given_up = Err("the part was given up when writing to it failed".to_owned());
            assert_eq!(text(part.add(b"a".to_vec(), &mut out)), given_up);
            assert_eq!(text(part.end(&mut out)), given_up);
        }
        assert_eq!(out, b"path:ab2", "what failed has put nothing");
    });
}

#[test]
fn flags_and_tables_that_do_not_fit_are_refused() {
    if !has_cc() {
        return;
    }
    let folder = folder();
    for (define, message) in [
        ("PAIRS_FLAGS=TAMIS_PARTS", "its flags make no sense: TAMIS_PARTS is for exporters"),
        ("PARTS_FLAGS=TAMIS_RANDOM_ACCESS", "its flags make no sense: TAMIS_RANDOM_ACCESS is for readers"),
        ("PAIRS_FLAGS=TAMIS_RANDOM_ACCESS|TAMIS_WHOLE_FILE", "TAMIS_WHOLE_FILE contradict each other"),
        ("PARTS_FLAGS=TAMIS_PARTS|TAMIS_NAMED_FILES", "TAMIS_NAMED_FILES contradict each other"),
        ("PARTS_FLAGS=TAMIS_OWN_FILE", "TAMIS_OWN_FILE is for exporters with TAMIS_PARTS"),
        ("PAIRS_FLAGS=0", "the function `reader.cut` is missing"),
        ("FILE_DECODE=NULL", "the function `reader.file_decode` is missing"),
        ("PART_FREE=NULL", "the function `exporter.part_free` is missing"),
    ] {
        let library = c_library(folder.path(), "minor.c", "minor", &[define]);
        let error =
            loader().register(&Request::Path(library), None, &mut Registry::new()).expect_err("refused");
        assert!(error.to_string().contains(message), "{define}: {error}");
    }
}
