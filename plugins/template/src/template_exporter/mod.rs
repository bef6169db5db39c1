//! Writes one line a document.

mod options;
#[cfg(test)]
mod tests;

use tamis_plugin::{ExportView, Exporter, Failure, Output, SetupError};

pub use options::TemplateExporterOptions;

/// The stage; see [`TemplateExporterOptions`] for what it does.
pub struct TemplateExporter {
    options: TemplateExporterOptions,
}

impl Exporter for TemplateExporter {
    const NAME: &'static str = "template-exporter";
    type Options = TemplateExporterOptions;

    fn open(options: TemplateExporterOptions) -> Result<Self, SetupError> {
        Ok(Self { options })
    }

    fn extension(&self) -> &'static str {
        "txt"
    }

    fn encode(&self, record: &ExportView<'_>, out: &mut Output) -> Result<(), Failure> {
        if self.options.ids {
            out.bytes.extend_from_slice(record.document.id().as_bytes());
            out.bytes.push(b'\t');
        }
        // A line end in a text would be taken for that of its line.
        let words: Vec<&str> = record.document.text().split_whitespace().collect();
        out.bytes.extend_from_slice(words.join(" ").as_bytes());
        out.bytes.push(b'\n');
        Ok(())
    }
}
