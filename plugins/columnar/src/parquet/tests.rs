//! Tests of the `parquet` reader and exporter.

use std::process::Command;
use std::sync::Arc;

use arrow_array::builder::{ListBuilder, MapBuilder, StringBuilder, StringDictionaryBuilder};
use arrow_array::types::Int32Type;
use arrow_array::{
    ArrayRef, BinaryArray, Date32Array, Decimal128Array, DictionaryArray, Float32Array, Float64Array,
    Int64Array, RecordBatch, StringArray, StructArray, TimestampMillisecondArray, UInt64Array,
};
use bytes::Bytes;
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use parquet::basic::{BrotliLevel, Compression as PageCompression, Encoding};
use parquet::data_type::{ByteArray, ByteArrayType, Int96, Int96Type};
use parquet::file::metadata::ColumnChunkMetaData;
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::file::reader::{FileReader as _, SerializedFileReader};
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::parser::parse_message_type;
use proptest::prelude::*;
use tamis_plugin::{
    Document, ExportView, Failure, Fate, FileReader, Json, Limit, Measure, PartExporter, Record, Value,
};

use super::{Parquet, ParquetExportOptions, ParquetExporter, ParquetOptions};
use crate::testing::{Collected, InMemory, read, read_weighed, write};

fn exporter(options: &str) -> ParquetExporter {
    let options: ParquetExportOptions = serde_json::from_str(options).expect("valid options");
    ParquetExporter::open(options).expect("options agree")
}

fn reader(options: &str) -> Parquet {
    let options: ParquetOptions = serde_json::from_str(options).expect("valid options");
    Parquet::open(options).expect("options agree")
}

