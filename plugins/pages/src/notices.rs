//! What a platform says below the articles of its users: that it only stores them, that the views are not its own.
//!
//! Such a notice is prose, so it looks like content, and below a short article there is more of it than of the article.
//! The line of date and source above an article of a few words looks like content as well, for there is little else.

use tamis_html::Tag;

use crate::features::Page;

/// Labels of bylines on Chinese pages, without the colon behind them.
const LABELS: [&str; 8] = ["来源", "來源", "作者", "编辑", "編輯", "记者", "发布时间", "发布日期"];
/// A longer line is text: words, a Chinese character being one.
const MOST_BYLINE_WORDS: f32 = 40.0;

/// How a notice begins, with what else it then says. Both are asked for: a text may begin with the same words.
const NOTICES: [(&[&str], &[&str]); 2] = [
    (
        &[
            "特别声明",
            "特別聲明",
            "免责声明",
            "免責聲明",
            "版权声明",
            "版權聲明",
            "郑重声明",
            "平台声明",
            "声明：",
            "声明:",
            "【声明】",
            "聲明：",
            "注：本文",
            "本文由",
            "本文为",
            "本文系",
            "本文仅",
            "本文來自",
            "本文来自",
            "本文章",
            "以上内容",
            "以上文章",
            "文章仅代表",
            "本内容",
            "该文观点",
            "本篇内容",
        ],
        &[
            "代表",
            "立场",
            "立場",
            "观点",
            "侵权",
            "侵權",
            "转载",
            "轉載",
            "上传",
            "存储",
            "版权",
            "版權",
            "投稿",
            "不承担",
            "责任",
            "看法",
            "未经",
            "授权",
        ],
    ),
    (
        &[
            "notice:",
            "disclaimer",
            "the content above",
            "the above content",
            "the views expressed",
            "the views and opinions",
            "the opinions expressed",
            "views expressed in this",
            "opinions expressed by",
        ],
        &[
            "uploaded",
            "was put here",
            "platform",
            "stores",
            "storage",
            "not necessarily",
            "do not reflect",
            "does not reflect",
            "of the author",
            "their own",
            "endorse",
            "liab",
            "responsib",
            "the user",
        ],
    ),
];
/// The bytes that a beginning of [`NOTICES`] or a label begins with, of letters the small ones: one look tells that most
/// texts begin with none.
static FIRST_BYTES: [bool; 256] = {
    let mut table = [false; 256];
    let mut at = 0;
    while at < LABELS.len() {
        table[LABELS[at].as_bytes()[0] as usize] = true;
        at += 1;
    }
    let mut kind = 0;
    while kind < NOTICES.len() {
        let (beginnings, _) = NOTICES[kind];
        let mut at = 0;
        while at < beginnings.len() {
            table[beginnings[at].as_bytes()[0] as usize] = true;
            at += 1;
        }
        kind += 1;
    }
    table
};

/// Whether a text may begin with a label, or as a notice does.
fn may_begin(text: &str) -> bool {
    text.bytes().next().is_some_and(|first| FIRST_BYTES[usize::from(first.to_ascii_lowercase())])
}

/// What a line of a page consists of that is for no reader of the text, in letters: the label of an advertisement, a button
/// that copies code, how to go on with the page or to follow its account. A text has such words within a line, and hardly
/// ever for one.
const LABELS_ALONE: [&str; 38] = [
    "advertisement",
    "advertisements",
    "advertisment",
    "advertising",
    "sponsoredcontent",
    "subscribetoournewsletter",
    "subscribetoourweeklynewsletter",
    "signupforournewsletter",
    "signuptoournewsletter",
    "articlecontinuesbelow",
    "storycontinuesbelowadvertisement",
    "articlecontinuesafteradvertisement",
    "articlecontinuesbelowadvertisement",
    "scrolltocontinuewithcontent",
    "anzeige",
    "werbung",
    "publicité",
    "publicidad",
    "реклама",
    "広告",
    "광고",
    "广告",
    "廣告",
    "copy",
    "copycode",
    "copied",
    "copytoclipboard",
    "复制",
    "复制代码",
    "複製程式碼",
    "コピー",
    "복사",
    "扫码关注",
    "扫码关注我们",
    "长按二维码关注我们",
    "长按识别二维码关注我们",
    "点击阅读原文",
    "点击上方蓝字关注我们",
];
/// The longest of them, with the marks around it, bytes.
const MOST_LABEL_BYTES: usize = 64;

/// Bytes of a notice: what is shorter says too little, what is longer is the terms of a site, on a page of their own.
const LEAST_BYTES: usize = 24;
const MOST_BYTES: usize = 1500;
/// What a notice is likely to be content.
const QUIET: f32 = 0.02;

