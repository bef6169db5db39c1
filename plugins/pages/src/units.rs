//! What belongs together is taken together: headings with what they head, lists, tables and code as wholes.
//!
//! The models judge blocks one by one, and short ones badly: of a table they may want one cell, of a list every item
//! but the shortest, and a heading that is one word looks like a menu. A reader sees units.

use std::ops::Range;

use tamis_html::{Container, Tag};

use crate::copies::{is_opened, is_question};
use crate::features::Page;
use crate::render::{complete_rows, data_tables};

/// A list, table or block of code of which this part of the words was taken is taken whole.
const MOST: f32 = 0.5;
/// Below this probability a block between two that were taken has a reason to go.
const LIKELY: f32 = 0.3;
/// Below this probability a question before what was taken is not that of an answer.
const LIKELY_QUESTION: f32 = 0.1;

/// Completes the units of a selection; `probabilities` are those that it was made from.
pub(crate) fn complete(page: &Page<'_>, probabilities: &[f32], selected: &mut [bool]) {
    wholes(page, selected);
    complete_rows(page, selected);
    gaps(page, probabilities, selected);
    gutters(page, selected);
    headings(page, selected);
    questions(page, probabilities, selected);
}

/// Takes lists, tables and code whole of which most was taken.
fn wholes(page: &Page<'_>, selected: &mut [bool]) {
    let containers = &page.blocks.containers;
    let is_whole =
        |it: &&Container| matches!(it.tag, Tag::Ul | Tag::Ol | Tag::Dl | Tag::Pre | Tag::Listing | Tag::Xmp);
    let tables = data_tables(page);
    let tables = tables.iter().filter_map(|table| containers.get(*table));
    for unit in containers.iter().filter(is_whole).chain(tables) {
        let blocks = unit.blocks();
        let (all, taken) = words(page, selected, blocks.clone());
        // Nobody wants some lines of code; and a brace on a line of its own has no words.
        let most = if matches!(unit.tag, Tag::Ul | Tag::Ol | Tag::Dl | Tag::Table) { MOST } else { 0.0 };
        if taken > 0.0 && taken >= most * all {
            selected.get_mut(blocks).into_iter().for_each(|blocks| blocks.fill(true));
        }
    }
}

/// Leaves the numbers of lines beside a block of code, which are a block of their own.
fn gutters(page: &Page<'_>, selected: &mut [bool]) {
    for code in page.blocks.containers.iter().filter(|it| it.tag == Tag::Pre) {
        let blocks = code.blocks();
        if is_gutter(page, blocks.clone()) {
            selected.get_mut(blocks).into_iter().for_each(|blocks| blocks.fill(false));
        }
    }
}

/// Whether lines are numbers that go up by one, and nothing else.
fn is_gutter(page: &Page<'_>, blocks: Range<usize>) -> bool {
    let (mut last, mut n_lines) = (None::<u32>, 0);
    for line in blocks.flat_map(|block| page.text(block).lines()) {
        let Ok(number) = line.trim().parse::<u32>() else { return false };
        if last.is_some_and(|last| last.checked_add(1) != Some(number)) {
            return false;
        }
        (last, n_lines) = (Some(number), n_lines + 1);
    }
    n_lines > 1
}

/// The words of some blocks, and those of them that were taken.
fn words(page: &Page<'_>, selected: &[bool], blocks: Range<usize>) -> (f32, f32) {
    blocks.fold((0.0, 0.0), |(all, taken), block| {
        let n_words = page.n_words(block);
        (all + n_words, if selected.get(block).copied().unwrap_or(false) { taken + n_words } else { taken })
    })
}

/// Takes what lies between two blocks of the same element that were taken, unless it is unlikely.
///
/// Code is taken in any case: it looks like nothing that is read, and nobody writes menus in it.
fn gaps(page: &Page<'_>, probabilities: &[f32], selected: &mut [bool]) {
    let mut before = None;
    for block in 0..selected.len() {
        if !selected[block] {
            continue;
        }
        let section = page.section(block);
        let Some(before) = before.replace(block).filter(|before| page.section(*before) == section) else {
            continue;
        };
        for between in before + 1..block {
            let is_likely = probabilities[between] >= LIKELY && !is_beside(page, between, section);
            selected[between] = is_likely || page.is_code(between);
        }
    }
}

/// Whether a block lies in something that stands beside the text of an element around it.
fn is_beside(page: &Page<'_>, block: usize, around: usize) -> bool {
    let mut element = page.container(block);
    while element > around {
        let tag = page.blocks.containers.get(element).map_or(Tag::Root, |it| it.tag);
        if matches!(tag, Tag::Aside | Tag::Nav | Tag::Footer | Tag::Form | Tag::Dialog) {
            return true;
        }
        element = page.parent(element);
    }
    false
}

/// Takes headings of what was taken.
///
/// One that heads nothing is left to the models: to leave it as well cost more titles than it spared teasers.
fn headings(page: &Page<'_>, selected: &mut [bool]) {
    let Some(first) = selected.iter().position(|selected| *selected) else { return };
    // What stands further up is the head of the page, which has headings, too.
    for block in first.saturating_sub(1)..selected.len() {
        if !selected[block] && page.is_heading(block) {
            selected[block] = heads(page, selected, block);
        }
    }
}

