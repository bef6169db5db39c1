//! What programs of forums put around each post: signatures, ranks and numbers of members, buttons.
//!
//! It is said again and again, so that the models take it for a part of what it stands around. Names and times are none
//! of it: whether they stay is for the models to say.

use std::collections::BTreeMap;

use rustc_hash::FxHashSet;
use tamis_html::{Container, Name};

use super::Thread;
use super::marks::any_word;
use crate::discussion::words;
use crate::features::Page;

/// Words of class names of what members put below all of their posts.
const SIGNATURES: [&str; 7] =
    ["sig", "sign", "signature", "signatures", "postsignature", "usersig", "usersignature"];
/// Words of class names of what is known of who posts, some joined out of two.
const MEMBERS: [&str; 22] = [
    "authorbadge",
    "authorpane",
    "authorstats",
    "postprofile",
    "posterinfo",
    "profilefields",
    "userbadge",
    "userbanner",
    "userdetails",
    "userextras",
    "userfields",
    "userrank",
    "userstats",
    "usertitle",
    "userpostcount",
    "memberstats",
    "membertitle",
    "memberrank",
    "postcount",
    "postercount",
    "rank",
    "useronline",
];
/// A longer line is something that was said, words.
const MOST_MEMBER_WORDS: f32 = 8.0;
const MOST_NOTE_WORDS: f32 = 24.0;
const MOST_LABEL_WORDS: f32 = 3.0;
/// What ends a line that was said: three members may say thanks.
const ENDS: [char; 7] = ['.', '!', '?', ',', '。', '！', '？'];
/// A label that stands in so many posts is one of the program, and in such a part of all.
const LEAST_POSTS: usize = 3;
const MOST_OF_POSTS: f32 = 0.3;
/// How lines begin that tell of a change of a post, lower case.
const NOTES: [&str; 8] = [
    "last edited",
    "edited by",
    "edited on",
    "last modified",
    "本帖最后由",
    "此帖最后",
    "最后编辑",
    "最近编辑",
];
/// What is told of members, lower case.
const FACTS: [&str; 34] = [
    "join date",
    "joined",
    "last seen",
    "likes received",
    "location",
    "member since",
    "messages",
    "points",
    "posts",
    "reaction score",
    "registered",
    "reputation",
    "thanked",
    "threads",
    "topics",
    "trophy points",
    "uid",
    "主题",
    "主題",
    "会员",
    "在线时间",
    "威望",
    "帖子",
    "帖数",
    "最后登录",
    "注册时间",
    "注冊時間",
    "积分",
    "積分",
    "精华",
    "经验",
    "贡献",
    "金币",
    "阅读权限",
];
/// Lines that unfold a quotation, lower case.
const UNFOLD: [&str; 5] =
    ["click to expand", "click to expand...", "click to expand…", "expand", "expand_more"];
/// What is counted at a post, lower case.
const COUNTED: [&str; 10] =
    ["like", "likes", "reply", "replies", "view", "views", "vote", "votes", "upvotes", "reactions"];
/// Leaves what stands around the posts of a thread.
///
/// It is left behind the choice and not made unlikely before it: the less of a page is likely, the surer must be what is
/// taken of it, and of the posts that were in doubt some went with their signatures.
pub(super) fn leave(page: &Page<'_>, thread: &Thread, selected: &mut [bool]) {
    let is_line_of_mark = lines_of_marks(page, thread);
    let labels = labels(page, thread);
    let named = Named::of(page);
    for (block, selected) in selected.iter_mut().enumerate().filter(|(_, selected)| **selected) {
        if thread.post(page, block).is_none() {
            continue;
        }
        let container = page.container(block);
        let is_of_member = named.member[container] && page.n_words(block) <= MOST_MEMBER_WORDS;
        let is_trapping = named.signature[container]
            || is_note(page, block)
            || !is_line_of_mark[block] && (is_of_member || is_fact(page, block) || labels.contains(&block));
        *selected &= !is_trapping;
    }
}

/// Whether two elements at least are named for posts: looking for a thread takes a walk over all elements.
pub(super) fn may_be_thread(page: &Page<'_>) -> bool {
    let is_post = |(at, container): &(usize, &Container)| {
        let item_type = || page.tree.attribute(container.node(), Name::ItemType);
        page.speaks_of_posts(*at) || item_type().is_some_and(super::is_type_of_post)
    };
    page.blocks.containers.iter().enumerate().filter(is_post).nth(1).is_some()
}

