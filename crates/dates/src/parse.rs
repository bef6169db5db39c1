//! From the date as a page shows it to an ISO 8601 date, or to the reason why not.

use std::sync::LazyLock;

use jiff::ToSpan;
use jiff::civil::{Date, Time, Weekday};
use regex::{Captures, Regex};

use super::months::MONTHS;

/// Years in which something can have been published that is scraped today: the older newspaper archives
/// begin about 1800.
const YEARS: std::ops::RangeInclusive<i16> = 1800..=2099;

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

/// A date and, as far as the page gives it, the time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Moment {
    /// The day.
    pub date: Date,
    /// `T10:20`, `T10:20:30`, with `Z` or `+08:00` behind it; or nothing.
    time: String,
}

impl std::fmt::Display for Moment {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "{}{}", self.date, self.time)
    }
}

static PATTERNS: LazyLock<Patterns> = LazyLock::new(Patterns::new);

struct Patterns {
    dates: Vec<Regex>,
    /// Day and month first, in an order that is not known.
    day_or_month_first: Regex,
    time: Regex,
    weekday: Regex,
    days_ago: Regex,
    relative: Regex,
    /// What may stand around a date: labels, brackets, punctuation.
    label: Regex,
}

impl Patterns {
    fn new() -> Self {
        let compile =
            |pattern: &str| Regex::new(pattern).expect("the pattern is a constant that tests compile");
        let day = r"(?<d>\d{1,2})(?:st|nd|rd|th|\.|º|er)?";
        let months = MONTHS.iter().map(|(name, _)| *name).collect::<Vec<_>>().join("|");
        let months = format!(r"(?<month>{months})\.?");
        let dates = [
            r"(?-u:\b)(?<y>\d{4})-(?<m>\d{1,2})-(?<d>\d{1,2})(?:(?-u:\b)|t)".to_owned(),
            r"(?-u:\b)(?<y>\d{4})/(?<m>\d{1,2})/(?<d>\d{1,2})(?-u:\b)".to_owned(),
            r"(?-u:\b)(?<y>\d{4})\.\s?(?<m>\d{1,2})\.\s?(?<d>\d{1,2})(?-u:\b)".to_owned(),
            r"(?<y>(?-u:\b)\d{4})\s*[年년]\s*(?<m>\d{1,2})\s*[月월]\s*(?<d>\d{1,2})\s*[日号號일]".to_owned(),
            r"^(?<y>\d{4})(?<m>\d{2})(?<d>\d{2})$".to_owned(),
            format!(r"\b{months}\s+{day},?\s+(?<y>\d{{4}})(?-u:\b)"),
            format!(r"(?-u:\b){day}\s+(?:of\s+|de\s+)?{months},?\s+(?:del?\s+)?(?<y>\d{{4}})(?-u:\b)"),
            format!(r"(?-u:\b)(?<d>\d{{1,2}})-{months}-(?<y>\d{{4}})(?-u:\b)"),
        ];
        Self {
            dates: dates.iter().map(|pattern| compile(pattern)).collect(),
            day_or_month_first: compile(
                r"(?-u:\b)(?<a>\d{1,2})(?:/|\.\s?)(?<b>\d{1,2})(?:/|\.\s?)(?<y>\d{4})(?-u:\b)",
            ),
            time: compile(
                r"(?<early>上午|午前|오전)?(?<late>下午|晚上|午後|오후)?\s*(?<h>\d{1,2})\s*(?::|时|時|点|h)\s*(?<min>\d{2})(?:\s*(?::|分)\s*(?:(?<s>\d{2})(?:\.\d+)?\s*秒?)?)?\s*(?<half>[ap]\.?m\.?\b)?\s*(?<zone>z\b|utc\b|gmt\b|[+-]\d{2}:?\d{2}\b)?",
            ),
            weekday: compile(
                r"(?:星期|周|週|礼拜)(?<zh>[一二三四五六日天])|\b(?<en>mon|tue|wed|thu|fri|sat|sun)(?:day|sday|nesday|rsday|urday|s|rs)?\b",
            ),
            days_ago: compile(
                r"(?<n>\d{1,3})\s*(?:天前|日前|days?\s+ago)|(?<word>大前天|前天|昨天|昨日|今天|今日|yesterday|today)",
            ),
            relative: compile(r"前|ago\b|刚刚|just now|last|上周|上个?月|去年|本周|this"),
            label: compile(
                r"发布时间|发布日期|发表时间|发表日期|更新时间|发布于|发表于|时间|日期|发布|发表|\bpublished\b|\bposted\b|\bupdated\b|\bdate\b|\bat\b|\bon\b|[,，:：()（）\[\]【】|\s.·-]",
            ),
        }
    }
}

