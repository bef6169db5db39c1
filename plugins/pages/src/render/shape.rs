//! What a block is for the reader: a heading, an item, a cell, code.

use tamis_html::{Container, NodeId, Tag};

use crate::features::Page;

/// What a block is.
#[derive(Debug, Clone, Default)]
pub(super) struct Shape {
    pub(super) heading: Option<u8>,
    /// How deep in lists an item is, and its number in an ordered one.
    pub(super) item: Option<(usize, Option<usize>)>,
    pub(super) quote: usize,
    /// The code that it is a line or all of.
    pub(super) pre: Option<usize>,
    /// The table of data around it.
    pub(super) table: Option<Table>,
    /// The row and the cell, if it lies in a table of data.
    pub(super) row: Option<usize>,
    pub(super) cell: Option<usize>,
    /// How many cells of its row stand before that, empty ones among them.
    pub(super) column: usize,
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
        self.heading.is_none() && self.item.is_none() && self.pre.is_none()
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
        if self.pre.is_some() {
            prefix.push_str("```\n");
        }
        prefix
    }
}

/// The most words of a cell of data; longer ones are the columns of a page.
const MOST_CELL_WORDS: f32 = 60.0;

/// What is known of the block elements of a page.
pub(super) struct Known {
    tables: Tables,
    /// For each, its number in an ordered list, 0 outside of one.
    numbers: Vec<u32>,
    /// For each, its number in a row of a table, 0 outside of one.
    columns: Vec<u32>,
}

impl Known {
    pub(super) fn of(page: &Page<'_>) -> Self {
        let is_item = |list, item| list == Tag::Ol && item == Tag::Li;
        let is_cell = |row, cell| row == Tag::Tr && matches!(cell, Tag::Td | Tag::Th);
        Self { tables: Tables::of(page), numbers: numbers(page, is_item), columns: numbers(page, is_cell) }
    }
}

/// The tables of data of a page, in document order.
struct Tables(Vec<Table>);

/// A table without a table inside, while its rows and cells are counted.
struct Count {
    id: usize,
    end: NodeId,
    n_rows: usize,
    n_cells: usize,
    has_table: bool,
}

impl Tables {
    /// Goes through the elements once, however deep tables lie in each other.
    fn of(page: &Page<'_>) -> Self {
        let containers = &page.blocks.containers;
        let mut tables = Self(Vec::new());
        let mut open: Vec<Count> = Vec::new();
        for (id, container) in containers.iter().enumerate() {
            while let Some(count) = open.pop_if(|count| count.end <= container.node()) {
                tables.add(page, &count);
            }
            match container.tag {
                Tag::Table => {
                    // Those farther out know it from when this one began.
                    if let Some(around) = open.last_mut() {
                        around.has_table = true;
                    }
                    let end = page.tree.end(container.node());
                    open.push(Count { id, end, n_rows: 0, n_cells: 0, has_table: false });
                }
                Tag::Tr => open.last_mut().into_iter().for_each(|count| count.n_rows += 1),
                Tag::Td | Tag::Th => open.last_mut().into_iter().for_each(|count| count.n_cells += 1),
                _ => {}
            }
        }
        open.iter().rev().for_each(|count| tables.add(page, count));
        tables.0.sort_unstable_by_key(|table| table.id);
        tables
    }

    /// Adds a table that has ended, if it is one of data.
    fn add(&mut self, page: &Page<'_>, count: &Count) {
        let Count { id, n_rows, n_cells, has_table, .. } = *count;
        if has_table || n_rows < 2 || n_cells <= n_rows {
            return;
        }
        let mut blocks = page.blocks.containers.get(id).map_or(0..0, Container::blocks);
        if blocks.all(|block| page.n_words(block) <= MOST_CELL_WORDS) {
            self.0.push(Table { id, n_columns: n_cells.div_ceil(n_rows) });
        }
    }

    /// The table of data that a block element is.
    fn get(&self, container: usize) -> Option<Table> {
        let at = self.0.binary_search_by_key(&container, |table| table.id).ok()?;
        self.0.get(at).copied()
    }
}

/// The block elements that are tables of data.
pub(crate) fn data_tables(page: &Page<'_>) -> Vec<usize> {
    Tables::of(page).0.iter().map(|table| table.id).collect()
}

