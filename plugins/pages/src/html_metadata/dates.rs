//! Dates that a page shows, and what is meant by them.
//!
//! A date in running text is never that of the page, however close to the heading. One counts that has a label, that
//! stands in an element made for it, or that has a line by the heading to itself.

use std::ops::Range;

use rustc_hash::FxHashMap;
use tamis_dates::{Located, certain_date, dates};
use tamis_html::{Block, Name, Names, NodeId, Tag, decoded_attribute};

use super::labels::{begins_with_label, label_before, labelled, read_as_shown};
use super::options::Field;
use super::page::{Page, has_word, span_of};
use super::statement::{Statements, letters};

/// A longer line is text, characters.
const MOST_LINE_CHARS: usize = 160;
/// A `<time>` in a longer line is part of a text, bytes.
const MOST_TIMED_BYTES: usize = 4096;
/// An element with more nodes holds more than a date.
const MOST_NODES: usize = 40;
/// A page with more dates far from its heading is a list of others.
const MOST_FAR: usize = 200;
/// A longer line is no label of the next one, bytes.
const MOST_LABEL_BYTES: usize = 60;
/// Words beside a date that has its line to itself, such as a place.
const MOST_BESIDE: usize = 2;
/// Words beside a `<time>` that is no part of a sentence.
const MOST_BESIDE_TIME: usize = 10;

/// Words right before a date that is that of something else: an event, a deadline, a birth.
const OTHER: &[&str] = &[
    "bis",
    "ab",
    "until",
    "till",
    "from",
    "since",
    "seit",
    "to",
    "born",
    "geboren",
    "due",
    "deadline",
    "termin",
    "beginn",
    "start",
    "starts",
    "begins",
    "ends",
    "expires",
    "joined",
    "open",
    "opens",
    "opened",
    "closes",
    "doors",
    "einlass",
    "when",
    "wann",
    "founded",
    "©",
    "copyright",
];

/// By what a sentence speaks of the page that it stands on.
const SELF: &[&str] = &[
    "this post",
    "this entry",
    "this article",
    "this page",
    "this document",
    "dieser beitrag",
    "dieser artikel",
    "dieser eintrag",
    "der artikel",
    "der beitrag",
    "der eintrag",
    "diese seite",
    "cet article",
    "ce billet",
    "cette page",
    "este artículo",
    "esta entrada",
    "esta página",
    "este artigo",
    "questo articolo",
    "questa pagina",
    "本文",
    "本页",
    "本頁",
    "эта страница",
];

/// Words of class names around a date.
const DATE_CLASSES: &[&str] = &[
    "date",
    "dates",
    "time",
    "pubtime",
    "pubdate",
    "published",
    "publish",
    "posted",
    "datetime",
    "timestamp",
    "fbsj",
    "datum",
    "fecha",
    "riqi",
    "shijian",
    "meta",
    "postmeta",
    "byline",
    "dateline",
    "updated",
    "modified",
];
/// Those that say that it is that of something else. `event` is not among them: there are sites that call their news so.
const OTHER_CLASSES: &[&str] = &["start", "end", "expires", "expiry", "deadline", "termin", "birth"];
/// Those that say that it is that of a change.
const MODIFIED_CLASSES: &[&str] = &["updated", "modified", "lastmod", "update", "changed"];
const PUBLISHED_CLASSES: &[&str] = &["published", "entry", "pubdate", "publish", "posted", "created"];

/// What may say of any element that it holds a date.
const NAMED: Names = Names::of(&[Name::Class, Name::Id]);

/// Finds the dates that a page shows.
pub(super) fn shown(page: &Page<'_, '_>, found: &mut Statements) {
    let mut reader = Reader { page, found, dated: FxHashMap::default() };
    let mut far_times = Vec::new();
    let may_tell = |node: &NodeId| page.tree.has_any(*node, NAMED) || page.tree.tag(*node) == Tag::Time;
    for node in (1..page.tree.len()).filter(may_tell) {
        reader.element(node, &mut far_times);
    }
    reader.far_times(&far_times);
    let mut far = Vec::new();
    for (at, block) in page.blocks.blocks.iter().enumerate() {
        let is_behind = || page.is_behind_main(block.nodes().start);
        let near = page.near.contains(&at) && Some(at) != page.main && !is_behind();
        if page.blocks.text_of(block).len() < 4 * MOST_LINE_CHARS && far.len() < MOST_FAR {
            let above = at.checked_sub(1).and_then(|above| page.blocks.blocks.get(above));
            reader.line(block, above, near, &mut far);
        }
    }
    reader.far_lines(&far);
}

struct Reader<'r, 'p, 'a> {
    page: &'r Page<'p, 'a>,
    found: &'r mut Statements,
    /// Whether a class name speaks of dates, for those that were met.
    dated: FxHashMap<&'a str, bool>,
}

