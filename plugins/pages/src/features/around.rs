//! What the elements around a block say about it.

use std::hash::{Hash, Hasher};
use std::ops::Range;
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

/// Which of the block elements of a page have a sum of their own.
#[derive(Debug, Default)]
struct Stored(Vec<StoredOf64>);

/// Which of 64 elements do, and how many do before them.
#[derive(Debug, Clone, Copy, Default)]
struct StoredOf64 {
    bits: u64,
    n_before: u32,
}

impl Stored {
    /// Notes that an element does, and `n_before` before it; elements come in order.
    fn note(&mut self, container: usize, n_before: usize) {
        let at = container / 64;
        if at >= self.0.len() {
            self.0.resize(at + 1, StoredOf64 { bits: 0, n_before: n_before as u32 });
        }
        self.0[at].bits |= 1 << (container % 64);
    }

    /// How many come before an element that does.
    fn number(&self, container: usize) -> Option<usize> {
        let StoredOf64 { bits, n_before } = *self.0.get(container / 64)?;
        let below = bits & ((1 << (container % 64)) - 1);
        (bits >> (container % 64) & 1 == 1).then(|| n_before as usize + below.count_ones() as usize)
    }
}

/// Of a page of no more elements all have a sum of their own: to look one up is then an index.
const FEW_ELEMENTS: usize = 4096;

/// Sums over the blocks of each block element, and over all.
///
/// `N` values of every block are added up in order; an element has the difference between what was reached at its
/// end and at its start. The sums up to every block would take as much again for each of a million lines that
/// only `<br>` parts.
///
/// Most elements hold one block, and what it has is their sum unless the difference was rounded. On a page of many elements
/// those have none of their own: sums of all were an eighth of what a page takes that has an element in four bytes.
pub(super) struct Sums<const N: usize> {
    of_stored: Vec<[f32; N]>,
    /// Where not all elements have a sum of their own, those that do.
    stored: Option<Stored>,
    pub(super) all: [f32; N],
}

impl<const N: usize> Sums<N> {
    pub(super) fn of(blocks: &Blocks, values: impl FnMut(usize) -> [f32; N]) -> Self {
        let is_sparse = blocks.containers.len() > FEW_ELEMENTS;
        Self::sparse_or_not(blocks, is_sparse, values)
    }

    fn sparse_or_not(blocks: &Blocks, is_sparse: bool, mut values: impl FnMut(usize) -> [f32; N]) -> Self {
        let containers = &blocks.containers;
        let mut sums = Self {
            // Nearly all may be needed, and what grows is in memory twice.
            of_stored: Vec::with_capacity(containers.len()),
            stored: is_sparse.then(Stored::default),
            all: [0.0; N],
        };
        // Where the elements that were begun end, and where their sums stand.
        let mut open: Vec<(usize, usize)> = Vec::new();
        let mut next = 0;
        for block in 0..=blocks.blocks.len() {
            // Elements come in document order and lie in each other, so the last that was begun ends first.
            sums.end(&mut open, block);
            let before = sums.all;
            let mut is_rounded = false;
            if block < blocks.blocks.len() {
                let own = values(block);
                for (sum, value) in sums.all.iter_mut().zip(own) {
                    *sum += value;
                }
                let is_same = |at: usize| (sums.all[at] - before[at]).to_bits() == own[at].to_bits();
                is_rounded = is_sparse && !(0..N).all(is_same);
            }
            while let Some(inside) = containers.get(next).map(Container::blocks)
                && inside.start <= block
            {
                let is_told = inside.len() <= usize::from(!is_rounded);
                if inside.is_empty() {
                    sums.begin(next, [0.0; N], is_told);
                } else if let Some(place) = sums.begin(next, before, is_told) {
                    open.push((inside.end, place));
                }
                next += 1;
            }
        }
        sums.of_stored.shrink_to_fit();
        sums
    }

