//! A page has the same text here as in html5ever, the parser of Servo, which follows the HTML standard to the letter.
//!
//! Compared are letters and digits, in any order: the standard moves what is misplaced in a table before it, and here it
//! stays where it is. What is swallowed by an element that should have ended, or read twice, shows all the same.

#![no_main]

use html5ever::tendril::TendrilSink;
use html5ever::tree_builder::TreeBuilderOpts;
use html5ever::{ParseOpts, parse_document};
use libfuzzer_sys::fuzz_target;
use markup5ever_rcdom::{NodeData, RcDom};
use tamis_html::{Tag, parse};

fuzz_target!(|page: &str| {
    if !is_other_by_intent(page) {
        assert_eq!(ours(page), theirs(page), "the page has another text");
    }
});

/// Whether a page has something in which the two are known to differ.
fn is_other_by_intent(page: &str) -> bool {
    let page = page.to_ascii_lowercase();
    let has = |part: &str| page.contains(part);
    // html5ever passes over the tag of `style` and its like in a `select`; here their text is theirs. None of it is shown.
    has("<select")
        // Text before a frameset decides whether it replaces the page; here all text is text.
        || has("<frameset")
        // A page that says that it is XML may close a script in its own tag.
        || page.trim_start_matches('\u{FEFF}').trim_start().starts_with("<?xml")
        // In drawings and formulas the text of `style` and its like is text like any other, and that of CDATA holds no
        // references and stands in some elements only; here they are read as they are elsewhere.
        || (has("<svg") || has("<math")) && (has("&") || has("<![cdata[") || RAW.iter().any(|start| has(start)))
}

/// Elements whose text runs up to their end tag.
const RAW: [&str; 9] =
    ["<iframe", "<noembed", "<noframes", "<plaintext", "<script", "<style", "<textarea", "<title", "<xmp"];

fn ours(page: &str) -> Vec<char> {
    let tree = parse(page).expect("pages of a fuzzer are short");
    let mut text = String::new();
    for node in (1..tree.len()).filter(|node| tree.tag(*node) == Tag::Text) {
        let start = text.len();
        tree.append_text(node, &mut text, start);
    }
    letters(text.chars())
}

fn theirs(page: &str) -> Vec<char> {
    let tree_builder = TreeBuilderOpts { scripting_enabled: false, ..TreeBuilderOpts::default() };
    let options = ParseOpts { tree_builder, ..ParseOpts::default() };
    let dom = parse_document(RcDom::default(), options).one(page);
    let mut text = String::new();
    let mut open = vec![dom.document.clone()];
    while let Some(node) = open.pop() {
        match &node.data {
            NodeData::Text { contents } => text.push_str(&contents.borrow()),
            NodeData::Element { template_contents, .. } => open.extend(template_contents.borrow().clone()),
            _ => {}
        }
        open.extend(node.children.borrow().iter().cloned());
    }
    letters(text.chars())
}

/// The letters and digits of a text, sorted.
fn letters(text: impl Iterator<Item = char>) -> Vec<char> {
    let mut letters: Vec<char> = text.filter(|c| c.is_alphanumeric()).collect();
    letters.sort_unstable();
    letters
}
