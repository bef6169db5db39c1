//! The two models that tell content from the rest, and how they are applied.
//!
//! Each is a forest of **oblivious** trees: all nodes of a level ask the same question, so a tree of depth 6 is
//! six comparisons that make an index into 64 values.
//! Applying one to a page is arithmetic on columns, without a branch.
//! The weights (`first.forest`, `second.forest`, and those of words in `wording.txt`) are learned by `cargo xtask train html`.

mod early;
mod forest;

use std::sync::LazyLock;

use early::{Early, Quick, Scratch};
pub use forest::{Forest, Tree};

use crate::features::{Columns, Page};

/// When the forests stop, and by how much sums grow afterwards, was chosen on pages of documentation and news; with a
/// limit of 2 F1 on WCXB was lower by .0006.
static FIRST: LazyLock<Quick> = LazyLock::new(|| {
    let early = Early { n_trees: 100, sure: 2.5, growth: 1.25 };
    Quick::new(bundled(include_str!("first.forest")), early)
});
/// The features that the first model asks for: of 219 it leaves 27.
static ASKED: LazyLock<Vec<bool>> = LazyLock::new(|| FIRST.forest.asked_by(&FIRST.forest.trees));
static SECOND: LazyLock<Quick> = LazyLock::new(|| {
    let early = Early { n_trees: 80, sure: 2.5, growth: 1.15 };
    Quick::new(bundled(include_str!("second.forest")), early)
});

fn bundled(text: &str) -> Forest {
    text.parse().expect("a test reads the bundled weights")
}

/// How sure the bundled models are that each block is content, 0 to 1.
pub(crate) fn judge(page: &Page<'_>) -> Vec<f32> {
    judge_in_parts(page, AT_ONCE)
}

/// So many blocks are judged at once: most pages are, and the features of these take less than a megabyte.
const AT_ONCE: usize = 1024;

/// How sure two models are that each block of a page is content, 0 to 1.
pub fn judge_with(page: &Page<'_>, first: &Forest, second: &Forest) -> Vec<f32> {
    second.apply(&page.second(&first.apply(&page.first())))
}

/// What the first model thinks of each block; what its features are made from is gone before the second begins.
fn first_in_parts(page: &Page<'_>, at_once: usize, scratch: &mut Scratch) -> Vec<f32> {
    let mut columns = Columns::asked(&ASKED);
    let mut thought = Vec::with_capacity(page.n_blocks());
    let mut parts = page.first_parts();
    while parts.next(at_once, &mut columns) {
        FIRST.apply_next(&columns, scratch, &mut thought);
    }
    thought
}

