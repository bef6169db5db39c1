//! What a stage has measured is there for those after it, of whatever library.

use serde_json::json;
use tamis_document::{Document, Record};
use tamis_plugin::{
    Draft, Extractor, Failure, Filter, Limit, MeasureInfo, NoOptions, Notes, SetupError, Verdict, View,
};
use tamis_stage::handle::{Effects, OpenStage};

/// Measures the bytes of a text.
pub(crate) struct Bytes;

impl Filter for Bytes {
    const NAME: &'static str = "bytes";
    const MEASURES: &'static [MeasureInfo] = &[MeasureInfo::new("bytes", "bytes", "Bytes of the text.")];
    type Options = NoOptions;

    fn open(_: NoOptions) -> Result<Self, SetupError> {
        Ok(Self)
    }

    fn filter(&self, document: &View<'_>, notes: &mut Notes) -> Result<Verdict, Failure> {
        notes.measure("bytes", document.text().len() as f64, Limit::None);
        Ok(Verdict::Keep)
    }
}

/// Writes what was measured into a field.
pub(crate) struct Measured;

impl Extractor for Measured {
    const NAME: &'static str = "measured";
    const WRITES: &'static [&'static str] = &["bytes", "text"];
    type Options = NoOptions;

    fn open(_: NoOptions) -> Result<Self, SetupError> {
        Ok(Self)
    }

    fn extract(&self, draft: &mut Draft<'_>) -> Result<Verdict, Failure> {
        assert_eq!(draft.original().measured("words"), None);
        if let Some(bytes) = draft.original().measured("bytes") {
            draft.set_metadata("bytes", bytes);
        }
        draft.set_text("longer than it was");
        Ok(Verdict::Keep)
    }
}

#[test]
fn a_stage_finds_what_was_measured_before_it_and_of_several_the_last() {
    let mut records =
        vec![Record::from(Document::new("a", "four")), Record::from(Document::new("b", "磨坊"))];
    for (stage, expected) in [
        ("measured", [None, None]),
        ("bytes", [None, None]),
        ("bytes", [None, None]),
        ("measured", [Some(18), Some(18)]),
    ] {
        let OpenStage::Transform(stage) = crate::open(stage) else { panic!("a filter or an extractor") };
        stage.process(&mut records, &mut Effects::default());
        for (record, expected) in records.iter().zip(expected) {
            let found = record.document.metadata.get("bytes");
            assert_eq!(found.map(|value| json!(value)), expected.map(|bytes| json!(f64::from(bytes))));
        }
    }
    assert_eq!(records[0].measures.len(), 2);
}
