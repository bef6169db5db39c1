//! Tests of the `csv` exporter.

use proptest::prelude::*;
use tamis_plugin::{Document, ExportView, Exporter, Fate, Json, Output, Record};

use super::{Csv, CsvOptions, Delimiter};

fn written(options: CsvOptions, record: &Record) -> String {
    let csv = Csv::open(options).expect("good options");
    let mut out = Output::default();
    csv.encode(&ExportView::from(record), &mut out).expect("any record can be written");
    assert!(out.files.is_empty());
    String::from_utf8([csv.head(), out.bytes].concat()).expect("tables are UTF-8")
}

fn record() -> Record {
    let mut document = Document::new("a,1", "第一段\n\"引\"");
    document.metadata.insert("n", 3);
    document.metadata.insert("tags", Json::parse("[\"x\"]").expect("valid JSON"));
    document.metadata.insert("url", "u");
    Record::from(document)
}

#[test]
fn options_say_which_columns_there_are() {
    let columns = |names: &[&str]| Some(names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>());
    let cases = [
        (
            CsvOptions::default(),
            "id,text,metadata\n\"a,1\",\"第一段\n\"\"引\"\"\",\"{\"\"n\"\":3,\"\"tags\"\":[\"\"x\"\"],\"\"url\"\":\"\"u\"\"}\"\n",
        ),
        (
            CsvOptions { columns: columns(&["url", "none", "n", "tags"]), ..CsvOptions::default() },
            "id,text,url,none,n,tags\n\"a,1\",\"第一段\n\"\"引\"\"\",u,,3,\"[\"\"x\"\"]\"\n",
        ),
        (
            CsvOptions {
                columns: columns(&[]),
                delimiter: Delimiter::Tab,
                reasons: true,
                ..CsvOptions::default()
            },
            "id\ttext\tstage\treason\na,1\t\"第一段\n\"\"引\"\"\"\t\t\n",
        ),
    ];
    for (options, expected) in cases {
        assert_eq!(written(options, &record()), expected);
    }
    let mut dropped = record();
    dropped.fate = Fate::Dropped("too-short".into());
    dropped.stage = Some("length".into());
    let options = CsvOptions { columns: columns(&[]), reasons: true, ..CsvOptions::default() };
    assert!(written(options, &dropped).ends_with(",length,too-short\n"));
}

#[test]
fn strings_that_look_like_formulas_are_guarded_on_demand() {
    let guarded = |text: &str, guard_formulas: bool| {
        let mut document = Document::new("=id", text);
        document.metadata.insert("n", -3);
        document.metadata.insert("title", text);
        let columns = Some(vec!["n".to_owned(), "title".to_owned()]);
        let file =
            written(CsvOptions { columns, guard_formulas, ..CsvOptions::default() }, &Record::from(document));
        file.strip_prefix("id,text,n,title\n").expect("the head").to_owned()
    };
    for (text, plain, expected) in [
        ("=cmd|' /C calc'!A0", "=cmd|' /C calc'!A0", "'=cmd|' /C calc'!A0"),
        ("@SUM(1,2)", "\"@SUM(1,2)\"", "\"'@SUM(1,2)\""),
        ("\t=1", "\t=1", "'\t=1"),
        ("\r=1", "\"\r=1\"", "\"'\r=1\""),
        ("＝1", "＝1", "'＝1"),
        ("-5", "-5", "'-5"),
        ("a=1", "a=1", "a=1"),
        ("", "", ""),
    ] {
        assert_eq!(guarded(text, false), format!("=id,{plain},-3,{plain}\n"));
        assert_eq!(guarded(text, true), format!("'=id,{expected},-3,{expected}\n"));
    }
}

#[test]
fn contradicting_columns_are_refused() {
    for names in [&["id"][..], &["a", "a"], &[""]] {
        let columns = Some(names.iter().map(|name| (*name).to_owned()).collect());
        let error = Csv::open(CsvOptions { columns, ..CsvOptions::default() }).expect_err("a mistake");
        assert_eq!(error.option(), Some("columns"));
    }
}

proptest! {
    #[test]
    fn a_cell_is_what_stands_between_its_quotes(text in "(\\PC|\n|\r|\"|,){0,30}") {
        let options = CsvOptions { columns: Some(Vec::new()), ..CsvOptions::default() };
        let file = written(options, &Record::from(Document::new("a", text.clone())));
        let cell = file.strip_prefix("id,text\na,").and_then(|rest| rest.strip_suffix('\n')).expect("one row");
        let unquoted = match cell.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) {
            Some(inside) => inside.replace("\"\"", "\""),
            None => cell.to_owned(),
        };
        prop_assert_eq!(unquoted, text);
    }
}
