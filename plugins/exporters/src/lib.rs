//! The standard exporters: stages that turn documents into bytes.

mod jsonl;
mod markdown;

pub use jsonl::{Jsonl, JsonlOptions};
pub use markdown::{Markdown, MarkdownOptions, Paragraphs};

tamis_plugin::export_plugin! {
    exporters: [Jsonl, Markdown],
}
