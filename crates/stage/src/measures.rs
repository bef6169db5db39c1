//! What a stage measures, said before it runs.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

/// A value that a stage measures: what it is, in which unit, and which options are its limits.
///
/// Whoever shows measures (the help, the manifest, a page with sliders) knows them from this, and
/// needs no code for any stage.
///
/// ```
/// use tamis_stage::{Better, MeasureInfo};
///
/// const MEASURES: &[MeasureInfo] = &[
///     MeasureInfo::new("chars", "characters", "Characters of the text that can be seen.")
///         .at_least("min_chars")
///         .at_most("max_chars"),
///     MeasureInfo::new("link_ratio", "", "Share of the words that are links.").better(Better::Lower),
/// ];
/// assert!(MEASURES[0].covers("chars"));
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MeasureInfo {
    /// The name under which it is noted. One that ends in `:*` stands for all names that begin as it does, such as
    /// `signs:*` for `signs:news` and `signs:blog`, which only the options tell.
    pub name: Cow<'static, str>,
    /// The unit, as options name it: `characters`, `lines`; empty for a share or a number without one.
    #[serde(default, skip_serializing_if = "str::is_empty")]
    pub unit: Cow<'static, str>,
    /// Which values speak for a document.
    #[serde(default)]
    pub better: Better,
    /// The option that is its lower limit; empty if none is.
    #[serde(default, skip_serializing_if = "str::is_empty")]
    pub min_option: Cow<'static, str>,
    /// The option that is its upper limit; empty if none is.
    #[serde(default, skip_serializing_if = "str::is_empty")]
    pub max_option: Cow<'static, str>,
    /// What it is, in one sentence.
    pub summary: Cow<'static, str>,
}

/// Which values of a measure speak for a document.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Better {
    /// Neither: it tells what was done, or lies best in the middle.
    #[default]
    Neither,
    /// High ones.
    Higher,
    /// Low ones.
    Lower,
}

impl MeasureInfo {
    /// A measure without a limit, of which neither high nor low values are better.
    pub const fn new(name: &'static str, unit: &'static str, summary: &'static str) -> Self {
        Self {
            name: Cow::Borrowed(name),
            unit: Cow::Borrowed(unit),
            better: Better::Neither,
            min_option: Cow::Borrowed(""),
            max_option: Cow::Borrowed(""),
            summary: Cow::Borrowed(summary),
        }
    }

    /// The same with the option that is its lower limit.
    #[must_use]
    pub const fn at_least(mut self, option: &'static str) -> Self {
        // Nothing is dropped by this, which a `const fn` could not do to a `Cow`.
        std::mem::forget(std::mem::replace(&mut self.min_option, Cow::Borrowed(option)));
        self
    }

    /// The same with the option that is its upper limit.
    #[must_use]
    pub const fn at_most(mut self, option: &'static str) -> Self {
        std::mem::forget(std::mem::replace(&mut self.max_option, Cow::Borrowed(option)));
        self
    }

    /// The same with the values that speak for a document.
    #[must_use]
    pub const fn better(mut self, better: Better) -> Self {
        self.better = better;
        self
    }

    /// Its limits in words: "at least `min_chars`, at most `max_chars`"; empty if it has none.
    pub fn limits(&self) -> String {
        let limits = [("at least", &self.min_option), ("at most", &self.max_option)];
        let said = limits.into_iter().filter(|(_, option)| !option.is_empty());
        said.map(|(words, option)| format!("{words} `{option}`")).collect::<Vec<_>>().join(", ")
    }

    /// Whether a value that is noted under `name` is one of this measure.
    pub fn covers(&self, name: &str) -> bool {
        match self.name.strip_suffix('*') {
            Some(family) if family.ends_with(':') => name.starts_with(family),
            _ => self.name == name,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_family_covers_the_names_that_begin_as_it_does() {
        let covers = |declared, name| MeasureInfo::new(declared, "", "").covers(name);
        assert!(covers("signs:*", "signs:news") && covers("signs:*", "signs:") && covers("chars", "chars"));
        assert!(!covers("signs:*", "signs") && !covers("chars", "char") && !covers("*", "chars"));
    }
}
