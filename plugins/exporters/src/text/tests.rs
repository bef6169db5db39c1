//! Tests of the `text` exporter.

use tamis_plugin::{Document, ExportView, Exporter, Output, Record};

use super::{Text, TextOptions};

#[test]
fn a_document_is_a_file_of_its_text() {
    let long = "字".repeat(50);
    let cases = [
        ("news/a.html", "第一段\n第二段", "news/a.html.txt", "第一段\n第二段\n"),
        ("a", "with its line end\n", "a.txt", "with its line end\n"),
        ("b", "", "b.txt", ""),
    ];
    let text = Text::open(TextOptions::default()).expect("no options");
    for (id, content, path, file) in cases {
        let mut out = Output::default();
        let record = Record::from(Document::new(id, content));
        text.encode(&ExportView::from(&record), &mut out).expect("any record can be written");
        assert_eq!(out.files, [(path.to_owned(), file.as_bytes().to_vec())]);
        assert!(out.bytes.is_empty());
    }
    for id in ["a.txt/b", "../up", long.as_str(), "con"] {
        let mut out = Output::default();
        let record = Record::from(Document::new(id, ""));
        text.encode(&ExportView::from(&record), &mut out).expect("any record can be written");
        let (path, _) = &out.files[0];
        assert!(
            path.len() <= 120 && path.strip_suffix(".txt").is_some() && !path.starts_with("a.txt/"),
            "{path}"
        );
        assert!(!path.contains("../") && path.contains('-'), "{path}");
    }
}
