//! `markdown`: one file a document, with front matter.

mod front_matter;
mod options;
#[cfg(test)]
mod tests;

pub use options::{MarkdownOptions, Paragraphs};
use tamis_plugin::{ExportView, Exporter, Failure, Output, SetupError};

use crate::file_name;

/// The ending of the files.
const EXTENSION: &str = "md";

/// The exporter of Markdown files.
#[derive(Debug)]
pub struct Markdown {
    options: MarkdownOptions,
}

impl Exporter for Markdown {
    const NAME: &'static str = "markdown";
    const NAMED_FILES: bool = true;
    type Options = MarkdownOptions;

    fn open(options: MarkdownOptions) -> Result<Self, SetupError> {
        Ok(Self { options })
    }

    fn extension(&self) -> &'static str {
        EXTENSION
    }

    fn encode(&self, record: &ExportView<'_>, out: &mut Output) -> Result<(), Failure> {
        let text = record.document.text();
        let mut file = String::with_capacity(text.len() + text.len() / 16 + 512);
        front_matter::push(record, &mut file)?;
        match self.options.paragraphs {
            Paragraphs::Lines => {
                for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
                    file.push('\n');
                    file.push_str(line);
                    file.push('\n');
                }
            }
            Paragraphs::AsIs if text.is_empty() => {}
            Paragraphs::AsIs => {
                file.push('\n');
                file.push_str(text);
                if !text.ends_with('\n') {
                    file.push('\n');
                }
            }
        }
        out.file(file_name::of(record.document.id(), EXTENSION), file.into_bytes());
        Ok(())
    }
}
