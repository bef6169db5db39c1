//! Finds dates in running text: where each one begins and ends, not what it means.
//!
//! Every date that [`crate::read`] can be certain about has a year of four digits or one with `年` behind it, so the
//! search is for `19`, `20` and that character, and only what stands around those is looked at closely.

use std::ops::Range;
use std::sync::LazyLock;

use memchr::memmem::Finder;
use regex::{Captures, Regex};

use super::names::{CHINESE_WEEKS, MONTHS, WEEKDAYS, weekday_of_char};
use super::numerals::{ERAS, NUMERALS};
use super::times::{PARTS, ZONES, zone_of};

/// So many bytes before a year may hold its day and month, the weekday and the time:
/// `14:05 Uhr, Donnerstag, 23. September ` is among the longest.
const MAX_BEFORE: usize = 64;

/// Where a date stands in a text, in bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Located {
    /// Year, month and day.
    pub date: Range<usize>,
    /// The time of day beside the date, with what marks its half of the day, and its zone.
    pub time: Option<Range<usize>>,
    /// The day of the week beside the date.
    pub weekday: Option<Range<usize>>,
}

impl Located {
    /// Date, time and weekday, and what stands between them.
    pub fn range(&self) -> Range<usize> {
        let parts = || [Some(&self.date), self.time.as_ref(), self.weekday.as_ref()].into_iter().flatten();
        let start = parts().map(|part| part.start).min().unwrap_or_default();
        start..parts().map(|part| part.end).max().unwrap_or_default()
    }

    /// Date, time and weekday as they stand in the text, with a blank where flattening has glued them together.
    pub fn shown(&self, text: &str) -> String {
        let mut parts: Vec<&Range<usize>> =
            [Some(&self.date), self.time.as_ref(), self.weekday.as_ref()].into_iter().flatten().collect();
        parts.sort_by_key(|part| part.start);
        let mut out = String::new();
        let mut end = None;
        for part in parts {
            if let Some(end) = end {
                let between = text.get(end..part.start).unwrap_or_default();
                out.push_str(if between.is_empty() { " " } else { between });
            }
            out.push_str(text.get(part.clone()).unwrap_or_default());
            end = Some(part.end);
        }
        out
    }
}

/// Day and month before a year: `September 13, `, `13. September `, `13 de septiembre de `, `13.9.`, `9/13/`, with the
/// weekday and the time before it.
static BEFORE_YEAR: LazyLock<Regex> = LazyLock::new(|| before_year("(?i)", |_| true));

/// The same for small letters of ASCII. Names in one case are compiled to a tree of their letters, while those in either
/// are tried one after the other, which took a hundred thousand instructions a date.
static BEFORE_YEAR_IN_ASCII: LazyLock<Regex> = LazyLock::new(|| before_year("(?-u)", str::is_ascii));

/// The same for small letters of any alphabet.
static BEFORE_YEAR_IN_SMALL: LazyLock<Regex> = LazyLock::new(|| before_year("", |_| true));

/// A text in small letters, of as many bytes at the same places; none where a letter may have others in another case than
/// the letters of the names of months and days have.
fn in_small_letters(text: &str) -> Option<String> {
    let small = |c: char| match c {
        'A'..='Z' => Some(c.to_ascii_lowercase()),
        '\u{C0}'..='\u{17E}' | '\u{400}'..='\u{4FF}' => {
            let mut small = c.to_lowercase();
            // That of `İ` is two characters, and the pattern takes it for no other letter.
            let alone = small.next().filter(|one| small.len() == 0 && one.len_utf8() == c.len_utf8());
            Some(alone.unwrap_or(c))
        }
        // Hebrew and Arabic, and what East Asia writes, have no case.
        'º' | '\u{5D0}'..='\u{64A}' | '\u{3040}'..='\u{9FFF}' | '\u{AC00}'..='\u{D7A3}' => Some(c),
        _ => (c.is_ascii() || !c.is_alphabetic()).then_some(c),
    };
    text.chars().map(small).collect()
}

/// Day and month alone at the end of such a text.
static DAY_AND_MONTH_IN_ASCII: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(&format!("(?-u)(?:{})$", day_and_month(str::is_ascii)))
        .expect("the pattern is a constant that tests compile")
});

