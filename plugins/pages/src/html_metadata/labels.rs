//! Labels of dates: 发布时间, `Published on`, `wurde am … aktualisiert`.

use std::borrow::Cow;
use std::ops::RangeInclusive;

use tamis_dates::labels::{DateOf, is_plain_label, label_at_end};
use tamis_dates::{Located, dates};

use super::options::Field;

/// A label and its words do not reach further from a date, bytes.
const LABEL_BYTES: usize = 80;

/// Words that label a date where nothing of their line stands before them, besides those for dates of any kind.
const ALONE: [&str; 3] = ["on", "am", "le"];

/// Words between a label and its date, with the blank before them.
const PREPOSITIONS: &[&str] = &[
    "on", "at", "in", "am", "den", "der", "vom", "um", "le", "el", "em", "il", "la", "op", "the", "в",
    "dnia", "på", "of", "de", "a", "à", "date", "the", "it",
];

/// Words between a label and the name of an author.
const BEFORE_NAMES: &[&str] = &[" by ", " von ", " par ", " por ", " da ", " door "];

/// What stands behind a date that it labels: `wurde am 19. Mai 2010 um 23:03 Uhr gepostet`, `2018-09-13 发布`.
const LABELS_BEHIND: &[(&str, Field)] = &[
    ("veröffentlicht", Field::Published),
    ("gepostet", Field::Published),
    ("publiziert", Field::Published),
    ("geschrieben", Field::Published),
    ("eingestellt", Field::Published),
    ("发布", Field::Published),
    ("发表", Field::Published),
    ("發布", Field::Published),
    ("發佈", Field::Published),
    ("發表", Field::Published),
    ("刊登", Field::Published),
    ("公開", Field::Published),
    ("投稿", Field::Published),
    ("작성", Field::Published),
    ("掲載", Field::Published),
    ("입력", Field::Published),
    ("geändert", Field::Modified),
    ("aktualisiert", Field::Modified),
    ("bearbeitet", Field::Modified),
    ("更新", Field::Modified),
    ("修改", Field::Modified),
    ("수정", Field::Modified),
];

/// The dates of a line, with what their labels say.
pub(super) fn labelled(text: &str) -> Vec<(Located, Option<Field>)> {
    let all: Vec<Located> = dates(text).collect();
    let before = |located: &Located| label_before(text.get(..located.range().start).unwrap_or_default());
    let behind = |located: &Located| label_behind(text.get(located.range().end..).unwrap_or_default());
    let (first, last) = (all.first().and_then(before), all.last().and_then(behind));
    // `2018-09-13 发布 2018-09-15 更新`: where labels stand behind dates, what is before one is that of another.
    let are_behind = first.is_none() && last.is_some();
    let label = |located: &Located| {
        let own = |field| {
            let is_next = label_is_next(text.get(located.range().end..).unwrap_or_default());
            Some(field).filter(|_| !is_next)
        };
        if are_behind { behind(located) } else { before(located).or_else(|| behind(located).and_then(own)) }
    };
    let labels: Vec<Option<Field>> = all.iter().map(label).collect();
    all.into_iter().zip(labels).collect()
}

/// A line whose date is written as its region writes it, with digits of our own and the name of the era that a short form
/// stands for; nearly all lines as they are.
pub(super) fn read_as_shown(line: &str) -> Cow<'_, str> {
    let line = with_our_digits(line);
    match with_eras(&line) {
        Some(whole) => Cow::Owned(whole),
        None => line,
    }
}

/// Digits of Arabic, Persian and Indian scripts as ours. They are not looked for in lines without the first byte of one.
fn with_our_digits(line: &str) -> Cow<'_, str> {
    /// The zero of each script.
    const ZEROS: [u32; 4] = [0x660, 0x6F0, 0x966, 0x9E6];
    let digit = |c: char| {
        ZEROS
            .iter()
            .find_map(|zero| char::from_digit(u32::from(c).checked_sub(*zero).filter(|it| *it < 10)?, 10))
    };
    if memchr::memchr3(0xD9, 0xDB, 0xE0, line.as_bytes()).is_none() || !line.contains(|c| digit(c).is_some())
    {
        return Cow::Borrowed(line);
    }
    Cow::Owned(line.chars().map(|c| digit(c).unwrap_or(c)).collect())
}

