//! Options of the `text` reader.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Reads one document from each plain-text file.
///
/// Use it for a folder of `.txt` files that hold nothing but the text.
/// The whole file is the text, line ends and blank lines included; a byte order mark at its start is left
/// out.
/// The document has no metadata, and its id is `<file>#0`.
///
/// ```toml
/// [[source]]
/// use = "text"
/// paths = ["articles/**/*.txt"]
/// ```
///
/// The file must be UTF-8.
/// One that is not fails as a whole, with the position of the first byte that is wrong: guessing an
/// encoding, or writing `�` for what cannot be decoded, would lose text silently.
/// Convert such files first, for example with `iconv -f GB18030 -t UTF-8`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct TextOptions {}
