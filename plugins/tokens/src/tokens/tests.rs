use tamis_conformance::cases::check_extractor;
use tamis_plugin::{Document, Draft, Extractor, Limit, Value, Verdict, View};

use super::{Tokens, TokensOptions};
use crate::tiny;

#[test]
fn cases() {
    check_extractor::<Tokens>("tokens/cases/tokens.md", include_str!("cases/tokens.md"));
}

#[test]
fn the_tokenizer_of_the_page_is_ours() {
    assert_eq!(include_str!("cases/tiny.json"), tiny::tiny());
}

#[test]
fn texts_have_the_tokens_that_the_merges_make() {
    let file = tiny::written();
    let tokenizer = file.path().to_str().expect("a path").to_owned();
    let options = TokensOptions { tokenizer, field: Some("n".into()), min_tokens: 1, max_tokens: Some(5) };
    let stage = Tokens::open(options).expect("sound");
    for (text, n_tokens, verdict, limit) in [
        ("", 0, Verdict::Drop("too-few-tokens".into()), Limit::Min(1.0)),
        ("the mill", 2, Verdict::Keep, Limit::Min(1.0)),
        ("mill mill", 2, Verdict::Keep, Limit::Min(1.0)),
        ("磨", 1, Verdict::Keep, Limit::Min(1.0)),
        // Three bytes each that nothing makes one of.
        ("河岸", 6, Verdict::Drop("too-many-tokens".into()), Limit::Max(5.0)),
        ("mill<end>mill", 3, Verdict::Keep, Limit::Min(1.0)),
    ] {
        let mut document = Document::new("a", text);
        let mut draft = Draft::new(View::from(&document));
        assert_eq!(stage.extract(&mut draft).expect("never fails"), verdict, "{text}");
        let measure = draft.notes().measures().first().map(|measure| (measure.value, measure.limit));
        assert_eq!(measure, Some((f64::from(n_tokens), limit)), "{text}");
        let (edits, _) = draft.finish();
        edits.apply(&mut document);
        assert_eq!(document.metadata.get("n"), Some(&Value::from(i64::from(n_tokens))), "{text}");
    }
}

#[test]
fn options_that_make_no_sense_are_refused() {
    let file = tiny::written();
    let tokenizer = file.path().to_str().expect("a path").to_owned();
    let sound = TokensOptions { tokenizer, ..TokensOptions::default() };
    for (options, option, words) in [
        (TokensOptions::default(), "tokenizer", "give a `tokenizer`"),
        (TokensOptions { tokenizer: "absent.json".into(), ..sound.clone() }, "tokenizer", "cannot read"),
        (
            TokensOptions { min_tokens: 9, max_tokens: Some(8), ..sound.clone() },
            "max_tokens",
            "no document could",
        ),
    ] {
        let error = Tokens::open(options).expect_err(words);
        assert_eq!(error.option(), Some(option));
        assert!(error.to_string().contains(words), "{error}");
    }
}
