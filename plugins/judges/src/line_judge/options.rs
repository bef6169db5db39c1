//! Options of `line-judge`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Drops lines that are bad by themselves: no sentence, too short, a banner, a count of something.
///
/// ```toml
/// [[stage]]
/// use = "line-judge"
/// rules = ["c4"]
/// ```
///
/// | rule | which lines go |
/// | --- | --- |
/// | `c4` | those that C4 takes out: without `. ? ! " '` at the end or with `...`, of fewer than three words, with one of over 1,000 characters, with `javascript` or a phrase of cookie banners; for English |
/// | `c4-loose` | the same, but an end mark is not asked for (as in `FineWeb`) |
/// | `c4-zh` | those that the recipe of C4 for Chinese takes out: without `。！？…”：，` at the end, of fewer than five characters, with `□■�` or private characters |
/// | `symbols` | those without a letter or a digit |
/// | `digits` | those of which more than half is digits |
///
/// A line goes if any of the rules says so; empty lines stay, at most one in a row. With `between = "keep"` only the lines at the beginning and the
/// end go, and those between two kept ones stay if no more than `max_between` stand there in a row: headings and short
/// answers belong to what stands around them.
///
/// With `between = "runs"` a good line stays only where another stands next to it, and what stands between two such places stays with
/// them: the pattern-aware rule of arXiv 2510.24139, `gg(y+g+)*g`, where `max_between` bounds the `y` in a row. A good line alone among
/// menus goes, and a heading or a list in an article stays. A text of one line is dropped by it.
///
/// A document of which nothing is left, or fewer than `min_lines`, is dropped as `few-lines`.
///
/// Counts: `lines:<rule>`, `lines:kept`, and with `runs` `lines:alone`. Measure: `dropped_line_ratio`.
///
/// C4 also drops documents, which `judge` with `presets = ["c4"]` does; put that before, so that it sees the lines.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct LineJudgeOptions {
    /// The rules, of which any makes a line go.
    #[schemars(length(min = 1), extend("uniqueItems" = true))]
    pub rules: Vec<LineRule>,
    /// What becomes of bad lines between good ones.
    pub between: Between,
    /// The most bad lines in a row that stay between good ones.
    #[schemars(range(min = 1), extend("x-unit" = "lines", "x-needs" = {"between": ["keep", "runs"]}))]
    pub max_between: usize,
    /// A document with fewer lines left, empty ones aside, is dropped.
    #[schemars(extend("x-unit" = "lines"))]
    pub min_lines: usize,
}

/// A rule for lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum LineRule {
    /// C4's.
    C4,
    /// C4's without end marks.
    C4Loose,
    /// Those of the Chinese recipe of C4.
    C4Zh,
    /// Lines without letters and digits.
    Symbols,
    /// Lines of digits.
    Digits,
}

impl LineRule {
    /// The name in options and counts.
    pub fn name(self) -> &'static str {
        match self {
            Self::C4 => "c4",
            Self::C4Loose => "c4-loose",
            Self::C4Zh => "c4-zh",
            Self::Symbols => "symbols",
            Self::Digits => "digits",
        }
    }
}

/// What becomes of bad lines between good ones.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Between {
    /// They go, too.
    #[default]
    Drop,
    /// Few of them stay.
    Keep,
    /// The same between places with two good lines in a row; good lines alone go.
    Runs,
}

impl Default for LineJudgeOptions {
    fn default() -> Self {
        Self { rules: vec![LineRule::C4], between: Between::Drop, max_between: 2, min_lines: 1 }
    }
}
