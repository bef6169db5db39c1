//! `extends`: a pipeline that takes over another one and says what differs.
//!
//! What a file says replaces what the file that it extends says, but for two lists and a table: `[[stage]]` tables
//! change, take out and add single stages (see [`stages_by_id`]), `[[plugin]]` tables are added,
//! and keys of `[run]` are merged. So whoever has other inputs writes a `[[source]]`, whoever wants another limit
//! writes that limit, and all else follows the file that is extended when somebody improves it.
//!
//! Tests stay in their file: those of an extended file say what comes out of the stages as they stand there, and
//! would be wrong as soon as a stage is changed here.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use tamis_stage::{ReadError, read_text};

use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::inputs;
use crate::node::{self, Data, Entry, Node, Table};
use crate::stages_by_id;
use crate::text::{Text, tidy};

/// Links can make one file look like many; nobody extends pipelines this often.
const MAX_CHAIN: usize = 32;

/// Far more than anybody writes, and little enough to be held some times over: every value keeps its place.
pub(crate) const MAX_BYTES: u64 = 16 << 20;

/// How many tables there may be of a kind: each stage and each library that is opened takes memory, and many a
/// check compares each with all others. Tests are only compared by name.
const MAX_TABLES: [(&str, usize); 5] =
    [("plugin", 1_000), ("source", 1_000), ("stage", 1_000), ("export", 1_000), ("test", 100_000)];

/// The tree of a pipeline with what it extends, and how many files it comes from.
///
/// Complaints about single tables go to `diagnostics`.
///
/// # Errors
///
/// When a file cannot be read or is not TOML, and when files extend each other in a circle.
pub(crate) fn read(
    text: &Arc<Text>,
    file: &Path,
    diagnostics: &mut Diagnostics,
) -> Result<(Table, usize), Diagnostics> {
    let mut chain = vec![file.to_path_buf()];
    let root = merged(text, &mut chain, diagnostics)?;
    too_many(&root)?;
    Ok((root, chain.len()))
}

/// The tree of a text over the tree of what it extends; `chain` holds the files on the way here, its own last.
fn merged(
    text: &Arc<Text>,
    chain: &mut Vec<PathBuf>,
    diagnostics: &mut Diagnostics,
) -> Result<Table, Diagnostics> {
    let own = node::parse(text)?;
    // Before stages are compared with each other.
    too_many(&own)?;
    let Some(base_text) = extended(&own, text, chain)? else { return Ok(own) };
    let base = merged(&base_text, chain, diagnostics)?;
    Ok(over(base, own, &base_text.name, diagnostics))
}

/// The text of what `root` extends.
fn extended(root: &Table, text: &Text, chain: &mut Vec<PathBuf>) -> Result<Option<Arc<Text>>, Diagnostics> {
    let Some(extends) = root.get("extends") else { return Ok(None) };
    // Anything but a string is complained about with the other types.
    let Some(written) = extends.as_str() else { return Ok(None) };
    let file = extends.place.resolve(Path::new(written));
    if chain.contains(&file) {
        let label = if chain.last() == Some(&file) {
            "this is the file itself"
        } else {
            "this file is on the way here already"
        };
        return Err(Diagnostic::error(&extends.place, format!("`{written}` extends itself"))
            .label(label)
            .into());
    }
    if chain.len() == MAX_CHAIN {
        let message = format!("a pipeline cannot extend more than {} others in a row", MAX_CHAIN - 1);
        return Err(Diagnostic::error(&extends.place, message).into());
    }
    let content = read_text(&file, MAX_BYTES).map_err(|reason| {
        let label = match &reason {
            ReadError::Missing => inputs::advice(written, &file, &extends.place),
            ReadError::NoFile { .. } => "name a pipeline file".to_owned(),
            _ => String::new(),
        };
        Diagnostic::error(&extends.place, format!("cannot read `{written}`: {reason}")).label(label)
    })?;
    let name = tidy(&Path::new(&text.name).parent().unwrap_or(Path::new("")).join(written));
    let base = Text::of_file(name.display().to_string(), &file, content, chain.len());
    chain.push(file);
    Ok(Some(Arc::new(base)))
}

/// Refuses lists of tables that nobody can mean.
fn too_many(root: &Table) -> Result<(), Diagnostics> {
    for (list, most) in MAX_TABLES {
        let Some(node) = root.get(list) else { continue };
        let tables = node.as_array().unwrap_or_default();
        if let Some(first) = tables.get(most) {
            let message = format!("the pipeline has {} `[[{list}]]`, more than {most}", tables.len());
            return Err(Diagnostic::error(&first.place, message).label("this is one too many").into());
        }
    }
    Ok(())
}

/// A tree over the one that it extends, which messages call `base_name`.
fn over(mut base: Table, own: Table, base_name: &str, diagnostics: &mut Diagnostics) -> Table {
    // A name is that of one file: a run of this one is no run of the other.
    base.entries.retain(|entry| entry.key != "test" && entry.key != "name");
    for Entry { key, key_place, value } in own.entries {
        let there = base.get(&key).cloned();
        let value = match key.as_str() {
            "stage" => stages(there, value, base_name, diagnostics),
            "plugin" => plugins(there, value),
            "run" => run(there, value),
            _ => value,
        };
        base.set(Entry { key, key_place, value });
    }
    base
}

/// The stages of both. A list that is none is complained about where it stands, so that one is kept.
fn stages(base: Option<Node>, own: Node, base_name: &str, diagnostics: &mut Diagnostics) -> Node {
    let Data::Array(tables) = own.data else { return own };
    let there = match base {
        None => Vec::new(),
        Some(Node { data: Data::Array(there), .. }) => there,
        Some(wrong) => return wrong,
    };
    if tables.is_empty() {
        let message = format!("an empty list of stages changes nothing in those of `{base_name}`");
        let label = "take single ones out: `[[stage]]` with `id = \"…\"` and `remove = true`";
        diagnostics.push(Diagnostic::error(&own.place, message).label(label));
    }
    let stages = stages_by_id::merge(there, tables, base_name, diagnostics);
    Node { data: Data::Array(stages), place: own.place }
}

/// The libraries of both; one that is named in both is taken as it is named here, so that it can be pinned.
fn plugins(base: Option<Node>, own: Node) -> Node {
    let Data::Array(tables) = own.data else { return own };
    let mut all = match base {
        None => Vec::new(),
        Some(Node { data: Data::Array(there), .. }) => there,
        Some(wrong) => return wrong,
    };
    let named_here: Vec<_> = tables.iter().filter_map(library).collect();
    all.retain(|there| library(there).is_none_or(|library| !named_here.contains(&library)));
    all.extend(tables);
    Node { data: Data::Array(all), place: own.place }
}

/// Which library a `[[plugin]]` names: the key, and its value with paths resolved.
fn library(plugin: &Node) -> Option<(&'static str, PathBuf)> {
    let table = plugin.as_table()?;
    match (table.get("path"), table.get("name")) {
        (Some(path), None) => Some(("path", path.place.resolve(Path::new(path.as_str()?)))),
        (None, Some(name)) => Some(("name", PathBuf::from(name.as_str()?))),
        _ => None,
    }
}

/// The settings of both, those given here first.
fn run(base: Option<Node>, own: Node) -> Node {
    let Data::Table(settings) = own.data else { return own };
    let mut all = match base {
        None => Table::default(),
        Some(Node { data: Data::Table(there), .. }) => there,
        Some(wrong) => return wrong,
    };
    settings.entries.into_iter().for_each(|entry| all.set(entry));
    Node { data: Data::Table(all), place: own.place }
}
