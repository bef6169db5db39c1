//! Words in class names and ids, and what they say about an element.

/// Groups of words that mean the same to whoever designs a page.
///
/// The words are those of the readability family of extractors, of the class names of common publishing systems,
/// and their counterparts on Chinese pages; none is taken for itself, they are features among others.
const GROUPS: &[(&str, &[&str])] = &[
    (
        "class:content",
        &[
            "content",
            "contents",
            "maincontent",
            "postcontent",
            "entrycontent",
            "articlecontent",
            "contentbody",
            "neirong",
            "zhengwen",
            "nr",
            "cont",
            "contenttext",
        ],
    ),
    (
        "class:article",
        &["article", "articlebody", "articles", "story", "storybody", "news", "newstext", "artical"],
    ),
    ("class:post", &["post", "posts", "entry", "blog", "hentry", "postbody", "blogpost"]),
    (
        "class:body",
        &[
            "body", "text", "txt", "prose", "richtext", "wysiwyg", "markdown", "rte", "copy", "rich",
            "bodytext", "detail", "details",
        ],
    ),
    ("class:main", &["main", "primary", "center", "middle", "mid"]),
    (
        "class:nav",
        &[
            "nav",
            "navbar",
            "navigation",
            "menu",
            "menus",
            "topnav",
            "subnav",
            "navi",
            "submenu",
            "dropdown",
            "daohang",
            "channel",
        ],
    ),
    (
        "class:crumb",
        &["breadcrumb", "breadcrumbs", "crumb", "crumbs", "path", "location", "position", "weizhi"],
    ),
    (
        "class:pager",
        &["pagination", "pager", "paging", "pages", "page", "prev", "previous", "next", "adjacent"],
    ),
    (
        "class:side",
        &["side", "sidebar", "sidebars", "aside", "rail", "secondary", "widget", "widgets", "module"],
    ),
    ("class:right", &["right", "rightrail", "rightbar", "left", "leftbar", "col", "column", "r", "l"]),
    (
        "class:foot",
        &["foot", "footer", "bottom", "copyright", "legal", "colophon", "disclaimer", "footnotes"],
    ),
    ("class:head", &["header", "head", "masthead", "top", "topbar", "banner", "hero", "logo"]),
    (
        "class:related",
        &[
            "related",
            "recommended",
            "recommend",
            "recommendation",
            "recommendations",
            "recirc",
            "suggested",
            "suggestions",
            "more",
            "similar",
            "also",
            "popular",
            "trending",
            "latest",
            "most",
            "teaser",
            "teasers",
            "upnext",
            "hot",
            "outbrain",
            "taboola",
            "xiangguan",
            "tuijian",
            "relate",
            "rel",
            "recent",
            "trending",
        ],
    ),
    (
        "class:share",
        &[
            "share",
            "sharing",
            "social",
            "socials",
            "follow",
            "sns",
            "addthis",
            "sharethis",
            "bdshare",
            "twitter",
            "facebook",
            "sharebar",
            "shares",
            "like",
            "likes",
        ],
    ),
    (
        "class:comment",
        &[
            "comment",
            "comments",
            "commentlist",
            "disqus",
            "respond",
            "feedback",
            "pinglun",
            "cmt",
            "commentary",
        ],
    ),
    (
        "class:ad",
        &[
            "ad",
            "ads",
            "adv",
            "advert",
            "advertisement",
            "sponsor",
            "sponsored",
            "promo",
            "promotion",
            "promoted",
            "dfp",
            "gpt",
            "adsense",
            "guanggao",
            "gg",
            "inline",
            "callout",
            "cta",
        ],
    ),
    (
        "class:subscribe",
        &[
            "newsletter",
            "subscribe",
            "subscription",
            "signup",
            "login",
            "signin",
            "register",
            "paywall",
            "app",
            "download",
            "qrcode",
            "ewm",
        ],
    ),
    (
        "class:dialog",
        &[
            "modal",
            "modals",
            "popup",
            "popover",
            "dialog",
            "overlay",
            "drawer",
            "offcanvas",
            "lightbox",
            "toast",
            "tooltip",
            "tip",
            "tips",
        ],
    ),
    (
        "class:consent",
        &[
            "cookie",
            "cookies",
            "consent",
            "gdpr",
            "privacy",
            "notice",
            "alert",
            // Consent managers that many sites take from the same few makers.
            "cmp",
            "cookiebot",
            "cookieconsent",
            "didomi",
            "onetrust",
            "ot",
            "qc",
            "truste",
            "usercentrics",
        ],
    ),
    (
        "class:byline",
        &[
            "byline",
            "author",
            "authors",
            "date",
            "datetime",
            "time",
            "timestamp",
            "published",
            "dateline",
            "pubdate",
            "posted",
            "meta",
            "source",
            "info",
            "laiyuan",
            "metadata",
            "postmeta",
            "credits",
        ],
    ),
    ("class:bio", &["bio", "biography", "about", "profile", "writer", "contributor"]),
    (
        "class:tags",
        &["tags", "tag", "taglist", "category", "categories", "topics", "keywords", "labels", "label", "cat"],
    ),
    ("class:title", &["title", "headline", "heading", "subtitle", "biaoti", "tit", "hd"]),
    (
        "class:summary",
        &[
            "summary",
            "lead",
            "lede",
            "intro",
            "abstract",
            "excerpt",
            "description",
            "desc",
            "dek",
            "standfirst",
            "deck",
            "subhead",
            "sub",
        ],
    ),
    (
        "class:caption",
        &[
            "caption",
            "captions",
            "figcaption",
            "credit",
            "photo",
            "photos",
            "image",
            "images",
            "img",
            "gallery",
            "pic",
            "figure",
        ],
    ),
    (
        "class:media",
        &[
            "thumbnail",
            "thumb",
            "slideshow",
            "slider",
            "carousel",
            "media",
            "video",
            "player",
            "swiper",
            "audio",
        ],
    ),
    (
        "class:forum",
        &[
            "forum",
            "thread",
            "topic",
            "message",
            "messages",
            "msg",
            "answer",
            "answers",
            "question",
            "questions",
            "qa",
            "floor",
            "reply",
            "replies",
            "discussion",
            "bbs",
            "postmessage",
            "cooked",
        ],
    ),
    (
        "class:user",
        &["user", "username", "avatar", "member", "signature", "sig", "rank", "userinfo", "poster", "users"],
    ),
    (
        "class:list",
        &["list", "items", "item", "listing", "listings", "results", "result", "feed", "archive", "lists"],
    ),
    ("class:card", &["card", "cards", "grid", "tile", "tiles", "box", "panel", "row", "block"]),
    (
        "class:product",
        &[
            "product",
            "products",
            "price",
            "sku",
            "spec",
            "specs",
            "specification",
            "cart",
            "buy",
            "shop",
            "variant",
            "feature",
            "features",
        ],
    ),
    (
        "class:review",
        &[
            "review",
            "reviews",
            "rating",
            "ratings",
            "testimonial",
            "testimonials",
            "faq",
            "faqs",
            "accordion",
        ],
    ),
    ("class:doc", &["docs", "doc", "documentation", "api", "reference", "document", "wiki", "mw", "section"]),
    (
        "class:tool",
        &[
            "tool", "tools", "toolbar", "button", "buttons", "btn", "control", "controls", "print", "icon",
            "actions", "action", "search", "form", "filter", "filters", "tab", "tabs",
        ],
    ),
    (
        "class:hidden",
        &["hidden", "hide", "invisible", "sr", "visually", "noscript", "skip", "screen", "offscreen"],
    ),
    (
        "class:toc",
        &[
            "toc",
            "index",
            "outline",
            "anchor",
            "jump",
            "references",
            "reflist",
            "footnote",
            "editsection",
            "navbox",
            "infobox",
        ],
    ),
];

