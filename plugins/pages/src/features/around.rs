//! What the elements around a block say about it.

use std::hash::{Hash, Hasher};
use std::sync::LazyLock;

use rustc_hash::{FxHashMap, FxHasher};
use tamis_html::{Blocks, Container, Name, Tag, Tree, is_hidden};

use super::measure::Measures;
use super::words::{N_GROUPS, POSTS_BIT, Words};

/// A distance that stands for "not there".
pub(super) const FAR: u8 = 12;

/// Elements whose nearness matters.
pub(super) const ELEMENTS: &[(&str, &[Tag])] = &[
    ("in:nav", &[Tag::Nav, Tag::Menu]),
    ("in:header", &[Tag::Header, Tag::Hgroup]),
    ("in:footer", &[Tag::Footer]),
    ("in:aside", &[Tag::Aside]),
    ("in:form", &[Tag::Form, Tag::Fieldset, Tag::Label]),
    ("in:table", &[Tag::Table]),
    ("in:cell", &[Tag::Td, Tag::Th]),
    ("in:list", &[Tag::Ul, Tag::Ol, Tag::Dl]),
    ("in:item", &[Tag::Li, Tag::Dt, Tag::Dd]),
    ("in:article", &[Tag::Article]),
    ("in:main", &[Tag::Main]),
    ("in:section", &[Tag::Section]),
    ("in:figure", &[Tag::Figure, Tag::Figcaption, Tag::Caption]),
    ("in:button", &[Tag::Button, Tag::Option, Tag::Summary]),
    ("in:quote", &[Tag::Blockquote]),
    ("in:pre", &[Tag::Pre]),
    ("in:paragraph", &[Tag::P]),
    ("in:heading", &[Tag::H1, Tag::H2, Tag::H3, Tag::H4, Tag::H5, Tag::H6]),
    ("in:div", &[Tag::Div]),
    ("in:dialog", &[Tag::Dialog]),
];

/// Roles that make any element one of [`ELEMENTS`] (landmarks and widgets: WAI-ARIA 1.2).
const ROLES: &[(&str, &str)] = &[
    ("navigation", "in:nav"),
    ("menu", "in:nav"),
    ("menubar", "in:nav"),
    ("banner", "in:header"),
    ("contentinfo", "in:footer"),
    ("complementary", "in:aside"),
    ("search", "in:form"),
    ("form", "in:form"),
    ("article", "in:article"),
    ("main", "in:main"),
    ("region", "in:section"),
    ("button", "in:button"),
    ("dialog", "in:dialog"),
    ("alertdialog", "in:dialog"),
    ("tooltip", "in:dialog"),
];

/// For each tag, in order, a bit for each of [`ELEMENTS`].
static OF_TAG: LazyLock<Vec<u32>> =
    LazyLock::new(|| Tag::ALL.iter().map(|tag| bits_where(|element| element.1.contains(tag))).collect());

fn bits_where(is: impl Fn(&(&str, &[Tag])) -> bool) -> u32 {
    ELEMENTS.iter().enumerate().filter(|(_, element)| is(element)).fold(0, |bits, (at, _)| bits | 1 << at)
}

/// What is known of a block element.
#[derive(Debug, Clone)]
#[expect(clippy::struct_excessive_bools, reason = "each is said or not said by the markup")]
pub(super) struct Around {
    /// How many elements up the nearest with a word of the group is; 0 for itself.
    pub(super) words: [u8; N_GROUPS],
    /// The same for [`ELEMENTS`].
    pub(super) elements: [u8; ELEMENTS.len()],
    pub(super) hidden: bool,
    /// Whether it or one around it is the body of an article by its markup.
    pub(super) article_body: bool,
    /// Whether assistive technology is told to pass over it.
    pub(super) aria_hidden: bool,
    /// Whether its own class or id has a word of posts.
    pub(super) of_posts: bool,
    /// Elements that look the same have the same.
    pub(super) signature: u64,
    /// The number of the signature among those of the page.
    pub(super) look: u32,
}

/// What is known of all block elements of a page.
///
/// The paragraphs of an article, the rows of a list, have the same around them, so what is known is held once for
/// all that are alike: a page may have an element in five bytes of source.
pub(super) struct Surroundings {
    known: Vec<Around>,
    /// For each block element, which of the known it has.
    of_container: Vec<u32>,
    /// How many different signatures the page has: what is summed up for each is an array and no map.
    pub(super) n_looks: usize,
}

