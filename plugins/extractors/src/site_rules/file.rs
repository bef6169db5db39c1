//! A rule file as it is written.

use schemars::JsonSchema;
use serde::Deserialize;
use toml::Spanned;

/// A regular expression with its place in the file, so that one that does not compile can be pointed at.
pub(super) type Pattern = Spanned<String>;

/// A rule file: how a family of pages is recognised, and what its template looks like.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RuleFile {
    /// The name of the family, in kebab case; written to the field `site`.
    #[schemars(with = "String")]
    pub(super) name: Spanned<String>,
    /// Patterns of which `need` must each be found in some line.
    #[schemars(with = "Vec<String>")]
    pub(super) detect: Vec<Pattern>,
    /// How many of the `detect` patterns must be found, at least 1.
    #[schemars(with = "usize", range(min = 1))]
    pub(super) need: Spanned<usize>,
    /// Patterns of which none may be found in any line.
    #[serde(default)]
    #[schemars(with = "Vec<String>")]
    pub(super) unless: Vec<Pattern>,
    /// Pages of the family that are no documents, such as error pages.
    #[serde(default)]
    pub(super) reject: Vec<RejectRule>,
    /// Metadata read from the page.
    #[serde(default)]
    pub(super) field: Vec<FieldRule>,
    /// What precedes the text.
    #[serde(default)]
    pub(super) head: Vec<HeadRule>,
    /// What follows the text.
    #[serde(default)]
    pub(super) tail: Vec<TailRule>,
    /// Lines within the text that do not belong to it.
    #[serde(default)]
    pub(super) drop: Vec<DropRule>,
    /// Parts of lines that do not belong to the text.
    #[serde(default)]
    pub(super) cut: Vec<CutRule>,
}

/// A page that is no document: it is dropped, whatever the other rules would make of it.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RejectRule {
    /// A name for counts and reports, which no other rule of its kind has.
    #[schemars(with = "String")]
    pub(super) name: Spanned<String>,
    /// A line that only such pages have.
    #[schemars(with = "String")]
    pub(super) line: Pattern,
    /// What the line after it must look like.
    #[schemars(with = "Option<String>")]
    pub(super) next: Option<Pattern>,
    /// Look among the first so many lines.
    #[schemars(range(min = 1))]
    pub(super) first: Option<usize>,
    /// Look among the last so many lines.
    #[schemars(range(min = 1))]
    pub(super) last: Option<usize>,
    /// Only pages of at most so many characters, white space aside: what is longer says more than the error.
    #[schemars(range(min = 1))]
    pub(super) max_chars: Option<usize>,
    /// Why the document is dropped, in kebab case.
    #[schemars(with = "String")]
    pub(super) reason: Spanned<String>,
}

/// Metadata read from the page: exactly one of `line`, `after`, `before`, `constant` and `copy`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct FieldRule {
    /// The metadata field.
    #[schemars(with = "String")]
    pub(super) name: Spanned<String>,
    /// The first line that matches; the value is the group `value`, or the whole line.
    #[schemars(with = "Option<String>")]
    pub(super) line: Option<Pattern>,
    /// The line after the first line that matches.
    #[schemars(with = "Option<String>")]
    pub(super) after: Option<Pattern>,
    /// The line before the first line that matches.
    #[schemars(with = "Option<String>")]
    pub(super) before: Option<Pattern>,
    /// A value that all pages of the family share.
    pub(super) constant: Option<String>,
    /// The value of another field, after all others have been captured.
    pub(super) copy: Option<String>,
    /// With `after` and `before`: what that line must look like, or the field stays absent.
    #[schemars(with = "Option<String>")]
    pub(super) value: Option<Pattern>,
    /// What the line must not look like, such as the next label where a value is missing.
    #[schemars(with = "Option<String>")]
    pub(super) unless: Option<Pattern>,
    /// Look for the line among the first so many lines.
    #[schemars(range(min = 1))]
    pub(super) first: Option<usize>,
    /// Look for the line among the last so many lines.
    #[schemars(range(min = 1))]
    pub(super) last: Option<usize>,
}

/// What precedes the text: everything up to a line goes, the line included.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct HeadRule {
    /// A name for counts and reports, which no other rule of its kind has.
    #[schemars(with = "String")]
    pub(super) name: Spanned<String>,
    /// The last line of the head.
    #[schemars(with = "String")]
    pub(super) line: Pattern,
    /// What the line after it must look like.
    #[schemars(with = "Option<String>")]
    pub(super) next: Option<Pattern>,
    /// Look among the first so many lines, counted from where the head rule before this one ended.
    #[schemars(range(min = 1))]
    pub(super) first: Option<usize>,
    /// So many lines after it go too.
    #[serde(default)]
    pub(super) skip: usize,
    /// Keep what follows the match in its line.
    #[serde(default)]
    pub(super) inside: bool,
    /// The text begins right behind it, always: nothing is left for a later stage to find there.
    #[serde(default)]
    pub(super) exact: bool,
    /// The metadata field that takes the group `value`, or the whole line.
    pub(super) field: Option<String>,
}

