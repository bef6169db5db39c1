//! `published-date`: the date of publication, in ISO 8601, only when it is certain.
//!
//! [`options`] holds the page of the stage; the crate `tamis-dates` reads dates.

mod options;
#[cfg(test)]
mod tests;

use std::ops::RangeInclusive;

use tamis_dates::labels::{DateOf, label_at_start};
use tamis_dates::{Reading, days_before, read};
use tamis_plugin::{Draft, Extractor, Failure, SetupError, ValueRef, Verdict};
use tamis_text::lines::lines;

pub use options::PublishedDateOptions;

/// Labelled dates stand near the title or near the end: so many lines are looked at on either side.
const LABEL_LINES: usize = 25;
/// A date as pages show it has so many characters.
const DATE_CHARS: RangeInclusive<usize> = 4..=60;

/// Reads the date of publication; see [`PublishedDateOptions`].
#[derive(Debug)]
pub struct PublishedDate {
    options: PublishedDateOptions,
}

impl Extractor for PublishedDate {
    const NAME: &'static str = "published-date";
    const READS: &'static [&'static str] = &["text"];
    const WRITES: &'static [&'static str] = &["published", "published_raw"];
    type Options = PublishedDateOptions;

    fn open(options: Self::Options) -> Result<Self, SetupError> {
        if options.field.is_empty() {
            return Err(SetupError::in_option("field", "`field` is empty, but must name a metadata field"));
        }
        Ok(Self { options })
    }

    fn extract(&self, draft: &mut Draft<'_>) -> Result<Verdict, Failure> {
        if draft.metadata("published").is_some_and(|value| value != ValueRef::Null) {
            return Ok(Verdict::Keep);
        }
        let shown = match draft.metadata(&self.options.field).and_then(shown_in) {
            Some(shown) => shown,
            None => match self.options.labelled.then(|| labelled(draft.text())).flatten() {
                Some(shown) => {
                    draft.set_metadata(self.options.field.clone(), shown.as_str());
                    shown
                }
                None => return Ok(counted(draft, "absent")),
            },
        };
        let outcome = match read(&shown) {
            Reading::Certain(moment) => {
                draft.set_metadata("published", moment.to_string());
                "dated"
            }
            Reading::DaysAgo(days) => self.resolve(draft, days),
            Reading::Relative => "relative",
            Reading::Impossible => "impossible",
            Reading::WrongWeekday => "wrong_weekday",
            Reading::NotCertain => "not_certain",
        };
        Ok(counted(draft, outcome))
    }
}

impl PublishedDate {
    /// Resolves a relative date against the date of the crawl, if there is one.
    fn resolve(&self, draft: &mut Draft<'_>, days: i32) -> &'static str {
        let crawl = self.options.crawl_date_field.as_ref();
        let crawl = crawl.and_then(|field| draft.metadata(field)).and_then(shown_in);
        match crawl.and_then(|crawl| days_before(&crawl, days)) {
            Some(date) => {
                draft.set_metadata("published", date.to_string());
                "resolved"
            }
            None => "relative",
        }
    }
}

fn counted(draft: &mut Draft<'_>, outcome: &'static str) -> Verdict {
    draft.notes().count(outcome, 1);
    Verdict::Keep
}

/// The string to read in a field; a whole number may be a date as `20180913`.
fn shown_in(value: ValueRef<'_>) -> Option<String> {
    match value {
        ValueRef::String(shown) if !shown.trim().is_empty() => Some(shown.to_owned()),
        ValueRef::Integer(number) => Some(number.to_string()),
        _ => None,
    }
}

/// The labelled date in the text, if all labelled dates in it are the same.
fn labelled(text: &str) -> Option<String> {
    let lines = lines(text).map(|line| line.text.trim()).filter(|line| !line.is_empty());
    let lines: Vec<&str> = lines.collect();
    let mut found: Option<String> = None;
    for (rank, line) in lines.iter().enumerate() {
        if rank >= LABEL_LINES && rank + LABEL_LINES < lines.len() {
            continue;
        }
        let Some(shown) = shown_behind_label(line) else { continue };
        match (&found, read(shown)) {
            (_, Reading::NotCertain) => {}
            (None, _) => found = Some(shown.to_owned()),
            (Some(first), _) if first == shown => {}
            (Some(_), _) => return None,
        }
    }
    found
}

/// What a line shows behind a label of the date of publication, up to a gap, a bar or the source.
fn shown_behind_label(line: &str) -> Option<&str> {
    let (DateOf::Publication, rest) = label_at_start(line)? else { return None };
    let is_end = |(at, c): &(usize, char)| {
        let behind = || rest.get(at + c.len_utf8()..).unwrap_or_default();
        matches!(c, '|' | '｜')
            || c.is_whitespace()
                && (behind().starts_with("来源") || behind().starts_with(char::is_whitespace))
    };
    let end = rest.char_indices().find(is_end).map_or(rest.len(), |(at, _)| at);
    rest.get(..end).map(str::trim_end).filter(|shown| DATE_CHARS.contains(&shown.chars().count()))
}
