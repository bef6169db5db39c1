//! `jsonl`: one JSON object a line.

mod escape;
mod options;
#[cfg(test)]
mod tests;

use base64::Engine;
pub use options::JsonlOptions;
use tamis_plugin::{ExportView, Exporter, Failure, Fate, Limit, Measure, Output, SetupError, ValueRef, View};
use tamis_text::json::{MIN_ATTACHED, STRING_LAYOUT};

pub(crate) use self::escape::push_string;

/// The exporter of JSON Lines.
#[derive(Debug)]
pub struct Jsonl {
    options: JsonlOptions,
}

/// What a line has for one thing or another, so that no metadata field can stand beside it under this name.
const TAKEN: [&str; 9] =
    ["id", "text", "metadata", "stage", "reason", "measures", "origin", "raw", "raw_base64"];

impl Exporter for Jsonl {
    const NAME: &'static str = "jsonl";
    const REPLAYABLE: bool = true;
    type Options = JsonlOptions;

    fn open(options: JsonlOptions) -> Result<Self, SetupError> {
        for (index, column) in options.columns.iter().enumerate() {
            let trouble = if column.is_empty() {
                "a column without a name".to_owned()
            } else if TAKEN.contains(&column.as_str()) {
                format!("a line has `{column}` already: give the field another name before the export")
            } else if options.columns[..index].contains(column) {
                format!("`{column}` is named twice")
            } else {
                continue;
            };
            return Err(SetupError::in_option("columns", trouble));
        }
        Ok(Self { options })
    }

    fn extension(&self) -> &'static str {
        "jsonl"
    }

    fn encode(&self, record: &ExportView<'_>, out: &mut Output) -> Result<(), Failure> {
        let out = &mut out.bytes;
        let document = &record.document;
        // Room for the text with an escape every few characters, so that the buffer grows once.
        out.reserve(document.text().len() + document.text().len() / 16 + 256);
        out.extend_from_slice(b"{\"id\":");
        push_string(document.id(), out);
        out.extend_from_slice(b",\"text\":");
        push_text(document, out);
        let is_failed = matches!(record.fate, Fate::Failed(_));
        // A dead letter is read back as it came, so its metadata stays together.
        let columns = if is_failed { &[][..] } else { &self.options.columns };
        for name in columns {
            out.push(b',');
            push_field(name, document.metadata(name).unwrap_or(ValueRef::Null), out)?;
        }
        if columns.is_empty() || self.options.rest {
            push_metadata(document, columns, out)?;
        }
        push_fate(record, out)?;
        if is_failed || self.options.origin {
            push_origin(record, out)?;
        }
        if is_failed || self.options.raw {
            push_raw(document.raw(), out);
        }
        out.extend_from_slice(b"}\n");
        Ok(())
    }
}

/// Writes the metadata that have no column.
fn push_metadata(document: &View<'_>, columns: &[String], out: &mut Vec<u8>) -> Result<(), Failure> {
    out.extend_from_slice(b",\"metadata\":{");
    let fields = document.fields().filter(|(name, _)| !columns.iter().any(|column| column == name));
    for (index, (name, value)) in fields.enumerate() {
        if index > 0 {
            out.push(b',');
        }
        push_field(name, value, out)?;
    }
    out.push(b'}');
    Ok(())
}

fn push_field(name: &str, value: ValueRef<'_>, out: &mut Vec<u8>) -> Result<(), Failure> {
    push_string(name, out);
    out.push(b':');
    push_value(value, out)
}

/// Writes the text: copied from what a reader has seen it as, if that is known.
fn push_text(document: &View<'_>, out: &mut Vec<u8>) {
    let text = document.text();
    let (name, version) = STRING_LAYOUT;
    let encoded = if text.len() < MIN_ATTACHED { None } else { document.flat(name, version) };
    match encoded {
        Some([]) => {
            out.push(b'"');
            out.extend_from_slice(text.as_bytes());
            out.push(b'"');
        }
        // A library that has attached something else shall break neither the line nor those behind it.
        Some(json @ [b'"', .., b'"']) if memchr::memchr(b'\n', json).is_none() => out.extend_from_slice(json),
        _ => push_string(text, out),
    }
}

