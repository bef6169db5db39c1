//! Phrases that begin or fill the lines around an article.

/// Groups of phrases; lower case, ASCII letters match either case.
const GROUPS: &[(&str, &[&str])] = &[
    (
        "cue:copyright",
        &[
            "copyright",
            "©",
            "all rights reserved",
            "版权",
            "转载",
            "未经",
            "icp备",
            "许可证",
            "alle rechte",
            "tous droits",
        ],
    ),
    (
        "cue:share",
        &[
            "share",
            "tweet",
            "facebook",
            "twitter",
            "whatsapp",
            "pinterest",
            "linkedin",
            "instagram",
            "分享",
            "微信",
            "微博",
            "teilen",
            "partager",
            "シェア",
            "follow us",
        ],
    ),
    (
        "cue:related",
        &[
            "related",
            "read more",
            "recommended",
            "you may also",
            "you might",
            "more from",
            "see also",
            "also read",
            "read also",
            "read next",
            "more stories",
            "most popular",
            "most read",
            "trending",
            "don't miss",
            "相关",
            "推荐",
            "延伸阅读",
            "热门",
            "猜你喜欢",
            "更多",
            "精彩",
            "热点",
            "mehr zum thema",
            "lesen sie auch",
            "weitere",
            "関連",
            "おすすめ",
            "lire aussi",
            "à lire",
            "learn more",
            "view all",
            "see all",
            "show more",
            "weiterlesen",
        ],
    ),
    (
        "cue:comment",
        &[
            "comments",
            "leave a reply",
            "leave a comment",
            "评论",
            "留言",
            "回复",
            "kommentar",
            "コメント",
            "reply",
            "commentaires",
            "跟帖",
            "网友",
        ],
    ),
    (
        "cue:subscribe",
        &[
            "subscribe",
            "newsletter",
            "sign up",
            "sign in",
            "log in",
            "login",
            "register",
            "注册",
            "登录",
            "订阅",
            "关注",
            "扫码",
            "扫一扫",
            "二维码",
            "客户端",
            "anmelden",
            "abonnieren",
            "download the",
            "下载",
            "app store",
            "google play",
            "create account",
        ],
    ),
    (
        "cue:cookie",
        &[
            "cookie",
            "javascript",
            "consent",
            "browser",
            "浏览器",
            "adblock",
            "ad blocker",
            "enable",
            "einwilligung",
            "zustimmung",
            "consentement",
            "consentimiento",
            "consentimento",
            "consenso",
            "toestemming",
            "zgodę",
        ],
    ),
    (
        "cue:byline",
        &[
            "published",
            "updated",
            "posted",
            "来源",
            "作者",
            "责任编辑",
            "编辑",
            "记者",
            "发布时间",
            "发布",
            "author",
            "written by",
            "出处",
            "责编",
            "min read",
            "minutes read",
            "last modified",
            "veröffentlicht",
            "aktualisiert",
            "通讯员",
            "阅读",
            "浏览",
            "点击",
        ],
    ),
    (
        "cue:ad",
        &["advertisement", "sponsored", "广告", "anzeige", "promoted", "werbung", "publicité", "affiliate"],
    ),
    (
        "cue:turn",
        &[
            "上一篇",
            "下一篇",
            "上一页",
            "下一页",
            "上篇",
            "下篇",
            "previous",
            "next",
            "首页",
            "返回",
            "back to",
            "打印",
            "关闭",
            "字号",
            "收藏",
            "print",
            "email",
            "当前位置",
            "skip to",
            "nach oben",
            "home",
        ],
    ),
    (
        "cue:tags",
        &[
            "tags:",
            "tagged",
            "filed under",
            "标签",
            "关键词",
            "关键字",
            "topics",
            "categories",
            "schlagw",
            "posted in",
            "tags",
        ],
    ),
    (
        "cue:legal",
        &[
            "privacy",
            "terms",
            "impressum",
            "contact us",
            "about us",
            "联系我们",
            "关于我们",
            "免责",
            "disclaimer",
            "datenschutz",
            "举报",
            "电话",
            "网站地图",
            "声明",
        ],
    ),
    (
        "cue:photo",
        &[
            "photo",
            "image",
            "getty",
            "reuters",
            "credit",
            "foto",
            "摄",
            "图片",
            "图为",
            "图源",
            "bild",
            "picture",
            "shutterstock",
            "资料图",
            "(ap)",
            "afp",
        ],
    ),
    (
        "cue:shop",
        &[
            "add to cart",
            "buy now",
            "in stock",
            "free shipping",
            "price",
            "checkout",
            "quantity",
            "wishlist",
            "购物车",
            "$",
            "€",
            "¥",
            "£",
            "warenkorb",
            "reviews",
        ],
    ),
    (
        "cue:user",
        &[
            "joined",
            "posts:",
            "member",
            "likes",
            "views",
            "replies",
            "quote",
            "report",
            "楼主",
            "发表于",
            "积分",
            "帖子",
            "注册时间",
            "ago",
            "点赞",
            "赞同",
            "upvote",
        ],
    ),
    (
        "cue:month",
        &[
            "january",
            "february",
            "march",
            "april",
            "june",
            "july",
            "august",
            "september",
            "october",
            "november",
            "december",
            "jan ",
            "feb ",
            "aug ",
            "sept ",
            "oct ",
            "nov ",
            "dec ",
            "年",
            "januar",
            "februar",
            "märz",
            "juni",
            "juli",
            "oktober",
            "dezember",
        ],
    ),
];

