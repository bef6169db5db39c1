//! The posts of a thread: who said what, and when.
//!
//! Programs of forums agree on nothing but this: posts are elements of one kind, side by side or in each other, and in
//! each stand a name, a time and what was said. So the kind of elements is looked for of which most have a name and a
//! time ([`marks`]) and that hold most of what was taken of the page. Which elements are of one kind, their first class
//! tells, or their id without its number; what says in its markup that it is a post is of one kind with all others that
//! do.

mod lines;
mod marks;
#[cfg(test)]
mod tests;
mod trappings;

use std::collections::BTreeMap;

use rustc_hash::FxHashMap;
use tamis_html::{Container, Name, NodeId, Tag};

use crate::features::Page;
pub(crate) use marks::Time;
use marks::{Mark, Marks};

/// Types of schema.org that posts have.
const TYPES: [&str; 6] =
    ["DiscussionForumPosting", "SocialMediaPosting", "Comment", "UserComments", "Question", "Answer"];
/// One post makes no thread, unless it says that it is one.
const LEAST: usize = 2;
/// So many of the elements of a kind must have a name and a time to be posts.
const MOST_ARE_FULL: f32 = 0.6;
/// So much of what was taken must lie in posts: else they stand beside something else.
const MOST_OF_PAGE: f32 = 0.5;
/// Of two kinds that hold as much as each other but for this, the one with more posts is meant.
const AS_MUCH: f32 = 0.9;
/// A line of name and time has no more other words than this.
const MOST_BESIDE: f32 = 8.0;
/// Blocks within which a linked heading begins an element that leads to another page.
const FIRST_BLOCKS: usize = 4;
/// Words of such a heading.
const LEAST_TITLE_WORDS: f32 = 4.0;

/// A post.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Post {
    /// The blocks that were taken of it, but for the lines of its name and time.
    pub(crate) blocks: Vec<usize>,
    /// Who said it, as the page shows the name.
    pub(crate) author: Option<String>,
    /// When it was said.
    pub(crate) time: Option<Time>,
}

/// Makes wholes of the posts of a page, if it is a thread: see [`lines`] and [`trappings`].
pub(crate) fn complete(page: &Page<'_>, selected: &mut [bool]) {
    if !trappings::may_be_thread(page) {
        return;
    }
    let Some(thread) = Thread::of(page, selected) else { return };
    trappings::leave(page, &thread, selected);
    lines::even_out(page, &thread, selected);
}

/// A page that is a thread.
pub(crate) struct Thread {
    /// For each block element the post that it is or lies in, by its element.
    posts: Vec<Option<usize>>,
    /// For the elements right above a post the post.
    heads: FxHashMap<usize, usize>,
    marks: Marks,
}

impl Thread {
    /// Looks for the posts of a page; `taken` are the blocks that were taken of it, or are likely to be.
    pub(crate) fn of(page: &Page<'_>, taken: &[bool]) -> Option<Self> {
        let kinds = kinds(page);
        let mut tallies = words(page, &kinds, taken);
        let n_words: f32 = taken_blocks(taken).map(|block| page.n_words(block)).sum();
        // Marks are looked for on all of the page, and most pages with elements named for posts have none that hold
        // enough of it.
        if !may_be_posts(&kinds, &tallies, n_words) {
            return None;
        }
        let marks = Marks::of(page);
        tally(page, &kinds, &marks, &mut tallies);
        let kind = thread(page, &kinds, &tallies, n_words)?;
        let mut posts: Vec<Option<usize>> = Vec::with_capacity(kinds.len());
        for (container, own) in kinds.iter().enumerate() {
            let above = posts.get(page.parent(container)).copied().flatten();
            posts.push(if *own == Some(kind) { Some(container) } else { above });
        }
        let before = before(page, &kinds).into_iter().enumerate();
        let head = |(container, before): (usize, Option<usize>)| Some((before?, container));
        let heads =
            before.filter(|(container, _)| kinds[*container] == Some(kind)).filter_map(head).collect();
        Some(Self { posts, heads, marks })
    }

    /// The post in which a block lies.
    fn post(&self, page: &Page<'_>, block: usize) -> Option<usize> {
        self.posts.get(page.container(block)).copied().flatten()
    }

