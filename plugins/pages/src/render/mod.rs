//! The blocks that were taken, as text or Markdown.

mod escape;
mod inline;
mod markdown;
mod shape;
#[cfg(test)]
mod tests;

use crate::features::Page;
use markdown::Markdown;
use shape::{Known, shape};
pub(crate) use shape::{complete_rows, data_tables};

/// What is written of a page.
#[expect(clippy::struct_excessive_bools, reason = "one switch for each kind of content")]
#[derive(Debug, Clone, Copy)]
pub(crate) struct Form {
    pub(crate) markdown: bool,
    pub(crate) tables: bool,
    pub(crate) code: bool,
    pub(crate) links: bool,
    pub(crate) images: bool,
}

/// Plain text: a line for each block, the cells of a row on one.
pub fn text(page: &Page<'_>, selected: &[bool]) -> String {
    render(page, selected, Form { markdown: false, tables: true, code: true, links: false, images: false })
}

/// More empty cells side by side are the layout of a page.
const MOST_EMPTY: usize = 30;

/// The text of the blocks that are selected.
pub(crate) fn render(page: &Page<'_>, selected: &[bool], form: Form) -> String {
    let blocks = selected.iter().enumerate().filter(|(_, selected)| **selected).map(|(block, _)| block);
    write(page, &Known::of(page), blocks, form)
}

/// The texts of several parts of a page, each the numbers of its blocks.
pub(crate) fn render_each(page: &Page<'_>, parts: &[&[usize]], form: Form) -> Vec<String> {
    let known = Known::of(page);
    parts.iter().map(|blocks| write(page, &known, blocks.iter().copied(), form)).collect()
}

/// Appends code: the blanks that a page may not break are those of its indentation, and no program reads them.
fn push_code(out: &mut String, code: &str) {
    out.extend(code.chars().map(|c| if c == '\u{A0}' { ' ' } else { c }));
}

fn write(page: &Page<'_>, known: &Known, blocks: impl Iterator<Item = usize>, form: Form) -> String {
    let shapes = blocks.map(|block| (block, shape(page, block, known)));
    let is_written = |shape: &shape::Shape| {
        (form.tables || shape.cell.is_none()) && (form.code || shape.pre.is_none() || shape.cell.is_some())
    };
    let written = shapes.filter(|(_, shape)| is_written(shape));
    if form.markdown {
        let mut markdown = Markdown::new(page, form);
        written.for_each(|(block, shape)| markdown.write(block, &shape));
        return markdown.finish();
    }
    let mut out = String::new();
    let mut before: Option<shape::Cell> = None;
    for (block, shape) in written {
        let in_row = shape.cell.zip(before).filter(|(cell, before)| cell.row == before.row);
        match in_row {
            Some((cell, before)) if cell.id == before.id => out.push(' '),
            // Without the empty cells the others would stand in columns that are not theirs.
            Some((cell, before)) => {
                let n = cell.column.saturating_sub(before.column).clamp(1, MOST_EMPTY);
                out.push_str(&" |".repeat(n));
                out.push(' ');
            }
            None => {
                out.push_str(if out.is_empty() { "" } else { "\n" });
                out.push_str(&"| ".repeat(shape.cell.map_or(0, |cell| cell.column).min(MOST_EMPTY)));
            }
        }
        match shape.pre {
            Some(_) => push_code(&mut out, page.text(block)),
            None => out.push_str(page.text(block)),
        }
        before = shape.cell;
    }
    out
}