    /// Begins with an element, before which the sums are these, and says where its own stand; `is_told`: by its one block,
    /// or by none.
    #[inline]
    fn begin(&mut self, container: usize, before: [f32; N], is_told: bool) -> Option<usize> {
        let place = self.of_stored.len();
        if let Some(stored) = &mut self.stored {
            if is_told {
                return None;
            }
            stored.note(container, place);
        }
        self.of_stored.push(before);
        Some(place)
    }

    /// The sums of an element, in which these blocks are; `of_block` are the values of a block.
    #[inline]
    pub(super) fn of_container(
        &self,
        container: usize,
        blocks: impl FnOnce() -> Range<usize>,
        of_block: impl FnOnce(usize) -> [f32; N],
    ) -> [f32; N] {
        let place = match &self.stored {
            None => Some(container),
            Some(stored) => stored.number(container),
        };
        if let Some(sums) = place.and_then(|place| self.of_stored.get(place)) {
            return *sums;
        }
        let blocks = blocks();
        if blocks.is_empty() { [0.0; N] } else { of_block(blocks.start) }
    }

    /// Ends the elements that end before a block.
    fn end(&mut self, open: &mut Vec<(usize, usize)>, block: usize) {
        while let Some((_, at)) = open.pop_if(|(end, _)| *end <= block) {
            for (sum, all) in self.of_stored[at].iter_mut().zip(self.all) {
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
    /// Ends of sentences and commas.
    pub(super) n_pointed: f32,
    /// Words in blocks that look like prose.
    pub(super) n_prose: f32,
}

impl Sum {
    /// What a block adds to [`Sums`].
    pub(super) fn values(measures: &Measures, link: f32, prose: f32) -> [f32; 4] {
        let words = measures.n_words as f32;
        [words, words * link, (measures.n_stops + measures.n_commas) as f32, words * prose]
    }

    pub(super) fn new(n_blocks: usize, [n_words, n_linked, n_pointed, n_prose]: [f32; 4]) -> Self {
        Self { n_blocks: n_blocks as f32, n_words, n_linked, n_pointed, n_prose }
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

#[cfg(test)]
mod tests {
    use super::*;

    /// The bits of the sums of all elements of a page, and how many have their own.
    fn summed(source: &str, is_sparse: bool, value: fn(usize) -> f32) -> (Vec<[u32; 2]>, usize) {
        let blocks = Blocks::of(&tamis_html::parse(source).expect("short"));
        let values = |block: usize| [1.0, value(block)];
        let sums = Sums::sparse_or_not(&blocks, is_sparse, values);
        let of = |at: usize| sums.of_container(at, || blocks.containers[at].blocks(), values);
        let all = (0..blocks.containers.len()).map(|at| of(at).map(f32::to_bits));
        (all.collect(), sums.of_stored.len())
    }

    #[test]
    fn sums_are_the_same_whether_all_elements_have_their_own_or_not() {
        let list = "<ul><li>a<li><b>b</b><p>c</p><li></ul>".repeat(30);
        let nested = format!("{}x{}<i></i>", "<div>".repeat(70), "y</div>".repeat(70));
        let values: [fn(usize) -> f32; 3] =
            [|_| 2.0, |block| 0.1 + block as f32 / 3.0, |block| (block % 3) as f32 * -0.7];
        for source in ["", "x", "<p>x", &"<p>x".repeat(200), &list, &nested, &(list.clone() + &nested)] {
            for value in values {
                let (all, n_stored) = summed(source, false, value);
                assert_eq!(n_stored, all.len());
                assert_eq!(summed(source, true, value).0, all, "{source}");
            }
        }
    }

    #[test]
    fn elements_of_one_block_have_no_sum_of_their_own_unless_it_was_rounded() {
        let paragraphs = "<p>x".repeat(200);
        assert_eq!(summed(&paragraphs, true, |_| 2.0).1, 1, "the root");
        assert!(summed(&paragraphs, true, |_| 0.1).1 > 100);
    }
}
