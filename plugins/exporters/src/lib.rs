//! The standard exporters: stages that turn documents into bytes.

mod csv;
mod file_name;
mod jsonl;
mod markdown;
mod text;

pub use csv::{Csv, CsvOptions, Delimiter};
pub use jsonl::{Jsonl, JsonlOptions};
pub use markdown::{Markdown, MarkdownOptions, Paragraphs};
pub use text::{Text, TextOptions};

tamis_plugin::export_plugin! {
    exporters: [Csv, Jsonl, Markdown, Text],
}
