//! A plugin with one stage.

mod template;

pub use template::{Template, TemplateOptions};

tamis_plugin::export_plugin! {
    extractors: [Template],
}
