//! Tests of the `arrow` reader and exporter.

use std::process::Command;
use std::sync::Arc;

use arrow_array::builder::{StringDictionaryBuilder, StringViewBuilder};
use arrow_array::types::Int32Type;
use arrow_array::{ArrayRef, DictionaryArray, ListViewArray, RecordBatch, RunArray, StringArray};
use arrow_ipc::writer::{DictionaryHandling, FileWriter, IpcWriteOptions, StreamWriter};
use arrow_schema::{DataType, Field};
use proptest::prelude::*;
use tamis_plugin::{Document, ExportView, FileReader, Json, PartExporter, Record, Value};

use super::{Arrow, ArrowExportOptions, ArrowExporter, ArrowOptions};
use crate::testing::{Collected, InMemory, read, read_weighed, write};

fn exporter(options: &str) -> ArrowExporter {
    let options: ArrowExportOptions = serde_json::from_str(options).expect("valid options");
    ArrowExporter::open(options).expect("options agree")
}

fn reader(options: &str) -> Arrow {
    let options: ArrowOptions = serde_json::from_str(options).expect("valid options");
    Arrow::open(options).expect("options agree")
}

pub(super) fn read_all(file: Vec<u8>) -> Collected {
    read(&reader("{}"), file, 1 << 20).expect("a sound file").0
}

/// Reads the parts of a file that can be read, and says how many cannot.
fn read_sound_parts(file: Vec<u8>) -> (Collected, usize) {
    let (reader, file) = (reader("{}"), InMemory(file));
    let (index, splits) = reader.index(&file, 1 << 20).expect("it can be indexed");
    let mut collected = Collected::default();
    let failed = splits.iter().filter(|split| reader.decode(&index, &file, split, &mut collected).is_err());
    let n_failed = failed.count();
    (collected, n_failed)
}

fn document(number: usize) -> Document {
    let mut document =
        Document::new(format!("doc-{number}"), format!("第{number}段 \u{1F600}\n\"引\" ").repeat(9));
    document.metadata.insert("url", format!("https://example.org/{number}"));
    document.metadata.insert("bytes", number as i64);
    document.metadata.insert("score", number as f64 + 0.5);
    document.metadata.insert("ok", number.is_multiple_of(2));
    document.metadata.insert("tags", Json::parse("[1,{\"a\":null}]").expect("valid JSON"));
    document.origin.ordinal = number as u64;
    document
}

fn records(n_records: usize) -> Vec<Record> {
    (0..n_records).map(|number| Record::from(document(number))).collect()
}

fn documents(n_documents: usize) -> Vec<Document> {
    (0..n_documents).map(document).collect()
}

fn texts(collected: &Collected) -> Vec<&str> {
    collected.documents.iter().map(|document| document.text.as_str()).collect()
}

pub(super) fn stream(batches: &[RecordBatch], options: IpcWriteOptions) -> Vec<u8> {
    let mut writer =
        StreamWriter::try_new_with_options(Vec::new(), &batches[0].schema(), options).expect("a stream");
    for batch in batches {
        writer.write(batch).expect("a batch");
    }
    writer.into_inner().expect("a stream ends")
}

fn batch(columns: Vec<(&str, ArrayRef)>) -> RecordBatch {
    RecordBatch::try_from_iter(columns).expect("columns of one length")
}

fn plain(texts: &[&str]) -> RecordBatch {
    batch(vec![("text", Arc::new(StringArray::from(texts.to_vec())))])
}

#[test]
fn what_is_written_reads_back_whatever_the_blocks_and_parts() {
    for compression in ["zstd", "lz4", "none"] {
        for (block, target_bytes) in [(1, 1), (7, 500), (100, 1 << 20), (100, 900), (3, 4000)] {
            let options = format!("{{\"compression\":\"{compression}\"}}");
            let file = write(&exporter(&options), &records(100), block);
            let (collected, n_splits) = read(&reader("{}"), file, target_bytes).expect("a sound file");
            assert_eq!(collected.failed, [], "{options} {block} {target_bytes}");
            assert_eq!(collected.documents, documents(100), "{options} {block} {target_bytes}");
            assert!(n_splits >= 100_usize.div_ceil(block), "{n_splits} parts of {target_bytes}");
            assert!(block < 100 || (n_splits > 1) == (target_bytes < 1 << 20), "large batches are cut");
        }
    }
}

