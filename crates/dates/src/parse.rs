//! From the date as a page shows it to an ISO 8601 date, or to the reason why not.

use std::sync::{LazyLock, OnceLock};

use jiff::ToSpan;
use jiff::civil::{Date, Weekday};
use regex::{Captures, Regex};

use super::names::{CHINESE_WEEKS, MONTHS, WEEKDAYS, weekday_of_char};
use super::numerals::normalised;
use super::times::{TIME, TimeOfDay, clock, time_of, zone_of};

/// Years in which something can have been published that is scraped today: the older newspaper archives
/// begin about 1800.
const YEARS: std::ops::RangeInclusive<i16> = 1800..=2099;

/// Languages in which `03/04/2018` is the third of April wherever they are spoken, and the regions of English.
const DAY_FIRST: &[&str] = &[
    "ca", "de", "el", "en-au", "en-gb", "en-ie", "en-in", "en-nz", "es", "fr", "gl", "id", "it", "nl", "pl",
    "pt", "ro", "ru", "tr", "uk", "vi",
];
/// Places of a language of that list that write the month first.
const NOT_DAY_FIRST: &[&str] = &["es-us", "es-pr", "fr-ca"];

/// What a string says about a date.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reading {
    /// One date, in ISO 8601 with the time as far as it is given.
    Certain(Moment),
    /// So many days before the day of the crawl.
    DaysAgo(i32),
    /// A relative date too coarse to be resolved to a day, such as a week or some hours ago.
    Relative,
    /// A date that does not exist.
    Impossible,
    /// A date whose weekday is another one.
    WrongWeekday,
    /// Nothing, or nothing certain.
    NotCertain,
}

/// A date and, as far as the page gives it, the time. Written as `2018-09-13T10:20`, with seconds and with `Z` or
/// `+08:00` behind it if the page has them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Moment {
    /// The day.
    pub date: Date,
    time: Option<TimeOfDay>,
}

/// Minutes that the zones of the earth lie ahead of UTC at most, and behind it.
const MOST_AHEAD: i64 = 14 * 60;
const MOST_BEHIND: i64 = 12 * 60;

impl Moment {
    /// Nothing if 24:00 is the end of the last day that there is.
    fn new(date: Date, time: Option<TimeOfDay>) -> Option<Self> {
        let date = if time.is_some_and(|time| time.is_next_day) { date.tomorrow().ok()? } else { date };
        Some(Self { date, time })
    }

    /// Whether it has a time of day and says in which zone that is.
    pub fn has_zone(&self) -> bool {
        self.time.is_some_and(|time| time.zone.is_some())
    }

    /// Whether it is given in UTC, where the day may be another than that of the readers.
    pub fn is_utc(&self) -> bool {
        self.time.is_some_and(|time| time.zone.is_some_and(|zone| zone.minutes() == 0))
    }

    /// Whether it has a time of day.
    pub fn has_time(&self) -> bool {
        self.time.is_some()
    }

    /// Whether `other`, which names no zone, may be this moment as clocks somewhere on earth show it: false if
    /// this one names none either.
    pub fn may_be_shown_as(&self, other: &Self) -> bool {
        let Some(time) = self.time.filter(|time| time.zone.is_some()) else { return false };
        let ahead = time.zone.map_or(0, super::times::Zone::minutes);
        let day = i64::from((other.date - self.date).get_days());
        let minutes = |time: &TimeOfDay| i64::from(time.time.hour()) * 60 + i64::from(time.time.minute());
        let utc = minutes(&time) - ahead;
        if let Some(shown) = &other.time {
            let offset = day * 24 * 60 + minutes(shown) - utc;
            // Offsets are multiples of a quarter of an hour; a page may round to the minute.
            (-MOST_BEHIND..=MOST_AHEAD).contains(&offset) && (offset + 1).rem_euclid(15) <= 2
        } else {
            let (first, last) = (day * 24 * 60 - utc, (day + 1) * 24 * 60 - 1 - utc);
            first <= MOST_AHEAD && last >= -MOST_BEHIND
        }
    }
}

impl std::fmt::Display for Moment {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "{}", self.date)?;
        self.time.iter().try_for_each(|time| write!(out, "{time}"))
    }
}

