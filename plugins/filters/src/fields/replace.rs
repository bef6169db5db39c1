//! Replacing what a regular expression finds.

use std::borrow::Cow;

use regex::{Regex, RegexBuilder};
use tamis_plugin::{Draft, Failure, SetupError};

use super::{Replace, string};

/// A rule, compiled.
#[derive(Debug)]
pub(super) struct Replacement {
    field: String,
    pattern: Regex,
    with: String,
    counter: String,
}

/// The memory that a pattern may take when it is compiled.
const MAX_PATTERN_BYTES: usize = 4 << 20;

impl Replacement {
    pub(super) fn new(rule: Replace) -> Result<Self, SetupError> {
        let Replace { field, pattern, with } = rule;
        let error = |message: String| SetupError::in_option("replace", message);
        if pattern.is_empty() {
            return Err(error(format!("the pattern for `{field}` is empty")));
        }
        let compiled = RegexBuilder::new(&pattern).size_limit(MAX_PATTERN_BYTES).build().map_err(|why| {
            let why = why.to_string();
            let why = why.lines().last().unwrap_or_default();
            error(format!("the pattern `{pattern}`: {}", why.strip_prefix("error: ").unwrap_or(why)))
        })?;
        if let Some(mistake) = unknown_group(&compiled, &with) {
            return Err(error(mistake));
        }
        if pattern == with && regex_is_literal(&pattern) {
            return Err(error(format!("`{pattern}` is replaced by itself: that has no effect")));
        }
        let counter = format!("replace:{field}:{pattern}");
        Ok(Self { field, pattern: compiled, with, counter })
    }

    pub(super) fn counter(&self) -> &str {
        &self.counter
    }

    pub(super) fn apply(&self, draft: &mut Draft<'_>) -> Result<(), Failure> {
        let Some(before) = string(&self.field, draft)? else { return Ok(()) };
        let Cow::Owned(after) = self.pattern.replace_all(&before, &self.with) else { return Ok(()) };
        if *before == after {
            return Ok(());
        }
        match self.field.as_str() {
            "text" => draft.set_text(after),
            "id" if after.is_empty() => {
                return Err(Failure::new("nothing is left of the id, which cannot be empty"));
            }
            "id" => draft.set_id(after),
            field => draft.set_metadata(field.to_owned(), after),
        }
        draft.notes().count(self.counter.clone(), 1);
        Ok(())
    }
}

fn regex_is_literal(pattern: &str) -> bool {
    regex::escape(pattern) == pattern
}

/// A group that the replacement names and the pattern has not: it would always be empty. `$1a` names the group `1a`.
fn unknown_group(pattern: &Regex, with: &str) -> Option<String> {
    let mut rest = with;
    while let Some((_, behind)) = rest.split_once('$') {
        if let Some(after) = behind.strip_prefix('$') {
            rest = after;
            continue;
        }
        let inner = behind.strip_prefix('{');
        let (name, after) = if let Some(inner) = inner {
            inner.split_once('}')?
        } else {
            let is_end = |c: char| !c.is_ascii_alphanumeric() && c != '_';
            behind.split_at(behind.find(is_end).unwrap_or(behind.len()))
        };
        rest = after;
        let is_known = match name.parse::<usize>() {
            Ok(number) => number < pattern.captures_len(),
            Err(_) => name.is_empty() || pattern.capture_names().flatten().any(|known| known == name),
        };
        if !is_known {
            let digits =
                name.find(|c: char| !c.is_ascii_digit()).filter(|digits| *digits > 0 && inner.is_none());
            let help = match digits.map(|digits| name.split_at(digits)) {
                Some((number, letters)) => format!(": write `${{{number}}}{letters}`"),
                None => String::new(),
            };
            return Some(format!("the pattern `{pattern}` has no group `{name}`{help}"));
        }
    }
    None
}
