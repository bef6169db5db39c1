//! Exporters of files with parts.

use std::cell::Cell;
use std::path::{Path, PathBuf};

use tamis_document::{Document, Record};
use tamis_plugin::{ExportView, Failure, NoOptions, PartExporter, SetupError};
use tamis_stage::Output;
use tamis_stage::handle::{ExporterHandle, OpenStage};

use crate::{breach, open};

thread_local! {
    /// How many parts are open that were begun on this thread.
    static OPEN: Cell<i32> = const { Cell::new(0) };
}

/// Lines, and at the end of a part how many there are.
pub(crate) struct Counted;

/// The same, in a file of its own.
pub(crate) struct Own;

pub(crate) struct Part {
    path: PathBuf,
    lines: usize,
}

impl Drop for Part {
    fn drop(&mut self) {
        OPEN.set(OPEN.get() - 1);
        assert!(!self.path.ends_with("freed"), "freed");
    }
}

fn encode(records: &[ExportView<'_>], chunk: &mut Vec<u8>) -> Vec<(usize, Failure)> {
    let mut failures = Vec::new();
    for (index, record) in records.iter().enumerate() {
        match record.document.text() {
            "bad" => failures.push((index, Failure::new("no line"))),
            "panic" => panic!("no line at all"),
            "crowd" => assert!(records.len() < 2, "too many"),
            "elsewhere" => failures.push((1000, Failure::new("not mine"))),
            "twice" => failures.extend([(index, Failure::new("a")), (index, Failure::new("b"))]),
            "silent" => {}
            text => chunk.extend(format!("{text}\n").into_bytes()),
        }
    }
    failures
}

macro_rules! exporter {
    ($stage:ident, $name:literal, $own:literal) => {
        impl PartExporter for $stage {
            const NAME: &'static str = $name;
            const OWN_FILE: bool = $own;
            type Options = NoOptions;
            type Part = Part;

            fn open(_: NoOptions) -> Result<Self, SetupError> {
                Ok(Self)
            }

            fn extension(&self) -> &'static str {
                "txt"
            }

            fn encode(&self, records: &[ExportView<'_>], chunk: &mut Vec<u8>) -> Vec<(usize, Failure)> {
                encode(records, chunk)
            }

            fn begin(&self, path: &Path, out: &mut Vec<u8>) -> Result<Part, Failure> {
                assert!(!path.ends_with("panics"), "no part");
                if path.ends_with("refused") {
                    return Err(Failure::new("no room"));
                }
                OPEN.set(OPEN.get() + 1);
                if !$own || path.ends_with("begun") {
                    out.extend(b"lines:\n");
                }
                Ok(Part { path: path.to_owned(), lines: 0 })
            }

            fn add(&self, part: &mut Part, chunk: Vec<u8>, out: &mut Vec<u8>) -> Result<(), Failure> {
                out.extend(&chunk);
                if $own && !part.path.ends_with("added") {
                    out.clear();
                }
                part.lines += chunk.split(|byte| *byte == b'\n').count() - 1;
                assert_ne!(chunk, b"shock\n", "not that");
                if chunk == b"refused\n" { Err(Failure::new("no such line")) } else { Ok(()) }
            }

            fn end(&self, part: Part, out: &mut Vec<u8>) -> Result<(), Failure> {
                assert!(!part.path.ends_with("endless"), "no end");
                if !$own || part.path.ends_with("ended") {
                    out.extend(part.lines.to_string().into_bytes());
                }
                if part.path.ends_with("unended") { Err(Failure::new("no end")) } else { Ok(()) }
            }
        }
    };
}

exporter!(Counted, "counted", false);
exporter!(Own, "own", true);

fn exporter(name: &str) -> Box<dyn ExporterHandle> {
    let OpenStage::Exporter(exporter) = open(name) else { panic!("it is an exporter") };
    exporter
}

fn chunk(texts: &[&str]) -> Result<Vec<u8>, Vec<(usize, String)>> {
    let records: Vec<_> = texts.iter().map(|text| Record::from(Document::new("id", *text))).collect();
    let mut out = Output { bytes: b"before".to_vec(), files: Vec::new() };
    let failures = exporter("counted").encode(&records, &mut out);
    let chunk = out.bytes.strip_prefix(b"before").unwrap().to_vec();
    if failures.is_empty() {
        return Ok(chunk);
    }
    assert_eq!(chunk, b"", "a chunk with failures is thrown away");
    Err(failures.into_iter().map(|(index, failure)| (index, failure.to_string())).collect())
}

fn says(stage: &str, message: &str) -> String {
    format!("stage `{stage}` of plugin `boundary`: {message}")
}

#[test]
fn the_flags_say_how_it_writes() {
    let stages = tamis_host::bundled(crate::plugin()).unwrap();
    let flags = |name: &str| {
        let flags = stages.iter().find(|stage| stage.info().name == name).unwrap().info().flags;
        (flags.byte_stream, flags.named_files, flags.parts, flags.own_file, flags.random_access)
    };
    assert_eq!(flags("counted"), (false, false, true, false, false));
    assert_eq!(flags("own"), (false, false, true, true, false));
    assert_eq!(flags("places"), (true, false, false, false, false));
    assert_eq!(flags("cells"), (false, false, false, false, true));
}

#[test]
fn a_chunk_is_whole_or_none() {
    assert_eq!(chunk(&["a", "b", "字"]), Ok("a\nb\n字\n".into()));
    assert_eq!(chunk(&["silent"]), Ok(Vec::new()));
    assert_eq!(chunk(&["a", "bad", "b", "bad"]), Err(vec![(1, "no line".into()), (3, "no line".into())]));
    assert_eq!(chunk(&["bad"]), Err(vec![(0, "no line".into())]));
    let panicked = chunk(&["a", "panic", "b", "bad"]).unwrap_err();
    assert_eq!(panicked.iter().map(|(index, _)| *index).collect::<Vec<_>>(), [1, 3]);
    assert!(panicked[0].1.starts_with("the stage panicked: no line at all ("), "{}", panicked[0].1);
    // Nobody panics alone.
    let crowd = chunk(&["a", "crowd"]).unwrap_err();
    assert_eq!(crowd.len(), 2);
    assert!(crowd[0].1.starts_with(&says("counted", "the stage panicked: too many (")), "{}", crowd[0].1);
    let elsewhere = breach("counted", "it named document 1000 in a call with 2 documents");
    assert_eq!(chunk(&["a", "elsewhere"]), Err(vec![(0, elsewhere.clone()), (1, elsewhere)]));
    assert_eq!(chunk(&["a", "twice"]), Err(vec![(1, breach("counted", "it judged the document twice"))]));
}

#[test]
fn a_part_is_begun_added_to_and_ended() {
    let exporter = exporter("counted");
    assert_eq!((exporter.head().unwrap(), exporter.tail().unwrap()), (Vec::new(), Vec::new()));
    let mut out = b"before ".to_vec();
    let mut part = exporter.begin("a/path".as_ref(), &mut out).unwrap();
    part.add(b"a\nb\n".to_vec(), &mut out).unwrap();
    let (mut beside, mut others) = (exporter.begin("b".as_ref(), &mut Vec::new()).unwrap(), Vec::new());
    std::thread::scope(|scope| {
        scope.spawn(|| beside.add(b"x\n".to_vec(), &mut others).unwrap()).join().unwrap();
    });
    part.add(b"c\n".to_vec(), &mut out).unwrap();
    part.end(&mut out).unwrap();
    assert_eq!(String::from_utf8(out).unwrap(), "before lines:\na\nb\nc\n3");
    assert_eq!(OPEN.get(), 1);
    drop(beside);
    assert_eq!((OPEN.get(), others.as_slice()), (0, &b"x\n"[..]));
}

/// Writes a part of one chunk; what failed, and where.
fn part(exporter: &str, path: &str, chunk: &str) -> Result<Vec<u8>, (&'static str, String)> {
    let handle = self::exporter(exporter);
    let mut out = Vec::new();
    let told = |what| move |failure: Failure| (what, failure.to_string());
    let written = (|| {
        let mut part = handle.begin(path.as_ref(), &mut out).map_err(told("begin"))?;
        if let Err(failure) = part.add(chunk.into(), &mut out) {
            let given_up = "the part was given up when writing to it failed";
            assert_eq!(part.add(b"more".to_vec(), &mut out).unwrap_err().to_string(), given_up);
            assert_eq!(part.end(&mut out).unwrap_err().to_string(), given_up);
            return Err(told("add")(failure));
        }
        part.end(&mut out).map_err(told("end"))
    })();
    assert_eq!(OPEN.get(), 0, "every part is ended or freed");
    written.map(|()| out)
}

#[test]
fn a_part_that_fails_is_given_up() {
    assert_eq!(part("counted", "good", "a\n"), Ok(b"lines:\na\n1".to_vec()));
    assert_eq!(part("own", "good", "a\n"), Ok(Vec::new()));
    let failures = [
        ("counted", "refused", "a\n", "begin", "no room"),
        ("counted", "panics", "a\n", "begin", "the stage panicked: no part ("),
        ("counted", "good", "refused\n", "add", "no such line"),
        (
            "counted",
            "good",
            "shock\n",
            "add",
            "the stage panicked: assertion `left != right` failed: not that",
        ),
        ("counted", "freed", "refused\n", "add", "no such line"),
        ("counted", "unended", "a\n", "end", "no end"),
        ("counted", "endless", "a\n", "end", "the stage panicked: no end ("),
    ];
    for (stage, path, chunk, place, message) in failures {
        let (failed, failure) = part(stage, path, chunk).unwrap_err();
        assert_eq!(failed, place, "{failure}");
        assert!(failure.starts_with(&says(stage, message)), "{failure}");
    }
    for (path, place, n) in [("begun", "begin", 7), ("added", "add", 2), ("ended", "end", 1)] {
        let put = format!("it put {n} bytes out, and says that it writes its files itself");
        assert_eq!(part("own", path, "a\n"), Err((place, breach("own", &put))));
    }
}

#[test]
fn an_exporter_of_a_stream_has_no_parts() {
    let failure = exporter("places").begin("a".as_ref(), &mut Vec::new()).err().unwrap();
    assert_eq!(failure.to_string(), "the exporter writes a stream");
}

#[cfg(unix)]
#[test]
fn a_path_that_is_not_utf8_is_refused() {
    use std::os::unix::ffi::OsStrExt as _;

    let path = Path::new(std::ffi::OsStr::from_bytes(b"a\xff"));
    let failure = exporter("counted").begin(path, &mut Vec::new()).err().unwrap().to_string();
    assert!(failure.contains("is not UTF-8, which plugins need"), "{failure}");
}
