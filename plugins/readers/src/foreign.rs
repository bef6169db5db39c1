//! Files that were given to the wrong reader.

use serde::de::IgnoredAny;
use tamis_plugin::Failure;
use tamis_text::kind;

use crate::arc::record::begins_file;
use crate::warc::record::begins_record;

/// A format that has a reader of its own and is never taken for another one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    Arc,
    Warc,
    Jsonl,
}

impl Format {
    fn begins(self, bytes: &[u8]) -> bool {
        match self {
            Self::Arc => begins_file(bytes),
            Self::Warc => begins_record(bytes.trim_ascii_start()),
            Self::Jsonl => {
                let line = bytes.split(|byte| *byte == b'\n').next().unwrap_or_default();
                line.starts_with(b"{\"") && serde_json::from_slice::<IgnoredAny>(line).is_ok()
            }
        }
    }

    /// What such a file is called, and its reader.
    fn names(self) -> (&'static str, &'static str) {
        match self {
            Self::Arc => ("an ARC file", "arc"),
            Self::Warc => ("a WARC file", "warc"),
            Self::Jsonl => ("JSON Lines", "jsonl"),
        }
    }
}

/// Refuses a whole file that is clearly of another kind: no text at all, or of one of `formats`.
///
/// # Errors
///
/// What it is, and who reads it.
pub(crate) fn check(file: &[u8], reader: &str, formats: &[Format]) -> Result<(), Failure> {
    if let Some(kind) = kind::binary(file) {
        return Err(Failure::new(format_args!(
            "the file is `{kind}`, which `{reader}` cannot read: leave it out with `exclude`, or make text of it first"
        )));
    }
    match formats.iter().find(|format| format.begins(file)) {
        None => Ok(()),
        Some(format) => {
            let (what, use_instead) = format.names();
            Err(Failure::new(format_args!(
                "the file is {what}, and no single document: read it with `use = \"{use_instead}\"`"
            )))
        }
    }
}