#[test]
fn typed_columns_come_back_and_a_wrong_type_fails_its_record() {
    let columns = r#"{"columns":{"url":"string","bytes":"integer","score":"float","ok":"boolean"}}"#;
    let collected = read_all(write(&exporter(columns), &records(10), 4));
    assert_eq!(collected.documents[3].metadata.get("bytes"), Some(&Value::from(3)));
    assert_eq!(collected.documents[3].metadata.get("score"), Some(&Value::from(3.5)));
    let records = records(2);
    let views: Vec<_> = records.iter().map(ExportView::from).collect();
    let failures = exporter(r#"{"columns":{"url":"integer"}}"#).encode(&views, &mut Vec::new());
    assert_eq!(failures.iter().map(|(index, _)| *index).collect::<Vec<_>>(), [0, 1]);
    let wrong: ArrowExportOptions =
        serde_json::from_str(r#"{"columns":{"raw":"string"}}"#).expect("valid options");
    assert!(ArrowExporter::open(wrong).is_err());
}

#[test]
fn a_part_without_records_is_a_file() {
    let file = write(&exporter("{}"), &[], 1);
    let (collected, n_splits) = read(&reader("{}"), file, 1).expect("a sound file");
    assert_eq!((collected.documents.len(), collected.failed.len(), n_splits), (0, 0, 0));
}

#[test]
fn streams_are_read_and_so_are_several_in_one_file() {
    let batches = [plain(&["a", "b"]), plain(&["c"]), plain(&[]), plain(&["d"])];
    let whole = stream(&batches, IpcWriteOptions::default());
    assert_eq!(texts(&read_all(whole.clone())), ["a", "b", "c", "d"]);
    assert_eq!(texts(&read_all(whole[..whole.len() - 8].to_vec())), ["a", "b", "c", "d"]);
    let twice = [whole.clone(), stream(&[plain(&["e"])], IpcWriteOptions::default())].concat();
    assert_eq!(texts(&read_all(twice)), ["a", "b", "c", "d", "e"]);
    let (collected, n_failed) = read_sound_parts([whole, b"something else".to_vec()].concat());
    assert_eq!((texts(&collected), n_failed), (vec!["a", "b", "c", "d"], 1));
}

#[test]
fn streams_of_old_libraries_are_read() {
    let old = IpcWriteOptions::try_new(8, true, arrow_ipc::MetadataVersion::V4).expect("the old form");
    let file = stream(&[plain(&["a", "b"]), plain(&["c"])], old);
    assert_eq!(texts(&read_all(file)), ["a", "b", "c"]);
}

fn coded(texts: &[&str]) -> RecordBatch {
    let mut builder = StringDictionaryBuilder::<Int32Type>::new();
    for text in texts {
        builder.append_value(text);
    }
    batch(vec![("text", Arc::new(builder.finish()) as ArrayRef)])
}

/// A batch whose dictionary begins with that of another.
fn coded_with(values: &[&str], keys: &[i32]) -> RecordBatch {
    let values: ArrayRef = Arc::new(StringArray::from(values.to_vec()));
    let keys = arrow_array::Int32Array::from(keys.to_vec());
    let array = DictionaryArray::<Int32Type>::try_new(keys, values).expect("keys are in range");
    batch(vec![("text", Arc::new(array) as ArrayRef)])
}

#[test]
fn dictionaries_are_read_replaced_and_extended() {
    let replaced = [coded(&["a", "b", "a"]), coded(&["c", "c"]), coded(&["d", "e"])];
    let file = stream(&replaced, IpcWriteOptions::default());
    assert_eq!(texts(&read_all(file)), ["a", "b", "a", "c", "c", "d", "e"]);

    let delta = || IpcWriteOptions::default().with_dictionary_handling(DictionaryHandling::Delta);
    let extended = [coded_with(&["a", "b"], &[1, 0]), coded_with(&["a", "b", "c"], &[2, 0])];
    assert_eq!(texts(&read_all(stream(&extended, delta()))), ["b", "a", "c", "a"]);

    let mut writer =
        FileWriter::try_new_with_options(Vec::new(), &extended[0].schema(), delta()).expect("a file");
    for batch in &extended {
        writer.write(batch).expect("a batch");
    }
    let file = writer.into_inner().expect("a file ends");
    assert_eq!(texts(&read_all(file)), ["b", "a", "c", "a"]);
}

/// Files of some kilobytes that stand for a hundred times as much text.
#[test]
fn values_weigh_what_they_expand_to() {
    const ROWS: usize = 90;
    const TARGET: u64 = 50_000;
    let long = "长".repeat(4000);
    let texts: Vec<_> = (0..20 * ROWS).map(|row| if row < ROWS { long.as_str() } else { "short" }).collect();
    let coded: DictionaryArray<Int32Type> = texts.iter().copied().collect();
    let ends = arrow_array::Int32Array::from(vec![ROWS as i32, 20 * ROWS as i32]);
    let runs = RunArray::try_new(&ends, &StringArray::from(vec![long.as_str(), "short"])).expect("two runs");
    // All long values are the same bytes.
    let mut views = StringViewBuilder::new().with_deduplicate_strings();
    for text in &texts {
        views.append_value(text);
    }
    let items = Arc::new(StringArray::from(vec![long.as_str(), "short"]));
    let field = Arc::new(Field::new("item", DataType::Utf8, true));
    let starts: Vec<_> = texts.iter().map(|text| i32::from(*text == "short")).collect();
    let lists = ListViewArray::new(field, starts.into(), vec![1; texts.len()].into(), items, None);
    let columns: [(ArrayRef, bool); 4] = [
        (Arc::new(coded), false),
        (Arc::new(runs), false),
        (Arc::new(views.finish()), false),
        (Arc::new(lists), true),
    ];
    let numbers: ArrayRef =
        Arc::new((0..texts.len()).map(|row| Some(row.to_string())).collect::<StringArray>());
    for (values, is_list) in columns {
        let batch = batch(vec![("text", Arc::clone(&numbers)), ("body", values)]);
        for compression in [None, Some(arrow_ipc::CompressionType::ZSTD)] {
            let options = IpcWriteOptions::default().try_with_compression(compression).expect("a codec");
            let file = stream(std::slice::from_ref(&batch), options);
            let (documents, n_parts) = read_weighed(&reader("{}"), file, TARGET);
            assert!(n_parts >= ROWS / 6, "{n_parts} parts");
            assert_eq!(documents.len(), texts.len());
            for (row, (document, text)) in documents.iter().zip(&texts).enumerate() {
                assert_eq!(document.text, row.to_string());
                let expected = if is_list {
                    Value::from(Json::parse(&format!("[\"{text}\"]")).expect("JSON"))
                } else {
                    Value::from(*text)
                };
                assert_eq!(document.metadata.get("body"), Some(&expected));
            }
        }
    }
}

#[test]
fn small_batches_that_were_compressed_weigh_what_they_are() {
    let long = "长".repeat(1000);
    let options = IpcWriteOptions::default().try_with_compression(Some(arrow_ipc::CompressionType::ZSTD));
    let file = stream(&[plain(&vec![long.as_str(); 300])], options.expect("a codec"));
    assert!(file.len() < 30_000);
    let (documents, n_parts) = read_weighed(&reader("{}"), file, 30_000);
    assert!(documents.len() == 300 && n_parts >= 30, "{n_parts} parts");
}

#[test]
fn files_that_were_cut_off_are_read_up_to_there() {
    let file = write(&exporter("{}"), &records(9), 3);
    let (collected, n_failed) = read_sound_parts(file[..file.len() - 1].to_vec());
    assert_eq!((collected.documents, n_failed), (documents(9), 0), "only the footer is gone");
    let third = file.len() * 6 / 10;
    let (collected, n_failed) = read_sound_parts(file[..third].to_vec());
    assert_eq!((collected.documents.len() % 3, n_failed), (0, 1));
    assert!(collected.documents.len() < 9);
    assert_eq!(collected.documents, documents(collected.documents.len()));
}

#[test]
fn files_that_are_none_are_refused() {
    let sound = write(&exporter("{}"), &records(3), 2);
    let cases = [
        (Vec::new(), "no Arrow file"),
        (b"ARROW1".to_vec(), "cut off"),
        (b"FEA1\0\0\0\0".to_vec(), "Feather file of version 1"),
        (b"PAR1\0\0\0\0".to_vec(), "damaged"),
        ([0xFF; 8].to_vec(), "damaged"),
        (b"\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x7F".to_vec(), "damaged"),
        (sound[..70].to_vec(), "cut off"),
    ];
    for (file, expected) in cases {
        let error = read(&reader("{}"), file, 1 << 20).expect_err(expected).to_string();
        assert!(error.contains(expected), "{error}");
    }
}

#[test]
fn lengths_beyond_reason_are_refused_before_anything_is_allocated() {
    // The sizes that compressed columns claim.
    let sound = write(&exporter("{}"), &records(50), 50);
    let size = documents(50).iter().map(|document| document.text.len() as i64).sum::<i64>().to_le_bytes();
    let at = sound.windows(8).position(|window| window == size).expect("the text is compressed");
    for claim in [i64::MAX, 1 << 40, i64::MIN, -2] {
        let mut file = sound.clone();
        file[at..at + 8].copy_from_slice(&claim.to_le_bytes());
        let (collected, n_failed) = read_sound_parts(file);
        assert_eq!((collected.documents.len(), n_failed), (0, 1), "{claim}");
    }
    // The lengths of footer and blocks.
    let end = sound.len() - 10;
    for claim in [i32::MAX, i32::MIN, -1, 0, 1] {
        let mut file = sound.clone();
        file[end..end + 4].copy_from_slice(&claim.to_le_bytes());
        assert_eq!(read_sound_parts(file).0.documents, documents(50), "found without the footer");
    }
}

#[test]
fn damage_costs_its_part_alone() {
    let mut file = write(&exporter(r#"{"compression":"none"}"#), &records(9), 3);
    let needle = "第4段".as_bytes();
    let at = file.windows(needle.len()).position(|window| window == needle).expect("the text is plain");
    file[at] = 0xFF;
    let (collected, n_failed) = read_sound_parts(file);
    let ordinals: Vec<_> = collected.documents.iter().map(|document| document.origin.ordinal).collect();
    assert_eq!((ordinals, n_failed), (vec![0, 1, 2, 6, 7, 8], 1));
}

#[test]
fn sniffs_what_it_reads() {
    let file = write(&exporter("{}"), &records(1), 1);
    let stream = stream(&[plain(&["a"])], IpcWriteOptions::default());
    let cases: [(&[u8], &str, u8); 7] = [
        (&file, "a", 100),
        (&stream, "a", 90),
        (&stream[..20], "a", 90),
        (b"\xFF\xFF\xFF\xFF\x03\0\0\0", "a", 0),
        (b"text", "a.arrow", 60),
        (b"text", "a.txt", 0),
        (b"", "a", 0),
    ];
    for (head, name, expected) in cases {
        assert_eq!(reader("{}").sniff(head, true, name), expected, "{name}");
    }
}

#[test]
fn records_of_different_columns_are_refused() {
    let (with_raw, without) = (exporter(r#"{"raw":true}"#), exporter("{}"));
    let records = records(1);
    let views: Vec<_> = records.iter().map(ExportView::from).collect();
    let (mut first, mut second, mut out) = (Vec::new(), Vec::new(), Vec::new());
    assert_eq!(with_raw.encode(&views, &mut first), []);
    assert_eq!(without.encode(&views, &mut second), []);
    let mut part = without.begin(std::path::Path::new("unused"), &mut out).expect("a part begins");
    without.add(&mut part, first, &mut out).expect("the first chunk");
    assert!(without.add(&mut part, second, &mut out).is_err());
    assert!(without.add(&mut part, vec![1; 20], &mut out).is_err());
}

/// Runs a Python program with pyarrow; says loudly when there is none.
fn python(script: &str, arguments: &[&std::path::Path]) -> bool {
    let probe = Command::new("python3").args(["-c", "import pyarrow.ipc"]).output();
    if !probe.is_ok_and(|output| output.status.success()) {
        // A skipped check must be seen: the harness shows the name of this test beside the message.
        std::io::Write::write_all(&mut std::io::stderr(), b"SKIPPED: python3 with pyarrow is not there\n")
            .expect("standard error");
        return false;
    }
    let output = Command::new("python3").args(["-c", script]).args(arguments).output().expect("python3 runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    true
}

#[test]
fn pyarrow_reads_what_is_written() {
    let folder = tempfile::tempdir().expect("a folder");
    let script = r#"
import json, sys, pyarrow as pa, pyarrow.feather
for source in [pa.memory_map(sys.argv[1]), pa.OSFile(sys.argv[1])]:
    reader = pa.ipc.open_file(source)
    assert reader.num_record_batches == 15, reader.num_record_batches
    table = reader.read_all()
    table.validate(full=True)
    rows = table.to_pylist()
    assert len(rows) == 100
    for number, row in enumerate(rows):
        assert row["id"] == f"doc-{number}", row
        assert row["text"] == f"第{number}段 \U0001F600\n\"引\" " * 9, row
        metadata = row["metadata"]
        metadata = json.loads(metadata) | row
        assert metadata["bytes"] == number and metadata["ok"] == (number % 2 == 0), row
assert pyarrow.feather.read_table(sys.argv[1]).num_rows == 100
"#;
    for compression in ["zstd", "lz4", "none"] {
        for columns in ["{}", r#"{"bytes":"integer","ok":"boolean"}"#] {
            let options = format!(r#"{{"compression":"{compression}","columns":{columns}}}"#);
            let path = folder.path().join("a.arrow");
            std::fs::write(&path, write(&exporter(&options), &records(100), 7)).expect("a file");
            if !python(script, &[&path]) {
                return;
            }
        }
    }
}

#[test]
fn what_pyarrow_writes_is_read() {
    let folder = tempfile::tempdir().expect("a folder");
    let script = r#"
import sys, pyarrow as pa, pyarrow.feather
def table(of):
    return pa.table({
        "id": [f"{of}-{i}" for i in range(50)],
        "text": pa.array([f"文 {of} {i}" for i in range(50)], pa.string_view() if of == 1 else pa.large_string()),
        "site": pa.array([f"s{i % (3 + of)}" for i in range(50)]).dictionary_encode(),
        "when": pa.array([i * 1000000 for i in range(50)], pa.timestamp("us", "UTC")),
        "tags": [[i, None] for i in range(50)],
    })
for codec in [None, "lz4", "zstd"]:
    options = pa.ipc.IpcWriteOptions(compression=codec, unify_dictionaries=True)
    with pa.ipc.new_file(f"{sys.argv[1]}/{codec}.arrow", table(0).schema, options=options) as out:
        out.write_table(table(0), max_chunksize=7)
    with pa.ipc.new_stream(f"{sys.argv[1]}/{codec}.arrows", table(0).schema, options=options) as out:
        for of in [0, 2, 4]:
            out.write_table(table(of), max_chunksize=20)
    with pa.ipc.new_stream(f"{sys.argv[1]}/{codec}.view.arrows", table(1).schema, options=options) as out:
        out.write_table(table(1))
    pyarrow.feather.write_feather(table(0), f"{sys.argv[1]}/{codec}.feather", compression=codec or "uncompressed")
"#;
    if !python(script, &[folder.path()]) {
        return;
    }
    for codec in ["None", "lz4", "zstd"] {
        for (file, sets) in
            [("arrow", vec![0]), ("feather", vec![0]), ("arrows", vec![0, 2, 4]), ("view.arrows", vec![1])]
        {
            let bytes = std::fs::read(folder.path().join(format!("{codec}.{file}"))).expect("a file");
            let (collected, _) = read(&reader("{}"), bytes, 300).expect(file);
            assert_eq!(collected.failed, [], "{codec}.{file}");
            assert_eq!(collected.documents.len(), 50 * sets.len());
            for (document, (of, number)) in collected
                .documents
                .iter()
                .zip(sets.iter().flat_map(|of| (0..50).map(move |number| (*of, number))))
            {
                assert_eq!(document.id, format!("{of}-{number}"));
                assert_eq!(document.text, format!("文 {of} {number}"));
                let site = Value::from(format!("s{}", number % (3 + of)));
                assert_eq!(document.metadata.get("site"), Some(&site), "{codec}.{file}");
                let when = Value::from(format!("1970-01-01T00:00:{number:02}Z"));
                assert_eq!(document.metadata.get("when"), Some(&when));
            }
        }
    }
}

fn any_record() -> impl Strategy<Value = Record> {
    let value = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
    ];
    let metadata = prop::collection::vec((any::<String>(), value), 0..5);
    (".+", any::<String>(), prop::option::of(any::<Vec<u8>>()), metadata).prop_map(
        |(id, text, raw, metadata)| {
            let mut document = Document::new(id, text);
            document.raw = raw;
            document.metadata = metadata.into_iter().collect();
            Record::from(document)
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn nothing_is_lost(records in prop::collection::vec(any_record(), 1..8), block in 1_usize..4, target in 1_u64..200) {
        let file = write(&exporter(r#"{"raw":true}"#), &records, block);
        let (mut collected, _) = read(&reader("{}"), file, target).expect("a sound file");
        for document in &mut collected.documents {
            document.origin.ordinal = 0;
        }
        let documents: Vec<_> = records.into_iter().map(|record| record.document).collect();
        prop_assert_eq!(collected.documents, documents);
    }

    #[test]
    fn damaged_files_fail_and_never_panic(
        flips in prop::collection::vec((any::<prop::sample::Index>(), any::<u64>(), prop::sample::select(vec![1_usize, 4, 8])), 1..4),
        near in prop::sample::select(vec!["start", "end", "anywhere"]),
        form in prop::sample::select(vec!["none", "zstd", "lz4", "stream", "dictionaries"]),
        cut in prop::option::of(any::<prop::sample::Index>()),
    ) {
        let batches = [coded(&["a", "b", "a"]), coded(&["c", "c"])];
        let mut file = match form {
            "stream" => stream(&[plain(&["a", "b"]), plain(&["c"])], IpcWriteOptions::default()),
            "dictionaries" => stream(&batches, IpcWriteOptions::default()),
            compression => write(&exporter(&format!("{{\"compression\":\"{compression}\"}}")), &records(12), 3),
        };
        let (start, end) = match near {
            "start" => (0, 400),
            "end" => (file.len() - 400, file.len()),
            _ => (0, file.len()),
        };
        for (at, value, width) in flips {
            let at = start + at.index(end - start - width);
            file[at..at + width].copy_from_slice(&value.to_le_bytes()[..width]);
        }
        if let Some(cut) = cut {
            file.truncate(cut.index(file.len()));
        }
        // Read or refused: either is fine, as long as it ends.
        let file = InMemory(file);
        let reader = reader("{}");
        if let Ok((index, splits)) = reader.index(&file, 1 << 20) {
            let mut collected = Collected::default();
            for split in &splits {
                let before = collected.documents.len() + collected.failed.len();
                if reader.decode(&index, &file, split, &mut collected).is_ok() {
                    let n_emitted = collected.documents.len() + collected.failed.len() - before;
                    prop_assert_eq!(n_emitted as u64, split.records);
                }
            }
        }
    }
}
