//! Options of `where`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Keeps or drops documents by a condition over their fields, their text, what was measured and where they were read.
///
/// Use it for what no stage of its own judges: by language, year, domain, a score of somebody else's.
/// A condition is checked before anything runs: names that nothing before it writes or measures, and values that
/// cannot be compared, are mistakes with their place.
///
/// ```toml
/// [[stage]]
/// use = "where"
/// keep = '(language.startsWith("zh") || language == "en") && size(text) >= 200'
/// reason = "other-language"
/// ```
///
/// Several rules are looked at in order, and the first that drops a document gives the reason:
///
/// ```toml
/// [[stage]]
/// use = "where"
/// rules = [
///     { drop = 'title.matches(r"(?i)^(404|not found)")', reason = "error-page" },
///     { keep = 'published >= "2020"', reason = "too-old" },
///     { drop = 'origin.file.contains("/archive/") && !has(author)', reason = "archive" },
/// ]
/// ```
///
/// The language is a part of CEL:
///
/// | | |
/// | --- | --- |
/// | `title`, `metadata.title`, `metadata["a b"]` | a field; `page.lang` and `tags[0]` of nested ones |
/// | `id`, `text` | strings |
/// | `size(text)`, `size(tags)`, `size(raw)` | characters, entries, bytes |
/// | `chars`, `measures.chars`, `measures["signs:news"]` | what a stage before has measured, the last of that name; before a field of that name |
/// | `origin.file`, `origin.offset`, `origin.length` | where it was read |
/// | `has(title)` | whether a field is there and not null |
/// | `== != < <= > >=`, `&& \|\| !`, `a ? b : c` | |
/// | `x in ["a", "b"]`, `"a" in tags` | |
/// | `+ - * / %` | `/` gives fractions; `+` also joins strings |
/// | `title.startsWith("a")`, `.endsWith("a")`, `.contains("a")` | |
/// | `title.matches(r"^\d+$")` | a regular expression that occurs; `r"…"` has no escapes |
/// | `title.lowerAscii()`, `.upperAscii()`, `.trim()` | |
/// | `double(score)`, `int(score)`, `string(year)` | |
///
/// Write it in `'…'` or `'''…'''`, where TOML has no escapes of its own; `//` begins a comment.
///
/// What is missing decides nothing: comparisons with a field that is not there are false, `!=` too.
/// So `keep = 'language == "en"'` drops a document without language, and `drop = 'language != "en"'` keeps it.
/// A document whose values are of types that cannot be compared, such as `score > 0.5` where the score is a string,
/// fails with both values: `double(score)` reads numbers in strings.
///
/// Reasons are those of the rules, `where` without; each is also a counter, so that a rule that never dropped
/// anything is named at the end of a run.
///
/// Limits: no loops over lists; the pattern of `matches` must stand there as a string.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[schemars(extend("minProperties" = 1))]
pub struct WhereOptions {
    /// The condition of documents to keep; all others are dropped.
    #[schemars(length(min = 1), extend("x-expression" = "condition"))]
    pub keep: Option<String>,
    /// Instead of `keep`, the condition of documents to drop.
    #[schemars(length(min = 1), extend("x-expression" = "condition"))]
    pub drop: Option<String>,
    /// The reason under which they are dropped, short and the same for all of them, such as `not-english`; by
    /// default `where`.
    #[schemars(length(min = 1, max = 128), extend("x-needs" = [{"keep": "some"}, {"drop": "some"}]))]
    pub reason: Option<String>,
    /// Several rules, each with `keep` or `drop` and a `reason`, looked at in order.
    #[schemars(length(min = 1))]
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub rules: Vec<WhereRule>,
}

/// One of several rules.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct WhereRule {
    /// The condition of documents to keep; all others are dropped.
    #[schemars(length(min = 1), extend("x-expression" = "condition"))]
    pub keep: Option<String>,
    /// Instead of `keep`, the condition of documents to drop.
    #[schemars(length(min = 1), extend("x-expression" = "condition"))]
    pub drop: Option<String>,
    /// The reason under which they are dropped; by default `where`.
    #[schemars(length(min = 1, max = 128))]
    pub reason: Option<String>,
}
