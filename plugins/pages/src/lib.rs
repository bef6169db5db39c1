//! Stages for HTML pages.

mod features;
mod html_extract;
mod model;
mod render;
mod select;
pub mod training;

pub use html_extract::{Favour, HtmlExtract, HtmlExtractOptions, Output};

tamis_plugin::export_plugin! {
    extractors: [HtmlExtract],
}
