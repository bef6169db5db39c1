//! The two models that tell content from the rest, and how they are applied.
//!
//! Each is a forest of **oblivious** trees: all nodes of a level ask the same question, so a tree of depth 6 is
//! six comparisons that make an index into 64 values.
//! Applying one to a page is arithmetic on columns, without a branch.
//! The weights (`first.forest`, `second.forest`) are learned by `cargo xtask train html`.

mod forest;

use std::sync::LazyLock;

pub use forest::{Forest, Tree};

use crate::features::Page;

static FIRST: LazyLock<Forest> = LazyLock::new(|| bundled(include_str!("first.forest")));
static SECOND: LazyLock<Forest> = LazyLock::new(|| bundled(include_str!("second.forest")));

fn bundled(text: &str) -> Forest {
    text.parse().expect("a test reads the bundled weights")
}

/// How sure the bundled models are that each block is content, 0 to 1.
pub(crate) fn judge(page: &Page<'_>) -> Vec<f32> {
    judge_with(page, &FIRST, &SECOND)
}

/// How sure two models are that each block of a page is content, 0 to 1.
pub fn judge_with(page: &Page<'_>, first: &Forest, second: &Forest) -> Vec<f32> {
    let thought = first.apply(&page.first());
    second.apply(&page.second(&thought))
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
        let mut columns = crate::features::Columns::new(3, 2);
        columns.add("words", |row| [0.0, 2.0, 2.0][row]);
        columns.add("links", |row| [1.0, 0.0, 1.0][row]);
        let expected = [-3.0_f32, 2.0, 3.0].map(|sum| 1.0 / (1.0 + (-sum).exp()));
        for (probability, expected) in forest.apply(&columns).iter().zip(expected) {
            assert!((probability - expected).abs() < 1e-6, "{probability} {expected}");
        }
    }
}