/// What became of a document that was not kept.
fn push_fate(record: &ExportView<'_>, out: &mut Vec<u8>) -> Result<(), Failure> {
    let (Fate::Dropped(reason) | Fate::Failed(reason)) = record.fate else { return Ok(()) };
    out.extend_from_slice(b",\"stage\":");
    match record.stage {
        Some(stage) => push_string(stage, out),
        None => out.extend_from_slice(b"null"),
    }
    out.extend_from_slice(b",\"reason\":");
    push_string(reason, out);
    out.extend_from_slice(b",\"measures\":");
    push_measures(record.measures, out)
}

/// Measures as a list: a stage may measure the same thing more than once.
pub(crate) fn push_measures(measures: &[Measure], out: &mut Vec<u8>) -> Result<(), Failure> {
    out.push(b'[');
    for (index, measure) in measures.iter().enumerate() {
        out.extend_from_slice(if index == 0 { b"{\"name\":" } else { b",{\"name\":" });
        push_string(&measure.name, out);
        out.extend_from_slice(b",\"value\":");
        push_measured(measure.value, out)?;
        let (side, limit) = match measure.limit {
            Limit::None => (&b""[..], 0.0),
            Limit::Min(limit) => (&b",\"min\":"[..], limit),
            Limit::Max(limit) => (&b",\"max\":"[..], limit),
        };
        if !side.is_empty() {
            out.extend_from_slice(side);
            push_measured(limit, out)?;
        }
        out.push(b'}');
    }
    out.push(b']');
    Ok(())
}

/// A measured value; most are counts, which read better without `.0`.
fn push_measured(value: f64, out: &mut Vec<u8>) -> Result<(), Failure> {
    // Up to here every whole `f64` is exact.
    const MAX_EXACT: f64 = 9_007_199_254_740_992.0;
    if value.fract() == 0.0 && value.abs() <= MAX_EXACT {
        push_json(&(value as i64), out)
    } else {
        push_json(&value, out)
    }
}

fn push_origin(record: &ExportView<'_>, out: &mut Vec<u8>) -> Result<(), Failure> {
    let (offset, length) = record.span;
    out.extend_from_slice(b",\"origin\":{\"file\":");
    push_string(record.file, out);
    out.extend_from_slice(b",\"offset\":");
    push_json(&offset, out)?;
    out.extend_from_slice(b",\"length\":");
    push_json(&length, out)?;
    out.extend_from_slice(b",\"ordinal\":");
    push_json(&record.document.ordinal(), out)?;
    out.push(b'}');
    Ok(())
}

fn push_raw(raw: Option<&[u8]>, out: &mut Vec<u8>) {
    let Some(raw) = raw else { return };
    if let Ok(text) = std::str::from_utf8(raw) {
        out.extend_from_slice(b",\"raw\":");
        push_string(text, out);
    } else {
        out.extend_from_slice(b",\"raw_base64\":\"");
        out.extend_from_slice(base64::engine::general_purpose::STANDARD.encode(raw).as_bytes());
        out.push(b'"');
    }
}

/// Writes a metadata value as JSON on one line.
pub(crate) fn push_value(value: ValueRef<'_>, out: &mut Vec<u8>) -> Result<(), Failure> {
    match value {
        ValueRef::Null => out.extend_from_slice(b"null"),
        ValueRef::Bool(true) => out.extend_from_slice(b"true"),
        ValueRef::Bool(false) => out.extend_from_slice(b"false"),
        ValueRef::Integer(value) => return push_json(&value, out),
        ValueRef::Float(value) => return push_json(&value, out),
        ValueRef::String(text) => push_string(text, out),
        ValueRef::Json(json) if memchr::memchr2(b'\n', b'\r', json.as_bytes()).is_none() => {
            out.extend_from_slice(json.as_bytes());
        }
        // A line end in valid JSON can only stand between its parts, where a blank does as well.
        ValueRef::Json(json) => out.extend(json.bytes().map(|byte| match byte {
            b'\n' | b'\r' => b' ',
            byte => byte,
        })),
    }
    Ok(())
}

fn push_json(value: &impl serde::Serialize, out: &mut Vec<u8>) -> Result<(), Failure> {
    serde_json::to_writer(out, value).map_err(Failure::new)
}
