//! Tests of the `sqlite` exporter.

use std::path::Path;

use proptest::prelude::*;
use rusqlite::Connection;
use tamis_plugin::{Document, ExportView, Fate, Limit, Measure, PartExporter, Record};

use super::{Sqlite, SqliteOptions};
use crate::chunk;

fn open(options: &str) -> Sqlite {
    Sqlite::open(serde_json::from_str(options).expect("valid options")).expect("options agree")
}

fn record(number: usize) -> Record {
    let mut document = Document::new(format!("doc-{number}"), format!("第{number}段\0\n'\""));
    document.metadata.insert("url", format!("https://example.org/{number}"));
    document.metadata.insert("it's.\"odd\"", 1);
    document.raw = Some(vec![0xFF, 0]);
    Record::from(document)
}

fn write(exporter: &Sqlite, path: &Path, records: &[Record], block: usize) {
    let mut out = Vec::new();
    let mut part = exporter.begin(path, &mut out).expect("a part begins");
    for records in records.chunks(block) {
        let views: Vec<_> = records.iter().map(ExportView::from).collect();
        let mut chunk = Vec::new();
        assert_eq!(exporter.encode(&views, &mut chunk), []);
        exporter.add(&mut part, chunk, &mut out).expect("a chunk is added");
    }
    exporter.end(part, &mut out).expect("a part ends");
    assert!(out.is_empty(), "it writes its own file");
}

fn rows(path: &Path, query: &str) -> Vec<Vec<rusqlite::types::Value>> {
    let connection = Connection::open(path).expect("a database");
    let mut statement = connection.prepare(query).expect("a query");
    let n_columns = statement.column_count();
    statement
        .query_map([], |row| (0..n_columns).map(|index| row.get(index)).collect())
        .and_then(Iterator::collect)
        .expect("rows")
}

fn text(text: &str) -> rusqlite::types::Value {
    text.to_owned().into()
}

#[test]
fn documents_are_rows_in_order_and_nothing_else_is_left() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("a.sqlite");
    // A database that an earlier attempt left.
    write(&open("{}"), &path, &[record(9)], 1);
    let records: Vec<_> = (0..25).map(record).collect();
    write(&open("{}"), &path, &records, 4);
    let found = rows(&path, "SELECT id, text, metadata ->> 'url', reason, raw FROM documents ORDER BY rowid");
    let null = rusqlite::types::Value::Null;
    let expected = records.iter().enumerate().map(|(number, record)| {
        let url = text(&format!("https://example.org/{number}"));
        vec![text(&record.document.id), text(&record.document.text), url, null.clone(), null.clone()]
    });
    assert_eq!(found, expected.collect::<Vec<_>>());
    assert_eq!(rows(&path, "PRAGMA integrity_check"), [[text("ok")]]);
    assert_eq!(std::fs::read_dir(folder.path()).expect("a folder").count(), 1, "no journal is left");
}

#[test]
fn a_full_disk_is_said_with_the_file_and_a_way_out() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("a.sqlite");
    let exporter = open("{}");
    let mut part = exporter.begin(&path, &mut Vec::new()).expect("a part begins");
    // A database that may not grow answers as one whose disk is full.
    part.connection.execute_batch("PRAGMA max_page_count = 2").expect("a limit");
    let records: Vec<_> = (0..500).map(record).collect();
    let views: Vec<_> = records.iter().map(ExportView::from).collect();
    let mut chunk = Vec::new();
    assert_eq!(exporter.encode(&views, &mut chunk), []);
    let failure = exporter.add(&mut part, chunk, &mut Vec::new()).expect_err("it is full");
    let said = failure.to_string();
    assert!(said.starts_with(&format!("cannot write `{}`: ", path.display())), "{said}");
    assert!(said.ends_with(": make room there and run the same command again"), "{said}");
}

#[test]
fn the_same_chunks_make_the_same_bytes() {
    let folder = tempfile::tempdir().expect("a folder");
    let records: Vec<_> = (0..50).map(record).collect();
    let exporter = open(r#"{"index":["id","url","it's.\"odd\"","[x","$y"],"table":"a \"b\" c"}"#);
    let files = ["a", "b"].map(|name| {
        let path = folder.path().join(name);
        write(&exporter, &path, &records, 10);
        std::fs::read(path).expect("a file")
    });
    assert!(files[0] == files[1]);
}

#[test]
fn an_index_serves_the_query_that_the_page_names() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("a.sqlite");
    write(&open(r#"{"index":["id","url"]}"#), &path, &[record(1)], 1);
    for condition in ["id = 'x'", "metadata ->> 'url' = 'x'"] {
        let plan = rows(&path, &format!("EXPLAIN QUERY PLAN SELECT text FROM documents WHERE {condition}"));
        assert!(format!("{plan:?}").contains("USING INDEX"), "{condition}: {plan:?}");
    }
}

#[test]
fn failed_records_say_why_and_keep_their_bytes() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("a.sqlite");
    let mut record = record(1);
    record.fate = Fate::Failed("why".into());
    record.stage = Some("length".into());
    record.measures = vec![Measure { name: "chars".into(), value: 12.0, limit: Limit::Min(200.0) }];
    write(&open("{}"), &path, &[record], 1);
    let found = rows(&path, "SELECT stage, reason, measures, origin, raw FROM documents");
    let expected = [
        text("length"),
        text("why"),
        text(r#"[{"name":"chars","value":12,"min":200}]"#),
        text(r#"{"file":"","offset":0,"length":0,"ordinal":0}"#),
        vec![0xFF, 0].into(),
    ];
    assert_eq!(found, [expected]);
}

#[test]
fn names_that_sqlite_cannot_take_are_refused() {
    for (options, option) in [
        (SqliteOptions { table: String::new(), ..SqliteOptions::default() }, "table"),
        (SqliteOptions { table: "sqlite_master".to_owned(), ..SqliteOptions::default() }, "table"),
        (SqliteOptions { index: vec![String::new()], ..SqliteOptions::default() }, "index"),
    ] {
        assert_eq!(Sqlite::open(options).expect_err("refused").option(), Some(option));
    }
}

proptest! {
    #[test]
    fn chunks_give_back_their_cells_and_never_panic(
        cells in prop::collection::vec(prop::option::of(any::<Vec<u8>>()), 3),
        noise in any::<Vec<u8>>(),
    ) {
        let mut bytes = Vec::new();
        for cell in &cells {
            chunk::push(cell.as_deref(), &mut bytes);
        }
        let mut rest = bytes.as_slice();
        let row = chunk::next_row::<3>(&mut rest).expect("a whole row").expect("a row");
        prop_assert_eq!(row.map(|cell| cell.map(<[u8]>::to_vec)).to_vec(), cells);
        prop_assert!(rest.is_empty());
        let _ = chunk::next_row::<3>(&mut noise.as_slice());
    }
}
