//! Where a page took its text from, and who runs the site.

use std::ops::Range;

use super::bylines::{MAX_JSON_BYTES, json_string};
use super::evidence::Evidence;
use super::labels::{Label, Labels};
use super::page::{Line, Page, is_code, is_space};
use super::quality::ends_like_a_site;
use super::repeated::Repeated;

/// A labelled source within so many bytes of title or date is that of the article.
const NEAR_BYTES: usize = 1000;
/// Columns of the name of a paper, a site, an agency.
const MAX_NAME: usize = 40;
/// Bytes in which the end of a name is looked for: it has 160 at most, some blanks and marks behind it.
const NAME_BYTES: usize = 400;

/// What may stand before 来源 when the article is meant; 图片来源, 资金来源 and the like are something else.
const BEFORE: [&str; 8] = ["文章", "稿件", "信息", "内容", "本文", "新闻", "原文", "稿源"];
/// Words that say that there is a source and not which.
const NO_NAMES: [&str; 12] = [
    "转载文章",
    "网络",
    "互联网",
    "转载",
    "本站",
    "原创",
    "未知",
    "本站原创",
    "网络整理",
    "网络转载",
    "综合",
    "其他",
];
/// Words behind the name of the source.
const NEXT_LABELS: [&str; 16] = [
    "作者",
    "编辑",
    "责任编辑",
    "责编",
    "发布",
    "日期",
    "时间",
    "分享",
    "字号",
    "点击",
    "浏览",
    "阅读",
    "评论",
    "我要",
    "打印",
    "字体",
];

/// The labelled source that is closest to title or date.
pub(super) fn choose(page: Page<'_>, labels: &Labels, places: &[Range<usize>]) -> Option<Evidence> {
    let mut found: Vec<(usize, Range<usize>)> = labels
        .of_kind(Label::Source)
        .filter_map(|label| Some((distance(&label, places), name_behind(page, &label)?)))
        .collect();
    found.sort_by_key(|(distance, range)| (*distance, range.start));
    let (distance, range) = found.into_iter().next()?;
    let value = page.slice(range.clone()).to_owned();
    let confidence = if distance < NEAR_BYTES { 0.9 } else { 0.4 };
    Some(Evidence { value, raw: None, range, rule: "source-label", confidence })
}

fn distance(label: &Range<usize>, places: &[Range<usize>]) -> usize {
    let to = |place: &Range<usize>| {
        if label.start >= place.end { label.start - place.end } else { place.start.saturating_sub(label.end) }
    };
    places.iter().map(to).min().unwrap_or(usize::MAX)
}

fn name_behind(page: Page<'_>, label: &Range<usize>) -> Option<Range<usize>> {
    let line = page.line_at(label.start);
    let before = page.slice(line.start..label.start);
    let fits = before.chars().next_back().is_none_or(|c| !c.is_alphabetic() || matches!(c, '日'))
        || BEFORE.iter().any(|word| before.ends_with(word));
    if !fits {
        return None;
    }
    // `Source:` holds its colon.
    let rest = page.slice(label.end..line.end());
    let behind = rest.trim_start_matches(is_space);
    let marked = page.slice(label.clone()).ends_with(':')
        || behind.starts_with([':', '：', '于', '於', '丨', '|', '｜']);
    if !marked {
        return None;
    }
    let name = behind.trim_start_matches(|c| {
        is_space(c) || matches!(c, ':' | '：' | '于' | '於' | '丨' | '|' | '｜' | '[' | '【')
    });
    if name.is_empty() {
        let next = page.next(line)?;
        return name_at(next.text, next.start).filter(|range| range.end == next.end());
    }
    name_at(name, line.end() - name.len())
}