/// Dates in numbers with the year of an era, in the form that dates are found in: `民國107/09/13`, and where a label stands
/// before it `掲載日 H30.9.13`, a year of Heisei, or `發布日期：107-09-13`, one of the republic, as the authorities of
/// Taiwan have it. Without a label such numbers may be anything.
fn with_eras(line: &str) -> Option<String> {
    // Most lines with digits have no era, and nothing is copied of them.
    let (mut out, mut copied, mut at) = (String::new(), 0, 0);
    while let Some(found) = line.get(at..)?.find(|c: char| c.is_ascii_digit()) {
        let (before, date) = line.get(at..)?.split_at_checked(found)?;
        if let Some((whole, behind)) = with_era(before, date) {
            out.push_str(line.get(copied..at)?);
            out.push_str(&whole);
            copied = line.len() - behind.len();
            at = copied;
        } else {
            at += found + date.find(|c: char| !c.is_ascii_digit()).unwrap_or(date.len());
        }
    }
    out.push_str(line.get(copied..).filter(|_| copied > 0)?);
    Some(out)
}

/// A date of an era with what stands before it, and what stands behind it.
fn with_era<'t>(before: &str, date: &'t str) -> Option<(String, &'t str)> {
    const ERAS: [(&str, &str); 6] =
        [("民國", "民國"), ("令和", "令和"), ("平成", "平成"), ("R", "令和"), ("H", "平成"), ("S", "昭和")];
    let (year, rest) = number(date, 1..=3)?;
    let (month, rest) = number(rest.strip_prefix(['.', '-', '/'])?, 1..=2)?;
    let (day, rest) = number(rest.strip_prefix(['.', '-', '/'])?, 1..=2)?;
    let is_labelled = |before: &str| n_cjk(before) > 0 && label_before(before).is_some();
    let named = ERAS.iter().find_map(|(shown, era)| Some((before.strip_suffix(shown)?, *shown, *era)));
    let (label, era) = match named {
        Some((label, shown, era)) if shown == era || is_labelled(label) => (label, era),
        None if year.len() == 3 && year.starts_with('1') && is_labelled(before) => (before, "民國"),
        _ => return None,
    };
    Some((format!("{label}{era}{year}年{month}月{day}日"), rest))
}

/// The number that a text begins with, of so many digits, and what stands behind it.
fn number(text: &str, n_digits: RangeInclusive<usize>) -> Option<(&str, &str)> {
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    text.split_at_checked(end).filter(|_| n_digits.contains(&end))
}

/// What the label that a text ends with says about a date behind it.
pub(super) fn label_before(before: &str) -> Option<Field> {
    let mut start = before.len().saturating_sub(LABEL_BYTES);
    while !before.is_char_boundary(start) {
        start += 1;
    }
    let lower = before.get(start..)?.to_lowercase();
    let marks: &[char] =
        &[' ', '\u{A0}', '\u{3000}', ':', '：', '|', '(', '（', '[', '【', '-', '–', '—', ',', '>'];
    let mut rest = lower.trim_end_matches(marks);
    if let Some(field) = BEFORE_NAMES.iter().find_map(|by| before_name(rest, by)) {
        return Some(field);
    }
    loop {
        if let Some(field) = ending(rest) {
            return Some(field);
        }
        let alone = rest.trim_start_matches(marks);
        if is_plain_label(alone) || ALONE.contains(&alone) {
            return Some(Field::Published);
        }
        let shorter = PREPOSITIONS.iter().find_map(|word| {
            rest.strip_suffix(word).filter(|before| before.is_empty() || before.ends_with([' ', '\u{A0}']))
        });
        let cjk = || rest.strip_suffix(['于', '於', '在']);
        rest = shorter.or_else(cjk)?.trim_end_matches(marks);
    }
}

/// The label before a name: `Submitted by Ann Gray on`.
fn before_name(text: &str, by: &str) -> Option<Field> {
    const MOST_WORDS: usize = 5;
    let (label, name) = text.rsplit_once(by)?;
    if name.split_whitespace().count() > MOST_WORDS { None } else { ending(label) }
}

/// Whether a text begins with a label, as `Posted on 3 May and filed under Ferries.` does.
pub(super) fn begins_with_label(text: &str) -> bool {
    tamis_dates::labels::begins_with_label(&window(text).to_lowercase())
}

/// What the label says that a text in lower case ends with.
fn ending(text: &str) -> Option<Field> {
    label_at_end(text).map(|of| match of {
        DateOf::Publication => Field::Published,
        DateOf::Change => Field::Modified,
    })
}

