//! Conditions in options: read, typed against what there is, and shown where they are wrong.

use std::collections::BTreeMap;
use std::ops::Range;

use tamis_expression::{Expression, Mistake, Name, Names};

use crate::check::{Mark, Meaning};
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::suggest::{closest, list};
use crate::text::{Place, TextKind};

/// Complains about conditions that are wrong whatever there is.
pub(crate) fn read(marks: &[Mark], diagnostics: &mut Diagnostics) {
    for mark in marks.iter().filter(|mark| mark.meaning == Meaning::Condition) {
        if let Err(mistake) = Expression::condition(&mark.value) {
            diagnostics.push(complaint(mark, &mistake));
        }
    }
}

/// What is wrong with a condition, given what there is.
pub(crate) fn check(mark: &Mark, names: &dyn Names) -> Vec<Diagnostic> {
    // One that cannot be read has been complained about.
    let mistakes = Expression::parse(&mark.value).map(|condition| condition.check_condition(names));
    mistakes.unwrap_or_default().iter().map(|mistake| complaint(mark, mistake)).collect()
}

/// What a condition compares fields with that these never are, or that stands for less than it seems to: a tag that is the
/// beginning of others (`zh` of `zh-Hans`) where none of these is asked for.
pub(crate) fn check_values(mark: &Mark, values: &BTreeMap<String, Vec<String>>) -> Vec<Diagnostic> {
    let Ok(condition) = Expression::parse(&mark.value) else { return Vec::new() };
    let compared = condition.compared();
    let complaint = |(name, text, span): &(&Name, &str, Range<usize>)| {
        let (Name::Field(field) | Name::Either(field)) = name else { return None };
        let known = values.get(field)?;
        let place = inside(&mark.place, &mark.value, span);
        let longer = |value: &str| value.strip_prefix(text).is_some_and(|rest| rest.starts_with('-'));
        if !known.iter().any(|value| value == text) {
            let message = format!("option `{}`: `{field}` is never `{text}`", mark.option);
            return Some(Diagnostic::error(&place, message).label(instead(text, known)));
        }
        let longer: Vec<&str> = known.iter().map(String::as_str).filter(|value| longer(value)).collect();
        if longer.is_empty() || compared.iter().any(|(_, other, _)| longer.contains(other)) {
            return None;
        }
        let message = format!("option `{}`: `{field}` may also be {}", mark.option, list(&longer));
        let label = format!("write `{field}.startsWith(\"{text}\")` for all of them");
        Some(Diagnostic::warning(&place, message).label(label))
    };
    compared.iter().filter_map(complaint).collect()
}

/// More values than this are not listed.
const MOST_LISTED: usize = 12;
/// Values of so few characters are near to many others by chance.
const SHORT: usize = 3;

/// What to write instead of a value that a field never has. Many values are tags of languages, which have other forms
/// elsewhere (`zh-CN`, `zho_Hans`, `eng`, `english`).
fn instead(text: &str, known: &[String]) -> String {
    let known = || known.iter().map(String::as_str);
    let folded = text.to_lowercase().replace('_', "-");
    let (first, rest) = folded.split_once('-').unwrap_or((&folded, ""));
    // Of three letters where there are two.
    let short = known().find(|value| *value == first || (value.len() == 2 && first.starts_with(*value)));
    if let Some(short) = short {
        let whole = known().find(|value| value.to_lowercase() == format!("{short}-{rest}"));
        let longer = known().filter(|value| value.split('-').next() == Some(short));
        return match whole {
            Some(whole) => format!("did you mean `{whole}`?"),
            None => match longer.collect::<Vec<_>>().as_slice() {
                [only] => format!("did you mean `{only}`?"),
                several => format!("it may be {}", list(several)),
            },
        };
    }
    match closest(text, known()).filter(|_| text.chars().count() > SHORT) {
        Some(near) => format!("did you mean `{near}`?"),
        None if known().count() > MOST_LISTED => {
            let first: Vec<&str> = known().take(MOST_LISTED).collect();
            format!("it is one of {} and {} more", list(&first), known().count() - MOST_LISTED)
        }
        None => format!("it is one of {}", list(&known().collect::<Vec<_>>())),
    }
}

/// What of a document, beside its metadata, a condition reads and may not be there.
pub(crate) fn parts_read(condition: &str) -> Vec<&'static str> {
    let Ok(condition) = Expression::parse(condition) else { return Vec::new() };
    let part = |name: &Name| match name {
        Name::Text => Some("text"),
        Name::Raw => Some("raw"),
        _ => None,
    };
    condition.names().into_iter().filter_map(part).collect()
}

