//! Names and times of posts: which elements hold them, and what they say.

use std::ops::Range;

use tamis_dates::labels::label_at_start;
use tamis_dates::{certain_moment, dates};
use tamis_html::{Container, Name, NodeId, Tag, is_hidden_in_line, is_never_shown};

use crate::discussion::words;
use crate::features::{Measures, Page};

/// Words of class names of elements that hold the name of who posts.
const NAMES: [&str; 12] = [
    "author",
    "authors",
    "authi",
    "bigusername",
    "creator",
    "nick",
    "nickname",
    "postuser",
    "poster",
    "uname",
    "username",
    "usernick",
];
/// Words of class names that say so together.
const PAIRS: [(&str, &str); 10] = [
    ("comment", "user"),
    ("display", "name"),
    ("member", "name"),
    ("message", "name"),
    ("post", "user"),
    ("screen", "name"),
    ("user", "details"),
    ("user", "info"),
    ("user", "link"),
    ("user", "name"),
];
/// Words of class names of elements that hold something else of who posts.
const NOT_NAMES: [&str; 22] = [
    "avatar",
    "badge",
    "banner",
    "box",
    "button",
    "buttons",
    "count",
    "date",
    "edit",
    "edited",
    "icon",
    "image",
    "img",
    "joined",
    "login",
    "meta",
    "posts",
    "registered",
    "signature",
    "stats",
    "time",
    "title",
];
/// Words of class names of elements that hold a time.
const TIMES: [&str; 10] = [
    "date",
    "datetime",
    "postdate",
    "posted",
    "posttime",
    "published",
    "relativetime",
    "time",
    "timeago",
    "timestamp",
];
/// Words of class names and of lines that speak of another time than that of the post, lower case.
const OTHER_TIMES: [&str; 16] = [
    "edit",
    "edited",
    "editing",
    "join",
    "joined",
    "last",
    "member",
    "registered",
    "seen",
    "since",
    "visit",
    "注册",
    "注冊",
    "最后",
    "编辑",
    "編輯",
];
/// Parts of addresses of pages about a member.
const PROFILES: [&str; 12] = [
    "profile.php?",
    "/member/",
    "/members/",
    "/people/",
    "/profile/",
    "/u/",
    "/user/",
    "/users/",
    "action=profile",
    "member.php?",
    "mode=viewprofile",
    "space-uid-",
];
/// Where members of Discuz! have their pages.
const SPACE: &str = "mod=space";
/// What stands before a name and is no part of it, lower case.
const LABELS: [&str; 9] =
    ["posted by", "written by", "author:", "author", "by", "作者：", "作者:", "发表者：", "楼主："];
/// Lines that stand where names do and are none, lower case.
const NOBODY: [&str; 18] = [
    "author",
    "edit",
    "member",
    "members",
    "moderator",
    "profile",
    "quote",
    "reply",
    "report",
    "share",
    "引用",
    "举报",
    "作者",
    "关注",
    "回复",
    "只看该作者",
    "楼主",
    "查看",
];

/// Longer names are none.
const MOST_NAME_CHARS: usize = 40;
const MOST_NAME_WORDS: usize = 6;
/// An element with more nodes holds more than a name or a time.
const MOST_NODES: usize = 80;
/// A longer line around a time does not say which one it is.
const MOST_OTHER_WORDS: u32 = 10;
/// Words of a line that a time stands in.
const MOST_TIME_WORDS: u32 = 16;
/// Or bytes before the time, where something else follows in the same element.
const MOST_BEFORE: usize = 24;

impl Mark {
    /// Whether it lies in the line that some nodes make, or holds it.
    pub(super) fn meets(&self, nodes: &Range<NodeId>) -> bool {
        self.nodes.start < nodes.end && nodes.start < self.nodes.end
    }
}

/// An element or line that may hold a name or a time.
#[derive(Debug, Clone)]
pub(super) struct Mark {
    /// The block element in which it lies.
    pub(super) container: usize,
    pub(super) nodes: Range<NodeId>,
    pub(super) n_words: u32,
    /// 0 where the markup says so, 1 where class names do, 2 where it looks so.
    pub(super) doubt: u8,
}

/// What may be names and times, in document order.
#[derive(Debug, Default)]
pub(super) struct Marks {
    pub(super) names: Vec<Mark>,
    pub(super) times: Vec<Mark>,
}

impl Marks {
    pub(super) fn of(page: &Page<'_>) -> Self {
        let mut marks = Self::default();
        let mut at = 1;
        let mut container = 0;
        while at < page.tree.len() {
            let next = |container: usize| page.blocks.containers.get(container + 1).map(Container::node);
            while next(container).is_some_and(|next| next <= at) {
                container += 1;
            }
            if page.tree.tag(at) != Tag::Text {
                marks.element(page, at, container);
            }
            at += 1;
        }
        // Lines are read for dates, which takes longer than all the rest, and few pages have two names.
        if marks.names.len() > 1 {
            marks.lines(page);
        }
        marks
    }

