//! A pipeline file, read and merged, not yet checked against stages.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use tamis_stage::{ReadError, not_a_file, read_text, read_text_of_any};

use crate::check::Checker;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::envelope::ENVELOPE;
use crate::inputs;
use crate::node::{self, Node, Table};
use crate::overrides::{self, Overrides};
use crate::suggest::list;
use crate::text::{Place, Position, Text, TextKind, tidy};

/// Links can make one file look like many; nobody extends pipelines this often.
const MAX_CHAIN: usize = 32;

/// Far more than anybody writes, and little enough to be held some times over: every value keeps its place.
const MAX_BYTES: u64 = 16 << 20;

/// How many tables there may be of a kind: each stage and each library that is opened takes memory, and many a
/// check compares each with all others. Tests are only compared by name.
const MAX_TABLES: [(&str, usize); 5] =
    [("plugin", 1_000), ("source", 1_000), ("stage", 1_000), ("export", 1_000), ("test", 100_000)];

/// A pipeline: parsed, with what it extends and what overrides it, not yet checked against stages.
#[derive(Debug)]
pub struct Pipeline {
    pub(crate) root: Table,
    pub(crate) text: Arc<Text>,
    pub(crate) file: PathBuf,
    /// Mistakes found so far; they are shown together with those that [`Pipeline::plan`] finds.
    pub(crate) diagnostics: Diagnostics,
    plugins: Vec<PluginRequest>,
    /// Where the command line names another folder for the first export.
    pub(crate) output: Option<Place>,
    /// See [`Pipeline::without_inputs`].
    pub(crate) ignores_inputs: bool,
}

/// A `[[plugin]]` of a pipeline.
#[derive(Debug, Clone)]
pub struct PluginRequest {
    /// Which library.
    pub locator: PluginLocator,
    /// The BLAKE3 hash that the file must have, in lower-case hexadecimal.
    pub blake3: Option<String>,
    /// Where the pipeline names it.
    pub position: Position,
    pub(crate) place: Place,
    /// Where its table stands.
    table: Place,
}

/// How a `[[plugin]]` names its library.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PluginLocator {
    /// By its file, as an absolute path; not yet known to exist.
    Path(PathBuf),
    /// By its name, to be looked up in the plugin folders.
    Name(String),
}

impl Pipeline {
    /// Reads a pipeline file and what it extends, and applies overrides.
    ///
    /// # Errors
    ///
    /// When a file cannot be read, is larger than 16 MiB or is not TOML, or extends itself. The pipeline itself may
    /// be a pipe, such as the output of another program; what it extends must be a file. All other mistakes are kept for
    /// [`Pipeline::plan`], so that the user sees them together.
    pub fn read(path: &Path, overrides: &Overrides) -> Result<Self, Diagnostics> {
        let name = path.display().to_string();
        let file = tidy(&std::path::absolute(path).unwrap_or_else(|_| path.to_path_buf()));
        let content = read_text_of_any(&file, MAX_BYTES).map_err(|reason| {
            Diagnostic::in_file(&name, format!("cannot read the pipeline `{name}`: {reason}"))
        })?;
        Self::merge(name, file, content, overrides)
    }

    /// A pipeline from a text; `name` is what messages call it, and relative paths resolve against `base`.
    ///
    /// # Errors
    ///
    /// As [`Pipeline::read`].
    pub fn from_text(
        name: &str,
        content: &str,
        base: &Path,
        overrides: &Overrides,
    ) -> Result<Self, Diagnostics> {
        let base = std::path::absolute(base).unwrap_or_else(|_| base.to_path_buf());
        Self::merge(name.to_owned(), tidy(&base.join(name)), content.to_owned(), overrides)
    }

    fn merge(
        name: String,
        file: PathBuf,
        content: String,
        overrides: &Overrides,
    ) -> Result<Self, Diagnostics> {
        let text = text(name, &file, content, 0);
        let mut chain = vec![file.clone()];
        let mut root = node::parse(&text)?;
        extend(&mut root, &text, &mut chain)?;
        too_many(&root)?;
        let (mut diagnostics, output) = overrides::apply(&mut root, overrides, chain.len());
        let plugins = plugins(&root, &mut diagnostics);
        Ok(Self { root, text, file, diagnostics, plugins, output, ignores_inputs: false })
    }

    /// The libraries that the pipeline asks for, in order. Whoever loads them reports failures to
    /// [`Pipeline::plan`] by their position in this list.
    pub fn plugins(&self) -> &[PluginRequest] {
        &self.plugins
    }

