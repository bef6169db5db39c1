//! A comparison as a page.

use serde::Serialize;

use super::{Comparison, Moved};
use crate::ReportError;
use crate::explain::{Kind, Line, lines};
use crate::numbers::{count, share};

/// So many lines that stayed are shown around what differs, and so many of what does.
const SHOWN: (usize, usize) = (2, 40);

#[derive(Serialize)]
struct ShownMoved {
    from: String,
    to: String,
    n: String,
    share: String,
    /// Whether the second run keeps them, which the first did not.
    is_gain: bool,
    is_loss: bool,
    samples: Vec<(String, Vec<String>)>,
}

/// Id, and lines: how many are left out, and what became of the pieces.
type ShownText = (String, Vec<(usize, Vec<(Kind, String)>)>);

/// The page: one file without script or network.
///
/// # Errors
///
/// When it cannot be filled in, which is a mistake in this crate.
pub fn page(comparison: &Comparison) -> Result<String, ReportError> {
    let moved: Vec<ShownMoved> =
        comparison.moved.iter().map(|it| of_moved(it, comparison.n_common)).collect();
    let texts: Vec<ShownText> =
        comparison.texts.iter().flat_map(|texts| &texts.samples).map(of_text).collect();
    let content = minijinja::context! {
        tamis => env!("CARGO_PKG_VERSION"),
        folders => comparison.folders.iter().map(|folder| folder.display().to_string()).collect::<Vec<_>>(),
        pipelines => comparison.pipelines,
        changes => comparison.changes,
        has_same_inputs => comparison.has_same_inputs,
        common => count(comparison.n_common),
        same => (count(comparison.n_same), share(comparison.n_same, comparison.n_common)),
        other => count(comparison.n_common - comparison.n_same),
        moved => moved,
        only => comparison.only.iter().map(|only| (count(only.n), only.ids.clone())).collect::<Vec<_>>(),
        has_texts => comparison.texts.is_some(),
        text_sums => comparison.texts.as_ref().map(|texts| {
            let chars = texts.n_chars.map(count);
            (count(texts.n_common), count(texts.n_changed), share(texts.n_changed, texts.n_common), chars)
        }),
        texts => texts,
    };
    crate::fill("compare.html", include_str!("../../templates/compare.html"), content)
}

fn of_moved(moved: &Moved, n_common: u64) -> ShownMoved {
    let is_kept = |outcome: &super::Outcome| *outcome == super::Outcome::Kept;
    ShownMoved {
        from: moved.from.to_string(),
        to: moved.to.to_string(),
        n: count(moved.n),
        share: share(moved.n, n_common),
        is_gain: is_kept(&moved.to),
        is_loss: is_kept(&moved.from),
        samples: moved.samples.iter().map(|it| (it.id.clone(), it.measures.clone())).collect(),
    }
}

fn of_text(text: &super::ChangedText) -> ShownText {
    let line = |line: Line| match line {
        Line::Gap(_, n) => (n, Vec::new()),
        Line::Text(pieces) => (0, pieces.into_iter().map(|piece| (piece.kind, piece.text)).collect()),
    };
    (text.id.clone(), lines(&text.pieces, SHOWN.0, SHOWN.1).into_iter().map(line).collect())
}
