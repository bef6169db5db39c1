//! What a block is for the reader: a heading, an item, a cell, code.

use tamis_html::{Container, Name, NodeId, Tag};

use crate::features::Page;

/// What a block is.
#[derive(Debug, Clone, Default)]
pub(super) struct Shape {
    /// What is around it in Markdown, outermost first.
    pub(super) around: Vec<Around>,
    pub(super) heading: Option<u8>,
    /// The code that it is a line or all of.
    pub(super) pre: Option<usize>,
    /// The cell that it lies in, of a table of data.
    pub(super) cell: Option<Cell>,
    /// The element that it is a line of.
    pub(super) own: usize,
}

/// A quotation or an item of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Around {
    /// The element.
    pub(super) id: usize,
    /// The list of an item; `None` for a quotation.
    pub(super) list: Option<usize>,
    /// The number of an item of an ordered list.
    pub(super) number: Option<u32>,
}

/// A cell of a table of data.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Cell {
    pub(super) table: Table,
    pub(super) row: usize,
    /// The column in which it begins.
    pub(super) column: usize,
    pub(super) id: usize,
}

/// A table of data.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Table {
    pub(super) id: usize,
    /// The columns of its widest row.
    pub(super) n_columns: usize,
}

/// Deeper quotations and items are written as if they were these deep: a page may nest five hundred.
const MOST_QUOTES: usize = 3;
const MOST_ITEMS: usize = 8;
/// A cell over more columns is a mistake.
const MOST_SPAN: usize = 50;

/// The most words of a cell of data; longer ones are the columns of a page.
const MOST_CELL_WORDS: f32 = 60.0;

/// What is known of the block elements of a page.
pub(super) struct Known {
    tables: Tables,
    /// For each, its number in an ordered list, 0 outside of one; for a cell, its column.
    numbers: Vec<u32>,
}

impl Known {
    pub(super) fn of(page: &Page<'_>) -> Self {
        Self { tables: Tables::of(page), numbers: numbers(page) }
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
    /// Columns of the row that is counted, and of the widest.
    n_columns: usize,
    most_columns: usize,
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
                    let (n_rows, n_cells, n_columns, most_columns) = (0, 0, 0, 0);
                    open.push(Count { id, end, n_rows, n_cells, has_table: false, n_columns, most_columns });
                }
                Tag::Tr => open.last_mut().into_iter().for_each(Count::row),
                Tag::Td | Tag::Th => {
                    open.last_mut().into_iter().for_each(|count| count.cell(span(page, container)));
                }
                _ => {}
            }
        }
        open.iter().rev().for_each(|count| tables.add(page, count));
        tables.0.sort_unstable_by_key(|table| table.id);
        tables
    }

    /// Adds a table that has ended, if it is one of data.
    fn add(&mut self, page: &Page<'_>, count: &Count) {
        let Count { id, n_rows, n_cells, has_table, most_columns, .. } = *count;
        if has_table || n_rows < 2 || n_cells <= n_rows {
            return;
        }
        let mut blocks = page.blocks.containers.get(id).map_or(0..0, Container::blocks);
        if blocks.all(|block| page.n_words(block) <= MOST_CELL_WORDS) {
            self.0.push(Table { id, n_columns: most_columns });
        }
    }

    /// The table of data that a block element is.
    fn get(&self, container: usize) -> Option<Table> {
        let at = self.0.binary_search_by_key(&container, |table| table.id).ok()?;
        self.0.get(at).copied()
    }
}

impl Count {
    fn row(&mut self) {
        self.n_rows += 1;
        self.n_columns = 0;
    }

    fn cell(&mut self, n_columns: usize) {
        self.n_cells += 1;
        self.n_columns += n_columns;
        self.most_columns = self.most_columns.max(self.n_columns);
    }
}

/// Over how many columns a cell goes.
fn span(page: &Page<'_>, cell: &Container) -> usize {
    let said = page.tree.attribute(cell.node(), Name::Colspan).and_then(|value| value.trim().parse().ok());
    said.filter(|span| (1..=MOST_SPAN).contains(span)).unwrap_or(1)
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
    let mut shape = Shape { own, ..Shape::default() };
    let mut at = own;
    let (mut row, mut cell) = (None, None);
    while let Some(container) = containers.get(at) {
        let parent = container.parent();
        match container.tag {
            // Lists and tables in code number its lines; they are no lists of items, and no tables.
            Tag::Pre | Tag::Listing | Tag::Xmp => {
                shape = Shape { pre: Some(at), own, ..Shape::default() };
            }
            Tag::Blockquote => shape.around.push(Around { id: at, list: None, number: None }),
            Tag::Li => {
                let number = known.numbers.get(at).copied().filter(|number| *number > 0);
                shape.around.push(Around { id: at, list: Some(parent), number });
            }
            Tag::Tr => row = row.or(Some(at)),
            Tag::Td | Tag::Th => cell = cell.or(Some(at)),
            Tag::Table if shape.cell.is_none() => {
                if let (Some(table), Some(row), Some(id)) = (known.tables.get(at), row, cell) {
                    let column = known.numbers.get(id).map_or(0, |column| *column as usize);
                    // What is in a cell shares its line.
                    shape = Shape { cell: Some(Cell { table, row, column, id }), own, ..Shape::default() };
                }
            }
            tag => shape.heading = shape.heading.or(tag.heading_level()),
        }
        if at == 0 {
            break;
        }
        at = parent;
    }
    shape.around.reverse();
    let (mut n_quotes, mut n_items) = (0, 0);
    shape.around.retain(|around| {
        let (n, most) =
            if around.list.is_none() { (&mut n_quotes, MOST_QUOTES) } else { (&mut n_items, MOST_ITEMS) };
        *n += 1;
        *n <= most
    });
    shape
}

/// The number of each item in its ordered list, 0 for what is none, and the column of each cell in its row; counted once,
/// because a list may have a million items.
fn numbers(page: &Page<'_>) -> Vec<u32> {
    let containers = &page.blocks.containers;
    let mut counts = vec![0_u32; containers.len()];
    let number = |container: &Container| {
        let Some(around) = containers.get(container.parent()).map(|it| it.tag) else { return 0 };
        let Some(count) = counts.get_mut(container.parent()) else { return 0 };
        match (around, container.tag) {
            (Tag::Ol, Tag::Li) => {
                *count += 1;
                *count
            }
            (Tag::Tr, Tag::Td | Tag::Th) => {
                let column = *count;
                *count = count.saturating_add(span(page, container) as u32);
                column
            }
            _ => 0,
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
            is_data.then(|| {
                let rows = containers.iter().enumerate().filter(|(_, it)| it.tag == Tag::Tr);
                let is_cell = |it: &&Container| matches!(it.tag, Tag::Td | Tag::Th);
                let columns = |row: usize| inside().filter(|it| it.parent() == row).filter(is_cell).count();
                Table { id, n_columns: rows.map(|(row, _)| columns(row)).max().unwrap_or(0) }
            })
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
