//! What a page holds and does not show, and what it says a second time.
//!
//! The models judge blocks by what they say and where they stand. A message that a script may show stands among the
//! paragraphs of the text, and the copy of an article for narrow screens is worded as the article is.

use rustc_hash::FxHashMap;
use tamis_html::{Name, Tag, is_hidden};

use crate::features::Page;

/// The shown part of the content must have so many words, and as many as the hidden one: else the page is hidden until its
/// script has run.
const LEAST_SHOWN: f32 = 40.0;
/// Shorter blocks may be said twice: refrains, labels, the cells of tables.
const LEAST_WORDS: f32 = 12.0;
/// Next to each other shorter ones are a standfirst and its copy, too.
const LEAST_WORDS_BESIDE: f32 = 8.0;
/// An element of copies holds so many, and so large a part of its words are in them.
const LEAST_COPIES: usize = 2;
const MOST_COPIED: f32 = 0.8;
/// Levels looked up for what opens a hidden element.
const MOST_LEVELS: usize = 6;

/// Words of class names and roles of what a reader opens: panels of an accordion, tabs, answers, the rest of a text.
const OPENED: &[&str] = &[
    "accordion",
    "answer",
    "collapse",
    "collapsed",
    "collapsible",
    "content",
    "details",
    "drawer",
    "expand",
    "expandable",
    "expanded",
    "faq",
    "full",
    "fulltext",
    "more",
    "panel",
    "readmore",
    "slide",
    "spoiler",
    "step",
    "tab",
    "tabpanel",
    "tabs",
    "toggle",
];

/// Leaves what the page does not show, where most of what was taken is shown.
///
/// What a reader opens stays: it is hidden until then.
pub(crate) fn leave_hidden(page: &Page<'_>, selected: &mut [bool]) {
    let containers = &page.blocks.containers;
    let mut hidden = Vec::new();
    let mut end = 0;
    for (id, container) in containers.iter().enumerate() {
        // The outermost alone.
        if container.node() >= end
            && !container.blocks().is_empty()
            && is_hidden(&page.tree, container.node())
        {
            end = page.tree.end(container.node());
            hidden.push(id);
        }
    }
    if hidden.is_empty() {
        return;
    }
    let words = |selected: &[bool], blocks: std::ops::Range<usize>| -> f32 {
        blocks.filter(|block| selected.get(*block) == Some(&true)).map(|block| page.n_words(block)).sum()
    };
    let all = words(selected, 0..selected.len());
    let n_hidden: f32 = hidden.iter().map(|id| words(selected, page.range(*id))).sum();
    let shown = all - n_hidden;
    if shown < LEAST_SHOWN || shown < n_hidden {
        return;
    }
    for id in hidden {
        if !is_opened(page, id) {
            selected.get_mut(page.range(id)).into_iter().for_each(|blocks| blocks.fill(false));
        }
    }
}

/// Whether a hidden element is one that a reader opens: it says so, or stands behind what opens it, a question or a heading.
pub(crate) fn is_opened(page: &Page<'_>, id: usize) -> bool {
    let tree = &page.tree;
    let before = page.range(id).start.checked_sub(1);
    if before.is_some_and(|before| is_question(page, before) || page.heading(before) > 0.0) {
        return true;
    }
    let mut at = id;
    for _ in 0..MOST_LEVELS {
        let Some(container) = page.blocks.containers.get(at) else { break };
        let node = container.node();
        let words =
            [Name::Class, Name::Role, Name::Id].map(|name| tree.attribute(node, name).unwrap_or_default());
        let mut parts = words.iter().flat_map(|words| words.split(|c: char| !c.is_ascii_alphanumeric()));
        if parts.any(|part| OPENED.iter().any(|word| part.eq_ignore_ascii_case(word)))
            || matches!(container.tag, Tag::Details)
        {
            return true;
        }
        if at == 0 || matches!(container.tag, Tag::Main | Tag::Article | Tag::Body) {
            break;
        }
        at = container.parent();
    }
    false
}