    /// Leaves the inputs out: [`Pipeline::plan`] does not ask whether they exist, and its sources have none.
    ///
    /// For what only needs the stages, such as the tests of a pipeline.
    #[must_use]
    pub fn without_inputs(self) -> Self {
        Self { ignores_inputs: true, ..self }
    }

    /// What the `[[plugin]]` entries hold that make no request: names and paths.
    pub(crate) fn unusable_plugins(&self) -> Vec<String> {
        let Some(node) = self.root.get("plugin") else { return Vec::new() };
        let usable = |place: &Place| self.plugins.iter().any(|plugin| plugin.table.start == place.start);
        let items = node.as_array().unwrap_or(std::slice::from_ref(node)).iter();
        let unusable = items.filter(|item| item.as_table().is_none() || !usable(&item.place));
        unusable.map(|item| named(item).unwrap_or_default().to_owned()).collect()
    }

    /// The pipeline file, as an absolute path.
    pub fn file(&self) -> &Path {
        &self.file
    }
}

fn text(name: String, file: &Path, content: String, order: usize) -> Arc<Text> {
    let base = file.parent().unwrap_or(file).to_path_buf();
    Arc::new(Text {
        name,
        content,
        kind: TextKind::File,
        base,
        argument: None,
        order,
        lines: OnceLock::new(),
    })
}

/// Takes over what `root` extends: every top-level key that it does not have itself.
fn extend(root: &mut Table, text: &Arc<Text>, chain: &mut Vec<PathBuf>) -> Result<(), Diagnostics> {
    let Some(extends) = root.get("extends") else { return Ok(()) };
    // Anything but a string is complained about with the other types.
    let Some(written) = extends.as_str() else { return Ok(()) };
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
    let base_text = self::text(name.display().to_string(), &file, content, chain.len());
    let mut base = node::parse(&base_text)?;
    chain.push(file);
    extend(&mut base, &base_text, chain)?;
    let own: BTreeSet<&str> = root.entries.iter().map(|entry| entry.key.as_str()).collect();
    let others: Vec<_> = base.entries.into_iter().filter(|entry| !own.contains(entry.key.as_str())).collect();
    root.entries.extend(others);
    Ok(())
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

/// The `[[plugin]]` tables that make sense; complaints about the others.
fn plugins(root: &Table, diagnostics: &mut Diagnostics) -> Vec<PluginRequest> {
    let tables = root.get("plugin").and_then(Node::as_array).unwrap_or_default();
    tables.iter().filter_map(|node| plugin(node, diagnostics)).collect()
}

fn plugin(node: &Node, diagnostics: &mut Diagnostics) -> Option<PluginRequest> {
    // What is no table is complained about with the other types.
    let table = node.as_table()?;
    let mut checker = Checker::for_keys(&ENVELOPE.plugin, "`[[plugin]]`", &node.place);
    checker.table(table);
    let (mut found, _) = checker.finish();
    let path = table.get("path");
    let name = table.get("name");
    match (path, name) {
        (None, None) if found.is_empty() => found.push(
            Diagnostic::error(&node.place, "the plugin is not named")
                .label("give its `path`, or its `name` to look it up in the plugin folders"),
        ),
        (Some(path), Some(name)) => found.push(
            Diagnostic::error(
                &name.place,
                format!("a plugin has one of {}, not both", list(&["path", "name"])),
            )
            .label("remove this one")
            .related(&path.place, "the path says where it is"),
        ),
        _ => {}
    }
    if let Some((path, written)) = path.and_then(|path| Some((path, path.as_str()?)))
        && let Ok(metadata) = std::fs::metadata(path.place.resolve(Path::new(written)))
        && let Some(what) = not_a_file(&metadata)
    {
        found.push(
            Diagnostic::error(&path.place, format!("`{written}` is {what}, but a plugin is a file"))
                .label("name the library file"),
        );
    }
    if !found.is_empty() {
        diagnostics.append(found);
        return None;
    }
    let value = path.or(name)?;
    let written = value.as_str()?;
    let locator = match path {
        Some(path) => PluginLocator::Path(path.place.resolve(Path::new(written))),
        None => PluginLocator::Name(written.to_owned()),
    };
    let blake3 = table.get("blake3").and_then(Node::as_str).map(str::to_ascii_lowercase);
    Some(PluginRequest {
        locator,
        blake3,
        position: value.place.position(),
        place: value.place.clone(),
        table: node.place.clone(),
    })
}

/// What a `[[plugin]]` calls its library, or what stands there instead.
fn named(node: &Node) -> Option<&str> {
    match node.as_table() {
        Some(table) => table.get("path").or_else(|| table.get("name"))?.as_str(),
        None => node.as_str(),
    }
}