fn read_all(file: Vec<u8>) -> Collected {
    read(&reader("{}"), file, 1 << 20).expect("a sound file").0
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

#[test]
fn what_is_written_reads_back_whatever_the_blocks_groups_and_parts() {
    for compression in ["zstd", "snappy", "gzip", "lz4", "none"] {
        for (block, group_bytes, target_bytes) in
            [(1, 1, 1), (7, 3000, 500), (100, 1 << 20, 1 << 20), (3, 1 << 20, 4000)]
        {
            let options = format!("{{\"compression\":\"{compression}\",\"row_group_bytes\":{group_bytes}}}");
            let file = write(&exporter(&options), &records(100), block);
            let (collected, n_splits) = read(&reader("{}"), file, target_bytes).expect("a sound file");
            assert_eq!(collected.failed, [], "{options} {block} {target_bytes}");
            assert_eq!(collected.documents, documents(100), "{options} {block} {target_bytes}");
            assert_eq!(n_splits > 1, target_bytes < 1 << 20, "{n_splits} parts of {target_bytes}");
        }
    }
}

#[test]
fn row_groups_hold_several_blocks_and_statistics_of_all() {
    let file = write(&exporter("{}"), &records(60), 7);
    let metadata = parquet::file::metadata::ParquetMetaDataReader::new()
        .parse_and_finish(&Bytes::from(file))
        .expect("a sound file");
    let [group] = metadata.row_groups() else { panic!("{} row groups", metadata.num_row_groups()) };
    assert_eq!(group.num_rows(), 60);
    let statistics = group.column(0).statistics().expect("ids have statistics");
    assert_eq!(statistics.min_bytes_opt(), Some(b"doc-0".as_slice()));
    assert_eq!(statistics.max_bytes_opt(), Some(b"doc-9".as_slice()));
    assert!(group.column(1).statistics().is_none());
}

fn metadata_of(file: Vec<u8>) -> parquet::file::metadata::ParquetMetaData {
    let reader = parquet::file::metadata::ParquetMetaDataReader::new();
    reader.parse_and_finish(&Bytes::from(file)).expect("a sound file")
}

#[test]
fn chunks_say_the_same_whoever_writes_them() {
    // Chunks with Zstandard or without compression are written here, others by the library.
    for options in [r#""rest":true"#, r#""origin":true"#] {
        let files = ["none", "snappy"].map(|compression| {
            let exporter = exporter(&format!("{{\"compression\":\"{compression}\",{options}}}"));
            metadata_of(write(&exporter, &records(30), 30))
        });
        let [own, library] = files.each_ref().map(|file| {
            let columns = file.row_group(0).columns().iter().map(|column| {
                let encodings: Vec<_> = column.encodings().collect();
                (column.num_values(), column.uncompressed_size(), encodings, column.statistics().cloned())
            });
            (file.file_metadata(), columns.collect::<Vec<_>>())
        });
        assert_eq!(own.0.schema(), library.0.schema());
        assert_eq!(own.0.key_value_metadata(), library.0.key_value_metadata());
        assert_eq!((own.0.num_rows(), own.0.created_by()), (library.0.num_rows(), library.0.created_by()));
        assert_eq!(own.1, library.1, "{options}");
    }
}

#[test]
fn statistics_of_long_ids_hold() {
    for compression in ["zstd", "snappy"] {
        for character in ['a', '界', '\u{D7FF}', '\u{10FFFF}'] {
            let ids = [1, 15, 16, 17, 21, 22, 64, 65].map(|n| character.to_string().repeat(n) + "b");
            let records = ids.each_ref().map(|id| Record::from(Document::new(id.as_str(), "text")));
            let options = format!("{{\"compression\":\"{compression}\"}}");
            let file = metadata_of(write(&exporter(&options), &records, 3));
            let Some(statistics) = file.row_group(0).column(0).statistics() else {
                assert_eq!(character, char::MAX, "nothing lies above it alone");
                continue;
            };
            let range = [statistics.min_bytes_opt(), statistics.max_bytes_opt()];
            let [min, max] = range.map(|bound| std::str::from_utf8(bound.expect("a bound")).expect("UTF-8"));
            assert!(
                ids.iter().all(|id| min <= id.as_str() && max >= id.as_str()),
                "{compression} {min} {max}"
            );
            // The library does not step over the surrogates.
            assert!(max.len() <= 64 || compression == "snappy", "{max}");
        }
    }
}

#[test]
fn a_column_has_as_many_pages_as_it_needs() {
    let records: Vec<_> = [10, 3 << 20, 0, 1 << 20, 5]
        .iter()
        .enumerate()
        .map(|(number, length)| Record::from(Document::new(number.to_string(), "界".repeat(length / 3))))
        .collect();
    let file = write(&exporter("{}"), &records, 5);
    let read = read_all(file);
    let texts =
        |documents: &[Document]| documents.iter().map(|document| document.text.clone()).collect::<Vec<_>>();
    let written: Vec<_> = records.into_iter().map(|record| record.document).collect();
    assert!(texts(&read.documents) == texts(&written));
}

#[test]
fn short_values_of_many_chunks_are_one_page() {
    let long = "字".repeat(1000);
    for compression in ["zstd", "none"] {
        let texts = ["", "short", &long, "", &long].repeat(40);
        let records: Vec<_> =
            (0..).zip(&texts).map(|(n, text)| Record::from(Document::new(n.to_string(), *text))).collect();
        // Chunks of one document, as partitions have them.
        let file = write(&exporter(&format!("{{\"compression\":\"{compression}\"}}")), &records, 1);
        let reader = SerializedFileReader::new(Bytes::from(file.clone())).expect("a sound file");
        let group = reader.get_row_group(0).expect("a row group");
        let pages = |column| group.get_column_page_reader(column).expect("a column").count();
        // An empty text stands between two long ones, two short ones before the first.
        assert_eq!([pages(0), pages(1), pages(2)], [1, 160, 1], "{compression}");
        let read: Vec<_> = read_all(file).documents.into_iter().map(|document| document.text).collect();
        assert!(read == texts, "{compression}");
    }
}

#[test]
fn chunks_of_others_are_refused() {
    let (exporter, mut out, mut chunk) = (exporter("{}"), Vec::new(), Vec::new());
    assert_eq!(exporter.encode(&[ExportView::from(&records(1)[0])], &mut chunk), []);
    for length in [4, 11, 12, 30, chunk.len() - 1] {
        let mut part = exporter.begin("unused".as_ref(), &mut out).expect("a part begins");
        let failure = exporter.add(&mut part, chunk[..length].to_vec(), &mut out).expect_err("cut off");
        assert!(failure.to_string().starts_with("a chunk that is none of this exporter: "), "{failure}");
    }
}

#[test]
fn columns_are_typed_and_the_rest_is_kept() {
    let options =
        r#"{"columns":{"url":"string","bytes":"integer","score":"float","ok":"boolean","none":"string"}}"#;
    let collected = read_all(write(&exporter(options), &records(5), 2));
    let metadata = serde_json::to_string(&collected.documents[1].metadata).expect("JSON");
    assert_eq!(
        metadata,
        r#"{"bytes":1,"none":null,"ok":false,"score":1.5,"tags":[1,{"a":null}],"url":"https://example.org/1"}"#
    );
}

#[test]
fn columns_stand_beside_the_text_and_dead_letters_have_none() {
    let names = |options: &str, records: &[Record]| {
        let file = Bytes::from(write(&exporter(options), records, 3));
        let reader = ParquetRecordBatchReaderBuilder::try_new(file).expect("a sound file");
        let names = reader.schema().fields().iter().map(|field| field.name().clone());
        names.collect::<Vec<_>>().join(" ")
    };
    let columns = r#""columns":{"url":"string","bytes":"integer"}"#;
    assert_eq!(names(&format!("{{{columns}}}"), &records(3)), "id text bytes url metadata");
    assert_eq!(names(&format!(r#"{{{columns},"rest":false}}"#), &records(3)), "id text bytes url");
    let mut failed = records(3);
    for record in &mut failed {
        record.fate = Fate::Failed("why".into());
    }
    let of_failed = "id text metadata stage reason measures origin raw";
    assert_eq!(names(&format!("{{{columns}}}"), &failed), of_failed);
}

#[test]
fn a_value_of_another_type_fails_its_record_alone() {
    let exporter = exporter(r#"{"columns":{"bytes":"integer"}}"#);
    let mut records = records(3);
    records[1].document.metadata.insert("bytes", "12");
    let views: Vec<_> = records.iter().map(ExportView::from).collect();
    let message = "field `bytes` is a string, not a whole number as `columns` says";
    assert_eq!(exporter.encode(&views, &mut Vec::new()), [(1, Failure::new(message))]);
}

#[test]
fn options_that_contradict_each_other_are_refused() {
    let cases = [
        (r#"{"columns":{"metadata":"string"}}"#, "columns"),
        (r#"{"columns":{"Text":"string"}}"#, "columns"),
        (r#"{"columns":{"url":"string","URL":"string"}}"#, "columns"),
        (r#"{"compression_level":23}"#, "compression_level"),
        (r#"{"compression":"gzip","compression_level":10}"#, "compression_level"),
        (r#"{"compression":"lz4","compression_level":1}"#, "compression_level"),
    ];
    for (options, option) in cases {
        let options: ParquetExportOptions = serde_json::from_str(options).expect("valid options");
        let error = ParquetExporter::open(options).expect_err("options contradict each other");
        assert_eq!(error.option(), Some(option), "{error}");
    }
    for options in
        [r#"{"fields":{"text":"","raw":""}}"#, r#"{"fields":{"text":"id"}}"#, r#"{"spread":"text"}"#]
    {
        let options: ParquetOptions = serde_json::from_str(options).expect("valid options");
        assert!(Parquet::open(options).is_err());
    }
}

#[test]
fn dropped_and_failed_records_say_why_and_can_be_replayed() {
    let mut record = Record::from(document(1));
    record.document.raw = Some(vec![0xFF, 0]);
    record.stage = Some("length".into());
    record.measures = vec![
        Measure { name: "chars".into(), value: 12.0, limit: Limit::Min(200.0) },
        Measure { name: "odd".into(), value: f64::NAN, limit: Limit::None },
    ];
    let measures = r#"[{"name":"chars","value":12,"min":200},{"name":"odd","value":null}]"#;
    for (fate, raw) in
        [(Fate::Dropped("short".into()), None), (Fate::Failed("why".into()), Some(vec![0xFF, 0]))]
    {
        record.fate = fate;
        let collected = read_all(write(&exporter("{}"), std::slice::from_ref(&record), 1));
        let read = &collected.documents[0];
        assert_eq!(read.raw, raw);
        assert_eq!(read.metadata.get("stage"), Some(&Value::from("length")));
        assert_eq!(read.metadata.get("measures"), Some(&Value::from(measures)));
        let origin = read.metadata.get("origin").map(|value| value.as_str().expect("JSON text").to_owned());
        assert_eq!(origin, raw.map(|_| r#"{"file":"","offset":0,"length":0,"ordinal":1}"#.to_owned()));
    }
}

#[test]
fn records_of_two_kinds_are_not_mixed_silently() {
    let exporter = exporter("{}");
    let mut out = Vec::new();
    let mut part = exporter.begin("unused".as_ref(), &mut out).expect("a part begins");
    let mut record = Record::from(document(1));
    for fate in [Fate::Kept, Fate::Dropped("short".into())] {
        let is_kept = fate == Fate::Kept;
        record.fate = fate;
        let mut chunk = Vec::new();
        assert_eq!(exporter.encode(&[ExportView::from(&record)], &mut chunk), []);
        assert_eq!(exporter.add(&mut part, chunk, &mut out).is_ok(), is_kept);
    }
}

#[test]
fn a_part_without_records_is_a_file() {
    assert_eq!(read_all(write(&exporter("{}"), &[], 1)).documents, []);
}

fn written(columns: Vec<(&str, ArrayRef)>) -> Vec<u8> {
    let batch = RecordBatch::try_from_iter(columns).expect("columns of one length");
    let mut writer = ArrowWriter::try_new(Vec::new(), batch.schema(), None).expect("a writer");
    writer.write(&batch).expect("a batch is written");
    writer.into_inner().expect("a file ends")
}

#[test]
fn every_type_has_a_form() {
    let mut list = ListBuilder::new(StringBuilder::new());
    list.append_value([Some("a"), None]);
    let mut map = MapBuilder::new(None, StringBuilder::new(), StringBuilder::new());
    map.keys().append_value("k");
    map.values().append_value("v");
    map.append(true).expect("one entry");
    let mut dictionary = StringDictionaryBuilder::<Int32Type>::new();
    dictionary.append_value("word");
    let decimal = Decimal128Array::from(vec![12345]).with_precision_and_scale(10, 2).expect("a decimal");
    let file = written(vec![
        ("text", Arc::new(BinaryArray::from(vec!["t".as_bytes()]))),
        ("binary", Arc::new(BinaryArray::from(vec![[0xFF, 0].as_slice()]))),
        ("date", Arc::new(Date32Array::from(vec![19_783]))),
        ("decimal", Arc::new(decimal)),
        ("dictionary", Arc::new(dictionary.finish())),
        ("instant", Arc::new(TimestampMillisecondArray::from(vec![1_709_287_200_250]).with_timezone("UTC"))),
        ("large", Arc::new(UInt64Array::from(vec![u64::MAX]))),
        ("list", Arc::new(list.finish())),
        ("map", Arc::new(map.finish())),
        ("nan", Arc::new(Float64Array::from(vec![f64::NAN]))),
        ("short", Arc::new(Float32Array::from(vec![0.1]))),
        ("time", Arc::new(TimestampMillisecondArray::from(vec![1_709_287_200_000]))),
    ]);
    let collected = read_all(file);
    assert_eq!(collected.failed, []);
    assert_eq!(
        serde_json::to_string(&collected.documents[0].metadata).expect("JSON"),
        r#"{"binary":"/wA=","date":"2024-03-01","decimal":"123.45","dictionary":"word","instant":"2024-03-01T10:00:00.250Z","large":18446744073709551615,"list":["a",null],"map":{"k":"v"},"nan":null,"short":0.1,"time":"2024-03-01T10:00:00"}"#
    );
}

/// A file as older programs write it, with a column of bytes `id`, and `text`, and `at`, a moment.
fn written_by_others(ids: &[&[u8]], moment: [u32; 3]) -> Vec<u8> {
    let schema = "message m { required binary id; required binary text; required int96 at; }";
    let schema = Arc::new(parse_message_type(schema).expect("a schema"));
    let properties =
        WriterProperties::builder().set_compression(PageCompression::BROTLI(BrotliLevel::default()));
    let mut file = Vec::new();
    let mut writer =
        SerializedFileWriter::new(&mut file, schema, Arc::new(properties.build())).expect("a writer");
    let mut group = writer.next_row_group().expect("a row group");
    let bytes =
        |values: &[&[u8]]| values.iter().map(|value| ByteArray::from(value.to_vec())).collect::<Vec<_>>();
    for values in [bytes(ids), bytes(&vec![b"t".as_slice(); ids.len()])] {
        let mut column = group.next_column().expect("a column").expect("a column");
        column.typed::<ByteArrayType>().write_batch(&values, None, None).expect("values");
        column.close().expect("a column ends");
    }
    let mut at = Int96::new();
    at.set_data(moment[0], moment[1], moment[2]);
    let mut column = group.next_column().expect("a column").expect("a column");
    column.typed::<Int96Type>().write_batch(&vec![at; ids.len()], None, None).expect("values");
    column.close().expect("a column ends");
    group.close().expect("a row group ends");
    writer.close().expect("a file ends");
    file
}

#[test]
fn ids_may_be_bytes_moments_far_away_and_pages_brotli() {
    // The last day of the year 9999: its Julian day, and no nanosecond of it.
    let collected = read_all(written_by_others(&["文-1".as_bytes(), b"\xFF\x00"], [0, 0, 5_373_484]));
    assert_eq!(collected.failed, []);
    let ids: Vec<_> = collected.documents.iter().map(|document| document.id.as_str()).collect();
    assert_eq!(ids, ["文-1", "ff00"]);
    assert_eq!(collected.documents[0].metadata.get("at"), Some(&Value::from("9999-12-31T00:00:00")));
}

/// Writes with what the properties say; the row groups hold all rows.
fn written_as(columns: Vec<(&str, ArrayRef)>, properties: WriterProperties) -> Vec<u8> {
    let batch = RecordBatch::try_from_iter(columns).expect("columns of one length");
    let mut writer = ArrowWriter::try_new(Vec::new(), batch.schema(), Some(properties)).expect("a writer");
    writer.write(&batch).expect("a batch is written");
    writer.into_inner().expect("a file ends")
}

/// Files of some kilobytes that stand for a hundred times as much text.
#[test]
fn values_weigh_what_they_expand_to() {
    const ROWS: usize = 90;
    const TARGET: u64 = 50_000;
    let long = "长".repeat(4000);
    let same: Vec<_> = vec![Some(long.as_str()); ROWS];
    // First the long value again and again, then a short one that makes the average small.
    let skewed: Vec<_> =
        (0..20 * ROWS).map(|row| Some(if row < ROWS { long.as_str() } else { "short" })).collect();
    let with_nulls: Vec<_> = (0..ROWS).map(|row| (row % 3 > 0).then_some(long.as_str())).collect();
    // The dictionary becomes too large, and the writer goes on without it.
    let distinct: Vec<_> = (0..ROWS).map(|row| format!("{}{long}", row / 3)).collect();
    let distinct: Vec<_> = distinct.iter().map(|value| Some(value.as_str())).collect();
    let plain = || WriterProperties::builder().set_dictionary_enabled(false);
    let zstd = parquet::basic::Compression::ZSTD(parquet::basic::ZstdLevel::default());
    let cases = [
        (&same, WriterProperties::builder()),
        (&skewed, WriterProperties::builder()),
        (&with_nulls, WriterProperties::builder()),
        (&distinct, WriterProperties::builder().set_dictionary_page_size_limit(30_000)),
        (&same, plain().set_encoding(Encoding::DELTA_BYTE_ARRAY)),
        (&skewed, plain().set_encoding(Encoding::DELTA_BYTE_ARRAY)),
        (&same, plain().set_compression(zstd)),
        (&skewed, plain().set_compression(zstd)),
        (&skewed, WriterProperties::builder().set_data_page_row_count_limit(7).set_compression(zstd)),
    ];
    for (texts, properties) in cases {
        let properties = properties.set_statistics_enabled(EnabledStatistics::None).build();
        let numbers: Vec<_> = (0..texts.len()).map(|row| row.to_string()).collect();
        let columns = |texts: ArrayRef| {
            vec![("text", texts), ("n", Arc::new(StringArray::from(numbers.clone())) as ArrayRef)]
        };
        // As a column that is coded in memory, too.
        let coded: DictionaryArray<Int32Type> = texts.iter().copied().collect();
        for values in [Arc::new(StringArray::from(texts.clone())) as ArrayRef, Arc::new(coded)] {
            let file = written_as(columns(values), properties.clone());
            let reader = reader(r#"{"fields":{"text":"n","raw":""},"rename":{"text":"body"}}"#);
            let (documents, n_parts) = read_weighed(&reader, file, TARGET);
            assert!(n_parts >= ROWS / 6, "{n_parts} parts");
            assert_eq!(documents.len(), texts.len());
            for (document, (number, text)) in documents.iter().zip(numbers.iter().zip(texts)) {
                assert_eq!(document.text, *number);
                assert_eq!(document.metadata.get("body").and_then(Value::as_str), *text);
            }
        }
    }
}

#[test]
fn lists_weigh_what_their_items_expand_to() {
    let long = "长".repeat(1000);
    let mut lists = ListBuilder::new(StringBuilder::new());
    for row in 0..300 {
        lists.append_value((0..row % 7).map(|_| Some(&long)));
    }
    let texts = StringArray::from(vec!["t"; 300]);
    let file = written(vec![("text", Arc::new(texts)), ("tags", Arc::new(lists.finish()))]);
    let (documents, n_parts) = read_weighed(&reader("{}"), file, 100_000);
    assert!(n_parts >= 27, "{n_parts} parts");
    for (row, document) in documents.iter().enumerate() {
        let tags = serde_json::to_string(document.metadata.get("tags").expect("tags")).expect("JSON");
        assert_eq!(tags, format!("[{}]", vec![format!("\"{long}\""); row % 7].join(",")));
    }
}

#[test]
fn tables_whose_values_are_not_repeated_are_cut_as_their_footer_says() {
    let file = write(&exporter("{}"), &records(100), 100);
    let (_, n_parts) = read(&reader("{}"), file.clone(), 1000).expect("a sound file");
    let groups = metadata_of(file);
    let stored: i64 = groups.row_group(0).columns().iter().map(ColumnChunkMetaData::uncompressed_size).sum();
    let row_bytes = stored as usize / 100;
    assert_eq!(n_parts, 100_usize.div_ceil(1000 / row_bytes));
}

#[test]
fn a_row_without_text_fails_with_its_values() {
    let file = written(vec![
        ("text", Arc::new(StringArray::from(vec![Some("a"), None, Some("c")]))),
        ("n", Arc::new(StringArray::from(vec!["1", "2", "3"]))),
    ]);
    let collected = read_all(file);
    assert_eq!(collected.documents.iter().map(|read| read.origin.ordinal).collect::<Vec<_>>(), [0, 2]);
    let message = "row 1: the text is null, and there is no other content".to_owned();
    assert_eq!(collected.failed, [(1, br#"{"text":null,"n":"2"}"#.to_vec(), message)]);
}

#[test]
fn only_wanted_columns_are_read_and_a_missing_text_is_named() {
    let file = write(&exporter("{}"), &records(2), 2);
    let options = r#"{"fields":{"text":"","raw":"text"},"metadata":["url"]}"#;
    let (collected, _) = read(&reader(options), file.clone(), 1 << 20).expect("a sound file");
    assert_eq!(collected.documents[0].raw, Some(document(0).text.into_bytes()));
    assert_eq!(
        serde_json::to_string(&collected.documents[0].metadata).expect("JSON"),
        r#"{"url":"https://example.org/0"}"#
    );
    let error = read(&reader(r#"{"fields":{"text":"body"}}"#), file, 1).expect_err("no such column");
    assert_eq!(
        error.to_string(),
        "no column `body`; columns are `id`, `text`, `metadata`: name the one that holds it with `fields = { text = \"…\" }`"
    );
}

#[test]
fn names_with_dots_reach_into_structs_and_metadata_gets_new_names() {
    let text = |values: &[&str]| Arc::new(StringArray::from(values.to_vec())) as ArrayRef;
    let (url, bytes) =
        (text(&["https://example.org/0", "https://example.org/1"]), Int64Array::from(vec![0, 1]));
    let members =
        StructArray::try_from(vec![("url", url), ("bytes", Arc::new(bytes) as ArrayRef)]).expect("members");
    let file = written(vec![
        ("id", text(&["a", "b"])),
        ("text", text(&["x", "y"])),
        ("metadata", Arc::new(members)),
    ]);
    let options = r#"{"fields":{"text":"metadata.url"},"metadata":["text"],"spread":"","rename":{"metadata.bytes":"size","text":"body"}}"#;
    let (collected, _) = read(&reader(options), file.clone(), 1 << 20).expect("a sound file");
    let document = &collected.documents[1];
    assert_eq!(document.text, "https://example.org/1");
    assert_eq!(document.metadata.iter().map(|(name, _)| name).collect::<Vec<_>>(), ["body", "size"]);
    assert_eq!(document.metadata.get("size"), Some(&Value::from(1)));
    assert!(read(&reader(r#"{"fields":{"text":"metadata.none"}}"#), file.clone(), 1).is_err());
    // What is the text does not stand in the struct a second time.
    let options = r#"{"fields":{"text":"metadata.url"},"spread":""}"#;
    let (collected, _) = read(&reader(options), file.clone(), 1 << 20).expect("a sound file");
    let left = collected.documents[1].metadata.get("metadata").cloned();
    assert_eq!(left, Some(Value::from(serde_json::json!({ "bytes": 1 }))));
    // Columns that are named and not there are counted, where a file is read all the same.
    let counts =
        |options: &str| read(&reader(options), file.clone(), 1 << 20).expect("a sound file").0.counts;
    let missing = counts(r#"{"fields":{"id":"docid"},"spread":"metadta"}"#);
    assert_eq!(missing, [("no_id_field".to_owned(), 2), ("no_spread_field".to_owned(), 2)].into());
    assert!(
        counts(r#"{"fields":{"id":""}}"#).is_empty()
            && counts(r#"{"fields":{"id":"metadata.url"}}"#).is_empty()
    );
}

#[test]
fn files_that_are_none_are_refused() {
    let sound = write(&exporter("{}"), &records(3), 2);
    let with_end = |end: &[u8]| [&sound[..sound.len() - end.len()], end].concat();
    let cases = [
        (Vec::new(), "0 bytes are no Parquet file"),
        (b"PAR1".to_vec(), "4 bytes are no Parquet file"),
        (sound[..sound.len() - 1].to_vec(), "it does not end in `PAR1`"),
        (with_end(b"PARE"), "encrypted"),
        (with_end(b"\xFF\xFF\xFF\xFFPAR1"), "a footer of 4294967295 bytes"),
        (with_end(b"\x01\0\0\0PAR1"), "damaged"),
        // The footer alone: its row groups lie outside.
        (sound[sound.len() - 700..].to_vec(), "damaged"),
    ];
    for (file, expected) in cases {
        let error = read(&reader("{}"), file, 1 << 20).expect_err(expected).to_string();
        assert!(error.contains(expected), "{error}");
    }
}

#[test]
fn pyarrow_reads_what_is_written() {
    let probe = Command::new("python3").args(["-c", "import pyarrow.parquet"]).output();
    if !probe.is_ok_and(|output| output.status.success()) {
        // A skipped check must be seen: the harness shows the name of this test beside the message.
        std::io::Write::write_all(&mut std::io::stderr(), b"SKIPPED: python3 with pyarrow is not there\n")
            .expect("standard error");
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let script = r#"
import json, sys, pyarrow.parquet as pq
path = sys.argv[1]
table = pq.read_table(path)
pq.ParquetFile(path).metadata.row_group(0)
rows = table.to_pylist()
assert pq.read_metadata(path).num_rows == len(rows) == 100, len(rows)
assert sum(pq.read_metadata(path).row_group(i).num_rows for i in range(pq.read_metadata(path).num_row_groups)) == 100
for number, row in enumerate(rows):
    assert row["id"] == f"doc-{number}", row
    assert row["text"] == f"第{number}段 \U0001F600\n\"引\" " * 9, row
    metadata = row["metadata"]
    metadata = json.loads(metadata) | row
    assert metadata["bytes"] == number and metadata["ok"] == (number % 2 == 0), row
assert len(pq.read_table(path, filters=[("id", "==", "doc-42")])) == 1
"#;
    for compression in ["zstd", "snappy", "gzip", "lz4", "none"] {
        for columns in ["{}", r#"{"bytes":"integer","ok":"boolean"}"#] {
            let options =
                format!(r#"{{"compression":"{compression}","columns":{columns},"row_group_bytes":9000}}"#);
            let path = folder.path().join("a.parquet");
            std::fs::write(&path, write(&exporter(&options), &records(100), 7)).expect("a file");
            let output =
                Command::new("python3").args(["-c", script]).arg(&path).output().expect("python3 runs");
            assert!(output.status.success(), "{options}: {}", String::from_utf8_lossy(&output.stderr));
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
        flips in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
        near_the_end in any::<bool>(),
        compression in prop::sample::select(vec!["none", "zstd", "snappy", "lz4"]),
    ) {
        let options = format!("{{\"compression\":\"{compression}\",\"row_group_bytes\":2000}}");
        let mut file = write(&exporter(&options), &records(12), 3);
        let start = if near_the_end { file.len() - 600 } else { 0 };
        for (at, byte) in flips {
            let at = start + at.index(file.len() - start);
            file[at] = byte;
        }
        // Read or refused: either is fine, as long as it ends.
        let _ = read(&reader("{}"), file, 1 << 20);
    }

    #[test]
    fn damaged_dictionaries_fail_and_never_panic(
        flips in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
    ) {
        let long = "长".repeat(500);
        let texts: StringArray = (0..200).map(|row| Some(if row % 5 > 0 { long.as_str() } else { "a" })).collect();
        let mut file = written(vec![("text", Arc::new(texts))]);
        for (at, byte) in flips {
            let at = at.index(file.len());
            file[at] = byte;
        }
        let _ = read(&reader("{}"), file, 5000);
    }
}

#[test]
fn damage_costs_its_part_alone() {
    let mut bytes = write(&exporter(r#"{"row_group_bytes":1}"#), &records(9), 3);
    let at = {
        let file = Bytes::from(bytes.clone());
        let metadata = parquet::file::metadata::ParquetMetaDataReader::new().parse_and_finish(&file);
        let (start, length) = metadata.expect("a sound file").row_group(1).column(1).byte_range();
        (start + length / 2) as usize
    };
    bytes[at..at + 20].fill(0xAA);
    let (reader, file) = (reader("{}"), InMemory(bytes));
    let (index, splits) = reader.index(&file, 1 << 20).expect("the footer is sound");
    let mut collected = Collected::default();
    let decoded = splits.iter().map(|split| reader.decode(&index, &file, split, &mut collected).is_ok());
    assert_eq!(decoded.collect::<Vec<_>>(), [true, false, true]);
    let ordinals: Vec<_> = collected.documents.iter().map(|document| document.origin.ordinal).collect();
    assert_eq!(ordinals, [0, 1, 2, 6, 7, 8]);
}
