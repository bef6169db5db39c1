//! Who wrote a page: labelled names, reporters, signatures.

use std::ops::Range;

use super::evidence::{Evidence, confidence, spaced};
use super::labels::{Label, Labels};
use super::names::{chinese_names, is_chinese_name, latin_names};
use super::page::{Line, Page, is_code, is_space};

/// A score at which a name is as often that of the author as not.
const EVEN: f64 = 2.0;
/// A byline stands within so many bytes behind the title or around the date.
const NEAR_BYTES: usize = 1500;
/// Columns of a pen name.
const MAX_PEN_NAME: usize = 24;
/// Columns of a line that is a byline and no sentence.
const MAX_LINE: usize = 100;
/// A signature stands among so many lines at the end of the page.
const LAST_LINES: usize = 60;

/// The longest name in the data of a page.
pub(super) const MAX_JSON_BYTES: usize = 120;

/// What is known about the page when bylines are looked for, in bytes.
#[derive(Debug, Default)]
pub(super) struct Places {
    /// Where the title stands.
    pub(super) titles: Vec<Range<usize>>,
    /// Where the date stands.
    pub(super) date: Option<Range<usize>>,
}

impl Places {
    /// How close a byline at byte `at` is to title and date.
    fn weight(&self, at: usize) -> f64 {
        let behind = |title: &Range<usize>| at >= title.end && at - title.end < NEAR_BYTES;
        let around = |date: &Range<usize>| at.abs_diff(date.start) < NEAR_BYTES / 2;
        let lowest = self.titles.iter().map(|title| title.start).max();
        if self.titles.iter().any(behind) || self.date.as_ref().is_some_and(around) {
            1.5
        } else if lowest.is_some_and(|title| at < title) {
            -1.0
        } else {
            0.5
        }
    }
}

#[derive(Debug)]
struct Candidate<'a> {
    text: &'a str,
    range: Range<usize>,
    score: f64,
    rule: &'static str,
}

/// The author or the authors, if one of the names on the page is clearly theirs.
pub(super) fn choose(page: Page<'_>, labels: &Labels, places: &Places) -> Option<Evidence> {
    let mut candidates: Vec<Candidate<'_>> = labels
        .found
        .iter()
        .filter_map(|(label, range)| labelled(page, *label, range))
        .chain(places.titles.iter().filter_map(|title| below_title(page, title)))
        .map(|(range, score, rule)| {
            let score = score + places.weight(range.start);
            Candidate { text: page.slice(range.clone()), range, score, rule }
        })
        .collect();
    if candidates.iter().all(|candidate| candidate.score < EVEN) {
        candidates.extend(signature(page, places));
    }
    // Stable: of equal ones the first on the page.
    candidates.sort_by(|a, b| b.score.total_cmp(&a.score));
    let best = candidates.first()?;
    let rival = candidates.iter().find(|other| !related(other.text, best.text));
    let margin = rival.map_or(f64::INFINITY, |rival| best.score - rival.score);
    Some(Evidence {
        value: spaced(best.text),
        raw: None,
        range: best.range.clone(),
        rule: best.rule,
        confidence: confidence(best.score - EVEN, margin),
    })
}

/// Whether one list of names holds the other.
fn related(a: &str, b: &str) -> bool {
    let names = |text: &str| text.split(|c| is_space(c) || c == '、').map(str::to_owned).collect::<Vec<_>>();
    let (a, b) = (names(a), names(b));
    a.iter().any(|name| b.contains(name))
}

