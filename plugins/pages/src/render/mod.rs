//! The blocks that were taken, as text or Markdown.

mod inline;
mod shape;

use crate::features::Page;
use inline::Inline;
use shape::{Known, Shape, Table, shape};
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

/// Empty cells in a row beyond which there is no table, but a page that was made to be large.
const MOST_EMPTY: usize = 64;

/// Plain text: a line for each block, the cells of a row on one.
pub fn text(page: &Page<'_>, selected: &[bool]) -> String {
    render(page, selected, Form { markdown: false, tables: true, code: true, links: false, images: false })
}

/// The text of the blocks that are selected.
pub(crate) fn render(page: &Page<'_>, selected: &[bool], form: Form) -> String {
    let known = Known::of(page);
    let mut writer = Writer { page, form, out: String::new(), before: None };
    for (block, _) in selected.iter().enumerate().filter(|(_, selected)| **selected) {
        let shape = shape(page, block, &known);
        let left_out = shape.table.is_some() && !form.tables || shape.pre.is_some() && !form.code;
        if !left_out {
            writer.write(block, shape);
        }
    }
    if writer.before.as_ref().is_some_and(|shape| shape.pre.is_some()) && form.markdown {
        writer.out.push_str("\n```");
    }
    writer.out
}

struct Writer<'p, 'a> {
    page: &'p Page<'a>,
    form: Form,
    out: String,
    /// The shape of the block before.
    before: Option<Shape>,
}

impl Writer<'_, '_> {
    fn write(&mut self, block: usize, shape: Shape) {
        let same_row = |before: &Shape| before.row.is_some() && before.row == shape.row;
        let continues = self.before.as_ref().is_some_and(same_row);
        if continues {
            self.next_in_row(&shape);
        } else {
            self.next_line(block, &shape);
            self.first_in_row(&shape);
        }
        let from = self.out.len();
        if self.form.markdown && shape.pre.is_none() {
            Inline { page: self.page, form: self.form }.write(block, &mut self.out);
        } else {
            self.out.push_str(self.page.text(block));
        }
        if self.form.markdown && shape.table.is_some() {
            // A bar in a cell would begin another.
            let cell = self.out.split_off(from);
            self.out.push_str(&cell.replace('|', "\\|"));
        }
        self.before = Some(shape);
    }

    /// Between two blocks of one row of a table.
    fn next_in_row(&mut self, shape: &Shape) {
        let before = self.before.as_ref().filter(|before| before.cell != shape.cell);
        match before.map(|before| shape.column.saturating_sub(before.column)) {
            None => self.out.push(' '),
            // Without the empty ones the others would stand in columns that are not theirs.
            Some(n) => self.out.push_str(&" |".repeat(n.clamp(1, MOST_EMPTY))),
        }
        if before.is_some() {
            self.out.push(' ');
        }
    }

    /// In front of the first cell of a row that is not empty.
    fn first_in_row(&mut self, shape: &Shape) {
        let n_empty = shape.column.min(MOST_EMPTY);
        if n_empty > 0 {
            // In Markdown a bar at the beginning of a line stands for nothing.
            self.out.push_str(if self.form.markdown { "| " } else { "" });
            self.out.push_str(&"| ".repeat(n_empty));
        }
    }

    fn next_line(&mut self, block: usize, shape: &Shape) {
        if !self.form.markdown {
            if !self.out.is_empty() {
                self.out.push('\n');
            }
            return;
        }
        if let Some(before) = self.before.take() {
            if before.pre.is_some() && before.pre == shape.pre {
                // Another line of the same code.
                self.out.push('\n');
                return;
            }
            self.end_line(&before, shape);
        }
        if shape.table.is_some() || self.page.is_after_break(block) && shape.is_plain() {
            return;
        }
        self.out.push_str(&shape.prefix());
    }

    /// Ends the line before a block, with an empty line where Markdown needs one.
    fn end_line(&mut self, before: &Shape, shape: &Shape) {
        if before.pre.is_some() {
            self.out.push_str("\n```");
        }
        match (before.table, shape.table) {
            (Some(Table { id, .. }), Some(Table { id: same, n_columns })) if id == same => {
                if self.is_first_row(before) {
                    self.out.push('\n');
                    self.out.push_str(&vec!["---"; n_columns.max(2)].join(" | "));
                }
                self.out.push('\n');
            }
            _ if before.item.is_some() && shape.item.is_some() => self.out.push('\n'),
            _ => self.out.push_str("\n\n"),
        }
    }

    /// Whether the line that was just written is the first of its table.
    fn is_first_row(&self, before: &Shape) -> bool {
        let line_start = self.out.rfind('\n').map_or(0, |at| at + 1);
        let above = self.out.get(..line_start).unwrap_or_default();
        before.table.is_some() && (above.is_empty() || above.ends_with("\n\n"))
    }
}