/// Takes all cells of a row of data if at least half of its words are taken: a row without one of its cells says
/// something else.
pub(crate) fn complete_rows(page: &Page<'_>, selected: &mut [bool]) {
    let containers = &page.blocks.containers;
    let tables = Tables::of(page);
    let is_data = |row: &Container| {
        let section = row.parent();
        let above = containers.get(section).map_or(0, Container::parent);
        [section, above].into_iter().any(|at| tables.get(at).is_some())
    };
    for row in containers.iter().filter(|it| it.tag == Tag::Tr && is_data(it)) {
        let blocks = row.blocks();
        let first = blocks.start;
        let Some(cells) = selected.get_mut(blocks) else { continue };
        let words = |block: usize| page.n_words(first + block);
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
    let own = page.blocks.blocks.get(block).map_or(0, tamis_html::Block::container);
    let mut shape = Shape::default();
    let mut depth = 0;
    let mut first_item = None;
    let mut at = own;
    let (mut row, mut cell) = (None, None);
    while let Some(container) = containers.get(at) {
        match container.tag {
            Tag::Pre | Tag::Listing | Tag::Xmp => shape.pre = Some(at),
            Tag::Blockquote => shape.quote += 1,
            Tag::Li => first_item = first_item.or(Some(at)),
            Tag::Ul | Tag::Ol if first_item.is_some() => depth += 1,
            Tag::Tr => row = row.or(Some(at)),
            Tag::Td | Tag::Th => cell = cell.or(Some(at)),
            Tag::Table if shape.table.is_none() => {
                shape.table = known.tables.get(at);
                if shape.table.is_some() {
                    (shape.row, shape.cell) = (row, cell);
                    let column = cell.and_then(|cell| known.columns.get(cell)).copied().unwrap_or_default();
                    shape.column = column.saturating_sub(1) as usize;
                }
            }
            tag => shape.heading = shape.heading.or(tag.heading_level()),
        }
        if at == 0 {
            break;
        }
        at = container.parent();
    }
    // The paragraphs behind the first of an item belong to it.
    let begins = |item: usize| containers.get(item).is_some_and(|it| it.blocks().start == block);
    let number = |item: usize| known.numbers.get(item).filter(|number| **number > 0);
    shape.item = first_item
        .filter(|item| begins(*item))
        .map(|item| (depth, number(item).map(|number| *number as usize)));
    shape
}

/// The number of each item in its ordered list, or each cell in its row, 0 for what is none; counted once, because a
/// list may have a million items. `is_counted` says of an element and one right inside whether it is such.
fn numbers(page: &Page<'_>, is_counted: fn(Tag, Tag) -> bool) -> Vec<u32> {
    let containers = &page.blocks.containers;
    let mut counts = vec![0; containers.len()];
    let number = |container: &Container| {
        let around = containers.get(container.parent()).map_or(Tag::Root, |around| around.tag);
        match counts.get_mut(container.parent()).filter(|_| is_counted(around, container.tag)) {
            Some(count) => {
                *count += 1;
                *count
            }
            None => 0,
        }
    };
    containers.iter().map(number).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a table of data is, each table counted for itself.
    fn counted(page: &Page<'_>) -> Vec<Table> {
        let containers = &page.blocks.containers;
        let table = |(id, table): (usize, &Container)| {
            let end = page.tree.end(table.node());
            let inside = || containers.iter().skip(id + 1).take_while(|it| it.node() < end);
            let n_rows = inside().filter(|it| it.tag == Tag::Tr).count();
            let n_cells = inside().filter(|it| matches!(it.tag, Tag::Td | Tag::Th)).count();
            let is_data = table.tag == Tag::Table
                && n_rows >= 2
                && n_cells > n_rows
                && !inside().any(|it| it.tag == Tag::Table)
                && table.blocks().all(|block| page.n_words(block) <= MOST_CELL_WORDS);
            is_data.then(|| Table { id, n_columns: n_cells.div_ceil(n_rows) })
        };
        containers.iter().enumerate().filter_map(table).collect()
    }

    #[test]
    fn tables_are_found_wherever_they_lie() {
        let data = "<table><tr><th>a<th>b<tr><td>1<td>2</table>";
        let long = format!("<table><tr><td>a<td>b<tr><td>1<td>{}</table>", "word ".repeat(61));
        for (source, n_tables) in [
            (data.to_owned(), 1),
            (format!("{data}<p>x{data}"), 2),
            (format!("<table><tr><td>x<td>{data}<tr><td>y<td>{data}</table>{data}"), 3),
            (format!("<table><tr><td>{data}</table>").repeat(3), 3),
            ("<table><tr><td>x".repeat(600), 0),
            (format!("{}{data}{}", "<table><tr><td>".repeat(40), "</table>".repeat(40)), 1),
            (format!("{long}<table><tr><td>only one cell<tr><td>in a row</table>"), 0),
            ("<table><tr><td>1<td>2<tr><td>3".to_owned(), 1),
        ] {
            let page = Page::new(&source).expect("short");
            let found = Tables::of(&page);
            assert_eq!(found.0, counted(&page), "{source}");
            assert_eq!(found.0.len(), n_tables, "{source}");
            for id in 0..page.blocks.containers.len() {
                assert_eq!(found.get(id), found.0.iter().find(|table| table.id == id).copied());
            }
        }
    }
}
