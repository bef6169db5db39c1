//! How much a line looks like a title by itself, and whose words a text repeats.

use std::sync::LazyLock;

use aho_corasick::AhoCorasick;
use tamis_text::chars::text_width;
use tamis_text::class::{Classes, Table, is_mark};

use crate::boilerplate::furniture_share;

use super::page::{Line, is_code};

/// Words of buttons and menus, for short lines only.
const BUTTON_WORDS: &[&str] = &[
    "登录",
    "注册",
    "首页",
    "分享",
    "举报",
    "评论",
    "字号",
    "字体",
    "打印",
    "收藏",
    "下载",
    "搜索",
    "订阅",
    "客户端",
    "二维码",
    "复制链接",
    "正文",
    "返回",
    "上一",
    "下一",
    "更多",
    "导航",
    "频道",
    "设为",
    "关注",
    "原创",
    "网站地图",
    "触屏版",
    "邮箱",
    "版权",
    "超大",
    "朋友圈",
    "Share",
    "Comment",
    "Print",
    "Email",
    "Search",
    "Skip to",
    "Home",
    "Menu",
    "Log in",
    "Sign in",
    "Subscribe",
    "Follow",
    "Posted",
    "More",
    "Video",
    "Read ",
    "Advertisement",
    "Save",
    "Copied",
    "Copyright",
    "Tweet",
    "Reprints",
    "Stories",
    "Latest",
    "反馈",
    "设置",
    "退出",
    "中心",
    "面板",
    "投诉",
    "帮助",
    "我的",
    "加入",
    "目录",
    "Continue reading",
    "Archive",
    "All rights",
    "Bookmark",
    "Watch live",
    "シェア",
    "ログイン",
    "로그인",
    "공유",
];

static BUTTONS: LazyLock<AhoCorasick> =
    LazyLock::new(|| AhoCorasick::new(BUTTON_WORDS).expect("the words are constants that tests compile"));

/// Beginnings of lines that say something else about the page.
const OTHER_LINES: &[&str] = &[
    "来源",
    "作者",
    "记者",
    "编辑",
    "责任编辑",
    "责编",
    "发布",
    "发表",
    "时间",
    "日期",
    "标签",
    "当前位置",
    "您的位置",
    "您现在",
    "你的位置",
    "位置：",
    "分享到",
    "【字体",
    "字号",
    "原标题",
    "（原标题",
    "摘要",
    "关键词",
    "稿源",
    "By ",
    "Source",
    "本报记者",
    "□",
    "■",
    "Last updated",
    "正在",
    "Loading",
    "Continue reading",
    "Read more",
    "Advertisement",
    "loading",
];

/// Endings of names of organisations, sites and pages, which stand where titles do.
const ORGANISATIONS: &[&str] = &[
    "首页", "政府", "网", "网站", "频道", "日报", "晚报", "报纸", "博客", "门户", "News", "Blog", "Post",
    "Times",
];

/// Whether a line says something about the page or belongs to a script, so that it does not count as a line
/// between title and date.
pub(super) fn is_aside(line: Line<'_>) -> bool {
    is_code(line.text) || line.width() < 4 || says_something_else(line.text)
}

/// Whether a line begins as those do that say something else about the page.
fn says_something_else(line: &str) -> bool {
    let first = line.as_bytes().first();
    OTHER_LINES.iter().any(|start| start.as_bytes().first() == first && line.starts_with(start))
}

/// A line of which phrases of furniture take more than this share says nothing else.
const MAX_FURNITURE: f32 = 0.7;

/// How much a text looks like a title, by itself: from 1 downwards.
///
/// The weights are in the unit of the scores of `titles`: one is what a line gains by being among the first of
/// a page. Nothing here excludes a line for good.
pub(super) fn quality(text: &str) -> f64 {
    let width = text_width(text);
    let mut score: f64 = match width {
        6..8 => -1.0,
        8..14 => 0.0,
        14..=120 => 1.0,
        121..=180 => -0.5,
        // Shorter than three Chinese characters, or a paragraph.
        _ => -3.0,
    };
    if is_code(text) || text.contains("://") || text.contains("www.") || is_host(text) {
        score -= 5.0;
    }
    // Words of menus do occur in titles, but long ones are rarely a button.
    if width <= 32 && BUTTONS.is_match(text) {
        score -= 1.5;
    }
    // `Post a comment`, `Related posts`: phrases of the lexicon and nothing else.
    if width <= 40 && furniture_share(text) > MAX_FURNITURE {
        score -= 3.0;
    }
    if width <= 30 && ORGANISATIONS.iter().any(|end| text.ends_with(end)) {
        score -= 2.5;
    }
    if says_something_else(text) || text.starts_with(['（', '(', '©']) {
        score -= 3.0;
    }
    score - marks(text) - date_in(text, width)
}

