//! A pipeline file, read and merged, not yet checked against stages.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use tamis_stage::{not_a_file, read_text_of_any};

use crate::check::Checker;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::envelope::ENVELOPE;
use crate::extends::{self, MAX_BYTES};
use crate::node::{Node, Table};
use crate::overrides::{self, Overrides};
use crate::suggest::list;
use crate::text::{Place, Position, Text, tidy};

/// A pipeline: parsed, with what it extends and what overrides it, not yet checked against stages.
#[derive(Debug, Clone)]
pub struct Pipeline {
    pub(crate) root: Table,
    pub(crate) text: Arc<Text>,
    pub(crate) file: PathBuf,
    /// Mistakes found so far; they are shown together with those that [`Pipeline::plan`] finds.
    pub(crate) diagnostics: Diagnostics,
    plugins: Vec<PluginRequest>,
    /// Where the command line names another folder for the first export.
    pub(crate) output: Option<Place>,
    /// See [`Overrides::streams`].
    pub(crate) streams: bool,
    /// See [`Pipeline::without_inputs`].
    pub(crate) ignores_inputs: bool,
    /// See [`Pipeline::stages_alone`].
    pub(crate) is_stages_alone: bool,
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
        let text = Arc::new(Text::of_file(name, &file, content, 0));
        let mut diagnostics = Diagnostics::default();
        let (mut root, n_files) = extends::read(&text, &file, &mut diagnostics)?;
        let (found, output) = overrides::apply(&mut root, overrides, n_files);
        diagnostics.append(found);
        let plugins = plugins(&root, &mut diagnostics);
        Ok(Self {
            root,
            text,
            file,
            diagnostics,
            plugins,
            output,
            streams: overrides.streams,
            ignores_inputs: false,
            is_stages_alone: false,
        })
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

    /// The same pipeline for its stages alone: documents are handed to them and taken from them, so it need have neither
    /// source nor export, and whether there is any input does not matter.
    #[must_use]
    pub fn stages_alone(self) -> Self {
        Self { ignores_inputs: true, is_stages_alone: true, ..self }
    }

    /// What the `[[plugin]]` entries hold that make no request, and those that stand where they have no effect:
    /// names and paths.
    pub(crate) fn unusable_plugins(&self) -> Vec<String> {
        let usable = |place: &Place| self.plugins.iter().any(|plugin| plugin.table.rank() == place.rank());
        let unusable = self.root.get("plugin").into_iter().flat_map(items);
        let unusable = unusable.filter(|item| item.as_table().is_none() || !usable(&item.place));
        let tables =
            self.root.entries.iter().flat_map(|entry| items(&entry.value)).filter_map(Node::as_table);
        let below_a_table = tables.filter_map(|table| table.get("plugin")).flat_map(items);
        unusable.chain(below_a_table).map(|item| named(item).unwrap_or_default().to_owned()).collect()
    }

    /// The pipeline file, as an absolute path.
    pub fn file(&self) -> &Path {
        &self.file
    }
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

/// The values of a list, or the one value.
fn items(node: &Node) -> &[Node] {
    node.as_array().unwrap_or(std::slice::from_ref(node))
}

/// What a `[[plugin]]` calls its library, or what stands there instead.
fn named(node: &Node) -> Option<&str> {
    match node.as_table() {
        Some(table) => table.get("path").or_else(|| table.get("name"))?.as_str(),
        None => node.as_str(),
    }
}