/// A pattern for dates, and what every text has that it matches.
///
/// It is compiled when a text has that. All of them together take a hundred million instructions, as much as half a megabyte
/// of pages: a page with one date is read sooner without those that it needs not.
struct Pattern {
    source: String,
    may_match: fn(&str) -> bool,
    compiled: OnceLock<Regex>,
}

impl Pattern {
    fn new(source: impl Into<String>, may_match: fn(&str) -> bool) -> Self {
        Self { source: source.into(), may_match, compiled: OnceLock::new() }
    }

    fn regex(&self) -> &Regex {
        self.compiled.get_or_init(|| compiled(&self.source))
    }
}

fn compiled(pattern: &str) -> Regex {
    Regex::new(pattern).expect("the pattern is a constant that tests compile")
}

/// The forms of dates with a year, in the order in which they are looked for.
static DATES: LazyLock<[Pattern; 10]> = LazyLock::new(|| {
    let day = r"(?<d>\d{1,2})(?:st|nd|rd|th|\.|º|er)?";
    let months = MONTHS.iter().map(|(name, _)| *name).collect::<Vec<_>>().join("|");
    let months = format!(r"(?<month>{months})\.?");
    [
        Pattern::new(r"(?-u:\b)(?<y>\d{4})-(?<m>\d{1,2})-(?<d>\d{1,2})(?:(?-u:\b)|t)", |it| it.contains('-')),
        Pattern::new(r"(?-u:\b)(?<y>\d{4})/(?<m>\d{1,2})/(?<d>\d{1,2})(?-u:\b)", |it| it.contains('/')),
        Pattern::new(r"(?-u:\b)(?<y>\d{4})\.\s?(?<m>\d{1,2})\.\s?(?<d>\d{1,2})(?-u:\b)", |it| {
            it.contains('.')
        }),
        Pattern::new(
            r"(?<y>(?-u:\b)\d{4})\s*[年년]\s*(?<m>\d{1,2})\s*[月월]\s*(?<d>\d{1,2})\s*[日号號일]",
            |it| it.contains(['年', '년']),
        ),
        Pattern::new(r"^(?<y>\d{4})(?<m>\d{2})(?<d>\d{2})$", |it| it.chars().count() == 8),
        Pattern::new(format!(r"\b{months}\s+{day},?\s+(?<y>\d{{4}})(?-u:\b)"), has_letter),
        Pattern::new(
            format!(r"(?-u:\b){day}\s+(?:of\s+|de\s+)?{months},?\s+(?:del?\s+)?(?<y>\d{{4}})(?-u:\b)"),
            has_letter,
        ),
        Pattern::new(format!(r"(?-u:\b)(?<d>\d{{1,2}})-{months}-(?<y>\d{{4}})(?-u:\b)"), |it| {
            it.contains('-') && has_letter(it)
        }),
        // `2018. szeptember 13.`, `2018-Sep-13`
        Pattern::new(format!(r"(?-u:\b)(?<y>\d{{4}})(?:\.\s|-){months}[\s-]{day}(?:\s|$)"), |it| {
            it.contains(['-', '.']) && has_letter(it)
        }),
        // `Thu Sep 13 10:20:30 +0000 2018`, as some programs print it.
        Pattern::new(
            format!(
                r"\b{months}\s+(?<d>\d{{1,2}})\s+(?<clock>\d{{1,2}}:\d{{2}}:\d{{2}}\s+(?:[a-z]{{3,4}}\s+|[+-]\d{{4}}\s+)?)(?<y>\d{{4}})(?-u:\b)"
            ),
            |it| it.contains(':') && has_letter(it),
        ),
    ]
});

/// Names of months and of days have one.
fn has_letter(text: &str) -> bool {
    text.chars().any(char::is_alphabetic)
}

/// Day and month first, in an order that is not known.
static DAY_OR_MONTH_FIRST: LazyLock<Regex> = LazyLock::new(|| {
    compiled(r"(?-u:\b)(?<a>\d{1,2})(?<mark>/|-|\.\s?)(?<b>\d{1,2})(?:/|-|\.\s?)(?<y>\d{4})(?-u:\b)")
});