/// What follows the text: everything from a line on goes.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct TailRule {
    /// A name for counts and reports, which no other rule of its kind has.
    #[schemars(with = "String")]
    pub(super) name: Spanned<String>,
    /// The first line of the tail.
    #[schemars(with = "String")]
    pub(super) line: Pattern,
    /// What the line after it must look like.
    #[schemars(with = "Option<String>")]
    pub(super) next: Option<Pattern>,
    /// Look among the last so many lines.
    #[schemars(range(min = 1))]
    pub(super) last: Option<usize>,
    /// Keep what precedes the match in its line.
    #[serde(default)]
    pub(super) inside: bool,
    /// The text ends right before it, always: nothing is left for a later stage to find there.
    #[serde(default)]
    pub(super) exact: bool,
    /// The metadata field that takes the group `value`, or the whole line.
    pub(super) field: Option<String>,
}

/// Lines that do not belong to the text: exactly one of `line` and `same_as`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct DropRule {
    /// A name for counts and reports, which no other rule of its kind has.
    #[schemars(with = "String")]
    pub(super) name: Spanned<String>,
    /// The lines.
    #[schemars(with = "Option<String>")]
    pub(super) line: Option<Pattern>,
    /// Lines that say the same as this field, white space aside.
    pub(super) same_as: Option<String>,
    /// What the line after must look like.
    #[schemars(with = "Option<String>")]
    pub(super) next: Option<Pattern>,
    /// All lines up to the first later line that matches go too, that line included; where there is none,
    /// nothing goes.
    #[schemars(with = "Option<String>")]
    pub(super) until: Option<Pattern>,
    /// Look among the first so many lines of what head and tail have left.
    #[schemars(range(min = 1))]
    pub(super) first: Option<usize>,
    /// Look among the last so many lines of what head and tail have left.
    #[schemars(range(min = 1))]
    pub(super) last: Option<usize>,
    /// The metadata field that takes the group `value`, or the whole line.
    pub(super) field: Option<String>,
}

/// Parts of lines that do not belong to the text: of every match, the group `cut` or all of it goes.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct CutRule {
    /// A name for counts and reports, which no other rule of its kind has.
    #[schemars(with = "String")]
    pub(super) name: Spanned<String>,
    /// The part of a line.
    #[schemars(with = "String")]
    pub(super) text: Pattern,
    /// Look among the first so many lines of what head, tail and drop have left.
    #[schemars(range(min = 1))]
    pub(super) first: Option<usize>,
    /// Look among the last so many lines of what head, tail and drop have left.
    #[schemars(range(min = 1))]
    pub(super) last: Option<usize>,
    /// The metadata field that takes the group `value`, or what is cut.
    pub(super) field: Option<String>,
}

/// Parses a rule file.
///
/// # Errors
///
/// A message that begins with line and column, counted from 1, in `line:column: `.
pub(super) fn parse(content: &str) -> Result<RuleFile, String> {
    toml::from_str(content).map_err(|error| {
        let start = error.span().map_or(0, |span| span.start);
        let message = error.message().lines().next().unwrap_or_default();
        format!("{}: {}", position(content, start), explained(message))
    })
}

/// The place of a byte as `line:column`, both from 1, columns in characters.
pub(super) fn position(content: &str, byte: usize) -> String {
    let before = content.get(..byte.min(content.len())).unwrap_or_default();
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
    format!("{line}:{column}")
}

/// Turns serde's words for an unknown key (which list the known ones in backticks) into ours, with the
/// nearest known key as a suggestion.
fn explained(message: &str) -> String {
    if !message.starts_with("unknown field") {
        return message.to_owned();
    }
    let mut words = message.split('`').skip(1).step_by(2);
    let Some(unknown) = words.next() else { return message.to_owned() };
    let known: Vec<&str> = words.collect();
    let nearest = known
        .iter()
        // Told from lengths first: what is compared costs the product of both.
        .filter(|key| key.len().abs_diff(unknown.len()) <= key.len())
        .map(|key| (strsim::damerau_levenshtein(unknown, key), *key))
        .min()
        .filter(|(distance, key)| *distance * 2 <= key.chars().count().max(2));
    match nearest {
        Some((_, key)) => format!("unknown key `{unknown}`, did you mean `{key}`?"),
        None => format!("unknown key `{unknown}`, known here: {}", known.join(", ")),
    }
}