/// What the label that a text begins with says about a date before it.
fn label_behind(behind: &str) -> Option<Field> {
    let behind = window(behind);
    let part = behind.split(['.', ';', '|', '·']).next().unwrap_or_default().to_lowercase();
    let word = |(label, _): &&(&str, Field)| {
        let before = part.find(label).and_then(|at| part.get(..at));
        before.is_some_and(|before| !before.ends_with(char::is_alphanumeric))
    };
    if let Some((_, field)) = LABELS_BEHIND.iter().filter(|(label, _)| n_cjk(label) == 0).find(word) {
        return Some(*field);
    }
    let (label, field) =
        LABELS_BEHIND.iter().find(|(label, _)| n_cjk(label) > 0 && behind.starts_with(label))?;
    let rest = behind.get(label.len()..).unwrap_or_default();
    // `2018-09-13 发布时间：` is the label of what follows.
    let is_next =
        rest.trim_start_matches(['时', '時', '间', '間', '日', '期', '于']).starts_with([':', '：']);
    (!is_next).then_some(*field)
}

/// Whether the label behind a date has another date behind it, whose label it is: `12. Mai, aktualisiert am 13. Mai`.
fn label_is_next(behind: &str) -> bool {
    dates(window(behind)).next().is_some()
}

/// What may be a label behind a date: `um 23:03 Uhr gepostet`, and what is left of it when the clock of the system is
/// broken.
fn window(behind: &str) -> &str {
    let marks = |c: char| c.is_whitespace() || matches!(c, ')' | '）' | ']' | '】' | ',' | 'に');
    let behind = behind.trim_start_matches(marks);
    let mut end = behind.len().min(LABEL_BYTES / 2);
    while !behind.is_char_boundary(end) {
        end -= 1;
    }
    behind.get(..end).unwrap_or_default()
}

fn n_cjk(text: &str) -> usize {
    text.chars().filter(|c| tamis_text::chars::is_cjk(*c)).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_and_eras_of_a_region_are_read() {
        for (line, expected) in [
            ("發布日期：107-09-13", "發布日期：民國107年09月13日"),
            ("張貼日期：107/09/13 10:20", "張貼日期：民國107年09月13日 10:20"),
            ("民國107.9.13", "民國107年9月13日"),
            ("掲載日 H30.9.13", "掲載日 平成30年9月13日"),
            ("更新日：R5.9.13", "更新日：令和5年9月13日"),
            ("تاريخ النشر: ١٣ سبتمبر ٢٠١٨", "تاريخ النشر: 13 سبتمبر 2018"),
            (
                "更新日期：107-10-01　發布日期：107-09-13",
                "更新日期：民國107年10月01日　發布日期：民國107年09月13日",
            ),
            // Numbers of other things.
            ("電話：107-09-13", "電話：107-09-13"),
            ("version 107.9.13", "version 107.9.13"),
            ("Published R5.9.13", "Published R5.9.13"),
            ("發布日期：2018-09-13", "發布日期：2018-09-13"),
        ] {
            assert_eq!(read_as_shown(line), expected, "{line}");
        }
    }

    #[test]
    fn labels_say_which_date_is_meant() {
        let (published, modified) = (Some(Field::Published), Some(Field::Modified));
        for (text, expected) in [
            ("发布时间：2018-09-13 10:20", vec![published]),
            ("Published on Thursday, 13 September 2018", vec![published]),
            ("Veröffentlicht am 13. September 2018, 14:09", vec![published]),
            ("Updated on 14 September 2018 · First published 3 February 2017", vec![modified, published]),
            ("Written: 2018-09-13 15:03:30 / Updated: 2018-09-14 15:30:46", vec![published, modified]),
            ("2018-09-13 发布 2018-09-15 更新", vec![published, modified]),
            ("2018-09-13 更新于 2018-09-15", vec![None, modified]),
            ("13. Mai 2018, aktualisiert am 14. Mai 2018", vec![None, modified]),
            ("wurde am 13. Mai 2018 um 23:03 Uhr gepostet und unter", vec![published]),
            ("Diese Seite wurde zuletzt am 13. Mai 2018 geändert", vec![modified]),
            ("(last edited 2018-09-13 13:28:18 by", vec![modified]),
            ("Submitted by Ann Gray on 13 September 2018 - 18:55", vec![published]),
            ("Gespeichert von ann am 13. Juli 2018 - 18:55", vec![published]),
            ("时间：2018-09-13", vec![published]),
            ("活动时间：2018-09-13", vec![None]),
            ("Date: 13 September 2018", vec![published]),
            ("Start date: 13 September 2018", vec![None]),
            ("republished 13 September 2018", vec![None]),
            ("2018-09-13 发布时间：今天", vec![None]),
        ] {
            let labels: Vec<_> = labelled(text).into_iter().map(|(_, label)| label).collect();
            assert_eq!(labels, expected, "{text}");
        }
    }
}