/// Whether a block is a question, or the term that something behind it explains.
pub(crate) fn is_question(page: &Page<'_>, block: usize) -> bool {
    let container = page.blocks.containers.get(page.container(block));
    page.text(block).trim_end().ends_with(['?', '？', '؟'])
        || container.is_some_and(|container| matches!(container.tag, Tag::Dt | Tag::Summary))
}

/// Leaves what was taken before, word for word: a standfirst that is repeated, the copy for narrow screens.
///
/// One paragraph may be said again in the text: of the letters of copies that follow what they repeat and are built alike,
/// seven tenths are meant (nine sets), of the others a fifth. A copy follows what it repeats and is built otherwise, or
/// repeats a standfirst, or is one of several in an element of copies.
pub(crate) fn leave_copies(page: &Page<'_>, selected: &mut [bool]) {
    let mut first: FxHashMap<&str, usize> = FxHashMap::default();
    let look = |block: usize| {
        let own = page.container(block);
        (page.look(own), page.look(page.parent(own)))
    };
    let mut copies = Vec::new();
    let mut before = "";
    for block in (0..selected.len()).filter(|block| selected[*block]) {
        let n_words = page.n_words(block);
        if n_words < LEAST_WORDS_BESIDE || is_own(page, block) {
            before = "";
            continue;
        }
        let text = page.text(block);
        let original = *first.entry(text).or_insert(block);
        let follows = text == before && look(block) != look(original);
        if original != block && (follows || n_words >= LEAST_WORDS) {
            copies.push((block, original, follows));
        }
        before = text;
    }
    // Of an element it is asked once, however many copies are in it.
    let mut of_copies: FxHashMap<usize, bool> = FxHashMap::default();
    for (block, original, follows) in &copies {
        let element = without(page, *block, *original);
        let mut lies_among =
            || *of_copies.entry(element).or_insert_with(|| is_of_copies(page, &copies, element));
        if *follows || is_standfirst(page, *original) || lies_among() {
            selected[*block] = false;
        }
    }
}

/// Whether a block is the lead of the text by the name of what it stands in.
fn is_standfirst(page: &Page<'_>, block: usize) -> bool {
    const LEADS: &[&str] =
        &["abstract", "dek", "excerpt", "intro", "lead", "lede", "standfirst", "subtitle", "summary"];
    let own = page.container(block);
    [own, page.parent(own)].into_iter().any(|at| {
        let Some(container) = page.blocks.containers.get(at) else { return false };
        let class = page.tree.attribute(container.node(), Name::Class).unwrap_or_default();
        let mut words = class.split(|c: char| !c.is_ascii_alphanumeric());
        container.tag == Tag::Header
            || words.any(|word| LEADS.iter().any(|lead| word.eq_ignore_ascii_case(lead)))
    })
}

/// The outermost element that holds a copy and not what it repeats.
fn without(page: &Page<'_>, copy: usize, original: usize) -> usize {
    let mut element = page.container(copy);
    while element > 0 && !page.range(page.parent(element)).contains(&original) {
        element = page.parent(element);
    }
    element
}

/// Whether an element holds nothing but copies, several of them.
fn is_of_copies(page: &Page<'_>, copies: &[(usize, usize, bool)], element: usize) -> bool {
    let range = page.range(element);
    let from = copies.partition_point(|(copy, ..)| *copy < range.start);
    let inside = copies.iter().skip(from).take_while(|(copy, ..)| *copy < range.end);
    let (n_copies, n_words) =
        inside.fold((0, 0.0), |(n, words), (copy, ..)| (n + 1, words + page.n_words(*copy)));
    n_copies >= LEAST_COPIES && n_words >= MOST_COPIED * page.words_in(element)
}

