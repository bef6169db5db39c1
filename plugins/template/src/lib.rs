//! A plugin with one stage.

mod template;

pub use template::{Template, TemplateOptions};

// The kinds are `readers`, `file_readers`, `filters`, `extractors`, `corpus_stages`, `keyed_stages`,
// `exporters` and `part_exporters`, after the trait that a stage implements; a plugin may have several stages of several kinds.
// `filters` and `extractors` also take those with state of their worker, `BatchFilter` and `BatchExtractor`.
tamis_plugin::export_plugin! {
    extractors: [Template],
}
