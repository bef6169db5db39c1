//! Options of a stage: one struct that gives defaults, help and schema.

use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

/// The options of a stage.
///
/// Derive `Serialize`, `Deserialize` and `JsonSchema`, implement `Default`, and put
/// `#[serde(default, deny_unknown_fields)]` on the struct; this trait is then implemented.
///
/// - The doc comment of the struct is the page of the stage: its first paragraph is the summary in
///   `tamis stages`, all of it is the help.
/// - The doc comment of a field is the help of the option; say what it means and its range.
/// - `#[schemars(range(min = 1))]`, `length`, `regex` and enums become checks with a line and column.
/// - `#[schemars(extend("x-unit" = "characters"))]` names the unit.
/// - `#[schemars(extend("x-path" = "file"))]` (or `"directory"`) makes a path relative to the pipeline file
///   and checks that it exists; on a list it holds for every entry.
/// - `#[schemars(extend("x-field" = "read"))]` (or `"write"`) says that the value names a metadata field,
///   so that `tamis check` can find a field that nobody writes.
pub trait Options: Serialize + DeserializeOwned + JsonSchema + Default {}

impl<T: Serialize + DeserializeOwned + JsonSchema + Default> Options for T {}

/// The options of a stage that has none.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct NoOptions {}
