//! Any bytes are a page: they become text, are parsed, cleaned and read for metadata.
//!
//! What must hold of every page: nothing panics, blocks lie in document order within their elements, and stages
//! neither fail nor lose the page. libFuzzer watches time and memory.

#![no_main]

use libfuzzer_sys::fuzz_target;
use tamis_html::{Blocks, parse};
use tamis_pages::{Articles, HtmlExtract, HtmlExtractOptions, HtmlMetadata, HtmlMetadataOptions, Output};
use tamis_plugin::{Document, Draft, Extractor, View};
use tamis_text::encoding::{Hints, decode};

fuzz_target!(|bytes: &[u8]| {
    let page = decode(bytes, &Hints { markup: true, ..Hints::default() }).text;
    check_blocks(&page);
    run::<HtmlMetadata>(HtmlMetadataOptions::default(), &page);
    for (output, articles) in [(Output::Text, Articles::Together), (Output::Markdown, Articles::Apart)] {
        let options = HtmlExtractOptions { output, articles, ..HtmlExtractOptions::default() };
        run::<HtmlExtract>(options, &page);
    }
});

fn check_blocks(page: &str) {
    let tree = parse(page).expect("pages of a fuzzer are short");
    let blocks = Blocks::of(&tree);
    for (index, container) in blocks.containers.iter().enumerate().skip(1) {
        assert!(container.parent() < index, "an element lies in one that began before it");
        let around = &blocks.containers[container.parent()].blocks();
        assert!(around.start <= container.blocks().start && container.blocks().end <= around.end);
    }
    for block in &blocks.blocks {
        assert!(page.len() >= blocks.text_of(block).len() / 8, "no text comes from nowhere");
        assert!(block.container() < blocks.containers.len());
    }
}

fn run<E: Extractor>(options: E::Options, page: &str) {
    let stage = E::open(options).unwrap_or_else(|_| panic!("the options of a test fit together"));
    let mut document = Document::new("page", page);
    let mut draft = Draft::new(View::from(&document));
    stage.extract(&mut draft).unwrap_or_else(|_| panic!("a stage failed on a page of {} bytes", page.len()));
    let (edits, _) = draft.finish();
    edits.apply(&mut document);
}