    /// Looks at an element; `last` is the last block element that begins before it or is it.
    fn element(&mut self, page: &Page<'_>, node: NodeId, last: usize) {
        let tree = &page.tree;
        let end = tree.end(node);
        if end - node > MOST_NODES {
            return;
        }
        let tag = tree.tag(node);
        let [class, property, rel, href] =
            tree.attributes(node, [Name::Class, Name::ItemProp, Name::Rel, Name::Href]);
        let property = property.unwrap_or_default();
        let class = class.unwrap_or_default();
        let name = if property == "author" || property == "creator" || rel == Some("author") {
            Some(0)
        } else if names_somebody(class) {
            Some(1)
        } else {
            (tag == Tag::A && href.is_some_and(is_profile) && !any_word(class, &NOT_NAMES)).then_some(2)
        };
        let time = if matches!(property, "datePublished" | "dateCreated") {
            Some(0)
        } else {
            (tag == Tag::Time || any_word(class, &TIMES)).then_some(1)
        };
        let is_of_post = |_: &u8| !any_word(class, &OTHER_TIMES) && !is_below_other(page, node);
        let mark = |doubt: u8| {
            let container = innermost(page, last, node);
            let n_words = Measures::of(&text(page, node)).n_words;
            Mark { container, nodes: node..end, n_words, doubt }
        };
        self.names.extend(name.map(mark));
        self.times.extend(time.filter(is_of_post).map(mark));
    }

    /// Looks for lines that hold a date and little else, where nothing says that it is one.
    fn lines(&mut self, page: &Page<'_>) {
        for (at, block) in page.blocks.blocks.iter().enumerate() {
            let line = page.text(at);
            let n_words = page.n_words(at) as u32;
            let may_be = n_words <= MOST_TIME_WORDS && line.bytes().any(|byte| byte.is_ascii_digit());
            if may_be && !says_other_time(line) && dates(line).next().is_some() {
                let mark = Mark { container: page.container(at), nodes: block.nodes(), n_words, doubt: 2 };
                self.times.push(mark);
            }
        }
        self.times.sort_by_key(|mark| mark.nodes.start);
    }
}

/// Whether any of some marks lies within some nodes.
pub(super) fn any(marks: &[Mark], nodes: &Range<NodeId>) -> bool {
    let first = marks.partition_point(|mark| mark.nodes.start < nodes.start);
    marks.get(first).is_some_and(|mark| mark.nodes.start < nodes.end)
}

/// The name that a mark holds.
pub(super) fn name(page: &Page<'_>, mark: &Mark) -> Option<String> {
    let content = page.tree.attribute_text(mark.nodes.start, Name::Content);
    let is_named = |node: &NodeId| page.tree.attribute(*node, Name::ItemProp) == Some("name");
    let by_property = mark.nodes.clone().filter(is_named).map(|node| text(page, node));
    // Beside the name stand a rank, a number of posts, and a picture, which may be a letter.
    let class = |node: NodeId| page.tree.attribute(node, Name::Class).unwrap_or_default();
    let is_link = |node: &NodeId| page.tree.tag(*node) == Tag::A && !any_word(class(*node), &["avatar"]);
    let linked = mark.nodes.clone().filter(is_link).map(|node| text(page, node));
    let whole = text(page, mark.nodes.start);
    let content = content.map(std::borrow::Cow::into_owned).into_iter();
    let mut names = content.chain(by_property).chain(linked).chain([whole]);
    names.find_map(|name| cleaned_name(&name))
}

fn cleaned_name(name: &str) -> Option<String> {
    let mut name = name.trim();
    for label in LABELS {
        let start = name.get(..label.len()).filter(|start| start.eq_ignore_ascii_case(label));
        let rest = start.and_then(|_| name.get(label.len()..)).unwrap_or_default();
        // `byron` is a name.
        let is_label = !rest.is_empty() && (!rest.starts_with(char::is_alphanumeric) || !label.is_ascii());
        if is_label {
            name = rest.trim_start_matches([':', '：', ' ']).trim();
        }
    }
    let name = name.trim_end_matches([':', '：', ',', '»', '|']).trim();
    let lower = name.to_lowercase();
    let is_name = name.contains(char::is_alphanumeric)
        && name.chars().count() <= MOST_NAME_CHARS
        && name.split_whitespace().count() <= MOST_NAME_WORDS
        && !name.ends_with(['?', '!'])
        && !NOBODY.contains(&lower.as_str())
        && !(name.bytes().any(|byte| byte.is_ascii_digit()) && dates(name).next().is_some());
    is_name.then(|| name.to_owned())
}