impl Surroundings {
    pub(super) fn new(tree: &Tree<'_>, blocks: &Blocks, words: &Words) -> Self {
        let nothing = Around {
            words: [FAR; N_GROUPS],
            elements: [FAR; ELEMENTS.len()],
            hidden: false,
            article_body: false,
            aria_hidden: false,
            of_posts: false,
            signature: 0,
            look: 0,
        };
        let mut known = vec![nothing];
        let mut places: Map<Own, u32> = Map::default();
        let mut looks: Map<u64, u32> = [(0, 0)].into_iter().collect();
        // Names come again: a list has one class for all of its items.
        let mut known_names: Map<&str, Names> = Map::default();
        let mut of_names = |names| match names {
            "" => Names::default(),
            _ => *known_names.entry(names).or_insert_with(|| Names::of(names, words)),
        };
        let mut of_container: Vec<u32> = Vec::with_capacity(blocks.containers.len());
        for container in &blocks.containers {
            // The root is around itself, and nothing is known of it.
            let Some(&parent) = of_container.get(container.parent()) else {
                of_container.push(0);
                continue;
            };
            let Some(above) = known.get(parent as usize) else { continue };
            let own = Own::of(tree, container, (parent, above), &mut of_names);
            let place = *places.entry(own).or_insert(known.len() as u32);
            if place as usize == known.len() {
                let n_looks = looks.len() as u32;
                let look = *looks.entry(own.signature).or_insert(n_looks);
                known.push(Around { look, ..own.inside(above) });
            }
            of_container.push(place);
        }
        Self { known, of_container, n_looks: looks.len() }
    }

    /// What is known of a block element; of one that is not there, what is known of the root.
    pub(super) fn of(&self, container: usize) -> &Around {
        &self.known[self.of_container.get(container).map_or(0, |place| *place as usize)]
    }
}

/// What a class or an id says.
#[derive(Debug, Clone, Copy, Default)]
struct Names {
    /// The groups of its words, and [`POSTS_BIT`].
    groups: u64,
    /// The same for names that differ in digits alone.
    letters: u64,
}

impl Names {
    fn of(names: &str, words: &Words) -> Self {
        let mut hasher = FxHasher::default();
        for byte in names.bytes().filter(|byte| !byte.is_ascii_digit()) {
            hasher.write_u8(byte);
        }
        Self { groups: words.groups(names), letters: hasher.finish() }
    }
}

/// What an element says for itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is said or not said by the markup")]
struct Own {
    /// Which of the known is around it.
    parent: u32,
    /// A bit for each group of words.
    words: u64,
    /// A bit for each of [`ELEMENTS`].
    elements: u32,
    hidden: bool,
    article_body: bool,
    aria_hidden: bool,
    of_posts: bool,
    signature: u64,
}

impl Hash for Own {
    /// One number is enough to tell them apart, and hashing is what this costs.
    fn hash<H: Hasher>(&self, state: &mut H) {
        let others = u64::from(self.parent) << 32 | u64::from(self.elements);
        state.write_u64(self.signature ^ self.words.rotate_left(8) ^ others);
    }
}

impl Own {
    /// `of_names` tells what a class or an id says.
    fn of<'a>(
        tree: &Tree<'a>,
        container: &Container,
        (parent, above): (u32, &Around),
        of_names: &mut impl FnMut(&'a str) -> Names,
    ) -> Self {
        let node = container.node();
        let names = [Name::Class, Name::Id, Name::Role, Name::ItemProp, Name::AriaHidden];
        let attributes = tree.attributes(node, names);
        let [class, id, role, property, _] = attributes.map(Option::unwrap_or_default);
        // Whole pages are wrapped in elements with such words; what they say holds for nothing inside.
        let is_wrapper = matches!(container.tag, Tag::Body | Tag::Html);
        let of_class = of_names(class);
        let groups = of_class.groups | of_names(id).groups;
        let words = if is_wrapper { 0 } else { groups & !POSTS_BIT };
        let as_role = match role {
            "" => 0,
            _ => ROLES
                .iter()
                .find(|(known, _)| *known == role)
                .map_or(0, |(_, name)| bits_where(|element| element.0 == *name)),
        };
        Self {
            parent,
            words,
            elements: as_role | OF_TAG.get(container.tag as usize).copied().unwrap_or(0),
            hidden: is_hidden(tree, node),
            article_body: id == "js_content"
                || matches!(property, "articleBody" | "reviewBody" | "text" | "recipeInstructions"),
            aria_hidden: attributes[4] == Some("true"),
            of_posts: groups & POSTS_BIT != 0,
            signature: signature(container.tag, of_class.letters, above.signature),
        }
    }

    /// What is known of an element that says so, inside another.
    fn inside(self, above: &Around) -> Around {
        let mut around = above.clone();
        for distance in around.words.iter_mut().chain(&mut around.elements) {
            *distance = FAR.min(*distance + 1);
        }
        bits(self.words).for_each(|group| around.words[group] = 0);
        bits(self.elements.into()).for_each(|element| around.elements[element] = 0);
        around.hidden |= self.hidden;
        around.article_body |= self.article_body;
        around.aria_hidden |= self.aria_hidden;
        around.of_posts = self.of_posts;
        around.signature = self.signature;
        around
    }
}