static WEEKDAY: LazyLock<Regex> = LazyLock::new(|| compiled(&weekdays()));

static DAYS_AGO: LazyLock<Regex> = LazyLock::new(|| {
    compiled(
        r"(?<n>\d{1,3})\s*(?:天前|日前|days?\s+ago)|(?<word>大前天|前天|昨天|昨日|今天|今日|yesterday|today)",
    )
});

static RELATIVE: LazyLock<Regex> =
    LazyLock::new(|| compiled(r"前|ago\b|刚刚|just now|last|上周|上个?月|去年|本周|this"));

/// What may stand around a date: labels, brackets, punctuation.
static LABEL: LazyLock<Regex> = LazyLock::new(|| {
    compiled(
        r"发布时间|发布日期|发表时间|发表日期|更新时间|发布于|发表于|时间|日期|发布|发表|\bpublished\b|\bposted\b|\bupdated\b|\bdate\b|\bat\b|\bon\b|[,，:：()（）\[\]【】|\s.·-]",
    )
});

/// A pattern for days of the week.
fn weekdays() -> String {
    let (short, long): (Vec<_>, Vec<_>) =
        WEEKDAYS.iter().map(|(name, _)| *name).partition(|name| name.len() == 2);
    format!(
        r"(?:{})(?<zh>[一二三四五六日天])|(?<ja>[月火水木金土日])曜|\((?<planet>[月火水木金土日])\)|\b(?:(?<long>{})\b|(?<short>{})[.,])",
        CHINESE_WEEKS.join("|"),
        long.join("|"),
        short.join("|"),
    )
}

/// Reads a string that shows a date.
pub fn read(shown: &str) -> Reading {
    read_in(shown, None)
}

/// Reads a string that shows a date on a page whose language is known (BCP 47): in most languages `03/04/2018` is
/// the third of April, in English nobody knows.
pub fn read_in(shown: &str, language: Option<&str>) -> Reading {
    plain(shown).unwrap_or_else(|| read_any(shown, language))
}

/// Reads the forms that nearly all pages use, year first and in numbers only, with or without a time: without
/// patterns, because patterns cost a hundred times as much.
///
/// None for everything else, and for everything that is not certain.
fn plain(shown: &str) -> Option<Reading> {
    let (year, rest) = digits(shown.trim(), 4..=4)?;
    let (_, marks) = [("-", "-"), ("/", "/"), (".", "."), ("年", "月")]
        .iter()
        .map(|marks| (rest.strip_prefix(marks.0), marks))
        .find(|(behind, _)| behind.is_some())?;
    let (month, rest) = digits(rest.strip_prefix(marks.0)?, 1..=2)?;
    let (day, rest) = digits(rest.strip_prefix(marks.1)?, 1..=2)?;
    let rest = if marks.1 == "月" { rest.strip_prefix(['日', '号'])? } else { rest };
    let year = i16::try_from(year).ok().filter(|year| YEARS.contains(year))?;
    let date = Date::new(year, i8::try_from(month).ok()?, i8::try_from(day).ok()?).ok()?;
    let time = if rest.is_empty() { None } else { Some(plain_time(rest, marks.0 == "-")?) };
    Moment::new(date, time).map(Reading::Certain)
}

/// ` 10:20`, `T10:20:30`, `T10:20:30.123Z`, `T10:20:30+08:00`.
fn plain_time(rest: &str, is_iso: bool) -> Option<TimeOfDay> {
    let iso = rest.strip_prefix('T').filter(|_| is_iso);
    let (hour, rest) = digits(iso.unwrap_or_else(|| rest.trim_start_matches(' ')), 1..=2)?;
    let (minute, rest) = digits(rest.strip_prefix(':')?, 2..=2)?;
    let (second, rest) = match rest.strip_prefix(':') {
        Some(rest) => digits(rest, 2..=2).map(|(second, rest)| (Some(second), rest))?,
        None => (None, rest),
    };
    let rest = match rest.strip_prefix('.').filter(|_| iso.is_some() && second.is_some()) {
        Some(fraction) => fraction.trim_start_matches(|c: char| c.is_ascii_digit()),
        None => rest,
    };
    let zone = match rest {
        "" => None,
        "Z" => Some(zone_of("z", true)?),
        offset
            if iso.is_some() && offset.len() == 6 && offset.is_ascii() && offset.starts_with(['+', '-']) =>
        {
            let (hours, minutes) = offset.get(1..)?.split_once(':')?;
            let is_number = |part: &str| part.len() == 2 && part.bytes().all(|byte| byte.is_ascii_digit());
            Some(zone_of(offset, true).filter(|_| is_number(hours) && is_number(minutes))?)
        }
        _ => return None,
    };
    let narrow = |number: u16| i8::try_from(number).ok();
    let second = match second {
        Some(second) => Some(narrow(second)?),
        None => None,
    };
    clock(narrow(hour)?, narrow(minute)?, second, zone)
}

