use tamis_plugin::{Document, Filter, Notes, Verdict, View};

use super::{TemplateFilter, TemplateFilterOptions};

fn judged(text: &str, min_words: u64) -> Verdict {
    let stage = TemplateFilter::open(TemplateFilterOptions { min_words }).expect("valid options");
    let document = Document::new("a", text);
    stage.filter(&View::from(&document), &mut Notes::default()).expect("accepts any text")
}

#[test]
fn documents_with_few_words_are_dropped() {
    assert_eq!(judged("one two\nthree", 3), Verdict::Keep);
    assert_eq!(judged("one two", 3), Verdict::Drop("few-words".into()));
    assert_eq!(judged("", 1), Verdict::Drop("few-words".into()));
}
