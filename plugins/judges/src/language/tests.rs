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

#[test]
fn a_model_of_the_user_decides_instead() {
    let folder = tempfile::tempdir().expect("a folder");
    let german = ["Die", "Mühle", "steht", "am", "Fluss."];
    let bytes = crate::fasttext::tests::tiny([("deu_Latn", &german), ("zh", &["水轮轉了。", "字"])]);
    let model = Some(crate::fasttext::tests::written(&folder, &bytes));
    let sound = LanguageOptions { model, min_confidence: 0.6, ..LanguageOptions::default() };
    let told = |options: &LanguageOptions, text: &str| {
        let stage = Language::open(options.clone()).expect("sound");
        let mut document = Document::new("a", text);
        let mut draft = Draft::new(View::from(&document));
        stage.extract(&mut draft).expect("never fails");
        draft.finish().0.apply(&mut document);
        document.metadata.get("language").and_then(|tag| tag.as_ref().as_str().map(str::to_owned))
    };
    for (text, expected) in [
        ("Die Mühle steht am Fluss.", "de"),
        ("水轮轉了。", "zh"),
        ("磨坊在河邊 字 字", "zh-Hant"),
        ("磨坊在河边，水轮没有转过。字 字 字", "zh-Hans"),
        // Nothing that it knows, and no language at all.
        ("Moulin", "und"),
        ("for (int i = 0; i < n; i++) { sum += a[i] * b[i]; } return sum;", "und"),
    ] {
        assert_eq!(told(&sound, text).as_deref(), Some(expected), "{text}");
    }
    let one = LanguageOptions { scripts: false, ..sound.clone() };
    assert_eq!(told(&one, "磨坊在河邊 字 字").as_deref(), Some("zh"));
    let other = LanguageOptions { keep: vec!["fr".into()], ..sound };
    let error = Language::open(other).expect_err("the model knows none").to_string();
    assert!(error.contains("there are de, zh, zh-Hans, zh-Hant and `und`"), "{error}");
}
