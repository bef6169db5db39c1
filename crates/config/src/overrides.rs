//! What the command line and the environment change in a pipeline.

use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::envelope::{ENVELOPE, keys};
use crate::node::{self, Data, Entry, Node, Table};
use crate::suggest::{choice, did_you_mean, fold};
use crate::text::{Place, Text, TextKind};

/// What the command line and the environment change in a pipeline.
///
/// Paths in it are relative to the working folder of the process, as everywhere on a command line.
#[derive(Debug, Clone, Default)]
pub struct Overrides {
    /// Single values, applied in order: a later one wins.
    pub set: Vec<Setting>,
    /// Replaces the `paths` of the first source, unless empty.
    pub inputs: Vec<PathBuf>,
    /// Replaces the folder of the first export (the placeholders behind it stay), and moves all others along:
    /// those below that folder keep their place in it, each other one gets a folder of its own below the new
    /// one, named by its id.
    pub output: Option<PathBuf>,
    /// Makes a plan of one export whose bytes can be handed on as they come, with neither folder nor dead letters: the
    /// first of kept documents that can, else one of an exporter that loses nothing.
    pub streams: bool,
}

/// One value to change.
#[derive(Debug, Clone)]
pub struct Setting {
    /// What to change: `name`, `run.KEY`, or `source.ID.KEY`, `stage.ID.KEY`, `export.ID.KEY`, where ID is an
    /// id, the name of a stage or a position from 0, and KEY may go on into tables (`fields.text`).
    pub key: String,
    /// A TOML value; what is none is taken as a string.
    pub value: String,
    /// Where it comes from.
    pub origin: SettingOrigin,
}

/// Where a [`Setting`] comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SettingOrigin {
    /// A `--set KEY=VALUE` flag.
    Flag,
    /// An environment variable of this name. The parts of its key are compared without regard to case and
    /// to `-` and `_`.
    Environment(String),
}

/// The variable that was probably meant by one that looks like an override but has single underscores:
/// `TAMIS__RUN__THREADS` for `TAMIS_RUN_THREADS`. `None` for any other name.
///
/// Where the id ends and the option begins is a guess: in `TAMIS_STAGE_LINE_LENGTH_MIN_CHARS` only whoever
/// knows the pipeline could tell.
///
/// ```
/// use tamis_config::looks_like_override;
/// assert_eq!(looks_like_override("TAMIS_RUN_THREADS").as_deref(), Some("TAMIS__RUN__THREADS"));
/// assert_eq!(looks_like_override("TAMIS__RUN__THREADS"), None);
/// assert_eq!(looks_like_override("TAMIS_PLUGIN_PATH"), None);
/// ```
pub fn looks_like_override(name: &str) -> Option<String> {
    let rest = name.strip_prefix("TAMIS_")?;
    let (table, rest) = rest.split_once('_').unwrap_or((rest, ""));
    let rest = rest.trim_start_matches('_');
    let known = table.to_lowercase();
    match (known.as_str(), rest) {
        ("name", "") => Some(format!("TAMIS__{table}")),
        ("run", key) if !key.is_empty() => Some(format!("TAMIS__{table}__{key}")),
        ("source" | "stage" | "export", rest) if !rest.is_empty() => {
            Some(format!("TAMIS__{table}__{}", id_and_key(&known, rest)))
        }
        _ => None,
    }
}

/// Cuts `ID_KEY` in two: before a key that every table of the list has, or else after the first part.
fn id_and_key(list: &str, rest: &str) -> String {
    if rest.contains("__") {
        return rest.to_owned();
    }
    let folded = rest.to_lowercase();
    let ends = |key: &&str| folded.strip_suffix(*key).is_some_and(|id| id.len() > 1 && id.ends_with('_'));
    let common = keys(ENVELOPE.of(list)).filter(ends).max_by_key(|key| key.len());
    let cut = common.and_then(|key| rest.split_at_checked(rest.len() - key.len()));
    match cut.or_else(|| rest.split_once('_')) {
        Some((id, key)) => format!("{}__{key}", id.trim_end_matches('_')),
        None => rest.to_owned(),
    }
}

/// More than any option is nested, and few enough to follow.
const MAX_PARTS: usize = 16;

/// A setting on its way into the tree, with the text that messages show of it.
struct Assignment {
    parts: Vec<Part>,
    value: Node,
    /// Whether parts are compared loosely.
    folded: bool,
}