fn judge_in_parts(page: &Page<'_>, at_once: usize) -> Vec<f32> {
    let mut scratch = Scratch::default();
    let thought = first_in_parts(page, at_once, &mut scratch);
    let mut columns = Columns::default();
    let mut probabilities = Vec::with_capacity(page.n_blocks());
    let mut parts = page.second_parts(&thought, at_once);
    while parts.next(&mut columns) {
        SECOND.apply_next(&columns, &mut scratch, &mut probabilities);
    }
    probabilities
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bundled_weights_are_for_these_features() {
        let page = Page::new("<p>words").expect("short");
        assert_eq!(FIRST.forest.features, page.first().names());
        assert_eq!(SECOND.forest.features, page.second(&[0.5]).names());
        assert!(FIRST.forest.trees.len() > 120 && SECOND.forest.trees.len() > 100);
    }

    /// A page with some of everything that features look at from afar: headings, cues, twins, siblings, articles.
    fn long_page() -> String {
        let mut page = String::from(
            "<title>The harbour is open again</title><meta name=description content='Boats leave at dawn.'>
            <div class=nav><a href=/>Home</a><br><a href=/n>News</a></div><h1>The harbour is open again</h1>",
        );
        for story in 0..30 {
            page.push_str(&format!(
                "<article class='post p{story}'><h2>Story {story}</h2><p>Boats left at {story}, as they do when the
                sea is calm, and the wind, which was strong, had turned.<br>Photo: J. Doe<p>A short one.
                <ul class=share><li><a href=#>Share</a><li>Print</ul></article>"
            ));
        }
        page + "<h3>Related stories</h3><i class=tag>x<br>y<br>x</i><h3>Comments</h3><p>Nice.<footer>© A paper</footer>"
    }

    #[test]
    fn a_page_is_judged_alike_however_many_blocks_at_once() {
        let source = long_page();
        let page = Page::new(&source).expect("short");
        let bits = |at_once: usize| -> Vec<u32> {
            judge_in_parts(&page, at_once).into_iter().map(f32::to_bits).collect()
        };
        let (mut scratch, mut thought, mut whole) = (Scratch::default(), Vec::new(), Vec::new());
        FIRST.apply_next(&page.first(), &mut scratch, &mut thought);
        SECOND.apply_next(&page.second(&thought), &mut scratch, &mut whole);
        let whole: Vec<u32> = whole.into_iter().map(f32::to_bits).collect();
        assert_eq!(whole.len(), page.n_blocks());
        assert!(whole.len() > 100, "{}", whole.len());
        for at_once in [1, 2, 7, 64, whole.len() - 1, whole.len(), whole.len() + 1] {
            assert_eq!(bits(at_once), whole, "{at_once}");
        }
    }

    #[test]
    fn rows_in_doubt_are_asked_about_all_trees_and_others_grow() {
        let source = long_page();
        let page = Page::new(&source).expect("short");
        let (columns, mut early) = (page.first(), Vec::new());
        FIRST.apply_next(&columns, &mut Scratch::default(), &mut early);
        let all = FIRST.forest.apply(&columns);
        let Early { n_trees, sure, growth } = FIRST.early;
        let mut begun = FIRST.forest.clone();
        begun.trees.truncate(n_trees);
        let mut n_sure = 0;
        for (row, begun) in begun.apply(&columns).into_iter().enumerate() {
            let sum = tamis_text::maths::ln_f32(begun / (1.0 - begun));
            if sum.abs() > sure {
                let grown = 1.0 / (1.0 + tamis_text::maths::exp_f32(-sum * growth));
                assert!((early[row] - grown).abs() < 1e-4, "{row}: {} {grown}", early[row]);
                n_sure += 1;
            } else {
                assert_eq!(early[row].to_bits(), all[row].to_bits(), "{row}");
            }
        }
        assert!(n_sure > 10 && n_sure < all.len() - 10, "{n_sure} of {}", all.len());
        let n_levels = [&FIRST, &SECOND].map(|it| it.forest.trees.iter().map(|tree| tree.levels.len()).max());
        assert_eq!(n_levels, [Some(5); 2], "`early` has room for no more");
    }

    #[test]
    fn a_forest_is_read_as_it_was_written() {
        assert_eq!(FIRST.forest.to_string().parse(), Ok(FIRST.forest.clone()));
        let wrong =
            ["", "tamis forest 1\nx", "tamis forest 1\n0\na\n0>1 = 5", "tamis forest 1\n0\na\n1>1 = 5 6"];
        let lines: Vec<usize> =
            wrong.iter().map(|text| text.parse::<Forest>().expect_err("not a forest").line).collect();
        assert_eq!(lines, [1, 2, 4, 4]);
    }

    #[test]
    fn a_tree_asks_its_questions_in_order() {
        let text = "tamis forest 1\n0\nwords links\n0>1 1>0.5 = -4000 -3000 2000 3000";
        let forest: Forest = text.parse().expect("a forest");
        let mut columns = Columns::default();
        columns.begin(0..3);
        columns.add("words", |row| [0.0, 2.0, 2.0][row]);
        columns.add("links", |row| [1.0, 0.0, 1.0][row]);
        let expected = [-3.0_f32, 2.0, 3.0].map(|sum| 1.0 / (1.0 + tamis_text::maths::exp_f32(-sum)));
        for (probability, expected) in forest.apply(&columns).iter().zip(expected) {
            assert!((probability - expected).abs() < 1e-6, "{probability} {expected}");
        }
    }
}