/// The numbers of the bits that are set, in order.
fn bits(mut set: u64) -> impl Iterator<Item = usize> {
    std::iter::from_fn(move || {
        let bit = set.trailing_zeros();
        set &= set.wrapping_sub(1);
        (bit < u64::BITS).then_some(bit as usize)
    })
}

/// Tells apart elements by name, classes without digits, and what is around them.
fn signature(tag: Tag, class: u64, parent: u64) -> u64 {
    let mut hasher = FxHasher::default();
    hasher.write_u64(class ^ tag as u64);
    // The parent's own name counts, those above it do not: lists of the same kind lie in different places.
    hasher.write_u64(parent >> 32);
    let own = hasher.finish() & 0xFFFF_FFFF;
    own << 32 | parent >> 32
}

/// Sums over the blocks of each block element, and over all.
///
/// `N` values of every block are added up in order; an element has the difference between what was reached at its
/// end and at its start. The sums up to every block would take as much again for each of a million lines that
/// only `<br>` parts.
pub(super) struct Sums<const N: usize> {
    of_container: Vec<[f32; N]>,
    pub(super) all: [f32; N],
}

impl<const N: usize> Sums<N> {
    pub(super) fn of(blocks: &Blocks, mut values: impl FnMut(usize) -> [f32; N]) -> Self {
        let containers = &blocks.containers;
        let mut sums = Self { of_container: vec![[0.0; N]; containers.len()], all: [0.0; N] };
        let mut open: Vec<usize> = Vec::new();
        let mut next = 0;
        for block in 0..=blocks.blocks.len() {
            // Elements come in document order and lie in each other, so the last that was begun ends first.
            while containers.get(next).is_some_and(|it| it.blocks().start <= block) {
                sums.end(&mut open, block, containers);
                sums.of_container[next] = sums.all;
                open.push(next);
                next += 1;
            }
            sums.end(&mut open, block, containers);
            if block < blocks.blocks.len() {
                for (sum, value) in sums.all.iter_mut().zip(values(block)) {
                    *sum += value;
                }
            }
        }
        sums
    }

    /// The sums of an element.
    pub(super) fn of_container(&self, container: usize) -> [f32; N] {
        self.of_container.get(container).copied().unwrap_or([0.0; N])
    }

    /// Ends the elements that end before a block.
    fn end(&mut self, open: &mut Vec<usize>, block: usize, containers: &[Container]) {
        let ends = |container: &mut usize| {
            containers.get(*container).is_some_and(|container| container.blocks().end <= block)
        };
        while let Some(container) = open.pop_if(ends) {
            for (sum, all) in self.of_container[container].iter_mut().zip(self.all) {
                *sum = all - *sum;
            }
        }
    }
}

/// What is summed up for the first model.
#[expect(clippy::struct_field_names, reason = "all are counts")]
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Sum {
    pub(super) n_blocks: f32,
    pub(super) n_words: f32,
    pub(super) n_linked: f32,
    pub(super) n_stops: f32,
    pub(super) n_commas: f32,
    /// Words in blocks that look like prose.
    pub(super) n_prose: f32,
}

impl Sum {
    /// What a block adds to [`Sums`].
    pub(super) fn values(measures: &Measures, link: f32, prose: f32) -> [f32; 5] {
        let words = measures.n_words as f32;
        [words, words * link, measures.n_stops as f32, measures.n_commas as f32, words * prose]
    }

    pub(super) fn new(n_blocks: usize, [n_words, n_linked, n_stops, n_commas, n_prose]: [f32; 5]) -> Self {
        Self { n_blocks: n_blocks as f32, n_words, n_linked, n_stops, n_commas, n_prose }
    }
}

/// How often elements that look the same occur, and what they hold.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Likes {
    pub(super) n: f32,
    pub(super) n_words: f32,
    pub(super) n_linked: f32,
}

/// What is made of the element of each row, which neighbours mostly share: it is made anew where the element is another.
pub(super) fn of_each<T: Copy>(elements: impl Iterator<Item = u32>, make: impl Fn(usize) -> T) -> Vec<T> {
    let mut last: Option<(u32, T)> = None;
    let of = |element: u32| match last {
        Some((known, values)) if known == element => values,
        _ => last.insert((element, make(element as usize))).1,
    };
    elements.map(of).collect()
}

/// A map whose order depends on nothing but what is put in; it is never iterated.
pub(super) type Map<K, V> = FxHashMap<K, V>;

/// Blocks by the look of their element.
pub(super) fn likes(page: &super::Page<'_>) -> Vec<Likes> {
    let mut likes = vec![Likes::default(); page.n_looks()];
    for block in 0..page.n_blocks() {
        let n_words = page.n_words(block);
        let Some(like) = likes.get_mut(page.look(page.container(block))) else { continue };
        like.n += 1.0;
        like.n_words += n_words;
        like.n_linked += n_words * page.link(block);
    }
    likes
}
