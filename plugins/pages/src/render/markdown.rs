//! Markdown, block by block: quotations, lists in lists, tables with heads, code between fences.
//!
//! What is written is what a parser of `CommonMark` with tables gives back: the tests ask one.

use super::inline::{Inline, longest_run};
use super::shape::{Around, Cell, Shape};
use super::{Form, MOST_EMPTY, push_code};
use crate::features::Page;

/// Writes blocks in document order.
pub(super) struct Markdown<'p, 'a> {
    page: &'p Page<'a>,
    form: Form,
    out: String,
    /// The quotations and items around the block that was written last.
    open: Vec<Open>,
    before: Option<Leaf>,
    /// The row that is put together.
    row: Option<Row>,
}

/// A quotation or an item that was begun.
struct Open {
    around: Around,
    /// What every further line in it begins with.
    prefix: String,
}

/// What was written last.
#[derive(Debug, PartialEq, Eq)]
enum Leaf {
    /// A paragraph, in this element.
    Paragraph(usize),
    Heading,
    /// Code, and its fence.
    Code(usize, String),
    Table(usize),
}

/// The cells of a row that were found, and the widest row of its table.
struct Row {
    id: usize,
    n_columns: usize,
    cells: Vec<String>,
    is_head: bool,
}

impl<'p, 'a> Markdown<'p, 'a> {
    pub(super) fn new(page: &'p Page<'a>, form: Form) -> Self {
        Self { page, form, out: String::new(), open: Vec::new(), before: None, row: None }
    }

    /// Writes the next block.
    pub(super) fn write(&mut self, block: usize, shape: &Shape) {
        if let Some(cell) = &shape.cell {
            self.cell(block, cell, &shape.around);
            return;
        }
        self.end_row();
        if let Some(pre) = shape.pre {
            self.code(block, pre, &shape.around);
            return;
        }
        let line = Inline { page: self.page, form: self.form }.line(block);
        if let Some(level) = shape.heading {
            self.begin(&shape.around);
            self.out.push_str(&"#".repeat(usize::from(level)));
            self.out.push(' ');
            self.out.push_str(&closed(&line));
            self.before = Some(Leaf::Heading);
            return;
        }
        if self.goes_on(block, shape) {
            // A line end of the page: two blanks before one of Markdown keep it.
            self.out.push_str("  ");
            self.next_line();
        } else {
            self.begin(&shape.around);
        }
        self.out.push_str(&line);
        self.before = Some(Leaf::Paragraph(shape.own));
    }

    /// The text.
    pub(super) fn finish(mut self) -> String {
        self.end_row();
        self.end_code();
        self.out
    }

    /// Whether a block is another line of the paragraph before it.
    fn goes_on(&self, block: usize, shape: &Shape) -> bool {
        self.page.is_after_break(block)
            && self.before == Some(Leaf::Paragraph(shape.own))
            && self.open.len() == self.common(&shape.around)
            && self.open.len() == shape.around.len()
    }

    /// How many of the quotations and items around a block are around the one before it, too.
    fn common(&self, around: &[Around]) -> usize {
        self.open.iter().zip(around).take_while(|(open, around)| open.around == **around).count()
    }

    fn next_line(&mut self) {
        self.out.push('\n');
        for open in &self.open {
            self.out.push_str(&open.prefix);
        }
    }

    /// Ends what was written last, and begins a line for what comes, in quotations and items.
    fn begin(&mut self, around: &[Around]) {
        self.end_code();
        let common = self.common(around);
        let is_tight = self.is_tight(common, around);
        self.open.truncate(common);
        if !self.out.is_empty() {
            if !is_tight {
                self.next_line();
                self.out.truncate(self.out.trim_end_matches(' ').len());
            }
            self.next_line();
        }
        for around in around.iter().skip(common) {
            let (mark, prefix) = match (around.list, around.number) {
                (None, _) => ("> ".to_owned(), "> ".to_owned()),
                (Some(_), None) => ("- ".to_owned(), "  ".to_owned()),
                (Some(_), Some(number)) => {
                    let mark = format!("{number}. ");
                    let prefix = " ".repeat(mark.len());
                    (mark, prefix)
                }
            };
            self.out.push_str(&mark);
            self.open.push(Open { around: *around, prefix });
        }
    }