/// Whether a block may say on purpose what was said before: a line of a poem, a quotation, code, data.
fn is_own(page: &Page<'_>, block: usize) -> bool {
    if page.is_code(block) || page.is_after_break(block) {
        return true;
    }
    let mut at = page.container(block);
    for _ in 0..MOST_LEVELS {
        let Some(container) = page.blocks.containers.get(at) else { break };
        if matches!(container.tag, Tag::Blockquote | Tag::Td | Tag::Th | Tag::Li) {
            return true;
        }
        at = container.parent();
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    const LONG: &str = "The ferry was late again on Monday, and the people on the quay waited for two hours in the rain, \
        as they do every Monday in the autumn, when the tide is low and the pilot is at the market until noon.";

    /// The first words of what is left when all was taken.
    fn left(source: &str, leave: fn(&Page<'_>, &mut [bool])) -> Vec<String> {
        let page = Page::new(source).expect("short");
        let mut selected = vec![true; page.n_blocks()];
        leave(&page, &mut selected);
        let left = (0..page.n_blocks()).filter(|block| selected[*block]);
        left.map(|block| page.text(block).split(' ').take(2).collect::<Vec<_>>().join(" ")).collect()
    }

    #[test]
    fn what_is_hidden_goes_where_the_text_is_shown() {
        let shown = format!("<article><p>{LONG}</p>");
        for (hidden, n_left) in [
            ("<p style='display: none'>Sent, thank you.</p>", 1),
            ("<div hidden><p>Sent.</p><p>Thank you.</p></div>", 1),
            ("<ul><li>one</li><li hidden>two</li></ul>", 2),
            ("<table><tr hidden><td>1<td>2<tr><td>3<td>4</table>", 3),
            // What a reader opens.
            ("<div class='accordion'><button>Dogs?</button><div hidden><p>On a lead.</p></div></div>", 3),
            ("<div role=tabpanel hidden>Kilos</div>", 2),
            ("<details><summary>Dogs?</summary><p hidden>On a lead.</p></details>", 3),
            ("<p hidden=until-found>On a lead.</p>", 2),
            ("<dl><dt>Dogs<dd hidden>On a lead.</dl>", 3),
            ("<h3>Dogs</h3><div style='display:none'>On a lead.</div>", 3),
            ("<p>Dogs?</p><p hidden>On a lead.</p>", 3),
        ] {
            let page = format!("{shown}{hidden}</article>");
            assert_eq!(left(&page, leave_hidden).len(), n_left, "{hidden}");
        }
        // A page that its script shows.
        assert_eq!(
            left(&format!("<p>Loading<div style='display:none'><p>{LONG}</div>"), leave_hidden).len(),
            2
        );
    }

    #[test]
    fn what_was_said_goes_unless_it_is_said_again_on_purpose() {
        for (page, n_left) in [
            (format!("<p class=lead>{LONG}<p>{LONG}<p>and so on"), 2),
            (format!("<div class=a><p>{LONG}<p>{LONG}x</div><div class=b><p>{LONG}<p>{LONG}x</div>"), 2),
            (format!("<p>{LONG}<p>{LONG}<p>and so on"), 3),
            (format!("<header><p>{LONG}</header><img src=x><p>By somebody<p>{LONG}"), 2),
            (format!("<p>{LONG}<p>and so on<p>{LONG}"), 3),
            (format!("<p>{LONG}<blockquote>{LONG}</blockquote>"), 2),
            (format!("<p>{LONG}<br>and so on<p>Well<br>{LONG}"), 4),
            ("<p class=lead>The ferry was late again on Monday morning.<p>The ferry was late again on Monday morning.".to_owned(), 1),
            ("<p>Row, row your boat<p>Row, row your boat".to_owned(), 2),
            (format!("<ul><li>{LONG}<li>{LONG}</ul>"), 2),
        ] {
            assert_eq!(left(&page, leave_copies).len(), n_left, "{page}");
        }
    }
}