/// Number of groups.
pub(super) const N_GROUPS: usize = GROUPS.len();
/// The bit of the phrases over lists of other articles.
pub(super) const RELATED: usize = 2;
/// The bit of the phrases over comments.
pub(super) const COMMENT: usize = 3;

/// Where in a block phrases are looked for: further on they are part of the prose.
const MOST_BYTES: usize = 160;

/// The name of a group as a feature.
pub(super) fn group_name(group: usize) -> &'static str {
    GROUPS.get(group).map_or("", |(name, _)| *name)
}

/// Finds the phrases: an automaton that goes on with every byte, as Aho and Corasick made it.
///
/// All that is asked is which groups have been seen, so that a byte is one look at a table of numbers of 16 bits, half of
/// what a library for any number of phrases has.
pub(super) struct Cues {
    /// For each state, which comes next behind each byte; as many as there may be, so that no state needs a check.
    next: Box<[[u16; 256]; MOST_STATES]>,
    /// For each state, the groups of the phrases that end there, as bits.
    groups: Vec<u32>,
}

/// States that there may be, a power of two; there are 1,510.
const MOST_STATES: usize = 2048;
/// The mark of a state in which a phrase ends, beside its number.
const ENDS: u16 = 1 << 15;
/// No phrase goes on with this byte; the start is behind no byte.
const NONE: u16 = 0;

impl Cues {
    pub(super) fn new() -> Self {
        let none: Box<[[u16; 256]]> = vec![[NONE; 256]; MOST_STATES].into_boxed_slice();
        let mut it = Self { next: none.try_into().expect("as many as were made"), groups: vec![0] };
        for (group, (_, phrases)) in GROUPS.iter().enumerate() {
            phrases.iter().for_each(|phrase| it.add(phrase, 1 << group));
        }
        it.fall_back();
        it.match_capitals();
        it
    }

    /// Adds the states of a phrase.
    fn add(&mut self, phrase: &str, group: u32) {
        let mut state = 0;
        for byte in phrase.bytes() {
            let n_states = self.groups.len();
            let next = &mut self.next[state][usize::from(byte)];
            if *next == NONE {
                *next = u16::try_from(n_states).expect("a few thousand bytes of phrases");
                self.groups.push(0);
            }
            state = usize::from(self.next[state][usize::from(byte)]);
        }
        self.groups[state] |= group;
    }

    /// Goes on in the longest end of what was read that begins a phrase, where the phrase itself does not go on.
    fn fall_back(&mut self) {
        let mut falls = vec![0; self.groups.len()];
        let mut order = std::collections::VecDeque::from([0]);
        while let Some(state) = order.pop_front() {
            let fall: usize = falls[state];
            self.groups[state] |= self.groups[fall];
            for byte in 0..256 {
                let behind_fall = if state == 0 { NONE } else { self.next[fall][byte] };
                match self.next[state][byte] {
                    NONE => self.next[state][byte] = behind_fall,
                    next => {
                        falls[usize::from(next)] = behind_fall.into();
                        order.push_back(next.into());
                    }
                }
            }
        }
    }

    /// Capitals of ASCII go where small letters do, and states in which a phrase ends are marked.
    fn match_capitals(&mut self) {
        let groups = &self.groups;
        for next in self.next.iter_mut().take(groups.len()) {
            for capital in b'A'..=b'Z' {
                next[usize::from(capital)] = next[usize::from(capital.to_ascii_lowercase())];
            }
            for state in next {
                *state |= if groups[usize::from(*state)] == 0 { 0 } else { ENDS };
            }
        }
    }

    /// The groups with a phrase in the first bytes of `text`, as bits.
    pub(super) fn groups(&self, text: &str) -> u32 {
        let head = text.as_bytes().get(..MOST_BYTES).unwrap_or(text.as_bytes());
        let (mut found, mut state) = (0, 0);
        for byte in head {
            let next = self.next[state][usize::from(*byte)];
            state = usize::from(next) % MOST_STATES;
            if next & ENDS != 0 {
                found |= self.groups[state];
            }
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the words say, phrase by phrase.
    fn groups_by_search(text: &str) -> u32 {
        let head = text.as_bytes().get(..MOST_BYTES).unwrap_or(text.as_bytes()).to_ascii_lowercase();
        let has = |phrase: &&str| head.windows(phrase.len()).any(|part| part == phrase.as_bytes());
        let bit = |group: usize| u32::from(GROUPS[group].1.iter().any(has)) << group;
        (0..N_GROUPS).map(bit).sum()
    }

    #[test]
    fn the_groups_are_those_whose_phrases_are_there() {
        let long = format!("{}share", "a ".repeat(MOST_BYTES / 2));
        let texts = [
            "",
            "Share this on FACEBOOK",
            "rereply to unread morelated storie",
            "Lees ook: à lire, À LIRE, zgodę",
            "版权所有 未经许可，不得转载。下一篇：推荐阅读",
            "tags: januarfebruar $5 (ap) getty",
            "We couldn\'t, don\'t miss it",
            &long,
        ];
        let cues = Cues::new();
        for text in texts {
            assert_eq!(cues.groups(text), groups_by_search(text), "{text}");
        }
        for phrase in GROUPS.iter().flat_map(|(_, phrases)| *phrases) {
            let text = format!("x{}y", phrase.to_ascii_uppercase());
            assert_eq!(cues.groups(&text), groups_by_search(&text), "{text}");
            assert_ne!(cues.groups(&text), 0, "{text}");
        }
    }
}