/// Marks that a title does not have: the end of a sentence, the bars of a menu, brackets around all of it.
fn marks(text: &str) -> f64 {
    let mut penalty = 0.0;
    if text.ends_with(['。', '；', '：', ':', ';', '，', ',', '】', '>', '|']) {
        penalty += 2.0;
    }
    if text.trim_end_matches('。').contains('。') {
        penalty += 2.0;
    }
    let n_bars = text.chars().filter(|c| matches!(c, '|' | '·' | '»' | '>' | '›' | '/')).count();
    if n_bars >= 2 {
        penalty += n_bars.min(4) as f64;
    }
    if text.ends_with("版）") || (text.starts_with(['[', '【']) && text.ends_with([']', '】'])) {
        penalty += 3.0;
    }
    if !text.chars().any(char::is_alphabetic) {
        penalty += 4.0;
    }
    penalty
}

/// A line that is little more than a date. `What we read: Thursday, May 23, 2013` is a title.
fn date_in(text: &str, width: usize) -> f64 {
    let Some(date) = tamis_dates::dates(text).next() else { return 0.0 };
    match width.saturating_sub(date.range().len()) {
        0..20 => 4.0,
        20..40 if date.time.is_some() => 3.0,
        _ => 0.0,
    }
}

/// `blog.example.org`
pub(super) fn is_host(text: &str) -> bool {
    let ending = text.rsplit_once('.').map_or("", |(_, ending)| ending);
    (2..=5).contains(&ending.len())
        && ending.bytes().all(|byte| byte.is_ascii_alphabetic())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-'))
}

/// The words of a text, hashed into a set of bits: pairs of characters where words have no blanks between
/// them, words of four letters and more elsewhere.
pub(super) struct Words {
    bits: Box<[u64; 128]>,
}

impl Words {
    pub(super) fn of(text: &str) -> Self {
        let mut words = Self { bits: Box::new([0; 128]) };
        each_word(text, |hash| words.bits[(hash as usize >> 6) & 127] |= 1 << (hash & 63));
        words
    }

    /// The share of the words of `text` that are among these, from 0 to 1.
    pub(super) fn share(&self, text: &str) -> f64 {
        let (mut n_words, mut n_common) = (0_u32, 0_u32);
        each_word(text, |hash| {
            n_words += 1;
            n_common += u32::from((self.bits[(hash as usize >> 6) & 127] >> (hash & 63)) & 1 == 1);
        });
        if n_words == 0 { 0.0 } else { f64::from(n_common) / f64::from(n_words.max(3)) }
    }
}

/// Classes of characters that are no letters and digits.
const MARKS: Classes = Classes::SPACE
    .or(Classes::COMMA)
    .or(Classes::CJK_END)
    .or(Classes::CLOSING)
    .or(Classes::QUOTE)
    .or(Classes::SEPARATOR)
    .or(Classes::CODE);

/// Hashes of the words of a text, read character by character.
struct WordReader<F: FnMut(u32)> {
    use_word: F,
    /// The character of Chinese, Japanese or Korean before, of which the next makes a pair.
    previous: Option<char>,
    word: u32,
    n_letters: u32,
}

impl<F: FnMut(u32)> WordReader<F> {
    const EMPTY: u32 = 0x811C_9DC5;

    fn mix(hash: u32, c: char) -> u32 {
        (hash ^ c as u32).wrapping_mul(0x0100_0193)
    }

    fn found(&mut self, hash: u32) {
        (self.use_word)(hash ^ (hash >> 15));
    }

    fn cjk(&mut self, c: char) {
        if let Some(previous) = self.previous.replace(c) {
            self.found(Self::mix(Self::mix(Self::EMPTY, previous), c));
        }
    }

    fn letter(&mut self, c: char) {
        self.previous = None;
        self.word = Self::mix(self.word, c);
        self.n_letters += 1;
    }

