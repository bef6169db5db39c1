use tamis_plugin::{Document, ExportView, Exporter, Output, Record};

use super::{TemplateExporter, TemplateExporterOptions};

#[test]
fn a_document_is_a_line() {
    let stage = TemplateExporter::open(TemplateExporterOptions { ids: true }).expect("valid options");
    let record = Record::from(Document::new("a", "one\n  two\n"));
    let mut out = Output::default();
    stage.encode(&ExportView::from(&record), &mut out).expect("any document has a form");
    assert_eq!(out.bytes, b"a\tone two\n");
}