/// Reads a string that shows a date.
pub fn read(shown: &str) -> Reading {
    plain(shown).unwrap_or_else(|| read_any(shown))
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
    if rest.is_empty() {
        return Some(Reading::Certain(Moment { date, time: String::new() }));
    }
    let (hour, rest) = digits(rest.trim_start_matches(' '), 1..=2)?;
    let (minute, rest) = digits(rest.strip_prefix(':')?, 2..=2)?;
    let (second, rest) = match rest.strip_prefix(':') {
        Some(rest) => digits(rest, 2..=2).map(|(second, rest)| (Some(second), rest))?,
        None => (None, rest),
    };
    if !rest.is_empty() || hour > 23 || minute > 59 || second.is_some_and(|second| second > 59) {
        return None;
    }
    let seconds = second.map_or_else(String::new, |second| format!(":{second:02}"));
    Some(Reading::Certain(Moment { date, time: format!("T{hour:02}:{minute:02}{seconds}") }))
}

/// A number of so many digits at the beginning of `text`, and what follows it.
fn digits(text: &str, n_digits: std::ops::RangeInclusive<usize>) -> Option<(u16, &str)> {
    let end = text.bytes().position(|byte| !byte.is_ascii_digit()).unwrap_or(text.len());
    let number = text.get(..end).filter(|_| n_digits.contains(&end))?.parse().ok()?;
    Some((number, text.get(end..)?))
}