/// A date away from the heading, which counts if nothing far from it contradicts.
struct Far {
    field: Field,
    shown: String,
    span: Range<usize>,
    /// Whether one `<article>` or `<main>` holds it and the heading.
    with_main: bool,
    /// Whether it stands behind the one that holds the heading.
    behind_main: bool,
}

impl Reader<'_, '_, '_> {
    /// Reads an element that says by its name or its class that it holds a date.
    fn element(&mut self, node: NodeId, far: &mut Vec<Far>) {
        let tree = self.page.tree;
        let tag = tree.tag(node);
        let is_element =
            !matches!(tag, Tag::Text | Tag::Meta | Tag::Link | Tag::Script | Tag::Style | Tag::Body);
        if !is_element || tree.end(node) - node > MOST_NODES || tree.attribute(node, Name::ItemProp).is_some()
        {
            return;
        }
        let near = self.page.is_near(node) && !self.page.is_behind_main(node);
        if tag == Tag::Time {
            self.time(node, near, far);
            return;
        }
        let class =
            tree.attribute(node, Name::Class).or_else(|| tree.attribute(node, Name::Id)).unwrap_or_default();
        if class.is_empty() || !*self.dated.entry(class).or_insert_with(|| has_word(class, DATE_CLASSES)) {
            return;
        }
        if has_word(class, OTHER_CLASSES) {
            return;
        }
        let field = field_of_class(class);
        let span = self.page.element_span(node);
        if !near {
            let text = self.page.text(node);
            if far.len() < MOST_FAR && is_date(&text) && !self.page.is_beside(node) {
                far.push(Far { field, shown: text, span, with_main: false, behind_main: false });
            }
            return;
        }
        // `<abbr class="published" title="2008-05-26T21:07:00+02:00">26 May</abbr>`
        if let Some(title) = tree.attribute(node, Name::Title).filter(|title| certain_date(title).is_some()) {
            self.found.add(
                field,
                &decoded_attribute(title),
                "date-class",
                span_of(self.page.source, title),
                0.75,
            );
            return;
        }
        let text = self.page.text(node);
        if !self.page.is_beside(node) && text.chars().count() <= MOST_LINE_CHARS {
            self.dates(&text, field, "date-class", &span, 0.1);
        }
    }

    fn time(&mut self, node: NodeId, near: bool, far: &mut Vec<Far>) {
        let page = self.page;
        let text = page.text(node);
        let Some(block) = page.block_at(node) else { return };
        // A longer line is text, and may hold a thousand times more.
        let line = Some(page.blocks.text_of(block)).filter(|line| line.len() <= MOST_TIMED_BYTES);
        let class = page.tree.attribute(node, Name::Class).unwrap_or_default();
        let is_in_heading = page.main.is_some_and(|main| {
            page.blocks.blocks.get(main).is_some_and(|main| main.nodes() == block.nodes())
        });
        let before = line.and_then(|line| line.split_once(text.as_str())).map_or("", |(before, _)| before);
        // `Last updated on … . First published on …`: a sentence that begins with a label is one of the byline.
        let is_labelled = line.is_some_and(|line| line.chars().count() <= MOST_LINE_CHARS)
            && begins_with_label(without_first(before.rsplit(". ").next().unwrap_or_default()))
            && label_before(before).is_some();
        let is_meant = is_in_heading || is_labelled || has_word(class, PUBLISHED_CLASSES);
        if !is_meant && line.is_none_or(|line| is_in_sentence(line, &text)) || page.is_beside(node) {
            return;
        }
        let field = label_before(before).unwrap_or_else(|| field_of_class(class));
        let machine = page.tree.attribute(node, Name::DateTime).filter(|moment| !moment.is_empty());
        let (value, span) = match machine {
            Some(moment) => (decoded_attribute(moment).into_owned(), span_of(page.source, moment)),
            None => (text.clone(), page.element_span(node)),
        };
        if near {
            self.found.add(field, &value, "time-element", span, 0.75);
            // What is shown tells the day where the page was written.
            if machine.is_some() {
                self.found.add(field, &text, "time-text", page.element_span(node), 0.4);
            }
        } else if far.len() < MOST_FAR {
            far.push(Far {
                field,
                shown: value,
                span,
                with_main: page.is_with_main(node),
                behind_main: page.is_behind_main(node),
            });
        }
    }

    /// Times far from the heading: one is that of the page, many are those of others, apart from the first in the
    /// element of the heading.
    fn far_times(&mut self, far: &[Far]) {
        const MOST_DAYS: usize = 2;
        let mut days: Vec<String> = far.iter().filter_map(|far| certain_date(&far.shown)).collect();
        days.sort_unstable();
        days.dedup();
        for field in [Field::Published, Field::Modified] {
            if let Some(first) = far.iter().find(|far| far.field == field) {
                let is_of_page = first.with_main || days.len() <= MOST_DAYS && !first.behind_main;
                let confidence = if is_of_page { 0.5 } else { 0.3 };
                self.found.add(field, &first.shown, "time-element", first.span.clone(), confidence);
            }
        }
    }

    /// Reads a line: near the heading a date alone will do, elsewhere it needs a label.
    fn line(&mut self, block: &Block, above: Option<&Block>, near: bool, far: &mut Vec<Far>) {
        let page = self.page;
        let text = read_as_shown(page.blocks.text_of(block));
        let text = text.as_ref();
        let start = block.nodes().start;
        let Some(first) = dates(text).next() else { return };
        if page.is_hidden(block) || page.is_code(start) || page.is_beside(start) {
            return;
        }
        let span = page.nodes_span(block.nodes());
        // `<dt>Published</dt><dd>13 September 2018</dd>`
        let above =
            above.map(|above| page.blocks.text_of(above)).filter(|above| above.len() <= MOST_LABEL_BYTES);
        if let Some(above) = above.filter(|_| first.range().start == 0 && text.len() <= MOST_LINE_CHARS) {
            match label_before(above) {
                Some(field) if near => {
                    self.found.add(field, &first.shown(text), "date-labelled", span, 0.75);
                    return;
                }
                Some(field) => {
                    far.push(Far {
                        field,
                        shown: first.shown(text),
                        span,
                        with_main: false,
                        behind_main: false,
                    });
                    return;
                }
                None if above.trim_end().ends_with([':', '：']) => return,
                None => {}
            }
        }
        if near && text.chars().count() <= MOST_LINE_CHARS {
            self.dates(text, Field::Published, "date-line", &span, 0.0);
        } else if let Some((field, shown)) = self.labelled(text) {
            far.push(Far { field, shown, span, with_main: false, behind_main: false });
        }
    }

    /// The one date of a line that has a label.
    fn labelled(&self, text: &str) -> Option<(Field, String)> {
        let speaks_of_page = self.speaks_of_page(text);
        if is_sentence(text) && !speaks_of_page || is_copyright(text) {
            return None;
        }
        labelled(text).into_iter().find_map(|(located, label)| Some((label?, located.shown(text))))
    }

    fn far_lines(&mut self, far: &[Far]) {
        for field in [Field::Published, Field::Modified] {
            let mut of_field = far.iter().filter(|far| far.field == field);
            let Some(first) = of_field.next() else { continue };
            let day = certain_date(&first.shown);
            if of_field.all(|other| certain_date(&other.shown) == day) {
                self.found.add(field, &first.shown, "date-labelled", first.span.clone(), 0.6);
            }
        }
    }

    /// The dates of a short text, with what their labels say. Two without a label say nothing.
    fn dates(&mut self, text: &str, field: Field, rule: &'static str, span: &Range<usize>, more: f64) {
        if is_copyright(text) || is_law(text) || is_sentence(text) && !self.speaks_of_page(text) {
            return;
        }
        let text = read_as_shown(text);
        let text = text.as_ref();
        let all = labelled(text);
        // One without a label beside one of a change is that of publication.
        let is_one = all.iter().filter(|(_, label)| *label != Some(Field::Modified)).count() == 1;
        for (located, label) in &all {
            let (field, confidence) = match *label {
                Some(labelled) => (labelled, 0.75),
                None if is_one && is_alone(text, located) && self.page.main.is_some() => (field, 0.5),
                None => continue,
            };
            let timed = if located.time.is_some() { 0.1 } else { 0.0 };
            self.found.add(field, &located.shown(text), rule, span.clone(), confidence + timed + more);
        }
    }

    /// Whether a sentence is about the page that it stands on: it says so, or names its title.
    fn speaks_of_page(&self, text: &str) -> bool {
        let lower = text.to_lowercase();
        let title = &self.page.title;
        SELF.iter().any(|words| lower.contains(words))
            || begins_with_label(text)
            || title.len() > 6 && letters(text).contains(title)
    }
}

