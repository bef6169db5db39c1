//! Patterns that are compiled when they are first needed.
//!
//! The rule files that come with Tamis have some four hundred patterns, of which a collection needs a few; to
//! compile them all took nine tenths of the time before the first page.

use std::ops::Deref;
use std::sync::OnceLock;

use regex::{Regex, RegexBuilder};

/// A pattern that is known to compile.
#[derive(Debug, Clone)]
pub(super) struct LazyRegex {
    pattern: Box<str>,
    compiled: OnceLock<Regex>,
}

impl LazyRegex {
    /// Checks a pattern.
    ///
    /// # Errors
    ///
    /// When it does not compile.
    pub(super) fn new(pattern: &str) -> Result<Self, regex::Error> {
        let compiled = OnceLock::new();
        // What repeats a number of times may be too large to compile, which only compiling tells.
        if pattern.contains('{') || regex_syntax::parse(pattern).is_err() {
            let _ = compiled.set(Regex::new(pattern)?);
        }
        Ok(Self { pattern: pattern.into(), compiled })
    }
}

impl Deref for LazyRegex {
    type Target = Regex;

    fn deref(&self) -> &Regex {
        self.compiled.get_or_init(|| {
            let builder = RegexBuilder::new(&self.pattern).size_limit(usize::MAX).build();
            builder.expect("the syntax was checked, and no size is too large")
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_compile_is_told_at_once_and_the_rest_waits() {
        for pattern in ["(", r"\p{Nothing}", "(?:.{1000}){1000}"] {
            assert!(LazyRegex::new(pattern).is_err(), "{pattern}");
        }
        let waits = LazyRegex::new("^责任编辑[：:]").expect("a pattern");
        assert!(waits.compiled.get().is_none());
        assert!(waits.is_match("责任编辑：李小河"));
        assert!(waits.compiled.get().is_some());
    }
}
