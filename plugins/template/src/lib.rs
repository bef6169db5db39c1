//! A plugin with one stage of each kind: `tamis plugin new --kind` copies one of them.

mod template;
mod template_corpus;
mod template_exporter;
mod template_filter;
mod template_reader;

pub use template::{Template, TemplateOptions};
pub use template_corpus::{TemplateCorpus, TemplateCorpusOptions};
pub use template_exporter::{TemplateExporter, TemplateExporterOptions};
pub use template_filter::{TemplateFilter, TemplateFilterOptions};
pub use template_reader::{TemplateReader, TemplateReaderOptions};

tamis_plugin::export_plugin! {
    readers: [TemplateReader],
    filters: [TemplateFilter],
    extractors: [Template],
    keyed_stages: [TemplateCorpus],
    exporters: [TemplateExporter],
}
