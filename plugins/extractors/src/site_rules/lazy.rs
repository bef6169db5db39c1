//! Patterns that are compiled when they are first needed.
//!
//! The rule files that come with Tamis have some four hundred patterns, of which a collection needs a few; to
//! compile them all took nine tenths of the time before the first page.

use std::ops::Deref;
use std::sync::OnceLock;

use regex::{Regex, RegexBuilder};
use regex_syntax::hir::{Class, Hir, HirKind};
use regex_syntax::utf8::Utf8Sequences;

use super::literals;

/// A pattern that is known to compile.
#[derive(Debug, Clone)]
pub(super) struct LazyRegex {
    written: Box<Written>,
    compiled: OnceLock<Regex>,
}

/// What is known of a pattern that nobody has compiled.
#[derive(Debug, Clone)]
struct Written {
    pattern: String,
    demanded: Option<Vec<Vec<u8>>>,
}

impl LazyRegex {
    /// Checks a pattern.
    ///
    /// # Errors
    ///
    /// When it does not compile.
    pub(super) fn new(pattern: &str) -> Result<Self, regex::Error> {
        let compiled = OnceLock::new();
        // What repeats a number of times may be too large, which beyond a rough estimate only compiling tells.
        let parsed = regex_syntax::parse(pattern).ok();
        let is_small = |hir: &Hir| !pattern.contains('{') || n_states(hir) <= MAX_STATES;
        if !parsed.as_ref().is_some_and(is_small) {
            let _ = compiled.set(Regex::new(pattern)?);
        }
        let demanded = parsed.as_ref().and_then(literals::demanded);
        Ok(Self { written: Box::new(Written { pattern: pattern.to_owned(), demanded }), compiled })
    }

    /// The literals of which every match holds one; see [`literals::demanded`].
    pub(super) fn demanded(&self) -> Option<&[Vec<u8>]> {
        self.written.demanded.as_deref()
    }
}

/// So many states take less than half of the 10 MB that a pattern may take: each some 32 bytes, and their transitions.
const MAX_STATES: usize = 50_000;

/// At least as many states as the automaton of a pattern has.
fn n_states(hir: &Hir) -> usize {
    let all = |parts: &[Hir]| parts.iter().map(n_states).fold(0, usize::saturating_add);
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => 1,
        HirKind::Literal(literal) => literal.0.len(),
        HirKind::Class(Class::Unicode(class)) => {
            let sequences = class.iter().flat_map(|range| Utf8Sequences::new(range.start(), range.end()));
            sequences.map(|sequence| sequence.len()).sum::<usize>() + 2
        }
        HirKind::Class(Class::Bytes(class)) => class.ranges().len() + 2,
        HirKind::Repetition(repetition) => {
            let n = repetition.max.unwrap_or(repetition.min.saturating_add(1)).max(1);
            (n as usize).saturating_mul(n_states(&repetition.sub).saturating_add(2))
        }
        HirKind::Capture(capture) => n_states(&capture.sub).saturating_add(2),
        HirKind::Concat(parts) => all(parts),
        HirKind::Alternation(branches) => all(branches).saturating_add(branches.len()),
    }
}

impl Deref for LazyRegex {
    type Target = Regex;

    fn deref(&self) -> &Regex {
        self.compiled.get_or_init(|| {
            let builder = RegexBuilder::new(&self.written.pattern).size_limit(usize::MAX).build();
            builder.expect("the syntax was checked, and no size is too large")
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_compile_is_told_at_once_and_the_rest_waits() {
        for pattern in ["(", r"\p{Nothing}", "(?:.{1000}){1000}", r"\w{900}"] {
            assert!(LazyRegex::new(pattern).is_err(), "{pattern}");
        }
        for pattern in ["^责任编辑[：:]", r"^责任编辑[：:]\s{0,3}\S{1,12}$"] {
            let waits = LazyRegex::new(pattern).expect("a pattern");
            assert!(waits.compiled.get().is_none());
            assert!(waits.is_match("责任编辑：李小河"));
            assert!(waits.compiled.get().is_some());
        }
    }
}