struct Part {
    name: String,
    place: Place,
}

/// Applies all overrides to the tree; `order` is the rank of their texts in messages.
///
/// Where exports go when the output is another one is for whoever has read their paths; returned is where the
/// command line names it.
pub(crate) fn apply(root: &mut Table, overrides: &Overrides, order: usize) -> (Diagnostics, Option<Place>) {
    let mut diagnostics = Diagnostics::default();
    for (index, setting) in overrides.set.iter().enumerate() {
        let result = Assignment::new(setting, order + index).and_then(|assignment| assignment.apply(root));
        if let Err(diagnostic) = result {
            diagnostics.push(diagnostic);
        }
    }
    let order = order + overrides.set.len();
    if !overrides.inputs.is_empty() {
        diagnostics.extend(replaced(root, "source", "paths", "the inputs behind the pipeline"));
        let items = overrides.inputs.iter().map(|path| argument(path, "", order)).collect();
        replace_first(root, "source", "paths", |place| Node { data: Data::Array(items), place });
    }
    let output = overrides.output.as_deref().map(|path| argument(path, "-o ", order + 1));
    let place = output.as_ref().map(|node| node.place.clone());
    if let Some(node) = output
        && !has_path(root)
    {
        replace_first(root, "export", "path", |_| node);
    }
    (diagnostics, place)
}

/// Complains about a value of the first table of a list that the command line both sets and replaces.
fn replaced(root: &Table, list: &str, key: &str, by: &str) -> Option<Diagnostic> {
    let first = root.get(list).and_then(|node| node.as_array()?.first()?.as_table())?;
    let entry = first.entry(key).filter(|entry| entry.value.place.text.kind == TextKind::CommandLine)?;
    let message = format!("this has no effect: {by} replace `{key}` of the first `[[{list}]]`");
    Some(Diagnostic::error(&entry.value.place, message).label("leave one of the two out"))
}

/// Whether the first export has a path of its own, which may hold more than its folder.
fn has_path(root: &Table) -> bool {
    let first = root.get("export").and_then(|node| node.as_array()?.first()?.as_table());
    first.and_then(|table| table.get("path")?.as_str()).is_some_and(|path| !path.is_empty())
}

/// An argument of the command line, shown after `prefix`.
fn argument(path: &Path, prefix: &str, order: usize) -> Node {
    let written = path.to_string_lossy();
    let content = format!("{prefix}{written}");
    let text = Arc::new(Text { argument: Some(path.to_owned()), ..command_line(content, order) });
    let place = text.at(prefix.len()..text.content.len());
    Node { data: Data::String(written.into_owned()), place }
}

fn command_line(content: String, order: usize) -> Text {
    Text {
        name: "command line".to_owned(),
        content,
        kind: TextKind::CommandLine,
        base: working_folder(),
        argument: None,
        order,
        lines: OnceLock::new(),
    }
}

fn working_folder() -> PathBuf {
    std::path::absolute(".").unwrap_or_else(|_| PathBuf::from("."))
}

/// Sets `key` in the first table of a list of tables; without one there is nothing to set, and the check
/// says that it is missing.
fn replace_first(root: &mut Table, list: &str, key: &str, value: impl FnOnce(Place) -> Node) {
    let Some(Data::Array(tables)) = root.get_mut(list).map(|node| &mut node.data) else { return };
    let Some(first) = tables.first_mut() else { return };
    let place = first.place.clone();
    let Data::Table(table) = &mut first.data else { return };
    let value = value(place.clone());
    let key_place = value.as_str().map_or(place, |_| value.place.clone());
    table.set(Entry { key: key.to_owned(), key_place, value });
}

