//! Files of TOML that options name, such as rule files: their mistakes are shown in them, and all at once.
//!
//! What such a file may hold says the schema of the option that names it (`x-toml`). What only its stage can find it
//! says when it is opened, a line each that begins with path, line and column.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::Value;
use tamis_stage::SetupError;

use crate::check::{Checker, Mark, Meaning};
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::node::{self, Data, Node, Table};
use crate::text::{Place, Text, tidy};

/// Larger ones are no rules.
const MAX_BYTES: u64 = 16 << 20;

/// Texts of pipelines, and what overrides them, are told first.
const ORDER: usize = 1 << 20;

/// A file that an option names.
struct File {
    /// As the stage knows it.
    path: PathBuf,
    text: Arc<Text>,
    /// What stands in it, if it is TOML.
    table: Result<Table, Diagnostics>,
}

/// What is wrong in the files that an option names, of which its stage has said that it cannot be opened; and what
/// else it has said.
pub(crate) fn complaints(
    error: &SetupError,
    marks: &[Mark],
    schema: &Value,
) -> (Diagnostics, Option<String>) {
    let option = error.option().unwrap_or_default();
    let named = marks.iter().filter(|mark| mark.meaning == Meaning::File && mark.option == option);
    let files: Vec<File> = named.enumerate().filter_map(|(index, mark)| File::read(mark, index)).collect();
    let keywords = schema.get("properties").and_then(|properties| properties.get(option));
    let contents = keywords.and_then(|keywords| keywords.get("x-toml"));
    let mut found = Diagnostics::default();
    for (file, contents) in files.iter().filter_map(|file| Some((file, contents?))) {
        file.check(contents, &mut found);
    }
    // Where the schema has found something, the stage has read no further.
    let is_told = |name: &str| found.iter().any(|it| it.file() == name);
    let (mut more, mut rest) = (Vec::new(), Vec::new());
    for line in error.to_string().lines() {
        match files.iter().find_map(|file| file.place(line)) {
            Some((place, _)) if is_told(&place.text.name) => {}
            Some((place, message)) => more.push(Diagnostic::error(&place, message)),
            None => rest.push(line.to_owned()),
        }
    }
    found.extend(more);
    (found, (!rest.is_empty()).then(|| rest.join("\n")))
}

impl File {
    fn read(mark: &Mark, index: usize) -> Option<Self> {
        let path = mark.place.resolve(Path::new(&mark.value));
        let content = tamis_stage::read_text(&path, MAX_BYTES).ok()?;
        // Called as the pipeline is: from where the user stands.
        let folder = Path::new(&mark.place.text.name).parent().unwrap_or(Path::new(""));
        let name = tidy(&folder.join(&mark.value)).display().to_string();
        let text = Arc::new(Text::of_file(name, &path, content, ORDER + index));
        let table = node::parse(&text);
        Some(Self { path, text, table })
    }

    fn check(&self, schema: &Value, found: &mut Diagnostics) {
        match &self.table {
            Ok(table) => {
                let start = self.text.at(0..0);
                let mut checker = Checker::for_keys(schema, format!("`{}`", self.text.name), &start);
                checker.table(table);
                found.append(checker.finish().0);
            }
            Err(mistakes) => found.append(mistakes.clone()),
        }
    }

    /// The place in this file that a line of a message begins with, and the rest of the line.
    fn place<'m>(&self, line: &'m str) -> Option<(Place, &'m str)> {
        let rest = line.strip_prefix(&self.path.display().to_string())?.strip_prefix(':')?;
        let (number, rest) = rest.split_once(':')?;
        let (column, message) = rest.split_once(':')?;
        let (number, column): (usize, usize) = (number.parse().ok()?, column.parse().ok()?);
        let content = &self.text.content;
        let start = content.split_inclusive('\n').take(number.checked_sub(1)?).map(str::len).sum::<usize>();
        let line = content.get(start..)?.lines().next().unwrap_or_default();
        let at = line.char_indices().nth(column.checked_sub(1)?).map_or(line.len(), |(at, _)| at);
        let (at, end) = (start + at, start + line.trim_end().len());
        let place = self.table.as_ref().ok().and_then(|table| written_at(table, at));
        Some((place.unwrap_or_else(|| self.text.at(at..end)), message.trim_start()))
    }
}

/// The key or value that begins at a byte.
fn written_at(table: &Table, at: usize) -> Option<Place> {
    table.entries.iter().find_map(|entry| {
        let is_key = entry.key_place.start == at;
        if is_key { Some(entry.key_place.clone()) } else { value_at(&entry.value, at) }
    })
}

fn value_at(node: &Node, at: usize) -> Option<Place> {
    match &node.data {
        Data::Table(table) => written_at(table, at),
        Data::Array(items) => items.iter().find_map(|item| value_at(item, at)),
        _ => None,
    }
    .or_else(|| (node.place.start == at).then(|| node.place.clone()))
}