/// A number of so many digits at the beginning of `text`, and what follows it.
fn digits(text: &str, n_digits: std::ops::RangeInclusive<usize>) -> Option<(u16, &str)> {
    let end = text.bytes().position(|byte| !byte.is_ascii_digit()).unwrap_or(text.len());
    let number = text.get(..end).filter(|_| n_digits.contains(&end))?.parse().ok()?;
    Some((number, text.get(end..)?))
}

/// Whether a text begins with a day that is named from today: 昨天, `3 days ago`.
pub(crate) fn begins_with_days_ago(text: &str) -> bool {
    DAYS_AGO.find(&normalised(text)).is_some_and(|found| found.start() == 0)
}

/// Reads a date of any form.
fn read_any(shown: &str, language: Option<&str>) -> Reading {
    let text = normalised(shown);
    let mut found: Vec<(Captures<'_>, Option<Date>)> = Vec::new();
    for pattern in DATES.iter().filter(|pattern| (pattern.may_match)(&text)) {
        found.extend(pattern.regex().captures_iter(&text).map(|captures| {
            let date = date_of(&captures);
            (captures, date)
        }));
    }
    if found.is_empty() {
        return match DAY_OR_MONTH_FIRST.captures(&text) {
            Some(captures) => day_or_month_first(&captures, &text, language),
            None => packed(&text).unwrap_or_else(|| relative(&text)),
        };
    }
    let Some((first, Some(date))) = found.first() else {
        return if year_of(&found[0].0).is_some_and(|year| YEARS.contains(&year)) {
            Reading::Impossible
        } else {
            Reading::NotCertain
        };
    };
    if found.iter().any(|(_, other)| *other != Some(*date)) {
        return Reading::NotCertain;
    }
    // Everything but the date: a time, a weekday, a label. A digit that is left belongs to something unknown.
    let mut rest = text.clone();
    let mut is_iso = false;
    for (captures, _) in &found {
        let shown = captures.get(0).map_or("", |all| all.as_str());
        is_iso |= shown.ends_with('t');
        let clock = captures.name("clock").map_or("", |clock| clock.as_str());
        rest = rest.replacen(shown, &format!(" {clock} "), 1);
    }
    if found.len() > 1 && rest.contains(first.get(0).map_or("", |all| all.as_str())) {
        return Reading::NotCertain;
    }
    finish(*date, &rest, is_iso)
}

/// Checks what stands beside a date, and takes the time from it.
fn finish(date: Date, rest: &str, is_iso: bool) -> Reading {
    // Most dates stand alone, and nobody needs patterns for what is not there.
    let may_be_weekday = has_letter(rest);
    if may_be_weekday
        && let Some(captures) = WEEKDAY.captures(rest)
        && weekday_of(&captures) != Some(date.weekday())
    {
        return Reading::WrongWeekday;
    }
    if !rest.contains(char::is_numeric) {
        return Moment::new(date, None).map_or(Reading::Impossible, Reading::Certain);
    }
    let time = TIME.captures(rest);
    let rest = TIME.replace(rest, " ");
    let rest = if may_be_weekday { WEEKDAY.replace_all(&rest, " ") } else { rest };
    if rest.chars().any(|c| c.is_ascii_digit()) {
        return Reading::NotCertain;
    }
    let time = match time.map(|captures| time_of(&captures, is_iso)) {
        None => None,
        Some(Some(time)) => Some(time),
        Some(None) => return Reading::Impossible,
    };
    Moment::new(date, time).map_or(Reading::Impossible, Reading::Certain)
}

/// 25/12/2018 has one reading, 03/04/2018 two unless the language tells, 30/30/2018 none. Whoever puts points between
/// numbers puts the day first: of 143 such pages of news and blogs none meant the month.
fn day_or_month_first(captures: &Captures<'_>, text: &str, language: Option<&str>) -> Reading {
    let (Some(a), Some(b), Some(year)) = (number(captures, "a"), number(captures, "b"), year_of(captures))
    else {
        return Reading::NotCertain;
    };
    if !YEARS.contains(&year) {
        return Reading::NotCertain;
    }
    let is_day_first = captures.name("mark").is_some_and(|mark| mark.as_str().starts_with('.'))
        || language.is_some_and(is_day_first);
    let date = match (Date::new(year, b, a), Date::new(year, a, b)) {
        (Ok(one), Ok(other)) if one != other && !is_day_first => return Reading::NotCertain,
        (Ok(date), _) | (_, Ok(date)) => date,
        _ => return Reading::Impossible,
    };
    let shown = captures.get(0).map_or("", |all| all.as_str());
    finish(date, &text.replacen(shown, " ", 1), false)
}

fn is_day_first(language: &str) -> bool {
    let tag = language.trim().to_ascii_lowercase().replace('_', "-");
    let primary = tag.split('-').next().unwrap_or_default();
    let known = |tags: &[&str]| tags.contains(&tag.as_str());
    !known(NOT_DAY_FIRST) && (known(DAY_FIRST) || DAY_FIRST.contains(&primary))
}

/// `20180913102030`, `201809131020` and `20180913T102030Z`, as machines write them.
fn packed(text: &str) -> Option<Reading> {
    let is_utc = text.ends_with('z');
    let all: String = text.trim_end_matches('z').chars().filter(|c| *c != 't').collect();
    if !matches!(all.len(), 12 | 14) || !all.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let part = |from: usize| all.get(from..from + 2)?.parse::<i8>().ok();
    let year = all.get(..4)?.parse().ok().filter(|year| YEARS.contains(year))?;
    let date = Date::new(year, part(4)?, part(6)?).ok()?;
    let zone = if is_utc { zone_of("z", true) } else { None };
    Moment::new(date, Some(clock(part(8)?, part(10)?, part(12), zone)?)).map(Reading::Certain)
}

fn relative(text: &str) -> Reading {
    let Some(captures) = DAYS_AGO.captures(text) else {
        return if RELATIVE.is_match(text) { Reading::Relative } else { Reading::NotCertain };
    };
    let days = match captures.name("word").map(|word| word.as_str()) {
        Some("大前天") => 3,
        Some("前天") => 2,
        Some("昨天" | "昨日" | "yesterday") => 1,
        Some(_) => 0,
        None => match captures["n"].parse() {
            Ok(days) => days,
            Err(_) => return Reading::Relative,
        },
    };
    // With other words around it, the string says more than a relative date.
    let rest = DAYS_AGO.replace(text, " ");
    let rest = TIME.replace(&rest, " ");
    let rest = LABEL.replace_all(&rest, "");
    if rest.is_empty() { Reading::DaysAgo(days) } else { Reading::Relative }
}

/// The day `days` before the crawl.
pub fn days_before(crawl: &str, days: i32) -> Option<Date> {
    let Reading::Certain(moment) = read(crawl) else { return None };
    moment.date.checked_sub(days.days()).ok()
}

fn number(captures: &Captures<'_>, name: &str) -> Option<i8> {
    captures.name(name)?.as_str().parse().ok()
}

fn year_of(captures: &Captures<'_>) -> Option<i16> {
    captures.name("y")?.as_str().parse().ok()
}

fn date_of(captures: &Captures<'_>) -> Option<Date> {
    let month = match captures.name("month") {
        Some(name) => MONTHS.iter().find(|(month, _)| *month == name.as_str())?.1,
        None => number(captures, "m")?,
    };
    let year = year_of(captures).filter(|year| YEARS.contains(year))?;
    Date::new(year, month, number(captures, "d")?).ok()
}

fn weekday_of(captures: &Captures<'_>) -> Option<Weekday> {
    let char_of = |name| captures.name(name).and_then(|it| it.as_str().chars().next());
    if let Some(c) = char_of("zh").or_else(|| char_of("ja")).or_else(|| char_of("planet")) {
        return weekday_of_char(c);
    }
    let name = captures.name("long").or_else(|| captures.name("short"))?.as_str();
    WEEKDAYS.iter().find(|(known, _)| *known == name).map(|(_, weekday)| *weekday)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn certain(shown: &str, language: &str) -> String {
        match read_in(shown, Some(language)) {
            Reading::Certain(moment) => moment.to_string(),
            other => format!("{other:?}"),
        }
    }

    #[test]
    fn times_zones_and_parts_of_the_day() {
        for (shown, expected) in [
            ("2018-09-13T02:20:30Z", "2018-09-13T02:20:30Z"),
            ("2018-09-13T02:20:30.5-07:00", "2018-09-13T02:20:30-07:00"),
            ("2018-09-13 02:20:30 -0700", "2018-09-13T02:20:30-07:00"),
            ("2018-09-13 02:20 UTC+8", "2018-09-13T02:20+08:00"),
            ("September 13, 2018 3:12 PM EST", "2018-09-13T15:12-05:00"),
            ("September 13, 2018 3 p.m.", "2018-09-13T15:00"),
            ("13.9.2018, 9.05 Uhr", "2018-09-13T09:05"),
            ("13.9.2018, 9.05", "NotCertain"),
            ("13.9.2018 um 9 Uhr", "2018-09-13T09:00"),
            ("September 13, 2018 | 3.20pm", "2018-09-13T15:20"),
            ("13 сентября 2018 г., 10:15", "2018-09-13T10:15"),
            ("13 سبتمبر 2018", "2018-09-13"),
            ("13 בספטמבר 2018, 10:15", "2018-09-13T10:15"),
            ("13 September 2018 10:15 BST", "2018-09-13T10:15+01:00"),
            ("2018年9月13日上午九点半", "2018-09-13T09:30"),
            ("2018年9月13日 10時", "2018-09-13T10:00"),
            ("2018年9月13日下午3时5分", "2018-09-13T15:05"),
            ("2018年9月13日 午前0時5分", "2018-09-13T00:05"),
            ("2018년 9월 13일 오후 3시", "2018-09-13T15:00"),
            ("13.9.2018, 09:05 Uhr", "2018-09-13T09:05"),
            ("2018-09-13 12:30 America/New_York", "2018-09-13T12:30"),
            ("2018-09-13 12:30 am", "2018-09-13T00:30"),
            ("2018-09-13 24:00", "2018-09-14T00:00"),
            ("2018-09-13 24:01", "Impossible"),
            ("2018年9月13日晚8:05", "2018-09-13T20:05"),
            ("2018年9月13日晚上12:00", "2018-09-14T00:00"),
            ("2018年9月13日凌晨1:05", "2018-09-13T01:05"),
            ("2018年9月13日凌晨12:05", "2018-09-13T00:05"),
            ("2018年9月13日深夜11:05", "2018-09-13T23:05"),
            ("2018年9月13日中午12:05", "2018-09-13T12:05"),
            ("2018年9月13日中午1:05", "2018-09-13T13:05"),
            ("2018年9月13日下午14时05分", "2018-09-13T14:05"),
            ("二〇一八年九月十三日 下午三时零五分", "2018-09-13T15:05"),
            ("2018년 9월 13일 오후 2:05", "2018-09-13T14:05"),
            ("民國107年9月13日 (四)", "2018-09-13"),
            ("平成30年9月13日（木）10時20分", "2018-09-13T10:20"),
            ("20180913T102030Z", "2018-09-13T10:20:30Z"),
            ("201809131020", "2018-09-13T10:20"),
            ("Thu Sep 13 10:20:30 +0000 2018", "2018-09-13T10:20:30+00:00"),
            ("2018. szeptember 13.", "2018-09-13"),
            ("13 settembre 2018", "2018-09-13"),
            ("10:20, 13. März 2018", "2018-03-13T10:20"),
            // A span of time is that of an event.
            ("2018-09-13 09:00-11:00", "Impossible"),
        ] {
            assert_eq!(certain(shown, "en"), expected, "{shown}");
        }
    }

    #[test]
    fn the_language_tells_day_from_month() {
        for (shown, language, expected) in [
            ("10.06.2018", "en", "2018-06-10"),
            ("10/06/2018", "en", "NotCertain"),
            ("10/06/2018", "en-GB", "2018-06-10"),
            ("10/06/2018", "fr_FR", "2018-06-10"),
            ("10/06/2018", "fr-CA", "NotCertain"),
            ("10-06-2018", "nl", "2018-06-10"),
            ("06/13/2018", "de", "2018-06-13"),
        ] {
            assert_eq!(certain(shown, language), expected, "{shown} {language}");
        }
    }

    #[test]
    fn a_weekday_of_any_language_must_agree() {
        for (shown, expected) in [
            ("Donnerstag, 13. September 2018", "2018-09-13"),
            ("Freitag, 13. September 2018", "WrongWeekday"),
            ("Do., 13.09.2018 - 14:45", "2018-09-13T14:45"),
            ("Fr, 13.09.2018", "WrongWeekday"),
            ("jeudi 13 septembre 2018", "2018-09-13"),
            ("2018年9月13日(木)", "2018-09-13"),
            ("2018年9月13日(金)", "WrongWeekday"),
            ("2018년 9월 13일 목요일", "2018-09-13"),
            ("2018年9月13日 禮拜五", "WrongWeekday"),
        ] {
            assert_eq!(certain(shown, "und"), expected, "{shown}");
        }
    }

    #[test]
    fn one_moment_has_two_days_on_earth() {
        let moment = |shown: &str| match read(shown) {
            Reading::Certain(moment) => moment,
            other => panic!("{other:?}"),
        };
        for (zoned, shown, expected) in [
            ("2023-11-01T23:01:00Z", "2023-11-02", true),
            ("2023-11-01T23:01:00Z", "2023-11-02 00:01", true),
            ("2023-11-01T23:01:00Z", "2023-11-02 00:08", false),
            ("2023-11-01T03:00:00+00:00", "2023-10-31", true),
            ("2023-11-01T08:00:00Z", "2023-11-02", false),
            ("2023-11-01T23:01:00Z", "2023-11-03", false),
            ("2023-11-01T23:01:00", "2023-11-02", false),
        ] {
            assert_eq!(moment(zoned).may_be_shown_as(&moment(shown)), expected, "{zoned} {shown}");
        }
    }

    #[test]
    fn each_pattern_is_asked_of_what_it_matches() {
        let marks = ["-", "/", ".", ". ", " ", "年", "월 ", ", ", ":", " de ", ""];
        let parts =
            ["2018", "9", "13", "13th", "1º", "september", "märz", "10:20:30", "٢٠١٨", "13日", "t", "x"];
        let mut n_matched = [0; 10];
        let mut check = |text: &str| {
            for (pattern, n_matched) in DATES.iter().zip(&mut n_matched) {
                let is_match = pattern.regex().is_match(text);
                *n_matched += usize::from(is_match);
                assert!(!is_match || (pattern.may_match)(text), "{text} {}", pattern.source);
            }
        };
        let with_mark = |part: &&str| marks.map(|mark| format!("{part}{mark}"));
        let marked: Vec<String> = parts.iter().flat_map(with_mark).collect();
        for first in &marked {
            for second in &marked {
                for third in parts {
                    check(&format!("{first}{second}{third}"));
                }
            }
        }
        check("20180913");
        check("sep 13 10:20:30 +0000 2018");
        assert!(n_matched.iter().all(|n| *n > 0), "{n_matched:?}");
    }

    proptest! {
        #[test]
        fn the_short_way_agrees_with_the_long_one(
            shown in r"(20|19|2)\d{2}[-/.年]\d{1,2}[-/.月]\d{1,2}[日号]?((T| {0,2})\d{1,2}:\d{1,2}(:\d{2}(\.\d{1,3})?)?(Z|[+-]\d\d:\d\d)?)?"
        ) {
            if let Some(reading) = plain(&shown) {
                prop_assert_eq!(reading, read_any(&shown, None));
            }
        }
    }
}