/// A sentence without the word that says that there was more than one time: `First published`.
fn without_first(sentence: &str) -> &str {
    let rest = ["First ", "Originally ", "Initially "].iter().find_map(|word| sentence.strip_prefix(word));
    rest.unwrap_or(sentence)
}

/// Whether the date of an element with such a class is that of a change.
fn field_of_class(class: &str) -> Field {
    if has_word(class, MODIFIED_CLASSES) && !has_word(class, PUBLISHED_CLASSES) {
        Field::Modified
    } else {
        Field::Published
    }
}

/// Whether a text is a date and nothing else.
fn is_date(text: &str) -> bool {
    let is_short = text.len() <= MOST_LINE_CHARS;
    is_short && dates(text).next().is_some_and(|located| located.range().len() + MOST_BESIDE >= text.len())
}

fn is_copyright(text: &str) -> bool {
    text.contains('©') || text.to_lowercase().contains("copyright")
}

/// Whether a line names a law, which is known by its day.
fn is_law(text: &str) -> bool {
    text.contains('§')
        || ["BGBl", "ABl.", "GVBl", "JORF", "Stat. "].iter().any(|gazette| text.contains(gazette))
}

/// Whether a text is running text: sentences, not a line of labels, names and dates.
fn is_sentence(text: &str) -> bool {
    const MOST_WORDS: usize = 6;
    let text = text.trim_end_matches(['"', '”', ')', '」', '』']);
    text.contains(['。', '！', '？', '!', '?'])
        || text.contains('，') && n_cjk(text) > 3 * MOST_WORDS
        || text.ends_with('.') && text.split_whitespace().count() > MOST_WORDS
        || text.contains(". ") && text.split_whitespace().count() > 4 * MOST_WORDS
}