type Found = (Range<usize>, f64, &'static str);

fn labelled(page: Page<'_>, label: Label, range: &Range<usize>) -> Option<Found> {
    match label {
        Label::Author => after_label(page, range).map(|range| (range, 3.0, "author-label")),
        Label::Writer => writer(page, range).map(|range| (range, 2.5, "author-label")),
        Label::Reporter => reporter(page, range).map(|range| (range, 2.0, "reporter")),
        Label::By => by(page, range).map(|range| (range, 1.4, "by")),
        Label::PostedBy => posted_by(page, range).map(|range| (range, 2.5, "posted-by")),
        Label::KoreanReporter => korean(page, range).map(|range| (range, 2.0, "reporter")),
        Label::JsonAuthor => {
            json_string(page, range.end, MAX_JSON_BYTES).map(|range| (range, 4.0, "json-ld"))
        }
        _ => None,
    }
}

/// A string of JSON from byte `start` to its end, unless it is empty, longer than `max_bytes`, or escaped.
pub(super) fn json_string(page: Page<'_>, start: usize, max_bytes: usize) -> Option<Range<usize>> {
    let rest = page.window(start, max_bytes);
    let end = rest.find('"').filter(|end| *end > 0)?;
    (!rest.get(..end)?.contains('\\')).then_some(start..start + end)
}

/// `作者：张三`, or the name on the next line; a colon is needed, because 作者 stands in sentences, too.
fn after_label(page: Page<'_>, label: &Range<usize>) -> Option<Range<usize>> {
    let line = page.line_at(label.start);
    // 相关作者：, 原作者：, 本文作者, but not in the middle of a sentence.
    let before = page.slice(line.start..label.start);
    if before.chars().rev().take_while(|c| c.is_alphanumeric()).count() > 4 {
        return None;
    }
    let rest = page.slice(label.end..line.end());
    let behind = rest.trim_start_matches(is_space);
    let colon = behind.chars().next().filter(|c| matches!(c, ':' | '：' | '/' | '｜' | '|'))?;
    let start = line.end() - behind.len() + colon.len_utf8();
    let same_line = page.slice(start..line.end()).trim_start_matches(is_space);
    if same_line.is_empty() {
        let next = page.next(line)?;
        return pen_name(next.text, next.start).filter(|range| range.end == next.end());
    }
    pen_name(same_line, line.end() - same_line.len())
}

/// The name at the beginning of `text`: people's names, or one word that may be a pen name.
///
/// What has a colon behind it is the next label, and the one before it stands there for nobody: `作者： 发布时间：…`.
fn pen_name(text: &str, start: usize) -> Option<Range<usize>> {
    let range = name_at_start(text, start)?;
    let behind = text.get(range.end - start..)?.trim_start_matches(is_space);
    (!behind.starts_with([':', '：'])).then_some(range)
}

fn name_at_start(text: &str, start: usize) -> Option<Range<usize>> {
    let at = |range: Range<usize>| start + range.start..start + range.end;
    if let Some(range) = chinese_names(text)
        && text.get(range.end..)?.chars().next().is_none_or(|c| !c.is_alphanumeric())
    {
        return Some(at(range));
    }
    if text.starts_with(char::is_uppercase)
        && let Some(range) = latin_names(text)
    {
        return Some(at(range));
    }
    let end = text.find(|c| is_space(c) || "|｜()（）[]【】，,。；;：:/<>".contains(c)).unwrap_or(text.len());
    let word = text.get(..end)?;
    let width = tamis_text::chars::text_width(word);
    // Who is not named, and papers and desks, which the source is.
    let is_person = !["未知", "佚名", "不详", "网络", "admin"].contains(&word)
        && !word.contains("记者")
        && !["报", "网", "社", "部", "号"].iter().any(|end| word.ends_with(end));
    let plain =
        is_person && !word.contains(['=', '"', '{', '}', '$', '\\']) && word.chars().any(char::is_alphabetic);
    ((2..=MAX_PEN_NAME).contains(&width) && plain && !is_code(text)).then(|| at(0..end))
}

/// `文/张三`, at the beginning of a line or behind a blank or a bracket; not 中文/英文.
fn writer(page: Page<'_>, label: &Range<usize>) -> Option<Range<usize>> {
    let line = page.line_at(label.start);
    let before = page.slice(line.start..label.start).chars().next_back();
    if before.is_some_and(|c| !is_space(c) && !matches!(c, '（' | '(' | '【' | '■' | '□' | '◎' | '●'))
    {
        return None;
    }
    let rest = page.slice(label.end..line.end());
    let names = chinese_names(rest).filter(|range| ends_there(rest, range.end));
    let word = || {
        let word = rest.trim_matches(is_space);
        let short = (2..=6).contains(&word.chars().count()) && word.chars().all(tamis_text::chars::is_han);
        short.then(|| {
            rest.len() - rest.trim_start_matches(is_space).len()..rest.trim_end_matches(is_space).len()
        })
    };
    let range = names.or_else(word)?;
    Some(label.end + range.start..label.end + range.end)
}

/// Whether a list of names is over: the line ends, or something that is no text follows.
fn ends_there(rest: &str, end: usize) -> bool {
    let behind = rest.get(end..).unwrap_or_default();
    let next = behind.trim_start_matches(is_space);
    next.is_empty()
        || behind.starts_with("  ")
        || next.starts_with(['）', ')', '】', '|', '｜', '/', '／', '图', '编'])
}

/// `记者 张三 李四` where it cannot be a part of a sentence: in brackets, on a line of its own, before 报道.
fn reporter(page: Page<'_>, label: &Range<usize>) -> Option<Range<usize>> {
    let line = page.line_at(label.start);
    let rest = page.slice(label.end..line.end());
    let range = chinese_names(rest).or_else(|| bracketed_name(rest))?;
    let behind = rest.get(range.end..)?;
    let next = behind.trim_start_matches(is_space);
    // The photographer has a credit of his own.
    if next.starts_with(['摄', '攝', '图']) {
        return None;
    }
    let ends = next.starts_with(['）', ')', '】', '/', '／'])
        || BEHIND_REPORTERS.iter().any(|word| next.starts_with(word));
    let place = next.ends_with("报道") && next.chars().count() <= 12;
    let gap = next.is_empty() || behind.starts_with("   ") || behind.starts_with("\u{3000}\u{3000}");
    let alone = gap && before_is_short(page, line, label.start);
    (ends || place || alone).then_some(label.end + range.start..label.end + range.end)
}

/// Words behind the names of reporters.
const BEHIND_REPORTERS: [&str; 14] = [
    "报道",
    "文",
    "整理",
    "发自",
    "综合",
    "素材",
    "来源",
    "编辑",
    "责编",
    "责任编辑",
    "通讯员",
    "实习生",
    "校对",
    "制图",
];

/// A name that no list of family names holds, between a blank and a closing bracket: `记者 格桑）`.
fn bracketed_name(rest: &str) -> Option<Range<usize>> {
    let name = rest.trim_start_matches(|c| is_space(c) || matches!(c, ':' | '：'));
    let start = rest.len() - name.len();
    let end = name.find(['）', ')'])?;
    let word = name.get(..end)?;
    let fits = (2..=6).contains(&word.chars().count())
        && word.chars().all(|c| tamis_text::chars::is_han(c) || c == '·');
    (start > 0 && fits).then_some(start..start + end)
}

/// What stands before 记者 in its sentence is the name of a paper, and short.
fn before_is_short(page: Page<'_>, line: Line<'_>, at: usize) -> bool {
    let before = page.slice(line.start..at);
    let sentence = before
        .rfind(['。', '！', '？', '”', '）'])
        .map_or(before, |end| before.get(end..).unwrap_or_default());
    sentence.chars().count() <= 24
}

/// `By Ann Miller` or `Posted by Ann Miller on …` at the beginning of a short line.
fn by(page: Page<'_>, label: &Range<usize>) -> Option<Range<usize>> {
    let line = page.line_at(label.start);
    let before = page.slice(line.start..label.start);
    if !["", "Posted ", "Written ", "Story ", "Words "].contains(&before) || line.width() > MAX_LINE {
        return None;
    }
    let rest = page.slice(label.end..line.end());
    let range = latin_names(rest)?;
    let behind = rest.get(range.end..)?.trim_start_matches(is_space);
    let ends = behind.is_empty()
        || behind.starts_with(['|', ',', '(', '/', '-', '–', '—', '•', '·'])
        || ["on ", "at "].iter().any(|word| behind.starts_with(word));
    let n_words = rest.get(range.clone())?.split_whitespace().count();
    (ends && n_words >= 2).then_some(label.end + range.start..label.end + range.end)
}

/// `由某某张贴`.
fn posted_by(page: Page<'_>, label: &Range<usize>) -> Option<Range<usize>> {
    let line = page.line_at(label.start);
    let before = page.slice(line.start..label.start);
    let name = before.strip_prefix('由')?.trim_matches(is_space);
    let start = line.start + before.rfind(name)?;
    (!name.is_empty() && name.chars().count() <= 16).then_some(start..start + name.len())
}

/// `박상우 기자` at the beginning of a short line.
fn korean(page: Page<'_>, label: &Range<usize>) -> Option<Range<usize>> {
    let line = page.line_at(label.start);
    let name = page.slice(line.start..label.start).trim_end_matches(is_space);
    let fits = (2..=4).contains(&name.chars().count()) && name.chars().all(tamis_text::chars::is_hangul);
    (fits && line.width() <= MAX_LINE).then_some(line.start..line.start + name.len())
}

/// A line right below the title that is nothing but a name.
fn below_title(page: Page<'_>, title: &Range<usize>) -> Option<Found> {
    let next = page.next(page.line_at(title.start))?;
    is_chinese_name(next.text).then_some((next.range(), 1.5, "below-title"))
}

/// A last line that is nothing but a name in brackets: `（张三）`.
fn signature<'a>(page: Page<'a>, places: &Places) -> Option<Candidate<'a>> {
    let last = page.line_at(page.text.len());
    let line = std::iter::once(last)
        .chain(page.before(last))
        .take(LAST_LINES)
        .find(|line| name_in_brackets(line.text).is_some())?;
    let name = name_in_brackets(line.text)?;
    let start = line.start + line.text.find(name)?;
    let behind_title = places.titles.iter().any(|title| title.end < start);
    behind_title.then_some(Candidate {
        text: name,
        range: start..start + name.len(),
        score: 3.0,
        rule: "signature",
    })
}

fn name_in_brackets(line: &str) -> Option<&str> {
    let name = line.strip_prefix(['（', '('])?.strip_suffix(['）', ')'])?.trim_matches(is_space);
    let name = name.strip_prefix("作者").map_or(name, |name| name.trim_start_matches([':', '：', ' ']));
    is_chinese_name(name).then_some(name)
}
