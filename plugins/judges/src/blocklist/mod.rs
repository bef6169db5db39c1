//! `blocklist`: drops documents by lists of domains, addresses and words.

mod options;
#[cfg(test)]
mod tests;

use std::collections::HashSet;

use aho_corasick::{AhoCorasick, MatchKind};
use tamis_plugin::{Better, Failure, Filter, Limit, MeasureInfo, Notes, SetupError, ValueRef, Verdict, View};
use tamis_text::chars::is_cjk;
use tamis_text::domain::readable;
use tamis_text::hosts::host_or_bare;

use crate::address::address;
pub use options::BlocklistOptions;

/// Drops documents by lists; see [`BlocklistOptions`].
#[derive(Debug)]
pub struct Blocklist {
    domains: HashSet<Box<str>>,
    addresses: HashSet<Box<str>>,
    words: Option<AhoCorasick>,
    max_words: u32,
    url: String,
}

impl Filter for Blocklist {
    const NAME: &'static str = "blocklist";
    const MEASURES: &'static [MeasureInfo] =
        &[MeasureInfo::new("blocked_words", "words", "How many different words of the lists occur.")
            .better(Better::Lower)
            .at_most("max_words")];
    type Options = BlocklistOptions;

    fn open(options: BlocklistOptions) -> Result<Self, SetupError> {
        // A table without any option is refused by the schema; whoever lists stages opens one so.
        let is_empty = options == BlocklistOptions::default();
        let BlocklistOptions { domains, addresses, words, max_words, url } = options;
        if !is_empty && domains.is_empty() && addresses.is_empty() && words.is_empty() {
            let message = "it blocks nothing: give `domains`, `addresses` or `words`";
            return Err(SetupError::in_option("domains", message));
        }
        let words = read("words", &words, |entry| Some(entry.to_owned()))?;
        let mut words: Vec<Box<str>> = words.into_iter().collect();
        words.sort_unstable();
        let words = (!words.is_empty()).then(|| {
            AhoCorasick::builder()
                .ascii_case_insensitive(true)
                .match_kind(MatchKind::Standard)
                .build(words.iter().map(|word| word.as_bytes()))
        });
        let words = words.transpose().map_err(|error| SetupError::in_option("words", error))?;
        Ok(Self {
            domains: read("domains", &domains, domain)?,
            addresses: read("addresses", &addresses, |entry| Some(address(entry).to_owned()))?,
            words,
            max_words,
            url,
        })
    }

    fn filter(&self, document: &View<'_>, notes: &mut Notes) -> Result<Verdict, Failure> {
        if let Some(url) = document.metadata(&self.url).and_then(ValueRef::as_str) {
            if self.blocks_domain(url) {
                return Ok(Verdict::Drop("blocked-domain".into()));
            }
            if self.addresses.contains(address(url)) {
                return Ok(Verdict::Drop("blocked-address".into()));
            }
        }
        if let Some(words) = &self.words {
            let n_words = count(words, document.text());
            notes.measure("blocked_words", f64::from(n_words), Limit::Max(f64::from(self.max_words)));
            if n_words > self.max_words {
                return Ok(Verdict::Drop("blocked-words".into()));
            }
        }
        Ok(Verdict::Keep)
    }
}

impl Blocklist {
    /// Whether the host of an address, or a domain that it lies under, is blocked.
    fn blocks_domain(&self, url: &str) -> bool {
        let Some(host) = host_or_bare(url) else { return false };
        let mut rest = host.as_str();
        loop {
            if self.domains.contains(rest) {
                return true;
            }
            match rest.split_once('.') {
                Some((_, parent)) => rest = parent,
                None => return false,
            }
        }
    }
}

/// Reads lists: an entry a line, made plain by `entry`.
fn read(
    option: &'static str,
    paths: &[String],
    entry: impl Fn(&str) -> Option<String>,
) -> Result<HashSet<Box<str>>, SetupError> {
    let mut entries = HashSet::new();
    for path in paths {
        let bytes = std::fs::read(path)
            .map_err(|error| SetupError::in_option(option, format!("cannot read {path}: {error}")))?;
        let text = String::from_utf8(bytes).map_err(|error| {
            let line =
                error.as_bytes().iter().take(error.utf8_error().valid_up_to()).filter(|byte| **byte == b'\n');
            let message = format!("{path}:{}: no UTF-8: write the list in UTF-8", line.count() + 1);
            SetupError::in_option(option, message)
        })?;
        let lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
        entries.extend(lines.filter_map(&entry).map(String::into_boxed_str));
    }
    if entries.is_empty() && !paths.is_empty() {
        return Err(SetupError::in_option(option, format!("{} has no entry", paths.join(", "))));
    }
    Ok(entries)
}

/// A domain as people read it, as the last word of a line of a hosts file is; `None` if nothing is left.
fn domain(entry: &str) -> Option<String> {
    let name = entry.split('#').next()?.split_whitespace().next_back()?;
    let name = name.trim_start_matches("*.").trim_matches('.');
    (!name.is_empty()).then(|| readable(name).into_owned())
}

/// How many different entries occur as words.
fn count(words: &AhoCorasick, text: &str) -> u32 {
    let mut found: HashSet<usize> = HashSet::new();
    for hit in words.find_overlapping_iter(text) {
        if stands_alone(text, hit.start(), hit.end()) {
            found.insert(hit.pattern().as_usize());
        }
    }
    found.len() as u32
}

/// Whether no letter or digit stands next to a range, where words are parted; next to a Chinese or Japanese letter they are not.
fn stands_alone(text: &str, start: usize, end: usize) -> bool {
    let inner = text.get(start..end).unwrap_or_default();
    let joins = |one: Option<char>, other: Option<char>| match (one, other) {
        (Some(one), Some(other)) => {
            one.is_alphanumeric() && other.is_alphanumeric() && !is_unparted(one) && !is_unparted(other)
        }
        _ => false,
    };
    let before = text.get(..start).and_then(|before| before.chars().next_back());
    let behind = text.get(end..).and_then(|behind| behind.chars().next());
    !joins(before, inner.chars().next()) && !joins(inner.chars().next_back(), behind)
}

/// Letters between which words are not parted by blanks.
fn is_unparted(c: char) -> bool {
    (is_cjk(c) && !tamis_text::chars::is_hangul(c))
        || matches!(c, '\u{E00}'..='\u{EFF}' | '\u{1780}'..='\u{17FF}')
}