/// Makes notices unlikely to be content, with what else lies in an element that begins with one, and bylines.
pub(crate) fn quieten(page: &Page<'_>, probabilities: &mut [f32]) {
    let is_short = |block: usize| page.n_words(block) <= MOST_BYLINE_WORDS;
    quieten_where(probabilities, |block| is_short(block) && is_byline(page.text(block)));
    let is_cell = |block: usize| {
        let container = page.blocks.containers.get(page.container(block));
        container.is_some_and(|container| matches!(container.tag, Tag::Td | Tag::Th))
    };
    let is_line = |block: usize| page.heading(block) == 0.0 && !page.is_code(block) && !is_cell(block);
    quieten_where(probabilities, |block| is_alone(page.text(block)) && is_line(block));
    let mut is_notice: Vec<bool> = (0..page.n_blocks()).map(|block| is_notice(page.text(block))).collect();
    if !is_notice.contains(&true) {
        return;
    }
    // Its parts follow it: another language, an address to write to. The heading of the page may not.
    for container in &page.blocks.containers {
        let blocks = container.blocks();
        if blocks.len() <= MOST_PARTS && is_notice.get(blocks.start) == Some(&true) {
            is_notice.get_mut(blocks).into_iter().for_each(|parts| parts.fill(true));
        }
    }
    quieten_where(probabilities, |block| is_notice[block]);
}

/// Whether a line is one of [`LABELS_ALONE`].
fn is_alone(text: &str) -> bool {
    /// The characters that they begin with: most lines of a page begin with others.
    const FIRST: &str = "adswpcр広광广廣复複コ복扫长点";
    let first = text.chars().find(|c| c.is_alphanumeric()).and_then(|c| c.to_lowercase().next());
    text.len() <= MOST_LABEL_BYTES
        && first.is_some_and(|first| FIRST.contains(first))
        && LABELS_ALONE.contains(&tamis_text::likeness::plain(text).as_str())
}

fn quieten_where(probabilities: &mut [f32], is_quiet: impl Fn(usize) -> bool) {
    for (block, probability) in probabilities.iter_mut().enumerate() {
        if is_quiet(block) {
            *probability = probability.min(QUIET);
        }
    }
}

/// Whether a line is a byline: it begins with a date or a label, and holds a year and a label with its colon.
///
/// Of 2,100 pages whose content is known, none keeps such a line among its first five.
fn is_byline(text: &str) -> bool {
    let is_year = |digits: &str| digits.len() == 4 && (digits.starts_with("19") || digits.starts_with("20"));
    let starts = text.starts_with(|c: char| c.is_ascii_digit())
        || may_begin(text) && LABELS.iter().any(|it| text.starts_with(it));
    let has_label = |label: &&str| {
        let behind = text.split_once(*label).map(|(_, behind)| behind.trim_start());
        behind.is_some_and(|behind| behind.starts_with([':', '：']))
    };
    starts && text.split(|c: char| !c.is_ascii_digit()).any(is_year) && LABELS.iter().any(has_label)
}

/// An element of more blocks holds more than a notice.
const MOST_PARTS: usize = 6;

fn is_notice(text: &str) -> bool {
    if !(LEAST_BYTES..=MOST_BYTES).contains(&text.len()) {
        return false;
    }
    let start = text.trim_start_matches(|c: char| !c.is_alphanumeric() && c != '【');
    if !may_begin(start) {
        return false;
    }
    let is_start = |it: &&str| start.get(..it.len()).is_some_and(|start| start.eq_ignore_ascii_case(it));
    let Some((_, says)) = NOTICES.iter().find(|(beginnings, _)| beginnings.iter().any(is_start)) else {
        return false;
    };
    let text = text.to_lowercase();
    says.iter().any(|it| text.contains(it))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_notice_is_told_from_a_text_that_begins_like_one() {
        for text in [
            "特别声明：以上内容由用户上传，本站只提供存储空间。",
            "（本文仅代表作者个人观点）",
            "Disclaimer: the views in this post are of the author alone.",
            "The views expressed here do not reflect those of the paper.",
        ] {
            assert!(is_notice(text), "{text}");
        }
        for text in [
            "本文由三部分组成，先谈河道，再谈桥。",
            "声明：本周六停水。",
            "Notice: the ferry will not run on Sunday.",
            "The opinions of the village are divided.",
        ] {
            assert!(!is_notice(text), "{text}");
        }
    }

    #[test]
    fn labels_alone_begin_as_it_says() {
        for label in LABELS_ALONE {
            assert!(is_alone(label), "{label}");
        }
    }

    #[test]
    fn a_line_for_no_reader_is_told_from_a_word() {
        for text in [
            "ADVERTISEMENT",
            "Copy code",
            "- 广告 -",
            "Story continues below advertisement",
            "长按二维码，关注我们",
        ] {
            assert!(is_alone(text), "{text}");
        }
        for text in ["An advertisement", "Copy that", "广告法", "The story continues below"] {
            assert!(!is_alone(text), "{text}");
        }
    }

    #[test]
    fn a_line_of_date_and_source_is_a_byline() {
        for text in ["2020-02-05 10:12:00 来源: 城东交警", "来源：青坡日报 2019年3月1日 作者：李渡"]
        {
            assert!(is_byline(text), "{text}");
        }
        for text in ["来源：青坡日报", "2019年3月1日，桥通车了。", "他说2019年的来源不明", "The 2019 report"]
        {
            assert!(!is_byline(text), "{text}");
        }
    }

    #[test]
    fn the_parts_of_a_notice_go_with_it() {
        let page = "<div><p>The bridge is closed.<div><p>特别声明：不代表本站观点。<p>Notice: stored for users.</div></div>";
        let page = Page::new(page).expect("short");
        let mut probabilities = [0.9; 3];
        quieten(&page, &mut probabilities);
        assert_eq!(probabilities.map(f32::to_bits), [0.9, QUIET, QUIET].map(f32::to_bits));
    }
}