/// Words of posts: a page that has two elements of such a name may be a thread. No feature, but looked up with those that
/// are, in the bit behind theirs.
const POSTS: &[&str] = &[
    "answer",
    "answers",
    "comment",
    "message",
    "msg",
    "pid",
    "post",
    "postbit",
    "postcontainer",
    "posts",
    "reply",
    "thread",
    "topic",
];
/// The bit of [`POSTS`].
pub(super) const POSTS_BIT: u64 = 1 << N_GROUPS;

/// Number of groups.
pub(super) const N_GROUPS: usize = GROUPS.len();

/// The name of a group as a feature.
pub(super) fn group_name(group: usize) -> &'static str {
    GROUPS.get(group).map_or("", |(name, _)| *name)
}

/// The group of a name.
pub(super) fn group_of(name: &str) -> usize {
    GROUPS.iter().position(|(group, _)| *group == name).unwrap_or(0)
}

/// Tells the groups of words.
pub(super) struct Words {
    /// Words packed into numbers, sorted, with their groups.
    table: Vec<(u128, u64)>,
    /// A bit for each word: most words of class names are in no group, and one look tells.
    known: [u64; KNOWN_BITS / 64],
}

/// Bits of [`Words::known`], some twenty for each word.
const KNOWN_BITS: usize = 8192;

/// The bit of a word.
fn known_bit(key: u128) -> usize {
    let mixed = (key as u64 ^ (key >> 64) as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    (mixed >> 51) as usize % KNOWN_BITS
}

/// The longest word that is looked up.
const MOST_LETTERS: usize = 16;

impl Words {
    pub(super) fn new() -> Self {
        let mut table: Vec<(u128, u64)> = Vec::new();
        let groups = GROUPS.iter().map(|(_, words)| *words).chain([POSTS]);
        for (group, words) in groups.enumerate() {
            for word in words {
                let key = word.bytes().fold(0, |key, byte| key << 8 | u128::from(byte));
                table.push((key, 1 << group));
            }
        }
        table.sort_unstable();
        table.dedup_by(|later, earlier| {
            let same = later.0 == earlier.0;
            if same {
                earlier.1 |= later.1;
            }
            same
        });
        let mut known = [0; KNOWN_BITS / 64];
        for (key, _) in &table {
            known[known_bit(*key) / 64] |= 1 << (known_bit(*key) % 64);
        }
        Self { table, known }
    }

    /// The groups of all words in a class list or id, as bits.
    ///
    /// Words end at anything but a letter, and where a capital follows a small letter.
    pub(super) fn groups(&self, names: &str) -> u64 {
        let mut groups = 0;
        let mut key = 0_u128;
        let mut length = 0;
        let mut small_before = false;
        for byte in names.bytes().chain([b' ']) {
            let letter = byte.is_ascii_alphabetic();
            let begins = letter && byte.is_ascii_uppercase() && small_before;
            if (!letter || begins) && length > 0 {
                groups |= self.lookup(key, length);
                (key, length) = (0, 0);
            }
            if letter {
                key = key << 8 | u128::from(byte.to_ascii_lowercase());
                length += 1;
            }
            small_before = byte.is_ascii_lowercase();
        }
        groups
    }

    fn lookup(&self, key: u128, length: usize) -> u64 {
        let bit = known_bit(key);
        if length > MOST_LETTERS || self.known[bit / 64] >> (bit % 64) & 1 == 0 {
            return 0;
        }
        let found = self.table.binary_search_by_key(&key, |(word, _)| *word);
        found.ok().and_then(|at| self.table.get(at)).map_or(0, |(_, groups)| *groups)
    }
}