/// The fields that a condition takes to be there; a name alone may be that of a measure.
pub(crate) fn fields_relied_on(condition: &str, is_measure: &dyn Fn(&str) -> bool) -> Vec<String> {
    let Ok(condition) = Expression::parse(condition) else { return Vec::new() };
    let field = |name: &Name| match name {
        Name::Field(name) => Some(name.clone()),
        Name::Either(name) if !is_measure(name) => Some(name.clone()),
        _ => None,
    };
    condition.names_relied_on().into_iter().filter_map(field).collect()
}

fn complaint(mark: &Mark, mistake: &Mistake) -> Diagnostic {
    let message = format!("option `{}`: {}", mark.option, mistake.message);
    Diagnostic::error(&inside(&mark.place, &mark.value, &mistake.span), message).label(mistake.help.as_str())
}

/// Where a part of a string is written; the whole of it where that cannot be told.
fn inside(place: &Place, value: &str, span: &Range<usize>) -> Place {
    let written = place.text.content.get(place.start..place.end).unwrap_or_default();
    let offsets = match place.text.kind {
        TextKind::File => offsets(written, value.len()),
        // On the command line a string may stand without quotes.
        TextKind::CommandLine | TextKind::Environment => offsets(written, value.len())
            .or_else(|| written.find(value).map(|start| (start..=start + value.len()).collect())),
    };
    let range = offsets.and_then(|offsets| Some(*offsets.get(span.start)?..*offsets.get(span.end)?));
    match range.filter(|range| !range.is_empty()) {
        Some(range) => place.text.at(place.start + range.start..place.start + range.end),
        None => place.clone(),
    }
}

/// For each byte of the value of a TOML string, and for its end, where that is written; `None` if it does not add up.
fn offsets(written: &str, length: usize) -> Option<Vec<usize>> {
    let quotes = ["\"\"\"", "'''", "\"", "'"].into_iter().find(|quotes| written.starts_with(quotes))?;
    let inner = written.strip_prefix(quotes)?.strip_suffix(quotes)?;
    let is_multi_line = quotes.len() == 3;
    let first_break = ["\r\n", "\n"].into_iter().find(|end| is_multi_line && inner.starts_with(end));
    let skipped = first_break.map_or(0, str::len);
    let mut offsets = Vec::with_capacity(length + 1);
    let mut chars = inner.char_indices().skip_while(|(at, _)| *at < skipped).peekable();
    while let Some((at, c)) = chars.next() {
        let at = quotes.len() + at;
        // A line break of two characters is one in the value.
        let is_half = c == '\r' && chars.peek().is_some_and(|(_, next)| *next == '\n');
        if is_half {
            continue;
        }
        if c != '\\' || quotes.starts_with('\'') {
            offsets.extend(std::iter::repeat_n(at, c.len_utf8()));
            continue;
        }
        let (_, letter) = chars.next()?;
        let n_digits = match letter {
            'x' => 2,
            'u' => 4,
            'U' => 8,
            // A backslash at the end of a line takes the white space behind it along.
            blank if blank.is_whitespace() => {
                while chars.next_if(|(_, c)| c.is_whitespace()).is_some() {}
                continue;
            }
            _ => 0,
        };
        let digits: String = chars.by_ref().take(n_digits).map(|(_, c)| c).collect();
        let code = u32::from_str_radix(&digits, 16).ok().and_then(char::from_u32);
        offsets.extend(std::iter::repeat_n(at, code.map_or(1, char::len_utf8)));
    }
    offsets.push(quotes.len() + inner.len());
    (offsets.len() == length + 1).then_some(offsets)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_of_a_value_is_found_as_it_is_written() {
        for (written, value, part) in [
            ("'a == 1'", "a == 1", "== 1"),
            ("\"a == \\\"x\\\"\"", "a == \"x\"", "\\\"x\\\""),
            ("'''\na ==\n 标题'''", "a ==\n 标题", "标题"),
            ("\"\"\"\\\n   a == b\"\"\"", "a == b", "b"),
            ("\"\\u6807 == b\"", "标 == b", "b"),
        ] {
            let found = offsets(written, value.len()).expect(written);
            let plain = part.replace("\\\"", "\"");
            let start = value.find(&plain).expect(part);
            let range = found[start]..found[start + plain.len()];
            assert_eq!(written.get(range), Some(part), "{written}");
        }
        assert_eq!(offsets("'abc'", 4), None);
        assert_eq!(offsets("bare", 4), None);
    }
}
