//! `csv`: one row a document.

mod options;
#[cfg(test)]
mod tests;

pub use options::{CsvOptions, Delimiter};
use tamis_plugin::{ExportView, Exporter, Failure, Fate, Output, SetupError, ValueRef};

use crate::jsonl::{push_string, push_value};

/// The exporter of tables.
#[derive(Debug)]
pub struct Csv {
    options: CsvOptions,
}

/// Columns that mean something of ours.
const RESERVED: [&str; 4] = ["id", "text", "stage", "reason"];

/// What spreadsheets take for the beginning of a formula, or pass over in front of one: the list of OWASP's page on
/// CSV injection.
const BEGINS_FORMULA: &[char] = &['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠'];

impl Exporter for Csv {
    const NAME: &'static str = "csv";
    type Options = CsvOptions;

    fn open(options: CsvOptions) -> Result<Self, SetupError> {
        let columns = options.columns.as_deref().unwrap_or_default();
        for (index, column) in columns.iter().enumerate() {
            let trouble = if column.is_empty() {
                "a column without a name".to_owned()
            } else if RESERVED.contains(&column.as_str()) {
                format!("`{column}` is a column of its own and no metadata field")
            } else if columns[..index].contains(column) {
                format!("`{column}` is named twice")
            } else {
                continue;
            };
            return Err(SetupError::in_option("columns", trouble));
        }
        Ok(Self { options })
    }

    fn extension(&self) -> &'static str {
        if self.options.delimiter == Delimiter::Tab { "tsv" } else { "csv" }
    }

    fn head(&self) -> Vec<u8> {
        let mut head = b"id".to_vec();
        self.push_cell("text", &mut head);
        if self.options.reasons {
            self.push_cell("stage", &mut head);
            self.push_cell("reason", &mut head);
        }
        match &self.options.columns {
            None => self.push_cell("metadata", &mut head),
            Some(columns) => columns.iter().for_each(|column| self.push_cell(column, &mut head)),
        }
        head.push(b'\n');
        head
    }

    fn encode(&self, record: &ExportView<'_>, out: &mut Output) -> Result<(), Failure> {
        let out = &mut out.bytes;
        let document = &record.document;
        out.reserve(document.text().len() + document.text().len() / 16 + 256);
        self.push_string(document.id(), out);
        self.push_string_cell(document.text(), out);
        if self.options.reasons {
            let (stage, reason) = match record.fate {
                Fate::Dropped(reason) | Fate::Failed(reason) => (record.stage.unwrap_or_default(), &**reason),
                Fate::Kept => ("", ""),
            };
            self.push_string_cell(stage, out);
            self.push_string_cell(reason, out);
        }
        let mut json = Vec::new();
        match &self.options.columns {
            None => {
                push_object(document.fields(), &mut json)?;
                self.push_cell(utf8(&json)?, out);
            }
            Some(columns) => {
                for column in columns {
                    // The last wins, as everywhere.
                    let value = document.fields().filter(|(name, _)| name == column).last();
                    match value.map(|(_, value)| value) {
                        None | Some(ValueRef::Null) => self.push_cell("", out),
                        Some(ValueRef::String(text)) => self.push_string_cell(text, out),
                        Some(other) => {
                            json.clear();
                            push_value(other, &mut json)?;
                            self.push_cell(utf8(&json)?, out);
                        }
                    }
                }
            }
        }
        out.push(b'\n');
        Ok(())
    }
}

impl Csv {
    /// Appends a string, which anybody may have written, as a cell behind another.
    fn push_string_cell(&self, content: &str, out: &mut Vec<u8>) {
        out.push(self.options.delimiter.byte());
        self.push_string(content, out);
    }

    fn push_string(&self, content: &str, out: &mut Vec<u8>) {
        if self.options.guard_formulas && content.starts_with(BEGINS_FORMULA) {
            self.push_content(&format!("'{content}"), out);
        } else {
            self.push_content(content, out);
        }
    }

    /// Appends a cell behind another.
    fn push_cell(&self, content: &str, out: &mut Vec<u8>) {
        out.push(self.options.delimiter.byte());
        self.push_content(content, out);
    }

    fn push_content(&self, content: &str, out: &mut Vec<u8>) {
        let bytes = content.as_bytes();
        let delimiter = self.options.delimiter.byte();
        let is_plain = memchr::memchr3(delimiter, b'"', b'\n', bytes).is_none() && !bytes.contains(&b'\r');
        if is_plain {
            out.extend_from_slice(bytes);
            return;
        }
        out.push(b'"');
        let mut rest = bytes;
        while let Some(at) = memchr::memchr(b'"', rest) {
            let (before, after) = rest.split_at(at + 1);
            out.extend_from_slice(before);
            out.push(b'"');
            rest = after;
        }
        out.extend_from_slice(rest);
        out.push(b'"');
    }
}

fn push_object<'f>(
    fields: impl Iterator<Item = (&'f str, ValueRef<'f>)>,
    out: &mut Vec<u8>,
) -> Result<(), Failure> {
    out.push(b'{');
    for (index, (name, value)) in fields.enumerate() {
        if index > 0 {
            out.push(b',');
        }
        push_string(name, out);
        out.push(b':');
        push_value(value, out)?;
    }
    out.push(b'}');
    Ok(())
}

fn utf8(bytes: &[u8]) -> Result<&str, Failure> {
    std::str::from_utf8(bytes).map_err(Failure::new)
}