    /// The post above which an element stands, or the one around it.
    fn post_below(&self, page: &Page<'_>, container: usize) -> Option<usize> {
        let up = |container: &usize| (*container > 0).then(|| page.parent(*container));
        std::iter::successors(Some(container), up).find_map(|container| self.heads.get(&container).copied())
    }

    /// The posts in document order; those of which nothing was taken but their lines of name and time are left out.
    pub(crate) fn posts(&self, page: &Page<'_>, taken: &[bool]) -> Vec<Post> {
        self.members(page, taken).into_values().filter_map(|member| member.read(page)).collect()
    }

    /// The posts of which something was taken, by their elements.
    fn members(&self, page: &Page<'_>, taken: &[bool]) -> BTreeMap<usize, Member<'_>> {
        let mut members: BTreeMap<usize, Member<'_>> = BTreeMap::new();
        for block in taken_blocks(taken) {
            if let Some(post) = self.post(page, block) {
                members.entry(post).or_default().blocks.push(block);
            }
        }
        for (marks, is_name) in [(&self.marks.names, true), (&self.marks.times, false)] {
            for mark in marks {
                // The line above a reply lies in the post that it replies to, where posts lie in each other; that post has
                // a line of its own before.
                let own = self.posts.get(mark.container).copied().flatten();
                let below = self.post_below(page, mark.container);
                for (post, is_above) in [(own, false), (below.filter(|it| own != Some(*it)), true)] {
                    let Some(member) = post.and_then(|post| members.get_mut(&post)) else { continue };
                    let marks = if is_name { &mut member.names } else { &mut member.times };
                    marks.push((mark, is_above));
                }
            }
        }
        members
    }
}

fn taken_blocks(taken: &[bool]) -> impl Iterator<Item = usize> + '_ {
    taken.iter().enumerate().filter(|(_, taken)| **taken).map(|(block, _)| block)
}

/// What kind of element something is.
type Kind = u64;
/// The kind of all elements that say in their markup that they are posts.
const TYPED: Kind = 1;

/// The kind of each block element that may be a post.
fn kinds(page: &Page<'_>) -> Vec<Option<Kind>> {
    page.blocks.containers.iter().map(|container| kind(page, container)).collect()
}

/// Whether a type of schema.org is that of a post.
fn is_type_of_post(item_type: &str) -> bool {
    TYPES.contains(&item_type.trim().rsplit('/').next().unwrap_or_default())
}

fn kind(page: &Page<'_>, container: &Container) -> Option<Kind> {
    let tag = container.tag;
    if matches!(tag, Tag::Root | Tag::Html | Tag::Body | Tag::Main | Tag::P) || tag.heading_level().is_some()
    {
        return None;
    }
    let names = [Name::ItemType, Name::Class, Name::Id];
    let [item_type, class, id] = page.tree.attributes(container.node(), names);
    if item_type.is_some_and(is_type_of_post) {
        return Some(TYPED);
    }
    let first = class.and_then(|class| class.split_ascii_whitespace().next());
    // Ids are of one page each, so that of a post has its number in it.
    let id = id.filter(|id| id.bytes().any(|byte| byte.is_ascii_digit()));
    let name = first.or(id)?;
    let letters = name.bytes().filter(|byte| !byte.is_ascii_digit());
    let start = 0xCBF2_9CE4_8422_2325 ^ tag as u64;
    // The hash is never kept: FNV-1a, with its lowest bit cleared, so that it is not `TYPED`.
    Some(letters.fold(start, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01B3)) & !1)
}

/// What lies in an element and in none of its kind inside it.
#[derive(Debug, Clone, Copy, Default)]
struct Tally {
    names: u32,
    times: u32,
    words: f32,
}

/// The words that each block element holds for itself of what was taken.
fn words(page: &Page<'_>, kinds: &[Option<Kind>], taken: &[bool]) -> Vec<Tally> {
    let mut tallies = vec![Tally::default(); kinds.len()];
    let mut above = Vec::new();
    for block in taken_blocks(taken) {
        nearest_of_each_kind(page, kinds, page.container(block), &mut above);
        for (_, container) in &above {
            tallies[*container].words += page.n_words(block);
        }
    }
    tallies
}

