//! Files that were given to the wrong reader.

use serde::de::IgnoredAny;
use tamis_plugin::Failure;
use tamis_text::kind;

use crate::arc::record::begins_file;
use crate::csv::{Delimiter, table};
use crate::json;
use crate::warc::record::begins_record;

/// A format that has a reader of its own and is never taken for another one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    Arc,
    Warc,
    Jsonl,
    Json,
    /// A table with a header, by what stands between its cells.
    Table,
}

/// How much of a file is looked at to see a table or an object.
const LOOKED_AT: usize = 64 * 1024;
/// A table of two columns may be a list; from three on it is none.
const LEAST_COLUMNS: usize = 3;

impl Format {
    /// What a file of this format is called, and its reader, if `bytes` is one.
    fn of(self, bytes: &[u8]) -> Option<(&'static str, &'static str)> {
        match self {
            Self::Arc => begins_file(bytes).then_some(("an ARC file", "arc")),
            Self::Warc => begins_record(bytes.trim_ascii_start()).then_some(("a WARC file", "warc")),
            Self::Jsonl => {
                let line = bytes.split(|byte| *byte == b'\n').next().unwrap_or_default();
                let is_object =
                    line.starts_with(b"{\"") && serde_json::from_slice::<IgnoredAny>(line).is_ok();
                is_object.then_some(("JSON Lines", "jsonl"))
            }
            Self::Json => is_json(bytes).then_some(("JSON", "json")),
            Self::Table => {
                let (head, complete) = head(bytes);
                let table = table(head, complete).filter(|table| table.names.len() >= LEAST_COLUMNS)?;
                Some(match table.delimiter {
                    Delimiter::Tab => ("a table with tabs", "tsv"),
                    _ => ("a table", "csv"),
                })
            }
        }
    }

    /// Whether somebody may want to read such a file as one document.
    fn is_text(self) -> bool {
        !matches!(self, Self::Arc | Self::Warc)
    }
}

fn head(bytes: &[u8]) -> (&[u8], bool) {
    (bytes.get(..LOOKED_AT).unwrap_or(bytes), bytes.len() <= LOOKED_AT)
}

/// Whether a file begins as one of objects does, or is an array as a whole.
fn is_json(bytes: &[u8]) -> bool {
    let bytes = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
    let is_array = bytes.trim_ascii_start().starts_with(b"[");
    json::begins(head(bytes).0) || (is_array && serde_json::from_slice::<IgnoredAny>(bytes).is_ok())
}

/// Refuses a whole file that is clearly of another kind: no text at all, of one of `formats`, or text that has to be
/// taken apart first. With `any_format` only what is no text is refused, and what holds pages of many sites.
///
/// # Errors
///
/// What it is, and who reads it.
pub(crate) fn check(file: &[u8], reader: &str, formats: &[Format], any_format: bool) -> Result<(), Failure> {
    if let Some(kind) = kind::binary(file) {
        return Err(Failure::new(format_args!(
            "the file is `{kind}`, which `{reader}` cannot read: leave it out with `exclude`, or make text of it first"
        )));
    }
    let formats = formats.iter().filter(|format| !any_format || !format.is_text());
    for format in formats {
        if let Some((what, use_instead)) = format.of(file) {
            let unless = if format.is_text() { " (`any_format = true` takes it as one)" } else { "" };
            return Err(Failure::new(format_args!(
                "the file is {what}, and no single document{unless}: read it with `use = \"{use_instead}\"`"
            )));
        }
    }
    let (head, complete) = head(file);
    match kind::format(head, complete).filter(|_| !any_format) {
        None => Ok(()),
        Some(what) => Err(Failure::new(format_args!(
            "the file is {what}, which no reader takes apart: leave it out with `exclude`, make text or JSON Lines of \
             it first, or take it as it is with `any_format = true`"
        ))),
    }
}

/// The kind of a file that is called like Markdown.
pub(crate) const MARKDOWN: &str = "text/markdown";

/// What a file is by its name if its writers lay it out by hand, as a media type: it may begin with a tag and is no
/// page, and its blank lines and indentation mean something.
pub(crate) fn laid_out_by_hand(name: &str) -> Option<&'static str> {
    let name = name.to_ascii_lowercase();
    let kinds: [(&[&str], &str); 4] = [
        (&[".md", ".markdown", ".mdown", ".mkd"], MARKDOWN),
        (&[".rst"], "text/x-rst"),
        (&[".adoc", ".asciidoc"], "text/asciidoc"),
        (&[".org"], "text/org"),
    ];
    let is_named = |(endings, _): &(&[&str], _)| endings.iter().any(|ending| name.ends_with(ending));
    kinds.into_iter().find(is_named).map(|(_, kind)| kind)
}
