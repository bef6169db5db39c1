use tamis_plugin::{Document, Draft, Extractor, Verdict, View};

use super::{Template, TemplateOptions};

fn run(text: &str, options: TemplateOptions) -> (Verdict, String) {
    let stage = Template::open(options).expect("valid options");
    let mut document = Document::new("a", text);
    let before = document.clone();
    let mut draft = Draft::new(View::from(&before));
    let verdict = stage.extract(&mut draft).expect("accepts any text");
    draft.finish().0.apply(&mut document);
    (verdict, document.text)
}

fn options(phrase: &str) -> TemplateOptions {
    TemplateOptions { phrases: vec![phrase.to_owned()], ..TemplateOptions::default() }
}

#[test]
fn cuts_the_ending_and_what_follows() {
    let (verdict, text) = run("First.\nSecond.\n\n相关阅读\nA link\n", options("相关阅读"));
    assert_eq!(verdict, Verdict::Keep);
    assert_eq!(text, "First.\nSecond.");
}

#[test]
fn the_same_words_far_from_the_end_stay() {
    let text = format!("Read more: here\n{}", "A line.\n".repeat(30));
    assert_eq!(run(&text, options("Read more:")).1, text);
}

#[test]
fn a_page_that_is_only_an_ending_is_dropped() {
    assert_eq!(run("Read more: here", options("Read more:")).0, Verdict::Drop("nothing-left".into()));
}

#[test]
fn an_empty_phrase_is_refused() {
    let error = Template::open(options("")).err().expect("refused");
    assert_eq!(error.option(), Some("phrases"));
}
