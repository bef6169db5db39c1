//! `text`: one plain file a document.

mod options;
#[cfg(test)]
mod tests;

pub use options::TextOptions;
use tamis_plugin::{ExportView, Exporter, Failure, Output, SetupError};

use crate::file_name;

/// The ending of the files.
const EXTENSION: &str = "txt";

/// The exporter of plain-text files.
#[derive(Debug)]
pub struct Text;

impl Exporter for Text {
    const NAME: &'static str = "text";
    const NAMED_FILES: bool = true;
    type Options = TextOptions;

    fn open(_options: TextOptions) -> Result<Self, SetupError> {
        Ok(Self)
    }

    fn extension(&self) -> &'static str {
        EXTENSION
    }

    fn encode(&self, record: &ExportView<'_>, out: &mut Output) -> Result<(), Failure> {
        let mut file = record.document.text().as_bytes().to_vec();
        if file.last().is_some_and(|byte| *byte != b'\n') {
            file.push(b'\n');
        }
        out.file(file_name::of(record.document.id(), EXTENSION), file);
        Ok(())
    }
}