/// The forms of day and month before a year.
fn day_and_month(wanted: impl Fn(&str) -> bool) -> String {
    let months =
        MONTHS.iter().map(|(name, _)| *name).filter(|name| wanted(name)).collect::<Vec<_>>().join("|");
    let ordinal = if wanted("º") { "|º" } else { "" };
    let day = format!(r"\d{{1,2}}(?:st|nd|rd|th|\.{ordinal}|er)?");
    format!(
        r"(?:{months})\.?\s+{day},?\s+|{day}\s+(?:of\s+|de\s+)?(?:{months})\.?,?\s+(?:de\s+|del\s+)?|\d{{1,2}}-(?:{months})-|\d{{1,2}}/\d{{1,2}}/|\d{{1,2}}-\d{{1,2}}-|\d{{1,2}}\.\s?\d{{1,2}}\.\s?"
    )
}

fn before_year(flags: &str, wanted: impl Fn(&str) -> bool) -> Regex {
    let weekdays = WEEKDAYS.iter().map(|(name, _)| *name).filter(|name| wanted(name));
    let (short, long): (Vec<_>, Vec<_>) = weekdays.partition(|name| name.len() == 2);
    let (short, long) = (short.join("|"), long.join("|"));
    let date = day_and_month(&wanted);
    let dot = if wanted("·") { "·" } else { "" };
    let zones = ZONES.iter().map(|(name, _)| *name).filter(|name| wanted(name) && name.len() > 1);
    let zones = zones.collect::<Vec<_>>().join("|");
    let time = format!(
        r"(?<time>\d{{1,2}}:\d{{2}}(?::\d{{2}})?(?:\s?[ap]\.?m\.?)?(?:\s(?:{zones})\b)?)(?:\s*(?:uhr|hrs?|h|[ecmp]t))?\s*[,|{dot}-]?\s*(?:on\s+|am\s+|le\s+)?"
    );
    let weekday = format!(r"(?<weekday>(?:{long})\b|(?:{short})[.,])[.,]?\s*(?:the\s+|den\s+|dem\s+)?");
    let other = if wanted("·") { r"[^\d.,:/\-]" } else { r"[\x00-+;-\x7F]" };
    Regex::new(&format!(r"{flags}(?:^|{other})\s*(?:{time})?(?:\b{weekday})?(?<date>{date})$"))
        .expect("the pattern is a constant that tests compile")
}

/// The parts of what stands before a year.
#[derive(Debug, PartialEq, Eq)]
struct BeforeYear {
    date: Range<usize>,
    time: Option<Range<usize>>,
    weekday: Option<Range<usize>>,
}

impl BeforeYear {
    /// Takes apart what stands before a year, if it is day and month.
    fn read(before: &str) -> Option<Self> {
        let is_wide_space = |c: char| !c.is_ascii() && c.is_whitespace();
        if before.contains(is_wide_space) {
            return Self::read_with_blanks(before);
        }
        let Some(start) = ascii_tail(before) else {
            return match in_small_letters(before) {
                Some(small) => Self::of(&BEFORE_YEAR_IN_SMALL.captures(&small)?),
                None => Self::of(&BEFORE_YEAR.captures(before)?),
            };
        };
        let tail = before.get(start..)?.to_ascii_lowercase();
        let all = BEFORE_YEAR_IN_ASCII.find(&tail)?;
        let moved = |part: Range<usize>| start + part.start..start + part.end;
        // To tell the parts takes a hundred times as long as to find them, and most dates have a day and a month alone.
        let date = DAY_AND_MONTH_IN_ASCII.find(&tail).map_or(all.start(), |date| date.start());
        let is_alone = |beside: &str| beside.chars().skip(1).all(char::is_whitespace);
        if tail.get(all.start()..date).is_some_and(is_alone) {
            return Some(Self { date: moved(date..tail.len()), time: None, weekday: None });
        }
        let found = Self::of(&BEFORE_YEAR_IN_ASCII.captures(&tail)?)?;
        Some(Self { date: moved(found.date), time: found.time.map(moved), weekday: found.weekday.map(moved) })
    }

    /// The same with a blank in place of each white space.
    fn read_with_blanks(before: &str) -> Option<Self> {
        let (mut plain, mut places) = (String::new(), Vec::new());
        for (at, c) in before.char_indices() {
            let c = if c.is_whitespace() { ' ' } else { c };
            plain.push(c);
            places.extend(std::iter::repeat_n(at, c.len_utf8()));
        }
        places.push(before.len());
        let found = Self::read(&plain)?;
        let moved = |part: Range<usize>| places[part.start]..places[part.end];
        Some(Self { date: moved(found.date), time: found.time.map(moved), weekday: found.weekday.map(moved) })
    }

    fn of(found: &Captures<'_>) -> Option<Self> {
        let part = |name| found.name(name).map(|part| part.range());
        Some(Self { date: part("date")?, time: part("time"), weekday: part("weekday") })
    }
}