/// Whether elements of one kind hold as much of what was taken as the posts of a thread do.
fn may_be_posts(kinds: &[Option<Kind>], tallies: &[Tally], n_words: f32) -> bool {
    let mut held: FxHashMap<Kind, (usize, f32)> = FxHashMap::default();
    for (kind, tally) in kinds.iter().zip(tallies).filter(|(_, tally)| tally.words > 0.0) {
        if let Some(kind) = *kind {
            let (n_said, words) = held.entry(kind).or_default();
            *n_said += 1;
            *words += tally.words;
        }
    }
    held.into_iter()
        .any(|(kind, (n_said, words))| n_said >= least_of(kind) && words >= MOST_OF_PAGE * n_words)
}

/// So many elements of a kind are posts of a thread.
fn least_of(kind: Kind) -> usize {
    if kind == TYPED { 1 } else { LEAST }
}

/// Counts the names and times that each block element holds for itself; what stands right before it in an element of another kind counts where it
/// has no name or time of its own: some programs write them into a line above the post.
fn tally(page: &Page<'_>, kinds: &[Option<Kind>], marks: &Marks, tallies: &mut [Tally]) {
    let mut above = Vec::new();
    let mut add = |container: usize, what: &dyn Fn(&mut Tally)| {
        nearest_of_each_kind(page, kinds, container, &mut above);
        for (_, container) in &above {
            what(&mut tallies[*container]);
        }
    };
    for mark in &marks.names {
        add(mark.container, &|tally| tally.names += 1);
    }
    for mark in &marks.times {
        add(mark.container, &|tally| tally.times += 1);
    }
    for (container, before) in before(page, kinds).into_iter().enumerate() {
        let Some(nodes) = before.map(|before| nodes(page, before)) else { continue };
        let tally = &mut tallies[container];
        tally.names += u32::from(tally.names == 0 && marks::any(&marks.names, &nodes));
        tally.times += u32::from(tally.times == 0 && marks::any(&marks.times, &nodes));
    }
}

/// The innermost of each kind of the elements around and including one.
fn nearest_of_each_kind(
    page: &Page<'_>,
    kinds: &[Option<Kind>],
    container: usize,
    found: &mut Vec<(Kind, usize)>,
) {
    found.clear();
    let mut container = container;
    while container > 0 {
        if let Some(kind) = kinds[container]
            && found.iter().all(|(other, _)| *other != kind)
        {
            found.push((kind, container));
        }
        container = page.parent(container);
    }
}

/// For each block element the one that ends before it in the same element, if that is of another kind.
fn before(page: &Page<'_>, kinds: &[Option<Kind>]) -> Vec<Option<usize>> {
    let mut last_inside: Vec<Option<usize>> = vec![None; kinds.len()];
    let mut before = vec![None; kinds.len()];
    for container in 1..kinds.len() {
        let last = last_inside[page.parent(container)].replace(container);
        before[container] = last.filter(|last| kinds[*last] != kinds[container]);
    }
    before
}

fn nodes(page: &Page<'_>, container: usize) -> std::ops::Range<NodeId> {
    let node = page.blocks.containers.get(container).map_or(0, Container::node);
    node..page.tree.end(node)
}

/// What the elements of a kind hold together.
#[derive(Debug, Clone, Copy, Default)]
struct Group {
    kind: Kind,
    /// Those of which something was taken, and those of them with a name and a time.
    n_said: usize,
    n_full: usize,
    n_words: f32,
    /// Those that begin with a linked heading.
    n_teasers: usize,
}

