//! The time of day beside a date.

use std::sync::LazyLock;

use jiff::civil::Time;
use regex::{Captures, Regex};

/// A time of day as far as a page gives it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct TimeOfDay {
    /// Without seconds if the page has none.
    pub(super) time: Time,
    pub(super) has_seconds: bool,
    pub(super) zone: Option<Zone>,
    /// The hour is 24: the day is the next one.
    pub(super) is_next_day: bool,
}

/// How far a time is ahead of UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Zone {
    Utc,
    /// Minutes.
    Offset(i16),
}

impl Zone {
    pub(super) fn minutes(self) -> i64 {
        match self {
            Self::Utc => 0,
            Self::Offset(minutes) => minutes.into(),
        }
    }
}

impl std::fmt::Display for TimeOfDay {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "T{:02}:{:02}", self.time.hour(), self.time.minute())?;
        if self.has_seconds {
            write!(out, ":{:02}", self.time.second())?;
        }
        match self.zone {
            None => Ok(()),
            Some(Zone::Utc) => write!(out, "Z"),
            Some(Zone::Offset(minutes)) => {
                let sign = if minutes < 0 { '-' } else { '+' };
                write!(out, "{sign}{:02}:{:02}", minutes.abs() / 60, minutes.abs() % 60)
            }
        }
    }
}

/// Words before a time, by the part of the day that they name. Longer ones come before those that they begin with.
pub(super) const PARTS: &[(&str, Part)] = &[
    ("凌晨", Part::Morning),
    ("清晨", Part::Morning),
    ("早晨", Part::Morning),
    ("早上", Part::Morning),
    ("上午", Part::Morning),
    ("午前", Part::Morning),
    ("오전", Part::Morning),
    ("새벽", Part::Morning),
    ("中午", Part::Noon),
    ("正午", Part::Noon),
    ("下午", Part::Afternoon),
    ("午后", Part::Afternoon),
    ("午後", Part::Afternoon),
    ("오후", Part::Afternoon),
    ("傍晚", Part::Evening),
    ("晚上", Part::Evening),
    ("晚间", Part::Evening),
    ("晚間", Part::Evening),
    ("夜间", Part::Evening),
    ("夜里", Part::Evening),
    ("저녁", Part::Evening),
    ("深夜", Part::Night),
    ("半夜", Part::Night),
    ("午夜", Part::Night),
    ("밤", Part::Night),
    ("晚", Part::Evening),
    ("早", Part::Morning),
    ("夜", Part::Night),
];

/// A part of the day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    Morning,
    Noon,
    Afternoon,
    Evening,
    Night,
}

/// Names of zones that mean one offset wherever pages show them, in minutes; `CST` and `IST` do not. Bangladesh, too, has a
/// `BST`, but its papers write no zone, and those of Britain do.
pub(super) const ZONES: &[(&str, i16)] = &[
    ("utc", 0),
    ("gmt", 0),
    ("z", 0),
    ("est", -300),
    ("edt", -240),
    ("cdt", -300),
    ("mst", -420),
    ("mdt", -360),
    ("pst", -480),
    ("pdt", -420),
    ("cet", 60),
    ("cest", 120),
    ("mez", 60),
    ("mesz", 120),
    ("jst", 540),
    ("kst", 540),
    ("hkt", 480),
    ("bst", 60),
    ("wet", 0),
    ("west", 60),
    ("eet", 120),
    ("eest", 180),
    ("msk", 180),
    ("мск", 180),
    ("sgt", 480),
    ("aest", 600),
    ("aedt", 660),
    ("nzst", 720),
    ("nzdt", 780),
];

/// A time in text that was normalised.
pub(super) static TIME: LazyLock<Regex> = LazyLock::new(|| {
    let parts = PARTS.iter().map(|(word, _)| *word).collect::<Vec<_>>().join("|");
    let zones = ZONES.iter().map(|(name, _)| *name).collect::<Vec<_>>().join("|");
    let seconds = r"(?:\s*(?::|分|분)\s*(?:(?<s>\d{2})(?:[.,]\d+|:\d{3})?\s*[秒초]?)?)?";
    let marked = r"(?<min>\d{2}|(?-u:\d)\s*[分분]|半)";
    // East Asia names the hour, and then may leave out the minutes.
    let minutes = format!(
        r"\s*(?:(?::|h)\s*{marked}{seconds}|[时時点點시](?:\s*{more}{more_seconds})?)",
        more = marked.replace("<min>", "<min2>"),
        more_seconds = seconds.replace("<s>", "<s2>"),
    );
    // Between numbers a point is the mark of a time only if a word says that it is one: `9.05 Uhr`, `3.20pm`.
    let pointed = r"\.(?<min3>\d{2})\s*(?:uhr(?-u:\b)|(?<half3>[ap])(?:m(?-u:\b)|\.\s?m\.))";
    let half = r"(?<half>[ap])(?:m(?-u:\b)|\.\s?m\.)";
    let zone = format!(
        r"(?<zone>(?:utc|gmt)\s*[+-]\d{{1,2}}(?::?\d{{2}})?(?-u:\b)|(?:{zones})(?-u:\b)|[+-]\d{{2}}(?::?\d{{2}})?(?-u:\b)|北京时间)"
    );
    Regex::new(&format!(
        r"(?<part>{parts})?\s*(?<h>\d{{1,2}})(?:{minutes}\s*(?:{half})?|{pointed}|\s*{half2}|\s*uhr(?-u:\b))\s*(?:(?:uhr|hrs?|h)(?-u:\b))?\s*\(?{zone}?",
        half2 = half.replace("<half>", "<half2>"),
    ))
    .expect("the pattern is a constant that tests compile")
});

