//! Options of `unwrap`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Takes a text out of the literal in which it was dumped: `text:'…\n…\xa0…'` becomes the text itself.
///
/// Use it first, where the texts of a collection were written with `repr` or as a line of JSON and then stored
/// as the text of a record. Files that hold nothing but such literals are for the reader `records`.
///
/// How it decides: the text must be a name, `:` or `=`, and one Python or JSON string to the end, with
/// escapes as these languages have them; nothing is executed.
/// Everything else passes as it is, and so does a string that breaks off.
///
/// ```toml
/// [[stage]]
/// use = "unwrap"
/// ```
///
/// Counts: `unwrapped`, `broken`.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct UnwrapOptions {}