/// The kind of elements that are the posts of a thread.
fn thread(page: &Page<'_>, kinds: &[Option<Kind>], tallies: &[Tally], n_words: f32) -> Option<Kind> {
    let mut numbers: FxHashMap<Kind, usize> = FxHashMap::default();
    let mut groups: Vec<Group> = Vec::new();
    for (container, kind) in kinds.iter().enumerate() {
        let (Some(kind), tally) = (*kind, tallies[container]) else { continue };
        if tally.words == 0.0 {
            continue;
        }
        let number = *numbers.entry(kind).or_insert(groups.len());
        if number == groups.len() {
            groups.push(Group { kind, ..Group::default() });
        }
        let group = &mut groups[number];
        group.n_said += 1;
        group.n_words += tally.words;
        let is_full = tally.names > 0 && tally.times > 0;
        group.n_full += usize::from(is_full);
        group.n_teasers += usize::from(is_full && is_teaser(page, container));
    }
    groups.retain(|group| {
        group.n_full >= least_of(group.kind)
            && group.n_full as f32 >= MOST_ARE_FULL * group.n_said as f32
            && group.n_words >= MOST_OF_PAGE * n_words
            && group.n_teasers * 2 <= group.n_full
    });
    let most = groups.iter().map(|group| group.n_words).fold(0.0, f32::max);
    groups.retain(|group| group.n_words >= AS_MUCH * most);
    // The first of them is the outermost.
    groups
        .into_iter()
        .reduce(|best, group| if group.n_full > best.n_full { group } else { best })
        .map(|it| it.kind)
}

/// Whether an element begins with a heading that is a link to another page, and not to itself.
fn is_teaser(page: &Page<'_>, container: usize) -> bool {
    // A shorter one may be a name.
    let is_title = |block: &usize| page.is_heading(*block) && page.n_words(*block) >= LEAST_TITLE_WORDS;
    let heading = page.range(container).take(FIRST_BLOCKS).find(is_title);
    let Some(heading) = heading.and_then(|block| page.blocks.blocks.get(block)) else { return false };
    let around = heading.nodes().start.saturating_sub(2)..heading.nodes().end;
    let link = around.filter(|node| page.tree.tag(*node) == Tag::A);
    let mut addresses = link.filter_map(|node| page.tree.attribute(node, Name::Href));
    addresses.any(|address| !address.contains('#'))
}

/// What was found of a post: its blocks, and its marks with whether they stand in the line above it.
#[derive(Default)]
struct Member<'m> {
    blocks: Vec<usize>,
    names: Vec<(&'m Mark, bool)>,
    times: Vec<(&'m Mark, bool)>,
}

impl Member<'_> {
    /// Reads it, if more was taken of it than the lines of its name and time.
    fn read(mut self, page: &Page<'_>) -> Option<Post> {
        let author = best(&self.names, |mark| marks::name(page, mark));
        let time = best(&self.times, |mark| marks::time(page, mark));
        let lines = [author.as_ref().map(|(mark, _)| *mark), time.as_ref().map(|(mark, _)| *mark)];
        let is_head = |block: &usize| {
            let Some(nodes) = page.blocks.blocks.get(*block).map(tamis_html::Block::nodes) else {
                return false;
            };
            let own = lines.iter().flatten().filter(|mark| mark.meets(&nodes));
            let n_words: f32 = own.map(|mark| mark.n_words as f32).sum();
            n_words > 0.0 && page.n_words(*block) <= n_words + MOST_BESIDE
        };
        self.blocks.retain(|block| !is_head(block));
        (!self.blocks.is_empty()).then(|| Post {
            blocks: self.blocks,
            author: author.map(|(_, name)| name),
            time: time.map(|(_, time)| time),
        })
    }
}

/// The block that is the line of the name or the time of a post, of which these are the marks.
fn line<T>(page: &Page<'_>, marks: &[(&Mark, bool)], read: impl Fn(&Mark) -> Option<T>) -> Option<usize> {
    let (mark, _) = best(marks, read)?;
    let blocks = &page.blocks.blocks;
    let first = blocks.partition_point(|block| block.nodes().end <= mark.nodes.start);
    let is_line = |block: usize| {
        blocks.get(block).is_some_and(|it| mark.meets(&it.nodes()))
            && page.n_words(block) <= mark.n_words as f32 + MOST_BESIDE
    };
    Some(first).filter(|first| is_line(*first))
}

/// The first that can be read of the marks that are surest; those of the post itself go before those above it.
fn best<'m, T>(marks: &[(&'m Mark, bool)], read: impl Fn(&Mark) -> Option<T>) -> Option<(&'m Mark, T)> {
    let mut marks: Vec<&(&Mark, bool)> = marks.iter().collect();
    marks.sort_by_key(|(mark, is_above)| (*is_above, mark.doubt));
    marks.into_iter().find_map(|(mark, _)| Some((*mark, read(mark)?)))
}
