use proptest::prelude::*;
use serde_json::{Value as Json, json};
use tamis_conformance::cases::check_extractor;
use tamis_plugin::{Document, Draft, Extractor, Value, View};

use super::{Fields, FieldsOptions};

fn options(options: Json) -> FieldsOptions {
    serde_json::from_value(options).expect("options")
}

#[test]
fn cases() {
    check_extractor::<Fields>("fields/cases/fields.md", include_str!("cases/fields.md"));
}

#[test]
fn what_has_no_effect_or_makes_no_sense_is_refused() {
    for (given, option, message) in [
        (json!({ "rename": { "a": "a" } }), "rename.a", "`a` to itself has no effect"),
        (json!({ "copy": { "a": "a" } }), "copy.a", "`a` to itself has no effect"),
        (json!({ "rename": { "a": "c", "b": "c" } }), "rename.b", "`a` and `b` both become `c`"),
        (json!({ "rename": { "text": "a" } }), "rename.text", "`text` is no field of metadata: use `copy`"),
        (
            json!({ "rename": { "a": "text" } }),
            "rename.a",
            "`text` is no field of metadata: use `copy`, and `drop` if `a` is to go",
        ),
        (
            json!({ "copy": { "a": "raw" } }),
            "copy.a",
            "nothing can be written to `raw`: it is the bytes as scraped",
        ),
        (json!({ "drop": ["raw"] }), "drop", "`raw` is no field of metadata"),
        (json!({ "set": { "text": "a" } }), "set.text", "every document would have the same `text`"),
        (json!({ "default": { "id": "a" } }), "default.id", "every document would have the same `id`"),
        (
            json!({ "default": { "a": 1 }, "set": { "a": 2 } }),
            "default.a",
            "it has no effect: `set` gives `a` a value in any case",
        ),
        (
            json!({ "default": { "a": "" } }),
            "default.a",
            "it has no effect: an empty string is what it stands in for",
        ),
        (
            json!({ "set": { "a": 1 }, "drop": ["a"] }),
            "drop",
            "`set` writes `a`, which `drop` leaves out again: one has no effect",
        ),
        (
            json!({ "rename": { "b": "a" }, "keep": ["b"] }),
            "keep",
            "`rename` writes `a`, which `keep` leaves out again: one has no effect",
        ),
        (
            json!({ "replace": [{ "field": "raw", "pattern": "a", "with": "b" }] }),
            "replace",
            "`raw` is bytes: copy it to `text` or a field first",
        ),
        (
            json!({ "replace": [{ "field": "a", "pattern": "(", "with": "b" }] }),
            "replace",
            "the pattern `(`: unclosed group",
        ),
        (
            json!({ "replace": [{ "field": "a", "pattern": "", "with": "b" }] }),
            "replace",
            "the pattern for `a` is empty",
        ),
        (
            json!({ "replace": [{ "field": "a", "pattern": "b", "with": "b" }] }),
            "replace",
            "`b` is replaced by itself: that has no effect",
        ),
        (
            json!({ "replace": [{ "field": "a", "pattern": "(b)", "with": "$1st" }] }),
            "replace",
            "the pattern `(b)` has no group `1st`: write `${1}st`",
        ),
        (
            json!({ "replace": [{ "field": "a", "pattern": "(b)", "with": "${name} $$2 $2" }] }),
            "replace",
            "the pattern `(b)` has no group `name`",
        ),
    ] {
        let error = Fields::open(options(given.clone())).expect_err("it makes no sense");
        assert_eq!((error.option(), error.to_string().as_str()), (Some(option), message), "{given}");
    }
    let fine = json!({ "replace": [{ "field": "a", "pattern": "(?<n>b)", "with": "$n ${1}x $0 $$" }] });
    assert!(Fields::open(options(fine)).is_ok());
}

#[test]
fn raw_bytes_are_decoded_when_they_become_text() {
    let stage = Fields::open(options(json!({ "copy": { "raw": "text" } }))).expect("options");
    for (raw, text) in [
        (Some(&b"<p>\xc4\xa5\xb7\xbb\xc4\xa5\xb7\xbb</p>"[..]), None),
        (Some("磨坊".as_bytes()), Some("磨坊")),
        (None, Some("before")),
    ] {
        let mut document = Document::new("a", "before");
        document.raw = raw.map(<[u8]>::to_vec);
        let mut draft = Draft::new(View::from(&document));
        stage.extract(&mut draft).expect("any bytes have a text");
        match text {
            Some(text) => assert_eq!(draft.text(), text),
            None => assert!(
                !draft.text().contains('\u{fffd}') && draft.text().starts_with("<p>"),
                "{}",
                draft.text()
            ),
        }
    }
}

#[test]
fn what_cannot_be_a_string_fails_the_document() {
    for (given, value, message) in [
        (
            json!({ "copy": { "a": "text" } }),
            Value::from(json!([1])),
            "field `a` is a list or an object, and `text` must be a string",
        ),
        (json!({ "copy": { "a": "id" } }), Value::from(""), "field `a` is empty, and `id` cannot be"),
        (
            json!({ "replace": [{ "field": "a", "pattern": "x", "with": "" }] }),
            Value::from(true),
            "field `a` is true or false, and `a` must be a string",
        ),
        (
            json!({ "replace": [{ "field": "id", "pattern": ".", "with": "" }] }),
            Value::Null,
            "nothing is left of the id, which cannot be empty",
        ),
    ] {
        let stage = Fields::open(options(given)).expect("options");
        let mut document = Document::new("i", "text");
        document.metadata.insert("a", value);
        let failure = stage.extract(&mut Draft::new(View::from(&document))).expect_err("it cannot be");
        assert_eq!(failure.to_string(), message);
    }
}

proptest! {
    /// Renaming there and back leaves every document as it was, whatever its values.
    #[test]
    fn renaming_loses_nothing(
        values in prop::collection::btree_map("[a-d]", prop_oneof![
            Just(Value::Null), any::<i64>().prop_map(Value::from), "\\PC{0,8}".prop_map(Value::from),
        ], 0..5)
    ) {
        let there = Fields::open(options(json!({ "rename": { "a": "b", "b": "c", "c": "a" } }))).expect("options");
        let back = Fields::open(options(json!({ "rename": { "b": "a", "c": "b", "a": "c" } }))).expect("options");
        let mut document = Document::new("i", "text");
        document.metadata = values.into_iter().collect();
        let before = document.clone();
        for stage in [there, back] {
            let mut draft = Draft::new(View::from(&document));
            stage.extract(&mut draft).expect("nothing to fail");
            draft.finish().0.apply(&mut document);
        }
        prop_assert_eq!(document, before);
    }
}