impl Assignment {
    fn new(setting: &Setting, order: usize) -> Result<Self, Diagnostic> {
        let (text, key_start, value_start, folded) = match &setting.origin {
            SettingOrigin::Flag => {
                let content = format!("--set {}={}", setting.key, setting.value);
                (
                    Arc::new(command_line(content, order)),
                    "--set ".len(),
                    "--set ".len() + setting.key.len() + 1,
                    false,
                )
            }
            SettingOrigin::Environment(variable) => {
                let text = Arc::new(Text {
                    name: "environment".to_owned(),
                    content: format!("{variable}={}", setting.value),
                    kind: TextKind::Environment,
                    base: working_folder(),
                    argument: None,
                    order,
                    lines: OnceLock::new(),
                });
                (text, 0, variable.len() + 1, true)
            }
        };
        if setting.key.split('.').count() > MAX_PARTS {
            let message = format!("a key has at most {MAX_PARTS} parts");
            return Err(Diagnostic::error(&text.at(key_start..value_start), message));
        }
        let mut parts = Vec::new();
        let mut start = key_start;
        for name in setting.key.split('.') {
            // The parts of a variable stand elsewhere than those of its key: point at all of its name.
            let place = if folded { text.at(0..value_start - 1) } else { text.at(start..start + name.len()) };
            start += name.len() + 1;
            if name.trim().is_empty() {
                return Err(Diagnostic::error(&place, format!("`{}` has an empty part", setting.key))
                    .label("write it as `stage.ID.OPTION=VALUE`, `run.threads=4` or `name=…`"));
            }
            parts.push(Part { name: name.trim().to_owned(), place });
        }
        let place = text.at(value_start..text.content.len());
        let value = node::parse_value(&text, place, &setting.value);
        Ok(Self { parts, value, folded })
    }

    fn apply(self, root: &mut Table) -> Result<(), Diagnostic> {
        // `split` gives at least one part.
        let Some((table, rest)) = self.parts.split_first() else { return Ok(()) };
        let name = self.name_of(&table.name, ["name", "run", "source", "stage", "export"]);
        match (name.as_deref(), rest) {
            (Some("name"), []) => self.put(root, "name", &table.place, &[]),
            (Some("run"), [key, rest @ ..]) => {
                let key_name = self.run_key(key)?;
                if root.get("run").is_none() {
                    root.set(empty_table("run", &table.place));
                }
                let Some(Data::Table(run)) = root.get_mut("run").map(|node| &mut node.data) else {
                    // The check complains about what `run` is instead.
                    return Ok(());
                };
                self.put(run, &key_name, &key.place, rest)
            }
            (Some(list @ ("source" | "stage" | "export")), [id, key, rest @ ..]) => {
                let found = self.find(root, list, id)?;
                let known = self.name_of(&key.name, keys(ENVELOPE.of(list)));
                self.put(found, known.as_deref().unwrap_or(&key.name), &key.place, rest)
            }
            (Some("source" | "stage" | "export"), _) => {
                Err(Diagnostic::error(&table.place, format!("`{}` does not name an option", table.name))
                    .label(format!("write it as `{}.ID.OPTION=VALUE`", table.name)))
            }
            (Some("run"), []) => Err(Diagnostic::error(&table.place, "`run` is a table")
                .label("set one of its keys, such as `run.threads=4`")),
            (Some("name"), [part, ..]) => {
                Err(Diagnostic::error(&part.place, "`name` has no keys").label("write `name=VALUE`"))
            }
            _ => Err(Diagnostic::error(&table.place, format!("unknown table `{}`", table.name)).label(
                did_you_mean(
                    &table.name,
                    ["source", "stage", "export", "run", "name"],
                    "tables that can be set",
                ),
            )),
        }
    }

