//! Stages for HTML pages.

mod alike;
mod beyond;
mod copies;
mod discussion;
mod features;
mod html_extract;
mod html_metadata;
mod model;
mod notices;
mod parsed;
mod posts;
mod render;
mod select;
mod site_template;
pub mod training;
mod units;

pub use html_extract::{Articles, Comments, Favour, HtmlExtract, HtmlExtractOptions, Output};
pub use html_metadata::{Field, HtmlMetadata, HtmlMetadataOptions};
pub use site_template::{SiteTemplate, SiteTemplateOptions};

tamis_plugin::export_plugin! {
    extractors: [HtmlExtract, HtmlMetadata],
    corpus_stages: [SiteTemplate],
}
