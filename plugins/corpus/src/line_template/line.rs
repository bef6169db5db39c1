//! A line as it is compared, and the group of a document.

use std::borrow::Cow;

use tamis_plugin::ValueRef;
use tamis_text::hosts::without_www;
use tamis_text::scan::Scan;
use xxhash_rust::xxh3::xxh3_128;

use super::measure::{Measured, measure};
use super::parts::{MIN_COLUMNS, each_part};
use super::{LineTemplateOptions, near};
use crate::squeeze::Squeezer;

/// So many sentence ends in a line of more than [`MIN_COLUMNS`] make it prose: a paragraph, a quotation.
const PROSE_ENDS: usize = 2;

/// Makes lines comparable.
#[derive(Debug, Clone, Copy)]
pub(super) struct Lines {
    pub(super) mask_digits: bool,
    pub(super) near_equal: bool,
    pub(super) max_columns: usize,
}

/// A line, or a part of a wide one, as it is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Key {
    /// The hash; never 0.
    pub(super) hash: u128,
    /// Its bytes if it is prose, else 0.
    pub(super) prose: u32,
}

/// A line of a text that is not blank, or a part of one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Unit {
    /// The number of the line, from 0, blank ones counted.
    pub(super) line: usize,
    /// Its bytes in the text, without white space around.
    pub(super) start: usize,
    pub(super) end: usize,
    /// `None` when it is too wide to be template.
    pub(super) key: Option<Key>,
    /// Whether it is a part; the parts of a line follow it.
    pub(super) is_part: bool,
}

impl Lines {
    pub(super) fn of(options: &LineTemplateOptions) -> Self {
        Self {
            mask_digits: options.mask_digits,
            near_equal: options.near_equal,
            max_columns: options.max_line_columns,
        }
    }

    /// Hands the lines of a text that are not blank, and their parts, to `each` with the bytes that are compared.
    ///
    /// `plain` is working space.
    pub(super) fn each_unit(self, scan: &Scan<'_>, plain: &mut Vec<u8>, mut each: impl FnMut(Unit, &[u8])) {
        let text = scan.text();
        for (number, line) in scan.ranges().enumerate() {
            let (from, to) = trimmed(text, line.start, line.end);
            if from == to {
                continue;
            }
            let line = text.get(from..to).unwrap_or_default();
            let measured = measured(line);
            let (key, compared) = self.key_of(line, measured, plain);
            each(Unit { line: number, start: from, end: to, key, is_part: false }, compared);
            if measured.columns <= MIN_COLUMNS {
                continue;
            }
            each_part(line, !measured.is_plain, |part| {
                let (from, to) = trimmed(text, from + part.start, from + part.end);
                let part = text.get(from..to).unwrap_or_default();
                let (key, compared) = self.key_of(part, self::measured(part), plain);
                each(Unit { line: number, start: from, end: to, key, is_part: true }, compared);
            });
        }
    }

    /// The key of a line with what it compares; `None` when it is blank or too wide.
    pub(super) fn key<'a>(self, line: &'a str, plain: &'a mut Vec<u8>) -> Option<(Key, &'a [u8])> {
        let line = line.trim();
        if line.is_empty() {
            return None;
        }
        let (key, compared) = self.key_of(line, measured(line), plain);
        key.map(|key| (key, compared))
    }

    fn key_of<'a>(
        self,
        line: &'a str,
        measured: Measured,
        plain: &'a mut Vec<u8>,
    ) -> (Option<Key>, &'a [u8]) {
        if measured.columns > self.max_columns {
            return (None, &[]);
        }
        let is_prose = measured.columns > MIN_COLUMNS && measured.n_ends >= PROSE_ENDS;
        let compared = self.compared(line, measured.is_plain, plain);
        let prose = if is_prose { u32::try_from(line.len()).unwrap_or(u32::MAX) } else { 0 };
        (Some(Key { hash: xxh3_128(compared).max(1), prose }), compared)
    }

    fn compared<'a>(self, line: &'a str, is_plain: bool, plain: &'a mut Vec<u8>) -> &'a [u8] {
        if is_plain {
            return line.as_bytes();
        }
        plain.clear();
        let mut squeezer = Squeezer::default();
        squeezer.push(line, self.mask_digits, plain);
        // Without letters the digits are all that a line says.
        if self.mask_digits && squeezer.saw_digit && !line.chars().any(char::is_alphabetic) {
            plain.clear();
            Squeezer::default().push(line, false, plain);
        } else if self.near_equal
            && let Ok(squeezed) = std::str::from_utf8(plain)
            && let Some(masked) = near::masked(squeezed, squeezer.saw_digit)
        {
            plain.clear();
            plain.extend_from_slice(masked.as_bytes());
        }
        plain
    }
}

