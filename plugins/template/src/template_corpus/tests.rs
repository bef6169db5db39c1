use tamis_plugin::KeyedStage;

use super::{TemplateCorpus, TemplateCorpusOptions};

fn key(text: &str) -> Option<u128> {
    TemplateCorpus::open(TemplateCorpusOptions::default()).expect("valid options").key(text)
}

#[test]
fn the_first_line_is_compared() {
    assert_eq!(key("A title of some length \nand a text"), key("A title of some length\nand another"));
    assert_ne!(key("A title of some length"), key("Another title of some length"));
    assert_eq!(key("Short\nand a text that is longer"), None);
}