    /// Whether no empty line is needed: before the next item of a list, and before a list in an item.
    fn is_tight(&self, common: usize, around: &[Around]) -> bool {
        let Some(next) = around.get(common).filter(|next| next.list.is_some()) else { return false };
        match self.open.get(common) {
            Some(open) => open.around.list == next.list,
            // A number other than 1 would go on with the paragraph.
            None => {
                common > 0
                    && next.number.is_none_or(|number| number == 1)
                    && matches!(self.before, Some(Leaf::Paragraph(_)))
            }
        }
    }

    /// Code, a line or all of it.
    fn code(&mut self, block: usize, pre: usize, around: &[Around]) {
        let is_next_line = matches!(&self.before, Some(Leaf::Code(before, _)) if *before == pre);
        if !is_next_line {
            self.begin(around);
            let lines = self.page.range(pre).map(|block| self.page.text(block));
            let longest = lines.map(|text| longest_run(text, b'`')).max().unwrap_or(0);
            let fence = "`".repeat(longest.max(2) + 1);
            self.out.push_str(&fence);
            self.before = Some(Leaf::Code(pre, fence));
        }
        for line in self.page.text(block).split('\n') {
            self.next_line();
            push_code(&mut self.out, line);
            if line.is_empty() {
                self.out.truncate(self.out.trim_end_matches(' ').len());
            }
        }
    }

    fn end_code(&mut self) {
        if let Some(Leaf::Code(_, fence)) = self.before.take_if(|before| matches!(before, Leaf::Code(..))) {
            self.next_line();
            self.out.push_str(&fence);
        }
    }

    /// A block in a cell: a row is written when all of its cells are known.
    fn cell(&mut self, block: usize, cell: &Cell, around: &[Around]) {
        let is_same_row = self.row.as_ref().is_some_and(|row| row.id == cell.row);
        if !is_same_row {
            self.end_row();
            let is_head = self.before != Some(Leaf::Table(cell.table.id));
            if is_head {
                self.begin(around);
            } else {
                self.next_line();
            }
            self.before = Some(Leaf::Table(cell.table.id));
            let n_columns = cell.table.n_columns;
            self.row = Some(Row { id: cell.row, n_columns, cells: Vec::new(), is_head });
        }
        // A bar in a cell would begin another.
        let line = Inline { page: self.page, form: self.form }.line(block);
        let line = bars_escaped(&line);
        let Some(row) = &mut self.row else { return };
        let column = cell.column.min(row.n_columns.saturating_sub(1));
        if row.cells.len() <= column {
            row.cells.resize(column + 1, String::new());
        }
        if let Some(written) = row.cells.get_mut(column) {
            if !written.is_empty() {
                written.push(' ');
            }
            written.push_str(&line);
        }
    }

    fn end_row(&mut self) {
        let Some(mut row) = self.row.take() else { return };
        // The head says how many columns there are; what is beyond would be lost. Other rows are as long, unless there
        // are so many that they lay out a page.
        if row.is_head || row.cells.len() < row.n_columns && row.n_columns <= MOST_EMPTY {
            row.cells.resize(row.n_columns.max(2), String::new());
        }
        let is_bare = |cell: Option<&String>| cell.is_some_and(|cell| !cell.is_empty());
        let line = row.cells.join(" | ");
        if is_bare(row.cells.first()) && is_bare(row.cells.last()) && row.cells.len() > 1 {
            self.out.push_str(&line);
        } else {
            self.out.push_str(&format!("| {line} |"));
        }
        if row.is_head {
            self.next_line();
            self.out.push_str(&vec!["---"; row.cells.len()].join(" | "));
        }
    }
}

/// Bars with a backslash before them, which tables take away before anything else is read.
fn bars_escaped(line: &str) -> String {
    line.replace('|', "\\|")
}

/// A heading whose last number signs would end it.
fn closed(line: &str) -> String {
    let text = line.trim_end_matches('#');
    if text.len() == line.len() || !(text.is_empty() || text.ends_with(' ')) {
        return line.to_owned();
    }
    let (before, last) = line.split_at(line.len() - 1);
    format!("{before}\\{last}")
}
