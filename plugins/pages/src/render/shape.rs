//! What a block is for the reader: a heading, an item, a cell, code.

use tamis_html::Tag;

use crate::features::Page;

/// What a block is.
#[derive(Debug, Clone, Default)]
pub(super) struct Shape {
    pub(super) container: usize,
    pub(super) heading: Option<u8>,
    /// How deep in lists an item is, and its number in an ordered one.
    pub(super) item: Option<(usize, Option<usize>)>,
    pub(super) quote: usize,
    pub(super) pre: bool,
    /// The table of data around it.
    pub(super) table: Option<Table>,
    /// The row and the cell, if it lies in a table of data.
    pub(super) row: Option<usize>,
    pub(super) cell: Option<usize>,
}

/// A table of data.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Table {
    pub(super) id: usize,
    pub(super) n_columns: usize,
}

impl Shape {
    /// A paragraph.
    pub(super) fn is_plain(&self) -> bool {
        self.heading.is_none() && self.item.is_none() && !self.pre
    }

    /// What Markdown writes before the block.
    pub(super) fn prefix(&self) -> String {
        let mut prefix = "> ".repeat(self.quote.min(3));
        if let Some((depth, number)) = self.item {
            prefix.push_str(&"  ".repeat(depth.saturating_sub(1).min(8)));
            match number {
                Some(number) => prefix.push_str(&format!("{number}. ")),
                None => prefix.push_str("- "),
            }
        }
        if let Some(level) = self.heading {
            prefix.push_str(&"#".repeat(usize::from(level)));
            prefix.push(' ');
        }
        if self.pre {
            prefix.push_str("```\n");
        }
        prefix
    }
}

/// The most words of a cell of data; longer ones are the columns of a page.
const MOST_CELL_WORDS: f32 = 60.0;

/// What is known of the block elements of a page.
pub(super) struct Known {
    /// For each, the table of data that it is.
    tables: Vec<Option<Table>>,
    /// For each, its number in an ordered list.
    numbers: Vec<Option<usize>>,
}

impl Known {
    pub(super) fn of(page: &Page<'_>) -> Self {
        Self { tables: tables(page), numbers: numbers(page) }
    }
}

fn tables(page: &Page<'_>) -> Vec<Option<Table>> {
    let containers = &page.blocks.containers;
    let mut tables: Vec<Option<Table>> = vec![None; containers.len()];
    for (id, container) in containers.iter().enumerate().filter(|(_, it)| it.tag == Tag::Table) {
        let end = page.tree.end(container.node);
        let inside = || containers.iter().skip(id + 1).take_while(|it| it.node < end);
        let n_rows = inside().filter(|it| it.tag == Tag::Tr).count();
        let n_cells = inside().filter(|it| matches!(it.tag, Tag::Td | Tag::Th)).count();
        let nested = inside().any(|it| it.tag == Tag::Table);
        let long = container.blocks.clone().any(|block| page.n_words(block) > MOST_CELL_WORDS);
        if n_rows >= 2 && n_cells > n_rows && !nested && !long {
            tables[id] = Some(Table { id, n_columns: n_cells.div_ceil(n_rows) });
        }
    }
    tables
}

/// Takes all cells of a row of data if at least half of its words are taken: a row without one of its cells says
/// something else.
pub(crate) fn complete_rows(page: &Page<'_>, selected: &mut [bool]) {
    let containers = &page.blocks.containers;
    let tables = tables(page);
    let is_data = |row: &tamis_html::Container| {
        let section = row.parent;
        let above = containers.get(section).map_or(0, |it| it.parent);
        [section, above].into_iter().any(|at| tables.get(at).copied().flatten().is_some())
    };
    for row in containers.iter().filter(|it| it.tag == Tag::Tr && is_data(it)) {
        let Some(cells) = selected.get_mut(row.blocks.clone()) else { continue };
        let words = |block: usize| page.n_words(row.blocks.start + block);
        let all: f32 = (0..cells.len()).map(words).sum();
        let taken: f32 = (0..cells.len()).filter(|cell| cells[*cell]).map(words).sum();
        if taken > 0.0 && taken * 2.0 >= all {
            cells.fill(true);
        }
    }
}

/// The shape of a block.
pub(super) fn shape(page: &Page<'_>, block: usize, known: &Known) -> Shape {
    let containers = &page.blocks.containers;
    let own = page.blocks.blocks.get(block).map_or(0, |block| block.container);
    let mut shape = Shape { container: own, ..Shape::default() };
    let mut depth = 0;
    let mut first_item = None;
    let mut at = own;
    let (mut row, mut cell) = (None, None);
    while let Some(container) = containers.get(at) {
        match container.tag {
            Tag::Pre | Tag::Listing | Tag::Xmp => shape.pre = true,
            Tag::Blockquote => shape.quote += 1,
            Tag::Li => first_item = first_item.or(Some(at)),
            Tag::Ul | Tag::Ol if first_item.is_some() => depth += 1,
            Tag::Tr => row = row.or(Some(at)),
            Tag::Td | Tag::Th => cell = cell.or(Some(at)),
            Tag::Table if shape.table.is_none() => {
                shape.table = known.tables.get(at).copied().flatten();
                if shape.table.is_some() {
                    (shape.row, shape.cell) = (row, cell);
                }
            }
            tag => shape.heading = shape.heading.or(tag.heading_level()),
        }
        if at == 0 {
            break;
        }
        at = container.parent;
    }
    // The paragraphs behind the first of an item belong to it.
    let begins = |item: usize| containers.get(item).is_some_and(|it| it.blocks.start == block);
    shape.item = first_item
        .filter(|item| begins(*item))
        .map(|item| (depth, known.numbers.get(item).copied().flatten()));
    shape
}

/// The number of each item in its ordered list; counted once, because a list may have a million items.
fn numbers(page: &Page<'_>) -> Vec<Option<usize>> {
    let containers = &page.blocks.containers;
    let mut counts = vec![0; containers.len()];
    let number = |container: &tamis_html::Container| {
        let ordered = containers.get(container.parent).is_some_and(|list| list.tag == Tag::Ol);
        let count = counts.get_mut(container.parent).filter(|_| ordered && container.tag == Tag::Li)?;
        *count += 1;
        Some(*count)
    };
    containers.iter().map(number).collect()
}
