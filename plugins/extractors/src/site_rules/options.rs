//! Options of `site-rules`.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Cleans pages of known sites by rule files: cuts head and tail, drops lines, and captures fields.
///
/// Use it first, before any general cleaning, for the sites that make up much of a collection.
/// A rule file states how a family of pages is recognised and what its template looks like; a document that
/// no file recognises passes unchanged and is counted as `unmatched`.
///
/// A rule file in full:
///
/// ```toml
/// name = "harbour-gazette"       # written to the field `site`, counted as `matched:harbour-gazette`
/// need = 2                       # so many of the `detect` patterns must be found
/// detect = ['^Harbour Gazette$', '^Share this story$', '^© Harbour Gazette']
/// unless = ['^Subscribe to read on$']   # and none of these
///
/// [[reject]]                     # such a page is no document: it is dropped
/// name = "retracted"
/// line = '^This story has been retracted$'   # `next`, `first` and `last` as below
/// max_chars = 200                # only if the page has at most so many characters, white space aside
/// reason = "retracted-page"      # why it is dropped
///
/// [[field]]                      # fields are read from the whole page, before anything is removed
/// name = "title"
/// line = '.'                     # the first line that matches …
/// first = 1                      # … among the first 1 lines
///
/// [[field]]
/// name = "author"
/// after = '^Written by$'         # the line after this one; `before` takes the line before it
/// value = '^[\p{L} .]+$'         # only if it looks like this, and not like `unless`
/// unless = '^Staff$'
///
/// [[field]]
/// name = "publisher"
/// constant = "Harbour Gazette"   # `copy = "author"` would take the value of another field
///
/// [[head]]                       # everything up to this line goes, the line included
/// name = "byline"
/// line = '^Written by$'
/// first = 10                     # look at the first 10 lines only
/// skip = 1                       # the line after it goes too
/// exact = true                   # right behind it the text begins, always
///
/// [[tail]]                       # everything from this line on goes
/// name = "share bar"
/// line = '^Share this story$'
/// next = '^(Mail|Print)$'        # only where the next line matches this
/// last = 30                      # look at the last 30 lines only
/// exact = true                   # right before it the text ends, always
///
/// [[drop]]                       # single lines; with `until`, all lines up to that one
/// name = "advertisement"
/// line = '^Advertisement$'
/// until = '^Story continues below$'
///
/// [[drop]]
/// name = "repeated title"
/// same_as = "title"              # lines that say the same as a field, white space aside
/// first = 5
///
/// [[cut]]                        # parts of lines
/// name = "source"
/// text = '\.(?<cut> Source: (?<value>[^.]+))$'   # only the group `cut` goes, if there is one
/// field = "source"               # the group `value`, or all that goes, becomes a field
/// last = 1
/// ```
///
/// How it decides: patterns are regular expressions of the Rust `regex` crate, which run in linear time.
/// They see one line at a time, without the white space around it; blank lines are not counted by `first`,
/// `last` and `skip`, and never match.
/// The first file in the list whose `detect` holds wins; a file that has nothing but `[[reject]]` leaves the pages
/// that it does not reject to the files after it.
/// Rejects come first, then fields, head (each rule begins where the one before it ended), tail (the earliest line that any
/// of them finds), drop and cut, in this order.
/// `inside = true` in a head or tail cuts at the match inside its line, for dumps that glue a page together.
/// A field takes the group `value` of its pattern, or the whole line where there is no such group.
/// A field that the document already has is kept, and a field that is not found stays absent.
/// Where the last head that cut and the tail are both `exact`, the field `cleaned_by` becomes `site-rules:<file>`:
/// what is left is the text, and a stage that looks for the text of any page has nothing to do. So say `exact` of
/// what you have seen on many pages; what heads and tails without it have left, such a stage looks at once more.
///
/// ```toml
/// [[stage]]
/// use = "site-rules"
/// rules = ["sites/wechat.toml", "sites/document-library.toml"]
/// ```
///
/// Limits: the rules know lines, not columns or fonts; a page whose paragraphs and template share one line
/// needs `[[cut]]` and a later stage that finds its paragraphs.
/// Text is only removed, never added, and lines that stay are not touched.
///
/// Speed: a pattern is tried only on lines that hold a literal that it demands (`微信号` in `^微信号$`), and the
/// literals of all `detect` patterns are looked for in one pass.
/// A `detect` pattern that demands none, such as `^\d+$`, or one of less than nine bytes, waits until the others are
/// known, if there are enough of them; else it is tried on every line of every page.
///
/// Counts: `matched:<file>`, `unmatched`, `exact`, `lines_dropped`, `parts_cut`, `fields_captured`, and one count
/// for each rule that hit, such as `wechat/tail/script`; rules that never did are named at the end of a run.
/// Measures: `signs:<file>`, how many `detect` patterns were found, beside `need` (patterns that wait are looked for
/// only where they can decide); for each rule that removed
/// something `removed_at:<rule>` and `removed_bytes:<rule>`, where that began in the text as it came, and how much
/// it was, in bytes.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct SiteRulesOptions {
    /// The rule files, in the order in which they are tried; at least one.
    #[schemars(length(min = 1), extend("x-path" = "file", "x-toml" = schemars::schema_for!(super::file::RuleFile)))]
    pub rules: Vec<PathBuf>,
    /// What happens to a document that no rule file recognises.
    pub on_unmatched: OnUnmatched,
}

/// What happens to a document that no rule file recognises.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum OnUnmatched {
    /// It passes unchanged.
    #[default]
    Keep,
    /// It is dropped with the reason `unmatched-site`.
    Drop,
}
