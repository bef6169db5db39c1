//! What the elements around a block say about it.

use std::collections::HashMap;
use std::hash::BuildHasherDefault;
use std::hash::DefaultHasher;
use std::hash::{Hash, Hasher};

use tamis_html::{Blocks, Container, Name, Tag, Tree, is_hidden};

use super::measure::Measures;
use super::words::{N_GROUPS, Words};

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
    ("in:noscript", &[Tag::Noscript]),
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

/// What is known of a block element.
#[derive(Debug, Clone)]
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
    /// Elements that look the same have the same.
    pub(super) signature: u64,
}

/// What is known of all block elements of a page.
pub(super) fn all(tree: &Tree<'_>, blocks: &Blocks, words: &Words) -> Vec<Around> {
    let mut known: Vec<Around> = Vec::with_capacity(blocks.containers.len());
    for container in &blocks.containers {
        let around = match known.get(container.parent) {
            Some(parent) => one(tree, container, parent, words),
            None => Around {
                words: [FAR; N_GROUPS],
                elements: [FAR; ELEMENTS.len()],
                hidden: false,
                article_body: false,
                aria_hidden: false,
                signature: 0,
            },
        };
        known.push(around);
    }
    known
}

fn one(tree: &Tree<'_>, container: &Container, parent: &Around, words: &Words) -> Around {
    let node = container.node;
    let mut around = parent.clone();
    for distance in around.words.iter_mut().chain(&mut around.elements) {
        *distance = FAR.min(*distance + 1);
    }
    let class = tree.attribute(node, Name::Class).unwrap_or_default();
    let id = tree.attribute(node, Name::Id).unwrap_or_default();
    // Whole pages are wrapped in elements with such words; what they say holds for nothing inside.
    let is_wrapper = matches!(container.tag, Tag::Body | Tag::Html);
    let groups = if is_wrapper { 0 } else { words.groups(class) | words.groups(id) };
    for (group, distance) in around.words.iter_mut().enumerate() {
        if groups >> group & 1 == 1 {
            *distance = 0;
        }
    }
    let role = tree.attribute(node, Name::Role).unwrap_or_default();
    let as_role = ROLES.iter().find(|(known, _)| *known == role).map(|(_, element)| *element);
    for ((name, tags), distance) in ELEMENTS.iter().zip(&mut around.elements) {
        if tags.contains(&container.tag) || as_role == Some(*name) {
            *distance = 0;
        }
    }
    around.aria_hidden |= tree.attribute(node, Name::AriaHidden).is_some_and(|value| value == "true");
    around.hidden |= is_hidden(tree, node);
    let property = tree.attribute(node, Name::ItemProp).unwrap_or_default();
    around.article_body |= id == "js_content"
        || matches!(property, "articleBody" | "reviewBody" | "text" | "recipeInstructions");
    around.signature = signature(container.tag, class, parent.signature);
    around
}

/// Tells apart elements by name, classes without digits, and what is around them.
fn signature(tag: Tag, class: &str, parent: u64) -> u64 {
    let mut hasher = DefaultHasher::new();
    tag.hash(&mut hasher);
    for byte in class.bytes().filter(|byte| !byte.is_ascii_digit()) {
        hasher.write_u8(byte);
    }
    // The parent's own name counts, those above it do not: lists of the same kind lie in different places.
    hasher.write_u64(parent >> 32);
    let own = hasher.finish() & 0xFFFF_FFFF;
    own << 32 | parent >> 32
}

/// The group of the words for comments, in [`Around::words`].
pub(super) fn comment_group() -> usize {
    super::words::group_of("class:comment")
}

/// Sums over the blocks of a page up to each block, for sums over any range.
pub(super) struct Sums {
    sums: Vec<[f32; 5]>,
}

/// Sums over a range of blocks.
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

impl Sums {
    pub(super) fn of(blocks: &Blocks, measures: &[Measures], links: &[f32], prose: &[f32]) -> Self {
        let mut sums = Vec::with_capacity(blocks.blocks.len() + 1);
        let mut sum = [0.0; 5];
        sums.push(sum);
        for ((measures, link), prose) in measures.iter().zip(links).zip(prose) {
            let words = measures.n_words as f32;
            for (sum, value) in sum.iter_mut().zip([
                words,
                words * link,
                measures.n_stops as f32,
                measures.n_commas as f32,
                words * prose,
            ]) {
                *sum += value;
            }
            sums.push(sum);
        }
        Self { sums }
    }

    pub(super) fn over(&self, range: &std::ops::Range<usize>) -> Sum {
        let (Some(from), Some(to)) = (self.sums.get(range.start), self.sums.get(range.end)) else {
            return Sum::default();
        };
        let at = |index: usize| to[index] - from[index];
        Sum {
            n_blocks: range.len() as f32,
            n_words: at(0),
            n_linked: at(1),
            n_stops: at(2),
            n_commas: at(3),
            n_prose: at(4),
        }
    }
}

/// How often elements that look the same occur, and what they hold.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Likes {
    pub(super) n: f32,
    pub(super) n_words: f32,
    pub(super) n_linked: f32,
}

/// A map whose order depends on nothing but what is put in; it is never iterated.
pub(super) type Map<K, V> = HashMap<K, V, BuildHasherDefault<DefaultHasher>>;

/// Blocks by the signature of their element.
pub(super) fn likes(
    blocks: &Blocks,
    around: &[Around],
    measures: &[Measures],
    links: &[f32],
) -> Map<u64, Likes> {
    let mut likes: Map<u64, Likes> = Map::default();
    for ((block, measures), link) in blocks.blocks.iter().zip(measures).zip(links) {
        let Some(around) = around.get(block.container) else { continue };
        let like = likes.entry(around.signature).or_default();
        like.n += 1.0;
        like.n_words += measures.n_words as f32;
        like.n_linked += measures.n_words as f32 * link;
    }
    likes
}