/// The name at the beginning of `text`, up to a gap, a mark or the next label.
fn name_at(text: &str, start: usize) -> Option<Range<usize>> {
    // Twenty searches over the rest of the line would be made for each label of a long one.
    let text = text.get(..text.floor_char_boundary(NAME_BYTES)).unwrap_or(text);
    let mut end = text.find(|c| {
        matches!(
            c,
            '|' | '｜' | '】' | ']' | '）' | ')' | '，' | '。' | '；' | ';' | '　' | '\t' | '\u{A0}' | '<'
        )
    });
    for gap in ["  ", " 20", " 19"] {
        end = end.into_iter().chain(text.find(gap)).min();
    }
    let mut name = text.get(..end.unwrap_or(text.len()))?;
    for label in NEXT_LABELS {
        name = name.split_once(label).map_or(name, |(name, _)| name);
    }
    // `某某网57人参与`: the counter of the page is glued to the name.
    if let Some(unit) = ["人参与", "人评论", "条评论", "次浏览"].iter().find_map(|unit| name.find(unit))
    {
        name = name.get(..unit)?.trim_end_matches(|c: char| c.is_ascii_digit());
    }
    let name = name.trim_end_matches(|c| is_space(c) || matches!(c, ':' | '：' | '/'));
    let width = tamis_text::chars::text_width(name);
    let fits = (3..=MAX_NAME).contains(&width)
        && name.chars().any(char::is_alphabetic)
        && !is_code(name)
        && !name.contains(['"', '=', '？', '！'])
        && !NO_NAMES.contains(&name)
        && tamis_dates::dates(name).next().is_none();
    fits.then(|| start..start + name.len())
}

/// The name of the site: from the data of the page, or from what the first line shows beside the title.
pub(super) fn publisher(
    page: Page<'_>,
    labels: &Labels,
    repeated: Option<&Repeated<'_>>,
) -> Option<Evidence> {
    if let Some(range) =
        labels.of_kind(Label::JsonPublisher).find_map(|label| json_string(page, label.end, MAX_JSON_BYTES))
    {
        let value = page.slice(range.clone()).to_owned();
        return Some(Evidence { value, raw: None, range, rule: "json-ld", confidence: 0.9 });
    }
    let site = repeated?.site.clone()?;
    let line = page.line_at(site.start).with(page.slice(site.clone()), site.start);
    let (range, confidence) = site_name(line)?;
    let value = page.slice(range.clone()).to_owned();
    Some(Evidence { value, raw: None, range, rule: "title-suffix", confidence })
}

/// Which of `频道_网站`, `Blog - Site` is the site.
fn site_name(line: Line<'_>) -> Option<(Range<usize>, f64)> {
    let mut parts: Vec<Range<usize>> = Vec::new();
    let mut start = 0;
    for (at, mark) in line.text.match_indices(['_', '|', '｜']).chain(line.text.match_indices(" - ")) {
        parts.push(start..at);
        start = at + mark.len();
    }
    parts.push(start.min(line.text.len())..line.text.len());
    let text = |part: &Range<usize>| line.text.get(part.clone()).unwrap_or_default().trim_matches(is_space);
    let fits = |part: &&Range<usize>| {
        (2..=MAX_NAME).contains(&tamis_text::chars::text_width(text(part)))
            && !text(part).starts_with(['(', '（', '['])
    };
    let known = parts.iter().rev().find(|part| ends_like_a_site(text(part)));
    let (part, confidence) = match (known.filter(fits), parts.as_slice()) {
        (Some(part), _) => (part, 0.85),
        (None, [part]) if fits(&part) => (part, 0.7),
        // In English the site comes last.
        (None, [.., part]) if line.text.is_ascii() && fits(&part) => (part, 0.7),
        _ => return None,
    };
    let name = text(part);
    let start = line.start + part.start + line.text.get(part.clone())?.find(name)?;
    Some((start..start + name.len(), confidence))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_found_whatever_follows_it() {
        let rest = "后面还有很长的一行文字，".repeat(100);
        for (text, name) in [
            ("港口晚报 作者：某人", Some("港口晚报")),
            ("港口晚报  ", Some("港口晚报")),
            ("港口晚报57人参与", Some("港口晚报")),
            ("港口晚报2024", Some("港口晚报2024")),
            ("没有这样长的名字没有这样长的名字没有这样长的名字", None),
        ] {
            for (text, name) in [(text.to_owned(), name), (format!("{text}，{rest}"), name)] {
                let found = name_at(&text, 7).map(|range| range.start - 7..range.end - 7);
                assert_eq!(found.and_then(|range| text.get(range)), name, "{text}");
            }
        }
        // Where the window cuts, a character may stand.
        for n_before in 0..4 {
            assert_eq!(name_at(&format!("{}{rest}", "a".repeat(NAME_BYTES - 1 - n_before)), 0), None);
        }
    }
}