/// Takes questions whose answers were taken, and buttons that open what was: what opens an answer looks like a menu.
fn questions(page: &Page<'_>, probabilities: &[f32], selected: &mut [bool]) {
    // The last one first: a question may stand above another.
    for block in (0..selected.len().saturating_sub(1)).rev() {
        if selected[block] || !selected[block + 1] {
            continue;
        }
        let own = page.container(block);
        let tag = page.blocks.containers.get(own).map_or(Tag::Root, |it| it.tag);
        // The answer lies in the element around the question, or in the one around that.
        let around = [page.parent(own), page.parent(page.parent(own))];
        let Some(around) = around.into_iter().find(|at| *at > 0 && page.range(*at).contains(&(block + 1)))
        else {
            continue;
        };
        let is_beside = is_beside(page, block, 0);
        let mut answer = page.container(block + 1);
        while page.parent(answer) != around && answer > around {
            answer = page.parent(answer);
        }
        let opens = tag == Tag::Button && answer != around && is_opened(page, answer);
        // A question may also be one of those that a page puts beside its text: of a survey, of what others asked.
        let is_question = is_question(page, block) && probabilities[block] >= LIKELY_QUESTION;
        selected[block] = (opens || is_question) && !is_beside;
    }
}

/// Whether something that was taken follows a heading before the next one of its level, within the element around it.
fn heads(page: &Page<'_>, selected: &[bool], heading: usize) -> bool {
    let mut element = page.section(heading);
    // The heading may have an element of its own.
    while page.range(element).end == heading + 1 && element > 0 {
        element = page.parent(element);
    }
    let level = page.heading(heading);
    let end = page.range(element).end.min(selected.len());
    for (block, selected) in selected.iter().enumerate().take(end).skip(heading + 1) {
        let other = page.heading(block);
        if other == 0.0 && *selected {
            return true;
        }
        let is_own = page.container(block) == page.container(heading);
        if other > 0.0 && other <= level && !is_own {
            return false;
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The texts that are taken in the end of those whose blocks begin with `+` at first.
    fn taken(source: &str) -> Vec<String> {
        let page = Page::new(source).expect("short");
        let mut selected: Vec<bool> =
            (0..page.n_blocks()).map(|block| page.text(block).starts_with('+')).collect();
        let probabilities: Vec<f32> = (0..page.n_blocks())
            .map(|block| if page.text(block).contains('?') { 0.05 } else { 0.35 })
            .collect();
        complete(&page, &probabilities, &mut selected);
        let text = |(block, _): (usize, &bool)| page.text(block).to_owned();
        selected.iter().enumerate().filter(|(_, selected)| **selected).map(text).collect()
    }

    #[test]
    fn a_heading_stays_with_what_it_heads() {
        let page = "<p>+a<h2>of b</h2><p>+b<h2>of c</h2><h3>of c, too</h3><p>+c<h2>of nothing</h2><p>d";
        assert_eq!(taken(page), ["+a", "of b", "+b", "of c", "of c, too", "+c"]);
        let apart = "<p>+a<div><h2>of b</h2></div><p>+b<aside><h2>of d</h2><p>d</aside><p>+e";
        assert_eq!(taken(apart), ["+a", "of b", "+b", "+e"]);
    }

    #[test]
    fn what_comes_before_all_that_was_taken_is_left() {
        assert_eq!(taken("<h1>Site</h1><p>menu<p>+a<p>+b"), ["+a", "+b"]);
    }

    #[test]
    fn a_question_stays_with_its_answer() {
        for (page, expected) in [
            ("<p>+a</p><div><p>Dogs？</p><p>+On a lead.</p></div>", vec!["+a", "Dogs？", "+On a lead."]),
            (
                "<p>+a</p><div><button>Dogs</button><div class=collapse><p>+On a lead.</p></div></div>",
                vec!["+a", "Dogs", "+On a lead."],
            ),
            ("<p>+a</p><nav><p>Dogs？</p></nav><p>+b</p>", vec!["+a", "+b"]),
            (
                "<div><p>+a</p></div><div><form><button>Send</button></form></div><div><p>+b</p></div>",
                vec!["+a", "+b"],
            ),
        ] {
            assert_eq!(taken(page), expected, "{page}");
        }
    }

    #[test]
    fn a_list_is_whole_or_not_there() {
        assert_eq!(
            taken("<ul><li>+one two<li>+three four<li>five?</ul>"),
            ["+one two", "+three four", "five?"]
        );
        assert_eq!(taken("<ul><li>+one<li>two?<li>three four five?</ul>"), ["+one"]);
    }

    #[test]
    fn what_lies_between_stays_unless_it_is_unlikely() {
        assert_eq!(taken("<div><p>+a<p>b<p>+c<p>d?<p>+e</div>"), ["+a", "b", "+c", "+e"]);
        assert_eq!(taken("<div><p>+a<aside>b</aside><p>+c</div>"), ["+a", "+c"]);
    }

    #[test]
    fn numbers_of_lines_go() {
        let code = "<table><tr><td><pre>1\n2\n3</pre><td><pre>+let a = 1;\nlet b = 2;\nlet c;</pre></table>";
        assert_eq!(taken(code), ["+let a = 1;\nlet b = 2;\nlet c;"]);
    }
}
