//! The two models that tell content from the rest, and how they are applied.
//!
//! Each is a forest of **oblivious** trees: all nodes of a level ask the same question, so a tree of depth 6 is
//! six comparisons that make an index into 64 values.
//! Applying one to a page is arithmetic on columns, without a branch.
//! The weights (`first.forest`, `second.forest`, and those of words in `wording.txt`) are learned by `cargo xtask train html`.

mod forest;

use std::sync::LazyLock;

pub use forest::{Forest, Tree};

use crate::features::{Columns, Page};

static FIRST: LazyLock<Forest> = LazyLock::new(|| bundled(include_str!("first.forest")));
/// The features that the first model asks for: of 219 it leaves 27.
static ASKED: LazyLock<Vec<bool>> = LazyLock::new(|| FIRST.asked());
static SECOND: LazyLock<Forest> = LazyLock::new(|| bundled(include_str!("second.forest")));

fn bundled(text: &str) -> Forest {
    text.parse().expect("a test reads the bundled weights")
}

/// How sure the bundled models are that each block is content, 0 to 1.
pub(crate) fn judge(page: &Page<'_>) -> Vec<f32> {
    judge_in_parts(page, (&FIRST, &ASKED), &SECOND, AT_ONCE)
}

/// So many blocks are judged at once: most pages are, and the features of these take less than a megabyte.
const AT_ONCE: usize = 1024;

/// How sure two models are that each block of a page is content, 0 to 1.
pub fn judge_with(page: &Page<'_>, first: &Forest, second: &Forest) -> Vec<f32> {
    judge_in_parts(page, (first, &[]), second, AT_ONCE)
}

/// A forest, and which features it asks for; none where that is not known.
type Asking<'f> = (&'f Forest, &'static [bool]);

fn first_in_parts(page: &Page<'_>, (first, asked): Asking<'_>, at_once: usize) -> Vec<f32> {
    let mut columns = Columns::asked(asked);
    let mut thought = Vec::with_capacity(page.n_blocks());
    let mut parts = page.first_parts();
    while parts.next(at_once, &mut columns) {
        first.apply_next(&columns, &mut thought);
    }
    thought
}

fn judge_in_parts(page: &Page<'_>, first: Asking<'_>, second: &Forest, at_once: usize) -> Vec<f32> {
    let mut columns = Columns::default();
    let thought = first_in_parts(page, first, at_once);
    let mut probabilities = Vec::with_capacity(page.n_blocks());
    let mut parts = page.second_parts(&thought, at_once);
    while parts.next(&mut columns) {
        second.apply_next(&columns, &mut probabilities);
    }
    probabilities
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bundled_weights_are_for_these_features() {
        let page = Page::new("<p>words").expect("short");
        assert_eq!(FIRST.features, page.first().names());
        assert_eq!(SECOND.features, page.second(&[0.5]).names());
        assert!(FIRST.trees.len() > 20 && SECOND.trees.len() > 20);
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
            judge_in_parts(&page, (&FIRST, &ASKED), &SECOND, at_once).into_iter().map(f32::to_bits).collect()
        };
        let whole = SECOND.apply(&page.second(&FIRST.apply(&page.first())));
        let whole: Vec<u32> = whole.into_iter().map(f32::to_bits).collect();
        assert_eq!(whole.len(), page.n_blocks());
        assert!(whole.len() > 100, "{}", whole.len());
        for at_once in [1, 2, 7, 64, whole.len() - 1, whole.len(), whole.len() + 1] {
            assert_eq!(bits(at_once), whole, "{at_once}");
        }
    }

    #[test]
    fn a_forest_is_read_as_it_was_written() {
        assert_eq!(FIRST.to_string().parse(), Ok(FIRST.clone()));
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
