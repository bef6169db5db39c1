//! Options of the `text` exporter.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Writes the text of each document to a file of its own, and nothing else.
///
/// Use it for programs that read folders of `.txt` files. Where metadata matters use `markdown`, for millions of
/// documents `jsonl`.
///
/// ```toml
/// [[export]]
/// use = "text"
/// path = "out"
/// ```
///
/// The file is UTF-8 and ends with a line end, unless the text is empty. It is named after the id, as `markdown`
/// names its files: `news/2024/a.html` becomes `news/2024/a.html.txt`, and `a.jsonl#1024` `a.jsonl-1024.txt`. An id
/// that cannot be a file name on Linux, Windows or macOS, or is longer than 116 bytes, is made one, with 16 digits of
/// the BLAKE3 hash of the id behind it.
///
/// Limits: metadata, the reasons for which documents were dropped, and raw bytes are not written: for dead
/// letters use `jsonl`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct TextOptions {}
