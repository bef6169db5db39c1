//! New plugins in C: one file, and the headers that it needs.

use std::path::Path;

use super::plugin_sdk;
use crate::args::PluginKind;

/// `template` in a source is the name of the stage, `template_library` that of the library.
fn source(kind: PluginKind) -> &'static str {
    match kind {
        PluginKind::Filter => include_str!("../../../../plugins/template/c/filter.c"),
        PluginKind::Extractor => include_str!("../../../../plugins/template/c/extractor.c"),
        PluginKind::Reader => include_str!("../../../../plugins/template/c/reader.c"),
        PluginKind::Exporter => include_str!("../../../../plugins/template/c/exporter.c"),
        PluginKind::Corpus => include_str!("../../../../plugins/template/c/corpus.c"),
    }
}

/// Writes a plugin of that name, in kebab case, to a folder.
pub(super) fn write(name: &str, folder: &Path, kind: PluginKind) -> anyhow::Result<()> {
    let snake = name.replace('-', "_");
    let source = source(kind)
        .replace("\"template\"", &format!("\"{name}\""))
        .replace("template_library", &snake)
        .replace("template_", &format!("{snake}_"));
    plugin_sdk::write(&folder.join(format!("{snake}.c")), &source)?;
    plugin_sdk::write(&folder.join("tamis_plugin.h"), tamis_plugin::HEADER)?;
    plugin_sdk::write(&folder.join("tamis_options.h"), tamis_plugin::OPTIONS_HEADER)
}