/// Whether a `<time>` is part of the sentence that it stands in.
fn is_in_sentence(line: &str, time: &str) -> bool {
    let words = |text: &str| text.split_whitespace().count() + n_cjk(text) / 2;
    let beside = words(line).saturating_sub(words(time));
    beside > MOST_BESIDE_TIME || beside > 1 && is_sentence(line)
}

fn n_cjk(text: &str) -> usize {
    text.chars().filter(|c| tamis_text::chars::is_cjk(*c)).count()
}

/// Whether a date has its line to itself, or at least its part of the line, beside a place or a name.
fn is_alone(text: &str, located: &Located) -> bool {
    let range = located.range();
    let (before, behind) =
        (text.get(..range.start).unwrap_or_default(), text.get(range.end..).unwrap_or_default());
    // `10:16 Uhr - 1. Bundesliga` goes on with an ordinal: a span of times does not.
    let is_ordinal = |rest: &str| {
        located.time.is_some() && rest.trim_start_matches(|c: char| c.is_ascii_digit()).starts_with(". ")
    };
    let is_span = |rest: &str| {
        rest.strip_prefix(['-', '–', '—', '~', '至', '到'])
            .map(str::trim_start)
            .is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()) && !is_ordinal(rest))
            || ["bis ", "to ", "until "].iter().any(|word| rest.starts_with(word))
    };
    if is_span(behind.trim_start()) {
        return false;
    }
    let marks: &[char] = &[
        '|', '｜', '·', '•', '/', '–', '—', ',', ';', '，', '、', '(', ')', '（', '）', '[', ']', '>', '»',
        '\t',
    ];
    let near_before = before.rsplit(" - ").next().unwrap_or_default();
    let near_before = near_before.rsplit(marks).next().unwrap_or_default().trim();
    let near_behind = behind.split(" - ").next().unwrap_or_default();
    let near_behind = near_behind.split(marks).next().unwrap_or_default().trim();
    // A label that is not known labels something else; `Berlin: ` does not.
    if before.trim_end().ends_with([':', '：']) {
        return false;
    }
    let lower = near_before.to_lowercase();
    let last = lower.split_whitespace().next_back().unwrap_or_default();
    if OTHER.contains(&last) || before.trim_end().ends_with(['†', '*']) {
        return false;
    }
    let is_part = |part: &str| part.is_empty() || super::names::is_labelled_part(part);
    if is_part(near_before) && is_part(near_behind) {
        return true;
    }
    if super::names::without_label(near_before).len() < near_before.len() {
        return near_behind.split_whitespace().count() <= MOST_BESIDE;
    }
    // Chinese has no blanks within a name or a word, so what they part are parts of the line.
    let part = |text: &str, part: Option<&str>| {
        if n_cjk(text) > 0 { part.unwrap_or_default().to_owned() } else { text.to_owned() }
    };
    let near_before = if before.ends_with(char::is_whitespace) && n_cjk(near_before) > 0 {
        String::new()
    } else {
        part(near_before, near_before.split_whitespace().next_back())
    };
    let near_behind = if behind.starts_with(char::is_whitespace) && n_cjk(near_behind) > 0 {
        String::new()
    } else {
        part(near_behind, near_behind.split_whitespace().next())
    };
    let words =
        |text: &str| text.split_whitespace().filter(|word| word.chars().any(char::is_alphabetic)).count();
    n_cjk(&near_before) + n_cjk(&near_behind) <= MOST_BESIDE
        && words(&near_before) + words(&near_behind) <= MOST_BESIDE
}
