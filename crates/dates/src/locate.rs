//! Finds dates in running text: where each one begins and ends, not what it means.
//!
//! Every date that [`crate::read`] can be certain about has a year of four digits, so the search is for `19`
//! and `20`, and only what stands around those is looked at closely.

use std::ops::Range;
use std::sync::LazyLock;

use regex::Regex;

use super::months::MONTHS;

/// So many bytes before a year may hold its day and month: `Thursday, 23. September ` is the longest.
const MAX_BEFORE: usize = 32;

/// Where a date stands in a text, in bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Located {
    /// Year, month and day.
    pub date: Range<usize>,
    /// The time of day behind the date, with what marks its half of the day.
    pub time: Option<Range<usize>>,
}

impl Located {
    /// Date and time.
    pub fn range(&self) -> Range<usize> {
        self.date.start..self.time.as_ref().map_or(self.date.end, |time| time.end)
    }

    /// Date and time with a blank between them: flattening often glues them together.
    pub fn shown(&self, text: &str) -> String {
        let part = |range: &Range<usize>| text.get(range.clone()).unwrap_or_default();
        match &self.time {
            Some(time) => format!("{} {}", part(&self.date), part(time)),
            None => part(&self.date).to_owned(),
        }
    }
}

/// Day and month before a year: `September 13, `, `13. September `, `13 de septiembre de `, `13.9.`, `9/13/`.
static BEFORE_YEAR: LazyLock<Regex> = LazyLock::new(|| {
    let months = MONTHS.iter().map(|(name, _)| *name).collect::<Vec<_>>().join("|");
    let day = r"\d{1,2}(?:st|nd|rd|th|\.|º|er)?";
    Regex::new(&format!(
        r"(?i)(?:^|[^\d.,:/\-])\s*(?<date>(?:{months})\.?\s+{day},?\s+|{day}\s+(?:of\s+|de\s+)?(?:{months})\.?,?\s+(?:de\s+|del\s+)?|\d{{1,2}}-(?:{months})-|\d{{1,2}}/\d{{1,2}}/|\d{{1,2}}\.\s?\d{{1,2}}\.\s?)$",
    ))
    .expect("the pattern is a constant that tests compile")
});

/// The dates of `text`, in order.
pub fn dates(text: &str) -> impl Iterator<Item = Located> + '_ {
    let mut end = 0;
    years(text.as_bytes()).filter_map(move |year| {
        if year < end {
            return None;
        }
        let found = year_first(text, year).or_else(|| year_last(text, year))?;
        end = found.range().end;
        Some(found)
    })
}

/// Where the years from 1900 to 2099 stand.
fn years(bytes: &[u8]) -> impl Iterator<Item = usize> + '_ {
    // `9` and `0` behind it: a search for two rare bytes at once is faster than one for `1` or `2` alone.
    let finders = [memchr::memmem::find_iter(bytes, "20"), memchr::memmem::find_iter(bytes, "19")];
    let [mut twenties, mut nineties] = finders.map(Iterator::peekable);
    std::iter::from_fn(move || match (twenties.peek(), nineties.peek()) {
        (Some(a), Some(b)) if b < a => nineties.next(),
        (None, _) => nineties.next(),
        _ => twenties.next(),
    })
    .filter(|&year| {
        let digit = |at: usize| bytes.get(at).is_some_and(u8::is_ascii_digit);
        digit(year + 2) && digit(year + 3) && !digit(year + 4) && !(year > 0 && digit(year - 1))
    })
}

fn year_first(text: &str, year: usize) -> Option<Located> {
    let mut cursor = Cursor { bytes: text.as_bytes(), at: year + 4 };
    cursor.blanks();
    let marks = [("年", "月"), ("년", "월"), ("-", "-"), ("/", "/"), (".", ".")];
    let (_, behind_month) = marks.into_iter().find(|(behind_year, _)| cursor.eat(behind_year))?;
    cursor.blanks();
    cursor.digits(2)?;
    cursor.blanks();
    if !cursor.eat(behind_month) {
        return None;
    }
    cursor.blanks();
    cursor.digits(2)?;
    let mut end = cursor.at;
    let glued = cursor.peek().is_some_and(|byte| byte.is_ascii_digit());
    cursor.blanks();
    if ["日", "号", "號", "일"].iter().any(|mark| cursor.eat(mark)) {
        end = cursor.at;
    } else {
        cursor.at = end;
    }
    let time = cursor.time(glued);
    // 2011-06-2400007 is a page number behind a date, or no date at all.
    if glued && time.is_none() {
        return None;
    }
    Some(Located { date: year..end, time })
}

fn year_last(text: &str, year: usize) -> Option<Located> {
    let before = *text.as_bytes().get(year.checked_sub(1)?)?;
    if !matches!(before, b' ' | b'/' | b'.' | b'-' | 0xA0 | 0x80) {
        return None;
    }
    let mut start = year.saturating_sub(MAX_BEFORE);
    while !text.is_char_boundary(start) {
        start += 1;
    }
    let date = BEFORE_YEAR.captures(text.get(start..year)?)?.name("date")?;
    let date = start + date.start()..year + 4;
    let mut cursor = Cursor { bytes: text.as_bytes(), at: date.end };
    Some(Located { time: cursor.time(false), date })
}

/// Reads forwards, byte by byte; what it stops at is always a boundary of characters.
struct Cursor<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Cursor<'_> {
    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn eat(&mut self, what: &str) -> bool {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        let eaten = rest.get(..what.len()).is_some_and(|start| start.eq_ignore_ascii_case(what.as_bytes()));
        self.at += if eaten { what.len() } else { 0 };
        eaten
    }

    fn eat_any(&mut self, what: &[&str]) -> bool {
        what.iter().any(|what| self.eat(what))
    }

    /// Passes blanks within a line.
    fn blanks(&mut self) {
        while self.eat_any(&[" ", "\t", "\u{A0}", "\u{3000}"]) {}
    }

    /// Passes at least one and at most `max` digits; their number.
    fn digits(&mut self, max: usize) -> Option<usize> {
        let start = self.at;
        while self.at - start < max && self.peek().is_some_and(|byte| byte.is_ascii_digit()) {
            self.at += 1;
        }
        (self.at > start).then_some(self.at - start)
    }

    /// A time of day here, behind a date; `glued` if there is nothing at all between them.
    fn time(&mut self, glued: bool) -> Option<Range<usize>> {
        self.blanks();
        self.eat_any(&["(", "（"]);
        if self.eat_any(&["星期", "周", "週", "礼拜"]) {
            self.at += "一".len();
        }
        self.eat_any(&[")", "）"]);
        self.eat_any(&[",", ".", "t", "at", "-", "um", "às"]);
        self.blanks();
        let start = self.at;
        self.eat_any(&["上午", "下午", "晚上", "오전", "오후", "午前", "午後"]);
        self.blanks();
        let n_digits = self.digits(2)?;
        if !self.eat_any(&[":", "：", "时", "時", "点", "h"])
            || self.digits(2)? != 2
            || (glued && n_digits != 2)
        {
            return None;
        }
        let mut end = self.at;
        if self.eat_any(&[":", "："]) && self.digits(2) == Some(2) {
            end = self.at;
        }
        self.at = end;
        if self.eat_any(&["分", "秒"]) {
            end = self.at;
        }
        self.blanks();
        let half = self.eat_any(&["am", "pm", "a.m.", "p.m."]);
        Some(start..if half { self.at } else { end })
    }
}
