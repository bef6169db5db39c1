use tamis_conformance::cases::check_extractor;
use tamis_plugin::{Document, Draft, Extractor, Verdict, View};

use super::{Language, LanguageOptions};

#[test]
fn cases() {
    check_extractor::<Language>("language/cases/language.md", include_str!("cases/language.md"));
}

#[test]
fn a_tag_that_no_document_has_is_refused_with_the_one_that_was_meant() {
    for (tag, words) in [
        ("cn", "did you mean `zh`?"),
        ("zh-CN", "did you mean `zh-Hans`?"),
        ("ZH-hant", "did you mean `zh-Hant`?"),
        ("en-US", "did you mean `en`?"),
        ("klingon", "and `und`"),
    ] {
        let options = LanguageOptions { keep: vec![tag.to_owned()], ..LanguageOptions::default() };
        let error = Language::open(options).expect_err(tag);
        assert_eq!(error.option(), Some("keep"));
        assert!(error.to_string().contains(words), "{error}");
    }
    let options =
        LanguageOptions { drop: vec!["zh-Hans".into()], scripts: false, ..LanguageOptions::default() };
    let error = Language::open(options).expect_err("no document has it");
    assert_eq!(error.to_string(), "no document is `zh-Hans` with `scripts = false`: write `zh`");
}

#[test]
fn what_is_not_sure_enough_is_undetermined() {
    let judge = |min_confidence, text: &str| {
        let options =
            LanguageOptions { min_confidence, drop: vec!["und".into()], ..LanguageOptions::default() };
        let stage = Language::open(options).expect("sound");
        let document = Document::new("a", text);
        let mut draft = Draft::new(View::from(&document));
        let verdict = stage.extract(&mut draft).expect("never fails");
        let confidence = draft.notes().measures()[0].value;
        (verdict, confidence)
    };
    // A name that is one in many languages.
    let (verdict, confidence) = judge(0.0, "Anna Maria");
    assert_eq!(verdict, Verdict::Keep);
    assert!(confidence < 0.99, "{confidence}");
    assert_eq!(judge(0.995, "Anna Maria"), (Verdict::Drop("language:und".into()), confidence));
    // Nothing to tell it from: whatever is asked for.
    assert_eq!(judge(0.0, "1234").0, Verdict::Drop("language:und".into()));
}
