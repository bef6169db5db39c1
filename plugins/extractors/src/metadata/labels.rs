//! Words that announce something about a page, found in one pass over it.

use std::ops::Range;
use std::sync::LazyLock;

use aho_corasick::{AhoCorasick, MatchKind};

use super::page::Page;

/// What a word announces.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Label {
    /// `作者：`, `Author:`.
    Author,
    /// `文/`.
    Writer,
    /// `记者`, with or without a name behind it.
    Reporter,
    /// `By `, `Von `, `Por `.
    By,
    /// `张贴` behind a name.
    PostedBy,
    /// `기자` behind a name.
    KoreanReporter,
    /// `来源：`, `Source:`.
    Source,
    /// The headline in JSON-LD.
    Headline,
    /// A person's name in JSON-LD.
    JsonAuthor,
    /// The organisation in JSON-LD.
    JsonPublisher,
    /// `当前位置：`, `首页 >`.
    Breadcrumb,
    /// `发布时间`.
    Published,
}

/// Longer ones before their own beginnings.
const LABELS: [(&str, Label); 60] = [
    ("作者", Label::Author),
    ("撰文", Label::Author),
    ("撰稿", Label::Author),
    ("执笔人", Label::Author),
    ("执笔", Label::Author),
    ("采写", Label::Author),
    ("執筆", Label::Author),
    ("Author", Label::Author),
    ("Autor", Label::Author),
    ("Автор", Label::Author),
    ("Текст", Label::Author),
    ("Yazar", Label::Author),
    ("글쓴이", Label::Author),
    ("文/", Label::Writer),
    ("文／", Label::Writer),
    ("文|", Label::Writer),
    ("文｜", Label::Writer),
    ("文丨", Label::Writer),
    ("记者", Label::Reporter),
    ("記者", Label::Reporter),
    ("By ", Label::By),
    ("BY ", Label::By),
    ("by ", Label::By),
    ("Von ", Label::By),
    ("Por ", Label::By),
    ("Par ", Label::By),
    ("张贴", Label::PostedBy),
    ("기자", Label::KoreanReporter),
    ("来源", Label::Source),
    ("來源", Label::Source),
    ("稿源", Label::Source),
    ("出处", Label::Source),
    ("Source:", Label::Source),
    ("Quelle:", Label::Source),
    ("Fonte:", Label::Source),
    ("Fuente:", Label::Source),
    ("Источник:", Label::Source),
    ("Kaynak:", Label::Source),
    ("Źródło:", Label::Source),
    ("출처", Label::Source),
    ("\"headline\":\"", Label::Headline),
    ("\"headline\": \"", Label::Headline),
    ("\"author\":{\"@type\":\"Person\",\"name\":\"", Label::JsonAuthor),
    ("\"author\":[{\"@type\":\"Person\",\"name\":\"", Label::JsonAuthor),
    ("\"publisher\":{\"@type\":\"Organization\",\"name\":\"", Label::JsonPublisher),
    ("当前位置", Label::Breadcrumb),
    ("您的位置", Label::Breadcrumb),
    ("现在的位置", Label::Breadcrumb),
    ("你的位置", Label::Breadcrumb),
    ("首页>", Label::Breadcrumb),
    ("首页 >", Label::Breadcrumb),
    ("主页>", Label::Breadcrumb),
    ("发布时间", Label::Published),
    ("发布日期", Label::Published),
    ("发表时间", Label::Published),
    ("发稿时间", Label::Published),
    ("發布時間", Label::Published),
    ("發佈時間", Label::Published),
    ("發布日期", Label::Published),
    ("目前位置", Label::Breadcrumb),
];

static SEARCHER: LazyLock<AhoCorasick> = LazyLock::new(|| {
    AhoCorasick::builder()
        .match_kind(MatchKind::LeftmostFirst)
        .build(LABELS.iter().map(|(word, _)| *word))
        .expect("the words are constants that tests compile")
});

/// So many labels are looked at; a page with more is a list.
const MAX_LABELS: usize = 400;

/// The labels of a page, in order, each with its bytes.
#[derive(Debug)]
pub(super) struct Labels {
    pub(super) found: Vec<(Label, Range<usize>)>,
}

impl Labels {
    pub(super) fn of(page: Page<'_>) -> Self {
        let found = SEARCHER.find_iter(page.text).take(MAX_LABELS);
        Self { found: found.map(|found| (LABELS[found.pattern().as_usize()].1, found.range())).collect() }
    }

    pub(super) fn of_kind(&self, kind: Label) -> impl Iterator<Item = Range<usize>> + '_ {
        self.found.iter().filter(move |(label, _)| *label == kind).map(|(_, range)| range.clone())
    }
}
