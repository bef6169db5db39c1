//! What a segment shows by itself: a first opinion, its structure, and the features that need no page.
//!
//! All of this is worked out when a line is cut, so a line that is remembered brings it along: on pages of documentation
//! two lines in three have been met before.

use tamis_text::hash::hash;

use super::counts::Counts;
use super::local::{Own, ends_as, own};
use super::opinion::{Opinion, opinion};
use super::structure::{Structure, structure};

/// Fewer bytes of dates are a number or a time of day.
const MIN_DATE_BYTES: u32 = 8;
/// A date in a wider segment belongs to a sentence.
const MAX_DATED_WIDTH: f32 = 30.0;
/// So many blanks before a line are an indent.
const MIN_INDENT: u32 = 2;

/// What a segment shows by itself.
#[derive(Debug, Clone)]
#[expect(clippy::struct_excessive_bools, reason = "each is an observation of its own")]
pub(super) struct Form {
    /// The opinion of it, if it is not the title.
    pub(super) opinion: Opinion,
    /// What it is part of if a line begins with it.
    pub(super) structure: Structure,
    /// The bin of its indent if a line begins with it.
    pub(super) indent: u8,
    /// The bin of how it ends.
    pub(super) ends_as: u8,
    /// Whether it ends as a sentence does.
    pub(super) ends_sentence: bool,
    /// Whether it ends with a colon.
    pub(super) ends_in_colon: bool,
    /// Whether it begins as nothing does, so that it goes on with something.
    pub(super) goes_on: bool,
    /// Whether it is short and has a date.
    pub(super) is_dated: bool,
    /// A hash of its bytes.
    pub(super) hash: u64,
    /// Its features.
    pub(super) own: Own,
}

impl Form {
    pub(super) fn of(text: &str, counts: &Counts) -> Self {
        let opinion = opinion(counts);
        Self {
            opinion,
            structure: structure(text),
            indent: if counts.wide_indent { 2 } else { u8::from(counts.indent >= MIN_INDENT) },
            ends_as: ends_as(counts) as u8,
            ends_sentence: counts.ends_sentence,
            ends_in_colon: matches!(counts.last, ':' | '：'),
            goes_on: goes_on(text),
            is_dated: counts.date_bytes >= MIN_DATE_BYTES && opinion.width < MAX_DATED_WIDTH,
            hash: hash(text.as_bytes()),
            own: own(text, counts, &opinion),
        }
    }
}

/// Whether a text begins with a small letter or with a mark that nothing begins with.
fn goes_on(text: &str) -> bool {
    match text.as_bytes().first() {
        Some(b'a'..=b'z' | b',' | b'.' | b';' | b')') => true,
        Some(0..=0x7F) | None => false,
        Some(_) => text.chars().next().is_some_and(|first| {
            first.is_lowercase()
                || matches!(first, '，' | '。' | '、' | '；' | '）' | '”' | '’' | '」' | '』')
        }),
    }
}
