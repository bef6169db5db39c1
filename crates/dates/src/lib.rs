//! Dates as pages show them, in many languages: where they stand in a text, and what day they are.
//!
//! [`dates`] finds them, [`read`] reads one, and says when it is not certain which day is meant.
//! [`labels`] knows the words by which pages say what date one is.
//! Pure functions without settings; what to do about the answers is for the stages in `plugins/` to decide.

pub mod labels;
mod locate;
mod names;
mod numerals;
mod parse;
mod times;

pub use locate::{Located, dates};
pub use parse::{Moment, Reading, days_before, read, read_in};

/// The date in `shown` in ISO 8601, if it is certain.
pub fn certain_date(shown: &str) -> Option<String> {
    match read(shown) {
        Reading::Certain(moment) => Some(moment.date.to_string()),
        _ => None,
    }
}

/// Date and time in `shown` in ISO 8601, if they are certain.
pub fn certain_moment(shown: &str) -> Option<String> {
    match read(shown) {
        Reading::Certain(moment) => Some(moment.to_string()),
        _ => None,
    }
}