/// For each block whether it is the line of a name or a time.
fn lines_of_marks(page: &Page<'_>, thread: &Thread) -> Vec<bool> {
    let mut is_line = vec![false; page.n_blocks()];
    let blocks = &page.blocks.blocks;
    for mark in thread.marks.names.iter().chain(&thread.marks.times) {
        let first = blocks.partition_point(|block| block.nodes().end <= mark.nodes.start);
        let meeting = blocks.iter().skip(first).take_while(|block| mark.meets(&block.nodes()));
        let n = meeting.count();
        is_line.get_mut(first..first + n).into_iter().for_each(|lines| lines.fill(true));
    }
    is_line
}

/// Which block elements are, or lie in, one that is named for signatures or for members.
struct Named {
    signature: Vec<bool>,
    member: Vec<bool>,
}

impl Named {
    fn of(page: &Page<'_>) -> Self {
        let mut named = Self { signature: Vec::new(), member: Vec::new() };
        for container in &page.blocks.containers {
            let class = page.tree.attribute(container.node(), Name::Class).unwrap_or_default();
            let above = |names: &[bool]| names.get(container.parent()).copied().unwrap_or(false);
            let (signature, member) = (above(&named.signature), above(&named.member));
            named.signature.push(signature || any_word(class, &SIGNATURES));
            named.member.push(member || says(class, &MEMBERS));
        }
        named
    }
}

/// Whether a word of a class name is one of a list, or two that follow each other are, joined.
fn says(class: &str, list: &[&str]) -> bool {
    class.split_ascii_whitespace().any(|class| {
        let mut before = "";
        words(class).any(|word| {
            let is_joined = |it: &&str| {
                let (start, end) = it.split_at_checked(before.len()).unwrap_or_default();
                !start.is_empty() && start.eq_ignore_ascii_case(before) && end.eq_ignore_ascii_case(word)
            };
            let is_said = list.iter().any(|it| word.eq_ignore_ascii_case(it)) || list.iter().any(is_joined);
            before = word;
            is_said
        })
    })
}

/// Whether a line tells of a change, unfolds a quotation, counts what a post got or numbers it.
fn is_note(page: &Page<'_>, block: usize) -> bool {
    let n_words = page.n_words(block);
    if n_words > MOST_NOTE_WORDS {
        return false;
    }
    let line = page.text(block).trim().to_lowercase();
    let is_number =
        |word: &str| word.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'.' | b',' | b'k'));
    let counts = || {
        let mut words = line.split_whitespace();
        let (number, what) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
        is_number(number) && COUNTED.contains(&what) && words.next().is_none()
    };
    let numbers = || {
        line.strip_prefix("post ").unwrap_or(&line).strip_prefix('#').is_some_and(|it| is_number(it.trim()))
    };
    NOTES.iter().any(|note| line.starts_with(note))
        || UNFOLD.contains(&line.as_str())
        || counts()
        || numbers()
}

/// Whether a line tells something of a member: `Posts: 1,204`, or `Posts` beside a cell with the number.
fn is_fact(page: &Page<'_>, block: usize) -> bool {
    let line = page.text(block).trim().to_lowercase();
    if page.n_words(block) > MOST_MEMBER_WORDS || line.ends_with(ENDS) {
        return false;
    }
    let is_fact = |label: &&str| {
        let Some(rest) = line.strip_prefix(*label) else { return false };
        let value = rest.trim_start_matches([':', '：', ' ']);
        rest.is_empty() || rest.starts_with([':', '：']) || value.starts_with(|c: char| c.is_ascii_digit())
    };
    FACTS.iter().any(is_fact)
}

/// Short lines that stand at the same place in many posts.
fn labels(page: &Page<'_>, thread: &Thread) -> FxHashSet<usize> {
    let mut places: BTreeMap<(&str, u64), Vec<(usize, usize)>> = BTreeMap::new();
    let mut posts: FxHashSet<usize> = FxHashSet::default();
    for block in 0..page.n_blocks() {
        let Some(post) = thread.post(page, block) else { continue };
        posts.insert(post);
        let text = page.text(block);
        let is_said = text.ends_with(ENDS);
        // Who is quoted stands before what was said.
        let is_quoted = page.n_words(block) > 1.0 && text.ends_with([':', '：']);
        if page.n_words(block) <= MOST_LABEL_WORDS && !is_said && !is_quoted {
            places
                .entry((page.text(block), page.signature(page.container(block))))
                .or_default()
                .push((block, post));
        }
    }
    let least = LEAST_POSTS.max((posts.len() as f32 * MOST_OF_POSTS) as usize);
    let is_label = |places: &Vec<(usize, usize)>| {
        let mut posts: Vec<usize> = places.iter().map(|(_, post)| *post).collect();
        posts.dedup();
        posts.len() >= least
    };
    places.into_values().filter(is_label).flatten().map(|(block, _)| block).collect()
}
