//! Text that a page has in its structured data only.

use tamis_html::{Blocks, parse};

use crate::features::Measures;

/// How many times longer than what was found in the markup the body must be: pages that cut their text off behind a
/// few lines have ten times more in their data, pages that show it all at most some captions more.
const LONGER: f32 = 3.0;
/// Words that make an article.
const LEAST_WORDS: u32 = 80;

/// The declared body of a page, as plain text, if the markup holds only a little of it.
pub(super) fn body(declared: &str, n_words_taken: f32) -> Option<String> {
    let n_words = Measures::of(declared).n_words;
    if n_words < LEAST_WORDS || (n_words as f32) < LONGER * n_words_taken {
        return None;
    }
    // Some put HTML into it, escaped once more.
    let tree = parse(declared).ok()?;
    let blocks = Blocks::of(&tree);
    if tree.len() <= 2 {
        let lines = declared.lines().map(str::trim).filter(|line| !line.is_empty());
        return Some(lines.collect::<Vec<_>>().join("\n"));
    }
    Some(blocks.blocks.iter().map(|block| blocks.text_of(block)).collect::<Vec<_>>().join("\n"))
}