/// Where the ASCII at the end of a text begins, if what stands before it can be no part of day and month, so that it is as
/// good as the beginning: punctuation, a Chinese character that is glued to no letter, or what ends no name of a month or
/// day and is followed by nothing that a word goes on with.
fn ascii_tail(text: &str) -> Option<usize> {
    let tail = text.trim_end_matches(|c: char| c.is_ascii()).len();
    let parts = match text.get(..tail)?.chars().next_back() {
        None
        | Some(
            '©' | '«' | '»' | '\u{2010}'..='\u{2027}' | '、'..='〃' | '〈'..='】' | '！'..='，' | '：'..='；',
        ) => true,
        Some('\u{4E00}'..='\u{9FFF}') if !text.as_bytes().get(tail).is_some_and(u8::is_ascii_alphabetic) => {
            true
        }
        Some(c) if c.is_alphabetic() => return behind_other_word(text, tail),
        Some(c) => {
            let may_be_part = c.is_numeric() || c.is_whitespace() || matches!(c, 'º' | '·');
            !may_be_part && !text.as_bytes().get(tail).copied().is_none_or(goes_on)
        }
    };
    parts.then_some(tail)
}

/// The end of the word around a byte, if it ends as no name of a month or day does.
fn behind_other_word(text: &str, at: usize) -> Option<usize> {
    let rest = text.as_bytes().get(at..)?;
    let end = at + rest.iter().take_while(|byte| byte.is_ascii_alphabetic()).count();
    let is_over = !text.as_bytes().get(end).copied().is_none_or(goes_on);
    let word = text.get(..end)?;
    let word = word.get(word.trim_end_matches(char::is_alphabetic).len()..)?.to_lowercase();
    // Two letters that the pattern takes for others.
    let is_plain = !word.contains(['ſ', '\u{212A}']);
    // Short names of days have a mark behind them.
    let is_marked = matches!(text.as_bytes().get(end), Some(b'.' | b','));
    let days = WEEKDAYS.iter().map(|(name, _)| *name).filter(|name| name.len() > 2 || is_marked);
    let mut names = MONTHS.iter().map(|(name, _)| *name).chain(days);
    (is_over && is_plain && !names.any(|name| word.ends_with(name))).then_some(end)
}

/// Whether a word goes on with a byte.
fn goes_on(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

/// The dates of `text`, in order.
pub fn dates(text: &str) -> impl Iterator<Item = Located> + '_ {
    let mut end = 0;
    years(text).filter_map(move |year| {
        if year.start < end {
            return None;
        }
        let found = year_first(text, &year).or_else(|| year_last(text, year.start))?;
        end = found.range().end;
        Some(found)
    })
}

/// Where the years from 1900 to 2099 stand in digits, and those before `年` in other forms.
fn years(text: &str) -> impl Iterator<Item = Range<usize>> + '_ {
    may_hold_year(text.as_bytes()).then(|| found_years(text)).into_iter().flatten()
}

fn found_years(text: &str) -> impl Iterator<Item = Range<usize>> + '_ {
    let bytes = text.as_bytes();
    // `9` and `0` behind it: a search for two rare bytes at once is faster than one for `1` or `2` alone.
    let [twenties, nineties, marks] = &*FINDERS;
    let [mut twenties, mut nineties] = [twenties, nineties].map(|finder| finder.find_iter(bytes).peekable());
    let digits = std::iter::from_fn(move || match (twenties.peek(), nineties.peek()) {
        (Some(a), Some(b)) if b < a => nineties.next(),
        (None, _) => nineties.next(),
        _ => twenties.next(),
    })
    .filter(|&year| {
        let digit = |at: usize| bytes.get(at).is_some_and(u8::is_ascii_digit);
        digit(year + 2) && digit(year + 3) && !digit(year + 4) && !(year > 0 && digit(year - 1))
    })
    .map(|year| year..year + 4);
    let marked = marks.find_iter(bytes).filter_map(|mark| year_before(text, mark));
    let (mut digits, mut marked) = (digits.peekable(), marked.peekable());
    std::iter::from_fn(move || match (digits.peek(), marked.peek()) {
        (Some(a), Some(b)) if b.start < a.start => marked.next(),
        (None, _) => marked.next(),
        _ => digits.next(),
    })
}

