//! A rule file as it is written.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;
use toml::Spanned;

/// A rule file: conditions under which a document is bad, and the limits and words that they name.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RuleFile {
    /// The name of the set, in kebab case; reasons begin with it.
    #[schemars(with = "String")]
    pub(super) name: Spanned<String>,
    /// The only languages that the rules are for; documents of others pass, those without a language do not. By
    /// default all.
    #[serde(default)]
    pub(super) languages: Vec<String>,
    /// Numbers that conditions name; tables in it are those of a language.
    #[serde(default)]
    #[schemars(with = "BTreeMap<String, serde_json::Value>")]
    pub(super) limits: BTreeMap<Spanned<String>, Spanned<toml::Value>>,
    /// Words of which `stop_words` counts how many occur, by language; those of `default` for all others.
    #[serde(default)]
    pub(super) stop_words: BTreeMap<String, Vec<String>>,
    /// The rules, in the order in which they are looked at.
    pub(super) rule: Vec<Rule>,
}

/// One rule.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Rule {
    /// Why a document is bad for which the condition holds, in kebab case.
    #[schemars(with = "String")]
    pub(super) reason: Spanned<String>,
    /// The condition, over measures, limits and `metadata.…`.
    #[schemars(with = "String")]
    pub(super) drop: Spanned<String>,
}

/// The sets that are part of the program.
const PRESETS: [(&str, &str); 8] = [
    ("gopher", include_str!("../../../../config/quality/gopher.toml")),
    ("c4", include_str!("../../../../config/quality/c4.toml")),
    ("fineweb", include_str!("../../../../config/quality/fineweb.toml")),
    ("fineweb2", include_str!("../../../../config/quality/fineweb2.toml")),
    ("chinese-web-text", include_str!("../../../../config/quality/chinese-web-text.toml")),
    ("map-neo", include_str!("../../../../config/quality/map-neo.toml")),
    ("web-en", include_str!("../../../../config/quality/web-en.toml")),
    ("web-zh", include_str!("../../../../config/quality/web-zh.toml")),
];

/// The text of a preset.
pub fn preset(name: &str) -> Option<&'static str> {
    PRESETS.iter().find(|(preset, _)| *preset == name).map(|(_, text)| *text)
}

/// The names of all presets.
pub fn presets() -> impl Iterator<Item = &'static str> {
    PRESETS.iter().map(|(name, _)| *name)
}

/// Reads a rule file; `path` is what messages call it.
pub(super) fn parse(path: &str, text: &str) -> Result<RuleFile, String> {
    toml::from_str(text).map_err(|error| {
        let at = error.span().map_or(0, |span| span.start);
        format!("{}: {}", place(path, text, at), error.message())
    })
}

/// File, line and column of a byte.
pub(super) fn place(path: &str, text: &str, at: usize) -> String {
    let before = text.get(..at).unwrap_or(text);
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
    format!("{path}:{line}:{column}")
}