    /// The name among `known` that a part means.
    fn name_of<'a>(&self, part: &str, known: impl IntoIterator<Item = &'a str>) -> Option<String> {
        let same = |name: &&str| *name == part || (self.folded && fold(name) == fold(part));
        known.into_iter().find(same).map(str::to_owned)
    }

    fn run_key(&self, key: &Part) -> Result<String, Diagnostic> {
        self.name_of(&key.name, keys(&ENVELOPE.run)).ok_or_else(|| {
            Diagnostic::error(&key.place, format!("unknown key `{}` in `run`", key.name)).label(did_you_mean(
                &key.name,
                keys(&ENVELOPE.run),
                "keys",
            ))
        })
    }

    /// The table of a source, stage or export by id, name of its stage, or position.
    fn find<'t>(&self, root: &'t mut Table, list: &str, id: &Part) -> Result<&'t mut Table, Diagnostic> {
        let unknown = |message: String| Diagnostic::error(&id.place, message);
        let Some(Data::Array(tables)) = root.get_mut(list).map(|node| &mut node.data) else {
            return Err(unknown(format!("the pipeline has no `[[{list}]]`")));
        };
        let names: Vec<(Option<String>, Option<String>)> = tables.iter().map(names).collect();
        let same = |name: &Option<String>| {
            name.as_deref()
                .is_some_and(|name| name == id.name || (self.folded && fold(name) == fold(&id.name)))
        };
        let own = |index: &usize| names[*index].0.as_ref().or(names[*index].1.as_ref()).cloned();
        let mut found: Vec<usize> = (0..names.len()).filter(|index| same(&own(index))).collect();
        if found.is_empty() {
            found = (0..names.len()).filter(|index| same(&names[*index].1)).collect();
        }
        if found.is_empty()
            && let Ok(index) = id.name.parse::<usize>()
            && index < names.len()
        {
            found.push(index);
        }
        let index = match found.as_slice() {
            [index] => *index,
            [] => {
                let known: Vec<&str> =
                    names.iter().filter_map(|(id, name)| id.as_deref().or(name.as_deref())).collect();
                return Err(unknown(format!("the pipeline has no {list} `{}`", id.name)).label(
                    did_you_mean(&id.name, known.iter().copied(), &format!("{list}s of this pipeline")),
                ));
            }
            several => {
                let positions: Vec<String> = several.iter().map(|index| format!("{list}.{index}")).collect();
                return Err(unknown(format!("`{}` names {} {list}s", id.name, several.len()))
                    .label(format!("say which by its position: {}", choice(&positions))));
            }
        };
        let place = tables[index].place.clone();
        match &mut tables[index].data {
            Data::Table(table) => Ok(table),
            _ => Err(unknown(format!("{list} {index} is not a table")).related(&place, "this one")),
        }
    }

    /// Puts the value at `key` of a table, or further down at `rest`.
    fn put(&self, table: &mut Table, key: &str, place: &Place, rest: &[Part]) -> Result<(), Diagnostic> {
        let key = if self.folded { table.folded_key(key).unwrap_or(key).to_owned() } else { key.to_owned() };
        let Some((next, rest)) = rest.split_first() else {
            table.set(Entry { key, key_place: place.clone(), value: self.value.clone() });
            return Ok(());
        };
        if table.get(&key).is_none() {
            table.set(empty_table(&key, place));
        }
        match table.get_mut(&key).map(|node| &mut node.data) {
            Some(Data::Table(inner)) => self.put(inner, &next.name, &next.place, rest),
            _ => Err(Diagnostic::error(
                place,
                format!("`{key}` is not a table and has no key `{}`", next.name),
            )
            .label("set it as a whole")),
        }
    }
}

/// The id and the stage name of a table.
fn names(node: &Node) -> (Option<String>, Option<String>) {
    let of = |key| node.as_table().and_then(|table| table.get(key)?.as_str()).map(str::to_owned);
    (of("id"), of("use"))
}

fn empty_table(key: &str, place: &Place) -> Entry {
    Entry {
        key: key.to_owned(),
        key_place: place.clone(),
        value: Node { data: Data::Table(Table::default()), place: place.clone() },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_variable_with_single_underscores_is_understood() {
        for (name, meant) in [
            ("TAMIS_RUN_MAX_FAILED_RATIO", Some("TAMIS__RUN__MAX_FAILED_RATIO")),
            ("TAMIS_RUN__THREADS", Some("TAMIS__RUN__THREADS")),
            ("TAMIS_STAGE_LENGTH_MIN_CHARS", Some("TAMIS__STAGE__LENGTH__MIN_CHARS")),
            ("TAMIS_EXPORT_MY_OUT_COMPRESSION_LEVEL", Some("TAMIS__EXPORT__MY_OUT__COMPRESSION_LEVEL")),
            ("TAMIS_SOURCE_RECORDS__PATHS", Some("TAMIS__SOURCE__RECORDS__PATHS")),
            ("TAMIS_NAME", Some("TAMIS__NAME")),
            ("TAMIS_STAGE_", None),
            ("TAMIS_STAGE", None),
            ("TAMIS_NAMES", None),
            ("TAMIS_PLUGIN_PATH", None),
            ("TAMIS__STAGE__LENGTH__MIN_CHARS", None),
            ("TAMIS", None),
            ("PATH", None),
        ] {
            assert_eq!(looks_like_override(name).as_deref(), meant, "{name}");
        }
    }
}