/// Whether a text has two digits that a year begins with, or a byte that `年` does: most lines have neither, and this is
/// asked of a line in a tenth of the time that three searches take.
fn may_hold_year(bytes: &[u8]) -> bool {
    /// So many bytes are looked at before the first that was found ends it.
    const STEP: usize = 128;
    let first_of_mark = "年".as_bytes()[0];
    let next = bytes.get(1..).unwrap_or_default();
    bytes.chunks(STEP).zip(next.chunks(STEP)).any(|(bytes, next)| {
        let is_start = |(byte, next): (&u8, &u8)| {
            let nineties = u8::from(*byte == b'1') & u8::from(*next == b'9');
            let twenties = u8::from(*byte == b'2') & u8::from(*next == b'0');
            nineties | twenties | u8::from(*byte == first_of_mark)
        };
        // Not to stop at the first is what lets a compiler put them side by side.
        bytes.iter().zip(next).map(is_start).fold(0, |any, it| any | it) != 0
    })
}

/// What years begin or end with. To prepare a search takes as long as searching a kilobyte, and most texts that are asked
/// are lines.
static FINDERS: LazyLock<[Finder<'static>; 3]> = LazyLock::new(|| ["20", "19", "年"].map(Finder::new));

/// The year of four wide digits, in Chinese numerals or of an era that ends at `mark`.
fn year_before(text: &str, mark: usize) -> Option<Range<usize>> {
    /// `中華民國一百零九` are eight characters of three bytes.
    const MOST_BYTES: usize = 32;
    let mut from = mark.saturating_sub(MOST_BYTES);
    while !text.is_char_boundary(from) {
        from += 1;
    }
    let before = text.get(from..mark)?.trim_end_matches(is_blank);
    let of = |is_part: &dyn Fn(char) -> bool| {
        let start = before.trim_end_matches(is_part).len();
        (start, before.get(start..).map_or(0, |year| year.chars().count()))
    };
    let is_wide = |c: char| ('０'..='９').contains(&c);
    let is_numeral = |c: char| NUMERALS.contains(c);
    let (start, n_chars) = [of(&is_wide), of(&is_numeral)].into_iter().max_by_key(|(_, n)| *n)?;
    if n_chars == 4 && !before.get(start..)?.contains(['十', '百', '廿']) {
        return Some(from + start..from + before.len());
    }
    let (start, _) = of(&|c: char| c.is_ascii_digit() || is_wide(c) || is_numeral(c) || c == '元');
    let head = before.get(..start)?.trim_end_matches(is_blank);
    let era = ERAS.iter().find_map(|(era, _)| head.strip_suffix(era))?;
    (start < before.len()).then_some(from + era.len()..from + before.len())
}

fn is_blank(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\u{A0}' | '\u{3000}')
}

fn year_first(text: &str, year: &Range<usize>) -> Option<Located> {
    let mut cursor = Cursor { text, at: year.end };
    cursor.blanks();
    let marks = [("年", "月"), ("년", "월"), ("-", "-"), ("/", "/"), (".", ".")];
    let (_, behind_month) = marks.into_iter().find(|(behind_year, _)| cursor.eat(behind_year))?;
    cursor.blanks();
    cursor.number()?;
    cursor.blanks();
    if !cursor.eat(behind_month) {
        return None;
    }
    cursor.blanks();
    cursor.number()?;
    let mut end = cursor.at;
    let glued = cursor.peek().is_some_and(|c| c.is_ascii_digit());
    cursor.blanks();
    if ["日", "号", "號", "일"].iter().any(|mark| cursor.eat(mark)) {
        end = cursor.at;
    } else {
        cursor.at = end;
    }
    let (weekday, time) = cursor.behind(glued);
    // 2011-06-2400007 is a page number behind a date, or no date at all.
    if glued && time.is_none() {
        return None;
    }
    Some(Located { date: year.start..end, time, weekday: weekday_before(text, year.start).or(weekday) })
}

/// The weekday that stands right before a date at `at`: `星期四 2018-09-13`, `Thu, 2018-09-13`.
fn weekday_before(text: &str, at: usize) -> Option<Range<usize>> {
    /// `quarta-feira` and its Cyrillic sister are shorter.
    const MOST_BYTES: usize = 28;
    let mut from = at.saturating_sub(MOST_BYTES);
    while !text.is_char_boundary(from) {
        from += 1;
    }
    let before = text.get(from..at)?.trim_end_matches(|c| is_blank(c) || matches!(c, ',' | '，'));
    let end = from + before.len();
    let day = before.chars().next_back()?;
    if let Some(week) = before.strip_suffix(day).filter(|_| weekday_of_char(day).is_some()) {
        let word = CHINESE_WEEKS.iter().find(|word| week.ends_with(**word))?;
        return Some(from + week.len() - word.len()..end);
    }
    if !day.is_alphabetic() {
        return None;
    }
    let start = before.rfind(|c: char| !(c.is_alphabetic() || c == '-')).map_or(0, |last| last + 1);
    let word = before.get(start..)?.to_lowercase();
    let is_weekday = WEEKDAYS.iter().any(|(name, _)| name.len() > 2 && *name == word);
    is_weekday.then_some(from + start..end)
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
    let before = text.get(start..year).filter(|before| may_end_a_month(before))?;
    let found = BeforeYear::read(before)?;
    let moved = |part: Range<usize>| start + part.start..start + part.end;
    let date = start + found.date.start..year + 4;
    let mut cursor = Cursor { text, at: date.end };
    let (weekday, time) = cursor.behind(false);
    Some(Located {
        date,
        time: time.or(found.time.map(moved)),
        weekday: found.weekday.map(moved).or(weekday),
    })
}

/// Whether a text may end with day and month, in any form of [`BEFORE_YEAR`]. Nearly all that stands before a number
/// from 1900 to 2099 does not, and to try the pattern takes some ten thousand instructions.
fn may_end_a_month(before: &str) -> bool {
    let day_or_month =
        before.trim_end_matches(|c: char| c.is_whitespace() || matches!(c, ',' | '.' | '/' | '-'));
    let Some(last) = day_or_month.chars().next_back() else { return false };
    if last.is_numeric() || last == 'º' {
        return true;
    }
    let word = day_or_month.trim_end_matches(char::is_alphabetic).len();
    let word = day_or_month.get(word..).unwrap_or_default();
    if word.is_ascii() {
        // A day as `13th` may be glued to nothing but its digits.
        let is_day = || DAY_ENDINGS.iter().any(|end| word.eq_ignore_ascii_case(end));
        let is_month = || MONTHS.iter().any(|(month, _)| word.eq_ignore_ascii_case(month));
        return !word.is_empty() && (is_day() || is_month());
    }
    // Letters that only some month in some case has at its end: the pattern tells the rest.
    LAST_OF_MONTHS.contains(last.to_lowercase().next().unwrap_or(last)) || matches!(last, 'ſ' | '\u{212A}')
}

/// What may stand behind the digits of a day, or between a month and its year.
const DAY_ENDINGS: [&str; 7] = ["st", "nd", "rd", "th", "er", "de", "del"];

/// Words behind a time.
const CLOCKS: [&str; 4] = ["uhr", "hrs", "hr", "h"];

/// Words between a date and its time.
const BEFORE_TIMES: [&str; 11] =
    ["at", "um", "à", "às", "alle ore", "alle", "a las", "ore", "kl.", "klo", "в"];

/// The last characters of the names of months.
static LAST_OF_MONTHS: LazyLock<String> =
    LazyLock::new(|| MONTHS.iter().filter_map(|(month, _)| month.chars().next_back()).collect());

/// Reads forwards; it always stands at a boundary of characters.
struct Cursor<'a> {
    text: &'a str,
    at: usize,
}

