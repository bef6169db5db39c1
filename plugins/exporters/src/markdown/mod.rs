//! `markdown`: one file a document, with front matter.

mod front_matter;
mod name;
mod options;
#[cfg(test)]
mod tests;

pub use options::{MarkdownOptions, Paragraphs};
use tamis_plugin::{ExportView, Exporter, Failure, Output, SetupError};

use crate::file_name;
use name::Pattern;

/// The ending of the files.
const EXTENSION: &str = "md";

/// The exporter of Markdown files.
#[derive(Debug)]
pub struct Markdown {
    options: MarkdownOptions,
    name: Option<Pattern>,
}

impl Exporter for Markdown {
    const NAME: &'static str = "markdown";
    const NAMED_FILES: bool = true;
    type Options = MarkdownOptions;

    fn open(options: MarkdownOptions) -> Result<Self, SetupError> {
        let fields = options.fields.as_deref().unwrap_or_default();
        if let Some((_, twice)) = fields.iter().enumerate().find(|(at, field)| fields[..*at].contains(field))
        {
            return Err(SetupError::in_option("fields", format_args!("`{twice}` is named twice")));
        }
        let name = options.name.as_deref().map(Pattern::parse).transpose();
        let name = name.map_err(|trouble| SetupError::in_option("name", trouble))?;
        Ok(Self { options, name })
    }

    fn extension(&self) -> &'static str {
        EXTENSION
    }

    fn encode(&self, record: &ExportView<'_>, out: &mut Output) -> Result<(), Failure> {
        let text = record.document.text();
        let mut file = String::with_capacity(text.len() + text.len() / 16 + 512);
        front_matter::push(record, self.options.fields.as_deref(), &mut file)?;
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
        let named = self.name.as_ref().and_then(|pattern| pattern.name(&record.document));
        let path = match named {
            Some(name) => format!("{name}.{EXTENSION}"),
            None => file_name::of(record.document.id(), EXTENSION),
        };
        out.file(path, file.into_bytes());
        Ok(())
    }
}
