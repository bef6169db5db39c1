//! Options of `published-date`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Reads the date of publication and writes it as `published`, in ISO 8601, only when it is certain.
///
/// Use it after a stage that captures `published_raw`, the date as the page shows it.
///
/// How it decides: the value must hold exactly one date that exists, with a year of four digits from 1800 to
/// 2099, and nothing else that looks like part of a date.
/// Known forms: `2018-09-13`, `2018/9/13`, `2018.09.13`, `20180913`, `2018年9月13日 10:20`,
/// `2018년 9월 13일`, `二〇一八年九月十三日`, `民國107年9月13日`, `平成30年9月13日`, `September 13, 2018`,
/// `13 Sep 2018 10:20:30 +0800`, `13.09.2018` (points mean day first), RFC 3339; full-width digits too; months in 18
/// languages of Europe (`13. September 2018`, `13 de septiembre de 2018`).
/// 晚8:05 is 20:05, 凌晨12:05 is 00:05, and 24:00 the beginning of the next day.
/// A weekday beside the date must agree with it.
/// Not certain, and never guessed: years of two digits, `20xx`, a day without its year, and an order of day
/// and month that allows two readings (`03/04/2018`).
/// Relative dates (昨天, 3天前, yesterday) are resolved only against a field with the date of the crawl.
///
/// ```toml
/// [[stage]]
/// use = "published-date"
/// crawl_date_field = "fetched"
/// ```
///
/// A time is written as far as the page gives it (`2018-09-13T10:20`), with an offset only if the page has
/// one; names of time zones that mean several offsets (`CST`) are left out, so the time is then local.
/// A document that has `published` already is left alone.
///
/// Counts: `dated`, `resolved` (relative), `relative` (left alone), `impossible` (30 February),
/// `wrong_weekday`, `not_certain`, `absent`.
///
/// Limits: Arabic, Thai and Indic dates are not known.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct PublishedDateOptions {
    /// The field with the date as the page shows it.
    pub field: String,
    /// The field with the date on which the page was fetched, against which relative dates are resolved.
    #[schemars(extend("x-field" = "read"))]
    pub crawl_date_field: Option<String>,
    /// Where the field is absent, look in the text for a line with a labelled date (发布时间：…, Published: …)
    /// and note it in the field.
    pub labelled: bool,
}

impl Default for PublishedDateOptions {
    fn default() -> Self {
        Self { field: "published_raw".to_owned(), crawl_date_field: None, labelled: true }
    }
}