/// The bytes `start..end` of a text without white space around.
fn trimmed(text: &str, start: usize, end: usize) -> (usize, usize) {
    let line = text.get(start..end).unwrap_or_default();
    // Most lines of a flattened page are blank, and most others have no white space around.
    if line.is_empty() {
        return (start, start);
    }
    let from = end - line.trim_start().len();
    (from, from + line.trim().len())
}

/// Short lines are squeezed without a look: that costs less than to measure them.
fn measured(line: &str) -> Measured {
    if line.len() > MIN_COLUMNS {
        return measure(line);
    }
    // A column is at least one byte.
    Measured { columns: line.len(), n_ends: 0, is_plain: false }
}

/// The group that a field value stands for, or `None` when it says nothing.
pub(super) fn group_of(value: ValueRef<'_>) -> Option<Cow<'_, str>> {
    match value {
        ValueRef::Null => None,
        ValueRef::String(value) => match value.trim() {
            "" => None,
            name => Some(host(name).unwrap_or(name.into())),
        },
        ValueRef::Json(json) => Some(json.into()),
        scalar => serde_json::to_string(&scalar).ok().map(Cow::from),
    }
}

/// The host of a URL, without `www.`.
fn host(url: &str) -> Option<Cow<'_, str>> {
    let host = tamis_text::hosts::host(url)?;
    Some(Cow::Owned(without_www(&host).to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain(line: &str, max_columns: usize) -> Option<String> {
        let mut plain = Vec::new();
        let (_, compared) =
            Lines { mask_digits: true, near_equal: true, max_columns }.key(line, &mut plain)?;
        Some(String::from_utf8(compared.to_vec()).unwrap())
    }

    #[test]
    fn lines_are_compared_without_digits_where_letters_speak() {
        for (line, compared) in [
            ("  Share\u{a0} this \r", Some("Share this")),
            ("3 comments", Some("0 comments")),
            ("阅读 12", Some("阅读 0")),
            ("2011-06-24", Some("2011-06-24")),
            ("2011年06月24日", Some("0年0月0日")),
            ("12.5 %", Some("12.5 %")),
            ("１２", Some("１２")),
            ("当前在线：某人", Some("当前在线：…")),
            (" \t", None),
            ("", None),
        ] {
            assert_eq!(plain(line, 100).as_deref(), compared, "{line}");
        }
        // Long lines are measured first, and compared alike.
        let long = "The ferry left the harbour before dawn, and nobody saw it return with ";
        assert_eq!(plain(&format!("{long}12  men"), 100), Some(format!("{long}0 men")));
        assert_eq!(plain(&format!("{long}men"), 100), Some(format!("{long}men")));
    }

    #[test]
    fn width_is_measured_in_columns() {
        let (wide, narrow) = ("一".repeat(40), "a".repeat(80));
        assert!(plain(&wide, 80).is_some() && plain(&narrow, 80).is_some());
        assert_eq!(plain(&wide, 79), None);
        assert_eq!(plain(&narrow, 79), None);
    }

    #[test]
    fn a_text_is_its_lines_and_the_parts_of_the_wide_ones() {
        let wide = format!("{}\t责任编辑：某人", "渡船开了。".repeat(8));
        let text = format!("\n 首页 \r\n\n{wide}\n");
        let lines = Lines { mask_digits: true, near_equal: false, max_columns: 94 };
        let mut units = Vec::new();
        lines.each_unit(&Scan::of(&text), &mut Vec::new(), |unit, compared| {
            let compared = String::from_utf8(compared.to_vec()).unwrap();
            units.push((
                unit.line,
                text.get(unit.start..unit.end).unwrap(),
                unit.is_part,
                unit.key.map(|key| key.prose),
                compared,
            ));
        });
        let body = "渡船开了。".repeat(8);
        let expected = [
            (1, "首页", false, Some(0), "首页".to_owned()),
            // Too wide as a whole.
            (3, wide.as_str(), false, None, String::new()),
            (3, body.as_str(), true, Some(120), body.clone()),
            (3, "责任编辑：某人", true, Some(0), "责任编辑：某人".to_owned()),
        ];
        assert_eq!(units, expected);
    }

    #[test]
    fn groups_are_values_or_hosts() {
        for (value, group) in [
            (ValueRef::String(" Harbour Gazette "), Some("Harbour Gazette")),
            (ValueRef::String("https://user:pw@WWW.Example.org:8080/a?b#c"), Some("example.org")),
            (ValueRef::String("http://[::1]:80/"), Some("::1")),
            (ValueRef::String("http://[::1]/"), Some("::1")),
            (ValueRef::String("see a://b c"), Some("see a://b c")),
            (ValueRef::String("://x"), Some("://x")),
            (ValueRef::String("file:///a"), Some("file:///a")),
            (ValueRef::String(" "), None),
            (ValueRef::Null, None),
            (ValueRef::Integer(7), Some("7")),
        ] {
            assert_eq!(group_of(value).as_deref(), group, "{value:?}");
        }
    }
}
