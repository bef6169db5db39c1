//! The `tamis` program: the command line with the standard stages linked in.

use std::process::ExitCode;

fn main() -> ExitCode {
    tamis_cli::main(&bundled())
}

#[cfg(feature = "bundled")]
fn bundled() -> Vec<&'static tamis_plugin::PluginTable> {
    vec![
        tamis_readers::plugin(),
        tamis_filters::plugin(),
        tamis_judges::plugin(),
        tamis_extractors::plugin(),
        #[cfg(feature = "columnar")]
        tamis_columnar::plugin(),
        tamis_corpus::plugin(),
        tamis_pages::plugin(),
        #[cfg(feature = "sqlite")]
        tamis_sqlite::plugin(),
        tamis_exporters::plugin(),
    ]
}

#[cfg(not(feature = "bundled"))]
fn bundled() -> Vec<&'static tamis_plugin::PluginTable> {
    Vec::new()
}