/// What was found, or none if there is no such time. `is_iso`: date and time are parted by `T`, so that a number
/// behind the time cannot be the end of a span.
pub(super) fn time_of(captures: &Captures<'_>, is_iso: bool) -> Option<TimeOfDay> {
    let any = |names: &[&str]| names.iter().find_map(|name| captures.name(name)).map(|it| it.as_str());
    let number = |names: &[&str]| match any(names)? {
        "半" => Some(30),
        digits => digits.trim_end_matches(['分', '분', ' ']).parse().ok(),
    };
    let (hour, minute): (i8, i8) = (number(&["h"])?, number(&["min", "min2", "min3"]).unwrap_or(0));
    let second: Option<i8> = number(&["s", "s2"]);
    let half = any(&["half", "half2", "half3"]);
    let part = captures.name("part").and_then(|word| PARTS.iter().find(|(known, _)| *known == word.as_str()));
    let hour = hour_of_day(hour, half, part.map(|(_, part)| *part))?;
    let zone = match captures.name("zone") {
        Some(zone) => Some(zone_of(zone.as_str(), is_iso || second.is_some())?),
        None => None,
    };
    clock(hour, minute, second, zone)
}

/// A time of day from its numbers; 24:00 is the end of a day.
pub(super) fn clock(hour: i8, minute: i8, second: Option<i8>, zone: Option<Zone>) -> Option<TimeOfDay> {
    let is_next_day = hour == 24 && minute == 0 && second.unwrap_or(0) == 0;
    let time = Time::new(if is_next_day { 0 } else { hour }, minute, second.unwrap_or(0), 0).ok()?;
    Some(TimeOfDay { time, has_seconds: second.is_some(), zone, is_next_day })
}

/// The hour from 0 to 24. Pages also write 下午14:05.
fn hour_of_day(hour: i8, half: Option<&str>, part: Option<Part>) -> Option<i8> {
    if let Some(half) = half {
        return (1..=12).contains(&hour).then(|| hour % 12 + if half == "p" { 12 } else { 0 });
    }
    Some(match part {
        Some(Part::Morning) if hour == 12 => 0,
        Some(Part::Noon) if (1..=3).contains(&hour) => hour + 12,
        Some(Part::Afternoon) if (1..12).contains(&hour) => hour + 12,
        // Twelve in the evening is the end of the day, and one at night the beginning of one.
        Some(Part::Evening | Part::Night) if hour == 12 => 24,
        Some(Part::Evening) if (4..12).contains(&hour) => hour + 12,
        Some(Part::Night) if (6..12).contains(&hour) => hour + 12,
        _ => hour,
    })
}

/// A zone by its name or its numbers. `09:00-11:00` is a span, which no zone is taken from unless the form is that
/// of machines.
pub(super) fn zone_of(zone: &str, is_machine: bool) -> Option<Zone> {
    if zone == "北京时间" {
        return Some(Zone::Offset(480));
    }
    if let Some((name, minutes)) = ZONES.iter().find(|(name, _)| *name == zone) {
        return Some(if matches!(*name, "utc" | "gmt" | "z") { Zone::Utc } else { Zone::Offset(*minutes) });
    }
    let digits = zone.trim_start_matches(['u', 't', 'c', 'g', 'm']);
    let is_named = digits.len() < zone.len();
    let digits = digits.trim_start();
    let is_behind = digits.starts_with('-');
    if is_behind && !is_named && !is_machine {
        return None;
    }
    let digits: String = digits.chars().filter(char::is_ascii_digit).collect();
    let (hours, minutes) =
        if digits.len() <= 2 { (digits.as_str(), "0") } else { digits.split_at_checked(digits.len() - 2)? };
    let (hours, minutes): (i16, i16) = (hours.parse().ok()?, minutes.parse().ok()?);
    let offset = hours * 60 + minutes;
    (offset <= 14 * 60 && minutes < 60).then_some(Zone::Offset(if is_behind { -offset } else { offset }))
}