/// Reads a date of any form.
fn read_any(shown: &str) -> Reading {
    let text = normalised(shown);
    let patterns = &*PATTERNS;
    let mut found: Vec<(Captures<'_>, Option<Date>)> = Vec::new();
    for pattern in &patterns.dates {
        found.extend(pattern.captures_iter(&text).map(|captures| {
            let date = date_of(&captures);
            (captures, date)
        }));
    }
    if found.is_empty() {
        return match patterns.day_or_month_first.captures(&text) {
            Some(captures) => day_or_month_first(&captures, &text),
            None => relative(&text),
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
    for (captures, _) in &found {
        let shown = captures.get(0).map_or("", |all| all.as_str());
        rest = rest.replacen(shown, " ", 1);
    }
    if found.len() > 1 && rest.contains(first.get(0).map_or("", |all| all.as_str())) {
        return Reading::NotCertain;
    }
    finish(*date, &rest)
}

/// Checks what stands beside a date, and takes the time from it.
fn finish(date: Date, rest: &str) -> Reading {
    let patterns = &*PATTERNS;
    if let Some(captures) = patterns.weekday.captures(rest)
        && weekday_of(&captures) != Some(date.weekday())
    {
        return Reading::WrongWeekday;
    }
    let time = patterns.time.captures(rest);
    let rest = patterns.time.replace(rest, " ");
    let rest = patterns.weekday.replace_all(&rest, " ");
    if rest.chars().any(|c| c.is_ascii_digit()) {
        return Reading::NotCertain;
    }
    match time.map(|captures| time_of(&captures)) {
        None => Reading::Certain(Moment { date, time: String::new() }),
        Some(Some(time)) => Reading::Certain(Moment { date, time }),
        Some(None) => Reading::Impossible,
    }
}

/// 25/12/2018 has one reading, 03/04/2018 two, 30/30/2018 none.
fn day_or_month_first(captures: &Captures<'_>, text: &str) -> Reading {
    let (Some(a), Some(b), Some(year)) = (number(captures, "a"), number(captures, "b"), year_of(captures))
    else {
        return Reading::NotCertain;
    };
    if !YEARS.contains(&year) {
        return Reading::NotCertain;
    }
    match (Date::new(year, a, b), Date::new(year, b, a)) {
        (Ok(one), Ok(other)) if one != other => Reading::NotCertain,
        (Ok(date), _) | (_, Ok(date)) => {
            let shown = captures.get(0).map_or("", |all| all.as_str());
            finish(date, &text.replacen(shown, " ", 1))
        }
        _ => Reading::Impossible,
    }
}

fn relative(text: &str) -> Reading {
    let patterns = &*PATTERNS;
    let Some(captures) = patterns.days_ago.captures(text) else {
        return if patterns.relative.is_match(text) { Reading::Relative } else { Reading::NotCertain };
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
    let rest = patterns.days_ago.replace(text, " ");
    let rest = patterns.time.replace(&rest, " ");
    let rest = patterns.label.replace_all(&rest, "");
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
    let name = captures.name("zh").or_else(|| captures.name("en"))?.as_str();
    Some(match name {
        "一" | "mon" => Weekday::Monday,
        "二" | "tue" => Weekday::Tuesday,
        "三" | "wed" => Weekday::Wednesday,
        "四" | "thu" => Weekday::Thursday,
        "五" | "fri" => Weekday::Friday,
        "六" | "sat" => Weekday::Saturday,
        _ => Weekday::Sunday,
    })
}

/// The time in ISO 8601 as far as it is given, or none if there is no such time.
fn time_of(captures: &Captures<'_>) -> Option<String> {
    let (mut hour, minute) = (number(captures, "h")?, number(captures, "min")?);
    if let Some(half) = captures.name("half") {
        if !(1..=12).contains(&hour) {
            return None;
        }
        hour = hour % 12 + if half.as_str().starts_with('p') { 12 } else { 0 };
    }
    // 下午2:05, but also 下午14:05.
    if captures.name("late").is_some() && (1..12).contains(&hour) {
        hour += 12;
    } else if captures.name("early").is_some() && hour == 12 {
        hour = 0;
    }
    let second = number(captures, "s");
    Time::new(hour, minute, second.unwrap_or(0), 0).ok()?;
    let seconds = second.map_or_else(String::new, |second| format!(":{second:02}"));
    let zone = match captures.name("zone").map(|zone| zone.as_str()) {
        None => String::new(),
        Some("z" | "utc" | "gmt") => "Z".to_owned(),
        Some(offset) => {
            let digits = offset.replace(':', "");
            let (hours, minutes) = digits.split_at_checked(3)?;
            if !(hours.parse::<i8>().is_ok_and(|hours| (-14..=14).contains(&hours)) && minutes < "60") {
                return None;
            }
            format!("{hours}:{minutes}")
        }
    };
    Some(format!("T{hour:02}:{minute:02}{seconds}{zone}"))
}

/// Lower case, full-width forms as ASCII, white space as blanks, Chinese numerals before 年, 月 and 日 as digits.
fn normalised(shown: &str) -> String {
    let narrow = |c: char| match c {
        '\u{FF01}'..='\u{FF5E}' => char::from_u32(c as u32 - 0xFEE0).unwrap_or(c),
        '\u{2010}'..='\u{2015}' | '\u{2212}' => '-',
        c if c.is_whitespace() => ' ',
        c => c,
    };
    let text: String = shown.trim().chars().map(narrow).flat_map(char::to_lowercase).collect();
    let mut out = String::with_capacity(text.len());
    let mut numeral = String::new();
    for c in text.chars() {
        if "〇零○一二三四五六七八九十廿".contains(c) && !out.ends_with("星期") && !out.ends_with('周')
        {
            numeral.push(c);
            continue;
        }
        push_numeral(&mut out, &mut numeral, c);
        out.push(c);
    }
    out.push_str(&numeral);
    out
}

/// Appends a Chinese numeral: as digits before `年`, `月`, `日` and `号`, as it stands elsewhere.
fn push_numeral(out: &mut String, numeral: &mut String, next: char) {
    let value = match next {
        '年' => year_in_chinese(numeral),
        '月' | '日' | '号' => day_in_chinese(numeral),
        _ => None,
    };
    match value {
        Some(value) => out.push_str(&value.to_string()),
        None => out.push_str(numeral),
    }
    numeral.clear();
}

fn digit_in_chinese(c: char) -> Option<u32> {
    match c {
        '〇' | '零' | '○' => Some(0),
        _ => "一二三四五六七八九".chars().position(|digit| digit == c).map(|index| index as u32 + 1),
    }
}

/// A year digit by digit: 二〇一八.
fn year_in_chinese(numeral: &str) -> Option<u32> {
    if numeral.chars().count() != 4 {
        return None;
    }
    numeral.chars().try_fold(0, |year, c| Some(year * 10 + digit_in_chinese(c)?))
}

/// A number up to 39: 九, 十, 十三, 二十, 二十一, 廿一.
fn day_in_chinese(numeral: &str) -> Option<u32> {
    let expanded = numeral.replace('廿', "二十");
    match expanded.split_once('十') {
        None => {
            let mut digits = expanded.chars();
            let digit = digit_in_chinese(digits.next()?)?;
            digits.next().is_none().then_some(digit)
        }
        Some((tens, ones)) => {
            let tens = if tens.is_empty() { 1 } else { single(tens)? };
            let ones = if ones.is_empty() { 0 } else { single(ones)? };
            (tens <= 3).then_some(tens * 10 + ones)
        }
    }
}

fn single(numeral: &str) -> Option<u32> {
    let mut digits = numeral.chars();
    let digit = digit_in_chinese(digits.next()?)?;
    digits.next().is_none().then_some(digit)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn the_short_way_agrees_with_the_long_one(
            shown in r"(20|19|2)\d{2}[-/.年]\d{1,2}[-/.月]\d{1,2}[日号]?( {0,2}\d{1,2}:\d{1,2}(:\d{2})?)?"
        ) {
            if let Some(reading) = plain(&shown) {
                prop_assert_eq!(reading, read_any(&shown));
            }
        }
    }
}
