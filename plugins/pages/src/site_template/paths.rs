//! The path of an element: which elements are around it, as all pages of a site have them.
//!
//! A path is the last few block elements from the outside in, each with its classes: `div.body>table.index>tr>td`.
//! What differs from page to page is not in it: ids, which name sections, classes with digits, which number posts,
//! and the `body`, whose classes say which page it is.

use tamis_html::{Name, Tag};

use crate::features::Page;

/// So many elements make a path.
const N_STEPS: usize = 5;
/// So many classes of an element count; publishing systems write dozens.
const N_CLASSES: usize = 3;
/// A longer class was made by a program and may be another next week.
const MOST_CLASS_BYTES: usize = 24;
/// Between the elements of a path.
const MARK: char = '>';

/// The paths of the block elements of a page.
pub(super) struct Paths {
    keys: Vec<u64>,
}

impl Paths {
    pub(super) fn of(page: &Page<'_>) -> Self {
        let n_containers = page.blocks.containers.len();
        // For each the hash of what it says for itself; 0 for those that are in no path.
        let (mut steps, mut keys) = (Vec::with_capacity(n_containers), Vec::with_capacity(n_containers));
        let mut step = String::new();
        for container in 0..n_containers {
            write_step(page, container, &mut step);
            steps.push(if step.is_empty() { 0 } else { hash(&step) });
            let last: Vec<u64> = up(page, container).map_while(|it| steps.get(it).copied()).collect();
            keys.push(key(last.into_iter().rev()));
        }
        Self { keys }
    }

    /// The key of the path of an element.
    pub(super) fn key(&self, container: usize) -> u64 {
        self.keys.get(container).copied().unwrap_or(0)
    }
}

/// The path of an element as a reader sees it.
pub(super) fn text(page: &Page<'_>, container: usize) -> String {
    let step = |container: usize| {
        let mut step = String::new();
        write_step(page, container, &mut step);
        step
    };
    let mut steps: Vec<String> = up(page, container).map(step).filter(|step| !step.is_empty()).collect();
    steps.reverse();
    steps.join(&MARK.to_string())
}

/// The key of a path as it was written.
pub(super) fn key_of(path: &str) -> u64 {
    key(path.split(MARK).map(str::trim).filter(|step| !step.is_empty()).map(hash))
}

fn key(steps: impl Iterator<Item = u64>) -> u64 {
    steps.filter(|step| *step != 0).fold(1, mix)
}

/// An element and those around it that make its path, from the inside out.
fn up<'p>(page: &'p Page<'_>, container: usize) -> impl Iterator<Item = usize> + 'p {
    let above = |container: &usize| (*container > 0).then(|| page.parent(*container));
    std::iter::successors(Some(container), above).take(N_STEPS)
}

/// What an element says for itself: its name and classes, or nothing for those around the whole page.
fn write_step(page: &Page<'_>, container: usize, step: &mut String) {
    step.clear();
    let Some(element) = page.blocks.containers.get(container).filter(|_| container > 0) else { return };
    if matches!(element.tag, Tag::Html | Tag::Body | Tag::Root) {
        return;
    }
    step.push_str(element.tag.name());
    let classes = page.tree.attribute(element.node(), Name::Class).unwrap_or_default();
    let is_kept = |class: &&str| {
        class.len() <= MOST_CLASS_BYTES
            && !class.bytes().any(|byte| byte.is_ascii_digit() || matches!(byte, b'>' | b'"' | b'\\'))
    };
    for class in classes.split_ascii_whitespace().filter(is_kept).take(N_CLASSES) {
        step.push('.');
        step.push_str(class);
    }
}

/// The same on every machine and in every version: states and tables are compared by it.
pub(super) fn hash(text: &str) -> u64 {
    let (words, rest) = text.as_bytes().as_chunks::<8>();
    let mut last = [0; 8];
    last.iter_mut().zip(rest).for_each(|(last, byte)| *last = *byte);
    let words = words.iter().chain([&last]).map(|word| u64::from_le_bytes(*word));
    finish(words.fold(text.len() as u64, mix))
}

fn mix(hash: u64, value: u64) -> u64 {
    (hash.rotate_left(23) ^ value).wrapping_mul(0x9E37_79B9_7F4A_7C15)
}

/// Spreads what was mixed over all bits, because the least of several hashes are asked for (splitmix64).
fn finish(mut mixed: u64) -> u64 {
    mixed = (mixed ^ mixed >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
    mixed ^ mixed >> 31
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_what_all_pages_have_and_is_found_by_what_is_written() {
        let source = "<body class='page-12 home'><div class='wrap post-44 hentry' id=p44><section id=intro>
            <p class=lead>First.</p><ul class='a b c d'><li>Item</ul></section></div></body>";
        let page = Page::new(source).expect("short");
        let paths = Paths::of(&page);
        let found: Vec<String> =
            (0..page.n_blocks()).map(|block| text(&page, page.container(block))).collect();
        assert_eq!(found, ["div.wrap.hentry>section>p.lead", "div.wrap.hentry>section>ul.a.b.c>li"]);
        for (block, path) in found.iter().enumerate() {
            assert_eq!(paths.key(page.container(block)), key_of(path), "{path}");
        }
        assert_ne!(key_of("div>p"), key_of("p>div"));
    }
}
