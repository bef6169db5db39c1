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
///   and checks that it exists; on a list it holds for every entry. A line of a refusal ([`SetupError`](crate::SetupError))
///   that begins with the path, line and column, as in `/a/rules.toml:3:1: …`, is shown in that file.
/// - `#[schemars(extend("x-toml" = schemars::schema_for!(Rules)))]` beside that says what stands in the file, which is TOML,
///   so that a stage that refuses one gets all of its mistakes shown.
/// - `#[schemars(extend("x-field" = "read"))]` (or `"write"`) says that the value names a metadata field,
///   so that `tamis check` can find a field that nobody writes. `"remove"` names one that is
///   gone behind the stage, `"keep"` one of those that are all that is left; `"pattern"` names some in braces, such as
///   `{site}/{title}`, where `{id}` is the id. Fields with `"write"` are all that a stage writes whose fields nobody
///   knows otherwise (`"*"`); `"add"` names one that comes beside the others, `"renamed"` one of these that has another
///   name behind the stage. `x-field-keys` says the same of the keys of a table.
/// - `#[schemars(extend("x-values" = {"of": ["a", "b"], "unless": ["model"]}))]` beside `"write"` says that the field has one
///   of these strings behind the stage, unless one of those options is given, so that `tamis check` can tell of a condition
///   that compares it with another.
/// - `#[schemars(extend("x-words" = true))]` on a list of strings says that they are the words of a command line, for who
///   writes it as one string.
/// - `#[schemars(extend("x-tables-by" = "language"))]` on a table says that tables in it are chosen by the field that the
///   option of this name names.
/// - `#[schemars(extend("x-together" = "parent"))]` on an option that takes `id` or a field says that documents with one
///   value of the field `parent` should stay together, so that `tamis check` can tell of a stage before that makes such.
/// - `#[schemars(extend("x-expression" = "condition"))]` says that the value is a condition (`tamis-expression`), so that
///   `tamis check` can find names that nobody writes or measures, and values that cannot be compared.
/// - `#[schemars(extend("x-needs" = {"columns": "some"}))]` says beside what the option has an effect, so that
///   `tamis check` can tell a setting that does nothing: beside an option that is given and not empty (`"some"`),
///   not given or empty (`"none"`), one of some values (`["markdown"]`), none of them (`{"not": [[]]}`), or a list
///   that has one of them (`{"has": ["response"]}`). Several in one table must all hold; of a list of tables one
///   must. The option is still taken when it has no effect: the check is there for people.
/// - `#[schemars(extend("x-instead" = {"newest": "write `highest`, …"}))]` on an enum says what to write instead of what
///   others call one of its values; on the options as a whole the same of keys.
/// - `#[schemars(extend("minProperties" = 1, "x-main" = ["rules"]))]` on the options as a whole names those by which the
///   stage does something, for who gives none.
/// - `#[schemars(extend("x-at-most" = "max_record_bytes"))]` says that a number cannot be more than that key of
///   `[run]`, which is then taken where nothing is given and the default is more.
pub trait Options: Serialize + DeserializeOwned + JsonSchema + Default {}

impl<T: Serialize + DeserializeOwned + JsonSchema + Default> Options for T {}

/// The options of a stage that has none.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct NoOptions {}
