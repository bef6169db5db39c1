//! Phrases that begin or fill the lines around an article.

use aho_corasick::{AhoCorasick, AhoCorasickKind, MatchKind};

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

/// Finds the phrases.
pub(super) struct Cues {
    phrases: AhoCorasick,
    groups: Vec<u8>,
}

impl Cues {
    pub(super) fn new() -> Self {
        let all = GROUPS.iter().enumerate();
        let (phrases, groups): (Vec<&str>, Vec<u8>) =
            all.flat_map(|(group, (_, phrases))| phrases.iter().map(move |it| (*it, group as u8))).unzip();
        let phrases = AhoCorasick::builder()
            .ascii_case_insensitive(true)
            .match_kind(MatchKind::Standard)
            .kind(Some(AhoCorasickKind::DFA))
            .build(phrases)
            .expect("the phrases are constants that tests compile");
        Self { phrases, groups }
    }

    /// The groups with a phrase in the first bytes of `text`, as bits.
    pub(super) fn groups(&self, text: &str) -> u32 {
        let head = text.as_bytes().get(..MOST_BYTES).unwrap_or(text.as_bytes());
        let mut found = 0;
        for phrase in self.phrases.find_overlapping_iter(head) {
            let group = self.groups.get(phrase.pattern().as_usize()).copied().unwrap_or(0);
            found |= 1 << group;
        }
        found
    }
}
