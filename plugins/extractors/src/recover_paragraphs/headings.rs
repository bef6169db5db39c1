//! Where a numbered heading ends that runs straight into its paragraph: `一、总体要求坚持围绕中心…`.

use tamis_text::chars::is_blank;
use tamis_text::numbering::Numbering;

use super::series::Item;

/// Titles of sections that are conventional in notices, plans and reports of Chinese administrations.
///
/// Only titles that are complete as they stand; 工作 alone, say, could be the start of any heading.
const TITLES: &[&str] = &[
    "总体要求",
    "总体思路",
    "总体目标",
    "总体安排",
    "总体部署",
    "指导思想",
    "指导原则",
    "基本原则",
    "基本要求",
    "基本情况",
    "基本思路",
    "工作目标",
    "工作思路",
    "工作原则",
    "工作任务",
    "工作重点",
    "工作措施",
    "工作举措",
    "工作要求",
    "工作步骤",
    "工作安排",
    "工作保障",
    "工作机制",
    "目标任务",
    "目标要求",
    "主要目标",
    "主要任务",
    "主要内容",
    "主要措施",
    "主要举措",
    "主要做法",
    "主要工作",
    "重点任务",
    "重点工作",
    "重点内容",
    "重大意义",
    "重要意义",
    "推进举措",
    "推进措施",
    "推进步骤",
    "具体措施",
    "具体举措",
    "具体要求",
    "具体任务",
    "具体做法",
    "实施步骤",
    "实施范围",
    "实施方案",
    "方法步骤",
    "活动内容",
    "活动主题",
    "活动安排",
    "活动要求",
    "活动时间",
    "活动目的",
    "时间安排",
    "保障措施",
    "保障机制",
    "组织保障",
    "组织领导",
    "组织实施",
    "政策措施",
    "政策保障",
    "监督管理",
    "监督检查",
    "适用范围",
    "存在问题",
    "存在的问题",
    "主要问题",
    "下步打算",
    "下一步打算",
    "下一步工作打算",
    "经验启示",
    "有关要求",
    "相关要求",
    "几点要求",
];

/// Words that open a clause and do not go on with a title.
///
/// 为, 要, 全面 and 在 open clauses too, but a heading may be a sentence of its own: 主要任务全面完成.
const OPENERS: &[&str] = &[
    "坚持", "按照", "根据", "依据", "围绕", "紧紧", "紧扣", "紧密", "认真", "深入", "贯彻", "高举", "通过",
    "各", "以",
];

/// Words that begin with an opener and go on with a title after all.
const NOT_OPENERS: &[&str] =
    &["以上", "以下", "以及", "以来", "以外", "以内", "以后", "以前", "各项工作完成"];

/// How a title may go on, so that it is not yet over.
const CONTINUATIONS: &[&str] = &[
    "和", "与", "及", "、", "的", "之", "：", ":", "，", ",", "。", "（", "(", "”", "》", "等", "是", "完成",
    "落实", "执行", "情况", "体系", "机制", "制度", "工作", "建设", "方面", "部分", "分工", "安排", "清单",
    "内容", "方案",
];

/// Fewest characters of the first sentence behind a heading; a shorter one may be part of the heading.
const MIN_SENTENCE_CHARS: usize = 16;

/// The bytes at which a known heading ends and its paragraph begins, in order.
pub(super) fn ends(text: &str, items: &[Item]) -> Vec<usize> {
    let headings: Vec<_> = visible_headings(text, items).collect();
    let common = common_lengths(items, &headings);
    let glued = items.iter().zip(&headings).filter_map(|(item, heading)| {
        let is_heading = matches!(item.marker.numbering, Numbering::Chinese | Numbering::ChineseBracketed);
        if !is_heading || heading.is_some() {
            return None;
        }
        let behind = text.get(item.text_start()..)?;
        let title = known_title(behind)?;
        let rest = behind.get(title.len()..)?;
        let alike = common[item.series] == Common::Length(title.chars().count());
        let goes_on = CONTINUATIONS.iter().any(|word| rest.starts_with(word));
        let ends = (opens_clause(rest) || (alike && !goes_on)) && begins_sentence(rest);
        ends.then(|| item.text_start() + title.len())
    });
    glued.collect()
}

/// What the headings of a series whose ends are visible have in common.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Common {
    /// None is visible.
    Unknown,
    /// One is, of this length in characters.
    One(usize),
    /// Several are, all of this length in characters.
    Length(usize),
    /// They differ.
    Nothing,
}

/// For each series the length that its visible headings share: titles of a series are often built alike, so
/// two that end visibly tell the length of a third.
fn common_lengths(items: &[Item], headings: &[Option<&str>]) -> Vec<Common> {
    let n_series = items.iter().map(|item| item.series + 1).max().unwrap_or(0);
    let mut common = vec![Common::Unknown; n_series];
    for (item, heading) in items.iter().zip(headings) {
        let Some(length) = heading.map(|heading| heading.chars().count()) else { continue };
        let so_far = &mut common[item.series];
        *so_far = match *so_far {
            Common::Unknown => Common::One(length),
            Common::One(other) | Common::Length(other) if other == length => Common::Length(length),
            _ => Common::Nothing,
        };
    }
    common
}

/// For each item its heading, if the end of it is visible: a line end, or the next item, with no end of a
/// clause before it.
fn visible_headings<'a>(text: &'a str, items: &[Item]) -> impl Iterator<Item = Option<&'a str>> {
    items.iter().enumerate().map(|(index, item)| {
        let next = items.get(index + 1).map_or(text.len(), |next| next.start);
        let behind = text.get(item.text_start()..next)?;
        let heading = behind.split('\n').next()?.trim_end_matches(is_blank);
        let ends = !heading.is_empty() && !heading.contains(['。', '！', '？', '；', '，', ',']);
        ends.then_some(heading)
    })
}

/// The longest known title at the start of `text`.
fn known_title(text: &str) -> Option<&'static str> {
    TITLES.iter().filter(|title| text.starts_with(**title)).max_by_key(|title| title.len()).copied()
}

fn opens_clause(text: &str) -> bool {
    let opened = OPENERS.iter().any(|word| text.starts_with(word))
        && !NOT_OPENERS.iter().any(|word| text.starts_with(word));
    opened || begins_with_year(text)
}

/// `到2020年`, `2020年`.
fn begins_with_year(text: &str) -> bool {
    let year = text.strip_prefix('到').unwrap_or(text).as_bytes();
    year.len() > 4 && year[..4].iter().all(u8::is_ascii_digit) && year[4..].starts_with("年".as_bytes())
}

/// Whether a whole sentence begins with `text`, not the rest of a heading.
fn begins_sentence(text: &str) -> bool {
    let stop = text.chars().position(|c| matches!(c, '。' | '！' | '？' | '\n'));
    stop.is_some_and(|stop| stop >= MIN_SENTENCE_CHARS)
}
