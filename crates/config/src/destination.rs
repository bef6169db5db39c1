//! Where exports write: the `path` of each, and where `-o` moves them.
//!
//! A place in an object store is a path like any other here, `s3://bucket/out`: joined, compared and moved by its parts.

use std::ops::Range;
use std::path::{Path, PathBuf};

use crate::address;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::node::{Node, Table};
use crate::partition;
use crate::plan::Partition;
use crate::text::Place;

/// Where an export writes.
#[derive(Debug)]
pub(crate) struct Destination {
    /// The folder, absolute, or an address.
    pub(crate) folder: PathBuf,
    /// Where it is named.
    pub(crate) place: Place,
    /// What comes below it.
    pub(crate) partition: Option<Partition>,
    /// The fields that name folders, and where they are named.
    pub(crate) fields: Vec<(String, Place)>,
}

/// The destinations of all exports, `None` for those whose `path` is missing or wrong; `output` is where the
/// command line names another folder.
pub(crate) fn destinations(
    tables: &[&Table],
    output: Option<&Place>,
    diagnostics: &mut Diagnostics,
) -> Vec<Option<Destination>> {
    let mut found: Vec<Option<Destination>> =
        tables.iter().map(|table| destination(table.get("path")?, diagnostics)).collect();
    if let Some(output) = output {
        let names: Vec<String> = tables.iter().map(|table| folder_name(table)).collect();
        move_along(&mut found, &names, output, diagnostics);
    }
    found
}

fn destination(node: &Node, diagnostics: &mut Diagnostics) -> Option<Destination> {
    let written = node.as_str()?;
    if node.place.text.argument.is_some() {
        // A folder on the command line is named as it is.
        let (folder, place) = (folder(written, &node.place, diagnostics)?, node.place.clone());
        return Some(Destination { folder, place, partition: None, fields: Vec::new() });
    }
    called_like_a_file(written, node, diagnostics);
    match partition::parse(written) {
        Ok(parsed) => Some(Destination {
            folder: folder(&parsed.folder, &node.place, diagnostics)?,
            place: node.place.clone(),
            partition: parsed.partition,
            fields: parsed.fields.into_iter().map(|(name, at)| (name, within(node, written, &at))).collect(),
        }),
        Err(mistakes) => {
            for mistake in mistakes {
                let place = within(node, written, &mistake.at);
                diagnostics.push(Diagnostic::error(&place, mistake.message).label(mistake.label));
            }
            None
        }
    }
}

/// What files of documents end in.
const ENDINGS: &str = "arrow csv db gz json jsonl md parquet sqlite tsv txt zst";

/// Warns of a folder that is called like a file, because that is what was probably meant.
fn called_like_a_file(written: &str, node: &Node, diagnostics: &mut Diagnostics) {
    let path = Path::new(written);
    let ending = path.extension().and_then(|ending| ending.to_str()).unwrap_or_default().to_lowercase();
    if !ENDINGS.split(' ').any(|known| known == ending)
        || written.contains('{')
        || node.place.path(written).is_dir()
    {
        return;
    }
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let stem = name.split('.').next().unwrap_or_default();
    let message = format!("`path` names a folder, and `{name}` is called like a file");
    let label = format!(
        "write `{}`: the files in it are `part-00000` and so on",
        path.with_file_name(stem).display()
    );
    diagnostics.push(Diagnostic::warning(&node.place, message).label(label));
}

/// The folder that is written, or the address, if exports can write there.
fn folder(written: &str, place: &Place, diagnostics: &mut Diagnostics) -> Option<PathBuf> {
    let is_address = tamis_address::scheme(written).is_some();
    let path = if is_address { PathBuf::from(written.trim_end_matches('/')) } else { place.path(written) };
    let mistake = if is_address {
        address::output_mistake(written, place)
    } else {
        // A folder of such a name that is there is meant.
        address::output_near_miss(written, place).filter(|_| !path.exists())
    };
    match mistake {
        Some(mistake) => {
            diagnostics.push(mistake);
            None
        }
        None => Some(path),
    }
}

/// Whether a folder is a place in an object store.
pub(crate) fn is_remote(folder: &Path) -> bool {
    folder.to_str().is_some_and(|folder| tamis_address::scheme(folder).is_some())
}

/// The place of a part of a string; the whole string where it is written with escapes.
fn within(node: &Node, value: &str, part: &Range<usize>) -> Place {
    match node.written().find(value) {
        Some(offset) => {
            let start = node.place.start + offset;
            node.place.text.at(start + part.start..start + part.end)
        }
        None => node.place.clone(),
    }
}

/// Moves all exports along with the first one: `-o` redirects a whole output, or what two runs write would mix
/// where it was not thought of.
fn move_along(
    found: &mut [Option<Destination>],
    names: &[String],
    output: &Place,
    diagnostics: &mut Diagnostics,
) {
    let Some(Some(first)) = found.first() else { return };
    let first = first.folder.clone();
    let written = output.text.content.get(output.start..output.end).unwrap_or_default();
    let Some(new) = folder(written, output, diagnostics) else { return };
    let below = |folder: &Path| folder.strip_prefix(&first).ok().map(|below| joined(&new, below));
    let mut taken: Vec<PathBuf> = found.iter().flatten().filter_map(|it| below(&it.folder)).collect();
    for (index, (destination, name)) in found.iter_mut().zip(names).enumerate() {
        let Some(destination) = destination else { continue };
        // Two exports to one folder are an error; it is shown at the one that the flag does not name.
        let keeps_place = index > 0 && destination.folder == first;
        destination.folder =
            below(&destination.folder).unwrap_or_else(|| free_folder(&new, name, &mut taken));
        if !keeps_place {
            destination.place = output.clone();
        }
    }
}

/// Joining an empty path would leave a slash behind.
fn joined(folder: &Path, below: &Path) -> PathBuf {
    if below.as_os_str().is_empty() { folder.to_owned() } else { folder.join(below) }
}

/// What the folder of an export is called: its id, if that can be one.
fn folder_name(table: &Table) -> String {
    let id =
        table.get("id").and_then(Node::as_str).or_else(|| table.get("use")?.as_str()).unwrap_or_default();
    // Another id is complained about, and must not lead anywhere until then.
    let fits = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-');
    if !id.is_empty() && id.chars().all(fits) { id.to_owned() } else { "export".to_owned() }
}

/// A folder below `parent` that no other export has.
fn free_folder(parent: &Path, name: &str, taken: &mut Vec<PathBuf>) -> PathBuf {
    let numbered = (2..).map(|number| format!("{name}-{number}"));
    let mut free = std::iter::once(name.to_owned()).chain(numbered).map(|name| parent.join(name));
    let folder = free.find(|folder| !taken.contains(folder)).unwrap_or_default();
    taken.push(folder.clone());
    folder
}
