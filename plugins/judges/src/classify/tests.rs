use tamis_conformance::cases::check_extractor;
use tamis_plugin::{Document, Draft, Extractor, Limit, Value, Verdict, View};

use super::{Classify, ClassifyOptions};
use crate::fasttext::tests::{tiny, written};

fn model(folder: &tempfile::TempDir) -> String {
    written(folder, &tiny([("good", &["mill", "river"]), ("bad", &["login", "menu"])]))
}

fn classified(stage: &Classify, text: &str) -> (Verdict, Document, Option<(f64, Limit)>) {
    let mut document = Document::new("a", text);
    let mut draft = Draft::new(View::from(&document));
    let verdict = stage.extract(&mut draft).expect("never fails");
    let measure = draft.notes().measures().first().map(|measure| (measure.value, measure.limit));
    let (edits, _) = draft.finish();
    edits.apply(&mut document);
    (verdict, document, measure)
}

#[test]
fn cases() {
    check_extractor::<Classify>("classify/cases/classify.md", include_str!("cases/classify.md"));
}

#[test]
fn the_model_of_the_page_is_ours() {
    let model = tiny([("good", &["mill", "river"]), ("bad", &["login", "menu"])]);
    assert_eq!(include_bytes!("cases/tiny.bin").as_slice(), model);
}

#[test]
fn scores_labels_and_buckets_are_written() {
    let folder = tempfile::tempdir().expect("a folder");
    let options = ClassifyOptions {
        model: model(&folder),
        label: Some("__label__good".into()),
        buckets: vec![0.1, 0.9],
        ..ClassifyOptions::default()
    };
    let stage = Classify::open(options).expect("sound");
    for (text, score, label, bucket) in
        [("mill river", 0.9952, "good", 2), ("menu menu", 0.0048, "bad", 0), ("mill menu", 0.5, "good", 1)]
    {
        let (verdict, document, measure) = classified(&stage, text);
        let get = |name: &str| document.metadata.get(name).cloned();
        assert_eq!(verdict, Verdict::Keep);
        assert_eq!(get("classify"), Some(Value::from(score)), "{text}");
        assert_eq!(measure, Some((score, Limit::None)));
        assert_eq!(get("classify_bucket"), Some(Value::from(bucket)), "{text}");
        // Both are as probable in the last.
        assert!(text == "mill menu" || get("classify_label") == Some(Value::from(label)), "{text}");
    }
}

#[test]
fn what_scores_low_goes() {
    let folder = tempfile::tempdir().expect("a folder");
    let options = ClassifyOptions {
        model: model(&folder),
        label: Some("good".into()),
        min_score: Some(0.5),
        lowercase: true,
        max_chars: Some(10),
        field: "quality".into(),
        ..ClassifyOptions::default()
    };
    let stage = Classify::open(options).expect("sound");
    let (verdict, document, measure) = classified(&stage, "Mill River menu menu menu menu");
    assert_eq!(verdict, Verdict::Keep, "ten characters, in small letters");
    assert_eq!(document.metadata.get("quality_label"), Some(&Value::from("good")));
    assert_eq!(measure.map(|measure| measure.1), Some(Limit::Min(0.5)));
    assert_eq!(classified(&stage, "login").0, Verdict::Drop("low-score".into()));
}

#[test]
fn options_that_make_no_sense_are_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let sound = ClassifyOptions { model: model(&folder), ..ClassifyOptions::default() };
    for (options, option, words) in [
        (ClassifyOptions { label: Some("fine".into()), ..sound.clone() }, "label", "there are bad, good"),
        (ClassifyOptions { buckets: vec![0.5, 0.2], ..sound.clone() }, "buckets", "in rising order"),
        (ClassifyOptions { model: "absent.bin".into(), ..sound.clone() }, "model", "cannot read absent.bin"),
        (ClassifyOptions { lowercase: true, ..ClassifyOptions::default() }, "model", "give a `model`"),
    ] {
        let error = Classify::open(options).expect_err(words);
        assert_eq!(error.option(), Some(option));
        assert!(error.to_string().contains(words), "{error}");
    }
}