    /// The letters and digits of ASCII with which some bytes begin; how many they are.
    #[inline]
    fn letters(&mut self, bytes: &[u8]) -> usize {
        let (mut word, mut n) = (self.word, 0);
        while let Some(small) = bytes.get(n).map(|byte| SMALL[usize::from(*byte)])
            && small != 0
        {
            word = Self::mix(word, small.into());
            n += 1;
        }
        if n > 0 {
            (self.previous, self.word) = (None, word);
            self.n_letters += n as u32;
        }
        n
    }

    fn mark(&mut self) {
        self.previous = None;
        if self.n_letters >= 4 {
            self.found(self.word);
        }
        (self.word, self.n_letters) = (Self::EMPTY, 0);
    }
}

/// Letters of ASCII as small ones, and digits; 0 for all other bytes.
const SMALL: [u8; 256] = {
    let mut small = [0; 256];
    let mut byte = 0;
    while byte < 128 {
        if (byte as u8).is_ascii_alphanumeric() {
            small[byte] = (byte as u8).to_ascii_lowercase();
        }
        byte += 1;
    }
    small
};

fn each_word(text: &str, use_word: impl FnMut(u32)) {
    let mut reader =
        WordReader { use_word, previous: None, word: WordReader::<fn(u32)>::EMPTY, n_letters: 0 };
    let table = Table::get();
    let bytes = text.as_bytes();
    let mut at = 0;
    while let Some(rest) = bytes.get(at..) {
        let n_letters = reader.letters(rest);
        at += n_letters;
        match rest.get(n_letters) {
            None => break,
            Some(0..0x80) => {
                reader.mark();
                at += 1;
            }
            Some(_) => {
                let Some(c) = text.get(at..).and_then(|rest| rest.chars().next()) else { break };
                at += c.len_utf8();
                let classes = table.of(c);
                match classes {
                    _ if classes.has(Classes::CJK) => reader.cjk(c),
                    _ if is_letter(c, classes) => reader.letter(c),
                    _ => reader.mark(),
                }
            }
        }
    }
    reader.mark();
}

/// Whether a character is a letter or a digit, as `char::is_alphanumeric` has it, of which the tables take twenty
/// instructions to say no to a comma of Chinese and fifty to say yes to a letter of Russian.
fn is_letter(c: char, classes: Classes) -> bool {
    (classes.has(Classes::WORD) && !is_mark(c)) || (!classes.has(MARKS) && c.is_alphanumeric())
}

/// Endings of the names of sites and papers.
const SITE_ENDINGS: [&str; 12] =
    ["网", "報", "报", "网站", "新闻", "新聞", "在线", "晚报", "日报", "News", "Times", "Post"];

/// Whether a name ends as those of sites and papers do.
pub(super) fn ends_like_a_site(name: &str) -> bool {
    SITE_ENDINGS.iter().any(|end| name.ends_with(end))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The same, character by character.
    fn words_one_by_one(text: &str) -> Vec<u32> {
        let mix = |hash: u32, c: char| (hash ^ c as u32).wrapping_mul(0x0100_0193);
        let finish = |hash: u32| hash ^ (hash >> 15);
        let (mut words, mut previous) = (Vec::new(), None);
        let (mut word, mut n_letters) = (0x811C_9DC5, 0);
        for c in text.chars().chain(['\n']) {
            if tamis_text::chars::is_cjk(c) {
                if let Some(previous) = previous.replace(c) {
                    words.push(finish(mix(mix(0x811C_9DC5, previous), c)));
                }
                continue;
            }
            previous = None;
            if c.is_alphanumeric() {
                (word, n_letters) = (mix(word, c.to_ascii_lowercase()), n_letters + 1);
                continue;
            }
            if n_letters >= 4 {
                words.push(finish(word));
            }
            (word, n_letters) = (0x811C_9DC5, 0);
        }
        words
    }

    #[test]
    fn letters_are_those_of_the_standard_library() {
        let table = Table::get();
        for c in ('\u{80}'..=char::MAX).filter(|c| !table.of(*c).has(Classes::CJK)) {
            assert_eq!(is_letter(c, table.of(c)), c.is_alphanumeric(), "U+{:04X}", c as u32);
        }
    }

    proptest! {
        #[test]
        fn words_are_found_as_character_by_character(text in "([a-zA-Z0-9]{0,6}[ .渡口，éжक\u{301}½]?){0,12}") {
            let mut words = Vec::new();
            each_word(&text, |hash| words.push(hash));
            prop_assert_eq!(words, words_one_by_one(&text));
        }
    }
}