/// When a post was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Time {
    /// In ISO 8601, if it is certain.
    pub(crate) date: Option<String>,
    /// As the page shows it.
    pub(crate) shown: String,
}

/// The time that a mark holds.
pub(super) fn time(page: &Page<'_>, mark: &Mark) -> Option<Time> {
    let shown = match mark.doubt {
        2 => text_of(page, mark.nodes.clone()),
        _ => text(page, mark.nodes.start),
    };
    let first = dates(&shown).next();
    let is_short = mark.n_words <= MOST_TIME_WORDS
        || first.as_ref().is_some_and(|first| first.range().start <= MOST_BEFORE);
    let located = first.map(|located| located.shown(&shown));
    let said = [Name::DateTime, Name::Content, Name::Title];
    let mut said =
        mark.nodes.clone().flat_map(|node| said.map(|name| page.tree.attribute_text(node, name))).flatten();
    let date = said.find_map(|said| certain_moment(&said));
    let date = date.or_else(|| certain_moment(located.as_deref().unwrap_or(&shown)));
    let is_time = date.is_some() || located.is_some() || shown.bytes().any(|byte| byte.is_ascii_digit());
    (is_time && is_short)
        .then(|| Time { date, shown: located.unwrap_or_else(|| unlabelled(&shown).to_owned()) })
}

/// A time without what says that it is one.
fn unlabelled(shown: &str) -> &str {
    let rest = label_at_start(shown.trim()).map(|(_, rest)| rest.trim_start_matches([':', '：']).trim());
    rest.filter(|rest| !rest.is_empty()).unwrap_or(shown.trim())
}

/// Whether the class of an element says that it names who posts.
fn names_somebody(class: &str) -> bool {
    if class.is_empty() {
        return false;
    }
    class.split_ascii_whitespace().any(|class| {
        let mut before = "";
        let mut says = false;
        for word in words(class) {
            if is_one_of(word, &NOT_NAMES) {
                return false;
            }
            let is_pair = |(one, two): &(&str, &str)| {
                before.eq_ignore_ascii_case(one) && word.eq_ignore_ascii_case(two)
            };
            says |= is_one_of(word, &NAMES) || PAIRS.iter().any(is_pair);
            before = word;
        }
        says
    })
}

fn is_one_of(word: &str, list: &[&str]) -> bool {
    list.iter().any(|it| word.eq_ignore_ascii_case(it))
}

pub(super) fn any_word(class: &str, list: &[&str]) -> bool {
    !class.is_empty() && words(class).any(|word| is_one_of(word, list))
}

fn is_profile(address: &str) -> bool {
    PROFILES.iter().any(|it| address.contains(it)) || address.contains(SPACE) && address.contains("uid")
}

/// Whether the element around says that what is in it is another time than that of the post.
fn is_below_other(page: &Page<'_>, node: NodeId) -> bool {
    let above = page.tree.parent(node);
    let class = page.tree.attribute(above, Name::Class).unwrap_or_default();
    let is_small = page.tree.end(above) - above <= MOST_NODES;
    let says_so = || {
        let line = text(page, above);
        Measures::of(&line).n_words <= MOST_OTHER_WORDS && says_other_time(&line)
    };
    any_word(class, &OTHER_TIMES) || is_small && says_so()
}

fn says_other_time(line: &str) -> bool {
    let is_word = |word: &str| OTHER_TIMES.iter().any(|it| word.eq_ignore_ascii_case(it));
    line.split(|c: char| !c.is_alphanumeric()).any(is_word)
        || OTHER_TIMES.iter().any(|it| !it.is_ascii() && line.contains(it))
}

/// The innermost block element around a node; `last` is the last that begins before it or is it.
fn innermost(page: &Page<'_>, last: usize, node: NodeId) -> usize {
    let mut container = last;
    let ends = |container: usize| {
        page.blocks.containers.get(container).is_some_and(|it| page.tree.end(it.node()) <= node)
    };
    while container > 0 && ends(container) {
        container = page.parent(container);
    }
    container
}

/// The text of an element that is shown.
fn text(page: &Page<'_>, node: NodeId) -> String {
    text_of(page, node..page.tree.end(node))
}

fn text_of(page: &Page<'_>, nodes: Range<NodeId>) -> String {
    let tree = &page.tree;
    let mut text = String::new();
    let mut at = nodes.start;
    while at < nodes.end {
        let tag = tree.tag(at);
        if tag == Tag::Text {
            tree.append_text(at, &mut text, 0);
        } else if is_never_shown(tag) || is_hidden_in_line(tree, at) {
            at = tree.end(at);
            continue;
        } else if tag != Tag::A && !tag.is_formatting() && !text.ends_with(' ') && !text.is_empty() {
            text.push(' ');
        }
        at += 1;
    }
    text.truncate(text.trim_end().len());
    text
}