impl Cursor<'_> {
    fn rest(&self) -> &str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn eat(&mut self, what: &str) -> bool {
        let start = self.text.as_bytes().get(self.at..self.at + what.len());
        let eaten = start.is_some_and(|start| start.eq_ignore_ascii_case(what.as_bytes()));
        self.at += if eaten { what.len() } else { 0 };
        eaten
    }

    fn eat_any(&mut self, what: &[&str]) -> bool {
        what.iter().any(|what| self.eat(what))
    }

    /// Takes one of some words, if no letter or digit follows.
    fn eat_word<'w>(&mut self, words: impl IntoIterator<Item = &'w str>) -> bool {
        let start = self.at;
        words.into_iter().any(|word| {
            let eaten = self.eat(word) && !self.peek().is_some_and(char::is_alphanumeric);
            if !eaten {
                self.at = start;
            }
            eaten
        })
    }

    /// Passes blanks within a line.
    fn blanks(&mut self) {
        while let Some(c) = self.peek().filter(|c| is_blank(*c)) {
            self.at += c.len_utf8();
        }
    }

    /// Passes at least one and at most `max` digits; their number.
    fn digits(&mut self, max: usize) -> Option<usize> {
        let n_digits = self.rest().bytes().take(max).take_while(u8::is_ascii_digit).count();
        self.at += n_digits;
        (n_digits > 0).then_some(n_digits)
    }

    /// Passes a number of one or two digits, which may be wide, or of up to three Chinese numerals; how many.
    fn number(&mut self) -> Option<usize> {
        if let Some(n_digits) = self.digits(2) {
            return Some(n_digits);
        }
        let passed = |is_part: &dyn Fn(char) -> bool, max: usize| {
            let part = self.rest().chars().take(max).take_while(|c| is_part(*c));
            part.fold((0, 0), |(n_chars, n_bytes), c| (n_chars + 1, n_bytes + c.len_utf8()))
        };
        let (wide, bytes) = passed(&|c| ('０'..='９').contains(&c), 2);
        let (n_chars, n_bytes) = if wide > 0 { (wide, bytes) } else { passed(&|c| NUMERALS.contains(c), 3) };
        self.at += n_bytes;
        (n_chars > 0).then_some(n_chars)
    }

    /// Weekday and time of day here, behind a date; `glued` if there is nothing at all between them.
    fn behind(&mut self, glued: bool) -> (Option<Range<usize>>, Option<Range<usize>>) {
        self.blanks();
        let bracket = self.at;
        self.eat_any(&["(", "（"]);
        let is_bracket = self.at > bracket;
        let before = self.at;
        let is_weekday = self.weekday(is_bracket);
        // The brackets are part of it: a character in brackets is a day, and another in running text is not.
        self.eat_any(&[")", "）"]);
        let weekday = is_weekday.then_some(if is_bracket { bracket } else { before }..self.at);
        if !is_weekday && is_bracket {
            self.at = before;
        }
        // `2018 г.`, the year as Russian cuts it short.
        self.eat_any(&["г.", "р."]);
        self.blanks();
        self.eat_any(&[
            "，", "،", ",", ".", "t", "at", "-", "–", "—", "um", "às", "alle", "à", "|", "·", "•", "/", "@",
        ]);
        self.blanks();
        self.eat_word(BEFORE_TIMES);
        self.blanks();
        (weekday, self.time(glued))
    }

    fn weekday(&mut self, is_bracket: bool) -> bool {
        let start = self.at;
        let week = self.eat_any(CHINESE_WEEKS);
        if let Some(c) = self.peek().filter(|c| weekday_of_char(*c).is_some()) {
            self.at += c.len_utf8();
            let is_day = week || self.eat("曜日") || is_bracket && matches!(self.peek(), Some(')' | '）'));
            if is_day {
                return true;
            }
        }
        self.at = start;
        self.eat(",");
        self.blanks();
        let long = WEEKDAYS.iter().map(|(name, _)| *name).filter(|name| name.len() > 2);
        if self.eat_word(long) {
            return true;
        }
        self.at = start;
        false
    }

    /// A time of day here.
    fn time(&mut self, glued: bool) -> Option<Range<usize>> {
        let start = self.at;
        let mut is_machine = self.text.get(..start).is_some_and(|before| before.ends_with(['T', 't']));
        let _ = PARTS.iter().any(|(word, _)| self.eat(word));
        self.blanks();
        let n_digits = self.number()?;
        let mut end;
        if self.eat_any(&[":", "：", "h"]) {
            self.blanks();
            if self.number()? != 2 || (glued && n_digits != 2) {
                return None;
            }
            end = self.at;
            if self.eat_any(&[":", "："]) && self.number() == Some(2) {
                end = self.at;
                is_machine = true;
                if self.eat(".") && self.digits(9).is_some() {
                    end = self.at;
                }
            }
            self.at = end;
            if self.eat_any(&["分", "분", "秒"]) {
                end = self.at;
            }
        } else if self.eat_any(&["时", "時", "点", "點", "시"]) {
            end = self.behind_named_hour();
        } else {
            let is_pointed = self.eat(".") && self.digits(2) == Some(2);
            self.blanks();
            if glued || !self.half() && !self.eat_word(["uhr"]) || is_pointed && n_digits > 2 {
                return None;
            }
            end = self.at;
        }
        self.at = end;
        self.blanks();
        if self.half() || self.eat_word(CLOCKS) {
            end = self.at;
        }
        self.at = end;
        self.blanks();
        self.eat_any(&["(", "（"]);
        Some(start..if self.zone(is_machine) { self.at } else { end })
    }

    /// Passes minutes and seconds behind the name of an hour, if they are given: `3时05分`, `十点半`. The end of the time.
    fn behind_named_hour(&mut self) -> usize {
        let mut end = self.at;
        for marks in [&["半", "分", "분"][..], &["秒", "초"]] {
            self.blanks();
            if self.eat("半") {
                return self.at;
            }
            let Some(n_digits) = self.number() else { break };
            let number = self.at;
            self.blanks();
            if self.eat_any(marks) {
                end = self.at;
            } else if n_digits == 2 {
                return number;
            } else {
                break;
            }
        }
        end
    }

    /// `am` or `pm`; `America` begins with neither.
    fn half(&mut self) -> bool {
        self.eat_any(&["a.m.", "p.m."]) || self.eat_word(["am", "pm"])
    }

    /// `Z`, `+08:00`, `UTC+8`, `EST`. `09:00-11:00` is a span of time unless the form is that of machines.
    fn zone(&mut self, is_machine: bool) -> bool {
        let start = self.at;
        let is_named = self.eat_word(ZONES.iter().map(|(name, _)| *name))
            || self.eat("北京时间")
            || self.eat_word(["МСК"]);
        let name_end = self.at;
        let is_offset = self.eat_any(&["+", "-"]) && self.digits(2).is_some() && {
            let hours = self.at;
            self.eat(":");
            if self.digits(2) != Some(2) {
                self.at = hours;
            }
            !self.peek().is_some_and(char::is_alphanumeric)
        };
        let is_zone = |zone: &str| zone_of(zone, is_machine).is_some();
        let offset = self.text.get(name_end..self.at).unwrap_or_default();
        if is_offset && (is_named || is_zone(offset)) && offset.len() > 2 - usize::from(is_named) {
            return true;
        }
        self.at = if is_named { name_end } else { start };
        is_named
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{Reading, read};

    /// The dates of a text as they are shown.
    fn shown(text: &str) -> Vec<String> {
        dates(text).map(|located| located.shown(text)).collect()
    }

    #[test]
    fn dates_are_found_with_what_belongs_to_them() {
        for (text, expected) in [
            ("发布时间：2018-09-1302:20:30 来源", "2018-09-13 02:20:30"),
            ("at 2018-09-13T02:20:30Z.", "2018-09-13T02:20:30Z"),
            ("at 2018-09-13T02:20:30.25-07:00.", "2018-09-13T02:20:30.25-07:00"),
            ("2018-09-13 12:30 American", "2018-09-13 12:30"),
            ("2018-09-13 12:30 America/New_York", "2018-09-13 12:30"),
            ("2018-09-13 12:30 am, by", "2018-09-13 12:30 am"),
            ("13 September 2018, 3 p.m. EST", "13 September 2018, 3 p.m. EST"),
            ("13 September 2018 at 15:05 UTC+8", "13 September 2018 at 15:05 UTC+8"),
            ("2018年9月13日星期五 晚8:05", "2018年9月13日 星期五 晚8:05"),
            ("2018年9月13日 凌晨1:05", "2018年9月13日 凌晨1:05"),
            ("Friday, September 13, 2018", "Friday, September 13, 2018"),
            ("星期五 2018-09-13", "星期五 2018-09-13"),
            ("于二〇一八年九月十三日印发", "二〇一八年九月十三日"),
            ("（２０１８年９月１３日）", "２０１８年９月１３日"),
            ("中華民國107年9月13日", "民國107年9月13日"),
            ("令和元年5月3日（金）", "令和元年5月3日 （金）"),
            ("14:05 Uhr, 13. September 2018", "14:05 Uhr, 13. September 2018"),
            ("open 13.9.2018 09:00-11:00", "13.9.2018 09:00"),
            ("10:15 AM EDT, Wed May 3, 2018", "10:15 AM EDT, Wed May 3, 2018"),
            ("3:20 PM ET, Thu June 4, 2020", "3:20 PM ET, Thu June 4, 2020"),
            ("le 13-09-2018 à 10h20", "13-09-2018 à 10h20"),
            ("am 13.9.2018 um 9.05 Uhr MESZ.", "13.9.2018 um 9.05 Uhr MESZ"),
            ("13 сентября 2018 г., 10:15 МСК", "13 сентября 2018 г., 10:15 МСК"),
            ("نشر في 13 سبتمبر 2018 - 10:15", "13 سبتمبر 2018 - 10:15"),
            ("Sept. 13, 2018 • 3.20pm by", "Sept. 13, 2018 • 3.20pm"),
            ("2018年9月13日上午九点半 来源", "2018年9月13日 上午九点半"),
            ("2018年9月13日 午前0時5分 公開", "2018年9月13日 午前0時5分"),
            ("2018年9月13日10时，本台", "2018年9月13日 10时"),
            ("version of 13.9.2018 3.2 of", "13.9.2018"),
        ] {
            assert_eq!(shown(text), [expected], "{text}");
        }
    }

    #[test]
    fn what_is_no_date_is_not_found() {
        for text in ["2011-06-2400007", "一九年五月", "三十年", "民國以來", "12018-09-13", "v2.2018.1"]
        {
            assert_eq!(shown(text), Vec::<String>::new(), "{text}");
        }
    }

    #[test]
    fn whatever_the_pattern_finds_may_end_a_month() {
        let days = ["9", "13.", "13th", "1er", "13º"];
        for (month, _) in MONTHS {
            for day in days {
                for text in [
                    format!("on {month} {day}, "),
                    format!("{month}. {day} "),
                    format!("{day} {month} "),
                    format!("{day} of {}.,  ", month.to_ascii_uppercase()),
                    format!("{day} de {month} del "),
                    format!(" 9-{month}-"),
                ] {
                    assert!(BEFORE_YEAR.is_match(&text), "{text}");
                    assert!(may_end_a_month(&text), "{text}");
                }
            }
        }
        // What parts the ASCII at the end from the rest is in no name.
        let months = MONTHS.iter().map(|(name, _)| *name);
        for name in months.chain(WEEKDAYS.iter().map(|(name, _)| *name)) {
            for c in name.chars().filter(|c| !c.is_ascii()) {
                assert_eq!(ascii_tail(&c.to_string()), None, "{name}");
            }
        }
        for text in [" 9/13/", " 9-13-", " 13.9.", " 13. 9. "] {
            assert!(BEFORE_YEAR.is_match(text) && may_end_a_month(text), "{text}");
        }
        for text in ["Copyright © ", "in ", "news/", "", " - ", "版权所有 "] {
            assert!(!may_end_a_month(text), "{text}");
        }
    }

    #[test]
    fn a_weekday_that_contradicts_is_seen() {
        let text = "Friday, September 13, 2018";
        assert_eq!(dates(text).map(|it| read(&it.shown(text))).collect::<Vec<_>>(), [Reading::WrongWeekday]);
    }

    proptest! {
        #[test]
        fn both_patterns_take_apart_alike(
            text in "(x |, |h5 |1|mon|)(”|—|字|，|·|é|\u{a0}|)(10:05(:30)?( ?pm|a\\.m\\.)?( uhr| h)?(,|-| \\|)? ?(on )?)?((Fri|monday|mo\\.|May),? ?(the )?)?(march|May|jun)?\\.?(March 5, |5(th|\\.)? (of )?march\\.? |05-may-|9/13/|9-3-|9\\. ?3\\.|june 12 |2 )"
        ) {
            let expected = BEFORE_YEAR.captures(&text).and_then(|found| BeforeYear::of(&found));
            prop_assert_eq!(BeforeYear::read(&text), expected);
        }

        #[test]
        fn letters_of_any_alphabet_and_case_are_taken_apart_alike(
            text in "(x|字|é|İ|ſ|K|\u{a0}| )?(10:05 )?(Pazar|SÁBADO|суббота|ВТОРНИК|SEGUNDA-FEIRA|Çarşamba)?,? ?(9|13\\.|2º)? ?(Mayıs|MAYIS|Şubat|ŞUBAT|MÄRZ|мая|МАЯ|março|MARÇO|září|août|5月|9\\.3\\.) ?(5, )?"
        ) {
            let expected = BEFORE_YEAR.captures(&text).and_then(|found| BeforeYear::of(&found));
            prop_assert_eq!(BeforeYear::read(&text), expected);
        }

        #[test]
        fn a_month_is_never_overlooked(text in "([0-9]{1,2}|st|\\.|,| |/|-|may|MÄRZ|août|мая|thg|de|ſ|º|x|月){0,7}") {
            prop_assert!(!BEFORE_YEAR.is_match(&text) || may_end_a_month(&text));
        }

        #[test]
        fn any_text_is_searched_and_ranges_are_in_order(
            text in "(\\PC{0,4}|2018|-|9|13| |年|月|日|〇|二|十|民國|令和|元|星期|周|五|10:20|T|Z|\\+08:00|am|May|Fri|,|\\(|\\)){0,24}"
        ) {
            let mut end = 0;
            for located in dates(&text) {
                let range = located.range();
                prop_assert!(text.get(range.clone()).is_some() && range.end > end, "{text}");
                for part in [Some(located.date), located.time, located.weekday].into_iter().flatten() {
                    prop_assert!(text.get(part).is_some(), "{text}");
                }
                end = range.end;
            }
        }
    }
}
